/* Records as shippers and Kubernetes receivers send them, written as JSON; each
 * is read as a map and as a text. */
#include "log_normalize.h"

#include <stdio.h>

#include "clock.h"
#include "log_json.h"
#include "test.h"

static struct batch *batch;
static struct otlp_decoder decoding;
static struct log_record record;
static bool kept;

static void begin(void)
{
    batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);
    decoding = (struct otlp_decoder){.batch = batch, .arena = &batch->arena};
    record = (struct log_record){0};
}

static void end(void)
{
    batch_free(batch);
}

static struct attr map_of(const char *json)
{
    struct attr map;

    CHECK(log_json_map(&decoding, slice_of(json), &map));
    return map;
}

/* As a map, with attributes written as JSON, or NULL. */
static void shape(const char *body, const char *attrs)
{
    if (body)
        record.body = map_of(body);
    if (attrs) {
        struct attr map = map_of(attrs);

        record.attrs = (struct attrs){map.items, map.len, 0};
    }
    kept = log_normalize(&decoding, &record);
}

static void shape_text(const char *body)
{
    record.body = (struct attr){.key = "",
                                .str = body,
                                .len = (uint32_t)strlen(body),
                                .type = VALUE_STRING};
    kept = log_normalize(&decoding, &record);
}

static struct slice attr(const char *key)
{
    const struct attr *found = attrs_find(&record.attrs, slice_of(key));

    return found ? attr_text(found) : (struct slice){NULL, 0};
}

static struct slice body(void)
{
    return attr_text(&record.body);
}

/* ---- events by name ---- */

TEST(an_event_without_a_body_is_its_name)
{
    begin();
    record.event_name = SLICE("device.app.crash");
    shape(NULL, "{\"k\":\"v\"}");
    CHECK_TEXT(body(), "device.app.crash");
    CHECK_TEXT(attr("k"), "v");
    end();
    begin();
    shape(NULL, "{\"event.name\":\"session.start\"}");
    CHECK_TEXT(record.event_name, "session.start");
    CHECK_TEXT(body(), "session.start");
    end();
    begin();
    record.event_name = SLICE("own");
    record.body = (struct attr){.str = "text", .len = 4, .type = VALUE_STRING};
    shape(NULL, "{\"event.name\":\"other\"}");
    CHECK_TEXT(record.event_name, "own");
    CHECK_TEXT(body(), "text");
    end();
    begin(); /* the line among the attributes */
    shape(NULL, "{\"log\":\"boom\",\"stream\":\"stderr\"}");
    CHECK_TEXT(body(), "boom");
    end();
    begin();
    shape(NULL, NULL);
    CHECK_EQ(record.body.type, VALUE_EMPTY);
    end();
}

/* ---- shippers ---- */

static const char fluent_bit[] =
    "{\"log\":\"boom\\n\",\"stream\":\"stderr\",\"kubernetes\":{"
    "\"pod_name\":\"c-7f\",\"namespace_name\":\"dp-x\",\"pod_id\":\"u1\","
    "\"container_name\":\"main\",\"host\":\"n1\",\"docker_id\":\"d1\","
    "\"labels\":{\"openchoreo.dev/component\":\"c\"}}}";

static void check_fluent_bit(void)
{
    CHECK(kept);
    CHECK_TEXT(body(), "boom");
    CHECK_TEXT(attr("stream"), "stderr");
    CHECK_TEXT(attr("k8s.pod.name"), "c-7f");
    CHECK_TEXT(attr("k8s.namespace.name"), "dp-x");
    CHECK_TEXT(attr("k8s.container.name"), "main");
    CHECK_TEXT(attr("k8s.pod.uid"), "u1");
    CHECK_TEXT(attr("k8s.node.name"), "n1");
    CHECK_TEXT(attr("container.id"), "d1");
    CHECK(attrs_find(&record.attrs, SLICE("kubernetes")) != NULL);
    CHECK(attrs_find(&record.attrs, SLICE("log")) == NULL);
}

TEST(fluent_bits_record_as_a_map_and_as_a_text)
{
    begin();
    shape(fluent_bit, "{\"own\":\"kept\"}");
    check_fluent_bit();
    CHECK_TEXT(attr("own"), "kept");
    end();
    begin();
    shape_text(fluent_bit);
    check_fluent_bit();
    end();
}

static void check_pod(const char *body_json, const char *attrs_json,
                      const char *pod, const char *namespace,
                      const char *container)
{
    begin();
    shape(body_json, attrs_json);
    CHECK_TEXT(attr("k8s.pod.name"), pod);
    CHECK_TEXT(attr("k8s.namespace.name"), namespace);
    CHECK_TEXT(attr("k8s.container.name"), container);
    if (body_json)
        CHECK_TEXT(body(), "x");
    end();
}

TEST(shippers_coordinates)
{
    /* fluentd */
    check_pod("{\"log\":\"x\",\"docker\":{\"container_id\":\"d\"},"
              "\"kubernetes\":{\"pod_name\":\"p\",\"namespace_name\":\"n\","
              "\"container_name\":\"c\"}}",
              NULL, "p", "n", "c");
    /* Vector */
    check_pod("{\"message\":\"x\",\"source_type\":\"kubernetes_logs\","
              "\"kubernetes\":{\"pod_name\":\"p\",\"pod_namespace\":\"n\","
              "\"container_name\":\"c\",\"pod_labels\":{\"a\":\"b\"}}}",
              NULL, "p", "n", "c");
    /* Filebeat */
    check_pod("{\"@timestamp\":\"t\",\"message\":\"x\",\"kubernetes\":{"
              "\"pod\":{\"name\":\"p\",\"uid\":\"u\"},\"namespace\":\"n\","
              "\"container\":{\"name\":\"c\"}}}",
              NULL, "p", "n", "c");
    /* flattened */
    check_pod("{\"message\":\"x\",\"kubernetes_pod_name\":\"p\","
              "\"kubernetes_namespace_name\":\"n\","
              "\"kubernetes_container_name\":\"c\"}",
              NULL, "p", "n", "c");
    check_pod(NULL,
              "{\"kubernetes.pod_name\":\"p\",\"kubernetes.namespace_name\":"
              "\"n\",\"kubernetes.container_name\":\"c\"}",
              "p", "n", "c");
    check_pod(NULL,
              "{\"kubernetes.pod.name\":\"p\",\"kubernetes.namespace\":\"n\","
              "\"kubernetes.container.name\":\"c\"}",
              "p", "n", "c");
    check_pod(NULL,
              "{\"kubernetes\":{\"pod_name\":\"p\",\"namespace_name\":\"n\","
              "\"container_name\":\"c\"}}",
              "p", "n", "c");
    /* Promtail, Alloy */
    check_pod(NULL, "{\"pod\":\"p\",\"namespace\":\"n\",\"container\":\"c\"}",
              "p", "n", "c");
    check_pod(NULL, "{\"namespace\":\"n\",\"container\":\"c\"}", "", "", "");
    /* the file of a pod's container: filelog receiver, Promtail, Vector */
    check_pod(NULL, "{\"log.file.path\":\"/var/log/pods/n_p_u/c/0.log\"}", "p",
              "n", "c");
    check_pod(NULL, "{\"filename\":\"/var/log/pods/n_p_u/c/0.log\"}", "p", "n",
              "c");
    check_pod(NULL,
              "{\"log.file.path\":\"/var/log/containers/p_n_c-d-0123ab.log\"}",
              "p", "n", "c-d");
    check_pod(NULL, "{\"file\":\"/var/log/containers/p_n_c.log\"}", "", "", "");
    check_pod(NULL, "{\"file\":\"/var/log/containers/p\"}", "", "", "");
    check_pod(NULL, "{\"file\":\"/var/log/pods/n_p\"}", "", "", "");
    check_pod(NULL, "{\"file\":\"/var/log/pods/n_p_u\"}", "", "", "");
    check_pod(NULL, "{\"file\":\"/var/log/syslog\"}", "", "", "");
    /* what the record says itself stays */
    check_pod(NULL,
              "{\"k8s.pod.name\":\"own\",\"kubernetes\":{\"pod_name\":\"p\"}}",
              "own", "", "");
}

TEST(a_line_of_dockers_file)
{
    begin();
    shape_text("{\"log\":\"level=warn x\\n\",\"stream\":\"stderr\","
               "\"time\":\"2024-06-05T10:00:00Z\"}");
    CHECK_TEXT(body(), "level=warn x");
    CHECK_TEXT(attr("stream"), "stderr");
    end();
}

TEST(an_applications_own_map_stays)
{
    begin();
    shape("{\"message\":\"x\",\"user\":\"u\"}", NULL);
    CHECK_EQ(record.body.type, VALUE_MAP);
    CHECK_EQ(record.attrs.count, 0);
    end();
    begin();
    shape("{\"kubernetes\":{\"pod_name\":\"p\"}}", NULL);
    CHECK_EQ(record.body.type, VALUE_MAP);
    end();
    begin();
    shape_text("{\"msg\":\"x\",\"user\":\"kubernetes admin of the world\"}");
    CHECK_EQ(record.attrs.count, 0);
    CHECK_EQ(record.body.type, VALUE_STRING);
    end();
}

/* ---- Event objects ---- */

#define OLD_EVENT                                                           \
    "{\"kind\":\"Event\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":"     \
    "\"c.1\",\"namespace\":\"dp-x\",\"uid\":\"e1\"},\"reason\":"            \
    "\"BackOff\",\"message\":\"Back-off restarting\",\"type\":\"Warning\"," \
    "\"count\":7,\"lastTimestamp\":\"2024-06-05T10:00:00Z\","               \
    "\"source\":{\"component\":\"kubelet\",\"host\":\"n1\"},"               \
    "\"involvedObject\":{\"kind\":\"Pod\",\"namespace\":\"dp-x\",\"name\":" \
    "\"c-7f\",\"uid\":\"u1\",\"fieldPath\":\"spec.containers{main}\"}}"
#define NEW_EVENT                                                            \
    "{\"kind\":\"Event\",\"apiVersion\":\"events.k8s.io/v1\",\"metadata\":{" \
    "\"name\":\"c.1\",\"namespace\":\"dp-x\",\"uid\":\"e1\"},\"reason\":"    \
    "\"BackOff\",\"note\":\"Back-off restarting\",\"type\":\"Warning\","     \
    "\"eventTime\":\"2024-06-05T09:00:00.123456Z\",\"series\":{\"count\":7," \
    "\"lastObservedTime\":\"2024-06-05T10:00:00Z\"},"                        \
    "\"reportingController\":\"kubelet\",\"regarding\":{\"kind\":\"Pod\","   \
    "\"namespace\":\"dp-x\",\"name\":\"c-7f\",\"uid\":\"u1\"}}"

static void check_event(void)
{
    const struct attr *count;

    CHECK(kept);
    CHECK_TEXT(body(), "Back-off restarting");
    CHECK_TEXT(attr("k8s.event.reason"), "BackOff");
    CHECK_TEXT(attr("k8s.event.name"), "c.1");
    CHECK_TEXT(attr("k8s.event.uid"), "e1");
    CHECK_TEXT(attr("k8s.event.reporting_controller"), "kubelet");
    CHECK_TEXT(attr("k8s.object.kind"), "Pod");
    CHECK_TEXT(attr("k8s.object.name"), "c-7f");
    CHECK_TEXT(attr("k8s.object.uid"), "u1");
    CHECK_TEXT(attr("k8s.namespace.name"), "dp-x");
    CHECK_TEXT(record.severity_text, "Warning");
    CHECK_EQ(record.severity, 13);
    CHECK_EQ(record.time_ns, UINT64_C(1717581600) * NS_PER_S);
    count = attrs_find(&record.attrs, SLICE("k8s.event.count"));
    CHECK(count && count->type == VALUE_INT && count->i == 7);
}

TEST(events_of_both_interfaces_watched_and_pulled)
{
    static const char *const bodies[] = {
        "{\"type\":\"ADDED\",\"object\":" OLD_EVENT "}",
        "{\"type\":\"MODIFIED\",\"object\":" NEW_EVENT "}", OLD_EVENT,
        NEW_EVENT};

    for (int i = 0; i < 4; i++) {
        begin();
        shape(bodies[i], NULL);
        check_event();
        end();
        begin();
        shape_text(bodies[i]);
        check_event();
        end();
    }
}

TEST(a_deleted_event_is_none)
{
    begin();
    shape("{\"type\":\"DELETED\",\"object\":" OLD_EVENT "}", NULL);
    CHECK(!kept);
    end();
    begin(); /* "type" of the event itself */
    shape("{\"kind\":\"Event\",\"reason\":\"r\",\"type\":\"Normal\"}", NULL);
    CHECK(kept);
    CHECK_EQ(record.severity, 9);
    CHECK_TEXT(body(), "r");
    end();
}

TEST(other_objects_are_no_events)
{
    begin();
    shape("{\"type\":\"DELETED\",\"object\":{\"kind\":\"Pod\"}}", NULL);
    CHECK(kept);
    CHECK_EQ(record.body.type, VALUE_MAP);
    CHECK_EQ(record.attrs.count, 0);
    end();
}

TEST(what_the_sender_says_goes_before)
{
    begin();
    record.time_ns = 5;
    record.severity = 17;
    shape(OLD_EVENT, "{\"k8s.event.reason\":\"own\"}");
    CHECK_EQ(record.time_ns, 5);
    CHECK_EQ(record.severity, 17);
    CHECK_TEXT(attr("k8s.event.reason"), "own");
    end();
}

/* ---- releases ---- */

#define MESSAGE                                                             \
    "{\"renderedReleaseUid\":\"r\",\"componentReleaseName\":\"cart-5d9\","  \
    "\"projectUid\":\"p\",\"componentUid\":\"c\",\"environmentUid\":\"e\"," \
    "\"commit\":\"1a2b3c4d5e6f\",\"commitAuthoredAt\":\"2024-06-05T10:00:"  \
    "00Z\","                                                                \
    "\"phase\":\"Failed\",\"failureReason\":\"image not found\"}"

TEST(a_release_is_a_change_with_commit_and_phase)
{
    begin();
    record.body = (struct attr){.key = "",
                                .str = MESSAGE,
                                .len = sizeof(MESSAGE) - 1,
                                .type = VALUE_STRING};
    shape(NULL, "{\"k8s.event.reason\":\"DeploymentFailed\"}");
    CHECK_TEXT(record.event_name, "callboard.change");
    CHECK_TEXT(attr("change.kind"), "release");
    CHECK_TEXT(attr("change.commit"), "1a2b3c4d5e6f");
    CHECK_TEXT(attr("change.phase"), "Failed");
    CHECK_TEXT(attr("change.release"), "cart-5d9");
    CHECK_TEXT(attr("change.failure_reason"), "image not found");
    CHECK_TEXT(attr("openchoreo.dev/component-uid"), "c");
    CHECK_TEXT(record.severity_text, "Warning");
    CHECK_TEXT(body(), "release cart-5d9 (commit 1a2b3c4) failed: "
                       "image not found");
    end();
}

TEST(releases_by_each_receiver)
{
    static const char *const reasons[] = {
        "DeploymentStarted", "DeploymentSucceeded", "DeploymentRecovered"};
    static const char *const texts[] = {"release x (commit y) started",
                                        "release x (commit y) succeeded",
                                        "release x (commit y) recovered"};

    for (int i = 0; i < 3; i++) {
        char json[512];

        begin();
        snprintf(json, sizeof(json),
                 "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Event\","
                 "\"reason\":\"%s\",\"type\":\"Normal\",\"message\":"
                 "\"{\\\"componentReleaseName\\\":\\\"x\\\","
                 "\\\"commit\\\":\\\"y\\\"}\","
                 "\"involvedObject\":{\"kind\":\"Deployment\"}}}",
                 reasons[i]);
        shape(json, NULL);
        CHECK_TEXT(body(), texts[i]);
        CHECK_TEXT(attr("change.commit"), "y");
        CHECK_TEXT(record.severity_text, "Normal");
        end();
    }
    begin(); /* of another sender with the same reason */
    record.body =
        (struct attr){.str = "rolled out", .len = 10, .type = VALUE_STRING};
    shape(NULL, "{\"k8s.event.reason\":\"DeploymentStarted\"}");
    CHECK_TEXT(body(), "rolled out");
    CHECK_EQ(record.event_name.len, 0);
    end();
}

/* ---- bounds ---- */

TEST(attributes_stay_within_their_bound)
{
    static char text[64 * 1024];
    size_t len = (size_t)sprintf(text, "{\"log\":\"x\",\"stream\":\"s\"");

    begin();
    for (int i = 0; i < 1000; i++)
        len += (size_t)sprintf(text + len, ",\"k%d\":%d", i, i);
    sprintf(text + len, ",\"kubernetes\":{\"pod_name\":\"p\"}}");
    shape_text(text);
    CHECK(record.attrs.count <= ATTR_MAX_COUNT);
    CHECK(batch->truncated > 0);
    CHECK_TEXT(body(), "x");
    end();
}

TEST(json_texts_as_maps)
{
    struct attr map;

    begin();
    map = map_of("{\"a\":\"q\\\"\\u00e9\",\"b\":-3,\"c\":1.5,\"d\":true,"
                 "\"e\":null,\"f\":[1,\"x\"],\"g\":{\"h\":\"i\"},\"\":1,"
                 "\"j\":12345678901234567890}");
    CHECK_EQ(map.len, 8);
    CHECK_TEXT(attr_text(&map.items[0]), "q\"\303\251");
    CHECK_EQ(map.items[1].i, -3);
    CHECK(map.items[2].type == VALUE_DOUBLE && map.items[2].d == 1.5);
    CHECK(map.items[3].type == VALUE_BOOL && map.items[3].b);
    CHECK_EQ(map.items[4].type, VALUE_EMPTY);
    CHECK_EQ(map.items[5].len, 2);
    CHECK_TEXT(attr_text(&map.items[6].items[0]), "i");
    CHECK_TEXT(attr_text(&map.items[7]), "12345678901234567890");
    CHECK(!log_json_map(&decoding, SLICE("[1]"), &map));
    CHECK(log_json_map(&decoding, SLICE("{\"a\":1,\"b\":"), &map));
    CHECK_EQ(map.len, 1);
    end();
}
