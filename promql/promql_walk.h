/*
 * promql_walk - a window that moves over floats, step by step.
 *
 * Inline, so that a function with a loop of its own
 * (promql_range_function.walk) is part of it.
 */
#ifndef PROMQL_WALK_H
#define PROMQL_WALK_H

#include "promql_range.h"

/* Samples of one kind by time, and where the counter began again. */
struct sample_line {
    const int64_t *times;
    uint32_t count;
    uint32_t *resets;
    uint32_t reset_count;
    /* The window: samples and resets. */
    uint32_t first, end, reset_first, reset_end;
};

static inline void move(struct sample_line *line, int64_t start_ms,
                        int64_t end_ms)
{
    uint32_t first = line->first, end = line->end;

    while (end < line->count && line->times[end] <= end_ms)
        end++;
    while (first < end && line->times[first] <= start_ms)
        first++;
    line->first = first;
    line->end = end;
    while (line->reset_end < line->reset_count &&
           line->resets[line->reset_end] < end)
        line->reset_end++;
    while (line->reset_first < line->reset_end &&
           line->resets[line->reset_first] <= first)
        line->reset_first++;
}

/* Nothing may be added to NULL. */
static inline const uint32_t *window_resets(const struct sample_line *line)
{
    return line->resets ? line->resets + line->reset_first : NULL;
}

/* What it takes to move over a series. */
struct promql_walk {
    struct sample_line line;
    struct promql_window *window;
    struct promql_steps steps;
    int64_t first_ms, step_ms, range_ms; /* ends of windows */
    double *values;                      /* of each step */
};

/* Calls the function at each step; true: there was a value. */
static inline bool promql_walk(struct promql_walk *walk,
                               void (*at)(struct promql_window *window))
{
    struct sample_line line = walk->line; /* in registers */
    struct promql_window *w = walk->window;
    double absent = promql_absent(), *values = walk->values;
    bool any = false;

    for (uint32_t i = 0; i < walk->steps.count; i++) {
        w->now_ms = walk->steps.start_ms + i * walk->steps.step_ms;
        w->end_ms = walk->first_ms + i * walk->step_ms;
        w->start_ms = w->end_ms - walk->range_ms;
        move(&line, w->start_ms, w->end_ms);
        w->first = line.first;
        w->end = line.end;
        w->resets = window_resets(&line);
        w->reset_count = line.reset_end - line.reset_first;
        w->value = absent;
        at(w);
        values[i] = w->value;
        any |= !promql_is_absent(w->value);
    }
    return any;
}

#endif
