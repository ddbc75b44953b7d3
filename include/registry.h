/*
 * registry - resources and the identities that they resolve to.
 *
 * Every distinct OTLP resource gets a small id, and an identity by the five
 * rules of docs/correlation.md. The identity belongs to the resource, not to
 * its records: when it becomes known, or known by a stronger rule, the resource
 * is pointed at the better identity, and thereby all its records of any signal
 * and age are re-tagged. Until then a resource that may be re-tagged (INFERRED
 * with a pod, UNASSIGNED) has an identity of its own. Derived series refer to a
 * synthetic resource per identity and are re-tagged the same way.
 *
 * Bounds: max_resources are known by their attributes; of the others only the
 * id and its identity are. A full table evicts the resources unseen longest of
 * the namespace that holds most. A resource that does not fit still has an
 * identity: its records go to the overflow resource of that identity. Each
 * namespace has a share of the table, of ids and of identities.
 *
 * Purpose:    from a resource to its id and identity, from a scope to ids.
 * Ownership:  the caller owns the registry; texts that it returns are copied
 *             into the caller's arena.
 * Threads:    the functions of the correlator's thread are marked below; the
 *             others may be called by any thread.
 * Errors:     only registry_open() fails; a full arena is told by its status
 *             and, where said, by NULL.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "arena.h"
#include "bitmap.h"
#include "buf.h"
#include "grant.h"
#include "identity.h"
#include "record.h"
#include "resource_log.h"
#include "status.h"
#include "store.h"
#include "store_resources.h"
#include "writer.h"

struct registry;
struct tenants;

enum { REGISTRY_KEYS = 10 };

/* Keys of the labels that a control plane stamps, each in canonical form such
 * as "openchoreo.dev/project-uid"; docs/correlation.md lists the spellings. */
struct registry_keys {
    union {
        struct {
            struct slice namespace, project, component, environment;
            struct slice project_uid, component_uid, environment_uid;
            /* A managed resource: takes the place of a missing component. */
            struct slice resource, resource_uid;
            struct slice endpoint;
        };
        struct slice key[REGISTRY_KEYS];
    };
};

extern const struct registry_keys registry_default_keys;

struct registry_options {
    struct registry_keys keys; /* an empty one: the default */
    uint32_t max_resources, max_identities;
    uint32_t max_ids; /* of resources that stored records may refer to, live
                         or evicted; 0: 8 * max_resources */
    const struct resource_log *log; /* of instances that share resources; NULL:
                                       they are kept in the store */
    struct tenants *tenants;        /* limits of namespaces; NULL: none */
    uint64_t forget_ns; /* the id of a resource not seen for so long may be
                           reused: not less than the longest retention; 0: only
                           once nothing that old is stored (store_oldest_ns())
                         */
};

/* Reads what is in the store. Close it before the store: closing saves the
 * last-seen times. ERR_INVALID if a key is too long. */
MUST_CHECK enum status registry_open(struct registry **registry,
                                     const struct registry_options *options,
                                     struct store *store);
void registry_close(struct registry *registry);

/* ---- the correlator's thread ---- */

/* Whose records follow: what may be stamped, what is given to resources that
 * stamp nothing, and what they may teach. Borrowed until the next call. NULL: a
 * collector that may write anything. */
void registry_set_writer(struct registry *registry,
                         const struct writer *writer);
/* The Kafka topic that they come from, for the text of a refusal; after
 * registry_set_writer(), borrowed as long. */
void registry_set_topic(struct registry *registry, struct slice topic);

/* Why something is refused: static name of a label, and a text. */
struct registry_refusal {
    const char *label;
    char text[288];
};

/* False: a resource, or the labels of a record, stamp what the writer may not
 * write, in any spelling. why may be NULL. */
MUST_CHECK bool registry_accepts(const struct registry *registry,
                                 const struct attrs *attrs,
                                 struct registry_refusal *why);

/* The same for names only, from any thread: whose a uid is, only the
 * correlator's thread knows. */
MUST_CHECK bool registry_accepts_names(const struct registry *registry,
                                       const struct writer *writer,
                                       const struct attrs *attrs,
                                       struct registry_refusal *why);

/* Sets resource->id by a hash of its attributes, saves a new resource to the
 * store, and re-tags others if this one teaches their identity. */
void registry_resolve(struct registry *registry, struct resource *resource,
                      uint64_t now_ns);

/* The same, if registry_accepts() it; else false, and the id is RESOURCE_NONE.
 */
MUST_CHECK bool registry_resolve_accepted(struct registry *registry,
                                          struct resource *resource,
                                          uint64_t now_ns);

/* The resource id for a record whose own attributes may carry labels (rule 2);
 * resource->id if they do not. RESOURCE_NONE: its labels are not accepted. */
uint32_t registry_resolve_record(struct registry *registry,
                                 const struct resource *resource,
                                 const struct attrs *attrs, uint64_t now_ns);

uint32_t registry_derived_resource(struct registry *registry,
                                   uint32_t identity);

/* Takes what other instances added, and tells them what they need: twice a
 * second, between batches. now_ns: of the batches. Nothing without a log. */
void registry_share(struct registry *registry, uint64_t now_ns);

/* When a resource was first sent to any of the instances, by the clock of
 * received records; 0: not known. */
uint64_t registry_first_seen(const struct registry *registry,
                             uint32_t resource);

/* Called by registry_share() for each resource that another instance saw first,
 * with its identity; must not call the registry. */
struct registry_learner {
    void (*learn)(void *arg, uint32_t identity, const struct resource *resource,
                  uint8_t generation, uint64_t time_ns);
    void *arg;
};
void registry_set_learner(struct registry *registry,
                          struct registry_learner learner);

/* What the engine asks of a registry with a log: store_set_resources(). As long
 * as the registry is open. */
struct store_resources registry_resources(struct registry *registry);

/* Counts the resources that had this id, or the identities that had this
 * number, modulo 256. For those who key a cache by it. */
uint8_t registry_resource_generation(const struct registry *registry,
                                     uint32_t resource);
uint8_t registry_identity_generation(const struct registry *registry,
                                     uint32_t identity);

/* The value of the endpoint label; empty if there is none. Cheap enough for a
 * call per span. */
struct slice registry_endpoint_label(const struct registry *registry,
                                     const struct attrs *attrs);

/* Updates the last-seen time of this signal to the time of a record. */
void registry_touch(struct registry *registry, uint32_t identity,
                    enum signal signal, uint64_t time_ns);

/* The component that identity `from` calls by this host name: in the same
 * project, else in the same namespace; compared with service.name, component
 * and Kubernetes service names ("cart", "cart.ns.svc.cluster.local",
 * "cart:8080"), or with k8s.pod.ip. IDENTITY_NONE if none. */
uint32_t registry_find_host(struct registry *registry, uint32_t from,
                            struct slice host);

/* What was deleted. */
struct registry_deletion {
    uint32_t identities, resources;
};

/* Deletes what belongs to a namespace: no query returns its components, or
 * records of its resources. Its records go with the retention. What is sent for
 * it later is new. ERR_NOT_FOUND: there is nothing of it. */
MUST_CHECK enum status registry_delete(struct registry *registry,
                                       struct slice namespace, uint64_t now_ns,
                                       struct registry_deletion *out);

/* ---- any thread ---- */

/* The present identity of a resource; IDENTITY_NONE for an unknown id. Of a
 * derived resource: the identity it was made for. */
uint32_t registry_identity_id(struct registry *registry, uint32_t resource);

/* False if there is no such identity. A number that was re-tagged yields the
 * identity that it became, with that one's number. */
bool registry_identity(struct registry *registry, uint32_t identity,
                       struct arena *arena, struct identity *out);

/* The same for a resource, with the rule that found it for this resource. */
bool registry_resource_identity(struct registry *registry, uint32_t resource,
                                struct arena *arena, struct identity *out);

/* The same as registry_find_host(), for a query: the answer does not count as
 * use of the component. */
uint32_t registry_host_component(struct registry *registry, uint32_t from,
                                 struct slice host);

/* A scope; an empty member means any. Names or, where the text equals a uid,
 * uids. With workflow_run only Kubernetes coordinates count: namespace
 * "workflows-<namespace>", pods whose name starts with the run's. */
struct scope_filter {
    struct slice namespace, project, component, environment;
    struct slice workflow_run, task;
    bool unassigned; /* only resources without a component */
    /* Only names after the first and up to the second, in the order of
     * identity_compare(); NULL: no bound. */
    const struct identity *after, *until;
};

/* By namespace, project, component, environment. */
int identity_compare(const struct identity *a, const struct identity *b);

/* The resources in the scope that the viewer may see, by what they resolve to
 * now; synthetic ones included. NULL: the arena is full. */
struct bitmap *registry_select(struct registry *registry,
                               const struct scope_filter *filter,
                               const struct viewer *viewer,
                               struct arena *arena);

/* Whether the viewer may ask for this scope: a grant covers it. Where a text of
 * it is a uid, the names of what it selects are compared; a uid of nothing is a
 * name. narrowed: it is enough that a grant overlaps, as the answer is a list
 * of what may be seen. */
bool registry_may_ask(struct registry *registry,
                      const struct scope_filter *filter,
                      const struct viewer *viewer, bool narrowed);

/* Identities with equal names are one entry: times and counts of all of them,
 * identity and derived resource of the one found by the strongest rule (the
 * youngest of several). registry_select() of its names has the resources of all
 * of them. */
struct component_info {
    struct identity identity;
    uint64_t first_seen_ns;
    uint64_t last_seen_ns[SIGNAL_COUNT]; /* 0: never */
    uint32_t resources;                  /* received ones that resolve to it */
    uint32_t derived_resource;           /* RESOURCE_NONE: none yet */
};

/* The time of its last record of a signal, or, if that is SIGNAL_COUNT, of any;
 * 0: never. */
static inline uint64_t component_last_seen(const struct component_info *info,
                                           enum signal signal)
{
    uint64_t last = 0;

    for (int s = 0; s < SIGNAL_COUNT; s++)
        if ((signal == SIGNAL_COUNT || s == (int)signal) &&
            info->last_seen_ns[s] > last)
            last = info->last_seen_ns[s];
    return last;
}

/* The components in the scope that the viewer may see, in the order of
 * identity_compare(); NULL and 0 if there are none. An entry with an empty
 * component name stands for the unassigned resources. */
struct component_info *registry_components(struct registry *registry,
                                           const struct scope_filter *filter,
                                           const struct viewer *viewer,
                                           struct arena *arena,
                                           uint32_t *count);

/* Why a resource with these attributes has no component. */
enum unassigned_reason {
    UNASSIGNED_NO_SERVICE_NAME, /* neither labels nor a service name */
    UNASSIGNED_UNKNOWN_SERVICE, /* the name is the SDK's default */
    UNASSIGNED_POD_NOT_STAMPED, /* so, and its pod sends no labels */
    UNASSIGNED_NO_COMPONENT,    /* the label of a project only */
    UNASSIGNED_NO_ROOM,         /* it should have one */
    UNASSIGNED_REASONS
};
enum unassigned_reason registry_why_unassigned(const struct registry *registry,
                                               const struct attrs *attrs);
/* What a resource was made of, from the attributes that are stored for it:
 * those that were sent, and the labels of a record if they made it. */
struct stored_resource {
    struct attrs attrs, labels; /* within the stored ones */
    bool of_tenant;             /* of the namespace of its identity */
    bool synthetic;             /* not sent: it stands for its identity */
    bool derived;               /* of those: the one of derived series */
};
struct stored_resource registry_stored(const struct registry *registry,
                                       uint32_t id, const struct attrs *attrs);
/* As long as the registry is open. */
const struct registry_keys *registry_label_keys(
    const struct registry *registry);

/* Resources of a namespace that are known by their attributes. */
uint32_t registry_live_resources(struct registry *registry,
                                 struct slice namespace);

/* Writes for /health which namespaces had resources without room lately. False
 * if there are none. */
bool registry_note(struct registry *registry, struct buf *out);

/* Rows of /metrics: what each namespace holds of the table of resources. */
void registry_print_metrics(struct registry *registry, struct buf *out);

#endif
