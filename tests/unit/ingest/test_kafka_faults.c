/*
 * The Kafka receiver when something goes wrong, or partitions move.
 */
#include "kafka_kit.h"

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

/* librdkafka remembers that a partition was paused even while another has it.
 */
TEST(partitions_that_were_taken_while_paused_are_read_when_they_come_back)
{
    struct rig rig;
    struct keeper *keepers[2] = {keeper_new(), keeper_new()};
    struct kafka *kafka[2];
    uint64_t pauses = stats_get(STATS_KAFKA_PAUSES);

    rig_start(&rig);
    kafka[0] = read_into(&rig, keepers[0], "one");
    send_some(&rig, 120);
    wait_both(&rig, keepers);
    atomic_store(&keepers[0]->ready, ERR_BUSY);
    send_some(&rig, 120);
    for (int i = 0; i < 3000 && stats_get(STATS_KAFKA_PAUSES) == pauses; i++)
        usleep(10000);
    CHECK(stats_get(STATS_KAFKA_PAUSES) > pauses);
    kafka[1] = read_into(&rig, keepers[1], "two");
    wait_partitions(kafka[1], PARTS * SIGNAL_COUNT / 2);
    wait_partitions(kafka[0], PARTS * SIGNAL_COUNT / 2);
    atomic_store(&keepers[0]->ready, OK);
    wait_both(&rig, keepers);
    kafka_close(kafka[1]);
    wait_partitions(kafka[0], PARTS * SIGNAL_COUNT);
    send_some(&rig, 240);
    wait_both(&rig, keepers);
    kafka_close(kafka[0]);
    check_once(&rig, keepers, 2, 0);
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
    char text[KAFKA_REASON_SIZE];
    uint64_t began;

    rig_start(&rig);
    kafka = read_into(&rig, keeper, "one");
    send_some(&rig, 60);
    wait_count(keeper, 60);
    CHECK(!kafka_unhealthy(kafka, text));
    CHECK_EQ(rd_kafka_mock_broker_set_down(rig.cluster, 1), 0);
    for (int i = 0; i < 3000 && !kafka_unhealthy(kafka, text); i++)
        usleep(10000);
    CHECK(kafka_unhealthy(kafka, text));
    CHECK(strstr(text, "reached") != NULL);
    CHECK_EQ(rd_kafka_mock_broker_set_up(rig.cluster, 1), 0);
    for (int i = 0; i < 3000 && kafka_unhealthy(kafka, text); i++)
        usleep(10000);
    CHECK(!kafka_unhealthy(kafka, text));
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
