#include "byte_reader.h"

#include "test.h"

static const uint64_t numbers[] = {
    0,          1,         127,
    128,        300,       UINT32_MAX,
    UINT64_MAX, INT64_MAX, (uint64_t)INT64_MAX + 1,
};
enum { COUNT = sizeof(numbers) / sizeof(numbers[0]) };

TEST(reads_what_buf_writes)
{
    struct buf buf;
    struct byte_reader in;

    buf_init(&buf, 4096);
    for (int i = 0; i < COUNT; i++) {
        buf_varint(&buf, numbers[i]);
        buf_varint(&buf, zigzag((int64_t)numbers[i]));
        buf_fixed(&buf, numbers[i], 8);
        buf_fixed(&buf, numbers[i], 3);
        buf_sized(&buf, SLICE("text"));
        buf_byte(&buf, '\xff');
    }
    in = byte_reader_over(buf_slice(&buf));
    for (int i = 0; i < COUNT; i++) {
        CHECK(byte_reader_varint(&in) == numbers[i]);
        CHECK(byte_reader_zigzag(&in) == (int64_t)numbers[i]);
        CHECK(byte_reader_fixed(&in, 8) == numbers[i]);
        CHECK_EQ(byte_reader_fixed(&in, 3), numbers[i] & 0xffffff);
        CHECK_TEXT(byte_reader_slice(&in), "text");
        CHECK_EQ(byte_reader_u8(&in), 255);
    }
    CHECK_EQ(byte_reader_left(&in), 0);
    CHECK(!in.bad);
    buf_release(&buf);
}

/* Each cut of a valid text is an error, and nothing is read past it. */
TEST(reading_past_the_end_is_an_error_that_stays)
{
    struct buf buf;

    buf_init(&buf, 4096);
    buf_varint(&buf, 300);
    buf_fixed(&buf, 7, 4);
    buf_sized(&buf, SLICE("text"));
    for (size_t len = 0; len <= buf.len; len++) {
        char copy[64];
        struct byte_reader in = byte_reader_over((struct slice){copy, len});

        memcpy(copy, buf.ptr, len);
        (void)byte_reader_varint(&in);
        (void)byte_reader_fixed(&in, 4);
        (void)byte_reader_slice(&in);
        CHECK_EQ(in.bad, len < buf.len);
        if (in.bad) {
            CHECK_EQ(byte_reader_u8(&in), 0);
            CHECK_EQ(byte_reader_slice(&in).len, 0);
            CHECK_EQ(byte_reader_left(&in), 0);
        }
    }
    buf_release(&buf);
}

TEST(a_varint_has_at_most_64_bits)
{
    struct byte_reader in = byte_reader_over(
        SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));

    CHECK_EQ(byte_reader_varint(&in), 0);
    CHECK(in.bad);
}

TEST(a_length_beyond_the_end_is_an_error)
{
    struct byte_reader in =
        byte_reader_over(SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01 abc"));

    CHECK_EQ(byte_reader_slice(&in).len, 0);
    CHECK(in.bad);
}

TEST(varints_that_are_none_are_errors)
{
    static const char *const bad[] = {
        "\x80", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
        "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"};

    for (int i = 0; i < 3; i++) {
        struct byte_reader in = byte_reader_over(slice_of(bad[i]));

        CHECK_EQ(byte_reader_varint(&in), 0);
        CHECK(in.bad);
        CHECK_EQ(byte_reader_varint(&in), 0);
    }
}
