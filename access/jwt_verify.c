#include "jwt_verify.h"

#include "jws.h"

static bool find_issuer(const json_t *claims, const struct jwt_trust *trusts,
                        uint32_t count, uint32_t *which)
{
    struct slice issuer = jwt_claims_text(claims, "iss");

    for (*which = 0; *which < count; ++*which)
        if (slice_equal(issuer, trusts[*which].issuer))
            return issuer.len > 0;
    return false;
}

static enum jwt_outcome verify_claims(const struct jws *jws,
                                      const struct jwt_trust *trust,
                                      uint64_t now_s, struct jwt_verified *out,
                                      const char **why)
{
    *why = "the keys of the issuer are not fetched yet";
    if (!trust->keys)
        return JWT_NO_KEYS;
    *why = "the issuer has no such key";
    if (!jwk_set_has(trust->keys, jws->kid))
        return JWT_UNKNOWN_KEY;
    *why = "the signature is wrong";
    if (!jws_verify(jws, trust->keys))
        return JWT_BAD_SIGNATURE;
    return jwt_claims_check(out->claims, trust->audience, now_s,
                            &out->expires_s, why) == OK
               ? JWT_GOOD
               : JWT_BAD_CLAIMS;
}

enum jwt_outcome jwt_verify(struct slice token, const struct jwt_trust *trusts,
                            uint32_t count, uint64_t now_s,
                            struct jwt_verified *out, const char **why)
{
    struct jws jws;
    enum jwt_outcome outcome = JWT_FOREIGN;

    *out = (struct jwt_verified){.trust = 0};
    if (jws_parse(&jws, token, why) != OK)
        return JWT_MALFORMED;
    *why = "the payload is not a JSON object";
    out->claims = jwt_claims_parse(jws.payload);
    if (!out->claims)
        return JWT_MALFORMED;
    *why = "another issuer";
    if (find_issuer(out->claims, trusts, count, &out->trust))
        outcome = verify_claims(&jws, &trusts[out->trust], now_s, out, why);
    if (outcome != JWT_GOOD) {
        json_decref(out->claims);
        out->claims = NULL;
    }
    return outcome;
}
