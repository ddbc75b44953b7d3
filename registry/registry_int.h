/*
 * registry_int - the tables that the files of the registry share.
 *
 *   resources   one entry per resource id, for as long as a stored record may
 *               refer to the id
 *   live        what recognizes a resource that is sent again: at most
 *               max_resources entries. The other resources are evicted: only
 *               their entry in `resources` stays
 *   identities  found by names and uids
 *   pods        tie the resources of one pod together; found by uid, by
 *               namespace and name, or by container id
 *   quotas      one per namespace: what it holds of the tables
 *   hosts       from a host name within a scope to an identity
 *   names       every name once; the tables hold numbers of names
 *
 * The correlator's thread is the only writer. It reads without a lock and
 * writes under registry_lock(); other threads read under the same lock, shared.
 * Writes for the store are queued while the lock is held and done after its
 * release (registry_unlock()), because the store has locks of its own and may
 * be calling the registry at that moment.
 */
#ifndef REGISTRY_INT_H
#define REGISTRY_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "intern.h"
#include "key_map.h"
#include "labels.h"
#include "registry.h"
#include "resource_attributes.h"

#define NONE UINT32_MAX

/* The first attribute of synthetic resources: the number of their identity. */
#define DERIVED_MARK  "callboard.identity"
#define OVERFLOW_MARK "callboard.overflow"

/* The stored hash of a tenant's overflow resource; that of a collector is 0. */
#define OVERFLOW_OF_TENANT 1

/* A fingerprint's check that was not stored: the hash alone decides. */
#define CHECK_UNKNOWN 0

/* ---- resources ---- */

struct resource_state {
    uint32_t seen_s;
    uint32_t live;  /* index of its live entry; NONE: evicted or synthetic */
    uint32_t owner; /* DERIVED, OVERFLOW: their identity; FREE: the next one */
    uint8_t rule, kind;
    uint8_t generation;       /* counts the resources that had this id */
    bool retry : 1;           /* no room for its identity: retry when seen */
    bool names_namespace : 1; /* has a namespace label of its own */
    bool object : 1;          /* a Kubernetes object that events are about */
    bool helper : 1;          /* an Argo container beside that of a step */
    bool has_namespace : 1, has_pod : 1; /* names a Kubernetes namespace, pod */
    bool of_tenant : 1; /* sent by a tenant, whose namespace its identity has;
                           else by a collector */
};

struct resource_table {
    struct resource_state *at;
    uint32_t *identity; /* by resource id; NONE: id not in use */
    uint32_t count, room;
    uint32_t first_free;
    uint32_t received;   /* how many are PLAIN or RECORD */
    uint32_t unassigned; /* how many have that rule */
};

/* What a workflow scope is matched with; numbers of names. */
struct workflow_pod {
    uint32_t id, k8s_namespace, pod_name, task;
};

/* The namespace of OpenChoreo's workflow runs: this and the tenant's name. */
#define WORKFLOW_PREFIX "workflows-"
/* That of the identity of what was deleted, which has no other name. */
#define NAMESPACE_DELETED "{deleted}"

struct live_resource {
    uint64_t hash, check;         /* fingerprint of the attributes */
    uint64_t keys[POD_KEY_COUNT]; /* 0: none */
    uint64_t accepted_from;       /* hash of the last writer; 0: any */
    struct workflow_pod names;    /* id NONE: entry not in use */
    uint32_t pod;                 /* NONE: none */
    uint32_t next_in_pod;         /* or the next entry that is not in use */
    uint32_t service, k8s_service, ip;
};

struct live_table {
    struct live_resource *at;
    uint32_t used, end, room; /* entries from `end` on were never in use */
    uint32_t first_free;
    struct map by_hash;       /* of the attributes, to an entry */
    struct key_map by_record; /* of a record's labels (registry_record.c) */
};

/* Evicted resources of workflow runs. */
struct workflow_table {
    struct workflow_pod *at;
    uint32_t count, room;
};

/* ---- identities ---- */

/* Values of identity_entry.pod that are no pod. */
#define POD_GONE   (NONE - 1) /* its pod is forgotten, or it was re-tagged */
#define POD_SHARED (NONE - 2) /* used by several pods */

struct identity_entry {
    uint32_t text[IDENTITY_TEXTS]; /* numbers of names */
    uint32_t pod;         /* INFERRED, UNASSIGNED: the only pod that has it */
    uint32_t next_in_pod; /* of that pod's; or the next entry not in use */
    uint32_t moved_to;    /* the identity it was re-tagged to, or NONE */
    uint32_t derived;     /* its derived resource, or NONE */
    uint32_t overflow;    /* its overflow resource, or NONE */
    uint32_t resources;   /* received ones that resolve to it */
    uint32_t quota;
    uint32_t used_s;      /* last use by a resource or as a call's target */
    uint8_t rule;         /* RULE_NONE: entry not in use */
    uint8_t generation;   /* counts the identities that had this number */
    bool names_namespace; /* one pod's: its resources name their namespace */
    bool deleted;         /* stands for what was deleted: no query returns it */
    uint64_t first_seen_ns;
    _Atomic uint64_t last_seen_ns[SIGNAL_COUNT];
};

struct identity_table {
    struct identity_entry *at;
    uint32_t count, room;
    uint32_t first_free;
    uint32_t used;
    uint32_t provisional;  /* those of one pod that are not re-tagged yet */
    struct key_map by_key; /* registry_identity.c lists the keys */
};

/* ---- pods ---- */

struct registry_pod {
    uint64_t keys[POD_KEY_COUNT]; /* the latest of each kind; 0: none */
    uint64_t tenant;      /* hash of the namespace that owns it; 0: none yet */
    uint32_t identity;    /* stamped; NONE until seen */
    uint32_t first;       /* resources without labels of their own; or the next
                             entry that is not in use */
    uint32_t own;         /* identities that only this pod has, or NONE */
    uint32_t merged_into; /* the pod that it turned out to be, or NONE */
    uint32_t resources;   /* live ones */
    uint32_t seen_s;
    uint8_t rule; /* that found `identity` */
};

struct pod_table {
    struct registry_pod *at;
    uint32_t count, room;
    uint32_t first_free;
    uint32_t used;
    struct key_map by_key;
    uint64_t conflict_logged_ns;
};

/* ---- quotas ---- */

struct namespace_quota {
    uint32_t name; /* 0: entry not in use */
    uint32_t live; /* live resources */
    uint32_t ids;  /* resource ids, those of evicted ones included */
    uint32_t identities;
    uint32_t limit; /* of live resources, after others needed room; or the next
                       entry that is not in use */
    uint32_t limit_until_s;
    uint32_t overflow_s; /* last overflow */
    uint32_t overflow_from_s;
    uint64_t overflows; /* since then */
    uint64_t overflows_total;
};

struct quota_table {
    struct namespace_quota *at;
    uint32_t count, room;
    uint32_t first_free;
    struct map by_name;
};

/* ---- the sender of the current batch ---- */

struct registry_sender {
    const struct writer *writer; /* NULL: a collector that may write anything */
    struct slice topic;          /* of Kafka; empty: none */
    uint64_t hash;               /* of the writer */
    uint64_t tenant;             /* 0: a collector. Key of pods */
    uint64_t key; /* of resources; more than the tenant if the sender gives
                     more than the namespace, or replaces what is stamped */
};

/* ---- all of it ---- */

/* A write that is due once the lock is released. */
struct registry_write {
    uint32_t id;
    enum { WRITE_IDENTITY, WRITE_RESOURCE_IDENTITY, WRITE_SYNTHETIC } what;
};

struct write_queue {
    struct registry_write *at;
    uint32_t count, room;
};

struct registry {
    pthread_rwlock_t lock;
    struct shared *shared; /* NULL: nothing is shared with other instances */
    struct registry_options options;
    struct labels labels;
    struct store *store;
    struct metadata *metadata; /* of the store */
    struct resource_table resources;
    struct live_table live;
    struct workflow_table workflows;
    struct identity_table identities;
    struct pod_table pods;
    struct quota_table quotas;
    struct key_map hosts;
    struct key_map
        uids; /* to an identity of the namespace that it belongs to */
    struct registry_sender sender;
    struct intern names;
    struct write_queue writes;
    struct attr *scratch; /* attributes of a resource that is being made */
    uint32_t scratch_room;
    uint64_t now_ns;              /* time of the current call */
    uint64_t swept_ns;            /* last sweep that found too little */
    uint64_t swept_identities_ns; /* last sweep for room for identities */
    uint64_t seen_saved_ns;       /* last save of the last-seen times */
    bool seen_changed;
};

static inline uint32_t registry_now_s(const struct registry *reg)
{
    return (uint32_t)(reg->now_ns / UINT64_C(1000000000));
}

/* NULL: evicted, or synthetic. */
static inline struct live_resource *registry_live(const struct registry *reg,
                                                  uint32_t id)
{
    uint32_t place = reg->resources.at[id].live;

    return place == NONE ? NULL : &reg->live.at[place];
}

/* registry.c */
void registry_lock(struct registry *reg);
void registry_unlock(struct registry *reg); /* and writes to the store */
void registry_queue_write(struct registry *reg, uint32_t id, int what);
uint32_t registry_new_id(struct registry *reg);
void registry_free_id(struct registry *reg, uint32_t id);
struct live_resource *live_new(struct registry *reg, uint32_t id);
void live_free(struct registry *reg, uint32_t id);
void registry_set_identity(struct registry *reg, uint32_t id, uint32_t identity,
                           uint8_t rule);
/* The resource for records of this identity that have none of their own. */
uint32_t registry_overflow_resource(struct registry *reg, uint32_t identity);
/* Room for so many attributes, until the next call. */
struct attr *registry_scratch(struct registry *reg, uint32_t count);
/* The time of the current call; where several partitions are read it does not
 * go back. */
void registry_set_now(struct registry *reg, uint64_t now_ns);
/* It has a derived resource then. Under the lock. */
void registry_ensure_derived(struct registry *reg, uint32_t identity);

/* registry_quota.c */
/* The quota of the namespace with this name, made if there is none. */
uint32_t quota_of(struct registry *reg, uint32_t name);
void quota_index(struct registry *reg, uint32_t quota);
void quota_free_unused(struct registry *reg);
/* `step` more resources resolve to this identity. */
void quota_count_resource(struct registry *reg, uint32_t identity, bool is_live,
                          int step);
/* Room for one more resource of this namespace: a live entry, and an id. */
bool quota_has_slot(const struct registry *reg, uint32_t quota);
/* It has as many live ones as the limits file allows. */
bool quota_is_over_limit(const struct registry *reg, uint32_t quota);
bool quota_has_id(const struct registry *reg, uint32_t quota);
/* Room for one more identity; `max`: the bound for its kind. */
bool quota_has_identity(const struct registry *reg, uint32_t quota,
                        uint32_t max);
/* The namespace that holds most and clearly more than this one; NONE. */
uint32_t quota_largest(const struct registry *reg, uint32_t quota);
/* Live entries that every namespace may have. */
uint32_t quota_minimum(const struct registry *reg);
/* Counts a resource of it that had no room, and logs it now and then. */
void quota_overflowed(struct registry *reg, uint32_t quota);

/* registry_sender.c */
/* Adds to the fields of a resource what its sender gives to it, or replaces
 * what is stamped. False: it stamps what the sender may not write. */
bool sender_complete(const struct registry *reg,
                     struct resource_attributes *fields);
/* This identity has its uids. trusted: a collector says so. */
void uid_claim(struct registry *reg, uint32_t identity, bool trusted);

/* The same for the identity of a resource that a collector stamped. */
void resource_claim_uids(struct registry *reg, uint32_t id);

/* registry_resolve.c */
/* Once accepted, a resource is not compared again until another writer sends
 * it. */
bool registry_was_accepted(const struct registry *reg, uint32_t id);
void registry_note_accepted(struct registry *reg, uint32_t id);
/* By fingerprint_key() and the fingerprint's check. */
uint32_t registry_find_resource(const struct registry *reg, uint64_t key,
                                uint64_t check);
/* The resource without the attributes that are too large to be stored. */
struct resource registry_cut(struct registry *reg,
                             const struct resource *resource);
void registry_index_resource(struct registry *reg, uint32_t id);
uint32_t registry_add(struct registry *reg, const struct resource *resource,
                      struct fingerprint f, enum resource_kind kind);
/* Every call that yields a known id ends here. */
uint32_t registry_mark_seen(struct registry *reg,
                            const struct resource *resource, uint32_t id);
/* Interns what a live entry keeps of the attributes. */
void live_set_names(struct registry *reg,
                    const struct resource_attributes *fields,
                    enum resource_kind kind, struct live_resource *live);
void resource_set_flags(const struct resource_attributes *fields,
                        struct resource_state *state);

/* registry_identity.c */
/* Follows a re-tagging; NONE if there is no such number. */
uint32_t ident_resolve(const struct registry *reg, uint32_t identity);
/* By labels; NONE if there is no room. */
uint32_t ident_stamped(struct registry *reg,
                       const struct resource_attributes *fields, uint8_t rule);
/* RULE_INFERRED or RULE_UNASSIGNED; the pod's own, or shared if pod is NONE.
 * With the pod POD_GONE: of one resource only, if there is room for such.
 * NONE if there is no room. */
uint32_t ident_unstamped(struct registry *reg,
                         const struct resource_attributes *fields, uint8_t rule,
                         uint32_t pod);
/* The quota of the namespace that the attributes name. */
uint32_t ident_quota(struct registry *reg,
                     const struct resource_attributes *fields);
/* When there is no room: unassigned, in the namespace that the labels name. */
uint32_t ident_fallback(struct registry *reg,
                        const struct resource_attributes *fields);
/* The identity of what was deleted; registry_delete.c. */
uint32_t ident_deleted(struct registry *reg);
/* Whether an entry with these names is it, or was re-tagged to it. */
bool ident_is_deleted(const struct registry *reg,
                      const uint32_t text[IDENTITY_TEXTS]);
/* The tenant that owns the pods of this identity. */
uint64_t ident_tenant(const struct registry *reg, uint32_t identity);
/* The tenant that sent a resource with this identity; 0: a collector. */
static inline uint64_t resource_tenant(const struct registry *reg, uint32_t id)
{
    return reg->resources.at[id].of_tenant
               ? ident_tenant(reg, reg->resources.identity[id])
               : 0;
}
/* Re-tags all of `from`, which is one pod's own, to `to`. */
void ident_move(struct registry *reg, uint32_t from, uint32_t to);
/* Adds it to the map: by names and uids, or by names and pod. */
void ident_index(struct registry *reg, uint32_t identity);
/* By names and uids; NONE. */
uint32_t ident_find(const struct registry *reg,
                    const uint32_t text[IDENTITY_TEXTS]);
/* Makes room for this number; the entry is not in use yet. */
struct identity_entry *ident_reserve(struct registry *reg, uint32_t identity);
/* Frees the number for another identity. */
void ident_forget(struct registry *reg, uint32_t identity);
/* Texts point into the table of names. */
void ident_view(const struct registry *reg, uint32_t identity,
                struct identity *out);
/* Copies the texts of a view into the arena. */
void ident_copy(struct identity *identity, struct arena *arena);

/* registry_pod.c */
/* Follows mergers; values that are no pod stay. */
uint32_t pod_resolve(const struct registry *reg, uint32_t pod);
/* The pod with these keys, made if there is none; NONE without keys or room.
 * A key of another tenant's pod is replaced by one of this tenant's own.
 * `claims`: the resource is stamped, so that this counts as a conflict. */
uint32_t pod_of_keys(struct registry *reg, uint64_t keys[POD_KEY_COUNT],
                     uint64_t tenant, bool claims);
void pod_own(struct registry *reg, uint32_t pod, uint32_t identity);
void pod_attach(struct registry *reg, uint32_t pod, uint32_t id);
/* The pod was seen with this stamped identity. */
void pod_learn(struct registry *reg, uint32_t pod, uint32_t identity,
               uint8_t rule);
/* The same from a collector, for what the tenant itself sent of that pod, too.
 * keys: the collector's. */
void pod_learn_from_collector(struct registry *reg, uint32_t pod,
                              const uint64_t keys[POD_KEY_COUNT],
                              uint32_t identity, uint8_t rule);
/* What collectors say of the pod with these keys of theirs, if that is an
 * identity of this tenant; NONE. */
uint32_t pod_identity_by_collector(const struct registry *reg,
                                   const uint64_t keys[POD_KEY_COUNT],
                                   uint64_t tenant);
/* A tenant stamps it: a conflict if collectors say it is another's. */
void pod_check_claim(struct registry *reg, const uint64_t keys[POD_KEY_COUNT],
                     uint64_t tenant);

/* registry_host.c */
void host_add_resource(struct registry *reg, uint32_t id);
void host_add_identity(struct registry *reg, uint32_t identity);

/* registry_delete.c */
void registry_delete_resource(struct registry *reg, uint32_t id,
                              uint32_t deleted);
/* What was seen first until then, if instances share it. Under the lock; the
 * tables have to be built anew then. */
void registry_delete_until(struct registry *reg, struct slice namespace,
                           uint64_t until_ns, struct registry_deletion *out);

/* registry_load.c */
enum status registry_load(struct registry *reg);
void registry_save_seen(struct registry *reg);

/* registry_evict.c; both return true if anything was dropped: numbers of names
 * and pods have changed then. */
/* Makes room for a resource of this namespace. */
bool registry_make_room(struct registry *reg, uint32_t quota);
/* Frees identities that nothing refers to. */
bool registry_forget_identities(struct registry *reg);
/* Keeps the names of a workflow's pod that is not live any more. */
void registry_retain_workflow(struct registry *reg,
                              const struct workflow_pod *names);

/* registry_rebuild.c */
/* Builds names, pods and maps anew from what is left. */
void registry_rebuild(struct registry *reg);

#endif
