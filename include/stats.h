/*
 * stats - the program's own counters, one table.
 *
 * GET /metrics prints the table in Prometheus text format (query), and
 * docs/operations.md has a sentence on each (a test compares). A counter only
 * grows; a gauge is set. Names end up as callboard_NAME; label is a complete
 * label pair or "". Rows of one name stand together.
 *
 * Threads  any; each row is an atomic, readers may see rows of different ages.
 */
#ifndef STATS_H
#define STATS_H

#include <stdint.h>

#include "buf.h"

/* clang-format off */
/*    id                      type     name                           label                     help */
#define STATS_TABLE(X) \
    X(REQUESTS_SPANS,         COUNTER, "otlp_requests_total",         "signal=\"traces\"",      "Export requests received.") \
    X(REQUESTS_LOGS,          COUNTER, "otlp_requests_total",         "signal=\"logs\"",        "") \
    X(REQUESTS_METRICS,       COUNTER, "otlp_requests_total",         "signal=\"metrics\"",     "") \
    X(ACCEPTED_SPANS,         COUNTER, "records_accepted_total",      "signal=\"traces\"",      "Records acknowledged as stored.") \
    X(ACCEPTED_LOGS,          COUNTER, "records_accepted_total",      "signal=\"logs\"",        "") \
    X(ACCEPTED_METRICS,       COUNTER, "records_accepted_total",      "signal=\"metrics\"",     "") \
    X(REJECTED_SPANS,         COUNTER, "records_rejected_total",      "signal=\"traces\"",      "Records refused one by one and reported as partial success.") \
    X(REJECTED_LOGS,          COUNTER, "records_rejected_total",      "signal=\"logs\"",        "") \
    X(REJECTED_METRICS,       COUNTER, "records_rejected_total",      "signal=\"metrics\"",     "") \
    X(REJECTED_OLD,           COUNTER, "records_rejected_old_total",  "",                       "Of those, the ones older than the retention.") \
    X(DUPLICATE_REQUESTS,               COUNTER, "duplicate_requests_total",     "",                       "Requests and messages that came again and were acknowledged without being stored again.") \
    X(CORRECTED_TIMES,            COUNTER, "records_timestamp_corrected_total",    "",                       "Records stored at their observed time, because theirs was 0 or far in the future.") \
    X(CORRECTED_ENDS,             COUNTER, "spans_end_before_start_total", "",                      "Spans stored with duration 0, because they ended before they started.") \
    X(ATTRIBUTES_TRUNCATED,             COUNTER, "attributes_truncated_total",            "",                       "Attributes and values cut at a documented bound.") \
    X(REFUSED_MALFORMED,      COUNTER, "requests_refused_total",      "reason=\"malformed\"",   "Requests refused whole.") \
    X(REFUSED_TYPE,           COUNTER, "requests_refused_total",      "reason=\"type\"",        "") \
    X(REFUSED_SIZE,           COUNTER, "requests_refused_total",      "reason=\"size\"",        "") \
    X(REFUSED_BUSY,           COUNTER, "requests_refused_total",      "reason=\"busy\"",        "") \
    X(REFUSED_STORAGE,        COUNTER, "requests_refused_total",      "reason=\"storage\"",     "") \
    X(HTTP_WAITS,             COUNTER, "http_waits_total",            "",                       "HTTP requests that had to wait for memory or the queue.") \
    X(HTTP_HEADS_REFUSED,     COUNTER, "http_heads_refused_total",    "reason=\"syntax\"",      "HTTP requests refused for their head.") \
    X(HTTP_HOSTS_REFUSED,     COUNTER, "http_heads_refused_total",    "reason=\"host\"",        "") \
    X(HTTP_ORIGINS_REFUSED,   COUNTER, "http_heads_refused_total",    "reason=\"origin\"",      "") \
    X(HTTP_CONNECTIONS_REFUSED, COUNTER, "http_connections_refused_total", "",                  "Connections closed because there were too many.") \
    X(RECEIVED_BYTES,         COUNTER, "otlp_received_bytes_total",   "",                       "Bytes of request bodies as they came over the wire.") \
    X(DECODED_BYTES,          COUNTER, "otlp_decoded_bytes_total",    "",                       "The same after decompression.") \
    X(LAG_SPANS,              GAUGE,   "ingest_lag_seconds",          "signal=\"traces\"",      "Age of the newest record when it was stored.") \
    X(LAG_LOGS,               GAUGE,   "ingest_lag_seconds",          "signal=\"logs\"",        "") \
    X(LAG_METRICS,            GAUGE,   "ingest_lag_seconds",          "signal=\"metrics\"",     "") \
    X(KAFKA_MESSAGES,         COUNTER, "kafka_messages_total",        "",                       "Kafka messages taken, dead letters among them.") \
    X(KAFKA_BYTES,            COUNTER, "kafka_bytes_total",           "",                       "Their bytes, decompressed.") \
    X(KAFKA_DUPLICATES,           COUNTER, "kafka_duplicates_skipped_total",     "",                       "Kafka messages that came again and are kept already.") \
    X(KAFKA_DEAD_LETTERS,          COUNTER, "kafka_dead_letters_total",    "",                       "Kafka messages that could not be decoded.") \
    X(KAFKA_LOST,             COUNTER, "kafka_lost_total",            "",                       "Kafka messages that the broker deleted before they were read.") \
    X(KAFKA_PAUSES,           COUNTER, "kafka_pauses_total",          "",                       "Times that reading was paused because the queue was full.") \
    X(KAFKA_REWINDS,          COUNTER, "kafka_rewinds_total",         "",                       "Times that messages were read again because they could not be kept.") \
    X(KAFKA_REBALANCES,       COUNTER, "kafka_rebalances_total",      "",                       "Times that partitions were given or taken.") \
    X(KAFKA_PARTITIONS,       GAUGE,   "kafka_partitions",            "",                       "Partitions read by this instance.") \
    X(JOURNAL_BYTES,          GAUGE,   "journal_bytes",               "",                       "Bytes in the journal that blocks do not hold yet.") \
    X(JOURNAL_SYNCS,          COUNTER, "journal_syncs_total",         "",                       "Syncs of the journal; many requests share one.") \
    X(JOURNAL_ENTRIES,        COUNTER, "journal_entries_total",       "",                       "Requests written to the journal.") \
    X(JOURNAL_ERRORS,         COUNTER, "journal_errors_total",        "",                       "Writes or syncs of the journal that failed.") \
    X(LOST_DATABASE,          COUNTER, "data_loss_total",             "kind=\"database\"",      "Times that acknowledged data was found missing at the start.") \
    X(LOST_JOURNAL,           COUNTER, "data_loss_total",             "kind=\"journal\"",       "") \
    X(LOST_ENTRIES,           COUNTER, "data_loss_total",             "kind=\"entries\"",       "") \
    X(REPLAYED_ENTRIES,       COUNTER, "journal_replayed_entries_total",      "",                       "Requests read back from the journal at the last start.") \
    X(MEMTABLE_BYTES,             GAUGE,   "memtable_bytes",                  "",                       "Memory of records that are not in a block yet.") \
    X(BUDGET_BYTES,           GAUGE,   "ingest_memory_bytes",         "",                       "Memory charged to ingest, of --memory-limit.") \
    X(BLOCKS_SPANS,           COUNTER, "blocks_written_total",        "signal=\"traces\"",      "Blocks committed.") \
    X(BLOCKS_LOGS,            COUNTER, "blocks_written_total",        "signal=\"logs\"",        "") \
    X(BLOCKS_METRICS,         COUNTER, "blocks_written_total",        "signal=\"metrics\"",     "") \
    X(BLOCK_BYTES,            COUNTER, "block_bytes_total",           "",                       "Bytes of the blocks committed.") \
    X(BLOCKS_MERGED,          COUNTER, "blocks_merged_total",         "",                       "Small blocks that were merged into larger ones.") \
    X(STORE_ERRORS,           COUNTER, "store_errors_total",          "",                       "Commits that failed and are tried again.") \
    X(STORE_CORRUPT,          COUNTER, "store_corrupt_total",         "",                       "Damaged blocks met and passed over.") \
    X(STORE_REPAIR_PENDING,          GAUGE,   "store_repair_pending",               "",                       "1: damage was met that the next start salvages.") \
    X(STORE_REPAIRS,         COUNTER, "store_repairs_total",        "",                       "Damaged databases of which what could be read was copied to a new one.") \
    X(STORE_LOST,             COUNTER, "store_lost_records_total",    "",                       "Records that could not be read then, if that is known.") \
    X(STORE_DB_BYTES,         GAUGE,   "store_bytes",                 "",                       "Size of the database on disk.") \
    X(EXPIRED_BLOCKS,         COUNTER, "expired_blocks_total",        "",                       "Blocks deleted by retention.") \
    X(RESOURCES,              GAUGE,   "resources",                   "",                       "Resources known by their attributes.") \
    X(RESOURCES_OVERFLOW,     COUNTER, "resources_overflow_total",    "",                       "Times that a resource found no place in the table.") \
    X(RESOURCES_EVICTED,      COUNTER, "resources_evicted_total",     "",                       "Resources dropped from the full table; what they sent keeps its identity.") \
    X(IDENTITY_CONFLICTS,     COUNTER, "identity_conflicts_total",    "",                       "Resources whose stamp claims a pod that another namespace stamped first.") \
    X(RESOURCES_UNASSIGNED,   GAUGE,   "resources_unassigned",        "",                       "Resources without an identity.") \
    X(RETAGGED,               COUNTER, "resources_retagged_total",    "",                       "Resources whose identity became known or better known later.") \
    X(OPERATIONS_OTHER,       COUNTER, "operations_other_total",      "",                       "Spans counted under {other}, the endpoint having too many operations.") \
    X(SERIES_OPEN,            GAUGE,   "derived_series_open",         "",                       "Derived points being counted in memory.") \
    X(SERIES_EVICTED,         COUNTER, "derived_flushes_early_total", "",                       "Flushes of derived points because the table was full.") \
    X(UNPAIRED_SPANS,             GAUGE,   "unpaired_spans",              "",                       "CLIENT, SERVER, PRODUCER and CONSUMER spans waiting for the other end.") \
    X(UNPAIRED_SPANS_EVICTED,          COUNTER, "unpaired_spans_evicted_total",     "",                       "Of those, dropped early, because the table was full.") \
    X(TEMPLATES_OTHER,        COUNTER, "log_templates_other_total",   "",                       "Log records counted under {other}, there being too many templates.") \
    X(QUERIES,                COUNTER, "queries_total",               "",                       "Queries answered.") \
    X(QUERY_ERRORS,           COUNTER, "query_errors_total",          "",                       "Queries answered with 4xx or 5xx.") \
    X(QUERY_REFUSED,          COUNTER, "queries_refused_total",       "",                       "Queries answered 429 or 503, too many being under way.") \
    X(QUERIES_CANCELLED,      COUNTER, "queries_cancelled_total",     "",                       "Queries ended because the client closed the connection.") \
    X(QUERY_MICROSECONDS,     COUNTER, "query_microseconds_total",    "",                       "Time spent answering.")
/* clang-format on */

enum stats_id {
#define STATS_ID(id, type, name, label, help) STATS_##id,
    STATS_TABLE(STATS_ID)
#undef STATS_ID
        STATS_COUNT
};

void stats_add(enum stats_id id, uint64_t n);
void stats_set(enum stats_id id, uint64_t value); /* gauges */
uint64_t stats_get(enum stats_id id);

/* The whole table in Prometheus text format 0.0.4. */
void stats_print(struct buf *out);

#endif
