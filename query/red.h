/*
 * red - rate, errors and duration of requests on a grid of steps.
 */
#ifndef RED_H
#define RED_H

#include "grid.h"
#include "hist.h"
#include "query_request.h"

struct red {
    struct grid grid;
    struct grid_row requests, errors, client_errors; /* amounts per cell */
    struct hist *hists;                              /* one per cell */
    bool any;
};

/* False if the arena is full. */
bool red_init(struct red *red, const struct grid *grid, struct arena *arena);

/* A point of DERIVED_DURATION, DERIVED_ERRORS or DERIVED_CLIENT_ERRORS, or of
 * an edge's series; others do nothing. False if the arena is full. */
bool red_add(struct red *red, struct arena *arena, const struct point *point);

/*
 * Requests served by the resources (kind "server"), from the derived series;
 * where there are none, from the HTTP metrics of SDKs, or from those of
 * Hubble. Has answered with query_fail on failure.
 */
MUST_CHECK enum status red_query(struct query_request *request,
                                 const struct bitmap *resources,
                                 const struct grid *grid, struct red *red);

/* What charts show: per second, and seconds. */
enum red_row {
    RED_REQUESTS,
    RED_SUCCESSFUL,
    RED_UNSUCCESSFUL, /* errors and client errors */
    RED_MEAN,
    RED_P50,
    RED_P90,
    RED_P99,
    RED_ROWS
};
/* OpenChoreo's names: requestCount, ... */
extern const char *const red_names[RED_ROWS];

/* Steps without requests between the first and the last with some are known
 * to be zero. False if the arena is full. */
bool red_rows(struct red *red, struct arena *arena,
              struct grid_row rows[RED_ROWS]);

#endif
