/*
 * c11_threads - the calls of C11's threads, made with those of POSIX: linked
 * into programs of MODE=tsan. librdkafka uses C11's, which the thread sanitizer
 * does not know: it crashes in such threads, and takes what their locks protect
 * for a race. A program's functions come before the C library's.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t), "see as_mutex()");
_Static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t), "see as_condition()");

/* Accesses in libraries that were not built with the sanitizer are none of our
 * business; their locks are. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "ignore_noninstrumented_modules=1";
}

static int result_of(int error)
{
    switch (error) {
    case 0:
        return thrd_success;
    case EBUSY:
        return thrd_busy;
    case ENOMEM:
        return thrd_nomem;
    case ETIMEDOUT:
        return thrd_timedout;
    default:
        return thrd_error;
    }
}

static pthread_mutex_t *as_mutex(mtx_t *mutex)
{
    return (pthread_mutex_t *)(void *)mutex;
}

static pthread_cond_t *as_condition(cnd_t *condition)
{
    return (pthread_cond_t *)(void *)condition;
}

/* ---- threads ---- */

struct beginning {
    thrd_start_t run;
    void *arg;
};

static void *run_thread(void *arg)
{
    struct beginning beginning = *(struct beginning *)arg;

    free(arg);
    return (void *)(intptr_t)beginning.run(beginning.arg);
}

int thrd_create(thrd_t *thread, thrd_start_t run, void *arg)
{
    struct beginning *beginning = malloc(sizeof(*beginning));
    int result;

    if (!beginning)
        return thrd_nomem;
    *beginning = (struct beginning){run, arg};
    result = result_of(pthread_create(thread, NULL, run_thread, beginning));
    if (result != thrd_success)
        free(beginning);
    return result;
}

int thrd_join(thrd_t thread, int *result)
{
    void *returned = NULL;
    int joined = result_of(pthread_join(thread, &returned));

    if (result)
        *result = (int)(intptr_t)returned;
    return joined;
}

/* ---- locks ---- */

int mtx_init(mtx_t *mutex, int type)
{
    pthread_mutexattr_t attr;
    int result;

    pthread_mutexattr_init(&attr);
    if (type & mtx_recursive)
        pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    result = result_of(pthread_mutex_init(as_mutex(mutex), &attr));
    pthread_mutexattr_destroy(&attr);
    return result;
}

void mtx_destroy(mtx_t *mutex)
{
    pthread_mutex_destroy(as_mutex(mutex));
}

int mtx_lock(mtx_t *mutex)
{
    return result_of(pthread_mutex_lock(as_mutex(mutex)));
}

int mtx_unlock(mtx_t *mutex)
{
    return result_of(pthread_mutex_unlock(as_mutex(mutex)));
}

/* ---- conditions ---- */

int cnd_init(cnd_t *condition)
{
    return result_of(pthread_cond_init(as_condition(condition), NULL));
}

void cnd_destroy(cnd_t *condition)
{
    pthread_cond_destroy(as_condition(condition));
}

int cnd_signal(cnd_t *condition)
{
    return result_of(pthread_cond_signal(as_condition(condition)));
}

int cnd_broadcast(cnd_t *condition)
{
    return result_of(pthread_cond_broadcast(as_condition(condition)));
}

int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    return result_of(
        pthread_cond_wait(as_condition(condition), as_mutex(mutex)));
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until)
{
    return result_of(pthread_cond_timedwait(as_condition(condition),
                                            as_mutex(mutex), until));
}
