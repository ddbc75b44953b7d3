/* routes - the tables of routes of this module, each ended by {0}. */
#ifndef ANALYSIS_ROUTES_H
#define ANALYSIS_ROUTES_H

#include "query_request.h"

extern const struct route routes_trace[];
extern const struct route routes_dependencies[];
extern const struct route routes_blast_radius[];
extern const struct route routes_changes[];
extern const struct route routes_log_patterns[];
extern const struct route routes_compare[];
extern const struct route routes_log_tail[];
extern const struct route routes_log_histogram[];
extern const struct route routes_find_traces[];
extern const struct route routes_incidents[];
extern const struct route routes_unassigned[];

#endif
