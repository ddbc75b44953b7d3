/*
 * The thread of the Kafka receiver: one loop that polls one message at a time
 * (librdkafka's batch call was measured to be no faster, and is faulty in
 * Debian's version).
 *
 *   a submitted batch was not stored?   wait for the pending ones, rewind
 *   sink or memory full?                wait; after PAUSE_NS pause, and poll
 *                                       for events only
 *   poll a message                      rebalances happen in here
 *     before its partition's `next`     a duplicate: stored or pending; skip
 *     else decode a copy, submit        with its source offset
 *   now and then                        commit, look at the lag, probe
 *
 * Exactly once: a batch goes into the journal together with its source offset,
 * and the store keeps the next offset of each partition in the transaction that
 * lets the journal forget the batch. After a start the journal has been
 * replayed, so options.next_offset knows all stored offsets, and a partition is
 * read from there (kafka_rebalance.c). A batch that is refused stops all that
 * were submitted after it (epochs, journal.h); the receiver rewinds to the
 * stored offsets and reads again.
 *
 * Memory: body and records of a batch are charged to the budget like those of a
 * request, up to three quarters of it, so that a backlog leaves room for
 * receivers that cannot wait. Only a small part may be pending at once: more is
 * not faster, it only leaves the caches. What librdkafka fetches ahead has a
 * bound of its own. A message that does not fit is held and retried.
 *
 * Fetching: when its queue is full, librdkafka 2.0.2 stops fetching and looks
 * again only after a second, however quickly the queue was emptied. Any request
 * to the partition's broker wakes it: when no message comes although there is
 * lag, wake_fetch() asks for the end of the log, which is wanted anyway.
 */
#include "kafka_int.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "stats.h"

enum {
    POLL_MS = 100,
    WAKE_MS = 5,
    ASK_MS = 500,
    COMMIT_MS = 5000,
    CLOSE_MS = 3000,
    PENDING_SHARE = 16, /* of the budget, for pending batches */
};

#define PAUSE_NS     (300 * NS_PER_MS)
#define TICK_NS      (250 * NS_PER_MS)
#define DRAIN_NS     (5 * NS_PER_S)
#define RESTART_NS   (5 * NS_PER_S) /* after a fatal error */
#define WAIT_STEP_NS (NS_PER_MS / 2)

static void wait_ns(uint64_t ns)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)ns}, NULL);
}

void kafka_log_failure(const char *what, rd_kafka_resp_err_t error)
{
    if (error)
        log_warn("kafka", what, log_text("error", rd_kafka_err2str(error)));
}

/* ---- one message ---- */

static void drop(rd_kafka_message_t *message)
{
    if (message)
        rd_kafka_message_destroy(message);
}

void kafka_drop_held(struct kafka *kafka)
{
    drop(kafka->held);
    kafka->held = NULL;
}

static uint64_t time_of(const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t ms = rd_kafka_message_timestamp(message, &type);

    return ms > 0 && type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? (uint64_t)ms
                                                              : 0;
}

void kafka_submit(struct kafka *kafka, struct kafka_partition *partition,
                  struct batch *batch, int64_t offset, uint64_t time_ms)
{
    struct source_offset source = {
        .topic = slice_of(partition->topic),
        .partition = partition->partition,
        .offset = (uint64_t)offset,
        .time_ms = time_ms,
        .epoch = kafka->partitions.owned ? partition->epoch : kafka->epoch};
    const struct sink *sink = &kafka->options.receiver.sink;

    batch_set_source_offset(batch, &source);
    stats_add(STATS_KAFKA_MESSAGES, 1);
    stats_add(STATS_KAFKA_DEAD_LETTERS, batch->encoding == BATCH_DEAD_LETTER);
    partition_track(&kafka->partitions, partition, batch);
    sink->submit(sink->arg, batch);
}

/* When a message counts as received: with an owner, whoever reads it again must
 * come to the same. */
static uint64_t received_ns(const struct kafka *kafka,
                            struct kafka_partition *partition,
                            const rd_kafka_message_t *message)
{
    uint64_t ms = time_of(message);

    if (!kafka->partitions.owned)
        return clock_wall_ns();
    if (ms > 0)
        partition->time_ms = ms;
    return partition->time_ms * NS_PER_MS;
}

/* False: there is no memory for it now. */
static bool submit_message(struct kafka *kafka,
                           struct kafka_partition *partition,
                           const rd_kafka_message_t *message)
{
    const struct receiver_options *o = &kafka->options.receiver;
    struct kafka_message from = {
        .value = {message->payload, message->len},
        .signal = partition->signal,
        .encoding = kafka->encoding,
        .max_bytes = o->max_body,
        .received_ns = received_ns(kafka, partition, message),
        .key = o->key,
        .budget = o->budget,
    };
    struct batch *batch = NULL;
    enum status status;

    from.oldest_ns = receiver_oldest_ns(o, partition->signal, from.received_ns);
    kafka_set_writer(kafka, partition, message, &from);
    status = kafka_message_batch(&from, &batch);
    writer_free(from.writer);
    if (status != OK)
        return false;
    stats_add(STATS_KAFKA_BYTES, message->len);
    kafka_submit(kafka, partition, batch, message->offset, time_of(message));
    return true;
}

/* False: not now. */
static bool take(struct kafka *kafka, const rd_kafka_message_t *message)
{
    struct kafka_partition *partition;

    if (message->err) {
        kafka_handle_error(kafka, message);
        return true;
    }
    partition =
        partitions_find(&kafka->partitions, rd_kafka_topic_name(message->rkt),
                        message->partition);
    if (!partition || !partition->assigned ||
        (kafka->partitions.owned && partition->owning != OWNING_READS))
        return true;
    if (message->offset < partition->next) {
        stats_add(STATS_KAFKA_DUPLICATES, 1);
        return true;
    }
    partition->resets = partition->corrupt_reads = 0;
    if (!submit_message(kafka, partition, message))
        return false;
    kafka_look_at_owner(kafka, false);
    return true;
}

/* ---- the loop ---- */

bool kafka_is_full(struct kafka *kafka)
{
    const struct receiver_options *o = &kafka->options.receiver;

    return kafka->partitions.pending_bytes > o->budget->limit / PENDING_SHARE ||
           budget_used(o->budget) > o->budget->limit / 4 * 3 ||
           o->sink.ready(o->sink.arg) != OK;
}

/* Waits first: mostly there is room in a moment, and a pause drops what was
 * fetched ahead. */
static void wait_for_room(struct kafka *kafka)
{
    uint64_t now = clock_monotonic_ns();
    rd_kafka_message_t *message;

    if (kafka->flow == FLOW_READING) {
        kafka->flow = FLOW_BLOCKED;
        kafka->blocked_ns = now;
    }
    if (kafka->flow == FLOW_BLOCKED && now - kafka->blocked_ns < PAUSE_NS) {
        wait_ns(WAIT_STEP_NS);
        return;
    }
    if (kafka->flow == FLOW_BLOCKED) {
        kafka_pause(kafka, true);
        stats_add(STATS_KAFKA_PAUSES, 1);
        log_debug("kafka", "paused: the queue is full", LOG_NONE);
    }
    message = rd_kafka_consumer_poll(kafka->rk, POLL_MS / 2);
    if (message && message->err) {
        kafka_handle_error(kafka, message);
    } else if (message && !kafka->held) {
        kafka->held = message;
        return;
    } else if (message) { /* no room for a second one: read it again later */
        kafka->partitions.failed = true;
    }
    drop(message);
}

static void resume(struct kafka *kafka)
{
    if (kafka->flow == FLOW_PAUSED)
        kafka_pause(kafka, false);
    kafka->flow = FLOW_READING;
}

/* Wakes the fetching of the next partition that lags, once for each partition
 * between two messages. */
static void wake_fetch(struct kafka *kafka)
{
    while (kafka->woken < kafka->partitions.count) {
        struct kafka_partition *p = kafka->partitions.at[kafka->woken++];

        if (p->assigned && p->next >= 0 && p->high > p->next) {
            (void)kafka_query_high(kafka, p, ASK_MS);
            return;
        }
    }
}

static rd_kafka_message_t *next_message(struct kafka *kafka)
{
    rd_kafka_message_t *message = kafka->held;

    kafka->held = NULL;
    if (!message)
        message = rd_kafka_consumer_poll(kafka->rk, 0);
    if (!message && kafka->woken < kafka->partitions.count) {
        message = rd_kafka_consumer_poll(kafka->rk, WAKE_MS);
        if (!message)
            wake_fetch(kafka);
    } else if (!message) {
        message = rd_kafka_consumer_poll(kafka->rk, POLL_MS);
    }
    if (message && !message->err)
        kafka->woken = 0;
    return message;
}

static void step(struct kafka *kafka)
{
    rd_kafka_message_t *message;

    if (kafka->partitions.failed) {
        if (partitions_wait(&kafka->partitions, NULL, PAUSE_NS))
            kafka_rewind(kafka);
        return;
    }
    if (kafka_is_full(kafka)) {
        wait_for_room(kafka);
        return;
    }
    message = next_message(kafka);
    if (message && !take(kafka, message)) {
        kafka->held = message;
        wait_for_room(kafka);
        return;
    }
    drop(message);
    resume(kafka);
}

static void update_lag(struct kafka *kafka)
{
    int64_t low, high;

    for (size_t i = 0; i < kafka->partitions.count; i++) {
        struct kafka_partition *p = kafka->partitions.at[i];

        if (!p->assigned)
            continue;
        if (rd_kafka_get_watermark_offsets(
                kafka->rk, p->topic, (int32_t)p->partition, &low, &high) ==
                RD_KAFKA_RESP_ERR_NO_ERROR &&
            high > p->high)
            p->high = high;
        if (p->high < 0 && !kafka_query_high(kafka, p, ASK_MS))
            return; /* the others would take as long */
    }
}

static void tick(struct kafka *kafka)
{
    uint64_t now = clock_monotonic_ns();

    kafka_look_at_owner(kafka, false);
    kafka_probe(kafka, now);
    if (now - kafka->tick_ns < TICK_NS)
        return;
    if (!kafka->partitions.owned)
        kafka_commit(kafka, 0);
    update_lag(kafka);
    kafka->tick_ns = clock_monotonic_ns();
}

/* ---- the consumer ---- */

static bool subscribe(struct kafka *kafka)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)kafka->topics.count);
    rd_kafka_resp_err_t error;

    for (size_t i = 0; i < kafka->topics.count; i++)
        rd_kafka_topic_partition_list_add(list, kafka->topics.at[i].name,
                                          RD_KAFKA_PARTITION_UA);
    error = rd_kafka_subscribe(kafka->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (error)
        log_error("kafka", "cannot subscribe",
                  log_text("error", rd_kafka_err2str(error)));
    return !error;
}

static enum status new_consumer(struct kafka *kafka)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(kafka->conf);
    char reason[256];

    kafka->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    if (!kafka->rk) {
        rd_kafka_conf_destroy(conf);
        log_error("kafka", "options refused", log_text("reason", reason));
        return ERR_INVALID;
    }
    rd_kafka_poll_set_consumer(kafka->rk);
    kafka_recovered(kafka);
    kafka_close_commits(kafka, false);
    return OK;
}

/* Bounded, because librdkafka 2.0.2 may wait for ever for brokers that are not
 * there. Messages that were fetched ahead share the queue with the events. */
static void leave_group(struct kafka *kafka)
{
    uint64_t until = clock_monotonic_ns() + CLOSE_MS * NS_PER_MS;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(kafka->rk, queue);

    while (!error && !rd_kafka_consumer_closed(kafka->rk) &&
           clock_monotonic_ns() < until)
        drop(rd_kafka_consume_queue(queue, POLL_MS));
    if (error)
        rd_kafka_error_destroy(error);
    rd_kafka_queue_destroy(queue);
}

static void disconnect(struct kafka *kafka)
{
    if (!kafka->rk)
        return;
    kafka_drop_held(kafka);
    if (kafka->partitions.owned)
        kafka_revoke_owned(kafka, kafka->brokers >= BROKERS_DOWN);
    if (kafka->brokers < BROKERS_DOWN)
        leave_group(kafka);
    kafka_close_commits(kafka, true);
    rd_kafka_destroy_flags(kafka->rk,
                           rd_kafka_consumer_closed(kafka->rk)
                               ? 0
                               : RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    kafka->rk = NULL;
    for (size_t i = 0; i < kafka->partitions.count; i++)
        kafka->partitions.at[i]->assigned = false;
    stats_set(STATS_KAFKA_PARTITIONS, 0);
}

/* After an error that no consumer survives. */
static void restart(struct kafka *kafka)
{
    uint64_t until = clock_monotonic_ns() + RESTART_NS;

    (void)partitions_wait(&kafka->partitions, NULL, DRAIN_NS);
    disconnect(kafka);
    partitions_rewind(&kafka->partitions);
    kafka->epoch++;
    kafka->flow = FLOW_READING;
    while (!kafka->stopping && clock_monotonic_ns() < until)
        wait_ns(10 * NS_PER_MS);
    if (new_consumer(kafka) == OK)
        (void)subscribe(kafka);
}

static void *run(void *arg)
{
    struct kafka *kafka = arg;

    while (!kafka->stopping) {
        if (!kafka->rk || kafka->brokers == BROKERS_FATAL)
            restart(kafka);
        if (!kafka->rk)
            continue;
        step(kafka);
        tick(kafka);
    }
    if (!kafka->rk)
        return NULL;
    if (!partitions_wait(&kafka->partitions, NULL, DRAIN_NS))
        log_warn("kafka", "stopped with pending batches", LOG_NONE);
    if (!kafka->partitions.owned)
        kafka_commit(kafka, COMMIT_MS);
    disconnect(kafka);
    return NULL;
}

/* ---- open and close ---- */

enum status kafka_open(struct kafka **out, const struct kafka_options *options)
{
    struct kafka *kafka = mem_zero(1, sizeof(*kafka));
    enum status status;

    kafka->options = *options;
    kafka->epoch = 1;
    partitions_init(&kafka->partitions);
    kafka->partitions.owned = options->owner.assigned;
    pthread_mutex_init(&kafka->lock, NULL);
    pthread_mutex_init(&kafka->commit.lock, NULL);
    pthread_cond_init(&kafka->commit.done, NULL);
    status = kafka_configure(kafka);
    if (status == OK)
        status = new_consumer(kafka);
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
    kafka->stopping = true;
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
    partitions_release(&kafka->partitions);
    pthread_cond_destroy(&kafka->commit.done);
    pthread_mutex_destroy(&kafka->commit.lock);
    pthread_mutex_destroy(&kafka->lock);
    free(kafka);
}

void kafka_print(struct kafka *kafka, struct buf *out)
{
    partitions_print(&kafka->partitions, out);
}

uint32_t kafka_lags(struct kafka *kafka, struct partition_lag *to,
                    uint32_t room)
{
    return partitions_lags(&kafka->partitions, to, room);
}
