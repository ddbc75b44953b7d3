/*
 * Which topics are read, for which signal, and whose records are in them: the
 * topic says it, or the signature of a message.
 */
#include <stdlib.h>
#include <string.h>

#include "kafka_int.h"
#include "mem.h"
#include "stats.h"
#include "subject_writer.h"

/* ---- a list of topics ---- */

static enum status add_topic(struct kafka_topics *topics, const char *option,
                             struct slice name, struct kafka_topic **added)
{
    struct kafka_topic *topic;

    if (name.len == 0 || name.len > SOURCE_MAX_TOPIC)
        return kafka_refuse(option, "the name of a topic is empty or too long");
    topics->at = mem_resize(topics->at, topics->count + 1, sizeof(*topics->at));
    topic = &topics->at[topics->count];
    *topic = (struct kafka_topic){.name = mem_copy(name.ptr, name.len),
                                  .pattern = name.ptr[0] == '^'};
    if (topic->pattern &&
        regcomp(&topic->regex, topic->name, REG_EXTENDED | REG_NOSUB) != 0) {
        free(topic->name);
        return kafka_refuse(option, "not a regular expression");
    }
    topics->count++;
    *added = topic;
    return OK;
}

static void release(struct kafka_topics *topics)
{
    for (size_t i = 0; i < topics->count; i++) {
        free(topics->at[i].name);
        writer_free(topics->at[i].writer);
        if (topics->at[i].pattern)
            regfree(&topics->at[i].regex);
    }
    free(topics->at);
}

static const struct kafka_topic *find(const struct kafka_topics *topics,
                                      const char *name)
{
    for (size_t i = 0; i < topics->count; i++) {
        const struct kafka_topic *t = &topics->at[i];

        if (t->pattern ? regexec(&t->regex, name, 0, NULL, 0) == 0
                       : strcmp(t->name, name) == 0)
            return t;
    }
    return NULL;
}

/* The next part of a comma-separated list, without blanks around it; false:
 * there is none. */
static bool next_part(const char **at, struct slice *part)
{
    do {
        size_t len = strcspn(*at, ",");

        if (**at == '\0')
            return false;
        *part = (struct slice){*at, len};
        while (part->len > 0 && part->ptr[0] == ' ')
            *part = slice_from(*part, 1);
        while (part->len > 0 && part->ptr[part->len - 1] == ' ')
            part->len--;
        *at += len + ((*at)[len] == ',');
    } while (part->len == 0);
    return true;
}

/* ---- the options ---- */

static enum status add_topics(struct kafka *kafka, enum signal signal)
{
    const char *at = kafka->options.topics[signal];
    struct kafka_topic *topic;
    struct slice name;

    while (next_part(&at, &name)) {
        if (add_topic(&kafka->topics, "kafka-topics", name, &topic) != OK)
            return ERR_INVALID;
        topic->signal = signal;
    }
    return OK;
}

/* TOPIC=NAMESPACE,...: neither a topic nor a namespace has '='. */
static enum status add_namespaces(struct kafka *kafka)
{
    static const char option[] = "kafka-namespace";
    const char *at = kafka->options.namespaces;
    struct slice part;

    while (at && next_part(&at, &part)) {
        struct slice name = part, namespace = part;
        struct kafka_topic *topic;

        while (name.len > 0 && name.ptr[name.len - 1] != '=')
            name.len--;
        namespace = slice_from(part, name.len);
        if (name.len < 2 || namespace.len == 0)
            return kafka_refuse(option, "must be TOPIC=NAMESPACE,...");
        name.len--;
        if (add_topic(&kafka->namespaces, option, name, &topic) != OK)
            return ERR_INVALID;
        if (namespace_writer(namespace, &topic->writer) != OK)
            return kafka_refuse(option, "the name of a namespace is too long");
    }
    return OK;
}

enum status kafka_read_topics(struct kafka *kafka)
{
    enum status status = OK;

    for (int signal = 0; signal < SIGNAL_COUNT && status == OK; signal++)
        status = add_topics(kafka, (enum signal)signal);
    if (status == OK && kafka->topics.count == 0)
        status = kafka_refuse("kafka-topics", "no topic is set");
    return status == OK ? add_namespaces(kafka) : status;
}

void kafka_release_topics(struct kafka *kafka)
{
    release(&kafka->topics);
    release(&kafka->namespaces);
}

bool kafka_signal_of(const struct kafka *kafka, const char *topic,
                     enum signal *signal)
{
    const struct kafka_topic *found = find(&kafka->topics, topic);

    if (found)
        *signal = found->signal;
    return found;
}

bool kafka_is_first_topic(const struct kafka *kafka, const char *topic)
{
    return kafka->topics.count > 0 &&
           find(&kafka->topics, topic) == &kafka->topics.at[0];
}

struct writer *kafka_writer_of(const struct kafka *kafka, const char *topic)
{
    const struct kafka_topic *found = find(&kafka->namespaces, topic);

    return found ? found->writer : NULL;
}

static bool is_signed(const struct kafka *kafka, enum signal signal,
                      const rd_kafka_message_t *message,
                      struct kafka_signature *signature)
{
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    size_t len = 0;

    if (!kafka->options.key ||
        rd_kafka_message_headers(message, &headers) != 0 ||
        rd_kafka_header_get_last(headers, KAFKA_SIGNATURE_HEADER, &value,
                                 &len) != 0)
        return false;
    if (kafka_signature_read(
            kafka->options.key, signal, (struct slice){value, len},
            (struct slice){message->payload, message->len}, signature))
        return true;
    stats_add(STATS_KAFKA_NOT_SIGNED, 1);
    return false;
}

void kafka_set_writer(const struct kafka *kafka,
                      const struct kafka_partition *partition,
                      const rd_kafka_message_t *message,
                      struct kafka_message *to)
{
    struct kafka_signature signature;

    to->is_signed = is_signed(kafka, partition->signal, message, &signature);
    if (to->is_signed) {
        to->writer = signature.writer;
        to->id = signature.id;
    } else {
        to->writer = writer_ref(partition->writer);
    }
}
