/*
 * The spans of many traces in one pass, some hundred traces a request: all that
 * a span has but attributes, events and links.
 */
#include "ch_read.h"
#include "ch_span_rows.h"
#include "map.h"

/* Traces of one request: each is looked up in a Bloom filter of each granule
 * of their time. */
enum { TRACES_AT_ONCE = 500 };

struct ch_many_traces {
    struct ch_span_row row; /* the first: ch_span_decode() */
    struct ch_reader *reader;
    const struct traces_query *query;
    struct ch_resource_ids ids;
    struct map by_id; /* numbers of traces */
    struct arena work, span;
    trace_span_visit *visit;
    void *arg;
};

static uint32_t trace_hash(const uint8_t id[16])
{
    return map_hash_slice((struct slice){(const char *)id, 16});
}

static enum status visit_one(struct ch_many_traces *m, uint32_t trace)
{
    struct span span;

    arena_reset(&m->span);
    enum status status = ch_span_take(&m->row, &m->ids, &m->span, &span);
    return status == OK ? m->visit(m->arg, trace, &span) : status;
}

static enum status take_span(void *arg)
{
    struct ch_many_traces *m = arg;
    const struct bitmap *visible = m->query->visible;

    if (visible && !bitmap_has(visible, ch_resource_id(&m->ids, m->row.key)))
        return OK;
    map_each(&m->by_id, trace_hash(m->row.trace_id), at)
        if (memcmp(m->query->trace_ids[at], m->row.trace_id, 16) == 0)
            return visit_one(m, at);
    return OK;
}

static enum status read_some(struct ch_many_traces *m, uint32_t first,
                             uint32_t count)
{
    struct ch_rows rows = {
        .decode = ch_span_decode, .take = take_span, .arg = m};
    struct ch_term ids = CH_HEXES(m->query->trace_ids + first, 16, count);
    struct ch_sql sql;

    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT ");
    ch_span_columns(&sql, false);
    CH_SQL_WITH(
        &sql,
        " FROM otel_traces WHERE TraceId IN ? AND Timestamp >= "
        "(SELECT min(Start) FROM otel_traces_trace_id_ts WHERE "
        "TraceId IN ?) AND Timestamp < toDateTime64((SELECT max(End) FROM "
        "otel_traces_trace_id_ts WHERE TraceId IN ?), 9) + "
        "toIntervalSecond(1)",
        ids, ids, ids);
    enum status status = ch_select(m->reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

static enum status index_traces(struct ch_many_traces *m)
{
    for (uint32_t i = 0; i < m->query->count; i++)
        if (!map_add(&m->by_id, trace_hash(m->query->trace_ids[i]), i))
            return arena_status(&m->work);
    return OK;
}

enum status ch_visit_traces(struct ch_reader *reader,
                            const struct traces_query *query,
                            trace_span_visit *visit, void *arg)
{
    struct ch_many_traces m = {.reader = reader,
                               .query = query,
                               .ids = {.resources = reader->resources},
                               .by_id = {.arena = &m.work},
                               .visit = visit,
                               .arg = arg};

    arena_init(&m.work, reader->budget, CH_WORK_MAX);
    arena_init(&m.span, reader->budget, CH_WORK_MAX);
    enum status status = index_traces(&m);
    for (uint32_t at = 0; at < query->count && status == OK;
         at += TRACES_AT_ONCE) {
        uint32_t left = query->count - at;

        status =
            read_some(&m, at, left < TRACES_AT_ONCE ? left : TRACES_AT_ONCE);
    }
    arena_release(&m.work);
    arena_release(&m.span);
    return status;
}
