/*
 * source_lists - one walk for lists and for exemplars.
 */
#ifndef SOURCE_LISTS_H
#define SOURCE_LISTS_H

#include "selection.h"

/* Visits the series of a list, without samples; or, with `exemplars`, the
 * points that have some. A series that several selectors match comes as often.
 */
enum status source_run_list(struct prometheus_source *source,
                            const struct prometheus_list *list,
                            promql_visit *visit, exemplar_visit *exemplars,
                            void *arg);

#endif
