/*
 * A native histogram as JSON: {"count":"3","sum":"1.5","buckets":[[0,"0.5",
 * "1","3"]]}, from the lowest bucket to the highest, without empty ones. The
 * first number says which ends belong to a bucket: 0 the upper one, 1 the lower
 * one, 2 none, 3 both.
 */
#include <math.h>

#include "api.h"
#include "exphist.h"

enum { UPPER_INCLUSIVE, LOWER_INCLUSIVE, NONE_INCLUSIVE, BOTH_INCLUSIVE };

static void write_bucket(struct jsonw *w, int ends, double lower, double upper,
                         double count)
{
    jsonw_open(w, '[');
    jsonw_int(w, ends);
    api_write_value(w, lower);
    api_write_value(w, upper);
    api_write_value(w, count);
    jsonw_close(w, ']');
}

static bool is_shown(double count)
{
    return count != 0; /* NaN is */
}

/* The lowest of classic bounds has no lower end. */
static void write_custom(struct jsonw *w, const struct promql_histogram *h)
{
    for (uint32_t i = 0; i < h->positive.count; i++) {
        uint32_t at = i + (uint32_t)h->positive.offset;
        bool first = at == 0;

        if (is_shown(h->positive.counts[i]) && at <= h->bound_count)
            write_bucket(w, first ? BOTH_INCLUSIVE : UPPER_INCLUSIVE,
                         first ? -(double)INFINITY : h->bounds[at - 1],
                         at < h->bound_count ? h->bounds[at] : (double)INFINITY,
                         h->positive.counts[i]);
    }
}

static void write_exponential(struct jsonw *w, const struct promql_histogram *h)
{
    const struct promql_buckets *side = &h->negative;

    for (uint32_t i = side->count; i-- > 0;)
        if (is_shown(side->counts[i])) {
            int64_t index = (int64_t)side->offset + i;

            write_bucket(w, LOWER_INCLUSIVE,
                         -exphist_bound(h->schema, index + 1),
                         -exphist_bound(h->schema, index), side->counts[i]);
        }
    if (is_shown(h->zero_count))
        write_bucket(w, BOTH_INCLUSIVE, -h->zero_threshold, h->zero_threshold,
                     h->zero_count);
    side = &h->positive;
    for (uint32_t i = 0; i < side->count; i++)
        if (is_shown(side->counts[i])) {
            int64_t index = (int64_t)side->offset + i;

            write_bucket(w, UPPER_INCLUSIVE, exphist_bound(h->schema, index),
                         exphist_bound(h->schema, index + 1), side->counts[i]);
        }
}

static bool side_has_any(const struct promql_buckets *side)
{
    for (uint32_t i = 0; i < side->count; i++)
        if (is_shown(side->counts[i]))
            return true;
    return false;
}

void api_write_histogram(struct jsonw *w, const struct promql_histogram *h)
{
    bool custom = h->schema == PROMQL_CUSTOM_BUCKETS;

    jsonw_open(w, '{');
    jsonw_name(w, "count");
    api_write_value(w, h->count);
    jsonw_name(w, "sum");
    api_write_value(w, h->sum);
    if (side_has_any(&h->positive) ||
        (!custom && (side_has_any(&h->negative) || is_shown(h->zero_count)))) {
        jsonw_name(w, "buckets");
        jsonw_open(w, '[');
        if (custom)
            write_custom(w, h);
        else
            write_exponential(w, h);
        jsonw_close(w, ']');
    }
    jsonw_close(w, '}');
}
