/*
 * A page of log records, and how many match in all.
 *
 *   head    every record is compared
 *   blocks  in the order of the page, newest or oldest first, one by one. The
 *           summary tells when nothing in a block can match, and, when the
 *           question is only about resources and levels and the block lies in
 *           the time asked for, how many do: then it is opened only if one of
 *           its records may still get onto the page.
 *   end     once no block that is left can have a record for the page and as
 *           many are counted as were asked for, or counting alone has cost
 *           COUNT_COST
 *   page    `limit` hits are kept in a heap as (time, arrival); the records are
 *           decoded at the end, block by block.
 *
 * Order is by time, equal times by arrival. Both are kept with the record, so a
 * page does not change when a head becomes a block or blocks are merged.
 */
#include <stdlib.h>

#include "reader.h"
#include "record_copy.h"

/* What it costs to look at blocks that can only be counted. */
enum { COST_SUMMARY = 1, COST_OPEN = 16, COUNT_COST = 128 };

struct log_hit {
    uint64_t time_ns, arrival;
    const struct log_record *log; /* of the head; NULL: row of a block */
    uint64_t block;
    uint32_t row, place;
};

struct log_page {
    struct reader *reader;
    const struct log_query *query;
    struct top top;
    struct log_hit *spare; /* one that fell out */
    uint64_t total;
    uint32_t cost; /* of counting alone */
};

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

/* False when there is no memory. */
static bool offer(struct log_page *page, const struct log_hit *hit)
{
    const void *out;

    if (page->query->limit == 0)
        return true;
    if (!page->spare)
        page->spare = arena_alloc(&page->reader->work, sizeof(*page->spare));
    if (!page->spare)
        return false;
    *page->spare = *hit;
    if (top_offer(&page->top, page->spare, &out))
        page->spare = (struct log_hit *)(uintptr_t)out;
    return true;
}

/* Is the record in the part of the list that is asked for? Only those of a
 * bound's own time need be asked. */
static bool in_range(const struct log_query *q, uint64_t time_ns,
                     uint64_t arrival)
{
    uint8_t key[POSITION_NUMBER];

    list_number(key, arrival);
    return list_has(&q->range, time_ns, key);
}

static enum status query_head(struct log_page *page)
{
    struct memtables_cursor walk = memtables_cursor(page->reader, STREAM_LOGS);
    const struct batch *batch;

    while ((batch = memtables_next(&walk)))
        for (uint32_t i = 0; i < batch->count; i++) {
            const struct log_record *log = &batch->logs[i];

            if (!match_log(log, page->query) ||
                !in_range(page->query, log->time_ns, log->arrival))
                continue;
            struct log_hit hit = {
                .time_ns = log->time_ns, .arrival = log->arrival, .log = log};
            page->total++;
            if (!offer(page, &hit))
                return arena_status(&page->reader->work);
        }
    return OK;
}

/* Could a record of this block be on the page? */
static bool may_contribute(const struct log_page *page,
                           const struct block_row *row)
{
    const struct log_hit *last = top_last(&page->top);

    if (page->query->limit == 0)
        return false;
    if (!last)
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

/* Does a summary count all that the question asks of this block? */
static bool counts_suffice(const struct log_query *q,
                           const struct block_row *row)
{
    return row->min_ns >= q->start_ns && row->max_ns < q->end_ns &&
           !has_time(row, q->range.after) && !has_time(row, q->range.before) &&
           q->phrase.len == 0 && q->word_count == 0 && q->attr_count == 0 &&
           q->any_count == 0 && !q->trace_id && !q->span_id;
}

/* How many records of the block have the resources and levels; UINT64_MAX if
 * the summary cannot tell. 0 also if a filter excludes the block. */
static uint64_t count_by_summary(const struct log_query *q,
                                 struct slice summary)
{
    uint64_t counts[LEVEL_COUNT] = {0}, sum = 0;

    if (!summary_counts(summary, q->resources, counts))
        return UINT64_MAX;
    /* Filters hold no zero ids: those are of records without a trace. */
    if (q->trace_id && !id_is_zero(q->trace_id, 16) &&
        !summary_may_have_trace(summary, q->trace_id))
        return 0;
    if (q->phrase.len > 0 && !summary_may_have_phrase(summary, q->phrase))
        return 0;
    for (uint32_t i = 0; i < q->word_count; i++)
        if (!summary_may_have_word(summary, q->words[i]))
            return 0;
    for (int level = 0; level < LEVEL_COUNT; level++)
        if (q->levels == 0 || q->levels >> level & 1)
            sum += counts[level];
    return sum;
}

/* What of a block is needed to put its rows in order. */
struct matching_rows {
    uint64_t *bits; /* those that match */
    const uint64_t *times, *arrivals;
};

static enum status offer_rows(struct log_page *page,
                              const struct block_row *row,
                              const struct matching_rows *rows)
{
    for (uint32_t word = 0; word < (row->count + 63) / 64; word++)
        for (uint64_t bits = rows->bits[word]; bits; bits &= bits - 1) {
            uint32_t i = 64 * word + (uint32_t)__builtin_ctzll(bits);
            struct log_hit hit = {.time_ns = rows->times[i],
                                  .arrival = rows->arrivals[i],
                                  .block = row->id,
                                  .row = i};

            if (!offer(page, &hit))
                return arena_status(&page->reader->work);
        }
    return OK;
}

/* Takes rows out that are not in the part of the list asked for. */
static void cut_rows(const struct log_query *q, uint32_t count,
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
    bool cut = has_time(row, q->range.after) || has_time(row, q->range.before);
    bool show = may_contribute(page, row);
    struct log_query any_time = *q;
    struct matching_rows rows;
    uint64_t matches = 0;

    if (row->min_ns >= q->start_ns && row->max_ns < q->end_ns) {
        any_time.start_ns = 0; /* its times need not be looked at */
        any_time.end_ns = UINT64_MAX;
    }
    enum status status =
        block_match_logs(block, &any_time, &rows.bits, &matches);

    if (status == OK && matches > 0 && (cut || show)) {
        status = block_times(block, &rows.times);
        if (status == OK)
            status = block_arrivals(block, &rows.arrivals);
        if (status == OK && cut)
            cut_rows(q, row->count, &rows, &matches);
        if (status == OK && show)
            status = offer_rows(page, row, &rows);
    }
    if (status == OK)
        page->total += matches;
    return status;
}

static enum status scan_block(struct log_page *page,
                              const struct block_row *row)
{
    struct open_block open;
    enum status status = reader_open_block(page->reader, row->id, &open);

    if (status != OK)
        return status;
    status = block_count(open.block) == row->count
                 ? scan_rows(page, row, open.block)
                 : ERR_CORRUPT;
    reader_close_block(page->reader, &open);
    return status;
}

static enum status query_block(struct log_page *page,
                               const struct block_row *row)
{
    const struct log_query *q = page->query;
    struct db_stmt stmt;
    struct slice summary;

    if (q->levels != 0 && !(q->levels & row->levels))
        return OK;
    enum status status = reader_summary(page->reader, row->id, &stmt, &summary);
    if (status != OK)
        return status;
    uint64_t most = count_by_summary(q, summary);
    summary_end(&stmt);

    if (most == UINT64_MAX)
        return ERR_CORRUPT;
    if (most == 0)
        return OK;
    if (counts_suffice(q, row) && !may_contribute(page, row)) {
        page->total += most;
        return OK;
    }
    if (!may_contribute(page, row))
        page->cost += COST_OPEN;
    return scan_block(page, row);
}

/* Blocks from this one on can only be counted: is that to go on? */
static bool counted_enough(struct log_page *page)
{
    struct count_limit *counting = page->query->counting;

    page->cost += COST_SUMMARY;
    if (!counting || counting->most == 0 ||
        (page->total < counting->most && page->cost < COUNT_COST))
        return false;
    counting->stopped = true;
    return true;
}

static enum status query_blocks(struct log_page *page)
{
    const struct log_query *q = page->query;
    enum block_kind kind = q->events ? KIND_EVENTS : KIND_LOGS;
    struct block_walk walk =
        block_walk(page->reader, q->ascending ? WALK_OLDEST : WALK_NEWEST, kind,
                   q->start_ns, q->end_ns);
    struct block_row row;
    enum status status = OK;

    while (status == OK && block_walk_next(&walk, &row)) {
        if (!may_contribute(page, &row) && counted_enough(page))
            break;
        status = query_block(page, &row);
        if (reader_pass_over(status))
            status = OK;
    }
    enum status end = block_walk_end(&walk);
    return status != OK ? status : end;
}

/* ---- decoding the page ---- */

static int by_block(const void *left, const void *right)
{
    const struct log_hit *a = *(const struct log_hit *const *)left;
    const struct log_hit *b = *(const struct log_hit *const *)right;
    int order = compare_numbers(a->block, b->block);

    return order ? order : compare_numbers(a->row, b->row);
}

/* Hits of one block; those of a block that turns out to be damaged are left
 * empty and marked by log == NULL, and are taken off the page. */
static enum status decode_block(struct reader *reader, struct log_hit **hits,
                                uint32_t count, struct arena *arena,
                                struct log_record *logs, bool *decoded)
{
    struct open_block open;
    enum status status = reader_open_block(reader, hits[0]->block, &open);

    if (status != OK)
        return status;
    for (uint32_t i = 0; i < count && status == OK; i++) {
        struct log_record log;

        status = block_read_log(open.block, hits[i]->row, &log);
        if (status == OK) {
            copy_log(arena, &log, &logs[hits[i]->place]);
            decoded[hits[i]->place] = true;
            status = arena_status(arena);
        }
    }
    reader_close_block(reader, &open);
    return status;
}

static enum status decode_blocks(struct log_page *page, struct arena *arena,
                                 struct log_record *logs, bool *decoded)
{
    uint32_t count = page->top.count;
    struct log_hit **hits =
        arena_zero(&page->reader->work, count, sizeof(struct log_hit *));
    uint32_t used = 0;
    enum status status = OK;

    if (!hits)
        return arena_status(&page->reader->work);
    for (uint32_t i = 0; i < count; i++) {
        struct log_hit *hit = (struct log_hit *)(uintptr_t)page->top.at[i];

        hit->place = i;
        decoded[i] = hit->log != NULL;
        if (hit->log)
            logs[i] = *hit->log;
        else
            hits[used++] = hit;
    }
    qsort(hits, used, sizeof(struct log_hit *), by_block);
    for (uint32_t i = 0; i < used && status == OK;) {
        uint32_t end = i;

        while (end < used && hits[end]->block == hits[i]->block)
            end++;
        status =
            decode_block(page->reader, hits + i, end - i, arena, logs, decoded);
        if (reader_pass_over(status))
            status = OK;
        i = end;
    }
    return status;
}

static enum status decode_page(struct log_page *page, struct arena *arena,
                               struct log_record **out, uint32_t *count)
{
    uint32_t hits = page->top.count, kept = 0;
    struct log_record *logs = arena_zero(arena, hits, sizeof(*logs));
    bool *decoded = arena_zero(&page->reader->work, hits, sizeof(*decoded));

    if (!logs)
        return arena_status(arena);
    if (!decoded)
        return arena_status(&page->reader->work);
    enum status status = decode_blocks(page, arena, logs, decoded);
    if (status != OK)
        return status;
    for (uint32_t i = 0; i < hits; i++)
        if (decoded[i])
            logs[kept++] = logs[i];
    status = reader_fill_endpoints(page->reader, arena, logs, kept);
    *out = logs;
    *count = kept;
    return status;
}

/* The times that the bounds of the list leave: blocks beyond are not met, and
 * in those that are only a bound's own time needs a closer look. */
static struct log_query within_range(const struct log_query *query)
{
    const struct list_range *range = &query->range;
    struct log_query q = *query;

    if (range->after && range->after->time_ns > q.start_ns)
        q.start_ns = range->after->time_ns;
    if (range->before && range->before->time_ns < q.end_ns)
        q.end_ns = range->before->time_ns + 1;
    return q;
}

enum status reader_query_logs(struct reader *reader,
                              const struct log_query *query,
                              struct arena *arena, struct log_record **logs,
                              uint32_t *count, uint64_t *total)
{
    const struct log_query within = within_range(query);
    struct log_page page = {
        .reader = reader,
        .query = &within,
        .top = {.limit = query->limit,
                .compare = query->ascending ? ascending : descending,
                .arena = &reader->work}};
    struct log_record *found = NULL;
    uint32_t found_count = 0;

    arena_reset(&reader->work);
    enum status status = query_head(&page);
    if (status == OK)
        status = query_blocks(&page);
    if (status == OK && page.top.count > 0) {
        top_sort(&page.top);
        status = decode_page(&page, arena, &found, &found_count);
    }
    if (status != OK)
        return reader_status(reader, status);
    *logs = found;
    *count = found_count;
    *total = page.total;
    return OK;
}
