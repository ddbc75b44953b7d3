/*
 * derived_table - the derived points that are being counted (derived.h).
 *
 * One entry is one series and one minute. When the table is full, or the store
 * asks for it, all entries become one derived batch and the table is empty
 * again: queries add up the parts of a minute.
 *
 * Queries see open points through derived_visit(). The correlator's thread
 * holds derived_lock() while it changes the table, for a batch at a time.
 *
 * derived_table.c   entries
 * derived_points.c  entries as metric points
 *
 * Threads: derived_visit(): any. All others: the correlator's.
 */
#ifndef DERIVED_TABLE_H
#define DERIVED_TABLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "bitmap.h"
#include "duration_histogram.h"
#include "map.h"
#include "semconv.h"
#include "store.h"

enum derived_family {
    DERIVED_FAMILY_REQUESTS, /* DERIVED_DURATION, _ERRORS, _CLIENT_ERRORS */
    DERIVED_FAMILY_OUT,      /* DERIVED_OUT_... */
    DERIVED_FAMILY_IN,       /* DERIVED_IN_... */
    DERIVED_FAMILY_REQUESTS_RETRACTED, /* DERIVED_RETRACTED_... */
    DERIVED_FAMILY_OUT_RETRACTED,      /* DERIVED_OUT_RETRACTED_... */
    DERIVED_FAMILY_IN_RETRACTED,       /* DERIVED_IN_RETRACTED_... */
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

/* Texts of a series; not every family has all. */
enum {
    TEXT_ENDPOINT,
    TEXT_NAME, /* operation, peer's endpoint, peer's name or template */
    TEXT_SYSTEM,
    TEXT_HOST,
    TEXT_COUNT
};

struct derived_labels {
    uint64_t hash; /* of all labels but the identity */
    uint8_t family;
    uint8_t kind; /* REQUESTS: enum span_kind; OUT, IN: enum peer_kind; LOGS:
                     enum level; RECORDS: enum signal */
    uint8_t protocol;
    uint32_t identity;
    uint32_t resource;    /* the derived resource of identity */
    uint32_t peer;        /* identity, for PEER_COMPONENT */
    uint64_t template_id; /* LOGS */
    struct slice text[TEXT_COUNT];
};

enum { EXEMPLARS_EACH = 2 };

struct exemplar_span {
    uint8_t trace_id[16], span_id[8];
    uint64_t time_ns, duration_ns;
};

struct exemplar_spans {
    struct exemplar_span slow[EXEMPLARS_EACH], failed[EXEMPLARS_EACH];
    uint32_t slow_count, failed_count; /* failed: all; the newest are stored */
};

struct derived_series {
    uint64_t hash; /* of the labels, the identity and the minute */
    uint64_t template_id, count, min_ns, max_ns;
    double sum;       /* seconds */
    const char *text; /* all texts, one after the other */
    struct exemplar_spans *exemplars;
    struct duration_histogram histogram;
    uint64_t errors, client_errors, zero_count;
    uint32_t minute, identity, resource, peer;
    uint16_t text_len[TEXT_COUNT];
    uint8_t family, kind, protocol;
};

struct derived_table {
    pthread_mutex_t mutex;
    struct derived_series *series; /* in order of arrival */
    struct map index;
    uint32_t count, max_series;
    struct slab slab; /* texts, histograms, exemplars */
    bool muted;       /* nothing is counted: the store has counted it already */
    uint64_t flushes;
};

/* Room for max_series entries. */
struct derived_table *derived_new(uint32_t max_series);
void derived_free(struct derived_table *derived);

void derived_lock(struct derived_table *derived);
void derived_unlock(struct derived_table *derived);

/* True if the table must be flushed before the next record. */
bool derived_low(const struct derived_table *derived);

/*
 * The entry of a series at the minute of time_ns; NULL while muted, or if the
 * reserve behind derived_low() is used up. Valid until the next flush. Copies
 * the texts of a new entry. hint, which may be NULL, is a memory of the caller
 * for series with these labels: it makes the next call fast.
 */
struct derived_series *derived_get(struct derived_table *derived,
                                   const struct derived_labels *labels,
                                   uint64_t time_ns, uint32_t *hint);

/* Add to a series; nothing if it is NULL. `weight` calls or requests of this
 * duration; for REQUESTS also the span as an exemplar; records. */
void derived_add_duration(struct derived_table *derived,
                          struct derived_series *series, uint64_t duration_ns,
                          bool failed, bool client_error, uint32_t weight);
void derived_add_exemplar(struct derived_table *derived,
                          struct derived_series *series,
                          const struct span *span, bool failed);
void derived_add_count(struct derived_series *series, uint64_t count);

/* All entries as a derived batch with this lsn, received at now_ns, and a copy
 * of this state. The table stays as it is until derived_flushed(), so a query
 * always sees each point in one place. */
struct batch *derived_batch(struct derived_table *derived,
                            struct budget *budget, uint64_t lsn,
                            uint64_t now_ns, struct slice state);
void derived_flushed(struct derived_table *derived);

/* For struct open_series. */
uint64_t derived_visit(void *source, const struct series_query *query,
                       struct arena *arena, point_visit *visit, void *arg);

/* ---- derived_points.c ---- */

enum { DERIVED_MAX_POINTS = 3 };

/* The points of an entry and their number; what they refer to, including texts,
 * is allocated from the arena. 0 without memory. */
uint32_t derived_series_points(const struct derived_series *series,
                               struct arena *arena,
                               struct point points[DERIVED_MAX_POINTS]);

#endif
