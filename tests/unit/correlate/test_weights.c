/*
 * Spans that stand for many, because their sender kept a part of all: RED and
 * edges count what was, not what was sent.
 */
#include <math.h>
#include <stdio.h>

#include "semconv.h"

#include "correlate_kit.h"

#define FRONT "service.name=front,service.namespace=shop"
#define CART  "service.name=cart,service.namespace=shop"
#define GET   "http.request.method=GET,http.route=/a"

static const struct point *find_point(const char *name)
{
    for (uint32_t i = 0; i < kit_store.count; i++)
        for (uint32_t j = 0;
             kit_store.batches[i]->derived && j < kit_store.batches[i]->count;
             j++)
            if (slice_equal(kit_store.batches[i]->points[j].metric->name,
                            slice_of(name)))
                return &kit_store.batches[i]->points[j];
    return NULL;
}

static uint64_t bucket_sum(const struct histogram *histogram)
{
    uint64_t sum = histogram->zero_count;

    for (uint32_t i = 0; i < histogram->positive.count; i++)
        sum += histogram->positive.counts[i];
    return sum;
}

TEST(requests_errors_and_durations)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);

    for (uint32_t i = 1; i <= 10; i++) {
        struct span *span = kit_span(batch, CART, SPAN_SERVER, i, i, 0, GET);

        span->trace_state = SLICE("vendor=x,ot=th:c;rv:aaaaaaaaaaaaaa");
        span->status = i <= 3 ? SPAN_ERROR : SPAN_UNSET;
    }
    kit_span(batch, CART, SPAN_SERVER, 11, 11, 0, GET)->end_ns =
        KIT_TIME + NS_PER_S;
    batch->spans[10].trace_state = SLICE("ot=th:8");
    kit_take_all(&kit, batch);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_DURATION, ""), 42);
    CHECK_EQ(kit_sum(DERIVED_ERRORS, ""), 12);
    CHECK_EQ(kit_sum(DERIVED_RECORDS, "signal=traces"), 11); /* as sent */
    const struct point *point = find_point(DERIVED_DURATION);

    if (!CHECK(point))
        return;
    CHECK_EQ(point->histogram->zero_count, 2);
    CHECK_EQ(bucket_sum(point->histogram), 42);
    CHECK(fabs(point->histogram->sum - 0.4) < 1e-9);
}

/* Fractions add up, of what failed and of the rest, over minutes too. */
TEST(fractions_add_up)
{
    for (int round = 0; round < 20; round++) {
        struct kit kit = kit_open();
        double all = 0, bad = 0;

        for (int requests = 0; requests < 4; requests++) {
            struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);

            for (uint32_t i = 1; i <= 100; i++) {
                struct span *span =
                    kit_span(batch, CART, SPAN_SERVER,
                             i + 200 * (uint32_t)requests, i, 0, GET);
                char text[40];
                int len = snprintf(text, sizeof(text), "ot=th:%x",
                                   test_random(1 << 16));

                span->trace_state = arena_copy(
                    &batch->arena, (struct slice){text, (size_t)len});
                span->status = test_random(2) ? SPAN_ERROR : SPAN_UNSET;
                span->start_ns += test_random(10) * NS_PER_MIN;
                span->end_ns = span->start_ns + test_random(1000000);
                double weight = sampling_weight(span->trace_state);

                all += weight;
                bad += span->status == SPAN_ERROR ? weight : 0;
            }
            kit_take_all(&kit, batch);
        }
        kit_close(&kit);
        CHECK(fabs((double)kit_sum(DERIVED_DURATION, "") - all) <= 1.01);
        CHECK(fabs((double)kit_sum(DERIVED_ERRORS, "") - bad) <= 0.51);
    }
}

static void call(struct batch *batch, uint32_t trace, bool caller, bool callee)
{
    if (caller)
        kit_span(batch, FRONT, SPAN_CLIENT, trace, 2, 0,
                 GET ",server.address=cart")
            ->trace_state = SLICE("ot=th:c");
    if (callee)
        kit_span(batch, CART, SPAN_SERVER, trace, 3, 2, GET)->trace_state =
            SLICE("ot=th:c");
}

/* Met at once; met after a restart; alone until it is too late, and met then.
 */
TEST(edges_are_weighed_however_their_ends_meet)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);

    call(batch, 1, true, true);
    call(batch, 2, true, false);
    kit_take_all(&kit, batch);
    kit_settle(&kit);
    batch = kit_batch(&kit, SIGNAL_SPANS);
    batch->received_ns += NS_PER_HOUR;
    call(batch, 2, false, true);
    kit_take_all(&kit, batch);
    kit_close(&kit);
    int64_t out = (int64_t)kit_sum(DERIVED_OUT_DURATION, "") -
                  (int64_t)kit_sum(DERIVED_OUT_RETRACTED_DURATION, "");
    int64_t in = (int64_t)kit_sum(DERIVED_IN_DURATION, "peer.kind=component") -
                 (int64_t)kit_sum(DERIVED_IN_RETRACTED_DURATION, "");

    CHECK_EQ(out, 8);
    CHECK_EQ(in, 8);
}

TEST(a_call_that_waits_keeps_its_weight_over_a_restart)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);

    kit_store.flush_due = true;
    kit_span(batch, FRONT, SPAN_CLIENT, 1, 1, 0, "server.address=a.example")
        ->trace_state = SLICE("ot=th:c");
    kit_span(batch, FRONT, SPAN_CLIENT, 2, 2, 0, "server.address=a.example");
    kit_take_all(&kit, batch);
    kit_kill(&kit);
    kit_store.watermark[STREAM_SPANS] = kit_store.watermark[STREAM_DERIVED] = 1;
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, ""), 0);
    kit_store.flush_due = false;
    kit = kit_open_with(&kit_options);
    kit.lsn = 1000; /* beyond what is committed */
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, "peer.name=a.example"), 5);
}

/* What the Collector's sampler of log records leaves behind. */
TEST(templates_are_weighed)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_LOGS);

    for (uint32_t i = 0; i < 9; i++)
        kit_log(batch, CART, "order taken", "sampling.threshold=4");
    kit_log(batch, CART, "order lost", "tracestate=ot=th:c");
    kit_log(batch, CART, "order lost", "sampling.threshold=#4");
    kit_log(batch, CART, "order lost", "a=b");
    kit_take_all(&kit, batch);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_LOGS, "template=order taken"), 12);
    CHECK_EQ(kit_sum(DERIVED_LOGS, "template=order lost"), 6);
    CHECK_EQ(kit_sum(DERIVED_RECORDS, "signal=logs"), 12);
}
