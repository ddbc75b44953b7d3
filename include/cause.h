/*
 * cause - which component is the likely cause of a fault, since when, and why.
 *
 * Purpose: a pure function from what the store holds to a ranking: no clock, no
 * random numbers, no names known beforehand. It compares a window with a
 * baseline; docs/root-cause.md says how. It reads at most CAUSE_MAX_SPANS spans
 * and as many log records of each period, as whole traces, and fewer where the
 * arena's cap is small; everything else comes from series of a point a minute.
 *
 * Ownership: the report and all that it refers to is in the caller's arena; the
 * reader, registry and catalogue of the query belong to the caller.
 * Threads: any, one at a time for a reader.
 * Errors: ERR_INVALID if the times are not in order; ERR_TOO_BIG or ERR_BUSY if
 * the arena is full; those of the reader.
 */
#ifndef CAUSE_H
#define CAUSE_H

#include "arena.h"
#include "catalog.h"
#include "registry.h"
#include "status.h"
#include "store.h"

enum {
    CAUSE_MAX_SPANS = 20000,
    CAUSE_MAX_EVIDENCE = 8, /* of one suspect */
    CAUSE_MAX_EXAMPLES = 3, /* traces of one piece of evidence */
    CAUSE_MAX_CORRELATIONS = 8,
    CAUSE_MAX_LISTED = 16,      /* suspects; callers of these are looked at */
    CAUSE_CHARTED_SUSPECTS = 5, /* suspects whose evidence has charts */
    CAUSE_CHARTS_PER_SUSPECT = 3,
    CAUSE_MAX_CHART_POINTS = 240,
    CAUSE_MAX_CHANGES = 16,
    CAUSE_MAX_IMPACT = 8,
    CAUSE_MAX_LOGS = 3,
    CAUSE_MAX_REMARKS = 5,
    CAUSE_MAX_INCIDENTS = 4,
    CAUSE_NEAR_WINDOWS = 3, /* others are listed from so many windows before */
};

struct cause_window {
    uint64_t start_ns, end_ns;
};

struct cause_query {
    struct scope_filter scope;
    const struct viewer *viewer; /* of what he may not see nothing is read */
    struct cause_window window, baseline;
    bool has_baseline; /* else it is chosen */
    struct registry *registry;
    struct catalog *catalog; /* declared dependencies are calls; or NULL */
    struct reader *reader;
};

enum evidence_kind {
    EVIDENCE_RESOURCE,  /* usage rose towards its limit */
    EVIDENCE_NETWORK,   /* calls wait outside of the span that answers them */
    EVIDENCE_BEHAVIOUR, /* inside requests something is new or gone */
    EVIDENCE_LATENCY,   /* own time */
    EVIDENCE_ERRORS,    /* requests fail, and not because of a callee */
    EVIDENCE_SILENCE,   /* called, but nothing arrives any more */
    EVIDENCE_AVAILABILITY, /* its pods do not run, or are not ready */
    EVIDENCE_METRIC,       /* a queue, a pool, a metric is far from usual */
    EVIDENCE_CHANGE,       /* a version, an image, an event just before */
    EVIDENCE_KINDS
};
const char *evidence_kind_name(enum evidence_kind kind);

/* What to do about a cause of this kind: the text before and after the name of
 * the component. */
struct evidence_advice {
    const char *before, *after;
};
struct evidence_advice evidence_kind_advice(enum evidence_kind kind);

/* A number in the baseline and in the window; of counts: k of n. */
struct cause_numbers {
    double before, after;
    double before_of, after_of; /* 0: not a count */
    const char *unit;
};

/* A number from the start of the baseline to the end of the window, a minute or
 * more apart; where nothing was measured there is no point. */
struct cause_chart_point {
    uint64_t time_ns;
    double value;
};
struct cause_chart {
    const char *title, *unit; /* NULL: there is no chart */
    struct cause_chart_point *points;
    uint32_t count;
};

struct timeseries;
struct duration_sample;

struct cause_evidence {
    uint8_t kind;      /* enum evidence_kind */
    const char *class; /* cpu, memory, disk, network, code, latency, errors,
                          change, ... */
    double score;      /* log-likelihood ratio */
    struct slice text; /* a sentence */
    struct slice operation, metric, template, line; /* or empty */
    uint32_t peer; /* number in report->components, or UINT32_MAX */
    struct cause_numbers numbers;
    double limit_share; /* of its limit a resource uses; 0: it is no usage */
    uint64_t onset_ns;  /* 0: not known */
    uint8_t traces[CAUSE_MAX_EXAMPLES][16];
    uint32_t trace_count;
    struct cause_chart chart;
    /* What the chart is made of: a metric, as base + scale * value, or
     * durations of one key; or NULL. */
    const struct timeseries *timeseries;
    double chart_base, chart_scale;
    bool is_anomaly; /* the metric is judged by its history, not a limit */
    const struct duration_sample *durations;
    uint64_t duration_key;
};

struct cause_suspect {
    uint32_t component; /* number in report->components */
    double score;
    uint64_t onset_ns;
    struct cause_evidence *evidence; /* strongest first */
    uint32_t evidence_count;
    uint32_t *affected, affected_count; /* callers with a symptom, nearest
                                           first */
    uint32_t explained_by; /* a callee: its number; or UINT32_MAX */
};

/* From the first suspect to where users come in, along the calls. */
struct cause_path_step {
    uint32_t component;
    struct slice symptom; /* or empty */
};

/* A version, an image or a warning of Kubernetes, of any component. */
struct cause_change {
    uint64_t time_ns;
    uint32_t component;
    bool is_warning;
    struct slice kind, text;
    struct slice reason; /* of an event of Kubernetes, or empty */
};

/* Warnings and errors that the first suspect logs more often than before. */
struct cause_log {
    uint64_t time_ns; /* of the first in the window */
    uint8_t level;
    struct slice text;
    uint32_t count, before; /* of log records read */
};

/* Impact on users: an operation with which they come in. Counts are of whole
 * minutes, since impact_from_ns. */
struct cause_impact {
    uint32_t component;
    struct slice operation;
    uint32_t
        through;     /* only requests that pass this component; or UINT32_MAX */
    bool is_sample;  /* only requests of the traces that were looked at */
    bool is_failing; /* more requests fail than before */
    uint64_t requests, failed;
    uint64_t requests_before, failed_before;
    uint64_t slow;          /* of these requests, above slow_limit_ns */
    uint64_t slow_limit_ns; /* 0: not slower than usual */
    uint32_t slow_looked_at, slow_of; /* what it follows from */
    uint32_t slow_before, slow_before_of;
    bool is_slow_estimate; /* by buckets of durations */
};

/* Another incident, which was over before the one of the answer. */
struct cause_incident {
    uint64_t start_ns, end_ns;
    uint32_t component;
    struct slice text;
};

/* Looked at, and not the cause. */
struct cause_excluded {
    uint32_t component;
    struct slice reason;
};

/* An attribute value that failing requests have more often than others. */
struct cause_correlation {
    struct slice key, value;
    double score;
    uint32_t failing, failing_of, others, others_of;
};

/* What is not about a cause, and should be known. */
struct cause_remark {
    uint64_t time_ns; /* since when */
    struct slice text;
};

enum candidate_kind {
    CANDIDATE_COMPONENT,
    CANDIDATE_DATABASE, /* these three are known from their callers only */
    CANDIDATE_QUEUE,
    CANDIDATE_EXTERNAL,
    CANDIDATE_KINDS
};
extern const char *const candidate_kind_names[CANDIDATE_KINDS];

struct cause_report {
    struct cause_window window, baseline;
    bool found;                        /* something stands out */
    double confidence;                 /* 0 to 1 */
    const struct identity *components; /* by names; then peers: a name only */
    const uint8_t *component_kinds;    /* enum candidate_kind of each */
    uint32_t component_count;
    struct cause_suspect *suspects; /* most likely first, score > 0 */
    uint32_t suspect_count;
    uint32_t listed_count; /* suspects, then components without evidence, most
                              requests first */
    struct slice cause, first_failure, impact; /* sentences */
    struct cause_path_step *path; /* of the first suspect, which is its first */
    uint32_t path_count;
    struct cause_change *changes; /* by time, newest last */
    uint32_t change_count;
    struct cause_log logs[CAUSE_MAX_LOGS];
    uint32_t log_count;
    struct cause_impact impacts[CAUSE_MAX_IMPACT]; /* worst first */
    uint32_t impact_count, impact_total;
    uint64_t impact_from_ns;
    uint32_t impact_at;      /* where users suffer most; or UINT32_MAX */
    bool impact_known;       /* what users see is measured */
    uint64_t judged_from_ns; /* evidence is counted from here on */
    struct cause_incident incidents[CAUSE_MAX_INCIDENTS]; /* by time */
    uint32_t incident_count;
    struct cause_remark remarks[CAUSE_MAX_REMARKS];
    uint32_t remark_count;
    struct cause_excluded *excluded;
    uint32_t excluded_count;
    struct cause_correlation
        *correlations; /* of the first suspect's requests */
    uint32_t correlation_count;
    bool slowest_compared; /* as none of these requests failed */
    uint64_t spans_read, logs_read, traces_before, traces_during;
};

MUST_CHECK enum status cause_find(const struct cause_query *query,
                                  struct arena *arena,
                                  struct cause_report **report);

#endif
