/*
 * Reports of the RCA agent: analysis, storage, list, changes, chat.
 */
#include <stdio.h>

#include "fake_query.h"
#include "rca_reports.h"

static struct {
    char document[8192];
    uint64_t number;
} saved[RCA_MAX_REPORTS];
static enum status save_status; /* of the next reports */

static enum status save(void *arg, uint32_t slot, uint64_t number,
                        struct slice document)
{
    (void)arg;
    if (save_status != OK || !CHECK(slot < RCA_MAX_REPORTS) ||
        !CHECK(document.len < sizeof(saved[0].document)))
        return save_status;
    snprintf(saved[slot].document, sizeof(saved[0].document), "%.*s",
             (int)document.len, document.ptr);
    saved[slot].number = number;
    return OK;
}

static void load_saved(struct rca_reports *rca)
{
    for (uint32_t i = 0; i < RCA_MAX_REPORTS; i++)
        rca_reports_load(rca, i, saved[i].number, slice_of(saved[i].document));
}

static const char alert[] =
    "{\"namespace\":\"acme\",\"project\":\"shop\",\"environment\":\"prod\","
    "\"component\":\"cart\",\"alert\":{\"id\":\"a1\",\"value\":12,"
    "\"timestamp\":\"2023-11-14T22:13:20Z\",\"rule\":{\"name\":\"errors\","
    "\"condition\":{\"window\":\"5m\",\"interval\":\"1m\",\"operator\":\"gt\","
    "\"threshold\":0.5}}}}";

#define ONE "/api/v1/rca-agent/reports/a1_1700000000"
#define ALL                                                              \
    "/api/v1/rca-agent/reports?namespace=acme&project=shop&environment=" \
    "prod&startTime=2023-11-14T00:00:00Z&endTime=2023-11-15T00:00:00Z"

static json_t *ask(struct bed *bed, const char *method, const char *path,
                   const char *body, int status)
{
    json_t *answer = bed_ask(bed, method, path, body);

    CHECK_EQ(bed->status, status);
    return answer;
}

static void open_bed(struct bed *bed)
{
    bed_init(bed);
    bed_resource(bed, "shop", "cart");
    bed->options.rca = rca_reports_new(save, NULL);
}

static void close_bed(struct bed *bed)
{
    rca_reports_free(bed->options.rca);
    bed_release(bed);
}

TEST(report_is_made_listed_and_read)
{
    struct bed bed;
    json_t *answer;

    open_bed(&bed);
    answer = ask(&bed, "POST", "/api/v1alpha1/rca-agent/analyze", alert, 200);
    CHECK_TEXT(bed_at(answer, "report_id"), "a1_1700000000");
    json_decref(answer);
    answer = ask(&bed, "GET", ALL, NULL, 200);
    CHECK_TEXT(bed_at(answer, "totalCount"), "1");
    CHECK_TEXT(bed_at(answer, "reports.0.alertId"), "a1");
    CHECK_TEXT(bed_at(answer, "reports.0.status"), "completed");
    json_decref(answer);
    answer = ask(&bed, "GET", ONE, NULL, 200);
    CHECK_TEXT(bed_at(answer, "report.result.type"),
               "no_root_cause_identified");
    CHECK_TEXT(bed_at(answer, "report.alert_context.condition.threshold"),
               "0.5");
    CHECK_TEXT(bed_at(answer, "report.investigation_path"), "[3]");
    json_decref(answer);
    /* The same alert again is the same report. */
    json_decref(
        ask(&bed, "POST", "/api/v1alpha1/rca-agent/analyze", alert, 200));
    answer = ask(&bed, "GET", ALL, NULL, 200);
    CHECK_TEXT(bed_at(answer, "totalCount"), "1");
    json_decref(answer);
    close_bed(&bed);
}

static const char question[] =
    "{\"startTime\":\"2023-11-14T22:00:00Z\",\"endTime\":"
    "\"2023-11-14T22:13:20Z\",\"searchScope\":{\"namespace\":\"acme\","
    "\"project\":\"shop\",\"environment\":\"prod\"}}";

/* The answer of /api/v1/cause, byte by byte, also after actions are marked. */
TEST(an_answer_is_kept_once_and_whole)
{
    struct bed bed;
    char path[128], cause[8192];
    json_t *answer;

    memset(saved, 0, sizeof(saved));
    open_bed(&bed);
    answer = ask(&bed, "POST", "/api/v1/rca-agent/reports", question, 200);
    CHECK_TEXT(bed_at(answer, "created"), "true");
    CHECK_TEXT(bed_at(answer, "status"), "completed");
    snprintf(path, sizeof(path), "/api/v1/rca-agent/reports/%s",
             json_string_value(json_object_get(answer, "reportId")));
    json_decref(answer);
    answer = ask(&bed, "POST", "/api/v1/rca-agent/reports", question, 200);
    CHECK_TEXT(bed_at(answer, "created"), "false");
    json_decref(answer);
    json_decref(ask(&bed, "POST", "/api/v1/cause", question, 200));
    snprintf(cause, sizeof(cause), ",\"cause\":%.8000s}}", bed.text);
    json_decref(ask(&bed, "PUT", path, "{\"appliedIndices\":[]}", 200));
    rca_reports_free(bed.options.rca);
    bed.options.rca = rca_reports_new(save, NULL);
    load_saved(bed.options.rca);
    answer = ask(&bed, "GET", path, NULL, 200);
    CHECK(strstr(bed.text, cause));
    CHECK_TEXT(bed_at(answer, "report.cause.found"), "false");
    CHECK_TEXT(bed_at(answer, "report.alert_context.environment"), "prod");
    json_decref(answer);
    json_decref(ask(&bed, "POST", "/api/v1/rca-agent/reports", "{}", 400));
    close_bed(&bed);
}

TEST(reports_outlive_a_restart)
{
    struct bed bed;

    memset(saved, 0, sizeof(saved));
    open_bed(&bed);
    json_decref(
        ask(&bed, "POST", "/api/v1alpha1/rca-agent/analyze", alert, 200));
    rca_reports_free(bed.options.rca);
    bed.options.rca = rca_reports_new(save, NULL);
    json_decref(ask(&bed, "GET", ONE, NULL, 404));
    load_saved(bed.options.rca);
    rca_reports_load(bed.options.rca, 7, 1, SLICE("{\"damaged\""));
    rca_reports_load(bed.options.rca, 1000, 1, slice_of(saved[0].document));
    json_decref(ask(&bed, "GET", ONE, NULL, 200));
    close_bed(&bed);
}

TEST(what_is_not_there_and_what_is_wrong)
{
    struct bed bed;
    json_t *answer;

    open_bed(&bed);
    answer = ask(&bed, "GET", ONE, NULL, 404);
    CHECK_TEXT(bed_at(answer, "message"), "RCA report not found");
    CHECK_TEXT(bed_at(answer, "detail"), "RCA report not found");
    json_decref(answer);
    json_decref(
        ask(&bed, "POST", "/api/v1alpha1/rca-agent/analyze", alert, 200));
    /* Indices of no action are ignored; what is no index is refused. */
    json_decref(ask(&bed, "PUT", ONE, "{\"appliedIndices\":[0,-1,99]}", 200));
    json_decref(ask(&bed, "PUT", ONE, "{\"appliedIndices\":[]}", 200));
    answer = ask(&bed, "PUT", ONE, "{\"appliedIndices\":[\"0\"]}", 400);
    CHECK_TEXT(bed_at(answer, "detail"),
               "appliedIndices must be an array of integers");
    CHECK(slice_equal(bed_at(answer, "detail"), bed_at(answer, "message")));
    json_decref(answer);
    json_decref(ask(&bed, "POST", "/api/v1alpha1/rca-agent/chat",
                    "{\"reportId\":\"a1_1700000000\",\"messages\":[]}", 400));
    json_decref(ask(&bed, "POST", "/api/v1alpha1/rca-agent/chat",
                    "{\"reportId\":\"a1_1700000000\",\"messages\":[{\"role\":"
                    "\"user\",\"content\":\"Why?\"}]}",
                    200));
    CHECK(strstr(bed.text, "\"type\":\"message_chunk\""));
    CHECK(strstr(bed.text, "No cause was found"));
    CHECK(strstr(bed.text, "\"type\":\"done\""));
    close_bed(&bed);
}

static void check_refused(struct bed *bed, const char *method, const char *path,
                          const char *body, const char *says)
{
    json_t *answer = ask(bed, method, path, body, 400);

    if (!CHECK(strstr(bed->text, says)))
        printf("# wanted %s, got %s\n", says, bed->text);
    json_decref(answer);
}

/* Path, body or parameters, and what the refusal says. */
TEST(bad_input_is_refused_by_name)
{
    static const char *const analyses[][2] = {
        {"{}", "namespace is required"},
        {"{\"namespace\":\"a\"}", "project is required"},
        {"{\"namespace\":\"a\",\"project\":\"b\"}", "environment is required"},
        {"{\"namespace\":\"a\",\"project\":\"b\",\"environment\":\"c\"}",
         "alert must be an object"},
        {"{\"namespace\":\"a\",\"project\":\"b\",\"environment\":\"c\","
         "\"alert\":[1]}",
         "alert must be an object"},
        {"{\"namespace\":\"a\",\"project\":\"b\",\"environment\":\"c\","
         "\"alert\":{}}",
         "alert.id must be"},
        {"{\"namespace\":\"a\",\"project\":\"b\",\"environment\":\"c\","
         "\"alert\":{\"id\":7}}",
         "alert.id must be"},
        {"{\"namespace\":\"a\",\"project\":\"b\",\"environment\":\"c\","
         "\"alert\":{\"id\":\"x\",\"timestamp\":7}}",
         "alert.timestamp must be"},
        {"{\"namespace\":\"a\",\"project\":\"b\",\"environment\":\"c\","
         "\"alert\":{\"id\":\"x\",\"timestamp\":\"yesterday\"}}",
         "alert.timestamp must be"},
        {"{\"namespace\":\"a\",\"project\":\"b\",\"environment\":\"c\","
         "\"alert\":{\"id\":\"x\",\"timestamp\":\"1970-01-01T00:01:00Z\"}}",
         "alert.timestamp is too old"},
    };
    static const char *const lists[][2] = {
        {"&limit=0", "limit must be"},      {"&limit=x", "limit must be"},
        {"&limit=10001", "limit must be"},  {"&sort=up", "sort must be"},
        {"&status=done", "status must be"},
    };
    static const char *const chats[][2] = {
        {"{}", "reportId is required"},
        {"{\"reportId\":\"a\"}", "messages must be"},
        {"{\"reportId\":\"a\",\"messages\":{}}", "messages must be"},
        {"{\"reportId\":\"a\",\"messages\":[1]}", "messages[0].content"},
        {"{\"reportId\":\"a\",\"messages\":[{\"content\":\"Why?\"}]}",
         "messages[0].role"},
    };
    struct bed bed;
    char path[300];

    open_bed(&bed);
    for (size_t i = 0; i < sizeof(analyses) / sizeof(*analyses); i++)
        check_refused(&bed, "POST", "/api/v1alpha1/rca-agent/analyze",
                      analyses[i][0], analyses[i][1]);
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        snprintf(path, sizeof(path), ALL "%s", lists[i][0]);
        check_refused(&bed, "GET", path, NULL, lists[i][1]);
    }
    for (size_t i = 0; i < sizeof(chats) / sizeof(*chats); i++)
        check_refused(&bed, "POST", "/api/v1alpha1/rca-agent/chat", chats[i][0],
                      chats[i][1]);
    close_bed(&bed);
}

/* The model requires members that an alert need not have. */
TEST(report_of_a_bare_alert_has_all_members)
{
    static const char *const members[][2] = {
        {"report.alert_context.alert_name", "analysis on request"},
        {"report.alert_context.trigger_value", "12.5"},
        {"report.alert_context.condition.window", "5m"},
        {"report.alert_context.condition.interval", "1m"},
        {"report.alert_context.condition.operator", "gt"},
        {"report.alert_context.condition.threshold", "0"},
        {"report.alert_context.component", ""},
        {"report.result.outcome", "insufficient_data"},
        {"status", "completed"}};
    struct bed bed;
    json_t *answer;

    open_bed(&bed);
    answer = ask(&bed, "POST", "/api/v1alpha1/rca-agent/analyze",
                 "{\"namespace\":\"acme\",\"project\":\"shop\",\"environment\":"
                 "\"prod\",\"alert\":{\"id\":\"a1\",\"value\":\"12.5\","
                 "\"timestamp\":\"2023-11-14T22:13:20Z\"}}",
                 200);
    CHECK_TEXT(bed_at(answer, "status"), "pending"); /* all that it may be */
    json_decref(answer);
    answer = ask(&bed, "GET", ONE, NULL, 200);
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        CHECK_TEXT(bed_at(answer, members[i][0]), members[i][1]);
    json_decref(answer);
    close_bed(&bed);
}

TEST(analysis_that_fails_leaves_a_report_that_says_so)
{
    struct bed bed;
    json_t *answer;

    open_bed(&bed);
    bed.store->read_status = ERR_BUSY;
    json_decref(
        ask(&bed, "POST", "/api/v1alpha1/rca-agent/analyze", alert, 503));
    answer = ask(&bed, "GET", ONE, NULL, 200);
    CHECK_TEXT(bed_at(answer, "status"), "failed");
    CHECK(json_is_null(json_object_get(answer, "report")));
    json_decref(answer);
    /* Waiting does not help: the caller is told of the report, not refused. */
    bed.store->read_status = ERR_TOO_BIG;
    json_decref(
        ask(&bed, "POST", "/api/v1alpha1/rca-agent/analyze", alert, 200));
    answer = ask(&bed, "GET", ONE, NULL, 200);
    CHECK_TEXT(bed_at(answer, "status"), "failed");
    json_decref(answer);
    /* The same alert again, once it can be: the report is replaced. */
    bed.store->read_status = OK;
    json_decref(
        ask(&bed, "POST", "/api/v1alpha1/rca-agent/analyze", alert, 200));
    answer = ask(&bed, "GET", ONE, NULL, 200);
    CHECK_TEXT(bed_at(answer, "status"), "completed");
    json_decref(answer);
    close_bed(&bed);
}

TEST(messages_are_counted_in_characters)
{
    struct bed bed;
    static char body[50000];
    size_t len;

    open_bed(&bed);
    json_decref(
        ask(&bed, "POST", "/api/v1alpha1/rca-agent/analyze", alert, 200));
    for (int more = 0; more < 2; more++) {
        len = (size_t)snprintf(body, sizeof(body),
                               "{\"reportId\":\"a1_1700000000\",\"messages\":"
                               "[{\"role\":\"user\",\"content\":\"");
        for (int i = 0; i < 10000 + more; i++)
            len += (size_t)snprintf(body + len, sizeof(body) - len, "ß");
        snprintf(body + len, sizeof(body) - len, "\"}]}");
        json_decref(ask(&bed, "POST", "/api/v1alpha1/rca-agent/chat", body,
                        more ? 400 : 200));
    }
    close_bed(&bed);
}

static bool every(void *arg, const union scope_names *names)
{
    (void)arg;
    return names->namespace.len > 0;
}

TEST(the_oldest_gives_its_place)
{
    struct rca_reports *rca = rca_reports_new(NULL, NULL);
    struct rca_filter filter = {
        .scope.seen = every, .end_ns = UINT64_MAX, .limit = 1000};
    struct arena arena;
    uint32_t count;
    uint64_t total;
    char text[512];

    arena_init(&arena, NULL, SIZE_MAX);
    for (int i = 0; i < RCA_MAX_REPORTS + 5; i++) {
        int len =
            snprintf(text, sizeof(text),
                     "{\"reportId\":\"r%d\",\"alertId\":\"a\",\"timestamp\":"
                     "\"2023-11-14T22:%02d:%02dZ\",\"status\":\"completed\","
                     "\"summary\":\"\",\"namespace\":\"n\",\"project\":\"p\","
                     "\"environment\":\"e\"}",
                     i, i / 60, i % 60);

        CHECK_EQ(rca_reports_put(rca, (struct slice){text, (size_t)len}), OK);
    }
    const struct rca_summary *rows =
        rca_reports_list(rca, &filter, &arena, &count, &total);
    CHECK_EQ(total, RCA_MAX_REPORTS);
    CHECK_TEXT(rows[count - 1].id, "r5");
    CHECK_EQ(rca_reports_put(rca, SLICE("{}")), ERR_INVALID);
    arena_release(&arena);
    rca_reports_free(rca);
}

static enum status put_report(struct rca_reports *rca, const char *id,
                              const char *space, int second)
{
    char text[512];
    int len = snprintf(text, sizeof(text),
                       "{\"reportId\":\"%s\",\"alertId\":\"a\",\"timestamp\":"
                       "\"2023-11-14T22:13:%02dZ\",\"status\":\"completed\","
                       "\"summary\":\"of %s\",\"namespace\":\"%s\","
                       "\"project\":\"p\",\"environment\":\"e\"}",
                       id, second, space, space);

    return rca_reports_put(rca, (struct slice){text, (size_t)len});
}

static bool counted(void *arg, const union scope_names *names)
{
    ++*(uint32_t *)arg;
    return names->namespace.len > 0;
}

/* Whether it may be seen is asked last: an authorization service may be. */
TEST(only_reports_that_match_are_asked_for)
{
    struct rca_reports *rca = rca_reports_new(NULL, NULL);
    uint32_t asked = 0, count;
    struct rca_filter filter = {
        .scope = {.namespace = SLICE("n"), .seen = counted, .arg = &asked},
        .status = SLICE("failed"),
        .end_ns = UINT64_MAX,
        .limit = 1000};
    struct arena arena;
    uint64_t total;

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(put_report(rca, "r1", "n", 1), OK);
    CHECK_EQ(put_report(rca, "r2", "other", 1), OK);
    (void)rca_reports_list(rca, &filter, &arena, &count, &total);
    CHECK_EQ(asked, 0);
    filter.status = SLICE("completed");
    (void)rca_reports_list(rca, &filter, &arena, &count, &total);
    CHECK_EQ(asked, 1);
    CHECK_EQ(total, 1);
    arena_release(&arena);
    rca_reports_free(rca);
}

static bool has_report(struct rca_reports *rca, const char *id,
                       const char *space)
{
    struct rca_scope scope = {.namespace = slice_of(space), .seen = every};
    struct arena arena;
    bool found;

    arena_init(&arena, NULL, SIZE_MAX);
    found = rca_reports_get(rca, slice_of(id), &scope, &arena).len > 0;
    arena_release(&arena);
    return found;
}

/* Whatever time they say. */
TEST(a_namespace_with_many_reports_displaces_its_own)
{
    struct rca_reports *rca = rca_reports_new(NULL, NULL);
    char id[32];

    CHECK_EQ(put_report(rca, "first", "calm", 0), OK);
    CHECK_EQ(put_report(rca, "second", "calm", 1), OK);
    for (int i = 0; i < 5 * RCA_MAX_REPORTS; i++) {
        (void)snprintf(id, sizeof(id), "r%d", i);
        CHECK_EQ(put_report(rca, id, "greedy", 59 - i % 60), OK);
    }
    CHECK(has_report(rca, "first", "calm"));
    CHECK(has_report(rca, "second", "calm"));
    /* The one that came first went first, though its alert was the newest. */
    (void)snprintf(id, sizeof(id), "r%d", 4 * RCA_MAX_REPORTS + 1);
    CHECK(!has_report(rca, id, "greedy"));
    (void)snprintf(id, sizeof(id), "r%d", 4 * RCA_MAX_REPORTS + 2);
    CHECK(has_report(rca, id, "greedy"));
    rca_reports_free(rca);
}

TEST(the_order_of_arrival_outlives_a_restart)
{
    struct rca_reports *rca;
    char id[32];

    memset(saved, 0, sizeof(saved));
    rca = rca_reports_new(save, NULL);
    for (int i = 0; i < RCA_MAX_REPORTS + RCA_MAX_REPORTS / 2; i++) {
        (void)snprintf(id, sizeof(id), "r%d", i);
        CHECK_EQ(put_report(rca, id, "n", 0), OK);
    }
    rca_reports_free(rca);
    rca = rca_reports_new(save, NULL);
    load_saved(rca);
    (void)snprintf(id, sizeof(id), "r%d", RCA_MAX_REPORTS / 2);
    CHECK(has_report(rca, id, "n"));
    CHECK_EQ(put_report(rca, "new", "n", 0), OK);
    CHECK(!has_report(rca, id, "n"));
    (void)snprintf(id, sizeof(id), "r%d", RCA_MAX_REPORTS / 2 + 1);
    CHECK(has_report(rca, id, "n"));
    rca_reports_free(rca);
}

/* What cannot be stored is refused, and nothing changes. */
TEST(report_that_cannot_be_stored_is_refused)
{
    struct rca_reports *rca;

    memset(saved, 0, sizeof(saved));
    rca = rca_reports_new(save, NULL);
    CHECK_EQ(put_report(rca, "first", "n", 0), OK);
    save_status = ERR_IO;
    CHECK_EQ(put_report(rca, "second", "n", 0), ERR_IO);
    save_status = OK;
    CHECK(has_report(rca, "first", "n"));
    CHECK(!has_report(rca, "second", "n"));
    CHECK_EQ(put_report(rca, "third", "n", 0), OK);
    CHECK_EQ(saved[1].number, 2);
    rca_reports_free(rca);
}

/* The first versions stored no order of arrival. */
TEST(reports_without_a_number_are_read)
{
    struct rca_reports *rca = rca_reports_new(NULL, NULL);

    rca_reports_load(
        rca, 3, 0,
        SLICE("{\"reportId\":\"old\",\"alertId\":\"a\",\"timestamp\":"
              "\"2023-11-14T22:13:20Z\",\"status\":\"completed\","
              "\"summary\":\"\",\"namespace\":\"n\",\"project\":\"p\","
              "\"environment\":\"e\"}"));
    CHECK(has_report(rca, "old", "n"));
    CHECK(!has_report(rca, "old", "m"));
    rca_reports_free(rca);
}

TEST(reports_of_two_namespaces_do_not_meet)
{
    static const char evil[] =
        "{\"namespace\":\"evil\",\"project\":\"shop\",\"environment\":"
        "\"prod\",\"alert\":{\"id\":\"a1\","
        "\"timestamp\":\"2023-11-14T22:13:20Z\"}}";
    static const char *const wrong[] = {"?namespace=evil", "?project=x",
                                        "?environment=dev",
                                        "?namespace=acme&project=x"};
    struct bed bed;
    json_t *answer;
    char path[200];

    open_bed(&bed);
    json_decref(
        ask(&bed, "POST", "/api/v1alpha1/rca-agent/analyze", alert, 200));
    answer = ask(&bed, "POST", "/api/v1alpha1/rca-agent/analyze", evil, 200);
    CHECK_TEXT(bed_at(answer, "report_id"), "a1_1700000000");
    json_decref(answer);
    /* of both, the one that came last */
    answer = ask(&bed, "GET", ONE, NULL, 200);
    CHECK_TEXT(bed_at(answer, "report.alert_context.component"), "");
    json_decref(answer);
    answer = ask(&bed, "GET", ONE "?namespace=acme", NULL, 200);
    CHECK_TEXT(bed_at(answer, "report.alert_context.component"), "cart");
    json_decref(answer);
    answer = ask(&bed, "GET", ONE "?namespace=evil", NULL, 200);
    CHECK_TEXT(bed_at(answer, "report.alert_context.component"), "");
    json_decref(answer);

    json_decref(
        ask(&bed, "GET", ONE "?namespace=acme&project=shop", NULL, 200));
    for (size_t i = 1; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        (void)snprintf(path, sizeof(path), ONE "%s", wrong[i]);
        json_decref(ask(&bed, "GET", path, NULL, 404));
        json_decref(ask(&bed, "PUT", path, "{\"appliedIndices\":[]}", 404));
    }
    json_decref(ask(&bed, "PUT", ONE, "{\"namespace\":\"third\"}", 404));
    json_decref(ask(&bed, "POST", "/api/v1alpha1/rca-agent/chat",
                    "{\"reportId\":\"a1_1700000000\",\"namespace\":\"third\","
                    "\"messages\":[{\"role\":\"user\",\"content\":\"Why?\"}]}",
                    404));
    json_decref(ask(&bed, "POST", "/api/v1alpha1/rca-agent/chat",
                    "{\"reportId\":\"a1_1700000000\",\"namespace\":\"acme\","
                    "\"project\":\"other\","
                    "\"messages\":[{\"role\":\"user\",\"content\":\"Why?\"}]}",
                    404));
    answer = ask(&bed, "GET", ALL, NULL, 200);
    CHECK_TEXT(bed_at(answer, "totalCount"), "1");
    json_decref(answer);
    close_bed(&bed);
}
