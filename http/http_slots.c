/*
 * The states of connections and their deadlines (http_slots.h).
 *
 * All connections are in one list, walked once a second: with ten thousand
 * connections that takes less time than a request, and needs no order by
 * deadline, which every piece of a body would change.
 */
#define _GNU_SOURCE /* POLLRDHUP */
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "buf.h"
#include "clock.h"
#include "http_slots_int.h"
#include "mem.h"

enum { DRAIN_MAX = 256 * 1024 };

struct http_slots *slots_new(uint32_t max, uint32_t reserve, uint64_t idle_ns)
{
    struct http_slots *slots = mem_zero(1, sizeof(*slots));

    pthread_mutex_init(&slots->lock, NULL);
    ring_init(&slots->all);
    ring_init(&slots->holders);
    ring_init(&slots->watched);
    ring_init(&slots->in_reserve);
    slots->max = max;
    slots->reserve = reserve;
    slots->idle_ns = idle_ns;
    return slots;
}

void slots_free(struct http_slots *slots)
{
    if (!slots)
        return;
    pthread_mutex_destroy(&slots->lock);
    free(slots->polls);
    free(slots);
}

/* ---- a connection ---- */

/* An idle connection may be closed for a new one, but not one of the reserve:
 * the new one takes an ordinary slot, so this would use up the reserve. */
static void join_idle(struct http_slot *slot, enum idle_kind kind)
{
    if (!slot->closing && !slot->reserved)
        ring_add(&slot->holder->idle[kind], &slot->idle);
}

struct http_slot *slots_add(struct http_slots *slots, int fd,
                            const struct sockaddr *from)
{
    struct http_slot *slot = mem_zero(1, sizeof(*slot));
    struct http_address group = slots_group_of(from);

    slot->slots = slots;
    slot->fd = fd;
    ring_init(&slot->idle);
    ring_init(&slot->watched);
    ring_init(&slot->in_reserve);
    pthread_mutex_lock(&slots->lock);
    slot->peer = slot->holder = slots_ref_holder(slots, &group);
    slot->peer->unknown++;
    slots->unknown++;
    slot->reserved = slots->next_reserved;
    slot->since_ns = clock_monotonic_ns();
    slot->deadline_ns =
        slot->since_ns +
        (slot->reserved ? SLOT_RESERVED_S * NS_PER_S : slots->idle_ns);
    slot->reserved_counted = slot->reserved;
    slots->reserved += slot->reserved;
    if (slot->reserved)
        ring_add(&slots->in_reserve, &slot->in_reserve);
    slots->next_reserved = false;
    ring_add(&slots->all, &slot->all);
    join_idle(slot, NEVER_USED);
    slots->count++;
    slots_count_file(1);
    pthread_mutex_unlock(&slots->lock);
    return slot;
}

/* What it holds counts there no more. */
static void leave_holder(struct http_slot *slot)
{
    slot->holder->body_bytes -= slot->body_bytes;
    slot->holder->unsent_bytes -= slot->unsent_bytes;
    if (slot->holder != slot->peer)
        slots_unref_holder(slot->slots, slot->holder);
    slot->holder = slot->peer;
    if (!slot->tenant)
        return;
    (void)tenant_connections(slot->tenant, -1);
    budget_give(tenant_memory(slot->tenant, TENANT_INGEST), slot->body_bytes);
    slot->tenant = NULL;
}

void slots_remove(struct http_slots *slots, struct http_slot *slot)
{
    pthread_mutex_lock(&slots->lock);
    ring_remove(&slot->all);
    ring_remove(&slot->idle);
    ring_remove(&slot->watched);
    slots->count--;
    slots_count_file(-1);
    slots->closing -= slot->closing;
    slots->reserved -= slot->reserved_counted;
    ring_remove(&slot->in_reserve);
    slot_become_known(slot);
    leave_holder(slot);
    slots_unref_holder(slots, slot->peer);
    pthread_mutex_unlock(&slots->lock);
    free(slot);
}

struct http_address slot_address(const struct http_slot *slot)
{
    return slot->peer->key;
}

struct http_address http_tenant_key(const struct tenant *tenant)
{
    /* No address begins like that: ff00::/8 are groups. */
    struct http_address key = {.bytes = {0xff, 0xff}};

    store_le((char *)key.bytes + 8, tenant_number(tenant), 4);
    return key;
}

void slots_ask(struct http_slots *slots)
{
    slots->asks = true;
}

/* Moves it to the holder of its tenant, or back to that of its address. */
static void join_tenant(struct http_slot *slot, struct tenant *tenant)
{
    bool is_namespace = tenant_is_namespace(tenant);
    struct http_address key =
        is_namespace ? http_tenant_key(tenant) : slot->peer->key;

    ring_remove(&slot->idle);
    leave_holder(slot);
    if (is_namespace)
        slot->holder = slots_ref_holder(slot->slots, &key);
    slot->holder->body_bytes += slot->body_bytes;
    slot->holder->unsent_bytes += slot->unsent_bytes;
    slot->tenant = tenant;
    if (!tenant)
        return;
    (void)tenant_connections(tenant, 1);
    budget_force(tenant_memory(tenant, TENANT_INGEST), slot->body_bytes);
}

bool slot_authorized(struct http_slot *slot, struct tenant *tenant)
{
    struct http_slots *slots = slot->slots;
    bool fits = true;

    pthread_mutex_lock(&slots->lock);
    slot_become_known(slot);
    if (slot->tenant != tenant) {
        join_tenant(slot, tenant);
        if (slot->state == SLOT_HEAD)
            join_idle(slot, WITHIN_HEAD);
    }
    if (tenant_is_namespace(tenant) && !slot->reserved) {
        uint64_t most = tenant_limit(tenant, LIMIT_CONNECTIONS,
                                     slots->max < 4 ? 1 : slots->max / 4);

        fits = slot->holder->count <= most || slots_close_idle_of(slot->holder);
    }
    pthread_mutex_unlock(&slots->lock);
    return fits;
}

bool slot_is_reserved(const struct http_slot *slot)
{
    return slot->reserved;
}

static bool is_closed_by_peer(int fd, int events)
{
    int unread = 0;

    return (events & (POLLRDHUP | POLLHUP | POLLERR)) &&
           ioctl(fd, FIONREAD, &unread) == 0 && unread == 0;
}

bool slot_is_disconnected(const struct http_slot *slot)
{
    struct pollfd polled = {.fd = slot->fd, .events = POLLRDHUP};

    return poll(&polled, 1, 0) > 0 &&
           is_closed_by_peer(slot->fd, polled.revents);
}

void slot_drain(const struct http_slot *slot)
{
    char bytes[16 * 1024];
    bool closing;

    pthread_mutex_lock(&slot->slots->lock); /* the timer closes some */
    closing = slot->closing;
    pthread_mutex_unlock(&slot->slots->lock);
    if (closing)
        return;
    for (int most = DRAIN_MAX; most > 0; most -= (int)sizeof(bytes))
        if (recv(slot->fd, bytes, sizeof(bytes), MSG_DONTWAIT) <= 0)
            return;
}

/* ---- its states; the caller holds the lock ---- */

static void enter(struct http_slot *slot, enum slot_state state)
{
    slot->state = state;
    slot->since_ns = clock_monotonic_ns();
    slot->disconnected = false;
    ring_remove(&slot->idle);
    slot->holder->unsent_bytes -= slot->unsent_bytes;
    slot->unsent_bytes = 0;
}

static void set_deadline(struct http_slot *slot, uint64_t ns)
{
    if (!slot->closing)
        slot->deadline_ns = ns;
}

void slot_idle(struct http_slot *slot)
{
    pthread_mutex_lock(&slot->slots->lock);
    enter(slot, SLOT_IDLE);
    set_deadline(slot, slot->since_ns + slot->slots->idle_ns);
    join_idle(slot, slot->used ? BETWEEN_REQUESTS : NEVER_USED);
    pthread_mutex_unlock(&slot->slots->lock);
}

/* For a handshake, or a head. */
static uint64_t head_time(const struct http_slot *slot)
{
    uint64_t most = (slot->reserved ? SLOT_RESERVED_S : SLOT_HEAD_S) * NS_PER_S;

    return slot->slots->idle_ns < most ? slot->slots->idle_ns : most;
}

/* It stays among those that were never used, which are closed first. */
void slot_handshake(struct http_slot *slot)
{
    pthread_mutex_lock(&slot->slots->lock);
    set_deadline(slot, slot->since_ns + head_time(slot));
    pthread_mutex_unlock(&slot->slots->lock);
}

void slot_secured(struct http_slot *slot)
{
    if (!slot->reserved)
        slot_idle(slot);
}

void slot_head(struct http_slot *slot)
{
    uint64_t most = head_time(slot);

    pthread_mutex_lock(&slot->slots->lock);
    enter(slot, SLOT_HEAD);
    slot->used = true;
    set_deadline(slot, slot->since_ns + most);
    join_idle(slot, WITHIN_HEAD);
    pthread_mutex_unlock(&slot->slots->lock);
}

/* Bytes per second at which a body must arrive. Without a known length it is a
 * thirtieth of what has arrived: then only the time counts until SLOT_MIN_RATE
 * does. */
static uint64_t min_rate_of(const struct http_slot *slot)
{
    uint64_t length = slot->length ? slot->length : slot->received;
    uint64_t pace = length / 30 + 1;

    return pace < SLOT_MIN_RATE ? pace : SLOT_MIN_RATE;
}

static void set_body_deadline(struct http_slot *slot, uint64_t now)
{
    double earned =
        (double)slot->received / (double)min_rate_of(slot) * (double)NS_PER_S;
    uint64_t deadline =
        slot->body_start_ns + SLOT_BODY_S * NS_PER_S + (uint64_t)earned;

    if (deadline > now + slot->slots->idle_ns)
        deadline = now + slot->slots->idle_ns;
    set_deadline(slot, deadline);
}

void slot_body(struct http_slot *slot, uint64_t length)
{
    pthread_mutex_lock(&slot->slots->lock);
    enter(slot, SLOT_BODY);
    slot->length = length;
    slot->received = 0;
    slot->body_start_ns = slot->since_ns;
    set_body_deadline(slot, slot->since_ns);
    pthread_mutex_unlock(&slot->slots->lock);
}

void slot_progress(struct http_slot *slot, size_t bytes)
{
    pthread_mutex_lock(&slot->slots->lock);
    uint64_t now = clock_monotonic_ns();
    if (slot->state == SLOT_BUSY) { /* it waited for memory */
        slot->body_start_ns += now - slot->since_ns;
        enter(slot, SLOT_BODY);
    }
    slot->disconnected = false;
    slot->received += bytes;
    set_body_deadline(slot, now);
    pthread_mutex_unlock(&slot->slots->lock);
}

void slot_busy(struct http_slot *slot)
{
    pthread_mutex_lock(&slot->slots->lock);
    enter(slot, SLOT_BUSY);
    set_deadline(slot, UINT64_MAX);
    pthread_mutex_unlock(&slot->slots->lock);
}

void slot_sending(struct http_slot *slot, size_t bytes)
{
    pthread_mutex_lock(&slot->slots->lock);
    enter(slot, SLOT_SENDING);
    slot->unsent_bytes = bytes;
    slot->holder->unsent_bytes += bytes;
    set_deadline(slot, slot->since_ns + SLOT_HEAD_S * NS_PER_S +
                           (uint64_t)bytes * NS_PER_S / SLOT_MIN_RATE);
    pthread_mutex_unlock(&slot->slots->lock);
}

void slot_sent(struct http_slot *slot, size_t bytes)
{
    pthread_mutex_lock(&slot->slots->lock);
    set_deadline(slot, slot->deadline_ns +
                           (uint64_t)bytes * NS_PER_S / SLOT_MIN_RATE);
    pthread_mutex_unlock(&slot->slots->lock);
}

void slot_hold(struct http_slot *slot, size_t bytes, void *owner)
{
    pthread_mutex_lock(&slot->slots->lock);
    slot->holder->body_bytes += bytes - slot->body_bytes;
    if (slot->tenant) {
        struct budget *memory = tenant_memory(slot->tenant, TENANT_INGEST);

        budget_force(memory, bytes);
        budget_give(memory, slot->body_bytes);
    }
    slot->body_bytes = bytes;
    slot->owner = owner;
    pthread_mutex_unlock(&slot->slots->lock);
}

/* ---- clients that closed the connection during a query ---- */

void slot_watch_disconnect(struct http_slot *slot, atomic_bool *disconnected)
{
    pthread_mutex_lock(&slot->slots->lock);
    slot->disconnect_flag = disconnected;
    ring_remove(&slot->watched);
    if (disconnected)
        ring_add(&slot->slots->watched, &slot->watched);
    pthread_mutex_unlock(&slot->slots->lock);
}

unsigned slots_check_watched(struct http_slots *slots)
{
    struct http_slot *slot;
    unsigned count = 0;

    pthread_mutex_lock(&slots->lock);
    ring_each(slot, &slots->watched, struct http_slot, watched) {
        count++;
        if (slot_is_disconnected(slot))
            atomic_store(slot->disconnect_flag, true);
    }
    pthread_mutex_unlock(&slots->lock);
    return count;
}

/* ---- once a second ---- */

/* Polls all of them with one system call. */
static void poll_all(struct http_slots *slots)
{
    struct http_slot *slot;
    nfds_t count = 0;

    if (slots->room < slots->count) {
        slots->room = (size_t)slots->count * 2;
        slots->polls =
            mem_resize(slots->polls, slots->room, sizeof(*slots->polls));
    }
    ring_each(slot, &slots->all, struct http_slot, all)
        slots->polls[count++] =
            (struct pollfd){.fd = slot->fd, .events = POLLRDHUP};
    if (poll(slots->polls, count, 0) < 0)
        for (nfds_t i = 0; i < count; i++)
            slots->polls[i].revents = 0;
}

/* Whether a connection is to be closed. The time of a busy one is the server's.
 * A client that has closed its side may have sent its whole request before: so
 * that counts only when no byte is left to be read, and not at the first check,
 * when the last bytes may be on their way from recv() to the callbacks. */
static bool is_expired(struct http_slot *slot, const struct pollfd *polled,
                       uint64_t now)
{
    bool was_gone = slot->disconnected;

    if (slot->deadline_ns == UINT64_MAX)
        return false;
    slot->disconnected = is_closed_by_peer(slot->fd, polled->revents);
    return slot->deadline_ns <= now || (slot->disconnected && was_gone);
}

unsigned slots_check_deadlines(struct http_slots *slots)
{
    uint64_t now = clock_monotonic_ns();
    struct http_slot *slot;
    unsigned ended = 0;

    pthread_mutex_lock(&slots->lock);
    poll_all(slots);
    const struct pollfd *polled = slots->polls;
    ring_each(slot, &slots->all, struct http_slot, all) {
        if (is_expired(slot, polled++, now)) {
            slot_close(slot);
            ended++;
        }
    }
    pthread_mutex_unlock(&slots->lock);
    return ended;
}
