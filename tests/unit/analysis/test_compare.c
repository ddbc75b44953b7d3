/* Two windows compared: what is told, in which order, and what is not. */
#include <math.h>

#include "derived.h"
#include "fake_query.h"

#define T0 (UINT64_C(1787299200) * NS_PER_S) /* 2026-08-21T08:00:00Z */
#define PATH                                                                 \
    "/api/v1/compare?namespace=acme&startTime=2026-08-21T09:00:00Z&endTime=" \
    "2026-08-21T10:00:00Z"

enum { MINUTES = 120, HALF = 60, POINTS = 4096 };

static struct bed bed;
static struct point points[POINTS];
static const struct metric duration = {
    .name = {DERIVED_DURATION, sizeof(DERIVED_DURATION) - 1},
    .type = METRIC_EXP_HISTOGRAM,
    .temporality = DELTA};
static const struct metric out_duration = {
    .name = {DERIVED_OUT_DURATION, sizeof(DERIVED_OUT_DURATION) - 1},
    .type = METRIC_EXP_HISTOGRAM,
    .temporality = DELTA};
static const struct metric errors = {
    .name = {DERIVED_ERRORS, sizeof(DERIVED_ERRORS) - 1},
    .type = METRIC_SUM,
    .temporality = DELTA};
static const struct metric out_errors = {
    .name = {DERIVED_OUT_ERRORS, sizeof(DERIVED_OUT_ERRORS) - 1},
    .type = METRIC_SUM,
    .temporality = DELTA};
static const struct metric records = {
    .name = {DERIVED_LOGS, sizeof(DERIVED_LOGS) - 1},
    .type = METRIC_SUM,
    .temporality = DELTA};

static struct point *add_point(const struct metric *metric, uint32_t resource,
                               uint32_t minute, const struct attrs *attrs)
{
    struct point *p = &points[bed.store->point_count++];

    *p = (struct point){.metric = metric,
                        .start_ns = T0 + minute * NS_PER_MIN,
                        .time_ns = T0 + (minute + 1) * NS_PER_MIN,
                        .resource_id = resource,
                        .attrs = *attrs,
                        .is_int = true};
    bed.store->points = points;
    return p;
}

/* `count` requests in a minute, `failed` of them; bucket 8 longer is twice as
 * slow. */
static void add_requests(const struct metric *metric, const struct metric *of,
                         uint32_t resource, uint32_t minute,
                         const struct attrs *attrs, uint64_t count,
                         uint64_t failed, int32_t bucket)
{
    struct histogram *hist = arena_zero(&bed.arena, 1, sizeof(*hist));
    uint64_t *counts = arena_zero(&bed.arena, 4, sizeof(*counts));

    for (int i = 0; i < 4; i++)
        counts[i] = count / 4;
    *hist = (struct histogram){.count = count / 4 * 4,
                               .has_sum = true,
                               .sum = (double)count * exp2(bucket / 8.0),
                               .scale = 3,
                               .positive = {counts, 4, bucket}};
    add_point(metric, resource, minute, attrs)->histogram = hist;
    if (failed > 0)
        add_point(of, resource, minute, attrs)->i = (int64_t)failed;
}

static struct attrs *labels(const char *const texts[][2], uint32_t n)
{
    struct attrs *attrs = arena_zero(&bed.arena, 1, sizeof(*attrs));
    struct attr *at = arena_zero(&bed.arena, n, sizeof(*at));

    for (uint32_t i = 0; i < n; i++)
        at[i] = bed_attr(texts[i][0], texts[i][1]);
    *attrs = (struct attrs){at, n, 0};
    return attrs;
}

static struct attrs *operation(const char *name)
{
    const char *const texts[][2] = {{DERIVED_ENDPOINT, "http"},
                                    {DERIVED_OPERATION, name},
                                    {DERIVED_KIND, "server"}};

    return labels(texts, 3);
}

static json_t *compare(const char *more)
{
    char path[512];

    snprintf(path, sizeof(path), PATH "%s", more);
    return bed_ask(&bed, "GET", path, NULL);
}

TEST(a_quiet_pair_of_windows_is_the_same)
{
    static const char *const names[] = {"GET /0", "GET /1", "GET /2", "GET /3"};
    json_t *answer;

    bed_init(&bed);
    uint32_t cart = bed_resource(&bed, "shop", "cart");
    for (uint32_t minute = 0; minute < MINUTES; minute++)
        for (int i = 0; i < 4; i++) {
            add_requests(&duration, &errors, cart, minute, operation(names[i]),
                         100 + test_random(40), test_random(3),
                         (int32_t)(-50 + (int)test_random(2)));
        }
    answer = compare("");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "same"), "true");
    CHECK_TEXT(bed_at(answer, "summary"), "no significant difference");
    CHECK_TEXT(bed_at(answer, "total"), "0");
    CHECK_TEXT(bed_at(answer, "baseIsEmpty"), "false");
    CHECK_TEXT(bed_at(answer, "componentCount"), "1");
    CHECK_TEXT(bed_at(answer, "base.startTime"), "2026-08-21T08:00:00Z");
    json_decref(answer);
    bed_release(&bed);
}

/* web calls cart, which begins to fail; web fails as often, and no more. */
TEST(where_a_fault_begins_stands_first)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t web = bed_resource(&bed, "shop", "web"),
             cart = bed_resource(&bed, "shop", "cart");
    const char *const texts[][2] = {{DERIVED_PEER_KIND, "component"},
                                    {DERIVED_PEER_ENDPOINT, "http"}};
    struct attrs *call = labels(texts, 2),
                 *to = arena_zero(&bed.arena, 1, sizeof(*to));
    struct attr *at = arena_zero(&bed.arena, 3, sizeof(*at));
    memcpy(at, call->at, 2 * sizeof(*at));
    at[2] = (struct attr){.key = DERIVED_PEER_ID,
                          .key_len = sizeof(DERIVED_PEER_ID) - 1,
                          .type = VALUE_INT,
                          .i = registry_identity_id(bed.registry, cart)};
    *to = (struct attrs){at, 3, 0};
    for (uint32_t minute = 0; minute < MINUTES; minute++) {
        uint64_t failed = minute >= HALF ? 20 : 0;

        add_requests(&duration, &errors, web, minute, operation("GET /"), 100,
                     failed, -40);
        add_requests(&out_duration, &out_errors, web, minute, to, 100, failed,
                     -50);
        add_requests(&duration, &errors, cart, minute, operation("GET /cart"),
                     100, failed, -50);
    }
    answer = compare("&project=shop");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "total"), "2");
    CHECK_TEXT(bed_at(answer, "differences.0.component"), "cart");
    CHECK_TEXT(bed_at(answer, "differences.0.kind"), "errors");
    CHECK_TEXT(bed_at(answer, "differences.0.from"), "0");
    CHECK_TEXT(bed_at(answer, "differences.0.to"), "0.2");
    CHECK_TEXT(bed_at(answer, "differences.0.direction"), "new");
    CHECK_TEXT(bed_at(answer, "differences.0.operations.0.operation"),
               "GET /cart");
    CHECK_TEXT(bed_at(answer, "differences.1.component"), "web");
    json_decref(answer);
    bed_release(&bed);
}

TEST(one_operation_of_many_gets_slow)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t cart = bed_resource(&bed, "shop", "cart");
    for (uint32_t minute = 0; minute < MINUTES; minute++) {
        add_requests(&duration, &errors, cart, minute, operation("GET /a"),
                     2000, 0, -50);
        add_requests(&duration, &errors, cart, minute, operation("GET /b"), 20,
                     0, minute >= HALF ? -26 : -50);
    }
    answer = compare("");
    CHECK_TEXT(bed_at(answer, "total"), "1");
    CHECK_TEXT(bed_at(answer, "differences.0.kind"), "latency");
    CHECK_TEXT(bed_at(answer, "differences.0.operation"), "GET /b");
    CHECK_TEXT(bed_at(answer, "differences.0.direction"), "up");
    json_decref(answer);
    bed_release(&bed);
}

TEST(log_patterns_that_are_new_are_told)
{
    const char *const texts[][2] = {{DERIVED_TEMPLATE, "it failed"},
                                    {DERIVED_TEMPLATE_ID, "00000000000000aa"},
                                    {DERIVED_LEVEL, "ERROR"}};
    const char *const usual[][2] = {{DERIVED_TEMPLATE, "all is well"},
                                    {DERIVED_TEMPLATE_ID, "00000000000000bb"},
                                    {DERIVED_LEVEL, "INFO"}};
    json_t *answer;

    bed_init(&bed);
    uint32_t cart = bed_resource(&bed, "shop", "cart");
    struct attrs *attrs = labels(texts, 3);
    for (uint32_t minute = HALF; minute < MINUTES; minute++)
        add_point(&records, cart, minute, attrs)->i = 2;
    answer = compare(""); /* it was not there before */
    CHECK_TEXT(bed_at(answer, "total"), "0");
    CHECK_TEXT(bed_at(answer, "baseIsEmpty"), "true");
    json_decref(answer);
    attrs = labels(usual, 3);
    for (uint32_t minute = 0; minute < MINUTES; minute++)
        add_point(&records, cart, minute, attrs)->i = 5;
    answer = compare("");
    CHECK_TEXT(bed_at(answer, "differences.0.kind"), "logs");
    CHECK_TEXT(bed_at(answer, "differences.0.direction"), "new");
    CHECK_TEXT(bed_at(answer, "differences.0.template"), "it failed");
    CHECK_TEXT(bed_at(answer, "differences.0.count"), "120");
    CHECK_TEXT(bed_at(answer, "total"), "1");
    CHECK_TEXT(bed_at(answer, "baseIsEmpty"), "false");
    json_decref(answer);
    bed_allow(&bed, UINT64_C(1) << ACTION_METRICS_VIEW, "acme", "*", "*");
    answer = compare("");
    CHECK_TEXT(bed_at(answer, "total"), "0");
    CHECK_TEXT(bed_at(answer, "withheld.0"), "logs");
    CHECK_TEXT(bed_at(answer, "withheld.1"), "changes");
    json_decref(answer);
    bed_release(&bed);
}

TEST(an_empty_base_and_bad_times_are_said)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t cart = bed_resource(&bed, "shop", "cart");
    for (uint32_t minute = HALF; minute < MINUTES; minute++)
        add_requests(&duration, &errors, cart, minute, operation("GET /a"), 100,
                     0, -50);
    answer = compare("");
    CHECK_TEXT(bed_at(answer, "baseIsEmpty"), "true");
    CHECK_TEXT(bed_at(answer, "same"), "false");
    CHECK_TEXT(bed_at(answer, "total"), "0");
    json_decref(answer);
    answer = compare("&baseEndTime=2026-08-21T09:30:00Z");
    CHECK_TEXT(bed_at(answer, "base.startTime"), "2026-08-21T08:30:00Z");
    CHECK_TEXT(bed_at(answer, "baseIsEmpty"), "false");
    json_decref(answer);
    answer = compare("&baseStartTime=2026-08-20T09:00:00Z");
    CHECK_TEXT(bed_at(answer, "base.endTime"), "2026-08-20T10:00:00Z");
    json_decref(answer);
    answer = compare("&project=shop&component=crat");
    CHECK_TEXT(bed_at(answer, "empty.reason"), "unknown");
    CHECK_TEXT(bed_at(answer, "empty.similar.0"), "cart");
    json_decref(answer);
    json_decref(compare("&baseStartTime=yesterday"));
    CHECK_EQ(bed.status, 400);
    json_decref(compare("&baseStartTime=2026-08-21T08:00:00Z&"
                        "baseEndTime=2026-08-21T07:00:00Z"));
    CHECK_EQ(bed.status, 400);
    bed_release(&bed);
}
