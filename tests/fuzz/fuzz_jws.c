/* A token, against a set with a key of each kind that tokens may name. */
#include <assert.h>
#include <stdint.h>

#include "jwt_verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char keys_text[] =
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\","
    "\"x\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\","
    "\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"},"
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"b\","
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct jwk_set *set;
    struct slice token = {(const char *)data, size};
    struct jwt_trust trust = {.issuer = SLICE("i"), .audience = SLICE("c")};
    struct slice values[JWT_MAX_VALUES];
    struct jwt_verified out;
    const char *why = NULL;
    enum jwt_outcome outcome;
    json_t *claims;

    if (!set && jwk_set_parse(SLICE(keys_text), &set, &why) != OK)
        abort();
    trust.keys = set;
    outcome = jwt_verify(token, &trust, 1, 1000, &out, &why);
    assert(outcome != JWT_GOOD); /* nobody has the private keys */
    assert(why && !out.claims);
    /* The claims alone, as if the signature were good. */
    claims = jwt_claims_parse(token);
    if (claims) {
        uint64_t expires;

        (void)!jwt_claims_check(claims, SLICE("c"), 1000, &expires, &why);
        assert(jwt_claims_values(claims, "a/b", values) <= JWT_MAX_VALUES);
    }
    json_decref(claims);
    return 0;
}
