/*
 * The state of the brokers, from errors of librdkafka and from probes.
 *
 *   OK       an error, or a probe without answer           -> SUSPECT
 *   SUSPECT  UNANSWERED_MAX probes in a row without answer -> DOWN
 *   any      librdkafka says that all brokers are down     -> DOWN
 *   any      an error that no consumer survives            -> FATAL
 *   FATAL    a new consumer                                -> DOWN
 *   any      a probe is answered                           -> OK
 *
 * librdkafka's count of brokers that are down is at times wrong after an
 * address is lost, hence the probes: seldom while all is well, often otherwise.
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "kafka_int.h"
#include "log.h"

enum { ASK_MS = 500, UNANSWERED_MAX = 3 };

#define PROBE_NS NS_PER_S
#define QUIET_NS (10 * NS_PER_S)

static void set_brokers(struct kafka *kafka, enum kafka_brokers state,
                        const char *reason)
{
    bool was_down = kafka->brokers >= BROKERS_DOWN;

    pthread_mutex_lock(&kafka->lock);
    kafka->brokers = state;
    snprintf(kafka->reason, sizeof(kafka->reason), "%s", reason);
    pthread_mutex_unlock(&kafka->lock);
    if (!was_down && state >= BROKERS_DOWN) {
        log_error("kafka", "cannot read, retrying", log_text("reason", reason));
    } else if (was_down && state < BROKERS_DOWN) {
        log_info("kafka", "brokers respond again", LOG_NONE);
        kafka->last_error = RD_KAFKA_RESP_ERR_NO_ERROR;
        kafka->last_reason[0] = '\0';
    }
}

static void set_down(struct kafka *kafka)
{
    char text[KAFKA_REASON_SIZE];

    snprintf(text, sizeof(text), "the brokers cannot be reached%s%s",
             kafka->last_reason[0] ? ": " : "", kafka->last_reason);
    set_brokers(kafka,
                kafka->brokers == BROKERS_FATAL ? BROKERS_FATAL : BROKERS_DOWN,
                text);
}

static void suspect(struct kafka *kafka)
{
    if (kafka->brokers == BROKERS_OK)
        set_brokers(kafka, BROKERS_SUSPECT, "");
}

void kafka_recovered(struct kafka *kafka)
{
    pthread_mutex_lock(&kafka->lock);
    if (kafka->brokers == BROKERS_FATAL)
        kafka->brokers = BROKERS_DOWN;
    pthread_mutex_unlock(&kafka->lock);
    kafka->unanswered = 0;
}

bool kafka_unhealthy(struct kafka *kafka, char reason[KAFKA_REASON_SIZE])
{
    pthread_mutex_lock(&kafka->lock);
    bool down = kafka->brokers >= BROKERS_DOWN;
    memcpy(reason, kafka->reason, KAFKA_REASON_SIZE);
    pthread_mutex_unlock(&kafka->lock);
    return down;
}

void kafka_error(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
    struct kafka *kafka = opaque;
    char text[KAFKA_REASON_SIZE];

    if (error == RD_KAFKA_RESP_ERR__FATAL) {
        (void)rd_kafka_fatal_error(rk, text, sizeof(text));
        set_brokers(kafka, BROKERS_FATAL, text);
    } else if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        set_down(kafka);
    } else {
        if ((rd_kafka_resp_err_t)error != kafka->last_error)
            log_warn("kafka", "error",
                     log_text("error", rd_kafka_err2name(error)),
                     log_text("reason", reason));
        kafka->last_error = (rd_kafka_resp_err_t)error;
        snprintf(kafka->last_reason, sizeof(kafka->last_reason), "%s", reason);
        suspect(kafka);
    }
}

void kafka_probe(struct kafka *kafka, uint64_t now)
{
    const struct rd_kafka_metadata *metadata = NULL;
    uint64_t every_ns = kafka->brokers == BROKERS_OK ? QUIET_NS : PROBE_NS;

    if (kafka->brokers == BROKERS_FATAL || now - kafka->probe_ns < every_ns)
        return;
    if (rd_kafka_metadata(kafka->rk, 0, NULL, &metadata, ASK_MS) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(metadata);
        set_brokers(kafka, BROKERS_OK, "");
        kafka->unanswered = 0;
    } else {
        suspect(kafka);
        if (++kafka->unanswered >= UNANSWERED_MAX &&
            kafka->brokers == BROKERS_SUSPECT)
            set_down(kafka);
    }
    kafka->probe_ns = clock_monotonic_ns();
}

void kafka_handle_error(struct kafka *kafka, const rd_kafka_message_t *message)
{
    struct kafka_partition *partition =
        message->rkt ? partitions_find(&kafka->partitions,
                                       rd_kafka_topic_name(message->rkt),
                                       message->partition)
                     : NULL;

    switch (message->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        return;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        if (message->rkt) {
            kafka_reset_partition(kafka, partition);
            return;
        }
        break;
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__BAD_MSG:
        if (message->rkt) {
            kafka_corrupt_batch(kafka, partition, message);
            return;
        }
        break;
    default:
        break;
    }
    /* A fatal error arrives as a message, too, and not by the callback. */
    kafka_error(kafka->rk, message->err, rd_kafka_message_errstr(message),
                kafka);
}
