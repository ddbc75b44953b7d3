/*
 * query - the query API: HTTP in, JSON out (docs/query-api.md).
 *
 * Purpose: one port with its workers and routes (query/query_routes.c).
 * Ownership: options, and what they point to, stay the caller's and must
 *   outlive the server.
 * Threads: start and stop by one thread; an I/O thread and the workers are its
 *   own.
 * Errors: query_start() fails if it cannot listen, open readers or start
 *   threads; later errors are answers.
 */
#ifndef QUERY_H
#define QUERY_H

#include "access.h"
#include "budget.h"
#include "buf.h"
#include "catalog.h"
#include "correlate.h"
#include "health_thresholds.h"
#include "partition_lag.h"
#include "rca_reports.h"
#include "registry.h"
#include "status.h"
#include "store.h"
#include "tokens.h"

struct prices;
struct query;

/* What GET /api/v1/status tells of how the server was started. */
struct query_server {
    const char *version;
    uint64_t started_ns;                 /* wall clock */
    uint64_t retention_ns[SIGNAL_COUNT]; /* 0: never deleted by age */
    uint64_t retention_bytes;            /* 0: no limit */
    uint64_t journal_max_bytes;
    uint64_t memory_bytes, body_bytes; /* of the process; of a request */
};
struct query_surface;

struct query_options {
    const char *listen; /* HOST:PORT; port 0 picks one */
    const struct query_surface *const
        *surfaces;        /* of other modules, NULL at the end; NULL: none
                             (query_request.h) */
    const char *admin;    /* unix:PATH, where the user of the process may do all
                             without a credential; NULL: none */
    uint32_t workers;     /* queries answered at the same time */
    uint32_t max_waiting; /* above it: 503 */
    uint32_t max_connections;
    uint64_t idle_timeout_ns;  /* of connections that send nothing, or slowly */
    size_t max_reply;          /* bytes of one answer; above it: 413 */
    size_t memory;             /* of all queries together */
    const char *cors_origins;  /* comma list of exact origins; "" none */
    const char *allowed_hosts; /* comma list; NULL or "": see http_server.h */
    const char *base_url;      /* of this port, for clients; NULL or "": none */
    const char *page_url;      /* of our pages; NULL or "": /ui of base_url */
    bool page;                 /* our pages are served, if they were built */
    struct health_thresholds health;
    struct query_server server;
    struct tls *tls;         /* NULL: plain HTTP */
    struct access *access;   /* who may ask; NULL: everyone, all */
    struct tokens *tokens;   /* that the API administers */
    struct tenants *tenants; /* NULL: no limits, nothing is counted by tenant */
    struct store *store;
    struct registry *registry;
    struct catalog *catalog;
    struct journal *journal;
    /* Deletes what belongs to a namespace: correlator_delete() or
     * partition_delete(). NULL: not done here. */
    enum status (*delete_namespace)(void *arg, struct slice namespace,
                                    struct registry_deletion *out);
    void *delete_arg;
    struct rca_reports *rca; /* reports; NULL: none are stored */
    struct prices *prices;   /* prices.h; NULL: the default ones */
    /* Of modules that query does not know: lines for /metrics, and problems for
     * the notes of /health (false: there are none). May be NULL. */
    void (*metrics)(void *arg, struct buf *out);
    bool (*notes)(void *arg, struct buf *out);
    /* Partitions of Kafka that are read, at most `room`; how many. May be
     * NULL. */
    uint32_t (*lags)(void *arg, struct partition_lag *to, uint32_t room);
    void *receiver; /* their arg */
};

MUST_CHECK enum status query_start(struct query **query,
                                   const struct query_options *options);
uint16_t query_port(const struct query *query);
void query_stop(struct query *query);

#endif
