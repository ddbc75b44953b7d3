/*
 * A page of log records or events, and how many match in all.
 *
 *   page    in slices of time, the first one from the end of the list that is
 *           asked for, each larger than the one before: a page of the newest
 *           reads some minutes, though the query is over weeks. In a slice rows
 *           come in the order of the page, some more than it has room for if
 *           rows must be tested; after the last of them it goes on.
 *   total   what is on the page, if it has room for more; else a request of its
 *           own, which ends at as many as the caller wants to know of.
 *
 * Order is by time, equal times by arrival; both are columns.
 */
#include "ch_log_page.h"

#include "array.h"
#include "block.h"

/* The first slice, and how much larger each next one is. Events are few. */
#define FIRST_SLICE_NS  (15 * NS_PER_MIN)
#define FIRST_EVENTS_NS NS_PER_DAY
enum { SLICE_GROWTH = 8, ROWS_MAX = 20000 };

/* ---- rows ---- */

enum status ch_log_page_test(struct ch_log_page *page, bool *matches)
{
    struct log_record log;
    enum status status;

    *matches = page->row.certain;
    if (page->row.certain)
        return OK;
    arena_reset(&page->work);
    status = ch_log_take(&page->row, &page->ids, &page->work, &log);
    log.is_event = page->query.events;
    if (status == OK)
        *matches = match_log(&log, &page->query);
    return status;
}

static enum status keep_row(struct ch_log_page *page)
{
    struct log_record *log =
        arena_append(page->arena, &page->logs, page->count, &page->room);
    enum status status;

    if (!log)
        return arena_status(page->arena);
    status = ch_log_take(&page->row, &page->ids, page->arena, log);
    log->is_event = page->query.events;
    if (page->query.tail)
        log->arrival = page->row.inserted_ns;
    page->count++;
    return status;
}

static enum status take_row(void *arg)
{
    struct ch_log_page *page = arg;
    enum status status;
    bool matches;

    page->came++;
    page->last = (struct list_position){.time_ns = page->row.time_ns,
                                        .key_len = POSITION_NUMBER};
    page->last_inserted_ns = page->row.inserted_ns;
    list_number(page->last.key, page->row.arrival);
    if (page->count == page->query.limit)
        return OK;
    status = ch_log_page_test(page, &matches);
    return status == OK && matches ? keep_row(page) : status;
}

/* Rows between two positions of the list, exclusive. */
static void add_position(struct ch_sql *sql, const struct list_position *place,
                         bool after)
{
    uint64_t number = 0;

    if (!place)
        return;
    for (int i = 0; i < POSITION_NUMBER; i++)
        number = number << 8 | place->key[i];
    if (place->key_len < POSITION_NUMBER && after)
        CH_SQL_WITH(sql, " AND Timestamp > ?", CH_NS(place->time_ns));
    else if (place->key_len < POSITION_NUMBER)
        CH_SQL_WITH(sql, " AND Timestamp < ?", CH_NS(place->time_ns));
    else if (after)
        CH_SQL_WITH(sql, " AND (Timestamp, Arrival) > (?, ?)",
                    CH_NS(place->time_ns), CH_UINT(number));
    else
        CH_SQL_WITH(sql, " AND (Timestamp, Arrival) < (?, ?)",
                    CH_NS(place->time_ns), CH_UINT(number));
}

void ch_log_page_where(const struct ch_log_page *page, struct ch_sql *sql)
{
    const struct log_query *q = &page->query;

    CH_SQL(sql, " FROM ");
    ch_log_table(sql, q->events);
    CH_SQL_WITH(sql, " WHERE 1?", CH_PART(&page->filter.wanted));
    if (q->tail)
        CH_SQL_WITH(sql, " AND InsertedAt > ? AND InsertedAt <= ?",
                    CH_NS(q->tail->arrival), CH_NS(page->tail_end_ns));
    add_position(sql, q->range.after, true);
    add_position(sql, q->range.before, false);
}

/* In a tail, the same by the time of insertion. */
static void add_last(const struct ch_log_page *page, struct ch_sql *sql)
{
    if (page->query.tail)
        CH_SQL_WITH(sql, " AND InsertedAt > ?", CH_NS(page->last_inserted_ns));
    else
        add_position(sql, &page->last, page->query.ascending);
}

static void add_order(const struct ch_log_page *page, struct ch_sql *sql)
{
    if (page->query.tail)
        CH_SQL(sql, " ORDER BY InsertedAt");
    else if (page->query.ascending)
        CH_SQL(sql, " ORDER BY Timestamp, Arrival");
    else
        CH_SQL(sql, " ORDER BY Timestamp DESC, Arrival DESC");
}

/* One request for the rows of [start, end), after `last` if it is set. */
static enum status read_rows(struct ch_log_page *page, uint64_t start_ns,
                             uint64_t end_ns, bool goes_on, uint64_t limit)
{
    struct ch_rows rows = {
        .decode = ch_log_decode, .take = take_row, .arg = page};
    struct ch_sql sql;

    page->came = 0;
    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT ");
    ch_log_columns(&sql, &page->row, &page->filter.certain);
    ch_log_page_where(page, &sql);
    ch_log_times(&sql, start_ns, end_ns);
    if (goes_on)
        add_last(page, &sql);
    add_order(page, &sql);
    CH_SQL_WITH(&sql, " LIMIT ?", CH_UINT(limit));
    enum status status = ch_select(page->reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

static bool is_full(const struct ch_log_page *page)
{
    return page->count == page->query.limit;
}

/* Until the page is full or the slice has no more. */
static enum status read_slice(struct ch_log_page *page, uint64_t start_ns,
                              uint64_t end_ns)
{
    uint64_t limit = page->query.limit - page->count;
    bool goes_on = false;
    enum status status;

    if (page->filter.tests && limit < 100)
        limit = 100;
    do {
        if (limit > ROWS_MAX)
            limit = ROWS_MAX;
        status = read_rows(page, start_ns, end_ns, goes_on, limit);
        if (status != OK || page->came < limit)
            return status;
        goes_on = true;
        limit *= 4; /* what came did not match */
    } while (!is_full(page));
    return OK;
}

static uint64_t first_slice(const struct ch_log_page *page)
{
    return page->query.events ? FIRST_EVENTS_NS : FIRST_SLICE_NS;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* The time of the oldest row, so that slices do not begin in 1970; UINT64_MAX:
 * there is none. It is known without reading columns. */
static enum status take_oldest(void *arg)
{
    (void)arg;
    return OK;
}

static void decode_oldest(void *arg, struct byte_reader *in)
{
    *(uint64_t *)arg = ch_read_time64(in);
}

static enum status find_oldest(struct ch_log_page *page, uint64_t *oldest_ns)
{
    struct ch_rows rows = {
        .decode = decode_oldest, .take = take_oldest, .arg = oldest_ns};
    struct ch_sql sql;

    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT min(Timestamp) FROM ");
    ch_log_table(&sql, page->query.events);
    enum status status = ch_select(page->reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

static enum status read_oldest_first(struct ch_log_page *page)
{
    uint64_t from = page->query.start_ns, end = page->query.end_ns;
    uint64_t oldest, slice = first_slice(page);
    enum status status = OK;

    if (end - from > NS_PER_DAY) {
        status = find_oldest(page, &oldest);
        if (status == OK && from < oldest)
            from = oldest;
    }
    while (status == OK && from < end && !is_full(page)) {
        uint64_t to = plus(from, slice) < end ? plus(from, slice) : end;

        status = read_slice(page, from, to);
        from = to;
        slice *= SLICE_GROWTH;
    }
    return status;
}

/* What is in the future is in the first slice. */
static enum status read_newest_first(struct ch_log_page *page)
{
    uint64_t start = page->query.start_ns, to = page->query.end_ns;
    uint64_t now = clock_wall_ns(), slice = first_slice(page);
    uint64_t near = to < now ? to : now;
    enum status status = OK;

    while (status == OK && start < to && !is_full(page)) {
        uint64_t from = near > slice ? near - slice : 0;

        if (from < start)
            from = start;
        status = read_slice(page, from, to);
        near = to = from;
        slice = slice > UINT64_MAX / SLICE_GROWTH ? UINT64_MAX
                                                  : slice * SLICE_GROWTH;
    }
    return status;
}

static enum status read_page(struct ch_log_page *page)
{
    const struct log_query *q = &page->query;

    if (q->limit == 0 || q->start_ns >= q->end_ns)
        return OK;
    if (q->tail)
        return read_slice(page, q->start_ns, q->end_ns);
    return q->ascending ? read_oldest_first(page) : read_newest_first(page);
}

/* ---- the answer ---- */

/* The times that the bounds of the list leave. */
static struct log_query within_range(const struct log_query *query)
{
    const struct list_range *range = &query->range;
    struct log_query q = *query;

    if (q.tail) {
        q.range = (struct list_range){NULL, NULL};
        return q;
    }
    if (range->after && range->after->time_ns > q.start_ns)
        q.start_ns = range->after->time_ns;
    if (range->before && range->before->time_ns < q.end_ns)
        q.end_ns = range->before->time_ns + 1;
    return q;
}

enum status ch_query_logs(struct ch_reader *reader,
                          const struct log_query *query, struct arena *arena,
                          struct log_record **logs, uint32_t *count,
                          uint64_t *total)
{
    struct ch_log_page page = {.reader = reader,
                               .query = within_range(query),
                               .arena = arena,
                               .row = {.brief = query->brief},
                               .ids = {.resources = reader->resources}};
    enum status status;

    *logs = NULL;
    *count = 0;
    *total = 0;
    page.row.attrs = query->attr_count + query->any_count > 0;
    arena_init(&page.work, reader->budget, CH_WORK_MAX);
    status = ch_log_filter_init(&page.filter, reader, &page.query, arena);
    if (status == OK && query->tail)
        status = ch_log_tail_end(reader, &page.tail_end_ns);
    if (status == OK && !page.filter.none) {
        status = read_page(&page);
        if (status == OK)
            status = ch_log_page_total(&page, total);
    }
    ch_log_filter_release(&page.filter);
    arena_release(&page.work);
    if (status != OK)
        return status;
    *logs = page.logs;
    *count = page.count;
    return query->brief
               ? OK
               : ch_fill_endpoints(reader, arena, page.logs, page.count);
}
