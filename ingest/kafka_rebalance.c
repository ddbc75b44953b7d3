/*
 * Partitions given and taken, and what the broker is told.
 *
 * Where a partition begins when it is given to us:
 *
 *   we have kept some of it    behind that, whatever the broker has noted:
 *                              offsets that were set back or lost mean nothing
 *                              to a store that knows better
 *   but another instance of    behind what it has kept: our commits carry the
 *   this program has noted     id of our store, so its can be told from ours.
 *   more since                 (A tool's carry nothing, and are not followed.)
 *   we have kept none of it    at the broker's note, whoever made it, else at
 *                              the start or the end of the log, as configured
 *
 * A partition that is taken: we wait until what we submitted is kept and tell
 * the broker before we let go, so the next owner goes on exactly behind. If
 * the broker has given it away already (assignment lost) that is too late, and
 * what we kept since our last commit is read by its new owner too; likewise if
 * we die: see docs/kafka.md.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "kafka_int.h"
#include "log.h"
#include "mem.h"
#include "stats.h"

enum {
    ASK_MS = 5000,
    ASK_TRIES = 6,
};

#define LET_GO_NS (10 * NS_PER_S)

void kafka_log_failure(const char *what, rd_kafka_resp_err_t error)
{
    if (error)
        log_warn("kafka", what, log_text("error", rd_kafka_err2str(error)));
}

struct kafka_partition *kafka_partition_at(
    const struct kafka *kafka, const rd_kafka_topic_partition_t *place)
{
    return partitions_find(&kafka->parts, place->topic,
                           (uint32_t)place->partition);
}

/* ---- commits ---- */

static rd_kafka_topic_partition_list_t *uncommitted(struct kafka *kafka)
{
    struct kafka_partitions *parts = &kafka->parts;
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)parts->count);
    uint64_t offset;

    for (size_t i = 0; i < parts->count; i++) {
        struct kafka_partition *part = parts->at[i];
        rd_kafka_topic_partition_t *place;

        if (!partition_uncommitted(parts, part, &offset))
            continue;
        place = rd_kafka_topic_partition_list_add(list, part->topic,
                                                  (int32_t)part->partition);
        place->offset = (int64_t)offset;
        place->metadata_size = strlen(kafka->note);
        place->metadata = mem_copy(kafka->note, place->metadata_size);
        partition_committed(parts, part, offset);
    }
    return list;
}

/* Also called when all went well. What was not noted is noted next time. */
void kafka_commit_failed(rd_kafka_t *rk, rd_kafka_resp_err_t error,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka *kafka = opaque;

    (void)rk;
    for (int i = 0; list && i < list->cnt; i++) {
        struct kafka_partition *part =
            kafka_partition_at(kafka, &list->elems[i]);

        if (part && (error || list->elems[i].err))
            partition_committed(&kafka->parts, part, UINT64_MAX);
    }
    if (error)
        log_debug("kafka", "offsets not committed",
                  log_text("error", rd_kafka_err2str(error)));
}

void kafka_commit(struct kafka *kafka, int wait_ms)
{
    rd_kafka_topic_partition_list_t *list = uncommitted(kafka);
    rd_kafka_queue_t *answers = NULL;
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;

    if (list->cnt > 0 && wait_ms == 0) {
        error = rd_kafka_commit(kafka->rk, list, 1);
    } else if (list->cnt > 0) {
        answers = rd_kafka_queue_new(kafka->rk);
        error = rd_kafka_commit_queue(kafka->rk, list, answers,
                                      kafka_commit_failed, kafka);
        if (!error && rd_kafka_queue_poll_callback(answers, wait_ms) == 0)
            error = RD_KAFKA_RESP_ERR__TIMED_OUT;
        rd_kafka_queue_destroy(answers);
    }
    if (error)
        kafka_commit_failed(kafka->rk, error, list, kafka);
    rd_kafka_topic_partition_list_destroy(list);
}

/* ---- given ---- */

/* What the broker has noted of the partitions in list; false: no answer. */
static bool ask_committed(struct kafka *kafka,
                          rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;

    for (int i = 0; i < ASK_TRIES && error && !atomic_load(&kafka->stopping);
         i++)
        error = rd_kafka_committed(kafka->rk, list, ASK_MS);
    kafka_log_failure("cannot ask for the group's offsets", error);
    return !error;
}

static bool another_store(const struct kafka *kafka,
                          const rd_kafka_topic_partition_t *place)
{
    struct slice note = {place->metadata, place->metadata_size};

    return slice_starts(note, SLICE("callboard ")) &&
           !slice_equal(note, slice_of(kafka->note));
}

/* The end of the log, so that what comes until the first message is kept is
 * not forgotten at a restart. */
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

/* told: the broker has said what it has noted. If it has not, it is asked
 * again, through librdkafka. */
static void choose_start(struct kafka *kafka, struct kafka_partition *part,
                         rd_kafka_topic_partition_t *place, bool told)
{
    uint64_t kept = 0, noted = UINT64_MAX;
    bool known = kafka->options.next_offset(
        kafka->options.next_arg, slice_of(part->topic), part->partition, &kept);
    int64_t start;

    if (told && place->offset >= 0)
        noted = (uint64_t)place->offset;
    if (known && noted != UINT64_MAX && noted > kept &&
        another_store(kafka, place))
        kept = noted;
    if (known)
        start = (int64_t)kept;
    else if (noted != UINT64_MAX)
        start = (int64_t)noted;
    else if (!told)
        start = RD_KAFKA_OFFSET_STORED;
    else
        start =
            kafka->latest ? end_of(kafka, place) : RD_KAFKA_OFFSET_BEGINNING;
    log_info("kafka", "partition given", log_text("topic", part->topic),
             log_uint("partition", part->partition), log_int("start", start),
             log_int("kept", known ? (int64_t)kept : INT64_C(-1)),
             log_int("noted", (int64_t)noted));
    place->offset = start;
    partition_assign(&kafka->parts, part, start, noted);
}

static void given(struct kafka *kafka, rd_kafka_topic_partition_list_t *list)
{
    bool asked = ask_committed(kafka, list);

    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *place = &list->elems[i];
        enum signal signal = SIGNAL_SPANS;
        struct kafka_partition *part;

        (void)kafka_signal_of(kafka, place->topic, &signal);
        part = partitions_add(&kafka->parts, place->topic,
                              (uint32_t)place->partition, signal);
        /* Of an earlier time: what is still under way will be kept, or has
         * failed by the time this is over. */
        (void)partitions_wait(&kafka->parts, part, LET_GO_NS);
        choose_start(kafka, part, place, asked && !place->err);
    }
    kafka_log_failure("cannot take partitions",
                      rd_kafka_assign(kafka->rk, list));
    if (kafka->paused)
        kafka_pause(kafka, true);
}

/* ---- taken ---- */

static void let_go(struct kafka *kafka,
                   const rd_kafka_topic_partition_list_t *list)
{
    bool lost = rd_kafka_assignment_lost(kafka->rk);
    bool all = true;

    /* librdkafka keeps a pause beyond the assignment, and what we do not have
     * we could not end it for: a part that comes back would stand still. */
    if (kafka->paused)
        kafka_pause(kafka, false);
    for (int i = 0; i < list->cnt; i++) {
        struct kafka_partition *part =
            kafka_partition_at(kafka, &list->elems[i]);

        if (part && kafka->held && kafka->held->partition >= 0 &&
            (uint32_t)kafka->held->partition == part->partition &&
            strcmp(rd_kafka_topic_name(kafka->held->rkt), part->topic) == 0) {
            rd_kafka_message_destroy(kafka->held);
            kafka->held = NULL;
        }
        if (part && !lost)
            all &= partitions_wait(&kafka->parts, part, LET_GO_NS);
    }
    if (!lost)
        kafka_commit(kafka, ASK_MS);
    if (lost || !all)
        log_warn("kafka",
                 "partitions were lost, the end of what was kept may "
                 "be read by others too",
                 log_int("partitions", list->cnt));
    for (int i = 0; i < list->cnt; i++) {
        struct kafka_partition *part =
            kafka_partition_at(kafka, &list->elems[i]);

        if (part)
            partition_unassign(&kafka->parts, part);
    }
    log_info("kafka", "partitions taken", log_int("count", list->cnt));
}

static uint64_t count_assigned(const struct kafka *kafka)
{
    uint64_t count = 0;

    for (size_t i = 0; i < kafka->parts.count; i++)
        count += kafka->parts.at[i]->assigned;
    return count;
}

void kafka_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t what,
                     rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka *kafka = opaque;

    stats_add(STATS_KAFKA_REBALANCES, 1);
    if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        given(kafka, list);
    } else {
        if (what != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
            kafka_log_failure("rebalance failed", what);
        let_go(kafka, list);
        kafka_log_failure("cannot give partitions back",
                          rd_kafka_assign(rk, NULL));
    }
    stats_set(STATS_KAFKA_PARTITIONS, count_assigned(kafka));
}
