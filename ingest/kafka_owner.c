/*
 * Partitions that have an owner above (options.owner), which stores what is
 * read and decides what is committed.
 *
 *   assigned ─► committed offset and metadata known ─► owner.assigned()
 *            ─► owner.start() knows where to read from ─► reading
 *   owner is full  ─► that partition is paused until it is not
 *   owner is gone  ─► (its commit was refused, but the partition is still
 *                     ours) told again after RETELL_NS, as a new assignment
 *
 * An assigned partition is given to librdkafka only when it is known where to
 * read from, so an assignment is made again as each becomes known.
 *
 * A commit carries the generation of the group that librdkafka has when it is
 * sent. A commit of an earlier assignment must not be sent in a later one,
 * since the broker does not know which member owns a partition: hence the lock,
 * which revoking takes, too, and the epoch of the assignment.
 */
#include <string.h>
#include <time.h>

#include "clock.h"
#include "kafka_int.h"
#include "log.h"
#include "mem.h"

enum { ASK_MS = 5000, COMMIT_WAIT_MS = 5000 };

#define LOOK_NS   (20 * NS_PER_MS)
#define RETELL_NS (5 * NS_PER_S)

/* ---- telling the owner ---- */

/* A number, so that the first block begins at one; negative: no answer. */
static int64_t first_offset(struct kafka *kafka, struct kafka_partition *p)
{
    int64_t low, high;

    if (rd_kafka_query_watermark_offsets(kafka->rk, p->topic,
                                         (int32_t)p->partition, &low, &high,
                                         ASK_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    return kafka->latest ? high : low;
}

void kafka_tell_owner(struct kafka *kafka, struct kafka_partition *p,
                      int64_t committed, struct slice metadata)
{
    struct kafka_assignment assignment = {.topic = slice_of(p->topic),
                                          .partition = p->partition,
                                          .signal = p->signal,
                                          .epoch = ++kafka->epoch,
                                          .metadata = metadata};

    if (committed < 0) {
        committed = first_offset(kafka, p);
        assignment.metadata = (struct slice){NULL, 0};
    }
    if (committed < 0)
        return; /* asked again */
    assignment.committed = (uint64_t)committed;
    pthread_mutex_lock(&kafka->commit.lock);
    p->epoch = assignment.epoch;
    pthread_mutex_unlock(&kafka->commit.lock);
    p->stored = committed;
    p->owning = OWNING_TOLD;
    kafka->options.owner.assigned(kafka->options.owner.arg, &assignment);
}

/* Asks for the committed offset of a partition, and tells the owner. */
static void ask_and_tell(struct kafka *kafka, struct kafka_partition *p)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *place = rd_kafka_topic_partition_list_add(
        list, p->topic, (int32_t)p->partition);

    if (rd_kafka_committed(kafka->rk, list, ASK_MS) ==
            RD_KAFKA_RESP_ERR_NO_ERROR &&
        !place->err)
        kafka_tell_owner(kafka, p, place->offset,
                         (struct slice){place->metadata, place->metadata_size});
    rd_kafka_topic_partition_list_destroy(list);
}

/* ---- while it is assigned ---- */

static void pause_one(struct kafka *kafka, struct kafka_partition *p,
                      bool pause)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, p->topic, (int32_t)p->partition);
    kafka_log_failure(pause ? "cannot pause" : "cannot resume",
                      pause ? rd_kafka_pause_partitions(kafka->rk, list)
                            : rd_kafka_resume_partitions(kafka->rk, list));
    rd_kafka_topic_partition_list_destroy(list);
    p->paused = pause;
}

void kafka_resume_owned(struct kafka *kafka)
{
    for (size_t i = 0; i < kafka->partitions.count; i++)
        if (kafka->partitions.at[i]->paused)
            pause_one(kafka, kafka->partitions.at[i], false);
}

/* True if the owner said where to read from. */
static bool has_started(struct kafka *kafka, struct kafka_partition *p)
{
    const struct kafka_owner *owner = &kafka->options.owner;
    uint64_t offset;

    if (!owner->start(owner->arg, p->epoch, &offset))
        return false;
    p->next = (int64_t)offset;
    p->owning = OWNING_READS;
    return true;
}

static void look_at_state(struct kafka *kafka, struct kafka_partition *p)
{
    const struct kafka_owner *owner = &kafka->options.owner;

    switch (owner->state(owner->arg, p->epoch)) {
    case KAFKA_OWNER_READY:
        if (p->paused && kafka->flow != FLOW_PAUSED)
            pause_one(kafka, p, false);
        p->gone_ns = 0;
        break;
    case KAFKA_OWNER_FULL:
        if (!p->paused)
            pause_one(kafka, p, true);
        break;
    case KAFKA_OWNER_GONE:
        if (p->gone_ns == 0)
            p->gone_ns = clock_monotonic_ns();
        if (clock_monotonic_ns() - p->gone_ns < RETELL_NS)
            break;
        p->gone_ns = 0;
        p->owning = OWNING_UNKNOWN;
        break;
    }
}

void kafka_look_at_owner(struct kafka *kafka, bool now)
{
    uint64_t now_ns = clock_monotonic_ns();
    bool changed = false;

    if (!kafka->options.owner.assigned ||
        (!now && now_ns - kafka->owner_ns < LOOK_NS))
        return;
    kafka->owner_ns = now_ns;
    for (size_t i = 0; i < kafka->partitions.count; i++) {
        struct kafka_partition *p = kafka->partitions.at[i];

        if (!p->assigned)
            continue;
        if (p->owning == OWNING_UNKNOWN && now_ns >= p->asked_ns + NS_PER_S) {
            p->asked_ns = now_ns;
            ask_and_tell(kafka, p);
        }
        if (p->owning == OWNING_TOLD)
            changed |= has_started(kafka, p);
        else if (p->owning == OWNING_READS)
            look_at_state(kafka, p);
        changed |= p->owning == OWNING_UNKNOWN && p->next >= 0;
        if (p->owning == OWNING_UNKNOWN)
            p->next = -1;
    }
    if (changed)
        kafka_reassign(kafka);
}

/* ---- assigned and revoked ---- */

void kafka_assign_owned(struct kafka *kafka, struct kafka_partition *p,
                        const rd_kafka_topic_partition_t *place, bool answered)
{
    p->stored = p->high = -1;
    p->next = p->committed = -1;
    p->owning = OWNING_UNKNOWN;
    p->paused = false;
    p->gone_ns = p->asked_ns = 0;
    p->resets = 0;
    pthread_mutex_lock(&kafka->commit.lock);
    p->assigned = true;
    pthread_mutex_unlock(&kafka->commit.lock);
    log_info("kafka", "partition assigned", log_text("topic", p->topic),
             log_uint("partition", p->partition),
             log_int("committed",
                     answered && place->offset >= 0 ? place->offset : -1));
    if (answered)
        kafka_tell_owner(kafka, p, place->offset,
                         (struct slice){place->metadata, place->metadata_size});
}

static void unassign(struct kafka *kafka)
{
    pthread_mutex_lock(&kafka->commit.lock);
    for (size_t i = 0; i < kafka->partitions.count; i++)
        kafka->partitions.at[i]->assigned = false;
    pthread_mutex_unlock(&kafka->commit.lock);
}

void kafka_revoke_owned(struct kafka *kafka, bool lost)
{
    const struct kafka_owner *owner = &kafka->options.owner;

    kafka_drop_held(kafka);
    if (kafka->flow == FLOW_PAUSED)
        kafka_pause(kafka, false);
    kafka_resume_owned(kafka);
    if (lost)
        unassign(kafka); /* no commit is sent from here on */
    owner->revoked(owner->arg, lost);
    unassign(kafka);
    log_info("kafka", lost ? "partitions lost" : "partitions revoked",
             LOG_NONE);
}

/* ---- commits, from any thread ---- */

struct commit_outcome {
    bool answered;
    rd_kafka_resp_err_t error;
};

static void note_outcome(rd_kafka_t *rk, rd_kafka_resp_err_t error,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct commit_outcome *outcome = opaque;

    (void)rk;
    outcome->answered = true;
    outcome->error = error;
    if (!error && list && list->cnt > 0)
        outcome->error = list->elems[0].err;
}

static enum status status_of(const struct commit_outcome *outcome)
{
    if (!outcome->answered)
        return ERR_BUSY;
    switch (outcome->error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return OK;
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__DESTROY:
        return ERR_STOPPING;
    default:
        return ERR_BUSY;
    }
}

static rd_kafka_topic_partition_list_t *commit_list(
    const struct kafka_partition *p, uint64_t offset, struct slice metadata)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *place = rd_kafka_topic_partition_list_add(
        list, p->topic, (int32_t)p->partition);

    place->offset = (int64_t)offset;
    place->metadata_size = metadata.len;
    place->metadata = mem_copy(metadata.ptr, metadata.len);
    return list;
}

/* Under the lock: the commit is in librdkafka's queue, in order, when it is
 * released. ERR_STOPPING: the assignment is over. */
static enum status send_commit(struct kafka *kafka,
                               const struct kafka_commit *commit,
                               struct kafka_partition **found,
                               rd_kafka_queue_t **answers,
                               struct commit_outcome *outcome)
{
    struct kafka_partition *p = NULL;
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_resp_err_t error;

    pthread_mutex_lock(&kafka->partitions.lock);
    for (size_t i = 0; i < kafka->partitions.count && !p; i++)
        if (kafka->partitions.at[i]->epoch == commit->epoch)
            p = kafka->partitions.at[i];
    pthread_mutex_unlock(&kafka->partitions.lock);
    if (!p || !p->assigned || !kafka->rk || kafka->commit.closed)
        return ERR_STOPPING;
    list = commit_list(p, commit->offset, commit->metadata);
    *answers = rd_kafka_queue_new(kafka->rk);
    *found = p;
    error =
        rd_kafka_commit_queue(kafka->rk, list, *answers, note_outcome, outcome);
    rd_kafka_topic_partition_list_destroy(list);
    kafka->commit.running++;
    if (error)
        *outcome = (struct commit_outcome){true, error};
    return OK;
}

enum status kafka_commit_block(struct kafka *kafka,
                               const struct kafka_commit *commit)
{
    struct commit_outcome outcome = {false, RD_KAFKA_RESP_ERR_NO_ERROR};
    struct kafka_partition *p = NULL;
    rd_kafka_queue_t *answers = NULL;
    enum status status;

    pthread_mutex_lock(&kafka->commit.lock);
    status = send_commit(kafka, commit, &p, &answers, &outcome);
    pthread_mutex_unlock(&kafka->commit.lock);
    if (status != OK)
        return status;
    if (!outcome.answered)
        (void)rd_kafka_queue_poll_callback(answers, COMMIT_WAIT_MS);
    rd_kafka_queue_destroy(answers);
    status = status_of(&outcome);
    if (status == OK && commit->stored)
        p->stored = (int64_t)commit->offset;
    if (status != OK)
        log_debug("kafka", "offset not committed", log_text("topic", p->topic),
                  log_uint("partition", p->partition),
                  log_text("error", outcome.answered
                                        ? rd_kafka_err2str(outcome.error)
                                        : "no answer"));
    pthread_mutex_lock(&kafka->commit.lock);
    if (--kafka->commit.running == 0)
        pthread_cond_broadcast(&kafka->commit.done);
    pthread_mutex_unlock(&kafka->commit.lock);
    return status;
}

void kafka_close_commits(struct kafka *kafka, bool closed)
{
    pthread_mutex_lock(&kafka->commit.lock);
    kafka->commit.closed = closed;
    while (closed && kafka->commit.running > 0)
        pthread_cond_wait(&kafka->commit.done, &kafka->commit.lock);
    pthread_mutex_unlock(&kafka->commit.lock);
}

/* ---- who has a partition ---- */

bool kafka_is_leader(struct kafka *kafka)
{
    bool leads = false;

    pthread_mutex_lock(&kafka->partitions.lock);
    for (size_t i = 0; i < kafka->partitions.count; i++) {
        const struct kafka_partition *p = kafka->partitions.at[i];

        leads |= p->assigned && p->partition == 0 &&
                 kafka_is_first_topic(kafka, p->topic);
    }
    pthread_mutex_unlock(&kafka->partitions.lock);
    return leads;
}
