/*
 * A row is filled in a local struct, compared word by word with the first one
 * (a member that never differs becomes a constant column) and then copied.
 */
#include "span_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum { VALUE_KEEP = 64 * 1024 };

static void init(struct span_rows *rows)
{
    struct scratch *scratch = &rows->scratch;
    struct dict *dicts[] = {&rows->name, &rows->operation, &rows->endpoint,
                            &rows->status_message, &rows->trace_state};
    struct text_column *texts[] = {&rows->event_name, &rows->link_trace_id,
                                   &rows->link_span_id, &rows->link_state};

    for (size_t i = 0; i < sizeof(dicts) / sizeof(*dicts); i++)
        dict_init(dicts[i], scratch);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        text_column_init(texts[i], scratch, 0);
    rows->event_time = rows->link_flags = (struct numbers){0};
    attrs_writer_init(&rows->attrs, scratch, &rows->value);
    attrs_writer_init(&rows->event_attrs, scratch, &rows->value);
    attrs_writer_init(&rows->link_attrs, scratch, &rows->value);
    owner_writer_init(&rows->owners, scratch, &rows->value, 0);
    memset(rows->differing, 0, sizeof(rows->differing));
    rows->count = 0;
}

struct span_rows *span_rows_new(void)
{
    struct span_rows *rows = mem_zero(1, sizeof(*rows));

    scratch_init(&rows->scratch);
    buf_init(&rows->value, SIZE_MAX);
    init(rows);
    return rows;
}

void span_rows_free(struct span_rows *rows)
{
    if (!rows)
        return;
    scratch_release(&rows->scratch);
    buf_release(&rows->value);
    free(rows);
}

void span_rows_reset(struct span_rows *rows)
{
    scratch_reset(&rows->scratch);
    if (rows->value.room > VALUE_KEEP)
        buf_release(&rows->value);
    buf_reset(&rows->value);
    init(rows);
}

uint32_t span_rows_count(const struct span_rows *rows)
{
    return rows->count;
}

static void add_events(struct span_rows *rows, const struct span *span)
{
    for (uint32_t i = 0; i < span->event_count; i++) {
        const struct span_event *event = &span->events[i];

        numbers_add(&rows->scratch, &rows->event_time,
                    zigzag((int64_t)(event->time_ns - span->start_ns)));
        text_column_add(&rows->event_name, event->name);
        attrs_writer_add(&rows->event_attrs, &event->attrs);
    }
}

static void add_links(struct span_rows *rows, const struct span *span)
{
    for (uint32_t i = 0; i < span->link_count; i++) {
        const struct span_link *link = &span->links[i];

        text_column_add(&rows->link_trace_id,
                        (struct slice){(const char *)link->trace_id, 16});
        text_column_add(&rows->link_span_id,
                        (struct slice){(const char *)link->span_id, 8});
        text_column_add(&rows->link_state, link->trace_state);
        numbers_add(&rows->scratch, &rows->link_flags, link->flags);
        attrs_writer_add(&rows->link_attrs, &link->attrs);
    }
}

static void append_row(struct span_rows *rows, const struct span_row *row)
{
    struct span_row **run = &rows->chunks[rows->count / SPAN_CHUNK];
    uint64_t words[SPAN_ROW_WORDS], first[SPAN_ROW_WORDS];

    assert(rows->count < BLOCK_MAX_ROWS);
    if (rows->count % SPAN_CHUNK == 0)
        *run = scratch_alloc(&rows->scratch, SPAN_CHUNK * sizeof(**run));
    (*run)[rows->count % SPAN_CHUNK] = *row;
    memcpy(words, row, sizeof(words));
    memcpy(first, rows->chunks[0], sizeof(first));
    for (size_t i = 0; i < SPAN_ROW_WORDS; i++)
        rows->differing[i] |= words[i] ^ first[i];
    rows->count++;
}

void span_rows_add(struct span_rows *rows, const struct span *span)
{
    struct span_row row = {
        .start_ns = span->start_ns,
        .duration = span->end_ns - span->start_ns,
        .name = dict_add(&rows->name, span->name),
        .operation = dict_add(&rows->operation, span->operation),
        .endpoint = dict_add(&rows->endpoint, span->endpoint),
        .status_message = dict_add(&rows->status_message, span->status_message),
        .trace_state = dict_add(&rows->trace_state, span->trace_state),
        .resource = owner_resource_code(&rows->owners, span->resource_id),
        .scope = owner_scope_code(&rows->owners, span->scope),
        .flags = span->flags,
        .dropped_events = span->dropped_events,
        .dropped_links = span->dropped_links,
        .event_count = span->event_count,
        .link_count = span->link_count,
        .event_first = rows->event_time.count,
        .link_first = rows->link_flags.count,
        .kind = span->kind,
        .status = span->status,
        .marks = (uint8_t)(span->corrected | (span->failed ? MARK_FAILED : 0)),
    };

    memcpy(row.trace_id, span->trace_id, 16);
    memcpy(row.span_id, span->span_id, 8);
    memcpy(row.parent_id, span->parent_span_id, 8);
    attrs_writer_add(&rows->attrs, &span->attrs);
    add_events(rows, span);
    add_links(rows, span);
    append_row(rows, &row);
}
