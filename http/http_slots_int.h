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
#include "ring.h"

enum { SLOT_BUCKETS = 1024 };

/* Connections that may be closed for a new one, in this order. */
enum idle_kind {
    NEVER_USED, /* no request yet */
    BETWEEN_REQUESTS,
    WITHIN_HEAD, /* for more than a second */
    IDLE_KINDS
};

/* An address (a /64 with IPv6) or a tenant: all its connections. */
struct slot_holder {
    struct ring all;
    struct slot_holder *chain;
    struct http_address key;
    uint32_t count;
    uint32_t unknown;                /* without a request that was authorised */
    struct ring idle[IDLE_KINDS];    /* slots, by enum idle_kind */
    size_t body_bytes, unsent_bytes; /* of unfinished bodies, of responses */
};

enum slot_state { SLOT_IDLE, SLOT_HEAD, SLOT_BODY, SLOT_BUSY, SLOT_SENDING };

struct http_slot {
    struct ring all, idle, watched, in_reserve;
    struct http_slots *slots;
    struct slot_holder *peer;     /* its address */
    struct slot_holder *holder;   /* its tenant, else its address: what it holds
                                     counts there */
    struct tenant *tenant;        /* NULL: not known, or no namespace */
    atomic_bool *disconnect_flag; /* set on disconnect, if watched */
    int fd;
    enum slot_state state;
    bool reserved, closing;
    bool reserved_counted; /* in slots->reserved */
    bool used;             /* a request line was read */
    bool known;            /* a request was authorised, or it is closing */
    bool disconnected;     /* at the last check, and no byte since */
    uint64_t since_ns, deadline_ns;
    uint64_t length, received; /* of the body */
    uint64_t body_start_ns;    /* when its first byte arrived */
    size_t body_bytes, unsent_bytes;
    void *owner;
};

struct http_slots {
    pthread_mutex_t lock;
    struct ring all, holders, watched, in_reserve;
    uint32_t count, closing, reserved, unknown;
    uint32_t max, reserve;
    uint64_t idle_ns;
    bool asks; /* credentials are required: connections without one have a share
                */
    bool next_reserved; /* whether the connection admitted last gets a reserved
                           slot */
    struct slot_holder *buckets[SLOT_BUCKETS];
    struct pollfd *polls; /* one per slot, in their order */
    size_t room;
};

/* ---- http_slots_files.c ---- */

void slots_count_file(int change);
/* The connections of all ports are as many as may be. */
bool slots_files_are_full(void);

/* ---- http_slots_admit.c; the caller holds the lock ---- */

/* The entry of an address or tenant, with a reference count. */
struct slot_holder *slots_ref_holder(struct http_slots *slots,
                                     const struct http_address *key);
void slots_unref_holder(struct http_slots *slots, struct slot_holder *holder);
/* See address_group(). */
struct http_address slots_group_of(const struct sockaddr *from);
void slot_close(struct http_slot *slot);
/* It has an authorised request now, or is closed. */
void slot_become_known(struct http_slot *slot);
/* Closes the one of this holder that is idle longest; false: there is none. */
bool slots_close_idle_of(const struct slot_holder *holder);

#endif
