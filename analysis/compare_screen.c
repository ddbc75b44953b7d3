/*
 * Of many components those are compared in detail that differ most as a whole:
 * by their requests, and by how many log records of each level there are. So
 * memory goes by the answer, not by the scope.
 */
#include <stdlib.h>

#include "compare.h"

struct chosen {
    const struct identity *at[COMPARE_MAX_COMPONENTS];
    uint32_t count;
};

static void choose(struct chosen *chosen, const struct identity *identity)
{
    for (uint32_t i = 0; i < chosen->count; i++)
        if (identity_compare(chosen->at[i], identity) == 0)
            return;
    if (chosen->count < COMPARE_MAX_COMPONENTS)
        chosen->at[chosen->count++] = identity;
}

static int busiest_first(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;

    if (a->figures[NOW].count != b->figures[NOW].count)
        return a->figures[NOW].count > b->figures[NOW].count ? -1 : 1;
    return identity_compare(a->identity, b->identity);
}

/* Those that differ, then those with most requests. */
static void choose_all(struct comparison *c, struct chosen *chosen)
{
    if (c->count > 0)
        qsort(c->at, c->count, sizeof(*c->at), difference_order);
    for (uint32_t i = 0; i < c->count; i++)
        choose(chosen, c->at[i].identity);
    if (c->totals.count > 0)
        qsort(c->totals.at, c->totals.count, sizeof(*c->totals.at),
              busiest_first);
    for (uint32_t i = 0; i < c->totals.count; i++)
        choose(chosen, c->totals.at[i].identity);
}

static bool select_chosen(struct comparison *c, const struct chosen *chosen)
{
    struct bitmap *all = bitmap_new(c->request->arena, c->resources->limit);

    for (uint32_t i = 0; all && i < chosen->count; i++) {
        const struct identity *id = chosen->at[i];
        const struct scope_filter scope = {.namespace = id->namespace,
                                           .project = id->project,
                                           .component = id->component,
                                           .environment = id->environment};
        const struct bitmap *one =
            registry_select(c->request->services->registry, &scope,
                            &c->request->viewer, c->request->arena);

        if (!one)
            return false;
        for (uint32_t k = 0; k < one->limit && one->count > 0; k++)
            if (bitmap_has(one, k) && bitmap_has(c->resources, k))
                bitmap_add(all, k);
    }
    c->resources = all;
    return all;
}

static void forget(struct comparison *c)
{
    static const struct pair_list none = {.count = 0};

    c->totals = c->operations = c->callees = c->callers = c->counts = none;
    c->at = NULL;
    c->count = c->room = c->few = 0;
    c->screening = false;
}

static enum status screen(struct comparison *c)
{
    enum status s;

    c->screening = c->narrowed = true;
    s = compare_read(c);
    if (s == OK)
        s = compare_requests(c);
    return s == OK ? compare_logs(c) : s;
}

enum status compare_screen(struct comparison *c)
{
    struct chosen *chosen = arena_zero(c->request->arena, 1, sizeof(*chosen));
    uint32_t count = 0;
    enum status s;

    if (!chosen)
        return arena_status(c->request->arena);
    (void)registry_components(c->request->services->registry, &c->scope,
                              &c->request->viewer, c->request->arena, &count);
    if (count <= COMPARE_MAX_COMPONENTS)
        return OK;
    s = screen(c);
    if (s != OK)
        return s;
    choose_all(c, chosen);
    c->components = c->totals.count;
    forget(c);
    return select_chosen(c, chosen) ? OK : arena_status(c->request->arena);
}
