#include "guard.h"

#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "test.h"

#define IDLE_NS (50 * NS_PER_MS)

struct pair {
    int ours, theirs;
    struct guarded *guarded;
};

static struct pair pair_open(struct guard *guard)
{
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    return (struct pair){fds[0], fds[1], guard_add(guard, fds[0])};
}

static void pair_close(struct guard *guard, struct pair *pair)
{
    guard_remove(guard, pair->guarded);
    close(pair->ours);
    close(pair->theirs);
}

static bool is_open(const struct pair *pair)
{
    char c;

    return recv(pair->theirs, &c, 1, MSG_DONTWAIT) < 0;
}

TEST(who_says_nothing_is_ended)
{
    struct guard *guard = guard_new(IDLE_NS);
    struct pair pairs[3];

    for (int i = 0; i < 3; i++)
        pairs[i] = pair_open(guard);
    guard_pause(guard, pairs[1].guarded);
    guard_pause(guard, pairs[2].guarded);
    usleep(60000);
    CHECK_EQ(guard_tend(guard), 1);
    CHECK(!is_open(&pairs[0]) && is_open(&pairs[1]));
    CHECK_EQ(guard_tend(guard), 0); /* once */
    guard_renew(guard, pairs[1].guarded);
    usleep(60000);
    CHECK_EQ(guard_tend(guard), 1);
    CHECK(!is_open(&pairs[1]) && is_open(&pairs[2]));
    for (int i = 0; i < 3; i++)
        pair_close(guard, &pairs[i]);
    guard_free(guard);
}

TEST(few_bytes_put_the_end_off_a_little)
{
    struct guard *guard = guard_new(IDLE_NS);
    struct pair pair = pair_open(guard);

    for (int i = 0; i < 40; i++) /* a millisecond each */
        guard_progress(guard, pair.guarded, 1);
    usleep(100000);
    CHECK_EQ(guard_tend(guard), 1);
    pair_close(guard, &pair);
    guard_free(guard);
}

TEST(many_bytes_put_the_end_off_but_are_not_saved_up)
{
    struct guard *guard = guard_new(IDLE_NS);
    struct pair pair = pair_open(guard);

    usleep(60000); /* too late, but for what comes now */
    uint64_t begin = clock_monotonic_ns();
    guard_progress(guard, pair.guarded, (size_t)GUARD_SLOWEST * 3600);
    unsigned ended = guard_tend(guard);
    if (clock_monotonic_ns() - begin < IDLE_NS) /* on a machine that is busy */
        CHECK_EQ(ended, 0);
    usleep(60000);
    CHECK_EQ(ended + guard_tend(guard), 1);
    pair_close(guard, &pair);
    guard_free(guard);
}

TEST(who_has_gone_is_ended_the_second_time)
{
    struct guard *guard = guard_new(NS_PER_HOUR);
    struct pair left = pair_open(guard), unread = pair_open(guard),
                paused = pair_open(guard), there = pair_open(guard);
    struct pair *pairs[] = {&left, &unread, &paused, &there};
    char c;

    CHECK_EQ(write(unread.theirs, "x", 1), 1);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(shutdown(pairs[i]->theirs, SHUT_WR), 0);
    guard_pause(guard, paused.guarded);
    CHECK_EQ(guard_tend(guard), 0);
    guard_progress(guard, left.guarded, 1); /* it was not the last, then */
    CHECK_EQ(guard_tend(guard), 0);
    CHECK_EQ(guard_tend(guard), 1);
    CHECK(!is_open(&left) && is_open(&unread));
    CHECK_EQ(read(unread.ours, &c, 1), 1);
    CHECK_EQ(guard_tend(guard), 0);
    CHECK_EQ(guard_tend(guard), 1);
    CHECK(!is_open(&unread) && is_open(&paused) && is_open(&there));
    for (int i = 0; i < 4; i++)
        pair_close(guard, pairs[i]);
    guard_free(guard);
}
