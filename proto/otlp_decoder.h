/*
 * otlp_decoder - what the readers of both encodings share: limits, arrays in
 * the arena, and the rules by which a record is corrected, accepted or
 * rejected. Private to proto/.
 *
 * The messages are described by tables (otlp_messages.h), so a field is written
 * down once for both encodings. A reader fills in a message as sent; its finish
 * function turns it into a record and counts or rejects it.
 */
#ifndef OTLP_DECODER_H
#define OTLP_DECODER_H

#include "batch.h"
#include "wire.h"

/* An array that grows in the arena. Elements beyond a limit are counted in
 * `truncated`. */
struct otlp_list {
    void *at;
    uint32_t count, room, truncated;
};

/* One decoding in progress. */
struct otlp_decoder {
    struct batch *batch;
    struct arena *arena;
    uint64_t oldest_ns;        /* older records are rejected */
    uint64_t latest_ns;        /* later times are corrected */
    struct resource *resource; /* of the record being read; so are these */
    struct scope *scope;
    struct metric *metric;
    uint32_t room; /* records, or points, that fit into the batch */
    struct metric *metrics;
    uint32_t metric_count, metric_room, resource_room;
    uint32_t path[3]; /* index of resource, scope, record; from 1, 0: none */
    struct otlp_list rejected_at; /* of uint32_t: places in batch->received */
};

/* ---- lists (otlp_list.c) ---- */

/* Makes room for `expect` more (growing geometrically). False if the list has
 * reached max, which counts one more as truncated, or if the arena is full. */
bool otlp_list_more(struct otlp_decoder *d, struct otlp_list *list, size_t size,
                    uint32_t max, uint32_t expect);

/* Starts a list with a copy of an existing array. */
void otlp_list_from(struct otlp_decoder *d, struct otlp_list *list,
                    const void *at, uint32_t count, size_t size);

/* Removes the last element and counts it as truncated. */
void otlp_list_drop(struct otlp_decoder *d, struct otlp_list *list);

/* The list as attributes with unique keys; dropped: as the sender says. */
struct attrs otlp_attrs(const struct otlp_list *list, uint32_t dropped);

/* Of attributes with the same key the last one wins, in the place of the first.
 * Returns how many remain. */
uint32_t otlp_unique(struct attr *at, uint32_t count);

uint32_t otlp_sum(uint32_t a, uint32_t b); /* saturates */

/* At most max bytes of the text, truncated between characters; counted. */
struct slice otlp_text_long(struct otlp_decoder *d, struct slice text,
                            size_t max);

static inline struct slice otlp_text(struct otlp_decoder *d, struct slice text,
                                     size_t max)
{
    return text.len <= max ? text : otlp_text_long(d, text, max);
}

/* At most ATTR_MAX_VALUE bytes; counted. */
struct slice otlp_bytes(struct otlp_decoder *d, struct slice bytes);

static inline void otlp_set_text(struct attr *value, enum value_type type,
                                 struct slice text)
{
    value->type = (uint8_t)type;
    value->str = text.ptr;
    value->len = (uint32_t)text.len;
}

/* v, or 0 if it is not one of 0..max. */
static inline uint8_t otlp_enum(int64_t v, int64_t max)
{
    return v >= 0 && v <= max ? (uint8_t)v : 0;
}

/* ---- records (otlp_records.c) ---- */

/* Allocates the arrays of the batch for the records counted before. */
MUST_CHECK enum status otlp_make_room(struct otlp_decoder *d,
                                      uint64_t resources, uint64_t records,
                                      uint64_t points);

/* A position to return to when records turn out to be void, because another
 * member of a oneof, or the same JSON member, comes after them. */
struct otlp_mark {
    uint32_t count, rejected, rejected_old, metrics;
    const char *reason;
};
struct otlp_mark otlp_mark(const struct otlp_decoder *d);
void otlp_back(struct otlp_decoder *d, const struct otlp_mark *mark);

/* Removes the scope of the records, or metrics, since the mark. */
void otlp_no_scope(struct otlp_decoder *d, const struct otlp_mark *since);

/* The place of the next one; NULL if all counted places are used, which only a
 * defect of the counting pass can cause. A record is overwritten by the next
 * one unless it is accepted. */
struct resource *otlp_new_resource(struct otlp_decoder *d);
struct metric *otlp_new_metric(struct otlp_decoder *d);
void *otlp_new_record(struct otlp_decoder *d);

/* Correct the record and count it, or reject it. parent_len: of the parent
 * span id as sent. bad: why the point must be rejected, or NULL. */
void otlp_accept_span(struct otlp_decoder *d, struct span *span,
                      size_t parent_len);
void otlp_accept_log(struct otlp_decoder *d, struct log_record *log);
void otlp_accept_point(struct otlp_decoder *d, struct point *point,
                       const char *bad);

/* Sets the type and clears what an earlier one left. */
void otlp_set_type(struct metric *metric, enum metric_type type);

/* ---- histograms (otlp_buckets.c) ---- */

struct otlp_quantile {
    double quantile, value;
};

/* The repeated fields of a histogram or summary as sent. */
struct otlp_buckets {
    struct otlp_list counts, bounds; /* uint64_t, double */
    struct otlp_list quantiles;      /* struct otlp_quantile */
    struct otlp_exp_buckets {
        int32_t offset;
        struct otlp_list counts; /* uint64_t */
    } positive, negative;
};

/* Stores them in the histogram, within POINT_MAX_BUCKETS: further buckets go
 * into the last one, or the scale is lowered. Returns what is wrong with them,
 * or NULL; also NULL if the arena is full. */
const char *otlp_set_buckets(struct otlp_decoder *d, struct histogram *h,
                             const struct otlp_buckets *b,
                             enum metric_type type);

/* ---- the two encodings ---- */

/* On failure *detail says what is wrong and where. */
MUST_CHECK enum status otlp_decode_wire(struct otlp_decoder *d,
                                        struct slice *detail);
MUST_CHECK enum status otlp_decode_json(struct otlp_decoder *d,
                                        struct slice *detail);

#endif
