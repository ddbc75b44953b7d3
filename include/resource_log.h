/*
 * resource_log - what several instances tell each other about resources.
 *
 * Each instance adds the resources that it sees first, before the records that
 * refer to them, and takes what others added. The registry finds the identity
 * of each resource from the set of these facts: neither their order nor their
 * number counts, so all instances come to the same names.
 *
 * Purpose:   the seam between the registry and an engine that instances share.
 *            The embedded one has none.
 * Ownership: texts of a fact are good during the call; who keeps them copies.
 * Threads:   add, take, add_seen, take_seen: the correlator's thread. load: one
 *            thread, before. None of them calls the registry but by a visit.
 * Errors:    adding cannot fail: what cannot be written yet waits.
 */
#ifndef RESOURCE_LOG_H
#define RESOURCE_LOG_H

#include "identity.h"
#include "record.h"
#include "status.h"

enum fact_change {
    FACT_RESOURCE = 1, /* it was seen: all members */
    FACT_NAMES,        /* records of it are written under these names, too */
    FACT_DELETED,      /* it was deleted */
    FACT_NAMESPACE     /* all of this namespace that was seen first until
                            seen_ns was deleted */
};

struct resource_fact {
    uint64_t key;
    uint8_t change;
    uint8_t kind;                       /* a number of the registry's */
    uint8_t rule;                       /* of the identity that it had then */
    uint64_t first_ns, seen_ns;         /* by the clock of received records */
    struct slice sender;                /* writer_bytes(); empty: none */
    struct slice names[IDENTITY_NAMES]; /* that it had then */
    struct resource resource;           /* attributes and schema; no id */
};

/* When signals of an identity were seen, by the key of its anchor. */
struct identity_seen {
    uint64_t key;
    uint64_t first_ns, last_ns[SIGNAL_COUNT]; /* 0: never */
};

typedef void resource_fact_visit(void *to, const struct resource_fact *fact);
typedef void identity_seen_visit(void *to, const struct identity_seen *seen);

struct resource_log {
    void *arg;
    void (*add)(void *arg, const struct resource_fact *fact);
    /* All that there is, in the order of adding. */
    enum status (*load)(void *arg, resource_fact_visit *visit, void *to);
    /* What was added, by anybody, since the load or the last call; the same
     * fact may come again. */
    void (*take)(void *arg, resource_fact_visit *visit, void *to);
    /* A row of an unknown resource was read: there is something to take. From
     * any thread; NULL: it comes soon anyway. */
    void (*hurry)(void *arg);
    /* Latest and earliest times win. */
    void (*add_seen)(void *arg, const struct identity_seen *seen,
                     uint32_t count);
    void (*take_seen)(void *arg, identity_seen_visit *visit, void *to);
};

#endif
