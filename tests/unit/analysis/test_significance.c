/* What is more than chance: known cases, and random ones without a difference.
 */
#include "significance.h"

#include <math.h>

#include "test.h"

static double uniform(void)
{
    return (test_random(1000000) + 0.5) / 1e6;
}

/* A Poisson number: as many as fit before the sum of waiting times passes. */
static double random_count(double mean)
{
    double n = 0;

    for (double sum = -log(uniform()); sum < mean; sum -= log(uniform()))
        n++;
    return n;
}

TEST(counts_of_one_rate_do_not_differ)
{
    uint32_t alarms = 0;

    for (int i = 0; i < 20000; i++) {
        struct counted before = {random_count(30), 600},
                       now = {random_count(15), 300};

        alarms += fabs(rates_differ(before, now, 1)) > SIGNIFICANT_Z;
    }
    CHECK(alarms <= 20); /* one in a thousand */
    CHECK(rates_differ((struct counted){100, 600}, (struct counted){300, 600},
                       1) > 9);
    CHECK(rates_differ((struct counted){300, 600}, (struct counted){100, 600},
                       1) < -9);
    CHECK(rates_differ((struct counted){0, 600}, (struct counted){60, 600}, 1) >
          7);
    /* few, and no time at all */
    CHECK(rates_differ((struct counted){1, 600}, (struct counted){9, 600}, 1) ==
          0);
    CHECK(rates_differ((struct counted){0, 0}, (struct counted){900, 600}, 1) ==
          0);
}

TEST(bursts_are_no_difference)
{
    double cells[16] = {0}, steady[16];

    for (int i = 0; i < 16; i++)
        steady[i] = 100 + i % 3;
    cells[3] = 800; /* all in one part */
    CHECK(counts_dispersion(steady, 16) == 1);
    CHECK(counts_dispersion(cells, 16) > 500);
    CHECK(counts_dispersion(cells, 0) == 1);
    CHECK(fabs(rates_differ((struct counted){100, 600},
                            (struct counted){800, 600},
                            counts_dispersion(cells, 16))) < SIGNIFICANT_Z);
}

TEST(shares_of_one_probability_do_not_differ)
{
    uint32_t alarms = 0;

    for (int i = 0; i < 20000; i++) {
        struct share before = {random_count(4), 400}, now = {0, 100};

        now.count = random_count(1);
        alarms += fabs(shares_differ(before, now, 1)) > SIGNIFICANT_Z;
    }
    CHECK(alarms <= 40); /* rare errors are not normal: two in a thousand */
    CHECK(shares_differ((struct share){1, 1000}, (struct share){100, 1000}, 1) >
          9);
    CHECK(shares_differ((struct share){0, 1000}, (struct share){0, 1000}, 1) ==
          0);
    CHECK(shares_differ((struct share){9, 10}, (struct share){0, 10}, 1) == 0);
    CHECK(shares_differ((struct share){50, 50}, (struct share){50, 50}, 1) ==
          0);
}

static void fill(struct hist *hist, struct arena *arena, uint32_t n,
                 double times)
{
    static const double bounds[] = {.001, .002, .004, .008, .016,
                                    .032, .064, .128, .256};
    uint64_t counts[10] = {0};
    struct histogram values = {
        .bound_count = 9, .bounds = bounds, .counts = counts, .count = n};

    for (uint32_t i = 0; i < n; i++) {
        double value = -.01 * times * log(uniform());
        int b = 0;

        while (b < 9 && value > bounds[b])
            b++;
        counts[b]++;
    }
    *hist = (struct hist){.count = 0};
    CHECK(hist_add(hist, arena, METRIC_HISTOGRAM, &values, 1, 1));
}

TEST(latencies_of_one_distribution_do_not_differ)
{
    static const double quantiles[] = {.5, .9, .99};
    struct hist before, now;
    struct arena arena;
    uint32_t alarms = 0;

    arena_init(&arena, NULL, SIZE_MAX);
    for (int i = 0; i < 300; i++) {
        fill(&before, &arena, 2000, 1);
        fill(&now, &arena, 1500, 1);
        for (int q = 0; q < 3; q++)
            alarms += fabs(quantiles_differ(&before, &now, quantiles[q], 1)) >
                      SIGNIFICANT_Z;
    }
    CHECK(alarms <= 2);
    fill(&now, &arena, 1500, 3);
    CHECK(quantiles_differ(&before, &now, .5, 2) > SIGNIFICANT_Z);
    CHECK(quantiles_differ(&now, &before, .5, 2) < -SIGNIFICANT_Z);
    fill(&now, &arena, 12, 30); /* too few for the slowest hundredth */
    CHECK(quantiles_differ(&before, &now, .99, 1) == 0);
    arena_release(&arena);
}

TEST(means_of_noise_do_not_differ)
{
    double a[16], b[16];
    uint32_t alarms = 0;

    for (int i = 0; i < 5000; i++) {
        for (int k = 0; k < 16; k++) {
            a[k] = 1 + uniform();
            b[k] = 1 + uniform();
        }
        alarms += fabs(means_differ(a, 16, b, 16)) > SIGNIFICANT_Z;
    }
    CHECK(alarms <= 10);
    for (int k = 0; k < 16; k++)
        b[k] = 2 + uniform();
    CHECK(means_differ(a, 16, b, 16) > SIGNIFICANT_Z);
    CHECK(means_differ(a, 2, b, 16) == 0);
    for (int k = 0; k < 16; k++)
        a[k] = b[k] = 7;
    CHECK(means_differ(a, 16, b, 16) == 0);
}
