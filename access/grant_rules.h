/*
 * grant_rules - the file of --grants: which claims of a JWT, and which names in
 * client certificates, have which grants.
 *
 *     subjects: [{type: user, claim: groups}]
 *     grants:
 *       - {claim: groups, value: devs, roles: [viewer], namespace: acme}
 *       - {certificate: spiffe://prod/ns/acme, roles: ingest, namespace: acme}
 *
 * An unknown member, role or action is an error: nothing of the file holds.
 * Rules are constant and counted by reference.
 */
#ifndef GRANT_RULES_H
#define GRANT_RULES_H

#include "access.h"
#include "jwt_claims.h"

enum { GRANT_RULES_MAX_BYTES = 1 << 20, GRANT_RULES_MAX = 4096 };
enum { SUBJECT_MAX_ID = 1024 };

struct grant_rules;

/* NULL: error has the reason. */
struct grant_rules *grant_rules_parse(struct slice text, char *error,
                                      size_t error_size);
struct grant_rules *grant_rules_ref(struct grant_rules *rules);
void grant_rules_free(struct grant_rules *rules); /* NULL is fine */

/* The subject_context of OpenChoreo's authorization service, as JSON, from
 * malloc: of the first row of `subjects` whose claim is there. NULL: none. */
char *grant_rules_context(const struct grant_rules *rules,
                          const json_t *claims);

/* rules NULL: no grants. token, context: empty, or what the authorization
 * service will be asked with. */
struct subject *grant_rules_jwt(const struct grant_rules *rules,
                                const json_t *claims, struct slice token,
                                struct slice context, uint64_t expires_ns);
/* NULL: no rule has this name. */
struct subject *grant_rules_certificate(const struct grant_rules *rules,
                                        struct slice name);

#endif
