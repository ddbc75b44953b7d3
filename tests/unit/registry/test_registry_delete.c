/*
 * What is left of a namespace that was deleted: nothing that a query finds, in
 * this process and the next, and nothing of others is missing.
 */
#include "registry_kit.h"

#define CART_OF(ns)                                   \
    NS "=" ns " " PROJECT "=shop " COMPONENT "=cart " \
       "openchoreo.dev/component-uid=u-" ns " k8s.pod.uid=pod-" ns

static struct registry_deletion deleted;

static enum status delete (struct bed *bed, const char *namespace) {
    return registry_delete(bed->registry, slice_of(namespace), NOW, &deleted);
}

static uint32_t components(struct bed *bed)
{
    const struct scope_filter all = {.unassigned = false};
    uint32_t count;

    registry_components(bed->registry, &all, &viewer_all, &bed->arena, &count);
    return count;
}

static uint32_t all(struct bed *bed)
{
    return selected(bed, (struct scope_filter){.unassigned = false});
}

static uint32_t in(struct bed *bed, const char *namespace)
{
    return selected(bed,
                    (struct scope_filter){.namespace = slice_of(namespace)});
}

TEST(nothing_of_it_is_found)
{
    struct bed bed;

    bed_init(&bed);
    uint32_t cart = resolve(&bed, CART_OF("acme"));
    uint32_t learned = resolve(&bed, "k8s.pod.uid=pod-acme service.name=s");
    uint32_t beta = resolve(&bed, CART_OF("beta"));
    uint32_t derived =
        registry_derived_resource(bed.registry, identity_of(&bed, cart));
    uint32_t number = identity_of(&bed, cart);
    struct identity identity;

    CHECK(is(&bed, learned, "3 acme/shop/cart/default"));
    CHECK_EQ(delete (&bed, "acme"), OK);
    CHECK_EQ(deleted.identities, 1);
    CHECK_EQ(deleted.resources, 2);
    for (int i = 0; i < 2; i++) {
        CHECK(is(&bed, cart, "nobody"));
        CHECK(is(&bed, learned, "nobody"));
        CHECK(is(&bed, derived, "nobody"));
        CHECK(!registry_identity(bed.registry, number, &bed.arena, &identity));
        CHECK_EQ(in(&bed, "acme"), 0);
        CHECK_EQ(in(&bed, "{deleted}"), 0);
        CHECK(is(&bed, beta, "1 beta/shop/cart/default"));
        CHECK_EQ(all(&bed), 1);
        CHECK_EQ(components(&bed), 1);
        CHECK_EQ(registry_live_resources(bed.registry, SLICE("acme")), 0);
        CHECK_EQ(registry_live_resources(bed.registry, SLICE("{deleted}")), 0);
        CHECK_EQ(registry_live_resources(bed.registry, SLICE("beta")), 1);
        CHECK_EQ(delete (&bed, "acme"), ERR_NOT_FOUND);
        restart(&bed);
    }
    bed_release(&bed);
}

/* Records that are stored have the old ids: no other resource may get them. */
TEST(what_comes_later_is_new)
{
    struct bed bed;

    bed_init(&bed);
    uint32_t cart = resolve(&bed, CART_OF("acme"));
    uint32_t plain = resolve(&bed, "k8s.pod.uid=pod-acme x=1");

    CHECK_EQ(delete (&bed, "acme"), OK);
    for (int i = 0; i < 2; i++) {
        /* The pod is not that of the component any more. */
        CHECK(
            resolves(&bed, "k8s.pod.uid=pod-acme x=1", "5 default///default"));
        CHECK(resolve(&bed, "k8s.pod.uid=pod-acme x=1") != plain);
        CHECK(is(&bed, plain, "nobody"));
        restart(&bed);
    }
    uint32_t again = resolve(&bed, CART_OF("acme"));

    CHECK(again != cart && again != plain);
    CHECK(is(&bed, again, "1 acme/shop/cart/default"));
    CHECK(is(&bed, cart, "nobody"));
    CHECK_EQ(in(&bed, "acme"), 2); /* and the resource of its pod */
    restart(&bed);
    CHECK(is(&bed, again, "1 acme/shop/cart/default"));
    CHECK(is(&bed, cart, "nobody"));
    CHECK_EQ(resolve(&bed, CART_OF("acme")), again);
    CHECK_EQ(delete (&bed, "acme"), OK);
    CHECK(is(&bed, again, "nobody"));
    CHECK_EQ(all(&bed), 0);
    bed_release(&bed);
}

/* A number that was re-tagged to one of its identities. */
TEST(what_was_retagged_goes_too)
{
    struct bed bed;

    bed_init(&bed);
    uint32_t first = resolve(&bed, "k8s.pod.uid=pod-acme service.name=s");
    uint32_t number = identity_of(&bed, first);
    uint32_t derived = registry_derived_resource(bed.registry, number);
    struct identity identity;

    resolve(&bed, CART_OF("acme"));
    CHECK(is(&bed, derived, "3 acme/shop/cart/default"));
    CHECK_EQ(delete (&bed, "acme"), OK);
    for (int i = 0; i < 2; i++) {
        CHECK(is(&bed, derived, "nobody"));
        CHECK(!registry_identity(bed.registry, number, &bed.arena, &identity));
        restart(&bed);
    }
    bed_release(&bed);
}

TEST(a_senders_own_and_a_collectors)
{
    static const struct writer_scope acme[] = {{.name = {SLICE_INIT("acme")}}};
    struct writer *writer = writer_new(SLICE("acme"), false, acme, 1);
    struct bed bed;

    bed_init(&bed);
    registry_set_writer(bed.registry, writer);
    uint32_t own = resolve(&bed, "service.name=s k8s.pod.uid=p");

    registry_set_writer(bed.registry, NULL);
    uint32_t other = resolve(&bed, "service.name=s k8s.pod.uid=p");

    CHECK(own != other);
    CHECK_EQ(delete (&bed, "acme"), OK);
    for (int i = 0; i < 2; i++) {
        CHECK(is(&bed, own, "nobody"));
        CHECK(is(&bed, other, "4 default/default/s/default"));
        restart(&bed);
    }
    registry_set_writer(bed.registry, writer);
    CHECK(resolve(&bed, "service.name=s k8s.pod.uid=p") != own);
    CHECK_EQ(in(&bed, "acme"), 1);
    registry_set_writer(bed.registry, NULL);
    writer_free(writer);
    bed_release(&bed);
}

#define STEP(ns) "k8s.namespace.name=workflows-" ns " k8s.pod.name=build-7-1"

static uint32_t steps(struct bed *bed, const char *namespace)
{
    return selected(bed,
                    (struct scope_filter){.namespace = slice_of(namespace),
                                          .workflow_run = SLICE("build-7")});
}

TEST(runs_of_its_workflows)
{
    struct bed bed;

    bed_init(&bed);
    resolve(&bed, STEP("acme"));
    resolve(&bed, STEP("beta"));
    CHECK_EQ(steps(&bed, "acme"), 1);
    CHECK_EQ(delete (&bed, "acme"), OK);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(steps(&bed, "acme"), 0);
        CHECK_EQ(steps(&bed, "beta"), 1);
        restart(&bed);
    }
    CHECK_EQ(delete (&bed, "acme"), ERR_NOT_FOUND);
    bed_release(&bed);
}

TEST(names_that_are_none)
{
    char text[400];
    struct bed bed;

    bed_init(&bed);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    resolve(&bed, CART_OF("acme"));
    CHECK_EQ(delete (&bed, ""), ERR_NOT_FOUND);
    CHECK_EQ(delete (&bed, "*"), ERR_NOT_FOUND);
    CHECK_EQ(delete (&bed, "acm"), ERR_NOT_FOUND);
    CHECK_EQ(delete (&bed, "shop"), ERR_NOT_FOUND);
    CHECK_EQ(delete (&bed, "{deleted}"), ERR_NOT_FOUND);
    CHECK_EQ(delete (&bed, text), ERR_NOT_FOUND);
    CHECK_EQ(all(&bed), 1);
    bed_release(&bed);
}
