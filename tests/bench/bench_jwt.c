/*
 * What a JWT costs: verified for the first time, by algorithm, and found by its
 * SHA-256 afterwards.
 */
#include <stdio.h>

#include "clock.h"
#include "digest_cache.h"
#include "jwt_kit.h"
#include "jwt_verify.h"

#define CLAIMS                                                          \
    "{\"iss\":\"https://idp\",\"aud\":\"callboard\",\"sub\":\"alice\"," \
    "\"exp\":2000,\"groups\":[\"devs\",\"sre\",\"oncall\"],\"email\":"  \
    "\"alice@example.com\",\"name\":\"Alice Example\",\"azp\":\"portal\"}"

static const struct {
    const char *header;
    enum jwt_kit_key key;
    gnutls_sign_algorithm_t sign;
} rows[] = {
    {"{\"alg\":\"RS256\",\"kid\":\"rsa\"}", KIT_RSA, GNUTLS_SIGN_RSA_SHA256},
    {"{\"alg\":\"PS256\",\"kid\":\"rsa\"}", KIT_RSA,
     GNUTLS_SIGN_RSA_PSS_RSAE_SHA256},
    {"{\"alg\":\"ES256\",\"kid\":\"p256\"}", KIT_P256,
     GNUTLS_SIGN_ECDSA_SHA256},
    {"{\"alg\":\"ES384\",\"kid\":\"p384\"}", KIT_P384,
     GNUTLS_SIGN_ECDSA_SHA384},
    {"{\"alg\":\"ES512\",\"kid\":\"p521\"}", KIT_P521,
     GNUTLS_SIGN_ECDSA_SHA512},
    {"{\"alg\":\"EdDSA\",\"kid\":\"ed25519\"}", KIT_ED25519,
     GNUTLS_SIGN_EDDSA_ED25519},
};

enum { VERIFIED = 200, FOUND = 200000 };

static void verify_row(size_t row, struct slice token,
                       const struct jwt_trust *trust)
{
    uint64_t begin = clock_monotonic_ns();
    unsigned good = 0;

    for (int i = 0; i < VERIFIED; i++) {
        struct jwt_verified out;
        const char *why;

        good += jwt_verify(token, trust, 1, 1500, &out, &why) == JWT_GOOD;
        json_decref(out.claims);
    }
    printf("jwt %.13s new: %.1f us (%u bytes%s)\n", rows[row].header + 1,
           (double)(clock_monotonic_ns() - begin) / VERIFIED / 1e3,
           (unsigned)token.len, good == VERIFIED ? "" : ", REFUSED");
}

static void find_row(struct slice token)
{
    struct digest_cache *cache = digest_cache_new(8192, NULL);
    struct digest digest = digest_of(token);
    uint64_t begin;
    unsigned found = 0;

    digest_cache_put(cache, &digest, cache, UINT64_MAX);
    begin = clock_monotonic_ns();
    for (int i = 0; i < FOUND; i++) {
        digest = digest_of(token);
        found += digest_cache_find(cache, &digest, 1) != NULL;
    }
    printf("jwt known: %.2f us (%u bytes%s)\n",
           (double)(clock_monotonic_ns() - begin) / FOUND / 1e3,
           (unsigned)token.len, found == FOUND ? "" : ", LOST");
    digest_cache_free(cache);
}

int main(void)
{
    struct jwt_trust trust = {.issuer = SLICE("https://idp"),
                              .audience = SLICE("callboard")};
    struct jwk_set *set;
    struct buf text, token;
    const char *why;

    buf_init(&text, 65536);
    jwt_kit_set(&text);
    if (jwk_set_parse(buf_slice(&text), &set, &why) != OK)
        return 1;
    trust.keys = set;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        buf_init(&token, 16384);
        jwt_kit_sign(&token, slice_of(rows[i].header), SLICE(CLAIMS),
                     rows[i].key, rows[i].sign);
        verify_row(i, buf_slice(&token), &trust);
        if (i == 0)
            find_row(buf_slice(&token));
        buf_release(&token);
    }
    jwk_set_free(set);
    buf_release(&text);
    return 0;
}
