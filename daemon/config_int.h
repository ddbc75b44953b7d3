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

/* The option with this name, or NULL. */
const struct config_option *config_find(const char *name);

/* ---- config_tls.c ---- */

/* False: what is wrong is in `error`. */
bool config_check_tls(const struct config *config, char *error,
                      size_t error_size);

/* ---- config_kafka.c: properties of librdkafka ---- */

/* Of kafka.NAME, which is not in the table, the name of the property; also of
 * "kafka-ssl.ca.location", which a mapping in the file makes. Else NULL. */
const char *config_property(const char *name);
/* True for the option that is a list of properties. */
bool config_is_property_list(const struct config_option *option);

/* Adds a property; a value that is a secret may be @FILE. */
MUST_CHECK enum status config_add_property(struct config *config,
                                           const char *name, const char *value,
                                           char *error, size_t error_size);
/* A whole list, in place of what is set. */
MUST_CHECK enum status config_set_properties(struct config *config,
                                             const char *list, char *error,
                                             size_t error_size);

/* True if the value of this option contains a secret, and not the name of its
 * file; the name of the property, of at most size bytes. */
bool config_has_plain_secret(const char *name, const char *value, char *secret,
                             size_t size);

#endif
