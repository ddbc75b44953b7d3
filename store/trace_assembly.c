/*
 * Where are the spans of these traces? In memory, or in the blocks near their
 * known spans in time, if the block's filter may know the trace. A filter is
 * wrong now and then, so a block is opened for nothing now and then: with few
 * traces to look for it is only asked for their rows, not for all its traces.
 *
 * What is found may lie further out than what was known: then blocks near that
 * are asked, too. A span that runs for long is near all that time, for an hour.
 */
#include <stdlib.h>

#include "clock.h"
#include "trace_search.h"

enum { ASK_ROWS = 64, LARGE_ROWS = 256, ROUNDS = 4 };

/* A trace whose known time grew by less has met its neighbours already. */
#define GROWN_NS    NS_PER_MIN
#define LOOKBACK_NS NS_PER_HOUR

struct nearby_search {
    struct trace_search *search;
    uint32_t count; /* of search->asked */
    uint64_t low_ns, high_ns;
    struct trace_entry *may[ASK_ROWS]; /* this block's filter may know them */
    uint32_t may_count;                /* more than ASK_ROWS: too many */
};

static uint64_t before(uint64_t ns)
{
    return ns > TRACE_NEAR_NS ? ns - TRACE_NEAR_NS : 0;
}

static uint64_t after(uint64_t ns)
{
    return ns < UINT64_MAX - TRACE_NEAR_NS ? ns + TRACE_NEAR_NS : UINT64_MAX;
}

static bool lies_within(const struct block_row *row, uint64_t low,
                        uint64_t high)
{
    return row->max_end_ns >= low && row->min_ns <= high &&
           row->max_ns >= (low > LOOKBACK_NS ? low - LOOKBACK_NS : 0);
}

/* Near the trace, and not asked in a round before. */
static bool is_near(const struct trace_lookup *a, const struct block_row *row)
{
    return lies_within(row, before(a->start_ns), after(a->end_ns)) &&
           (a->high_ns == 0 || !lies_within(row, a->low_ns, a->high_ns));
}

/* ---- what is asked for ---- */

static bool make_room(struct trace_search *s, uint32_t count)
{
    if (s->asked_room >= count)
        return true;
    s->asked = arena_alloc(&s->reader->work, (size_t)count * sizeof(*s->asked));
    s->asked_room = s->asked ? count : 0;
    return s->asked != NULL;
}

static void widen(struct nearby_search *n, const struct trace_lookup *a)
{
    if (before(a->start_ns) < n->low_ns)
        n->low_ns = before(a->start_ns);
    if (after(a->end_ns) > n->high_ns)
        n->high_ns = after(a->end_ns);
}

/* Notes when the traces are known to be. */
static void collect(struct nearby_search *n, uint32_t asked)
{
    struct trace_search *s = n->search;

    n->low_ns = UINT64_MAX;
    n->high_ns = 0;
    for (struct trace_entry *e = s->table.first; e && n->count < asked;
         e = e->next) {
        if (!e->asked)
            continue;
        s->asked[n->count] =
            (struct trace_lookup){e, e->part.start_ns, e->part.end_ns, 0, 0};
        widen(n, &s->asked[n->count++]);
    }
}

/* Leaves those that turned out to be longer. */
static void collect_grown(struct nearby_search *n)
{
    uint32_t grown = 0;

    n->low_ns = UINT64_MAX;
    n->high_ns = 0;
    for (uint32_t i = 0; i < n->count; i++) {
        struct trace_lookup *a = &n->search->asked[i];
        const struct trace_part *part = &a->entry->part;

        if (part->count == 0 || (part->start_ns + GROWN_NS >= a->start_ns &&
                                 part->end_ns <= a->end_ns + GROWN_NS)) {
            a->entry->asked = false;
            continue;
        }
        struct trace_lookup next = {a->entry, part->start_ns, part->end_ns,
                                    before(a->start_ns), after(a->end_ns)};
        n->search->asked[grown++] = next;
        widen(n, &next);
    }
    n->count = grown;
}

/* ---- memory ---- */

static void add_span(const struct trace_search *s, struct trace_entry *entry,
                     const struct span *span, const struct trace_root *root)
{
    const struct trace_query *q = s->query;

    if (q->visible && !bitmap_has(q->visible, span->resource_id))
        return;
    struct trace_part part = {
        .start_ns = span->start_ns,
        .end_ns = span->end_ns,
        .count = 1,
        .has_root =
            id_is_zero(span->parent_span_id, sizeof(span->parent_span_id)),
        .has_errors =
            span_failed(span) &&
            (!q->resources || bitmap_has(q->resources, span->resource_id)),
        .root = *root};

    traces_merge(entry, &part);
}

static void add_head(struct trace_search *s)
{
    struct memtables_cursor walk = memtables_cursor(s->reader, STREAM_SPANS);
    const struct batch *batch;

    while ((batch = memtables_next(&walk)))
        for (uint32_t i = 0; i < batch->count; i++) {
            const struct span *span = &batch->spans[i];
            const struct trace_root root = {.span = span};
            struct trace_entry *e = traces_find(&s->table, span->trace_id);

            if (!e || !e->asked)
                continue;
            add_span(s, e, span, &root);
            if (!e->matches)
                e->matches = match_span(span, s->query);
        }
}

/* ---- blocks ---- */

static enum status ask_filter(struct nearby_search *n,
                              const struct block_row *row)
{
    struct db_stmt stmt;
    struct slice summary;
    bool any = false;

    n->may_count = 0;
    for (uint32_t i = 0; i < n->count && !any; i++)
        any = is_near(&n->search->asked[i], row);
    if (!any)
        return OK;
    enum status status =
        reader_summary(n->search->reader, row->id, &stmt, &summary);
    if (status != OK)
        return status;
    struct slice filter = summary_trace_filter(summary);
    for (uint32_t i = 0; i < n->count && n->may_count <= ASK_ROWS; i++) {
        const struct trace_lookup *a = &n->search->asked[i];

        if (!is_near(a, row) || !trace_filter_may_have(filter, a->entry->id))
            continue;
        if (n->may_count < ASK_ROWS)
            n->may[n->may_count] = a->entry;
        n->may_count++;
    }
    summary_end(&stmt);
    return OK;
}

static enum status add_rows(const struct nearby_search *n, struct block *block,
                            uint64_t id, struct trace_entry *e)
{
    uint32_t first, count;
    enum status status = block_find_trace(block, e->id, &first, &count);

    for (uint32_t i = 0; i < count && status == OK; i++) {
        const struct trace_root root = {.block = id, .row = first + i};
        struct span span;

        status = block_read_span(block, first + i, false, &span);
        if (status == OK)
            add_span(n->search, e, &span, &root);
    }
    return status;
}

/* All traces of the block that are asked for near it. */
static enum status add_traces(const struct nearby_search *n,
                              struct block *block, const struct block_row *row)
{
    struct trace_search *s = n->search;
    struct block_trace *traces;
    uint32_t count;
    enum status status = block_traces(block, s->query, &traces, &count);

    for (uint32_t i = 0; i < count && status == OK; i++) {
        const struct block_trace *t = &traces[i];
        struct trace_entry *e = traces_find(&s->table, t->trace_id);

        if (!e || !e->asked || t->count == 0 ||
            !is_near(&s->asked[e->place], row))
            continue;
        struct trace_part part = {.start_ns = t->start_ns,
                                  .end_ns = t->end_ns,
                                  .count = t->count,
                                  .has_root = t->has_root,
                                  .has_errors = t->has_errors,
                                  .root = {.block = row->id, .row = t->root}};
        traces_merge(e, &part);
        e->matches |= t->matches;
    }
    return status;
}

/* Has one of them so many rows that the block's columns tell it faster? */
static enum status has_large(const struct nearby_search *n, struct block *block,
                             bool *large)
{
    enum status status = OK;
    uint32_t first, count;

    *large = false;
    for (uint32_t i = 0; i < n->may_count && status == OK && !*large; i++) {
        status = block_find_trace(block, n->may[i]->id, &first, &count);
        *large = count > LARGE_ROWS;
    }
    return status;
}

static enum status add_block(const struct nearby_search *n,
                             const struct block_row *row)
{
    struct reader *reader = n->search->reader;
    struct open_block open;
    /* Whether a trace matches is seen by its block as a whole only. */
    bool all = n->may_count > ASK_ROWS || n->search->query->errors_only;
    enum status status = reader_open_block(reader, row->id, &open);

    if (status != OK)
        return status;
    if (!all)
        status = has_large(n, open.block, &all);
    if (all && status == OK)
        status = add_traces(n, open.block, row);
    for (uint32_t i = 0; !all && i < n->may_count && status == OK; i++)
        status = add_rows(n, open.block, row->id, n->may[i]);
    reader_close_block(reader, &open);
    return status;
}

static enum status ask_blocks(struct nearby_search *n)
{
    struct trace_search *s = n->search;
    struct block_walk walk = block_walk(s->reader, WALK_SPANS_NEAR, KIND_SPANS,
                                        n->low_ns, n->high_ns);
    struct block_row row;
    enum status status = OK;

    for (uint32_t i = 0; i < n->count; i++)
        s->asked[i].entry->place = i;
    while (status == OK && block_walk_next(&walk, &row)) {
        status = ask_filter(n, &row);
        if (status == OK && n->may_count > 0)
            status = add_block(n, &row);
        if (reader_pass_over(status))
            status = OK;
    }
    enum status end = block_walk_end(&walk);
    return status != OK ? status : end;
}

enum status search_complete(struct trace_search *s, uint32_t asked)
{
    struct nearby_search n = {.search = s};
    enum status status = OK;

    if (asked == 0)
        return OK;
    if (!make_room(s, asked))
        return arena_status(&s->reader->work);
    collect(&n, asked);
    for (uint32_t i = 0; i < n.count; i++)
        s->asked[i].entry->part = (struct trace_part){0};
    add_head(s);
    for (int round = 0; round < ROUNDS && n.count > 0 && status == OK;
         round++) {
        status = ask_blocks(&n);
        for (uint32_t i = 0; i < n.count; i++)
            s->asked[i].entry->complete = true;
        collect_grown(&n);
    }
    for (struct trace_entry *e = s->table.first; e; e = e->next)
        e->asked = false;
    return status;
}

/* ---- what cannot be on a page that is full ---- */

static void meet_head(struct trace_search *s, uint64_t start_ns)
{
    struct memtables_cursor walk = memtables_cursor(s->reader, STREAM_SPANS);
    const struct batch *batch;

    while ((batch = memtables_next(&walk)))
        for (uint32_t i = 0; i < batch->count; i++) {
            const struct span *span = &batch->spans[i];
            struct trace_entry *e = span->start_ns <= start_ns
                                        ? traces_find(&s->table, span->trace_id)
                                        : NULL;

            if (e)
                e->asked = false;
        }
}

static enum status meet_block(struct nearby_search *n,
                              const struct block_row *row)
{
    struct db_stmt stmt;
    struct slice summary;
    enum status status =
        reader_summary(n->search->reader, row->id, &stmt, &summary);

    if (status != OK)
        return status;
    struct slice filter = summary_trace_filter(summary);
    for (uint32_t i = 0; i < n->count; i++) {
        const struct trace_lookup *a = &n->search->asked[i];

        if (a->entry->asked && is_near(a, row) &&
            trace_filter_may_have(filter, a->entry->id))
            a->entry->asked = false;
    }
    summary_end(&stmt);
    return OK;
}

enum status search_find_late(struct trace_search *s, uint32_t asked,
                             uint64_t start_ns)
{
    struct nearby_search n = {.search = s};
    struct block_row row;
    enum status status = OK;

    if (asked == 0)
        return OK;
    if (!make_room(s, asked))
        return arena_status(&s->reader->work);
    collect(&n, asked);
    meet_head(s, start_ns);
    struct block_walk walk =
        block_walk(s->reader, WALK_SPANS_NEAR, KIND_SPANS, n.low_ns,
                   start_ns < UINT64_MAX ? start_ns + 1 : start_ns);
    while (status == OK && block_walk_next(&walk, &row)) {
        status = meet_block(&n, &row);
        if (reader_pass_over(status))
            status = OK;
    }
    enum status end = block_walk_end(&walk);
    for (uint32_t i = 0; i < n.count; i++) {
        s->asked[i].entry->late = s->asked[i].entry->asked;
        s->asked[i].entry->asked = false;
    }
    return status != OK ? status : end;
}
