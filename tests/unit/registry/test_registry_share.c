/* A full table: who gives way, and what is known of those that did. */
#include "buf.h"
#include "registry_kit.h"
#include "stats.h"
#include "tenants.h"

static uint32_t resolve_at(struct bed *bed, const char *text, uint64_t time_ns)
{
    struct resource resource = {.attrs = attrs_of(bed, text),
                                .id = RESOURCE_NONE};

    registry_resolve(bed->registry, &resource, time_ns);
    return resource.id;
}

static bool is_overflow(const struct bed *bed, uint32_t id)
{
    return slice_equal(attr_key(&bed->store->resource[id].attrs.at[0]),
                       SLICE("callboard.overflow"));
}

static void with(struct bed *bed, uint32_t resources, uint32_t identities)
{
    options = (struct registry_options){.max_resources = resources,
                                        .max_identities = identities};
    bed_init(bed);
}

static void flood(struct bed *bed, const char *stamp, const char *key,
                  int count, uint64_t time_ns)
{
    char text[200];

    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof(text), "%s %s=%d", stamp, key, i);
        resolve_at(bed, text, time_ns);
        if (i % 1000 == 999)
            arena_reset(&bed->arena);
    }
}

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

/* The limit `resources` of a namespace: what is above it overflows, nobody
 * gives way, and it is counted. */
TEST(a_namespace_at_its_limit_overflows_and_is_counted)
{
    struct tenants *tenants = tenants_new();
    struct bed bed;
    struct buf out;
    char why[200];
    uint32_t more, other;

    CHECK_EQ(tenants_set_limits(tenants,
                                SLICE("namespaces: {acme: {resources: 5}}"),
                                why, sizeof(why)),
             OK);
    options = (struct registry_options){
        .max_resources = 1000, .max_identities = 1000, .tenants = tenants};
    bed_init(&bed);
    other = resolve(&bed, NS "=other " PROJECT "=q " COMPONENT "=c");
    flood(&bed, NS "=acme " PROJECT "=p " COMPONENT "=c", "k8s.pod.uid", 8,
          NOW);
    more = resolve(&bed, NS "=acme " PROJECT "=p " COMPONENT "=d x=y");
    CHECK(is_overflow(&bed, more));
    CHECK(is(&bed, more, "1 acme/p/d/default"));
    CHECK(!is_overflow(&bed, other));
    CHECK_EQ(resolve(&bed, NS "=other " PROJECT "=q " COMPONENT "=c"), other);
    CHECK_EQ(registry_live_resources(bed.registry, SLICE("acme")), 5);
    buf_init(&out, 1 << 16);
    registry_print_metrics(bed.registry, &out);
    buf_byte(&out, '\0');
    CHECK(
        strstr(out.ptr, "callboard_tenant_resources{namespace=\"acme\"} 5\n"));
    CHECK(
        strstr(out.ptr, "callboard_tenant_resources{namespace=\"other\"} 1\n"));
    CHECK(strstr(out.ptr, "callboard_tenant_resources_overflow_total{"
                          "namespace=\"acme\"} 4\n"));
    CHECK(strstr(out.ptr, "callboard_tenant_resources_overflow_total{"
                          "namespace=\"other\"} 0\n"));
    buf_release(&out);

    /* A limit that is raised counts at once. */
    CHECK_EQ(tenants_set_limits(tenants,
                                SLICE("namespaces: {acme: {resources: 50}}"),
                                why, sizeof(why)),
             OK);
    more = resolve(&bed, NS "=acme " PROJECT "=p " COMPONENT "=e x=y");
    CHECK(!is_overflow(&bed, more));
    bed_release(&bed);
    options.tenants = NULL;
    tenants_free(tenants);
}

/* Above 200 namespaces the rest are one row. */
TEST(metrics_of_resources_have_a_row_for_those_that_hold_most)
{
    struct bed bed;
    struct buf out;
    char text[200];

    with(&bed, 65536, 65536);
    flood(&bed, NS "=most " PROJECT "=p " COMPONENT "=c", "k8s.pod.uid", 9,
          NOW);
    for (int i = 0; i < 249; i++) {
        snprintf(text, sizeof(text),
                 NS "=n%d " PROJECT "=p " COMPONENT "=c k8s.pod.uid=%d", i, i);
        resolve_at(&bed, text, NOW);
    }
    buf_init(&out, 1 << 20);
    registry_print_metrics(bed.registry, &out);
    buf_byte(&out, '\0');
    CHECK(
        strstr(out.ptr, "callboard_tenant_resources{namespace=\"most\"} 9\n"));
    CHECK(strstr(out.ptr,
                 "callboard_tenant_resources{namespace=\"{other}\"} 50\n"));
    buf_release(&out);
    bed_release(&bed);
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

TEST(namespaces_do_not_meet_in_the_overflow)
{
    struct bed bed;
    char text[120], want[80];
    int wrong = 0;

    with(&bed, 64, 64);
    for (int i = 0; i < 2000; i++) {
        uint32_t id;

        snprintf(text, sizeof(text), NS "=n%d service.name=s%d x=%d", i % 4,
                 i % 3, i);
        id = resolve(&bed, text);
        snprintf(want, sizeof(want), "4 n%d/default/s%d/default", i % 4, i % 3);
        wrong += strcmp(who(&bed, id), want) != 0;
    }
    CHECK_EQ(wrong, 0);

    /* More namespaces than there is room for: in none of them. */
    for (int i = 0; i < 2000; i++) {
        struct identity identity;
        uint32_t id;

        snprintf(text, sizeof(text), NS "=m%d service.name=s", i);
        id = resolve(&bed, text);
        CHECK(registry_resource_identity(bed.registry, id, &bed.arena,
                                         &identity));
        snprintf(want, sizeof(want), "m%d", i);
        if (!slice_equal(identity.namespace, slice_of(want)))
            CHECK(slice_equal(identity.namespace, SLICE("{other}")));
    }
    restart(&bed);
    CHECK(is(&bed, resolve(&bed, NS "=n1 service.name=s1 x=again"),
             "4 n1/default/s1/default"));
    bed_release(&bed);
}

TEST(what_overflowed_is_learned_later)
{
    for (int restarts = 0; restarts < 2; restarts++) {
        struct bed bed;
        uint32_t waiting, other, stamped, metrics;

        with(&bed, 64, 4096);
        flood(&bed, "service.name=flood", "x", 100, NOW);

        /* Its pod is stamped later: all that it sent moves. */
        waiting = resolve(&bed, "service.name=cart k8s.pod.uid=u1");
        other = resolve(&bed, "service.name=cart k8s.pod.uid=u9");
        CHECK(is_overflow(&bed, waiting));
        CHECK(is(&bed, waiting, "4 default/default/cart/default"));
        if (restarts)
            restart(&bed);
        stamped = resolve(&bed, CART " k8s.pod.uid=u1");
        CHECK(is(&bed, stamped, "1 acme/shop/cart/dev"));
        CHECK(is(&bed, waiting, "3 acme/shop/cart/dev"));
        CHECK(is(&bed, other, "4 default/default/cart/default"));

        /* Stamped without a place teaches, too. */
        flood(&bed, NS "=acme " COMPONENT "=flood", "y", 100, NOW);
        stamped = resolve(&bed, CART " k8s.pod.uid=u2 z=1");
        CHECK(is_overflow(&bed, stamped));
        metrics = resolve(&bed, "k8s.pod.uid=u2");
        CHECK(is(&bed, metrics, "1 acme/shop/cart/dev")); /* of the overflow */
        restart(&bed);
        CHECK(is(&bed, waiting, "3 acme/shop/cart/dev"));
        CHECK(is(&bed, stamped, "1 acme/shop/cart/dev"));
        bed_release(&bed);
    }
}

/* One that waited longer than it kept its place. */
TEST(what_was_evicted_is_learned_later)
{
    struct bed bed;
    uint32_t waiting;

    with(&bed, 64, 4096);
    waiting = resolve(&bed, "service.name=cart k8s.pod.uid=u1");
    resolve_at(&bed, "k8s.pod.uid=u1", NOW + 20 * NS_PER_MIN);
    flood(&bed, "service.name=f", "x", 100, NOW + 20 * NS_PER_MIN);
    CHECK(resolve_at(&bed, "service.name=cart k8s.pod.uid=u1",
                     NOW + 20 * NS_PER_MIN) != waiting);
    resolve_at(&bed, CART " k8s.pod.uid=u1", NOW + 21 * NS_PER_MIN);
    CHECK(is(&bed, waiting, "3 acme/shop/cart/dev"));
    CHECK_EQ(selected(&bed, (struct scope_filter){.component = SLICE("cart")}),
             4);
    restart(&bed);
    CHECK(is(&bed, waiting, "3 acme/shop/cart/dev"));
    bed_release(&bed);
}

/* Without room for its identity it is unassigned until there is some. */
TEST(an_identity_that_did_not_fit_comes_later)
{
    struct bed bed;
    struct registry_options keep;
    uint32_t id;

    with(&bed, 1000, 16);
    flood(&bed, NS "=acme", COMPONENT, 40, NOW);
    id = resolve(&bed, NS "=acme " COMPONENT "=late");
    CHECK(is(&bed, id, "5 acme///default"));
    keep = options;
    options.max_identities = 1000;
    restart(&bed);
    CHECK_EQ(resolve(&bed, NS "=acme " COMPONENT "=late"), id);
    CHECK(is(&bed, id, "1 acme/default/late/default"));
    restart(&bed);
    CHECK(is(&bed, id, "1 acme/default/late/default"));
    options = keep;
    bed_release(&bed);
}

TEST(workflow_runs_are_found_when_evicted)
{
    struct bed bed;
    struct scope_filter filter = {.namespace = SLICE("acme"),
                                  .workflow_run = SLICE("build-1")};

    with(&bed, 64, 64);
    resolve(&bed, "k8s.namespace.name=workflows-acme k8s.pod.name=build-1-x");
    for (int i = 0; i < 4; i++)
        flood(&bed, NS "=acme " COMPONENT "=c", "x", 200,
              NOW + (uint64_t)(i + 1) * NS_PER_HOUR * 2);
    CHECK_EQ(selected(&bed, filter), 1);
    restart(&bed);
    CHECK_EQ(selected(&bed, filter), 1);
    filter.workflow_run = SLICE("build-2");
    CHECK_EQ(selected(&bed, filter), 0);
    bed_release(&bed);
}

TEST(health_says_that_the_table_is_full)
{
    struct bed bed;
    struct buf note;

    with(&bed, 64, 64);
    buf_init(&note, 1024);
    CHECK(!registry_note(bed.registry, &note));
    flood(&bed, NS "=acme " COMPONENT "=c", "x", 100, clock_wall_ns());
    CHECK(registry_note(bed.registry, &note));
    buf_byte(&note, '\0');
    CHECK(strstr(note.ptr, "namespace acme holds 60, 40 more"));
    buf_release(&note);
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

/* ---- whose pods they are ---- */

#define EVIL NS "=evil " PROJECT "=x " COMPONENT "=spy"

TEST(nobody_claims_the_pod_of_another_namespace)
{
    static const char *const pods[] = {
        "k8s.pod.uid=u1", "k8s.namespace.name=n k8s.pod.name=p",
        "container.id=c1",
        "k8s.pod.uid=u1 k8s.namespace.name=n k8s.pod.name=p container.id=c1"};

    for (size_t i = 0; i < sizeof(pods) / sizeof(pods[0]); i++) {
        struct bed bed;
        char text[300], record[300];
        uint32_t metrics, id, own;
        uint64_t conflicts = stats_get(STATS_IDENTITY_CONFLICTS);

        bed_init(&bed);
        metrics = resolve(&bed, pods[i]);
        snprintf(text, sizeof(text), CART " %s", pods[i]);
        id = resolve(&bed, text);
        CHECK(is(&bed, metrics, "3 acme/shop/cart/dev"));

        snprintf(text, sizeof(text), EVIL " %s", pods[i]);
        own = resolve(&bed, text);
        CHECK(is(&bed, own, "1 evil/x/spy/default"));
        CHECK(is(&bed, metrics, "3 acme/shop/cart/dev"));
        CHECK(is(&bed, id, "1 acme/shop/cart/dev"));
        CHECK_EQ(stats_get(STATS_IDENTITY_CONFLICTS), conflicts + 1);

        /* What comes without a namespace is the first one's. */
        snprintf(record, sizeof(record), "x=later %s", pods[i]);
        CHECK(resolves(&bed, record, "3 acme/shop/cart/dev"));
        /* What names its own is not another's. */
        snprintf(record, sizeof(record), NS "=evil %s", pods[i]);
        CHECK(resolves(&bed, record, "3 evil/x/spy/default"));
        snprintf(record, sizeof(record), NS "=third service.name=s %s",
                 pods[i]);
        CHECK(resolves(&bed, record, "4 third/default/s/default"));

        /* Labels on records claim nothing, either. */
        own = resolve_record(&bed, "service.name=agent", text);
        CHECK(is(&bed, own, "2 evil/x/spy/default"));
        CHECK(is(&bed, metrics, "3 acme/shop/cart/dev"));
        restart(&bed);
        snprintf(record, sizeof(record), "x=restarted %s", pods[i]);
        CHECK(resolves(&bed, record, "3 acme/shop/cart/dev"));
        CHECK(is(&bed, metrics, "3 acme/shop/cart/dev"));
        bed_release(&bed);
    }
}

/* The resource that stamped the pod gave up its place; what learned from it
 * did not. */
TEST(a_pod_stays_learned_without_who_taught_it)
{
    struct bed bed;
    uint32_t metrics, stamped;

    with(&bed, 64, 256);
    stamped = resolve(&bed, CART " k8s.pod.uid=u1");
    metrics = resolve_at(&bed, "k8s.pod.uid=u1", NOW + 2 * NS_PER_HOUR);
    for (int i = 0; i < 6; i++)
        resolve_at(&bed, i % 2 ? "k8s.pod.uid=u1 b=1" : "k8s.pod.uid=u1 b=2",
                   NOW + 2 * NS_PER_HOUR);
    flood(&bed, NS "=other " COMPONENT "=c", "x", 100, NOW + 2 * NS_PER_HOUR);
    for (int round = 0; round < 3; round++) {
        char evil[120], fresh[80];

        CHECK(is(&bed, stamped, "1 acme/shop/cart/dev"));
        CHECK(is(&bed, metrics, "3 acme/shop/cart/dev"));
        snprintf(evil, sizeof(evil), EVIL " k8s.pod.uid=u1 x=%d", round);
        snprintf(fresh, sizeof(fresh), "k8s.pod.uid=u1 y=%d", round);
        resolve(&bed, evil);
        CHECK(is(&bed, metrics, "3 acme/shop/cart/dev"));
        CHECK(is(&bed, stamped, "1 acme/shop/cart/dev"));
        CHECK(strcmp(who(&bed, resolve(&bed, fresh)) + 2,
                     "acme/shop/cart/dev") == 0);
        restart(&bed);
    }
    bed_release(&bed);
}

TEST(a_claim_does_not_move_who_names_another_namespace)
{
    struct bed bed;
    uint32_t named, bare;

    bed_init(&bed);
    named = resolve(&bed, NS "=acme service.name=cart k8s.pod.uid=u1");
    bare = resolve(&bed, "service.name=cart k8s.pod.uid=u1");
    CHECK(is(&bed, named, "4 acme/default/cart/default"));
    resolve(&bed, EVIL " k8s.pod.uid=u1");
    CHECK(is(&bed, named, "4 acme/default/cart/default"));
    CHECK(is(&bed, bare, "3 evil/x/spy/default"));
    restart(&bed);
    CHECK(is(&bed, named, "4 acme/default/cart/default"));
    CHECK(is(&bed, bare, "3 evil/x/spy/default"));
    bed_release(&bed);
}

/* Records are the weaker rule, but the first. */
TEST(a_stamp_of_another_namespace_is_not_stronger)
{
    struct bed bed;
    uint32_t metrics;

    bed_init(&bed);
    metrics = resolve(&bed, "k8s.pod.uid=u1");
    resolve_record(&bed, "service.name=fluent", CART " k8s.pod.uid=u1");
    CHECK(is(&bed, metrics, "3 acme/shop/cart/dev"));
    resolve(&bed, EVIL " k8s.pod.uid=u1");
    CHECK(is(&bed, metrics, "3 acme/shop/cart/dev"));
    /* Of the same namespace it is. */
    resolve(&bed, NS "=acme " PROJECT "=shop " COMPONENT "=pay k8s.pod.uid=u1");
    CHECK(is(&bed, metrics, "3 acme/shop/pay/default"));
    bed_release(&bed);
}

TEST(a_link_does_not_join_pods_of_two_namespaces)
{
    struct bed bed;
    uint32_t a, b;

    bed_init(&bed);
    resolve(&bed, CART " k8s.pod.uid=u1");
    resolve(&bed, EVIL " k8s.namespace.name=n k8s.pod.name=p");
    a = resolve(&bed, "k8s.pod.uid=u1 x=a");
    b = resolve(&bed, "k8s.namespace.name=n k8s.pod.name=p x=b");
    resolve(&bed, "k8s.pod.uid=u1 k8s.namespace.name=n k8s.pod.name=p");
    CHECK(is(&bed, a, "3 acme/shop/cart/dev"));
    CHECK(is(&bed, b, "3 evil/x/spy/default"));
    CHECK(resolves(&bed, "k8s.pod.uid=u1 x=c", "3 acme/shop/cart/dev"));
    CHECK(resolves(&bed, "k8s.namespace.name=n k8s.pod.name=p x=d",
                   "3 evil/x/spy/default"));
    bed_release(&bed);
}

TEST(a_uid_is_no_proof_for_another_namespace)
{
    struct bed bed;

    bed_init(&bed);
    resolve(&bed, CART " openchoreo.dev/component-uid=cu");
    CHECK(resolves(&bed, "openchoreo.dev/component-uid=cu " ENVIRONMENT "=dev",
                   "1 acme/shop/cart/dev"));
    CHECK(resolves(
        &bed, NS "=evil openchoreo.dev/component-uid=cu " ENVIRONMENT "=dev",
        "1 evil/default/cu/dev"));
    bed_release(&bed);
}

TEST(a_host_is_looked_for_in_the_own_namespace_first)
{
    struct bed bed;
    uint32_t from, cart, evil, third, found;

    bed_init(&bed);
    cart = identity_of(&bed, resolve(&bed, CART " k8s.namespace.name=dp"));
    from =
        identity_of(&bed, resolve(&bed, NS "=acme " PROJECT "=shop " COMPONENT
                                           "=web " ENVIRONMENT "=dev"));
    third = identity_of(
        &bed, resolve(&bed, NS "=third " PROJECT "=t " COMPONENT "=t"));
    found = registry_find_host(bed.registry, third, SLICE("cart.dp.svc"));
    CHECK_EQ(found, cart);
    evil =
        identity_of(&bed, resolve(&bed, NS "=evil " PROJECT "=shop " COMPONENT
                                           "=cart " ENVIRONMENT
                                           "=dev k8s.namespace.name=dp"));
    CHECK(evil != cart);
    CHECK_EQ(registry_find_host(bed.registry, from, SLICE("cart.dp.svc")),
             cart);
    CHECK_EQ(registry_find_host(bed.registry, from, SLICE("cart")), cart);
    CHECK_EQ(registry_find_host(bed.registry, evil, SLICE("cart.dp.svc")),
             evil);
    /* For others it is not clear which of them is meant. */
    CHECK_EQ(registry_find_host(bed.registry, third, SLICE("cart.dp.svc")),
             IDENTITY_NONE);
    bed_release(&bed);
}
