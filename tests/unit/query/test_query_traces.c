#include "fake_query.h"

#define LIST "/api/v1alpha1/traces/query"
#define ONE  "/api/v1alpha1/traces/000000000000000000000000000000AB/spans"
#define TIMES                                 \
    "\"startTime\":\"2026-08-21T08:00:00Z\"," \
    "\"endTime\":\"2026-08-21T09:00:00Z\""
#define SHOP  "\"searchScope\":{\"namespace\":\"acme\",\"project\":\"shop\"}"
#define OTHER "\"searchScope\":{\"namespace\":\"acme\",\"project\":\"bank\"}"
#define T0    (UINT64_C(1787299200) * NS_PER_S) /* 2026-08-21T08:00:00Z */

static struct bed bed;
static struct span spans[2];
static struct attr attrs[2];
static struct span_event event;
static struct span_link link;

/* A gateway's root and a failed call into the shop below it. */
static void put_trace(void)
{
    bed_init(&bed);
    bed.store->spans = spans;
    bed.store->span_count = 2;
    memset(spans, 0, sizeof(spans));
    for (int i = 0; i < 2; i++) {
        spans[i].trace_id[15] = 0xab;
        spans[i].span_id[7] = (uint8_t)(i + 1);
        spans[i].start_ns = T0 + (uint64_t)i * 1000;
        spans[i].end_ns = T0 + NS_PER_MS;
    }
    spans[0].resource_id = bed_resource(&bed, "edge", "gateway");
    spans[0].name = SLICE("GET /");
    spans[0].kind = SPAN_SERVER;
    spans[1].resource_id = bed_resource(&bed, "shop", "cart");
    spans[1].parent_span_id[7] = 1;
    spans[1].name = SLICE("charge");
    spans[1].status = SPAN_ERROR;
    spans[1].status_message = SLICE("declined");
    spans[1].endpoint = SLICE("grpc");
    spans[1].operation = SLICE("Pay/Charge");
    attrs[0] = bed_attr("http.route", "/pay");
    attrs[1] = (struct attr){.key = "http.response.status_code",
                             .key_len = 25,
                             .type = VALUE_INT,
                             .i = 504};
    spans[1].attrs = (struct attrs){attrs, 2, 0};
    event = (struct span_event){.time_ns = T0, .name = SLICE("exception")};
    spans[1].events = &event;
    spans[1].event_count = 1;
    link.trace_id[0] = 0x77;
    spans[1].links = &link;
    spans[1].link_count = 1;
}

TEST(a_trace_in_the_list)
{
    static struct trace_summary trace;
    json_t *answer;

    bed_init(&bed);
    trace = (struct trace_summary){.trace_id = {0x43},
                                   .root_span_id = {0x24},
                                   .root_name = SLICE("GET /checkout"),
                                   .span_count = 14,
                                   .start_ns = T0,
                                   .end_ns = T0 + 400000000,
                                   .root_kind = SPAN_SERVER,
                                   .has_errors = true};
    trace.root_resource_id = bed_resource(&bed, "shop", "checkout");
    bed.store->traces = &trace;
    bed.store->trace_count = 1;
    answer = bed_ask(&bed, "POST", LIST,
                     "{" TIMES "," SHOP ",\"minDuration\":\"250ms\","
                     "\"errorsOnly\":true,\"operation\":\"GET /checkout\","
                     "\"attributes\":{\"http.route\":\"/x\",\"n\":1.5}}");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "total"), "1");
    CHECK_TEXT(bed_at(answer, "traces.0.traceId"),
               "43000000000000000000000000000000");
    CHECK_TEXT(bed_at(answer, "traces.0.traceName"), "GET /checkout");
    CHECK_TEXT(bed_at(answer, "traces.0.spanCount"), "14");
    CHECK_TEXT(bed_at(answer, "traces.0.rootSpanId"), "2400000000000000");
    CHECK_TEXT(bed_at(answer, "traces.0.rootSpanName"), "GET /checkout");
    CHECK_TEXT(bed_at(answer, "traces.0.rootSpanKind"), "SERVER");
    CHECK_TEXT(bed_at(answer, "traces.0.rootComponent"), "checkout");
    CHECK_TEXT(bed_at(answer, "traces.0.startTime"), "2026-08-21T08:00:00Z");
    CHECK_TEXT(bed_at(answer, "traces.0.durationNs"), "400000000");
    CHECK_TEXT(bed_at(answer, "traces.0.hasErrors"), "true");
    CHECK_EQ(bed.store->trace_query.min_duration_ns, 250 * NS_PER_MS);
    CHECK(bed.store->trace_query.errors_only);
    CHECK(bed.store->trace_query.visible != NULL);
    CHECK_EQ(bed.store->trace_query.attr_count, 2);
    json_decref(answer);
    bed_release(&bed);
}

TEST(a_trace_that_touches_the_scope_is_shown_whole)
{
    json_t *answer;

    put_trace();
    answer = bed_ask(&bed, "POST", ONE "/query",
                     "{" TIMES "," SHOP ",\"sortOrder\":\"asc\"}");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "total"), "2");
    CHECK_TEXT(bed_at(answer, "spans.0.component"), "gateway");
    CHECK_TEXT(bed_at(answer, "spans.0.parentSpanId"), "");
    CHECK_TEXT(bed_at(answer, "spans.0.status.code"), "unset");
    CHECK_TEXT(bed_at(answer, "spans.1.parentSpanId"), "0000000000000001");
    CHECK_TEXT(bed_at(answer, "spans.1.status.code"), "error");
    CHECK_TEXT(bed_at(answer, "spans.1.status.message"), "declined");
    CHECK_TEXT(bed_at(answer, "spans.1.endpoint"), "grpc");
    CHECK_TEXT(bed_at(answer, "spans.1.operation"), "Pay/Charge");
    CHECK_TEXT(bed_at(answer, "spans.1.spanKind"), "");
    CHECK(!strstr(bed.text, "ttributes"));
    CHECK(!bed.store->whole);
    json_decref(answer);
    bed_release(&bed);
}

/* The verdict of the correlator, and what ingest corrected. */
TEST(what_was_noted_of_a_span_is_shown)
{
    json_t *answer;

    put_trace();
    bed.store->spans[0].failed = true;
    bed.store->spans[0].corrected = CORRECTED_TIME | CORRECTED_END;
    answer = bed_ask(&bed, "POST", ONE "/query",
                     "{" TIMES "," SHOP ",\"sortOrder\":\"asc\"}");
    CHECK_TEXT(bed_at(answer, "spans.0.status.code"), "error");
    CHECK_TEXT(bed_at(answer, "spans.0.endBeforeStart"), "true");
    CHECK_TEXT(bed_at(answer, "spans.0.timeCorrected"), "true");
    CHECK_TEXT(bed_at(answer, "spans.1.endBeforeStart"), "");
    CHECK_TEXT(bed_at(answer, "spans.1.timeCorrected"), "");
    json_decref(answer);
    bed_release(&bed);
}

TEST(order_limit_and_total)
{
    json_t *answer;

    put_trace();
    answer =
        bed_ask(&bed, "POST", ONE "/query", "{" TIMES "," SHOP ",\"limit\":1}");
    CHECK_TEXT(bed_at(answer, "spans"), "[1]");
    CHECK_TEXT(bed_at(answer, "total"), "2");
    CHECK_TEXT(bed_at(answer, "spans.0.spanName"), "charge"); /* desc */
    json_decref(answer);
    bed_release(&bed);
}

TEST(attributes_have_native_types)
{
    json_t *answer;

    put_trace();
    answer = bed_ask(&bed, "POST", ONE "/query",
                     "{" TIMES "," SHOP ",\"includeAttributes\":true}");
    CHECK(bed.store->whole);
    CHECK(strstr(bed.text, "\"http.response.status_code\":504"));
    CHECK(strstr(bed.text, "\"resourceAttributes\":{\"openchoreo.dev/"));
    CHECK_TEXT(bed_at(answer, "spans.0.events.0.name"), "exception");
    CHECK_TEXT(bed_at(answer, "spans.0.links.0.traceId"),
               "77000000000000000000000000000000");
    json_decref(answer);
    bed_release(&bed);
}

TEST(outside_the_scope_it_is_not_there)
{
    json_t *answer;

    put_trace();
    answer = bed_ask(&bed, "POST", ONE "/query", "{" TIMES "," OTHER "}");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "spans"), "[0]");
    CHECK_TEXT(bed_at(answer, "total"), "0");
    json_decref(answer);
    (void)bed_refused(&bed, ONE "/0000000000000002", "{" OTHER "}", 404,
                      "OBS-V1-T-07");
    answer = bed_ask(&bed, "POST",
                     "/api/v1alpha1/traces/11111111111111111111111111111111/"
                     "spans/query",
                     "{" TIMES "," SHOP "}");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "spans"), "[0]");
    json_decref(answer);
    bed_release(&bed);
}

TEST(span_details_by_get_and_post)
{
    json_t *answer;

    put_trace();
    answer = bed_ask(&bed, "GET", ONE "/0000000000000002", NULL);
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "spanName"), "charge");
    CHECK_TEXT(bed_at(answer, "attributes"), "{}");
    json_decref(answer);
    answer = bed_ask(&bed, "POST", ONE "/0000000000000002", "{" SHOP "}");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "spanId"), "0000000000000002");
    json_decref(answer);
    (void)bed_refused(&bed, ONE "/0000000000000009", "{" SHOP "}", 404,
                      "OBS-V1-T-07");
    bed_release(&bed);
}

TEST(ids_that_are_none)
{
    put_trace();
    CHECK_TEXT(
        slice_of(bed_refused(&bed, "/api/v1alpha1/traces/xyz/spans/query",
                             "{" TIMES "," SHOP "}", 400, "OBS-V1-T-06")),
        "traceId must be 32 hexadecimal digits");
    CHECK_TEXT(slice_of(bed_refused(&bed, ONE "/12", "{" SHOP "}", 400,
                                    "OBS-V1-T-06")),
               "spanId must be 16 hexadecimal digits");
    bed_release(&bed);
}

/* What another namespace sent in the same trace is not shown nor counted. */
TEST(a_trace_of_two_namespaces)
{
    static const char scope[] =
        "{" TIMES ",\"searchScope\":{\"namespace\":\"%s\"}}";
    char body[200], first[100];
    json_t *answer;

    put_trace();
    spans[1].resource_id = bed_resource_in(&bed, "bank", "shop", "cart");
    for (int i = 0; i < 2; i++) {
        (void)snprintf(body, sizeof(body), scope, i ? "bank" : "acme");
        answer = bed_ask(&bed, "POST", ONE "/query", body);
        CHECK_TEXT(bed_at(answer, "total"), "1");
        CHECK_TEXT(bed_at(answer, "spans.0.spanName"), i ? "charge" : "GET /");
        json_decref(answer);
        for (int k = 0; k < 2; k++) {
            (void)snprintf(first, sizeof(first), ONE "/000000000000000%d",
                           k + 1);
            json_decref(bed_ask(&bed, "POST", first, body));
            CHECK_EQ(bed.status, i == k ? 200 : 404);
        }
    }
    (void)snprintf(body, sizeof(body), scope, "third");
    answer = bed_ask(&bed, "POST", ONE "/query", body);
    CHECK_TEXT(bed_at(answer, "total"), "0");
    json_decref(answer);
    json_decref(bed_ask(&bed, "GET", ONE "/0000000000000002", NULL));
    CHECK_EQ(bed.status, 200);
    bed_release(&bed);
}
