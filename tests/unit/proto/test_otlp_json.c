/*
 * OTLP/JSON by hand: every spelling a sender may choose, and what is refused.
 */
#include "otlp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "otlp_random.h"
#include "otlp_tojson.h"
#include "otlp_tree.h"
#include "test.h"

#define NOW   UINT64_C(1795253952000000000)
#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN  "b7ad6b7169203331"
#define IDS   "\"traceId\":\"" TRACE "\",\"spanId\":\"" SPAN "\""

static struct slice detail;

static struct batch *decode(enum signal signal, struct slice text,
                            enum status *status)
{
    char *body = malloc(text.len + 1);
    struct batch *batch;

    if (!body)
        abort();
    slice_copy(body, text);
    batch = batch_new(signal, body, text.len, NULL);
    batch->encoding = BATCH_JSON;
    batch->received_ns = NOW;
    detail = (struct slice){NULL, 0};
    *status = otlp_decode(batch, 0, &detail);
    return batch;
}

TEST(random_requests_are_the_same_in_json)
{
    for (int round = 0; round < 900; round++) {
        enum signal signal = (enum signal)(round % SIGNAL_COUNT);
        ProtobufCMessage *tree = random_request(signal);
        struct batch *batch;
        struct jsonw w;
        struct buf buf;
        enum status status;

        buf_init(&buf, SIZE_MAX / 2);
        jsonw_init(&w, &buf);
        tojson_message(&w, tree);
        batch = decode(signal, buf_slice(&buf), &status);
        if (CHECK_EQ(status, OK)) {
            const char *wrong = tree_compare(batch, tree);

            CHECK_TEXT(slice_of(wrong ? wrong : ""), "");
        } else {
            CHECK_TEXT(detail, "");
        }
        batch_free(batch);
        buf_release(&buf);
        protobuf_c_message_free_unpacked(tree, NULL);
    }
}

/* Cut anywhere it is malformed; altered anywhere it does not crash. */
TEST(truncated_and_altered_json)
{
    for (int round = 0; round < 30; round++) {
        enum signal signal = (enum signal)(round % SIGNAL_COUNT);
        ProtobufCMessage *tree = random_request(signal);
        struct jsonw w;
        struct buf buf;

        buf_init(&buf, SIZE_MAX / 2);
        jsonw_init(&w, &buf);
        tojson_message(&w, tree);
        for (size_t at = 0; at < buf.len; at += buf.len / 300 + 1) {
            struct slice truncated = {buf.ptr, at};
            char was = buf.ptr[at];
            enum status status;

            batch_free(decode(signal, truncated, &status));
            CHECK_EQ(status, ERR_MALFORMED);
            buf.ptr[at] = "\"{}[],:\\0e.-n\x7f"[test_random(14)];
            batch_free(decode(signal, buf_slice(&buf), &status));
            CHECK(status == OK || status == ERR_MALFORMED);
            buf.ptr[at] = was;
        }
        buf_release(&buf);
        protobuf_c_message_free_unpacked(tree, NULL);
    }
}

/* A batch that must be good. */
static struct batch *good(enum signal signal, const char *text)
{
    enum status status;
    struct batch *batch = decode(signal, slice_of(text), &status);

    if (!CHECK_EQ(status, OK))
        CHECK_TEXT(detail, text);
    return batch;
}

/* One span with these members beside its ids. */
static struct batch *span(const char *members)
{
    static char text[8192 + 512];

    snprintf(text, sizeof(text),
             "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS
             ",\"startTimeUnixNano\":\"1795253952000000000\","
             "\"endTimeUnixNano\":1795253952000000000%s%s}]}]}]}",
             *members ? "," : "", members);
    return good(SIGNAL_SPANS, text);
}

/* The value of the one attribute of one span. */
static struct batch *value(const char *any, struct attr *attr)
{
    static char text[8192];
    struct batch *batch;

    snprintf(text, sizeof(text),
             "\"attributes\":[{\"key\":\"k\",\"value\":%s}]", any);
    batch = span(text);
    *attr = (struct attr){.type = 77};
    if (CHECK_EQ(batch->count, 1) && CHECK_EQ(batch->spans[0].attrs.count, 1))
        *attr = batch->spans[0].attrs.at[0];
    return batch;
}

TEST(what_a_js_sdk_sends)
{
    struct batch *batch = good(
        SIGNAL_SPANS,
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":"
        "\"service.name\",\"value\":{\"stringValue\":\"checkout\"}}],"
        "\"droppedAttributesCount\":0},\n \"scopeSpans\":[{\"scope\":{"
        "\"name\":\"http\",\"version\":\"1.2\"},\"spans\":[{" IDS
        ",\"name\":\"POST /orders\",\"kind\":2,\n  "
        "\"startTimeUnixNano\":\"1795253952872000000\","
        "\"endTimeUnixNano\":\"1795253952915000000\",\n  "
        "\"attributes\":[{\"key\":\"http.response.status_code\",\"value\":{"
        "\"intValue\":503}}],\"status\":{\"code\":2,\"message\":\"upstream "
        "timeout\"},\"flags\":257}]}]}]}\n");
    const struct span *s = batch->spans;

    if (CHECK_EQ(batch->count, 1)) {
        CHECK_EQ(s->trace_id[0], 0x0a);
        CHECK_EQ(s->trace_id[15], 0x9c);
        CHECK_EQ(s->span_id[7], 0x31);
        CHECK(id_is_zero(s->parent_span_id, 8));
        CHECK_TEXT(s->name, "POST /orders");
        CHECK_EQ(s->kind, SPAN_SERVER);
        CHECK_EQ(s->start_ns, UINT64_C(1795253952872000000));
        CHECK_EQ(s->end_ns, UINT64_C(1795253952915000000));
        CHECK_EQ(s->status, SPAN_ERROR);
        CHECK_TEXT(s->status_message, "upstream timeout");
        CHECK_EQ(s->flags, 257);
        CHECK_EQ(s->attrs.at[0].type, VALUE_INT);
        CHECK_EQ(s->attrs.at[0].i, 503);
        CHECK_TEXT(s->scope->name, "http");
        CHECK_TEXT(s->scope->version, "1.2");
        CHECK_TEXT(
            attr_text(attrs_find(&s->resource->attrs, SLICE("service.name"))),
            "checkout");
    }
    batch_free(batch);
}

TEST(snake_case_enum_names_and_nulls)
{
    struct batch *batch = good(
        SIGNAL_SPANS,
        "{\"resource_spans\":[{\"scope_spans\":[{\"spans\":[{\"trace_id\":"
        "\"0AF7651916CD43DD8448EB211C80319C\",\"span_id\":\"" SPAN "\","
        "\"parent_span_id\":null,\"name\":null,\"attributes\":null,"
        "\"kind\":\"SPAN_KIND_CLIENT\",\"start_time_unix_nano\":1,"
        "\"end_time_unix_nano\":\"1e3\",\"dropped_attributes_count\":\"7\","
        "\"status\":{\"code\":\"STATUS_CODE_ERROR\"}}],"
        "\"schema_url\":\"u\"}]}]}");

    if (CHECK_EQ(batch->count, 1)) {
        CHECK_EQ(batch->spans[0].trace_id[0], 0x0a);
        CHECK_EQ(batch->spans[0].kind, SPAN_CLIENT);
        CHECK_EQ(batch->spans[0].status, SPAN_ERROR);
        CHECK_EQ(batch->spans[0].end_ns, 1000);
        CHECK_EQ(batch->spans[0].attrs.dropped, 7);
        CHECK_TEXT(batch->spans[0].scope->schema_url, "u");
    }
    batch_free(batch);
    batch = good(SIGNAL_LOGS,
                 "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{"
                 "\"severityNumber\":\"SEVERITY_NUMBER_WARN3\"},"
                 "{\"severityNumber\":\"SEVERITY_NUMBER_INFO\"},"
                 "{\"severityNumber\":\"21\"},{\"severityNumber\":99},"
                 "{\"severityNumber\":\"NO_SUCH\"}]}]}]}");
    if (CHECK_EQ(batch->count, 5)) {
        CHECK_EQ(batch->logs[0].severity, 15);
        CHECK_EQ(batch->logs[1].severity, 9);
        CHECK_EQ(batch->logs[2].severity, 21);
        CHECK_EQ(batch->logs[3].severity, 0);
        CHECK_EQ(batch->logs[4].severity, 0);
        CHECK(batch->logs[0].scope == NULL);
        CHECK_EQ(batch->logs[0].time_ns, NOW);
        CHECK_EQ(batch->logs[0].corrected, CORRECTED_TIME);
    }
    batch_free(batch);
}

TEST(unknown_members_and_duplicates)
{
    struct batch *batch =
        span("\"x\":{\"a\":[1,-2.5e3,{\"b\":null},[],{}],\"c\":true},\"y\":"
             "\"a\\\"b\",\"z\":[[[]]],\"w\":false,\"name\":\"one\",\"name\":"
             "\"two\",\"attributes\":[{\"key\":\"a\"}],\"attributes\":[{"
             "\"key\":\"b\"},{\"key\":\"c\",\"value\":{}}],\"events\":[{}],"
             "\"events\":[]");

    if (CHECK_EQ(batch->count, 1)) {
        CHECK_TEXT(batch->spans[0].name, "two");
        CHECK_EQ(batch->spans[0].attrs.count, 2);
        CHECK_TEXT(attr_key(&batch->spans[0].attrs.at[0]), "b");
        CHECK_EQ(batch->spans[0].attrs.at[0].type, VALUE_EMPTY);
        CHECK_EQ(batch->spans[0].attrs.at[1].type, VALUE_EMPTY);
        CHECK_EQ(batch->spans[0].event_count, 0);
    }
    batch_free(batch);

    /* The last list of records holds, at each level. */
    batch = good(SIGNAL_SPANS,
                 "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{},{}]}]}],"
                 "\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS
                 ",\"name\":\"no\"}]}],\"scopeSpans\":[{\"spans\":[{},{}],"
                 "\"spans\":[{" IDS ",\"name\":\"yes\"}]}]}]}");
    if (CHECK_EQ(batch->count, 1))
        CHECK_TEXT(batch->spans[0].name, "yes");
    CHECK_EQ(batch->rejected, 0);
    CHECK_EQ(batch->resource_count, 1);
    batch_free(batch);
}

TEST(values_of_every_type)
{
    struct attr a;
    struct batch *batch = value("{\"stringValue\":\"\"}", &a);

    CHECK_EQ(a.type, VALUE_STRING);
    CHECK_EQ(a.len, 0);
    batch_free(batch);
    batch = value("{\"boolValue\":true}", &a);
    CHECK(a.type == VALUE_BOOL && a.b);
    batch_free(batch);
    batch = value("{\"intValue\":\"-9223372036854775808\"}", &a);
    CHECK(a.type == VALUE_INT && a.i == INT64_MIN);
    batch_free(batch);
    batch = value("{\"intValue\":9223372036854775807}", &a);
    CHECK(a.type == VALUE_INT && a.i == INT64_MAX);
    batch_free(batch);
    batch = value("{\"intValue\":-1.50e1}", &a);
    CHECK(a.type == VALUE_INT && a.i == -15);
    batch_free(batch);
    batch = value("{\"intValue\":0e999999}", &a);
    CHECK(a.type == VALUE_INT && a.i == 0);
    batch_free(batch);
    batch = value("{\"doubleValue\":0.1}", &a);
    CHECK(a.type == VALUE_DOUBLE && a.d == 0.1);
    batch_free(batch);
    batch = value("{\"doubleValue\":\"NaN\"}", &a);
    CHECK(a.type == VALUE_DOUBLE && isnan(a.d));
    batch_free(batch);
    batch = value("{\"doubleValue\":\"-Infinity\"}", &a);
    CHECK(a.type == VALUE_DOUBLE && isinf(a.d) && a.d < 0);
    batch_free(batch);
    batch = value("{\"doubleValue\":\"2.2250738585072014e-308\"}", &a);
    CHECK(a.type == VALUE_DOUBLE && a.d == 2.2250738585072014e-308);
    batch_free(batch);
    batch = value("{\"stringValue\":\"x\",\"intValue\":\"4\"}", &a);
    CHECK(a.type == VALUE_INT && a.i == 4);
    batch_free(batch);
    batch = value("{\"arrayValue\":{\"values\":[{\"intValue\":1},{},{"
                  "\"kvlistValue\":{\"values\":[{\"key\":\"x\",\"value\":{"
                  "\"boolValue\":true}}]}}]}}",
                  &a);
    if (CHECK(a.type == VALUE_ARRAY && a.len == 3)) {
        CHECK_EQ(a.items[0].i, 1);
        CHECK_EQ(a.items[1].type, VALUE_EMPTY);
        CHECK(a.items[2].type == VALUE_MAP && a.items[2].items[0].b);
        CHECK_TEXT(attr_key(&a.items[2].items[0]), "x");
    }
    batch_free(batch);
}

TEST(base64_in_both_alphabets)
{
    static const char *const spellings[] = {"\"+/+/AQ==\"", "\"-_-_AQ==\"",
                                            "\"-_-_AQ\"", "\"\\u002b/+/AQ\""};

    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        char any[64];
        struct attr a;
        struct batch *batch;

        snprintf(any, sizeof(any), "{\"bytesValue\":%s}", spellings[i]);
        batch = value(any, &a);
        CHECK(a.type == VALUE_BYTES && a.len == 4 &&
              memcmp(a.str, "\xfb\xff\xbf\x01", 4) == 0);
        batch_free(batch);
    }
}

TEST(escapes)
{
    struct batch *batch =
        span("\"n\\u0061me\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\u20AC"
             "\\ud83d\\ude00|\\ud83d|\\ude00|\\ud83d\\u0041|\\u0000.\"");
    struct slice name = batch->spans[0].name;
    static const char want[] =
        "\"\\/\b\f\n\r\t\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80|\xef\xbf\xbd|"
        "\xef\xbf\xbd|\xef\xbf\xbd"
        "A|\0.";

    CHECK(slice_equal(name, (struct slice){want, sizeof(want) - 1}));
    batch_free(batch);
}

static void refused(enum signal signal, const char *text, const char *why)
{
    enum status status;
    struct batch *batch = decode(signal, slice_of(text), &status);

    CHECK_EQ(status, ERR_MALFORMED);
    CHECK_TEXT(detail, why);
    batch_free(batch);
}

#define SPANS(members)                                                         \
    "{\"resourceSpans\":[{\"scopeSpans\":[{},{\"spans\":[{},{" members "}]}]}" \
    "]}"
#define AT "resourceSpans[0].scopeSpans[1].spans[1]"

TEST(errors_name_the_place)
{
    refused(SIGNAL_SPANS, SPANS("\"startTimeUnixNano\":true"),
            AT ".startTimeUnixNano: not a number");
    refused(SIGNAL_SPANS, SPANS("\"kind\":1.5"),
            AT ".kind: not an integer, or out of range");
    refused(SIGNAL_SPANS, SPANS("\"flags\":-1"),
            AT ".flags: not an integer, or out of range");
    refused(SIGNAL_SPANS, SPANS("\"name\":{}"), AT ".name: not a string");
    refused(SIGNAL_SPANS,
            SPANS("\"attributes\":[{\"key\":\"a\",\"value\":{\"intValue\":"
                  "\"9223372036854775808\"}}]"),
            AT ".attributes[0].value.intValue: not an integer, or out of "
               "range");
    refused(SIGNAL_SPANS,
            SPANS("\"attributes\":[{},{\"value\":{\"bytesValue\":\"a\"}}]"),
            AT ".attributes[1].value.bytesValue: not base64");
    refused(SIGNAL_SPANS, SPANS("\"name\":\"\\x\""),
            AT ".name: unknown escape in a string");
    refused(SIGNAL_SPANS, SPANS("\"name\":\"a long text, and then a\ttab\""),
            AT ".name: control character in a string");
    refused(SIGNAL_SPANS, "{\"resourceSpans\":[]} x",
            "unexpected text after the end");
    refused(SIGNAL_LOGS, "", "not an object");
    refused(SIGNAL_LOGS, "[]", "not an object");
    refused(SIGNAL_LOGS, "{\"resourceLogs\":{}}", "resourceLogs: not an array");
    refused(SIGNAL_LOGS, "{\"resourceLogs\":[{]}",
            "resourceLogs[0]: not a string");
    refused(SIGNAL_LOGS, "{\"resourceLogs\":[{},]}",
            "resourceLogs[1]: not an object");
    refused(SIGNAL_LOGS, "{\"x\":01}", "not a number");
}

TEST(deep_nesting_neither_crashes_nor_recurses)
{
    enum { DEEP = 10000 };
    static const char open[] = "{\"arrayValue\":{\"values\":[";
    static const char close[] = "]}}";
    static char text[DEEP * 32 + 1000];

    for (int depth = ATTR_MAX_DEPTH; depth <= DEEP;
         depth = depth < 20 ? depth + 1 : depth * 10) {
        char *at = text;
        struct batch *batch;
        enum status status;

        at += sprintf(at, "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\""
                          ":[{\"body\":");
        for (int i = 0; i < depth; i++)
            at += sprintf(at, "%s", open);
        at += sprintf(at, "{\"intValue\":1}");
        for (int i = 0; i < depth; i++)
            at += sprintf(at, "%s", close);
        at += sprintf(at, "}]}]}]}");
        batch = decode(SIGNAL_LOGS, slice_of(text), &status);
        CHECK_EQ(status, depth < 300 ? OK : ERR_MALFORMED);
        if (status == OK) {
            const struct attr *a = &batch->logs[0].body;
            int seen = 0;

            for (; a->type == VALUE_ARRAY; a = a->items)
                seen++;
            CHECK_EQ(seen, ATTR_MAX_DEPTH);
            CHECK_EQ(a->type, depth > seen ? VALUE_EMPTY : VALUE_INT);
            CHECK_EQ(batch->truncated, depth > seen);
        }
        batch_free(batch);
    }
    memset(text, '[', DEEP);
    text[0] = '{';
    memcpy(text + 1, "\"x\":", 4);
    text[DEEP] = '\0';
    refused(SIGNAL_LOGS, text, "nested too deep");
}

TEST(metrics_of_every_type)
{
    struct batch *batch = good(
        SIGNAL_METRICS,
        "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":["
        "{\"name\":\"g\",\"gauge\":{\"dataPoints\":[{\"asInt\":\"-5\","
        "\"timeUnixNano\":5},{\"asDouble\":1.5,\"flags\":1,\"exemplars\":[{"
        "\"asInt\":3,\"traceId\":\"" TRACE "\"}]}]}},"
        "{\"sum\":{\"isMonotonic\":true,\"aggregationTemporality\":"
        "\"AGGREGATION_TEMPORALITY_CUMULATIVE\",\"dataPoints\":[{}]},"
        "\"name\":\"s\",\"unit\":\"1\"},"
        "{\"name\":\"h\",\"histogram\":{\"aggregationTemporality\":1,"
        "\"dataPoints\":[{\"count\":\"3\",\"sum\":2.5,\"bucketCounts\":[\"1\","
        "2],\"explicitBounds\":[10],\"min\":0},{\"bucketCounts\":[1]},{"
        "\"bucketCounts\":[1],\"explicitBounds\":[1]}]}},"
        "{\"name\":\"e\",\"exponentialHistogram\":{\"dataPoints\":[{\"count\":"
        "4,\"scale\":-2,\"zeroCount\":1,\"positive\":{\"offset\":-3,"
        "\"bucketCounts\":[1,0,2]},\"explicitBounds\":\"passed over\"}]}},"
        "{\"name\":\"q\",\"summary\":{\"dataPoints\":[{\"count\":1,\"sum\":2,"
        "\"quantileValues\":[{\"quantile\":0.5,\"value\":7},{\"quantile\":1,"
        "\"value\":9}]}]}},"
        "{\"name\":\"none\"},"
        "{\"name\":\"last\",\"sum\":{\"isMonotonic\":true,\"dataPoints\":[{},"
        "{}]},\"gauge\":{\"dataPoints\":[{\"asInt\":1}]}}]}]}]}");
    const struct point *p = batch->points;

    CHECK_EQ(batch->rejected, 1);
    if (!CHECK_EQ(batch->count, 8)) {
        batch_free(batch);
        return;
    }
    CHECK(p[0].is_int && p[0].i == -5 && p[0].time_ns == 5);
    CHECK_TEXT(p[0].metric->name, "g");
    CHECK(p[0].metric == p[1].metric && p[0].metric->scope == NULL);
    CHECK(!p[1].is_int && p[1].d == 1.5 && p[1].flags == POINT_NO_VALUE);
    CHECK(p[1].exemplar_count == 1 && p[1].exemplars[0].value == 3 &&
          p[1].exemplars[0].trace_id[0] == 0x0a);
    CHECK(p[2].metric->monotonic && p[2].metric->temporality == CUMULATIVE);
    CHECK_TEXT(p[2].metric->unit, "1");
    CHECK(p[3].histogram->count == 3 && p[3].histogram->bound_count == 1 &&
          p[3].histogram->counts[1] == 2 && p[3].histogram->bounds[0] == 10 &&
          p[3].histogram->has_min && !p[3].histogram->has_max);
    CHECK_EQ(p[3].metric->temporality, DELTA);
    CHECK(p[4].histogram->bound_count == 0 && p[4].histogram->counts[0] == 1);
    CHECK(p[5].histogram->scale == -2 && p[5].histogram->positive.count == 3 &&
          p[5].histogram->positive.offset == -3 &&
          p[5].histogram->positive.counts[2] == 2);
    CHECK(p[6].histogram->bound_count == 2 && p[6].histogram->values[1] == 9);
    CHECK(p[7].is_int && p[7].metric->type == METRIC_GAUGE &&
          !p[7].metric->monotonic);
    batch_free(batch);
}
