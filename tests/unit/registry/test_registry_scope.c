/* Pods, scopes, components, hosts. */
#include "registry_kit.h"

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

static uint32_t of_run(struct bed *bed, const char *run, const char *task)
{
    return selected(bed, (struct scope_filter){.namespace = SLICE("acme"),
                                               .workflow_run = slice_of(run),
                                               .task = slice_of(task)});
}

/* Argo's annotation has the run and the place of the step in it. */
TEST(steps_inside_the_name_of_the_node)
{
    struct bed bed;

    bed_init(&bed);
#define NODE(pod, name) \
    STEP(pod) " k8s.pod.annotations.workflows.argoproj.io/node-name=" name
    resolve(&bed, NODE("run-1", "run[0].clone"));
    resolve(&bed, NODE("run-2", "run[1].build"));
    resolve(&bed, NODE("run-3", "run.scan"));
    resolve(&bed, NODE("run-4", "run[2].publish[0].push"));
    resolve(&bed, NODE("run-5", "run[3].test(0:a.b)"));
    resolve(&bed, NODE("run-6-build-image", "run[4].sign"));
    CHECK_EQ(of_run(&bed, "run", ""), 6);
    CHECK_EQ(of_run(&bed, "run", "clone"), 1);
    CHECK_EQ(of_run(&bed, "run", "build"), 1);
    CHECK_EQ(of_run(&bed, "run", "scan"), 1);
    CHECK_EQ(of_run(&bed, "run", "publish"), 1);
    CHECK_EQ(of_run(&bed, "run", "push"), 1);
    CHECK_EQ(of_run(&bed, "run", "test"), 1);
    CHECK_EQ(of_run(&bed, "run", "clo"), 0);
    CHECK_EQ(of_run(&bed, "run", "run"), 0);
    bed_release(&bed);
}

TEST(containers_that_argo_adds_are_left_out)
{
    struct bed bed;

    bed_init(&bed);
    resolve(&bed, STEP("run-1 k8s.container.name=main"));
    resolve(&bed, STEP("run-1 k8s.container.name=init"));
    resolve(&bed, STEP("run-1 k8s.container.name=wait"));
    resolve_record(&bed, "service.name=fluent-bit",
                   STEP("run-2 k8s.container.name=main"));
    resolve_record(&bed, "service.name=fluent-bit",
                   STEP("run-2 k8s.container.name=wait"));
    CHECK_EQ(of_run(&bed, "run", ""), 2);
    restart(&bed);
    CHECK_EQ(of_run(&bed, "run", ""), 2);
    bed_release(&bed);
}

/* The k8s events receiver: namespace on the record, the object in the resource;
 * others have it the other way round. */
TEST(events_of_a_workflow)
{
    struct bed bed;

    bed_init(&bed);
    resolve_record(&bed, "k8s.object.kind=Pod k8s.object.name=run-1",
                   "k8s.namespace.name=workflows-acme k8s.event.reason=Pulled");
    resolve_record(&bed, "k8s.namespace.name=workflows-acme",
                   "k8s.object.kind=Pod k8s.object.name=run-2");
    resolve_record(&bed, "k8s.object.kind=Workflow k8s.object.name=run",
                   "k8s.namespace.name=workflows-acme");
    resolve_record(&bed, "k8s.object.kind=Pod k8s.object.name=run-3",
                   "k8s.namespace.name=other");
    CHECK_EQ(of_run(&bed, "run", ""), 3);
    restart(&bed);
    CHECK_EQ(of_run(&bed, "run", ""), 3);
    bed_release(&bed);
}

/* A collector's own pod is not the object's. */
TEST(an_event_is_about_its_object)
{
    struct bed bed;

    bed_init(&bed);
    resolve(&bed, CART " k8s.namespace.name=dp k8s.pod.name=cart-1");
    CHECK(is(&bed,
             resolve_record(&bed,
                            "k8s.object.kind=Pod k8s.object.name=cart-1 "
                            "k8s.pod.name=collector-1",
                            "k8s.namespace.name=dp"),
             "3 acme/shop/cart/dev"));
    CHECK(resolves(&bed,
                   "k8s.object.kind=Node k8s.object.name=n "
                   "k8s.namespace.name=dp k8s.pod.name=cart-1",
                   "5 default///default"));
    bed_release(&bed);
}

/* The resource is stamped and has no pod; its records have. */
TEST(a_pod_that_stands_on_the_record_only)
{
    struct bed bed;
    uint32_t id;

    bed_init(&bed);
    id = resolve_record(&bed, CART, STEP("run-1"));
    CHECK(is(&bed, id, "1 acme/shop/cart/dev"));
    CHECK_EQ(of_run(&bed, "run", ""), 1);
    restart(&bed);
    CHECK(is(&bed, id, "1 acme/shop/cart/dev"));
    CHECK_EQ(of_run(&bed, "run", ""), 1);
    /* the pod does not become the sender's by that */
    CHECK(resolves(&bed, STEP("run-1"), "5 default///default"));
    /* nor do records count that speak of the resource's own pod */
    CHECK_EQ(resolve_record(&bed, CART " k8s.namespace.name=n k8s.pod.name=p",
                            STEP("run-1")),
             resolve(&bed, CART " k8s.namespace.name=n k8s.pod.name=p"));
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

    struct component_info *infos =
        registry_components(bed.registry, &(struct scope_filter){0},
                            &viewer_all, &bed.arena, &count);

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
                                &viewer_all, &bed.arena, &count);
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
        got == (want == NOBODY ? IDENTITY_NONE : identity_of(bed, want)) &&
        got == registry_host_component(bed->registry, identity_of(bed, from),
                                       slice_of(host));

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
