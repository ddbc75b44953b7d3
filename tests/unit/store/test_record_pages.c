/*
 * Lists that are read page by page, against a plain list: records that share
 * times by the hundred, in blocks, in memory and in blocks that are merged
 * while the pages are read, and while new ones come. Every record of the list
 * comes once, in order, from either end.
 */
#include "clock.h"
#include "store_help.h"

enum { RECORDS = 3000, MARGIN = 1000 };

#define BASE UINT64_C(1700000000000000000)

/* ---- a store, and what is in it ---- */

struct world {
    char dir[64];
    struct store *store;
    struct reader *reader;
    uint64_t lsn;
    struct log_record logs[RECORDS + MARGIN]; /* in order of arrival */
    uint32_t count;
};

static void world_open(struct world *w)
{
    struct store_options options = options_in(w->dir);

    options.block_logs = 300;
    options.block_spans = 300;
    CHECK_EQ(store_open(&w->store, &options), OK);
    CHECK_EQ(reader_open(&w->reader, w->store), OK);
}

static void world_close(struct world *w)
{
    reader_close(w->reader);
    store_close(w->store);
}

/* Few times, and these near each other, so that most are shared, within a
 * request and across requests and blocks. */
static uint64_t random_time(void)
{
    return BASE + test_random(60) * NS_PER_MS + test_random(3);
}

static void add_logs(struct world *w, uint32_t count)
{
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);

    batch->lsn = ++w->lsn;
    batch->count = count;
    batch->logs = arena_zero(&batch->arena, count, sizeof(*batch->logs));
    for (uint32_t i = 0; i < count; i++) {
        struct log_record *log = &batch->logs[i];

        log->time_ns = random_time();
        log->observed_ns = w->count; /* its number */
        log->resource_id = test_random(4);
        log->level = (uint8_t)test_random(LEVEL_COUNT);
        log->is_event = test_random(5) == 0;
        w->logs[w->count++] = *log;
    }
    store_append(w->store, batch);
}

/* Some records more, and now and then what is in memory goes to the disk; many
 * small blocks, so that they are merged. */
static void grow(struct world *w, uint32_t to)
{
    while (w->count < to) {
        add_logs(w, 1 + test_random(40));
        if (test_random(8) == 0)
            store_flush(w->store);
        if (test_random(60) == 0) {
            world_close(w);
            world_open(w);
        }
    }
}

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof(*w));

    CHECK(w != NULL);
    temp_make(w->dir);
    world_open(w);
    grow(w, RECORDS);
    return w;
}

static void world_remove(struct world *w)
{
    world_close(w);
    temp_remove(w->dir);
    free(w);
}

/* ---- the plain list ---- */

static int by_time(const void *left, const void *right)
{
    const struct log_record *a = *(const struct log_record *const *)left;
    const struct log_record *b = *(const struct log_record *const *)right;

    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return (a->observed_ns > b->observed_ns) -
           (a->observed_ns < b->observed_ns);
}

static bool is_listed(const struct log_record *log, const struct log_query *q)
{
    return log->time_ns >= q->start_ns && log->time_ns < q->end_ns &&
           log->is_event == q->events &&
           (!q->levels || q->levels >> log->level & 1) &&
           (!q->resources || bitmap_has(q->resources, log->resource_id));
}

static uint32_t list_of(const struct world *w, const struct log_query *q,
                        const struct log_record **list)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < w->count; i++)
        if (is_listed(&w->logs[i], q))
            list[count++] = &w->logs[i];
    qsort(list, count, sizeof(*list), by_time);
    return count;
}

static void random_query(struct log_query *q, struct arena *arena)
{
    struct bitmap *set = bitmap_new(arena, 4);

    *q = (struct log_query){.end_ns = UINT64_MAX};
    if (test_random(2))
        q->start_ns = random_time();
    if (test_random(2))
        q->end_ns = random_time();
    bitmap_add(set, test_random(4));
    bitmap_add(set, test_random(4));
    if (test_random(2))
        q->resources = set;
    q->events = test_random(4) == 0;
    if (test_random(4) == 0)
        q->levels = 1 + test_random(127);
    q->ascending = test_random(2);
    q->limit = 1 + test_random(test_random(3) ? 30 : 900);
}

/* One page, and the place of its last record. */
static uint32_t read_page(struct world *w, const struct log_query *q,
                          uint64_t *numbers, struct list_position *last)
{
    struct arena arena;
    struct log_record *got;
    uint32_t count = 0;
    uint64_t total = 0;

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(reader_begin(w->reader), OK);
    CHECK_EQ(reader_query_logs(w->reader, q, &arena, &got, &count, &total), OK);
    CHECK(count <= q->limit && total >= count);
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = got[i].observed_ns;
    if (count > 0) {
        *last = (struct list_position){.time_ns = got[count - 1].time_ns,
                                       .key_len = POSITION_NUMBER};
        list_number(last->key, got[count - 1].arrival);
    }
    reader_end(w->reader);
    arena_release(&arena);
    return count;
}

/* Page by page to the end; what comes meanwhile may be seen or not, but what
 * was there comes once and in order. */
static void read_all(struct world *w, struct log_query *q, bool growing)
{
    static const struct log_record *list[RECORDS + MARGIN];
    static uint64_t numbers[RECORDS + MARGIN];
    uint32_t there = w->count, want = list_of(w, q, list), seen = 0, got;
    struct list_position last;

    while ((got = read_page(w, q, numbers, &last)) > 0) {
        for (uint32_t i = 0; i < got; i++) {
            if (numbers[i] >= there)
                continue;
            uint32_t at = q->ascending ? seen : want - 1 - seen;

            if (!CHECK(seen < want) ||
                !CHECK_EQ(numbers[i], list[at]->observed_ns))
                return;
            seen++;
        }
        if (q->ascending)
            q->range.after = &last;
        else
            q->range.before = &last;
        if (growing && w->count < RECORDS + MARGIN - 100)
            grow(w, w->count + 1 + test_random(3));
    }
    CHECK_EQ(seen, want);
}

TEST(log_pages_hold_every_record_once)
{
    struct world *w = world_new();

    for (int round = 0; round < 50; round++) {
        struct arena arena;
        struct log_query q;

        arena_init(&arena, NULL, SIZE_MAX);
        random_query(&q, &arena);
        read_all(w, &q, round % 3 == 0);
        arena_release(&arena);
    }
    world_remove(w);
}

/* What a client that follows has not seen is behind the place it has: records
 * that come later with the same time, too. */
TEST(a_client_that_follows_sees_what_comes_with_a_time_it_has_seen)
{
    struct world *w = world_new();
    struct list_position last;
    uint64_t numbers[64];
    struct log_query q = {.end_ns = UINT64_MAX, .ascending = true, .limit = 64};
    struct batch *batch;

    q.start_ns = BASE + 60 * NS_PER_MS;
    for (uint64_t round = 0; round < 3; round++) {
        batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);
        batch->lsn = ++w->lsn;
        batch->count = 1;
        batch->logs = arena_zero(&batch->arena, 1, sizeof(*batch->logs));
        batch->logs[0].time_ns = BASE + NS_PER_S;
        batch->logs[0].observed_ns = round;
        store_append(w->store, batch);
        if (round == 1)
            store_flush(w->store);
        CHECK_EQ(read_page(w, &q, numbers, &last), 1);
        CHECK_EQ(numbers[0], round);
        q.range.after = &last;
    }
    world_remove(w);
}

/* ---- counting ---- */

TEST(counting_stops_at_its_limit)
{
    struct world *w = world_new();
    struct count_limit counting = {.most = 50};
    struct log_query q = {.end_ns = UINT64_MAX, .limit = 5};
    struct arena arena;
    struct log_record *got;
    uint32_t count;
    uint64_t total, all;

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(reader_begin(w->reader), OK);
    CHECK_EQ(reader_query_logs(w->reader, &q, &arena, &got, &count, &all), OK);
    q.counting = &counting;
    CHECK_EQ(reader_query_logs(w->reader, &q, &arena, &got, &count, &total),
             OK);
    CHECK(total >= 50 && total < all);
    CHECK(counting.stopped);
    counting = (struct count_limit){.most = all + 1};
    CHECK_EQ(reader_query_logs(w->reader, &q, &arena, &got, &count, &total),
             OK);
    CHECK_EQ(total, all);
    CHECK(!counting.stopped);
    reader_end(w->reader);
    arena_release(&arena);
    world_remove(w);
}

/* ---- the spans of a trace ---- */

enum { SPANS = 2500 };

struct span_world {
    char dir[64];
    struct store *store;
    struct reader *reader;
    struct span spans[SPANS];
    uint32_t count;
};

static void span_world_open(struct span_world *w)
{
    struct store_options options = options_in(w->dir);

    options.block_spans = 200;
    CHECK_EQ(store_open(&w->store, &options), OK);
    CHECK_EQ(reader_open(&w->reader, w->store), OK);
}

static void span_world_close(struct span_world *w)
{
    reader_close(w->reader);
    store_close(w->store);
}

static struct span random_span(uint32_t number)
{
    struct span span = {.start_ns = BASE + test_random(200),
                        .resource_id = test_random(3)};

    span.trace_id[0] = 1 + (uint8_t)(test_random(10) == 0);
    span.span_id[0] = (uint8_t)test_random(256); /* not by arrival */
    span.span_id[1] = 1;
    span.span_id[6] = (uint8_t)(number >> 8);
    span.span_id[7] = (uint8_t)number;
    span.end_ns = span.start_ns + number;
    return span;
}

/* One in twenty is sent again, at once or much later. */
static void add_spans(struct span_world *w)
{
    struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);
    uint32_t count = 1 + test_random(40);

    batch->lsn = w->count + 1;
    batch->spans = arena_zero(&batch->arena, count, sizeof(*batch->spans));
    for (uint32_t i = 0; i < count && w->count < SPANS; i++) {
        bool again = w->count > 0 && test_random(20) == 0;

        if (!again)
            w->spans[w->count] = random_span(w->count);
        batch->spans[batch->count++] =
            again ? w->spans[test_random(w->count)] : w->spans[w->count];
        w->count += !again;
    }
    store_append(w->store, batch);
    if (test_random(10) == 0)
        store_flush(w->store);
    if (test_random(40) == 0) {
        span_world_close(w);
        span_world_open(w);
    }
}

static int by_start(const void *left, const void *right)
{
    const struct span *a = *(const struct span *const *)left;
    const struct span *b = *(const struct span *const *)right;

    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return memcmp(a->span_id, b->span_id, 8);
}

static void check_span(struct span_world *w, const struct span *want)
{
    const uint8_t none[8] = {0};
    struct arena arena;
    struct span got;

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(reader_find_span(w->reader, want->trace_id, want->span_id, NULL,
                              &arena, &got),
             OK);
    CHECK_EQ(got.end_ns, want->end_ns);
    CHECK_EQ(
        reader_find_span(w->reader, want->trace_id, none, NULL, &arena, &got),
        ERR_NOT_FOUND);
    arena_release(&arena);
}

static void read_trace(struct span_world *w, struct span_query *q)
{
    static const struct span *list[SPANS];
    struct list_position last;
    uint32_t want = 0, seen = 0, count;
    uint64_t total;

    for (uint32_t i = 0; i < w->count; i++)
        if (w->spans[i].trace_id[0] == q->trace_id[0] &&
            (!q->visible || bitmap_has(q->visible, w->spans[i].resource_id)))
            list[want++] = &w->spans[i];
    qsort(list, want, sizeof(*list), by_start);
    CHECK_EQ(reader_begin(w->reader), OK);
    do {
        struct arena arena;
        struct span *got;

        arena_init(&arena, NULL, SIZE_MAX);
        count = 0;
        CHECK_EQ(reader_query_spans(w->reader, q, &arena, &got, &count, &total),
                 OK);
        CHECK(total >= count && count <= q->limit);
        if (seen == 0 && count == want)
            CHECK_EQ(total, want);
        for (uint32_t i = 0; i < count; i++, seen++) {
            uint32_t at = q->ascending ? seen : want - 1 - seen;

            if (!CHECK(seen < want) ||
                !CHECK(by_start(&list[at], &(const struct span *){&got[i]}) ==
                       0))
                break;
            CHECK_EQ(got[i].end_ns, list[at]->end_ns);
        }
        if (count > 0) {
            last = (struct list_position){.time_ns = got[count - 1].start_ns,
                                          .key_len = POSITION_NUMBER};
            memcpy(last.key, got[count - 1].span_id, POSITION_NUMBER);
        }
        if (q->ascending)
            q->range.after = &last;
        else
            q->range.before = &last;
        arena_release(&arena);
    } while (count > 0);
    CHECK_EQ(seen, want);
    if (want > 0)
        check_span(w, list[test_random(want)]);
    reader_end(w->reader);
}

TEST(the_pages_of_a_trace_hold_every_span_once)
{
    struct span_world *w = calloc(1, sizeof(*w));
    struct arena arena;

    CHECK(w != NULL);
    temp_make(w->dir);
    span_world_open(w);
    arena_init(&arena, NULL, SIZE_MAX);
    while (w->count < SPANS)
        add_spans(w);
    for (int round = 0; round < 40; round++) {
        struct count_limit counting = {.most = 1 + test_random(3000)};
        uint8_t id[16] = {(uint8_t)(1 + test_random(2))};
        struct span_query q = {.trace_id = id,
                               .ascending = test_random(2),
                               .limit = 1 + test_random(400),
                               .whole = test_random(2)};

        struct bitmap *visible = bitmap_new(&arena, 3);

        if (test_random(4) == 0)
            q.limit = SPANS;
        if (test_random(2))
            q.counting = &counting;
        if (test_random(2)) {
            for (uint32_t i = 0; i < 3; i++)
                if (test_random(2))
                    bitmap_add(visible, i);
            q.visible = visible;
        }
        read_trace(w, &q);
        arena_reset(&arena);
    }
    arena_release(&arena);
    span_world_close(w);
    temp_remove(w->dir);
    free(w);
}

TEST(a_trace_outside_the_scope_is_empty)
{
    struct span_world *w = calloc(1, sizeof(*w));
    struct arena arena;
    uint8_t id[16] = {1};

    CHECK(w != NULL);
    temp_make(w->dir);
    span_world_open(w);
    while (w->count < SPANS)
        add_spans(w);
    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(reader_begin(w->reader), OK);
    for (uint32_t resource = 0; resource < 6; resource++) {
        struct bitmap *set = bitmap_new(&arena, 6);
        struct span_query q = {.trace_id = id, .resources = set, .limit = 1};
        struct span *got;
        uint32_t count;
        uint64_t total;

        bitmap_add(set, resource);
        CHECK_EQ(
            reader_query_spans(w->reader, &q, &arena, &got, &count, &total),
            OK);
        CHECK_EQ(count, resource < 3);
        CHECK(count > 0 || total == 0);
    }
    reader_end(w->reader);
    arena_release(&arena);
    span_world_close(w);
    temp_remove(w->dir);
    free(w);
}
