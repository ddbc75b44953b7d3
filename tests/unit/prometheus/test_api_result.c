/* Answers of queries, byte by byte as Prometheus writes them. */
#include "api.h"

#include <jansson.h>
#include <math.h>

#include "test.h"

static struct arena arena;
static struct query_request request;
static uint32_t pieces;
static size_t largest;

/* The whole answer, pieces joined. */
static struct slice answer_of(const struct promql_result *result,
                              const struct promql_time *time,
                              const struct api_stats *stats)
{
    static const struct api_stats none;

    buf_release(&request.out);
    arena_release(&arena);
    arena_init(&arena, NULL, SIZE_MAX);
    request = (struct query_request){.arena = &arena};
    buf_init(&request.out, (size_t)1 << 30);
    CHECK_EQ(api_answer_result(&request, result, time, stats ? stats : &none),
             OK);
    pieces = 0;
    largest = 0;
    for (bool more = true; more; pieces++) {
        size_t before = request.out.len;

        more = request.produce(request.produce_arg, &request.out);
        CHECK(request.out.len > before);
        if (request.out.len - before > largest)
            largest = request.out.len - before;
    }
    return buf_slice(&request.out);
}

#define ANSWER(type, result)                                   \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"" type \
    "\",\"result\":[" result "]}}"
#define LABEL(n, v)                  \
    {                                \
        SLICE_INIT(n), SLICE_INIT(v) \
    }
#define LABELS(...)                                              \
    {                                                            \
        (const struct promql_label[]){__VA_ARGS__},              \
            sizeof((const struct promql_label[]){__VA_ARGS__}) / \
                sizeof(struct promql_label)                      \
    }

static const struct promql_time at_1500 = {.start_ms = 1500, .end_ms = 1500};

TEST(scalars_and_strings)
{
    double v = 1e-7;
    struct promql_result_series series = {.values = &v};
    struct promql_result result = {
        .type = PROMQL_SCALAR, .series = &series, .count = 1};

    CHECK_TEXT(answer_of(&result, &at_1500, NULL),
               ANSWER("scalar", "1.5,\"0.0000001\""));
    v = NAN;
    CHECK_TEXT(answer_of(&result, &at_1500, NULL),
               ANSWER("scalar", "1.5,\"NaN\""));
    v = 1e21;
    CHECK_TEXT(answer_of(&result, &at_1500, NULL),
               ANSWER("scalar", "1.5,\"1000000000000000000000\""));
    result =
        (struct promql_result){.type = PROMQL_STRING, .string = SLICE("a\"b")};
    CHECK_TEXT(answer_of(&result, &at_1500, NULL),
               ANSWER("string", "1.5,\"a\\\"b\""));
}

TEST(vectors)
{
    double values[] = {1e-7, -INFINITY, promql_absent(), -0.0};
    struct promql_result_series series[] = {
        {LABELS(LABEL("__name__", "up"), LABEL("job", "a\\b")), &values[0],
         NULL},
        {{NULL, 0}, &values[1], NULL},
        {LABELS(LABEL("a", "gone")), &values[2], NULL},
        {LABELS(LABEL("http.method", "GET")), &values[3], NULL}};
    const char *warning = "a \"warning\"", *info = "an info";
    struct promql_result result = {
        .type = PROMQL_VECTOR, .series = series, .count = 4};

    CHECK_TEXT(answer_of(&result, &at_1500, NULL),
               ANSWER("vector",
                      "{\"metric\":{\"__name__\":\"up\",\"job\":\"a\\\\b\"},"
                      "\"value\":[1.500,\"1e-07\"]},"
                      "{\"metric\":{},\"value\":[1.500,\"-Inf\"]},"
                      "{\"metric\":{\"http.method\":\"GET\"},"
                      "\"value\":[1.500,\"-0\"]}"));
    result = (struct promql_result){.type = PROMQL_VECTOR,
                                    .warnings = &warning,
                                    .warning_count = 1,
                                    .infos = &info,
                                    .info_count = 1};
    CHECK_TEXT(answer_of(&result, &at_1500, NULL),
               "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\","
               "\"result\":[]},\"warnings\":[\"a \\\"warning\\\"\"],"
               "\"infos\":[\"an info\"]}");
}

TEST(matrices)
{
    const struct promql_time time = {
        .start_ms = -1500, .end_ms = 1500, .step_ms = 1000};
    double a[] = {1, promql_absent(), NAN, INFINITY};
    double none[] = {promql_absent(), promql_absent(), promql_absent(),
                     promql_absent()};
    struct promql_result_series series[] = {
        {{NULL, 0}, none, NULL},
        {LABELS(LABEL("a", "b")), a, NULL},
        {LABELS(LABEL("c", "d")), none, NULL}};
    struct promql_result result = {
        .type = PROMQL_MATRIX, .series = series, .count = 3};

    CHECK_TEXT(answer_of(&result, &time, NULL),
               ANSWER("matrix", "{\"metric\":{\"a\":\"b\"},\"values\":"
                                "[[-1.500,\"1\"],[0.500,\"NaN\"],"
                                "[1.500,\"+Inf\"]]}"));
    /* A scalar at several times is a matrix, too. */
    result = (struct promql_result){
        .type = PROMQL_SCALAR,
        .series = &(struct promql_result_series){.values = a},
        .count = 1};
    CHECK_TEXT(answer_of(&result,
                         &(struct promql_time){.end_ms = 0, .step_ms = 1},
                         NULL),
               ANSWER("matrix", "{\"metric\":{},\"values\":[[0,\"1\"]]}"));
}

TEST(samples_of_an_instant_query)
{
    const int64_t times[] = {1000, 2001};
    const double values[] = {0.25, promql_stale()};
    struct promql_series samples = {.labels = LABELS(LABEL("a", "b")),
                                    .times = times,
                                    .values = values,
                                    .count = 2};
    struct promql_result result = {
        .type = PROMQL_MATRIX, .samples = &samples, .count = 1};

    CHECK_TEXT(answer_of(&result, &at_1500, NULL),
               ANSWER("matrix", "{\"metric\":{\"a\":\"b\"},\"values\":"
                                "[[1,\"0.25\"]]}"));
}

static const double counts[] = {1, 0, 2};
static const double bounds[] = {0.5, 1};
static const struct promql_histogram exponential = {
    .schema = 0,
    .zero_threshold = 0.001,
    .zero_count = 4,
    .count = 10,
    .sum = 1.5,
    .positive = {counts, 3, 0},
    .negative = {counts, 3, -1},
};
static const struct promql_histogram custom = {
    .schema = PROMQL_CUSTOM_BUCKETS,
    .count = 3,
    .sum = 2,
    .positive = {counts, 3, 0},
    .bounds = bounds,
    .bound_count = 2,
};

#define EXPONENTIAL                                         \
    "{\"count\":\"10\",\"sum\":\"1.5\",\"buckets\":"        \
    "[[1,\"-4\",\"-2\",\"2\"],[1,\"-1\",\"-0.5\",\"1\"],"   \
    "[3,\"-0.001\",\"0.001\",\"4\"],[0,\"1\",\"2\",\"1\"]," \
    "[0,\"4\",\"8\",\"2\"]]}"
#define CUSTOM                                    \
    "{\"count\":\"3\",\"sum\":\"2\",\"buckets\":" \
    "[[3,\"-Inf\",\"0.5\",\"1\"],[0,\"1\",\"+Inf\",\"2\"]]}"

TEST(native_histograms)
{
    const struct promql_time time = {.end_ms = 2000, .step_ms = 1000};
    const struct promql_histogram *at[] = {&exponential, NULL, &custom};
    double values[] = {0, 7, 0};
    struct promql_result_series series = {{NULL, 0}, values, at};
    struct promql_result result = {
        .type = PROMQL_VECTOR, .series = &series, .count = 1};
    struct promql_histogram empty = {.schema = 3, .sum = NAN};

    CHECK_TEXT(answer_of(&result, &at_1500, NULL),
               ANSWER("vector", "{\"metric\":{},\"histogram\":"
                                "[1.500," EXPONENTIAL "]}"));
    CHECK_TEXT(answer_of(&result, &time, NULL),
               ANSWER("matrix",
                      "{\"metric\":{},\"values\":[[1,\"7\"]],"
                      "\"histograms\":[[0," EXPONENTIAL "],[2," CUSTOM "]]}"));
    at[0] = &empty;
    CHECK_TEXT(answer_of(&result, &at_1500, NULL),
               ANSWER("vector", "{\"metric\":{},\"histogram\":"
                                "[1.500,{\"count\":\"0\",\"sum\":\"NaN\"}]}"));
}

TEST(statistics_are_numbers)
{
    const struct api_stats stats = {true, 1500000, 2000000000, 42};
    struct promql_result result = {.type = PROMQL_VECTOR};

    CHECK_TEXT(answer_of(&result, &at_1500, &stats),
               "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\","
               "\"result\":[],\"stats\":{\"timings\":{\"evalTotalTime\":2,"
               "\"resultSortTime\":0,\"queryPreparationTime\":0.0015,"
               "\"innerEvalTime\":2,\"execQueueTime\":0,"
               "\"execTotalTime\":2.0015},\"samples\":"
               "{\"totalQueryableSamples\":42,\"peakSamples\":42}}}}");
}

enum { STEPS = 2999, SERIES = 50 };

/* Pieces have a bound, and joined they are what a parser that is not ours
 * reads. */
TEST(a_large_matrix_comes_in_pieces)
{
    static double values[SERIES][STEPS];
    static const struct promql_histogram *histograms[STEPS];
    static struct promql_result_series series[SERIES];
    const struct promql_time time = {.end_ms = (STEPS - 1) * 1000,
                                     .step_ms = 1000};
    struct promql_result result = {
        .type = PROMQL_MATRIX, .series = series, .count = SERIES};
    json_t *json, *list;
    size_t points = 0, seen = 0;

    for (int i = 0; i < STEPS; i++)
        histograms[i] = i % 2 ? &exponential : NULL;
    for (int s = 0; s < SERIES; s++) {
        series[s] = (struct promql_result_series){
            {NULL, 0}, values[s], s == 7 ? histograms : NULL};
        for (int i = 0; i < STEPS; i++) {
            values[s][i] =
                test_random(5) ? test_random(1000) / 7.0 : promql_absent();
            points += s == 7 && i % 2 ? 1 : !promql_is_absent(values[s][i]);
        }
    }
    struct slice text = answer_of(&result, &time, NULL);
    CHECK(pieces > 40);
    CHECK(largest < 2 * QUERY_PIECE);
    json = json_loadb(text.ptr, text.len, 0, NULL);
    list = json_object_get(json_object_get(json, "data"), "result");
    CHECK_EQ(json_array_size(list), SERIES);
    for (size_t s = 0; s < json_array_size(list); s++) {
        json_t *one = json_array_get(list, s), *floats, *point;
        size_t i;

        floats = json_object_get(one, "values");
        json_array_foreach(floats, i, point)
        {
            size_t step = (size_t)json_integer_value(json_array_get(point, 0));
            const char *value = json_string_value(json_array_get(point, 1));

            seen += strtod(value, NULL) == values[s][step];
        }
        seen += json_array_size(json_object_get(one, "histograms"));
    }
    CHECK_EQ(seen, points);
    json_decref(json);
}

/* Memory that is full ends it. */
TEST(a_full_buffer_ends_it)
{
    double v = 1;
    struct promql_result_series series = {.values = &v};
    struct promql_result result = {
        .type = PROMQL_MATRIX, .series = &series, .count = 1};
    static const struct api_stats none;
    struct buf small;

    answer_of(&result, &(struct promql_time){.step_ms = 1}, NULL);
    CHECK_EQ(api_answer_result(&request, &result,
                               &(struct promql_time){.step_ms = 1}, &none),
             OK);
    buf_init(&small, 100);
    while (small.status == OK)
        CHECK(request.produce(request.produce_arg, &small));
    CHECK_EQ(small.status, ERR_TOO_BIG);
    buf_release(&small);
    arena_release(&arena);
    buf_release(&request.out);
}
