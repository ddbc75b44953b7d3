/*
 * series_add - two delta points of one series and time make one.
 */
#ifndef STORE_SERIES_ADD_H
#define STORE_SERIES_ADD_H

#include "arena.h"
#include "record.h"

/* The sum, in the arena, or NULL if they cannot be added: other times, not
 * delta, other bounds, a point without a value, or no memory. */
const struct point *point_add(struct arena *arena, const struct point *a,
                              const struct point *b);

#endif
