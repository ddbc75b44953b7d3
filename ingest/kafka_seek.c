/*
 * Elsewhere in the log: back to what is kept, past what nobody can read, and
 * what to do where the log has nothing.
 *
 * The log may have nothing at the offset we ask for. If it begins later,
 * messages were deleted before we came: counted as lost. If it ends earlier,
 * it was cut or made anew; that is asked again for a while, because a broker
 * that has just come up may know less than it will, and then read from its
 * beginning: nothing is lost, some may come twice, and the log says so.
 *
 * Spoiled is a set of messages that librdkafka cannot unpack or whose checksum
 * is wrong. 2.0.2 asks for the first kind again for ever (it unpacks nothing
 * beyond some 50 to 75 MiB), and leaves out the second. We read both again,
 * because a network may have spoiled them, and then give up one offset after
 * the other, each a dead letter, until the set is behind us: its length is not
 * told to us, and a good message is never passed over.
 */
#include <inttypes.h>

#include "clock.h"
#include "kafka_int.h"
#include "log.h"
#include "stats.h"

enum {
    ASK_MS = 5000,
    RESET_TRIES = 3,
    SPOILED_TRIES = 3,
};

#define LET_GO_NS (10 * NS_PER_S)
#define RESET_NS  (10 * NS_PER_S)

static rd_kafka_topic_partition_list_t *assigned(struct kafka *kafka)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)kafka->parts.count);

    for (size_t i = 0; i < kafka->parts.count; i++) {
        const struct kafka_partition *part = kafka->parts.at[i];

        if (part->assigned)
            rd_kafka_topic_partition_list_add(list, part->topic,
                                              (int32_t)part->partition)
                ->offset = part->known ? (int64_t)part->next : part->start;
    }
    return list;
}

/* By a new assignment, which names all of them, and not by seeking, which
 * 2.0.2 does badly; it also throws away what was fetched ahead. */
static void move(struct kafka *kafka)
{
    rd_kafka_topic_partition_list_t *list = assigned(kafka);

    if (list->cnt > 0)
        kafka_log_failure("cannot move in the log",
                          rd_kafka_assign(kafka->rk, list));
    rd_kafka_topic_partition_list_destroy(list);
    if (kafka->paused)
        kafka_pause(kafka, true);
}

void kafka_rewind(struct kafka *kafka)
{
    if (kafka->held)
        rd_kafka_message_destroy(kafka->held);
    kafka->held = NULL;
    kafka->epoch++;
    partitions_rewind(&kafka->parts);
    move(kafka);
    stats_add(STATS_KAFKA_REWINDS, 1);
}

static void move_part(struct kafka *kafka, struct kafka_partition *part,
                      int64_t offset)
{
    pthread_mutex_lock(&kafka->parts.lock);
    part->known = true;
    part->next = part->done = (uint64_t)offset;
    pthread_mutex_unlock(&kafka->parts.lock);
    move(kafka);
}

void kafka_reset_partition(struct kafka *kafka, const char *topic,
                           int32_t partition)
{
    struct kafka_partition *part =
        partitions_find(&kafka->parts, topic, (uint32_t)partition);
    uint64_t now = clock_monotonic_ns();
    int64_t low = 0, high = 0;

    if (!part || !part->assigned)
        return;
    if (part->resets++ == 0)
        part->reset_ns = now;
    if (rd_kafka_query_watermark_offsets(kafka->rk, topic, partition, &low,
                                         &high, ASK_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        move(kafka); /* and hear of it again */
        return;
    }
    /* The place of what is under way is settled before it is changed. */
    (void)partitions_wait(&kafka->parts, part, LET_GO_NS);
    if (!part->known) {
        move_part(kafka, part, kafka->latest ? high : low);
    } else if (part->next < (uint64_t)low) {
        uint64_t lost = (uint64_t)low - part->next;

        stats_add(STATS_KAFKA_LOST, lost);
        log_error("kafka", "messages were deleted before they were read",
                  log_text("topic", topic), log_int("partition", partition),
                  log_uint("from", part->next), log_int("to", low));
        move_part(kafka, part, low);
    } else if (part->next > (uint64_t)high && part->resets >= RESET_TRIES &&
               now - part->reset_ns >= RESET_NS) {
        log_error("kafka",
                  "the log ends before what was read of it: cut or "
                  "made anew, reading it from its beginning",
                  log_text("topic", topic), log_int("partition", partition),
                  log_uint("read", part->next), log_int("end", high));
        move_part(kafka, part, low);
    } else {
        move(kafka);
    }
}

static void give_up(struct kafka *kafka, struct kafka_partition *part,
                    uint64_t offset, const char *why)
{
    struct kafka_message message = {.signal = part->signal,
                                    .received_ns = clock_wall_ns(),
                                    .budget = kafka->options.budget};
    struct batch *batch = NULL;

    if (kafka_message_dead_letter(&message, why, &batch) == OK)
        kafka_submit(kafka, part, batch, offset, 0);
}

void kafka_corrupt_batch(struct kafka *kafka, const rd_kafka_message_t *message)
{
    struct kafka_partition *part =
        partitions_find(&kafka->parts, rd_kafka_topic_name(message->rkt),
                        (uint32_t)message->partition);
    uint64_t first = (uint64_t)message->offset; /* of the set */
    const char *why = rd_kafka_message_errstr(message);

    if (!part || !part->assigned || message->offset < 0)
        return;
    if (part->spoiled != first)
        part->spoils = 0;
    part->spoiled = first;
    part->spoils++;
    if (part->spoils == SPOILED_TRIES)
        log_error("kafka", "messages are spoiled, given up",
                  log_text("topic", part->topic),
                  log_uint("partition", part->partition),
                  log_uint("from", first), log_text("reason", why));
    if (part->spoils >= SPOILED_TRIES && !kafka_is_full(kafka))
        give_up(kafka, part,
                part->known && part->next > first ? part->next : first, why);
    move(kafka);
}

void kafka_pause(struct kafka *kafka, bool pause)
{
    rd_kafka_topic_partition_list_t *list = assigned(kafka);

    if (list->cnt > 0)
        kafka_log_failure(pause ? "cannot pause" : "cannot go on",
                          pause ? rd_kafka_pause_partitions(kafka->rk, list)
                                : rd_kafka_resume_partitions(kafka->rk, list));
    rd_kafka_topic_partition_list_destroy(list);
    kafka->paused = pause;
}

bool kafka_query_high(struct kafka *kafka, struct kafka_partition *part,
                      int timeout_ms)
{
    int64_t low, high;

    if (rd_kafka_query_watermark_offsets(
            kafka->rk, part->topic, (int32_t)part->partition, &low, &high,
            timeout_ms) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        high < 0)
        return false;
    partition_set_high(&kafka->parts, part, (uint64_t)high);
    return true;
}
