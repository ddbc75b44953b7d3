/*
 * report_impact - what users see of a fault, at those components at which they
 * come in.
 */
#ifndef REPORT_IMPACT_H
#define REPORT_IMPACT_H

#include "report.h"

/* report_impact_metrics.c: where requests send no spans, by the metrics of
 * those of the callers that no component calls. Sets impact, impact_at and
 * impact_known. */
void impact_of_metrics(struct rca_context *rca, struct cause_report *report,
                       const bool *is_caller);

/* report_impact_text.c: the sentence. */
struct slice report_impact_text(struct rca_context *rca,
                                const struct cause_report *report);

#endif
