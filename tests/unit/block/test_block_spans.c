#include "block.h"
#include "random_records.h"
#include "same_attrs.h"
#include "test.h"

struct fixture {
    struct arena arena, reading;
    struct span *spans;
    const struct span **at;
    uint32_t count;
    struct buf bytes, summary;
    struct block_meta meta;
    struct block *block;
};

static void encode(struct fixture *f)
{
    struct block_writer *writer = block_writer_new();

    for (int round = 0; round < 2; round++) { /* buffers are used again */
        buf_reset(&f->bytes);
        buf_reset(&f->summary);
        CHECK_EQ(block_write_spans(writer, f->at, f->count, &f->bytes,
                                   &f->summary, &f->meta),
                 OK);
    }
    block_writer_free(writer);
    f->block = NULL;
    CHECK_EQ(block_open(&f->block, buf_slice(&f->bytes), &f->reading), OK);
}

static void setup(struct fixture *f, uint32_t count, uint32_t traces)
{
    *f = (struct fixture){.count = count};
    arena_init(&f->arena, NULL, SIZE_MAX);
    arena_init(&f->reading, NULL, SIZE_MAX);
    buf_init(&f->bytes, SIZE_MAX);
    buf_init(&f->summary, SIZE_MAX);
    f->spans = arena_zero(&f->arena, count + 1, sizeof(*f->spans));
    f->at = arena_zero(&f->arena, count + 1, sizeof(struct span *));
    for (uint32_t i = 0; i < count; i++) {
        random_span(&f->arena, &f->spans[i], traces);
        f->at[i] = &f->spans[i];
    }
}

static void teardown(struct fixture *f)
{
    buf_release(&f->bytes);
    buf_release(&f->summary);
    arena_release(&f->arena);
    arena_release(&f->reading);
}

static bool same_events(const struct span *a, const struct span *b)
{
    if (a->event_count != b->event_count || a->link_count != b->link_count)
        return false;
    for (uint32_t i = 0; i < a->event_count; i++)
        if (a->events[i].time_ns != b->events[i].time_ns ||
            !slice_equal(a->events[i].name, b->events[i].name) ||
            !same_attrs(&a->events[i].attrs, &b->events[i].attrs))
            return false;
    for (uint32_t i = 0; i < a->link_count; i++)
        if (memcmp(a->links[i].trace_id, b->links[i].trace_id, 16) ||
            memcmp(a->links[i].span_id, b->links[i].span_id, 8) ||
            !slice_equal(a->links[i].trace_state, b->links[i].trace_state) ||
            a->links[i].flags != b->links[i].flags ||
            !same_attrs(&a->links[i].attrs, &b->links[i].attrs))
            return false;
    return true;
}

static bool same_span(const struct span *a, const struct span *b)
{
    return memcmp(a->trace_id, b->trace_id, 16) == 0 &&
           memcmp(a->span_id, b->span_id, 8) == 0 &&
           memcmp(a->parent_span_id, b->parent_span_id, 8) == 0 &&
           a->start_ns == b->start_ns && a->end_ns == b->end_ns &&
           slice_equal(a->name, b->name) &&
           slice_equal(a->status_message, b->status_message) &&
           slice_equal(a->trace_state, b->trace_state) &&
           slice_equal(a->endpoint, b->endpoint) &&
           slice_equal(a->operation, b->operation) &&
           same_attrs(&a->attrs, &b->attrs) && same_events(a, b) &&
           a->dropped_events == b->dropped_events &&
           a->dropped_links == b->dropped_links && a->flags == b->flags &&
           a->resource_id == b->resource_id && same_scope(a->scope, b->scope) &&
           a->kind == b->kind && a->status == b->status &&
           a->corrected == b->corrected && a->failed == b->failed;
}

static void check_order(const struct fixture *f)
{
    for (uint32_t i = 1; i < f->count; i++) {
        int order = memcmp(f->at[i - 1]->trace_id, f->at[i]->trace_id, 16);

        if (!CHECK(order < 0 || (order == 0 &&
                                 f->at[i - 1]->start_ns <= f->at[i]->start_ns)))
            return;
    }
}

TEST(spans_come_back_exactly)
{
    static const uint32_t counts[] = {0, 1, 2, 65, 300, 3000};

    for (size_t n = 0; n < 6; n++) {
        struct fixture f;
        const uint64_t *times;

        setup(&f, counts[n], n == 4 ? 1 : 60);
        encode(&f);
        CHECK_EQ(block_count(f.block), f.count);
        CHECK_EQ(f.meta.count, f.count);
        check_order(&f);
        CHECK_EQ(block_times(f.block, &times), OK);
        for (uint32_t i = 0; i < f.count; i++) {
            uint32_t row = i % 2 ? i : f.count - 1 - i; /* any order */
            struct span span;

            CHECK_EQ(block_read_span(f.block, row, true, &span), OK);
            if (!CHECK(same_span(&span, f.at[row])) ||
                !CHECK_EQ(times[row], f.at[row]->start_ns))
                break;
        }
        teardown(&f);
    }
}

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

static void matches_the_slow_way(const struct fixture *f,
                                 const struct trace_query *query)
{
    struct block_trace *traces;
    uint32_t count, row = 0;

    if (!CHECK_EQ(block_traces(f->block, query, &traces, &count), OK))
        return;
    for (uint32_t i = 0; i < count; i++) {
        bool matches = false, errors = false, root = false;
        uint64_t end = 0;

        CHECK_EQ(traces[i].first, row);
        CHECK(memcmp(traces[i].trace_id, f->at[row]->trace_id, 16) == 0);
        CHECK_EQ(traces[i].start_ns, f->at[row]->start_ns);
        for (uint32_t k = 0; k < traces[i].count; k++, row++) {
            const struct span *span = f->at[row];

            CHECK(memcmp(traces[i].trace_id, span->trace_id, 16) == 0);
            matches |= is_wanted_span(span, query);
            errors |= (span->status == SPAN_ERROR || span->failed) &&
                      (!query->resources ||
                       bitmap_has(query->resources, span->resource_id));
            root |= id_is_zero(span->parent_span_id, 8);
            end = span->end_ns > end ? span->end_ns : end;
        }
        CHECK_EQ(traces[i].end_ns, end);
        CHECK_EQ(traces[i].has_root, root);
        CHECK(!root || id_is_zero(f->at[traces[i].root]->parent_span_id, 8));
        CHECK_EQ(traces[i].matches, matches);
        CHECK_EQ(traces[i].has_errors, errors);
    }
    CHECK_EQ(row, f->count);
}

TEST(traces_match_as_in_memory)
{
    struct fixture f;
    struct bitmap *set;

    setup(&f, 2500, 200);
    encode(&f);
    set = bitmap_new(&f.arena, 100);
    bitmap_add(set, 7);
    bitmap_add(set, 70);
    for (int round = 0; round < 60; round++) {
        struct attr_match wishes[2];
        struct trace_query query = {.end_ns = UINT64_MAX};

        if (test_random(2))
            query.resources = set;
        if (test_random(2)) {
            query.start_ns = 1700000000000000000 + test_random(1000000000);
            query.end_ns = query.start_ns + test_random(500000000);
        }
        if (test_random(3) == 0)
            query.operation = random_word(&f.arena, "op", 6);
        query.attrs = wishes;
        query.attr_count = test_random(3);
        random_wish(&f.arena, &wishes[0]);
        random_wish(&f.arena, &wishes[1]);
        matches_the_slow_way(&f, &query);
    }
    teardown(&f);
}

/* A span of a resource that starts in a range whose sample has its trace. */
static bool span_wanted(const struct sample_query *query,
                        const struct span *span)
{
    bool wanted = false;

    for (uint32_t i = 0; i < query->range_count; i++)
        wanted |= span->start_ns >= query->ranges[i].start_ns &&
                  span->start_ns < query->ranges[i].end_ns &&
                  (hash_bytes(span->trace_id, 16, 0) & (SAMPLE_ALL - 1)) <
                      query->ranges[i].keep;
    return wanted && (query->kinds == 0 || query->kinds >> span->kind & 1) &&
           bitmap_has(query->resources, span->resource_id);
}

struct sampled_spans {
    struct fixture *f;
    const struct sample_query *query;
    uint32_t row, count; /* the next one */
};

/* The next wanted span of the trace, with what the query asks for. */
static void check_sampled(void *arg, const struct span *span)
{
    struct sampled_spans *s = arg;
    struct span want;

    while (!span_wanted(s->query, s->f->at[s->row]))
        s->row++;
    CHECK_EQ(block_read_span(s->f->block, s->row, false, &want), OK);
    want.status_message = (struct slice){NULL, 0};
    if (s->query->attrs)
        want.attrs = s->f->at[s->row]->attrs;
    CHECK(same_span(&want, span));
    s->row++;
    s->count++;
}

/* All wanted spans of the traces that have one of the resources; those of other
 * traces are not in the sample. */
static uint32_t check_sample(struct fixture *f,
                             const struct sample_query *query)
{
    struct trace_query any = {.end_ns = UINT64_MAX};
    struct block_trace *traces, *sample;
    uint32_t count, sampled, n = 0, found = 0;

    CHECK_EQ(block_traces(f->block, &any, &traces, &count), OK);
    CHECK_EQ(block_sample_traces(f->block, query, &sample, &sampled), OK);
    for (uint32_t i = 0; i < count; i++) {
        const struct block_trace *t = &traces[i];
        struct sampled_spans s = {.f = f, .query = query, .row = t->first};
        bool in_resources = false;
        uint32_t want = 0;

        for (uint32_t row = t->first; row < t->first + t->count; row++) {
            in_resources |=
                bitmap_has(query->resources, f->at[row]->resource_id);
            want += span_wanted(query, f->at[row]);
        }
        if (n < sampled && sample[n].first == t->first) {
            CHECK(in_resources);
            CHECK_EQ(block_visit_sample(f->block, query, &sample[n++],
                                        check_sampled, &s),
                     OK);
            CHECK_EQ(s.count, want);
        } else {
            CHECK_EQ(want, 0);
        }
        found += s.count;
    }
    CHECK_EQ(n, sampled);
    return found;
}

TEST(a_sample_has_the_traces_of_its_hash_times_and_resources)
{
    struct fixture f;
    uint32_t found = 0;

    setup(&f, 2500, 200);
    encode(&f);
    for (int round = 0; round < 60; round++) {
        uint64_t at = 1700000000000000000 + test_random(500000000);
        struct sample_range ranges[3];
        struct sample_query query = {
            .ranges = ranges,
            .range_count = 1 + (uint32_t)test_random(3),
            .resources = bitmap_new(&f.arena, 100),
            .kinds = (uint8_t)(round % 2 ? 0 : test_random(64)),
            .attrs = test_random(2)};

        for (int i = 0; i < 3; i++) {
            ranges[i].start_ns = at += test_random(100000000);
            ranges[i].end_ns = at += test_random(300000000);
            ranges[i].keep = (uint32_t)test_random(SAMPLE_ALL + 1);
        }
        bitmap_add((struct bitmap *)(uintptr_t)query.resources,
                   (uint32_t)test_random(90));
        found += check_sample(&f, &query);
    }
    CHECK(found > 0);
    teardown(&f);
}

TEST(traces_are_found_by_id)
{
    struct fixture f;

    setup(&f, 1000, 100);
    encode(&f);
    for (int round = 0; round < 400; round++) {
        uint8_t id[16];
        uint32_t first, count, want = 0;

        random_id(id, 16, 110);
        for (uint32_t i = 0; i < f.count; i++)
            want += memcmp(f.at[i]->trace_id, id, 16) == 0;
        CHECK_EQ(block_find_trace(f.block, id, &first, &count), OK);
        CHECK_EQ(count, want);
        if (count > 0) {
            CHECK(memcmp(f.at[first]->trace_id, id, 16) == 0);
            CHECK(summary_may_have_trace(buf_slice(&f.summary), id));
        }
    }
    teardown(&f);
}

TEST(meta_and_summary_say_what_is_in_it)
{
    struct fixture f;
    struct block_meta want = {.min_ns = UINT64_MAX};
    uint64_t counts[LEVEL_COUNT], all = 0;
    struct bitmap *set;

    setup(&f, 500, 30);
    encode(&f);
    set = bitmap_new(&f.arena, 100);
    bitmap_add(set, 14);
    bitmap_add(set, 21);
    for (uint32_t i = 0; i < f.count; i++) {
        const struct span *s = f.at[i];
        uint64_t duration = s->end_ns - s->start_ns;

        all += bitmap_has(set, s->resource_id);
        want.min_ns = s->start_ns < want.min_ns ? s->start_ns : want.min_ns;
        want.max_ns = s->start_ns > want.max_ns ? s->start_ns : want.max_ns;
        if (s->end_ns > want.max_end_ns)
            want.max_end_ns = s->end_ns;
        if (duration > want.max_duration_ns)
            want.max_duration_ns = duration;
        if (s->status == SPAN_ERROR || s->failed)
            want.levels = 1U << SPAN_ERROR;
    }
    CHECK_EQ(f.meta.min_ns, want.min_ns);
    CHECK_EQ(f.meta.max_ns, want.max_ns);
    CHECK_EQ(f.meta.max_end_ns, want.max_end_ns);
    CHECK_EQ(f.meta.max_duration_ns, want.max_duration_ns);
    CHECK_EQ(f.meta.levels, want.levels);
    CHECK(summary_counts(buf_slice(&f.summary), set, counts));
    CHECK_EQ(counts[0], all);
    CHECK(summary_counts(buf_slice(&f.summary), NULL, counts));
    CHECK_EQ(counts[0], f.count);
    teardown(&f);
}

/* More shapes and keys than columns are made for. */
TEST(runaway_attributes_come_back_too)
{
    struct fixture f;
    struct span span;

    setup(&f, 6000, 2000);
    for (uint32_t i = 0; i < f.count; i++) {
        struct attr *at = arena_zero(&f.arena, 5, sizeof(*at));

        for (int k = 0; k < 5; k++) {
            struct slice key = random_word(&f.arena, "k", 3000);

            at[k].key = key.ptr;
            at[k].key_len = (uint16_t)key.len;
            random_value(&f.arena, &at[k], 0);
        }
        f.spans[i].attrs = (struct attrs){at, 5, 0};
    }
    encode(&f);
    for (uint32_t row = 0; row < f.count; row++) {
        CHECK_EQ(block_read_span(f.block, row, true, &span), OK);
        if (!CHECK(same_span(&span, f.at[row])))
            break;
    }
    for (int round = 0; round < 10; round++) {
        struct attr_match wish = {random_word(&f.arena, "k", 3000),
                                  SLICE("v3")};
        struct trace_query query = {
            .end_ns = UINT64_MAX, .attrs = &wish, .attr_count = 1};

        matches_the_slow_way(&f, &query);
    }
    teardown(&f);
}

static enum status read_all(struct slice bytes, struct arena *arena)
{
    struct block *block;
    struct span span;
    enum status status = block_open(&block, bytes, arena);

    for (uint32_t row = 0; status == OK && row < block_count(block); row++)
        status = block_read_span(block, row, true, &span);
    return status;
}

static void write_rows(struct fixture *f, struct span_rows *rows,
                       struct buf *bytes, bool forget)
{
    struct block_writer *writer = block_writer_new();
    struct buf summary;
    struct block_meta meta;

    buf_init(&summary, SIZE_MAX);
    for (uint32_t i = 0; i < f->count; i++)
        span_rows_add(rows, &f->spans[i]);
    CHECK_EQ(span_rows_count(rows), f->count);
    if (forget)
        arena_release(&f->arena);
    CHECK_EQ(block_write_span_rows(writer, rows, bytes, &summary, &meta), OK);
    CHECK_EQ(meta.count, f->count);
    buf_release(&summary);
    block_writer_free(writer);
}

TEST(rows_coded_one_by_one_are_the_same_block)
{
    struct fixture f;
    struct span_rows *rows = span_rows_new();
    struct block_writer *writer = block_writer_new();
    struct buf bytes, again;

    setup(&f, 3000, 200);
    buf_init(&bytes, SIZE_MAX);
    buf_init(&again, SIZE_MAX);
    write_rows(&f, rows, &bytes, false);
    CHECK_EQ(
        block_write_spans(writer, f.at, f.count, &f.bytes, &f.summary, &f.meta),
        OK);
    CHECK(slice_equal(buf_slice(&f.bytes), buf_slice(&bytes)));
    span_rows_reset(rows); /* used again; the records may go meanwhile */
    CHECK_EQ(span_rows_count(rows), 0);
    write_rows(&f, rows, &again, true);
    CHECK(slice_equal(buf_slice(&again), buf_slice(&bytes)));
    buf_release(&bytes);
    buf_release(&again);
    span_rows_free(rows);
    block_writer_free(writer);
    teardown(&f);
}

TEST(a_full_arena_is_an_error_and_nothing_worse)
{
    struct fixture f;

    setup(&f, 800, 30);
    encode(&f);
    for (size_t cap = 1000; cap < 4000000; cap = cap * 5 / 4) {
        struct arena small;
        enum status status;

        arena_init(&small, NULL, cap);
        status = read_all(buf_slice(&f.bytes), &small);
        CHECK(status == OK || status == ERR_TOO_BIG);
        arena_release(&small);
    }
    teardown(&f);
}

TEST(each_altered_byte_is_noticed)
{
    struct fixture f;

    setup(&f, 40, 9);
    encode(&f);
    for (size_t i = 0; i < f.bytes.len; i++) {
        char was = f.bytes.ptr[i];
        enum status status;

        f.bytes.ptr[i] ^= (char)(1 + test_random(255));
        status = read_all(buf_slice(&f.bytes), &f.reading);
        CHECK(status == ERR_CORRUPT || (i == 4 && status == ERR_UNSUPPORTED));
        f.bytes.ptr[i] = was;
        arena_reset(&f.reading);
    }
    for (size_t len = 0; len < f.bytes.len; len++) {
        struct slice cut = {f.bytes.ptr, len};

        CHECK_EQ(read_all(cut, &f.reading), ERR_CORRUPT);
        arena_reset(&f.reading);
    }
    CHECK_EQ(read_all(buf_slice(&f.bytes), &f.reading), OK);
    teardown(&f);
}
