/*
 * red_expr - rate, errors and duration of requests, as expressions.
 *
 * A struct red is a tree with pointers into itself, so it is not moved after
 * red_init(). A table of its leaves (red_table_init()) evaluates any of its
 * expressions.
 *
 * Purpose: the expressions that every view of requests is made of.
 * Ownership: expressions are the handler's, tables the request's arena's.
 * Threads: one request, one thread.
 * Errors: what is wrong is answered with query_fail.
 */
#ifndef RED_EXPR_H
#define RED_EXPR_H

#include "metric_expr.h"
#include "query_request.h"

/* Fewer requests are none: shares of minutes have rounding errors. */
#define RED_NONE 1e-6

enum red_source {
    RED_SERVED, /* derived series (derived.h): requests served */
    RED_OUT,    /* calls, as the caller saw them */
    RED_IN,     /* calls, as the callee saw them */
    RED_SDK     /* HTTP and RPC metrics of SDKs, meshes and proxies */
};

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
/* Attributes of calls, for tables of RED_OUT and RED_IN. */
enum {
    CALL_ENDPOINT,
    CALL_PEER_KIND,
    CALL_PEER_ID,
    CALL_PEER_ENDPOINT,
    CALL_PEER_NAME,
    CALL_PEER_SYSTEM,
    CALL_PEER_HOST,
    CALL_PROTOCOL,
    CALL_LABELS
};
extern const char *const red_call_labels[CALL_LABELS + 1];

struct red {
    struct metric_expr latency, errors, client_errors, counted; /* leaves */
    const struct metric_expr *requests;
    struct metric_expr unsuccessful, unsuccessful_or_zero, successful;
    struct metric_expr error_rate, client_error_rate;
    struct metric_expr rows[RED_ROWS];
};

void red_init(struct red *red, enum red_source source);

/* A table of these leaves. */
void red_table_init(struct metric_table *table, struct arena *arena,
                    const struct grid *grid, const char *const *by,
                    const struct red *red);

/*
 * Requests served by the resources (kind "server") on a grid: from the derived
 * series; where there are none, from the metrics of SDKs, meshes and proxies.
 * Has answered with query_fail on failure.
 */
MUST_CHECK enum status red_query(struct query_request *request,
                                 const struct bitmap *resources,
                                 const struct grid *grid, struct red *red,
                                 struct metric_table *table);

/* For read_metrics(): an SDK and a mesh report the same requests of a
 * component. */
uint64_t red_component(void *request, uint32_t resource_id);

/* From the metrics of SDKs, meshes and proxies alone. */
MUST_CHECK enum status red_query_sdk(struct query_request *request,
                                     const struct bitmap *resources,
                                     const struct grid *grid, struct red *red,
                                     struct metric_table *table);

#endif
