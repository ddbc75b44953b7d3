/*
 * embedded - the embedded engine's functions of store.h and metadata.h, which
 * have the contracts there; embedded.c has their tables.
 */
#ifndef STORE_EMBEDDED_H
#define STORE_EMBEDDED_H

#include "store_ops.h"

/* Without its tables. */
MUST_CHECK enum status embedded_open(struct store **store,
                                     const struct store_options *options);

void embedded_append(struct store *store, struct batch *batch);
void embedded_begin_shutdown(struct store *store);
void embedded_close(struct store *store);
bool embedded_derived_flush_due(struct store *store, uint64_t last_lsn);
void embedded_flush(struct store *store);
void embedded_replayed(struct store *store, uint64_t lsn);
enum status embedded_health(struct store *store);
uint64_t embedded_last_log_lsn(struct store *store);
uint64_t embedded_oldest_ns(struct store *store);
uint64_t embedded_retention(const struct store *store, enum signal signal);
void embedded_set_open_series(struct store *store, struct open_series source);
uint64_t embedded_watermark(struct store *store, enum stream stream);
struct metadata *embedded_metadata(struct store *store);
MUST_CHECK enum status embedded_reader_begin(struct reader *reader);
void embedded_reader_close(struct reader *reader);
MUST_CHECK enum status embedded_count_logs(struct reader *reader,
                                           const struct log_query *query,
                                           const struct log_counts *out);
void embedded_reader_end(struct reader *reader);
MUST_CHECK enum status embedded_find_span(
    struct reader *reader, const uint8_t trace_id[16], const uint8_t span_id[8],
    const struct bitmap *visible, struct arena *arena, struct span *span);
MUST_CHECK enum status embedded_log_tail(struct reader *reader,
                                         struct log_tail *now);
MUST_CHECK enum status embedded_reader_open(struct reader **reader,
                                            struct store *store);
MUST_CHECK enum status embedded_plan_series(struct reader *reader,
                                            const struct series_query *query,
                                            struct arena *arena,
                                            struct series_plan **plan);
MUST_CHECK enum status embedded_query_dead_letters(
    struct reader *reader, const struct dead_letter_query *query,
    struct arena *arena, struct dead_letter_row **letters, uint32_t *count,
    uint64_t *total);
MUST_CHECK enum status embedded_query_logs(struct reader *reader,
                                           const struct log_query *query,
                                           struct arena *arena,
                                           struct log_record **logs,
                                           uint32_t *count, uint64_t *total);
MUST_CHECK enum status embedded_query_series(struct reader *reader,
                                             const struct series_query *query,
                                             point_visit *visit, void *arg);
MUST_CHECK enum status embedded_query_spans(struct reader *reader,
                                            const struct span_query *query,
                                            struct arena *arena,
                                            struct span **spans,
                                            uint32_t *count, uint64_t *total);
MUST_CHECK enum status embedded_query_traces(struct reader *reader,
                                             const struct trace_query *query,
                                             struct arena *arena,
                                             struct trace_summary **traces,
                                             uint32_t *count, uint64_t *total);
MUST_CHECK enum status embedded_read_planned(struct reader *reader,
                                             const struct series_plan *plan,
                                             uint32_t resource,
                                             point_visit *visit, void *arg);
MUST_CHECK enum status embedded_reader_resource(struct reader *reader,
                                                uint32_t id,
                                                struct arena *arena,
                                                struct resource *resource);
MUST_CHECK enum status embedded_sample_logs(struct reader *reader,
                                            const struct sample_query *query,
                                            log_visit *visit, void *arg);
MUST_CHECK enum status embedded_sample_spans(struct reader *reader,
                                             const struct sample_query *query,
                                             span_visit *visit, void *arg);
MUST_CHECK enum status embedded_sizes(struct reader *reader,
                                      struct store_sizes *sizes);
MUST_CHECK enum status embedded_spread_traces(struct reader *reader,
                                              const struct trace_query *query,
                                              struct arena *arena,
                                              struct spread_traces *out);
MUST_CHECK enum status embedded_visit_spans(struct reader *reader,
                                            const struct span_query *query,
                                            const struct span_visitor *visitor,
                                            uint64_t *total);
MUST_CHECK enum status embedded_visit_traces(struct reader *reader,
                                             const struct traces_query *query,
                                             trace_span_visit *visit,
                                             void *arg);
uint32_t embedded_plan_next(const struct series_plan *plan, uint64_t from);
MUST_CHECK enum status embedded_load_metadata(struct metadata *metadata,
                                              metadata_identity_visit *identity,
                                              metadata_resource_visit *resource,
                                              void *arg);
MUST_CHECK enum status embedded_load_catalog(struct metadata *metadata,
                                             struct arena *arena,
                                             struct slice *document);
MUST_CHECK enum status embedded_load_derived_state(struct metadata *metadata,
                                                   struct arena *arena,
                                                   struct slice *state);
MUST_CHECK enum status embedded_load_reports(struct metadata *metadata,
                                             metadata_report_visit *visit,
                                             void *arg);
MUST_CHECK enum status embedded_load_requests(struct metadata *metadata,
                                              metadata_request_visit *visit,
                                              void *arg);
MUST_CHECK enum status embedded_create_value(struct metadata *metadata,
                                             const char *name,
                                             struct slice value,
                                             struct arena *arena,
                                             struct slice *stored);
MUST_CHECK enum status embedded_load_value(struct metadata *metadata,
                                           const char *name,
                                           struct arena *arena,
                                           struct slice *value);
bool embedded_next_offset(struct metadata *metadata, struct slice topic,
                          uint32_t partition, uint64_t *next);
MUST_CHECK enum status embedded_save_catalog(struct metadata *metadata,
                                             struct slice document);
void embedded_save_identity(struct metadata *metadata,
                            const struct identity *identity);
MUST_CHECK enum status embedded_save_report(struct metadata *metadata,
                                            uint32_t slot, uint64_t number,
                                            struct slice document);
void embedded_save_resource(struct metadata *metadata, uint32_t id,
                            uint32_t identity, uint64_t hash,
                            const struct resource *resource);
void embedded_save_resource_identity(struct metadata *metadata, uint32_t id,
                                     uint32_t identity);
void embedded_save_value(struct metadata *metadata, const char *name,
                         struct slice value);
MUST_CHECK enum status embedded_metadata_sync(struct metadata *metadata);

/* Whether it is a reader of this engine. */
bool embedded_has(const struct reader *reader);

#endif
