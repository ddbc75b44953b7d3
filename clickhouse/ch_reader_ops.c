/*
 * The functions of a reader over ClickHouse as store_ops.h has them: each
 * passes the cancel flag and the deadline on, and calls what its file has.
 */
#include <stdlib.h>

#include "ch_read.h"
#include "ch_read_dead_letters.h"
#include "ch_read_sample.h"
#include "ch_read_series.h"
#include "ch_sizes.h"
#include "clickhouse_int.h"
#include "clock.h"
#include "mem.h"

#define SIZES_NS (2 * NS_PER_S)

struct engine_reader {
    struct reader_head head; /* first: it is a struct reader */
    struct ch_reader reader;
};

/* The reader, with what was set on it since the last call. */
static struct ch_reader *ready(struct reader *reader)
{
    struct engine_reader *own = (struct engine_reader *)(void *)reader;

    own->reader.cancelled = own->head.cancelled;
    own->reader.deadline_ns = own->head.deadline_ns;
    own->reader.resources = own->reader.engine->resources;
    return &own->reader;
}

/* A status, with the reason that goes with it. */
static enum status done(struct reader *reader, enum status status)
{
    struct engine_reader *own = (struct engine_reader *)(void *)reader;
    const struct ch_error *error = &own->reader.error;

    own->head.reason =
        status != OK && status == error->status ? error->reason : NULL;
    return status;
}

static enum status open_reader(struct reader **out, struct store *store)
{
    struct clickhouse *engine = clickhouse_of(store);
    struct engine_reader *own = mem_zero(1, sizeof(*own));

    own->head.ops = &ch_reader_ops;
    own->reader = (struct ch_reader){
        .engine = engine, .client = engine->client, .budget = &engine->queries};
    ch_error_clear(&own->reader.error);
    *out = (struct reader *)(void *)own;
    return OK;
}

static void close_reader(struct reader *reader)
{
    ch_resource_cache_free(ready(reader)->resource_cache);
    free(reader);
}

static enum status begin(struct reader *reader)
{
    struct ch_reader *own = ready(reader);

    own->tail_ns = 0;
    ch_error_clear(&own->error);
    return done(reader, ch_reader_cancelled(own));
}

static void end(struct reader *reader)
{
    (void)reader;
}

static enum status count_logs(struct reader *reader,
                              const struct log_query *query,
                              const struct log_counts *out)
{
    return done(reader, ch_count_logs(ready(reader), query, out));
}

static enum status find_span(struct reader *reader, const uint8_t trace_id[16],
                             const uint8_t span_id[8],
                             const struct bitmap *visible, struct arena *arena,
                             struct span *span)
{
    return done(reader, ch_find_span(ready(reader), trace_id, span_id, visible,
                                     arena, span));
}

static enum status log_tail(struct reader *reader, struct log_tail *now)
{
    return done(reader, ch_log_tail(ready(reader), now));
}

static enum status plan_series(struct reader *reader,
                               const struct series_query *query,
                               struct arena *arena, struct series_plan **plan)
{
    return done(reader, ch_plan_series(ready(reader), &ch_reader_ops, query,
                                       arena, plan));
}

static enum status query_dead_letters(struct reader *reader,
                                      const struct dead_letter_query *query,
                                      struct arena *arena,
                                      struct dead_letter_row **letters,
                                      uint32_t *count, uint64_t *total)
{
    return done(reader, ch_query_dead_letters(ready(reader), query, arena,
                                              letters, count, total));
}

static enum status query_logs(struct reader *reader,
                              const struct log_query *query,
                              struct arena *arena, struct log_record **logs,
                              uint32_t *count, uint64_t *total)
{
    return done(reader,
                ch_query_logs(ready(reader), query, arena, logs, count, total));
}

static enum status query_series(struct reader *reader,
                                const struct series_query *query,
                                point_visit *visit, void *arg)
{
    return done(reader, ch_query_series(ready(reader), query, visit, arg));
}

static enum status query_spans(struct reader *reader,
                               const struct span_query *query,
                               struct arena *arena, struct span **spans,
                               uint32_t *count, uint64_t *total)
{
    return done(reader, ch_query_spans(ready(reader), query, arena, spans,
                                       count, total));
}

static enum status query_traces(struct reader *reader,
                                const struct trace_query *query,
                                struct arena *arena,
                                struct trace_summary **traces, uint32_t *count,
                                uint64_t *total)
{
    return done(reader, ch_query_traces(ready(reader), query, arena, traces,
                                        count, total));
}

static enum status read_planned(struct reader *reader,
                                const struct series_plan *plan,
                                uint32_t resource, point_visit *visit,
                                void *arg)
{
    return done(reader,
                ch_read_planned(ready(reader), plan, resource, visit, arg));
}

static enum status resource(struct reader *reader, uint32_t id,
                            struct arena *arena, struct resource *out)
{
    return done(reader, ch_read_resource(ready(reader), id, arena, out));
}

static enum status sample_logs(struct reader *reader,
                               const struct sample_query *query,
                               log_visit *visit, void *arg)
{
    return done(reader, ch_sample_logs(ready(reader), query, visit, arg));
}

static enum status sample_spans(struct reader *reader,
                                const struct sample_query *query,
                                span_visit *visit, void *arg)
{
    return done(reader, ch_sample_spans(ready(reader), query, visit, arg));
}

/* /metrics and /status show them, and are needed most while ClickHouse does not
 * answer: what was known last is good enough then. */
static enum status sizes(struct reader *reader, struct store_sizes *out)
{
    struct ch_reader *own = ready(reader);
    struct ch_sizes_known *known = &own->engine->sizes;
    uint64_t latest = clock_monotonic_ns() + SIZES_NS;
    enum status status;

    if (own->deadline_ns == 0 || own->deadline_ns > latest)
        own->deadline_ns = latest;
    status = ch_read_sizes(own, out);
    pthread_mutex_lock(&known->mutex);
    if (status == OK) {
        known->sizes = *out;
        known->any = true;
    } else if (known->any) {
        *out = known->sizes;
        status = OK;
    }
    pthread_mutex_unlock(&known->mutex);
    return done(reader, status);
}

static enum status spread_traces(struct reader *reader,
                                 const struct trace_query *query,
                                 struct arena *arena, struct spread_traces *out)
{
    return done(reader, ch_spread_traces(ready(reader), query, arena, out));
}

static enum status visit_spans(struct reader *reader,
                               const struct span_query *query,
                               const struct span_visitor *visitor,
                               uint64_t *total)
{
    return done(reader, ch_visit_spans(ready(reader), query, visitor, total));
}

static enum status visit_traces(struct reader *reader,
                                const struct traces_query *query,
                                trace_span_visit *visit, void *arg)
{
    return done(reader, ch_visit_traces(ready(reader), query, visit, arg));
}

const struct reader_ops ch_reader_ops = {
    .begin = begin,
    .close = close_reader,
    .count_logs = count_logs,
    .end = end,
    .find_span = find_span,
    .log_tail = log_tail,
    .open = open_reader,
    .plan_series = plan_series,
    .query_dead_letters = query_dead_letters,
    .query_logs = query_logs,
    .query_series = query_series,
    .query_spans = query_spans,
    .query_traces = query_traces,
    .read_planned = read_planned,
    .resource = resource,
    .sample_logs = sample_logs,
    .sample_spans = sample_spans,
    .sizes = sizes,
    .spread_traces = spread_traces,
    .visit_spans = visit_spans,
    .visit_traces = visit_traces,
    .plan_next = ch_plan_next,
};
