/*
 * Properties of librdkafka, and the secrets among them.
 *
 * The member kafka_options holds a property on each line; a later one
 * overrides. Every user of the machine can read a command line, so there a
 * secret must be @FILE; the configuration file and the environment may contain
 * it or @FILE (secret_file.h). A value that begins with @@ is the value itself,
 * without the first @.
 *
 * No message contains a value, since it may be a secret.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_int.h"
#include "mem.h"
#include "secret_file.h"

enum { SECRET_MAX = 64 * 1024 };

const char *config_property(const char *name)
{
    if (strncmp(name, "kafka.", 6) == 0)
        return name + 6;
    return strncmp(name, "kafka-", 6) == 0 && strchr(name, '.') ? name + 6
                                                                : NULL;
}

bool config_is_property_list(const struct config_option *option)
{
    return option->offset == offsetof(struct config, kafka_options);
}

/* A property of the list "a=b; c=d". */
struct property {
    char *name;        /* malloc'ed; owned */
    const char *value; /* in it; NULL: there is no "=" */
};

/* Takes the next property off *list; false at the end. */
static bool next_property(const char **list, struct property *property)
{
    size_t len;
    char *equals;

    *list += strspn(*list, "; \n");
    if (**list == '\0')
        return false;
    len = strcspn(*list, ";\n");
    property->name = mem_copy(*list, len);
    equals = strchr(property->name, '=');
    property->value = equals ? equals + 1 : NULL;
    if (equals)
        *equals = '\0';
    *list += len;
    return true;
}

/* ---- secrets ---- */

static bool is_secret(const char *property)
{
    static const char *const parts[] = {"password", "secret", "ssl.key.pem",
                                        "oauthbearer.config"};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (strstr(property, parts[i]))
            return true;
    return false;
}

static bool is_plain_secret(const char *property, const char *value)
{
    return is_secret(property) && value[0] != '\0' &&
           (value[0] != '@' || value[1] == '@');
}

static bool list_has_plain_secret(const char *list, char *secret, size_t size)
{
    struct property property;
    bool found = false;

    while (!found && next_property(&list, &property)) {
        found =
            property.value && is_plain_secret(property.name, property.value);
        if (found)
            (void)snprintf(secret, size, "%s", property.name);
        free(property.name);
    }
    return found;
}

bool config_has_plain_secret(const char *name, const char *value, char *secret,
                             size_t size)
{
    const struct config_option *option = config_find(name);
    const char *property = config_property(name);

    if (option)
        return config_is_property_list(option) &&
               list_has_plain_secret(value, secret, size);
    (void)snprintf(secret, size, "%s", property ? property : "");
    return property && is_plain_secret(property, value);
}

/* The secret that a value means, to be released; *why: its file cannot be
 * used. */
static bool read_secret(const char *value, struct secret *secret,
                        const char **why)
{
    if (value[0] != '@' || value[1] == '@') {
        value += value[0] == '@';
        *secret =
            (struct secret){mem_copy(value, strlen(value)), strlen(value)};
        return true;
    }
    if (secret_file_read(value + 1, SECRET_MAX, secret, why) != OK)
        return false;
    while (secret->len > 0 && (secret->ptr[secret->len - 1] == '\n' ||
                               secret->ptr[secret->len - 1] == '\r'))
        secret->ptr[--secret->len] = '\0';
    *why = "its file is empty, or contains a NUL byte";
    return secret->len > 0 && !memchr(secret->ptr, '\0', secret->len);
}

/* ---- the list ---- */

static enum status append_property(struct config *config, const char *name,
                                   const char *value, char *error,
                                   size_t error_size)
{
    size_t used = strlen(config->kafka_options);
    size_t room = used + strlen(name) + strlen(value) + 3;

    if (name[0] == '\0' || strpbrk(name, "=;\n") || strchr(value, '\n')) {
        snprintf(error, error_size,
                 "kafka.%s: must be a property name with a value", name);
        return ERR_INVALID;
    }
    config->kafka_options = mem_resize(config->kafka_options, room, 1);
    snprintf(config->kafka_options + used, room - used, "%s=%s\n", name, value);
    return OK;
}

enum status config_add_property(struct config *config, const char *name,
                                const char *value, char *error,
                                size_t error_size)
{
    struct secret secret = {NULL, 0};
    const char *why = "";
    enum status status = ERR_INVALID;

    if (!is_secret(name))
        return append_property(config, name, value, error, error_size);
    if (read_secret(value, &secret, &why))
        status = append_property(config, name, secret.ptr, error, error_size);
    else
        snprintf(error, error_size, "kafka.%s: %s", name, why);
    secret_release(&secret);
    return status;
}

enum status config_set_properties(struct config *config, const char *list,
                                  char *error, size_t error_size)
{
    enum status status = OK;
    struct property property;

    config->kafka_options[0] = '\0';
    while (status == OK && next_property(&list, &property)) {
        if (property.value) {
            status = config_add_property(config, property.name, property.value,
                                         error, error_size);
        } else {
            snprintf(error, error_size,
                     "kafka-options: must be NAME=VALUE;NAME=VALUE...");
            status = ERR_INVALID;
        }
        free(property.name);
    }
    return status;
}
