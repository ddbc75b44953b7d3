/*
 * query - HTTP in, JSON out: the query API (docs/query-api.md).
 */
#ifndef QUERY_H
#define QUERY_H

#include "budget.h"
#include "buf.h"
#include "catalog.h"
#include "correlate.h"
#include "rca_store.h"
#include "registry.h"
#include "status.h"
#include "store.h"

struct query;

struct query_options {
    const char *listen;   /* HOST:PORT; port 0 picks one */
    uint32_t workers;     /* queries answered at the same time */
    uint32_t max_waiting; /* beyond it: 503 */
    uint32_t max_connections;
    uint64_t idle_timeout_ns;  /* for connections that ask nothing, or slowly */
    size_t max_reply;          /* bytes of one answer; beyond it: 413 */
    size_t memory;             /* of all queries together */
    const char *cors_origins;  /* comma list of exact origins; "" none */
    const char *allowed_hosts; /* comma list; NULL or "": see http_server.h */
    struct store *store;
    struct registry *registry;
    struct catalog *catalog;
    struct journal *journal;
    struct rca_store *rca; /* reports; NULL: none are kept */
    /* Lines of modules that query does not know, for /metrics; and what is
     * wrong with them, for /health (false: nothing). May be NULL. */
    void (*metrics)(void *arg, struct buf *out);
    bool (*trouble)(void *arg, struct buf *out);
    void *receiver; /* their arg */
};

MUST_CHECK enum status query_start(struct query **query,
                                   const struct query_options *options);
uint16_t query_port(const struct query *query);
void query_stop(struct query *query);

#endif
