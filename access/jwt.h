/*
 * jwt - tokens of identity providers, client certificates, and the decisions of
 * OpenChoreo's control plane: all that comes from outside of Callboard.
 *
 *   jwt_keys       keys of the issuers      \
 *   jwt_verify     is the token good         >  subject  -->  authz  may it?
 *   grant_rules    --grants: its grants     /
 *
 * A subject is kept by the SHA-256 of its token, for 5 minutes or until it
 * expires, and forgotten when keys or rules change.
 */
#ifndef JWT_H
#define JWT_H

#include "access.h"
#include "jwt_verify.h"

struct jwt;

/* Logs why it fails. *jwt NULL: nothing of it is configured. */
MUST_CHECK enum status jwt_open(struct jwt **jwt,
                                const struct jwt_options *options);
void jwt_close(struct jwt *jwt); /* NULL is fine */

/* What it was configured with. */
bool jwt_has_issuers(const struct jwt *jwt);
bool jwt_has_rules(const struct jwt *jwt);

/* A token that was found to be good before; the caller's. NULL: unknown. */
struct subject *jwt_find(struct jwt *jwt, struct slice token);
/* JWT_GOOD: *subject is the caller's. JWT_NO_KEYS, JWT_UNKNOWN_KEY: *wait says
 * whether they are being fetched. */
enum jwt_outcome jwt_identify(struct jwt *jwt, struct slice token,
                              struct subject **subject, bool *wait);
/* NULL: there is no grant for this name. */
struct subject *jwt_certificate(struct jwt *jwt, struct slice name);

/* See access_decide(). */
MUST_CHECK enum status jwt_decide(struct jwt *jwt, struct subject **subject,
                                  enum action action,
                                  const union scope_names *scope,
                                  struct access_waiter *waiter,
                                  const char **why);
/* Whether such an action of such a subject is decided by the service. */
bool jwt_is_decided(const struct jwt *jwt, const struct subject *subject,
                    enum action action);

/* RFC 9728; see access_metadata(). */
bool jwt_metadata(const struct jwt *jwt, struct slice resource,
                  struct buf *out);
/* What is wrong now; false: nothing. */
bool jwt_note(struct jwt *jwt, struct buf *out);
/* The age of the keys, for /metrics. */
void jwt_print(struct jwt *jwt, struct buf *out);

#endif
