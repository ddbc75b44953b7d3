/* Columns, JSON texts and links of rows; see grafana_columns.h. */
#include "grafana_columns.h"

struct grafana_frame *frame_columns(struct grafana_query *q, const char *name,
                                    const struct column *columns,
                                    uint32_t count,
                                    struct grafana_field **fields)
{
    struct grafana_frame *frame = query_frame(q, slice_of(name));

    for (uint32_t i = 0; i < count; i++) {
        const struct column *column = &columns[i];
        struct grafana_field *field =
            frame_field(frame, column->name, column->type);

        fields[i] = field;
        if (!field)
            continue;
        field->unit = column->unit;
        field->color = column->color;
        field->description = column->about;
        if (column->title)
            field->display_name = slice_of(column->title);
    }
    return frame;
}

/* ---- texts ---- */

struct jsonw *json_text_begin(struct json_text *text,
                              struct query_request *request)
{
    buf_init(&text->buf, request->out.cap);
    jsonw_init(&text->json, &text->buf);
    return &text->json;
}

struct slice json_text_take(struct json_text *text, struct arena *arena)
{
    struct slice copy = text->buf.status == OK
                            ? arena_copy(arena, buf_slice(&text->buf))
                            : (struct slice){NULL, 0};

    buf_release(&text->buf);
    return copy;
}

/* ---- links ---- */

#define VARIABLE(name, field) \
    "&var-" name "=${__data.fields." field ":percentencode}"
#define COMPONENT(prefix)                                                      \
    "/d/callboard-component?" LINK_FROM_DASHBOARD VARIABLE(                    \
        "namespace", prefix "namespace") VARIABLE("project", prefix "project") \
        VARIABLE("environment", prefix "environment")                          \
            VARIABLE("component", prefix "component")

void link_row_component(struct grafana_field *field)
{
    field_link(field, "Component", SLICE(COMPONENT("")), false);
}

void link_node_component(struct grafana_field *field)
{
    field_link(field, "Component", SLICE(COMPONENT("detail__")), false);
}

void link_row_trace(struct grafana_field *field)
{
    field_link(field, "Trace",
               SLICE("/d/callboard-traces?" LINK_FROM_DASHBOARD
                     "&var-trace_id=${__value.raw}"),
               false);
}
