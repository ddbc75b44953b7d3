/*
 * derived - the table of derived points that are being counted (derived.h).
 *
 * One entry is one series and one minute. When the table is full, or the store
 * asks for it, all entries become one derived batch and the table is empty
 * again: parts of a minute add up in queries.
 *
 * Readers see open points through derived_visit(). The correlator's thread
 * holds derived_lock() while it changes the table, for a batch at a time.
 *
 * Threads  derived_visit(): any. All others: the correlator's.
 */
#ifndef DERIVED_TABLE_H
#define DERIVED_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "bitmap.h"
#include "expohist.h"
#include "store.h"

enum derived_family {
    DERIVED_FAMILY_REQUESTS, /* DERIVED_DURATION, _ERRORS, _CLIENT_ERRORS */
    DERIVED_FAMILY_OUT,      /* DERIVED_OUT_... */
    DERIVED_FAMILY_IN,       /* DERIVED_IN_... */
    DERIVED_FAMILY_OUT_RETRACTED,      /* DERIVED_OUT_BACK_... */
    DERIVED_FAMILY_IN_RETRACTED,       /* DERIVED_IN_BACK_... */
    DERIVED_FAMILY_REQUESTS_RETRACTED, /* DERIVED_BACK_... */
    DERIVED_FAMILY_LOGS,               /* DERIVED_LOGS */
    DERIVED_FAMILY_RECORDS,            /* DERIVED_RECORDS */
    DERIVED_FAMILIES
};

enum peer_kind {
    PEER_COMPONENT,
    PEER_DATABASE,
    PEER_QUEUE,
    PEER_EXTERNAL,
    PEER_GATEWAY,
    PEER_NONE
};

enum protocol {
    PROTOCOL_NONE,
    PROTOCOL_HTTP,
    PROTOCOL_GRPC,
    PROTOCOL_DB,
    PROTOCOL_MESSAGING
};

/* What the texts of a series are, by family; not all have all. */
enum {
    TEXT_ENDPOINT,
    TEXT_NAME, /* operation, peer's endpoint, peer's name or template */
    TEXT_SYSTEM,
    TEXT_HOST,
    TEXT_COUNT
};

struct derived_labels {
    uint64_t hash; /* of all that tells series of one identity apart */
    uint8_t family;
    uint8_t kind; /* SERVED: enum span_kind; OUT, IN: enum peer_kind; LOGS:
                     enum level; RECORDS: enum signal */
    uint8_t protocol;
    uint32_t identity;
    uint32_t resource;    /* the derived resource of identity */
    uint32_t peer;        /* identity, for PEER_COMPONENT */
    uint64_t template_id; /* LOGS */
    struct slice text[TEXT_COUNT];
};

struct derived_table;
struct derived_series;

/* Room for max_series entries. */
struct derived_table *derived_new(uint32_t max_series);
void derived_free(struct derived_table *derived);

void derived_lock(struct derived_table *derived);
void derived_unlock(struct derived_table *derived);

/* While muted nothing is counted: for what the store has already. Returns
 * what it was before. */
bool derived_mute(struct derived_table *derived, bool muted);
bool derived_muted(const struct derived_table *derived);

/* True if it must be flushed before the next record. */
bool derived_low(const struct derived_table *derived);
uint32_t derived_count(const struct derived_table *derived);

/*
 * The entry of a series at the minute of time_ns; NULL while muted, or if the
 * reserve behind derived_low() is used up. Copies the texts of a new one. *hint
 * makes it fast when it is handed in as the last call for these labels left it.
 * Good until the next flush.
 */
struct derived_series *derived_get(struct derived_table *derived,
                                   const struct derived_labels *labels,
                                   uint64_t time_ns, uint32_t *hint);

/* `weight` calls or requests like this one; then its span as an exemplar, for
 * SERVED only. */
void derived_add_duration(struct derived_table *derived,
                          struct derived_series *series, uint64_t duration_ns,
                          bool failed, bool client_error, uint32_t weight);
void derived_add_exemplar(struct derived_table *derived,
                          struct derived_series *series,
                          const struct span *span, bool failed);
/* Records. */
void derived_add_count(struct derived_series *series, uint64_t count);

/* All entries as a derived batch with this lsn and a copy of this state. The
 * table stays as it is until derived_flushed(), so that no reader misses a
 * point in between. */
struct batch *derived_batch(struct derived_table *derived,
                            struct budget *budget, uint64_t lsn,
                            struct slice state);
void derived_flushed(struct derived_table *derived);

/* For struct open_series. */
uint64_t derived_visit(void *source, const struct bitmap *resources,
                       uint64_t start_ns, uint64_t end_ns, struct arena *arena,
                       point_visit *visit, void *arg);

#endif
