/*
 * withheld - parts of an answer that need an action of their own, such as log
 * patterns beside metrics: shown where they may be seen, else named.
 *
 * Purpose: one rule for parts of an answer that need another action.
 * Ownership: plain values; names are static.
 * Threads: one request, one thread.
 * Errors: request->failed.
 */
#ifndef WITHHELD_H
#define WITHHELD_H

#include "query_request.h"

struct part_access {
    struct viewer viewer;
    bool all; /* of the scope; else those components that the viewer sees */
};

/* request->failed may be set afterwards: a decision is awaited. */
struct part_access part_access(struct query_request *request,
                               enum action action,
                               const struct scope_filter *scope);

static inline bool part_is_seen(const struct part_access *access,
                                const struct identity *identity)
{
    return access->all || viewer_sees(&access->viewer, identity);
}

/* Names of members for `withheld` of an answer. */
enum { WITHHELD_MAX = 4 };
struct withheld {
    struct slice names[WITHHELD_MAX];
    uint32_t count;
};
static inline void withhold_part(struct withheld *withheld,
                                 const struct part_access *access,
                                 struct slice name)
{
    if (!access->all && withheld->count < WITHHELD_MAX)
        withheld->names[withheld->count++] = name;
}

#endif
