/*
 * registry - resources and what they resolve to.
 *
 * Every distinct OTLP resource gets a small number, and with it an identity,
 * by the five rules of design.md section 3. The identity hangs on the resource:
 * when it becomes known, or known by a stronger rule, the resource is pointed
 * at the better identity and all its records, of any signal and age, are
 * re-tagged with it. Resources that wait for that (INFERRED with a pod,
 * UNASSIGNED) have an identity of their own until then.
 *
 * Derived series hang on a resource too, one made up per identity
 * (registry_derived_resource), so they are re-tagged the same way.
 *
 * Bounds   max_resources are known by their attributes; of the others only the
 *          identity stays known. A full table drops the one unseen longest of
 *          the namespace that holds most. A resource that finds no place still
 *          has an identity: its records go to the overflow resource of that
 *          identity. Each namespace has a share of the table, of ids and of
 *          identities.
 * Threads  registry_resolve... and the setters: the correlator's thread. All
 *          others from any thread (a lock inside); what they return is copied
 *          into the caller's arena.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "arena.h"
#include "bitmap.h"
#include "buf.h"
#include "identity.h"
#include "record.h"
#include "status.h"
#include "store.h"

struct registry;

/* Names of the stamped labels, each a canonical key such as
 * "openchoreo.dev/project-uid"; spellings are folded as the design says. */
struct registry_keys {
    struct slice namespace, project, component, environment;
    struct slice project_uid, component_uid, environment_uid;
    struct slice endpoint;               /* "openchoreo.dev/endpoint-name" */
    struct slice resource, resource_uid; /* a managed resource: stands for a
                                            component where there is none */
};

extern const struct registry_keys registry_default_keys;

struct registry_options {
    struct registry_keys keys; /* an empty one: that of the defaults */
    uint32_t max_resources, max_identities;
    uint32_t max_ids;   /* of resources that stored records may refer to, known
                           by their attributes or not; 0: 8 * max_resources */
    uint64_t forget_ns; /* the id of a resource not seen for so long may be
                           given to another:
                           not less than the longest retention; 0:
                           only when nothing that old is stored any more
                           (store_oldest_ns()) */
};

/* Reads what the store kept. Close it before the store; that saves what is
 * known of last-seen times. ERR_INVALID if a key is too long. */
MUST_CHECK enum status registry_open(struct registry **registry,
                                     const struct registry_options *options,
                                     struct store *store);
void registry_close(struct registry *registry);

/* ---- the correlator's thread ---- */

/* Sets resource->id, by hash of its attributes; new ones are saved to the
 * store. Learns and re-tags on the way. */
void registry_resolve(struct registry *registry, struct resource *resource,
                      uint64_t now_ns);

/* The resource id for a record whose own attributes may carry the stamped
 * keys (rule 2); resource->id if they do not. */
uint32_t registry_resolve_record(struct registry *registry,
                                 const struct resource *resource,
                                 const struct attrs *attrs, uint64_t now_ns);

uint32_t registry_derived_resource(struct registry *registry,
                                   uint32_t identity);

/* Another number each time that this id is given to another resource (but one
 * in 256). For who keeps something by resource id. */
uint8_t registry_resource_generation(const struct registry *registry,
                                     uint32_t resource);

uint8_t registry_identity_generation(
    const struct registry *registry,
    uint32_t identity); /* the same of its number */

/* The value of the stamped endpoint key among these; empty if there is none.
 * Cheap enough to be asked for every span. */
struct slice registry_endpoint_label(const struct registry *registry,
                                     const struct attrs *attrs);

/* Seen at this time (of the record): for "last seen" per signal. */
void registry_touch(struct registry *registry, uint32_t identity,
                    enum signal signal, uint64_t time_ns);

/* The component another component of this identity means by a host name, in
 * this order: same project, same namespace; compared with service.name,
 * component and Kubernetes service names ("cart", "cart.ns.svc.cluster.local",
 * "cart:8080"). Or by address, with k8s.pod.ip. IDENTITY_NONE if none. */
uint32_t registry_find_host(struct registry *registry, uint32_t from,
                            struct slice host);

/* ---- any thread ---- */

/* Identity of a resource now; IDENTITY_NONE for an id that is not known. Of a
 * derived resource: that of the identity it was made for. */
uint32_t registry_identity_id(struct registry *registry, uint32_t resource);

/* False if there is none with this number. A number that was re-tagged away
 * gives the identity it became, with that one's number. */
bool registry_identity(struct registry *registry, uint32_t identity,
                       struct arena *arena, struct identity *out);

/* Same, of a resource; the rule is the one that found it for this resource. */
bool registry_resource_identity(struct registry *registry, uint32_t resource,
                                struct arena *arena, struct identity *out);

/* A scope; an empty member means any. Names or, where the text equals a uid,
 * uids. With workflow_run only Kubernetes coordinates count: namespace
 * "workflows-<namespace>", pods whose name starts with the run's. */
struct scope_filter {
    struct slice namespace, project, component, environment;
    struct slice workflow_run, task;
    bool unassigned; /* only resources without a component */
    /* Only names behind these, and up to those, as identity_compare() has it;
     * NULL: no bound. */
    const struct identity *after, *until;
};

/* By namespace, project, component, environment. */
int identity_compare(const struct identity *a, const struct identity *b);

/* The resources in the scope, those of derived series among them. NULL if the
 * arena has had enough. */
struct bitmap *registry_select(struct registry *registry,
                               const struct scope_filter *filter,
                               struct arena *arena);

/* Identities with equal names are one entry: times and counts of all, and the
 * identity and derived resource of the one found by the strongest rule (the
 * youngest of several). registry_select() of its names has the resources of
 * all of them. */
struct component_info {
    struct identity identity;
    uint64_t first_seen_ns;
    uint64_t last_seen_ns[SIGNAL_COUNT]; /* 0: never */
    uint32_t resources;                  /* how many resolve to it */
    uint32_t derived_resource;           /* RESOURCE_NONE: none yet */
};

/* Writes what does not work as it should, for /health: namespaces whose
 * resources found no place lately. False if there is nothing to say. */
bool registry_note(struct registry *registry, struct buf *out);

/* The components in the scope, sorted as identity_compare() has it; NULL and 0
 * if there are none. One with an empty name stands for
 * what is not assigned. */
struct component_info *registry_components(struct registry *registry,
                                           const struct scope_filter *filter,
                                           struct arena *arena,
                                           uint32_t *count);

#endif
