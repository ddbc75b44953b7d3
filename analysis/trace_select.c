/* Which spans of a large trace are shown; see trace_tree.h. */
#include <stdlib.h>

#include "trace_tree.h"

struct tree_candidate {
    uint32_t node;
    uint32_t rank;
    uint64_t weight;
};

static uint32_t rank_of(const struct trace_node *node)
{
    if (node->parent == TRACE_NONE)
        return 0;
    if (node->flags & NODE_ORIGIN)
        return 1;
    if (node->flags & NODE_CRITICAL)
        return 2;
    if (node->flags & NODE_FAILED)
        return 3;
    return node->flags & NODE_REPEATED ? 5 : 4;
}

static int compare(const void *left, const void *right)
{
    const struct tree_candidate *a = left, *b = right;

    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    return (a->node > b->node) - (a->node < b->node);
}

struct tree_selection {
    struct trace_tree *tree;
    uint32_t first, count; /* the nodes that may be shown */
    uint32_t shown;
    uint32_t deepest; /* depth of what is shown */
};

static bool is_open(const struct tree_selection *s, uint32_t node)
{
    return node != TRACE_NONE && node >= s->first &&
           !(s->tree->nodes[node].flags & NODE_SHOWN);
}

/* The node and those above it, if all of them fit. */
static void show(struct tree_selection *s, uint32_t node, uint32_t room)
{
    struct trace_node *nodes = s->tree->nodes;
    uint32_t needed = 0;

    /* Of a trace of one long chain most do not fit: not all are walked up. */
    if (s->shown > 0 && nodes[node].depth > s->deepest + room)
        return;
    for (uint32_t at = node; is_open(s, at) && needed <= room;
         at = nodes[at].parent)
        needed++;
    if (needed > room)
        return;
    for (uint32_t at = node; is_open(s, at); at = nodes[at].parent)
        nodes[at].flags |= NODE_SHOWN;
    s->shown += needed;
    if (nodes[node].depth > s->deepest)
        s->deepest = nodes[node].depth;
}

/* What is not shown hides nothing that is. */
static void count_omitted(const struct tree_selection *s)
{
    struct trace_node *nodes = s->tree->nodes;

    for (uint32_t i = s->first + s->count; i-- > s->first;)
        if (!(nodes[i].flags & NODE_SHOWN) && nodes[i].parent != TRACE_NONE)
            nodes[nodes[i].parent].omitted += nodes[i].omitted + 1;
}

static enum status select_some(struct tree_selection *s, struct arena *work,
                               uint32_t limit)
{
    struct tree_candidate *all = arena_alloc(work, s->count * sizeof(*all));

    if (!all)
        return arena_status(work);
    for (uint32_t i = 0; i < s->count; i++) {
        const struct trace_node *node = &s->tree->nodes[s->first + i];
        uint32_t rank = i == 0 ? 0 : rank_of(node);

        all[i] = (struct tree_candidate){
            s->first + i, rank,
            rank == 2 ? node->critical_ns : node->end_ns - node->start_ns};
    }
    qsort(all, s->count, sizeof(*all), compare);
    for (uint32_t i = 0; i < s->count && s->shown < limit; i++)
        show(s, all[i].node, limit - s->shown);
    count_omitted(s);
    return OK;
}

enum status trace_select(struct trace_tree *tree, uint32_t top, uint32_t limit,
                         uint32_t *shown)
{
    struct tree_selection s = {.tree = tree, .count = tree->count};
    struct arena work;
    enum status status = OK;

    if (top != TRACE_NONE) {
        s.first = top;
        s.count = tree->nodes[top].below + 1;
    }
    if (s.count <= limit) {
        for (uint32_t i = 0; i < s.count; i++)
            tree->nodes[s.first + i].flags |= NODE_SHOWN;
        *shown = s.count;
        return OK;
    }
    arena_begin(&work, tree->request->arena);
    status = select_some(&s, &work, limit);
    arena_release(&work);
    *shown = s.shown;
    return status;
}
