/*
 * GET /api/v1/logs/tail: log records in the order of arrival.
 *
 * In: a scope, filters, and a cursor of the answer before. Out: what has
 * arrived since, and a cursor after it. Without a cursor: the last lines, or
 * all from a time on. The journal gives every batch a number that is never used
 * again; it is stored with each record, so that the position of the cursor is
 * good after restarts, and a record that is late comes when it arrives.
 *
 * A cursor is hexadecimal:
 *
 *     version u8   1
 *     arrival u64  big endian, as are the others; records up to it were seen
 *     serial u64   blocks of memtables up to it have no later record
 *     start u64    records before this time are left out; 0: none
 *     store u32    which data folder it is of
 *     check u32    of all before it
 */
#include "hex.h"
#include "log_params.h"
#include "query_wait.h"
#include "routes.h"

enum {
    LIMIT = 1000,
    LINES = 10, /* without any other start */
    LINES_MAX = 1000,
    WAIT_MAX = 30,
    VERSION = 1,
    ARRIVAL_AT = 1,
    SERIAL_AT = 9,
    START_AT = 17,
    STORE_AT = 25,
    CHECK_AT = 29,
    CURSOR = 33
};

struct log_tail_request {
    struct query_request *request;
    struct log_query query;
    struct log_ids ids;
    struct log_tail from, now;
    uint64_t start_ns; /* from `since`, startTime or the cursor; 0: none */
    bool resumed;      /* by a cursor */
    bool has_start;
    uint64_t lines, limit, wait;
    bool attributes;

    struct log_record *logs;
    uint32_t count;
    bool newest_first;
    struct log_view view;
};

/* ---- cursors ---- */

static uint64_t get_number(const uint8_t *at, int bytes)
{
    uint64_t v = 0;

    for (int i = 0; i < bytes; i++)
        v = v << 8 | at[i];
    return v;
}

static void put_number(uint8_t *to, uint64_t v, int bytes)
{
    for (int i = bytes; i-- > 0; v >>= 8)
        to[i] = (uint8_t)v;
}

static uint32_t check_of(const uint8_t *cursor)
{
    return (uint32_t)hash_bytes(cursor, CHECK_AT, 0);
}

static void write_cursor(uint8_t cursor[CURSOR], const struct log_tail *tail,
                         uint64_t start_ns)
{
    cursor[0] = VERSION;
    put_number(cursor + ARRIVAL_AT, tail->arrival, 8);
    put_number(cursor + SERIAL_AT, tail->serial, 8);
    put_number(cursor + START_AT, start_ns, 8);
    put_number(cursor + STORE_AT, tail->store, 4);
    put_number(cursor + CHECK_AT, check_of(cursor), 4);
}

static void read_cursor(struct log_tail_request *t)
{
    struct slice text = query_param(t->request, "cursor");
    uint8_t cursor[CURSOR];

    if (text.len == 0)
        return;
    if (!hex_bytes(text, cursor, sizeof(cursor)) || cursor[0] != VERSION ||
        get_number(cursor + CHECK_AT, 4) != check_of(cursor)) {
        query_invalid(t->request,
                      "cursor must be the nextCursor of an answer from this "
                      "path; leave it out to begin");
        return;
    }
    t->resumed = true;
    t->from =
        (struct log_tail){.arrival = get_number(cursor + ARRIVAL_AT, 8),
                          .serial = get_number(cursor + SERIAL_AT, 8),
                          .store = (uint32_t)get_number(cursor + STORE_AT, 4)};
    t->start_ns = get_number(cursor + START_AT, 8);
}

/* ---- the request ---- */

static void read_start(struct log_tail_request *t)
{
    struct query_request *request = t->request;
    bool has_time = query_param(request, "startTime").len > 0;
    uint64_t since = 0;

    params_query_duration(request, "since", &since);
    params_query_time(request, "startTime", &t->start_ns);
    if (since > 0 && request->now_ns > since &&
        request->now_ns - since > t->start_ns)
        t->start_ns = request->now_ns - since;
    t->has_start = has_time || since > 0;
    t->lines =
        t->has_start && !query_param(request, "lines").ptr ? UINT64_MAX : LINES;
    params_query_number(request, "lines", 0, LINES_MAX, &t->lines);
}

static enum status read_request(struct log_tail_request *t)
{
    struct query_request *request = t->request;
    struct scope_filter scope;

    params_query_scope(request, &scope);
    log_params(request, &t->query, &t->ids);
    params_query_bool(request, "includeAttributes", &t->attributes);
    params_query_number(request, "limit", 1, LIMIT, &t->limit);
    params_query_number(request, "wait", 0, WAIT_MAX, &t->wait);
    read_start(t);
    if (query_param(request, "cursor").len > 0)
        read_cursor(t);
    if (request->failed != OK)
        return request->failed;
    return params_select(request, &scope, &t->query.resources);
}

/* ---- reading ---- */

/* The last lines by their time; what arrives later comes after them. */
static enum status read_last(struct log_tail_request *t)
{
    struct count_limit counting = {.most = 1};
    uint64_t total;

    t->query.limit = (uint32_t)t->lines;
    t->query.counting = &counting;
    t->query.start_ns = t->start_ns;
    t->query.end_ns = UINT64_MAX;
    t->newest_first = true;
    t->from = t->now;
    t->start_ns = 0;
    if (t->lines == 0)
        return OK;
    return reader_query_logs(t->request->reader, &t->query, t->request->arena,
                             &t->logs, &t->count, &total);
}

/* What has arrived; t->from moves behind what is shown. */
static enum status read_arrived(struct log_tail_request *t)
{
    struct log_tail from = t->from;
    uint64_t total;
    enum status s;

    t->query.tail = &from;
    t->query.limit = (uint32_t)t->limit;
    t->query.start_ns = t->start_ns;
    t->query.end_ns = UINT64_MAX;
    s = reader_query_logs(t->request->reader, &t->query, t->request->arena,
                          &t->logs, &t->count, &total);
    if (s != OK)
        return s;
    if (total > t->count && t->count > 0) {
        t->from.arrival = t->logs[t->count - 1].arrival;
    } else {
        t->from = t->now;
        t->start_ns = 0;
    }
    return OK;
}

/* A cursor of this folder is never ahead of it. */
static enum status check_cursor(struct log_tail_request *t)
{
    if (t->resumed &&
        (t->from.store != t->now.store || t->from.arrival > t->now.arrival))
        return query_invalid(t->request,
                             "cursor is of another data folder, or of data "
                             "that was lost; leave it out to begin again");
    return OK;
}

/* ---- the answer ---- */

struct log_tail_reply {
    struct reply_list logs;
    uint8_t next_cursor[CURSOR];
    bool more;
    int64_t took_ms;
};

static const struct reply_table log_tail_table = REPLY_TABLE(
    struct log_tail_reply,
    REPLY_LIST(struct log_tail_reply, "logs", logs, &log_entry_table),
    REPLY(struct log_tail_reply, "nextCursor", next_cursor),
    REPLY(struct log_tail_reply, "more", more),
    REPLY(struct log_tail_reply, "tookMs", took_ms));

static const void *log_item(void *arg, uint32_t i)
{
    struct log_tail_request *t = arg;
    const struct log_record *log =
        &t->logs[t->newest_first ? t->count - 1 - i : i];

    return log_view_fill(&t->view, t->request, log,
                         (struct list_time){.ns = log->time_ns}, t->attributes);
}

static void answer(struct log_tail_request *t)
{
    struct log_tail_reply reply = {.logs = {t->count, NULL, log_item, t},
                                   .more = t->from.arrival != t->now.arrival,
                                   .took_ms = query_took_ms(t->request)};

    write_cursor(reply.next_cursor, &t->from, t->start_ns);
    reply_write(&t->request->json, &log_tail_table, &reply);
}

static enum status tail_logs(struct query_request *request)
{
    struct log_tail_request *t = arena_zero(request->arena, 1, sizeof(*t));
    enum status s;

    if (!t)
        return arena_status(request->arena);
    t->request = request;
    t->limit = LIMIT;
    s = read_request(t);
    if (s == OK && reader_log_tail(request->reader, &t->now) != OK)
        s = query_fail_read(request, ERR_IO);
    if (s == OK)
        s = check_cursor(t);
    if (s != OK)
        return s;
    t->from.store = t->now.store;
    s = t->resumed || t->lines == UINT64_MAX ? read_arrived(t) : read_last(t);
    if (s != OK)
        return query_fail_read(request, s);
    if (t->count == 0 && t->resumed && t->wait > 0) {
        s = query_wait_logs(request, t->now.arrival >> ARRIVAL_BITS, t->wait);
        if (s == OK)
            return OK;
        if (s == ERR_LIMITED)
            return query_fail(request, s, NULL,
                              "too many requests wait for log records; retry "
                              "later");
    }
    answer(t);
    return OK;
}

const struct route routes_log_tail[] = {
    {"GET", "/api/v1/logs/tail", ACTION_LOGS_VIEW, SCOPE_NARROWED, tail_logs,
     "L", TAKES_FORM, 0, &log_tail_table},
    {0},
};
