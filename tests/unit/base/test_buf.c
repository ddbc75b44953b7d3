#include "buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

TEST(bytes_in_order)
{
    static const char want[] = "abc\x04\x03\x02\x01\x08\x07\x06\x05\x04\x03"
                               "\x02\x01!";
    struct buf buf;

    buf_init(&buf, 1000);
    buf_add(&buf, SLICE("abc"));
    buf_fixed(&buf, 0x01020304, 4);
    buf_fixed(&buf, UINT64_C(0x0102030405060708), 8);
    buf_byte(&buf, '!');
    buf_add(&buf, (struct slice){NULL, 0});
    CHECK(slice_equal(buf_slice(&buf), SLICE(want)));
    CHECK_EQ(buf.status, OK);
    buf_release(&buf);
}

static uint64_t read_varint(struct slice s, size_t *len)
{
    uint64_t v = 0;

    *len = 0;
    for (unsigned shift = 0; *len < s.len; shift += 7) {
        unsigned char byte = (unsigned char)s.ptr[(*len)++];

        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    return v;
}

TEST(varints_read_back)
{
    struct buf buf;
    size_t len;

    buf_init(&buf, 1000);
    for (int i = 0; i < 10000; i++) {
        uint64_t v = test_random64() >> test_random(64);

        buf_reset(&buf);
        buf_varint(&buf, v);
        CHECK(read_varint(buf_slice(&buf), &len) == v);
        CHECK_EQ(len, buf.len);
    }
    buf_reset(&buf);
    buf_varint(&buf, 0);
    buf_varint(&buf, 127);
    buf_varint(&buf, 128);
    buf_varint(&buf, UINT64_MAX);
    CHECK_EQ(buf.len, 1 + 1 + 2 + 10);
    buf_release(&buf);
}

TEST(zigzag_is_small_for_small_and_reads_back)
{
    CHECK_EQ(zigzag(0), 0);
    CHECK_EQ(zigzag(-1), 1);
    CHECK_EQ(zigzag(1), 2);
    CHECK(zigzag(INT64_MIN) == UINT64_MAX);
    for (int i = 0; i < 10000; i++) {
        int64_t v = (int64_t)(test_random64() >> test_random(64));

        CHECK(unzigzag(zigzag(v)) == v);
        CHECK(unzigzag(zigzag(-v)) == -v);
    }
}

TEST(grows_up_to_the_cap_and_then_sticks)
{
    struct buf buf;
    size_t len;
    char *bytes;

    buf_init(&buf, 1000);
    for (int i = 0; i < 100; i++)
        buf_add(&buf, SLICE("0123456789"));
    CHECK_EQ(buf.len, 1000);
    CHECK_EQ(buf.status, OK);
    buf_byte(&buf, 'x');
    CHECK_EQ(buf.status, ERR_TOO_BIG);
    CHECK_EQ(buf.len, 1000);
    CHECK(buf.room <= 1000);
    CHECK(!buf_room(&buf, 0)); /* sticky */

    buf_reset(&buf);
    buf_add(&buf, SLICE("again"));
    CHECK_TEXT(buf_slice(&buf), "again");
    CHECK(!buf_room(&buf, 996));
    CHECK(!buf_room(&buf, SIZE_MAX));

    bytes = buf_detach(&buf, &len);
    CHECK_EQ(len, 5);
    CHECK(memcmp(bytes, "again", 5) == 0);
    free(bytes);
    CHECK_EQ(buf.len, 0);
    CHECK_EQ(buf.status, OK);
    CHECK(!buf_detach(&buf, &len));
    buf_release(&buf);
}

TEST(formats_of_any_length)
{
    for (unsigned cap = 1; cap < 700; cap++) {
        char text[600];
        struct buf buf;

        buf_init(&buf, cap);
        memset(text, 'x', sizeof(text));
        text[test_random(sizeof(text))] = '\0';
        text[sizeof(text) - 1] = '\0';
        buf_format(&buf, "%s", text);
        if (strlen(text) <= cap) {
            CHECK_TEXT(buf_slice(&buf), text);
            CHECK_EQ(buf.status, OK);
        } else {
            CHECK_EQ(buf.len, 0);
            CHECK_EQ(buf.status, ERR_TOO_BIG);
        }
        buf_release(&buf);
    }
}

TEST(room_is_written_in_place)
{
    struct buf buf;
    char *to;

    buf_init(&buf, 100000);
    to = buf_room(&buf, 5000);
    if (!CHECK(to))
        return;
    memset(to, 'y', 5000);
    buf_grown(&buf, 3);
    buf_byte(&buf, 'z');
    CHECK_TEXT(buf_slice(&buf), "yyyz");
    buf_release(&buf);
}
