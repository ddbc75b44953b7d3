/*
 * cause - which component is likely to blame, since when, why.
 *
 * A pure function from what the store holds to a ranking: no clock, no random
 * numbers, no names it knows beforehand. It compares a window with a baseline;
 * docs/root-cause.md tells how.
 *
 * Bounds   reads at most CAUSE_MAX_SPANS spans and as many log records of
 *          either time, by a sample of whole traces, and fewer where the
 *          arena's cap is small; everything else comes from series of a point
 *          a minute. All memory is from the arena.
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
    CAUSE_MAX_LISTED = 16,        /* suspects of whom victims are looked for */
    CAUSE_CHARTED_SUSPECTS = 5,   /* suspects whose evidence is drawn, */
    CAUSE_CHARTS_PER_SUSPECT = 3, /* so many of each, */
    CAUSE_MAX_CHART_POINTS = 240, /* with so many points */
    CAUSE_MAX_CHANGES = 16,
    CAUSE_MAX_IMPACT = 8,
    CAUSE_MAX_LOGS = 3,
};

struct cause_window {
    uint64_t start_ns, end_ns;
};

struct cause_question {
    struct scope_filter scope;
    struct cause_window window, baseline;
    bool has_baseline; /* else it is chosen and written there */
    struct registry *registry;
    struct catalog *catalog; /* declared dependencies are calls; or NULL */
    struct reader *reader;
};

enum evidence_kind {
    EVIDENCE_RESOURCE,  /* usage rose towards its limit */
    EVIDENCE_NETWORK,   /* calls wait outside of the span that answers them */
    EVIDENCE_BEHAVIOUR, /* inside requests something is new or gone */
    EVIDENCE_LATENCY,   /* time of its own */
    EVIDENCE_ERRORS,    /* requests fail, and not because of a callee */
    EVIDENCE_SILENCE,   /* nothing arrives any more although it is called */
    EVIDENCE_METRIC,    /* a queue, a pool, what it counts is far from usual */
    EVIDENCE_CHANGE,    /* a version, an image, an event just before */
    EVIDENCE_KINDS
};
extern const char *const evidence_kind_names[EVIDENCE_KINDS];

/* A number before and after; of counts: k of n. */
struct cause_numbers {
    double before, after;
    double before_of, after_of; /* 0: not a count */
    const char *unit;
};

/* A number over the time from the baseline to the window, a minute or more
 * apart; where nothing was there is no point. */
struct cause_chart_point {
    uint64_t time_ns;
    double value;
};
struct cause_chart {
    const char *shows, *unit; /* NULL: not drawn */
    struct cause_chart_point *points;
    uint32_t count;
};

struct timeseries;

struct cause_evidence {
    uint8_t kind;
    const char *class; /* cpu, memory, disk, network, code, latency, errors,
                          change, ... */
    double nats;
    struct slice text;                   /* a sentence */
    struct slice operation;              /* or empty */
    struct slice metric, template, line; /* or empty */
    uint32_t peer; /* number in report->components, or UINT32_MAX */
    struct cause_numbers numbers;
    uint64_t onset_ns; /* 0: not known */
    uint8_t traces[CAUSE_MAX_EXAMPLES][16];
    uint32_t trace_count;
    struct cause_chart series;
    const struct timeseries
        *meter;         /* of the finders: the metric that was judged, */
    double base, scale; /* shown as base + scale * value; or NULL */
    bool drift; /* the metric is judged against its own history, not a limit */
};

struct cause_suspect {
    uint32_t component; /* number in report->components */
    double score, raw;
    uint64_t onset_ns;
    struct cause_evidence *evidence; /* strongest first */
    uint32_t evidence_count;
    uint32_t *victims, victim_count; /* callers that show something, nearest
                                        first */
    uint32_t because; /* a callee explains it: its number, or UINT32_MAX */
};

/* From the first suspect to where users come in, along the calls. */
struct cause_path_step {
    uint32_t component;
    struct slice shows; /* empty: nothing */
};

/* A version, an image or a warning of Kubernetes, of any component. */
struct cause_change {
    uint64_t time_ns;
    uint32_t component;
    struct slice kind, text;
};

/* Warnings and errors that the first suspect logs more often than before. */
struct cause_log {
    uint64_t time_ns; /* of the first in the window */
    uint8_t level;
    struct slice text;
    uint32_t count, before; /* of lines read */
};

/* What users see of it: an operation of a component that nobody calls. */
struct cause_impact {
    uint32_t component;
    struct slice operation;
    uint64_t requests, failed; /* since it began */
    uint64_t requests_before, failed_before;
    uint64_t slow;     /* of these requests, beyond limit_ns */
    uint64_t limit_ns; /* 0: not slower than usual */
};

struct cause_excluded {
    uint32_t component;
    struct slice why;
};

/* An attribute value that failing requests have more often than others. */
struct cause_correlation {
    struct slice key, value;
    double nats;
    uint32_t failing, failing_of, others, others_of;
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
    const uint8_t *parties;            /* enum candidate_kind of each */
    uint32_t component_count;
    struct cause_suspect *suspects; /* most likely first, score > 0 */
    uint32_t suspect_count;
    uint32_t listed_count; /* with those behind them that show nothing: who
                              serves most is the likeliest */
    struct slice cause, first_failure, impact; /* sentences */
    struct cause_path_step *path; /* of the first suspect, which is its first */
    uint32_t path_count;
    struct cause_change *changes; /* by time, newest last */
    uint32_t change_count;
    struct cause_log lines[CAUSE_MAX_LOGS];
    uint32_t line_count;
    struct cause_impact impacts[CAUSE_MAX_IMPACT]; /* worst first */
    uint32_t impact_count;
    struct cause_excluded *excluded; /* looked at, and not the cause */
    uint32_t excluded_count;
    struct cause_correlation *special; /* of the first suspect's requests */
    uint32_t special_count;
    bool special_slow; /* the slowest are meant, as none failed */
    uint64_t spans_read, logs_read, traces_before, traces_during;
};

/* ERR_INVALID if the times are not in order. What the report refers to is in
 * the arena. */
MUST_CHECK enum status cause_find(const struct cause_question *question,
                                  struct arena *arena,
                                  struct cause_report **report);

#endif
