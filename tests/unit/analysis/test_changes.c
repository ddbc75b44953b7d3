/* The list of changes: what is one, what repeats, what came and went. */
#include "derived.h"
#include "fake_query.h"

#define T0 (UINT64_C(1787299200) * NS_PER_S) /* 2026-08-21T08:00:00Z */
#define PATH                                                                 \
    "/api/v1/changes?namespace=acme&startTime=2026-08-21T09:00:00Z&endTime=" \
    "2026-08-21T10:00:00Z"

enum { MINUTES = 120, POINTS = 8 * MINUTES };

static struct bed bed;
static struct point points[POINTS];
static struct log_record logs[16];
static const struct metric duration = {
    .name = {DERIVED_DURATION, sizeof(DERIVED_DURATION) - 1},
    .type = METRIC_EXP_HISTOGRAM,
    .temporality = DELTA};
static const struct metric records = {
    .name = {DERIVED_LOGS, sizeof(DERIVED_LOGS) - 1},
    .type = METRIC_SUM,
    .temporality = DELTA};
static const uint64_t bucket = 6;
static const struct histogram hist = {
    .count = 6, .scale = 3, .positive = {&bucket, 1, -27}};

static struct point *add_point(const struct metric *metric, uint32_t resource,
                               uint32_t minute)
{
    struct point *p = &points[bed.store->point_count++];

    *p = (struct point){.metric = metric,
                        .start_ns = T0 + minute * NS_PER_MIN,
                        .time_ns = T0 + (minute + 1) * NS_PER_MIN,
                        .resource_id = resource,
                        .is_int = true,
                        .i = 1};
    bed.store->points = points;
    return p;
}

/* An operation in the minutes from ... until - 1. */
static void serve(uint32_t resource, const char *operation, uint32_t from,
                  uint32_t until)
{
    struct attr *at = arena_zero(&bed.arena, 3, sizeof(*at));

    at[0] = bed_attr(DERIVED_ENDPOINT, "http");
    at[1] = bed_attr(DERIVED_OPERATION, operation);
    at[2] = bed_attr(DERIVED_KIND, "server");
    for (uint32_t minute = from; minute < until; minute++) {
        struct point *p = add_point(&duration, resource, minute);

        p->histogram = &hist;
        p->attrs = (struct attrs){at, 3, 0};
    }
}

static void log_pattern(uint32_t resource, const char *text, const char *level,
                        uint32_t minute)
{
    struct attr *at = arena_zero(&bed.arena, 3, sizeof(*at));

    at[0] = bed_attr(DERIVED_TEMPLATE, text);
    at[1] = bed_attr(DERIVED_TEMPLATE_ID, "00000000000000aa");
    at[2] = bed_attr(DERIVED_LEVEL, level);
    add_point(&records, resource, minute)->attrs = (struct attrs){at, 3, 0};
}

static struct log_record *add_event(uint32_t resource, uint32_t minute,
                                    const char *reason, const char *message)
{
    struct log_record *log = &logs[bed.store->log_count++];
    struct attr *at = arena_zero(&bed.arena, 4, sizeof(*at));

    at[0] = bed_attr("k8s.event.reason", reason);
    *log = (struct log_record){.time_ns = T0 + minute * NS_PER_MIN,
                               .resource_id = resource,
                               .is_event = true,
                               .level = LEVEL_INFO,
                               .severity_text = SLICE("Normal"),
                               .attrs = {at, 1, 0},
                               .body = bed_attr("", message)};
    bed.store->logs = logs;
    return log;
}

static uint32_t start(void)
{
    bed_init(&bed);
    bed.store->point_count = bed.store->log_count = 0;
    return bed_resource(&bed, "shop", "cart");
}

TEST(events_have_kinds_and_repeats_are_one_row)
{
    uint32_t cart = start();
    json_t *answer;

    for (uint32_t i = 0; i < 3; i++) {
        char *text = arena_zero(&bed.arena, 1, 64);

        snprintf(text, 64, "Back-off restarting container main in pod c-%u", i);
        struct log_record *log = add_event(cart, 70 + i, "BackOff", text);
        log->level = LEVEL_WARN;
        log->severity_text = SLICE("Warning");
    }
    add_event(cart, 65, "ScalingReplicaSet",
              "Scaled up replica set cart-6c9 from 1 to 3");
    add_event(cart, 66, "Scheduled", "Successfully assigned cart-6c9 to n1");
    answer = bed_ask(&bed, "GET", PATH, NULL);
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "total"), "2");
    CHECK_TEXT(bed_at(answer, "changes.0.kind"), "crash");
    CHECK_TEXT(bed_at(answer, "changes.0.type"), "Warning");
    CHECK_TEXT(bed_at(answer, "changes.0.count"), "3");
    CHECK_TEXT(bed_at(answer, "changes.0.timestamp"), "2026-08-21T09:10:00Z");
    CHECK_TEXT(bed_at(answer, "changes.0.lastSeen"), "2026-08-21T09:12:00Z");
    CHECK_TEXT(bed_at(answer, "changes.1.kind"), "scaling");
    CHECK_TEXT(bed_at(answer, "changes.1.from"), "1");
    CHECK_TEXT(bed_at(answer, "changes.1.to"), "3");
    json_decref(answer);
    answer = bed_ask(&bed, "GET", PATH "&type=Warning&kind=crash,oom", NULL);
    CHECK_TEXT(bed_at(answer, "total"), "1");
    json_decref(answer);
    bed_release(&bed);
}

TEST(operations_come_and_go)
{
    uint32_t cart = start();
    json_t *answer;

    serve(cart, "GET /steady", 0, MINUTES);
    serve(cart, "GET /old", 0, 90);
    serve(cart, "GET /new", 80, MINUTES);
    serve(cart, "GET /rare", 100, 101); /* that it was not there is chance */
    for (uint32_t minute = 85; minute < 95; minute++)
        log_pattern(cart, "it failed", "ERROR", minute);
    log_pattern(cart, "all is well", "INFO", 85);
    answer = bed_ask(&bed, "GET", PATH "&kind=operation", NULL);
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "total"), "2");
    CHECK_TEXT(bed_at(answer, "changes.0.from"), "GET /old");
    CHECK_TEXT(bed_at(answer, "changes.0.reason"), "Vanished");
    CHECK_TEXT(bed_at(answer, "changes.0.timestamp"), "2026-08-21T09:30:00Z");
    CHECK_TEXT(bed_at(answer, "changes.1.to"), "GET /new");
    CHECK_TEXT(bed_at(answer, "changes.1.timestamp"), "2026-08-21T09:20:00Z");
    json_decref(answer);
    answer = bed_ask(&bed, "GET", PATH "&kind=log-pattern,operation", NULL);
    CHECK_TEXT(bed_at(answer, "total"), "3");
    CHECK_TEXT(bed_at(answer, "changes.1.message"), "it failed");
    CHECK_TEXT(bed_at(answer, "changes.1.level"), "ERROR");
    CHECK_TEXT(bed_at(answer, "changes.1.type"), "Warning");
    json_decref(answer);
    bed_release(&bed);
}

TEST(parts_of_a_component_that_is_new_or_silent_are_not_told)
{
    uint32_t cart = start(), web = bed_resource(&bed, "shop", "web");
    json_t *answer;

    serve(cart, "GET /a", 0, 80);
    serve(cart, "GET /b", 0, 80);
    serve(web, "GET /c", 70, MINUTES);
    answer = bed_ask(&bed, "GET", PATH, NULL);
    CHECK_TEXT(bed_at(answer, "total"), "2");
    CHECK_TEXT(bed_at(answer, "changes.0.kind"), "component");
    CHECK_TEXT(bed_at(answer, "changes.0.component"), "cart");
    CHECK_TEXT(bed_at(answer, "changes.0.type"), "Warning");
    CHECK_TEXT(bed_at(answer, "changes.1.component"), "web");
    CHECK_TEXT(bed_at(answer, "changes.1.reason"), "Appeared");
    json_decref(answer);
    bed_release(&bed);
}

TEST(restarts_that_metrics_count)
{
    static const struct metric restarts = {
        .name = SLICE_INIT("k8s.container.restarts"), .type = METRIC_GAUGE};
    const struct attrs none = {NULL, 0, 0};
    uint32_t cart = start();
    json_t *answer;

    for (uint32_t minute = 0; minute < MINUTES; minute++) {
        struct point *p = add_point(&restarts, cart, minute);

        p->attrs = none;
        p->i = minute < 75 ? 4 : minute < 90 ? 5 : 7;
    }
    answer = bed_ask(&bed, "GET", PATH "&kind=restart", NULL);
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "total"), "1");
    CHECK_TEXT(bed_at(answer, "changes.0.count"), "3");
    CHECK_TEXT(bed_at(answer, "changes.0.type"), "Warning");
    CHECK_TEXT(bed_at(answer, "changes.0.component"), "cart");
    CHECK_TEXT(bed_at(answer, "changes.0.source"), "series");
    json_decref(answer);
    bed_release(&bed);
}

TEST(pages_are_the_list_in_parts)
{
    uint32_t cart = start(), seen = 0;
    static const char *const reasons[] = {"OOMKilled", "Evicted",
                                          "NodeNotReady", "FailedMount"};
    char cursor[64] = "", path[512];

    for (uint32_t i = 0; i < 4; i++)
        add_event(cart, 70 + i / 2, reasons[i], "of a pod"); /* equal times */
    for (bool more = true; more; seen++) {
        json_t *answer;

        snprintf(path, sizeof(path), PATH "&limit=1%s%s",
                 *cursor ? "&cursor=" : "", cursor);
        answer = bed_ask(&bed, "GET", path, NULL);
        CHECK_EQ(json_array_size(json_object_get(answer, "changes")), 1);
        CHECK_TEXT(bed_at(answer, "total"), "4");
        more = json_object_get(answer, "nextCursor");
        snprintf(cursor, sizeof(cursor), "%s",
                 more ? json_string_value(json_object_get(answer, "nextCursor"))
                      : "");
        json_decref(answer);
    }
    CHECK_EQ(seen, 4);
    json_decref(bed_ask(&bed, "GET", PATH "&cursor=xy", NULL));
    CHECK_EQ(bed.status, 400);
    json_decref(bed_ask(&bed, "GET", PATH "&kind=version,nothing", NULL));
    CHECK_EQ(bed.status, 400);
    json_decref(bed_ask(&bed, "GET", PATH "&type=warning", NULL));
    CHECK_EQ(bed.status, 400);
    bed_release(&bed);
}

TEST(an_empty_answer_says_why)
{
    json_t *answer;

    start();
    bed_resource(&bed, "shop", "checkout");
    answer = bed_ask(&bed, "GET", PATH "&project=shop&component=crat", NULL);
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "empty.reason"), "unknown");
    CHECK_TEXT(bed_at(answer, "empty.similar.0"), "cart");
    json_decref(answer);
    answer = bed_ask(&bed, "GET", PATH "&project=shpo", NULL);
    CHECK_TEXT(bed_at(answer, "empty.reason"), "unknown");
    CHECK_TEXT(bed_at(answer, "empty.similar.0"), "shop");
    json_decref(answer);
    answer = bed_ask(&bed, "GET", PATH "&project=shop", NULL);
    CHECK_TEXT(bed_at(answer, "empty.reason"), "never");
    json_decref(answer);
    bed_release(&bed);
}

TEST(who_may_see_events_alone_gets_no_series)
{
    uint32_t cart = start();
    json_t *answer;

    serve(cart, "GET /old", 0, 90);
    serve(cart, "GET /steady", 0, MINUTES);
    add_event(cart, 70, "OOMKilled", "of a pod");
    bed_allow(&bed, UINT64_C(1) << ACTION_EVENTS_VIEW, "acme", "*", "*");
    answer = bed_ask(&bed, "GET", PATH, NULL);
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "total"), "1");
    CHECK_TEXT(bed_at(answer, "changes.0.kind"), "oom");
    CHECK_TEXT(bed_at(answer, "withheld.0"), "series");
    CHECK_TEXT(bed_at(answer, "withheld.1"), "log-pattern");
    json_decref(answer);
    bed_release(&bed);
}
