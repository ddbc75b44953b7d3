/* Memory is touched as it is used: max_ends is a bound, not a size. */
#include "unpaired_spans.h"

#include <stdlib.h>

#include "mem.h"

/* Most lookups find nothing. An empty bucket ends them at once; an end with
 * another key costs one more cache line. */
enum { HEADS_EACH = 2 };

void ends_init(struct ends *ends, uint32_t max_ends, uint32_t max_chain,
               bool targets)
{
    size_t heads = 2;

    while (heads < HEADS_EACH * (size_t)max_ends)
        heads *= 2;
    *ends = (struct ends){
        .at = mem_alloc(max_ends * sizeof(*ends->at)),
        .heads = mem_zero(heads, sizeof(*ends->heads)),
        .max_ends = max_ends,
        .max_chain = max_chain,
        .mask = (uint32_t)(heads - 1),
        .targets =
            targets ? mem_alloc(max_ends * sizeof(*ends->targets)) : NULL,
        .free = ENDS_NONE,
        .oldest = ENDS_NONE,
        .newest = ENDS_NONE};
}

void ends_release(struct ends *ends)
{
    free(ends->at);
    free(ends->targets);
    free(ends->heads);
}

void ends_clear(struct ends *ends)
{
    while (ends->oldest != ENDS_NONE)
        ends_take(ends, ends->oldest);
}

static uint32_t *head_of(const struct ends *ends, const struct span_key *key)
{
    return &ends->heads[(key->hash >> 32) & ends->mask];
}

static uint32_t find_from(const struct ends *ends, uint32_t at,
                          const struct span_key *key)
{
    while (at != ENDS_NONE && memcmp(&ends->at[at].key, key, sizeof(*key)) != 0)
        at = ends->at[at].chain;
    return at;
}

uint32_t ends_find(const struct ends *ends, const struct span_key *key)
{
    return ends_may_have(ends, key->hash)
               ? find_from(ends, *head_of(ends, key) - 1, key)
               : ENDS_NONE;
}

uint32_t ends_next(const struct ends *ends, uint32_t at)
{
    return find_from(ends, ends->at[at].chain, &ends->at[at].key);
}

bool ends_crowded(const struct ends *ends, const struct span_key *key)
{
    uint32_t count = 0;

    for (uint32_t at = *head_of(ends, key) - 1; at != ENDS_NONE;
         at = ends->at[at].chain)
        if (++count == ends->max_chain)
            return true;
    return false;
}

void ends_put(struct ends *ends, const struct end *model,
              const struct target *target, bool oldest)
{
    uint32_t *head = head_of(ends, &model->key);
    uint32_t at = ends->free;

    if (at == ENDS_NONE)
        at = ends->fresh++;
    else
        ends->free = ends->at[at].chain;

    struct end *end = &ends->at[at];

    *end = *model;
    if (ends->targets)
        ends->targets[at] = *target;
    end->chain = *head - 1;
    *head = at + 1;
    end->older = oldest ? ENDS_NONE : ends->newest;
    end->newer = oldest ? ends->oldest : ENDS_NONE;
    *(end->older == ENDS_NONE ? &ends->oldest : &ends->at[end->older].newer) =
        at;
    *(end->newer == ENDS_NONE ? &ends->newest : &ends->at[end->newer].older) =
        at;
    ends->open++;
    ends->parts[end->key.hash >> 56]++;
}

void ends_take(struct ends *ends, uint32_t at)
{
    struct end *end = &ends->at[at];
    uint32_t *head = head_of(ends, &end->key);

    if (*head == at + 1) {
        *head = end->chain + 1; /* ENDS_NONE + 1 is 0: empty */
    } else {
        uint32_t before = *head - 1;

        while (ends->at[before].chain != at)
            before = ends->at[before].chain;
        ends->at[before].chain = end->chain;
    }
    *(end->older == ENDS_NONE ? &ends->oldest : &ends->at[end->older].newer) =
        end->newer;
    *(end->newer == ENDS_NONE ? &ends->newest : &ends->at[end->newer].older) =
        end->older;
    end->chain = ends->free;
    ends->free = at;
    ends->open--;
    ends->parts[end->key.hash >> 56]--;
}
