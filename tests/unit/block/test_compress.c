#include "compress.h"

#include <string.h>

#include "test.h"

static void round_trip(struct slice value, bool shorter)
{
    struct arena arena;
    struct buf buf;
    struct slice back = {NULL, 0};

    arena_init(&arena, NULL, SIZE_MAX);
    buf_init(&buf, 1 << 20);
    compress_append(&buf, value);
    CHECK_EQ(buf.status, OK);
    CHECK(shorter ? buf.len < value.len / 2 : buf.len == value.len);
    CHECK_EQ(compress_read(buf_slice(&buf), value.len, &arena, &back), OK);
    CHECK(slice_equal(back, value));
    if (shorter) {
        CHECK_EQ(compress_read(buf_slice(&buf), value.len - 1, &arena, &back),
                 ERR_TOO_BIG);
        for (size_t len = 4; len < buf.len; len++)
            CHECK(compress_read((struct slice){buf.ptr, len}, value.len, &arena,
                                &back) != OK);
    }
    buf_release(&buf);
    arena_release(&arena);
}

TEST(what_is_written_is_read)
{
    char bytes[3000];

    round_trip(SLICE(""), false);
    round_trip(SLICE("short"), false);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)test_random(256);
    round_trip((struct slice){bytes, sizeof(bytes)}, false);
    memset(bytes + 100, 0, sizeof(bytes) - 100);
    round_trip((struct slice){bytes, sizeof(bytes)}, true);
}

TEST(a_frame_that_promises_much_holds_no_memory)
{
    /* Single segment, content size of 8 bytes: 2^40. */
    static const char bomb[] = "\x28\xb5\x2f\xfd\xe0\0\0\0\0\0\1\0\0\1\0\0";
    struct arena arena;
    struct slice back;

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(compress_read((struct slice){bomb, sizeof(bomb) - 1}, 1 << 20,
                           &arena, &back),
             ERR_TOO_BIG);
    CHECK_EQ(arena_size(&arena), 0);
    arena_release(&arena);
}
