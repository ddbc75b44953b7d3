/*
 * guard - ends connections whose peer takes too long.
 *
 * An HTTP library's time-out begins anew with each byte, so a peer that sends
 * one byte a second is never idle and never done. Here a connection has a
 * deadline: `idle_ns` from its beginning, from the end of each request and
 * from its head, put off by what comes of a body, at SLOWEST bytes a second.
 *
 * Nor does the library always notice that a peer has gone: it learns of new
 * bytes once (edge-triggered), and when the end of the stream comes together
 * with the last of them it waits on. So who has hung up in the middle of a
 * request is looked for, too.
 *
 * What ends is the socket, by shutdown(): the library then finds it closed and
 * cleans up as always.
 *
 * Threads  any; a lock inside. A connection must be removed before its socket
 *          is closed.
 */
#ifndef GUARD_H
#define GUARD_H

#include <stddef.h>
#include <stdint.h>

enum { GUARD_SLOWEST = 1024 };

struct guard;
struct guarded; /* a connection */

struct guard *guard_new(uint64_t idle_ns);
void guard_free(struct guard *guard); /* NULL is fine; nothing left in it */

struct guarded *guard_add(struct guard *guard, int fd);
void guard_remove(struct guard *guard, struct guarded *one);

/* A request has begun, or has ended. */
void guard_renew(struct guard *guard, struct guarded *one);
/* So much came of its body. */
void guard_progress(struct guard *guard, struct guarded *one, size_t bytes);
/* It is our turn; until guard_renew(). */
void guard_pause(struct guard *guard, struct guarded *one);

/* Ends those whose time is over, and those that were gone already the last time
 * and of which nothing came since; how many. To be called about every second,
 * by one thread. */
unsigned guard_tend(struct guard *guard);

#endif
