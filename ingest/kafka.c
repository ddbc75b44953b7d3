/*
 * One thread, one poll loop (measured: the batch call of librdkafka is no
 * faster, and faulty in the version that Debian has):
 *
 *   something submitted was not kept?   wait for the rest, go back
 *   sink or memory full?                wait; after PAUSE_NS pause, and poll
 *                                       for events only
 *   poll a message                      a group's changes happen in here
 *     before its part's `next`          passed over: it is kept, or under way
 *     else decode a copy, submit        with its source
 *   now and then                        tell the broker, look at lag, probe
 *
 * Exactly once. A batch goes into the journal together with its source, and
 * the store keeps the next offset of each partition in the transaction that
 * lets the journal forget. After a start the journal has been replayed, so
 * options.next_offset knows all that is kept, and a partition begins there
 * (kafka_rebalance.c). A batch that is refused stops all that were submitted
 * after it (rounds, journal.h); we go back to what is kept and read again.
 *
 * Memory. The body and records of a batch are charged to the budget like a
 * request's; three quarters of it are ours at most, so that a backlog leaves
 * room for receivers that cannot wait. Little of it may be on its way to the
 * store at once: more is not faster, it only leaves the caches. What librdkafka
 * fetches ahead has a bound of its own. A message that does not fit is held and
 * tried again.
 *
 * Nudging. When its queue is full librdkafka 2.0.2 stops fetching and looks
 * again after a second, however quickly we emptied it. A request of any kind
 * to the partition's broker makes it look at once: when nothing comes though
 * there is lag, we ask for the end of the log, which we want to know anyway.
 */
#include "kafka_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "stats.h"

enum {
    POLL_MS = 100,
    NUDGE_MS = 5,
    ASK_MS = 500,
    COMMIT_MS = 5000,
    CLOSE_MS = 3000,
    AHEAD = 16, /* of the budget, what may be on its way to the store */
};

#define PAUSE_NS     (300 * NS_PER_MS)
#define TICK_NS      (250 * NS_PER_MS)
#define DRAIN_NS     (5 * NS_PER_S)
#define AGAIN_NS     (5 * NS_PER_S) /* after a fatal error */
#define WAIT_STEP_NS (NS_PER_MS / 2)

static void nap(uint64_t ns)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)ns}, NULL);
}

/* ---- one message ---- */

static uint64_t time_of(const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t ms = rd_kafka_message_timestamp(message, &type);

    return ms > 0 && type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? (uint64_t)ms
                                                              : 0;
}

void kafka_submit(struct kafka *kafka, struct kafka_partition *part,
                  struct batch *batch, uint64_t offset, uint64_t time_ms)
{
    struct source_offset source = {.topic = slice_of(part->topic),
                                   .partition = part->partition,
                                   .offset = offset,
                                   .time_ms = time_ms,
                                   .epoch = kafka->epoch};

    batch_set_source_offset(batch, &source);
    stats_add(STATS_KAFKA_MESSAGES, 1);
    stats_add(STATS_KAFKA_DEAD_LETTERS, batch->encoding == BATCH_DEAD_LETTER);
    partition_track(&kafka->parts, part, batch);
    kafka->options.sink.submit(kafka->options.sink.arg, batch);
}

/* False: there is no memory for it now. */
static bool submit(struct kafka *kafka, struct kafka_partition *part,
                   const rd_kafka_message_t *message)
{
    const struct kafka_options *o = &kafka->options;
    struct kafka_message from = {
        .value = {message->payload, message->len},
        .signal = part->signal,
        .encoding = kafka->encoding,
        .max_bytes = o->max_message,
        .received_ns = clock_wall_ns(),
        .key = o->key,
        .budget = o->budget,
    };
    struct batch *batch = NULL;

    if (o->oldest_ns)
        from.oldest_ns =
            o->oldest_ns(o->oldest_arg, part->signal, from.received_ns);
    if (kafka_message_batch(&from, &batch) != OK)
        return false;
    stats_add(STATS_KAFKA_BYTES, message->len);
    kafka_submit(kafka, part, batch, (uint64_t)message->offset,
                 time_of(message));
    return true;
}

/* False: not now. */
static bool take(struct kafka *kafka, const rd_kafka_message_t *message)
{
    struct kafka_partition *part;

    if (message->err) {
        kafka_handle_error(kafka, message);
        return true;
    }
    part = partitions_find(&kafka->parts, rd_kafka_topic_name(message->rkt),
                           (uint32_t)message->partition);
    if (!part || !part->assigned)
        return true;
    if (part->known && (uint64_t)message->offset < part->next) {
        stats_add(STATS_KAFKA_DUPLICATES, 1);
        return true;
    }
    part->resets = part->spoils = 0;
    return submit(kafka, part, message);
}

/* ---- the loop ---- */

bool kafka_is_full(struct kafka *kafka)
{
    const struct kafka_options *o = &kafka->options;

    return partitions_pending_bytes(&kafka->parts) > o->budget->limit / AHEAD ||
           budget_used(o->budget) > o->budget->limit / 4 * 3 ||
           o->sink.ready(o->sink.arg) != OK;
}

/* Nothing fits. For a while we just wait: mostly there is room in a moment,
 * and a pause throws away what was fetched ahead. */
static void wait_for_room(struct kafka *kafka)
{
    uint64_t now = clock_monotonic_ns();
    rd_kafka_message_t *message;

    if (kafka->blocked_ns == 0)
        kafka->blocked_ns = now;
    if (!kafka->paused && now - kafka->blocked_ns < PAUSE_NS) {
        nap(WAIT_STEP_NS);
        return;
    }
    if (!kafka->paused) {
        kafka_pause(kafka, true);
        stats_add(STATS_KAFKA_PAUSES, 1);
        log_debug("kafka", "paused, the queue is full", LOG_NONE);
    }
    message = rd_kafka_consumer_poll(kafka->rk, POLL_MS / 2);
    if (message && message->err)
        kafka_handle_error(kafka, message);
    else if (message && !kafka->held) {
        kafka->held = message;
        return;
    } else if (message) /* has no place: is read again later */
        partitions_fail(&kafka->parts);
    if (message)
        rd_kafka_message_destroy(message);
}

static void go_on(struct kafka *kafka)
{
    kafka->blocked_ns = 0;
    if (kafka->paused)
        kafka_pause(kafka, false);
}

static bool lags(const struct kafka_partition *part)
{
    return part->assigned && part->known && part->high_known &&
           part->high > part->next;
}

/* The next part that lags and was not nudged since the last message; NULL if
 * there is none: then waiting is all that helps. */
static struct kafka_partition *to_nudge(struct kafka *kafka)
{
    while (kafka->nudged < kafka->parts.count) {
        struct kafka_partition *part = kafka->parts.at[kafka->nudged++];

        if (lags(part))
            return part;
    }
    return NULL;
}

static rd_kafka_message_t *next_message(struct kafka *kafka)
{
    rd_kafka_message_t *message = kafka->held;
    struct kafka_partition *part;

    kafka->held = NULL;
    if (!message)
        message = rd_kafka_consumer_poll(kafka->rk, 0);
    if (!message && kafka->nudged < kafka->parts.count) {
        message = rd_kafka_consumer_poll(kafka->rk, NUDGE_MS);
        part = message ? NULL : to_nudge(kafka);
        if (part)
            (void)kafka_query_high(kafka, part, ASK_MS);
    } else if (!message) {
        message = rd_kafka_consumer_poll(kafka->rk, POLL_MS);
    }
    if (message && !message->err)
        kafka->nudged = 0;
    return message;
}

static void step(struct kafka *kafka)
{
    rd_kafka_message_t *message;

    if (partitions_failed(&kafka->parts)) {
        if (partitions_wait(&kafka->parts, NULL, PAUSE_NS))
            kafka_rewind(kafka);
        return;
    }
    if (kafka_is_full(kafka)) {
        wait_for_room(kafka);
        return;
    }
    message = next_message(kafka);
    if (!message) {
        go_on(kafka);
    } else if (take(kafka, message)) {
        rd_kafka_message_destroy(message);
        go_on(kafka);
    } else {
        kafka->held = message;
        wait_for_room(kafka);
    }
}

/* ---- now and then ---- */

static void look_at_lag(struct kafka *kafka)
{
    int64_t low, high;

    for (size_t i = 0; i < kafka->parts.count; i++) {
        struct kafka_partition *part = kafka->parts.at[i];

        if (!part->assigned)
            continue;
        if (rd_kafka_get_watermark_offsets(
                kafka->rk, part->topic, (int32_t)part->partition, &low,
                &high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
            high >= 0 && (!part->high_known || (uint64_t)high > part->high))
            partition_set_high(&kafka->parts, part, (uint64_t)high);
        if (!part->high_known && !kafka_query_high(kafka, part, ASK_MS))
            return; /* it will take as long for the others */
    }
}

static void tick(struct kafka *kafka)
{
    uint64_t now = clock_monotonic_ns();

    kafka_probe(kafka, now);
    if (now - kafka->tick_ns < TICK_NS)
        return;
    kafka_commit(kafka, 0);
    look_at_lag(kafka);
    kafka->tick_ns = clock_monotonic_ns();
}

/* ---- the consumer ---- */

static bool subscribe(struct kafka *kafka)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)kafka->topic_count);
    rd_kafka_resp_err_t error;

    for (size_t i = 0; i < kafka->topic_count; i++)
        rd_kafka_topic_partition_list_add(list, kafka->topics[i].name,
                                          RD_KAFKA_PARTITION_UA);
    error = rd_kafka_subscribe(kafka->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (error)
        log_error("kafka", "cannot subscribe",
                  log_text("error", rd_kafka_err2str(error)));
    return !error;
}

static enum status connect_brokers(struct kafka *kafka)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(kafka->conf);
    char why[256];

    kafka->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (!kafka->rk) {
        rd_kafka_conf_destroy(conf);
        log_error("kafka", "options refused", log_text("reason", why));
        return ERR_INVALID;
    }
    rd_kafka_poll_set_consumer(kafka->rk);
    kafka->fatal = false;
    kafka->unanswered = 0;
    return OK;
}

static void forget_parts(struct kafka *kafka)
{
    for (size_t i = 0; i < kafka->parts.count; i++)
        partition_unassign(&kafka->parts, kafka->parts.at[i]);
    stats_set(STATS_KAFKA_PARTITIONS, 0);
}

static void drop_message(rd_kafka_message_t *message)
{
    if (message)
        rd_kafka_message_destroy(message);
}

/* Leaves the group, if that does not take too long: librdkafka 2.0.2 may wait
 * for ever for brokers that are not there. Messages that were fetched ahead
 * come out of the same queue as the events. */
static void disconnect(struct kafka *kafka)
{
    rd_kafka_queue_t *queue;
    rd_kafka_error_t *error;
    char text[KAFKA_REASON_SIZE];
    uint64_t until = clock_monotonic_ns() + CLOSE_MS * NS_PER_MS;

    if (!kafka->rk)
        return;
    if (kafka->held)
        rd_kafka_message_destroy(kafka->held);
    kafka->held = NULL;
    if (!kafka->fatal && !kafka_unhealthy(kafka, text)) {
        queue = rd_kafka_queue_new(kafka->rk);
        error = rd_kafka_consumer_close_queue(kafka->rk, queue);
        if (error)
            rd_kafka_error_destroy(error);
        while (!error && !rd_kafka_consumer_closed(kafka->rk) &&
               clock_monotonic_ns() < until)
            drop_message(rd_kafka_consume_queue(queue, POLL_MS));
        rd_kafka_queue_destroy(queue);
    }
    rd_kafka_destroy_flags(kafka->rk,
                           rd_kafka_consumer_closed(kafka->rk)
                               ? 0
                               : RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    kafka->rk = NULL;
    forget_parts(kafka);
}

/* After an error that no consumer outlives: a new one. */
static void begin_again(struct kafka *kafka)
{
    uint64_t until = clock_monotonic_ns() + AGAIN_NS;

    (void)partitions_wait(&kafka->parts, NULL, DRAIN_NS);
    disconnect(kafka);
    partitions_rewind(&kafka->parts);
    kafka->epoch++;
    kafka->paused = false;
    while (!atomic_load(&kafka->stopping) && clock_monotonic_ns() < until)
        nap(10 * NS_PER_MS);
    if (connect_brokers(kafka) == OK)
        (void)subscribe(kafka);
}

static void *run(void *arg)
{
    struct kafka *kafka = arg;

    while (!atomic_load(&kafka->stopping)) {
        if (!kafka->rk || kafka->fatal)
            begin_again(kafka);
        if (!kafka->rk)
            continue;
        step(kafka);
        tick(kafka);
    }
    if (!kafka->rk)
        return NULL;
    if (!partitions_wait(&kafka->parts, NULL, DRAIN_NS))
        log_warn("kafka", "stopped with batches under way", LOG_NONE);
    kafka_commit(kafka, COMMIT_MS);
    disconnect(kafka);
    return NULL;
}

/* ---- life ---- */

enum status kafka_open(struct kafka **out, const struct kafka_options *options)
{
    struct kafka *kafka = mem_zero(1, sizeof(*kafka));
    enum status status;

    kafka->options = *options;
    kafka->epoch = 1;
    partitions_init(&kafka->parts);
    pthread_mutex_init(&kafka->lock, NULL);
    status = kafka_configure(kafka);
    if (status == OK)
        status = connect_brokers(kafka);
    if (status != OK) {
        kafka_close(kafka);
        return status;
    }
    *out = kafka;
    return OK;
}

enum status kafka_start(struct kafka *kafka)
{
    if (!subscribe(kafka))
        return ERR_INVALID;
    if (pthread_create(&kafka->thread, NULL, run, kafka) != 0)
        return ERR_INTERNAL;
    kafka->started = true;
    log_info("kafka", "reading", log_text("brokers", kafka->options.brokers),
             log_text("group", kafka->options.group));
    return OK;
}

void kafka_stop(struct kafka *kafka)
{
    if (!kafka || !kafka->started)
        return;
    atomic_store(&kafka->stopping, true);
    pthread_join(kafka->thread, NULL);
    kafka->started = false;
}

void kafka_close(struct kafka *kafka)
{
    if (!kafka)
        return;
    kafka_stop(kafka);
    if (kafka->rk) /* never started */
        rd_kafka_destroy_flags(kafka->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    kafka_unconfigure(kafka);
    partitions_release(&kafka->parts);
    pthread_mutex_destroy(&kafka->lock);
    free(kafka);
}

void kafka_print(struct kafka *kafka, struct buf *out)
{
    partitions_print(&kafka->parts, out);
}
