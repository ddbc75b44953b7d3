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
#include "writer.h"

/* BATCH_DEAD_LETTER: a message that cannot be decoded (dead_letter.h); it has
 * no records. */
enum batch_encoding { BATCH_PROTOBUF, BATCH_JSON, BATCH_DEAD_LETTER };

/* The offset in a partition of a Kafka topic that a batch comes from. The
 * journal writes it with the batch, so both are durable at once; the store
 * saves, for each partition, the offset after the last one appended. */
struct source_offset {
    struct slice topic; /* its bytes follow the struct */
    uint32_t partition;
    uint64_t offset;
    uint64_t time_ms; /* of the message; 0: unknown */
    uint64_t epoch;   /* of the sender; see journal_sink() */
};

enum { SOURCE_MAX_TOPIC = 249 };

struct batch {
    struct batch *next; /* for the queue or list that owns it */
    enum signal signal;
    enum batch_encoding encoding;
    bool derived;         /* made by the correlator, not received */
    uint64_t received_ns; /* wall clock on arrival; in the journal */
    uint64_t lsn;         /* log sequence number, by the journal; from 1 */
    struct source_offset *source; /* NULL: none; owned */
    struct writer *writer;        /* of its sender; NULL: of a collector that
                                     may write anything; a reference */

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

    struct request_hash hash; /* recognises the request if it is sent again */
    bool duplicate;           /* it was: its records have been removed */
    bool counted; /* its records were counted where they were received */

    uint32_t rejected;     /* records rejected one by one */
    uint32_t rejected_old; /* of those, records older than the retention */
    uint32_t received;     /* records of the request, with the rejected */
    const uint32_t *rejected_at; /* their places among those, rising; in the */
    uint32_t rejected_places;    /* arena; may have more than are rejected */
    const char *reason;          /* of the first; static text or in the arena */
    uint32_t foreign;         /* records that the correlator dropped, since the
                                 writer may not write them */
    struct slice foreign_why; /* of the first of those; in the arena */
    uint32_t too_big;         /* records that the sink could not pass on */
    uint32_t truncated;       /* values and attributes truncated at a bound */

    /* Of a derived batch: the correlator's state, committed with the points; in
     * the arena. */
    struct slice state;

    /* Called exactly once: when queries find the batch and it is durable (OK),
     * or when it was rejected. The batch must not be freed before. May be
     * NULL. */
    void (*done)(void *arg, enum status status);
    void *done_arg;

    atomic_uint refs;
};

/* Takes over body (malloc'ed, body_len already taken from budget). */
struct batch *batch_new(enum signal signal, char *body, size_t body_len,
                        struct budget *budget);

/* Copies source; its topic has at most SOURCE_MAX_TOPIC bytes. */
void batch_set_source_offset(struct batch *batch,
                             const struct source_offset *source);

/* Adds a reference; removes one, and frees at the last. NULL is fine. */
struct batch *batch_ref(struct batch *batch);
void batch_free(struct batch *batch);

/* Calls done, unless it was called before. */
void batch_done(struct batch *batch, enum status status);

/* The number of records without a time of their own. */
uint32_t batch_untimed(const struct batch *batch);

/* Bytes of body and arena. */
size_t batch_size(const struct batch *batch);

/* The next stage. submit() takes over the batch and ensures that done() is
 * called; ready() tells a receiver, before it reads or parses, whether a batch
 * would be rejected now (OK, ERR_BUSY, ERR_IO, ERR_STOPPING); nearly_full()
 * whether senders of more than their share should wait (NULL: never). */
struct sink {
    void (*submit)(void *arg, struct batch *batch);
    enum status (*ready)(void *arg);
    void *arg;
    bool (*nearly_full)(void *arg);
};

#endif
