/*
 * Histograms that arrive as two counters, as remote write and exporters of
 * plain numbers send them: X_sum and X_count, with the same labels. Growth of
 * the sum by growth of the count is the mean duration; either alone grows with
 * the load.
 */
#include "hash.h"
#include "timeseries_bins.h"

static bool has_suffix(struct slice name, const char *word, size_t *len)
{
    struct slice suffix = slice_of(word);

    *len = suffix.len + 1;
    return name.len > *len && slice_ends(name, suffix) &&
           (name.ptr[name.len - *len] == '_' ||
            name.ptr[name.len - *len] == '.');
}

void histogram_part_find(struct metric_info *info, struct slice bare)
{
    struct slice *name = &info->metric.name;
    bool less;
    size_t len;

    if (info->metric.type > METRIC_SUM)
        return;
    if (has_suffix(*name, "count", &len)) {
        info->stem = hash_bytes(name->ptr, name->len - len, 7);
        return;
    }
    if (!has_suffix(*name, "sum", &len) || bare.len <= len)
        return;
    struct metric whole = info->metric;
    whole.type = METRIC_HISTOGRAM;
    whole.name.len -= len;
    bare.len -= len;
    if (metric_class_of_calls(&whole, bare, &less) != CLASS_LATENCY)
        return;
    name->len -= len;
    info->stem = hash_bytes(name->ptr, name->len, 7);
    info->is_sum_part = true;
    info->class = metric_class_of(&whole, bare, &info->less_is_worse);
    info->of_callee = CLASS_LATENCY;
    info->side = metric_side_of(bare);
}

static uint64_t join_key(const struct timeseries_reader *r,
                         const struct raw_series *raw)
{
    uint64_t key = hash_mix(r->metrics[raw->metric].stem, raw->component);

    if (raw->caller == NO_INDEX)
        return hash_mix(hash_mix(key, raw->resource), raw->parts.pod);
    return hash_mix(hash_mix(key, raw->caller), raw->side);
}

/* The sum becomes that of a histogram: of seconds, and of requests. */
static void join(const struct timeseries_reader *r, struct raw_series *sum,
                 const struct raw_series *count)
{
    for (uint32_t i = 0; i < r->bin_count; i++) {
        struct bin *b = &sum->bins[i];
        const struct bin *n = &count->bins[i];

        b->sum = b->weight;
        b->weight = n->weight;
        b->failed = n->failed;
        if (n->points == 0)
            b->points = 0;
    }
}

void histogram_parts_join(struct timeseries_reader *r)
{
    struct interned_terms keys;
    uint32_t *counts =
        arena_alloc(r->arena, (r->raw_count + 1) * sizeof(*counts));

    if (!counts || !terms_init(&keys, r->arena))
        return;
    for (uint32_t i = 0; i < r->raw_count; i++) {
        const struct metric_info *info = &r->metrics[r->raw[i].metric];

        if (!r->raw[i].bins || !info->stem || info->is_sum_part)
            continue;
        uint32_t n = terms_add_key(&keys, join_key(r, &r->raw[i]));
        if (n == NO_INDEX)
            return;
        counts[n] = i;
    }
    for (uint32_t i = 0; i < r->raw_count; i++) {
        struct raw_series *sum = &r->raw[i];

        if (!sum->bins || !r->metrics[sum->metric].is_sum_part)
            continue;
        uint32_t n = terms_find(&keys, join_key(r, sum));
        if (n == NO_INDEX)
            sum->bins = NULL; /* it says nothing alone */
        else
            join(r, sum, &r->raw[counts[n]]);
    }
}
