/*
 * derive_int - what the table of derived points (derived_table.c) shares with
 * the writer of points (derived_points.c).
 */
#ifndef DERIVED_TABLE_INT_H
#define DERIVED_TABLE_INT_H

#include <pthread.h>

#include "derived_table.h"

enum { EXEMPLARS_EACH = 2 };

struct exemplar_span {
    uint8_t trace_id[16], span_id[8];
    uint64_t time_ns, duration_ns;
};

struct exemplar_spans {
    struct exemplar_span slow[EXEMPLARS_EACH], failed[EXEMPLARS_EACH];
    uint32_t slow_count, failed_count; /* failed: ever; the newest are kept */
};

struct derived_series {
    uint64_t hash; /* of the labels, the identity and the minute */
    uint64_t template_id, count, min_ns, max_ns;
    double sum;       /* seconds */
    const char *text; /* all texts, back to back */
    struct exemplar_spans *kept;
    struct expohist histogram;
    uint64_t errors, client_errors, zero_count;
    uint32_t minute, identity, resource, peer;
    uint16_t text_len[TEXT_COUNT];
    uint8_t family, kind, protocol;
};

struct derived_table {
    pthread_mutex_t mutex;
    struct derived_series *series; /* in order of arrival */
    uint32_t *slots;               /* number + 1; 0: free */
    uint32_t count, max_series, mask;
    struct slab slab; /* texts, histograms, exemplars */
    bool muted;
    uint64_t flushes;
};

enum { DERIVED_MAX_POINTS = 3 };

/* How many points the series is, and the points themselves; what they refer to
 * is allocated from the arena, texts included. 0 if there is no memory. */
uint32_t derived_series_point_count(const struct derived_series *series);
uint32_t derived_series_points(const struct derived_series *series,
                               struct arena *arena,
                               struct point points[DERIVED_MAX_POINTS]);

#endif
