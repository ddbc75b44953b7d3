/*
 * Self time: the duration of a span less the time in which at least one of its
 * children ran, as far as the span itself ran.
 *
 * Critical path: from the end of the root backward. What finished last before
 * a moment is what was waited for:
 *
 *   root   |=====------====---=|      = critical
 *   a            |====|               - is inside the children
 *   b              |==| (not last)
 *   c                     |==|
 *
 * Of each span on the path the part after its last-finishing child is its own;
 * then the path is that of the child, as far as it lies inside; then that of
 * the child which finished last before that one started. The parts add up to
 * the duration of the root.
 */
#include <stdlib.h>

#include "trace_tree.h"

struct interval {
    uint64_t start_ns, end_ns;
    uint32_t node;
};

struct timing {
    struct trace_tree *tree;
    struct interval *children; /* of one node */
    struct interval *todo;     /* parts of nodes on the critical path */
    uint32_t todo_count;
};

/* The children that are waited for, inside of the span, by start. */
static uint32_t inner(const struct timing *t, uint32_t at, uint64_t start_ns,
                      uint64_t end_ns)
{
    const struct trace_tree *tree = t->tree;
    uint32_t count = 0;

    trace_children(tree, at, child)
    {
        const struct trace_node *c = &tree->nodes[child];
        uint64_t from = c->start_ns > start_ns ? c->start_ns : start_ns;
        uint64_t to = c->end_ns < end_ns ? c->end_ns : end_ns;

        if (!(c->flags & NODE_ASYNC) && from < to)
            t->children[count++] = (struct interval){from, to, child};
    }
    return count;
}

static int by_start(const void *left, const void *right)
{
    const struct interval *a = left, *b = right;

    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return (a->node > b->node) - (a->node < b->node);
}

/* The last to finish first; of equal ends, the longest. */
static int by_end(const void *left, const void *right)
{
    const struct interval *a = left, *b = right;

    if (a->end_ns != b->end_ns)
        return a->end_ns > b->end_ns ? -1 : 1;
    return by_start(left, right);
}

static void set_self(const struct timing *t, uint32_t at)
{
    struct trace_node *node = &t->tree->nodes[at];
    uint32_t count = inner(t, at, node->start_ns, node->end_ns);
    uint64_t end = node->start_ns, busy = 0;

    qsort(t->children, count, sizeof(*t->children), by_start);
    for (uint32_t i = 0; i < count; i++) {
        const struct interval *c = &t->children[i];

        if (c->end_ns <= end)
            continue;
        busy += c->end_ns - (c->start_ns > end ? c->start_ns : end);
        end = c->end_ns;
    }
    node->self_ns =
        node->flags & NODE_MISSING ? 0 : node->end_ns - node->start_ns - busy;
}

/* The own part of a node between two times of the path, and its children. */
static void follow(struct timing *t, struct interval part)
{
    struct trace_node *node = &t->tree->nodes[part.node];
    uint32_t count = inner(t, part.node, part.start_ns, part.end_ns);
    uint64_t until = part.end_ns;

    node->flags |= NODE_CRITICAL;
    qsort(t->children, count, sizeof(*t->children), by_end);
    for (uint32_t i = 0; i < count; i++) {
        const struct interval *c = &t->children[i];

        if (c->end_ns > until)
            continue;
        node->critical_ns += until - c->end_ns;
        until = c->start_ns;
        t->todo[t->todo_count++] = *c;
    }
    node->critical_ns += until - part.start_ns;
}

static void set_critical(struct timing *t)
{
    const struct trace_node *root = &t->tree->nodes[t->tree->main];

    t->todo[t->todo_count++] =
        (struct interval){root->start_ns, root->end_ns, t->tree->main};
    while (t->todo_count > 0)
        follow(t, t->todo[--t->todo_count]);
}

enum status trace_tree_time(struct trace_tree *tree)
{
    struct timing t = {.tree = tree};
    struct arena work;
    enum status s;

    arena_begin(&work, tree->request->arena);
    t.children = arena_alloc(&work, tree->count * sizeof(*t.children));
    t.todo = arena_alloc(&work, tree->count * sizeof(*t.todo));
    s = arena_status(&work);
    if (s == OK && tree->count > 0) {
        for (uint32_t i = 0; i < tree->count; i++)
            set_self(&t, i);
        set_critical(&t);
    }
    arena_release(&work);
    return s;
}
