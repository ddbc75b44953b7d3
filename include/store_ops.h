/*
 * store_ops - the engines behind store.h and metadata.h: the functions of each.
 *
 * An engine's struct store, struct reader, struct metadata and struct
 * series_plan begin with the head below, so that store_ops.c,
 * reader_dispatch.c and metadata_dispatch.c find its functions. There are two:
 * the embedded one (store/) and ClickHouse (clickhouse/).
 *
 * Purpose:   what an engine implements; the contracts are those of store.h and
 *            metadata.h, under the same names.
 * Ownership: the tables are constants.
 * Threads:   as store.h.
 * Errors:    as store.h.
 */
#ifndef STORE_OPS_H
#define STORE_OPS_H

#include "store.h"
#include "store_block.h"
#include "store_resources.h"

struct store_ops {
    void (*append)(struct store *store, struct batch *batch);
    void (*begin_shutdown)(struct store *store);
    void (*close)(struct store *store);
    bool (*derived_flush_due)(struct store *store, uint64_t last_lsn);
    void (*flush)(struct store *store);
    void (*replayed)(struct store *store, uint64_t lsn);
    enum status (*health)(struct store *store);
    const char *(*health_reason)(struct store *store); /* NULL: none has any */
    uint64_t (*last_log_lsn)(struct store *store);
    uint64_t (*oldest_ns)(struct store *store);
    uint64_t (*retention)(const struct store *store, enum signal signal);
    void (*set_open_series)(struct store *store, struct open_series source);
    uint64_t (*watermark)(struct store *store, enum stream stream);
    struct metadata *(*metadata)(struct store *store);
    /* NULL: the engine needs none (store_resources.h). */
    void (*set_resources)(struct store *store,
                          const struct store_resources *resources);
};

struct reader_ops {
    enum status (*begin)(struct reader *reader);
    void (*close)(struct reader *reader);
    enum status (*count_logs)(struct reader *reader,
                              const struct log_query *query,
                              const struct log_counts *out);
    void (*end)(struct reader *reader);
    enum status (*find_span)(struct reader *reader, const uint8_t trace_id[16],
                             const uint8_t span_id[8],
                             const struct bitmap *visible, struct arena *arena,
                             struct span *span);
    enum status (*log_tail)(struct reader *reader, struct log_tail *now);
    enum status (*open)(struct reader **reader, struct store *store);
    enum status (*plan_series)(struct reader *reader,
                               const struct series_query *query,
                               struct arena *arena, struct series_plan **plan);
    enum status (*query_dead_letters)(struct reader *reader,
                                      const struct dead_letter_query *query,
                                      struct arena *arena,
                                      struct dead_letter_row **letters,
                                      uint32_t *count, uint64_t *total);
    enum status (*query_logs)(struct reader *reader,
                              const struct log_query *query,
                              struct arena *arena, struct log_record **logs,
                              uint32_t *count, uint64_t *total);
    enum status (*query_series)(struct reader *reader,
                                const struct series_query *query,
                                point_visit *visit, void *arg);
    enum status (*query_spans)(struct reader *reader,
                               const struct span_query *query,
                               struct arena *arena, struct span **spans,
                               uint32_t *count, uint64_t *total);
    enum status (*query_traces)(struct reader *reader,
                                const struct trace_query *query,
                                struct arena *arena,
                                struct trace_summary **traces, uint32_t *count,
                                uint64_t *total);
    enum status (*read_planned)(struct reader *reader,
                                const struct series_plan *plan,
                                uint32_t resource, point_visit *visit,
                                void *arg);
    enum status (*resource)(struct reader *reader, uint32_t id,
                            struct arena *arena, struct resource *resource);
    enum status (*sample_logs)(struct reader *reader,
                               const struct sample_query *query,
                               log_visit *visit, void *arg);
    enum status (*sample_spans)(struct reader *reader,
                                const struct sample_query *query,
                                span_visit *visit, void *arg);
    enum status (*sizes)(struct reader *reader, struct store_sizes *sizes);
    enum status (*spread_traces)(struct reader *reader,
                                 const struct trace_query *query,
                                 struct arena *arena,
                                 struct spread_traces *out);
    enum status (*visit_spans)(struct reader *reader,
                               const struct span_query *query,
                               const struct span_visitor *visitor,
                               uint64_t *total);
    enum status (*visit_traces)(struct reader *reader,
                                const struct traces_query *query,
                                trace_span_visit *visit, void *arg);
    uint32_t (*plan_next)(const struct series_plan *plan, uint64_t from);
};

struct metadata_ops {
    enum status (*create_value)(struct metadata *metadata, const char *name,
                                struct slice value, struct arena *arena,
                                struct slice *stored);
    enum status (*load)(struct metadata *metadata,
                        metadata_identity_visit *identity,
                        metadata_resource_visit *resource, void *arg);
    enum status (*load_catalog)(struct metadata *metadata, struct arena *arena,
                                struct slice *document);
    enum status (*load_derived_state)(struct metadata *metadata,
                                      struct arena *arena, struct slice *state);
    /* NULL: instances do not share it. */
    enum status (*load_entries)(struct metadata *metadata, const char *kind,
                                metadata_entry_visit *visit, void *arg);
    enum status (*load_reports)(struct metadata *metadata,
                                metadata_report_visit *visit, void *arg);
    enum status (*load_requests)(struct metadata *metadata,
                                 metadata_request_visit *visit, void *arg);
    enum status (*load_value)(struct metadata *metadata, const char *name,
                              struct arena *arena, struct slice *value);
    bool (*next_offset)(struct metadata *metadata, struct slice topic,
                        uint32_t partition, uint64_t *next);
    enum status (*save_catalog)(struct metadata *metadata,
                                struct slice document);
    enum status (*save_entries)(struct metadata *metadata, const char *kind,
                                const struct metadata_entry *entries,
                                uint32_t count);
    void (*save_identity)(struct metadata *metadata,
                          const struct identity *identity);
    enum status (*save_report)(struct metadata *metadata, uint32_t slot,
                               uint64_t number, struct slice document);
    void (*save_resource)(struct metadata *metadata, uint32_t id,
                          uint32_t identity, uint64_t hash,
                          const struct resource *resource);
    void (*save_resource_identity)(struct metadata *metadata, uint32_t id,
                                   uint32_t identity);
    void (*save_value)(struct metadata *metadata, const char *name,
                       struct slice value);
    enum status (*sync)(struct metadata *metadata);
};

/* Only of an engine that takes blocks (store_block.h). */
struct block_ops {
    struct store_block *(*open)(struct store *store, struct slice topic,
                                uint32_t partition, struct budget *budget);
    void (*free)(struct store_block *block);
    void (*add)(struct store_block *block, const struct batch *batch);
    void (*set_checkpoint)(struct store_block *block, uint64_t offset,
                           struct slice state);
    uint64_t (*rows)(const struct store_block *block);
    uint64_t (*bytes)(const struct store_block *block);
    enum status (*write)(struct store_block *block, struct slice token,
                         const atomic_bool *cancelled);
    enum status (*load_checkpoint)(struct store *store, struct slice topic,
                                   uint32_t partition, uint64_t offset,
                                   struct arena *arena, struct slice *state);
};

struct store_head {
    const struct store_ops *ops;
    const struct reader_ops *readers;
    const struct block_ops *blocks; /* NULL: none */
};

struct reader_head {
    const struct reader_ops *ops;
    const atomic_bool *cancelled; /* NULL: never */
    uint64_t deadline_ns;         /* monotonic; 0: none */
    const char *reason; /* of the last failure; NULL: its status says it */
};

struct store_block_head {
    const struct block_ops *ops;
};

struct metadata_head {
    const struct metadata_ops *ops;
};

struct series_plan_head {
    const struct reader_ops *ops;
};

#endif
