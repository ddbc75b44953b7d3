#include "map.h"

#include <stdlib.h>

#include "budget.h"
#include "test.h"

enum { MANY = 3000 };

struct pair {
    uint64_t key;
    uint32_t value;
    bool there;
};

static uint32_t find(const struct map *map, const struct pair *pairs,
                     uint64_t key)
{
    map_each(map, map_hash_number(key), at)
        if (pairs[at].key == key)
            return at;
    return MAP_NONE;
}

TEST(an_empty_map_has_nothing)
{
    struct map map = {0};

    CHECK_EQ(find(&map, NULL, 7), MAP_NONE);
    map_clear(&map);
    map_release(&map);
}

/* Against a list, with keys that come, go and come again. */
TEST(agrees_with_a_plain_list)
{
    struct map map = {0};
    struct pair *pairs = calloc(MANY, sizeof(*pairs));
    uint32_t count = 0;

    for (uint32_t i = 0; i < MANY; i++)
        pairs[i].key = (uint64_t)i << test_random(50);
    for (uint32_t i = 1; i < MANY; i++) /* shifted ones may be equal */
        pairs[i].key = pairs[i].key * MANY + i;
    for (int round = 0; round < 10 * MANY; round++) {
        uint32_t at = test_random(MANY);

        CHECK_EQ(find(&map, pairs, pairs[at].key),
                 pairs[at].there ? at : MAP_NONE);
        if (pairs[at].there)
            map_remove(&map, map_hash_number(pairs[at].key), at);
        else
            CHECK(map_add(&map, map_hash_number(pairs[at].key), at));
        pairs[at].there = !pairs[at].there;
        count = pairs[at].there ? count + 1 : count - 1;
        CHECK_EQ(map.count, count);
    }
    for (uint32_t i = 0; i < MANY; i++)
        CHECK_EQ(find(&map, pairs, pairs[i].key),
                 pairs[i].there ? i : MAP_NONE);
    map_clear(&map);
    for (uint32_t i = 0; i < MANY; i++)
        CHECK_EQ(find(&map, pairs, pairs[i].key), MAP_NONE);
    map_release(&map);
    free(pairs);
}

/* All hashes in the last slots, so that every search wraps. */
TEST(searches_wrap_at_the_end)
{
    struct map map = {0};

    CHECK(map_reserve(&map, 8));
    for (uint32_t i = 0; i < 8; i++)
        CHECK(map_add(&map, map.mask - i % 2, i));
    for (uint32_t gone = 0; gone < 8; gone++) {
        uint32_t seen = 0;

        map_remove(&map, map.mask - gone % 2, gone);
        map_each(&map, map.mask, at)
            seen |= 1U << at;
        map_each(&map, map.mask - 1, at)
            seen |= 1U << at;
        CHECK_EQ(seen, 0xffU << (gone + 1) & 0xff);
    }
    map_release(&map);
}

TEST(entries_of_one_key_are_all_found)
{
    struct map map = {0};
    uint32_t sum = 0;

    for (uint32_t i = 0; i < 100; i++)
        CHECK(map_add(&map, 5, i) && map_add(&map, 6, 1000));
    map_each(&map, 5, at)
        sum += at;
    CHECK_EQ(sum, 99 * 100 / 2);
    map_release(&map);
}

TEST(a_full_arena_leaves_the_map_as_it_was)
{
    struct arena arena;
    struct map map = {.arena = &arena};
    struct pair pairs[MANY];
    uint32_t count = 0;

    arena_init(&arena, NULL, 8192);
    for (; count < MANY; count++) {
        pairs[count].key = count;
        if (!map_add(&map, map_hash_number(count), count))
            break;
    }
    CHECK(count > 8 && count < MANY);
    CHECK_EQ(map.count, count);
    for (uint32_t i = 0; i < count; i++)
        CHECK_EQ(find(&map, pairs, i), i);
    CHECK_EQ(find(&map, pairs, count), MAP_NONE);
    arena_release(&arena);
}

TEST(a_caller_may_bring_the_memory)
{
    struct map map = {0};
    struct pair pairs[100];
    void *old = NULL;

    for (uint32_t i = 0; i < 100; i++) {
        pairs[i].key = i;
        if (map_size(i + 1) > (old ? map_size(i) : 0)) {
            void *more = calloc(1, map_size(i + 1));

            map_move(&map, more, map_size(i + 1));
            free(old);
            old = more;
        }
        CHECK(map_add(&map, map_hash_number(i), i));
        CHECK(map.slots == old);
    }
    for (uint32_t i = 0; i < 100; i++)
        CHECK_EQ(find(&map, pairs, i), i);
    free(old);
}
