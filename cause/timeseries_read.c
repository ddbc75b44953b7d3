/*
 *   points ──► series of bins ──► numbers over time, labels merged
 *
 * Points come in any order, so what a counter did is known when all are read.
 */
#include <math.h>
#include <stdlib.h>

#include "attr_hash.h"
#include "event_list.h"
#include "hash.h"
#include "series_set.h"
#include "timeseries_bins.h"

enum {
    HISTORY_MIN = 30,       /* more reliable than a short baseline */
    LONG_HISTORY_MIN = 240, /* where points are few */
    MIN_POINTS = 12,        /* before the window: fewer show no spread */
    BINS_PER_WINDOW = 12,   /* four in a third of it */
    MIN_BIN_S = 10,
    MAX_BINS = 256,    /* before the window */
    MANY = 200,        /* components */
    EXTRA_POINTS = 64, /* of a counter, more than there are bins: resets */
};
/* All bins of one query; it may have 32 MiB in all. */
static const size_t MAX_BYTES = 6 << 20;
/* Of longer times only what has a limit is read. */
static const uint64_t MAX_TIME_NS = NS_PER_DAY;

/* ---- what a point belongs to ---- */

/* Its number; NO_INDEX: the arena is full. */
static uint32_t metric_of(struct timeseries_reader *r, const struct metric *m,
                          uint32_t component)
{
    uint64_t key = hash_mix(hash_bytes(m->name.ptr, m->name.len, m->type),
                            hash_bytes(m->unit.ptr, m->unit.len, 3));
    uint32_t n = terms_find(&r->metric_keys, key);
    struct slice bare;
    struct metric_info *info;

    if (n != NO_INDEX)
        return n;
    info =
        arena_append(r->arena, &r->metrics, r->metric_count, &r->metric_room);
    n = info ? terms_add_key(&r->metric_keys, key) : NO_INDEX;
    if (n == NO_INDEX)
        return NO_INDEX;
    r->metric_count++;
    *info = (struct metric_info){.metric = *m,
                                 .known = metric_name_find(m->name),
                                 .limit = metric_limit_find(m->name)};
    info->metric.name = arena_copy(r->arena, m->name);
    info->metric.unit = arena_copy(r->arena, m->unit);
    bare = metric_bare_name(m->name, candidate_name(r->candidates, component));
    /* Derived series, and what is read as events, have no class. */
    if (!slice_starts(m->name, SLICE("callboard.")) &&
        !event_metric_is(m->name)) {
        info->class =
            metric_class_of(&info->metric, bare, &info->less_is_worse);
        info->of_callee =
            metric_class_of_calls(&info->metric, bare, &info->callee_less);
        info->side = metric_side_of(bare);
        histogram_part_find(info, bare);
    }
    info->sort = hash_mix(hash_bytes(bare.ptr, bare.len, m->type),
                          hash_bytes(m->unit.ptr, m->unit.len, 3));
    return n;
}

/* Labels of the unused part of a resource, which changes when the other parts
 * do. */
static bool is_unused_part(const struct attrs *attrs)
{
    static const char *const unused[] = {"idle",   "free",     "available",
                                         "cached", "buffered", "inactive"};

    for (uint32_t i = 0; i < attrs->count; i++)
        for (size_t k = 0; k < sizeof(unused) / sizeof(*unused); k++)
            if (slice_equal(attr_text(&attrs->at[i]), slice_of(unused[k])))
                return true;
    return false;
}

/* Sizes of bodies and pools of connections are not. */
static bool may_be_of_calls(const struct metric_info *info)
{
    double factor;

    if (info->metric.type >= METRIC_HISTOGRAM &&
        unit_quantity(info->metric.unit, &factor) == QUANTITY_BYTES)
        return false;
    return info->of_callee == CLASS_LATENCY ||
           info->of_callee == CLASS_ERRORS ||
           info->of_callee == CLASS_SUCCESS || info->of_callee == CLASS_TRAFFIC;
}

/* Calls of a component are about the callee, if the labels name it. */
static void read_ends(struct timeseries_reader *r, const struct point *p,
                      const struct metric_info *info, struct raw_series *raw)
{
    if (!may_be_of_calls(info))
        return;
    struct call_labels labels =
        call_labels_read(&p->attrs, info->metric.name, info->side);
    struct call_ends ends =
        call_ends_find(&r->calls, &labels, p->resource_id, raw->component);
    bool is_other = ends.about != raw->component;

    raw->component = ends.about;
    raw->caller = ends.caller;
    raw->side = (uint8_t)labels.side;
    if (is_other || labels.side == METRIC_SIDE_SERVER)
        raw->class = (uint8_t)info->of_callee;
    else if (ends.is_unknown_callee && info->of_callee != CLASS_TRAFFIC)
        raw->class = CLASS_CALLS;
    /* Own metrics must have room, too. */
    r->call_count += ends.caller != NO_INDEX;
    raw->ignored = raw->ignored || ends.is_neither ||
                   (ends.caller != NO_INDEX && r->call_count > r->max_raw / 2);
}

/* NULL: it is not read, or there is no room. */
static struct raw_series *raw_of(struct timeseries_reader *r,
                                 const struct point *p, uint32_t component,
                                 uint32_t metric)
{
    uint64_t key = hash_mix(series_key(p), metric);
    uint32_t n = terms_find(&r->raw_keys, key);
    struct raw_series *raw;

    if (n != NO_INDEX)
        return r->raw[n].ignored ? NULL : &r->raw[n];
    if (r->raw_count == r->max_raw)
        return NULL;
    /* Room first: a key that is known has its element. */
    raw = arena_append(r->arena, &r->raw, r->raw_count, &r->raw_room);
    if (!raw || terms_add_key(&r->raw_keys, key) == NO_INDEX)
        return NULL;
    r->raw_count++;
    *raw = (struct raw_series){
        .component = component,
        .resource = p->resource_id,
        .metric = metric,
        .caller = NO_INDEX,
        .class = (uint8_t)r->metrics[metric].class,
        .labels = attrs_hash(&p->attrs),
        .parts = label_hashes_of(&p->attrs),
        .mode = (uint8_t)metric_mode(p->metric, r->metrics[metric].known),
        .failed = metric_outcome(&p->attrs) == OUTCOME_FAILED,
        .ignored = is_unused_part(&p->attrs),
        .counter = {.max = r->bin_count + EXTRA_POINTS, .cells = r->bin_count}};
    read_ends(r, p, &r->metrics[metric], raw);
    if (!raw->ignored && raw->mode != MODE_COUNTER) {
        raw->bins = arena_zero(r->arena, r->bin_count, sizeof(struct bin));
        raw->ignored = !raw->bins;
    }
    if (raw->mode == MODE_GAUGE && r->metrics[metric].is_sum_part)
        raw->ignored = true;
    return raw->ignored ? NULL : raw;
}

/* ---- taking points ---- */

/* A sum is optional: without one the requests are known, and no mean. */
static bool number_of(const struct point *p, enum metric_mode mode, double *sum,
                      double *weight)
{
    if (p->metric->type <= METRIC_SUM) {
        *sum = p->is_int ? (double)p->i : p->d;
        *weight = mode == MODE_GAUGE ? 1 : *sum;
        return isfinite(*sum);
    }
    *weight = (double)p->histogram->count;
    *sum = p->histogram->has_sum ? p->histogram->sum : (double)NAN;
    return true;
}

/* The bin of a time; false: it is in neither period. */
static bool bin_of(const struct timeseries_reader *r, uint64_t ns,
                   uint32_t *bin)
{
    if (ns > r->usual.start_ns && ns <= r->usual.end_ns)
        *bin = (uint32_t)((ns - r->usual.start_ns) / r->bin_ns);
    else if (ns > r->now_ns && ns <= r->end_ns)
        *bin = r->usual_bins + (uint32_t)((ns - r->now_ns) / r->bin_ns);
    else
        return false;
    return *bin < r->bin_count;
}

static void add_point(struct timeseries_reader *r, struct raw_series *raw,
                      uint32_t bin, const struct point *p)
{
    struct counter_point *slot, total = {.time_ns = p->time_ns, .cell = bin};
    double sum, weight;

    if (!number_of(p, (enum metric_mode)raw->mode, &sum, &weight))
        return;
    if (raw->mode == MODE_COUNTER) {
        total.value = weight;
        /* The start of a gauge says nothing about its value. */
        total.start_ns = p->metric->type == METRIC_GAUGE ? 0 : p->start_ns;
        if (counter_add(&raw->counter, r->arena, &total, &slot) ==
            COUNTER_STORED)
            slot->sum = sum;
        return;
    }
    struct bin *b = &raw->bins[bin];

    b->sum += sum;
    b->weight += weight;
    b->time += (float)((double)(p->time_ns - r->usual.start_ns) / 1e9);
    b->points++;
}

/* The number of its series; NO_INDEX: it is not read. */
static uint32_t find_series(struct timeseries_reader *r, const struct point *p)
{
    uint32_t component, metric;
    const struct raw_series *raw;

    component = candidate_of_resource(r->candidates, p->resource_id);
    if (component == NO_INDEX ||
        (r->skip_limits && metric_limit_find(p->metric->name)))
        return NO_INDEX;
    metric = metric_of(r, p->metric, component);
    if (metric == NO_INDEX || r->metrics[metric].class == CLASS_IGNORED)
        return NO_INDEX;
    raw = raw_of(r, p, component, metric);
    return raw ? (uint32_t)(raw - r->raw) : NO_INDEX;
}

static void read_series(void *arg)
{
    struct timeseries_reader *r = arg;

    r->series.is_known = false;
}

static void read_point(void *arg, const struct point *p)
{
    struct timeseries_reader *r = arg;
    uint32_t bin;

    if (p->flags & POINT_NO_VALUE || !bin_of(r, p->time_ns, &bin))
        return;
    if (!r->series.is_known)
        r->series.raw = find_series(r, p);
    r->series.is_known = true;
    if (r->series.raw != NO_INDEX)
        add_point(r, &r->raw[r->series.raw], bin, p);
}

/* ---- all of it ---- */

/* Bins such that one ends where the window begins. */
static void choose_bins(struct timeseries_reader *r,
                        const struct rca_times *times, uint64_t history_ns)
{
    const struct cause_window *w = &times->period[WINDOW];

    r->changes_from_ns = rca_changes_from(times);
    r->usual = rca_history(times, history_ns);
    uint64_t usual_ns = r->usual.end_ns - r->usual.start_ns;
    r->bin_ns = (w->end_ns - w->start_ns) / BINS_PER_WINDOW;
    if (r->bin_ns < MIN_BIN_S * NS_PER_S)
        r->bin_ns = MIN_BIN_S * NS_PER_S;
    /* Few scrape more often, and memory is for all. */
    if (r->candidates->component_count > MANY && r->bin_ns < NS_PER_MIN)
        r->bin_ns = NS_PER_MIN;
    if (usual_ns / r->bin_ns >= MAX_BINS)
        r->bin_ns = usual_ns / MAX_BINS + 1;
    r->now_ns = w->start_ns - r->bin_ns;
    if (r->now_ns < r->usual.end_ns)
        r->now_ns = r->usual.end_ns;
    r->end_ns = w->end_ns + MAX_STEP_NS;
    r->usual_bins = (uint32_t)(usual_ns / r->bin_ns) + 1;
    r->bin_count =
        r->usual_bins + (uint32_t)((r->end_ns - r->now_ns) / r->bin_ns) + 1;
    r->max_raw = (uint32_t)(MAX_BYTES / (r->bin_count * sizeof(struct bin)));
}

enum status timeseries_query(struct reader *reader, struct series_query *query,
                             const struct cause_window times[2],
                             point_visit *visit, void *arg)
{
    enum status s = OK;

    for (int i = 0; i < 2 && s == OK; i++) {
        query->start_ns = times[i].start_ns;
        query->end_ns = times[i].end_ns;
        s = reader_query_series(reader, query, visit, arg);
    }
    return s;
}

/* What has a limit first, if not all can be kept, or read in time. */
static enum status read_all(struct timeseries_reader *r)
{
    bool is_long = r->end_ns - r->usual.start_ns > MAX_TIME_NS;
    struct series_query query = {.resources = r->candidates->reporting,
                                 .sent = true,
                                 .series = read_series};
    const struct cause_window times[] = {r->usual, {r->now_ns, r->end_ns}};
    enum status s = OK;

    if (is_long || r->candidates->component_count > MANY) {
        query.names = metric_limit_names(r->arena, &query.name_count);
        if (!query.names)
            return arena_status(r->arena);
        s = timeseries_query(r->reader, &query, times, read_point, r);
        query.names = NULL;
        query.name_count = 0;
        r->skip_limits = true;
    }
    return s == OK && !is_long
               ? timeseries_query(r->reader, &query, times, read_point, r)
               : s;
}

/* What is in the bins, as time series. */
static enum status make_timeseries(struct timeseries_reader *r,
                                   struct timeseries_list *list)
{
    list->count = 0;
    bins_merge(r);
    histogram_parts_join(r);
    bins_to_timeseries(r, list);
    return arena_status(r->arena);
}

/* graph: gets the calls that metrics name; NULL: none are wanted. */
static bool start(struct timeseries_reader *r, struct call_graph *graph)
{
    return terms_init(&r->raw_keys, r->arena) &&
           terms_init(&r->metric_keys, r->arena) &&
           call_resolver_init(&r->calls, r->candidates, graph);
}

static enum status read_once(struct timeseries_list *list,
                             struct timeseries_reader r,
                             struct call_graph *graph,
                             const struct rca_times *times, uint64_t history_ns)
{
    enum status s;

    choose_bins(&r, times, history_ns);
    if (!start(&r, graph))
        return arena_status(r.arena);
    s = read_all(&r);
    return s == OK ? make_timeseries(&r, list) : s;
}

/* Most time series that go back to the start of the history have too few points
 * to show what is usual. */
static bool are_sparse(const struct timeseries_list *list,
                       const struct rca_times *times)
{
    uint64_t end = times->period[BASELINE].end_ns;
    uint64_t back = HISTORY_MIN * NS_PER_MIN;
    uint32_t sparse = 0, all = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        const struct timeseries *t = &list->at[i];
        uint32_t n = 0;

        while (n < t->count && t->at[n].time_ns <= end)
            n++;
        if (n == 0 || end < back || t->at[0].time_ns > end - back / 4 * 3)
            continue;
        sparse += n < MIN_POINTS;
        all++;
    }
    return 2 * sparse > all;
}

enum status timeseries_read(struct timeseries_list *list, struct reader *reader,
                            struct candidates *candidates,
                            struct call_graph *graph,
                            const struct rca_times *times, struct arena *arena)
{
    struct timeseries_reader r = {
        .arena = arena, .reader = reader, .candidates = candidates};
    enum status s;

    *list = (struct timeseries_list){.arena = arena};
    s = read_once(list, r, graph, times, HISTORY_MIN * NS_PER_MIN);
    if (s == OK && are_sparse(list, times))
        s = read_once(list, r, graph, times, LONG_HISTORY_MIN * NS_PER_MIN);
    return s;
}

enum status timeseries_read_minutes(struct timeseries_list *list,
                                    struct reader *reader,
                                    struct candidates *candidates,
                                    struct cause_window time,
                                    struct arena *arena)
{
    struct timeseries_reader r = {.arena = arena,
                                  .reader = reader,
                                  .candidates = candidates,
                                  .usual = time,
                                  .now_ns = time.end_ns,
                                  .end_ns = time.end_ns,
                                  .bin_ns = NS_PER_MIN};
    struct series_query query = {.start_ns = time.start_ns,
                                 .end_ns = time.end_ns,
                                 .resources = candidates->reporting,
                                 .sent = true,
                                 .series = read_series};
    enum status s;

    *list = (struct timeseries_list){.arena = arena};
    r.usual_bins = r.bin_count =
        (uint32_t)((time.end_ns - time.start_ns) / NS_PER_MIN) + 1;
    r.max_raw = (uint32_t)(MAX_BYTES / (r.bin_count * sizeof(struct bin)));
    if (candidates->component_count > MANY)
        return OK;
    if (!start(&r, NULL))
        return arena_status(arena);
    s = reader_query_series(reader, &query, read_point, &r);
    return s == OK ? make_timeseries(&r, list) : s;
}

struct timeseries *timeseries_add(struct timeseries_list *list, uint32_t points)
{
    struct timeseries_point *at =
        arena_alloc(list->arena, (points + 1) * sizeof(*at));
    struct timeseries *t =
        at ? arena_append(list->arena, &list->at, list->count, &list->room)
           : NULL;

    if (t) {
        *t = (struct timeseries){.at = at, .caller = NO_INDEX};
        list->count++;
    }
    return t;
}

static int by_pod(const void *left, const void *right)
{
    const struct timeseries *a = left, *b = right;
    int order = slice_compare(a->name, b->name);

    if (a->component != b->component)
        return a->component < b->component ? -1 : 1;
    if (a->resource != b->resource)
        return a->resource < b->resource ? -1 : 1;
    if (order != 0)
        return order;
    if (a->sort != b->sort)
        return a->sort < b->sort ? -1 : 1;
    return (a->labels > b->labels) - (a->labels < b->labels);
}

void timeseries_sort(struct timeseries_list *list)
{
    if (list->count > 0)
        qsort(list->at, list->count, sizeof(*list->at), by_pod);
}
