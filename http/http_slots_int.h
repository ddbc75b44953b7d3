/*
 * http_slots_int - the tables of http_slots.h, for its two files:
 * http_slots_admit.c decides which are accepted and closed, http_slots.c
 * follows each connection.
 */
#ifndef HTTP_SLOTS_INT_H
#define HTTP_SLOTS_INT_H

#include <poll.h>
#include <pthread.h>

#include "http_slots.h"

enum { SLOT_BUCKETS = 1024 };

struct ring {
    struct ring *prev, *next;
};

/* Connections that may be closed for a new one, in this order. */
enum idle_kind {
    NEVER_USED, /* no request yet */
    BETWEEN_REQUESTS,
    WITHIN_HEAD, /* for more than a second */
    IDLE_KINDS
};

/* All connections of one address (of one /64 with IPv6). */
struct peer_address {
    struct ring all;
    struct peer_address *chain;
    struct http_address address;
    uint32_t count;
    struct ring idle[IDLE_KINDS];    /* slots, by enum idle_kind */
    size_t body_bytes, unsent_bytes; /* of unfinished bodies, of responses */
};

enum slot_state { SLOT_IDLE, SLOT_HEAD, SLOT_BODY, SLOT_BUSY, SLOT_SENDING };

struct http_slot {
    struct ring all, idle, watched, in_reserve;
    struct http_slots *slots;
    struct peer_address *peer;
    atomic_bool *disconnect_flag; /* set on disconnect, if watched */
    int fd;
    enum slot_state state;
    bool reserved, closing;
    bool reserved_counted; /* in slots->reserved */
    bool used;             /* a request line was read */
    bool disconnected;     /* at the last check, and no byte since */
    uint64_t since_ns, deadline_ns;
    uint64_t length, received; /* of the body */
    uint64_t body_start_ns;    /* when its first byte arrived */
    size_t body_bytes, unsent_bytes;
    void *owner;
};

struct http_slots {
    pthread_mutex_t lock;
    struct ring all, peers, watched, in_reserve;
    uint32_t count, closing, reserved;
    uint32_t max, reserve;
    uint64_t idle_ns;
    bool next_reserved; /* whether the connection admitted last gets a reserved
                           slot */
    struct peer_address *buckets[SLOT_BUCKETS];
    struct pollfd *polls; /* one per slot, in their order */
    size_t room;
};

#define CONTAINER_OF(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* All entries of a ring of structs, linked by `member`. */
#define ring_each(entry, head, type, member)                                 \
    for (struct ring *at_ = (head)->next;                                    \
         at_ != (head) && ((entry) = CONTAINER_OF(at_, type, member), true); \
         at_ = at_->next)

static inline void ring_init(struct ring *ring)
{
    ring->prev = ring->next = ring;
}

static inline void ring_add(struct ring *head, struct ring *one)
{
    one->prev = head->prev;
    one->next = head;
    one->prev->next = one->next->prev = one;
}

static inline void ring_remove(struct ring *one)
{
    one->prev->next = one->next;
    one->next->prev = one->prev;
    ring_init(one);
}

/* ---- http_slots_admit.c; the caller holds the lock ---- */

/* The entry of an address, with a reference count. */
struct peer_address *slots_ref_peer(struct http_slots *slots,
                                    const struct sockaddr *from);
void slots_unref_peer(struct http_slots *slots, struct peer_address *peer);
void slot_close(struct http_slot *slot);

#endif
