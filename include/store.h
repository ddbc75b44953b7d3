/*
 * store - the seam behind which signals are stored: spans, log records, points.
 *
 * Purpose:   takes batches whose records carry resource ids and endpoints,
 *            keeps them in memtables (in memory, readable at once), writes
 *            these as column blocks and answers queries over both. It knows
 *            records and resource ids; it knows neither OTLP nor components.
 *            What is stored beside the signals: metadata.h.
 *
 *            Streams (spans, logs, metrics and derived: metric batches made by
 *            the correlator) are committed independently. Each has a watermark:
 *            all batches up to that lsn are committed. It is committed in the
 *            same transaction as the records, so a replay of the journal skips
 *            what is stored.
 *
 *            A query runs on a reader. reader_begin() fixes what it sees: every
 *            record appended before is seen exactly once, whether it is in
 *            memory, being written or committed.
 * Ownership: store_append() takes the batch over. Results are in the caller's
 *            arena, and valid until reader_end().
 * Threads:   store_append: the correlator's thread only. Readers: one thread
 *            each, any number. A thread inside encodes and commits.
 * Errors:    appending cannot fail; it waits, and store_health() has the
 *            reason. Queries return ERR_BUSY or ERR_TOO_BIG (memory), ERR_IO,
 *            ERR_CANCELLED.
 */
#ifndef STORE_H
#define STORE_H

#include <stdatomic.h>

#include "arena.h"
#include "batch.h"
#include "bitmap.h"
#include "journal.h"
#include "metadata.h"
#include "record.h"
#include "status.h"
#include "store_query.h"

struct store;

enum stream {
    STREAM_SPANS,
    STREAM_LOGS,
    STREAM_METRICS,
    STREAM_DERIVED,
    STREAM_COUNT
};

/* The stream of what a sender sends. */
static inline enum stream stream_of(enum signal signal)
{
    return signal == SIGNAL_SPANS  ? STREAM_SPANS
           : signal == SIGNAL_LOGS ? STREAM_LOGS
                                   : STREAM_METRICS;
}

struct store_options {
    const char *dir;         /* holds callboard.db; created if missing */
    struct journal *journal; /* truncated after commits; NULL in tests */
    uint32_t block_spans, block_logs; /* records that close a memtable */
    uint64_t memtable_bytes;          /* memory of a memtable that closes it */
    uint64_t memtable_age_ns; /* age of its oldest batch that closes it */
    uint64_t retention_ns[SIGNAL_COUNT]; /* 0: keep for ever */
    uint64_t retention_bytes; /* of the whole database; 0: no bound */
    bool encode_late; /* spans are encoded when their memtable is written, not
                       as they are appended: slower, and takes less memory */
    bool cold; /* nothing is written, so no block is merged or deleted: only for
                  reading what a program that was stopped has left */
    uint64_t query_bytes; /* what all readers together may take; above it
                             queries get ERR_BUSY */
};

/* ERR_IO, ERR_UNSUPPORTED (a newer version). A damaged database is renamed and
 * what can be read is copied to a new one: see docs/operations.md. */
MUST_CHECK enum status store_open(struct store **store,
                                  const struct store_options *options);

/* Writes and commits what is in memory, then closes. NULL is fine. */
void store_close(struct store *store);

struct metadata *store_metadata(struct store *store);

/* How long a signal is kept; 0: for ever, but for --retention-size. */
uint64_t store_retention(const struct store *store, enum signal signal);

uint64_t store_watermark(struct store *store, enum stream stream);

/* The lsn of the last batch of log records that was appended; a reader that
 * begins later sees it. From any thread. */
uint64_t store_last_log_lsn(struct store *store);

/* Lower bound on the arrival time of any stored record, in blocks or in memory.
 * A resource that was seen last a day or more before it has no record left. As
 * of the last look at the tables, some seconds ago; 0: not known yet. From any
 * thread. */
uint64_t store_oldest_ns(struct store *store);

/* Closes all memtables, however small, so that they are written: batches were
 * refused for lack of memory. From any thread. */
void store_flush(struct store *store);

/* The entries of the journal up to this one were replayed: those that are in
 * blocks leave it, so that a full journal of a process that was killed does not
 * stay full. Once, after the journal has started. */
void store_replayed(struct store *store, uint64_t lsn);

/* From now on store_append does not wait: what is still appended is in memory
 * already, and a full disk must not keep the process from stopping. From any
 * thread; NULL is fine. */
void store_begin_shutdown(struct store *store);

/* OK, or why new data cannot be taken now (ERR_IO: the disk is full or
 * read-only, ERR_BUSY: writing is behind). For sinks' ready() and /health. */
enum status store_health(struct store *store);
/* What is wrong then, and what helps; static. NULL: the status says it. */
const char *store_health_reason(struct store *store);

/* ---- writing: the correlator's thread ---- */

/*
 * Takes over a correlated batch; on return queries find its records. The stream
 * follows from signal and derived. A derived batch is a memtable of its own and
 * closed at once, with batch->lsn as the stream's new watermark and with
 * batch->state, committed together with all that was saved and appended before.
 * batch->hash is stored, for metadata_load_requests().
 * Waits while two memtables of the stream wait to be written already, or much
 * metadata is not committed, until store_begin_shutdown(): that is the
 * back-pressure.
 */
void store_append(struct store *store, struct batch *batch);

/* True if the derived stream should be flushed now, because its watermark
 * holds back the journal or its last flush is memtable_age_ns ago. */
bool store_derived_flush_due(struct store *store, uint64_t last_lsn);

/*
 * Derived points that are still being counted. reader_query_series() asks the
 * source for them, so there is one way to read a series. visit is called for
 * each open point that the query wants; it stays in the arena, with what it
 * refers to. The result is the number of derived batches that the points are
 * newer than, counted from store_set_open_series() on. A source appends first,
 * and only then forgets its points and returns the new number.
 */
struct open_series {
    uint64_t (*visit)(void *source, const struct series_query *query,
                      struct arena *arena, point_visit *visit, void *arg);
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
/* The same at a time (clock_monotonic_ns()), with ERR_DEADLINE; 0: never. */
void reader_set_deadline(struct reader *reader, uint64_t deadline_ns);
/* At this time, unless it is earlier already. */
void reader_shorten_deadline(struct reader *reader, uint64_t deadline_ns);
/* ERR_CANCELLED once the flag is set, ERR_DEADLINE after the deadline. For work
 * between the calls of this module, and its own loops over chunks; functions of
 * block_cursor.h check it themselves. */
MUST_CHECK enum status reader_cancelled(const struct reader *reader);

/* Why the last call on the reader failed, for whoever asked; static. NULL: its
 * status says it. */
const char *reader_reason(const struct reader *reader);

/* Records in memory may be referred to by results, not copied; they are valid
 * until reader_end(). */
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

/* After all log records that the reader sees. */
MUST_CHECK enum status reader_log_tail(struct reader *reader,
                                       struct log_tail *now);

/* How many records match in each step of time, by level; its order, limit and
 * range are not used. Adds to the counts. */
struct log_counts {
    uint64_t start_ns, step_ns;
    uint32_t steps;
    uint64_t (*counts)[LEVEL_COUNT];
};
MUST_CHECK enum status reader_count_logs(struct reader *reader,
                                         const struct log_query *query,
                                         const struct log_counts *out);

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

/* Traces from all over the time of the query, `limit` at most, newest first: of
 * each slice of it the slowest, failed ones, and others by a hash of their ids.
 * Its order, range and counting are not used. */
struct spread_traces {
    struct trace_summary *traces;
    uint32_t count;
    bool more;    /* there may be others */
    bool partial; /* and not all were looked at */
};
MUST_CHECK enum status reader_spread_traces(struct reader *reader,
                                            const struct trace_query *query,
                                            struct arena *arena,
                                            struct spread_traces *out);

/* The first `limit` spans of a trace, and how many there are; a span that was
 * sent twice comes once. */
MUST_CHECK enum status reader_query_spans(struct reader *reader,
                                          const struct span_query *query,
                                          struct arena *arena,
                                          struct span **spans, uint32_t *count,
                                          uint64_t *total);

/* The same without copies: a span is good during its visit only, unless it
 * `stays`: then its texts and attributes are good until reader_end(). Spans
 * come in any order; `place` is that in the order of the query. One that cannot
 * be read any more has its start and its ids only, and one may come twice: the
 * last visit counts. An error of a visit ends it. */
struct span_visitor {
    enum status (*begin)(void *arg, uint32_t count); /* before the first */
    enum status (*visit)(void *arg, uint32_t place, const struct span *span,
                         bool stays);
    void *arg;
};
MUST_CHECK enum status reader_visit_spans(struct reader *reader,
                                          const struct span_query *query,
                                          const struct span_visitor *visitor,
                                          uint64_t *total);

/* The spans of many traces in one pass, for who needs a little of each: without
 * attributes, events and links, in any order; a span that was sent twice comes
 * twice. A span is good during its visit only. An error of a visit ends it. */
struct traces_query {
    uint8_t (*trace_ids)[16]; /* each once */
    uint32_t count;
    const struct bitmap *visible; /* NULL: all are visible */
};
typedef enum status trace_span_visit(void *arg, uint32_t trace,
                                     const struct span *span);
MUST_CHECK enum status reader_visit_traces(struct reader *reader,
                                           const struct traces_query *query,
                                           trace_span_visit *visit, void *arg);

/* One span with all it has, of a visible resource (NULL: any); two tenants may
 * have one with these ids. ERR_NOT_FOUND. */
MUST_CHECK enum status reader_find_span(struct reader *reader,
                                        const uint8_t trace_id[16],
                                        const uint8_t span_id[8],
                                        const struct bitmap *visible,
                                        struct arena *arena, struct span *span);

/* Every point, derived ones still open included. Points of one series in one
 * piece come together and in order of time, but pieces come in any order and
 * delta points of one series and minute may come in several parts. A point is
 * good during its visit only. */
MUST_CHECK enum status reader_query_series(struct reader *reader,
                                           const struct series_query *query,
                                           point_visit *visit, void *arg);

/* The same resource by resource, for who puts series together one after
 * another: the plan, in the arena, knows where the points of each are. The
 * query must outlive it. */
struct series_plan;
MUST_CHECK enum status reader_plan_series(struct reader *reader,
                                          const struct series_query *query,
                                          struct arena *arena,
                                          struct series_plan **plan);
/* The lowest resource from this one on that may have points; RESOURCE_NONE. */
uint32_t series_plan_next(const struct series_plan *plan, uint64_t from);
MUST_CHECK enum status reader_read_planned(struct reader *reader,
                                           const struct series_plan *plan,
                                           uint32_t resource,
                                           point_visit *visit, void *arg);

/* Spans of the resources that start in the ranges; log records with a trace id,
 * of which only time, ids, level, resource and body are sure to be there. In
 * any order; a span that was sent twice comes twice. */
MUST_CHECK enum status reader_sample_spans(struct reader *reader,
                                           const struct sample_query *query,
                                           span_visit *visit, void *arg);
MUST_CHECK enum status reader_sample_logs(struct reader *reader,
                                          const struct sample_query *query,
                                          log_visit *visit, void *arg);

/* Sizes for operations: bytes on disk and records, per stream. */
struct store_sizes {
    uint64_t bytes[STREAM_COUNT], records[STREAM_COUNT];
    uint64_t blocks[STREAM_COUNT];
};
MUST_CHECK enum status reader_sizes(struct reader *reader,
                                    struct store_sizes *sizes);

#endif
