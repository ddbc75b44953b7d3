/*
 * Moving in the log: back to the stored offsets, past unreadable messages, and
 * to where the log has something.
 *
 * The log may have nothing at the offset that was asked for. If it begins
 * later, messages were deleted before they were read: counted as lost. If it
 * ends earlier, it was truncated or created again; the broker is asked again
 * for some time, because a broker that has just started may not know its end
 * yet. Then the log is read from its beginning: nothing is lost, some may be
 * read twice, and the log line says so.
 *
 * A batch of messages (of the broker) is corrupt if librdkafka cannot
 * decompress it or its checksum is wrong. librdkafka 2.0.2 asks for the first
 * kind again for ever (it decompresses at most some 50 to 75 MiB), and leaves
 * out the second. Both are read again, because the network may have corrupted
 * them; then one offset after the other becomes a dead letter until the batch
 * is passed: its length is not known, and no good message may be skipped.
 */
#include "clock.h"
#include "kafka_int.h"
#include "log.h"
#include "stats.h"

enum { ASK_MS = 5000, RESET_TRIES = 3, CORRUPT_TRIES = 3 };

#define PENDING_NS (10 * NS_PER_S)
#define RESET_NS   (10 * NS_PER_S)

static rd_kafka_topic_partition_list_t *assigned(struct kafka *kafka)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)kafka->partitions.count);

    for (size_t i = 0; i < kafka->partitions.count; i++) {
        const struct kafka_partition *p = kafka->partitions.at[i];

        if (p->assigned &&
            (!kafka->partitions.owned || p->owning == OWNING_READS))
            rd_kafka_topic_partition_list_add(list, p->topic,
                                              (int32_t)p->partition)
                ->offset = p->next;
    }
    return list;
}

/* By a new assignment of all partitions instead of a seek, which is faulty in
 * 2.0.2; it also drops what was fetched ahead. */
void kafka_reassign(struct kafka *kafka)
{
    rd_kafka_topic_partition_list_t *list = assigned(kafka);

    if (kafka->partitions.owned)
        kafka_resume_owned(kafka);
    if (list->cnt > 0 || kafka->partitions.owned)
        kafka_log_failure("cannot seek", rd_kafka_assign(kafka->rk, list));
    rd_kafka_topic_partition_list_destroy(list);
    if (kafka->flow == FLOW_PAUSED)
        kafka_pause(kafka, true);
}

void kafka_rewind(struct kafka *kafka)
{
    kafka_drop_held(kafka);
    kafka->epoch++;
    partitions_rewind(&kafka->partitions);
    kafka_reassign(kafka);
    stats_add(STATS_KAFKA_REWINDS, 1);
}

/* Where to go on, given what the log has; logs a loss or repetition. */
static int64_t next_after_reset(const struct kafka *kafka,
                                const struct kafka_partition *p, int64_t low,
                                int64_t high)
{
    if (p->next < 0)
        return kafka->latest ? high : low;
    if (p->next < low) {
        stats_add(STATS_KAFKA_LOST, (uint64_t)(low - p->next));
        log_error("kafka", "the broker deleted messages before they were read",
                  log_text("topic", p->topic),
                  log_uint("partition", p->partition), log_int("from", p->next),
                  log_int("to", low));
        return low;
    }
    if (p->next > high && p->resets >= RESET_TRIES &&
        clock_monotonic_ns() - p->reset_ns >= RESET_NS) {
        log_error(
            "kafka",
            "the partition ends before the stored offset (topic truncated "
            "or created again); reading it from the beginning",
            log_text("topic", p->topic), log_uint("partition", p->partition),
            log_int("read", p->next), log_int("end", high));
        return low;
    }
    return p->next;
}

void kafka_reset_partition(struct kafka *kafka, struct kafka_partition *p)
{
    int64_t low = 0, high = 0, next;

    if (!p || !p->assigned)
        return;
    if (p->resets++ == 0)
        p->reset_ns = clock_monotonic_ns();
    if (rd_kafka_query_watermark_offsets(
            kafka->rk, p->topic, (int32_t)p->partition, &low, &high, ASK_MS) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        /* A pending batch still changes `stored`. */
        (void)partitions_wait(&kafka->partitions, p, PENDING_NS);
        next = next_after_reset(kafka, p, low, high);
        if (kafka->partitions.owned && next < p->next)
            kafka_tell_owner(kafka, p, next, (struct slice){NULL, 0});
        else if (next != p->next && !kafka->partitions.owned)
            p->stored = p->next = next;
        else
            p->next = next;
    }
    kafka_reassign(kafka); /* without an answer the same error comes again */
}

void kafka_corrupt_batch(struct kafka *kafka, struct kafka_partition *p,
                         const rd_kafka_message_t *message)
{
    const char *reason = rd_kafka_message_errstr(message);
    int64_t first = message->offset; /* of the broker's batch */

    if (!p || !p->assigned || first < 0)
        return;
    if (p->corrupt_offset != first)
        p->corrupt_reads = 0;
    p->corrupt_offset = first;
    p->corrupt_reads++;
    if (p->corrupt_reads == CORRUPT_TRIES)
        log_error("kafka", "corrupt messages skipped",
                  log_text("topic", p->topic),
                  log_uint("partition", p->partition), log_int("from", first),
                  log_text("reason", reason));
    if (p->corrupt_reads >= CORRUPT_TRIES && !kafka_is_full(kafka)) {
        struct kafka_message lost = {.signal = p->signal,
                                     .writer = p->writer,
                                     .received_ns = clock_wall_ns(),
                                     .budget = kafka->options.receiver.budget};
        struct batch *batch = NULL;

        if (kafka_message_dead_letter(&lost, reason, &batch) == OK)
            kafka_submit(kafka, p, batch, p->next > first ? p->next : first, 0);
    }
    kafka_reassign(kafka);
}

void kafka_pause(struct kafka *kafka, bool pause)
{
    rd_kafka_topic_partition_list_t *list = assigned(kafka);

    if (list->cnt > 0)
        kafka_log_failure(pause ? "cannot pause" : "cannot resume",
                          pause ? rd_kafka_pause_partitions(kafka->rk, list)
                                : rd_kafka_resume_partitions(kafka->rk, list));
    rd_kafka_topic_partition_list_destroy(list);
    kafka->flow = pause ? FLOW_PAUSED : FLOW_BLOCKED;
}

bool kafka_query_high(struct kafka *kafka, struct kafka_partition *p,
                      int timeout_ms)
{
    int64_t low, high;

    if (rd_kafka_query_watermark_offsets(
            kafka->rk, p->topic, (int32_t)p->partition, &low, &high,
            timeout_ms) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        high < 0)
        return false;
    p->high = high;
    return true;
}
