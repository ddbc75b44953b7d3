/*
 * registry_int - what the files of the registry share.
 *
 *   resources   struct res by id, found by hash of the attributes
 *   identities  struct ident by number, found by names and uids
 *   pods        struct pod by number, found by uid, by namespace and name, or
 *               by container id: what ties resources of one pod together
 *   hosts       from a host name within a scope to an identity
 *   names       every name once; all of the above hold numbers
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
#include "labels.h"
#include "names.h"
#include "registry.h"

#define NONE UINT32_MAX

enum res_kind {
    RES_PLAIN,    /* received */
    RES_RECORD,   /* received, with what its records say of another pod */
    RES_DERIVED,  /* made for the derived series of an identity */
    RES_OVERFLOW, /* made for all that does not fit */
    RES_FREE      /* forgotten, to be used again */
};

/* The first attribute of a RES_RECORD: how many of the next are the record's.
 */
#define RECORD_MARK "callboard.record"

/* In place of a check that is lost: the hash alone must do. */
#define CHECK_UNKNOWN 0

/* What ties a resource to a pod. */
enum pod_key { POD_KEY_UID, POD_KEY_NAME, POD_KEY_CONTAINER, POD_KEY_COUNT };

struct res {
    uint64_t hash, check;         /* of the attributes, by two functions */
    uint64_t keys[POD_KEY_COUNT]; /* 0: none */
    uint32_t pod;                 /* NONE: none */
    uint32_t next_in_pod;
    uint32_t owner; /* RES_DERIVED: the identity it was made for */
    uint32_t seen_s;
    uint32_t k8s_namespace, pod_name, task, service, k8s_service, ip;
    uint8_t rule, kind;
    uint8_t life;  /* counts the resources that had this id */
    bool object;   /* a Kubernetes object that events are about */
    bool helper;   /* Argo's containers beside the one of a step */
    bool overflow; /* its identity did not fit */
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

struct ident {
    uint32_t name[IDENT_NAMES], uid[IDENT_UIDS];
    uint32_t pod;       /* INFERRED and UNASSIGNED: whose own it is */
    uint32_t moved_to;  /* what it was re-tagged to, or NONE */
    uint32_t derived;   /* its derived resource, or NONE */
    uint32_t resources; /* that resolve to it, derived ones not counted */
    uint8_t rule;       /* RULE_NONE: number not in use */
    uint64_t first_seen_ns;
    _Atomic uint64_t last_seen_ns[SIGNAL_COUNT];
};

struct pod {
    uint64_t uid_key;     /* 0: uid not known yet */
    uint32_t identity;    /* stamped, NONE until seen */
    uint32_t first;       /* resources in it that carry no stamp of their own */
    uint32_t merged_into; /* it turned out to be that pod, or NONE */
    uint32_t resources;
    uint8_t rule; /* that found identity */
};

/* Something to tell the store once the lock is released. */
struct save {
    uint32_t id;
    enum { SAVE_IDENTITY, SAVE_RESOURCE_IDENTITY, SAVE_DERIVED } what;
};

struct registry {
    pthread_rwlock_t lock;
    struct registry_options options;
    struct labels labels;
    struct store *store;

    struct res *res;
    uint32_t *identity_of; /* by resource id; NONE: free */
    uint32_t res_count, res_room;
    uint32_t received;  /* how many are RES_PLAIN or RES_RECORD */
    uint32_t *free_ids; /* of res, forgotten */
    uint32_t free_count, free_room;
    uint32_t unassigned;  /* how many have that rule */
    uint32_t overflow_id; /* the overflow resource, NONE until needed */
    struct idmap res_by_hash;
    struct idmap by_record; /* from labels on records, see registry_resolve.c */

    struct ident *ident;
    uint32_t ident_count, ident_room;
    uint32_t provisional; /* identities that are one pod's own, as long as it
                             waits: not re-tagged, not forgotten */
    struct idmap ident_by_key;

    struct pod *pods;
    uint32_t pod_count, pod_room;
    uint32_t free_pod; /* list through `first` */
    struct idmap pod_by_key;

    struct idmap hosts;
    struct names names;

    struct save *saves;
    uint32_t save_count, save_room;
    struct attr *scratch; /* for attributes of made-up resources */
    uint32_t scratch_room;
    uint64_t now_ns;        /* of the call under way */
    uint64_t seen_saved_ns; /* when last-seen times were saved */
    uint64_t swept_ns;
    bool seen_changed;
};

/* What the attributes of a resource say that matters here. */
struct facts {
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
void registry_save_later(struct registry *registry, uint32_t id, int what);
uint32_t registry_take_id(struct registry *registry);
void registry_give_id(struct registry *registry, uint32_t id);
void registry_set_identity(struct registry *registry, uint32_t id,
                           uint32_t identity, uint8_t rule);
/* Room for so many attributes, until the next call. */
struct attr *registry_scratch(struct registry *registry, uint32_t count);

/* registry_facts.c */
struct fingerprint attrs_fingerprint(const struct attrs *attrs);
uint64_t fingerprint_key(struct fingerprint f, enum res_kind kind);
void facts_read(struct facts *facts, const struct labels *labels,
                const struct attrs *attrs);
/* Of a resource of this kind: RES_RECORD has a mark with the number of the
 * record's attributes in front, then these. */
void facts_of(struct facts *facts, const struct labels *labels,
              const struct attrs *attrs, enum res_kind kind);
/* What res keeps of them, its pod's keys included. */
void facts_keep(struct registry *registry, const struct facts *facts,
                struct res *res);
/* The rule by which these, if stamped, give a resource of this kind its
 * identity. */
uint8_t facts_rule(const struct facts *facts, enum res_kind kind);
bool facts_pod(const struct facts *facts); /* names a pod */
bool facts_stamped(const struct facts *facts);
bool facts_service(const struct facts *facts); /* has a service name */

/* registry_resolve.c */
uint32_t registry_find_res(const struct registry *registry,
                           struct fingerprint f, enum res_kind kind);
void registry_index_res(struct registry *registry, uint32_t id);

/* registry_identity.c */
uint32_t ident_resolve(const struct registry *registry, uint32_t identity);
/* By facts; NONE if it does not fit. */
uint32_t ident_stamped(struct registry *registry, const struct facts *facts,
                       uint8_t rule);
/* INFERRED or UNASSIGNED, pod's own, or shared if pod is NONE. */
uint32_t ident_inferred(struct registry *registry, const struct facts *facts,
                        uint32_t pod);
uint32_t ident_unassigned(struct registry *registry, const struct facts *facts,
                          uint32_t pod);
/* The one that always fits. */
uint32_t ident_fallback(struct registry *registry);
/* All of `from`, which is one pod's own, becomes `to`. */
void ident_move(struct registry *registry, uint32_t from, uint32_t to);
/* Makes it findable: by names and uids, or by names and pod. */
void ident_index(struct registry *registry, uint32_t identity);
/* By names and uids as stored; NONE. */
uint32_t ident_find(const struct registry *registry,
                    const uint32_t name[IDENT_NAMES],
                    const uint32_t uid[IDENT_UIDS]);
/* Room for one with this number, not in use yet. */
struct ident *ident_reserve(struct registry *registry, uint32_t identity);
void ident_view(const struct registry *registry, uint32_t identity,
                struct identity *out);
/* Makes the texts of a view the arena's. */
void ident_copy(struct identity *identity, struct arena *arena);

/* registry_pod.c */
uint32_t pod_resolve(const struct registry *registry, uint32_t pod);
/* The pod of these keys, made if it is not known; NONE without keys. */
uint32_t pod_of_keys(struct registry *registry,
                     const uint64_t keys[POD_KEY_COUNT]);
void pod_attach(struct registry *registry, uint32_t pod, uint32_t id);
/* The pod was seen with this stamped identity. */
void pod_learn(struct registry *registry, uint32_t pod, uint32_t identity,
               uint8_t rule);

/* registry_host.c */
void host_add_res(struct registry *registry, uint32_t id);

/* registry_load.c */
enum status registry_load(struct registry *registry);
void registry_save_seen(struct registry *registry);

/* registry_forget.c */
/* Drops what was not seen for so long, at most once in a while. */
void registry_forget(struct registry *registry);

#endif
