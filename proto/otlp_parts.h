/*
 * otlp_parts - what the readers of the two encodings share: the bounds, the
 * arrays in the arena, and the rules by which a record is mended, taken or
 * refused. Private to proto/.
 *
 * A reader fills in a record as sent and gives it to otlp_take_X(), the only
 * place where batch->count grows.
 */
#ifndef OTLP_PARTS_H
#define OTLP_PARTS_H

#include "batch.h"
#include "wire.h"

/* One decoding under way. */
struct otlp {
    struct batch *batch;
    struct arena *arena;
    uint64_t oldest_ns;        /* older is refused */
    uint64_t latest_ns;        /* later is mended */
    struct resource *resource; /* what is being read belongs to these */
    struct scope *scope;
    uint32_t room; /* records, points, that batch has room for */
    struct metric *metrics;
    uint32_t metric_count, metric_room, resource_room;
    uint32_t where[3]; /* index of resource, scope, record; from 1, 0: none */
};

/* An array that grows in the arena. What is refused for lack of room within
 * the bounds is counted in truncated. */
struct list {
    void *at;
    uint32_t count, room, truncated;
};

/* Makes room for `expect` more (and amortized growth); false if the list has
 * reached max, then one more is counted as truncated, or if the arena is
 * sticky. */
bool otlp_list_more(struct otlp *d, struct list *list, size_t size,
                    uint32_t max, uint32_t expect);

/* The list continued from an array that is already somebody's. */
void otlp_list_from(struct otlp *d, struct list *list, const void *at,
                    uint32_t count, size_t size);

/* Takes back the last one and counts it as truncated. */
void otlp_list_drop(struct otlp *d, struct list *list);

/* Of attributes with one key the last wins, at the place of the first. Returns
 * how many are left. */
uint32_t otlp_unique(struct attr *at, uint32_t count);

/* list, its keys made unique, and what the sender says it dropped itself. */
struct attrs otlp_attrs(const struct list *list, uint32_t dropped);
uint32_t otlp_sum(uint32_t a, uint32_t b); /* stays at the largest */

/* At most max bytes of it, truncated between two characters and counted. */
struct slice otlp_text_long(struct otlp *d, struct slice text, size_t max);

static inline struct slice otlp_text(struct otlp *d, struct slice text,
                                     size_t max)
{
    return text.len <= max ? text : otlp_text_long(d, text, max);
}

/* The same for bytes, truncated anywhere, at ATTR_MAX_VALUE. */
struct slice otlp_bytes(struct otlp *d, struct slice bytes);

static inline void otlp_set_text(struct attr *value, enum value_type type,
                                 struct slice text)
{
    value->type = (uint8_t)type;
    value->str = text.ptr;
    value->len = (uint32_t)text.len;
}

/* Copies an id; one of another length becomes zero. */
static inline void otlp_id(uint8_t *id, size_t size, struct slice bytes)
{
    if (bytes.len == size)
        memcpy(id, bytes.ptr, size);
    else
        memset(id, 0, size);
}

/* A number that must be one of 0..max, for a member of a byte. */
static inline uint8_t otlp_enum(int64_t v, int64_t max)
{
    return v >= 0 && v <= max ? (uint8_t)v : 0;
}

/* Room for the records counted: batch->spans or its like, batch->resources
 * and, for metrics, the metrics. */
MUST_CHECK enum status otlp_make_room(struct otlp *d, uint64_t resources,
                                      uint64_t records, uint64_t points);

/* How far the records were, and back to that: what was read since is void,
 * because another member of a oneof, or the same in JSON, came after it. */
struct mark {
    uint32_t count, rejected, rejected_old, metrics;
    const char *reason;
};
struct mark otlp_mark(const struct otlp *d);
void otlp_back(struct otlp *d, const struct mark *mark);

/* The scope of the records, or metrics, since the mark was none. */
void otlp_no_scope(struct otlp *d, const struct mark *since);

/* Where the next record, or point, is to be read into; NULL if all the room
 * that was counted is taken, which only a defect of ours can bring about. */
struct resource *otlp_new_resource(struct otlp *d);
struct span *otlp_new_span(struct otlp *d);
struct log_record *otlp_new_log(struct otlp *d);
struct metric *otlp_new_metric(struct otlp *d);
struct point *otlp_new_point(struct otlp *d, const struct metric *metric);

/* Mend it and take it, or refuse it and count that. parent_len: of the parent
 * span id as sent. bad: why the point must be refused, or NULL. */
void otlp_take_span(struct otlp *d, struct span *span, size_t parent_len);
void otlp_take_log(struct otlp *d, struct log_record *log);
void otlp_take_point(struct otlp *d, struct point *point, const char *bad);
bool otlp_link_good(const struct span_link *link);

/* A histogram as read, before its bounds and buckets were looked at. */
struct buckets {
    struct list counts, bounds, values; /* uint64_t, double, double */
    struct list positive, negative;     /* uint64_t */
};

/* Puts the arrays into the histogram, within POINT_MAX_BUCKETS: what is beyond
 * goes into the last bucket, or, exponential, into a coarser scale. Returns
 * what is wrong with them, or NULL. */
const char *otlp_set_buckets(struct otlp *d, struct histogram *h,
                             const struct buckets *b, enum metric_type type);

/* Adds to bounds and values, if there is room within POINT_MAX_BUCKETS. */
void otlp_add_quantile(struct otlp *d, struct buckets *b, double quantile,
                       double value);

/* The type, and nothing of another one before. */
void otlp_set_type(struct metric *metric, enum metric_type type);

/* The two encodings. On failure *detail says what is wrong and where. */
MUST_CHECK enum status otlp_decode_wire(struct otlp *d, struct slice *detail);
MUST_CHECK enum status otlp_decode_json(struct otlp *d, struct slice *detail);

/* Submessages, each the value of the field w stands at. */
void otlp_wire_attr(struct otlp *d, struct wire *w, struct list *attrs);
void otlp_wire_value(struct otlp *d, struct wire *w, struct attr *value,
                     size_t max_text);
void otlp_wire_span(struct otlp *d, struct wire *w);
void otlp_wire_log(struct otlp *d, struct wire *w);
void otlp_wire_metric(struct otlp *d, struct wire *w);

/* otlp_list_more() for as many as follow in a row; w fails with the arena. */
bool otlp_wire_more(struct otlp *d, struct wire *w, struct list *list,
                    size_t size, uint32_t max);

/* The next element of a list of submessages, zeroed; NULL at the bound. */
static inline void *otlp_wire_slot(struct otlp *d, struct wire *w,
                                   struct list *list, size_t size, uint32_t max)
{
    if (list->count == list->room && !otlp_wire_more(d, w, list, size, max))
        return NULL;
    return memset((char *)list->at + size * list->count++, 0, size);
}

#endif
