#include "recent_spans.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum { CACHE_LINE = 64 };
enum { SPANS = RECENT_SPANS_BUCKETS * RECENT_SPANS_PER_BUCKET };

_Static_assert(RECENT_SPANS_PER_BUCKET * sizeof(struct recent_span) ==
                   CACHE_LINE,
               "a bucket is a cache line");

struct recent_spans *recent_spans_new(void)
{
    struct recent_spans *spans = mem_alloc(sizeof(*spans));
    char *memory = mem_zero(1, SPANS * sizeof(struct recent_span) + CACHE_LINE);

    spans->memory = memory;
    spans->buckets =
        (void *)(memory +
                 (CACHE_LINE - (uintptr_t)memory % CACHE_LINE) % CACHE_LINE);
    return spans;
}

void recent_spans_free(struct recent_spans *spans)
{
    free(spans->memory);
    free(spans);
}

void recent_spans_clear(struct recent_spans *spans)
{
    memset(spans->buckets, 0, SPANS * sizeof(struct recent_span));
}

void recent_spans_add(struct recent_spans *spans, const struct span *span,
                      uint64_t hash, uint64_t parent_hash, enum span_role role,
                      struct counted_name *endpoint)
{
    struct recent_span *bucket = recent_spans_bucket(spans, hash);
    struct recent_span entry = {.span = (hash & ~(uint64_t)ROLE_MASK) | role};
    const struct recent_span *parent;

    if (endpoint)
        entry.endpoint = endpoint;
    else
        memcpy(entry.parent, span->parent_span_id, 8);
    if (role == ROLE_INTERNAL) {
        parent = recent_spans_find(spans, parent_hash);
        if (parent && recent_span_role(parent) <= ROLE_INTERNAL) {
            entry = *parent;
            entry.span =
                (hash & ~(uint64_t)ROLE_MASK) | recent_span_role(parent);
        }
        if (recent_span_role(&entry) == ROLE_INTERNAL &&
            memcmp(entry.parent, span->span_id, 8) == 0) /* a cycle */
            memset(entry.parent, 0, 8);
    }
    memmove(bucket + 1, bucket,
            (RECENT_SPANS_PER_BUCKET - 1) * sizeof(*bucket));
    bucket[0] = entry;
}
