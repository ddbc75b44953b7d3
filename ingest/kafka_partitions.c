/*
 * The batches of a partition are done in the order in which they were
 * submitted, and the journal stores none after one that it refused.
 */
#include "kafka_partitions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "array.h"
#include "clock.h"
#include "ingest_decode.h"
#include "mem.h"

/* Tells to which partition the outcome of a batch belongs. */
struct pending_batch {
    struct kafka_partitions *partitions;
    struct kafka_partition *partition;
    const struct batch *batch; /* owned by the sink; valid in done() */
    int64_t offset;
    uint32_t accepted; /* the sink may remove records from the batch */
    size_t bytes;
};

void partitions_init(struct kafka_partitions *partitions)
{
    pthread_condattr_t attr;

    memset(partitions, 0, sizeof(*partitions));
    pthread_mutex_init(&partitions->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&partitions->changed, &attr);
    pthread_condattr_destroy(&attr);
}

void partitions_release(struct kafka_partitions *partitions)
{
    for (size_t i = 0; i < partitions->count; i++)
        free(partitions->at[i]);
    free(partitions->at);
    pthread_cond_destroy(&partitions->changed);
    pthread_mutex_destroy(&partitions->lock);
}

struct kafka_partition *partitions_find(
    const struct kafka_partitions *partitions, const char *topic,
    int32_t partition)
{
    for (size_t i = 0; i < partitions->count; i++)
        if (partitions->at[i]->partition == (uint32_t)partition &&
            strcmp(partitions->at[i]->topic, topic) == 0)
            return partitions->at[i];
    return NULL;
}

struct kafka_partition *partitions_add(struct kafka_partitions *partitions,
                                       const char *topic, int32_t partition,
                                       enum signal signal)
{
    struct kafka_partition *p = partitions_find(partitions, topic, partition);

    if (p)
        return p;
    p = mem_zero(1, sizeof(*p));
    snprintf(p->topic, sizeof(p->topic), "%s", topic);
    p->partition = (uint32_t)partition;
    p->signal = signal;
    p->stored = p->high = p->next = p->committed = -1;
    pthread_mutex_lock(&partitions->lock);
    struct kafka_partition **place =
        array_append(&partitions->at, partitions->count, &partitions->room);
    *place = p;
    partitions->count++;
    pthread_mutex_unlock(&partitions->lock);
    return p;
}

/* ---- pending batches ---- */

static void partition_batch_is_done(void *arg, enum status status)
{
    struct pending_batch *pending = arg;
    struct kafka_partitions *partitions = pending->partitions;
    struct kafka_partition *partition = pending->partition;

    if (status == OK) {
        uint32_t foreign = pending->batch->foreign;

        if (!partitions->owned)
            partition->stored = pending->offset + 1;
        ingest_count_records(pending->batch->signal,
                             pending->batch->duplicate ||
                                     pending->batch->counted
                                 ? 0
                                 : pending->accepted - foreign,
                             pending->batch->rejected + foreign);
        ingest_audit_foreign(pending->batch, NULL, NULL);
    } else if (!partitions->owned) {
        partitions->failed = true;
    }
    partitions->pending_bytes -= pending->bytes;
    pthread_mutex_lock(&partitions->lock);
    partition->pending--;
    partitions->pending--;
    if (partition->pending == 0)
        pthread_cond_broadcast(&partitions->changed);
    pthread_mutex_unlock(&partitions->lock);
    free(pending);
}

void partition_track(struct kafka_partitions *partitions,
                     struct kafka_partition *partition, struct batch *batch)
{
    struct pending_batch *pending = mem_alloc(sizeof(*pending));

    *pending = (struct pending_batch){.partitions = partitions,
                                      .partition = partition,
                                      .batch = batch,
                                      .offset = (int64_t)batch->source->offset,
                                      .accepted = batch->count,
                                      .bytes = batch_size(batch)};
    batch->done = partition_batch_is_done;
    batch->done_arg = pending;
    if (partition->stored < 0) /* nothing is pending: no other thread writes */
        partition->stored = pending->offset;
    partition->next = pending->offset + 1;
    partitions->pending_bytes += pending->bytes;
    pthread_mutex_lock(&partitions->lock);
    partition->pending++;
    partitions->pending++;
    pthread_mutex_unlock(&partitions->lock);
}

bool partitions_wait(struct kafka_partitions *partitions,
                     const struct kafka_partition *partition,
                     uint64_t timeout_ns)
{
    const uint32_t *left =
        partition ? &partition->pending : &partitions->pending;
    uint64_t until = clock_monotonic_ns() + timeout_ns;
    struct timespec at = {.tv_sec = (time_t)(until / NS_PER_S),
                          .tv_nsec = (long)(until % NS_PER_S)};
    bool none;

    pthread_mutex_lock(&partitions->lock);
    while (*left > 0 && clock_monotonic_ns() < until)
        pthread_cond_timedwait(&partitions->changed, &partitions->lock, &at);
    none = *left == 0;
    pthread_mutex_unlock(&partitions->lock);
    return none;
}

void partitions_rewind(struct kafka_partitions *partitions)
{
    for (size_t i = 0; i < partitions->count; i++)
        partitions->at[i]->next = partitions->at[i]->stored;
    partitions->failed = false;
}

/* ---- what others are told ---- */

/* Negative: not known, which is not zero. */
static int64_t lag_of(const struct kafka_partition *p)
{
    int64_t high = p->high, stored = p->stored;

    if (high < 0 || stored < 0)
        return -1;
    return high > stored ? high - stored : 0;
}

void partitions_print(struct kafka_partitions *partitions, struct buf *out)
{
    buf_format(out, "# HELP callboard_kafka_lag Messages of an assigned "
                    "partition that are not stored yet.\n"
                    "# TYPE callboard_kafka_lag gauge\n");
    pthread_mutex_lock(&partitions->lock);
    for (size_t i = 0; i < partitions->count; i++) {
        const struct kafka_partition *p = partitions->at[i];
        int64_t lag = lag_of(p);

        if (p->assigned && lag >= 0)
            buf_format(out,
                       "callboard_kafka_lag{topic=\"%s\",partition=\"%" PRIu32
                       "\"} %" PRId64 "\n",
                       p->topic, p->partition, lag);
    }
    pthread_mutex_unlock(&partitions->lock);
}

uint32_t partitions_lags(struct kafka_partitions *partitions,
                         struct partition_lag *to, uint32_t room)
{
    uint32_t count = 0;

    pthread_mutex_lock(&partitions->lock);
    for (size_t i = 0; i < partitions->count && count < room; i++) {
        const struct kafka_partition *p = partitions->at[i];

        if (p->assigned)
            to[count++] = (struct partition_lag){p->topic, p->partition,
                                                 p->signal, lag_of(p)};
    }
    pthread_mutex_unlock(&partitions->lock);
    return count;
}
