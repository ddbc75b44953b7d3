/*
 * Identities: found by what they are made of, or made.
 *
 * One map has several entries for an identity, told apart by a seed:
 *
 *   BY_NAMES   four names             -> the youngest that has them
 *   BY_ALL     four names, three uids -> that one
 *   BY_UID     component uid, environment name or uid -> that one, for senders
 *              that know uids only
 *   BY_POD     four names and a pod   -> INFERRED or UNASSIGNED, that pod's own
 *
 * Names that come first without and later with uids are one identity, which is
 * completed in place; other uids make a new one (a component that was deleted
 * and created again). No entry leads to a list, so that a sender who makes up
 * uids cannot make us walk them.
 *
 * An identity that is one pod's own can be moved to another as a whole; its
 * number then stands for the other one, as long as anything refers to it.
 */
#include "hash.h"
#include "mem.h"
#include "registry_int.h"

enum { BY_NAMES = 1, BY_ALL, BY_UID, BY_POD, BY_POD_AND_SPACE };

/* Beyond all other identities, a part of them for what does not fit. */
enum { FALLBACKS = 8 };

struct ident_key {
    uint32_t name[IDENT_NAMES], uid[IDENT_UIDS];
};

static uint64_t mix_all(uint64_t seed, const uint32_t *at, size_t count)
{
    uint64_t h = seed;

    for (size_t i = 0; i < count; i++)
        h = hash_mix(h, at[i] + UINT64_C(1));
    return h;
}

static uint64_t key_names(const uint32_t name[IDENT_NAMES])
{
    return mix_all(BY_NAMES, name, IDENT_NAMES);
}

static uint64_t key_all(const uint32_t name[IDENT_NAMES],
                        const uint32_t uid[IDENT_UIDS])
{
    return mix_all(mix_all(BY_ALL, name, IDENT_NAMES), uid, IDENT_UIDS);
}

static uint64_t key_uid(uint32_t component_uid, uint32_t environment)
{
    uint32_t at[] = {component_uid, environment};

    return mix_all(BY_UID, at, 2);
}

static uint64_t key_pod(const uint32_t name[IDENT_NAMES], uint32_t pod,
                        bool says_space)
{
    return hash_mix(mix_all(BY_POD + says_space, name, IDENT_NAMES), pod);
}

uint32_t ident_resolve(const struct registry *registry, uint32_t identity)
{
    if (identity >= registry->ident_count)
        return NONE;
    if (registry->ident[identity].moved_to != NONE)
        return registry->ident[identity].moved_to;
    return identity;
}

struct identity_entry *ident_reserve(struct registry *registry,
                                     uint32_t identity)
{
    if (identity >= registry->ident_room) {
        uint32_t room = registry->ident_room ? registry->ident_room : 32;

        while (room <= identity)
            room += room / 2;
        registry->ident =
            mem_resize(registry->ident, room, sizeof(*registry->ident));
        registry->ident_room = room;
    }
    while (registry->ident_count <= identity) {
        struct identity_entry *ident =
            &registry->ident[registry->ident_count++];

        memset(ident, 0, sizeof(*ident));
        ident->pod = ident->next_in_pod = ident->moved_to = NONE;
        ident->derived = ident->overflow = NONE;
    }
    return &registry->ident[identity];
}

void ident_index(struct registry *registry, uint32_t identity)
{
    struct idmap *map = &registry->ident_by_key;
    const struct identity_entry *ident = &registry->ident[identity];

    if (ident->pod == POD_GONE)
        return;
    if (ident->pod < POD_SHARED) {
        idmap_set(map, key_pod(ident->name, ident->pod, ident->says_space),
                  identity);
        return;
    }
    idmap_set(map, key_names(ident->name), identity);
    idmap_set(map, key_all(ident->name, ident->uid), identity);

    uint32_t uid = ident->uid[IDENT_COMPONENT_UID];

    if (uid) {
        idmap_set(map, key_uid(uid, ident->name[IDENT_ENVIRONMENT]), identity);
        if (ident->uid[IDENT_ENVIRONMENT_UID])
            idmap_set(map, key_uid(uid, ident->uid[IDENT_ENVIRONMENT_UID]),
                      identity);
    }
}

static bool uids_agree(const struct identity_entry *ident,
                       const uint32_t uid[IDENT_UIDS])
{
    for (unsigned i = 0; i < IDENT_UIDS; i++)
        if (ident->uid[i] && uid[i] && ident->uid[i] != uid[i])
            return false;
    return true;
}

static bool is_it(const struct registry *registry, uint32_t identity,
                  const uint32_t name[IDENT_NAMES],
                  const uint32_t uid[IDENT_UIDS])
{
    const struct identity_entry *ident = &registry->ident[identity];

    return memcmp(ident->name, name, sizeof(ident->name)) == 0 &&
           uids_agree(ident, uid);
}

uint32_t ident_find(const struct registry *registry,
                    const uint32_t name[IDENT_NAMES],
                    const uint32_t uid[IDENT_UIDS])
{
    const struct idmap *map = &registry->ident_by_key;
    uint32_t component = uid[IDENT_COMPONENT_UID];
    uint32_t identity = idmap_get(map, key_names(name));

    if (identity != IDMAP_NONE && is_it(registry, identity, name, uid))
        return identity;
    if (component)
        identity = idmap_get(map, key_uid(component, name[IDENT_ENVIRONMENT]));
    if (identity != IDMAP_NONE && is_it(registry, identity, name, uid))
        return identity;
    return idmap_get(map, key_all(name, uid));
}

/* A number that is free. */
static struct identity_entry *take_number(struct registry *registry)
{
    uint32_t identity = registry->ident_free;
    struct identity_entry *ident;

    registry->ident_used++;
    if (identity == NONE)
        return ident_reserve(registry, registry->ident_count);
    ident = &registry->ident[identity];
    registry->ident_free = ident->next_in_pod;
    ident->next_in_pod = NONE;
    return ident;
}

static uint32_t make(struct registry *registry, const struct ident_key *key,
                     uint8_t rule, uint32_t pod, bool says_space)
{
    struct identity_entry *ident = take_number(registry);
    uint32_t identity = (uint32_t)(ident - registry->ident);

    ident->space = quota_of(registry, key->name[IDENT_NAMESPACE]);
    registry->spaces[ident->space].identities++;
    ident->says_space = says_space;
    memcpy(ident->name, key->name, sizeof(ident->name));
    memcpy(ident->uid, key->uid, sizeof(ident->uid));
    ident->rule = rule;
    ident->pod = pod;
    ident->used_s = registry_now_s(registry);
    ident->first_seen_ns = registry->now_ns;
    if (pod < POD_SHARED) {
        registry->provisional++;
        pod_own(registry, pod, identity);
    }
    ident_index(registry, identity);
    registry_queue_write(registry, identity, WRITE_IDENTITY);
    return identity;
}

void ident_forget(struct registry *registry, uint32_t identity)
{
    struct identity_entry *ident = &registry->ident[identity];
    uint8_t generation = (uint8_t)(ident->generation + 1);

    if (ident->moved_to == NONE)
        registry->spaces[ident->space].identities--;
    registry->provisional -= ident->pod < POD_SHARED;
    memset(ident, 0, sizeof(*ident));
    ident->pod = ident->moved_to = ident->derived = ident->overflow = NONE;
    ident->generation = generation;
    ident->next_in_pod = registry->ident_free;
    registry->ident_free = identity;
    registry->ident_used--;
    registry_queue_write(registry, identity, WRITE_IDENTITY);
}

static uint32_t space_of_key(struct registry *registry,
                             const struct ident_key *key)
{
    return quota_of(registry, key->name[IDENT_NAMESPACE]);
}

/* Adds what this sender knows and we did not. */
static void complete(struct registry *registry, uint32_t identity,
                     const struct ident_key *key, uint8_t rule)
{
    struct identity_entry *ident = &registry->ident[identity];
    bool changed = false;

    for (unsigned i = 0; i < IDENT_UIDS; i++)
        if (key->uid[i] && !ident->uid[i]) {
            ident->uid[i] = key->uid[i];
            changed = true;
        }
    if (rule < ident->rule) {
        ident->rule = rule;
        changed = true;
    }
    if (changed) {
        ident_index(registry, identity);
        registry_queue_write(registry, identity, WRITE_IDENTITY);
    }
}

static struct slice or_default(struct slice text)
{
    return text.len > 0 ? text : SLICE("default");
}

/* Of two, the first that is not empty. */
static struct slice either(struct slice a, struct slice b)
{
    return a.len > 0 ? a : b;
}

/* False if the names do not fit. */
static bool intern(struct registry *registry, struct ident_key *key,
                   const struct slice name[IDENT_NAMES],
                   const struct slice uid[IDENT_UIDS])
{
    for (unsigned i = 0; i < IDENT_NAMES; i++)
        if ((key->name[i] = intern_add(&registry->names, name[i])) ==
            INTERN_FULL)
            return false;
    for (unsigned i = 0; i < IDENT_UIDS; i++)
        if ((key->uid[i] = intern_add(&registry->names, uid[i])) == INTERN_FULL)
            return false;
    return true;
}

/* A sender that knows uids only means the one that has this uid. */
static uint32_t find_by_uid(const struct registry *registry,
                            const struct resource_attributes *facts)
{
    struct slice uid = facts->label[LABEL_COMPONENT_UID];

    if (uid.len == 0 || facts->label[LABEL_COMPONENT].len > 0)
        return NONE;

    struct slice environment =
        either(facts->label[LABEL_ENVIRONMENT_UID],
               or_default(facts->label[LABEL_ENVIRONMENT]));

    return idmap_get(&registry->ident_by_key,
                     key_uid(intern_find(&registry->names, uid),
                             intern_find(&registry->names, environment)));
}

/* A uid of one namespace is no proof for who names another one. */
static bool is_named(const struct registry *registry, uint32_t identity,
                     struct slice namespace)
{
    return namespace.len == 0 ||
           tenant_of(namespace) == ident_tenant(registry, identity);
}

uint64_t ident_tenant(const struct registry *registry, uint32_t identity)
{
    identity = ident_resolve(registry, identity);
    return tenant_of(intern_text(
        &registry->names, registry->ident[identity].name[IDENT_NAMESPACE]));
}

uint32_t ident_stamped(struct registry *registry,
                       const struct resource_attributes *facts, uint8_t rule)
{
    uint32_t identity = find_by_uid(registry, facts);
    const struct slice *label = facts->label;
    struct slice component_uid =
        label[LABEL_COMPONENT].len > 0 || label[LABEL_COMPONENT_UID].len > 0
            ? label[LABEL_COMPONENT_UID]
            : label[LABEL_RESOURCE_UID];
    struct slice component = either(label[LABEL_COMPONENT], component_uid);
    struct ident_key key;

    if (identity != NONE &&
        is_named(registry, identity, label[LABEL_NAMESPACE]))
        return identity;
    if (label[LABEL_COMPONENT].len == 0 && label[LABEL_RESOURCE].len > 0)
        component = label[LABEL_RESOURCE];
    if (component.len == 0 && attributes_name_service(facts))
        component = facts->service;

    const struct slice name[IDENT_NAMES] = {
        or_default(label[LABEL_NAMESPACE]),
        or_default(either(label[LABEL_PROJECT], label[LABEL_PROJECT_UID])),
        component,
        or_default(
            either(label[LABEL_ENVIRONMENT], label[LABEL_ENVIRONMENT_UID])),
    };
    const struct slice uid[IDENT_UIDS] = {
        label[LABEL_PROJECT_UID],
        component_uid,
        label[LABEL_ENVIRONMENT_UID],
    };

    if (!intern(registry, &key, name, uid))
        return NONE;
    identity = ident_find(registry, key.name, key.uid);
    if (identity != NONE)
        complete(registry, identity, &key, rule);
    else if (quota_has_identity(registry, space_of_key(registry, &key),
                                registry->options.max_identities))
        identity = make(registry, &key, rule, NONE, false);
    return identity;
}

/* One that is the pod's own as long as there is room for such, else one that
 * is shared by all of these names. A quarter of the room is for stamped ones,
 * whatever else is sent, and some for shared ones. */
static uint32_t find_or_make(struct registry *registry,
                             const struct slice name[IDENT_NAMES], uint8_t rule,
                             uint32_t pod, bool says_space)
{
    const struct slice uid[IDENT_UIDS] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    struct ident_key key;
    uint32_t max = registry->options.max_identities / 4 * 3;
    uint32_t identity = NONE;

    if (!intern(registry, &key, name, uid))
        return NONE;

    uint32_t space = space_of_key(registry, &key);

    if (pod != NONE) {
        identity = idmap_get(&registry->ident_by_key,
                             key_pod(key.name, pod, says_space));
        if (identity == NONE && registry->provisional < max / 3 * 2 &&
            registry->ident_used < max - max / 8 &&
            quota_has_identity(registry, space, max))
            identity = make(registry, &key, rule, pod, says_space);
    }
    if (identity == NONE)
        identity = idmap_get(&registry->ident_by_key, key_names(key.name));
    if (identity == NONE && quota_has_identity(registry, space, max))
        identity = make(registry, &key, rule, NONE, false);
    return identity;
}

uint32_t ident_inferred(struct registry *registry,
                        const struct resource_attributes *facts, uint32_t pod)
{
    const struct slice name[IDENT_NAMES] = {
        or_default(facts->label[LABEL_NAMESPACE]),
        or_default(facts->service_namespace),
        facts->service,
        or_default(either(facts->label[LABEL_ENVIRONMENT],
                          either(facts->environment, facts->old_environment))),
    };

    return find_or_make(registry, name, RULE_INFERRED, pod,
                        attributes_tenant(facts) != 0);
}

uint32_t ident_unassigned(struct registry *registry,
                          const struct resource_attributes *facts, uint32_t pod)
{
    const struct slice name[IDENT_NAMES] = {
        or_default(facts->label[LABEL_NAMESPACE]),
        {NULL, 0},
        {NULL, 0},
        or_default(either(facts->label[LABEL_ENVIRONMENT],
                          either(facts->environment, facts->old_environment))),
    };

    return find_or_make(registry, name, RULE_UNASSIGNED, pod,
                        attributes_tenant(facts) != 0);
}

/* Namespaces, too, may be too many: then those share a name that no namespace
 * can have. */
uint32_t ident_fallback(struct registry *registry,
                        const struct resource_attributes *facts)
{
    struct slice namespace = or_default(facts->label[LABEL_NAMESPACE]);
    struct ident_key key = {0};
    uint32_t max = registry->options.max_identities, identity;

    key.name[IDENT_ENVIRONMENT] =
        intern_find(&registry->names, SLICE("default"));
    key.name[IDENT_NAMESPACE] = intern_add(&registry->names, namespace);
    if (key.name[IDENT_NAMESPACE] != INTERN_FULL) {
        identity = idmap_get(&registry->ident_by_key, key_names(key.name));
        if (identity != NONE)
            return identity;
        if (registry->ident_used < max + max / FALLBACKS)
            return make(registry, &key, RULE_UNASSIGNED, NONE, false);
    }
    key.name[IDENT_NAMESPACE] = intern_find(&registry->names, SLICE("{other}"));
    identity = idmap_get(&registry->ident_by_key, key_names(key.name));
    return identity != NONE
               ? identity
               : make(registry, &key, RULE_UNASSIGNED, NONE, false);
}

void ident_move(struct registry *registry, uint32_t from, uint32_t to)
{
    struct identity_entry *old = &registry->ident[from],
                          *new = &registry->ident[to];

    old->moved_to = to;
    registry->provisional -= old->pod < POD_SHARED;
    registry->spaces[old->space].identities--;
    /* Only evicted ones still resolve to it: the live ones were re-tagged. */
    registry->spaces[old->space].ids -= old->resources;
    registry->spaces[new->space].ids += old->resources;
    new->resources += old->resources;
    old->resources = 0;
    old->pod = POD_GONE;
    if (old->first_seen_ns < new->first_seen_ns)
        new->first_seen_ns = old->first_seen_ns;
    for (unsigned i = 0; i < SIGNAL_COUNT; i++)
        if (old->last_seen_ns[i] > new->last_seen_ns[i])
            new->last_seen_ns[i] = old->last_seen_ns[i];
    if (old->derived != NONE)
        registry_set_identity(registry, old->derived, to, RULE_LEARNED);
    if (old->overflow != NONE)
        registry_set_identity(registry, old->overflow, to, RULE_LEARNED);
    registry_queue_write(registry, from, WRITE_IDENTITY);
}

void ident_view(const struct registry *registry, uint32_t identity,
                struct identity *out)
{
    const struct intern *names = &registry->names;
    const struct identity_entry *ident = &registry->ident[identity];

    *out = (struct identity){
        .id = identity,
        .rule = ident->rule,
        .namespace = intern_text(names, ident->name[IDENT_NAMESPACE]),
        .project = intern_text(names, ident->name[IDENT_PROJECT]),
        .component = intern_text(names, ident->name[IDENT_COMPONENT]),
        .environment = intern_text(names, ident->name[IDENT_ENVIRONMENT]),
        .project_uid = intern_text(names, ident->uid[IDENT_PROJECT_UID]),
        .component_uid = intern_text(names, ident->uid[IDENT_COMPONENT_UID]),
        .environment_uid =
            intern_text(names, ident->uid[IDENT_ENVIRONMENT_UID]),
    };
}

void ident_copy(struct identity *identity, struct arena *arena)
{
    struct slice *text[] = {
        &identity->namespace,       &identity->project,
        &identity->component,       &identity->environment,
        &identity->project_uid,     &identity->component_uid,
        &identity->environment_uid,
    };

    for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++)
        *text[i] = arena_copy(arena, *text[i]);
}
