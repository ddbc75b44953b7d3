/*
 * api - what the files of the routes under /prometheus share.
 *
 *   api_params.c    parameters, with Prometheus' messages
 *   api_query.c     query, query_range
 *   api_lists.c     labels, label values, series, metadata, query_exemplars
 *   api_status.c    what there is none of here, and what is constant
 *   api_list.c      answers that are lists
 *   api_result.c    answers of queries
 *   api_histogram.c a native histogram in them
 *
 * Answers are written in pieces (query_request.h, `produce`): a small one is
 * one piece.
 */
#ifndef PROMETHEUS_API_H
#define PROMETHEUS_API_H

#include "prometheus_source.h"

enum {
    API_MAX_QUERY = 64 * 1024, /* bytes of a PromQL text */
    API_MAX_BODY = 256 * 1024,
    API_MAX_STEPS = 11000,
    API_MAX_SELECTORS = 256, /* match[] in a request */
};

/* ---- api_params.c ---- */

/* As it was sent; empty if it is absent. The first of several. */
struct slice api_param(const struct query_request *request, const char *name);
/* 400: invalid parameter "name": ... */
enum status api_invalid(struct query_request *request, const char *name,
                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* RFC 3339 or seconds since 1970. Years beyond what int64_t holds in
 * nanoseconds are the last one that it does. */
bool api_parse_time(struct slice text, int64_t *ms);
/* Seconds or a duration of Prometheus: 1h30m. NULL, or the end of a message:
 * "to a valid duration". */
const char *api_parse_duration(struct slice text, int64_t *ms);

/* All return request->failed. The value of an absent parameter stays. */
enum status api_time(struct query_request *request, const char *name,
                     int64_t *ms);
enum status api_duration(struct query_request *request, const char *name,
                         int64_t *ms);
enum status api_limit(struct query_request *request, const char *name,
                      uint32_t *limit);
/* start and end of query_range, and its step, which are all required. */
enum status api_range(struct query_request *request, struct promql_time *time);
/* Of a list: start, end (all time if absent), limit, match[]. */
enum status api_list_params(struct query_request *request,
                            struct prometheus_list *list);
/* Of the text in this parameter. */
enum status api_parse(struct query_request *request, const char *name,
                      struct slice text, const struct promql_query **query);
/* timeout: the reader ends by then. */
enum status api_timeout(struct query_request *request);

/* ---- api_list.c ---- */

#define API_CUT "results truncated due to limit"

struct api_list {
    const void *items;
    uint32_t count;
    void (*write)(struct jsonw *w, const void *items, uint32_t i);
    char open;           /* [ or { */
    const char *warning; /* NULL: none */
    uint32_t next;
    bool begun;
};

/* The list as `data`. Copied into the arena. */
enum status api_answer_list(struct query_request *request,
                            const struct api_list *list);

/* {"a":"b"} */
void api_write_labels(struct jsonw *w, const struct promql_labels *labels);
/* "NaN", "+Inf", "-Inf", or the shortest decimal; in quotes. */
void api_write_value(struct jsonw *w, double v);
/* Seconds with three decimals, or none. At most API_TIME bytes. */
enum { API_TIME = 26 };
size_t api_format_time(char text[API_TIME], int64_t ms);
void api_write_time(struct jsonw *w, int64_t ms);

/* ---- api_result.c ---- */

struct api_stats {
    bool wanted;
    uint64_t parsed_ns, evaluated_ns; /* durations */
    uint64_t samples;
};

enum status api_answer_result(struct query_request *request,
                              const struct promql_result *result,
                              const struct promql_time *time,
                              const struct api_stats *stats);

/* ---- api_histogram.c ---- */

void api_write_histogram(struct jsonw *w, const struct promql_histogram *h);

/* ---- handlers ---- */

route_handler api_query, api_query_range, api_labels, api_label_values,
    api_series, api_metadata, api_exemplars, api_constant, api_ready,
    api_healthy;

#endif
