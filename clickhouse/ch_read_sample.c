/*
 * A sample of traces and of the log records written inside them. ClickHouse
 * computes the hash of a trace id (sample_hash() of store_query.h) by the same
 * steps as hash_bytes(), so that only the sample is sent; what it sends is
 * tested once more, by ours.
 */
#include "ch_read_sample.h"

#include "ch_log_rows.h"
#include "ch_span_rows.h"

/* Of one record. */
enum { RECORD_CAP = 64 << 20 };

/* hash_bytes() of 16 bytes: two products of 128 bits, of which the halves are
 * folded. The numbers are its constants K1, K0 and K2 ^ 16. */
#define FIRST                                           \
    "toUInt128(bitXor(reinterpretAsUInt64(substring("   \
    "unhex(TraceId), 1, 8)), 10285213230658275043)) * " \
    "toUInt128(bitXor(reinterpretAsUInt64(substring("   \
    "unhex(TraceId), 9, 8)), 11562461410679940143))"
#define FOLD(product) \
    "bitXor(toUInt64(" product "), toUInt64(bitShiftRight(" product ", 64)))"
#define WITH_HASH                                                 \
    "WITH " FIRST " AS hash_first, "                              \
    "toUInt128(6384245875588680915) * toUInt128(bitXor(" FOLD(    \
        "hash_first") ", 11562461410679940143)) AS hash_second, " \
                      "bitAnd(" FOLD("hash_second") ", 65535) AS trace_hash "

/* ---- conditions ---- */

static void add_range(struct ch_sql *sql, const struct sample_range *range)
{
    CH_SQL_WITH(sql, "(Timestamp >= ? AND Timestamp < ?",
                CH_NS(range->start_ns), CH_NS(range->end_ns));
    if (range->keep < SAMPLE_ALL)
        CH_SQL_WITH(sql, " AND trace_hash < ?", CH_UINT(range->keep));
    CH_SQL(sql, ") OR ");
}

/* The whole time first: it finds the parts. */
static void add_ranges(struct ch_sql *sql, const struct sample_query *query)
{
    CH_SQL_WITH(sql, " WHERE Timestamp >= ? AND Timestamp < ? AND (",
                CH_NS(query->ranges[0].start_ns),
                CH_NS(query->ranges[query->range_count - 1].end_ns));
    for (uint32_t i = 0; i < query->range_count; i++)
        if (query->ranges[i].keep > 0)
            add_range(sql, &query->ranges[i]);
    CH_SQL(sql, "0)");
}

static void add_kinds(struct ch_sql *sql, uint8_t kinds)
{
    static const struct slice words[] = {
        [SPAN_UNSPECIFIED] = SLICE_INIT("Unspecified"),
        [SPAN_INTERNAL] = SLICE_INIT("Internal"),
        [SPAN_SERVER] = SLICE_INIT("Server"),
        [SPAN_CLIENT] = SLICE_INIT("Client"),
        [SPAN_PRODUCER] = SLICE_INIT("Producer"),
        [SPAN_CONSUMER] = SLICE_INIT("Consumer")};
    struct slice wanted[sizeof(words) / sizeof(*words)];
    uint32_t count = 0;

    for (uint32_t kind = 0; kind < sizeof(words) / sizeof(*words); kind++)
        if (kinds >> kind & 1)
            wanted[count++] = words[kind];
    if (kinds != 0)
        CH_SQL_WITH(sql, " AND SpanKind IN ?", CH_STRS(wanted, count));
}

/* ---- one sample ---- */

struct sampling {
    struct ch_reader *reader;
    const struct sample_query *query;
    struct ch_resource_ids ids;
    struct arena record;
    struct ch_span_row span;
    struct ch_log_row log;
    struct slice map, types; /* attributes of the span */
    span_visit *visit_span;
    log_visit *visit_log;
    void *arg;
};

static bool is_sampled(const struct sampling *s, const uint8_t trace_id[16],
                       uint64_t time_ns)
{
    return sample_has(s->query, sample_hash(trace_id), time_ns);
}

static void decode_span(void *arg, struct byte_reader *in)
{
    struct sampling *s = arg;

    ch_span_decode(&s->span, in);
    if (!s->query->attrs)
        return;
    s->map = ch_read_map(in);
    s->types = ch_read_string(in);
}

static enum status take_span(void *arg)
{
    struct sampling *s = arg;
    struct span span;
    enum status status = ch_reader_cancelled(s->reader);

    if (status != OK || !is_sampled(s, s->span.trace_id, s->span.start_ns))
        return status;
    status = ch_span_take(&s->span, &s->ids, &s->record, &span);
    if (status == OK && s->query->attrs) {
        ch_take_attrs(s->map, s->types, &s->record, &span.attrs);
        status = arena_status(&s->record);
    }
    if (status == OK && sample_wants(s->query, span.kind, span.resource_id))
        s->visit_span(s->arg, &span);
    arena_reset(&s->record);
    return status;
}

static void decode_log(void *arg, struct byte_reader *in)
{
    struct sampling *s = arg;

    ch_log_decode(&s->log, in);
}

static enum status take_log(void *arg)
{
    struct sampling *s = arg;
    struct log_record log;
    enum status status = ch_reader_cancelled(s->reader);

    if (status != OK || id_is_zero(s->log.trace_id, 16) ||
        !is_sampled(s, s->log.trace_id, s->log.time_ns))
        return status;
    status = ch_log_take(&s->log, &s->ids, &s->record, &log);
    if (status == OK && bitmap_has(s->query->resources, log.resource_id))
        s->visit_log(s->arg, &log);
    arena_reset(&s->record);
    return status;
}

static void span_text(struct ch_sql *sql, const struct sampling *s)
{
    CH_SQL(sql, WITH_HASH "SELECT ");
    ch_span_columns(sql, false);
    if (s->query->attrs)
        CH_SQL(sql, ", SpanAttributes, AttributeTypes");
    CH_SQL(sql, " FROM otel_traces");
    add_ranges(sql, s->query);
    add_kinds(sql, s->query->kinds);
}

static void log_text(struct ch_sql *sql, const struct sampling *s)
{
    struct ch_sql certain;

    ch_sql_init(&certain);
    CH_SQL(&certain, "1");
    CH_SQL(sql, WITH_HASH "SELECT ");
    ch_log_columns(sql, &s->log, &certain);
    CH_SQL(sql, " FROM otel_logs");
    add_ranges(sql, s->query);
    CH_SQL(sql, " AND TraceId != ''");
    ch_sql_release(&certain);
}

static enum status sample(struct sampling *s, bool spans)
{
    struct ch_rows rows = {.decode = spans ? decode_span : decode_log,
                           .take = spans ? take_span : take_log,
                           .arg = s};
    struct ch_sql sql;
    struct arena work;
    bool none;
    enum status status;

    s->ids = (struct ch_resource_ids){.resources = s->reader->resources};
    ch_sql_init(&sql);
    arena_init(&work, s->reader->budget, RECORD_CAP);
    arena_init(&s->record, s->reader->budget, RECORD_CAP);
    if (spans)
        span_text(&sql, s);
    else
        log_text(&sql, s);
    status = ch_selection_add(s->reader, &sql, s->query->resources, false,
                              &work, &none);
    arena_release(&work);
    if (status == OK && !none)
        status = ch_select(s->reader, &sql, &rows);
    arena_release(&s->record);
    ch_sql_release(&sql);
    return status;
}

enum status ch_sample_spans(struct ch_reader *reader,
                            const struct sample_query *query, span_visit *visit,
                            void *arg)
{
    struct sampling s = {
        .reader = reader, .query = query, .visit_span = visit, .arg = arg};

    return sample(&s, true);
}

enum status ch_sample_logs(struct ch_reader *reader,
                           const struct sample_query *query, log_visit *visit,
                           void *arg)
{
    struct sampling s = {.reader = reader,
                         .query = query,
                         .log = {.brief = true},
                         .visit_log = visit,
                         .arg = arg};

    return sample(&s, false);
}
