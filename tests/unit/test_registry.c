#include "registry.h"

#include <pthread.h>
#include <stdio.h>

#include "clock.h"
#include "fake_store.h"
#include "stats.h"
#include "test.h"

#define NOBODY      UINT32_MAX
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

/* ---- rules ---- */

static bool resolves(struct bed *bed, const char *text, const char *want)
{
    return is(bed, resolve(bed, text), want);
}

TEST(spellings)
{
    struct bed bed;

    bed_init(&bed);
    CHECK(resolves(&bed,
                   "k8s.pod.labels.openchoreo.dev/component=a "
                   "k8s.pod.label.openchoreo.dev/project=p",
                   "1 default/p/a/default"));
    CHECK(resolves(&bed,
                   "kubernetes.labels.openchoreo_dev/component=b "
                   "label_openchoreo_dev_environment=e "
                   "k8s.object.label.openchoreo.dev/namespace=n",
                   "1 n/default/b/e"));
    /* the bare key is the sender's own word, wherever it stands */
    CHECK(resolves(&bed, "k8s.pod.labels." COMPONENT "=x " COMPONENT "=y",
                   "1 default/default/y/default"));
    CHECK(resolves(&bed, COMPONENT "= service.name=s",
                   "4 default/default/s/default"));
    bed_release(&bed);
}

TEST(inferred)
{
    struct bed bed;

    bed_init(&bed);
    CHECK(resolves(&bed,
                   "service.name=cart service.namespace=shop "
                   "deployment.environment=old deployment.environment.name=e",
                   "4 default/shop/cart/e"));
    CHECK(resolves(&bed, "service.name=cart deployment.environment=old",
                   "4 default/default/cart/old"));
    CHECK(resolves(&bed, "service.name=unknown_service:java",
                   "5 default///default"));
    CHECK(
        resolves(&bed, "service.name=unknown_service", "5 default///default"));
    CHECK(resolves(&bed, "", "5 default///default"));
    CHECK_EQ(identity_of(&bed, resolve(&bed, "service.name=a x=1")),
             identity_of(&bed, resolve(&bed, "service.name=a x=2")));
    bed_release(&bed);
}

TEST(managed_resource)
{
    struct bed bed;

    bed_init(&bed);
    CHECK(resolves(&bed, PROJECT "=shop openchoreo.dev/resource=db",
                   "1 default/shop/db/default"));
    CHECK(resolves(&bed, PROJECT "=shop", "1 default/shop//default"));
    CHECK(resolves(&bed, PROJECT "=shop service.name=x",
                   "1 default/shop/x/default"));
    bed_release(&bed);
}

TEST(uids)
{
    struct bed bed;

    bed_init(&bed);

    uint32_t first = resolve(&bed, CART);
    uint32_t with = resolve(&bed, CART " openchoreo.dev/component-uid=c1");
    uint32_t again = resolve(&bed, CART " openchoreo.dev/component-uid=c2");
    uint32_t later = resolve(&bed, CART " x=1");
    uint32_t uid = resolve(&bed, "openchoreo.dev/component-uid=c1 "
                                 "openchoreo.dev/environment=dev");
    uint32_t unknown = resolve(&bed, "openchoreo.dev/component-uid=c9");

    CHECK_EQ(identity_of(&bed, first), identity_of(&bed, with));
    CHECK(identity_of(&bed, with) != identity_of(&bed, again));
    CHECK_EQ(identity_of(&bed, later), identity_of(&bed, again));
    CHECK_EQ(identity_of(&bed, uid), identity_of(&bed, with));
    CHECK(is(&bed, unknown, "1 default/default/c9/default"));

    struct scope_filter by_name = {.component = SLICE("cart")};
    struct scope_filter by_uid = {.component = SLICE("c1")};
    struct idset *names = registry_select(bed.registry, &by_name, &bed.arena);
    struct idset *one = registry_select(bed.registry, &by_uid, &bed.arena);

    CHECK_EQ(names->count, 5);
    CHECK_EQ(one->count, 3);
    CHECK(idset_has(one, first) && idset_has(one, with) && idset_has(one, uid));
    restart(&bed);
    CHECK_EQ(resolve(&bed, CART " openchoreo.dev/component-uid=c1"), with);
    CHECK_EQ(identity_of(&bed, resolve(&bed, CART " openchoreo.dev/"
                                                  "component-uid=c1 y=1")),
             identity_of(&bed, first));
    bed_release(&bed);
}

TEST(stamped_upgrades_inferred_of_equal_names)
{
    struct bed bed;

    bed_init(&bed);

    uint32_t a = resolve(&bed, "service.name=cart service.namespace=shop");
    uint32_t b = resolve(&bed, COMPONENT "=cart " PROJECT "=shop");
    uint32_t c = resolve(&bed, COMPONENT "=cart " PROJECT "=other");

    CHECK_EQ(identity_of(&bed, a), identity_of(&bed, b));
    CHECK(identity_of(&bed, a) != identity_of(&bed, c));
    CHECK(is(&bed, a, "4 default/shop/cart/default"));
    CHECK(is(&bed, b, "1 default/shop/cart/default"));
    bed_release(&bed);
}

/* ---- records ---- */

TEST(stamped_on_the_record)
{
    struct bed bed;
    const char *scraper = "service.name=prometheus k8s.pod.uid=prom";
    const char *labels =
        "label_openchoreo_dev_component=cart label_openchoreo_dev_project=shop";

    bed_init(&bed);

    uint32_t plain = resolve(&bed, scraper);
    uint32_t record = resolve_record(&bed, scraper, labels);

    CHECK(record != plain);
    CHECK(is(&bed, record, "2 default/shop/cart/default"));
    CHECK_EQ(resolve_record(&bed, scraper, labels), record);
    CHECK_EQ(resolve_record(&bed, scraper, "code=200"), plain);
    CHECK_EQ(resolve_record(&bed, scraper, ""), plain);
    /* what the scraper says of its own pod is not about the record */
    CHECK(is(&bed, plain, "4 default/default/prometheus/default"));
    /* a stamped resource speaks for its records */
    CHECK(is(&bed, resolve_record(&bed, COMPONENT "=pay", labels),
             "1 default/default/pay/default"));
    /* but the record's own pod learns */
    resolve_record(&bed, scraper,
                   "label_openchoreo_dev_component=pay k8s.pod.uid=u7");
    CHECK(resolves(&bed, "k8s.pod.uid=u7", "3 default/default/pay/default"));
    /* and learns better from a stamped resource */
    uint32_t kubelet = resolve(&bed, "k8s.pod.uid=u7 x=1");

    resolve(&bed, COMPONENT "=pay2 k8s.pod.uid=u7");
    CHECK(is(&bed, kubelet, "3 default/default/pay2/default"));
    bed_release(&bed);
}

/* cAdvisor's points, scraped by a Prometheus receiver. */
TEST(pod_of_the_record)
{
    struct bed bed;
    const char *scraper = "service.name=kubelet k8s.pod.uid=collector";
    const char *point = "namespace=dp pod=cart-1 container=main";

    bed_init(&bed);

    uint32_t early = resolve_record(&bed, scraper, point);

    CHECK(early != resolve(&bed, scraper));
    CHECK(is(&bed, early, "4 default/default/kubelet/default"));
    CHECK_EQ(resolve_record(&bed, scraper, "pod=cart-1"),
             resolve(&bed, scraper));
    CHECK_EQ(resolve_record(&bed, scraper, "namespace=dp pod=cart-1 cpu=2"),
             early);

    uint32_t cart = resolve(&bed, CART " k8s.namespace.name=dp "
                                       "k8s.pod.name=cart-1");

    CHECK(is(&bed, early, "3 acme/shop/cart/dev"));
    CHECK(resolves(&bed, scraper, "4 default/default/kubelet/default"));
    CHECK_EQ(registry_find_host(bed.registry, identity_of(&bed, cart),
                                SLICE("kubelet")),
             IDENTITY_NONE);
    restart(&bed);
    CHECK_EQ(resolve_record(&bed, scraper, point), early);
    CHECK(is(&bed, early, "3 acme/shop/cart/dev"));
    bed_release(&bed);
}

TEST(large_attributes_are_not_kept)
{
    struct bed bed;
    static char text[40000];

    bed_init(&bed);
    memset(text, 'x', sizeof(text));

    struct attr at[] = {{.key = "big",
                         .key_len = 3,
                         .type = VALUE_STRING,
                         .str = text,
                         .len = sizeof(text)},
                        {.key = COMPONENT,
                         .key_len = sizeof(COMPONENT) - 1,
                         .type = VALUE_STRING,
                         .str = "cart",
                         .len = 4}};
    struct resource resource = {.attrs = {at, 2, 0}};

    registry_resolve(bed.registry, &resource, NOW);

    uint32_t id = resource.id;

    CHECK_EQ(bed.store->resource[id].attrs.count, 1);
    CHECK_EQ(bed.store->resource[id].attrs.dropped, 1);
    restart(&bed);
    registry_resolve(bed.registry, &resource, NOW);
    CHECK_EQ(resource.id, id);
    text[0] = 'y';
    registry_resolve(bed.registry, &resource, NOW);
    CHECK(resource.id != id);
    bed_release(&bed);
}

TEST(fluent_bit_map)
{
    struct bed bed;

    bed_init(&bed);

    struct attrs labels = attrs_of(&bed, "openchoreo_dev/component=cart");
    struct attr items[3] = {{.key = "labels",
                             .key_len = 6,
                             .type = VALUE_MAP,
                             .items = labels.at,
                             .len = 1},
                            {.key = "pod_name",
                             .key_len = 8,
                             .type = VALUE_STRING,
                             .str = "cart-1",
                             .len = 6},
                            {.key = "namespace_name",
                             .key_len = 14,
                             .type = VALUE_STRING,
                             .str = "dp",
                             .len = 2}};
    struct attr map = {.key = "kubernetes",
                       .key_len = 10,
                       .type = VALUE_MAP,
                       .items = items,
                       .len = 3};
    struct attrs attrs = {&map, 1, 0};
    struct resource resource = {.attrs = {NULL, 0, 0}};

    registry_resolve(bed.registry, &resource, NOW);

    uint32_t id = registry_resolve_record(bed.registry, &resource, &attrs, NOW);

    CHECK(is(&bed, id, "2 default/default/cart/default"));
    CHECK(resolves(&bed, "k8s.namespace.name=dp k8s.pod.name=cart-1",
                   "3 default/default/cart/default"));
    bed_release(&bed);
}

/* ---- pods ---- */

TEST(keys_of_one_pod_are_joined)
{
    struct bed bed;

    bed_init(&bed);

    uint32_t by_name = resolve(&bed, "k8s.namespace.name=n k8s.pod.name=p");
    uint32_t by_uid = resolve(&bed, "k8s.pod.uid=u service.name=s");
    uint32_t by_container = resolve(&bed, "container.id=c");

    resolve(&bed, COMPONENT "=a container.id=c");
    CHECK(is(&bed, by_container, "3 default/default/a/default"));
    CHECK(is(&bed, by_uid, "4 default/default/s/default"));
    /* one resource shows that all three are one pod */
    resolve(&bed, "k8s.pod.uid=u k8s.namespace.name=n k8s.pod.name=p "
                  "container.id=c");
    CHECK(is(&bed, by_uid, "3 default/default/a/default"));
    CHECK(is(&bed, by_name, "3 default/default/a/default"));
    bed_release(&bed);
}

TEST(same_pod_name_other_uid)
{
    struct bed bed;

    bed_init(&bed);
    resolve(&bed, COMPONENT "=old k8s.pod.uid=u1 k8s.namespace.name=n "
                            "k8s.pod.name=db-0");
    resolve(&bed, COMPONENT "=new k8s.pod.uid=u2 k8s.namespace.name=n "
                            "k8s.pod.name=db-0");
    CHECK(resolves(&bed, "k8s.pod.uid=u1", "3 default/default/old/default"));
    CHECK(resolves(&bed, "k8s.namespace.name=n k8s.pod.name=db-0",
                   "3 default/default/new/default"));
    bed_release(&bed);
}

/* The store had the stamped resource, not yet what followed from it. */
TEST(crash_between_learning_and_retagging)
{
    struct bed bed;

    bed_init(&bed);

    uint32_t waiting = resolve(&bed, "service.name=cart k8s.pod.uid=u1");
    uint32_t before = identity_of(&bed, waiting);

    resolve(&bed, CART " k8s.pod.uid=u1");
    bed.store->identity_of[waiting] = before;
    bed.store->identity[before].rule = RULE_INFERRED;
    bed.store->identity[before].project = SLICE("default");
    restart(&bed);
    CHECK(is(&bed, waiting, "3 acme/shop/cart/dev"));
    CHECK(bed.store->identity_of[waiting] != before);
    bed_release(&bed);
}

/* ---- scopes ---- */

static uint32_t selected(struct bed *bed, struct scope_filter filter)
{
    return registry_select(bed->registry, &filter, &bed->arena)->count;
}

TEST(select_by_scope)
{
    struct bed bed;

    bed_init(&bed);

    uint32_t cart = resolve(&bed, CART " openchoreo.dev/project-uid=p1");

    resolve(&bed, CART " x=1");
    resolve(&bed, COMPONENT "=cart " PROJECT "=shop " NS "=acme");
    resolve(&bed, COMPONENT "=pay " PROJECT "=shop " NS "=acme");
    resolve(&bed, "host.name=node1");
    CHECK_EQ(selected(&bed, (struct scope_filter){0}), 5);
    CHECK_EQ(selected(&bed, (struct scope_filter){.namespace = SLICE("acme")}),
             4);
    CHECK_EQ(selected(&bed, (struct scope_filter){.namespace = SLICE("acme"),
                                                  .component = SLICE("cart")}),
             3);
    CHECK_EQ(selected(&bed, (struct scope_filter){.environment = SLICE("dev")}),
             2);
    CHECK_EQ(selected(&bed, (struct scope_filter){.project = SLICE("p1")}), 2);
    CHECK_EQ(selected(&bed, (struct scope_filter){.component = SLICE("no")}),
             0);
    CHECK_EQ(selected(&bed, (struct scope_filter){.component = SLICE("acme")}),
             0);
    CHECK_EQ(selected(&bed, (struct scope_filter){.unassigned = true}), 1);
    registry_derived_resource(bed.registry, identity_of(&bed, cart));
    CHECK_EQ(selected(&bed, (struct scope_filter){.environment = SLICE("dev")}),
             3);
    bed_release(&bed);
}

TEST(workflow_scope)
{
    struct bed bed;

    bed_init(&bed);
#define STEP(pod) "k8s.namespace.name=workflows-acme k8s.pod.name=" pod
    resolve(&bed, STEP("build-7-clone-1"));
    resolve(&bed, STEP("build-7-make-2"));
    resolve(&bed, STEP("build-7-3 k8s.pod.annotations.workflows.argoproj.io/"
                       "node-name=test"));
    resolve(&bed, STEP("build-77-clone-1"));
    resolve(&bed, "k8s.namespace.name=acme k8s.pod.name=build-7-x");
    CHECK_EQ(
        selected(&bed, (struct scope_filter){.namespace = SLICE("acme"),
                                             .workflow_run = SLICE("build-7")}),
        3);
    CHECK_EQ(
        selected(&bed, (struct scope_filter){.namespace = SLICE("acme"),
                                             .workflow_run = SLICE("build-7"),
                                             .task = SLICE("make")}),
        1);
    CHECK_EQ(
        selected(&bed, (struct scope_filter){.workflow_run = SLICE("build-7"),
                                             .task = SLICE("test")}),
        1);
    CHECK_EQ(
        selected(&bed, (struct scope_filter){.namespace = SLICE("other"),
                                             .workflow_run = SLICE("build-7")}),
        0);
    bed_release(&bed);
}

TEST(components_merge_equal_names)
{
    struct bed bed;
    uint32_t count;

    bed_init(&bed);

    uint32_t waiting = resolve(&bed, "service.name=b k8s.pod.uid=u1");

    resolve(&bed, "service.name=b k8s.pod.uid=u2");
    resolve(&bed, "service.name=b");

    uint32_t stamped = resolve(&bed, COMPONENT "=b");

    resolve(&bed, COMPONENT "=a");
    registry_touch(bed.registry, identity_of(&bed, waiting), SIGNAL_LOGS, 7);
    registry_touch(bed.registry, identity_of(&bed, stamped), SIGNAL_SPANS, 9);
    registry_touch(bed.registry, identity_of(&bed, stamped), SIGNAL_SPANS, 8);

    struct component_info *infos = registry_components(
        bed.registry, &(struct scope_filter){0}, &bed.arena, &count);

    CHECK_EQ(count, 2);
    CHECK(slice_equal(infos[0].identity.component, SLICE("a")));
    CHECK(slice_equal(infos[1].identity.component, SLICE("b")));
    CHECK_EQ(infos[1].identity.rule, RULE_STAMPED);
    CHECK_EQ(infos[1].identity.id, identity_of(&bed, stamped));
    CHECK_EQ(infos[1].resources, 4);
    CHECK_EQ(infos[1].last_seen_ns[SIGNAL_LOGS], 7);
    CHECK_EQ(infos[1].last_seen_ns[SIGNAL_SPANS], 9);
    CHECK_EQ(infos[0].derived_resource, RESOURCE_NONE);
    infos = registry_components(bed.registry,
                                &(struct scope_filter){.component = SLICE("x")},
                                &bed.arena, &count);
    CHECK(infos == NULL);
    CHECK_EQ(count, 0);
    bed_release(&bed);
}

/* ---- hosts ---- */

static bool host_is(struct bed *bed, uint32_t from, const char *host,
                    uint32_t want)
{
    uint32_t got = registry_find_host(bed->registry, identity_of(bed, from),
                                      slice_of(host));
    bool same =
        got == (want == NOBODY ? IDENTITY_NONE : identity_of(bed, want));

    if (!same)
        printf("# host %s\n", host);
    return same;
}

#define PROD(component, project)                           \
    COMPONENT "=" component " " PROJECT "=" project " " NS \
              "=acme " ENVIRONMENT "=prod "

TEST(hosts)
{
    struct bed bed;

    bed_init(&bed);

    uint32_t cart =
        resolve(&bed, PROD("cart", "shop") "service.name=Cart-Svc "
                                           "k8s.namespace.name=dp-shop "
                                           "k8s.pod.ip=10.0.0.7");
    uint32_t pay = resolve(&bed, PROD("pay", "shop"));
    uint32_t pay2 =
        resolve(&bed, PROD("pay", "bank") "k8s.namespace.name=dp-bank "
                                          "k8s.pod.ip=fd00::7");
    uint32_t risk = resolve(&bed, PROD("risk", "bank"));
    uint32_t dev = resolve(&bed, CART);

    resolve(&bed, PROD("db", "one"));
    resolve(&bed, PROD("db", "two"));
    CHECK(host_is(&bed, cart, "pay", pay));
    CHECK(host_is(&bed, risk, "pay", pay2));
    CHECK(host_is(&bed, cart, "PAY:8080", pay));
    CHECK(host_is(&bed, risk, "cart", cart));
    CHECK(host_is(&bed, risk, "cart-svc", cart));
    CHECK(host_is(&bed, cart, "risk.", risk));
    CHECK(host_is(&bed, cart, "pay.dp-bank.svc.cluster.local:80", pay2));
    CHECK(host_is(&bed, cart, "pay.dp-bank", pay2));
    CHECK(host_is(&bed, cart, "pay.dp-bank.svc", pay2));
    CHECK(host_is(&bed, cart, "risk.elsewhere.svc", risk));
    CHECK(host_is(&bed, cart, "risk.elsewhere", NOBODY));
    CHECK(host_is(&bed, cart, "risk.shop", risk));
    CHECK(host_is(&bed, cart, "pay.example.com", NOBODY));
    CHECK(host_is(&bed, cart, "db", NOBODY)); /* two projects have it */
    CHECK(host_is(&bed, dev, "pay", NOBODY)); /* not in this environment */
    CHECK(host_is(&bed, pay, "10.0.0.7:5432", cart));
    CHECK(host_is(&bed, pay, "[fd00::7]:80", pay2));
    CHECK(host_is(&bed, pay, "fd00::7", pay2));
    CHECK(host_is(&bed, pay, "10.0.0.8", NOBODY));
    CHECK(host_is(&bed, pay, "", NOBODY));
    CHECK(host_is(&bed, pay, ":80", NOBODY));
    CHECK(host_is(&bed, pay, "[", NOBODY));
    CHECK(host_is(&bed, pay, ".", NOBODY));
    CHECK(host_is(&bed, pay, "a..b", NOBODY));
    restart(&bed);
    CHECK(host_is(&bed, cart, "pay.dp-bank", pay2));
    CHECK(host_is(&bed, risk, "cart-svc", cart));
    bed_release(&bed);
}

/* ---- bounds ---- */

TEST(overflow_and_forgetting)
{
    struct bed bed;
    struct registry_options few = {
        .max_resources = 50, .max_identities = 40, .forget_ns = NS_PER_HOUR};
    struct registry_options keep = options;

    options = few;
    bed_init(&bed);

    uint32_t last = 0;
    char text[80];
    uint64_t before = stats_get(STATS_RESOURCES_OVERFLOW);

    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof(text), "service.name=s%d k8s.pod.uid=u%d", i, i);
        last = resolve(&bed, text);
    }
    CHECK(is(&bed, last, "5 default///default"));
    CHECK(stats_get(STATS_RESOURCES_OVERFLOW) >= before + 150);
    CHECK(bed.store->resources <= 51);
    CHECK(bed.store->identities <= 41);
    CHECK(resolves(&bed, "service.name=s3 k8s.pod.uid=u3",
                   "4 default/default/s3/default"));

    /* An hour later all but the one that still sends can go. */
    struct resource still = {
        .attrs = attrs_of(&bed, "service.name=s3 k8s.pod.uid=u3")};

    registry_resolve(bed.registry, &still, NOW + NS_PER_HOUR);

    uint32_t id = still.id;
    struct resource fresh = {.attrs = attrs_of(&bed, "k8s.pod.uid=u99")};

    registry_resolve(bed.registry, &fresh, NOW + NS_PER_HOUR + NS_PER_MIN);
    CHECK(fresh.id != last);
    CHECK(is(&bed, id, "4 default/default/s3/default"));
    CHECK_EQ(selected(&bed, (struct scope_filter){0}), 3); /* and overflow */
    registry_resolve(bed.registry, &still, NOW + 2 * NS_PER_HOUR);
    CHECK_EQ(still.id, id);

    /* What stays can still be learned. */
    struct resource stamp = {.attrs = attrs_of(&bed,
                                               PROJECT "=shop " COMPONENT "=s3 "
                                                       "k8s.pod.uid=u3")};

    registry_resolve(bed.registry, &stamp, NOW + 2 * NS_PER_HOUR);
    CHECK(slice_equal(SLICE("3 "), (struct slice){who(&bed, id), 2}));
    restart(&bed);
    CHECK_EQ(resolve(&bed, "service.name=s3 k8s.pod.uid=u3"), id);
    bed_release(&bed);
    options = keep;
}

TEST(pods_that_wait_no_more_leave_room_for_others_to_wait)
{
    struct bed bed;
    struct registry_options keep = options;
    struct identity identity;
    char text[120];

    /* Twenty may wait at a time. */
    options =
        (struct registry_options){.max_resources = 100, .max_identities = 40};
    bed_init(&bed);
    for (int i = 0; i < 25; i++) {
        snprintf(text, sizeof(text), "service.name=s k8s.pod.uid=u%d", i);
        uint32_t first = resolve(&bed, text);
        uint32_t own = registry_identity_id(bed.registry, first);
        snprintf(text, sizeof(text),
                 PROJECT "=shop " COMPONENT "=c k8s.pod.uid=u%d", i);
        uint32_t stamped =
            registry_identity_id(bed.registry, resolve(&bed, text));
        CHECK(own != stamped);
        CHECK_EQ(registry_identity_id(bed.registry, first), stamped);
        /* What was derived under its own goes along. */
        CHECK(registry_identity(bed.registry, own, &bed.arena, &identity));
        CHECK_EQ(identity.id, stamped);
        if (i == 12)
            restart(&bed);
    }
    bed_release(&bed);
    options = keep;
}

TEST(what_the_store_has_no_more_is_forgotten_without_an_age)
{
    struct bed bed;
    struct registry_options keep = options;
    uint64_t later = NOW + 30 * NS_PER_DAY;

    options =
        (struct registry_options){.max_resources = 2, .max_identities = 40};
    bed_init(&bed);
    struct resource old = {.attrs = attrs_of(&bed, COMPONENT "=old")};
    struct resource still = {.attrs = attrs_of(&bed, COMPONENT "=still")};
    struct resource fresh = {.attrs = attrs_of(&bed, COMPONENT "=fresh")};

    registry_resolve(bed.registry, &old, NOW);
    registry_resolve(bed.registry, &still, NOW + 5 * NS_PER_DAY);

    /* Its records may still be there. */
    bed.store->oldest_ns = NOW + NS_PER_DAY;
    registry_resolve(bed.registry, &fresh, later);
    CHECK_EQ(who(&bed, fresh.id)[0], '5');

    bed.store->oldest_ns = NOW + 2 * NS_PER_DAY;
    registry_resolve(bed.registry, &fresh, later + NS_PER_MIN);
    CHECK_EQ(fresh.id, old.id);
    CHECK_EQ(who(&bed, fresh.id)[0], '1');
    uint32_t id = still.id;
    registry_resolve(bed.registry, &still, later + NS_PER_MIN);
    CHECK_EQ(still.id, id);
    bed_release(&bed);
    options = keep;
}

TEST(flood_stays_small_and_fast)
{
    struct bed bed;
    struct registry_options large = {.max_resources = 65536,
                                     .max_identities = 16384};
    struct registry_options keep = options;

    options = large;
    bed_init(&bed);

    uint64_t start_ns = clock_monotonic_ns();
    char uid[24], name[24];
    struct attr at[2] = {
        {.key = "k8s.pod.uid", .key_len = 11, .type = VALUE_STRING, .str = uid},
        {.key = COMPONENT,
         .key_len = sizeof(COMPONENT) - 1,
         .type = VALUE_STRING,
         .str = name}};

    for (int i = 0; i < 1000000; i++) {
        struct resource resource = {.attrs = {at, 2, 0}};

        at[0].len = (uint32_t)snprintf(uid, sizeof(uid), "uid-%d", i);
        at[1].len = (uint32_t)snprintf(name, sizeof(name), "c-%d", i);
        registry_resolve(bed.registry, &resource, NOW);
    }

    uint64_t flood_ns = clock_monotonic_ns() - start_ns;

    start_ns = clock_monotonic_ns();
    CHECK_EQ(
        selected(&bed, (struct scope_filter){.namespace = SLICE("default")}),
        65537); /* and overflow */
    printf("# flood %.0f ns each, select %.0f us\n", (double)flood_ns / 1e6,
           (double)(clock_monotonic_ns() - start_ns) / 1e3);
    CHECK(bed.store->resources <= 65537);
    CHECK(bed.store->identities <= 16385);
    bed_release(&bed);
    options = keep;
}

TEST(long_names_are_cut)
{
    struct bed bed;
    char name[400];

    bed_init(&bed);
    memset(name, 'x', sizeof(name));
    name[254] = '\xc3'; /* a character that does not fit whole */
    name[255] = '\xa4';

    struct attr at = {.key = COMPONENT,
                      .key_len = sizeof(COMPONENT) - 1,
                      .type = VALUE_STRING,
                      .str = name,
                      .len = sizeof(name)};
    struct resource resource = {.attrs = {&at, 1, 0}};
    struct identity i;

    registry_resolve(bed.registry, &resource, NOW);
    registry_resource_identity(bed.registry, resource.id, &bed.arena, &i);
    CHECK_EQ(i.component.len, 254);
    bed_release(&bed);
}

TEST(endpoint_label)
{
    struct bed bed;

    bed_init(&bed);

    struct attrs attrs =
        attrs_of(&bed, "a=b k8s.pod.labels.openchoreo.dev/endpoint-name=http");

    CHECK(slice_equal(registry_endpoint_label(bed.registry, &attrs),
                      SLICE("http")));
    attrs.count = 1;
    CHECK_EQ(registry_endpoint_label(bed.registry, &attrs).len, 0);
    bed_release(&bed);
}

/* ---- threads ---- */

static void *ask(void *arg)
{
    struct registry *registry = arg;
    struct arena arena;
    uint32_t count;

    arena_init(&arena, NULL, SIZE_MAX);
    for (int i = 0; i < 300; i++) {
        struct identity identity;

        registry_select(registry, &(struct scope_filter){0}, &arena);
        registry_components(registry, &(struct scope_filter){0}, &arena,
                            &count);
        registry_resource_identity(registry, (uint32_t)i, &arena, &identity);
        arena_reset(&arena);
    }
    arena_release(&arena);
    return NULL;
}

TEST(readers_beside_the_writer)
{
    struct bed bed;
    pthread_t thread;
    char text[96];

    bed_init(&bed);
    pthread_create(&thread, NULL, ask, bed.registry);
    for (int i = 0; i < 400; i++) {
        snprintf(text, sizeof(text), "service.name=s%d k8s.pod.uid=u%d", i, i);

        uint32_t identity = identity_of(&bed, resolve(&bed, text));

        registry_derived_resource(bed.registry, identity);
        registry_touch(bed.registry, identity, SIGNAL_LOGS, (uint64_t)i);
        snprintf(text, sizeof(text), COMPONENT "=s%d k8s.pod.uid=u%d", i, i);
        resolve(&bed, text);
    }
    pthread_join(thread, NULL);
    bed_release(&bed);
}

TEST(names_beyond_their_room)
{
    struct bed bed;
    struct registry_options keep = options;
    char name[256], uid[32];
    struct attr at[2] = {{.key = COMPONENT,
                          .key_len = sizeof(COMPONENT) - 1,
                          .type = VALUE_STRING,
                          .str = name,
                          .len = 250},
                         {.key = "k8s.pod.uid",
                          .key_len = 11,
                          .type = VALUE_STRING,
                          .str = uid}};
    struct resource resource = {.attrs = {at, 2, 0}};

    options = (struct registry_options){.max_resources = 2000,
                                        .max_identities = 2000,
                                        .forget_ns = NS_PER_HOUR};
    bed_init(&bed);
    memset(name, 'x', sizeof(name));
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(name, sizeof(name), "%u", i);
        name[strlen(name)] = 'x';
        at[1].len = (uint32_t)snprintf(uid, sizeof(uid), "u%u", i);
        registry_resolve(bed.registry, &resource, NOW);
    }
    CHECK(is(&bed, resource.id, "5 default///default"));

    /* What was no room for stays so; what is known stays known. */
    restart(&bed);
    memset(name, 'x', sizeof(name));
    name[0] = '0';
    at[1].len = (uint32_t)snprintf(uid, sizeof(uid), "u0");
    registry_resolve(bed.registry, &resource, NOW);
    CHECK_EQ(resource.id, 0);
    CHECK_EQ(who(&bed, 0)[0], '1');
    at[1].len = (uint32_t)snprintf(uid, sizeof(uid), "new");
    registry_resolve(bed.registry, &resource, clock_wall_ns() + NS_PER_DAY);
    CHECK_EQ(who(&bed, resource.id)[0], '1');
    bed_release(&bed);
    options = keep;
}

/* "component=<name of 200 bytes, told apart by i>" */
static const char *long_name(int i)
{
    static char text[300];
    int len = snprintf(text, sizeof(text), COMPONENT "=c%d", i);

    memset(text + len, 'x', 200);
    text[len + 200] = '\0';
    return text;
}

TEST(a_restart_with_less_room_keeps_what_is_known)
{
    enum { COUNT = 900 }; /* names of three times the least room */
    struct bed bed;
    struct registry_options keep = options;
    char last[1100];

    options = (struct registry_options){.max_resources = 2000,
                                        .max_identities = 2000};
    bed_init(&bed);
    for (int i = 0; i < COUNT; i++)
        CHECK_EQ(resolve(&bed, long_name(i)), (uint32_t)i);
    snprintf(last, sizeof(last), "%s", who(&bed, COUNT - 1));
    CHECK_EQ(last[0], '1');

    options.max_resources = options.max_identities = 10;
    options.forget_ns = NS_PER_HOUR;
    restart(&bed);
    CHECK(is(&bed, COUNT - 1, last));

    /* What is forgotten makes room, and what stays keeps its names. */
    struct resource still = {.attrs = attrs_of(&bed, long_name(COUNT - 1))};
    struct resource fresh = {.attrs = attrs_of(&bed, COMPONENT "=new")};
    uint64_t later = clock_wall_ns() + 2 * NS_PER_HOUR;

    registry_resolve(bed.registry, &still, later);
    CHECK_EQ(still.id, COUNT - 1);
    registry_resolve(bed.registry, &fresh, later);
    CHECK(is(&bed, COUNT - 1, last));
    options.max_resources = options.max_identities = 2000;
    restart(&bed);
    CHECK(is(&bed, COUNT - 1, last));
    bed_release(&bed);
    options = keep;
}

/* Against the plainest model: resources of a few pods come in any order,
 * stamped or not, and now and then all is closed and opened again. */
TEST(agrees_with_a_model)
{
    enum { PODS = 6, COMPONENTS = 4, KINDS = 12, STEPS = 400 };
    struct bed bed;
    int want[PODS][KINDS]; /* component of a resource; -1: waits; -2: new */
    int latest[PODS];
    uint32_t ids[PODS][KINDS];
    char text[96];

    bed_init(&bed);
    for (int p = 0; p < PODS; p++) {
        latest[p] = -1;
        for (int k = 0; k < KINDS; k++)
            want[p][k] = -2;
    }
    for (int step = 0; step < STEPS; step++) {
        int p = (int)test_random(PODS), k = (int)test_random(KINDS);
        int stamp = k < COMPONENTS ? k : -1;

        if (k < COMPONENTS && test_random(8) > 0)
            continue; /* so that many wait for long */
        if (stamp >= 0)
            snprintf(text, sizeof(text), "k8s.pod.uid=u%d " COMPONENT "=c%d", p,
                     stamp);
        else
            snprintf(text, sizeof(text), "k8s.pod.uid=u%d %s=s%d", p,
                     k % 2 ? "service.name" : "x", k);
        ids[p][k] = resolve(&bed, text);
        if (want[p][k] == -2) {
            if (stamp >= 0)
                latest[p] = stamp;
            want[p][k] = latest[p];
            for (int i = 0; i < KINDS; i++)
                if (want[p][i] == -1)
                    want[p][i] = latest[p];
        }
        if (test_random(20) == 0)
            restart(&bed);
        for (int q = 0; q < PODS; q++)
            for (int i = 0; i < KINDS; i++) {
                if (want[q][i] == -2)
                    continue;
                snprintf(text, sizeof(text), "%d default/default/c%d/default",
                         i < COMPONENTS ? RULE_STAMPED : RULE_LEARNED,
                         want[q][i]);
                if (want[q][i] == -1)
                    snprintf(text, sizeof(text),
                             i % 2 ? "4 default/default/s%d/default"
                                   : "5 default///default",
                             i);
                if (!CHECK(is(&bed, ids[q][i], text)))
                    goto out;
            }
    }
out:
    bed_release(&bed);
}

TEST(other_label_names)
{
    struct bed bed;
    struct registry_options keep = options;

    options.keys.component = SLICE("example.com/app");
    bed_init(&bed);
    CHECK(resolves(&bed, "k8s.pod.labels.example.com/app=cart " PROJECT "=shop",
                   "1 default/shop/cart/default"));
    CHECK(resolves(&bed, COMPONENT "=pay", "5 default///default"));
    bed_release(&bed);
    options = keep;
}
