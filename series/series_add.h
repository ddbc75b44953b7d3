/*
 * series_add - adds two delta points of the same series and time.
 */
#ifndef STORE_SERIES_ADD_H
#define STORE_SERIES_ADD_H

#include "arena.h"
#include "record.h"

/* The sum, in the arena, or NULL if they cannot be added: times or bounds
 * differ, not delta, a point without a value, or the arena is full. */
const struct point *point_add(struct arena *arena, const struct point *a,
                              const struct point *b);

#endif
