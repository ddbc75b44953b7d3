/*
 * A list of all, walked once a second: with ten thousand connections that takes
 * less than a request does, and needs no order by deadline, which every piece
 * of a body would change. A list per address of those that are idle, the one
 * that is idle for longest first.
 */
#define _GNU_SOURCE /* POLLRDHUP */
#include "http_slots.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "clock.h"
#include "hash.h"
#include "mem.h"

enum { BUCKETS = 1024, DRAIN_MOST = 256 * 1024 };

struct ring {
    struct ring *prev, *next;
};

/* All connections of one address (of one /64 with IPv6). */
struct peer {
    struct ring all;
    struct peer *chain;
    struct http_address address;
    uint32_t count;
    struct ring idle[2]; /* slots: without a request yet, and the others */
    size_t held, unsent; /* bytes of bodies, of answers */
};

enum slot_state { SLOT_IDLE, SLOT_HEAD, SLOT_BODY, SLOT_BUSY, SLOT_SENDING };

struct slot {
    struct ring all, idle, watched;
    struct peer *peer;
    struct http_address address;
    atomic_bool *gone_flag; /* of who watches */
    int fd;
    enum slot_state state;
    bool reserved, ending;
    bool used; /* a request came */
    bool gone; /* the last time, and nothing came since */
    uint64_t since_ns, deadline_ns;
    uint64_t length, got; /* of the body */
    uint64_t body_ns;     /* since when it comes */
    size_t held, unsent;
    void *owner;
};

struct slots {
    pthread_mutex_t lock;
    struct ring all, peers, watched;
    uint32_t count, ending, reserved;
    uint32_t max, reserve;
    uint64_t idle_ns;
    bool next_reserved; /* the one that was admitted last */
    struct peer *buckets[BUCKETS];
    struct pollfd *polls; /* one per slot, in their order */
    size_t room;
};

#define OF(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static void ring_init(struct ring *ring)
{
    ring->prev = ring->next = ring;
}

static void ring_add(struct ring *head, struct ring *one)
{
    one->prev = head->prev;
    one->next = head;
    one->prev->next = one->next->prev = one;
}

static void ring_remove(struct ring *one)
{
    one->prev->next = one->next;
    one->next->prev = one->prev;
    ring_init(one);
}

struct slots *slots_new(uint32_t max, uint32_t reserve, uint64_t idle_ns)
{
    struct slots *slots = mem_zero(1, sizeof(*slots));

    pthread_mutex_init(&slots->lock, NULL);
    ring_init(&slots->all);
    ring_init(&slots->peers);
    ring_init(&slots->watched);
    slots->max = max;
    slots->reserve = reserve;
    slots->idle_ns = idle_ns;
    return slots;
}

void slots_free(struct slots *slots)
{
    if (!slots)
        return;
    pthread_mutex_destroy(&slots->lock);
    free(slots->polls);
    free(slots);
}

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

/* Who has a /64 has all addresses in it; but ::1 and IPv4 stay as they are. */
static struct http_address group_of(struct http_address address)
{
    static const uint8_t none[8];

    if (memcmp(address.bytes, none, 8) != 0)
        memset(address.bytes + 8, 0, 8);
    return address;
}

static struct peer **peer_slot(struct slots *slots,
                               const struct http_address *address)
{
    uint64_t hash = hash_bytes(address->bytes, sizeof(address->bytes), 0);
    struct peer **at = &slots->buckets[hash % BUCKETS];

    while (*at && memcmp(&(*at)->address, address, sizeof(*address)) != 0)
        at = &(*at)->chain;
    return at;
}

static struct peer *take_peer(struct slots *slots,
                              const struct http_address *address)
{
    struct peer **at = peer_slot(slots, address);

    if (!*at) {
        *at = mem_zero(1, sizeof(**at));
        (*at)->address = *address;
        ring_init(&(*at)->idle[0]);
        ring_init(&(*at)->idle[1]);
        ring_add(&slots->peers, &(*at)->all);
    }
    (*at)->count++;
    return *at;
}

static void drop_peer(struct slots *slots, struct peer *peer)
{
    struct peer **at = peer_slot(slots, &peer->address);

    if (--peer->count > 0)
        return;
    *at = peer->chain;
    ring_remove(&peer->all);
    free(peer);
}

/* ---- who goes ---- */

static void end_slot(struct slots *slots, struct slot *slot)
{
    if (slot->ending)
        return;
    slot->ending = true;
    slots->ending++;
    slot->deadline_ns = UINT64_MAX;
    ring_remove(&slot->idle);
    (void)shutdown(slot->fd, SHUT_RDWR);
}

static struct peer *most_idle(struct slots *slots, bool used)
{
    struct peer *most = NULL;

    for (struct ring *at = slots->peers.next; at != &slots->peers;
         at = at->next) {
        struct peer *peer = OF(at, struct peer, all);
        const struct ring *idle = &peer->idle[used];

        if (idle->next != idle && (!most || peer->count > most->count))
            most = peer;
    }
    return most;
}

/* Of some, the first of which no byte waits to be read, and that is idle for so
 * long: a request that is on its way is not cut off. */
static struct slot *idle_for(const struct ring *idle, uint64_t age_ns)
{
    uint64_t now = clock_monotonic_ns();
    int tries = 16;

    for (struct ring *at = idle->next; at != idle && tries > 0;
         at = at->next, tries--) {
        struct slot *slot = OF(at, struct slot, idle);
        int unread = 0;

        if (now - slot->since_ns < age_ns)
            return NULL; /* the others are idle for less */
        if (ioctl(slot->fd, FIONREAD, &unread) == 0 && unread == 0)
            return slot;
    }
    return NULL;
}

/* Those that never asked first. */
static bool end_idle(struct slots *slots, uint64_t age_ns)
{
    for (int used = 0; used < 2; used++) {
        const struct peer *most = most_idle(slots, used);
        struct slot *slot = most ? idle_for(&most->idle[used], age_ns) : NULL;

        if (!slot)
            continue;
        end_slot(slots, slot);
        return true;
    }
    return false;
}

bool slots_end_idle(struct slots *slots)
{
    bool ended;

    pthread_mutex_lock(&slots->lock);
    ended = end_idle(slots, NS_PER_S);
    pthread_mutex_unlock(&slots->lock);
    return ended;
}

bool slots_admit(struct slots *slots, const struct sockaddr *from)
{
    struct http_address group = group_of(address_of(from));
    uint32_t eighth = slots->max / 8, live;
    const struct peer *peer;
    bool entitled;

    pthread_mutex_lock(&slots->lock);
    live = slots->count - slots->ending;
    entitled = live < slots->max - eighth || end_idle(slots, 0);
    peer = *peer_slot(slots, &group);
    if (!entitled && live < slots->max)
        entitled = !peer || peer->count < eighth;
    slots->next_reserved = !entitled;
    if (!entitled)
        entitled = slots->reserved < slots->reserve;
    pthread_mutex_unlock(&slots->lock);
    return entitled;
}

void *slots_slowest_body(struct slots *slots, bool only_slow)
{
    const struct peer *most = NULL;
    struct slot *slowest = NULL;
    uint64_t now = clock_monotonic_ns();
    double least = 0;

    pthread_mutex_lock(&slots->lock);
    for (struct ring *at = slots->peers.next; at != &slots->peers;
         at = at->next) {
        const struct peer *peer = OF(at, struct peer, all);

        if (peer->held > 0 && (!most || peer->held > most->held))
            most = peer;
    }
    for (struct ring *at = slots->all.next; most && at != &slots->all;
         at = at->next) {
        struct slot *slot = OF(at, struct slot, all);
        double rate;

        if (slot->peer != most || slot->held == 0)
            continue;
        rate = (double)slot->got / (double)(now - slot->body_ns + NS_PER_MS) *
               (double)NS_PER_S;
        if (only_slow && (rate >= SLOT_PACE || now - slot->body_ns < NS_PER_S))
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

bool slots_end_slowest_reader(struct slots *slots)
{
    uint64_t now = clock_monotonic_ns();
    struct slot *slowest = NULL;

    pthread_mutex_lock(&slots->lock);
    for (struct ring *at = slots->all.next; at != &slots->all; at = at->next) {
        struct slot *slot = OF(at, struct slot, all);

        if (slot->state != SLOT_SENDING || slot->ending || slot->unsent == 0 ||
            now - slot->since_ns < NS_PER_S)
            continue;
        if (!slowest || slot->peer->unsent > slowest->peer->unsent ||
            (slot->peer == slowest->peer && slot->since_ns < slowest->since_ns))
            slowest = slot;
    }
    if (slowest)
        end_slot(slots, slowest);
    pthread_mutex_unlock(&slots->lock);
    return slowest != NULL;
}

/* ---- a connection ---- */

struct slot *slots_add(struct slots *slots, int fd, const struct sockaddr *from)
{
    struct slot *slot = mem_zero(1, sizeof(*slot));
    struct http_address group;

    slot->fd = fd;
    slot->address = address_of(from);
    group = group_of(slot->address);
    ring_init(&slot->idle);
    ring_init(&slot->watched);
    pthread_mutex_lock(&slots->lock);
    slot->peer = take_peer(slots, &group);
    slot->reserved = slots->next_reserved;
    slot->since_ns = clock_monotonic_ns();
    slot->deadline_ns =
        slot->since_ns +
        (slot->reserved ? SLOT_RESERVED_S * NS_PER_S : slots->idle_ns);
    slots->reserved += slot->reserved;
    slots->next_reserved = false;
    ring_add(&slots->all, &slot->all);
    ring_add(&slot->peer->idle[0], &slot->idle);
    slots->count++;
    pthread_mutex_unlock(&slots->lock);
    return slot;
}

void slots_remove(struct slots *slots, struct slot *slot)
{
    pthread_mutex_lock(&slots->lock);
    ring_remove(&slot->all);
    ring_remove(&slot->idle);
    ring_remove(&slot->watched);
    slots->count--;
    slots->ending -= slot->ending;
    slots->reserved -= slot->reserved;
    slot->peer->held -= slot->held;
    slot->peer->unsent -= slot->unsent;
    drop_peer(slots, slot->peer);
    pthread_mutex_unlock(&slots->lock);
    free(slot);
}

struct http_address slot_address(const struct slot *slot)
{
    return slot->address;
}

bool slot_is_reserved(const struct slot *slot)
{
    return slot->reserved;
}

static bool has_gone(int fd, int events)
{
    int unread = 0;

    return (events & (POLLRDHUP | POLLHUP | POLLERR)) &&
           ioctl(fd, FIONREAD, &unread) == 0 && unread == 0;
}

bool slot_is_gone(const struct slot *slot)
{
    struct pollfd polled = {.fd = slot->fd, .events = POLLRDHUP};

    return poll(&polled, 1, 0) > 0 && has_gone(slot->fd, polled.revents);
}

void slot_drain(const struct slot *slot)
{
    char bytes[16 * 1024];

    if (slot->ending)
        return;
    for (int most = DRAIN_MOST; most > 0; most -= (int)sizeof(bytes))
        if (recv(slot->fd, bytes, sizeof(bytes), MSG_DONTWAIT) <= 0)
            return;
}

/* ---- its states; the caller holds the lock ---- */

static void enter(struct slot *slot, enum slot_state state)
{
    slot->state = state;
    slot->since_ns = clock_monotonic_ns();
    slot->gone = false;
    ring_remove(&slot->idle);
    slot->peer->unsent -= slot->unsent;
    slot->unsent = 0;
}

static void set_deadline(struct slot *slot, uint64_t ns)
{
    if (!slot->ending)
        slot->deadline_ns = ns;
}

void slot_idle(struct slots *slots, struct slot *slot)
{
    pthread_mutex_lock(&slots->lock);
    enter(slot, SLOT_IDLE);
    set_deadline(slot, slot->since_ns + slots->idle_ns);
    if (!slot->ending)
        ring_add(&slot->peer->idle[slot->used], &slot->idle);
    pthread_mutex_unlock(&slots->lock);
}

void slot_head(struct slots *slots, struct slot *slot)
{
    uint64_t most = SLOT_HEAD_S * NS_PER_S;

    pthread_mutex_lock(&slots->lock);
    enter(slot, SLOT_HEAD);
    slot->used = true;
    set_deadline(slot, slot->since_ns +
                           (slots->idle_ns < most ? slots->idle_ns : most));
    pthread_mutex_unlock(&slots->lock);
}

/* Bytes per second that a body must come at; not told how long it is, the
 * thirtieth of what came: then only the time counts until SLOT_PACE does. */
static uint64_t pace_of(const struct slot *slot)
{
    uint64_t length = slot->length ? slot->length : slot->got;
    uint64_t pace = length / 30 + 1;

    return pace < SLOT_PACE ? pace : SLOT_PACE;
}

static void set_body_deadline(const struct slots *slots, struct slot *slot,
                              uint64_t now)
{
    double earned =
        (double)slot->got / (double)pace_of(slot) * (double)NS_PER_S;
    uint64_t deadline =
        slot->body_ns + SLOT_BODY_S * NS_PER_S + (uint64_t)earned;

    if (deadline > now + slots->idle_ns)
        deadline = now + slots->idle_ns;
    set_deadline(slot, deadline);
}

void slot_body(struct slots *slots, struct slot *slot, uint64_t length)
{
    pthread_mutex_lock(&slots->lock);
    enter(slot, SLOT_BODY);
    slot->length = length;
    slot->got = 0;
    slot->body_ns = slot->since_ns;
    set_body_deadline(slots, slot, slot->since_ns);
    pthread_mutex_unlock(&slots->lock);
}

void slot_progress(struct slots *slots, struct slot *slot, size_t bytes)
{
    pthread_mutex_lock(&slots->lock);
    uint64_t now = clock_monotonic_ns();
    if (slot->state == SLOT_BUSY) { /* it waited for us */
        slot->body_ns += now - slot->since_ns;
        enter(slot, SLOT_BODY);
    }
    slot->gone = false;
    slot->got += bytes;
    set_body_deadline(slots, slot, now);
    pthread_mutex_unlock(&slots->lock);
}

void slot_busy(struct slots *slots, struct slot *slot)
{
    pthread_mutex_lock(&slots->lock);
    enter(slot, SLOT_BUSY);
    set_deadline(slot, UINT64_MAX);
    pthread_mutex_unlock(&slots->lock);
}

void slot_sending(struct slots *slots, struct slot *slot, size_t bytes)
{
    pthread_mutex_lock(&slots->lock);
    enter(slot, SLOT_SENDING);
    slot->unsent = bytes;
    slot->peer->unsent += bytes;
    set_deadline(slot, slot->since_ns + SLOT_HEAD_S * NS_PER_S +
                           (uint64_t)bytes * NS_PER_S / SLOT_PACE);
    pthread_mutex_unlock(&slots->lock);
}

void slot_hold(struct slots *slots, struct slot *slot, size_t bytes,
               void *owner)
{
    pthread_mutex_lock(&slots->lock);
    slot->peer->held += bytes - slot->held;
    slot->held = bytes;
    slot->owner = owner;
    pthread_mutex_unlock(&slots->lock);
}

/* ---- who has gone while we work ---- */

void slot_watch(struct slots *slots, struct slot *slot, atomic_bool *gone)
{
    pthread_mutex_lock(&slots->lock);
    slot->gone_flag = gone;
    ring_remove(&slot->watched);
    if (gone)
        ring_add(&slots->watched, &slot->watched);
    pthread_mutex_unlock(&slots->lock);
}

unsigned slots_look(struct slots *slots)
{
    unsigned count = 0;

    pthread_mutex_lock(&slots->lock);
    for (struct ring *at = slots->watched.next; at != &slots->watched;
         at = at->next, count++) {
        struct slot *slot = OF(at, struct slot, watched);

        if (slot_is_gone(slot))
            atomic_store(slot->gone_flag, true);
    }
    pthread_mutex_unlock(&slots->lock);
    return count;
}

/* ---- once a second ---- */

/* Asks the system about all of them at once. */
static void look(struct slots *slots)
{
    nfds_t count = 0;

    if (slots->room < slots->count) {
        slots->room = (size_t)slots->count * 2;
        slots->polls =
            mem_resize(slots->polls, slots->room, sizeof(*slots->polls));
    }
    for (struct ring *at = slots->all.next; at != &slots->all; at = at->next)
        slots->polls[count++] = (struct pollfd){
            .fd = OF(at, struct slot, all)->fd, .events = POLLRDHUP};
    if (poll(slots->polls, count, 0) < 0)
        for (nfds_t i = 0; i < count; i++)
            slots->polls[i].revents = 0;
}

/* Has it had its time? With one that is busy it is we who take it. Who has hung
 * up may have sent all of its request before: so that counts only when nothing
 * is left to be read, and not at first sight, when the last bytes may just be
 * on their way from recv() to us. */
static bool is_over(struct slot *slot, const struct pollfd *polled,
                    uint64_t now)
{
    bool was_gone = slot->gone;

    if (slot->deadline_ns == UINT64_MAX)
        return false;
    slot->gone = has_gone(slot->fd, polled->revents);
    return slot->deadline_ns <= now || (slot->gone && was_gone);
}

unsigned slots_tick(struct slots *slots)
{
    uint64_t now = clock_monotonic_ns();
    unsigned ended = 0;

    pthread_mutex_lock(&slots->lock);
    look(slots);
    const struct pollfd *polled = slots->polls;
    for (struct ring *at = slots->all.next; at != &slots->all; at = at->next) {
        struct slot *slot = OF(at, struct slot, all);

        if (is_over(slot, polled++, now)) {
            end_slot(slots, slot);
            ended++;
        }
    }
    pthread_mutex_unlock(&slots->lock);
    return ended;
}
