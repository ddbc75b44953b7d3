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
 * first third and without its first two thirds. */
enum { RCA_ATTEMPTS = 3 };

/* Changes that long before the window count: roll-outs take minutes, and a bad
 * version may need some to hurt. */
enum { CHANGE_LOOK_BACK_MIN = 15 };

#define NO_INDEX UINT32_MAX

struct rca_times {
    struct cause_window period[PERIODS];
    uint32_t attempt;
    uint64_t from_ns; /* the judged part of the window starts here */
};

static inline uint64_t rca_attempt_start(const struct rca_times *times,
                                         uint32_t attempt)
{
    const struct cause_window *w = &times->period[WINDOW];

    return w->start_ns + attempt * ((w->end_ns - w->start_ns) / RCA_ATTEMPTS);
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
