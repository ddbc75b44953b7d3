/*
 * Receivers of OTLP in front of Kafka (--ingest-to kafka): the key that signs
 * what they hand over, and the sink that they get.
 *
 * The key is a file, or a value of the store. Instances of a group that have a
 * store each need the file, since each would make a key of its own.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hmac.h"
#include "log.h"
#include "secret_file.h"
#include "serve_int.h"

enum { KEY_FILE_MAX = 4096 };

bool serve_ingests_to_kafka(const struct config *config)
{
    return strcmp(config->ingest_to, "kafka") == 0 ||
           (config->ingest_to[0] == '\0' && config->store[0] != '\0');
}

static enum status refuse(const char *option, const char *why)
{
    log_error("daemon", "option refused", log_text("option", option),
              log_text("reason", why));
    return ERR_INVALID;
}

/* ---- the key ---- */

/* Two keys of one secret: for signatures, and to recognize requests. */
static enum status derive_keys(struct daemon *d, struct slice secret)
{
    const struct slice purpose[] = {SLICE("callboard kafka request")};
    uint8_t key[HMAC_SIZE];
    bool good = hmac_sha256(secret, purpose, 1, key) &&
                kafka_key_make(&d->kafka_key, secret);

    request_key_make(&d->kafka_request_key, key);
    explicit_bzero(key, sizeof(key));
    return good ? OK : ERR_INTERNAL;
}

static enum status read_key_file(struct daemon *d, const char *path)
{
    struct secret secret = {NULL, 0};
    const char *why = "";
    enum status status = secret_file_read(path, KEY_FILE_MAX, &secret, &why);

    if (status != OK)
        status = refuse("kafka-key", why);
    else if (secret.len < KAFKA_KEY_SIZE)
        status = refuse("kafka-key", "its file has fewer than 32 bytes");
    else
        status = derive_keys(d, (struct slice){secret.ptr, secret.len});
    secret_release(&secret);
    return status;
}

/* The first instance that starts makes it. */
static enum status load_key(struct daemon *d)
{
    char secret[KAFKA_KEY_SIZE];
    struct slice stored = {NULL, 0};
    struct arena arena;
    enum status status;

    if (getentropy(secret, sizeof(secret)) != 0)
        return ERR_IO;
    arena_init(&arena, NULL, KEY_FILE_MAX);
    status = metadata_create_value(store_metadata(d->store), "kafka.key",
                                   (struct slice){secret, sizeof(secret)},
                                   &arena, &stored);
    if (status == OK)
        status = derive_keys(d, stored);
    arena_release(&arena);
    explicit_bzero(secret, sizeof(secret));
    return status;
}

enum status serve_load_kafka_key(struct daemon *d)
{
    const struct config *c = d->config;

    if (c->ingest_to[0] && strcmp(c->ingest_to, "journal") != 0 &&
        strcmp(c->ingest_to, "kafka") != 0)
        return refuse("ingest-to", "must be journal or kafka");
    if (serve_ingests_to_kafka(c) && c->kafka_brokers[0] == '\0')
        return refuse("ingest-to", "kafka needs --kafka-brokers");
    if (c->kafka_brokers[0] == '\0')
        return OK;
    return c->kafka_key[0] ? read_key_file(d, c->kafka_key) : load_key(d);
}

/* ---- the producer ---- */

static bool accepts(void *arg, const struct writer *writer,
                    const struct attrs *attrs, char why[KAFKA_WHY_SIZE])
{
    const struct daemon *d = arg;
    struct registry_refusal refusal;

    if (registry_accepts_names(d->registry, writer, attrs, &refusal))
        return true;
    snprintf(why, KAFKA_WHY_SIZE, "%s", refusal.text);
    return false;
}

enum status serve_start_producer(struct daemon *d)
{
    const struct config *c = d->config;
    struct kafka_producer_options options = {
        .brokers = c->kafka_brokers,
        .topics = {c->kafka_topics_traces, c->kafka_topics_logs,
                   c->kafka_topics_metrics},
        .properties = c->kafka_options,
        .key = &d->kafka_key,
        .request_key = &d->kafka_request_key,
        .budget = &d->budget,
        .max_waiting = d->budget.limit / 4,
        .accepts = accepts,
        .accepts_arg = d,
    };

    return serve_ingests_to_kafka(c)
               ? kafka_producer_open(&d->producer, &options)
               : OK;
}
