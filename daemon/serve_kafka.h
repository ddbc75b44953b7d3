/*
 * serve_kafka - the Kafka receiver put together with the rest.
 */
#ifndef SERVE_KAFKA_H
#define SERVE_KAFKA_H

#include "budget.h"
#include "config.h"
#include "journal.h"
#include "kafka.h"
#include "store.h"

struct serve_kafka {
    struct kafka *kafka; /* NULL: the configuration names no brokers */
    struct budget *budget;
    size_t aside; /* of the budget, for what is fetched ahead */
};

/* Once the journal was replayed: the store knows what is kept. Logged. */
MUST_CHECK enum status serve_kafka_open(
    struct serve_kafka *serve, const struct config *config, struct store *store,
    struct journal *journal, struct budget *budget,
    const struct request_key *key,
    uint64_t (*oldest_ns)(void *arg, enum signal signal, uint64_t received_ns),
    void *oldest_arg);
MUST_CHECK enum status serve_kafka_start(struct serve_kafka *serve);
void serve_kafka_stop(struct serve_kafka *serve);
void serve_kafka_close(struct serve_kafka *serve);

/* For struct query_options; arg is a struct serve_kafka. */
void serve_kafka_print(void *arg, struct buf *out);
bool serve_kafka_unhealthy(void *arg, struct buf *out);

#endif
