/*
 * Rows of callboard_series: points that the correlator derives (derived.h).
 *
 * Ids of identities are numbers of this instance. In rows the resource is the
 * anchor of its identity, and peer.identity is the key of the peer's anchor,
 * so each instance finds the identity that the anchor has when it reads.
 *
 * Rows of one minute of a series add up in ClickHouse: what a row does not have
 * is neutral there (0; for Min and Max the infinities).
 */
#include <math.h>

#include "attr_hash.h"
#include "ch_write.h"
#include "clock.h"
#include "derived.h"

enum {
    NAMES,
    METRIC = NAMES + CH_NAME_COLUMNS,
    SERIES_ID,
    SCALE,
    TIME,
    ATTRIBUTES,
    ATTRIBUTE_TYPES,
    VALUE,
    COUNT,
    SUM,
    ZERO_COUNT,
    MIN,
    MAX,
    BUCKETS,
    EXEMPLARS,
    COLUMNS
};

static const struct ch_column_def columns[COLUMNS] = {
    CH_NAME_DEFS,
    {"Metric", "LowCardinality(String)"},
    {"SeriesId", "UInt64"},
    {"Scale", "Int8"},
    {"Time", "DateTime"},
    {"Attributes", "Map(String, String)"},
    {"AttributeTypes", "LowCardinality(String)"},
    {"Value", "Int64"},
    {"Count", "UInt64"},
    {"Sum", "Float64"},
    {"ZeroCount", "UInt64"},
    {"Min", "Float64"},
    {"Max", "Float64"},
    {"Buckets", "Map(Int32, UInt64)"},
    {"Exemplars", "Array(Tuple(DateTime64(9), String, String, Float64, Bool))"},
};

const struct ch_insert_def ch_series_def = {"callboard_series", columns,
                                            COLUMNS};

enum { X_TIME, X_TRACE_ID, X_SPAN_ID, X_VALUE, X_FAILED };
enum { MOST_ATTRS = 16 }; /* of a derived point there are 8 at most */

/* The attributes of the row: the identity of a peer is named by its anchor. */
static struct attrs shared_attrs(const struct ch_writer *writer,
                                 const struct attrs *attrs,
                                 struct attr room[MOST_ATTRS])
{
    const struct store_resources *resources = writer->resources;
    uint32_t count = attrs->count < MOST_ATTRS ? attrs->count : MOST_ATTRS;

    for (uint32_t i = 0; i < count; i++) {
        room[i] = attrs->at[i];
        if (room[i].type != VALUE_INT ||
            !slice_equal(attr_key(&room[i]), SLICE(DERIVED_PEER_ID)))
            continue;
        room[i].i = resources && resources->identity_anchor
                        ? (int64_t)resources->identity_anchor(
                              resources->arg, (uint32_t)room[i].i)
                        : 0;
    }
    return (struct attrs){.at = room, .count = count};
}

static uint64_t series_id(const struct metric *metric,
                          const struct attrs *attrs)
{
    return hash_mix(hash_bytes(metric->name.ptr, metric->name.len, 0),
                    attrs_hash(attrs));
}

static bool is_failed(const struct exemplar *exemplar)
{
    const struct attr *error =
        attrs_find(&exemplar->attrs, SLICE(DERIVED_ERROR));

    return error && error->type == VALUE_BOOL && error->b;
}

static void put_exemplars(struct ch_column *column, const struct point *point)
{
    struct ch_column *tuple = ch_element(column);

    for (uint32_t i = 0; i < point->exemplar_count; i++) {
        const struct exemplar *exemplar = &point->exemplars[i];

        ch_put_ns(ch_part(tuple, X_TIME), exemplar->time_ns);
        ch_put_id(ch_part(tuple, X_TRACE_ID), exemplar->trace_id, 16);
        ch_put_id(ch_part(tuple, X_SPAN_ID), exemplar->span_id, 8);
        ch_put_float(ch_part(tuple, X_VALUE), exemplar->value);
        ch_put_uint(ch_part(tuple, X_FAILED), is_failed(exemplar));
        ch_end(tuple);
    }
}

static void put_buckets(struct ch_column *column, const struct exp_buckets *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->counts[i] == 0)
            continue;
        ch_put_int(ch_key(column), b->offset + (int64_t)i);
        ch_put_uint(ch_value(column), b->counts[i]);
    }
}

static void put_histogram(struct ch_column **c, const struct histogram *h)
{
    ch_put_int(c[SCALE], h->scale);
    ch_put_uint(c[COUNT], h->count);
    ch_put_float(c[SUM], h->sum);
    ch_put_uint(c[ZERO_COUNT], h->zero_count);
    ch_put_float(c[MIN], h->has_min ? h->min : (double)INFINITY);
    ch_put_float(c[MAX], h->has_max ? h->max : -(double)INFINITY);
    put_buckets(c[BUCKETS], &h->positive);
}

static void put_point(struct ch_writer *writer, struct ch_column **c,
                      const struct point *point)
{
    struct attr room[MOST_ATTRS];
    struct attrs attrs = shared_attrs(writer, &point->attrs, room);
    const struct metric *metric = point->metric;

    ch_put_names(c + NAMES, ch_names(writer, point->resource_id));
    ch_put_string(c[METRIC], metric->name);
    ch_put_uint(c[SERIES_ID], series_id(metric, &attrs));
    ch_put_uint(c[TIME], point->time_ns / NS_PER_S);
    ch_put_attrs(writer, c[ATTRIBUTES], &attrs);
    ch_put_types(writer, c[ATTRIBUTE_TYPES], &attrs);
    if (metric->type == METRIC_EXP_HISTOGRAM) {
        put_histogram(c, point->histogram);
    } else {
        ch_put_int(c[VALUE], point->is_int ? point->i : (int64_t)point->d);
        ch_put_float(c[MIN], (double)INFINITY);
        ch_put_float(c[MAX], -(double)INFINITY);
    }
    put_exemplars(c[EXEMPLARS], point);
}

void ch_write_series(struct ch_writer *writer, const struct batch *batch)
{
    struct ch_insert *insert = &writer->inserts[CH_WRITE_SERIES];

    for (uint32_t i = 0; i < batch->count; i++) {
        put_point(writer, ch_insert_columns(insert), &batch->points[i]);
        ch_insert_row(insert, ch_row_weight(writer));
    }
}
