/*
 * store - the seam behind which records are kept.
 *
 * It gets batches whose records carry resource ids and endpoints, keeps them
 * in the head (in memory, readable at once), seals the head into column blocks
 * on disk and answers questions over both. It knows records and resource ids;
 * it knows neither OTLP nor components.
 *
 * Streams  Four streams are sealed each on its own: spans, logs, metrics and
 *          derived (metric batches made by the correlator). For each the store
 *          keeps a watermark: all batches up to that lsn are committed. The
 *          watermark is committed in the same transaction as the data, so a
 *          replay of the journal can tell what to leave out.
 *
 * Views    A query runs on a reader. reader_begin() fixes what it sees: every
 *          record appended before is seen exactly once, whether it is in the
 *          head, being sealed or committed.
 *
 * Threads  store_append, store_save_*: the correlator's thread only, but for
 *          store_save_text. A thread
 *          inside seals and commits. Readers: one thread each, any number.
 */
#ifndef STORE_H
#define STORE_H

#include <stdatomic.h>

#include "arena.h"
#include "batch.h"
#include "bitmap.h"
#include "identity.h"
#include "journal.h"
#include "record.h"
#include "status.h"
#include "store_query.h"

struct store;
struct reader;

enum stream {
    STREAM_SPANS,
    STREAM_LOGS,
    STREAM_METRICS,
    STREAM_DERIVED,
    STREAM_COUNT
};

struct store_options {
    const char *dir;         /* holds callboard.db; made if missing */
    struct journal *journal; /* cut as watermarks move; NULL in tests */
    uint32_t block_spans, block_logs; /* records that seal a head */
    uint64_t memtable_bytes;  /* memory of one stream's head that seals it */
    uint64_t memtable_age_ns; /* age of its oldest batch that seals it */
    uint64_t retention_ns[SIGNAL_COUNT]; /* 0: keep for ever */
    uint64_t retention_bytes; /* of the whole database; 0: no bound */
    bool code_late; /* spans are coded when they are sealed and not as they
                       come: slower, and takes less memory */
    uint64_t query_bytes; /* what all readers together may take; beyond it
                             they are told ERR_BUSY */
};

/* ERR_IO, ERR_UNSUPPORTED (a newer version). A damaged database is moved aside
 * and what can be read is copied to a new one: see docs/operations.md. */
MUST_CHECK enum status store_open(struct store **store,
                                  const struct store_options *options);

/* Seals and commits what is in the heads, then closes. NULL is fine. */
void store_close(struct store *store);

/* The offset behind the last batch from this partition (batch->source) that
 * was appended in this life or kept in an earlier one; false: there is none.
 * Once the journal was replayed: all before it is kept, nothing from it on. */
bool store_next_offset(struct store *store, struct slice topic,
                       uint32_t partition, uint64_t *next);

uint64_t store_watermark(struct store *store, enum stream stream);

/* Whatever is kept, in blocks or in memory, came no earlier than this: what
 * was seen last before it, by a day or more, has no record left. As of the last
 * look at the tables, some seconds ago; 0: not looked yet. From any thread. */
uint64_t store_oldest_ns(struct store *store);

/* Seals what is in memory, however little: batches were refused for want of
 * memory. From any thread. */
void store_flush(struct store *store);

/* From now on store_append does not wait: what still comes is in memory
 * already, and a disk that is full must not keep the process from stopping.
 * From any thread; NULL is fine. */
void store_begin_shutdown(struct store *store);

/* OK, or why new data cannot be taken now (ERR_IO: the disk is full or
 * read-only, ERR_BUSY: sealing is behind). For sinks' ready() and /health. */
enum status store_health(struct store *store);

/* ---- writing: the correlator's thread ---- */

/*
 * Takes over a correlated batch; on return queries find its records. The
 * stream follows from signal and derived. Derived batches are sealed at once,
 * with batch->lsn as the stream's new watermark and with batch->state, together
 * with all that was saved and appended before. batch->hash is kept with the
 * batch, for store_load_requests().
 * Waits while two heads of the stream are being sealed already, or much of what
 * was saved is not committed: that is the back-pressure, until
 * store_begin_shutdown().
 */
void store_append(struct store *store, struct batch *batch);

/* True if the derived stream should be flushed now, because its watermark
 * holds back the journal or its last flush is memtable_age_ns old. */
bool store_derived_flush_due(struct store *store, uint64_t last_lsn);

/* What the registry keeps. Copied; committed with, or before, the next data.
 * Saving the same id again replaces it. */
void store_save_identity(struct store *store, const struct identity *identity);
void store_save_resource(struct store *store, uint32_t id, uint32_t identity,
                         uint64_t hash, const struct resource *resource);
void store_save_resource_identity(struct store *store, uint32_t id,
                                  uint32_t identity);
/* Named texts of any content (catalogue, state of the correlator). From any
 * thread. */
void store_save_text(struct store *store, const char *name, struct slice text);

/* Waits until all saved so far is committed. */
MUST_CHECK enum status store_sync(struct store *store);

/* ---- start-up: before the first append ---- */

typedef void store_identity_visit(void *arg, const struct identity *identity);
typedef void store_resource_visit(void *arg, uint32_t id, uint32_t identity,
                                  uint64_t hash,
                                  const struct resource *resource);
/* Identities by number; then resources, the highest id first: nearly always the
 * newest. */
MUST_CHECK enum status store_load(struct store *store,
                                  store_identity_visit *identity,
                                  store_resource_visit *resource, void *arg);
/* Empty if there is none. */
MUST_CHECK enum status store_load_text(struct store *store, const char *name,
                                       struct arena *arena, struct slice *text);
/* The state of the derived batch committed last; empty if there is none. */
MUST_CHECK enum status store_load_derived_state(struct store *store,
                                                struct arena *arena,
                                                struct slice *state);
/* The requests that were appended last, some ten thousand, in that order. */
typedef void store_request_visit(void *arg, struct request_hash hash,
                                 uint64_t lsn);
MUST_CHECK enum status store_load_requests(struct store *store,
                                           store_request_visit *visit,
                                           void *arg);
/* All of which the names begin so, by name. */
typedef void store_text_visit(void *arg, struct slice name, struct slice text);
MUST_CHECK enum status store_load_texts(struct store *store, const char *prefix,
                                        store_text_visit *visit, void *arg);

/*
 * Derived points that are still being counted. reader_query_series() asks the
 * source for them, so there is one way to read a series. visit is called for
 * each open point, and what the point refers to stays in the arena; the result
 * is the number of derived batches that the points read are newer than, counted
 * from store_set_open_series() on. A source appends first, and only then
 * forgets its points and says the new number.
 */
struct open_series {
    uint64_t (*visit)(void *source, const struct bitmap *resources,
                      uint64_t start_ns, uint64_t end_ns, struct arena *arena,
                      point_visit *visit, void *arg);
    void *source;
};
void store_set_open_series(struct store *store, struct open_series source);

/* ---- reading ---- */

MUST_CHECK enum status reader_open(struct reader **reader, struct store *store);
void reader_close(struct reader *reader);

/* A query checks the flag between blocks and chunks; once it is true the query
 * ends with ERR_CANCELLED. NULL, or never called: it runs to its end. The flag
 * must live until the next call or reader_close(). */
void reader_set_cancel(struct reader *reader, const atomic_bool *cancelled);

/* Between the two, results in the caller's arena stay as they are; records of
 * the head may be referred to, not copied, and are held until reader_end(). */
MUST_CHECK enum status reader_begin(struct reader *reader);
void reader_end(struct reader *reader);

/* The first `limit` matches in order, with all their members (endpoint filled
 * in from their spans where these are known), and how many match in all, or as
 * many as query->counting asks for. */
MUST_CHECK enum status reader_query_logs(struct reader *reader,
                                         const struct log_query *query,
                                         struct arena *arena,
                                         struct log_record **logs,
                                         uint32_t *count, uint64_t *total);

/* A message that could not be decoded (dead_letter.h). */
struct dead_letter_row {
    uint64_t id; /* grows */
    struct slice topic, reason, bytes;
    uint32_t partition;
    uint64_t offset, size; /* of the message */
    uint64_t received_ns, time_ms;
};

struct dead_letter_query {
    struct slice topic; /* empty: all */
    int64_t partition;  /* -1: all */
    uint64_t before;    /* id; 0: from the newest */
    uint64_t max_bytes; /* of each message; 0: none */
    uint32_t limit;
};

/* The newest first; *total: how many there are without `before`. */
MUST_CHECK enum status reader_query_dead_letters(
    struct reader *reader, const struct dead_letter_query *query,
    struct arena *arena, struct dead_letter_row **letters, uint32_t *count,
    uint64_t *total);

struct trace_summary {
    uint8_t trace_id[16], root_span_id[8];
    struct slice root_name; /* of the root, or of the earliest span */
    uint32_t root_resource_id;
    uint32_t span_count; /* of the whole trace */
    uint64_t start_ns, end_ns;
    uint8_t root_kind;
    bool has_errors; /* among spans in `resources` */
};

MUST_CHECK enum status reader_query_traces(struct reader *reader,
                                           const struct trace_query *query,
                                           struct arena *arena,
                                           struct trace_summary **traces,
                                           uint32_t *count, uint64_t *total);

/* The first `limit` spans of a trace, and how many there are; a span that was
 * sent twice comes once. */
MUST_CHECK enum status reader_query_spans(struct reader *reader,
                                          const struct span_query *query,
                                          struct arena *arena,
                                          struct span **spans, uint32_t *count,
                                          uint64_t *total);

/* One span with all it has; ERR_NOT_FOUND. */
MUST_CHECK enum status reader_find_span(struct reader *reader,
                                        const uint8_t trace_id[16],
                                        const uint8_t span_id[8],
                                        struct arena *arena, struct span *span);

/* All spans of a trace, by start, then by id; for traces known to be small. */
MUST_CHECK enum status reader_query_trace(struct reader *reader,
                                          const uint8_t trace_id[16],
                                          bool whole, struct arena *arena,
                                          struct span **spans, uint32_t *count);

/* Every point, derived ones still open included. Points of one series in one
 * piece come together and in order of time, but pieces come in any order and
 * delta points of one series and minute may come in several parts. A point is
 * good during its visit only. */
MUST_CHECK enum status reader_query_series(struct reader *reader,
                                           const struct series_query *query,
                                           point_visit *visit, void *arg);

/* Spans that start in the time, with the other spans of their trace that lie
 * beside them; log records with a trace id. In any order; a span that was sent
 * twice comes twice. */
MUST_CHECK enum status reader_sample_spans(struct reader *reader,
                                           const struct sample_query *query,
                                           span_visit *visit, void *arg);
MUST_CHECK enum status reader_sample_logs(struct reader *reader,
                                          const struct sample_query *query,
                                          log_visit *visit, void *arg);

/* Attributes of a resource, ERR_NOT_FOUND if there is none with this id. */
MUST_CHECK enum status reader_resource(struct reader *reader, uint32_t id,
                                       struct arena *arena,
                                       struct resource *resource);

/* Sizes for operations: bytes on disk and records, per stream. */
struct store_sizes {
    uint64_t bytes[STREAM_COUNT], records[STREAM_COUNT];
    uint64_t blocks[STREAM_COUNT], file_bytes;
};
MUST_CHECK enum status reader_sizes(struct reader *reader,
                                    struct store_sizes *sizes);

#endif
