/* A query that lacked memory waits for that of others, and runs again. */
#include "query_memory.h"

#include "clock.h"
#include "test.h"

enum { LIMIT = 1 << 20 };

static struct budget budget;
static struct arena arena;
static struct query_request request;
static struct route route;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool disconnected;

static struct memory_wait begin(enum status failed)
{
    budget_init(&budget, LIMIT);
    arena_init(&arena, &budget, LIMIT);
    route = (struct route){.method = "GET"};
    request = (struct query_request){
        .arena = &arena, .route = &route, .failed = failed};
    atomic_store(&disconnected, false);
    return (struct memory_wait){.turn = &turn, .disconnected = &disconnected};
}

static bool turn_is_free(void)
{
    bool is_free = pthread_mutex_trylock(&turn) == 0;

    if (is_free)
        pthread_mutex_unlock(&turn);
    return is_free;
}

/* As a query that ends. */
static void *give_back(void *arg)
{
    (void)arg;
    test_pause_us(20000);
    budget_give(&budget, LIMIT);
    return NULL;
}

TEST(it_runs_again_when_others_gave_their_memory_back)
{
    struct memory_wait wait = begin(ERR_BUSY);
    pthread_t other;

    CHECK(budget_take(&budget, LIMIT));
    CHECK(!arena_alloc(&arena, 4096));
    CHECK_EQ(arena_status(&arena), ERR_BUSY);
    CHECK_EQ(pthread_create(&other, NULL, give_back, NULL), 0);
    CHECK(memory_wait(&wait, &request));
    CHECK(!turn_is_free()); /* one after the other */
    pthread_join(other, NULL);
    arena_init(&arena, &budget, LIMIT);
    CHECK(arena_alloc(&arena, 4096));
    arena_release(&arena);
    memory_wait_end(&wait);
    CHECK(turn_is_free());
}

/* What it holds itself is freed first. */
TEST(its_own_memory_is_not_waited_for)
{
    struct memory_wait wait = begin(ERR_BUSY);

    while (arena_alloc(&arena, 4096))
        ;
    CHECK(memory_wait(&wait, &request));
    CHECK_EQ(budget_used(&budget), 0);
    memory_wait_end(&wait);
}

TEST(tries_are_bounded)
{
    struct memory_wait wait = begin(ERR_BUSY);
    int again = 0;

    while (memory_wait(&wait, &request))
        again++;
    CHECK(again > 0 && again < 10);
    memory_wait_end(&wait);
    CHECK(turn_is_free());
}

TEST(no_other_failure_is_repeated)
{
    static const enum status others[] = {OK, ERR_TOO_BIG, ERR_LIMITED,
                                         ERR_INVALID, ERR_CANCELLED};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct memory_wait wait = begin(others[i]);

        CHECK(!memory_wait(&wait, &request));
        memory_wait_end(&wait);
    }
}

/* Handlers without a reader may have changed something. */
TEST(what_may_write_is_not_repeated)
{
    struct memory_wait wait = begin(ERR_BUSY);

    route.flags = NO_READER;
    CHECK(!memory_wait(&wait, &request));
    memory_wait_end(&wait);
    CHECK(turn_is_free());
}

TEST(a_client_that_left_is_not_waited_for)
{
    struct memory_wait wait = begin(ERR_BUSY);
    uint64_t before = clock_monotonic_ns();

    CHECK(budget_take(&budget, LIMIT));
    atomic_store(&disconnected, true);
    CHECK(!memory_wait(&wait, &request));
    CHECK(clock_monotonic_ns() - before < NS_PER_S);
    memory_wait_end(&wait);
}

/* ---- whose fault it is ---- */

/* 413 (422 of Prometheus' API) if it would be the same later, 503 if others
 * hold what it needs; they, too, may be part of a larger budget. */
static enum status status_beside(size_t own, size_t others, bool nested)
{
    struct budget all, *own_budget = &all;
    enum status status;

    budget_init(&all, LIMIT);
    if (nested) {
        static struct budget inner;

        budget_init(&inner, LIMIT);
        inner.parent = &all;
        own_budget = &inner;
    }
    arena_init(&arena, own_budget, LIMIT);
    request = (struct query_request){.arena = &arena};
    CHECK(others == 0 || budget_take(&all, others));
    while (arena_size(&arena) < own && arena_alloc(&arena, 4096))
        ;
    CHECK_EQ(query_memory_status(&request, OK), OK);
    CHECK_EQ(query_memory_status(&request, ERR_TOO_BIG), ERR_TOO_BIG);
    CHECK_EQ(query_memory_status(&request, ERR_IO), ERR_IO);
    status = query_memory_status(&request, ERR_BUSY);
    arena_release(&arena);
    CHECK_EQ(budget_used(&all), others);
    return status;
}

TEST(a_query_alone_is_too_big_and_beside_others_told_to_come_again)
{
    for (int nested = 0; nested < 2; nested++) {
        CHECK_EQ(status_beside(LIMIT, 0, nested), ERR_TOO_BIG);
        CHECK_EQ(status_beside(LIMIT, LIMIT / 8, nested), ERR_TOO_BIG);
        CHECK_EQ(status_beside(LIMIT, LIMIT / 2, nested), ERR_BUSY);
        CHECK_EQ(status_beside(0, LIMIT, nested), ERR_BUSY);
    }
    CHECK_EQ(status_http(ERR_TOO_BIG), 413);
    CHECK_EQ(status_http(ERR_EXECUTION), 422);
    CHECK_EQ(status_http(ERR_BUSY), 503);
}
