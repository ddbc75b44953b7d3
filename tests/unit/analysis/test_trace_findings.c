/* What stands out in a trace: components, the critical path, repeated calls,
 * origins of errors. */
#include "fake_query.h"
#include "trace_tree.h"

static struct bed bed;
static uint32_t web, cart;

struct bench {
    struct arena arena;
    struct query_request request;
    struct reader reader;
    struct trace_tree tree;
    struct trace_findings findings;
    struct trace_span *spans;
    uint32_t count;
};

static void bench_open(struct bench *b, uint32_t room)
{
    bed_init(&bed);
    web = bed_resource(&bed, "shop", "web");
    cart = bed_resource(&bed, "shop", "cart");
    *b = (struct bench){.reader = {.store = bed.store}};
    arena_init(&b->arena, NULL, SIZE_MAX);
    query_request_init(&b->request, &bed.options, &b->arena, 1024);
    b->request.reader = &b->reader;
    b->request.viewer =
        (struct viewer){bed.subject->grants, ACTION_TRACES_VIEW};
    b->spans = arena_zero(&b->arena, room, sizeof(*b->spans));
    b->tree.request = &b->request;
}

static void bench_close(struct bench *b)
{
    buf_release(&b->request.out);
    arena_release(&b->arena);
    bed_release(&bed);
}

/* By start; id 0: none. */
static struct trace_span *add(struct bench *b, uint32_t id, uint32_t parent,
                              uint32_t resource, const char *name,
                              uint64_t start_ns, uint64_t end_ns)
{
    struct trace_span *span = &b->spans[b->count++];

    *span = (struct trace_span){.start_ns = start_ns,
                                .end_ns = end_ns,
                                .kind = SPAN_INTERNAL,
                                .resource_id = resource,
                                .name = slice_of(name)};
    memcpy(span->span_id, &id, sizeof(id));
    memcpy(span->parent_span_id, &parent, sizeof(parent));
    return span;
}

static void find(struct bench *b)
{
    CHECK_EQ(trace_tree_build(&b->tree, b->spans, b->count), OK);
    CHECK_EQ(trace_tree_time(&b->tree), OK);
    CHECK_EQ(trace_findings(&b->tree, &b->findings), OK);
}

static uint32_t id_of(const struct bench *b, uint32_t node)
{
    uint32_t id;

    memcpy(&id, b->tree.nodes[node].span->span_id, sizeof(id));
    return id;
}

TEST(components_have_their_part_of_the_time)
{
    struct bench b;

    bench_open(&b, 8);
    add(&b, 1, 0, web, "root", 0, 100);
    add(&b, 2, 1, cart, "a", 10, 60);
    add(&b, 3, 2, cart, "b", 20, 50)->status = SPAN_ERROR;
    find(&b);
    CHECK_EQ(b.tree.component_count, 2);
    CHECK_TEXT(b.tree.components[0].identity->component, "web");
    CHECK_EQ(b.tree.components[0].spans, 1);
    CHECK_EQ(b.tree.components[0].self_ns, 50);
    CHECK_EQ(b.tree.components[0].critical_ns, 50);
    CHECK_EQ(b.tree.components[1].spans, 2);
    CHECK_EQ(b.tree.components[1].failed, 1);
    CHECK_EQ(b.tree.components[1].self_ns, 50);
    bench_close(&b);
}

TEST(the_path_is_told_by_operation_the_largest_first)
{
    struct bench b;
    uint64_t sum = 0;

    bench_open(&b, 8);
    add(&b, 1, 0, web, "root", 0, 100);
    add(&b, 2, 1, cart, "query", 0, 30);
    add(&b, 3, 1, cart, "query", 30, 60);
    add(&b, 4, 1, cart, "other", 60, 70);
    add(&b, 5, 1, web, "query", 70, 75); /* of another component */
    add(&b, 6, 1, cart, "beside", 0, 20);
    find(&b);
    CHECK_EQ(b.findings.step_count, 4);
    CHECK_TEXT(b.findings.steps[0].span->name, "query");
    CHECK_EQ(b.findings.steps[0].critical_ns, 60);
    CHECK_EQ(b.findings.steps[0].spans, 2);
    CHECK_TEXT(b.findings.steps[1].span->name, "root");
    CHECK_EQ(b.findings.steps[1].critical_ns, 25);
    CHECK_TEXT(b.findings.steps[3].identity->component, "web");
    for (uint32_t i = 0; i < b.findings.step_count; i++)
        sum += b.findings.steps[i].critical_ns;
    CHECK_EQ(sum, 100);
    bench_close(&b);
}

TEST(five_equal_calls_are_repeated)
{
    struct bench b;

    bench_open(&b, 20);
    add(&b, 1, 0, web, "root", 0, 100);
    for (uint32_t i = 0; i < 5; i++) /* two at a time */
        add(&b, 10 + i, 1, cart, "get", 10 * i, 10 * i + 20)->status =
            i == 2 ? SPAN_ERROR : SPAN_UNSET;
    for (uint32_t i = 0; i < 4; i++)
        add(&b, 20 + i, 1, cart, "put", 70 + i, 71 + i);
    find(&b);
    CHECK_EQ(b.findings.repeat_count, 1);
    CHECK_EQ(b.findings.repeats[0].count, 5);
    CHECK_EQ(b.findings.repeats[0].failed, 1);
    CHECK_EQ(b.findings.repeats[0].total_ns, 100);
    CHECK_EQ(b.findings.repeats[0].wall_ns, 60);
    CHECK_EQ(id_of(&b, b.findings.repeats[0].parent), 1);
    CHECK_EQ(id_of(&b, b.findings.repeats[0].first), 10);
    bench_close(&b);
}

/* Of many the ones that took the most time. */
TEST(twenty_repeats_are_kept)
{
    static char names[30][8];
    struct bench b;

    bench_open(&b, 200);
    add(&b, 1, 0, web, "root", 0, 100000);
    for (uint32_t k = 0; k < 30; k++) {
        snprintf(names[k], sizeof(names[k]), "%u", k);
        for (uint32_t i = 0; i < 5; i++)
            add(&b, 100 + 5 * k + i, 1, cart, names[k], 1000 * k + 100 * i,
                1000 * k + 100 * i + 1 + k);
    }
    find(&b);
    CHECK_EQ(b.findings.repeat_count, 20);
    for (uint32_t i = 0; i < 20; i++)
        CHECK_EQ(b.findings.repeats[i].wall_ns, 5 * (30 - i));
    bench_close(&b);
}

TEST(origins_are_failed_spans_below_which_none_failed)
{
    struct bench b;

    bench_open(&b, 8);
    add(&b, 1, 0, web, "root", 0, 100)->status = SPAN_ERROR;
    add(&b, 2, 1, web, "call", 10, 90)->status = SPAN_ERROR;
    add(&b, 3, 2, cart, "late", 20, 80)->status = SPAN_ERROR;
    add(&b, 4, 2, cart, "between", 20, 60);
    add(&b, 5, 4, cart, "early", 30, 40)->status = SPAN_ERROR;
    find(&b);
    CHECK_EQ(b.findings.origin_count, 2);
    CHECK_EQ(id_of(&b, b.findings.origins[0]), 5);
    CHECK_EQ(id_of(&b, b.findings.origins[1]), 3);
    bench_close(&b);
}

TEST(the_first_ten_origins_are_kept)
{
    struct bench b;

    bench_open(&b, 40);
    add(&b, 1, 0, web, "root", 0, 1000);
    for (uint32_t i = 0; i < 30; i++) /* those that start late end early */
        add(&b, 10 + i, 1, cart, "call", i, 900 - 10 * i)->status = SPAN_ERROR;
    find(&b);
    CHECK_EQ(b.findings.origin_count, 10);
    for (uint32_t i = 0; i < 10; i++)
        CHECK_EQ(id_of(&b, b.findings.origins[i]), 39 - i);
    bench_close(&b);
}

/* What may not be seen has no name, and is no repeated call. */
TEST(hidden_spans_are_of_no_component)
{
    struct bench b;

    bench_open(&b, 20);
    add(&b, 1, 0, web, "root", 0, 100);
    for (uint32_t i = 0; i < 6; i++)
        add(&b, 10 + i, 1, RESOURCE_NONE, "hidden", 10 * i, 10 * i + 10);
    find(&b);
    CHECK_EQ(b.tree.component_count, 1);
    CHECK_EQ(b.findings.repeat_count, 0);
    for (uint32_t i = 0; i < b.findings.step_count; i++)
        CHECK(
            b.findings.steps[i].identity == NULL ||
            slice_equal(b.findings.steps[i].identity->component, SLICE("web")));
    bench_close(&b);
}
