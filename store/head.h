/*
 * head - batches of one stream that will become one piece on disk.
 *
 * A section is open while batches are appended to it, then closed, then
 * sealed and committed by the writer thread, then left out of the store's
 * list. It only ever grows at its end and what is in it never moves, so a
 * reader that notes how many batches there were may walk those without a
 * lock, for as long as it holds a reference.
 *
 * Threads  appending, and noting a view, under the store's lock.
 */
#ifndef STORE_HEAD_H
#define STORE_HEAD_H

#include <stdatomic.h>
#include <stdbool.h>

#include "batch.h"
#include "block.h"
#include "store.h"

enum { RUN_BATCHES = 62 };

/* A piece of a section's list of batches. */
struct batch_run {
    struct batch_run *next;
    struct batch *at[RUN_BATCHES];
};

struct section {
    struct section *next; /* newer one of the stream */
    atomic_uint refs;
    enum stream stream;
    bool closed;
    uint64_t serial; /* counts the sections of the stream, never reused */
    uint64_t order;  /* when it was closed, among all streams */
    uint64_t first_lsn, last_lsn;
    uint64_t opened_ns;   /* clock_monotonic_ns */
    uint64_t received_ns; /* earliest arrival of its batches; UINT64_MAX */
    uint64_t records, bytes;
    struct block_rows *rows; /* all of its spans, coded; NULL: not done */
    uint32_t batch_count;
    struct batch_run first_run, *last_run;
};

struct section *section_new(enum stream stream, uint64_t serial);
struct section *section_ref(struct section *section);
void section_free(struct section *section); /* one reference less */

/* Takes the batch over. */
void section_add(struct section *section, struct batch *batch);

/* What a reader sees of a section: its first batch_count batches. */
struct section_view {
    struct section *section;
    uint32_t batch_count;
};

/* Walks the batches of a view, oldest first. */
struct section_walk {
    const struct batch_run *run;
    uint32_t at, left;
};
struct section_walk section_walk(const struct section_view *view);
const struct batch *section_next(struct section_walk *walk); /* NULL: end */

/* At most one open and a few closed ones; see store_append. */
enum { SECTIONS_MAX = 8 };

struct head_view {
    struct section_view at[SECTIONS_MAX];
    uint32_t count;
};

#endif
