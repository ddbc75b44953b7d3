#include <stdio.h>

#include "block.h"
#include "random_records.h"
#include "same_attrs.h"
#include "test.h"

struct fixture {
    struct arena arena, reading;
    struct log_record *logs;
    const struct log_record **at;
    uint32_t count;
    struct buf bytes, summary;
    struct block_meta meta;
    struct block *block;
};

static void encode(struct fixture *f)
{
    struct block_writer *writer = block_writer_new();

    for (int round = 0; round < 2; round++) {
        buf_reset(&f->bytes);
        buf_reset(&f->summary);
        CHECK_EQ(block_write_logs(writer, f->at, f->count, &f->bytes,
                                  &f->summary, &f->meta),
                 OK);
    }
    block_writer_free(writer);
    f->block = NULL;
    CHECK_EQ(block_open(&f->block, buf_slice(&f->bytes), &f->reading), OK);
}

static void setup(struct fixture *f, uint32_t count)
{
    *f = (struct fixture){.count = count};
    arena_init(&f->arena, NULL, SIZE_MAX);
    arena_init(&f->reading, NULL, SIZE_MAX);
    buf_init(&f->bytes, SIZE_MAX);
    buf_init(&f->summary, SIZE_MAX);
    f->logs = arena_zero(&f->arena, count + 1, sizeof(*f->logs));
    f->at = arena_zero(&f->arena, count + 1, sizeof(struct log_record *));
    for (uint32_t i = 0; i < count; i++) {
        random_log(&f->arena, &f->logs[i]);
        f->logs[i].arrival = log_arrival(1 + test_random(99), i);
        f->at[i] = &f->logs[i];
    }
}

static void teardown(struct fixture *f)
{
    buf_release(&f->bytes);
    buf_release(&f->summary);
    arena_release(&f->arena);
    arena_release(&f->reading);
}

static bool same_log(const struct log_record *a, const struct log_record *b)
{
    return a->time_ns == b->time_ns && a->observed_ns == b->observed_ns &&
           a->arrival == b->arrival &&
           memcmp(a->trace_id, b->trace_id, 16) == 0 &&
           memcmp(a->span_id, b->span_id, 8) == 0 &&
           same_value(&a->body, &b->body) &&
           slice_equal(a->severity_text, b->severity_text) &&
           slice_equal(a->event_name, b->event_name) &&
           same_attrs(&a->attrs, &b->attrs) && a->flags == b->flags &&
           a->resource_id == b->resource_id && same_scope(a->scope, b->scope) &&
           a->severity == b->severity && a->level == b->level &&
           a->corrected == b->corrected && a->is_event == b->is_event;
}

static void check_brief(const struct fixture *f, uint32_t row)
{
    const struct log_record *want = f->at[row];
    struct log_record log;

    CHECK_EQ(block_read_log_brief(f->block, row, &log), OK);
    CHECK(log.time_ns == want->time_ns);
    CHECK(memcmp(log.trace_id, want->trace_id, 16) == 0 &&
          memcmp(log.span_id, want->span_id, 8) == 0);
    CHECK(log.level == want->level && log.resource_id == want->resource_id);
    CHECK(same_value(&log.body, &want->body));
}

TEST(logs_come_back_exactly)
{
    static const uint32_t counts[] = {0, 1, 2, 64, 129, 4000};

    for (size_t n = 0; n < 6; n++) {
        struct fixture f;
        const uint64_t *times;

        setup(&f, counts[n]);
        encode(&f);
        CHECK_EQ(block_count(f.block), f.count);
        CHECK_EQ(block_times(f.block, &times), OK);
        for (uint32_t i = 0; i < f.count; i++) {
            uint32_t row = i % 2 ? i : f.count - 1 - i;
            struct log_record log;
            uint8_t trace_id[16];

            CHECK_EQ(block_read_log(f.block, row, &log), OK);
            CHECK_EQ(block_log_trace_id(f.block, row, trace_id), OK);
            CHECK(memcmp(trace_id, log.trace_id, 16) == 0);
            check_brief(&f, row);
            if (!CHECK(same_log(&log, f.at[row])) ||
                !CHECK_EQ(times[row], f.at[row]->time_ns))
                break;
        }
        teardown(&f);
    }
}

TEST(logs_are_sorted_by_resource_time_and_arrival)
{
    struct fixture f;

    setup(&f, 2000);
    encode(&f);
    for (uint32_t i = 1; i < f.count; i++) {
        const struct log_record *a = f.at[i - 1], *b = f.at[i];

        if (!CHECK(a->resource_id < b->resource_id ||
                   (a->resource_id == b->resource_id &&
                    (a->time_ns < b->time_ns ||
                     (a->time_ns == b->time_ns && a < b)))))
            break;
    }
    teardown(&f);
}

/* Part of a line that is there, or something like it. */
static struct slice random_phrase(struct fixture *f)
{
    const struct attr *body = &f->logs[test_random(f->count)].body;
    size_t from, len;

    if (body->type != VALUE_STRING || body->len == 0 || test_random(8) == 0)
        return random_text(&f->arena, 6);
    from = test_random(body->len);
    len = 1 + test_random(test_random(2) ? 6 : 30);
    if (len > body->len - from)
        len = body->len - from;
    return (struct slice){body->str + from, len};
}

static struct slice random_query_word(struct fixture *f)
{
    static const char *const words[] = {"timeout", "GET", "err", "order", "7",
                                        "failed",  "a b", "",    "ms",    "id"};
    struct slice phrase = random_phrase(f);
    size_t end = 0;

    if (test_random(2))
        return slice_of(words[test_random(10)]);
    while (end < phrase.len && phrase.ptr[end] != ' ')
        end++;
    return (struct slice){phrase.ptr, end};
}

static void random_query(struct fixture *f, struct log_query *query,
                         struct attr_match *wish, struct slice *words)
{
    const struct log_record *some = &f->logs[test_random(f->count)];

    *query = (struct log_query){.end_ns = UINT64_MAX};
    if (test_random(5) == 0) {
        struct bitmap *set = bitmap_new(&f->arena, 100);

        bitmap_add(set, 7);
        bitmap_add(set, 14);
        query->resources = set;
    }
    if (test_random(5) == 0) {
        query->start_ns = some->time_ns;
        query->end_ns = query->start_ns + test_random(900000000);
    }
    query->events = test_random(6) == 0;
    if (test_random(5) == 0)
        query->levels = test_random(1 << LEVEL_COUNT);
    if (test_random(2))
        query->phrase = random_phrase(f);
    query->words = words;
    query->word_count = test_random(3);
    for (uint32_t i = 0; i < query->word_count; i++)
        words[i] = random_query_word(f);
    query->attrs = wish;
    query->attr_count = test_random(6) == 0;
    random_wish(&f->arena, wish);
    query->any = wish + 1;
    query->any_count = test_random(3) ? 0 : test_random(3);
    for (uint32_t i = 0; i < query->any_count; i++)
        random_wish(&f->arena, wish + 1 + i);
    if (test_random(9) == 0)
        query->trace_id = some->trace_id;
    if (test_random(9) == 0)
        query->span_id = some->span_id;
}

static void check_query(struct fixture *f, const struct log_query *query)
{
    uint64_t *rows, matches = 0, want = 0;
    struct slice summary = buf_slice(&f->summary);

    if (!CHECK_EQ(block_match_logs(f->block, query, &rows, &matches), OK))
        return;
    for (uint32_t row = 0; row < f->count; row++) {
        bool in = match_log(f->at[row], query);

        want += in;
        if ((rows[row / 64] >> (row & 63) & 1) == in)
            continue;
        CHECK_EQ(in, !in);
        printf("# row %u phrase [%.*s] body [%.*s]\n", row,
               (int)query->phrase.len, query->phrase.ptr,
               (int)attr_text(&f->at[row]->body).len,
               attr_text(&f->at[row]->body).ptr);
    }
    CHECK_EQ(matches, want);
    if (want == 0)
        return;
    CHECK(summary_may_have_phrase(summary, query->phrase));
    for (uint32_t i = 0; i < query->word_count; i++)
        CHECK(summary_may_have_word(summary, query->words[i]));
    if (query->trace_id && !id_is_zero(query->trace_id, 16))
        CHECK(summary_may_have_trace(summary, query->trace_id));
}

TEST(queries_match_as_in_memory)
{
    for (int round = 0; round < 6; round++) {
        struct fixture f;
        struct log_query query;
        struct attr_match wish[4];
        struct slice words[3];

        setup(&f, round == 0 ? 70 : 1500);
        encode(&f);
        for (int i = 0; i < 250; i++) {
            random_query(&f, &query, wish, words);
            check_query(&f, &query);
        }
        teardown(&f);
    }
}

TEST(counts_by_level_are_in_the_summary)
{
    struct fixture f;
    struct bitmap *set;
    uint64_t counts[LEVEL_COUNT], want[LEVEL_COUNT] = {0};

    setup(&f, 900);
    encode(&f);
    set = bitmap_new(&f.arena, 100);
    bitmap_add(set, 14);
    bitmap_add(set, 77);
    for (uint32_t i = 0; i < f.count; i++)
        if (bitmap_has(set, f.at[i]->resource_id))
            want[f.at[i]->level]++;
    CHECK(summary_counts(buf_slice(&f.summary), set, counts));
    for (int level = 0; level < LEVEL_COUNT; level++)
        CHECK_EQ(counts[level], want[level]);
    for (size_t i = 0; i < f.summary.len; i += 7) {
        f.summary.ptr[i] ^= 1;
        CHECK(!summary_counts(buf_slice(&f.summary), set, counts));
        CHECK(summary_may_have_word(buf_slice(&f.summary), SLICE("anything")));
        f.summary.ptr[i] ^= 1;
    }
    teardown(&f);
}

static enum status read_all(struct slice bytes, struct arena *arena)
{
    struct block *block;
    struct log_record log;
    enum status status = block_open(&block, bytes, arena);

    for (uint32_t row = 0; status == OK && row < block_count(block); row++)
        status = block_read_log(block, row, &log);
    return status;
}

TEST(each_altered_byte_is_noticed)
{
    struct fixture f;

    setup(&f, 60);
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
    CHECK_EQ(read_all(buf_slice(&f.bytes), &f.reading), OK);
    teardown(&f);
}

/* A block from before arrival was kept. */
TEST(rows_of_an_older_block_count_from_a_number)
{
    char text[1 << 16];
    FILE *file = fopen("tests/golden/blocks/v1/logs.blk", "rb");
    struct block *block;
    struct log_record log;
    const uint64_t *arrivals;
    struct arena arena;

    if (!CHECK(file != NULL))
        return;
    size_t len = fread(text, 1, sizeof(text), file);
    fclose(file);
    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(block_open(&block, (struct slice){text, len}, &arena), OK);
    block_set_first_arrival(block, log_arrival(7, 0));
    CHECK_EQ(block_arrivals(block, &arrivals), OK);
    for (uint32_t i = 0; i < block_count(block); i++) {
        CHECK_EQ(block_read_log(block, i, &log), OK);
        CHECK(arrivals[i] == log_arrival(7, i) && log.arrival == arrivals[i]);
    }
    arena_release(&arena);
}
