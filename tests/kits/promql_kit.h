/*
 * promql_kit - series in memory, for tests of PromQL; each is a line:
 *
 *   x_total{a="1"}  1 2.5 _ stale NaN -Inf 3x2 0+10x5 !7 {{count:3 sum:4 ...}}
 *
 * The samples are one interval apart. _ is none, _x2 are two, 3x2 is 3 and two
 * more, 0+10x5 counts 0 10 20 ... 50, !7 is a 7 before which the counter began
 * again. A histogram has schema, count, sum, z_bucket, z_bucket_w, offset,
 * buckets:[..], n_offset, n_buckets:[..], bounds:[..] (then schema is that of
 * custom buckets).
 */
#ifndef PROMQL_KIT_H
#define PROMQL_KIT_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "promql.h"

enum { KIT_SERIES = 4096, KIT_SAMPLES = 4096, KIT_LABELS = 32 };

struct kit {
    struct arena arena;
    struct promql_series series[KIT_SERIES];
    uint32_t count;
    uint64_t selects; /* calls of the source */
};

static inline void *kit_zero(struct kit *kit, size_t count, size_t size)
{
    void *p = arena_zero(&kit->arena, count, size);

    if (!p)
        abort();
    return p;
}

static inline void kit_clear(struct kit *kit)
{
    arena_release(&kit->arena);
    arena_init(&kit->arena, NULL, SIZE_MAX);
    kit->count = 0;
}

/* ---- labels ---- */

static inline void kit_blanks(const char **at)
{
    while (**at == ' ' || **at == ',')
        (*at)++;
}

static inline int kit_by_name(const void *a, const void *b)
{
    const struct promql_label *x = a, *y = b;

    return slice_compare(x->name, y->name);
}

/* name{a="b"}, name, {a="b"}, {}: moves *at behind it. */
static inline struct promql_labels kit_labels(struct kit *kit, const char **at)
{
    struct promql_label *labels = kit_zero(kit, KIT_LABELS, sizeof(*labels));
    uint32_t count = 0;
    size_t len = strcspn(*at, "{ \n");

    if (len > 0)
        labels[count++] = (struct promql_label){
            SLICE("__name__"),
            arena_copy(&kit->arena, (struct slice){*at, len})};
    *at += len;
    if (**at == '{') {
        for (++*at, kit_blanks(at); **at != '}'; kit_blanks(at)) {
            struct promql_label *label = &labels[count];
            char *value = kit_zero(kit, strlen(*at) + 1, 1), *end = value;

            len = strcspn(*at, "=");
            label->name = arena_copy(&kit->arena, (struct slice){*at, len});
            *at += len + 2;
            for (; **at && **at != '"'; ++*at) {
                if (**at == '\\')
                    ++*at;
                *end++ = **at;
            }
            ++*at;
            label->value = (struct slice){value, (size_t)(end - value)};
            count += end > value;
        }
        ++*at;
    }
    qsort(labels, count, sizeof(*labels), kit_by_name);
    return (struct promql_labels){labels, count};
}

/* ---- samples ---- */

struct kit_samples {
    int64_t *times;
    double *values;
    const struct promql_histogram **histograms;
    uint64_t *resets;
    int64_t now_ms, interval_ms;
    uint32_t count;
    bool any_reset, any_histogram;
};

static inline void kit_sample(struct kit_samples *samples, double v,
                              const struct promql_histogram *h)
{
    uint32_t at = samples->count++;

    samples->times[at] = samples->now_ms;
    samples->values[at] = v;
    samples->histograms[at] = h;
    samples->any_histogram |= h != NULL;
    samples->now_ms += samples->interval_ms;
}

static inline double kit_number(const char **at)
{
    char *end;
    double v = strtod(*at, &end);

    *at = end;
    return v;
}

/* 5, 5x3, 0+10x5, 9-2x3 */
static inline void kit_numbers(struct kit_samples *samples, const char **at)
{
    double v = kit_number(at), by = 0;
    long more = 0;
    char *end;

    if (**at == '+' || **at == '-')
        by = kit_number(at);
    if (**at == 'x') {
        more = strtol(*at + 1, &end, 10);
        *at = end;
    }
    for (; more >= 0; more--, v += by)
        kit_sample(samples, v, NULL);
}

static inline const double *kit_list(struct kit *kit, const char **at,
                                     uint32_t *count)
{
    double *list = kit_zero(kit, KIT_SAMPLES, sizeof(*list));

    for (++*at; **at != ']'; kit_blanks(at))
        list[(*count)++] = kit_number(at);
    ++*at;
    return list;
}

static inline void kit_member(struct kit *kit, struct promql_histogram *h,
                              struct slice name, const char **at)
{
    if (slice_equal(name, SLICE("buckets")))
        h->positive.counts = kit_list(kit, at, &h->positive.count);
    else if (slice_equal(name, SLICE("n_buckets")))
        h->negative.counts = kit_list(kit, at, &h->negative.count);
    else if (slice_equal(name, SLICE("bounds"))) {
        h->bounds = kit_list(kit, at, &h->bound_count);
        h->schema = PROMQL_CUSTOM_BUCKETS;
    } else if (slice_equal(name, SLICE("schema")))
        h->schema = (int32_t)kit_number(at);
    else if (slice_equal(name, SLICE("count")))
        h->count = kit_number(at);
    else if (slice_equal(name, SLICE("sum")))
        h->sum = kit_number(at);
    else if (slice_equal(name, SLICE("z_bucket")))
        h->zero_count = kit_number(at);
    else if (slice_equal(name, SLICE("z_bucket_w")))
        h->zero_threshold = kit_number(at);
    else if (slice_equal(name, SLICE("offset")))
        h->positive.offset = (int32_t)kit_number(at);
    else if (slice_equal(name, SLICE("n_offset")))
        h->negative.offset = (int32_t)kit_number(at);
    else
        abort();
}

/* {{schema:0 count:3 sum:4 buckets:[1 2]}} */
static inline const struct promql_histogram *kit_histogram(struct kit *kit,
                                                           const char **at)
{
    struct promql_histogram *h = kit_zero(kit, 1, sizeof(*h));

    for (*at += 2, kit_blanks(at); **at != '}'; kit_blanks(at)) {
        size_t len = strcspn(*at, ":");
        struct slice name = {*at, len};

        *at += len + 1;
        kit_member(kit, h, name, at);
    }
    *at += 2;
    return h;
}

/* The samples of a line, up to its end. */
static inline void kit_samples(struct kit *kit, const char *at,
                               int64_t interval_ms, struct kit_samples *samples)
{
    *samples = (struct kit_samples){
        .times = kit_zero(kit, KIT_SAMPLES, sizeof(int64_t)),
        .values = kit_zero(kit, KIT_SAMPLES, sizeof(double)),
        .histograms = kit_zero(kit, KIT_SAMPLES, sizeof(void *)),
        .resets = kit_zero(kit, KIT_SAMPLES / 64, sizeof(uint64_t)),
        .interval_ms = interval_ms};
    for (kit_blanks(&at); *at && *at != '\n'; kit_blanks(&at)) {
        if (samples->count + 1024 > KIT_SAMPLES)
            abort();
        if (*at == '!') {
            samples->resets[samples->count / 64] |= UINT64_C(1)
                                                    << samples->count % 64;
            samples->any_reset = true;
            at++;
        }
        if (*at == '_') {
            long times = at[1] == 'x' ? strtol(at + 2, NULL, 10) : 1;

            samples->now_ms += times * interval_ms;
            at += strcspn(at, " \n");
        } else if (strncmp(at, "stale", 5) == 0) {
            kit_sample(samples, promql_stale(), NULL);
            at += 5;
        } else if (*at == '{') {
            kit_sample(samples, 0, kit_histogram(kit, &at));
        } else {
            kit_numbers(samples, &at);
        }
    }
}

static inline void kit_load(struct kit *kit, const char *line,
                            int64_t interval_ms)
{
    struct promql_series *series = &kit->series[kit->count++];
    struct kit_samples samples;

    if (kit->count == KIT_SERIES)
        abort();
    kit_blanks(&line);
    *series = (struct promql_series){.labels = kit_labels(kit, &line)};
    kit_samples(kit, line, interval_ms, &samples);
    series->times = samples.times;
    series->values = samples.values;
    series->histograms = samples.any_histogram ? samples.histograms : NULL;
    series->resets = samples.any_reset ? samples.resets : NULL;
    series->count = samples.count;
}

/* ---- the source ---- */

static inline enum status kit_part(struct kit *kit,
                                   const struct promql_series *whole,
                                   const struct promql_select *select,
                                   promql_visit *visit, void *visit_arg)
{
    struct promql_series part = *whole;
    uint64_t *resets = kit_zero(kit, part.count / 64 + 1, sizeof(*resets));
    uint32_t first = 0, end = part.count;

    while (first < end && part.times[first] <= select->start_ms)
        first++;
    while (end > first && part.times[end - 1] > select->end_ms)
        end--;
    if (first == end)
        return OK;
    for (uint32_t i = first; whole->resets && i < end; i++)
        if (whole->resets[i / 64] >> (i % 64) & 1)
            resets[(i - first) / 64] |= UINT64_C(1) << ((i - first) % 64);
    part.times += first;
    part.values += first;
    part.histograms = part.histograms ? part.histograms + first : NULL;
    part.resets = part.resets ? resets : NULL;
    part.count = end - first;
    return visit(visit_arg, &part);
}

static inline enum status kit_select(void *arg,
                                     const struct promql_select *select,
                                     promql_visit *visit, void *visit_arg)
{
    struct kit *kit = arg;
    enum status s = OK;

    kit->selects++;
    for (uint32_t i = 0; s == OK && i < kit->count; i++)
        if (promql_matches(select->matchers, select->matcher_count,
                           &kit->series[i].labels))
            s = kit_part(kit, &kit->series[i], select, visit, visit_arg);
    return s;
}

static inline struct promql_source kit_source(struct kit *kit)
{
    return (struct promql_source){.select = kit_select, .arg = kit};
}

/* Parses and evaluates; the result is in `arena`. */
static inline enum status kit_query(struct kit *kit, struct slice text,
                                    const struct promql_time *time,
                                    struct arena *arena,
                                    struct promql_result *result,
                                    struct promql_error *error)
{
    struct promql_source source = kit_source(kit);
    const struct promql_query *query;
    enum status s = promql_parse(arena, text, &query, error);

    return s == OK ? promql_evaluate(query, time, &source, arena, result, error)
                   : s;
}

#endif
