/*
 * jwt_kit - an issuer in a test: keys, JWK sets and tokens, made with GnuTLS.
 */
#ifndef JWT_KIT_H
#define JWT_KIT_H

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "test.h"

enum jwt_kit_key {
    KIT_RSA,
    KIT_P256,
    KIT_P384,
    KIT_P521,
    KIT_ED25519,
    KIT_OTHER_RSA, /* not published */
    KIT_SMALL_RSA, /* 1024 bits */
    KIT_KEYS
};

static const struct {
    gnutls_pk_algorithm_t algorithm;
    unsigned bits;
    const char *crv;
    size_t half; /* of a signature r||s */
} jwt_kit_keys[KIT_KEYS] = {
    {GNUTLS_PK_RSA, 2048, NULL, 0},
    {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), "P-256",
     32},
    {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1), "P-384",
     48},
    {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1), "P-521",
     66},
    {GNUTLS_PK_EDDSA_ED25519, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519),
     "Ed25519", 0},
    {GNUTLS_PK_RSA, 2048, NULL, 0},
    {GNUTLS_PK_RSA, 1024, NULL, 0},
};

/* Made once, when a test first asks for it. */
static inline gnutls_privkey_t jwt_kit_private(enum jwt_kit_key which)
{
    static gnutls_privkey_t keys[KIT_KEYS];

    if (!keys[which] &&
        (gnutls_privkey_init(&keys[which]) != 0 ||
         gnutls_privkey_generate(keys[which], jwt_kit_keys[which].algorithm,
                                 jwt_kit_keys[which].bits, 0) != 0))
        abort();
    return keys[which];
}

/* ---- base64url ---- */

static inline void jwt_kit_encode(struct buf *out, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrs"
                                 "tuvwxyz0123456789-_";

    for (size_t i = 0; i < bytes.len; i += 3) {
        uint32_t bits = 0;
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;

        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < n ? (unsigned char)bytes.ptr[i + k] : 0);
        for (size_t k = 0; k <= n; k++)
            buf_byte(out, digits[bits >> (18 - 6 * k) & 63]);
    }
}

/* ---- keys ---- */

static inline void jwt_kit_number(struct buf *out, const char *name,
                                  gnutls_datum_t number, size_t size)
{
    char bytes[1032] = {0};
    size_t skip = 0;

    while (skip < number.size && number.data[skip] == 0)
        skip++;
    number.data += skip;
    number.size -= (unsigned)skip;
    if (size == 0)
        size = number.size;
    memcpy(bytes + size - number.size, number.data, number.size);
    buf_format(out, ",\"%s\":\"", name);
    jwt_kit_encode(out, (struct slice){bytes, size});
    buf_byte(out, '"');
}

/* The members of a public key: `{"kty":...` without the end, so that a test can
 * add others. */
static inline void jwt_kit_jwk(struct buf *out, enum jwt_kit_key which)
{
    gnutls_pubkey_t key;
    gnutls_datum_t a, b = {NULL, 0};
    size_t half = jwt_kit_keys[which].half;

    if (gnutls_pubkey_init(&key) != 0 ||
        gnutls_pubkey_import_privkey(key, jwt_kit_private(which), 0, 0) != 0)
        abort();
    if (!jwt_kit_keys[which].crv) {
        (void)gnutls_pubkey_export_rsa_raw(key, &a, &b);
        buf_format(out, "{\"kty\":\"RSA\"");
        jwt_kit_number(out, "n", a, 0);
        jwt_kit_number(out, "e", b, 0);
    } else {
        (void)gnutls_pubkey_export_ecc_raw(key, NULL, &a, &b);
        buf_format(out, "{\"kty\":\"%s\",\"crv\":\"%s\"", half ? "EC" : "OKP",
                   jwt_kit_keys[which].crv);
        jwt_kit_number(out, "x", a, half ? half : 32);
        if (half)
            jwt_kit_number(out, "y", b, half);
    }
    gnutls_free(a.data);
    gnutls_free(b.data);
    gnutls_pubkey_deinit(key);
}

/* A set of the published keys; kid: rsa, p256, p384, p521, ed25519. */
static inline void jwt_kit_set(struct buf *out)
{
    static const char *const kids[] = {"rsa", "p256", "p384", "p521",
                                       "ed25519"};

    buf_format(out, "{\"keys\":[");
    for (int i = KIT_RSA; i <= KIT_ED25519; i++) {
        if (i > 0)
            buf_byte(out, ',');
        jwt_kit_jwk(out, (enum jwt_kit_key)i);
        buf_format(out, ",\"kid\":\"%s\"}", kids[i]);
    }
    buf_format(out, "]}");
}

/* ---- tokens ---- */

static inline void jwt_kit_fixed(struct buf *out, gnutls_datum_t number,
                                 size_t size)
{
    while (number.size > size && number.data[0] == 0) {
        number.data++;
        number.size--;
    }
    for (size_t i = number.size; i < size; i++)
        buf_byte(out, 0);
    buf_add(out, (struct slice){(char *)number.data, number.size});
}

/* The signature as JWS has it. */
static inline void jwt_kit_signature(struct buf *out, struct slice text,
                                     enum jwt_kit_key which,
                                     gnutls_sign_algorithm_t algorithm)
{
    gnutls_datum_t data = {(unsigned char *)(uintptr_t)text.ptr,
                           (unsigned)text.len};
    gnutls_datum_t made, r, s;
    size_t half = jwt_kit_keys[which].half;

    if (gnutls_privkey_sign_data2(jwt_kit_private(which), algorithm, 0, &data,
                                  &made) != 0)
        abort();
    if (half && gnutls_decode_rs_value(&made, &r, &s) == 0) {
        jwt_kit_fixed(out, r, half);
        jwt_kit_fixed(out, s, half);
        gnutls_free(r.data);
        gnutls_free(s.data);
    } else {
        buf_add(out, (struct slice){(char *)made.data, made.size});
    }
    gnutls_free(made.data);
}

/* Appends header.payload.signature; all three are encoded here. */
static inline void jwt_kit_join(struct buf *out, struct slice header,
                                struct slice payload, struct slice signature)
{
    jwt_kit_encode(out, header);
    buf_byte(out, '.');
    jwt_kit_encode(out, payload);
    buf_byte(out, '.');
    jwt_kit_encode(out, signature);
}

/* A signed token; with GNUTLS_SIGN_UNKNOWN its signature is "none". */
static inline void jwt_kit_sign(struct buf *out, struct slice header,
                                struct slice payload, enum jwt_kit_key which,
                                gnutls_sign_algorithm_t algorithm)
{
    struct buf text, signature;

    buf_init(&text, 64 * 1024);
    buf_init(&signature, 1024);
    jwt_kit_encode(&text, header);
    buf_byte(&text, '.');
    jwt_kit_encode(&text, payload);
    if (algorithm == GNUTLS_SIGN_UNKNOWN)
        buf_add(&signature, SLICE("none"));
    else
        jwt_kit_signature(&signature, buf_slice(&text), which, algorithm);
    buf_add(out, buf_slice(&text));
    buf_byte(out, '.');
    jwt_kit_encode(out, buf_slice(&signature));
    buf_release(&signature);
    buf_release(&text);
}

#endif
