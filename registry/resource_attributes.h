/*
 * resource_attributes - the few attributes of a resource that its identity, its
 * pod and its host names come from, and a fingerprint of all of them.
 *
 * Nothing here knows the tables of the registry.
 *
 * Ownership  the texts are those of the attributes.
 * Threads    any.
 */
#ifndef RESOURCE_ATTRIBUTES_H
#define RESOURCE_ATTRIBUTES_H

#include "labels.h"

/* Longer names are truncated. */
enum { NAME_MAX_BYTES = 255 };

enum resource_kind {
    RESOURCE_PLAIN,    /* received */
    RESOURCE_RECORD,   /* received, joined with labels of its records that name
                          another pod or component */
    RESOURCE_DERIVED,  /* made for the derived series of an identity */
    RESOURCE_OVERFLOW, /* made for the records of an identity whose resource did
                          not fit into the table */
    RESOURCE_FREE      /* id not in use */
};

/* First attribute of a RESOURCE_RECORD: how many of the next ones are the
 * record's. */
#define RECORD_MARK "callboard.record"

/* What ties a resource to a pod. */
enum pod_key { POD_KEY_UID, POD_KEY_NAME, POD_KEY_CONTAINER, POD_KEY_COUNT };

struct resource_attributes {
    struct slice label[LABEL_COUNT];
    size_t label_key_len[LABEL_COUNT];
    /* A text of another spelling of the label that differs; empty: none. */
    struct slice other[LABEL_ENDPOINT];
    /* What the sender's credential gives where nothing is stamped. */
    struct slice given[IDENTITY_NAMES];
    struct slice service, service_namespace, environment, old_environment;
    struct slice container_id, k8s_service, ip;
    bool borrowed; /* labels of the resource, on a record about another pod */
};

/* Two hashes of an attribute set, independent of the attributes' order. */
struct fingerprint {
    uint64_t hash, check;
};

struct fingerprint attrs_fingerprint(const struct attrs *attrs);
/* sender: 0, or what tells the sender's resources from those of others. */
uint64_t fingerprint_key(struct fingerprint f, enum resource_kind kind,
                         uint64_t sender);

/* Adds what these attributes say to `fields`. */
void attributes_read(struct resource_attributes *fields,
                     const struct labels *labels, const struct attrs *attrs);
/* All of a resource of this kind. */
void resource_attributes_of(struct resource_attributes *fields,
                            const struct labels *labels,
                            const struct attrs *attrs, enum resource_kind kind);

/* tenant: of the sender; 0: a collector. A key of 0: none. */
void attributes_pod_keys(const struct resource_attributes *fields,
                         uint64_t tenant, uint64_t keys[POD_KEY_COUNT]);
/* The key that a tenant's pod has for this key of a collector's. */
uint64_t pod_key_of_tenant(uint64_t key, uint64_t tenant);
/* The tenant that the resource names; 0: it names no namespace. */
uint64_t attributes_tenant(const struct resource_attributes *fields);
bool attributes_name_namespace(const struct resource_attributes *fields);
/* The tenant of a namespace. Names are cut where the table of names cuts them.
 */
uint64_t tenant_of(struct slice namespace);

/* The rule by which a stamped resource of this kind gets its identity. */
uint8_t attributes_rule(const struct resource_attributes *fields,
                        enum resource_kind kind);
bool attributes_stamped(const struct resource_attributes *fields);
bool attributes_name_service(const struct resource_attributes *fields);

#endif
