/*
 * The second layer of access: whatever is asked for, a subject sees what its
 * grants cover. Two namespaces and two projects; only one of them is alice's.
 */
#include "derived.h"
#include "fake_query.h"
#include "rca_reports.h"
#include "stats.h"

#define TIMES                                 \
    "\"startTime\":\"2026-08-21T08:00:00Z\"," \
    "\"endTime\":\"2026-08-21T09:00:00Z\""
#define IN_SHOP "\"searchScope\":{\"namespace\":\"acme\",\"project\":\"shop\"}"
#define IN_ACME "\"searchScope\":{\"namespace\":\"acme\"}"
#define IN_EVIL "\"searchScope\":{\"namespace\":\"evil\",\"project\":\"shop\"}"
#define TRACE   "/api/v1alpha1/traces/000000000000000000000000000000AB/spans"
#define T0      (UINT64_C(1787299200) * NS_PER_S) /* 2026-08-21T08:00:00Z */

static struct bed bed;

static void allow(const char *role, const char *space, const char *project,
                  const char *component)
{
    bed_allow(&bed, actions_named(slice_of(role)), space, project, component);
}

static json_t *ask(const char *method, const char *path, const char *body,
                   int status)
{
    json_t *answer = bed_ask(&bed, method, path, body);

    if (!CHECK_EQ(bed.status, status))
        printf("# %s %s: %s\n", method, path, bed.text);
    return answer;
}

/* The message of a refusal. */
static const char *refused(const char *path, const char *body, int status)
{
    static char message[512];
    json_t *answer = ask("POST", path, body, status);

    snprintf(message, sizeof(message), "%s",
             json_string_value(json_object_get(answer, "message")));
    json_decref(answer);
    return message;
}

/* ---- scopes of bodies ---- */

TEST(a_scope_that_no_grant_covers_is_refused)
{
    static const char *const paths[] = {
        "/api/v1/logs/query",         "/api/v1/events/query",
        "/api/v1alpha1/traces/query", TRACE "/query",
        TRACE "/0000000000000001",    "/api/v1/cause"};
    bed_init(&bed);
    bed_resource(&bed, "shop", "cart");
    allow("viewer", "acme", "shop", "*");
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        CHECK(strstr(refused(paths[i], "{" TIMES "," IN_EVIL "}", 403),
                     " in namespace evil, project shop"));
        CHECK(strstr(bed.text, "\"title\":\"forbidden\",\"errorCode\":\"\""));
        json_decref(ask("POST", paths[i], "{" TIMES "," IN_SHOP "}",
                        strstr(paths[i], "0001") ? 404 : 200));
    }
    CHECK_TEXT(
        slice_of(refused("/api/v1/logs/query", "{" TIMES "," IN_ACME "}", 403)),
        "alice may not do logs:view in namespace acme");
    (void)refused("/api/v1/metrics/query",
                  "{\"metric\":\"http\"," TIMES "," IN_EVIL "}", 403);
    (void)refused("/api/v1alpha1/metrics/runtime-topology",
                  "{" TIMES ",\"searchScope\":{\"namespace\":\"evil\","
                  "\"project\":\"shop\",\"environment\":\"prod\"}}",
                  403);
    bed_release(&bed);
}

TEST(a_uid_is_compared_by_the_name_it_stands_for)
{
    static const char uid[] =
        "{" TIMES ",\"searchScope\":{\"namespace\":\"acme\","
        "\"project\":\"shop\",\"component\":"
        "\"5b0d0000-1111-2222-3333-444455556666\"}}";

    bed_init(&bed);
    bed_resource(&bed, "shop", "cart");
    allow("viewer", "acme", "shop", "cart");
    json_decref(ask("POST", "/api/v1/logs/query", uid, 200));
    allow("viewer", "acme", "shop", "pay");
    (void)refused("/api/v1/logs/query", uid, 403);
    bed_release(&bed);
}

TEST(a_subject_without_the_action_sees_nothing)
{
    bed_init(&bed);
    bed_resource(&bed, "shop", "cart");
    allow("ingest", "acme", "*", "*");
    (void)refused("/api/v1/logs/query", "{" TIMES "," IN_SHOP "}", 403);
    bed.subject = subject_nobody();
    (void)refused("/api/v1/logs/query", "{" TIMES "," IN_SHOP "}", 403);
    json_decref(ask("GET", "/api/v1/components", NULL, 200));
    CHECK(!strstr(bed.text, "cart"));
    bed_release(&bed);
}

/* ---- lists ---- */

TEST(lists_are_narrowed)
{
    json_t *answer;

    bed_init(&bed);
    bed_resource(&bed, "shop", "cart");
    bed_resource(&bed, "bank", "ledger");
    bed_resource_in(&bed, "evil", "shop", "thief");
    allow("viewer", "acme", "shop", "*");
    answer = ask("GET", "/api/v1/components", NULL, 200);
    CHECK_TEXT(bed_at(answer, "total"), "1");
    CHECK_TEXT(bed_at(answer, "components.0.component"), "cart");
    json_decref(answer);
    allow("viewer", "acme", "*", "*");
    answer = ask("GET", "/api/v1/components", NULL, 200);
    CHECK_TEXT(bed_at(answer, "total"), "2");
    json_decref(answer);
    bed_release(&bed);
}

/* ---- spans ---- */

enum { SPANS = 6 };
static struct span spans[SPANS];

/* cart -> ledger (hidden) -> risk (hidden) and ledger -> pay (shop), and a span
 * of another namespace below cart, one of whose ids is cart's, too. */
static void put_trace(void)
{
    static const struct {
        const char *space, *project, *component;
        uint8_t id, parent;
    } rows[SPANS] = {
        {"evil", "shop", "thief", 1, 0},  {"acme", "shop", "cart", 1, 0},
        {"acme", "bank", "ledger", 2, 1}, {"acme", "bank", "risk", 3, 2},
        {"acme", "shop", "pay", 4, 2},    {"evil", "shop", "thief", 5, 1},
    };

    bed_init(&bed);
    memset(spans, 0, sizeof(spans));
    for (int i = 0; i < SPANS; i++) {
        spans[i].trace_id[15] = 0xab;
        spans[i].span_id[7] = rows[i].id;
        spans[i].parent_span_id[7] = rows[i].parent;
        spans[i].start_ns = T0 + (uint64_t)i * 1000;
        spans[i].end_ns = T0 + NS_PER_MS;
        spans[i].name = slice_of(rows[i].component);
        spans[i].status_message = SLICE("secret");
        spans[i].kind = SPAN_SERVER;
        spans[i].resource_id = bed_resource_in(
            &bed, rows[i].space, rows[i].project, rows[i].component);
    }
    bed.store->spans = spans;
    bed.store->span_count = SPANS;
}

static const char *names_of(const char *body)
{
    static char text[256];
    json_t *answer = ask("POST", TRACE "/query", body, 200);
    const json_t *list = json_object_get(answer, "spans");
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(list); i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s ",
                                json_string_value(json_object_get(
                                    json_array_get(list, i), "spanName")));
    snprintf(text + len, sizeof(text) - len, "%lld",
             (long long)json_integer_value(json_object_get(answer, "total")));
    json_decref(answer);
    return text;
}

TEST(hidden_spans_keep_the_shape_of_a_trace)
{
#define ASC "{" TIMES "," IN_SHOP ",\"sortOrder\":\"asc\""
    put_trace();
    CHECK_TEXT(slice_of(names_of(ASC "}")), "cart ledger risk pay 4");
    allow("viewer", "acme", "*", "*");
    CHECK_TEXT(slice_of(names_of(ASC "}")), "cart ledger risk pay 4");
    allow("viewer", "acme", "shop", "*");
    CHECK_TEXT(slice_of(names_of(ASC "}")), "cart hidden pay 3");
    CHECK(!strstr(bed.text, "ledger"));
    CHECK(!strstr(bed.text, "bank"));
    CHECK(strstr(bed.text, "\"spanId\":\"0000000000000002\""));
    CHECK(!strstr(bed.text, "\"spanId\":\"0000000000000003\""));
    CHECK(!strstr(bed.text, "\"spanId\":\"0000000000000005\""));
    CHECK_TEXT(slice_of(names_of("{" TIMES "," IN_SHOP "}")),
               "pay hidden cart 3");
    CHECK_TEXT(slice_of(names_of(ASC ",\"limit\":2}")), "cart hidden 3");
    /* nothing visible: an empty list */
    allow("viewer", "acme", "shop", "none");
    CHECK_TEXT(
        slice_of(names_of("{" TIMES ",\"searchScope\":{\"namespace\":\"acme\","
                          "\"project\":\"shop\",\"component\":\"none\"}}")),
        "0");
    bed_release(&bed);
}

TEST(a_span_by_id)
{
    static char missing[sizeof(bed.text)];
    json_t *answer;

    put_trace();
    allow("viewer", "acme", "shop", "*");
    json_decref(ask("GET", TRACE "/00000000000000ff", NULL, 404));
    snprintf(missing, sizeof(missing), "%s", bed.text);
    json_decref(ask("GET", TRACE "/0000000000000002", NULL, 404));
    CHECK_TEXT(slice_of(bed.text), missing);
    json_decref(ask("GET", TRACE "/0000000000000005", NULL, 404));
    CHECK_TEXT(slice_of(bed.text), missing);
    json_decref(ask("POST", TRACE "/0000000000000002", "{" IN_SHOP "}", 404));
    CHECK_TEXT(slice_of(bed.text), missing);
    /* the other namespace has sent one with this id before */
    answer = ask("GET", TRACE "/0000000000000001", NULL, 200);
    CHECK_TEXT(bed_at(answer, "component"), "cart");
    json_decref(answer);
    bed_release(&bed);
}

/* ---- peers ---- */

static struct point points[3];
static struct histogram hist;
static struct attr labels[3][5];

/* cart of acme/shop calls ledger of acme/bank and thief of evil, which answer;
 * thief calls cart. */
static void put_calls(void)
{
    static const struct metric metrics[] = {
        {.name = SLICE_INIT(DERIVED_OUT_DURATION),
         .type = METRIC_EXP_HISTOGRAM,
         .temporality = DELTA},
        {.name = SLICE_INIT(DERIVED_IN_DURATION),
         .type = METRIC_EXP_HISTOGRAM,
         .temporality = DELTA}};
    static const uint64_t sixty[] = {60};
    uint32_t cart, peers[3];

    bed_init(&bed);
    cart = bed_resource(&bed, "shop", "cart");
    peers[0] = bed_resource(&bed, "bank", "ledger");
    peers[1] = peers[2] = bed_resource_in(&bed, "evil", "mint", "thief");
    hist = (struct histogram){.count = 60,
                              .sum = 6,
                              .has_sum = true,
                              .scale = 3,
                              .positive = {sixty, 1, -27}};
    for (int i = 0; i < 3; i++) {
        struct attr *at = labels[i];

        at[0] = bed_attr(DERIVED_PEER_KIND, "component");
        at[1] = bed_attr(DERIVED_PEER_ENDPOINT, "vault");
        at[2] = bed_attr(DERIVED_PROTOCOL, "http");
        at[3] =
            (struct attr){.key = DERIVED_PEER_ID,
                          .key_len = sizeof(DERIVED_PEER_ID) - 1,
                          .type = VALUE_INT,
                          .i = registry_identity_id(bed.registry, peers[i])};
        points[i] = (struct point){.metric = &metrics[i / 2],
                                   .start_ns = T0,
                                   .time_ns = T0 + NS_PER_MIN,
                                   .resource_id = cart,
                                   .histogram = &hist,
                                   .attrs = {at, 4, 0}};
    }
    bed.store->points = points;
    bed.store->point_count = 3;
}

static bool tells(const char *text)
{
    return strstr(bed.text, text) != NULL;
}

TEST(peers_outside_the_grants_are_external)
{
    static const char topology[] =
        "{" TIMES ",\"searchScope\":{\"namespace\":\"acme\",\"project\":"
        "\"shop\",\"environment\":\"prod\"}}";
    static const char page[] = "/api/v1/components/acme/shop/cart?startTime="
                               "2026-08-21T08:00:00Z&endTime="
                               "2026-08-21T09:00:00Z";
    json_t *answer;

    put_calls();
    json_decref(
        ask("POST", "/api/v1alpha1/metrics/runtime-topology", topology, 200));
    CHECK(tells("ledger") && tells("thief") && tells("vault"));
    json_decref(ask("GET", page, NULL, 200));
    CHECK(tells("ledger") && tells("thief") && tells("vault"));

    allow("viewer", "acme", "shop", "*");
    answer =
        ask("POST", "/api/v1alpha1/metrics/runtime-topology", topology, 200);
    CHECK(!tells("ledger") && !tells("thief") && !tells("vault") &&
          !tells("evil") && !tells("bank"));
    CHECK_TEXT(bed_at(answer, "edges"), "[2]");
    CHECK(tells("\"id\":\"cart->external:hidden\"") ||
          tells("\"id\":\"cart-\\u003eexternal:hidden\""));
    json_decref(answer);
    answer = ask("GET", page, NULL, 200);
    CHECK(!tells("ledger") && !tells("thief") && !tells("vault") &&
          !tells("evil") && !tells("bank"));
    CHECK_TEXT(bed_at(answer, "callees"), "[1]");
    CHECK_TEXT(bed_at(answer, "callees.0.kind"), "external");
    CHECK_TEXT(bed_at(answer, "callees.0.name"), "hidden");
    CHECK_TEXT(bed_at(answer, "callees.0.requestCount"), "120");
    CHECK_TEXT(bed_at(answer, "callers.0.name"), "hidden");
    json_decref(answer);
    bed_release(&bed);
}

TEST(parts_of_a_page_need_their_own_actions)
{
    json_t *answer;

    bed_init(&bed);
    bed_resource(&bed, "shop", "cart");
    allow("viewer", "acme", "shop", "*");
    answer = ask("GET", "/api/v1/components/acme/shop/cart", NULL, 200);
    CHECK(tells("\"logTemplates\"") && tells("\"traces\":{\"slowest\"") &&
          tells("\"changes\"") && !tells("withheld"));
    json_decref(answer);
    bed_allow(&bed,
              actions_named(SLICE("metrics:view")) |
                  actions_named(SLICE("traces:view")),
              "acme", "shop", "*");
    answer = ask("GET", "/api/v1/components/acme/shop/cart", NULL, 200);
    CHECK(!tells("\"logTemplates\":") && tells("\"slowest\"") &&
          !tells("\"changes\":"));
    CHECK_TEXT(bed_at(answer, "withheld"), "[2]");
    CHECK_TEXT(bed_at(answer, "withheld.0"), "logTemplates");
    CHECK_TEXT(bed_at(answer, "withheld.1"), "changes");
    json_decref(answer);
    bed_release(&bed);
}

/* ---- reports ---- */

static enum status analyze(const char *space, const char *component, int status)
{
    char body[400];

    snprintf(body, sizeof(body),
             "{\"namespace\":\"%s\",\"project\":\"shop\",\"environment\":"
             "\"prod\",\"component\":\"%s\",\"alert\":{\"id\":\"a1\","
             "\"timestamp\":\"2023-11-14T22:13:20Z\"}}",
             space, component);
    json_decref(ask("POST", "/api/v1alpha1/rca-agent/analyze", body, status));
    return OK;
}

#define REPORT "/api/v1/rca-agent/reports/a1_1700000000"
#define REPORTS                                                     \
    "/api/v1/rca-agent/reports?namespace=acme&project=shop&"        \
    "environment=prod&startTime=2023-11-14T00:00:00Z&endTime=2023-" \
    "11-15T00:00:00Z"
#define ASKS                                                            \
    "{\"reportId\":\"a1_1700000000\",\"messages\":[{\"role\":\"user\"," \
    "\"content\":\"Why?\"}]}"

TEST(reports_are_seen_by_the_grants)
{
    json_t *answer;
    static char missing[sizeof(bed.text)];

    bed_init(&bed);
    bed_resource(&bed, "shop", "cart");
    bed.options.rca = rca_reports_new(NULL, NULL);
    analyze("acme", "cart", 200);
    analyze("evil", "thief", 200);

    allow("editor", "acme", "shop", "*");
    analyze("evil", "thief", 403);
    json_decref(ask("GET", "/api/v1/rca-agent/reports/none", NULL, 404));
    snprintf(missing, sizeof(missing), "%s", bed.text);
    answer = ask("GET", REPORT, NULL, 200);
    CHECK_TEXT(bed_at(answer, "report.alert_context.component"), "cart");
    json_decref(answer);
    json_decref(ask("GET", REPORT "?namespace=evil", NULL, 404));
    CHECK_TEXT(slice_of(bed.text), missing);
    json_decref(ask("POST", "/api/v1alpha1/rca-agent/chat", ASKS, 200));
    json_decref(ask("PUT", REPORT, "{\"appliedIndices\":[]}", 200));
    answer = ask("GET", REPORTS, NULL, 200);
    CHECK_TEXT(bed_at(answer, "totalCount"), "1");
    json_decref(answer);

    allow("viewer", "acme", "shop", "*"); /* sees it, may not change it */
    json_decref(ask("PUT", REPORT, "{\"appliedIndices\":[]}", 403));
    allow("editor", "acme", "bank", "*");
    json_decref(ask("GET", REPORT, NULL, 404));
    CHECK_TEXT(slice_of(bed.text), missing);
    json_decref(ask("PUT", REPORT, "{\"appliedIndices\":[]}", 404));
    json_decref(ask("POST", "/api/v1alpha1/rca-agent/chat", ASKS, 404));
    /* it is about the project, and one component is all he may see */
    allow("editor", "acme", "shop", "cart");
    json_decref(ask("GET", REPORT, NULL, 404));
    analyze("acme", "cart", 200);
    json_decref(ask("GET", REPORT, NULL, 200));
    rca_reports_free(bed.options.rca);
    bed_release(&bed);
}

/* ---- the catalogue ---- */

TEST(the_catalogue_is_narrowed_and_replaced_in_parts)
{
    static const char all[] =
        "{\"secret\": 1, \"projects\":[{\"namespace\":\"acme\",\"name\":"
        "\"shop\"},{\"name\":\"other\"}],\"components\":["
        "{\"namespace\":\"acme\",\"project\":\"shop\",\"name\":\"cart\"},"
        "{\"namespace\":\"acme\",\"project\":\"bank\",\"name\":\"ledger\"},"
        "{\"namespace\":\"evil\",\"project\":\"mint\",\"name\":\"thief\"}]}";
    static const char part[] =
        "{\"components\":[{\"namespace\":\"acme\",\"project\":\"shop\","
        "\"name\":\"pay\"}]}";
    json_t *answer;

    bed_init(&bed);
    json_decref(ask("PUT", "/api/v1/catalog", all, 200));
    json_decref(ask("GET", "/api/v1/catalog", NULL, 200));
    CHECK_TEXT(slice_of(bed.text), all);

    allow("viewer", "acme", "shop", "*");
    answer = ask("GET", "/api/v1/catalog", NULL, 200);
    CHECK(!tells("secret") && !tells("other") && !tells("ledger") &&
          !tells("thief"));
    CHECK_TEXT(bed_at(answer, "components.0.name"), "cart");
    CHECK_TEXT(bed_at(answer, "projects.0.name"), "shop");
    json_decref(answer);
    /* a declared component of another project is in no list */
    json_decref(ask("GET", "/api/v1/components", NULL, 200));
    CHECK(tells("cart") && !tells("ledger") && !tells("thief"));

    allow("editor", "acme", "*", "*");
    json_decref(ask("PUT", "/api/v1/catalog?namespace=acme", all, 403));
    json_decref(
        ask("PUT", "/api/v1/catalog?namespace=acme&project=shop", part, 400));
    json_decref(ask("PUT", "/api/v1/catalog?namespace=acme",
                    "{\"components\":[{}]}", 400));
    answer = ask("PUT", "/api/v1/catalog?namespace=acme", part, 200);
    CHECK_TEXT(bed_at(answer, "components"), "1");
    json_decref(answer);
    bed.subject = subject_everyone();
    json_decref(ask("GET", "/api/v1/catalog", NULL, 200));
    CHECK(tells("thief") && tells("pay") && tells("secret") && tells("other") &&
          !tells("cart") && !tells("ledger"));
    bed_release(&bed);
}

/* ---- health ---- */

static bool has_note(void *arg, struct buf *out)
{
    (void)arg;
    buf_add(out, SLICE("namespace evil has no room"));
    return true;
}

TEST(notes_of_health_need_system_view)
{
    bed_init(&bed);
    bed.options.notes = has_note;
    json_decref(ask("GET", "/health", NULL, 200));
    CHECK(tells("evil"));
    allow("admin", "acme", "*", "*");
    json_decref(ask("GET", "/health", NULL, 200));
    CHECK(!tells("evil"));
    allow("operator", "*", "*", "*");
    json_decref(ask("GET", "/health", NULL, 200));
    CHECK(tells("evil"));
    bed.subject = subject_nobody();
    json_decref(ask("GET", "/health", NULL, 200));
    CHECK(!tells("evil"));
    bed_release(&bed);
}

/* ---- status ---- */

static uint32_t two_partitions(void *arg, struct partition_lag *to,
                               uint32_t room)
{
    (void)arg;
    CHECK(room >= 2);
    to[0] = (struct partition_lag){"otlp_logs", 0, SIGNAL_LOGS, 7};
    to[1] = (struct partition_lag){"otlp_logs", 1, SIGNAL_LOGS, -1};
    return 2;
}

static json_t *system_of(json_t *answer, const char *member)
{
    return json_object_get(json_object_get(answer, "system"), member);
}

/* The lag of each partition where Kafka is read; one that is not known is no
 * 0. When records last came, if any have. */
TEST(status_tells_lags_and_when_records_came)
{
    uint64_t last_s = 1736928000;
    json_t *answer, *list;

    bed_init(&bed);
    bed.options.lags = two_partitions;
    stats_set(STATS_LAST_SPANS, 0);
    stats_set(STATS_LAST_LOGS, last_s);
    stats_set(STATS_KAFKA_PARTITIONS, 0);
    answer = ask("GET", "/api/v1/status", NULL, 200);
    CHECK(!system_of(answer, "kafka"));
    list = system_of(answer, "signals");
    CHECK(!json_object_get(json_array_get(list, 0), "lastReceived"));
    CHECK(slice_equal(
        json_text_of(json_object_get(json_array_get(list, 1), "lastReceived")),
        SLICE("2025-01-15T08:00:00Z")));
    json_decref(answer);
    stats_set(STATS_KAFKA_PARTITIONS, 2);
    answer = ask("GET", "/api/v1/status", NULL, 200);
    list = system_of(answer, "kafka");
    CHECK_EQ(json_array_size(list), 2);
    CHECK_EQ(
        json_integer_value(json_object_get(json_array_get(list, 0), "lag")), 7);
    CHECK(json_is_null(json_object_get(json_array_get(list, 1), "lag")));
    json_decref(answer);
    allow("operator", "acme", "*", "*");
    answer = ask("GET", "/api/v1/status", NULL, 200);
    CHECK(!json_object_get(answer, "system"));
    json_decref(answer);
    stats_set(STATS_KAFKA_PARTITIONS, 0);
    bed_release(&bed);
}
