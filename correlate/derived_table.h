/*
 * derive - the table of derived points that are being counted (derived.h).
 *
 * One entry is one series and one minute. When the table is full, or the store
 * asks for it, all entries become one derived batch and the table is empty
 * again: parts of a minute add up in queries.
 *
 * Readers see open points through derive_visit(). The correlator's thread
 * holds derive_lock() while it changes the table, for a batch at a time.
 *
 * Threads  derive_visit(): any. All others: the correlator's.
 */
#ifndef DERIVE_H
#define DERIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "bitmap.h"
#include "expohist.h"
#include "store.h"

enum series_family {
    SERIES_SERVED,           /* DERIVED_DURATION, _ERRORS, _CLIENT_ERRORS */
    SERIES_OUT,              /* DERIVED_OUT_... */
    SERIES_IN,               /* DERIVED_IN_... */
    SERIES_OUT_RETRACTED,    /* DERIVED_OUT_BACK_... */
    SERIES_IN_RETRACTED,     /* DERIVED_IN_BACK_... */
    SERIES_SERVED_RETRACTED, /* DERIVED_BACK_... */
    SERIES_LOGS,             /* DERIVED_LOGS */
    SERIES_RECORDS,          /* DERIVED_RECORDS */
    SERIES_FAMILIES
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

struct series_labels {
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

struct derive;
struct derived_series;

/* Room for max_series entries. */
struct derive *derive_new(uint32_t max_series);
void derive_free(struct derive *derive);

void derive_lock(struct derive *derive);
void derive_unlock(struct derive *derive);

/* While muted nothing is counted: for what the store has already. Returns
 * what it was before. */
bool derive_mute(struct derive *derive, bool muted);
bool derive_muted(const struct derive *derive);

/* True if it must be flushed before the next record. */
bool derive_low(const struct derive *derive);
uint32_t derive_count(const struct derive *derive);

/*
 * The entry of a series at the minute of time_ns; NULL while muted, or if the
 * reserve behind derive_low() is used up. Copies the texts of a new one. *hint
 * makes it fast when it is handed in as the last call for these labels left it.
 * Good until the next flush.
 */
struct derived_series *derive_series(struct derive *derive,
                                     const struct series_labels *labels,
                                     uint64_t time_ns, uint32_t *hint);

/* `weight` calls or requests like this one; then its span as an exemplar, for
 * SERVED only. */
void derive_duration(struct derive *derive, struct derived_series *series,
                     uint64_t duration_ns, bool failed, bool client_error,
                     uint32_t weight);
void derive_exemplar(struct derive *derive, struct derived_series *series,
                     const struct span *span, bool failed);
/* Records. */
void derive_add(struct derived_series *series, uint64_t count);

/* All entries as a derived batch with this lsn and a copy of this state. The
 * table stays as it is until derive_flushed(), so that no reader misses a point
 * in between. */
struct batch *derive_batch(struct derive *derive, struct budget *budget,
                           uint64_t lsn, struct slice state);
void derive_flushed(struct derive *derive);

/* For struct open_series. */
uint64_t derive_visit(void *source, const struct bitmap *resources,
                      uint64_t start_ns, uint64_t end_ns, struct arena *arena,
                      point_visit *visit, void *arg);

#endif
