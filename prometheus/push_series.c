/*
 * From a raw series to those of Prometheus: one of numbers, or the buckets, sum
 * and count of a histogram, or native histograms. Cumulative ones keep their
 * times; deltas become counters (delta_steps.c).
 */
#include "push_series.h"

#include <math.h>

#include "array.h"
#include "prom_names.h"

/* ---- one series ---- */

/* The same labels twice would end the query: the first series stays. */
static bool is_new(struct selection *s, const struct promql_labels *labels)
{
    uint64_t hash = promql_labels_hash(labels), *slot;

    map_each(&s->pushed_index, map_hash(hash), at)
        if (s->pushed[at] == hash)
            return false;
    s->pushed_index.arena = s->source->request->arena;
    slot = arena_append(s->pushed_index.arena, &s->pushed, s->pushed_count,
                        &s->pushed_room);
    if (!slot || !map_add(&s->pushed_index, map_hash(hash), s->pushed_count))
        return false;
    *slot = hash;
    s->pushed_count++;
    return true;
}

static bool too_many(struct selection *s, uint32_t count)
{
    struct prometheus_source *source = s->source;

    source->samples += count;
    if (source->samples <= PROMETHEUS_MAX_SAMPLES)
        return false;
    snprintf(source->error, sizeof(source->error),
             "query processing would load too many samples into memory in "
             "query execution");
    s->status = ERR_TOO_BIG;
    return true;
}

/* The labels of an output of this series, in s->output; false: they do not
 * match, or were handed over before. */
static bool make_labels(struct selection *s, const struct push *p,
                        struct slice name, struct slice extra,
                        struct slice value)
{
    struct label_set *set = &s->output;
    struct promql_labels labels;

    memcpy(set->at, p->raw->labels.at, p->raw->labels.count * sizeof(*set->at));
    set->count = p->raw->labels.count;
    labels_put(set, extra, value, LABEL_REPLACE, NULL);
    labels_put(set, SLICE("__name__"), name, LABEL_REPLACE, NULL);
    labels = labels_of(set);
    return promql_matches(s->matchers, s->matcher_count, &labels) &&
           is_new(s, &labels);
}

static void push_head(struct selection *s)
{
    const struct promql_series head = {.labels = labels_of(&s->output)};

    s->status = s->visit(s->visit_arg, &head);
}

bool push_begin(struct selection *s, const struct push *p, struct slice name,
                struct slice extra, struct slice value)
{
    if (s->status != OK || !make_labels(s, p, name, extra, value))
        return false;
    if (s->heads)
        push_head(s);
    return !s->heads;
}

void push_end(struct selection *s, const struct push *p, const double *values,
              const struct promql_histogram *const *histograms)
{
    struct promql_series series = {
        .labels = labels_of(&s->output),
        .times = p->times + p->first,
        .values = values + p->first,
        .histograms = histograms ? histograms + p->first : NULL,
        .resets = p->resets,
        .count = p->last - p->first};

    if (series.count > 0 && !too_many(s, series.count))
        s->status = s->visit(s->visit_arg, &series);
}

/* ---- numbers ---- */

double *push_values(struct selection *s, const struct push *p)
{
    return arena_alloc(&s->scratch, (p->count + 1) * sizeof(double));
}

/* Deltas of a list, summed up at each step. of: NULL: the samples are numbers.
 */
static inline void sum_deltas(
    const struct push *p, const struct sample_list *list,
    double (*of)(const struct push *, const struct sample *), double *values)
{
    double sum = 0;
    uint32_t next = 0;

    for (uint32_t i = 0; i < p->count; i++) {
        if (steps_begin(&p->steps, i))
            sum = 0;
        for (; next < list->count && list->at[next].time_ms <= p->times[i];
             next++)
            sum += (of ? of(p, &list->at[next]) : list->at[next].value) *
                   (double)list->at[next].sign;
        values[i] = sum > 0 || p->signed_sums ? sum : 0;
    }
}

static void push_numbers(struct selection *s, struct push *p, int list,
                         double (*of)(const struct push *,
                                      const struct sample *),
                         struct slice name)
{
    const struct sample_list *samples = &p->raw->lists[list];
    double *values;

    if (!push_begin(s, p, name, SLICE(""), SLICE("")) ||
        !(values = push_values(s, p)))
        return;
    if (p->raw->view->delta && of)
        sum_deltas(p, samples, of, values);
    else if (p->raw->view->delta)
        sum_deltas(p, samples, NULL, values);
    else
        for (uint32_t i = 0; i < p->count; i++)
            values[i] = of ? of(p, &samples->at[i]) : samples->at[i].value;
    push_end(s, p, values, NULL);
}

static double count_of(const struct push *p, const struct sample *sample)
{
    (void)p;
    return sample->histogram ? (double)sample->histogram->count
                             : promql_stale();
}

static double sum_of(const struct push *p, const struct sample *sample)
{
    (void)p;
    if (!sample->histogram)
        return promql_stale();
    return sample->histogram->has_sum ? sample->histogram->sum : (double)NAN;
}

static double one_of(const struct push *p, const struct sample *sample)
{
    (void)p;
    (void)sample;
    return 1;
}

/* ---- times and resets ---- */

/* A counter began again where its start is not before the sample before it;
 * what falls began again anyway. */
static bool find_resets(struct selection *s, struct push *p)
{
    const struct sample_list *list = &p->raw->lists[LIST_MAIN];
    uint64_t *bits = NULL;

    for (uint32_t i = p->first + 1; i < p->last; i++) {
        const struct sample *a = &list->at[i - 1], *b = &list->at[i];
        uint32_t at = i - p->first;

        if (b->start_ms == a->start_ms || b->start_ms < a->time_ms ||
            b->start_ms >= b->time_ms)
            continue;
        if (!bits)
            bits = arena_zero(&s->scratch, (p->last - p->first) / 64 + 1,
                              sizeof(*bits));
        if (!bits)
            return false;
        bits[at / 64] |= UINT64_C(1) << (at & 63);
    }
    p->resets = bits;
    return true;
}

static void clip(const struct selection *s, struct push *p)
{
    p->first = 0;
    while (p->first < p->count && p->times[p->first] <= s->start_ms)
        p->first++;
    p->last = p->count;
    while (p->last > p->first && p->times[p->last - 1] > s->end_ms)
        p->last--;
}

static bool cumulative_times(struct selection *s, struct push *p)
{
    const struct sample_list *list = &p->raw->lists[LIST_MAIN];
    int64_t *times =
        arena_alloc(&s->scratch, (list->count + 1) * sizeof(*times));

    if (!times)
        return false;
    for (uint32_t i = 0; i < list->count; i++)
        times[i] = list->at[i].time_ms;
    p->times = times;
    p->count = list->count;
    clip(s, p);
    return p->raw->view->type == METRIC_GAUGE || find_resets(s, p);
}

static bool delta_times(struct selection *s, struct push *p)
{
    uint64_t *bits;

    if (!steps_make(&p->steps, p->raw, &s->scratch))
        return false;
    p->times = p->steps.times;
    p->count = p->steps.count;
    clip(s, p);
    bits =
        arena_zero(&s->scratch, (p->last - p->first) / 64 + 1, sizeof(*bits));
    if (!bits)
        return false;
    for (uint32_t word = p->first / 64; word < (p->last + 63) / 64; word++)
        for (uint64_t left = p->steps.begins[word]; left; left &= left - 1) {
            uint32_t i = 64 * word + (uint32_t)__builtin_ctzll(left) - p->first;

            if (i < p->last - p->first) /* those before `first` are huge */
                bits[i / 64] |= UINT64_C(1) << (i & 63);
        }
    p->resets = bits;
    return true;
}

static bool set_times(struct selection *s, struct push *p)
{
    bool delta = p->raw->view->delta;

    for (int i = 0; i < LISTS; i++)
        if (!sample_list_order(&p->raw->lists[i], delta, &s->scratch))
            return false;
    return delta ? delta_times(s, p) : cumulative_times(s, p);
}

/* ---- all outputs ---- */

static void push_output(struct selection *s, struct push *p,
                        const struct view_output *output)
{
    switch (output->kind) {
    case OUT_VALUE:
        push_numbers(s, p, LIST_MAIN, NULL, output->name);
        break;
    case OUT_ERRORS:
        push_numbers(s, p, LIST_ERRORS, NULL, output->name);
        break;
    case OUT_CLIENT_ERRORS:
        push_numbers(s, p, LIST_CLIENT_ERRORS, NULL, output->name);
        break;
    case OUT_COUNT:
        push_numbers(s, p, LIST_MAIN, p->raw->view->counts ? NULL : count_of,
                     output->name);
        break;
    case OUT_SUM:
        push_numbers(s, p, LIST_MAIN, sum_of, output->name);
        break;
    case OUT_PRESENT:
        push_numbers(s, p, LIST_MAIN, one_of, output->name);
        break;
    case OUT_BUCKETS:
        push_buckets(s, p, output->name);
        break;
    case OUT_QUANTILES:
        push_quantiles(s, p, output->name);
        break;
    case OUT_NATIVE:
    case OUT_CUSTOM:
        push_native(s, p, output);
        break;
    }
}

void series_push(struct selection *s, struct raw *raw)
{
    struct push p = {.raw = raw,
                     .signed_sums =
                         raw->view->type == METRIC_SUM && !raw->view->derived};

    arena_reset(&s->scratch);
    if (!s->heads && !set_times(s, &p)) {
        s->status = arena_status(&s->scratch);
        return;
    }
    for (uint32_t i = 0; i < raw->view->output_count && s->status == OK; i++)
        push_output(s, &p, &raw->view->outputs[i]);
    if (s->status == OK)
        s->status = arena_status(&s->scratch);
}
