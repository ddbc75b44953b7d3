/*
 * The receiver against librdkafka's mock cluster: what a real broker is not
 * needed for, or cannot be made to do. The sink is a table of what was kept,
 * by partition; it stands for journal and store.
 */
#include "kafka.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "letter.h"
#include "log.h"
#include "stats.h"
#include "test.h"

enum { PARTS = 4, OFFSETS = 4096 };

#ifdef __SANITIZE_THREAD__
/* librdkafka makes its threads with C11's call, which the sanitizer does not
 * know: it crashes in them. And what the library does by itself is none of
 * our business. */
#include <threads.h>

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "ignore_noninstrumented_modules=1";
}

struct beginning {
    thrd_start_t run;
    void *arg;
};

static void *run_thread(void *arg)
{
    struct beginning beginning = *(struct beginning *)arg;

    free(arg);
    beginning.run(beginning.arg);
    return NULL;
}

int thrd_create(thrd_t *thread, thrd_start_t run, void *arg)
{
    struct beginning *beginning = malloc(sizeof(*beginning));

    *beginning = (struct beginning){run, arg};
    return pthread_create(thread, NULL, run_thread, beginning) == 0
               ? thrd_success
               : thrd_error;
}

int thrd_join(thrd_t thread, int *result)
{
    if (result)
        *result = 0;
    return pthread_join(thread, NULL) == 0 ? thrd_success : thrd_error;
}
#endif

static const char *const topics[SIGNAL_COUNT] = {"otlp_spans", "otlp_logs",
                                                 "otlp_metrics"};

/* ---- a store ---- */

struct keeper {
    pthread_mutex_t lock;
    uint8_t kept[SIGNAL_COUNT][PARTS][OFFSETS]; /* how often */
    uint64_t next[SIGNAL_COUNT][PARTS];
    bool known[SIGNAL_COUNT][PARTS];
    uint32_t count, letters, disorder;
    uint64_t refused_round;
    int refuse_in; /* batches until one is refused; 0: none */
    atomic_int ready;
};

static int topic_index(struct slice topic)
{
    for (int i = 0; i < SIGNAL_COUNT; i++)
        if (slice_equal(topic, slice_of(topics[i])))
            return i;
    return 0;
}

/* As the journal does it: what follows in the round is refused too. */
static bool refuses(struct keeper *keeper, uint64_t round)
{
    if (keeper->refuse_in > 0 && --keeper->refuse_in == 0)
        keeper->refused_round = round;
    return round <= keeper->refused_round;
}

static void keep(void *arg, struct batch *batch)
{
    struct keeper *keeper = arg;
    const struct origin *o = batch->origin;
    int topic = topic_index(o->topic);
    bool refused;

    pthread_mutex_lock(&keeper->lock);
    refused = refuses(keeper, o->round);
    if (!refused && o->offset < OFFSETS && o->partition < PARTS) {
        keeper->kept[topic][o->partition][o->offset]++;
        keeper->disorder += keeper->known[topic][o->partition] &&
                            o->offset < keeper->next[topic][o->partition];
        keeper->known[topic][o->partition] = true;
        keeper->next[topic][o->partition] = o->offset + 1;
        keeper->count++;
        keeper->letters += batch->encoding == BATCH_LETTER;
    }
    pthread_mutex_unlock(&keeper->lock);
    batch_done(batch, refused ? ERR_IO : OK);
    batch_free(batch);
}

static enum status keeper_ready(void *arg)
{
    return (enum status)atomic_load(&((struct keeper *)arg)->ready);
}

static bool keeper_next(void *arg, struct slice topic, uint32_t partition,
                        uint64_t *next)
{
    struct keeper *keeper = arg;
    int i = topic_index(topic);

    pthread_mutex_lock(&keeper->lock);
    bool known = keeper->known[i][partition];
    *next = keeper->next[i][partition];
    pthread_mutex_unlock(&keeper->lock);
    return known;
}

static uint32_t keeper_count(struct keeper *keeper)
{
    pthread_mutex_lock(&keeper->lock);
    uint32_t count = keeper->count;
    pthread_mutex_unlock(&keeper->lock);
    return count;
}

static bool has_kept(struct keeper *keeper, int topic, int partition,
                     uint64_t offset)
{
    pthread_mutex_lock(&keeper->lock);
    bool has = keeper->kept[topic][partition][offset] > 0;
    pthread_mutex_unlock(&keeper->lock);
    return has;
}

static struct keeper *keeper_new(void)
{
    struct keeper *keeper = calloc(1, sizeof(*keeper));

    pthread_mutex_init(&keeper->lock, NULL);
    return keeper;
}

/* ---- a cluster ---- */

struct rig {
    rd_kafka_t *producer;
    rd_kafka_mock_cluster_t *cluster;
    const char *brokers;
    struct budget budget;
    uint64_t sent[SIGNAL_COUNT][PARTS];
    uint32_t count;
};

static void rig_start(struct rig *rig)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    log_set_level((enum log_level) - 1);
    *rig = (struct rig){0};
    rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", why, sizeof(why));
    rd_kafka_conf_set(conf, "linger.ms", "0", why, sizeof(why));
    rd_kafka_conf_set(conf, "message.max.bytes", "2000000", why, sizeof(why));
    rig->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    rig->cluster = rd_kafka_handle_mock_cluster(rig->producer);
    rig->brokers = rd_kafka_mock_cluster_bootstraps(rig->cluster);
    for (int i = 0; i < SIGNAL_COUNT; i++)
        CHECK_EQ(rd_kafka_mock_topic_create(rig->cluster, topics[i], PARTS, 1),
                 0);
    budget_init(&rig->budget, 64 << 20);
}

static void rig_stop(struct rig *rig)
{
    rd_kafka_destroy(rig->producer);
    CHECK_EQ(budget_used(&rig->budget), 0);
    log_set_level(LOG_INFO);
}

static void send_bytes(struct rig *rig, int topic, int partition,
                       const char *bytes, size_t len)
{
    CHECK_EQ(rd_kafka_producev(rig->producer, RD_KAFKA_V_TOPIC(topics[topic]),
                               RD_KAFKA_V_PARTITION(partition),
                               RD_KAFKA_V_VALUE((void *)(uintptr_t)bytes, len),
                               RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                               RD_KAFKA_V_END),
             0);
    rig->sent[topic][partition]++;
    rig->count++;
}

/* So many messages, everywhere in turn. */
static void send_some(struct rig *rig, uint32_t count)
{
    static const char *const values[SIGNAL_COUNT] = {
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":"
        "\"00000000000000000000000000000001\",\"spanId\":\"0000000000000001\","
        "\"name\":\"x\",\"startTimeUnixNano\":\"1\",\"endTimeUnixNano\":\"2\"}"
        "]}]}]}",
        "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":"
        "{\"stringValue\":\"x\"}}]}]}]}",
        "{\"resourceMetrics\":[]}"};

    for (uint32_t i = 0; i < count; i++) {
        uint32_t n = rig->count;
        int topic = (int)(n % SIGNAL_COUNT);

        send_bytes(rig, topic, (int)(n / SIGNAL_COUNT % PARTS), values[topic],
                   strlen(values[topic]));
    }
    CHECK_EQ(rd_kafka_flush(rig->producer, 10000), 0);
}

static struct kafka_options options_of(struct rig *rig, struct keeper *keeper,
                                       const char *store_id)
{
    return (struct kafka_options){
        .brokers = rig->brokers,
        .topics = {"otlp_spans", "^otlp_lo", " otlp_metrics , "},
        .group = "callboard",
        .instance = "",
        .start = "earliest",
        .assignor = "range",
        .encoding = "auto",
        .properties = "session.timeout.ms=3500\nheartbeat.interval.ms=200\n"
                      "topic.metadata.refresh.interval.ms=500\n",
        .store_id = store_id,
        .queue_bytes = 1 << 20,
        .max_message = 1 << 20,
        .budget = &rig->budget,
        .sink = {keep, keeper_ready, keeper},
        .next_offset = keeper_next,
        .next_arg = keeper,
    };
}

static struct kafka *kafka_begin(const struct kafka_options *options)
{
    struct kafka *kafka = NULL;

    CHECK_EQ(kafka_open(&kafka, options), OK);
    CHECK_EQ(kafka_start(kafka), OK);
    return kafka;
}

static struct kafka *read_into(struct rig *rig, struct keeper *keeper,
                               const char *store_id)
{
    struct kafka_options options = options_of(rig, keeper, store_id);

    return kafka_begin(&options);
}

static bool wait_count(struct keeper *keeper, uint32_t count)
{
    for (int i = 0; i < 3000 && keeper_count(keeper) < count; i++)
        usleep(10000);
    return CHECK_EQ(keeper_count(keeper), count);
}

/* Every message from `from` on once in the keepers together, none before. */
static void check_once(const struct rig *rig, struct keeper **keepers,
                       int count, uint64_t from)
{
    int lost = 0, extra = 0;

    for (int t = 0; t < SIGNAL_COUNT; t++)
        for (int p = 0; p < PARTS; p++)
            for (uint64_t o = 0; o < OFFSETS; o++) {
                int times = 0;

                for (int k = 0; k < count; k++)
                    times += keepers[k]->kept[t][p][o];
                int want = o >= from && o < rig->sent[t][p];

                lost += times < want;
                extra += times > want;
            }
    CHECK_EQ(lost, 0);
    CHECK_EQ(extra, 0);
    for (int k = 0; k < count; k++)
        CHECK_EQ(keepers[k]->disorder, 0);
}

/* ---- the group, from outside ---- */

static rd_kafka_t *outsider(const struct rig *rig)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    rd_kafka_conf_set(conf, "bootstrap.servers", rig->brokers, why,
                      sizeof(why));
    rd_kafka_conf_set(conf, "group.id", "callboard", why, sizeof(why));
    return rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
}

static void set_noted(const struct rig *rig, int64_t offset, const char *note)
{
    rd_kafka_t *rk = outsider(rig);
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

/* Waits until the broker knows all that was sent as read. */
static void check_noted(const struct rig *rig)
{
    rd_kafka_t *rk = outsider(rig);
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(PARTS * SIGNAL_COUNT);
    int wrong = 1;

    for (int t = 0; t < SIGNAL_COUNT; t++)
        for (int p = 0; p < PARTS; p++)
            rd_kafka_topic_partition_list_add(list, topics[t], p);
    for (int tries = 0; tries < 200 && wrong > 0; tries++) {
        if (tries > 0)
            usleep(100000);
        CHECK_EQ(rd_kafka_committed(rk, list, 20000), 0);
        wrong = 0;
        for (int i = 0; i < list->cnt; i++)
            wrong += list->elems[i].offset !=
                     (int64_t)rig->sent[i / PARTS][i % PARTS];
    }
    CHECK_EQ(wrong, 0);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}

/* Waits until it has so many partitions, and knows their lag. */
static void wait_partitions(struct kafka *kafka, int wanted)
{
    int found = -1;

    for (int tries = 0; tries < 3000 && found != wanted; tries++) {
        struct buf out;

        if (tries > 0)
            usleep(10000);
        buf_init(&out, 1 << 16);
        kafka_print(kafka, &out);
        buf_byte(&out, '\0');
        found = 0;
        for (const char *at = out.ptr; (at = strstr(at, "partition=")); at++)
            found++;
        buf_release(&out);
    }
    CHECK_EQ(found, wanted);
}

/* ---- tests ---- */

TEST(reads_all_and_tells_the_broker)
{
    struct rig rig;
    struct keeper *keeper = keeper_new();
    uint64_t messages = stats_get(STATS_KAFKA_MESSAGES);
    struct kafka *kafka;

    rig_start(&rig);
    send_some(&rig, 300);
    kafka = read_into(&rig, keeper, "one");
    wait_count(keeper, 300);
    send_some(&rig, 30);
    wait_count(keeper, 330);
    CHECK_EQ(stats_get(STATS_KAFKA_MESSAGES) - messages, 330);
    CHECK_EQ(stats_get(STATS_KAFKA_PARTITIONS), PARTS * SIGNAL_COUNT);
    wait_partitions(kafka, PARTS * SIGNAL_COUNT);
    kafka_stop(kafka);
    kafka_close(kafka);
    check_once(&rig, &keeper, 1, 0);
    check_noted(&rig);
    CHECK_EQ(keeper->letters, 0);
    rig_stop(&rig);
    free(keeper);
}

TEST(begins_behind_what_is_kept_whatever_the_broker_noted)
{
    static const int64_t noted[] = {0, 1000};
    struct rig rig;

    for (int i = 0; i < 2; i++) {
        struct keeper *keeper = keeper_new();
        struct kafka *kafka;

        rig_start(&rig);
        send_some(&rig, 600);
        set_noted(&rig, noted[i], NULL); /* by a tool: back, or forward */
        for (int t = 0; t < SIGNAL_COUNT; t++)
            for (int p = 0; p < PARTS; p++) {
                keeper->known[t][p] = true;
                keeper->next[t][p] = 20;
            }
        kafka = read_into(&rig, keeper, "one");
        wait_count(keeper, 600 - 20 * PARTS * SIGNAL_COUNT);
        kafka_close(kafka);
        check_once(&rig, &keeper, 1, 20);
        check_noted(&rig);
        rig_stop(&rig);
        free(keeper);
    }
}

TEST(another_store_may_have_kept_more)
{
    struct rig rig;
    struct keeper *keeper = keeper_new();
    struct kafka *kafka;

    rig_start(&rig);
    send_some(&rig, 600);
    set_noted(&rig, 30, "callboard two");
    keeper->known[1][1] = true; /* from a time before the other had it */
    keeper->next[1][1] = 10;
    kafka = read_into(&rig, keeper, "one");
    wait_count(keeper, 600 - 30 * PARTS * SIGNAL_COUNT);
    kafka_close(kafka);
    check_once(&rig, &keeper, 1, 30);
    rig_stop(&rig);
    free(keeper);
}

TEST(what_is_refused_is_read_again)
{
    struct rig rig;
    struct keeper *keeper = keeper_new();
    struct kafka *kafka;
    uint64_t rewinds = stats_get(STATS_KAFKA_REWINDS);

    rig_start(&rig);
    send_some(&rig, 1200);
    keeper->refuse_in = 100;
    kafka = read_into(&rig, keeper, "one");
    for (int i = 0; i < 5; i++) {
        usleep(150000);
        pthread_mutex_lock(&keeper->lock);
        keeper->refuse_in = 1 + (int)test_random(200);
        pthread_mutex_unlock(&keeper->lock);
        send_some(&rig, 120);
    }
    wait_count(keeper, 1800);
    CHECK(stats_get(STATS_KAFKA_REWINDS) > rewinds);
    kafka_close(kafka);
    check_once(&rig, &keeper, 1, 0);
    check_noted(&rig);
    rig_stop(&rig);
    free(keeper);
}

TEST(pauses_while_nothing_fits)
{
    struct rig rig;
    struct keeper *keeper = keeper_new();
    struct kafka *kafka;
    uint64_t pauses = stats_get(STATS_KAFKA_PAUSES);
    uint32_t before;

    rig_start(&rig);
    kafka = read_into(&rig, keeper, "one");
    send_some(&rig, 120);
    wait_count(keeper, 120);
    atomic_store(&keeper->ready, ERR_BUSY);
    usleep(100000);
    before = keeper_count(keeper);
    send_some(&rig, 240);
    for (int i = 0; i < 3000 && stats_get(STATS_KAFKA_PAUSES) == pauses; i++)
        usleep(10000);
    CHECK(stats_get(STATS_KAFKA_PAUSES) > pauses);
    CHECK(keeper_count(keeper) <= before + 1);
    atomic_store(&keeper->ready, OK);
    wait_count(keeper, 360);
    /* Memory that others have taken. */
    CHECK(budget_take(&rig.budget, rig.budget.limit / 10 * 9));
    send_some(&rig, 120);
    usleep(500000);
    CHECK(keeper_count(keeper) <= 361);
    budget_give(&rig.budget, rig.budget.limit / 10 * 9);
    wait_count(keeper, 480);
    kafka_close(kafka);
    check_once(&rig, &keeper, 1, 0);
    rig_stop(&rig);
    free(keeper);
}

TEST(poison_is_passed_on_and_the_partition_goes_on)
{
    static char large[1100000];
    struct rig rig;
    struct keeper *keeper = keeper_new();
    struct kafka *kafka;
    uint64_t letters = stats_get(STATS_KAFKA_LETTERS);

    rig_start(&rig);
    for (int i = 0; i < 50; i++) {
        send_some(&rig, 6);
        send_bytes(&rig, i % 3, i % 4, "\x0a\xff\xff\xff", 4);
        send_bytes(&rig, i % 3, i % 4, "", 0);
    }
    memset(large, '{', sizeof(large));
    send_bytes(&rig, 0, 0, large, sizeof(large));
    send_some(&rig, 6);
    kafka = read_into(&rig, keeper, "one");
    wait_count(keeper, rig.count);
    kafka_close(kafka);
    check_once(&rig, &keeper, 1, 0);
    CHECK_EQ(keeper->letters, 51);
    CHECK_EQ(stats_get(STATS_KAFKA_LETTERS) - letters, 51);
    rig_stop(&rig);
    free(keeper);
}

/* A set of messages that each want more room, unpacked, than they may have. */
static void send_spoiled(struct rig *rig, int topic, int partition, int count)
{
    static char large[300000];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *mine = rig->producer;
    char why[256];

    memset(large, ' ', sizeof(large));
    rd_kafka_conf_set(conf, "bootstrap.servers", rig->brokers, why,
                      sizeof(why));
    rd_kafka_conf_set(conf, "compression.codec", "zstd", why, sizeof(why));
    rd_kafka_conf_set(conf, "message.max.bytes", "9000000", why, sizeof(why));
    rd_kafka_conf_set(conf, "linger.ms", "100", why, sizeof(why));
    rig->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    for (int i = 0; i < count; i++)
        send_bytes(rig, topic, partition, large, sizeof(large));
    CHECK_EQ(rd_kafka_flush(rig->producer, 10000), 0);
    rd_kafka_destroy(rig->producer);
    rig->producer = mine;
}

TEST(what_cannot_be_unpacked_is_passed)
{
    struct rig rig;
    struct keeper *keeper = keeper_new();
    struct kafka_options options;
    struct kafka *kafka;

    rig_start(&rig);
    options = options_of(&rig, keeper, "one");
    options.properties = "receive.message.max.bytes=200000\n"
                         "fetch.error.backoff.ms=20\n";
    send_some(&rig, 60);
    send_spoiled(&rig, 1, 2, 5);
    send_some(&rig, 60);
    send_spoiled(&rig, 0, 0, 1);
    kafka = kafka_begin(&options);
    wait_count(keeper, rig.count); /* also where nothing follows */
    send_some(&rig, 60);
    wait_count(keeper, rig.count);
    kafka_close(kafka);
    CHECK_EQ(keeper->letters, 6);
    check_once(&rig, &keeper, 1, 0);
    check_noted(&rig);
    rig_stop(&rig);
    free(keeper);
}

static void wait_both(struct rig *rig, struct keeper **keepers)
{
    for (int i = 0;
         i < 3000 &&
         keeper_count(keepers[0]) + keeper_count(keepers[1]) < rig->count;
         i++)
        usleep(10000);
    CHECK_EQ(keeper_count(keepers[0]) + keeper_count(keepers[1]), rig->count);
    check_noted(rig);
}

/* In step: unlike a real broker the mock cluster takes no commits while a
 * group changes, so nothing may be under way then. */
TEST(two_instances_swap_partitions)
{
    struct rig rig;
    struct keeper *keepers[2] = {keeper_new(), keeper_new()};
    struct kafka *kafka[2];
    uint32_t before;

    rig_start(&rig);
    kafka[0] = read_into(&rig, keepers[0], "one");
    send_some(&rig, 240);
    wait_both(&rig, keepers);
    kafka[1] = read_into(&rig, keepers[1], "two");
    wait_partitions(kafka[1], PARTS * SIGNAL_COUNT / 2);
    wait_partitions(kafka[0], PARTS * SIGNAL_COUNT / 2);
    send_some(&rig, 240);
    wait_both(&rig, keepers);
    CHECK(keepers[1]->count > 0);
    kafka_close(kafka[0]); /* its partitions go to the other */
    wait_partitions(kafka[1], PARTS * SIGNAL_COUNT);
    before = keeper_count(keepers[0]);
    send_some(&rig, 240);
    wait_both(&rig, keepers);
    CHECK_EQ(keeper_count(keepers[0]), before);
    kafka_close(kafka[1]); /* all of them come back to the first */
    kafka[0] = read_into(&rig, keepers[0], "one");
    send_some(&rig, 240);
    wait_both(&rig, keepers);
    kafka_close(kafka[0]);
    check_once(&rig, keepers, 2, 0);
    check_noted(&rig);
    rig_stop(&rig);
    free(keepers[0]);
    free(keepers[1]);
}

TEST(messages_deleted_before_they_were_read_are_counted)
{
    static char large[900000];
    struct rig rig;
    struct keeper *keeper = keeper_new();
    struct kafka *kafka;
    uint64_t lost = stats_get(STATS_KAFKA_LOST);

    rig_start(&rig);
    memset(large, ' ', sizeof(large));
    memcpy(large, "{}", 2);
    for (int i = 0; i < 12; i++) /* the cluster keeps about 5 MiB */
        send_bytes(&rig, 1, 2, large, sizeof(large));
    CHECK_EQ(rd_kafka_flush(rig.producer, 10000), 0);
    keeper->known[1][2] = true;
    keeper->next[1][2] = 1;
    kafka = read_into(&rig, keeper, "one");
    for (int i = 0; i < 2000 && !has_kept(keeper, 1, 2, 11); i++)
        usleep(10000);
    kafka_close(kafka);
    lost = stats_get(STATS_KAFKA_LOST) - lost;
    CHECK(lost > 3);
    CHECK_EQ(keeper_count(keeper) + lost, 11);
    rig_stop(&rig);
    free(keeper);
}

TEST(a_broker_that_is_away)
{
    struct rig rig;
    struct keeper *keeper = keeper_new();
    struct kafka *kafka;
    char text[KAFKA_TROUBLE];
    uint64_t began;

    rig_start(&rig);
    kafka = read_into(&rig, keeper, "one");
    send_some(&rig, 60);
    wait_count(keeper, 60);
    CHECK(!kafka_trouble(kafka, text));
    CHECK_EQ(rd_kafka_mock_broker_set_down(rig.cluster, 1), 0);
    for (int i = 0; i < 3000 && !kafka_trouble(kafka, text); i++)
        usleep(10000);
    CHECK(kafka_trouble(kafka, text));
    CHECK(strstr(text, "reached") != NULL);
    CHECK_EQ(rd_kafka_mock_broker_set_up(rig.cluster, 1), 0);
    for (int i = 0; i < 3000 && kafka_trouble(kafka, text); i++)
        usleep(10000);
    CHECK(!kafka_trouble(kafka, text));
    send_some(&rig, 60);
    wait_count(keeper, 120);
    CHECK_EQ(rd_kafka_mock_broker_set_down(rig.cluster, 1), 0);
    usleep(300000);
    began = clock_monotonic_ns();
    kafka_close(kafka); /* does not wait for it for ever */
    CHECK(clock_monotonic_ns() - began < 15 * NS_PER_S);
    check_once(&rig, &keeper, 1, 0);
    rd_kafka_mock_broker_set_up(rig.cluster, 1);
    rig_stop(&rig);
    free(keeper);
}

TEST(wrong_options_are_refused)
{
    struct rig rig = {.brokers = "127.0.0.1:1"};
    struct keeper *keeper = keeper_new();
    struct kafka_options good = options_of(&rig, keeper, "one"), bad;
    struct kafka *kafka = NULL;

    log_set_level((enum log_level) - 1);
    CHECK_EQ(kafka_open(&kafka, &good), OK);
    kafka_close(kafka);
    bad = good;
    bad.encoding = "jaeger_proto";
    CHECK_EQ(kafka_open(&kafka, &bad), ERR_INVALID);
    bad = good;
    bad.start = "newest";
    CHECK_EQ(kafka_open(&kafka, &bad), ERR_INVALID);
    bad = good;
    bad.assignor = "none";
    CHECK_EQ(kafka_open(&kafka, &bad), ERR_INVALID);
    bad.assignor = "cooperative-sticky";
    CHECK_EQ(kafka_open(&kafka, &bad), ERR_INVALID);
    bad = good;
    bad.topics[0] = bad.topics[1] = bad.topics[2] = "";
    CHECK_EQ(kafka_open(&kafka, &bad), ERR_INVALID);
    bad = good;
    bad.topics[0] = "^otlp_[";
    CHECK_EQ(kafka_open(&kafka, &bad), ERR_INVALID);
    bad = good;
    bad.properties = "no.such.property=1\n";
    CHECK_EQ(kafka_open(&kafka, &bad), ERR_INVALID);
    bad.properties = "enable.auto.commit=true\n";
    CHECK_EQ(kafka_open(&kafka, &bad), ERR_INVALID);
    log_set_level(LOG_INFO);
    free(keeper);
}
