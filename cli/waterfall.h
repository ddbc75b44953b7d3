/*
 * waterfall - a trace as text: the tree of its spans, times, a bar on a common
 * time axis with the critical path, log lines at their place.
 */
#ifndef WATERFALL_H
#define WATERFALL_H

#include <jansson.h>

#include "term_line.h"

/* The answer of /api/v1/traces/{}. all: equal calls are not folded. Nothing
 * recurses: senders decide how deep a trace is. */
void waterfall_text(struct buf *out, const struct term_look *look,
                    const json_t *answer, bool all);

#endif
