/*
 * Askers are few (those that wait, that are at work, and that were served of
 * late), so they stand in a list that is searched from its beginning.
 *
 * Worker time is forgotten by half every FORGET_NS: an asker that was idle for
 * some time is like a new one.
 */
#include "fair_queue.h"

#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "mem.h"

#define FORGET_NS (5 * NS_PER_S)

struct waiting_entry {
    struct waiting_entry *next;
    void *item;
};

struct asker {
    struct asker *next;
    struct http_address address;
    struct waiting_entry *first, **last;
    uint32_t waiting, running;
    uint64_t used_ns, used_at; /* worker time; when that was so */
};

/* A job at work. */
struct queue_ticket {
    struct asker *asker;
    uint64_t began_ns;
};

struct fair_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct asker *askers;
    uint32_t waiting, waiting_max, running_max;
    bool closed;
};

struct fair_queue *fair_queue_new(uint32_t waiting_max, uint32_t running_max)
{
    struct fair_queue *queue = mem_zero(1, sizeof(*queue));

    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->changed, NULL);
    queue->waiting_max = waiting_max;
    queue->running_max = running_max;
    return queue;
}

void fair_queue_free(struct fair_queue *queue)
{
    if (!queue)
        return;
    while (queue->askers) {
        struct asker *next = queue->askers->next;

        free(queue->askers);
        queue->askers = next;
    }
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

static uint64_t used_of_late(struct asker *asker, uint64_t now)
{
    uint64_t halves = (now - asker->used_at) / FORGET_NS;

    if (halves > 0) {
        asker->used_ns = halves < 64 ? asker->used_ns >> halves : 0;
        asker->used_at += halves * FORGET_NS;
    }
    return asker->used_ns;
}

/* The asker's row, made if it is new; rows that say nothing any more go. */
static struct asker *find_asker(struct fair_queue *queue,
                                const struct http_address *address)
{
    uint64_t now = clock_monotonic_ns();
    struct asker *found = NULL;

    for (struct asker **at = &queue->askers; *at;) {
        struct asker *asker = *at;

        if (memcmp(&asker->address, address, sizeof(*address)) == 0) {
            found = asker;
        } else if (asker->waiting + asker->running == 0 &&
                   used_of_late(asker, now) < NS_PER_MS) {
            *at = asker->next;
            free(asker);
            continue;
        }
        at = &asker->next;
    }
    if (found)
        return found;
    found = mem_zero(1, sizeof(*found));
    found->address = *address;
    found->last = &found->first;
    found->used_at = now;
    found->next = queue->askers;
    queue->askers = found;
    return found;
}

enum status fair_queue_push(struct fair_queue *queue, struct http_address asker,
                            void *item)
{
    enum status status = OK;

    pthread_mutex_lock(&queue->lock);
    struct asker *row = find_asker(queue, &asker);
    if (queue->closed || queue->waiting >= queue->waiting_max)
        status = ERR_BUSY;
    else if (row->waiting >= (queue->waiting_max * 3 + 3) / 4)
        status = ERR_LIMITED;
    if (status == OK) {
        struct waiting_entry *entry = mem_zero(1, sizeof(*entry));

        entry->item = item;
        *row->last = entry;
        row->last = &entry->next;
        row->waiting++;
        queue->waiting++;
        pthread_cond_signal(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
    return status;
}

/* Who is next; NULL: nobody may be. */
static struct asker *choose(struct fair_queue *queue)
{
    uint64_t now = clock_monotonic_ns(), least = 0;
    struct asker *next = NULL;

    for (struct asker *asker = queue->askers; asker; asker = asker->next) {
        uint64_t used;

        if (asker->waiting == 0 || asker->running >= queue->running_max)
            continue;
        used = used_of_late(asker, now);
        if (!next || used < least) {
            next = asker;
            least = used;
        }
    }
    return next;
}

void *fair_queue_pop(struct fair_queue *queue, void **ticket_out)
{
    struct queue_ticket *ticket;
    struct asker *asker;
    struct waiting_entry *entry;
    void *item = NULL;

    pthread_mutex_lock(&queue->lock);
    while (!(asker = choose(queue)) && !(queue->closed && queue->waiting == 0))
        pthread_cond_wait(&queue->changed, &queue->lock);
    if (asker) {
        entry = asker->first;
        asker->first = entry->next;
        if (!asker->first)
            asker->last = &asker->first;
        asker->waiting--;
        asker->running++;
        queue->waiting--;
        item = entry->item;
        free(entry);
        ticket = mem_zero(1, sizeof(*ticket));
        *ticket = (struct queue_ticket){asker, clock_monotonic_ns()};
        *ticket_out = ticket;
    }
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void fair_queue_done(struct fair_queue *queue, void *arg)
{
    struct queue_ticket *ticket = arg;
    uint64_t now;

    pthread_mutex_lock(&queue->lock);
    now = clock_monotonic_ns(); /* not before `used_at` of another thread */
    (void)used_of_late(ticket->asker, now);
    ticket->asker->used_ns += now - ticket->began_ns;
    ticket->asker->running--;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    free(ticket);
}

void fair_queue_close(struct fair_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}
