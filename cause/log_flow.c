#include "log_flow.h"

#include <math.h>
#include <stdlib.h>

/* Of a statement, over all operations of a component that log it. */
struct statement {
    uint64_t group, event; /* group: component and level */
    double expected;       /* records in the window, by those of the baseline */
    double seen;
};

/* The statements of a component and level that show best what arrives. */
struct flow_group {
    uint64_t group;
    struct statement best, second;
    double expected; /* of all */
};

struct log_flow {
    struct flow_group *groups; /* by group */
    uint32_t count;
};

/* Of fewer nothing is known. */
static const double MIN_EXPECTED = 3;
/* Less than this arrives: the flow has stopped. */
static const double STOPPED = 0.1;

static uint64_t group_of(const struct trace_event *event)
{
    return (uint64_t)event_component(event) << 8 | event->level;
}

/* ---- statements ---- */

static bool is_counted(const struct trace_event *event)
{
    return !event->call && !(event->event & 1);
}

static int by_statement(const void *left, const void *right)
{
    const struct statement *a = left, *b = right;
    const uint64_t x[] = {a->group, a->event}, y[] = {b->group, b->event};

    return trace_events_compare(x, y, 2);
}

/* Of one operation; how many. */
static uint32_t add_operation(const struct trace_events *base,
                              const struct trace_events *window,
                              struct statement *at)
{
    double before = trace_events_find(base, EVENT_START).count;
    double now = trace_events_find(window, EVENT_START).count;
    uint32_t n = 0;

    if (before <= 0)
        return 0;
    for (uint32_t i = 0; i < base->count;) {
        struct trace_events run = trace_events_at(base, i);

        i += run.count;
        if (is_counted(run.at))
            at[n++] = (struct statement){
                .group = group_of(run.at),
                .event = run.at->event,
                .expected = run.count / before * now,
                .seen = trace_events_find(window, run.at->event).count};
    }
    return n;
}

static uint32_t collect(const struct trace_events *base,
                        const struct trace_events *window, struct statement *at)
{
    uint32_t n = 0, i = 0, k = 0;

    while (i < base->count && k < window->count) {
        uint64_t a = base->at[i].operation, b = window->at[k].operation;
        struct trace_events before = trace_events_operation(base, i);
        struct trace_events now = trace_events_operation(window, k);

        if (a == b)
            n += add_operation(&before, &now, &at[n]);
        i += a <= b ? before.count : 0;
        k += b <= a ? now.count : 0;
    }
    return n;
}

/* ---- groups ---- */

/* By what surely arrives: a few records more or less are chance. */
static bool shows_better(const struct statement *a, const struct statement *b)
{
    double x = fmax(0, a->seen - 2 * sqrt(a->seen)) / a->expected;
    double y = fmax(0, b->seen - 2 * sqrt(b->seen)) / b->expected;

    return b->expected <= 0 || x > y || (x >= y && a->seen > b->seen);
}

static void add_statement(struct flow_group *g, const struct statement *s)
{
    if (!(s->expected > 0))
        return;
    g->group = s->group;
    g->expected += s->expected;
    if (shows_better(s, &g->best)) {
        g->second = g->best;
        g->best = *s;
    } else if (shows_better(s, &g->second)) {
        g->second = *s;
    }
}

const struct log_flow *log_flow_measure(const struct trace_events *baseline,
                                        const struct trace_events *window,
                                        struct arena *arena)
{
    struct log_flow *flow = arena_zero(arena, 1, sizeof(*flow));
    struct statement *all =
        arena_alloc(arena, (baseline->count + 1) * sizeof(*all));
    struct statement sum = {0};

    if (!flow || !all)
        return NULL;
    uint32_t n = collect(baseline, window, all);
    flow->groups = arena_zero(arena, n + 1, sizeof(*flow->groups));
    if (!flow->groups)
        return NULL;
    if (n > 0)
        qsort(all, n, sizeof(*all), by_statement);
    for (uint32_t i = 0; i < n; i++) {
        bool last = i + 1 == n || by_statement(&all[i], &all[i + 1]) != 0;

        sum.group = all[i].group;
        sum.event = all[i].event;
        sum.expected += all[i].expected;
        sum.seen += all[i].seen;
        if (!last)
            continue;
        add_statement(&flow->groups[flow->count], &sum);
        sum = (struct statement){0};
        if (i + 1 < n && all[i + 1].group == all[i].group)
            continue;
        flow->count += flow->groups[flow->count].expected > 0;
    }
    return flow;
}

/* ---- asking ---- */

static double part_of(const struct statement *s)
{
    return s->expected > 0 ? fmin(1, s->seen / s->expected) : 1;
}

/* Has it stopped for anybody of this level? A component with one statement
 * cannot show by itself whether its records arrive. */
static bool has_stopped_elsewhere(const struct log_flow *flow, uint64_t group)
{
    for (uint32_t i = 0; i < flow->count; i++) {
        const struct flow_group *g = &flow->groups[i];

        if (g->group != group && (g->group & 0xff) == (group & 0xff) &&
            g->expected >= MIN_EXPECTED && part_of(&g->best) < STOPPED)
            return true;
    }
    return false;
}

double log_flow_of(const struct log_flow *flow, const struct trace_event *event)
{
    uint64_t group = group_of(event);

    for (uint32_t i = 0; i < flow->count; i++) {
        const struct flow_group *g = &flow->groups[i];
        const struct statement *other;

        if (g->group != group)
            continue;
        other = g->best.event == event->event ? &g->second : &g->best;
        if (other->expected > 0 &&
            (other->seen > 0 || other->expected >= MIN_EXPECTED))
            return part_of(other);
        return has_stopped_elsewhere(flow, group) ? 0 : 1;
    }
    return 1;
}
