/*
 * A page of traces, and how many match in all. A trace matches if a span of it
 * in the scope does, while its times, its number of spans and its root are of
 * the whole trace, wherever its spans are. So:
 *
 *   1  candidates come from memory and from blocks, in the order of the page, a
 *      few at a time (trace_candidates.c), into a table
 *   2  those that may be on the page are assembled from all blocks near them
 *      (trace_assembly.c), until the page stays the same
 *   3  that is the page as soon as no trace that was not met can stand before
 *      its last one
 *
 * Assembling can only make a trace start earlier. Newest first it can therefore
 * push a trace off the page, but not bring one on that was not there: only what
 * is on the page need be complete, and what was not met cannot stand before the
 * bound of the candidates. Oldest first, and where the query is about the trace
 * as a whole (duration, errors) or the list begins in the middle, every
 * candidate is assembled; oldest first a trace that was not met may have
 * started up to TRACE_NEAR_NS before the bound.
 *
 * The table holds what is on the page and what is counted, and a few candidates
 * more; the rest is removed, and assembled again should it be met once more. So
 * memory is bounded by the limit and by how many are to be counted.
 */
#include "clock.h"
#include "record_copy.h"
#include "trace_search.h"

/* Candidates at a time: at first, and after a while, when few are wanted and
 * completing many together costs less; entries of the table above which it is
 * pruned. */
enum { TAKE_FEW = 64, TAKE_WHOLE = 512, TAKE_MOST = 8192, TABLE_FULL = 4096 };
/* Steps to look on for traces that can only be counted. */
enum { COUNT_STEPS = 8 };

/* ---- one trace ---- */

/* Is the query about the trace as a whole? */
static bool about_whole(const struct trace_query *q)
{
    return q->errors_only || q->min_duration_ns || q->max_duration_ns;
}

static bool trace_matches(const struct trace_query *q,
                          const struct trace_entry *e)
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

/* Must it be complete before it can be put in order, or counted? Its start may
 * be earlier than that of the spans that were met. */
static bool must_be_whole(const struct trace_query *q,
                          const struct trace_entry *e)
{
    return q->ascending || about_whole(q) || q->range.after ||
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

struct described_traces {
    const struct top_n *top;
    struct arena *arena;
    struct trace_summary *traces;
};

static enum status describe_row(void *arg, struct block *block,
                                const struct row_place *row)
{
    struct described_traces *described = arg;
    struct span span, root;
    enum status status = block_read_span(block, row->row, false, &span);

    if (status != OK)
        return status;
    copy_span(described->arena, &span, false, &root);
    summarize(described->top->at[row->place], &root,
              &described->traces[row->place]);
    return arena_status(described->arena);
}

static enum status describe(struct trace_search *s, struct arena *arena,
                            struct trace_summary *traces)
{
    static const struct span none = {.resource_id = RESOURCE_NONE};
    struct described_traces described = {&s->top, arena, traces};
    struct row_place *rows =
        arena_zero(&s->reader->work, s->top.count, sizeof(*rows));
    uint32_t count = 0;

    if (!rows)
        return arena_status(&s->reader->work);
    for (uint32_t i = 0; i < s->top.count; i++) {
        const struct trace_entry *e = s->top.at[i];
        const struct trace_root *root = &e->part.root;

        /* A root that cannot be read leaves what is known without it. */
        summarize(e, root->span ? root->span : &none, &traces[i]);
        if (!root->span)
            rows[count++] = (struct row_place){root->block, root->row, i};
    }
    return block_rows_each(s->reader, rows, count, describe_row, &described);
}

/* ---- the page ---- */

static struct trace_entry *entry_at(const struct top_n *top, uint32_t i)
{
    return (struct trace_entry *)(uintptr_t)top->at[i];
}

/* The page as it is known, and how many match. */
static void pick(struct trace_search *s)
{
    const void *out;

    s->total = 0;
    s->top.count = 0;
    for (uint32_t i = 0; i < s->table.count; i++) {
        struct trace_entry *e = s->table.at[i];

        if (!trace_matches(s->query, e))
            continue;
        s->total++;
        if (!e->late)
            top_n_offer(&s->top, e, &out);
    }
}

/* Selects what is on the page and not complete; false if all is complete. */
static bool select_page(struct trace_search *s)
{
    bool any = false;

    for (uint32_t i = 0; i < s->top.count; i++) {
        struct trace_entry *e = entry_at(&s->top, i);

        e->selected = !e->complete;
        any |= e->selected;
    }
    return any;
}

static void select_whole(struct trace_search *s)
{
    for (uint32_t i = 0; i < s->table.count; i++) {
        struct trace_entry *e = s->table.at[i];

        e->selected = !e->complete && !e->late && must_be_whole(s->query, e);
    }
}

/*
 * Oldest first, most candidates that come while the page is full start after
 * it. Those that certainly do so, because no block before its last start has
 * them, are not assembled. The page is complete.
 */
static enum status find_late(struct trace_search *s)
{
    struct count_limit *counting = s->query->counting;
    const struct trace_entry *last = top_n_last(&s->top);
    bool any = false;

    if (!s->query->ascending || !last || !counting || counting->most == 0)
        return OK;
    for (uint32_t i = 0; i < s->table.count; i++) {
        struct trace_entry *e = s->table.at[i];

        e->selected =
            !e->complete && !e->late && e->part.start_ns > last->part.start_ns;
        any |= e->selected;
    }
    if (any && (about_whole(s->query) || s->query->range.before))
        counting->stopped = true;
    return trace_find_late(s, last->part.start_ns);
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

    return e->on_page || (!counted_all(s) && trace_matches(s->query, e));
}

/* Removes what is neither on the page nor counted. The page is complete. */
static void prune(struct trace_search *s)
{
    for (uint32_t i = 0; i < s->table.count; i++)
        s->table.at[i]->on_page = false;
    for (uint32_t i = 0; i < s->top.count; i++)
        entry_at(&s->top, i)->on_page = true;
    trace_table_prune(&s->table, is_kept, s);
    if (counted_all(s))
        s->query->counting->stopped = true; /* others are not counted now */
}

/* Step 2. */
static enum status settle(struct trace_search *s)
{
    uint64_t before = s->total;
    enum status status = find_late(s);
    bool more = status == OK;

    if (status == OK) {
        select_whole(s);
        status = trace_assemble(s);
    }
    while (status == OK && more) {
        pick(s);
        more = select_page(s);
        status = arena_status(&s->reader->work);
        if (status == OK && more)
            status = trace_assemble(s);
    }
    if (before > s->total) /* some that were counted were removed */
        s->total = before;
    if (status == OK && s->table.count > TABLE_FULL)
        prune(s);
    return status;
}

/* Step 3. The page is complete, what is missing is in the sources. */
static bool is_final(const struct trace_search *s, uint64_t bound_ns)
{
    const struct trace_query *q = s->query;
    const struct trace_entry *last = top_n_last(&s->top);

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
        (s->total < counting->most &&
         (counting->patient || s->cost <= COUNT_STEPS)))
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
    enum status status = trace_candidates_open(s);

    while (status == OK && trace_candidates_bound(s, &bound)) {
        uint32_t met = s->table.count;

        if (is_final(s, bound)) {
            if (counted_enough(s))
                break;
            take =
                take > TAKE_WHOLE ? take : TAKE_WHOLE; /* none is assembled */
        }
        status = trace_candidates_take(s, take > q->limit ? take : q->limit);
        if (status == OK && s->table.count > met)
            status = settle(s);
        if (whole && s->table.count > met && take < TAKE_MOST)
            take *= 2;
    }
    enum status end = trace_candidates_close(s);
    return status != OK ? status : end;
}

void trace_search_init(struct trace_search *s)
{
    s->top =
        (struct top_n){.limit = s->query->limit,
                       .compare = s->query->ascending ? ascending : descending,
                       .arena = &s->reader->work};
    trace_table_init(&s->table, &s->reader->work);
}

static enum status write_page(struct trace_search *s, struct arena *arena,
                              struct trace_summary **traces, uint32_t *count)
{
    *count = s->top.count;
    if (s->top.count == 0)
        return OK;
    top_n_sort(&s->top);
    *traces = arena_zero(arena, s->top.count, sizeof(**traces));
    return *traces ? describe(s, arena, *traces) : arena_status(arena);
}

enum status trace_page(struct trace_search *s, struct arena *arena,
                       struct trace_summary **traces, uint32_t *count)
{
    pick(s);
    enum status status = arena_status(&s->reader->work);

    return status == OK ? write_page(s, arena, traces, count) : status;
}

enum status embedded_query_traces(struct reader *reader,
                                  const struct trace_query *query,
                                  struct arena *arena,
                                  struct trace_summary **traces,
                                  uint32_t *count, uint64_t *total)
{
    struct trace_search s = {.reader = reader, .query = query};

    *traces = NULL;
    *count = 0;
    arena_reset(&reader->work);
    trace_search_init(&s);
    enum status status = search(&s);
    if (status == OK)
        status = write_page(&s, arena, traces, count);
    *total = s.total;
    return reader_status(reader, status);
}
