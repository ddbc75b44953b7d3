/*
 * metadata - what is stored beside the signals: identities and resources of the
 * registry, the catalogue, root-cause reports, named values, offsets of Kafka
 * partitions, dead letters, hashes of recent requests, the correlator's state.
 *
 * Purpose: the part of the database that stays in SQLite whatever engine keeps
 * the signals (store.h). Whatever is saved is committed with, or before, the
 * records that are appended after it, at most half a second later.
 * Ownership: arguments are copied; loaded values are in the caller's arena.
 * Threads: saving and metadata_sync: any. Loading: one thread, at start, before
 * the first batch is appended. Dead letters and resources: through a reader.
 * Errors: saving cannot fail; metadata_sync() and the functions that wait for
 * the commit return the status of the commit (ERR_IO: the disk is full).
 */
#ifndef METADATA_H
#define METADATA_H

#include "arena.h"
#include "batch.h"
#include "identity.h"
#include "record.h"
#include "status.h"

struct metadata;
struct reader;

/* ---- saving ---- */

/* Saving the same id or name again replaces what was saved. */
void metadata_save_identity(struct metadata *metadata,
                            const struct identity *identity);
void metadata_save_resource(struct metadata *metadata, uint32_t id,
                            uint32_t identity, uint64_t hash,
                            const struct resource *resource);
void metadata_save_resource_identity(struct metadata *metadata, uint32_t id,
                                     uint32_t identity);
void metadata_save_value(struct metadata *metadata, const char *name,
                         struct slice value);

/* Waits until all saved so far is committed. */
MUST_CHECK enum status metadata_sync(struct metadata *metadata);

/* Saves the value unless there is one already, also of another instance at the
 * same time; *stored is the one that there is. After the commit. */
MUST_CHECK enum status metadata_create_value(struct metadata *metadata,
                                             const char *name,
                                             struct slice value,
                                             struct arena *arena,
                                             struct slice *stored);

/* These two return after the commit. After a failure the document may still be
 * committed later, with what is saved next. */
MUST_CHECK enum status metadata_save_catalog(struct metadata *metadata,
                                             struct slice document);
/* Reports are numbered by arrival; there is one per slot. */
MUST_CHECK enum status metadata_save_report(struct metadata *metadata,
                                            uint32_t slot, uint64_t number,
                                            struct slice document);

/* ---- loading ---- */

typedef void metadata_identity_visit(void *arg,
                                     const struct identity *identity);
typedef void metadata_resource_visit(void *arg, uint32_t id, uint32_t identity,
                                     uint64_t hash,
                                     const struct resource *resource);
/* Identities by number; then resources, the highest id first, which is nearly
 * always the newest. */
MUST_CHECK enum status metadata_load(struct metadata *metadata,
                                     metadata_identity_visit *identity,
                                     metadata_resource_visit *resource,
                                     void *arg);

/* Each of the next three gives an empty slice if there is none. */
MUST_CHECK enum status metadata_load_value(struct metadata *metadata,
                                           const char *name,
                                           struct arena *arena,
                                           struct slice *value);
MUST_CHECK enum status metadata_load_catalog(struct metadata *metadata,
                                             struct arena *arena,
                                             struct slice *document);
/* The state of the derived batch that was committed last. */
MUST_CHECK enum status metadata_load_derived_state(struct metadata *metadata,
                                                   struct arena *arena,
                                                   struct slice *state);

/*
 * Values of a kind, each saved for itself, so that those of several instances
 * do not replace each other. Only where instances share the metadata: else
 * metadata_has_entries() is false and the others must not be called.
 */
bool metadata_has_entries(const struct metadata *metadata);

struct metadata_entry {
    struct slice name, value;
    bool deleted; /* for ever: the name is not used again */
};
/* All or none; after the commit. */
MUST_CHECK enum status metadata_save_entries(
    struct metadata *metadata, const char *kind,
    const struct metadata_entry *entries, uint32_t count);

typedef void metadata_entry_visit(void *arg, struct slice name,
                                  struct slice value);
/* The oldest first. */
MUST_CHECK enum status metadata_load_entries(struct metadata *metadata,
                                             const char *kind,
                                             metadata_entry_visit *visit,
                                             void *arg);

/* By slot. number is 0 for reports of the first versions. */
typedef void metadata_report_visit(void *arg, uint32_t slot, uint64_t number,
                                   struct slice document);
MUST_CHECK enum status metadata_load_reports(struct metadata *metadata,
                                             metadata_report_visit *visit,
                                             void *arg);

/* The requests that were appended last, some ten thousand, oldest first. */
typedef void metadata_request_visit(void *arg, struct request_hash hash,
                                    uint64_t lsn);
MUST_CHECK enum status metadata_load_requests(struct metadata *metadata,
                                              metadata_request_visit *visit,
                                              void *arg);

/* The offset after that of the last batch of this partition (batch->source)
 * that was appended since the start or is in the database; false: there is
 * none. After the journal was replayed all messages before this offset are
 * stored and none from it on. Any thread. */
bool metadata_next_offset(struct metadata *metadata, struct slice topic,
                          uint32_t partition, uint64_t *next);

/* ---- reading, through a reader of the store ---- */

/* Attributes of a resource; ERR_NOT_FOUND. */
MUST_CHECK enum status reader_resource(struct reader *reader, uint32_t id,
                                       struct arena *arena,
                                       struct resource *resource);

/* A message that could not be decoded (dead_letter.h). */
struct dead_letter_row {
    uint64_t id; /* ascending */
    struct slice topic, reason, bytes;
    uint32_t partition;
    uint64_t offset, size; /* of the message */
    uint64_t received_ns, time_ms;
};

struct dead_letter_query {
    struct slice topic; /* empty: all */
    int64_t partition;  /* -1: all */
    uint64_t before;    /* id; 0: from the newest */
    uint64_t max_bytes; /* of each message; 0: none */
    uint32_t limit;
};

/* The newest first; *total: how many there are without `before`. */
MUST_CHECK enum status reader_query_dead_letters(
    struct reader *reader, const struct dead_letter_query *query,
    struct arena *arena, struct dead_letter_row **letters, uint32_t *count,
    uint64_t *total);

#endif
