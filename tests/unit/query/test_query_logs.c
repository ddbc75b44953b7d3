/* Shape and content of log and event entries. */
#include "derived.h"
#include "fake_query.h"

#define TIMES                                 \
    "\"startTime\":\"2026-08-21T08:00:00Z\"," \
    "\"endTime\":\"2026-08-21T09:00:00Z\""
#define SCOPE "\"searchScope\":{\"namespace\":\"acme\",\"project\":\"shop\"}"
#define T0    (UINT64_C(1787299200) * NS_PER_S) /* 2026-08-21T08:00:00Z */

static struct bed bed;
static struct log_record logs[3];

static void put_log(const char *text, uint8_t level)
{
    bed.store->logs = logs;
    logs[bed.store->log_count++] = (struct log_record){
        .time_ns = T0 + 120000000,
        .body = bed_attr("", text),
        .level = level,
        .resource_id = bed_resource(&bed, "shop", "cart"),
    };
}

TEST(a_log_entry_has_all_that_is_known)
{
    static struct attr attrs[1];
    json_t *answer;

    bed_init(&bed);
    put_log("level=error msg=\"timeout\"", LEVEL_FATAL);
    attrs[0] = bed_attr("http.route", "/pay");
    logs[0].attrs = (struct attrs){attrs, 1, 0};
    logs[0].trace_id[15] = 0xab;
    logs[0].span_id[0] = 0x01;
    logs[0].endpoint = SLICE("http");
    answer = bed_ask(&bed, "POST", "/api/v1/logs/query",
                     "{" TIMES "," SCOPE ",\"includeAttributes\":true}");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "total"), "1");
    CHECK(json_is_integer(json_object_get(answer, "tookMs")));
    CHECK_TEXT(bed_at(answer, "logs.0.timestamp"), "2026-08-21T08:00:00.12Z");
    CHECK_TEXT(bed_at(answer, "logs.0.log"), "level=error msg=\"timeout\"");
    CHECK_TEXT(bed_at(answer, "logs.0.level"), "FATAL");
    CHECK_TEXT(bed_at(answer, "logs.0.metadata.componentName"), "cart");
    CHECK_TEXT(bed_at(answer, "logs.0.metadata.projectName"), "shop");
    CHECK_TEXT(bed_at(answer, "logs.0.metadata.environmentName"), "prod");
    CHECK_TEXT(bed_at(answer, "logs.0.metadata.namespaceName"), "acme");
    CHECK_TEXT(bed_at(answer, "logs.0.metadata.componentUid"),
               "5b0d0000-1111-2222-3333-444455556666");
    CHECK_TEXT(bed_at(answer, "logs.0.metadata.projectUid"), "");
    CHECK_TEXT(bed_at(answer, "logs.0.metadata.podName"), "cart");
    CHECK_TEXT(bed_at(answer, "logs.0.metadata.podNamespace"), "dp-acme");
    CHECK_TEXT(bed_at(answer, "logs.0.metadata.containerName"), "main");
    CHECK_TEXT(bed_at(answer, "logs.0.traceId"),
               "000000000000000000000000000000ab");
    CHECK_TEXT(bed_at(answer, "logs.0.spanId"), "0100000000000000");
    CHECK_TEXT(bed_at(answer, "logs.0.endpoint"), "http");
    CHECK(strstr(bed.text, "\"attributes\":{\"http.route\":\"/pay\"}"));
    json_decref(answer);
    bed_release(&bed);
}

TEST(what_is_not_known_is_left_out)
{
    json_t *answer;

    bed_init(&bed);
    put_log("hello", LEVEL_UNSET);
    answer =
        bed_ask(&bed, "POST", "/api/v1/logs/query", "{" TIMES "," SCOPE "}");
    CHECK_TEXT(bed_at(answer, "logs.0.level"), "INFO");
    CHECK(!strstr(bed.text, "traceId"));
    CHECK(!strstr(bed.text, "spanId"));
    CHECK(!strstr(bed.text, "attributes"));
    CHECK(!strstr(bed.text, "projectUid"));
    json_decref(answer);
    bed_release(&bed);
}

TEST(bodies_that_are_no_text_become_json)
{
    static struct attr items[2];
    json_t *answer;

    bed_init(&bed);
    put_log("", LEVEL_TRACE);
    items[0] = bed_attr("msg", "hi");
    items[1] =
        (struct attr){.key = "n", .key_len = 1, .type = VALUE_INT, .i = 3};
    logs[0].body = (struct attr){.type = VALUE_MAP, .items = items, .len = 2};
    answer =
        bed_ask(&bed, "POST", "/api/v1/logs/query", "{" TIMES "," SCOPE "}");
    CHECK_TEXT(bed_at(answer, "logs.0.log"), "{\"msg\":\"hi\",\"n\":3}");
    CHECK_TEXT(bed_at(answer, "logs.0.level"), "DEBUG");
    json_decref(answer);
    bed_release(&bed);
}

TEST(nothing_is_an_empty_list)
{
    json_t *answer;

    bed_init(&bed);
    answer =
        bed_ask(&bed, "POST", "/api/v1/logs/query", "{" TIMES "," SCOPE "}");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "logs"), "[0]");
    json_decref(answer);
    answer =
        bed_ask(&bed, "POST", "/api/v1/events/query", "{" TIMES "," SCOPE "}");
    CHECK_TEXT(bed_at(answer, "events"), "[0]");
    CHECK(bed.store->log_query.events);
    json_decref(answer);
    bed_release(&bed);
}

/* How clients tell the two kinds of scope apart. */
TEST(workflow_entries_are_time_and_text_only)
{
    static struct attr attrs[3];
    struct resource resource = {.id = RESOURCE_NONE};
    json_t *answer;

    bed_init(&bed);
    put_log("step 1", LEVEL_INFO);
    attrs[0] = bed_attr("k8s.namespace.name", "workflows-acme");
    attrs[1] = bed_attr("k8s.pod.name", "cart-build-42-xyz");
    attrs[2] = bed_attr("k8s.container.name", "main");
    resource.attrs = (struct attrs){attrs, 3, 0};
    registry_resolve(bed.registry, &resource, T0);
    logs[0].resource_id = resource.id;
    answer = bed_ask(&bed, "POST", "/api/v1/logs/query",
                     "{" TIMES ",\"searchScope\":{\"namespace\":\"acme\","
                     "\"workflowRunName\":\"cart-build-42\"}}");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "logs.0.log"), "step 1");
    CHECK_EQ(
        json_object_size(json_array_get(json_object_get(answer, "logs"), 0)),
        2);
    json_decref(answer);
    answer = bed_ask(&bed, "POST", "/api/v1/events/query",
                     "{" TIMES ",\"searchScope\":{\"namespace\":\"acme\","
                     "\"workflowRunName\":\"cart-build-42\"}}");
    CHECK_TEXT(bed_at(answer, "events.0.message"), "step 1");
    CHECK(!strstr(bed.text, "metadata"));
    json_decref(answer);
    bed_release(&bed);
}

TEST(kubernetes_events_by_attributes)
{
    static struct attr attrs[4];
    json_t *answer;

    bed_init(&bed);
    put_log("Back-off restarting failed container", LEVEL_WARN);
    attrs[0] = bed_attr("k8s.event.reason", "BackOff");
    attrs[1] = bed_attr("k8s.object.kind", "Pod");
    attrs[2] = bed_attr("k8s.object.name", "cart-7d9");
    attrs[3] = bed_attr("k8s.namespace.name", "dp-acme-shop");
    logs[0].attrs = (struct attrs){attrs, 4, 0};
    logs[0].severity_text = SLICE("Warning");
    put_log("Started", LEVEL_UNSET);
    answer =
        bed_ask(&bed, "POST", "/api/v1/events/query", "{" TIMES "," SCOPE "}");
    CHECK_TEXT(bed_at(answer, "events.0.type"), "Warning");
    CHECK_TEXT(bed_at(answer, "events.0.reason"), "BackOff");
    CHECK_TEXT(bed_at(answer, "events.0.message"),
               "Back-off restarting failed container");
    CHECK_TEXT(bed_at(answer, "events.0.metadata.objectKind"), "Pod");
    CHECK_TEXT(bed_at(answer, "events.0.metadata.objectName"), "cart-7d9");
    CHECK_TEXT(bed_at(answer, "events.0.metadata.objectNamespace"),
               "dp-acme-shop");
    CHECK_TEXT(bed_at(answer, "events.0.metadata.componentName"), "cart");
    CHECK_TEXT(bed_at(answer, "events.1.type"), "Normal");
    CHECK_TEXT(bed_at(answer, "events.1.reason"), "");
    json_decref(answer);
    bed_release(&bed);
}

static void check_400(const char *members, const char *text)
{
    char body[1024];
    json_t *answer;

    bed_init(&bed);
    snprintf(body, sizeof(body), "{" TIMES ",%s}", members);
    answer = bed_ask(&bed, "POST", "/api/v1/events/query", body);
    CHECK_EQ(bed.status, 400);
    if (!CHECK(strstr(bed.text, text)))
        printf("# %s\n", bed.text);
    json_decref(answer);
    bed_release(&bed);
}

TEST(reasons_of_events)
{
    json_t *answer;

    bed_init(&bed);
    answer = bed_ask(&bed, "POST", "/api/v1/events/query",
                     "{" TIMES ",\"reasons\":[\"BackOff\","
                     "\"VersionChanged\"]}"); /* needs no scope then */
    CHECK_EQ(bed.status, 200);
    CHECK_EQ(bed.store->log_query.any_count, 3);
    json_decref(answer);
    bed_release(&bed);
    check_400("\"limit\":1", "searchScope is required");
    check_400(SCOPE ",\"reasons\":[]", "reasons must be 1 to 32");
    check_400(SCOPE ",\"reasons\":[\"a\",\"a\"]", "reasons must be 1 to 32");
    check_400(SCOPE ",\"reasons\":[\"\"]", "reasons must be 1 to 32");
    check_400(SCOPE ",\"reasons\":\"a\"", "reasons must be an array");
    check_400(SCOPE ",\"searchAfter\":\"x\"", "cursor must be");
}

/* Of releases, which are change events as well. */
TEST(a_release_keeps_reason_and_object)
{
    static struct attr attrs[4];
    json_t *answer;

    bed_init(&bed);
    put_log("release cart-5d9 failed: commit 1a2b3c4", LEVEL_WARN);
    attrs[0] = bed_attr("k8s.event.reason", "DeploymentFailed");
    attrs[1] = bed_attr("k8s.object.kind", "Deployment");
    attrs[2] = bed_attr("k8s.object.name", "cart");
    attrs[3] = bed_attr(DERIVED_CHANGE_KIND, "release");
    logs[0].attrs = (struct attrs){attrs, 4, 0};
    logs[0].event_name = SLICE(DERIVED_CHANGE);
    answer =
        bed_ask(&bed, "POST", "/api/v1/events/query", "{" TIMES "," SCOPE "}");
    CHECK_TEXT(bed_at(answer, "events.0.reason"), "DeploymentFailed");
    CHECK_TEXT(bed_at(answer, "events.0.type"), "Warning");
    CHECK_TEXT(bed_at(answer, "events.0.metadata.objectKind"), "Deployment");
    CHECK_TEXT(bed_at(answer, "events.0.metadata.objectName"), "cart");
    json_decref(answer);
    bed_release(&bed);
}

TEST(a_log_entry_has_the_name_of_its_event)
{
    json_t *answer;

    bed_init(&bed);
    put_log("text", LEVEL_INFO);
    logs[0].event_name = SLICE("device.app.crash");
    answer =
        bed_ask(&bed, "POST", "/api/v1/logs/query", "{" TIMES "," SCOPE "}");
    CHECK_TEXT(bed_at(answer, "logs.0.eventName"), "device.app.crash");
    json_decref(answer);
    bed_release(&bed);
}

TEST(change_events_stand_beside_them)
{
    static struct attr attrs[1];
    json_t *answer;

    bed_init(&bed);
    put_log("cart went from 1.0 to 1.1", LEVEL_INFO);
    attrs[0] = bed_attr(DERIVED_CHANGE_KIND, "version");
    logs[0].attrs = (struct attrs){attrs, 1, 0};
    logs[0].event_name = SLICE(DERIVED_CHANGE);
    answer =
        bed_ask(&bed, "POST", "/api/v1/events/query", "{" TIMES "," SCOPE "}");
    CHECK_TEXT(bed_at(answer, "events.0.reason"), "VersionChanged");
    CHECK_TEXT(bed_at(answer, "events.0.type"), "Normal");
    CHECK_TEXT(bed_at(answer, "events.0.metadata.objectKind"), "Component");
    CHECK_TEXT(bed_at(answer, "events.0.metadata.objectName"), "cart");
    json_decref(answer);
    bed_release(&bed);
}
