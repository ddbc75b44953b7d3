/* Who is hit: shares along paths, entry points, queues, one endpoint. */
#include "call_points.h"

#define PATH  "/api/v1/blast-radius?namespace=acme&project=shop&component="
#define TIMES "&startTime=2026-08-21T08:00:00Z&endTime=2026-08-21T08:10:00Z"

static struct bed bed;

static void put_served(uint32_t component, const char *endpoint, uint64_t count)
{
    call_tell(call_put(&bed, DERIVED_DURATION, component, count),
              DERIVED_ENDPOINT, endpoint);
}

static void put_call(uint32_t from, const char *endpoint, uint32_t to,
                     const char *peer_endpoint, uint64_t count)
{
    struct point *p = call_put(&bed, DERIVED_OUT_DURATION, from, count);

    call_tell(p, DERIVED_ENDPOINT, endpoint);
    call_tell(p, DERIVED_PEER_ENDPOINT, peer_endpoint);
    call_tell_peer(&bed, p, to);
}

static void put_users(uint32_t component, const char *endpoint, uint64_t count)
{
    struct point *p = call_put(&bed, DERIVED_IN_DURATION, component, count);

    call_tell(p, DERIVED_ENDPOINT, endpoint);
    call_tell(p, DERIVED_PEER_KIND, "gateway");
    call_tell(p, DERIVED_PEER_NAME, "internet");
}

static json_t *ask(const char *component)
{
    char path[512];

    snprintf(path, sizeof(path), PATH "%s" TIMES, component);
    return bed_ask(&bed, "GET", path, NULL);
}

static const json_t *named(const json_t *answer, const char *list,
                           const char *component)
{
    const json_t *items = json_object_get(answer, list);

    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *at = json_array_get(items, i);
        const char *is = json_string_value(json_object_get(at, "component"));

        if (is && strcmp(is, component) == 0)
            return at;
    }
    return NULL;
}

/* 100 requests of users at web: 40 call cart, of whose requests half call
 * stock; 60 at another endpoint of web call nothing. */
static void put_chain(uint32_t *web, uint32_t *cart, uint32_t *stock)
{
    *web = bed_resource(&bed, "shop", "web");
    *cart = bed_resource(&bed, "shop", "cart");
    *stock = bed_resource(&bed, "shop", "stock");
    put_users(*web, "buy", 40);
    put_users(*web, "look", 60);
    put_served(*web, "buy", 40);
    put_served(*web, "look", 60);
    put_served(*cart, "http", 40);
    put_served(*stock, "grpc", 20);
    put_call(*web, "buy", *cart, "http", 40);
    put_call(*cart, "http", *stock, "grpc", 20);
}

TEST(shares_are_multiplied_along_the_path)
{
    uint32_t web, cart, stock;
    const json_t *caller;
    json_t *answer;

    bed_init(&bed);
    put_chain(&web, &cart, &stock);
    answer = ask("stock");
    CHECK_EQ(bed.status, 200);
    caller = named(answer, "callers", "cart");
    CHECK_TEXT(bed_at(caller, "share"), "0.5");
    CHECK_TEXT(bed_at(caller, "callsPerRequest"), "0.5");
    CHECK_TEXT(bed_at(caller, "endpoints.0"), "grpc");
    caller = named(answer, "callers", "web");
    CHECK_TEXT(bed_at(caller, "share"), "0.2");
    CHECK_TEXT(bed_at(caller, "depth"), "2");
    CHECK_TEXT(bed_at(caller, "path"), "[3]");
    CHECK_TEXT(bed_at(caller, "path.1"), "acme/shop/cart@prod");
    CHECK_TEXT(bed_at(answer, "entryPoints"), "[2]");
    CHECK_TEXT(bed_at(answer, "entryPoints.0.endpoint"), "buy");
    CHECK_TEXT(bed_at(answer, "entryPoints.0.share"), "0.5");
    CHECK_TEXT(bed_at(answer, "summary.userRequestShare"), "0.2");
    CHECK_TEXT(bed_at(answer, "summary.components"), "2");
    CHECK_TEXT(bed_at(answer, "summary.entryPoints"), "1");
    json_decref(answer);
    answer = ask("web");
    CHECK_TEXT(bed_at(answer, "summary.userRequestShare"), "1");
    CHECK_TEXT(bed_at(answer, "callers"), "[0]");
    CHECK_TEXT(bed_at(answer, "needs"), "[2]");
    json_decref(answer);
    bed_release(&bed);
}

/* Ten calls for one request are one request that passes. */
TEST(a_share_is_at_most_1_and_circles_end)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t a = bed_resource(&bed, "shop", "a");
    uint32_t b = bed_resource(&bed, "shop", "b");
    uint32_t c = bed_resource(&bed, "shop", "c");
    put_served(a, "http", 10);
    put_served(b, "http", 200);
    put_served(c, "http", 10);
    put_call(a, "http", b, "http", 100);
    put_call(b, "http", a, "http", 100);
    put_call(b, "http", c, "http", 10);
    answer = ask("c");
    CHECK_TEXT(bed_at(named(answer, "callers", "a"), "share"), "1");
    CHECK(json_number_value(
              json_object_get(named(answer, "callers", "b"), "share")) <= 1);
    json_decref(answer);
    bed_release(&bed);
}

TEST(of_one_endpoint_only_its_callers_are_hit)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t a = bed_resource(&bed, "shop", "a");
    uint32_t b = bed_resource(&bed, "shop", "b");
    uint32_t t = bed_resource(&bed, "shop", "t");
    put_served(a, "http", 10);
    put_served(b, "http", 10);
    put_served(t, "read", 10);
    put_served(t, "write", 5);
    put_call(a, "http", t, "read", 10);
    put_call(b, "http", t, "write", 5);
    answer = ask("t&endpoint=write");
    CHECK_TEXT(bed_at(answer, "callers"), "[1]");
    CHECK_TEXT(bed_at(named(answer, "callers", "b"), "share"), "0.5");
    CHECK_TEXT(bed_at(answer, "endpoint"), "write");
    CHECK_TEXT(bed_at(answer, "summary.endpoints"), "1");
    json_decref(answer);
    answer = ask("t");
    CHECK_TEXT(bed_at(answer, "callers"), "[2]");
    json_decref(answer);
    bed_release(&bed);
}

static void put_queue(const char *name, uint32_t resource)
{
    struct point *p = call_put(&bed, name, resource, 10);

    call_tell(p, DERIVED_ENDPOINT, "http");
    call_tell(p, DERIVED_PEER_KIND, "queue");
    call_tell(p, DERIVED_PEER_NAME, "mails");
    call_tell(p, DERIVED_PROTOCOL, "messaging");
}

TEST(behind_a_queue_nobody_waits)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t a = bed_resource(&bed, "shop", "a");
    uint32_t mail = bed_resource(&bed, "shop", "mail");
    put_users(a, "http", 20);
    put_served(a, "http", 20);
    put_served(mail, "http", 10);
    put_queue(DERIVED_OUT_DURATION, a);
    put_queue(DERIVED_IN_DURATION, mail);
    answer = ask("mail");
    CHECK_TEXT(bed_at(named(answer, "callers", "a"), "asynchronous"), "true");
    CHECK_TEXT(bed_at(named(answer, "callers", "a"), "share"), "0.5");
    CHECK_TEXT(bed_at(named(answer, "callers", "a"), "path"), "[3]");
    CHECK_TEXT(bed_at(answer, "summary.userRequestShare"), "0");
    CHECK_TEXT(bed_at(answer, "summary.userRequestShareWithQueues"), "0.5");
    CHECK_TEXT(bed_at(answer, "summary.asynchronousComponents"), "1");
    json_decref(answer);
    answer = ask("a");
    CHECK(named(answer, "consumers", "mail"));
    json_decref(answer);
    bed_release(&bed);
}

TEST(declared_callers_without_calls_are_listed_apart)
{
    struct slice detail = {NULL, 0};
    json_t *answer;

    bed_init(&bed);
    uint32_t t = bed_resource(&bed, "shop", "t");
    put_served(t, "http", 10);
    CHECK_EQ(catalog_put(bed.catalog,
                         SLICE("{\"components\":[{\"namespace\":\"acme\","
                               "\"project\":\"shop\",\"name\":\"later\","
                               "\"dependencies\":[{\"component\":\"t\"}]}]}"),
                         &bed.arena, &detail),
             OK);
    answer = ask("t");
    CHECK_TEXT(bed_at(answer, "callers"), "[0]");
    CHECK(named(answer, "declaredCallers", "later"));
    CHECK_TEXT(bed_at(answer, "summary.userRequestShare"), "");
    json_decref(answer);
    bed_release(&bed);
}

TEST(an_unknown_component_and_wrong_parameters)
{
    json_t *answer;

    bed_init(&bed);
    bed_resource(&bed, "shop", "checkout");
    answer = ask("chekout");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "empty.similar.0"), "checkout");
    json_decref(answer);
    json_decref(ask(""));
    CHECK_EQ(bed.status, 400);
    json_decref(ask("checkout&depth=0"));
    CHECK_EQ(bed.status, 400);
    bed_release(&bed);
}
