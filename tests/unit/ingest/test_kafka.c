/*
 * The Kafka receiver where all goes well, and what its options are.
 */
#include "kafka_int.h"
#include "kafka_kit.h"

TEST(reads_all_and_commits)
{
    struct mock_kafka mock;
    struct memory_store *store = memory_store_new();
    uint64_t messages = stats_get(STATS_KAFKA_MESSAGES);
    struct kafka *kafka;

    mock_start(&mock);
    send_some(&mock, 300);
    kafka = read_into(&mock, store, "one");
    wait_count(store, 300);
    send_some(&mock, 30);
    wait_count(store, 330);
    CHECK_EQ(stats_get(STATS_KAFKA_MESSAGES) - messages, 330);
    CHECK_EQ(stats_get(STATS_KAFKA_PARTITIONS), PARTS * SIGNAL_COUNT);
    wait_partitions(kafka, PARTS * SIGNAL_COUNT);
    kafka_stop(kafka);
    kafka_close(kafka);
    check_once(&mock, &store, 1, 0);
    check_committed(&mock);
    CHECK_EQ(store->dead_letters, 0);
    mock_stop(&mock);
    free(store);
}

TEST(starts_after_the_stored_offset_whatever_is_committed)
{
    static const int64_t committed[] = {0, 1000};
    struct mock_kafka mock;

    for (int i = 0; i < 2; i++) {
        struct memory_store *store = memory_store_new();
        struct kafka *kafka;

        mock_start(&mock);
        send_some(&mock, 600);
        set_committed(&mock, committed[i],
                      NULL); /* by a tool: back, or forward */
        for (int t = 0; t < SIGNAL_COUNT; t++)
            for (int p = 0; p < PARTS; p++) {
                store->known[t][p] = true;
                store->next[t][p] = 20;
            }
        kafka = read_into(&mock, store, "one");
        wait_count(store, 600 - 20 * PARTS * SIGNAL_COUNT);
        kafka_close(kafka);
        check_once(&mock, &store, 1, 20);
        check_committed(&mock);
        mock_stop(&mock);
        free(store);
    }
}

TEST(another_store_may_have_stored_more)
{
    struct mock_kafka mock;
    struct memory_store *store = memory_store_new();
    struct kafka *kafka;

    mock_start(&mock);
    send_some(&mock, 600);
    set_committed(&mock, 30, "callboard two");
    store->known[1][1] =
        true; /* from before the other store had the partition */
    store->next[1][1] = 10;
    kafka = read_into(&mock, store, "one");
    wait_count(store, 600 - 30 * PARTS * SIGNAL_COUNT);
    kafka_close(kafka);
    check_once(&mock, &store, 1, 30);
    mock_stop(&mock);
    free(store);
}

TEST(refused_batches_are_read_again)
{
    struct mock_kafka mock;
    struct memory_store *store = memory_store_new();
    struct kafka *kafka;
    uint64_t rewinds = stats_get(STATS_KAFKA_REWINDS);

    mock_start(&mock);
    send_some(&mock, 1200);
    store->refuse_in = 100;
    kafka = read_into(&mock, store, "one");
    for (int i = 0; i < 5; i++) {
        test_pause_us(150000);
        pthread_mutex_lock(&store->lock);
        store->refuse_in = 1 + (int)test_random(200);
        pthread_mutex_unlock(&store->lock);
        send_some(&mock, 120);
    }
    wait_count(store, 1800);
    CHECK(stats_get(STATS_KAFKA_REWINDS) > rewinds);
    kafka_close(kafka);
    check_once(&mock, &store, 1, 0);
    check_committed(&mock);
    mock_stop(&mock);
    free(store);
}

TEST(pauses_while_there_is_no_room)
{
    struct mock_kafka mock;
    struct memory_store *store = memory_store_new();
    struct kafka *kafka;
    uint64_t pauses = stats_get(STATS_KAFKA_PAUSES);
    uint32_t before;

    mock_start(&mock);
    kafka = read_into(&mock, store, "one");
    send_some(&mock, 120);
    wait_count(store, 120);
    atomic_store(&store->ready, ERR_BUSY);
    test_pause_us(100000);
    before = memory_store_count(store);
    send_some(&mock, 240);
    WAIT_FOR(stats_get(STATS_KAFKA_PAUSES) != pauses);
    CHECK(stats_get(STATS_KAFKA_PAUSES) > pauses);
    CHECK(memory_store_count(store) <= before + 1);
    atomic_store(&store->ready, OK);
    wait_count(store, 360);
    /* Memory in use by others. */
    CHECK(budget_take(&mock.budget, mock.budget.limit / 10 * 9));
    send_some(&mock, 120);
    test_pause_us(500000);
    CHECK(memory_store_count(store) <= 361);
    budget_give(&mock.budget, mock.budget.limit / 10 * 9);
    wait_count(store, 480);
    kafka_close(kafka);
    check_once(&mock, &store, 1, 0);
    mock_stop(&mock);
    free(store);
}

TEST(undecodable_messages_become_dead_letters)
{
    static char large[1100000];
    struct mock_kafka mock;
    struct memory_store *store = memory_store_new();
    struct kafka *kafka;
    uint64_t dead_letters = stats_get(STATS_KAFKA_DEAD_LETTERS);

    mock_start(&mock);
    for (int i = 0; i < 50; i++) {
        send_some(&mock, 6);
        send_bytes(&mock, i % 3, i % 4, "\x0a\xff\xff\xff", 4);
        send_bytes(&mock, i % 3, i % 4, "", 0);
    }
    memset(large, '{', sizeof(large));
    send_bytes(&mock, 0, 0, large, sizeof(large));
    send_some(&mock, 6);
    kafka = read_into(&mock, store, "one");
    wait_count(store, mock.count);
    kafka_close(kafka);
    check_once(&mock, &store, 1, 0);
    CHECK_EQ(store->dead_letters, 51);
    CHECK_EQ(stats_get(STATS_KAFKA_DEAD_LETTERS) - dead_letters, 51);
    mock_stop(&mock);
    free(store);
}

/* A killed instance is replaced after the session; docs/scale.md says when. */
TEST(a_dead_member_is_noticed_within_six_seconds)
{
    static const char *const expected[][3] = {
        /* property, without a name of the instance, with one */
        {"session.timeout.ms", "6000", "45000"},
        {"heartbeat.interval.ms", "1000", "1000"}};
    struct mock_kafka mock = {.brokers = "127.0.0.1:1"};
    struct memory_store *store = memory_store_new();
    struct kafka_options options = options_of(&mock, store, "one");

    options.properties = "";
    for (int named = 0; named < 2; named++) {
        struct kafka *kafka;

        options.instance = named ? "one" : "";
        if (!CHECK_EQ(kafka_open(&kafka, &options), OK))
            return;
        for (size_t i = 0; i < 2; i++) {
            char value[32] = "";
            size_t size = sizeof(value);

            CHECK_EQ(
                rd_kafka_conf_get(kafka->conf, expected[i][0], value, &size),
                RD_KAFKA_CONF_OK);
            CHECK_TEXT(slice_of(value), expected[i][1 + named]);
        }
        kafka_close(kafka);
    }
    free(store);
}

TEST(wrong_options_are_refused)
{
    static const char *const namespaces[] = {"acme", "=acme", "t=", "a=b,c",
                                             "^x[=acme"};
    struct mock_kafka mock = {.brokers = "127.0.0.1:1"};
    struct memory_store *store = memory_store_new();
    struct kafka_options good = options_of(&mock, store, "one"), bad;
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
    for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
        bad = good;
        bad.namespaces = namespaces[i];
        CHECK_EQ(kafka_open(&kafka, &bad), ERR_INVALID);
    }
    good.namespaces = " acme_logs=acme,, ^evil_.*=evil ,a=b";
    CHECK_EQ(kafka_open(&kafka, &good), OK);
    CHECK(slice_equal(writer_tenant(kafka_writer_of(kafka, "acme_logs")),
                      SLICE("acme")));
    CHECK(slice_equal(writer_tenant(kafka_writer_of(kafka, "evil_x")),
                      SLICE("evil")));
    CHECK(kafka_writer_of(kafka, "otlp_logs") == NULL);
    kafka_close(kafka);
    bad = good;
    bad.properties = "no.such.property=1\n";
    CHECK_EQ(kafka_open(&kafka, &bad), ERR_INVALID);
    bad.properties = "enable.auto.commit=true\n";
    CHECK_EQ(kafka_open(&kafka, &bad), ERR_INVALID);
    log_set_level(LOG_INFO);
    free(store);
}
