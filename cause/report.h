/*
 * report - the ranking, and what a person reads of it.
 */
#ifndef REPORT_H
#define REPORT_H

#include "rca_context.h"

/* rank.c: suspects. False: the arena is full. */
MUST_CHECK bool rank_suspects(const struct rca_context *rca,
                              const struct evidence_set *evidence,
                              struct cause_report *report);

/* confidence.c: found and confidence. After the ranking. */
void confidence_judge(const struct rca_context *rca,
                      const struct evidence_set *evidence,
                      struct cause_report *report);

/* Says where counts are of a part of the window. */
void report_judged_part(struct rca_context *rca, struct cause_report *report);

/* Numbers over time of the first suspects' evidence, and with them since when
 * each was seen. */
MUST_CHECK enum status report_charts(struct rca_context *rca,
                                     struct cause_report *report);

/* Callers that are affected, the path to users, and what users see. */
MUST_CHECK enum status report_propagation(struct rca_context *rca,
                                          const struct evidence_set *evidence,
                                          struct cause_report *report);

/* What users see at those of these candidates at which they come in: the first
 * suspect and its callers, or all. */
MUST_CHECK enum status report_impact(struct rca_context *rca,
                                     struct cause_report *report,
                                     const bool *is_caller);

/* Warnings and errors that the first suspect logs more often than before. */
MUST_CHECK enum status report_logs(struct rca_context *rca,
                                   struct cause_report *report);

/* What the failing requests of the first suspect have in common. */
MUST_CHECK enum status report_correlations(struct rca_context *rca,
                                           struct cause_report *report);

/* Telemetry that stopped in the window. */
MUST_CHECK enum status report_remarks(struct rca_context *rca,
                                      struct cause_report *report);

/* Other incidents before. */
MUST_CHECK enum status report_incidents(const struct rca_context *rca,
                                        struct cause_report *report);

/* Changes, excluded candidates, and the sentences. After the others. */
MUST_CHECK enum status report_summary(struct rca_context *rca,
                                      const struct evidence_set *evidence,
                                      struct cause_report *report);

#endif
