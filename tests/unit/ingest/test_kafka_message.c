#include "kafka_message.h"

#include <stdio.h>
#include <stdlib.h>

#include "dead_letter.h"
#include "stats.h"
#include "test.h"

static struct budget budget;

static struct batch *make(enum signal signal, struct slice value)
{
    struct kafka_message message = {.value = value,
                                    .signal = signal,
                                    .max_bytes = 1 << 20,
                                    .budget = &budget};
    struct batch *batch = NULL;

    if (budget.limit == 0)
        budget_init(&budget, 64 << 20);
    CHECK_EQ(kafka_message_batch(&message, &batch), OK);
    CHECK(batch != NULL);
    return batch;
}

static bool has(struct slice text, const char *part)
{
    char copy[2048] = {0};

    if (text.len < sizeof(copy))
        slice_copy(copy, text);
    return strstr(copy, part) != NULL;
}

/* The reason must have all of the words. */
static void check_letter(enum signal signal, struct slice value,
                         const char *word, const char *other)
{
    struct batch *batch = make(signal, value);
    struct dead_letter dead_letter = dead_letter_read(batch);

    CHECK_EQ(batch->encoding, BATCH_DEAD_LETTER);
    CHECK_EQ(batch->count, 0);
    if (!CHECK(has(dead_letter.reason, word)) ||
        !CHECK(has(dead_letter.reason, other)))
        printf("# %.*s\n", (int)dead_letter.reason.len, dead_letter.reason.ptr);
    CHECK(slice_equal(dead_letter.bytes, value));
    CHECK_EQ(dead_letter.size, value.len);
    batch_free(batch);
    CHECK_EQ(budget_used(&budget), 0);
}

static void check_records(enum signal signal, struct slice value,
                          enum batch_encoding encoding, uint32_t count)
{
    struct batch *batch = make(signal, value);

    CHECK_EQ(batch->encoding, encoding);
    CHECK_EQ(batch->count, count);
    batch_free(batch);
    CHECK_EQ(budget_used(&budget), 0);
}

#define LOG_JSON                                                          \
    "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano" \
    "\":\"1\",\"body\":{\"stringValue\":\"x\"}}]}]}]}"

/* One log record whose body makes the whole message so long. */
static struct slice log_proto(char *bytes, size_t body)
{
    size_t record = 2 + 2 + body; /* LogRecord.body.string_value */
    size_t scope = 2 + record;    /* ScopeLogs.log_records */
    size_t resource = 2 + scope;  /* ResourceLogs.scope_logs */
    const size_t lens[] = {resource, scope, record, body + 2, body};
    const unsigned char tags[] = {0x0a, 0x12, 0x12, 0x2a, 0x0a};
    size_t at = 0;

    for (int i = 0; i < 5; i++) {
        bytes[at++] = (char)tags[i];
        bytes[at++] = (char)lens[i];
    }
    memset(bytes + at, 'x', body);
    return (struct slice){bytes, at + body};
}

TEST(json_and_protobuf_are_distinguished)
{
    char bytes[300];

    check_records(SIGNAL_LOGS, SLICE(LOG_JSON), BATCH_JSON, 1);
    check_records(SIGNAL_LOGS, SLICE(" \t" LOG_JSON "\n"), BATCH_JSON, 1);
    check_records(SIGNAL_LOGS, SLICE("\n\n" LOG_JSON), BATCH_JSON, 1);
    /* Any length, among them those that are '{', '[' and '\n'. */
    for (size_t body = 1; body < 110; body++)
        check_records(SIGNAL_LOGS, log_proto(bytes, body), BATCH_PROTOBUF, 1);
}

static struct request_hash hash_of(const struct request_key *key,
                                   struct slice value)
{
    struct kafka_message message = {.value = value,
                                    .signal = SIGNAL_LOGS,
                                    .max_bytes = 1000,
                                    .received_ns = UINT64_C(1767225600) << 30,
                                    .key = key,
                                    .budget = &budget};
    struct batch *batch = NULL;
    struct request_hash hash;

    CHECK_EQ(kafka_message_batch(&message, &batch), OK);
    hash = batch->hash;
    batch_free(batch);
    return hash;
}

TEST(a_message_is_of_its_topics_namespace)
{
    const struct writer_scope scope = {.name = {SLICE("acme")}};
    struct writer *writer = writer_new(SLICE("acme"), false, &scope, 1);
    static const char *const values[] = {"", "{}", "no OTLP", "{\"a\":[1]}"};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct kafka_message message = {.value = slice_of(values[i]),
                                        .signal = SIGNAL_LOGS,
                                        .max_bytes = 1000,
                                        .writer = writer,
                                        .budget = &budget};
        struct batch *batch = NULL;

        CHECK_EQ(kafka_message_batch(&message, &batch), OK);
        if (values[i][0])
            CHECK(batch->writer == writer);
        batch_free(batch);
    }
    writer_free(writer);
}

/* By the same hash as a request over HTTP. */
TEST(a_message_is_known_when_it_comes_again)
{
    static const char timed[] =
        "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{"
        "\"timeUnixNano\":\"1767225600000000000\","
        "\"body\":{\"stringValue\":\"a\"}}]}]}]}";
    struct request_key key;
    struct request_hash hash, http;

    request_key_make(&key, (const uint8_t *)"0123456789abcdef");
    http = request_hash_of(&key, SIGNAL_LOGS << 8 | BATCH_JSON, SLICE(""),
                           SLICE(timed));
    hash = hash_of(&key, SLICE(timed));
    CHECK(hash.a == http.a && hash.b == http.b);
    CHECK(request_hash_none(hash_of(NULL, SLICE(timed))));
    CHECK(request_hash_none(hash_of(&key, SLICE("{}"))));
    CHECK(
        request_hash_none(hash_of(&key, SLICE("no OTLP")))); /* a dead_letter */
    CHECK(request_hash_none(
        hash_of(&key, SLICE("{\"resourceLogs\":[{\"scopeLogs\":[{"
                            "\"logRecords\":[{\"body\":{"
                            "\"stringValue\":\"a\"}}]}]}]}"))));
}

TEST(what_holds_nothing_has_a_place_all_the_same)
{
    check_records(SIGNAL_SPANS, SLICE(""), BATCH_PROTOBUF, 0);
    check_records(SIGNAL_SPANS, SLICE("{}"), BATCH_PROTOBUF, 0);
    check_records(SIGNAL_SPANS, SLICE("{\"resourceSpans\": []}"),
                  BATCH_PROTOBUF, 0);
    check_records(SIGNAL_SPANS, SLICE("\x0a\0"), BATCH_PROTOBUF, 0);
}

TEST(an_encoding_may_be_fixed)
{
    struct kafka_message message = {.value = SLICE(LOG_JSON),
                                    .signal = SIGNAL_LOGS,
                                    .encoding = KAFKA_PROTOBUF,
                                    .max_bytes = 1000,
                                    .budget = &budget};
    struct batch *batch = NULL;

    CHECK_EQ(kafka_message_batch(&message, &batch), OK);
    CHECK_EQ(batch->encoding, BATCH_DEAD_LETTER);
    batch_free(batch);
    message.encoding = KAFKA_JSON;
    CHECK_EQ(kafka_message_batch(&message, &batch), OK);
    CHECK_EQ(batch->count, 1);
    batch_free(batch);
}

TEST(other_formats_are_named)
{
    check_letter(SIGNAL_SPANS,
                 SLICE("\x0a\x10"
                       "0123456789abcdef\x12\x08"
                       "01234567\x1a\x01x"),
                 "jaeger_proto", "traces::encoding");
    check_letter(SIGNAL_SPANS,
                 SLICE("{\"traceId\":\"AA==\",\"operationName\":\"x\"}"),
                 "jaeger_json", "otlp_json");
    check_letter(SIGNAL_SPANS, SLICE("[{\"traceId\":\"1\",\"id\":\"2\"}]"),
                 "zipkin_json", "otlp_proto");
    check_letter(SIGNAL_SPANS,
                 SLICE("\x0a\x1c\x0a\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                       "\xff\xff\xff\xff\xff\xff\xff\x1a\x08"
                       "01234567"),
                 "zipkin_proto", "traces::encoding");
    check_letter(SIGNAL_SPANS, SLICE(LOG_JSON), "another signal", "topic");
    check_letter(SIGNAL_LOGS, SLICE("{\"message\": \"hello\"}"), "no OTLP",
                 "JSON");
    check_letter(SIGNAL_LOGS, SLICE("plain text"), "neither", "OTLP");
    check_letter(SIGNAL_LOGS, SLICE("{\"resourceLogs\": ["), "malformed", "");
    check_letter(SIGNAL_METRICS, SLICE("\x0a\x05\x08"), "malformed", "");
}

TEST(bounds)
{
    struct kafka_message message = {.value = SLICE(LOG_JSON),
                                    .signal = SIGNAL_LOGS,
                                    .max_bytes = 20,
                                    .budget = &budget};
    struct batch *batch = NULL;

    CHECK_EQ(kafka_message_batch(&message, &batch), OK);
    CHECK(has(dead_letter_read(batch).reason, "--max-body"));
    batch_free(batch);
    message.max_bytes = 1000;
    CHECK(budget_take(&budget, budget.limit - 100));
    batch = NULL;
    CHECK_EQ(kafka_message_batch(&message, &batch), ERR_BUSY);
    CHECK(batch == NULL);
    message.value = SLICE("no");
    budget_give(&budget, 100);
    CHECK(budget_take(&budget, 190)); /* 10 left */
    CHECK_EQ(kafka_message_batch(&message, &batch), ERR_BUSY);
    CHECK(batch == NULL);
    budget_give(&budget, budget_used(&budget));
}
