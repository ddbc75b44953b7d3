/*
 * Rows are never freed before the end, so a batch may point at one; there are
 * as many as partitions were ever assigned.
 *
 * A ticket goes with each batch: it says to which row the outcome belongs. The
 * batches of a part are done in the order in which they were submitted, and
 * the journal sees to it that none is kept after one that is not.
 */
#include "kafka_partitions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "array.h"
#include "clock.h"
#include "mem.h"
#include "stats.h"

struct pending_batch {
    struct kafka_partitions *parts;
    struct kafka_partition *part;
    const struct batch *batch; /* the sink's; for when it is done */
    uint64_t offset;
    enum signal signal;
    uint32_t count, rejected;
    size_t bytes;
};

void partitions_init(struct kafka_partitions *parts)
{
    pthread_condattr_t attr;

    *parts = (struct kafka_partitions){0};
    pthread_mutex_init(&parts->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&parts->changed, &attr);
    pthread_condattr_destroy(&attr);
}

void partitions_release(struct kafka_partitions *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        free(parts->at[i]);
    free(parts->at);
    pthread_cond_destroy(&parts->changed);
    pthread_mutex_destroy(&parts->lock);
}

struct kafka_partition *partitions_find(const struct kafka_partitions *parts,
                                        const char *topic, uint32_t partition)
{
    for (size_t i = 0; i < parts->count; i++)
        if (parts->at[i]->partition == partition &&
            strcmp(parts->at[i]->topic, topic) == 0)
            return parts->at[i];
    return NULL;
}

struct kafka_partition *partitions_add(struct kafka_partitions *parts,
                                       const char *topic, uint32_t partition,
                                       enum signal signal)
{
    struct kafka_partition *part = partitions_find(parts, topic, partition);

    if (part)
        return part;
    part = mem_zero(1, sizeof(*part));
    snprintf(part->topic, sizeof(part->topic), "%s", topic);
    part->partition = partition;
    part->signal = signal;
    part->committed = UINT64_MAX;
    pthread_mutex_lock(&parts->lock);
    struct kafka_partition **place =
        array_append(&parts->at, parts->count, &parts->room);
    *place = part;
    parts->count++;
    pthread_mutex_unlock(&parts->lock);
    return part;
}

void partition_assign(struct kafka_partitions *parts,
                      struct kafka_partition *part, int64_t start,
                      uint64_t committed)
{
    pthread_mutex_lock(&parts->lock);
    part->assigned = true;
    part->start = start;
    part->known = start >= 0;
    part->next = part->done = part->known ? (uint64_t)start : 0;
    part->committed = committed;
    part->high_known = false;
    part->resets = 0;
    pthread_mutex_unlock(&parts->lock);
}

void partition_unassign(struct kafka_partitions *parts,
                        struct kafka_partition *part)
{
    pthread_mutex_lock(&parts->lock);
    part->assigned = false;
    pthread_mutex_unlock(&parts->lock);
}

/* ---- batches under way ---- */

static void count_records(const struct pending_batch *ticket)
{
    static const enum stats_id accepted[SIGNAL_COUNT] = {
        STATS_ACCEPTED_SPANS, STATS_ACCEPTED_LOGS, STATS_ACCEPTED_METRICS};
    static const enum stats_id rejected[SIGNAL_COUNT] = {
        STATS_REJECTED_SPANS, STATS_REJECTED_LOGS, STATS_REJECTED_METRICS};

    if (!ticket->batch->repeated)
        stats_add(accepted[ticket->signal], ticket->count);
    stats_add(rejected[ticket->signal], ticket->rejected);
}

static void batch_is_done(void *arg, enum status status)
{
    struct pending_batch *ticket = arg;
    struct kafka_partitions *parts = ticket->parts;
    struct kafka_partition *part = ticket->part;

    if (status == OK)
        count_records(ticket);
    pthread_mutex_lock(&parts->lock);
    if (status == OK)
        part->done = ticket->offset + 1;
    else
        parts->failed = true;
    part->under_way--;
    parts->under_way--;
    parts->under_way_bytes -= ticket->bytes;
    if (part->under_way == 0)
        pthread_cond_broadcast(&parts->changed);
    pthread_mutex_unlock(&parts->lock);
    free(ticket);
}

void partition_track(struct kafka_partitions *parts,
                     struct kafka_partition *part, struct batch *batch)
{
    struct pending_batch *ticket = mem_alloc(sizeof(*ticket));

    *ticket = (struct pending_batch){
        parts,         part,         batch,           batch->source->offset,
        batch->signal, batch->count, batch->rejected, batch_size(batch)};
    batch->done = batch_is_done;
    batch->done_arg = ticket;
    pthread_mutex_lock(&parts->lock);
    if (!part->known) {
        part->known = true;
        part->done = ticket->offset;
    }
    part->next = ticket->offset + 1;
    part->under_way++;
    parts->under_way++;
    parts->under_way_bytes += ticket->bytes;
    pthread_mutex_unlock(&parts->lock);
}

bool partitions_wait(struct kafka_partitions *parts,
                     const struct kafka_partition *part, uint64_t timeout_ns)
{
    const uint32_t *left = part ? &part->under_way : &parts->under_way;
    uint64_t until = clock_monotonic_ns() + timeout_ns;
    struct timespec at = {.tv_sec = (time_t)(until / NS_PER_S),
                          .tv_nsec = (long)(until % NS_PER_S)};
    bool none;

    pthread_mutex_lock(&parts->lock);
    while (*left > 0 && clock_monotonic_ns() < until)
        pthread_cond_timedwait(&parts->changed, &parts->lock, &at);
    none = *left == 0;
    pthread_mutex_unlock(&parts->lock);
    return none;
}

size_t partitions_pending_bytes(struct kafka_partitions *parts)
{
    pthread_mutex_lock(&parts->lock);
    size_t bytes = parts->under_way_bytes;
    pthread_mutex_unlock(&parts->lock);
    return bytes;
}

bool partitions_failed(struct kafka_partitions *parts)
{
    pthread_mutex_lock(&parts->lock);
    bool failed = parts->failed;
    pthread_mutex_unlock(&parts->lock);
    return failed;
}

void partitions_fail(struct kafka_partitions *parts)
{
    pthread_mutex_lock(&parts->lock);
    parts->failed = true;
    pthread_mutex_unlock(&parts->lock);
}

void partitions_rewind(struct kafka_partitions *parts)
{
    pthread_mutex_lock(&parts->lock);
    for (size_t i = 0; i < parts->count; i++)
        parts->at[i]->next = parts->at[i]->done;
    parts->failed = false;
    pthread_mutex_unlock(&parts->lock);
}

/* ---- what others are told ---- */

bool partition_uncommitted(struct kafka_partitions *parts,
                           const struct kafka_partition *part, uint64_t *offset)
{
    pthread_mutex_lock(&parts->lock);
    bool some = part->assigned && part->known && part->done != part->committed;
    *offset = part->done;
    pthread_mutex_unlock(&parts->lock);
    return some;
}

void partition_committed(struct kafka_partitions *parts,
                         struct kafka_partition *part, uint64_t offset)
{
    pthread_mutex_lock(&parts->lock);
    part->committed = offset;
    pthread_mutex_unlock(&parts->lock);
}

void partition_set_high(struct kafka_partitions *parts,
                        struct kafka_partition *part, uint64_t high)
{
    pthread_mutex_lock(&parts->lock);
    part->high = high;
    part->high_known = true;
    pthread_mutex_unlock(&parts->lock);
}

void partitions_print(struct kafka_partitions *parts, struct buf *out)
{
    buf_format(out, "# HELP callboard_kafka_lag Messages of a partition that "
                    "is read here which are not kept yet.\n"
                    "# TYPE callboard_kafka_lag gauge\n");
    pthread_mutex_lock(&parts->lock);
    for (size_t i = 0; i < parts->count; i++) {
        const struct kafka_partition *part = parts->at[i];
        uint64_t lag = part->high > part->done ? part->high - part->done : 0;

        /* One that is not known is not zero. */
        if (part->assigned && part->high_known && part->known)
            buf_format(out,
                       "callboard_kafka_lag{topic=\"%s\",partition=\"%" PRIu32
                       "\"} %" PRIu64 "\n",
                       part->topic, part->partition, lag);
    }
    pthread_mutex_unlock(&parts->lock);
}
