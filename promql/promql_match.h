/*
 * promql_match - vector matching: `on` and `ignoring`.
 */
#ifndef PROMQL_MATCH_H
#define PROMQL_MATCH_H

#include "promql_aggregate.h"
#include "promql_operator.h"

/* Groups of series that match each other: those with the same labels that `on`
 * lists, or that `ignoring` does not list. */
static inline void promql_match_groups(struct promql_groups *groups,
                                       struct promql_eval *eval,
                                       const struct promql_binary *binary)
{
    const struct promql_aggregate as = {.without = !binary->on,
                                        .labels = binary->labels,
                                        .label_count = binary->label_count};

    promql_groups_init(groups, eval, &as);
}

#endif
