/*
 * queue - a bounded queue of pointers between threads.
 *
 * Purpose:   passes batches and jobs from one thread to another.
 * Ownership: a pushed item belongs to whoever pops it; if a push fails it stays
 *            with the caller.
 * Threads:   any number may push and pop.
 * Errors:    a push returns false if the queue is full or closed; a pop returns
 *            NULL after its timeout, or when the queue is closed and empty.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

struct queue *queue_new(size_t capacity);
void queue_free(struct queue *queue); /* must be empty */

/* False if it is full or closed. */
bool queue_push(struct queue *queue, void *item);

/* Waits while it is full. False if it is closed. */
bool queue_push_wait(struct queue *queue, void *item);

/* Waits for an item, at most timeout_ns (UINT64_MAX: forever). */
void *queue_pop(struct queue *queue, uint64_t timeout_ns);

/* Waits for one item and takes up to max; their number. */
size_t queue_pop_many(struct queue *queue, void **items, size_t max,
                      uint64_t timeout_ns);

/* No more pushes; pops return what is left. */
void queue_close(struct queue *queue);

bool queue_closed(struct queue *queue);
size_t queue_length(struct queue *queue);

#endif
