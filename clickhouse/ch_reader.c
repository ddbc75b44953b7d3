/* See ch_reader.h. */
#include "ch_reader.h"

static enum status take_rows(void *arg, struct slice bytes)
{
    return ch_rows_add(arg, bytes);
}

static uint64_t deadline_of(const struct ch_reader *reader)
{
    uint64_t latest = clock_monotonic_ns() + CH_READ_MAX_NS;

    return reader->deadline_ns > 0 && reader->deadline_ns < latest
               ? reader->deadline_ns
               : latest;
}

enum status ch_reader_cancelled(const struct ch_reader *reader)
{
    if (reader->cancelled &&
        atomic_load_explicit(reader->cancelled, memory_order_relaxed))
        return ERR_CANCELLED;
    if (reader->deadline_ns > 0 && clock_monotonic_ns() >= reader->deadline_ns)
        return ERR_DEADLINE;
    return OK;
}

enum status ch_select(struct ch_reader *reader, struct ch_sql *sql,
                      struct ch_rows *rows)
{
    struct ch_request request = {.deadline_ns = deadline_of(reader),
                                 .cancelled = reader->cancelled,
                                 .probe = reader->probe,
                                 .take = take_rows,
                                 .arg = rows};
    enum status status;

    CH_SQL(sql, " FORMAT RowBinary");
    if (ch_sql_status(sql) != OK) {
        ch_error_set(&reader->error, ERR_TOO_BIG, false,
                     "the query names too many values: narrow its scope", "%s",
                     "");
        return ERR_TOO_BIG;
    }
    request.sql = ch_sql_text(sql);
    ch_rows_begin(rows, reader->budget);
    status = ch_run(reader->client, &request, &reader->error);
    if (status == OK) {
        status = ch_rows_end(rows);
        if (status == ERR_CORRUPT)
            ch_error_set(&reader->error, status, false,
                         "ClickHouse's answer has not the columns that were "
                         "asked for",
                         "%s", "");
    }
    ch_rows_release(rows);
    return status;
}
