/*
 * A page of traces, and how many match in all. A trace matches if a span of it
 * in the scope does, while its times, its number of spans and its root are of
 * the whole trace, wherever its spans lie. So:
 *
 *   1  spans in memory that match put their traces into a table
 *   2  blocks of the time asked for that hold a resource in scope are opened,
 *      and what they know of matching traces is merged into the table
 *   3  spans in memory are added to the traces in the table
 *   4  the page is picked with a heap, and traces on it are put together anew
 *      from all blocks near them (trace_near.c), until the page stays
 *
 * So the table holds matching traces only, which are few in a busy system.
 * Completing can only make a trace start earlier. On a page of the latest
 * starts it can therefore push a trace off, but not bring one on that was not
 * there: so only what is on the page need be complete. Any other question
 * (earliest first, by duration, failed ones) completes all that match first.
 */
#include <stdlib.h>

#include "copy.h"
#include "trace_search.h"

bool search_in_scope(const struct trace_query *q, const struct span *span)
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

void search_add_span(const struct search *s, struct trace_entry *entry,
                     const struct span *span, const struct trace_root *root)
{
    struct trace_part part = {
        .start_ns = span->start_ns,
        .end_ns = span->end_ns,
        .count = 1,
        .has_root =
            id_is_zero(span->parent_span_id, sizeof(span->parent_span_id)),
        .has_errors = span_failed(span) && search_in_scope(s->query, span),
        .root = *root};

    traces_merge(entry, &part);
}

void search_add_head(struct search *s, bool only_asked)
{
    struct head_walk walk = head_walk(s->reader, STREAM_SPANS);
    const struct batch *batch;

    while ((batch = head_next(&walk)))
        for (uint32_t i = 0; i < batch->count; i++) {
            const struct span *span = &batch->spans[i];
            const struct trace_root root = {.span = span};
            struct trace_entry *e = traces_find(&s->table, span->trace_id);

            if (e && (e->asked || !only_asked))
                search_add_span(s, e, span, &root);
        }
}

enum status search_merge_block(struct search *s, uint64_t id, bool only_asked)
{
    struct open_block open;
    struct block_trace *traces;
    uint32_t count;
    enum status status = reader_open_block(s->reader, id, &open);

    if (status != OK)
        return status;
    status = block_traces(open.block, s->query, &traces, &count);
    for (uint32_t i = 0; i < count && status == OK; i++) {
        const struct block_trace *t = &traces[i];
        struct trace_entry *e = only_asked ? traces_find(&s->table, t->trace_id)
                                           : traces_add(&s->table, t->trace_id);

        if (!e && !only_asked)
            status = arena_status(&s->reader->work);
        if (!e || (only_asked && !e->asked))
            continue;
        struct trace_part part = {.start_ns = t->start_ns,
                                  .end_ns = t->end_ns,
                                  .count = t->count,
                                  .has_root = t->has_root,
                                  .has_errors = t->has_errors,
                                  .root = {.block = id, .row = t->root}};
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

    *has = true;
    if (!s->query->resources)
        return OK;
    enum status status =
        reader_counts(s->reader, row->id, s->query->resources, counts);

    *has = counts[0] > 0;
    return status;
}

/* Step 2. */
static enum status merge_blocks(struct search *s)
{
    struct block_row *rows;
    uint32_t count;
    enum status status = reader_blocks_overlapping(
        s->reader, s->query->start_ns, s->query->end_ns, &rows, &count);

    for (uint32_t i = 0; i < count && status == OK; i++) {
        bool has;

        status = has_resource(s, &rows[i], &has);
        if (status == OK && has)
            status = search_merge_block(s, rows[i].id, false);
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

/* The page as it is known; how many match. */
static uint64_t pick(struct search *s, struct top *top)
{
    uint64_t matches = 0;
    const void *out;

    *top = (struct top){.limit = s->query->limit,
                        .compare = s->query->ascending ? ascending : descending,
                        .arena = &s->reader->work};
    for (struct trace_entry *e = s->table.first; e; e = e->next)
        if (wanted(s->query, e)) {
            matches++;
            top_offer(top, e, &out);
        }
    return matches;
}

/* Asks for what is on the page and not complete; how many these are. */
static uint32_t ask_page(const struct top *top)
{
    uint32_t asked = 0;

    for (uint32_t i = 0; i < top->count; i++) {
        struct trace_entry *e = (struct trace_entry *)(uintptr_t)top->at[i];

        e->asked = !e->complete;
        asked += e->asked;
    }
    return asked;
}

static uint32_t ask_all(struct search *s)
{
    uint32_t asked = 0;

    for (struct trace_entry *e = s->table.first; e; e = e->next) {
        e->asked = e->matches;
        asked += e->asked;
    }
    return asked;
}

/* Step 4. */
static enum status pick_complete(struct search *s, struct top *top,
                                 uint64_t *total)
{
    const struct trace_query *q = s->query;
    enum status status = OK;
    uint32_t asked;

    if (q->ascending || q->errors_only || q->min_duration_ns ||
        q->max_duration_ns)
        status = search_complete(s, ask_all(s));
    do {
        *total = pick(s, top);
        asked = ask_page(top);
        if (status == OK)
            status = arena_status(&s->reader->work);
        if (status == OK && asked > 0)
            status = search_complete(s, asked);
    } while (status == OK && asked > 0);
    return status;
}

enum status reader_query_traces(struct reader *reader,
                                const struct trace_query *query,
                                struct arena *arena,
                                struct trace_summary **traces, uint32_t *count,
                                uint64_t *total)
{
    struct search search = {.reader = reader, .query = query};
    struct trace_summary *found = NULL;
    struct top top;
    uint64_t matches = 0;

    arena_reset(&reader->work);
    if (!traces_init(&search.table, &reader->work) || !mark_head(&search))
        return arena_status(&reader->work);
    enum status status = merge_blocks(&search);
    if (status != OK)
        return status;
    search_add_head(&search, false); /* step 3 */
    status = pick_complete(&search, &top, &matches);
    if (status == OK && top.count > 0) {
        top_sort(&top);
        found = arena_zero(arena, top.count, sizeof(*found));
        status =
            found ? describe(&search, &top, arena, found) : arena_status(arena);
    }
    if (status != OK)
        return status;
    *traces = found;
    *count = top.count;
    *total = matches;
    return OK;
}
