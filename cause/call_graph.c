#include "call_graph.h"

bool call_graph_init(struct call_graph *g, const struct candidates *candidates,
                     struct arena *arena)
{
    g->rows = candidates->component_count + MAX_PEERS;
    g->words = (g->rows + 63) / 64;
    g->calls = arena_zero(arena, (size_t)g->rows * g->words, 8);
    g->reach = arena_zero(arena, (size_t)g->rows * g->words, 8);
    return g->calls && g->reach;
}

void call_graph_add(struct call_graph *g, uint32_t from, uint32_t to)
{
    if (from != to)
        g->calls[(size_t)from * g->words + to / 64] |= UINT64_C(1) << (to & 63);
}

void call_graph_add_declared(struct call_graph *g,
                             const struct candidates *candidates,
                             struct catalog *catalog)
{
    struct catalog_snapshot *snapshot = catalog ? catalog_get(catalog) : NULL;

    for (uint32_t i = 0; snapshot && i < candidates->component_count; i++) {
        const struct identity *id = &candidates->identities[i];
        const struct catalog_component *c = catalog_component(
            snapshot, id->namespace, id->project, id->component);

        for (uint32_t k = 0; c && k < c->dependency_count; k++) {
            uint32_t to =
                candidate_of_dependency(candidates, i, &c->dependencies[k]);

            if (to != NO_INDEX)
                call_graph_add(g, i, to);
        }
    }
    if (snapshot)
        catalog_release(snapshot);
}

/* Adds what b reaches to what a reaches; false: a reached all that before. */
static bool merge_reach(struct call_graph *g, uint32_t a, uint32_t b)
{
    uint64_t *to = &g->reach[(size_t)a * g->words];
    const uint64_t *from = &g->reach[(size_t)b * g->words];
    bool more = false;

    for (uint32_t w = 0; w < g->words; w++) {
        more = more || (from[w] & ~to[w]);
        to[w] |= from[w];
    }
    return more;
}

void call_graph_close(struct call_graph *g, uint32_t candidates)
{
    bool more = true;

    g->rows = candidates;
    memcpy(g->reach, g->calls, (size_t)g->rows * g->words * 8);
    while (more) { /* as often as the graph is deep */
        more = false;
        for (uint32_t a = 0; a < g->rows; a++)
            for (uint32_t b = 0; b < g->rows; b++)
                if (call_graph_calls(g, a, b))
                    more = merge_reach(g, a, b) || more;
    }
}

bool call_graph_is_entry(const struct call_graph *g,
                         const struct candidates *candidates, uint32_t to)
{
    if (to >= candidates->component_count)
        return false;
    for (uint32_t from = 0; from < candidates->component_count; from++)
        if (from != to && call_graph_calls(g, from, to))
            return false;
    return true;
}
