#include "recent_spans.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum { LINE = 64, NODES = RECENT_SPANS_BUCKETS * RECENT_SPANS_PER_BUCKET };

_Static_assert(RECENT_SPANS_PER_BUCKET * sizeof(struct recent_span) == LINE,
               "a bucket is a cache line");

struct recent_spans *recent_spans_new(void)
{
    struct recent_spans *tree = mem_alloc(sizeof(*tree));
    char *memory = mem_zero(1, NODES * sizeof(struct recent_span) + LINE);

    tree->memory = memory;
    tree->nodes = (void *)(memory + (LINE - (uintptr_t)memory % LINE) % LINE);
    return tree;
}

void recent_spans_free(struct recent_spans *tree)
{
    free(tree->memory);
    free(tree);
}

void recent_spans_clear(struct recent_spans *tree)
{
    memset(tree->nodes, 0, NODES * sizeof(struct recent_span));
}

void recent_spans_add(struct recent_spans *tree, const struct span *span,
                      uint64_t hash, uint64_t parent_hash, enum span_role role,
                      struct limited_name *endpoint)
{
    struct recent_span *bucket =
        tree->nodes[(hash >> 40) % RECENT_SPANS_BUCKETS];
    struct recent_span node = {.span = (hash & ~(uint64_t)ROLE_MASK) | role};
    const struct recent_span *above;

    if (endpoint)
        node.endpoint = endpoint;
    else
        memcpy(node.above, span->parent_span_id, 8);
    if (role == ROLE_STEP) {
        above = recent_spans_find(tree, parent_hash);
        if (above && recent_span_role(above) <= ROLE_STEP) {
            node = *above;
            node.span = (hash & ~(uint64_t)ROLE_MASK) | recent_span_role(above);
        }
        if (recent_span_role(&node) == ROLE_STEP &&
            memcmp(node.above, span->span_id, 8) == 0) /* in a circle */
            memset(node.above, 0, 8);
    }
    for (int i = RECENT_SPANS_PER_BUCKET - 1; i > 0; i--)
        bucket[i] = bucket[i - 1];
    bucket[0] = node;
}
