/*
 * tagger - tags the records of a batch with resource ids, endpoints and levels,
 * and counts them in the derived table.
 *
 * tagger.c           one batch, room in the tables
 * tagger_spans.c     spans: endpoint, operation, outcome, edges
 * tagger_logs.c      log records: trace context, level, events
 * templates.c        log records by template
 * batch_resources.c  the resources of the batch
 * foreign_records.c  records that their sender may not write
 *
 * Threads: the correlator's, with derived_lock() held.
 */
#ifndef TAGGER_H
#define TAGGER_H

#include "change_detector.h"
#include "correlate.h"
#include "edges.h"
#include "template.h"

enum { BATCH_RESOURCES_CACHED = 64 };

/* What is the same for all records of a resource. */
struct batch_resource {
    const struct resource *resource;
    uint32_t id;    /* of the resource, or of the one of its record's labels */
    bool is_object; /* a Kubernetes object: its log records are events */
    struct component *component; /* NULL: unknown, nothing is derived */
    struct slice endpoint;       /* stamped */
    uint64_t newest_ns;
    uint64_t minute, records; /* not counted yet, all of one minute */
};

struct tagger {
    struct correlator_options options;
    struct registry *registry;
    struct components *components;
    struct cardinality_limit *limit;
    struct derived_table *derived;
    struct edges *edges;
    struct change_detector *changes; /* that of options.changes, or its own */
    struct change_events change_events; /* its own; else empty */

    /* Flushes the derived table. It holds what the records of this batch before
     * number `step` add up to. */
    void (*flush)(void *arg, uint64_t step);
    void *flush_arg;

    struct batch *batch;
    uint64_t number;     /* of the batch, from 1; for cardinality_copy() */
    uint64_t step;       /* records of the batch that are done */
    uint64_t muted_to;   /* steps that the store has counted already */
    uint64_t newest_ns;  /* of the batch's records */
    uint64_t cleared_ns; /* when names were cleared */

    struct {
        struct batch_resource at[BATCH_RESOURCES_CACHED]; /* by id */
        uint64_t used;                                    /* bits */
    } resources;
    struct {
        struct template_split split, masked; /* too large for a stack */
        struct buf shown;
    } template;
};

MUST_CHECK enum status tagger_open(struct tagger *tagger,
                                   const struct correlator_options *options,
                                   struct store *store,
                                   struct registry *registry,
                                   struct catalog *catalog);
void tagger_close(struct tagger *tagger);

/* Tags a batch. Records from number muted_to on are counted and take part in
 * pairing; those before are only tagged. Returns a batch of change events to
 * append as well, or NULL. */
struct batch *tagger_take(struct tagger *tagger, struct batch *batch,
                          uint64_t muted_to);

/* Settles the calls that have waited long enough. */
void tagger_expire(struct tagger *tagger, uint64_t now_ns);

/* ---- between the files of the tagger ---- */

/* Before each record: makes room in the tables, counts the step. */
void tagger_step(struct tagger *tagger);

/* The resources of the batch to ids; drops the records that its writer may not
 * write. */
void tagger_resolve_resources(struct tagger *tagger, struct batch *batch);
/* Counts a record that is dropped; attrs: what stamps too much. */
void tagger_note_foreign(struct tagger *tagger, struct batch *batch,
                         const struct attrs *attrs);

void tagger_spans(struct tagger *tagger, struct batch *batch);
void tagger_logs(struct tagger *tagger, struct batch *batch);

/* Counts a log record by its template. */
void templates_count(struct tagger *tagger, struct component *component,
                     const struct log_record *log);

/* The resource of a record of this time; the record is counted. */
struct batch_resource *batch_resources_get(struct tagger *tagger,
                                           const struct resource *resource,
                                           uint32_t id, uint64_t time_ns);

/* Adds the records not counted yet to the derived table. */
void batch_resources_count(struct tagger *tagger);

/* The same at the end of the batch, and forgets all. */
void batch_resources_end(struct tagger *tagger);

#endif
