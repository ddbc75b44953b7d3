/*
 * Traces from all over a time: it is cut into slices, and of each slice the
 * slowest trace, a failed one and others are taken, turn by turn, until there
 * are enough. Which ones is decided by hashes of their ids, so that the same
 * question has the same answer. Of much data only a share is read, evenly over
 * the time: the work is bounded by SPANS_READ. What a trace takes is known by
 * its spans in scope; all of its spans are asked for when it is chosen.
 */
#include "array.h"
#include "ch_trace_search.h"

enum {
    SLICES_MAX = 50,
    SLICE_TRACES = 4, /* so few are not cut further */
    EXTREMES = 4,     /* slow and failed ones of a slice, at most */
    PIECES = 20,      /* of a slice, of which a share is read */
    LISTS = 3,
};
#define SPANS_READ UINT64_C(3000000)

/* A row: the traces of a list and slice come in its order. */
struct spread_row {
    uint8_t list, id[16];
    uint32_t slice;
};

struct spreading {
    struct ch_trace_search *s;
    struct spread_row row;
    struct spread_row *rows;
    uint32_t count, room;
    /* Of each list and slice: the next row. */
    uint32_t next[LISTS][SLICES_MAX];
};

static void decode_row(void *arg, struct byte_reader *in)
{
    struct spreading *spread = arg;

    spread->row.list = ch_read_u8(in);
    spread->row.slice = ch_read_u32(in);
    (void)ch_read_id(in, spread->row.id, sizeof(spread->row.id));
    (void)ch_read_time64(in);
    (void)ch_read_u64(in); /* the end */
    (void)ch_read_u64(in); /* the hash */
}

static enum status take_row(void *arg)
{
    struct spreading *spread = arg;
    struct spread_row *row = arena_append(&spread->s->work, &spread->rows,
                                          spread->count, &spread->room);

    if (!row)
        return arena_status(&spread->s->work);
    if (spread->row.list >= LISTS || spread->row.slice >= SLICES_MAX)
        return ERR_CORRUPT;
    *row = spread->row;
    spread->count++;
    return OK;
}

static void decode_number(void *arg, struct byte_reader *in)
{
    *(uint64_t *)arg = ch_read_u64(in);
}

static enum status take_number(void *arg)
{
    (void)arg;
    return OK;
}

static enum status count_spans(struct ch_trace_search *s, uint64_t *spans)
{
    struct ch_rows rows = {
        .decode = decode_number, .take = take_number, .arg = spans};
    struct ch_sql sql;

    ch_sql_init(&sql);
    ch_trace_spans_sql(s, &sql);
    enum status status = ch_select(s->reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

static enum status ask_outlines(struct spreading *spread,
                                const struct ch_trace_spread *how)
{
    struct ch_rows rows = {
        .decode = decode_row, .take = take_row, .arg = spread};
    struct ch_sql sql;

    ch_sql_init(&sql);
    ch_trace_spread_sql(spread->s, &sql, how);
    enum status status = ch_select(spread->s->reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

/* ---- choosing ---- */

/* The next one of a list and slice; false: it has none. *full: there is no room
 * for it. */
static bool choose_one(struct spreading *spread, uint8_t list, uint32_t slice,
                       bool *full)
{
    struct ch_trace_search *s = spread->s;
    uint32_t *next = &spread->next[list][slice];

    while (*next < spread->count && (spread->rows[*next].list != list ||
                                     spread->rows[*next].slice != slice))
        ++*next;
    if (*next >= spread->count)
        return false;
    *full = s->count >= s->query->limit || *full;
    if (*full)
        return false;
    return ch_trace_add(s, spread->rows[(*next)++].id);
}

/* Turn by turn, so that each slice has as many as the others if it can. */
static bool choose(struct spreading *spread, uint32_t slices)
{
    bool more = true, full = false;

    while (more && !full) {
        more = false;
        for (uint8_t list = 0; list < LISTS; list++)
            for (uint32_t slice = 0; slice < slices && !full; slice++)
                more |= choose_one(spread, list, slice, &full);
    }
    return full || spread->s->count >= spread->s->query->limit;
}

static struct ch_trace_spread plan(const struct trace_query *q, uint64_t spans)
{
    uint32_t slices = q->limit / SLICE_TRACES;
    struct ch_trace_spread how = {.extremes = EXTREMES,
                                  .by_duration = q->min_duration_ns > 0,
                                  .share = 1};

    how.slices = slices > SLICES_MAX ? SLICES_MAX : slices > 0 ? slices : 1;
    how.piece_ns = (q->end_ns - q->start_ns) / (how.slices * PIECES) + 1;
    if (spans > SPANS_READ)
        how.share = (double)SPANS_READ / (double)spans;
    return how;
}

static enum status spread_traces(struct ch_trace_search *s,
                                 struct spread_traces *out)
{
    struct spreading *spread = arena_zero(&s->work, 1, sizeof(*spread));
    struct ch_trace_spread how;
    uint64_t spans = 0;
    enum status status;

    if (!spread)
        return arena_status(&s->work);
    spread->s = s;
    status = count_spans(s, &spans);
    how = plan(s->query, spans);
    if (status == OK)
        status = ask_outlines(spread, &how);
    out->partial = how.share < 1;
    out->more = choose(spread, how.slices) || out->partial;
    if (status == OK)
        status = arena_status(&s->work);
    return status == OK ? ch_trace_complete(s) : status;
}

enum status ch_spread_traces(struct ch_reader *reader,
                             const struct trace_query *query,
                             struct arena *arena, struct spread_traces *out)
{
    struct trace_query whole = *query;
    struct ch_trace_search s;
    enum status status;

    *out = (struct spread_traces){.traces = NULL};
    if (query->limit == 0 || query->end_ns <= query->start_ns)
        return OK;
    whole.range = (struct list_range){NULL, NULL};
    whole.ascending = false;
    status = ch_trace_search_init(&s, reader, &whole);
    if (status == OK && !s.none) {
        status = spread_traces(&s, out);
        if (status == OK)
            status = ch_trace_page(&s, arena, &out->traces, &out->count);
    }
    ch_trace_search_release(&s);
    return status;
}
