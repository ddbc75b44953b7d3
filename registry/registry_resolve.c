/*
 * From attributes to a resource id. A known resource costs one hash and one map
 * lookup, without a lock; a new one gets its identity by the rules, whether it
 * fits into the table or not:
 *
 *   labels of its own            -> RULE_STAMPED; its pod learns
 *   labels of the record         -> RULE_STAMPED_RECORD
 *   its pod is known             -> RULE_LEARNED
 *   it has a service name        -> RULE_INFERRED
 *   else                         -> RULE_UNASSIGNED
 *
 * The last two wait in their pod's list (registry_pod.c).
 *
 * Without a live entry, or an id, its records go to the overflow resource of
 * that identity, and the rules run again when it is sent again. Without room
 * for an identity it is unassigned in its namespace, and retried when seen.
 */
#include "clock.h"
#include "hash.h"
#include "mem.h"
#include "registry_shared.h"
#include "stats.h"

enum { SAVE_SEEN_S = 60, RESOURCE_MAX_BYTES = 16 * 1024 };

uint32_t registry_find_resource(const struct registry *reg, uint64_t key,
                                uint64_t check)
{
    map_each(&reg->live.by_hash, map_hash(key), place) {
        const struct live_resource *live = &reg->live.at[place];

        if (live->hash == key &&
            (live->check == check || live->check == CHECK_UNKNOWN))
            return live->names.id;
    }
    return NONE;
}

void registry_index_resource(struct registry *reg, uint32_t id)
{
    map_add(&reg->live.by_hash, map_hash(registry_live(reg, id)->hash),
            reg->resources.at[id].live);
}

/* ---- the rules ---- */

struct identity_choice {
    uint64_t keys[POD_KEY_COUNT];
    uint64_t by_collector[POD_KEY_COUNT]; /* keys of the same pod, if a
                                             collector sends it */
    uint32_t pod, identity;
    uint8_t rule;
    bool stamped;
    bool missed; /* no room for its identity */
};

static void choose_unstamped(struct registry *reg,
                             const struct resource_attributes *fields,
                             struct identity_choice *to)
{
    if (to->pod != NONE && reg->pods.at[to->pod].identity != NONE) {
        to->identity = reg->pods.at[to->pod].identity;
        to->rule = RULE_LEARNED;
        return;
    }
    if (reg->sender.tenant) {
        to->rule = RULE_LEARNED;
        to->identity = pod_identity_by_collector(reg, to->by_collector,
                                                 reg->sender.tenant);
        if (to->identity != NONE)
            return;
    }
    to->rule =
        attributes_name_service(fields) ? RULE_INFERRED : RULE_UNASSIGNED;
    to->identity = ident_unstamped(reg, fields, to->rule, to->pod);
}

static void choose(struct registry *reg,
                   const struct resource_attributes *fields,
                   enum resource_kind kind, struct identity_choice *to)
{
    uint64_t tenant = attributes_tenant(fields);

    *to = (struct identity_choice){.identity = NONE,
                                   .stamped = attributes_stamped(fields)};
    if (to->stamped) {
        to->rule = attributes_rule(fields, kind);
        to->identity = ident_stamped(reg, fields, to->rule);
        if (to->identity != NONE)
            tenant = ident_tenant(reg, to->identity);
    }
    attributes_pod_keys(fields, 0, to->by_collector);
    attributes_pod_keys(fields, reg->sender.tenant, to->keys);
    if (reg->sender.tenant && to->stamped)
        pod_check_claim(reg, to->by_collector, reg->sender.tenant);
    to->pod =
        pod_of_keys(reg, to->keys, tenant, to->stamped && to->identity != NONE);
    if (!to->stamped)
        choose_unstamped(reg, fields, to);
    to->missed = to->identity == NONE;
    if (to->missed) {
        to->identity = ident_fallback(reg, fields);
        to->rule = RULE_UNASSIGNED;
    }
    /* A sweep for the room of this resource must not forget its identity. */
    reg->identities.at[to->identity].used_s = registry_now_s(reg);
}

/* With a sweep of identities if there was no room. */
static void choose_with_room(struct registry *reg,
                             const struct resource_attributes *fields,
                             enum resource_kind kind,
                             struct identity_choice *to)
{
    choose(reg, fields, kind, to);
    if (to->missed && registry_forget_identities(reg))
        choose(reg, fields, kind, to);
}

static void teach_pod(struct registry *reg,
                      const struct identity_choice *choice)
{
    if (!choice->stamped || choice->missed)
        return;
    if (!reg->sender.tenant)
        uid_claim(reg, choice->identity, true);
    if (choice->pod == NONE)
        return;
    if (reg->sender.tenant)
        pod_learn(reg, choice->pod, choice->identity, choice->rule);
    else
        pod_learn_from_collector(reg, choice->pod, choice->keys,
                                 choice->identity, choice->rule);
}

/* ---- a new resource ---- */

static bool is_helper(struct slice container)
{
    return slice_equal(container, SLICE("init")) ||
           slice_equal(container, SLICE("wait"));
}

void resource_set_flags(const struct resource_attributes *fields,
                        struct resource_state *state)
{
    const struct slice *label = fields->label;
    bool object = label[LABEL_OBJECT_NAME].len > 0;

    state->has_namespace = label[LABEL_POD_NAMESPACE].len > 0;
    state->has_pod = label[LABEL_POD_NAME].len > 0 || object;
    state->object = label[LABEL_OBJECT_KIND].len > 0 && object;
    state->helper = is_helper(label[LABEL_CONTAINER]);
    state->names_namespace = attributes_tenant(fields) != 0;
}

void live_set_names(struct registry *reg,
                    const struct resource_attributes *fields,
                    enum resource_kind kind, struct live_resource *live)
{
    const struct slice *label = fields->label, none = {NULL, 0};
    bool pod = label[LABEL_POD_NAME].len > 0;
    /* The service of a record's sender is not that of the record's pod. */
    bool service = attributes_name_service(fields) && kind == RESOURCE_PLAIN;
    const struct {
        uint32_t *name;
        struct slice text;
    } rows[] = {
        {&live->names.k8s_namespace, label[LABEL_POD_NAMESPACE]},
        {&live->names.pod_name,
         label[pod ? LABEL_POD_NAME : LABEL_OBJECT_NAME]},
        {&live->names.task, label[LABEL_TASK]},
        {&live->ip, fields->ip},
        {&live->k8s_service, fields->k8s_service},
        {&live->service, service ? fields->service : none},
    };

    /* A quarter of the room is kept for names that identities need. */
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint32_t name = intern_add_within(&reg->names, rows[i].text,
                                          reg->names.max_bytes / 4 * 3);

        *rows[i].name = name == INTERN_FULL ? 0 : name;
    }
}

/* Enters it into the tables. */
static uint32_t add_live(struct registry *reg,
                         const struct resource_attributes *fields,
                         const struct identity_choice *choice,
                         struct fingerprint f, enum resource_kind kind)
{
    uint32_t id = registry_new_id(reg);
    struct live_resource *live = live_new(reg, id);
    struct resource_state *state = &reg->resources.at[id];

    state->kind = (uint8_t)kind;
    resource_set_flags(fields, state);
    state->retry = choice->missed;
    state->of_tenant = reg->sender.tenant != 0;
    live->hash = fingerprint_key(f, kind, reg->sender.key);
    live->check = f.check;
    memcpy(live->keys, choice->keys, sizeof(live->keys));
    live_set_names(reg, fields, kind, live);
    reg->resources.received++;
    registry_index_resource(reg, id);
    registry_set_identity(reg, id, choice->identity, choice->rule);
    if (choice->pod != NONE)
        pod_attach(reg, choice->pod, id);
    teach_pod(reg, choice);
    host_add_resource(reg, id);
    return id;
}

/* Approximate stored size. */
static size_t size_of(const struct attr *a)
{
    size_t sum = a->key_len + sizeof(*a);

    if (a->type == VALUE_STRING || a->type == VALUE_BYTES)
        sum += a->len;
    else if (a->type == VALUE_ARRAY || a->type == VALUE_MAP)
        for (uint32_t i = 0; i < a->len; i++)
            sum += size_of(&a->items[i]);
    return sum;
}

/* Without the attributes that exceed RESOURCE_MAX_BYTES, because resources
 * outlive the retention of records. */
struct resource registry_cut(struct registry *reg,
                             const struct resource *resource)
{
    struct resource saved = *resource;
    struct attr *to = registry_scratch(reg, resource->attrs.count);
    size_t size = 0;
    uint32_t dropped;

    saved.attrs.count = 0;
    for (uint32_t i = 0; i < resource->attrs.count; i++) {
        size_t more = size_of(&resource->attrs.at[i]);

        if (more > RESOURCE_MAX_BYTES - size)
            continue;
        size += more;
        to[saved.attrs.count++] = resource->attrs.at[i];
    }
    saved.attrs.at = to;
    dropped = resource->attrs.count - saved.attrs.count;
    saved.attrs.dropped += dropped;
    stats_add(STATS_ATTRIBUTES_TRUNCATED, dropped);
    if (saved.schema_url.len > NAME_MAX_BYTES)
        saved.schema_url.len = 0;
    return saved;
}

static void save(struct registry *reg, uint32_t id,
                 const struct resource *resource)
{
    struct resource saved = registry_cut(reg, resource);

    metadata_save_resource(reg->metadata, id, reg->resources.identity[id],
                           registry_live(reg, id)->hash, &saved);
}

/* The overflow resource of an identity that belongs to one pod says which pod
 * that is, so that the pod can be learned after a restart, too. */
static void save_overflow(struct registry *reg, uint32_t id,
                          const struct resource_attributes *fields)
{
    const struct {
        struct slice key, value;
    } rows[] = {
        {SLICE("k8s.pod.uid"), fields->label[LABEL_POD_UID]},
        {SLICE("k8s.pod.name"), fields->label[LABEL_POD_NAME]},
        {SLICE("k8s.namespace.name"), fields->label[LABEL_POD_NAMESPACE]},
        {SLICE("container.id"), fields->container_id},
        {SLICE("service.name"), fields->service},
        {reg->options.keys.namespace, fields->label[LABEL_NAMESPACE]},
    };
    enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
    struct attr at[1 + ROWS] = {{.key = OVERFLOW_MARK,
                                 .key_len = sizeof(OVERFLOW_MARK) - 1,
                                 .type = VALUE_INT,
                                 .i = reg->resources.at[id].owner}};
    struct resource resource = {.attrs = {at, 1, 0}, .id = id};

    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].value.len > 0 && rows[i].value.len <= NAME_MAX_BYTES)
            at[resource.attrs.count++] =
                (struct attr){.key = rows[i].key.ptr,
                              .key_len = (uint16_t)rows[i].key.len,
                              .type = VALUE_STRING,
                              .str = rows[i].value.ptr,
                              .len = (uint32_t)rows[i].value.len};
    metadata_save_resource(reg->metadata, id, reg->resources.identity[id],
                           reg->sender.tenant ? OVERFLOW_OF_TENANT : 0,
                           &resource);
}

static bool quota_has_room(const struct registry *reg, uint32_t quota)
{
    return quota_has_slot(reg, quota) && quota_has_id(reg, quota);
}

uint32_t registry_add(struct registry *reg, const struct resource *resource,
                      struct fingerprint f, enum resource_kind kind)
{
    struct resource_attributes fields;
    struct identity_choice choice;
    uint32_t id, quota;
    bool fits, made = false;

    if (reg->shared)
        return shared_add(reg, resource, f, kind);
    resource_attributes_of(&fields, &reg->labels, &resource->attrs, kind);
    (void)sender_complete(reg, &fields); /* it was accepted */
    registry_lock(reg);
    choose_with_room(reg, &fields, kind, &choice);
    quota = reg->identities.at[choice.identity].quota;
    fits = quota_has_room(reg, quota);
    if (!fits && registry_make_room(reg, quota)) {
        choose(reg, &fields, kind, &choice); /* numbers have changed */
        quota = reg->identities.at[choice.identity].quota;
        fits = quota_has_room(reg, quota);
    }
    if (fits) {
        id = add_live(reg, &fields, &choice, f, kind);
    } else {
        const struct identity_entry *entry =
            &reg->identities.at[choice.identity];

        teach_pod(reg, &choice);
        made = entry->overflow == NONE && entry->pod < POD_SHARED;
        id = registry_overflow_resource(reg, choice.identity);
        quota_overflowed(reg, quota);
    }
    registry_unlock(reg);
    if (fits)
        save(reg, id, resource);
    else if (made)
        save_overflow(reg, id, &fields);
    return id;
}

/* ---- a known resource ---- */

/* Gives the resource the identity that had no room when it was added. */
static void retry(struct registry *reg, const struct resource *resource,
                  uint32_t id)
{
    struct resource_state *state = &reg->resources.at[id];
    struct resource_attributes fields;
    struct identity_choice choice;

    if (reg->shared) {
        shared_retry(reg, resource, id);
        return;
    }
    resource_attributes_of(&fields, &reg->labels, &resource->attrs,
                           state->kind);
    (void)sender_complete(reg, &fields);
    registry_lock(reg);
    choose_with_room(reg, &fields, state->kind, &choice);
    if (!choice.missed) {
        state->retry = false;
        registry_set_identity(reg, id, choice.identity, choice.rule);
        stats_add(STATS_RETAGGED, 1);
        teach_pod(reg, &choice);
        host_add_resource(reg, id);
    }
    registry_unlock(reg);
}

uint32_t registry_mark_seen(struct registry *reg,
                            const struct resource *resource, uint32_t id)
{
    struct resource_state *state = &reg->resources.at[id];
    uint32_t now_s = registry_now_s(reg);
    bool again = state->retry && state->seen_s != now_s;

    state->seen_s = now_s; /* first, so that the retry does not forget it */
    if (again)
        retry(reg, resource, id);
    if (state->kind == RESOURCE_OVERFLOW || state->retry)
        stats_add(STATS_RESOURCES_OVERFLOW, 1);
    if (reg->shared)
        shared_use(reg, resource, id);
    return id;
}

/* Known by its fingerprint; NONE: it is not. */
static uint32_t find_plain(const struct registry *reg, struct fingerprint f)
{
    return registry_find_resource(
        reg, fingerprint_key(f, RESOURCE_PLAIN, reg->sender.key), f.check);
}

static void resolve_found(struct registry *reg, struct resource *resource,
                          struct fingerprint f, uint32_t id, uint64_t now_ns)
{
    registry_set_now(reg, now_ns);
    if (id == NONE)
        id = registry_add(reg, resource, f, RESOURCE_PLAIN);
    resource->id = registry_mark_seen(reg, resource, id);
    if (reg->seen_changed && !reg->shared &&
        now_ns - reg->seen_saved_ns >= SAVE_SEEN_S * NS_PER_S)
        registry_save_seen(reg);
}

void registry_resolve(struct registry *reg, struct resource *resource,
                      uint64_t now_ns)
{
    struct fingerprint f = attrs_fingerprint(&resource->attrs);

    resolve_found(reg, resource, f, find_plain(reg, f), now_ns);
}

bool registry_was_accepted(const struct registry *reg, uint32_t id)
{
    const struct live_resource *live =
        id == NONE ? NULL : registry_live(reg, id);

    return live && live->accepted_from == reg->sender.hash;
}

void registry_note_accepted(struct registry *reg, uint32_t id)
{
    struct live_resource *live = registry_live(reg, id);

    if (live)
        live->accepted_from = reg->sender.hash;
}

bool registry_resolve_accepted(struct registry *reg, struct resource *resource,
                               uint64_t now_ns)
{
    struct fingerprint f = attrs_fingerprint(&resource->attrs);
    uint32_t id = find_plain(reg, f);

    if (reg->sender.writer && !registry_was_accepted(reg, id) &&
        !registry_accepts(reg, &resource->attrs, NULL)) {
        resource->id = RESOURCE_NONE;
        return false;
    }
    resolve_found(reg, resource, f, id, now_ns);
    registry_note_accepted(reg, resource->id);
    return true;
}
