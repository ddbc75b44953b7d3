/*
 * symptom_minutes - the minutes before and in the window in which a component
 * failed more of its requests, or took longer, than it mostly does. One read of
 * the derived series, or of the metrics that stand for them; the choice of the
 * baseline and the lists of incidents stand on it.
 *
 * What is usual is judged by the better minutes, so that a fault may last for
 * more than half of the time looked at. A single minute is no symptom.
 */
#ifndef SYMPTOM_MINUTES_H
#define SYMPTOM_MINUTES_H

#include "candidates.h"

/* Of a minute. */
struct minute_counts {
    float requests, errors, seconds;
};

/* Slow, or a metric of it is far from usual. */
enum minute_symptom { SYMPTOM_FAILS = 1, SYMPTOM_SLOW = 2 };

struct minute_row {
    uint32_t component;
    struct minute_counts *at; /* NULL: known from metrics only */
    uint8_t *symptoms;        /* by minute: enum minute_symptom */
};

struct symptom_minutes {
    uint64_t from_ns; /* the start of the first minute */
    uint32_t count;   /* 0: nothing was read */
    uint32_t row_count;
    struct minute_row *rows; /* by component */
    uint8_t *known;          /* minutes in which anything was measured */
};

/* Of a long time, which is judged in parts. */
struct minutes_span {
    uint64_t from_ns; /* a whole minute */
    uint64_t judged_ns, end_ns;
    uint32_t part; /* minutes that are judged at once */
    uint32_t most; /* minutes before them that they are judged by */
    bool grows;    /* the first minutes of what was not there before are judged
                      by themselves */
    int what;
};
/* Metrics only where there are no requests. */
enum { MINUTES_OF_REQUESTS = 1, MINUTES_OF_METRICS = 2 };

MUST_CHECK enum status symptom_minutes_judge(struct symptom_minutes *minutes,
                                             struct reader *reader,
                                             struct candidates *candidates,
                                             const struct minutes_span *span,
                                             struct arena *arena);

/* The same for one window of a length of at most hours, in one part; reads the
 * window and the time before it. Times too long to be looked at
 * minute by minute are not read. */
MUST_CHECK enum status symptom_minutes_read(struct symptom_minutes *minutes,
                                            struct reader *reader,
                                            struct candidates *candidates,
                                            struct cause_window window,
                                            struct arena *arena);

/* Is enough known of the minutes before `end` to say what is usual? */
bool minutes_are_enough(const struct symptom_minutes *minutes, uint32_t end);

/* The minute of a time, at most `count`. */
static inline uint32_t minute_of(const struct symptom_minutes *m,
                                 uint64_t time_ns)
{
    uint64_t at =
        time_ns < m->from_ns ? 0 : (time_ns - m->from_ns) / 60000000000ull;

    return at < m->count ? (uint32_t)at : m->count;
}

#endif
