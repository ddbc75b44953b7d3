/*
 * Pods tie together the resources that different collectors made of one pod, so
 * that the stamped one gives its identity to all.
 *
 * A pod has up to three kinds of keys: uid, namespace and name, container id. A
 * resource with several keys may show that two pods are one: then they are
 * merged. Different uids keep pods apart (a StatefulSet's pod has the name of
 * its predecessor), and the name then belongs to the newer one.
 *
 * Resources without labels of their own are in their pod's list, to be pointed
 * at the pod's identity once that is seen, or seen by a stronger rule.
 *
 * A pod belongs to the namespace that stamped it first, its tenant. What
 * another namespace says of the same keys is a pod of its own under keys of its
 * own, and counted as a conflict. What a pod has learned goes to resources that
 * name no namespace, or the tenant's.
 *
 * That is what collectors send. What a tenant sends itself has keys of the
 * tenant's own, so it never speaks for anybody else's. Of its own pods it also
 * learns what collectors say, if they say that the pod is the tenant's.
 */
#include "array.h"
#include "clock.h"
#include "hash.h"
#include "log.h"
#include "registry_int.h"
#include "stats.h"

/* Pods for each resource, those without live resources included. */
enum { PODS_PER_RESOURCE = 2, LOG_AGAIN_S = 600 };

uint32_t pod_resolve(const struct registry *reg, uint32_t pod)
{
    while (pod < POD_SHARED && reg->pods.at[pod].merged_into != NONE)
        pod = reg->pods.at[pod].merged_into;
    return pod;
}

/* NONE: no room. */
static uint32_t make(struct registry *reg)
{
    struct pod_table *table = &reg->pods;
    uint32_t pod = table->first_free;

    if (table->used / PODS_PER_RESOURCE >= reg->options.max_resources)
        return NONE;
    if (pod != NONE) {
        table->first_free = table->at[pod].first;
    } else {
        pod = table->count++;
        array_reserve(&table->at, table->count, &table->room);
    }
    table->used++;
    table->at[pod] = (struct registry_pod){
        .identity = NONE, .first = NONE, .own = NONE, .merged_into = NONE};
    return pod;
}

void pod_own(struct registry *reg, uint32_t pod, uint32_t identity)
{
    reg->identities.at[identity].next_in_pod = reg->pods.at[pod].own;
    reg->pods.at[pod].own = identity;
}

void pod_attach(struct registry *reg, uint32_t pod, uint32_t id)
{
    struct live_resource *live = registry_live(reg, id);

    live->pod = pod;
    reg->pods.at[pod].resources++;
    if (reg->resources.at[id].rule >= RULE_LEARNED) {
        live->next_in_pod = reg->pods.at[pod].first;
        reg->pods.at[pod].first = id;
    }
}

/* ---- learning ---- */

/* Whether the pod's identity may be given to what names its own namespace (or
 * none) and has this identity now. */
static bool may_teach(const struct registry *reg,
                      const struct registry_pod *pod, bool names_namespace,
                      uint32_t identity)
{
    return !names_namespace || pod->tenant == ident_tenant(reg, identity);
}

/* Points the pod's resources at its identity: those that wait for one, and if
 * `all` is set also those that learned another one. */
static void retag(struct registry *reg, uint32_t number, bool all)
{
    const struct registry_pod *pod = &reg->pods.at[number];

    for (uint32_t id = pod->first; id != NONE;
         id = registry_live(reg, id)->next_in_pod) {
        const struct resource_state *state = &reg->resources.at[id];
        uint32_t now = reg->resources.identity[id];

        if (now == pod->identity || state->rule < RULE_LEARNED ||
            (!all && state->rule == RULE_LEARNED) ||
            !may_teach(reg, pod, state->names_namespace, now))
            continue;
        registry_set_identity(reg, id, pod->identity, RULE_LEARNED);
        stats_add(STATS_RETAGGED, 1);
    }
}

/* Re-tags the identities that only this pod has, and thereby the records of its
 * evicted resources, too. */
static void retag_identities(struct registry *reg, uint32_t number)
{
    struct registry_pod *pod = &reg->pods.at[number];
    uint32_t kept = NONE;

    while (pod->own != NONE) {
        uint32_t identity = pod->own;
        struct identity_entry *entry = &reg->identities.at[identity];

        pod->own = entry->next_in_pod;
        if (may_teach(reg, pod, entry->names_namespace, identity)) {
            ident_move(reg, identity, pod->identity);
        } else {
            entry->next_in_pod = kept;
            kept = identity;
        }
    }
    pod->own = kept;
}

void pod_learn(struct registry *reg, uint32_t number, uint32_t identity,
               uint8_t rule)
{
    struct registry_pod *pod = &reg->pods.at[number];
    bool known = pod->identity != NONE, stronger = known && rule < pod->rule;

    if (known && rule > pod->rule)
        return;
    pod->identity = identity;
    pod->rule = rule;
    pod->tenant = ident_tenant(reg, identity);
    retag(reg, number, stronger);
    retag_identities(reg, number);
}

static void merge(struct registry *reg, uint32_t from, uint32_t to)
{
    struct registry_pod *old = &reg->pods.at[from], *new = &reg->pods.at[to];
    struct live_resource *last = NULL;

    old->merged_into = to;
    new->resources += old->resources;
    for (uint32_t id = old->first; id != NONE; id = last->next_in_pod) {
        last = registry_live(reg, id);
        last->pod = to;
    }
    if (last) {
        last->next_in_pod = new->first;
        new->first = old->first;
    }
    while (old->own != NONE) {
        uint32_t identity = old->own;

        old->own = reg->identities.at[identity].next_in_pod;
        pod_own(reg, to, identity);
    }
    if (new->identity == NONE && old->identity != NONE) {
        new->identity = old->identity;
        new->rule = old->rule;
        new->tenant = old->tenant;
    }
    if (new->identity != NONE) {
        retag(reg, to, false);
        retag_identities(reg, to);
    }
}

/* ---- keys ---- */

static uint32_t find_pod(const struct registry *reg, uint64_t key)
{
    return key ? pod_resolve(reg, key_map_get(&reg->pods.by_key, key)) : NONE;
}

/* False if the pod is known by another uid. */
static bool may_have_uid(const struct registry *reg, uint32_t pod, uint64_t uid)
{
    uint64_t known = reg->pods.at[pod].keys[POD_KEY_UID];

    return known == 0 || uid == 0 || known == uid;
}

/* Pods of different tenants are never one. */
static bool may_merge(const struct registry *reg, uint32_t a, uint32_t b)
{
    const struct registry_pod *x = &reg->pods.at[a], *y = &reg->pods.at[b];

    return may_have_uid(reg, a, y->keys[POD_KEY_UID]) &&
           (x->tenant == 0 || y->tenant == 0 || x->tenant == y->tenant);
}

static void count_conflict(struct registry *reg, uint32_t pod)
{
    struct pod_table *table = &reg->pods;
    uint32_t identity = table->at[pod].identity;
    struct slice owner = SLICE("");

    stats_add(STATS_IDENTITY_CONFLICTS, 1);
    if (reg->now_ns - table->conflict_logged_ns < LOG_AGAIN_S * NS_PER_S)
        return;
    table->conflict_logged_ns = reg->now_ns;
    if (identity != NONE)
        owner = intern_text(
            &reg->names, reg->identities.at[identity].text[IDENTITY_NAMESPACE]);
    log_warn("registry",
             "another namespace claims a pod; it stays in the namespace that "
             "stamped it first",
             log_slice("namespace", owner));
}

/* Replaces keys of other tenants' pods by keys of this tenant's own. */
static void separate_keys(struct registry *reg, uint64_t keys[POD_KEY_COUNT],
                          uint64_t tenant, bool claims)
{
    bool counted = !claims;

    for (unsigned i = 0; i < POD_KEY_COUNT; i++) {
        uint32_t pod = find_pod(reg, keys[i]);

        if (pod == NONE || reg->pods.at[pod].tenant == 0 ||
            reg->pods.at[pod].tenant == tenant)
            continue;
        if (!counted)
            count_conflict(reg, pod);
        counted = true;
        keys[i] = hash_mix(keys[i], tenant) | 1;
    }
}

static uint32_t find_any(const struct registry *reg,
                         const uint64_t keys[POD_KEY_COUNT])
{
    for (unsigned i = 0; i < POD_KEY_COUNT; i++) {
        uint32_t pod = find_pod(reg, keys[i]);

        if (pod != NONE &&
            (i == POD_KEY_UID || may_have_uid(reg, pod, keys[POD_KEY_UID])))
            return pod;
    }
    return NONE;
}

/* Gives the key to this pod, unless the pod that has it is another tenant's. */
static void take_key(struct registry *reg, uint32_t pod, unsigned i,
                     uint64_t key, uint64_t tenant)
{
    uint32_t other = find_pod(reg, key);

    if (other != pod) {
        uint64_t owner = other == NONE ? 0 : reg->pods.at[other].tenant;

        if (reg->pods.at[pod].tenant)
            tenant = reg->pods.at[pod].tenant;
        if (other != NONE && may_merge(reg, other, pod))
            merge(reg, other, pod);
        else if (owner && owner != tenant)
            return;
        key_map_set(&reg->pods.by_key, key, pod);
    }
    reg->pods.at[pod].keys[i] = key;
}

uint32_t pod_of_keys(struct registry *reg, uint64_t keys[POD_KEY_COUNT],
                     uint64_t tenant, bool claims)
{
    uint32_t pod;

    if (!keys[POD_KEY_UID] && !keys[POD_KEY_NAME] && !keys[POD_KEY_CONTAINER])
        return NONE;
    if (tenant)
        separate_keys(reg, keys, tenant, claims);
    pod = find_any(reg, keys);
    if (pod == NONE)
        pod = make(reg);
    if (pod == NONE)
        return NONE;
    reg->pods.at[pod].seen_s = registry_now_s(reg);
    for (unsigned i = 0; i < POD_KEY_COUNT; i++)
        if (keys[i])
            take_key(reg, pod, i, keys[i], tenant);
    return pod;
}

/* ---- collectors and tenants ---- */

void pod_learn_from_collector(struct registry *reg, uint32_t number,
                              const uint64_t keys[POD_KEY_COUNT],
                              uint32_t identity, uint8_t rule)
{
    uint64_t tenant = ident_tenant(reg, identity);

    pod_learn(reg, number, identity, rule);
    for (unsigned i = 0; i < POD_KEY_COUNT; i++) {
        uint32_t own = find_pod(reg, pod_key_of_tenant(keys[i], tenant));

        if (own != NONE && own != number && reg->pods.at[own].identity == NONE)
            pod_learn(reg, own, identity, RULE_LEARNED);
    }
}

uint32_t pod_identity_by_collector(const struct registry *reg,
                                   const uint64_t keys[POD_KEY_COUNT],
                                   uint64_t tenant)
{
    uint32_t pod = find_any(reg, keys);

    return pod != NONE && reg->pods.at[pod].identity != NONE &&
                   reg->pods.at[pod].tenant == tenant
               ? reg->pods.at[pod].identity
               : NONE;
}

void pod_check_claim(struct registry *reg, const uint64_t keys[POD_KEY_COUNT],
                     uint64_t tenant)
{
    uint32_t pod = find_any(reg, keys);

    if (pod != NONE && reg->pods.at[pod].tenant != 0 &&
        reg->pods.at[pod].tenant != tenant)
        count_conflict(reg, pod);
}
