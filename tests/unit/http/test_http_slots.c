/* Who may connect, how long each may take, and who goes first. */
#include "http_slots.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "http_slots_int.h"
#include "test.h"

#define IDLE_NS (50 * NS_PER_MS)

struct pair {
    int ours, theirs;
    struct http_slot *slot;
};

static struct sockaddr_in v4(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET};

    CHECK_EQ(inet_pton(AF_INET, text, &address.sin_addr), 1);
    return address;
}

static struct pair pair_of(struct http_slots *slots, const char *address)
{
    struct sockaddr_in from = v4(address);
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    return (struct pair){
        fds[0], fds[1],
        slots_add(slots, fds[0], (const struct sockaddr *)&from)};
}

static struct pair pair_open(struct http_slots *slots)
{
    return pair_of(slots, "10.0.0.1");
}

static void pair_close(struct http_slots *slots, struct pair *pair)
{
    slots_remove(slots, pair->slot);
    close(pair->ours);
    close(pair->theirs);
}

static bool is_open(const struct pair *pair)
{
    char c;

    return recv(pair->theirs, &c, 1, MSG_DONTWAIT) < 0;
}

static bool admits(struct http_slots *slots, const char *address)
{
    struct sockaddr_in from = v4(address);

    return slots_admit(slots, (const struct sockaddr *)&from);
}

TEST(idle_connections_end)
{
    struct http_slots *slots = slots_new(10, 2, IDLE_NS);
    struct pair pairs[3];

    for (int i = 0; i < 3; i++)
        pairs[i] = pair_open(slots);
    slot_busy(pairs[1].slot);
    slot_busy(pairs[2].slot);
    test_pause_us(60000);
    CHECK_EQ(slots_check_deadlines(slots), 1);
    CHECK(!is_open(&pairs[0]) && is_open(&pairs[1]));
    CHECK_EQ(slots_check_deadlines(slots), 0); /* once */
    slot_idle(pairs[1].slot);
    test_pause_us(60000);
    CHECK_EQ(slots_check_deadlines(slots), 1);
    CHECK(!is_open(&pairs[1]) && is_open(&pairs[2]));
    for (int i = 0; i < 3; i++)
        pair_close(slots, &pairs[i]);
    slots_free(slots);
}

TEST(a_body_that_stops_ends)
{
    struct http_slots *slots = slots_new(10, 2, IDLE_NS);
    struct pair pair = pair_open(slots);

    slot_body(pair.slot, 1000000);
    slot_progress(pair.slot, 900000);
    test_pause_us(60000); /* nothing for longer than the idle time */
    CHECK_EQ(slots_check_deadlines(slots), 1);
    pair_close(slots, &pair);
    slots_free(slots);
}

/* A body that is made while it is sent: each byte gives its client as long as
 * it takes at the least rate, and what it did not use is kept. */
TEST(a_client_that_reads_slower_than_the_least_rate_ends)
{
    struct http_slots *slots = slots_new(10, 2, IDLE_NS);
    struct pair slow = pair_open(slots), steady = pair_open(slots);
    struct pair *pairs[] = {&slow, &steady};
    uint64_t first;

    for (int i = 0; i < 2; i++) {
        first = clock_monotonic_ns() +
                (SLOT_HEAD_S + 1) * NS_PER_S; /* and a second of its own */
        slot_sending(pairs[i]->slot, SLOT_MIN_RATE);
        CHECK(pairs[i]->slot->deadline_ns >= first);
        CHECK(pairs[i]->slot->deadline_ns < first + NS_PER_S);
    }
    /* A minute goes by, within which each second brings that many bytes. */
    for (int second = 0; second < 60; second++) {
        slot_sent(slow.slot, SLOT_MIN_RATE * 8 / 10);
        slot_sent(steady.slot, SLOT_MIN_RATE);
        for (int i = 0; i < 2; i++)
            if (is_open(pairs[i]))
                pairs[i]->slot->deadline_ns -= NS_PER_S;
        slots_check_deadlines(slots);
        CHECK(second > 50 || is_open(&slow));
        CHECK(is_open(&steady));
    }
    CHECK(!is_open(&slow));
    CHECK(is_open(&steady));
    /* What came before counts as long as it lasts. */
    slot_sent(steady.slot, 30 * SLOT_MIN_RATE);
    steady.slot->deadline_ns -= 40 * NS_PER_S;
    CHECK_EQ(slots_check_deadlines(slots), 0);
    steady.slot->deadline_ns -= 2 * NS_PER_S;
    CHECK_EQ(slots_check_deadlines(slots), 1);
    pair_close(slots, &slow);
    pair_close(slots, &steady);
    slots_free(slots);
}

TEST(who_has_gone_is_ended_the_second_time)
{
    struct http_slots *slots = slots_new(10, 2, NS_PER_HOUR);
    struct pair left = pair_open(slots), unread = pair_open(slots),
                busy = pair_open(slots), there = pair_open(slots);
    struct pair *pairs[] = {&left, &unread, &busy, &there};
    char c;

    slot_body(left.slot, 0);
    CHECK_EQ(write(unread.theirs, "x", 1), 1);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(shutdown(pairs[i]->theirs, SHUT_WR), 0);
    slot_busy(busy.slot);
    CHECK(slot_is_disconnected(busy.slot) &&
          !slot_is_disconnected(there.slot) &&
          !slot_is_disconnected(unread.slot));
    CHECK_EQ(slots_check_deadlines(slots), 0);
    slot_progress(left.slot, 1); /* it was not the last, then */
    CHECK_EQ(slots_check_deadlines(slots), 0);
    CHECK_EQ(slots_check_deadlines(slots), 1);
    CHECK(!is_open(&left) && is_open(&unread));
    CHECK_EQ(read(unread.ours, &c, 1), 1);
    CHECK_EQ(slots_check_deadlines(slots), 0);
    CHECK_EQ(slots_check_deadlines(slots), 1);
    CHECK(!is_open(&unread) && is_open(&busy) && is_open(&there));
    for (int i = 0; i < 4; i++)
        pair_close(slots, pairs[i]);
    slots_free(slots);
}

/* One address may have seven eighths of 16; the last two are for others. */
TEST(nearly_full_the_idle_of_who_holds_most_go_first)
{
    struct http_slots *slots = slots_new(16, 2, NS_PER_HOUR);
    struct pair greedy[13], modest, next;

    modest = pair_of(slots, "10.0.0.9"); /* idle for longest */
    for (int i = 0; i < 13; i++) {
        CHECK(admits(slots, "10.0.0.1"));
        greedy[i] = pair_open(slots);
    }
    CHECK(admits(slots, "10.0.0.7"));
    next = pair_of(slots, "10.0.0.7");
    CHECK(is_open(&modest) && !is_open(&greedy[0]) && is_open(&greedy[1]));
    CHECK(!slot_is_reserved(next.slot));
    for (int i = 0; i < 13; i++)
        pair_close(slots, &greedy[i]);
    pair_close(slots, &modest);
    pair_close(slots, &next);
    slots_free(slots);
}

TEST(without_idle_ones_the_last_eighth_is_for_others_and_the_reserve_for_all)
{
    struct http_slots *slots = slots_new(16, 2, NS_PER_HOUR);
    struct pair pairs[18];
    int count = 0;

    for (; count < 14; count++) {
        CHECK(admits(slots, "10.0.0.1"));
        pairs[count] = pair_open(slots);
        slot_head(pairs[count].slot);
    }
    CHECK(admits(slots, "10.0.0.2"));
    pairs[count] = pair_of(slots, "10.0.0.2");
    CHECK(!slot_is_reserved(pairs[count].slot));
    slot_head(pairs[count++].slot);
    for (int i = 0; i < 2; i++) {
        CHECK(admits(slots, "10.0.0.1"));
        pairs[count] = pair_open(slots);
        CHECK(slot_is_reserved(pairs[count].slot));
        slot_head(pairs[count++].slot);
    }
    CHECK(!admits(slots, "10.0.0.1"));
    test_pause_us(300000);
    CHECK(admits(slots, "10.0.0.1")); /* who took long in the reserve goes */
    CHECK(!is_open(&pairs[15]) && is_open(&pairs[16]) && is_open(&pairs[0]));
    test_pause_us(800000);
    CHECK(admits(slots, "10.0.0.1")); /* and who takes long for a head */
    CHECK(!is_open(&pairs[0]) && is_open(&pairs[1]));
    pairs[count] = pair_open(slots);
    CHECK(!slot_is_reserved(pairs[count++].slot));
    while (count > 0)
        pair_close(slots, &pairs[--count]);
    slots_free(slots);
}

/* Every other one begins a head: those stay, and the idle ones go for others.
 */
TEST(the_reserve_is_not_used_up_by_who_ends_idle_ones_of_it)
{
    struct http_slots *slots = slots_new(16, 2, NS_PER_HOUR);
    struct pair pairs[60];
    int count = 0, open = 0;

    for (int i = 0; i < 60; i++) {
        if (!admits(slots, "10.0.0.1"))
            continue;
        pairs[count] = pair_open(slots);
        if (i % 2)
            slot_head(pairs[count].slot);
        count++;
    }
    for (int i = 0; i < count; i++)
        open += is_open(&pairs[i]);
    CHECK_EQ(open, 14 + 2);
    CHECK(admits(slots, "10.0.0.2"));
    while (count > 0)
        pair_close(slots, &pairs[--count]);
    slots_free(slots);
}

TEST(of_few_slots_one_is_for_others)
{
    struct http_slots *slots = slots_new(2, 0, NS_PER_HOUR);
    struct pair pair;

    CHECK(admits(slots, "10.0.0.1"));
    pair = pair_open(slots);
    slot_head(pair.slot);
    CHECK(!admits(slots, "10.0.0.1"));
    CHECK(admits(slots, "10.0.0.2"));
    pair_close(slots, &pair);
    slots_free(slots);
}

TEST(the_slowest_body_of_who_holds_most)
{
    struct http_slots *slots = slots_new(16, 2, NS_PER_HOUR);
    struct pair slow = pair_open(slots), fast = pair_open(slots),
                other = pair_of(slots, "10.0.0.2");
    struct pair *pairs[] = {&slow, &fast, &other};

    CHECK(slots_slowest_body(slots, false) == NULL);
    for (int i = 0; i < 3; i++) {
        slot_body(pairs[i]->slot, 1 << 20);
        slot_progress(pairs[i]->slot, i == 1 ? 100000 : 10);
        slot_hold(pairs[i]->slot, i == 2 ? 150000 : 100000, pairs[i]);
    }
    CHECK(slots_slowest_body(slots, false) == &slow);
    CHECK(slots_slowest_body(slots, true) == NULL); /* it has just begun */
    test_pause_us(1100000);
    CHECK(slots_slowest_body(slots, true) == &slow);
    slot_hold(slow.slot, 0, NULL);
    CHECK(slots_slowest_body(slots, true) == &other);
    for (int i = 0; i < 3; i++)
        pair_close(slots, pairs[i]);
    slots_free(slots);
}

TEST(what_a_tenant_holds_counts_for_it)
{
    struct tenants *tenants = tenants_new();
    struct tenant *a = tenants_find(tenants, SLICE("a"));
    struct tenant *b = tenants_find(tenants, SLICE("b"));
    struct http_slots *slots = slots_new(16, 2, NS_PER_HOUR);
    struct pair a1 = pair_of(slots, "10.0.0.1"),
                a2 = pair_of(slots, "10.0.0.2"),
                b1 = pair_of(slots, "10.0.0.1");
    struct pair *pairs[] = {&a1, &a2, &b1};

    for (int i = 0; i < 3; i++) {
        slot_head(pairs[i]->slot);
        CHECK(slot_authorized(pairs[i]->slot, i < 2 ? a : b));
        slot_body(pairs[i]->slot, 1 << 20);
        slot_progress(pairs[i]->slot, i == 1 ? 10 : 100000);
        slot_hold(pairs[i]->slot, 100000, pairs[i]);
    }
    CHECK_EQ(budget_used(tenant_memory(a, TENANT_INGEST)), 200000);
    CHECK(slots_slowest_body(slots, false) == &a2);
    CHECK(slots_slowest_of_own(b1.slot) == &b1);
    CHECK(slots_slowest_of_greedy(b1.slot) == NULL); /* not twice as much */
    slot_hold(b1.slot, 1000, &b1);
    CHECK(slots_slowest_of_greedy(b1.slot) == &a2); /* however fast */
    CHECK(slots_slowest_of_greedy(a1.slot) == NULL);
    CHECK(slot_authorized(a2.slot, b)); /* another credential on it */
    CHECK_EQ(budget_used(tenant_memory(a, TENANT_INGEST)), 100000);
    CHECK_EQ(budget_used(tenant_memory(b, TENANT_INGEST)), 101000);
    CHECK(slots_slowest_body(slots, false) == &a2);
    for (int i = 0; i < 3; i++)
        pair_close(slots, pairs[i]);
    CHECK_EQ(budget_used(tenant_memory(a, TENANT_INGEST)), 0);
    CHECK_EQ(tenant_connections(a, 0), 0);
    CHECK_EQ(tenant_connections(b, 0), 0);
    slots_free(slots);
    tenants_free(tenants);
}

TEST(a_tenant_has_a_quarter_of_the_connections)
{
    struct tenants *tenants = tenants_new();
    struct tenant *a = tenants_find(tenants, SLICE("a"));
    struct http_slots *slots = slots_new(16, 2, NS_PER_HOUR);
    struct pair pairs[6];

    for (int i = 0; i < 4; i++) {
        pairs[i] = pair_open(slots);
        slot_head(pairs[i].slot);
        CHECK(slot_authorized(pairs[i].slot, a));
        if (i < 2)
            slot_idle(pairs[i].slot);
        else
            slot_busy(pairs[i].slot);
    }
    for (int i = 4; i < 6; i++) { /* each closes an idle one */
        CHECK(is_open(&pairs[i - 4]));
        pairs[i] = pair_open(slots);
        slot_head(pairs[i].slot);
        CHECK(slot_authorized(pairs[i].slot, a));
        slot_busy(pairs[i].slot);
        CHECK(!is_open(&pairs[i - 4]));
    }
    for (int i = 0; i < 2; i++)
        pair_close(slots, &pairs[i]);
    pairs[0] = pair_open(slots);
    slot_head(pairs[0].slot);
    slot_busy(pairs[0].slot);
    CHECK(!slot_authorized(pairs[0].slot, a)); /* none is idle */
    CHECK(slot_authorized(pairs[0].slot, NULL));
    for (int i = 0; i < 6; i++)
        if (i != 1)
            pair_close(slots, &pairs[i]);
    slots_free(slots);
    tenants_free(tenants);
}

TEST(strangers_have_half_and_an_eighth_of_one_address)
{
    struct http_slots *slots = slots_new(32, 2, NS_PER_HOUR);
    struct pair pairs[18];
    char address[32];

    slots_ask(slots);
    for (int i = 0; i < 4; i++) {
        CHECK(admits(slots, "10.0.0.1"));
        pairs[i] = pair_open(slots);
    }
    CHECK(admits(slots, "10.0.0.1")); /* in place of the oldest */
    CHECK(!is_open(&pairs[0]));
    pairs[16] = pair_open(slots);
    for (int i = 4; i < 16; i++) {
        snprintf(address, sizeof(address), "10.0.1.%d", i);
        CHECK(admits(slots, address));
        pairs[i] = pair_of(slots, address);
    }
    slot_head(pairs[1].slot);
    CHECK(slot_authorized(pairs[1].slot, NULL));
    CHECK(admits(slots, "10.0.0.2"));
    CHECK(is_open(&pairs[2]));
    pairs[17] = pair_of(slots, "10.0.0.2");
    CHECK(admits(slots, "10.0.0.3"));
    CHECK(is_open(&pairs[1])); /* a request of it was authorised */
    CHECK(!is_open(&pairs[2]));
    for (int i = 0; i < 18; i++)
        pair_close(slots, &pairs[i]);
    slots_free(slots);
}
