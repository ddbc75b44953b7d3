/*
 * jwt_verify - from the bytes of a token to claims that can be believed.
 *
 * The order: form and header, the issuer that the token claims to be from (its
 * keys are those that count), the signature, then the claims.
 */
#ifndef JWT_VERIFY_H
#define JWT_VERIFY_H

#include "jwk_set.h"
#include "jwt_claims.h"

/* An issuer that is trusted, with its keys as they are now. */
struct jwt_trust {
    struct slice issuer;        /* compared byte by byte */
    struct slice audience;      /* empty: any */
    const struct jwk_set *keys; /* NULL: not fetched yet */
};

enum jwt_outcome {
    JWT_GOOD,
    JWT_MALFORMED,
    JWT_FOREIGN,     /* of no issuer that is trusted */
    JWT_NO_KEYS,     /* those of the issuer are not there yet */
    JWT_UNKNOWN_KEY, /* the issuer has no key with its kid */
    JWT_BAD_SIGNATURE,
    JWT_BAD_CLAIMS,
};

struct jwt_verified {
    uint32_t trust; /* which issuer; from JWT_NO_KEYS on */
    json_t *claims; /* the caller's; NULL unless it is good */
    uint64_t expires_s;
};

/* *why is static text for the log. */
enum jwt_outcome jwt_verify(struct slice token, const struct jwt_trust *trusts,
                            uint32_t count, uint64_t now_s,
                            struct jwt_verified *out, const char **why);

#endif
