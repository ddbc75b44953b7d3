/*
 * How many log records match: in all, and by time and level. ClickHouse counts
 * those that are certain; the others are read, as far as the test needs them.
 */
#include "block.h"
#include "ch_log_page.h"

/* A total for which nobody wants to wait is what was counted in this time. */
#define IMPATIENT_SECONDS 0.5

/* ---- totals ---- */

static void decode_number(void *arg, struct byte_reader *in)
{
    *(uint64_t *)arg = ch_read_u64(in);
}

static enum status take_number(void *arg)
{
    (void)arg;
    return OK;
}

static void add_patience(const struct ch_log_page *page, struct ch_sql *sql)
{
    if (page->query.counting && !page->query.counting->patient)
        CH_SQL_WITH(sql,
                    " SETTINGS max_execution_time = ?, "
                    "timeout_overflow_mode = 'break'",
                    CH_FLOAT(IMPATIENT_SECONDS));
}

/* Those that are certain, at most so many. */
static enum status count_certain(struct ch_log_page *page, uint64_t most)
{
    struct ch_rows rows = {
        .decode = decode_number, .take = take_number, .arg = &page->total};
    struct ch_sql sql;

    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT count() FROM (SELECT 1");
    ch_log_page_where(page, &sql);
    ch_log_times(&sql, page->query.start_ns, page->query.end_ns);
    CH_SQL_WITH(&sql, " AND ?", CH_PART(&page->filter.certain));
    if (most > 0)
        CH_SQL_WITH(&sql, " LIMIT ?", CH_UINT(most));
    CH_SQL(&sql, ")");
    add_patience(page, &sql);
    enum status status = ch_select(page->reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

struct log_testing {
    struct ch_log_page page; /* the first */
    uint64_t most;           /* 0: all */
    bool enough;
};

/* ERR_CANCELLED ends the request once there are enough. */
static enum status test_row(void *arg)
{
    struct log_testing *testing = arg;
    bool matches;
    enum status status = ch_log_page_test(&testing->page, &matches);

    if (status != OK || !matches)
        return status;
    testing->page.total++;
    testing->enough = testing->most > 0 && testing->page.total >= testing->most;
    return testing->enough ? ERR_CANCELLED : OK;
}

/* Adds those that are not certain, but match. */
static enum status count_tested(struct ch_log_page *page, uint64_t most)
{
    struct log_testing testing = {.page = *page, .most = most};
    struct ch_rows rows = {
        .decode = ch_log_decode, .take = test_row, .arg = &testing};
    struct ch_sql sql;

    testing.page.row.brief = true;
    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT ");
    ch_log_columns(&sql, &testing.page.row, &page->filter.certain);
    ch_log_page_where(page, &sql);
    ch_log_times(&sql, page->query.start_ns, page->query.end_ns);
    CH_SQL_WITH(&sql, " AND NOT (?)", CH_PART(&page->filter.certain));
    add_patience(page, &sql);
    enum status status = ch_select(page->reader, &sql, &rows);
    ch_sql_release(&sql);
    page->total = testing.page.total;
    page->work = testing.page.work;
    return testing.enough ? OK : status;
}

/* The page is full: there may be more. */
static enum status count_all(struct ch_log_page *page)
{
    struct count_limit *counting = page->query.counting;
    uint64_t most = counting ? counting->most : 0;
    uint64_t since = clock_monotonic_ns();
    enum status status = count_certain(page, most);

    if (status == OK && page->filter.tests && (most == 0 || page->total < most))
        status = count_tested(page, most);
    if (counting && most > 0)
        counting->stopped =
            page->total >= most ||
            (!counting->patient &&
             clock_monotonic_ns() - since >
                 (uint64_t)(IMPATIENT_SECONDS * (double)NS_PER_S));
    return status;
}

enum status ch_log_page_total(struct ch_log_page *page, uint64_t *total)
{
    struct count_limit *counting = page->query.counting;
    enum status status = OK;

    *total = page->count;
    if (page->count < page->query.limit)
        return OK;
    if (counting && counting->most > 0 && counting->most <= page->count) {
        counting->stopped = true;
        return OK;
    }
    status = count_all(page);
    /* What was inserted after it was counted may be on the page. */
    if (page->total > *total)
        *total = page->total;
    return status;
}

/* ---- by time and level ---- */

struct log_steps {
    struct ch_log_page page; /* the first */
    const struct log_counts *out;
    uint64_t step, count; /* of a row */
    uint8_t level;
};

static void add_count(const struct log_counts *out, uint64_t step,
                      uint8_t level, uint64_t count)
{
    if (step < out->steps && level < LEVEL_COUNT)
        out->counts[step][level] += count;
}

static void decode_step(void *arg, struct byte_reader *in)
{
    struct log_steps *steps = arg;

    steps->step = ch_read_u64(in);
    steps->level = ch_read_u8(in);
    steps->count = ch_read_u64(in);
}

static enum status take_step(void *arg)
{
    struct log_steps *steps = arg;

    add_count(steps->out, steps->step, steps->level, steps->count);
    return OK;
}

static enum status test_step(void *arg)
{
    struct log_steps *steps = arg;
    const struct ch_log_row *row = &steps->page.row;
    bool matches;
    enum status status = ch_log_page_test(&steps->page, &matches);

    if (status == OK && matches)
        add_count(steps->out,
                  (row->time_ns - steps->out->start_ns) / steps->out->step_ns,
                  row->level, 1);
    return status;
}

static enum status count_steps(struct log_steps *steps)
{
    const struct log_query *q = &steps->page.query;
    struct ch_rows rows = {
        .decode = decode_step, .take = take_step, .arg = steps};
    struct ch_sql sql;

    ch_sql_init(&sql);
    CH_SQL_WITH(&sql,
                "SELECT toUInt64(intDiv(toUnixTimestamp64Nano(Timestamp) - ?, "
                "?)) AS Step, Level, count()",
                CH_UINT(steps->out->start_ns), CH_UINT(steps->out->step_ns));
    ch_log_page_where(&steps->page, &sql);
    ch_log_times(&sql, q->start_ns, q->end_ns);
    CH_SQL_WITH(&sql, " AND ? GROUP BY Step, Level",
                CH_PART(&steps->page.filter.certain));
    enum status status = ch_select(steps->page.reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

static enum status test_steps(struct log_steps *steps)
{
    const struct log_query *q = &steps->page.query;
    struct ch_rows rows = {
        .decode = ch_log_decode, .take = test_step, .arg = steps};
    struct ch_sql sql;

    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT ");
    ch_log_columns(&sql, &steps->page.row, &steps->page.filter.certain);
    ch_log_page_where(&steps->page, &sql);
    ch_log_times(&sql, q->start_ns, q->end_ns);
    CH_SQL_WITH(&sql, " AND NOT (?)", CH_PART(&steps->page.filter.certain));
    enum status status = ch_select(steps->page.reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

/* The query, of the times that are counted only. */
static struct log_query within_steps(const struct log_query *query,
                                     const struct log_counts *out)
{
    struct log_query q = *query;
    uint64_t room = UINT64_MAX - out->start_ns, end = UINT64_MAX;

    if (out->step_ns <= room / out->steps)
        end = out->start_ns + out->step_ns * out->steps;
    if (q.start_ns < out->start_ns)
        q.start_ns = out->start_ns;
    if (q.end_ns > end)
        q.end_ns = end;
    q.range = (struct list_range){NULL, NULL};
    q.tail = NULL;
    return q;
}

enum status ch_count_logs(struct ch_reader *reader,
                          const struct log_query *query,
                          const struct log_counts *out)
{
    struct log_steps steps = {.out = out};
    struct ch_log_page *page = &steps.page;
    enum status status;

    if (out->steps == 0 || out->step_ns == 0)
        return OK;
    page->reader = reader;
    page->query = within_steps(query, out);
    page->ids.resources = reader->resources;
    page->row.brief = true;
    page->row.attrs = query->attr_count + query->any_count > 0;
    if (page->query.start_ns >= page->query.end_ns)
        return OK;
    arena_init(&page->work, reader->budget, CH_WORK_MAX);
    status =
        ch_log_filter_init(&page->filter, reader, &page->query, &page->work);
    if (status == OK && !page->filter.none) {
        status = count_steps(&steps);
        if (status == OK && page->filter.tests)
            status = test_steps(&steps);
    }
    ch_log_filter_release(&page->filter);
    arena_release(&page->work);
    return status;
}
