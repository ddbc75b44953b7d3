/*
 * kafka - the Kafka receiver: partitions of topics in, batches out.
 *
 * One thread reads, decodes and submits. Where a batch comes from travels with
 * it (batch->source), so that offset and data are kept in one step; reading
 * begins again behind what is kept, whatever the broker has noted. The broker
 * is told behind, for those who look at lag, and for other instances.
 *
 * Threads  kafka_print and kafka_unhealthy from any, between open and close.
 * More     docs/kafka.md; head of ingest/kafka.c.
 */
#ifndef KAFKA_H
#define KAFKA_H

#include "batch.h"
#include "budget.h"
#include "buf.h"
#include "status.h"

struct kafka;

struct kafka_options {
    const char *brokers;              /* HOST:PORT,... */
    const char *topics[SIGNAL_COUNT]; /* comma lists; ^... is a regular
                                         expression; "": not read */
    const char *group;
    const char *instance;   /* static membership; "": none */
    const char *start;      /* earliest or latest, where nothing is known */
    const char *assignor;   /* range or roundrobin */
    const char *encoding;   /* auto, otlp_proto, otlp_json */
    const char *properties; /* of librdkafka, a name=value on each line */
    const char *store_id;   /* tells this instance's store from others */
    size_t queue_bytes;     /* what librdkafka may fetch ahead */
    size_t max_message;     /* a larger one is a dead letter */
    const struct request_key *key; /* to know what comes again; NULL: do not */
    struct budget *budget;
    struct sink sink;
    /* As in ingest.h. */
    uint64_t (*oldest_ns)(void *arg, enum signal signal, uint64_t received_ns);
    void *oldest_arg;
    /* The offset behind what is kept; false: nothing is. */
    bool (*next_offset)(void *arg, struct slice topic, uint32_t partition,
                        uint64_t *next);
    void *next_arg;
};

/* Checks all options. ERR_INVALID: logged, naming the one. The texts are
 * copied or not needed any more. */
MUST_CHECK enum status kafka_open(struct kafka **kafka,
                                  const struct kafka_options *options);

/* Starts reading. A broker that is not there is no failure. */
MUST_CHECK enum status kafka_start(struct kafka *kafka);

/* Takes no more, waits a bounded time for what is with the sink, tells the
 * broker, leaves the group. Before the sink stops. NULL is fine. */
void kafka_stop(struct kafka *kafka);

/* kafka_stop, and frees. NULL is fine. */
void kafka_close(struct kafka *kafka);

/* Lag of each partition, in Prometheus' text format. */
void kafka_print(struct kafka *kafka, struct buf *out);

/* False if all is well; else what is not, in words. */
enum { KAFKA_REASON_SIZE = 256 };
bool kafka_unhealthy(struct kafka *kafka, char text[KAFKA_REASON_SIZE]);

#endif
