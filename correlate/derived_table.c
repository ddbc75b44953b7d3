/*
 * Entries lie in an array in order of arrival with an open-addressed index
 * over it, so that only memory in use is touched. What differs in size - texts,
 * buckets, exemplars - comes from one pool. Both are emptied by a flush, and
 * nothing is taken out before.
 *
 * A record adds a handful of entries at most. derive_low() keeps a reserve for
 * one record, so a flush is needed between records only, never inside one.
 */
#include "derived_table_int.h"

#include <stdlib.h>

#include "clock.h"
#include "hash.h"
#include "mem.h"
#include "stats.h"

enum {
    RESERVE_SERIES =
        192, /* of one record and of what batch_resources.c holds back */
    RESERVE_BYTES = 96 * 1024,
    BYTES_EACH = 320 /* of texts, buckets and exemplars, on average */
};

struct derive *derive_new(uint32_t max_series)
{
    struct derive *derive = mem_zero(1, sizeof(*derive));
    size_t slots = 2;

    max_series += RESERVE_SERIES;
    while (slots < 2 * (size_t)max_series)
        slots *= 2;
    derive->max_series = max_series;
    derive->mask = (uint32_t)(slots - 1);
    derive->series = mem_alloc(max_series * sizeof(*derive->series));
    derive->slots = mem_zero(slots, sizeof(*derive->slots));
    pool_init(&derive->pool,
              (size_t)max_series * BYTES_EACH + 2 * RESERVE_BYTES);
    pthread_mutex_init(&derive->mutex, NULL);
    return derive;
}

void derive_free(struct derive *derive)
{
    if (!derive)
        return;
    pthread_mutex_destroy(&derive->mutex);
    pool_release(&derive->pool);
    free(derive->series);
    free(derive->slots);
    free(derive);
}

void derive_lock(struct derive *derive)
{
    pthread_mutex_lock(&derive->mutex);
}

void derive_unlock(struct derive *derive)
{
    pthread_mutex_unlock(&derive->mutex);
}

bool derive_mute(struct derive *derive, bool muted)
{
    bool before = derive->muted;

    derive->muted = muted;
    return before;
}

bool derive_muted(const struct derive *derive)
{
    return derive->muted;
}

bool derive_low(const struct derive *derive)
{
    return derive->max_series - derive->count < RESERVE_SERIES ||
           pool_room(&derive->pool) < RESERVE_BYTES;
}

uint32_t derive_count(const struct derive *derive)
{
    return derive->count;
}

static void copy_texts(struct derive *derive, struct derived_series *series,
                       const struct slice text[TEXT_COUNT])
{
    size_t len = 0;
    char *copy;

    for (int i = 0; i < TEXT_COUNT; i++)
        len += text[i].len;
    copy = pool_alloc(&derive->pool, len);
    series->text = copy;
    for (int i = 0; i < TEXT_COUNT; i++) {
        slice_copy(copy, text[i]);
        copy += text[i].len;
        series->text_len[i] = (uint16_t)text[i].len;
    }
}

static struct derived_series *add(struct derive *derive,
                                  const struct series_labels *labels,
                                  uint64_t hash, uint32_t minute)
{
    struct derived_series *series = &derive->series[derive->count];

    if (derive->count == derive->max_series ||
        pool_room(&derive->pool) < RESERVE_BYTES / 8)
        return NULL;
    derive->count++;
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
    copy_texts(derive, series, labels->text);
    return series;
}

static bool is(const struct derived_series *series, uint64_t hash,
               const struct series_labels *labels, uint32_t minute)
{
    return series->hash == hash && series->identity == labels->identity &&
           series->minute == minute && series->family == labels->family;
}

struct derived_series *derive_series(struct derive *derive,
                                     const struct series_labels *labels,
                                     uint64_t time_ns, uint32_t *hint)
{
    uint32_t minute = (uint32_t)(time_ns / NS_PER_MIN);
    uint64_t hash =
        hash_mix(labels->hash, (uint64_t)minute << 32 ^ labels->identity);
    uint32_t i = (uint32_t)(hash >> 32) & derive->mask;
    struct derived_series *series;

    if (derive->muted)
        return NULL;
    if (*hint < derive->count &&
        is(&derive->series[*hint], hash, labels, minute))
        return &derive->series[*hint];
    for (; derive->slots[i]; i = (i + 1) & derive->mask) {
        series = &derive->series[derive->slots[i] - 1];
        if (is(series, hash, labels, minute)) {
            *hint = derive->slots[i] - 1;
            return series;
        }
    }
    series = add(derive, labels, hash, minute);
    if (series) {
        *hint = derive->count - 1;
        derive->slots[i] = derive->count;
    }
    return series;
}

void derive_duration(struct derive *derive, struct derived_series *series,
                     uint64_t duration_ns, bool failed, bool client_error,
                     uint32_t weight)
{
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
        expohist_add(&series->histogram, duration_ns, weight, &derive->pool);
}

static void keep(struct kept_span *kept, const struct span *span)
{
    memcpy(kept->trace_id, span->trace_id, sizeof(kept->trace_id));
    memcpy(kept->span_id, span->span_id, sizeof(kept->span_id));
    kept->time_ns = span->start_ns;
    kept->duration_ns = span->end_ns - span->start_ns;
}

void derive_exemplar(struct derive *derive, struct derived_series *series,
                     const struct span *span, bool failed)
{
    uint64_t duration_ns = span->end_ns - span->start_ns;
    struct kept_spans *kept = series->kept;

    if (!kept) {
        kept = series->kept = pool_alloc(&derive->pool, sizeof(*kept));
        kept->slow_count = kept->failed_count = 0;
    }
    if (failed) {
        keep(&kept->failed[kept->failed_count++ % EXEMPLARS_EACH], span);
        return;
    }
    if (kept->slow_count < EXEMPLARS_EACH) {
        keep(&kept->slow[kept->slow_count++], span);
        return;
    }
    uint32_t fast = kept->slow[1].duration_ns < kept->slow[0].duration_ns;

    if (duration_ns > kept->slow[fast].duration_ns)
        keep(&kept->slow[fast], span);
}

void derive_add(struct derived_series *series, uint64_t count)
{
    series->count += count;
}

struct batch *derive_batch(struct derive *derive, struct budget *budget,
                           uint64_t lsn, struct slice state)
{
    struct batch *batch = batch_new(SIGNAL_METRICS, NULL, 0, budget);
    uint64_t now = clock_wall_ns();
    uint32_t count = 0;

    batch->derived = true;
    batch->lsn = lsn;
    batch->received_ns = now;
    batch->state = arena_copy(&batch->arena, state);
    for (uint32_t i = 0; i < derive->count; i++)
        count += series_point_count(&derive->series[i]);
    batch->points = arena_zero(&batch->arena, count, sizeof(struct point));
    for (uint32_t i = 0; batch->points && i < derive->count; i++)
        batch->count += series_points(&derive->series[i], &batch->arena,
                                      batch->points + batch->count);
    if (arena_status(&batch->arena) == OK)
        return batch;

    /* What was counted must not be lost because receivers use up the budget;
     * max_series bounds what this takes. */
    batch_free(batch);
    return budget ? derive_batch(derive, NULL, lsn, state) : NULL;
}

void derive_flushed(struct derive *derive)
{
    if (derive->count > 0) /* an idle process does not touch it */
        memset(derive->slots, 0,
               ((size_t)derive->mask + 1) * sizeof(*derive->slots));
    pool_clear(&derive->pool);
    derive->count = 0;
    derive->flushes++;
    stats_set(STATS_SERIES_OPEN, 0);
}
