/* Whose pods, hosts and uids they are, when several namespaces name them. */
#include "registry_flood_kit.h"
#include "stats.h"

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
