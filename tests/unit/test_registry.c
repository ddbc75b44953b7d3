#include "registry.h"

#include <stdio.h>

#include "clock.h"
#include "fake_store.h"
#include "stats.h"
#include "test.h"

#define NOW         (UINT64_C(1700000000) * NS_PER_S)
#define NS          "openchoreo.dev/namespace"
#define PROJECT     "openchoreo.dev/project"
#define COMPONENT   "openchoreo.dev/component"
#define ENVIRONMENT "openchoreo.dev/environment"

struct bed {
    struct store *store;
    struct registry *registry;
    struct arena arena;
};

static struct registry_options options = {.max_resources = 1000,
                                          .max_identities = 500};

static void start(struct bed *bed)
{
    CHECK_EQ(registry_open(&bed->registry, &options, bed->store), OK);
}

static void bed_init(struct bed *bed)
{
    bed->store = fake_store_new();
    arena_init(&bed->arena, NULL, SIZE_MAX);
    start(bed);
}

static void bed_release(struct bed *bed)
{
    registry_close(bed->registry);
    arena_release(&bed->arena);
    fake_store_free(bed->store);
}

static void restart(struct bed *bed)
{
    registry_close(bed->registry);
    start(bed);
}

/* "key=value key=value" */
static struct attrs attrs_of(struct bed *bed, const char *text)
{
    struct attr *at = arena_zero(&bed->arena, 32, sizeof(*at));
    struct slice rest = arena_copy(&bed->arena, slice_of(text));
    uint32_t count = 0;

    while (rest.len > 0) {
        const char *end = memchr(rest.ptr, ' ', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
        const char *equal = memchr(rest.ptr, '=', len);

        at[count].key = rest.ptr;
        at[count].key_len = (uint16_t)(equal - rest.ptr);
        at[count].type = VALUE_STRING;
        at[count].str = equal + 1;
        at[count++].len = (uint32_t)(rest.ptr + len - equal - 1);
        rest = slice_from(rest, end ? len + 1 : len);
    }
    return (struct attrs){at, count, 0};
}

static uint32_t resolve(struct bed *bed, const char *text)
{
    struct resource resource = {.attrs = attrs_of(bed, text),
                                .id = RESOURCE_NONE};

    registry_resolve(bed->registry, &resource, NOW);
    return resource.id;
}

static uint32_t resolve_record(struct bed *bed, const char *resource_text,
                               const char *text)
{
    struct resource resource = {.attrs = attrs_of(bed, resource_text),
                                .id = RESOURCE_NONE};
    struct attrs attrs = attrs_of(bed, text);

    registry_resolve(bed->registry, &resource, NOW);
    return registry_resolve_record(bed->registry, &resource, &attrs, NOW);
}

/* "rule namespace/project/component/environment" */
static const char *who(struct bed *bed, uint32_t resource)
{
    struct identity i;
    char text[1100];

    if (!registry_resource_identity(bed->registry, resource, &bed->arena, &i))
        return "nobody";
    snprintf(text, sizeof(text), "%d %.*s/%.*s/%.*s/%.*s", i.rule,
             (int)i.namespace.len, i.namespace.ptr, (int)i.project.len,
             i.project.ptr, (int)i.component.len, i.component.ptr,
             (int)i.environment.len, i.environment.ptr);
    return arena_copy(&bed->arena, (struct slice){text, strlen(text) + 1}).ptr;
}

static bool is(struct bed *bed, uint32_t resource, const char *want)
{
    const char *got = who(bed, resource);
    bool same = strcmp(got, want) == 0;

    if (!same)
        printf("# got %s, want %s\n", got, want);
    return same;
}

static uint32_t identity_of(struct bed *bed, uint32_t resource)
{
    return registry_identity_id(bed->registry, resource);
}

#define CART NS "=acme " PROJECT "=shop " COMPONENT "=cart " ENVIRONMENT "=dev"

TEST(stamped)
{
    struct bed bed;

    bed_init(&bed);

    uint32_t id = resolve(&bed, CART " service.name=other");

    CHECK(is(&bed, id, "1 acme/shop/cart/dev"));
    CHECK_EQ(resolve(&bed, CART " service.name=other"), id);
    CHECK(is(&bed, resolve(&bed, COMPONENT "=cart"),
             "1 default/default/cart/default"));
    bed_release(&bed);
}

TEST(order_of_attributes_does_not_count)
{
    struct bed bed;

    bed_init(&bed);
    CHECK_EQ(resolve(&bed, "a=1 b=2 c=3"), resolve(&bed, "c=3 a=1 b=2"));
    CHECK(resolve(&bed, "a=1 b=2") != resolve(&bed, "a=2 b=1"));
    CHECK(resolve(&bed, "a=1 a=1") != resolve(&bed, "b=1 b=1"));
    bed_release(&bed);
}

TEST(retag_when_the_pod_becomes_known)
{
    struct bed bed;

    bed_init(&bed);

    uint32_t app = resolve(&bed, "service.name=cart k8s.pod.uid=u1");
    uint32_t kubelet = resolve(
        &bed, "k8s.pod.uid=u1 k8s.namespace.name=dp k8s.pod.name=cart-1");
    uint32_t tail =
        resolve(&bed, "k8s.namespace.name=dp k8s.pod.name=cart-1 stream=out");
    uint32_t other = resolve(&bed, "service.name=cart k8s.pod.uid=u2");

    CHECK(is(&bed, app, "4 default/default/cart/default"));
    CHECK(is(&bed, kubelet, "5 default///default"));

    uint32_t before = identity_of(&bed, app);
    uint32_t derived = registry_derived_resource(bed.registry, before);

    CHECK_EQ(identity_of(&bed, derived), before);
    resolve(&bed, CART " k8s.pod.uid=u1");
    CHECK(is(&bed, app, "3 acme/shop/cart/dev"));
    CHECK(is(&bed, kubelet, "3 acme/shop/cart/dev"));
    CHECK(is(&bed, tail, "3 acme/shop/cart/dev"));
    CHECK(is(&bed, other, "4 default/default/cart/default"));
    CHECK_EQ(identity_of(&bed, derived), identity_of(&bed, app));

    struct identity i;

    CHECK(registry_identity(bed.registry, before, &bed.arena, &i));
    CHECK_EQ(i.id, identity_of(&bed, app));
    CHECK(slice_equal(i.project, SLICE("shop")));
    bed_release(&bed);
}

TEST(pod_known_first)
{
    struct bed bed;

    bed_init(&bed);
    resolve(&bed, CART " k8s.pod.uid=u1 container.id=c1");
    CHECK(
        is(&bed, resolve(&bed, "k8s.pod.uid=u1 x=1"), "3 acme/shop/cart/dev"));
    CHECK(is(&bed, resolve(&bed, "container.id=c1 service.name=x"),
             "3 acme/shop/cart/dev"));
    bed_release(&bed);
}

TEST(survives_a_restart)
{
    struct bed bed;

    bed_init(&bed);

    uint32_t app = resolve(&bed, "service.name=cart k8s.pod.uid=u1");
    uint32_t old = identity_of(&bed, app);
    uint32_t derived = registry_derived_resource(bed.registry, old);
    uint32_t stamped = resolve(&bed, CART " k8s.pod.uid=u1");
    uint32_t record = resolve_record(&bed, "host=a", CART);
    uint32_t waiting = resolve(&bed, "service.name=pay k8s.pod.uid=u2");

    registry_touch(bed.registry, old, SIGNAL_LOGS, NOW + NS_PER_S);
    restart(&bed);
    CHECK(is(&bed, app, "3 acme/shop/cart/dev"));
    CHECK(is(&bed, stamped, "1 acme/shop/cart/dev"));
    CHECK(is(&bed, record, "2 acme/shop/cart/dev"));
    CHECK_EQ(resolve(&bed, "service.name=cart k8s.pod.uid=u1"), app);
    CHECK_EQ(resolve_record(&bed, "host=a", CART), record);
    CHECK_EQ(identity_of(&bed, derived), identity_of(&bed, stamped));
    CHECK_EQ(registry_derived_resource(bed.registry, old), derived);

    struct identity i;

    CHECK(registry_identity(bed.registry, old, &bed.arena, &i));
    CHECK_EQ(i.id, identity_of(&bed, stamped));
    resolve(&bed, COMPONENT "=pay k8s.pod.uid=u2");
    CHECK(is(&bed, waiting, "3 default/default/pay/default"));

    uint32_t count;
    struct scope_filter filter = {.component = SLICE("cart")};
    struct component_info *infos =
        registry_components(bed.registry, &filter, &bed.arena, &count);

    CHECK_EQ(count, 1);
    CHECK_EQ(infos[0].last_seen_ns[SIGNAL_LOGS], NOW + NS_PER_S);
    CHECK_EQ(infos[0].last_seen_ns[SIGNAL_SPANS], 0);
    bed_release(&bed);
}
