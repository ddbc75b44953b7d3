#include "jwt_claims.h"

#include "buf.h"
#include "test.h"

/* The values of a claim, joined with "|". */
static void check_values(const char *payload, const char *name,
                         const char *want)
{
    struct slice values[JWT_MAX_VALUES];
    json_t *claims = jwt_claims_parse(slice_of(payload));
    char joined[1024];
    size_t len = 0;
    uint32_t count;

    if (!CHECK(claims))
        return;
    count = jwt_claims_values(claims, name, values);
    for (uint32_t i = 0; i < count && len + values[i].len < 1000; i++) {
        if (i > 0)
            joined[len++] = '|';
        slice_copy(joined + len, values[i]);
        len += values[i].len;
    }
    if (!CHECK_TEXT(((struct slice){joined, len}), want))
        return;
    json_decref(claims);
}

TEST(values_of_a_claim)
{
    check_values("{\"groups\":\"devs\"}", "groups", "devs");
    check_values("{\"groups\":[\"devs\",\"sre\"]}", "groups", "devs|sre");
    check_values("{\"groups\":[\"a\",7,null,[\"b\"],{\"c\":1},\"d\"]}",
                 "groups", "a|d");
    check_values("{\"groups\":[]}", "groups", "");
    check_values("{\"groups\":7}", "groups", "");
    check_values("{}", "groups", "");
    check_values("{\"groups\":\"a b\"}", "groups", "a b");
}

/* RFC 8693, and Entra ID's name for it. */
TEST(scopes_are_separated_by_blanks)
{
    check_values("{\"scope\":\"openid profile  logs\"}", "scope",
                 "openid|profile|logs");
    check_values("{\"scp\":\"a b\"}", "scp", "a|b");
    check_values("{\"scope\":[\"a\",\"b\"]}", "scope", "a|b");
}

TEST(paths)
{
    check_values("{\"realm_access\":{\"roles\":[\"x\",\"y\"]}}",
                 "realm_access/roles", "x|y");
    check_values("{\"a\":{\"b\":{\"c\":\"z\"}}}", "a/b/c", "z");
    check_values("{\"a\":{\"b\":\"z\"}}", "a/b/c", "");
    check_values("{\"a\":\"z\"}", "a/b", "");
    /* The member wins, also where its own name has slashes. */
    check_values("{\"https://acme/roles\":[\"x\"]}", "https://acme/roles", "x");
    check_values("{\"a/b\":\"1\",\"a\":{\"b\":\"2\"}}", "a/b", "1");
    check_values("{\"resource_access\":{\"a/b\":{\"roles\":[\"r\"]}}}",
                 "resource_access/a/b/roles", "r");
}

TEST(bounds)
{
    struct slice values[JWT_MAX_VALUES];
    struct buf text;
    json_t *claims;

    buf_init(&text, 65536);
    buf_format(&text, "{\"many\":[\"g\"");
    for (int i = 0; i < 300; i++)
        buf_format(&text, ",\"g\"");
    buf_format(&text, "],\"fits\":\"%0256d\",\"long\":\"%0257d\"}", 1, 1);
    claims = jwt_claims_parse(buf_slice(&text));
    CHECK(claims);
    CHECK_EQ(jwt_claims_values(claims, "many", values), JWT_MAX_VALUES);
    CHECK_EQ(jwt_claims_values(claims, "long", values), 0);
    CHECK_EQ(jwt_claims_values(claims, "fits", values), 1);
    json_decref(claims);
    buf_release(&text);
}
