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
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "sort.h"
#include "span_rows.h"

enum { SMALL_TRACE = 24 };

/* What is being written. */
struct spans_out {
    struct block_out *out;
    struct block_rows *coded;
    const struct span_row *rows; /* in order */
    const uint32_t *order;       /* of rows, as they came */
    uint32_t count;
    struct numbers trace_count, trace_start, trace_length, trace_root;
    uint64_t *parents, *starts;
    char *trace_ids, *parent_ids;
    uint32_t parent_id_count;
    struct summary_out summary;
    struct block_meta *meta;
    uint32_t *by_id, by_id_mask; /* rows + 1 of a large trace, by span id */
};

/* ---- order ---- */

static uint64_t high_half(const uint8_t *id)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | id[i];
    return v;
}

/* Sorts by one half of the trace id, or by start. */
static struct sort_row *sort_by(const struct block_rows *rows,
                                struct sort_row *order, struct sort_row *spare,
                                int half)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct span_row *row = span_row_at(rows, order[i].row);

        order[i].key =
            half < 0 ? row->start_ns : high_half(row->trace_id + 8 * half);
    }
    return sort_rows(order, spare, rows->count);
}

/* True if ids of one high half differ in the low one. */
static bool low_halves_differ(const struct block_rows *rows,
                              const struct sort_row *order)
{
    for (uint32_t i = 1; i < rows->count; i++)
        if (order[i].key == order[i - 1].key &&
            memcmp(span_row_at(rows, order[i].row)->trace_id,
                   span_row_at(rows, order[i - 1].row)->trace_id, 16) != 0)
            return true;
    return false;
}

static void sort_spans(struct spans_out *spans, struct scratch *scratch)
{
    const struct block_rows *rows = spans->coded;
    size_t size = rows->count * sizeof(struct sort_row);
    struct span_row *sorted =
        scratch_alloc(scratch, rows->count * sizeof(*sorted));
    uint32_t *numbers = scratch_alloc(scratch, rows->count * sizeof(*numbers));
    struct scratch_mark mark = scratch_mark(scratch);
    struct sort_row *a = scratch_alloc(scratch, size), *order = a;
    struct sort_row *b = scratch_alloc(scratch, size);

    for (uint32_t i = 0; i < rows->count; i++)
        order[i].row = i;
    order = sort_by(rows, order, b, -1);
    order = sort_by(rows, order, order == a ? b : a, 0);
    if (low_halves_differ(rows, order)) {
        order = sort_by(rows, order, order == a ? b : a, -1);
        order = sort_by(rows, order, order == a ? b : a, 1);
        order = sort_by(rows, order, order == a ? b : a, 0);
    }
    for (uint32_t i = 0; i < rows->count; i++) {
        numbers[i] = order[i].row;
        sorted[i] = *span_row_at(rows, order[i].row);
    }
    scratch_rewind(scratch, mark);
    spans->rows = sorted;
    spans->order = numbers;
}

/* ---- parents ---- */

static uint64_t id_hash(const uint8_t *id)
{
    return hash_mix(high_half(id), 1);
}

/* Puts the rows of a large trace into a table by span id, the first of equal
 * ones in front. */
static void index_trace(struct spans_out *spans, const struct span_row *at,
                        uint32_t count)
{
    uint32_t slots = 64;

    while (slots < 2 * count)
        slots *= 2;
    spans->by_id = scratch_zero(&spans->out->scratch, slots, sizeof(uint32_t));
    spans->by_id_mask = slots - 1;
    for (uint32_t place = 0; place < count; place++) {
        uint32_t i = (uint32_t)id_hash(at[place].span_id) & spans->by_id_mask;

        while (spans->by_id[i])
            i = (i + 1) & spans->by_id_mask;
        spans->by_id[i] = place + 1;
    }
}

/* The place in the trace of the span with this id; count if it is not here. */
static uint32_t find_span(const struct spans_out *spans,
                          const struct span_row *at, uint32_t count,
                          const uint8_t *id)
{
    if (count <= SMALL_TRACE) {
        uint32_t place = 0;

        while (place < count && memcmp(at[place].span_id, id, 8) != 0)
            place++;
        return place;
    }
    for (uint32_t i = (uint32_t)id_hash(id) & spans->by_id_mask;
         spans->by_id[i]; i = (i + 1) & spans->by_id_mask)
        if (memcmp(at[spans->by_id[i] - 1].span_id, id, 8) == 0)
            return spans->by_id[i] - 1;
    return count;
}

static uint64_t parent_code(struct spans_out *spans, const struct span_row *at,
                            uint32_t count, const uint8_t *id)
{
    uint32_t place;

    if (id_is_zero(id, 8))
        return 0;
    place = find_span(spans, at, count, id);
    if (place < count)
        return 2 + (uint64_t)place;
    memcpy(spans->parent_ids + (size_t)spans->parent_id_count++ * 8, id, 8);
    return 1;
}

/* ---- traces ---- */

static void note_times(struct block_meta *meta, uint64_t start, uint64_t end)
{
    meta->min_ns = start < meta->min_ns ? start : meta->min_ns;
    meta->max_ns = start > meta->max_ns ? start : meta->max_ns;
    meta->max_end_ns = end > meta->max_end_ns ? end : meta->max_end_ns;
    if (end - start > meta->max_duration_ns)
        meta->max_duration_ns = end - start;
}

/* One trace: what it has as a whole, and how its spans hang together. */
static void add_trace(struct spans_out *spans, uint32_t first, uint32_t count)
{
    const struct span_row *at = spans->rows + first;
    struct scratch *scratch = &spans->out->scratch;
    uint64_t start = at->start_ns, end = 0, last = start, root = 0;

    if (count > SMALL_TRACE)
        index_trace(spans, at, count);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t parent = parent_code(spans, at, count, at[i].parent_id);
        uint64_t ends = at[i].start_ns + at[i].duration;

        spans->parents[first + i] = parent;
        spans->starts[first + i] = at[i].start_ns - last;
        last = at[i].start_ns;
        end = ends > end ? ends : end;
        if (parent == 0 && root == 0)
            root = i + 1;
        if (at[i].status == SPAN_ERROR)
            spans->meta->levels = 1U << SPAN_ERROR;
        note_times(spans->meta, at[i].start_ns, ends);
    }
    memcpy(spans->trace_ids + (size_t)spans->trace_count.count * 16,
           at->trace_id, 16);
    numbers_add(scratch, &spans->trace_count, count);
    numbers_add(scratch, &spans->trace_start, start);
    numbers_add(scratch, &spans->trace_length, end - start);
    numbers_add(scratch, &spans->trace_root, root);
    summary_add_trace(&spans->summary, at->trace_id);
}

static void add_traces(struct spans_out *spans)
{
    const struct span_row *at = spans->rows;
    uint32_t first = 0;

    *spans->meta =
        (struct block_meta){.count = spans->count, .min_ns = UINT64_MAX};
    for (uint32_t row = 1; row < spans->count; row++)
        if (memcmp(at[row].trace_id, at[first].trace_id, 16) != 0) {
            add_trace(spans, first, row - first);
            first = row;
        }
    if (spans->count > 0)
        add_trace(spans, first, spans->count - first);
    else
        spans->meta->min_ns = 0;
}

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
    struct block_rows *coded = spans->coded;
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
    put_field(spans, COL_FIXED_TIME, FIELD(fixed), INTS_PLAIN);
    attrs_out_finish(&coded->attrs, spans->out, COL_ATTRS, spans->order);
    attrs_out_finish(&coded->event_attrs, spans->out, COL_EVENT_ATTRS, events);
    attrs_out_finish(&coded->link_attrs, spans->out, COL_LINK_ATTRS, links);
}

static void init(struct spans_out *spans, struct block_rows *rows,
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
                              struct block_rows *rows, struct buf *block,
                              struct buf *summary, struct block_meta *meta,
                              const uint32_t **order)
{
    struct spans_out spans;
    enum status status;

    block_out_reset(&writer->out);
    init(&spans, rows, &writer->out, meta);
    sort_spans(&spans, &writer->out.scratch);
    add_traces(&spans);
    order_origin(&spans);
    origin_count(&rows->origin, NULL);
    origin_summary(&rows->origin, BLOCK_SPANS, &spans.summary, summary);
    put_columns(&spans);
    *order = spans.order;
    status = block_out_finish(&writer->out, BLOCK_SPANS, spans.count, block);
    return status != OK ? status : summary->status;
}

enum status block_write_rows(struct block_writer *writer,
                             struct block_rows *rows, struct buf *block,
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
        block_rows_reset(writer->rows);
    else
        writer->rows = block_rows_new();
    for (uint32_t i = 0; i < count; i++)
        block_rows_add(writer->rows, spans[i]);
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
    block_rows_free(writer->rows);
    block_out_release(&writer->out);
    free(writer);
}
