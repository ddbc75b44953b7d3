/*
 * prometheus_source - what is stored, as series of Prometheus.
 *
 * Names and labels are those that Prometheus 3 gives to OTLP metrics; derived
 * series are callboard_...; docs/grafana.md ("Series") has the rules. Only what
 * the viewer of the request may see is there: series, names and values of
 * labels, metadata, exemplars.
 *
 *   struct prometheus_source source;
 *
 *   prometheus_source_init(&source, request);
 *   promql_evaluate(query, &time, &source.promql, ...)
 *   on failure: source.error, if it is not empty, is the message
 *
 * Threads: one at a time; the request's.
 * Ownership: results are in the arena of the request; what is handed to a
 *   visit is valid during the call.
 * Errors: those of the store; ERR_TOO_BIG with source.error when a query would
 *   load too many samples (422 in Prometheus).
 */
#ifndef PROMETHEUS_SOURCE_H
#define PROMETHEUS_SOURCE_H

#include "promql.h"
#include "query_request.h"

enum { PROMETHEUS_MAX_SAMPLES = 50 * 1000 * 1000 };

struct prometheus_source {
    struct query_request *request;
    struct promql_source promql;             /* for promql_evaluate() */
    uint64_t samples;                        /* handed over so far */
    const struct component_info *components; /* NULL: not looked up yet */
    uint32_t component_count;
    char error[160];
};

void prometheus_source_init(struct prometheus_source *source,
                            struct query_request *request);

/* One selector: all of its matchers must hold. */
struct prometheus_selector {
    const struct promql_matcher *matchers;
    uint32_t count;
};

/* What a list is about: series that match any of the selectors (count 0: all)
 * and have samples in the time, both ends inclusive. */
struct prometheus_list {
    const struct prometheus_selector *selectors;
    uint32_t count;
    int64_t start_ms, end_ms;
    uint32_t limit; /* of results; 0: none but the memory */
    bool cut;       /* out: there were more */
};

/* Distinct sets of labels, by their order. */
MUST_CHECK enum status prometheus_series(struct prometheus_source *source,
                                         struct prometheus_list *list,
                                         const struct promql_labels **series,
                                         uint32_t *count);

/* Sorted. */
MUST_CHECK enum status prometheus_label_names(struct prometheus_source *source,
                                              struct prometheus_list *list,
                                              const struct slice **names,
                                              uint32_t *count);
MUST_CHECK enum status prometheus_label_values(struct prometheus_source *source,
                                               struct prometheus_list *list,
                                               struct slice name,
                                               const struct slice **values,
                                               uint32_t *count);

/* By name. Names are those of families: without _bucket, _sum, _count. */
struct prometheus_metadata {
    struct slice name;
    const char *type; /* "counter", "gauge", "histogram", "summary" */
    struct slice help, unit;
};
/* metric empty: all. Of what was sent in the last day. */
MUST_CHECK enum status prometheus_metadata(
    struct prometheus_source *source, struct slice metric, uint32_t limit,
    const struct prometheus_metadata **metadata, uint32_t *count);

/* Of one series, by time. */
struct prometheus_exemplar {
    struct promql_labels labels; /* trace_id, span_id, its attributes */
    double value;
    int64_t time_ms;
};
struct prometheus_exemplars {
    struct promql_labels series;
    const struct prometheus_exemplar *at;
    uint32_t count;
};
MUST_CHECK enum status prometheus_exemplars(
    struct prometheus_source *source, struct prometheus_list *list,
    const struct prometheus_exemplars **series, uint32_t *count);

#endif
