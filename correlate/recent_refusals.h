/*
 * recent_refusals - how many records of the last RECENT_REFUSALS_MAX requests
 * their sender could not write, and why, for the answer if such a request is
 * sent again.
 *
 * Threads: the correlator's.
 */
#ifndef RECENT_REFUSALS_H
#define RECENT_REFUSALS_H

#include "batch.h"

enum { RECENT_REFUSALS_MAX = 256, RECENT_REFUSALS_TEXT = 288 };

/* All zero is empty. */
struct recent_refusals {
    struct recent_refusal *at; /* a ring; NULL: nothing was ever refused */
    uint64_t count;            /* ever added */
};

void recent_refusals_release(struct recent_refusals *refusals);

/* Of a batch with `foreign` and a hash; a text is cut at RECENT_REFUSALS_TEXT.
 */
void recent_refusals_add(struct recent_refusals *refusals,
                         const struct batch *batch);

/* Sets `foreign` and `foreign_why` of a batch as they were for the last one
 * with its hash; nothing if there was none. */
void recent_refusals_repeat(const struct recent_refusals *refusals,
                            struct batch *batch);

#endif
