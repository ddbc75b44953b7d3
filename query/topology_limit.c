/* A part of the graph: the edges with most requests, and their nodes. */
#include "topology_int.h"

/* Of both ends. */
static void show_ends(struct topology *t, const struct edge *edge, bool shown)
{
    const uint64_t keys[] = {edge->from, edge->to};

    for (int i = 0; i < 2; i++) {
        struct metric_group *group = metric_group_at(&t->nodes, keys[i]);

        if (group)
            ((struct node *)group->item)->shown = shown;
    }
}

static uint32_t count_shown(const struct topology *t)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->nodes.count; i++)
        n += ((const struct node *)t->nodes.groups[i]->item)->shown;
    return n;
}

enum status topology_limit(struct topology *t)
{
    struct metric_group **groups = metric_sorted(&t->edges, t->out.requests);
    uint32_t nodes = count_shown(t), kept = 0, end = 0;

    if (!groups)
        return arena_status(t->request->arena);
    while (groups[end] && kept < t->limit)
        kept += ((const struct edge *)groups[end++]->item)->source.shown;
    for (uint32_t i = end; groups[i]; i++) {
        struct edge *edge = groups[i]->item;

        if (!edge->source.shown)
            continue;
        edge->source.shown = false;
        show_ends(t, edge, false);
        t->edges_left_out++;
    }
    for (uint32_t i = 0; i < end && t->edges_left_out > 0; i++) {
        const struct edge *edge = groups[i]->item;

        if (edge->source.shown)
            show_ends(t, edge, true);
    }
    t->nodes_left_out = nodes - count_shown(t);
    return OK;
}
