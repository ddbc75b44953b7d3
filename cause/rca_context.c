#include "rca_context.h"

#include "clock.h"
#include "metric_history.h"

static enum status choose_times(struct rca_context *rca)
{
    const struct cause_query *q = rca->query;
    struct cause_window *period = rca->times.period;

    period[WINDOW] = q->window;
    period[BASELINE] = q->baseline;
    if (q->window.start_ns >= q->window.end_ns ||
        q->window.start_ns <= NS_PER_MIN)
        return ERR_INVALID;
    enum status s = symptom_minutes_read(
        &rca->minutes, q->reader, &rca->candidates, q->window, rca->arena);
    if (s != OK)
        return s;
    incidents_find(&rca->incidents, &rca->minutes);
    bool inside = !q->has_baseline &&
                  baseline_inside(&rca->times, &rca->minutes, &rca->incidents);
    rca_times_split(&rca->times, incidents_over(&rca->incidents, &rca->minutes,
                                                &period[WINDOW]));
    if (inside)
        return OK;
    if (!q->has_baseline)
        return baseline_choose(&rca->times, &rca->minutes, rca->arena);
    return q->baseline.start_ns < q->baseline.end_ns &&
                   q->baseline.end_ns <= q->window.start_ns
               ? OK
               : ERR_INVALID;
}

static void add_traced_calls(struct call_graph *graph,
                             const struct trace_sample *s)
{
    for (uint32_t i = 0; i < s->span_count; i++) {
        const struct rca_span *span = &s->spans[i];
        uint32_t caller = span->parent == NO_INDEX
                              ? NO_INDEX
                              : s->spans[span->parent].component;

        if (span_is_served(span) && caller != NO_INDEX &&
            span->component != NO_INDEX)
            call_graph_add(graph, caller, span->component);
    }
}

enum status rca_context_read(struct rca_context *c,
                             const struct cause_query *query,
                             uint32_t max_spans, struct arena *arena)
{
    enum status s;

    struct scope_filter scope = query->scope;

    *c = (struct rca_context){.query = query, .arena = arena};
    /* A cause may lie outside the component that suffers. */
    scope.component = (struct slice){NULL, 0};
    if (!candidates_find(&c->candidates, query->registry, &scope, query->viewer,
                         arena) ||
        !call_graph_init(&c->graph, &c->candidates, arena))
        return arena_status(arena);
    s = choose_times(c);
    if (s == OK)
        s = trace_samples_read(&c->traces, query->reader, &c->candidates,
                               &c->times, max_spans, arena);
    if (s == OK)
        s = timeseries_read(&c->timeseries, query->reader, &c->candidates,
                            &c->graph, &c->times, arena);
    if (s == OK)
        s = red_counts_read(&c->red, query->reader, &c->candidates, &c->graph,
                            &c->times, arena);
    if (s == OK)
        s = log_rates_read(&c->timeseries, query->reader, &c->candidates,
                           &c->red, &c->times);
    if (s == OK)
        s = changes_read(&c->changes, query->reader, &c->candidates, &c->times,
                         arena);
    if (s != OK)
        return s;
    timeseries_sort(&c->timeseries);
    limits_invert(&c->timeseries);
    if (!history_measure(&c->timeseries, &c->times))
        return arena_status(arena);
    for (int period = 0; period < PERIODS; period++)
        add_traced_calls(&c->graph, &c->traces.period[period]);
    call_graph_add_declared(&c->graph, &c->candidates, query->catalog);
    call_graph_close(&c->graph, c->candidates.count);
    return OK;
}
