/*
 * parts - what components consist of, as their series show it: operations,
 * calls to and from others, log patterns, pods; and when each was seen.
 *
 * Two passes: the points of the window and of some time before it, and, of the
 * weeks before, one point of each series, which is enough to know that it was
 * there.
 */
#ifndef PARTS_H
#define PARTS_H

#include "map.h"
#include "query_request.h"

enum part_kind {
    PART_COMPONENT, /* the whole of it: anything that it sent */
    PART_OPERATION,
    PART_CALLEE,
    PART_CALLER,
    PART_PATTERN, /* of log records */
    PART_POD,
    PART_KINDS
};

enum { PART_BINS = 256 };

struct part {
    enum part_kind kind;
    const struct identity *identity;
    const struct identity *peer; /* a component that may be seen, or NULL */
    struct slice name;           /* operation, peer, text of the pattern, pod */
    struct slice endpoint;       /* of an operation, or the peer's */
    struct slice level, id;      /* of a pattern */
    struct slice peer_kind;
    uint64_t key;
    uint32_t component;         /* the part that is the whole of it */
    uint64_t first_ns, last_ns; /* in what was read; last: exclusive */
    uint64_t before_ns; /* the earliest known time before that; 0: none */
    uint64_t bins[PART_BINS / 64]; /* in which it was seen */
    double count;                  /* of records, requests, calls */
};

struct parts {
    struct query_request *request;
    const struct bitmap *resources;
    uint64_t start_ns, end_ns;     /* the window */
    uint64_t from_ns, earliest_ns; /* what is read before it */
    uint64_t bin_ns;
    struct part *at;
    uint32_t count, room;
    struct map index; /* by key */
    /* While reading. */
    struct part *current; /* of the series; NULL: not looked up */
    bool current_known, earlier;
};

/* Has answered with query_fail on failure. kinds: bits 1 << enum part_kind;
 * components are always read. */
MUST_CHECK enum status parts_read(struct parts *parts, uint32_t kinds);

/* How sure it is that a part was not there before the window (appeared), or is
 * gone in the end of it (vanished): it was seen evenly enough for its absence
 * to be no chance. */
bool part_appeared(const struct parts *parts, const struct part *part);
bool part_vanished(const struct parts *parts, const struct part *part);

#endif
