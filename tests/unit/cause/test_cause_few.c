/*
 * Few requests that fail, and surely so: what is slower by a little, or asked
 * more often, is not the cause.
 */
#include "cause_world.h"

/* In each hundred requests two to users fail, and all take 20 ms longer in
 * api. */
static struct world *few_failures(void)
{
    struct world *w = world_new(plain);

    w->per_minute = 120;
    w->fault = ERRORS;
    w->at = USERS;
    w->fault_every = 50;
    w->more_ms = 20;
    generate(w, true, true);
    return w;
}

TEST(few_but_certain_failures_outweigh_a_little_latency)
{
    struct world *w = few_failures();
    json_t *answer = ask_cause(w, 10, 15, "");

    CHECK_TEXT(bed_at(answer, "found"), "true");
    CHECK_TEXT(bed_at(answer, "suspects.0.component"), "users");
    json_decref(answer);
    world_free(w);
}

/* Callers fail because of a call: not by themselves. */
TEST(who_fails_without_a_failed_call_fails_by_itself)
{
    struct world *w = few_failures();
    json_t *answer = ask_cause(w, 10, 15, "");
    const json_t *list = json_object_get(answer, "suspects");
    int own = 0;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *s = json_array_get(list, i);
        const json_t *evidence = json_object_get(s, "evidence");

        for (size_t k = 0; k < json_array_size(evidence); k++) {
            const char *text = json_string_value(
                json_object_get(json_array_get(evidence, k), "text"));

            if (!strstr(text, "by itself"))
                continue;
            CHECK_TEXT(bed_at(s, "component"), "users");
            CHECK(strstr(text, " in 15 of 600 requests, 0 of "));
            own++;
        }
    }
    CHECK_EQ(own, 1);
    json_decref(answer);
    world_free(w);
}

/* A request that fails now and then is no fault. */
TEST(one_failure_by_chance_is_no_cause)
{
    struct world *w = world_new(plain);

    w->per_minute = 20;
    w->fault = ERRORS;
    w->at = USERS;
    w->fault_every = 20;
    w->minutes = 11; /* one request */
    generate(w, true, true);
    json_t *answer = ask_cause(w, 10, 15, "");
    CHECK_TEXT(bed_at(answer, "found"), "false");
    json_decref(answer);
    world_free(w);
}
