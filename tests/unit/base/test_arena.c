#include "arena.h"

#include <stdint.h>

#include "test.h"

TEST(pieces_do_not_overlap_and_are_aligned)
{
    enum { N = 2000 };
    static struct {
        unsigned char *ptr;
        size_t len;
    } pieces[N];
    struct arena arena;

    arena_init(&arena, NULL, SIZE_MAX);
    for (int i = 0; i < N; i++) {
        pieces[i].len = test_random(i % 50 ? 300 : 60000);
        pieces[i].ptr = arena_alloc(&arena, pieces[i].len);
        if (!CHECK(pieces[i].ptr))
            return;
        CHECK_EQ((uintptr_t)pieces[i].ptr % 8, 0);
        memset(pieces[i].ptr, i & 255, pieces[i].len);
    }
    for (int i = 0; i < N; i++)
        for (size_t k = 0; k < pieces[i].len; k++)
            if (!CHECK_EQ(pieces[i].ptr[k], i & 255))
                return;
    arena_release(&arena);
    CHECK_EQ(arena_size(&arena), 0);
}

TEST(what_is_taken_is_given_back)
{
    struct budget budget;
    struct arena arena;

    budget_init(&budget, 10 << 20);
    arena_init(&arena, &budget, SIZE_MAX);
    CHECK_EQ(budget_used(&budget), 0);
    for (int i = 0; i < 1000; i++)
        CHECK(arena_alloc(&arena, 1 + test_random(i % 10 ? 5000 : 90000)));
    CHECK_EQ(budget_used(&budget), arena_size(&arena));
    CHECK(arena_size(&arena) >= 1000 * 1000);
    arena_reset(&arena);
    CHECK_EQ(budget_used(&budget), arena_size(&arena));
    CHECK(arena_size(&arena) <= 1 << 20); /* one chunk is kept */
    CHECK(arena_alloc(&arena, 100));
    arena_release(&arena);
    CHECK_EQ(budget_used(&budget), 0);
    arena_release(&arena);
    CHECK_EQ(budget_used(&budget), 0);
}

TEST(budget_is_used_to_the_end_and_then_busy)
{
    struct budget budget;
    struct arena arena;
    size_t bytes = 0;

    budget_init(&budget, 100000);
    arena_init(&arena, &budget, SIZE_MAX);
    while (arena_alloc(&arena, 64))
        bytes += 64;
    CHECK_EQ(budget_used(&budget), arena_size(&arena));
    CHECK_EQ(arena_status(&arena), ERR_BUSY);
    CHECK(budget_used(&budget) <= 100000);
    CHECK(bytes > 70000);           /* red zones take their part */
    CHECK(!arena_alloc(&arena, 1)); /* sticky */
    CHECK(!arena_zero(&arena, 1, 1));
    CHECK_EQ(arena_copy(&arena, SLICE("x")).len, 0);
    arena_reset(&arena);
    CHECK_EQ(arena_status(&arena), OK);
    CHECK(arena_alloc(&arena, 64));
    arena_release(&arena);
    CHECK_EQ(budget_used(&budget), 0);
}

TEST(own_cap_is_too_big)
{
    struct budget budget;
    struct arena arena;

    budget_init(&budget, 1 << 20);
    arena_init(&arena, &budget, 50000);
    CHECK(arena_alloc(&arena, 10000));
    while (arena_alloc(&arena, 3000))
        ;
    CHECK_EQ(arena_status(&arena), ERR_TOO_BIG);
    CHECK(arena_size(&arena) <= 50000);
    arena_release(&arena);
    CHECK(arena_alloc(&arena, 40000)); /* as new after a release */
    CHECK_EQ(arena_status(&arena), OK);
    arena_release(&arena);
    CHECK_EQ(budget_used(&budget), 0);
}

TEST(sizes_that_overflow_are_refused)
{
    struct arena arena;

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK(!arena_zero(&arena, SIZE_MAX / 4, 8));
    CHECK_EQ(arena_status(&arena), ERR_TOO_BIG);
    arena_reset(&arena);
    CHECK(!arena_alloc(&arena, SIZE_MAX - 4));
    CHECK_EQ(arena_status(&arena), ERR_TOO_BIG);
    arena_release(&arena);
}

TEST(zeroed_is_zero_also_in_used_memory)
{
    struct arena arena;
    unsigned char *bytes;

    arena_init(&arena, NULL, SIZE_MAX);
    memset(arena_alloc(&arena, 1000), 0xff, 1000);
    arena_reset(&arena);
    bytes = arena_zero(&arena, 100, 10);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(bytes[i], 0);
    CHECK(arena_zero(&arena, 0, 10));
    CHECK_TEXT(arena_copy(&arena, SLICE("service.name")), "service.name");
    CHECK_EQ(arena_copy(&arena, (struct slice){NULL, 0}).len, 0);
    CHECK_EQ(arena_status(&arena), OK);
    arena_release(&arena);
}

/* A batch's worth of small pieces takes a handful of chunks, and a large piece
 * in between does not throw the rest of the current chunk away. */
TEST(little_is_wasted)
{
    struct budget budget;
    struct arena arena;
    const char *rest;

    budget_init(&budget, SIZE_MAX);
    arena_init(&arena, &budget, SIZE_MAX);
    for (int i = 0; i < 500; i++)
        arena_alloc(&arena, 512);
    CHECK(arena_size(&arena) < 500 * 550 * 3 / 2);
    arena_release(&arena);
    arena_alloc(&arena, 16);
    rest = arena.at;
    CHECK(arena_alloc(&arena, 200000));
    CHECK(arena.at == rest);
    CHECK(arena_size(&arena) < 200000 + 20000);
    arena_release(&arena);
    CHECK_EQ(budget_used(&budget), 0);
}

TEST(what_is_forced_is_kept_and_charged)
{
    struct budget budget;
    struct arena arena;
    struct slice copies[100];
    char text[200];

    budget_init(&budget, 20 * 1024);
    arena_init(&arena, &budget, SIZE_MAX);
    CHECK(!arena_alloc(&arena, 30 * 1024));
    CHECK_EQ(arena_copy(&arena, SLICE("lost")).len, 0);
    for (int i = 0; i < 100; i++) {
        memset(text, i, sizeof(text));
        copies[i] =
            arena_copy_forced(&arena, (struct slice){text, sizeof(text)});
    }
    for (int i = 0; i < 100; i++) {
        memset(text, i, sizeof(text));
        CHECK(slice_equal(copies[i], (struct slice){text, sizeof(text)}));
    }
    CHECK_EQ(arena_status(&arena), ERR_BUSY);
    CHECK(arena_size(&arena) > budget.limit);
    CHECK_EQ(arena_size(&arena), budget_used(&budget));
    arena_release(&arena);
    CHECK_EQ(budget_used(&budget), 0);
}

TEST(attempt_is_kept_or_given_up)
{
    struct budget budget;
    struct arena arena, attempt;
    unsigned char *kept[2][20];

    budget_init(&budget, 10 << 20);
    arena_init(&arena, &budget, 4 << 20);
    for (int round = 0; round < 2; round++) {
        arena_begin(&attempt, &arena); /* the first into an empty arena */
        for (int i = 0; i < 20; i++) {
            kept[round][i] = arena_alloc(&attempt, 40000);
            memset(kept[round][i], round * 20 + i, 40000);
        }
        arena_adopt(&arena, &attempt);
        CHECK_EQ(arena_size(&attempt), 0);
        CHECK(arena_alloc(&arena, 100));
        size_t before = budget_used(&budget);

        arena_begin(&attempt, &arena);
        CHECK(arena_alloc(&attempt, 1 << 20));
        CHECK(!arena_alloc(&attempt, 4 << 20)); /* the cap is that of both */
        CHECK_EQ(arena_status(&attempt), ERR_TOO_BIG);
        CHECK_EQ(arena_status(&arena), OK);
        arena_release(&attempt);
        CHECK_EQ(budget_used(&budget), before);
    }
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 20; i++)
            for (int k = 0; k < 40000; k++)
                if (kept[round][i][k] != round * 20 + i)
                    CHECK(false);
    CHECK_EQ(budget_used(&budget), arena_size(&arena));
    arena_release(&arena);
    CHECK_EQ(budget_used(&budget), 0);
}
