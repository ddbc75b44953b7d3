/*
 * Sets of names: under which names records of a resource may be stored. Those
 * of its own attributes and the present ones are known of every resource; a
 * list has what it was called besides, here or on another instance.
 */
#include <stdlib.h>

#include "array.h"
#include "hash.h"
#include "mem.h"
#include "registry_shared.h"

static uint32_t set_hash(const uint32_t name[IDENTITY_NAMES])
{
    uint64_t hash = 0;

    for (unsigned i = 0; i < IDENTITY_NAMES; i++)
        hash = hash_mix(hash, name[i]);
    return map_hash(hash);
}

uint32_t shared_set_of(struct registry *reg,
                       const uint32_t name[IDENTITY_NAMES])
{
    struct shared *sh = reg->shared;
    uint32_t hash = set_hash(name);
    struct name_set *set;

    map_each(&sh->by_set, hash, at)
        if (memcmp(sh->sets[at].name, name, sizeof(sh->sets[at].name)) == 0)
            return at;
    set = array_append(&sh->sets, sh->set_count, &sh->set_room);
    memcpy(set->name, name, sizeof(set->name));
    map_add(&sh->by_set, hash, sh->set_count);
    return sh->set_count++;
}

uint32_t shared_set_of_identity(struct registry *reg, uint32_t identity)
{
    return shared_set_of(reg,
                         reg->identities.at[ident_resolve(reg, identity)].text);
}

bool shared_has_set(const struct registry *reg, uint32_t id, uint32_t set)
{
    const struct shared *sh = reg->shared;

    if (sh->at[id].own_names == set)
        return true;
    for (uint32_t i = sh->at[id].former; i != NONE; i = sh->former[i].next)
        if (sh->former[i].set == set)
            return true;
    return false;
}

void shared_note_set(struct registry *reg, uint32_t id, uint32_t set)
{
    struct shared *sh = reg->shared;
    struct former_names *former;

    if (shared_has_set(reg, id, set))
        return;
    former = array_append(&sh->former, sh->former_count, &sh->former_room);
    *former = (struct former_names){set, sh->at[id].former};
    sh->at[id].former = sh->former_count++;
}

void shared_note_early(struct registry *reg, uint64_t key, uint32_t set)
{
    struct shared *sh = reg->shared;

    if (!sh->early)
        sh->early = mem_zero(EARLY_MAX, sizeof(*sh->early));
    sh->early[sh->early_count++ % EARLY_MAX] = (struct early_names){key, set};
}

void shared_take_early(struct registry *reg, uint32_t id)
{
    struct shared *sh = reg->shared;
    uint32_t count = sh->early_count < EARLY_MAX ? sh->early_count : EARLY_MAX;

    for (uint32_t i = 0; i < count; i++)
        if (sh->early[i].key == sh->at[id].key) {
            shared_note_set(reg, id, sh->early[i].set);
            sh->early[i].key = 0;
        }
}

/* With the numbers of the new table of names. Sets that differed in names that
 * had no room then become one: both stay, and both are found by number. */
void shared_keep_sets(struct registry *reg, const struct intern *old,
                      struct intern *names)
{
    struct shared *sh = reg->shared;

    map_release(&sh->by_set);
    for (uint32_t i = 0; i < sh->set_count; i++) {
        for (unsigned k = 0; k < IDENTITY_NAMES; k++)
            sh->sets[i].name[k] =
                intern_add(names, intern_text(old, sh->sets[i].name[k]));
        map_add(&sh->by_set, set_hash(sh->sets[i].name), i);
    }
}

/* Drops the lists of resources that were forgotten, and sets that nothing
 * refers to. */
void shared_compact_sets(struct registry *reg)
{
    struct shared *sh = reg->shared;
    struct name_set *sets = sh->sets;
    struct former_names *former = sh->former;

    sh->sets = NULL;
    sh->former = NULL;
    sh->set_count = sh->set_room = sh->former_count = sh->former_room = 0;
    map_release(&sh->by_set);
    for (uint32_t id = 0; id < sh->count; id++) {
        struct shared_resource *s = &sh->at[id];
        uint32_t at = s->former;

        if (!s->key)
            continue;
        s->own_names = shared_set_of(reg, sets[s->own_names].name);
        for (s->former = NONE; at != NONE; at = former[at].next)
            shared_note_set(reg, id,
                            shared_set_of(reg, sets[former[at].set].name));
    }
    for (uint32_t i = 0; sh->early && i < EARLY_MAX; i++)
        if (sh->early[i].key)
            sh->early[i].set = shared_set_of(reg, sets[sh->early[i].set].name);
    free(sets);
    free(former);
}
