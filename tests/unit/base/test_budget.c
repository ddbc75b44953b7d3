#include "budget.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>

#include "test.h"

TEST(takes_up_to_the_limit)
{
    struct budget budget;

    budget_init(&budget, 100);
    CHECK(budget_take(&budget, 60));
    CHECK(!budget_take(&budget, 41));
    CHECK_EQ(budget_used(&budget), 60); /* a refusal takes nothing */
    CHECK(budget_take(&budget, 40));
    CHECK(budget_take(&budget, 0));
    CHECK(!budget_take(&budget, 1));
    CHECK(!budget_take(&budget, SIZE_MAX));
    budget_give(&budget, 100);
    CHECK_EQ(budget_used(&budget), 0);
    CHECK_EQ(atomic_load(&budget.peak), 100);
}

enum { THREADS = 4, ROUNDS = 20000, SHARE = 30 };

static struct budget shared;
static atomic_int granted;

static void *take_and_give(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        while (!budget_take(&shared, SHARE))
            sched_yield(); /* three others hold theirs */
        atomic_fetch_add(&granted, 1);
        budget_give(&shared, SHARE);
    }
    return arg;
}

/* Room for three of four at once: the limit holds, and nothing is lost. */
TEST(threads_never_pass_the_limit)
{
    pthread_t threads[THREADS];

    budget_init(&shared, 3 * SHARE + SHARE / 2);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, take_and_give, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(budget_used(&shared), 0);
    CHECK(atomic_load(&shared.peak) <= 3 * SHARE);
    CHECK_EQ(atomic_load(&granted), THREADS * ROUNDS);
}

TEST(what_is_forced_is_counted_beyond_the_limit)
{
    struct budget budget;

    budget_init(&budget, 100);
    CHECK(budget_take(&budget, 90));
    budget_force(&budget, 20);
    CHECK_EQ(budget_used(&budget), 110);
    CHECK_EQ(atomic_load(&budget.peak), 110);
    CHECK(!budget_take(&budget, 1));
    budget_give(&budget, 110);
    CHECK(budget_take(&budget, 100));
}

TEST(room_is_looked_for_in_the_whole_too)
{
    struct budget whole, part;

    budget_init(&whole, 160);
    budget_init(&part, 100);
    part.parent = &whole;
    CHECK(budget_has(&part, 100, 0));
    CHECK(!budget_has(&part, 101, 0));
    CHECK(budget_has(&part, 94, 1) && !budget_has(&part, 95, 1));
    CHECK(budget_take(&whole, 90));
    CHECK(budget_has(&part, 70, 0) && !budget_has(&part, 71, 0));
    CHECK(budget_has(&part, 60, 1) && !budget_has(&part, 61, 1));
    CHECK(!budget_has(&part, SIZE_MAX, 0));
    budget_force(&whole, 80);
    CHECK(!budget_has(&part, 0, 0));
}

TEST(a_part_is_charged_to_the_whole)
{
    struct budget whole, a, b;

    budget_init(&whole, 100);
    budget_init(&a, 60);
    budget_init(&b, 60);
    a.parent = b.parent = &whole;
    CHECK(budget_take(&a, 60));
    CHECK(!budget_take(&a, 1));
    CHECK(!budget_take(&b, 41)); /* the whole is full: nothing is taken */
    CHECK_EQ(budget_used(&b), 0);
    CHECK_EQ(budget_used(&whole), 60);
    CHECK(budget_take(&b, 40));
    budget_force(&b, 10);
    CHECK_EQ(budget_used(&whole), 110);
    budget_give(&a, 60);
    budget_give(&b, 50);
    CHECK_EQ(budget_used(&whole), 0);
}
