/*
 * Where are the spans of these traces? In memory, or in the blocks near their
 * known spans in time, if the block's filter may know the trace. A filter is
 * wrong now and then, so a block is opened for nothing now and then: with few
 * traces to look for it is only asked for their rows, not for all its traces.
 */
#include "trace_search.h"

/* Further from a trace's known spans its others are not looked for. A trace
 * asked for by its id is found whole however long it lasts. */
#define NEAR_NS (5 * NS_PER_MIN)

/* With more traces than this, asking filters costs more than opening. */
enum { ASK_FILTERS = 4096, ASK_ROWS = 64 };

/* A trace asked for, and when it was known to be. */
struct asked {
    struct trace_entry *entry;
    uint64_t start_ns, end_ns;
};

struct near_by {
    struct search *search;
    struct asked *asked;
    uint32_t count;
    struct trace_entry *may[ASK_ROWS]; /* this block's filter may know them */
    uint32_t may_count;                /* more than ASK_ROWS: too many */
};

static uint64_t before(uint64_t ns)
{
    return ns > NEAR_NS ? ns - NEAR_NS : 0;
}

static uint64_t after(uint64_t ns)
{
    return ns < UINT64_MAX - NEAR_NS ? ns + NEAR_NS : UINT64_MAX;
}

static bool is_near(const struct asked *a, const struct block_row *row)
{
    return row->max_ns >= before(a->start_ns) &&
           row->min_ns <= after(a->end_ns);
}

/* Notes when the traces are known to be, and empties them. */
static bool collect(struct near_by *n, uint32_t asked, uint64_t *low_ns,
                    uint64_t *high_ns)
{
    struct search *s = n->search;

    *low_ns = UINT64_MAX;
    *high_ns = 0;
    n->asked = arena_zero(&s->reader->work, asked, sizeof(*n->asked));
    if (!n->asked)
        return false;
    for (struct trace_entry *e = s->table.first; e && n->count < asked;
         e = e->next) {
        if (!e->asked)
            continue;
        n->asked[n->count++] =
            (struct asked){e, e->part.start_ns, e->part.end_ns};
        if (before(e->part.start_ns) < *low_ns)
            *low_ns = before(e->part.start_ns);
        if (after(e->part.end_ns) > *high_ns)
            *high_ns = after(e->part.end_ns);
        e->part = (struct trace_part){0};
    }
    return true;
}

static enum status ask_filter(struct near_by *n, const struct block_row *row)
{
    struct stmt stmt;
    struct slice summary;

    n->may_count = 0;
    if (n->count > ASK_FILTERS) {
        n->may_count = ASK_ROWS + 1;
        return OK;
    }
    enum status status =
        reader_summary(n->search->reader, row->id, &stmt, &summary);
    if (status != OK)
        return status;
    for (uint32_t i = 0; i < n->count && n->may_count <= ASK_ROWS; i++) {
        const struct asked *a = &n->asked[i];

        if (!is_near(a, row) || !summary_has_trace(summary, a->entry->id))
            continue;
        if (n->may_count < ASK_ROWS)
            n->may[n->may_count] = a->entry;
        n->may_count++;
    }
    summary_end(&stmt);
    return OK;
}

static enum status add_rows(const struct near_by *n, struct block *block,
                            uint64_t id, struct trace_entry *e)
{
    uint32_t first, count;
    enum status status = block_find_trace(block, e->id, &first, &count);

    for (uint32_t i = 0; i < count && status == OK; i++) {
        const struct trace_root root = {.block = id, .row = first + i};
        struct span span;

        status = block_span(block, first + i, false, &span);
        if (status == OK)
            search_add_span(n->search, e, &span, &root);
    }
    return status;
}

static enum status add_block(struct near_by *n, uint64_t id)
{
    struct reader *reader = n->search->reader;
    struct open_block open;

    if (n->may_count > ASK_ROWS)
        return search_merge_block(n->search, id, true);

    enum status status = reader_open_block(reader, id, &open);
    if (status != OK)
        return status;
    for (uint32_t i = 0; i < n->may_count && status == OK; i++)
        status = add_rows(n, open.block, id, n->may[i]);
    reader_close_block(reader, &open);
    return status;
}

enum status search_complete(struct search *s, uint32_t asked)
{
    struct near_by n = {.search = s};
    struct block_row *rows;
    uint32_t count;
    uint64_t low_ns, high_ns;

    if (asked == 0)
        return OK;
    if (!collect(&n, asked, &low_ns, &high_ns))
        return arena_status(&s->reader->work);
    search_add_head(s, true);
    enum status status =
        reader_blocks(s->reader, KIND_SPANS, low_ns, high_ns, &rows, &count);
    for (uint32_t i = 0; i < count && status == OK; i++) {
        status = ask_filter(&n, &rows[i]);
        if (status == OK && n.may_count > 0)
            status = add_block(&n, rows[i].id);
        if (reader_pass_over(status))
            status = OK;
    }
    for (uint32_t i = 0; i < n.count; i++) {
        n.asked[i].entry->asked = false;
        n.asked[i].entry->complete = true;
    }
    return status;
}
