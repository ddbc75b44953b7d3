/*
 * Candidates for a list of traces come from memory, and from blocks in the
 * order of the page, one block at a time. Each source gives them by start, so
 * there is always a bound: newest first, no trace that was not met yet can
 * stand before it. (A trace starts no later than any span of it. Oldest first
 * it may have started before the bound; see read_traces.c.)
 *
 * Memory is not sorted: each walk over it gives the next MEMORY_LIST matches.
 */
#include <stdlib.h>

#include "clock.h"
#include "trace_search.h"

enum { MEMORY_LIST = 1024 };

static int compare(bool ascending, const struct trace_candidate *a,
                   const struct trace_candidate *b)
{
    int order = a->start_ns < b->start_ns   ? -1
                : a->start_ns > b->start_ns ? 1
                                            : 0;

    if (!ascending)
        order = -order;
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

static int oldest_first(const void *left, const void *right)
{
    return compare(true, left, right);
}

static int newest_first(const void *left, const void *right)
{
    return compare(false, left, right);
}

static bool candidates_room(struct trace_candidates *c, struct arena *arena,
                            uint32_t count)
{
    c->count = c->next = 0;
    if (c->room < count) {
        c->at = arena_alloc(arena, (size_t)count * sizeof(*c->at));
        c->room = c->at ? count : 0;
    }
    return c->room >= count;
}

/* ---- memory ---- */

/* Failed spans are few, so the search is for them; whether their trace matches
 * is known when it is assembled. */
bool trace_is_candidate(const struct trace_query *q, const struct span *span)
{
    if (!q->errors_only)
        return match_span(span, q);
    return span_failed(span) &&
           (!q->resources || bitmap_has(q->resources, span->resource_id));
}

/* The next ones after `last` (NULL: the first ones). Each candidate is written
 * to the spare element `slot` before it is offered: if it enters the list, the
 * element that it replaces, or the next unused one, becomes the spare one. So
 * the list, of MEMORY_LIST + 1 elements, needs no copies. */
static enum status fill_memory(struct trace_search *s,
                               const struct trace_candidate *last)
{
    bool ascending = s->query->ascending;
    struct memtables_cursor cursor = memtables_cursor(s->reader, STREAM_SPANS);
    struct arena *scratch = &s->reader->scratch;
    struct top_n top = {.limit = MEMORY_LIST,
                        .compare = ascending ? oldest_first : newest_first,
                        .arena = scratch};
    const struct span *span;
    uint64_t order = 0;
    struct trace_candidate *slot = s->memory.at;
    const void *out;

    while ((span = memtables_next_span(&cursor))) {
        struct trace_candidate c = {.start_ns = span->start_ns,
                                    .end_ns = span->end_ns,
                                    .order = order++};

        if (!trace_is_candidate(s->query, span) ||
            (last && compare(ascending, &c, last) <= 0))
            continue;
        memcpy(c.id, span->trace_id, sizeof(c.id));
        *slot = c;
        if (top_n_offer(&top, slot, &out))
            slot = out ? (struct trace_candidate *)(uintptr_t)out
                       : &s->memory.at[top.count];
    }
    s->memory_more = top.count == MEMORY_LIST;
    s->memory.count = top.count;
    s->memory.next = 0;
    enum status status = arena_status(scratch);
    arena_reset(scratch);
    if (s->memory_more && slot != &s->memory.at[MEMORY_LIST])
        *slot = s->memory.at[MEMORY_LIST]; /* the spare one goes to the end */
    qsort(s->memory.at, top.count, sizeof(*s->memory.at),
          ascending ? oldest_first : newest_first);
    return status;
}

/* ---- blocks ---- */

enum status trace_block_may(struct trace_search *s, const struct block_row *row,
                            bool *may)
{
    uint64_t counts[LEVEL_COUNT] = {0};

    *may = !s->query->errors_only || (row->levels & 1U << SPAN_ERROR);
    if (!*may || !s->query->resources)
        return OK;
    enum status status =
        block_summary_counts(s->reader, row->id, s->query->resources, counts);

    *may = counts[0] > 0;
    return status;
}

static enum status list_block(struct trace_search *s, struct block *block)
{
    const struct trace_query *q = s->query;
    struct block_trace *traces;
    uint32_t count;
    enum status status = block_traces(block, q, &traces, &count);

    if (status != OK)
        return status;
    if (!candidates_room(&s->block, &s->reader->work, count))
        return arena_status(&s->reader->work);
    for (uint32_t i = 0; i < count; i++) {
        const struct block_trace *t = &traces[i];

        if (q->errors_only ? !t->has_errors : !t->matches)
            continue;
        struct trace_candidate *c = &s->block.at[s->block.count++];
        *c = (struct trace_candidate){
            .start_ns = t->start_ns, .end_ns = t->end_ns, .order = i};
        memcpy(c->id, t->trace_id, sizeof(c->id));
    }
    if (s->block.count > 1)
        qsort(s->block.at, s->block.count, sizeof(*s->block.at),
              q->ascending ? oldest_first : newest_first);
    return OK;
}

static enum status open_next(struct trace_search *s)
{
    const struct block_row row = s->row;
    struct open_block open;
    bool has;

    s->has_row = block_walk_next(&s->walk, &s->row);
    enum status status = trace_block_may(s, &row, &has);
    if (status == OK && has) {
        status = block_cursor_open(s->reader, row.id, &open);
        if (status == OK) {
            status = list_block(s, open.block);
            block_cursor_close(s->reader, &open);
        }
    }
    if (block_is_damaged(status)) {
        s->block.count = s->block.next = 0;
        status = OK;
    }
    return status;
}

/* ---- all ---- */

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a < UINT64_MAX - b ? a + b : UINT64_MAX;
}

enum status trace_candidates_open(struct trace_search *s)
{
    const struct trace_query *q = s->query;
    const struct list_range *range = &q->range;
    uint64_t start = q->start_ns, end = q->end_ns;

    if (!candidates_room(&s->memory, &s->reader->work, MEMORY_LIST + 1))
        return arena_status(&s->reader->work);
    enum status status = fill_memory(s, NULL);
    if (status != OK)
        return status;
    if (q->errors_only) { /* what failed may lie beside what matches */
        start -= start < TRACE_NEAR_NS ? start : TRACE_NEAR_NS;
        end = sum(end, TRACE_NEAR_NS);
    }
    /* Spans of a trace start no earlier than it, and some minutes later. */
    if (range->after && range->after->time_ns > start)
        start = range->after->time_ns;
    if (range->before && sum(range->before->time_ns, TRACE_NEAR_NS) < end)
        end = sum(range->before->time_ns, TRACE_NEAR_NS);
    s->walk = block_walk(s->reader,
                         q->ascending ? WALK_SPANS_OLDEST : WALK_SPANS_NEWEST,
                         KIND_SPANS, start, end);
    s->has_row = block_walk_next(&s->walk, &s->row);
    return OK;
}

enum status trace_candidates_close(struct trace_search *s)
{
    return s->walk.stmt.db ? block_walk_end(&s->walk) : OK;
}

static bool has_any(const struct trace_candidates *c)
{
    return c->next < c->count;
}

/* Moves the bound to the next candidate of a list, if that stands before it. */
static void lower_bound(const struct trace_search *s,
                        const struct trace_candidates *list, bool *any,
                        uint64_t *start_ns)
{
    if (!has_any(list))
        return;
    uint64_t next = list->at[list->next].start_ns;
    if (!*any || (s->query->ascending ? next < *start_ns : next > *start_ns))
        *start_ns = next;
    *any = true;
}

bool trace_candidates_bound(const struct trace_search *s, uint64_t *start_ns)
{
    bool any = s->has_row;

    *start_ns = s->query->ascending ? s->row.min_ns : s->row.max_ns;
    lower_bound(s, &s->block, &any, start_ns);
    lower_bound(s, &s->memory, &any, start_ns);
    return any;
}

static enum status take_one(struct trace_search *s,
                            const struct trace_candidate *c)
{
    struct trace_entry *e = trace_table_add(&s->table, c->id);
    const struct trace_part part = {
        .start_ns = c->start_ns, .end_ns = c->end_ns, .count = 1};

    if (!e)
        return arena_status(&s->reader->work);
    if (!e->complete)
        trace_entry_merge(e, &part);
    e->matches |= !s->query->errors_only;
    return OK;
}

enum status trace_candidates_take(struct trace_search *s, uint32_t count)
{
    uint64_t bound;
    bool any = trace_candidates_bound(s, &bound);
    struct trace_candidates *list = NULL;
    enum status status = OK;

    if (any && has_any(&s->memory) &&
        s->memory.at[s->memory.next].start_ns == bound)
        list = &s->memory;
    else if (any && has_any(&s->block))
        list = &s->block; /* before another is opened */
    else if (any)
        return open_next(s);
    for (; list && count > 0 && has_any(list) && status == OK; count--)
        status = take_one(s, &list->at[list->next++]);
    if (status == OK && list == &s->memory && !has_any(list) &&
        s->memory_more) {
        const struct trace_candidate last = list->at[list->count - 1];

        status = fill_memory(s, &last);
    }
    return status;
}
