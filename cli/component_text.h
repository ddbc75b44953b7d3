/*
 * component_text - the page of one component as lines of text: for `callboard
 * component` and for `top`.
 */
#ifndef COMPONENT_TEXT_H
#define COMPONENT_TEXT_H

#include <jansson.h>

#include "term_line.h"

/* The answer of /api/v1/components/{}/{}/{}. */
void component_text(struct buf *out, const struct term_look *look,
                    const json_t *answer);

#endif
