/*
 * kafka_turns - a partition has one batch with librdkafka at a time: what comes
 * soon (within 3/4 of linger.ms) joins it, what comes later waits here for the
 * next.
 *
 *   add ─► the list of its partition ─► serve: all of the list goes to
 *   librdkafka ─► done: the last of them is delivered, the next may go
 *
 * With five messages of a partition in flight an idempotent producer sends no
 * others of it, and while it has some librdkafka (2.0.2) polls without a pause.
 * So it has none, unless handing over takes longer than the rest of linger.ms.
 * What comes meanwhile makes one batch.
 *
 * Threads  any; those that serve hold the lock of the client, or are the
 *          producer's thread.
 */
#ifndef KAFKA_TURNS_H
#define KAFKA_TURNS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"

struct handed_message;

/* A partition of a topic that is written to. */
struct produced_partition {
    struct handed_message *first, **end; /* wait */
    uint32_t out;                        /* librdkafka has them */
    size_t bytes;                        /* of these */
    uint64_t open_until_ns;              /* librdkafka does not send before */
    bool listed;
    struct produced_partition *next;
};

struct kafka_turns {
    pthread_mutex_t lock; /* of all */
    struct {
        struct produced_partition **at; /* NULL: not used yet */
        uint32_t count;
    } topics[SIGNAL_COUNT];
    struct produced_partition *first, **end; /* may get their next batch */
    size_t most;                             /* bytes of a batch */
    uint64_t open_ns;                        /* a batch takes more so long */
};

void kafka_turns_init(struct kafka_turns *turns);
/* No message waits. */
void kafka_turns_release(struct kafka_turns *turns);

/* A message of the signal waits. */
void kafka_turns_add(struct kafka_turns *turns, enum signal signal,
                     struct handed_message *message);
/* It was delivered, or failed. Serve after it. */
void kafka_turns_done(struct kafka_turns *turns,
                      const struct handed_message *message);
/* Gives what can be sent to librdkafka. */
void kafka_turns_serve(struct kafka_turns *turns);

#endif
