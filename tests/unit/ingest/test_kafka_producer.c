/*
 * The producer against librdkafka's mock cluster, and signatures of messages.
 * tests/kafka has the same with a real broker.
 */
#include "kafka_producer.h"

#include "kafka_kit.h"
#include "kafka_signature.h"
#include "otlp.h"
#include "otlp_random.h"

static struct kafka_key key;

__attribute__((constructor)) static void make_key(void)
{
    if (!kafka_key_make(&key, SLICE("the secret that instances share")))
        abort();
}

/* ---- signatures ---- */

static struct buf sign(const struct kafka_signature *signature,
                       struct slice message)
{
    struct buf header;

    buf_init(&header, KAFKA_SIGNATURE_MAX);
    CHECK(kafka_sign(&key, signature, message, &header));
    return header;
}

TEST(what_was_signed_is_read)
{
    const struct writer_scope scope = {.name = {SLICE("acme")}};
    struct writer *writer = writer_new(SLICE("acme"), true, &scope, 1);
    const struct kafka_signature cases[] = {
        {.signal = SIGNAL_SPANS},
        {.signal = SIGNAL_LOGS, .id = {7, 8}},
        {.signal = SIGNAL_METRICS, .id = {7, 8}, .writer = writer}};

    for (size_t i = 0; i < 3; i++) {
        struct buf header = sign(&cases[i], SLICE("a message"));
        struct kafka_signature read;

        if (CHECK(kafka_signature_read(&key, cases[i].signal,
                                       buf_slice(&header), SLICE("a message"),
                                       &read))) {
            CHECK(read.id.a == cases[i].id.a && read.id.b == cases[i].id.b);
            CHECK(slice_equal(writer_bytes(read.writer),
                              writer_bytes(cases[i].writer)));
            writer_free(read.writer);
        }
        buf_release(&header);
    }
    writer_free(writer);
}

TEST(a_change_of_any_bit_is_noticed)
{
    const struct writer_scope scope = {.name = {SLICE("acme")}};
    struct writer *writer = writer_new(SLICE("acme"), false, &scope, 1);
    const struct kafka_signature signature = {
        .signal = SIGNAL_SPANS, .id = {1, 2}, .writer = writer};
    static const char message[] = {'a', ' ', 'm', 'e', 's', 's', 'a', 'g', 'e'};
    struct buf header = sign(&signature, SLICE("a message"));
    struct kafka_key other = key;
    struct kafka_signature read;
    struct slice whole = buf_slice(&header);

    for (size_t bit = 0; bit < whole.len * 8; bit++) {
        header.ptr[bit / 8] = (char)(header.ptr[bit / 8] ^ 1 << bit % 8);
        CHECK(!kafka_signature_read(&key, SIGNAL_SPANS, whole,
                                    SLICE("a message"), &read));
        header.ptr[bit / 8] = (char)(header.ptr[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t len = 0; len < whole.len; len++)
        CHECK(!kafka_signature_read(&key, SIGNAL_SPANS,
                                    slice_truncate(whole, len),
                                    SLICE("a message"), &read));
    CHECK(!kafka_signature_read(&key, SIGNAL_LOGS, whole, SLICE("a message"),
                                &read));
    CHECK(!kafka_signature_read(&key, SIGNAL_SPANS, whole, SLICE("another"),
                                &read));
    for (size_t bit = 0; bit < sizeof(message) * 8; bit++) {
        char changed[sizeof(message)];

        memcpy(changed, message, sizeof(changed));
        changed[bit / 8] = (char)(changed[bit / 8] ^ 1 << bit % 8);
        CHECK(!kafka_signature_read(&key, SIGNAL_SPANS, whole,
                                    (struct slice){changed, sizeof(changed)},
                                    &read));
    }
    other.bytes[31] ^= 1;
    CHECK(!kafka_signature_read(&other, SIGNAL_SPANS, whole, SLICE("a message"),
                                &read));
    buf_release(&header);
    writer_free(writer);
}

TEST(ids_do_not_show_the_hash)
{
    struct request_hash hash = {1, 2}, none = {0, 0};
    struct request_hash id = kafka_message_id(&key, hash);

    CHECK(request_hash_none(kafka_message_id(&key, none)));
    CHECK(!request_hash_none(id));
    CHECK(id.a != hash.a && id.b != hash.b);
    CHECK(kafka_message_id(&key, hash).a == id.a);
}

/* ---- the producer ---- */

struct outcome {
    atomic_int done, status;
};

static void note_done(void *arg, enum status status)
{
    struct outcome *outcome = arg;

    atomic_store(&outcome->status, (int)status);
    atomic_fetch_add(&outcome->done, 1);
}

static struct request_key request_key;
static size_t max_waiting = 16 << 20;

static bool no_beta(void *arg, const struct writer *writer,
                    const struct attrs *attrs, char why[KAFKA_WHY_SIZE])
{
    (void)arg;
    (void)writer;
    if (!slice_equal(attrs_text(attrs, SLICE("namespace")), SLICE("beta")))
        return true;
    snprintf(why, KAFKA_WHY_SIZE, "namespace beta");
    return false;
}

static struct kafka_producer *produce_to(struct mock_kafka *mock,
                                         const char *properties)
{
    const struct kafka_producer_options options = {
        .brokers = mock->brokers,
        .topics = {"^otlp_x, otlp_spans,more", "otlp_logs", " otlp_metrics"},
        .properties = properties,
        .key = &key,
        .request_key = &request_key,
        .budget = &mock->budget,
        .max_waiting = max_waiting,
        .accepts = no_beta,
    };
    const uint8_t secret[REQUEST_SECRET] = {1};
    struct kafka_producer *producer = NULL;

    request_key_make(&request_key, secret);
    CHECK_EQ(kafka_producer_open(&producer, &options), OK);
    return producer;
}

static enum status state_of(struct kafka_producer *producer)
{
    struct sink sink = kafka_producer_sink(producer);

    return sink.ready(sink.arg);
}

/* Its broker, and a producer that has heard of it. */
static struct kafka_producer *start(struct mock_kafka *mock,
                                    const char *properties)
{
    struct kafka_producer *producer;

    mock_start(mock);
    producer = produce_to(mock, properties);
    WAIT_FOR(state_of(producer) == OK);
    return producer;
}

static void end(struct mock_kafka *mock, struct kafka_producer *producer)
{
    kafka_producer_close(producer);
    mock_stop(mock);
}

static struct batch *decoded(struct mock_kafka *mock, enum signal signal,
                             const char *bytes, size_t len)
{
    struct batch *batch;
    char *body = malloc(len + 1);

    if (!body)
        abort();
    slice_copy(body, (struct slice){bytes, len});
    CHECK(budget_take(&mock->budget, len));
    batch = batch_new(signal, body, len, &mock->budget);
    batch->received_ns = RANDOM_NOW;
    CHECK_EQ(otlp_decode(batch, 0, NULL), OK);
    request_hash_batch(&request_key, batch);
    return batch;
}

/* A random request with records; how many. */
static uint32_t submit_random(struct mock_kafka *mock,
                              struct kafka_producer *producer,
                              enum signal signal, struct outcome *outcome)
{
    struct sink sink = kafka_producer_sink(producer);
    struct batch *batch = NULL;
    uint32_t count;

    do {
        ProtobufCMessage *tree = random_request(signal);
        char *bytes = malloc(protobuf_c_message_get_packed_size(tree) + 1);

        if (!bytes)
            abort();
        batch_free(batch);
        batch = decoded(mock, signal, bytes,
                        protobuf_c_message_pack(tree, (void *)bytes));
        free(bytes);
        protobuf_c_message_free_unpacked(tree, NULL);
    } while (batch->count == 0);
    count = batch->count;
    batch->done = note_done;
    batch->done_arg = outcome;
    sink.submit(sink.arg, batch);
    return count;
}

/* The records of all messages, read by a receiver with the same key. */
struct counted {
    atomic_uint records, counted, identified;
};

static void count_batch(void *arg, struct batch *batch)
{
    struct counted *to = arg;

    atomic_fetch_add(&to->records, batch->count);
    atomic_fetch_add(&to->counted, batch->counted);
    atomic_fetch_add(&to->identified, !request_hash_none(batch->hash));
    batch_done(batch, OK);
    batch_free(batch);
}

static enum status always(void *arg)
{
    (void)arg;
    return OK;
}

TEST(all_that_is_done_is_read_with_its_signature)
{
    struct mock_kafka mock;
    struct outcome outcome = {0, 0};
    struct counted counted = {0, 0, 0};
    struct memory_store *store = memory_store_new();
    struct kafka_producer *producer;
    struct kafka_options options;
    struct kafka *kafka;
    uint32_t sent = 0;
    uint64_t messages = stats_get(STATS_KAFKA_PRODUCED);

    mock_start(&mock);
    options = options_of(&mock, store, "one");
    options.key = &key;
    options.receiver.sink = (struct sink){count_batch, always, &counted, NULL};
    producer = produce_to(&mock, "");
    WAIT_FOR(state_of(producer) == OK);
    for (int i = 0; i < 60; i++)
        sent += submit_random(&mock, producer, (enum signal)(i % SIGNAL_COUNT),
                              &outcome);
    WAIT_FOR(outcome.done == 60);
    CHECK_EQ(outcome.status, OK);
    messages = stats_get(STATS_KAFKA_PRODUCED) - messages;
    kafka = kafka_begin(&options);
    WAIT_FOR(counted.records == sent);
    WAIT_FOR(counted.counted == messages);
    CHECK(counted.identified > 0);
    kafka_close(kafka);
    kafka_producer_stop(producer);
    CHECK_EQ(state_of(producer), ERR_STOPPING);
    submit_random(&mock, producer, SIGNAL_SPANS, &outcome);
    CHECK_EQ(outcome.done, 61);
    CHECK_EQ(outcome.status, ERR_STOPPING);
    kafka_producer_close(producer);
    mock_stop(&mock);
    free(store);
}

TEST(brokers_that_are_away_are_told)
{
    struct mock_kafka mock;
    struct outcome outcome = {0, 0};
    struct kafka_producer *producer;
    char reason[KAFKA_REASON_SIZE];

    producer = start(&mock, "producer.message.timeout.ms=1000\n"
                            "reconnect.backoff.max.ms=100\n");
    CHECK(!kafka_producer_unhealthy(producer, reason));
    CHECK_EQ(rd_kafka_mock_broker_set_down(mock.cluster, 1), 0);
    submit_random(&mock, producer, SIGNAL_LOGS, &outcome);
    WAIT_FOR(outcome.done == 1);
    CHECK_EQ(outcome.status, ERR_BUSY);
    WAIT_FOR(state_of(producer) == ERR_UNREACHABLE);
    CHECK(kafka_producer_unhealthy(producer, reason));
    CHECK_EQ(rd_kafka_mock_broker_set_up(mock.cluster, 1), 0);
    WAIT_FOR(state_of(producer) == OK);
    submit_random(&mock, producer, SIGNAL_LOGS, &outcome);
    WAIT_FOR(outcome.done == 2);
    CHECK_EQ(outcome.status, OK);
    WAIT_FOR(!kafka_producer_unhealthy(producer, reason));
    /* A stop does not wait for them. */
    CHECK_EQ(rd_kafka_mock_broker_set_down(mock.cluster, 1), 0);
    submit_random(&mock, producer, SIGNAL_LOGS, &outcome);
    kafka_producer_close(producer);
    CHECK_EQ(outcome.done, 3);
    CHECK(outcome.status != OK);
    mock_stop(&mock);
}

TEST(what_waits_is_bounded)
{
    struct mock_kafka mock;
    struct outcome outcome = {0, 0};
    struct kafka_producer *producer;

    max_waiting = 1;
    producer = start(&mock, "");
    max_waiting = 16 << 20;
    CHECK_EQ(rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 1000), 0);
    submit_random(&mock, producer, SIGNAL_SPANS, &outcome);
    CHECK_EQ(state_of(producer), ERR_BUSY);
    CHECK(stats_get(STATS_KAFKA_PRODUCE_WAITING) > 0);
    WAIT_FOR(outcome.done == 1);
    CHECK_EQ(outcome.status, OK);
    CHECK_EQ(state_of(producer), OK);
    CHECK_EQ(stats_get(STATS_KAFKA_PRODUCE_WAITING), 0);
    end(&mock, producer);
}

static double cpu_seconds(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* librdkafka polls without a pause when it has messages for a partition that
 * has five in flight. The first half is in flight when the second comes. */
TEST(who_waits_for_a_slow_broker_rests)
{
    enum { REQUESTS = 80, SLOW_MS = 2000, LINGER_MS = 200 };
    struct mock_kafka mock;
    struct outcome outcome = {0, 0};
    struct kafka_producer *producer;
    double used;

    producer = start(&mock, "producer.linger.ms=200\n");
    CHECK_EQ(rd_kafka_mock_broker_set_rtt(mock.cluster, 1, SLOW_MS), 0);
    for (int i = 0; i < REQUESTS; i++) {
        submit_random(&mock, producer, SIGNAL_SPANS, &outcome);
        if (i == REQUESTS / 2)
            test_pause_us(LINGER_MS * 2 * 1000);
    }
    used = cpu_seconds();
    WAIT_FOR(outcome.done == REQUESTS);
    CHECK(cpu_seconds() - used < SLOW_MS / 1e3 / 3);
    CHECK_EQ(outcome.status, OK);
    end(&mock, producer);
}

/* Each partition has its first produce request refused: with all of its
 * messages, if there is no second one. */
TEST(what_comes_within_the_linger_is_one_batch)
{
    enum { REQUESTS = 20 };
    struct mock_kafka mock;
    struct outcome outcome = {0, 0};
    struct kafka_producer *producer;
    uint64_t produced = stats_get(STATS_KAFKA_PRODUCED);

    producer = start(&mock, "producer.linger.ms=2000\n");
    rd_kafka_mock_push_request_errors(
        mock.cluster, 0 /* Produce */, PARTS,
        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    for (int i = 0; i < REQUESTS; i++)
        submit_random(&mock, producer, SIGNAL_SPANS, &outcome);
    WAIT_FOR(outcome.done == REQUESTS);
    CHECK_EQ(stats_get(STATS_KAFKA_PRODUCED), produced);
    end(&mock, producer);
}

/* What waits for its turn when the producer stops fails, too. */
TEST(what_waits_for_a_turn_ends_with_a_stop)
{
    enum { REQUESTS = 30 };
    struct mock_kafka mock;
    struct outcome outcome = {0, 0};
    struct kafka_producer *producer;

    producer = start(&mock, "");
    CHECK_EQ(rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 30000), 0);
    for (int i = 0; i < REQUESTS; i++)
        submit_random(&mock, producer, SIGNAL_SPANS, &outcome);
    kafka_producer_stop(producer);
    CHECK_EQ(outcome.done, REQUESTS);
    CHECK_EQ(outcome.status, ERR_STOPPING);
    end(&mock, producer);
}

TEST(errors_of_brokers_are_answers)
{
    struct mock_kafka mock;
    struct outcome outcome = {0, 0};
    struct kafka_producer *producer;

    producer = start(&mock, "");
    rd_kafka_mock_push_request_errors(
        mock.cluster, 0 /* Produce */, 1,
        RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    submit_random(&mock, producer, SIGNAL_SPANS, &outcome);
    WAIT_FOR(outcome.done == 1); /* was retried */
    CHECK_EQ(outcome.status, OK);
    rd_kafka_mock_push_request_errors(
        mock.cluster, 0, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    submit_random(&mock, producer, SIGNAL_METRICS, &outcome);
    WAIT_FOR(outcome.done == 2);
    CHECK_EQ(outcome.status, ERR_BUSY);
    /* librdkafka refuses what comes next until it has asked the brokers. */
    for (int i = 0; i < 20; i++)
        submit_random(&mock, producer, SIGNAL_METRICS, &outcome);
    WAIT_FOR(outcome.done == 22);
    end(&mock, producer);
}

TEST(foreign_records_are_refused_here)
{
    struct mock_kafka mock;
    struct outcome outcome = {0, 0};
    const struct writer_scope scope = {.name = {SLICE("acme")}};
    struct batch *batch;
    struct kafka_producer *producer;
    struct sink sink;

    producer = start(&mock, "");
    sink = kafka_producer_sink(producer);
    /* A ScopeLogs whose LogRecord is empty, for each namespace. */
    static const char body[] =
        "\x0a\x1d\x0a\x17\x0a\x15\x0a\x09namespace\x12\x08\x0a\x06"
        "acme22\x12\x02\x12\x00"
        "\x0a\x1b\x0a\x15\x0a\x13\x0a\x09namespace\x12\x06\x0a\x04"
        "beta\x12\x02\x12\x00";
    batch = decoded(&mock, SIGNAL_LOGS, body, sizeof(body) - 1);
    CHECK_EQ(batch->count, 2);
    batch->writer = writer_new(SLICE("acme"), false, &scope, 1);
    batch->done = note_done;
    batch->done_arg = &outcome;
    sink.submit(sink.arg, batch_ref(batch));
    WAIT_FOR(outcome.done == 1);
    CHECK_EQ(outcome.status, OK);
    CHECK_EQ(batch->foreign, 1);
    CHECK_TEXT(batch->foreign_why, "namespace beta");
    batch_free(batch);
    end(&mock, producer);
}

TEST(wrong_options_are_refused)
{
    struct mock_kafka mock = {.brokers = "127.0.0.1:1"};
    struct kafka_producer_options good = {.brokers = "127.0.0.1:1",
                                          .topics = {"a", "b", "c"},
                                          .properties = "",
                                          .key = &key,
                                          .request_key = &request_key,
                                          .budget = &mock.budget,
                                          .max_waiting = 1 << 20};
    static const char *const properties[] = {
        "acks=1\n", "enable.idempotence=false\n", "producer.acks=1\n",
        "no.such.property=1\n", "producer.message.max.bytes=x\n"};
    struct kafka_producer *producer = NULL;
    struct kafka_producer_options bad;

    log_set_level((enum log_level) - 1);
    CHECK_EQ(kafka_producer_open(&producer, &good), OK);
    kafka_producer_close(producer);
    for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
        bad = good;
        bad.properties = properties[i];
        CHECK_EQ(kafka_producer_open(&producer, &bad), ERR_INVALID);
    }
    bad = good;
    bad.topics[1] = "^otlp_.*";
    CHECK_EQ(kafka_producer_open(&producer, &bad), ERR_INVALID);
    bad.topics[1] = "";
    CHECK_EQ(kafka_producer_open(&producer, &bad), ERR_INVALID);
    log_set_level(LOG_INFO);
}
