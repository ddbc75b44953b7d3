/* Which nodes are how many steps away from the roots: breadth first. */
#include "array.h"
#include "dependency_graph.h"

struct graph_steps {
    const struct dependency_graph *graph;
    int direction, which;
    uint32_t *steps;
    uint32_t *now, *then; /* nodes that are so many steps away, and one more */
    uint32_t now_count, now_room, then_count, then_room;
};

static bool follows(const struct graph_steps *w, const struct graph_edge *edge)
{
    bool queue = graph_is_queue(w->graph->nodes[edge->source].node) ||
                 graph_is_queue(w->graph->nodes[edge->target].node);

    return w->which & (queue ? WALK_QUEUES : WALK_CALLS) &&
           ((w->which & WALK_OBSERVED && edge->edge->observed) ||
            (w->which & WALK_DECLARED && edge->edge->declared));
}

/* A queue and what is behind it are the same number of steps away. */
static bool reach(struct graph_steps *w, uint32_t node, uint32_t steps,
                  bool at_once)
{
    uint32_t **list = at_once ? &w->now : &w->then;
    uint32_t *count = at_once ? &w->now_count : &w->then_count;
    uint32_t *room = at_once ? &w->now_room : &w->then_room;
    uint32_t *slot;

    if (w->steps[node] <= steps)
        return true;
    slot = arena_append(w->graph->request->arena, list, *count, room);
    if (!slot)
        return false;
    *slot = node;
    ++*count;
    w->steps[node] = steps;
    return true;
}

static bool expand(struct graph_steps *w, uint32_t from, uint32_t steps)
{
    const struct dependency_graph *g = w->graph;
    const struct graph_node *node = &g->nodes[from];
    bool callers = w->direction == GRAPH_CALLERS;
    bool queue = graph_is_queue(node->node);

    if (node->node->hidden || (!queue && steps >= g->depth))
        return true;
    for (uint32_t e = callers ? node->first_in : node->first_out;
         e != GRAPH_NONE;) {
        const struct graph_edge *edge = &g->edges[e];

        if (follows(w, edge) && !reach(w, callers ? edge->source : edge->target,
                                       steps + (queue ? 0 : 1), queue))
            return false;
        e = callers ? edge->next_in : edge->next_out;
    }
    return true;
}

static bool start(struct graph_steps *w)
{
    const struct dependency_graph *g = w->graph;
    uint32_t *steps =
        arena_alloc(g->request->arena, (g->node_count + 1) * sizeof(*steps));

    if (!steps)
        return false;
    memset(steps, 0xff, (g->node_count + 1) * sizeof(*steps));
    w->steps = steps;
    for (uint32_t i = 0; i < g->node_count; i++)
        if (graph_is_root(g, &g->nodes[i]) && !reach(w, i, 0, true))
            return false;
    return true;
}

uint32_t *graph_walk(const struct dependency_graph *g, int direction, int which)
{
    struct graph_steps w = {.graph = g, .direction = direction, .which = which};

    if (!start(&w))
        return NULL;
    for (uint32_t steps = 0; w.now_count > 0; steps++) {
        struct graph_steps done = w;

        for (uint32_t i = 0; i < w.now_count; i++)
            if (w.steps[w.now[i]] == steps && !expand(&w, w.now[i], steps))
                return NULL;
        done = w;
        w.now = done.then;
        w.now_count = done.then_count;
        w.now_room = done.then_room;
        w.then = done.now;
        w.then_count = 0;
        w.then_room = done.now_room;
    }
    return w.steps;
}
