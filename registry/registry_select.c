/*
 * From a scope to resources and to components. A scope's texts become numbers
 * of names once; then each identity is compared by number, and each resource
 * looks its identity up in a bitmap: 64 thousand resources take well under a
 * millisecond.
 */
#include <stdlib.h>

#include "registry_int.h"

static const struct slice workflow_prefix = {WORKFLOW_PREFIX,
                                             sizeof(WORKFLOW_PREFIX) - 1};

/* One member of a scope: any, or the number of a name or uid. */
struct scope_term {
    bool any;
    uint32_t name; /* 0: nothing has this name */
};

static struct scope_term want_of(const struct registry *registry,
                                 struct slice text)
{
    return (struct scope_term){text.len == 0,
                               intern_find(&registry->names, text)};
}

static bool fits(struct scope_term want, uint32_t name, uint32_t uid)
{
    return want.any || (want.name && (want.name == name || want.name == uid));
}

int identity_compare(const struct identity *a, const struct identity *b)
{
    int order = slice_compare(a->namespace, b->namespace);

    if (order == 0)
        order = slice_compare(a->project, b->project);
    if (order == 0)
        order = slice_compare(a->component, b->component);
    if (order == 0)
        order = slice_compare(a->environment, b->environment);
    return order;
}

static bool in_bounds(const struct registry *registry,
                      const struct scope_filter *filter, uint32_t number)
{
    struct identity identity;

    if (!filter->after && !filter->until)
        return true;
    ident_view(registry, number, &identity);
    return (!filter->after || identity_compare(&identity, filter->after) > 0) &&
           (!filter->until || identity_compare(&identity, filter->until) <= 0);
}

/* Bitmap of the identities in the scope, by names. NULL: no memory. */
static uint64_t *mark_by_name(const struct registry *registry,
                              const struct scope_filter *filter,
                              struct arena *arena)
{
    struct scope_term namespace = want_of(registry, filter->namespace);
    struct scope_term project = want_of(registry, filter->project);
    struct scope_term component = want_of(registry, filter->component);
    struct scope_term environment = want_of(registry, filter->environment);
    uint64_t *marks =
        arena_zero(arena, registry->ident_count / 64 + 1, sizeof(*marks));

    for (uint32_t i = 0; marks && i < registry->ident_count; i++) {
        const struct identity_entry *ident = &registry->ident[i];

        if (ident->rule == RULE_NONE || ident->moved_to != NONE)
            continue;
        if (filter->unassigned && ident->name[IDENT_COMPONENT] != 0)
            continue;
        if (fits(namespace, ident->name[IDENT_NAMESPACE], 0) &&
            fits(project, ident->name[IDENT_PROJECT],
                 ident->uid[IDENT_PROJECT_UID]) &&
            fits(component, ident->name[IDENT_COMPONENT],
                 ident->uid[IDENT_COMPONENT_UID]) &&
            fits(environment, ident->name[IDENT_ENVIRONMENT],
                 ident->uid[IDENT_ENVIRONMENT_UID]) &&
            in_bounds(registry, filter, i))
            marks[i / 64] |= UINT64_C(1) << i % 64;
    }
    return marks;
}

/* ---- workflow runs: Kubernetes coordinates only ---- */

static bool contains(struct slice text, struct slice part)
{
    for (; text.len >= part.len; text = slice_from(text, 1)) {
        if (slice_starts(text, part))
            return true;
        if (text.len == 0)
            break;
    }
    return false;
}

/* The annotation is "run[2].build" or "run.build", with templates inside
 * templates "run[2].build[0].push", of loops and retries "run[2].build(0:x)".
 */
static bool has_step(struct slice node, struct slice step)
{
    while (node.len > 0) {
        size_t end = 0, name = 0;

        while (end < node.len && node.ptr[end] != '.')
            end++;
        while (name < end && node.ptr[name] != '[' && node.ptr[name] != '(')
            name++;
        if (slice_equal((struct slice){node.ptr, name}, step))
            return true;
        node = slice_from(node, end + (end < node.len));
    }
    return false;
}

/* By the annotation; without it by the name of the pod. */
static bool in_task(struct slice node, struct slice pod, struct slice run,
                    struct slice task)
{
    if (node.len == 0)
        return contains(slice_from(pod, run.len), task);
    if (slice_starts(node, run) && node.len > run.len &&
        (node.ptr[run.len] == '[' || node.ptr[run.len] == '.'))
        node = slice_from(node, run.len + 1);
    return slice_equal(node, task) || has_step(node, task);
}

static bool in_workflow(const struct registry *registry,
                        const struct workflow_pod *at,
                        const struct scope_filter *filter)
{
    const struct intern *names = &registry->names;
    struct slice space = intern_text(names, at->k8s_namespace);
    struct slice pod = intern_text(names, at->pod_name);
    struct slice run = filter->workflow_run;

    if (!slice_starts(space, workflow_prefix))
        return false;
    if (filter->namespace.len > 0 &&
        !slice_equal(slice_from(space, workflow_prefix.len), filter->namespace))
        return false;
    if (!slice_starts(pod, run) ||
        (pod.len > run.len && pod.ptr[run.len] != '-'))
        return false;
    return filter->task.len == 0 ||
           in_task(intern_text(names, at->task), pod, run, filter->task);
}

static void select_workflow(const struct registry *registry,
                            const struct scope_filter *filter,
                            struct bitmap *set)
{
    for (uint32_t place = 0; place < registry->live_end; place++) {
        const struct live_resource *live = &registry->live[place];
        struct workflow_pod at = {live->id, live->k8s_namespace, live->pod_name,
                                  live->task};

        if (live->id != NONE && !registry->res[live->id].helper &&
            in_workflow(registry, &at, filter))
            bitmap_add(set, at.id);
    }
    for (uint32_t i = 0; i < registry->workflow_count; i++)
        if (in_workflow(registry, &registry->workflow_pods[i], filter))
            bitmap_add(set, registry->workflow_pods[i].id);
}

/* ---- resources ---- */

/* Those that were moved are what they became. */
static void mark_moved(const struct registry *registry, uint64_t *marks)
{
    for (uint32_t i = 0; i < registry->ident_count; i++) {
        uint32_t to = registry->ident[i].moved_to;

        if (to != NONE && marks[to / 64] >> (to % 64) & 1)
            marks[i / 64] |= UINT64_C(1) << i % 64;
    }
}

static void select_marked(const struct registry *registry,
                          const uint64_t *marks, struct bitmap *set)
{
    for (uint32_t id = 0; id < registry->res_count; id++) {
        uint32_t identity = registry->identity_of[id];

        if (identity != NONE && marks[identity / 64] >> (identity % 64) & 1)
            bitmap_add(set, id);
    }
}

static struct bitmap *select_locked(const struct registry *registry,
                                    const struct scope_filter *filter,
                                    struct arena *arena)
{
    struct bitmap *set = bitmap_new(arena, registry->res_count);
    uint64_t *marks;

    if (set && filter->workflow_run.len > 0) {
        select_workflow(registry, filter, set);
        return set;
    }
    marks = mark_by_name(registry, filter, arena);
    if (!set || !marks)
        return NULL;
    mark_moved(registry, marks);
    select_marked(registry, marks, set);
    return set;
}

struct bitmap *registry_select(struct registry *registry,
                               const struct scope_filter *filter,
                               struct arena *arena)
{
    pthread_rwlock_rdlock(&registry->lock);

    struct bitmap *set = select_locked(registry, filter, arena);

    pthread_rwlock_unlock(&registry->lock);
    return set;
}

/* ---- components ---- */

/* Of a workflow scope, the identities that its resources resolve to. False:
 * no memory. */
static bool mark_by_resource(const struct registry *registry,
                             const struct scope_filter *filter, uint64_t *marks,
                             struct arena *arena)
{
    struct bitmap *set = select_locked(registry, filter, arena);

    if (!set)
        return false;
    memset(marks, 0, (registry->ident_count / 64 + 1) * sizeof(*marks));
    for (uint32_t id = 0; id < registry->res_count; id++)
        if (bitmap_has(set, id)) {
            uint32_t identity =
                ident_resolve(registry, registry->identity_of[id]);

            marks[identity / 64] |= UINT64_C(1) << identity % 64;
        }
    return true;
}

/* In order of the names; the one that stands for equal ones comes first. */
static int compare(const void *left, const void *right)
{
    const struct component_info *a = left, *b = right;
    int order = identity_compare(&a->identity, &b->identity);

    if (order == 0)
        order = (a->identity.rule > b->identity.rule) -
                (a->identity.rule < b->identity.rule);
    if (order == 0)
        order = (a->identity.id < b->identity.id) -
                (a->identity.id > b->identity.id);
    return order;
}

static void fold_into(struct component_info *to,
                      const struct component_info *from)
{
    if (from->first_seen_ns < to->first_seen_ns)
        to->first_seen_ns = from->first_seen_ns;
    for (unsigned i = 0; i < SIGNAL_COUNT; i++)
        if (from->last_seen_ns[i] > to->last_seen_ns[i])
            to->last_seen_ns[i] = from->last_seen_ns[i];
    to->resources += from->resources;
    if (to->derived_resource == RESOURCE_NONE)
        to->derived_resource = from->derived_resource;
}

static void fill(const struct registry *registry, uint32_t identity,
                 struct component_info *info)
{
    const struct identity_entry *ident = &registry->ident[identity];

    ident_view(registry, identity, &info->identity);
    info->first_seen_ns = ident->first_seen_ns;
    for (unsigned i = 0; i < SIGNAL_COUNT; i++)
        info->last_seen_ns[i] =
            atomic_load_explicit(&ident->last_seen_ns[i], memory_order_relaxed);
    info->resources = ident->resources;
    info->derived_resource = ident->derived;
}

static uint32_t count_marks(const uint64_t *marks, uint32_t limit)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < limit; i++)
        count += (uint32_t)(marks[i / 64] >> i % 64 & 1);
    return count;
}

/* Sorted and with equal names made one; texts are still the registry's. */
static uint32_t gather(const struct registry *registry, const uint64_t *marks,
                       struct component_info *infos)
{
    uint32_t found = 0, count = 0;

    for (uint32_t i = 0; i < registry->ident_count; i++)
        if (marks[i / 64] >> i % 64 & 1)
            fill(registry, i, &infos[found++]);
    qsort(infos, found, sizeof(*infos), compare);
    for (uint32_t i = 0; i < found; i++)
        if (count > 0 && identity_compare(&infos[count - 1].identity,
                                          &infos[i].identity) == 0)
            fold_into(&infos[count - 1], &infos[i]);
        else
            infos[count++] = infos[i];
    return count;
}

struct component_info *registry_components(struct registry *registry,
                                           const struct scope_filter *filter,
                                           struct arena *arena, uint32_t *count)
{
    struct component_info *infos = NULL;

    *count = 0;
    pthread_rwlock_rdlock(&registry->lock);

    uint64_t *marks = mark_by_name(registry, filter, arena);
    uint32_t most = 0;

    if (marks && filter->workflow_run.len > 0 &&
        !mark_by_resource(registry, filter, marks, arena))
        marks = NULL;
    if (marks)
        most = count_marks(marks, registry->ident_count);
    if (most > 0)
        infos = arena_zero(arena, most, sizeof(*infos));
    if (infos)
        *count = gather(registry, marks, infos);
    for (uint32_t i = 0; i < *count; i++)
        ident_copy(&infos[i].identity, arena);
    pthread_rwlock_unlock(&registry->lock);
    return infos;
}
