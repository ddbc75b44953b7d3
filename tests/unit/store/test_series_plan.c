/*
 * Points resource by resource (reader_plan_series): the same as all at once, of
 * chunks in SQLite, of memory and of what is still being counted, resources in
 * their order.
 */
#include "clock.h"
#include "store_help.h"

enum { RESOURCES = 70, MOST = 40000 };
#define TIME (UINT64_C(1700000000) * NS_PER_S)

struct got {
    uint64_t time_ns, resource, value, name;
};

struct list {
    struct got at[MOST];
    uint32_t count;
};
static struct list all, planned;

static bool only_a;

static bool wants_metric(void *arg, const struct metric *metric)
{
    (void)arg;
    return !only_a || slice_equal(metric->name, SLICE("a"));
}

static void take(void *arg, const struct point *point)
{
    struct list *list = arg;

    if (!CHECK(list->count < MOST) || !wants_metric(arg, point->metric))
        return; /* points in memory are not asked for by metric */
    list->at[list->count++] = (struct got){
        point->time_ns, point->resource_id,
        point->metric->type == METRIC_HISTOGRAM ? point->histogram->count
                                                : (uint64_t)point->i,
        hash_bytes(point->metric->name.ptr, point->metric->name.len, 0)};
}

static int by_all(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct got));
}

static bool are_alike(void)
{
    qsort(all.at, all.count, sizeof(*all.at), by_all);
    qsort(planned.at, planned.count, sizeof(*planned.at), by_all);
    return CHECK_EQ(planned.count, all.count) &&
           CHECK(memcmp(planned.at, all.at, all.count * sizeof(*all.at)) == 0);
}

/* Every resource once, in their order, and nothing of others. */
static void read_plan(struct reader *reader, const struct series_query *query)
{
    struct arena arena;
    struct series_plan *plan = NULL;
    uint32_t id, before = 0;
    uint64_t from = 0;

    arena_init(&arena, NULL, SIZE_MAX);
    planned.count = 0;
    CHECK_EQ(reader_plan_series(reader, query, &arena, &plan), OK);
    while (plan && (id = series_plan_next(plan, from)) != RESOURCE_NONE) {
        CHECK(id >= from && bitmap_has(query->resources, id));
        CHECK_EQ(reader_read_planned(reader, plan, id, take, &planned), OK);
        for (; before < planned.count; before++)
            CHECK_EQ(planned.at[before].resource, id);
        from = (uint64_t)id + 1;
    }
    arena_release(&arena);
}

static void compare(struct reader *reader, const struct series_query *query,
                    uint32_t least)
{
    all.count = 0;
    CHECK_EQ(reader_begin(reader), OK);
    CHECK_EQ(reader_query_series(reader, query, take, &all), OK);
    reader_end(reader);
    if (!CHECK(all.count >= least))
        printf("# %u points, not %u\n", all.count, least);
    CHECK_EQ(reader_begin(reader), OK);
    read_plan(reader, query);
    reader_end(reader);
    are_alike();
}

/* ---- what is stored ---- */

static void append(struct store *store, uint64_t *lsn, uint64_t first_hour)
{
    for (uint32_t i = 0; i < 300; i++) {
        uint64_t time = TIME + (first_hour + i % 3) * NS_PER_HOUR + i * 7;
        uint32_t resource = i * 37 % RESOURCES;

        store_append(store,
                     i % 5 == 0
                         ? histograms_batch(++*lsn, false, resource, time, 9, i)
                     : i % 2 ? points_batch(++*lsn, true, "callboard.requests",
                                            resource, time, 8, i)
                             : points_batch(++*lsn, false, i % 4 ? "a" : "b",
                                            resource, time, 10, i));
    }
}

static struct metric open_metric = {.name = SLICE_INIT("callboard.requests"),
                                    .type = METRIC_SUM,
                                    .temporality = DELTA};

static uint64_t visit_open(void *source, const struct series_query *query,
                           struct arena *arena, point_visit *visit, void *arg)
{
    (void)source;
    for (uint32_t id = 0; id < RESOURCES; id += 9) {
        struct point *point = arena_zero(arena, 1, sizeof(*point));

        if (!point)
            break;
        *point = (struct point){.metric = &open_metric,
                                .resource_id = id,
                                .time_ns = TIME + 5 * NS_PER_HOUR,
                                .is_int = true,
                                .i = 1000 + id};
        if (bitmap_has(query->resources, id) &&
            point->time_ns > query->start_ns && point->time_ns <= query->end_ns)
            visit(arg, point);
    }
    return 0;
}

/* ---- */

static void compare_all(struct reader *reader, const struct bitmap *resources)
{
    static const struct slice derived[] = {SLICE_INIT("callboard.requests")},
                              sent[] = {SLICE_INIT("h"), SLICE_INIT("b")};
    struct series_query query = {.resources = resources, .end_ns = UINT64_MAX};

    query.end_ns = TIME + NS_PER_DAY;
    compare(reader, &query, 100);
    query.sent = true;
    compare(reader, &query, 100);
    query.sent = false;
    query.names = derived;
    query.name_count = 1;
    compare(reader, &query, 50);
    query.names = sent;
    query.name_count = 2;
    compare(reader, &query, 50);
    query.name_count = 0;
    query.wants_metric = wants_metric;
    only_a = true;
    compare(reader, &query, 50);
    only_a = false;
    query.start_ns = TIME + NS_PER_HOUR + 3 * NS_PER_S;
    query.end_ns = TIME + 3 * NS_PER_HOUR + 5 * NS_PER_S;
    compare(reader, &query, 50);
    query.start_ns = query.end_ns;
    compare(reader, &query, 0);
    CHECK_EQ(planned.count, 0);
}

TEST(resource_by_resource_and_all_at_once)
{
    struct store *store = NULL;
    struct reader *reader = NULL;
    struct arena arena;
    char dir[64];
    uint64_t lsn = 0;

    temp_make(dir);
    arena_init(&arena, NULL, SIZE_MAX);
    struct bitmap *every = bitmap_new(&arena, RESOURCES),
                  *some = bitmap_new(&arena, RESOURCES);
    struct store_options options = options_in(dir);
    for (uint32_t id = 0; id < RESOURCES; id++) {
        bitmap_add(every, id);
        if (id % 3 == 1 || id == RESOURCES - 1)
            bitmap_add(some, id);
    }
    for (int i = 0; i < 3; i++) { /* chunks of several commits */
        CHECK_EQ(store_open(&store, &options), OK);
        append(store, &lsn, (uint64_t)i);
        store_close(store);
    }
    CHECK_EQ(store_open(&store, &options), OK);
    CHECK_EQ(reader_open(&reader, store), OK);
    compare_all(reader, every);
    append(store, &lsn, 2); /* in memory, too */
    store_set_open_series(store, (struct open_series){visit_open, NULL});
    compare_all(reader, every);
    compare_all(reader, some);
    reader_close(reader);
    store_close(store);
    arena_release(&arena);
    temp_remove(dir);
}

TEST(a_plan_without_room_fails)
{
    struct store *store = NULL;
    struct reader *reader = NULL;
    struct series_plan *plan;
    struct arena arena, small;
    char dir[64];
    uint64_t lsn = 0;

    temp_make(dir);
    arena_init(&arena, NULL, SIZE_MAX);
    arena_init(&small, NULL, 2048);
    struct bitmap *every = bitmap_new(&arena, RESOURCES);
    struct series_query query = {.resources = every, .end_ns = UINT64_MAX};
    struct store_options options = options_in(dir);
    for (uint32_t id = 0; id < RESOURCES; id++)
        bitmap_add(every, id);
    CHECK_EQ(store_open(&store, &options), OK);
    append(store, &lsn, 0);
    CHECK_EQ(reader_open(&reader, store), OK);
    CHECK_EQ(reader_begin(reader), OK);
    CHECK_EQ(reader_plan_series(reader, &query, &small, &plan), ERR_TOO_BIG);
    reader_end(reader);
    reader_close(reader);
    store_close(store);
    arena_release(&small);
    arena_release(&arena);
    temp_remove(dir);
}
