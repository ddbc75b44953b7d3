#include "timeseries_bins.h"

#include <math.h>

#include "evidence.h"
#include "failure_share.h"
#include "hash.h"

/* Where times were added up. */
static double mean_time(const struct bin *b)
{
    return (double)b->time / b->points;
}

/* ---- filling and merging ---- */

/* Deltas are summed in their bins; they are of the time since the bin before.
 */
static void span_deltas(struct bin *bins, uint32_t count)
{
    struct bin before = {0};

    for (uint32_t i = 0; i < count; i++) {
        struct bin *b = &bins[i], now = *b;

        if (b->points == 0)
            continue;
        now.time = (float)mean_time(&now);
        if (before.points == 0) {
            b->points = 0; /* of an unknown time */
        } else {
            b->span = now.time - before.time;
            b->time = (now.time + before.time) / 2;
        }
        before = now;
    }
}

struct bin_filler {
    const struct timeseries_reader *reader;
    struct raw_series *raw;
    struct bin *bins;
    bool often_reset;
};

/* Where resets are usual, as of two collectors that send one counter, none is
 * news. */
static void note_reset(struct bin_filler *f,
                       const struct counter_increase *reset)
{
    if (reset->to_ns <= f->reader->changes_from_ns)
        f->often_reset = true;
    else if (f->raw->restarted_ns == 0 && !f->often_reset)
        f->raw->restarted_ns = reset->from_ns;
}

static bool fill_bin(void *arg, const struct counter_increase *increase)
{
    struct bin_filler *f = arg;
    const struct counter_point *after = increase->after;
    struct bin *b = &f->bins[after->cell];
    uint64_t start_ns = f->reader->usual.start_ns;
    double took = (double)(increase->to_ns - increase->from_ns) / 1e9;
    double end = (double)(int64_t)(increase->to_ns - start_ns) / 1e9;

    b->sum += after->sum - (increase->before ? increase->before->sum : 0);
    b->weight += counter_increase_amount(increase);
    b->span += (float)took;
    b->time = (float)(end - b->span / 2);
    b->points++;
    if (!increase->before && after > f->raw->counter.at)
        note_reset(f, increase);
    return true;
}

/* How much a counter grew until each of its bins. */
static void fill_bins(const struct timeseries_reader *r, struct raw_series *raw,
                      struct bin *bins)
{
    struct bin_filler filler = {r, raw, bins, false};
    /* What lies between the periods was not read. */
    const struct counter_rules rules = {
        r->now_ns > r->usual.end_ns ? r->now_ns : r->usual.start_ns,
        UINT64_MAX};

    memset(bins, 0, r->bin_count * sizeof(*bins));
    (void)counter_walk(&raw->counter, &rules, fill_bin, &filler);
}

static void add_bins(const struct timeseries_reader *r, struct raw_series *to,
                     const struct raw_series *raw, const struct bin *bins)
{
    for (uint32_t i = 0; i < r->bin_count; i++) {
        struct bin *sum = &to->bins[i];
        const struct bin *b = &bins[i];

        if (b->points == 0)
            continue;
        sum->sum += b->sum;
        sum->weight += b->weight;
        sum->failed += raw->failed ? (float)b->weight : 0;
        if (sum->points == 0) {
            sum->time = b->time;
            sum->span = b->span;
        }
        sum->points += b->points;
    }
    to->failed = to->failed || raw->failed;
    if (to->restarted_ns == 0 ||
        (raw->restarted_ns > 0 && raw->restarted_ns < to->restarted_ns))
        to->restarted_ns = raw->restarted_ns;
}

/* Counters with one key are added up: those of one pod, and those of all pods
 * of a caller for each of its callees. */
static uint64_t merge_key(const struct raw_series *raw)
{
    uint64_t key = hash_mix(raw->metric, raw->class);

    if (raw->caller == NO_INDEX)
        return hash_mix(hash_mix(key, raw->resource),
                        hash_mix(raw->parts.pod, raw->component));
    return hash_mix(hash_mix(key, raw->caller),
                    (uint64_t)raw->component << 8 | raw->side);
}

void bins_merge(struct timeseries_reader *r)
{
    struct interned_terms keys;
    struct bin *filled = arena_alloc(r->arena, r->bin_count * sizeof(*filled));
    struct raw_series **first =
        arena_alloc(r->arena, (r->raw_count + 1) * sizeof(struct raw_series *));

    if (!filled || !first || !terms_init(&keys, r->arena))
        return;
    for (uint32_t i = 0; i < r->raw_count; i++) {
        struct raw_series *raw = &r->raw[i];
        struct bin *bins = raw->bins;
        uint32_t known = keys.count, n;

        if (raw->ignored || raw->mode == MODE_GAUGE)
            continue;
        n = terms_add_key(&keys, merge_key(raw));
        if (n == NO_INDEX)
            return;
        if (n == known)
            first[n] = raw;
        if (raw->mode == MODE_COUNTER) {
            bins = filled;
            fill_bins(r, raw, filled);
        } else {
            span_deltas(bins, r->bin_count);
        }
        raw->bins = NULL;
        if (n == known) /* it has the sum */
            raw->bins = arena_zero(r->arena, r->bin_count, sizeof(*raw->bins));
        if (first[n]->bins)
            add_bins(r, first[n], raw, bins);
    }
}

/* ---- time series ---- */

enum shape { VALUE, MEAN, RATE, REQUESTS, FAILED_SHARE };

static double value_of(const struct bin *b, enum shape shape)
{
    double time = shape == RATE || shape == REQUESTS ? b->span : b->weight;
    double amount = shape == REQUESTS       ? b->weight
                    : shape == FAILED_SHARE ? (double)b->failed
                                            : b->sum;

    return b->points > 0 && time > 0 ? amount / time : (double)NAN;
}

/* Durations that add up to nothing were not measured: nobody answered. */
static bool is_measured(double value, enum shape shape, enum metric_class class)
{
    return isfinite(value) &&
           (shape != MEAN || class != CLASS_LATENCY || value > 0);
}

/* A gauge measures the time since the one before: half a step earlier. */
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

static uint32_t filled_bins(const struct timeseries_reader *r,
                            const struct raw_series *raw)
{
    uint32_t filled = 0;

    for (uint32_t i = 0; i < r->bin_count; i++)
        filled += raw->bins[i].points > 0;
    return filled;
}

/* Calls are compared with calls of others. */
static void set_caller(const struct timeseries_reader *r,
                       const struct raw_series *raw, struct timeseries *t)
{
    t->caller = raw->caller;
    t->caller_name = candidate_name(r->candidates, raw->caller);
    t->callee_name = candidate_name(r->candidates, raw->component);
    t->sort = hash_mix(t->sort, 1);
    t->restarted_ns = 0; /* the caller was */
    if (raw->mode == MODE_GAUGE)
        return;
    t->resource = RESOURCE_NONE; /* of all pods of the caller */
    t->labels = (uint64_t)raw->caller << 8 | raw->side;
}

static void add_timeseries(const struct timeseries_reader *r,
                           const struct raw_series *raw, enum shape shape,
                           enum metric_class class,
                           struct timeseries_list *list)
{
    const struct metric_info *info = &r->metrics[raw->metric];
    struct timeseries *t = timeseries_add(list, filled_bins(r, raw));
    double early = shape == VALUE ? half_step(r, raw) : 0;

    if (!t)
        return;
    t->component = raw->component;
    t->resource = raw->resource;
    t->name = info->metric.name;
    t->unit = info->metric.unit;
    t->labels = raw->labels;
    t->pod = hash_mix(raw->resource, raw->parts.pod);
    t->restarted_ns = raw->restarted_ns;
    t->class = (uint8_t) class;
    t->less_is_worse =
        raw->class == info->class ? info->less_is_worse : info->callee_less;
    t->is_share = shape == FAILED_SHARE;
    t->is_rate = shape == RATE || shape == REQUESTS;
    t->limit = info->limit;
    t->sort = hash_mix(hash_mix(info->sort, shape), class);
    if (raw->caller != NO_INDEX)
        set_caller(r, raw, t);
    /* Counters with other labels are in it. */
    t->family =
        hash_mix(t->sort, raw->mode == MODE_GAUGE ? raw->parts.other : 0);
    if (raw->caller != NO_INDEX)
        t->family = hash_mix(t->family, t->labels);
    for (uint32_t i = 0; i < r->bin_count; i++) {
        const struct bin *b = &raw->bins[i];
        double value = value_of(b, shape);
        double s = shape == VALUE ? mean_time(b) - early : b->time;

        if (is_measured(value, shape, class))
            t->at[t->count++] = (struct timeseries_point){
                r->usual.start_ns + (uint64_t)(fmax(s, 0) * 1e9), value,
                shape == FAILED_SHARE ? b->weight : 0};
    }
    if (shape == FAILED_SHARE) {
        t->name =
            arena_format(r->arena, "failures in %.*s", SLICE_ARGS(t->name));
        t->unit = SLICE("%");
        t->limit = NULL;
    }
    if (shape == VALUE && class != raw->class)
        t->name = arena_format(r->arena, "%.*s of failed requests",
                               SLICE_ARGS(t->name));
    failure_share_take(t);
}

static uint64_t failing_key(const struct raw_series *raw)
{
    return hash_mix(raw->component, raw->metric);
}

/* A rate of requests, of those that fail. */
static enum metric_class class_of_gauge(const struct raw_series *raw)
{
    return raw->failed && raw->class == CLASS_TRAFFIC
               ? CLASS_ERRORS
               : (enum metric_class)raw->class;
}

/* Metrics of which a component counts failures, in any of its pods: the others
 * had none. */
static bool find_failing(const struct timeseries_reader *r,
                         struct interned_terms *failing)
{
    if (!terms_init(failing, r->arena))
        return false;
    for (uint32_t i = 0; i < r->raw_count; i++)
        if (r->raw[i].failed &&
            terms_add_key(failing, failing_key(&r->raw[i])) == NO_INDEX)
            return false;
    return true;
}

void bins_to_timeseries(const struct timeseries_reader *r,
                        struct timeseries_list *list)
{
    struct interned_terms failing;

    if (!find_failing(r, &failing))
        return;
    for (uint32_t i = 0; i < r->raw_count; i++) {
        const struct raw_series *raw = &r->raw[i];
        const struct metric_info *info = &r->metrics[raw->metric];
        bool whole = info->metric.type >= METRIC_HISTOGRAM;
        bool spread = whole || info->is_sum_part;
        enum metric_class class = (enum metric_class)raw->class;
        bool requests = (class == CLASS_LATENCY && !info->is_sum_part) ||
                        class == CLASS_TRAFFIC;

        if (!raw->bins)
            continue;
        if (raw->mode == MODE_GAUGE) {
            add_timeseries(r, raw, VALUE, class_of_gauge(raw), list);
            continue;
        }
        add_timeseries(r, raw, spread ? MEAN : RATE, class, list);
        if (whole && class == CLASS_LATENCY)
            add_timeseries(r, raw, REQUESTS, CLASS_TRAFFIC, list);
        if (requests && terms_find(&failing, failing_key(raw)) != NO_INDEX)
            add_timeseries(r, raw, FAILED_SHARE, CLASS_ERRORS, list);
    }
}
