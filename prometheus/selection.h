/*
 * selection - one walk over what is stored, for a selector or a list.
 *
 *   resources of equal labels ─► points ─► raw series ─► series of Prometheus
 *
 * Resources whose labels are equal (an old and a new instance) are read
 * together, one such group after another, so that a series is whole when it is
 * handed over and memory goes by the group. A series whose own labels replace
 * those of its resource may be the same as one of another group: such series
 * are read after all groups, as a group of their own.
 *
 * Threads: one at a time.
 */
#ifndef SELECTION_H
#define SELECTION_H

#include "map.h"
#include "prometheus_source.h"

/* ---- labels ---- */

enum { LABELS_MAX = ATTR_MAX_COUNT + 64 };

/* Sorted by name. What does not fit is left out. */
struct label_set {
    struct promql_label at[LABELS_MAX];
    uint32_t count;
};

enum label_rule { LABEL_REPLACE, LABEL_KEEP, LABEL_JOIN };

/* An empty value is no label. LABEL_JOIN puts "a;b" into the arena. True: there
 * was another value. */
bool labels_put(struct label_set *set, struct slice name, struct slice value,
                enum label_rule rule, struct arena *arena);
static inline struct promql_labels labels_of(const struct label_set *set)
{
    return (struct promql_labels){set->at, set->count};
}

/* Attributes as labels; names that become equal are joined. */
void labels_put_attrs(struct label_set *set, const struct attrs *attrs,
                      struct arena *arena);
/* What a resource gives to its series, as docs/grafana.md says. */
void labels_put_resource(struct label_set *set, const struct attrs *attrs,
                         const struct identity *identity, struct arena *arena);
void labels_put_identity(struct label_set *set,
                         const struct identity *identity);
/* target_info has the other attributes, too; false: it has none. */
bool labels_put_target(struct label_set *set, const struct attrs *attrs,
                       struct arena *arena);

/* ---- what a metric is to Prometheus ---- */

enum output_kind {
    OUT_VALUE,
    OUT_COUNT,
    OUT_SUM,
    OUT_BUCKETS,   /* classic: le */
    OUT_NATIVE,    /* exponential */
    OUT_CUSTOM,    /* native with the classic bounds */
    OUT_QUANTILES, /* of summaries */
    OUT_ERRORS,    /* of derived series: the second and third list */
    OUT_CLIENT_ERRORS,
    OUT_PRESENT, /* target_info: 1 in each minute with points */
};
struct view_output {
    enum output_kind kind;
    struct slice name;
};

enum { MAX_OUTPUTS = 10 };

/* Those outputs that the matchers of the name let pass. */
struct metric_view {
    uint8_t type; /* enum metric_type */
    bool delta, derived;
    bool counts; /* only the counts of its histograms are of use */
    struct slice base;
    struct view_output outputs[MAX_OUTPUTS];
    uint32_t output_count;
};

/* ---- raw series ---- */

struct sample {
    int64_t time_ms;
    union {
        int64_t start_ms; /* cumulative: of the counter */
        int64_t sign;     /* delta: 1, or -1 of a retraction */
    };
    union {
        double value;
        const struct histogram *histogram; /* NULL: stale */
    };
};

struct sample_list {
    struct sample *at;
    uint32_t count, room;
    bool unordered;
};

enum { LIST_MAIN, LIST_ERRORS, LIST_CLIENT_ERRORS, LISTS };

struct raw {
    uint64_t hash;
    const struct metric_view *view;
    struct promql_labels labels; /* without the name */
    struct sample_list lists[LISTS];
    int64_t limit_ms; /* nothing is known later */
};

struct raw_table {
    struct arena *arena;
    struct raw **at;
    uint32_t count, room;
    struct map index;
};

struct raw *raw_find(struct raw_table *table, const struct metric_view *view,
                     const struct promql_labels *labels);
void raw_add(struct raw *raw, struct arena *arena, int list,
             const struct point *point, int sign);
/* Those of a view of counts; so many chunks of the series are likely to come.
 */
void raw_add_counts(struct raw *raw, struct arena *arena, int list,
                    const struct series_counts *counts, int sign,
                    uint32_t chunks);
/* By time, of equal times the last one; deltas of equal times all stay. False:
 * the arena is full. */
bool sample_list_order(struct sample_list *list, bool delta,
                       struct arena *arena);

/* ---- delta to counters ---- */

/* The times of the samples of a counter that is made of deltas; see
 * docs/grafana.md. */
struct steps {
    int64_t *times;
    uint64_t *begins; /* bits: it begins again before the sample */
    uint32_t count, room;
};
/* False: the arena is full. */
bool steps_make(struct steps *steps, const struct raw *raw,
                struct arena *arena);
static inline bool steps_begin(const struct steps *steps, uint32_t i)
{
    return steps->begins[i / 64] >> (i & 63) & 1;
}
/* The full hour from which deltas are read. */
int64_t steps_read_from(int64_t start_ms);

/* ---- the walk ---- */

struct target {
    struct raw *raw;
    int list, sign;
};
enum { MAX_TARGETS = 4 };
/* A series as it is stored, looked up once per group. */
struct known_series {
    uint64_t key;
    struct target targets[MAX_TARGETS];
    uint32_t count;
};

/* A metric as it is sent, looked up once per selection. */
struct sent_view {
    uint64_t key;
    const struct metric_view *view; /* NULL: not wanted */
};

/* The metrics of derived.h. */
enum derived_side { SIDE_REQUESTS, SIDE_OUT, SIDE_IN, SIDE_LOGS, SIDE_RECORDS };
struct derived_metric {
    struct slice name;
    enum derived_side side;
    int list, sign;
};
enum derived_view {
    VIEW_REQUESTS,
    VIEW_OUT,
    VIEW_IN,
    VIEW_LOGS,
    VIEW_RECORDS,
    VIEW_GRAPH_CLIENT,  /* of calls out */
    VIEW_GRAPH_SERVER,  /* of calls in */
    VIEW_GRAPH_OUTSIDE, /* of calls in whose caller has no series of its own */
    DERIVED_VIEWS
};

struct selection;
typedef void exemplar_visit(struct selection *s, const struct raw *raw,
                            const struct point *point);

struct selection {
    struct prometheus_source *source;
    const struct promql_matcher *matchers;
    uint32_t matcher_count;
    int64_t start_ms, end_ms; /* (start, end] */
    bool heads;               /* labels only: series without samples */
    bool counts_only;
    promql_visit *visit;
    void *visit_arg;
    /* Instead of samples: each point that has exemplars. NULL: not. */
    exemplar_visit *exemplars;

    enum status status;
    struct slice name; /* of a matcher `=` of the name, or empty */
    bool derived;      /* this pass is over derived series */
    struct arena plan, group, scratch; /* plan: of one pass */
    bool full;                         /* plan was */
    struct raw_table raws;             /* of the group */
    /* Series whose own labels replace those of their resource come last, of all
     * groups together. */
    bool late_pass;
    bool saw_late; /* the group has some that match */
    /* A group that is too large for the memory is read in parts, by the hash of
     * the labels. */
    uint32_t parts, part;
    struct known_series *known; /* of the group */
    uint32_t known_count, known_room;
    struct map known_index;
    const struct known_series *current;
    uint64_t metric_key; /* of the metric being read */
    const struct metric_view *sent;
    const struct derived_metric *metric;

    /* The resource being read. */
    uint32_t resource_id;
    struct attrs resource_attrs;
    int64_t limit_ms;
    struct label_set resource;       /* its labels */
    struct label_set labels, output; /* being made */

    struct metric_view derived_views[DERIVED_VIEWS], target_view;
    struct sent_view *views;
    uint32_t view_count, view_room;
    uint64_t *pushed; /* hashes of labels */
    uint32_t pushed_count, pushed_room;
    struct map views_index, pushed_index;
};

/* selection.c */
enum status selection_run(struct selection *s);
/* The raw series with the labels in s->labels; NULL: they do not match, or the
 * arena is full. */
struct raw *selection_raw(struct selection *s, const struct metric_view *view);
/* The labels in s->labels match, but for those that outputs add. */
bool selection_matches(const struct selection *s);

/* selection_scope.c: NULL: the arena is full. */
struct bitmap *selection_resources(struct selection *s);

/* ---- selection_sent.c ---- */

/* Adds an output if its name is wanted. */
void view_add(struct selection *s, struct metric_view *view,
              enum output_kind kind, struct slice base, const char *suffix);
void view_finish(const struct selection *s, struct metric_view *view);
bool sent_wants_metric(void *selection, const struct metric *metric);
void sent_targets(struct selection *s, const struct point *head,
                  struct known_series *known);

/* ---- selection_derived.c ---- */

/* False: none of these series is wanted. */
bool derived_prepare(struct selection *s, struct series_query *query);
/* None of the views needs more of histograms than their counts. */
bool derived_counts_only(const struct selection *s);
bool derived_wants_metric(void *selection, const struct metric *metric);
void derived_targets(struct selection *s, const struct point *head,
                     struct known_series *known);
/* A derived series can have this name. */
bool derived_has_name(struct slice name);

/* push_series.c: the series that a raw one becomes. */
void series_push(struct selection *s, struct raw *raw);

#endif
