/*
 * Calls between spans that are not parent and child: wrapped clients, sidecars,
 * consumers below their producer; and random traces in any order.
 */
#include "edges_kit.h"
#include "hash.h"

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
