/*
 * What senders may stamp: docs/correlation.md, Tenants, the first table row by
 * row.
 */
#include "registry_writers_kit.h"

#define ANY SLICE_INIT("")

static const struct writer_scope shop[] = {
    {.name = {SLICE_INIT("acme"), SLICE_INIT("shop"), ANY,
              SLICE_INIT("prod")}}};
static const struct writer_scope two[] = {
    {.name = {SLICE_INIT("acme")}},
    {.name = {SLICE_INIT("beta"), SLICE_INIT("shop")}}};

/* Receivers compare names as the correlator's thread does, but no uids, and
 * their senders are no topics. */
static void check_names(struct bed *bed, const struct attrs *attrs,
                        const struct registry_refusal *why)
{
    struct registry_refusal names = {.text = ""};
    bool refused = why->text[0] && !strstr(why->label, "uid");

    CHECK_EQ(
        registry_accepts_names(bed->registry, current_writer, attrs, &names),
        !refused);
    CHECK(strstr(why->text, "topic") || !refused ||
          strcmp(names.text, why->text) == 0);
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
    check_names(bed, &attrs, &why);
    return slice_of(why.text);
}

static bool record_accepted(struct bed *bed, const char *text)
{
    return resolve_record(bed, "agent=1", text) != RESOURCE_NONE;
}

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

/* What one may stamp is known by its labels; another may not stamp it. */
TEST(labels_of_records_are_compared_for_each_collector)
{
    static const struct writer_scope others[] = {
        {.name = {SLICE_INIT("beta")}}, {.name = {SLICE_INIT("evil")}}};
    struct bed bed;

    bed_init(&bed);
    sender(&bed, "", false, two, 2);
    for (int i = 0; i < 2; i++)
        CHECK(record_accepted(&bed, NS "=acme " COMPONENT "=c"));
    sender(&bed, "", false, others, 2);
    for (int i = 0; i < 2; i++)
        CHECK(!record_accepted(&bed, NS "=acme " COMPONENT "=c"));
    sender(&bed, "", false, two, 2);
    CHECK(record_accepted(&bed, NS "=acme " COMPONENT "=c"));
    CHECK(!record_accepted(&bed, NS "=evil " COMPONENT "=c"));
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
