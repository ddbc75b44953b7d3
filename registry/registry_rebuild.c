/*
 * What is made from the resources, made anew after some were dropped. Nothing
 * can be taken out of maps and names one by one, so that they are simple.
 */
#include "registry_int.h"

/* A pod without live resources stays as long as this. */
enum { IDLE_S = 600 };

static void keep_name(const struct intern *old, struct intern *new,
                      uint32_t *name)
{
    *name = intern_add(new, intern_text(old, *name));
}

static void renew_names(struct registry *registry)
{
    struct intern old = registry->names, new;

    /* All of these fitted, if not under the cap of now. */
    intern_init(&new,
                intern_bytes(&old) > old.max_bytes ? intern_bytes(&old)
                                                   : old.max_bytes,
                NAME_MAX_BYTES);
    intern_add(&new, SLICE("default"));
    intern_add(&new, SLICE("{other}"));
    for (uint32_t i = 0; i < registry->ident_count; i++) {
        struct identity_entry *ident = &registry->ident[i];

        for (unsigned k = 0; k < IDENT_NAMES; k++)
            keep_name(&old, &new, &ident->name[k]);
        for (unsigned k = 0; k < IDENT_UIDS; k++)
            keep_name(&old, &new, &ident->uid[k]);
    }
    for (uint32_t i = 0; i < registry->space_count; i++)
        keep_name(&old, &new, &registry->spaces[i].name);
    for (uint32_t place = 0; place < registry->live_end; place++) {
        struct live_resource *live = &registry->live[place];

        if (live->id == NONE)
            continue;
        keep_name(&old, &new, &live->k8s_namespace);
        keep_name(&old, &new, &live->pod_name);
        keep_name(&old, &new, &live->task);
        keep_name(&old, &new, &live->service);
        keep_name(&old, &new, &live->k8s_service);
        keep_name(&old, &new, &live->ip);
    }
    for (uint32_t i = 0; i < registry->workflow_count; i++) {
        struct workflow_pod *pod = &registry->workflow_pods[i];

        keep_name(&old, &new, &pod->k8s_namespace);
        keep_name(&old, &new, &pod->pod_name);
        keep_name(&old, &new, &pod->task);
    }
    new.max_bytes = old.max_bytes;
    registry->names = new;
    intern_release(&old);
}

/* One without live resources may still be waited for: its stamped resource
 * found no place, or what it sends has none. */
static bool pod_stays(const struct registry *registry,
                      const struct registry_pod *pod)
{
    return pod->merged_into == NONE &&
           (pod->resources > 0 ||
            pod->seen_s + IDLE_S >= registry_now_s(registry));
}

static void index_keys(struct registry *registry, uint32_t pod,
                       const uint64_t keys[POD_KEY_COUNT])
{
    for (unsigned i = 0; i < POD_KEY_COUNT; i++)
        if (keys[i])
            idmap_set(&registry->pod_by_key, keys[i], pod);
}

static void attach_all(struct registry *registry)
{
    for (uint32_t place = 0; place < registry->live_end; place++) {
        struct live_resource *live = &registry->live[place];

        if (live->id == NONE || live->pod == NONE)
            continue;
        live->next_in_pod = NONE;
        index_keys(registry, live->pod, live->keys);
        pod_attach(registry, live->pod, live->id);
    }
}

static void free_pods(struct registry *registry)
{
    registry->free_pod = NONE;
    registry->pods_used = 0;
    for (uint32_t number = 0; number < registry->pod_count; number++) {
        struct registry_pod *pod = &registry->pods[number];

        pod->own = NONE;
        if (pod_stays(registry, pod)) {
            if (pod->resources == 0)
                index_keys(registry, number, pod->keys);
            registry->pods_used++;
            continue;
        }
        *pod = (struct registry_pod){.identity = NONE,
                                     .first = registry->free_pod,
                                     .own = NONE,
                                     .merged_into = NONE};
        registry->free_pod = number;
    }
}

/* Lists and counts of the pods from the resources that stay; a pod without
 * any is free for another. */
static void renew_pods(struct registry *registry)
{
    idmap_release(&registry->pod_by_key);
    for (uint32_t i = 0; i < registry->ident_count; i++)
        registry->ident[i].pod = pod_resolve(registry, registry->ident[i].pod);
    for (uint32_t place = 0; place < registry->live_end; place++)
        registry->live[place].pod =
            pod_resolve(registry, registry->live[place].pod);
    for (uint32_t pod = 0; pod < registry->pod_count; pod++) {
        registry->pods[pod].first = NONE;
        registry->pods[pod].resources = 0;
    }
    attach_all(registry);
    for (uint32_t i = 0; i < registry->ident_count; i++) {
        struct identity_entry *ident = &registry->ident[i];

        if (ident->pod < POD_SHARED &&
            !pod_stays(registry, &registry->pods[ident->pod])) {
            ident->pod = POD_GONE;
            registry->provisional--;
        }
    }
    free_pods(registry);
    for (uint32_t i = 0; i < registry->ident_count; i++)
        if (registry->ident[i].pod < POD_SHARED)
            pod_own(registry, registry->ident[i].pod, i);
}

static void renew_maps(struct registry *registry)
{
    uint32_t spaces = registry->space_count;

    idmap_release(&registry->res_by_hash);
    idmap_release(&registry->by_record);
    idmap_release(&registry->ident_by_key);
    idmap_release(&registry->hosts);
    idmap_release(&registry->space_by_name);
    for (uint32_t i = 0; i < spaces; i++)
        if (registry->spaces[i].name != 0)
            quota_index(registry, i);
    for (uint32_t i = 0; i < registry->ident_count; i++)
        if (registry->ident[i].rule != RULE_NONE &&
            registry->ident[i].moved_to == NONE)
            ident_index(registry, i);
    for (uint32_t i = 0; i < registry->ident_count; i++)
        if (registry->ident[i].overflow != NONE)
            host_add_identity(registry, ident_resolve(registry, i));
    for (uint32_t place = 0; place < registry->live_end; place++)
        if (registry->live[place].id != NONE) {
            registry_index_resource(registry, registry->live[place].id);
            host_add_resource(registry, registry->live[place].id);
        }
}

static void renew_workflows(struct registry *registry)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < registry->workflow_count; i++) {
        const struct resource_state *res =
            &registry->res[registry->workflow_pods[i].id];

        if (res->kind <= RESOURCE_RECORD && res->live == NONE)
            registry->workflow_pods[count++] = registry->workflow_pods[i];
    }
    registry->workflow_count = count;
}

void registry_rebuild(struct registry *registry)
{
    quota_free_unused(registry);
    renew_workflows(registry);
    renew_names(registry);
    renew_pods(registry);
    renew_maps(registry);
}
