/*
 * A page of traces, and how many match in all. A trace matches if a span of it
 * in the scope does, while its times, its number of spans and its root are of
 * the whole trace, wherever its spans lie. So:
 *
 *   1  spans in memory that match put their traces into a table
 *   2  blocks of the time asked for that hold a resource in scope are opened,
 *      and all their traces are merged into the table
 *   3  blocks not opened yet that lie near the matching traces in time, and
 *      whose filter may know one of them, add what they have of these
 *   4  spans in memory are added to the traces in the table
 *
 * Then the table is filtered, the page is picked with a heap, and names of
 * roots are read from their blocks.
 */
#include <stdlib.h>

#include "copy.h"
#include "hash.h"
#include "reader.h"
#include "traces.h"

/* Further from a trace's known spans its others are not looked for. */
#define NEAR_NS NS_PER_HOUR

/* With more traces than this, asking filters costs more than opening. */
enum { ASK_FILTERS = 4096 };

struct search {
    struct reader *reader;
    const struct trace_query *query;
    struct trace_table table;
    struct block_row *rows;
    uint32_t row_count;
    uint64_t low_ns, high_ns; /* of the matching traces */
    uint32_t matching;
};

static bool in_scope(const struct trace_query *q, const struct span *span)
{
    return !q->resources || idset_has(q->resources, span->resource_id);
}

/* Step 1. */
static bool mark_head(struct search *s)
{
    struct head_walk walk = head_walk(s->reader, STREAM_SPANS);
    const struct batch *batch;

    while ((batch = head_next(&walk)))
        for (uint32_t i = 0; i < batch->count; i++) {
            const struct span *span = &batch->spans[i];

            if (!match_span(span, s->query))
                continue;
            struct trace_entry *e = traces_add(&s->table, span->trace_id);
            if (!e)
                return false;
            e->matches = true;
        }
    return true;
}

/* Step 4. */
static void add_head(struct search *s)
{
    struct head_walk walk = head_walk(s->reader, STREAM_SPANS);
    const struct batch *batch;

    while ((batch = head_next(&walk)))
        for (uint32_t i = 0; i < batch->count; i++) {
            const struct span *span = &batch->spans[i];
            struct trace_entry *e = traces_find(&s->table, span->trace_id);

            if (!e)
                continue;
            struct trace_part part = {
                .start_ns = span->start_ns,
                .end_ns = span->end_ns,
                .count = 1,
                .has_root = id_is_zero(span->parent_span_id,
                                       sizeof(span->parent_span_id)),
                .has_errors =
                    span->status == SPAN_ERROR && in_scope(s->query, span),
                .root = {.span = span}};
            traces_merge(e, &part);
        }
}

static enum status merge_block(struct search *s, struct block_row *row,
                               bool only_known)
{
    struct open_block open;
    struct block_trace *traces;
    uint32_t count;
    enum status status = reader_open_block(s->reader, row->id, &open);

    row->seen = true;
    if (status != OK)
        return status;
    status = block_traces(open.block, s->query, &traces, &count);
    for (uint32_t i = 0; i < count && status == OK; i++) {
        const struct block_trace *t = &traces[i];
        struct trace_entry *e = only_known ? traces_find(&s->table, t->trace_id)
                                           : traces_add(&s->table, t->trace_id);

        if (!e) {
            if (!only_known)
                status = arena_status(&s->reader->work);
            continue;
        }
        struct trace_part part = {.start_ns = t->start_ns,
                                  .end_ns = t->end_ns,
                                  .count = t->count,
                                  .has_root = t->has_root,
                                  .has_errors = t->has_errors,
                                  .root = {.block = row->id, .row = t->root}};
        traces_merge(e, &part);
        e->matches |= t->matches;
    }
    reader_close_block(s->reader, &open);
    return status;
}

static enum status has_resource(struct search *s, const struct block_row *row,
                                bool *has)
{
    uint64_t counts[LEVEL_COUNT] = {0};
    struct stmt stmt;
    struct slice summary;

    *has = true;
    if (!s->query->resources)
        return OK;
    enum status status = reader_summary(s->reader, row->id, &stmt, &summary);
    if (status != OK)
        return status;
    if (!summary_counts(summary, s->query->resources, counts))
        status = ERR_CORRUPT;
    summary_end(&stmt);
    *has = counts[0] > 0;
    return status;
}

/* Step 2. */
static enum status merge_blocks(struct search *s)
{
    enum status status =
        reader_blocks(s->reader, KIND_SPANS, s->query->start_ns,
                      s->query->end_ns, &s->rows, &s->row_count);

    for (uint32_t i = 0; i < s->row_count && status == OK; i++) {
        bool has;

        status = has_resource(s, &s->rows[i], &has);
        if (status == OK && has)
            status = merge_block(s, &s->rows[i], false);
        if (reader_pass_over(status)) {
            s->rows[i].seen = true;
            status = OK;
        }
    }
    return status;
}

static void find_bounds(struct search *s)
{
    s->low_ns = UINT64_MAX;
    s->high_ns = 0;
    s->matching = 0;
    for (struct trace_entry *e = s->table.first; e; e = e->next) {
        if (!e->matches)
            continue;
        s->matching++;
        /* Nothing merged yet: its spans are in memory, now or so. */
        uint64_t low = e->part.count ? e->part.start_ns : s->query->start_ns;
        uint64_t high = e->part.count ? e->part.end_ns : s->query->end_ns;

        if (low < s->low_ns)
            s->low_ns = low;
        if (high > s->high_ns)
            s->high_ns = high;
    }
}

static bool was_seen(const struct search *s, uint64_t id)
{
    for (uint32_t i = 0; i < s->row_count; i++)
        if (s->rows[i].id == id)
            return s->rows[i].seen;
    return false;
}

static enum status may_know(struct search *s, const struct block_row *row,
                            bool *may)
{
    struct stmt stmt;
    struct slice summary;

    *may = true;
    if (s->matching > ASK_FILTERS)
        return OK;
    enum status status = reader_summary(s->reader, row->id, &stmt, &summary);
    if (status != OK)
        return status;
    *may = false;
    for (struct trace_entry *e = s->table.first; e && !*may; e = e->next)
        *may = e->matches && summary_has_trace(summary, e->id);
    summary_end(&stmt);
    return OK;
}

/* Step 3. */
static enum status complete(struct search *s)
{
    struct block_row *rows;
    uint32_t count;

    find_bounds(s);
    if (s->matching == 0)
        return OK;
    uint64_t low = s->low_ns > NEAR_NS ? s->low_ns - NEAR_NS : 0;
    uint64_t high =
        s->high_ns < UINT64_MAX - NEAR_NS ? s->high_ns + NEAR_NS : UINT64_MAX;
    enum status status =
        reader_blocks(s->reader, KIND_SPANS, low, high, &rows, &count);

    for (uint32_t i = 0; i < count && status == OK; i++) {
        bool may;

        if (was_seen(s, rows[i].id))
            continue;
        status = may_know(s, &rows[i], &may);
        if (status == OK && may)
            status = merge_block(s, &rows[i], true);
        if (reader_pass_over(status))
            status = OK;
    }
    return status;
}

static bool wanted(const struct trace_query *q, const struct trace_entry *e)
{
    uint64_t duration = e->part.end_ns - e->part.start_ns;

    return e->matches && e->part.count > 0 &&
           (!q->errors_only || e->part.has_errors) &&
           (q->min_duration_ns == 0 || duration >= q->min_duration_ns) &&
           (q->max_duration_ns == 0 || duration <= q->max_duration_ns);
}

static int ascending(const void *left, const void *right)
{
    const struct trace_entry *a = left, *b = right;

    if (a->part.start_ns != b->part.start_ns)
        return a->part.start_ns < b->part.start_ns ? -1 : 1;
    return memcmp(a->id, b->id, sizeof(a->id));
}

static int descending(const void *left, const void *right)
{
    return ascending(right, left);
}

static void summarize(const struct trace_entry *e, const struct span *root,
                      struct trace_summary *t)
{
    memcpy(t->root_span_id, root->span_id, sizeof(t->root_span_id));
    t->root_name = root->name;
    t->root_resource_id = root->resource_id;
    t->root_kind = root->kind;
    memcpy(t->trace_id, e->id, sizeof(t->trace_id));
    t->span_count = e->part.count;
    t->start_ns = e->part.start_ns;
    t->end_ns = e->part.end_ns;
    t->has_errors = e->part.has_errors;
}

static int by_block(const void *left, const void *right)
{
    const struct trace_entry *a = *(const struct trace_entry *const *)left;
    const struct trace_entry *b = *(const struct trace_entry *const *)right;

    return (a->part.root.block > b->part.root.block) -
           (a->part.root.block < b->part.root.block);
}

/* Roots of one block; e->place says where each goes. */
static enum status read_roots(struct search *s, struct trace_entry **entries,
                              uint32_t count, struct arena *arena,
                              struct trace_summary *traces)
{
    struct open_block open;
    enum status status =
        reader_open_block(s->reader, entries[0]->part.root.block, &open);

    if (status != OK)
        return status;
    for (uint32_t i = 0; i < count && status == OK; i++) {
        struct span span, root;

        status =
            block_span(open.block, entries[i]->part.root.row, false, &span);
        if (status != OK)
            break;
        copy_span(arena, &span, false, &root);
        summarize(entries[i], &root, &traces[entries[i]->place]);
        status = arena_status(arena);
    }
    reader_close_block(s->reader, &open);
    return status;
}

static enum status describe(struct search *s, const struct top *top,
                            struct arena *arena, struct trace_summary *traces)
{
    struct trace_entry **entries =
        arena_zero(&s->reader->work, top->count, sizeof(struct trace_entry *));
    uint32_t used = 0;
    enum status status = OK;

    if (!entries)
        return arena_status(&s->reader->work);
    for (uint32_t i = 0; i < top->count; i++) {
        struct trace_entry *e = (struct trace_entry *)(uintptr_t)top->at[i];
        const struct span none = {.resource_id = RESOURCE_NONE};

        e->place = i;
        /* A root that cannot be read leaves what is known without it. */
        summarize(e, e->part.root.span ? e->part.root.span : &none, &traces[i]);
        if (!e->part.root.span)
            entries[used++] = e;
    }
    qsort(entries, used, sizeof(struct trace_entry *), by_block);
    for (uint32_t i = 0; i < used && status == OK;) {
        uint32_t end = i;

        while (end < used &&
               entries[end]->part.root.block == entries[i]->part.root.block)
            end++;
        status = read_roots(s, entries + i, end - i, arena, traces);
        if (reader_pass_over(status))
            status = OK;
        i = end;
    }
    return status;
}

static enum status pick(struct search *s, struct arena *arena,
                        struct trace_summary **traces, uint32_t *count,
                        uint64_t *total)
{
    struct top top = {.limit = s->query->limit,
                      .compare = s->query->ascending ? ascending : descending,
                      .arena = &s->reader->work};
    const void *out;
    struct trace_summary *found = NULL;
    uint64_t matches = 0;
    enum status status = OK;

    for (struct trace_entry *e = s->table.first; e; e = e->next)
        if (wanted(s->query, e)) {
            matches++;
            top_offer(&top, e, &out);
        }
    if (arena_status(&s->reader->work) != OK)
        return arena_status(&s->reader->work);
    if (top.count > 0) {
        top_sort(&top);
        found = arena_zero(arena, top.count, sizeof(*found));
        status = found ? describe(s, &top, arena, found) : arena_status(arena);
    }
    if (status != OK)
        return status;
    *traces = found;
    *count = top.count;
    *total = matches;
    return OK;
}

enum status reader_query_traces(struct reader *reader,
                                const struct trace_query *query,
                                struct arena *arena,
                                struct trace_summary **traces, uint32_t *count,
                                uint64_t *total)
{
    struct search search = {.reader = reader, .query = query};
    enum status status;

    arena_reset(&reader->work);
    if (!traces_init(&search.table, &reader->work) || !mark_head(&search))
        return arena_status(&reader->work);
    status = merge_blocks(&search);
    if (status == OK)
        status = complete(&search);
    if (status != OK)
        return status;
    add_head(&search);
    return pick(&search, arena, traces, count, total);
}
