/* Bounds, and all of it at random and at the same time. */
#include <pthread.h>

#include "registry_kit.h"
#include "stats.h"

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
    /* Its identity it has, if not a resource of its own. */
    CHECK(is(&bed, last, "4 default/default/s199/default") ||
          is(&bed, last, "5 default///default"));
    CHECK(stats_get(STATS_RESOURCES_OVERFLOW) >= before + 150);
    CHECK(bed.store->resources <= 50 + 46);
    CHECK(bed.store->identities <= 46);
    CHECK(resolves(&bed, "service.name=s3 k8s.pod.uid=u3",
                   "4 default/default/s3/default"));

    /* An hour later all but the one that still sends can go. */
    struct resource still = {
        .attrs = attrs_of(&bed, "service.name=s3 k8s.pod.uid=u3")};

    registry_resolve(bed.registry, &still, NOW + NS_PER_HOUR);

    uint32_t id = still.id;
    struct resource fresh = {.attrs = attrs_of(&bed, "k8s.pod.uid=u99")};

    registry_resolve(bed.registry, &fresh, NOW + NS_PER_HOUR + NS_PER_MIN);
    CHECK(is(&bed, id, "4 default/default/s3/default"));
    CHECK_EQ(selected(&bed, (struct scope_filter){0}), 2);
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

/* Its identity finds room when it is seen again after long: what was not seen
 * is forgotten for that, but not the resource itself. */
TEST(a_resource_that_is_seen_is_not_forgotten_to_make_room_for_it)
{
    struct bed bed;
    struct registry_options keep = options;
    char text[80], want[80];
    uint32_t id = 0, i = 0;

    options = (struct registry_options){
        .max_resources = 400, .max_identities = 40, .forget_ns = NS_PER_HOUR};
    bed_init(&bed);
    do { /* until there is no room for the identity of one */
        snprintf(text, sizeof(text), COMPONENT "=c%u", i);
        id = resolve(&bed, text);
    } while (i++ < 100 && who(&bed, id)[0] == '1');
    CHECK_EQ(who(&bed, id)[0], '5');

    struct resource late = {.attrs = attrs_of(&bed, text)};

    registry_resolve(bed.registry, &late, NOW + 2 * NS_PER_HOUR);
    CHECK_EQ(late.id, id);
    snprintf(want, sizeof(want), "1 default/default/c%u/default", i - 1);
    CHECK(is(&bed, id, want));
    for (uint32_t k = 0; k < 30; k++) { /* its number is nobody else's */
        snprintf(text, sizeof(text), COMPONENT "=d%u", k);

        struct resource other = {.attrs = attrs_of(&bed, text)};

        registry_resolve(bed.registry, &other, NOW + 2 * NS_PER_HOUR);
        CHECK(other.id != id);
    }
    CHECK(is(&bed, id, want));
    bed_release(&bed);
    options = keep;
}

/* A full table forgets the old resources of a component when a new one comes:
 * the component's identity stays. */
TEST(the_identity_of_a_new_resource_is_not_forgotten_to_make_room_for_it)
{
    struct bed bed;
    struct registry_options saved = options;
    uint32_t identity;

    options = (struct registry_options){
        .max_resources = 2, .max_identities = 40, .forget_ns = NS_PER_HOUR};
    bed_init(&bed);
    identity = identity_of(&bed, resolve(&bed, COMPONENT "=c n=1"));
    (void)resolve(&bed, COMPONENT "=c n=2");

    struct resource late = {.attrs = attrs_of(&bed, COMPONENT "=c n=3")};

    registry_resolve(bed.registry, &late, NOW + NS_PER_DAY);
    CHECK_EQ(identity_of(&bed, late.id), identity);
    CHECK_EQ(registry_identity_generation(bed.registry, identity), 0);
    CHECK_EQ(selected(&bed, (struct scope_filter){.component = SLICE("c")}), 1);
    bed_release(&bed);
    options = saved;
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

    options = (struct registry_options){
        .max_resources = 2, .max_identities = 40, .max_ids = 2};
    bed_init(&bed);
    struct resource old = {.attrs = attrs_of(&bed, COMPONENT "=old")};
    struct resource still = {.attrs = attrs_of(&bed, COMPONENT "=still")};
    struct resource fresh = {.attrs = attrs_of(&bed, COMPONENT "=fresh")};

    registry_resolve(bed.registry, &old, NOW);
    registry_resolve(bed.registry, &still, NOW + 5 * NS_PER_DAY);

    /* Its records may still be there, so its id is not free. */
    bed.store->oldest_ns = NOW + NS_PER_DAY;
    registry_resolve(bed.registry, &fresh, later);
    CHECK(is(&bed, fresh.id, "1 default/default/fresh/default"));
    CHECK(fresh.id > still.id);

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
        65536 / 16 * 15 + 1); /* and overflow */
    printf("# flood %.0f ns each, select %.0f us\n", (double)flood_ns / 1e6,
           (double)(clock_monotonic_ns() - start_ns) / 1e3);
    CHECK(bed.store->resources <= 65536 + 16384);
    CHECK(bed.store->identities <= 16385);
    bed_release(&bed);
    options = keep;
}

TEST(long_names_are_truncated)
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

/* ---- threads ---- */

static void *ask(void *arg)
{
    struct registry *registry = arg;
    struct arena arena;
    uint32_t count;

    arena_init(&arena, NULL, SIZE_MAX);
    for (int i = 0; i < 300; i++) {
        struct identity identity;

        registry_select(registry, &(struct scope_filter){0}, &viewer_all,
                        &arena);
        registry_components(registry, &(struct scope_filter){0}, &viewer_all,
                            &arena, &count);
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
