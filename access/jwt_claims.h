/*
 * jwt_claims - the claims of a token (RFC 7519), and what is expected of them.
 */
#ifndef JWT_CLAIMS_H
#define JWT_CLAIMS_H

#include <jansson.h>
#include <stdint.h>

#include "slice.h"
#include "status.h"

enum {
    JWT_LEEWAY_S = 30,
    JWT_MAX_VALUES = 256, /* of one claim; more are not looked at */
    JWT_MAX_VALUE = 256,  /* bytes; longer ones equal nothing */
};

/* The payload as a JSON object, to be freed with json_decref(); NULL: it is
 * none, has a member twice or a NUL in a text. */
json_t *jwt_claims_parse(struct slice payload);

/* A claim that is a text; empty if there is none. */
struct slice jwt_claims_text(const json_t *claims, const char *name);

/* Checks aud, exp, nbf, iat and sub. Empty audience: any. *expires_s: exp,
 * rounded down. ERR_UNAUTHENTICATED; *why is static text. */
MUST_CHECK enum status jwt_claims_check(const json_t *claims,
                                        struct slice audience, uint64_t now_s,
                                        uint64_t *expires_s, const char **why);

/* The texts of a claim, which is a text, a list of them, or, for `scope` and
 * `scp`, texts with blanks between. Its name is that of a member, or a path
 * with slashes (realm_access/roles); the member wins. The texts are those of
 * `claims`. At most JWT_MAX_VALUES; the number of them. */
uint32_t jwt_claims_values(const json_t *claims, const char *name,
                           struct slice values[JWT_MAX_VALUES]);

#endif
