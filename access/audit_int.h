/*
 * audit_int - the table of refusals that are summed up, for the files of audit.
 */
#ifndef AUDIT_INT_H
#define AUDIT_INT_H

#include "audit.h"

enum { AUDIT_SOURCES = 256 };

struct audit_refusal {
    const char *reason; /* static; with the address the key */
    enum audit_result result;
    bool used, many; /* many: of all sources without a place of their own */
    uint8_t address[16];
    uint64_t since_ns; /* monotonic, when its line was written */
    uint64_t more;     /* since then, not written */
};

struct audit_refusals {
    struct audit_refusal at[AUDIT_SOURCES + 1]; /* the last: all others */
};

/* True: write it now. False: it is counted. */
bool audit_refusal_add(struct audit_refusals *refusals,
                       const struct audit_event *event, uint64_t now_ns);
/* The next one whose ten seconds are over (all: any), with its count; its place
 * is free when nothing came. False: there is none. */
bool audit_refusal_take(struct audit_refusals *refusals, uint64_t now_ns,
                        bool all, struct audit_refusal *taken);

#endif
