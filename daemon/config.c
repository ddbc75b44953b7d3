/*
 * The table of config.h as an array, and how the value of one option is parsed,
 * checked against its bounds and stored. config_load.c and config_yaml.c read
 * values from their sources; config_kafka.c has the properties of librdkafka.
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

/* The largest first. */
static const struct unit byte_units[] = {{"TiB", UINT64_C(1) << 40},
                                         {"GiB", UINT64_C(1) << 30},
                                         {"MiB", UINT64_C(1) << 20},
                                         {"KiB", UINT64_C(1) << 10},
                                         {"B", 1},
                                         {"", 1},
                                         {NULL, 0}};
static const struct unit time_units[] = {
    {"d", NS_PER_DAY}, {"h", NS_PER_HOUR}, {"m", NS_PER_MIN}, {"s", NS_PER_S},
    {"ms", NS_PER_MS}, {"us", NS_PER_US},  {"ns", 1},         {NULL, 0}};
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

static const struct unit *units_of(enum option_type type)
{
    return type == OPTION_BYTES      ? byte_units
           : type == OPTION_DURATION ? time_units
                                     : no_units;
}

/* A whole number and its unit. */
static bool parse_number(const char *text, const struct unit *units,
                         uint64_t *value)
{
    uint64_t number = 0;

    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        unsigned digit = (unsigned)(*text - '0');

        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    while (units->name && strcmp(units->name, text) != 0)
        units++;
    if (!units->name || number > UINT64_MAX / units->factor)
        return false;
    *value = number * units->factor;
    return true;
}

static bool parse_value(const char *text, enum option_type type,
                        uint64_t *value)
{
    return type == OPTION_DURATION
               ? clock_parse_duration_days(slice_of(text), value)
               : parse_number(text, units_of(type), value);
}

enum { NUMBER_TEXT = 32 };
/* As parse_value() reads it, with the largest unit that leaves it whole. */
static const char *print_value(char text[NUMBER_TEXT], enum option_type type,
                               uint64_t value)
{
    const struct unit *unit = units_of(type);

    while (value % unit->factor)
        unit++;
    (void)snprintf(text, NUMBER_TEXT, "%" PRIu64 "%s", value / unit->factor,
                   value ? unit->name : "");
    return text;
}

static const char *allowed_values(enum option_type type)
{
    switch (type) {
    case OPTION_BYTES:
        return "a size such as 64MiB";
    case OPTION_DURATION:
        return "a duration such as 30s, 5m or 7d";
    case OPTION_COUNT:
        return "an integer";
    case OPTION_TEXT:
        break;
    }
    return "a string";
}

/* The member of an option; its type is CONFIG_TYPE_... */
static void *member_of(struct config *config,
                       const struct config_option *option)
{
    return (char *)config + option->offset;
}

static void store_text(struct config *config,
                       const struct config_option *option, const char *value)
{
    char **member = member_of(config, option);

    free(*member);
    *member = mem_copy(value, strlen(value));
}

enum status config_set(struct config *config, const char *name,
                       const char *value, char *error, size_t error_size)
{
    const struct config_option *option = config_find(name);
    char least[NUMBER_TEXT], most[NUMBER_TEXT];
    uint64_t number;

    if (option)
        config->given[option - config_options] = true;
    if (!option && config_property(name))
        return config_add_property(config, config_property(name), value, error,
                                   error_size);
    if (!option) {
        snprintf(error, error_size, "%s: no such option", name);
        return ERR_INVALID;
    }
    if (option->type == OPTION_TEXT) {
        store_text(config, option, value);
        return config_is_property_list(option)
                   ? config_set_properties(config, value, error, error_size)
                   : OK;
    }
    if (!parse_value(value, option->type, &number)) {
        snprintf(error, error_size, "%s: must be %s, not \"%s\"", name,
                 allowed_values(option->type), value);
        return ERR_INVALID;
    }
    if (option->most && (number < option->least || number > option->most)) {
        snprintf(error, error_size, "%s: must be between %s and %s", name,
                 print_value(least, option->type, option->least),
                 print_value(most, option->type, option->most));
        return ERR_INVALID;
    }
    memcpy(member_of(config, option), &number, sizeof(number));
    return OK;
}

void config_defaults(struct config *config)
{
    char error[200];

    memset(config, 0, sizeof(*config));
    for (size_t i = 0; i < config_option_count; i++)
        if (config_set(config, config_options[i].name, config_options[i].value,
                       error, sizeof(error)) != OK)
            abort(); /* a row of the table is wrong; every test would fail */
    memset(config->given, 0, sizeof(config->given));
}

void config_shared_defaults(struct config *config)
{
    /* A block is seen when it is inserted. A ClickHouse may be larger than the
     * disk of one machine: its oldest days are deleted for their age, and for
     * its size only if somebody says so. */
    static const char *const defaults[][2] = {{"retention-size", "0"},
                                              {"seal-age", "2s"}};
    char error[200];

    if (config->store[0] == '\0')
        return;
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
        const struct config_option *option = config_find(defaults[i][0]);

        if (!config->given[option - config_options] &&
            config_set(config, option->name, defaults[i][1], error,
                       sizeof(error)) != OK)
            abort(); /* a row above is wrong */
    }
}

void config_release(struct config *config)
{
    for (size_t i = 0; i < config_option_count; i++)
        if (config_options[i].type == OPTION_TEXT) {
            char **member = member_of(config, &config_options[i]);

            free(*member);
            *member = NULL;
        }
}
