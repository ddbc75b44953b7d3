/*
 * From a scope to resources and to components. The texts of a scope become
 * numbers of names once; then each identity is compared by number, and each
 * resource is looked up in a bitmap of identities: 64 thousand resources take
 * well under a millisecond.
 */
#include <stdlib.h>

#include "registry_int.h"

static const struct slice workflow_prefix = SLICE_INIT(WORKFLOW_PREFIX);

int identity_compare(const struct identity *a, const struct identity *b)
{
    int order = 0;

    for (unsigned i = 0; i < IDENTITY_NAMES && order == 0; i++)
        order = slice_compare(a->text[i], b->text[i]);
    return order;
}

/* ---- scopes of names ---- */

/* One text of a scope: any, or the number of a name or uid. */
struct scope_term {
    bool any;
    uint32_t name; /* 0: nothing has this name */
};

static bool term_fits(struct scope_term term, uint32_t name, uint32_t uid)
{
    return term.any || (term.name && (term.name == name || term.name == uid));
}

static bool in_bounds(const struct registry *reg,
                      const struct scope_filter *filter, uint32_t number)
{
    struct identity identity;

    if (!filter->after && !filter->until)
        return true;
    ident_view(reg, number, &identity);
    return (!filter->after || identity_compare(&identity, filter->after) > 0) &&
           (!filter->until || identity_compare(&identity, filter->until) <= 0);
}

static void read_terms(const struct registry *reg,
                       const struct scope_filter *filter,
                       struct scope_term terms[IDENTITY_NAMES])
{
    const struct slice text[IDENTITY_NAMES] = {
        filter->namespace, filter->project, filter->component,
        filter->environment};

    for (unsigned i = 0; i < IDENTITY_NAMES; i++)
        terms[i] = (struct scope_term){text[i].len == 0,
                                       intern_find(&reg->names, text[i])};
}

static bool entry_fits(const struct identity_entry *entry,
                       const struct scope_term terms[IDENTITY_NAMES])
{
    static const unsigned uid[IDENTITY_NAMES] = {
        IDENTITY_NAMESPACE, IDENTITY_PROJECT_UID, IDENTITY_COMPONENT_UID,
        IDENTITY_ENVIRONMENT_UID};
    bool in =
        entry->rule != RULE_NONE && entry->moved_to == NONE && !entry->deleted;

    for (unsigned k = 0; k < IDENTITY_NAMES && in; k++)
        in = term_fits(terms[k], entry->text[k], entry->text[uid[k]]);
    return in;
}

/* ---- scopes of grants, compared as viewer_sees() does ---- */

struct seen_scopes {
    uint32_t count;
    struct scope_term (*at)[IDENTITY_NAMES];
};

/* A name in full: intern_find() takes a longer one for its beginning. */
static struct scope_term granted_term(const struct registry *reg,
                                      struct slice text)
{
    uint32_t name = intern_find(&reg->names, text);

    if (!slice_equal(intern_text(&reg->names, name), text))
        name = 0;
    return (struct scope_term){slice_equal(text, SLICE("*")), name};
}

/* False: the arena is full. */
static bool read_grants(const struct registry *reg, const struct viewer *viewer,
                        struct seen_scopes *scopes, struct arena *arena)
{
    struct grants grants = viewer ? viewer->grants : (struct grants){NULL, 0};

    scopes->count = 0;
    scopes->at = arena_alloc(arena, (grants.count + 1) * sizeof(*scopes->at));
    for (uint32_t i = 0; scopes->at && i < grants.count; i++) {
        struct grants one = {&grants.at[i], 1};

        if (!grants_have(one, viewer->action))
            continue;
        for (unsigned k = 0; k < IDENTITY_NAMES; k++)
            scopes->at[scopes->count][k] =
                granted_term(reg, grants.at[i].scope.name[k]);
        scopes->count++;
    }
    return scopes->at != NULL;
}

static bool is_seen(const struct seen_scopes *scopes,
                    const struct identity_entry *entry)
{
    bool seen = false;

    for (uint32_t i = 0; i < scopes->count && !seen; i++) {
        seen = true;
        for (unsigned k = 0; k < IDENTITY_NAMES && seen; k++)
            seen = term_fits(scopes->at[i][k], entry->text[k], 0);
    }
    return seen;
}

/* The identities in the scope, by names. NULL: the arena is full. */
static struct bitmap *find_identities(const struct registry *reg,
                                      const struct scope_filter *filter,
                                      const struct viewer *viewer,
                                      struct arena *arena)
{
    struct scope_term terms[IDENTITY_NAMES];
    struct bitmap *found = bitmap_new(arena, reg->identities.count);
    struct seen_scopes scopes;

    if (!read_grants(reg, viewer, &scopes, arena))
        return NULL;
    read_terms(reg, filter, terms);
    for (uint32_t i = 0; found && i < reg->identities.count; i++) {
        const struct identity_entry *entry = &reg->identities.at[i];

        if (entry_fits(entry, terms) &&
            !(filter->unassigned && entry->text[IDENTITY_COMPONENT] != 0) &&
            is_seen(&scopes, entry) && in_bounds(reg, filter, i))
            bitmap_add(found, i);
    }
    return found;
}

/* ---- what may be asked for ---- */

static bool may_ask(const struct viewer *viewer, const union scope_names *names,
                    bool narrowed)
{
    return narrowed ? grants_overlap(viewer->grants, viewer->action, names)
                    : grants_cover(viewer->grants, viewer->action, names);
}

/* The scope selects something, and by the names of all of it, it may be asked
 * for. */
static bool may_ask_by_uid(const struct registry *reg,
                           const struct viewer *viewer,
                           const union scope_names *scope,
                           const struct scope_term terms[IDENTITY_NAMES],
                           bool narrowed)
{
    bool found = false, may = true;

    for (uint32_t i = 0; may && i < reg->identities.count; i++) {
        union scope_names names = *scope;
        struct identity identity;

        if (!entry_fits(&reg->identities.at[i], terms))
            continue;
        ident_view(reg, i, &identity);
        for (unsigned k = 0; k < IDENTITY_NAMES; k++)
            if (names.name[k].len > 0)
                names.name[k] = identity.text[k];
        found = true;
        may = may_ask(viewer, &names, narrowed);
    }
    return found && may;
}

bool registry_may_ask(struct registry *reg, const struct scope_filter *filter,
                      const struct viewer *viewer, bool narrowed)
{
    const union scope_names scope = {{filter->namespace, filter->project,
                                      filter->component, filter->environment}};
    struct scope_term terms[IDENTITY_NAMES];
    bool may;

    if (!viewer || may_ask(viewer, &scope, narrowed))
        return viewer;
    pthread_rwlock_rdlock(&reg->lock);
    read_terms(reg, filter, terms);
    may = may_ask_by_uid(reg, viewer, &scope, terms, narrowed);
    pthread_rwlock_unlock(&reg->lock);
    return may;
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

static bool in_workflow(const struct registry *reg,
                        const struct workflow_pod *at,
                        const struct scope_filter *filter)
{
    const struct intern *names = &reg->names;
    struct slice namespace = intern_text(names, at->k8s_namespace);
    struct slice pod = intern_text(names, at->pod_name);
    struct slice run = filter->workflow_run;

    if (!slice_starts(namespace, workflow_prefix))
        return false;
    if (filter->namespace.len > 0 &&
        !slice_equal(slice_from(namespace, workflow_prefix.len),
                     filter->namespace))
        return false;
    if (!slice_starts(pod, run) ||
        (pod.len > run.len && pod.ptr[run.len] != '-'))
        return false;
    return filter->task.len == 0 ||
           in_task(intern_text(names, at->task), pod, run, filter->task);
}

/* A workflow's pods have no labels of a component: in the default namespace,
 * where resources without labels are, they belong to the namespace whose
 * workflow they run. */
static bool sees_workflow(const struct registry *reg,
                          const struct viewer *viewer,
                          const struct workflow_pod *at)
{
    const union scope_names names = {
        .namespace = slice_from(intern_text(&reg->names, at->k8s_namespace),
                                workflow_prefix.len)};
    struct identity identity;

    ident_view(reg, ident_resolve(reg, reg->resources.identity[at->id]),
               &identity);
    return viewer_sees(viewer, &identity) ||
           (slice_equal(identity.namespace, SLICE("default")) &&
            viewer_covers(viewer, &names));
}

static void select_workflow(const struct registry *reg,
                            const struct scope_filter *filter,
                            const struct viewer *viewer, struct bitmap *set)
{
    for (uint32_t place = 0; place < reg->live.end; place++) {
        const struct workflow_pod *pod = &reg->live.at[place].names;

        if (pod->id != NONE && !reg->resources.at[pod->id].helper &&
            in_workflow(reg, pod, filter) && sees_workflow(reg, viewer, pod))
            bitmap_add(set, pod->id);
    }
    for (uint32_t i = 0; i < reg->workflows.count; i++)
        if (in_workflow(reg, &reg->workflows.at[i], filter) &&
            sees_workflow(reg, viewer, &reg->workflows.at[i]))
            bitmap_add(set, reg->workflows.at[i].id);
}

/* ---- resources ---- */

static struct bitmap *select_locked(const struct registry *reg,
                                    const struct scope_filter *filter,
                                    const struct viewer *viewer,
                                    struct arena *arena)
{
    struct bitmap *set = bitmap_new(arena, reg->resources.count), *identities;

    if (!set)
        return NULL;
    if (filter->workflow_run.len > 0) {
        select_workflow(reg, filter, viewer, set);
        return set;
    }
    identities = find_identities(reg, filter, viewer, arena);
    if (!identities)
        return NULL;
    for (uint32_t i = 0; i < reg->identities.count; i++)
        if (reg->identities.at[i].moved_to != NONE &&
            bitmap_has(identities, reg->identities.at[i].moved_to))
            bitmap_add(identities, i);
    for (uint32_t id = 0; id < reg->resources.count; id++)
        if (bitmap_has(identities, reg->resources.identity[id]))
            bitmap_add(set, id);
    return set;
}

struct bitmap *registry_select(struct registry *reg,
                               const struct scope_filter *filter,
                               const struct viewer *viewer, struct arena *arena)
{
    pthread_rwlock_rdlock(&reg->lock);

    struct bitmap *set = select_locked(reg, filter, viewer, arena);

    pthread_rwlock_unlock(&reg->lock);
    return set;
}

/* ---- components ---- */

/* The identities that the resources of a workflow scope resolve to. */
static struct bitmap *find_identities_of_workflow(
    const struct registry *reg, const struct scope_filter *filter,
    const struct viewer *viewer, struct arena *arena)
{
    struct bitmap *set = select_locked(reg, filter, viewer, arena);
    struct bitmap *found = bitmap_new(arena, reg->identities.count);

    for (uint32_t id = 0; set && found && id < reg->resources.count; id++)
        if (bitmap_has(set, id))
            bitmap_add(found, ident_resolve(reg, reg->resources.identity[id]));
    return set ? found : NULL;
}

/* In order of the names; of equal ones the strongest rule comes first, then the
 * youngest. */
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

static void fill(const struct registry *reg, uint32_t identity,
                 struct component_info *info)
{
    const struct identity_entry *entry = &reg->identities.at[identity];

    ident_view(reg, identity, &info->identity);
    info->first_seen_ns = entry->first_seen_ns;
    for (unsigned i = 0; i < SIGNAL_COUNT; i++)
        info->last_seen_ns[i] =
            atomic_load_explicit(&entry->last_seen_ns[i], memory_order_relaxed);
    info->resources = entry->resources;
    info->derived_resource = entry->derived;
}

/* Sorted, with equal names folded; the texts are still the table of names's. */
static uint32_t gather(const struct registry *reg, const struct bitmap *set,
                       struct component_info *infos)
{
    uint32_t found = 0, count = 0;

    for (uint32_t i = 0; i < reg->identities.count; i++)
        if (bitmap_has(set, i))
            fill(reg, i, &infos[found++]);
    qsort(infos, found, sizeof(*infos), compare);
    for (uint32_t i = 0; i < found; i++)
        if (count > 0 && identity_compare(&infos[count - 1].identity,
                                          &infos[i].identity) == 0)
            fold_into(&infos[count - 1], &infos[i]);
        else
            infos[count++] = infos[i];
    return count;
}

struct component_info *registry_components(struct registry *reg,
                                           const struct scope_filter *filter,
                                           const struct viewer *viewer,
                                           struct arena *arena, uint32_t *count)
{
    struct component_info *infos = NULL;
    struct bitmap *set;

    *count = 0;
    pthread_rwlock_rdlock(&reg->lock);
    set = filter->workflow_run.len > 0
              ? find_identities_of_workflow(reg, filter, viewer, arena)
              : find_identities(reg, filter, viewer, arena);
    if (set && set->count > 0)
        infos = arena_zero(arena, set->count, sizeof(*infos));
    if (infos)
        *count = gather(reg, set, infos);
    for (uint32_t i = 0; i < *count; i++)
        ident_copy(&infos[i].identity, arena);
    pthread_rwlock_unlock(&reg->lock);
    return infos;
}
