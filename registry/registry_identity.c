/*
 * Identities: found by their texts, or made.
 *
 * The map has several entries for an identity, told apart by a seed:
 *
 *   BY_NAMES   four names             -> the youngest that has them
 *   BY_ALL     four names, three uids -> that one
 *   BY_UID     component uid, environment name or uid -> that one, for senders
 *              that know uids only
 *   BY_POD     four names and a pod   -> INFERRED or UNASSIGNED, that pod's own
 *
 * Names that are first seen without and later with uids are one identity, which
 * is completed in place; other uids make a new one (a component that was
 * deleted and created again). No entry leads to a list, so a sender that makes
 * up uids cannot make a lookup slow.
 *
 * An identity that only one pod has can be re-tagged as a whole; its number
 * then stands for the other identity as long as anything refers to it.
 */
#include "array.h"
#include "hash.h"
#include "registry_shared.h"

enum { BY_NAMES = 1, BY_ALL, BY_UID, BY_POD, BY_POD_AND_NAMESPACE };

/* A share of max_identities, beyond it, for the fallbacks. */
enum { FALLBACKS = 8 };

static uint64_t mix_all(uint64_t seed, const uint32_t *at, size_t count)
{
    uint64_t h = seed;

    for (size_t i = 0; i < count; i++)
        h = hash_mix(h, at[i] + UINT64_C(1));
    return h;
}

static uint64_t key_names(const uint32_t text[IDENTITY_TEXTS])
{
    return mix_all(BY_NAMES, text, IDENTITY_NAMES);
}

static uint64_t key_all(const uint32_t text[IDENTITY_TEXTS])
{
    return mix_all(BY_ALL, text, IDENTITY_TEXTS);
}

static uint64_t key_uid(uint32_t component_uid, uint32_t environment)
{
    return mix_all(BY_UID, (const uint32_t[]){component_uid, environment}, 2);
}

static uint64_t key_pod(const uint32_t text[IDENTITY_TEXTS], uint32_t pod,
                        bool names_namespace)
{
    return hash_mix(mix_all(BY_POD + names_namespace, text, IDENTITY_NAMES),
                    pod);
}

/* ---- the table ---- */

uint32_t ident_resolve(const struct registry *reg, uint32_t identity)
{
    if (identity >= reg->identities.count)
        return NONE;
    if (reg->identities.at[identity].moved_to != NONE)
        return reg->identities.at[identity].moved_to;
    return identity;
}

static void clear(struct identity_entry *entry, uint8_t generation)
{
    memset(entry, 0, sizeof(*entry));
    entry->pod = entry->next_in_pod = entry->moved_to = NONE;
    entry->derived = entry->overflow = NONE;
    entry->generation = generation;
}

struct identity_entry *ident_reserve(struct registry *reg, uint32_t identity)
{
    struct identity_table *table = &reg->identities;

    array_reserve(&table->at, identity + 1, &table->room);
    while (table->count <= identity)
        clear(&table->at[table->count++], 0);
    return &table->at[identity];
}

void ident_index(struct registry *reg, uint32_t identity)
{
    struct key_map *map = &reg->identities.by_key;
    const struct identity_entry *entry = &reg->identities.at[identity];
    const uint32_t *text = entry->text;
    uint32_t uid = text[IDENTITY_COMPONENT_UID];

    if (entry->pod == POD_GONE)
        return;
    if (entry->pod < POD_SHARED) {
        key_map_set(map, key_pod(text, entry->pod, entry->names_namespace),
                    identity);
        return;
    }
    key_map_set(map, key_names(text), identity);
    key_map_set(map, key_all(text), identity);
    uid_claim(reg, identity, false);
    if (!uid)
        return;
    key_map_set(map, key_uid(uid, text[IDENTITY_ENVIRONMENT]), identity);
    if (text[IDENTITY_ENVIRONMENT_UID])
        key_map_set(map, key_uid(uid, text[IDENTITY_ENVIRONMENT_UID]),
                    identity);
}

/* Equal names, and no uid that differs. */
static bool identity_matches(const struct registry *reg, uint32_t identity,
                             const uint32_t text[IDENTITY_TEXTS])
{
    if (identity == NONE)
        return false;

    const uint32_t *own = reg->identities.at[identity].text;

    for (unsigned i = 0; i < IDENTITY_TEXTS; i++)
        if (own[i] != text[i] && (i < IDENTITY_NAMES || (own[i] && text[i])))
            return false;
    return true;
}

uint32_t ident_find(const struct registry *reg,
                    const uint32_t text[IDENTITY_TEXTS])
{
    const struct key_map *map = &reg->identities.by_key;
    uint32_t component = text[IDENTITY_COMPONENT_UID];
    uint32_t identity = key_map_get(map, key_names(text));

    if (!identity_matches(reg, identity, text) && component)
        identity =
            key_map_get(map, key_uid(component, text[IDENTITY_ENVIRONMENT]));
    return identity_matches(reg, identity, text)
               ? identity
               : key_map_get(map, key_all(text));
}

static uint32_t make(struct registry *reg, const uint32_t text[IDENTITY_TEXTS],
                     uint8_t rule, uint32_t pod, bool names_namespace)
{
    struct identity_table *table = &reg->identities;
    uint32_t identity = table->first_free;
    struct identity_entry *entry;

    if (identity == NONE) {
        identity = table->count;
        entry = ident_reserve(reg, identity);
    } else {
        entry = &table->at[identity];
        table->first_free = entry->next_in_pod;
        entry->next_in_pod = NONE;
    }
    table->used++;
    entry->quota = quota_of(reg, text[IDENTITY_NAMESPACE]);
    reg->quotas.at[entry->quota].identities++;
    entry->names_namespace = names_namespace;
    memcpy(entry->text, text, sizeof(entry->text));
    entry->rule = rule;
    entry->pod = pod;
    entry->used_s = registry_now_s(reg);
    entry->first_seen_ns = reg->now_ns;
    if (pod < POD_SHARED) {
        table->provisional++;
        pod_own(reg, pod, identity);
    }
    ident_index(reg, identity);
    registry_queue_write(reg, identity, WRITE_IDENTITY);
    return identity;
}

void ident_forget(struct registry *reg, uint32_t identity)
{
    struct identity_table *table = &reg->identities;
    struct identity_entry *entry = &table->at[identity];

    if (entry->moved_to == NONE)
        reg->quotas.at[entry->quota].identities--;
    table->provisional -= entry->pod < POD_SHARED;
    table->used--;
    clear(entry, (uint8_t)(entry->generation + 1));
    entry->next_in_pod = table->first_free;
    table->first_free = identity;
    registry_queue_write(reg, identity, WRITE_IDENTITY);
}

/* Adds uids that were not known, and a stronger rule. */
static void complete(struct registry *reg, uint32_t identity,
                     const uint32_t text[IDENTITY_TEXTS], uint8_t rule)
{
    struct identity_entry *entry = &reg->identities.at[identity];
    bool changed = rule < entry->rule;

    if (changed)
        entry->rule = rule;
    for (unsigned i = IDENTITY_NAMES; i < IDENTITY_TEXTS; i++)
        if (text[i] && !entry->text[i]) {
            entry->text[i] = text[i];
            changed = true;
        }
    if (changed) {
        ident_index(reg, identity);
        registry_queue_write(reg, identity, WRITE_IDENTITY);
        if (reg->shared)
            reg->shared->completed = true;
    }
}

/* ---- from attributes ---- */

/* The first that is not empty. */
static struct slice either(struct slice a, struct slice b)
{
    return a.len > 0 ? a : b;
}

static struct slice or_default(struct slice text)
{
    return either(text, SLICE("default"));
}

/* The label, what the sender gives, or the next best. */
static struct slice label_or(const struct resource_attributes *fields,
                             enum label label, enum identity_text name,
                             struct slice next)
{
    return either(fields->label[label], either(fields->given[name], next));
}

static struct slice namespace_of(const struct resource_attributes *fields)
{
    return label_or(fields, LABEL_NAMESPACE, IDENTITY_NAMESPACE,
                    SLICE("default"));
}

/* False if the names do not fit. */
static bool intern(struct registry *reg,
                   const struct slice from[IDENTITY_TEXTS],
                   uint32_t text[IDENTITY_TEXTS])
{
    for (unsigned i = 0; i < IDENTITY_TEXTS; i++)
        if ((text[i] = intern_add(&reg->names, from[i])) == INTERN_FULL)
            return false;
    return true;
}

/* By the component's uid, for a sender that knows no names. */
static uint32_t find_by_uid(const struct registry *reg,
                            const struct resource_attributes *fields)
{
    const struct slice *label = fields->label;
    struct slice uid = label[LABEL_COMPONENT_UID];
    struct slice environment =
        either(label[LABEL_ENVIRONMENT_UID],
               label_or(fields, LABEL_ENVIRONMENT, IDENTITY_ENVIRONMENT,
                        SLICE("default")));
    uint64_t tenant = attributes_tenant(fields);
    uint32_t identity;

    if (uid.len == 0 || label[LABEL_COMPONENT].len > 0)
        return NONE;
    identity = key_map_get(&reg->identities.by_key,
                           key_uid(intern_find(&reg->names, uid),
                                   intern_find(&reg->names, environment)));
    /* A uid of one namespace proves nothing in another. */
    if (identity != NONE && attributes_name_namespace(fields) &&
        tenant != ident_tenant(reg, identity))
        return NONE;
    return identity;
}

uint64_t ident_tenant(const struct registry *reg, uint32_t identity)
{
    const struct identity_entry *entry =
        &reg->identities.at[ident_resolve(reg, identity)];

    return tenant_of(intern_text(&reg->names, entry->text[IDENTITY_NAMESPACE]));
}

uint32_t ident_stamped(struct registry *reg,
                       const struct resource_attributes *fields, uint8_t rule)
{
    /* Instances that share find the names later: registry_shared_uids.c. */
    uint32_t identity = reg->shared ? NONE : find_by_uid(reg, fields);
    uint32_t text[IDENTITY_TEXTS];
    const struct slice *label = fields->label;
    bool component =
        label[LABEL_COMPONENT].len > 0 || label[LABEL_COMPONENT_UID].len > 0;
    struct slice uid =
        label[component ? LABEL_COMPONENT_UID : LABEL_RESOURCE_UID];
    struct slice name =
        either(label[LABEL_COMPONENT], either(label[LABEL_RESOURCE], uid));

    if (identity != NONE)
        return identity;
    if (name.len == 0 && attributes_name_service(fields))
        name = fields->service;

    const struct slice from[IDENTITY_TEXTS] = {
        namespace_of(fields),
        label_or(fields, LABEL_PROJECT, IDENTITY_PROJECT,
                 or_default(label[LABEL_PROJECT_UID])),
        name,
        label_or(fields, LABEL_ENVIRONMENT, IDENTITY_ENVIRONMENT,
                 or_default(label[LABEL_ENVIRONMENT_UID])),
        label[LABEL_PROJECT_UID],
        uid,
        label[LABEL_ENVIRONMENT_UID],
    };

    if (!intern(reg, from, text))
        return NONE;
    identity = ident_find(reg, text);
    if (identity != NONE)
        complete(reg, identity, text, rule);
    else if (quota_has_identity(reg, quota_of(reg, text[IDENTITY_NAMESPACE]),
                                reg->options.max_identities))
        identity = make(reg, text, rule, NONE, false);
    return identity;
}

/* One that only this pod has as long as there is room for such, else one that
 * all pods of these names share. A quarter of the room is kept for stamped
 * identities, and some for shared ones. */
uint32_t ident_unstamped(struct registry *reg,
                         const struct resource_attributes *fields, uint8_t rule,
                         uint32_t pod)
{
    const struct slice none = {NULL, 0};
    bool inferred = rule == RULE_INFERRED;
    const struct slice from[IDENTITY_TEXTS] = {
        namespace_of(fields),
        inferred ? either(fields->given[IDENTITY_PROJECT],
                          or_default(fields->service_namespace))
                 : none,
        inferred ? fields->service : none,
        label_or(
            fields, LABEL_ENVIRONMENT, IDENTITY_ENVIRONMENT,
            or_default(either(fields->environment, fields->old_environment))),
    };
    const struct identity_table *table = &reg->identities;
    bool names_namespace = attributes_tenant(fields) != 0;
    uint32_t max = reg->options.max_identities / 4 * 3, identity = NONE;
    uint32_t text[IDENTITY_TEXTS];

    if (!intern(reg, from, text))
        return NONE;

    uint32_t quota = quota_of(reg, text[IDENTITY_NAMESPACE]);

    if (pod != NONE) {
        if (pod < POD_SHARED)
            identity = key_map_get(&table->by_key,
                                   key_pod(text, pod, names_namespace));
        if (identity == NONE && table->provisional < max / 3 * 2 &&
            table->used < max - max / 8 && quota_has_identity(reg, quota, max))
            identity = make(reg, text, rule, pod, names_namespace);
    }
    if (identity == NONE)
        identity = key_map_get(&table->by_key, key_names(text));
    if (identity == NONE && quota_has_identity(reg, quota, max))
        identity = make(reg, text, rule, NONE, false);
    return identity;
}

uint32_t ident_quota(struct registry *reg,
                     const struct resource_attributes *fields)
{
    uint32_t name = intern_add(&reg->names, namespace_of(fields));

    if (name == INTERN_FULL)
        name = intern_find(&reg->names, SLICE("{other}"));
    return quota_of(reg, name);
}

/* If there are too many namespaces, too, they share a name that no namespace
 * can have. */
uint32_t ident_fallback(struct registry *reg,
                        const struct resource_attributes *fields)
{
    struct slice namespace = namespace_of(fields);
    struct intern *names = &reg->names;
    uint32_t text[IDENTITY_TEXTS] = {
        [IDENTITY_NAMESPACE] = intern_add(names, namespace),
        [IDENTITY_ENVIRONMENT] = intern_find(names, SLICE("default"))};
    uint32_t max = reg->options.max_identities, identity;

    if (text[IDENTITY_NAMESPACE] != INTERN_FULL) {
        identity = key_map_get(&reg->identities.by_key, key_names(text));
        if (identity != NONE)
            return identity;
        if (reg->identities.used < max + max / FALLBACKS)
            return make(reg, text, RULE_UNASSIGNED, NONE, false);
    }
    text[IDENTITY_NAMESPACE] = intern_find(names, SLICE("{other}"));
    identity = key_map_get(&reg->identities.by_key, key_names(text));
    return identity != NONE ? identity
                            : make(reg, text, RULE_UNASSIGNED, NONE, false);
}

/* ---- what was deleted ---- */

bool ident_is_deleted(const struct registry *reg,
                      const uint32_t text[IDENTITY_TEXTS])
{
    return text[IDENTITY_COMPONENT] == 0 &&
           slice_equal(intern_text(&reg->names, text[IDENTITY_NAMESPACE]),
                       SLICE(NAMESPACE_DELETED));
}

/* One for all namespaces: it has room whatever the bounds. */
uint32_t ident_deleted(struct registry *reg)
{
    uint32_t text[IDENTITY_TEXTS] = {
        intern_find(&reg->names, SLICE(NAMESPACE_DELETED))};
    uint32_t identity = key_map_get(&reg->identities.by_key, key_names(text));

    if (identity == NONE)
        identity = make(reg, text, RULE_UNASSIGNED, NONE, false);
    reg->identities.at[identity].deleted = true;
    return identity;
}

/* ---- re-tagging, and views ---- */

void ident_move(struct registry *reg, uint32_t from, uint32_t to)
{
    struct identity_entry *old = &reg->identities.at[from];
    struct identity_entry *new = &reg->identities.at[to];

    old->moved_to = to;
    reg->identities.provisional -= old->pod < POD_SHARED;
    reg->quotas.at[old->quota].identities--;
    /* Only evicted ones still resolve to it: the live ones were re-tagged. */
    reg->quotas.at[old->quota].ids -= old->resources;
    reg->quotas.at[new->quota].ids += old->resources;
    new->resources += old->resources;
    old->resources = 0;
    old->pod = POD_GONE;
    if (old->first_seen_ns < new->first_seen_ns)
        new->first_seen_ns = old->first_seen_ns;
    for (unsigned i = 0; i < SIGNAL_COUNT; i++)
        if (old->last_seen_ns[i] > new->last_seen_ns[i])
            new->last_seen_ns[i] = old->last_seen_ns[i];
    if (old->derived != NONE)
        registry_set_identity(reg, old->derived, to, RULE_LEARNED);
    if (old->overflow != NONE)
        registry_set_identity(reg, old->overflow, to, RULE_LEARNED);
    registry_queue_write(reg, from, WRITE_IDENTITY);
}

void ident_view(const struct registry *reg, uint32_t identity,
                struct identity *out)
{
    const struct identity_entry *entry = &reg->identities.at[identity];

    out->id = identity;
    out->rule = entry->rule;
    for (unsigned i = 0; i < IDENTITY_TEXTS; i++)
        out->text[i] = intern_text(&reg->names, entry->text[i]);
}

void ident_copy(struct identity *identity, struct arena *arena)
{
    for (unsigned i = 0; i < IDENTITY_TEXTS; i++)
        identity->text[i] = arena_copy(arena, identity->text[i]);
}
