/*
 * kafka_kit - the receiver against librdkafka's mock cluster: what a real
 * broker is not needed for, or cannot be made to do. The sink is a table of
 * what was stored, by partition; it stands for journal and store.
 */
#ifndef KAFKA_KIT_H
#define KAFKA_KIT_H

#include "kafka.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "dead_letter.h"
#include "log.h"
#include "stats.h"
#include "test.h"

enum { PARTS = 4, OFFSETS = 4096 };

static const char *const topics[SIGNAL_COUNT] = {"otlp_spans", "otlp_logs",
                                                 "otlp_metrics"};

/* ---- a store in memory ---- */

struct memory_store {
    pthread_mutex_t lock;
    uint8_t stored[SIGNAL_COUNT][PARTS][OFFSETS]; /* how often */
    uint64_t next[SIGNAL_COUNT][PARTS];
    bool known[SIGNAL_COUNT][PARTS];
    uint32_t count, dead_letters, disorder;
    uint64_t refused_epoch;
    int refuse_in; /* batches until one is refused; 0: none */
    atomic_int ready;
};

static inline int topic_index(struct slice topic)
{
    for (int i = 0; i < SIGNAL_COUNT; i++)
        if (slice_equal(topic, slice_of(topics[i])))
            return i;
    return 0;
}

/* Like the journal: the rest of the epoch is refused, too. */
static inline bool refuses(struct memory_store *store, uint64_t epoch)
{
    if (store->refuse_in > 0 && --store->refuse_in == 0)
        store->refused_epoch = epoch;
    return epoch <= store->refused_epoch;
}

static inline void store_batch(void *arg, struct batch *batch)
{
    struct memory_store *store = arg;
    const struct source_offset *o = batch->source;
    int topic = topic_index(o->topic);
    bool refused;

    pthread_mutex_lock(&store->lock);
    refused = refuses(store, o->epoch);
    if (!refused && o->offset < OFFSETS && o->partition < PARTS) {
        store->stored[topic][o->partition][o->offset]++;
        store->disorder += store->known[topic][o->partition] &&
                           o->offset < store->next[topic][o->partition];
        store->known[topic][o->partition] = true;
        store->next[topic][o->partition] = o->offset + 1;
        store->count++;
        store->dead_letters += batch->encoding == BATCH_DEAD_LETTER;
    }
    pthread_mutex_unlock(&store->lock);
    batch_done(batch, refused ? ERR_IO : OK);
    batch_free(batch);
}

static inline enum status memory_store_ready(void *arg)
{
    return (enum status)atomic_load(&((struct memory_store *)arg)->ready);
}

static inline bool memory_store_next(void *arg, struct slice topic,
                                     uint32_t partition, uint64_t *next)
{
    struct memory_store *store = arg;
    int i = topic_index(topic);

    pthread_mutex_lock(&store->lock);
    bool known = store->known[i][partition];
    *next = store->next[i][partition];
    pthread_mutex_unlock(&store->lock);
    return known;
}

static inline uint32_t memory_store_count(struct memory_store *store)
{
    pthread_mutex_lock(&store->lock);
    uint32_t count = store->count;
    pthread_mutex_unlock(&store->lock);
    return count;
}

static inline bool has_stored(struct memory_store *store, int topic,
                              int partition, uint64_t offset)
{
    pthread_mutex_lock(&store->lock);
    bool has = store->stored[topic][partition][offset] > 0;
    pthread_mutex_unlock(&store->lock);
    return has;
}

static inline struct memory_store *memory_store_new(void)
{
    struct memory_store *store = calloc(1, sizeof(*store));

    pthread_mutex_init(&store->lock, NULL);
    return store;
}

/* ---- a mock cluster ---- */

struct mock_kafka {
    rd_kafka_t *producer;
    rd_kafka_mock_cluster_t *cluster;
    const char *brokers;
    struct budget budget;
    uint64_t sent[SIGNAL_COUNT][PARTS];
    uint32_t count;
};

static inline void mock_start(struct mock_kafka *mock)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    log_set_level((enum log_level) - 1);
    *mock = (struct mock_kafka){0};
    rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", why, sizeof(why));
    rd_kafka_conf_set(conf, "linger.ms", "0", why, sizeof(why));
    rd_kafka_conf_set(conf, "message.max.bytes", "2000000", why, sizeof(why));
    mock->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    mock->cluster = rd_kafka_handle_mock_cluster(mock->producer);
    mock->brokers = rd_kafka_mock_cluster_bootstraps(mock->cluster);
    for (int i = 0; i < SIGNAL_COUNT; i++)
        CHECK_EQ(rd_kafka_mock_topic_create(mock->cluster, topics[i], PARTS, 1),
                 0);
    budget_init(&mock->budget, 64 << 20);
}

static inline void mock_stop(struct mock_kafka *mock)
{
    rd_kafka_destroy(mock->producer);
    CHECK_EQ(budget_used(&mock->budget), 0);
    log_set_level(LOG_INFO);
}

static inline void send_bytes(struct mock_kafka *mock, int topic, int partition,
                              const char *bytes, size_t len)
{
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topics[topic]},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {(void *)(uintptr_t)bytes, len}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY}};

    CHECK(rd_kafka_produceva(mock->producer, parts,
                             sizeof(parts) / sizeof(parts[0])) == NULL);
    mock->sent[topic][partition]++;
    mock->count++;
}

/* So many messages, over all partitions in turn. */
static inline void send_some(struct mock_kafka *mock, uint32_t count)
{
    static const char *const values[SIGNAL_COUNT] = {
        ("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":"
         "\"00000000000000000000000000000001\",\"spanId\":\"0000000000000001\","
         "\"name\":\"x\",\"startTimeUnixNano\":\"1\",\"endTimeUnixNano\":\"2\"}"
         "]}]}]}"),
        ("{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":"
         "{\"stringValue\":\"x\"}}]}]}]}"),
        "{\"resourceMetrics\":[]}"};

    for (uint32_t i = 0; i < count; i++) {
        uint32_t n = mock->count;
        int topic = (int)(n % SIGNAL_COUNT);

        send_bytes(mock, topic, (int)(n / SIGNAL_COUNT % PARTS), values[topic],
                   strlen(values[topic]));
    }
    CHECK_EQ(rd_kafka_flush(mock->producer, 10000), 0);
}

/* The refresh of metadata divides neither 3000 nor 2500 ms, after which the
 * mock cluster answers a JoinGroup: a refresh that librdkafka sees right after
 * that answer makes it join again, and with a divisor again and again. */
static inline struct kafka_options options_of(struct mock_kafka *mock,
                                              struct memory_store *store,
                                              const char *store_id)
{
    return (struct kafka_options){
        .brokers = mock->brokers,
        .topics = {"otlp_spans", "^otlp_lo", " otlp_metrics , "},
        .group = "callboard",
        .instance = "",
        .start = "earliest",
        .assignor = "range",
        .encoding = "auto",
        .properties = "session.timeout.ms=3500\nheartbeat.interval.ms=200\n"
                      "topic.metadata.refresh.interval.ms=430\n",
        .store_id = store_id,
        .queue_bytes = 1 << 20,
        .receiver = {.max_body = 1 << 20,
                     .budget = &mock->budget,
                     .sink = {store_batch, memory_store_ready, store, NULL}},
        .next_offset = memory_store_next,
        .next_arg = store,
    };
}

static inline struct kafka *kafka_begin(const struct kafka_options *options)
{
    struct kafka *kafka = NULL;

    CHECK_EQ(kafka_open(&kafka, options), OK);
    CHECK_EQ(kafka_start(kafka), OK);
    return kafka;
}

static inline struct kafka *read_into(struct mock_kafka *mock,
                                      struct memory_store *store,
                                      const char *store_id)
{
    struct kafka_options options = options_of(mock, store, store_id);

    return kafka_begin(&options);
}

static inline bool wait_count(struct memory_store *store, uint32_t count)
{
    WAIT_FOR(memory_store_count(store) >= count);
    return CHECK_EQ(memory_store_count(store), count);
}

/* Every message from `from` on once in the stores together, none before. */
static inline void check_once(const struct mock_kafka *mock,
                              struct memory_store **stores, int count,
                              uint64_t from)
{
    int lost = 0, extra = 0;

    for (int t = 0; t < SIGNAL_COUNT; t++)
        for (int p = 0; p < PARTS; p++)
            for (uint64_t o = 0; o < OFFSETS; o++) {
                int times = 0;

                for (int k = 0; k < count; k++)
                    times += stores[k]->stored[t][p][o];
                int want = o >= from && o < mock->sent[t][p];

                lost += times < want;
                extra += times > want;
            }
    CHECK_EQ(lost, 0);
    CHECK_EQ(extra, 0);
    for (int k = 0; k < count; k++)
        CHECK_EQ(stores[k]->disorder, 0);
}

/* ---- another consumer of the group ---- */

static inline rd_kafka_t *other_consumer(const struct mock_kafka *mock)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    rd_kafka_conf_set(conf, "bootstrap.servers", mock->brokers, why,
                      sizeof(why));
    rd_kafka_conf_set(conf, "group.id", "callboard", why, sizeof(why));
    return rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
}

static inline void set_committed(const struct mock_kafka *mock, int64_t offset,
                                 const char *note)
{
    rd_kafka_t *rk = other_consumer(mock);
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(PARTS * SIGNAL_COUNT);

    for (int t = 0; t < SIGNAL_COUNT; t++)
        for (int p = 0; p < PARTS; p++) {
            rd_kafka_topic_partition_t *place =
                rd_kafka_topic_partition_list_add(list, topics[t], p);

            place->offset = offset;
            place->metadata = note ? strdup(note) : NULL;
            place->metadata_size = note ? strlen(note) : 0;
        }
    CHECK_EQ(rd_kafka_commit(rk, list, 0), 0);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}

/* Waits until all that was sent is committed. */
static inline void check_committed(const struct mock_kafka *mock)
{
    rd_kafka_t *rk = other_consumer(mock);
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(PARTS * SIGNAL_COUNT);
    int wrong = 1;

    for (int t = 0; t < SIGNAL_COUNT; t++)
        for (int p = 0; p < PARTS; p++)
            rd_kafka_topic_partition_list_add(list, topics[t], p);
    for (int tries = 0; tries < 200 && wrong > 0; tries++) {
        if (tries > 0)
            test_pause_us(100000);
        CHECK_EQ(rd_kafka_committed(rk, list, 20000), 0);
        wrong = 0;
        for (int i = 0; i < list->cnt; i++)
            wrong += list->elems[i].offset !=
                     (int64_t)mock->sent[i / PARTS][i % PARTS];
    }
    CHECK_EQ(wrong, 0);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}

/* Waits until it has so many partitions, and knows their lag. */
static inline void wait_partitions(struct kafka *kafka, int wanted)
{
    struct partition_lag lags[64];
    int found = -1, known = 0;

    for (int tries = 0; tries < 3000 && found != wanted; tries++) {
        struct buf out;

        if (tries > 0)
            test_pause_us(10000);
        buf_init(&out, 1 << 16);
        kafka_print(kafka, &out);
        buf_byte(&out, '\0');
        found = 0;
        for (const char *at = out.ptr; (at = strstr(at, "partition=")); at++)
            found++;
        buf_release(&out);
    }
    CHECK_EQ(found, wanted);
    CHECK_EQ(kafka_lags(kafka, lags, 1), 1);
    found = (int)kafka_lags(kafka, lags, 64);
    for (int i = 0; i < found; i++)
        known += lags[i].messages >= 0;
    CHECK_EQ(known, wanted);
}

#endif
