/*
 * Making room in the table of resources.
 *
 *   forget   A resource that was not seen for forget_ns, or not since the
 *            oldest of all that is stored came: its records are gone, and its
 *            id is given to another. So are numbers of identities that nothing
 *            refers to any more.
 *   evict    Of the others the longest unseen give up their place: first those
 *            that were silent for DEAD_S, whosever; those of the namespace that
 *            wants room, if silent for IDLE_S; then those of the namespace that
 *            holds most. The id and its identity stay, so what is stored is
 *            found as before; when it is seen again, it is a new resource.
 *
 * Maps and names are made anew from what stays (registry_rebuild.c). So this
 * runs only when the table is full, takes many at a time, and rests for SWEEP_S
 * when there was nothing to take.
 */
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "mem.h"
#include "registry_int.h"
#include "stats.h"

enum {
    FORGET_MIN = 1000,
    SWEEP_S = 30,
    IDLE_S = 600,
    DEAD_S = 3600,
    BATCHES = 16,
    RICH_MAX = 4
};

/* ---- forget ---- */

/* What was seen before this time can go. */
static uint64_t forget_before(const struct registry *registry)
{
    uint64_t keep = registry->options.forget_ns, before = 0;
    uint64_t oldest = store_oldest_ns(registry->store);

    if (keep > 0 && keep < registry->now_ns)
        before = registry->now_ns - keep;
    /* A record may be from an hour ahead, and chunks are of whole hours. */
    if (oldest > NS_PER_DAY && oldest - NS_PER_DAY > before)
        before = oldest - NS_PER_DAY;
    return before;
}

static bool unseen(const struct resource_state *res, uint64_t before)
{
    return (res->seen_s + UINT64_C(1)) * NS_PER_S < before;
}

static void drop(struct registry *registry, uint32_t id)
{
    struct resource_state *res = &registry->res[id];

    if (res->kind == RESOURCE_DERIVED) {
        registry->ident[res->owner].derived = NONE;
    } else if (res->kind == RESOURCE_OVERFLOW) {
        if (res->owner != NONE)
            registry->ident[res->owner].overflow = NONE;
    } else {
        uint32_t identity = registry->identity_of[id];
        const struct identity_entry *ident =
            &registry->ident[ident_resolve(registry, identity)];

        quota_count_resource(registry, identity, res->live != NONE, -1);
        if (res->live != NONE)
            live_free(registry, id);
        /* Its series were written while it was seen. */
        if (ident->derived != NONE &&
            registry->res[ident->derived].seen_s < res->seen_s)
            registry->res[ident->derived].seen_s = res->seen_s;
        registry->unassigned -= res->rule == RULE_UNASSIGNED;
        registry->received--;
    }
    res->kind = RESOURCE_FREE;
    registry->identity_of[id] = NONE;
    registry_queue_write(registry, id, WRITE_RESOURCE_IDENTITY);
    registry_free_id(registry, id);
}

/* A derived resource goes with the last resource of its identity. */
static bool may_go(const struct registry *registry,
                   const struct resource_state *res)
{
    if (res->kind == RESOURCE_DERIVED && res->owner != NONE) {
        const struct identity_entry *ident = &registry->ident[res->owner];

        return ident->resources == 0 && ident->overflow == NONE;
    }
    return res->kind <= RESOURCE_RECORD || res->kind == RESOURCE_OVERFLOW;
}

static uint32_t drop_unseen(struct registry *registry, uint64_t before)
{
    uint32_t dropped = 0, most = FORGET_MIN + registry->options.max_resources;

    /* Derived ones in a second round: what they go with must be gone. Each one
     * is a row to write, so not too many at a time. */
    for (int derived = 0; derived < 2; derived++)
        for (uint32_t id = 0; id < registry->res_count && dropped < most;
             id++) {
            struct resource_state *res = &registry->res[id];

            if ((res->kind == RESOURCE_DERIVED) == derived &&
                may_go(registry, res) && unseen(res, before)) {
                drop(registry, id);
                dropped++;
            }
        }
    return dropped;
}

static void mark(uint64_t *marks, uint32_t i)
{
    marks[i / 64] |= UINT64_C(1) << i % 64;
}

/* Which identities any resource refers to, directly or because one was moved
 * to the other. */
static uint64_t *mark_used(const struct registry *registry, uint64_t before)
{
    uint64_t *marks = mem_zero(registry->ident_count / 64 + 1, sizeof(*marks));

    for (uint32_t id = 0; id < registry->res_count; id++) {
        if (registry->identity_of[id] != NONE)
            mark(marks, registry->identity_of[id]);
        if (registry->res[id].owner != NONE)
            mark(marks, registry->res[id].owner);
    }
    for (uint32_t i = 0; i < registry->ident_count; i++) {
        const struct identity_entry *ident = &registry->ident[i];

        if ((ident->used_s + UINT64_C(1)) * NS_PER_S >= before ||
            ident->used_s >= registry_now_s(registry))
            mark(marks, i);
        if (ident->moved_to != NONE && marks[i / 64] >> (i % 64) & 1)
            mark(marks, ident->moved_to);
    }
    return marks;
}

static uint32_t drop_identities(struct registry *registry, uint64_t before)
{
    uint64_t *marks = mark_used(registry, before);
    uint32_t dropped = 0;

    for (uint32_t i = 0; i < registry->ident_count; i++)
        if (registry->ident[i].rule != RULE_NONE &&
            !(marks[i / 64] >> (i % 64) & 1)) {
            ident_forget(registry, i);
            dropped++;
        }
    free(marks);
    return dropped;
}

static uint32_t forget(struct registry *registry)
{
    uint64_t before = forget_before(registry);

    if (before == 0)
        return 0;
    return drop_unseen(registry, before) + drop_identities(registry, before);
}

/* ---- evict ---- */

struct eviction {
    uint32_t seen_s, id;
};

static int by_time(const void *left, const void *right)
{
    const struct eviction *a = left, *b = right;

    if (a->seen_s != b->seen_s)
        return a->seen_s < b->seen_s ? -1 : 1;
    return a->id < b->id ? -1 : 1;
}

void registry_retain_workflow(struct registry *registry, uint32_t id,
                              const struct live_resource *live)
{
    struct slice space = intern_text(&registry->names, live->k8s_namespace);
    struct workflow_pod *pod;

    if (!slice_starts(space, SLICE(WORKFLOW_PREFIX)) || live->pod_name == 0 ||
        registry->res[id].helper)
        return;
    pod = array_append(&registry->workflow_pods, registry->workflow_count,
                       &registry->workflow_room);
    *pod = (struct workflow_pod){.id = id,
                                 .k8s_namespace = live->k8s_namespace,
                                 .pod_name = live->pod_name,
                                 .task = live->task};
    registry->workflow_count++;
}

static void evict(struct registry *registry, uint32_t id)
{
    uint32_t identity = registry->identity_of[id];

    registry_retain_workflow(registry, id, registry_live(registry, id));
    registry->spaces[registry->ident[ident_resolve(registry, identity)].space]
        .live--;
    live_free(registry, id);
    stats_add(STATS_RESOURCES_EVICTED, 1);
}

/* How many have to go so that there is room for a while. */
static uint32_t surplus(const struct registry *registry)
{
    uint32_t max = registry->options.max_resources;
    uint32_t goal = max - quota_minimum(registry);

    goal -= max / BATCHES > 0 ? max / BATCHES : 1;
    return registry->live_count > goal ? registry->live_count - goal : 0;
}

static uint32_t least_batch(const struct registry *registry)
{
    return registry->options.max_resources / (BATCHES * 8) + 1;
}

static bool is_candidate(const struct registry *registry, uint32_t id,
                         uint32_t space, uint32_t idle_s)
{
    uint32_t identity = ident_resolve(registry, registry->identity_of[id]);
    uint32_t now = registry_now_s(registry), seen = registry->res[id].seen_s;
    uint32_t age = now > seen ? now - seen : 0;

    if (registry->ident[identity].space == space && age >= idle_s)
        return true;
    return idle_s > 0 && age >= DEAD_S;
}

/* The longest unseen first: of this space those that were silent for idle_s;
 * with an idle_s, those of any that are dead. */
static uint32_t evict_unseen(struct registry *registry, uint32_t space,
                             uint32_t idle_s, uint32_t most)
{
    struct eviction *all = mem_alloc((registry->live_end + 1) * sizeof(*all));
    uint32_t count = 0;

    for (uint32_t place = 0; place < registry->live_end; place++) {
        uint32_t id = registry->live[place].id;

        if (id != NONE && is_candidate(registry, id, space, idle_s))
            all[count++] = (struct eviction){registry->res[id].seen_s, id};
    }
    qsort(all, count, sizeof(*all), by_time);
    if (count > most)
        count = most;
    for (uint32_t i = 0; i < count; i++)
        evict(registry, all[i].id);
    free(all);
    return count;
}

/* From a namespace that holds more, as much as makes it less than it was, but
 * not less than the one that wants it. It may not grow for a while. */
static uint32_t take_from(struct registry *registry, uint32_t rich,
                          uint32_t space)
{
    struct namespace_quota *from = &registry->spaces[rich];
    uint32_t least = registry->spaces[space].live, most;
    uint32_t count;

    if (least < quota_minimum(registry))
        least = quota_minimum(registry);
    most = (from->live - least + 1) / 2;
    count = surplus(registry);
    count = evict_unseen(registry, rich, 0, count < most ? count : most);
    from->limit = from->live;
    from->limit_until_s = registry_now_s(registry) + IDLE_S;
    return count;
}

/* ---- room ---- */

bool registry_forget_identities(struct registry *registry)
{
    if (registry->now_ns - registry->swept_ident_ns < SWEEP_S * NS_PER_S)
        return false;
    registry->swept_ident_ns = registry->now_ns;
    if (forget(registry) == 0)
        return false;
    registry_rebuild(registry);
    return true;
}

bool registry_make_room(struct registry *registry, uint32_t space)
{
    uint32_t rich = quota_largest(registry, space), count;
    bool poor = registry->spaces[space].live < quota_minimum(registry);

    if (registry->now_ns - registry->swept_ns < SWEEP_S * NS_PER_S &&
        !(poor && rich != NONE && quota_has_id(registry, space)))
        return false;
    count = forget(registry);
    if (quota_has_id(registry, space)) {
        if (!quota_has_slot(registry, space))
            count += evict_unseen(registry, space, IDLE_S,
                                  surplus(registry) + least_batch(registry));
        for (int i = 0; i < RICH_MAX; i++) {
            rich = quota_largest(registry, space);
            if (rich == NONE || quota_has_slot(registry, space))
                break;
            count += take_from(registry, rich, space);
        }
    }
    if (!quota_has_slot(registry, space) || !quota_has_id(registry, space))
        registry->swept_ns = registry->now_ns;
    if (count > 0)
        registry_rebuild(registry);
    return count > 0;
}
