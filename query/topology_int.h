/* topology_int - what the files of the graph share. */
#ifndef TOPOLOGY_INT_H
#define TOPOLOGY_INT_H

#include "topology.h"

/* topology.c */
uint64_t topology_key(const struct node *node, bool with_service);
bool topology_in_scope(const struct topology *t,
                       const struct identity *identity);
bool topology_is_requested(const struct topology *t, const struct node *node);
/* The edge, made if there is none. NULL: the arena is full. */
struct metric_group *topology_edge(struct topology *t,
                                   const struct node *source,
                                   const struct node *target, bool queue);

/* topology_declared.c: marks edges that are declared, and adds unused ones if
 * requested. */
void topology_add_declared(struct topology *t,
                           const struct catalog_snapshot *snapshot);

/* topology_limit.c: hides the edges above the limit, those with the fewest
 * requests, and nodes that have no other ones. */
MUST_CHECK enum status topology_limit(struct topology *t);

#endif
