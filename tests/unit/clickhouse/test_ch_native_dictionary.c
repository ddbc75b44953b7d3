/*
 * LowCardinality columns as they are sent, read by hand: few texts, more than a
 * byte and more than two bytes number, in maps and arrays, and none.
 */
#include <stdio.h>
#include <stdlib.h>

#include "byte_reader.h"
#include "ch_native.h"
#include "test.h"

static void take(void *arg, struct slice bytes)
{
    buf_add(arg, bytes);
}

/* The block's bytes after the name and the type of its only column. */
static struct byte_reader written(struct ch_native *native, struct buf *bytes,
                                  uint64_t rows, const char *type)
{
    struct byte_reader in;

    buf_init(bytes, SIZE_MAX);
    ch_native_write(native, take, bytes);
    in = byte_reader_over(buf_slice(bytes));
    CHECK_EQ(byte_reader_varint(&in), 1);
    CHECK_EQ(byte_reader_varint(&in), rows);
    CHECK_TEXT(byte_reader_slice(&in), "x");
    CHECK_TEXT(byte_reader_slice(&in), type);
    return in;
}

enum { TEXT = 16 };

static struct slice text_of(char text[TEXT], uint32_t number)
{
    snprintf(text, TEXT, "t%u", number);
    return slice_of(text);
}

/* Numbers of `count` values, and where the texts are. */
static size_t read_head(struct byte_reader *in, uint64_t count, uint64_t texts,
                        const char **first)
{
    uint64_t flags = byte_reader_fixed(in, 8);
    size_t width = (size_t)1 << (flags & 0xff);

    CHECK_EQ(flags & ~UINT64_C(0xff), 0x600);
    CHECK_EQ(byte_reader_fixed(in, 8), texts);
    *first = in->at;
    for (uint64_t i = 0; i < texts; i++)
        (void)byte_reader_slice(in);
    CHECK_EQ(byte_reader_fixed(in, 8), count);
    CHECK_EQ(byte_reader_left(in) >= count * width, true);
    return width;
}

static void check_texts(uint32_t distinct, uint32_t rows, size_t wanted_width)
{
    static const struct ch_column_def def[] = {{"x", "LowCardinality(String)"}};
    struct ch_native *native = ch_native_new(def, 1, NULL);
    struct slice *texts;
    struct byte_reader in;
    const char *first;
    struct buf bytes;
    size_t width;
    bool good = true;

    for (uint32_t i = 0; i < rows; i++) {
        char text[TEXT];

        ch_put_string(ch_native_column(native, 0),
                      text_of(text, i * 7 % distinct));
        ch_native_row(native);
    }
    in = written(native, &bytes, rows, "LowCardinality(String)");
    CHECK_EQ(byte_reader_fixed(&in, 8), 1);
    width = read_head(&in, rows, distinct + 1, &first);
    CHECK_EQ(width, wanted_width);
    texts = malloc((distinct + 1) * sizeof(*texts));
    struct byte_reader list = {first, in.end, false};
    for (uint32_t i = 0; i <= distinct; i++)
        texts[i] = byte_reader_slice(&list);
    CHECK_EQ(texts[0].len, 0);
    for (uint32_t i = 0; i < rows; i++) {
        char text[TEXT];
        uint64_t number = byte_reader_fixed(&in, width);

        good = good && number <= distinct &&
               slice_equal(texts[number], text_of(text, i * 7 % distinct));
    }
    CHECK(good);
    CHECK_EQ(byte_reader_left(&in), 0);
    free(texts);
    buf_release(&bytes);
    ch_native_free(native);
}

TEST(numbers_are_as_wide_as_needed)
{
    check_texts(3, 100, 1);
    check_texts(255, 1000, 1);
    check_texts(256, 1000, 2);
    check_texts(65535, 65535, 2);
    check_texts(65536, 70000, 4);
}

TEST(texts_of_maps_follow_the_counts)
{
    static const struct ch_column_def def[] = {
        {"x", "Map(LowCardinality(String), LowCardinality(String))"}};
    struct ch_native *native = ch_native_new(def, 1, NULL);
    struct ch_column *map = ch_native_column(native, 0);
    const char *first;
    struct buf bytes;
    struct byte_reader in;

    for (int round = 0; round < 2; round++) { /* the second after a reset */
        ch_put_string(ch_key(map), SLICE("k"));
        ch_put_string(ch_value(map), SLICE("v"));
        ch_native_row(native);
        ch_native_row(native); /* an empty one, twice */
        ch_put_again(map);
        ch_native_row(native);
        ch_put_string(ch_key(map), SLICE("k"));
        ch_put_string(ch_value(map), SLICE("w"));
        ch_put_string(ch_key(map), SLICE("new"));
        ch_put_string(ch_value(map), SLICE(""));
        ch_native_row(native);
        ch_put_again(map);
        ch_native_row(native);
        in = written(native, &bytes, 5,
                     "Map(LowCardinality(String), LowCardinality(String))");
        CHECK_EQ(byte_reader_fixed(&in, 8), 1); /* versions */
        CHECK_EQ(byte_reader_fixed(&in, 8), 1);
        CHECK_EQ(byte_reader_fixed(&in, 8), 1); /* counts */
        CHECK_EQ(byte_reader_fixed(&in, 8), 1);
        CHECK_EQ(byte_reader_fixed(&in, 8), 1);
        CHECK_EQ(byte_reader_fixed(&in, 8), 3);
        CHECK_EQ(byte_reader_fixed(&in, 8), 5);
        CHECK_EQ(read_head(&in, 5, 3, &first), 1);
        CHECK_TEXT(byte_reader_bytes(&in, 5), "\x01\x01\x02\x01\x02");
        CHECK_EQ(read_head(&in, 5, 3, &first), 1);
        CHECK(slice_equal(byte_reader_bytes(&in, 5),
                          SLICE("\x01\x02\x00\x02\x00")));
        CHECK(!in.bad && byte_reader_left(&in) == 0);
        buf_release(&bytes);
        ch_native_reset(native);
    }
    ch_native_free(native);
}

TEST(without_values_only_the_version_is_sent)
{
    static const struct ch_column_def def[] = {
        {"x", "Array(LowCardinality(String))"}};
    struct ch_native *native = ch_native_new(def, 1, NULL);
    struct buf bytes;
    struct byte_reader in;

    ch_native_row(native);
    in = written(native, &bytes, 1, "Array(LowCardinality(String))");
    CHECK_EQ(byte_reader_fixed(&in, 8), 1);
    CHECK_EQ(byte_reader_fixed(&in, 8), 0);
    CHECK(!in.bad && byte_reader_left(&in) == 0);
    buf_release(&bytes);
    ch_native_free(native);
}

TEST(its_memory_is_charged)
{
    static const struct ch_column_def def[] = {{"x", "LowCardinality(String)"}};
    struct budget budget;
    struct ch_native *native;

    budget_init(&budget, 1 << 12);
    native = ch_native_new(def, 1, &budget);
    for (uint32_t i = 0; i < 5000; i++) {
        char text[TEXT];

        ch_put_string(ch_native_column(native, 0), text_of(text, i));
        ch_native_row(native);
    }
    CHECK_EQ(ch_native_status(native), ERR_BUSY);
    ch_native_reset(native);
    ch_put_string(ch_native_column(native, 0), SLICE("again"));
    ch_native_row(native);
    CHECK_EQ(ch_native_status(native), OK);
    ch_native_free(native);
    CHECK_EQ(budget_used(&budget), 0);
}
