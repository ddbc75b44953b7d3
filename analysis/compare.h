/*
 * compare - what differs between two windows of a scope.
 *
 *   compare_read.c      the series of both windows, as groups of a component,
 *                       an operation, a callee ... with two sides
 *   compare_requests.c  rates, errors, latencies, calls
 *   compare_logs.c      log patterns
 *   compare_usage.c     CPU and memory
 *   compare_screen.c    of many components, those that differ most
 *   compare.c           the request, the order, the answer
 *
 * A difference is told if it is both significant (significance.h) and large
 * enough to matter. Its score orders the answer: the effect on users, less what
 * callees explain.
 */
#ifndef COMPARE_H
#define COMPARE_H

#include "changes.h"
#include "component.h"
#include "log_templates.h"
#include "red_expr.h"

enum side { BEFORE, NOW, SIDES };

enum {
    COMPARE_CELLS = 16,          /* of each window, to see how counts vary */
    COMPARE_MAX_COMPONENTS = 64, /* that are compared in detail */
};

/* One thing with its groups in both windows. */
struct pair {
    uint64_t key;
    const struct identity *identity;
    const struct identity *peer; /* a component that may be seen, or NULL */
    struct slice endpoint, operation, peer_name, peer_kind;
    struct metric_group *of[SIDES];
    struct figures figures[SIDES];
};
struct pair_list {
    struct metric_table tables[SIDES];
    struct pair *at;
    uint32_t count, room;
    struct map index;
};

struct comparison {
    struct query_request *request;
    struct scope_filter scope;
    const struct bitmap *resources;
    struct window window, base; /* `now` of each is its grid */
    struct grid cells[SIDES];
    struct red served, out, in;
    struct pair_list totals, operations, callees, callers;
    struct metric_expr counted, failed; /* of `counts`: requests, errors */
    struct pair_list counts;            /* of components, in cells */
    struct part_access logs, events;
    struct difference *at;
    uint32_t count, room;
    struct bitmap *logged_before; /* resources with log records in the base */
    bool logged_now;              /* there are log records in the window */
    uint32_t few;                 /* things with too few records to tell */
    uint32_t components;          /* that were compared */
    bool narrowed;                /* there are more */
    bool screening; /* components as a whole are read, not their parts */
};

struct operation_change {
    struct slice endpoint, operation;
    double from, to;
};

enum { DIFFERENCE_OPERATIONS = 5 };
struct difference {
    const char *kind, *metric, *direction;
    const struct identity *identity;
    struct slice endpoint, operation;
    struct slice peer, level, template_id, text;
    double from, to;     /* NAN: there was none */
    double limit;        /* of CPU and memory; NAN: none */
    double significance; /* z; positive: more than before */
    double score;
    double own; /* what callees do not explain of it, 0 to 1 */
    struct slice title;
    struct operation_change operations[DIFFERENCE_OPERATIONS];
    uint32_t operation_count;
    double counts[SIDES]; /* of requests or records that it is about */
    /* Of the answer. */
    struct reply_list listed;
};

/* NULL: the arena is full. */
struct difference *difference_add(struct comparison *c, const char *kind,
                                  const char *metric,
                                  const struct identity *identity);
/* Sets from, to, direction and significance. */
void difference_set(struct difference *d, double from, double to, double z);

/* All have answered with query_fail on failure. */
MUST_CHECK enum status compare_read(struct comparison *c);
MUST_CHECK enum status compare_requests(struct comparison *c);
MUST_CHECK enum status compare_logs(struct comparison *c);
MUST_CHECK enum status compare_usage(struct comparison *c);
/* Narrows the resources to COMPARE_MAX_COMPONENTS. */
MUST_CHECK enum status compare_screen(struct comparison *c);

/* For qsort(): the one that matters most first. */
int difference_order(const void *left, const void *right);

/* The difference of a component as a whole; NULL: there is none. */
struct difference *difference_of(struct comparison *c, const char *kind,
                                 const struct identity *identity);

/* The histogram of durations of a side; NULL: no requests. */
const struct hist *pair_durations(const struct pair *pair, enum side side);
/* By the key of the identity; NULL: none. */
struct pair *pair_find(const struct pair_list *list, uint64_t key);

#endif
