/*
 * promql_eval - what the files of the evaluator share.
 *
 * A node pushes its series, one after another, to the node above. Who needs
 * them later copies them (promql_keep). Arrays have one element per step.
 */
#ifndef PROMQL_EVAL_H
#define PROMQL_EVAL_H

#include "map.h"
#include "promql_functions.h"
#include "promql_labels.h"

/* One evaluation of a query. */
struct promql_run {
    const struct promql_query *query;
    const struct promql_source *source;
    struct promql_time time; /* of the query: start() and end() */
    struct arena *arena;
    struct promql_error *error;
    const char **notes[2]; /* infos, warnings */
    uint32_t note_count[2];
    /* The values being pushed are in the arena for good, and so are their
     * histograms: promql_keep() needs no copy. */
    double *staying;
    const struct promql_histogram **staying_histograms;
    uint64_t work;      /* samples looked at */
    uint64_t unchecked; /* work since the source was asked whether to go on */
};

/* A run, at the steps of the query or of a subquery. */
struct promql_eval {
    struct promql_run *run;
    struct promql_steps steps;
    bool counts_only; /* below histogram_count() */
};

static inline bool promql_has(const struct promql_result_series *series,
                              uint32_t step)
{
    return (series->histograms && series->histograms[step]) ||
           !promql_is_absent(series->values[step]);
}

/* Is there a sample at any step? */
bool promql_any(const struct promql_eval *eval,
                const struct promql_result_series *series);

/* One value per step, not set; NULL: the arena is full. */
double *promql_new_values(struct promql_eval *eval);
/* All absent. */
double *promql_absent_values(struct promql_eval *eval);

/* Before work of about so many samples: whether to go on. */
enum status promql_spend(struct promql_eval *eval, uint64_t samples);

/* Nothing can be allocated any more; the status says why. */
enum status promql_full(const struct promql_eval *eval);

/* ---- the nodes ---- */

enum status promql_eval_selector(struct promql_eval *eval,
                                 const struct promql_node *node, bool times,
                                 promql_push *push, void *arg);
enum status promql_eval_sample(struct promql_eval *eval,
                               const struct promql_node *node,
                               promql_push *push, void *arg);
enum status promql_eval_range(struct promql_eval *eval,
                              const struct promql_node *node, promql_push *push,
                              void *arg);
enum status promql_eval_aggregate(struct promql_eval *eval,
                                  const struct promql_node *node,
                                  promql_push *push, void *arg);
enum status promql_eval_select(struct promql_eval *eval,
                               const struct promql_node *node,
                               promql_push *push, void *arg);
enum status promql_eval_limit(struct promql_eval *eval,
                              const struct promql_node *node, promql_push *push,
                              void *arg);
enum status promql_eval_binary(struct promql_eval *eval,
                               const struct promql_node *node,
                               promql_push *push, void *arg);
enum status promql_eval_match(struct promql_eval *eval,
                              const struct promql_node *node, promql_push *push,
                              void *arg);
enum status promql_eval_set(struct promql_eval *eval,
                            const struct promql_node *node, promql_push *push,
                            void *arg);

/* A `call` handler, for the table of functions. */
promql_call_function promql_absent_over_time;
/* The labels of absent(x) and absent_over_time(x[5m]): those that matchers of x
 * demand. */
struct promql_labels promql_absent_labels(struct arena *arena,
                                          const struct promql_node *node);

/* ---- selectors ---- */

/* The time that a selector or a subquery looks back from, at step i: first_ms +
 * i * step_ms; step_ms is 0 if `@` fixes it. */
struct promql_reference {
    int64_t first_ms, step_ms;
};
struct promql_reference promql_reference_of(const struct promql_eval *eval,
                                            const struct promql_shift *shift);

/* Reads a selector: what lies in (the first reference - back_ms, the last one].
 */
enum status promql_read(struct promql_eval *eval,
                        const struct promql_node *selector, int64_t back_ms,
                        const char *function, promql_visit *visit, void *arg);

/* The result of x[5m] or x[5m:1m] at an instant. */
enum status promql_eval_matrix(struct promql_eval *eval,
                               const struct promql_node *node,
                               struct promql_result *result);

/* A subquery's series as samples, to `visit`. */
enum status promql_eval_subquery(struct promql_eval *eval,
                                 const struct promql_node *node,
                                 promql_visit *visit, void *arg);

/* ---- series that are kept ---- */

struct promql_kept {
    struct promql_labels labels;
    double *values;
    const struct promql_histogram **histograms; /* NULL: floats only */
};
/* False: the arena is full. */
bool promql_keep(struct promql_eval *eval,
                 const struct promql_result_series *series,
                 struct promql_kept *kept);

/* Distinct label sets with a series each: series that have the same labels at
 * different steps become one. */
struct promql_merge {
    struct promql_eval *eval;
    struct promql_kept *at;
    uint32_t count, room;
    struct map index;
};
void promql_merge_init(struct promql_merge *merge, struct promql_eval *eval);
/* Two samples at one step: fails with this message. */
enum status promql_merge_add(struct promql_merge *merge,
                             const struct promql_result_series *series,
                             const char *message);
/* A new entry with that hash of its labels, which are not there yet. */
enum status promql_merge_new(struct promql_merge *merge,
                             const struct promql_result_series *series,
                             uint32_t hash, struct promql_kept **kept);
/* Pushes all, as they came. */
enum status promql_merge_push(struct promql_merge *merge, promql_push *push,
                              void *arg);
/* Pushes one that stays in the arena. */
enum status promql_push_kept(struct promql_eval *eval,
                             const struct promql_kept *kept, promql_push *push,
                             void *arg);
#define PROMQL_SAME_LABELS \
    "vector cannot contain metrics with the same labelset"

/* Label sets that were there, by hash. */
struct promql_seen {
    uint64_t *hashes;
    uint32_t count, room;
    struct map index;
};
/* Adds one; fails with PROMQL_SAME_LABELS if it was there. */
enum status promql_seen_add(struct promql_eval *eval, struct promql_seen *seen,
                            const struct promql_labels *labels);

/* A node whose series may differ in nothing but __name__: without the name,
 * they may have to be merged. */
bool promql_may_differ_by_name(const struct promql_node *node);

#endif
