/*
 * red_series - reads requests, errors and durations from the derived series
 * (derived.h), which count every request, a minute at a time.
 */
#ifndef RED_SERIES_H
#define RED_SERIES_H

#include "candidates.h"

/* A retraction has negative numbers. */
struct red_point {
    uint32_t component; /* that served the requests, or the caller of calls */
    uint32_t callee;    /* of calls: a candidate; NO_INDEX: they were served */
    struct slice operation;            /* that was served; the peer's name */
    double requests, errors;           /* either of them */
    double seconds;                    /* the sum over these requests */
    const struct histogram *durations; /* of these requests, not below 0 */
    uint64_t start_ns, end_ns;
};

typedef void red_visit(void *arg, const struct red_point *point);

/* Reads what was served, and calls if they are wanted, of all resources of the
 * candidates or fewer; peers that are met become candidates. A component is
 * NO_INDEX if the series hang on a resource of none. */
MUST_CHECK enum status red_series_read(struct reader *reader,
                                       struct candidates *candidates,
                                       const struct bitmap *resources,
                                       struct cause_window time, bool calls,
                                       red_visit *visit, void *arg);

#endif
