#include "bitmap.h"

#include "test.h"

static void compare(uint32_t limit)
{
    bool want[300] = {false};
    uint32_t count = 0;
    struct arena arena;
    struct bitmap *set;

    arena_init(&arena, NULL, SIZE_MAX);
    set = bitmap_new(&arena, limit);
    for (int i = 0; i < 100; i++) {
        uint32_t id = test_random(300);

        count += id < limit && !want[id];
        if (id < limit)
            want[id] = true;
        bitmap_add(set, id);
    }
    bitmap_add(set, UINT32_MAX);
    for (uint32_t id = 0; id < 300; id++)
        CHECK_EQ(bitmap_has(set, id), want[id]);
    CHECK(!bitmap_has(set, UINT32_MAX));
    CHECK_EQ(set->count, count);
    arena_release(&arena);
}

TEST(agrees_with_a_plain_array)
{
    for (uint32_t limit = 0; limit < 300; limit++)
        compare(limit);
}

TEST(an_arena_that_refuses)
{
    struct arena arena;

    arena_init(&arena, NULL, 20000);
    CHECK(!bitmap_new(&arena, 8 * 20000));
    CHECK_EQ(arena_status(&arena), ERR_TOO_BIG);
    arena_release(&arena);
}
