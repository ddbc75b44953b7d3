/*
 * Partitions that are assigned and revoked, and the offsets that are committed
 * to the broker.
 *
 * Where an assigned partition is read from; the first match wins:
 *
 *   some of it is stored here, and another store
 *   has committed more                             the committed offset
 *   some of it is stored here                      the store's next offset
 *   an offset is committed                         the committed offset
 *   else                                           start or end of the log
 *
 * So offsets that were set back or lost at the broker mean nothing to a store
 * that has more. Commits carry the id of their store as metadata; those of
 * tools carry none and do not count as another store's.
 *
 * Before a revoked partition is given up, its pending batches are stored and
 * committed, so the next owner continues exactly there. If the broker has
 * assigned it to another already (assignment lost), that is too late, and what
 * was stored since the last commit is read by the new owner, too; likewise
 * after a crash: see docs/kafka.md.
 */
#include <string.h>

#include "clock.h"
#include "kafka_int.h"
#include "log.h"
#include "mem.h"
#include "stats.h"

enum { ASK_MS = 5000, ASK_TRIES = 6 };

#define PENDING_NS (10 * NS_PER_S)

static struct kafka_partition *find_partition(
    const struct kafka *kafka, const rd_kafka_topic_partition_t *place)
{
    return partitions_find(&kafka->partitions, place->topic, place->partition);
}

/* ---- commits ---- */

static rd_kafka_topic_partition_list_t *uncommitted(struct kafka *kafka)
{
    struct kafka_partitions *partitions = &kafka->partitions;
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)partitions->count);

    for (size_t i = 0; i < partitions->count; i++) {
        struct kafka_partition *p = partitions->at[i];
        int64_t offset = p->stored;
        rd_kafka_topic_partition_t *place;

        if (!p->assigned || offset < 0 || offset == p->committed)
            continue;
        p->committed = offset;
        place = rd_kafka_topic_partition_list_add(list, p->topic,
                                                  (int32_t)p->partition);
        place->offset = offset;
        place->metadata_size = strlen(kafka->commit_metadata);
        place->metadata =
            mem_copy(kafka->commit_metadata, place->metadata_size);
    }
    return list;
}

/* What failed is committed again next time. */
void kafka_commit_done(rd_kafka_t *rk, rd_kafka_resp_err_t error,
                       rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka *kafka = opaque;

    (void)rk;
    for (int i = 0; list && i < list->cnt; i++) {
        struct kafka_partition *p = find_partition(kafka, &list->elems[i]);

        if (p && (error || list->elems[i].err))
            p->committed = -1;
    }
    if (error)
        log_debug("kafka", "offsets not committed",
                  log_text("error", rd_kafka_err2str(error)));
}

void kafka_commit(struct kafka *kafka, int wait_ms)
{
    rd_kafka_topic_partition_list_t *list = uncommitted(kafka);
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;

    if (list->cnt > 0 && wait_ms == 0) {
        error = rd_kafka_commit(kafka->rk, list, 1);
    } else if (list->cnt > 0) {
        rd_kafka_queue_t *answers = rd_kafka_queue_new(kafka->rk);

        error = rd_kafka_commit_queue(kafka->rk, list, answers,
                                      kafka_commit_done, kafka);
        if (!error && rd_kafka_queue_poll_callback(answers, wait_ms) == 0)
            error = RD_KAFKA_RESP_ERR__TIMED_OUT;
        rd_kafka_queue_destroy(answers);
    }
    if (error)
        kafka_commit_done(kafka->rk, error, list, kafka);
    rd_kafka_topic_partition_list_destroy(list);
}

/* ---- assigned ---- */

/* Fills in the committed offsets; false: no answer. */
static bool query_committed(struct kafka *kafka,
                            rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;

    for (int i = 0; i < ASK_TRIES && error && !kafka->stopping; i++)
        error = rd_kafka_committed(kafka->rk, list, ASK_MS);
    kafka_log_failure("cannot read the group's offsets", error);
    return !error;
}

static bool by_another_store(const struct kafka *kafka,
                             const rd_kafka_topic_partition_t *place)
{
    struct slice metadata = {place->metadata, place->metadata_size};

    return slice_starts(metadata, SLICE("callboard ")) &&
           !slice_equal(metadata, slice_of(kafka->commit_metadata));
}

/* As a number, so that messages that arrive before the first one is stored are
 * not skipped after a restart. */
static int64_t end_of(struct kafka *kafka,
                      const rd_kafka_topic_partition_t *place)
{
    int64_t low, high;

    if (rd_kafka_query_watermark_offsets(kafka->rk, place->topic,
                                         place->partition, &low, &high,
                                         ASK_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return RD_KAFKA_OFFSET_END;
    return high;
}

/* answered: place->offset is the committed offset, if there is one. Otherwise
 * librdkafka is left to ask for it. */
static void choose_start(struct kafka *kafka, struct kafka_partition *p,
                         rd_kafka_topic_partition_t *place, bool answered)
{
    uint64_t next = 0;
    bool known = kafka->options.next_offset(
        kafka->options.next_arg, slice_of(p->topic), p->partition, &next);
    int64_t stored = known ? (int64_t)next : -1;
    int64_t committed = answered && place->offset >= 0 ? place->offset : -1;

    if (stored >= 0 && committed > stored && by_another_store(kafka, place))
        stored = committed;
    if (stored >= 0)
        place->offset = stored;
    else if (committed >= 0)
        place->offset = committed;
    else if (!answered)
        place->offset = RD_KAFKA_OFFSET_STORED;
    else
        place->offset =
            kafka->latest ? end_of(kafka, place) : RD_KAFKA_OFFSET_BEGINNING;
    log_info("kafka", "partition assigned", log_text("topic", p->topic),
             log_uint("partition", p->partition),
             log_int("start", place->offset), log_int("stored", stored),
             log_int("committed", committed));
    p->stored = p->next = place->offset;
    p->committed = committed;
    p->high = -1;
    p->resets = 0;
    p->assigned = true;
}

static void assign(struct kafka *kafka, rd_kafka_topic_partition_list_t *list)
{
    bool answered = query_committed(kafka, list);

    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *place = &list->elems[i];
        enum signal signal = SIGNAL_SPANS;
        struct kafka_partition *p;

        (void)kafka_signal_of(kafka, place->topic, &signal);
        p = partitions_add(&kafka->partitions, place->topic, place->partition,
                           signal);
        p->writer = kafka_writer_of(kafka, place->topic);
        /* Batches of an earlier assignment still change `stored`. */
        (void)partitions_wait(&kafka->partitions, p, PENDING_NS);
        if (kafka->partitions.owned)
            kafka_assign_owned(kafka, p, place, answered && !place->err);
        else
            choose_start(kafka, p, place, answered && !place->err);
    }
    if (kafka->partitions.owned) {
        kafka_reassign(kafka); /* none is read yet */
        return;
    }
    kafka_log_failure("cannot assign partitions",
                      rd_kafka_assign(kafka->rk, list));
    if (kafka->flow == FLOW_PAUSED)
        kafka_pause(kafka, true);
}

/* ---- revoked ---- */

static void revoke(struct kafka *kafka,
                   const rd_kafka_topic_partition_list_t *list)
{
    bool lost = rd_kafka_assignment_lost(kafka->rk), all = true;

    /* librdkafka keeps a pause beyond the assignment, and only an assigned
     * partition can be resumed. */
    if (kafka->flow == FLOW_PAUSED)
        kafka_pause(kafka, false);
    for (int i = 0; i < list->cnt; i++) {
        struct kafka_partition *p = find_partition(kafka, &list->elems[i]);

        if (p && kafka->held && kafka->held->rkt &&
            kafka->held->partition == list->elems[i].partition &&
            strcmp(rd_kafka_topic_name(kafka->held->rkt), p->topic) == 0)
            kafka_drop_held(kafka);
        if (p && !lost)
            all &= partitions_wait(&kafka->partitions, p, PENDING_NS);
    }
    if (!lost)
        kafka_commit(kafka, ASK_MS);
    if (lost || !all)
        log_warn("kafka",
                 "assignment lost: the last stored messages may also be read "
                 "by the new owner",
                 log_int("partitions", list->cnt));
    for (int i = 0; i < list->cnt; i++) {
        struct kafka_partition *p = find_partition(kafka, &list->elems[i]);

        if (p)
            p->assigned = false;
    }
    log_info("kafka", "partitions revoked", log_int("count", list->cnt));
}

void kafka_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t what,
                     rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka *kafka = opaque;
    uint64_t assigned = 0;

    stats_add(STATS_KAFKA_REBALANCES, 1);
    if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        assign(kafka, list);
    } else {
        if (what != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
            kafka_log_failure("rebalance failed", what);
        if (kafka->partitions.owned)
            kafka_revoke_owned(kafka, rd_kafka_assignment_lost(rk));
        else
            revoke(kafka, list);
        kafka_log_failure("cannot revoke partitions",
                          rd_kafka_assign(rk, NULL));
    }
    for (size_t i = 0; i < kafka->partitions.count; i++)
        assigned += kafka->partitions.at[i]->assigned;
    stats_set(STATS_KAFKA_PARTITIONS, assigned);
}
