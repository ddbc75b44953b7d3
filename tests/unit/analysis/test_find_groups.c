/*
 * Groups of equal traces and outliers among them, against what a list of all
 * pairs would say.
 */
#include <stdlib.h>

#include "fake_query.h"
#include "find_traces.h"

static struct bed bed;

struct bench {
    struct arena arena;
    struct query_request request;
    struct reader reader;
    struct found_traces found;
};

static const struct identity web = {.namespace = SLICE_INIT("acme"),
                                    .project = SLICE_INIT("shop"),
                                    .component = SLICE_INIT("web")},
                             cart = {.namespace = SLICE_INIT("acme"),
                                     .project = SLICE_INIT("shop"),
                                     .component = SLICE_INIT("cart")};

static void bench_open(struct bench *b, uint32_t room)
{
    bed_init(&bed);
    *b = (struct bench){.reader = {.store = bed.store}};
    arena_init(&b->arena, NULL, SIZE_MAX);
    query_request_init(&b->request, &bed.options, &b->arena, 1024);
    b->request.reader = &b->reader;
    b->found.request = &b->request;
    b->found.examined = arena_zero(&b->arena, room, sizeof(struct found_trace));
}

static void bench_close(struct bench *b)
{
    buf_release(&b->request.out);
    arena_release(&b->arena);
    bed_release(&bed);
}

/* A trace that ended well; the later ones are newer. */
static struct found_trace *add(struct bench *b, const char *root,
                               uint64_t duration_ns)
{
    uint32_t number = b->found.examined_count++;
    struct found_trace *trace = &b->found.examined[number];

    *trace = (struct found_trace){.duration_ns = duration_ns,
                                  .root = &web,
                                  .summary.root_name = slice_of(root),
                                  .summary.start_ns = 1000 + number};
    memcpy(trace->summary.trace_id, &number, sizeof(number));
    return trace;
}

static void fail(struct found_trace *trace, const struct identity *where,
                 const char *name)
{
    trace->summary.has_errors = true;
    trace->failing = where;
    trace->failing_name = slice_of(name);
}

static const struct trace_group *group(const struct bench *b, uint32_t i)
{
    CHECK(i < b->found.group_count);
    return &b->found.groups[i];
}

TEST(failed_groups_first_then_by_number)
{
    struct bench b;

    bench_open(&b, 100);
    for (int i = 0; i < 5; i++)
        add(&b, "GET /", 10);
    for (int i = 0; i < 7; i++)
        add(&b, "POST /", 10);
    fail(add(&b, "GET /", 30), &cart, "SELECT");
    for (int i = 0; i < 2; i++)
        fail(add(&b, "GET /", 20), &cart, "INSERT");
    fail(add(&b, "GET /", 20), &web, "INSERT");
    CHECK_EQ(find_trace_groups(&b.found), OK);
    CHECK_EQ(b.found.group_total, 5);
    CHECK_EQ(group(&b, 0)->count, 2);
    CHECK_TEXT(group(&b, 0)->first->failing_name, "INSERT");
    CHECK(group(&b, 0)->first->failing == &cart);
    CHECK_EQ(group(&b, 1)->count, 1);
    CHECK_EQ(group(&b, 2)->count, 1);
    CHECK_EQ(group(&b, 3)->count, 7);
    CHECK_TEXT(group(&b, 3)->first->summary.root_name, "POST /");
    CHECK_EQ(group(&b, 4)->count, 5);
    bench_close(&b);
}

TEST(a_group_has_its_newest_its_slowest_and_percentiles)
{
    struct bench b;

    bench_open(&b, 200);
    for (uint64_t i = 1; i <= 100; i++) /* 1 to 100, the slow ones between */
        add(&b, "GET /", 1 + i * 37 % 100);
    CHECK_EQ(find_trace_groups(&b.found), OK);
    CHECK_EQ(b.found.group_count, 1);
    CHECK_EQ(group(&b, 0)->p50_ns, 50);
    CHECK_EQ(group(&b, 0)->p99_ns, 99);
    CHECK_EQ(group(&b, 0)->slowest->duration_ns, 100);
    CHECK_EQ(group(&b, 0)->first->summary.start_ns, 1099);
    CHECK_EQ(group(&b, 0)->oldest_ns, 1000);
    CHECK_EQ(group(&b, 0)->newest_ns, 1099);
    bench_close(&b);
}

TEST(an_outlier_took_five_times_the_median_of_ten)
{
    struct bench b;

    bench_open(&b, 100);
    for (int i = 0; i < 12; i++)
        add(&b, "GET /", 1000);
    add(&b, "GET /", 4999);
    add(&b, "GET /", 5000);
    fail(add(&b, "GET /", 9000), &cart, "SELECT"); /* of the same operation */
    for (int i = 0; i < 8; i++)
        add(&b, "POST /", 10);
    add(&b, "POST /", 100000); /* nine are too few to tell */
    CHECK_EQ(find_trace_groups(&b.found), OK);
    CHECK_EQ(b.found.outlier_count, 2);
    CHECK_EQ(b.found.outliers[0].trace->duration_ns, 9000);
    CHECK_EQ(b.found.outliers[1].trace->duration_ns, 5000);
    CHECK_EQ(b.found.outliers[1].median_ns, 1000);
    CHECK_EQ(b.found.outliers[1].of, 15);
    bench_close(&b);
}

/* Of many outliers those are kept that are furthest from their median. */
TEST(the_furthest_outliers_are_kept)
{
    struct bench b;

    bench_open(&b, 200);
    for (int i = 0; i < 60; i++)
        add(&b, "GET /", 1000);
    for (int i = 0; i < 60; i++)
        add(&b, "POST /", 10);
    for (uint64_t i = 0; i < 15; i++)
        add(&b, "GET /", 100000 + i); /* 100 times */
    for (uint64_t i = 0; i < 4; i++)
        add(&b, "POST /", 2000 + i); /* 200 times */
    CHECK_EQ(find_trace_groups(&b.found), OK);
    CHECK_EQ(b.found.outlier_count, FIND_OUTLIERS);
    for (uint32_t i = 0; i < FIND_OUTLIERS; i++)
        CHECK_EQ(b.found.outliers[i].trace->duration_ns,
                 i < 4 ? 2003 - i : 100014 - (i - 4));
    bench_close(&b);
}

TEST(operations_without_duration)
{
    struct bench b;

    bench_open(&b, 100);
    for (int i = 0; i < 20; i++)
        add(&b, "GET /", 0);
    add(&b, "GET /", 7);
    CHECK_EQ(find_trace_groups(&b.found), OK);
    CHECK_EQ(b.found.outlier_count, 1);
    CHECK_EQ(b.found.outliers[0].trace->duration_ns, 7);
    CHECK_EQ(b.found.outliers[0].median_ns, 0);
    bench_close(&b);
}

/* A client may choose the name of each root. */
TEST(as_many_groups_as_traces)
{
    static char names[FIND_EXAMINED][12];
    struct bench b;

    bench_open(&b, FIND_EXAMINED);
    for (uint32_t i = 0; i < FIND_EXAMINED; i++) {
        snprintf(names[i], sizeof(names[i]), "%u", i);
        add(&b, names[i], 1 + i);
    }
    CHECK_EQ(find_trace_groups(&b.found), OK);
    CHECK_EQ(b.found.group_total, FIND_EXAMINED);
    CHECK_EQ(b.found.group_count, FIND_GROUPS);
    CHECK_EQ(b.found.outlier_count, 0);
    bench_close(&b);
}

TEST(nothing_was_found)
{
    struct bench b;

    bench_open(&b, 1);
    CHECK_EQ(find_trace_groups(&b.found), OK);
    CHECK_EQ(b.found.group_total, 0);
    bench_close(&b);
}
