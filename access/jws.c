#include "jws.h"

#include <gnutls/crypto.h>
#include <jansson.h>

#include "base64url.h"
#include "json_slice.h"

static enum status read_header(struct jws *jws, struct slice header,
                               const char **why)
{
    json_t *root =
        json_loadb(header.ptr, header.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *alg = json_object_get(root, "alg");
    const json_t *kid = json_object_get(root, "kid");
    size_t len = json_string_length(kid);
    enum status status = ERR_UNAUTHENTICATED;

    jws->algorithm =
        json_is_string(alg) ? jws_algorithm_named(json_slice(alg)) : NULL;
    if (!json_is_object(root)) {
        *why = "the header is not a JSON object";
    } else if (json_object_get(root, "crit")) {
        *why = "the header has crit";
    } else if (!jws->algorithm) {
        *why = "the algorithm is not accepted";
    } else if (!json_is_string(kid) || len == 0 || len > JWS_MAX_KID) {
        *why = "the header has no kid";
    } else {
        memcpy(jws->kid_text, json_string_value(kid), len);
        jws->kid = (struct slice){jws->kid_text, len};
        status = OK;
    }
    json_decref(root);
    return status;
}

/* Decodes a part to the end of jws->bytes. */
static bool decode_part(struct jws *jws, struct slice part, size_t *used,
                        struct slice *out)
{
    uint8_t *at = jws->bytes + *used;
    size_t len;

    if (part.len == 0 ||
        base64url_room(part.len) > sizeof(jws->bytes) - *used ||
        !base64url_decode(part, at, &len))
        return false;
    *out = (struct slice){(const char *)at, len};
    *used += len;
    return true;
}

enum status jws_parse(struct jws *jws, struct slice token, const char **why)
{
    struct slice rest = token, header, parts[3];
    size_t used = 0, dots = 0;

    *why = "not three parts of base64url";
    if (token.len > JWS_MAX)
        return ERR_UNAUTHENTICATED;
    for (size_t i = 0; i < token.len; i++)
        dots += token.ptr[i] == '.';
    if (dots != 2)
        return ERR_UNAUTHENTICATED;
    for (int i = 0; i < 3; i++)
        parts[i] = slice_split(&rest, '.');
    if (!decode_part(jws, parts[0], &used, &header) ||
        !decode_part(jws, parts[1], &used, &jws->payload) ||
        !decode_part(jws, parts[2], &used, &jws->signature))
        return ERR_UNAUTHENTICATED;
    jws->signed_text =
        (struct slice){token.ptr, parts[0].len + 1 + parts[1].len};
    return read_header(jws, header, why);
}

static gnutls_datum_t datum_of(struct slice bytes)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)bytes.ptr,
                            (unsigned)bytes.len};
}

/* JWS has r and s one after the other, GnuTLS takes them in DER. */
static bool verify_ecdsa(const struct jws *jws, const struct jwk *jwk,
                         gnutls_datum_t data)
{
    size_t half = jws->signature.len / 2;
    gnutls_datum_t r = datum_of((struct slice){jws->signature.ptr, half});
    gnutls_datum_t s = datum_of(slice_from(jws->signature, half));
    gnutls_datum_t der = {NULL, 0};
    bool good;

    if (gnutls_encode_rs_value(&der, &r, &s) != 0)
        return false;
    good = gnutls_pubkey_verify_data2(jwk->key, jws->algorithm->sign, 0, &data,
                                      &der) >= 0;
    gnutls_free(der.data);
    return good;
}

static bool verify_with(const struct jws *jws, const struct jwk *jwk)
{
    gnutls_datum_t data = datum_of(jws->signed_text);
    gnutls_datum_t signature = datum_of(jws->signature);

    if (jws->signature.len != jwk->signature)
        return false;
    if (jwk->type == JWK_P256 || jwk->type == JWK_P384 || jwk->type == JWK_P521)
        return verify_ecdsa(jws, jwk, data);
    return gnutls_pubkey_verify_data2(jwk->key, jws->algorithm->sign, 0, &data,
                                      &signature) >= 0;
}

bool jws_verify(const struct jws *jws, const struct jwk_set *set)
{
    const struct jwk *jwk = NULL;

    while ((jwk = jwk_set_next(set, jws->kid, jws->algorithm, jwk)))
        if (verify_with(jws, jwk))
            return true;
    return false;
}
