/*
 * Sorts rows by trace id, then start, and computes the columns of traces and
 * parents. The format is in block_spans_write.c.
 */
#include <string.h>

#include "radix_sort.h"
#include "span_rows.h"

enum { SMALL_TRACE = 24 };

/* ---- order ---- */

static uint64_t high_half(const uint8_t *id)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | id[i];
    return v;
}

/* Sorts by one half of the trace id, or by start. */
static struct sort_row *sort_by(const struct span_rows *rows,
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

/* True if two ids share the high half and differ in the low half. */
static bool low_halves_differ(const struct span_rows *rows,
                              const struct sort_row *order)
{
    for (uint32_t i = 1; i < rows->count; i++)
        if (order[i].key == order[i - 1].key &&
            memcmp(span_row_at(rows, order[i].row)->trace_id,
                   span_row_at(rows, order[i - 1].row)->trace_id, 16) != 0)
            return true;
    return false;
}

void spans_sort(struct span_block_writer *spans)
{
    struct scratch *scratch = &spans->out->scratch;
    const struct span_rows *rows = spans->coded;
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

/* Indexes the rows of a large trace by span id. */
static void index_trace(struct span_block_writer *spans,
                        const struct span_row *at, uint32_t count)
{
    size_t size = map_size(count);

    spans->by_id = (struct map){0};
    map_move(&spans->by_id, scratch_zero(&spans->out->scratch, 1, size), size);
    for (uint32_t place = 0; place < count; place++)
        map_add(&spans->by_id, map_hash_number(high_half(at[place].span_id)),
                place);
}

/* The place in the trace of the span with this id, the first if there are
 * several; count if there is none. */
static uint32_t find_span(const struct span_block_writer *spans,
                          const struct span_row *at, uint32_t count,
                          const uint8_t *id)
{
    if (count <= SMALL_TRACE) {
        uint32_t place = 0;

        while (place < count && memcmp(at[place].span_id, id, 8) != 0)
            place++;
        return place;
    }
    map_each(&spans->by_id, map_hash_number(high_half(id)), place)
        if (memcmp(at[place].span_id, id, 8) == 0)
            return place;
    return count;
}

static uint64_t parent_code(struct span_block_writer *spans,
                            const struct span_row *at, uint32_t count,
                            const uint8_t *id)
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

/* Adds the columns of one trace, and the parents of its spans. */
static void add_trace(struct span_block_writer *spans, uint32_t first,
                      uint32_t count)
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
        if (at[i].status == SPAN_ERROR || (at[i].marks & MARK_FAILED))
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

void spans_add_traces(struct span_block_writer *spans)
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
