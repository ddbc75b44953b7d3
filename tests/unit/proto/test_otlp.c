/*
 * OTLP/protobuf against protobuf-c: random requests, the same requests
 * truncated and altered, and by hand what protobuf-c never writes.
 */
#include "otlp.h"

#include <stdio.h>
#include <stdlib.h>

#include "otlp_random.h"
#include "otlp_tree.h"
#include "test.h"

/* Takes a copy of its exact size, so that ASan sees a read beyond it. */
static struct batch *decode(enum signal signal, struct slice bytes,
                            enum status *status)
{
    char *body = malloc(bytes.len ? bytes.len : 1);
    struct batch *batch;

    if (!body)
        abort();
    slice_copy(body, bytes);
    batch = batch_new(signal, body, bytes.len, NULL);
    batch->received_ns = RANDOM_NOW;
    *status = otlp_decode(batch, 0, NULL);
    return batch;
}

static struct slice pack(const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    char *bytes = random_memory(len);

    protobuf_c_message_pack(message, (uint8_t *)bytes);
    return (struct slice){bytes, len};
}

/* What protobuf-c packs we read, and it is the same. False if we do not. */
static bool check_tree(enum signal signal, const ProtobufCMessage *tree)
{
    struct slice bytes = pack(tree);
    enum status status;
    struct batch *batch = decode(signal, bytes, &status);

    if (status == OK) {
        const char *wrong = tree_compare(batch, tree);

        CHECK_TEXT(slice_of(wrong ? wrong : ""), "");
    }
    batch_free(batch);
    free((void *)(uintptr_t)bytes.ptr);
    return status == OK;
}

TEST(random_requests_agree_with_protobuf_c)
{
    for (int round = 0; round < 1500; round++) {
        enum signal signal = (enum signal)(round % SIGNAL_COUNT);
        ProtobufCMessage *tree = random_request(signal);

        CHECK(check_tree(signal, tree));
        protobuf_c_message_free_unpacked(tree, NULL);
    }
}

/* Packed bucket counts 1 and half of another: room is made for one. */
TEST(packed_numbers_that_end_in_the_middle)
{
    static const char bytes[] =
        "\x0a\x0e\x12\x0c\x12\x0a\x52\x08\x0a\x06\x42\x04\x12\x02\x01\x80";
    enum status status;

    batch_free(decode(SIGNAL_METRICS, (struct slice){bytes, sizeof(bytes) - 1},
                      &status));
    CHECK_EQ(status, ERR_MALFORMED);
}

/* Cut anywhere, a request is malformed for both of us or for none. Altered, it
 * need not be: protobuf-c knows no groups, does not look at the wire type of a
 * bool, cuts tags to 32 bits and keeps a field number 0 to pack it again.
 * There we must survive, and agree about what protobuf-c made of it. */
TEST(truncated_and_altered_requests)
{
    int compared = 0, read = 0;

    for (int round = 0; round < 60; round++) {
        enum signal signal = (enum signal)(round % SIGNAL_COUNT);
        ProtobufCMessage *tree = random_request(signal), *again;
        const ProtobufCMessageDescriptor *type = tree->descriptor;
        struct slice bytes = pack(tree);
        char *copy = (char *)(uintptr_t)bytes.ptr;
        size_t step = bytes.len / 300 + 1;

        for (size_t at = 0; at < bytes.len; at += step) {
            struct slice truncated = {bytes.ptr, at};
            char was = copy[at];
            enum status status;

            again = protobuf_c_message_unpack(type, NULL, at,
                                              (const uint8_t *)bytes.ptr);
            batch_free(decode(signal, truncated, &status));
            CHECK_EQ(status == OK, again != NULL);
            protobuf_c_message_free_unpacked(again, NULL);

            copy[at] = (char)test_random(256);
            again = protobuf_c_message_unpack(type, NULL, bytes.len,
                                              (const uint8_t *)bytes.ptr);
            batch_free(decode(signal, bytes, &status));
            copy[at] = was;
            if (again) {
                compared++;
                read += check_tree(signal, again);
            }
            protobuf_c_message_free_unpacked(again, NULL);
        }
        free(copy);
        protobuf_c_message_free_unpacked(tree, NULL);
    }
    CHECK(read > compared - compared / 20);
}

static struct batch *good(enum signal signal, struct slice bytes)
{
    enum status status;
    struct batch *batch = decode(signal, bytes, &status);

    CHECK_EQ(status, OK);
    return batch;
}

/* The two ids of a span. */
#define IDS            \
    "\x0a\x10"         \
    "aaaaaaaaaaaaaaaa" \
    "\x12\x08"         \
    "bbbbbbbb"

/* One request around the record's bytes. */
static struct slice wrap(struct slice record)
{
    static char text[200000];
    char *at = text + sizeof(text);

    for (int level = 0; level < 3; level++) {
        struct buf buf;

        buf_init(&buf, 64);
        buf_byte(&buf, level == 2 ? 0x0a : 0x12);
        buf_varint(&buf, level == 0 ? record.len
                                    : (size_t)(text + sizeof(text) - at));
        if (level == 0) {
            at -= record.len;
            slice_copy(at, record);
        }
        at -= buf.len;
        slice_copy(at, buf_slice(&buf));
        buf_release(&buf);
    }
    return (struct slice){at, (size_t)(text + sizeof(text) - at)};
}

TEST(last_scalar_wins_and_submessages_merge)
{
    struct batch *batch = good(
        SIGNAL_SPANS, wrap(SLICE(IDS "\x2a\x01x"         /* name */
                                     "\x7a\x03\x12\x01m" /* status.message */
                                     "\x7a\x02\x18\x02"  /* status.code */
                                     "\x7a\x02\x18\x01"  /* again */
                                     "\x2a\x02yz"        /* name again */
                                     "\x30\x82\x80\x80\x00"))); /* kind, long */

    if (CHECK_EQ(batch->count, 1)) {
        CHECK_TEXT(batch->spans[0].name, "yz");
        CHECK_TEXT(batch->spans[0].status_message, "m");
        CHECK_EQ(batch->spans[0].status, SPAN_OK);
        CHECK_EQ(batch->spans[0].kind, SPAN_SERVER);
        CHECK(batch->spans[0].scope == NULL);
    }
    batch_free(batch);

    /* Scope and resource in pieces, before and after what belongs to them. */
    batch = good(SIGNAL_LOGS, SLICE("\x0a\x28"
                                    "\x0a\x07\x0a\x05\x0a\x01"
                                    "a\x12\x00"
                                    "\x12\x14"
                                    "\x0a\x03\x0a\x01s"
                                    "\x12\x00"
                                    "\x0a\x06\x12\x01v\x0a\x01t"
                                    "\x12\x00"
                                    "\x1a\x01u"
                                    "\x0a\x07\x0a\x05\x0a\x01"
                                    "b\x12\x00"));
    if (CHECK_EQ(batch->count, 2) && CHECK_EQ(batch->resource_count, 1)) {
        CHECK_EQ(batch->resources[0].attrs.count, 2);
        CHECK_TEXT(attr_key(&batch->resources[0].attrs.at[1]), "b");
        CHECK(batch->logs[0].scope == batch->logs[1].scope);
        CHECK_TEXT(batch->logs[0].scope->name, "t");
        CHECK_TEXT(batch->logs[0].scope->version, "v");
        CHECK_TEXT(batch->logs[0].scope->schema_url, "u");
    }
    batch_free(batch);
}

TEST(oneofs_merge_or_are_replaced)
{
    /* body: an array in two pieces; then text after an array; then nothing */
    struct batch *batch =
        good(SIGNAL_LOGS, wrap(SLICE("\x2a\x06\x2a\x04\x0a\x02\x18\x01"
                                     "\x2a\x06\x2a\x04\x0a\x02\x18\x02")));

    if (CHECK_EQ(batch->logs[0].body.type, VALUE_ARRAY) &&
        CHECK_EQ(batch->logs[0].body.len, 2))
        CHECK_EQ(batch->logs[0].body.items[1].i, 2);
    batch_free(batch);
    batch = good(SIGNAL_LOGS, wrap(SLICE("\x2a\x09\x2a\x04\x0a\x02\x18\x01"
                                         "\x0a\x01x")));
    CHECK_TEXT(attr_text(&batch->logs[0].body), "x");
    batch_free(batch);
    batch = good(SIGNAL_LOGS, wrap(SLICE("\x2a\x05\x0a\x01x\x40\x07")));
    CHECK_EQ(batch->logs[0].body.type, VALUE_EMPTY);
    batch_free(batch);

    /* gauge, sum, gauge: of the first gauge nothing is left; gauge in two */
    batch = good(SIGNAL_METRICS, wrap(SLICE("\x2a\x04\x0a\x02\x40\x01"
                                            "\x3a\x06\x0a\x02\x40\x02\x18\x01"
                                            "\x2a\x04\x0a\x02\x40\x03"
                                            "\x2a\x04\x0a\x02\x40\x04")));
    if (CHECK_EQ(batch->count, 2)) {
        CHECK_EQ(batch->points[0].flags, 3);
        CHECK_EQ(batch->points[1].flags, 4);
        CHECK_EQ(batch->points[0].metric->type, METRIC_GAUGE);
        CHECK(!batch->points[0].metric->monotonic);
    }
    batch_free(batch);
}

TEST(repeated_numbers_packed_or_not)
{
    static const char one[] = "\x31\1\0\0\0\0\0\0\0";
    static const char two[] = "\x32\x10\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0";
    char bytes[64] = "\x4a\x27\x0a\x25"; /* histogram, point */
    struct batch *batch;
    const struct point *p;
    enum status status;

    memcpy(bytes + 4, two, 18);
    memcpy(bytes + 22, one, 9);
    memcpy(bytes + 31, "\x3a\x10", 2);
    memset(bytes + 33, 0, 16);
    bytes[1] = 18 + 9 + 18 + 2;
    bytes[3] = 18 + 9 + 18;
    batch = good(SIGNAL_METRICS, wrap((struct slice){bytes, 49}));
    p = batch->points;
    if (CHECK_EQ(batch->count, 1))
        CHECK(p->histogram->bound_count == 2 && p->histogram->counts[0] == 2 &&
              p->histogram->counts[1] == 3 && p->histogram->counts[2] == 1);
    batch_free(batch);
    bytes[5] = 15; /* packed, but not a multiple of 8 */
    batch_free(
        decode(SIGNAL_METRICS, wrap((struct slice){bytes, 49}), &status));
    CHECK_EQ(status, ERR_MALFORMED);

    /* exponential: varints, one alone, then packed, offset -2 */
    batch = good(SIGNAL_METRICS,
                 wrap(SLICE("\x52\x0d\x0a\x0b\x42\x09"
                            "\x10\x05\x12\x03\x06\x80\x01\x08\x03")));
    p = batch->points;
    if (CHECK_EQ(batch->count, 1))
        CHECK(p->histogram->positive.count == 3 &&
              p->histogram->positive.offset == -2 &&
              p->histogram->positive.counts[0] == 5 &&
              p->histogram->positive.counts[2] == 128);
    batch_free(batch);
}

TEST(what_is_malformed)
{
    static const struct {
        struct slice record;
        enum status want;
    } cases[] = {
        {{IDS, 28}, OK},
        {{IDS "\x00\x00", 30}, ERR_MALFORMED},              /* field 0 */
        {{IDS "\x28\x01", 30}, ERR_MALFORMED},              /* name as varint */
        {{IDS "\x3a\x01x", 31}, ERR_MALFORMED},             /* time as bytes */
        {{IDS "\x2a\x02x", 31}, ERR_MALFORMED},             /* beyond the end */
        {{IDS "\xa0\x06\x01", 31}, OK},                     /* field 100 */
        {{IDS "\xa6\x06\x01", 31}, ERR_MALFORMED},          /* wire type 6 */
        {{IDS "\xa3\x06\x08\x01\x0b\x0c\xa4\x06", 36}, OK}, /* group */
        {{IDS "\xa3\x06\x08\x01", 32}, ERR_MALFORMED},      /* without end */
        {{IDS "\xa3\x06\xac\x06", 32}, ERR_MALFORMED},      /* another's end */
        {{IDS "\xa4\x06", 30}, ERR_MALFORMED},              /* end of nothing */
        {{IDS "\xa1\x06"
              "12345678",
          38},
         OK},
        {{IDS "\xa5\x06"
              "1234",
          34},
         OK},
        {{IDS "\xa5\x06"
              "123",
          33},
         ERR_MALFORMED},
        {{IDS "\x30\x82\x80\x80\x80\x80\x80\x80\x80\x80\x00", 39}, OK},
        {{IDS "\x30\x82\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 40},
         ERR_MALFORMED},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum status status;

        batch_free(decode(SIGNAL_SPANS, wrap(cases[i].record), &status));
        if (!CHECK_EQ(status, cases[i].want))
            printf("# case %zu\n", i);
    }
}

TEST(failures_say_where)
{
    struct slice bytes = wrap(SLICE(IDS "\x28\x01"));
    struct slice detail = {NULL, 0};
    struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);

    batch->body = random_memory(bytes.len);
    batch->body_len = bytes.len;
    slice_copy(batch->body, bytes);
    CHECK_EQ(otlp_decode(batch, 0, &detail), ERR_MALFORMED);
    CHECK_TEXT(detail, "resource_spans[0].scope_spans[0].spans[0]: a field "
                       "has the wrong wire type");
    batch_free(batch);
}

TEST(ten_thousand_deep_values)
{
    static char bytes[100000];
    char *end = bytes + sizeof(bytes), *at = end;
    struct batch *batch;
    const struct attr *a;
    int seen = 0;

    /* array_value { values { ... } } from the inside out, then the body */
    for (int i = 0; i < 20001; i++) {
        struct buf buf;

        buf_init(&buf, 16);
        buf_byte(&buf, i == 20000 || i % 2 == 1 ? 0x2a : 0x0a);
        buf_varint(&buf, (uint64_t)(end - at));
        at -= buf.len;
        slice_copy(at, buf_slice(&buf));
        buf_release(&buf);
    }
    batch = good(SIGNAL_LOGS, wrap((struct slice){at, (size_t)(end - at)}));
    for (a = &batch->logs[0].body; a->type == VALUE_ARRAY; a = a->items)
        seen++;
    CHECK_EQ(seen, ATTR_MAX_DEPTH);
    CHECK_EQ(a->type, VALUE_EMPTY);
    CHECK_EQ(batch->truncated, 1);
    batch_free(batch);
}
