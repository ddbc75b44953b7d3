/*
 * Senders that write for one namespace, collectors that write for several, and
 * what they learn from each other: the two tables of docs/correlation.md,
 * Tenants, row by row.
 */
#include "registry_kit.h"

#include <string.h>

#include "stats.h"

#define ANY SLICE_INIT("")

static const struct writer_scope acme[] = {{.name = {SLICE_INIT("acme")}}};
static const struct writer_scope evil[] = {{.name = {SLICE_INIT("evil")}}};
static const struct writer_scope shop[] = {
    {.name = {SLICE_INIT("acme"), SLICE_INIT("shop"), ANY,
              SLICE_INIT("prod")}}};
static const struct writer_scope two[] = {
    {.name = {SLICE_INIT("acme")}},
    {.name = {SLICE_INIT("beta"), SLICE_INIT("shop")}}};

/* Kept until the end: a registry borrows its writer. */
static struct writer *writers[256];
static size_t writer_count;

static void sender(struct bed *bed, const char *tenant, bool override,
                   const struct writer_scope *scopes, size_t count)
{
    struct writer *writer =
        writer_new(slice_of(tenant), override, scopes, count);

    CHECK(writer && writer_count < sizeof(writers) / sizeof(*writers));
    writers[writer_count++] = writer;
    registry_set_writer(bed->registry, writer);
}

static void free_writers(struct bed *bed)
{
    registry_set_writer(bed->registry, NULL);
    while (writer_count > 0)
        writer_free(writers[--writer_count]);
}

static void leave(struct bed *bed)
{
    free_writers(bed);
    bed_release(bed);
}

static void as_acme(struct bed *bed)
{
    sender(bed, "acme", false, acme, 1);
}

static void as_evil(struct bed *bed)
{
    sender(bed, "evil", false, evil, 1);
}

static void as_collector(struct bed *bed)
{
    registry_set_writer(bed->registry, NULL);
}

/* Why it is refused; "": it is accepted. */
static struct slice refused(struct bed *bed, const char *text)
{
    static struct registry_refusal why;
    struct attrs attrs = attrs_of(bed, text);

    why.text[0] = '\0';
    if (registry_accepts(bed->registry, &attrs, &why))
        CHECK(why.text[0] == '\0');
    else
        CHECK(why.text[0] != '\0');
    return slice_of(why.text);
}

static bool record_accepted(struct bed *bed, const char *text)
{
    return resolve_record(bed, "agent=1", text) != RESOURCE_NONE;
}

/* ---- what is stamped ---- */

TEST(a_tenants_sender_stamps_nothing_the_same_or_another)
{
    struct bed bed;

    bed_init(&bed);
    as_acme(&bed);
    CHECK_TEXT(refused(&bed, "service.name=s"), "");
    CHECK(resolves(&bed, "service.name=s", "4 acme/default/s/default"));
    CHECK(resolves(&bed, "x=1", "5 acme///default"));
    CHECK(resolves(&bed, PROJECT "=p " COMPONENT "=c", "1 acme/p/c/default"));
    CHECK(resolves(&bed, CART, "1 acme/shop/cart/dev"));
    CHECK_TEXT(refused(&bed, CART), "");
    CHECK_TEXT(refused(&bed, NS "=evil " COMPONENT "=c"),
               "namespace evil is not that of this credential (acme)");
    leave(&bed);
}

TEST(every_spelling_is_compared)
{
    static const char *const keys[] = {
        "openchoreo.dev/namespace",
        "k8s.pod.labels.openchoreo.dev/namespace",
        "k8s.pod.label.openchoreo.dev/namespace",
        "k8s.object.label.openchoreo.dev/namespace",
        "kubernetes.labels.openchoreo_dev/namespace",
        "kubernetes.pod_labels.openchoreo.dev/namespace",
        "label_openchoreo_dev_namespace",
        "openchoreo_dev_namespace"};
    struct bed bed;
    char text[300];

    bed_init(&bed);
    as_acme(&bed);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        snprintf(text, sizeof(text), "%s=evil", keys[i]);
        CHECK_TEXT(refused(&bed, text),
                   "namespace evil is not that of this credential (acme)");
        CHECK(!record_accepted(&bed, text));
        /* Behind the right one, and before it. */
        snprintf(text, sizeof(text), NS "=acme %s=evil", keys[i]);
        CHECK(refused(&bed, text).len > 0);
        snprintf(text, sizeof(text), "%s=evil " NS "=acme", keys[i]);
        CHECK(refused(&bed, text).len > 0);
        snprintf(text, sizeof(text), "%s=acme x=evil", keys[i]);
        CHECK_TEXT(refused(&bed, text), "");
        CHECK(record_accepted(&bed, text));
    }
    leave(&bed);
}

TEST(project_and_environment_if_they_are_fixed)
{
    struct bed bed;

    bed_init(&bed);
    sender(&bed, "acme", false, shop, 1);
    CHECK_TEXT(refused(&bed, PROJECT "=other " COMPONENT "=c"),
               "project other is not that of this credential (shop)");
    CHECK_TEXT(refused(&bed, ENVIRONMENT "=dev"),
               "environment dev is not that of this credential (prod)");
    CHECK(resolves(&bed,
                   "service.name=s service.namespace=other "
                   "deployment.environment.name=dev",
                   "4 acme/shop/s/prod"));
    CHECK(resolves(&bed, COMPONENT "=c", "1 acme/shop/c/prod"));
    CHECK(resolves(&bed, "x=1", "5 acme///prod"));
    /* The same attributes by a token of all of the namespace. */
    as_acme(&bed);
    CHECK(resolves(&bed, COMPONENT "=c", "1 acme/default/c/default"));
    leave(&bed);
}

TEST(a_collector_within_its_grants)
{
    struct bed bed;

    bed_init(&bed);
    sender(&bed, "", false, two, 2);
    CHECK_TEXT(refused(&bed, "service.name=s"), "");
    CHECK(resolves(&bed, "service.name=s", "4 default/default/s/default"));
    CHECK_TEXT(refused(&bed, CART), "");
    CHECK(resolves(&bed, CART, "1 acme/shop/cart/dev"));
    CHECK_TEXT(refused(&bed, NS "=beta " PROJECT "=shop"), "");
    CHECK_TEXT(refused(&bed, NS "=beta " PROJECT "=x"),
               "project x is not one of this credential");
    CHECK_TEXT(refused(&bed, NS "=evil " COMPONENT "=c"),
               "namespace evil is not one of this credential");
    as_collector(&bed);
    CHECK_TEXT(refused(&bed, NS "=evil " COMPONENT "=c"), "");
    leave(&bed);
}

TEST(override_makes_it_the_senders)
{
    struct bed bed;
    char text[200];

    bed_init(&bed);
    as_collector(&bed);
    resolve(&bed, NS "=evil " PROJECT "=p " COMPONENT "=c "
                     "openchoreo.dev/component-uid=u-evil");
    sender(&bed, "acme", true, acme, 1);
    snprintf(text, sizeof(text), NS "=evil " PROJECT "=p " COMPONENT "=c");
    CHECK_TEXT(refused(&bed, text), "");
    CHECK(resolves(&bed, text, "1 acme/p/c/default"));
    CHECK(record_accepted(&bed, text));
    CHECK(is(&bed, resolve_record(&bed, "x=1", text), "2 acme/p/c/default"));
    CHECK(resolves(&bed, "openchoreo.dev/component-uid=u-evil service.name=s",
                   "4 acme/default/s/default"));
    sender(&bed, "acme", true, shop, 1);
    CHECK(resolves(&bed, NS "=evil " PROJECT "=p " COMPONENT "=d",
                   "1 acme/shop/d/prod"));
    leave(&bed);
}

TEST(uids_of_others)
{
    struct bed bed;

    bed_init(&bed);
    as_acme(&bed);
    resolve(&bed, CART " openchoreo.dev/component-uid=u-1 "
                       "openchoreo.dev/project-uid=p-1 "
                       "openchoreo.dev/environment-uid=e-1");
    as_evil(&bed);
    CHECK_TEXT(refused(&bed, "openchoreo.dev/component-uid=u-1"),
               "component-uid u-1 belongs to a scope that this credential "
               "may not write to");
    CHECK(refused(&bed, NS "=evil " COMPONENT "=c "
                           "openchoreo.dev/component-uid=u-1")
              .len > 0);
    CHECK(refused(&bed, "label_openchoreo_dev_project_uid=p-1").len > 0);
    CHECK(!record_accepted(&bed, "openchoreo.dev/component-uid=u-1"));
    CHECK(record_accepted(&bed, "openchoreo.dev/component-uid=u-2"));
    /* An environment may be the whole cluster's. */
    CHECK_TEXT(refused(&bed, "openchoreo.dev/environment-uid=e-1"), "");
    restart(&bed);
    as_evil(&bed);
    CHECK(refused(&bed, "openchoreo.dev/component-uid=u-1").len > 0);
    as_acme(&bed);
    CHECK_TEXT(refused(&bed, "openchoreo.dev/component-uid=u-1"), "");
    CHECK(resolves(&bed, "openchoreo.dev/component-uid=u-1 " ENVIRONMENT "=dev",
                   "1 acme/shop/cart/dev"));

    /* Who claims a uid first keeps another tenant's word out, but not that of
     * the platform. */
    as_evil(&bed);
    resolve(&bed, COMPONENT "=spy openchoreo.dev/component-uid=u-3");
    as_acme(&bed);
    CHECK(refused(&bed, "openchoreo.dev/component-uid=u-3").len > 0);
    as_collector(&bed);
    resolve(&bed, NS "=acme " COMPONENT "=c openchoreo.dev/component-uid=u-3");
    as_acme(&bed);
    CHECK_TEXT(refused(&bed, "openchoreo.dev/component-uid=u-3"), "");
    as_evil(&bed);
    CHECK(refused(&bed, "openchoreo.dev/component-uid=u-3").len > 0);
    leave(&bed);
}

TEST(a_refusal_shows_plain_text)
{
    struct bed bed;
    char text[600] = NS "=\x1b[31m\n\xff", want[300];

    bed_init(&bed);
    as_acme(&bed);
    CHECK_TEXT(refused(&bed, text),
               "namespace ?[31m?? is not that of this credential (acme)");
    snprintf(text, sizeof(text), NS "=%0500d", 0);
    snprintf(want, sizeof(want),
             "namespace %064d is not that of this credential (acme)", 0);
    CHECK_TEXT(refused(&bed, text), want);
    leave(&bed);
}

TEST(a_refusal_names_the_kafka_topic)
{
    struct bed bed;
    char topic[250], text[600], want[300];

    bed_init(&bed);
    as_acme(&bed);
    registry_set_topic(bed.registry, SLICE("acme_logs"));
    CHECK_TEXT(refused(&bed, NS "=evil"),
               "namespace evil is not that of topic acme_logs (acme)");
    snprintf(topic, sizeof(topic), "%0249d", 0);
    snprintf(text, sizeof(text), NS "=%0500d", 0);
    snprintf(want, sizeof(want),
             "namespace %064d is not that of topic %064d (acme)", 0, 0);
    registry_set_topic(bed.registry, slice_of(topic));
    CHECK_TEXT(refused(&bed, text), want);
    as_acme(&bed); /* the topic was that of the other batch */
    CHECK_TEXT(refused(&bed, NS "=evil"),
               "namespace evil is not that of this credential (acme)");
    leave(&bed);
}

/* ---- what is learned ---- */

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
