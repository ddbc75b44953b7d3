#include "block.h"
#include "random_records.h"
#include "test.h"

/* A block of these lines; its summary in out. */
static void summarize(const char *const *lines, uint32_t count, uint32_t times,
                      struct buf *out)
{
    struct block_writer *writer = block_writer_new();
    struct arena arena;
    struct log_record *logs;
    const struct log_record **at;
    struct block_meta meta;
    struct buf block;

    arena_init(&arena, NULL, SIZE_MAX);
    buf_init(&block, SIZE_MAX);
    buf_reset(out);
    logs = arena_zero(&arena, count * times, sizeof(*logs));
    at = arena_zero(&arena, count * times, sizeof(struct log_record *));
    for (uint32_t i = 0; i < count * times; i++) {
        logs[i].body = (struct attr){.key = "",
                                     .type = VALUE_STRING,
                                     .str = lines[i % count],
                                     .len = (uint32_t)strlen(lines[i % count])};
        logs[i].resource_id = i % 3;
        at[i] = &logs[i];
    }
    CHECK_EQ(block_write_logs(writer, at, count * times, &block, out, &meta),
             OK);
    block_writer_free(writer);
    buf_release(&block);
    arena_release(&arena);
}

static const char *const lines[] = {
    "payment authorised for order 4711 amount 12.50 EUR",
    "Timeout calling inventory-service after 3000 ms", "heartbeat"};

TEST(what_is_there_is_never_denied)
{
    struct buf out;

    buf_init(&out, SIZE_MAX);
    for (uint32_t times = 1; times < 20;
         times += 9) { /* few, and by template */
        struct slice s;

        summarize(lines, 3, times, &out);
        s = buf_slice(&out);
        for (int i = 0; i < 3; i++) {
            struct slice line = slice_of(lines[i]);

            for (size_t from = 0; from < line.len; from++)
                for (size_t len = 1; from + len <= line.len; len++)
                    CHECK(summary_may_have_phrase(
                        s, (struct slice){line.ptr + from, len}));
        }
        CHECK(summary_may_have_word(s, SLICE("timeout")));
        CHECK(summary_may_have_word(s, SLICE("TIMEOUT")));
        CHECK(summary_may_have_word(s, SLICE("4711")));
        CHECK(summary_may_have_word(s, SLICE("50")));
        CHECK(summary_may_have_word(s, SLICE("inventory")));
        CHECK(summary_may_have_phrase(s, SLICE("")));
    }
    buf_release(&out);
}

TEST(most_of_what_is_not_there_is_denied)
{
    static const char *const words[] = {"deadlock", "refused",  "kafka",
                                        "4712",     "overflow", "segfault",
                                        "9999999"};
    struct buf out;
    int passed = 0;

    buf_init(&out, SIZE_MAX);
    summarize(lines, 3, 10, &out);
    for (int i = 0; i < 7; i++) {
        passed += summary_may_have_word(buf_slice(&out), slice_of(words[i]));
        passed += summary_may_have_phrase(buf_slice(&out), slice_of(words[i]));
    }
    CHECK(passed <= 3);
    CHECK(out.len < 400);
    buf_release(&out);
}

TEST(words_that_are_none_are_nowhere)
{
    struct buf out;

    buf_init(&out, SIZE_MAX);
    summarize(lines, 3, 10, &out);
    CHECK(!summary_may_have_word(buf_slice(&out), SLICE("")));
    CHECK(!summary_may_have_word(buf_slice(&out), SLICE("order 4711")));
    buf_release(&out);
}

TEST(damage_is_found_by_counts_and_never_hides_a_block)
{
    struct buf out;
    uint64_t counts[LEVEL_COUNT];
    uint8_t trace_id[16] = {1};

    buf_init(&out, SIZE_MAX);
    summarize(lines, 3, 10, &out);
    CHECK(summary_counts(buf_slice(&out), NULL, counts));
    CHECK_EQ(counts[LEVEL_UNSET], 30);
    for (size_t i = 0; i <= out.len; i++) {
        struct slice damaged = {out.ptr, i};

        if (i == out.len) {
            out.ptr[i / 2] ^= 4;
        } else if (i > 0) {
            damaged.len = i;
        }
        CHECK(!summary_counts(damaged, NULL, counts));
        CHECK(summary_may_have_trace(damaged, trace_id));
        CHECK(summary_may_have_word(damaged, SLICE("nowhere")));
        CHECK(summary_may_have_phrase(damaged, SLICE("no where")));
    }
    buf_release(&out);
}
