/*
 * A log record takes the endpoint of its span. The spans of the records' traces
 * are asked for, by id, around the times of the records; of a bounded number of
 * traces: a page of logs must stay quick, and an endpoint that is not known is
 * an ordinary answer.
 */
#include "array.h"
#include "ch_log_page.h"
#include "map.h"

enum { TRACES_MAX = 2000 };

/* How long before a record its span may have started, and how far clocks of one
 * trace may differ. */
#define EARLY_NS NS_PER_HOUR
#define SKEW_NS  NS_PER_S

struct endpoint_fill {
    struct arena *arena; /* of the caller */
    struct log_record *logs;
    struct arena work;
    struct map by_span;  /* numbers of `logs` */
    struct map by_trace; /* numbers of `traces` */
    uint8_t (*traces)[16], (*spans)[8];
    uint32_t trace_count, trace_room, span_count, span_room;
    uint64_t min_ns, max_ns;

    uint8_t trace_id[16], span_id[8]; /* of a row */
    struct slice endpoint;
};

static uint32_t id_hash(const uint8_t *id, size_t len)
{
    return map_hash_slice((struct slice){(const char *)id, len});
}

static bool wants_endpoint(const struct log_record *log)
{
    return log->endpoint.len == 0 &&
           !id_is_zero(log->trace_id, sizeof(log->trace_id)) &&
           !id_is_zero(log->span_id, sizeof(log->span_id));
}

/* Is the trace among those that are asked for? */
static bool has_trace(struct endpoint_fill *f, const uint8_t id[16])
{
    uint32_t hash = id_hash(id, 16);
    uint8_t(*to)[16];

    map_each(&f->by_trace, hash, at)
        if (memcmp(f->traces[at], id, 16) == 0)
            return true;
    if (f->trace_count == TRACES_MAX)
        return false;
    to = arena_append(&f->work, &f->traces, f->trace_count, &f->trace_room);
    if (!to || !map_add(&f->by_trace, hash, f->trace_count))
        return false;
    memcpy(*to, id, 16);
    f->trace_count++;
    return true;
}

static void collect(struct endpoint_fill *f, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct log_record *log = &f->logs[i];
        uint8_t(*span)[8];

        if (!wants_endpoint(log) || !has_trace(f, log->trace_id))
            continue;
        span = arena_append(&f->work, &f->spans, f->span_count, &f->span_room);
        if (!span || !map_add(&f->by_span, id_hash(log->span_id, 8), i))
            return;
        memcpy(*span, log->span_id, 8);
        f->span_count++;
        if (log->time_ns < f->min_ns)
            f->min_ns = log->time_ns;
        if (log->time_ns > f->max_ns)
            f->max_ns = log->time_ns;
    }
}

static void decode_endpoint(void *arg, struct byte_reader *in)
{
    struct endpoint_fill *f = arg;

    (void)ch_read_id(in, f->trace_id, sizeof(f->trace_id));
    (void)ch_read_id(in, f->span_id, sizeof(f->span_id));
    f->endpoint = ch_read_string(in);
}

static enum status take_endpoint(void *arg)
{
    struct endpoint_fill *f = arg;
    struct slice endpoint = {NULL, 0};

    map_each(&f->by_span, id_hash(f->span_id, 8), at) {
        struct log_record *log = &f->logs[at];

        if (log->endpoint.len > 0 ||
            memcmp(log->span_id, f->span_id, sizeof(f->span_id)) != 0 ||
            memcmp(log->trace_id, f->trace_id, sizeof(f->trace_id)) != 0)
            continue;
        if (endpoint.len == 0)
            endpoint = arena_copy(f->arena, f->endpoint);
        log->endpoint = endpoint;
    }
    return arena_status(f->arena);
}

static enum status ask(struct endpoint_fill *f, struct ch_reader *reader)
{
    struct ch_rows rows = {
        .decode = decode_endpoint, .take = take_endpoint, .arg = f};
    uint64_t start = f->min_ns > EARLY_NS ? f->min_ns - EARLY_NS : 0;
    struct ch_sql sql;

    ch_sql_init(&sql);
    CH_SQL_WITH(&sql,
                "SELECT TraceId, SpanId, Endpoint FROM otel_traces WHERE "
                "TraceId IN ? AND SpanId IN ? AND Endpoint != '' AND "
                "Timestamp >= ? AND Timestamp <= ?",
                CH_HEXES(f->traces, 16, f->trace_count),
                CH_HEXES(f->spans, 8, f->span_count), CH_NS(start),
                CH_NS(f->max_ns + SKEW_NS));
    enum status status = ch_select(reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

enum status ch_fill_endpoints(struct ch_reader *reader, struct arena *arena,
                              struct log_record *logs, uint32_t count)
{
    struct endpoint_fill f = {.arena = arena,
                              .logs = logs,
                              .by_span = {.arena = &f.work},
                              .by_trace = {.arena = &f.work},
                              .min_ns = UINT64_MAX};
    enum status status = OK;

    arena_init(&f.work, reader->budget, CH_WORK_MAX);
    collect(&f, count);
    if (f.span_count > 0)
        status = ask(&f, reader);
    else
        status = arena_status(&f.work);
    arena_release(&f.work);
    return status;
}
