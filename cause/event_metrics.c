/*
 * States of containers that metrics tell of: the reason why a container waits
 * or ended, as the label of a gauge that is 1 while it is so; restarts and
 * kills as counters, which kube-state-metrics sends as sums and the Collector
 * as gauges. Where there are no events, these are what is known.
 */
#include <math.h>
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "event_list.h"
#include "interned_terms.h"
#include "series_set.h"

/* NULL: the reason is a label. */
static const struct {
    struct slice name;
    const char *reason;
} metrics[] = {
    {SLICE_INIT("k8s.container.restarts"), "Restarted"},
    {SLICE_INIT("kube_pod_container_status_restarts_total"), "Restarted"},
    {SLICE_INIT("container_oom_events_total"), "OOMKilled"},
    {SLICE_INIT("k8s.container.status.reason"), NULL},
    {SLICE_INIT("k8s.container.status.last_terminated_reason"), NULL},
    {SLICE_INIT("kube_pod_container_status_waiting_reason"), NULL},
    {SLICE_INIT("kube_pod_container_status_terminated_reason"), NULL},
    {SLICE_INIT("kube_pod_container_status_last_terminated_reason"), NULL},
    {SLICE_INIT("kube_pod_status_reason"), NULL},
};
/* A state that is not told of for so long has ended. */
static const uint64_t GONE_NS = 15 * NS_PER_MIN;
enum { METRICS = sizeof(metrics) / sizeof(*metrics), MAX_SERIES = 4096 };

bool event_metric_is(struct slice name)
{
    for (size_t i = 0; i < METRICS; i++)
        if (slice_equal(name, metrics[i].name))
            return true;
    return false;
}

/* The counters of one series, by time. */
struct container_series {
    uint32_t component;
    const struct event_rule *rule;
    bool is_state;
    struct container_value {
        uint64_t time_ns;
        double value;
    } * at;
    uint32_t count, room;
};

struct container_reader {
    struct event_list *list;
    struct candidates *candidates;
    struct interned_terms keys;
    struct container_series *series;
    uint32_t count, room;
};

static const struct event_rule *rule_of(const struct point *p, bool *is_state)
{
    static const char *const labels[] = {
        "reason", "k8s.container.status.reason",
        "k8s.container.status.last_terminated_reason"};
    const struct slice none = {NULL, 0};

    for (size_t i = 0; i < METRICS; i++) {
        if (!slice_equal(p->metric->name, metrics[i].name))
            continue;
        *is_state = !metrics[i].reason;
        if (!*is_state)
            return event_rule_find(slice_of(metrics[i].reason), none);
    }
    for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++) {
        struct slice reason = attrs_text(&p->attrs, slice_of(labels[i]));

        if (reason.len > 0)
            return event_rule_find(reason, none);
    }
    return NULL;
}

/* NULL: it says nothing, or there is no room. */
static struct container_series *series_of(struct container_reader *r,
                                          const struct point *p)
{
    uint64_t key = series_key(p);
    uint32_t n = terms_find(&r->keys, key);
    struct container_series *s;
    bool is_state = false;

    if (n != NO_INDEX)
        return &r->series[n];
    if (r->count == MAX_SERIES)
        return NULL;
    const struct event_rule *rule = rule_of(p, &is_state);
    uint32_t c = candidate_of_resource(r->candidates, p->resource_id);

    if (!rule || c == NO_INDEX)
        return NULL;
    s = arena_append(r->list->arena, &r->series, r->count, &r->room);
    if (!s || terms_add_key(&r->keys, key) == NO_INDEX)
        return NULL;
    r->count++;
    *s = (struct container_series){
        .component = c, .rule = rule, .is_state = is_state};
    return s;
}

static void read_point(void *arg, const struct point *p)
{
    struct container_reader *r = arg;
    struct container_series *s;
    struct container_value *v;

    if (p->metric->type > METRIC_SUM || p->flags & POINT_NO_VALUE)
        return;
    s = series_of(r, p);
    v = s ? arena_append(r->list->arena, &s->at, s->count, &s->room) : NULL;
    if (!v)
        return;
    *v = (struct container_value){p->time_ns, p->is_int ? (double)p->i : p->d};
    s->count++;
}

static int by_time(const void *left, const void *right)
{
    const struct container_value *a = left, *b = right;

    return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

/* A state is noted while it lasts, a counter where it grew. */
static bool note_series(struct container_reader *r, struct container_series *s)
{
    struct event_note note = {.component = s->component,
                              .rule = s->rule,
                              .reason = slice_of(s->rule->reason),
                              .source = s->is_state ? EVENT_OF_STATE
                                                    : EVENT_OF_COUNTER,
                              .is_warning = true};
    struct container_value before = {0, 0};

    qsort(s->at, s->count, sizeof(*s->at), by_time);
    for (uint32_t i = 0; i < s->count; i++) {
        struct container_value now = s->at[i];
        bool gone = now.time_ns - before.time_ns > GONE_NS;
        double rise = now.value - (s->is_state && gone ? 0 : before.value);
        bool same_minute =
            now.time_ns / NS_PER_MIN == note.time_ns / NS_PER_MIN;

        before = now;
        if (!s->is_state && i == 0)
            continue; /* since when is not known */
        note.times = (uint32_t)fmin(fmax(rise, 0), 1e6);
        if (note.times == 0 &&
            (!s->is_state || !(now.value > 0) || same_minute))
            continue;
        note.time_ns = now.time_ns;
        if (!event_list_add(r->list, &note))
            return false;
    }
    return true;
}

enum status event_metrics_read(struct event_list *list, struct reader *reader,
                               struct candidates *candidates)
{
    struct container_reader r = {.list = list, .candidates = candidates};
    struct slice names[METRICS];
    struct series_query query = {.resources = candidates->reporting,
                                 .names = names,
                                 .name_count = METRICS};
    struct cause_window periods[2];
    uint32_t count = event_list_periods(list, periods);
    enum status s = OK;

    for (size_t i = 0; i < METRICS; i++)
        names[i] = metrics[i].name;
    if (!terms_init(&r.keys, list->arena))
        return arena_status(list->arena);
    for (uint32_t i = 0; i < count && s == OK; i++) {
        query.start_ns = periods[i].start_ns;
        query.end_ns = periods[i].end_ns;
        s = reader_query_series(reader, &query, read_point, &r);
    }
    for (uint32_t i = 0; i < r.count && s == OK; i++)
        if (!note_series(&r, &r.series[i]))
            s = arena_status(list->arena);
    return s;
}
