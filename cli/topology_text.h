/*
 * topology_text - a graph of dependencies as text: of one component as a tree
 * of callers and one of callees, of more than one as a list by layers.
 */
#ifndef TOPOLOGY_TEXT_H
#define TOPOLOGY_TEXT_H

#include <jansson.h>

#include "term_line.h"

/* The answer of /api/v1/dependencies. */
void topology_text(struct buf *out, const struct term_look *look,
                   const json_t *answer);

#endif
