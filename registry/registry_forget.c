/*
 * Making room: a resource that was not seen for forget_ns, or not since the
 * oldest of all that is stored came, is dropped and its number kept for
 * another. Its records are past the retention by then, or were deleted because
 * the database was full, so nothing is left that the number could tag wrongly.
 *
 * Nothing can be taken out of maps and names one by one, so that they are
 * simple; instead they are made anew from what stays. This runs only when the
 * table is full, and then at most once in SWEEP_S.
 */
#include "clock.h"
#include "registry_int.h"

enum { SWEEP_S = 30 };

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

static bool unseen(const struct res *res, uint64_t before)
{
    return (res->seen_s + UINT64_C(1)) * NS_PER_S < before;
}

static void drop(struct registry *registry, uint32_t id)
{
    struct res *res = &registry->res[id];

    if (res->kind == RES_DERIVED) {
        registry->ident[res->owner].derived = NONE;
    } else {
        struct ident *ident = &registry->ident[registry->identity_of[id]];

        ident->resources--;
        /* Its series were written while it was seen. */
        if (ident->derived != NONE &&
            registry->res[ident->derived].seen_s < res->seen_s)
            registry->res[ident->derived].seen_s = res->seen_s;
        registry->unassigned -= res->rule == RULE_UNASSIGNED;
        registry->received--;
    }
    res->kind = RES_FREE;
    registry->identity_of[id] = NONE;
    registry_give_id(registry, id);
}

/* A derived resource goes with the pod whose own identity it hangs on. */
static bool may_go(const struct registry *registry, const struct res *res)
{
    if (res->kind == RES_DERIVED && res->owner != NONE) {
        const struct ident *ident = &registry->ident[res->owner];

        return ident->pod != NONE && ident->pod != POD_SHARED &&
               ident->resources == 0;
    }
    return res->kind == RES_PLAIN || res->kind == RES_RECORD;
}

static uint32_t drop_unseen(struct registry *registry, uint64_t before)
{
    uint32_t dropped = 0;

    /* Derived ones in a second round: what they go with must be gone. */
    for (int derived = 0; derived < 2; derived++)
        for (uint32_t id = 0; id < registry->res_count; id++) {
            struct res *res = &registry->res[id];

            if ((res->kind == RES_DERIVED) == derived &&
                may_go(registry, res) && unseen(res, before)) {
                drop(registry, id);
                dropped++;
            }
        }
    return dropped;
}

static void keep_name(const struct names *old, struct names *new,
                      uint32_t *name)
{
    *name = names_add(new, names_text(old, *name));
}

static void renew_names(struct registry *registry)
{
    struct names old = registry->names, new;

    /* All of these fitted, if not under the cap of now. */
    names_init(&new, old.len > old.cap ? old.len : old.cap);
    names_add(&new, SLICE("default"));
    for (uint32_t i = 0; i < registry->ident_count; i++) {
        struct ident *ident = &registry->ident[i];

        for (unsigned k = 0; k < IDENT_NAMES; k++)
            keep_name(&old, &new, &ident->name[k]);
        for (unsigned k = 0; k < IDENT_UIDS; k++)
            keep_name(&old, &new, &ident->uid[k]);
    }
    for (uint32_t id = 0; id < registry->res_count; id++) {
        struct res *res = &registry->res[id];

        if (res->kind == RES_FREE)
            continue;
        keep_name(&old, &new, &res->k8s_namespace);
        keep_name(&old, &new, &res->pod_name);
        keep_name(&old, &new, &res->task);
        keep_name(&old, &new, &res->service);
        keep_name(&old, &new, &res->k8s_service);
        keep_name(&old, &new, &res->ip);
    }
    new.cap = old.cap;
    registry->names = new;
    names_release(&old);
}

/* Lists and counts of the pods from the resources that stay; a pod without
 * any is free for another. */
static void renew_pods(struct registry *registry)
{
    idmap_release(&registry->pod_by_key);
    for (uint32_t i = 0; i < registry->ident_count; i++)
        registry->ident[i].pod = pod_resolve(registry, registry->ident[i].pod);
    for (uint32_t id = 0; id < registry->res_count; id++)
        registry->res[id].pod = pod_resolve(registry, registry->res[id].pod);
    for (uint32_t pod = 0; pod < registry->pod_count; pod++) {
        registry->pods[pod].first = NONE;
        registry->pods[pod].resources = 0;
    }
    for (uint32_t id = 0; id < registry->res_count; id++) {
        struct res *res = &registry->res[id];

        if (res->kind == RES_FREE || res->pod == NONE)
            continue;
        for (unsigned i = 0; i < POD_KEY_COUNT; i++)
            if (res->keys[i])
                idmap_set(&registry->pod_by_key, res->keys[i], res->pod);
        pod_attach(registry, res->pod, id);
    }
    for (uint32_t i = 0; i < registry->ident_count; i++) {
        struct ident *ident = &registry->ident[i];

        if (ident->pod < POD_SHARED &&
            registry->pods[ident->pod].resources == 0) {
            ident->pod = POD_GONE;
            registry->provisional--;
        }
    }
    registry->free_pod = NONE;
    for (uint32_t pod = 0; pod < registry->pod_count; pod++)
        if (registry->pods[pod].resources == 0) {
            registry->pods[pod].merged_into = NONE;
            registry->pods[pod].first = registry->free_pod;
            registry->free_pod = pod;
        }
}

static void renew_maps(struct registry *registry)
{
    idmap_release(&registry->res_by_hash);
    idmap_release(&registry->by_record);
    idmap_release(&registry->ident_by_key);
    idmap_release(&registry->hosts);
    for (uint32_t i = 0; i < registry->ident_count; i++)
        if (registry->ident[i].rule != RULE_NONE &&
            registry->ident[i].moved_to == NONE)
            ident_index(registry, i);
    for (uint32_t id = 0; id < registry->res_count; id++)
        if (registry->res[id].kind <= RES_RECORD) {
            registry_index_res(registry, id);
            host_add_res(registry, id);
        }
}

void registry_forget(struct registry *registry)
{
    if (registry->now_ns - registry->swept_ns < SWEEP_S * NS_PER_S)
        return;
    registry->swept_ns = registry->now_ns;

    uint64_t before = forget_before(registry);

    if (before == 0)
        return;
    registry_lock(registry);
    if (drop_unseen(registry, before) > 0) {
        renew_names(registry);
        renew_pods(registry);
        renew_maps(registry);
    }
    registry_unlock(registry);
}
