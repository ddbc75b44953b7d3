/*
 * What an engine that instances share asks (store_resources.h).
 *
 * An anchor is the oldest resource whose own attributes give the identity: it
 * is never re-tagged away from it alone. Derived resources are made with their
 * identities, so a query has nothing to make.
 */
#include <stdlib.h>

#include "registry_shared.h"
#include "store_resources.h"

static uint64_t anchor_of(const struct registry *reg, uint32_t identity)
{
    const struct shared *sh = reg->shared;
    uint32_t now = ident_resolve(reg, identity);

    if (now == NONE || now >= sh->anchor_count || sh->anchors[now] == NONE)
        return 0;
    return sh->at[sh->anchors[now]].key;
}

/* Of a derived resource: the number that it was made for. */
static uint32_t identity_of(const struct registry *reg, uint32_t id)
{
    return ident_resolve(reg, reg->resources.identity[id]);
}

static bool describe(void *arg, uint32_t id, struct arena *arena,
                     struct resource_names *out)
{
    struct registry *reg = arg;
    uint32_t identity;

    pthread_rwlock_rdlock(&reg->lock);
    identity = id < reg->resources.count ? identity_of(reg, id) : NONE;
    if (identity != NONE) {
        out->key = reg->resources.at[id].kind == RESOURCE_DERIVED
                       ? anchor_of(reg, identity)
                       : reg->shared->at[id].key;
        ident_view(reg, identity, &out->identity);
        ident_copy(&out->identity, arena);
    }
    pthread_rwlock_unlock(&reg->lock);
    return identity != NONE && out->key != 0;
}

static uint32_t find_key(const struct registry *reg, uint64_t key)
{
    uint32_t id = key_map_get(&reg->shared->by_key, key);

    return id == NONE ? RESOURCE_NONE : id;
}

static uint32_t find(void *arg, uint64_t key)
{
    struct registry *reg = arg;
    uint32_t id;

    pthread_rwlock_rdlock(&reg->lock);
    id = find_key(reg, key);
    pthread_rwlock_unlock(&reg->lock);
    if (id == RESOURCE_NONE && key && reg->shared->log->hurry)
        reg->shared->log->hurry(reg->shared->log->arg);
    return id;
}

static uint32_t find_identity(void *arg, uint64_t anchor)
{
    struct registry *reg = arg;
    uint32_t id, identity = IDENTITY_NONE;

    pthread_rwlock_rdlock(&reg->lock);
    id = find_key(reg, anchor);
    if (id != RESOURCE_NONE)
        identity = identity_of(reg, id);
    pthread_rwlock_unlock(&reg->lock);
    return identity;
}

static uint32_t find_derived(void *arg, uint64_t anchor)
{
    struct registry *reg = arg;
    uint32_t id, found = RESOURCE_NONE;

    pthread_rwlock_rdlock(&reg->lock);
    id = find_key(reg, anchor);
    if (id != RESOURCE_NONE)
        found = reg->identities.at[identity_of(reg, id)].derived;
    pthread_rwlock_unlock(&reg->lock);
    return found;
}

static uint32_t find_sender(void *arg, uint64_t key)
{
    struct registry *reg = arg;
    struct identity view;
    uint32_t id, identity;

    pthread_rwlock_rdlock(&reg->lock);
    id = find_key(reg, key);
    if (id != RESOURCE_NONE) {
        identity = identity_of(reg, id);
        ident_view(reg, identity, &view);
        if (view.component.len > 0)
            id = reg->identities.at[identity].derived;
    }
    pthread_rwlock_unlock(&reg->lock);
    return id;
}

static uint64_t identity_anchor(void *arg, uint32_t identity)
{
    struct registry *reg = arg;
    uint64_t key;

    pthread_rwlock_rdlock(&reg->lock);
    key = anchor_of(reg, identity);
    pthread_rwlock_unlock(&reg->lock);
    return key;
}

/* ---- selections ---- */

struct choice {
    const struct registry *reg;
    struct arena *arena;
    struct bitmap *chosen;     /* received and overflow resources */
    struct bitmap *sets;       /* sets of names that are known by number */
    struct bitmap *identities; /* whose present names count */
    uint32_t known;            /* how many there are to choose from */
    struct resource_selection *out;
};

/* The identities of the derived resources in the set. */
static struct bitmap *derived_identities(const struct registry *reg,
                                         const struct bitmap *set,
                                         struct arena *arena)
{
    struct bitmap *found = bitmap_new(arena, reg->identities.count);

    for (uint32_t id = 0; found && id < reg->resources.count; id++)
        if (bitmap_has(set, id) &&
            reg->resources.at[id].kind == RESOURCE_DERIVED)
            bitmap_add(found, identity_of(reg, id));
    return found;
}

/* Those with a key that are in the set, or have one of the identities. */
static bool choose(struct choice *c, const struct bitmap *set, bool derived)
{
    const struct registry *reg = c->reg;
    struct bitmap *of = derived ? derived_identities(reg, set, c->arena) : NULL;

    c->chosen = bitmap_new(c->arena, reg->shared->count);
    c->sets = bitmap_new(c->arena, reg->shared->set_count);
    c->identities = bitmap_new(c->arena, reg->identities.count);
    if (!c->chosen || !c->sets || !c->identities || (derived && !of))
        return false;
    for (uint32_t id = 0; id < reg->shared->count; id++) {
        const struct shared_resource *s = &reg->shared->at[id];

        if (!s->key || s->deleted)
            continue;
        c->known++;
        if (derived ? bitmap_has(of, identity_of(reg, id))
                    : bitmap_has(set, id)) {
            bitmap_add(c->chosen, id);
            bitmap_add(c->identities, identity_of(reg, id));
            bitmap_add(c->sets, s->own_names);
        }
    }
    return true;
}

static int by_number(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

static bool list_keys(struct choice *c)
{
    const struct shared *sh = c->reg->shared;
    uint64_t *keys =
        arena_alloc(c->arena, (c->chosen->count + 1) * sizeof(*keys));
    uint32_t count = 0;

    for (uint32_t id = 0; keys && id < sh->count; id++) {
        if (!bitmap_has(c->chosen, id))
            continue;
        keys[count++] = sh->at[id].key;
        for (uint32_t i = sh->at[id].former; i != NONE; i = sh->former[i].next)
            bitmap_add(c->sets, sh->former[i].set);
    }
    if (keys)
        qsort(keys, count, sizeof(*keys), by_number);
    c->out->keys = keys;
    c->out->key_count = count;
    return keys;
}

static int by_names(const void *left, const void *right)
{
    return identity_compare(left, right);
}

/* The texts are copied by the caller. */
static bool list_names(struct choice *c)
{
    const struct registry *reg = c->reg;
    uint32_t most = c->sets->count + c->identities->count, count = 0, kept = 0;
    struct identity *names = arena_zero(c->arena, most + 1, sizeof(*names));

    for (uint32_t i = 0; names && i < reg->shared->set_count; i++)
        if (bitmap_has(c->sets, i)) {
            for (unsigned k = 0; k < IDENTITY_NAMES; k++)
                names[count].text[k] =
                    intern_text(&reg->names, reg->shared->sets[i].name[k]);
            count++;
        }
    for (uint32_t i = 0; names && i < reg->identities.count; i++)
        if (bitmap_has(c->identities, i))
            ident_view(reg, i, &names[count++]);
    if (!names)
        return false;
    qsort(names, count, sizeof(*names), by_names);
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || identity_compare(&names[kept - 1], &names[i]) != 0)
            names[kept++] = names[i];
    for (uint32_t i = 0; i < kept; i++)
        ident_copy(&names[i], c->arena);
    c->out->names = names;
    c->out->name_count = kept;
    return c->arena->status == OK;
}

/* Fewer than an eighth of all are left out, of many. */
static bool are_most(const struct choice *c)
{
    enum { MANY_NAMES = 100 };

    return c->identities->count >= MANY_NAMES &&
           c->known - c->chosen->count < c->known / 8;
}

static const struct resource_selection *select_keys(
    void *arg, const struct bitmap *resources, bool derived,
    struct arena *arena)
{
    struct registry *reg = arg;
    struct choice c = {.reg = reg, .arena = arena};
    bool fits;

    c.out = arena_zero(arena, 1, sizeof(*c.out));
    if (!c.out)
        return NULL;
    pthread_rwlock_rdlock(&reg->lock);
    fits = choose(&c, resources, derived) && list_keys(&c) &&
           (are_most(&c) || list_names(&c));
    pthread_rwlock_unlock(&reg->lock);
    return fits ? c.out : NULL;
}

struct store_resources registry_resources(struct registry *reg)
{
    return (struct store_resources){.arg = reg,
                                    .describe = describe,
                                    .find = find,
                                    .find_derived = find_derived,
                                    .find_sender = find_sender,
                                    .identity_anchor = identity_anchor,
                                    .find_identity = find_identity,
                                    .select = select_keys};
}
