/*
 * Log records in both engines: random ones with everything in them, and random
 * queries with every filter, whose answers must be equal in order, content and
 * totals; read page by page, by arrival, and counted by time and level.
 */
#include "../same_kit.h"

enum { BATCHES = 60, MOST = 80, SPANS = 300 };

#define BASE UINT64_C(1700000000000000000)

static uint32_t rounds(uint32_t many)
{
    const char *times = getenv("ROUNDS"); /* in percent */

    if (times)
        return many * (uint32_t)atoi(times) / 100;
    return getenv("NIGHTLY") ? 20 * many : many;
}

/* ---- records ---- */

/* Words that fold in other ways than ASCII, and parts of others. */
static const char *const texts[] = {
    "a\xc5\xbfk the \xe2\x84\xaa-th time",
    "Gr\xc3\x96\xc3\x9fX gr\xc3\xb6\xe1\xba\x9ex",
    "foo_bar FOO_BAR_baz foo bar",
    "100%_sure it's \"so\" \\ it is",
    "\xce\xa3\xcf\x82\xcf\x83 \xff broken \xfe",
    "Err\xff err\xfe err",
    "ask SKI _ __ a_",
};
enum { TEXTS = sizeof(texts) / sizeof(*texts) };

static void change_log(struct log_record *log, uint64_t spread)
{
    log->time_ns = BASE + (log->time_ns - BASE) * spread;
    if (test_random(3) == 0) /* times of many */
        log->time_ns = BASE + test_random(40) * NS_PER_MS * spread;
    if (test_random(5) == 0) {
        struct slice text = slice_of(texts[test_random(TEXTS)]);

        log->body.type = VALUE_STRING;
        log->body.str = text.ptr;
        log->body.len = (uint32_t)text.len;
    }
}

static void add_logs(struct same *same, uint64_t spread)
{
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);

    batch->count = 1 + test_random(MOST);
    batch->logs = arena_zero(&batch->arena, batch->count, sizeof(*batch->logs));
    for (uint32_t i = 0; i < batch->count; i++) {
        random_log(&batch->arena, &batch->logs[i]);
        change_log(&batch->logs[i], spread);
    }
    same_add(same, batch);
}

/* One endpoint for each span id, since which of equal ids is found is open. */
static void add_spans(struct same *same)
{
    struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);

    batch->count = SPANS;
    batch->spans =
        arena_zero(&batch->arena, batch->count, sizeof(*batch->spans));
    for (uint32_t i = 0; i < batch->count; i++) {
        struct span *span = &batch->spans[i];

        random_span(&batch->arena, span, 30);
        random_id(span->span_id, 8, 5);
        span->endpoint = arena_format(&batch->arena, "GET /%02x/%02x",
                                      span->span_id[0], span->span_id[7]);
    }
    same_add(same, batch);
}

/* spread 1: all in a second. */
static struct same *open_with_logs(uint64_t spread)
{
    struct same *same = same_open();

    if (!same)
        return NULL;
    if (spread == 1)
        add_spans(same);
    for (uint32_t i = 0; i < BATCHES; i++) {
        same->moved = i > BATCHES / 2;
        add_logs(same, spread);
        if (test_random(8) == 0)
            same_write(same);
        if (test_random(8) == 0)
            store_flush(same->store);
    }
    same->moved = true;
    same_write(same);
    return same;
}

/* ---- queries ---- */

struct random_query {
    struct log_query q;
    struct slice words[3];
    struct attr_match attrs[2], any[3];
    uint8_t trace_id[16], span_id[8];
    struct count_limit counting;
};

static struct slice some_word(struct arena *arena)
{
    static const char *const words[] = {"err",
                                        "GET",
                                        "timeout",
                                        "77",
                                        "foo_bar",
                                        "FOO",
                                        "ask",
                                        "ski",
                                        "K",
                                        "gr\xc3\xb6\xc3\x9fX",
                                        "\xcf\x83\xcf\x83\xcf\x83",
                                        "a_",
                                        "so",
                                        "a b",
                                        "",
                                        "\xc3\xa9",
                                        "order",
                                        "failed",
                                        "1",
                                        "null",
                                        "e",
                                        "err\xff",
                                        "\xff",
                                        "IT"};

    return test_random(9) ? slice_of(words[test_random(24)])
                          : random_text(arena, 5);
}

static void random_texts(struct random_query *r, struct arena *arena)
{
    static const char *const phrases[] = {
        "err",  "a",    "100%_", "it's", "\\",  "o_b", "\"", "order 1", "0",
        "took", "key-", "\xc3",  "{\"",  "1.5", "e-0", "%",  "[",       "null"};

    if (test_random(3) == 0)
        r->q.phrase = test_random(4) ? slice_of(phrases[test_random(18)])
                                     : random_text(arena, 4);
    if (test_random(3) == 0)
        r->q.word_count = 1 + test_random(test_random(3) ? 1 : 3);
    for (uint32_t i = 0; i < r->q.word_count; i++)
        r->words[i] = some_word(arena);
    r->q.words = r->words;
}

static void random_attr_filters(struct random_query *r, struct arena *arena)
{
    if (test_random(4) == 0)
        r->q.attr_count = 1 + test_random(2);
    if (test_random(6) == 0)
        r->q.any_count = 1 + test_random(3);
    for (uint32_t i = 0; i < r->q.attr_count; i++)
        random_wish(arena, &r->attrs[i]);
    for (uint32_t i = 0; i < r->q.any_count; i++)
        random_wish(arena, &r->any[i]);
    r->q.attrs = r->attrs;
    r->q.any = r->any;
}

static struct bitmap *random_resources(struct arena *arena)
{
    struct bitmap *set = bitmap_new(arena, SAME_RESOURCES);

    for (uint32_t i = 0; i < SAME_RESOURCES; i += 7)
        if (test_random(3) == 0)
            bitmap_add(set, i);
    if (test_random(20)) /* else there may be none */
        bitmap_add(set, test_random(12) * 7);
    return set;
}

static uint64_t random_time(uint64_t spread)
{
    return BASE + test_random(1000) * NS_PER_MS * spread;
}

static void random_log_query(struct random_query *r, struct arena *arena,
                             uint64_t spread)
{
    struct log_query *q = &r->q;

    *r = (struct random_query){.q = {.end_ns = UINT64_MAX}};
    if (test_random(3) == 0)
        q->start_ns = random_time(spread);
    if (test_random(3) == 0)
        q->end_ns = random_time(spread);
    if (test_random(2))
        q->resources = random_resources(arena);
    q->events = test_random(5) == 0;
    if (test_random(3) == 0)
        q->levels = 1 + test_random(127);
    random_texts(r, arena);
    random_attr_filters(r, arena);
    if (test_random(10) == 0) {
        random_id(r->trace_id, 16, 90);
        q->trace_id = r->trace_id;
    }
    if (test_random(20) == 0) {
        random_id(r->span_id, 8, 90);
        q->span_id = r->span_id;
    }
    q->ascending = test_random(2);
    q->limit = test_random(20) ? 1 + test_random(test_random(3) ? 30 : 3000)
                               : test_random(2);
    if (test_random(3) == 0) {
        r->counting =
            (struct count_limit){.most = 1 + test_random(300), .patient = true};
        q->counting = &r->counting;
    }
    q->brief = test_random(6) == 0;
}

static void show(const struct log_query *q)
{
    printf("# start %llu end %llu events %d levels %x trace %d span %d "
           "ascending %d limit %u brief %d after %d before %d phrase '%.*s'\n",
           (unsigned long long)q->start_ns, (unsigned long long)q->end_ns,
           q->events, q->levels, q->trace_id != NULL, q->span_id != NULL,
           q->ascending, q->limit, q->brief, q->range.after != NULL,
           q->range.before != NULL, SLICE_ARGS(q->phrase));
    for (uint32_t i = 0; i < q->word_count; i++)
        printf("#   word '%.*s'\n", SLICE_ARGS(q->words[i]));
    for (uint32_t i = 0; i < q->attr_count; i++)
        printf("#   attribute '%.*s'='%.*s'\n", SLICE_ARGS(q->attrs[i].key),
               SLICE_ARGS(q->attrs[i].value));
    for (uint32_t i = 0; i < q->any_count; i++)
        printf("#   any '%.*s'='%.*s'\n", SLICE_ARGS(q->any[i].key),
               SLICE_ARGS(q->any[i].value));
}

/* ---- both answers ---- */

struct answer {
    struct log_record *logs;
    uint32_t count;
    uint64_t total;
    struct count_limit counting;
};

static void ask_both(struct same *same, const struct log_query *query,
                     struct list_range ch_range, struct arena *arena,
                     struct answer out[2])
{
    struct log_query q = *query;

    for (int i = 0; i < 2; i++) {
        if (query->counting)
            out[i].counting = *query->counting;
        q.counting = query->counting ? &out[i].counting : NULL;
        if (i == 1)
            q.range = ch_range;
        CHECK_EQ(i == 0
                     ? reader_query_logs(same->reader, &q, arena, &out[i].logs,
                                         &out[i].count, &out[i].total)
                     : ch_query_logs(&same->ch, &q, arena, &out[i].logs,
                                     &out[i].count, &out[i].total),
                 OK);
    }
    if (same->ch.error.status != OK)
        printf("# %s\n", same->ch.error.text);
}

static bool equal_logs(const struct log_query *q, const struct answer *a,
                       const struct answer *b)
{
    if (!CHECK_EQ(b->count, a->count))
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!CHECK(same_log(&a->logs[i], &b->logs[i], q->brief))) {
            printf("# record %u: %llu, body %.*s\n", i,
                   (unsigned long long)a->logs[i].time_ns,
                   SLICE_ARGS(attr_text(&a->logs[i].body)));
            return false;
        }
    return true;
}

static bool equal_totals(const struct log_query *q, const struct answer *a,
                         const struct answer *b)
{
    if (!q->counting || (!a->counting.stopped && !b->counting.stopped))
        return CHECK_EQ(b->total, a->total);
    return CHECK(b->total >= b->count && b->total >= q->counting->most);
}

/* brief: those of one time are in any order. */
static bool may_compare(const struct log_query *q)
{
    return !q->brief;
}

static bool compare(struct same *same, const struct log_query *q,
                    struct list_range ch_range, struct arena *arena)
{
    struct answer out[2] = {{0}, {0}};
    bool equal;

    same_begin(same);
    ask_both(same, q, ch_range, arena, out);
    equal = equal_totals(q, &out[0], &out[1]);
    if (may_compare(q))
        equal = equal && equal_logs(q, &out[0], &out[1]);
    else
        equal = equal && CHECK_EQ(out[1].count, out[0].count);
    same_end(same);
    if (!equal)
        show(q);
    return equal;
}

static void run_queries(uint64_t spread, uint32_t count)
{
    struct same *same = open_with_logs(spread);
    struct random_query r;
    struct arena arena;
    uint32_t bad = 0;

    if (!same)
        return;
    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t i = 0; i < count && bad < 5; i++) {
        arena_reset(&arena);
        random_log_query(&r, &arena, spread);
        bad += !compare(same, &r.q, (struct list_range){NULL, NULL}, &arena);
    }
    arena_release(&arena);
    same_close(same);
}

TEST(queries_of_a_second)
{
    run_queries(1, rounds(24));
}

/* Slices of time: fifteen minutes, two hours, ... */
TEST(queries_of_a_month)
{
    run_queries(30 * 86400, rounds(24));
}

/* ---- page by page ---- */

static void set_place(struct list_position *place, const struct log_record *log)
{
    *place = (struct list_position){.time_ns = log->time_ns,
                                    .key_len = POSITION_NUMBER};
    list_number(place->key, log->arrival);
}

/* Pages of both from one end to the other. The number of a record is another
 * one in each engine, its order is the same. */
static bool read_pages(struct same *same, struct log_query *q,
                       struct arena *arena)
{
    struct list_position places[2];
    struct list_range ch_range = {NULL, NULL};
    struct answer out[2];
    bool equal = true;

    q->range = ch_range;
    do {
        memset(out, 0, sizeof(out));
        same_begin(same);
        ask_both(same, q, ch_range, arena, out);
        equal = equal_totals(q, &out[0], &out[1]) &&
                equal_logs(q, &out[0], &out[1]);
        if (equal && out[0].count > 0)
            for (int i = 0; i < 2; i++)
                set_place(&places[i], &out[i].logs[out[i].count - 1]);
        same_end(same);
        if (q->ascending)
            q->range.after = &places[0], ch_range.after = &places[1];
        else
            q->range.before = &places[0], ch_range.before = &places[1];
    } while (equal && out[0].count > 0);
    if (!equal)
        show(q);
    return equal;
}

TEST(pages)
{
    uint64_t spread = 86400;
    struct same *same = open_with_logs(spread);
    struct random_query r;
    struct arena arena;
    bool equal = true;

    if (!same)
        return;
    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t i = 0; i < rounds(4) && equal; i++) {
        arena_reset(&arena);
        random_log_query(&r, &arena, spread);
        r.q.limit = 50 + test_random(400);
        r.q.brief = false;
        equal = read_pages(same, &r.q, &arena);
    }
    arena_release(&arena);
    same_close(same);
}

/* ---- counts ---- */

enum { STEPS = 37 };

static bool equal_counts(struct same *same, const struct log_query *q,
                         uint64_t spread)
{
    uint64_t counts[2][STEPS][LEVEL_COUNT] = {{{0}}};
    struct log_counts out = {.start_ns = random_time(spread),
                             .step_ns =
                                 1 + test_random(40) * NS_PER_MS * spread,
                             .steps = 1 + test_random(STEPS)};

    same_begin(same);
    out.counts = counts[0];
    CHECK_EQ(reader_count_logs(same->reader, q, &out), OK);
    out.counts = counts[1];
    CHECK_EQ(ch_count_logs(&same->ch, q, &out), OK);
    same_end(same);
    if (same->ch.error.status != OK)
        printf("# %s\n", same->ch.error.text);
    return CHECK(memcmp(counts[0], counts[1], sizeof(counts[0])) == 0);
}

TEST(counts_by_time_and_level)
{
    uint64_t spread = 3600;
    struct same *same = open_with_logs(spread);
    struct random_query r;
    struct arena arena;
    bool equal = true;

    if (!same)
        return;
    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t i = 0; i < rounds(12) && equal; i++) {
        arena_reset(&arena);
        random_log_query(&r, &arena, spread);
        equal = equal_counts(same, &r.q, spread);
        if (!equal)
            show(&r.q);
    }
    arena_release(&arena);
    same_close(same);
}

/* ---- by arrival ---- */

/* Are all inserts long enough ago that a tail has them? */
static bool has_settled(struct same *same, uint64_t since_ns)
{
    struct log_tail now = {0};

    return ch_log_tail(&same->ch, &now) == OK && now.arrival > since_ns;
}

/* One page of both; false at the end. */
static bool read_tails(struct same *same, struct log_query *q,
                       struct log_tail from[2], struct arena *arena)
{
    struct answer out[2] = {{0}, {0}};

    same_begin(same);
    q->tail = &from[0];
    CHECK_EQ(reader_query_logs(same->reader, q, arena, &out[0].logs,
                               &out[0].count, &out[0].total),
             OK);
    q->tail = &from[1];
    CHECK_EQ(ch_query_logs(&same->ch, q, arena, &out[1].logs, &out[1].count,
                           &out[1].total),
             OK);
    bool equal =
        equal_totals(q, &out[0], &out[1]) && equal_logs(q, &out[0], &out[1]);
    if (equal && out[0].count > 0)
        for (int i = 0; i < 2; i++)
            from[i].arrival = out[i].logs[out[i].count - 1].arrival;
    same_end(same);
    return equal && out[0].count > 0;
}

TEST(tail_is_in_the_order_of_arrival)
{
    struct same *same = open_with_logs(3600);
    struct random_query r;
    struct arena arena;

    if (!same)
        return;
    uint64_t since = clock_wall_ns();
    WAIT_FOR(has_settled(same, since));
    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t i = 0; i < rounds(3); i++) {
        struct log_tail from[2] = {{0}, {.arrival = 1}};

        arena_reset(&arena);
        random_log_query(&r, &arena, 3600);
        r.q.limit = 20 + test_random(400);
        r.q.counting = NULL;
        r.q.brief = false;
        r.q.end_ns = UINT64_MAX;
        if (i == 0)
            r.q = (struct log_query){.end_ns = UINT64_MAX, .limit = 100};
        while (read_tails(same, &r.q, from, &arena))
            ;
    }
    arena_release(&arena);
    same_close(same);
}
