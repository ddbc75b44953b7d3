/*
 * tagger - one batch: resource ids, endpoints and levels into its records, and
 * what they add up to into the derived table.
 *
 * Threads  the correlator's, with derived_lock() held.
 */
#ifndef TAGGER_H
#define TAGGER_H

#include "batch_resources.h"
#include "change_detector.h"
#include "components.h"
#include "correlate.h"
#include "derived_table.h"
#include "edges.h"
#include "templates.h"

struct tagger {
    struct correlator_options options;
    struct registry *registry;
    struct components *components;
    struct cardinality_limit *limit;
    struct derived_table *derived;
    struct edges *edges;
    struct change_detector *changes;
    struct templates templates;
    struct batch_resources batch_resources;

    /* The derived table is full: flush it. What records of this batch before
     * number `step` add up to is in it. */
    void (*flush)(void *arg, uint64_t step);
    void *flush_arg;

    struct batch *batch;
    uint64_t number;     /* of the batch, from 1; for cardinality_copy() */
    uint64_t step;       /* records of the batch dealt with */
    uint64_t muted_to;   /* steps that the store has counted already; calls of
                            these are settled, or wait, as they were kept */
    uint64_t newest_ns;  /* of the batch's records */
    uint64_t cleared_ns; /* when names were cleared */
};

MUST_CHECK enum status tagger_open(struct tagger *tagger,
                                   const struct correlator_options *options,
                                   struct store *store,
                                   struct registry *registry,
                                   struct catalog *catalog);
void tagger_close(struct tagger *tagger);

/* Counts what its records from number `muted_to` on add up to, and lets them
 * take part in pairing; before that they are only tagged. Returns a batch of
 * change events to append besides, or NULL. */
struct batch *tagger_take(struct tagger *tagger, struct batch *batch,
                          uint64_t muted_to);

/* Settles the calls that have waited long enough. */
void tagger_expire(struct tagger *tagger, uint64_t now_ns);

/* Between two records: makes room in the tables, counts the step. */
void tagger_step(struct tagger *tagger);

/* ---- by signal ---- */

void tagger_spans(struct tagger *tagger, struct batch *batch); /* tag_spans.c */
void tagger_logs(struct tagger *tagger, struct batch *batch);  /* tag_logs.c */

#endif
