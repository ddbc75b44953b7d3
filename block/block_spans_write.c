/*
 * A block of spans. Rows are sorted by trace id, then start, so that the spans
 * of a trace are neighbours:
 *
 *   per trace   id, number of rows, start of its first row, length (latest end
 *               less that start), root (1 + place in the trace; 0: none)
 *   per span    id (8 bytes, random: the largest column), parent, start less
 *               that of the row before in its trace, duration, texts, ...
 *
 * A parent is 0 for none, 1 for a span that is not in the block (its id then
 * follows in COL_PARENT_ID), else 2 + its place in the trace.
 *
 * Events and links are tables of their own, in order of rows; a span has the
 * number of its. An event's time is less its span's start. Resource, scope,
 * name and so on are dictionary columns (column_write.c), attributes as in
 * attrs_write.c.
 *
 * Rows come coded (span_rows.c) and in any order. They are copied in order
 * once; then each column that is not the same everywhere is one walk over them.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "span_rows.h"

/* ---- columns of the rows ---- */

/* A member of struct span_row. */
struct field {
    size_t offset, size;
};

#define FIELD(name)                                  \
    ((struct field){offsetof(struct span_row, name), \
                    sizeof(((struct span_row *)0)->name)})

static uint64_t field_get(const void *row, struct field field)
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

static bool field_differs(const struct spans_out *spans, struct field field)
{
    return field_get(spans->coded->differ, field) != 0;
}

static uint64_t *field_values(const struct spans_out *spans, struct field field)
{
    const char *at = (const char *)spans->rows + field.offset;
    uint64_t *v =
        scratch_alloc(&spans->out->scratch, spans->count * sizeof(*v));

    if (field.size == 4)
        for (uint32_t i = 0; i < spans->count; i++, at += sizeof(*spans->rows))
            v[i] = *(const uint32_t *)(const void *)at;
    else
        for (uint32_t i = 0; i < spans->count; i++)
            v[i] = field_get(&spans->rows[i], field);
    return v;
}

static void put_field(struct spans_out *spans, uint32_t id, struct field field,
                      enum ints_hint hint)
{
    struct scratch_mark mark = scratch_mark(&spans->out->scratch);

    if (field_differs(spans, field))
        block_out_ints(spans->out, id, field_values(spans, field), spans->count,
                       hint);
    else
        block_out_same(spans->out, id,
                       spans->count ? field_get(spans->rows, field) : 0,
                       spans->count);
    scratch_rewind(&spans->out->scratch, mark);
}

static void put_texts(struct spans_out *spans, uint32_t id, struct field field,
                      const struct dict *dict)
{
    struct scratch_mark mark = scratch_mark(&spans->out->scratch);
    /* Codes that are all the same are that of the first. */
    uint64_t *codes =
        field_differs(spans, field) ? field_values(spans, field) : NULL;

    block_out_dict(spans->out, id, dict, codes, spans->count);
    scratch_rewind(&spans->out->scratch, mark);
}

static void put_list(struct spans_out *spans, uint32_t id,
                     const struct numbers *list, enum ints_hint hint)
{
    block_out_ints(spans->out, id, list->at, list->count, hint);
}

static void put_span_ids(struct spans_out *spans)
{
    struct scratch_mark mark = scratch_mark(&spans->out->scratch);
    char *ids = scratch_alloc(&spans->out->scratch, (size_t)spans->count * 8);

    for (uint32_t i = 0; i < spans->count; i++)
        memcpy(ids + (size_t)i * 8, spans->rows[i].span_id, 8);
    block_out_blob(spans->out, COL_SPAN_ID,
                   (struct slice){ids, (size_t)spans->count * 8});
    scratch_rewind(&spans->out->scratch, mark);
}

/* ---- events and links ---- */

/* The numbers of the rows of a table beside the spans, in order of these. */
static uint32_t *order_of(const struct spans_out *spans, struct field first,
                          struct field count, uint32_t total)
{
    uint32_t *order =
        scratch_alloc(&spans->out->scratch, total * sizeof(*order));
    uint32_t at = 0;

    for (uint32_t i = 0; i < spans->count && total > 0; i++) {
        uint64_t from = field_get(&spans->rows[i], first);
        uint64_t n = field_get(&spans->rows[i], count);

        for (uint64_t k = 0; k < n; k++)
            order[at++] = (uint32_t)(from + k);
    }
    return order;
}

static uint64_t *in_order(const struct spans_out *spans,
                          const struct numbers *numbers, const uint32_t *order)
{
    uint64_t *v =
        scratch_alloc(&spans->out->scratch, numbers->count * sizeof(*v));

    for (uint32_t i = 0; i < numbers->count; i++)
        v[i] = numbers->at[order[i]];
    return v;
}

static void put_table_texts(struct spans_out *spans, uint32_t id,
                            const struct text_column *texts,
                            const uint32_t *order)
{
    block_out_dict(spans->out, id, &texts->dict,
                   in_order(spans, &texts->codes, order), texts->codes.count);
}

static void put_table_numbers(struct spans_out *spans, uint32_t id,
                              const struct numbers *numbers,
                              const uint32_t *order, enum ints_hint hint)
{
    block_out_ints(spans->out, id, in_order(spans, numbers, order),
                   numbers->count, hint);
}

/* ---- all columns, in order of their ids ---- */

static void put_traces(struct spans_out *spans)
{
    struct block_out *out = spans->out;
    size_t traces = spans->trace_count.count;

    block_out_blob(out, COL_TRACE_ID,
                   (struct slice){spans->trace_ids, traces * 16});
    put_list(spans, COL_TRACE_COUNT, &spans->trace_count, INTS_PLAIN);
    put_list(spans, COL_TRACE_START, &spans->trace_start, INTS_AUTO);
    put_list(spans, COL_TRACE_LENGTH, &spans->trace_length, INTS_AUTO);
    put_list(spans, COL_TRACE_ROOT, &spans->trace_root, INTS_PLAIN);
    put_span_ids(spans);
    block_out_ints(out, COL_PARENT, spans->parents, spans->count, INTS_PLAIN);
    block_out_blob(
        out, COL_PARENT_ID,
        (struct slice){spans->parent_ids, (size_t)spans->parent_id_count * 8});
    block_out_ints(out, COL_START, spans->starts, spans->count, INTS_AUTO);
}

static void put_columns(struct spans_out *spans)
{
    struct span_rows *coded = spans->coded;
    const uint32_t *events = order_of(
        spans, FIELD(event_first), FIELD(event_count), coded->event_time.count);
    const uint32_t *links = order_of(
        spans, FIELD(link_first), FIELD(link_count), coded->link_flags.count);

    put_traces(spans);
    put_field(spans, COL_DURATION, FIELD(duration), INTS_AUTO);
    put_texts(spans, COL_NAME, FIELD(name), &coded->name);
    put_texts(spans, COL_OPERATION, FIELD(operation), &coded->operation);
    put_texts(spans, COL_ENDPOINT, FIELD(endpoint), &coded->endpoint);
    put_field(spans, COL_KIND, FIELD(kind), INTS_PLAIN);
    put_field(spans, COL_STATUS, FIELD(status), INTS_PLAIN);
    put_texts(spans, COL_STATUS_MESSAGE, FIELD(status_message),
              &coded->status_message);
    put_texts(spans, COL_TRACE_STATE, FIELD(trace_state), &coded->trace_state);
    put_field(spans, COL_DROPPED_EVENTS, FIELD(dropped_events), INTS_PLAIN);
    put_field(spans, COL_DROPPED_LINKS, FIELD(dropped_links), INTS_PLAIN);
    put_field(spans, COL_EVENT_COUNT, FIELD(event_count), INTS_PLAIN);
    put_table_numbers(spans, COL_EVENT_TIME, &coded->event_time, events,
                      INTS_AUTO);
    put_table_texts(spans, COL_EVENT_NAME, &coded->event_name, events);
    put_field(spans, COL_LINK_COUNT, FIELD(link_count), INTS_PLAIN);
    put_table_texts(spans, COL_LINK_TRACE_ID, &coded->link_trace_id, links);
    put_table_texts(spans, COL_LINK_SPAN_ID, &coded->link_span_id, links);
    put_table_texts(spans, COL_LINK_TRACE_STATE, &coded->link_state, links);
    put_table_numbers(spans, COL_LINK_FLAGS, &coded->link_flags, links,
                      INTS_PLAIN);
    origin_put(&coded->origin, spans->out);
    put_field(spans, COL_FLAGS, FIELD(flags), INTS_PLAIN);
    put_field(spans, COL_CORRECTED, FIELD(marks), INTS_PLAIN);
    attrs_out_finish(&coded->attrs, spans->out, COL_ATTRS, spans->order);
    attrs_out_finish(&coded->event_attrs, spans->out, COL_EVENT_ATTRS, events);
    attrs_out_finish(&coded->link_attrs, spans->out, COL_LINK_ATTRS, links);
}

static void init(struct spans_out *spans, struct span_rows *rows,
                 struct block_out *out, struct block_meta *meta)
{
    struct scratch *scratch = &out->scratch;
    uint32_t count = rows->count;

    *spans = (struct spans_out){
        .out = out, .coded = rows, .count = count, .meta = meta};
    spans->parents = scratch_alloc(scratch, count * sizeof(uint64_t));
    spans->starts = scratch_alloc(scratch, count * sizeof(uint64_t));
    spans->trace_ids = scratch_alloc(scratch, (size_t)count * 16);
    spans->parent_ids = scratch_alloc(scratch, (size_t)count * 8);
    summary_init(&spans->summary, scratch, false);
}

/* The codes of resources and scopes, in order. */
static void order_origin(struct spans_out *spans)
{
    struct origin_out *origin = &spans->coded->origin;

    origin->resources = (struct numbers){field_values(spans, FIELD(resource)),
                                         spans->count, spans->count};
    origin->scopes.codes = (struct numbers){field_values(spans, FIELD(scope)),
                                            spans->count, spans->count};
}

/* *order: of the rows, until the writer's next block. */
static enum status write_rows(struct block_writer *writer,
                              struct span_rows *rows, struct buf *block,
                              struct buf *summary, struct block_meta *meta,
                              const uint32_t **order)
{
    struct spans_out spans;
    enum status status;

    block_out_reset(&writer->out);
    init(&spans, rows, &writer->out, meta);
    spans_sort(&spans);
    spans_add_traces(&spans);
    order_origin(&spans);
    origin_count(&rows->origin, NULL);
    origin_summary(&rows->origin, BLOCK_SPANS, &spans.summary, summary);
    put_columns(&spans);
    *order = spans.order;
    status = block_out_finish(&writer->out, BLOCK_SPANS, spans.count, block);
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

    block_out_init(&writer->out);
    return writer;
}

void block_writer_free(struct block_writer *writer)
{
    if (!writer)
        return;
    span_rows_free(writer->rows);
    block_out_release(&writer->out);
    free(writer);
}
