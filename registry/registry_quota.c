/*
 * Quotas: what each namespace holds of the tables, so that none can crowd out
 * the others.
 *
 *   live entries  a namespace with less than 1/16 of them gets one as long as
 *                 one is free; the last 1/16 is only for such namespaces. When
 *                 the table is full, the namespace that holds most gives some
 *                 (registry_evict.c), and then may not grow for a while.
 *   ids           cannot be taken back before the retention is over, so a
 *                 namespace has at most three times as many as are free, or
 *                 1/16.
 *   identities    likewise.
 *   the limit     `resources` of the limits file: above it a namespace takes no
 *                 place of others, and new resources of it overflow.
 */
#include "array.h"
#include "clock.h"
#include "log.h"
#include "registry_int.h"
#include "stats.h"
#include "tenants.h"

enum { SHARE = 16, PER_FREE = 3, LOG_AGAIN_S = 3600, NOTE_S = 600 };

void quota_index(struct registry *reg, uint32_t quota)
{
    map_add(&reg->quotas.by_name, map_hash_number(reg->quotas.at[quota].name),
            quota);
}

uint32_t quota_of(struct registry *reg, uint32_t name)
{
    struct quota_table *table = &reg->quotas;
    uint32_t quota = table->first_free;

    map_each(&table->by_name, map_hash_number(name), at)
        if (table->at[at].name == name)
            return at;
    if (quota != NONE) {
        table->first_free = table->at[quota].limit;
    } else {
        quota = table->count++;
        array_reserve(&table->at, table->count, &table->room);
    }
    table->at[quota] = (struct namespace_quota){.name = name};
    quota_index(reg, quota);
    return quota;
}

void quota_free_unused(struct registry *reg)
{
    struct quota_table *table = &reg->quotas;

    table->first_free = NONE;
    for (uint32_t i = 0; i < table->count; i++) {
        struct namespace_quota *quota = &table->at[i];

        if (quota->identities > 0 || quota->ids > 0)
            continue;
        *quota = (struct namespace_quota){.limit = table->first_free};
        table->first_free = i;
    }
}

void quota_count_resource(struct registry *reg, uint32_t identity, bool is_live,
                          int step)
{
    struct identity_entry *entry =
        &reg->identities.at[ident_resolve(reg, identity)];
    struct namespace_quota *quota = &reg->quotas.at[entry->quota];

    entry->resources += (uint32_t)step;
    quota->ids += (uint32_t)step;
    if (is_live)
        quota->live += (uint32_t)step;
}

/* ---- room ---- */

uint32_t quota_minimum(const struct registry *reg)
{
    return reg->options.max_resources / SHARE;
}

bool quota_is_over_limit(const struct registry *reg, uint32_t number)
{
    const struct namespace_quota *quota = &reg->quotas.at[number];

    return reg->options.tenants &&
           quota->live >= tenants_limit(reg->options.tenants,
                                        intern_text(&reg->names, quota->name),
                                        LIMIT_RESOURCES, UINT64_MAX);
}

bool quota_has_slot(const struct registry *reg, uint32_t number)
{
    const struct namespace_quota *quota = &reg->quotas.at[number];
    uint32_t max = reg->options.max_resources;

    if (quota_is_over_limit(reg, number))
        return false;
    if (quota->live < quota_minimum(reg))
        return reg->live.used < max;
    if (registry_now_s(reg) < quota->limit_until_s &&
        quota->live >= quota->limit)
        return false;
    return reg->live.used < max - quota_minimum(reg);
}

static bool has_share(uint32_t held, uint32_t used, uint32_t max)
{
    return used < max && (held < max / SHARE || held / PER_FREE <= max - used);
}

bool quota_has_id(const struct registry *reg, uint32_t quota)
{
    return has_share(reg->quotas.at[quota].ids, reg->resources.received,
                     reg->options.max_ids);
}

bool quota_has_identity(const struct registry *reg, uint32_t quota,
                        uint32_t max)
{
    return has_share(reg->quotas.at[quota].identities, reg->identities.used,
                     max);
}

uint32_t quota_largest(const struct registry *reg, uint32_t number)
{
    uint32_t least = reg->quotas.at[number].live, best = NONE;
    uint32_t step = reg->options.max_resources / (SHARE * 8);

    /* Enough more to be worth a sweep. */
    if (least < quota_minimum(reg))
        least = quota_minimum(reg) + step;
    else
        least += quota_minimum(reg);
    for (uint32_t i = 0; i < reg->quotas.count; i++)
        if (i != number && reg->quotas.at[i].live > least) {
            least = reg->quotas.at[i].live;
            best = i;
        }
    return best;
}

/* ---- log and /health ---- */

void quota_overflowed(struct registry *reg, uint32_t number)
{
    struct namespace_quota *quota = &reg->quotas.at[number];
    uint32_t now = registry_now_s(reg);
    struct slice name = intern_text(&reg->names, quota->name);

    if (quota->overflows == 0 || now - quota->overflow_from_s >= LOG_AGAIN_S) {
        quota->overflow_from_s = now;
        quota->overflows = 0;
        log_warn(
            "registry",
            "table of resources is full: records of new resources keep their "
            "component, but not their other resource attributes",
            log_slice("namespace", name), log_uint("live", quota->live),
            log_uint("max_resources", reg->options.max_resources));
    }
    quota->overflow_s = now;
    quota->overflows++;
    quota->overflows_total++;
}

uint32_t registry_live_resources(struct registry *reg, struct slice namespace)
{
    uint32_t live = 0, name;

    pthread_rwlock_rdlock(&reg->lock);
    name = intern_find(&reg->names, namespace);
    map_each(&reg->quotas.by_name, map_hash_number(name), at)
        if (name && reg->quotas.at[at].name == name)
            live = reg->quotas.at[at].live;
    pthread_rwlock_unlock(&reg->lock);
    return live;
}

bool registry_note(struct registry *reg, struct buf *out)
{
    const struct namespace_quota *worst = NULL;
    uint32_t count = 0, now = (uint32_t)(clock_wall_ns() / NS_PER_S);

    pthread_rwlock_rdlock(&reg->lock);
    for (uint32_t i = 0; i < reg->quotas.count; i++) {
        const struct namespace_quota *quota = &reg->quotas.at[i];

        if (quota->overflows == 0 || now > quota->overflow_s + NOTE_S)
            continue;
        count++;
        if (!worst || quota->overflows > worst->overflows)
            worst = quota;
    }
    if (worst) {
        struct slice name = intern_text(&reg->names, worst->name);

        buf_format(out,
                   "table of resources full (%u of --max-resources %u): "
                   "namespace %.*s holds %u, %llu more had no room",
                   reg->live.used, reg->options.max_resources, (int)name.len,
                   name.ptr, worst->live, (unsigned long long)worst->overflows);
        if (count > 1)
            buf_format(out, "; %u more namespaces had resources without room",
                       count - 1);
    }
    pthread_rwlock_unlock(&reg->lock);
    return worst != NULL;
}
