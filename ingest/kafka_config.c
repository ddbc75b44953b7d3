/*
 * Options to what librdkafka is told.
 *
 * What exactly-once rests on cannot be changed from outside (ours); the rest
 * (tuned) are defaults that a property of the user's replaces:
 *
 *   fetching  librdkafka stops fetching at queued.max.messages.kbytes; one
 *             answer of each broker may come on top, and grows when it is
 *             decompressed, telemetry up to a hundredfold. So an answer is a
 *             small part of the queue; it costs no speed nearby. It has room
 *             for what several partitions may fill: brokers fill it from the
 *             first on, librdkafka's order turns by one, idle partitions
 *             included, and one that is always first would be read to its end
 *             before the others. Calls then wait in vain for their other end.
 *   metadata  looked at every ten seconds, so that a topic that is made later
 *             is found soon.
 *   session   of an instance without a name: after kill -9 its partitions, also
 *             when it is back at once, wait so long for the one that is gone.
 *
 * The cooperative assignor is refused: librdkafka has grave faults with it (up
 * to 2.6), and offsets of our own make the eager stop cheap.
 */
#include "kafka_int.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mem.h"

enum { ANSWER_PARTS = 4 }; /* partitions that share an answer */

static enum status refuse(const char *option, const char *why)
{
    log_error("kafka", "option refused", log_text("option", option),
              log_text("reason", why));
    return ERR_INVALID;
}

static enum status set(rd_kafka_conf_t *conf, const char *name,
                       const char *value)
{
    char why[256];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) ==
        RD_KAFKA_CONF_OK)
        return OK;
    return refuse(name, why);
}

static enum status set_number(rd_kafka_conf_t *conf, const char *name,
                              uint64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    return set(conf, name, text);
}

static enum status set_tuned(struct kafka *kafka)
{
    static const char *const tuned[][2] = {
        {"client.id", "callboard"},
        {"check.crcs", "true"},
        {"allow.auto.create.topics", "false"},
        {"topic.metadata.refresh.interval.ms", "10000"},
        {"reconnect.backoff.max.ms", "5000"},
        {"fetch.wait.max.ms", "250"},
        {"socket.keepalive.enable", "true"},
        {"log_level", "4"},
    };
    size_t queue = kafka->options.queue_bytes;
    size_t answer = queue / 8 < (1 << 20) ? queue / 8 : 1 << 20;
    enum status status = OK;

    for (size_t i = 0; i < sizeof(tuned) / sizeof(tuned[0]) && status == OK;
         i++)
        status = set(kafka->conf, tuned[i][0], tuned[i][1]);
    if (status == OK && !kafka->options.instance[0])
        status = set(kafka->conf, "session.timeout.ms", "10000");
    if (status == OK)
        status =
            set_number(kafka->conf, "queued.max.messages.kbytes", queue / 1024);
    if (status == OK)
        status = set_number(kafka->conf, "queued.min.messages", 100000);
    if (status == OK) /* of producers, but fetch.max.bytes may not be less */
        status = set_number(kafka->conf, "message.max.bytes", 1000);
    if (status == OK)
        status = set_number(kafka->conf, "fetch.max.bytes", answer);
    if (status == OK)
        status = set_number(kafka->conf, "fetch.message.max.bytes",
                            answer / ANSWER_PARTS);
    return status;
}

/* Each of them: name, value, and the option to use in its place. */
static enum status set_ours(struct kafka *kafka)
{
    const struct kafka_options *o = &kafka->options;
    const char *const ours[][2] = {
        {"bootstrap.servers", o->brokers},
        {"group.id", o->group},
        {"group.instance.id", o->instance},
        {"partition.assignment.strategy", o->assignor},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},
        {"enable.partition.eof", "false"},
    };
    enum status status = OK;

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]) && status == OK; i++)
        if (ours[i][1][0])
            status = set(kafka->conf, ours[i][0], ours[i][1]);
    return status;
}

static bool is_ours(const char *name)
{
    static const char *const names[] = {"bootstrap.servers",
                                        "metadata.broker.list",
                                        "group.id",
                                        "group.instance.id",
                                        "enable.auto.commit",
                                        "enable.auto.offset.store",
                                        "auto.offset.reset",
                                        "partition.assignment.strategy",
                                        "enable.partition.eof",
                                        "auto.commit.enable"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static enum status set_property(struct kafka *kafka, char *line)
{
    char *value = strchr(line, '=');
    char option[160];

    if (!value)
        return OK;
    *value++ = '\0';
    snprintf(option, sizeof(option), "kafka.%s", line);
    if (is_ours(line))
        return refuse(option, "is set by an option of its own, or must be as "
                              "it is (see docs/kafka.md)");
    return set(kafka->conf, line, value);
}

static enum status set_properties(struct kafka *kafka)
{
    const char *at = kafka->options.properties;
    enum status status = OK;

    while (*at && status == OK) {
        size_t len = strcspn(at, "\n");
        char *line = mem_copy(at, len);

        status = set_property(kafka, line);
        free(line);
        at += len + (at[len] == '\n');
    }
    return status;
}

/* ---- topics ---- */

static enum status add_topic(struct kafka *kafka, struct slice name,
                             enum signal signal)
{
    struct kafka_topic *topic;

    if (name.len > SOURCE_MAX_TOPIC)
        return refuse("kafka-topics", "the name of a topic is too long");
    kafka->topics = mem_resize(kafka->topics, kafka->topic_count + 1,
                               sizeof(*kafka->topics));
    topic = &kafka->topics[kafka->topic_count];
    *topic = (struct kafka_topic){.name = mem_copy(name.ptr, name.len),
                                  .signal = signal,
                                  .pattern = name.ptr[0] == '^'};
    if (topic->pattern &&
        regcomp(&topic->regex, topic->name, REG_EXTENDED | REG_NOSUB) != 0) {
        free(topic->name);
        return refuse("kafka-topics", "not a regular expression");
    }
    kafka->topic_count++;
    return OK;
}

static enum status add_topics(struct kafka *kafka, enum signal signal)
{
    const char *at = kafka->options.topics[signal];
    enum status status = OK;

    while (*at && status == OK) {
        size_t len = strcspn(at, ",");
        struct slice name = {at, len};

        while (name.len > 0 && name.ptr[0] == ' ')
            name = slice_from(name, 1);
        while (name.len > 0 && name.ptr[name.len - 1] == ' ')
            name.len--;
        if (name.len > 0)
            status = add_topic(kafka, name, signal);
        at += len + (at[len] == ',');
    }
    return status;
}

bool kafka_signal_of(const struct kafka *kafka, const char *topic,
                     enum signal *signal)
{
    for (size_t i = 0; i < kafka->topic_count; i++) {
        const struct kafka_topic *t = &kafka->topics[i];

        if (t->pattern ? regexec(&t->regex, topic, 0, NULL, 0) == 0
                       : strcmp(t->name, topic) == 0) {
            *signal = t->signal;
            return true;
        }
    }
    return false;
}

/* ---- words ---- */

static enum status read_words(struct kafka *kafka)
{
    static const char *const encodings[] = {"auto", "otlp_proto", "otlp_json"};
    const struct kafka_options *o = &kafka->options;
    size_t i = 0;

    while (i < 3 && strcmp(o->encoding, encodings[i]) != 0)
        i++;
    if (i == 3)
        return refuse("kafka-encoding",
                      "must be auto, otlp_proto or otlp_json; set the encoding "
                      "of the Collector's kafka exporter to one of the last "
                      "two");
    kafka->encoding = (enum kafka_encoding)i;
    kafka->latest = strcmp(o->start, "latest") == 0;
    if (!kafka->latest && strcmp(o->start, "earliest") != 0)
        return refuse("kafka-start", "must be earliest or latest");
    if (strstr(o->assignor, "cooperative"))
        return refuse("kafka-assignor",
                      "must be range or roundrobin: librdkafka before 2.6.1 "
                      "hangs or crashes with cooperative ones");
    if (!o->group[0])
        return refuse("kafka-group", "must not be empty");
    return OK;
}

/* librdkafka's own words are for those who look closely; what matters comes
 * through kafka_error. */
static void log_line(const rd_kafka_t *rk, int level, const char *facility,
                     const char *text)
{
    (void)rk;
    (void)level;
    log_debug("kafka", "librdkafka", log_text("facility", facility),
              log_text("text", text));
}

enum status kafka_configure(struct kafka *kafka)
{
    size_t room = strlen(kafka->options.store_id) + sizeof("callboard ");
    enum status status = read_words(kafka);

    kafka->note = mem_alloc(room);
    snprintf(kafka->note, room, "callboard %s", kafka->options.store_id);
    for (int signal = 0; signal < SIGNAL_COUNT && status == OK; signal++)
        status = add_topics(kafka, (enum signal)signal);
    if (status == OK && kafka->topic_count == 0)
        status = refuse("kafka-topics", "there is no topic to read");
    kafka->conf = rd_kafka_conf_new();
    if (status == OK)
        status = set_tuned(kafka);
    if (status == OK)
        status = set_ours(kafka);
    if (status == OK)
        status = set_properties(kafka);
    rd_kafka_conf_set_opaque(kafka->conf, kafka);
    rd_kafka_conf_set_rebalance_cb(kafka->conf, kafka_rebalance);
    rd_kafka_conf_set_offset_commit_cb(kafka->conf, kafka_commit_failed);
    rd_kafka_conf_set_error_cb(kafka->conf, kafka_error);
    rd_kafka_conf_set_log_cb(kafka->conf, log_line);
    return status;
}

void kafka_unconfigure(struct kafka *kafka)
{
    for (size_t i = 0; i < kafka->topic_count; i++) {
        free(kafka->topics[i].name);
        if (kafka->topics[i].pattern)
            regfree(&kafka->topics[i].regex);
    }
    free(kafka->topics);
    free(kafka->note);
    if (kafka->conf)
        rd_kafka_conf_destroy(kafka->conf);
}
