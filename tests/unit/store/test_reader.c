#include <pthread.h>
#include <stdatomic.h>

#include "block.h"
#include "clock.h"
#include "reader.h"
#include "store_help.h"

enum { RECORDS = 6000, BATCH = 50 };

#define BASE UINT64_C(1700000000000000000)

/* ---- records that can be told apart, and a plain list of them ---- */

struct world {
    char dir[64];
    struct store *store;
    struct reader *reader;
    struct arena arena;
    struct log_record *logs; /* in order of arrival */
    struct span *spans;
    uint32_t log_count, span_count;
    uint64_t lsn;
};

static const char *const words[] = {"timeout", "order",      "paid",
                                    "ERROR",   "connection", "reset"};

static struct slice random_body(struct arena *arena, uint32_t number)
{
    char text[128];
    int len = snprintf(text, sizeof(text), "%s %s n%u", words[test_random(6)],
                       words[test_random(6)], number);

    return arena_copy(arena, (struct slice){text, (size_t)len});
}

static const struct attr *random_attr(struct arena *arena)
{
    struct attr *attr = arena_zero(arena, 1, sizeof(*attr));

    *attr = (struct attr){.key = "code",
                          .key_len = 4,
                          .type = VALUE_INT,
                          .i = 200 + test_random(3)};
    return attr;
}

static void random_ids(uint8_t trace[16], uint8_t span[8], uint32_t traces)
{
    memset(trace, 0, 16);
    memset(span, 0, 8);
    trace[0] = 1;
    trace[7] = (uint8_t)test_random(traces);
    span[0] = 2;
    span[3] = (uint8_t)test_random(256);
    span[5] = (uint8_t)test_random(256);
}

static struct log_record make_log(struct arena *arena, uint32_t number)
{
    struct slice body = random_body(arena, number);
    struct log_record log = {.time_ns = BASE + number * NS_PER_MS +
                                        test_random(200) * NS_PER_MS,
                             .observed_ns = BASE + number,
                             .body = {.type = VALUE_STRING,
                                      .str = body.ptr,
                                      .len = (uint32_t)body.len},
                             .resource_id = test_random(10),
                             .level = (uint8_t)test_random(LEVEL_COUNT),
                             .is_event = test_random(20) == 0,
                             .attrs = {random_attr(arena), test_random(2), 0}};

    if (test_random(2))
        random_ids(log.trace_id, log.span_id, 100);
    return log;
}

static struct span make_span(struct arena *arena, uint32_t number)
{
    struct span span = {
        .start_ns = BASE + number * NS_PER_MS + test_random(500) * NS_PER_MS,
        .name = slice_of(words[test_random(6)]),
        .operation = slice_of(words[test_random(6)]),
        .endpoint = slice_of(words[test_random(6)]),
        .resource_id = test_random(10),
        .kind = SPAN_SERVER,
        .status = (uint8_t)(test_random(10) ? SPAN_UNSET : SPAN_ERROR),
        .attrs = {random_attr(arena), 1, 0}};

    random_ids(span.trace_id, span.span_id, 250);
    span.trace_id[8] = (uint8_t)(number / 1000); /* parts lie near */
    if (test_random(4))
        span.parent_span_id[0] = 9;
    span.end_ns = span.start_ns + test_random(1000) * NS_PER_MS;
    return span;
}

static void add_logs(struct world *w, uint32_t count)
{
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);

    batch->lsn = ++w->lsn;
    batch->count = count;
    batch->logs = arena_zero(&batch->arena, count, sizeof(*batch->logs));
    for (uint32_t i = 0; i < count; i++) {
        struct log_record log = make_log(&w->arena, w->log_count);

        w->logs[w->log_count++] = batch->logs[i] = log;
    }
    store_append(w->store, batch);
}

static void add_spans(struct world *w, uint32_t count)
{
    struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);

    batch->lsn = ++w->lsn;
    batch->count = count;
    batch->spans = arena_zero(&batch->arena, count, sizeof(*batch->spans));
    for (uint32_t i = 0; i < count; i++) {
        struct span span = make_span(&w->arena, w->span_count);

        w->spans[w->span_count++] = batch->spans[i] = span;
    }
    store_append(w->store, batch);
}

static void world_open(struct world *w)
{
    struct store_options options = options_in(w->dir);

    CHECK_EQ(store_open(&w->store, &options), OK);
    CHECK_EQ(reader_open(&w->reader, w->store), OK);
}

static void world_close(struct world *w)
{
    reader_close(w->reader);
    store_close(w->store);
}

static void world_make(struct world *w)
{
    *w = (struct world){0};
    temp_make(w->dir);
    arena_init(&w->arena, NULL, SIZE_MAX);
    w->logs = arena_zero(&w->arena, RECORDS, sizeof(*w->logs));
    w->spans = arena_zero(&w->arena, RECORDS, sizeof(*w->spans));
    world_open(w);
    /* Not a multiple of a block, so that some stay in memory. */
    while (w->log_count < RECORDS - 300) {
        add_logs(w, BATCH);
        add_spans(w, BATCH);
    }
}

static void world_remove(struct world *w)
{
    world_close(w);
    arena_release(&w->arena);
    temp_remove(w->dir);
}

/* ---- logs ---- */

struct ask {
    struct log_query q;
    struct slice words[2];
    struct attr_match attr;
    uint8_t trace[16], span[8];
};

static void random_question(struct ask *ask, struct arena *arena,
                            const struct world *w)
{
    struct bitmap *set = bitmap_new(arena, 10);

    *ask = (struct ask){.words = {SLICE("timeout"), SLICE("Error")},
                        .attr = {SLICE("code"), SLICE("201")}};
    ask->q.start_ns = test_random(3) ? BASE + test_random(5000) * NS_PER_MS : 0;
    ask->q.end_ns = test_random(3)
                        ? ask->q.start_ns + test_random(3000) * NS_PER_MS
                        : UINT64_MAX;
    for (int i = 0; i < 3; i++)
        bitmap_add(set, test_random(10));
    if (test_random(2))
        ask->q.resources = set;
    ask->q.events = test_random(8) == 0;
    if (test_random(3) == 0)
        ask->q.levels = 1 + test_random(127);
    if (test_random(4) == 0)
        ask->q.phrase = SLICE("reset n");
    ask->q.words = ask->words;
    ask->q.word_count = test_random(3) ? 0 : 1 + test_random(2);
    ask->q.attrs = &ask->attr;
    ask->q.attr_count = test_random(4) == 0;
    if (test_random(8) == 0) {
        const struct log_record *log = &w->logs[test_random(w->log_count)];

        memcpy(ask->trace, log->trace_id, 16);
        memcpy(ask->span, log->span_id, 8);
        ask->q.trace_id = ask->trace;
        ask->q.span_id = test_random(2) ? ask->span : NULL;
    }
    ask->q.ascending = test_random(2);
    ask->q.limit = test_random(4) ? test_random(100) : RECORDS;
}

static int by_time(const void *left, const void *right)
{
    const struct log_record *a = *(const struct log_record *const *)left;
    const struct log_record *b = *(const struct log_record *const *)right;

    return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

static uint32_t ask_model(const struct world *w, const struct log_query *q,
                          const struct log_record **found)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < w->log_count; i++)
        if (match_log(&w->logs[i], q))
            found[count++] = &w->logs[i];
    qsort(found, count, sizeof(*found), by_time);
    return count;
}

/* The page has the right times in order, and every record on it is one that
 * matches, with the body and the other members it had. */
static bool same_page(const struct log_query *q, const struct log_record **want,
                      uint32_t want_count, const struct log_record *got,
                      uint32_t got_count)
{
    uint32_t page = want_count < q->limit ? want_count : q->limit;

    if (got_count != page)
        return false;
    for (uint32_t i = 0; i < page; i++) {
        uint32_t at = q->ascending ? i : want_count - 1 - i;
        bool found = false;

        if (got[i].time_ns != want[at]->time_ns)
            return false;
        for (uint32_t j = 0; j < want_count && !found; j++)
            found = want[j]->time_ns == got[i].time_ns &&
                    slice_equal(
                        (struct slice){want[j]->body.str, want[j]->body.len},
                        (struct slice){got[i].body.str, got[i].body.len}) &&
                    want[j]->resource_id == got[i].resource_id &&
                    want[j]->level == got[i].level &&
                    want[j]->attrs.count == got[i].attrs.count &&
                    memcmp(want[j]->trace_id, got[i].trace_id, 16) == 0;
        if (!found)
            return false;
        for (uint32_t j = 0; j < i; j++) /* and comes once */
            if (got[j].observed_ns == got[i].observed_ns)
                return false;
    }
    return true;
}

static void ask_logs(struct world *w, int rounds)
{
    static const struct log_record *want[RECORDS];

    for (int round = 0; round < rounds; round++) {
        struct arena arena;
        struct ask ask;
        struct log_record *got;
        uint32_t got_count;
        uint64_t total;

        arena_init(&arena, NULL, SIZE_MAX);
        random_question(&ask, &arena, w);
        uint32_t want_count = ask_model(w, &ask.q, want);
        CHECK_EQ(reader_begin(w->reader), OK);
        CHECK_EQ(reader_query_logs(w->reader, &ask.q, &arena, &got, &got_count,
                                   &total),
                 OK);
        CHECK_EQ(total, want_count);
        CHECK(same_page(&ask.q, want, want_count, got, got_count));
        reader_end(w->reader);
        arena_release(&arena);
    }
}

TEST(log_pages_agree_with_a_plain_list)
{
    struct world w;

    world_make(&w);
    ask_logs(&w, 150);
    world_close(&w);
    world_open(&w); /* all in blocks now */
    ask_logs(&w, 150);
    add_logs(&w, 200);
    ask_logs(&w, 50);
    world_remove(&w);
}

/* The whole list, as the numbers that are in observed_ns. */
static uint32_t whole_order(struct world *w, bool ascending, uint64_t *order)
{
    struct log_query q = {
        .end_ns = UINT64_MAX, .limit = RECORDS, .ascending = ascending};
    struct arena arena;
    struct log_record *got;
    uint32_t count = 0;
    uint64_t total;

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(reader_begin(w->reader), OK);
    CHECK_EQ(reader_query_logs(w->reader, &q, &arena, &got, &count, &total),
             OK);
    for (uint32_t i = 0; i < count; i++)
        order[i] = got[i].observed_ns;
    reader_end(w->reader);
    arena_release(&arena);
    return count;
}

TEST(order_is_the_same_in_memory_and_on_disk)
{
    static uint64_t before[RECORDS], after[RECORDS];
    struct world w;

    world_make(&w);
    uint32_t count = whole_order(&w, true, before);
    world_close(&w);
    world_open(&w);
    CHECK_EQ(whole_order(&w, true, after), count);
    CHECK(memcmp(before, after, count * sizeof(*before)) == 0);
    CHECK_EQ(whole_order(&w, false, after), count);
    for (uint32_t i = 0; i < count; i++)
        CHECK(before[i] == after[count - 1 - i]);
    world_remove(&w);
}

/* ---- samples ---- */

struct sampled {
    uint64_t spans, logs, sum; /* sum: of their ids */
};

static void add_span(void *arg, const struct span *span)
{
    struct sampled *s = arg;

    s->spans++;
    s->sum += hash_bytes(span->span_id, 8, span->start_ns);
}

static void add_log(void *arg, const struct log_record *log)
{
    struct sampled *s = arg;

    s->logs++;
    s->sum += hash_bytes(log->trace_id, 16, log->time_ns);
}

/* By a plain list: wherever the other spans of a trace are, those of a range
 * are in the sample. */
static struct sampled model_sample(const struct world *w,
                                   const struct sample_query *q)
{
    struct sampled s = {0};

    for (uint32_t i = 0; i < w->span_count; i++)
        if (sample_has(q, sample_hash(w->spans[i].trace_id),
                       w->spans[i].start_ns))
            add_span(&s, &w->spans[i]);
    for (uint32_t i = 0; i < w->log_count; i++)
        if (!w->logs[i].is_event && !id_is_zero(w->logs[i].trace_id, 16) &&
            sample_has(q, sample_hash(w->logs[i].trace_id), w->logs[i].time_ns))
            add_log(&s, &w->logs[i]);
    return s;
}

static void check_samples(struct world *w)
{
    uint64_t all_bits = UINT64_MAX;
    const struct bitmap all = {&all_bits, 64, 64};

    for (int round = 0; round < 20; round++) {
        uint64_t at = BASE;
        struct sample_range ranges[3];
        struct sample_query q = {.ranges = ranges,
                                 .range_count = 1 + (uint32_t)test_random(3),
                                 .resources = &all};
        struct sampled got = {0};

        for (int i = 0; i < 3; i++) {
            ranges[i].start_ns = at += test_random(RECORDS / 4) * NS_PER_MS;
            ranges[i].end_ns = at += test_random(RECORDS / 4) * NS_PER_MS;
            ranges[i].keep = (uint32_t)test_random(SAMPLE_ALL + 1);
        }
        CHECK_EQ(reader_begin(w->reader), OK);
        CHECK_EQ(reader_sample_spans(w->reader, &q, add_span, &got), OK);
        CHECK_EQ(reader_sample_logs(w->reader, &q, add_log, &got), OK);
        reader_end(w->reader);
        struct sampled want = model_sample(w, &q);
        CHECK_EQ(got.spans, want.spans);
        CHECK_EQ(got.logs, want.logs);
        CHECK_EQ(got.sum, want.sum);
    }
}

TEST(a_sample_is_the_same_in_memory_and_on_disk)
{
    struct world w;

    world_make(&w);
    check_samples(&w);
    world_close(&w);
    world_open(&w);
    check_samples(&w);
    world_remove(&w);
}

TEST(log_records_take_the_endpoint_of_their_span)
{
    struct world w;
    struct log_query q = {.end_ns = UINT64_MAX, .limit = 10};

    world_make(&w);
    for (int round = 0; round < 2; round++) { /* in memory, then on disk */
        struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);
        const struct span *span = &w.spans[round ? 1234 : w.span_count - 1];
        struct log_record *got;
        uint32_t count;
        uint64_t total;
        struct arena arena;

        batch->lsn = ++w.lsn;
        batch->count = 1;
        batch->logs = arena_zero(&batch->arena, 1, sizeof(*batch->logs));
        batch->logs[0].time_ns = span->start_ns;
        memcpy(batch->logs[0].trace_id, span->trace_id, 16);
        memcpy(batch->logs[0].span_id, span->span_id, 8);
        q.trace_id = batch->logs[0].trace_id;
        q.span_id = batch->logs[0].span_id;
        store_append(w.store, batch);
        arena_init(&arena, NULL, SIZE_MAX);
        CHECK_EQ(reader_begin(w.reader), OK);
        CHECK_EQ(reader_query_logs(w.reader, &q, &arena, &got, &count, &total),
                 OK);
        if (CHECK(count >= 1))
            for (uint32_t i = 0; i < count; i++)
                CHECK(slice_equal(got[i].endpoint, span->endpoint));
        reader_end(w.reader);
        arena_release(&arena);
    }
    world_remove(&w);
}

/* ---- traces ---- */

struct model_trace {
    uint8_t id[16];
    uint64_t start, end;
    uint32_t count;
    bool matches, errors;
};

/* The rule of time in its own words: any of the span lies in the window. */
static bool is_wanted_span(const struct span *span,
                           const struct trace_query *query)
{
    struct trace_query any_time = *query;

    any_time.start_ns = 0;
    any_time.end_ns = UINT64_MAX;
    return span->start_ns < query->end_ns && span->end_ns >= query->start_ns &&
           match_span(span, &any_time);
}

static uint32_t model_traces(const struct world *w, const struct trace_query *q,
                             struct model_trace *traces)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < w->span_count; i++) {
        const struct span *s = &w->spans[i];
        uint32_t at = 0;

        while (at < count && memcmp(traces[at].id, s->trace_id, 16) != 0)
            at++;
        if (at == count) {
            traces[count] = (struct model_trace){.start = UINT64_MAX};
            memcpy(traces[count++].id, s->trace_id, 16);
        }
        struct model_trace *t = &traces[at];
        t->count++;
        t->start = s->start_ns < t->start ? s->start_ns : t->start;
        t->end = s->end_ns > t->end ? s->end_ns : t->end;
        t->matches |= is_wanted_span(s, q);
        t->errors |=
            (s->status == SPAN_ERROR || s->failed) &&
            (!q->resources || bitmap_has(q->resources, s->resource_id));
    }
    return count;
}

static bool model_wants(const struct model_trace *t,
                        const struct trace_query *q)
{
    return t->matches && (!q->errors_only || t->errors) &&
           (!q->min_duration_ns || t->end - t->start >= q->min_duration_ns) &&
           (!q->max_duration_ns || t->end - t->start <= q->max_duration_ns);
}

static void check_traces(const struct trace_query *q,
                         const struct model_trace *all, uint32_t all_count,
                         const struct trace_summary *got, uint32_t count,
                         uint64_t total)
{
    uint64_t want = 0;

    for (uint32_t i = 0; i < all_count; i++)
        want += model_wants(&all[i], q);
    CHECK_EQ(total, want);
    CHECK_EQ(count, want < q->limit ? want : q->limit);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = 0;

        while (at < all_count && memcmp(all[at].id, got[i].trace_id, 16) != 0)
            at++;
        if (!CHECK(at < all_count))
            return;
        CHECK(model_wants(&all[at], q));
        CHECK_EQ(got[i].span_count, all[at].count);
        CHECK_EQ(got[i].start_ns, all[at].start);
        CHECK_EQ(got[i].end_ns, all[at].end);
        CHECK_EQ(got[i].has_errors, all[at].errors);
        CHECK(got[i].root_name.len > 0);
        if (i > 0)
            CHECK(q->ascending ? got[i - 1].start_ns <= got[i].start_ns
                               : got[i - 1].start_ns >= got[i].start_ns);
    }
}

static void ask_traces(struct world *w, int rounds)
{
    static struct model_trace all[RECORDS];

    for (int round = 0; round < rounds; round++) {
        struct trace_query q = {.end_ns = UINT64_MAX};
        struct attr_match attr = {SLICE("code"), SLICE("201")};
        struct trace_summary *got;
        struct arena arena;
        uint32_t count;
        uint64_t total;

        arena_init(&arena, NULL, SIZE_MAX);
        struct bitmap *set = bitmap_new(&arena, 10);
        bitmap_add(set, test_random(10));
        if (test_random(2)) {
            q.start_ns = BASE + test_random(5000) * NS_PER_MS;
            q.end_ns = q.start_ns + test_random(1000) * NS_PER_MS;
        }
        q.resources = test_random(2) ? set : NULL;
        q.attrs = &attr;
        q.attr_count = test_random(3) == 0;
        q.errors_only = test_random(3) == 0;
        if (test_random(3) == 0)
            q.operation = SLICE("order");
        if (test_random(3) == 0)
            q.min_duration_ns = 900 * NS_PER_MS;
        if (test_random(3) == 0)
            q.max_duration_ns = 1200 * NS_PER_MS;
        q.ascending = test_random(2);
        q.limit = test_random(3) ? test_random(30) : RECORDS;
        CHECK_EQ(reader_begin(w->reader), OK);
        CHECK_EQ(
            reader_query_traces(w->reader, &q, &arena, &got, &count, &total),
            OK);
        check_traces(&q, all, model_traces(w, &q, all), got, count, total);
        reader_end(w->reader);
        arena_release(&arena);
    }
}

static void ask_trace(struct world *w, int rounds)
{
    for (int round = 0; round < rounds; round++) {
        const struct span *any = &w->spans[test_random(w->span_count)];
        struct span *got;
        uint32_t count, want = 0;
        struct arena arena;

        arena_init(&arena, NULL, SIZE_MAX);
        for (uint32_t i = 0; i < w->span_count; i++) {
            bool twice = false;

            if (memcmp(w->spans[i].trace_id, any->trace_id, 16) != 0)
                continue;
            for (uint32_t j = 0; j < i; j++)
                twice |=
                    memcmp(&w->spans[j].trace_id, any->trace_id, 16) == 0 &&
                    w->spans[j].start_ns == w->spans[i].start_ns &&
                    memcmp(w->spans[j].span_id, w->spans[i].span_id, 8) == 0;
            want += !twice;
        }
        CHECK_EQ(reader_begin(w->reader), OK);
        CHECK_EQ(
            query_trace(w->reader, any->trace_id, true, &arena, &got, &count),
            OK);
        CHECK_EQ(count, want);
        for (uint32_t i = 0; i < count; i++) {
            CHECK(got[i].attrs.count == 1);
            CHECK(i == 0 || got[i - 1].start_ns <= got[i].start_ns);
        }
        reader_end(w->reader);
        arena_release(&arena);
    }
}

TEST(traces_agree_with_a_plain_list)
{
    struct world w;

    world_make(&w);
    ask_traces(&w, 40);
    ask_trace(&w, 30);
    world_close(&w);
    world_open(&w);
    ask_traces(&w, 40);
    ask_trace(&w, 30);
    world_remove(&w);
}

TEST(a_trace_that_is_not_there_is_empty)
{
    struct world w;
    const uint8_t id[16] = {77};
    struct span *got;
    uint32_t count = 1;

    world_make(&w);
    CHECK_EQ(reader_begin(w.reader), OK);
    CHECK_EQ(query_trace(w.reader, id, false, &w.arena, &got, &count), OK);
    CHECK_EQ(count, 0);
    reader_end(w.reader);
    world_remove(&w);
}
