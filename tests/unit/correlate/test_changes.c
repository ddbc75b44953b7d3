#include "change_detector.h"

#include "correlate_kit.h"

static uint32_t pods;

/* A pod nobody has seen before. */
static const char *new_pod(const char *version, char text[160])
{
    snprintf(text, 160,
             "service.name=cart,service.namespace=shop,host.name=p%u,"
             "service.version=%s",
             ++pods, version);
    return text;
}

static void serve(struct kit *kit, const char *pod)
{
    struct batch *batch = kit_batch(kit, SIGNAL_SPANS);

    kit_span(batch, pod, SPAN_SERVER, 1, 1, 0, "");
    kit_take_all(kit, batch);
}

static void say(struct kit *kit, const char *pod, uint64_t seconds)
{
    struct batch *batch = kit_batch(kit, SIGNAL_LOGS);

    kit_log(batch, pod, "hello", "")->time_ns += seconds * NS_PER_S;
    kit_take_all(kit, batch);
}

static void check_event(uint32_t number, const char *from, const char *to)
{
    const struct log_record *event = kit_event(number);
    char attrs[200];

    snprintf(attrs, sizeof(attrs),
             "change.kind=version,change.from=%s,"
             "change.to=%s",
             from, to);
    if (CHECK(event)) {
        CHECK(kit_has(&event->attrs, attrs));
        CHECK(event->is_event);
        CHECK(event->resource_id != RESOURCE_NONE);
    }
}

TEST(a_new_version_is_a_change_and_the_first_is_not)
{
    struct kit kit = kit_open();
    char text[160];

    say(&kit, new_pod("1.0", text), 0);
    say(&kit, new_pod("1.0", text), 1);
    CHECK(!kit_event(0));
    say(&kit, new_pod("1.1", text), 2);
    check_event(0, "1.0", "1.1");
    CHECK_TEXT(attr_text(&kit_event(0)->body),
               "version changed from 1.0 to 1.1");
    CHECK_EQ(kit_event(0)->time_ns, KIT_TIME + 3 * NS_PER_S);
    say(&kit, new_pod("1.1", text), 3);
    CHECK(!kit_event(1));
    kit_close(&kit);
}

TEST(a_rolling_update_is_one_change_and_going_back_another)
{
    struct kit kit = kit_open();
    char old1[160], old2[160], new1[160], new2[160], back[160];

    new_pod("1.0", old1);
    new_pod("1.0", old2);
    new_pod("1.1", new1);
    new_pod("1.1", new2);
    say(&kit, old1, 0);
    say(&kit, new1, 10);
    say(&kit, old2, 20); /* the old version is still about */
    say(&kit, old1, 30);
    say(&kit, new2, 40);
    check_event(0, "1.0", "1.1");
    CHECK(!kit_event(1));
    say(&kit, new1, 500);
    say(&kit, new_pod("1.0", back), 510);
    check_event(1, "1.1", "1.0");
    kit_close(&kit);
}

TEST(a_number_that_is_used_again_hides_no_change)
{
    struct kit kit = kit_open();
    struct registry_options few = {
        .max_resources = 2, .max_identities = 100, .forget_ns = NS_PER_HOUR};
    char text[160];
    struct batch *batch;

    kit_close(&kit);
    kit_reset();
    kit = (struct kit){.catalog = catalog_new()};
    CHECK_EQ(registry_open(&kit.registry, &few, kit_the_store()), OK);
    CHECK_EQ(correlator_open(&kit.correlator, &kit_options, kit_the_store(),
                             kit.registry, kit.catalog),
             OK);
    say(&kit, new_pod("1.0", text), 0);
    say(&kit, new_pod("1.0", text), 1);
    batch = kit_batch(&kit, SIGNAL_LOGS); /* a number again, a day later */
    batch->received_ns += NS_PER_DAY;
    kit_log(batch, new_pod("1.1", text), "hello", "")->time_ns += NS_PER_DAY;
    kit_take(&kit, batch);
    CHECK(batch->logs[0].resource_id <= 2); /* 1 is the derived one */
    batch_free(batch);
    check_event(0, "1.0", "1.1");
    CHECK(!kit_event(1));
    kit_close(&kit);
}

TEST(images_and_pod_templates)
{
    struct kit kit = kit_open();

    say(&kit, "service.name=a,k8s.pod.labels.pod-template-hash=aa", 0);
    say(&kit, "service.name=a,k8s.pod.label.pod-template-hash=bb", 1);
    say(&kit, "service.name=b,container.image.tag=1", 0);
    say(&kit, "service.name=b,container.image.tag=2", 1);
    if (CHECK(kit_event(0) && kit_event(1))) {
        CHECK(kit_has(&kit_event(0)->attrs, "change.kind=pod-template"));
        CHECK(kit_has(&kit_event(1)->attrs, "change.kind=image"));
    }
    CHECK(!kit_event(2));
    kit_close(&kit);
}

TEST(an_event_of_a_span_batch_is_a_batch_of_its_own)
{
    struct kit kit = kit_open();
    char text[160];

    serve(&kit, new_pod("1", text));
    serve(&kit, new_pod("2", text));
    check_event(0, "1", "2");
    CHECK_EQ(kit_store.count, 3);
    CHECK_EQ(kit_store.batches[2]->signal, SIGNAL_LOGS);
    CHECK_EQ(kit_store.batches[2]->lsn, 2);
    kit_close(&kit);
}

/* ---- restart: the store keeps resources and texts, and loses its heads ----
 */

TEST(known_pods_are_no_news_after_a_restart)
{
    struct kit kit = kit_open();
    char old[160], new[160];

    kit_store.keep = true;
    say(&kit, new_pod("1.0", old), 0);
    say(&kit, new_pod("1.1", new), 1);
    kit_close(&kit);
    kit_store.watermark[STREAM_LOGS] = kit_store.watermark[STREAM_DERIVED] =
        kit.lsn;
    kit_drop_batches();

    uint64_t lsn = kit.lsn;

    kit = kit_open_with(&kit_options);
    kit.lsn = lsn;
    say(&kit, old, 2);
    say(&kit, new, 3);
    CHECK(!kit_event(0));
    say(&kit, new_pod("1.2", new), 4);
    check_event(0, "1.1", "1.2");
    kit_close(&kit);
}

TEST(a_lost_event_comes_again_with_its_batch_and_a_kept_one_does_not)
{
    for (uint64_t committed = 0; committed <= 2; committed++) {
        struct kit kit = kit_open();
        char old[160], new[160];

        kit_store.keep = true;
        new_pod("1.0", old);
        new_pod("1.1", new);
        say(&kit, old, 0);
        say(&kit, new, 1);
        CHECK(kit_event(0));
        kit_kill(&kit);
        kit_drop_batches();
        kit_store.watermark[STREAM_LOGS] = committed;

        kit = kit_open_with(&kit_options);
        say(&kit, old, 0);
        say(&kit, new, 1);
        CHECK_EQ(kit_event(0) != NULL, committed < 2);
        CHECK(!kit_event(1));
        say(&kit, new, 2);
        CHECK(!kit_event(1));
        kit_close(&kit);
    }
}

TEST(the_same_for_events_of_span_batches)
{
    for (uint64_t i = 0; i < 6; i++) {
        struct kit kit = kit_open();
        uint64_t committed = i % 3; /* of logs */
        char old[160], new[160];

        kit_store.keep = true;
        new_pod("1.0", old);
        new_pod("1.1", new);
        serve(&kit, old);
        serve(&kit, new);
        CHECK(kit_event(0));
        kit_kill(&kit);
        kit_drop_batches();
        kit_store.watermark[STREAM_LOGS] = committed;
        kit_store.watermark[STREAM_SPANS] = 2;
        kit_store.watermark[STREAM_DERIVED] = 1 + i / 3;

        kit = kit_open_with(&kit_options);
        serve(&kit, old);
        serve(&kit, new);
        CHECK_EQ(kit_event(0) != NULL, committed < 2);
        CHECK(!kit_event(1));
        CHECK_EQ(kit_store.count, committed < 2);
        kit_close(&kit);
    }
}

/* The pod is known, its identity is found later: what it runs was no news. */
TEST(a_pod_that_gets_another_identity_makes_no_event)
{
    struct kit kit = kit_open();

    say(&kit, "service.name=cart,service.version=1,k8s.pod.uid=a,x=1", 0);
    say(&kit, "service.name=cart,service.version=2,k8s.pod.uid=b,x=1", 1);
    CHECK(!kit_event(0)); /* each pod for itself, until they are stamped */
    say(&kit, "k8s.pod.uid=a,openchoreo.dev/component=cart", 2);
    say(&kit, "k8s.pod.uid=b,openchoreo.dev/component=cart", 3);
    say(&kit, "service.name=cart,service.version=1,k8s.pod.uid=a,x=1", 4);
    say(&kit, "service.name=cart,service.version=2,k8s.pod.uid=b,x=1", 5);
    CHECK(!kit_event(0));
    kit_close(&kit);
}
