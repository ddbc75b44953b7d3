/*
 * Replay of the journal at start: batches that were acknowledged before the
 * last stop and are not in blocks yet pass through the correlator again.
 */
#include <time.h>

#include "clock.h"
#include "log.h"
#include "otlp.h"
#include "serve_int.h"

enum { MEMORY_WAIT_MS = 2000 };

static enum status decode(const struct daemon *d, struct batch *batch)
{
    return otlp_decode(batch,
                       serve_oldest_ns((void *)(uintptr_t)d->config,
                                       batch->signal, batch->received_ns),
                       NULL);
}

/* The batch fitted into memory when it was received. Now it may have to wait
 * until earlier ones are in a block; if the limit is lower than it was, it is
 * decoded outside of the budget, one batch at a time. */
static enum status decode_acknowledged(struct daemon *d, struct batch *batch)
{
    enum status status = decode(d, batch);

    for (int i = 0; status == ERR_BUSY && i < MEMORY_WAIT_MS; i++) {
        store_flush(d->store);
        nanosleep(&(struct timespec){.tv_nsec = (long)NS_PER_MS}, NULL);
        arena_release(&batch->arena);
        status = decode(d, batch);
    }
    if (status == ERR_BUSY || status == ERR_TOO_BIG) {
        arena_release(&batch->arena);
        arena_init(&batch->arena, NULL, SIZE_MAX);
        status = decode(d, batch);
    }
    return status;
}

/* Records that were rejected for their age are rejected again, by the time the
 * batch was received. */
static enum status replay_entry(void *arg, struct batch *batch)
{
    struct daemon *d = arg;
    enum status status = OK;

    if (d->config->kafka_brokers[0] &&
        serve_loss_reads_again(&d->loss, d->store, batch)) {
        d->loss.read_again++;
        batch_free(batch);
        return OK;
    }
    if (batch->encoding != BATCH_DEAD_LETTER)
        status = decode_acknowledged(d, batch);
    if (status == OK) {
        request_hash_batch(&d->request_key, batch);
        correlator_take(d->correlator, batch);
        return OK;
    }
    /* It was decoded before it was written, so this is a defect or a damaged
     * disk. The rest of the journal is still replayed. */
    log_error("journal", "skipped an entry that cannot be decoded",
              log_uint("lsn", batch->lsn),
              log_text("reason", status_text(status)));
    batch_free(batch);
    return OK;
}

enum status serve_replay(struct daemon *d)
{
    uint64_t from = UINT64_MAX, highest = 0;
    uint64_t begin = clock_monotonic_ns();

    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        uint64_t mark = store_watermark(d->store, (enum stream)stream);

        from = min_u64(from, mark);
        highest = mark > highest ? mark : highest;
    }
    enum status status = journal_replay(d->journal, from, replay_entry, d);
    uint64_t took = clock_monotonic_ns() - begin;
    if (status == OK && journal_last_lsn(d->journal) > from)
        log_info("journal", "replayed", log_uint("after", from),
                 log_uint("last", journal_last_lsn(d->journal)),
                 log_uint("ms", took / NS_PER_MS));
    if (d->loss.read_again > 0)
        log_warn("journal",
                 "messages after the damage will be read from Kafka again",
                 log_uint("messages", d->loss.read_again));
    /* New numbers are higher than all that the store knows, even if the journal
     * was lost. */
    journal_skip_lsns(d->journal, highest);
    return status;
}
