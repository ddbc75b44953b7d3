/*
 * A ring of pointers, a mutex and two condition variables, one for each reason
 * to wait. Timeouts use the monotonic clock.
 */
#include "queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "mem.h"

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t filled, drained;
    size_t capacity, first, length;
    bool closed;
    void **items;
};

struct queue *queue_new(size_t capacity)
{
    struct queue *queue = mem_zero(1, sizeof(*queue));
    pthread_condattr_t attr;

    assert(capacity > 0);
    queue->capacity = capacity;
    queue->items = mem_zero(capacity, sizeof(*queue->items));
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->filled, &attr);
    pthread_cond_init(&queue->drained, &attr);
    pthread_condattr_destroy(&attr);
    return queue;
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    assert(queue->length == 0);
    pthread_cond_destroy(&queue->filled);
    pthread_cond_destroy(&queue->drained);
    pthread_mutex_destroy(&queue->mutex);
    free(queue->items);
    free(queue);
}

/* With the mutex held, and a free place in the ring. */
static void put(struct queue *queue, void *item)
{
    size_t at = queue->first + queue->length;

    queue->items[at < queue->capacity ? at : at - queue->capacity] = item;
    queue->length++;
    pthread_cond_signal(&queue->filled);
}

bool queue_push(struct queue *queue, void *item)
{
    bool fits;

    pthread_mutex_lock(&queue->mutex);
    fits = !queue->closed && queue->length < queue->capacity;
    if (fits)
        put(queue, item);
    pthread_mutex_unlock(&queue->mutex);
    return fits;
}

bool queue_push_wait(struct queue *queue, void *item)
{
    bool open;

    pthread_mutex_lock(&queue->mutex);
    while (!queue->closed && queue->length == queue->capacity)
        pthread_cond_wait(&queue->drained, &queue->mutex);
    open = !queue->closed;
    if (open)
        put(queue, item);
    pthread_mutex_unlock(&queue->mutex);
    return open;
}

/* With the mutex held: until there is an item, the queue is closed or the
 * timeout is over. */
static void wait_filled(struct queue *queue, uint64_t timeout_ns)
{
    uint64_t now = timeout_ns ? clock_monotonic_ns() : 0;
    uint64_t end =
        timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + timeout_ns;
    struct timespec until = {.tv_sec = (time_t)(end / NS_PER_S),
                             .tv_nsec = (long)(end % NS_PER_S)};

    if (timeout_ns == 0)
        return;
    while (queue->length == 0 && !queue->closed) {
        if (end == UINT64_MAX)
            pthread_cond_wait(&queue->filled, &queue->mutex);
        else if (pthread_cond_timedwait(&queue->filled, &queue->mutex,
                                        &until) != 0)
            return;
    }
}

size_t queue_pop_many(struct queue *queue, void **items, size_t max,
                      uint64_t timeout_ns)
{
    size_t count = 0;

    pthread_mutex_lock(&queue->mutex);
    if (queue->length == 0)
        wait_filled(queue, timeout_ns);
    while (count < max && queue->length > 0) {
        items[count++] = queue->items[queue->first];
        if (++queue->first == queue->capacity)
            queue->first = 0;
        queue->length--;
    }
    if (count == 1)
        pthread_cond_signal(&queue->drained);
    else if (count > 1)
        pthread_cond_broadcast(&queue->drained);
    pthread_mutex_unlock(&queue->mutex);
    return count;
}

void *queue_pop(struct queue *queue, uint64_t timeout_ns)
{
    void *item;

    return queue_pop_many(queue, &item, 1, timeout_ns) ? item : NULL;
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    pthread_cond_broadcast(&queue->filled);
    pthread_cond_broadcast(&queue->drained);
    pthread_mutex_unlock(&queue->mutex);
}

bool queue_closed(struct queue *queue)
{
    bool closed;

    pthread_mutex_lock(&queue->mutex);
    closed = queue->closed;
    pthread_mutex_unlock(&queue->mutex);
    return closed;
}

size_t queue_length(struct queue *queue)
{
    size_t length;

    pthread_mutex_lock(&queue->mutex);
    length = queue->length;
    pthread_mutex_unlock(&queue->mutex);
    return length;
}
