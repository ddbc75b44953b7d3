/*
 * rca_findings - root causes of an RCA report.
 *
 * Purpose: a suspect and its evidence in OpenChoreo's words, and sentences.
 * Ownership: in the request's arena.
 * Threads: one request, one thread.
 * Errors: what does not fit into the arena is left out; the arena tells.
 */
#ifndef RCA_FINDINGS_H
#define RCA_FINDINGS_H

#include "rca_report.h"

struct root_cause {
    struct slice summary, analysis;
    const char *confidence;
    struct reply_list findings;
};
extern const struct reply_table root_cause_table;

struct root_cause rca_root_cause(struct query_request *request,
                                 const struct cause_report *report,
                                 const struct cause_suspect *s);

struct slice rca_name(const struct cause_report *report, uint32_t c);
/* As a link for the portal; databases and hosts have no page. */
struct slice rca_linked_name(struct query_request *request,
                             const struct cause_report *report, uint32_t c);

#endif
