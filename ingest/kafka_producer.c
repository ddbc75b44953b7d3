/*
 * The thread of the producer: it polls librdkafka for delivery reports, which
 * finish batches (kafka_handover.c), and asks the brokers now and then how many
 * partitions the topics have.
 *
 * The brokers are up while these probes are answered. They are down when two
 * were not, or when librdkafka has lost all brokers; after an error that no
 * producer survives there is a new client. While they are down what was
 * submitted waits in librdkafka, at most message.timeout.ms; what comes then is
 * refused before its body is read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "kafka_int.h"
#include "kafka_producer_int.h"
#include "log.h"
#include "mem.h"
#include "stats.h"

enum { POLL_MS = 100, ASK_MS = 1000, UNANSWERED_MAX = 2 };

#define PROBE_NS (NS_PER_S / 2) /* while anything is wrong */
#define QUIET_NS (10 * NS_PER_S)
#define FLUSH_NS (3 * NS_PER_S) /* what a stop waits for deliveries */
#define OPEN_NS  (2 * NS_PER_S) /* what a start waits for the brokers */

static void wait_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * (long)NS_PER_MS}, NULL);
}

/* ---- the state of the brokers ---- */

/* An empty reason: all is well. */
static void set_reason(struct kafka_producer *p, const char *reason)
{
    bool changed;

    pthread_mutex_lock(&p->reason_lock);
    changed = (p->reason[0] != '\0') != (reason[0] != '\0');
    snprintf(p->reason, sizeof(p->reason), "%s", reason);
    pthread_mutex_unlock(&p->reason_lock);
    if (changed && reason[0] && !p->stopping)
        log_error("kafka", "receivers cannot hand over, retrying",
                  log_text("reason", reason));
    else if (changed && !reason[0])
        log_info("kafka", "receivers hand over", LOG_NONE);
}

static void set_down(struct kafka_producer *p, const char *why)
{
    char reason[KAFKA_REASON_SIZE];

    atomic_store(&p->up, false);
    p->probe_ns = 0;
    snprintf(reason, sizeof(reason), "receivers cannot hand over: %.200s", why);
    set_reason(p, reason);
}

bool kafka_producer_unhealthy(struct kafka_producer *p,
                              char reason[KAFKA_REASON_SIZE])
{
    pthread_mutex_lock(&p->reason_lock);
    memcpy(reason, p->reason, KAFKA_REASON_SIZE);
    pthread_mutex_unlock(&p->reason_lock);
    return reason[0] != '\0';
}

/* A callback, from within a poll. */
static void note_error(rd_kafka_t *rk, int error, const char *text,
                       void *opaque)
{
    struct kafka_producer *p = opaque;
    char fatal[KAFKA_REASON_SIZE];

    if (error == RD_KAFKA_RESP_ERR__FATAL) {
        (void)rd_kafka_fatal_error(rk, fatal, sizeof(fatal));
        atomic_store(&p->fatal, true);
        set_down(p, fatal);
    } else if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        set_down(p, "the brokers cannot be reached");
    } else {
        log_debug("kafka", "producer", log_text("error", text));
    }
}

/* ---- partitions of the topics ---- */

/* False: no answer. */
static bool ask_topic(struct kafka_producer *p, struct produced_topic *topic)
{
    const struct rd_kafka_metadata *metadata = NULL;
    unsigned partitions = 0;

    if (rd_kafka_metadata(p->rk, 0, topic->rkt, &metadata, ASK_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    if (metadata->topic_cnt == 1 && metadata->topics[0].partition_cnt > 0 &&
        metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR)
        partitions = (unsigned)metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    atomic_store(&topic->partitions, partitions);
    return true;
}

/* All topics; false: no answer. */
static bool ask_topics(struct kafka_producer *p)
{
    for (int i = 0; i < SIGNAL_COUNT; i++)
        if (!ask_topic(p, &p->topics[i]))
            return false;
    return true;
}

static void note_topics(struct kafka_producer *p)
{
    char reason[KAFKA_REASON_SIZE] = "";

    for (int i = SIGNAL_COUNT - 1; i >= 0; i--)
        if (p->topics[i].partitions == 0)
            snprintf(reason, sizeof(reason),
                     "receivers cannot hand over: topic %.200s does not exist",
                     p->topics[i].name);
    set_reason(p, reason);
}

static void probe(struct kafka_producer *p)
{
    uint64_t now = clock_monotonic_ns();
    bool well = p->up && p->reason[0] == '\0';

    if (now - p->probe_ns < (well ? QUIET_NS : PROBE_NS))
        return;
    if (ask_topics(p)) {
        atomic_store(&p->up, true);
        p->unanswered = 0;
        note_topics(p);
        p->probe_ns = clock_monotonic_ns();
    } else if (++p->unanswered >= UNANSWERED_MAX) {
        set_down(p, "the brokers do not respond");
        p->probe_ns = clock_monotonic_ns();
    }
}

/* ---- the client ---- */

static enum status new_client(struct kafka_producer *p)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(p->conf);
    char reason[256];

    p->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    if (!p->rk) {
        rd_kafka_conf_destroy(conf);
        return kafka_refuse("kafka-options", reason);
    }
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        p->topics[i].rkt = rd_kafka_topic_new(p->rk, p->topics[i].name, NULL);
        if (!p->topics[i].rkt)
            return kafka_refuse("kafka-topics",
                                rd_kafka_err2str(rd_kafka_last_error()));
    }
    return OK;
}

/* Its messages fail. */
static void end_client(struct kafka_producer *p)
{
    if (!p->rk)
        return;
    (void)rd_kafka_purge(p->rk,
                         RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (rd_kafka_outq_len(p->rk) > 0)
        rd_kafka_poll(p->rk, POLL_MS);
    for (int i = 0; i < SIGNAL_COUNT; i++)
        if (p->topics[i].rkt)
            rd_kafka_topic_destroy(p->topics[i].rkt);
    rd_kafka_destroy(p->rk);
    p->rk = NULL;
}

static void replace_client(struct kafka_producer *p)
{
    pthread_rwlock_wrlock(&p->lock);
    end_client(p);
    while (!p->ended && new_client(p) != OK) {
        end_client(p);
        wait_ms(POLL_MS);
    }
    atomic_store(&p->fatal, false);
    pthread_rwlock_unlock(&p->lock);
}

static void *run(void *arg)
{
    struct kafka_producer *p = arg;

    while (!p->ended) {
        if (p->fatal)
            replace_client(p);
        rd_kafka_poll(p->rk, POLL_MS);
        kafka_turns_serve(&p->turns);
        if (!p->stopping)
            probe(p);
    }
    return NULL;
}

/* ---- the sink ---- */

static enum status ready(void *arg)
{
    struct kafka_producer *p = arg;

    if (p->stopping)
        return ERR_STOPPING;
    if (!p->up)
        return ERR_UNREACHABLE;
    return p->waiting < p->options.max_waiting ? OK : ERR_BUSY;
}

static bool nearly_full(void *arg)
{
    struct kafka_producer *p = arg;

    return p->waiting > p->options.max_waiting / 4 * 3;
}

struct sink kafka_producer_sink(struct kafka_producer *p)
{
    return (struct sink){.submit = kafka_producer_submit,
                         .ready = ready,
                         .nearly_full = nearly_full,
                         .arg = p};
}

/* ---- open and close ---- */

/* A port that opens when the brokers have answered refuses nothing; if they do
 * not, it opens nevertheless and says so. */
static void wait_for_brokers(struct kafka_producer *p)
{
    uint64_t until = clock_monotonic_ns() + OPEN_NS;

    while (!p->up && clock_monotonic_ns() < until)
        wait_ms(1);
}

enum status kafka_producer_open(struct kafka_producer **out,
                                const struct kafka_producer_options *options)
{
    struct kafka_producer *p = mem_zero(1, sizeof(*p));
    enum status status;

    p->options = *options;
    pthread_rwlock_init(&p->lock, NULL);
    kafka_turns_init(&p->turns);
    pthread_mutex_init(&p->reason_lock, NULL);
    snprintf(p->reason, sizeof(p->reason),
             "receivers cannot hand over: the brokers have not responded yet");
    status = kafka_producer_configure(p, options);
    if (status == OK) {
        rd_kafka_conf_set_opaque(p->conf, p);
        rd_kafka_conf_set_dr_msg_cb(p->conf, kafka_delivered);
        rd_kafka_conf_set_error_cb(p->conf, note_error);
        rd_kafka_conf_set_log_cb(p->conf, kafka_log_line);
        status = new_client(p);
    }
    if (status == OK)
        status =
            pthread_create(&p->thread, NULL, run, p) == 0 ? OK : ERR_INTERNAL;
    p->started = status == OK;
    if (status != OK) {
        kafka_producer_close(p);
        return status;
    }
    wait_for_brokers(p);
    *out = p;
    return OK;
}

void kafka_producer_stop(struct kafka_producer *p)
{
    uint64_t until = clock_monotonic_ns() + FLUSH_NS;

    if (!p || !p->started)
        return;
    atomic_store(&p->stopping, true);
    while (p->handovers > 0) {
        if (clock_monotonic_ns() > until) {
            atomic_store(&p->dropping, true);
            pthread_rwlock_rdlock(&p->lock);
            (void)rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE |
                                            RD_KAFKA_PURGE_F_INFLIGHT);
            pthread_rwlock_unlock(&p->lock);
            wait_ms(POLL_MS);
        }
        wait_ms(1);
    }
    atomic_store(&p->ended, true);
    pthread_join(p->thread, NULL);
    p->started = false;
}

void kafka_producer_close(struct kafka_producer *p)
{
    if (!p)
        return;
    kafka_producer_stop(p);
    end_client(p);
    if (p->conf)
        rd_kafka_conf_destroy(p->conf);
    for (int i = 0; i < SIGNAL_COUNT; i++)
        free(p->topics[i].name);
    pthread_mutex_destroy(&p->reason_lock);
    pthread_rwlock_destroy(&p->lock);
    kafka_turns_release(&p->turns);
    free(p);
}
