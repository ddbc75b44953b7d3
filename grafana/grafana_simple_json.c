/*
 * Frames in the shapes of simple-json, and as flat rows. In: frames. Out:
 * series, tables, objects.
 */
#include "grafana_simple_json.h"

static const char *type_of_target(const struct grafana_call *call,
                                  struct slice ref_id)
{
    for (size_t i = 0; i < json_array_size(call->targets); i++) {
        const json_t *target = json_array_get(call->targets, i);

        if (slice_equal(json_text_of(json_object_get(target, "refId")), ref_id))
            return json_string_value(json_object_get(target, "type"));
    }
    return NULL;
}

static bool is_series(const struct grafana_frame *frame)
{
    if (!frame->fields || frame->fields->type != FIELD_TIME)
        return false;
    for (const struct grafana_field *f = frame->fields->next; f; f = f->next)
        if (f->type != FIELD_NUMBER)
            return false;
    return true;
}

static struct slice name_of(const struct grafana_field *field)
{
    return field->display_name.len > 0 ? field->display_name
                                       : slice_of(field->name);
}

static void write_series(const struct grafana_frame *frame,
                         const struct grafana_field *field, struct jsonw *w)
{
    jsonw_open(w, '{');
    jsonw_member_text(w, "target", name_of(field));
    jsonw_member_text(w, "refId", frame->ref_id);
    if (field->unit)
        jsonw_member_text(w, "unit", slice_of(field->unit));
    jsonw_name(w, "datapoints");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < frame->rows; i++) {
        jsonw_open(w, '[');
        frame_write_cell(field, i, w);
        frame_write_cell(frame->fields, i, w);
        jsonw_close(w, ']');
    }
    jsonw_close(w, ']');
    jsonw_close(w, '}');
}

static void write_table(const struct grafana_frame *frame, struct jsonw *w)
{
    static const char *const types[] = {
        [FIELD_TIME] = "time",     [FIELD_NUMBER] = "number",
        [FIELD_STRING] = "string", [FIELD_BOOL] = "boolean",
        [FIELD_OTHER] = "other",
    };

    jsonw_open(w, '{');
    jsonw_member_text(w, "type", SLICE("table"));
    jsonw_member_text(w, "refId", frame->ref_id);
    jsonw_name(w, "columns");
    jsonw_open(w, '[');
    for (const struct grafana_field *f = frame->fields; f; f = f->next) {
        jsonw_open(w, '{');
        jsonw_member_text(w, "text", name_of(f));
        jsonw_member_text(w, "type", slice_of(types[f->type]));
        if (f->unit)
            jsonw_member_text(w, "unit", slice_of(f->unit));
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
    jsonw_name(w, "rows");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < frame->rows; i++) {
        jsonw_open(w, '[');
        for (const struct grafana_field *f = frame->fields; f; f = f->next)
            frame_write_cell(f, i, w);
        jsonw_close(w, ']');
    }
    jsonw_close(w, ']');
    jsonw_close(w, '}');
}

void frames_write_simple_json(const struct frames *frames,
                              const struct grafana_call *call, struct jsonw *w)
{
    jsonw_open(w, '[');
    for (const struct grafana_frame *f = frames->first; f; f = f->next) {
        const char *type = type_of_target(call, f->ref_id);

        if (!is_series(f) || (type && strcmp(type, "table") == 0)) {
            write_table(f, w);
            continue;
        }
        for (struct grafana_field *field = f->fields->next; field;
             field = field->next)
            write_series(f, field, w);
    }
    jsonw_close(w, ']');
}

/* ---- flat rows ---- */

static void write_points(const struct grafana_frame *frame,
                         const struct grafana_field *field, struct jsonw *w)
{
    for (uint32_t i = 0; i < frame->rows; i++) {
        jsonw_open(w, '{');
        jsonw_member_text(w, "refId", frame->ref_id);
        jsonw_name(w, "time");
        frame_write_cell(frame->fields, i, w);
        jsonw_member_text(w, "name", name_of(field));
        jsonw_name(w, "value");
        frame_write_cell(field, i, w);
        for (const struct field_label *l = field->labels; l; l = l->next) {
            frame_write_key(w, l->key);
            jsonw_text(w, l->value);
        }
        jsonw_close(w, '}');
    }
}

static void write_rows(const struct grafana_frame *frame, struct jsonw *w)
{
    for (uint32_t i = 0; i < frame->rows; i++) {
        jsonw_open(w, '{');
        jsonw_member_text(w, "refId", frame->ref_id);
        for (const struct grafana_field *f = frame->fields; f; f = f->next) {
            frame_write_key(w, f->name);
            frame_write_cell(f, i, w);
        }
        jsonw_close(w, '}');
    }
}

void frames_write_rows(const struct frames *frames, struct jsonw *w)
{
    jsonw_open(w, '[');
    for (const struct grafana_frame *f = frames->first; f; f = f->next) {
        if (!is_series(f)) {
            write_rows(f, w);
            continue;
        }
        for (struct grafana_field *field = f->fields->next; field;
             field = field->next)
            write_points(f, field, w);
    }
    jsonw_close(w, ']');
}
