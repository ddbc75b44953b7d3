/* Registries that share resources: all of them come to the same names, in
 * whatever order they learn of them. */
#include "registry_shared.h"
#include "shared_log_kit.h"

enum { INSTANCES = 3 };

static struct shared_log resource_log;
static struct instance at[INSTANCES];

static void begin(void)
{
    log_init(&resource_log);
    for (uint32_t i = 0; i < INSTANCES; i++)
        join(&at[i], &resource_log, i);
}

static void end(void)
{
    free_writers(&at[0].bed);
    for (uint32_t i = 0; i < INSTANCES; i++)
        part(&at[i]);
    log_release(&resource_log);
}

static void share(void)
{
    catch_up(at, INSTANCES, NOW + NS_PER_HOUR);
}

static bool is_named(struct instance *instance, uint64_t key, const char *want)
{
    return is(&instance->bed, instance->ask.find(instance->ask.arg, key), want);
}

/* All have the same names for every key, and so has one that starts now. */
static void check_agreement(const char *where)
{
    struct instance late;

    share();
    join(&late, &resource_log, INSTANCES);
    for (uint32_t i = 0; i < resource_log.count; i++) {
        uint64_t key = resource_log.rows[i].fact.key;
        const char *first;

        if (!key)
            continue;
        first = who_is(&at[0], key);
        for (int k = 1; k < INSTANCES; k++)
            if (strcmp(first, who_is(&at[k], key)) != 0) {
                printf("# %s: %016llx is %s, and %s on %d\n", where,
                       (unsigned long long)key, first, who_is(&at[k], key), k);
                CHECK(false);
                goto done;
            }
        if (strcmp(first, who_is(&late, key)) != 0) {
            printf("# %s: %016llx is %s, and %s after a restart\n", where,
                   (unsigned long long)key, first, who_is(&late, key));
            CHECK(false);
            goto done;
        }
    }
done:
    part(&late);
}

#define UID       "openchoreo.dev/component-uid"
#define POD_SPANS "service.name=cart k8s.pod.uid=u1"
#define POD_LOGS  "k8s.namespace.name=dp-1 k8s.pod.name=cart-7f stream=stdout"
#define POD_METRICS \
    "k8s.pod.uid=u1 k8s.pod.name=cart-7f k8s.namespace.name=dp-1 a=1"

TEST(keys_are_the_same_everywhere)
{
    uint32_t here, there;

    begin();
    (void)send_at(&at[1], "service.name=before", NOW);
    here = send_at(&at[0], "service.name=cart a=1", NOW);
    there = send_at(&at[1], "a=1 service.name=cart", NOW + 1);
    CHECK(here != there);
    CHECK(key_of(&at[0], here) != 0);
    CHECK_EQ(key_of(&at[0], here), key_of(&at[1], there));
    check_agreement("keys");
    CHECK_EQ(at[2].ask.find(at[2].ask.arg, 1), RESOURCE_NONE);
    end();
}

TEST(a_pod_learned_on_one_instance_is_learned_on_all)
{
    uint64_t spans, logs;

    begin();
    spans = key_of(&at[0], send_at(&at[0], POD_SPANS, NOW));
    logs = key_of(&at[1], send_at(&at[1], POD_LOGS, NOW + 1));
    share();
    CHECK(is_named(&at[2], spans, "4 default/default/cart/default"));
    CHECK(is_named(&at[2], logs, "5 default///default"));
    (void)send_at(&at[2], POD_METRICS, NOW + 2);
    (void)send_at(&at[2], "k8s.pod.uid=u1 " CART, NOW + 3);
    share();
    for (int i = 0; i < INSTANCES; i++) {
        CHECK(is_named(&at[i], spans, "3 acme/shop/cart/dev"));
        CHECK(is_named(&at[i], logs, "3 acme/shop/cart/dev"));
    }
    check_agreement("pod");
    end();
}

static const struct resource_selection *select_of(struct instance *instance,
                                                  const char *component,
                                                  bool derived)
{
    struct scope_filter filter = {.component = slice_of(component)};
    const struct bitmap *set = registry_select(
        instance->bed.registry, &filter, &viewer_all, &instance->bed.arena);

    return instance->ask.select(instance->ask.arg, set, derived,
                                &instance->bed.arena);
}

static bool has_names(const struct resource_selection *selection,
                      const char *namespace, const char *component)
{
    for (uint32_t i = 0; i < selection->name_count; i++)
        if (slice_equal(selection->names[i].namespace, slice_of(namespace)) &&
            slice_equal(selection->names[i].component, slice_of(component)))
            return true;
    return false;
}

static bool has_key(const struct resource_selection *selection, uint64_t key)
{
    for (uint32_t i = 0; i < selection->key_count; i++)
        if (selection->keys[i] == key)
            return true;
    return false;
}

TEST(a_selection_has_former_names)
{
    const struct resource_selection *got;
    uint64_t spans;

    begin();
    spans = key_of(&at[0], send_at(&at[0], POD_SPANS, NOW + 1));
    (void)send_at(&at[1],
                  "k8s.pod.uid=u1 " NS "=acme " PROJECT "=shop " COMPONENT
                  "=basket " ENVIRONMENT "=dev",
                  NOW + 9);
    share();
    /* Stamped earlier, but known later: it counts. */
    (void)send_at(&at[2], "k8s.pod.uid=u1 " CART, NOW + 2);
    share();
    for (int i = 0; i < INSTANCES; i++) {
        CHECK(is_named(&at[i], spans, "3 acme/shop/cart/dev"));
        got = select_of(&at[i], "cart", false);
        CHECK(has_key(got, spans));
        CHECK(has_names(got, "default", "cart"));
        CHECK(has_names(got, "acme", "cart"));
        CHECK(has_names(got, "acme", "basket")); /* records of at[0] */
        CHECK(!has_key(select_of(&at[i], "basket", false), spans));
    }
    end();
}

TEST(derived_series_follow_their_anchor)
{
    uint32_t id, identity, derived, there;
    uint64_t anchor;

    begin();
    id = send_at(&at[0], POD_SPANS, NOW);
    identity = registry_identity_id(at[0].bed.registry, id);
    derived = registry_derived_resource(at[0].bed.registry, identity);
    anchor = key_of(&at[0], derived);
    CHECK_EQ(anchor, key_of(&at[0], id));
    CHECK_EQ(at[0].ask.identity_anchor(at[0].ask.arg, identity), anchor);
    CHECK_EQ(at[0].ask.find_derived(at[0].ask.arg, anchor), derived);
    CHECK_EQ(at[0].ask.find_sender(at[0].ask.arg, anchor), derived);
    /* Senders without a component are told apart. */
    for (int i = 0; i < 2; i++) {
        id = send_at(&at[0], i ? "k8s.node.name=n1" : "k8s.node.name=n0", NOW);
        CHECK_EQ(at[0].ask.find_sender(at[0].ask.arg, key_of(&at[0], id)), id);
    }
    share();
    (void)send_at(&at[1], "k8s.pod.uid=u1 " CART, NOW + 3);
    share();
    for (int i = 0; i < INSTANCES; i++) {
        there = at[i].ask.find_derived(at[i].ask.arg, anchor);
        CHECK(is(&at[i].bed, there, "1 acme/shop/cart/dev"));
        CHECK_EQ(at[i].ask.find_sender(at[i].ask.arg, anchor), there);
        CHECK(has_key(select_of(&at[i], "cart", true), anchor));
        CHECK(has_names(select_of(&at[i], "cart", true), "default", "cart"));
        identity = at[i].ask.find_identity(at[i].ask.arg, anchor);
        CHECK_EQ(at[i].ask.find_identity(
                     at[i].ask.arg,
                     at[i].ask.identity_anchor(at[i].ask.arg, identity)),
                 identity);
    }
    /* What is written now has an anchor that stays. */
    CHECK(key_of(&at[0], derived) != anchor);
    end();
}

TEST(a_deletion_is_known_everywhere_and_what_comes_later_is_new)
{
    struct registry_deletion deletion;
    uint64_t before, after, other;

    begin();
    before = key_of(&at[0], send_at(&at[0], CART " a=1", NOW));
    other = key_of(&at[0], send_at(&at[0], NS "=bank " COMPONENT "=b", NOW));
    share();
    (void)send_at(&at[1], CART " a=2", NOW + 1); /* not known at at[0] */
    CHECK_EQ(registry_delete(at[0].bed.registry, SLICE("acme"),
                             NOW + NS_PER_HOUR, &deletion),
             OK);
    share();
    for (int i = 0; i < INSTANCES; i++) {
        CHECK(is_named(&at[i], before, "nobody"));
        CHECK_EQ(select_of(&at[i], "cart", false)->key_count, 0);
        CHECK(is_named(&at[i], other, "1 bank/default/b/default"));
    }
    check_agreement("deleted");
    for (int i = 0; i < INSTANCES; i++) {
        after =
            key_of(&at[i], send_at(&at[i], CART " a=1", NOW + 2 * NS_PER_HOUR));
        CHECK(after != before);
        CHECK(is_named(&at[i], after, "1 acme/shop/cart/dev"));
        CHECK(is_named(&at[i], before, "nobody"));
    }
    check_agreement("sent again");
    CHECK_EQ(select_of(&at[2], "cart", false)->key_count, 1);
    end();
}

TEST(a_tenant_does_not_claim_the_pod_of_another)
{
    uint64_t spans, own;

    begin();
    as_collector(&at[0].bed);
    spans = key_of(&at[0], send_at(&at[0], POD_SPANS, NOW + 5));
    as_evil(&at[1].bed);
    (void)send_at(&at[1], "k8s.pod.uid=u1 " COMPONENT "=trap", NOW);
    own = key_of(&at[1], send_at(&at[1], POD_SPANS, NOW + 1));
    share();
    CHECK(own != spans);
    for (int i = 0; i < INSTANCES; i++) {
        CHECK(is_named(&at[i], spans, "4 default/default/cart/default"));
        CHECK(is_named(&at[i], own, "3 evil/default/trap/default"));
    }
    (void)send_at(&at[2], "k8s.pod.uid=u1 " CART, NOW + 9);
    check_agreement("tenant");
    CHECK(is_named(&at[1], spans, "3 acme/shop/cart/dev"));
    CHECK(is_named(&at[2], own, "3 evil/default/trap/default"));
    end();
}

TEST(collectors_teach_what_the_tenant_sent)
{
    uint64_t own;

    begin();
    as_acme(&at[0].bed);
    own = key_of(&at[0], send_at(&at[0], POD_SPANS, NOW));
    share();
    (void)send_at(&at[1], "k8s.pod.uid=u1 " CART, NOW + 9);
    check_agreement("collector");
    CHECK(is_named(&at[2], own, "3 acme/shop/cart/dev"));
    end();
}

TEST(a_uid_without_names_gets_them)
{
    uint64_t unnamed, learner;

    begin();
    unnamed = key_of(&at[0], send_at(&at[0], UID "=9 k8s.pod.uid=u1", NOW));
    learner = key_of(&at[1], send_at(&at[1], POD_SPANS, NOW + 1));
    check_agreement("unnamed");
    CHECK(is_named(&at[2], unnamed, "1 default/default/9/default"));
    CHECK(is_named(&at[2], learner, "3 default/default/9/default"));
    (void)send_at(&at[2], UID "=9 " NS "=acme " COMPONENT "=cart", NOW + 2);
    check_agreement("named");
    for (int i = 0; i < INSTANCES; i++) {
        CHECK(is_named(&at[i], unnamed, "3 acme/default/cart/default"));
        CHECK(is_named(&at[i], learner, "3 acme/default/cart/default"));
        CHECK(has_names(select_of(&at[i], "cart", false), "default", "9"));
    }
    end();
}

TEST(last_seen_times_are_those_of_all)
{
    struct component_info *list;
    uint32_t count, id;

    begin();
    id = send_at(&at[0], CART, NOW);
    registry_touch(at[0].bed.registry,
                   registry_identity_id(at[0].bed.registry, id), SIGNAL_SPANS,
                   NOW + 7);
    id = send_at(&at[1], CART, NOW - 3);
    registry_touch(at[1].bed.registry,
                   registry_identity_id(at[1].bed.registry, id), SIGNAL_LOGS,
                   NOW + 9);
    share();
    share();
    for (int i = 0; i < INSTANCES; i++) {
        list =
            registry_components(at[i].bed.registry, &(struct scope_filter){0},
                                &viewer_all, &at[i].bed.arena, &count);
        CHECK_EQ(count, 1);
        CHECK_EQ(list[0].last_seen_ns[SIGNAL_SPANS], NOW + 7);
        CHECK_EQ(list[0].last_seen_ns[SIGNAL_LOGS], NOW + 9);
        CHECK_EQ(list[0].first_seen_ns, NOW - 3);
        CHECK_EQ(list[0].resources, 1);
    }
    end();
}

/* ---- at random ---- */

static const char *const namespaces[] = {"acme", "evil", "bank"};

/* What may be sent about one of a few pods. */
static void random_attributes(char text[512], bool *of_record)
{
    uint32_t pod = test_random(4), kind = test_random(11);
    uint32_t restart = test_random(3), more = test_random(3);
    const char *namespace = namespaces[test_random(3)];
    char keys[200];

    *of_record = kind == 8;
    if (test_random(2))
        snprintf(keys, sizeof(keys), "k8s.pod.uid=u%u-%u ", pod, restart);
    else
        snprintf(keys, sizeof(keys), "container.id=c%u-%u ", pod, restart);
    if (test_random(2))
        snprintf(keys + strlen(keys), sizeof(keys) - strlen(keys),
                 "k8s.namespace.name=dp k8s.pod.name=p%u ", pod);
    if (test_random(6) == 0)
        snprintf(keys, sizeof(keys),
                 "k8s.namespace.name=dp k8s.pod.name=p%u container.id=c%u-%u ",
                 pod, pod, restart);
    if (kind < 2)
        snprintf(text, 512, "%sx=%u", keys, more);
    else if (kind < 5)
        snprintf(text, 512, "%sservice.name=s%u x=%u", keys, pod, more);
    else if (kind == 5)
        snprintf(text, 512, "%s" NS "=%s service.name=s%u", keys, namespace,
                 pod);
    else if (kind == 9)
        snprintf(text, 512, "%s" UID "=uid%u x=%u", keys, pod, more);
    else if (kind == 10)
        snprintf(text, 512, "%s" NS "=%s " COMPONENT "=n%u " UID "=uid%u x=%u",
                 keys, namespace, test_random(3), pod, more);
    else
        snprintf(text, 512,
                 "%s" NS "=%s " PROJECT "=p " COMPONENT "=c%u " ENVIRONMENT
                 "=dev x=%u",
                 keys, namespace, pod + test_random(2), more);
}

static void send_random(struct instance *instance, uint64_t now)
{
    char text[512];
    bool of_record;
    uint32_t who = test_random(5);

    if (who == 0)
        as_acme(&instance->bed);
    else if (who == 1)
        as_evil(&instance->bed);
    else
        as_collector(&instance->bed);
    random_attributes(text, &of_record);
    if (of_record) {
        struct resource agent = {
            .attrs = attrs_of(&instance->bed, "service.name=agent"),
            .id = RESOURCE_NONE};
        struct attrs attrs = attrs_of(&instance->bed, text);

        registry_resolve(instance->bed.registry, &agent, now);
        (void)registry_resolve_record(instance->bed.registry, &agent, &attrs,
                                      now);
    } else {
        struct resource resource = {.attrs = attrs_of(&instance->bed, text),
                                    .id = RESOURCE_NONE};

        if (!registry_resolve_accepted(instance->bed.registry, &resource, now))
            CHECK_EQ(resource.id, RESOURCE_NONE);
    }
    registry_set_writer(instance->bed.registry, NULL);
    free_writers(&instance->bed);
}

static void one_world(uint32_t steps, bool deletes)
{
    begin();
    for (uint32_t i = 0; i < steps; i++) {
        struct instance *one = &at[test_random(INSTANCES)];
        struct registry_deletion deletion;
        uint64_t now = NOW + test_random(1000) * NS_PER_S;

        send_random(one, now);
        if (test_random(4) == 0)
            registry_share(at[test_random(INSTANCES)].bed.registry, now);
        if (deletes && test_random(60) == 0 &&
            registry_delete(one->bed.registry,
                            slice_of(namespaces[test_random(3)]), now,
                            &deletion) != OK)
            CHECK_EQ(deletion.resources, 0);
    }
    check_agreement(deletes ? "with deletions" : "at random");
    end();
}

TEST(all_agree_whatever_comes_first)
{
    for (int i = 0; i < 60; i++)
        one_world(20 + test_random(150), false);
}

TEST(all_agree_on_what_was_deleted)
{
    for (int i = 0; i < 60; i++)
        one_world(20 + test_random(150), true);
}

/* Of processor time: others may be busy. */
static uint64_t milliseconds(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / NS_PER_MS;
}

/* 100,000 pods of 1,000 components; the limits are generous. */
TEST(many_resources)
{
    enum { MANY = 100000 };
    struct registry_options small = options;
    const struct resource_selection *all;
    uint64_t start = milliseconds(), filled, taken, asked;
    char text[200];

    options.max_resources = options.max_identities = 200000;
    begin();
    resource_log.late = false;
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(text, sizeof(text),
                 "k8s.pod.uid=u%u " NS "=acme " PROJECT "=shop " COMPONENT
                 "=c%u",
                 i, i % 1000);
        (void)send_at(&at[0], text, NOW + i);
        arena_reset(&at[0].bed.arena);
    }
    filled = milliseconds();
    registry_share(at[1].bed.registry, NOW + NS_PER_HOUR);
    taken = milliseconds();
    all = select_of(&at[1], "", false);
    CHECK_EQ(all->key_count, MANY);
    CHECK_EQ(all->name_count, 0);
    CHECK_EQ(select_of(&at[1], "c7", true)->key_count, MANY / 1000);
    CHECK_EQ(select_of(&at[1], "c7", true)->name_count, 1);
    asked = milliseconds();
    printf("# added %llu ms, taken %llu ms, asked twice %llu ms\n",
           (unsigned long long)(filled - start),
           (unsigned long long)(taken - filled),
           (unsigned long long)(asked - taken));
    CHECK(taken - filled < 20000);
    CHECK(asked - taken < 5000);
    end();
    options = small;
}

/* A key that pods share by mistake makes one cluster of all: it is looked at
 * now and then only. */
TEST(a_large_cluster_is_put_off)
{
    enum { MANY = 5000 };
    struct registry_options small = options;
    uint64_t start = milliseconds(), last = 0;
    char text[200];

    options.max_resources = options.max_identities = 20000;
    begin();
    resource_log.late = false;
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(text, sizeof(text), "container.id=same service.name=s%u", i);
        last = key_of(&at[0], send_at(&at[0], text, NOW + i));
        arena_reset(&at[0].bed.arena);
    }
    (void)send_at(&at[1], "container.id=same " CART, NOW);
    registry_share(at[0].bed.registry, NOW + NS_PER_HOUR);
    share();
    registry_share(at[0].bed.registry, NOW + 2 * NS_PER_HOUR);
    CHECK(is_named(&at[0], last, "3 acme/shop/cart/dev"));
    CHECK(milliseconds() - start < 30000);
    end();
    options = small;
}

/* The hashes of two sets of attributes cannot be made equal here: what is known
 * of the first one is changed. */
TEST(a_collision_of_keys_goes_to_the_overflow_resource)
{
    struct registry *reg;
    uint64_t key, other;
    uint32_t id;

    begin();
    reg = at[0].bed.registry;
    id = send_at(&at[0], CART " a=1", NOW);
    key = key_of(&at[0], id);
    reg->shared->at[id].check ^= 1;
    registry_live(reg, id)->check ^= 1;
    other = key_of(&at[0], send_at(&at[0], CART " a=1", NOW));
    CHECK(other != key);
    CHECK(reg->shared->collision_logged_ns > 0);
    check_agreement("collision");
    CHECK(is_named(&at[1], other, "1 acme/shop/cart/dev"));
    CHECK(has_key(select_of(&at[1], "cart", false), other));
    /* And told by another one. */
    id = at[1].ask.find(at[1].ask.arg, key);
    at[1].bed.registry->shared->at[id].check ^= 1;
    (void)send_at(&at[2], CART " b=1", NOW);
    registry_share(at[1].bed.registry, NOW);
    for (int i = 0; i < 50; i++)
        registry_share(at[1].bed.registry, NOW);
    CHECK(at[1].bed.registry->shared->collision_logged_ns > 0);
    end();
}

TEST(without_room_for_ids_names_are_kept_on_all)
{
    struct registry_options small = options;
    char text[200];
    uint64_t keys[60];

    options.max_resources = 8;
    options.max_ids = 16;
    begin();
    for (uint32_t i = 0; i < 60; i++) {
        snprintf(text, sizeof(text), CART " pod=%u", i);
        keys[i] = key_of(&at[i % 2], send_at(&at[i % 2], text, NOW + i));
    }
    share();
    for (uint32_t i = 0; i < 60; i++)
        CHECK(is_named(&at[i % 2], keys[i], "1 acme/shop/cart/dev"));
    end();
    options = small;
}

/* Tables that are too small, at random: nobody agrees, nothing breaks. */
TEST(small_tables)
{
    struct registry_options small = options;

    for (int i = 0; i < 20; i++) {
        options.max_resources = 2 + test_random(20);
        options.max_identities = 2 + test_random(20);
        options.max_ids = 4 + test_random(40);
        options.forget_ns = test_random(2) ? 100 * NS_PER_S : 0;
        begin();
        for (int k = 0; k < 300; k++) {
            struct instance *one = &at[test_random(INSTANCES)];
            struct registry_deletion deletion;
            uint64_t now = NOW + test_random(100000) * NS_PER_S;

            send_random(one, now);
            registry_share(one->bed.registry, now);
            (void)select_of(one, "c1", test_random(2));
            if (test_random(30) == 0 &&
                registry_delete(one->bed.registry, SLICE("acme"), now,
                                &deletion) != OK)
                CHECK_EQ(deletion.resources, 0);
        }
        share();
        end();
    }
    options = small;
}
