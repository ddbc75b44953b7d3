/*
 * The points of a row, all of whose bytes are there.
 */
#include <stdlib.h>

#include "ch_attributes.h"
#include "ch_log_rows.h"
#include "ch_read_series.h"
#include "clock.h"
#include "derived.h"
#include "exphist.h"
#include "hex.h"

static void read_map(struct slice map, struct slice types, uint32_t dropped,
                     struct arena *arena, struct attrs *attrs)
{
    struct byte_reader in = byte_reader_over(map);

    ch_attributes_read(&in, types, arena, attrs);
    if (in.bad)
        *attrs = (struct attrs){0};
    if (attrs->dropped == 0)
        attrs->dropped = dropped;
}

/* The peer is stored by the key of its anchor (store_resources.h). */
static void map_peer(const struct ch_reader *reader, struct attrs *attrs)
{
    const struct store_resources *of = reader->resources;

    for (uint32_t i = 0; i < attrs->count; i++) {
        struct attr *attr = (struct attr *)(uintptr_t)&attrs->at[i];

        if (attr->type == VALUE_INT &&
            slice_equal(attr_key(attr), SLICE(DERIVED_PEER_ID)))
            attr->i = of->find_identity(of->arg, (uint64_t)attr->i);
    }
}

static void read_scope(const struct ch_series_row *row, struct arena *arena,
                       struct ch_series_piece *piece)
{
    struct scope *scope = &piece->scope;

    *scope = (struct scope){.name = row->scope_name,
                            .version = row->scope_version,
                            .schema_url = row->scope_schema_url};
    read_map(row->scope_attrs, row->scope_types, row->scope_dropped, arena,
             &scope->attrs);
    if (scope->name.len > 0 || scope->version.len > 0 ||
        scope->schema_url.len > 0 || scope->attrs.count > 0 ||
        scope->attrs.dropped > 0)
        piece->metric.scope = scope;
}

/* ---- points ---- */

/* Where the reading of the arrays is. */
struct piece_reader {
    const struct ch_series_row *row;
    struct byte_reader at[CH_SERIES_ARRAYS];
    struct arena *arena;
};

/* The next number of an array; 0 if there is none. */
static uint64_t next_number(struct piece_reader *r, int array)
{
    return r->row->at[array].count > 0
               ? byte_reader_fixed(&r->at[array], ch_series_sizes[array])
               : 0;
}

static double as_double(uint64_t bits)
{
    double d;

    memcpy(&d, &bits, sizeof(d));
    return d;
}

/* The next array of an array, whose numbers have eight bytes; NULL: none. */
static const void *next_numbers(struct piece_reader *r, int array,
                                uint32_t *count)
{
    struct slice bytes = {NULL, 0};
    uint64_t n = r->row->at[array].count > 0
                     ? ch_series_inner(&r->at[array], array, &bytes)
                     : 0;
    uint64_t *numbers = NULL;

    if (n > 0)
        numbers = arena_alloc(r->arena, (size_t)n * sizeof(*numbers));
    for (uint64_t i = 0; numbers && i < n; i++)
        numbers[i] = load_le(bytes.ptr + i * 8, 8);
    *count = numbers ? (uint32_t)n : 0;
    return numbers;
}

/* Buckets of a derived point, which have any order, at a scale at which there
 * are not too many. */
static void next_pairs(struct piece_reader *r, struct histogram *h)
{
    struct slice bytes = {NULL, 0};
    uint64_t n = r->row->at[CH_AT_PAIRS].count > 0
                     ? ch_series_inner(&r->at[CH_AT_PAIRS], CH_AT_PAIRS, &bytes)
                     : 0;
    struct exphist_range range = {INT32_MAX, INT32_MIN};
    uint64_t *counts;
    int32_t shift;

    for (uint64_t i = 0; i < n; i++) {
        int32_t index = (int32_t)load_le(bytes.ptr + i * 12, 4);

        range.first = index < range.first ? index : range.first;
        range.last = index > range.last ? index : range.last;
    }
    if (n == 0)
        return;
    shift = exphist_shift_to_fit(range, POINT_MAX_BUCKETS);
    range = exphist_range_lower(range, shift);
    counts = arena_zero(r->arena, (size_t)exphist_range_count(range),
                        sizeof(*counts));
    for (uint64_t i = 0; counts && i < n; i++) {
        int64_t index = (int32_t)load_le(bytes.ptr + i * 12, 4);

        counts[exphist_index(index, shift) - range.first] +=
            load_le(bytes.ptr + i * 12 + 4, 8);
    }
    h->scale -= shift;
    if (counts)
        h->positive = (struct exp_buckets){
            counts, (uint32_t)exphist_range_count(range), (int32_t)range.first};
}

static void next_buckets(struct piece_reader *r, enum metric_type type,
                         struct histogram *h)
{
    uint32_t buckets = 0, negative = 0, bounds = 0, values = 0;
    const void *counts = next_numbers(r, CH_AT_BUCKETS, &buckets);
    int32_t offset = (int32_t)next_number(r, CH_AT_OFFSET);
    const void *neg_counts = next_numbers(r, CH_AT_NEG_BUCKETS, &negative);
    int32_t neg_offset = (int32_t)next_number(r, CH_AT_NEG_OFFSET);

    h->bounds = next_numbers(r, CH_AT_BOUNDS, &bounds);
    h->values = next_numbers(r, CH_AT_VALUES, &values);
    h->bound_count = bounds;
    if (type == METRIC_HISTOGRAM) {
        h->counts = counts;
        /* Of another writer: both or none (record.h). */
        if (buckets != bounds + 1) {
            h->counts = NULL;
            h->bounds = NULL;
            h->bound_count = 0;
        }
    } else if (type == METRIC_EXP_HISTOGRAM) {
        h->positive = (struct exp_buckets){counts, buckets, offset};
        h->negative = (struct exp_buckets){neg_counts, negative, neg_offset};
    } else if (values < bounds) {
        h->bound_count = values;
    }
}

static const struct histogram *next_histogram(struct piece_reader *r,
                                              enum metric_type type)
{
    struct histogram *h = arena_zero(r->arena, 1, sizeof(*h));
    bool derived = r->row->table == CH_SERIES_DERIVED;
    uint8_t present;

    if (!h)
        return NULL;
    h->count = next_number(r, CH_AT_COUNT);
    if (r->row->what == CH_SERIES_COUNTS)
        return h;
    h->sum = as_double(next_number(r, CH_AT_SUM));
    h->min = as_double(next_number(r, CH_AT_MIN));
    h->max = as_double(next_number(r, CH_AT_MAX));
    present = derived ? 7 : (uint8_t)next_number(r, CH_AT_PRESENT);
    h->has_sum = present & 1;
    h->has_min = present & 2;
    h->has_max = present & 4;
    h->scale = (int32_t)next_number(r, CH_AT_SCALE);
    h->zero_count = next_number(r, CH_AT_ZERO_COUNT);
    h->zero_threshold = as_double(next_number(r, CH_AT_ZERO_THRESHOLD));
    if (derived)
        next_pairs(r, h);
    else
        next_buckets(r, type, h);
    return h;
}

/* ---- exemplars ---- */

static void read_id(struct slice text, uint8_t *id, size_t len)
{
    if (!hex_bytes(text, id, len))
        memset(id, 0, len);
}

/* The arrays of one point's exemplars. */
struct exemplar_reader {
    struct byte_reader at[CH_SERIES_ARRAYS];
    uint64_t left[CH_SERIES_ARRAYS];
};

static bool has_next(struct exemplar_reader *e, int array)
{
    return e->left[array] > 0 && e->left[array]--;
}

static void next_exemplar(struct exemplar_reader *e, struct arena *arena,
                          struct exemplar *out)
{
    struct slice types = {NULL, 0};

    *out = (struct exemplar){.time_ns = ch_read_time64(&e->at[CH_AT_EX_TIME])};
    if (has_next(e, CH_AT_EX_VALUE))
        out->value = ch_read_f64(&e->at[CH_AT_EX_VALUE]);
    if (has_next(e, CH_AT_EX_SPAN))
        read_id(ch_read_string(&e->at[CH_AT_EX_SPAN]), out->span_id, 8);
    if (has_next(e, CH_AT_EX_TRACE))
        read_id(ch_read_string(&e->at[CH_AT_EX_TRACE]), out->trace_id, 16);
    if (has_next(e, CH_AT_EX_TYPES))
        types = ch_read_string(&e->at[CH_AT_EX_TYPES]);
    if (has_next(e, CH_AT_EX_ATTRS))
        read_map(ch_read_map(&e->at[CH_AT_EX_ATTRS]), types, 0, arena,
                 &out->attrs);
}

static void set_exemplars(struct point *point, struct exemplar *all,
                          uint64_t count)
{
    point->exemplars = all;
    point->exemplar_count = all ? (uint32_t)count : 0;
}

static void next_exemplars(struct piece_reader *r, struct point *point)
{
    struct exemplar_reader e;
    struct exemplar *all;
    uint64_t count;

    for (int array = CH_AT_EX_TIME; array < CH_SERIES_ARRAYS; array++) {
        struct slice bytes = {NULL, 0};

        e.left[array] = r->row->at[array].count > 0
                            ? ch_series_inner(&r->at[array], array, &bytes)
                            : 0;
        e.at[array] = byte_reader_over(bytes);
    }
    count = e.left[CH_AT_EX_TIME];
    if (count == 0)
        return;
    all = arena_alloc(r->arena, (size_t)count * sizeof(*all));
    for (uint64_t i = 0; all && i < count; i++)
        next_exemplar(&e, r->arena, &all[i]);
    set_exemplars(point, all, count);
}

/* Of a derived point those that derived.h promises, of either kind the slowest:
 * each part of a minute has brought its own. */
static uint32_t keep_slowest(struct exemplar *all, uint32_t count)
{
    enum { EACH = 2 };
    struct exemplar kept[2 * EACH];
    uint32_t counts[2] = {0, 0}, n = 0;

    for (uint32_t i = 0; i < count; i++) {
        bool failed = all[i].attrs.count > 0;
        struct exemplar *list = kept + (failed ? EACH : 0);
        uint32_t at = counts[failed];

        if (at == EACH && all[i].value <= list[--at].value)
            continue;
        for (; at > 0 && list[at - 1].value < all[i].value; at--)
            list[at] = list[at - 1];
        list[at] = all[i];
        counts[failed] += counts[failed] < EACH;
    }
    for (int failed = 0; failed < 2; failed++)
        for (uint32_t i = 0; i < counts[failed]; i++)
            all[n++] = kept[failed * EACH + (int)i];
    return n;
}

static void next_tuples(struct piece_reader *r, struct point *point)
{
    static const struct attr failed = {.key = DERIVED_ERROR,
                                       .b = true,
                                       .key_len = sizeof(DERIVED_ERROR) - 1,
                                       .type = VALUE_BOOL};
    struct slice bytes = {NULL, 0};
    uint64_t count =
        r->row->at[CH_AT_TUPLES].count > 0
            ? ch_series_inner(&r->at[CH_AT_TUPLES], CH_AT_TUPLES, &bytes)
            : 0;
    struct byte_reader in = byte_reader_over(bytes);
    struct exemplar *all;

    if (count == 0)
        return;
    all = arena_zero(r->arena, (size_t)count, sizeof(*all));
    for (uint64_t i = 0; all && i < count; i++) {
        all[i].time_ns = ch_read_time64(&in);
        read_id(ch_read_string(&in), all[i].trace_id, 16);
        read_id(ch_read_string(&in), all[i].span_id, 8);
        all[i].value = ch_read_f64(&in);
        if (ch_read_u8(&in))
            all[i].attrs = (struct attrs){.at = &failed, .count = 1};
    }
    set_exemplars(point, all, all ? keep_slowest(all, (uint32_t)count) : 0);
}

/* ---- the piece ---- */

static uint64_t as_time(uint64_t bits)
{
    return (int64_t)bits > 0 ? bits : 0;
}

static void next_times(struct piece_reader *r, struct point *point)
{
    if (r->row->table == CH_SERIES_DERIVED) {
        point->time_ns = next_number(r, CH_AT_SECOND) * NS_PER_S;
        point->start_ns = point->time_ns - DERIVED_MINUTE_S * NS_PER_S;
        return;
    }
    point->time_ns = as_time(next_number(r, CH_AT_TIME));
    point->start_ns = as_time(next_number(r, CH_AT_START));
}

static void next_point(struct piece_reader *r,
                       const struct ch_series_piece *piece, struct point *point)
{
    const struct ch_series_row *row = r->row;
    uint8_t type = piece->metric.type;

    point->metric = &piece->metric;
    next_times(r, point);
    point->flags = (uint32_t)next_number(r, CH_AT_FLAGS);
    point->corrected = (uint8_t)next_number(r, CH_AT_CORRECTED);
    if (type == METRIC_GAUGE || type == METRIC_SUM) {
        point->i = (int64_t)next_number(r, CH_AT_NUMBER);
        point->is_int =
            row->table == CH_SERIES_DERIVED || next_number(r, CH_AT_IS_INT);
    } else {
        point->histogram = next_histogram(r, (enum metric_type)type);
    }
    if (row->table == CH_SERIES_DERIVED)
        next_tuples(r, point);
    else
        next_exemplars(r, point);
}

/* Parts of a minute come in any order, and their sums are rounded. */
static int by_value(const struct point *a, const struct point *b)
{
    uint8_t type = a->metric->type;

    if (type == METRIC_GAUGE || type == METRIC_SUM)
        return a->i < b->i ? -1 : a->i > b->i;
    if (!a->histogram || !b->histogram)
        return 0;
    return a->histogram->sum < b->histogram->sum
               ? -1
               : a->histogram->sum > b->histogram->sum;
}

static int by_time(const void *left, const void *right)
{
    const struct point *a = left, *b = right;

    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return by_value(a, b);
}

static void sort(struct ch_series_piece *piece)
{
    for (uint32_t i = 1; i < piece->count; i++)
        if (by_time(&piece->points[i - 1], &piece->points[i]) > 0) {
            qsort(piece->points, piece->count, sizeof(*piece->points), by_time);
            return;
        }
}

enum status ch_series_piece_read(const struct ch_series_row *row,
                                 const struct ch_reader *reader,
                                 uint32_t resource, struct arena *arena,
                                 struct ch_series_piece *piece)
{
    struct piece_reader r = {.row = row, .arena = arena};
    struct point one = {.resource_id = resource};
    uint64_t count = row->at[CH_AT_TIME].count + row->at[CH_AT_SECOND].count;

    *piece = (struct ch_series_piece){.count = 0};
    ch_series_metric(row, &piece->metric);
    read_scope(row, arena, piece);
    read_map(row->attrs, row->types, row->dropped, arena, &one.attrs);
    if (row->table == CH_SERIES_DERIVED)
        map_peer(reader, &one.attrs);
    for (int array = 0; array < CH_SERIES_ARRAYS; array++)
        r.at[array] = byte_reader_over(row->at[array].bytes);
    piece->points = arena_alloc(arena, ((size_t)count + 1) * sizeof(one));
    if (!piece->points)
        return arena_status(arena);
    for (uint64_t i = 0; i < count; i++) {
        piece->points[i] = one;
        next_point(&r, piece, &piece->points[i]);
    }
    piece->count = (uint32_t)count;
    sort(piece);
    return arena_status(arena);
}
