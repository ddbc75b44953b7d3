/*
 * What an answer contains besides the ranking: charts, the path to users, the
 * impact on them, changes, log records; and that all of it is the same each
 * time.
 */
#include "cause.h"
#include "cause_world.h"

static struct world *faulty_world(enum fault fault, int at)
{
    struct world *w = world_new(plain);

    w->fault = fault;
    w->at = at;
    generate(w, true, true);
    return w;
}

TEST(same_query_has_the_same_bytes)
{
    struct world *w = faulty_world(CODE, STORE);
    char *text;

    json_decref(ask_cause(w, 10, 15, ""));
    text = strdup(w->bed.text);
    for (int i = 0; i < 5; i++) {
        json_decref(ask_cause(w, 12, 14, "")); /* another one between */
        json_decref(ask_cause(w, 10, 15, ""));
        CHECK(strcmp(text, w->bed.text) == 0);
    }
    free(text);
    world_free(w);
}

static void describe(const struct cause_report *report, char *text, size_t size)
{
    size_t len = 0;

    text[0] = '\0';
    for (uint32_t i = 0; i < report->suspect_count; i++) {
        const struct cause_suspect *s = &report->suspects[i];

        for (uint32_t k = 0; k < s->evidence_count && len < size; k++)
            len += (size_t)snprintf(
                text + len, size - len, "%u %g %.*s\n", s->component, s->score,
                (int)s->evidence[k].text.len, s->evidence[k].text.ptr);
    }
}

/* Memory is used again by the next query, and what the same query left in it
 * looks right: none of it may be used. */
TEST(reused_memory_does_not_change_the_answer)
{
    enum { ROOM = 24 << 20 };
    struct world *w = faulty_world(CODE, STORE);
    struct reader reader = {.store = w->bed.store};
    struct cause_query query = {
        .viewer = &viewer_all,
        .reader = &reader,
        .scope = {.namespace = SLICE("acme"), .project = SLICE("shop")},
        .window = {(w->start_s + 600) * NS_PER_S,
                   (w->start_s + 900) * NS_PER_S},
        .registry = w->bed.registry};
    struct arena arena;
    char texts[3][4096];

    arena_init(&arena, NULL, SIZE_MAX);
    void *chunk = arena_alloc(&arena, ROOM); /* one for all that follows */
    if (CHECK(chunk))
        memset(chunk, 0xa5, ROOM);
    for (int i = 0; i < 3; i++) {
        struct cause_report *report;

        arena_reset(&arena);
        query.has_baseline = false;
        if (CHECK_EQ(cause_find(&query, &arena, &report), OK))
            describe(report, texts[i], sizeof(texts[i]));
        CHECK(strlen(texts[i]) > 100);
        CHECK(strcmp(texts[i], texts[0]) == 0);
    }
    arena_release(&arena);
    world_free(w);
}

TEST(path_starts_at_the_first_suspect)
{
    struct world *w = faulty_world(CODE, STORE);
    json_t *answer = ask_cause(w, 10, 15, "");

    CHECK_TEXT(bed_at(answer, "path"), "[3]");
    CHECK_TEXT(bed_at(answer, "path.0.component"), "store");
    CHECK_TEXT(bed_at(answer, "path.1.component"), "api");
    CHECK_TEXT(bed_at(answer, "path.2.component"), "web");
    CHECK(bed_at(answer, "path.2.symptom").len > 0);
    CHECK_TEXT(bed_at(answer, "suspects.0.affected"), "[2]");
    json_decref(answer);
    world_free(w);
}

TEST(users_see_failed_requests_of_the_entry)
{
    struct world *w = faulty_world(CODE, STORE);
    json_t *answer = ask_cause(w, 10, 15, "");

    CHECK_TEXT(bed_at(answer, "impact"), "[1]");
    CHECK_TEXT(bed_at(answer, "impact.0.component"), "web");
    CHECK_TEXT(bed_at(answer, "impact.0.operation"), "GET /x");
    CHECK_TEXT(bed_at(answer, "impact.0.requests"), "100");
    CHECK_TEXT(bed_at(answer, "impact.0.failed"), "100");
    CHECK_TEXT(bed_at(answer, "impact.0.failedBefore"), "0");
    CHECK_TEXT(bed_at(answer, "summary.impact"),
               "web: GET /x fails in 100 of 100 requests (0 of 180 before)");
    json_decref(answer);
    world_free(w);
}

TEST(users_see_slow_requests_of_the_entry)
{
    struct world *w = world_new(plain);

    w->fault = SLOW_NETWORK;
    w->at = API;
    generate(w, true, true);
    /* Nothing is wrong with web: it only waits. */
    for (uint32_t i = 0; i < w->bed.store->span_count; i++)
        if (w->bed.store->spans[i].resource_id == w->resources[WEB] &&
            w->bed.store->spans[i].kind == SPAN_SERVER &&
            w->bed.store->spans[i].start_ns >= (w->start_s + 600) * NS_PER_S)
            w->bed.store->spans[i].end_ns += 198 * MS;
    json_t *answer = ask_cause(w, 10, 15, "");
    CHECK_TEXT(bed_at(answer, "suspects.0.component"), "api");
    CHECK_TEXT(bed_at(answer, "impact.0.component"), "web");
    CHECK_TEXT(bed_at(answer, "impact.0.slow"), "100");
    CHECK_TEXT(bed_at(answer, "impact.0.failed"), "0");
    CHECK_TEXT(bed_at(answer, "path.1.component"), "web");
    CHECK_TEXT(bed_at(answer, "summary.impact"),
               "web: GET /x takes longer than 65 ms in 100 of 100 requests "
               "(0 of 180 before)");
    json_decref(answer);
    world_free(w);
}

/* All routes of a gateway are one operation, and few of its requests get to the
 * store: all together are as slow as ever. */
TEST(users_see_what_passes_the_suspect)
{
    struct world *w = world_new(plain);

    w->fault = SLOW_NETWORK;
    w->at = STORE;
    generate(w, true, true);
    for (uint32_t i = 0, n = w->bed.store->span_count; i < n; i++) {
        const struct span *s = &w->bed.store->spans[i];

        if (s->resource_id != w->resources[WEB] || s->kind != SPAN_SERVER)
            continue;
        bool slow = s->start_ns >= (w->start_s + 600) * NS_PER_S;
        w->bed.store->spans[i].end_ns += slow ? 198 * MS : 0;
        for (uint64_t k = 1; k <= 60;
             k++) /* requests that end at the gateway */
            add_span(w, UINT64_C(1) << 40 | (uint64_t)i << 8 | k, 0, WEB,
                     SPAN_SERVER, "GET /x", s->start_ns + k * 1000,
                     (50 + 10 * k) * MS);
    }
    json_t *answer = ask_cause(w, 10, 15, "");
    CHECK_TEXT(bed_at(answer, "suspects.0.component"), "store");
    CHECK_TEXT(bed_at(answer, "impact.0.component"), "web");
    CHECK_TEXT(bed_at(answer, "impact.0.through"), "store");
    CHECK(strstr(w->bed.text, "requests that pass store ("));
    json_decref(answer);
    world_free(w);
}

/* A window that begins five minutes before the fault. */
TEST(onset_is_the_minute_of_the_fault)
{
    struct world *w = faulty_world(ERRORS, USERS);
    json_t *answer = ask_cause(w, 5, 15, "");
    char began[32];

    time_text(w->start_s + 600, began);
    CHECK_TEXT(bed_at(answer, "suspects.0.component"), "users");
    CHECK(memcmp(bed_at(answer, "suspects.0.onset").ptr, began, 16) == 0);
    json_decref(answer);
    world_free(w);
}

static double number_at(const json_t *answer, const char *path)
{
    struct slice text = bed_at(answer, path);
    char copy[64];

    snprintf(copy, sizeof(copy), "%.*s", (int)text.len, text.ptr);
    return atof(copy);
}

/* Every minute of both times, and the fault is to be seen in them. */
static void check_series(enum fault fault, const char *kind, const char *unit,
                         double before, double after)
{
    struct world *w = faulty_world(fault, STORE);
    json_t *answer = ask_cause(
        w, 10, 15,
        ",\"baseline\":{\"startTime\":\"2023-11-14T22:14:00Z\",\"endTime\":"
        "\"2023-11-14T22:24:00Z\"}");
    const json_t *list = json_object_get(
        json_array_get(json_object_get(answer, "suspects"), 0), "evidence");
    const json_t *e = NULL;

    for (size_t i = 0; i < json_array_size(list); i++)
        if (!e && slice_equal(bed_at(json_array_get(list, i), "kind"),
                              slice_of(kind)))
            e = json_array_get(list, i);
    if (CHECK(e)) {
        CHECK_TEXT(bed_at(e, "series.unit"), unit);
        CHECK_TEXT(bed_at(e, "series.points"), "[15]");
        CHECK_TEXT(bed_at(e, "series.points.0.0"), "2023-11-14T22:14:00Z");
        CHECK_TEXT(bed_at(e, "series.points.14.0"), "2023-11-14T22:28:00Z");
        CHECK(number_at(e, "series.points.4.1") <= before);
        CHECK(number_at(e, "series.points.12.1") >= after);
    }
    json_decref(answer);
    world_free(w);
}

TEST(charts_have_a_point_a_minute)
{
    check_series(CODE, "behaviour", "%", 0, 100);
    check_series(ERRORS, "errors", "%", 0, 100);
    check_series(SLOW_NETWORK, "network", "ms", 3, 150);
    check_series(CPU, "resource", "%", 23, 95);
}

static void add_change(struct world *w, int component, int minute,
                       const char *text)
{
    struct log_record *l = &w->bed.store->logs[w->bed.store->log_count++];
    struct attr *at = arena_zero(&w->bed.arena, 1, sizeof(*at));

    *at = bed_attr(DERIVED_CHANGE_KIND, "version");
    *l = (struct log_record){.time_ns = (w->start_s + (uint64_t)minute * 60) *
                                        NS_PER_S,
                             .event_name = SLICE(DERIVED_CHANGE),
                             .body = bed_attr("", text),
                             .attrs = {at, 1, 0},
                             .level = LEVEL_INFO,
                             .resource_id = w->resources[component]};
}

/* Also of one that is not to blame, which then is no cause. */
TEST(changes_of_the_scope_are_listed)
{
    struct world *w = faulty_world(CODE, STORE);

    add_change(w, USERS, 9, "version changed from 1 to 2");
    json_t *answer = ask_cause(w, 10, 15, "");
    CHECK_TEXT(bed_at(answer, "suspects.0.component"), "store");
    CHECK_TEXT(bed_at(answer, "changes"), "[1]");
    CHECK_TEXT(bed_at(answer, "changes.0.component"), "users");
    CHECK_TEXT(bed_at(answer, "changes.0.kind"), "version");
    CHECK_TEXT(bed_at(answer, "changes.0.text"), "version changed from 1 to 2");
    json_decref(answer);
    world_free(w);
}

TEST(answer_without_a_cause_lists_changes)
{
    struct world *w = faulty_world(HEALTHY, WEB);

    add_change(w, USERS, 9, "version changed from 1 to 2");
    json_t *answer = ask_cause(w, 10, 15, "");
    CHECK_TEXT(bed_at(answer, "found"), "false");
    CHECK_TEXT(bed_at(answer, "changes"), "[1]");
    CHECK_TEXT(bed_at(answer, "path"), "[0]");
    CHECK_TEXT(bed_at(answer, "impact"), "[0]");
    CHECK_TEXT(bed_at(answer, "logs"), "[0]");
    CHECK_TEXT(bed_at(answer, "summary.cause"), "nothing stands out");
    json_decref(answer);
    world_free(w);
}

TEST(logs_are_those_that_became_more_frequent)
{
    struct world *w = faulty_world(CODE, STORE);

    for (int minute = 0; minute < 15; minute++) { /* what it always says */
        struct span s = {.start_ns =
                             (w->start_s + (uint64_t)minute * 60) * NS_PER_S,
                         .resource_id = w->resources[STORE]};

        add_log(w, &s, LEVEL_ERROR, "this is nothing new", 0);
    }
    json_t *answer = ask_cause(w, 10, 15, "");
    CHECK_TEXT(bed_at(answer, "logs"), "[1]");
    CHECK_TEXT(bed_at(answer, "logs.0.log"), "cannot work: null pointer");
    CHECK_TEXT(bed_at(answer, "logs.0.level"), "ERROR");
    CHECK_TEXT(bed_at(answer, "logs.0.count"), "100");
    CHECK_TEXT(bed_at(answer, "logs.0.countBefore"), "0");
    json_decref(answer);
    world_free(w);
}
