/*
 * Frames as JSON, in one pass per field. Infinities and NaN, which JSON does
 * not have, are null in "values" and listed in "entities".
 */
#include <math.h>

#include "clock.h"
#include "grafana_frame.h"

void frame_write_key(struct jsonw *w, const char *key)
{
    jsonw_cstr(w, key);
    buf_byte(w->out, ':');
    w->comma = false;
}

void frame_write_cell(const struct grafana_field *field, uint32_t row,
                      struct jsonw *w)
{
    const struct slice *texts = field->cells;
    const uint64_t *times = field->cells;
    const uint8_t *bools = field->cells;
    const double *numbers = field->cells;

    if (row >= field->room)
        jsonw_null(w);
    else if (field->type == FIELD_NUMBER)
        jsonw_double(w, numbers[row]); /* null if not finite */
    else if (field->type == FIELD_TIME && times[row] > 0)
        jsonw_uint(w, times[row] / NS_PER_MS);
    else if (field->type == FIELD_BOOL && bools[row] != BOOL_NULL)
        jsonw_bool(w, bools[row] == BOOL_TRUE);
    else if (field->type == FIELD_STRING && texts[row].ptr)
        jsonw_text(w, texts[row]);
    else if (field->type == FIELD_OTHER && texts[row].ptr)
        jsonw_raw(w, texts[row]);
    else
        jsonw_null(w);
}

static bool is_null(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits == FIELD_NULL_BITS;
}

static void write_entity(const struct grafana_field *field, const char *name,
                         bool (*is)(double), struct jsonw *w)
{
    const double *numbers = field->cells;
    uint32_t rows = field->frame->rows;
    bool any = false;

    for (uint32_t i = 0; i < rows && i < field->room; i++) {
        if (!is(numbers[i]))
            continue;
        if (!any) {
            jsonw_name(w, name);
            jsonw_open(w, '[');
        }
        any = true;
        jsonw_uint(w, i);
    }
    if (any)
        jsonw_close(w, ']');
}

static bool is_nan(double v)
{
    return isnan(v) && !is_null(v);
}

static bool is_inf(double v)
{
    return isinf(v) && v > 0;
}

static bool is_neg_inf(double v)
{
    return isinf(v) && v < 0;
}

static bool has_entities(const struct grafana_field *field)
{
    const double *numbers = field->cells;

    if (field->type != FIELD_NUMBER)
        return false;
    for (uint32_t i = 0; i < field->frame->rows && i < field->room; i++)
        if (!isfinite(numbers[i]) && !is_null(numbers[i]))
            return true;
    return false;
}

static void write_entities(const struct grafana_frame *frame, struct jsonw *w)
{
    bool any = false;

    for (struct grafana_field *f = frame->fields; f; f = f->next)
        any = any || has_entities(f);
    if (!any)
        return;
    jsonw_name(w, "entities");
    jsonw_open(w, '[');
    for (struct grafana_field *f = frame->fields; f; f = f->next) {
        if (!has_entities(f)) {
            jsonw_null(w);
            continue;
        }
        jsonw_open(w, '{');
        write_entity(f, "NaN", is_nan, w);
        write_entity(f, "Inf", is_inf, w);
        write_entity(f, "NegInf", is_neg_inf, w);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

/* A time is milliseconds; what is below one is beside it, so that records of
 * one millisecond keep their order. */
static bool has_nanos(const struct grafana_field *field)
{
    const uint64_t *times = field->cells;

    for (uint32_t i = 0;
         field->type == FIELD_TIME && i < field->frame->rows && i < field->room;
         i++)
        if (times[i] % NS_PER_MS > 0)
            return true;
    return false;
}

static void write_nanos(const struct grafana_frame *frame, struct jsonw *w)
{
    bool any = false;

    for (struct grafana_field *f = frame->fields; f; f = f->next)
        any = any || has_nanos(f);
    if (!any)
        return;
    jsonw_name(w, "nanos");
    jsonw_open(w, '[');
    for (struct grafana_field *f = frame->fields; f; f = f->next) {
        const uint64_t *times = f->cells;

        if (!has_nanos(f)) {
            jsonw_null(w);
            continue;
        }
        jsonw_open(w, '[');
        for (uint32_t i = 0; i < frame->rows; i++)
            jsonw_uint(w, i < f->room ? times[i] % NS_PER_MS : 0);
        jsonw_close(w, ']');
    }
    jsonw_close(w, ']');
}

static void member_cstr(struct jsonw *w, const char *name, const char *text)
{
    if (text)
        jsonw_member_text(w, name, slice_of(text));
}

static void write_links(const struct field_link *link, struct jsonw *w)
{
    jsonw_name(w, "links");
    jsonw_open(w, '[');
    for (; link; link = link->next) {
        jsonw_open(w, '{');
        jsonw_member_text(w, "title", slice_of(link->title));
        jsonw_member_text(w, "url", link->url);
        if (link->new_tab) {
            jsonw_name(w, "targetBlank");
            jsonw_bool(w, true);
        }
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

static void write_config(const struct grafana_field *field, struct jsonw *w)
{
    jsonw_name(w, "config");
    jsonw_open(w, '{');
    member_cstr(w, "unit", field->unit);
    if (field->display_name.len > 0)
        jsonw_member_text(w, "displayNameFromDS", field->display_name);
    member_cstr(w, "description", field->description);
    if (field->color) {
        jsonw_name(w, "color");
        jsonw_open(w, '{');
        jsonw_member_text(w, "mode", SLICE("fixed"));
        jsonw_member_text(w, "fixedColor", slice_of(field->color));
        jsonw_close(w, '}');
    }
    if (field->custom.len > 0) {
        jsonw_name(w, "custom");
        jsonw_raw(w, field->custom);
    }
    if (field->raw.len > 0)
        jsonw_raw(w, field->raw);
    if (field->links)
        write_links(field->links, w);
    jsonw_close(w, '}');
}

/* "typeInfo" is the type in Go; Grafana's backend reads no frame without. */
static void write_field(const struct grafana_field *field, struct jsonw *w)
{
    static const struct {
        const char *type, *frame;
    } types[] = {
        [FIELD_TIME] = {"time", "time.Time"},
        [FIELD_NUMBER] = {"number", "float64"},
        [FIELD_STRING] = {"string", "string"},
        [FIELD_BOOL] = {"boolean", "bool"},
        [FIELD_OTHER] = {"other", "json.RawMessage"},
    };

    jsonw_open(w, '{');
    jsonw_member_text(w, "name", slice_of(field->name));
    jsonw_member_text(w, "type", slice_of(types[field->type].type));
    jsonw_name(w, "typeInfo");
    jsonw_open(w, '{');
    jsonw_member_text(w, "frame", slice_of(types[field->type].frame));
    jsonw_name(w, "nullable");
    jsonw_bool(w, true);
    jsonw_close(w, '}');
    if (field->labels) {
        jsonw_name(w, "labels");
        jsonw_open(w, '{');
        for (const struct field_label *l = field->labels; l; l = l->next) {
            frame_write_key(w, l->key);
            jsonw_text(w, l->value);
        }
        jsonw_close(w, '}');
    }
    write_config(field, w);
    jsonw_close(w, '}');
}

static void write_notices(const struct frame_notice *notice, struct jsonw *w)
{
    static const char *const severities[] = {"info", "warning", "error"};

    jsonw_name(w, "notices");
    jsonw_open(w, '[');
    for (; notice; notice = notice->next) {
        jsonw_open(w, '{');
        jsonw_member_text(w, "severity",
                          slice_of(severities[notice->severity]));
        jsonw_member_text(w, "text", notice->text);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

static void write_meta(const struct grafana_frame *frame, struct jsonw *w)
{
    jsonw_name(w, "meta");
    jsonw_open(w, '{');
    if (frame->type) {
        jsonw_member_text(w, "type", slice_of(frame->type));
        jsonw_name(w, "typeVersion");
        jsonw_raw(w, SLICE("[0,0]"));
    }
    member_cstr(w, "preferredVisualisationType", frame->visual);
    member_cstr(w, "dataTopic", frame->topic);
    if (frame->notices)
        write_notices(frame->notices, w);
    if (frame->custom.len > 0) {
        jsonw_name(w, "custom");
        jsonw_raw(w, frame->custom);
    }
    jsonw_close(w, '}');
}

static void write_frame(const struct grafana_frame *frame, struct jsonw *w)
{
    jsonw_open(w, '{');
    jsonw_name(w, "schema");
    jsonw_open(w, '{');
    jsonw_member_text(w, "refId", frame->ref_id);
    jsonw_member_text(w, "name", frame->name);
    write_meta(frame, w);
    jsonw_name(w, "fields");
    jsonw_open(w, '[');
    for (struct grafana_field *f = frame->fields; f; f = f->next)
        write_field(f, w);
    jsonw_close(w, ']');
    jsonw_close(w, '}');
    jsonw_name(w, "data");
    jsonw_open(w, '{');
    jsonw_name(w, "values");
    jsonw_open(w, '[');
    for (struct grafana_field *f = frame->fields; f; f = f->next) {
        jsonw_open(w, '[');
        for (uint32_t i = 0; i < frame->rows; i++)
            frame_write_cell(f, i, w);
        jsonw_close(w, ']');
    }
    jsonw_close(w, ']');
    write_entities(frame, w);
    write_nanos(frame, w);
    jsonw_close(w, '}');
    jsonw_close(w, '}');
}

void frames_write(const struct frames *frames, struct jsonw *w)
{
    jsonw_open(w, '[');
    for (const struct grafana_frame *f = frames->first; f; f = f->next)
        write_frame(f, w);
    jsonw_close(w, ']');
}
