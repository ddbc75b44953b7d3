/*
 * rca_report - what cause.h found, in the words of OpenChoreo's RCA report.
 *
 * Purpose: from an alert and a cause report to the document that is stored.
 * Ownership: views are in the request's arena and borrow from the alert and
 *   the cause report.
 * Threads: one request, one thread.
 * Errors: NULL if the arena is full; what is wrong with a request is answered
 *   with query_fail.
 */
#ifndef RCA_REPORT_H
#define RCA_REPORT_H

#include <jansson.h>

#include "cause.h"
#include "query_request.h"
#include "rca_reports.h"

/* The alert's members, as they came in the request. */
struct rca_alert {
    const json_t *body; /* of the request */
    struct slice id, namespace, component, project, environment;
    uint64_t time_ns, length_ns; /* it covers so much time before its time */
    bool asked;                  /* there is no alert: somebody asked */
    bool sees_project; /* who asks: a report about it names its components */
};

/* ---- rca_alert.c ---- */

/* A text of the request that is required. */
enum status rca_need(struct query_request *request, const char *name,
                     struct slice *text);
MUST_CHECK enum status rca_alert_read(struct query_request *request,
                                      struct rca_alert *alert);

struct alert_condition {
    struct slice window, interval, operator;
    double threshold;
};

/* With all members that OpenChoreo's model requires. */
struct alert_context {
    struct slice id, name, description, severity;
    uint64_t time_ns;
    double value;
    struct slice source_type, source_query, source_metric;
    struct alert_condition condition;
    struct slice component, project, environment;
};
extern const struct reply_table alert_context_table;

struct alert_context rca_alert_context(const struct rca_alert *alert);

/* ---- rca_report.c ---- */

struct rca_report;
extern const struct reply_table rca_report_table;

/* The report; report NULL: there is none. */
const struct rca_report *rca_report_make(struct query_request *request,
                                         const struct rca_alert *alert,
                                         const struct cause_report *report);

/* Two sentences at most; in the arena. */
struct slice rca_report_summary(struct query_request *request,
                                const struct cause_report *report);

/* ---- query_rca.c, query_rca_chat.c, query_rca_keep.c ---- */

/* <alert id>_<seconds>: an alert sent twice has one report. */
struct slice rca_report_id(struct query_request *request,
                           const struct rca_alert *alert);
/* Stores the report and the answer that it is made of. report NULL: the
 * analysis failed. */
MUST_CHECK enum status rca_store_report(struct query_request *request,
                                        const struct rca_alert *alert,
                                        const struct cause_report *report,
                                        struct slice id);

/* rca_is_seen of a request. */
bool rca_report_is_seen(void *request, const union scope_names *names);
/* A stored document, and the answer that is stored with it, or empty; cause may
 * be NULL. NULL: there is none in the scope, which is answered. */
json_t *rca_load_report(struct query_request *request, struct slice id,
                        const struct rca_scope *scope, struct slice *cause);
enum status rca_chat(struct query_request *request);
/* POST /api/v1/rca-agent/reports */
enum status rca_keep_report(struct query_request *request);
extern const struct reply_table rca_kept_table;

#endif
