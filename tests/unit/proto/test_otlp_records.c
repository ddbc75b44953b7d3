/*
 * The rules of otlp.h for records: what is refused, corrected and truncated;
 * memory that runs out; and our answers.
 */
#include "otlp.h"

#include <stdio.h>
#include <stdlib.h>

#include "otlp.pb-c.h"
#include "test.h"

#define NOW  UINT64_C(1795253952000000000)
#define HOUR UINT64_C(3600000000000)

static uint8_t ids[24] = "aaaaaaaaaaaaaaaabbbbbbbb";

/* Packs a request of one record around it. */
static struct batch *request(enum signal signal, void *record,
                             struct budget *budget)
{
    Otlp__ScopeSpans ss = OTLP__SCOPE_SPANS__INIT, *ssp = &ss;
    Otlp__ResourceSpans rs = OTLP__RESOURCE_SPANS__INIT, *rsp = &rs;
    Otlp__TracesData data = OTLP__TRACES_DATA__INIT;
    Otlp__Span *spans[1];
    struct batch *batch;
    char *body;
    size_t len;

    /* The three signals are the same but for the record's type. */
    spans[0] = record;
    ss.n_spans = 1;
    ss.spans = spans;
    rs.n_scope_spans = 1;
    rs.scope_spans = &ssp;
    data.n_resource_spans = 1;
    data.resource_spans = &rsp;
    len = otlp__traces_data__get_packed_size(&data);
    body = malloc(len);
    if (!body)
        abort();
    otlp__traces_data__pack(&data, (uint8_t *)body);
    if (budget && !budget_take(budget, len))
        abort();
    batch = batch_new(signal, body, len, budget);
    batch->received_ns = NOW;
    return batch;
}

static void make_span(Otlp__Span *span, uint64_t start, uint64_t end)
{
    otlp__span__init(span);
    span->has_trace_id = span->has_span_id = 1;
    span->trace_id = (ProtobufCBinaryData){16, ids};
    span->span_id = (ProtobufCBinaryData){8, ids + 16};
    span->has_start_time_unix_nano = span->has_end_time_unix_nano = 1;
    span->start_time_unix_nano = start;
    span->end_time_unix_nano = end;
}

TEST(times_of_spans)
{
    static const struct {
        uint64_t start, end, want_start, want_end;
        uint8_t corrected;
    } cases[] = {
        {5, 7, 5, 7, 0},
        {NOW + HOUR, NOW + HOUR, NOW + HOUR, NOW + HOUR, 0},
        {NOW + HOUR + 1, NOW + HOUR + 9, NOW, NOW + 8, CORRECTED_TIME},
        {0, 0, NOW, NOW, CORRECTED_TIME},
        {0, NOW - 5, NOW, NOW, CORRECTED_TIME},
        {NOW - 5, 0, NOW - 5, NOW - 5, CORRECTED_TIME},
        {NOW - 5, UINT64_MAX, NOW - 5, NOW, CORRECTED_TIME},
        {UINT64_MAX - 3, UINT64_MAX, NOW, NOW + 3, CORRECTED_TIME},
        {7, 5, 7, 7, CORRECTED_END},
        {NOW, NOW - HOUR, NOW, NOW, CORRECTED_END},
        {UINT64_MAX, NOW, NOW, NOW, CORRECTED_TIME | CORRECTED_END},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        Otlp__Span span;
        struct batch *batch;

        make_span(&span, cases[i].start, cases[i].end);
        batch = request(SIGNAL_SPANS, &span, NULL);
        CHECK_EQ(otlp_decode(batch, 0, NULL), OK);
        if (CHECK_EQ(batch->count, 1)) {
            CHECK_EQ(batch->spans[0].start_ns, cases[i].want_start);
            CHECK_EQ(batch->spans[0].end_ns, cases[i].want_end);
            CHECK_EQ(batch->spans[0].corrected, cases[i].corrected);
        }
        batch_free(batch);
    }
}

static void refused(Otlp__Span *span, uint64_t oldest_ns, const char *why)
{
    struct batch *batch = request(SIGNAL_SPANS, span, NULL);

    CHECK_EQ(otlp_decode(batch, oldest_ns, NULL), OK);
    CHECK_EQ(batch->count, 0);
    CHECK_EQ(batch->rejected, 1);
    CHECK_EQ(batch->rejected_old, oldest_ns > 0);
    CHECK_TEXT(slice_of(batch->reason ? batch->reason : ""), why);
    batch_free(batch);
}

TEST(what_is_refused_and_why)
{
    static uint8_t zeros[16];
    Otlp__Span span;

    make_span(&span, 5, 7);
    span.trace_id.len = 15;
    refused(&span, 0, "trace_id must be 16 bytes and not zero");
    span.trace_id = (ProtobufCBinaryData){16, zeros};
    refused(&span, 0, "trace_id must be 16 bytes and not zero");
    make_span(&span, 5, 7);
    span.has_span_id = 0;
    refused(&span, 0, "span_id must be 8 bytes and not zero");
    make_span(&span, 5, 7);
    span.has_parent_span_id = 1;
    span.parent_span_id = (ProtobufCBinaryData){7, ids};
    refused(&span, 0, "parent_span_id must be 8 bytes or empty");
    make_span(&span, 5, 7);
    refused(&span, 8, "older than the retention");
}

/* Appends what an encoder appends: {key, number}. */
static void add_pair(Otlp__KeyValue *pair, Otlp__AnyValue *value, char *key,
                     int64_t number)
{
    otlp__key_value__init(pair);
    otlp__any_value__init(value);
    value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
    value->int_value = number;
    pair->key = key;
    pair->value = value;
}

/* Every list length around the sizes of the table, keys of all lengths, each
 * given twice or three times: the last value at the place of the first. */
TEST(of_equal_keys_the_last_wins)
{
    static char keys[ATTR_MAX_COUNT][8];
    static Otlp__KeyValue pairs[ATTR_MAX_COUNT], *at[ATTR_MAX_COUNT];
    static Otlp__AnyValue values[ATTR_MAX_COUNT];

    for (uint32_t count = 1; count <= ATTR_MAX_COUNT; count++) {
        uint32_t distinct = count / 2 + 1;
        Otlp__Span span;
        struct batch *batch;

        make_span(&span, 5, 7);
        for (uint32_t i = 0; i < count; i++) {
            snprintf(keys[i], sizeof(keys[i]), "%0*u", i % distinct % 5 + 1,
                     i % distinct);
            add_pair(&pairs[i], &values[i], keys[i], i);
            at[i] = &pairs[i];
        }
        span.n_attributes = count;
        span.attributes = at;
        batch = request(SIGNAL_SPANS, &span, NULL);
        CHECK_EQ(otlp_decode(batch, 0, NULL), OK);
        const struct attrs *attrs = &batch->spans[0].attrs;

        CHECK_EQ(attrs->count, distinct);
        CHECK_EQ(attrs->dropped, 0);
        for (uint32_t i = 0; i < attrs->count; i++) {
            uint32_t last = i;

            while (last + distinct < count)
                last += distinct;
            CHECK_TEXT(attr_key(&attrs->at[i]), keys[i]);
            CHECK_EQ(attrs->at[i].i, last);
        }
        batch_free(batch);
    }
}

/* How many attributes are left of `count`, of which the one at `second` has the
 * key of that at `first`. */
static uint32_t kept_of(const char *tail, uint32_t count, uint32_t first,
                        uint32_t second)
{
    static char keys[40][32];
    static Otlp__KeyValue pairs[40], *at[40];
    static Otlp__AnyValue values[40];
    Otlp__Span span;
    struct batch *batch;
    uint32_t kept;

    make_span(&span, 5, 7);
    for (uint32_t i = 0; i < count; i++) {
        snprintf(keys[i], sizeof(keys[i]), "k8s.pod.label.%02u%s",
                 i == second ? first : i, tail);
        add_pair(&pairs[i], &values[i], keys[i], i);
        at[i] = &pairs[i];
    }
    span.n_attributes = count;
    span.attributes = at;
    batch = request(SIGNAL_SPANS, &span, NULL);
    CHECK_EQ(otlp_decode(batch, 0, NULL), OK);
    kept = batch->spans[0].attrs.count;
    batch_free(batch);
    return kept;
}

/* Wherever the two are; keys that differ at their ends, and in the middle. */
TEST(one_key_given_twice_is_found)
{
    static const char *const tails[] = {"", ".component"};
    static const uint32_t counts[] = {2, 5, 8, 9, 16, 17, 32, 33};

    for (size_t f = 0; f < 2; f++)
        for (size_t c = 0; c < 8; c++) {
            CHECK_EQ(kept_of(tails[f], counts[c], 0, 0), counts[c]);
            for (uint32_t second = 1; second < counts[c]; second++)
                for (uint32_t first = 0; first < second; first++)
                    CHECK_EQ(kept_of(tails[f], counts[c], first, second),
                             counts[c] - 1);
        }
}

/* One attribute, written and read. */
static void check_pair(size_t key_len, const char *text, int64_t number)
{
    static char key[200];
    Otlp__KeyValue pair, *at[] = {&pair};
    Otlp__AnyValue value;
    Otlp__Span span;
    struct batch *batch;

    make_span(&span, 5, 7);
    memset(key, 'k', sizeof(key));
    key[key_len] = '\0';
    add_pair(&pair, &value, key, number);
    if (text) {
        value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
        value.string_value = (char *)(uintptr_t)text;
    }
    span.n_attributes = 1;
    span.attributes = at;
    batch = request(SIGNAL_SPANS, &span, NULL);
    CHECK_EQ(otlp_decode(batch, 0, NULL), OK);

    const struct attr *attr = batch->spans[0].attrs.at;

    CHECK_EQ(batch->spans[0].attrs.count, key_len > 0);
    if (key_len > 0) {
        CHECK_TEXT(attr_key(attr), key);
        CHECK_EQ(attr->type, text ? VALUE_STRING : VALUE_INT);
        if (text)
            CHECK_TEXT(attr_text(attr), text);
        else
            CHECK_EQ(attr->i, number);
    }
    batch_free(batch);
}

/* Lengths and numbers around those that take another byte. */
TEST(pairs_of_all_lengths)
{
    static const int64_t numbers[] = {0,     1,     127,   128,       200,
                                      16383, 16384, 65535, INT64_MAX, -1};
    static char text[300];

    for (size_t key_len = 0; key_len < 140; key_len++) {
        for (size_t len = 0; len < 140; len++) {
            memset(text, 'v', len);
            text[len] = '\0';
            check_pair(key_len, text, 0);
        }
        for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
            check_pair(key_len, NULL, numbers[i]);
    }
}

TEST(texts_are_truncated_between_characters)
{
    static char text[LOG_MAX_BODY + 10];
    Otlp__AnyValue body = OTLP__ANY_VALUE__INIT;
    Otlp__LogRecord log = OTLP__LOG_RECORD__INIT;

    body.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    body.string_value = text;
    log.body = &body;
    for (size_t back = 0; back < 5; back++) {
        struct batch *batch;

        memset(text, 'x', sizeof(text));
        memcpy(text + LOG_MAX_BODY - back, "\xf0\x9f\x98\x80", 4);
        text[LOG_MAX_BODY + 9] = '\0';
        batch = request(SIGNAL_LOGS, &log, NULL);
        CHECK_EQ(otlp_decode(batch, 0, NULL), OK);
        CHECK_EQ(batch->logs[0].body.len,
                 back == 4 ? LOG_MAX_BODY : LOG_MAX_BODY - back);
        CHECK_EQ(batch->truncated, 1);
        batch_free(batch);
    }
    /* Nothing but continuation bytes: truncated anywhere. */
    memset(text, 0x80, LOG_MAX_BODY + 9);
    struct batch *batch = request(SIGNAL_LOGS, &log, NULL);
    CHECK_EQ(otlp_decode(batch, 0, NULL), OK);
    CHECK_EQ(batch->logs[0].body.len, LOG_MAX_BODY);
    batch_free(batch);
}

/* Two bytes on the wire, a record of hundreds in memory: the arena says no,
 * and nothing stays charged. */
TEST(amplification_meets_cap_and_budget)
{
    enum { LEN = 1 << 20 };
    struct budget budget;
    struct batch *batch;
    struct slice detail = {NULL, 0};
    char *body;

    for (int round = 0; round < 2; round++) {
        budget_init(&budget, round == 0 ? LEN * 4 : LEN * 64);
        body = malloc(LEN);
        if (!body || !budget_take(&budget, LEN))
            abort();
        for (size_t i = 0; i < LEN; i += 2)
            memcpy(body + i, "\x0a\x00", 2); /* empty ResourceSpans */
        batch = batch_new(SIGNAL_SPANS, body, LEN, &budget);
        batch->received_ns = NOW;
        if (round == 1) /* others hold the memory */
            CHECK(budget_take(&budget, LEN * 56));
        CHECK_EQ(otlp_decode(batch, 0, &detail),
                 round == 0 ? ERR_TOO_BIG : ERR_BUSY);
        CHECK(detail.len > 0);
        batch_free(batch);
        CHECK_EQ(budget_used(&budget), round == 0 ? 0 : LEN * 56);
    }
}

/* At whatever allocation the memory ends, the outcome is clean. */
TEST(memory_that_ends_anywhere)
{
    Otlp__AnyValue item = OTLP__ANY_VALUE__INIT, *items[20];
    Otlp__ArrayValue array = OTLP__ARRAY_VALUE__INIT;
    Otlp__AnyValue body = OTLP__ANY_VALUE__INIT;
    Otlp__LogRecord log = OTLP__LOG_RECORD__INIT;
    bool failed = false, passed = false;

    item.value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
    item.array_value = &array;
    for (int i = 0; i < 20; i++)
        items[i] = &item;
    body.value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
    body.array_value = &(Otlp__ArrayValue)OTLP__ARRAY_VALUE__INIT;
    body.array_value->n_values = 20;
    body.array_value->values = items;
    log.body = &body;
    for (size_t cap = 0; cap < 20000; cap += 40) {
        struct batch *batch = request(SIGNAL_LOGS, &log, NULL);
        enum status status;

        batch->arena.cap = cap;
        status = otlp_decode(batch, 0, NULL);
        CHECK(status == OK || status == ERR_TOO_BIG);
        failed |= status != OK;
        passed |= status == OK;
        batch_free(batch);
    }
    CHECK(failed && passed);
}

static void reply_is(struct buf *buf, struct slice want)
{
    CHECK_EQ(buf->status, OK);
    CHECK(slice_equal(buf_slice(buf), want));
    buf_reset(buf);
}

TEST(answers)
{
    struct buf buf;

    buf_init(&buf, 4096);
    otlp_write_response(&buf, SIGNAL_SPANS, BATCH_PROTOBUF, 0, SLICE(""));
    reply_is(&buf, SLICE(""));
    otlp_write_response(&buf, SIGNAL_SPANS, BATCH_JSON, 0, SLICE(""));
    reply_is(&buf, SLICE("{}"));
    otlp_write_response(&buf, SIGNAL_SPANS, BATCH_PROTOBUF, 2, SLICE("no"));
    reply_is(&buf, SLICE("\x0a\x06\x08\x02\x12\x02no"));
    otlp_write_response(&buf, SIGNAL_SPANS, BATCH_JSON, 2, SLICE("no \"x\""));
    reply_is(&buf, SLICE("{\"partialSuccess\":{\"rejectedSpans\":\"2\","
                         "\"errorMessage\":\"no \\\"x\\\"\"}}"));
    otlp_write_response(&buf, SIGNAL_LOGS, BATCH_JSON, 1, SLICE("n"));
    reply_is(&buf, SLICE("{\"partialSuccess\":{\"rejectedLogRecords\":\"1\","
                         "\"errorMessage\":\"n\"}}"));
    otlp_write_response(&buf, SIGNAL_METRICS, BATCH_JSON, 1, SLICE("n"));
    reply_is(&buf, SLICE("{\"partialSuccess\":{\"rejectedDataPoints\":\"1\","
                         "\"errorMessage\":\"n\"}}"));
    otlp_write_response(&buf, SIGNAL_METRICS, BATCH_JSON, 0, SLICE("warn"));
    reply_is(&buf, SLICE("{\"partialSuccess\":{\"errorMessage\":\"warn\"}}"));
    otlp_write_status(&buf, BATCH_JSON, ERR_MALFORMED, SLICE("bad \xff"), 0);
    reply_is(&buf, SLICE("{\"code\":3,\"message\":\"bad ?\",\"details\":[]}"));
    otlp_write_status(&buf, BATCH_PROTOBUF, ERR_BUSY, SLICE("later"), 0);
    reply_is(&buf, SLICE("\x08\x0e\x12\x05later"));
    /* with google.rpc.RetryInfo, as protoc's encoder writes it */
    otlp_write_status(&buf, BATCH_PROTOBUF, ERR_LIMITED, SLICE("later"), 3);
    reply_is(&buf, SLICE("\x08\x08\x12\x05later\x1a\x30"
                         "\x0a\x28type.googleapis.com/google.rpc.RetryInfo"
                         "\x12\x04\x0a\x02\x08\x03"));
    otlp_write_status(&buf, BATCH_JSON, ERR_LIMITED, SLICE("later"), 3);
    reply_is(&buf,
             SLICE("{\"code\":8,\"message\":\"later\",\"details\":[{\"@type\":"
                   "\"type.googleapis.com/google.rpc.RetryInfo\","
                   "\"retryDelay\":\"3s\"}]}"));
    buf_release(&buf);
}
