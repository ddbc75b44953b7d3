/*
 * Where a list of traces gets its candidates: from memory, and from blocks in
 * the order of the page, one block at a time. Each source gives them by start,
 * so there is always a bound: no trace that was not met yet can stand before
 * it, newest first. (A trace starts no later than any span of it. Oldest first
 * it may have started before; see read_traces.c.)
 *
 * Memory is not sorted: each walk over it gives the next HEAD_LIST matches.
 */
#include <stdlib.h>

#include "clock.h"
#include "trace_search.h"

enum { HEAD_LIST = 1024 };

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

/* Failed ones are few, so they are what is looked for; whether their trace
 * matches shows when it is put together. */
static bool is_candidate(const struct trace_query *q, const struct span *span)
{
    if (!q->errors_only)
        return match_span(span, q);
    return span_failed(span) &&
           (!q->resources || bitmap_has(q->resources, span->resource_id));
}

/* The next ones behind `last` (NULL: the first ones). */
static enum status fill_head(struct trace_search *s,
                             const struct trace_candidate *last)
{
    bool ascending = s->query->ascending;
    struct memtables_cursor walk = memtables_cursor(s->reader, STREAM_SPANS);
    struct top top = {.limit = HEAD_LIST,
                      .compare = ascending ? oldest_first : newest_first,
                      .arena = &s->reader->scratch};
    const struct batch *batch;
    uint64_t order = 0;
    struct trace_candidate c = {.order = 0}, *slot = s->head.at;
    const void *out;

    while ((batch = memtables_next(&walk)))
        for (uint32_t i = 0; i < batch->count; i++) {
            const struct span *span = &batch->spans[i];

            c.start_ns = span->start_ns;
            c.order = order++;
            if (!is_candidate(s->query, span) ||
                (last && compare(ascending, &c, last) <= 0))
                continue;
            c.end_ns = span->end_ns;
            memcpy(c.id, span->trace_id, sizeof(c.id));
            *slot = c;
            if (top_offer(&top, slot, &out))
                slot = out ? (struct trace_candidate *)(uintptr_t)out
                           : &s->head.at[top.count];
        }
    s->head_more = top.count == HEAD_LIST;
    s->head.count = top.count;
    s->head.next = 0;
    enum status status = arena_status(&s->reader->scratch);
    arena_reset(&s->reader->scratch);
    if (s->head_more && slot != &s->head.at[HEAD_LIST])
        *slot = s->head.at[HEAD_LIST]; /* the free one goes to the end */
    qsort(s->head.at, top.count, sizeof(*s->head.at),
          ascending ? oldest_first : newest_first);
    return status;
}

/* ---- blocks ---- */

static enum status has_resource(struct trace_search *s,
                                const struct block_row *row, bool *has)
{
    uint64_t counts[LEVEL_COUNT] = {0};

    *has = !s->query->errors_only || (row->levels & 1U << SPAN_ERROR);
    if (!*has || !s->query->resources)
        return OK;
    enum status status =
        reader_counts(s->reader, row->id, s->query->resources, counts);

    *has = counts[0] > 0;
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
    enum status status = has_resource(s, &row, &has);
    if (status == OK && has) {
        status = reader_open_block(s->reader, row.id, &open);
        if (status == OK) {
            status = list_block(s, open.block);
            reader_close_block(s->reader, &open);
        }
    }
    if (reader_pass_over(status)) {
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

enum status sources_open(struct trace_search *s)
{
    const struct trace_query *q = s->query;
    const struct list_range *range = &q->range;
    uint64_t start = q->start_ns, end = q->end_ns;

    if (!candidates_room(&s->head, &s->reader->work, HEAD_LIST + 1))
        return arena_status(&s->reader->work);
    enum status status = fill_head(s, NULL);
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

enum status sources_close(struct trace_search *s)
{
    return s->walk.stmt.db ? block_walk_end(&s->walk) : OK;
}

static bool has_any(const struct trace_candidates *c)
{
    return c->next < c->count;
}

static bool is_first(const struct trace_search *s, uint64_t a, uint64_t b)
{
    return s->query->ascending ? a < b : a > b;
}

bool sources_bound(const struct trace_search *s, uint64_t *start_ns)
{
    uint64_t row_ns = s->query->ascending ? s->row.min_ns : s->row.max_ns;
    bool any = s->has_row;

    if (any)
        *start_ns = row_ns;
    if (has_any(&s->block) &&
        (!any || is_first(s, s->block.at[s->block.next].start_ns, *start_ns))) {
        *start_ns = s->block.at[s->block.next].start_ns;
        any = true;
    }
    if (has_any(&s->head) &&
        (!any || is_first(s, s->head.at[s->head.next].start_ns, *start_ns))) {
        *start_ns = s->head.at[s->head.next].start_ns;
        any = true;
    }
    return any;
}

static enum status take_one(struct trace_search *s,
                            const struct trace_candidate *c)
{
    struct trace_entry *e = traces_add(&s->table, c->id);
    const struct trace_part part = {
        .start_ns = c->start_ns, .end_ns = c->end_ns, .count = 1};

    if (!e)
        return arena_status(&s->reader->work);
    if (!e->complete)
        traces_merge(e, &part);
    e->matches |= !s->query->errors_only;
    return OK;
}

enum status sources_take(struct trace_search *s, uint32_t count)
{
    uint64_t bound;
    bool any = sources_bound(s, &bound);
    struct trace_candidates *list = NULL;
    enum status status = OK;

    if (any && has_any(&s->head) && s->head.at[s->head.next].start_ns == bound)
        list = &s->head;
    else if (any && has_any(&s->block))
        list = &s->block; /* before another is opened */
    else if (any)
        return open_next(s);
    for (; list && count > 0 && has_any(list) && status == OK; count--)
        status = take_one(s, &list->at[list->next++]);
    if (status == OK && list == &s->head && !has_any(list) && s->head_more) {
        const struct trace_candidate last = list->at[list->count - 1];

        status = fill_head(s, &last);
    }
    return status;
}
