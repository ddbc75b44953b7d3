/*
 * Root cause over a small made-up world: web asks api, api asks store and
 * users; ten minutes of health, then five of a fault. What must not matter
 * (names, time, amount of traffic, who else is there) is changed, and the
 * answer must stay.
 */
#include <stdio.h>

#include "fake_query.h"

enum { WEB, API, STORE, USERS, PARTS };
enum { MAX_SPANS = 40000, MAX_LOGS = 20000, MAX_POINTS = 4000 };

enum fault { HEALTHY, CODE, SLOW_NETWORK, CPU, ERRORS, FEWER };

struct world {
    struct bed bed;
    uint32_t resources[PARTS];
    uint64_t start_s;
    int per_minute;
    enum fault fault;
    int at; /* which part */
    uint32_t ids;
};

static const char *const plain[PARTS] = {"web", "api", "store", "users"};

static struct world *world_new(const char *const names[PARTS])
{
    struct world *w = calloc(1, sizeof(*w));

    bed_init(&w->bed);
    for (int i = 0; i < PARTS; i++)
        w->resources[i] = bed_resource(&w->bed, "shop", names[i]);
    w->bed.spans = calloc(MAX_SPANS, sizeof(struct span));
    w->bed.logs = calloc(MAX_LOGS, sizeof(struct log_record));
    w->bed.points = calloc(MAX_POINTS, sizeof(struct point));
    w->start_s = 1700000000;
    w->per_minute = 20;
    return w;
}

static void world_free(struct world *w)
{
    free(w->bed.spans);
    free(w->bed.logs);
    free(w->bed.points);
    bed_release(&w->bed);
    free(w);
}

static struct span *add_span(struct world *w, uint64_t trace, uint32_t up,
                             int part, int kind, const char *name,
                             uint64_t from_ns, uint64_t took_ns)
{
    struct span *s = &w->bed.spans[w->bed.span_count++];
    uint32_t id = ++w->ids;

    memcpy(s->trace_id, &trace, 8);
    s->trace_id[15] = 1;
    memcpy(s->span_id, &id, 4);
    memcpy(s->parent_span_id, &up, 4);
    s->start_ns = from_ns;
    s->end_ns = from_ns + took_ns;
    s->kind = (uint8_t)kind;
    s->name = s->operation = slice_of(name);
    s->resource_id = w->resources[part];
    return s;
}

static void add_log(struct world *w, const struct span *s, enum level level,
                    const char *text, uint64_t after_ns)
{
    struct log_record *l = &w->bed.logs[w->bed.log_count++];

    memcpy(l->trace_id, s->trace_id, 16);
    memcpy(l->span_id, s->span_id, 8);
    l->time_ns = s->start_ns + after_ns;
    l->level = (uint8_t)level;
    l->body = bed_attr("", text);
    l->resource_id = w->resources[0];
}

#define MS UINT64_C(1000000)

/* One request to a part, with the call that makes it; false: it failed. */
static bool ask(struct world *w, uint64_t trace, uint32_t up, int from,
                int part, uint64_t at, uint64_t ms, bool ill)
{
    bool here = ill && part == w->at, ok = true;
    uint64_t gap = here && w->fault == SLOW_NETWORK ? 200 : 2;
    uint32_t mine;

    if (from >= 0)
        up = (uint32_t)(add_span(w, trace, up, from, SPAN_CLIENT, "call", at,
                                 (ms + gap) * MS),
                        w->ids);
    struct span *s = add_span(w, trace, up, part, SPAN_SERVER, "GET /x",
                              at + gap / 2 * MS, ms * MS);
    mine = w->ids;
    add_log(w, s, LEVEL_INFO, "request received from somebody", MS / 2);
    if (here && w->fault == CODE) {
        add_log(w, s, LEVEL_ERROR, "cannot work: null pointer", MS);
        ok = false;
    } else if (here && w->fault == ERRORS) {
        ok = false;
    }
    if (ok && part == WEB)
        ok = ask(w, trace, mine, WEB, API, s->start_ns + 2 * MS, ms - 10, ill);
    if (ok && part == API) {
        ok = ask(w, trace, mine, API, USERS, s->start_ns + MS, 5, ill);
        ok = ok &&
             ask(w, trace, mine, API, STORE, s->start_ns + 9 * MS, 10, ill);
    }
    if (ok)
        add_log(w, s, LEVEL_INFO, "request done, all is well", ms * MS);
    s->status = ok ? SPAN_UNSET : SPAN_ERROR;
    return ok;
}

static void add_gauge(struct world *w, int part, uint64_t time_ns, double value)
{
    static const struct metric metric = {
        .name = {"k8s.pod.cpu_limit_utilization", 29}, .type = METRIC_GAUGE};

    w->bed.points[w->bed.point_count++] =
        (struct point){.metric = &metric,
                       .time_ns = time_ns,
                       .d = value,
                       .resource_id = w->resources[part]};
}

static void play(struct world *w, bool traces, bool metrics)
{
    for (int minute = 0; minute < 15; minute++) {
        bool ill = minute >= 10 && w->fault != HEALTHY;
        uint64_t at = (w->start_s + (uint64_t)minute * 60) * NS_PER_S;
        int n = ill && w->fault == FEWER ? w->per_minute / 4 : w->per_minute;

        for (int i = 0; traces && i < n; i++)
            (void)ask(w, (uint64_t)minute << 32 | (uint64_t)(i + 1), 0, -1, WEB,
                      at + (uint64_t)i * 60000 / (uint64_t)n * MS, 60, ill);
        for (int part = 0; metrics && part < PARTS; part++)
            add_gauge(w, part, at + 30 * NS_PER_S,
                      ill && w->fault == CPU && part == w->at
                          ? 0.95
                          : 0.2 + 0.01 * (minute % 3));
    }
}

static const char *time_text(uint64_t s, char text[32])
{
    time_t t = (time_t)s;
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return text;
}

/* The first suspect, "" if nothing stands out. */
static const char *first_of(struct world *w)
{
    static char name[128];
    char from[32], to[32], body[512];

    snprintf(body, sizeof(body),
             "{\"startTime\":\"%s\",\"endTime\":\"%s\",\"searchScope\":"
             "{\"namespace\":\"acme\",\"project\":\"shop\"}}",
             time_text(w->start_s + 600, from),
             time_text(w->start_s + 900, to));
    json_t *answer = bed_ask(&w->bed, "POST", "/api/v1/cause", body);
    CHECK_EQ(w->bed.status, 200);
    snprintf(name, sizeof(name), "%.*s",
             (int)bed_at(answer, "suspects.0.component").len,
             bed_at(answer, "suspects.0.component").ptr);
    if (!json_is_true(json_object_get(answer, "found")))
        name[0] = '\0';
    json_decref(answer);
    return name;
}

static void check_fault(enum fault fault, int at, const char *expected)
{
    struct world *w = world_new(plain);

    w->fault = fault;
    w->at = at;
    play(w, true, true);
    CHECK_TEXT(slice_of(first_of(w)), expected);
    world_free(w);
}

TEST(culprit_of_each_kind_is_first)
{
    for (int at = API; at < PARTS; at++) {
        check_fault(CODE, at, plain[at]);
        check_fault(SLOW_NETWORK, at, plain[at]);
        check_fault(CPU, at, plain[at]);
    }
}

TEST(health_and_less_traffic_are_no_cause)
{
    check_fault(HEALTHY, WEB, "");
    check_fault(FEWER, WEB, "");
}

TEST(names_do_not_matter)
{
    static const char *const other[PARTS] = {"zzz", "m-9", "aaa", "k"};

    for (int at = API; at < PARTS; at++) {
        struct world *w = world_new(other);

        w->fault = CODE;
        w->at = at;
        play(w, true, true);
        CHECK_TEXT(slice_of(first_of(w)), other[at]);
        world_free(w);
    }
}

TEST(time_and_amount_do_not_matter)
{
    struct world *w = world_new(plain);

    w->fault = SLOW_NETWORK;
    w->at = STORE;
    w->start_s += 86400 * 365 + 17;
    w->per_minute *= 2;
    play(w, true, true);
    CHECK_TEXT(slice_of(first_of(w)), "store");
    world_free(w);
}

TEST(healthy_components_beside_do_not_matter)
{
    struct world *w = world_new(plain);
    char name[32];

    for (int i = 0; i < 996; i++) {
        snprintf(name, sizeof(name), "healthy-%d", i);
        (void)bed_resource(&w->bed, "shop", name);
    }
    w->fault = CODE;
    w->at = USERS;
    play(w, true, true);
    CHECK_TEXT(slice_of(first_of(w)), "users");
    world_free(w);
}

TEST(one_component_is_asked_about_with_what_it_calls)
{
    struct world *w = world_new(plain);
    static const char *const asked[] = {"api", "users"};

    w->fault = CODE;
    w->at = STORE;
    play(w, true, true);
    for (int i = 0; i < 2; i++) { /* users does not call store */
        char body[512], from[32], to[32];

        snprintf(body, sizeof(body),
                 "{\"startTime\":\"%s\",\"endTime\":\"%s\",\"searchScope\":"
                 "{\"namespace\":\"acme\",\"project\":\"shop\","
                 "\"component\":\"%s\"}}",
                 time_text(w->start_s + 600, from),
                 time_text(w->start_s + 900, to), asked[i]);
        json_t *answer = bed_ask(&w->bed, "POST", "/api/v1/cause", body);
        CHECK_EQ(w->bed.status, 200);
        CHECK_TEXT(bed_at(answer, "found"), i == 0 ? "true" : "false");
        if (i == 0)
            CHECK_TEXT(bed_at(answer, "suspects.0.component"), "store");
        json_decref(answer);
    }
    world_free(w);
}

TEST(answers_are_the_same_twice)
{
    struct world *w = world_new(plain);
    static char text[sizeof(w->bed.text)];

    w->fault = CODE;
    w->at = STORE;
    play(w, true, true);
    (void)first_of(w);
    memcpy(text, w->bed.text, sizeof(text));
    (void)first_of(w);
    CHECK(strcmp(text, w->bed.text) == 0);
    world_free(w);
}

TEST(one_signal_is_enough_to_answer)
{
    struct world *w = world_new(plain);

    CHECK_TEXT(slice_of(first_of(w)), ""); /* none at all */
    w->fault = CPU;
    w->at = STORE;
    play(w, false, true);
    CHECK_TEXT(slice_of(first_of(w)), "store");
    world_free(w);

    w = world_new(plain);
    w->fault = CODE;
    w->at = STORE;
    play(w, true, false);
    CHECK_TEXT(slice_of(first_of(w)), "store");
    w->bed.span_count = 0; /* logs only */
    (void)first_of(w);
    world_free(w);
}

TEST(questions_that_are_wrong)
{
    struct world *w = world_new(plain);
    const char *scope =
        "\"searchScope\":{\"namespace\":\"acme\",\"project\":\"shop\"}";
    char body[512];

    snprintf(body, sizeof(body),
             "{\"startTime\":\"2023-01-01T00:00:00Z\",\"endTime\":"
             "\"2023-01-01T00:10:00Z\",\"baseline\":{\"startTime\":"
             "\"2023-01-01T00:00:00Z\",\"endTime\":\"2023-01-01T00:05:00Z\"},"
             "%s}",
             scope);
    CHECK(strstr(bed_refused(&w->bed, "/api/v1/cause", body, 400, ""),
                 "baseline must end before"));
    snprintf(body, sizeof(body),
             "{\"startTime\":\"2023-01-01T00:00:00Z\",\"endTime\":"
             "\"2023-01-31T00:00:00Z\",%s}",
             scope);
    json_decref(bed_ask(&w->bed, "POST", "/api/v1/cause", body));
    CHECK_EQ(w->bed.status, 200);
    CHECK(strstr(bed_refused(&w->bed, "/api/v1/cause",
                             "{\"startTime\":\"2023-01-01T00:00:00Z\","
                             "\"endTime\":\"2023-01-01T00:10:00Z\","
                             "\"searchScope\":{\"namespace\":\"acme\"}}",
                             400, ""),
                 "project"));
    world_free(w);
}
