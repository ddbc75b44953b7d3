/* cost_params - parameters and members that the routes of costs share. */
#ifndef COST_PARAMS_H
#define COST_PARAMS_H

#include "cost_read.h"
#include "empty_reply.h"

/* Scope and window of the routes of the Observer API: namespace and environment
 * are parts of the path; project and component by name, or by uid as OpenChoreo
 * asks an adapter. Selects the resources. */
MUST_CHECK enum status cost_params_observer(struct query_request *request,
                                            struct cost_report *report);

enum { COST_MAX_DAYS = 400 };
/* The window alone: the end defaults to now, the start to default_ns before. */
MUST_CHECK enum status cost_params_since(struct query_request *request,
                                         uint64_t default_ns,
                                         struct cost_report *report);

/* granularity; absent: the window is one step, as it is without this call. */
MUST_CHECK enum status cost_params_steps(struct query_request *request,
                                         struct cost_report *report);

/* The uid if it is one, else the one of all zeros: the contract has no item
 * without. */
struct slice cost_uid(struct slice uid);

/* ---- members of answers ---- */

/* component, environment, project, namespace; of struct identity. */
extern const struct reply_table cost_names_table;

struct cost_window {
    uint64_t start_ns, end_ns;
};
extern const struct reply_table cost_window_table;

/* Why there is nothing; NULL: there is something. */
const struct empty_reply *cost_empty(const struct cost_report *report);

/* The prices where no row of the file fits, and where they are from. */
struct cost_prices {
    struct slice currency, source;
    double core_hour, gib_hour;
};
extern const struct reply_table cost_prices_table;
struct cost_prices cost_prices_view(const struct cost_report *report);

#endif
