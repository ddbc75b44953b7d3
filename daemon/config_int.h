/*
 * config_int - the option table as data, for the files that walk it.
 */
#ifndef CONFIG_INT_H
#define CONFIG_INT_H

#include "config.h"

enum option_type { OPTION_TEXT, OPTION_BYTES, OPTION_DURATION, OPTION_COUNT };

struct config_option {
    enum option_type type;
    size_t offset; /* in struct config */
    const char *name, *value;
    uint64_t least, most; /* both 0: any */
    const char *text;
};

extern const struct config_option config_options[];
extern const size_t config_option_count;

/* True for kafka.NAME, which is none of the table: a property that is passed
 * on to librdkafka. */
bool config_is_property(const char *name);

/* The option with this name, or NULL. */
const struct config_option *config_find(const char *name);

/* config_secret.c: whether a property of librdkafka holds a secret; whether
 * this value of it is one, and not the name of a file; the secret that a value
 * means, to be freed, or NULL if its file cannot be read or is empty. */
bool config_is_secret(const char *property);
bool config_is_plain_secret(const char *property, const char *value);
char *config_read_secret(const char *value);

/* The secret that this option would show to all who can read the command line:
 * its name, of at most size bytes, or false. */
bool config_shows_secret(const char *name, const char *value, char *secret,
                         size_t size);

#endif
