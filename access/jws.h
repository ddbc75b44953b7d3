/*
 * jws - a signed token in compact form: RFC 7515, RFC 7518, RFC 8725.
 *
 * Three parts of strict base64url. Of the header only `alg` and `kid` count;
 * keys and addresses of keys in it (jwk, jku, x5c, x5u) are never looked at,
 * and `crit` refuses the token.
 */
#ifndef JWS_H
#define JWS_H

#include <stdint.h>

#include "jwk_set.h"

enum {
    JWS_MAX = 16 * 1024,
    JWS_MAX_KID = 256,
};

struct jws {
    const struct jws_algorithm *algorithm;
    struct slice kid;         /* in kid_text */
    struct slice signed_text; /* what was signed: in the token */
    struct slice payload;     /* decoded, in `bytes` */
    struct slice signature;   /* decoded, in `bytes` */
    char kid_text[JWS_MAX_KID];
    uint8_t bytes[JWS_MAX];
};

/* The token outlives the jws. ERR_UNAUTHENTICATED; *why is static text. */
MUST_CHECK enum status jws_parse(struct jws *jws, struct slice token,
                                 const char **why);

/* One of the keys with its kid made the signature. */
bool jws_verify(const struct jws *jws, const struct jwk_set *set);

#endif
