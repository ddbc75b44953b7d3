/*
 * What stands out in a trace. Groups are made by sorting: a sender decides how
 * many different names there are.
 */
#include <stdlib.h>

#include "array.h"
#include "component.h"
#include "trace_tree.h"

/* So many equal calls of one span are told as one line. */
enum { REPEATED = 5, REPEATS_MAX = 20, STEPS_MAX = 20, ORIGINS_MAX = 10 };

/* ---- components ---- */

/* Entries of both maps are components; the first is by resource. */
struct owners {
    struct trace_tree *tree;
    struct map resources, names;
    struct known_resource {
        uint32_t resource, component;
    } * known;
    uint32_t known_count, known_room;
};

static uint32_t component_of(struct owners *o, const struct identity *identity)
{
    struct trace_tree *tree = o->tree;
    struct arena *arena = tree->request->arena;
    uint32_t hash = map_hash(key_identity(0, identity));
    struct trace_component *component;

    map_each(&o->names, hash, at)
        if (identity_compare(tree->components[at].identity, identity) == 0)
            return at;
    component = arena_append(arena, &tree->components, tree->component_count,
                             &tree->component_room);
    if (!component || !map_add(&o->names, hash, tree->component_count))
        return TRACE_NONE;
    *component = (struct trace_component){.identity = identity};
    return tree->component_count++;
}

static uint32_t component_of_resource(struct owners *o, uint32_t resource)
{
    struct arena *arena = o->tree->request->arena;
    uint32_t hash = map_hash_number(resource);
    const struct resource_info *info;
    struct known_resource *known;

    map_each(&o->resources, hash, at)
        if (o->known[at].resource == resource)
            return o->known[at].component;
    info = reply_resource(o->tree->request, resource);
    known = arena_append(arena, &o->known, o->known_count, &o->known_room);
    if (!info || !known || !map_add(&o->resources, hash, o->known_count))
        return TRACE_NONE;
    *known =
        (struct known_resource){resource, component_of(o, &info->identity)};
    o->known_count++;
    return known->component;
}

static enum status find_components(struct trace_tree *tree)
{
    struct arena *arena = tree->request->arena;
    struct owners o = {
        .tree = tree, .resources.arena = arena, .names.arena = arena};

    for (uint32_t i = 0; i < tree->count; i++) {
        struct trace_node *node = &tree->nodes[i];
        struct trace_component *component;

        node->component = TRACE_NONE;
        if (node->flags & (NODE_MISSING | NODE_HIDDEN))
            continue;
        node->component = component_of_resource(&o, node->span->resource_id);
        if (node->component == TRACE_NONE)
            return arena_status(arena);
        component = &tree->components[node->component];
        component->spans++;
        component->failed += (node->flags & NODE_FAILED) != 0;
        component->self_ns += node->self_ns;
        component->critical_ns += node->critical_ns;
    }
    return OK;
}

/* ---- equal operations ---- */

/* By component, kind and name; then as they stand in the tree. */
static int compare_operations(const struct trace_node *a,
                              const struct trace_node *b)
{
    if (a->component != b->component)
        return a->component < b->component ? -1 : 1;
    if (a->span->kind != b->span->kind)
        return a->span->kind < b->span->kind ? -1 : 1;
    return slice_compare(a->span->name, b->span->name);
}

static int by_operation(const void *left, const void *right)
{
    const struct trace_node *a = *(struct trace_node *const *)left;
    const struct trace_node *b = *(struct trace_node *const *)right;
    int order = compare_operations(a, b);

    return order ? order : (a > b) - (a < b);
}

/* The end of a run of equal ones from `at` on. */
static uint32_t run_end(struct trace_node *const *nodes, uint32_t count,
                        uint32_t at)
{
    uint32_t end = at + 1;

    while (end < count && compare_operations(nodes[at], nodes[end]) == 0)
        end++;
    return end;
}

/* ---- the critical path ---- */

static int most_critical(const void *left, const void *right)
{
    const struct trace_step *a = left, *b = right;

    if (a->critical_ns != b->critical_ns)
        return a->critical_ns > b->critical_ns ? -1 : 1;
    return (a->span > b->span) - (a->span < b->span);
}

static enum status find_steps(struct trace_tree *tree, struct arena *work,
                              struct trace_findings *f)
{
    struct trace_node **nodes =
        arena_alloc(work, tree->count * sizeof(struct trace_node *));
    struct trace_step *steps = arena_alloc(work, tree->count * sizeof(*steps));
    uint32_t count = 0, steps_found = 0;

    if (!nodes || !steps)
        return arena_status(work);
    for (uint32_t i = 0; i < tree->count; i++)
        if (tree->nodes[i].critical_ns > 0)
            nodes[count++] = &tree->nodes[i];
    qsort(nodes, count, sizeof(struct trace_node *), by_operation);
    for (uint32_t at = 0, end; at < count; at = end) {
        struct trace_step *step = &steps[steps_found++];
        uint32_t component = nodes[at]->component;

        end = run_end(nodes, count, at);
        step->identity = component == TRACE_NONE
                             ? NULL
                             : tree->components[component].identity;
        step->span = nodes[at]->span;
        step->spans = end - at;
        step->critical_ns = 0;
        for (uint32_t i = at; i < end; i++)
            step->critical_ns += nodes[i]->critical_ns;
    }
    qsort(steps, steps_found, sizeof(*steps), most_critical);
    f->step_count = steps_found < STEPS_MAX ? steps_found : STEPS_MAX;
    f->steps = arena_zero(tree->request->arena, STEPS_MAX, sizeof(*f->steps));
    if (!f->steps)
        return arena_status(tree->request->arena);
    if (f->step_count > 0)
        memcpy(f->steps, steps, f->step_count * sizeof(*steps));
    return OK;
}

/* ---- repeated calls ---- */

static bool keep_repeat(struct trace_findings *f,
                        const struct trace_repeat *repeat)
{
    uint32_t at = f->repeat_count;

    if (at == REPEATS_MAX) {
        if (f->repeats[at - 1].wall_ns >= repeat->wall_ns)
            return false;
        at--;
    } else {
        f->repeat_count++;
    }
    for (; at > 0 && f->repeats[at - 1].wall_ns < repeat->wall_ns; at--)
        f->repeats[at] = f->repeats[at - 1];
    f->repeats[at] = *repeat;
    return true;
}

/* Nodes of a run, by start. */
static void add_repeat(const struct trace_tree *tree, struct trace_findings *f,
                       struct trace_node *const *nodes, uint32_t count)
{
    struct trace_repeat repeat = {.parent = nodes[0]->parent,
                                  .first = (uint32_t)(nodes[0] - tree->nodes),
                                  .count = count};
    uint64_t end = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t from = nodes[i]->start_ns > end ? nodes[i]->start_ns : end;

        repeat.failed += (nodes[i]->flags & NODE_FAILED) != 0;
        repeat.total_ns += nodes[i]->end_ns - nodes[i]->start_ns;
        if (nodes[i]->end_ns > from) {
            repeat.wall_ns += nodes[i]->end_ns - from;
            end = nodes[i]->end_ns;
        }
        if (i > 0)
            nodes[i]->flags |= NODE_REPEATED;
    }
    keep_repeat(f, &repeat);
}

static enum status find_repeats(struct trace_tree *tree, struct arena *work,
                                struct trace_findings *f)
{
    struct trace_node **nodes =
        arena_alloc(work, tree->count * sizeof(struct trace_node *));

    f->repeats =
        arena_zero(tree->request->arena, REPEATS_MAX, sizeof(*f->repeats));
    if (!nodes || !f->repeats)
        return nodes ? arena_status(tree->request->arena) : arena_status(work);
    for (uint32_t i = 0; i < tree->count; i++) {
        uint32_t count = 0;

        if (tree->nodes[i].children < REPEATED)
            continue;
        trace_children(tree, i,
                       child) if (!(tree->nodes[child].flags & NODE_HIDDEN))
            nodes[count++] = &tree->nodes[child];
        qsort(nodes, count, sizeof(struct trace_node *), by_operation);
        for (uint32_t at = 0, end; at < count; at = end) {
            end = run_end(nodes, count, at);
            if (end - at >= REPEATED)
                add_repeat(tree, f, nodes + at, end - at);
        }
    }
    return OK;
}

/* ---- errors ---- */

/* Failed nodes below which none failed; `failed` is all false. */
static void mark_origins(struct trace_tree *tree, bool *failed)
{
    for (uint32_t i = tree->count; i-- > 0;) {
        struct trace_node *node = &tree->nodes[i];
        bool fails = node->flags & NODE_FAILED;

        if (fails && !failed[i])
            node->flags |= NODE_ORIGIN;
        if ((fails || failed[i]) && node->parent != TRACE_NONE)
            failed[node->parent] = true;
    }
}

/* The first to fail first. */
static void keep_origin(const struct trace_tree *tree, struct trace_findings *f,
                        uint32_t node)
{
    uint32_t at = f->origin_count;

    while (at > 0 &&
           tree->nodes[f->origins[at - 1]].end_ns > tree->nodes[node].end_ns)
        at--;
    if (at == ORIGINS_MAX)
        return;
    if (f->origin_count < ORIGINS_MAX)
        f->origin_count++;
    for (uint32_t k = f->origin_count - 1; k > at; k--)
        f->origins[k] = f->origins[k - 1];
    f->origins[at] = node;
}

static enum status find_origins(struct trace_tree *tree, struct arena *work,
                                struct trace_findings *f)
{
    bool *failed = arena_zero(work, tree->count, sizeof(*failed));

    f->origins =
        arena_zero(tree->request->arena, ORIGINS_MAX, sizeof(*f->origins));
    if (!failed || !f->origins)
        return failed ? arena_status(tree->request->arena) : arena_status(work);
    mark_origins(tree, failed);
    for (uint32_t i = 0; i < tree->count; i++)
        if (tree->nodes[i].flags & NODE_ORIGIN)
            keep_origin(tree, f, i);
    return OK;
}

enum status trace_findings(struct trace_tree *tree,
                           struct trace_findings *findings)
{
    struct arena work;
    enum status s = find_components(tree);

    *findings = (struct trace_findings){.step_count = 0};
    arena_begin(&work, tree->request->arena);
    if (s == OK)
        s = find_steps(tree, &work, findings);
    if (s == OK)
        s = find_repeats(tree, &work, findings);
    if (s == OK)
        s = find_origins(tree, &work, findings);
    arena_release(&work);
    return s;
}
