/*
 * Native histograms: of exponential ones, and of classic ones with their own
 * bounds.
 */
#include <math.h>

#include "exphist.h"
#include "hist.h"
#include "push_series.h"

enum { NATIVE_MAX_SCHEMA = 8 };

/* A run of buckets without zeros at its ends, no finer than Prometheus has. */
static void native_buckets(struct promql_buckets *out, double *counts,
                           uint32_t count, int64_t offset, int32_t shift)
{
    struct exphist_range range = exphist_range(offset, count);

    if (count == 0)
        return;
    if (shift > 0)
        range = exphist_lower_double(counts, range, shift);
    count = (uint32_t)exphist_range_count(range);
    while (count > 0 && counts[0] == 0) {
        counts++;
        range.first++;
        count--;
    }
    while (count > 0 && counts[count - 1] == 0)
        count--;
    *out = (struct promql_buckets){counts, count, (int32_t)range.first};
}

static double *doubles_of(const struct exp_buckets *buckets,
                          struct arena *arena)
{
    double *at = arena_alloc(arena, (buckets->count + 1) * sizeof(*at));

    for (uint32_t i = 0; at && i < buckets->count; i++)
        at[i] = (double)buckets->counts[i];
    return at;
}

static int32_t shift_of(int32_t scale)
{
    return scale > NATIVE_MAX_SCHEMA ? scale - NATIVE_MAX_SCHEMA : 0;
}

static const struct promql_histogram *exponential(const struct histogram *h,
                                                  struct arena *arena)
{
    struct promql_histogram *out = arena_zero(arena, 1, sizeof(*out));
    double *positive = doubles_of(&h->positive, arena);
    double *negative = doubles_of(&h->negative, arena);
    int32_t shift = shift_of(h->scale);

    if (!out || !positive || !negative)
        return NULL;
    *out = (struct promql_histogram){.schema = h->scale - shift,
                                     .zero_threshold = h->zero_threshold,
                                     .zero_count = (double)h->zero_count,
                                     .count = (double)h->count,
                                     .sum = h->has_sum ? h->sum : (double)NAN};
    native_buckets(&out->positive, positive, h->positive.count,
                   h->positive.offset, shift);
    native_buckets(&out->negative, negative, h->negative.count,
                   h->negative.offset, shift);
    return out;
}

/* Of classic bounds: the counts between them. */
static const struct promql_histogram *custom(const struct hist *hist,
                                             struct arena *arena)
{
    struct promql_histogram *out = arena_zero(arena, 1, sizeof(*out));
    uint32_t count = hist->bound_counts ? hist->bound_count + 1 : 0;
    double *bounds = arena_alloc(arena, (count + 1) * sizeof(*bounds));
    double *counts = arena_alloc(arena, (count + 1) * sizeof(*counts));

    if (!out || !bounds || !counts)
        return NULL;
    if (count > 0) {
        memcpy(bounds, hist->bounds, hist->bound_count * sizeof(*bounds));
        memcpy(counts, hist->bound_counts, count * sizeof(*counts));
    }
    *out = (struct promql_histogram){.schema = PROMQL_CUSTOM_BUCKETS,
                                     .count = hist->count,
                                     .sum = hist->sum,
                                     .positive = {counts, count, 0},
                                     .bounds = bounds,
                                     .bound_count = hist->bound_count};
    return out;
}

static const struct promql_histogram *native(const struct hist *hist,
                                             struct arena *arena)
{
    struct promql_histogram *out = arena_zero(arena, 1, sizeof(*out));
    double *counts = arena_alloc(arena, (hist->len + 1) * sizeof(*counts));
    int32_t shift = shift_of(hist->scale);

    if (!out || !counts)
        return NULL;
    if (hist->len > 0)
        memcpy(counts, hist->counts, hist->len * sizeof(*counts));
    *out = (struct promql_histogram){.schema = hist->scale - shift,
                                     .zero_threshold = hist->zero_threshold,
                                     .zero_count = hist->zero,
                                     .count = hist->count,
                                     .sum = hist->sum};
    native_buckets(&out->positive, counts, hist->len, hist->offset, shift);
    return out;
}

static const struct promql_histogram *counted(double count, struct arena *arena)
{
    struct promql_histogram *out = arena_zero(arena, 1, sizeof(*out));

    if (out)
        *out = (struct promql_histogram){.count = count};
    return out;
}

static const struct promql_histogram *of_sample(const struct push *p,
                                                const struct sample *sample,
                                                struct arena *arena)
{
    struct hist hist = {0};

    if (p->raw->view->counts)
        return promql_is_stale(sample->value) ? NULL
                                              : counted(sample->value, arena);
    if (!sample->histogram)
        return NULL;
    if (p->raw->view->type == METRIC_EXP_HISTOGRAM)
        return exponential(sample->histogram, arena);
    return hist_add(&hist, arena, METRIC_HISTOGRAM, sample->histogram, 1, 1)
               ? custom(&hist, arena)
               : NULL;
}

/* The sum of deltas since the counter began. */
struct running {
    struct hist hist;
    double count;
    uint32_t next; /* delta of the list */
};

/* Adds the deltas up to a step; false: the arena is full. */
static bool add_deltas(struct selection *s, const struct push *p, uint32_t step,
                       struct running *sum)
{
    const struct sample_list *list = &p->raw->lists[LIST_MAIN];

    for (; sum->next < list->count &&
           list->at[sum->next].time_ms <= p->times[step];
         sum->next++) {
        const struct sample *sample = &list->at[sum->next];

        if (p->raw->view->counts)
            sum->count += sample->value * (double)sample->sign;
        else if (sample->histogram &&
                 !hist_add(&sum->hist, &s->scratch, p->raw->view->type,
                           sample->histogram, 1, (double)sample->sign))
            return false;
    }
    return true;
}

static const struct promql_histogram *snapshot(const struct push *p,
                                               const struct running *sum,
                                               struct arena *arena)
{
    if (p->raw->view->counts)
        return counted(sum->count, arena);
    return p->raw->view->type == METRIC_EXP_HISTOGRAM
               ? native(&sum->hist, arena)
               : custom(&sum->hist, arena);
}

static bool delta_histograms(struct selection *s, const struct push *p,
                             const struct promql_histogram **out)
{
    struct running sum = {.next = 0};

    for (uint32_t i = 0; i < p->count; i++) {
        bool begins = steps_begin(&p->steps, i);
        uint32_t before = sum.next;

        if (begins)
            sum = (struct running){.next = before};
        if (!add_deltas(s, p, i, &sum))
            return false;
        out[i] = i > 0 && !begins && before == sum.next
                     ? out[i - 1]
                     : snapshot(p, &sum, &s->scratch);
        if (!out[i])
            return false;
    }
    return true;
}

void push_native(struct selection *s, struct push *p,
                 const struct view_output *output)
{
    const struct sample_list *list = &p->raw->lists[LIST_MAIN];
    const struct promql_histogram **out;
    double *values;

    if (!push_begin(s, p, output->name, SLICE(""), SLICE("")))
        return;
    values = push_values(s, p);
    out = arena_zero(&s->scratch, p->count + 1, sizeof(*out));
    if (!values || !out)
        return;
    for (uint32_t i = 0; i < p->count; i++)
        values[i] = 0;
    if (p->raw->view->delta) {
        if (!delta_histograms(s, p, out))
            return;
    } else {
        for (uint32_t i = 0; i < p->count; i++) {
            out[i] = of_sample(p, &list->at[i], &s->scratch);
            if (!out[i])
                values[i] = promql_stale();
        }
    }
    push_end(s, p, values, out);
}
