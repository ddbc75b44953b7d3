/*
 * fair_queue - jobs of many askers for a few workers, so that one asker cannot
 * take all of them.
 *
 * Each asker has a queue of its own. Next is the asker that used least worker
 * time of late, among those that have fewer jobs at work than `running_max`. An
 * asker may have three quarters of the waiting places.
 *
 * Threads  any; a lock inside. What is pushed belongs to the one who pops it.
 */
#ifndef FAIR_QUEUE_H
#define FAIR_QUEUE_H

#include "http_server.h"

struct fair_queue;

struct fair_queue *fair_queue_new(uint32_t waiting_max, uint32_t running_max);
void fair_queue_free(struct fair_queue *queue); /* empty; NULL is fine */

/* OK; ERR_LIMITED: the asker has too many waiting; ERR_BUSY: all together have,
 * or it is closed. */
MUST_CHECK enum status fair_queue_push(struct fair_queue *queue,
                                       struct http_address asker, void *item);
/* Waits for an item; *ticket goes to fair_queue_done(). NULL: it is closed and
 * empty. */
void *fair_queue_pop(struct fair_queue *queue, void **ticket);
void fair_queue_done(struct fair_queue *queue, void *ticket);

/* Nothing can be pushed any more; pop returns what is left. */
void fair_queue_close(struct fair_queue *queue);

#endif
