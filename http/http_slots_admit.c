/*
 * Which connections are accepted, and which are closed when slots or memory run
 * out (http_slots.h). Each address has lists of its idle connections, the one
 * that is idle longest first.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "address.h"
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

struct http_address slots_group_of(const struct sockaddr *from)
{
    struct http_address address = address_of(from);

    address_group(address.bytes);
    return address;
}

static struct slot_holder **holder_at(struct http_slots *slots,
                                      const struct http_address *key)
{
    uint64_t hash = hash_bytes(key->bytes, sizeof(key->bytes), 0);
    struct slot_holder **at = &slots->buckets[hash % SLOT_BUCKETS];

    while (*at && memcmp(&(*at)->key, key, sizeof(*key)) != 0)
        at = &(*at)->chain;
    return at;
}

struct slot_holder *slots_ref_holder(struct http_slots *slots,
                                     const struct http_address *key)
{
    struct slot_holder **at = holder_at(slots, key);

    if (!*at) {
        *at = mem_zero(1, sizeof(**at));
        (*at)->key = *key;
        for (int kind = 0; kind < IDLE_KINDS; kind++)
            ring_init(&(*at)->idle[kind]);
        ring_add(&slots->holders, &(*at)->all);
    }
    (*at)->count++;
    return *at;
}

void slots_unref_holder(struct http_slots *slots, struct slot_holder *holder)
{
    struct slot_holder **at = holder_at(slots, &holder->key);

    if (--holder->count > 0)
        return;
    *at = holder->chain;
    ring_remove(&holder->all);
    free(holder);
}

/* ---- closing ---- */

void slot_become_known(struct http_slot *slot)
{
    slot->peer->unknown -= !slot->known;
    slot->slots->unknown -= !slot->known;
    slot->known = true;
}

void slot_close(struct http_slot *slot)
{
    if (slot->closing)
        return;
    slot_become_known(slot);
    slot->closing = true;
    slot->slots->closing++;
    slot->slots->reserved -= slot->reserved_counted; /* now, for the next one */
    slot->reserved_counted = false;
    slot->deadline_ns = UINT64_MAX;
    ring_remove(&slot->idle);
    (void)shutdown(slot->fd, SHUT_RDWR);
}

static struct slot_holder *holder_with_most(struct http_slots *slots, int kind)
{
    struct slot_holder *most = NULL, *holder;

    ring_each(holder, &slots->holders, struct slot_holder, all) {
        const struct ring *idle = &holder->idle[kind];

        if (idle->next != idle && (!most || holder->count > most->count))
            most = holder;
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
        const struct slot_holder *most = holder_with_most(slots, kind);
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

bool slots_close_idle_of(const struct slot_holder *holder)
{
    for (int kind = 0; kind < IDLE_KINDS; kind++) {
        struct http_slot *slot =
            idle_for(&holder->idle[kind], kind == WITHIN_HEAD ? NS_PER_S : 0);

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

/* Connections without a request that was authorised may be half of all, and an
 * eighth of one address. Above that, the one that has been idle longest makes
 * room. */
static bool unknown_has_share(struct http_slots *slots,
                              const struct slot_holder *peer)
{
    uint32_t eighth = slots->max < 8 ? 1 : slots->max / 8;
    bool alone = peer && peer->unknown >= eighth;
    struct http_slot *slot;

    if (!slots->asks || (!alone && slots->unknown < (slots->max + 1) / 2))
        return true;
    ring_each(slot, &slots->all, struct http_slot, all) {
        if (slot->known || slot->closing || slot->reserved ||
            slot->state > SLOT_HEAD || (alone && slot->peer != peer))
            continue;
        slot_close(slot);
        return true;
    }
    return false;
}

bool slots_admit(struct http_slots *slots, const struct sockaddr *from)
{
    struct http_address group = slots_group_of(from);
    uint32_t eighth = slots->max < 8 ? 1 : slots->max / 8, live;
    const struct slot_holder *peer;
    bool entitled, full;

    pthread_mutex_lock(&slots->lock);
    live = slots->count - slots->closing - slots->reserved;
    peer = *holder_at(slots, &group);
    full = slots_files_are_full();
    entitled = (live < slots->max - eighth && !full) || close_idle(slots, 0);
    if (!entitled && live < slots->max && !full)
        entitled = !peer || peer->count < eighth;
    entitled = entitled && unknown_has_share(slots, peer);
    slots->next_reserved = !entitled;
    if (!entitled)
        entitled = slots->reserved < slots->reserve || close_reserved(slots);
    pthread_mutex_unlock(&slots->lock);
    return entitled;
}

/* ---- memory ---- */

/* Whose upload is ended: the one that holds most; or the asker itself. */
static const struct slot_holder *most_bodies(const struct http_slots *slots)
{
    const struct slot_holder *most = NULL, *holder;

    ring_each(holder, &slots->holders, struct slot_holder, all) {
        if (holder->body_bytes > 0 &&
            (!most || holder->body_bytes > most->body_bytes))
            most = holder;
    }
    return most;
}

static struct http_slot *slowest_of(const struct http_slots *slots,
                                    const struct slot_holder *holder,
                                    bool only_slow)
{
    struct http_slot *slowest = NULL, *slot;
    uint64_t now = clock_monotonic_ns();
    double least = 0;

    ring_each(slot, &slots->all, struct http_slot, all) {
        double rate;

        if (slot->holder != holder || slot->body_bytes == 0)
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
    return slowest;
}

void *slots_slowest_body(struct http_slots *slots, bool only_slow)
{
    struct http_slot *slowest;
    void *owner;

    pthread_mutex_lock(&slots->lock);
    slowest = slowest_of(slots, most_bodies(slots), only_slow);
    owner = slowest ? slowest->owner : NULL;
    pthread_mutex_unlock(&slots->lock);
    return owner;
}

void *slots_slowest_of_greedy(struct http_slot *asker)
{
    struct http_slots *slots = asker->slots;
    const struct slot_holder *most;
    struct http_slot *slowest = NULL;
    void *owner;

    pthread_mutex_lock(&slots->lock);
    most = most_bodies(slots);
    if (most && most != asker->holder &&
        most->body_bytes / 2 > asker->holder->body_bytes)
        slowest = slowest_of(slots, most, false);
    owner = slowest ? slowest->owner : NULL;
    pthread_mutex_unlock(&slots->lock);
    return owner;
}

void *slots_slowest_of_own(struct http_slot *asker)
{
    struct http_slot *slowest;
    void *owner;

    pthread_mutex_lock(&asker->slots->lock);
    slowest = slowest_of(asker->slots, asker->holder, false);
    owner = slowest ? slowest->owner : NULL;
    pthread_mutex_unlock(&asker->slots->lock);
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
            slot->holder->unsent_bytes > slowest->holder->unsent_bytes ||
            (slot->holder == slowest->holder &&
             slot->since_ns < slowest->since_ns))
            slowest = slot;
    }
    if (slowest)
        slot_close(slowest);
    pthread_mutex_unlock(&slots->lock);
    return slowest != NULL;
}
