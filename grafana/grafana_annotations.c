/*
 * POST /annotations, of simple-json: changes as annotations. In: an annotation
 * whose query is a target, or names of a scope as JSON. Out: its events.
 */
#include <stdlib.h>

#include "grafana_run.h"

static const struct grafana_field *field_named(
    const struct grafana_frame *frame, const char *name, enum field_type type)
{
    for (const struct grafana_field *f = frame->fields; f; f = f->next)
        if (f->type == type && strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

static void write_member(const struct grafana_frame *frame, const char *name,
                         enum field_type type, uint32_t row, struct jsonw *w)
{
    const struct grafana_field *field = field_named(frame, name, type);

    if (!field)
        return;
    jsonw_name(w, name);
    frame_write_cell(field, row, w);
}

static void write_events(const struct grafana_frame *frame,
                         struct slice annotation, struct jsonw *w)
{
    if (!field_named(frame, "time", FIELD_TIME))
        return;
    for (uint32_t i = 0; i < frame->rows; i++) {
        jsonw_open(w, '{');
        jsonw_name(w, "annotation");
        jsonw_raw(w, annotation);
        write_member(frame, "time", FIELD_TIME, i, w);
        write_member(frame, "timeEnd", FIELD_TIME, i, w);
        write_member(frame, "title", FIELD_STRING, i, w);
        write_member(frame, "text", FIELD_STRING, i, w);
        write_member(frame, "tags", FIELD_OTHER, i, w);
        write_member(frame, "tags", FIELD_STRING, i, w);
        jsonw_close(w, '}');
    }
}

/* The query: "", a target, or {"target": "events", "component": "cart"}. */
static struct slice read_query(json_t *annotation, json_t **payload)
{
    struct slice text = slice_trim(
        json_text_of(json_object_get(annotation, "query")), PARAMS_BLANKS);
    struct slice target = text;

    *payload = text.len > 0 && text.ptr[0] == '{' ? payload_parse(text) : NULL;
    if (!json_is_object(*payload)) {
        json_decref(*payload);
        *payload = json_object();
    } else {
        target = json_text_of(json_object_get(*payload, "target"));
    }
    json_object_set_new(annotation, "payload", *payload); /* its owner */
    return target.len > 0 ? target : SLICE("changes");
}

enum status grafana_annotations(struct query_request *request)
{
    json_t *annotation = json_object_get(request->body, "annotation");
    struct grafana_call call;
    struct frames frames;
    json_t *payload;
    struct slice target;
    char *text;
    enum status s = call_read(&call, request);

    if (s != OK)
        return s;
    if (!json_is_object(annotation))
        return query_invalid(request, "annotation is required");
    text = json_dumps(annotation, JSON_COMPACT);
    target = read_query(annotation, &payload);
    frames_init(&frames, request->arena);
    s = grafana_run_one(&call, target, payload, &frames);
    if (s == OK && text) {
        jsonw_open(&request->json, '[');
        for (const struct grafana_frame *f = frames.first; f; f = f->next)
            write_events(f, slice_of(text), &request->json);
        jsonw_close(&request->json, ']');
    }
    free(text);
    return s;
}
