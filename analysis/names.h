/* names - members that several answers of this module have. */
#ifndef ANALYSIS_NAMES_H
#define ANALYSIS_NAMES_H

#include "query_request.h"

/* namespace, project, component, environment; of struct identity. */
extern const struct reply_table scope_names_table;

#endif
