/*
 * Root cause over a small made-up world: web asks api, api asks store and
 * users; ten minutes of health, then five of a fault. What must not matter
 * (names, time, amount of traffic, who else is there) is changed, and the
 * answer must stay.
 */
#include "cause_world.h"

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
