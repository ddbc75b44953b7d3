/*
 * evidence_durations - durations of calls or requests, compared between the
 * periods key by key; evidence_latency.c and evidence_network.c stand on it.
 */
#ifndef EVIDENCE_DURATIONS_H
#define EVIDENCE_DURATIONS_H

#include "evidence.h"
#include "trace_sample.h"

#define NS_PER_MS_F 1e6
struct duration {
    uint64_t key;
    double ns;
    uint32_t span; /* its number in the sample */
};

struct durations { /* by key, then shortest first */
    struct duration *at;
    uint32_t count;
};

struct duration_sample {
    const struct trace_samples *traces;
    struct durations period[PERIODS];
};

/* The durations of one key in both periods. */
struct duration_pair {
    uint64_t key;
    const struct duration *at[PERIODS];
    uint32_t count[PERIODS];
    double slow[PERIODS]; /* how many of these are above the limit */
    double limit_ns, usual_ns, rise_ns;
};

/* False: this span has none. */
typedef bool duration_measure(const struct trace_sample *sample, uint32_t span,
                              uint64_t *key, double *ns);

/* Measures all spans of both periods once; NULL: the arena is full. */
struct duration_sample *durations_measure(const struct trace_samples *traces,
                                          duration_measure *measure);

/* The keys that are in the baseline and in the judged part of the window. */
struct duration_pair *durations_compare(const struct duration_sample *sample,
                                        const struct rca_times *times,
                                        uint32_t *count);

/* Median duration of the baseline's traces that pass a candidate, by its
 * number; NULL: the arena is full. */
double *durations_of_traces(const struct trace_samples *traces,
                            uint32_t candidates);

/* Were not all durations of either period looked at? */
static inline bool durations_are_sampled(const struct duration_sample *sample)
{
    return sample->traces->period[BASELINE].is_part ||
           sample->traces->period[WINDOW].is_part;
}

/* Key of two numbers. */
static inline uint64_t duration_key(uint32_t high, uint32_t low)
{
    return (uint64_t)high << 32 | low;
}

/* More of them are slow than in the baseline. */
static inline bool more_are_slow(const struct duration_pair *p)
{
    return is_larger_share(p->slow[BASELINE], p->count[BASELINE],
                           p->slow[WINDOW], p->count[WINDOW]);
}

/* What part of the time that a user waits it is: 0 to 1. */
static inline double share_of_wait(double rise_ns, double usual_ns)
{
    return rise_ns > 0 && usual_ns > 0 ? rise_ns / (rise_ns + usual_ns) : 0;
}

/* Onset, example traces and chart: of the slow ones in the window. */
void durations_describe(const struct duration_sample *sample,
                        const struct duration_pair *pair,
                        struct cause_evidence *evidence);

#endif
