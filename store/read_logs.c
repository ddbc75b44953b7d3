/*
 * A page of log records or events, and how many match in all.
 *
 *   memory  every record is compared
 *   blocks  in the order of the page, newest or oldest first, one by one. The
 *           summary tells when nothing in a block can match, and, if the query
 *           is only about resources and levels and the block lies inside the
 *           time range, how many do: then it is opened only if one of its
 *           records may still get onto the page.
 *   end     once no remaining block can have a record for the page and as many
 *           are counted as the caller wants, or counting alone has cost
 *           COUNT_COST
 *   page    `limit` hits are kept in a heap as (time, arrival); the records are
 *           decoded at the end, block by block; at once where the page has room
 *           for all matches of the block, so that it is opened once.
 *
 * A tail is in the order of arrival: every block that may have a record after
 * its point is opened, since no summary has arrivals.
 *
 * Order is by time, equal times by arrival. Both are stored with the record, so
 * a page does not change when a memtable becomes a block or blocks are merged.
 */
#include "block_cursor.h"
#include "log_blocks.h"
#include "record_copy.h"
#include "top_n.h"

/* The cost of blocks that can only be counted. */
enum { COST_SUMMARY = 1, COST_OPEN = 16, COUNT_COST = 128 };

struct log_hit {
    uint64_t time_ns, arrival;
    const struct log_record *log; /* in memory; NULL: row of a block */
    uint64_t block;
    uint32_t row;
};

struct log_page {
    struct reader *reader;
    const struct log_query *query;
    struct arena *arena; /* of the answer */
    struct top_n top;
    struct log_hit *spare; /* one that was dropped from the heap */
    uint64_t total;
    uint32_t cost; /* of counting alone */
};

/* ---- the order of the page ---- */

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int ascending(const void *left, const void *right)
{
    const struct log_hit *a = left, *b = right;
    int order = compare_numbers(a->time_ns, b->time_ns);

    if (order == 0)
        order = compare_numbers(a->arrival, b->arrival);
    if (order == 0)
        order = compare_numbers(a->block, b->block);
    return order ? order : compare_numbers(a->row, b->row);
}

static int descending(const void *left, const void *right)
{
    return ascending(right, left);
}

static int arrived(const void *left, const void *right)
{
    const struct log_hit *a = left, *b = right;
    int order = compare_numbers(a->arrival, b->arrival);

    return order ? order : ascending(left, right);
}

static enum status offer(struct log_page *page, const struct log_hit *hit)
{
    struct arena *work = &page->reader->work;
    const void *out;

    if (page->query->limit == 0)
        return OK;
    if (!page->spare)
        page->spare = arena_alloc(work, sizeof(*page->spare));
    if (!page->spare)
        return arena_status(work);
    *page->spare = *hit;
    if (top_n_offer(&page->top, page->spare, &out))
        page->spare = (struct log_hit *)(uintptr_t)out;
    return arena_status(work);
}

/* Is the record in the requested part of the list? Matters only for
 * records with the time of a bound. */
static bool in_range(const struct log_query *q, uint64_t time_ns,
                     uint64_t arrival)
{
    uint8_t key[POSITION_NUMBER];

    if (q->tail)
        return arrival > q->tail->arrival;
    list_number(key, arrival);
    return list_has(&q->range, time_ns, key);
}

static enum status query_memory(struct log_page *page)
{
    struct memtables_cursor cursor =
        memtables_cursor(page->reader, STREAM_LOGS);
    const struct log_record *log;
    enum status status = OK;

    while (status == OK && (log = memtables_next_log(&cursor))) {
        if ((page->query->tail && log->arrival <= page->query->tail->arrival) ||
            !match_log(log, page->query) ||
            !in_range(page->query, log->time_ns, log->arrival))
            continue;
        const struct log_hit hit = {
            .time_ns = log->time_ns, .arrival = log->arrival, .log = log};
        page->total++;
        status = offer(page, &hit);
    }
    return status;
}

/* ---- blocks ---- */

/* Could a record of this block be on the page? */
static bool may_contribute(const struct log_page *page,
                           const struct block_row *row)
{
    const struct log_hit *last = top_n_last(&page->top);

    if (page->query->limit == 0)
        return false;
    if (!last || page->query->tail)
        return true;
    return page->query->ascending ? row->min_ns <= last->time_ns
                                  : row->max_ns >= last->time_ns;
}

static bool has_time(const struct block_row *row,
                     const struct list_position *place)
{
    return place && place->time_ns >= row->min_ns &&
           place->time_ns <= row->max_ns;
}

static bool has_bound(const struct log_query *q, const struct block_row *row)
{
    return q->tail || has_time(row, q->range.after) ||
           has_time(row, q->range.before);
}

/* Do the counts of the summary answer the query exactly for this block? */
static bool summary_is_exact(const struct log_query *q,
                             const struct block_row *row)
{
    return !has_bound(q, row) && log_summary_is_exact(q, row);
}

/* How many records of the block have the resources and levels of the query. */
static enum status count_records(const struct log_query *q,
                                 struct slice summary, uint64_t *count)
{
    uint64_t counts[LEVEL_COUNT];
    enum status status = log_summary_counts(q, summary, counts);

    *count = 0;
    for (int level = 0; level < LEVEL_COUNT; level++)
        *count += counts[level];
    return status;
}

/* What of a block is needed to put its rows in order. */
struct matching_rows {
    uint64_t *bits; /* those that match */
    const uint64_t *times, *arrivals;
};

static enum status read_row(const struct log_page *page, struct block *block,
                            uint32_t row, struct log_record *to)
{
    struct log_record log;
    enum status status = page->query->brief
                             ? block_read_log_brief(block, row, &log)
                             : block_read_log(block, row, &log);

    if (status != OK)
        return status;
    copy_log(page->arena, &log, to);
    return arena_status(page->arena);
}

/* A damaged one is found again when the page is decoded. */
static enum status read_now(const struct log_page *page, struct block *block,
                            uint32_t row, const struct log_record **out)
{
    struct log_record *to = arena_alloc(page->arena, sizeof(*to));
    enum status status =
        to ? read_row(page, block, row, to) : arena_status(page->arena);

    if (status == OK)
        *out = to;
    return status == ERR_CORRUPT || status == ERR_UNSUPPORTED ? OK : status;
}

static enum status offer_rows(struct log_page *page,
                              const struct block_row *row, struct block *block,
                              const struct matching_rows *rows, bool now)
{
    enum status status = OK;

    for (uint32_t word = 0; word < (row->count + 63) / 64; word++)
        for (uint64_t bits = rows->bits[word]; bits && status == OK;
             bits &= bits - 1) {
            uint32_t i = 64 * word + (uint32_t)__builtin_ctzll(bits);
            struct log_hit hit = {.time_ns = rows->times[i],
                                  .arrival =
                                      rows->arrivals ? rows->arrivals[i] : 0,
                                  .block = row->id,
                                  .row = i};

            if (now)
                status = read_now(page, block, i, &hit.log);
            if (status == OK)
                status = offer(page, &hit);
        }
    return status;
}

/* Removes rows outside of the requested part of the list. */
static void apply_range(const struct log_query *q, uint32_t count,
                        const struct matching_rows *rows, uint64_t *matches)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t bit = UINT64_C(1) << (i & 63);

        if (!(rows->bits[i >> 6] & bit) ||
            in_range(q, rows->times[i], rows->arrivals[i]))
            continue;
        rows->bits[i >> 6] &= ~bit;
        --*matches;
    }
}

static enum status scan_rows(struct log_page *page, const struct block_row *row,
                             struct block *block)
{
    const struct log_query *q = page->query;
    bool cut = has_bound(q, row), show = may_contribute(page, row);
    struct log_query any_time = *q;
    struct matching_rows rows = {.bits = NULL};
    uint64_t matches = 0;

    if (block_count(block) != row->count)
        return ERR_CORRUPT;
    if (log_inside_times(q, row)) { /* its times need not be decoded */
        any_time.start_ns = 0;
        any_time.end_ns = UINT64_MAX;
    }
    enum status status =
        block_match_logs(block, &any_time, &rows.bits, &matches);

    if (status == OK && matches > 0 && (cut || show)) {
        status = block_times(block, &rows.times);
        if (status == OK && (cut || !q->brief))
            status = block_arrivals(block, &rows.arrivals);
        if (status == OK && cut)
            apply_range(q, row->count, &rows, &matches);
        if (status == OK && show)
            status =
                offer_rows(page, row, block, &rows,
                           matches <= page->query->limit - page->top.count);
    }
    if (status == OK)
        page->total += matches;
    return status;
}

static enum status query_block(struct log_page *page,
                               const struct block_row *row)
{
    const struct log_query *q = page->query;
    bool show = may_contribute(page, row);
    struct open_block open;
    struct db_stmt stmt;
    struct slice summary;
    uint64_t most;

    if ((q->levels != 0 && !(q->levels & row->levels)) ||
        (q->tail && row->max_ns < q->start_ns))
        return OK;
    enum status status = block_summary(page->reader, row->id, &stmt, &summary);
    if (status != OK)
        return status;
    status = count_records(q, summary, &most);
    if (status == OK && !log_filters_may_match(q, summary))
        most = 0;
    block_summary_end(&stmt);
    if (status != OK || most == 0)
        return status;
    if (!show && summary_is_exact(q, row)) {
        page->total += most;
        return OK;
    }
    if (!show)
        page->cost += COST_OPEN;
    status = block_cursor_open(page->reader, row->id, &open);
    if (status != OK)
        return status;
    status = scan_rows(page, row, open.block);
    block_cursor_close(page->reader, &open);
    return status;
}

/* Blocks from this one on can only be counted: is that to end? */
static bool counted_enough(struct log_page *page)
{
    struct count_limit *counting = page->query->counting;

    page->cost += COST_SUMMARY;
    if (!counting || counting->most == 0 ||
        (page->total < counting->most &&
         (counting->patient || page->cost < COUNT_COST)))
        return false;
    counting->stopped = true;
    return true;
}

static enum status visit_block(void *arg, const struct block_row *row,
                               bool *stop)
{
    struct log_page *page = arg;

    *stop = !may_contribute(page, row) && counted_enough(page);
    return *stop ? OK : query_block(page, row);
}

/* ---- decoding the page ---- */

struct decoded_logs {
    const struct log_page *page;
    struct log_record *logs;
    bool *done; /* rows of damaged blocks are not */
};

static enum status decode_row(void *arg, struct block *block,
                              const struct row_place *row)
{
    struct decoded_logs *decoded = arg;
    enum status status =
        read_row(decoded->page, block, row->row, &decoded->logs[row->place]);

    decoded->done[row->place] = status == OK;
    return status;
}

static enum status decode_page(struct log_page *page, struct log_record **out,
                               uint32_t *count)
{
    struct arena *arena = page->arena, *work = &page->reader->work;
    uint32_t hits = page->top.count, rows = 0, kept = 0;
    struct decoded_logs decoded = {
        page, arena_zero(arena, hits, sizeof(struct log_record)),
        arena_zero(work, hits, sizeof(bool))};
    struct row_place *places = arena_zero(work, hits, sizeof(*places));

    if (!decoded.logs)
        return arena_status(arena);
    if (!decoded.done || !places)
        return arena_status(work);
    for (uint32_t i = 0; i < hits; i++) {
        const struct log_hit *hit = page->top.at[i];

        decoded.done[i] = hit->log != NULL;
        if (hit->log)
            decoded.logs[i] = *hit->log;
        else
            places[rows++] = (struct row_place){hit->block, hit->row, i};
    }
    enum status status =
        block_rows_each(page->reader, places, rows, decode_row, &decoded);
    if (status != OK)
        return status;
    for (uint32_t i = 0; i < hits; i++)
        if (decoded.done[i])
            decoded.logs[kept++] = decoded.logs[i];
    *out = decoded.logs;
    *count = kept;
    return page->query->brief
               ? OK
               : reader_fill_endpoints(page->reader, arena, decoded.logs, kept);
}

/* The times that the bounds of the list leave: blocks beyond are not met, and
 * in the others only records with the time of a bound are compared with it. */
static struct log_query within_range(const struct log_query *query)
{
    const struct list_range *range = &query->range;
    struct log_query q = *query;

    if (q.tail)
        return q;
    if (range->after && range->after->time_ns > q.start_ns)
        q.start_ns = range->after->time_ns;
    if (range->before && range->before->time_ns < q.end_ns)
        q.end_ns = range->before->time_ns + 1;
    return q;
}

static struct block_walk walk_of(struct reader *reader,
                                 const struct log_query *q)
{
    enum block_kind kind = q->events ? KIND_EVENTS : KIND_LOGS;

    if (q->tail)
        return block_walk(reader, WALK_ARRIVED, kind, q->tail->serial,
                          q->end_ns);
    return block_walk(reader, q->ascending ? WALK_OLDEST : WALK_NEWEST, kind,
                      q->start_ns, q->end_ns);
}

static int (*order_of(const struct log_query *q))(const void *, const void *)
{
    if (q->tail)
        return arrived;
    return q->ascending ? ascending : descending;
}

enum status embedded_query_logs(struct reader *reader,
                                const struct log_query *query,
                                struct arena *arena, struct log_record **logs,
                                uint32_t *count, uint64_t *total)
{
    const struct log_query q = within_range(query);
    struct log_page page = {.reader = reader,
                            .query = &q,
                            .arena = arena,
                            .top = {.limit = q.limit,
                                    .compare = order_of(&q),
                                    .arena = &reader->work}};

    *logs = NULL;
    *count = 0;
    arena_reset(&reader->work);
    enum status status = query_memory(&page);
    if (status == OK)
        status = block_walk_each(walk_of(reader, &q), visit_block, &page);
    if (status == OK && page.top.count > 0) {
        top_n_sort(&page.top);
        status = decode_page(&page, logs, count);
    }
    *total = page.total;
    return reader_status(reader, status);
}
