/*
 * evidence - findings that make a candidate a likely cause. Scores are
 * log-likelihood ratios (how much more likely the numbers of the window are if
 * something changed than if nothing did), so they can be added.
 *
 * A new kind of evidence is a member of enum evidence_kind (cause.h), its row
 * in evidence_kinds[] (evidence.c), a file evidence_X.c with a function that
 * gets what it compares and adds what it finds, and the call of it in
 * find_evidence() (cause.c).
 */
#ifndef EVIDENCE_H
#define EVIDENCE_H

#include "rca_times.h"

enum evidence_reach {
    REACH_CALLERS = 1, /* callers of the cause show it, too */
    REACH_OWN,         /* it cannot come from something that is called */
    REACH_DOWN,        /* both: who cannot work without the cause stops, too */
    REACH_SUPPORT,     /* counts at most as much as what is beside it */
};

/* How a kind of evidence counts in the ranking, is charted and answered. */
struct evidence_rule {
    const char *name;
    double weight;
    enum evidence_reach reach;
    const char *chart_title, *chart_unit; /* NULL: not charted */
    struct evidence_advice advice;
};
extern const struct evidence_rule evidence_kinds[EVIDENCE_KINDS];

/* Of one candidate. */
struct evidence_list {
    struct cause_evidence *at;
    uint32_t count, room;
    double best[EVIDENCE_KINDS]; /* the highest score of each kind */
    double anomaly; /* the best of metric anomalies, before any discount */
};

struct excess;
struct flow_list;

/* Of all candidates, in one attempt. */
struct evidence_set {
    struct arena *arena;
    const struct rca_times *times;
    struct evidence_list *of;
    const struct excess *excess;   /* whose rise of latency, failures it is */
    const struct flow_list *flows; /* as the metrics show them */
    double chance;  /* score that the best of all metrics reaches by chance */
    bool suffering; /* metrics show that a component is affected */
};

/* Below this the first suspect is not named: it could as well be chance. */
#define MIN_NAMED_SCORE 1.0
/* Less than this is no evidence. */
#define MIN_SCORE 0.01
/* From this share of failing requests on a fault counts whole. */
#define FELT_SHARE 0.05
/* Slow is above the 95th percentile of the baseline and this much more: below,
 * clocks and schedulers differ from minute to minute. */
#define SLOW_MARGIN_NS 5e6
/* Odds of twenty to one. */
#define CONFIDENT_SCORE 3.0

/* Adds a copy, unless its score is below MIN_SCORE. */
void evidence_add(struct evidence_set *set, uint32_t candidate,
                  const struct cause_evidence *evidence);

/* Keeps one of each metric: sorted, the strongest first. */
void evidence_join_pods(struct evidence_list *list, struct arena *arena);

/* Is it a symptom? Its onset counts. A change precedes the fault. */
static inline bool evidence_is_symptom(const struct cause_evidence *evidence)
{
    return evidence_kinds[evidence->kind].reach != REACH_SUPPORT &&
           evidence->score >= MIN_NAMED_SCORE;
}

/* Adds an example trace; the earliest one sets the onset. */
static inline void evidence_add_example(struct cause_evidence *evidence,
                                        const uint64_t trace_id[2],
                                        uint64_t time_ns)
{
    if (evidence->trace_count < CAUSE_MAX_EXAMPLES)
        memcpy(evidence->traces[evidence->trace_count++], trace_id, 16);
    if (evidence->onset_ns == 0 || time_ns < evidence->onset_ns)
        evidence->onset_ns = time_ns;
}

/* Log-likelihood ratio of two proportions (k1 of n1, k2 of n2) against one,
 * with half an observation added to each. */
double proportion_score(double k1, double n1, double k2, double n2);

/* Never more than what is certain: of many observations no more than that. */
double certain_score(double score);

/* Is k2 of n2 a larger share than k1 of n1? */
static inline bool is_larger_share(double k1, double n1, double k2, double n2)
{
    return k2 * n1 > k1 * n2;
}

#endif
