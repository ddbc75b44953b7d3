/*
 * Histograms that arrive as two counters: their mean is a duration, and either
 * counter alone is load.
 */
#include "cause_world.h"

static const struct metric sum = {
    .name = SLICE_INIT("http_server_requests_seconds_sum"),
    .type = METRIC_SUM,
    .monotonic = true,
    .temporality = CUMULATIVE};
static const struct metric count = {
    .name = SLICE_INIT("http_server_requests_seconds_count"),
    .type = METRIC_SUM,
    .monotonic = true,
    .temporality = CUMULATIVE};

static void add(struct world *w, const struct metric *metric, int component,
                int minute, double value)
{
    w->bed.store->points[w->bed.store->point_count++] = (struct point){
        .metric = metric,
        .time_ns = (w->start_s + (uint64_t)minute * 60) * NS_PER_S,
        .start_ns = (w->start_s - 3600) * NS_PER_S,
        .d = value,
        .resource_id = w->resources[component]};
}

/* Requests a minute, and how long they take, in minutes 10 to 15; 600 of 20 ms
 * before. */
static json_t *ask(struct world *w, double requests, double seconds,
                   bool with_counts)
{
    for (int component = 0; component < COMPONENTS; component++) {
        double n = 0, s = 0;

        for (int minute = -30; minute <= 15; minute++) {
            bool now = minute > 10 && component == STORE;
            double more = now ? requests : 600 + minute % 3;

            n += more;
            s += more * (now ? seconds : 0.02);
            add(w, &sum, component, minute, s);
            if (with_counts)
                add(w, &count, component, minute, n);
        }
    }
    return ask_cause(w, 10, 15, "");
}

TEST(growth_of_the_sum_by_growth_of_the_count_is_a_duration)
{
    struct world *w = world_new(plain);
    json_t *answer = ask(w, 600, 0.4, true);

    CHECK_TEXT(bed_at(answer, "suspects.0.component"), "store");
    CHECK_TEXT(bed_at(answer, "suspects.0.evidence.0.kind"), "latency");
    CHECK(strstr(w->bed.text, "400 ms, 20 ms before"));
    CHECK(strstr(w->bed.text, "http_server_requests_seconds)") != NULL);
    json_decref(answer);
    world_free(w);
}

TEST(more_requests_of_the_same_duration_are_load)
{
    struct world *w = world_new(plain);
    json_t *answer = ask(w, 6000, 0.02, true);

    CHECK_TEXT(bed_at(answer, "found"), "false");
    CHECK(!strstr(w->bed.text, "\"latency\""));
    json_decref(answer);
    world_free(w);
}

TEST(a_sum_without_its_count_says_nothing)
{
    struct world *w = world_new(plain);
    json_t *answer = ask(w, 600, 0.4, false);

    CHECK_TEXT(bed_at(answer, "found"), "false");
    CHECK(!strstr(w->bed.text, "http_server_requests_seconds"));
    json_decref(answer);
    world_free(w);
}
