/*
 * Exponential histograms: lowering by many steps at once is the same as one
 * step after the other, and a merge has every count of both.
 */
#include "exphist.h"

#include <string.h>

#include "test.h"

enum { BUCKETS = 200 };

/* One step, as the specification says: buckets 2i and 2i + 1 become i. */
static int64_t one_step(uint64_t *counts, int64_t offset, uint32_t count)
{
    uint64_t lowered[BUCKETS] = {0};
    int64_t first = offset >> 1;

    for (uint32_t i = 0; i < count; i++)
        lowered[((offset + i) >> 1) - first] += counts[i];
    memcpy(counts, lowered, count * sizeof(*counts));
    return first;
}

TEST(lowers_like_single_steps)
{
    for (int round = 0; round < 500; round++) {
        uint32_t count = test_random(BUCKETS - 1) + 1;
        int64_t offset = (int64_t)test_random(2000) - 1000, first = offset;
        int shift = (int)test_random(12);
        uint64_t counts[BUCKETS] = {0}, expected[BUCKETS] = {0};
        uint32_t counts32[BUCKETS] = {0};
        double reals[BUCKETS] = {0};
        struct exphist_range range = exphist_range(offset, count), lowered;

        for (uint32_t i = 0; i < count; i++) {
            expected[i] = counts[i] = test_random(100);
            counts32[i] = (uint32_t)counts[i];
            reals[i] = (double)counts[i];
        }
        for (int i = 0; i < shift; i++)
            first = one_step(expected, first, count);
        lowered = exphist_lower(counts, range, shift);
        CHECK_EQ(lowered.first, first);
        CHECK(exphist_range_count(lowered) <= (count >> shift) + 2);
        CHECK(memcmp(counts, expected, sizeof(counts)) == 0);
        exphist_lower_u32(counts32, range, shift);
        exphist_lower_double(reals, range, shift);
        for (uint32_t i = 0; i < count; i++) {
            CHECK_EQ(counts32[i], expected[i]);
            CHECK_EQ((uint64_t)reals[i], expected[i]);
        }
    }
}

TEST(sums_of_32_bits_saturate)
{
    uint32_t counts[2] = {UINT32_MAX, 2};

    exphist_lower_u32(counts, exphist_range(0, 2), 1);
    CHECK_EQ(counts[0], UINT32_MAX);
    CHECK_EQ(counts[1], 0);
}

TEST(ranges_and_indices)
{
    struct exphist_range none = exphist_range(7, 0);
    struct exphist_range wide = exphist_range(INT32_MIN, UINT32_MAX);
    struct exphist_range both =
        exphist_range_union(exphist_range(-5, 2), exphist_range(9, 1));

    CHECK_EQ(exphist_range_count(none), 0);
    CHECK_EQ(exphist_range_count(exphist_range_lower(none, 3)), 0);
    CHECK_EQ(exphist_range_count(exphist_range_union(none, none)), 0);
    CHECK_EQ(exphist_range_union(none, both).first, -5);
    CHECK_EQ(both.last, 9);
    CHECK_EQ(exphist_shift_to_fit(both, 15), 0);
    CHECK_EQ(exphist_shift_to_fit(both, 14), 1);
    CHECK_EQ(exphist_shift_to_fit(none, 2), 0);
    CHECK_EQ(exphist_shift_to_fit(wide, 2), 31);
    CHECK_EQ(exphist_index(-1, 1000), -1);
    CHECK_EQ(exphist_index(5, 1000), 0);
    CHECK(exphist_bound(0, 3) > 7.99 && exphist_bound(0, 3) < 8.01);
    CHECK(exphist_bound(1, 2) > 1.99 && exphist_bound(1, 2) < 2.01);
}

static uint64_t total(const struct exp_buckets *buckets)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < buckets->count; i++)
        sum += buckets->counts[i];
    return sum;
}

static void fill(struct exp_buckets *buckets, uint64_t counts[BUCKETS])
{
    for (uint32_t i = 0; i < BUCKETS; i++)
        counts[i] = test_random(50);
    *buckets = (struct exp_buckets){counts, test_random(BUCKETS),
                                    (int32_t)test_random(4000) - 2000};
}

TEST(merge_keeps_every_count)
{
    for (int round = 0; round < 300; round++) {
        uint64_t counts[4][BUCKETS];
        struct histogram a = {.scale = (int32_t)test_random(20) - 10,
                              .zero_count = test_random(9)};
        struct histogram b = {.scale = (int32_t)test_random(20) - 10,
                              .zero_count = test_random(9)};
        uint32_t max = test_random(100) + 2;
        struct histogram sum = {0};
        struct arena arena;

        fill(&a.positive, counts[0]);
        fill(&a.negative, counts[1]);
        fill(&b.positive, counts[2]);
        fill(&b.negative, counts[3]);
        arena_init(&arena, NULL, 1 << 20);
        CHECK(exphist_merge(&arena, &sum, &a, &b, max));
        CHECK(sum.scale <= a.scale && sum.scale <= b.scale);
        CHECK(sum.positive.count <= max && sum.negative.count <= max);
        CHECK_EQ(sum.zero_count, a.zero_count + b.zero_count);
        CHECK_EQ(total(&sum.positive), total(&a.positive) + total(&b.positive));
        CHECK_EQ(total(&sum.negative), total(&a.negative) + total(&b.negative));
        arena_release(&arena);
    }
}

TEST(merge_can_fail)
{
    struct histogram a = {.scale = 30}, b = {.scale = -30}, sum = {0};
    uint64_t count = 1;
    struct arena arena;

    arena_init(&arena, NULL, 0);
    CHECK(!exphist_merge(&arena, &sum, &a, &b, 160));
    b.scale = 30;
    CHECK(exphist_merge(&arena, &sum, &a, &b, 160)); /* nothing to hold */
    a.positive = (struct exp_buckets){&count, 1, 0};
    CHECK(!exphist_merge(&arena, &sum, &a, &b, 160));
    arena_release(&arena);
}
