/*
 * A block of spans. Rows are sorted by trace id, then start, so the spans of a
 * trace are neighbours:
 *
 *   per trace   id, number of rows, start of its first row, length (latest end
 *               less that start), root (1 + place in the trace; 0: none)
 *   per span    id (8 bytes, random: the largest column), parent, start less
 *               that of the row before in its trace, duration, texts, ...
 *
 * A parent is 0 for none, 1 for a span that is not in the block (its id is then
 * the next in COL_PARENT_ID), else 2 + its place in the trace.
 *
 * Events and links are tables of their own, in order of rows; a span has their
 * counts. An event's time is relative to its span's start. Resource, scope,
 * name and other texts are dictionary columns (column_write.c), attributes as
 * in attrs_block_write.c.
 *
 * Rows arrive encoded (span_rows.c) in any order. They are copied in order
 * once; then each column that is not constant is one pass over them.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "span_rows.h"

/* ---- columns of the rows ---- */

/* A member of struct span_row. */
struct row_field {
    size_t offset, size;
};

#define ROW_FIELD(name)                                  \
    ((struct row_field){offsetof(struct span_row, name), \
                        sizeof(((struct span_row *)0)->name)})

static uint64_t row_field_get(const void *row, struct row_field field)
{
    const char *at = (const char *)row + field.offset;
    uint64_t v = 0;
    uint32_t v4;

    if (field.size == 4) {
        memcpy(&v4, at, 4);
        return v4;
    }
    if (field.size == 1)
        return (uint8_t)*at;
    memcpy(&v, at, 8);
    return v;
}

static bool row_field_differs(const struct span_block_writer *spans,
                              struct row_field field)
{
    return row_field_get(spans->coded->differing, field) != 0;
}

static uint64_t *row_field_values(const struct span_block_writer *spans,
                                  struct row_field field)
{
    const char *at = (const char *)spans->rows + field.offset;
    uint64_t *v =
        scratch_alloc(&spans->out->scratch, spans->count * sizeof(*v));

    if (field.size == 4)
        for (uint32_t i = 0; i < spans->count; i++, at += sizeof(*spans->rows))
            v[i] = *(const uint32_t *)(const void *)at;
    else
        for (uint32_t i = 0; i < spans->count; i++)
            v[i] = row_field_get(&spans->rows[i], field);
    return v;
}

static void put_field(struct span_block_writer *spans, uint32_t id,
                      struct row_field field, enum ints_hint hint)
{
    struct scratch_mark mark = scratch_mark(&spans->out->scratch);

    if (row_field_differs(spans, field))
        block_builder_ints(spans->out, id, row_field_values(spans, field),
                           spans->count, hint);
    else
        block_builder_same(spans->out, id,
                           spans->count ? row_field_get(spans->rows, field) : 0,
                           spans->count);
    scratch_rewind(&spans->out->scratch, mark);
}

static void put_texts(struct span_block_writer *spans, uint32_t id,
                      struct row_field field, const struct dict *dict)
{
    struct scratch_mark mark = scratch_mark(&spans->out->scratch);
    /* If all codes are the same, it is 0. */
    uint64_t *codes =
        row_field_differs(spans, field) ? row_field_values(spans, field) : NULL;

    block_builder_dict(spans->out, id, dict, codes, spans->count);
    scratch_rewind(&spans->out->scratch, mark);
}

static void put_list(struct span_block_writer *spans, uint32_t id,
                     const struct numbers *list, enum ints_hint hint)
{
    block_builder_ints(spans->out, id, list->at, list->count, hint);
}

static void put_span_ids(struct span_block_writer *spans)
{
    struct scratch_mark mark = scratch_mark(&spans->out->scratch);
    char *ids = scratch_alloc(&spans->out->scratch, (size_t)spans->count * 8);

    for (uint32_t i = 0; i < spans->count; i++)
        memcpy(ids + (size_t)i * 8, spans->rows[i].span_id, 8);
    block_builder_blob(spans->out, COL_SPAN_ID,
                       (struct slice){ids, (size_t)spans->count * 8});
    scratch_rewind(&spans->out->scratch, mark);
}

/* ---- events and links ---- */

/* The rows of a table of events or links in the order of the spans. */
static uint32_t *order_of(const struct span_block_writer *spans,
                          struct row_field first, struct row_field count,
                          uint32_t total)
{
    uint32_t *order =
        scratch_alloc(&spans->out->scratch, total * sizeof(*order));
    uint32_t at = 0;

    for (uint32_t i = 0; i < spans->count && total > 0; i++) {
        uint64_t from = row_field_get(&spans->rows[i], first);
        uint64_t n = row_field_get(&spans->rows[i], count);

        for (uint64_t k = 0; k < n; k++)
            order[at++] = (uint32_t)(from + k);
    }
    return order;
}

static uint64_t *in_order(const struct span_block_writer *spans,
                          const struct numbers *numbers, const uint32_t *order)
{
    uint64_t *v =
        scratch_alloc(&spans->out->scratch, numbers->count * sizeof(*v));

    for (uint32_t i = 0; i < numbers->count; i++)
        v[i] = numbers->at[order[i]];
    return v;
}

static void put_table_texts(struct span_block_writer *spans, uint32_t id,
                            const struct text_column *texts,
                            const uint32_t *order)
{
    block_builder_dict(spans->out, id, &texts->dict,
                       in_order(spans, &texts->codes, order),
                       texts->codes.count);
}

static void put_table_numbers(struct span_block_writer *spans, uint32_t id,
                              const struct numbers *numbers,
                              const uint32_t *order, enum ints_hint hint)
{
    block_builder_ints(spans->out, id, in_order(spans, numbers, order),
                       numbers->count, hint);
}

/* ---- all columns, in order of their ids ---- */

static void put_traces(struct span_block_writer *spans)
{
    struct block_builder *out = spans->out;
    size_t traces = spans->trace_count.count;

    block_builder_blob(out, COL_TRACE_ID,
                       (struct slice){spans->trace_ids, traces * 16});
    put_list(spans, COL_TRACE_COUNT, &spans->trace_count, INTS_PLAIN);
    put_list(spans, COL_TRACE_START, &spans->trace_start, INTS_AUTO);
    put_list(spans, COL_TRACE_LENGTH, &spans->trace_length, INTS_AUTO);
    put_list(spans, COL_TRACE_ROOT, &spans->trace_root, INTS_PLAIN);
    put_span_ids(spans);
    block_builder_ints(out, COL_PARENT, spans->parents, spans->count,
                       INTS_PLAIN);
    block_builder_blob(
        out, COL_PARENT_ID,
        (struct slice){spans->parent_ids, (size_t)spans->parent_id_count * 8});
    block_builder_ints(out, COL_START, spans->starts, spans->count, INTS_AUTO);
}

static void put_columns(struct span_block_writer *spans)
{
    struct span_rows *coded = spans->coded;
    const uint32_t *events =
        order_of(spans, ROW_FIELD(event_first), ROW_FIELD(event_count),
                 coded->event_time.count);
    const uint32_t *links =
        order_of(spans, ROW_FIELD(link_first), ROW_FIELD(link_count),
                 coded->link_flags.count);

    put_traces(spans);
    put_field(spans, COL_DURATION, ROW_FIELD(duration), INTS_AUTO);
    put_texts(spans, COL_NAME, ROW_FIELD(name), &coded->name);
    put_texts(spans, COL_OPERATION, ROW_FIELD(operation), &coded->operation);
    put_texts(spans, COL_ENDPOINT, ROW_FIELD(endpoint), &coded->endpoint);
    put_field(spans, COL_KIND, ROW_FIELD(kind), INTS_PLAIN);
    put_field(spans, COL_STATUS, ROW_FIELD(status), INTS_PLAIN);
    put_texts(spans, COL_STATUS_MESSAGE, ROW_FIELD(status_message),
              &coded->status_message);
    put_texts(spans, COL_TRACE_STATE, ROW_FIELD(trace_state),
              &coded->trace_state);
    put_field(spans, COL_DROPPED_EVENTS, ROW_FIELD(dropped_events), INTS_PLAIN);
    put_field(spans, COL_DROPPED_LINKS, ROW_FIELD(dropped_links), INTS_PLAIN);
    put_field(spans, COL_EVENT_COUNT, ROW_FIELD(event_count), INTS_PLAIN);
    put_table_numbers(spans, COL_EVENT_TIME, &coded->event_time, events,
                      INTS_AUTO);
    put_table_texts(spans, COL_EVENT_NAME, &coded->event_name, events);
    put_field(spans, COL_LINK_COUNT, ROW_FIELD(link_count), INTS_PLAIN);
    put_table_texts(spans, COL_LINK_TRACE_ID, &coded->link_trace_id, links);
    put_table_texts(spans, COL_LINK_SPAN_ID, &coded->link_span_id, links);
    put_table_texts(spans, COL_LINK_TRACE_STATE, &coded->link_state, links);
    put_table_numbers(spans, COL_LINK_FLAGS, &coded->link_flags, links,
                      INTS_PLAIN);
    owner_writer_put(&coded->owners, spans->out);
    put_field(spans, COL_FLAGS, ROW_FIELD(flags), INTS_PLAIN);
    put_field(spans, COL_CORRECTED, ROW_FIELD(marks), INTS_PLAIN);
    attrs_writer_finish(&coded->attrs, spans->out, COL_ATTRS, spans->order);
    attrs_writer_finish(&coded->event_attrs, spans->out, COL_EVENT_ATTRS,
                        events);
    attrs_writer_finish(&coded->link_attrs, spans->out, COL_LINK_ATTRS, links);
}

static void init(struct span_block_writer *spans, struct span_rows *rows,
                 struct block_builder *out, struct block_meta *meta)
{
    struct scratch *scratch = &out->scratch;
    uint32_t count = rows->count;

    *spans = (struct span_block_writer){
        .out = out, .coded = rows, .count = count, .meta = meta};
    spans->parents = scratch_alloc(scratch, count * sizeof(uint64_t));
    spans->starts = scratch_alloc(scratch, count * sizeof(uint64_t));
    spans->trace_ids = scratch_alloc(scratch, (size_t)count * 16);
    spans->parent_ids = scratch_alloc(scratch, (size_t)count * 8);
    summary_init(&spans->summary, scratch, false);
}

/* Replaces the codes of resources and scopes by ordered ones. */
static void order_owners(struct span_block_writer *spans)
{
    struct owner_writer *owners = &spans->coded->owners;

    owners->resources =
        (struct numbers){row_field_values(spans, ROW_FIELD(resource)),
                         spans->count, spans->count};
    owners->scopes.codes = (struct numbers){
        row_field_values(spans, ROW_FIELD(scope)), spans->count, spans->count};
}

/* *order: of the rows, valid until the writer's next block. */
static enum status write_rows(struct block_writer *writer,
                              struct span_rows *rows, struct buf *block,
                              struct buf *summary, struct block_meta *meta,
                              const uint32_t **order)
{
    struct span_block_writer spans;
    enum status status;

    block_builder_reset(&writer->out);
    init(&spans, rows, &writer->out, meta);
    spans_sort(&spans);
    spans_add_traces(&spans);
    order_owners(&spans);
    owner_writer_count(&rows->owners, NULL);
    owner_writer_summary(&rows->owners, BLOCK_SPANS, &spans.summary, summary);
    put_columns(&spans);
    *order = spans.order;
    status =
        block_builder_finish(&writer->out, BLOCK_SPANS, spans.count, block);
    return status != OK ? status : summary->status;
}

enum status block_write_span_rows(struct block_writer *writer,
                                  struct span_rows *rows, struct buf *block,
                                  struct buf *summary, struct block_meta *meta)
{
    const uint32_t *order;

    return write_rows(writer, rows, block, summary, meta, &order);
}

enum status block_write_spans(struct block_writer *writer,
                              const struct span **spans, uint32_t count,
                              struct buf *block, struct buf *summary,
                              struct block_meta *meta)
{
    struct scratch *scratch = &writer->out.scratch;
    const struct span **sorted;
    const uint32_t *order;
    enum status status;

    if (writer->rows)
        span_rows_reset(writer->rows);
    else
        writer->rows = span_rows_new();
    for (uint32_t i = 0; i < count; i++)
        span_rows_add(writer->rows, spans[i]);
    status = write_rows(writer, writer->rows, block, summary, meta, &order);
    sorted = scratch_alloc(scratch, count * sizeof(const struct span *));
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = spans[order[i]];
    if (count > 0)
        memcpy(spans, sorted, count * sizeof(const struct span *));
    return status;
}

struct block_writer *block_writer_new(void)
{
    struct block_writer *writer = mem_zero(1, sizeof(*writer));

    block_builder_init(&writer->out);
    return writer;
}

void block_writer_free(struct block_writer *writer)
{
    if (!writer)
        return;
    span_rows_free(writer->rows);
    block_builder_release(&writer->out);
    free(writer);
}
