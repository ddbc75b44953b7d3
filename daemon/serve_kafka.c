/*
 * What librdkafka fetches ahead is not charged to the budget as it comes and
 * goes: a piece is set aside for it, twice the queue that it is told to keep.
 *
 * Instances know each other's commits by the ids of their stores; an id is
 * made once for a data directory.
 */
#include "serve_kafka.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { STORE_ID = 33 };

static bool next_offset(void *arg, struct slice topic, uint32_t partition,
                        uint64_t *next)
{
    return store_next_offset(arg, topic, partition, next);
}

static enum status make_store_id(struct store *store, char id[STORE_ID])
{
    uint64_t random[2];

    if (getentropy(random, sizeof(random)) != 0)
        return ERR_IO;
    snprintf(id, STORE_ID, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
    store_save_text(store, "store.id", slice_of(id));
    return store_sync(store);
}

static enum status load_store_id(struct store *store, char id[STORE_ID])
{
    struct arena arena;
    struct slice text = {NULL, 0};
    enum status status;

    arena_init(&arena, NULL, 1024 * 1024);
    status = store_load_text(store, "store.id", &arena, &text);
    if (status == OK && text.len > 0 && text.len < STORE_ID) {
        slice_copy(id, text);
        id[text.len] = '\0';
    } else if (status == OK) {
        status = make_store_id(store, id);
    }
    arena_release(&arena);
    return status;
}

enum status serve_kafka_open(
    struct serve_kafka *serve, const struct config *c, struct store *store,
    struct journal *journal, struct budget *budget,
    const struct request_key *key,
    uint64_t (*oldest_ns)(void *arg, enum signal signal, uint64_t received_ns),
    void *oldest_arg)
{
    uint64_t largest = budget->limit / 2;
    char store_id[STORE_ID];
    struct kafka_options options = {
        .brokers = c->kafka_brokers,
        .topics = {c->kafka_topics_traces, c->kafka_topics_logs,
                   c->kafka_topics_metrics},
        .group = c->kafka_group,
        .instance = c->kafka_instance,
        .start = c->kafka_start,
        .assignor = c->kafka_assignor,
        .encoding = c->kafka_encoding,
        .properties = c->kafka_options,
        .store_id = store_id,
        .queue_bytes = c->memory_limit / 64,
        .max_message = c->max_body < largest ? c->max_body : largest,
        .key = key,
        .budget = budget,
        .sink = journal_sink(journal),
        .oldest_ns = oldest_ns,
        .oldest_arg = oldest_arg,
        .next_offset = next_offset,
        .next_arg = store,
    };
    enum status status;

    if (c->kafka_brokers[0] == '\0')
        return OK;
    status = load_store_id(store, store_id);
    if (status == OK)
        status = kafka_open(&serve->kafka, &options);
    if (status != OK)
        return status;
    serve->budget = budget;
    if (budget_take(budget, 2 * options.queue_bytes))
        serve->aside = 2 * options.queue_bytes;
    return OK;
}

enum status serve_kafka_start(struct serve_kafka *serve)
{
    return serve->kafka ? kafka_start(serve->kafka) : OK;
}

void serve_kafka_stop(struct serve_kafka *serve)
{
    kafka_stop(serve->kafka);
}

void serve_kafka_close(struct serve_kafka *serve)
{
    kafka_close(serve->kafka);
    serve->kafka = NULL;
    if (serve->aside > 0)
        budget_give(serve->budget, serve->aside);
    serve->aside = 0;
}

void serve_kafka_print(void *arg, struct buf *out)
{
    struct serve_kafka *serve = arg;

    if (serve->kafka)
        kafka_print(serve->kafka, out);
}

bool serve_kafka_unhealthy(void *arg, struct buf *out)
{
    struct serve_kafka *serve = arg;
    char text[KAFKA_REASON_SIZE];

    if (!serve->kafka || !kafka_unhealthy(serve->kafka, text))
        return false;
    buf_format(out, "kafka: %s", text);
    return true;
}
