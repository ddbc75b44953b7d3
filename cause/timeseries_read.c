/*
 *   points ──► series of bins ──► numbers over time, labels put together
 *
 * Points come in any order, so what a counter did is known when all are read:
 * a bin keeps the last it saw, and how much that grew is told from bin to bin.
 */
#include "timeseries_bins.h"

#include <math.h>
#include <stdlib.h>

#include "attr_hash.h"
#include "hash.h"
#include "series_set.h"

enum {
    HISTORY_MIN = 30, /* tells what is usual better than a short baseline */
    LONG_HISTORY_MIN = 240, /* where points are few */
    FEW = 12,               /* readings before: less tell no spread */
    PER_WINDOW = 12,        /* bins of a window: four in a third of it */
    LEAST_BIN_S = 10,
    MAX_BINS = 256,   /* before the window */
    MANY = 200,       /* components */
    MORE_POINTS = 64, /* of a counter than there are bins: resets */
};
/* All bins of one question; it may have 32 MiB in all. */
static const size_t MAX_BYTES = 6 << 20;
/* Of longer times only what has a limit is read. */
static const uint64_t MAX_TIME_NS = NS_PER_DAY;

/* ---- what a point belongs to ---- */

static uint32_t kind_of(struct timeseries_reader *r, const struct metric *m,
                        uint32_t component)
{
    uint64_t key = hash_mix(hash_bytes(m->name.ptr, m->name.len, m->type),
                            hash_bytes(m->unit.ptr, m->unit.len, 3));
    uint32_t n = terms_find(&r->kind_keys, key);
    struct metric_info *kind;

    if (n != NOBODY)
        return n;
    kind = facts_append(r->facts, &r->kinds, r->kind_count, &r->kind_room);
    if (!kind)
        return NOBODY;
    n = terms_add(&r->kind_keys, key, (struct slice){0}, (struct slice){0},
                  false);
    if (n == NOBODY)
        return NOBODY;
    *kind = (struct metric_info){.metric = *m};
    struct slice bare =
        bare_name(m->name, r->facts->components[component].component);
    kind->metric.name = arena_copy(r->facts->arena, m->name);
    kind->metric.unit = arena_copy(r->facts->arena, m->unit);
    if (!slice_starts(m->name, SLICE("callboard."))) /* derived series */
        kind->meaning = meaning_of(&kind->metric, bare, &kind->falls);
    kind->known = metric_name_find(m->name);
    kind->sort = hash_mix(hash_bytes(bare.ptr, bare.len, m->type),
                          hash_bytes(m->unit.ptr, m->unit.len, 3));
    r->kind_count++;
    return n;
}

/* Labels of what is not in use: the rest of a whole, which moves when the
 * other parts do. */
static bool is_rest(const struct attrs *attrs)
{
    static const char *const rest[] = {"idle",   "free",     "available",
                                       "cached", "buffered", "inactive"};

    for (uint32_t i = 0; i < attrs->count; i++)
        for (size_t k = 0; k < sizeof(rest) / sizeof(*rest); k++)
            if (slice_equal(attr_text(&attrs->at[i]), slice_of(rest[k])))
                return true;
    return false;
}

static struct raw_series *raw_at(struct timeseries_reader *r,
                                 const struct point *p, uint32_t component,
                                 uint32_t kind)
{
    uint64_t key = hash_mix(series_key(p), kind);
    uint32_t n = terms_find(&r->raw_keys, key);
    struct raw_series *raw;

    if (n != NOBODY)
        return r->raws[n].left_out ? NULL : &r->raws[n];
    if (r->raw_count == r->max_raws)
        return NULL;
    /* Room first: a key that is known has its element. */
    raw = facts_append(r->facts, &r->raws, r->raw_count, &r->raw_room);
    if (!raw || terms_add(&r->raw_keys, key, (struct slice){0},
                          (struct slice){0}, false) == NOBODY)
        return NULL;
    r->raw_count++;
    *raw = (struct raw_series){
        .component = component,
        .resource = p->resource_id,
        .kind = kind,
        .labels = attrs_hash(&p->attrs),
        .mode = (uint8_t)metric_mode(p->metric, r->kinds[kind].known),
        .failed = metric_outcome(&p->attrs) == OUTCOME_FAILED,
        .left_out = is_rest(&p->attrs),
        .growth = {.max = r->bin_count + MORE_POINTS, .cells = r->bin_count}};
    if (!raw->left_out && raw->mode != MODE_COUNTER) {
        raw->bins =
            arena_zero(r->facts->arena, r->bin_count, sizeof(struct bin));
        raw->left_out = !raw->bins;
    }
    return raw->left_out ? NULL : raw;
}

/* ---- taking points ---- */

/* A sum is optional: of what has none requests are known, and no mean. */
static bool value_of(const struct point *p, enum metric_mode mode, double *sum,
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

/* The bin of a time; false: it is in neither half. */
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

static void put(struct timeseries_reader *r, struct raw_series *raw,
                uint32_t bin, const struct point *p)
{
    struct counter_point *slot, total = {.time_ns = p->time_ns, .cell = bin};
    double sum, weight;

    if (!value_of(p, (enum metric_mode)raw->mode, &sum, &weight))
        return;
    if (raw->mode == MODE_COUNTER) {
        total.value = weight;
        /* The start of a gauge says nothing about its value. */
        total.start_ns = p->metric->type == METRIC_GAUGE ? 0 : p->start_ns;
        if (counter_add(&raw->growth, r->facts->arena, &total, &slot) ==
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

static void read_point(void *arg, const struct point *p)
{
    struct timeseries_reader *r = arg;
    uint32_t bin, component, kind;

    if (p->flags & POINT_NO_VALUE || !bin_of(r, p->time_ns, &bin))
        return;
    component = facts_component(r->facts, p->resource_id);
    if (component == NOBODY || (r->rest && limits_knows(p->metric->name)))
        return;
    kind = kind_of(r, p->metric, component);
    if (kind == NOBODY || r->kinds[kind].meaning == MEANS_NOTHING)
        return;
    struct raw_series *raw = raw_at(r, p, component, kind);
    if (raw)
        put(r, raw, bin, p);
}

/* ---- all of it ---- */

/* Bins such that one ends where the window begins. */
static void choose_bins(struct timeseries_reader *r, uint64_t history_ns)
{
    const struct cause_window *w = &r->facts->times[DURING];

    r->usual = r->facts->times[BEFORE];
    if (r->usual.end_ns > history_ns &&
        r->usual.end_ns - history_ns < r->usual.start_ns)
        r->usual.start_ns = r->usual.end_ns - history_ns;
    uint64_t usual_ns = r->usual.end_ns - r->usual.start_ns;
    r->bin_ns = (w->end_ns - w->start_ns) / PER_WINDOW;
    if (r->bin_ns < LEAST_BIN_S * NS_PER_S)
        r->bin_ns = LEAST_BIN_S * NS_PER_S;
    /* Few scrape more often, and memory is for all. */
    if (r->facts->component_count > MANY && r->bin_ns < NS_PER_MIN)
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
    r->max_raws = (uint32_t)(MAX_BYTES / (r->bin_count * sizeof(struct bin)));
}

static enum status read_half(struct timeseries_reader *r,
                             struct series_query *query)
{
    struct reader *reader = r->facts->question->reader;
    enum status s;

    query->start_ns = r->usual.start_ns;
    query->end_ns = r->usual.end_ns;
    s = reader_query_series(reader, query, read_point, r);
    query->start_ns = r->now_ns;
    query->end_ns = r->end_ns;
    return s == OK ? reader_query_series(reader, query, read_point, r) : s;
}

/* What has a limit first, if not all can be kept, or read in time. */
static enum status read_all(struct timeseries_reader *r)
{
    bool is_long = r->end_ns - r->usual.start_ns > MAX_TIME_NS;
    struct series_query query = {.resources = r->facts->reporting};
    enum status s = OK;

    if (is_long || r->facts->component_count > MANY) {
        query.names = limits_names(r->facts->arena, &query.name_count);
        s = query.names ? read_half(r, &query) : arena_status(r->facts->arena);
        query.names = NULL;
        query.name_count = 0;
        r->rest = true;
    }
    return s == OK && !is_long ? read_half(r, &query) : s;
}

static enum status read_once(struct rca_context *facts, uint64_t history_ns)
{
    struct timeseries_reader r = {.facts = facts};
    enum status s;

    choose_bins(&r, history_ns);
    if (!terms_init(&r.raw_keys, facts->arena) ||
        !terms_init(&r.kind_keys, facts->arena))
        return arena_status(facts->arena);
    s = read_all(&r);
    if (s != OK)
        return s;
    bins_put_together(&r);
    facts->meter_count = 0;
    for (uint32_t i = 0; i < r.raw_count; i++)
        if (r.raws[i].bins)
            bins_make_meters(&r, &r.raws[i]);
    return arena_status(facts->arena);
}

/* Most meters that go back to where reading began have too few readings to tell
 * what is usual. */
static bool few(const struct rca_context *facts)
{
    uint64_t end = facts->times[BEFORE].end_ns, back = HISTORY_MIN * NS_PER_MIN;
    uint32_t poor = 0, all = 0;

    for (uint32_t i = 0; i < facts->meter_count; i++) {
        const struct timeseries *m = &facts->meters[i];
        uint32_t n = 0;

        while (n < m->count && m->at[n].time_ns <= end)
            n++;
        if (n == 0 || end < back || m->at[0].time_ns > end - back / 4 * 3)
            continue;
        poor += n < FEW;
        all++;
    }
    return 2 * poor > all;
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

enum status meters_read(struct rca_context *facts)
{
    enum status s = read_once(facts, HISTORY_MIN * NS_PER_MIN);

    if (s == OK && few(facts))
        s = read_once(facts, LONG_HISTORY_MIN * NS_PER_MIN);
    return s;
}

void meters_sort(struct rca_context *facts)
{
    if (facts->meter_count > 0)
        qsort(facts->meters, facts->meter_count, sizeof(*facts->meters),
              by_pod);
}
