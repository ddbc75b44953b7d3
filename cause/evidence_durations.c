#include "evidence_durations.h"

#include <stdlib.h>

/* ---- measuring ---- */

static int by_key(const void *left, const void *right)
{
    const struct duration *a = left, *b = right;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    if (a->ns < b->ns || a->ns > b->ns)
        return a->ns < b->ns ? -1 : 1;
    return (a->span > b->span) - (a->span < b->span);
}

static void sort(struct durations *list)
{
    if (list->count > 0)
        qsort(list->at, list->count, sizeof(*list->at), by_key);
}

/* Room for one of each span. */
static bool durations_init(struct durations *list, uint32_t spans,
                           struct arena *arena)
{
    list->count = 0;
    list->at = arena_alloc(arena, spans * sizeof(*list->at) + 1);
    return list->at;
}

struct duration_sample *durations_measure(const struct trace_samples *traces,
                                          duration_measure *measure)
{
    struct duration_sample *sample =
        arena_zero(traces->arena, 1, sizeof(*sample));

    if (!sample)
        return NULL;
    sample->traces = traces;
    for (int period = 0; period < PERIODS; period++) {
        const struct trace_sample *s = &traces->period[period];
        struct durations *list = &sample->period[period];

        if (!durations_init(list, s->span_count, traces->arena))
            return NULL;
        for (uint32_t n = 0; n < s->span_count; n++) {
            struct duration d = {.span = n};

            if (measure(s, n, &d.key, &d.ns))
                list->at[list->count++] = d;
        }
        sort(list);
    }
    return sample;
}

/* ---- comparing ---- */

static uint32_t end_of_key(const struct durations *list, uint32_t i)
{
    uint32_t end = i;

    while (end < list->count && list->at[end].key == list->at[i].key)
        end++;
    return end;
}

static double quantile(const struct duration *at, uint32_t count, double q)
{
    double place = q * (count - 1);
    uint32_t low = (uint32_t)place, high = low + 1 < count ? low + 1 : low;

    return at[low].ns + (place - low) * (at[high].ns - at[low].ns);
}

static double count_slow(struct duration_pair *p, double limit_ns)
{
    p->limit_ns = limit_ns;
    for (int period = 0; period < PERIODS; period++) {
        p->slow[period] = 0;
        for (uint32_t i = 0; i < p->count[period]; i++)
            p->slow[period] += p->at[period][i].ns > limit_ns;
    }
    return proportion_score(p->slow[BASELINE], p->count[BASELINE],
                            p->slow[WINDOW], p->count[WINDOW]);
}

/* The limit is above almost all of the baseline; or, where a few slow ones of
 * the baseline would hide the rise, half-way between the medians. */
static void compare(struct duration_pair *p)
{
    p->usual_ns = quantile(p->at[BASELINE], p->count[BASELINE], 0.5);
    p->rise_ns = quantile(p->at[WINDOW], p->count[WINDOW], 0.5) - p->usual_ns;
    double almost_all =
        quantile(p->at[BASELINE], p->count[BASELINE], 0.95) + SLOW_MARGIN_NS;
    double halfway = p->usual_ns + p->rise_ns / 2;
    double score = count_slow(p, almost_all);

    if (halfway < p->usual_ns + SLOW_MARGIN_NS || halfway >= almost_all ||
        count_slow(p, halfway) <= score)
        (void)count_slow(p, almost_all);
}

/* Those of the judged part of the window. */
static bool select_judged(const struct duration_sample *sample,
                          const struct rca_times *times, struct durations *out)
{
    const struct trace_sample *s = &sample->traces->period[WINDOW];
    const struct durations *all = &sample->period[WINDOW];

    *out = *all;
    if (rca_judges_all(times))
        return true;
    if (!durations_init(out, all->count, sample->traces->arena))
        return false;
    for (uint32_t i = 0; i < all->count; i++)
        if (s->traces[s->spans[all->at[i].span].trace].start_ns >=
            times->from_ns)
            out->at[out->count++] = all->at[i];
    return true;
}

struct duration_pair *durations_compare(const struct duration_sample *sample,
                                        const struct rca_times *times,
                                        uint32_t *count)
{
    const struct durations *base = &sample->period[BASELINE];
    struct durations window;
    uint32_t i = 0, k = 0, room = 0;
    struct duration_pair *pairs = NULL, *pair;

    *count = 0;
    if (!select_judged(sample, times, &window))
        return NULL;
    while (i < base->count && k < window.count) {
        uint64_t a = base->at[i].key, b = window.at[k].key;
        uint32_t i_end = a <= b ? end_of_key(base, i) : i;
        uint32_t k_end = b <= a ? end_of_key(&window, k) : k;

        if (a == b) {
            pair = arena_append(sample->traces->arena, &pairs, *count, &room);
            if (!pair)
                break;
            *pair = (struct duration_pair){.key = a,
                                           .at = {&base->at[i], &window.at[k]},
                                           .count = {i_end - i, k_end - k}};
            compare(pair);
            ++*count;
        }
        i = i_end;
        k = k_end;
    }
    return pairs;
}

double *durations_of_traces(const struct trace_samples *traces,
                            uint32_t candidates)
{
    const struct trace_sample *s = &traces->period[BASELINE];
    double *usual = arena_zero(traces->arena, candidates, sizeof(*usual));
    uint32_t *seen = arena_zero(traces->arena, candidates, sizeof(*seen));
    struct durations list;

    if (!usual || !seen || !durations_init(&list, s->span_count, traces->arena))
        return NULL;
    for (uint32_t n = 0; n < s->span_count; n++) {
        const struct rca_span *span = &s->spans[n];
        const struct rca_trace *t = &s->traces[span->trace];

        if (span->component == NO_INDEX ||
            seen[span->component] == span->trace + 1)
            continue;
        seen[span->component] = span->trace + 1;
        list.at[list.count++] =
            (struct duration){.key = span->component,
                              .ns = (double)(t->end_ns - t->start_ns),
                              .span = n};
    }
    sort(&list);
    for (uint32_t i = 0; i < list.count;) {
        uint32_t end = end_of_key(&list, i);

        usual[list.at[i].key] = quantile(&list.at[i], end - i, 0.5);
        i = end;
    }
    return usual;
}

void durations_describe(const struct duration_sample *sample,
                        const struct duration_pair *p, struct cause_evidence *e)
{
    const struct trace_sample *s = &sample->traces->period[WINDOW];

    e->durations = sample;
    e->duration_key = p->key;
    for (uint32_t i = p->count[WINDOW]; i > 0; i--) { /* slowest first */
        const struct duration *d = &p->at[WINDOW][i - 1];
        const struct rca_span *span = &s->spans[d->span];

        if (d->ns <= p->limit_ns)
            break;
        evidence_add_example(e, span->trace_id, span->start_ns);
    }
}
