/*
 * decode_stats - counts what decoding cut, corrected and refused in a batch,
 * for every receiver alike.
 *
 * Threads  any.
 */
#ifndef DECODE_STATS_H
#define DECODE_STATS_H

#include "batch.h"

void decode_stats_add(const struct batch *batch);

#endif
