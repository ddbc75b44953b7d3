/*
 * grafana_red - requests of a scope on a grid, by what people group them by.
 *
 *   red_read() ─► parts (derived series, metrics of SDKs) ─► groups by names
 *
 * Purpose:   one way from a query to groups of requests, for each family that
 *            shows them.
 * Ownership: all is in the request's arena; the struct must not move.
 * Threads:   one request, one thread.
 * Errors:    answered with query_refuse() or query_fail().
 */
#ifndef GRAFANA_RED_H
#define GRAFANA_RED_H

#include "grafana_query.h"
#include "red_expr.h"

enum red_by {
    BY_NAMESPACE,
    BY_PROJECT,
    BY_ENVIRONMENT,
    BY_COMPONENT, /* up to here names of an identity */
    BY_ENDPOINT,
    BY_OPERATION,
    BY_KIND,
    BY_CALLER,
    BY_CALLEE,
    BY_COUNT
};
extern const char *const red_by_names[BY_COUNT];

/* Of a group. */
struct red_names {
    struct slice name[BY_COUNT];
    struct identity identity; /* of any of its resources */
};

/* From one source. The points of each resource (and endpoint ...) are summed in
 * the groups of those that have the same names. */
struct red_part {
    struct red red;
    struct metric_table table, grouped; /* item: struct red_names */
    struct grafana_red *owner;
};

struct red_series {
    struct red_part *part;
    struct metric_group *group; /* good once it is open */
    uint64_t key;
    const struct red_names *names;
    double total; /* requests in the range */
    struct slice title;
};

struct grafana_red {
    struct grafana_query *q;
    enum red_source source; /* SERVED, IN or OUT */
    uint32_t by;            /* bits 1 << enum red_by */
    bool buckets;           /* durations, not counts alone */
    struct grid grid;
    struct red_part derived, sdk;
    const struct bitmap *without; /* components without derived series */
    struct red_series *series;    /* the largest first */
    uint32_t count, left_out;
    /* Where all groups at once would need too much memory: those from
     * open_first to open_end are in the arena, read after their rank. */
    bool ranked;
    const uint64_t *keys; /* of the identities' names, by resource */
    uint32_t open_first, open_end;
    struct arena open;
};

/* Reads direction, by and limit of the payload, and the series. */
MUST_CHECK enum status red_read(struct grafana_red *r, struct grafana_query *q,
                                bool buckets);

/* The values of a series, until the next one is opened; in order, or it takes
 * longer. red_close() at the end. */
MUST_CHECK enum status red_open(struct grafana_red *r, uint32_t i);
void red_close(struct grafana_red *r);

/* ---- what grafana_red.c and grafana_red_open.c share ---- */

/* Of a part that is read again, with groups in this arena. */
void red_part_init(struct grafana_red *r, struct red_part *part,
                   struct arena *arena, const struct grid *grid, bool buckets);
/* Of the first `count` names, those that are asked for. */
uint64_t red_key(const struct grafana_red *r, const struct slice names[],
                 int count);
/* Would so many groups on the whole grid fit into memory together? */
bool red_fits_at_once(const struct grafana_red *r, uint32_t groups);

/* Distinct titles, as short as can be; empty if there is one group that has no
 * name. */
void red_titles(struct grafana_red *r);

#endif
