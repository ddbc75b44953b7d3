/*
 * event_list - what happened to the pods of each component, and what somebody
 * changed: one entry for each rule (event_rules.h), however often it happened,
 * and one for each version, image or release.
 *
 * Two sources tell of it: Kubernetes' events (event_read.c) and metrics of the
 * state of containers (event_metrics.c).
 */
#ifndef EVENT_LIST_H
#define EVENT_LIST_H

#include "candidates.h"
#include "event_rules.h"

/* Several tell of the same: the largest number counts. */
enum event_source {
    EVENT_OF_LOG,
    EVENT_OF_STATE,
    EVENT_OF_COUNTER,
    EVENT_SOURCES
};

struct rca_event {
    uint32_t component;
    const struct event_rule *rule; /* NULL: a change with a kind of its own */
    struct slice reason, text;     /* text: the last message */
    struct slice kind;             /* of a change */
    bool is_warning;
    /* Of the part that is judged: after the baseline, of changes from a quarter
       of an hour before the window on. */
    uint64_t first_ns, last_ns;
    uint32_t counts[EVENT_SOURCES], minutes;
    /* Of the history: the first time, and in how many minutes it happened. */
    uint64_t before_ns;
    uint32_t minutes_before;
    double news; /* 1: it did not happen before, 0: as often as now */
};

struct event_list {
    struct arena *arena;
    const struct rca_times *times;
    struct cause_window history; /* what happens in it is usual */
    struct event_note *notes;
    uint32_t note_count, note_room;
    struct rca_event *at; /* after event_list_close() */
    uint32_t count, room;
};

/* How often it happened in the judged part. */
static inline uint32_t event_times(const struct rca_event *e)
{
    uint32_t most = 0;

    for (int i = 0; i < EVENT_SOURCES; i++)
        if (e->counts[i] > most)
            most = e->counts[i];
    return most;
}

/* What one source says of one event. */
struct event_note {
    uint64_t time_ns;
    uint32_t component;
    const struct event_rule *rule;
    struct slice reason, text, kind;
    uint8_t source; /* enum event_source */
    bool is_warning;
    uint32_t times;    /* that it happened; 0: it goes on */
    uint32_t total;    /* since it began, if that is known */
    uint64_t began_ns; /* 0: not known */
};

/* For the times of a query. */
void event_list_init(struct event_list *list, const struct rca_times *times,
                     struct arena *arena);

/* The times to read: the history and the present; they are one if they are
 * near each other. How many. */
uint32_t event_list_periods(const struct event_list *list,
                            struct cause_window periods[2]);

/* In any order. False: the arena is full. */
bool event_list_add(struct event_list *list, const struct event_note *note);

/* When all are in: the entries, by time, without what has not happened lately.
 * False: the arena is full. */
bool event_list_close(struct event_list *list);

/* event_read.c: events; event_metrics.c: metrics of containers. */
MUST_CHECK enum status events_read(struct event_list *list,
                                   struct reader *reader,
                                   struct candidates *candidates);
/* Is a metric read there? */
bool event_metric_is(struct slice name);
MUST_CHECK enum status event_metrics_read(struct event_list *list,
                                          struct reader *reader,
                                          struct candidates *candidates);

#endif
