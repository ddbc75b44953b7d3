/*
 * ch_read - queries of store.h over ClickHouse, which have the contracts there.
 *
 * Nothing is seen as of one moment: a record is found as soon as its block was
 * inserted, also between two requests of one query. Lists are read by
 * positions, so none comes twice.
 */
#ifndef CH_READ_H
#define CH_READ_H

#include "ch_reader.h"
#include "store.h"

/* ---- ch_read_logs.c, ch_read_log_counts.c, ch_read_log_tail.c ---- */

MUST_CHECK enum status ch_query_logs(struct ch_reader *reader,
                                     const struct log_query *query,
                                     struct arena *arena,
                                     struct log_record **logs, uint32_t *count,
                                     uint64_t *total);
MUST_CHECK enum status ch_count_logs(struct ch_reader *reader,
                                     const struct log_query *query,
                                     const struct log_counts *out);
MUST_CHECK enum status ch_log_tail(struct ch_reader *reader,
                                   struct log_tail *now);
/* What a tail sees now, as an lsn: who waits for more looks again each second.
 */
uint64_t ch_last_log_lsn(const struct clickhouse *engine);

/* ---- ch_read_trace.c ---- */

MUST_CHECK enum status ch_query_spans(struct ch_reader *reader,
                                      const struct span_query *query,
                                      struct arena *arena, struct span **spans,
                                      uint32_t *count, uint64_t *total);
MUST_CHECK enum status ch_visit_spans(struct ch_reader *reader,
                                      const struct span_query *query,
                                      const struct span_visitor *visitor,
                                      uint64_t *total);
MUST_CHECK enum status ch_visit_traces(struct ch_reader *reader,
                                       const struct traces_query *query,
                                       trace_span_visit *visit, void *arg);
MUST_CHECK enum status ch_find_span(struct ch_reader *reader,
                                    const uint8_t trace_id[16],
                                    const uint8_t span_id[8],
                                    const struct bitmap *visible,
                                    struct arena *arena, struct span *span);

/* ---- ch_read_traces.c, ch_spread_traces.c ---- */

MUST_CHECK enum status ch_query_traces(struct ch_reader *reader,
                                       const struct trace_query *query,
                                       struct arena *arena,
                                       struct trace_summary **traces,
                                       uint32_t *count, uint64_t *total);
MUST_CHECK enum status ch_spread_traces(struct ch_reader *reader,
                                        const struct trace_query *query,
                                        struct arena *arena,
                                        struct spread_traces *out);

/* ---- ch_read_resources.c ---- */

MUST_CHECK enum status ch_read_resource(struct ch_reader *reader, uint32_t id,
                                        struct arena *arena,
                                        struct resource *resource);
/* What the reader has kept of them; NULL is fine. */
void ch_resource_cache_free(struct ch_resource_cache *cache);

#endif
