/*
 * trace_events - what happens inside the requests to an operation: log records
 * and calls, each with the event before it; each event of a trace once, because
 * requests of one trace are not independent.
 */
#ifndef TRACE_EVENTS_H
#define TRACE_EVENTS_H

#include "trace_sample.h"

/* The start of a request, before its first event. */
#define EVENT_START ((uint64_t)(NO_INDEX - 1) << 1)

struct trace_event {
    uint64_t operation;       /* component and name */
    uint64_t event, previous; /* 2 * term, + 1 for an error */
    uint64_t time_ns;
    uint32_t trace, request;
    bool call;     /* a span, not a log record */
    bool silent;   /* after the last log record of its pod */
    uint8_t level; /* of a log record */
};

/* By operation and event. */
struct trace_events {
    struct trace_event *at;
    uint32_t count;
};

struct trace_diff {
    const struct trace_samples *traces;
    struct trace_events period[PERIODS];
};

static inline uint32_t event_component(const struct trace_event *event)
{
    return (uint32_t)(event->operation >> 32);
}

/* The events of the operation, and those that are the same event, from `i`
 * on. */
struct trace_events trace_events_operation(const struct trace_events *list,
                                           uint32_t i);
struct trace_events trace_events_at(const struct trace_events *list,
                                    uint32_t i);

/* In a list of one operation. */
struct trace_events trace_events_find(const struct trace_events *list,
                                      uint64_t event);

/* By the first number that differs. */
int trace_events_compare(const uint64_t *a, const uint64_t *b, int count);

#endif
