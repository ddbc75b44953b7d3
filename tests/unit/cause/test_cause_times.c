/*
 * Windows that do not begin with the fault: which baseline is chosen, since
 * when the answer says it lasts, and which of two incidents it is about.
 */
#include "cause_world.h"

/* An hour; the fault begins at minute 30. */
static struct world *long_fault(enum fault fault, int at)
{
    struct world *w = world_new(plain);

    w->minutes = 60;
    w->fault_from = 30;
    w->fault = fault;
    w->at = at;
    return w;
}

static void check_baseline_end(const struct world *w, const json_t *answer,
                               int minute)
{
    char end[32];

    time_text(w->start_s + (uint64_t)minute * 60, end);
    CHECK_TEXT(bed_at(answer, "baseline.endTime"), end);
}

/* Requests that fail show it, and so do requests that are only slow. */
TEST(baseline_ends_before_a_fault_that_began_before_the_window)
{
    struct world *w = long_fault(CPU, STORE);

    w->slow_s = 0.2;
    generate(w, true, true);
    json_t *answer = ask_cause(w, 50, 55, "");
    CHECK_TEXT(bed_at(answer, "found"), "true");
    CHECK_TEXT(bed_at(answer, "suspects.0.component"), "store");
    check_baseline_end(w, answer, 30);
    json_decref(answer);
    world_free(w);

    w = long_fault(ERRORS, USERS);
    generate(w, true, true);
    answer = ask_cause(w, 50, 55, "");
    CHECK_TEXT(bed_at(answer, "suspects.0.component"), "users");
    check_baseline_end(w, answer, 30);
    json_decref(answer);
    world_free(w);
}

/* Of a system without traces metrics show it. */
TEST(metrics_alone_show_when_a_fault_began)
{
    struct world *w = long_fault(CPU, STORE);

    generate(w, false, true);
    json_t *answer = ask_cause(w, 50, 55, "");
    CHECK_TEXT(bed_at(answer, "suspects.0.component"), "store");
    check_baseline_end(w, answer, 30);
    json_decref(answer);
    world_free(w);
}

/* The onset is not where the window begins. */
TEST(onset_before_the_window_is_told)
{
    struct world *w = long_fault(ERRORS, USERS);
    char onset[32];

    generate(w, true, true);
    json_t *answer = ask_cause(w, 50, 55, "");
    time_text(w->start_s + 30 * 60, onset);
    CHECK_TEXT(bed_at(answer, "suspects.0.onset"), onset);
    json_decref(answer);
    world_free(w);
}

/* The minute before the window is in neither period. */
TEST(baseline_without_symptoms_is_the_nearest)
{
    struct world *w = long_fault(HEALTHY, USERS);

    generate(w, true, true);
    json_t *answer = ask_cause(w, 50, 55, "");
    check_baseline_end(w, answer, 49);
    json_decref(answer);
    world_free(w);
}

/* An hour is asked for, half an hour is known: what was before the incident is
 * the baseline. */
TEST(incident_is_compared_with_the_window_where_nothing_is_known_before)
{
    struct world *w = world_new(plain);
    char time[32];

    w->minutes = 30;
    w->fault_from = 24;
    w->fault = CPU;
    w->at = STORE;
    w->slow_s = 0.2;
    generate(w, true, true);
    /* Nothing, and five minutes, are known before. */
    for (int from = -30; from <= 5; from += 35) {
        json_t *answer = ask_cause(w, from, 30, "");

        CHECK_TEXT(bed_at(answer, "found"), "true");
        CHECK_TEXT(bed_at(answer, "suspects.0.component"), "store");
        time_text(w->start_s + 24 * 60, time);
        CHECK_TEXT(bed_at(answer, "window.startTime"), time);
        check_baseline_end(w, answer, 23);
        CHECK_EQ(json_array_size(json_object_get(answer, "remarks")), 1);
        json_decref(answer);
    }
    world_free(w);

    /* A quiet one is not cut. */
    w = world_new(plain);
    w->minutes = 30;
    w->fault = HEALTHY;
    generate(w, true, true);
    json_t *answer = ask_cause(w, -30, 30, "");
    CHECK_TEXT(bed_at(answer, "found"), "false");
    time_text(w->start_s - 30 * 60, time);
    CHECK_TEXT(bed_at(answer, "window.startTime"), time);
    CHECK_EQ(json_array_size(json_object_get(answer, "remarks")), 0);
    json_decref(answer);
    world_free(w);
}

/* ---- two incidents in a window ---- */

/* An incident of users from minute 34 to 38, and one of the store later. */
static struct world *two_incidents(void)
{
    struct world *w = world_new(plain);

    w->minutes = 50;
    w->early_from = 34;
    w->early_until = 38;
    w->fault_from = 45;
    w->fault = ERRORS;
    w->at = STORE;
    generate(w, true, true);
    return w;
}

TEST(answer_is_about_the_incident_at_the_end_of_the_window)
{
    struct world *w = two_incidents();
    char time[32];

    json_t *answer = ask_cause(w, 33, 47, "");
    CHECK_TEXT(bed_at(answer, "found"), "true");
    CHECK_TEXT(bed_at(answer, "suspects.0.component"), "store");
    time_text(w->start_s + 45 * 60, time);
    CHECK_TEXT(bed_at(answer, "suspects.0.onset"), time);
    CHECK_EQ(json_array_size(json_object_get(answer, "otherIncidents")), 1);
    CHECK_TEXT(bed_at(answer, "otherIncidents.0.component"), "users");
    time_text(w->start_s + 34 * 60, time);
    CHECK_TEXT(bed_at(answer, "otherIncidents.0.startTime"), time);
    time_text(w->start_s + 38 * 60, time);
    CHECK_TEXT(bed_at(answer, "otherIncidents.0.endTime"), time);
    json_decref(answer);
    world_free(w);
}

/* If nothing is wrong any more, the incident that is over is the answer. */
TEST(incident_that_is_over_is_the_answer_if_there_is_no_other)
{
    struct world *w = two_incidents();

    json_t *answer = ask_cause(w, 33, 44, "");
    CHECK_TEXT(bed_at(answer, "found"), "true");
    CHECK_TEXT(bed_at(answer, "suspects.0.component"), "users");
    CHECK_EQ(json_array_size(json_object_get(answer, "otherIncidents")), 0);
    json_decref(answer);
    world_free(w);
}

/* One that was over before the window is another, too. */
TEST(incident_before_the_window_is_listed)
{
    struct world *w = two_incidents();

    json_t *answer = ask_cause(w, 43, 48, "");
    CHECK_TEXT(bed_at(answer, "suspects.0.component"), "store");
    CHECK_TEXT(bed_at(answer, "otherIncidents.0.component"), "users");
    json_decref(answer);
    world_free(w);
}
