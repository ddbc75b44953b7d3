/* Simple case folding, and words found by it in memory, blocks and filters. */
#include "case_fold.h"

#include <stdio.h>

#include "block.h"
#include "hash.h"
#include "test.h"

static uint32_t first(const char *text)
{
    const uint8_t *p = (const uint8_t *)text;

    return fold_next(&p, p + strlen(text));
}

TEST(equal_letters)
{
    static const char *const rows[][2] = {
        {"A", "a"},
        {"\303\211", "\303\251"},                 /* E acute */
        {"\303\204", "\303\244"},                 /* A diaeresis */
        {"\316\243", "\317\203"},                 /* sigma */
        {"\317\202", "\317\203"},                 /* final sigma */
        {"\320\226", "\320\266"},                 /* Cyrillic zhe */
        {"\320\201", "\321\221"},                 /* io */
        {"\305\277", "s"},                        /* long s */
        {"\342\204\252", "k"},                    /* Kelvin */
        {"\341\272\236", "\303\237"},             /* sharp s */
        {"\302\265", "\316\274"},                 /* micro, mu */
        {"\310\272", "\342\261\245"},             /* A with stroke */
        {"\325\204", "\325\264"},                 /* Armenian */
        {"\360\220\220\200", "\360\220\220\250"}, /* Deseret */
        {"\304\260", "\304\260"},                 /* dotted I */
        {"\304\261", "\304\261"},                 /* dotless i */
        {"\305\270", "\303\277"},                 /* Y diaeresis */
        {"\304\200", "\304\201"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (!CHECK_EQ(first(rows[i][0]), first(rows[i][1])))
            printf("# %s %s\n", rows[i][0], rows[i][1]);
    CHECK(first("\304\260") != first("i"));
    CHECK(first("\304\261") != first("i"));
    CHECK(first("\303\237") != first("s"));
    CHECK(first("\303\227") != first("\303\267")); /* multiply, divide */
}

/* A folded character is folded; what is no UTF-8 is read byte by byte. */
TEST(folding_again_changes_nothing)
{
    for (uint32_t c = 0; c < 0x110000; c++) {
        uint8_t text[4], again[4];
        const uint8_t *p = text;
        size_t len = fold_put(c, text);
        uint32_t once = fold_next(&p, text + len);

        if (c >= 0xd800 && c < 0xe000)
            continue;
        CHECK_EQ(p - text, len);
        len = fold_put(once, again);
        p = again;
        if (!CHECK_EQ(fold_next(&p, again + len), once))
            break;
        if (!CHECK(len <= fold_put(c, text) + fold_put(c, text) / 2 + 1))
            break;
    }
    for (int i = 0; i < 10000; i++) {
        uint8_t text[12], out[FOLD_ROOM(12)];
        size_t len = 1 + test_random(12);
        const uint8_t *p = text;

        for (size_t k = 0; k < len; k++)
            text[k] = (uint8_t)(0x80 | test_random(128));
        CHECK(fold_text((struct slice){(char *)text, len}, (char *)out) <=
              sizeof(out));
        while (p < text + len)
            fold_next(&p, text + len);
        CHECK(p == text + len);
    }
}

/* ---- words ---- */

struct block_of_lines {
    struct buf block, summary;
    struct log_record logs[40];
};

static void write_lines(struct block_of_lines *lines, const char *const *text,
                        uint32_t count)
{
    struct block_writer *writer = block_writer_new();
    const struct log_record *at[40];
    struct block_meta meta;

    buf_init(&lines->block, SIZE_MAX);
    buf_init(&lines->summary, SIZE_MAX);
    memset(lines->logs, 0, sizeof(lines->logs));
    for (uint32_t i = 0; i < 40; i++) {
        const char *body = text[i % count];

        lines->logs[i].time_ns = i + 1;
        lines->logs[i].body = (struct attr){.key = "",
                                            .type = VALUE_STRING,
                                            .str = body,
                                            .len = (uint32_t)strlen(body)};
        at[i] = &lines->logs[i];
    }
    CHECK_EQ(
        block_write_logs(writer, at, 40, &lines->block, &lines->summary, &meta),
        OK);
    block_writer_free(writer);
}

static void release(struct block_of_lines *lines)
{
    buf_release(&lines->block);
    buf_release(&lines->summary);
}

/* How many of the 40 lines have the word; the same everywhere. */
static uint32_t found(struct block_of_lines *lines, const char *word)
{
    struct slice words[] = {slice_of(word)};
    struct log_query query = {
        .end_ns = UINT64_MAX, .words = words, .word_count = 1};
    uint64_t matches = 0, *rows;
    struct block *block;
    struct arena arena;
    uint32_t count = 0;

    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t i = 0; i < 40; i++)
        count += match_log(&lines->logs[i], &query);
    CHECK_EQ(block_open(&block, buf_slice(&lines->block), &arena), OK);
    CHECK_EQ(block_match_logs(block, &query, &rows, &matches), OK);
    CHECK_EQ(matches, count);
    if (count > 0)
        CHECK(summary_may_have_word(buf_slice(&lines->summary), words[0]));
    arena_release(&arena);
    return count;
}

static void as_version_1(struct buf *summary)
{
    uint32_t sum;

    summary->ptr[4] = 1;
    sum = (uint32_t)hash_bytes(summary->ptr + 4, summary->len - 4, 0);
    for (unsigned i = 0; i < 4; i++)
        summary->ptr[i] = (char)(uint8_t)(sum >> 8 * i);
}

/* In constant text, in a variable that is a text, in lines of few rows. */
static const char *const lines[] = {
    "\303\211CHEC de la requ\303\252te 17",
    "\303\251chec de la requ\303\252te 18",
    "user=\320\226\320\260\320\275\320\2751 Stra\303\237e 5",
    "\316\237\316\224\316\237\316\243 4711",
    "\316\277\316\264\316\277\317\202 x\305\277",
    "300 \342\204\252elvin",
    "\304\260stanbul d\304\261\305\237",
};

TEST(words_without_case)
{
    struct block_of_lines block;

    write_lines(&block, lines, 7);
    CHECK_EQ(found(&block, "\303\251chec"), 12);
    CHECK_EQ(found(&block, "\303\211chec"), 12);
    CHECK_EQ(found(&block, "requ\303\212te"), 12);
    CHECK_EQ(found(&block, "\320\266\320\260\320\235\320\2351"), 6);
    CHECK_EQ(found(&block, "stra\341\272\236e"), 6);
    CHECK_EQ(found(&block, "strasse"), 0);
    CHECK_EQ(found(&block, "\316\277\316\264\316\277\317\202"), 12);
    CHECK_EQ(found(&block, "\316\277\316\264\316\277\317\203"), 12);
    CHECK_EQ(found(&block, "XS"), 6);
    CHECK_EQ(found(&block, "kelvin"), 5);
    CHECK_EQ(found(&block, "\342\204\252ELVIN"), 5);
    CHECK_EQ(found(&block, "istanbul"), 0);
    CHECK_EQ(found(&block, "\304\260STANBUL"), 5);
    CHECK_EQ(found(&block, "d\304\261\305\236"), 5);
    CHECK_EQ(found(&block, "4711"), 6);
    CHECK_EQ(found(&block, "\303"), 0);
    CHECK_EQ(found(&block, ""), 0);
    release(&block);
}

/* Every line's words, in any case, are found, and denied by no filter. */
TEST(no_filter_denies_a_word_in_another_case)
{
    struct block_of_lines block;
    uint32_t runs[][2] = {{0xc0, 0x17f},
                          {0x370, 0x3ff},
                          {0x400, 0x52f},
                          {0x1e00, 0x1fff},
                          {0x2c60, 0x2c7f}};

    for (int round = 0; round < 200; round++) {
        static char text[8][64];
        const char *at[8];

        for (int i = 0; i < 8; i++) {
            size_t len = 0;

            for (int k = 0; k < 4 + (int)test_random(4); k++) {
                const uint32_t *run = runs[test_random(5)];

                len += fold_put(run[0] + test_random(run[1] - run[0] + 1),
                                (uint8_t *)text[i] + len);
            }
            text[i][len] = '\0';
            at[i] = text[i];
        }
        write_lines(&block, at, 8);
        for (int i = 0; i < 8; i++) {
            char folded[FOLD_ROOM(64)];
            size_t len = fold_text(slice_of(text[i]), folded);

            folded[len] = '\0';
            CHECK(found(&block, folded) >= 5);
            CHECK(found(&block, text[i]) >= 5);
        }
        release(&block);
    }
}

/* Filters of version 1 did not fold: they deny no word outside of ASCII. */
TEST(filters_of_version_1)
{
    struct block_of_lines block;

    write_lines(&block, lines, 7);
    as_version_1(&block.summary);
    CHECK(summary_may_have_word(buf_slice(&block.summary),
                                SLICE("\303\251chec")));
    CHECK(summary_may_have_word(buf_slice(&block.summary), SLICE("\303\251x")));
    CHECK(summary_may_have_word(buf_slice(&block.summary), SLICE("USER")));
    CHECK(!summary_may_have_word(buf_slice(&block.summary), SLICE("nowhere")));
    CHECK(summary_may_have_phrase(buf_slice(&block.summary),
                                  SLICE(" de la requ\303\252te ")));
    release(&block);
}
