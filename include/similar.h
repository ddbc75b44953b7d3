/*
 * similar - how far apart two names are, for "did you mean".
 *
 * Purpose:   Levenshtein's edit distance, in bytes.
 * Ownership: none.
 * Threads:   any.
 * Errors:    none.
 */
#ifndef SIMILAR_H
#define SIMILAR_H

#include "slice.h"

enum { SIMILAR_COMPARED = 63 };

/* Of the first SIMILAR_COMPARED bytes of b. */
uint32_t similar_distance(struct slice a, struct slice b);

#endif
