/*
 * What is wrong with the brokers: heard of, asked for, told.
 *
 * librdkafka says when all brokers are down, but not always: at times it
 * miscounts those that lost their address. So we ask as well, seldom while all
 * is well, and soon when there was any error.
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "kafka_int.h"
#include "log.h"

enum {
    ASK_MS = 500,
    UNANSWERED_MAX = 3,
};

#define PROBE_NS NS_PER_S
#define QUIET_NS (10 * NS_PER_S)

static void set_trouble(struct kafka *kafka, const char *trouble)
{
    bool changed;

    pthread_mutex_lock(&kafka->lock);
    changed = trouble ? !kafka->down : kafka->down;
    kafka->down = trouble != NULL;
    snprintf(kafka->trouble, sizeof(kafka->trouble), "%s",
             trouble ? trouble : "");
    pthread_mutex_unlock(&kafka->lock);
    if (changed && trouble)
        log_error("kafka", "cannot read, trying again",
                  log_text("reason", trouble));
    else if (changed)
        log_info("kafka", "brokers answer again", LOG_NONE);
    if (!trouble) {
        kafka->last_error = RD_KAFKA_RESP_ERR_NO_ERROR;
        kafka->last_reason[0] = '\0';
    }
}

bool kafka_unhealthy(struct kafka *kafka, char text[KAFKA_REASON_SIZE])
{
    pthread_mutex_lock(&kafka->lock);
    bool down = kafka->down;
    memcpy(text, kafka->trouble, KAFKA_REASON_SIZE);
    pthread_mutex_unlock(&kafka->lock);
    return down;
}

/* A kind of error is said once, until things work again. */
static void say_once(struct kafka *kafka, rd_kafka_resp_err_t error,
                     const char *reason)
{
    if (error != kafka->last_error)
        log_warn("kafka", "trouble",
                 log_text("error", rd_kafka_err2name(error)),
                 log_text("reason", reason));
    kafka->last_error = error;
    snprintf(kafka->last_reason, sizeof(kafka->last_reason), "%s", reason);
}

static void say_unreachable(struct kafka *kafka)
{
    char text[KAFKA_REASON_SIZE];

    snprintf(text, sizeof(text), "the brokers cannot be reached%s%s",
             kafka->last_reason[0] ? ": " : "", kafka->last_reason);
    set_trouble(kafka, text);
}

void kafka_error(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
    struct kafka *kafka = opaque;
    char text[KAFKA_REASON_SIZE];

    switch (error) {
    case RD_KAFKA_RESP_ERR__FATAL:
        error = rd_kafka_fatal_error(rk, text, sizeof(text));
        kafka->fatal = true;
        set_trouble(kafka, text);
        break;
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        say_unreachable(kafka);
        break;
    default:
        kafka->doubt = true;
        say_once(kafka, (rd_kafka_resp_err_t)error, reason);
        break;
    }
}

void kafka_probe(struct kafka *kafka, uint64_t now)
{
    const struct rd_kafka_metadata *metadata = NULL;
    char text[KAFKA_REASON_SIZE];
    bool down = kafka_unhealthy(kafka, text);

    if (kafka->fatal ||
        now - kafka->probe_ns < (down || kafka->doubt ? PROBE_NS : QUIET_NS))
        return;
    if (rd_kafka_metadata(kafka->rk, 0, NULL, &metadata, ASK_MS) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(metadata);
        if (down)
            set_trouble(kafka, NULL);
        kafka->doubt = false;
        kafka->unanswered = 0;
    } else {
        kafka->doubt = true;
        kafka->unanswered++;
        if (!down && kafka->unanswered >= UNANSWERED_MAX)
            say_unreachable(kafka);
    }
    kafka->probe_ns = clock_monotonic_ns();
}

void kafka_handle_error(struct kafka *kafka, const rd_kafka_message_t *message)
{
    const char *topic = message->rkt ? rd_kafka_topic_name(message->rkt) : NULL;

    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && topic) {
        kafka_reset_partition(kafka, topic, message->partition);
    } else if (topic && (message->err == RD_KAFKA_RESP_ERR__BAD_COMPRESSION ||
                         message->err == RD_KAFKA_RESP_ERR__BAD_MSG)) {
        kafka_corrupt_batch(kafka, message);
    } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        /* A fatal one comes this way, and not through the callback. */
        kafka_error(kafka->rk, message->err, rd_kafka_message_errstr(message),
                    kafka);
    }
}
