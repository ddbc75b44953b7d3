/* A full table: who gives way; ids and identities keep their meaning. */
#include "registry_flood_kit.h"
#include "stats.h"

/* In one request, so all at one time. Whatever it is that differs. */
TEST(a_flood_takes_no_identity_from_anybody)
{
    static const char *const keys[] = {"service.instance.id", "k8s.pod.uid",
                                       "host.name", "container.id"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct bed bed;
        uint32_t before, own, other, again;

        with(&bed, 65536, 65536);
        before = resolve(&bed, NS "=acme " PROJECT "=p " COMPONENT "=before");
        flood(&bed, NS "=acme " PROJECT "=p " COMPONENT "=flood", keys[i],
              70000, NOW);
        own = resolve(&bed, NS "=acme " PROJECT "=p " COMPONENT "=new");
        other = resolve(&bed, NS "=other " PROJECT "=q " COMPONENT "=c");
        CHECK(is(&bed, own, "1 acme/p/new/default"));
        CHECK(is(&bed, other, "1 other/q/c/default"));
        CHECK(!is_overflow(&bed, other));
        CHECK(is(&bed, before, "1 acme/p/before/default"));
        again = resolve(&bed, NS "=acme " PROJECT "=p " COMPONENT "=before");
        CHECK_EQ(again, before);

        /* What overflowed has a place ten minutes later. */
        own = resolve_at(&bed, NS "=acme " PROJECT "=p " COMPONENT "=new",
                         NOW + 11 * NS_PER_MIN);
        CHECK(!is_overflow(&bed, own));
        CHECK(is(&bed, own, "1 acme/p/new/default"));
        restart(&bed);
        CHECK(is(&bed, own, "1 acme/p/new/default"));
        CHECK(is(&bed, other, "1 other/q/c/default"));
        CHECK(is(&bed, before, "1 acme/p/before/default"));
        CHECK_EQ(
            selected(&bed, (struct scope_filter){.namespace = SLICE("other")}),
            1);
        bed_release(&bed);
    }
}

/* Senders that are not stamped: pods of their own, services inferred. */
TEST(a_flood_without_stamps)
{
    static const char *const floods[] = {"service.name=flood k8s.pod.uid",
                                         "service.name=flood host.id",
                                         "k8s.pod.uid", "service.name"};

    for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
        struct bed bed;

        with(&bed, 16384, 16384);
        flood(&bed, "x=y", floods[i], 40000, NOW);
        CHECK(is(&bed, resolve(&bed, CART), "1 acme/shop/cart/dev"));
        CHECK(is(&bed, resolve(&bed, PROJECT "=shop " COMPONENT "=c"),
                 "1 default/shop/c/default"));
        if (i < 3)
            CHECK(is(&bed, resolve(&bed, "service.name=new"),
                     "4 default/default/new/default"));
        CHECK(is(&bed,
                 resolve(&bed, "service.name=n k8s.pod.uid=q " NS "=acme"),
                 "4 acme/default/n/default"));
        restart(&bed);
        CHECK(is(&bed, resolve(&bed, CART), "1 acme/shop/cart/dev"));
        bed_release(&bed);
    }
}

TEST(rollouts_for_66_days)
{
    enum { DAYS = 66, PODS = 1000 };
    struct bed bed;
    char text[240];
    uint32_t first = 0, id = 0;
    uint64_t overflows;

    with(&bed, 65536, 65536);
    overflows = stats_get(STATS_RESOURCES_OVERFLOW);
    for (int day = 0; day < DAYS; day++)
        for (int pod = 0; pod < PODS; pod++) {
            const char *inferred = pod % 2 ? "service.name=s " : "";

            snprintf(text, sizeof(text), "%sk8s.pod.uid=%d-%d %s%d", inferred,
                     day, pod,
                     pod % 2 ? "x=" : NS "=acme " PROJECT "=p " COMPONENT "=c",
                     pod % 50);
            id = resolve_at(&bed, text, NOW + (uint64_t)day * NS_PER_DAY);
            if (day == 0 && pod == 0)
                first = id;
            arena_reset(&bed.arena);
        }
    CHECK(is(&bed, id, "4 default/default/s/default"));
    CHECK(is(&bed, first, "1 acme/p/c0/default"));
    CHECK(!is_overflow(&bed, id));
    CHECK_EQ(stats_get(STATS_RESOURCES_OVERFLOW), overflows);
    CHECK_EQ(selected(&bed, (struct scope_filter){.namespace = SLICE("acme")}),
             DAYS * PODS / 2);
    CHECK(stats_get(STATS_RESOURCES) <= 65536);
    restart(&bed);
    CHECK(is(&bed, id, "4 default/default/s/default"));
    CHECK(is(&bed, first, "1 acme/p/c0/default"));
    CHECK_EQ(selected(&bed, (struct scope_filter){.namespace = SLICE("acme")}),
             DAYS * PODS / 2);
    bed_release(&bed);
}

TEST(a_thousand_namespaces)
{
    enum { SPACES = 1000, PODS = 30 };
    struct bed bed;
    char text[160], want[80];
    uint32_t id;
    int wrong = 0;

    with(&bed, 16384, 16384); /* fewer than pods */
    for (int pod = 0; pod < PODS; pod++)
        for (int space = 0; space < SPACES; space++) {
            snprintf(text, sizeof(text),
                     NS "=n%d " PROJECT "=p " COMPONENT "=c k8s.pod.uid=%d-%d",
                     space, space, pod);
            id = resolve_at(&bed, text, NOW + (uint64_t)pod * NS_PER_S);
            snprintf(want, sizeof(want), "1 n%d/p/c/default", space);
            wrong += strcmp(who(&bed, id), want) != 0;
            arena_reset(&bed.arena);
        }
    CHECK_EQ(wrong, 0);
    /* All are small, so nobody is taken from; an hour of silence is enough. */
    id = resolve_at(&bed, NS "=last " PROJECT "=p " COMPONENT "=c",
                    NOW + 2 * NS_PER_MIN);
    CHECK(is(&bed, id, "1 last/p/c/default"));
    CHECK(is_overflow(&bed, id));
    id = resolve_at(&bed, NS "=last " PROJECT "=p " COMPONENT "=c",
                    NOW + 2 * NS_PER_HOUR);
    CHECK(!is_overflow(&bed, id));
    bed_release(&bed);
}

/* Who holds most gives, the longest unseen first; and may not take it back. */
TEST(a_small_namespace_keeps_its_places)
{
    struct bed bed;
    char text[120];
    uint32_t ids[40];

    with(&bed, 1024, 1024);
    for (int i = 0; i < 40; i++) {
        snprintf(text, sizeof(text), NS "=small " COMPONENT "=c x=%d", i);
        ids[i] = resolve(&bed, text);
    }
    for (int round = 0; round < 20; round++) {
        uint64_t now = NOW + (uint64_t)round * NS_PER_MIN;

        snprintf(text, sizeof(text), NS "=large " COMPONENT "=c y=%d", round);
        flood(&bed, text, "x", 3000, now);
        snprintf(text, sizeof(text), NS "=new%d " COMPONENT "=c", round);
        CHECK(!is_overflow(&bed, resolve_at(&bed, text, now)));
        for (int i = 0; i < 40; i++) {
            snprintf(text, sizeof(text), NS "=small " COMPONENT "=c x=%d", i);
            CHECK_EQ(resolve_at(&bed, text, now), ids[i]);
        }
    }
    CHECK(stats_get(STATS_RESOURCES) <= 1024);
    bed_release(&bed);
}

/* Ids cannot be taken back, so a namespace that uses up its part has no more
 * resources of its own, and all others still have. */
TEST(ids_are_shared_too)
{
    struct bed bed;
    char text[120];
    uint32_t id = 0;

    with(&bed, 64, 64);
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof(text), NS "=greedy " COMPONENT "=c x=%d", i);
        id = resolve_at(&bed, text, NOW + (uint64_t)i * NS_PER_HOUR);
        arena_reset(&bed.arena);
    }
    CHECK(is_overflow(&bed, id));
    CHECK(is(&bed, id, "1 greedy/default/c/default"));
    CHECK(bed.store->resources <= 64 * 8);
    id = resolve_at(&bed, NS "=calm " COMPONENT "=c", NOW + 5000 * NS_PER_HOUR);
    CHECK(!is_overflow(&bed, id));
    CHECK(is(&bed, id, "1 calm/default/c/default"));

    /* When what is stored is gone, all have room again. */
    bed.store->oldest_ns = NOW + 5100 * NS_PER_HOUR;
    id = resolve_at(&bed, NS "=greedy " COMPONENT "=c x=5000",
                    NOW + 5100 * NS_PER_HOUR);
    CHECK(!is_overflow(&bed, id));
    bed_release(&bed);
}

/* Against a simple model: an id keeps its meaning as long as stored data may
 * refer to it, over evictions and restarts. */
TEST(ids_keep_their_identity)
{
    enum { STEPS = 4000, SPACES = 5, MAX_ID = 64 * 8 + 256 };
    struct bed bed;
    char text[160], want[80];
    static char meaning[MAX_ID][80];
    uint64_t now = NOW;

    memset(meaning, 0, sizeof(meaning));
    with(&bed, 64, 128);
    for (int step = 0; step < STEPS; step++) {
        uint32_t space = test_random(SPACES), component = test_random(3);
        uint32_t id;

        now += test_random(8) ? test_random(30) * NS_PER_S
                              : test_random(90) * NS_PER_MIN;
        snprintf(text, sizeof(text),
                 NS "=n%u " PROJECT "=p " COMPONENT "=c%u k8s.pod.uid=%u",
                 space, component, test_random(space == 0 ? 1000 : 20));
        id = resolve_at(&bed, text, now);
        snprintf(want, sizeof(want), "1 n%u/p/c%u/default", space, component);
        if (!CHECK(id < MAX_ID) || !CHECK(is(&bed, id, want)))
            break;
        if (meaning[id][0])
            CHECK(strcmp(meaning[id], want) == 0);
        snprintf(meaning[id], sizeof(meaning[id]), "%s", want);
        if (test_random(50) == 0)
            restart(&bed);
        if (step % 100 == 0)
            for (uint32_t i = 0; i < MAX_ID; i++)
                if (meaning[i][0] && !CHECK(is(&bed, i, meaning[i])))
                    goto out;
        CHECK(stats_get(STATS_RESOURCES) <= 64);
        arena_reset(&bed.arena);
    }
out:
    bed_release(&bed);
}

/* A retention later the numbers of all that is gone are free. */
TEST(identities_come_back_too)
{
    struct bed bed;
    uint32_t id, callee, caller;
    uint64_t later = NOW + 40 * NS_PER_DAY;

    with(&bed, 1000, 64);
    options.forget_ns = 31 * NS_PER_DAY;
    restart(&bed);
    caller = identity_of(&bed, resolve(&bed, NS "=acme " COMPONENT "=caller"));
    callee = identity_of(&bed, resolve(&bed, NS "=acme " COMPONENT "=callee"));
    flood(&bed, NS "=acme", COMPONENT, 100, NOW);
    id = resolve(&bed, NS "=acme " COMPONENT "=new");
    CHECK(is(&bed, id, "5 acme///default"));

    /* Who is called is kept, though it sends nothing. */
    resolve_at(&bed, NS "=acme " COMPONENT "=caller", later);
    CHECK_EQ(registry_find_host(bed.registry, caller, SLICE("callee")), callee);
    for (int i = 0; i < 40; i++) {
        char text[80], want[80];

        snprintf(text, sizeof(text), NS "=acme " COMPONENT "=later%d", i);
        snprintf(want, sizeof(want), "1 acme/default/later%d/default", i);
        CHECK(is(&bed, resolve_at(&bed, text, later + NS_PER_MIN), want));
    }
    restart(&bed);

    struct identity identity;

    CHECK(is(&bed, resolve(&bed, NS "=acme " COMPONENT "=later39"),
             "1 acme/default/later39/default"));
    CHECK(is(&bed, resolve(&bed, NS "=acme " COMPONENT "=last"),
             "1 acme/default/last/default"));
    CHECK_EQ(selected(&bed, (struct scope_filter){0}), 42);

    CHECK(registry_identity(bed.registry, callee, &bed.arena, &identity));
    CHECK(slice_equal(identity.component, SLICE("callee")));
    CHECK(registry_identity(bed.registry, caller, &bed.arena, &identity));
    CHECK(slice_equal(identity.component, SLICE("caller")));
    bed_release(&bed);
}
