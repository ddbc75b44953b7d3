/* The graph of dependencies: depth, directions, projects and namespaces,
 * queues, drift, what may not be seen, and what is left out. */
#include "call_points.h"

#define PATH  "/api/v1/dependencies?"
#define TIMES "&startTime=2026-08-21T08:00:00Z&endTime=2026-08-21T08:10:00Z"

static struct bed bed;

/* What its calls are stored under. */
static uint32_t component(const char *space, const char *project,
                          const char *name)
{
    uint32_t resource = bed_resource_in(&bed, space, project, name);

    return registry_derived_resource(
        bed.registry, registry_identity_id(bed.registry, resource));
}

static void put_call(uint32_t from, uint32_t to, const char *endpoint,
                     uint64_t count)
{
    struct point *p = call_put(&bed, DERIVED_OUT_DURATION, from, count);

    call_tell(p, DERIVED_ENDPOINT, "http");
    call_tell(p, DERIVED_PEER_ENDPOINT, endpoint);
    call_tell(p, DERIVED_PROTOCOL, "http");
    call_tell_peer(&bed, p, to);
}

/* And as the callee saw it. */
static void put_both(uint32_t from, uint32_t to, uint64_t count)
{
    struct point *p;

    put_call(from, to, "http", count);
    p = call_put(&bed, DERIVED_IN_DURATION, to, count);
    call_tell(p, DERIVED_ENDPOINT, "http");
    call_tell_peer(&bed, p, from);
}

static void put_queue(const char *name, uint32_t resource, const char *queue)
{
    struct point *p = call_put(&bed, name, resource, 10);

    call_tell(p, DERIVED_PEER_KIND, "queue");
    call_tell(p, DERIVED_PEER_NAME, queue);
    call_tell(p, DERIVED_PROTOCOL, "messaging");
}

static json_t *ask(const char *scope)
{
    char path[512];

    snprintf(path, sizeof(path), PATH "%s" TIMES, scope);
    return bed_ask(&bed, "GET", path, NULL);
}

static const json_t *item(const json_t *answer, const char *list,
                          const char *member, const char *text)
{
    const json_t *items = json_object_get(answer, list);

    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *at = json_array_get(items, i);
        const char *is = json_string_value(json_object_get(at, member));

        if (is && strcmp(is, text) == 0)
            return at;
    }
    return NULL;
}

static const json_t *node(const json_t *answer, const char *component)
{
    return item(answer, "nodes", "component", component);
}

/* a calls b of another project, b calls c, c calls a. */
TEST(a_walk_goes_through_projects_to_its_depth_and_round_circles)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t a = component("acme", "shop", "a");
    uint32_t b = component("acme", "store", "b");
    uint32_t c = component("acme", "depot", "c");
    put_both(a, b, 30);
    put_both(b, c, 20);
    put_both(c, a, 10);
    answer = ask("namespace=acme&project=shop&component=a&direction=callees"
                 "&depth=1");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "nodes"), "[2]");
    CHECK_TEXT(bed_at(node(answer, "b"), "relation"), "callee");
    CHECK_TEXT(bed_at(node(answer, "b"), "project"), "store");
    CHECK_TEXT(bed_at(answer, "edges"), "[1]");
    CHECK_TEXT(bed_at(answer, "edges.0.requestCount"), "30");
    CHECK_TEXT(bed_at(answer, "edges.0.endpoints.0.endpoint"), "http");
    CHECK_TEXT(bed_at(answer, "edges.0.lastSeen"), "2026-08-21T08:01:00Z");
    json_decref(answer);
    answer = ask("namespace=acme&project=shop&component=a&direction=callees"
                 "&depth=8");
    CHECK_TEXT(bed_at(answer, "nodes"), "[3]");
    CHECK_TEXT(bed_at(answer, "edges"), "[3]");
    CHECK_TEXT(bed_at(node(answer, "c"), "depth"), "2");
    CHECK_TEXT(bed_at(answer, "summary.projects"), "3");
    json_decref(answer);
    answer = ask("namespace=acme&project=shop&component=a&direction=callers"
                 "&depth=1");
    CHECK_TEXT(bed_at(node(answer, "c"), "relation"), "caller");
    CHECK(!node(answer, "b"));
    json_decref(answer);
    answer = ask("namespace=acme&depth=1");
    CHECK_TEXT(bed_at(answer, "nodes"), "[3]");
    CHECK_TEXT(bed_at(node(answer, "c"), "relation"), "self");
    json_decref(answer);
    bed_release(&bed);
}

TEST(a_queue_is_one_step_and_separates_namespaces)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t a = component("acme", "shop", "a");
    uint32_t b = component("acme", "shop", "b");
    uint32_t foreign = component("other", "shop", "foreign");
    put_queue(DERIVED_OUT_DURATION, a, "mails");
    put_queue(DERIVED_IN_DURATION, b, "mails");
    put_queue(DERIVED_IN_DURATION, foreign, "mails");
    answer = ask("namespace=acme&project=shop&component=a&depth=1");
    CHECK_TEXT(bed_at(answer, "nodes"), "[3]");
    CHECK_TEXT(bed_at(node(answer, "b"), "depth"), "1");
    CHECK(!node(answer, "foreign"));
    CHECK(item(answer, "nodes", "kind", "queue"));
    CHECK_TEXT(bed_at(answer, "edges.0.drift"), "");
    json_decref(answer);
    bed_release(&bed);
}

static void put_catalog(const char *dependencies)
{
    struct slice detail = {NULL, 0};
    struct buf text;

    buf_init(&text, 4096);
    buf_format(&text,
               "{\"components\":[{\"namespace\":\"acme\",\"project\":\"shop\","
               "\"name\":\"a\",\"dependencies\":[%s]},{\"namespace\":"
               "\"acme\",\"project\":\"shop\",\"name\":\"planned\"}]}",
               dependencies);
    CHECK_EQ(catalog_put(bed.catalog, buf_slice(&text), &bed.arena, &detail),
             OK);
    buf_release(&text);
}

static struct slice drift(const json_t *answer, const char *target)
{
    return bed_at(item(answer, "edges", "target", target), "drift");
}

TEST(drift_is_what_differs_from_the_catalogue)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t a = component("acme", "shop", "a");
    uint32_t b = component("acme", "shop", "b");
    uint32_t c = component("acme", "shop", "c");
    uint32_t d = component("acme", "shop", "d");
    put_call(a, b, "http", 5);
    put_call(a, c, "admin", 5);
    put_call(a, d, "http", 5);
    put_call(b, c, "http", 5); /* of b nothing is declared */
    put_catalog("{\"component\":\"b\",\"endpoint\":\"http\"},"
                "{\"component\":\"c\",\"endpoint\":\"http\"},"
                "{\"component\":\"planned\"}");
    answer = ask("namespace=acme&project=shop&component=a");
    CHECK_TEXT(drift(answer, "acme/shop/b@prod"), "");
    CHECK_TEXT(drift(answer, "acme/shop/d@prod"), "undeclared");
    CHECK_TEXT(drift(answer, "acme/shop/planned@prod"), "unused");
    CHECK_TEXT(bed_at(answer, "summary.undeclared"), "1");
    CHECK_TEXT(bed_at(answer, "summary.undeclaredEndpoints"), "1");
    CHECK_TEXT(bed_at(answer, "summary.unused"), "1");
    json_decref(answer);
    bed_release(&bed);
}

/* Nobody may tell what it is, nor what is behind it. */
TEST(what_may_not_be_seen_is_one_node_without_a_way_through)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t a = component("acme", "shop", "a");
    uint32_t secret = component("other", "vault", "secret");
    uint32_t b = component("acme", "shop", "b");
    put_both(a, secret, 30);
    put_both(secret, b, 20);
    bed_allow(&bed, UINT32_MAX, "acme", "*", "*");
    answer = ask("namespace=acme&project=shop&component=a&direction=callees"
                 "&depth=8");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "nodes"), "[2]");
    CHECK(item(answer, "nodes", "kind", "hidden"));
    CHECK(!strstr(bed.text, "secret") && !strstr(bed.text, "vault") &&
          !strstr(bed.text, "other"));
    CHECK_TEXT(bed_at(answer, "edges.0.endpoints.0.endpoint"), "");
    json_decref(answer);
    bed_release(&bed);
}

TEST(the_nearest_and_busiest_are_kept_and_the_rest_is_counted)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t a = component("acme", "shop", "a");
    uint32_t far = component("acme", "shop", "far");
    for (int i = 0; i < 4; i++) {
        char name[] = "b0";

        name[1] = (char)('0' + i);
        uint32_t b = component("acme", "shop", name);
        struct point *p =
            call_put(&bed, DERIVED_DURATION, b, 10 * (uint64_t)(i + 1));
        call_tell(p, DERIVED_ENDPOINT, "http");
        put_call(a, b, "http", 5);
        if (i == 0)
            put_call(b, far, "http", 5);
    }
    answer = ask("namespace=acme&project=shop&component=a&limit=3");
    CHECK_TEXT(bed_at(answer, "nodes"), "[3]");
    CHECK(node(answer, "a") && node(answer, "b3") && node(answer, "b2"));
    CHECK_TEXT(bed_at(answer, "edges"), "[2]");
    CHECK_TEXT(bed_at(answer, "summary.nodesLeftOut"), "3");
    CHECK_TEXT(bed_at(answer, "summary.edgesLeftOut"), "3");
    json_decref(answer);
    bed_release(&bed);
}

TEST(an_empty_answer_says_why_and_wrong_parameters_are_refused)
{
    json_t *answer;

    bed_init(&bed);
    component("acme", "shop", "checkout");
    put_catalog("");
    answer = ask("namespace=acme&project=shop&component=chekout");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "empty.reason"), "unknown");
    CHECK_TEXT(bed_at(answer, "empty.similar.0"), "checkout");
    json_decref(answer);
    answer = ask("namespace=acme&project=shop&component=planned");
    CHECK_TEXT(bed_at(answer, "nodes"), "[1]");
    CHECK_TEXT(bed_at(answer, "empty.reason"), "declared");
    json_decref(answer);
    json_decref(ask("project=shop"));
    CHECK_EQ(bed.status, 400);
    json_decref(ask("namespace=acme&component=a"));
    CHECK_EQ(bed.status, 400);
    json_decref(ask("namespace=acme&direction=up"));
    CHECK_EQ(bed.status, 400);
    json_decref(ask("namespace=acme&depth=9"));
    CHECK_EQ(bed.status, 400);
    json_decref(ask("namespace=acme&limit=0"));
    CHECK_EQ(bed.status, 400);
    bed_release(&bed);
}
