/*
 * rca_report - what cause.h found, in the words of OpenChoreo's RCA report
 * (contracts/openchoreo.md 5.4), and what is said about it.
 */
#ifndef RCA_REPORT_H
#define RCA_REPORT_H

#include <jansson.h>

#include "cause.h"
#include "query_request.h"
#include "rca_store.h"

/* The alert's members, as they came in the request. */
struct rca_alert {
    const json_t *body; /* of the request */
    struct slice id, namespace, component, project, environment;
    uint64_t time_ns, length_ns; /* it is about so long before its time */
};

/* ---- rca_alert.c ---- */

/* A text of the request that must be there. */
MUST_CHECK enum status rca_need(struct query_request *request, const char *name,
                                struct slice *text);
/* Has answered with query_fail where it is not OK. */
MUST_CHECK enum status rca_alert_read(struct query_request *request,
                                      struct rca_alert *alert);
/* The member alert_context. */
void rca_alert_write(struct jsonw *w, const struct rca_alert *alert);

/* ---- rca_report.c ---- */

/* Writes the report object into the document that is open. */
void rca_report_write(struct query_request *request,
                      const struct rca_alert *alert,
                      const struct cause_report *report);

/* Two sentences at most; in the arena. */
struct slice rca_report_summary(struct query_request *request,
                                const struct cause_report *report);

/* ---- query_rca.c, rca_chat.c ---- */

/* A kept document, NULL if there is none. */
json_t *rca_load_report(struct query_request *request, struct slice id,
                        const struct rca_scope *scope);
/* The answers where there is no report, or no place for any. */
enum status rca_none(struct query_request *request);
enum status rca_not_kept(struct query_request *request);
enum status rca_chat(struct query_request *request);

#endif
