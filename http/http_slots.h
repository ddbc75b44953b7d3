/*
 * http_slots - the connections of one server: who holds them, how long each may
 * take, and which goes first when they run out.
 *
 * Deadlines  An HTTP library's time-out begins anew with each byte, so a peer
 *            that sends one byte a second is never idle and never done. Here
 *            each state of a connection has a deadline:
 *              idle     idle_ns
 *              head     SLOT_HEAD_S from the request line on
 *              body     SLOT_BODY_S, and then a pace of SLOT_PACE bytes/s or
 *                       1/30 of the body per second, whichever is less; and
 *                       idle_ns without a byte
 *              busy     none: it is our turn
 *              sending  SLOT_HEAD_S and the time the answer takes at SLOT_PACE
 * Shares     The last eighth of the slots is for addresses that hold less than
 *            an eighth of them: one address alone (a proxy, a Collector) may
 *            have the other seven. When seven eighths are in use, a new
 *            connection ends the one that is idle for longest, of the address
 *            that holds most: first those that never sent a request, last those
 *            that are within a head for more than a second. Who has no right to
 *            a slot gets one of the reserve, for /health and the like.
 * Victims    slots_slowest_body() and slots_end_slowest_reader(): of the
 *            address that holds most memory, the slowest.
 *
 * A connection ends by shutdown() of its socket: the library then finds it
 * closed and cleans up. Nor does the library always notice that a peer has
 * gone: it learns of new bytes once (edge-triggered), and when the end of the
 * stream comes together with the last of them it waits on. So who has hung up
 * in the middle of a request is looked for, too.
 *
 * Threads  any; a lock inside. slots_admit and slots_add by one thread. A slot
 *          must be removed before its socket is closed.
 */
#ifndef HTTP_SLOTS_H
#define HTTP_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "http_server.h"

enum {
    SLOT_HEAD_S = 10,
    SLOT_BODY_S = 5,
    SLOT_RESERVED_S = 5, /* of a connection in the reserve, until its request */
    SLOT_PACE = 64 * 1024,
};

struct connection_slots;
struct connection_slot; /* a connection */

struct connection_slots *slots_new(uint32_t max, uint32_t reserve,
                                   uint64_t idle_ns);
void slots_free(
    struct connection_slots *slots); /* NULL is fine; nothing left in it */

/* May this peer connect? May end an idle connection. */
bool slots_admit(struct connection_slots *slots, const struct sockaddr *peer);
/* Ends the connection that is idle for longest, and for a second; false: there
 * is none. */
bool slots_end_idle(struct connection_slots *slots);

struct connection_slot *slots_add(struct connection_slots *slots, int fd,
                                  const struct sockaddr *peer);
void slots_remove(struct connection_slots *slots, struct connection_slot *slot);

struct http_address slot_address(const struct connection_slot *slot);
bool slot_is_reserved(const struct connection_slot *slot);
bool slot_is_gone(const struct connection_slot *slot); /* the peer hung up */
/* Before it is closed: lets the peer's unread bytes go, so that closing does
 * not reset what was sent to it. */
void slot_drain(const struct connection_slot *slot);

void slot_idle(struct connection_slots *slots, struct connection_slot *slot);
void slot_head(struct connection_slots *slots, struct connection_slot *slot);
/* length 0: not told. */
void slot_body(struct connection_slots *slots, struct connection_slot *slot,
               uint64_t length);
void slot_progress(struct connection_slots *slots, struct connection_slot *slot,
                   size_t bytes);
void slot_busy(struct connection_slots *slots, struct connection_slot *slot);
void slot_sending(struct connection_slots *slots, struct connection_slot *slot,
                  size_t bytes);

/* Memory of an unfinished body, and of an answer that is being sent: for the
 * choice of victims. `owner` of the body is what slots_slowest_body() returns.
 */
void slot_hold(struct connection_slots *slots, struct connection_slot *slot,
               size_t bytes, void *owner);
/* only_slow: NULL if it comes at SLOT_PACE, or has just begun. */
void *slots_slowest_body(struct connection_slots *slots, bool only_slow);
/* False: nobody has been reading longer than a second. */
bool slots_end_slowest_reader(struct connection_slots *slots);

/* The flag is set by slots_look() once the peer has hung up; NULL: no more. */
void slot_watch(struct connection_slots *slots, struct connection_slot *slot,
                atomic_bool *gone);
/* Looks at those that are watched; how many they are. */
unsigned slots_look(struct connection_slots *slots);

/* Ends those whose time is over, and those that were gone already the last time
 * and of which nothing came since; how many. About every second. */
unsigned slots_tick(struct connection_slots *slots);

#endif
