/*
 * jwk_set - the public keys of an issuer: RFC 7517, RFC 7518 section 6, RFC
 * 8037.
 *
 * Keys that cannot verify a token are left out: of another type or curve, for
 * another use, without `kid`, RSA below 2048 or above 8192 bits, symmetric ones
 * and those published with their private part.
 *
 * A set is constant and counted by reference; any thread may verify with it.
 */
#ifndef JWK_SET_H
#define JWK_SET_H

#include <gnutls/abstract.h>
#include <stdatomic.h>
#include <stdint.h>

#include "digest_cache.h"
#include "status.h"

enum { JWK_MAX_KEYS = 64, JWK_MAX_BYTES = 256 * 1024 };

enum jwk_type { JWK_RSA, JWK_P256, JWK_P384, JWK_P521, JWK_ED25519 };

/* A signature algorithm (RFC 7518 section 3.1); there are no others. */
struct jws_algorithm {
    const char *name;
    enum jwk_type type; /* of its keys */
    gnutls_sign_algorithm_t sign;
};

/* NULL: unknown, and also `none` and the symmetric ones. */
const struct jws_algorithm *jws_algorithm_named(struct slice name);

struct jwk {
    struct slice kid;
    enum jwk_type type;
    const struct jws_algorithm *only; /* its `alg`; NULL: any that fits */
    size_t signature;                 /* length in bytes */
    gnutls_pubkey_t key;
};

struct jwk_set {
    atomic_uint refs;
    uint32_t count;
    struct digest digest; /* of the text */
    struct jwk keys[];    /* JWK_MAX_KEYS */
};

/* ERR_MALFORMED, ERR_TOO_BIG, or ERR_NOT_FOUND: no key can be used; *why is
 * static text. */
MUST_CHECK enum status jwk_set_parse(struct slice text, struct jwk_set **set,
                                     const char **why);
struct jwk_set *jwk_set_ref(struct jwk_set *set);
void jwk_set_free(struct jwk_set *set); /* NULL is fine */

/* The next key after `after` (NULL: the first) with this kid that fits the
 * algorithm, or NULL. */
const struct jwk *jwk_set_next(const struct jwk_set *set, struct slice kid,
                               const struct jws_algorithm *algorithm,
                               const struct jwk *after);
/* Whether the set has a key with this kid, whatever its type. */
bool jwk_set_has(const struct jwk_set *set, struct slice kid);

#endif
