/*
 * senders - the resources of the batch that is being tagged.
 *
 * What is the same for all records of a resource is found once and kept at
 * hand, for as many resources as fit; one that was pushed out is found again.
 *
 * Threads  the correlator's.
 */
#ifndef BATCH_RESOURCES_H
#define BATCH_RESOURCES_H

#include "components.h"
#include "record.h"

enum { BATCH_RESOURCES_CACHED = 64 };

struct batch_resource {
    const struct resource *resource;
    uint32_t id;    /* of the resource, or of the one its record stands for */
    bool is_object; /* a Kubernetes object: its log records are events */
    struct component *component; /* NULL: unknown, nothing is derived */
    struct slice endpoint;       /* stamped */
    uint64_t newest_ns;
    uint64_t minute, records; /* not counted yet, all of one minute */
};

struct batch_resources {
    struct batch_resource kept[BATCH_RESOURCES_CACHED];
    uint64_t used; /* bits */
};

struct tagger;

/* The sender of a record of this time, which is counted. */
struct batch_resource *batch_resources_get(struct tagger *tagger,
                                           const struct resource *resource,
                                           uint32_t id, uint64_t time_ns);

/* Counts the records not counted yet into the derived table. */
void batch_resources_count(struct tagger *tagger);

/* The same, and forgets all: the batch ends. */
void batch_resources_end(struct tagger *tagger);

#endif
