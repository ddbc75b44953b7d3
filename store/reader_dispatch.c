/*
 * Functions of store.h and metadata.h about readers, by the table of their
 * engine; the deadline is the same for both.
 */
#include "clock.h"
#include "store_ops.h"

static struct reader_head *reader_head(struct reader *reader)
{
    return (struct reader_head *)(void *)reader;
}

enum status reader_begin(struct reader *reader)
{
    return reader_head(reader)->ops->begin(reader);
}

void reader_close(struct reader *reader)
{
    if (reader)
        reader_head(reader)->ops->close(reader);
}

enum status reader_count_logs(struct reader *reader,
                              const struct log_query *query,
                              const struct log_counts *out)
{
    return reader_head(reader)->ops->count_logs(reader, query, out);
}

void reader_end(struct reader *reader)
{
    reader_head(reader)->ops->end(reader);
}

enum status reader_find_span(struct reader *reader, const uint8_t trace_id[16],
                             const uint8_t span_id[8],
                             const struct bitmap *visible, struct arena *arena,
                             struct span *span)
{
    return reader_head(reader)->ops->find_span(reader, trace_id, span_id,
                                               visible, arena, span);
}

enum status reader_log_tail(struct reader *reader, struct log_tail *now)
{
    return reader_head(reader)->ops->log_tail(reader, now);
}

enum status reader_open(struct reader **reader, struct store *store)
{
    return ((const struct store_head *)(const void *)store)
        ->readers->open(reader, store);
}

enum status reader_plan_series(struct reader *reader,
                               const struct series_query *query,
                               struct arena *arena, struct series_plan **plan)
{
    return reader_head(reader)->ops->plan_series(reader, query, arena, plan);
}

enum status reader_query_dead_letters(struct reader *reader,
                                      const struct dead_letter_query *query,
                                      struct arena *arena,
                                      struct dead_letter_row **letters,
                                      uint32_t *count, uint64_t *total)
{
    return reader_head(reader)->ops->query_dead_letters(reader, query, arena,
                                                        letters, count, total);
}

enum status reader_query_logs(struct reader *reader,
                              const struct log_query *query,
                              struct arena *arena, struct log_record **logs,
                              uint32_t *count, uint64_t *total)
{
    return reader_head(reader)->ops->query_logs(reader, query, arena, logs,
                                                count, total);
}

enum status reader_query_series(struct reader *reader,
                                const struct series_query *query,
                                point_visit *visit, void *arg)
{
    return reader_head(reader)->ops->query_series(reader, query, visit, arg);
}

enum status reader_query_spans(struct reader *reader,
                               const struct span_query *query,
                               struct arena *arena, struct span **spans,
                               uint32_t *count, uint64_t *total)
{
    return reader_head(reader)->ops->query_spans(reader, query, arena, spans,
                                                 count, total);
}

enum status reader_query_traces(struct reader *reader,
                                const struct trace_query *query,
                                struct arena *arena,
                                struct trace_summary **traces, uint32_t *count,
                                uint64_t *total)
{
    return reader_head(reader)->ops->query_traces(reader, query, arena, traces,
                                                  count, total);
}

enum status reader_read_planned(struct reader *reader,
                                const struct series_plan *plan,
                                uint32_t resource, point_visit *visit,
                                void *arg)
{
    return reader_head(reader)->ops->read_planned(reader, plan, resource, visit,
                                                  arg);
}

enum status reader_resource(struct reader *reader, uint32_t id,
                            struct arena *arena, struct resource *resource)
{
    return reader_head(reader)->ops->resource(reader, id, arena, resource);
}

enum status reader_sample_logs(struct reader *reader,
                               const struct sample_query *query,
                               log_visit *visit, void *arg)
{
    return reader_head(reader)->ops->sample_logs(reader, query, visit, arg);
}

enum status reader_sample_spans(struct reader *reader,
                                const struct sample_query *query,
                                span_visit *visit, void *arg)
{
    return reader_head(reader)->ops->sample_spans(reader, query, visit, arg);
}

enum status reader_sizes(struct reader *reader, struct store_sizes *sizes)
{
    return reader_head(reader)->ops->sizes(reader, sizes);
}

enum status reader_spread_traces(struct reader *reader,
                                 const struct trace_query *query,
                                 struct arena *arena, struct spread_traces *out)
{
    return reader_head(reader)->ops->spread_traces(reader, query, arena, out);
}

enum status reader_visit_spans(struct reader *reader,
                               const struct span_query *query,
                               const struct span_visitor *visitor,
                               uint64_t *total)
{
    return reader_head(reader)->ops->visit_spans(reader, query, visitor, total);
}

enum status reader_visit_traces(struct reader *reader,
                                const struct traces_query *query,
                                trace_span_visit *visit, void *arg)
{
    return reader_head(reader)->ops->visit_traces(reader, query, visit, arg);
}

uint32_t series_plan_next(const struct series_plan *plan, uint64_t from)
{
    return ((const struct series_plan_head *)(const void *)plan)
        ->ops->plan_next(plan, from);
}

const char *reader_reason(const struct reader *reader)
{
    return ((const struct reader_head *)(const void *)reader)->reason;
}

void reader_set_cancel(struct reader *reader, const atomic_bool *cancelled)
{
    reader_head(reader)->cancelled = cancelled;
}

void reader_set_deadline(struct reader *reader, uint64_t deadline_ns)
{
    reader_head(reader)->deadline_ns = deadline_ns;
}

void reader_shorten_deadline(struct reader *reader, uint64_t deadline_ns)
{
    struct reader_head *head = reader_head(reader);

    if (head->deadline_ns == 0 || head->deadline_ns > deadline_ns)
        head->deadline_ns = deadline_ns;
}

enum status reader_cancelled(const struct reader *reader)
{
    const struct reader_head *head =
        (const struct reader_head *)(const void *)reader;

    if (head->cancelled &&
        atomic_load_explicit(head->cancelled, memory_order_relaxed))
        return ERR_CANCELLED;
    return head->deadline_ns && clock_monotonic_ns() > head->deadline_ns
               ? ERR_DEADLINE
               : OK;
}
