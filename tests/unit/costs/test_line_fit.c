/*
 * Lines through noisy points of known slope: intervals cover the truth about as
 * often as they say, outliers do no harm, and what cannot be told is not told.
 */
#include "line_fit.h"

#include <math.h>
#include <stdlib.h>

#include "test.h"

enum { TRIALS = 400, POINTS_MAX = 2000 };

static struct line_point points[POINTS_MAX];
static struct arena arena;

static double uniform(void)
{
    return (test_random(1000000) + 0.5) / 1000000;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

/* y = 0.1 + 0.02 x, with noise whose neighbours are alike by `memory` (0 to 1),
 * at rates of a day's rise and fall. */
static void draw(uint32_t count, double noise, double memory)
{
    double error = normal();

    for (uint32_t i = 0; i < count; i++) {
        double day = 6.283185307179586 * i / 120;

        error = memory * error + sqrt(1 - memory * memory) * normal();
        points[i].x = 20 + 10 * sin(day) + uniform();
        points[i].y = 0.1 + 0.02 * points[i].x + noise * error;
    }
}

static struct line_fit fit_of(uint32_t count)
{
    struct line_fit fit;

    arena_reset(&arena);
    CHECK_EQ(line_fit(&fit, &arena, points, count), OK);
    return fit;
}

static bool has(struct estimate e, double truth)
{
    return e.low <= truth && truth <= e.high && e.low <= e.value &&
           e.value <= e.high;
}

/* Of 95 % intervals: within what chance leaves of 400 trials. */
static void check_cover(uint32_t count, double noise, double memory,
                        uint32_t least)
{
    uint32_t slope = 0, idle = 0, reaches = 0;

    for (uint32_t i = 0; i < TRIALS; i++) {
        draw(count, noise, memory);
        struct line_fit fit = fit_of(count);

        slope += has(line_slope(&fit), 0.02);
        idle += has(line_at(&fit, 0), 0.1);
        reaches += has(line_reaches(&fit, 2.1), 100);
    }
    CHECK(slope >= least);
    CHECK(idle >= least);
    CHECK(reaches >= least);
    /* Nor so wide that nothing is said. */
    CHECK(slope < TRIALS || noise == 0 || memory > 0 || count < 60);
}

TEST(intervals_cover_the_truth_as_often_as_they_say)
{
    arena_init(&arena, NULL, SIZE_MAX);
    check_cover(30, 0.05, 0, 362);
    check_cover(100, 0.05, 0, 362);
    check_cover(500, 0.2, 0, 362);
    arena_release(&arena);
}

/* Usage of one minute is like that of the minute before. */
TEST(intervals_are_wider_if_neighbours_are_alike)
{
    arena_init(&arena, NULL, SIZE_MAX);
    check_cover(500, 0.05, 0.5, 345);
    arena_release(&arena);
}

TEST(a_tenth_of_outliers_does_not_move_the_line)
{
    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t trial = 0; trial < 50; trial++) {
        draw(300, 0.01, 0);
        for (uint32_t i = trial % 10; i < 300; i += 10)
            points[i].y += 3 + uniform();
        struct line_fit fit = fit_of(300);

        CHECK_EQ(fit.outliers, 30);
        CHECK(fabs(fit.slope - 0.02) < 0.001);
        CHECK(fit.r2 > 0.9);
    }
    arena_release(&arena);
}

TEST(one_answer_for_the_same_points)
{
    arena_init(&arena, NULL, SIZE_MAX);
    draw(700, 0.1, 0.3);
    struct line_fit a = fit_of(700), b = fit_of(700);

    CHECK(memcmp(&a, &b, sizeof(a)) == 0);
    arena_release(&arena);
}

TEST(without_noise_the_line_is_exact)
{
    arena_init(&arena, NULL, SIZE_MAX);
    draw(100, 0, 0);
    struct line_fit fit = fit_of(100);

    CHECK(fabs(line_reaches(&fit, 2.1).value - 100) < 1e-6);
    CHECK(fabs(line_at(&fit, 0).value - 0.1) < 1e-9);
    CHECK(fabs(fit.r2 - 1) < 1e-9);
    arena_release(&arena);
}

/* No dependence: a slope above 0 is claimed for one of forty at most, about. */
TEST(what_does_not_rise_breaks_nowhere)
{
    uint32_t claimed = 0;

    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t trial = 0; trial < TRIALS; trial++) {
        draw(200, 0.1, 0);
        for (uint32_t i = 0; i < 200; i++)
            points[i].y -= 0.02 * points[i].x;
        struct line_fit fit = fit_of(200);

        claimed += isfinite(line_reaches(&fit, 5).value) != 0;
    }
    CHECK(claimed <= 26);
    arena_release(&arena);
}

TEST(too_few_points_or_one_rate_are_no_line)
{
    struct line_fit fit;

    arena_init(&arena, NULL, SIZE_MAX);
    draw(100, 0.1, 0);
    CHECK_EQ(line_fit(&fit, &arena, points, 0), ERR_NOT_FOUND);
    CHECK_EQ(line_fit(&fit, &arena, points, LINE_FIT_LEAST - 1), ERR_NOT_FOUND);
    for (uint32_t i = 0; i < 100; i++)
        points[i].x = 7;
    CHECK_EQ(line_fit(&fit, &arena, points, 100), ERR_NOT_FOUND);
    arena_release(&arena);
}

TEST(a_knee_is_found_where_latency_leaves_the_flat)
{
    struct line_knee knee;

    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t i = 0; i < 600; i++) {
        points[i].x = 100 * uniform();
        points[i].y =
            0.05 + 0.002 * fmax(0, points[i].x - 60) + 0.002 * normal();
    }
    CHECK(line_knee(&knee, &arena, points, 600));
    CHECK(fabs(knee.x - 60) < 10);
    CHECK(fabs(knee.flat - 0.05) < 0.01);
    arena_release(&arena);
}

TEST(neither_a_straight_nor_a_flat_line_has_a_knee)
{
    struct line_knee knee;
    uint32_t found = 0;

    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t trial = 0; trial < 50; trial++) {
        for (uint32_t i = 0; i < 600; i++) {
            points[i].x = 100 * uniform();
            points[i].y = 0.05 + (double)(trial % 2) * 0.002 * points[i].x +
                          0.005 * normal();
        }
        found += line_knee(&knee, &arena, points, 600);
    }
    CHECK(found <= 1);
    CHECK(!line_knee(&knee, &arena, points, 50));
    arena_release(&arena);
}
