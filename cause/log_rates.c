/*
 * What is logged where no requests are seen: of each error template how often
 * it came, a minute at a time, as if it were a metric; of all lines together
 * how many, as the measure of what a component has to do.
 *
 * A minute without a line is a minute with none, unless nobody logged.
 */
#include <stdlib.h>

#include "clock.h"
#include "derived.h"
#include "hash.h"
#include "timeseries.h"

enum { HISTORY_MIN = 30, MAX_MINUTES = 1440, MAX_ROWS = 1024 };

struct log_rate { /* an error of a component, or all its other lines */
    uint32_t component;
    struct slice text; /* empty: the others */
    double *counts;    /* by minute */
};

struct logged {
    struct rca_context *facts;
    struct cause_window usual;
    uint64_t now_ns;
    uint32_t usual_minutes, minutes;
    struct interned_terms keys;
    struct log_rate *rows;
    uint32_t row_count, row_room;
    double *all; /* lines of everybody */
};

static bool minute_of(const struct logged *l, uint64_t ns, uint32_t *minute)
{
    if (ns >= l->usual.start_ns && ns < l->usual.end_ns)
        *minute = (uint32_t)((ns - l->usual.start_ns) / NS_PER_MIN);
    else if (ns >= l->now_ns)
        *minute = l->usual_minutes + (uint32_t)((ns - l->now_ns) / NS_PER_MIN);
    else
        return false;
    return *minute < l->minutes;
}

static uint64_t time_of(const struct logged *l, uint32_t minute)
{
    return NS_PER_MIN / 2 +
           (minute < l->usual_minutes
                ? l->usual.start_ns + minute * NS_PER_MIN
                : l->now_ns + (minute - l->usual_minutes) * NS_PER_MIN);
}

static void count(struct logged *l, uint32_t component, struct slice text,
                  uint32_t minute, double amount)
{
    uint64_t key = hash_mix(hash_bytes(text.ptr, text.len, 5), component);
    uint32_t n = terms_find(&l->keys, key);
    struct log_rate *row;

    if (n == NOBODY) {
        if (l->row_count == MAX_ROWS)
            return;
        row = facts_append(l->facts, &l->rows, l->row_count, &l->row_room);
        if (!row)
            return;
        n = terms_add(&l->keys, key, text, (struct slice){NULL, 0}, true);
        if (n == NOBODY)
            return;
        *row = (struct log_rate){
            component, l->keys.at[n].text,
            arena_zero(l->facts->arena, l->minutes, sizeof(double))};
        l->row_count++;
    }
    if (l->rows[n].counts)
        l->rows[n].counts[minute] += amount;
}

static void read_point(void *arg, const struct point *p)
{
    struct logged *l = arg;
    const struct attr *text = attrs_find(&p->attrs, SLICE(DERIVED_TEMPLATE));
    const struct attr *level = attrs_find(&p->attrs, SLICE(DERIVED_LEVEL));
    uint32_t component = facts_component(l->facts, p->resource_id), minute;
    double amount = p->is_int ? (double)p->i : p->d;

    if (component == NOBODY || !minute_of(l, p->start_ns, &minute))
        return;
    l->all[minute] += amount;
    if (served_any(l->facts, component))
        return;
    if (!text || !level ||
        (!slice_equal(attr_text(level), SLICE("ERROR")) &&
         !slice_equal(attr_text(level), SLICE("FATAL"))))
        count(l, component, (struct slice){NULL, 0}, minute, amount);
    else
        count(l, component, attr_text(text), minute, amount);
}

static void add_meter(struct logged *l, const struct log_rate *row)
{
    struct timeseries_point *at =
        arena_alloc(l->facts->arena, (l->minutes + 1) * sizeof(*at));
    struct timeseries *m = at ? meters_add(l->facts) : NULL;
    bool errors = row->text.len > 0;

    if (!m)
        return;
    *m = (struct timeseries){
        .component = row->component,
        .resource = RESOURCE_NONE,
        .name = errors ? row->text : SLICE("lines"),
        .unit = SLICE("lines/min"),
        .sort = hash_bytes(row->text.ptr, row->text.len, row->component),
        .meaning = errors ? MEANS_LOGGED : MEANS_TRAFFIC,
        .at = at};
    for (uint32_t i = 0; i < l->minutes; i++)
        if (l->all[i] > 0)
            at[m->count++] =
                (struct timeseries_point){time_of(l, i), row->counts[i], 0};
}

enum status logged_read(struct rca_context *facts)
{
    static const struct slice names[] = {
        {DERIVED_LOGS, sizeof(DERIVED_LOGS) - 1}};
    const struct cause_window *w = &facts->times[DURING];
    struct logged l = {.facts = facts, .usual = facts->times[BEFORE]};
    struct series_query query = {
        .resources = facts->resources, .names = names, .name_count = 1};
    uint64_t history = HISTORY_MIN * NS_PER_MIN;
    enum status s;

    if (l.usual.end_ns > history && l.usual.end_ns - history < l.usual.start_ns)
        l.usual.start_ns = l.usual.end_ns - history;
    l.usual.start_ns = l.usual.start_ns / NS_PER_MIN * NS_PER_MIN;
    l.usual.end_ns = l.usual.end_ns / NS_PER_MIN * NS_PER_MIN;
    l.now_ns = w->start_ns / NS_PER_MIN * NS_PER_MIN;
    l.usual_minutes =
        (uint32_t)((l.usual.end_ns - l.usual.start_ns) / NS_PER_MIN);
    l.minutes =
        l.usual_minutes + (uint32_t)((w->end_ns - l.now_ns) / NS_PER_MIN) + 1;
    if (l.minutes > MAX_MINUTES) /* too long to be looked at by the minute */
        return OK;
    l.all = arena_zero(facts->arena, l.minutes, sizeof(double));
    if (!l.all || !terms_init(&l.keys, facts->arena))
        return arena_status(facts->arena);
    query.start_ns = l.usual.start_ns;
    query.end_ns = l.usual.end_ns;
    s = reader_query_series(facts->question->reader, &query, read_point, &l);
    query.start_ns = l.now_ns;
    query.end_ns = w->end_ns + NS_PER_MIN;
    if (s == OK)
        s = reader_query_series(facts->question->reader, &query, read_point,
                                &l);
    for (uint32_t i = 0; s == OK && i < l.row_count; i++)
        if (l.rows[i].counts)
            add_meter(&l, &l.rows[i]);
    return s != OK ? s : arena_status(facts->arena);
}
