/*
 * Where are the spans of these traces? In memory, or in the blocks near their
 * known spans in time, if the block's filter may have the trace. A filter is
 * wrong now and then, so a block is opened for nothing now and then: with few
 * traces to look up only their rows are read, not all traces of the block.
 *
 * What is found may lie further out than what was known: then blocks near that
 * are searched, too. A span that runs for long is near all that time, for an
 * hour.
 */
#include "clock.h"
#include "trace_search.h"

enum { FEW_TRACES = 64, LARGE_ROWS = 256, ROUNDS = 4 };

/* A trace whose known time grew by less has met its neighbours already. */
#define GROWN_NS    NS_PER_MIN
#define LOOKBACK_NS NS_PER_HOUR

struct nearby_search {
    struct trace_search *search;
    uint64_t low_ns, high_ns;            /* near any of the traces */
    struct trace_entry *may[FEW_TRACES]; /* this block's filter may have them */
    uint32_t may_count;                  /* more than FEW_TRACES: too many */
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

/* Near the trace, and not searched in a round before. */
static bool is_near(const struct trace_lookup *l, const struct block_row *row)
{
    return lies_within(row, before(l->start_ns), after(l->end_ns)) &&
           (l->high_ns == 0 || !lies_within(row, l->low_ns, l->high_ns));
}

/* ---- the traces to look up ---- */

static void reset_bounds(struct nearby_search *n)
{
    n->low_ns = UINT64_MAX;
    n->high_ns = 0;
}

static void widen(struct nearby_search *n, const struct trace_lookup *l)
{
    if (before(l->start_ns) < n->low_ns)
        n->low_ns = before(l->start_ns);
    if (after(l->end_ns) > n->high_ns)
        n->high_ns = after(l->end_ns);
}

/* Notes the known times of the traces that are selected. False: no memory. */
static bool collect(struct nearby_search *n)
{
    struct trace_search *s = n->search;
    uint32_t selected = 0;

    for (uint32_t i = 0; i < s->table.count; i++)
        selected += s->table.at[i]->selected;
    if (s->lookup_room < selected) {
        s->lookups = arena_alloc(&s->reader->work,
                                 (size_t)selected * sizeof(*s->lookups));
        s->lookup_room = s->lookups ? selected : 0;
    }
    if (s->lookup_room < selected)
        return false;
    reset_bounds(n);
    s->lookup_count = 0;
    for (uint32_t i = 0; i < s->table.count; i++) {
        struct trace_entry *e = s->table.at[i];

        if (!e->selected)
            continue;
        s->lookups[s->lookup_count] =
            (struct trace_lookup){e, e->part.start_ns, e->part.end_ns, 0, 0};
        widen(n, &s->lookups[s->lookup_count++]);
    }
    return true;
}

/* Keeps those that turned out to be longer. */
static void collect_grown(struct nearby_search *n)
{
    struct trace_search *s = n->search;
    uint32_t grown = 0;

    reset_bounds(n);
    for (uint32_t i = 0; i < s->lookup_count; i++) {
        struct trace_lookup *l = &s->lookups[i];
        const struct trace_part *part = &l->entry->part;

        if (part->count == 0 || (part->start_ns + GROWN_NS >= l->start_ns &&
                                 part->end_ns <= l->end_ns + GROWN_NS)) {
            l->entry->selected = false;
            continue;
        }
        struct trace_lookup next = {l->entry, part->start_ns, part->end_ns,
                                    before(l->start_ns), after(l->end_ns)};
        s->lookups[grown++] = next;
        widen(n, &next);
    }
    s->lookup_count = grown;
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

    trace_entry_merge(entry, &part);
}

static void add_memory(struct trace_search *s)
{
    struct memtables_cursor cursor = memtables_cursor(s->reader, STREAM_SPANS);
    const struct span *span;

    while ((span = memtables_next_span(&cursor))) {
        const struct trace_root root = {.span = span};
        struct trace_entry *e = trace_table_find(&s->table, span->trace_id);

        if (!e || !e->selected)
            continue;
        add_span(s, e, span, &root);
        if (!e->matches)
            e->matches = match_span(span, s->query);
    }
}

/* ---- blocks ---- */

/* Visits the traces that are selected, near the block and may be in it, until
 * the visit returns false. */
static enum status each_nearby(struct nearby_search *n,
                               const struct block_row *row,
                               bool (*visit)(struct nearby_search *n,
                                             struct trace_entry *entry))
{
    struct trace_search *s = n->search;
    struct db_stmt stmt;
    struct slice summary;
    uint32_t i = 0;

    while (i < s->lookup_count &&
           !(s->lookups[i].entry->selected && is_near(&s->lookups[i], row)))
        i++;
    if (i == s->lookup_count)
        return OK;
    enum status status = block_summary(s->reader, row->id, &stmt, &summary);
    if (status != OK)
        return status;
    struct slice filter = summary_trace_filter(summary);
    for (; i < s->lookup_count; i++) {
        const struct trace_lookup *l = &s->lookups[i];

        if (l->entry->selected && is_near(l, row) &&
            trace_filter_may_have(filter, l->entry->id) && !visit(n, l->entry))
            break;
    }
    block_summary_end(&stmt);
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

/* All traces of the block that are selected and near it. */
static enum status add_traces(const struct nearby_search *n,
                              struct block *block, const struct block_row *row)
{
    struct trace_search *s = n->search;
    struct block_trace *traces;
    uint32_t count;
    enum status status = block_traces(block, s->query, &traces, &count);

    for (uint32_t i = 0; i < count && status == OK; i++) {
        const struct block_trace *t = &traces[i];
        struct trace_entry *e = trace_table_find(&s->table, t->trace_id);

        if (!e || !e->selected || t->count == 0 ||
            !is_near(&s->lookups[e->place], row))
            continue;
        struct trace_part part = {.start_ns = t->start_ns,
                                  .end_ns = t->end_ns,
                                  .count = t->count,
                                  .has_root = t->has_root,
                                  .has_errors = t->has_errors,
                                  .root = {.block = row->id, .row = t->root}};
        trace_entry_merge(e, &part);
        e->matches |= t->matches;
    }
    return status;
}

/* Has one of them so many rows that the columns of the block are read faster?
 */
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

static bool note_may(struct nearby_search *n, struct trace_entry *entry)
{
    if (n->may_count < FEW_TRACES)
        n->may[n->may_count] = entry;
    return ++n->may_count <= FEW_TRACES;
}

static enum status add_block(void *arg, const struct block_row *row, bool *stop)
{
    struct nearby_search *n = arg;
    struct reader *reader = n->search->reader;
    struct open_block open;
    bool all;

    (void)stop;
    n->may_count = 0;
    enum status status = each_nearby(n, row, note_may);
    if (status != OK || n->may_count == 0)
        return status;
    status = block_cursor_open(reader, row->id, &open);
    if (status != OK)
        return status;
    /* Whether a trace matches is known for its block as a whole only. */
    all = n->may_count > FEW_TRACES || n->search->query->errors_only;
    if (!all)
        status = has_large(n, open.block, &all);
    if (all && status == OK)
        status = add_traces(n, open.block, row);
    for (uint32_t i = 0; !all && i < n->may_count && status == OK; i++)
        status = add_rows(n, open.block, row->id, n->may[i]);
    block_cursor_close(reader, &open);
    return status;
}

enum status trace_assemble(struct trace_search *s)
{
    struct nearby_search n = {.search = s};
    enum status status = OK;

    if (!collect(&n))
        return arena_status(&s->reader->work);
    if (s->lookup_count == 0)
        return OK;
    for (uint32_t i = 0; i < s->lookup_count; i++)
        s->lookups[i].entry->part = (struct trace_part){0};
    add_memory(s);
    for (int round = 0; round < ROUNDS && s->lookup_count > 0 && status == OK;
         round++) {
        for (uint32_t i = 0; i < s->lookup_count; i++) {
            s->lookups[i].entry->place = i;
            s->lookups[i].entry->complete = true;
        }
        status = block_walk_each(block_walk(s->reader, WALK_SPANS_NEAR,
                                            KIND_SPANS, n.low_ns, n.high_ns),
                                 add_block, &n);
        collect_grown(&n);
    }
    for (uint32_t i = 0; i < s->table.count; i++)
        s->table.at[i]->selected = false;
    return status;
}

/* ---- traces that cannot be on a page that is full ---- */

static bool deselect(struct nearby_search *n, struct trace_entry *entry)
{
    (void)n;
    entry->selected = false;
    return true;
}

static enum status deselect_block(void *arg, const struct block_row *row,
                                  bool *stop)
{
    (void)stop;
    return each_nearby(arg, row, deselect);
}

static void deselect_memory(struct trace_search *s, uint64_t start_ns)
{
    struct memtables_cursor cursor = memtables_cursor(s->reader, STREAM_SPANS);
    const struct span *span;

    while ((span = memtables_next_span(&cursor))) {
        struct trace_entry *e =
            span->start_ns <= start_ns
                ? trace_table_find(&s->table, span->trace_id)
                : NULL;

        if (e)
            e->selected = false;
    }
}

enum status trace_find_late(struct trace_search *s, uint64_t start_ns)
{
    struct nearby_search n = {.search = s};

    if (!collect(&n))
        return arena_status(&s->reader->work);
    if (s->lookup_count == 0)
        return OK;
    deselect_memory(s, start_ns);
    enum status status = block_walk_each(
        block_walk(s->reader, WALK_SPANS_NEAR, KIND_SPANS, n.low_ns,
                   start_ns < UINT64_MAX ? start_ns + 1 : start_ns),
        deselect_block, &n);
    for (uint32_t i = 0; i < s->lookup_count; i++) {
        s->lookups[i].entry->late = s->lookups[i].entry->selected;
        s->lookups[i].entry->selected = false;
    }
    return status;
}
