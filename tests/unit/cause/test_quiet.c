/*
 * Windows in which nothing is wrong, and what might be taken for a cause: no
 * cause is named.
 */
#include "cause_world.h"

static bool is_found(struct world *w, const char *suspect)
{
    json_t *answer = ask_cause(w, 10, 15, "");
    bool found = json_is_true(json_object_get(answer, "found"));

    if (suspect)
        CHECK_TEXT(bed_at(answer, "suspects.0.component"), suspect);
    json_decref(answer);
    return found;
}

/* Usage of a limit, in percent, of the store; the others rest. */
static void add_usage(struct world *w, int minute, double percent)
{
    uint64_t at = (w->start_s + (uint64_t)minute * 60 + 30) * NS_PER_S;

    add_gauge(w, STORE, at, percent / 100);
    add_gauge(w, API, at, 0.2);
}

/* A garbage collector, a cache that is filled and emptied. */
TEST(usage_that_goes_up_and_down_is_usual)
{
    static const double saw_tooth[] = {50, 52, 56, 63, 70, 78};
    struct world *w = world_new(plain);

    generate(w, true, false);
    for (int minute = -20; minute < 15; minute++)
        add_usage(w, minute, saw_tooth[(minute + 60) % 6]);
    json_t *answer = ask_cause(w, 10, 15, "");
    CHECK_TEXT(bed_at(answer, "found"), "false");
    CHECK(!strstr(w->bed.text, "of its limit"));
    json_decref(answer);
    world_free(w);
}

TEST(usage_that_nobody_feels_is_a_remark)
{
    struct world *w = world_new(plain);

    generate(w, true, false);
    for (int minute = 0; minute < 15; minute++)
        add_usage(w, minute, minute < 10 ? 50 : 78);
    CHECK(!is_found(w, "store"));
    CHECK(strstr(w->bed.text, "from 50% to 78% of its limit"));
    CHECK(strstr(w->bed.text, "\"confidence\":0,") ||
          strstr(w->bed.text, "\"confidence\":0.0,"));
    world_free(w);
}

TEST(usage_is_a_cause_where_callers_are_slow_or_fail)
{
    struct world *w = world_new(plain);

    w->fault = ERRORS;
    w->at = STORE;
    generate(w, true, false);
    for (int minute = 0; minute < 15; minute++)
        add_usage(w, minute, minute < 10 ? 50 : 78);
    CHECK(is_found(w, "store"));
    world_free(w);
}

TEST(usage_near_its_limit_is_a_cause_though_nobody_feels_it_yet)
{
    struct world *w = world_new(plain);

    generate(w, true, false);
    for (int minute = 0; minute < 15; minute++)
        add_usage(w, minute, minute < 10 ? 50 : 93);
    CHECK(is_found(w, "store"));
    world_free(w);
}
