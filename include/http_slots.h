/*
 * http_slots - the connections of one port: deadlines, shares, and which one
 * is closed first when slots or memory run out.
 *
 * Purpose:
 *   Deadlines  An HTTP library's time-out begins again with each byte, so a
 *     client that sends one byte a second is never idle and never done. Here
 *     each state of a connection has a deadline:
 *       handshake (TLS) SLOT_HEAD_S
 *       idle     idle_ns
 *       head     SLOT_HEAD_S from the request line on
 *       body     SLOT_BODY_S, then a rate of SLOT_MIN_RATE bytes/s or 1/30 of
 *                the body per second, whichever is less; and idle_ns without
 *                a byte
 *       busy     none: the server is working
 *       sending  SLOT_HEAD_S and the time the response takes at SLOT_MIN_RATE,
 *                or what was sent of one that is made as it is sent
 *   Shares  The last eighth of the slots is for addresses that hold less than
 *     an eighth of them: one address alone (a proxy, a Collector) may have the
 *     other seven. When seven eighths are in use, a new connection closes the
 *     one that is idle longest, of the address that holds most: first those
 *     that never sent a request, last those that are within a head for more
 *     than a second. A connection without a right to a slot gets one of the
 *     reserve, for /health and the like.
 *   Tenants  Once a request was authorised, what a connection holds counts for
 *     the namespace of its credential, if it has one, else for its address. A
 *     namespace has a share of the connections (access/tenants.h); those
 *     without an authorised request are half of all, and an eighth of one
 *     address, where credentials are asked for.
 *   Memory  slots_slowest_body() and slots_close_slowest_reader() choose the
 *     slowest connection of the tenant or address that holds most.
 *   Disconnects  A connection is closed by shutdown() of its socket: the
 *     library then finds it closed and cleans up. The library does not always
 *     notice that a client has gone: it learns of new bytes once
 *     (edge-triggered), and when the end of the stream comes together with the
 *     last of them, it keeps waiting. So clients that closed the connection in
 *     the middle of a request are looked for, too.
 * Ownership: a slot belongs to the connection; it must be removed before its
 *   socket is closed.
 * Threads: any; a lock inside. slots_admit and slots_add by one thread.
 * Errors: none.
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
    SLOT_MIN_RATE = 64 * 1024,
};

struct http_slots;
struct http_slot; /* a connection */

/* The slots of a port, and *sockets that it may have open at a time: its share,
 * in eighths, of the files that the process may open (raised if possible). name
 * is for the log. */
struct http_slots *slots_open(const char *name, uint32_t max_connections,
                              unsigned files_eighths, uint64_t idle_ns,
                              uint32_t *sockets);
struct http_slots *slots_new(uint32_t max, uint32_t reserve, uint64_t idle_ns);
void slots_free(
    struct http_slots *slots); /* NULL is fine; nothing left in it */

/* Whether this peer may connect. May close an idle connection. */
bool slots_admit(struct http_slots *slots, const struct sockaddr *peer);
/* Closes the connection that is idle longest, and for more than a second;
 * false: there is none. */
bool slots_close_idle(struct http_slots *slots);

struct http_slot *slots_add(struct http_slots *slots, int fd,
                            const struct sockaddr *peer);
void slots_remove(struct http_slots *slots, struct http_slot *slot);

/* Credentials are asked for. Before the first connection. */
void slots_ask(struct http_slots *slots);
/* A request on this connection was authorised; tenant NULL: by nobody in
 * particular. False: its namespace has all the connections that it may have,
 * and none is idle. */
bool slot_authorized(struct http_slot *slot, struct tenant *tenant);

struct http_address slot_address(const struct http_slot *slot);
bool slot_is_reserved(const struct http_slot *slot);
bool slot_is_disconnected(
    const struct http_slot *slot); /* closed by the peer */
/* Before it is closed: reads and discards what the peer sent, so that closing
 * does not reset what was sent to it. */
void slot_drain(const struct http_slot *slot);

/* A new connection that begins with a TLS handshake, until slot_secured(). */
void slot_handshake(struct http_slot *slot);
void slot_secured(struct http_slot *slot);
void slot_idle(struct http_slot *slot);
void slot_head(struct http_slot *slot);
/* length 0: unknown. */
void slot_body(struct http_slot *slot, uint64_t length);
void slot_progress(struct http_slot *slot, size_t bytes);
void slot_busy(struct http_slot *slot);
void slot_sending(struct http_slot *slot, size_t bytes);
/* So many more, of a response whose length is not known before: later is its
 * deadline. */
void slot_sent(struct http_slot *slot, size_t bytes);

/* Memory of an unfinished body. slots_slowest_body() returns the owner. */
void slot_hold(struct http_slot *slot, size_t bytes, void *owner);
/* only_slow: NULL if it arrives at SLOT_MIN_RATE, or has just begun. */
void *slots_slowest_body(struct http_slots *slots, bool only_slow);
/* Of whoever holds most, if that is more than twice what the asker holds; of
 * the asker's own tenant or address. */
void *slots_slowest_of_greedy(struct http_slot *asker);
void *slots_slowest_of_own(struct http_slot *asker);
/* False: no response is being sent for more than a second. */
bool slots_close_slowest_reader(struct http_slots *slots);

/* The flag is set by slots_check_watched() once the peer has closed the
 * connection; NULL: ends this. */
void slot_watch_disconnect(struct http_slot *slot, atomic_bool *disconnected);
/* Checks the connections that are watched; how many they are. */
unsigned slots_check_watched(struct http_slots *slots);

/* Closes those whose deadline has passed, and those that had closed their side
 * at the last call already and sent nothing since; how many. About once a
 * second. */
unsigned slots_check_deadlines(struct http_slots *slots);

#endif
