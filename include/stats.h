/*
 * stats - the counters of the program itself, in one table.
 *
 * Purpose:   GET /metrics prints the table in the Prometheus text format, and
 *            docs/operations.md explains each row (a test compares). Names
 *            follow Prometheus: base units, _total for counters, a label
 *            instead of one name per outcome. A name is printed as
 *            callboard_NAME; rows of one name are neighbours.
 * Ownership: none; the table is static.
 * Threads:   any; each number is an atomic. A reader may see numbers of
 *            different ages.
 * Errors:    none.
 */
#ifndef STATS_H
#define STATS_H

#include <stdint.h>

#include "buf.h"

/* clang-format off */
/*    id                        type     name                                 label                   help */
#define STATS_TABLE(X) \
    X(REQUESTS_SPANS,           COUNTER, "otlp_requests_total",               "signal=\"traces\",transport=\"http\"", "Export requests received.") \
    X(REQUESTS_LOGS,            COUNTER, "otlp_requests_total",               "signal=\"logs\",transport=\"http\"", "") \
    X(REQUESTS_METRICS,         COUNTER, "otlp_requests_total",               "signal=\"metrics\",transport=\"http\"", "") \
    X(GRPC_REQUESTS_SPANS,        COUNTER, "otlp_requests_total",               "signal=\"traces\",transport=\"grpc\"", "") \
    X(GRPC_REQUESTS_LOGS,         COUNTER, "otlp_requests_total",               "signal=\"logs\",transport=\"grpc\"", "") \
    X(GRPC_REQUESTS_METRICS,      COUNTER, "otlp_requests_total",               "signal=\"metrics\",transport=\"grpc\"", "") \
    X(ACCEPTED_SPANS,           COUNTER, "records_accepted_total",            "signal=\"traces\"",    "Records acknowledged as stored.") \
    X(ACCEPTED_LOGS,            COUNTER, "records_accepted_total",            "signal=\"logs\"",      "") \
    X(ACCEPTED_METRICS,         COUNTER, "records_accepted_total",            "signal=\"metrics\"",   "") \
    X(REJECTED_SPANS,           COUNTER, "records_rejected_total",            "signal=\"traces\"",    "Records rejected one by one and reported as partial success.") \
    X(REJECTED_LOGS,            COUNTER, "records_rejected_total",            "signal=\"logs\"",      "") \
    X(REJECTED_METRICS,         COUNTER, "records_rejected_total",            "signal=\"metrics\"",   "") \
    X(REJECTED_OLD,             COUNTER, "records_rejected_old_total",        "",                     "Records rejected because they are older than the retention.") \
    X(DUPLICATE_REQUESTS,       COUNTER, "duplicate_requests_total",          "",                     "Duplicate requests and messages, acknowledged without being stored again.") \
    X(CORRECTED_TIMES,          COUNTER, "records_timestamp_corrected_total", "",                     "Records stored at their observed time because their own was 0 or far in the future.") \
    X(CORRECTED_ENDS,           COUNTER, "spans_end_before_start_total",      "",                     "Spans stored with duration 0 because they ended before they started.") \
    X(ATTRIBUTES_TRUNCATED,     COUNTER, "attributes_truncated_total",        "",                     "Attributes dropped and values truncated at a documented limit.") \
    X(REFUSED_MALFORMED,        COUNTER, "requests_refused_total",            "reason=\"malformed\"", "Requests refused as a whole.") \
    X(REFUSED_TYPE,             COUNTER, "requests_refused_total",            "reason=\"type\"",      "") \
    X(REFUSED_SIZE,             COUNTER, "requests_refused_total",            "reason=\"size\"",      "") \
    X(REFUSED_BUSY,             COUNTER, "requests_refused_total",            "reason=\"busy\"",      "") \
    X(REFUSED_TENANT,           COUNTER, "requests_refused_total",            "reason=\"tenant\"",    "") \
    X(REFUSED_STORAGE,          COUNTER, "requests_refused_total",            "reason=\"storage\"",   "") \
    X(AUTH_TOKEN_OK,            COUNTER, "auth_total",                        "kind=\"token\",outcome=\"ok\"", "Requests by credential and outcome, where credentials are required.") \
    X(AUTH_TOKEN_UNKNOWN,       COUNTER, "auth_total",                        "kind=\"token\",outcome=\"unknown\"", "") \
    X(AUTH_TOKEN_EXPIRED,       COUNTER, "auth_total",                        "kind=\"token\",outcome=\"expired\"", "") \
    X(AUTH_TOKEN_DENIED,        COUNTER, "auth_total",                        "kind=\"token\",outcome=\"denied\"", "") \
    X(AUTH_JWT_OK,              COUNTER, "auth_total",                        "kind=\"jwt\",outcome=\"ok\"", "") \
    X(AUTH_JWT_UNKNOWN,         COUNTER, "auth_total",                        "kind=\"jwt\",outcome=\"unknown\"", "") \
    X(AUTH_JWT_SIGNATURE,       COUNTER, "auth_total",                        "kind=\"jwt\",outcome=\"signature\"", "") \
    X(AUTH_JWT_CLAIMS,          COUNTER, "auth_total",                        "kind=\"jwt\",outcome=\"claims\"", "") \
    X(AUTH_JWT_DENIED,          COUNTER, "auth_total",                        "kind=\"jwt\",outcome=\"denied\"", "") \
    X(AUTH_CERTIFICATE_OK,      COUNTER, "auth_total",                        "kind=\"certificate\",outcome=\"ok\"", "") \
    X(AUTH_CERTIFICATE_DENIED,  COUNTER, "auth_total",                        "kind=\"certificate\",outcome=\"denied\"", "") \
    X(AUTH_MISSING,             COUNTER, "auth_total",                        "kind=\"none\",outcome=\"missing\"", "") \
    X(AUTH_THROTTLED,           COUNTER, "auth_total",                        "kind=\"none\",outcome=\"throttled\"", "") \
    X(AUTH_CACHE_HITS,          COUNTER, "auth_cache_hits_total",             "",                     "JWTs that were verified before and not again.") \
    X(AUTH_CACHE_ENTRIES,       GAUGE,   "auth_cache_entries",                "",                     "Verified JWTs in memory.") \
    X(JWKS_FETCHED,             COUNTER, "jwks_fetches_total",                "outcome=\"ok\"",       "Times that the keys of an issuer were fetched or read.") \
    X(JWKS_FAILED,              COUNTER, "jwks_fetches_total",                "outcome=\"error\"",    "") \
    X(AUTHZ_YES,                COUNTER, "authz_calls_total",                 "outcome=\"yes\"",      "Calls of the authorization service (--authz-url).") \
    X(AUTHZ_NO,                 COUNTER, "authz_calls_total",                 "outcome=\"no\"",       "") \
    X(AUTHZ_TOKEN,              COUNTER, "authz_calls_total",                 "outcome=\"token\"",    "") \
    X(AUTHZ_AWAY,               COUNTER, "authz_calls_total",                 "outcome=\"error\"",    "") \
    X(HTTP_WAITS,               COUNTER, "http_waits_total",                  "",                     "HTTP and gRPC requests that waited for memory or a queue.") \
    X(HTTP_HEADS_REFUSED,       COUNTER, "http_heads_refused_total",          "reason=\"syntax\"",    "HTTP requests refused for their head.") \
    X(HTTP_HOSTS_REFUSED,       COUNTER, "http_heads_refused_total",          "reason=\"host\"",      "") \
    X(HTTP_ORIGINS_REFUSED,     COUNTER, "http_heads_refused_total",          "reason=\"origin\"",    "") \
    X(HTTP_CONNECTIONS_REFUSED, COUNTER, "http_connections_refused_total",    "",                     "Connections closed because too many were open.") \
    X(GRPC_FLOODS,              COUNTER, "grpc_floods_total",                 "",                     "gRPC connections closed because they sent too many frames or bytes that belong to no request.") \
    X(TLS_HANDSHAKES,           COUNTER, "tls_handshakes_total",              "outcome=\"ok\"",       "TLS handshakes; failed: the client ended it, was too slow or spoke no TLS.") \
    X(TLS_HANDSHAKES_FAILED,    COUNTER, "tls_handshakes_total",              "outcome=\"failed\"",   "") \
    X(TLS_CERTIFICATES_REFUSED, COUNTER, "tls_handshakes_total",              "outcome=\"certificate\"", "") \
    X(AUDIT_LOST,               COUNTER, "audit_lost_lines_total",            "",                     "Lines of the audit that could not be written.") \
    X(RECEIVED_BYTES,           COUNTER, "otlp_received_bytes_total",         "",                     "Bytes of request bodies on the wire.") \
    X(DECODED_BYTES,            COUNTER, "otlp_decoded_bytes_total",          "",                     "Bytes of request bodies after decompression.") \
    X(LAG_SPANS,                GAUGE,   "ingest_lag_seconds",                "signal=\"traces\"",    "Age of the newest record when it was stored, in seconds.") \
    X(LAG_LOGS,                 GAUGE,   "ingest_lag_seconds",                "signal=\"logs\"",      "") \
    X(LAG_METRICS,              GAUGE,   "ingest_lag_seconds",                "signal=\"metrics\"",   "") \
    X(LAST_SPANS,               GAUGE,   "last_record_timestamp_seconds",     "signal=\"traces\"",    "When the last records came, in seconds since 1970; 0: none have since the start.") \
    X(LAST_LOGS,                GAUGE,   "last_record_timestamp_seconds",     "signal=\"logs\"",      "") \
    X(LAST_METRICS,             GAUGE,   "last_record_timestamp_seconds",     "signal=\"metrics\"",   "") \
    X(KAFKA_MESSAGES,           COUNTER, "kafka_messages_total",              "",                     "Kafka messages read, including dead letters.") \
    X(KAFKA_BYTES,              COUNTER, "kafka_bytes_total",                 "",                     "Bytes of the Kafka messages read, decompressed.") \
    X(KAFKA_DUPLICATES,         COUNTER, "kafka_duplicates_skipped_total",    "",                     "Kafka messages that were delivered again and are already stored.") \
    X(KAFKA_DEAD_LETTERS,       COUNTER, "kafka_dead_letters_total",          "",                     "Kafka messages that could not be decoded.") \
    X(KAFKA_LOST,               COUNTER, "kafka_lost_total",                  "",                     "Kafka messages that the broker deleted before they were read.") \
    X(KAFKA_PAUSES,             COUNTER, "kafka_pauses_total",                "",                     "Times that reading was paused because the queue was full.") \
    X(KAFKA_REWINDS,            COUNTER, "kafka_rewinds_total",               "",                     "Times that messages were read again because they could not be written.") \
    X(KAFKA_NOT_SIGNED,         COUNTER, "kafka_signature_failures_total",    "",                     "Kafka messages whose signature is not from --kafka-key; they are treated like those of any producer.") \
    X(KAFKA_PRODUCED,           COUNTER, "kafka_produced_messages_total",     "",                     "Messages that receivers handed to Kafka, acknowledged by the brokers.") \
    X(KAFKA_PRODUCED_BYTES,     COUNTER, "kafka_produced_bytes_total",        "",                     "Bytes of these messages, before compression.") \
    X(KAFKA_NOT_PRODUCED,       COUNTER, "kafka_produce_failures_total",      "",                     "Messages that receivers could not hand to Kafka; their senders were told to send again.") \
    X(KAFKA_PRODUCE_WAITING,    GAUGE,   "kafka_produce_waiting_bytes",       "",                     "Bytes of messages that the brokers do not have yet.") \
    X(KAFKA_REBALANCES,         COUNTER, "kafka_rebalances_total",            "",                     "Times that partitions were assigned or revoked.") \
    X(KAFKA_PARTITIONS,         GAUGE,   "kafka_partitions",                  "",                     "Partitions read by this instance.") \
    X(CLICKHOUSE_REQUESTS,      COUNTER, "clickhouse_requests_total",         "",                     "Requests to ClickHouse.") \
    X(CLICKHOUSE_ERRORS,        COUNTER, "clickhouse_errors_total",           "",                     "Requests to ClickHouse that failed, but for those that were cancelled.") \
    X(JOURNAL_BYTES,            GAUGE,   "journal_bytes",                     "",                     "Bytes in the journal that are not in blocks yet.") \
    X(JOURNAL_SYNCS,            COUNTER, "journal_syncs_total",               "",                     "Syncs of the journal; many requests share one.") \
    X(JOURNAL_ENTRIES,          COUNTER, "journal_entries_total",             "",                     "Requests written to the journal.") \
    X(JOURNAL_ERRORS,           COUNTER, "journal_errors_total",              "",                     "Failed writes or syncs of the journal.") \
    X(LOST_DATABASE,            COUNTER, "data_loss_total",                   "kind=\"database\"",    "Times that acknowledged data was found missing at startup.") \
    X(LOST_JOURNAL,             COUNTER, "data_loss_total",                   "kind=\"journal\"",     "") \
    X(LOST_ENTRIES,             COUNTER, "data_loss_total",                   "kind=\"entries\"",     "") \
    X(REPLAYED_ENTRIES,         COUNTER, "journal_replayed_entries_total",    "",                     "Requests replayed from the journal at startup.") \
    X(MEMTABLE_BYTES,           GAUGE,   "memtable_bytes",                    "",                     "Bytes of records in memory that are not in a block yet.") \
    X(BUDGET_BYTES,             GAUGE,   "ingest_memory_bytes",               "",                     "Bytes of memory used by ingest, of its share of --memory-limit.") \
    X(BLOCKS_SPANS,             COUNTER, "blocks_written_total",              "signal=\"traces\"",    "Blocks committed.") \
    X(BLOCKS_LOGS,              COUNTER, "blocks_written_total",              "signal=\"logs\"",      "") \
    X(BLOCKS_METRICS,           COUNTER, "blocks_written_total",              "signal=\"metrics\"",   "") \
    X(BLOCK_BYTES,              COUNTER, "block_bytes_total",                 "",                     "Bytes of the blocks committed.") \
    X(BLOCKS_MERGED,            COUNTER, "blocks_merged_total",               "",                     "Small blocks that were merged into larger ones.") \
    X(STORE_ERRORS,             COUNTER, "store_errors_total",                "",                     "Commits that failed and were retried.") \
    X(STORE_CORRUPT,            COUNTER, "store_corrupt_total",               "",                     "Damaged blocks skipped by queries.") \
    X(STORE_REPAIR_PENDING,     GAUGE,   "store_repair_pending",              "",                     "1: damage was found; the next start repairs the database.") \
    X(STORE_REPAIRS,            COUNTER, "store_repairs_total",               "",                     "Damaged databases repaired: readable rows were copied to a new one.") \
    X(STORE_LOST,               COUNTER, "store_lost_records_total",          "",                     "Records known to be lost in repairs.") \
    X(STORE_LOST_BUCKETS,       COUNTER, "store_lost_buckets_total",          "",                     "Chunks of histograms that lost their buckets in repairs.") \
    X(STORE_DB_BYTES,           GAUGE,   "store_bytes",                       "",                     "Size of the database file in bytes.") \
    X(EXPIRED_BLOCKS,           COUNTER, "expired_blocks_total",              "",                     "Blocks deleted by retention.") \
    X(RESOURCES,                GAUGE,   "resources",                         "",                     "Resources known by their attributes.") \
    X(RESOURCES_OVERFLOW,       COUNTER, "resources_overflow_total",          "",                     "Times that the table of resources had no room for a resource.") \
    X(RESOURCES_EVICTED,        COUNTER, "resources_evicted_total",           "",                     "Resources evicted from the full table; their records keep the identity.") \
    X(IDENTITY_CONFLICTS,       COUNTER, "identity_conflicts_total",          "",                     "Resources that claim a pod which another namespace claimed first.") \
    X(RECORDS_FOREIGN,          COUNTER, "records_foreign_total",             "",                     "Records refused because they stamp what their sender may not write.") \
    X(RESOURCES_UNASSIGNED,     GAUGE,   "resources_unassigned",              "",                     "Resources without an identity.") \
    X(RETAGGED,                 COUNTER, "resources_retagged_total",          "",                     "Resources that got an identity, or a better one, after their first record.") \
    X(OPERATIONS_OTHER,         COUNTER, "operations_other_total",            "",                     "Spans counted under {other} because the endpoint has too many operations.") \
    X(SERIES_OPEN,              GAUGE,   "derived_series_open",               "",                     "Derived points in memory.") \
    X(SERIES_EVICTED,           COUNTER, "derived_flushes_early_total",       "",                     "Early flushes of derived points because their table was full.") \
    X(UNPAIRED_SPANS,           GAUGE,   "unpaired_spans",                    "",                     "Spans that wait for the span at the other end of the call.") \
    X(UNPAIRED_SPANS_EVICTED,   COUNTER, "unpaired_spans_evicted_total",      "",                     "Unpaired spans evicted early because their table was full.") \
    X(TEMPLATES_OTHER,          COUNTER, "log_templates_other_total",         "",                     "Log records counted under {other} because the component has too many templates.") \
    X(QUERIES_200,              COUNTER, "queries_total",                     "code=\"200\"",         "Queries by HTTP status code; 499: the client closed the connection.") \
    X(QUERIES_400,              COUNTER, "queries_total",                     "code=\"400\"",         "") \
    X(QUERIES_403,              COUNTER, "queries_total",                     "code=\"403\"",         "") \
    X(QUERIES_404,              COUNTER, "queries_total",                     "code=\"404\"",         "") \
    X(QUERIES_405,              COUNTER, "queries_total",                     "code=\"405\"",         "") \
    X(QUERIES_413,              COUNTER, "queries_total",                     "code=\"413\"",         "") \
    X(QUERIES_415,              COUNTER, "queries_total",                     "code=\"415\"",         "") \
    X(QUERIES_421,              COUNTER, "queries_total",                     "code=\"421\"",         "") \
    X(QUERIES_422,              COUNTER, "queries_total",                     "code=\"422\"",         "") \
    X(QUERIES_429,              COUNTER, "queries_total",                     "code=\"429\"",         "") \
    X(QUERIES_499,              COUNTER, "queries_total",                     "code=\"499\"",         "") \
    X(QUERIES_500,              COUNTER, "queries_total",                     "code=\"500\"",         "") \
    X(QUERIES_501,              COUNTER, "queries_total",                     "code=\"501\"",         "") \
    X(QUERIES_503,              COUNTER, "queries_total",                     "code=\"503\"",         "") \
    X(QUERIES_OTHER,            COUNTER, "queries_total",                     "code=\"other\"",       "") \
    X(MCP_CALLS_OK,             COUNTER, "mcp_calls_total",                   "result=\"ok\"",        "Calls of tools over MCP.") \
    X(MCP_CALLS_ERROR,          COUNTER, "mcp_calls_total",                   "result=\"error\"",     "")
/* clang-format on */

enum stats_id {
#define STATS_ID(id, type, name, label, help) STATS_##id,
    STATS_TABLE(STATS_ID)
#undef STATS_ID
        STATS_COUNT
};

/* Durations as histograms, with the buckets of stats.c. */
#define STATS_HISTOGRAM_TABLE(X)                    \
    X(QUERY_DURATION, "query_duration_seconds",     \
      "Time from a query's arrival to its answer.") \
    X(AUTHZ_DURATION, "authz_duration_seconds",     \
      "Time of a call of the authorization service.")

enum stats_histogram {
#define STATS_ID(id, name, help) STATS_##id,
    STATS_HISTOGRAM_TABLE(STATS_ID)
#undef STATS_ID
        STATS_HISTOGRAM_COUNT
};

void stats_add(enum stats_id id, uint64_t n);
void stats_set(enum stats_id id, uint64_t value); /* gauges */
uint64_t stats_get(enum stats_id id);

/* Adds one to the row of this HTTP status code, or to that of "other"; first:
 * the first row of the counter. */
void stats_add_code(enum stats_id first, unsigned code);

void stats_observe(enum stats_histogram id, uint64_t duration_ns);

/* The whole table in Prometheus text format 0.0.4. */
void stats_print(struct buf *out);

#endif
