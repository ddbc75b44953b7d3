/*
 * promql - PromQL: text in, series of floats and histograms out.
 *
 *   text ─► parse ─► check ─► evaluate, series by series ─► visit
 *                                 ▲
 *                          struct promql_source
 *
 * The evaluator pushes: each node of the tree hands one series after another
 * (labels, and one value per step) to the node above, so `sum by (x)
 * (rate(y[5m]))` never holds more than one raw series and the sums. What needs
 * all series at once (one side of a binary operation, topk, sort) collects
 * them in the arena, which is bounded.
 *
 * Semantics are those of Prometheus: https://prometheus.io/docs/prometheus/
 * latest/querying/: extrapolation, lookback of 5 m, staleness markers, NaN,
 * half-open windows (start, end].
 *
 * Purpose:   Parsing and evaluating PromQL over any source of series.
 * Ownership: All results are in the arena of the query. What a source hands to
 *            `visit` is valid during the call only.
 * Threads:   One at a time per query.
 * Errors:    A bad expression: ERR_INVALID, and promql_error says what is wrong
 *            where. A source's error and that of a full arena are returned as
 *            they are.
 */
#ifndef PROMQL_H
#define PROMQL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "arena.h"
#include "slice.h"
#include "status.h"

/* ---- labels ---- */

struct promql_label {
    struct slice name, value;
};

/* By name, in the order of bytes; names are there once, values not empty. The
 * name of the metric is __name__. */
struct promql_labels {
    const struct promql_label *at;
    uint32_t count;
};

/* Empty if there is none of this name. */
struct slice promql_label_value(const struct promql_labels *labels,
                                struct slice name);

uint64_t promql_labels_hash(const struct promql_labels *labels);
bool promql_labels_equal(const struct promql_labels *a,
                         const struct promql_labels *b);
/* By names and values, as Prometheus sorts series. */
int promql_labels_compare(const struct promql_labels *a,
                          const struct promql_labels *b);

/* An own copy, texts too; empty if the arena is full. */
struct promql_labels promql_labels_copy(struct arena *arena,
                                        const struct promql_labels *labels);

enum promql_match {
    PROMQL_EQUAL,
    PROMQL_NOT_EQUAL,
    PROMQL_REGEX,
    PROMQL_NOT_REGEX
};

struct promql_matcher {
    struct slice name, value;
    enum promql_match op;
    const struct regex *regex; /* of the last two: compiled, anchored */
};

/* A label that is absent has the empty value. */
bool promql_matches(const struct promql_matcher *matchers, uint32_t count,
                    const struct promql_labels *labels);

/* ---- samples ---- */

/* A native histogram: bucket i of a side counts values up to
 * 2^((offset + i + 1) / 2^schema). Counts are floats, as after rate(). */
struct promql_buckets {
    const double *counts;
    uint32_t count;
    int32_t offset;
};
struct promql_histogram {
    int32_t schema;
    double zero_threshold, zero_count, count, sum;
    struct promql_buckets positive, negative;
    /* schema PROMQL_CUSTOM_BUCKETS: positive.counts are those of the classic
     * bounds (bound_count + 1 of them, the last one up to +Inf). */
    const double *bounds;
    uint32_t bound_count;
};
enum { PROMQL_CUSTOM_BUCKETS = -53 };

/* Values with a meaning; as bits, since they are NaN: compare with
 * promql_is_stale() and promql_is_absent(), never with ==. */
#define PROMQL_STALE  UINT64_C(0x7ff0000000000002) /* a series ended here */
#define PROMQL_ABSENT UINT64_C(0x7ff8ca11b0a7d001) /* no value at this step */

static inline double promql_of_bits(uint64_t bits)
{
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

static inline uint64_t promql_bits_of(double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    return bits;
}

static inline double promql_stale(void)
{
    return promql_of_bits(PROMQL_STALE);
}

static inline bool promql_is_stale(double v)
{
    return promql_bits_of(v) == PROMQL_STALE;
}

static inline double promql_absent(void)
{
    return promql_of_bits(PROMQL_ABSENT);
}

static inline bool promql_is_absent(double v)
{
    return promql_bits_of(v) == PROMQL_ABSENT;
}

/* A series as it is stored, its samples by time, each time once. */
struct promql_series {
    struct promql_labels labels;
    const int64_t *times; /* milliseconds */
    const double *values;
    /* NULL: floats only. Else NULL where the sample is a float. */
    const struct promql_histogram *const *histograms;
    /* Samples before which the counter began again at 0, whatever the values
     * say, as bits; NULL: the values say. */
    const uint64_t *resets;
    uint32_t count;
};

/* What the evaluator needs of a selector: everything in (start, end], of
 * series that match. */
struct promql_select {
    const struct promql_matcher *matchers;
    uint32_t matcher_count;
    int64_t start_ms, end_ms;
    int64_t step_ms, range_ms; /* 0: instant query; no range: hints */
    const char *function;      /* that is applied to it, "" : a hint */
    bool counts_only;          /* of histograms only the count is of use */
};

typedef enum status promql_visit(void *arg, const struct promql_series *series);

struct promql_source {
    /* Hands over each series once, whole; ends with the first failure of
     * visit. */
    enum status (*select)(void *arg, const struct promql_select *select,
                          promql_visit *visit, void *visit_arg);
    /* Asked every few milliseconds of work: OK, or why to end (ERR_CANCELLED,
     * ERR_DEADLINE). NULL: never. */
    enum status (*check)(void *arg);
    void *arg;
};

/* ---- queries ---- */

struct promql_error {
    char text[512]; /* as Prometheus words it where it has words for it: "1:7:
                       parse error: unexpected ..." */
    bool execution; /* found while evaluating (422), not while parsing (400) */
};

enum promql_type { PROMQL_SCALAR, PROMQL_STRING, PROMQL_VECTOR, PROMQL_MATRIX };

/* "1h30m": whole numbers with units, from large to small. */
bool promql_duration(struct slice text, int64_t *ms, char error[160]);

struct promql_query; /* a parsed expression, in an arena */

MUST_CHECK enum status promql_parse(struct arena *arena, struct slice text,
                                    const struct promql_query **query,
                                    struct promql_error *error);

enum promql_type promql_type(const struct promql_query *query);

/* Whether it is one selector and nothing else, as match[] of a list is. */
bool promql_is_selector(const struct promql_query *query);

/* The matchers of each vector selector, in order of the text: what `series`,
 * `labels` (match[]) and query_exemplars want to know. */
typedef enum status promql_selector_visit(void *arg,
                                          const struct promql_matcher *matchers,
                                          uint32_t count);
MUST_CHECK enum status promql_selectors(const struct promql_query *query,
                                        promql_selector_visit *visit,
                                        void *arg);

struct promql_time {
    int64_t start_ms, end_ms; /* equal: an instant query */
    int64_t step_ms;          /* > 0 for a range query, 0 for an instant one */
    int64_t lookback_ms;      /* 0: 5 minutes */
};
static inline uint32_t promql_steps(const struct promql_time *time)
{
    return time->step_ms > 0
               ? (uint32_t)((time->end_ms - time->start_ms) / time->step_ms) + 1
               : 1;
}

/* One series of a result: an array of one value per step (promql_is_absent:
 * none), and its histograms. A scalar has no labels. */
struct promql_result_series {
    struct promql_labels labels;
    const double *values;
    const struct promql_histogram *const *histograms; /* NULL: floats only */
};

struct promql_result {
    enum promql_type type;
    struct slice string; /* PROMQL_STRING */
    /* PROMQL_MATRIX of an instant query (`x[5m]`): raw samples; else NULL. */
    const struct promql_series *samples;
    const struct promql_result_series *series;
    uint32_t count;
    const char *const *warnings, *const *infos; /* annotations */
    uint32_t warning_count, info_count;
};

/* The text must outlive the result. */
MUST_CHECK enum status promql_evaluate(const struct promql_query *query,
                                       const struct promql_time *time,
                                       const struct promql_source *source,
                                       struct arena *arena,
                                       struct promql_result *result,
                                       struct promql_error *error);

#endif
