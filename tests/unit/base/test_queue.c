#include "queue.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "clock.h"
#include "test.h"

/* Items are pointers into this array: item i is &items[i]. */
static char items[1 << 16];

TEST(first_in_first_out_and_bounded)
{
    struct queue *queue = queue_new(3);

    CHECK(!queue_pop(queue, 0));
    for (int round = 0; round < 10; round++) {
        CHECK(queue_push(queue, &items[0]));
        CHECK(queue_push(queue, &items[1]));
        CHECK(queue_push(queue, &items[2]));
        CHECK(!queue_push(queue, &items[3]));
        CHECK_EQ(queue_length(queue), 3);
        CHECK(queue_pop(queue, UINT64_MAX) == &items[0]);
        CHECK(queue_push(queue, &items[3])); /* wraps round the end */
        CHECK(queue_pop(queue, 0) == &items[1]);
        CHECK(queue_pop(queue, 0) == &items[2]);
        CHECK(queue_pop(queue, 0) == &items[3]);
        CHECK(!queue_pop(queue, 0));
    }
    queue_free(queue);
}

TEST(pop_many_takes_what_is_there)
{
    struct queue *queue = queue_new(8);
    void *got[8] = {NULL};

    CHECK_EQ(queue_pop_many(queue, got, 8, 0), 0);
    for (int i = 0; i < 5; i++)
        queue_push(queue, &items[i]);
    CHECK_EQ(queue_pop_many(queue, got, 3, UINT64_MAX), 3);
    CHECK(got[2] == &items[2]);
    CHECK_EQ(queue_pop_many(queue, got, 8, UINT64_MAX), 2);
    CHECK(got[1] == &items[4]);
    queue_free(queue);
}

TEST(pop_gives_up_when_the_time_is_over)
{
    struct queue *queue = queue_new(1);
    uint64_t start = clock_monotonic_ns();

    CHECK(!queue_pop(queue, 20 * NS_PER_MS));
    CHECK(clock_monotonic_ns() - start >= 20 * NS_PER_MS);
    CHECK(clock_monotonic_ns() - start < 10 * NS_PER_S);
    queue_free(queue);
}

TEST(closed_takes_nothing_and_gives_the_rest)
{
    struct queue *queue = queue_new(4);

    queue_push(queue, &items[7]);
    CHECK(!queue_closed(queue));
    queue_close(queue);
    CHECK(queue_closed(queue));
    CHECK(!queue_push(queue, &items[8]));
    CHECK(!queue_push_wait(queue, &items[8]));
    CHECK(queue_pop(queue, UINT64_MAX) == &items[7]);
    CHECK(!queue_pop(queue, UINT64_MAX)); /* does not wait any more */
    queue_free(queue);
    queue_free(NULL);
}

static struct queue *shared;

static void *close_later(void *arg)
{
    (void)queue_pop(shared, 20 * NS_PER_MS);
    queue_close(shared);
    return arg;
}

TEST(closing_wakes_who_waits)
{
    pthread_t closer;
    struct queue *full = queue_new(1);

    shared = full;
    pthread_create(&closer, NULL, close_later, NULL);
    CHECK(queue_pop(full, UINT64_MAX) == NULL);
    pthread_join(closer, NULL);
    queue_free(full);
}

static void *close_when_full(void *arg)
{
    while (queue_length(shared) == 0)
        sched_yield();
    queue_close(shared);
    return arg;
}

TEST(closing_wakes_who_waits_for_room)
{
    pthread_t closer;

    shared = queue_new(1);
    pthread_create(&closer, NULL, close_when_full, NULL);
    CHECK(queue_push_wait(shared, &items[0]));
    CHECK(!queue_push_wait(shared, &items[1]));
    pthread_join(closer, NULL);
    CHECK(queue_pop(shared, 0) == &items[0]);
    queue_free(shared);
}

enum { PRODUCERS = 3, EACH = 5000 };

static void *produce(void *arg)
{
    char *first = arg;

    for (int i = 0; i < EACH; i++)
        queue_push_wait(shared, first + i);
    return NULL;
}

static atomic_int seen[PRODUCERS * EACH];
static atomic_int out_of_order;

static void *consume(void *arg)
{
    char *last[PRODUCERS] = {NULL};
    void *got[16];
    size_t count;

    while ((count = queue_pop_many(shared, got, 16, UINT64_MAX)) > 0)
        for (size_t i = 0; i < count; i++) {
            char *item = got[i];
            long at = (long)(item - items);

            if (item <= last[at / EACH])
                atomic_fetch_add(&out_of_order, 1);
            last[at / EACH] = item;
            atomic_fetch_add(&seen[at], 1);
        }
    return arg;
}

TEST(many_threads_each_item_once_and_in_order)
{
    pthread_t producers[PRODUCERS], consumers[2];

    shared = queue_new(7);
    for (int i = 0; i < 2; i++)
        pthread_create(&consumers[i], NULL, consume, NULL);
    for (int i = 0; i < PRODUCERS; i++)
        pthread_create(&producers[i], NULL, produce, &items[i * EACH]);
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(producers[i], NULL);
    queue_close(shared);
    for (int i = 0; i < 2; i++)
        pthread_join(consumers[i], NULL);
    for (int i = 0; i < PRODUCERS * EACH; i++)
        CHECK_EQ(atomic_load(&seen[i]), 1);
    CHECK_EQ(atomic_load(&out_of_order), 0);
    queue_free(shared);
}
