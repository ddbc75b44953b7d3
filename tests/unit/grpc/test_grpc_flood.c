/* What a peer may send beside requests. */
#include "grpc_flood.h"

#include "clock.h"
#include "test.h"

enum { START = 1000 };

static unsigned frames_until_full(struct grpc_flood *flood, uint64_t now)
{
    unsigned count = 0;

    while (count < 10000 && grpc_flood_frames(flood, 1, now))
        count++;
    return count;
}

TEST(a_burst_and_a_rate)
{
    struct grpc_flood flood;

    grpc_flood_init(&flood, START);
    CHECK_EQ(frames_until_full(&flood, START), GRPC_FLOOD_BURST);
    CHECK_EQ(frames_until_full(&flood, START + NS_PER_S), GRPC_FLOOD_RATE);
    CHECK_EQ(frames_until_full(&flood, START + 500 * NS_PER_HOUR),
             GRPC_FLOOD_BURST);
}

/* grpc-go sends a PING for nearly every answer, thousands in a second. */
TEST(answers_pay_for_pings)
{
    struct grpc_flood flood;

    grpc_flood_init(&flood, START);
    for (int i = 0; i < 100000; i++) {
        CHECK(grpc_flood_frames(&flood, 1, START));
        grpc_flood_answer(&flood, 0);
    }
}

TEST(waste_is_bounded)
{
    struct grpc_flood flood;

    grpc_flood_init(&flood, START);
    grpc_flood_receive(&flood, GRPC_FLOOD_WASTE);
    CHECK(!grpc_flood_is_waste(&flood));
    grpc_flood_receive(&flood, 1);
    CHECK(grpc_flood_is_waste(&flood));
    grpc_flood_use(&flood, 100);
    CHECK(!grpc_flood_is_waste(&flood));
}

/* What is on the way for a request that was refused early. */
TEST(credit_of_a_refused_request_is_no_waste)
{
    struct grpc_flood flood;

    grpc_flood_init(&flood, START);
    for (int i = 0; i < 1000; i++) {
        grpc_flood_answer(&flood, 65535);
        grpc_flood_receive(&flood, 65535 + 100);
        CHECK(!grpc_flood_is_waste(&flood));
    }
}
