/*
 * authz - decisions of OpenChoreo's control plane (--authz-url), asked with the
 * caller's own token, which goes nowhere else.
 *
 * A yes holds for 60 s, a no for 10 s, neither longer than the token. Without
 * an answer nothing is allowed; with `stale`, an earlier yes is used for that
 * long while the service is away. Any thread.
 */
#ifndef AUTHZ_H
#define AUTHZ_H

#include "grant_rules.h"
#include "transfers.h"

struct authz;

struct authz_options {
    const char *url;
    const char *ca_file;
    uint64_t timeout_ns, stale_ns;
    bool cluster_environments;
};

enum authz_answer {
    AUTHZ_NO,
    AUTHZ_YES,
    AUTHZ_PENDING,
    AUTHZ_AWAY,           /* no answer, or none that can be read */
    AUTHZ_UNAUTHENTICATED /* the service refuses the token */
};

struct authz *authz_new(const struct authz_options *options);
void authz_free(struct authz *authz); /* after transfers_stop(); NULL is fine */

/* That it is away; false: it is not. */
bool authz_note(struct authz *authz, struct buf *out);

/* AUTHZ_PENDING: it is being asked, and waiter->ready() will be called once, on
 * another thread, if waiter is not NULL. */
enum authz_answer authz_ask(struct authz *authz, struct transfers *transfers,
                            const struct subject *subject, enum action action,
                            const union scope_names *scope,
                            struct access_waiter *waiter);

#endif
