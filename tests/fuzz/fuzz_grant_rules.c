/* The file of --grants, and what it gives to a subject. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "grant_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[256] = "";
    struct grant_rules *rules = grant_rules_parse(
        (struct slice){(const char *)data, size}, error, sizeof(error));
    json_t *claims;
    struct subject *subject;
    char *context;

    if (!rules) {
        assert(error[0]);
        return 0;
    }
    claims = jwt_claims_parse(SLICE(
        "{\"sub\":\"s\",\"groups\":[\"devs\",\"sre\"],\"a\":{\"b\":\"c\"}}"));
    context = grant_rules_context(rules, claims);
    subject = grant_rules_jwt(rules, claims, SLICE("t"), SLICE("{}"), 1);
    assert(subject->kind == SUBJECT_JWT);
    for (uint32_t i = 0; i < subject->grants.count; i++)
        assert(subject->grants.at[i].scope.namespace.len > 0);
    subject_free(subject);
    subject_free(grant_rules_certificate(rules, SLICE("x")));
    free(context);
    json_decref(claims);
    grant_rules_free(rules);
    return 0;
}
