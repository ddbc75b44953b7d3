/* Memory is touched as it is used: max_spans is a limit, not a size. */
#include "unpaired_spans.h"

#include <stdlib.h>

#include "mem.h"

/* Most lookups find nothing and end at an empty bucket; a span with another key
 * costs one more cache line. */
enum { HEADS_PER_SPAN = 2 };

void unpaired_init(struct unpaired_spans *spans, uint32_t max_spans,
                   uint32_t max_per_bucket, bool targets)
{
    size_t heads = 2;

    while (heads < HEADS_PER_SPAN * (size_t)max_spans)
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

uint32_t unpaired_find_from(const struct unpaired_spans *spans, uint32_t at,
                            const struct span_key *key)
{
    while (at != UNPAIRED_NONE && !span_key_equal(&spans->at[at].key, key))
        at = spans->at[at].chain;
    return at;
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

/* The links that point to a span from its neighbours in age. */
static void relink(struct unpaired_spans *spans,
                   const struct unpaired_span *span, uint32_t newer,
                   uint32_t older)
{
    *(span->older == UNPAIRED_NONE ? &spans->oldest
                                   : &spans->at[span->older].newer) = newer;
    *(span->newer == UNPAIRED_NONE ? &spans->newest
                                   : &spans->at[span->newer].older) = older;
}

void unpaired_put(struct unpaired_spans *spans,
                  const struct unpaired_span *model,
                  const struct call_target *target, bool oldest)
{
    uint32_t *head = head_of(spans, &model->key);
    uint32_t at = spans->free;
    struct unpaired_span *span;

    if (at == UNPAIRED_NONE)
        at = spans->fresh++;
    else
        spans->free = spans->at[at].chain;
    span = &spans->at[at];
    *span = *model;
    if (spans->targets)
        spans->targets[at] = *target;
    span->chain = *head - 1;
    *head = at + 1;
    span->older = oldest ? UNPAIRED_NONE : spans->newest;
    span->newer = oldest ? spans->oldest : UNPAIRED_NONE;
    relink(spans, span, at, at);
    spans->open++;
    spans->open_by_byte[span->key.hash >> 56]++;
}

void unpaired_take(struct unpaired_spans *spans, uint32_t at)
{
    struct unpaired_span *span = &spans->at[at];
    uint32_t *head = head_of(spans, &span->key);

    if (*head == at + 1) {
        *head = span->chain + 1; /* UNPAIRED_NONE + 1 is 0: empty */
    } else {
        uint32_t before = *head - 1;

        while (spans->at[before].chain != at)
            before = spans->at[before].chain;
        spans->at[before].chain = span->chain;
    }
    relink(spans, span, span->newer, span->older);
    span->chain = spans->free;
    spans->free = at;
    spans->open--;
    spans->open_by_byte[span->key.hash >> 56]--;
}
