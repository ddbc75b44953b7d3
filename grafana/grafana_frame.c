/*
 * Frames: fields as arrays of cells in the arena. In: rows and cells; out:
 * arrays that grafana_frame_write.c writes.
 */
#include "grafana_frame.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static const size_t cell_size[] = {[FIELD_TIME] = sizeof(uint64_t),
                                   [FIELD_NUMBER] = sizeof(double),
                                   [FIELD_STRING] = sizeof(struct slice),
                                   [FIELD_BOOL] = sizeof(uint8_t),
                                   [FIELD_OTHER] = sizeof(struct slice)};

void frames_init(struct frames *frames, struct arena *arena)
{
    *frames = (struct frames){.arena = arena, .last = &frames->first};
}

struct grafana_frame *frames_add(struct frames *frames, struct slice ref_id,
                                 struct slice name)
{
    struct grafana_frame *frame = arena_zero(frames->arena, 1, sizeof(*frame));

    if (!frame)
        return NULL;
    *frame = (struct grafana_frame){
        .ref_id = ref_id, .name = name, .frames = frames};
    *frames->last = frame;
    frames->last = &frame->next;
    return frame;
}

const char *grafana_cstr(struct arena *arena, struct slice text)
{
    char *copy = arena_alloc(arena, text.len + 1);

    if (copy) {
        slice_copy(copy, text);
        copy[text.len] = '\0';
    }
    return copy;
}

static void add_notice(struct grafana_frame *frame,
                       enum notice_severity severity, struct slice text)
{
    struct frame_notice *notice =
        arena_zero(frame->frames->arena, 1, sizeof(*notice));
    struct frame_notice **at = &frame->notices;

    while (*at)
        at = &(*at)->next;
    if (!notice)
        return;
    *notice = (struct frame_notice){severity, text, NULL};
    *at = notice;
}

void frame_notice(struct grafana_frame *frame, enum notice_severity severity,
                  const char *format, ...)
{
    char text[1024];
    va_list args;
    int len;

    if (!frame)
        return;
    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    add_notice(frame, severity,
               arena_copy(frame->frames->arena,
                          slice_truncate((struct slice){text, (size_t)len},
                                         sizeof(text) - 1)));
}

struct grafana_field *frame_field(struct grafana_frame *frame, const char *name,
                                  enum field_type type)
{
    struct grafana_field *field, **at;

    if (!frame || !name)
        return NULL;
    field = arena_zero(frame->frames->arena, 1, sizeof(*field));
    if (!field)
        return NULL;
    *field = (struct grafana_field){.name = name, .type = type, .frame = frame};
    for (at = &frame->fields; *at; at = &(*at)->next)
        ;
    *at = field;
    return field;
}

void field_label(struct grafana_field *field, const char *key,
                 struct slice value)
{
    struct field_label **at, *label;

    if (!field)
        return;
    label = arena_zero(field->frame->frames->arena, 1, sizeof(*label));
    for (at = &field->labels; *at; at = &(*at)->next)
        ;
    if (label) {
        *label = (struct field_label){key, value, NULL};
        *at = label;
    }
}

void field_link(struct grafana_field *field, const char *title,
                struct slice url, bool new_tab)
{
    struct field_link **at, *link;

    if (!field)
        return;
    link = arena_zero(field->frame->frames->arena, 1, sizeof(*link));
    for (at = &field->links; *at; at = &(*at)->next)
        ;
    if (link) {
        *link = (struct field_link){title, url, new_tab, NULL};
        *at = link;
    }
}

/* ---- cells ---- */

/* Cells up to `rows`, the new ones null. False: the arena is full. */
static bool make_room(struct grafana_field *field, uint32_t rows)
{
    size_t size = cell_size[field->type];
    uint32_t room = field->room ? 2 * field->room : 16;
    char *cells;

    if (rows <= field->room)
        return true;
    if (room < rows || field->room > UINT32_MAX / 2)
        room = rows;
    cells = arena_zero(field->frame->frames->arena, room, size);
    if (!cells)
        return false;
    if (field->room > 0)
        memcpy(cells, field->cells, field->room * size);
    if (field->type == FIELD_NUMBER)
        for (uint32_t i = field->room; i < room; i++)
            ((uint64_t *)(void *)cells)[i] = FIELD_NULL_BITS;
    field->cells = cells;
    field->room = room;
    return true;
}

void frame_rows(struct grafana_frame *frame, uint32_t count)
{
    if (frame)
        frame->rows += count;
}

/* The cell of a row, NULL if there is none. Fields may be added after rows. */
static void *cell_at(struct grafana_field *field, uint32_t row)
{
    if (!field || row >= field->frame->rows ||
        !make_room(field, field->frame->rows))
        return NULL;
    return (char *)field->cells + row * cell_size[field->type];
}

static uint32_t last_row(const struct grafana_field *field)
{
    return field ? field->frame->rows - 1 : 0;
}

void field_time_at(struct grafana_field *field, uint32_t row, uint64_t ns)
{
    uint64_t *cell = cell_at(field, row);

    if (cell)
        *cell = ns;
}

void field_exact_at(struct grafana_field *field, uint32_t row, double value)
{
    double *cell = cell_at(field, row);

    if (cell)
        *cell = isnan(value) ? NAN : value;
}

void field_number_at(struct grafana_field *field, uint32_t row, double value)
{
    if (!isnan(value))
        field_exact_at(field, row, value);
}

void field_text_at(struct grafana_field *field, uint32_t row, struct slice text)
{
    struct slice *cell = cell_at(field, row);

    if (cell)
        *cell = (struct slice){text.ptr ? text.ptr : "", text.len};
}

void field_time(struct grafana_field *field, uint64_t ns)
{
    field_time_at(field, last_row(field), ns);
}

void field_number(struct grafana_field *field, double value)
{
    field_number_at(field, last_row(field), value);
}

void field_text(struct grafana_field *field, struct slice text)
{
    field_text_at(field, last_row(field), text);
}

void field_json(struct grafana_field *field, struct slice json)
{
    if (json.len > 0)
        field_text_at(field, last_row(field), json);
}

void field_bool(struct grafana_field *field, bool value)
{
    uint8_t *cell = cell_at(field, last_row(field));

    if (cell)
        *cell = value ? BOOL_TRUE : BOOL_FALSE;
}
