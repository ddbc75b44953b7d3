#include "url.h"

#include "correlate_kit.h"
#include "hash.h"

#define CART  "service.name=cart,service.namespace=shop"
#define FRONT "service.name=front,service.namespace=shop"
#define STOCK "service.name=stock,service.namespace=shop"
#define GET   "http.request.method=GET,http.route=/cart"

static void one(struct kit *kit, const char *resource, enum span_kind kind,
                uint32_t trace, uint32_t id, uint32_t parent, const char *attrs)
{
    struct batch *batch = kit_batch(kit, SIGNAL_SPANS);

    kit_span(batch, resource, kind, trace, id, parent, attrs);
    kit_take_all(kit, batch);
}

static uint32_t identity_of(struct kit *kit, const char *component)
{
    struct component_info *infos;
    struct arena arena;
    uint32_t count, id = IDENTITY_NONE;

    arena_init(&arena, NULL, SIZE_MAX);
    infos = registry_components(kit->registry, &(struct scope_filter){0},
                                &arena, &count);
    for (uint32_t i = 0; i < count; i++)
        if (slice_equal(infos[i].identity.component, slice_of(component)))
            id = infos[i].identity.id;
    arena_release(&arena);
    return id;
}

/* Spans of one request: front serves, calls cart, cart serves and calls stock,
 * which serves. Each exported alone, in any order. */
static void send_request(struct kit *kit, uint32_t trace,
                         const uint32_t order[5])
{
    for (int i = 0; i < 5; i++)
        switch (order[i]) {
        case 0:
            one(kit, FRONT, SPAN_SERVER, trace, 1, 0, GET);
            break;
        case 1:
            one(kit, FRONT, SPAN_CLIENT, trace, 2, 1, GET);
            break;
        case 2:
            one(kit, CART, SPAN_SERVER, trace, 3, 2, GET);
            break;
        case 3:
            one(kit, CART, SPAN_CLIENT, trace, 4, 3,
                "rpc.system=grpc,rpc.service=Stock,rpc.method=Take");
            break;
        case 4:
            one(kit, STOCK, SPAN_SERVER, trace, 5, 4,
                "rpc.system=grpc,rpc.service=Stock,rpc.method=Take");
            break;
        }
}

static bool next_order(uint32_t order[5])
{
    int i = 3, j = 4;

    while (i >= 0 && order[i] > order[i + 1])
        i--;
    if (i < 0)
        return false;
    while (order[j] < order[i])
        j--;
    for (uint32_t swap = order[i], done = 0; !done; done = 1) {
        order[i] = order[j];
        order[j] = swap;
    }
    for (int a = i + 1, b = 4; a < b; a++, b--) {
        uint32_t swap = order[a];

        order[a] = order[b];
        order[b] = swap;
    }
    return true;
}

TEST(any_order_makes_the_same_edges)
{
    struct kit kit = kit_open();
    uint32_t order[5] = {0, 1, 2, 3, 4}, orders = 0;
    uint32_t front, cart, stock;
    char attrs[100];

    do
        send_request(&kit, ++orders, order);
    while (next_order(order));
    CHECK_EQ(orders, 120);
    front = identity_of(&kit, "front");
    cart = identity_of(&kit, "cart");
    stock = identity_of(&kit, "stock");
    kit_close(&kit);

    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, ""), 240);
    CHECK_EQ(kit_sum(DERIVED_IN_DURATION, "peer.kind=component"), 240);
    CHECK_EQ(kit_sum(DERIVED_IN_DURATION,
                     "peer.kind=gateway,peer.name=intranet,endpoint=http"),
             120);
    snprintf(attrs, sizeof(attrs),
             "peer.identity=#%u,peer.endpoint=http,protocol=http", cart);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, attrs), 120);
    snprintf(attrs, sizeof(attrs),
             "peer.identity=#%u,peer.endpoint=grpc,protocol=grpc", stock);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, attrs), 120);
    snprintf(attrs, sizeof(attrs), "peer.identity=#%u,endpoint=http", front);
    CHECK_EQ(kit_sum(DERIVED_IN_DURATION, attrs), 120);
    snprintf(attrs, sizeof(attrs), "peer.identity=#%u,endpoint=grpc", cart);
    CHECK_EQ(kit_sum(DERIVED_IN_DURATION, attrs), 120);
}

/* One of these, each exported alone: front serves, in it is a step of work that
 * calls cart, which serves and asks its database. */
static void send_step(struct kit *kit, uint32_t trace, uint32_t step)
{
    switch (step) {
    case 0:
        one(kit, FRONT, SPAN_SERVER, trace, 1, 0, GET);
        break;
    case 1:
        one(kit, FRONT, SPAN_INTERNAL, trace, 2, 1, "");
        break;
    case 2:
        one(kit, FRONT, SPAN_CLIENT, trace, 3, 2, GET);
        break;
    case 3:
        one(kit, CART, SPAN_SERVER, trace, 4, 3, GET);
        break;
    default:
        one(kit, CART, SPAN_CLIENT, trace, 5, 4,
            "db.system=redis,db.namespace=carts,server.address=cache");
    }
}

TEST(in_any_order_calls_have_their_endpoints)
{
    struct kit kit = kit_open();
    uint32_t order[5] = {0, 1, 2, 3, 4}, trace = 0;

    do {
        trace++;
        for (int i = 0; i < 5; i++)
            send_step(&kit, trace, order[i]);
    } while (next_order(order));
    kit_store.flush_due = true;
    one(&kit, FRONT, SPAN_INTERNAL, 999, 1, 0, "");
    /* without waiting for anything */
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION,
                     "endpoint=http,peer.kind=component,peer.endpoint=http"),
             120);
    CHECK_EQ(kit_sum(DERIVED_IN_DURATION,
                     "endpoint=http,peer.kind=component,peer.endpoint=http"),
             120);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION,
                     "endpoint=http,peer.kind=database,peer.name=carts,"
                     "peer.system=redis,peer.host=cache"),
             120);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, ""), 240);
    CHECK_EQ(kit_sum(DERIVED_OUT_RETRACTED_DURATION, ""), 0);
}

TEST(a_caller_whose_server_span_never_comes_is_counted_without_endpoint)
{
    struct kit kit = kit_open();

    kit_store.flush_due = true;
    one(&kit, CART, SPAN_CLIENT, 1, 2, 1, "db.system=redis");
    one(&kit, CART, SPAN_CLIENT, 1, 3, 4, "db.system=redis");
    one(&kit, CART, SPAN_INTERNAL, 1, 4, 0, ""); /* a job: nobody serves */
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, "endpoint="), 1);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, "endpoint="), 2);
}

TEST(spans_in_a_circle_do_no_harm)
{
    struct kit kit = kit_open();

    for (uint32_t round = 0; round < 3; round++) {
        one(&kit, CART, SPAN_CLIENT, 1, 9 + round, 1, "db.system=redis");
        for (uint32_t i = 1; i <= 3; i++)
            one(&kit, CART, SPAN_INTERNAL, 1, i, i % 3 + 1, "");
        one(&kit, CART, SPAN_INTERNAL, 1, 5, 5, "");
        one(&kit, CART, SPAN_CLIENT, 1, 6, 5, "db.system=redis");
    }
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, ""), 6);
}

TEST(calls_of_one_request_beyond_their_room_are_counted)
{
    struct kit kit = kit_open();

    for (uint32_t i = 0; i < 10; i++) {
        struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);

        for (uint32_t j = 0; j < 300; j++)
            kit_span(batch, CART, SPAN_CLIENT, 1 + i % 2, 10 + 300 * i + j, 1,
                     "db.system=redis");
        kit_take_all(&kit, batch);
    }
    one(&kit, CART, SPAN_SERVER, 2, 1, 0, GET);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, ""), 3000);
    CHECK(kit_sum(DERIVED_OUT_DURATION, "endpoint=http") > 0);
}

TEST(a_call_that_is_held_is_kept_over_a_crash)
{
    struct kit kit = kit_open();

    kit_store.flush_due = true;
    one(&kit, CART, SPAN_CLIENT, 1, 2, 1,
        "db.system=redis,db.namespace=carts,server.address=cache");
    kit_kill(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, ""), 0);
    kit_store.watermark[STREAM_SPANS] = kit_store.watermark[STREAM_DERIVED] = 1;
    kit = kit_open_with(&kit_options);
    kit.lsn = 1;
    one(&kit, CART, SPAN_SERVER, 1, 1, 0, GET);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION,
                     "endpoint=http,peer.kind=database,peer.name=carts,"
                     "peer.system=redis,peer.host=cache"),
             1);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, ""), 1);
}

/* ---- the other end comes late ---- */

/* A span that arrives so long after the first ones. */
static void late(struct kit *kit, uint64_t after_ns, const char *resource,
                 enum span_kind kind, uint32_t trace, uint32_t id,
                 uint32_t parent, const char *attrs)
{
    struct batch *batch = kit_batch(kit, SIGNAL_SPANS);

    batch->received_ns += after_ns;
    if (resource)
        kit_span(batch, resource, kind, trace, id, parent, attrs);
    kit_take_all(kit, batch);
}

static int64_t net(const char *name, const char *back, const char *attrs)
{
    return (int64_t)kit_sum(name, attrs) - (int64_t)kit_sum(back, attrs);
}

static int64_t net_out(const char *attrs)
{
    return net(DERIVED_OUT_DURATION, DERIVED_OUT_RETRACTED_DURATION, attrs);
}

static int64_t net_in(const char *attrs)
{
    return net(DERIVED_IN_DURATION, DERIVED_IN_RETRACTED_DURATION, attrs);
}

TEST(a_callee_that_comes_late_takes_the_external_call_back)
{
    const uint64_t wait_ns = kit_options.edge_wait_ns;
    struct kit kit = kit_open();

    kit_store.flush_due = true;
    one(&kit, FRONT, SPAN_CLIENT, 1, 1, 0,
        GET ",server.address=cart.example.com");
    one(&kit, FRONT, SPAN_CLIENT, 2, 1, 0, GET ",server.address=stock");
    one(&kit, FRONT, SPAN_CLIENT, 3, 1, 0, GET ",server.address=front.example");
    one(&kit, FRONT, SPAN_CLIENT, 4, 1, 0, GET);
    one(&kit, STOCK, SPAN_INTERNAL, 9, 9, 0, "");
    late(&kit, wait_ns, NULL, SPAN_CLIENT, 0, 0, 0, NULL);
    CHECK_EQ(net_out("peer.kind=external"), 2);
    CHECK_EQ(net_out("peer.kind=component"), 1); /* stock, by its name */
    CHECK_EQ(net_in("peer.kind=component"), 1);

    late(&kit, 2 * wait_ns, CART, SPAN_SERVER, 1, 2, 1, GET);
    late(&kit, 2 * wait_ns, CART, SPAN_SERVER, 2, 2, 1, GET);
    late(&kit, 2 * wait_ns, FRONT, SPAN_SERVER, 3, 2, 1, GET); /* its own */
    late(&kit, 2 * wait_ns, CART, SPAN_SERVER, 4, 2, 1, GET);
    late(&kit, 2 * wait_ns, CART, SPAN_SERVER, 1, 2, 1, GET); /* once more */
    CHECK_EQ(kit_sum(DERIVED_OUT_RETRACTED_DURATION, "peer.kind=external"), 2);
    CHECK_EQ(net_out("peer.kind=external"), 0);
    CHECK_EQ(net_out("peer.kind=component,peer.endpoint=http"), 3);
    CHECK_EQ(net_in("peer.kind=component,endpoint=http"), 3);
    kit_close(&kit);
    CHECK_EQ(net_out(""), 3);
    CHECK_EQ(net_in(""), 3);
}

TEST(a_caller_that_comes_late_meets_its_callee)
{
    const uint64_t wait_ns = kit_options.edge_wait_ns;
    struct kit kit = kit_open();

    one(&kit, CART, SPAN_SERVER, 1, 2, 1, GET);
    late(&kit, 3 * wait_ns, FRONT, SPAN_CLIENT, 1, 1, 0,
         GET ",server.address=cart.example.com");
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, "peer.kind=component"), 1);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, ""), 1);
    CHECK_EQ(kit_sum(DERIVED_OUT_RETRACTED_DURATION, ""), 0);
}

TEST(a_callee_later_than_that_is_counted_besides)
{
    const uint64_t wait_ns = kit_options.edge_wait_ns;
    struct kit kit = kit_open();

    one(&kit, FRONT, SPAN_CLIENT, 1, 1, 0, GET ",server.address=a.example");
    late(&kit, 10 * wait_ns, NULL, SPAN_CLIENT, 0, 0, 0, NULL);
    late(&kit, 10 * wait_ns, CART, SPAN_SERVER, 1, 2, 1, GET);
    kit_close(&kit);
    CHECK_EQ(net_out("peer.kind=external"), 1);
    CHECK_EQ(net_out("peer.kind=component"), 0);
}

TEST(a_late_callee_is_met_over_a_crash)
{
    const uint64_t wait_ns = kit_options.edge_wait_ns;
    struct kit kit = kit_open();

    kit_store.flush_due = true;
    one(&kit, FRONT, SPAN_CLIENT, 1, 1, 0, GET ",server.address=a.example");
    late(&kit, wait_ns, STOCK, SPAN_INTERNAL, 9, 9, 0, "");
    kit_kill(&kit);
    kit_store.watermark[STREAM_SPANS] = kit_store.watermark[STREAM_DERIVED] = 2;
    kit = kit_open_with(&kit_options);
    kit.lsn = 2;
    CHECK_EQ(net_out("peer.kind=external,peer.name=a.example"), 1);
    late(&kit, 2 * wait_ns, CART, SPAN_SERVER, 1, 2, 1, GET);
    kit_close(&kit);
    CHECK_EQ(net_out("peer.kind=external,peer.name=a.example"), 0);
    CHECK_EQ(net_out("peer.kind=component,peer.endpoint=http"), 1);
}

/* Both ends at any time: every call is one edge, of its true ends where both
 * came within ten times the wait. */
TEST(calls_at_any_time_are_counted_once)
{
    enum { CALLS = 150, TICKS = 40 };
    const uint64_t tick_ns = kit_options.edge_wait_ns / 6;
    uint32_t caller_at[CALLS], callee_at[CALLS], met = 0;
    struct kit kit = kit_open();

    for (uint32_t i = 0; i < CALLS; i++) {
        caller_at[i] = test_random(TICKS);
        callee_at[i] = test_random(TICKS + TICKS / 4); /* some never */
        met += callee_at[i] < TICKS;
    }
    for (uint32_t tick = 0; tick < TICKS; tick++)
        for (uint32_t i = 0; i < CALLS; i++) {
            if (caller_at[i] == tick)
                late(&kit, tick * tick_ns, FRONT, SPAN_CLIENT, 1 + i, 1, 0,
                     GET ",server.address=a.example");
            if (callee_at[i] == tick)
                late(&kit, tick * tick_ns, CART, SPAN_SERVER, 1 + i, 2, 1, GET);
        }
    kit_close(&kit);
    CHECK_EQ(net_out("peer.kind=component"), met);
    CHECK_EQ(net_in("peer.kind=component"), met);
    CHECK_EQ(net_out("peer.kind=external"), CALLS - met);
    CHECK(kit_sum(DERIVED_OUT_RETRACTED_DURATION, "") > 0);
}

TEST(a_call_knows_the_endpoint_it_is_made_for)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);

    /* as exporters send: children first, an INTERNAL span between */
    kit_span(batch, FRONT, SPAN_CLIENT, 1, 3, 2, "db.system=redis");
    kit_span(batch, FRONT, SPAN_INTERNAL, 1, 2, 1, "");
    kit_span(batch, FRONT, SPAN_SERVER, 1, 1, 0, GET);
    kit_take_all(&kit, batch);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION,
                     "endpoint=http,peer.kind=database,peer.name=redis,"
                     "peer.system=redis,protocol=db"),
             1);
}

TEST(databases_and_queues_are_counted_at_once)
{
    struct kit kit = kit_open();

    one(&kit, CART, SPAN_CLIENT, 1, 1, 0,
        "db.system.name=postgresql,db.namespace=carts,server.address=pg");
    one(&kit, CART, SPAN_CLIENT, 1, 2, 0,
        "db.system=postgresql,db.name=carts,net.peer.name=pg");
    one(&kit, CART, SPAN_PRODUCER, 1, 3, 0,
        "messaging.system=kafka,messaging.destination.name=orders");
    one(&kit, CART, SPAN_CLIENT, 1, 4, 0,
        "messaging.system=kafka,messaging.destination.name=orders,"
        "messaging.operation.type=send");
    one(&kit, CART, SPAN_CLIENT, 1, 5, 0,
        "messaging.system=kafka,messaging.destination.name=orders,"
        "messaging.operation.type=receive");
    one(&kit, CART, SPAN_PRODUCER, 1, 6, 0,
        "messaging.system=kafka,messaging.destination.name=orders,"
        "messaging.operation.type=create");
    one(&kit, STOCK, SPAN_CONSUMER, 2, 1, 0,
        "messaging.system=kafka,messaging.destination.name=orders");
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION,
                     "peer.kind=database,peer.name=carts,peer.host=pg,"
                     "peer.system=postgresql"),
             2);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION,
                     "peer.kind=queue,peer.name=orders,peer.system=kafka"),
             2);
    CHECK_EQ(kit_sum(DERIVED_IN_DURATION,
                     "peer.kind=queue,peer.name=orders,endpoint=messaging"),
             1);
    CHECK_EQ(kit_sum(DERIVED_IN_DURATION, ""), 1);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, ""), 4);
}

static void call(struct kit *kit, enum span_kind kind, const char *attrs)
{
    static uint32_t id = 1000;

    one(kit, CART, kind, 1, ++id, 0, attrs);
}

static uint64_t out(const char *attrs)
{
    return kit_sum(DERIVED_OUT_DURATION, attrs);
}

TEST(a_database_over_http_or_rpc_is_a_database)
{
    struct kit kit = kit_open();

    call(&kit, SPAN_CLIENT,
         "db.system.name=elasticsearch,http.request.method=POST,"
         "url.full=http://es:9200/products/_search");
    call(&kit, SPAN_CLIENT,
         "db.system=influxdb,db.name=meters,http.method=POST,"
         "net.peer.name=influx,http.status_code=#204");
    call(&kit, SPAN_CLIENT,
         "rpc.system=aws-api,rpc.service=DynamoDb,rpc.method=PutItem,"
         "http.method=POST,server.address=dynamodb.aws.example");
    call(&kit, SPAN_CLIENT,
         "rpc.system=aws-api,rpc.service=S3,rpc.method=GetObject,"
         "aws.s3.bucket=photos,http.method=GET");
    call(&kit, SPAN_CLIENT,
         "rpc.system=grpc,rpc.service=google.spanner.v1.Spanner,"
         "rpc.method=Commit,server.address=spanner.example");
    call(&kit, SPAN_CLIENT,
         "az.namespace=Microsoft.DocumentDB,http.method=GET,"
         "url.full=https://carts.documents.example/dbs");
    call(&kit, SPAN_CLIENT,
         "peer.service=couchbase,http.method=GET,http.url=http://cb:8093/q");
    kit_close(&kit);
    CHECK_EQ(out("peer.kind=database,protocol=db"), 7);
    CHECK_EQ(out("peer.system=elasticsearch,peer.name=es"), 1);
    CHECK_EQ(out("peer.system=influxdb,peer.name=meters"), 1);
    CHECK_EQ(out("peer.system=dynamodb,peer.host=dynamodb.aws.example"), 1);
    CHECK_EQ(out("peer.system=s3,peer.name=photos"), 1);
    CHECK_EQ(out("peer.system=spanner"), 1);
    CHECK_EQ(out("peer.system=cosmosdb,peer.host=carts.documents.example"), 1);
    CHECK_EQ(out("peer.system=couchbase"), 1);
    CHECK_EQ(out(""), 7);
}

TEST(a_queue_over_http_or_rpc_is_a_queue)
{
    struct kit kit = kit_open();

    call(&kit, SPAN_CLIENT,
         "rpc.system=aws-api,rpc.service=SQS,rpc.method=SendMessage,"
         "http.method=POST,aws.queue.url=https://sqs.example/1/mails");
    call(&kit, SPAN_PRODUCER,
         "rpc.system=aws-api,rpc.service=Sns,rpc.method=Publish,"
         "aws.sns.topic.arn=arn:aws:sns:eu:1:mails");
    call(&kit, SPAN_CLIENT,
         "messaging.system=gcp_pubsub,messaging.destination.name=mails,"
         "messaging.operation.name=publish,rpc.system=grpc,rpc.method=Publish");
    call(&kit, SPAN_CLIENT, /* fetching is no call, and none of a host */
         "rpc.system=aws-api,rpc.service=SQS,rpc.method=ReceiveMessage,"
         "http.method=POST,server.address=sqs.example");
    kit_close(&kit);
    CHECK_EQ(out("peer.kind=queue,peer.name=mails,protocol=messaging"), 3);
    CHECK_EQ(out("peer.system=aws_sqs"), 1);
    CHECK_EQ(out("peer.system=aws.sns"), 1);
    CHECK_EQ(out(""), 3);
}

static void link_to(struct batch *batch, struct span *span, uint32_t trace,
                    const uint32_t *ids, uint32_t count)
{
    struct span_link *links = arena_zero(&batch->arena, count, sizeof(*links));

    for (uint32_t i = 0; i < count; i++) {
        kit_id(links[i].trace_id, 16, trace);
        kit_id(links[i].span_id, 8, ids[i]);
    }
    span->links = links;
    span->link_count = count;
}

static void consume(struct kit *kit, uint32_t trace, uint32_t id,
                    uint32_t link_trace, const uint32_t *ids, uint32_t count)
{
    struct batch *batch = kit_batch(kit, SIGNAL_SPANS);
    struct span *span = kit_span(batch, STOCK, SPAN_CONSUMER, trace, id, 0,
                                 "messaging.system=kafka");

    link_to(batch, span, link_trace, ids, count);
    kit_take_all(kit, batch);
}

TEST(producer_and_consumer_meet_through_links_either_way)
{
    struct kit kit = kit_open();
    const uint32_t both[] = {1, 2};

    one(&kit, CART, SPAN_PRODUCER, 1, 1, 0, "");
    one(&kit, CART, SPAN_PRODUCER, 1, 2, 0, "");
    consume(&kit, 7, 1, 1, both, 2); /* a batch of one producer: one call */
    consume(&kit, 8, 1, 1, both, 1); /* another group takes one, too */
    consume(&kit, 9, 1, 1, (uint32_t[]){3}, 1);
    consume(&kit, 10, 1, 1, (uint32_t[]){3}, 1);
    one(&kit, CART, SPAN_PRODUCER, 1, 3, 0, ""); /* after its consumers */
    consume(&kit, 11, 1, 1, (uint32_t[]){3}, 1);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION,
                     "peer.kind=component,peer.endpoint=messaging"),
             5);
    CHECK_EQ(kit_sum(DERIVED_IN_DURATION, "peer.kind=component"), 5);
}

TEST(a_consumer_is_the_child_of_its_producer)
{
    struct kit kit = kit_open();

    one(&kit, CART, SPAN_PRODUCER, 1, 1, 0, "");
    one(&kit, STOCK, SPAN_CONSUMER, 1, 2, 1, "");
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, "peer.kind=component"), 1);
}

TEST(a_client_alone_is_settled_after_its_time)
{
    struct kit kit = kit_open();
    struct batch *batch;

    one(&kit, STOCK, SPAN_INTERNAL, 9, 9, 0, "");
    one(&kit, CART, SPAN_CLIENT, 1, 1, 0, GET ",server.address=api.pay.com");
    one(&kit, CART, SPAN_CLIENT, 1, 2, 0,
        GET ",http.url=http://user@api.pay.com:8443/x");
    one(&kit, CART, SPAN_CLIENT, 1, 3, 0, GET ",server.address=stock");
    one(&kit, CART, SPAN_CLIENT, 1, 4, 0, GET ",server.address=cart");
    one(&kit, CART, SPAN_CLIENT, 1, 5, 0, GET);
    kit_store.flush_due = true;
    one(&kit, CART, SPAN_INTERNAL, 9, 8, 0, "");
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, ""), 0);
    batch = kit_batch(&kit, SIGNAL_SPANS);
    batch->received_ns += kit_options.edge_wait_ns;
    kit_take_all(&kit, batch);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION,
                     "peer.kind=external,peer.name=api.pay.com"),
             2);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, "peer.kind=component"), 1);
    CHECK_EQ(kit_sum(DERIVED_IN_DURATION, "peer.kind=component"), 1);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, ""), 3);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, ""), 3);
}

TEST(a_clock_that_is_put_back_does_not_keep_calls_waiting)
{
    struct kit kit = kit_open();
    struct batch *batch;

    kit_store.flush_due = true;
    one(&kit, CART, SPAN_CLIENT, 1, 1, 0, GET ",server.address=api.pay.com");
    batch = kit_batch(&kit, SIGNAL_SPANS);
    batch->received_ns -= NS_PER_MS;
    kit_take_all(&kit, batch);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, ""), 0);
    batch = kit_batch(&kit, SIGNAL_SPANS);
    batch->received_ns -= NS_PER_HOUR;
    kit_take_all(&kit, batch);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, "peer.kind=external"), 1);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, ""), 1);
}

TEST(a_call_of_itself_is_no_edge)
{
    struct kit kit = kit_open();

    one(&kit, CART, SPAN_CLIENT, 1, 1, 0, GET ",server.address=cart");
    one(&kit, CART, SPAN_SERVER, 1, 2, 1, GET);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, ""), 0);
    CHECK_EQ(kit_sum(DERIVED_IN_DURATION, ""), 0);
}

TEST(gateways)
{
    struct kit kit = kit_open();

    one(&kit, CART, SPAN_SERVER, 1, 1, 0, GET ",server.address=shop.example");
    one(&kit, CART, SPAN_SERVER, 2, 1, 0, GET ",http.host=shop.example:443");
    one(&kit, CART, SPAN_SERVER, 3, 1, 0, GET ",server.address=10.1.2.3");
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_IN_DURATION, "peer.name=internet"), 2);
    CHECK_EQ(kit_sum(DERIVED_IN_DURATION, "peer.name=intranet"), 1);
}

TEST(edges_tell_client_errors_from_failures)
{
    struct kit kit = kit_open();

    one(&kit, CART, SPAN_SERVER, 1, 1, 0,
        GET ",http.response.status_code=#404");
    one(&kit, CART, SPAN_SERVER, 2, 1, 0,
        GET ",http.response.status_code=#503");
    one(&kit, FRONT, SPAN_CLIENT, 3, 1, 0,
        GET ",http.response.status_code=#404");
    one(&kit, CART, SPAN_SERVER, 3, 2, 1,
        GET ",http.response.status_code=#404");
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_IN_CLIENT_ERRORS, "peer.kind=gateway"), 1);
    CHECK_EQ(kit_sum(DERIVED_IN_ERRORS, "peer.kind=gateway"), 1);
    CHECK_EQ(kit_sum(DERIVED_IN_CLIENT_ERRORS, "peer.kind=component"), 1);
    CHECK_EQ(kit_sum(DERIVED_IN_ERRORS, "peer.kind=component"), 0);
    /* what is no fault of the callee is one of the caller */
    CHECK_EQ(kit_sum(DERIVED_OUT_CLIENT_ERRORS, "peer.kind=component"), 0);
    CHECK_EQ(kit_sum(DERIVED_OUT_ERRORS, "peer.kind=component"), 1);
}

TEST(declared_visibility_makes_the_internet)
{
    struct kit kit = kit_open();
    struct arena arena;
    struct slice detail;

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(
        catalog_put(
            kit.catalog,
            SLICE("{\"components\":[{\"project\":\"shop\",\"name\":\"cart\","
                  "\"endpoints\":[{\"name\":\"api\",\"type\":\"HTTP\","
                  "\"port\":8080,\"visibility\":[\"external\"]}]}]}"),
            &arena, &detail),
        OK);
    arena_release(&arena);
    one(&kit, CART, SPAN_SERVER, 1, 1, 0, GET ",server.port=#8080");
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_IN_DURATION, "endpoint=api,peer.name=internet"),
             1);
    CHECK_EQ(kit_sum(DERIVED_DURATION, "endpoint=api"), 1);
}

TEST(public_hosts)
{
    CHECK(url_is_public_host(SLICE("shop.example.com")));
    CHECK(!url_is_public_host(SLICE("cart")));
    CHECK(!url_is_public_host(SLICE("")));
    CHECK(!url_is_public_host(SLICE("10.0.0.1")));
    CHECK(!url_is_public_host(SLICE("fe80::1.2")));
    CHECK(!url_is_public_host(SLICE("cart.shop.svc")));
    CHECK(!url_is_public_host(SLICE("cart.shop.svc.cluster.local")));
}

/* More calls wait than there is room: the oldest are settled early, the table
 * stays as it is. One key for all must not make it slow either. */
TEST(floods)
{
    struct kit kit = kit_open();
    uint64_t start = clock_monotonic_ns();

    for (uint32_t i = 0; i < 200; i++) {
        struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);

        for (uint32_t j = 0; j < 256; j++) {
            kit_span(batch, CART, SPAN_CLIENT, 1 + i, 1 + j, 0,
                     GET ",server.address=far.example.com");
            kit_span(batch, STOCK, SPAN_SERVER, 4, 1000 + j, 5000, GET);
        }
        kit_take_all(&kit, batch);
    }
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, "peer.kind=external"), 51200);
    CHECK(clock_monotonic_ns() - start < 20 * NS_PER_S);
}

TEST(hundreds_of_requests_in_one_batch_keep_their_endpoints)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);

    for (uint32_t i = 1; i <= KIT_MAX_RECORDS / 2; i++) {
        kit_span(batch, FRONT, SPAN_CLIENT, i, 2, 1, "db.system=redis");
        kit_span(batch, FRONT, SPAN_SERVER, i, 1, 0, GET);
    }
    kit_take_all(&kit, batch);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, "endpoint=http"),
             KIT_MAX_RECORDS / 2);
}

TEST(a_call_learns_its_endpoint_when_it_meets_its_callee)
{
    struct kit kit = kit_open();

    one(&kit, FRONT, SPAN_CLIENT, 1, 2, 1, GET);
    one(&kit, FRONT, SPAN_SERVER, 1, 1, 0, GET); /* ended after its call */
    one(&kit, CART, SPAN_SERVER, 1, 3, 2, GET);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_OUT_DURATION, "endpoint=http"), 1);
    CHECK_EQ(kit_sum(DERIVED_IN_DURATION, "peer.endpoint=http"), 1);
}

/* ---- spans above the two ends ---- */

struct part {
    const char *resource;
    enum span_kind kind;
    uint32_t id, parent;
    const char *attrs;
};

#define PROXY "service.name=proxy,service.namespace=shop"
#define RPC   "rpc.system=grpc,rpc.service=Cart,rpc.method=Get"
#define AT    GET ",server.address="

/* Spans of one trace as requests: one by one in this order, or cut somewhere
 * and each request in its own. */
static void send_parts(struct kit *kit, uint32_t trace,
                       const struct part *parts, const uint32_t *order,
                       uint32_t count, uint32_t cuts)
{
    struct batch *batch = NULL;

    for (uint32_t i = 0; i < count; i++) {
        const struct part *part = &parts[order[i]];

        if (!batch)
            batch = kit_batch(kit, SIGNAL_SPANS);
        kit_span(batch, part->resource, part->kind, trace, part->id,
                 part->parent, part->attrs);
        if (cuts >> i & 1 || i + 1 == count) {
            kit_take_all(kit, batch);
            batch = NULL;
        }
    }
}

static void shuffle(uint32_t *order, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    for (uint32_t i = count; i-- > 1;) {
        uint32_t j = test_random(i + 1), swap = order[i];

        order[i] = order[j];
        order[j] = swap;
    }
}

static int64_t requests(const char *attrs)
{
    return net(DERIVED_DURATION, DERIVED_RETRACTED_DURATION, attrs);
}

/* What one trace comes to. */
struct sums {
    int64_t named;     /* calls between components with these attributes */
    int64_t component; /* calls between components */
    int64_t all;       /* calls */
    int64_t requests;  /* served */
};

enum { TRACES = 40 };

/* In any order and in any requests every trace comes to the same. Resolves
 * whom the hosts mean first. */
static void check_parts(const struct part *parts, uint32_t count,
                        const char *named, struct sums want)
{
    static const char *const all[] = {FRONT, CART, STOCK, PROXY};
    struct kit kit = kit_open();
    uint32_t order[16];

    for (uint32_t i = 0; i < 4; i++)
        one(&kit, all[i], SPAN_INTERNAL, 9999, 1 + i, 0, "");
    for (uint32_t trace = 1; trace <= TRACES; trace++) {
        shuffle(order, count);
        send_parts(&kit, trace, parts, order, count,
                   trace % 3 ? test_random(1U << count) : UINT32_MAX);
    }
    kit_close(&kit);
    CHECK_EQ(net_out(named), TRACES * want.named);
    CHECK_EQ(net_out("peer.kind=component"), TRACES * want.component);
    CHECK_EQ(net_out(""), TRACES * want.all);
    CHECK_EQ(net_in("peer.kind=component"), TRACES * want.component);
    CHECK_EQ(requests(""), TRACES * want.requests);
}

#define BOTH         "endpoint=http,peer.kind=component,peer.endpoint=http"
#define PARTS(parts) (parts), sizeof(parts) / sizeof(*(parts))

TEST(instrumentation_above_instrumentation_is_one_call)
{
    static const struct part parts[] = {
        {FRONT, SPAN_SERVER, 1, 0, GET},
        {FRONT, SPAN_CLIENT, 2, 1, RPC ",server.address=cart"},
        {FRONT, SPAN_INTERNAL, 3, 2, ""},
        {FRONT, SPAN_CLIENT, 4, 3, AT "10.0.0.7"},
        {FRONT, SPAN_INTERNAL, 5, 4, ""},
        {CART, SPAN_SERVER, 6, 5, GET}};

    check_parts(PARTS(parts), BOTH, (struct sums){1, 1, 1, 2});
}

/* Each attempt that reaches the callee is a request there, so it is a call. */
TEST(every_attempt_that_is_answered_is_a_call)
{
    static const struct part parts[] = {
        {FRONT, SPAN_SERVER, 1, 0, GET},
        {FRONT, SPAN_CLIENT, 2, 1, RPC ",server.address=cart"},
        {FRONT, SPAN_CLIENT, 3, 2, AT "cart"},
        {FRONT, SPAN_CLIENT, 4, 2, AT "cart"},
        {CART, SPAN_SERVER, 5, 3, GET},
        {CART, SPAN_SERVER, 6, 4, GET}};

    check_parts(PARTS(parts), BOTH, (struct sums){2, 2, 2, 3});
}

TEST(nested_clients_that_nobody_answers_are_one_call)
{
    static const struct part parts[] = {
        {FRONT, SPAN_SERVER, 1, 0, GET},
        {FRONT, SPAN_CLIENT, 2, 1, RPC ",server.address=pay.example.com"},
        {FRONT, SPAN_CLIENT, 3, 2, AT "10.0.0.9"},
        {FRONT, SPAN_CLIENT, 4, 3, "http.request.method=GET"}};

    check_parts(PARTS(parts),
                "endpoint=http,peer.kind=external,peer.name=pay.example.com",
                (struct sums){1, 0, 1, 1});
}

TEST(a_sidecar_is_no_end_of_a_call)
{
    static const struct part same[] = {{FRONT, SPAN_SERVER, 1, 0, GET},
                                       {FRONT, SPAN_CLIENT, 2, 1, AT "cart"},
                                       {FRONT, SPAN_CLIENT, 3, 2, GET},
                                       {CART, SPAN_SERVER, 4, 3, GET},
                                       {CART, SPAN_SERVER, 5, 4, GET}};
    static const struct part other[] = {
        {FRONT, SPAN_SERVER, 1, 0, GET}, {FRONT, SPAN_CLIENT, 2, 1, AT "cart"},
        {PROXY, SPAN_CLIENT, 3, 2, GET}, {CART, SPAN_SERVER, 4, 3, GET},
        {CART, SPAN_INTERNAL, 5, 4, ""}, {CART, SPAN_SERVER, 6, 5, GET}};

    check_parts(PARTS(same), BOTH, (struct sums){1, 1, 1, 2});
    check_parts(PARTS(other), BOTH, (struct sums){1, 1, 1, 2});
}

/* The component in the middle sent no SERVER span. */
TEST(a_missing_server_span_makes_no_sidecar)
{
    static const struct part parts[] = {{FRONT, SPAN_SERVER, 1, 0, GET},
                                        {FRONT, SPAN_CLIENT, 2, 1, AT "cart"},
                                        {CART, SPAN_CLIENT, 3, 2, AT "stock"},
                                        {STOCK, SPAN_SERVER, 4, 3, GET}};

    check_parts(PARTS(parts), "endpoint=http,peer.kind=component",
                (struct sums){1, 2, 2, 2});
}

TEST(a_server_below_a_server_of_another_component_is_called)
{
    static const struct part parts[] = {{FRONT, SPAN_SERVER, 1, 0, GET},
                                        {FRONT, SPAN_INTERNAL, 2, 1, ""},
                                        {CART, SPAN_SERVER, 3, 2, GET},
                                        {STOCK, SPAN_SERVER, 4, 3, GET}};

    check_parts(PARTS(parts), BOTH, (struct sums){2, 2, 2, 3});
}

TEST(a_server_below_a_server_of_one_component_is_one_request)
{
    static const struct part parts[] = {
        {CART, SPAN_SERVER, 1, 0, GET ",http.response.status_code=#503"},
        {CART, SPAN_INTERNAL, 2, 1, ""},
        {CART, SPAN_SERVER, 3, 2, GET ",http.response.status_code=#503"},
        {CART, SPAN_SERVER, 4, 3, GET},
        {CART, SPAN_CLIENT, 5, 4, AT "cart"},
        {CART, SPAN_SERVER, 6, 5, GET}}; /* itself, but over the network */

    check_parts(PARTS(parts), BOTH, (struct sums){0, 0, 0, 2});
    CHECK_EQ(net(DERIVED_ERRORS, DERIVED_RETRACTED_ERRORS, ""), TRACES);
}

/* What an SDK does to call a database or a queue is part of that call. */
TEST(what_is_below_a_call_of_a_database_or_queue_is_part_of_it)
{
    static const struct part parts[] = {
        {FRONT, SPAN_SERVER, 1, 0, GET},
        {FRONT, SPAN_CLIENT, 2, 1, "db.system=elasticsearch,db.name=shop"},
        {FRONT, SPAN_CLIENT, 3, 2, "db.system=elasticsearch,db.name=shop"},
        {FRONT, SPAN_CLIENT, 4, 3, AT "es"},
        {FRONT, SPAN_PRODUCER, 5, 1,
         "messaging.system=aws_sqs,messaging.destination.name=mails"},
        {FRONT, SPAN_CLIENT, 6, 5, AT "sqs.example.com"},
        {FRONT, SPAN_CLIENT, 7, 1, "server.address=orm"},
        {FRONT, SPAN_CLIENT, 8, 7, "db.system=mysql,db.name=carts"}};

    check_parts(PARTS(parts), "endpoint=http,peer.kind=database",
                (struct sums){2, 0, 3, 1});
}

TEST(a_consumer_below_its_producer_by_way_of_steps)
{
    static const struct part parts[] = {
        {FRONT, SPAN_SERVER, 1, 0, GET},
        {FRONT, SPAN_PRODUCER, 2, 1,
         "messaging.system=kafka,messaging.destination.name=mails"},
        {FRONT, SPAN_INTERNAL, 3, 2, ""},
        {CART, SPAN_CONSUMER, 4, 3,
         "messaging.system=kafka,messaging.destination.name=mails"},
        {CART, SPAN_CONSUMER, 5, 4,
         "messaging.system=kafka,messaging.destination.name=mails"}};

    check_parts(PARTS(parts), "endpoint=http,peer.endpoint=messaging",
                (struct sums){1, 1, 2, 3});
}

/* A CLIENT that sends, as an SDK over HTTP does, is a producer. */
TEST(a_consumer_below_a_client_that_sends)
{
    static const struct part parts[] = {
        {FRONT, SPAN_SERVER, 1, 0, GET},
        {FRONT, SPAN_CLIENT, 2, 1,
         "rpc.system=aws-api,rpc.service=SQS,rpc.method=SendMessage,"
         "aws.queue.name=mails,http.request.method=POST"},
        {CART, SPAN_CONSUMER, 3, 2,
         "messaging.system=aws_sqs,messaging.destination.name=mails"}};

    check_parts(PARTS(parts), "endpoint=http,peer.endpoint=messaging",
                (struct sums){1, 1, 2, 2});
}

/* A batch of messages of two producers; of one of them there are two. In any
 * order, over a restart, too: one call of each. */
static void send_batch_of(struct kit *kit, uint32_t trace, uint32_t step)
{
    struct batch *batch;
    struct span *span;

    if (step < 3) {
        one(kit, step < 2 ? CART : FRONT, SPAN_PRODUCER, trace, 1 + step, 0,
            "");
        return;
    }
    batch = kit_batch(kit, SIGNAL_SPANS);
    span = kit_span(batch, STOCK, SPAN_CONSUMER, trace, 9, trace % 2 ? 1 : 0,
                    "messaging.system=kafka");
    link_to(batch, span, trace, (uint32_t[]){1, 3, 2}, 3);
    kit_take_all(kit, batch);
}

TEST(a_batch_of_several_producers_in_any_order)
{
    struct kit kit = kit_open();
    uint32_t order[4];

    for (uint32_t trace = 1; trace <= 100; trace++) {
        shuffle(order, 4);
        for (int i = 0; i < 4; i++)
            send_batch_of(&kit, trace, order[i]);
    }
    kit_close(&kit);
    CHECK_EQ(net_out("peer.kind=component"), 200);
    CHECK_EQ(net_in("peer.kind=component"), 200);
}

TEST(a_batch_of_several_producers_over_a_crash)
{
    static const uint32_t orders[][4] = {
        {3, 0, 1, 2}, {0, 3, 2, 1}, {2, 3, 1, 0}, {1, 2, 3, 0}};

    for (int i = 0; i < 4; i++) {
        struct kit kit = kit_open();

        kit_store.flush_due = true;
        for (int step = 0; step < 4; step++) {
            send_batch_of(&kit, 2, orders[i][step]);
            if (step != 1)
                continue;
            kit_kill(&kit);
            kit_store.watermark[STREAM_SPANS] =
                kit_store.watermark[STREAM_DERIVED] = 2;
            kit = kit_open_with(&kit_options);
            kit.lsn = 2;
        }
        kit_close(&kit);
        CHECK_EQ(net_out("peer.kind=component"), 2);
    }
}

TEST(nested_ends_are_kept_over_a_crash)
{
    struct kit kit = kit_open();

    kit_store.flush_due = true;
    one(&kit, FRONT, SPAN_CLIENT, 1, 3, 2, AT "10.0.0.7");
    one(&kit, CART, SPAN_SERVER, 1, 5, 4, GET);
    kit_kill(&kit);
    kit_store.watermark[STREAM_SPANS] = kit_store.watermark[STREAM_DERIVED] = 2;
    kit = kit_open_with(&kit_options);
    kit.lsn = 2;
    one(&kit, FRONT, SPAN_CLIENT, 1, 2, 1, AT "stock.example.com");
    one(&kit, FRONT, SPAN_SERVER, 1, 1, 0, GET);
    one(&kit, CART, SPAN_SERVER, 1, 4, 3, GET);
    kit_close(&kit);
    CHECK_EQ(net_out(BOTH), 1);
    CHECK_EQ(net_out(""), 1);
    CHECK_EQ(requests(""), 2);
}

/* ---- any trace, in any order and any requests ---- */

enum { RANDOM_PARTS = 10, RANDOM_TRACES = 12 };

/* The nearest span above that is no step; 0: none. */
static uint32_t above_steps(const struct part *parts, uint32_t id)
{
    while (id > 0 && parts[id - 1].kind == SPAN_INTERNAL)
        id = parts[id - 1].parent;
    return id;
}

/* What a CLIENT has below it, steps aside. One that is answered is done: who
 * else answers is not counted, and which one that is depends on the order; and
 * those that it encloses do not find it any more. */
static bool is_taken(const struct part *parts, uint32_t count, uint32_t id,
                     bool serving)
{
    for (uint32_t i = 0; i < count; i++) {
        bool serves =
            parts[i].kind == SPAN_SERVER || parts[i].kind == SPAN_CONSUMER;

        if (parts[i].kind != SPAN_INTERNAL && (serves || serving) &&
            above_steps(parts, parts[i].parent) == id)
            return true;
    }
    return false;
}

static void random_parts(struct part *parts)
{
    static const char *const resources[] = {FRONT, CART, STOCK, PROXY};
    static const char *const attrs[] = {
        GET,
        AT "cart",
        AT "stock",
        AT "10.0.0.7",
        AT "pay.example.com",
        "db.system=mysql,db.name=carts",
        "messaging.system=kafka,messaging.destination.name=mails,"
        "messaging.operation=send"};

    for (uint32_t i = 0; i < RANDOM_PARTS; i++) {
        uint32_t parent = i ? 1 + test_random(i) : 0, above;
        enum span_kind kind = (enum span_kind)(1 + test_random(5));

        above = above_steps(parts, parent);
        if (above && parts[above - 1].kind == SPAN_CLIENT &&
            is_taken(parts, i, above,
                     kind == SPAN_SERVER || kind == SPAN_CONSUMER))
            kind = SPAN_INTERNAL;
        parts[i] = (struct part){resources[test_random(4)], kind, i + 1, parent,
                                 attrs[test_random(7)]};
    }
}

/* Everything counted, by name and attributes, less what was taken back. */
static uint64_t fingerprint(void)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < kit_store.count; i++)
        for (uint32_t j = 0;
             kit_store.batches[i]->derived && j < kit_store.batches[i]->count;
             j++) {
            const struct point *point = &kit_store.batches[i]->points[j];
            struct slice name = point->metric->name;
            bool out = slice_starts(name, SLICE("callboard.edge.out.")) ||
                       slice_starts(name, SLICE("callboard.edge.back.out."));
            bool edge = slice_starts(name, SLICE("callboard.edge."));
            uint64_t hash =
                hash_bytes(name.ptr + name.len - 8, 8, 1U + edge + out);

            if (slice_equal(name, SLICE(DERIVED_RECORDS)))
                continue;
            for (uint32_t k = 0; k < point->attrs.count; k++) {
                const struct attr *at = &point->attrs.at[k];

                hash = hash_mix(hash, at->type == VALUE_INT
                                          ? (uint64_t)at->i
                                          : hash_bytes(at->str, at->len, k));
            }
            sum += (uint64_t)derived_sign(name) * hash * kit_value(point);
        }
    return sum;
}

static uint64_t count_parts(const struct part *parts, bool shuffled)
{
    static const char *const all[] = {FRONT, CART, STOCK, PROXY};
    struct kit kit = kit_open();
    uint32_t order[RANDOM_PARTS];

    for (uint32_t i = 0; i < 4; i++)
        one(&kit, all[i], SPAN_INTERNAL, 9999, 1 + i, 0, "");
    for (uint32_t trace = 1; trace <= RANDOM_TRACES; trace++) {
        for (uint32_t i = 0; i < RANDOM_PARTS; i++)
            order[i] = i;
        if (shuffled)
            shuffle(order, RANDOM_PARTS);
        send_parts(&kit, trace, parts, order, RANDOM_PARTS,
                   shuffled ? test_random(1U << RANDOM_PARTS) : UINT32_MAX);
    }
    kit_close(&kit);
    return fingerprint();
}

static void print_parts(const struct part *parts)
{
    for (uint32_t i = 0; i < RANDOM_PARTS; i++)
        printf("# %u below %u kind %d %s %s\n", parts[i].id, parts[i].parent,
               (int)parts[i].kind, parts[i].resource, parts[i].attrs);
}

static bool is_same(const struct part *parts)
{
    return count_parts(parts, true) == count_parts(parts, false);
}

/* Makes steps of all spans that do not matter. */
static void shrink(struct part *parts)
{
    for (uint32_t i = 0; i < RANDOM_PARTS; i++) {
        struct part was = parts[i];

        parts[i].kind = SPAN_INTERNAL;
        parts[i].attrs = "";
        for (int tries = 0; tries < 5 && parts[i].attrs != was.attrs; tries++)
            if (!is_same(parts))
                break;
            else if (tries == 4)
                parts[i] = was;
    }
}

TEST(any_trace_comes_to_the_same_in_any_order)
{
    struct part parts[RANDOM_PARTS];

    for (int i = 0; i < 60; i++) {
        random_parts(parts);
        if (!CHECK(is_same(parts))) {
            shrink(parts);
            print_parts(parts);
            return;
        }
    }
}
