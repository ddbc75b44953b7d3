/*
 * The rules for records of either encoding: which times are corrected, and what
 * is accepted or rejected.
 *
 * The records of a batch are one array, allocated for the number counted
 * beforehand, because correlator and store iterate over them and keep pointers.
 * A record is written to the first free place; accepting it makes that part of
 * the array, rejecting it does not, so the next record overwrites it.
 */
#include "log_normalize.h"
#include "otlp_decoder.h"

static bool make(struct otlp_decoder *d, void **at, uint64_t count, size_t size)
{
    *at = NULL;
    if (count == 0)
        return true;
    if (count > UINT32_MAX || count > SIZE_MAX / size)
        return false;
    *at = arena_alloc(d->arena, (size_t)count * size);
    return *at != NULL;
}

enum status otlp_make_room(struct otlp_decoder *d, uint64_t resources,
                           uint64_t records, uint64_t points)
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

struct resource *otlp_new_resource(struct otlp_decoder *d)
{
    struct resource *resource;

    if (d->batch->resource_count >= d->resource_room)
        return NULL;
    resource = &d->batch->resources[d->batch->resource_count++];
    *resource = (struct resource){.id = RESOURCE_NONE};
    return resource;
}

struct metric *otlp_new_metric(struct otlp_decoder *d)
{
    if (d->metric_count >= d->metric_room)
        return NULL;
    d->metric = &d->metrics[d->metric_count++];
    *d->metric = (struct metric){.resource = d->resource, .scope = d->scope};
    return d->metric;
}

void *otlp_new_record(struct otlp_decoder *d)
{
    struct batch *batch = d->batch;

    if (batch->count >= d->room)
        return NULL;
    batch->received++;
    switch (batch->signal) {
    case SIGNAL_SPANS:
        return &batch->spans[batch->count];
    case SIGNAL_LOGS:
        return &batch->logs[batch->count];
    default:
        return &batch->points[batch->count];
    }
}

void otlp_no_scope(struct otlp_decoder *d, const struct otlp_mark *since)
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

static void reject(struct otlp_decoder *d, const char *reason)
{
    struct otlp_list *list = &d->rejected_at;

    if (list->count < list->room ||
        otlp_list_more(d, list, sizeof(uint32_t), UINT32_MAX, 16))
        ((uint32_t *)list->at)[list->count++] = d->batch->received - 1;
    if (d->batch->rejected++ == 0)
        d->batch->reason = reason;
}

static void reject_old(struct otlp_decoder *d)
{
    reject(d, "older than the retention");
    d->batch->rejected_old++;
}

/* Missing, or in the future. */
static bool is_bad_time(const struct otlp_decoder *d, uint64_t ns)
{
    return ns == 0 || ns > d->latest_ns;
}

static void correct_span(const struct otlp_decoder *d, struct span *span)
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
    if (span->end_ns > d->latest_ns) /* the duration is invalid */
        span->end_ns = span->start_ns > d->batch->received_ns
                           ? span->start_ns
                           : d->batch->received_ns;
    span->corrected |= CORRECTED_TIME;
}

void otlp_accept_span(struct otlp_decoder *d, struct span *span,
                      size_t parent_len)
{
    if (id_is_zero(span->trace_id, 16)) {
        reject(d, "trace_id must be 16 bytes and not zero");
    } else if (id_is_zero(span->span_id, 8)) {
        reject(d, "span_id must be 8 bytes and not zero");
    } else if (parent_len != 0 && parent_len != 8) {
        reject(d, "parent_span_id must be 8 bytes or empty");
    } else {
        correct_span(d, span);
        if (span->end_ns < d->oldest_ns)
            reject_old(d);
        else
            d->batch->count++;
    }
}

void otlp_accept_log(struct otlp_decoder *d, struct log_record *log)
{
    if (!log_normalize(d, log))
        return;
    if (is_bad_time(d, log->observed_ns))
        log->observed_ns = d->batch->received_ns;
    if (is_bad_time(d, log->time_ns)) {
        log->time_ns = log->observed_ns;
        log->corrected |= CORRECTED_TIME;
    }
    if (log->time_ns < d->oldest_ns)
        reject_old(d);
    else
        d->batch->count++;
}

void otlp_accept_point(struct otlp_decoder *d, struct point *point,
                       const char *bad)
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
        reject(d, bad);
    else if (point->time_ns < d->oldest_ns)
        reject_old(d);
    else
        d->batch->count++;
}

struct otlp_mark otlp_mark(const struct otlp_decoder *d)
{
    const struct batch *batch = d->batch;

    return (struct otlp_mark){batch->count, batch->rejected,
                              batch->rejected_old, d->metric_count,
                              batch->reason};
}

void otlp_back(struct otlp_decoder *d, const struct otlp_mark *mark)
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
