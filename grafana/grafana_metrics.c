/*
 * POST /metrics and /metric-payload-options: what the builder shows. In: the
 * families. Out: their fields, and the options of a field that the others
 * leave.
 */
#include "grafana_lists.h"
#include "grafana_run.h"

static const struct payload_field scope_fields[] = {
    {"namespace", "Namespace", PAYLOAD_MULTI, "all", NULL, NULL, true, 24},
    {"project", "Project", PAYLOAD_MULTI, "all", NULL, NULL, true, 24},
    {"environment", "Environment", PAYLOAD_MULTI, "all", NULL, NULL, true, 24},
    {"component", "Component", PAYLOAD_MULTI, "all", NULL, NULL, true, 24},
    {0},
};

static const struct payload_field endpoint_fields[] = {
    {"endpoint", "Endpoint", PAYLOAD_MULTI, "all", NULL, NULL, true, 24},
    {"operation", "Operation", PAYLOAD_MULTI, "all", NULL, NULL, false, 30},
    {0},
};

static void write_field(const struct payload_field *field, struct jsonw *w)
{
    static const char *const types[] = {[PAYLOAD_INPUT] = "input",
                                        [PAYLOAD_SELECT] = "select",
                                        [PAYLOAD_MULTI] = "multi-select",
                                        [PAYLOAD_TEXTAREA] = "textarea"};

    jsonw_open(w, '{');
    jsonw_member_text(w, "name", slice_of(field->name));
    jsonw_member_text(w, "label", slice_of(field->label));
    jsonw_member_text(w, "type", slice_of(types[field->type]));
    if (field->placeholder || field->standard)
        jsonw_member_text(w, "placeholder",
                          slice_of(field->placeholder ? field->placeholder
                                                      : field->standard));
    if (field->reload) {
        jsonw_name(w, "reloadMetric");
        jsonw_bool(w, true);
    }
    if (field->width) {
        jsonw_name(w, "width");
        jsonw_uint(w, field->width);
    }
    if (field->options) {
        jsonw_name(w, "options");
        jsonw_open(w, '[');
        for (const struct payload_option *o = field->options; o->value; o++) {
            jsonw_open(w, '{');
            jsonw_member_text(w, "value", slice_of(o->value));
            jsonw_member_text(w, "label",
                              slice_of(o->label ? o->label : o->value));
            jsonw_close(w, '}');
        }
        jsonw_close(w, ']');
    }
    jsonw_close(w, '}');
}

static void write_fields(const struct payload_field *field, struct jsonw *w)
{
    for (; field && field->name; field++)
        write_field(field, w);
}

static bool may_see(const struct query_request *request,
                    const struct grafana_family *family)
{
    return grants_have(request->viewer.grants, family->action) ||
           access_is_decided(request->services->access, request->subject,
                             family->action);
}

enum status grafana_metrics(struct query_request *request)
{
    struct jsonw *w = &request->json;

    jsonw_open(w, '[');
    for (const struct grafana_family *f = grafana_families; f->target; f++) {
        if (!may_see(request, f))
            continue;
        jsonw_open(w, '{');
        jsonw_member_text(w, "value", slice_of(f->target));
        jsonw_member_text(
            w, "label",
            arena_format(request->arena, "%s: %s", f->group, f->label));
        jsonw_name(w, "payloads");
        jsonw_open(w, '[');
        if (f->fields & FIELDS_SCOPE)
            write_fields(scope_fields, w);
        if (f->fields & FIELDS_ENDPOINT)
            write_fields(endpoint_fields, w);
        write_fields(f->payload, w);
        jsonw_close(w, ']');
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
    return OK;
}

static void write_static(const struct payload_option *option, struct jsonw *w)
{
    jsonw_open(w, '[');
    for (; option->value; option++) {
        jsonw_open(w, '{');
        jsonw_member_text(w, "value", slice_of(option->value));
        jsonw_member_text(
            w, "label",
            slice_of(option->label ? option->label : option->value));
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

static const struct payload_field *find_field(
    const struct grafana_family *family, struct slice name)
{
    const struct payload_field *field = family ? family->payload : NULL;

    for (; field && field->name; field++)
        if (slice_equal(name, slice_of(field->name)))
            return field;
    return NULL;
}

enum status grafana_options(struct query_request *request)
{
    struct slice name = json_text_of(json_object_get(request->body, "name"));
    const struct payload_field *field;
    struct payload_values metric;
    enum payload_state state;
    struct grafana_call call;
    struct grafana_query q;
    struct text_list list;
    struct frames none;
    enum status s = call_read(&call, request);
    bool known;

    if (s != OK)
        return s;
    payload_values(json_object_get(request->body, "metric"), NULL,
                   request->arena, &metric);
    field = metric.count > 0
                ? find_field(grafana_family_find(metric.texts[0]), name)
                : NULL;
    if (field && field->options) {
        write_static(field->options, &request->json);
        return OK;
    }
    if (call.end_ns - call.start_ns < LIST_RANGE_NS)
        call.start_ns = call.end_ns - LIST_RANGE_NS; /* none is sent */
    list_choose_action(request);
    frames_init(&none, request->arena);
    query_init(&q, &call, payload_object(request->body, &state), &none);
    s = list_names(&q, name, &list, &known);
    if (s != OK)
        return s;
    jsonw_open(&request->json, '[');
    for (uint32_t i = 0; known && i < list.count; i++) {
        jsonw_open(&request->json, '{');
        jsonw_member_text(&request->json, "value", list.at[i]);
        jsonw_member_text(&request->json, "label", list.at[i]);
        jsonw_close(&request->json, '}');
    }
    jsonw_close(&request->json, ']');
    return OK;
}
