/*
 * kafka_producer - a sink that hands batches to Kafka.
 *
 *   receiver: decode -> submit: split by partition, sign, produce -> the broker
 *   has all messages -> done
 *
 * A batch is done with OK when all of its messages are acknowledged by the
 * brokers. Else the sender is told to send it again, which is safe: the
 * messages carry an id by which the consumer drops those that it has.
 *
 * Purpose:    receivers of OTLP in front of Kafka (--ingest-to kafka).
 * Ownership:  what the options point to outlives the producer, but for the
 *             texts, which are copied.
 * Threads:    the sink and kafka_producer_unhealthy() from any thread, the
 *             others from one. done() is called on the producer's thread, or
 *             by submit().
 * Errors:     options that cannot be used are logged. ready() is
 * ERR_UNREACHABLE while the brokers do not respond, ERR_BUSY while as much
 * waits for them as may. Read next:  docs/kafka.md; ingest/kafka_signature.h:
 * what a message carries.
 */
#ifndef KAFKA_PRODUCER_H
#define KAFKA_PRODUCER_H

#include "batch.h"
#include "kafka.h"

struct kafka_producer;

enum { KAFKA_WHY_SIZE = 288 };

struct kafka_producer_options {
    const char *brokers;
    const char *topics[SIGNAL_COUNT]; /* lists as in kafka_options; the first
                                         that is no pattern is written to */
    const char *properties;           /* as in kafka_options */
    const struct kafka_key *key;
    const struct request_key *request_key;
    struct budget *budget;
    size_t max_waiting; /* bytes of messages that the brokers do not have yet */
    /* False, and why: the writer may not write what these attributes stamp.
     * From any thread. */
    bool (*accepts)(void *arg, const struct writer *writer,
                    const struct attrs *attrs, char why[KAFKA_WHY_SIZE]);
    void *accepts_arg;
};

/* Waits up to 2 s for the brokers. ERR_INVALID: an option, logged. */
MUST_CHECK enum status kafka_producer_open(
    struct kafka_producer **producer,
    const struct kafka_producer_options *options);

/* Refuses new batches; waits a bounded time for the others, which then fail.
 * Receivers stop after it. NULL is fine. */
void kafka_producer_stop(struct kafka_producer *producer);

/* After the receivers have stopped. NULL is fine. */
void kafka_producer_close(struct kafka_producer *producer);

struct sink kafka_producer_sink(struct kafka_producer *producer);

/* True if nothing can be handed over; `reason` says why. */
bool kafka_producer_unhealthy(struct kafka_producer *producer,
                              char reason[KAFKA_REASON_SIZE]);

#endif
