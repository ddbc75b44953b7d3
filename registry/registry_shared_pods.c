/*
 * What the resources of one cluster learn from each other, as a function of the
 * set of them: instances that know the same resources find the same identities,
 * whatever came first. The rules are those of registry_pod.c.
 *
 * A cluster is what hangs together by keys of pods. Its members are put in the
 * order of their first times, equal ones by their keys. Then for each sender
 * (the collectors, each tenant) and each namespace that stamps something there:
 *
 *   pods   members of the sender that name this namespace or none. A uid is a
 *          pod. A member without a uid belongs to the pod of its container,
 *          else to the one that had its name last before it, else first after
 *   learn  a member without labels gets the identity of the last member of its
 *          pod that was stamped before it, else of the first after it; of the
 *          strongest rule. Of a tenant, what collectors say of the pod counts
 *          if the tenant itself says nothing
 *
 * A member that names no namespace learns from the one that stamped the pod
 * first.
 */
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "mem.h"
#include "registry_shared.h"
#include "stats.h"

enum {
    MAX_AT_ONCE = 512, /* members of a cluster that is done at once */
    MAX_CLAIMS = 16,   /* namespaces that stamp one cluster; the first ones */
    LATER_MS = 2000,
    ROUNDS = 3 /* name to container to name */
};

/* ---- clusters ---- */

void shared_link(struct registry *reg, uint32_t id)
{
    struct shared_resource *s = &reg->shared->at[id];

    for (int i = 0; i < POD_KEY_COUNT; i++) {
        if (!s->raw[i])
            continue;
        s->next[i] = key_map_get(&reg->shared->by_pod_key, s->raw[i]);
        key_map_set(&reg->shared->by_pod_key, s->raw[i], id);
    }
}

static void add_member(struct shared *sh, uint32_t id, uint32_t *count)
{
    if (sh->at[id].mark == sh->walk)
        return;
    sh->at[id].mark = sh->walk;
    *(uint32_t *)array_append(&sh->members, *count, &sh->member_room) = id;
    ++*count;
}

/* Members that were not deleted; more than `most`: not all of them. */
static uint32_t find_members(struct shared *sh, uint32_t id, uint32_t most)
{
    uint32_t count = 0;

    sh->at[id].mark = sh->walk - 1;
    add_member(sh, id, &count);
    for (uint32_t i = 0; i < count && count <= most; i++)
        for (int k = 0; k < POD_KEY_COUNT; k++) {
            uint64_t key = sh->at[sh->members[i]].raw[k];
            uint32_t at = key ? key_map_get(&sh->by_pod_key, key) : NONE;

            for (; at != NONE && count <= most; at = sh->at[at].next[k])
                if (!sh->at[at].deleted)
                    add_member(sh, at, &count);
        }
    return count;
}

/* ---- one sender and namespace ---- */

enum { BY_STAMP, BY_RECORD, BY_COLLECTOR, TEACHERS };

struct pod_member {
    uint64_t first_ns, key;
    uint32_t id;
    uint32_t pod;     /* the first member of it; NONE */
    uint32_t teacher; /* a resource; NONE */
    uint32_t owner;   /* the first that stamped the pod of its teacher */
    uint8_t class;    /* as a teacher; TEACHERS: it is none */
    bool in;          /* of this sender and namespace */
};

struct cluster {
    struct registry *reg;
    struct pod_member *at;
    uint32_t count;
    uint64_t sender, claim;
};

static const struct shared_resource *fact_of(const struct cluster *c,
                                             uint32_t i)
{
    return &c->reg->shared->at[c->at[i].id];
}

static bool is_stamped(const struct shared_resource *s)
{
    return s->own_rule <= RULE_STAMPED_RECORD;
}

static uint64_t claim_of(const struct registry *reg,
                         const struct shared_resource *s)
{
    return is_stamped(s) ? ident_tenant(reg, s->own) : s->claim;
}

/* Who takes part, and as what. */
static void choose_members(struct cluster *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        const struct shared_resource *s = fact_of(c, i);
        uint64_t claim = claim_of(c->reg, s);
        bool says = is_stamped(s) && claim == c->claim;
        struct pod_member *m = &c->at[i];

        m->pod = NONE;
        m->class = TEACHERS;
        m->in = s->sender == c->sender && (claim == 0 || claim == c->claim);
        if (m->in && says)
            m->class = s->own_rule == RULE_STAMPED ? BY_STAMP : BY_RECORD;
        if (c->sender && s->sender == 0 && says && claim == c->sender) {
            m->in = true;
            m->class = BY_COLLECTOR;
        }
    }
}

/* The pod of the first member with this uid. */
static void pods_by_uid(struct cluster *c)
{
    struct key_map pods = {.room = 0};

    for (uint32_t i = 0; i < c->count; i++) {
        uint64_t uid = fact_of(c, i)->raw[POD_KEY_UID];

        if (!c->at[i].in || !uid)
            continue;
        c->at[i].pod = key_map_get(&pods, uid);
        if (c->at[i].pod == NONE)
            key_map_set(&pods, uid, c->at[i].pod = i);
    }
    key_map_release(&pods);
}

/* Members without a pod get the one that this key had last before them, or
 * after them. True if one got one. */
static bool pods_by_key(struct cluster *c, enum pod_key kind, bool after)
{
    struct key_map pods = {.room = 0};
    bool any = false;

    for (uint32_t n = 0; n < c->count; n++) {
        struct pod_member *m = &c->at[after ? c->count - 1 - n : n];
        uint64_t key = c->reg->shared->at[m->id].raw[kind];

        if (!m->in || !key)
            continue;
        if (m->pod == NONE) {
            m->pod = key_map_get(&pods, key);
            any |= m->pod != NONE;
        }
        if (m->pod != NONE)
            key_map_set(&pods, key, m->pod);
    }
    key_map_release(&pods);
    return any;
}

/* Those of which no uid is known. */
static void pods_without_uid(struct cluster *c)
{
    static const enum pod_key kinds[] = {POD_KEY_NAME, POD_KEY_CONTAINER};
    struct key_map pods = {.room = 0};

    for (uint32_t i = 0; i < c->count; i++) {
        const uint64_t *raw = fact_of(c, i)->raw;
        struct pod_member *m = &c->at[i];

        if (!m->in || m->pod != NONE)
            continue;
        for (int k = 0; k < 2 && m->pod == NONE; k++)
            if (raw[kinds[k]])
                m->pod = key_map_get(&pods, raw[kinds[k]]);
        if (m->pod == NONE)
            m->pod = i;
        for (int k = 0; k < 2; k++)
            if (raw[kinds[k]] && key_map_get(&pods, raw[kinds[k]]) == NONE)
                key_map_set(&pods, raw[kinds[k]], m->pod);
    }
    key_map_release(&pods);
}

static void find_pods(struct cluster *c)
{
    pods_by_uid(c);
    for (int round = 0; round < ROUNDS; round++) {
        bool any = false;

        for (int after = 0; after <= 1; after++)
            any |= pods_by_key(c, POD_KEY_CONTAINER, after);
        for (int after = 0; after <= 1; after++)
            any |= pods_by_key(c, POD_KEY_NAME, after);
        if (!any)
            break;
    }
    pods_without_uid(c);
}

struct teachers {
    uint32_t first[TEACHERS], last[TEACHERS]; /* members, by class; NONE */
};

/* The first that stamped the pod. */
static uint32_t owner_of(const struct teachers *t)
{
    uint32_t owner = NONE;

    for (int class = 0; class < TEACHERS; class ++)
        if (t->first[class] < owner)
            owner = t->first[class];
    return owner;
}

static void teach(struct cluster *c)
{
    struct teachers *pods = mem_alloc((c->count + 1) * sizeof(*pods));

    memset(pods, 0xff, (c->count + 1) * sizeof(*pods));
    for (uint32_t i = c->count; i-- > 0;)
        if (c->at[i].in && c->at[i].class < TEACHERS)
            pods[c->at[i].pod].first[c->at[i].class] = i;
    for (uint32_t i = 0; i < c->count; i++) {
        struct pod_member *m = &c->at[i];
        struct teachers *t = m->in ? &pods[m->pod] : NULL;
        uint32_t owner = t ? owner_of(t) : NONE, class = 0;

        if (t && m->class < TEACHERS)
            t->last[m->class] = i;
        if (!t || is_stamped(fact_of(c, i)) || owner >= m->owner)
            continue; /* NONE is the greatest */
        while (t->first[class] == NONE)
            class ++;
        m->owner = owner;
        m->teacher =
            c->at[t->last[class] != NONE ? t->last[class] : t->first[class]].id;
    }
    free(pods);
}

/* ---- the whole ---- */

static void learn_by_claim(struct cluster *c, uint64_t claim)
{
    c->claim = claim;
    choose_members(c);
    find_pods(c);
    teach(c);
}

/* A tenant's sender names its namespace only; of what collectors stamp, each
 * namespace is looked at. */
static void learn_of_sender(struct cluster *c, uint64_t sender)
{
    struct key_map seen = {.room = 0};
    uint32_t count = 0;

    c->sender = sender;
    if (sender)
        learn_by_claim(c, sender);
    for (uint32_t i = 0; !sender && i < c->count && count < MAX_CLAIMS; i++) {
        const struct shared_resource *s = fact_of(c, i);
        uint64_t claim = claim_of(c->reg, s);

        if (!is_stamped(s) || s->sender || key_map_get(&seen, claim) != NONE)
            continue;
        key_map_set(&seen, claim, count++);
        learn_by_claim(c, claim);
    }
    key_map_release(&seen);
}

void shared_point(struct registry *reg, uint32_t own, uint32_t to)
{
    struct identity_entry *entry = &reg->identities.at[own];

    if (entry->moved_to == to)
        return;
    if (to == NONE) {
        reg->quotas.at[entry->quota].identities++;
        entry->moved_to = NONE;
        if (entry->derived != NONE)
            registry_set_identity(reg, entry->derived, own, RULE_NONE);
    } else if (entry->moved_to == NONE) {
        ident_move(reg, own, to);
    } else {
        entry->moved_to = to;
        if (entry->derived != NONE)
            registry_set_identity(reg, entry->derived, to, RULE_LEARNED);
    }
}

static void apply(struct registry *reg, const struct pod_member *m)
{
    const struct shared_resource *s = &reg->shared->at[m->id];
    bool learned = m->teacher != NONE;
    uint32_t to = learned ? reg->shared->at[m->teacher].own : s->own;

    if (is_stamped(s) || s->deleted)
        return;
    if (s->alone && !learned) /* first, as resources are counted by it */
        shared_point(reg, s->own, NONE);
    if (reg->resources.identity[m->id] != to) {
        registry_set_identity(reg, m->id, to,
                              learned ? RULE_LEARNED : s->own_rule);
        stats_add(STATS_RETAGGED, 1);
        if (registry_live(reg, m->id))
            host_add_resource(reg, m->id);
    }
    if (s->alone && learned)
        shared_point(reg, s->own, ident_resolve(reg, to));
}

static int by_age(const void *left, const void *right)
{
    const struct pod_member *a = left, *b = right;

    if (a->first_ns != b->first_ns)
        return a->first_ns < b->first_ns ? -1 : 1;
    return a->key < b->key ? -1 : a->key > b->key;
}

static void learn(struct registry *reg, uint32_t count)
{
    struct shared *sh = reg->shared;
    struct cluster c = {.reg = reg, .count = count};
    struct key_map senders = {.room = 0};
    bool any = false;

    c.at = mem_alloc((count + 1) * sizeof(*c.at));
    for (uint32_t i = 0; i < count; i++) {
        const struct shared_resource *s = &sh->at[sh->members[i]];

        c.at[i] = (struct pod_member){.first_ns = s->first_ns,
                                      .key = s->key,
                                      .id = sh->members[i],
                                      .teacher = NONE,
                                      .owner = NONE};
        any |= is_stamped(s);
    }
    qsort(c.at, count, sizeof(*c.at), by_age);
    for (uint32_t i = 0; any && i < count; i++) {
        uint64_t sender = fact_of(&c, i)->sender;

        if (is_stamped(fact_of(&c, i)) ||
            key_map_get(&senders, sender + 1) != NONE)
            continue;
        key_map_set(&senders, sender + 1, i);
        learn_of_sender(&c, sender);
    }
    key_map_release(&senders);
    for (uint32_t i = 0; i < count; i++)
        apply(reg, &c.at[i]);
    free(c.at);
}

void shared_learn(struct registry *reg, uint32_t id)
{
    struct shared *sh = reg->shared;
    uint32_t count;

    if (sh->loading)
        return;
    sh->walk++;
    count = find_members(sh, id, MAX_AT_ONCE);
    if (count > MAX_AT_ONCE)
        *(uint32_t *)array_append(&sh->large, sh->large_count++,
                                  &sh->large_room) = id;
    else if (count > 1)
        learn(reg, count);
    else if (count == 1 && sh->at[id].alone)
        apply(reg, &(struct pod_member){.id = id, .teacher = NONE});
}

void shared_learn_large(struct registry *reg)
{
    struct shared *sh = reg->shared;
    uint32_t count = sh->large_count;

    if (count == 0 || reg->now_ns - sh->large_done_ns < LATER_MS * NS_PER_MS)
        return;
    sh->walk++;
    for (uint32_t i = 0; i < count; i++)
        if (sh->at[sh->large[i]].key && sh->at[sh->large[i]].mark != sh->walk)
            learn(reg, find_members(sh, sh->large[i], UINT32_MAX));
    sh->large_count = 0;
    sh->large_done_ns = reg->now_ns;
}

void shared_learn_all(struct registry *reg)
{
    struct shared *sh = reg->shared;

    shared_find_named(reg);
    sh->walk++;
    for (uint32_t id = 0; id < sh->count; id++) {
        const struct shared_resource *s = &sh->at[id];

        if (s->key && !s->deleted && s->mark != sh->walk)
            learn(reg, find_members(sh, id, UINT32_MAX));
    }
    sh->large_count = 0;
}
