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

/* A registry that forgets resources after an hour, when it needs their place.
 */
static struct kit open_small(uint32_t resources, uint32_t identities)
{
    struct registry_options options = {.max_resources = resources,
                                       .max_identities = identities,
                                       .forget_ns = NS_PER_HOUR};
    struct kit kit = {.catalog = catalog_new()};

    CHECK_EQ(registry_open(&kit.registry, &options, kit_the_store()), OK);
    CHECK_EQ(correlator_open(&kit.correlator, &kit_options, kit_the_store(),
                             kit.registry, kit.catalog),
             OK);
    return kit;
}

/* A log record of a new resource; its resource id. */
static uint32_t say_at(struct kit *kit, const char *resource, uint64_t after_ns)
{
    struct batch *batch = kit_batch(kit, SIGNAL_LOGS);
    uint32_t id;

    batch->received_ns += after_ns;
    kit_log(batch, resource, "hello", "")->time_ns += after_ns;
    kit_take(kit, batch);
    id = batch->logs[0].resource_id;
    batch_free(batch);
    return id;
}

TEST(a_resource_id_that_is_used_again_hides_no_change)
{
    struct kit kit;
    char text[160];

    kit_reset();
    kit = open_small(2, 100);
    say(&kit, new_pod("1.0", text), 0);
    say(&kit, new_pod("1.0", text), 1);
    /* 1 is the derived one */
    CHECK(say_at(&kit, new_pod("1.1", text), NS_PER_DAY) <= 2);
    check_event(0, "1.0", "1.1");
    CHECK(!kit_event(1));
    kit_close(&kit);
}

static uint32_t say_component(struct kit *kit, const char *name,
                              uint32_t number, const char *version,
                              uint64_t after_ns)
{
    char text[80];

    snprintf(text, sizeof(text), "service.name=%s%u,service.version=%s", name,
             number, version);
    return say_at(kit, text, after_ns);
}

/* The number of an identity is used again when its component is gone. */
TEST(a_component_has_no_versions_of_a_gone_one)
{
    enum { COMPONENTS = 60 };
    /* After a restart, resources were seen at the time of the start. */
    const uint64_t later_ns = 3650 * NS_PER_DAY;

    for (int restart = 0; restart < 2; restart++) {
        struct kit kit;
        bool reused = false;
        uint32_t id;

        kit_reset();
        kit = open_small(64, 1000);
        for (uint32_t i = 0; i < COMPONENTS; i++)
            say_component(&kit, "old", i, "1.0", 0);
        if (restart) {
            uint64_t lsn = kit.lsn;

            kit_close(&kit);
            kit_drop_batches();
            kit_store.watermark[STREAM_LOGS] = lsn;
            kit = open_small(64, 1000);
            kit.lsn = lsn + 1;
        }
        for (uint32_t day = 1; day < 5; day++)
            for (uint32_t i = 0; i < COMPONENTS; i++) {
                id = say_component(&kit, "new", day * 100 + i, "2.0",
                                   later_ns + day * NS_PER_DAY + i * NS_PER_S);
                reused |= registry_identity_id(kit.registry, id) < COMPONENTS;
            }
        CHECK(reused);
        CHECK(!kit_event(0));
        say_component(&kit, "new", 400, "2.1",
                      later_ns + 4 * NS_PER_DAY + NS_PER_HOUR);
        check_event(0, "2.0", "2.1");
        kit_close(&kit);
    }
}

/* So many new components, each with one log record. */
static void say_many(struct kit *kit, const char *name, const char *attr,
                     uint32_t count, uint64_t after_ns)
{
    enum { PER_BATCH = 500 };

    for (uint32_t i = 0; i < count; i += PER_BATCH) {
        struct batch *batch = kit_batch(kit, SIGNAL_LOGS);
        char text[80];

        batch->received_ns += after_ns;
        for (uint32_t j = 0; j < PER_BATCH; j++) {
            snprintf(text, sizeof(text), "service.name=%s%u,%s", name, i + j,
                     attr);
            kit_log(batch, text, "hello", "")->time_ns += after_ns;
        }
        kit_take_all(kit, batch);
    }
}

/* The detector has room for the versions of 8192 components. */
TEST(gone_components_give_their_room_back)
{
    enum { MANY = 10000 };
    struct kit kit;
    uint32_t reclaimed = 0;

    kit_reset();
    kit = open_small(MANY + MANY / 10, 3 * MANY);
    say_many(&kit, "old", "service.version=1", MANY, 0);
    say_component(&kit, "early", 0, "1", 0);
    say_component(&kit, "early", 0, "2", 0);
    CHECK(!kit_event(0)); /* no room */
    for (uint32_t day = 1; day < 4; day++)
        say_many(&kit, day % 2 ? "odd" : "even", "host.name=a", MANY,
                 day * NS_PER_DAY);
    for (uint32_t i = 0; i < 100; i++) {
        say_component(&kit, "late", i, "1", 4 * NS_PER_DAY);
        say_component(&kit, "late", i, "2", 4 * NS_PER_DAY);
    }
    while (kit_event(reclaimed))
        reclaimed++;
    CHECK_EQ(reclaimed, 100);
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
