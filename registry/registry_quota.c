/*
 * Spaces: what each namespace holds of the tables, so that none can take the
 * place of all the others.
 *
 *   places      of live resources: a namespace with less than 1/16 of them
 *               gets one as long as there is one; the last 1/16 is for such
 *               only. When all are taken, the namespace that holds most gives
 *               (registry_evict.c), and then may not grow for a while.
 *   ids         cannot be taken back before the retention is over, so here a
 *               namespace has at most three times as many as are free, or 1/16.
 *   identities  likewise.
 */
#include "array.h"
#include "clock.h"
#include "hash.h"
#include "log.h"
#include "registry_int.h"
#include "stats.h"

enum { SHARE = 16, PER_FREE = 3, SAY_AGAIN_S = 3600, NOTE_S = 600 };

static uint64_t key_of(uint32_t name)
{
    return hash_mix(name, UINT64_C(0x7370616365));
}

void quota_index(struct registry *registry, uint32_t space)
{
    idmap_set(&registry->space_by_name, key_of(registry->spaces[space].name),
              space);
}

uint32_t quota_of(struct registry *registry, uint32_t name)
{
    uint32_t space = idmap_get(&registry->space_by_name, key_of(name));

    if (space != IDMAP_NONE)
        return space;
    space = registry->free_space;
    if (space != NONE) {
        registry->free_space = registry->spaces[space].limit;
    } else {
        array_reserve(&registry->spaces, registry->space_count + 1,
                      &registry->space_room);
        space = registry->space_count++;
    }
    registry->spaces[space] = (struct namespace_quota){.name = name};
    quota_index(registry, space);
    return space;
}

void quota_free_unused(struct registry *registry)
{
    registry->free_space = NONE;
    for (uint32_t i = 0; i < registry->space_count; i++) {
        struct namespace_quota *space = &registry->spaces[i];

        if (space->identities > 0 || space->ids > 0)
            continue;
        *space = (struct namespace_quota){.limit = registry->free_space};
        registry->free_space = i;
    }
}

void quota_count_resource(struct registry *registry, uint32_t identity,
                          bool is_live, int step)
{
    struct identity_entry *ident =
        &registry->ident[ident_resolve(registry, identity)];
    struct namespace_quota *space = &registry->spaces[ident->space];

    ident->resources += (uint32_t)step;
    space->ids += (uint32_t)step;
    if (is_live)
        space->live += (uint32_t)step;
}

uint32_t quota_minimum(const struct registry *registry)
{
    return registry->options.max_resources / SHARE;
}

bool quota_has_slot(const struct registry *registry, uint32_t number)
{
    const struct namespace_quota *space = &registry->spaces[number];
    uint32_t max = registry->options.max_resources;

    if (space->live < quota_minimum(registry))
        return registry->live_count < max;
    if (registry_now_s(registry) < space->limit_until_s &&
        space->live >= space->limit)
        return false;
    return registry->live_count < max - quota_minimum(registry);
}

/* A share of what cannot be taken back. */
static bool has_share(uint32_t held, uint32_t used, uint32_t max)
{
    return used < max && (held < max / SHARE || held / PER_FREE <= max - used);
}

bool quota_has_id(const struct registry *registry, uint32_t space)
{
    return has_share(registry->spaces[space].ids, registry->received,
                     registry->options.max_ids);
}

bool quota_has_identity(const struct registry *registry, uint32_t space,
                        uint32_t max)
{
    return has_share(registry->spaces[space].identities, registry->ident_used,
                     max);
}

uint32_t quota_largest(const struct registry *registry, uint32_t number)
{
    uint32_t least = registry->spaces[number].live, best = NONE;
    uint32_t step = registry->options.max_resources / (SHARE * 8);

    /* So much more that it is worth the work. */
    if (least < quota_minimum(registry))
        least = quota_minimum(registry) + step;
    else
        least += registry->options.max_resources / SHARE;
    for (uint32_t i = 0; i < registry->space_count; i++)
        if (i != number && registry->spaces[i].live > least) {
            least = registry->spaces[i].live;
            best = i;
        }
    return best;
}

/* ---- saying it ---- */

void quota_overflowed(struct registry *registry, uint32_t number)
{
    struct namespace_quota *space = &registry->spaces[number];
    uint32_t now = registry_now_s(registry);
    struct slice name = intern_text(&registry->names, space->name);

    if (space->overflows == 0 || now - space->overflow_from_s >= SAY_AGAIN_S) {
        space->overflow_from_s = now;
        space->overflows = 0;
        log_warn(
            "registry",
            "table of resources is full: records of new resources keep their "
            "component, but not their other resource attributes",
            log_slice("namespace", name), log_uint("live", space->live),
            log_uint("max_resources", registry->options.max_resources));
    }
    space->overflow_s = now;
    space->overflows++;
}

bool registry_note(struct registry *registry, struct buf *out)
{
    const struct namespace_quota *worst = NULL;
    uint32_t count = 0, now = (uint32_t)(clock_wall_ns() / NS_PER_S);

    pthread_rwlock_rdlock(&registry->lock);
    for (uint32_t i = 0; i < registry->space_count; i++) {
        const struct namespace_quota *space = &registry->spaces[i];

        if (space->overflows == 0 || now > space->overflow_s + NOTE_S)
            continue;
        count++;
        if (!worst || space->overflows > worst->overflows)
            worst = space;
    }
    if (worst) {
        struct slice name = intern_text(&registry->names, worst->name);

        buf_format(out,
                   "table of resources full (%u of --max-resources %u): "
                   "namespace %.*s holds %u, %llu more had no room",
                   registry->live_count, registry->options.max_resources,
                   (int)name.len, name.ptr, worst->live,
                   (unsigned long long)worst->overflows);
        if (count > 1)
            buf_format(out, "; nor had resources of %u more namespaces",
                       count - 1);
    }
    pthread_rwlock_unlock(&registry->lock);
    return worst != NULL;
}
