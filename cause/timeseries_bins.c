/*
 * From bins to numbers over time: gauges as they are, counters by how much they
 * grew from bin to bin, histograms as the mean of what came in between.
 */
#include "timeseries_bins.h"

#include <math.h>
#include <stdlib.h>

#include "hash.h"
#include "units.h"

/* Where times were added up. */
static double mean_time(const struct bin *b)
{
    return (double)b->time / b->points;
}

/* Deltas are summed in their bins; they are of the time since the bin before.
 */
static void span_deltas(const struct timeseries_reader *r,
                        struct raw_series *raw)
{
    struct bin before = {0};

    for (uint32_t i = 0; i < r->bin_count; i++) {
        struct bin *b = &raw->bins[i], now = *b;

        if (b->points == 0)
            continue;
        now.time = (float)mean_time(&now);
        if (before.points == 0) {
            b->points = 0; /* since when? */
        } else {
            b->span = now.time - before.time;
            b->time = (now.time + before.time) / 2;
            b->failed = raw->failed ? (float)b->weight : 0;
        }
        before = now;
    }
}

struct filling {
    const struct timeseries_reader *r;
    const struct raw_series *raw;
    struct bin *bins;
};

static bool fill_bin(void *arg, const struct counter_increase *growth)
{
    const struct filling *f = arg;
    struct bin *b = &f->bins[growth->after->cell];
    double took = (double)(growth->to_ns - growth->from_ns) / 1e9;
    double end = (double)(int64_t)(growth->to_ns - f->r->usual.start_ns) / 1e9;

    b->sum += growth->after->sum - (growth->before ? growth->before->sum : 0);
    b->weight += counter_increase_amount(growth);
    b->failed = f->raw->failed ? (float)b->weight : 0;
    b->span += (float)took;
    b->time = (float)(end - b->span / 2);
    b->points++;
    return true;
}

/* How much a counter grew until each of its bins. */
static void fill_bins(const struct timeseries_reader *r,
                      const struct raw_series *raw, struct bin *bins)
{
    struct filling filling = {r, raw, bins};
    /* What lies between the halves was not read. */
    const struct counter_rules rules = {
        r->now_ns > r->usual.end_ns ? r->now_ns : r->usual.start_ns,
        UINT64_MAX};

    memset(bins, 0, r->bin_count * sizeof(*bins));
    (void)counter_walk(&raw->growth, &rules, fill_bin, &filling);
}

static void fold(const struct timeseries_reader *r, struct raw_series *into,
                 const struct raw_series *raw, const struct bin *bins)
{
    for (uint32_t i = 0; i < r->bin_count; i++) {
        struct bin *to = &into->bins[i];
        const struct bin *b = &bins[i];

        if (b->points == 0)
            continue;
        to->sum += b->sum;
        to->weight += b->weight;
        to->failed += b->failed;
        if (to->points == 0) {
            to->time = b->time;
            to->span = b->span;
        }
        to->points += b->points;
    }
    into->failed = into->failed || raw->failed;
}

enum shape { VALUE, MEAN, RATE, REQUESTS, FAILED_SHARE };

static double number_of(const struct bin *b, enum shape shape)
{
    switch (shape) {
    case VALUE:
    case MEAN:
        return b->weight > 0 ? b->sum / b->weight : NAN;
    case RATE:
        return b->span > 0 ? b->sum / b->span : NAN;
    case REQUESTS:
        return b->span > 0 ? b->weight / b->span : NAN;
    default:
        return b->weight > 0 ? b->failed / b->weight : NAN;
    }
}

/* A gauge tells of the time since the one before: half a step earlier. */
static double half_step(const struct timeseries_reader *r,
                        const struct raw_series *raw)
{
    double last = -1, step = (double)MAX_STEP_NS / 1e9;
    uint32_t points = 0, bins = 0;

    for (uint32_t i = 0; i < r->bin_count; i++) {
        const struct bin *b = &raw->bins[i];

        if (b->points == 0)
            continue;
        if (last >= 0 && mean_time(b) - last < step)
            step = mean_time(b) - last;
        last = mean_time(b);
        points += b->points;
        bins++;
    }
    return bins > 1 ? step / 2 * bins / points : 0;
}

struct timeseries *meters_add(struct rca_context *facts)
{
    struct timeseries *meter = facts_append(
        facts, &facts->meters, facts->meter_count, &facts->meter_room);

    if (meter)
        facts->meter_count++;
    return meter;
}

static bool is_percent(struct slice unit)
{
    double factor;

    return unit_quantity(unit, &factor) == QUANTITY_RATIO && factor < 1;
}

/* What is missing to all: of two availabilities above 99 % one may be ten times
 * as bad. Values above 100 are no share. */
static void turn(struct timeseries *m)
{
    double most = 0;

    for (uint32_t i = 0; i < m->count; i++)
        most = fmax(most, m->at[i].value);
    if (!m->falls || m->meaning != MEANS_SUCCESS || most > 100)
        return;
    m->whole = most > 1 || is_percent(m->unit) ? 100 : 1;
    for (uint32_t i = 0; i < m->count; i++)
        m->at[i].value = 1 - m->at[i].value / m->whole;
    m->falls = false;
    m->is_share = true;
}

static void make_meter(const struct timeseries_reader *r,
                       const struct raw_series *raw, enum shape shape,
                       enum metric_class meaning)
{
    const struct metric_info *kind = &r->kinds[raw->kind];
    uint32_t filled = 0;

    for (uint32_t i = 0; i < r->bin_count; i++)
        filled += raw->bins[i].points > 0;
    struct timeseries_point *at =
        arena_alloc(r->facts->arena, (filled + 1) * sizeof(*at));
    struct timeseries *meter = at ? meters_add(r->facts) : NULL;
    double early = shape == VALUE ? half_step(r, raw) : 0;

    if (!meter)
        return;
    *meter = (struct timeseries){.component = raw->component,
                                 .name = kind->metric.name,
                                 .unit = kind->metric.unit,
                                 .resource = raw->resource,
                                 .labels = raw->labels,
                                 .meaning = (uint8_t)meaning,
                                 .falls = kind->falls,
                                 .is_share = shape == FAILED_SHARE,
                                 .sort = hash_mix(kind->sort, shape),
                                 .at = at};
    for (uint32_t i = 0; i < r->bin_count; i++) {
        const struct bin *b = &raw->bins[i];
        double value = b->points > 0 ? number_of(b, shape) : NAN;
        double s = shape == VALUE && b->points ? mean_time(b) - early : b->time;

        if (isfinite(value))
            at[meter->count++] = (struct timeseries_point){
                r->usual.start_ns + (uint64_t)(fmax(s, 0) * 1e9), value,
                shape == FAILED_SHARE ? b->weight : 0};
    }
    if (shape == FAILED_SHARE) {
        meter->name = facts_text(r->facts, "failures in %.*s",
                                 (int)meter->name.len, meter->name.ptr);
        meter->unit = SLICE("%");
    }
    turn(meter);
}

void bins_make_meters(const struct timeseries_reader *r,
                      const struct raw_series *raw)
{
    const struct metric_info *kind = &r->kinds[raw->kind];
    bool spread = kind->metric.type >= METRIC_HISTOGRAM;
    bool requests =
        kind->meaning == MEANS_LATENCY || kind->meaning == MEANS_TRAFFIC;

    make_meter(r, raw,
               raw->mode == MODE_GAUGE ? VALUE
               : spread                ? MEAN
                                       : RATE,
               kind->meaning);
    if (spread && kind->meaning == MEANS_LATENCY)
        make_meter(r, raw, REQUESTS, MEANS_TRAFFIC);
    if (raw->mode != MODE_GAUGE && requests && raw->failed)
        make_meter(r, raw, FAILED_SHARE, MEANS_ERRORS);
}

/* Bins of its own for what is the first of its kind. */
static void take_bins(const struct timeseries_reader *r, struct raw_series *raw,
                      const struct bin *bins)
{
    if (raw->bins == bins)
        return;
    raw->bins = arena_alloc(r->facts->arena, r->bin_count * sizeof(*bins));
    if (raw->bins)
        memcpy(raw->bins, bins, r->bin_count * sizeof(*bins));
}

void bins_put_together(struct timeseries_reader *r)
{
    struct arena *arena = r->facts->arena;
    struct interned_terms keys;
    struct bin *grown = arena_alloc(arena, r->bin_count * sizeof(*grown));
    uint32_t *first = arena_alloc(arena, (r->raw_count + 1) * sizeof(*first));

    if (!grown || !first || !terms_init(&keys, arena))
        return;
    for (uint32_t i = 0; i < r->raw_count; i++) {
        struct raw_series *raw = &r->raws[i];
        uint64_t key = hash_mix(raw->resource, raw->kind);
        uint32_t known = keys.count, n;
        struct bin *bins = raw->mode == MODE_COUNTER ? grown : raw->bins;

        if (raw->left_out || raw->mode == MODE_GAUGE)
            continue;
        if (raw->mode == MODE_COUNTER)
            fill_bins(r, raw, grown);
        else
            span_deltas(r, raw);
        n = terms_add(&keys, key, (struct slice){0}, (struct slice){0}, false);
        if (n == NOBODY)
            return;
        if (n == known) {
            first[n] = i;
            take_bins(r, raw, bins);
            continue;
        }
        if (r->raws[first[n]].bins)
            fold(r, &r->raws[first[n]], raw, bins);
        raw->bins = NULL;
    }
}
