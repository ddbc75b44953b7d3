/*
 * serve_int - the parts of the running daemon, for the files of serve.
 */
#ifndef SERVE_INT_H
#define SERVE_INT_H

#include <time.h>

#include "budget.h"
#include "catalog.h"
#include "config.h"
#include "correlate.h"
#include "journal.h"
#include "kafka.h"
#include "kafka_producer.h"
#include "otlp_grpc.h"
#include "otlp_http.h"
#include "partition.h"
#include "prices.h"
#include "query.h"
#include "rca_reports.h"
#include "registry.h"
#include "request_hash.h"
#include "secret_file.h"
#include "serve_loss.h"
#include "store.h"
#include "tenants.h"
#include "tls.h"
#include "tokens.h"

struct daemon {
    const struct config *config;
    struct budget budget; /* of batches, from arrival to block */
    struct budget bodies; /* incomplete ones, at both OTLP ports */
    struct tenants *tenants;
    struct prices *prices;
    struct tokens *tokens;
    struct saved_tokens *saved_tokens;
    char admin[sizeof("unix:") + 4096]; /* address of the socket */
    struct access *access;
    struct request_key request_key; /* recognises requests sent again */
    struct journal *journal;
    struct store *store;
    struct registry *registry;
    struct catalog *catalog;
    struct rca_reports *rca;
    struct correlator *correlator;
    struct store_resources resources;   /* of instances that share a store */
    struct partition_tasks *partitions; /* likewise; NULL: there is a journal
                                           and a correlator */
    struct query *query;
    struct otlp_http *otlp_http;
    struct otlp_grpc *otlp_grpc;
    struct kafka *kafka; /* NULL: no brokers are configured */
    struct kafka_key kafka_key;
    struct request_key kafka_request_key; /* of what is handed to Kafka */
    struct kafka_producer *producer;      /* NULL: receivers use the journal */
    size_t kafka_prefetch; /* of the budget, for what librdkafka prefetches */
    struct tls *tls[CONFIG_PORTS]; /* NULL: plain */
    struct serve_loss loss;
    struct file_stamp catalog_stamp;
    uint64_t started_ns;
    size_t peak_used; /* of the budget, since memory was trimmed last */
    uint64_t waits_and_refusals; /* when they were looked at last */
};

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A limit below this leaves no room for spans in encoded form beside the
 * batches. */
static inline bool serve_is_small(const struct config *config)
{
    return config->memory_limit < 192 << 20;
}

struct registry_keys serve_label_keys(const struct config *config);

/* The part of the memory limit that is divided among ingest and queries. Of a
 * small limit, code, tables of fixed size and SQLite are taken off first. */
static inline uint64_t serve_shared_bytes(const struct config *config)
{
    return serve_is_small(config) ? config->memory_limit - (24 << 20)
                                  : config->memory_limit;
}

/* ---- serve_start.c ---- */

MUST_CHECK enum status serve_start_storage(struct daemon *d);
MUST_CHECK enum status serve_start_correlator(struct daemon *d);
MUST_CHECK enum status serve_start_kafka(struct daemon *d);
MUST_CHECK enum status serve_start_ports(struct daemon *d);

/* Retention: the oldest time that is stored of a batch received then; 0: any.
 * arg is a struct config. */
uint64_t serve_oldest_ns(void *arg, enum signal signal, uint64_t received_ns);

/* ---- serve_producer.c ---- */

/* ERR_INVALID: an option, logged. */
MUST_CHECK enum status serve_load_kafka_key(struct daemon *d);
MUST_CHECK enum status serve_start_producer(struct daemon *d);
bool serve_ingests_to_kafka(const struct config *config);

/* ---- serve_shared.c: several instances that share a store ---- */

bool serve_is_shared(const struct config *config);
/* ERR_INVALID: an option, logged. */
MUST_CHECK enum status serve_open_shared(struct daemon *d);
MUST_CHECK enum status serve_open_partitions(
    struct daemon *d, const struct correlator_options *correlator);
/* Kafka's partitions are those of the tasks. */
void serve_own_partitions(struct daemon *d, struct kafka_options *options);
/* From now on what other instances save is loaded, if there may be others. */
MUST_CHECK enum status serve_watch_shared(struct daemon *d);

/* ---- serve_tls.c ---- */

MUST_CHECK enum status serve_start_tls(struct daemon *d);
void serve_stop_tls(struct daemon *d);
/* now: although the files have not changed. */
void serve_reload_tls(struct daemon *d, bool now);
/* For /health; false: nothing to say. */
bool serve_print_tls_notes(const struct daemon *d, struct buf *out);
void serve_print_tls_metrics(const struct daemon *d, struct buf *out);

/* ---- serve_replay.c ---- */

/* Batches of the journal that are not in blocks yet, through the correlator. */
MUST_CHECK enum status serve_replay(struct daemon *d);

/* ---- serve_saved.c: what is saved as named texts of the store ---- */

/* A value of at most `size` bytes; *len is 0 if it was never saved. */
MUST_CHECK enum status serve_load_value(struct store *store, const char *name,
                                        void *value, size_t size, size_t *len);

/* Saves a value unless there is one, and has the one there is. */
MUST_CHECK enum status serve_create_value(struct store *store, const char *name,
                                          struct slice value, void *stored,
                                          size_t size, size_t *len);

MUST_CHECK enum status serve_load_request_key(struct daemon *d);

void serve_load_catalog(struct daemon *d);
/* The file of --catalog, if it has changed since it was read last. */
void serve_read_catalog_file(struct daemon *d);

void serve_load_reports(struct daemon *d);

/* What another instance has saved. Any thread. */
void serve_reload_catalog(struct daemon *d);
void serve_reload_reports(struct daemon *d);
void serve_reload_tokens(struct daemon *d);

/* API tokens, of the database and of the file. ERR_INVALID: that is broken. */
MUST_CHECK enum status serve_load_access(struct daemon *d);

#endif
