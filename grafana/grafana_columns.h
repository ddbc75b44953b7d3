/*
 * grafana_columns - frames whose fields are a table of columns.
 *
 * Purpose:   a family that shows records is a table, and a function that fills
 *            a row.
 * Ownership: all is in the request's arena.
 * Threads:   one request, one thread.
 * Errors:    a full arena is told by its status; fields are NULL then, which
 *            all functions take.
 */
#ifndef GRAFANA_COLUMNS_H
#define GRAFANA_COLUMNS_H

#include "grafana_family.h"

struct column {
    const char *name;
    enum field_type type;
    const char *unit;  /* NULL: none */
    const char *title; /* shown to people; NULL: the name */
    const char *color; /* NULL: of the theme */
    const char *about; /* a sentence; or NULL */
};

/* A frame of the target with these fields. */
struct grafana_frame *frame_columns(struct grafana_query *q, const char *name,
                                    const struct column *columns,
                                    uint32_t count,
                                    struct grafana_field **fields);
#define FRAME_COLUMNS(q, name, columns, fields)                           \
    frame_columns(q, name, columns, sizeof(columns) / sizeof(*(columns)), \
                  fields)

/* The table wants JSON: a text that is written with `json` and then taken. */
struct json_text {
    struct buf buf;
    struct jsonw json;
};
struct jsonw *json_text_begin(struct json_text *text,
                              struct query_request *request);
struct slice json_text_take(struct json_text *text, struct arena *arena);

/* ---- links of a row: to the dashboards by its own fields ---- */

/* By the fields namespace, project, environment, component. */
void link_row_component(struct grafana_field *field);
/* The same of a node graph, whose fields are detail__namespace ... */
void link_node_component(struct grafana_field *field);
/* The trace whose id is this field's value. */
void link_row_trace(struct grafana_field *field);

#endif
