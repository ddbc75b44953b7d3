/*
 * From options to the configuration of librdkafka.
 *
 * What exactly-once depends on cannot be overridden (fixed); the rest (tuned)
 * are defaults that a property of the user's replaces:
 *
 *   fetching  librdkafka stops fetching at queued.max.messages.kbytes; one
 *             response of each broker may exceed it, and grows when it is
 *             decompressed, telemetry up to a hundredfold. So a response is a
 *             small part of the queue, which costs no speed in a local network.
 *             It has room for several partitions: brokers fill it from the
 *             first one on, librdkafka rotates the order by one, idle
 *             partitions included, and a partition that is always first would
 *             be read to its end before the others. Calls whose two ends are in
 *             different partitions could not be paired then.
 *   metadata  refreshed every ten seconds, so that a new topic is found soon.
 *   session   of an instance without a name: after kill -9 its partitions wait
 *             so long for the dead instance, even if it is back at once.
 *
 * The cooperative assignor is refused: librdkafka has severe defects with it
 * (up to 2.6), and with offsets of our own the eager one costs little.
 */
#include "kafka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mem.h"

enum { RESPONSE_PARTITIONS = 4, RESPONSE_MAX = 1 << 20, NUMBER_SIZE = 24 };

/* By option, by value, or (neither) only refused as a property. */
static const struct {
    const char *name;
    const char *value;
    bool is_option;
    size_t option; /* offset of a member of struct kafka_options */
} fixed[] = {
    {"bootstrap.servers", NULL, true, offsetof(struct kafka_options, brokers)},
    {"group.id", NULL, true, offsetof(struct kafka_options, group)},
    {"group.instance.id", NULL, true, offsetof(struct kafka_options, instance)},
    {"partition.assignment.strategy", NULL, true,
     offsetof(struct kafka_options, assignor)},
    {"enable.auto.commit", "false", false, 0},
    {"enable.auto.offset.store", "false", false, 0},
    {"auto.offset.reset", "error", false, 0},
    {"enable.partition.eof", "false", false, 0},
    {"metadata.broker.list", NULL, false, 0}, /* bootstrap.servers */
    {"auto.commit.enable", NULL, false, 0},   /* enable.auto.commit */
};

enum { FIXED = sizeof(fixed) / sizeof(fixed[0]) };

enum status kafka_refuse(const char *option, const char *reason)
{
    log_error("kafka", "option refused", log_text("option", option),
              log_text("reason", reason));
    return ERR_INVALID;
}

enum status kafka_set(rd_kafka_conf_t *conf, const char *name,
                      const char *value)
{
    char reason[256];

    if (rd_kafka_conf_set(conf, name, value, reason, sizeof(reason)) ==
        RD_KAFKA_CONF_OK)
        return OK;
    return kafka_refuse(name, reason);
}

static enum status set_tuned(struct kafka *kafka)
{
    size_t queue = kafka->options.queue_bytes;
    size_t response = queue / 8 < RESPONSE_MAX ? queue / 8 : RESPONSE_MAX;
    char queue_kb[NUMBER_SIZE], fetch[NUMBER_SIZE], partition[NUMBER_SIZE];
    const char *const tuned[][2] = {
        {"client.id", "callboard"},
        {"check.crcs", "true"},
        {"allow.auto.create.topics", "false"},
        {"topic.metadata.refresh.interval.ms", "10000"},
        {"reconnect.backoff.max.ms", "5000"},
        {"fetch.wait.max.ms", "250"},
        {"socket.keepalive.enable", "true"},
        {"log_level", "4"},
        {"queued.max.messages.kbytes", queue_kb},
        {"queued.min.messages", "100000"},
        {"message.max.bytes", "1000"}, /* a lower bound of the next */
        {"fetch.max.bytes", fetch},
        {"fetch.message.max.bytes", partition},
        /* The least that brokers allow by default; a member learns with a
         * heartbeat that partitions are assigned anew. */
        {"session.timeout.ms", kafka->options.instance[0] ? NULL : "6000"},
        {"heartbeat.interval.ms", "1000"},
    };
    enum status status = OK;

    snprintf(queue_kb, sizeof(queue_kb), "%zu", queue / 1024);
    snprintf(fetch, sizeof(fetch), "%zu", response);
    snprintf(partition, sizeof(partition), "%zu",
             response / RESPONSE_PARTITIONS);
    for (size_t i = 0; i < sizeof(tuned) / sizeof(tuned[0]) && status == OK;
         i++)
        if (tuned[i][1])
            status = kafka_set(kafka->conf, tuned[i][0], tuned[i][1]);
    return status;
}

static enum status set_fixed(struct kafka *kafka)
{
    const char *options = (const char *)&kafka->options, *value;
    enum status status = OK;

    for (size_t i = 0; i < FIXED && status == OK; i++) {
        value = fixed[i].value;
        if (fixed[i].is_option)
            memcpy(&value, options + fixed[i].option, sizeof(value));
        if (value && value[0])
            status = kafka_set(kafka->conf, fixed[i].name, value);
    }
    return status;
}

static enum status set_property(void *arg, const char *name, const char *value)
{
    const struct kafka *kafka = arg;
    char option[160];

    if (strncmp(name, KAFKA_PRODUCER_PREFIX, strlen(KAFKA_PRODUCER_PREFIX)) ==
        0)
        return OK;
    snprintf(option, sizeof(option), "kafka.%s", name);
    for (size_t i = 0; i < FIXED; i++)
        if (strcmp(fixed[i].name, name) == 0)
            return kafka_refuse(option, "is set by another option or cannot be "
                                        "changed (see docs/kafka.md)");
    return kafka_set(kafka->conf, name, value);
}

enum status kafka_each_property(const char *list, kafka_take_property *take,
                                void *arg)
{
    enum status status = OK;

    while (*list && status == OK) {
        size_t len = strcspn(list, "\n");
        char *line = mem_copy(list, len), *value = strchr(line, '=');

        if (value) {
            *value++ = '\0';
            status = take(arg, line, value);
        }
        free(line);
        list += len + (list[len] == '\n');
    }
    return status;
}

/* ---- all of it ---- */

static enum status read_choices(struct kafka *kafka)
{
    static const char *const encodings[] = {"auto", "otlp_proto", "otlp_json"};
    const struct kafka_options *o = &kafka->options;
    size_t i = 0;

    while (i < 3 && strcmp(o->encoding, encodings[i]) != 0)
        i++;
    if (i == 3)
        return kafka_refuse(
            "kafka-encoding",
            "must be auto, otlp_proto or otlp_json; set the encoding "
            "of the Collector's kafka exporter to one of the last "
            "two");
    kafka->encoding = (enum kafka_encoding)i;
    kafka->latest = strcmp(o->start, "latest") == 0;
    if (!kafka->latest && strcmp(o->start, "earliest") != 0)
        return kafka_refuse("kafka-start", "must be earliest or latest");
    if (strstr(o->assignor, "cooperative"))
        return kafka_refuse(
            "kafka-assignor",
            "must be range or roundrobin: librdkafka before 2.6.1 "
            "hangs or crashes with cooperative assignors");
    if (!o->group[0])
        return kafka_refuse("kafka-group", "must not be empty");
    return OK;
}

/* For debugging; errors that matter arrive in kafka_error(). */
void kafka_log_line(const rd_kafka_t *rk, int level, const char *facility,
                    const char *text)
{
    (void)rk;
    (void)level;
    log_debug("kafka", "librdkafka", log_text("facility", facility),
              log_text("text", text));
}

enum status kafka_configure(struct kafka *kafka)
{
    size_t size = strlen(kafka->options.store_id) + sizeof("callboard ");
    enum status status = read_choices(kafka);

    kafka->commit_metadata = mem_alloc(size);
    snprintf(kafka->commit_metadata, size, "callboard %s",
             kafka->options.store_id);
    if (status == OK)
        status = kafka_read_topics(kafka);
    kafka->conf = rd_kafka_conf_new();
    if (status == OK)
        status = set_tuned(kafka);
    if (status == OK)
        status = set_fixed(kafka);
    if (status == OK)
        status =
            kafka_each_property(kafka->options.properties, set_property, kafka);
    rd_kafka_conf_set_opaque(kafka->conf, kafka);
    rd_kafka_conf_set_rebalance_cb(kafka->conf, kafka_rebalance);
    rd_kafka_conf_set_offset_commit_cb(kafka->conf, kafka_commit_done);
    rd_kafka_conf_set_error_cb(kafka->conf, kafka_error);
    rd_kafka_conf_set_log_cb(kafka->conf, kafka_log_line);
    return status;
}

void kafka_unconfigure(struct kafka *kafka)
{
    kafka_release_topics(kafka);
    free(kafka->commit_metadata);
    if (kafka->conf)
        rd_kafka_conf_destroy(kafka->conf);
}
