/* The file of --grants: what it gives to a JWT and to a certificate. */
#include "grant_rules.h"

#include <stdlib.h>

#include "test.h"

static const char file[] =
    "grants:\n"
    "  - {claim: groups, value: devs, roles: [viewer], namespace: acme}\n"
    "  - {certificate: agent, roles: [ingest], namespace: acme}\n"
    "  - {claim: groups, value: agent, roles: [admin], namespace: '*'}\n"
    "  - {certificate: other, roles: [admin], namespace: '*'}\n"
    "  - {certificate: agent, roles: [viewer], namespace: beta}\n"
    "  - {claim: realm/roles, value: sre, roles: [viewer], namespace: beta}\n";

static struct grant_rules *parse(const char *text, const char *want)
{
    char error[256] = "";
    struct grant_rules *rules =
        grant_rules_parse(slice_of(text), error, sizeof(error));

    CHECK_EQ(rules != NULL, want == NULL);
    if (want && !CHECK(strstr(error, want)))
        printf("# %s\n", error);
    return rules;
}

static bool may(const struct subject *subject, enum action action,
                struct slice namespace)
{
    const union scope_names scope = {.namespace = namespace};

    return grants_cover(subject->grants, action, &scope);
}

/* All rules with its name, and none of a claim with this value. */
TEST(a_certificate_has_the_grants_of_its_name)
{
    struct grant_rules *rules = parse(file, NULL);
    struct subject *agent = grant_rules_certificate(rules, SLICE("agent"));

    CHECK(agent && agent->kind == SUBJECT_CERTIFICATE);
    CHECK_EQ(agent->grants.count, 2);
    CHECK(may(agent, ACTION_WRITE, SLICE("acme")));
    CHECK(!may(agent, ACTION_WRITE, SLICE("beta")));
    CHECK(may(agent, ACTION_LOGS_VIEW, SLICE("beta")));
    CHECK(!may(agent, ACTION_LOGS_VIEW, SLICE("acme")));
    CHECK(!may(agent, ACTION_ACCESS_ADMIN, SLICE("acme")));
    CHECK(!grant_rules_certificate(rules, SLICE("devs")));
    CHECK(!grant_rules_certificate(rules, SLICE("age")));
    CHECK(!grant_rules_certificate(rules, SLICE("")));
    subject_free(agent);
    grant_rules_free(rules);
}

static struct subject *user(const struct grant_rules *rules, const char *claims)
{
    json_t *json = jwt_claims_parse(slice_of(claims));
    struct subject *subject =
        grant_rules_jwt(rules, json, SLICE(""), SLICE(""), 1);

    json_decref(json);
    return subject;
}

/* Claims within claims, and values of several; no rule of a certificate. */
TEST(a_jwt_has_the_grants_of_its_claims)
{
    struct grant_rules *rules = parse(file, NULL);
    struct subject *both = user(rules, "{\"sub\":\"agent\",\"groups\":[\"qa\","
                                       "\"devs\"],\"realm\":{\"roles\":"
                                       "\"sre\"}}");
    struct subject *none = user(rules, "{\"sub\":\"other\"}");
    struct subject *without = user(NULL, "{\"sub\":\"a\",\"groups\":\"devs\"}");

    CHECK_EQ(both->grants.count, 2);
    CHECK(may(both, ACTION_LOGS_VIEW, SLICE("acme")));
    CHECK(may(both, ACTION_LOGS_VIEW, SLICE("beta")));
    CHECK(!may(both, ACTION_WRITE, SLICE("acme")));
    CHECK_EQ(none->grants.count, 0);
    CHECK_EQ(without->grants.count, 0);
    subject_free(both);
    subject_free(none);
    subject_free(without);
    grant_rules_free(rules);
}

TEST(what_is_wrong_with_a_file_is_said)
{
    parse("grants: [{claim: groups, roles: [viewer], namespace: a}]",
          "grants, row 1: either claim and value, or certificate");
    parse("grants: [{claim: g, value: v, certificate: c, roles: [viewer], "
          "namespace: a}]",
          "grants, row 1: either claim and value, or certificate");
    parse("grants: [{certificate: c, roles: [viewer], namespace: a, x: 1}]",
          "no such member: x");
    parse("grants: [{certificate: c, roles: [king], namespace: a}]", "king");
    parse("grants: [{certificate: c, roles: [viewer]}]", "namespace");
    parse("grants: {}", "grants");
    parse("grant: []", "no such member: grant");
    parse("subjects: [{type: user}]", "subjects, row 1: type and claim");
    parse("[]", "not a mapping");
}
