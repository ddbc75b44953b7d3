#include "url.h"

#include "edges_kit.h"
#include "hash.h"

static uint32_t identity_of(struct kit *kit, const char *component)
{
    struct component_info *infos;
    struct arena arena;
    uint32_t count, id = IDENTITY_NONE;

    arena_init(&arena, NULL, SIZE_MAX);
    infos = registry_components(kit->registry, &(struct scope_filter){0},
                                &viewer_all, &arena, &count);
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
