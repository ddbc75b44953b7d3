/*
 * fair_queue - queries of many clients for a few workers, so that one client
 * cannot occupy all of them.
 *
 * Purpose: each client (a tenant, or an address) has a queue of its own. Next
 * is the one that used the least worker time recently, among those that have
 *   fewer items with workers than they may have at once.
 * Ownership: an item belongs to the caller of fair_queue_pop().
 * Threads: any; a lock inside.
 * Errors: fair_queue_push() returns ERR_BUSY or ERR_LIMITED.
 */
#ifndef FAIR_QUEUE_H
#define FAIR_QUEUE_H

#include "http_server.h"

struct fair_queue;

struct fair_client {
    struct http_address key;
    uint64_t max_running, max_waiting; /* as of now */
};

struct fair_queue *fair_queue_new(uint32_t max_waiting);
void fair_queue_free(struct fair_queue *queue); /* empty; NULL is fine */

/* ERR_LIMITED: too many items of this client are waiting; ERR_BUSY: too many
 * items are, or the queue is closed. */
MUST_CHECK enum status fair_queue_push(struct fair_queue *queue,
                                       const struct fair_client *client,
                                       void *item);
/* Waits for an item; *ticket goes to fair_queue_done(). NULL: it is closed and
 * empty. */
void *fair_queue_pop(struct fair_queue *queue, void **ticket);
void fair_queue_done(struct fair_queue *queue, void *ticket);

/* No more items can be pushed; pop returns what is left. */
void fair_queue_close(struct fair_queue *queue);

#endif
