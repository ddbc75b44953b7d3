/* topology_reply - the graph as JSON. */
#ifndef TOPOLOGY_REPLY_H
#define TOPOLOGY_REPLY_H

#include "topology.h"

extern const struct reply_table topology_table;
MUST_CHECK enum status topology_reply(struct topology *t);

#endif
