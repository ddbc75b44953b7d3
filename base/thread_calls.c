/*
 * A list under a lock, which is not held while a call runs. A call belongs to
 * the stack of whoever waits for it.
 */
#include "thread_calls.h"

#include <stddef.h>

#include "clock.h"

void thread_calls_init(struct thread_calls *calls)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&calls->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&calls->done, &attr);
    pthread_condattr_destroy(&attr);
    calls->first = NULL;
}

void thread_calls_release(struct thread_calls *calls)
{
    pthread_cond_destroy(&calls->done);
    pthread_mutex_destroy(&calls->lock);
}

static void withdraw(struct thread_calls *calls, struct thread_call *call)
{
    struct thread_call **at = &calls->first;

    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
}

enum status thread_calls_run(struct thread_calls *calls,
                             enum status (*run)(void *arg), void *arg,
                             uint64_t timeout_ns)
{
    struct thread_call call = {.run = run, .arg = arg, .status = ERR_BUSY};
    uint64_t until = clock_monotonic_ns() + timeout_ns;
    const struct timespec end = {.tv_sec = (time_t)(until / NS_PER_S),
                                 .tv_nsec = (long)(until % NS_PER_S)};

    pthread_mutex_lock(&calls->lock);
    call.next = calls->first;
    calls->first = &call;
    while (call.state == CALL_WAITS)
        if (pthread_cond_timedwait(&calls->done, &calls->lock, &end) != 0 &&
            call.state == CALL_WAITS) {
            withdraw(calls, &call);
            break;
        }
    while (call.state == CALL_RUNS)
        pthread_cond_wait(&calls->done, &calls->lock);
    pthread_mutex_unlock(&calls->lock);
    return call.status;
}

void thread_calls_serve(struct thread_calls *calls)
{
    struct thread_call *call;

    pthread_mutex_lock(&calls->lock);
    while ((call = calls->first)) {
        calls->first = call->next;
        call->state = CALL_RUNS;
        pthread_mutex_unlock(&calls->lock);
        call->status = call->run(call->arg);
        pthread_mutex_lock(&calls->lock);
        call->state = CALL_DONE;
        pthread_cond_broadcast(&calls->done);
    }
    pthread_mutex_unlock(&calls->lock);
}
