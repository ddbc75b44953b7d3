/*
 * sum() over many steps adds blocks of values without branches. It is compared
 * with sums that keep what rounding would lose, step by step.
 */
#include "promql_kahan.h"
#include "promql_kit.h"
#include "test.h"

enum { STEPS = 3 * 32 + 7, SERIES = 40, STEP_MS = 1000 };

static struct kit kit;
static double values[SERIES][STEPS]; /* NaN of staleness: none */
static uint32_t used;

static void begin(void)
{
    kit_clear(&kit);
    used = 0;
}

/* Puts values[used] into the kit. */
static void put_series(void)
{
    struct promql_series *series = &kit.series[kit.count++];
    struct promql_label *label = kit_zero(&kit, 2, sizeof(*label));
    int64_t *times = kit_zero(&kit, STEPS, sizeof(*times));
    char *text = kit_zero(&kit, 8, 1);

    snprintf(text, 8, "%u", used);
    label[0] = (struct promql_label){SLICE("__name__"), SLICE("g")};
    label[1] = (struct promql_label){SLICE("i"), slice_of(text)};
    for (int i = 0; i < STEPS; i++)
        times[i] = i * STEP_MS;
    *series = (struct promql_series){.labels = {label, 2},
                                     .times = times,
                                     .values = values[used++],
                                     .count = STEPS};
}

static double exact(uint32_t step)
{
    double sum = 0, lost = 0;
    bool any = false;

    for (uint32_t i = 0; i < used; i++)
        if (!promql_is_stale(values[i][step])) {
            promql_kahan(values[i][step], &sum, &lost);
            any = true;
        }
    return any ? sum + lost : promql_stale();
}

/* Of the largest value or sum on the way. */
static double size_of(uint32_t step)
{
    double largest = 0, sum = 0;

    for (uint32_t i = 0; i < used; i++)
        if (!promql_is_stale(values[i][step])) {
            sum += values[i][step];
            largest = fmax(largest, fmax(fabs(sum), fabs(values[i][step])));
        }
    return largest;
}

static bool alike(double seen, double wanted, double tolerance)
{
    if (promql_is_stale(wanted)) /* no value at that step */
        return isnan(seen);
    if (isnan(wanted) || isinf(wanted))
        return isnan(wanted) ? isnan(seen) : seen == wanted;
    return fabs(seen - wanted) <= tolerance;
}

/* tolerance: of the size of what is added; 0: to the last bit. */
static void compare(double tolerance)
{
    struct promql_time time = {.start_ms = 0,
                               .end_ms = (STEPS - 1) * STEP_MS,
                               .step_ms = STEP_MS,
                               .lookback_ms = STEP_MS / 2};
    struct promql_result result = {0};
    struct promql_error error;
    struct arena arena;

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(kit_query(&kit, SLICE("sum(g)"), &time, &arena, &result, &error),
             OK);
    if (CHECK_EQ(result.count, 1))
        for (uint32_t i = 0; i < STEPS; i++)
            if (!CHECK(alike(result.series[0].values[i], exact(i),
                             tolerance * size_of(i))))
                printf("# step %u: %.17g, not %.17g\n", i,
                       result.series[0].values[i], exact(i));
    arena_release(&arena);
}

static double random_value(double least, double most)
{
    return least + (most - least) * (double)test_random(1 << 30) / (1 << 30);
}

TEST(values_of_one_sign)
{
    begin();
    for (int n = 0; n < SERIES; n++) {
        for (int i = 0; i < STEPS; i++)
            values[n][i] = random_value(0.1, 1000);
        put_series();
    }
    compare(SERIES * 0x1p-53);
}

/* Small beside large, and the large ones go away again: in a block, at its
 * ends and in the rest, one step alone or all. */
TEST(what_rounding_would_lose_is_kept_once_it_matters)
{
    static const double small[] = {1, 3, 1e16, 0.1, -1e16};

    for (int alone = -1; alone < STEPS; alone += alone == 33 ? 30 : 1) {
        begin();
        for (int n = 0; n < 5; n++) {
            for (int i = 0; i < STEPS; i++)
                values[n][i] = alone < 0 || i == alone ? small[n] : n;
            put_series();
        }
        compare(0x1p-60);
        CHECK(fabs(exact(alone < 0 ? 40 : (uint32_t)alone) - 4.1) < 1e-12);
    }
}

TEST(values_of_both_signs)
{
    for (int round = 0; round < 20; round++) {
        begin();
        for (int n = 0; n < SERIES; n++) {
            for (int i = 0; i < STEPS; i++)
                values[n][i] =
                    random_value(-1, 1) * pow(10, (double)test_random(12));
            put_series();
        }
        compare(SERIES * 0x1p-53);
    }
}

/* What is left of large values is as small as what rounding lost before. */
TEST(differences_to_the_last_bit)
{
    begin();
    for (int i = 0; i < STEPS; i++) {
        values[0][i] = random_value(1000, 1001) / 3;
        values[1][i] = -random_value(300, 301) / 3;
        values[2][i] = -(values[0][i] + values[1][i]);
    }
    for (int n = 0; n < 3; n++)
        put_series();
    compare(0x1p-100);
}

/* None, infinite, not a number, zeros of both signs: here and there. */
TEST(values_that_are_none)
{
    const double odd[] = {promql_stale(),
                          (double)INFINITY,
                          -(double)INFINITY,
                          (double)NAN,
                          0.0,
                          -0.0,
                          1e308,
                          -1e308};

    for (int round = 0; round < 20; round++) {
        begin();
        for (int n = 0; n < 8; n++) {
            for (int i = 0; i < STEPS; i++)
                values[n][i] =
                    test_random(20) ? random_value(1, 9) : odd[test_random(8)];
            put_series();
        }
        compare(SERIES * 0x1p-53);
    }
}

/* A series that begins later, and gaps of whole blocks. */
TEST(blocks_without_values)
{
    begin();
    for (int n = 0; n < 3; n++) {
        for (int i = 0; i < STEPS; i++)
            values[n][i] = i / 32 % 3 == n || i > 90 ? promql_stale() : i + n;
        put_series();
    }
    compare(0);
}
