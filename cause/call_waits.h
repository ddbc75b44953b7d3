/*
 * call_waits - where calls wait, or fail, that a caller measures: at the
 * callee, at the caller itself, or between them.
 */
#ifndef CALL_WAITS_H
#define CALL_WAITS_H

#include "timeseries.h"

/* Sets `waits` of all series of calls, for the judged part of the window. room:
 * twice as many numbers as any series has points. False: the arena is full. */
MUST_CHECK bool call_waits_find(struct timeseries_list *list,
                                const struct rca_times *times,
                                uint32_t candidates, struct arena *arena,
                                double *room);

#endif
