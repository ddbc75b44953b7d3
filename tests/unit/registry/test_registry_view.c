/* What a viewer sees of a scope, and what may be asked for. */
#include "registry_kit.h"

static struct grant grant_of(const char *space, const char *project,
                             const char *component, const char *environment)
{
    return (struct grant){ACTION_BIT(ACTION_LOGS_VIEW),
                          {{slice_of(space), slice_of(project),
                            slice_of(component), slice_of(environment)}}};
}

static struct viewer viewer_of(const struct grant *grant)
{
    return (struct viewer){{grant, 1}, ACTION_LOGS_VIEW};
}

static uint32_t seen(struct bed *bed, const struct viewer *viewer,
                     struct scope_filter filter)
{
    uint32_t count;
    struct bitmap *set =
        registry_select(bed->registry, &filter, viewer, &bed->arena);
    struct component_info *infos = registry_components(
        bed->registry, &filter, viewer, &bed->arena, &count);

    for (uint32_t i = 0; i < count; i++)
        CHECK(viewer_sees(viewer, &infos[i].identity));
    return set->count;
}

#define UID     "5b0d0000-1111-2222-3333-444455556666"
#define ANY     ((struct scope_filter){0})
#define IN(...) ((struct scope_filter){__VA_ARGS__})

TEST(a_viewer_sees_what_the_grants_cover)
{
    struct grant shop = grant_of("acme", "shop", "*", "*");
    struct grant acme = grant_of("acme", "*", "*", "*");
    struct grant all = grant_of("*", "*", "*", "*");
    struct grant cart = grant_of("*", "*", "cart", "dev");
    struct viewer viewer;
    struct bed bed;

    bed_init(&bed);
    resolve(&bed, CART);
    resolve(&bed, NS "=acme " PROJECT "=bank " COMPONENT "=cart");
    resolve(&bed, NS "=evil " PROJECT "=shop " COMPONENT "=cart");
    resolve(&bed, NS "=acme k8s.pod.name=p k8s.namespace.name=n");

    viewer = viewer_of(&all);
    CHECK(viewer_sees_all(&viewer));
    CHECK_EQ(seen(&bed, &viewer, ANY), 4);
    viewer = viewer_of(&acme);
    CHECK(!viewer_sees_all(&viewer));
    CHECK_EQ(seen(&bed, &viewer, ANY), 3);
    CHECK_EQ(seen(&bed, &viewer, IN(.namespace = SLICE("evil"))), 0);
    viewer = viewer_of(&shop);
    CHECK_EQ(seen(&bed, &viewer, ANY), 1);
    CHECK_EQ(seen(&bed, &viewer, IN(.namespace = SLICE("acme"))), 1);
    viewer = viewer_of(&cart);
    CHECK_EQ(seen(&bed, &viewer, ANY), 1);
    viewer.action = ACTION_TRACES_VIEW;
    CHECK_EQ(seen(&bed, &viewer, ANY), 0);
    CHECK_EQ(seen(&bed, NULL, ANY), 0);
    bed_release(&bed);
}

/* The registry keeps the beginnings of longer names. */
TEST(names_of_grants_are_compared_whole)
{
    enum { LONG = 4096 };
    char name[LONG + 2], text[LONG + 200];
    struct grant exact, longer;
    struct viewer viewer;
    struct identity kept;
    struct bed bed;

    bed_init(&bed);
    memset(name, 'n', LONG + 1);
    name[LONG + 1] = '\0';
    snprintf(text, sizeof(text), NS "=%.*s " COMPONENT "=c", LONG, name);
    registry_resource_identity(bed.registry, resolve(&bed, text), &bed.arena,
                               &kept);
    exact = grant_of("", "*", "*", "*");
    exact.scope.namespace = kept.namespace;
    viewer = viewer_of(&exact);
    CHECK_EQ(seen(&bed, &viewer, ANY), 1);
    longer = grant_of(name, "*", "*", "*");
    longer.scope.namespace.len = kept.namespace.len + 1;
    viewer = viewer_of(&longer);
    CHECK_EQ(seen(&bed, &viewer, ANY), 0);
    bed_release(&bed);
}

/* Each grant by itself, and only those with the action. */
TEST(several_grants)
{
    struct grant grants[] = {grant_of("acme", "none", "*", "*"),
                             grant_of("*", "*", "*", "*"),
                             grant_of("acme", "*", "cart", "*")};
    struct viewer viewer = {{grants, 3}, ACTION_LOGS_VIEW};
    struct bed bed;

    grants[1].actions = ACTION_BIT(ACTION_TRACES_VIEW);
    bed_init(&bed);
    resolve(&bed, CART);
    resolve(&bed, NS "=acme " PROJECT "=bank " COMPONENT "=pay");
    resolve(&bed, NS "=evil " PROJECT "=none " COMPONENT "=cart");
    CHECK_EQ(seen(&bed, &viewer, ANY), 1);
    bed_release(&bed);
}

/* What a resource resolves to changes; what may be seen changes with it. */
TEST(a_viewer_sees_by_the_present_identity)
{
    struct grant acme = grant_of("acme", "*", "*", "*");
    struct grant spare = grant_of("default", "*", "*", "*");
    struct viewer of_acme = viewer_of(&acme), of_default = viewer_of(&spare);
    struct bed bed;

    bed_init(&bed);
    resolve(&bed, "service.name=cart k8s.pod.uid=u1");
    CHECK_EQ(seen(&bed, &of_acme, ANY), 0);
    CHECK_EQ(seen(&bed, &of_default, ANY), 1);
    resolve(&bed, CART " k8s.pod.uid=u1");
    CHECK_EQ(seen(&bed, &of_acme, ANY), 2);
    CHECK_EQ(seen(&bed, &of_default, ANY), 0);
    bed_release(&bed);
}

/* A workflow's pods have no labels: their Kubernetes namespace counts, unless
 * they are known to be somebody's. */
TEST(a_viewer_sees_the_workflows_of_the_namespace)
{
    struct grant acme = grant_of("acme", "*", "*", "*");
    struct grant shop = grant_of("acme", "shop", "*", "*");
    struct viewer of_acme = viewer_of(&acme), of_shop = viewer_of(&shop);
    struct scope_filter run = {.namespace = SLICE("acme"),
                               .workflow_run = SLICE("build")};
    struct bed bed;

    bed_init(&bed);
    resolve(&bed, "k8s.namespace.name=workflows-acme k8s.pod.name=build-1");
    resolve(&bed, NS "=evil k8s.namespace.name=workflows-acme "
                     "k8s.pod.name=build-2");
    CHECK_EQ(seen(&bed, &viewer_all, run), 2);
    CHECK_EQ(seen(&bed, &of_shop, run), 0);
    CHECK_EQ(registry_select(bed.registry, &run, &of_acme, &bed.arena)->count,
             1);
    bed_release(&bed);
}

static bool may(struct bed *bed, const struct grant *grant, bool narrowed,
                struct scope_filter filter)
{
    struct viewer viewer = viewer_of(grant);

    return registry_may_ask(bed->registry, &filter, &viewer, narrowed);
}

TEST(what_may_be_asked_for)
{
    struct grant shop = grant_of("acme", "shop", "*", "*");
    struct grant acme = grant_of("acme", "*", "*", "*");
    struct bed bed;

    bed_init(&bed);
    resolve(&bed, CART " openchoreo.dev/project-uid=" UID);
    resolve(&bed, NS "=evil " PROJECT "=bank " COMPONENT
                     "=a openchoreo.dev/project-uid=u2");
    resolve(&bed, NS "=acme " PROJECT "=bank " COMPONENT
                     "=a openchoreo.dev/project-uid=u3");

#define SHOP .namespace = SLICE("acme"), .project
    CHECK(may(&bed, &shop, false, IN(SHOP = SLICE("shop"))));
    CHECK(may(&bed, &shop, false, IN(SHOP = SLICE(UID))));
    CHECK(may(&bed, &shop, false,
              IN(SHOP = SLICE("shop"), .component = SLICE("none"))));
    /* of another project, of another namespace, of nothing: all the same */
    CHECK(!may(&bed, &shop, false, IN(SHOP = SLICE("bank"))));
    CHECK(!may(&bed, &shop, false, IN(SHOP = SLICE("u3"))));
    CHECK(!may(&bed, &shop, false, IN(SHOP = SLICE("u2"))));
    CHECK(!may(&bed, &shop, false, IN(SHOP = SLICE("u4"))));
    /* wider than the grant */
    CHECK(!may(&bed, &shop, false, IN(.namespace = SLICE("acme"))));
    CHECK(may(&bed, &shop, true, IN(.namespace = SLICE("acme"))));
    CHECK(may(&bed, &shop, true, ANY));
    CHECK(!may(&bed, &shop, true, IN(.namespace = SLICE("evil"))));
    CHECK(!may(&bed, &shop, true, IN(SHOP = SLICE("bank"))));
    CHECK(may(&bed, &shop, true, IN(SHOP = SLICE(UID))));
    CHECK(may(&bed, &acme, false, IN(SHOP = SLICE("u2"))));
    CHECK(!may(&bed, &acme, false, IN(.namespace = SLICE("evil"))));
    CHECK(!may(&bed, &acme, false, ANY));
    CHECK(
        !registry_may_ask(bed.registry, &(struct scope_filter){0}, NULL, true));
    bed_release(&bed);
}
