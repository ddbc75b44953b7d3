/*
 * Columns first (times, starts, flags; of histograms the counts), then the
 * values point by point: a point of a histogram is a small structure, and one
 * bit says that its bounds are those of the point before. Those of histograms
 * are the tail, which who only needs counts does not even unpack.
 *
 * Times are differences of differences, so a steady interval takes a byte. A
 * double is the XOR of its bits with those of the one before, bytes reversed,
 * so that the trailing zeros of round numbers are omitted by the varint. Counts
 * of cumulative histograms are differences to the point before.
 *
 * The reader does not trust the bytes: a count is compared with the bytes left
 * before memory is allocated, and times are sums that may wrap but not trap.
 */
#include "series_code.h"

#include <assert.h>

#include "attr_codec.h"
#include "series_format.h"

/* The values that the next histogram is encoded relative to. */
struct before {
    uint64_t sum, min, max, threshold, value;
    const struct histogram *histogram; /* of the point before, if it has one */
};

static bool same_bounds(const struct histogram *a, const struct histogram *b)
{
    return b && a->bound_count == b->bound_count &&
           (a->bound_count == 0 ||
            memcmp(a->bounds, b->bounds, a->bound_count * sizeof(double)) == 0);
}

static void counts_write(struct buf *out, const struct histogram *h,
                         const struct histogram *before, bool cumulative)
{
    const uint64_t *base = NULL;

    if (cumulative && before && before->counts &&
        before->bound_count == h->bound_count)
        base = before->counts;
    for (uint32_t i = 0; i <= h->bound_count; i++)
        buf_varint(out,
                   base ? difference(h->counts[i], base[i]) : h->counts[i]);
}

/* Zeros are written as a zero and the number of zeros after it. */
static void run_write(struct buf *out, const struct exp_buckets *run)
{
    assert(run->count <= POINT_MAX_BUCKETS); /* a reader accepts no more */
    buf_varint(out, run->count);
    if (run->count == 0)
        return;
    buf_varint(out, zigzag(run->offset));
    for (uint32_t i = 0; i < run->count; i++) {
        buf_varint(out, run->counts[i]);
        if (run->counts[i] != 0)
            continue;
        uint32_t more = 0;
        while (i + 1 < run->count && run->counts[i + 1] == 0) {
            more++;
            i++;
        }
        buf_varint(out, more);
    }
}

/* What histograms of all types have beside the count. */
static void totals_write(struct buf *out, const struct histogram *h, bool same,
                         struct before *before)
{
    int flags = (h->has_sum ? H_SUM : 0) | (h->has_min ? H_MIN : 0) |
                (h->has_max ? H_MAX : 0) | (h->counts ? H_COUNTS : 0) |
                (same ? H_SAME_BOUNDS : 0);

    buf_byte(out, (char)flags);
    if (h->has_sum)
        double_write(out, h->sum, &before->sum);
    if (h->has_min)
        double_write(out, h->min, &before->min);
    if (h->has_max)
        double_write(out, h->max, &before->max);
}

static void histogram_write(struct buf *out, const struct histogram *h,
                            const struct metric *metric, struct before *before)
{
    bool cumulative = metric->temporality == CUMULATIVE;
    bool same = same_bounds(h, before->histogram);

    totals_write(out, h, same, before);
    if (metric->type == METRIC_EXP_HISTOGRAM) {
        buf_varint(out, zigzag(h->scale));
        buf_varint(out, h->zero_count);
        double_write(out, h->zero_threshold, &before->threshold);
        run_write(out, &h->positive);
        run_write(out, &h->negative);
        return;
    }
    if (!same) {
        buf_varint(out, h->bound_count);
        for (uint32_t i = 0; i < h->bound_count; i++)
            buf_fixed(out, bits_of(h->bounds[i]), 8);
    }
    if (metric->type == METRIC_SUMMARY)
        for (uint32_t i = 0; i < h->bound_count; i++)
            double_write(out, h->values[i], &before->value);
    else if (h->counts)
        counts_write(out, h, before->histogram, cumulative);
    before->histogram = h;
}

static void exemplars_write(struct buf *out, const struct point *point)
{
    buf_varint(out, point->exemplar_count);
    for (uint32_t i = 0; i < point->exemplar_count; i++) {
        const struct exemplar *e = &point->exemplars[i];

        buf_varint(out, difference(e->time_ns, point->time_ns));
        buf_add(out, (struct slice){(const char *)e->trace_id, 16});
        buf_add(out, (struct slice){(const char *)e->span_id, 8});
        buf_fixed(out, bits_of(e->value), 8);
        attrs_write(out, &e->attrs, ATTR_FORM_CHUNK);
    }
}

static int modes_of(const struct point *const *points, uint32_t count)
{
    int modes = points[0]->is_int ? 0 : HAS_DOUBLES;
    uint32_t steady = 0, follow = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct point *p = points[i], *q = points[i ? i - 1 : 0];

        if (p->is_int != points[0]->is_int)
            modes |= HAS_MIXED;
        if (p->flags)
            modes |= HAS_FLAGS;
        if (p->corrected)
            modes |= HAS_CORRECTED;
        if (p->exemplar_count)
            modes |= HAS_EXEMPLARS;
        steady += p->start_ns == q->start_ns;
        follow += p->time_ns - p->start_ns == q->time_ns - q->start_ns;
    }
    return modes | (follow > steady ? STARTS_FOLLOW : 0);
}

static void columns_write(struct buf *out, const struct point *const *points,
                          uint32_t count, int modes)
{
    uint64_t time = 0, step = 0, start = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t delta = points[i]->time_ns - time;

        buf_varint(out, difference(delta, step));
        step = i ? delta : 0;
        time = points[i]->time_ns;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t value = modes & STARTS_FOLLOW
                             ? points[i]->time_ns - points[i]->start_ns
                             : points[i]->start_ns;

        buf_varint(out, difference(value, start));
        start = value;
    }
    for (uint32_t i = 0; i < count && modes & HAS_FLAGS; i++)
        buf_varint(out, points[i]->flags);
    for (uint32_t i = 0; i < count && modes & HAS_CORRECTED; i++)
        buf_byte(out, (char)points[i]->corrected);
    for (uint32_t i = 0; i < count && modes & HAS_MIXED; i++)
        buf_byte(out, points[i]->is_int);
}

static void histogram_counts_write(struct buf *out,
                                   const struct point *const *points,
                                   uint32_t count)
{
    bool cumulative = points[0]->metric->temporality == CUMULATIVE;
    uint64_t before = 0;

    for (uint32_t i = 0; i < count; i++) {
        buf_varint(out, difference(points[i]->histogram->count,
                                   cumulative ? before : 0));
        before = points[i]->histogram->count;
    }
}

void points_write(struct buf *out, struct buf *tail,
                  const struct point *const *points, uint32_t count)
{
    const struct metric *metric = points[0]->metric;
    int modes = modes_of(points, count);
    struct before before = {0};
    uint64_t integer = 0;

    buf_byte(out, (char)modes);
    columns_write(out, points, count, modes);
    if (!is_number(metric)) {
        histogram_counts_write(out, points, count);
        out = tail;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct point *p = points[i];

        if (!is_number(metric)) {
            histogram_write(out, p->histogram, metric, &before);
        } else if (p->is_int) {
            buf_varint(out, difference((uint64_t)p->i, integer));
            integer = (uint64_t)p->i;
        } else {
            double_write(out, p->d, &before.value);
        }
        if (modes & HAS_EXEMPLARS)
            exemplars_write(out, p);
    }
}
