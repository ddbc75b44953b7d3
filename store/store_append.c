/*
 * Batches into memtables. Spans are encoded here, by the correlator's thread,
 * while they are in its cache; everything else is encoded by the writer.
 */
#include "block.h"
#include "clock.h"
#include "stats.h"
#include "store_int.h"

/* At least so long between flushes that only truncate the journal. */
#define JOURNAL_FLUSH_NS NS_PER_S

/* Points are smaller than spans: a memtable of metrics holds more of them. */
enum { POINTS_PER_SPAN = 4 };

static enum stream stream_of_batch(const struct batch *batch)
{
    return batch->derived ? STREAM_DERIVED : stream_of(batch->signal);
}

static bool is_full(const struct store_options *o,
                    const struct memtable *memtable)
{
    uint64_t most = o->block_spans;

    if (memtable->stream == STREAM_LOGS)
        most = o->block_logs;
    if (memtable->stream == STREAM_METRICS)
        most *= POINTS_PER_SPAN;
    return memtable->stream == STREAM_DERIVED || memtable->records >= most ||
           memtable->bytes >= o->memtable_bytes;
}

/* ---- encoding spans at once ---- */

/* True if the memtable will be one block, as far as is known. Under the
 * lock. */
static bool begin_encoding(struct store *store, struct memtable *memtable,
                           const struct batch *batch)
{
    uint64_t most = store->options.block_spans + store->options.block_spans / 2;

    if (memtable->stream != STREAM_SPANS || store->options.encode_late ||
        memtable->records + batch->count > most)
        return false;
    if (memtable->records == 0 && !memtable->rows)
        memtable->rows = memtables_take_rows(&store->memtables);
    return memtable->rows != NULL;
}

/* Gives up the lock; the memtable stays open meanwhile. */
static void encode_spans(struct store *store, struct memtable *memtable,
                         const struct batch *batch)
{
    struct stream_memtables *list = &store->memtables.streams[memtable->stream];
    bool encoding = begin_encoding(store, memtable, batch);

    if (!encoding && !memtable->rows)
        return;
    list->appending = true;
    pthread_mutex_unlock(&store->commits.lock);
    for (uint32_t i = 0; encoding && i < batch->count; i++)
        span_rows_add(memtable->rows, &batch->spans[i]);
    if (!encoding)
        memtables_return_rows(&store->memtables, memtable);
    pthread_mutex_lock(&store->commits.lock);
    list->appending = false;
}

/* ---- appending ---- */

/* True if more than 1/part of the journal is used: what holds it back must be
 * committed. */
static bool journal_fills(const struct store *store, unsigned part)
{
    struct journal *journal = store->options.journal;

    return journal &&
           journal_bytes(journal) > journal_max_bytes(journal) / part;
}

static void note_lsn(struct store *store, const struct batch *batch)
{
    if (batch->lsn > store->memtables.last_lsn)
        store->memtables.last_lsn = batch->lsn;
}

/* A batch without records leaves its offset, and a dead letter. Under the
 * lock. */
static void append_empty(struct store *store, struct batch *batch)
{
    struct kafka_offsets *offsets = store->metadata.offsets;
    bool letter = batch->encoding == BATCH_DEAD_LETTER;

    /* Waits first: what is noted may be committed at once. */
    while (letter && !store->commits.shutting_down &&
           kafka_offsets_dead_letters(offsets) >= DEAD_LETTERS_WAITING)
        pthread_cond_wait(&store->commits.done, &store->commits.lock);
    note_lsn(store, batch);
    kafka_offsets_note(offsets, batch);
    if (letter) {
        kafka_offsets_add_dead_letter(offsets, batch);
        pthread_cond_signal(&store->commits.work);
    } else {
        batch_free(batch);
    }
}

/* So that records of one time keep their order. */
static void number_logs(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        batch->logs[i].arrival = log_arrival(batch->lsn, i);
}

/* Under the lock. */
static void append_records(struct store *store, struct batch *batch,
                           enum stream stream)
{
    struct memtables *memtables = &store->memtables;
    struct stream_memtables *list = &memtables->streams[stream];

    while (
        !store->commits.shutting_down &&
        (list->closed >= MEMTABLES_WAITING || metadata_full(&store->metadata)))
        pthread_cond_wait(&store->commits.done, &store->commits.lock);
    if (stream == STREAM_DERIVED)
        memtables->derived_ns = clock_monotonic_ns();
    else
        note_lsn(store, batch);

    struct memtable *memtable = memtables_open(memtables, stream);
    uint64_t before = memtable->bytes;
    encode_spans(store, memtable, batch);
    memtable_add(memtable, batch);
    memtables->bytes += memtable->bytes - before;
    stats_set(STATS_MEMTABLE_BYTES, memtables->bytes);
    list->last_lsn = batch->lsn;
    metadata_note_batch(&store->metadata, batch);
    if (is_full(&store->options, memtable) || list->close_wanted)
        memtables_close(memtables, stream);
    list->close_wanted = false;
}

void embedded_append(struct store *store, struct batch *batch)
{
    enum stream stream = stream_of_batch(batch);
    bool journal_full = journal_fills(store, 2);

    if (stream == STREAM_LOGS)
        number_logs(batch);
    pthread_mutex_lock(&store->commits.lock);
    if (stream != STREAM_DERIVED && batch->count == 0) {
        append_empty(store, batch);
    } else {
        append_records(store, batch, stream);
        if (journal_full &&
            store->progress.truncated_lsn >= store->progress.flush_lsn) {
            store->progress.flush_lsn = store->memtables.last_lsn;
            memtables_close_all(&store->memtables);
        }
    }
    pthread_mutex_unlock(&store->commits.lock);
}

/*
 * The journal causes a flush only while it is the derived stream that holds it
 * back, and not more often than JOURNAL_FLUSH_NS unless it is half full: at
 * full speed the journal is never far from a quarter full, and a flush for
 * every batch would cost more than the batch.
 */
bool embedded_derived_flush_due(struct store *store, uint64_t last_lsn)
{
    const struct stream_memtables *list =
        &store->memtables.streams[STREAM_DERIVED];
    bool quarter = journal_fills(store, 4), half = journal_fills(store, 2);

    pthread_mutex_lock(&store->commits.lock);
    uint64_t flushed =
        list->last_lsn > list->watermark ? list->last_lsn : list->watermark;
    uint64_t age = clock_monotonic_ns() - store->memtables.derived_ns;
    bool holds = flushed < memtables_durable_lsn(&store->memtables, true);
    pthread_mutex_unlock(&store->commits.lock);
    if (last_lsn <= flushed)
        return false;
    return age >= store->options.memtable_age_ns ||
           (holds && (half || (quarter && age >= JOURNAL_FLUSH_NS)));
}

uint64_t embedded_last_log_lsn(struct store *store)
{
    const struct stream_memtables *list =
        &store->memtables.streams[STREAM_LOGS];

    pthread_mutex_lock(&store->commits.lock);
    uint64_t lsn =
        list->last_lsn > list->watermark ? list->last_lsn : list->watermark;
    pthread_mutex_unlock(&store->commits.lock);
    return lsn;
}

void embedded_flush(struct store *store)
{
    pthread_mutex_lock(&store->commits.lock);
    memtables_close_all(&store->memtables);
    pthread_mutex_unlock(&store->commits.lock);
}

void embedded_begin_shutdown(struct store *store)
{
    if (!store)
        return;
    pthread_mutex_lock(&store->commits.lock);
    store->commits.shutting_down = true;
    pthread_cond_broadcast(&store->commits.done);
    pthread_mutex_unlock(&store->commits.lock);
}

void embedded_set_open_series(struct store *store, struct open_series source)
{
    struct memtables *memtables = &store->memtables;

    pthread_mutex_lock(&store->commits.lock);
    memtables->open_series = source;
    memtables->open_base = memtables->streams[STREAM_DERIVED].next_serial - 1;
    pthread_mutex_unlock(&store->commits.lock);
}
