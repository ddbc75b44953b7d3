/*
 * Making room in the tables.
 *
 *   forget   A resource that was not seen for forget_ns, or not since the
 *            arrival of the oldest stored record: its records are gone, and its
 *            id is freed. So are identities that nothing refers to any more.
 *   evict    Of the others, those unseen longest lose their live entry: first
 *            those of any namespace silent for DEAD_S and those of the
 *            namespace that wants room silent for IDLE_S; then those of the
 *            namespace that holds most. Id and identity stay, so stored records
 *            are found as before; when the resource is sent again, it is a new
 *            one.
 *
 * Maps and names are built anew from what stays (registry_rebuild.c). So this
 * runs only when a table is full, takes many at a time, and pauses for SWEEP_S
 * if there was nothing to take.
 */
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "mem.h"
#include "registry_shared.h"
#include "stats.h"

enum {
    FORGET_MIN = 1000,
    SWEEP_S = 30,
    IDLE_S = 600,
    DEAD_S = 3600,
    BATCHES = 16,
    MAX_DONORS = 4 /* namespaces that give room in one sweep */
};

/* ---- forget ---- */

/* What was last seen before this time may be forgotten; 0: nothing. */
static uint64_t forget_before(const struct registry *reg)
{
    uint64_t keep = reg->options.forget_ns, before = 0;
    uint64_t oldest = store_oldest_ns(reg->store);

    if (keep > 0 && reg->shared) /* others tell twice a day that they see it */
        keep += NS_PER_DAY;
    if (keep > 0 && keep < reg->now_ns)
        before = reg->now_ns - keep;
    /* Records may be an hour ahead of time, and chunks hold whole hours. */
    if (oldest > NS_PER_DAY && oldest - NS_PER_DAY > before)
        before = oldest - NS_PER_DAY;
    return before;
}

static bool unseen(uint32_t seen_s, uint64_t before)
{
    return (seen_s + UINT64_C(1)) * NS_PER_S < before;
}

static void forget_received(struct registry *reg, uint32_t id)
{
    struct resource_state *state = &reg->resources.at[id];
    uint32_t identity = reg->resources.identity[id];
    uint32_t derived = reg->identities.at[ident_resolve(reg, identity)].derived;

    quota_count_resource(reg, identity, state->live != NONE, -1);
    if (state->live != NONE)
        live_free(reg, id);
    /* Its series were written while it was seen. */
    if (derived != NONE && reg->resources.at[derived].seen_s < state->seen_s)
        reg->resources.at[derived].seen_s = state->seen_s;
    reg->resources.unassigned -= state->rule == RULE_UNASSIGNED;
    reg->resources.received--;
}

static void forget_resource(struct registry *reg, uint32_t id)
{
    const struct resource_state *state = &reg->resources.at[id];

    if (state->kind <= RESOURCE_RECORD)
        forget_received(reg, id);
    else if (state->kind == RESOURCE_DERIVED)
        reg->identities.at[state->owner].derived = NONE;
    else if (state->owner != NONE)
        reg->identities.at[state->owner].overflow = NONE;
    if (reg->shared)
        shared_forget(reg, id);
    registry_free_id(reg, id);
    reg->resources.identity[id] = NONE;
    registry_queue_write(reg, id, WRITE_RESOURCE_IDENTITY);
}

/* A derived resource goes after the last resource of its identity. */
static bool may_go(const struct registry *reg,
                   const struct resource_state *state)
{
    if (state->kind == RESOURCE_DERIVED) {
        if (state->owner == NONE)
            return false;
        const struct identity_entry *owner = &reg->identities.at[state->owner];
        return owner->resources == 0 && owner->overflow == NONE;
    }
    return state->kind != RESOURCE_FREE;
}

/* Derived ones in a second pass. Each one is a row to write, so only so many
 * at a time. */
static uint32_t forget_resources(struct registry *reg, uint64_t before)
{
    uint32_t dropped = 0, most = FORGET_MIN + reg->options.max_resources;

    for (int derived = 0; derived < 2; derived++)
        for (uint32_t id = 0; id < reg->resources.count && dropped < most;
             id++) {
            const struct resource_state *state = &reg->resources.at[id];

            if ((state->kind == RESOURCE_DERIVED) == derived &&
                may_go(reg, state) && unseen(state->seen_s, before)) {
                forget_resource(reg, id);
                dropped++;
            }
        }
    return dropped;
}

/* The identities that a resource refers to, directly or by a re-tagging, and
 * those used lately. */
static bool *mark_used(const struct registry *reg, uint64_t before)
{
    bool *used = mem_zero(reg->identities.count + 1, sizeof(*used));

    for (uint32_t id = 0; id < reg->resources.count; id++) {
        const struct resource_state *state = &reg->resources.at[id];

        if (state->kind == RESOURCE_FREE)
            continue;
        used[reg->resources.identity[id]] = true;
        if (state->owner != NONE)
            used[state->owner] = true;
        if (shared_of(reg, id))
            used[shared_of(reg, id)->own] = true;
    }
    for (uint32_t i = 0; i < reg->identities.count; i++) {
        const struct identity_entry *entry = &reg->identities.at[i];

        if (!unseen(entry->used_s, before) ||
            entry->used_s >= registry_now_s(reg))
            used[i] = true;
        if (entry->moved_to != NONE && used[i])
            used[entry->moved_to] = true;
    }
    return used;
}

static uint32_t forget_identities(struct registry *reg, uint64_t before)
{
    bool *used = mark_used(reg, before);
    uint32_t dropped = 0;

    for (uint32_t i = 0; i < reg->identities.count; i++)
        if (reg->identities.at[i].rule != RULE_NONE && !used[i]) {
            ident_forget(reg, i);
            dropped++;
        }
    free(used);
    return dropped;
}

static uint32_t forget(struct registry *reg)
{
    uint64_t before = forget_before(reg);

    if (before == 0)
        return 0;
    return forget_resources(reg, before) + forget_identities(reg, before);
}

/* ---- evict ---- */

struct eviction {
    uint32_t seen_s, id;
};

static int by_time(const void *left, const void *right)
{
    const struct eviction *a = left, *b = right;

    if (a->seen_s != b->seen_s)
        return a->seen_s < b->seen_s ? -1 : 1;
    return a->id < b->id ? -1 : 1;
}

void registry_retain_workflow(struct registry *reg,
                              const struct workflow_pod *names)
{
    struct slice namespace = intern_text(&reg->names, names->k8s_namespace);
    struct workflow_table *table = &reg->workflows;
    struct workflow_pod *pod;

    if (!slice_starts(namespace, SLICE(WORKFLOW_PREFIX)) ||
        names->pod_name == 0 || reg->resources.at[names->id].helper)
        return;
    pod = array_append(&table->at, table->count, &table->room);
    *pod = *names;
    table->count++;
}

static void evict(struct registry *reg, uint32_t id)
{
    uint32_t identity = ident_resolve(reg, reg->resources.identity[id]);

    registry_retain_workflow(reg, &registry_live(reg, id)->names);
    reg->quotas.at[reg->identities.at[identity].quota].live--;
    live_free(reg, id);
    stats_add(STATS_RESOURCES_EVICTED, 1);
}

/* How many have to go so that there is room for a while. */
static uint32_t surplus(const struct registry *reg)
{
    uint32_t max = reg->options.max_resources;
    uint32_t goal = max - quota_minimum(reg);

    goal -= max / BATCHES > 0 ? max / BATCHES : 1;
    return reg->live.used > goal ? reg->live.used - goal : 0;
}

/* Of this namespace those silent for idle_s; with an idle_s, those of any
 * namespace silent for DEAD_S. */
static bool is_candidate(const struct registry *reg, uint32_t id,
                         uint32_t quota, uint32_t idle_s)
{
    uint32_t identity = ident_resolve(reg, reg->resources.identity[id]);
    uint32_t now = registry_now_s(reg), seen = reg->resources.at[id].seen_s;
    uint32_t age = now > seen ? now - seen : 0;

    return (reg->identities.at[identity].quota == quota && age >= idle_s) ||
           (idle_s > 0 && age >= DEAD_S);
}

/* At most so many candidates, those unseen longest first. */
static uint32_t evict_unseen(struct registry *reg, uint32_t quota,
                             uint32_t idle_s, uint32_t most)
{
    struct eviction *all = mem_alloc((reg->live.end + 1) * sizeof(*all));
    uint32_t count = 0;

    for (uint32_t place = 0; place < reg->live.end; place++) {
        uint32_t id = reg->live.at[place].names.id;

        if (id != NONE && is_candidate(reg, id, quota, idle_s))
            all[count++] = (struct eviction){reg->resources.at[id].seen_s, id};
    }
    qsort(all, count, sizeof(*all), by_time);
    if (count > most)
        count = most;
    for (uint32_t i = 0; i < count; i++)
        evict(reg, all[i].id);
    free(all);
    return count;
}

/* Evicts from a namespace that holds more, down to the middle between the two.
 * The donor may not grow for a while. */
static uint32_t take_from(struct registry *reg, uint32_t donor, uint32_t quota)
{
    struct namespace_quota *from = &reg->quotas.at[donor];
    uint32_t least = reg->quotas.at[quota].live, most, count = surplus(reg);

    if (least < quota_minimum(reg))
        least = quota_minimum(reg);
    most = (from->live - least + 1) / 2;
    count = evict_unseen(reg, donor, 0, count < most ? count : most);
    from->limit = from->live;
    from->limit_until_s = registry_now_s(reg) + IDLE_S;
    return count;
}

/* ---- room ---- */

bool registry_forget_identities(struct registry *reg)
{
    if (reg->now_ns - reg->swept_identities_ns < SWEEP_S * NS_PER_S)
        return false;
    reg->swept_identities_ns = reg->now_ns;
    if (forget(reg) == 0)
        return false;
    registry_rebuild(reg);
    return true;
}

bool registry_make_room(struct registry *reg, uint32_t quota)
{
    uint32_t donor = quota_largest(reg, quota), count;
    bool is_small = reg->quotas.at[quota].live < quota_minimum(reg);

    if (reg->now_ns - reg->swept_ns < SWEEP_S * NS_PER_S &&
        !(is_small && donor != NONE && quota_has_id(reg, quota)))
        return false;
    count = forget(reg);
    if (quota_has_id(reg, quota)) {
        if (!quota_has_slot(reg, quota))
            count += evict_unseen(
                reg, quota, IDLE_S,
                surplus(reg) + reg->options.max_resources / (BATCHES * 8) + 1);
        for (int i = 0; i < MAX_DONORS; i++) {
            donor = quota_largest(reg, quota);
            if (donor == NONE || quota_has_slot(reg, quota) ||
                quota_is_over_limit(reg, quota))
                break;
            count += take_from(reg, donor, quota);
        }
    }
    if (!quota_has_slot(reg, quota) || !quota_has_id(reg, quota))
        reg->swept_ns = reg->now_ns;
    if (count > 0)
        registry_rebuild(reg);
    return count > 0;
}
