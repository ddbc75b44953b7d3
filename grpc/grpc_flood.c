#include "grpc_flood.h"

#include "clock.h"

void grpc_flood_init(struct grpc_flood *flood, uint64_t now_ns)
{
    *flood = (struct grpc_flood){.since_ns = now_ns,
                                 .tokens = GRPC_FLOOD_BURST * NS_PER_S};
}

static void add(struct grpc_flood *flood, uint64_t tokens)
{
    uint64_t most = GRPC_FLOOD_BURST * NS_PER_S;

    flood->tokens =
        tokens > most - flood->tokens ? most : flood->tokens + tokens;
}

bool grpc_flood_frames(struct grpc_flood *flood, unsigned frames,
                       uint64_t now_ns)
{
    uint64_t cost = frames * NS_PER_S, passed = now_ns - flood->since_ns;

    /* More than a minute fills it. */
    add(flood, (passed < NS_PER_MIN ? passed : NS_PER_MIN) * GRPC_FLOOD_RATE);
    flood->since_ns = now_ns;
    if (flood->tokens < cost)
        return false;
    flood->tokens -= cost;
    return true;
}

void grpc_flood_answer(struct grpc_flood *flood, uint64_t credit)
{
    add(flood, GRPC_FLOOD_PER_ANSWER * NS_PER_S);
    flood->useful += GRPC_FLOOD_OVERHEAD + credit;
}
