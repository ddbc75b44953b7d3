/*
 * Senders that know uids only: their identity has the uid as its name, and
 * stands for the one that has names and this uid, whichever is known first. Of
 * several such the first by name counts, so that instances agree.
 */
#include "array.h"
#include "registry_shared.h"

/* Of more identities with one uid the others are not looked at. */
enum { WITH_ONE_UID = 64 };

static bool is_unnamed(const struct identity_entry *entry)
{
    return entry->text[IDENTITY_COMPONENT] ==
           entry->text[IDENTITY_COMPONENT_UID];
}

/* A uid of one namespace proves nothing in another, if the sender names one;
 * the environment may be named by its uid, too. */
static bool may_stand_for(const struct registry *reg,
                          const struct identity_entry *unnamed,
                          const struct identity_entry *named)
{
    const uint32_t *from = unnamed->text, *to = named->text;
    uint32_t environment = from[IDENTITY_ENVIRONMENT];

    return !is_unnamed(named) && named->rule != RULE_NONE &&
           named->moved_to == NONE &&
           (from[IDENTITY_NAMESPACE] == to[IDENTITY_NAMESPACE] ||
            from[IDENTITY_NAMESPACE] ==
                intern_find(&reg->names, SLICE("default"))) &&
           (environment == to[IDENTITY_ENVIRONMENT] ||
            environment == to[IDENTITY_ENVIRONMENT_UID]);
}

static bool comes_first(const struct registry *reg, uint32_t a, uint32_t b)
{
    struct identity left, right;
    int order;

    ident_view(reg, a, &left);
    ident_view(reg, b, &right);
    order = identity_compare(&left, &right);
    for (int i = IDENTITY_NAMES; i < IDENTITY_TEXTS && order == 0; i++)
        order = slice_compare(left.text[i], right.text[i]);
    return order < 0;
}

/* NONE: nothing with names has its uid. */
static uint32_t best_of(const struct registry *reg, uint32_t unnamed,
                        uint32_t first)
{
    const struct shared *sh = reg->shared;
    uint32_t best = NONE, left = WITH_ONE_UID;

    for (uint32_t i = first; i != NONE && left-- > 0; i = sh->uid_next[i])
        if (shared_has_anchor(reg, i) &&
            may_stand_for(reg, &reg->identities.at[unnamed],
                          &reg->identities.at[i]) &&
            (best == NONE || comes_first(reg, i, best)))
            best = i;
    return best;
}

/* Counts the resources that have this identity, `step` each. */
static void count_resources(struct registry *reg, uint32_t identity, int step)
{
    for (uint32_t id = 0; id < reg->shared->count; id++)
        if (reg->shared->at[id].key &&
            reg->resources.identity[id] == identity &&
            reg->resources.at[id].kind <= RESOURCE_RECORD)
            quota_count_resource(reg, identity,
                                 reg->resources.at[id].live != NONE, step);
}

/* All that has this identity goes over. */
static void stand_for(struct registry *reg, uint32_t unnamed, uint32_t named)
{
    struct shared *sh = reg->shared;

    if (reg->identities.at[unnamed].moved_to == named)
        return;
    count_resources(reg, unnamed, -1);
    shared_point(reg, unnamed, named);
    count_resources(reg, unnamed, 1);
    for (uint32_t id = 0; id < sh->count; id++)
        if (sh->at[id].key && reg->resources.identity[id] == unnamed)
            registry_queue_write(reg, id, WRITE_RESOURCE_IDENTITY);
    for (uint32_t id = 0; id < sh->count; id++)
        if (sh->at[id].key && sh->at[id].own == unnamed && !sh->at[id].deleted)
            shared_learn(reg, id);
}

void shared_find_named(struct registry *reg)
{
    const struct shared *sh = reg->shared;

    for (uint32_t i = 0; i < sh->uid_count; i++) {
        const struct identity_entry *entry = &reg->identities.at[i];
        uint32_t uid = entry->text[IDENTITY_COMPONENT_UID];

        if (uid && entry->rule != RULE_NONE && is_unnamed(entry) &&
            shared_has_anchor(reg, i))
            stand_for(
                reg, i,
                best_of(reg, i, key_map_get(&sh->by_uid, shared_uid_key(uid))));
    }
}

static void add_to_list(struct registry *reg, uint32_t identity, uint32_t uid)
{
    struct shared *sh = reg->shared;

    array_reserve(&sh->uid_next, identity + 1, &sh->uid_room);
    while (sh->uid_count <= identity)
        sh->uid_next[sh->uid_count++] = NONE;
    sh->uid_next[identity] = key_map_get(&sh->by_uid, shared_uid_key(uid));
    key_map_set(&sh->by_uid, shared_uid_key(uid), identity);
}

void shared_note_uid(struct registry *reg, uint32_t identity, bool changed)
{
    struct shared *sh = reg->shared;
    uint32_t uid = reg->identities.at[identity].text[IDENTITY_COMPONENT_UID];
    uint32_t first = uid ? key_map_get(&sh->by_uid, shared_uid_key(uid)) : NONE;
    uint32_t left = WITH_ONE_UID;
    bool known = false;

    if (uid == 0)
        return;
    for (uint32_t i = first; i != NONE && !known; i = sh->uid_next[i])
        known = i == identity;
    if (known && !changed)
        return;
    if (!known) {
        add_to_list(reg, identity, uid);
        first = identity;
    }
    for (uint32_t i = first; i != NONE && left-- > 0; i = sh->uid_next[i])
        if (is_unnamed(&reg->identities.at[i]) && shared_has_anchor(reg, i))
            stand_for(reg, i, best_of(reg, i, first));
}

/* After the names were numbered anew, or identities forgotten. */
void shared_rebuild_uids(struct registry *reg)
{
    struct shared *sh = reg->shared;

    key_map_release(&sh->by_uid);
    sh->uid_count = 0;
    for (uint32_t i = 0; i < reg->identities.count; i++) {
        const struct identity_entry *entry = &reg->identities.at[i];
        bool gone = entry->moved_to != NONE &&
                    reg->identities.at[entry->moved_to].deleted;

        if (entry->rule != RULE_NONE && !gone &&
            entry->text[IDENTITY_COMPONENT_UID])
            add_to_list(reg, i, entry->text[IDENTITY_COMPONENT_UID]);
    }
}
