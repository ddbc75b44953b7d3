/*
 * rca_report - what cause.h found, in the words of OpenChoreo's RCA report
 * (contracts/openchoreo.md 5.4).
 */
#ifndef RCA_REPORT_H
#define RCA_REPORT_H

#include <jansson.h>

#include "cause.h"
#include "route.h"

/* The alert's members, as they came in the request. */
struct rca_alert {
    const json_t *body; /* of the request */
    struct slice id, component, project, environment;
    uint64_t time_ns;
};

/* Writes the report object into the document that is open. */
void rca_report_write(struct call *call, const struct rca_alert *alert,
                      const struct cause_report *report);

/* One sentence; in the arena. */
struct slice rca_report_summary(struct call *call,
                                const struct cause_report *report);

#endif
