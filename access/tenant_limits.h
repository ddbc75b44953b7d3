/*
 * tenant_limits - the file of --limits: what is set for all namespaces and for
 * each.
 *
 *     defaults: {recordsPerSecond: 20000, bytesPerDay: 50GiB}
 *     namespaces:
 *       acme: {recordsPerSecond: 100000}
 *
 * 0 means no limit. An unknown member, a member twice or a value that
 * is no number is an error: a limit that is not what somebody meant is worse
 * than the one before.
 */
#ifndef TENANT_LIMITS_H
#define TENANT_LIMITS_H

#include "map.h"
#include "tenants.h"

enum { LIMITS_MAX_BYTES = 1 << 20 };

struct limit_values {
    uint32_t set; /* a bit for each enum tenant_limit */
    uint64_t value[LIMIT_COUNT];
};

struct limits_row {
    char *name; /* owned */
    struct limit_values values;
};

/* All zero: nothing is set. */
struct limits {
    struct limit_values defaults;
    struct limits_row *rows;
    uint32_t count, room;
    struct map by_name;
};

/* ERR_INVALID: error says where and why, and *limits is empty. */
MUST_CHECK enum status limits_parse(struct slice text, struct limits *limits,
                                    char *error, size_t size);
void limits_release(struct limits *limits);

/* What holds for a namespace; has_defaults: the defaults do, too. */
struct limit_values limits_of(const struct limits *limits,
                              struct slice namespace, bool has_defaults);

#endif
