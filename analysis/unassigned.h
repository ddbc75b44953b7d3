/*
 * unassigned - senders without a component; for unassigned*.c only.
 *
 *   unassigned.c        the request, what is counted, who is one sender
 *   unassigned_reply.c  what would assign it, the answer
 */
#ifndef UNASSIGNED_H
#define UNASSIGNED_H

#include "query_request.h"

struct sender_counts {
    uint32_t resource;
    uint64_t of[SIGNAL_COUNT]; /* records */
    uint64_t first_ns, last_ns;
};

struct sender {
    struct identity identity;
    uint64_t key;
    uint32_t resources, newest; /* newest: the resource that sent last */
    struct attrs attrs;         /* of that one, those that tell who it is */
    enum unassigned_reason reason;
    struct sender_counts counts;
};

struct unassigned_list {
    struct query_request *request;
    uint64_t start_ns, end_ns;
    struct scope_filter scope;
    const struct bitmap *resources;
    uint32_t *row_of; /* by resource: number + 1 */
    struct sender_counts *rows;
    uint32_t row_count, row_room;
    struct sender *senders;
    uint32_t sender_count, sender_room;
    struct map by_key;
    bool full;
};

extern const struct reply_table unassigned_table;

void unassigned_reply(struct unassigned_list *list, uint64_t limit);

#endif
