/*
 * rca_reports - reports of root-cause analyses, kept across restarts.
 *
 * Purpose:   up to RCA_MAX_REPORTS JSON documents. When all slots are used, the
 *            oldest report of the namespace that has most is replaced. Two
 *            namespaces may have reports with one id.
 * Ownership: texts are copied in; what is returned is in the caller's arena.
 * Threads:   any; a lock inside. rca_reports_load() comes before all others, or
 *            within rca_reports_reload().
 * Errors:    rca_reports_put() returns ERR_INVALID or ERR_TOO_BIG and stores
 *            nothing. A saved text that is no report is ignored.
 */
#ifndef RCA_REPORTS_H
#define RCA_REPORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "grant.h"
#include "slice.h"
#include "status.h"

enum { RCA_MAX_REPORTS = 128, RCA_MAX_BYTES = 256 * 1024 };

struct rca_reports;

/* Stores the document of a slot, and returns when that is durable; from any
 * thread. number: order of arrival. */
typedef enum status rca_reports_save(void *arg, uint32_t slot, uint64_t number,
                                     struct slice document);

struct rca_reports *rca_reports_new(rca_reports_save *save, void *arg);
void rca_reports_free(struct rca_reports *rca);

/* What was stored for a slot (number 0: not known); a document that is no
 * report is ignored. */
void rca_reports_load(struct rca_reports *rca, uint32_t slot, uint64_t number,
                      struct slice document);

/* All reports anew, since another instance has saved: `load` calls
 * rca_reports_load() on the new table. If it fails all is as before. */
MUST_CHECK enum status rca_reports_reload(
    struct rca_reports *rca,
    enum status (*load)(void *arg, struct rca_reports *into), void *arg);

/* A document with reportId, alertId, timestamp, status, summary, namespace,
 * project, environment and report; with a component if it is about no other.
 * After a newline it may have the answer that the report is made of, which is
 * not read here. Replaces the one with this namespace and
 * reportId. Returns after it is stored. ERR_INVALID if one of these is missing,
 * ERR_TOO_BIG, or the status of saving: then nothing has changed. */
MUST_CHECK enum status rca_reports_put(struct rca_reports *rca,
                                       struct slice text);

/* Whether a report about this may be seen by who asks. */
typedef bool rca_is_seen(void *arg, const union scope_names *names);

/* An empty member means any; of reports that may be seen. */
struct rca_scope {
    struct slice namespace, project, environment;
    rca_is_seen *seen; /* NULL: none */
    void *arg;
};

/* What was put, in the arena; of several with this id the one that arrived
 * last. Empty: there is none in the scope. */
struct slice rca_reports_get(struct rca_reports *rca, struct slice id,
                             const struct rca_scope *scope,
                             struct arena *arena);

struct rca_filter {
    struct rca_scope scope;
    struct slice status; /* empty: any */
    uint64_t start_ns, end_ns;
    bool ascending;
    uint32_t limit;
};
struct rca_summary {
    struct slice id, alert_id, summary, status;
    uint64_t time_ns;
};
/* The first `limit` by time, and how many match; NULL if the arena is full. */
struct rca_summary *rca_reports_list(struct rca_reports *rca,
                                     const struct rca_filter *filter,
                                     struct arena *arena, uint32_t *count,
                                     uint64_t *total);

#endif
