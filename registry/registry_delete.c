/*
 * Deleting a namespace: nobody sees its components or records again.
 *
 * Stored records refer to the ids of its resources until the retention is over,
 * so neither ids nor numbers of identities may be used again before. All of
 * them are re-tagged to one identity that no query returns, the deleted one,
 * and go with what else was not seen for so long (registry_evict.c). That is
 * stored as any re-tagging is. Nothing of the namespace is recognized any more:
 * what it sends from now on is new.
 */
#include "registry_shared.h"

/* In the namespace, or of a run of its workflows, whose pods need have no
 * labels. */
static bool is_part(const struct registry *reg, uint32_t id, uint32_t name,
                    uint32_t workflows)
{
    uint32_t identity = reg->resources.identity[id];
    const struct live_resource *live = registry_live(reg, id);

    if (identity == NONE)
        return false;
    identity = ident_resolve(reg, identity);
    return reg->identities.at[identity].text[IDENTITY_NAMESPACE] == name ||
           (live && workflows && live->names.k8s_namespace == workflows);
}

/* It keeps its key, so that others delete it, too. What only it had becomes the
 * identity of what was deleted. */
static void delete_shared(struct registry *reg, struct shared_resource *s,
                          uint32_t deleted)
{
    uint32_t own = s->own;

    s->deleted = true;
    if (!s->alone)
        return;
    if (reg->identities.at[own].moved_to == NONE)
        ident_move(reg, own, deleted);
    reg->identities.at[own].moved_to = deleted;
}

void registry_delete_resource(struct registry *reg, uint32_t id,
                              uint32_t deleted)
{
    struct shared_resource *s = shared_of(reg, id);

    reg->resources.at[id].retry = false;
    registry_set_identity(reg, id, deleted, RULE_LEARNED);
    if (s)
        delete_shared(reg, s, deleted);
    if (reg->resources.at[id].live == NONE)
        return;
    reg->quotas.at[reg->identities.at[deleted].quota].live--;
    live_free(reg, id);
}

/* Evicted pods of workflow runs are in a table of their own. */
static void delete_workflows(struct registry *reg, uint32_t workflows,
                             uint32_t deleted, struct registry_deletion *out)
{
    for (uint32_t i = 0; workflows && i < reg->workflows.count; i++) {
        const struct workflow_pod *pod = &reg->workflows.at[i];

        if (pod->k8s_namespace != workflows ||
            reg->resources.identity[pod->id] == NONE ||
            ident_resolve(reg, reg->resources.identity[pod->id]) == deleted)
            continue;
        registry_delete_resource(reg, pod->id, deleted);
        out->resources++;
    }
}

/* Overflow resources go with their identities, but where instances share them:
 * there they have keys of their own. */
static bool may_delete(const struct registry *reg, uint32_t id,
                       uint64_t until_ns)
{
    const struct shared_resource *s = shared_of(reg, id);

    if (reg->shared)
        return s && !s->deleted && s->first_ns <= until_ns;
    return reg->resources.at[id].kind <= RESOURCE_RECORD;
}

static void delete_resources(struct registry *reg, uint32_t name,
                             uint32_t workflows, uint32_t deleted,
                             uint64_t until_ns, struct registry_deletion *out)
{
    for (uint32_t id = 0; id < reg->resources.count; id++) {
        const struct resource_state *state = &reg->resources.at[id];

        if (!may_delete(reg, id, until_ns) ||
            !is_part(reg, id, name, workflows))
            continue;
        if (state->kind == RESOURCE_OVERFLOW)
            reg->identities.at[state->owner].overflow = NONE;
        registry_delete_resource(reg, id, deleted);
        out->resources++;
    }
    if (!reg->shared) /* no evicted one without a key */
        delete_workflows(reg, workflows, deleted, out);
}

/* Something of it was sent after the deletion. */
static bool is_kept(const struct registry *reg, uint32_t identity)
{
    return reg->shared && reg->identities.at[identity].resources > 0;
}

/* Those that were re-tagged to one of them follow. */
static void delete_identities(struct registry *reg, uint32_t name,
                              uint32_t deleted, struct registry_deletion *out)
{
    for (uint32_t i = 0; i < reg->identities.count; i++) {
        struct identity_entry *entry = &reg->identities.at[i];

        if (entry->moved_to == NONE || entry->moved_to == deleted ||
            reg->identities.at[entry->moved_to].text[IDENTITY_NAMESPACE] !=
                name ||
            is_kept(reg, entry->moved_to))
            continue;
        entry->moved_to = deleted;
        registry_queue_write(reg, i, WRITE_IDENTITY);
    }
    for (uint32_t i = 0; i < reg->identities.count; i++) {
        const struct identity_entry *entry = &reg->identities.at[i];

        if (entry->rule == RULE_NONE || entry->moved_to != NONE ||
            entry->text[IDENTITY_NAMESPACE] != name || is_kept(reg, i))
            continue;
        ident_move(reg, i, deleted);
        out->identities++;
    }
}

/* Pods forget what they learned, or what comes would be re-tagged like it. */
static void delete_pods(struct registry *reg, uint64_t tenant, uint32_t deleted)
{
    for (uint32_t i = 0; i < reg->pods.count; i++) {
        struct registry_pod *pod = &reg->pods.at[i];

        if (pod->identity != NONE &&
            ident_resolve(reg, pod->identity) == deleted)
            pod->identity = NONE;
        if (pod->tenant == tenant)
            pod->tenant = 0;
    }
}

static uint32_t workflows_of(const struct registry *reg, struct slice namespace)
{
    char text[NAME_MAX_BYTES + sizeof(WORKFLOW_PREFIX)];
    size_t prefix = strlen(WORKFLOW_PREFIX);

    memcpy(text, WORKFLOW_PREFIX, prefix);
    memcpy(text + prefix, namespace.ptr, namespace.len);
    return intern_find(&reg->names,
                       (struct slice){text, prefix + namespace.len});
}

void registry_delete_until(struct registry *reg, struct slice namespace,
                           uint64_t until_ns, struct registry_deletion *out)
{
    uint32_t name, workflows, deleted;

    *out = (struct registry_deletion){0, 0};
    if (namespace.len == 0 || namespace.len > NAME_MAX_BYTES ||
        slice_equal(namespace, SLICE(NAMESPACE_DELETED)))
        return;
    name = intern_find(&reg->names, namespace);
    workflows = workflows_of(reg, namespace);
    if (!name && !workflows)
        return;
    deleted = ident_deleted(reg);
    if (name == 0)
        name = NONE; /* no identity has it */
    delete_resources(reg, name, workflows, deleted, until_ns, out);
    delete_identities(reg, name, deleted, out);
    delete_pods(reg, tenant_of(namespace), deleted);
}

enum status registry_delete(struct registry *reg, struct slice namespace,
                            uint64_t now_ns, struct registry_deletion *out)
{
    registry_set_now(reg, now_ns);
    registry_lock(reg);
    registry_delete_until(reg, namespace, reg->now_ns, out);
    if (out->identities > 0 || out->resources > 0)
        registry_rebuild(reg);
    if (reg->shared)
        shared_learn_all(reg);
    registry_unlock(reg);
    if (out->identities == 0 && out->resources == 0)
        return ERR_NOT_FOUND;
    if (reg->shared)
        shared_add_namespace(reg, namespace, reg->now_ns);
    registry_save_seen(reg);
    return OK;
}
