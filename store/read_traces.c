/*
 * A page of traces, and how many match in all. A trace matches if a span of it
 * in the scope does, while its times, its number of spans and its root are of
 * the whole trace, wherever its spans lie. So:
 *
 *   1  candidates come from memory and from blocks, in the order of the page, a
 *      few at a time (trace_candidates.c), into a table
 *   2  those that may be on the page are put together from all blocks near them
 *      (trace_assembly.c), until the page stays
 *   3  that is the page as soon as no trace that was not met can stand before
 *      its last one
 *
 * Completing can only make a trace start earlier. Newest first it can therefore
 * push a trace off the page, but not bring one on that was not there: only what
 * is on the page need be complete, and what was not met cannot stand before the
 * bound of the sources. Oldest first, and where the question is about the trace
 * as a whole (how long, failed) or the list begins in the middle, every
 * candidate is completed; oldest first a trace that was not met may have
 * started up to TRACE_NEAR_NS before the bound.
 *
 * The table holds what is on the page and what is counted, and a few candidates
 * more; what is neither is forgotten, and put together again should it be met
 * once more. So memory is bounded by the limit and by what is to be counted.
 */
#include <stdlib.h>

#include "clock.h"
#include "record_copy.h"
#include "trace_search.h"

/* Candidates at a time: at first, and after a while, when few seem to be wanted
 * and completing many together costs less; entries of the table beyond which it
 * is looked through for what can go. */
enum { TAKE_FEW = 64, TAKE_WHOLE = 512, TAKE_MOST = 8192, TABLE_FULL = 4096 };
/* Steps to look on for traces that can only be counted. */
enum { COUNT_STEPS = 8 };

/* ---- one trace ---- */

/* Is the question about the trace as a whole? */
static bool about_whole(const struct trace_query *q)
{
    return q->errors_only || q->min_duration_ns || q->max_duration_ns;
}

static bool wanted(const struct trace_query *q, const struct trace_entry *e)
{
    uint64_t duration = e->part.end_ns - e->part.start_ns;

    if (e->late) /* can be counted, if it need not be known for that */
        return !about_whole(q) && !q->range.before;
    return e->matches && e->part.count > 0 &&
           (!q->errors_only || e->part.has_errors) &&
           (q->min_duration_ns == 0 || duration >= q->min_duration_ns) &&
           (q->max_duration_ns == 0 || duration <= q->max_duration_ns) &&
           list_has(&q->range, e->part.start_ns, e->id);
}

/* Must it be complete before anything can be said of it? */
static bool must_be_whole(const struct trace_query *q,
                          const struct trace_entry *e)
{
    return q->ascending || about_whole(q) ||
           (q->range.before && e->part.start_ns >= q->range.before->time_ns);
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

/* ---- the traces of the page ---- */

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
static enum status read_roots(struct trace_search *s,
                              struct trace_entry **entries, uint32_t count,
                              struct arena *arena, struct trace_summary *traces)
{
    struct open_block open;
    enum status status =
        reader_open_block(s->reader, entries[0]->part.root.block, &open);

    if (status != OK)
        return status;
    for (uint32_t i = 0; i < count && status == OK; i++) {
        struct span span, root;

        status = block_read_span(open.block, entries[i]->part.root.row, false,
                                 &span);
        if (status != OK)
            break;
        copy_span(arena, &span, false, &root);
        summarize(entries[i], &root, &traces[entries[i]->place]);
        status = arena_status(arena);
    }
    reader_close_block(s->reader, &open);
    return status;
}

static enum status describe(struct trace_search *s, const struct top *top,
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

/* ---- the page ---- */

static struct trace_entry *entry_at(const struct top *top, uint32_t i)
{
    return (struct trace_entry *)(uintptr_t)top->at[i];
}

/* The page as it is known, and how many match. */
static void pick(struct trace_search *s)
{
    const void *out;

    s->total = 0;
    s->top.count = 0;
    for (struct trace_entry *e = s->table.first; e; e = e->next)
        if (wanted(s->query, e)) {
            s->total++;
            if (!e->late)
                top_offer(&s->top, e, &out);
        }
}

/* Asks for what is on the page and not complete; how many these are. */
static uint32_t ask_page(struct trace_search *s)
{
    uint32_t asked = 0;

    for (uint32_t i = 0; i < s->top.count; i++) {
        struct trace_entry *e = entry_at(&s->top, i);

        e->asked = !e->complete;
        asked += e->asked;
    }
    return asked;
}

static uint32_t ask_whole(struct trace_search *s)
{
    uint32_t asked = 0;

    for (struct trace_entry *e = s->table.first; e; e = e->next) {
        e->asked = !e->complete && !e->late && must_be_whole(s->query, e);
        asked += e->asked;
    }
    return asked;
}

/*
 * Oldest first, most candidates that come while the page is full start behind
 * it. Those that do so for certain, as no block before its last start has them,
 * are not put together. The page is complete.
 */
static enum status find_late(struct trace_search *s)
{
    struct count_limit *counting = s->query->counting;
    const struct trace_entry *last = top_last(&s->top);
    uint32_t asked = 0;

    if (!s->query->ascending || !last || !counting || counting->most == 0)
        return OK;
    for (struct trace_entry *e = s->table.first; e; e = e->next) {
        e->asked =
            !e->complete && !e->late && e->part.start_ns > last->part.start_ns;
        asked += e->asked;
    }
    if (asked > 0 && (about_whole(s->query) || s->query->range.before))
        counting->stopped = true;
    return search_find_late(s, asked, last->part.start_ns);
}

/* Is there nothing left to count? */
static bool counted_all(const struct trace_search *s)
{
    const struct count_limit *counting = s->query->counting;

    return counting && counting->most > 0 && s->total >= counting->most;
}

static bool is_kept(const struct trace_entry *e, void *arg)
{
    const struct trace_search *s = arg;

    return e->on_page || (!counted_all(s) && wanted(s->query, e));
}

/* Forgets what is neither on the page nor counted. The page is complete. */
static void forget(struct trace_search *s)
{
    for (struct trace_entry *e = s->table.first; e; e = e->next)
        e->on_page = false;
    for (uint32_t i = 0; i < s->top.count; i++)
        entry_at(&s->top, i)->on_page = true;
    traces_prune(&s->table, is_kept, s);
    if (counted_all(s))
        s->query->counting->stopped = true; /* others are not counted now */
}

/* Step 2. */
static enum status settle(struct trace_search *s)
{
    uint64_t before = s->total;
    enum status status = find_late(s);
    uint32_t asked;

    if (status == OK)
        status = search_complete(s, ask_whole(s));

    do {
        pick(s);
        asked = ask_page(s);
        if (status == OK)
            status = arena_status(&s->reader->work);
        if (status == OK && asked > 0)
            status = search_complete(s, asked);
    } while (status == OK && asked > 0);
    if (before > s->total) /* some that were counted are forgotten */
        s->total = before;
    if (status == OK && s->table.count > TABLE_FULL)
        forget(s);
    return status;
}

/* Step 3. The page is complete, what is missing is in the sources. */
static bool is_final(const struct trace_search *s, uint64_t bound_ns)
{
    const struct trace_query *q = s->query;
    const struct trace_entry *last = top_last(&s->top);

    if (q->limit == 0)
        return true;
    if (!last)
        return false;
    if (!q->ascending)
        return last->part.start_ns > bound_ns;
    return bound_ns > TRACE_NEAR_NS &&
           last->part.start_ns < bound_ns - TRACE_NEAR_NS;
}

/* The page is final: is counting to go on? */
static bool counted_enough(struct trace_search *s)
{
    struct count_limit *counting = s->query->counting;

    s->cost++;
    if (!counting || counting->most == 0 ||
        (s->total < counting->most && s->cost <= COUNT_STEPS))
        return false;
    counting->stopped = true;
    return true;
}

static enum status search(struct trace_search *s)
{
    const struct trace_query *q = s->query;
    bool whole = q->ascending || about_whole(q);
    uint32_t take = whole ? TAKE_WHOLE : TAKE_FEW;
    uint64_t bound;
    enum status status = sources_open(s);

    while (status == OK && sources_bound(s, &bound)) {
        uint32_t met = s->table.count;

        if (is_final(s, bound)) {
            if (counted_enough(s))
                break;
            take = take > TAKE_WHOLE ? take : TAKE_WHOLE; /* no completing */
        }
        status = sources_take(s, take > q->limit ? take : q->limit);
        if (status == OK && s->table.count > met)
            status = settle(s);
        if (whole && s->table.count > met && take < TAKE_MOST)
            take *= 2;
    }
    enum status end = sources_close(s);
    return status != OK ? status : end;
}

enum status reader_query_traces(struct reader *reader,
                                const struct trace_query *query,
                                struct arena *arena,
                                struct trace_summary **traces, uint32_t *count,
                                uint64_t *total)
{
    struct trace_search s = {
        .reader = reader,
        .query = query,
        .top = {.limit = query->limit,
                .compare = query->ascending ? ascending : descending,
                .arena = &reader->work}};
    struct trace_summary *found = NULL;

    arena_reset(&reader->work);
    if (!traces_init(&s.table, &reader->work))
        return arena_status(&reader->work);
    enum status status = search(&s);
    if (status == OK && s.top.count > 0) {
        top_sort(&s.top);
        found = arena_zero(arena, s.top.count, sizeof(*found));
        status =
            found ? describe(&s, &s.top, arena, found) : arena_status(arena);
    }
    if (status != OK)
        return reader_status(reader, status);
    *traces = found;
    *count = s.top.count;
    *total = s.total;
    return OK;
}
