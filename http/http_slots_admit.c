/*
 * Which connections are accepted, and which are closed when slots or memory run
 * out (http_slots.h). Each address has lists of its idle connections, the one
 * that is idle longest first.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "clock.h"
#include "hash.h"
#include "http_slots_int.h"
#include "mem.h"

#define RESERVED_MIN_NS (250 * NS_PER_MS)

/* ---- addresses ---- */

static struct http_address address_of(const struct sockaddr *from)
{
    struct http_address address = {.bytes = {[10] = 0xff, [11] = 0xff}};

    if (from && from->sa_family == AF_INET6)
        memcpy(address.bytes,
               &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr,
               16);
    else if (from && from->sa_family == AF_INET)
        memcpy(address.bytes + 12,
               &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
    return address;
}

/* A /64 of IPv6 counts as one address; ::1 and IPv4 stay as they are. */
static struct http_address group_of(const struct sockaddr *from)
{
    static const uint8_t none[8];
    struct http_address address = address_of(from);

    if (memcmp(address.bytes, none, 8) != 0)
        memset(address.bytes + 8, 0, 8);
    return address;
}

static struct peer_address **peer_slot(struct http_slots *slots,
                                       const struct http_address *address)
{
    uint64_t hash = hash_bytes(address->bytes, sizeof(address->bytes), 0);
    struct peer_address **at = &slots->buckets[hash % SLOT_BUCKETS];

    while (*at && memcmp(&(*at)->address, address, sizeof(*address)) != 0)
        at = &(*at)->chain;
    return at;
}

struct peer_address *slots_ref_peer(struct http_slots *slots,
                                    const struct sockaddr *from)
{
    struct http_address address = group_of(from);
    struct peer_address **at = peer_slot(slots, &address);

    if (!*at) {
        *at = mem_zero(1, sizeof(**at));
        (*at)->address = address;
        for (int kind = 0; kind < IDLE_KINDS; kind++)
            ring_init(&(*at)->idle[kind]);
        ring_add(&slots->peers, &(*at)->all);
    }
    (*at)->count++;
    return *at;
}

void slots_unref_peer(struct http_slots *slots, struct peer_address *peer)
{
    struct peer_address **at = peer_slot(slots, &peer->address);

    if (--peer->count > 0)
        return;
    *at = peer->chain;
    ring_remove(&peer->all);
    free(peer);
}

/* ---- closing ---- */

void slot_close(struct http_slot *slot)
{
    if (slot->closing)
        return;
    slot->closing = true;
    slot->slots->closing++;
    slot->slots->reserved -= slot->reserved_counted; /* now, for the next one */
    slot->reserved_counted = false;
    slot->deadline_ns = UINT64_MAX;
    ring_remove(&slot->idle);
    (void)shutdown(slot->fd, SHUT_RDWR);
}

static struct peer_address *peer_with_most(struct http_slots *slots, int kind)
{
    struct peer_address *most = NULL, *peer;

    ring_each(peer, &slots->peers, struct peer_address, all) {
        const struct ring *idle = &peer->idle[kind];

        if (idle->next != idle && (!most || peer->count > most->count))
            most = peer;
    }
    return most;
}

/* The first of a few that is idle for so long and has no unread byte: a request
 * that is on its way is not cut off. */
static struct http_slot *idle_for(const struct ring *idle, uint64_t age_ns)
{
    uint64_t now = clock_monotonic_ns();
    struct http_slot *slot;
    int tries = 16;

    ring_each(slot, idle, struct http_slot, idle) {
        int unread = 0;

        if (tries-- == 0 || now - slot->since_ns < age_ns)
            return NULL; /* the others are idle for less */
        if (ioctl(slot->fd, FIONREAD, &unread) == 0 && unread == 0)
            return slot;
    }
    return NULL;
}

static bool close_idle(struct http_slots *slots, uint64_t age_ns)
{
    for (int kind = 0; kind < IDLE_KINDS; kind++) {
        const struct peer_address *most = peer_with_most(slots, kind);
        struct http_slot *slot = NULL;

        if (kind == WITHIN_HEAD && age_ns < NS_PER_S)
            age_ns = NS_PER_S;
        if (most)
            slot = idle_for(&most->idle[kind], age_ns);
        if (slot) {
            slot_close(slot);
            return true;
        }
    }
    return false;
}

bool slots_close_idle(struct http_slots *slots)
{
    bool ended;

    pthread_mutex_lock(&slots->lock);
    ended = close_idle(slots, NS_PER_S);
    pthread_mutex_unlock(&slots->lock);
    return ended;
}

/* Closes one of the reserve that has not sent its request by now. */
static bool close_reserved(struct http_slots *slots)
{
    uint64_t now = clock_monotonic_ns();
    struct http_slot *slot;

    ring_each(slot, &slots->in_reserve, struct http_slot, in_reserve) {
        if (slot->state > SLOT_HEAD || slot->closing ||
            now - slot->since_ns < RESERVED_MIN_NS)
            continue;
        slot_close(slot);
        return true;
    }
    return false;
}

bool slots_admit(struct http_slots *slots, const struct sockaddr *from)
{
    struct http_address group = group_of(from);
    uint32_t eighth = slots->max < 8 ? 1 : slots->max / 8, live;
    const struct peer_address *peer;
    bool entitled;

    pthread_mutex_lock(&slots->lock);
    live = slots->count - slots->closing - slots->reserved;
    entitled = live < slots->max - eighth || close_idle(slots, 0);
    peer = *peer_slot(slots, &group);
    if (!entitled && live < slots->max)
        entitled = !peer || peer->count < eighth;
    slots->next_reserved = !entitled;
    if (!entitled)
        entitled = slots->reserved < slots->reserve || close_reserved(slots);
    pthread_mutex_unlock(&slots->lock);
    return entitled;
}

void *slots_slowest_body(struct http_slots *slots, bool only_slow)
{
    const struct peer_address *most = NULL, *peer;
    struct http_slot *slowest = NULL, *slot;
    uint64_t now = clock_monotonic_ns();
    double least = 0;

    pthread_mutex_lock(&slots->lock);
    ring_each(peer, &slots->peers, struct peer_address, all) {
        if (peer->body_bytes > 0 &&
            (!most || peer->body_bytes > most->body_bytes))
            most = peer;
    }
    ring_each(slot, &slots->all, struct http_slot, all) {
        double rate;

        if (slot->peer != most || slot->body_bytes == 0)
            continue;
        rate = (double)slot->received /
               (double)(now - slot->body_start_ns + NS_PER_MS) *
               (double)NS_PER_S;
        if (only_slow &&
            (rate >= SLOT_MIN_RATE || now - slot->body_start_ns < NS_PER_S))
            continue;
        if (!slowest || rate < least) {
            slowest = slot;
            least = rate;
        }
    }
    void *owner = slowest ? slowest->owner : NULL;
    pthread_mutex_unlock(&slots->lock);
    return owner;
}

bool slots_close_slowest_reader(struct http_slots *slots)
{
    uint64_t now = clock_monotonic_ns();
    struct http_slot *slowest = NULL, *slot;

    pthread_mutex_lock(&slots->lock);
    ring_each(slot, &slots->all, struct http_slot, all) {
        if (slot->state != SLOT_SENDING || slot->closing ||
            slot->unsent_bytes == 0 || now - slot->since_ns < NS_PER_S)
            continue;
        if (!slowest ||
            slot->peer->unsent_bytes > slowest->peer->unsent_bytes ||
            (slot->peer == slowest->peer && slot->since_ns < slowest->since_ns))
            slowest = slot;
    }
    if (slowest)
        slot_close(slowest);
    pthread_mutex_unlock(&slots->lock);
    return slowest != NULL;
}
