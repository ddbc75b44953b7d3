/*
 * A page of traces, and how many match in all. The order is that of whole
 * traces, whose spans lie anywhere: so candidates come in slices of time, from
 * the end of the list that is asked for, each slice larger than the one before,
 * and of a slice some more than the page has room for. All of their spans are
 * asked for. The page is final when no trace that was not met can stand before
 * its last one: newest first a trace starts no later than any candidate of it;
 * oldest first not more than CH_TRACE_NEAR_NS before the first one.
 *
 * The total is what was met, if all slices were read; else a request counts, up
 * to as many as the caller wants to know of.
 */
#include "ch_trace_search.h"

#define FIRST_SLICE_NS (15 * NS_PER_MIN)
/* The most that counting may take where the caller is not patient. */
#define COUNT_NS (1 * NS_PER_S)
enum { SLICE_GROWTH = 8, CANDIDATES_MOST = 8192, SLICES = 64 };

/* ---- the slices ---- */

struct slice_list {
    struct ch_trace_slice at[SLICES]; /* in order of the page */
    uint32_t count;
};

static uint64_t minus(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
    return a < UINT64_MAX - b ? a + b : UINT64_MAX;
}

static void add_slice(struct slice_list *list, uint64_t low_ns,
                      uint64_t high_ns, int kind)
{
    if (low_ns < high_ns && list->count < SLICES)
        list->at[list->count++] =
            (struct ch_trace_slice){low_ns, high_ns, (uint8_t)kind};
}

/* [low, high) in parts that grow from one end; what is in the future is in one
 * with the present. */
static void add_parts(struct slice_list *list, uint64_t low_ns,
                      uint64_t high_ns, bool ascending)
{
    uint64_t now = clock_wall_ns(), size = FIRST_SLICE_NS;
    uint64_t near = high_ns < now ? high_ns : now, end = high_ns;

    if (ascending) {
        for (uint64_t to; low_ns < high_ns; low_ns = to) {
            to = plus(low_ns, size) < high_ns ? plus(low_ns, size) : high_ns;
            add_slice(list, low_ns, to, CH_SLICE_WITHIN);
            size *= SLICE_GROWTH;
        }
        return;
    }
    while (low_ns < end) {
        uint64_t from = minus(near, size) > low_ns ? minus(near, size) : low_ns;

        add_slice(list, from, end, CH_SLICE_WITHIN);
        near = end = from;
        size *= SLICE_GROWTH;
    }
}

/* Spans that start before the time and reach into it. */
static void add_before(struct slice_list *list, uint64_t low_ns, bool ascending)
{
    uint64_t early = minus(low_ns, CH_TRACE_LONG_NS);

    if (ascending)
        add_slice(list, 0, early, CH_SLICE_LONG);
    add_slice(list, early, low_ns, CH_SLICE_BEFORE);
    if (!ascending)
        add_slice(list, 0, early, CH_SLICE_LONG);
}

static void make_slices(const struct trace_query *q, struct slice_list *list)
{
    const struct list_position *after = q->range.after;
    const struct list_position *before = q->range.before;
    uint64_t low = q->start_ns, high = q->end_ns, across = 0;
    bool from_start = true;

    if (q->errors_only) {
        low = minus(low, CH_TRACE_LONG_NS);
        high = plus(high, CH_TRACE_LONG_NS);
    }
    /* Spans of a trace start no earlier than it, and some minutes later. */
    if (after && after->time_ns > low) {
        low = after->time_ns;
        from_start = false;
    }
    if (before && before->time_ns < high) {
        across = plus(before->time_ns, CH_TRACE_NEAR_NS);
        across = across < high ? across : high;
        high = before->time_ns + 1;
    }
    if (across && !q->ascending)
        add_slice(list, high, across, CH_SLICE_ACROSS);
    if (from_start && q->ascending)
        add_before(list, low, true);
    add_parts(list, low, high, q->ascending);
    if (from_start && !q->ascending)
        add_before(list, low, false);
    if (across && q->ascending)
        add_slice(list, high, across, CH_SLICE_ACROSS);
}

/* ---- candidates ---- */

struct trace_list_reader {
    struct ch_trace_search s;
    uint8_t id[16]; /* of a row */
    uint64_t time_ns;
    uint64_t came, first_ns, last_ns; /* rows of a request */
    uint64_t bound_ns; /* no trace that was not met is before it */
    uint64_t soon_ns;  /* when an impatient caller has waited for counting */
};

static void decode_candidate(void *arg, struct byte_reader *in)
{
    struct trace_list_reader *r = arg;

    (void)ch_read_id(in, r->id, sizeof(r->id));
    r->time_ns = ch_read_time64(in);
}

static enum status take_candidate(void *arg)
{
    struct trace_list_reader *r = arg;

    if (r->came++ == 0)
        r->first_ns = r->time_ns;
    r->last_ns = r->time_ns;
    return ch_trace_add(&r->s, r->id) ? OK : arena_status(&r->s.work);
}

static enum status ask_candidates(struct trace_list_reader *r,
                                  const struct ch_trace_slice *slice,
                                  uint64_t limit)
{
    struct ch_rows rows = {
        .decode = decode_candidate, .take = take_candidate, .arg = r};
    struct ch_sql sql;

    r->came = 0;
    ch_sql_init(&sql);
    ch_trace_candidates_sql(&r->s, &sql, slice, limit);
    enum status status = ch_select(r->s.reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

/* Spans that are tested by us cannot be counted by ClickHouse: the search goes
 * on until enough match. */
static bool counted_enough(const struct trace_list_reader *r, uint64_t count)
{
    const struct count_limit *counting = r->s.query->counting;

    if (!r->s.tests)
        return true;
    return counting && counting->most > 0 &&
           (count >= counting->most ||
            (!counting->patient && clock_monotonic_ns() > r->soon_ns));
}

static bool is_final(struct trace_list_reader *r)
{
    const struct trace_query *q = r->s.query;
    bool full;
    uint64_t last_ns, count = ch_trace_count(&r->s, &full, &last_ns);

    if (!full || !counted_enough(r, count))
        return false;
    if (q->limit == 0)
        return true;
    if (!q->ascending)
        return last_ns > r->bound_ns;
    return r->bound_ns > CH_TRACE_NEAR_NS &&
           last_ns < r->bound_ns - CH_TRACE_NEAR_NS;
}

/* The rest of the slice behind the last candidate, whose time has others. */
static void advance(struct trace_list_reader *r, struct ch_trace_slice *slice)
{
    r->bound_ns = r->last_ns;
    if (r->s.query->ascending)
        slice->low_ns = r->last_ns;
    else
        slice->high_ns = r->last_ns + 1;
}

/* Until the slice has no more, or the page is final. */
static enum status read_slice(struct trace_list_reader *r,
                              struct ch_trace_slice slice, uint64_t *limit,
                              bool *final)
{
    enum status status = OK;
    bool more = true;

    while (status == OK && more && !*final) {
        uint32_t met = r->s.count;

        status = ask_candidates(r, &slice, *limit);
        if (status == OK && r->s.count > met)
            status = ch_trace_complete(&r->s);
        more = r->came == *limit;
        if (more)
            advance(r, &slice);
        else
            r->bound_ns =
                r->s.query->ascending ? slice.high_ns : minus(slice.low_ns, 1);
        if (status == OK)
            *final = is_final(r);
        if (*limit < CANDIDATES_MOST || r->first_ns == r->last_ns)
            *limit *= 2;
    }
    return status;
}

/* ---- how many ---- */

static void decode_total(void *arg, struct byte_reader *in)
{
    *(uint64_t *)arg = ch_read_u64(in);
}

static enum status take_total(void *arg)
{
    (void)arg;
    return OK;
}

static enum status ask_total(struct trace_list_reader *r, uint64_t most,
                             uint64_t *total)
{
    struct ch_rows rows = {
        .decode = decode_total, .take = take_total, .arg = total};
    struct ch_sql sql;

    ch_sql_init(&sql);
    ch_trace_total_sql(&r->s, &sql, most);
    enum status status = ch_select(r->s.reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

/* At least what is known; an impatient caller gets that if counting takes long.
 */
static enum status count_all(struct trace_list_reader *r, uint64_t known,
                             uint64_t *total)
{
    struct count_limit *counting = r->s.query->counting;
    uint64_t most = counting ? counting->most : 0, count = 0;
    uint64_t deadline = r->s.reader->deadline_ns;
    uint64_t soon = clock_monotonic_ns() + COUNT_NS;
    bool hurry =
        most > 0 && !counting->patient && (deadline == 0 || soon < deadline);

    *total = known;
    if (most > 0 && known >= most) {
        counting->stopped = true;
        return OK;
    }
    if (hurry)
        r->s.reader->deadline_ns = soon;
    enum status status = ask_total(r, most, &count);
    r->s.reader->deadline_ns = deadline;
    if (status == ERR_DEADLINE && hurry) {
        counting->stopped = true;
        return OK;
    }
    if (count > known)
        *total = count;
    if (most > 0 && *total >= most)
        counting->stopped = true;
    return status;
}

/* ---- the list ---- */

static enum status read_list(struct trace_list_reader *r, uint64_t *total)
{
    const struct trace_query *q = r->s.query;
    struct slice_list slices = {.count = 0};
    uint64_t limit = (uint64_t)q->limit + q->limit / 4 + 16, last_ns;
    bool final = q->limit == 0 && counted_enough(r, 0), full;
    enum status status = OK;

    make_slices(q, &slices);
    for (uint32_t i = 0; i < slices.count && status == OK && !final; i++)
        status = read_slice(r, slices.at[i], &limit, &final);
    if (status != OK)
        return status;
    *total = ch_trace_count(&r->s, &full, &last_ns);
    if (final && r->s.tests)
        q->counting->stopped = true;
    return final && !r->s.tests ? count_all(r, *total, total) : OK;
}

enum status ch_query_traces(struct ch_reader *reader,
                            const struct trace_query *query,
                            struct arena *arena, struct trace_summary **traces,
                            uint32_t *count, uint64_t *total)
{
    struct trace_list_reader r;
    enum status status;

    *traces = NULL;
    *count = 0;
    *total = 0;
    memset(&r, 0, sizeof(r));
    r.soon_ns = clock_monotonic_ns() + COUNT_NS;
    status = ch_trace_search_init(&r.s, reader, query);
    if (status == OK && !r.s.none && query->start_ns < query->end_ns) {
        status = read_list(&r, total);
        if (status == OK)
            status = ch_trace_page(&r.s, arena, traces, count);
    }
    ch_trace_search_release(&r.s);
    return status;
}
