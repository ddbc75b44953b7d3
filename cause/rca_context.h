/*
 * facts - what one question looks at, read from the store once.
 */
#ifndef FACTS_H
#define FACTS_H

#include "array.h"
#include "cause.h"
#include "map.h"

enum rca_period { BEFORE, DURING, HALVES };

/* A window may begin before the fault does: it is judged whole, without its
 * first third and without its first two thirds. */
enum { CAUSE_TRIES = 3 };
enum { MAX_PEERS = 256 }; /* databases, queues, hosts */

#define NOBODY UINT32_MAX

/* ---- names: texts that are compared as numbers ---- */

struct interned_term {
    uint64_t hash;
    struct slice text, line; /* for people; a line as it was written */
    bool bad;                /* the name of an error */
};

struct interned_terms {
    struct arena *arena;
    struct interned_term *at;
    uint32_t count, room;
    struct map index; /* by hash */
};

bool terms_init(struct interned_terms *terms, struct arena *arena);
/* The number of a name; its text and line are copied when it is new. NOBODY:
 * the arena is full. */
uint32_t terms_add(struct interned_terms *terms, uint64_t hash,
                   struct slice text, struct slice line, bool bad);

/* NOBODY if it is not there. */
uint32_t terms_find(const struct interned_terms *terms, uint64_t hash);

/* ---- one request of a trace ---- */

struct rca_span { /* a span */
    uint64_t trace[2], id, up_id;
    uint64_t start_ns, end_ns;
    uint32_t tree;      /* number of its trace */
    uint32_t component; /* or NOBODY */
    uint32_t name;
    uint32_t up;        /* its parent's number, or NOBODY */
    uint32_t owner;     /* the span that its component was asked with */
    uint32_t kid, next; /* first child, next child of the same parent */
    uint8_t kind;
    bool failed;
};

struct rca_log { /* a log record */
    uint64_t time_ns;
    uint64_t trace[2], id;
    uint32_t part, event;
    uint8_t level;
};

struct rca_trace {         /* a trace */
    uint32_t first, count; /* parts */
    uint64_t start_ns, end_ns;
};

struct trace_sample {
    struct rca_span *parts;
    struct rca_log *lines;
    struct rca_trace *trees;
    uint32_t part_count, part_room, line_count, line_room, tree_count;
    uint32_t *index, index_mask; /* parts by trace and id */
};

/* ---- a metric of a component ---- */

struct timeseries_point { /* by time */
    uint64_t time_ns;     /* the middle of what it tells of */
    double value;
    double of; /* of a share: of so many */
};

struct timeseries {
    uint32_t component, resource; /* resource: which pod */
    struct slice name, unit;
    uint64_t labels;
    uint8_t meaning; /* timeseries.h */
    bool falls;      /* less of it is worse */
    bool is_share;   /* of failed requests */
    double whole;    /* it is what is missing to so much, 1 or 100; or 0 */
    bool limited;    /* what it tells of has a limit, too */
    const struct limit_metric *source; /* of evidence_limit.c, or NULL */
    uint64_t sort; /* the same for the same metric of others */
    struct timeseries_point *at;
    uint32_t count, before; /* of these in the baseline and its history */
    double mid, spread;     /* of these, see evidence_metric.c */
};

struct rca_context {
    const struct cause_question *question;
    struct arena *arena;
    uint32_t max_spans; /* of the sample of each half */
    struct cause_window times[HALVES];
    struct identity *components; /* then peers, up to MAX_PEERS */
    uint8_t *component_kinds;    /* enum candidate_kind */
    uint32_t component_count, served_components; /* with, without peers */
    struct call_edge *links; /* who calls whom, from derived series */
    uint32_t link_count, link_room;
    struct interned_terms link_keys;
    struct red_counts *counting; /* of evidence_red.c */
    struct log_record *events;
    uint32_t event_count;
    struct bitmap *resources;
    struct bitmap *reporting; /* without those of derived series */
    uint32_t *of_resource;    /* component by resource id, grown on demand */
    uint32_t of_resource_room;
    struct interned_terms terms;
    struct trace_sample halves[HALVES];
    struct timeseries *meters;
    uint32_t meter_count, meter_room;
    uint64_t *calls;       /* bits: who calls whom */
    double *requests;      /* served in the window, by component */
    double traces[HALVES]; /* that are judged */
    uint32_t try;     /* how much of the window is left out, see facts_try */
    uint64_t from_ns; /* the window from here on is what is judged */
    struct trace_events *usual_happenings; /* of the baseline: made once */
    struct timings *usual_gaps, *usual_own;
    double *usual_traces;
    struct evidence_list *evidence; /* one per component */
    double chance; /* nats that the best of all metrics has by chance */
    bool suffers;  /* by metrics, somebody does */
    bool full;     /* the arena is */
};

struct call_edge {
    uint32_t from, to;
};

/* When the window begins in a try. */
static inline uint64_t facts_try(const struct rca_context *facts, uint32_t try)
{
    const struct cause_window *w = &facts->times[DURING];

    return w->start_ns + try * ((w->end_ns - w->start_ns) / CAUSE_TRIES);
}

/* The candidate that stands for a peer, made when it is new; that of an
 * identity. NOBODY if there is none. */
uint32_t facts_peer(struct rca_context *facts, struct slice kind,
                    struct slice name);
uint32_t facts_find_peer(const struct rca_context *facts, struct slice kind,
                         struct slice name);
uint32_t facts_identity(struct rca_context *facts, uint32_t identity);
void facts_link(struct rca_context *facts, uint32_t from, uint32_t to);

/* The component of a resource, NOBODY if it is in none. */
uint32_t facts_component(struct rca_context *facts, uint32_t resource);

/* Times of the baseline, where the question has none. */
MUST_CHECK enum status baseline_choose(struct rca_context *facts);

/* ---- trace_sample.c, trace_build.c ---- */
MUST_CHECK enum status sample_read(struct rca_context *facts,
                                   enum rca_period half);
/* Puts the traces of a half together. */
bool trees_build(struct rca_context *facts, enum rca_period half);
/* The event a log line stands for. */
uint32_t line_event(struct rca_context *facts, const struct log_record *log);

/* ---- what each kind of evidence is found by ---- */
MUST_CHECK enum status meters_read(struct rca_context *facts);
/* After served_read(): log lines as metrics, where there are no requests. */
MUST_CHECK enum status logged_read(struct rca_context *facts);
/* When all are read: by component and pod. */
void meters_sort(struct rca_context *facts);
bool limits_find(struct rca_context *facts);
bool waits_find(struct rca_context *facts);
/* What the request of a span took without the calls of others. */
double waits_own_ns(const struct trace_sample *sample, uint32_t part);
MUST_CHECK enum status served_read(struct rca_context *facts);
bool served_find(struct rca_context *facts);
/* Were requests to it seen? */
bool served_any(const struct rca_context *facts, uint32_t component);
MUST_CHECK enum status changes_read(struct rca_context *facts);
bool changes_find(struct rca_context *facts);
bool behaviour_find(struct rca_context *facts);
/* After all others: what metrics tell where nothing better does. */
bool drifts_find(struct rca_context *facts);

/* Is a part of a half in what is judged? */
static inline bool facts_judged(const struct rca_context *facts,
                                enum rca_period half,
                                const struct rca_span *part)
{
    return half == BEFORE ||
           facts->halves[half].trees[part->tree].start_ns >= facts->from_ns;
}

/* ---- evidence.c ---- */

struct evidence_list {
    struct cause_evidence *at;
    uint32_t count, room;
    double best[EVIDENCE_KINDS];
    double other; /* sum of the best, without those of evidence_metric.c */
    double drift; /* the best of evidence_metric.c */
};

/* Below this the first is not named: numbers that could as well be chance. */
#define ENOUGH_NATS 1.0
/* Less than this is no evidence. */
#define LEAST_NATS 0.01

/* Evidence about a component, copied; nats that say nothing are dropped. */
void evidence_add(struct rca_context *facts, uint32_t component,
                  const struct cause_evidence *evidence);
/* A sentence in the arena. */
struct slice facts_text(struct rca_context *facts, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Log-likelihood ratio of two proportions against one, with a half added. */
double nats_of(double k1, double n1, double k2, double n2);

/* arena_append() (array.h) that marks the answer as incomplete when the arena
 * is full. */
#define facts_append(facts, list, count, room) \
    facts_append_((facts), (list), (count), (room), sizeof(**(list)))
void *facts_append_(struct rca_context *facts, void *list, uint32_t count,
                    uint32_t *room, size_t size);

/* ---- rank.c, report_charts.c, report_impact.c, report_logs.c,
 * report_summary.c, attribute_correlation.c ---- */
bool rank(struct rca_context *facts, struct cause_report *report);
/* Does one call the other? Good after rank(). */
bool facts_calls(const struct rca_context *facts, uint32_t from, uint32_t to);
MUST_CHECK enum status story_tell(struct rca_context *facts,
                                  struct cause_report *report);
/* Numbers over time, and with them since when. */
MUST_CHECK enum status draw(struct rca_context *facts,
                            struct cause_report *report);
/* From its series, of points step_ns apart; from its evidence. */
void onset_find(const struct rca_context *facts,
                struct cause_evidence *evidence, uint64_t step_ns);
void onset_of_suspect(struct cause_suspect *suspect);
/* Of these components those that no other calls; and what users see there. */
MUST_CHECK enum status impact_find(struct rca_context *facts,
                                   struct cause_report *report,
                                   const uint32_t *who, uint32_t count);
MUST_CHECK enum status lines_find(struct rca_context *facts,
                                  struct cause_report *report);
/* Is it a component that no other calls? */
bool facts_is_entry(const struct rca_context *facts, uint32_t component);
/* Resources of one candidate. */
struct bitmap *facts_resources(struct rca_context *facts, uint32_t component);
/* Does it say since when? A change is before that. */
static inline bool evidence_tells(const struct cause_evidence *evidence)
{
    return evidence->kind != EVIDENCE_CHANGE && evidence->nats >= 1;
}
MUST_CHECK enum status special_find(struct rca_context *facts,
                                    struct cause_report *report);

#endif
