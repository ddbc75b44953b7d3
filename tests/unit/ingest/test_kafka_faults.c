/*
 * The Kafka receiver when something goes wrong, or partitions move.
 */
#include "kafka_kit.h"

/* A batch of messages that are larger, decompressed, than librdkafka accepts.
 */
static void send_corrupt(struct mock_kafka *mock, int topic, int partition,
                         int count)
{
    static char large[300000];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *mine = mock->producer;
    char why[256];

    memset(large, ' ', sizeof(large));
    rd_kafka_conf_set(conf, "bootstrap.servers", mock->brokers, why,
                      sizeof(why));
    rd_kafka_conf_set(conf, "compression.codec", "zstd", why, sizeof(why));
    rd_kafka_conf_set(conf, "message.max.bytes", "9000000", why, sizeof(why));
    rd_kafka_conf_set(conf, "linger.ms", "100", why, sizeof(why));
    mock->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    for (int i = 0; i < count; i++)
        send_bytes(mock, topic, partition, large, sizeof(large));
    CHECK_EQ(rd_kafka_flush(mock->producer, 10000), 0);
    rd_kafka_destroy(mock->producer);
    mock->producer = mine;
}

TEST(corrupt_batches_are_skipped)
{
    struct mock_kafka mock;
    struct memory_store *store = memory_store_new();
    struct kafka_options options;
    struct kafka *kafka;

    mock_start(&mock);
    options = options_of(&mock, store, "one");
    options.properties = "receive.message.max.bytes=200000\n"
                         "fetch.error.backoff.ms=20\n";
    send_some(&mock, 60);
    send_corrupt(&mock, 1, 2, 5);
    send_some(&mock, 60);
    send_corrupt(&mock, 0, 0, 1);
    kafka = kafka_begin(&options);
    wait_count(store, mock.count); /* also where nothing follows */
    send_some(&mock, 60);
    wait_count(store, mock.count);
    kafka_close(kafka);
    CHECK_EQ(store->dead_letters, 6);
    check_once(&mock, &store, 1, 0);
    check_committed(&mock);
    mock_stop(&mock);
    free(store);
}

static void wait_both(struct mock_kafka *mock, struct memory_store **stores)
{
    WAIT_FOR(memory_store_count(stores[0]) + memory_store_count(stores[1]) >=
             mock->count);
    CHECK_EQ(memory_store_count(stores[0]) + memory_store_count(stores[1]),
             mock->count);
    check_committed(mock);
}

/* In step: unlike a real broker the mock cluster takes no commits while a
 * group changes, so nothing may be under way then. */
TEST(two_instances_swap_partitions)
{
    struct mock_kafka mock;
    struct memory_store *stores[2] = {memory_store_new(), memory_store_new()};
    struct kafka *kafka[2];
    uint32_t before;

    mock_start(&mock);
    kafka[0] = read_into(&mock, stores[0], "one");
    send_some(&mock, 240);
    wait_both(&mock, stores);
    kafka[1] = read_into(&mock, stores[1], "two");
    wait_partitions(kafka[1], PARTS * SIGNAL_COUNT / 2);
    wait_partitions(kafka[0], PARTS * SIGNAL_COUNT / 2);
    send_some(&mock, 240);
    wait_both(&mock, stores);
    CHECK(stores[1]->count > 0);
    kafka_close(kafka[0]); /* its partitions go to the other */
    wait_partitions(kafka[1], PARTS * SIGNAL_COUNT);
    before = memory_store_count(stores[0]);
    send_some(&mock, 240);
    wait_both(&mock, stores);
    CHECK_EQ(memory_store_count(stores[0]), before);
    kafka_close(kafka[1]); /* all of them come back to the first */
    kafka[0] = read_into(&mock, stores[0], "one");
    send_some(&mock, 240);
    wait_both(&mock, stores);
    kafka_close(kafka[0]);
    check_once(&mock, stores, 2, 0);
    check_committed(&mock);
    mock_stop(&mock);
    free(stores[0]);
    free(stores[1]);
}

/* librdkafka keeps a partition paused even while another instance owns it.
 */
TEST(partitions_revoked_while_paused_are_read_after_they_return)
{
    struct mock_kafka mock;
    struct memory_store *stores[2] = {memory_store_new(), memory_store_new()};
    struct kafka *kafka[2];
    uint64_t pauses = stats_get(STATS_KAFKA_PAUSES);

    mock_start(&mock);
    kafka[0] = read_into(&mock, stores[0], "one");
    send_some(&mock, 120);
    wait_both(&mock, stores);
    atomic_store(&stores[0]->ready, ERR_BUSY);
    send_some(&mock, 120);
    WAIT_FOR(stats_get(STATS_KAFKA_PAUSES) != pauses);
    CHECK(stats_get(STATS_KAFKA_PAUSES) > pauses);
    kafka[1] = read_into(&mock, stores[1], "two");
    wait_partitions(kafka[1], PARTS * SIGNAL_COUNT / 2);
    wait_partitions(kafka[0], PARTS * SIGNAL_COUNT / 2);
    atomic_store(&stores[0]->ready, OK);
    wait_both(&mock, stores);
    kafka_close(kafka[1]);
    wait_partitions(kafka[0], PARTS * SIGNAL_COUNT);
    send_some(&mock, 240);
    wait_both(&mock, stores);
    kafka_close(kafka[0]);
    check_once(&mock, stores, 2, 0);
    mock_stop(&mock);
    free(stores[0]);
    free(stores[1]);
}

TEST(messages_deleted_before_they_were_read_are_counted)
{
    static char large[900000];
    struct mock_kafka mock;
    struct memory_store *store = memory_store_new();
    struct kafka *kafka;
    uint64_t lost = stats_get(STATS_KAFKA_LOST);

    mock_start(&mock);
    memset(large, ' ', sizeof(large));
    memcpy(large, "{}", 2);
    for (int i = 0; i < 12; i++) /* the cluster keeps about 5 MiB */
        send_bytes(&mock, 1, 2, large, sizeof(large));
    CHECK_EQ(rd_kafka_flush(mock.producer, 10000), 0);
    store->known[1][2] = true;
    store->next[1][2] = 1;
    kafka = read_into(&mock, store, "one");
    WAIT_FOR(has_stored(store, 1, 2, 11));
    kafka_close(kafka);
    lost = stats_get(STATS_KAFKA_LOST) - lost;
    CHECK(lost > 3);
    CHECK_EQ(memory_store_count(store) + lost, 11);
    mock_stop(&mock);
    free(store);
}

TEST(a_broker_that_is_down)
{
    struct mock_kafka mock;
    struct memory_store *store = memory_store_new();
    struct kafka *kafka;
    char text[KAFKA_REASON_SIZE];
    uint64_t began;

    mock_start(&mock);
    kafka = read_into(&mock, store, "one");
    send_some(&mock, 60);
    wait_count(store, 60);
    CHECK(!kafka_unhealthy(kafka, text));
    CHECK_EQ(rd_kafka_mock_broker_set_down(mock.cluster, 1), 0);
    WAIT_FOR(kafka_unhealthy(kafka, text));
    CHECK(kafka_unhealthy(kafka, text));
    CHECK(strstr(text, "reached") != NULL);
    CHECK_EQ(rd_kafka_mock_broker_set_up(mock.cluster, 1), 0);
    WAIT_FOR(!kafka_unhealthy(kafka, text));
    CHECK(!kafka_unhealthy(kafka, text));
    send_some(&mock, 60);
    wait_count(store, 120);
    CHECK_EQ(rd_kafka_mock_broker_set_down(mock.cluster, 1), 0);
    test_pause_us(300000);
    began = clock_monotonic_ns();
    kafka_close(kafka); /* does not wait for ever */
    CHECK(clock_monotonic_ns() - began < 15 * NS_PER_S);
    check_once(&mock, &store, 1, 0);
    rd_kafka_mock_broker_set_up(mock.cluster, 1);
    mock_stop(&mock);
    free(store);
}
