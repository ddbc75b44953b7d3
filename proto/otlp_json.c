/*
 * OTLP/JSON: what the three signals have in common.
 *
 * The same walk as in otlp_wire.c, and the same counting pass before it, here
 * by passing over values. Of a member that comes twice the last one holds, so
 * reading a list or a message starts by forgetting what an earlier one left;
 * for records that is going back to where they were before.
 */
#include "otlp_json.h"

void otlp_json_members(struct otlp *d, struct json *j,
                       const struct member *members, void *message)
{
    int i;

    json_object(j);
    while ((i = json_row(j, members, sizeof(*members))) >= 0)
        members[i].read(d, j, (char *)message + members[i].offset);
}

void otlp_json_uint64(struct otlp *d, struct json *j, void *at)
{
    (void)d;
    *(uint64_t *)at = json_uint64(j);
}

void otlp_json_uint32(struct otlp *d, struct json *j, void *at)
{
    (void)d;
    *(uint32_t *)at = json_uint32(j);
}

void otlp_json_double(struct otlp *d, struct json *j, void *at)
{
    (void)d;
    *(double *)at = json_double(j);
}

void otlp_json_text(struct otlp *d, struct json *j, void *at)
{
    *(struct slice *)at = otlp_text(d, json_text(j), ATTR_MAX_VALUE);
}

void otlp_json_trace_id(struct otlp *d, struct json *j, void *at)
{
    (void)d;
    json_id(j, at, 16);
}

void otlp_json_span_id(struct otlp *d, struct json *j, void *at)
{
    (void)d;
    json_id(j, at, 8);
}

/* The next element of a list, zeroed; NULL at the bound (then the element is
 * to be passed over) or if the arena is sticky. */
static void *slot_json(struct otlp *d, struct json *j, struct list *list,
                       size_t size, uint32_t max)
{
    if (list->count == list->room && !otlp_list_more(d, list, size, max, 4)) {
        if (d->arena->status != OK)
            json_fail(j, d->arena->status, status_text(d->arena->status));
        return NULL;
    }
    return memset((char *)list->at + size * list->count++, 0, size);
}

void otlp_json_array(struct otlp *d, struct json *j, struct list *list,
                     size_t size, uint32_t max,
                     bool (*read)(struct otlp *d, struct json *j, void *at))
{
    *list = (struct list){0};
    json_array(j);
    while (json_element(j)) {
        void *slot = slot_json(d, j, list, size, max);

        if (!slot)
            json_skip(j);
        else if (!read(d, j, slot))
            otlp_list_drop(d, list);
    }
}

static void value_json(struct otlp *d, struct json *j, struct attr *value,
                       unsigned depth, size_t max_text);

static void key_values_json(struct otlp *d, struct json *j, struct list *attrs,
                            unsigned depth)
{
    static const char *const names[] = {"key", "value", NULL};

    *attrs = (struct list){0};
    json_array(j);
    while (json_element(j)) {
        struct attr *attr =
            slot_json(d, j, attrs, sizeof(struct attr), ATTR_MAX_COUNT);
        int field;

        if (!attr) {
            json_skip(j);
            continue;
        }
        json_object(j);
        while ((field = json_field(j, names)) >= 0)
            if (field == 0) {
                struct slice key = otlp_text(d, json_text(j), ATTR_MAX_KEY);

                attr->key = key.ptr;
                attr->key_len = (uint16_t)key.len;
            } else {
                value_json(d, j, attr, depth, ATTR_MAX_VALUE);
            }
        if (attr->key_len == 0)
            otlp_list_drop(d, attrs);
    }
}

static void elements_json(struct otlp *d, struct json *j, struct list *items,
                          unsigned depth)
{
    *items = (struct list){0};
    json_array(j);
    while (json_element(j)) {
        struct attr *item =
            slot_json(d, j, items, sizeof(struct attr), ATTR_MAX_COUNT);

        if (item)
            value_json(d, j, item, depth, ATTR_MAX_VALUE);
        else
            json_skip(j);
    }
}

/* ArrayValue or KeyValueList: an object that holds nothing but a list. */
static void items_json(struct otlp *d, struct json *j, struct attr *value,
                       enum value_type type, unsigned depth)
{
    static const char *const names[] = {"values", NULL};
    struct list items = {0};

    value->type = VALUE_EMPTY;
    value->len = 0;
    if (depth == ATTR_MAX_DEPTH) {
        d->batch->truncated++;
        json_skip(j);
        return;
    }
    json_object(j);
    while (json_field(j, names) >= 0)
        if (type == VALUE_ARRAY)
            elements_json(d, j, &items, depth + 1);
        else
            key_values_json(d, j, &items, depth + 1);
    value->type = (uint8_t)type;
    value->items = items.at;
    value->len =
        type == VALUE_MAP ? otlp_unique(items.at, items.count) : items.count;
}

static void value_json(struct otlp *d, struct json *j, struct attr *value,
                       unsigned depth, size_t max_text)
{
    enum { STRING, BOOL, INT, DOUBLE, ARRAY, KVLIST, BYTES };
    static const char *const names[] = {
        "stringValue", "boolValue",   "intValue",   "doubleValue",
        "arrayValue",  "kvlistValue", "bytesValue", NULL};
    int field;

    value->type = VALUE_EMPTY;
    value->len = 0;
    json_object(j);
    while ((field = json_field(j, names)) >= 0)
        switch (field) {
        case STRING:
            otlp_set_text(value, VALUE_STRING,
                          otlp_text(d, json_text(j), max_text));
            break;
        case BOOL:
            value->b = json_bool(j);
            value->type = VALUE_BOOL;
            break;
        case INT:
            value->i = json_int64(j);
            value->type = VALUE_INT;
            break;
        case DOUBLE:
            value->d = json_double(j);
            value->type = VALUE_DOUBLE;
            break;
        case ARRAY:
            items_json(d, j, value, VALUE_ARRAY, depth);
            break;
        case KVLIST:
            items_json(d, j, value, VALUE_MAP, depth);
            break;
        default:
            otlp_set_text(value, VALUE_BYTES, otlp_bytes(d, json_bytes(j)));
        }
}

void otlp_json_attrs(struct otlp *d, struct json *j, void *at)
{
    struct attrs *attrs = at;
    struct list list;

    key_values_json(d, j, &list, 0);
    *attrs = otlp_attrs(&list, attrs->dropped);
}

void otlp_json_dropped(struct otlp *d, struct json *j, void *at)
{
    struct attrs *attrs = at;

    (void)d;
    attrs->dropped = otlp_sum(attrs->dropped, json_uint32(j));
}

void otlp_json_value(struct otlp *d, struct json *j, struct attr *value,
                     size_t max_text)
{
    value_json(d, j, value, 0, max_text);
}

static void resource_json(struct otlp *d, struct json *j)
{
    static const struct member members[] = {
        MEMBER(struct resource, attrs, "attributes", otlp_json_attrs),
        MEMBER(struct resource, attrs, "droppedAttributesCount",
               otlp_json_dropped),
        {0},
    };

    d->resource->attrs = (struct attrs){0};
    otlp_json_members(d, j, members, d->resource);
}

static void scope_json(struct otlp *d, struct json *j)
{
    static const struct member members[] = {
        MEMBER(struct scope, name, "name", otlp_json_text),
        MEMBER(struct scope, version, "version", otlp_json_text),
        MEMBER(struct scope, attrs, "attributes", otlp_json_attrs),
        MEMBER(struct scope, attrs, "droppedAttributesCount",
               otlp_json_dropped),
        {0},
    };

    *d->scope = (struct scope){.schema_url = d->scope->schema_url};
    otlp_json_members(d, j, members, d->scope);
}

static void records_json(struct otlp *d, struct json *j,
                         const struct mark *mark)
{
    otlp_back(d, mark);
    json_array(j);
    while (json_element(j))
        switch (d->batch->signal) {
        case SIGNAL_SPANS:
            otlp_json_span(d, j);
            break;
        case SIGNAL_LOGS:
            otlp_json_log(d, j);
            break;
        default:
            otlp_json_metric(d, j);
        }
}

/* The names of the three levels, and below them those of a metric. */
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
static const char *const data_names[] = {
    "gauge", "sum", "histogram", "exponentialHistogram", "summary", NULL};
static const char *const points_names[] = {"dataPoints", NULL};

/* ScopeSpans, ScopeLogs, ScopeMetrics. */
static void scope_records_json(struct otlp *d, struct json *j)
{
    struct mark mark = otlp_mark(d);
    bool has_scope = false;
    int field;

    d->scope = arena_zero(d->arena, 1, sizeof(struct scope));
    if (!d->scope) {
        json_fail(j, d->arena->status, status_text(d->arena->status));
        return;
    }
    json_object(j);
    while ((field = json_field(j, scope_names[d->batch->signal])) >= 0) {
        if (field == CHILDREN) {
            records_json(d, j, &mark);
            continue;
        }
        has_scope = true;
        if (field == OWNER)
            scope_json(d, j);
        else
            otlp_json_text(d, j, &d->scope->schema_url);
    }
    if (j->status == OK && !has_scope)
        otlp_no_scope(d, &mark);
}

/* ResourceSpans, ResourceLogs, ResourceMetrics. */
static void resource_records_json(struct otlp *d, struct json *j)
{
    struct mark mark = otlp_mark(d);
    int field;

    d->resource = otlp_new_resource(d);
    if (!d->resource) {
        json_fail(j, ERR_INTERNAL, "more resources than were counted");
        return;
    }
    json_object(j);
    while ((field = json_field(j, resource_names[d->batch->signal])) >= 0)
        if (field == OWNER) {
            resource_json(d, j);
        } else if (field == SCHEMA_URL) {
            otlp_json_text(d, j, &d->resource->schema_url);
        } else {
            otlp_back(d, &mark);
            json_array(j);
            while (json_element(j))
                scope_records_json(d, j);
        }
}

enum { RESOURCES, SCOPES, RECORDS, POINTS, LEVELS };

/* Elements of the array at the cursor, and of those inside them. Errors are
 * met again, and reported, by the pass that reads. */
static void count_json(struct otlp *d, struct json *j, unsigned level,
                       uint64_t *counts)
{
    enum signal signal = d->batch->signal;
    const char *const children[LEVELS][2] = {
        {resource_names[signal][CHILDREN], NULL},
        {scope_names[signal][CHILDREN], NULL},
    };
    unsigned deepest = signal == SIGNAL_METRICS ? POINTS : RECORDS;

    json_array(j);
    while (json_element(j)) {
        counts[level]++;
        if (level == deepest) {
            json_skip(j);
            continue;
        }
        json_object(j);
        if (level < RECORDS)
            while (json_field(j, children[level]) >= 0)
                count_json(d, j, level + 1, counts);
        else
            while (json_field(j, data_names) >= 0) {
                json_object(j);
                while (json_field(j, points_names) >= 0)
                    count_json(d, j, POINTS, counts);
            }
    }
}

enum status otlp_decode_json(struct otlp *d, struct slice *detail)
{
    struct slice body = {d->batch->body, d->batch->body_len};
    const char *const *names = top_names[d->batch->signal];
    struct json j = json_over(body, d->arena);
    uint64_t counts[LEVELS] = {0};
    struct mark mark = otlp_mark(d);
    enum status status;

    json_object(&j);
    while (json_field(&j, names) >= 0)
        count_json(d, &j, RESOURCES, counts);
    j = json_over(body, d->arena);
    status =
        otlp_make_room(d, counts[RESOURCES], counts[RECORDS], counts[POINTS]);
    if (status != OK)
        json_fail(&j, status, status_text(status));
    json_object(&j);
    while (json_field(&j, names) >= 0) {
        otlp_back(d, &mark);
        d->batch->resource_count = 0;
        json_array(&j);
        while (json_element(&j))
            resource_records_json(d, &j);
    }
    if (j.status == OK)
        json_end(&j);
    if (j.status != OK)
        *detail = json_describe(&j);
    return j.status;
}
