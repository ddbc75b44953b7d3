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
 *
 * A pod belongs to the namespace that stamped it first (its tenant). Nobody
 * else speaks for it: what another namespace says of the same keys is kept
 * under keys of its own, as a pod of its own, and counted as a conflict. What a
 * pod has learned goes to resources that name no namespace, or that one.
 */
#include "array.h"
#include "clock.h"
#include "hash.h"
#include "log.h"
#include "registry_int.h"
#include "stats.h"

uint32_t pod_resolve(const struct registry *registry, uint32_t pod)
{
    while (pod < POD_SHARED && registry->pods[pod].merged_into != NONE)
        pod = registry->pods[pod].merged_into;
    return pod;
}

/* Pods in use for each resource, those among them that have no live one. */
enum { PODS_PER_RES = 2, SAY_AGAIN_S = 600 };

/* NONE: no room. */
static uint32_t make(struct registry *registry)
{
    uint32_t pod = registry->free_pod;

    if (registry->pods_used / PODS_PER_RES >= registry->options.max_resources)
        return NONE;
    if (pod != NONE) {
        registry->free_pod = registry->pods[pod].first;
    } else {
        array_reserve(&registry->pods, registry->pod_count + 1,
                      &registry->pod_room);
        pod = registry->pod_count++;
    }
    registry->pods_used++;
    registry->pods[pod] = (struct registry_pod){
        .identity = NONE, .first = NONE, .own = NONE, .merged_into = NONE};
    return pod;
}

void pod_own(struct registry *registry, uint32_t pod, uint32_t identity)
{
    registry->ident[identity].next_in_pod = registry->pods[pod].own;
    registry->pods[pod].own = identity;
}

/* Who says where it belongs is not told otherwise by a pod. */
static bool may_speak_for(const struct registry *registry,
                          const struct registry_pod *pod, bool says_space,
                          uint32_t identity)
{
    return !says_space || pod->tenant == ident_tenant(registry, identity);
}

/* Points the pod's resources at its identity: those that wait for one, and if
 * `all`, those too that learned another. */
static void retag(struct registry *registry, uint32_t number, bool all)
{
    const struct registry_pod *pod = &registry->pods[number];

    for (uint32_t id = pod->first; id != NONE;
         id = registry_live(registry, id)->next_in_pod) {
        const struct resource_state *res = &registry->res[id];
        uint32_t now = registry->identity_of[id];

        if (now == pod->identity || res->rule < RULE_LEARNED ||
            (!all && res->rule == RULE_LEARNED) ||
            !may_speak_for(registry, pod, res->says_space, now))
            continue;
        registry_set_identity(registry, id, pod->identity, RULE_LEARNED);
        stats_add(STATS_RETAGGED, 1);
    }
}

/* Its own identities become the one that it has learned, and with them all
 * that was sent under them, by resources that are not live any more, too. */
static void move_own(struct registry *registry, uint32_t number)
{
    struct registry_pod *pod = &registry->pods[number];
    uint32_t kept = NONE;

    while (pod->own != NONE) {
        uint32_t identity = pod->own;
        struct identity_entry *ident = &registry->ident[identity];

        pod->own = ident->next_in_pod;
        if (may_speak_for(registry, pod, ident->says_space, identity)) {
            ident_move(registry, identity, pod->identity);
        } else {
            ident->next_in_pod = kept;
            kept = identity;
        }
    }
    pod->own = kept;
}

void pod_learn(struct registry *registry, uint32_t pod, uint32_t identity,
               uint8_t rule)
{
    struct registry_pod *at = &registry->pods[pod];

    if (at->identity != NONE && rule > at->rule)
        return;

    bool stronger = at->identity != NONE && rule < at->rule;

    at->identity = identity;
    at->rule = rule;
    at->tenant = ident_tenant(registry, identity);
    retag(registry, pod, stronger);
    move_own(registry, pod);
}

/* Everything of `from` belongs to `to` from now on. */
static void merge(struct registry *registry, uint32_t from, uint32_t to)
{
    struct registry_pod *old = &registry->pods[from],
                        *new = &registry->pods[to];
    uint32_t last = NONE;

    old->merged_into = to;
    new->resources += old->resources;
    for (uint32_t id = old->first; id != NONE;
         id = registry_live(registry, id)->next_in_pod) {
        registry_live(registry, id)->pod = to;
        last = id;
    }
    if (last != NONE) {
        registry_live(registry, last)->next_in_pod = new->first;
        new->first = old->first;
    }
    while (old->own != NONE) {
        uint32_t identity = old->own;

        old->own = registry->ident[identity].next_in_pod;
        pod_own(registry, to, identity);
    }
    if (new->identity == NONE && old->identity != NONE) {
        new->identity = old->identity;
        new->rule = old->rule;
        new->tenant = old->tenant;
    }
    if (new->identity != NONE) {
        retag(registry, to, false);
        move_own(registry, to);
    }
}

static uint32_t find(const struct registry *registry, uint64_t key)
{
    return key ? pod_resolve(registry, idmap_get(&registry->pod_by_key, key))
               : NONE;
}

/* True if the pod may be the one with this uid. */
static bool may_be(const struct registry *registry, uint32_t pod, uint64_t uid)
{
    uint64_t known = registry->pods[pod].keys[POD_KEY_UID];

    return known == 0 || uid == 0 || known == uid;
}

/* Two that different namespaces speak for are not one. */
static bool may_merge(const struct registry *registry, uint32_t a, uint32_t b)
{
    const struct registry_pod *x = &registry->pods[a], *y = &registry->pods[b];

    return may_be(registry, a, y->keys[POD_KEY_UID]) &&
           (x->tenant == 0 || y->tenant == 0 || x->tenant == y->tenant);
}

static struct slice owner_of(const struct registry *registry, uint32_t pod)
{
    uint32_t identity = registry->pods[pod].identity;

    if (identity == NONE)
        return SLICE("");
    return intern_text(&registry->names,
                       registry->ident[identity].name[IDENT_NAMESPACE]);
}

static void conflict(struct registry *registry, uint32_t pod)
{
    struct slice owner = owner_of(registry, pod);

    stats_add(STATS_IDENTITY_CONFLICTS, 1);
    if (registry->now_ns - registry->conflict_said_ns < SAY_AGAIN_S * NS_PER_S)
        return;
    registry->conflict_said_ns = registry->now_ns;
    log_warn("registry",
             "another namespace claims a pod; it stays in the namespace that "
             "stamped it first",
             log_slice("namespace", owner));
}

/* Keys of pods that others speak for become this tenant's own. */
static void own_keys(struct registry *registry, uint64_t keys[POD_KEY_COUNT],
                     uint64_t tenant, bool claims)
{
    bool said = !claims;

    for (unsigned i = 0; i < POD_KEY_COUNT; i++) {
        uint32_t pod = find(registry, keys[i]);

        if (pod == NONE || registry->pods[pod].tenant == 0 ||
            registry->pods[pod].tenant == tenant)
            continue;
        if (!said)
            conflict(registry, pod);
        said = true;
        keys[i] = hash_mix(keys[i], tenant) | 1;
    }
}

static uint32_t find_any(const struct registry *registry,
                         const uint64_t keys[POD_KEY_COUNT])
{
    for (unsigned i = 0; i < POD_KEY_COUNT; i++) {
        uint32_t pod = find(registry, keys[i]);

        if (pod != NONE &&
            (i == POD_KEY_UID || may_be(registry, pod, keys[POD_KEY_UID])))
            return pod;
    }
    return NONE;
}

/* The key means this pod from now on, unless another tenant speaks for the one
 * that it means. */
static void take_key(struct registry *registry, uint32_t pod, unsigned i,
                     uint64_t key, uint64_t tenant)
{
    uint32_t other = find(registry, key);

    if (other != pod) {
        uint64_t owner = other == NONE ? 0 : registry->pods[other].tenant;

        if (registry->pods[pod].tenant)
            tenant = registry->pods[pod].tenant;
        if (other != NONE && may_merge(registry, other, pod))
            merge(registry, other, pod);
        else if (owner && owner != tenant)
            return;
        idmap_set(&registry->pod_by_key, key, pod);
    }
    registry->pods[pod].keys[i] = key;
}

uint32_t pod_of_keys(struct registry *registry, uint64_t keys[POD_KEY_COUNT],
                     uint64_t tenant, bool claims)
{
    uint32_t pod;

    if (!keys[POD_KEY_UID] && !keys[POD_KEY_NAME] && !keys[POD_KEY_CONTAINER])
        return NONE;
    if (tenant)
        own_keys(registry, keys, tenant, claims);
    pod = find_any(registry, keys);
    if (pod == NONE)
        pod = make(registry);
    if (pod == NONE)
        return NONE;
    registry->pods[pod].seen_s = registry_now_s(registry);
    for (unsigned i = 0; i < POD_KEY_COUNT; i++)
        if (keys[i])
            take_key(registry, pod, i, keys[i], tenant);
    return pod;
}

void pod_attach(struct registry *registry, uint32_t pod, uint32_t id)
{
    struct live_resource *live = registry_live(registry, id);

    live->pod = pod;
    registry->pods[pod].resources++;
    if (registry->res[id].rule >= RULE_LEARNED) {
        live->next_in_pod = registry->pods[pod].first;
        registry->pods[pod].first = id;
    }
}
