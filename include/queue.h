/*
 * queue - a bounded queue of pointers between threads.
 *
 * The only code of the program with a condition variable. What is pushed
 * belongs to the one who pops it.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

struct queue *queue_new(size_t capacity);
void queue_free(struct queue *queue); /* must be empty */

/* False if it is full or closed: then item still belongs to the caller. */
bool queue_push(struct queue *queue, void *item);

/* Waits for room. False if it is closed. */
bool queue_push_wait(struct queue *queue, void *item);

/* Waits for an item, at most timeout_ns (UINT64_MAX: for ever). NULL when the
 * time is over, or when the queue is closed and empty. */
void *queue_pop(struct queue *queue, uint64_t timeout_ns);

/* Up to max items without waiting after the first; how many. */
size_t queue_pop_many(struct queue *queue, void **items, size_t max,
                      uint64_t timeout_ns);

/* Nothing can be pushed any more; pop returns what is left. */
void queue_close(struct queue *queue);

bool queue_closed(struct queue *queue);
size_t queue_length(struct queue *queue);

#endif
