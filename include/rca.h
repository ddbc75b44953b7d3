/*
 * rca - reports of root-cause analyses, kept across restarts.
 *
 * The newest RCA_KEPT are kept; an older one gives its place. Each is a JSON
 * document; what is filtered by is kept beside it.
 *
 * Threads  any, but rca_load: before the others.
 */
#ifndef RCA_H
#define RCA_H

#include <stdint.h>

#include "arena.h"
#include "slice.h"
#include "status.h"

enum { RCA_KEPT = 128, RCA_MAX_BYTES = 64 * 1024 };

struct rca;

/* Keeps a text under a name; from any thread. */
typedef void rca_save(void *arg, const char *name, struct slice text);

struct rca *rca_new(rca_save *save, void *arg);
void rca_free(struct rca *rca);

/* What the names begin with that reports are kept under. */
#define RCA_NAMES "rca."
/* What was kept under a name; what is no report is passed over. */
void rca_load(struct rca *rca, struct slice name, struct slice text);

/* A document with reportId, alertId, timestamp, status, summary, namespace,
 * project, environment and report. Replaces the one with this reportId.
 * ERR_INVALID if one of these is missing, ERR_TOO_BIG. */
MUST_CHECK enum status rca_put(struct rca *rca, struct slice text);

/* The document, in the arena; empty if there is none. */
struct slice rca_get(struct rca *rca, struct slice id, struct arena *arena);

struct rca_filter {
    struct slice namespace, project, environment, status; /* empty: any */
    uint64_t start_ns, end_ns;
    bool ascending;
    uint32_t limit;
};
struct rca_row {
    struct slice id, alert_id, timestamp, summary, status;
};
/* The first `limit` by time, and how many match; NULL if the arena is full. */
struct rca_row *rca_list(struct rca *rca, const struct rca_filter *filter,
                         struct arena *arena, uint32_t *count, uint64_t *total);

#endif
