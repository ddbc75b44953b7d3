/* Limits from cells whose slope is known: pods, trends, and what is refused. */
#include "capacity.h"

#include <math.h>

#include "test.h"

enum { CELLS = 288 };

static struct capacity_cell cells[CELLS];
static struct capacity capacity;
static struct arena arena;

static double noise(void)
{
    return (test_random(2001) - 1000.0) / 1000;
}

/* A day in cells of five minutes: rates from 10 to 30, CPU 0.2 + 0.02 a
 * request, memory 100 MB + 1 MB a request and `leak` MB an hour. */
static void day(double swing, double leak)
{
    capacity = (struct capacity){
        .objectives = {[CAPACITY_LATENCY] = 1, [CAPACITY_ERRORS] = 0.01}};
    capacity.cells = (struct capacity_cells){.at = cells,
                                             .count = CELLS,
                                             .step_seconds = 300,
                                             .pods = 2,
                                             .limits = {2, 500e6},
                                             .requests = {1, 200e6}};
    for (int i = 0; i < CELLS; i++) {
        double hours = i / 12.0;
        double rate = 20 + swing * sin(hours / 24 * 6.2831853) + noise() / 10;

        cells[i] = (struct capacity_cell){
            .hours = hours,
            .rate = rate,
            .pods = 2,
            .values = {0.2 + 0.02 * rate + 0.01 * noise(),
                       100e6 + 1e6 * rate + leak * 1e6 * hours + 2e6 * noise(),
                       0.05 + 0.002 * noise(), 0}};
    }
}

static void fit(void)
{
    CHECK_EQ(capacity_fit(&capacity, &arena), OK);
}

TEST(the_first_limit_is_told_with_its_interval)
{
    arena_init(&arena, NULL, SIZE_MAX);
    day(10, 0);
    capacity.cells.limits[0] = 1.4;
    fit();
    const struct capacity_limit *cpu = &capacity.limits[CAPACITY_CPU];
    const struct capacity_limit *memory = &capacity.limits[CAPACITY_MEMORY];

    CHECK(!capacity.not_enough && !cpu->not_enough && !memory->not_enough);
    CHECK(fabs(cpu->of_breaks.value - 60) < 2);
    CHECK(cpu->of_breaks.low < 60.5 && cpu->of_breaks.high > 59.5);
    CHECK(fabs(memory->of_breaks.value - 400) < 40);
    CHECK(!memory->trend);
    CHECK(capacity.first == cpu);
    CHECK(fabs(cpu->extrapolation - 2) < 0.3);
    CHECK(fabs(cpu->headroom - 60 / capacity.present_rate) < 0.5);
    /* Latency does not depend on the rate: of forty days one may look so. */
    CHECK(capacity.limits[CAPACITY_LATENCY].not_enough ||
          capacity.limits[CAPACITY_LATENCY].guess);
    CHECK(!cpu->guess);
    CHECK(capacity.limits[CAPACITY_ERRORS].not_enough != NULL);
    arena_release(&arena);
}

TEST(an_even_rate_is_not_enough_variation)
{
    arena_init(&arena, NULL, SIZE_MAX);
    day(0.2, 0);
    fit();
    CHECK_TEXT(slice_of(capacity.not_enough),
               "not enough variation of the request rate to tell");
    CHECK(!capacity.first);
    for (int i = 0; i < CAPACITY_KINDS; i++)
        CHECK(!capacity.limits[i].breaks);
    arena_release(&arena);
}

TEST(too_few_cells_no_limit_and_no_usage_are_said)
{
    arena_init(&arena, NULL, SIZE_MAX);
    day(10, 0);
    capacity.cells.count = 23;
    fit();
    CHECK(strstr(capacity.not_enough, "too few cells"));
    day(10, 0);
    capacity.cells.count = 0;
    fit();
    CHECK(strstr(capacity.not_enough, "no requests"));
    day(10, 0);
    capacity.cells.limits[0] = NAN;
    for (int i = 0; i < CELLS; i++)
        cells[i].values[CAPACITY_MEMORY] = NAN;
    fit();
    CHECK_TEXT(slice_of(capacity.limits[CAPACITY_CPU].not_enough),
               "no CPU limit is known");
    CHECK(capacity.limits[CAPACITY_CPU].per_request != NULL);
    CHECK_TEXT(slice_of(capacity.limits[CAPACITY_MEMORY].not_enough),
               "no memory usage was reported");
    arena_release(&arena);
}

/* Ten megabytes an hour, while the rate goes up and down. */
TEST(memory_that_grows_with_time_is_a_trend_and_not_load)
{
    arena_init(&arena, NULL, SIZE_MAX);
    day(10, 10);
    fit();
    const struct capacity_limit *memory = &capacity.limits[CAPACITY_MEMORY];

    if (CHECK(memory->trend)) {
        CHECK(fabs(memory->trend->per_hour.value - 10e6) < 1e6);
        CHECK(memory->trend->per_hour.low > 8e6);
        CHECK(fabs(memory->trend->hours_to_limit -
                   (500e6 - memory->present) / 10e6) < 2);
    }
    CHECK(fabs(memory->of_request.value - 1e6) < 3e5);
    arena_release(&arena);
}

/* Also at an even rate, and since the last restart only. */
TEST(a_trend_needs_no_load_and_begins_at_the_last_restart)
{
    arena_init(&arena, NULL, SIZE_MAX);
    day(0.2, 0);
    for (int i = 0; i < CELLS; i++)
        cells[i].values[CAPACITY_MEMORY] =
            100e6 + 30e6 * fmod(cells[i].hours, 8) + 1e5 * noise();
    fit();
    const struct capacity_limit *memory = &capacity.limits[CAPACITY_MEMORY];

    if (CHECK(memory->trend))
        CHECK(fabs(memory->trend->per_hour.value - 30e6) < 1e6);
    CHECK(memory->not_enough != NULL);
    arena_release(&arena);
}

/* Latency is flat to 24 requests per second, and rises by 50 ms a request. */
TEST(latency_breaks_behind_its_knee)
{
    arena_init(&arena, NULL, SIZE_MAX);
    day(10, 0);
    for (int i = 0; i < CELLS; i++)
        cells[i].values[CAPACITY_LATENCY] =
            0.05 + 0.05 * fmax(0, cells[i].rate - 24) + 0.003 * noise();
    fit();
    const struct capacity_limit *latency = &capacity.limits[CAPACITY_LATENCY];

    if (CHECK(latency->knee))
        CHECK(fabs(latency->knee->x - 24) < 2);
    if (CHECK(latency->breaks))
        CHECK(fabs(latency->breaks->value - 43) < 1.5);
    CHECK(capacity.first == latency);
    arena_release(&arena);
}
