#include "recent_refusals.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

struct recent_refusal {
    struct request_hash hash;
    uint32_t records, len;
    char why[RECENT_REFUSALS_TEXT];
};

void recent_refusals_release(struct recent_refusals *refusals)
{
    free(refusals->at);
}

void recent_refusals_add(struct recent_refusals *refusals,
                         const struct batch *batch)
{
    struct slice why = slice_truncate(batch->foreign_why, RECENT_REFUSALS_TEXT);
    struct recent_refusal *one;

    if (!refusals->at)
        refusals->at = mem_zero(RECENT_REFUSALS_MAX, sizeof(*refusals->at));
    one = &refusals->at[refusals->count++ % RECENT_REFUSALS_MAX];
    one->hash = batch->hash;
    one->records = batch->foreign;
    one->len = (uint32_t)why.len;
    if (why.len > 0)
        memcpy(one->why, why.ptr, why.len);
}

void recent_refusals_repeat(const struct recent_refusals *refusals,
                            struct batch *batch)
{
    uint64_t most = refusals->count < RECENT_REFUSALS_MAX ? refusals->count
                                                          : RECENT_REFUSALS_MAX;

    for (uint64_t i = 1; i <= most; i++) {
        const struct recent_refusal *one =
            &refusals->at[(refusals->count - i) % RECENT_REFUSALS_MAX];

        if (one->hash.a != batch->hash.a || one->hash.b != batch->hash.b)
            continue;
        batch->foreign = one->records;
        batch->foreign_why = arena_copy_forced(
            &batch->arena, (struct slice){one->why, one->len});
        return;
    }
}
