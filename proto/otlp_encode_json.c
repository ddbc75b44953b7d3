/*
 * The same spans in protobuf's JSON mapping: members that have their default
 * value are left out, but for the arrays and objects that readers walk.
 */
#include <math.h>
#include <stdio.h>

#include "otlp_encode.h"

static void text_member(struct jsonw *w, const char *name, struct slice text)
{
    if (text.len > 0)
        jsonw_member_text(w, name, text);
}

static void number_member(struct jsonw *w, const char *name, uint64_t number)
{
    if (number == 0)
        return;
    jsonw_name(w, name);
    jsonw_uint(w, number);
}

/* 64 bits do not fit into the numbers of JavaScript. */
static void long_text(struct jsonw *w, const char *sign, uint64_t number)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%s%llu", sign,
                       (unsigned long long)number);

    jsonw_text(w, (struct slice){text, (size_t)len});
}

static void time_member(struct jsonw *w, const char *name, uint64_t ns)
{
    if (ns == 0)
        return;
    jsonw_name(w, name);
    long_text(w, "", ns);
}

static void id_member(struct jsonw *w, const char *name, const uint8_t *id,
                      size_t len)
{
    static const uint8_t none[16] = {0};

    if (memcmp(id, none, len) == 0)
        return;
    jsonw_name(w, name);
    jsonw_base64(w, (struct slice){(const char *)id, len});
}

/* ---- attributes ---- */

static void write_entries(struct jsonw *w, const char *name,
                          const struct attr *at, uint32_t count)
{
    jsonw_name(w, name);
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < count; i++) {
        jsonw_open(w, '{');
        jsonw_member_text(w, "key", attr_key(&at[i]));
        jsonw_name(w, "value");
        otlp_value_json(w, &at[i]);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

static void write_double(struct jsonw *w, double d)
{
    if (isnan(d))
        jsonw_cstr(w, "NaN");
    else if (isinf(d))
        jsonw_cstr(w, d < 0 ? "-Infinity" : "Infinity");
    else
        jsonw_double(w, d);
}

static void write_items(struct jsonw *w, const struct attr *value)
{
    bool map = value->type == VALUE_MAP;

    jsonw_name(w, map ? "kvlistValue" : "arrayValue");
    jsonw_open(w, '{');
    if (map) {
        write_entries(w, "values", value->items, value->len);
    } else {
        jsonw_name(w, "values");
        jsonw_open(w, '[');
        for (uint32_t i = 0; i < value->len; i++)
            otlp_value_json(w, &value->items[i]);
        jsonw_close(w, ']');
    }
    jsonw_close(w, '}');
}

static void write_scalar(struct jsonw *w, const struct attr *value)
{
    switch (value->type) {
    case VALUE_STRING:
        jsonw_member_text(w, "stringValue",
                          (struct slice){value->str, value->len});
        break;
    case VALUE_BOOL:
        jsonw_name(w, "boolValue");
        jsonw_bool(w, value->b);
        break;
    case VALUE_INT:
        jsonw_name(w, "intValue");
        long_text(w, value->i < 0 ? "-" : "",
                  value->i < 0 ? 0 - (uint64_t)value->i : (uint64_t)value->i);
        break;
    case VALUE_DOUBLE:
        jsonw_name(w, "doubleValue");
        write_double(w, value->d);
        break;
    case VALUE_BYTES:
        jsonw_name(w, "bytesValue");
        jsonw_base64(w, (struct slice){value->str, value->len});
        break;
    default:
        break;
    }
}

void otlp_value_json(struct jsonw *w, const struct attr *value)
{
    jsonw_open(w, '{');
    if (value->type == VALUE_ARRAY || value->type == VALUE_MAP)
        write_items(w, value);
    else
        write_scalar(w, value);
    jsonw_close(w, '}');
}

static void write_attrs(struct jsonw *w, const struct attrs *attrs)
{
    if (attrs->count > 0)
        write_entries(w, "attributes", attrs->at, attrs->count);
    number_member(w, "droppedAttributesCount", attrs->dropped);
}

/* ---- spans ---- */

static void write_events(struct jsonw *w, const struct span *span)
{
    if (span->event_count == 0)
        return;
    jsonw_name(w, "events");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < span->event_count; i++) {
        jsonw_open(w, '{');
        time_member(w, "timeUnixNano", span->events[i].time_ns);
        text_member(w, "name", span->events[i].name);
        write_attrs(w, &span->events[i].attrs);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

static void write_links(struct jsonw *w, const struct span *span)
{
    if (span->link_count == 0)
        return;
    jsonw_name(w, "links");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < span->link_count; i++) {
        const struct span_link *link = &span->links[i];

        jsonw_open(w, '{');
        id_member(w, "traceId", link->trace_id, sizeof(link->trace_id));
        id_member(w, "spanId", link->span_id, sizeof(link->span_id));
        text_member(w, "traceState", link->trace_state);
        write_attrs(w, &link->attrs);
        number_member(w, "flags", link->flags);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

static void write_status(struct jsonw *w, const struct span *span)
{
    jsonw_name(w, "status");
    jsonw_open(w, '{');
    text_member(w, "message", span->status_message);
    if (span->status == SPAN_OK || span->status == SPAN_ERROR) {
        jsonw_name(w, "code");
        jsonw_cstr(w, span->status == SPAN_OK ? "STATUS_CODE_OK"
                                              : "STATUS_CODE_ERROR");
    }
    jsonw_close(w, '}');
}

static void write_kind(struct jsonw *w, uint8_t kind)
{
    static const char *const names[] = {NULL,
                                        "SPAN_KIND_INTERNAL",
                                        "SPAN_KIND_SERVER",
                                        "SPAN_KIND_CLIENT",
                                        "SPAN_KIND_PRODUCER",
                                        "SPAN_KIND_CONSUMER"};

    if (kind == SPAN_UNSPECIFIED || kind >= sizeof(names) / sizeof(names[0]))
        return;
    jsonw_name(w, "kind");
    jsonw_cstr(w, names[kind]);
}

static void write_span(struct jsonw *w, const struct span *span)
{
    jsonw_open(w, '{');
    id_member(w, "traceId", span->trace_id, sizeof(span->trace_id));
    id_member(w, "spanId", span->span_id, sizeof(span->span_id));
    text_member(w, "traceState", span->trace_state);
    id_member(w, "parentSpanId", span->parent_span_id,
              sizeof(span->parent_span_id));
    text_member(w, "name", span->name);
    write_kind(w, span->kind);
    time_member(w, "startTimeUnixNano", span->start_ns);
    time_member(w, "endTimeUnixNano", span->end_ns);
    write_attrs(w, &span->attrs);
    write_events(w, span);
    number_member(w, "droppedEventsCount", span->dropped_events);
    write_links(w, span);
    number_member(w, "droppedLinksCount", span->dropped_links);
    write_status(w, span);
    number_member(w, "flags", span->flags);
    jsonw_close(w, '}');
}

static void write_scope(struct jsonw *w, const struct scope *scope)
{
    jsonw_name(w, "scope");
    jsonw_open(w, '{');
    if (scope) {
        text_member(w, "name", scope->name);
        text_member(w, "version", scope->version);
        write_attrs(w, &scope->attrs);
    }
    jsonw_close(w, '}');
}

static void write_scope_spans(struct jsonw *w,
                              const struct otlp_scope_group *group)
{
    jsonw_open(w, '{');
    write_scope(w, group->scope);
    jsonw_name(w, "spans");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < group->count; i++)
        write_span(w, group->spans[i]);
    jsonw_close(w, ']');
    if (group->scope)
        text_member(w, "schemaUrl", group->scope->schema_url);
    jsonw_close(w, '}');
}

/* The attributes are there even if there are none: Grafana walks them. */
static void write_resource(struct jsonw *w, const struct resource *resource)
{
    static const struct attrs none = {0};
    const struct attrs *attrs = resource ? &resource->attrs : &none;

    jsonw_name(w, "resource");
    jsonw_open(w, '{');
    write_entries(w, "attributes", attrs->at, attrs->count);
    number_member(w, "droppedAttributesCount", attrs->dropped);
    jsonw_close(w, '}');
}

void otlp_spans_json(struct jsonw *w, const struct otlp_spans *groups)
{
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < groups->count; i++) {
        const struct otlp_resource_group *group = &groups->resources[i];

        jsonw_open(w, '{');
        write_resource(w, group->resource);
        jsonw_name(w, "scopeSpans");
        jsonw_open(w, '[');
        for (uint32_t k = 0; k < group->count; k++)
            write_scope_spans(w, &group->scopes[k]);
        jsonw_close(w, ']');
        if (group->resource)
            text_member(w, "schemaUrl", group->resource->schema_url);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}
