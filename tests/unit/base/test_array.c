#include "array.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

enum { MANY = 5000 };

TEST(elements_are_zero_until_they_are_used)
{
    uint32_t *numbers = NULL, count = 0;

    for (uint32_t i = 0; i < 2000; i++) {
        uint32_t index = test_random(1 + 40 * i);
        uint32_t *number = array_at(&numbers, &count, index);

        CHECK(index < count);
        CHECK(number == &numbers[index]);
        CHECK(*number == 0 || *number == index + 1);
        *number = index + 1;
    }
    for (uint32_t i = 0; i < count; i++)
        CHECK(numbers[i] == 0 || numbers[i] == i + 1);
    free(numbers);
}

TEST(appended_elements_stay)
{
    uint32_t *list = NULL, count = 0, room = 0;

    for (uint32_t i = 0; i < MANY; i++) {
        *(uint32_t *)array_append(&list, count, &room) = i;
        count++;
        CHECK(room >= count);
    }
    for (uint32_t i = 0; i < count; i++)
        if (!CHECK_EQ(list[i], i))
            break;
    free(list);
}

TEST(reserved_room_keeps_elements)
{
    uint32_t *list = NULL, room = 0;

    array_reserve(&list, 3, &room);
    list[2] = 7;
    array_reserve(&list, MANY, &room);
    CHECK(room >= MANY);
    CHECK_EQ(list[2], 7);
    array_reserve(&list, 1, &room); /* never smaller */
    CHECK(room >= MANY);
    free(list);
}

/* The element is not counted: the caller changed its mind. However often that
 * happens, array and room belong together. */
TEST(elements_that_are_not_counted_are_handed_out_again)
{
    struct arena arena;
    uint32_t count = 0, room = 0;
    struct {
        uint64_t value[11];
    } *list = NULL, *at;

    arena_init(&arena, NULL, SIZE_MAX);
    while (count < MANY) {
        at = arena_append(&arena, &list, count, &room);
        if (!CHECK(at == &list[count]))
            break;
        memset(at, 0xff, sizeof(*at)); /* ASan: is it ours? */
        if (test_random(2))
            continue;
        at->value[0] = count++;
    }
    for (uint32_t i = 0; i < count; i++)
        if (!CHECK_EQ(list[i].value[0], i))
            break;
    arena_release(&arena);
}

TEST(full_arena_leaves_the_array_as_it_was)
{
    struct arena arena;
    uint64_t *list = NULL, *at;
    uint32_t count = 0, room = 0;

    arena_init(&arena, NULL, 64 * 1024);
    while ((at = arena_append(&arena, &list, count, &room)))
        *at = count++;
    CHECK(count > 0);
    CHECK_EQ(count, room);
    for (uint32_t i = 0; i < count; i++)
        if (!CHECK_EQ(list[i], i))
            break;
    CHECK(!arena_append(&arena, &list, count, &room));
    arena_release(&arena);
}

TEST(elements_in_an_arena_are_zero_until_they_are_set)
{
    struct arena arena;
    uint64_t *list = NULL, *at;
    uint32_t room = 0, last = 0;

    arena_init(&arena, NULL, 64 * 1024);
    for (uint32_t index = 0; (at = arena_at(&arena, &list, &room, index));
         index += 3) {
        CHECK(at == &list[index] && *at == 0);
        *at = last = index + 1;
    }
    CHECK(last > 100);
    for (uint32_t i = 0; i < last; i++)
        if (!CHECK_EQ(list[i], i % 3 == 0 ? i + 1 : 0))
            break;
    CHECK(!arena_at(&arena, &list, &room, UINT32_MAX));
    arena_release(&arena);
}
