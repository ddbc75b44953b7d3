/*
 * rca - reports of root-cause analyses, kept across restarts.
 *
 * RCA_KEPT are kept. When they are, the one that came first gives its place, of
 * the namespace that holds most. Each is a JSON document; what is filtered by
 * is kept beside it. Reports of two namespaces are two, whatever their ids.
 *
 * Threads  any, but rca_store_load: before the others.
 */
#ifndef RCA_H
#define RCA_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "slice.h"
#include "status.h"

enum { RCA_KEPT = 128, RCA_MAX_BYTES = 64 * 1024 };

struct rca_store;

/* Keeps a text under a name; from any thread. */
typedef void rca_store_save(void *arg, const char *name, struct slice text);

struct rca_store *rca_store_new(rca_store_save *save, void *arg);
void rca_store_free(struct rca_store *rca);

/* What the names begin with that reports are kept under. */
#define RCA_NAMES "rca."
/* What was kept under a name; what is no report is passed over. */
void rca_store_load(struct rca_store *rca, struct slice name,
                    struct slice text);

/* A document with reportId, alertId, timestamp, status, summary, namespace,
 * project, environment and report. Replaces the one with this namespace and
 * reportId. ERR_INVALID if one of these is missing, ERR_TOO_BIG. */
MUST_CHECK enum status rca_store_put(struct rca_store *rca, struct slice text);

/* Whose report is meant; an empty member means any. */
struct rca_scope {
    struct slice namespace, project, environment;
};

/* The document, in the arena; empty if there is none in this scope, or several
 * with this id. */
struct slice rca_store_get(struct rca_store *rca, struct slice id,
                           const struct rca_scope *scope, struct arena *arena);

/* Another namespace than this one has a report with this id. */
bool rca_store_id_taken(struct rca_store *rca, struct slice id,
                        struct slice namespace);

struct rca_filter {
    struct slice namespace, project, environment, status; /* empty: any */
    uint64_t start_ns, end_ns;
    bool ascending;
    uint32_t limit;
};
struct rca_summary {
    struct slice id, alert_id, summary, status;
    uint64_t time_ns;
};
/* The first `limit` by time, and how many match; NULL if the arena is full. */
struct rca_summary *rca_store_list(struct rca_store *rca,
                                   const struct rca_filter *filter,
                                   struct arena *arena, uint32_t *count,
                                   uint64_t *total);

#endif
