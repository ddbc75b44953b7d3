/*
 * registry_int - what the files of the registry share.
 *
 *   resources   struct resource_state by id: what stored records need, for as
 * long as any record may refer to the id live        struct live_resource: what
 * is needed to recognize a resource that is sent again, found by hash of the
 * attributes. max_resources of them; the rest is evicted: only its struct
 * resource_state stays identities  struct identity_entry by number, found by
 * names and uids pods        struct registry_pod by number, found by uid, by
 * namespace and name, or by container id: what ties resources of one pod
 * together spaces      struct namespace_quota, one for each namespace: what it
 * holds of the tables, so that each has a share hosts       from a host name
 * within a scope to an identity names       every name once; all of the above
 * hold numbers
 *
 * The correlator's thread is the only one that changes anything, so it reads
 * without a lock, and writes under registry_lock(). The others read under the
 * same lock, shared. What has to reach the store is noted while the lock is
 * held and saved after it (registry_unlock()): the store may have locks of its
 * own and be asking us at that moment.
 */
#ifndef REGISTRY_INT_H
#define REGISTRY_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "idmap.h"
#include "intern.h"
#include "labels.h"
#include "registry.h"

#define NONE UINT32_MAX

enum { NAME_MAX_BYTES = 255 };

enum resource_kind {
    RESOURCE_PLAIN,    /* received */
    RESOURCE_RECORD,   /* received, with what its records say of another pod */
    RESOURCE_DERIVED,  /* made for the derived series of an identity */
    RESOURCE_OVERFLOW, /* made for the records of an identity whose resource did
                     not fit */
    RESOURCE_FREE      /* forgotten, to be used again */
};

/* The first attribute of a RESOURCE_RECORD: how many of the next are the
 * record's.
 */
#define RECORD_MARK "callboard.record"

/* The only attribute of the made-up ones: the number of their identity. */
#define DERIVED_MARK  "callboard.identity"
#define OVERFLOW_MARK "callboard.overflow"

/* In place of a check that is lost: the hash alone must do. */
#define CHECK_UNKNOWN 0

/* What ties a resource to a pod. */
enum pod_key { POD_KEY_UID, POD_KEY_NAME, POD_KEY_CONTAINER, POD_KEY_COUNT };

struct resource_state {
    uint32_t seen_s;
    uint32_t live;  /* place among the live ones, NONE: evicted or made up */
    uint32_t owner; /* RESOURCE_DERIVED, RESOURCE_OVERFLOW: whose it is */
    uint8_t rule, kind;
    uint8_t generation;  /* counts the resources that had this id */
    bool retry : 1;      /* its identity did not fit: to be tried again */
    bool says_space : 1; /* it names its namespace itself */
    bool object : 1;     /* a Kubernetes object that events are about */
    bool helper : 1;     /* Argo's containers beside the one of a step */
    bool has_space : 1, has_pod : 1; /* names a Kubernetes namespace, a pod */
};

struct live_resource {
    uint64_t hash, check;         /* of the attributes, by two functions */
    uint64_t keys[POD_KEY_COUNT]; /* 0: none */
    uint32_t id;
    uint32_t pod; /* NONE: none */
    uint32_t next_in_pod;
    uint32_t k8s_namespace, pod_name, task, service, k8s_service, ip;
};

/* In front of the namespace, that of the Kubernetes one of its workflows. */
#define WORKFLOW_PREFIX "workflows-"

/* What a workflow scope asks of an evicted resource. */
struct workflow_pod {
    uint32_t id, k8s_namespace, pod_name, task;
};

enum ident_name {
    IDENT_NAMESPACE,
    IDENT_PROJECT,
    IDENT_COMPONENT,
    IDENT_ENVIRONMENT,
    IDENT_NAMES
};
enum ident_uid {
    IDENT_PROJECT_UID,
    IDENT_COMPONENT_UID,
    IDENT_ENVIRONMENT_UID,
    IDENT_UIDS
};

/* In place of a pod: never to be one pod's own; its own, but the pod is
 * forgotten. */
#define POD_GONE   (NONE - 1)
#define POD_SHARED (NONE - 2)

struct identity_entry {
    uint32_t name[IDENT_NAMES], uid[IDENT_UIDS];
    uint32_t pod;         /* INFERRED and UNASSIGNED: whose own it is */
    uint32_t next_in_pod; /* of the pod's own ones */
    uint32_t moved_to;    /* what it was re-tagged to, or NONE */
    uint32_t derived;     /* its derived resource, or NONE */
    uint32_t overflow;    /* its overflow resource, or NONE */
    uint32_t resources;   /* that resolve to it, made-up ones not counted */
    uint32_t space;
    uint32_t used_s;    /* when it was last the answer to anything */
    uint8_t rule;       /* RULE_NONE: number not in use */
    uint8_t generation; /* counts the identities that had this number */
    bool says_space;    /* one pod's own: its resources name their namespace */
    uint64_t first_seen_ns;
    _Atomic uint64_t last_seen_ns[SIGNAL_COUNT];
};

/* `tenant` is who may speak for the pod: a hash of the namespace that stamped
 * it first. (With credentials, that of the sender is mixed in.) */
struct registry_pod {
    uint64_t keys[POD_KEY_COUNT]; /* the latest of each kind; 0: none */
    uint64_t tenant;              /* 0: nobody yet */
    uint32_t identity;            /* stamped, NONE until seen */
    uint32_t first;       /* resources in it that carry no stamp of their own */
    uint32_t own;         /* identities that are its own, NONE */
    uint32_t merged_into; /* it turned out to be that pod, or NONE */
    uint32_t resources;   /* live ones */
    uint32_t seen_s;
    uint8_t rule; /* that found identity */
};

struct namespace_quota {
    uint32_t name;
    uint32_t live;       /* live resources */
    uint32_t ids;        /* resource ids, evicted ones included */
    uint32_t identities; /* not moved */
    uint32_t limit;      /* others needed room: no more live ones than these */
    uint32_t limit_until_s;
    uint32_t overflow_s; /* last overflow */
    uint32_t overflow_from_s;
    uint64_t overflows; /* since then */
};

/* Something to tell the store once the lock is released. */
struct registry_write {
    uint32_t id;
    enum { WRITE_IDENTITY, WRITE_RESOURCE_IDENTITY, WRITE_SYNTHETIC } what;
};

struct registry {
    pthread_rwlock_t lock;
    struct registry_options options;
    struct labels labels;
    struct store *store;

    struct resource_state *res;
    uint32_t *identity_of; /* by resource id; NONE: free */
    uint32_t res_count, res_room;
    uint32_t received;  /* how many are RESOURCE_PLAIN or RESOURCE_RECORD */
    uint32_t *free_ids; /* of res, forgotten */
    uint32_t free_count, free_room;
    uint32_t unassigned; /* how many have that rule */

    struct live_resource *live;
    uint32_t live_count;          /* in use */
    uint32_t live_end, live_room; /* places used at some time */
    uint32_t free_live;           /* list through `next_in_pod` */
    struct idmap res_by_hash;
    struct idmap by_record; /* from labels on records, registry_record.c */
    struct workflow_pod *workflow_pods; /* evicted */
    uint32_t workflow_count, workflow_room;

    struct identity_entry *ident;
    uint32_t ident_count, ident_room;
    uint32_t ident_free;  /* list through `next_in_pod` */
    uint32_t ident_used;  /* how many are in use */
    uint32_t provisional; /* identities that are one pod's own, as long as it
                             waits: not re-tagged, not forgotten */
    struct idmap ident_by_key;

    struct registry_pod *pods;
    uint32_t pod_count, pod_room;
    uint32_t pods_used;
    uint32_t free_pod; /* list through `first` */
    struct idmap pod_by_key;

    struct namespace_quota *spaces;
    uint32_t space_count, space_room;
    uint32_t free_space; /* list through `limit`; such a one has no name */
    struct idmap space_by_name;

    struct idmap hosts;
    struct intern names;

    struct registry_write *saves;
    uint32_t save_count, save_room;
    struct attr *scratch; /* for attributes of made-up resources */
    uint32_t scratch_room;
    uint64_t now_ns;        /* of the call under way */
    uint64_t seen_saved_ns; /* when last-seen times were saved */
    uint64_t swept_ns;      /* when a sweep found nothing */
    uint64_t swept_ident_ns;
    uint64_t conflict_said_ns;
    bool seen_changed;
};

/* Who speaks for what is learned: today the namespace that is stamped. Names
 * are cut where the table of names cuts them. */
uint64_t tenant_of(struct slice namespace);

static inline uint32_t registry_now_s(const struct registry *registry)
{
    return (uint32_t)(registry->now_ns / UINT64_C(1000000000));
}

/* NULL: evicted, or made up. */
static inline struct live_resource *registry_live(
    const struct registry *registry, uint32_t id)
{
    uint32_t place = registry->res[id].live;

    return place == NONE ? NULL : &registry->live[place];
}

/* What the attributes of a resource say that matters here. */
struct resource_attributes {
    struct slice label[LABEL_COUNT];
    size_t label_key_len[LABEL_COUNT];
    struct slice service, service_namespace, environment, old_environment;
    struct slice container_id, k8s_service, ip;
    bool borrowed; /* stamped by the resource, about the pod of a record */
};

/* Two hashes of an attribute set; the order of attributes does not count. */
struct fingerprint {
    uint64_t hash, check;
};

/* registry.c */
void registry_lock(struct registry *registry);
void registry_unlock(struct registry *registry); /* and tell the store */
void registry_queue_write(struct registry *registry, uint32_t id, int what);
uint32_t registry_new_id(struct registry *registry);
void registry_free_id(struct registry *registry, uint32_t id);
/* A place among the live ones, and giving it back. */
struct live_resource *live_new(struct registry *registry, uint32_t id);
void live_free(struct registry *registry, uint32_t id);
void registry_set_identity(struct registry *registry, uint32_t id,
                           uint32_t identity, uint8_t rule);
/* The resource for records of this identity that have none of their own. */
uint32_t registry_overflow_resource(struct registry *registry,
                                    uint32_t identity);
/* Room for so many attributes, until the next call. */
struct attr *registry_scratch(struct registry *registry, uint32_t count);

/* registry_quota.c */
/* The space of the namespace with this name, made if it is not known. */
uint32_t quota_of(struct registry *registry, uint32_t name);
void quota_index(struct registry *registry, uint32_t space);
/* Those without any identity are free for others. */
void quota_free_unused(struct registry *registry);
/* More or fewer resources resolve to this identity. */
void quota_count_resource(struct registry *registry, uint32_t identity,
                          bool is_live, int step);
/* Room for one more resource of this namespace: a place, and an id. */
bool quota_has_slot(const struct registry *registry, uint32_t space);
bool quota_has_id(const struct registry *registry, uint32_t space);
/* Room for one more identity, `max` being the bound for its kind. */
bool quota_has_identity(const struct registry *registry, uint32_t space,
                        uint32_t max);
/* Whose resources can be taken for the good of this one; NONE. */
uint32_t quota_largest(const struct registry *registry, uint32_t space);
uint32_t quota_minimum(const struct registry *registry);
/* A resource of it had no room: count, and say it once in a while. */
void quota_overflowed(struct registry *registry, uint32_t space);

/* resource_attributes.c */
struct fingerprint attrs_fingerprint(const struct attrs *attrs);
uint64_t fingerprint_key(struct fingerprint f, enum resource_kind kind);
void attributes_read(struct resource_attributes *facts,
                     const struct labels *labels, const struct attrs *attrs);
/* Of a resource of this kind: RESOURCE_RECORD has a mark with the number of the
 * record's attributes in front, then these. */
void resource_attributes_of(struct resource_attributes *facts,
                            const struct labels *labels,
                            const struct attrs *attrs, enum resource_kind kind);
void attributes_pod_keys(const struct resource_attributes *facts,
                         uint64_t keys[POD_KEY_COUNT]);
/* What a live resource keeps of them, but for its pod's keys. */
void attributes_store(struct registry *registry,
                      const struct resource_attributes *facts,
                      enum resource_kind kind, struct live_resource *live);
/* What stays of them in a resource that is not live. */
void attributes_set_flags(const struct resource_attributes *facts,
                          struct resource_state *res);
/* Who sent it, as far as it says so: 0 if it does not name its namespace. */
uint64_t attributes_tenant(const struct resource_attributes *facts);
/* The rule by which these, if stamped, give a resource of this kind its
 * identity. */
uint8_t attributes_rule(const struct resource_attributes *facts,
                        enum resource_kind kind);
bool attributes_name_pod(
    const struct resource_attributes *facts); /* names a pod */
bool attributes_stamped(const struct resource_attributes *facts);
bool attributes_name_service(
    const struct resource_attributes *facts); /* has a service name */

/* registry_resolve.c */
uint32_t registry_find_resource(const struct registry *registry,
                                struct fingerprint f, enum resource_kind kind);
void registry_index_resource(struct registry *registry, uint32_t id);
uint32_t registry_add(struct registry *registry,
                      const struct resource *resource, struct fingerprint f,
                      enum resource_kind kind);
/* What every call does once it has the id. */
uint32_t registry_mark_seen(struct registry *registry,
                            const struct resource *resource, uint32_t id);

/* registry_identity.c */
uint32_t ident_resolve(const struct registry *registry, uint32_t identity);
/* By facts; NONE if it does not fit. */
uint32_t ident_stamped(struct registry *registry,
                       const struct resource_attributes *facts, uint8_t rule);
/* Who may speak for the pods of this identity. */
uint64_t ident_tenant(const struct registry *registry, uint32_t identity);
/* INFERRED or UNASSIGNED, pod's own, or shared if pod is NONE. */
uint32_t ident_inferred(struct registry *registry,
                        const struct resource_attributes *facts, uint32_t pod);
uint32_t ident_unassigned(struct registry *registry,
                          const struct resource_attributes *facts,
                          uint32_t pod);
/* For what does not fit: unassigned, in the namespace that the facts name. */
uint32_t ident_fallback(struct registry *registry,
                        const struct resource_attributes *facts);
/* All of `from`, which is one pod's own, becomes `to`. */
void ident_move(struct registry *registry, uint32_t from, uint32_t to);
/* Makes it findable: by names and uids, or by names and pod. */
void ident_index(struct registry *registry, uint32_t identity);
/* By names and uids as stored; NONE. */
uint32_t ident_find(const struct registry *registry,
                    const uint32_t name[IDENT_NAMES],
                    const uint32_t uid[IDENT_UIDS]);
/* Room for one with this number, not in use yet. */
struct identity_entry *ident_reserve(struct registry *registry,
                                     uint32_t identity);
/* Its number is for another one from now on. */
void ident_forget(struct registry *registry, uint32_t identity);
void ident_view(const struct registry *registry, uint32_t identity,
                struct identity *out);
/* Makes the texts of a view the arena's. */
void ident_copy(struct identity *identity, struct arena *arena);

/* registry_pod.c */
uint32_t pod_resolve(const struct registry *registry, uint32_t pod);
/* The pod of these keys, made if it is not known; NONE without keys or room.
 * A key of another tenant's pod becomes one of this tenant's own. `claims`: it
 * is stamped, so that a key that is another's is a conflict. */
uint32_t pod_of_keys(struct registry *registry, uint64_t keys[POD_KEY_COUNT],
                     uint64_t tenant, bool claims);
void pod_own(struct registry *registry, uint32_t pod, uint32_t identity);
void pod_attach(struct registry *registry, uint32_t pod, uint32_t id);
/* The pod was seen with this stamped identity. */
void pod_learn(struct registry *registry, uint32_t pod, uint32_t identity,
               uint8_t rule);

/* registry_host.c */
void host_add_resource(struct registry *registry, uint32_t id);
/* By its component's name alone. */
void host_add_identity(struct registry *registry, uint32_t identity);

/* registry_load.c */
enum status registry_load(struct registry *registry);
void registry_save_seen(struct registry *registry);

/* registry_evict.c */
/* Makes room for a resource of this namespace; true if anything was dropped:
 * numbers of names and pods are others then. */
bool registry_make_room(struct registry *registry, uint32_t space);
/* Of identities that nothing refers to, when one has no room. The same. */
bool registry_forget_identities(struct registry *registry);
/* What stays known of a resource that is not live any more. */
void registry_retain_workflow(struct registry *registry, uint32_t id,
                              const struct live_resource *live);

/* registry_rebuild.c */
/* All that is made from the live resources, made anew. */
void registry_rebuild(struct registry *registry);

#endif
