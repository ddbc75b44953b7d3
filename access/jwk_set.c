#include "jwk_set.h"

#include <jansson.h>
#include <stdlib.h>

#include "base64url.h"
#include "json_slice.h"
#include "mem.h"

enum {
    RSA_MIN_BITS = 2048,
    RSA_MAX_BITS = 8192,
    /* Larger exponents make a verification slow, and nobody has them. */
    RSA_MAX_EXPONENT = 8,
    MAX_KID = 256,
    MAX_NUMBER = RSA_MAX_BITS / 8 + 8, /* bytes, with some leading zeros */
};

/* clang-format off */
static const struct jws_algorithm algorithms[] = {
    {"RS256", JWK_RSA,     GNUTLS_SIGN_RSA_SHA256},
    {"RS384", JWK_RSA,     GNUTLS_SIGN_RSA_SHA384},
    {"RS512", JWK_RSA,     GNUTLS_SIGN_RSA_SHA512},
    {"PS256", JWK_RSA,     GNUTLS_SIGN_RSA_PSS_RSAE_SHA256},
    {"PS384", JWK_RSA,     GNUTLS_SIGN_RSA_PSS_RSAE_SHA384},
    {"PS512", JWK_RSA,     GNUTLS_SIGN_RSA_PSS_RSAE_SHA512},
    {"ES256", JWK_P256,    GNUTLS_SIGN_ECDSA_SHA256},
    {"ES384", JWK_P384,    GNUTLS_SIGN_ECDSA_SHA384},
    {"ES512", JWK_P521,    GNUTLS_SIGN_ECDSA_SHA512},
    {"EdDSA", JWK_ED25519, GNUTLS_SIGN_EDDSA_ED25519},
};

static const struct {
    const char *type, *name;
    enum jwk_type is;
    gnutls_ecc_curve_t curve;
    size_t size; /* of a coordinate */
} curves[] = {
    {"EC",  "P-256",   JWK_P256,    GNUTLS_ECC_CURVE_SECP256R1, 32},
    {"EC",  "P-384",   JWK_P384,    GNUTLS_ECC_CURVE_SECP384R1, 48},
    {"EC",  "P-521",   JWK_P521,    GNUTLS_ECC_CURVE_SECP521R1, 66},
    {"OKP", "Ed25519", JWK_ED25519, GNUTLS_ECC_CURVE_ED25519,   32},
};
/* clang-format on */

const struct jws_algorithm *jws_algorithm_named(struct slice name)
{
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++)
        if (slice_equal(name, slice_of(algorithms[i].name)))
            return &algorithms[i];
    return NULL;
}

struct jwk_number {
    uint8_t bytes[MAX_NUMBER];
    size_t len;
};

static bool read_number(const json_t *jwk, const char *name,
                        struct jwk_number *number)
{
    struct slice text = json_slice_of(jwk, name);

    return text.len > 0 && base64url_room(text.len) <= sizeof(number->bytes) &&
           base64url_decode(text, number->bytes, &number->len);
}

/* RFC 7518 forbids leading zeros; some issuers write one all the same. */
static void strip_zeros(struct jwk_number *number)
{
    size_t zeros = 0;

    while (zeros < number->len && number->bytes[zeros] == 0)
        zeros++;
    number->len -= zeros;
    memmove(number->bytes, number->bytes + zeros, number->len);
}

static gnutls_datum_t datum_of(struct jwk_number *number)
{
    return (gnutls_datum_t){number->bytes, (unsigned)number->len};
}

static bool is_odd(const struct jwk_number *number)
{
    return number->len > 0 && number->bytes[number->len - 1] & 1;
}

static bool import_rsa(const json_t *object, struct jwk *jwk)
{
    struct jwk_number modulus, exponent;
    gnutls_datum_t n, e;
    size_t bits;

    if (!read_number(object, "n", &modulus) ||
        !read_number(object, "e", &exponent))
        return false;
    strip_zeros(&modulus);
    strip_zeros(&exponent);
    if (!is_odd(&modulus) || !is_odd(&exponent) ||
        exponent.len > RSA_MAX_EXPONENT ||
        (exponent.len == 1 && exponent.bytes[0] < 3))
        return false;
    bits = 8 * modulus.len;
    for (unsigned top = modulus.bytes[0]; !(top & 0x80); top <<= 1)
        bits--;
    if (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS)
        return false;
    n = datum_of(&modulus);
    e = datum_of(&exponent);
    jwk->type = JWK_RSA;
    jwk->signature = modulus.len;
    return gnutls_pubkey_import_rsa_raw(jwk->key, &n, &e) == 0;
}

static bool import_curve(const json_t *object, struct jwk *jwk)
{
    struct slice type = json_slice_of(object, "kty");
    struct slice name = json_slice_of(object, "crv");
    struct jwk_number x, y;
    gnutls_datum_t x_datum, y_datum;
    size_t i = 0;

    while (i < sizeof(curves) / sizeof(*curves) &&
           !(slice_equal(type, slice_of(curves[i].type)) &&
             slice_equal(name, slice_of(curves[i].name))))
        i++;
    if (i == sizeof(curves) / sizeof(*curves) ||
        !read_number(object, "x", &x) || x.len != curves[i].size)
        return false;
    jwk->type = curves[i].is;
    jwk->signature = 2 * curves[i].size;
    x_datum = datum_of(&x);
    if (jwk->type == JWK_ED25519)
        return gnutls_pubkey_import_ecc_raw(jwk->key, curves[i].curve, &x_datum,
                                            NULL) == 0;
    if (!read_number(object, "y", &y) || y.len != curves[i].size)
        return false;
    y_datum = datum_of(&y);
    return gnutls_pubkey_import_ecc_raw(jwk->key, curves[i].curve, &x_datum,
                                        &y_datum) == 0;
}

/* `key_ops` is absent, or contains "verify". */
static bool may_verify(const json_t *object)
{
    const json_t *operations = json_object_get(object, "key_ops");
    const json_t *operation;
    size_t i;

    if (!operations)
        return true;
    json_array_foreach(operations, i,
                       operation) if (json_is_string(operation) &&
                                      strcmp(json_string_value(operation),
                                             "verify") == 0) return true;
    return false;
}

static bool is_usable(const json_t *object, struct jwk *jwk)
{
    const json_t *use = json_object_get(object, "use");
    const json_t *algorithm = json_object_get(object, "alg");

    jwk->kid = json_slice_of(object, "kid");
    if (algorithm) {
        jwk->only = jws_algorithm_named(json_slice_of(object, "alg"));
        if (!jwk->only)
            return false;
    }
    if (use && !slice_equal(json_slice_of(object, "use"), SLICE("sig")))
        return false;
    return jwk->kid.len > 0 && jwk->kid.len <= MAX_KID &&
           !json_object_get(object, "d") && may_verify(object);
}

static bool import_key(const json_t *object, struct jwk *jwk)
{
    bool imported;

    if (!json_is_object(object) || !is_usable(object, jwk) ||
        gnutls_pubkey_init(&jwk->key) != 0)
        return false;
    imported = slice_equal(json_slice_of(object, "kty"), SLICE("RSA"))
                   ? import_rsa(object, jwk)
                   : import_curve(object, jwk);
    if (imported && (!jwk->only || jwk->only->type == jwk->type)) {
        jwk->kid.ptr = mem_copy(jwk->kid.ptr, jwk->kid.len);
        return true;
    }
    gnutls_pubkey_deinit(jwk->key);
    return false;
}

static enum status read_keys(const json_t *root, struct jwk_set **set,
                             const char **why)
{
    const json_t *keys = json_object_get(root, "keys");
    const json_t *object;
    size_t i;

    *why = "not a JWK set";
    if (!json_is_array(keys))
        return ERR_MALFORMED;
    *why = "more than 64 keys";
    if (json_array_size(keys) > JWK_MAX_KEYS)
        return ERR_TOO_BIG;
    *set = mem_zero(1, sizeof(**set) + JWK_MAX_KEYS * sizeof(struct jwk));
    (*set)->refs = 1;
    json_array_foreach(keys, i, object)
    {
        struct jwk jwk = {.key = NULL};

        if (import_key(object, &jwk))
            (*set)->keys[(*set)->count++] = jwk;
    }
    if ((*set)->count > 0)
        return OK;
    jwk_set_free(*set);
    *set = NULL;
    *why = "no key that can verify a token";
    return ERR_NOT_FOUND;
}

enum status jwk_set_parse(struct slice text, struct jwk_set **set,
                          const char **why)
{
    json_t *root;
    enum status status;

    *set = NULL;
    *why = "larger than 256 KiB";
    if (text.len > JWK_MAX_BYTES)
        return ERR_TOO_BIG;
    *why = "not JSON";
    root = json_loadb(text.len ? text.ptr : "", text.len,
                      JSON_REJECT_DUPLICATES, NULL);
    if (!root)
        return ERR_MALFORMED;
    status = read_keys(root, set, why);
    json_decref(root);
    if (status == OK)
        (*set)->digest = digest_of(text);
    return status;
}

struct jwk_set *jwk_set_ref(struct jwk_set *set)
{
    atomic_fetch_add(&set->refs, 1);
    return set;
}

void jwk_set_free(struct jwk_set *set)
{
    if (!set || atomic_fetch_sub(&set->refs, 1) != 1)
        return;
    for (uint32_t i = 0; i < set->count; i++) {
        gnutls_pubkey_deinit(set->keys[i].key);
        free((void *)(uintptr_t)set->keys[i].kid.ptr);
    }
    free(set);
}

const struct jwk *jwk_set_next(const struct jwk_set *set, struct slice kid,
                               const struct jws_algorithm *algorithm,
                               const struct jwk *after)
{
    const struct jwk *jwk = after ? after + 1 : set->keys;

    for (; jwk < set->keys + set->count; jwk++)
        if (jwk->type == algorithm->type &&
            (!jwk->only || jwk->only == algorithm) &&
            slice_equal(jwk->kid, kid))
            return jwk;
    return NULL;
}

bool jwk_set_has(const struct jwk_set *set, struct slice kid)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (slice_equal(set->keys[i].kid, kid))
            return true;
    return false;
}
