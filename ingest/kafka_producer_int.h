/*
 * kafka_producer_int - the inside of the producer, for its files.
 *
 * kafka_producer.c         its thread: delivery reports, the state of brokers
 * kafka_producer_config.c  from options to the configuration of librdkafka
 * kafka_handover.c         a batch on its way: split, signed, produced
 * kafka_turns.c            what waits until librdkafka has room
 *
 * Threads  members without a word are constant after the start.
 */
#ifndef KAFKA_PRODUCER_INT_H
#define KAFKA_PRODUCER_INT_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "kafka_producer.h"
#include "kafka_turns.h"
#include "otlp_split.h"

/* A message of a batch. */
struct handed_message {
    struct handover *handover;
    struct otlp_part
        part; /* its bytes are librdkafka's once they are produced */
    struct produced_partition *to;
    struct handed_message *next; /* waits behind it */
};

struct produced_topic {
    char *name; /* owned */
    rd_kafka_topic_t *rkt;
    atomic_uint partitions; /* 0: not known, or there is no such topic */
};

struct kafka_producer {
    struct kafka_producer_options options;
    rd_kafka_conf_t *conf; /* copied for each client */
    size_t max_message;    /* bytes */

    /* The client, and the topics' rkt: the producer's thread replaces them
     * after a fatal error, submit() uses them under a read lock. */
    pthread_rwlock_t lock;
    rd_kafka_t *rk;
    struct produced_topic topics[SIGNAL_COUNT];

    atomic_uint handovers; /* batches that are not done */
    atomic_size_t waiting; /* bytes of their messages */
    struct kafka_turns turns;
    atomic_bool stopping, ended, fatal;
    atomic_bool dropping;       /* what waits fails */
    _Atomic uint64_t logged_ns; /* when a failure was logged last */

    /* Of the producer's thread. */
    pthread_t thread;
    bool started;
    uint64_t probe_ns; /* of the last probe */
    unsigned unanswered;

    atomic_bool up; /* the brokers respond */
    pthread_mutex_t reason_lock;
    char reason[KAFKA_REASON_SIZE]; /* why nothing can be handed over */
};

/* kafka_producer_config.c: ERR_INVALID, logged. */
MUST_CHECK enum status kafka_producer_configure(
    struct kafka_producer *producer,
    const struct kafka_producer_options *options);

/* kafka_handover.c */
void kafka_producer_submit(void *arg, struct batch *batch);
/* A list of messages of one partition; those that cannot be produced fail. */
void kafka_produce(struct handed_message *messages);
/* A callback of librdkafka, from within a poll. */
void kafka_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message,
                     void *opaque);

#endif
