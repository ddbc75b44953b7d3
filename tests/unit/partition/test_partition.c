/*
 * What is stored after crashes, takeovers, failures and lost answers at any
 * step is what one instance stores to which nothing happens.
 */
#include "partition_world.h"

/* No partition has an idle block in it before the end. */
#define NO_WALL UINT64_C(1)

/* Long after all messages, and never the same. */
static uint64_t end_ns(void)
{
    static uint64_t calls;

    return KIT_TIME + NS_PER_HOUR + ++calls * NS_PER_S;
}

/* Until everything is committed, and what waits has expired. */
static void run_to_end(uint32_t number)
{
    for (int i = 0; i < 20000 && !world_is_done(); i++)
        world_run(number, NO_WALL);
    CHECK(world_is_done());
    for (int i = 0; i < 200; i++)
        world_run(number, end_ns());
}

static struct sums *run_without_faults(void)
{
    struct sums *stored;

    world_rewind();
    world_open(0);
    world_assign(0, 0);
    world_assign(1, 0);
    run_to_end(0);
    world_close(0);
    stored = world.stored;
    world.stored = sums_new();
    world_rewind();
    return stored;
}

static void check_each_span_once(struct sums *stored)
{
    uint32_t spans = 0;

    for (uint32_t i = 0; i < stored->count; i++)
        if (strncmp(stored->at[i].text, "span ", 5) == 0) {
            CHECK_EQ(stored->at[i].value, 1);
            spans++;
        }
    CHECK_EQ(spans, world.log[0].spans.count + world.log[1].spans.count);
}

/* The instance is killed: another process takes its place. */
static void replace(uint32_t number)
{
    world_close(number);
    world_open(number);
    for (uint32_t p = 0; p < WORLD_PARTITIONS; p++)
        if (world.log[p].owner == number)
            world_assign(p, number);
}

TEST(one_instance_that_crashes)
{
    for (int i = 0; i < 10; i++) {
        struct sums *expected;

        world_fill(25, 200);
        expected = run_without_faults();
        check_each_span_once(expected);
        world.faults = 10;
        world_open(0);
        world_assign(0, 0);
        world_assign(1, 0);
        for (int life = 0; life < 25; life++) {
            world.instances[0].dies_in = 1 + test_random(30);
            for (int k = 0; k < 400 && !world.instances[0].dead; k++)
                world_run(0, life > 18 ? end_ns() : NO_WALL);
            replace(0);
            if (world_is_done() && life < 18)
                life = 18; /* crashes while it is idle */
        }
        run_to_end(0);
        CHECK(sums_equal(expected, world.stored));
        world_close(0);
        sums_free(expected);
        world_empty();
    }
}

/* At each of the steps of idle blocks. */
TEST(crashes_while_it_is_idle)
{
    for (uint32_t step = 1; step <= 24; step++) {
        struct sums *expected;

        world_fill(60, 60);
        expected = run_without_faults();
        world_open(0);
        world_assign(0, 0);
        world_assign(1, 0);
        for (int i = 0; i < 20000 && !world_is_done(); i++)
            world_run(0, NO_WALL);
        world.instances[0].dies_in = 1 + step % 12;
        for (int i = 0; i < 60; i++)
            world_run(0, end_ns());
        replace(0);
        run_to_end(0);
        CHECK(sums_equal(expected, world.stored));
        world_close(0);
        sums_free(expected);
        world_empty();
    }
}

/* Partitions move, gracefully or lost; the old owner goes on for a while as if
 * nothing had happened. */
TEST(two_instances_that_take_partitions_from_each_other)
{
    for (int i = 0; i < 10; i++) {
        struct sums *expected;

        world_fill(25, 200);
        expected = run_without_faults();
        world.faults = 12;
        for (uint32_t n = 0; n < 2; n++)
            world_open(n);
        world_assign(0, 0);
        world_assign(1, 1);
        for (int move = 0; move < 30; move++) {
            uint32_t from = test_random(2), to = test_random(2);

            for (uint32_t k = test_random(60); k > 0; k--)
                world_run(test_random(2), NO_WALL);
            switch (test_random(4)) {
            case 0: /* all of one to the other, in order */
                partition_revoked(world.instances[from].tasks, false);
                break;
            case 1: /* a zombie: it learns of it later */
                break;
            default:
                partition_revoked(world.instances[from].tasks, true);
            }
            for (uint32_t p = 0; p < WORLD_PARTITIONS; p++)
                if (world.log[p].owner == from)
                    world_assign(p, to);
            if (test_random(4) == 0)
                replace(from);
        }
        for (uint32_t p = 0; p < WORLD_PARTITIONS; p++)
            world_assign(p, 0);
        run_to_end(0);
        CHECK(sums_equal(expected, world.stored));
        world_close(0);
        world_close(1);
        sums_free(expected);
        world_empty();
    }
}

/* A revocation leaves nothing to read again. */
TEST(revoked_is_stored)
{
    world_fill(10, 100);
    world_open(0);
    world_assign(0, 0);
    world_assign(1, 0);
    for (int i = 0; i < 10; i++)
        world_run(0, NO_WALL);
    partition_revoked(world.instances[0].tasks, false);
    for (uint32_t p = 0; p < WORLD_PARTITIONS; p++) {
        char wanted[64];

        CHECK_EQ(world.log[p].committed, world.log[p].delivered);
        snprintf(wanted, sizeof(wanted), "callboard block checkpoint=%llu",
                 (unsigned long long)world.log[p].delivered);
        CHECK_EQ(strcmp(world.log[p].metadata, wanted), 0);
    }
    CHECK_EQ(partition_state(world.instances[0].tasks, world.log[0].epoch),
             PARTITION_GONE);
    world_close(0);
    world_empty();
}

/* The database is away: the block waits, the task is full, a note says so. */
TEST(waits_for_the_store)
{
    struct buf note;

    world_fill(40, 20);
    world_open(0);
    world_assign(0, 0);
    world_assign(1, 0);
    world.instances[0].dead = true;
    for (int i = 0; i < 300; i++)
        world_run(0, NO_WALL);
    CHECK_EQ(partition_state(world.instances[0].tasks, world.log[0].epoch),
             PARTITION_FULL);
    CHECK(world.log[0].delivered < world.log[0].messages);
    buf_init(&note, 4096);
    CHECK(partition_note(world.instances[0].tasks, &note));
    buf_release(&note);
    world.instances[0].dead = false;
    run_to_end(0);
    check_each_span_once(world.stored);
    CHECK(!partition_note(world.instances[0].tasks, &note));
    world_close(0);
    world_empty();
}
