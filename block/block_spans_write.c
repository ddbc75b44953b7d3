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
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "block_out.h"
#include "mem.h"
#include "sort.h"

enum { AHEAD = 8, SMALL_TRACE = 24 };

/* The columns with a number per row. */
static const uint8_t number_columns[] = {
    COL_PARENT,     COL_START,          COL_DURATION,      COL_KIND,
    COL_STATUS,     COL_DROPPED_EVENTS, COL_DROPPED_LINKS, COL_EVENT_COUNT,
    COL_LINK_COUNT, COL_FLAGS,          COL_FIXED_TIME};

struct spans_out {
    struct block_out *out;
    const struct span **spans;
    uint32_t count;
    struct numbers trace_count, trace_start, trace_length, trace_root;
    char *trace_ids, *span_ids, *parent_ids;
    uint32_t parent_id_count;
    uint64_t *rows[COL_FIXED]; /* numbers of each row, by column */
    struct text_column name, operation, endpoint, status_message, trace_state;
    struct text_column event_name, link_trace_id, link_span_id, link_state;
    struct numbers event_time, link_flags;
    struct attrs_out attrs, event_attrs, link_attrs;
    struct origin_out origin;
    struct summary_out summary;
    struct block_meta *meta;
    uint32_t *by_id, by_id_mask; /* rows + 1 of a large trace, by span id */
};

static void init(struct spans_out *spans, struct block_out *out,
                 const struct span **at, uint32_t count)
{
    struct scratch *scratch = &out->scratch;
    struct text_column *texts[] = {&spans->name, &spans->operation,
                                   &spans->endpoint, &spans->status_message,
                                   &spans->trace_state};

    *spans = (struct spans_out){.out = out, .spans = at, .count = count};
    for (size_t i = 0; i < sizeof(number_columns); i++)
        spans->rows[number_columns[i]] =
            scratch_alloc(scratch, count * sizeof(uint64_t));
    spans->trace_ids = scratch_alloc(scratch, (size_t)count * 16);
    spans->span_ids = scratch_alloc(scratch, (size_t)count * 8);
    spans->parent_ids = scratch_alloc(scratch, (size_t)count * 8);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        text_column_init(texts[i], scratch, count);
    text_column_init(&spans->event_name, scratch, 0);
    text_column_init(&spans->link_trace_id, scratch, 0);
    text_column_init(&spans->link_span_id, scratch, 0);
    text_column_init(&spans->link_state, scratch, 0);
    attrs_out_init(&spans->attrs, scratch, &out->value);
    attrs_out_init(&spans->event_attrs, scratch, &out->value);
    attrs_out_init(&spans->link_attrs, scratch, &out->value);
    origin_init(&spans->origin, out, count);
    summary_init(&spans->summary, scratch, false);
}

/* ---- order ---- */

static uint64_t high_half(const uint8_t *id)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | id[i];
    return v;
}

/* Sorts by one half of the trace id, or by start. */
static struct sort_row *sort_by(const struct span **spans,
                                struct sort_row *order, struct sort_row *spare,
                                uint32_t count, int half)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct span *span = spans[order[i].row];

        order[i].key =
            half < 0 ? span->start_ns : high_half(span->trace_id + 8 * half);
    }
    return sort_rows(order, spare, count);
}

/* True if ids of one high half differ in the low one. */
static bool low_halves_differ(const struct span **spans,
                              const struct sort_row *order, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (order[i].key == order[i - 1].key &&
            memcmp(spans[order[i].row]->trace_id,
                   spans[order[i - 1].row]->trace_id, 16) != 0)
            return true;
    return false;
}

static void sort_spans(const struct span **spans, uint32_t count,
                       struct scratch *scratch)
{
    size_t size = count * sizeof(struct sort_row);
    struct sort_row *a = scratch_alloc(scratch, size), *order = a;
    struct sort_row *b = scratch_alloc(scratch, size);
    const struct span **sorted =
        scratch_alloc(scratch, count * sizeof(const struct span *));

    for (uint32_t i = 0; i < count; i++)
        order[i].row = i;
    order = sort_by(spans, order, b, count, -1);
    order = sort_by(spans, order, order == a ? b : a, count, 0);
    if (low_halves_differ(spans, order, count)) {
        order = sort_by(spans, order, order == a ? b : a, count, -1);
        order = sort_by(spans, order, order == a ? b : a, count, 1);
        order = sort_by(spans, order, order == a ? b : a, count, 0);
    }
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = spans[order[i].row];
    if (count > 0)
        memcpy(spans, sorted, count * sizeof(const struct span *));
}

/* ---- parents ---- */

static uint64_t id_hash(const uint8_t *id)
{
    return hash_mix(high_half(id), 1);
}

/* Puts the rows of a large trace into a table by span id, the first of equal
 * ones in front. */
static void index_trace(struct spans_out *spans, uint32_t first, uint32_t count)
{
    uint32_t slots = 64;

    while (slots < 2 * count)
        slots *= 2;
    spans->by_id = scratch_zero(&spans->out->scratch, slots, sizeof(uint32_t));
    spans->by_id_mask = slots - 1;
    for (uint32_t place = 0; place < count; place++) {
        const uint8_t *id = spans->spans[first + place]->span_id;
        uint32_t i = (uint32_t)id_hash(id) & spans->by_id_mask;

        while (spans->by_id[i])
            i = (i + 1) & spans->by_id_mask;
        spans->by_id[i] = place + 1;
    }
}

/* The place in the trace of the span with this id; count if it is not here. */
static uint32_t find_span(const struct spans_out *spans, uint32_t first,
                          uint32_t count, const uint8_t *id)
{
    const struct span **at = spans->spans + first;

    if (count <= SMALL_TRACE) {
        uint32_t place = 0;

        while (place < count && memcmp(at[place]->span_id, id, 8) != 0)
            place++;
        return place;
    }
    for (uint32_t i = (uint32_t)id_hash(id) & spans->by_id_mask;
         spans->by_id[i]; i = (i + 1) & spans->by_id_mask)
        if (memcmp(at[spans->by_id[i] - 1]->span_id, id, 8) == 0)
            return spans->by_id[i] - 1;
    return count;
}

static uint64_t parent_code(struct spans_out *spans, const struct span *span,
                            uint32_t first, uint32_t count)
{
    uint32_t place;

    if (id_is_zero(span->parent_span_id, 8))
        return 0;
    place = find_span(spans, first, count, span->parent_span_id);
    if (place < count)
        return 2 + (uint64_t)place;
    memcpy(spans->parent_ids + (size_t)spans->parent_id_count++ * 8,
           span->parent_span_id, 8);
    return 1;
}

/* ---- rows ---- */

static void add_events(struct spans_out *spans, const struct span *span)
{
    struct scratch *scratch = &spans->out->scratch;

    for (uint32_t i = 0; i < span->event_count; i++) {
        const struct span_event *event = &span->events[i];

        numbers_add(scratch, &spans->event_time,
                    zigzag((int64_t)(event->time_ns - span->start_ns)));
        text_column_add(&spans->event_name, event->name);
        attrs_out_add(&spans->event_attrs, &event->attrs);
    }
}

static void add_links(struct spans_out *spans, const struct span *span)
{
    for (uint32_t i = 0; i < span->link_count; i++) {
        const struct span_link *link = &span->links[i];

        text_column_add(&spans->link_trace_id,
                        (struct slice){(const char *)link->trace_id, 16});
        text_column_add(&spans->link_span_id,
                        (struct slice){(const char *)link->span_id, 8});
        text_column_add(&spans->link_state, link->trace_state);
        numbers_add(&spans->out->scratch, &spans->link_flags, link->flags);
        attrs_out_add(&spans->link_attrs, &link->attrs);
    }
}

static void add_span(struct spans_out *spans, uint32_t row)
{
    const struct span *span = spans->spans[row];

    memcpy(spans->span_ids + (size_t)row * 8, span->span_id, 8);
    spans->rows[COL_DURATION][row] = span->end_ns - span->start_ns;
    spans->rows[COL_KIND][row] = span->kind;
    spans->rows[COL_STATUS][row] = span->status;
    spans->rows[COL_FLAGS][row] = span->flags;
    spans->rows[COL_FIXED_TIME][row] = span->fixed;
    spans->rows[COL_DROPPED_EVENTS][row] = span->dropped_events;
    spans->rows[COL_DROPPED_LINKS][row] = span->dropped_links;
    spans->rows[COL_EVENT_COUNT][row] = span->event_count;
    spans->rows[COL_LINK_COUNT][row] = span->link_count;
    text_column_add(&spans->name, span->name);
    text_column_add(&spans->operation, span->operation);
    text_column_add(&spans->endpoint, span->endpoint);
    text_column_add(&spans->status_message, span->status_message);
    text_column_add(&spans->trace_state, span->trace_state);
    origin_add(&spans->origin, span->resource_id, span->scope);
    attrs_out_add(&spans->attrs, &span->attrs);
    add_events(spans, span);
    add_links(spans, span);
}

/* One trace: what it has as a whole, and how its spans hang together. */
static void add_trace(struct spans_out *spans, uint32_t first, uint32_t count)
{
    const struct span **at = spans->spans + first;
    struct scratch *scratch = &spans->out->scratch;
    uint64_t start = at[0]->start_ns, end = 0, last = start, root = 0;

    if (count > SMALL_TRACE)
        index_trace(spans, first, count);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t parent = parent_code(spans, at[i], first, count);

        spans->rows[COL_PARENT][first + i] = parent;
        spans->rows[COL_START][first + i] = at[i]->start_ns - last;
        last = at[i]->start_ns;
        end = at[i]->end_ns > end ? at[i]->end_ns : end;
        if (parent == 0 && root == 0)
            root = i + 1;
    }
    memcpy(spans->trace_ids + (size_t)spans->trace_count.count * 16,
           at[0]->trace_id, 16);
    numbers_add(scratch, &spans->trace_count, count);
    numbers_add(scratch, &spans->trace_start, start);
    numbers_add(scratch, &spans->trace_length, end - start);
    numbers_add(scratch, &spans->trace_root, root);
    summary_add_trace(&spans->summary, at[0]->trace_id);
}

static void add_all(struct spans_out *spans)
{
    const struct span **at = spans->spans;
    uint32_t first = 0;

    for (uint32_t row = 0; row < spans->count; row++) {
        if (row + AHEAD < spans->count) { /* they lie all over the head */
            __builtin_prefetch(at[row + AHEAD / 2]->attrs.at);
            __builtin_prefetch(at[row + AHEAD]);
            __builtin_prefetch((const char *)at[row + AHEAD] + 64);
            __builtin_prefetch((const char *)at[row + AHEAD] + 128);
            __builtin_prefetch((const char *)at[row + AHEAD] + 192);
        }
        if (row > first &&
            memcmp(at[row]->trace_id, at[first]->trace_id, 16) != 0) {
            add_trace(spans, first, row - first);
            first = row;
        }
        add_span(spans, row);
    }
    if (spans->count > 0)
        add_trace(spans, first, spans->count - first);
}

static void fill_meta(const struct spans_out *spans, struct block_meta *meta)
{
    *meta = (struct block_meta){.count = spans->count, .min_ns = UINT64_MAX};
    for (uint32_t row = 0; row < spans->count; row++) {
        const struct span *span = spans->spans[row];
        uint64_t duration = span->end_ns - span->start_ns;

        if (span->start_ns < meta->min_ns)
            meta->min_ns = span->start_ns;
        if (span->start_ns > meta->max_ns)
            meta->max_ns = span->start_ns;
        if (span->end_ns > meta->max_end_ns)
            meta->max_end_ns = span->end_ns;
        if (duration > meta->max_duration_ns)
            meta->max_duration_ns = duration;
        if (span->status == SPAN_ERROR)
            meta->levels = 1U << SPAN_ERROR;
    }
    if (spans->count == 0)
        meta->min_ns = 0;
}

/* ---- writing the columns, in order of their ids ---- */

static void put_numbers(struct spans_out *spans, uint32_t id,
                        enum ints_hint hint)
{
    block_out_ints(spans->out, id, spans->rows[id], spans->count, hint);
}

static void put_list(struct spans_out *spans, uint32_t id,
                     const struct numbers *list, enum ints_hint hint)
{
    block_out_ints(spans->out, id, list->at, list->count, hint);
}

static void put_columns(struct spans_out *spans)
{
    struct block_out *out = spans->out;
    size_t traces = spans->trace_count.count;

    block_out_blob(out, COL_TRACE_ID,
                   (struct slice){spans->trace_ids, traces * 16});
    put_list(spans, COL_TRACE_COUNT, &spans->trace_count, INTS_PLAIN);
    put_list(spans, COL_TRACE_START, &spans->trace_start, INTS_AUTO);
    put_list(spans, COL_TRACE_LENGTH, &spans->trace_length, INTS_AUTO);
    put_list(spans, COL_TRACE_ROOT, &spans->trace_root, INTS_PLAIN);
    block_out_blob(out, COL_SPAN_ID,
                   (struct slice){spans->span_ids, (size_t)spans->count * 8});
    put_numbers(spans, COL_PARENT, INTS_PLAIN);
    block_out_blob(
        out, COL_PARENT_ID,
        (struct slice){spans->parent_ids, (size_t)spans->parent_id_count * 8});
    put_numbers(spans, COL_START, INTS_AUTO);
    put_numbers(spans, COL_DURATION, INTS_AUTO);
    text_column_put(&spans->name, out, COL_NAME);
    text_column_put(&spans->operation, out, COL_OPERATION);
    text_column_put(&spans->endpoint, out, COL_ENDPOINT);
    put_numbers(spans, COL_KIND, INTS_PLAIN);
    put_numbers(spans, COL_STATUS, INTS_PLAIN);
    text_column_put(&spans->status_message, out, COL_STATUS_MESSAGE);
    text_column_put(&spans->trace_state, out, COL_TRACE_STATE);
    put_numbers(spans, COL_DROPPED_EVENTS, INTS_PLAIN);
    put_numbers(spans, COL_DROPPED_LINKS, INTS_PLAIN);
    put_numbers(spans, COL_EVENT_COUNT, INTS_PLAIN);
    put_list(spans, COL_EVENT_TIME, &spans->event_time, INTS_AUTO);
    text_column_put(&spans->event_name, out, COL_EVENT_NAME);
    put_numbers(spans, COL_LINK_COUNT, INTS_PLAIN);
    text_column_put(&spans->link_trace_id, out, COL_LINK_TRACE_ID);
    text_column_put(&spans->link_span_id, out, COL_LINK_SPAN_ID);
    text_column_put(&spans->link_state, out, COL_LINK_TRACE_STATE);
    put_list(spans, COL_LINK_FLAGS, &spans->link_flags, INTS_PLAIN);
    origin_put(&spans->origin, out);
    put_numbers(spans, COL_FLAGS, INTS_PLAIN);
    put_numbers(spans, COL_FIXED_TIME, INTS_PLAIN);
    attrs_out_finish(&spans->attrs, out, COL_ATTRS);
    attrs_out_finish(&spans->event_attrs, out, COL_EVENT_ATTRS);
    attrs_out_finish(&spans->link_attrs, out, COL_LINK_ATTRS);
}

enum status block_write_spans(struct block_writer *writer,
                              const struct span **spans, uint32_t count,
                              struct buf *block, struct buf *summary,
                              struct block_meta *meta)
{
    struct spans_out out;
    enum status status;

    assert(count <= BLOCK_MAX_ROWS);
    block_out_reset(&writer->out);
    sort_spans(spans, count, &writer->out.scratch);
    init(&out, &writer->out, spans, count);
    add_all(&out);
    fill_meta(&out, meta);
    origin_count(&out.origin, NULL);
    origin_summary(&out.origin, BLOCK_SPANS, &out.summary, summary);
    put_columns(&out);
    status = block_out_finish(&writer->out, BLOCK_SPANS, count, block);
    return status != OK ? status : summary->status;
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
    block_out_release(&writer->out);
    free(writer);
}
