/*
 * Log records of components without requests, as metrics: the records of each
 * error template per minute, and all other records together per minute, which
 * measure the load.
 *
 * A minute without a record counts as zero, unless nobody logged anything.
 */
#include "clock.h"
#include "derived.h"
#include "hash.h"
#include "timeseries.h"

enum { HISTORY_MIN = 30, MAX_MINUTES = 1440, MAX_RATES = 1024 };

struct log_rate { /* of an error template of a component, or all its others */
    uint32_t component;
    struct slice template; /* empty: the others */
    double *minutes;
};

struct log_rates {
    struct timeseries_list *list;
    struct candidates *candidates;
    const struct red_counts *red;
    struct cause_window usual;
    uint64_t now_ns;
    uint32_t usual_minutes, minutes;
    struct interned_terms keys;
    struct log_rate *at;
    uint32_t room;
    double *all; /* records of everybody */
};

static bool minute_of(const struct log_rates *r, uint64_t ns, uint32_t *minute)
{
    if (ns >= r->usual.start_ns && ns < r->usual.end_ns)
        *minute = (uint32_t)((ns - r->usual.start_ns) / NS_PER_MIN);
    else if (ns >= r->now_ns)
        *minute = r->usual_minutes + (uint32_t)((ns - r->now_ns) / NS_PER_MIN);
    else
        return false;
    return *minute < r->minutes;
}

static uint64_t time_of(const struct log_rates *r, uint32_t minute)
{
    return NS_PER_MIN / 2 +
           (minute < r->usual_minutes
                ? r->usual.start_ns + minute * NS_PER_MIN
                : r->now_ns + (minute - r->usual_minutes) * NS_PER_MIN);
}

static void count(struct log_rates *r, uint32_t component,
                  struct slice template, uint32_t minute, double amount)
{
    struct arena *arena = r->list->arena;
    uint64_t key =
        hash_mix(hash_bytes(template.ptr, template.len, 5), component);
    uint32_t known = r->keys.count, n = terms_find(&r->keys, key);
    struct log_rate *rate;

    if (n == NO_INDEX && known < MAX_RATES)
        n = terms_add_text(&r->keys, key, template);
    rate = n == NO_INDEX ? NULL : arena_append(arena, &r->at, n, &r->room);
    if (!rate)
        return;
    if (n == known)
        *rate = (struct log_rate){
            component, r->keys.at[n].text,
            arena_zero(arena, r->minutes, sizeof(*rate->minutes))};
    if (rate->minutes)
        rate->minutes[minute] += amount;
}

static void read_point(void *arg, const struct point *p)
{
    struct log_rates *r = arg;
    struct slice template = attrs_text(&p->attrs, SLICE(DERIVED_TEMPLATE));
    struct slice level = attrs_text(&p->attrs, SLICE(DERIVED_LEVEL));
    uint32_t component = candidate_of_resource(r->candidates, p->resource_id);
    double amount = p->is_int ? (double)p->i : p->d;
    uint32_t minute;

    if (component == NO_INDEX || !minute_of(r, p->start_ns, &minute))
        return;
    r->all[minute] += amount;
    if (red_any_served(r->red, component))
        return;
    if (!slice_equal(level, SLICE("ERROR")) &&
        !slice_equal(level, SLICE("FATAL")))
        template = (struct slice){NULL, 0};
    count(r, component, template, minute, amount);
}

static void add_timeseries(struct log_rates *r, const struct log_rate *rate)
{
    struct timeseries *t =
        rate->minutes ? timeseries_add(r->list, r->minutes) : NULL;
    struct slice template = rate->template;
    bool errors = template.len > 0;

    if (!t)
        return;
    t->component = rate->component;
    t->resource = RESOURCE_NONE;
    t->name = errors ? template : SLICE("lines");
    t->unit = SLICE("lines/min");
    t->sort = hash_bytes(template.ptr, template.len, rate->component);
    t->class = errors ? CLASS_ERROR_LOGS : CLASS_TRAFFIC;
    for (uint32_t i = 0; i < r->minutes; i++)
        if (r->all[i] > 0)
            t->at[t->count++] =
                (struct timeseries_point){time_of(r, i), rate->minutes[i], 0};
}

static void choose_minutes(struct log_rates *r, const struct rca_times *times)
{
    const struct cause_window *w = &times->period[WINDOW];

    r->usual = rca_history(times, HISTORY_MIN * NS_PER_MIN);
    r->usual.start_ns = r->usual.start_ns / NS_PER_MIN * NS_PER_MIN;
    r->usual.end_ns = r->usual.end_ns / NS_PER_MIN * NS_PER_MIN;
    r->now_ns = w->start_ns / NS_PER_MIN * NS_PER_MIN;
    r->usual_minutes =
        (uint32_t)((r->usual.end_ns - r->usual.start_ns) / NS_PER_MIN);
    r->minutes =
        r->usual_minutes + (uint32_t)((w->end_ns - r->now_ns) / NS_PER_MIN) + 1;
}

enum status log_rates_read(struct timeseries_list *list, struct reader *reader,
                           struct candidates *candidates,
                           const struct red_counts *red,
                           const struct rca_times *times)
{
    static const struct slice names[] = {SLICE_INIT(DERIVED_LOGS)};
    struct log_rates r = {.list = list, .candidates = candidates, .red = red};
    struct series_query query = {
        .resources = candidates->resources, .names = names, .name_count = 1};

    choose_minutes(&r, times);
    if (r.minutes > MAX_MINUTES) /* too long to be looked at by the minute */
        return OK;
    r.all = arena_zero(list->arena, r.minutes, sizeof(*r.all));
    if (!r.all || !terms_init(&r.keys, list->arena))
        return arena_status(list->arena);
    const struct cause_window ranges[] = {
        r.usual, {r.now_ns, times->period[WINDOW].end_ns + NS_PER_MIN}};
    enum status s = timeseries_query(reader, &query, ranges, read_point, &r);
    for (uint32_t i = 0; s == OK && i < r.keys.count; i++)
        add_timeseries(&r, &r.at[i]);
    return s != OK ? s : arena_status(list->arena);
}
