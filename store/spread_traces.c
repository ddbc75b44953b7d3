/*
 * Traces from all over a time. A list of the newest ones shows of a busy
 * component the last minutes only; here the time is cut into slices, and of
 * each slice the slowest trace, a failed one and others are taken, turn by
 * turn, until there are enough. Which ones is decided by the hashes of their
 * ids, so that the same question has the same answer.
 *
 * Of much data some blocks are left out, evenly over the time: the work is
 * bounded by SPANS_READ. Traces are known by one block's part of them until
 * they are chosen; those that are chosen are assembled together.
 */
#include <stdlib.h>

#include "array.h"
#include "hash.h"
#include "trace_search.h"

enum {
    SLICES_MAX = 50,
    SLICE_TRACES = 4, /* so few are not cut further */
    EXTREMES = 4,     /* slow and failed ones of a slice, at most */
    SPANS_READ = 300000,
};

struct outline {
    uint8_t id[16];
    uint64_t start_ns, end_ns, hash;
};

/* The first ones by an order, each in memory of its own. */
struct outline_list {
    struct top_n top;
    struct outline *spare;
};

enum { SLOWEST, FAILED, OTHERS, LISTS };

struct spread {
    struct trace_search *search;
    struct outline_list (*slices)[LISTS];
    uint32_t slice_count;
    struct block_row *rows;
    uint32_t row_count, row_room;
    uint64_t spans; /* of all rows */
    uint64_t offered;
};

static int by_hash(const void *left, const void *right)
{
    const struct outline *a = left, *b = right;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return memcmp(a->id, b->id, sizeof(a->id));
}

static int by_duration(const void *left, const void *right)
{
    const struct outline *a = left, *b = right;
    uint64_t x = a->end_ns - a->start_ns, y = b->end_ns - b->start_ns;

    return x != y ? (x > y ? -1 : 1) : by_hash(left, right);
}

static bool init_slices(struct spread *s)
{
    const struct trace_query *q = s->search->query;
    struct arena *arena = &s->search->reader->work;
    uint32_t count = q->limit / SLICE_TRACES;

    s->slice_count = count > SLICES_MAX ? SLICES_MAX : count > 0 ? count : 1;
    s->slices = arena_zero(arena, s->slice_count, sizeof(*s->slices));
    for (uint32_t i = 0; s->slices && i < s->slice_count; i++)
        for (int list = 0; list < LISTS; list++)
            s->slices[i][list].top = (struct top_n){
                .limit = list == OTHERS ? q->limit : EXTREMES,
                /* Of those that take long, the slowest are sure to. */
                .compare = list == SLOWEST || q->min_duration_ns ? by_duration
                                                                 : by_hash,
                .arena = arena};
    return s->slices;
}

static bool keep(struct outline_list *list, const struct outline *outline)
{
    const void *out;

    if (!list->spare)
        list->spare = arena_alloc(list->top.arena, sizeof(*list->spare));
    if (!list->spare)
        return false;
    *list->spare = *outline;
    if (top_n_offer(&list->top, list->spare, &out))
        list->spare = (struct outline *)(uintptr_t)out;
    return arena_status(list->top.arena) == OK;
}

static bool offer(struct spread *s, const uint8_t id[16], uint64_t start_ns,
                  uint64_t end_ns, bool failed)
{
    const struct trace_query *q = s->search->query;
    struct outline o = {.start_ns = start_ns, .end_ns = end_ns};
    uint64_t after = start_ns > q->start_ns ? start_ns - q->start_ns : 0;
    double share = (double)after / (double)(q->end_ns - q->start_ns);
    uint32_t slice = (uint32_t)(share * s->slice_count);
    struct outline_list *lists;

    if (q->max_duration_ns && end_ns - start_ns > q->max_duration_ns)
        return true;
    memcpy(o.id, id, sizeof(o.id));
    o.hash = hash_bytes(id, sizeof(o.id), 0);
    lists = s->slices[slice < s->slice_count ? slice : s->slice_count - 1];
    s->offered++;
    return keep(&lists[SLOWEST], &o) && keep(&lists[OTHERS], &o) &&
           (!failed || keep(&lists[FAILED], &o));
}

/* ---- sources ---- */

static enum status offer_memory(struct spread *s)
{
    struct trace_search *search = s->search;
    struct memtables_cursor cursor =
        memtables_cursor(search->reader, STREAM_SPANS);
    const struct span *span;

    while ((span = memtables_next_span(&cursor)))
        if (trace_is_candidate(search->query, span) &&
            !offer(s, span->trace_id, span->start_ns, span->end_ns,
                   span_failed(span)))
            return arena_status(&search->reader->work);
    return OK;
}

/* A row of the index; the block is opened later. */
static enum status note_row(void *arg, const struct block_row *row, bool *stop)
{
    struct spread *s = arg;
    struct block_row *at;
    bool has;
    enum status status = trace_block_may(s->search, row, &has);

    (void)stop;
    if (status != OK || !has)
        return status;
    at = arena_append(&s->search->reader->work, &s->rows, s->row_count,
                      &s->row_room);
    if (!at)
        return arena_status(&s->search->reader->work);
    *at = *row;
    s->row_count++;
    s->spans += row->count;
    return OK;
}

static enum status offer_block(struct spread *s, uint64_t id)
{
    const struct trace_query *q = s->search->query;
    struct block_trace *traces;
    struct open_block open;
    uint32_t count;
    enum status status = block_cursor_open(s->search->reader, id, &open);

    if (status != OK)
        return status;
    status = block_traces(open.block, q, &traces, &count);
    for (uint32_t i = 0; status == OK && i < count; i++) {
        const struct block_trace *t = &traces[i];

        if ((q->errors_only ? t->has_errors : t->matches) &&
            !offer(s, t->trace_id, t->start_ns, t->end_ns, t->has_errors))
            status = arena_status(&s->search->reader->work);
    }
    block_cursor_close(s->search->reader, &open);
    return status;
}

static enum status offer_blocks(struct spread *s, bool *partial)
{
    const struct trace_query *q = s->search->query;
    enum status status =
        block_walk_each(block_walk(s->search->reader, WALK_SPANS_NEWEST,
                                   KIND_SPANS, q->start_ns, q->end_ns),
                        note_row, s);
    double share = s->spans > SPANS_READ ? SPANS_READ / (double)s->spans : 1;
    double due = 1; /* the newest one is read */

    *partial = share < 1;
    for (uint32_t i = 0; status == OK && i < s->row_count; i++, due += share) {
        if (due < 1)
            continue;
        due -= 1;
        status = offer_block(s, s->rows[i].id);
        if (block_is_damaged(status))
            status = OK;
    }
    return status;
}

/* ---- choosing ---- */

static bool choose_one(struct spread *s, const struct top_n *list, uint32_t at)
{
    struct trace_search *search = s->search;
    const struct outline *o;
    struct trace_entry *e;

    if (at >= list->count || search->table.count >= search->query->limit)
        return false;
    o = list->at[at];
    e = trace_table_add(&search->table, o->id);
    if (!e)
        return false;
    e->matches |= !search->query->errors_only;
    if (!e->selected)
        e->part = (struct trace_part){
            .start_ns = o->start_ns, .end_ns = o->end_ns, .count = 1};
    e->selected = true;
    return true;
}

/* Turn by turn, so that each slice has as many as the others if it can. */
static void choose(struct spread *s)
{
    bool more = true;

    for (uint32_t i = 0; i < s->slice_count; i++)
        for (int list = 0; list < LISTS; list++)
            top_n_sort(&s->slices[i][list].top);
    for (uint32_t turn = 0; more; turn++) {
        more = false;
        for (int list = 0; list < LISTS; list++)
            for (uint32_t i = 0; i < s->slice_count; i++)
                more |= choose_one(s, &s->slices[i][list].top, turn);
    }
}

enum status embedded_spread_traces(struct reader *reader,
                                   const struct trace_query *query,
                                   struct arena *arena,
                                   struct spread_traces *out)
{
    struct trace_search search = {.reader = reader, .query = query};
    struct spread s = {.search = &search};
    enum status status;

    *out = (struct spread_traces){.traces = NULL};
    if (query->limit == 0 || query->end_ns <= query->start_ns)
        return OK;
    arena_reset(&reader->work);
    trace_search_init(&search);
    status = init_slices(&s) ? offer_memory(&s) : arena_status(&reader->work);
    if (status == OK)
        status = offer_blocks(&s, &out->partial);
    if (status == OK) {
        choose(&s);
        status = arena_status(&reader->work);
    }
    if (status == OK)
        status = trace_assemble(&search);
    if (status == OK)
        status = trace_page(&search, arena, &out->traces, &out->count);
    out->more = search.table.count >= query->limit || out->partial;
    return reader_status(reader, status);
}
