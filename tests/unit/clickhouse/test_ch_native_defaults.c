/*
 * What a block sends of columns with defaults, read by hand: nothing of a
 * column that has nothing else, and the rows before and after another value.
 */
#include "byte_reader.h"
#include "ch_native.h"
#include "test.h"

static const struct ch_column_def columns[] = {{"N", "UInt16"},
                                               {"S", "String"},
                                               {"L", "LowCardinality(String)"},
                                               {"A", "Array(UInt8)"},
                                               {"F", "FixedString(2)"}};
enum { N, S, L, A, F, COLUMNS };

static void take(void *arg, struct slice bytes)
{
    buf_add(arg, bytes);
}

static struct byte_reader written(struct ch_native *native, struct buf *bytes)
{
    buf_init(bytes, SIZE_MAX);
    ch_native_write(native, take, bytes);
    return byte_reader_over(buf_slice(bytes));
}

static void check_column(struct byte_reader *in, const char *name,
                         const char *type, struct slice data)
{
    CHECK_TEXT(byte_reader_slice(in), name);
    CHECK_TEXT(byte_reader_slice(in), type);
    CHECK(slice_equal(byte_reader_bytes(in, data.len), data));
}

TEST(a_column_of_defaults_is_left_out)
{
    struct ch_native *native = ch_native_new(columns, COLUMNS, NULL);
    struct buf bytes;
    struct byte_reader in;

    for (int i = 0; i < 3; i++) { /* puts that say nothing */
        ch_put_uint(ch_native_column(native, N), 0);
        ch_put_string(ch_native_column(native, L), SLICE(""));
        if (i == 1)
            ch_put_string(ch_native_column(native, S), SLICE("s"));
        ch_native_row(native);
    }
    in = written(native, &bytes);
    CHECK_EQ(byte_reader_varint(&in), 1);
    CHECK_EQ(byte_reader_varint(&in), 3);
    check_column(&in, "S", "String", SLICE("\0\1s\0"));
    CHECK(!in.bad && byte_reader_left(&in) == 0);
    buf_release(&bytes);
    ch_native_free(native);
}

TEST(a_block_of_defaults_alone_has_one_column)
{
    struct ch_native *native = ch_native_new(columns, COLUMNS, NULL);
    struct buf bytes;
    struct byte_reader in;

    ch_native_row(native);
    ch_native_row(native);
    in = written(native, &bytes);
    CHECK_EQ(byte_reader_varint(&in), 1);
    CHECK_EQ(byte_reader_varint(&in), 2);
    check_column(&in, "N", "UInt16", SLICE("\0\0\0\0"));
    CHECK(!in.bad && byte_reader_left(&in) == 0);
    buf_release(&bytes);
    ch_native_free(native);
}

/* Row 2 of four has a value of each column, row 3 the same once more. */
TEST(rows_before_and_after_have_the_default)
{
    static const char low[] = "\1\0\0\0\0\0\0\0" /* version */
                              "\0\6\0\0\0\0\0\0" /* flags */
                              "\2\0\0\0\0\0\0\0" /* texts */
                              "\0\2lo"
                              "\4\0\0\0\0\0\0\0"
                              "\0\1\1\0";
    static const char array[] = "\0\0\0\0\0\0\0\0"
                                "\2\0\0\0\0\0\0\0"
                                "\4\0\0\0\0\0\0\0"
                                "\4\0\0\0\0\0\0\0"
                                "\7\0\7\0";
    struct ch_native *native = ch_native_new(columns, COLUMNS, NULL);
    struct buf bytes;
    struct byte_reader in;

    for (int round = 0; round < 2; round++) { /* used again */
        ch_native_row(native);
        ch_put_uint(ch_native_column(native, N), 0x102);
        ch_put_string(ch_native_column(native, S), SLICE("s"));
        ch_put_string(ch_native_column(native, L), SLICE("lo"));
        ch_put_uint(ch_element(ch_native_column(native, A)), 7);
        ch_put_uint(ch_element(ch_native_column(native, A)), 0);
        ch_put_string(ch_native_column(native, F), SLICE("fx"));
        ch_native_row(native);
        ch_put_again(ch_native_column(native, N));
        ch_put_again(ch_native_column(native, L));
        ch_put_again(ch_native_column(native, A));
        ch_put_again(ch_native_column(native, F));
        ch_native_row(native);
        ch_native_row(native);
        in = written(native, &bytes);
        CHECK_EQ(byte_reader_varint(&in), COLUMNS);
        CHECK_EQ(byte_reader_varint(&in), 4);
        check_column(&in, "N", "UInt16", SLICE("\0\0\2\1\2\1\0\0"));
        check_column(&in, "S", "String", SLICE("\0\1s\0\0"));
        check_column(&in, "L", "LowCardinality(String)",
                     (struct slice){low, sizeof(low) - 1});
        check_column(&in, "A", "Array(UInt8)",
                     (struct slice){array, sizeof(array) - 1});
        check_column(&in, "F", "FixedString(2)", SLICE("\0\0fxfx\0\0"));
        CHECK(!in.bad && byte_reader_left(&in) == 0);
        buf_release(&bytes);
        ch_native_reset(native);
    }
    ch_native_free(native);
}
