/*
 * What the page shows of each step of its charts on demand: requests by
 * latency, and one slow and one failed trace.
 *
 * Bounds of latencies are powers of a root of two, as those of exponential
 * histograms: where a factor is no finer than the histograms (8 to the octave,
 * those of derived series are finer), counts are exact.
 */
#include <math.h>

#include "component_page.h"
#include "exphist.h"
#include "reply_metrics.h"

/* ---- requests by latency ---- */

enum { BUCKETS = 24, SCALE_FINEST = 3, SCALE_COARSEST = -2 };

static const struct reply_table number_table =
    REPLY_TABLE(double, {NULL, 0, sizeof(double), REPLY_TYPE_DOUBLE, 0, NULL});
static const struct reply_table row_table =
    REPLY_TABLE(struct reply_list, {NULL, 0, sizeof(struct reply_list),
                                    REPLY_TYPE_LIST, 0, &number_table});
static const struct reply_table time_table = REPLY_TABLE(
    uint64_t, {NULL, 0, sizeof(uint64_t), REPLY_TYPE_TIME, 0, NULL});
const struct reply_table page_buckets_table = REPLY_TABLE(
    struct page_buckets,
    REPLY_LIST(struct page_buckets, "timestamps", times, &time_table),
    REPLY_LIST(struct page_buckets, "bounds", bounds, &number_table),
    REPLY_LIST(struct page_buckets, "counts", counts, &row_table),
    REPLY_LIST(struct page_buckets, "failed", failed, &number_table));

/* While they are written, step by step. */
struct bucket_writer {
    const struct component_page *page;
    const struct metric_group *all;
    double bounds[BUCKETS + 1], counts[BUCKETS], failed;
    uint32_t bound_count;
    uint64_t time_ns;
    struct reply_list row;
};

static const struct hist *hist_at(const struct bucket_writer *w, uint32_t step)
{
    return metric_hist(&w->page->chart, w->all, &w->page->charted.latency,
                       step);
}

/* The number of the bucket at this scale that begins at or below a value. */
static double bucket_of(double seconds, int scale)
{
    double at = log2(seconds) * exp2(scale), near = round(at);

    /* A bound of a histogram is one of ours. */
    return fabs(at - near) < 1e-9 ? near : floor(at);
}

/* All latencies of the window lie between these; false: there are none. */
static bool find_range(const struct bucket_writer *w, double *low, double *high)
{
    bool any = false;

    for (uint32_t i = 0; i < w->page->chart.grid.count; i++) {
        const struct hist *hist = hist_at(w, i);
        double from = hist ? hist_quantile(hist, 0) : (double)NAN;
        double to = hist ? hist_quantile(hist, 1) : (double)NAN;

        if (!isfinite(from) || !isfinite(to) || !(to > 0))
            continue;
        *low = any ? fmin(*low, from) : from;
        *high = any ? fmax(*high, to) : to;
        any = true;
    }
    return any;
}

/* Of the finest scale at which all latencies are in the buckets; those below
 * the coarsest ones are in the first. The spare buckets are on both sides. */
static void set_bounds(struct bucket_writer *w)
{
    double low, high, first = 0, last = 0;
    int scale = SCALE_FINEST + 1;

    if (!find_range(w, &low, &high))
        return;
    low = fmax(low, exp2(-40));
    high = fmax(high, low);
    do {
        scale--;
        first = bucket_of(low, scale);
        last = fmax(first, -bucket_of(1 / high, scale) - 1);
    } while (last - first >= BUCKETS && scale > SCALE_COARSEST);
    first = fmax(first, last - BUCKETS + 1);
    first -= floor((BUCKETS - 1 - (last - first)) / 2);
    for (int i = 0; i <= BUCKETS; i++)
        w->bounds[i] = exphist_bound(scale, (int64_t)first + i);
    w->bound_count = BUCKETS + 1;
}

/* Parts of minutes are fractions, and differences have rounding errors. */
static double rounded(double count)
{
    return fmax(round(count * 1e6) / 1e6, 0);
}

static const void *counts_item(void *arg, uint32_t step)
{
    struct bucket_writer *w = arg;
    const struct hist *hist = hist_at(w, step);
    double above = hist ? hist_count_above(hist, w->bounds[BUCKETS]) : 0;

    for (int i = BUCKETS; i-- > 0;) {
        /* Nothing lies below 0. */
        double more = !hist    ? 0
                      : i == 0 ? hist_count_above(hist, -1)
                               : hist_count_above(hist, w->bounds[i]);

        w->counts[i] = rounded(more - above);
        above = more;
    }
    w->row = (struct reply_list){.count = w->bound_count > 0 ? BUCKETS : 0,
                                 .items = w->counts};
    return &w->row;
}

static const void *failed_item(void *arg, uint32_t step)
{
    struct bucket_writer *w = arg;
    double failed =
        metric_value(&w->page->chart, w->all, &w->page->charted.errors, step);

    w->failed = isnan(failed) ? 0 : rounded(failed);
    return &w->failed;
}

static const void *time_item(void *arg, uint32_t step)
{
    struct bucket_writer *w = arg;

    w->time_ns = grid_time(&w->page->chart.grid, step);
    return &w->time_ns;
}

void page_buckets_fill(struct component_page *page,
                       struct page_buckets *buckets)
{
    struct bucket_writer *w = arena_zero(page->request->arena, 1, sizeof(*w));
    const struct metric_group *all = metric_total(&page->chart);
    uint32_t steps = page->chart.grid.count;

    if (!w || !all)
        return;
    w->page = page;
    w->all = all;
    set_bounds(w);
    *buckets = (struct page_buckets){
        .times = {.count = steps, .item = time_item, .arg = w},
        .bounds = {.count = w->bound_count, .items = w->bounds},
        .counts = {.count = steps, .item = counts_item, .arg = w},
        .failed = {.count = steps, .item = failed_item, .arg = w}};
}

/* ---- traces of each step ---- */

const struct reply_table page_example_table = REPLY_TABLE(
    struct trace_example, REPLY(struct trace_example, "traceId", trace_id),
    REPLY(struct trace_example, "spanId", span_id),
    REPLY(struct trace_example, "endpoint", endpoint),
    REPLY(struct trace_example, "operation", operation),
    REPLY(struct trace_example, "duration", seconds),
    REPLY_TIME(struct trace_example, "timestamp", time_ns));

const struct reply_table page_exemplar_table = REPLY_TABLE(
    struct trace_example, REPLY(struct trace_example, "traceId", trace_id),
    REPLY(struct trace_example, "spanId", span_id),
    REPLY(struct trace_example, "endpoint", endpoint),
    REPLY(struct trace_example, "operation", operation),
    REPLY(struct trace_example, "duration", seconds),
    REPLY_TIME(struct trace_example, "timestamp", time_ns),
    REPLY(struct trace_example, "failed", has_failed));

void page_add_exemplar(struct component_page *page,
                       const struct trace_example *example)
{
    const struct grid *grid = &page->grid;
    uint64_t step = example->time_ns < grid->start_ns
                        ? grid->count
                        : (example->time_ns - grid->start_ns) / grid->step_ns;
    struct trace_example *slowest;

    if (step >= grid->count)
        return;
    slowest = &page->exemplars[step * 2 + example->has_failed];
    if (slowest->time_ns == 0 || example->seconds > slowest->seconds)
        *slowest = *example;
}

/* Of the two of a step the older one first. */
static const void *exemplar_item(void *arg, uint32_t i)
{
    const struct trace_example *both = (const struct trace_example *)arg;
    const struct trace_example *one;

    both += i / 2 * 2;
    one = both + ((i & 1) != (both[1].time_ns < both[0].time_ns));
    return one->time_ns > 0 ? one : NULL;
}

struct reply_list page_exemplars_list(struct component_page *page)
{
    return (struct reply_list){.count =
                                   page->exemplars ? page->grid.count * 2 : 0,
                               .item = exemplar_item,
                               .arg = page->exemplars};
}
