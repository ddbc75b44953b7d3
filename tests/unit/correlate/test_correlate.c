#include "correlate.h"

#include <pthread.h>

#include "correlate_kit.h"

#define CART     "service.name=cart,service.namespace=shop"
#define FRONT    "service.name=front,service.namespace=shop"
#define HTTP_GET "http.request.method=GET,http.route=/cart"

TEST(a_span_gets_resource_endpoint_and_operation)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);

    kit_span(batch, CART, SPAN_SERVER, 1, 1, 0, HTTP_GET);
    kit_take(&kit, batch);
    CHECK(batch->spans[0].resource_id != RESOURCE_NONE);
    CHECK_TEXT(batch->spans[0].endpoint, "http");
    CHECK_TEXT(batch->spans[0].operation, "GET /cart");
    CHECK_EQ(kit_store.count, 1);
    CHECK(kit_store.batches[0] == batch);
    batch_free(batch);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_DURATION,
                     "endpoint=http,operation=GET /cart,kind=server"),
             1);
    CHECK_EQ(kit_sum(DERIVED_ERRORS, ""), 0);
    CHECK_EQ(kit_sum(DERIVED_RECORDS, "signal=traces"), 1);
}

static void count_done(void *arg, enum status status)
{
    if (status == OK)
        ++*(int *)arg;
}

TEST(a_batch_is_tagged_when_there_is_no_memory_left_for_its_names)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);

    for (uint32_t i = 1; i <= 100; i++)
        kit_span(batch, CART, SPAN_SERVER, i, i, 0, HTTP_GET);
    batch->arena.cap = 0; /* no chunk more */
    batch->arena.at = batch->arena.end;
    kit_take(&kit, batch);
    for (uint32_t i = 0; i < batch->count; i++) {
        CHECK(batch->spans[i].endpoint.len > 0);
        CHECK(batch->spans[i].operation.len > 0);
    }
    batch_free(batch);
    kit_close(&kit);
}

TEST(done_comes_after_the_store_has_it)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_LOGS);
    int done = 0;

    kit_log(batch, CART, "hello", "");
    batch->done = count_done;
    batch->done_arg = &done;
    kit_take_all(&kit, batch);
    CHECK_EQ(done, 1);
    CHECK_EQ(kit_store.count, 1);
    kit_close(&kit);
}

TEST(errors_and_client_errors)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);

    kit_span(batch, CART, SPAN_SERVER, 1, 1, 0,
             HTTP_GET ",http.response.status_code=#503");
    kit_span(batch, CART, SPAN_SERVER, 2, 2, 0,
             HTTP_GET ",http.status_code=#404");
    kit_span(batch, CART, SPAN_SERVER, 3, 3, 0, HTTP_GET)->status = SPAN_ERROR;
    kit_span(batch, CART, SPAN_SERVER, 4, 4, 0,
             HTTP_GET ",http.response.status_code=#500")
        ->status = SPAN_OK;
    kit_span(batch, CART, SPAN_SERVER, 5, 5, 0,
             "rpc.system=grpc,rpc.service=a.B,rpc.method=C,"
             "rpc.grpc.status_code=#14");
    kit_take_all(&kit, batch);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_DURATION, ""), 5);
    CHECK_EQ(kit_sum(DERIVED_ERRORS, "endpoint=http"), 2);
    CHECK_EQ(kit_sum(DERIVED_ERRORS, "endpoint=grpc,operation=a.B/C"), 1);
    CHECK_EQ(kit_sum(DERIVED_CLIENT_ERRORS, ""), 1);
}

/* The verdict goes to the store with the span, whatever its kind and whether
 * its resource has a component; there is none on top of a status. */
TEST(what_failed_is_noted_on_the_span)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);

    for (uint32_t kind = SPAN_UNSPECIFIED; kind <= SPAN_CONSUMER; kind++) {
        kit_span(batch, kind % 2 ? CART : "x=y", (enum span_kind)kind, 1,
                 1 + kind, 0, "http.status_code=#503");
        kit_span(batch, CART, (enum span_kind)kind, 2, 1 + kind, 0,
                 "http.status_code=#503")
            ->status = SPAN_OK;
        kit_span(batch, CART, (enum span_kind)kind, 3, 1 + kind, 0, "")
            ->status = SPAN_ERROR;
        kit_span(batch, CART, (enum span_kind)kind, 4, 1 + kind, 0, "");
    }
    kit_take(&kit, batch);
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct span *span = &batch->spans[i];

        CHECK_EQ(span->failed, i % 4 == 0);
        CHECK_EQ(span_failed(span), i % 4 == 0 || i % 4 == 2);
    }
    batch_free(batch);
    kit_close(&kit);
}

TEST(trace_context_left_among_the_attributes)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_LOGS);
    uint8_t trace[16], span[8];

    kit_log(batch, CART, "x",
            "trace_id=0102030405060708090a0b0c0d0e0f10,"
            "spanId=0102030405060708");
    kit_log(batch, CART, "x", "trace_id=0102,span_id=0102030405060708");
    kit_take(&kit, batch);
    for (uint8_t i = 0; i < 16; i++)
        trace[i] = (uint8_t)(i + 1);
    memcpy(span, trace, 8);
    CHECK(memcmp(batch->logs[0].trace_id, trace, 16) == 0);
    CHECK(memcmp(batch->logs[0].span_id, span, 8) == 0);
    CHECK(id_is_zero(batch->logs[1].trace_id, 16));
    CHECK(id_is_zero(batch->logs[1].span_id, 8));
    batch_free(batch);
    kit_close(&kit);
}

TEST(kubernetes_events)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_LOGS);

    kit_log(batch, CART, "Back-off", "k8s.event.reason=BackOff");
    kit_log(batch, "k8s.object.kind=Pod,k8s.object.name=cart-1", "Started", "");
    kit_log(batch, CART, "plain", "event.domain=x");
    kit_take(&kit, batch);
    CHECK(batch->logs[0].is_event);
    CHECK(batch->logs[1].is_event);
    CHECK(!batch->logs[2].is_event);
    batch_free(batch);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_LOGS, ""), 1);
    CHECK_EQ(kit_sum(DERIVED_RECORDS, "signal=logs"), 3);
}

TEST(labels_on_a_record_give_it_a_resource_of_its_own)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_METRICS);
    const char *labels = "openchoreo.dev/project=shop,"
                         "openchoreo.dev/component=cart,interface=eth0";

    kit_point(batch, "service.name=prometheus", labels);
    kit_point(batch, "service.name=prometheus", "interface=eth0");
    kit_take(&kit, batch);
    CHECK(batch->points[0].resource_id != batch->points[1].resource_id);
    CHECK_EQ(batch->points[1].resource_id, batch->resources[1].id);
    batch_free(batch);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_RECORDS, "signal=metrics"), 2);
}

/* ---- restart ---- */

static struct batch *one_request(struct kit *kit, uint32_t number)
{
    struct batch *batch = kit_batch(kit, SIGNAL_SPANS);

    kit_span(batch, CART, SPAN_SERVER, number, number, 0, HTTP_GET);
    return batch;
}

TEST(replay_leaves_out_what_is_committed)
{
    struct kit kit = kit_open();

    kit_store.watermark[STREAM_SPANS] = 2;
    kit_store.watermark[STREAM_DERIVED] = 1;
    kit_close(&kit);
    kit_drop_batches();
    kit = kit_open_with(&kit_options);
    for (uint32_t i = 1; i <= 3; i++)
        kit_take_all(&kit, one_request(&kit, i));
    CHECK_EQ(kit_store.count, 1); /* the spans of the third only */
    CHECK_EQ(kit_store.batches[0]->lsn, 3);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_DURATION, ""), 2);
    CHECK_EQ(kit_store.batches[1]->lsn, 4); /* the one that settles */
    CHECK(kit_store.batches[2]->derived);
    CHECK_EQ(kit_store.batches[2]->lsn, 4);
}

TEST(a_pair_is_counted_when_one_end_was_counted_before)
{
    struct kit kit = kit_open();
    struct batch *batch;

    kit_store.flush_due = true;
    for (int start = 0; start < 2; start++) { /* the second sees it again */
        batch = kit_batch(&kit, SIGNAL_SPANS);
        kit_span(batch, FRONT, SPAN_CLIENT, 1, 1, 0, HTTP_GET);
        kit_take_all(&kit, batch);
        kit_kill(&kit);
        kit_store.watermark[STREAM_DERIVED] = 1;
        kit = kit_open_with(&kit_options);
    }
    kit.lsn = 1; /* the third: the journal does not have it any more */
    batch = kit_batch(&kit, SIGNAL_SPANS);
    kit_span(batch, CART, SPAN_SERVER, 1, 2, 1, HTTP_GET);
    kit_take_all(&kit, batch);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, "peer.kind=component"), 1);
    CHECK_EQ(kit_sum(DERIVED_IN_DURATION, "peer.kind=component"), 1);
    CHECK_EQ(kit_sum(DERIVED_RECORDS, ""), 2);
}

static struct batch *one_call(struct kit *kit)
{
    struct batch *batch = kit_batch(kit, SIGNAL_SPANS);

    kit_span(batch, FRONT, SPAN_CLIENT, 1, 1, 0,
             HTTP_GET ",server.address=api.example");
    return batch;
}

TEST(a_call_settled_before_a_crash_is_counted_once)
{
    struct kit kit = kit_open();

    kit_store.flush_due = true;
    kit_take_all(&kit, one_call(&kit));
    CHECK_EQ(kit_store.batches[1]->lsn, 1);
    kit_store.flush_due = false;
    kit_settle(&kit);
    kit_kill(&kit); /* and loses that */
    kit_store.watermark[STREAM_DERIVED] = 1;
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, ""), 0);
    for (int start = 0; start < 3;
         start++) { /* the first settles it for good */
        kit = kit_open_with(&kit_options);
        kit_take_all(&kit, one_call(&kit));
        kit_close(&kit);
        CHECK_EQ(kit_sum(DERIVED_OUT_DURATION,
                         "peer.kind=external,peer.name=api.example"),
                 1);
    }
    CHECK_EQ(kit_sum(DERIVED_RECORDS, ""), 1);
}

/* Four calls under way at the last flush; the batch of that flush. */
static struct batch *four_waiting(void)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);

    kit_store.flush_due = true;
    for (uint32_t i = 1; i <= 4; i++)
        kit_span(batch, FRONT, SPAN_CLIENT, i, i, 0,
                 i % 2 ? "server.address=a.example"
                       : "server.address=b.example");
    kit_take_all(&kit, batch);
    kit_kill(&kit);
    kit_store.watermark[STREAM_SPANS] = kit_store.watermark[STREAM_DERIVED] = 1;
    batch = kit_store.batches[kit_store.count - 1];
    CHECK(batch->derived && batch->state.len > 100);
    return batch;
}

/* A start that only settles them; returns the number of counted calls. */
static uint64_t settle_waiting(void)
{
    uint32_t count = kit_store.count;
    struct kit kit = kit_open_with(&kit_options);

    kit.lsn = 1000; /* beyond what is committed */
    kit_close(&kit);
    uint64_t calls = kit_sum(DERIVED_OUT_DURATION, "");
    while (kit_store.count > count)
        batch_free(kit_store.batches[--kit_store.count]);
    return calls;
}

TEST(calls_that_wait_outlive_a_start_without_a_batch)
{
    four_waiting();
    for (int i = 0; i < 2; i++) {
        struct kit kit = kit_open_with(&kit_options);

        CHECK_EQ(correlator_start(kit.correlator), OK);
        kit_end(&kit);
    }
    CHECK_EQ(settle_waiting(), 4);
}

TEST(a_truncated_state_is_read_up_to_its_end)
{
    struct batch *last = four_waiting();
    size_t len = last->state.len;

    CHECK_EQ(settle_waiting(), 4);
    for (size_t cut = 0; cut < len; cut++) {
        last->state.len = cut;
        /* the last three bytes: nothing is held, nothing late, nobody asks */
        CHECK(cut < len - 3 ? settle_waiting() < 4 : settle_waiting() == 4);
    }
    last->state.len = len;
}

TEST(a_damaged_state_does_no_harm)
{
    struct batch *last = four_waiting();
    char *state = (char *)(uintptr_t)last->state.ptr;

    for (int round = 0; round < 500; round++) {
        uint32_t at = test_random((uint32_t)last->state.len);
        char was = state[at];

        state[at] = (char)test_random(256);
        CHECK(settle_waiting() <= 4);
        state[at] = was;
    }
    CHECK_EQ(settle_waiting(), 4);
}

static struct batch *many_operations(struct kit *kit)
{
    struct batch *batch = kit_batch(kit, SIGNAL_SPANS);

    for (uint32_t i = 1; i <= KIT_MAX_RECORDS; i++)
        kit_span(batch, CART, SPAN_SERVER, i, i, 0, HTTP_GET)->start_ns +=
            i * NS_PER_MIN;
    for (uint32_t i = 0; i < batch->count; i++)
        batch->spans[i].end_ns = batch->spans[i].start_ns + i;
    return batch;
}

/* Sees to it that the table is flushed in the middle of a batch, then loses
 * what came after that flush. */
TEST(a_flush_inside_a_batch_counts_every_record_once)
{
    struct correlator_options options = kit_options;
    struct kit kit;
    uint64_t before, lsn = 0;
    uint32_t flushes = 0;

    kit_reset();
    options.max_series = 300;
    kit = kit_open_with(&options);
    kit_take_all(&kit, many_operations(&kit));
    for (uint32_t i = 0; i < kit_store.count; i++)
        if (kit_store.batches[i]->derived) {
            flushes++;
            lsn = kit_store.batches[i]->lsn;
        }
    CHECK(flushes >= 1);
    CHECK_EQ(lsn, 0); /* nothing is counted whole */
    before = kit_sum(DERIVED_DURATION, "");
    CHECK(before > 0 && before < KIT_MAX_RECORDS);
    CHECK_EQ(kit_sum(DERIVED_RECORDS, ""), before);
    kit_kill(&kit);

    kit = kit_open_with(&options);
    kit_take_all(&kit, many_operations(&kit));
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_DURATION, ""), KIT_MAX_RECORDS);
    CHECK_EQ(kit_sum(DERIVED_RECORDS, ""), KIT_MAX_RECORDS);
    CHECK_EQ(kit_sum(DERIVED_IN_DURATION, "peer.kind=gateway"),
             KIT_MAX_RECORDS);
}

/* ---- properties ---- */

TEST(every_request_is_counted_once)
{
    static const char *const services[] = {CART, FRONT, "service.name=x"};
    struct correlator_options options = kit_options;
    struct kit kit;
    uint64_t sent = 0, all = 0;

    kit_reset();
    options.max_series = 256 + test_random(200);
    options.max_unpaired_spans = 16;
    options.max_operations = 3;
    kit = kit_open_with(&options);
    for (int i = 0; i < 60; i++) {
        struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);
        uint32_t count = 1 + test_random(200);

        for (uint32_t j = 0; j < count; j++) {
            enum span_kind kind = (enum span_kind)test_random(6);
            char attrs[100];

            snprintf(attrs, sizeof(attrs), "http.method=GET,url.path=/%c/%u",
                     'a' + (int)test_random(8), test_random(100));
            /* A SERVER below a SERVER may be no request of its own. */
            struct span *span =
                kit_span(batch, services[test_random(3)], kind,
                         1 + test_random(20), 1 + test_random(30),
                         test_random(30) + (kind == SPAN_SERVER ? 100 : 0),
                         test_random(4) ? attrs : "");
            span->start_ns += test_random(100) * NS_PER_MIN;
            span->end_ns = span->start_ns + test_random(UINT32_MAX);
            sent += kind == SPAN_SERVER || kind == SPAN_CONSUMER;
            all++;
        }
        batch->received_ns += (uint64_t)i * NS_PER_S;
        kit_store.flush_due = test_random(10) == 0;
        kit_take_all(&kit, batch);
    }
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_DURATION, ""), sent);
    CHECK_EQ(kit_sum(DERIVED_RECORDS, "signal=traces"), all);
}

static void visit_count(void *arg, const struct point *point)
{
    if (slice_equal(point->metric->name, SLICE(DERIVED_DURATION)))
        *(uint64_t *)arg += point->histogram->count;
}

TEST(open_points_can_be_read)
{
    struct kit kit = kit_open();
    struct component_info *infos;
    uint32_t count = 0;
    uint64_t open = 0, flushes;
    struct arena arena;

    arena_init(&arena, NULL, SIZE_MAX);
    kit_take_all(&kit, one_request(&kit, 1));
    kit_take_all(&kit, one_request(&kit, 2));
    infos = registry_components(kit.registry, &(struct scope_filter){0},
                                &viewer_all, &arena, &count);
    if (CHECK_EQ(count, 1)) {
        struct bitmap *set = bitmap_new(&arena, 1000);
        const struct slice errors = SLICE(DERIVED_ERRORS);
        struct series_query all = {.end_ns = UINT64_MAX, .resources = set};
        struct series_query later = all, named = all;

        later.start_ns = KIT_TIME + NS_PER_MIN;
        named.names = &errors;
        named.name_count = 1;
        CHECK(infos[0].derived_resource != RESOURCE_NONE);
        flushes = kit_store.open.visit(kit_store.open.source, &all, &arena,
                                       visit_count, &open);
        CHECK_EQ(open, 0);
        bitmap_add(set, infos[0].derived_resource);
        flushes = kit_store.open.visit(kit_store.open.source, &all, &arena,
                                       visit_count, &open);
        CHECK_EQ(open, 2);
        CHECK_EQ(flushes, 0);
        /* on time_ns: start < time <= end */
        kit_store.open.visit(kit_store.open.source, &later, &arena, visit_count,
                             &open);
        CHECK_EQ(open, 2);
        /* nor are points of other names copied */
        size_t before = arena_size(&arena);
        kit_store.open.visit(kit_store.open.source, &named, &arena, visit_count,
                             &open);
        CHECK_EQ(open, 2);
        CHECK_EQ(arena_size(&arena), before);
        kit_store.flush_due = true;
        kit_take_all(&kit, one_request(&kit, 3));
        open = 0;
        flushes = kit_store.open.visit(kit_store.open.source, &all, &arena,
                                       visit_count, &open);
        CHECK_EQ(open, 0);
        CHECK_EQ(flushes, 1);
    }
    arena_release(&arena);
    kit_close(&kit);
}

TEST(the_thread_takes_what_is_submitted_and_drains_at_the_end)
{
    struct kit kit = kit_open();
    struct sink sink = correlator_sink(kit.correlator);
    int done = 0;

    CHECK_EQ(correlator_start(kit.correlator), OK);
    for (uint32_t i = 1; i <= 100; i++) {
        struct batch *batch = one_request(&kit, i);

        batch->done = count_done;
        batch->done_arg = &done;
        sink.submit(sink.arg, batch);
    }
    sink.submit(sink.arg, kit_hour(&kit));
    kit_end(&kit);
    CHECK_EQ(done, 100);
    CHECK_EQ(kit_sum(DERIVED_DURATION, ""), 100);
}

struct reading {
    struct open_series open;
    struct bitmap *set;
    atomic_bool stop;
    uint64_t least;
};

/* What is seen never goes back behind a flush that was seen before. */
static void *read_open(void *arg)
{
    struct reading *reading = arg;
    struct arena arena;

    arena_init(&arena, NULL, SIZE_MAX);
    while (!reading->stop) {
        uint64_t count = 0, flushes;

        const struct series_query all = {.end_ns = UINT64_MAX,
                                         .resources = reading->set};

        flushes = reading->open.visit(reading->open.source, &all, &arena,
                                      visit_count, &count);
        if (flushes < reading->least)
            CHECK(flushes >= reading->least);
        reading->least = flushes;
        arena_reset(&arena);
    }
    arena_release(&arena);
    return NULL;
}

TEST(readers_and_the_thread_at_the_same_time)
{
    struct kit kit = kit_open();
    struct sink sink = correlator_sink(kit.correlator);
    struct reading reading = {.open = kit_store.open};
    struct arena arena;
    pthread_t thread;

    arena_init(&arena, NULL, SIZE_MAX);
    reading.set = bitmap_new(&arena, 1000);
    for (uint32_t id = 0; id < 1000; id++)
        bitmap_add(reading.set, id);
    kit_store.flush_due = true;
    CHECK_EQ(correlator_start(kit.correlator), OK);
    CHECK_EQ(pthread_create(&thread, NULL, read_open, &reading), 0);
    for (uint32_t i = 1; i <= 300; i++)
        sink.submit(sink.arg, one_request(&kit, i));
    reading.stop = true;
    pthread_join(thread, NULL);
    arena_release(&arena);
    sink.submit(sink.arg, kit_hour(&kit));
    kit_end(&kit);
    CHECK_EQ(kit_sum(DERIVED_DURATION, ""), 300);
    CHECK_EQ(kit_sum(DERIVED_RECORDS, "signal=traces"), 300);
}
