/* The limit of a namespace and of the table: what overflows, how it is counted,
 * and what is learned of it later. */
#include "buf.h"
#include "registry_flood_kit.h"
#include "tenants.h"

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
