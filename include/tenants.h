/*
 * tenants - what each namespace uses of this process, and its limits.
 *
 * The tenant of a request is the one namespace in which the grants of its
 * subject allow the action. Subjects with grants for several namespaces share
 * one row ("*"), and so do requests where no credential is required
 * ("{anonymous}"): fairness among these is by address, and the `defaults` of
 * the limits file do not limit them, unless the file names them.
 *
 * Purpose:    one table for usage, limits and the decisions that follow from
 *             them: 429 is for a tenant over its limit, 503 for the process.
 *             Used once per request, never per record.
 * Ownership:  a tenant lives as long as the table. The table is bounded: after
 *             TENANTS_MAX namespaces further ones share the tenant "{other}".
 * Threads:    any.
 * Errors:     a limits file that cannot be used changes nothing, and is noted.
 */
#ifndef TENANTS_H
#define TENANTS_H

#include "access.h"
#include "arena.h"
#include "budget.h"
#include "buf.h"

enum {
    TENANTS_MAX = 16384,
    TENANT_BURST_S = 10,       /* what a bucket of recordsPerSecond holds */
    TENANT_RETRY_MAX_S = 5,    /* SDKs give up on more than their time limit */
    TENANT_RETRY_DAY_S = 3600, /* with bytesPerDay */
    TENANT_TEXT = 256,
    TENANT_METRICS_MAX = 200, /* in /metrics; the others are {other} */
};

#define TENANT_ANONYMOUS "{anonymous}"
#define TENANT_SEVERAL   "*"
#define TENANT_OTHER     "{other}"

/* clang-format off */
/*    name                      in the limits file    unit of a value */
#define TENANT_LIMIT_TABLE(X)                             \
    X(LIMIT_RECORDS_PER_SECOND, "recordsPerSecond",  COUNT) \
    X(LIMIT_BYTES_PER_DAY,      "bytesPerDay",       BYTES) \
    X(LIMIT_RESOURCES,          "resources",         COUNT) \
    X(LIMIT_CONNECTIONS,        "connections",       COUNT) \
    X(LIMIT_INGEST_MEMORY,      "ingestMemory",      BYTES) \
    X(LIMIT_QUERIES,            "queries",           COUNT) \
    X(LIMIT_QUERIES_WAITING,    "queriesWaiting",    COUNT) \
    X(LIMIT_QUERY_MEMORY,       "queryMemory",       BYTES) \
    X(LIMIT_QUERY_SECONDS,      "querySeconds",      COUNT)
/* clang-format on */

enum tenant_limit {
#define LIMIT_NAME(name, text, unit) name,
    TENANT_LIMIT_TABLE(LIMIT_NAME)
#undef LIMIT_NAME
        LIMIT_COUNT
};

/* What became of records; and of requests that were refused before anybody
 * knew how many records they had. */
enum tenant_outcome {
    TENANT_ACCEPTED, /* records */
    TENANT_FOREIGN,  /* records that stamp another namespace */
    TENANT_RATE,     /* requests: recordsPerSecond */
    TENANT_DAILY,    /* requests: bytesPerDay */
    TENANT_MEMORY,   /* requests: ingestMemory, or more than the tenant's share
                        of a journal that is nearly full */
    TENANT_OUTCOMES
};

enum tenant_memory { TENANT_INGEST, TENANT_QUERY, TENANT_MEMORIES };

struct tenants;
struct tenant;

struct tenants *tenants_new(void);
void tenants_free(struct tenants *tenants); /* NULL is fine */

/* The tenant of a namespace; made if it is new. Only for names that come from
 * credentials. */
struct tenant *tenants_find(struct tenants *tenants, struct slice namespace);
/* The tenant of a subject (NULL: everybody) when it does this. */
struct tenant *tenants_of(struct tenants *tenants,
                          const struct subject *subject, enum action action);

struct slice tenant_name(const struct tenant *tenant);
/* It is one namespace: what it holds is shared out by tenant. Else by the
 * address of the peer. NULL is fine. */
bool tenant_is_namespace(const struct tenant *tenant);
/* Distinct for each tenant, and small. */
uint32_t tenant_number(const struct tenant *tenant);

/* ---- limits ---- */

/* The limit that is set for a tenant, or else what is said here. UINT64_MAX:
 * none. tenant NULL: `otherwise`. */
uint64_t tenant_limit(const struct tenant *tenant, enum tenant_limit limit,
                      uint64_t otherwise);
/* The same for a namespace that stands in a record: makes no tenant. Takes a
 * lock. tenants NULL: `otherwise`. */
uint64_t tenants_limit(struct tenants *tenants, struct slice namespace,
                       enum tenant_limit limit, uint64_t otherwise);

/* Takes the limits of a text in YAML; ERR_INVALID: nothing has changed, and
 * error says why. */
MUST_CHECK enum status tenants_set_limits(struct tenants *tenants,
                                          struct slice text, char *error,
                                          size_t size);
/* Reads the file if it has changed since the last call; one that cannot be used
 * keeps the limits, is logged and noted. "" as path: nothing. False: what
 * is there now cannot be used. */
bool tenants_read_limits(struct tenants *tenants, const char *path);
/* Writes for /health what is wrong with the file; false: nothing. */
bool tenants_note(struct tenants *tenants, struct buf *out);

/* ---- what comes in ---- */

struct tenant_refusal {
    enum status status;
    enum tenant_outcome outcome;
    unsigned retry_after; /* seconds */
    char text[TENANT_TEXT];
};

/* Fills in the refusal of a tenant over this limit; ERR_LIMITED. */
enum status tenant_over_limit(const struct tenant *tenant,
                              enum tenant_limit limit, uint64_t value,
                              unsigned retry_after,
                              struct tenant_refusal *refusal);

/* Before a body is read: ERR_LIMITED if the tenant is over recordsPerSecond or
 * bytesPerDay; *refusal says so. monotonic and wall: now. */
MUST_CHECK enum status tenant_admit(struct tenant *tenant, uint64_t monotonic,
                                    uint64_t wall,
                                    struct tenant_refusal *refusal);
/* After decoding: charges what it was. */
void tenant_charge(struct tenant *tenant, uint64_t records, uint64_t bytes,
                   uint64_t monotonic, uint64_t wall);
/* tenant NULL: nothing. */
void tenant_count(struct tenant *tenant, enum tenant_outcome outcome,
                  uint64_t count);

/* The journal is above three quarters: ERR_LIMITED if this tenant has more than
 * its equal share of what was written to it lately. */
MUST_CHECK enum status tenant_admit_to_journal(struct tenant *tenant,
                                               struct tenant_refusal *refusal);
/* Bytes of the journal, over which "lately" goes. Before the first request. */
void tenants_set_journal_max(struct tenants *tenants, uint64_t bytes);

/* Memory of a tenant's unfinished bodies, of its queries: without a limit here,
 * whoever charges it compares. */
struct budget *tenant_memory(struct tenant *tenant, enum tenant_memory memory);

/* Connections: +1, -1. What it holds then. */
uint32_t tenant_connections(struct tenant *tenant, int step);

/* ---- what is asked ---- */

void tenant_query_done(struct tenant *tenant, uint64_t worker_ns,
                       int http_code);

/* ---- who uses what ---- */

struct tenant_usage {
    struct slice name; /* as long as the table */
    const struct tenant *tenant;
    uint64_t records[TENANT_OUTCOMES];
    uint64_t bytes_today;
    uint64_t connections;
    uint64_t queries_ok, queries_refused, queries_failed;
    uint64_t query_ns, query_seconds;
    uint64_t memory[TENANT_MEMORIES];
};

/* Those who use most come first. NULL: the arena is full. */
struct tenant_usage *tenants_usage(struct tenants *tenants, uint64_t wall,
                                   struct arena *arena, uint32_t *count);
/* Rows of /metrics. */
void tenants_print(struct tenants *tenants, uint64_t wall, struct buf *out);

/* The name of a limit in the file. */
const char *tenant_limit_name(enum tenant_limit limit);

#endif
