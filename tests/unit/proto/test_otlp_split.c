/*
 * Random requests are split: all parts together have the records of the
 * request, each where it belongs, and the same again.
 */
#include "otlp_split.h"

#include <stdio.h>
#include <stdlib.h>

#include "attr_hash.h"
#include "hash.h"
#include "otlp.h"
#include "otlp_random.h"
#include "otlp_tojson.h"
#include "otlp_tree.h"
#include "test.h"

static struct budget budget;

static struct batch *decode(enum signal signal, const char *bytes, size_t len)
{
    char *body = malloc(len + 1);
    struct batch *batch;

    if (!body)
        abort();
    slice_copy(body, (struct slice){bytes, len});
    batch = batch_new(signal, body, len, NULL);
    batch->received_ns = RANDOM_NOW;
    CHECK_EQ(otlp_decode(batch, 0, NULL), OK);
    return batch;
}

/* ---- what a record is ---- */

static uint64_t mix_text(uint64_t hash, struct slice text)
{
    return hash_bytes(text.ptr, text.len, hash);
}

static uint64_t owner_hash(const struct resource *resource,
                           const struct scope *scope)
{
    uint64_t hash = hash_mix(attrs_hash(&resource->attrs), 1);

    hash = mix_text(hash, resource->schema_url);
    if (scope) {
        hash = mix_text(mix_text(hash, scope->name), scope->version);
        hash = hash_mix(hash, attrs_hash(&scope->attrs));
        hash = mix_text(hash, scope->schema_url);
    }
    return hash;
}

static uint64_t span_hash(const struct span *span)
{
    uint64_t hash = owner_hash(span->resource, span->scope);

    hash = hash_bytes(span->trace_id, 16, hash);
    hash = hash_bytes(span->span_id, 8, hash);
    hash = hash_mix(hash, span->start_ns);
    hash = hash_mix(hash, span->end_ns);
    hash = hash_mix(hash, attrs_hash(&span->attrs));
    hash = hash_mix(hash, span->event_count);
    return mix_text(hash, span->name);
}

static uint64_t log_hash(const struct log_record *log)
{
    uint64_t hash = owner_hash(log->resource, log->scope);

    hash = hash_bytes(log->trace_id, 16, hash);
    hash = hash_mix(hash, log->time_ns);
    hash = hash_mix(hash, attrs_hash(&log->attrs));
    return hash_mix(hash, attr_value_hash(&log->body));
}

static uint64_t point_hash(const struct point *point)
{
    const struct metric *metric = point->metric;
    uint64_t hash = owner_hash(metric->resource, metric->scope);

    hash = mix_text(mix_text(hash, metric->name), metric->unit);
    hash = mix_text(hash, metric->description);
    hash = hash_mix(hash, metric->type);
    hash = hash_mix(hash, metric->temporality);
    hash = hash_mix(hash, metric->monotonic);
    hash = hash_mix(hash, point->time_ns);
    hash = hash_mix(hash, point->start_ns);
    return hash_mix(hash, attrs_hash(&point->attrs));
}

/* Sums do not depend on the order. */
static uint64_t sum_of(const struct batch *batch)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < batch->count; i++)
        if (batch->signal == SIGNAL_SPANS)
            sum += span_hash(&batch->spans[i]);
        else if (batch->signal == SIGNAL_LOGS)
            sum += log_hash(&batch->logs[i]);
        else
            sum += point_hash(&batch->points[i]);
    return sum;
}

/* ---- splitting ---- */

struct collected {
    enum signal signal;
    size_t max_bytes;
    uint32_t partitions;
    uint64_t sum, order; /* order: of the bytes of all parts, in a row */
    uint32_t records, parts;
};

static uint32_t partition_of_trace(const uint8_t *id, uint32_t partitions)
{
    char key[33];

    for (int i = 0; i < 16; i++)
        (void)snprintf(key + 2 * i, 3, "%02x", id[i]);
    return otlp_partition((struct slice){key, 32}, partitions);
}

static void collect(void *arg, const struct otlp_part *part)
{
    struct collected *to = arg;
    struct batch *batch = decode(to->signal, part->bytes, part->len);

    CHECK(part->len <= to->max_bytes);
    CHECK(part->charged >= part->len);
    CHECK(part->partition < to->partitions);
    CHECK_EQ(batch->count, part->records);
    CHECK_EQ(batch->rejected, 0);
    for (uint32_t i = 0; i < batch->count && to->signal == SIGNAL_SPANS; i++)
        CHECK_EQ(partition_of_trace(batch->spans[i].trace_id, to->partitions),
                 part->partition);
    to->sum += sum_of(batch);
    to->order = hash_bytes(part->bytes, part->len,
                           hash_mix(to->order, part->partition));
    to->records += batch->count;
    to->parts++;
    batch_free(batch);
    free(part->bytes);
    budget_give(&budget, part->charged);
}

static uint8_t *skipped(const struct batch *batch)
{
    uint8_t *skip = calloc(batch->received / 8 + 1, 1);

    if (!skip)
        abort();
    for (uint32_t i = 0; i < batch->rejected_places; i++)
        skip[batch->rejected_at[i] / 8] |=
            (uint8_t)(1u << batch->rejected_at[i] % 8);
    return skip;
}

static enum status split(const struct batch *batch, struct collected *to,
                         uint32_t *too_big)
{
    uint8_t *skip = skipped(batch);
    struct otlp_split split = {
        .signal = batch->signal,
        .body = {batch->body, batch->body_len},
        .skip = skip,
        .partitions = to->partitions,
        .max_bytes = to->max_bytes,
        .max_total = SIZE_MAX,
        .budget = &budget,
        .emit = collect,
        .arg = to,
    };
    enum status status;

    if (budget.limit == 0)
        budget_init(&budget, (size_t)1 << 30);
    to->signal = batch->signal;
    status = otlp_split(&split);
    *too_big = split.too_big;
    free(skip);
    CHECK_EQ(budget_used(&budget), 0);
    return status;
}

TEST(parts_together_are_the_request)
{
    for (int round = 0; round < 900; round++) {
        enum signal signal = (enum signal)(round % SIGNAL_COUNT);
        ProtobufCMessage *tree = random_request(signal);
        char *bytes = malloc(protobuf_c_message_get_packed_size(tree) + 1);
        struct collected first = {.partitions = 1 + test_random(40),
                                  .max_bytes = (size_t)1 << 30};
        struct collected small, again;
        struct batch *batch;
        uint32_t too_big;

        if (!bytes)
            abort();
        batch =
            decode(signal, bytes, protobuf_c_message_pack(tree, (void *)bytes));
        CHECK_EQ(split(batch, &first, &too_big), OK);
        CHECK_EQ(too_big, 0);
        CHECK_EQ(first.records, batch->count);
        CHECK(first.sum == sum_of(batch));
        CHECK(first.parts <= first.partitions);
        small = (struct collected){.partitions = first.partitions,
                                   .max_bytes = 200 + test_random(5000)};
        again = small;
        CHECK_EQ(split(batch, &small, &too_big), OK);
        CHECK_EQ(small.records + too_big, batch->count);
        CHECK(too_big > 0 || small.sum == first.sum);
        CHECK_EQ(split(batch, &again, &too_big), OK);
        CHECK(again.order == small.order);
        batch_free(batch);
        free(bytes);
        protobuf_c_message_free_unpacked(tree, NULL);
    }
}

/* Values of the tests of Kafka's clients. */
TEST(the_partitioner_is_that_of_kafka)
{
    static const struct {
        const char *key;
        int32_t hash;
    } known[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        CHECK_EQ(otlp_partition(slice_of(known[i].key), 0x7fffffff),
                 known[i].hash & 0x7fffffff);
}

TEST(what_is_too_much_is_said)
{
    ProtobufCMessage *tree = random_request(SIGNAL_SPANS);
    char *bytes = malloc(protobuf_c_message_get_packed_size(tree) + 1);
    struct collected to = {.partitions = 3, .max_bytes = 1 << 20};
    struct otlp_split split = {.signal = SIGNAL_SPANS,
                               .partitions = 3,
                               .max_bytes = 1 << 20,
                               .max_total = 10,
                               .budget = &budget,
                               .emit = collect,
                               .arg = &to};

    if (!bytes)
        abort();
    budget_init(&budget, 1 << 30);
    split.body =
        (struct slice){bytes, protobuf_c_message_pack(tree, (void *)bytes)};
    if (split.body.len > 200) {
        CHECK_EQ(otlp_split(&split), ERR_TOO_BIG);
        split.max_total = SIZE_MAX;
        budget_init(&budget, 10);
        CHECK_EQ(otlp_split(&split), ERR_BUSY);
    }
    CHECK_EQ(budget_used(&budget), 0);
    budget_init(&budget, 1 << 30);
    split.body = SLICE("\x0a\xff\xff\xff");
    CHECK_EQ(otlp_split(&split), ERR_MALFORMED);
    CHECK_EQ(to.parts, 0);
    free(bytes);
    protobuf_c_message_free_unpacked(tree, NULL);
}

/* ---- JSON ---- */

static struct batch *json_batch(enum signal signal, struct slice text)
{
    char *body = malloc(text.len + 1);
    struct batch *batch;

    if (!body)
        abort();
    slice_copy(body, text);
    budget_init(&budget, (size_t)1 << 30);
    CHECK(budget_take(&budget, text.len));
    batch = batch_new(signal, body, text.len, &budget);
    batch->encoding = BATCH_JSON;
    batch->received_ns = RANDOM_NOW;
    return batch;
}

TEST(json_becomes_the_same_protobuf)
{
    for (int round = 0; round < 900; round++) {
        enum signal signal = (enum signal)(round % SIGNAL_COUNT);
        ProtobufCMessage *tree = random_request(signal);
        struct slice detail = {NULL, 0};
        struct batch *batch;
        const char *wrong;
        struct jsonw w;
        struct buf buf;

        buf_init(&buf, SIZE_MAX / 2);
        jsonw_init(&w, &buf);
        tojson_message(&w, tree);
        batch = json_batch(signal, buf_slice(&buf));
        buf_release(&buf);
        CHECK_EQ(otlp_to_protobuf(batch, &detail), OK);
        CHECK_EQ(batch->encoding, BATCH_PROTOBUF);
        CHECK_EQ(otlp_decode(batch, 0, &detail), OK);
        wrong = tree_compare(batch, tree);
        if (!CHECK(wrong == NULL))
            printf("# %s\n", wrong);
        batch_free(batch);
        CHECK_EQ(budget_used(&budget), 0);
        protobuf_c_message_free_unpacked(tree, NULL);
    }
}

TEST(bad_json_is_refused)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"{\"resourceSpans\":7}", "resourceSpans"},
        {"{\"resourceSpans\":[{\"scopeSpans\":[],\"scopeSpans\":[]}]}",
         "a list occurs twice"},
        {"{\"resourceSpans\":[]", ""},
        {"{} {}", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct batch *batch = json_batch(SIGNAL_SPANS, slice_of(cases[i].text));
        struct slice detail = {NULL, 0};
        char text[200];

        CHECK_EQ(otlp_to_protobuf(batch, &detail), ERR_MALFORMED);
        (void)snprintf(text, sizeof(text), "%.*s", (int)detail.len, detail.ptr);
        if (!CHECK(strstr(text, cases[i].why) != NULL))
            printf("# %s\n", text);
        CHECK_EQ(batch->encoding, BATCH_JSON);
        batch_free(batch);
        CHECK_EQ(budget_used(&budget), 0);
    }
}
