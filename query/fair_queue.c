/*
 * The queue of each client (fair_queue.h). Clients are few (those that wait,
 * that are being served, and that were served recently), so they are in a list
 * that is searched from its beginning.
 *
 * Worker time halves every HALF_LIFE_NS: a client that was idle for some time
 * is like a new one.
 */
#include "fair_queue.h"

#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "mem.h"

#define HALF_LIFE_NS (5 * NS_PER_S)

struct waiting_entry {
    struct waiting_entry *next;
    void *item;
};

struct queue_client {
    struct queue_client *next;
    struct http_address key;
    struct waiting_entry *first, **last;
    uint32_t waiting, running;
    uint64_t max_running;
    uint64_t used_ns, used_at; /* recent worker time; when it was updated */
};

/* An item that a worker has. */
struct queue_ticket {
    struct queue_client *client;
    uint64_t began_ns;
};

struct fair_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct queue_client *clients;
    uint32_t waiting, max_waiting;
    bool closed;
};

struct fair_queue *fair_queue_new(uint32_t max_waiting)
{
    struct fair_queue *queue = mem_zero(1, sizeof(*queue));

    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->changed, NULL);
    queue->max_waiting = max_waiting;
    return queue;
}

void fair_queue_free(struct fair_queue *queue)
{
    if (!queue)
        return;
    while (queue->clients) {
        struct queue_client *next = queue->clients->next;

        free(queue->clients);
        queue->clients = next;
    }
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

static uint64_t recent_ns(struct queue_client *client, uint64_t now)
{
    uint64_t halves = (now - client->used_at) / HALF_LIFE_NS;

    if (halves > 0) {
        client->used_ns = halves < 64 ? client->used_ns >> halves : 0;
        client->used_at += halves * HALF_LIFE_NS;
    }
    return client->used_ns;
}

/* The client of a key, made if it is new. Clients without recent work are
 * removed. */
static struct queue_client *find_client(struct fair_queue *queue,
                                        const struct http_address *key)
{
    uint64_t now = clock_monotonic_ns();
    struct queue_client *found = NULL;

    for (struct queue_client **at = &queue->clients; *at;) {
        struct queue_client *client = *at;

        if (memcmp(&client->key, key, sizeof(*key)) == 0) {
            found = client;
        } else if (client->waiting + client->running == 0 &&
                   recent_ns(client, now) < NS_PER_MS) {
            *at = client->next;
            free(client);
            continue;
        }
        at = &client->next;
    }
    if (found)
        return found;
    found = mem_zero(1, sizeof(*found));
    found->key = *key;
    found->last = &found->first;
    found->used_at = now;
    found->next = queue->clients;
    queue->clients = found;
    return found;
}

enum status fair_queue_push(struct fair_queue *queue,
                            const struct fair_client *from, void *item)
{
    enum status status = OK;

    pthread_mutex_lock(&queue->lock);
    struct queue_client *client = find_client(queue, &from->key);
    if (queue->closed || queue->waiting >= queue->max_waiting)
        status = ERR_BUSY;
    else if (client->waiting >= from->max_waiting)
        status = ERR_LIMITED;
    if (status == OK) {
        struct waiting_entry *entry = mem_zero(1, sizeof(*entry));

        entry->item = item;
        client->max_running = from->max_running;
        *client->last = entry;
        client->last = &entry->next;
        client->waiting++;
        queue->waiting++;
        pthread_cond_signal(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
    return status;
}

/* The next one; NULL: none may be served now. */
static struct queue_client *choose(struct fair_queue *queue)
{
    uint64_t now = clock_monotonic_ns(), least = 0;
    struct queue_client *next = NULL;

    for (struct queue_client *client = queue->clients; client;
         client = client->next) {
        uint64_t used;

        if (client->waiting == 0 || client->running >= client->max_running)
            continue;
        used = recent_ns(client, now);
        if (!next || used < least) {
            next = client;
            least = used;
        }
    }
    return next;
}

void *fair_queue_pop(struct fair_queue *queue, void **ticket_out)
{
    struct queue_ticket *ticket;
    struct queue_client *client;
    struct waiting_entry *entry;
    void *item = NULL;

    pthread_mutex_lock(&queue->lock);
    while (!(client = choose(queue)) && !(queue->closed && queue->waiting == 0))
        pthread_cond_wait(&queue->changed, &queue->lock);
    if (client) {
        entry = client->first;
        client->first = entry->next;
        if (!client->first)
            client->last = &client->first;
        client->waiting--;
        client->running++;
        queue->waiting--;
        item = entry->item;
        free(entry);
        ticket = mem_zero(1, sizeof(*ticket));
        *ticket = (struct queue_ticket){client, clock_monotonic_ns()};
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
    (void)recent_ns(ticket->client, now);
    ticket->client->used_ns += now - ticket->began_ns;
    ticket->client->running--;
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
