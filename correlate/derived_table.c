/*
 * Entries lie in an array in order of arrival with an index over it, so that
 * only memory in use is touched. Texts, buckets and exemplars, which differ in
 * size, come from one slab. A flush empties both; nothing is removed before.
 *
 * A record adds a handful of entries at most. derived_low() keeps a reserve for
 * one record, so a flush is only needed between records.
 */
#include "derived_table.h"

#include <stdlib.h>

#include "clock.h"
#include "hash.h"
#include "mem.h"
#include "stats.h"

enum {
    RESERVE_SERIES = 192, /* for one record and for batch_resources.c */
    RESERVE_BYTES = 96 * 1024,
    BYTES_PER_SERIES = 320 /* texts, buckets and exemplars, on average */
};

struct derived_table *derived_new(uint32_t max_series)
{
    struct derived_table *derived = mem_zero(1, sizeof(*derived));

    max_series += RESERVE_SERIES;
    derived->max_series = max_series;
    derived->series = mem_alloc(max_series * sizeof(*derived->series));
    (void)map_reserve(&derived->index, max_series);
    slab_init(&derived->slab,
              (size_t)max_series * BYTES_PER_SERIES + 2 * RESERVE_BYTES);
    pthread_mutex_init(&derived->mutex, NULL);
    return derived;
}

void derived_free(struct derived_table *derived)
{
    if (!derived)
        return;
    pthread_mutex_destroy(&derived->mutex);
    slab_release(&derived->slab);
    free(derived->series);
    map_release(&derived->index);
    free(derived);
}

void derived_lock(struct derived_table *derived)
{
    pthread_mutex_lock(&derived->mutex);
}

void derived_unlock(struct derived_table *derived)
{
    pthread_mutex_unlock(&derived->mutex);
}

bool derived_low(const struct derived_table *derived)
{
    return derived->max_series - derived->count < RESERVE_SERIES ||
           slab_left(&derived->slab) < RESERVE_BYTES;
}

static void copy_texts(struct derived_table *derived,
                       struct derived_series *series,
                       const struct slice text[TEXT_COUNT])
{
    size_t len = 0;
    char *copy;

    for (int i = 0; i < TEXT_COUNT; i++)
        len += text[i].len;
    copy = slab_alloc(&derived->slab, len);
    series->text = copy;
    for (int i = 0; i < TEXT_COUNT; i++) {
        slice_copy(copy, text[i]);
        copy += text[i].len;
        series->text_len[i] = (uint16_t)text[i].len;
    }
}

static struct derived_series *add_series(struct derived_table *derived,
                                         const struct derived_labels *labels,
                                         uint64_t hash, uint32_t minute)
{
    struct derived_series *series = &derived->series[derived->count];

    if (derived->count == derived->max_series ||
        slab_left(&derived->slab) < RESERVE_BYTES / 8)
        return NULL;
    derived->count++;
    *series = (struct derived_series){.hash = hash,
                                      .template_id = labels->template_id,
                                      .min_ns = UINT64_MAX,
                                      .minute = minute,
                                      .identity = labels->identity,
                                      .resource = labels->resource,
                                      .peer = labels->peer,
                                      .family = labels->family,
                                      .kind = labels->kind,
                                      .protocol = labels->protocol};
    copy_texts(derived, series, labels->text);
    return series;
}

static bool is_series(const struct derived_series *series, uint64_t hash,
                      const struct derived_labels *labels, uint32_t minute)
{
    return series->hash == hash && series->identity == labels->identity &&
           series->minute == minute && series->family == labels->family;
}

struct derived_series *derived_get(struct derived_table *derived,
                                   const struct derived_labels *labels,
                                   uint64_t time_ns, uint32_t *hint)
{
    uint32_t minute = (uint32_t)(time_ns / NS_PER_MIN);
    uint64_t hash =
        hash_mix(labels->hash, (uint64_t)minute << 32 ^ labels->identity);
    struct derived_series *series;
    uint32_t unused = UINT32_MAX;

    if (derived->muted)
        return NULL;
    if (!hint)
        hint = &unused;
    if (*hint < derived->count &&
        is_series(&derived->series[*hint], hash, labels, minute))
        return &derived->series[*hint];
    map_each(&derived->index, map_hash(hash), at) {
        if (is_series(&derived->series[at], hash, labels, minute)) {
            *hint = at;
            return &derived->series[at];
        }
    }
    series = add_series(derived, labels, hash, minute);
    if (series) {
        *hint = derived->count - 1;
        (void)map_add(&derived->index, map_hash(hash), *hint);
    }
    return series;
}

void derived_add_duration(struct derived_table *derived,
                          struct derived_series *series, uint64_t duration_ns,
                          bool failed, bool client_error, uint32_t weight)
{
    if (!series)
        return;
    series->count += weight;
    series->errors += failed ? weight : 0;
    series->client_errors += client_error && !failed ? weight : 0;
    series->sum += (double)duration_ns * 1e-9 * weight;
    if (duration_ns < series->min_ns)
        series->min_ns = duration_ns;
    if (duration_ns > series->max_ns)
        series->max_ns = duration_ns;
    if (duration_ns == 0)
        series->zero_count += weight;
    else
        duration_add(&series->histogram, duration_ns, weight, &derived->slab);
}

static void set_exemplar(struct exemplar_span *exemplar,
                         const struct span *span)
{
    memcpy(exemplar->trace_id, span->trace_id, sizeof(exemplar->trace_id));
    memcpy(exemplar->span_id, span->span_id, sizeof(exemplar->span_id));
    exemplar->time_ns = span->start_ns;
    exemplar->duration_ns = span->end_ns - span->start_ns;
}

void derived_add_exemplar(struct derived_table *derived,
                          struct derived_series *series,
                          const struct span *span, bool failed)
{
    uint64_t duration_ns = span->end_ns - span->start_ns;
    struct exemplar_spans *exemplars;
    uint32_t at;

    if (!series)
        return;
    exemplars = series->exemplars;
    if (!exemplars) {
        exemplars = slab_alloc(&derived->slab, sizeof(*exemplars));
        exemplars->slow_count = exemplars->failed_count = 0;
        series->exemplars = exemplars;
    }
    if (failed) {
        at = exemplars->failed_count++ % EXEMPLARS_EACH;
        set_exemplar(&exemplars->failed[at], span);
        return;
    }
    if (exemplars->slow_count < EXEMPLARS_EACH) {
        set_exemplar(&exemplars->slow[exemplars->slow_count++], span);
        return;
    }
    at = exemplars->slow[1].duration_ns < exemplars->slow[0].duration_ns;
    if (duration_ns > exemplars->slow[at].duration_ns)
        set_exemplar(&exemplars->slow[at], span);
}

void derived_add_count(struct derived_series *series, uint64_t count)
{
    if (series)
        series->count += count;
}

struct batch *derived_batch(struct derived_table *derived,
                            struct budget *budget, uint64_t lsn,
                            uint64_t now_ns, struct slice state)
{
    struct batch *batch = batch_new(SIGNAL_METRICS, NULL, 0, budget);
    uint32_t count = 0;

    batch->derived = true;
    batch->lsn = lsn;
    batch->received_ns = now_ns;
    batch->state = arena_copy(&batch->arena, state);
    for (uint32_t i = 0; i < derived->count; i++)
        count += 1U + (derived->series[i].errors > 0) +
                 (derived->series[i].client_errors > 0);
    batch->points = arena_zero(&batch->arena, count, sizeof(struct point));
    for (uint32_t i = 0; batch->points && i < derived->count; i++)
        batch->count += derived_series_points(
            &derived->series[i], &batch->arena, batch->points + batch->count);
    if (arena_status(&batch->arena) == OK)
        return batch;

    /* Counted data must not be lost because receivers use up the budget.
     * max_series bounds this allocation. */
    batch_free(batch);
    return budget ? derived_batch(derived, NULL, lsn, now_ns, state) : NULL;
}

void derived_flushed(struct derived_table *derived)
{
    if (derived->count > 0) /* an idle process does not touch it */
        map_clear(&derived->index);
    slab_clear(&derived->slab);
    derived->count = 0;
    derived->flushes++;
    stats_set(STATS_SERIES_OPEN, 0);
}
