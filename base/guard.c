/*
 * A list of all, walked once a second: with ten thousand connections that takes
 * less than a request does, and needs no order by deadline, which every piece
 * of a body would change.
 *
 * One that has hung up may have sent all of its request before: so it counts
 * only when nothing is left to be read, and not at first sight, when the last
 * bytes may just be on their way from recv() to us.
 */
#define _GNU_SOURCE /* POLLRDHUP */
#include "guard.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "clock.h"
#include "mem.h"

struct guarded {
    struct guarded *prev, *next;
    uint64_t deadline_ns;
    int fd;
    bool gone; /* the last time, and nothing came since */
};

struct guard {
    pthread_mutex_t lock;
    struct guarded all; /* head of the ring */
    size_t count;
    struct pollfd *polls; /* as many, in their order */
    size_t room;
    uint64_t idle_ns;
};

struct guard *guard_new(uint64_t idle_ns)
{
    struct guard *guard = mem_zero(1, sizeof(*guard));

    pthread_mutex_init(&guard->lock, NULL);
    guard->all.prev = guard->all.next = &guard->all;
    guard->idle_ns = idle_ns;
    return guard;
}

void guard_free(struct guard *guard)
{
    if (!guard)
        return;
    pthread_mutex_destroy(&guard->lock);
    free(guard->polls);
    free(guard);
}

struct guarded *guard_add(struct guard *guard, int fd)
{
    struct guarded *one = mem_zero(1, sizeof(*one));

    one->fd = fd;
    one->deadline_ns = clock_monotonic_ns() + guard->idle_ns;
    pthread_mutex_lock(&guard->lock);
    one->prev = guard->all.prev;
    one->next = &guard->all;
    one->prev->next = one->next->prev = one;
    guard->count++;
    pthread_mutex_unlock(&guard->lock);
    return one;
}

void guard_remove(struct guard *guard, struct guarded *one)
{
    pthread_mutex_lock(&guard->lock);
    one->prev->next = one->next;
    one->next->prev = one->prev;
    guard->count--;
    pthread_mutex_unlock(&guard->lock);
    free(one);
}

static void set_deadline(struct guard *guard, struct guarded *one, uint64_t ns)
{
    pthread_mutex_lock(&guard->lock);
    one->deadline_ns = ns;
    one->gone = false;
    pthread_mutex_unlock(&guard->lock);
}

void guard_renew(struct guard *guard, struct guarded *one)
{
    set_deadline(guard, one, clock_monotonic_ns() + guard->idle_ns);
}

void guard_pause(struct guard *guard, struct guarded *one)
{
    set_deadline(guard, one, UINT64_MAX);
}

void guard_progress(struct guard *guard, struct guarded *one, size_t bytes)
{
    uint64_t latest = clock_monotonic_ns() + guard->idle_ns;
    uint64_t earned = (uint64_t)bytes * NS_PER_S / GUARD_SLOWEST;

    pthread_mutex_lock(&guard->lock);
    one->gone = false;
    one->deadline_ns += earned;
    if (one->deadline_ns > latest)
        one->deadline_ns = latest;
    pthread_mutex_unlock(&guard->lock);
}

/* Asks the system about all of them at once. */
static void look(struct guard *guard)
{
    nfds_t count = 0;

    if (guard->room < guard->count) {
        guard->room = 2 * guard->count;
        guard->polls =
            mem_resize(guard->polls, guard->room, sizeof(*guard->polls));
    }
    for (struct guarded *one = guard->all.next; one != &guard->all;
         one = one->next)
        guard->polls[count++] =
            (struct pollfd){.fd = one->fd, .events = POLLRDHUP};
    if (poll(guard->polls, count, 0) < 0)
        for (nfds_t i = 0; i < count; i++)
            guard->polls[i].revents = 0;
}

static bool has_gone(const struct pollfd *polled)
{
    int unread = 0;

    return (polled->revents & (POLLRDHUP | POLLHUP | POLLERR)) &&
           ioctl(polled->fd, FIONREAD, &unread) == 0 && unread == 0;
}

/* Has it had its time? With one that is paused it is we who take it. */
static bool is_over(struct guarded *one, const struct pollfd *polled,
                    uint64_t now)
{
    bool was_gone = one->gone;

    if (one->deadline_ns == UINT64_MAX)
        return false;
    one->gone = has_gone(polled);
    return one->deadline_ns <= now || (one->gone && was_gone);
}

unsigned guard_tend(struct guard *guard)
{
    uint64_t now = clock_monotonic_ns();
    unsigned ended = 0;

    pthread_mutex_lock(&guard->lock);
    look(guard);
    const struct pollfd *polled = guard->polls;
    for (struct guarded *one = guard->all.next; one != &guard->all;
         one = one->next)
        if (is_over(one, polled++, now)) {
            (void)shutdown(one->fd, SHUT_RDWR);
            one->deadline_ns = UINT64_MAX;
            ended++;
        }
    pthread_mutex_unlock(&guard->lock);
    return ended;
}
