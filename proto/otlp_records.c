/*
 * The rules for records, whichever encoding they came in: bounds, mending,
 * taking and refusing.
 *
 * Records lie in one array per batch, made for the number counted beforehand,
 * because correlator and store walk them in a row and hold pointers to them.
 * A record is read into the first free place; taking it moves the end of the
 * array behind it, refusing it does not, so the next one overwrites it.
 */
#include "log_shape.h"
#include "otlp_parts.h"

bool otlp_list_more(struct otlp *d, struct list *list, size_t size,
                    uint32_t max, uint32_t expect)
{
    uint64_t room = (uint64_t)list->count + expect;
    void *at;

    if (list->count >= max) {
        list->truncated++;
        d->batch->truncated++;
        return false;
    }
    if (list->count > 0 && room < 2 * (uint64_t)list->count)
        room = 2 * (uint64_t)list->count;
    if (room > max)
        room = max;
    at = arena_alloc(d->arena, (size_t)room * size);
    if (!at)
        return false;
    if (list->count > 0)
        memcpy(at, list->at, list->count * size);
    list->at = at;
    list->room = (uint32_t)room;
    return true;
}

void otlp_list_from(struct otlp *d, struct list *list, const void *at,
                    uint32_t count, size_t size)
{
    void *copy = count > 0 ? arena_alloc(d->arena, count * size) : NULL;

    *list = (struct list){0};
    if (!copy)
        return;
    memcpy(copy, at, count * size);
    *list = (struct list){.at = copy, .count = count, .room = count};
}

void otlp_list_drop(struct otlp *d, struct list *list)
{
    list->count--;
    list->truncated++;
    d->batch->truncated++;
}

uint32_t otlp_sum(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

struct attrs otlp_attrs(const struct list *list, uint32_t dropped)
{
    return (struct attrs){list->count > 0 ? list->at : NULL,
                          otlp_unique(list->at, list->count),
                          otlp_sum(list->truncated, dropped)};
}

struct slice otlp_text_long(struct otlp *d, struct slice text, size_t max)
{
    size_t len = max;

    /* Back to the start of a character; what is not UTF-8 is truncated
     * anywhere. */
    while (len > max - 4 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len--;
    if (((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len = max;
    d->batch->truncated++;
    return (struct slice){text.ptr, len};
}

struct slice otlp_bytes(struct otlp *d, struct slice bytes)
{
    if (bytes.len > ATTR_MAX_VALUE) {
        bytes.len = ATTR_MAX_VALUE;
        d->batch->truncated++;
    }
    return bytes;
}

static bool make(struct otlp *d, void **at, uint64_t count, size_t size)
{
    *at = NULL;
    if (count == 0)
        return true;
    if (count > UINT32_MAX || count > SIZE_MAX / size)
        return false;
    *at = arena_alloc(d->arena, (size_t)count * size);
    return *at != NULL;
}

enum status otlp_make_room(struct otlp *d, uint64_t resources, uint64_t records,
                           uint64_t points)
{
    struct batch *batch = d->batch;
    void *at = NULL, *metrics = NULL, *resource = NULL;
    bool made = make(d, &resource, resources, sizeof(struct resource));

    switch (batch->signal) {
    case SIGNAL_SPANS:
        made = made && make(d, &at, records, sizeof(struct span));
        batch->spans = at;
        break;
    case SIGNAL_LOGS:
        made = made && make(d, &at, records, sizeof(struct log_record));
        batch->logs = at;
        break;
    default:
        made = made && make(d, &metrics, records, sizeof(struct metric)) &&
               make(d, &at, points, sizeof(struct point));
        batch->points = at;
        d->metrics = metrics;
        d->metric_room = (uint32_t)records;
        records = points;
    }
    batch->resources = resource;
    d->resource_room = (uint32_t)resources;
    d->room = (uint32_t)records;
    if (made)
        return OK;
    return d->arena->status != OK ? d->arena->status : ERR_TOO_BIG;
}

struct resource *otlp_new_resource(struct otlp *d)
{
    struct resource *resource;

    if (d->batch->resource_count >= d->resource_room)
        return NULL;
    resource = &d->batch->resources[d->batch->resource_count++];
    *resource = (struct resource){.id = RESOURCE_NONE};
    return resource;
}

struct span *otlp_new_span(struct otlp *d)
{
    struct span *span;

    if (d->batch->count >= d->room)
        return NULL;
    span = &d->batch->spans[d->batch->count];
    memset(span, 0, sizeof(*span));
    span->resource_id = RESOURCE_NONE;
    span->resource = d->resource;
    span->scope = d->scope;
    return span;
}

struct log_record *otlp_new_log(struct otlp *d)
{
    struct log_record *log;

    if (d->batch->count >= d->room)
        return NULL;
    log = &d->batch->logs[d->batch->count];
    memset(log, 0, sizeof(*log));
    log->resource_id = RESOURCE_NONE;
    log->resource = d->resource;
    log->scope = d->scope;
    return log;
}

struct metric *otlp_new_metric(struct otlp *d)
{
    struct metric *metric;

    if (d->metric_count >= d->metric_room)
        return NULL;
    metric = &d->metrics[d->metric_count++];
    memset(metric, 0, sizeof(*metric));
    metric->resource = d->resource;
    metric->scope = d->scope;
    return metric;
}

struct point *otlp_new_point(struct otlp *d, const struct metric *metric)
{
    struct point *point;

    if (d->batch->count >= d->room)
        return NULL;
    point = &d->batch->points[d->batch->count];
    memset(point, 0, sizeof(*point));
    point->resource_id = RESOURCE_NONE;
    point->metric = metric;
    return point;
}

void otlp_no_scope(struct otlp *d, const struct mark *since)
{
    struct batch *batch = d->batch;

    if (batch->signal == SIGNAL_METRICS)
        for (uint32_t i = since->metrics; i < d->metric_count; i++)
            d->metrics[i].scope = NULL;
    else if (batch->signal == SIGNAL_SPANS)
        for (uint32_t i = since->count; i < batch->count; i++)
            batch->spans[i].scope = NULL;
    else
        for (uint32_t i = since->count; i < batch->count; i++)
            batch->logs[i].scope = NULL;
}

static void refuse(struct otlp *d, const char *reason)
{
    if (d->batch->rejected++ == 0)
        d->batch->reason = reason;
}

static void refuse_old(struct otlp *d)
{
    refuse(d, "older than the retention");
    d->batch->rejected_old++;
}

/* A time that cannot be: not given, or of the future. */
static bool is_bad_time(const struct otlp *d, uint64_t ns)
{
    return ns == 0 || ns > d->latest_ns;
}

static void mend_span(const struct otlp *d, struct span *span)
{
    uint64_t duration = 0;

    if (span->start_ns > 0 && span->end_ns > 0 &&
        span->end_ns < span->start_ns) {
        span->end_ns = span->start_ns;
        span->corrected |= CORRECTED_END;
    }
    if (!is_bad_time(d, span->start_ns) && !is_bad_time(d, span->end_ns))
        return;
    if (span->start_ns > 0 && span->end_ns > 0)
        duration = span->end_ns - span->start_ns;
    if (is_bad_time(d, span->start_ns))
        span->start_ns = d->batch->received_ns;
    if (duration > UINT64_MAX - span->start_ns)
        duration = 0;
    span->end_ns = span->start_ns + duration;
    if (span->end_ns > d->latest_ns) /* a duration that cannot be */
        span->end_ns = span->start_ns > d->batch->received_ns
                           ? span->start_ns
                           : d->batch->received_ns;
    span->corrected |= CORRECTED_TIME;
}

void otlp_take_span(struct otlp *d, struct span *span, size_t parent_len)
{
    if (id_is_zero(span->trace_id, 16)) {
        refuse(d, "trace_id must be 16 bytes and not zero");
    } else if (id_is_zero(span->span_id, 8)) {
        refuse(d, "span_id must be 8 bytes and not zero");
    } else if (parent_len != 0 && parent_len != 8) {
        refuse(d, "parent_span_id must be 8 bytes or empty");
    } else {
        mend_span(d, span);
        if (span->end_ns < d->oldest_ns)
            refuse_old(d);
        else
            d->batch->count++;
    }
}

bool otlp_link_good(const struct span_link *link)
{
    return !id_is_zero(link->trace_id, 16) && !id_is_zero(link->span_id, 8);
}

void otlp_take_log(struct otlp *d, struct log_record *log)
{
    if (!log_shape(d, log))
        return;
    if (is_bad_time(d, log->observed_ns))
        log->observed_ns = d->batch->received_ns;
    if (is_bad_time(d, log->time_ns)) {
        log->time_ns = log->observed_ns;
        log->corrected |= CORRECTED_TIME;
    }
    if (log->time_ns < d->oldest_ns)
        refuse_old(d);
    else
        d->batch->count++;
}

void otlp_take_point(struct otlp *d, struct point *point, const char *bad)
{
    if (is_bad_time(d, point->time_ns)) {
        point->time_ns = d->batch->received_ns;
        point->corrected |= CORRECTED_TIME;
    }
    if (point->start_ns > point->time_ns) {
        point->start_ns = 0;
        point->corrected |= CORRECTED_TIME;
    }
    if (bad)
        refuse(d, bad);
    else if (point->time_ns < d->oldest_ns)
        refuse_old(d);
    else
        d->batch->count++;
}

struct mark otlp_mark(const struct otlp *d)
{
    const struct batch *batch = d->batch;

    return (struct mark){batch->count, batch->rejected, batch->rejected_old,
                         d->metric_count, batch->reason};
}

void otlp_back(struct otlp *d, const struct mark *mark)
{
    d->batch->count = mark->count;
    d->batch->rejected = mark->rejected;
    d->batch->rejected_old = mark->rejected_old;
    d->batch->reason = mark->reason;
    d->metric_count = mark->metrics;
}

void otlp_set_type(struct metric *metric, enum metric_type type)
{
    metric->type = (uint8_t)type;
    metric->temporality = TEMPORALITY_UNSPECIFIED;
    metric->monotonic = false;
}
