/*
 * Between the registry and the log of resources.
 *
 *   added   a resource, when it is first sent to this instance, and again every
 *           REFRESH_S while it is sent: rows of the log are dropped by age. The
 *           names of a resource that is sent here, when they have changed: its
 *           next records are stored under them. What was deleted
 *   taken   what others added, as if it was sent by its sender. A namespace
 *           that another instance deleted is deleted here, too
 *
 * Times of components are added and taken apart, the latest of all instances
 * counts.
 */
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "hash.h"
#include "registry_shared.h"

/* SEEN_S: times of so few identities are added every SEEN_S, else of all every
 * SEEN_MANY_S. */
enum { REFRESH_S = 12 * 3600, SEEN_S = 10, SEEN_MANY_S = 60, SEEN_FEW = 2000 };

/* ---- adding ---- */

static void name_fact(const struct registry *reg, uint32_t id,
                      struct resource_fact *fact)
{
    const struct shared_resource *s = &reg->shared->at[id];
    uint32_t identity = ident_resolve(reg, reg->resources.identity[id]);
    const struct identity_entry *entry = &reg->identities.at[identity];

    fact->key = s->key;
    fact->kind = reg->resources.at[id].kind;
    fact->rule = reg->resources.at[id].rule;
    fact->first_ns = s->first_ns;
    fact->seen_ns = reg->now_ns;
    for (unsigned i = 0; i < IDENTITY_NAMES; i++)
        fact->names[i] = intern_text(&reg->names, entry->text[i]);
}

static void add(const struct registry *reg, const struct resource_fact *fact)
{
    reg->shared->log->add(reg->shared->log->arg, fact);
}

static void add_resource(struct registry *reg, uint32_t id,
                         const struct resource *resource)
{
    struct resource_fact fact = {.change = FACT_RESOURCE,
                                 .sender = writer_bytes(reg->sender.writer)};

    if (reg->resources.at[id].kind == RESOURCE_OVERFLOW)
        fact.sender = (struct slice){NULL, 0};
    else
        fact.resource = registry_cut(reg, resource);
    name_fact(reg, id, &fact);
    add(reg, &fact);
}

static bool is_fresh(const struct registry *reg,
                     const struct shared_resource *s)
{
    uint32_t now = registry_now_s(reg);

    return s->published_s &&
           (now < s->published_s || now - s->published_s < REFRESH_S);
}

bool shared_is_due(const struct registry *reg, uint32_t id)
{
    const struct shared_resource *s = shared_of(reg, id);

    return s && !(s->used && is_fresh(reg, s));
}

void shared_use(struct registry *reg, const struct resource *resource,
                uint32_t id)
{
    struct shared_resource *s = shared_of(reg, id);

    if (!s || s->deleted || (s->used && is_fresh(reg, s)))
        return;
    s->used = true;
    if (is_fresh(reg, s)) {
        shared_add_change(reg, id);
        return;
    }
    add_resource(reg, id, resource);
    s->published_s = registry_now_s(reg);
    registry_lock(reg);
    shared_note_set(reg, id,
                    shared_set_of_identity(reg, reg->resources.identity[id]));
    registry_unlock(reg);
}

void shared_add_change(struct registry *reg, uint32_t id)
{
    struct shared_resource *s = shared_of(reg, id);
    struct resource_fact fact = {.change = FACT_NAMES};
    uint32_t set;

    if (!s || (s->deleted ? s->told : !s->used))
        return;
    name_fact(reg, id, &fact);
    if (s->deleted) {
        fact.change = FACT_DELETED;
        add(reg, &fact);
        return;
    }
    pthread_rwlock_wrlock(&reg->lock);
    set = shared_set_of_identity(reg, reg->resources.identity[id]);
    if (shared_has_set(reg, id, set))
        fact.key = 0;
    shared_note_set(reg, id, set);
    pthread_rwlock_unlock(&reg->lock);
    if (fact.key)
        add(reg, &fact);
}

void shared_add_namespace(struct registry *reg, struct slice namespace,
                          uint64_t until_ns)
{
    struct resource_fact fact = {
        .change = FACT_NAMESPACE, .seen_ns = until_ns, .names = {namespace}};

    add(reg, &fact);
}

/* ---- taking ---- */

/* Other attributes than those that this key is known for. */
static bool collides(const struct registry *reg, uint32_t id, uint64_t check)
{
    uint64_t known = reg->shared->at[id].check;

    return known != CHECK_UNKNOWN && check != CHECK_UNKNOWN && known != check;
}

static bool intern_names(struct registry *reg,
                         const struct slice from[IDENTITY_NAMES],
                         uint32_t to[IDENTITY_NAMES])
{
    for (unsigned i = 0; i < IDENTITY_NAMES; i++)
        if ((to[i] = intern_add(&reg->names, from[i])) == INTERN_FULL)
            return false;
    return true;
}

/* It is known already. */
static void take_again(struct registry *reg, uint32_t id,
                       const struct resource_fact *fact, uint64_t check)
{
    struct shared_resource *s = &reg->shared->at[id];
    struct resource_state *state = &reg->resources.at[id];
    uint32_t seen_s = (uint32_t)(fact->seen_ns / NS_PER_S);
    uint32_t name[IDENTITY_NAMES];

    if (s->deleted)
        return;
    if (fact->change == FACT_RESOURCE && collides(reg, id, check)) {
        shared_collision(reg, fact->key);
        return;
    }
    if (state->seen_s < seen_s)
        state->seen_s = seen_s;
    if (fact->change == FACT_RESOURCE && s->published_s < seen_s)
        s->published_s = seen_s;
    if (intern_names(reg, fact->names, name))
        shared_note_set(reg, id, shared_set_of(reg, name));
    if (fact->first_ns < s->first_ns && fact->change == FACT_RESOURCE) {
        struct identity_entry *entry = &reg->identities.at[s->own];

        s->first_ns = fact->first_ns;
        if (entry->first_seen_ns > fact->first_ns)
            entry->first_seen_ns = fact->first_ns;
        shared_learn(reg, id);
    }
}

/* The overflow resource of an identity with these names. */
static void take_overflow(struct registry *reg,
                          const struct resource_fact *fact)
{
    struct resource_attributes fields = {.borrowed = false};
    uint32_t identity;

    fields.label[LABEL_NAMESPACE] = fact->names[IDENTITY_NAMESPACE];
    if (fact->rule <= RULE_STAMPED_RECORD) {
        fields.label[LABEL_PROJECT] = fact->names[IDENTITY_PROJECT];
        fields.label[LABEL_COMPONENT] = fact->names[IDENTITY_COMPONENT];
        fields.label[LABEL_ENVIRONMENT] = fact->names[IDENTITY_ENVIRONMENT];
        identity = ident_stamped(reg, &fields, fact->rule);
    } else {
        fields.service_namespace = fact->names[IDENTITY_PROJECT];
        fields.service = fact->names[IDENTITY_COMPONENT];
        fields.environment = fact->names[IDENTITY_ENVIRONMENT];
        identity = ident_unstamped(
            reg, &fields, fields.service.len ? RULE_INFERRED : RULE_UNASSIGNED,
            NONE);
    }
    if (identity == NONE)
        identity = ident_fallback(reg, &fields);
    (void)shared_enter_overflow(reg, ident_resolve(reg, identity));
}

/* CHECK_UNKNOWN if not all attributes are stored. */
static uint64_t check_of(const struct registry *reg,
                         const struct resource_fact *fact,
                         struct fingerprint *f, uint64_t *base)
{
    enum { DELETIONS = 16 };
    uint64_t key;

    *f = attrs_fingerprint(&fact->resource.attrs);
    *base =
        fingerprint_key(*f, (enum resource_kind)fact->kind, reg->sender.key);
    key = *base ? *base : 1;
    for (int i = 0; i < DELETIONS && key != fact->key; i++)
        key = shared_next_key(key);
    return f->check = key == fact->key ? f->check : CHECK_UNKNOWN;
}

static void tell_learner(struct registry *reg, uint32_t id,
                         const struct resource_fact *fact)
{
    const struct registry_learner *learner = &reg->shared->learner;
    struct resource resource = fact->resource;

    resource.id = id;
    if (id != NONE && learner->learn)
        learner->learn(
            learner->arg, ident_resolve(reg, reg->resources.identity[id]),
            &resource, reg->resources.at[id].generation, fact->first_ns);
}

void registry_set_learner(struct registry *reg, struct registry_learner learner)
{
    if (reg->shared)
        reg->shared->learner = learner;
}

static void take_resource(struct registry *reg,
                          const struct resource_fact *fact)
{
    uint32_t id = key_map_get(&reg->shared->by_key, fact->key);
    struct writer *writer =
        fact->sender.len ? writer_decode(fact->sender) : NULL;
    struct resource_attributes fields;
    struct shared_entry entry = {.fields = &fields,
                                 .key = fact->key,
                                 .first_ns = fact->first_ns,
                                 .kind = (enum resource_kind)fact->kind};

    registry_set_writer(reg, writer);
    (void)check_of(reg, fact, &entry.f, &entry.base);
    if (id == NONE && fact->kind == RESOURCE_OVERFLOW) {
        take_overflow(reg, fact);
    } else if (id == NONE && fact->kind <= RESOURCE_RECORD) {
        resource_attributes_of(&fields, &reg->labels, &fact->resource.attrs,
                               entry.kind);
        (void)sender_complete(reg, &fields);
        id = shared_enter(reg, &entry);
        tell_learner(reg, id, fact);
    }
    if (id != NONE)
        take_again(reg, id, fact, entry.f.check);
    registry_set_writer(reg, NULL);
    writer_free(writer);
}

/* Nothing of the resource may be known yet. */
static void take_deleted(struct registry *reg, const struct resource_fact *fact)
{
    uint32_t id = key_map_get(&reg->shared->by_key, fact->key);

    if (id == NONE) {
        uint32_t deleted = ident_deleted(reg);
        struct shared_resource *s;

        id = registry_new_id(reg);
        s = shared_reserve(reg, id);
        s->key = fact->key;
        s->own = deleted;
        s->own_names = shared_set_of_identity(reg, deleted);
        s->deleted = s->told = true;
        reg->resources.received++;
        registry_set_identity(reg, id, deleted, RULE_LEARNED);
        key_map_set(&reg->shared->by_key, fact->key, id);
    } else if (!reg->shared->at[id].deleted) {
        reg->shared->at[id].told = true;
        registry_delete_resource(reg, id, ident_deleted(reg));
        reg->shared->rebuild = true;
    }
}

/* False if it was done before. What is told at the start was: the resources
 * that were deleted are told one by one. */
static bool is_new_deletion(struct registry *reg,
                            const struct resource_fact *fact)
{
    struct shared *sh = reg->shared;
    struct slice name = fact->names[IDENTITY_NAMESPACE];
    struct deleted_namespace *gone = NULL;
    uint64_t hash = hash_bytes(name.ptr, name.len, 0);

    for (uint32_t i = 0; i < sh->gone_count; i++)
        if (sh->gone[i].hash == hash)
            gone = &sh->gone[i];
    if (gone && gone->until_ns >= fact->seen_ns)
        return false;
    if (!gone)
        gone = array_append(&sh->gone, sh->gone_count++, &sh->gone_room);
    *gone = (struct deleted_namespace){hash, fact->seen_ns};
    return !sh->loading;
}

static void take_namespace(struct registry *reg,
                           const struct resource_fact *fact)
{
    struct registry_deletion deletion;

    if (!is_new_deletion(reg, fact))
        return;
    registry_delete_until(reg, fact->names[IDENTITY_NAMESPACE], fact->seen_ns,
                          &deletion);
    if (deletion.identities > 0) /* or they would be found by name */
        registry_rebuild(reg);
    reg->shared->rebuild |= deletion.resources > 0;
}

static void take_names(struct registry *reg, const struct resource_fact *fact)
{
    uint32_t id = key_map_get(&reg->shared->by_key, fact->key);
    uint32_t name[IDENTITY_NAMES];

    if (id != NONE)
        take_again(reg, id, fact, CHECK_UNKNOWN);
    else if (intern_names(reg, fact->names, name))
        shared_note_early(reg, fact->key, shared_set_of(reg, name));
}

static void take_fact(void *to, const struct resource_fact *fact)
{
    struct registry *reg = to;

    if (fact->change == FACT_NAMESPACE) {
        take_namespace(reg, fact);
    } else if (fact->key == 0) {
        return;
    } else if (fact->change == FACT_DELETED) {
        take_deleted(reg, fact);
    } else if (fact->change == FACT_RESOURCE) {
        take_resource(reg, fact);
    } else if (fact->change == FACT_NAMES) {
        take_names(reg, fact);
    }
}

static void rebuild_if_deleted(struct registry *reg)
{
    if (!reg->shared->rebuild)
        return;
    reg->shared->rebuild = false;
    registry_rebuild(reg);
    shared_learn_all(reg);
}

/* ---- times ---- */

static bool fill_seen(const struct registry *reg, uint32_t identity,
                      struct identity_seen *seen)
{
    const struct shared *sh = reg->shared;
    const struct identity_entry *entry = &reg->identities.at[identity];
    uint64_t any = 0;

    if (identity >= sh->anchor_count || sh->anchors[identity] == NONE ||
        entry->moved_to != NONE || entry->rule == RULE_NONE)
        return false;
    seen->key = sh->at[sh->anchors[identity]].key;
    seen->first_ns = entry->first_seen_ns;
    for (unsigned s = 0; s < SIGNAL_COUNT; s++)
        any |= seen->last_ns[s] = entry->last_seen_ns[s];
    return any != 0;
}

void shared_save_seen(struct registry *reg)
{
    struct identity_seen *seen = NULL;
    uint32_t count = 0, room = 0;

    for (uint32_t i = 0; i < reg->identities.count; i++) {
        struct identity_seen one;

        if (fill_seen(reg, i, &one))
            *(struct identity_seen *)array_append(&seen, count++, &room) = one;
    }
    reg->shared->log->add_seen(reg->shared->log->arg, seen, count);
    free(seen);
    reg->seen_changed = false;
    reg->seen_saved_ns = reg->now_ns;
}

static void take_seen(void *to, const struct identity_seen *seen)
{
    struct registry *reg = to;
    uint32_t id = key_map_get(&reg->shared->by_key, seen->key);
    struct identity_entry *entry;

    if (id == NONE)
        return;
    entry =
        &reg->identities.at[ident_resolve(reg, reg->resources.identity[id])];
    if (seen->first_ns && seen->first_ns < entry->first_seen_ns)
        entry->first_seen_ns = seen->first_ns;
    for (unsigned s = 0; s < SIGNAL_COUNT; s++)
        if (seen->last_ns[s] > entry->last_seen_ns[s])
            entry->last_seen_ns[s] = seen->last_ns[s];
}

/* ---- the whole ---- */

void registry_share(struct registry *reg, uint64_t now_ns)
{
    const struct resource_log *log = reg->shared ? reg->shared->log : NULL;
    uint64_t after_s = reg->identities.used > SEEN_FEW ? SEEN_MANY_S : SEEN_S;

    if (!log)
        return;
    registry_set_now(reg, now_ns);
    registry_lock(reg);
    log->take(log->arg, take_fact, reg);
    rebuild_if_deleted(reg);
    shared_learn_large(reg);
    log->take_seen(log->arg, take_seen, reg);
    registry_unlock(reg);
    if (reg->seen_changed &&
        reg->now_ns - reg->seen_saved_ns >= after_s * NS_PER_S)
        shared_save_seen(reg);
}

enum status shared_load(struct registry *reg)
{
    const struct resource_log *log = reg->shared->log;
    enum status status;

    registry_lock(reg);
    reg->shared->loading = true;
    status = log->load(log->arg, take_fact, reg);
    reg->shared->loading = false;
    if (status == OK) {
        rebuild_if_deleted(reg);
        shared_learn_all(reg);
        log->take_seen(log->arg, take_seen, reg);
    }
    registry_unlock(reg);
    return status;
}
