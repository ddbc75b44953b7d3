/*
 * Reports of the RCA agent: analysed, kept, listed, changed, asked about.
 */
#include <stdio.h>

#include "fake_query.h"
#include "rca.h"

static char saved[RCA_KEPT][4096];

static void save(void *arg, const char *name, struct slice text)
{
    unsigned place = (unsigned)strtoul(name + 4, NULL, 10);

    (void)arg;
    if (CHECK(place < RCA_KEPT && text.len < sizeof(saved[0])))
        snprintf(saved[place], sizeof(saved[0]), "%.*s", (int)text.len,
                 text.ptr);
}

static const char alert[] =
    "{\"namespace\":\"acme\",\"project\":\"shop\",\"environment\":\"prod\","
    "\"component\":\"cart\",\"alert\":{\"id\":\"a1\",\"value\":12,"
    "\"timestamp\":\"2023-11-14T22:13:20Z\",\"rule\":{\"name\":\"errors\","
    "\"condition\":{\"window\":\"5m\",\"interval\":\"1m\",\"operator\":\"gt\","
    "\"threshold\":10}}}}";

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
    bed->options.rca = rca_new(save, NULL);
}

static void close_bed(struct bed *bed)
{
    rca_free(bed->options.rca);
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
               "10");
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

TEST(reports_outlive_a_restart)
{
    struct bed bed;

    memset(saved, 0, sizeof(saved));
    open_bed(&bed);
    json_decref(
        ask(&bed, "POST", "/api/v1alpha1/rca-agent/analyze", alert, 200));
    rca_free(bed.options.rca);
    bed.options.rca = rca_new(save, NULL);
    json_decref(ask(&bed, "GET", ONE, NULL, 404));
    for (uint32_t i = 0; i < RCA_KEPT; i++)
        rca_load(bed.options.rca, i, slice_of(saved[i]));
    rca_load(bed.options.rca, 7, SLICE("{\"damaged\""));
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
    json_decref(ask(&bed, "PUT", ONE, "{\"appliedIndices\":[0]}", 400));
    json_decref(ask(&bed, "PUT", ONE, "{\"appliedIndices\":[]}", 200));
    json_decref(ask(&bed, "POST", "/api/v1alpha1/rca-agent/chat",
                    "{\"reportId\":\"a1_1700000000\",\"messages\":[]}", 400));
    json_decref(ask(&bed, "POST", "/api/v1alpha1/rca-agent/chat",
                    "{\"reportId\":\"a1_1700000000\",\"messages\":[{\"role\":"
                    "\"user\",\"content\":\"Why?\"}]}",
                    200));
    CHECK(strstr(bed.text, "\"type\":\"message_chunk\""));
    CHECK(strstr(bed.text, "Nothing stands out"));
    CHECK(strstr(bed.text, "\"type\":\"done\""));
    close_bed(&bed);
}

TEST(the_oldest_gives_its_place)
{
    struct rca *rca = rca_new(NULL, NULL);
    struct rca_filter filter = {.end_ns = UINT64_MAX, .limit = 1000};
    struct arena arena;
    uint32_t count;
    uint64_t total;
    char text[512];

    arena_init(&arena, NULL, SIZE_MAX);
    for (int i = 0; i < RCA_KEPT + 5; i++) {
        int len =
            snprintf(text, sizeof(text),
                     "{\"reportId\":\"r%d\",\"alertId\":\"a\",\"timestamp\":"
                     "\"2023-11-14T22:%02d:%02dZ\",\"status\":\"completed\","
                     "\"summary\":\"\",\"namespace\":\"n\",\"project\":\"p\","
                     "\"environment\":\"e\"}",
                     i, i / 60, i % 60);

        CHECK_EQ(rca_put(rca, (struct slice){text, (size_t)len}), OK);
    }
    const struct rca_row *rows = rca_list(rca, &filter, &arena, &count, &total);
    CHECK_EQ(total, RCA_KEPT);
    CHECK_TEXT(rows[count - 1].id, "r5");
    CHECK_EQ(rca_put(rca, SLICE("{}")), ERR_INVALID);
    arena_release(&arena);
    rca_free(rca);
}
