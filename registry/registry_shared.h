/*
 * registry_shared - what the registry keeps of resources that several instances
 * share (resource_log.h); registry_int.h draws the other tables.
 *
 *   resources   by resource id: key, first time, keys of its pod, the identity
 *               that its own attributes give
 *   by_key      from the key of a resource to its id
 *   clusters    resources that share keys of pods, by lists through `next`
 *   sets        sets of four names under which records may have been written
 *   former      which sets a resource has had besides its own and the present
 *
 * A pod teaches by the rules of registry_pod.c, but what a resource learns is a
 * function of the set of resources in its cluster (registry_shared_pods.c), in
 * the order of their first times and keys; so it is the same whatever comes
 * first here. The table of pods is empty then.
 *
 * A resource that has a pod and no labels has an identity of its own. Evicted
 * resources stay in these tables until their ids are forgotten.
 *
 * Threads  as registry_int.h.
 */
#ifndef REGISTRY_SHARED_H
#define REGISTRY_SHARED_H

#include "hash.h"
#include "registry_int.h"
#include "resource_log.h"

struct name_set {
    uint32_t name[IDENTITY_NAMES]; /* numbers of names */
};

struct shared_resource {
    uint64_t key; /* 0: not shared, as derived resources */
    uint64_t first_ns;
    uint64_t check;              /* of its fingerprint, or CHECK_UNKNOWN */
    uint64_t raw[POD_KEY_COUNT]; /* keys of its pod as a collector says them */
    uint64_t sender;             /* the tenant; 0: a collector */
    uint64_t claim; /* the namespace that it names, or is stamped with; 0 */
    uint32_t next[POD_KEY_COUNT]; /* another one with this key, or NONE */
    uint32_t own;                 /* the identity of its own attributes */
    uint32_t own_names;           /* their set */
    uint32_t former;              /* the first of its list, or NONE */
    uint32_t published_s;         /* when its row was added; 0: never */
    uint32_t mark;                /* the last walk that met it */
    uint8_t own_rule;
    bool alone; /* `own` is of this resource only, and moves with it */
    bool used;  /* sent to this instance */
    bool deleted;
    bool told; /* another instance said that it is deleted */
};

struct former_names {
    uint32_t set, next;
};

/* Names of a resource that is not known yet. */
struct early_names {
    uint64_t key;
    uint32_t set;
};

/* A namespace that was deleted, as another instance said. */
struct deleted_namespace {
    uint64_t hash, until_ns;
};

struct shared {
    const struct resource_log *log;
    struct registry_learner learner;
    struct shared_resource *at; /* by resource id */
    uint32_t count, room;
    struct key_map by_key;
    struct key_map by_pod_key; /* to the first of the list */
    uint32_t *anchors;         /* by identity: a resource that has it, NONE */
    uint32_t anchor_count, anchor_room;
    struct key_map by_uid; /* of components, to the first of the list */
    uint32_t *uid_next;    /* by identity: another one with its uid, NONE */
    uint32_t uid_count, uid_room;
    struct name_set *sets;
    uint32_t set_count, set_room;
    struct map by_set;
    struct former_names *former;
    uint32_t former_count, former_room;
    struct early_names *early; /* the latest EARLY_MAX, as a ring */
    uint32_t early_count;
    struct deleted_namespace *gone;
    uint32_t gone_count, gone_room;
    uint32_t walk;     /* number of the last walk through a cluster */
    uint32_t *members; /* of the cluster at hand */
    uint32_t member_room;
    uint32_t *large; /* one resource of each cluster that is to be done later */
    uint32_t large_count, large_room;
    uint64_t large_done_ns, seen_ns, collision_logged_ns;
    uint64_t batch_ns; /* the time of what is resolved now */
    bool completed;    /* an identity got uids that it had not */
    bool loading;      /* clusters are done at the end */
    bool rebuild;      /* something was deleted */
};

/* ---- registry_shared.c ---- */

void shared_open(struct registry *reg, const struct resource_log *log);
void shared_close(struct registry *reg);
/* registry_add() of a registry that shares. */
uint32_t shared_add(struct registry *reg, const struct resource *resource,
                    struct fingerprint f, enum resource_kind kind);
/* Retries the identity that had no room when it was added. */
void shared_retry(struct registry *reg, const struct resource *resource,
                  uint32_t id);
/* The maps of the registry are built anew. */
void shared_rebuild(struct registry *reg);
void shared_forget(struct registry *reg, uint32_t id);

/* A resource that is not known yet. */
struct shared_entry {
    const struct resource_attributes *fields;
    struct fingerprint f;
    uint64_t base; /* fingerprint_key() */
    uint64_t key, first_ns;
    enum resource_kind kind;
};
/* Under the lock; NONE: no room for its id. */
uint32_t shared_enter(struct registry *reg, const struct shared_entry *entry);
/* The overflow resource of the identity with this key. Under the lock. */
uint32_t shared_enter_overflow(struct registry *reg, uint32_t identity);
/* Two resources with one key: logged. */
void shared_collision(struct registry *reg, uint64_t key);
/* Makes room for this id. */
struct shared_resource *shared_reserve(struct registry *reg, uint32_t id);
uint64_t shared_next_key(uint64_t key);

enum { EARLY_MAX = 1024 };

/* ---- registry_shared_log.c: what is added to the log, and taken from it ----
 */

MUST_CHECK enum status shared_load(struct registry *reg);
/* It was sent to this instance: its row is added if that is due. */
void shared_use(struct registry *reg, const struct resource *resource,
                uint32_t id);
/* Whether shared_use() needs all attributes of the resource. */
bool shared_is_due(const struct registry *reg, uint32_t id);
/* Its identity has changed, or it was deleted: after registry_unlock(). */
void shared_add_change(struct registry *reg, uint32_t id);
void shared_add_namespace(struct registry *reg, struct slice namespace,
                          uint64_t until_ns);
void shared_save_seen(struct registry *reg);

static inline struct shared_resource *shared_of(const struct registry *reg,
                                                uint32_t id)
{
    return reg->shared && id < reg->shared->count && reg->shared->at[id].key
               ? &reg->shared->at[id]
               : NULL;
}

/* ---- registry_shared_names.c ---- */

/* The number of this set of names. */
uint32_t shared_set_of(struct registry *reg,
                       const uint32_t name[IDENTITY_NAMES]);
uint32_t shared_set_of_identity(struct registry *reg, uint32_t identity);
bool shared_has_set(const struct registry *reg, uint32_t id, uint32_t set);
/* Of a resource that may be known later, and what is known of one. */
void shared_note_early(struct registry *reg, uint64_t key, uint32_t set);
void shared_take_early(struct registry *reg, uint32_t id);
/* Records of it may have been written under these names. */
void shared_note_set(struct registry *reg, uint32_t id, uint32_t set);
/* The table of names is built anew. */
void shared_keep_sets(struct registry *reg, const struct intern *old,
                      struct intern *names);
/* Without those of resources that were forgotten. */
void shared_compact_sets(struct registry *reg);

/* ---- registry_shared_uids.c ---- */

/* The identity may have got a uid; changed: or has its first resource. */
void shared_note_uid(struct registry *reg, uint32_t identity, bool changed);
void shared_rebuild_uids(struct registry *reg);
/* After resources were deleted. */
void shared_find_named(struct registry *reg);
/* There is a resource whose own attributes give this identity. */
static inline bool shared_has_anchor(const struct registry *reg,
                                     uint32_t identity)
{
    return identity < reg->shared->anchor_count &&
           reg->shared->anchors[identity] != NONE;
}
static inline uint64_t shared_uid_key(uint32_t uid)
{
    return hash_mix(uid, UINT64_C(0x636f6d70));
}

/* ---- registry_shared_pods.c ---- */

/* The number stands for `to` from now on, or (NONE) for itself again. */
void shared_point(struct registry *reg, uint32_t identity, uint32_t to);

void shared_link(struct registry *reg, uint32_t id);
/* What the resources of its cluster learn from each other. */
void shared_learn(struct registry *reg, uint32_t id);
/* In all clusters; those that were put off. */
void shared_learn_all(struct registry *reg);
void shared_learn_large(struct registry *reg);

#endif
