/*
 * Builds names, pods and maps anew after resources or identities were dropped.
 * Nothing can be removed from maps and names one by one, which keeps them
 * simple.
 */
#include "registry_shared.h"

/* A pod without live resources stays for so long: its stamped resource may have
 * found no room. */
enum { IDLE_S = 600 };

static void keep_name(const struct intern *old, struct intern *new,
                      uint32_t *name)
{
    *name = intern_add(new, intern_text(old, *name));
}

static void keep_pod_names(const struct intern *old, struct intern *new,
                           struct workflow_pod *names)
{
    keep_name(old, new, &names->k8s_namespace);
    keep_name(old, new, &names->pod_name);
    keep_name(old, new, &names->task);
}

static void rebuild_names(struct registry *reg)
{
    struct intern old = reg->names, new;
    uint32_t bytes = intern_bytes(&old);

    /* All of these fitted, if not under the present bound. */
    intern_init(&new, bytes > old.max_bytes ? bytes : old.max_bytes,
                NAME_MAX_BYTES);
    intern_add(&new, SLICE("default"));
    intern_add(&new, SLICE("{other}"));
    intern_add(&new, SLICE(NAMESPACE_DELETED));
    for (uint32_t i = 0; i < reg->identities.count; i++)
        for (unsigned k = 0; k < IDENTITY_TEXTS; k++)
            keep_name(&old, &new, &reg->identities.at[i].text[k]);
    for (uint32_t i = 0; i < reg->quotas.count; i++)
        keep_name(&old, &new, &reg->quotas.at[i].name);
    for (uint32_t place = 0; place < reg->live.end; place++) {
        struct live_resource *live = &reg->live.at[place];

        if (live->names.id == NONE)
            continue;
        keep_pod_names(&old, &new, &live->names);
        keep_name(&old, &new, &live->service);
        keep_name(&old, &new, &live->k8s_service);
        keep_name(&old, &new, &live->ip);
    }
    for (uint32_t i = 0; i < reg->workflows.count; i++)
        keep_pod_names(&old, &new, &reg->workflows.at[i]);
    if (reg->shared)
        shared_keep_sets(reg, &old, &new);
    new.max_bytes = old.max_bytes;
    reg->names = new;
    intern_release(&old);
}

/* ---- pods ---- */

static bool pod_stays(const struct registry *reg,
                      const struct registry_pod *pod)
{
    return pod->merged_into == NONE &&
           (pod->resources > 0 || pod->seen_s + IDLE_S >= registry_now_s(reg));
}

static void index_keys(struct registry *reg, uint32_t pod,
                       const uint64_t keys[POD_KEY_COUNT])
{
    for (unsigned i = 0; i < POD_KEY_COUNT; i++)
        if (keys[i])
            key_map_set(&reg->pods.by_key, keys[i], pod);
}

static void attach_resources(struct registry *reg)
{
    for (uint32_t place = 0; place < reg->live.end; place++) {
        struct live_resource *live = &reg->live.at[place];

        live->pod = pod_resolve(reg, live->pod);
        if (live->names.id == NONE || live->pod == NONE)
            continue;
        live->next_in_pod = NONE;
        index_keys(reg, live->pod, live->keys);
        pod_attach(reg, live->pod, live->names.id);
    }
}

static void free_unused_pods(struct registry *reg)
{
    struct pod_table *table = &reg->pods;

    table->first_free = NONE;
    table->used = 0;
    for (uint32_t number = 0; number < table->count; number++) {
        struct registry_pod *pod = &table->at[number];

        pod->own = NONE;
        if (pod_stays(reg, pod)) {
            if (pod->resources == 0)
                index_keys(reg, number, pod->keys);
            table->used++;
            continue;
        }
        *pod = (struct registry_pod){.identity = NONE,
                                     .first = table->first_free,
                                     .own = NONE,
                                     .merged_into = NONE};
        table->first_free = number;
    }
}

/* Lists, counts and keys of the pods, from the resources that stay. */
static void rebuild_pods(struct registry *reg)
{
    key_map_release(&reg->pods.by_key);
    for (uint32_t i = 0; i < reg->pods.count; i++) {
        reg->pods.at[i].first = NONE;
        reg->pods.at[i].resources = 0;
    }
    attach_resources(reg);
    for (uint32_t i = 0; i < reg->identities.count; i++) {
        struct identity_entry *entry = &reg->identities.at[i];

        entry->pod = pod_resolve(reg, entry->pod);
        if (entry->pod < POD_SHARED &&
            !pod_stays(reg, &reg->pods.at[entry->pod])) {
            entry->pod = POD_GONE;
            reg->identities.provisional--;
        }
    }
    free_unused_pods(reg);
    for (uint32_t i = 0; i < reg->identities.count; i++)
        if (reg->identities.at[i].pod < POD_SHARED)
            pod_own(reg, reg->identities.at[i].pod, i);
}

/* ---- maps ---- */

static void rebuild_maps(struct registry *reg)
{
    map_release(&reg->live.by_hash);
    key_map_release(&reg->live.by_record);
    key_map_release(&reg->identities.by_key);
    key_map_release(&reg->hosts);
    key_map_release(&reg->uids);
    map_release(&reg->quotas.by_name);
    for (uint32_t i = 0; i < reg->quotas.count; i++)
        if (reg->quotas.at[i].name != 0)
            quota_index(reg, i);
    for (uint32_t i = 0; i < reg->identities.count; i++)
        if (reg->identities.at[i].rule != RULE_NONE &&
            reg->identities.at[i].moved_to == NONE)
            ident_index(reg, i);
    for (uint32_t i = 0; i < reg->identities.count; i++)
        if (reg->identities.at[i].overflow != NONE)
            host_add_identity(reg, ident_resolve(reg, i));
    for (uint32_t place = 0; place < reg->live.end; place++) {
        uint32_t id = reg->live.at[place].names.id;

        if (id == NONE)
            continue;
        registry_index_resource(reg, id);
        host_add_resource(reg, id);
        resource_claim_uids(reg, id);
    }
}

static bool is_deleted(const struct registry *reg, uint32_t id)
{
    uint32_t identity = ident_resolve(reg, reg->resources.identity[id]);

    return reg->identities.at[identity].deleted;
}

static void drop_forgotten_workflows(struct registry *reg)
{
    struct workflow_table *table = &reg->workflows;
    uint32_t count = 0;

    for (uint32_t i = 0; i < table->count; i++) {
        const struct resource_state *state =
            &reg->resources.at[table->at[i].id];

        if (state->kind <= RESOURCE_RECORD && state->live == NONE &&
            !is_deleted(reg, table->at[i].id))
            table->at[count++] = table->at[i];
    }
    table->count = count;
}

void registry_rebuild(struct registry *reg)
{
    quota_free_unused(reg);
    drop_forgotten_workflows(reg);
    rebuild_names(reg);
    rebuild_pods(reg);
    rebuild_maps(reg);
    if (reg->shared)
        shared_rebuild(reg);
}
