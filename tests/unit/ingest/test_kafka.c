/*
 * The Kafka receiver where all goes well, and what its options are.
 */
#include "kafka_kit.h"

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
    uint64_t letters = stats_get(STATS_KAFKA_DEAD_LETTERS);

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
    CHECK_EQ(stats_get(STATS_KAFKA_DEAD_LETTERS) - letters, 51);
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
