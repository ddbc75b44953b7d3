/*
 * grpc_flood - bounds what a peer can make the server do without sending
 * requests: one of them for each connection.
 *
 * Frames: a bucket of GRPC_FLOOD_BURST frames that carry nothing (PING,
 * SETTINGS, PRIORITY, empty DATA, a reset by the peer, or by us for an error of
 * the peer). GRPC_FLOOD_RATE come back each second, and GRPC_FLOOD_PER_ANSWER
 * with each answer: grpc-go sends a PING for nearly every answer. The reset
 * without error after an early answer does not count, or an overloaded server
 * would close the connections of its senders.
 *
 * Bytes: those that became no part of a message (padding, DATA for a stream
 * that has ended) may be a mebibyte and a quarter of the others.
 *
 * Threads  pure.
 */
#ifndef GRPC_FLOOD_H
#define GRPC_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

enum {
    GRPC_FLOOD_BURST = 200,
    GRPC_FLOOD_RATE = 50,
    GRPC_FLOOD_PER_ANSWER = 4,
    GRPC_FLOOD_HEAD = 20,         /* frames that too large a head counts for */
    GRPC_FLOOD_WASTE = 1 << 20,   /* bytes */
    GRPC_FLOOD_OVERHEAD = 1 << 10 /* bytes of head and frames of a request */
};

struct grpc_flood {
    uint64_t since_ns;         /* tokens were added up to then */
    uint64_t tokens;           /* frames, times NS_PER_S */
    uint64_t received, useful; /* bytes */
};

void grpc_flood_init(struct grpc_flood *flood, uint64_t now_ns);

/* False: too many. */
bool grpc_flood_frames(struct grpc_flood *flood, unsigned frames,
                       uint64_t now_ns);
/* A request was answered; `credit`: bytes that the peer may still send for it,
 * which are dropped. */
void grpc_flood_answer(struct grpc_flood *flood, uint64_t credit);

static inline void grpc_flood_receive(struct grpc_flood *flood, uint64_t bytes)
{
    flood->received += bytes;
}

static inline void grpc_flood_use(struct grpc_flood *flood, uint64_t bytes)
{
    flood->useful += bytes;
}

static inline bool grpc_flood_is_waste(const struct grpc_flood *flood)
{
    return flood->received >
           flood->useful + flood->useful / 4 + GRPC_FLOOD_WASTE;
}

#endif
