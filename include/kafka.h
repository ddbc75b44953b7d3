/*
 * kafka - the Kafka receiver: partitions of topics in, batches out.
 *
 * One thread reads, decodes and submits. The source offset of a batch travels
 * with it (batch->source), so that offset and data are stored in one step;
 * reading resumes after what is stored, whatever is committed at the broker.
 * Offsets are committed to the broker a moment later, for tools that show the
 * lag and for other instances.
 *
 * Purpose:    OTLP messages of the Collector's kafka exporter, each once.
 * Ownership:  the caller owns the receiver; key, budget and sink must outlive
 *             it, and so must brokers and group. Other texts are copied.
 * Threads:    kafka_print(), kafka_lags() and kafka_unhealthy() from any thread
 *             between open and close, the others from one. Callbacks run on
 *             the receiver's thread.
 * Errors:     only options can fail, at kafka_open(). What cannot be decoded
 *             becomes a dead letter; brokers that do not respond are retried,
 *             and kafka_unhealthy() says so.
 * Read next:  docs/kafka.md; head of ingest/kafka.c.
 */
#ifndef KAFKA_H
#define KAFKA_H

#include "buf.h"
#include "partition_lag.h"
#include "receiver.h"
#include "status.h"

struct kafka;

/* Signs what our receivers hand to Kafka; instances of a group share it. */
enum { KAFKA_KEY_SIZE = 32 };
struct kafka_key {
    char bytes[KAFKA_KEY_SIZE];
    struct request_key hash; /* of the bytes of a message */
};

/* From a secret of any length. False: the library failed. */
MUST_CHECK bool kafka_key_make(struct kafka_key *key, struct slice secret);

static inline struct slice kafka_key_bytes(const struct kafka_key *key)
{
    return (struct slice){key->bytes, KAFKA_KEY_SIZE};
}

/* An assigned partition; the epoch tells it from earlier assignments. */
struct kafka_assignment {
    struct slice topic;
    uint32_t partition;
    enum signal signal;
    uint64_t epoch;
    uint64_t committed;    /* offset of the group, or where to begin */
    struct slice metadata; /* of that commit; borrowed */
};

enum kafka_owner_state {
    KAFKA_OWNER_READY,
    KAFKA_OWNER_FULL, /* the partition is paused */
    KAFKA_OWNER_GONE  /* gave it up: told again a few seconds later */
};

/* Who owns the assigned partitions, where several instances share a store
 * (partition/): stores what is read, and commits by kafka_commit_block().
 * Called on the receiver's thread. */
struct kafka_owner {
    void (*assigned)(void *arg, const struct kafka_assignment *assignment);
    /* The offset to read from; false: not known yet, asked again soon. */
    bool (*start)(void *arg, uint64_t epoch, uint64_t *offset);
    enum kafka_owner_state (*state)(void *arg, uint64_t epoch);
    /* All partitions are given up. Unless they are lost already, they are still
     * ours, and commits are possible, until it returns. */
    void (*revoked)(void *arg, bool lost);
    void *arg;
};

struct kafka_options {
    const char *brokers;              /* HOST:PORT,... */
    const char *topics[SIGNAL_COUNT]; /* comma lists; ^... is a regular
                                         expression; "": not read */
    const char *namespaces;           /* TOPIC=NAMESPACE,...; NULL: none */
    const char *group;
    const char *instance;   /* static membership; "": none */
    const char *start;      /* earliest or latest, without a stored offset */
    const char *assignor;   /* range or roundrobin */
    const char *encoding;   /* auto, otlp_proto, otlp_json */
    const char *properties; /* of librdkafka, a name=value on each line */
    const char *store_id;   /* distinguishes this instance's store */
    const struct kafka_key *key; /* NULL: no message is signed by ours */
    size_t queue_bytes;          /* what librdkafka may fetch ahead */
    struct receiver_options receiver;
    struct kafka_owner owner; /* all NULL: none; next_offset decides, and what
                                 is stored is committed. With an owner, a batch
                                 was received at the time of its message, and
                                 batch->source->epoch is the assignment's */
    /* The offset after the last stored message; false: none is stored. */
    bool (*next_offset)(void *arg, struct slice topic, uint32_t partition,
                        uint64_t *next);
    void *next_arg;
};

/* ERR_INVALID: logged, naming the option. */
MUST_CHECK enum status kafka_open(struct kafka **kafka,
                                  const struct kafka_options *options);

/* Starts reading. A broker that does not respond is no failure. */
MUST_CHECK enum status kafka_start(struct kafka *kafka);

/* Reads no more, waits a bounded time for pending batches, commits, leaves the
 * group. Call it before the sink stops. NULL is fine. */
void kafka_stop(struct kafka *kafka);

/* kafka_stop(), and frees. NULL is fine. */
void kafka_close(struct kafka *kafka);

/* Commits an offset of an owned partition, and waits for the answer. `stored`:
 * all before it is stored. ERR_STOPPING: the assignment is over, and the commit
 * was not made; ERR_BUSY: not known, to be repeated with the same arguments.
 * From any thread. */
struct kafka_commit {
    uint64_t epoch, offset;
    struct slice metadata;
    bool stored;
};
MUST_CHECK enum status kafka_commit_block(struct kafka *kafka,
                                          const struct kafka_commit *commit);

/* Whether partition 0 of the first topic with spans (else of the first topic)
 * is assigned: true on one instance of the group. From any thread. */
bool kafka_is_leader(struct kafka *kafka);

/* The lag of each partition as Prometheus text. */
void kafka_print(struct kafka *kafka, struct buf *out);
/* The assigned partitions, at most `room`; how many. Topics are valid until
 * kafka_close(). */
uint32_t kafka_lags(struct kafka *kafka, struct partition_lag *to,
                    uint32_t room);

/* True if the brokers cannot be read from; `reason` says why. */
enum { KAFKA_REASON_SIZE = 256 };
bool kafka_unhealthy(struct kafka *kafka, char reason[KAFKA_REASON_SIZE]);

#endif
