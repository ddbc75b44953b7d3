/*
 * copy - records with all they refer to, into an arena.
 *
 * Between a block, whose memory goes as soon as the next one is opened, and
 * the arena of the caller. If the arena is sticky the copy is not
 * whole, so look at arena_status() before using it.
 */
#ifndef STORE_RECORD_COPY_H
#define STORE_RECORD_COPY_H

#include "arena.h"
#include "record.h"

void copy_log(struct arena *arena, const struct log_record *from,
              struct log_record *to);
void copy_span(struct arena *arena, const struct span *from, bool whole,
               struct span *to);
/* NULL once the arena is sticky. The metric is copied too. */
struct point *copy_point(struct arena *arena, const struct point *from);
/* Without the metric and the attributes, which the copy refers to. */
struct point *copy_point_value(struct arena *arena, const struct point *from);

#endif
