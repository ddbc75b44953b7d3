/*
 * What senders and collectors learn from each other: docs/correlation.md,
 * Tenants, the second table row by row.
 */
#include "registry_writers_kit.h"

#include <string.h>

#include "stats.h"

static const char *const pods[] = {
    "k8s.pod.uid=u1", "k8s.namespace.name=n k8s.pod.name=p", "container.id=c1",
    "k8s.pod.uid=u1 k8s.namespace.name=n k8s.pod.name=p container.id=c1"};

enum { PODS = sizeof(pods) / sizeof(pods[0]) };

TEST(pods_of_two_tenants)
{
    for (int late = 0; late <= 1; late++)
        for (size_t i = 0; i < PODS; i++) {
            struct bed bed;
            char stamped[200];
            uint32_t mine = 0, theirs = 0;

            bed_init(&bed);
            snprintf(stamped, sizeof(stamped), PROJECT "=p " COMPONENT "=c %s",
                     pods[i]);
            for (int pass = 0; pass <= 1; pass++) {
                if (pass == late) {
                    as_acme(&bed);
                    mine = resolve(&bed, pods[i]);
                    as_evil(&bed);
                    theirs = resolve(&bed, pods[i]);
                    CHECK(mine != theirs);
                } else {
                    as_acme(&bed);
                    resolve(&bed, stamped);
                }
            }
            for (int again = 0; again <= 1; again++) {
                CHECK(is(&bed, mine, "3 acme/p/c/default"));
                CHECK(is(&bed, theirs, "5 evil///default"));
                as_collector(&bed);
                CHECK(is(&bed, resolve(&bed, pods[i]), "5 default///default"));
                as_evil(&bed);
                CHECK_EQ(resolve(&bed, pods[i]), theirs);
                as_acme(&bed);
                CHECK_EQ(resolve(&bed, pods[i]), mine);
                restart(&bed);
            }
            as_evil(&bed);
            snprintf(stamped, sizeof(stamped), COMPONENT "=spy %s", pods[i]);
            resolve(&bed, stamped);
            CHECK(is(&bed, mine, "3 acme/p/c/default"));
            CHECK(is(&bed, theirs, "3 evil/default/spy/default"));
            leave(&bed);
        }
}

/* A tenant's stamp on a pod of a collector is counted and not followed; what a
 * collector says of a tenant's pods holds for what the tenant sends. */
TEST(pods_of_collectors_and_tenants)
{
    for (size_t i = 0; i < PODS; i++) {
        uint64_t conflicts = stats_get(STATS_IDENTITY_CONFLICTS);
        uint32_t collected, early, own, foreign;
        struct bed bed;
        char text[200];

        bed_init(&bed);
        as_acme(&bed);
        early = resolve(&bed, pods[i]);
        CHECK(is(&bed, early, "5 acme///default"));
        as_collector(&bed);
        collected = resolve(&bed, pods[i]);
        snprintf(text, sizeof(text), CART " %s", pods[i]);
        resolve(&bed, text);
        CHECK(is(&bed, collected, "3 acme/shop/cart/dev"));
        CHECK(is(&bed, early, "3 acme/shop/cart/dev"));
        as_acme(&bed);
        snprintf(text, sizeof(text), "x=later %s", pods[i]);
        own = resolve(&bed, text);
        CHECK(is(&bed, own, "3 acme/shop/cart/dev"));
        CHECK_EQ(stats_get(STATS_IDENTITY_CONFLICTS), conflicts);

        as_evil(&bed);
        foreign = resolve(&bed, text);
        CHECK(is(&bed, foreign, "5 evil///default"));
        snprintf(text, sizeof(text), COMPONENT "=spy %s", pods[i]);
        resolve(&bed, text);
        CHECK_EQ(stats_get(STATS_IDENTITY_CONFLICTS), conflicts + 1);
        for (int again = 0; again <= 1; again++) {
            CHECK(is(&bed, collected, "3 acme/shop/cart/dev"));
            CHECK(is(&bed, early, "3 acme/shop/cart/dev"));
            CHECK(is(&bed, own, "3 acme/shop/cart/dev"));
            CHECK(is(&bed, foreign, "3 evil/default/spy/default"));
            restart(&bed);
        }
        leave(&bed);
    }
}

TEST(equal_attributes_are_two_resources)
{
    static const char text[] = PROJECT "=p " COMPONENT "=c a=1";
    uint32_t mine, theirs, record, other;
    struct bed bed;

    bed_init(&bed);
    as_acme(&bed);
    mine = resolve(&bed, text);
    record = resolve_record(&bed, "agent=1", COMPONENT "=r");
    as_evil(&bed);
    theirs = resolve(&bed, text);
    other = resolve_record(&bed, "agent=1", COMPONENT "=r");
    CHECK(mine != theirs && record != other);
    for (int again = 0; again <= 1; again++) {
        CHECK(is(&bed, mine, "1 acme/p/c/default"));
        CHECK(is(&bed, theirs, "1 evil/p/c/default"));
        CHECK(is(&bed, record, "2 acme/default/r/default"));
        CHECK(is(&bed, other, "2 evil/default/r/default"));
        as_acme(&bed);
        CHECK_EQ(resolve(&bed, text), mine);
        CHECK_EQ(resolve_record(&bed, "agent=1", COMPONENT "=r"), record);
        restart(&bed);
        as_evil(&bed);
        CHECK_EQ(resolve(&bed, text), theirs);
    }
    leave(&bed);
}

/* What is too large to be stored whole is keyed by its tenant after a restart,
 * too. */
TEST(large_resources_stay_their_tenants)
{
    static char large[20000];
    char stamped[200];
    uint32_t theirs;
    struct bed bed;

    bed_init(&bed);
    snprintf(large, sizeof(large), COMPONENT "=spy k8s.pod.uid=u1 x=%016385d",
             0);
    as_evil(&bed);
    theirs = resolve(&bed, large);
    restart(&bed);
    as_collector(&bed);
    CHECK(resolves(&bed, "k8s.pod.uid=u1", "5 default///default"));
    snprintf(stamped, sizeof(stamped), CART " k8s.pod.uid=u1");
    resolve(&bed, stamped);
    CHECK(resolves(&bed, "k8s.pod.uid=u1", "3 acme/shop/cart/dev"));
    CHECK(is(&bed, theirs, "1 evil/default/spy/default"));
    leave(&bed);
}

static uint32_t host(struct bed *bed, uint32_t from, const char *name)
{
    return registry_find_host(bed->registry, identity_of(bed, from),
                              slice_of(name));
}

TEST(hosts)
{
    static const char cart[] = PROJECT "=p " COMPONENT "=cart k8s.pod.ip="
                                       "10.0.0.1 k8s.namespace.name=n "
                                       "k8s.service.name=basket";
    static const char *const names[] = {"cart", "10.0.0.1", "basket",
                                        "basket.n.svc.cluster.local", "cart.n"};
    uint32_t mine, theirs, caller, stranger;
    struct bed bed;

    bed_init(&bed);
    as_acme(&bed);
    mine = resolve(&bed, cart);
    caller = resolve(&bed, PROJECT "=p " COMPONENT "=caller");
    as_evil(&bed);
    stranger = resolve(&bed, PROJECT "=p " COMPONENT "=caller");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        CHECK_EQ(host(&bed, caller, names[i]), identity_of(&bed, mine));
        CHECK_EQ(host(&bed, stranger, names[i]), IDENTITY_NONE);
    }
    as_evil(&bed);
    theirs = resolve(&bed, cart);
    for (int again = 0; again <= 1; again++) {
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            CHECK_EQ(host(&bed, caller, names[i]), identity_of(&bed, mine));
            CHECK_EQ(host(&bed, stranger, names[i]), identity_of(&bed, theirs));
        }
        restart(&bed);
    }
    /* A collector's is found from everywhere in the cluster. */
    as_collector(&bed);
    mine = resolve(&bed, NS "=beta " COMPONENT "=db k8s.namespace.name=data");
    CHECK_EQ(host(&bed, stranger, "db.data.svc"), identity_of(&bed, mine));
    CHECK_EQ(host(&bed, stranger, "db"), IDENTITY_NONE);
    leave(&bed);
}

/* A full table: records keep their tenant, and its overflow is its own. */
TEST(overflow_per_tenant)
{
    struct bed bed;
    char text[100];
    uint32_t mine = NOBODY, theirs = NOBODY;

    options.max_resources = 64;
    bed_init(&bed);
    for (int i = 0; i < 70; i++) {
        snprintf(text, sizeof(text), "k8s.pod.uid=u%d", i);
        as_collector(&bed);
        resolve(&bed, text);
    }
    for (int again = 0; again <= 1; again++) {
        for (int i = 0; i < 20; i++) {
            free_writers(&bed);
            snprintf(text, sizeof(text), "k8s.pod.uid=v%d", i);
            as_acme(&bed);
            mine = resolve(&bed, text);
            CHECK(is(&bed, mine, "5 acme///default"));
            as_evil(&bed);
            theirs = resolve(&bed, text);
            CHECK(is(&bed, theirs, "5 evil///default"));
        }
        CHECK(mine != theirs);
        /* Neither speaks for the other's pod. */
        as_acme(&bed);
        resolve(&bed, COMPONENT "=c k8s.pod.uid=v19");
        CHECK(is(&bed, mine, "3 acme/default/c/default"));
        CHECK(is(&bed, theirs, "5 evil///default"));
        restart(&bed);
        CHECK(is(&bed, mine, "3 acme/default/c/default"));
        CHECK(is(&bed, theirs, "5 evil///default"));
    }
    leave(&bed);
    options.max_resources = 1000;
}

TEST(fallback_per_tenant)
{
    struct bed bed;
    char text[100];

    options.max_identities = 40;
    bed_init(&bed);
    as_collector(&bed);
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), NS "=flood " COMPONENT "=c%d", i);
        resolve(&bed, text);
    }
    as_acme(&bed);
    for (int i = 0; i < 60; i++) {
        snprintf(text, sizeof(text), COMPONENT "=c%d", i);
        resolve(&bed, text);
    }
    CHECK(strstr(who(&bed, resolve(&bed, COMPONENT "=last")), " acme/"));
    leave(&bed);
    options.max_identities = 500;
}
