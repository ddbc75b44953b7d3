/*
 * Unusual root cause queries: times without data, data of one kind or none, a
 * thousand components, memory that ends; and every field that can be wrong.
 */
#include "cause_world.h"

#define SCOPE "\"searchScope\":{\"namespace\":\"acme\",\"project\":\"shop\"}"
#define TIMES                                 \
    "\"startTime\":\"2023-11-14T22:24:00Z\"," \
    "\"endTime\":\"2023-11-14T22:29:00Z\""
#define BASELINE(start, end)                                  \
    "{" SCOPE "," TIMES ",\"baseline\":{\"startTime\":" start \
    ",\"endTime\":" end "}}"

/* A body, and what its refusal says. */
static const char *const wrong[][2] = {
    {"", "Invalid request format"},
    {"[]", "Invalid request format"},
    {"{" TIMES "}", "searchScope"},
    {"{" TIMES ",\"searchScope\":7}", "searchScope"},
    {"{" TIMES ",\"searchScope\":{\"namespace\":\"acme\"}}",
     "searchScope.project is required"},
    {"{" TIMES ",\"searchScope\":{\"namespace\":7,\"project\":\"shop\"}}",
     "searchScope.namespace must be"},
    {"{" TIMES ",\"searchScope\":{\"namespace\":\"a\",\"project\":[]}}",
     "searchScope.project must be"},
    {"{" TIMES ",\"searchScope\":{\"namespace\":\"a\",\"project\":\"b\","
     "\"component\":1}}",
     "searchScope.component must be"},
    {"{" TIMES ",\"searchScope\":{\"namespace\":\"a\",\"project\":\"b\","
     "\"environment\":{}}}",
     "searchScope.environment must be"},
    {"{" SCOPE "}", "startTime"},
    {"{" SCOPE ",\"startTime\":\"2023-11-14T22:24:00Z\"}", "endTime"},
    {"{" SCOPE ",\"startTime\":7,\"endTime\":8}", "startTime"},
    {"{" SCOPE ",\"startTime\":\"now\",\"endTime\":\"then\"}", "startTime"},
    /* reversed; without length; longer than 30 days */
    {"{" SCOPE ",\"startTime\":\"2023-11-14T22:29:00Z\",\"endTime\":"
     "\"2023-11-14T22:24:00Z\"}",
     "endTime"},
    {"{" SCOPE ",\"startTime\":\"2023-11-14T22:29:00Z\",\"endTime\":"
     "\"2023-11-14T22:29:00Z\"}",
     "endTime must be after startTime"},
    {"{" SCOPE ",\"startTime\":\"2023-11-01T00:00:00Z\",\"endTime\":"
     "\"2023-12-01T00:00:01.001Z\"}",
     "30 days"},
    {"{" SCOPE "," TIMES ",\"baseline\":[]}", "baseline must be an object"},
    {"{" SCOPE "," TIMES ",\"baseline\":{}}", "baseline.startTime"},
    {BASELINE("7", "8"), "baseline.startTime"},
    {BASELINE("\"2023-11-14T22:14:00Z\"", "\"x\""), "baseline.endTime"},
    {BASELINE("\"2023-11-14T22:14:00Z\"", "null"), "baseline.endTime"},
    {BASELINE("\"2023-11-14T22:14:00Z\"", "\"2023-11-14T22:25:00Z\""),
     "baseline must end before"},
    {BASELINE("\"2023-11-14T22:20:00Z\"", "\"2023-11-14T22:14:00Z\""),
     "baseline.endTime must be after"},
    {BASELINE("\"2022-11-14T22:20:00Z\"", "\"2023-11-14T22:14:00Z\""),
     "baseline must be at most"},
};

static const char *const wrong_queries[][2] = {
    {"namespace=acme", "project is required"},
    {"project=shop&startTime=x", "startTime"},
    {"project=shop&endTime=x", "endTime"},
    {"project=shop&startTime=2023-11-14T22:29:00Z&endTime=2023-11-14T22:24:00Z",
     "endTime"},
};

TEST(every_wrong_field_is_named)
{
    struct world *w = world_new(plain);
    char path[300];

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        json_decref(bed_ask(&w->bed, "POST", "/api/v1/cause", wrong[i][0]));
        CHECK_EQ(w->bed.status, 400);
        if (!CHECK(strstr(w->bed.text, wrong[i][1])))
            printf("# %s: %s\n", wrong[i][0], w->bed.text);
    }
    for (size_t i = 0; i < sizeof(wrong_queries) / sizeof(*wrong_queries);
         i++) {
        snprintf(path, sizeof(path), "/api/v1/cause?%s", wrong_queries[i][0]);
        json_decref(bed_ask(&w->bed, "GET", path, NULL));
        CHECK_EQ(w->bed.status, 400);
        if (!CHECK(strstr(w->bed.text, wrong_queries[i][1])))
            printf("# %s: %s\n", path, w->bed.text);
    }
    world_free(w);
}

/* Without data the answer has found: false. */
TEST(times_without_data_have_an_answer)
{
    static const char *const times[][2] = {
        {"2030-01-01T00:00:00Z", "2030-01-01T00:05:00Z"}, /* the future */
        {"1970-01-01T01:00:00Z", "1970-01-01T01:05:00Z"},
        {"2023-11-14T22:24:00.000000000Z", "2023-11-14T22:24:00.000000001Z"},
        {"2023-11-01T00:00:00Z", "2023-12-01T00:00:00Z"}, /* 30 days */
    };
    struct world *w = world_new(plain);
    char body[512];

    generate(w, true, true);
    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
        snprintf(body, sizeof(body),
                 "{" SCOPE ",\"startTime\":\"%s\",\"endTime\":\"%s\"}",
                 times[i][0], times[i][1]);
        json_t *answer = bed_ask(&w->bed, "POST", "/api/v1/cause", body);
        CHECK_EQ(w->bed.status, 200);
        CHECK_TEXT(bed_at(answer, "found"), "false");
        CHECK_TEXT(bed_at(answer, "summary.cause"), "nothing stands out");
        json_decref(answer);
    }
    world_free(w);
}

/* Traces, logs, metrics: each alone, and each in one of the two times only. */
TEST(one_sided_data_has_an_answer)
{
    for (int kinds = 0; kinds < 8; kinds++)
        for (int minutes = 10; minutes <= 15; minutes += 5) {
            struct world *w = world_new(plain);

            w->fault = CODE;
            w->at = STORE;
            w->minutes = minutes;
            generate(w, kinds & 3, kinds & 4);
            if (!(kinds & 1))
                w->bed.store->span_count = 0;
            if (!(kinds & 2))
                w->bed.store->log_count = 0;
            json_decref(ask_cause(w, 10, 15, ""));
            json_decref(ask_cause(w, 0, 5, "")); /* nothing before */
            world_free(w);
        }
}

TEST(unknown_project_has_an_answer)
{
    struct world *w = world_new(plain);
    json_t *answer =
        bed_ask(&w->bed, "POST", "/api/v1/cause",
                "{" TIMES ",\"searchScope\":{\"namespace\":\"acme\","
                "\"project\":\"nobody\"}}");

    CHECK_EQ(w->bed.status, 200);
    CHECK_TEXT(bed_at(answer, "found"), "false");
    json_decref(answer);
    world_free(w);
}

/* A chain of them, each with its resource and its requests. */
TEST(thousand_components_are_answered_in_bounded_memory)
{
    enum { MANY = 1000 };
    struct world *w = world_new(plain);
    uint32_t ids[MANY];
    char name[32];

    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "component-%04d", i);
        ids[i] = bed_resource(&w->bed, "shop", name);
    }
    for (int minute = 0; minute < 15; minute += 3)
        for (int i = 0; i < MANY; i++) {
            uint64_t at = (w->start_s + (uint64_t)minute * 60 + 1) * NS_PER_S;
            uint64_t trace = (uint64_t)minute << 32 | (uint64_t)(i / 20 + 1);
            bool faulty = i == 500 && minute >= 10;
            struct span *s =
                add_span(w, trace, i % 20 ? w->ids : 0, WEB, SPAN_SERVER,
                         "GET /x", at, (faulty ? 900 : 20) * MS);

            s->resource_id = ids[i];
            s->status = faulty ? SPAN_ERROR : SPAN_UNSET;
        }
    w->bed.max_memory = 32 << 20;
    uint64_t began = clock_monotonic_ns();
    json_decref(ask_cause(w, 10, 15, ""));
    CHECK(clock_monotonic_ns() - began < 20 * NS_PER_S);

    /* Far too little memory is an error, not half an answer. */
    w->bed.max_memory = 256 << 10;
    json_decref(
        bed_ask(&w->bed, "POST", "/api/v1/cause", "{" SCOPE "," TIMES "}"));
    CHECK(w->bed.status == 413 || w->bed.status == 503);
    CHECK(strstr(w->bed.text, "\"message\""));
    world_free(w);
}

/* Each allocation of the query fails once: the query is refused or answered in
 * full, without invalid reads or writes. */
TEST(memory_may_end_anywhere)
{
    struct world *w = world_new(plain);
    size_t step = 4096;
    int refused = 0;

    w->fault = CODE;
    w->at = USERS;
    generate(w, true, true);
    for (size_t most = step; w->bed.status != 200 || refused == 0;
         most += step) {
        w->bed.max_memory = most;
        json_decref(
            bed_ask(&w->bed, "POST", "/api/v1/cause", "{" SCOPE "," TIMES "}"));
        CHECK(w->bed.status == 200 || w->bed.status == 413 ||
              w->bed.status == 503);
        refused += w->bed.status != 200;
        if (!CHECK(most < 64 << 20))
            break;
    }
    CHECK(refused > 50);
    world_free(w);
}
