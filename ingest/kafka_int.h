/*
 * kafka_int - the inside of the Kafka receiver, for its files that know
 * librdkafka.
 *
 * Threads  all of it belongs to the receiver's thread, unless a member says
 *          otherwise.
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
#include "kafka_signature.h"

/* A topic, or a pattern of topics, and what is in it. */
struct kafka_topic {
    char *name; /* owned */
    bool pattern;
    regex_t regex;
    enum signal signal;    /* of a topic that is read */
    struct writer *writer; /* of a topic with one namespace's records */
};

struct kafka_topics {
    struct kafka_topic *at;
    size_t count;
};

/* Whether messages are taken. */
enum kafka_flow {
    FLOW_READING,
    FLOW_BLOCKED, /* no room since blocked_ns, waiting for some */
    FLOW_PAUSED   /* no room for long: fetching is paused */
};

/* What is known of the brokers; each state is worse than the one before. */
enum kafka_brokers {
    BROKERS_OK,
    BROKERS_SUSPECT, /* an error, or a probe without answer */
    BROKERS_DOWN,
    BROKERS_FATAL /* the consumer cannot recover: a new one is needed */
};

struct kafka {
    struct kafka_options options;
    enum kafka_encoding encoding;
    bool latest;
    char *commit_metadata; /* tells our commits from other instances' */
    struct kafka_topics topics;
    struct kafka_topics namespaces;
    rd_kafka_conf_t *conf; /* copied for each consumer */

    rd_kafka_t *rk; /* NULL: no consumer now */
    struct kafka_partitions partitions;
    uint64_t epoch;           /* see journal_sink() */
    rd_kafka_message_t *held; /* did not fit, is retried */
    enum kafka_flow flow;
    uint64_t blocked_ns;
    uint64_t tick_ns, probe_ns, owner_ns;
    size_t woken; /* partitions before it got a wake_fetch() since the last
                     message */

    unsigned unanswered;            /* probes in a row */
    rd_kafka_resp_err_t last_error; /* logged once */
    char last_reason[KAFKA_REASON_SIZE -
                     sizeof("the brokers cannot be reached: ")];

    /* Of kafka_commit_block(): guards `assigned` and `epoch` of partitions
     * against commits, and `rk` against its end. */
    struct {
        pthread_mutex_t lock;
        pthread_cond_t done;
        uint32_t running;
        bool closed;
    } commit;

    pthread_t thread;
    bool started;
    atomic_bool stopping;

    /* Set by the receiver's thread, read by any, under the lock. */
    pthread_mutex_t lock;
    enum kafka_brokers brokers;
    char reason[KAFKA_REASON_SIZE]; /* why they are down */
};

/* kafka_config.c: ERR_INVALID, logged. */
MUST_CHECK enum status kafka_configure(struct kafka *kafka);
void kafka_unconfigure(struct kafka *kafka);
MUST_CHECK enum status kafka_refuse(const char *option, const char *reason);
MUST_CHECK enum status kafka_set(rd_kafka_conf_t *conf, const char *name,
                                 const char *value);
void kafka_log_line(const rd_kafka_t *rk, int level, const char *facility,
                    const char *text);
/* Takes the properties of kafka_options until one is refused. Those that begin
 * with the prefix are of the producer only. */
#define KAFKA_PRODUCER_PREFIX "producer."
typedef enum status kafka_take_property(void *arg, const char *name,
                                        const char *value);
MUST_CHECK enum status kafka_each_property(const char *list,
                                           kafka_take_property *take,
                                           void *arg);

/* kafka_topics.c: ERR_INVALID, logged. */
MUST_CHECK enum status kafka_read_topics(struct kafka *kafka);
void kafka_release_topics(struct kafka *kafka);
/* The signal of a topic's name; false: the topic is not configured. */
bool kafka_signal_of(const struct kafka *kafka, const char *topic,
                     enum signal *signal);
/* Whether it is of the first name (or pattern) of the list of topics. */
bool kafka_is_first_topic(const struct kafka *kafka, const char *topic);
/* Whose records a topic has; NULL: any. Lasts as long as kafka. */
struct writer *kafka_writer_of(const struct kafka *kafka, const char *topic);

/* Whose records a message has: what its signature says, if it is ours, else
 * its topic. The reference to the writer is the caller's. */
void kafka_set_writer(const struct kafka *kafka,
                      const struct kafka_partition *partition,
                      const rd_kafka_message_t *message,
                      struct kafka_message *to);

/* kafka_rebalance.c; the first two are callbacks of librdkafka, from within a
 * poll. */
void kafka_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t what,
                     rd_kafka_topic_partition_list_t *list, void *opaque);
void kafka_commit_done(rd_kafka_t *rk, rd_kafka_resp_err_t error,
                       rd_kafka_topic_partition_list_t *list, void *opaque);
/* Commits what is stored of the assigned partitions. wait_ms 0: does not wait
 * for the answer. */
void kafka_commit(struct kafka *kafka, int wait_ms);

/* kafka_seek.c */
/* Continues at the stored offsets, in a new epoch. */
void kafka_rewind(struct kafka *kafka);
/* The broker has nothing at the offset that was asked for. */
void kafka_reset_partition(struct kafka *kafka,
                           struct kafka_partition *partition);
/* The broker's batch of messages at this message's offset is unreadable. */
void kafka_corrupt_batch(struct kafka *kafka, struct kafka_partition *partition,
                         const rd_kafka_message_t *message);
/* Gives librdkafka all assigned partitions again, from where each is to be read
 * next; those with an owner that does not read yet are left out. */
void kafka_reassign(struct kafka *kafka);
/* Pauses or resumes all assigned partitions. */
void kafka_pause(struct kafka *kafka, bool pause);
/* Asks for the end of a partition's log; false: no answer. */
bool kafka_query_high(struct kafka *kafka, struct kafka_partition *partition,
                      int timeout_ms);

/* kafka_owner.c; only with an owner, but for kafka_look_at_owner() */
/* committed: negative if there is no commit. */
void kafka_tell_owner(struct kafka *kafka, struct kafka_partition *partition,
                      int64_t committed, struct slice metadata);
/* answered: the committed offset in `place` is known. */
void kafka_assign_owned(struct kafka *kafka, struct kafka_partition *partition,
                        const rd_kafka_topic_partition_t *place, bool answered);
void kafka_revoke_owned(struct kafka *kafka, bool lost);
/* Begins to read, pauses, resumes as the owner says; not more often than is
 * useful, unless `now`. */
void kafka_look_at_owner(struct kafka *kafka, bool now);
/* Resumes what was paused for its owner. */
void kafka_resume_owned(struct kafka *kafka);
/* Waits for the commits that run, and refuses others; or allows them again. */
void kafka_close_commits(struct kafka *kafka, bool closed);

/* kafka.c */
/* Neither memory nor the sink has room now. */
bool kafka_is_full(struct kafka *kafka);
/* Submits what was made of the message at the offset. */
void kafka_submit(struct kafka *kafka, struct kafka_partition *partition,
                  struct batch *batch, int64_t offset, uint64_t time_ms);
void kafka_drop_held(struct kafka *kafka);
void kafka_log_failure(const char *what, rd_kafka_resp_err_t error);

/* kafka_health.c: the first is a callback of librdkafka, the second takes an
 * error that came as a message. */
void kafka_error(rd_kafka_t *rk, int error, const char *reason, void *opaque);
void kafka_handle_error(struct kafka *kafka, const rd_kafka_message_t *message);
/* Asks the brokers now and then whether they respond. */
void kafka_probe(struct kafka *kafka, uint64_t now);
/* A new consumer has replaced the one with a fatal error. */
void kafka_recovered(struct kafka *kafka);

#endif
