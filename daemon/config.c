/*
 * The table of config.h as an array, and one value at a time: text to number
 * by unit, bounds, storage. Where values come from is config_load.c's and
 * config_yaml.c's business.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "config_int.h"
#include "mem.h"

const struct config_option config_options[] = {
#define CONFIG_ROW(kind, member, name, value, least, most, text)               \
    {OPTION_##kind, offsetof(struct config, member), name, value, least, most, \
     text},
    CONFIG_TABLE(CONFIG_ROW)
#undef CONFIG_ROW
};
const size_t config_option_count =
    sizeof(config_options) / sizeof(config_options[0]);

const struct config_option *config_find(const char *name)
{
    for (size_t i = 0; i < config_option_count; i++)
        if (strcmp(config_options[i].name, name) == 0)
            return &config_options[i];
    return NULL;
}

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit byte_units[] = {{"", 1},
                                         {"B", 1},
                                         {"KiB", UINT64_C(1) << 10},
                                         {"MiB", UINT64_C(1) << 20},
                                         {"GiB", UINT64_C(1) << 30},
                                         {NULL, 0}};
static const struct unit time_units[] = {
    {"ns", 1},         {"us", NS_PER_US},  {"ms", NS_PER_MS}, {"s", NS_PER_S},
    {"m", NS_PER_MIN}, {"h", NS_PER_HOUR}, {"d", NS_PER_DAY}, {NULL, 0}};
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

/* A whole number and its unit off the front of *text. */
static bool take_part(const char **text, const struct unit *units,
                      uint64_t *value)
{
    const char *at = *text;
    uint64_t number = 0;

    if (*at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++) {
        unsigned digit = (unsigned)(*at - '0');

        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    size_t len = strcspn(at, "0123456789");
    for (; units->name; units++)
        if (strlen(units->name) == len && strncmp(at, units->name, len) == 0)
            break;
    if (!units->name || number > UINT64_MAX / units->factor)
        return false;
    *text = at + len;
    *value = number * units->factor;
    return true;
}

static bool parse_number(const char *text, enum option_type type,
                         uint64_t *value)
{
    const struct unit *units = type == OPTION_BYTES      ? byte_units
                               : type == OPTION_DURATION ? time_units
                                                         : no_units;
    uint64_t sum = 0, part;

    if (strcmp(text, "0") == 0) {
        *value = 0;
        return true;
    }
    do {
        if (!take_part(&text, units, &part) || part > UINT64_MAX - sum)
            return false;
        sum += part;
    } while (*text && type == OPTION_DURATION);
    *value = sum;
    return *text == '\0';
}

static const char *what_is_allowed(enum option_type type)
{
    switch (type) {
    case OPTION_BYTES:
        return "a size such as 64MiB";
    case OPTION_DURATION:
        return "a duration such as 30s, 5m or 7d";
    case OPTION_COUNT:
        return "a whole number";
    case OPTION_TEXT:
        break;
    }
    return "a text";
}

/* UINT64 values are stored where the table says; see CONFIG_TYPE_... */
static void *place(struct config *config, const struct config_option *option)
{
    return (char *)config + option->offset;
}

static void store_text(struct config *config,
                       const struct config_option *option, const char *value)
{
    char **member = place(config, option);

    free(*member);
    *member = mem_copy(value, strlen(value));
}

/* "kafka.ssl.ca.location", and "kafka-ssl.ca.location" as a mapping in the file
 * makes it: the name of a property, or NULL. */
static const char *property_of(const char *name)
{
    if (strncmp(name, "kafka.", 6) == 0)
        return name + 6;
    return strncmp(name, "kafka-", 6) == 0 && strchr(name, '.') ? name + 6
                                                                : NULL;
}

bool config_is_property(const char *name)
{
    return property_of(name) != NULL;
}

/* kafka_options holds a property on each line; a later one wins. */
static enum status append_property(struct config *config, const char *name,
                                   const char *value, char *error,
                                   size_t error_size)
{
    size_t used = strlen(config->kafka_options);
    size_t room = used + strlen(name) + strlen(value) + 3;

    if (name[0] == '\0' || strpbrk(name, "=;\n") || strchr(value, '\n')) {
        snprintf(error, error_size, "kafka.%s: not a property and its value",
                 name);
        return ERR_INVALID;
    }
    config->kafka_options = mem_resize(config->kafka_options, room, 1);
    snprintf(config->kafka_options + used, room - used, "%s=%s\n", name, value);
    return OK;
}

static enum status add_property(struct config *config, const char *name,
                                const char *value, char *error,
                                size_t error_size)
{
    char *secret;
    enum status status;

    if (!config_is_secret(name))
        return append_property(config, name, value, error, error_size);
    secret = config_read_secret(value);
    if (!secret) {
        snprintf(error, error_size,
                 "kafka.%s: its file cannot be read, or is empty", name);
        return ERR_INVALID;
    }
    status = append_property(config, name, secret, error, error_size);
    explicit_bzero(secret, strlen(secret));
    free(secret);
    return status;
}

/* "a=b; c=d" to a line each. */
static enum status set_properties(struct config *config, const char *value,
                                  char *error, size_t error_size)
{
    config->kafka_options[0] = '\0';
    while (*value) {
        size_t len = strcspn(value, ";\n");
        size_t name = strcspn(value, "=;\n");
        char *copy = mem_copy(value, len);
        enum status status = OK;

        if (name < len) {
            copy[name] = '\0';
            status =
                add_property(config, copy, copy + name + 1, error, error_size);
        } else if (strspn(value, " ") < len) {
            snprintf(error, error_size, /* it may be a piece of a secret */
                     "kafka-options: must be NAME=VALUE;NAME=VALUE...");
            status = ERR_INVALID;
        }
        free(copy);
        if (status != OK)
            return status;
        value += len;
        value += strspn(value, "; \n");
    }
    return OK;
}

/* The first name=value; of a list, or all of it, in which a secret stands. */
static bool list_shows_secret(const char *list, char *secret, size_t size)
{
    while (*list) {
        size_t len = strcspn(list, ";\n"), name = strcspn(list, "=;\n");
        char *pair = mem_copy(list, len);
        bool shown = false;

        if (name < len) {
            pair[name] = '\0';
            shown = config_is_plain_secret(pair, pair + name + 1);
            snprintf(secret, size, "%s", pair);
        }
        free(pair);
        if (shown)
            return true;
        list += len;
        list += strspn(list, "; \n");
    }
    return false;
}

bool config_shows_secret(const char *name, const char *value, char *secret,
                         size_t size)
{
    const struct config_option *option = config_find(name);

    if (option)
        return option->offset == offsetof(struct config, kafka_options) &&
               list_shows_secret(value, secret, size);
    if (!config_is_property(name))
        return false;
    snprintf(secret, size, "%s", property_of(name));
    return config_is_plain_secret(secret, value);
}

enum status config_set(struct config *config, const char *name,
                       const char *value, char *error, size_t error_size)
{
    const struct config_option *option = config_find(name);
    uint64_t number;

    if (!option && config_is_property(name))
        return add_property(config, property_of(name), value, error,
                            error_size);
    if (!option) {
        snprintf(error, error_size, "%s: no such option", name);
        return ERR_INVALID;
    }
    if (option->type == OPTION_TEXT) {
        store_text(config, option, value);
        return option->offset == offsetof(struct config, kafka_options)
                   ? set_properties(config, value, error, error_size)
                   : OK;
    }
    if (!parse_number(value, option->type, &number)) {
        snprintf(error, error_size, "%s: must be %s, not \"%s\"", name,
                 what_is_allowed(option->type), value);
        return ERR_INVALID;
    }
    if (option->most && (number < option->least || number > option->most)) {
        snprintf(error, error_size,
                 "%s: must be between %" PRIu64 " and %" PRIu64 "%s", name,
                 option->least, option->most,
                 option->type == OPTION_DURATION ? " nanoseconds"
                 : option->type == OPTION_BYTES  ? " bytes"
                                                 : "");
        return ERR_INVALID;
    }
    memcpy(place(config, option), &number, sizeof(number));
    return OK;
}

void config_defaults(struct config *config)
{
    char error[200];

    memset(config, 0, sizeof(*config));
    for (size_t i = 0; i < config_option_count; i++)
        if (config_set(config, config_options[i].name, config_options[i].value,
                       error, sizeof(error)) != OK)
            abort(); /* a row of our own table is wrong; a test meets it */
}

void config_release(struct config *config)
{
    for (size_t i = 0; i < config_option_count; i++)
        if (config_options[i].type == OPTION_TEXT) {
            char **member = place(config, &config_options[i]);

            free(*member);
            *member = NULL;
        }
}
