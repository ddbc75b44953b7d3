/*
 * kafka_int - the inside of the Kafka receiver, for its files that know
 * librdkafka. All of it belongs to the receiver's thread, unless it says
 * otherwise.
 */
#ifndef KAFKA_INT_H
#define KAFKA_INT_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <regex.h>
#include <stdatomic.h>

#include "kafka.h"
#include "kafka_message.h"
#include "kafka_partitions.h"

/* A topic, or a pattern of topics, and what is in it. */
struct kafka_topic {
    char *name; /* owned */
    enum signal signal;
    bool pattern;
    regex_t regex;
};

struct kafka {
    struct kafka_options options;
    enum kafka_encoding encoding;
    bool latest;
    char *note; /* what our commits carry, so that others know whose they are */
    struct kafka_topic *topics;
    size_t topic_count;
    rd_kafka_conf_t *conf; /* copied for each consumer */

    rd_kafka_t *rk;
    struct kafka_partitions parts;
    uint64_t epoch;           /* see journal.h */
    rd_kafka_message_t *held; /* did not fit, is tried again */
    uint64_t blocked_ns;      /* monotonic, since when nothing fits; or 0 */
    bool paused, fatal;
    uint64_t tick_ns, probe_ns;
    bool doubt;          /* whether the brokers can be reached */
    unsigned unanswered; /* probes in a row */
    size_t nudged;       /* parts before it were, since the last message */
    rd_kafka_resp_err_t last_error; /* said in the log */
    char last_reason[KAFKA_REASON_SIZE -
                     sizeof("the brokers cannot be reached: ")];

    pthread_t thread;
    bool started;
    atomic_bool stopping;

    pthread_mutex_t lock; /* trouble */
    char trouble[KAFKA_REASON_SIZE];
    bool down;
};

/* kafka_config.c: ERR_INVALID, logged. */
MUST_CHECK enum status kafka_configure(struct kafka *kafka);
void kafka_unconfigure(struct kafka *kafka);
/* The signal of a topic's name; false: none of ours. */
bool kafka_signal_of(const struct kafka *kafka, const char *topic,
                     enum signal *signal);

/* kafka_rebalance.c; the first two are callbacks of librdkafka, from within a
 * poll. */
void kafka_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t what,
                     rd_kafka_topic_partition_list_t *list, void *opaque);
void kafka_commit_failed(rd_kafka_t *rk, rd_kafka_resp_err_t error,
                         rd_kafka_topic_partition_list_t *list, void *opaque);

/* Tells the broker what is kept of the parts we have. wait_ms 0: does not
 * wait for the answer. */
void kafka_commit(struct kafka *kafka, int wait_ms);

void kafka_log_failure(const char *what, rd_kafka_resp_err_t error);
struct kafka_partition *kafka_partition_at(
    const struct kafka *kafka, const rd_kafka_topic_partition_t *place);

/* kafka_seek.c: reads on from what is kept, in a new epoch. */
void kafka_rewind(struct kafka *kafka);

/* The broker has nothing at the offset we asked for. */
void kafka_reset_partition(struct kafka *kafka, const char *topic,
                           int32_t partition);

/* The error says that a set of messages cannot be read. */
void kafka_corrupt_batch(struct kafka *kafka,
                         const rd_kafka_message_t *message);

/* Pauses, or resumes, all parts we have. */
void kafka_pause(struct kafka *kafka, bool pause);

/* Asks for the end of a part's log; false: no answer. */
bool kafka_query_high(struct kafka *kafka, struct kafka_partition *part,
                      int timeout_ms);

/* kafka.c: neither memory nor the sink takes more now. */
bool kafka_is_full(struct kafka *kafka);

/* Hands over what was made of the message at the offset. */
void kafka_submit(struct kafka *kafka, struct kafka_partition *part,
                  struct batch *batch, uint64_t offset, uint64_t time_ms);

/* kafka_unhealthy.c: the first is a callback of librdkafka, the second takes an
 * error in place of a message. */
void kafka_error(rd_kafka_t *rk, int error, const char *reason, void *opaque);
void kafka_handle_error(struct kafka *kafka, const rd_kafka_message_t *message);

/* Whether the brokers answer; mostly asks nobody. */
void kafka_probe(struct kafka *kafka, uint64_t now);

#endif
