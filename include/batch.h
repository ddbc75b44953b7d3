/*
 * batch - one export request on its way through the program.
 *
 *   receiver: batch_new(), decode  -> journal: sync -> correlator: resource
 *   ids, endpoints                 -> store: memtable, block; freed
 *
 * Purpose:   the bytes of a request, the records decoded from them (views), and
 *            the arena both need, freed as a whole.
 * Ownership: pushing a batch to a queue or submitting it to a sink passes it
 *            on. In the store's memtable it is immutable and counted by
 *            reference (batch_ref()), since queries read it.
 * Threads:   one owner at a time until it is in the memtable; then any may read
 *            it.
 * Errors:    batch_new() does not fail; decoding reports through a status and
 *            `reason`.
 */
#ifndef BATCH_H
#define BATCH_H

#include <stdatomic.h>
#include <stdint.h>

#include "arena.h"
#include "record.h"
#include "request_hash.h"
#include "status.h"

/* BATCH_DEAD_LETTER: a message nobody can decode; its body is read by
 * dead_letter.h, it has no records, and what is kept of it is a row in table
 * dead_letter. */
enum batch_encoding { BATCH_PROTOBUF, BATCH_JSON, BATCH_DEAD_LETTER };

/* Where in a log of somebody else's (a partition of a Kafka topic) the bytes
 * of a batch come from. The journal keeps it with them, so that both become
 * durable at once; the store keeps, for each partition, the offset behind the
 * last one that was appended. */
struct source_offset {
    struct slice topic; /* its bytes are behind the struct */
    uint32_t partition;
    uint64_t offset;
    uint64_t time_ms; /* of the message; 0: not known */
    uint64_t epoch;   /* of the sender; see journal_sink() */
};

enum { SOURCE_MAX_TOPIC = 249 };

struct batch {
    struct batch *next; /* for the queue or list that owns it */
    enum signal signal;
    enum batch_encoding encoding;
    bool derived;         /* made by the correlator, not received */
    uint64_t received_ns; /* wall clock on arrival; kept by the journal */
    uint64_t lsn;         /* log sequence number, by the journal; from 1 */
    struct source_offset *source; /* NULL: none; owned */

    char *body; /* the request, not compressed; malloc'ed, owned */
    size_t body_len;
    struct budget *budget; /* what body and arena are charged to, or NULL */
    struct arena arena;

    union { /* by signal */
        struct span *spans;
        struct log_record *logs;
        struct point *points;
    };
    uint32_t count;
    struct resource *resources;
    uint32_t resource_count;

    /* By which the same request is known when it comes again, if it can be. */
    struct request_hash hash;
    bool repeated; /* it is such a one: its records have been taken away */

    uint32_t rejected;     /* records refused one by one */
    uint32_t rejected_old; /* of those, the ones older than is kept */
    const char *reason;    /* why the first was; static text or in the arena */
    uint32_t truncated;    /* values and attributes truncated at a bound */

    /* Of a derived batch: what its maker wants back after a crash, committed
     * with the points; in the arena. */
    struct slice state;

    /* Called exactly once, when the batch is durable and can be found (OK) or
     * when it could not be taken; before that nobody may free the batch.
     * May be NULL. */
    void (*done)(void *arg, enum status status);
    void *done_arg;

    atomic_uint refs;
};

/* Takes over body (malloc'ed, body_len already taken from budget). */
struct batch *batch_new(enum signal signal, char *body, size_t body_len,
                        struct budget *budget);

/* Gives it an source; the topic, at most SOURCE_MAX_TOPIC bytes, is copied. */
void batch_set_source_offset(struct batch *batch,
                             const struct source_offset *source);

/* One reference more, one less; the last one frees all. NULL is fine. */
struct batch *batch_ref(struct batch *batch);
void batch_free(struct batch *batch);

/* Calls done, if it has not been called yet. */
void batch_done(struct batch *batch, enum status status);

/* Records that have no time of their own, but that of the arrival. */
uint32_t batch_untimed(const struct batch *batch);

/* Memory it holds: body and arena. */
size_t batch_size(const struct batch *batch);

/* Where batches go. submit takes the batch over and sees to it that done is
 * called; ready tells a receiver, before it reads or parses, whether a batch
 * would be refused now (OK, ERR_BUSY, ERR_IO, ERR_STOPPING). */
struct sink {
    void (*submit)(void *arg, struct batch *batch);
    enum status (*ready)(void *arg);
    void *arg;
};

#endif
