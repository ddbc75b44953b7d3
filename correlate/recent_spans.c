#include "recent_spans.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum { LINE = 64, NODES = SPAN_TREE_BUCKETS * SPAN_TREE_EACH };

_Static_assert(SPAN_TREE_EACH * sizeof(struct span_node) == LINE,
               "a bucket is a cache line");

struct span_tree *span_tree_new(void)
{
    struct span_tree *tree = mem_alloc(sizeof(*tree));
    char *memory = mem_zero(1, NODES * sizeof(struct span_node) + LINE);

    tree->memory = memory;
    tree->nodes = (void *)(memory + (LINE - (uintptr_t)memory % LINE) % LINE);
    return tree;
}

void span_tree_free(struct span_tree *tree)
{
    free(tree->memory);
    free(tree);
}

void span_tree_clear(struct span_tree *tree)
{
    memset(tree->nodes, 0, NODES * sizeof(struct span_node));
}

void span_tree_add(struct span_tree *tree, const struct span *span,
                   uint64_t hash, uint64_t parent_hash, enum span_role role,
                   struct capped_name *endpoint)
{
    struct span_node *bucket = tree->nodes[(hash >> 40) % SPAN_TREE_BUCKETS];
    struct span_node node = {.span = (hash & ~(uint64_t)ROLE_MASK) | role};
    const struct span_node *above;

    if (endpoint)
        node.endpoint = endpoint;
    else
        memcpy(node.above, span->parent_span_id, 8);
    if (role == ROLE_STEP) {
        above = span_tree_find(tree, parent_hash);
        if (above && span_node_role(above) <= ROLE_STEP) {
            node = *above;
            node.span = (hash & ~(uint64_t)ROLE_MASK) | span_node_role(above);
        }
        if (span_node_role(&node) == ROLE_STEP &&
            memcmp(node.above, span->span_id, 8) == 0) /* in a circle */
            memset(node.above, 0, 8);
    }
    for (int i = SPAN_TREE_EACH - 1; i > 0; i--)
        bucket[i] = bucket[i - 1];
    bucket[0] = node;
}
