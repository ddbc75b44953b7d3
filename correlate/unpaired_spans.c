/* Memory is touched as it is used: max_spans is a bound, not a size. */
#include "unpaired_spans.h"

#include <stdlib.h>

#include "mem.h"

/* Most lookups find nothing. An empty bucket spans them at once; an end with
 * another key costs one more cache line. */
enum { HEADS_EACH = 2 };

void unpaired_init(struct unpaired_spans *spans, uint32_t max_spans,
                   uint32_t max_per_bucket, bool targets)
{
    size_t heads = 2;

    while (heads < HEADS_EACH * (size_t)max_spans)
        heads *= 2;
    *spans = (struct unpaired_spans){
        .at = mem_alloc(max_spans * sizeof(*spans->at)),
        .heads = mem_zero(heads, sizeof(*spans->heads)),
        .max_spans = max_spans,
        .max_per_bucket = max_per_bucket,
        .mask = (uint32_t)(heads - 1),
        .targets =
            targets ? mem_alloc(max_spans * sizeof(*spans->targets)) : NULL,
        .free = UNPAIRED_NONE,
        .oldest = UNPAIRED_NONE,
        .newest = UNPAIRED_NONE};
}

void unpaired_release(struct unpaired_spans *spans)
{
    free(spans->at);
    free(spans->targets);
    free(spans->heads);
}

void unpaired_clear(struct unpaired_spans *spans)
{
    while (spans->oldest != UNPAIRED_NONE)
        unpaired_take(spans, spans->oldest);
}

static uint32_t *head_of(const struct unpaired_spans *spans,
                         const struct span_key *key)
{
    return &spans->heads[(key->hash >> 32) & spans->mask];
}

static uint32_t find_from(const struct unpaired_spans *spans, uint32_t at,
                          const struct span_key *key)
{
    while (at != UNPAIRED_NONE &&
           memcmp(&spans->at[at].key, key, sizeof(*key)) != 0)
        at = spans->at[at].chain;
    return at;
}

uint32_t unpaired_find(const struct unpaired_spans *spans,
                       const struct span_key *key)
{
    return unpaired_may_have(spans, key->hash)
               ? find_from(spans, *head_of(spans, key) - 1, key)
               : UNPAIRED_NONE;
}

uint32_t unpaired_next(const struct unpaired_spans *spans, uint32_t at)
{
    return find_from(spans, spans->at[at].chain, &spans->at[at].key);
}

bool unpaired_crowded(const struct unpaired_spans *spans,
                      const struct span_key *key)
{
    uint32_t count = 0;

    for (uint32_t at = *head_of(spans, key) - 1; at != UNPAIRED_NONE;
         at = spans->at[at].chain)
        if (++count == spans->max_per_bucket)
            return true;
    return false;
}

void unpaired_put(struct unpaired_spans *spans,
                  const struct unpaired_span *model,
                  const struct call_target *target, bool oldest)
{
    uint32_t *head = head_of(spans, &model->key);
    uint32_t at = spans->free;

    if (at == UNPAIRED_NONE)
        at = spans->fresh++;
    else
        spans->free = spans->at[at].chain;

    struct unpaired_span *end = &spans->at[at];

    *end = *model;
    if (spans->targets)
        spans->targets[at] = *target;
    end->chain = *head - 1;
    *head = at + 1;
    end->older = oldest ? UNPAIRED_NONE : spans->newest;
    end->newer = oldest ? spans->oldest : UNPAIRED_NONE;
    *(end->older == UNPAIRED_NONE ? &spans->oldest
                                  : &spans->at[end->older].newer) = at;
    *(end->newer == UNPAIRED_NONE ? &spans->newest
                                  : &spans->at[end->newer].older) = at;
    spans->open++;
    spans->parts[end->key.hash >> 56]++;
}

void unpaired_take(struct unpaired_spans *spans, uint32_t at)
{
    struct unpaired_span *end = &spans->at[at];
    uint32_t *head = head_of(spans, &end->key);

    if (*head == at + 1) {
        *head = end->chain + 1; /* UNPAIRED_NONE + 1 is 0: empty */
    } else {
        uint32_t before = *head - 1;

        while (spans->at[before].chain != at)
            before = spans->at[before].chain;
        spans->at[before].chain = end->chain;
    }
    *(end->older == UNPAIRED_NONE ? &spans->oldest
                                  : &spans->at[end->older].newer) = end->newer;
    *(end->newer == UNPAIRED_NONE ? &spans->newest
                                  : &spans->at[end->newer].older) = end->older;
    end->chain = spans->free;
    spans->free = at;
    spans->open--;
    spans->parts[end->key.hash >> 56]--;
}
