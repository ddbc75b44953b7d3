/*
 * rca_times - the two periods that an analysis compares, and which part of the
 * window is judged.
 */
#ifndef RCA_TIMES_H
#define RCA_TIMES_H

#include "cause.h"
#include "clock.h"

enum rca_period { BASELINE, WINDOW, PERIODS };

/* A window may begin before the fault does: it is judged whole, without its
 * first third and without its first two thirds. If an incident in it is over,
 * so is what is left of it, and the whole is for when nothing else is found. */
enum { RCA_ATTEMPTS = 4, RCA_THIRDS = 3 };

/* Changes that long before the window count: roll-outs take minutes, and a bad
 * version may need some to hurt. */
enum { CHANGE_LOOK_BACK_MIN = 15 };

#define NO_INDEX UINT32_MAX

struct rca_times {
    struct cause_window period[PERIODS];
    uint64_t attempts[RCA_ATTEMPTS]; /* where their part of the window starts */
    uint32_t attempt_count;
    uint64_t over_ns; /* an incident in the window was over then; or the start
                         of the window */
    uint32_t attempt; /* that is judged */
    uint64_t from_ns; /* it starts here */
};

/* After the window is set. */
static inline void rca_times_split(struct rca_times *times, uint64_t over_ns)
{
    const struct cause_window *w = &times->period[WINDOW];
    uint64_t third = (w->end_ns - over_ns) / RCA_THIRDS;

    times->over_ns = over_ns;
    times->attempt_count = 0;
    if (over_ns > w->start_ns)
        times->attempts[times->attempt_count++] = w->start_ns;
    for (uint32_t i = 0; i < RCA_THIRDS; i++)
        times->attempts[times->attempt_count++] = over_ns + i * third;
}

/* The one of what is left after an incident that is over, if there is one. */
static inline uint32_t rca_first_attempt(const struct rca_times *times)
{
    return times->attempt_count - RCA_THIRDS;
}

/* The start of an attempt's part; of one that is not made the end. */
static inline uint64_t rca_attempt_start(const struct rca_times *times,
                                         uint32_t attempt)
{
    return attempt < times->attempt_count ? times->attempts[attempt]
                                          : times->period[WINDOW].end_ns;
}

/* How a fault ends is judged by the last part. */
static inline uint64_t rca_last_part(const struct rca_times *times)
{
    return times->attempts[times->attempt_count - 1];
}

static inline void rca_times_judge(struct rca_times *times, uint32_t attempt)
{
    times->attempt = attempt;
    times->from_ns = times->attempts[attempt];
}

/* Is the whole window judged? */
static inline bool rca_judges_all(const struct rca_times *times)
{
    return times->from_ns <= times->period[WINDOW].start_ns;
}

static inline uint64_t rca_changes_from(const struct rca_times *times)
{
    uint64_t start = times->period[WINDOW].start_ns;
    uint64_t back = CHANGE_LOOK_BACK_MIN * NS_PER_MIN;

    return start > back ? start - back : 0;
}

/* The baseline, or this much before its end where that is longer. */
static inline struct cause_window rca_history(const struct rca_times *times,
                                              uint64_t length_ns)
{
    struct cause_window w = times->period[BASELINE];

    if (w.end_ns > length_ns && w.end_ns - length_ns < w.start_ns)
        w.start_ns = w.end_ns - length_ns;
    return w;
}

#endif
