/*
 * From options to the configuration of the producer.
 *
 * What no lost and no double message depends on cannot be changed (fixed); the
 * rest (tuned) are defaults. A property NAME of the user's is for both,
 * consumer and producer, and librdkafka ignores those of the other kind;
 * producer.NAME is for the producer only, and comes last.
 *
 *   message.timeout.ms  less than the ten seconds that SDKs wait for an answer,
 *                       so that they are told to send again
 *   queue.buffering     never reached: the producer has its own bound
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kafka_int.h"
#include "kafka_producer_int.h"

#include "clock.h"
#include "mem.h"

enum { NUMBER_SIZE = 24 };

static const struct {
    const char *name, *value; /* NULL: only refused as a property */
} fixed[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"request.required.acks", NULL}, /* acks */
    {"bootstrap.servers", NULL},
    {"metadata.broker.list", NULL}, /* bootstrap.servers */
    {"transactional.id", NULL},
};

static const char *const tuned[][2] = {
    {"client.id", "callboard"},
    {"compression.codec", "lz4"},
    {"linger.ms", "5"},
    {"log_level", "4"},
    {"message.max.bytes", "1000000"},
    {"message.timeout.ms", "8000"},
    {"queue.buffering.max.messages", "1000000"},
    {"reconnect.backoff.max.ms", "2000"},
    {"socket.keepalive.enable", "true"},
    {"topic.metadata.refresh.interval.ms", "10000"},
};

/* Room of librdkafka's queue beyond what may wait: the last request is taken
 * whole, however large it is. */
enum { LARGEST_KB = 64 << 10 };

static enum status set_defaults(struct kafka_producer *p)
{
    enum status status =
        kafka_set(p->conf, "bootstrap.servers", p->options.brokers);
    size_t kb = p->options.max_waiting / 1024 * 2 + LARGEST_KB;
    char number[NUMBER_SIZE];

    for (size_t i = 0; i < sizeof(tuned) / sizeof(*tuned) && status == OK; i++)
        status = kafka_set(p->conf, tuned[i][0], tuned[i][1]);
    for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed) && status == OK; i++)
        if (fixed[i].value)
            status = kafka_set(p->conf, fixed[i].name, fixed[i].value);
    snprintf(number, sizeof(number), "%zu", kb < 2097151 ? kb : 2097151);
    if (status == OK)
        status = kafka_set(p->conf, "queue.buffering.max.kbytes", number);
    return status;
}

static enum status set_property(struct kafka_producer *p, const char *prefix,
                                const char *name, const char *value)
{
    char option[160];

    snprintf(option, sizeof(option), "kafka.%s%s", prefix, name);
    for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
        if (strcmp(fixed[i].name, name) == 0)
            return kafka_refuse(option, "is set by another option or cannot be "
                                        "changed (see docs/kafka.md)");
    return kafka_set(p->conf, name, value);
}

static bool is_producers(const char *name)
{
    return strncmp(name, KAFKA_PRODUCER_PREFIX,
                   strlen(KAFKA_PRODUCER_PREFIX)) == 0;
}

static enum status take_shared(void *arg, const char *name, const char *value)
{
    return is_producers(name) ? OK : set_property(arg, "", name, value);
}

static enum status take_own(void *arg, const char *name, const char *value)
{
    return is_producers(name)
               ? set_property(arg, KAFKA_PRODUCER_PREFIX,
                              name + strlen(KAFKA_PRODUCER_PREFIX), value)
               : OK;
}

/* The first name of the list that is no pattern. */
static enum status choose_topic(struct produced_topic *topic, const char *list,
                                const char *option)
{
    while (*list) {
        size_t len;

        list += strspn(list, ", ");
        len = strcspn(list, ", ");
        if (len > 0 && *list != '^') {
            topic->name = mem_copy(list, len);
            return len <= SOURCE_MAX_TOPIC
                       ? OK
                       : kafka_refuse(option,
                                      "the name of a topic is too long");
        }
        list += len;
    }
    return kafka_refuse(
        option, "must name a topic (no pattern) with --ingest-to kafka");
}

/* A property that is a number. */
static double number_of(const struct kafka_producer *p, const char *name)
{
    char number[NUMBER_SIZE] = "";
    size_t size = sizeof(number);

    if (rd_kafka_conf_get(p->conf, name, number, &size) != RD_KAFKA_CONF_OK)
        return 0;
    return strtod(number, NULL);
}

enum status kafka_producer_configure(
    struct kafka_producer *p, const struct kafka_producer_options *options)
{
    static const char *const names[SIGNAL_COUNT] = {
        "kafka-topics-traces", "kafka-topics-logs", "kafka-topics-metrics"};
    enum status status = OK;

    for (int i = 0; i < SIGNAL_COUNT && status == OK; i++)
        status = choose_topic(&p->topics[i], options->topics[i], names[i]);
    p->conf = rd_kafka_conf_new();
    if (status == OK)
        status = set_defaults(p);
    if (status == OK)
        status = kafka_each_property(options->properties, take_shared, p);
    if (status == OK)
        status = kafka_each_property(options->properties, take_own, p);
    /* What librdkafka takes as a message, with its key and headers. */
    p->max_message = (size_t)number_of(p, "message.max.bytes");
    p->turns.most = p->max_message;
    /* librdkafka sends when linger.ms have passed: a message that comes at the
     * last moment would be too late. */
    p->turns.open_ns =
        (uint64_t)(number_of(p, "linger.ms") * (double)NS_PER_MS) / 4 * 3;
    return status;
}
