/* Parameters that all queries share: scope, time range, paging, and the
 * messages that refuse them; tested through the routes of logs and traces. */
#include "fake_query.h"

#define LOGS   "/api/v1/logs/query"
#define TRACES "/api/v1alpha1/traces/query"
#define METRIC "/api/v1/metrics/query"
#define TIMES                                 \
    "\"startTime\":\"2026-08-21T08:00:00Z\"," \
    "\"endTime\":\"2026-08-21T09:00:00Z\""
#define SCOPE "\"searchScope\":{\"namespace\":\"acme\"}"

static struct bed bed;

struct refusal {
    const char *body, *message;
};

static void check_refusals(const char *path, const char *code,
                           const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++)
        CHECK_TEXT(
            slice_of(bed_refused(&bed, path, refusals[i].body, 400, code)),
            refusals[i].message);
}

TEST(bodies_that_are_no_json_object)
{
    static const char *const bodies[] = {
        "", "{", "[]", "null", "3", "{} x", "{\"a\":\"\xff\"}"};

    bed_init(&bed);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        CHECK_TEXT(slice_of(bed_refused(&bed, LOGS, bodies[i], 400, "")),
                   "Invalid request format");
    bed.content_type = "text/plain";
    CHECK_TEXT(
        slice_of(bed_refused(&bed, LOGS, "{" TIMES "," SCOPE "}", 400, "")),
        "Invalid request format");
    CHECK_TEXT(slice_of(bed_refused(&bed, TRACES, "{}", 400, "OBS-V1-T-06")),
               "Invalid request format");
    bed_release(&bed);
}

TEST(refusals_name_the_member)
{
    static const struct refusal refusals[] = {
        {"{" TIMES "}", "searchScope is required"},
        {"{" TIMES ",\"searchScope\":3}", "searchScope must be an object"},
        {"{" TIMES ",\"searchScope\":{}}", "searchScope.namespace is required"},
        {"{" TIMES ",\"searchScope\":{\"namespace\":\"  \"}}",
         "searchScope.namespace is required"},
        {"{" TIMES ",\"searchScope\":{\"namespace\":7}}",
         "searchScope.namespace must be a string"},
        {"{" TIMES
         ",\"searchScope\":{\"namespace\":\"a\",\"component\":\"c\"}}",
         "searchScope.project is required when searchScope.component is "
         "provided"},
        {"{" TIMES ",\"searchScope\":{\"namespace\":\"a\","
         "\"workflowRunName\":\"\"}}",
         "searchScope.workflowRunName is required"},
        {"{" TIMES ",\"searchScope\":{\"namespace\":\"a\","
         "\"workflowRunName\":\"r\",\"project\":\"p\"}}",
         "searchScope.project must not be combined with "
         "searchScope.workflowRunName"},
        {"{" SCOPE "}", "startTime is required"},
        {"{" SCOPE ",\"startTime\":\"2026-08-21T08:00:00Z\"}",
         "endTime is required"},
        {"{" SCOPE ",\"startTime\":\"yesterday\",\"endTime\":\"now\"}",
         "startTime must be an RFC 3339 time such as 2026-08-21T08:00:00Z"},
        {"{" SCOPE ",\"startTime\":\"2026-08-21T08:00:00Z\","
         "\"endTime\":\"2026-08-21T07:59:59.999999999Z\"}",
         "endTime must not be before startTime"},
        {"{" SCOPE "," TIMES ",\"logLevels\":[\"WARN\",\"ERROR\",\"WARN\"]}",
         "logLevels must not name a level twice"},
        {"{" SCOPE ",\"startTime\":\"2026-08-01T00:00:00Z\","
         "\"endTime\":\"2026-08-31T00:00:01.000000001Z\"}",
         "endTime must be at most 30 days after startTime"},
        {"{" TIMES "," SCOPE ",\"limit\":1001}",
         "limit must be an integer from 1 to 1000"},
        {"{" TIMES "," SCOPE ",\"limit\":-1}",
         "limit must be an integer from 1 to 1000"},
        {"{" TIMES "," SCOPE ",\"limit\":\"5\"}",
         "limit must be an integer from 1 to 1000"},
        {"{" TIMES "," SCOPE ",\"sortOrder\":\"up\"}",
         "sortOrder must be asc or desc"},
        {"{" TIMES "," SCOPE ",\"logLevels\":[\"LOUD\"]}",
         "logLevels must be any of DEBUG, INFO, WARN, ERROR"},
        {"{" TIMES "," SCOPE ",\"searchPhrase\":[]}",
         "searchPhrase must be a string"},
        {"{" TIMES "," SCOPE ",\"searchWords\":[1]}",
         "searchWords must be an array of strings"},
        {"{" TIMES "," SCOPE ",\"attributes\":{\"a\":[]}}",
         "attributes.a must be a string, a number or a boolean"},
        {"{" TIMES "," SCOPE ",\"traceId\":\"12\"}",
         "traceId must be 32 hexadecimal digits"},
        {"{" TIMES "," SCOPE ",\"includeAttributes\":1}",
         "includeAttributes must be true or false"},
    };

    bed_init(&bed);
    check_refusals(LOGS, "", refusals, sizeof(refusals) / sizeof(refusals[0]));
    bed_release(&bed);
}

TEST(traces_have_their_own_rules_and_code)
{
    static const struct refusal refusals[] = {
        {"{" TIMES "," SCOPE ",\"limit\":0}",
         "limit must be an integer from 1 to 1000"},
        {"{" TIMES ",\"searchScope\":{\"namespace\":\"a\","
         "\"workflowRunName\":\"r\"}}",
         "searchScope.workflowRunName is not allowed here; allowed: "
         "namespace, project, component, environment"},
        {"{" TIMES "," SCOPE ",\"minDuration\":\"long\"}",
         "minDuration must be a duration such as 250ms, 15s or 1m30s"},
        {"{" TIMES "," SCOPE ",\"errorsOnly\":\"yes\"}",
         "errorsOnly must be true or false"},
    };

    bed_init(&bed);
    check_refusals(TRACES, "OBS-V1-T-06", refusals,
                   sizeof(refusals) / sizeof(refusals[0]));
    bed_release(&bed);
}

TEST(metrics_need_a_metric_and_a_sensible_step)
{
    static const struct refusal refusals[] = {
        {"{" TIMES "," SCOPE "}", "metric must be resource or http"},
        {"{" TIMES "," SCOPE ",\"metric\":\"http\",\"step\":\"0s\"}",
         "step must be a duration above zero such as 15s, 1m or 1h"},
        {"{" TIMES "," SCOPE ",\"metric\":\"http\",\"step\":\"1ms\"}",
         "step is too small for this time range: at most 11000 steps"},
    };

    bed_init(&bed);
    check_refusals(METRIC, "", refusals,
                   sizeof(refusals) / sizeof(refusals[0]));
    bed_release(&bed);
}

TEST(defaults_trimming_and_what_is_ignored)
{
    bed_init(&bed);
    json_decref(bed_ask(&bed, "POST", LOGS,
                        "{" TIMES
                        ",\"limit\":0,\"sortOrder\":null,\"unknown\":[1],"
                        "\"searchPhrase\":\" x "
                        "\",\"searchScope\":{\"namespace\":\" acme \"}}"));
    CHECK_EQ(bed.status, 200);
    CHECK_EQ(bed.store->log_query.limit,
             101); /* one more: is there a next page? */
    CHECK(!bed.store->log_query.ascending);
    CHECK(bed.store->log_query.end_ns - bed.store->log_query.start_ns ==
          NS_PER_HOUR);
    CHECK_EQ(bed.store->log_query.phrase.len, 3);
    json_decref(bed_ask(&bed, "POST", LOGS,
                        "{" TIMES "," SCOPE
                        ",\"limit\":1000,\"sortOrder\":\"asc\"}"));
    CHECK_EQ(bed.status, 200);
    CHECK_EQ(bed.store->log_query.limit, 1001);
    CHECK(bed.store->log_query.ascending);
    bed_release(&bed);
}

TEST(level_filters_select_true_severities)
{
    bed_init(&bed);
    json_decref(bed_ask(&bed, "POST", LOGS,
                        "{" TIMES "," SCOPE ",\"logLevels\":[\"ERROR\"]}"));
    CHECK_EQ(bed.store->log_query.levels, 1 << LEVEL_ERROR | 1 << LEVEL_FATAL);
    json_decref(bed_ask(&bed, "POST", LOGS,
                        "{" TIMES "," SCOPE
                        ",\"logLevels\":[\"DEBUG\",\"INFO\"]}"));
    CHECK_EQ(bed.store->log_query.levels, 1 << LEVEL_DEBUG | 1 << LEVEL_TRACE |
                                              1 << LEVEL_INFO |
                                              1 << LEVEL_UNSET);
    bed_release(&bed);
}

/* A tree of the parser is many times its text: bounded before it is built. */
TEST(a_body_of_many_values_is_refused)
{
    static char body[100000] = "{\"a\":[";

    bed_init(&bed);
    for (size_t i = 6; i + 8 < sizeof(body); i += 3)
        memcpy(body + i, "[],", 3);
    strcat(body, "0]}");
    CHECK_TEXT(slice_of(bed_refused(&bed, LOGS, body, 413, "")),
               "the body has more than 16384 values");
    bed_release(&bed);
}

/* Portals compute both ends apart. */
TEST(thirty_days_have_a_second_of_slack)
{
    bed_init(&bed);
    json_decref(bed_ask(&bed, "POST", LOGS,
                        "{" SCOPE ",\"startTime\":\"2026-08-01T00:00:00Z\","
                        "\"endTime\":\"2026-08-31T00:00:00.001Z\"}"));
    CHECK_EQ(bed.status, 200);
    json_decref(bed_ask(&bed, "POST", LOGS,
                        "{" SCOPE ",\"startTime\":\"2026-08-01T00:00:00Z\","
                        "\"endTime\":\"2026-08-31T00:00:01.001Z\"}"));
    CHECK_EQ(bed.status, 400);
    bed_release(&bed);
}

/* The query string has one reader for each kind of value. */
TEST(refusals_name_the_parameter)
{
#define ONE "/api/v1/capacity?namespace=a&project=b&component=c&"
    static const struct {
        const char *path, *message;
    } refusals[] = {
        {ONE "objectiveLatency=0x10",
         "objectiveLatency must be a number above 0 and at most 3600"},
        {ONE "objectiveLatency=3601",
         "objectiveLatency must be a number above 0 and at most 3600"},
        {ONE "objectiveErrorRatio=nan",
         "objectiveErrorRatio must be a number above 0 and at most 1"},
        {ONE "objectiveErrorRatio=-0.1",
         "objectiveErrorRatio must be a number above 0 and at most 1"},
        {ONE "objectiveErrorRatio=0.1.2",
         "objectiveErrorRatio must be a number above 0 and at most 1"},
        {"/api/v1/dependencies?namespace=a&direction=up",
         "direction must be callees, callers or both"},
        {"/api/v1/traces?sortBy=size", "sortBy must be time or duration"},
        {"/api/v1/traces?minDuration=fast",
         "minDuration must be a duration such as 250ms, 15s or 1m30s"},
        {"/api/v1/traces?attr=KEY", "attr must be KEY=VALUE, at most 64 times"},
        {"/api/v1/compare?baseEndTime=noon",
         "baseEndTime must be an RFC 3339 time such as 2026-08-21T08:00:00Z"},
        {"/api/v1/components?usage=yes", "usage must be true or false"},
        {"/api/v1/costs?groupBy=pod",
         "groupBy must be component, project, environment or namespace"},
        {"/api/v1/logs/tail?spanId=12", "spanId must be 16 hexadecimal digits"},
        {"/api/v1/logs/tail?startTime=noon",
         "startTime must be an RFC 3339 time such as 2026-08-21T08:00:00Z"},
    };
    char many[300] = "/api/v1/changes?kind=a";
    json_t *answer;

    bed_init(&bed);
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
        answer = bed_ask(&bed, "GET", refusals[i].path, NULL);
        CHECK_EQ(bed.status, 400);
        CHECK_TEXT(bed_at(answer, "message"), refusals[i].message);
        json_decref(answer);
    }
    answer = bed_ask(&bed, "GET",
                     ONE "objectiveLatency=0.5&objectiveErrorRatio=1e-2", NULL);
    CHECK_EQ(bed.status, 200);
    json_decref(answer);
    for (int i = 0; i < 64; i++)
        strcat(many, ",b");
    answer = bed_ask(&bed, "GET", many, NULL);
    CHECK_EQ(bed.status, 400);
    CHECK_TEXT(bed_at(answer, "message"),
               "kind must be at most 64 texts separated by commas");
    json_decref(answer);
    bed_release(&bed);
}
