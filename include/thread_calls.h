/*
 * thread_calls - what other threads want done by the correlator's, which alone
 * may change the registry. It looks between batches.
 *
 * Purpose:   a call that another thread makes, and its status.
 * Ownership: a call belongs to whoever waits for it.
 * Threads:   thread_calls_run: any but that thread; the others: it.
 * Errors:    ERR_BUSY if the thread does not begin in time.
 */
#ifndef THREAD_CALLS_H
#define THREAD_CALLS_H

#include <pthread.h>
#include <stdint.h>

#include "status.h"

struct thread_call {
    enum status (*run)(void *arg);
    void *arg;
    enum status status;
    enum { CALL_WAITS, CALL_RUNS, CALL_DONE } state;
    struct thread_call *next;
};

struct thread_calls {
    pthread_mutex_t lock;
    pthread_cond_t done;
    struct thread_call *first;
};

void thread_calls_init(struct thread_calls *calls);
void thread_calls_release(struct thread_calls *calls);

/* Waits for the thread to run it, and returns its status; ERR_BUSY: the thread
 * did not begin in this time, and will not. */
MUST_CHECK enum status thread_calls_run(struct thread_calls *calls,
                                        enum status (*run)(void *arg),
                                        void *arg, uint64_t timeout_ns);

/* Runs those that wait. */
void thread_calls_serve(struct thread_calls *calls);

#endif
