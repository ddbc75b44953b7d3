/* capacity - what the files of this answer share. */
#ifndef CAPACITY_H
#define CAPACITY_H

#include "component.h"
#include "line_fit.h"

/* By the highest rate that was seen; a rate above it is called a guess. */
#define CAPACITY_GUESS 3.0

/* What is measured per cell of time, and what may break. */
enum capacity_kind {
    CAPACITY_CPU,
    CAPACITY_MEMORY,
    CAPACITY_LATENCY, /* p99 */
    CAPACITY_ERRORS,  /* ratio */
    CAPACITY_KINDS
};

struct capacity_cell {
    double hours;  /* since the first cell */
    double rate;   /* requests per second; NAN: not known */
    uint32_t pods; /* 0: not known */
    double values[CAPACITY_KINDS];
};

/* The cells of a component. Rates and usage are as if it had had as many pods
 * in each cell as it has now. */
struct capacity_cells {
    struct capacity_cell *at; /* with requests only */
    uint32_t count;
    double step_seconds;
    uint32_t pods;                 /* now; 0: not known */
    double limits[2], requests[2]; /* of CPU and memory of all pods; NAN */
    bool has_usage[2];
};

MUST_CHECK enum status capacity_read(struct query_request *request,
                                     const struct scope_filter *scope,
                                     uint64_t start_ns, uint64_t end_ns,
                                     struct capacity_cells *cells);

struct capacity_trend {
    struct estimate per_hour;
    double hours_to_limit; /* NAN: never, or no limit */
};

struct capacity_limit {
    const char *kind, *unit, *limit_source;
    double present, limit, request; /* NAN: not known */
    uint32_t cells, outliers;
    const struct estimate *idle, *per_request; /* NULL: not enough */
    struct estimate of_idle, of_request;
    double r2;
    const struct estimate *breaks; /* requests per second; NULL: it does not */
    struct estimate of_breaks;
    double headroom;      /* of the present rate; NAN */
    double extrapolation; /* of the highest rate seen; NAN */
    bool guess;           /* far beyond what was seen */
    const struct line_knee *knee;
    struct line_knee of_knee;
    const struct capacity_trend *trend; /* of memory; NULL: none */
    struct capacity_trend of_trend;
    const char *not_enough; /* NULL: there is enough */
};

struct capacity {
    struct capacity_cells cells;
    double present_rate, least_rate, most_rate;
    double objectives[CAPACITY_KINDS]; /* of latency and errors */
    const char *not_enough;            /* NULL: some limits can be told */
    struct capacity_limit limits[CAPACITY_KINDS];
    const struct capacity_limit *first; /* that breaks first; NULL: none */
};

/* capacity_fit.c: limits from cells. */
MUST_CHECK enum status capacity_fit(struct capacity *capacity,
                                    struct arena *arena);

#endif
