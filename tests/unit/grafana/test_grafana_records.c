/*
 * The families of Grafana that show records: cells of log lines, traces,
 * changes and the call graph, where lists are cut, and who sees what.
 */
#include "call_points.h"
#include "grafana.h"

#define T0 CALL_T0
#define ID "000000000000000000000000000000ab"

enum { MAX_LOGS = 16 };

static struct bed bed;
static struct log_record logs[MAX_LOGS];

static void begin(void)
{
    bed_init(&bed);
    memset(logs, 0, sizeof(logs));
    bed.store->logs = logs;
}

static struct log_record *put_log(const char *text, uint8_t level)
{
    uint32_t i = bed.store->log_count++;

    logs[i] =
        (struct log_record){.time_ns = T0 + i * NS_PER_S,
                            .arrival = 7 + i,
                            .body = bed_attr("", text),
                            .level = level,
                            .resource_id = bed_resource(&bed, "shop", "cart")};
    return &logs[i];
}

/* The frames of one target; more: of the request, "" or ",...". */
static json_t *ask_more(const char *target, const char *payload,
                        const char *more, int status)
{
    char body[1024];
    json_t *answer;

    snprintf(body, sizeof(body),
             "{\"range\":{\"from\":\"2026-08-21T08:00:00Z\","
             "\"to\":\"2026-08-21T09:00:00Z\"},\"targets\":[{\"refId\":\"A\","
             "\"target\":\"%s\",\"payload\":%s}]%s}",
             target, payload, more);
    answer = bed_ask(&bed, "POST", "/grafana/query", body);
    if (!CHECK_EQ(bed.status, status))
        printf("# %s %s: %s\n", target, payload, bed.text);
    return answer;
}

static json_t *ask(const char *target, const char *payload)
{
    return ask_more(target, payload, "", 200);
}

/* A cell as text, by the name of its field. */
static struct slice cell(const json_t *answer, size_t frame, const char *field,
                         size_t row)
{
    const json_t *one = json_array_get(answer, frame);
    const json_t *fields =
        json_object_get(json_object_get(one, "schema"), "fields");
    char path[80];

    for (size_t i = 0; i < json_array_size(fields); i++)
        if (slice_equal(bed_at(json_array_get(fields, i), "name"),
                        slice_of(field))) {
            snprintf(path, sizeof(path), "data.values.%zu.%zu", i, row);
            return bed_at(one, path);
        }
    return SLICE("no such field");
}

static size_t rows(const json_t *answer, size_t frame)
{
    const json_t *values = json_object_get(
        json_object_get(json_array_get(answer, frame), "data"), "values");

    return json_array_size(json_array_get(values, 0));
}

static struct slice notice(const json_t *answer)
{
    return bed_at(answer, "0.schema.meta.notices.0.text");
}

static bool says(const json_t *answer, const char *words)
{
    return strstr(notice(answer).ptr, words) != NULL;
}

/* ---- logs ---- */

TEST(a_line_has_what_the_logs_panel_reads)
{
    static struct attr attrs[3];
    struct log_record *log;
    json_t *answer;

    begin();
    log = put_log("<b>\x01 \xf0\x9f\x98\x80", LEVEL_ERROR);
    attrs[0] = bed_attr("k\"ey", "v\\\n");
    attrs[1] = bed_attr("component", "not the component");
    attrs[2] =
        (struct attr){.key = "n", .key_len = 1, .type = VALUE_INT, .i = 42};
    log->attrs = (struct attrs){attrs, 3, 0};
    log->trace_id[15] = 0xab;
    log->time_ns += 7; /* below a millisecond */
    answer = ask("logs", "{\"namespace\":\"acme\"}");
    CHECK_TEXT(bed_at(answer, "0.data.nanos.0.0"), "7");
    CHECK_TEXT(bed_at(answer, "0.schema.refId"), "A");
    CHECK_TEXT(bed_at(answer, "0.schema.meta.type"), "log-lines");
    CHECK_TEXT(bed_at(answer, "0.schema.meta.preferredVisualisationType"),
               "logs");
    CHECK_TEXT(cell(answer, 0, "timestamp", 0), "1.7872992e+12");
    CHECK_TEXT(cell(answer, 0, "body", 0), "<b>\x01 \xf0\x9f\x98\x80");
    CHECK_TEXT(cell(answer, 0, "severity", 0), "error");
    CHECK_TEXT(cell(answer, 0, "traceID", 0), ID);
    CHECK_TEXT(cell(answer, 0, "spanID", 0), "");
    CHECK(strstr(bed.text, "\"component\":\"cart\""));
    CHECK(!strstr(bed.text, "not the component"));
    CHECK(strstr(bed.text, "\"k\\\"ey\":\"v\\\\\\n\""));
    CHECK(strstr(bed.text, "\"n\":\"42\"")); /* Grafana takes texts only */
    json_decref(answer);
    bed_release(&bed);
}

TEST(levels_words_and_ids_reach_the_store)
{
    begin();
    put_log("a", LEVEL_ERROR);
    json_decref(ask("logs", "{\"level\":\"(error|WARNING)\",\"search\":\"x\","
                            "\"words\":\" one  two \",\"trace_id\":\"" ID
                            "\",\"order\":\"asc\"}"));
    CHECK_EQ(bed.store->log_query.levels, 1u << LEVEL_ERROR | 1u << LEVEL_WARN);
    CHECK_EQ(bed.store->log_query.phrase.len, 1);
    CHECK_EQ(bed.store->log_query.word_count, 2);
    CHECK(bed.store->log_query.trace_id != NULL);
    CHECK(bed.store->log_query.ascending);
    CHECK(!bed.store->log_query.events);
    json_decref(ask("logs", "{}"));
    CHECK_EQ(bed.store->log_query.levels, 0);
    CHECK_EQ(bed.store->log_query.limit, 201);
    json_decref(ask_more("logs", "{\"level\":\"loud\"}", "", 400));
    CHECK(strstr(bed.text, "level must be any of"));
    json_decref(ask_more("logs", "{\"trace_id\":\"xyz\"}", "", 400));
    bed_release(&bed);
}

TEST(a_list_that_was_cut_says_so)
{
    json_t *answer;

    begin();
    for (int i = 0; i < 5; i++)
        put_log("a", LEVEL_INFO);
    answer = ask("logs", "{\"limit\":3}");
    CHECK_EQ(rows(answer, 0), 3);
    CHECK(says(answer, "the last 3 log records"));
    json_decref(answer);
    answer = ask("logs", "{\"limit\":5}");
    CHECK_EQ(rows(answer, 0), 5);
    CHECK_TEXT(notice(answer), "");
    json_decref(answer);
    bed_release(&bed);
}

/* The store tests one value of an attribute; the rest is tested here. */
TEST(filters_that_the_store_has_not)
{
    static const struct {
        const char *key, *operator, * value;
        size_t rows, of_store; /* attributes that are left to the store */
    } filters[] = {{"code", "!=", "404", 2, 0},
                   {"code", "=~", "4..|5..", 2, 0},
                   {"level", "=", "warn", 1, 0},
                   {"code", "=", "404", 0, 1}};
    static struct attr codes[2];
    char more[200];

    begin();
    codes[0] = bed_attr("code", "404");
    codes[1] = bed_attr("code", "500");
    put_log("a", LEVEL_INFO)->attrs = (struct attrs){&codes[0], 1, 0};
    put_log("b", LEVEL_INFO)->attrs = (struct attrs){&codes[1], 1, 0};
    put_log("c", LEVEL_WARN);
    for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
        json_t *answer;

        snprintf(more, sizeof(more),
                 ",\"filters\":[{\"key\":\"%s\",\"operator\":\"%s\","
                 "\"value\":\"%s\"}]",
                 filters[i].key, filters[i].operator, filters[i].value);
        answer = ask_more("logs", "{}", more, 200);
        if (filters[i].of_store == 0)
            CHECK_EQ(rows(answer, 0), filters[i].rows);
        CHECK_EQ(bed.store->log_query.attr_count, filters[i].of_store);
        json_decref(answer);
    }
    bed_release(&bed);
}

TEST(a_member_that_nobody_reads_is_told)
{
    json_t *answer;

    begin();
    put_log("a", LEVEL_INFO);
    answer = ask("logs", "{\"namespace\":\"acme\",\"levels\":\"error\"}");
    CHECK(says(answer, "levels is no member of the payload of logs"));
    json_decref(answer);
    answer = ask("logs", "{\"component\":\"cart\",\"level\":\"info\","
                         "\"pod\":\"cart\"}");
    CHECK_TEXT(notice(answer), "");
    json_decref(answer);
    bed_release(&bed);
}

/* ---- events, changes ---- */

TEST(a_release_is_a_region)
{
    static struct attr started[3], succeeded[3];
    json_t *answer;

    begin();
    started[0] = succeeded[0] = bed_attr(DERIVED_CHANGE_KIND, "release");
    started[1] = succeeded[1] = bed_attr(DERIVED_CHANGE_RELEASE, "cart-2");
    started[2] = bed_attr(DERIVED_CHANGE_PHASE, "started");
    succeeded[2] = bed_attr(DERIVED_CHANGE_PHASE, "succeeded");
    /* Newest first, as the store has them. */
    put_log("release cart-2 succeeded", LEVEL_INFO)->attrs =
        (struct attrs){succeeded, 3, 0};
    put_log("release cart-2 started", LEVEL_INFO)->attrs =
        (struct attrs){started, 3, 0};
    logs[0].time_ns = T0 + 90 * NS_PER_S;
    for (int i = 0; i < 2; i++) {
        logs[i].event_name = SLICE(DERIVED_CHANGE);
        logs[i].is_event = true;
    }
    answer = ask("changes", "{\"namespace\":\"acme\"}");
    CHECK_EQ(bed.store->log_query.any_count, 4);
    CHECK(bed.store->log_query.events);
    CHECK_TEXT(cell(answer, 0, "timeEnd", 0), "");
    CHECK_TEXT(cell(answer, 0, "timeEnd", 1), "1.78729929e+12");
    CHECK_TEXT(cell(answer, 0, "title", 1), "cart: release");
    CHECK_TEXT(cell(answer, 0, "tags", 1), "cart,prod,release");
    CHECK_TEXT(cell(answer, 0, "text", 1), "release cart-2 started");
    json_decref(answer);
    json_decref(ask("changes", "{\"kind\":[\"version\"]}"));
    CHECK_EQ(bed.store->log_query.any_count, 1);
    json_decref(
        ask("events", "{\"reason\":\"BackOff\",\"warnings\":\"true\"}"));
    CHECK_EQ(bed.store->log_query.any_count, 1);
    CHECK_EQ(bed.store->log_query.levels,
             1u << LEVEL_WARN | 1u << LEVEL_ERROR | 1u << LEVEL_FATAL);
    bed_release(&bed);
}

/* ---- traces ---- */

TEST(a_trace_frame_has_tags_logs_and_references)
{
    static struct attr attrs[2];
    static struct span_event event;
    static struct span_link link;
    static struct span spans[1];
    json_t *answer;

    begin();
    attrs[0] = bed_attr("error", "what the sender says");
    attrs[1] =
        (struct attr){.key = "n", .key_len = 1, .type = VALUE_INT, .i = 42};
    event = (struct span_event){.time_ns = T0 + 1500, .name = SLICE("retry")};
    link.trace_id[0] = link.span_id[0] = 0xcd;
    spans[0] = (struct span){.trace_id = {[15] = 0xab},
                             .span_id = {1},
                             .start_ns = T0 + 1500,
                             .end_ns = T0 + 2500,
                             .name = SLICE("GET /"),
                             .status = SPAN_ERROR,
                             .kind = SPAN_SERVER,
                             .attrs = {attrs, 2, 3},
                             .events = &event,
                             .event_count = 1,
                             .links = &link,
                             .link_count = 1,
                             .corrected = CORRECTED_END,
                             .resource_id = bed_resource(&bed, "shop", "cart")};
    bed.store->spans = spans;
    bed.store->span_count = 1;
    answer = ask("trace", "{\"trace_id\":\"" ID "\"}");
    CHECK_TEXT(bed_at(answer, "0.schema.meta.preferredVisualisationType"),
               "trace");
    CHECK_TEXT(cell(answer, 0, "serviceName", 0), "cart");
    CHECK_TEXT(cell(answer, 0, "kind", 0), "server");
    CHECK_TEXT(cell(answer, 0, "statusCode", 0), "2");
    CHECK_TEXT(cell(answer, 0, "duration", 0), "0.001");
    CHECK(strstr(bed.text, "1787299200000.001")); /* microseconds are kept */
    CHECK(strstr(bed.text, "{\"key\":\"error\",\"value\":true}"));
    CHECK(!strstr(bed.text, "what the sender says"));
    CHECK(strstr(bed.text, "{\"key\":\"n\",\"value\":42}"));
    CHECK(strstr(bed.text, "{\"key\":\"event\",\"value\":\"retry\"}"));
    CHECK(strstr(bed.text, "\"traceID\":\"cd000000000000000000000000000000\""));
    CHECK(strstr(bed.text, "ended before it started"));
    CHECK(strstr(bed.text, "some attributes were dropped"));
    CHECK(strstr(bed.text, "{\"key\":\"k8s.pod.name\",\"value\":\"cart\"}"));
    json_decref(answer);
    bed_release(&bed);
}

TEST(a_trace_that_is_not_there_has_a_reason)
{
    json_t *answer;

    begin();
    answer = ask("trace", "{\"trace_id\":\"" ID "\"}");
    CHECK_EQ(rows(answer, 0), 0);
    CHECK(says(answer, "there is no trace " ID));
    json_decref(answer);
    answer = ask("trace", "{}");
    CHECK(says(answer, "no trace is chosen"));
    json_decref(answer);
    json_decref(ask_more("trace", "{\"trace_id\":\"<b>\"}", "", 400));
    bed_release(&bed);
}

TEST(filters_of_traces_reach_the_store)
{
    static struct trace_summary traces[3];
    json_t *answer;

    begin();
    for (uint32_t i = 0; i < 3; i++)
        traces[i] = (struct trace_summary){
            .trace_id = {[15] = (uint8_t)(1 + i)},
            .root_name = SLICE("GET /"),
            .root_resource_id = bed_resource(&bed, "shop", "cart"),
            .start_ns = T0 + i * NS_PER_S,
            .end_ns = T0 + i * NS_PER_S + 5 * NS_PER_MS,
            .has_errors = i == 1,
            .span_count = 4};
    bed.store->traces = traces;
    bed.store->trace_count = 3;
    answer = ask("traces", "{\"status\":\"error\",\"min_duration\":\"1.5s\","
                           "\"max_duration\":\"2000\",\"operation\":\"GET /\","
                           "\"endpoint\":\"http\",\"limit\":2}");
    CHECK_EQ(rows(answer, 0), 2);
    CHECK(says(answer, "the last 2 traces"));
    CHECK_TEXT(cell(answer, 0, "component", 0), "cart");
    CHECK_TEXT(cell(answer, 0, "duration", 0), "5000000");
    CHECK(bed.store->trace_query.errors_only);
    CHECK_EQ(bed.store->trace_query.min_duration_ns, 1500 * NS_PER_MS);
    CHECK_EQ(bed.store->trace_query.max_duration_ns, 2000 * NS_PER_MS);
    CHECK_EQ(bed.store->trace_query.operation.len, 5);
    CHECK_EQ(bed.store->trace_query.endpoint.len, 4);
    json_decref(answer);
    answer = ask("trace_scatter", "{}");
    CHECK_TEXT(cell(answer, 0, "duration", 1), "");
    CHECK_TEXT(cell(answer, 0, "durationFailed", 1), "5000000");
    CHECK_TEXT(cell(answer, 0, "duration", 0), "5000000");
    CHECK_TEXT(cell(answer, 0, "durationFailed", 0), "");
    json_decref(answer);
    json_decref(ask_more("traces", "{\"min_duration\":\"soon\"}", "", 400));
    bed_release(&bed);
}

/* ---- access ---- */

static void allow(const char *what, const char *project)
{
    bed_allow(&bed, actions_named(slice_of(what)), "acme", project, "*");
}

TEST(each_family_needs_its_action)
{
    static const struct {
        const char *target, *action;
    } families[] = {
        {"logs", "logs:view"},        {"log_templates", "logs:view"},
        {"traces", "traces:view"},    {"events", "events:view"},
        {"changes", "events:view"},   {"components", "metrics:view"},
        {"topology", "metrics:view"}, {"cause_summary", "rcareport:view"}};
    json_t *answer;

    begin();
    put_log("a", LEVEL_INFO);
    for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
        for (size_t k = 0; k < sizeof(families) / sizeof(*families); k++) {
            bool may = strcmp(families[i].action, families[k].action) == 0;

            allow(families[k].action, "shop");
            answer = ask_more(families[i].target,
                              "{\"namespace\":\"acme\",\"project\":\"shop\"}",
                              "", may ? 200 : 403);
            json_decref(answer);
        }
    bed_release(&bed);
}

TEST(incidents_need_the_right_to_see_causes)
{
    json_t *answer;

    begin();
    put_log("a", LEVEL_INFO);
    allow("events:view", "shop");
    answer = ask("changes", "{\"namespace\":\"acme\",\"project\":\"shop\","
                            "\"kind\":[\"incident\"]}");
    CHECK_EQ(rows(answer, 0), 0);
    CHECK(says(answer, "incidents are left out: they need rcareport:view"));
    json_decref(answer);
    bed_release(&bed);
}

TEST(lines_of_other_projects_are_left_out)
{
    json_t *answer;

    begin();
    put_log("mine", LEVEL_INFO);
    put_log("theirs", LEVEL_INFO)->resource_id =
        bed_resource(&bed, "bank", "ledger");
    allow("logs:view", "shop");
    answer = ask("logs", "{}");
    CHECK_EQ(rows(answer, 0), 1);
    CHECK_TEXT(cell(answer, 0, "body", 0), "mine");
    json_decref(answer);
    bed_release(&bed);
}

/* Beside a visible span its hidden parent is shown, without its name. */
TEST(a_trace_keeps_its_shape)
{
    static struct span spans[2];
    json_t *answer;

    begin();
    spans[0] =
        (struct span){.trace_id = {[15] = 0xab},
                      .span_id = {1},
                      .start_ns = T0,
                      .end_ns = T0 + NS_PER_S,
                      .name = SLICE("secret"),
                      .resource_id = bed_resource(&bed, "bank", "ledger")};
    spans[1] = (struct span){.trace_id = {[15] = 0xab},
                             .span_id = {2},
                             .parent_span_id = {1},
                             .start_ns = T0 + 1,
                             .end_ns = T0 + NS_PER_S,
                             .name = SLICE("mine"),
                             .resource_id = bed_resource(&bed, "shop", "cart")};
    bed.store->spans = spans;
    bed.store->span_count = 2;
    allow("traces:view", "shop");
    answer = ask("trace", "{\"trace_id\":\"" ID "\"}");
    CHECK_EQ(rows(answer, 0), 2);
    CHECK_TEXT(cell(answer, 0, "operationName", 0), "hidden");
    CHECK_TEXT(cell(answer, 0, "serviceName", 0), "");
    CHECK(!strstr(bed.text, "secret") && !strstr(bed.text, "ledger"));
    json_decref(answer);
    bed_release(&bed);
}

/* ---- the call graph ---- */

static double number(const json_t *answer, const char *field, size_t row)
{
    return strtod(cell(answer, 0, field, row).ptr, NULL);
}

TEST(arcs_sum_to_one)
{
    uint32_t cart, pay;
    json_t *answer;

    begin();
    cart = bed_resource(&bed, "shop", "cart");
    pay = bed_resource(&bed, "shop", "pay");
    call_put(&bed, DERIVED_DURATION, cart, 60);
    call_put_errors(&bed, DERIVED_ERRORS, cart, 6);
    call_put_errors(&bed, DERIVED_CLIENT_ERRORS, cart, 15);
    call_tell_peer(&bed, call_put(&bed, DERIVED_OUT_DURATION, cart, 60), pay);
    answer = ask("topology", "{\"namespace\":\"acme\",\"project\":\"shop\"}");
    CHECK_EQ(json_array_size(answer), 2);
    CHECK_EQ(rows(answer, 0), 2);
    CHECK_EQ(rows(answer, 1), 1);
    CHECK_TEXT(cell(answer, 0, "title", 0), "cart");
    CHECK(number(answer, "arc__error", 0) == 0.1);
    CHECK(number(answer, "arc__client_error", 0) == 0.25);
    CHECK(number(answer, "arc__ok", 0) == 0.65);
    CHECK_TEXT(cell(answer, 0, "color", 0), "red");
    CHECK(number(answer, "arc__idle", 1) == 1); /* pay served nothing */
    CHECK(slice_equal(cell(answer, 1, "source", 0), cell(answer, 0, "id", 0)));
    json_decref(answer);
    bed_release(&bed);
}
