#include "endpoint.h"

#include "correlate_kit.h"

static struct arena arena;

__attribute__((constructor)) static void set_up(void)
{
    arena_init(&arena, NULL, SIZE_MAX);
    semconv_init();
}

static void check_mask(const char *path, const char *want)
{
    char out[OPERATION_MAX_TEXT];

    CHECK_TEXT(operation_mask_path(slice_of(path), out, sizeof(out)), want);
}

TEST(ids_in_paths_are_masked)
{
    check_mask("/users/123/orders", "/users/{id}/orders");
    check_mask("/users/123", "/users/{id}");
    check_mask("/", "/");
    check_mask("", "");
    check_mask("/a//b/", "/a//b/");
    check_mask("/x/550e8400-e29b-41d4-a716-446655440000/y", "/x/{id}/y");
    check_mask("/x/550e8400e29b41d4a716446655440000", "/x/{id}");
    check_mask("/x/deadbeef", "/x/{id}");
    check_mask("/x/deadbee", "/x/deadbee"); /* seven may be a word */
    check_mask("/v1/cafe", "/v1/cafe");
    check_mask("/x/12?user=7", "/x/{id}");
    check_mask("/x#12", "/x");
    check_mask("/x/-", "/x/-");
    check_mask("/x/12-34", "/x/12-34");
}

TEST(a_long_path_is_truncated)
{
    char path[2000], out[OPERATION_MAX_TEXT];
    struct slice masked;

    memset(path, 'x', sizeof(path));
    masked = operation_mask_path((struct slice){path, sizeof(path)}, out,
                                 sizeof(out));
    CHECK_EQ(masked.len, sizeof(out));
}

static void check_operation(enum span_kind kind, const char *name,
                            const char *attrs, const char *want)
{
    struct span span = {.kind = (uint8_t)kind,
                        .name = slice_of(name),
                        .attrs = kit_attrs(&arena, attrs)};
    char out[OPERATION_MAX_TEXT];
    struct semconv semconv;

    semconv_read(&semconv, &span);
    CHECK_TEXT(operation_text(&semconv, span_protocol(&semconv), out), want);
}

TEST(operations_by_protocol)
{
    check_operation(SPAN_SERVER, "x",
                    "http.request.method=GET,http.route=/a/{b}", "GET /a/{b}");
    check_operation(SPAN_SERVER, "x", "http.method=GET,http.target=/a/12?q=1",
                    "GET /a/{id}");
    check_operation(SPAN_SERVER, "x", "http.request.method=_OTHER,url.path=/a",
                    "HTTP /a");
    check_operation(SPAN_SERVER, "GET handler", "http.method=GET",
                    "GET handler");
    check_operation(SPAN_CLIENT, "GET",
                    "http.method=GET,http.url=https://h:1/a/12?x",
                    "GET /a/{id}");
    check_operation(SPAN_CLIENT, "GET", "http.method=GET,url.full=https://h",
                    "GET /");
    check_operation(SPAN_SERVER, "x",
                    "rpc.system=grpc,rpc.service=a.B,rpc.method=C", "a.B/C");
    check_operation(SPAN_SERVER, "x",
                    "rpc.system.name=grpc,rpc.method=a.B/C,rpc.service=no",
                    "a.B/C");
    check_operation(SPAN_CONSUMER, "x",
                    "messaging.system=kafka,messaging.operation=process,"
                    "messaging.destination.name=orders",
                    "process orders");
    check_operation(SPAN_CLIENT, "x",
                    "db.system=mysql,db.operation=SELECT,db.sql.table=t",
                    "SELECT t");
    check_operation(SPAN_CLIENT, "x",
                    "db.system.name=mysql,db.query.summary=SELECT t",
                    "SELECT t");
    check_operation(SPAN_CLIENT, "redis", "db.system=redis", "redis");
    check_operation(SPAN_SERVER, "GET /a/77/b", "", "GET /a/{id}/b");
    check_operation(SPAN_SERVER, "plain name", "", "plain name");
    check_operation(SPAN_SERVER, "", "", "");
}

/* HTTP and RPC are only the way that a call of a database or a queue goes. */
TEST(calls_of_databases_and_queues_by_whatever_names_them)
{
    check_operation(SPAN_CLIENT, "x",
                    "db.system.name=elasticsearch,db.operation.name=search,"
                    "db.collection.name=products,http.request.method=POST,"
                    "url.full=http://es:9200/products/_search",
                    "search products");
    check_operation(SPAN_CLIENT, "x",
                    "db.system=opensearch,db.operation=search,http.method=POST,"
                    "db.elasticsearch.path_parts.index=logs",
                    "search logs");
    check_operation(SPAN_CLIENT, "x",
                    "db.system.name=clickhouse,db.query.summary=SELECT hits,"
                    "http.request.method=POST,http.response.status_code=#200",
                    "SELECT hits");
    check_operation(SPAN_CLIENT, "x",
                    "db.system=cosmosdb,db.operation=Read,http.method=GET,"
                    "db.cosmosdb.container=carts",
                    "Read carts");
    check_operation(
        SPAN_CLIENT, "DynamoDB.PutItem",
        "rpc.system=aws-api,rpc.service=DynamoDB,rpc.method=PutItem,"
        "http.status_code=#200,aws.table.name=carts",
        "PutItem carts");
    check_operation(SPAN_CLIENT, "DynamoDB.GetItem",
                    "rpc.system.name=aws-api,rpc.method=DynamoDB/GetItem",
                    "GetItem");
    check_operation(SPAN_CLIENT, "S3.PutObject",
                    "rpc.system=aws-api,rpc.service=Amazon S3,"
                    "rpc.method=PutObject,aws.bucket.name=photos",
                    "PutObject photos");
    check_operation(SPAN_CLIENT, "x",
                    "rpc.system=aws-api,rpc.service=AmazonSQS,"
                    "rpc.method=SendMessage,http.method=POST,"
                    "aws.queue.url=https://sqs.eu-west-1.amazonaws.com/1/mails",
                    "SendMessage mails");
    check_operation(SPAN_PRODUCER, "x",
                    "messaging.system=gcp_pubsub,rpc.system=grpc,"
                    "rpc.service=google.pubsub.v1.Publisher,rpc.method=Publish,"
                    "messaging.operation=publish,messaging.destination=mails",
                    "publish mails");
    check_operation(SPAN_CLIENT, "SELECT carts",
                    "db.type=sql,db.instance=carts,db.statement=SELECT 1",
                    "SELECT carts");
    /* neither a database's own spans nor a service of the user's */
    check_operation(SPAN_SERVER, "x",
                    "db.system=mysql,http.method=GET,http.route=/a", "GET /a");
    check_operation(SPAN_CLIENT, "x",
                    "rpc.system=grpc,rpc.service=Storage,rpc.method=Get",
                    "Storage/Get");
    check_operation(SPAN_CLIENT, "x",
                    "rpc.system=aws-api,rpc.service=KMS,rpc.method=Decrypt",
                    "KMS/Decrypt");
}

/* Attributes of HTTP as senders set them; the name is "name". */
static const char *const http_cases[][2] = {
    /* no scheme, relative, absolute-form, authority-form, and what is behind */
    {"http.method=GET,http.url=/carts/17", "GET /carts/{id}"},
    {"http.method=GET,http.url=carts/17?full=1", "GET /carts/{id}"},
    {"http.method=GET,http.url=shop.example/carts/17", "GET /carts/{id}"},
    {"http.method=GET,http.url=cart:8080/carts/17#top", "GET /carts/{id}"},
    {"http.method=GET,http.url=//cart/carts/17", "GET /carts/{id}"},
    {"http.method=GET,http.url=http://u:p@[::1]:80/carts/17",
     "GET /carts/{id}"},
    {"http.method=GET,http.url=http://cart", "GET /"},
    {"http.method=GET,http.url=http://cart?x=/y", "GET /"},
    {"http.method=GET,http.target=http://cart/carts/17?to=http://x/y",
     "GET /carts/{id}"},
    {"http.method=GET,http.target=/to?url=http://x/y", "GET /to"},
    {"http.method=CONNECT,http.target=shop.example:443", "name"},
    {"http.method=OPTIONS,http.target=*", "OPTIONS *"},
    {"http.method=GET,url.path=/carts;jsessionid=9f/17", "GET /carts/{id}"},
    {"http.method=GET,url.full=https://h/a,url.path=", "GET /a"},
    /* where it stands */
    {"http.method=GET,http.path=/carts/17", "GET /carts/{id}"},
    {"http.method=GET,http.uri=/carts/17", "GET /carts/{id}"},
    {"method=GET,uri=/carts/{id},http.url=/carts/17", "GET /carts/{id}"},
    {"method=get,uri=/carts/17,status=200", "GET /carts/{id}"},
    {"method=GET,uri=UNKNOWN,http.url=/carts/17", "GET /carts/{id}"},
    {"method=GET,uri=NOT_FOUND", "name"},
    {"method=GET,uri=root", "GET /"},
    {"method=GET,uri=/**,http.url=/static/a.js", "GET /static/a.js"},
    {"method=GET,uri=/**", "GET /**"},
    {"method=GET,uri=/,http.url=/app/", "GET /"},
    {"uri=/carts/17", "/carts/{id}"},
    {"method=GET,url=http://cart:80/carts/17", "GET /carts/{id}"},
    {"http.request.method=GET,url.template=/carts/{id}", "GET /carts/{id}"},
    {"http.request.method=GET,url.template=https://cart/carts/{id}",
     "GET /carts/{id}"},
    {"http.method=get,http.route=/carts/{id}", "GET /carts/{id}"},
    {"http.method=PURGE,http.route=/a", "PURGE /a"},
    {"http.method=GET,http.route=GET /carts/{id}", "GET /carts/{id}"},
    {"http.method=GET,http.route=my carts", "GET my carts"},
    /* routes that fit every path */
    {"http.method=GET,http.route=/,http.target=/carts/17", "GET /carts/{id}"},
    {"http.method=GET,http.route=/*,url.path=/carts/17", "GET /carts/{id}"},
    {"http.method=GET,http.route={*path},url.path=/carts", "GET /carts"},
    {"http.method=GET,http.route=/{p:path},url.path=/carts", "GET /carts"},
    {"http.method=ANY,http.route=/{proxy+},url.path=/carts", "ANY /carts"},
    {"http.method=GET,http.route={controller=Home}/{action=Index}/{id?},"
     "url.path=/carts/17",
     "GET /carts/{id}"},
    {"http.method=GET,http.route=/,http.target=/", "GET /"},
    {"http.method=GET,http.route=/", "GET /"},
    {"http.method=GET,http.route=/{id},url.path=/x", "GET /{id}"},
    {"http.method=GET,http.route=/api/*,url.path=/api/x", "GET /api/*"},
    /* nothing known */
    {"http.method=GET", "name"},
    {"http.method=GET,http.status_code=#200", "name"},
    {"http.method=GET,http.url=", "name"},
    {"method=charge,status=500", "name"},
    {"uri=isbn:123", "name"},
    /* gRPC through a proxy */
    {"http.method=POST,http.url=http://h/pb.Cart/Add,grpc.status_code=14",
     "pb.Cart/Add"},
    {"rpc.system=grpc,rpc.method=/pb.Cart/Add", "pb.Cart/Add"},
    {"rpc.system=grpc,http.method=POST", "name"},
};

TEST(operations_of_http)
{
    for (size_t i = 0; i < sizeof(http_cases) / sizeof(*http_cases); i++)
        check_operation(i % 2 ? SPAN_SERVER : SPAN_CLIENT, "name",
                        http_cases[i][0], http_cases[i][1]);
    check_operation(SPAN_SERVER, "http get /carts/17", "http.method=GET",
                    "http get /carts/{id}");
    check_operation(SPAN_SERVER, "", "http.method=get", "GET");
}

TEST(ids_in_names_are_masked)
{
    static const char *const names[][2] = {
        {"GET /carts/17 HTTP/1.1", "GET /carts/{id} HTTP/1.1"},
        {"GET /carts/17?x=1 again", "GET /carts/{id} again"},
        {"GET http://u:p@cart:80/carts/17?x", "GET /carts/{id}"},
        {"https://cart", "/"},
        {"/carts/17", "/carts/{id}"},
        {"charge order 4711", "charge order {id}"},
        {"load 550e8400-e29b-41d4-a716-446655440000", "load {id}"},
        {"step 2 of 3", "step 2 of 3"},
        {"HTTP 200", "HTTP 200"},
        {"http: no URL", "http: no URL"},
        {"https:5;a:3", "https:5;a:3"},
        {"#/", "#/"},
        {" two  spaces ", " two  spaces "},
        {"Order#charge", "Order#charge"},
        {"why?", "why?"},
        {"SELECT carts", "SELECT carts"}};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        check_operation(SPAN_SERVER, names[i][0], "", names[i][1]);
}

/* ---- through the correlator ---- */

static struct span *served(struct kit *kit, struct batch *batch,
                           const char *resource, const char *attrs)
{
    struct span *span = kit_span(batch, resource, SPAN_SERVER, 1, 1, 0, attrs);

    (void)kit;
    return span;
}

#define CART "service.name=cart,service.namespace=shop"

TEST(stamped_declared_inferred_in_this_order)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);
    struct slice detail;

    CHECK_EQ(catalog_put(kit.catalog,
                         SLICE("{\"components\":[{\"project\":\"shop\","
                               "\"name\":\"cart\",\"endpoints\":["
                               "{\"name\":\"api\",\"port\":8080},"
                               "{\"name\":\"admin\",\"port\":9000,"
                               "\"basePath\":\"/admin\"}]}]}"),
                         &arena, &detail),
             OK);
    served(&kit, batch, CART, "http.route=/x,server.port=#8080");
    served(&kit, batch, CART, "http.route=/admin/x,server.port=#1");
    served(&kit, batch, CART, "http.method=GET,url.path=/admin/y");
    served(&kit, batch, CART, "rpc.system=grpc,rpc.method=a/b,server.port=#5");
    served(&kit, batch, CART,
           "http.route=/x,server.port=#8080,"
           "openchoreo.dev/endpoint-name=public");
    served(&kit, batch, CART ",k8s.pod.label.openchoreo.dev/endpoint-name=pod",
           "http.route=/x,server.port=#8080");
    served(&kit, batch, "service.name=other", "http.route=/x");
    served(&kit, batch, "service.name=other", "");
    kit_take(&kit, batch);
    CHECK_TEXT(batch->spans[0].endpoint, "api");
    CHECK_TEXT(batch->spans[1].endpoint, "admin");
    CHECK_TEXT(batch->spans[2].endpoint, "admin");
    CHECK_TEXT(batch->spans[3].endpoint, "grpc");
    CHECK_TEXT(batch->spans[4].endpoint, "public");
    CHECK_TEXT(batch->spans[5].endpoint, "pod");
    CHECK_TEXT(batch->spans[6].endpoint, "http");
    CHECK_TEXT(batch->spans[7].endpoint, "");
    batch_free(batch);
    kit_close(&kit);
    arena_release(&arena);
}

TEST(too_many_operations_are_other)
{
    struct correlator_options options = kit_options;
    struct batch *batch;
    struct kit kit;

    kit_reset();
    options.max_operations = 3;
    kit = kit_open_with(&options);
    batch = kit_batch(&kit, SIGNAL_SPANS);
    for (uint32_t i = 10; i-- > 0;) { /* the last one is tagged first */
        char attrs[40];

        snprintf(attrs, sizeof(attrs), "http.route=/%c", 'a' + (int)i % 5);
        served(&kit, batch, CART, attrs);
    }
    kit_take(&kit, batch);
    CHECK_TEXT(batch->spans[7].operation, "/c");
    CHECK_TEXT(batch->spans[6].operation, "{other}");
    CHECK_TEXT(batch->spans[0].operation, "{other}");
    CHECK_TEXT(batch->spans[3].operation, "/b");
    batch_free(batch);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_DURATION, "operation={other}"), 4);
    CHECK_EQ(kit_sum(DERIVED_DURATION, ""), 10);
}

/* More names than the table holds: it is cleared, and nothing gets lost. */
TEST(a_flood_of_names_is_bounded)
{
    struct kit kit = kit_open();
    uint64_t sent = 0;

    for (uint32_t i = 0; i < 140; i++) {
        struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);

        for (uint32_t j = 0; j < KIT_MAX_RECORDS; j++) {
            char resource[100], attrs[100];

            snprintf(resource, sizeof(resource), "service.name=s%u", j);
            snprintf(attrs, sizeof(attrs),
                     "http.route=/%u,openchoreo.dev/endpoint-name=e%u",
                     i * 1000 + j, i % 70);
            served(&kit, batch, resource, attrs)->parent_span_id[0] = 9;
            sent++;
        }
        kit_take_all(&kit, batch);
    }
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_DURATION, ""), sent);
}

TEST(client_spans_have_an_operation_only)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);

    kit_span(batch, CART, SPAN_CLIENT, 1, 1, 0,
             "http.method=GET,url.template=/a/{b}");
    kit_span(batch, CART, SPAN_INTERNAL, 1, 2, 0, "http.method=GET");
    kit_take(&kit, batch);
    CHECK_TEXT(batch->spans[0].endpoint, "");
    CHECK_TEXT(batch->spans[0].operation, "GET /a/{b}");
    CHECK_TEXT(batch->spans[1].endpoint, "");
    CHECK_TEXT(batch->spans[1].operation, "");
    batch_free(batch);
    kit_close(&kit);
}
