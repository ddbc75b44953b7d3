/*
 * OTLP/protobuf: metrics.
 *
 * A metric's points lie in a submessage by kind, a oneof: the kind met last
 * holds, and points read under another one before are given back. Buckets and
 * bounds are repeated scalars; they come packed, in one run or several, or one
 * by one.
 */
#include "otlp_parts.h"

/* Room for `more` numbers of 8 bytes; fails w with the arena. */
static bool numbers_room(struct otlp *d, struct wire *w, struct list *list,
                         size_t more)
{
    if (more <= list->room - list->count)
        return true;
    if (otlp_list_more(d, list, 8, UINT32_MAX, (uint32_t)more))
        return true;
    wire_fail(w, d->arena->status, status_text(d->arena->status));
    return false;
}

/* repeated fixed64 and repeated double: the same 8 bytes. */
static void fixed_one(struct otlp *d, struct wire *w, struct list *list)
{
    uint64_t *at;

    if (!numbers_room(d, w, list, 1))
        return;
    at = list->at;
    at[list->count++] = wire_fixed64(w);
}

static void fixed_packed(struct otlp *d, struct wire *w, struct list *list)
{
    struct wire sub = wire_sub(w);
    size_t more = (size_t)(sub.end - sub.at) / 8;
    uint64_t *at;

    if ((sub.end - sub.at) % 8 != 0)
        wire_fail(w, ERR_MALFORMED, "packed numbers of a wrong length");
    if (more == 0 || !numbers_room(d, w, list, more))
        return;
    at = list->at;
    for (size_t i = 0; i < more; i++)
        at[list->count++] = wire_fixed64(&sub);
}

static void varint_one(struct otlp *d, struct wire *w, struct list *list)
{
    uint64_t *at;

    if (!numbers_room(d, w, list, 1))
        return;
    at = list->at;
    at[list->count++] = wire_varint(w);
}

static void varint_packed(struct otlp *d, struct wire *w, struct list *list)
{
    struct wire sub = wire_sub(w);
    size_t more = 0;
    uint64_t *at;

    for (const uint8_t *p = sub.at; p < sub.end; p++)
        more += *p < 0x80;
    if (sub.at < sub.end && sub.end[-1] >= 0x80) {
        wire_fail(w, ERR_MALFORMED, "truncated");
        return; /* the last one has no room: it was not counted */
    }
    if (more == 0 || !numbers_room(d, w, list, more))
        return;
    at = list->at;
    for (size_t i = 0; i < more && sub.at < sub.end; i++)
        at[list->count++] = wire_varint(&sub);
    wire_join(w, &sub);
}

static void exemplar_wire(struct otlp *d, struct wire *w, struct list *list)
{
    struct exemplar *exemplar = otlp_wire_slot(
        d, w, list, sizeof(struct exemplar), POINT_MAX_EXEMPLARS);
    struct wire sub = wire_sub(w);
    struct list attrs = {0};

    if (!exemplar)
        return;
    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_I64(2):
            exemplar->time_ns = wire_fixed64(&sub);
            break;
        case WIRE_I64(3):
            exemplar->value = wire_double(&sub);
            break;
        case WIRE_LEN(4):
            otlp_id(exemplar->span_id, 8, wire_bytes(&sub));
            break;
        case WIRE_LEN(5):
            otlp_id(exemplar->trace_id, 16, wire_bytes(&sub));
            break;
        case WIRE_I64(6):
            exemplar->value = (double)(int64_t)wire_fixed64(&sub);
            break;
        case WIRE_LEN(7):
            otlp_wire_attr(d, &sub, &attrs);
            break;
        default:
            wire_skip(&sub, 0xfc);
        }
    exemplar->attrs = otlp_attrs(&attrs, 0);
    wire_join(w, &sub);
}

/* What a point has besides its record while it is read. */
struct parts {
    struct list attrs, exemplars;
    struct histogram *histogram; /* NULL for numbers */
    struct buckets buckets;
};

static void number_field(struct otlp *d, struct wire *w, struct point *point,
                         struct parts *parts)
{
    switch (w->tag) {
    case WIRE_I64(4):
        point->d = wire_double(w);
        point->is_int = false;
        break;
    case WIRE_LEN(5):
        exemplar_wire(d, w, &parts->exemplars);
        break;
    case WIRE_I64(6):
        point->i = (int64_t)wire_fixed64(w);
        point->is_int = true;
        break;
    case WIRE_LEN(7):
        otlp_wire_attr(d, w, &parts->attrs);
        break;
    case WIRE_VARINT(8):
        point->flags = (uint32_t)wire_varint(w);
        break;
    default:
        wire_skip(w, 0x1fc);
    }
}

/* A double with presence. */
static void optional_double(struct wire *w, double *value, bool *has)
{
    *value = wire_double(w);
    *has = true;
}

static void histogram_field(struct otlp *d, struct wire *w, struct point *point,
                            struct parts *parts)
{
    struct histogram *h = parts->histogram;

    switch (w->tag) {
    case WIRE_LEN(6):
        fixed_packed(d, w, &parts->buckets.counts);
        break;
    case WIRE_I64(6):
        fixed_one(d, w, &parts->buckets.counts);
        break;
    case WIRE_LEN(7):
        fixed_packed(d, w, &parts->buckets.bounds);
        break;
    case WIRE_I64(7):
        fixed_one(d, w, &parts->buckets.bounds);
        break;
    case WIRE_LEN(8):
        exemplar_wire(d, w, &parts->exemplars);
        break;
    case WIRE_LEN(9):
        otlp_wire_attr(d, w, &parts->attrs);
        break;
    case WIRE_VARINT(10):
        point->flags = (uint32_t)wire_varint(w);
        break;
    case WIRE_I64(11):
        optional_double(w, &h->min, &h->has_min);
        break;
    case WIRE_I64(12):
        optional_double(w, &h->max, &h->has_max);
        break;
    default:
        wire_skip(w, 0x1ffc);
    }
}

/* ExponentialHistogramDataPoint.Buckets */
static void exp_buckets_wire(struct otlp *d, struct wire *w,
                             struct exp_buckets *run, struct list *counts)
{
    struct wire sub = wire_sub(w);

    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_VARINT(1):
            run->offset = wire_sint32(&sub);
            break;
        case WIRE_LEN(2):
            varint_packed(d, &sub, counts);
            break;
        case WIRE_VARINT(2):
            varint_one(d, &sub, counts);
            break;
        default:
            wire_skip(&sub, 1u << 1 | 1u << 2);
        }
    wire_join(w, &sub);
}

static void exp_field(struct otlp *d, struct wire *w, struct point *point,
                      struct parts *parts)
{
    struct histogram *h = parts->histogram;

    switch (w->tag) {
    case WIRE_LEN(1):
        otlp_wire_attr(d, w, &parts->attrs);
        break;
    case WIRE_VARINT(6):
        h->scale = wire_sint32(w);
        break;
    case WIRE_I64(7):
        h->zero_count = wire_fixed64(w);
        break;
    case WIRE_LEN(8):
        exp_buckets_wire(d, w, &h->positive, &parts->buckets.positive);
        break;
    case WIRE_LEN(9):
        exp_buckets_wire(d, w, &h->negative, &parts->buckets.negative);
        break;
    case WIRE_VARINT(10):
        point->flags = (uint32_t)wire_varint(w);
        break;
    case WIRE_LEN(11):
        exemplar_wire(d, w, &parts->exemplars);
        break;
    case WIRE_I64(12):
        optional_double(w, &h->min, &h->has_min);
        break;
    case WIRE_I64(13):
        optional_double(w, &h->max, &h->has_max);
        break;
    case WIRE_I64(14):
        h->zero_threshold = wire_double(w);
        break;
    default:
        wire_skip(w, 0x7ffe);
    }
}

/* SummaryDataPoint.ValueAtQuantile: one entry in each of two lists. */
static void quantile_wire(struct otlp *d, struct wire *w, struct buckets *b)
{
    struct wire sub = wire_sub(w);
    double quantile = 0, value = 0;

    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_I64(1):
            quantile = wire_double(&sub);
            break;
        case WIRE_I64(2):
            value = wire_double(&sub);
            break;
        default:
            wire_skip(&sub, 1u << 1 | 1u << 2);
        }
    wire_join(w, &sub);
    otlp_add_quantile(d, b, quantile, value);
    if (d->arena->status != OK)
        wire_fail(w, d->arena->status, status_text(d->arena->status));
}

static void summary_field(struct otlp *d, struct wire *w, struct point *point,
                          struct parts *parts)
{
    switch (w->tag) {
    case WIRE_LEN(6):
        quantile_wire(d, w, &parts->buckets);
        break;
    case WIRE_LEN(7):
        otlp_wire_attr(d, w, &parts->attrs);
        break;
    case WIRE_VARINT(8):
        point->flags = (uint32_t)wire_varint(w);
        break;
    default:
        wire_skip(w, 0x1fc);
    }
}

/* What all kinds of points have, and all but numbers. */
static bool common_field(struct wire *w, struct point *point,
                         struct histogram *h)
{
    if (w->tag == WIRE_I64(2))
        point->start_ns = wire_fixed64(w);
    else if (w->tag == WIRE_I64(3))
        point->time_ns = wire_fixed64(w);
    else if (h && w->tag == WIRE_I64(4))
        h->count = wire_fixed64(w);
    else if (h && w->tag == WIRE_I64(5))
        optional_double(w, &h->sum, &h->has_sum);
    else
        return false;
    return true;
}

static void point_wire(struct otlp *d, struct wire *w,
                       const struct metric *metric)
{
    static void (*const field[])(struct otlp *, struct wire *, struct point *,
                                 struct parts *) = {
        [METRIC_GAUGE] = number_field,
        [METRIC_SUM] = number_field,
        [METRIC_HISTOGRAM] = histogram_field,
        [METRIC_EXP_HISTOGRAM] = exp_field,
        [METRIC_SUMMARY] = summary_field,
    };
    struct wire sub = wire_sub(w);
    struct point *point = otlp_new_point(d, metric);
    struct parts parts = {0};

    if (!point) {
        wire_fail(w, ERR_INTERNAL, "more points than were counted");
        return;
    }
    if (metric->type >= METRIC_HISTOGRAM) {
        parts.histogram = arena_zero(d->arena, 1, sizeof(struct histogram));
        if (!parts.histogram) {
            wire_fail(w, d->arena->status, status_text(d->arena->status));
            return;
        }
        point->histogram = parts.histogram;
    }
    while (wire_next(&sub))
        if (!common_field(&sub, point, parts.histogram))
            field[metric->type](d, &sub, point, &parts);
    point->attrs = otlp_attrs(&parts.attrs, 0);
    point->exemplars = parts.exemplars.at;
    point->exemplar_count = parts.exemplars.count;
    if (sub.status == OK)
        otlp_take_point(d, point,
                        parts.histogram
                            ? otlp_set_buckets(d, parts.histogram,
                                               &parts.buckets, metric->type)
                            : NULL);
    wire_join(w, &sub);
}

/* Gauge, Sum, Histogram, ExponentialHistogram or Summary, as metric->type. */
static void data_wire(struct otlp *d, struct wire *w, struct metric *metric)
{
    bool has_temporality = metric->type == METRIC_SUM ||
                           metric->type == METRIC_HISTOGRAM ||
                           metric->type == METRIC_EXP_HISTOGRAM;
    struct wire sub = wire_sub(w);

    while (wire_next(&sub))
        if (sub.tag == WIRE_LEN(1))
            point_wire(d, &sub, metric);
        else if (sub.tag == WIRE_VARINT(2) && has_temporality)
            metric->temporality = otlp_enum(wire_int32(&sub), CUMULATIVE);
        else if (sub.tag == WIRE_VARINT(3) && metric->type == METRIC_SUM)
            metric->monotonic = wire_bool(&sub);
        else
            wire_skip(&sub, 1u << 1 | (has_temporality ? 1u << 2 : 0) |
                                (metric->type == METRIC_SUM ? 1u << 3 : 0));
    wire_join(w, &sub);
}

void otlp_wire_metric(struct otlp *d, struct wire *w)
{
    static const uint8_t types[] = {
        [5] = METRIC_GAUGE,     [7] = METRIC_SUM,
        [9] = METRIC_HISTOGRAM, [10] = METRIC_EXP_HISTOGRAM,
        [11] = METRIC_SUMMARY,
    };
    struct wire sub = wire_sub(w);
    struct metric *metric = otlp_new_metric(d);
    uint32_t data = 0; /* the field number of the oneof's member */
    struct mark mark = otlp_mark(d);

    if (!metric) {
        wire_fail(w, ERR_INTERNAL, "more metrics than were counted");
        return;
    }
    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_LEN(1):
            metric->name = otlp_text(d, wire_bytes(&sub), ATTR_MAX_VALUE);
            break;
        case WIRE_LEN(2):
            metric->description =
                otlp_text(d, wire_bytes(&sub), ATTR_MAX_VALUE);
            break;
        case WIRE_LEN(3):
            metric->unit = otlp_text(d, wire_bytes(&sub), ATTR_MAX_VALUE);
            break;
        case WIRE_LEN(5):
        case WIRE_LEN(7):
        case WIRE_LEN(9):
        case WIRE_LEN(10):
        case WIRE_LEN(11):
            if (data != sub.tag >> 3) {
                otlp_back(d, &mark);
                data = sub.tag >> 3;
                otlp_set_type(metric, types[data]);
            }
            data_wire(d, &sub, metric);
            break;
        default: /* metadata, 12, has no place in the record */
            wire_skip(&sub, 0xeae);
        }
    wire_join(w, &sub);
}
