/*
 * Pods: what ties together the resources that different collectors made of one
 * pod, so that the one that is stamped speaks for all.
 *
 * A pod has up to three kinds of keys: uid, namespace and name, container id.
 * A resource carries some of them, and by that may show that two pods are one:
 * then one is merged into the other. A uid that differs keeps them apart (a
 * StatefulSet's pod has its predecessor's name), and the name then goes to the
 * newer one.
 *
 * Resources without a stamp of their own hang in their pod's list, to be
 * pointed at the pod's identity once that is seen, or seen by a stronger rule.
 */
#include "array.h"
#include "registry_int.h"
#include "stats.h"

uint32_t pod_resolve(const struct registry *registry, uint32_t pod)
{
    while (pod < POD_SHARED && registry->pods[pod].merged_into != NONE)
        pod = registry->pods[pod].merged_into;
    return pod;
}

static uint32_t make(struct registry *registry)
{
    uint32_t pod = registry->free_pod;

    if (pod != NONE) {
        registry->free_pod = registry->pods[pod].first;
    } else {
        array_reserve(&registry->pods, registry->pod_count + 1,
                      &registry->pod_room);
        pod = registry->pod_count++;
    }
    registry->pods[pod] =
        (struct pod){.identity = NONE, .first = NONE, .merged_into = NONE};
    return pod;
}

static void repoint(struct registry *registry, uint32_t id, uint32_t identity)
{
    uint32_t old = registry->identity_of[id];
    const struct ident *from = &registry->ident[old];

    if (old == identity)
        return;
    registry_set_identity(registry, id, identity, RULE_LEARNED);
    stats_add(STATS_RETAGGED, 1);
    if (from->moved_to == NONE && from->pod < POD_SHARED &&
        pod_resolve(registry, from->pod) ==
            pod_resolve(registry, registry->res[id].pod))
        ident_move(registry, old, identity);
}

/* Points the pod's resources at its identity: those that wait for one, and if
 * `all`, those too that learned another. */
static void retag(struct registry *registry, uint32_t pod, bool all)
{
    uint32_t identity = registry->pods[pod].identity;

    for (uint32_t id = registry->pods[pod].first; id != NONE;
         id = registry->res[id].next_in_pod)
        if (all || registry->res[id].rule != RULE_LEARNED)
            repoint(registry, id, identity);
}

void pod_learn(struct registry *registry, uint32_t pod, uint32_t identity,
               uint8_t rule)
{
    struct pod *at = &registry->pods[pod];

    if (at->identity != NONE && rule > at->rule)
        return;

    bool stronger = at->identity != NONE && rule < at->rule;

    at->identity = identity;
    at->rule = rule;
    retag(registry, pod, stronger);
}

/* Everything of `from` belongs to `to` from now on. */
static void merge(struct registry *registry, uint32_t from, uint32_t to)
{
    struct pod *old = &registry->pods[from], *new = &registry->pods[to];
    uint32_t last = NONE;

    old->merged_into = to;
    new->resources += old->resources;
    for (uint32_t id = old->first; id != NONE;
         id = registry->res[id].next_in_pod) {
        registry->res[id].pod = to;
        last = id;
    }
    if (last != NONE) {
        registry->res[last].next_in_pod = new->first;
        new->first = old->first;
    }
    if (new->identity == NONE && old->identity != NONE) {
        new->identity = old->identity;
        new->rule = old->rule;
    }
    if (new->identity != NONE)
        retag(registry, to, false);
}

static uint32_t find(const struct registry *registry, uint64_t key)
{
    return key ? pod_resolve(registry, idmap_get(&registry->pod_by_key, key))
               : NONE;
}

/* True if the pod may be the one with this uid. */
static bool may_be(const struct registry *registry, uint32_t pod, uint64_t uid)
{
    uint64_t known = registry->pods[pod].uid_key;

    return known == 0 || uid == 0 || known == uid;
}

uint32_t pod_of_keys(struct registry *registry,
                     const uint64_t keys[POD_KEY_COUNT])
{
    uint64_t uid = keys[POD_KEY_UID];
    uint32_t pod = find(registry, uid);
    bool any = false;

    for (unsigned i = 0; i < POD_KEY_COUNT; i++) {
        uint32_t other = find(registry, keys[i]);

        any |= keys[i] != 0;
        if (pod == NONE && other != NONE && may_be(registry, other, uid))
            pod = other;
    }
    if (!any)
        return NONE;
    if (pod == NONE)
        pod = make(registry);
    if (uid)
        registry->pods[pod].uid_key = uid;
    for (unsigned i = 0; i < POD_KEY_COUNT; i++) {
        uint32_t other = find(registry, keys[i]);

        if (keys[i] == 0 || other == pod)
            continue;
        if (other != NONE &&
            may_be(registry, other, registry->pods[pod].uid_key))
            merge(registry, other, pod);
        idmap_set(&registry->pod_by_key, keys[i], pod);
    }
    return pod;
}

void pod_attach(struct registry *registry, uint32_t pod, uint32_t id)
{
    struct res *res = &registry->res[id];

    res->pod = pod;
    registry->pods[pod].resources++;
    if (res->rule >= RULE_LEARNED) {
        res->next_in_pod = registry->pods[pod].first;
        registry->pods[pod].first = id;
    }
}
