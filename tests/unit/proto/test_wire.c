/*
 * The cursor by hand: limits of numbers and lengths, and that errors stick.
 */
#include "wire.h"

#include "buf.h"
#include "test.h"

static struct wire over(struct slice bytes)
{
    return wire_over(bytes);
}

TEST(an_empty_message_has_no_fields)
{
    struct wire w = wire_over((struct slice){NULL, 0});

    CHECK(!wire_next(&w));
    CHECK_EQ(w.status, OK);
}

/* Every length of a varint, with every bit at the top of it. */
TEST(varints_of_every_length)
{
    for (unsigned shift = 0; shift < 64; shift++) {
        uint64_t v = UINT64_C(1) << shift | (shift > 1);
        struct buf buf;
        struct wire w;

        buf_init(&buf, 64);
        buf_varint(&buf, v);
        w = wire_over(buf_slice(&buf));
        CHECK(wire_varint(&w) == v);
        CHECK(w.at == w.end && w.status == OK);
        w = wire_over((struct slice){buf.ptr, buf.len - 1});
        CHECK(wire_varint(&w) == 0);
        CHECK_EQ(w.status, ERR_MALFORMED);
        buf_release(&buf);
    }
}

TEST(overlong_varints_up_to_ten_bytes)
{
    struct wire w = over(SLICE("\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00"));

    CHECK_EQ(wire_varint(&w), 1);
    CHECK_EQ(w.status, OK);
    w = over(SLICE("\x81\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"));
    CHECK_EQ(wire_varint(&w), 0);
    CHECK_EQ(w.status, ERR_MALFORMED);
}

TEST(signs_and_sizes)
{
    struct wire w = over(SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                               "\x03\xfe\xff\xff\xff\x0f"));

    CHECK_EQ(wire_int32(&w), -1);
    CHECK_EQ(wire_sint32(&w), -2);
    CHECK_EQ(wire_sint32(&w), INT32_MAX);
    w = over(SLICE("\1\2\3\4\5\6\7\x88\1\2\3\x84"
                   "\0\0\0\0\0\0\xf0\xbf"));
    CHECK(wire_fixed64(&w) == UINT64_C(0x8807060504030201));
    CHECK(wire_fixed32(&w) == 0x84030201);
    CHECK(wire_double(&w) == -1.0);
    CHECK(w.at == w.end && w.status == OK);
}

TEST(tags_of_more_than_one_byte)
{
    struct wire w = over(SLICE("\x8a\x00\x01x" /* field 1, overlong */
                               "\x82\x01\x01y" /* field 16 */
                               "\xf8\xff\xff\xff\x0f\x05")); /* 2^29 - 1 */

    CHECK(wire_next(&w) && w.tag == WIRE_LEN(1));
    CHECK_TEXT(wire_bytes(&w), "x");
    CHECK(wire_next(&w) && w.tag == WIRE_LEN(16));
    CHECK_TEXT(wire_bytes(&w), "y");
    CHECK(wire_next(&w) && w.tag == WIRE_VARINT((1u << 29) - 1));
    CHECK_EQ(wire_varint(&w), 5);
    CHECK(!wire_next(&w) && w.status == OK);
    w = over(SLICE("\xf8\xff\xff\xff\x1f\x05"));
    CHECK(!wire_next(&w) && w.status == ERR_MALFORMED);
}

TEST(lengths_beyond_the_end)
{
    static const struct slice cases[] = {
        {"\x01", 1},
        {"\x7f", 1},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
        {"\x80\x80\x80\x80\x10", 5},
        {"", 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wire w = over(cases[i]);

        CHECK_EQ(wire_bytes(&w).len, 0);
        CHECK_EQ(w.status, ERR_MALFORMED);
    }
}

TEST(errors_stick_and_go_up)
{
    struct wire w = over(SLICE("\x0a\x02\x0d\x01\x10\x01"));
    struct wire sub;

    CHECK(wire_next(&w));
    sub = wire_sub(&w);
    CHECK(wire_next(&sub) && sub.tag == WIRE_I32(1));
    CHECK_EQ(wire_fixed32(&sub), 0);
    CHECK(!wire_next(&sub));
    wire_fail(&sub, ERR_TOO_BIG, "a second one");
    CHECK_EQ(sub.status, ERR_MALFORMED);
    wire_join(&w, &sub);
    CHECK(!wire_next(&w));
    CHECK_EQ(w.status, ERR_MALFORMED);
    CHECK_TEXT(slice_of(w.why), "truncated");
}

TEST(groups_are_passed_over_but_not_for_ever)
{
    char bytes[2 * WIRE_MAX_GROUPS + 4];
    struct wire w;

    memset(bytes, 0x0b, sizeof(bytes) / 2);
    memset(bytes + sizeof(bytes) / 2, 0x0c, sizeof(bytes) / 2);
    w = over((struct slice){bytes + 2, sizeof(bytes) - 4});
    CHECK(wire_next(&w));
    wire_skip(&w, 0);
    CHECK(w.status == OK && w.at == w.end);
    w = over((struct slice){bytes, sizeof(bytes)});
    CHECK(wire_next(&w));
    wire_skip(&w, 0);
    CHECK_EQ(w.status, ERR_MALFORMED);
}

TEST(a_run_counts_fields_of_one_tag)
{
    struct wire w = over(SLICE("\x4a\x01x\x4a\x00\x4a\x81\x00y\x4b\x00"));

    CHECK(wire_next(&w));
    CHECK_EQ(wire_run(&w, 100), 3);
    CHECK_EQ(wire_run(&w, 2), 2);
    CHECK_TEXT(wire_bytes(&w), "x"); /* it has not moved */
}
