/*
 * Decodes what series_code.c writes, and wrote in version 1. Columns are
 * decoded into arrays, values into one point and one histogram that are reused
 * for every visit; the arrays of the histogram grow to the largest one of the
 * series.
 */
#include "attr_codec.h"
#include "series_code.h"
#include "series_format.h"

/* An array in the arena that grows by copying. */
struct decoded_array {
    void *at;
    uint32_t room;
};

struct decoder {
    struct byte_reader *in;
    struct arena *arena;
    const struct metric *metric;
    uint64_t sum, min, max, threshold, value, integer;
    struct histogram histogram;
    bool has_counts; /* of the point before */
    struct decoded_array bounds, values, counts, positive, negative, exemplars;
};

/* Makes room for count elements, each of at least `least` encoded bytes; the
 * contents remain. */
static bool grow(struct decoder *d, struct decoded_array *array, uint64_t count,
                 size_t size, size_t least)
{
    if (count > byte_reader_left(d->in) / least || count >= UINT32_MAX) {
        byte_reader_fail(d->in);
        return false;
    }
    if (count <= array->room)
        return true;

    uint32_t room = (uint32_t)count + array->room;
    void *at = arena_zero(d->arena, room, size);
    if (!at) {
        byte_reader_fail(d->in);
        return false;
    }
    if (array->room > 0)
        memcpy(at, array->at, array->room * size);
    array->at = at;
    array->room = room;
    return true;
}

static void read_bounds(struct decoder *d, bool same)
{
    struct histogram *h = &d->histogram;

    if (same)
        return;
    uint64_t count = byte_reader_varint(d->in);
    d->has_counts = d->has_counts && count == h->bound_count;
    h->bound_count = 0;
    if (!grow(d, &d->bounds, count, sizeof(double), sizeof(double)))
        return;
    h->bounds = d->bounds.at;
    h->bound_count = (uint32_t)count;
    for (uint32_t i = 0; i < h->bound_count; i++)
        ((double *)d->bounds.at)[i] =
            double_of(byte_reader_fixed(d->in, sizeof(double)));
}

static void read_counts(struct decoder *d, bool cumulative)
{
    struct histogram *h = &d->histogram;

    h->counts = NULL;
    if (!grow(d, &d->counts, (uint64_t)h->bound_count + 1, sizeof(uint64_t), 1))
        return;

    uint64_t *counts = d->counts.at;
    for (uint32_t i = 0; i <= h->bound_count; i++) {
        uint64_t coded = byte_reader_varint(d->in);

        counts[i] =
            cumulative && d->has_counts ? sum_of(counts[i], coded) : coded;
    }
    h->counts = counts;
}

static void read_run(struct decoder *d, struct decoded_array *array,
                     struct exp_buckets *run)
{
    uint64_t count = byte_reader_varint(d->in);

    *run = (struct exp_buckets){0};
    /* Many zeros take few bytes, so the bytes left are no limit. */
    if (count == 0)
        return;
    if (count > POINT_MAX_BUCKETS) {
        byte_reader_fail(d->in);
        return;
    }
    run->offset = (int32_t)unzigzag(byte_reader_varint(d->in));
    if (array->room < count) {
        array->at = arena_alloc(d->arena, POINT_MAX_BUCKETS * sizeof(uint64_t));
        array->room = array->at ? POINT_MAX_BUCKETS : 0;
    }
    if (!array->at) {
        byte_reader_fail(d->in);
        return;
    }

    uint64_t *counts = array->at;
    for (uint64_t i = 0; i < count;) {
        counts[i] = byte_reader_varint(d->in);
        if (counts[i++] != 0)
            continue;
        uint64_t more = byte_reader_varint(d->in);
        if (more > count - i)
            byte_reader_fail(d->in);
        else
            while (more-- > 0)
                counts[i++] = 0;
    }
    run->counts = counts;
    run->count = (uint32_t)count;
}

static void read_exponential(struct decoder *d)
{
    struct histogram *h = &d->histogram;

    h->scale = (int32_t)unzigzag(byte_reader_varint(d->in));
    h->zero_count = byte_reader_varint(d->in);
    h->zero_threshold = double_read(d->in, &d->threshold);
    read_run(d, &d->positive, &h->positive);
    read_run(d, &d->negative, &h->negative);
}

static void read_values(struct decoder *d)
{
    struct histogram *h = &d->histogram;

    h->values = NULL;
    if (!grow(d, &d->values, h->bound_count, sizeof(double), 1))
        return;
    for (uint32_t i = 0; i < h->bound_count; i++)
        ((double *)d->values.at)[i] = double_read(d->in, &d->value);
    h->values = d->values.at;
}

/* count: of its column; NULL: version 1, it is here. */
static void read_histogram(struct decoder *d, const uint64_t *count)
{
    struct histogram *h = &d->histogram;
    bool cumulative = d->metric->temporality == CUMULATIVE;
    int flags = byte_reader_u8(d->in);

    h->count =
        count ? *count
              : sum_of(cumulative ? h->count : 0, byte_reader_varint(d->in));
    h->has_sum = flags & H_SUM;
    h->has_min = flags & H_MIN;
    h->has_max = flags & H_MAX;
    h->sum = h->has_sum ? double_read(d->in, &d->sum) : 0;
    h->min = h->has_min ? double_read(d->in, &d->min) : 0;
    h->max = h->has_max ? double_read(d->in, &d->max) : 0;
    if (d->metric->type == METRIC_EXP_HISTOGRAM) {
        read_exponential(d);
        return;
    }
    read_bounds(d, flags & H_SAME_BOUNDS);
    if (d->metric->type == METRIC_SUMMARY)
        read_values(d);
    else if (flags & H_COUNTS)
        read_counts(d, cumulative);
    else
        h->counts = NULL;
    d->has_counts = h->counts != NULL;
}

static void read_exemplars(struct decoder *d, struct point *point)
{
    enum { EXEMPLAR_MIN_BYTES = 1 + 16 + 8 + 8 + 2 };
    uint64_t count = byte_reader_varint(d->in);

    point->exemplar_count = 0;
    if (!grow(d, &d->exemplars, count, sizeof(struct exemplar),
              EXEMPLAR_MIN_BYTES))
        return;

    struct exemplar *all = d->exemplars.at;
    for (uint64_t i = 0; i < count && !d->in->bad; i++) {
        struct exemplar *e = &all[i];

        e->time_ns = sum_of(point->time_ns, byte_reader_varint(d->in));
        slice_copy((char *)e->trace_id, byte_reader_bytes(d->in, 16));
        slice_copy((char *)e->span_id, byte_reader_bytes(d->in, 8));
        e->value = double_of(byte_reader_fixed(d->in, sizeof(double)));
        attrs_read(d->in, d->arena, ATTR_FORM_CHUNK, &e->attrs);
    }
    point->exemplars = all;
    point->exemplar_count = (uint32_t)count;
}

/* The columns before the values. */
struct columns {
    uint64_t *times, *starts;
    uint32_t *flags;
    uint8_t *corrected, *ints;
    uint64_t *counts; /* of histograms; NULL: version 1 */
};

static bool alloc_columns(struct decoder *d, uint32_t count, struct columns *c)
{
    *c = (struct columns){
        .times = arena_zero(d->arena, count, sizeof(*c->times)),
        .starts = arena_zero(d->arena, count, sizeof(*c->starts)),
        .flags = arena_zero(d->arena, count, sizeof(*c->flags)),
        .corrected = arena_zero(d->arena, count, 1),
        .ints = arena_zero(d->arena, count, 1),
    };
    return arena_status(d->arena) == OK;
}

/* The next varints are all 0, as at a steady interval: takes them at once. */
static bool take_zeros(struct byte_reader *in, uint32_t count)
{
    static const char zeros[64];

    if (count > byte_reader_left(in))
        return false;
    for (uint32_t i = 0; i < count; i += sizeof(zeros))
        if (memcmp(in->at + i, zeros,
                   count - i < sizeof(zeros) ? count - i : sizeof(zeros)) != 0)
            return false;
    in->at += count;
    return true;
}

/* Readers are copied so that they stay in registers. */
static void read_times(struct byte_reader *from, uint32_t count,
                       uint64_t *times)
{
    struct byte_reader in = *from;
    uint64_t time = 0, step = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (i == 2 && take_zeros(&in, count - 2)) {
            for (; i < count; i++)
                times[i] = time += step;
            break;
        }
        uint64_t delta = sum_of(step, byte_reader_varint(&in));

        step = i ? delta : 0;
        times[i] = time += delta;
    }
    *from = in;
}

static void read_starts(struct byte_reader *from, uint32_t count, bool follow,
                        const uint64_t *times, uint64_t *starts)
{
    struct byte_reader in = *from;
    uint64_t start = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (i == 1 && take_zeros(&in, count - 1)) {
            for (; i < count; i++)
                starts[i] = follow ? times[i] - start : start;
            break;
        }
        start = sum_of(start, byte_reader_varint(&in));
        starts[i] = follow ? times[i] - start : start;
    }
    *from = in;
}

static bool read_columns(struct decoder *d, uint32_t count, int modes,
                         struct columns *c)
{
    if (!alloc_columns(d, count, c))
        return false;
    read_times(d->in, count, c->times);
    read_starts(d->in, count, modes & STARTS_FOLLOW, c->times, c->starts);
    for (uint32_t i = 0; i < count && modes & HAS_FLAGS; i++)
        c->flags[i] = (uint32_t)byte_reader_varint(d->in);
    for (uint32_t i = 0; i < count && modes & HAS_CORRECTED; i++)
        c->corrected[i] = byte_reader_u8(d->in);
    if (modes & HAS_MIXED)
        for (uint32_t i = 0; i < count; i++)
            c->ints[i] = byte_reader_u8(d->in) != 0;
    else if (!(modes & HAS_DOUBLES))
        memset(c->ints, 1, count);
    return !d->in->bad;
}

static bool read_histogram_counts(struct decoder *d, uint32_t count,
                                  struct columns *c)
{
    bool cumulative = d->metric->temporality == CUMULATIVE;
    struct byte_reader in = *d->in;
    uint64_t last = 0;

    c->counts = arena_alloc(d->arena, count * sizeof(*c->counts));
    for (uint32_t i = 0; c->counts && i < count; i++)
        c->counts[i] = last =
            sum_of(cumulative ? last : 0, byte_reader_varint(&in));
    *d->in = in;
    return c->counts && !in.bad;
}

static void read_value(struct decoder *d, struct point *point,
                       const uint64_t *count)
{
    if (!is_number(d->metric)) {
        read_histogram(d, count);
        point->histogram = &d->histogram;
        point->is_int = false;
    } else if (point->is_int) {
        d->integer = sum_of(d->integer, byte_reader_varint(d->in));
        point->i = (int64_t)d->integer;
    } else {
        point->d = double_read(d->in, &d->value);
    }
}

/* Histograms of which only the counts were asked for. */
static void visit_counts(const struct columns *c, uint32_t count,
                         const struct series_of *series,
                         const struct points_visit *visit)
{
    struct histogram histogram = {0};
    struct point point = {.metric = series->metric,
                          .attrs = series->attrs,
                          .resource_id = series->resource_id,
                          .histogram = &histogram};

    for (uint32_t i = 0; i < count; i++) {
        histogram.count = c->counts[i];
        point.start_ns = c->starts[i];
        point.time_ns = c->times[i];
        point.flags = c->flags[i];
        point.corrected = c->corrected[i];
        visit->point(visit->arg, &point);
    }
}

/* They are in order of time, unless a checksum was forged: then less or more is
 * visited. */
static void visit_counts_within(struct columns *c, uint32_t count,
                                const struct series_of *series,
                                uint64_t start_ns, uint64_t end_ns,
                                const struct points_visit *visit)
{
    struct series_counts counts;
    uint32_t first = 0;

    while (first < count && c->times[first] <= start_ns)
        first++;
    while (count > first && c->times[count - 1] > end_ns)
        count--;
    c->times += first;
    c->starts += first;
    c->flags += first;
    c->corrected += first;
    c->counts += first;
    count -= first;
    if (!visit->counts) {
        visit_counts(c, count, series, visit);
        return;
    }
    counts =
        (struct series_counts){c->times, c->starts, c->counts, c->flags, count};
    if (count > 0)
        visit->counts(visit->arg, &counts);
}

void points_read(const struct points_bytes *bytes, uint32_t count,
                 const struct series_of *series, uint64_t start_ns,
                 uint64_t end_ns, struct arena *arena,
                 const struct points_visit *visit)
{
    struct decoder d = {
        .in = bytes->in, .arena = arena, .metric = series->metric};
    int modes = byte_reader_u8(d.in);
    bool split = bytes->tail || bytes->counts_only;
    struct columns c;

    /* A point takes at least a time, a start and a value. */
    if (count > byte_reader_left(d.in) / 3 ||
        !read_columns(&d, count, modes, &c) ||
        (split && !read_histogram_counts(&d, count, &c))) {
        byte_reader_fail(bytes->in);
        return;
    }
    if (bytes->counts_only) {
        visit_counts_within(&c, count, series, start_ns, end_ns, visit);
        return;
    }
    if (bytes->tail)
        d.in = bytes->tail;
    for (uint32_t i = 0; i < count; i++) {
        struct point point = {.metric = series->metric,
                              .attrs = series->attrs,
                              .start_ns = c.starts[i],
                              .time_ns = c.times[i],
                              .flags = c.flags[i],
                              .resource_id = series->resource_id,
                              .is_int = c.ints[i],
                              .corrected = c.corrected[i]};

        read_value(&d, &point, c.counts ? &c.counts[i] : NULL);
        if (modes & HAS_EXEMPLARS)
            read_exemplars(&d, &point);
        if (d.in->bad)
            return;
        if (point.time_ns > start_ns && point.time_ns <= end_ns)
            visit->point(visit->arg, &point);
    }
}
