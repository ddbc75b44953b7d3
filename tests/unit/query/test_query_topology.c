/* The call graph of a project: observed edges, declared edges, parameters. */
#include "call_points.h"

#define PATH "/api/v1alpha1/metrics/runtime-topology"
#define TIMES                                 \
    "\"startTime\":\"2026-08-21T08:00:00Z\"," \
    "\"endTime\":\"2026-08-21T08:10:00Z\""
#define SCOPE                                              \
    "\"searchScope\":{\"namespace\":\"acme\",\"project\":" \
    "\"shop\",\"environment\":\"prod\"}"

#define SPACE                                                  \
    "\"searchScope\":{\"namespace\":\"acme\",\"environment\":" \
    "\"prod\"}"

static struct bed bed;

static struct point *put(const char *name, uint32_t resource)
{
    return call_put(&bed, name, resource, 60);
}

/* So many calls between two components. */
static void put_call(uint32_t from, const char *endpoint, uint32_t to,
                     const char *peer_endpoint, const char *protocol,
                     uint64_t count)
{
    struct point *p = call_put(&bed, DERIVED_OUT_DURATION, from, count);

    call_tell(p, DERIVED_ENDPOINT, endpoint);
    call_tell(p, DERIVED_PEER_ENDPOINT, peer_endpoint);
    call_tell(p, DERIVED_PROTOCOL, protocol);
    call_tell_peer(&bed, p, to);
}

static json_t *ask(const char *more)
{
    char body[512];

    snprintf(body, sizeof(body), "{" TIMES "," SCOPE "%s}", more);
    return bed_ask(&bed, "POST", PATH, body);
}

/* A gateway calls web, web calls cart, cart calls a database. */
static void put_calls(void)
{
    uint32_t web = bed_resource(&bed, "shop", "web");
    uint32_t cart = bed_resource(&bed, "shop", "cart");
    struct point *p = put(DERIVED_IN_DURATION, web);

    call_tell(p, DERIVED_ENDPOINT, "http");
    call_tell(p, DERIVED_PEER_KIND, "gateway");
    call_tell(p, DERIVED_PEER_NAME, "internet");
    put_call(web, "http", cart, "grpc", "grpc", 60);
    p = put(DERIVED_OUT_DURATION, cart);
    call_tell(p, DERIVED_PEER_KIND, "database");
    call_tell(p, DERIVED_PEER_NAME, "orders");
    call_tell(p, DERIVED_PEER_SYSTEM, "postgresql");
    call_tell(p, DERIVED_PEER_HOST, "db.acme");
}

static const json_t *edge(const json_t *answer, const char *id)
{
    const json_t *edges = json_object_get(answer, "edges");

    for (size_t i = 0; i < json_array_size(edges); i++) {
        const json_t *at = json_array_get(edges, i);
        const char *is = json_string_value(json_object_get(at, "id"));

        if (is && strcmp(is, id) == 0)
            return at;
    }
    return NULL;
}

TEST(calls_are_edges_with_totals_of_the_window)
{
    const json_t *found;
    json_t *answer;

    bed_init(&bed);
    put_calls();
    answer = ask("");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "edges"), "[3]");
    CHECK_TEXT(bed_at(answer, "summary.startTime"), "2026-08-21T08:00:00Z");
    found = edge(answer, "web:http->cart:grpc");
    CHECK_TEXT(bed_at(found, "source.kind"), "component");
    CHECK_TEXT(bed_at(found, "source.service"), "http");
    CHECK_TEXT(bed_at(found, "target.component"), "cart");
    CHECK_TEXT(bed_at(found, "target.namespace"), "acme");
    CHECK_TEXT(bed_at(found, "protocol"), "http");
    CHECK_TEXT(bed_at(found, "applicationProtocol"), "grpc");
    CHECK_TEXT(bed_at(found, "metrics.requestCount"), "60");
    CHECK_TEXT(bed_at(found, "metrics.unsuccessfulRequestCount"), "0");
    CHECK_TEXT(bed_at(found, "metrics.meanLatency"), "0.1");
    found = edge(answer, "gateway:internet->web:http");
    CHECK_TEXT(bed_at(found, "source.name"), "internet");
    found = edge(answer, "cart->external:orders");
    CHECK_TEXT(bed_at(found, "target.kind"), "external");
    CHECK_TEXT(bed_at(found, "target.host"), "db.acme");
    CHECK_TEXT(bed_at(found, "target.externalKind"), "database");
    json_decref(answer);
    bed_release(&bed);
}

/* Two projects, and the one or two edges with most requests. */
TEST(a_namespace_is_a_graph_of_its_projects)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t web = bed_resource(&bed, "shop", "web");
    uint32_t cart = bed_resource(&bed, "shop", "cart");
    uint32_t bills = bed_resource(&bed, "billing", "bills");
    put_call(web, "http", cart, "grpc", "grpc", 50);
    put_call(cart, "grpc", bills, "http", "http", 30);
    put_call(web, "http", bills, "http", "http", 10);
    answer = bed_ask(&bed, "POST", PATH, "{" TIMES "," SPACE "}");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "edges"), "[3]");
    CHECK_TEXT(bed_at(answer, "nodes"), "[3]");
    CHECK_TEXT(bed_at(edge(answer, "cart:grpc->bills:http"), "target.project"),
               "billing");
    CHECK(!json_object_get(json_object_get(answer, "summary"), "edgesLeftOut"));
    json_decref(answer);
    answer = bed_ask(&bed, "POST", PATH, "{" TIMES "," SPACE ",\"limit\":1}");
    CHECK_TEXT(bed_at(answer, "edges"), "[1]");
    CHECK(edge(answer, "web:http->cart:grpc"));
    CHECK_TEXT(bed_at(answer, "nodes"), "[2]");
    CHECK_TEXT(bed_at(answer, "summary.edgesLeftOut"), "2");
    CHECK_TEXT(bed_at(answer, "summary.nodesLeftOut"), "1");
    json_decref(answer);
    answer = ask(",\"limit\":2");
    CHECK_TEXT(bed_at(answer, "edges"), "[2]");
    CHECK_TEXT(bed_at(answer, "summary.edgesLeftOut"), "1");
    json_decref(answer);
    bed_release(&bed);
}

/* What a client saw that keeps one edge of a pair, the last: 4 of 1982. */
TEST(a_pair_of_components_has_one_edge)
{
    const json_t *found;
    json_t *answer;

    bed_init(&bed);
    uint32_t web = bed_resource(&bed, "shop", "web");
    uint32_t cart = bed_resource(&bed, "shop", "cart");
    put_call(web, "", cart, "grpc", "grpc", 900);
    put_call(web, "http", cart, "http", "http", 1000);
    put_call(web, "http", cart, "grpc", "grpc", 78);
    put_call(web, "admin", cart, "http", "http", 4);
    put_call(cart, "http", web, "http", "http", 3);
    answer = ask("");
    CHECK_TEXT(bed_at(answer, "edges"), "[2]");
    CHECK(edge(answer, "cart:http->web:http"));
    found = edge(answer, "web:http->cart:http");
    CHECK_TEXT(bed_at(found, "metrics.requestCount"), "1982");
    CHECK_TEXT(bed_at(found, "metrics.meanLatency"), "0.1");
    CHECK_TEXT(bed_at(found, "source.service"), "http");
    CHECK_TEXT(bed_at(found, "applicationProtocol"), "http");
    json_decref(answer);
    answer = ask(",\"perEndpoint\":true");
    CHECK_TEXT(bed_at(answer, "edges"), "[5]");
    CHECK_TEXT(bed_at(edge(answer, "web->cart:grpc"), "metrics.requestCount"),
               "900");
    CHECK_TEXT(
        bed_at(edge(answer, "web:admin->cart:http"), "metrics.requestCount"),
        "4");
    json_decref(answer);
    bed_release(&bed);
}

static void put_dependency(const char *from, const char *to)
{
    struct slice detail = {NULL, 0};
    struct buf text;

    buf_init(&text, 4096);
    buf_format(&text,
               "{\"components\":[{\"namespace\":\"acme\",\"project\":"
               "\"shop\",\"name\":\"%s\",\"dependencies\":[{"
               "\"component\":\"%s\",\"endpoint\":\"http\"}]}]}",
               from, to);
    CHECK_EQ(catalog_put(bed.catalog, buf_slice(&text), &bed.arena, &detail),
             OK);
    buf_release(&text);
}

TEST(calls_through_a_queue_are_those_of_the_queue)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t web = bed_resource(&bed, "shop", "web");
    uint32_t mail = bed_resource(&bed, "shop", "mail");
    struct point *p = put(DERIVED_OUT_DURATION, web);
    call_tell(p, DERIVED_PEER_KIND, "queue");
    call_tell(p, DERIVED_PEER_NAME, "mails");
    p = put(DERIVED_IN_DURATION, mail);
    call_tell(p, DERIVED_PEER_KIND, "queue");
    call_tell(p, DERIVED_PEER_NAME, "mails");
    put_call(web, "http", mail, "messaging", "messaging", 60);
    answer = ask("");
    CHECK_TEXT(bed_at(answer, "edges"), "[2]");
    CHECK(edge(answer, "web->external:mails"));
    CHECK(edge(answer, "external:mails->mail"));
    json_decref(answer);

    put_call(web, "http", mail, "http", "http", 5);
    answer = ask(",\"includeQueueCalls\":true");
    CHECK_TEXT(bed_at(answer, "edges"), "[4]");
    const json_t *queued = edge(answer, "web:http->mail:messaging");
    CHECK_TEXT(bed_at(queued, "via"), "queue");
    CHECK_TEXT(bed_at(queued, "protocol"), "http");
    CHECK_TEXT(bed_at(queued, "applicationProtocol"), "messaging");
    CHECK_TEXT(bed_at(queued, "metrics.requestCount"), "60");
    CHECK(!json_object_get(queued, "declared"));
    CHECK_TEXT(bed_at(edge(answer, "web:http->mail:http"), "declared"),
               "false");
    CHECK(!json_object_get(edge(answer, "web:http->mail:http"), "via"));
    json_decref(answer);

    put_dependency("mail", "web"); /* the reader depends on the sender */
    answer = ask(",\"includeQueueCalls\":true");
    CHECK_TEXT(bed_at(edge(answer, "web:http->mail:messaging"), "declared"),
               "true");
    CHECK_TEXT(bed_at(edge(answer, "web:http->mail:http"), "declared"),
               "false");
    json_decref(answer);
    bed_release(&bed);
}

TEST(a_dependency_is_on_an_endpoint)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t web = bed_resource(&bed, "shop", "web");
    uint32_t cart = bed_resource(&bed, "shop", "cart");
    put_call(web, "http", cart, "http", "http", 5);
    put_call(web, "http", cart, "grpc", "grpc", 60);
    put_dependency("web", "cart");
    answer = ask("");
    CHECK_TEXT(bed_at(edge(answer, "web:http->cart:grpc"), "declared"), "true");
    json_decref(answer);
    answer = ask(",\"perEndpoint\":true");
    CHECK_TEXT(bed_at(edge(answer, "web:http->cart:grpc"), "declared"),
               "false");
    CHECK_TEXT(bed_at(edge(answer, "web:http->cart:http"), "declared"), "true");
    json_decref(answer);
    bed_release(&bed);
}

/* On the component page, too: payment 2044 and payment 1 were two. */
TEST(a_callee_stands_once)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t web = bed_resource(&bed, "shop", "web");
    uint32_t pay = bed_resource(&bed, "shop", "payment");
    put_call(web, "", pay, "grpc", "grpc", 1);
    put_call(web, "http", pay, "grpc", "grpc", 2000);
    put_call(web, "admin", pay, "grpc", "grpc", 43);
    put_call(web, "http", pay, "messaging", "messaging", 7);
    put_call(pay, "grpc", web, "http", "http", 5);
    struct point *p = put(DERIVED_IN_DURATION, web);
    call_tell(p, DERIVED_ENDPOINT, "http");
    call_tell_peer(&bed, p, pay);
    answer = bed_ask(&bed, "GET",
                     "/api/v1/components/acme/shop/web"
                     "?startTime=2026-08-21T08:00:00Z"
                     "&endTime=2026-08-21T08:10:00Z",
                     NULL);
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "callees"), "[1]");
    CHECK_TEXT(bed_at(answer, "callees.0.component"), "payment");
    CHECK_TEXT(bed_at(answer, "callees.0.requestCount"), "2051");
    CHECK_TEXT(bed_at(answer, "callees.0.endpoint"), "http");
    CHECK_TEXT(bed_at(answer, "callees.0.peerEndpoint"), "grpc");
    CHECK_TEXT(bed_at(answer, "callees.0.via"), "");
    CHECK_TEXT(bed_at(answer, "callees.0.previous.requestCount"), "0");
    CHECK_TEXT(bed_at(answer, "callees.0.endpoints"), "[4]");
    CHECK_TEXT(bed_at(answer, "callees.0.endpoints.0.endpoint"), "http");
    CHECK_TEXT(bed_at(answer, "callees.0.endpoints.0.peerEndpoint"), "grpc");
    CHECK_TEXT(bed_at(answer, "callees.0.endpoints.0.requestCount"), "2000");
    CHECK_TEXT(bed_at(answer, "callees.0.endpoints.1.endpoint"), "admin");
    CHECK_TEXT(bed_at(answer, "callees.0.endpoints.1.protocol"), "grpc");
    CHECK_TEXT(bed_at(answer, "callees.0.endpoints.2.protocol"), "messaging");
    CHECK_TEXT(bed_at(answer, "callees.0.endpoints.2.via"), "queue");
    CHECK_TEXT(bed_at(answer, "callees.0.endpoints.2.requestCount"), "7");
    CHECK_TEXT(bed_at(answer, "callers"), "[1]");
    CHECK_TEXT(bed_at(answer, "callers.0.endpoint"), "http");
    CHECK_TEXT(bed_at(answer, "callers.0.requestCount"), "60");
    json_decref(answer);
    bed_release(&bed);
}

TEST(gateways_and_externals_can_be_left_out)
{
    json_t *answer;

    bed_init(&bed);
    put_calls();
    answer = ask(",\"includeGateways\":false,\"includeExternal\":false");
    CHECK_TEXT(bed_at(answer, "edges"), "[1]");
    CHECK_TEXT(bed_at(answer, "nodes"), "[2]");
    json_decref(answer);
    bed_release(&bed);
}

static struct point *put_external(const char *name, uint32_t resource,
                                  const char *host, uint64_t count)
{
    struct point *p = call_put(&bed, name, resource, count);

    call_tell(p, DERIVED_PEER_KIND, "external");
    call_tell(p, DERIVED_PEER_NAME, host);
    return p;
}

static const json_t *node(const json_t *answer, const char *name)
{
    const json_t *nodes = json_object_get(answer, "nodes");

    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *at = json_array_get(nodes, i);
        const char *is = json_string_value(json_object_get(at, "name"));

        if (is && strcmp(is, name) == 0)
            return at;
    }
    return NULL;
}

/* Sixty sent to a queue and sixty fetched from it are sixty calls of it. */
TEST(what_lies_outside_has_the_figures_of_its_calls)
{
    json_t *answer;

    bed_init(&bed);
    put_calls();
    uint32_t mail = bed_resource(&bed, "shop", "mail");
    for (int i = 0; i < 2; i++) {
        struct point *p =
            put(i ? DERIVED_OUT_DURATION : DERIVED_IN_DURATION, mail);

        call_tell(p, DERIVED_PEER_KIND, "queue");
        call_tell(p, DERIVED_PEER_NAME, "mails");
    }
    answer = ask("");
    CHECK_TEXT(bed_at(node(answer, "internet"), "metrics.requestCount"), "60");
    CHECK_TEXT(bed_at(node(answer, "orders"), "metrics.requestCount"), "60");
    CHECK_TEXT(bed_at(node(answer, "mails"), "metrics.requestCount"), "60");
    json_decref(answer);
    bed_release(&bed);
}

/* All calls of one host, and a third of those of another. */
TEST(what_was_taken_back_is_not_there)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t cart = bed_resource(&bed, "shop", "cart");
    put_external(DERIVED_OUT_DURATION, cart, "all.example", 60);
    put_external(DERIVED_OUT_RETRACTED_DURATION, cart, "all.example", 60);
    put_external(DERIVED_OUT_DURATION, cart, "some.example", 60);
    put_external(DERIVED_OUT_RETRACTED_DURATION, cart, "some.example", 20);
    answer = ask("");
    CHECK(!edge(answer, "cart->external:all.example"));
    CHECK_TEXT(bed_at(edge(answer, "cart->external:some.example"),
                      "metrics.requestCount"),
               "40");
    CHECK_TEXT(bed_at(edge(answer, "cart->external:some.example"),
                      "metrics.meanLatency"),
               "0.1");
    CHECK_TEXT(bed_at(answer, "edges"), "[1]");
    CHECK_TEXT(bed_at(answer, "nodes"), "[2]");
    json_decref(answer);
    bed_release(&bed);
}

/* A SERVER span that turned out to be part of another one's request. */
static void put_served(const char *name, uint32_t resource, uint64_t count)
{
    struct point *p = call_put(&bed, name, resource, count);

    call_tell(p, DERIVED_ENDPOINT, "http");
    call_tell(p, DERIVED_OPERATION, "GET /");
    call_tell(p, DERIVED_KIND, "server");
}

TEST(requests_that_were_taken_back_are_not_there)
{
    static const char span[] = "startTime=2026-08-21T08:00:00Z"
                               "&endTime=2026-08-21T08:10:00Z";
    char path[256];
    json_t *answer;

    bed_init(&bed);
    uint32_t web = bed_resource(&bed, "shop", "web");
    put_served(DERIVED_DURATION, web, 60);
    put_served(DERIVED_RETRACTED_DURATION, web, 20);
    answer = ask("");
    CHECK_TEXT(bed_at(answer, "nodes.0.metrics.requestCount"), "40");
    CHECK_TEXT(bed_at(answer, "nodes.0.metrics.meanLatency"), "0.1");
    json_decref(answer);
    snprintf(path, sizeof(path), "/api/v1/components/acme/shop/web?%s", span);
    answer = bed_ask(&bed, "GET", path, NULL);
    CHECK_TEXT(bed_at(answer, "summary.requestCount"), "40");
    CHECK_TEXT(bed_at(answer, "endpoints.0.requestCount"), "40");
    CHECK_TEXT(bed_at(answer, "endpoints.0.operations.0.requestCount"), "40");
    json_decref(answer);
    snprintf(path, sizeof(path), "/api/v1/components?namespace=acme&%s", span);
    answer = bed_ask(&bed, "GET", path, NULL);
    CHECK_TEXT(bed_at(answer, "components.0.requestCount"), "40");
    json_decref(answer);
    answer =
        bed_ask(&bed, "POST", "/api/v1/metrics/query",
                "{" TIMES "," SCOPE ",\"metric\":\"http\",\"step\":\"1m\"}");
    CHECK_TEXT(bed_at(answer, "requestCount.0.value"), "0.666666667");
    json_decref(answer);
    bed_release(&bed);
}

TEST(environment_is_required_and_limit_has_bounds)
{
    bed_init(&bed);
    CHECK(
        strstr(bed_refused(&bed, PATH,
                           "{" TIMES ",\"searchScope\":{\"namespace\":\"acme\","
                           "\"project\":\"shop\"}}",
                           400, ""),
               "searchScope.environment"));
    CHECK(strstr(bed_refused(&bed, PATH,
                             "{" TIMES
                             ",\"limit\":0,\"searchScope\":{\"namespace\":"
                             "\"acme\",\"environment\":\"prod\"}}",
                             400, ""),
                 "limit must be an integer from 1 to 10000"));
    bed_release(&bed);
}

/* Each of the components depends on the ten behind it, and web on cart. */
static void declare(int count)
{
    struct slice detail = {NULL, 0};
    struct buf text;
    const char *comma = "";

    buf_init(&text, 1 << 22);
    buf_add(&text, SLICE("{\"components\":["));
    for (int i = 0; i < count; i++) {
        buf_format(&text,
                   "%s{\"namespace\":\"acme\",\"project\":\"shop\","
                   "\"name\":\"c%d\",\"dependencies\":[",
                   comma, i);
        for (int k = 1; k <= 10; k++)
            buf_format(&text, "%s{\"component\":\"c%d\",\"endpoint\":\"http\"}",
                       k > 1 ? "," : "", (i + k) % count);
        buf_add(&text, SLICE("]}"));
        comma = ",";
    }
    buf_add(&text,
            SLICE(",{\"namespace\":\"acme\",\"project\":\"shop\","
                  "\"name\":\"web\",\"dependencies\":"
                  "[{\"component\":\"cart\",\"endpoint\":\"grpc\"}]}]}"));
    CHECK_EQ(catalog_put(bed.catalog, buf_slice(&text), &bed.arena, &detail),
             OK);
    buf_release(&text);
}

TEST(what_is_declared_is_marked_and_shown_when_asked_for)
{
    json_t *answer;

    bed_init(&bed);
    put_calls();
    declare(3);
    answer = ask("");
    CHECK_TEXT(bed_at(answer, "edges"), "[3]");
    CHECK_TEXT(bed_at(edge(answer, "web:http->cart:grpc"), "declared"), "true");
    CHECK_TEXT(bed_at(edge(answer, "web:http->cart:grpc"), "observed"), "true");
    json_decref(answer);
    answer = ask(",\"includeDeclared\":true");
    CHECK_TEXT(bed_at(answer, "edges"), "[12]");
    CHECK_TEXT(bed_at(edge(answer, "c0->c1:http"), "declared"), "true");
    CHECK_TEXT(bed_at(edge(answer, "c0->c1:http"), "observed"), "false");
    json_decref(answer);
    bed_release(&bed);
}

TEST(a_project_given_by_uid_has_the_same_declared_edges)
{
    static const char *const components[] = {"web", "cart"};
    json_t *answer;

    bed_init(&bed);
    put_calls();
    declare(3);
    for (int i = 0; i < 2; i++) { /* a sender that knows the uids as well */
        struct attr at[] = {
            bed_attr("openchoreo.dev/namespace", "acme"),
            bed_attr("openchoreo.dev/project", "shop"),
            bed_attr("openchoreo.dev/component", components[i]),
            bed_attr("openchoreo.dev/environment", "prod"),
            bed_attr("openchoreo.dev/project-uid", "uid-of-shop"),
            bed_attr("openchoreo.dev/environment-uid", "uid-of-prod")};
        struct resource resource = {.attrs = {at, 6, 0}};

        registry_resolve(bed.registry, &resource, CALL_T0);
    }
    answer = bed_ask(&bed, "POST", PATH,
                     "{" TIMES ",\"includeDeclared\":true,\"searchScope\":{"
                     "\"namespace\":\"acme\",\"project\":\"uid-of-shop\","
                     "\"environment\":\"uid-of-prod\"}}");
    CHECK_TEXT(bed_at(answer, "edges"), "[12]");
    CHECK_TEXT(bed_at(edge(answer, "web:http->cart:grpc"), "declared"), "true");
    json_decref(answer);
    bed_release(&bed);
}

/* Dependencies times edges: comparing must cost next to nothing. */
TEST(a_large_catalogue_is_answered_soon)
{
    uint64_t begin;
    json_t *answer;

    bed_init(&bed);
    declare(400);
    begin = clock_monotonic_ns();
    answer = ask(",\"includeDeclared\":true");
    printf("# %.0f ms\n", (double)(clock_monotonic_ns() - begin) / 1e6);
    CHECK(clock_monotonic_ns() - begin < NS_PER_S);
    CHECK(bed.status == 200 || bed.status == 413); /* of the bed's text */
    json_decref(answer);
    bed_release(&bed);
}
