#include "derived_table.h"

#include <math.h>

#include "correlate_kit.h"

/* ---- buckets ---- */

/* As the definition has it: (base^i, base^(i + 1)], base = 2^(1/16). */
static bool in_bucket(uint64_t duration_ns, int32_t bucket)
{
    double seconds = (double)duration_ns * 1e-9;

    return seconds > exp2(bucket / 16.0) * (1 - 1e-14) &&
           seconds <= exp2((bucket + 1) / 16.0) * (1 + 1e-14);
}

TEST(buckets_hold_what_they_should)
{
    for (uint64_t ns = 1; ns && ns < UINT64_MAX / 3; ns = ns * 3 / 2 + 1)
        CHECK(in_bucket(ns, duration_bucket(ns)));
    for (int i = 0; i < 100000; i++) {
        uint64_t ns = (test_random64() >> test_random(63)) | 1;

        if (!in_bucket(ns, duration_bucket(ns)) &&
            !CHECK(in_bucket(ns, duration_bucket(ns))))
            return;
    }
    /* an upper bound belongs to the bucket below */
    CHECK_EQ(duration_bucket(NS_PER_S), -1);
    CHECK_EQ(duration_bucket(NS_PER_S + 1), 0);
    CHECK_EQ(duration_bucket(2 * NS_PER_S), 15);
}

static uint64_t total(const struct duration_histogram *histogram)
{
    uint32_t begin, used = duration_used(histogram, &begin);
    uint64_t sum = 0;

    for (uint32_t i = 0; i < used; i++)
        sum += histogram->counts[begin + i];
    return sum;
}

/* Against counting each duration at the scale that was reached. */
TEST(histograms_agree_with_the_definition)
{
    for (int round = 0; round < 200; round++) {
        struct duration_histogram histogram = {0};
        uint64_t values[200];
        uint32_t count = 1 + test_random(200), spread = test_random(64);
        struct slab slab;
        uint32_t begin, used;

        slab_init(&slab, 64 * 1024);
        for (uint32_t i = 0; i < count; i++) {
            values[i] = (test_random64() >> test_random(spread + 1)) | 1;
            duration_add(&histogram, values[i], 1, &slab);
        }
        CHECK_EQ(total(&histogram), count);
        used = duration_used(&histogram, &begin);
        CHECK(used <= DURATION_MAX_BUCKETS);
        for (uint32_t b = 0; b < used; b++) {
            int32_t bucket = histogram.first + (int32_t)(begin + b);
            uint32_t want = 0;

            for (uint32_t i = 0; i < count; i++)
                want += duration_bucket(values[i]) >>
                            (DURATION_SCALE - histogram.scale) ==
                        bucket;
            CHECK_EQ(histogram.counts[begin + b], want);
        }
        slab_release(&slab);
    }
}

TEST(usual_latencies_keep_the_full_scale)
{
    struct duration_histogram histogram = {0};
    struct slab slab;

    slab_init(&slab, 64 * 1024);
    for (uint64_t ns = NS_PER_MS; ns <= NS_PER_S; ns += 50 * NS_PER_US)
        duration_add(&histogram, ns, 1, &slab);
    CHECK_EQ(histogram.scale, DURATION_SCALE);
    duration_add(&histogram, 1000 * NS_PER_S, 1, &slab);
    CHECK_EQ(histogram.scale, DURATION_SCALE - 1);
    duration_add(&histogram, 1, 1, &slab);
    CHECK(histogram.scale >= 1);
    slab_release(&slab);
}

/* ---- points ---- */

#define CART "service.name=cart,service.namespace=shop"

static const struct point *find_point(const char *name)
{
    for (uint32_t i = 0; i < kit_store.count; i++)
        for (uint32_t j = 0;
             kit_store.batches[i]->derived && j < kit_store.batches[i]->count;
             j++) {
            const struct point *point = &kit_store.batches[i]->points[j];

            if (slice_equal(point->metric->name, slice_of(name)))
                return point;
        }
    return NULL;
}

TEST(a_point_is_complete)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);
    const struct point *point;

    for (uint32_t i = 1; i <= 10; i++) {
        struct span *span =
            kit_span(batch, CART, SPAN_SERVER, i, i, 0, "http.route=/a");

        span->start_ns = KIT_TIME + 59 * NS_PER_S;
        span->end_ns = span->start_ns + (i - 1) * 10 * NS_PER_MS;
        span->status = i % 4 == 0 ? SPAN_ERROR : SPAN_UNSET;
    }
    kit_take_all(&kit, batch);
    kit_close(&kit);
    point = find_point(DERIVED_DURATION);
    if (!CHECK(point))
        return;
    CHECK_EQ(point->metric->temporality, DELTA);
    CHECK_TEXT(point->metric->unit, "s");
    CHECK_EQ(point->start_ns, KIT_TIME);
    CHECK_EQ(point->time_ns, KIT_TIME + NS_PER_MIN);
    CHECK_EQ(point->histogram->count, 10);
    CHECK_EQ(point->histogram->zero_count, 1);
    CHECK(fabs(point->histogram->sum - 0.45) < 1e-9);
    CHECK(point->histogram->min == 0);
    CHECK(fabs(point->histogram->max - 0.09) < 1e-9);
    CHECK_EQ(point->histogram->scale, 4);

    uint64_t sum = point->histogram->zero_count;

    for (uint32_t i = 0; i < point->histogram->positive.count; i++)
        sum += point->histogram->positive.counts[i];
    CHECK_EQ(sum, 10);
    CHECK_EQ(kit_sum(DERIVED_ERRORS, ""), 2);

    /* the two slowest that did not fail, then the failed ones */
    if (CHECK_EQ(point->exemplar_count, 4)) {
        CHECK(point->exemplars[0].value + point->exemplars[1].value > 0.169);
        CHECK_EQ(point->exemplars[0].attrs.count, 0);
        CHECK_EQ(point->exemplars[2].trace_id[0], 8);
        CHECK_EQ(point->exemplars[3].span_id[0], 4);
        CHECK(attrs_find(&point->exemplars[3].attrs, SLICE(DERIVED_ERROR)));
    }
}

TEST(minutes_go_by_the_start_of_the_span)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);

    for (uint32_t i = 0; i < 3; i++) {
        struct span *span =
            kit_span(batch, CART, SPAN_SERVER, 1 + i, 1, 0, "http.route=/a");

        span->start_ns = KIT_TIME + (2 - i) * NS_PER_MIN - (i == 1);
        span->end_ns = span->start_ns + NS_PER_HOUR;
    }
    kit_take_all(&kit, batch);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_DURATION, ""), 3);
    CHECK_EQ(find_point(DERIVED_DURATION)->histogram->count, 2);
}

TEST(a_full_budget_loses_nothing)
{
    struct correlator_options options = kit_options;
    struct budget budget;
    struct batch *batch;
    struct kit kit;

    kit_reset();
    budget_init(&budget, 100);
    options.budget = &budget;
    kit = kit_open_with(&options);
    batch = kit_batch(&kit, SIGNAL_SPANS);
    kit_span(batch, CART, SPAN_SERVER, 1, 1, 0, "http.route=/a");
    kit_take_all(&kit, batch);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_DURATION, ""), 1);
    CHECK_EQ(budget_used(&budget), 0);
}
