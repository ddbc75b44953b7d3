/*
 * call_ends - who calls whom, of a series of metrics: from the labels to the
 * candidates, by the registry's names of hosts. A callee that is no component
 * becomes a peer, as those that spans call.
 */
#ifndef CALL_ENDS_H
#define CALL_ENDS_H

#include "call_graph.h"
#include "call_labels.h"
#include "interned_terms.h"

struct call_ends {
    uint32_t about;  /* the candidate that the numbers are about */
    uint32_t caller; /* that measured its calls; NO_INDEX: they are no calls of
                        a known one */
    bool is_unknown_callee; /* they are calls, of something without a name */
    bool is_neither;        /* they are about no call at all */
};

struct call_resolver {
    struct candidates *candidates;
    struct call_graph *graph; /* gets the calls that are met; NULL: no calls
                                 and no new peers are wanted */
    struct interned_terms keys;
    uint32_t *found; /* by key: a candidate or NO_INDEX */
    uint32_t room;
    struct interned_terms names; /* short ones, with the host of each */
    uint32_t *peers;             /* new ones by caller */
    uint32_t peer_count;
};

/* False: the arena is full. */
MUST_CHECK bool call_resolver_init(struct call_resolver *resolver,
                                   struct candidates *candidates,
                                   struct call_graph *graph);

/* Of a series that the resource of a component reports. */
struct call_ends call_ends_find(struct call_resolver *resolver,
                                const struct call_labels *labels,
                                uint32_t resource, uint32_t reporter);

#endif
