/* Rules of identity: what a resource or a record resolves to. */
#include "registry_kit.h"

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
    struct component_info *infos = registry_components(
        bed.registry, &filter, &viewer_all, &bed.arena, &count);

    CHECK_EQ(count, 1);
    CHECK_EQ(infos[0].last_seen_ns[SIGNAL_LOGS], NOW + NS_PER_S);
    CHECK_EQ(infos[0].last_seen_ns[SIGNAL_SPANS], 0);
    bed_release(&bed);
}

/* ---- rules ---- */

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
    struct bitmap *names =
        registry_select(bed.registry, &by_name, &viewer_all, &bed.arena);
    struct bitmap *one =
        registry_select(bed.registry, &by_uid, &viewer_all, &bed.arena);

    CHECK_EQ(names->count, 5);
    CHECK_EQ(one->count, 3);
    CHECK(bitmap_has(one, first) && bitmap_has(one, with) &&
          bitmap_has(one, uid));
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
    /* labels of the scraper's own pod do not apply to the record */
    CHECK(is(&bed, plain, "4 default/default/prometheus/default"));
    /* the identity of a stamped resource is that of its records */
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

/* kube-state-metrics, scraped without honor_labels: "pod" is its own. */
TEST(pod_that_prometheus_renamed)
{
    struct bed bed;
    const char *scraper = "service.name=kube-state-metrics";

    bed_init(&bed);
    resolve(&bed, CART " k8s.namespace.name=dp k8s.pod.name=cart-1");

    uint32_t own = resolve_record(&bed, scraper, "namespace=mon pod=ksm-0");
    uint32_t cart = resolve_record(&bed, scraper,
                                   "namespace=mon pod=ksm-0 "
                                   "exported_namespace=dp exported_pod=cart-1");

    CHECK(is(&bed, cart, "3 acme/shop/cart/dev"));
    CHECK(is(&bed, own, "4 default/default/kube-state-metrics/default"));
    CHECK(is(&bed,
             resolve_record(&bed, scraper,
                            "exported_namespace=dp exported_pod=cart-1"),
             "3 acme/shop/cart/dev"));
    CHECK(is(&bed,
             resolve_record(&bed, scraper,
                            "namespace=mon pod=ksm-0 exported_pod=cart-1"),
             "4 default/default/kube-state-metrics/default"));
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
