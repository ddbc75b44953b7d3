/*
 * OTLP/JSON: the walk over resources, scopes and records.
 *
 * The same walk as in otlp_wire.c, after the same counting pass, which skips
 * over values here. Of a member that occurs twice the last one wins: its
 * records replace those of the first. Fields are read in otlp_json_fields.c.
 */
#include "otlp_json.h"

/* The names of the three levels, and of the levels below a metric. */
static const char *const top_names[SIGNAL_COUNT][2] = {
    {"resourceSpans", NULL}, {"resourceLogs", NULL}, {"resourceMetrics", NULL}};
static const char *const resource_names[SIGNAL_COUNT][4] = {
    {"scopeSpans", "resource", "schemaUrl", NULL},
    {"scopeLogs", "resource", "schemaUrl", NULL},
    {"scopeMetrics", "resource", "schemaUrl", NULL}};
static const char *const scope_names[SIGNAL_COUNT][4] = {
    {"spans", "scope", "schemaUrl", NULL},
    {"logRecords", "scope", "schemaUrl", NULL},
    {"metrics", "scope", "schemaUrl", NULL}};
enum { CHILDREN, OWNER, SCHEMA_URL };
static const char *const data_names[] = {[METRIC_GAUGE] = "gauge",
                                         [METRIC_SUM] = "sum",
                                         [METRIC_HISTOGRAM] = "histogram",
                                         [METRIC_EXP_HISTOGRAM] =
                                             "exponentialHistogram",
                                         [METRIC_SUMMARY] = "summary",
                                         NULL};
static const char *const points_names[] = {"dataPoints", NULL};

/* Reads a span, a log record or a metric point. */
static void record_json(struct otlp_decoder *d, struct json *j)
{
    const struct otlp_message *message = otlp_record_message(d);
    _Alignas(8) char buffer[OTLP_MAX_MESSAGE];
    void *slot = otlp_new_record(d);

    if (!slot) {
        json_fail(j, ERR_INTERNAL, "more records than were counted");
        return;
    }
    otlp_json_message(d, j, message, buffer);
    if (j->status == OK && !message->finish(d, buffer, slot))
        otlp_json_arena_full(d, j);
}

/* Gauge, Sum, Histogram, ExponentialHistogram or Summary, as metric->type. */
static void data_json(struct otlp_decoder *d, struct json *j,
                      struct metric *metric)
{
    enum { POINTS, TEMPORALITY, MONOTONIC };
    static const char *const members[] = {
        "dataPoints", "aggregationTemporality", "isMonotonic", NULL};
    static const char *const temporalities[] = {"UNSPECIFIED", "DELTA",
                                                "CUMULATIVE", NULL};
    struct otlp_mark mark = otlp_mark(d);
    bool has_temporality =
        metric->type != METRIC_GAUGE && metric->type != METRIC_SUMMARY;
    int field;

    json_enter_object(j);
    while ((field = json_field(j, members)) >= 0)
        if (field == POINTS) {
            otlp_back(d, &mark);
            json_enter_array(j);
            while (json_element(j))
                record_json(d, j);
        } else if (field == TEMPORALITY && has_temporality) {
            metric->temporality =
                otlp_enum(json_enum(j, temporalities), CUMULATIVE);
        } else if (field == MONOTONIC && metric->type == METRIC_SUM) {
            metric->monotonic = json_bool(j);
        } else {
            json_skip(j);
        }
}

static struct slice text_json(struct otlp_decoder *d, struct json *j)
{
    return otlp_text(d, json_text(j), ATTR_MAX_VALUE);
}

static void metric_json(struct otlp_decoder *d, struct json *j)
{
    enum { NAME = METRIC_SUMMARY + 1, DESCRIPTION, UNIT };
    static const char *const members[] = {
        [METRIC_GAUGE] = "gauge",
        [METRIC_SUM] = "sum",
        [METRIC_HISTOGRAM] = "histogram",
        [METRIC_EXP_HISTOGRAM] = "exponentialHistogram",
        [METRIC_SUMMARY] = "summary",
        [NAME] = "name",
        [DESCRIPTION] = "description",
        [UNIT] = "unit",
        NULL,
    };
    struct metric *metric = otlp_new_metric(d);
    struct otlp_mark mark = otlp_mark(d);
    int field;

    if (!metric) {
        json_fail(j, ERR_INTERNAL, "more metrics than were counted");
        return;
    }
    json_enter_object(j);
    while ((field = json_field(j, members)) >= 0)
        switch (field) {
        case NAME:
            metric->name = text_json(d, j);
            break;
        case DESCRIPTION:
            metric->description = text_json(d, j);
            break;
        case UNIT:
            metric->unit = text_json(d, j);
            break;
        default:
            otlp_back(d, &mark);
            otlp_set_type(metric, (enum metric_type)field);
            data_json(d, j, metric);
        }
}

/* ScopeSpans, ScopeLogs, ScopeMetrics. */
static void scope_records_json(struct otlp_decoder *d, struct json *j)
{
    struct otlp_owner owner = {.dropped = 0};
    struct otlp_mark mark = otlp_mark(d);
    bool has_scope = false;
    int field;

    d->scope = arena_zero(d->arena, 1, sizeof(struct scope));
    if (!d->scope) {
        otlp_json_arena_full(d, j);
        return;
    }
    json_enter_object(j);
    while ((field = json_field(j, scope_names[d->batch->signal])) >= 0)
        if (field == CHILDREN) {
            otlp_back(d, &mark);
            json_enter_array(j);
            while (json_element(j))
                if (d->batch->signal == SIGNAL_METRICS)
                    metric_json(d, j);
                else
                    record_json(d, j);
        } else {
            has_scope = true;
            if (field == OWNER)
                otlp_json_message(d, j, &otlp_scope, &owner);
            else
                d->scope->schema_url = text_json(d, j);
        }
    if (j->status != OK)
        return;
    otlp_set_scope(d->scope, &owner);
    if (!has_scope)
        otlp_no_scope(d, &mark);
}

/* ResourceSpans, ResourceLogs, ResourceMetrics. */
static void resource_records_json(struct otlp_decoder *d, struct json *j)
{
    struct otlp_owner owner = {.dropped = 0};
    struct otlp_mark mark = otlp_mark(d);
    int field;

    d->resource = otlp_new_resource(d);
    if (!d->resource) {
        json_fail(j, ERR_INTERNAL, "more resources than were counted");
        return;
    }
    json_enter_object(j);
    while ((field = json_field(j, resource_names[d->batch->signal])) >= 0)
        if (field == OWNER) {
            otlp_json_message(d, j, &otlp_resource, &owner);
        } else if (field == SCHEMA_URL) {
            d->resource->schema_url = text_json(d, j);
        } else {
            otlp_back(d, &mark);
            json_enter_array(j);
            while (json_element(j))
                scope_records_json(d, j);
        }
    if (j->status == OK)
        d->resource->attrs = otlp_attrs(&owner.attrs, owner.dropped);
}

enum { RESOURCES, SCOPES, RECORDS, POINTS, LEVELS };

/* Counts the elements of the array at the cursor, and of those inside them.
 * Errors are reported by the pass that reads. */
static void count_json(struct otlp_decoder *d, struct json *j, unsigned level,
                       uint64_t *counts)
{
    enum signal signal = d->batch->signal;
    const char *const children[LEVELS][2] = {
        {resource_names[signal][CHILDREN], NULL},
        {scope_names[signal][CHILDREN], NULL},
    };
    unsigned deepest = signal == SIGNAL_METRICS ? POINTS : RECORDS;

    json_enter_array(j);
    while (json_element(j)) {
        counts[level]++;
        if (level == deepest) {
            json_skip(j);
            continue;
        }
        json_enter_object(j);
        if (level < RECORDS)
            while (json_field(j, children[level]) >= 0)
                count_json(d, j, level + 1, counts);
        else
            while (json_field(j, data_names) >= 0) {
                json_enter_object(j);
                while (json_field(j, points_names) >= 0)
                    count_json(d, j, POINTS, counts);
            }
    }
}

enum status otlp_decode_json(struct otlp_decoder *d, struct slice *detail)
{
    struct slice body = {d->batch->body, d->batch->body_len};
    const char *const *names = top_names[d->batch->signal];
    struct json j = json_over(body, d->arena);
    uint64_t counts[LEVELS] = {0};
    struct otlp_mark mark = otlp_mark(d);
    enum status status;

    json_enter_object(&j);
    while (json_field(&j, names) >= 0)
        count_json(d, &j, RESOURCES, counts);
    j = json_over(body, d->arena);
    status =
        otlp_make_room(d, counts[RESOURCES], counts[RECORDS], counts[POINTS]);
    if (status != OK)
        json_fail(&j, status, status_text(status));
    json_enter_object(&j);
    while (json_field(&j, names) >= 0) {
        otlp_back(d, &mark);
        d->batch->resource_count = 0;
        json_enter_array(&j);
        while (json_element(&j))
            resource_records_json(d, &j);
    }
    if (j.status == OK)
        json_end(&j);
    if (j.status != OK)
        *detail = json_describe(&j);
    return j.status;
}
