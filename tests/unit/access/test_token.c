/* The text of an API token, and the password of Basic. */
#include "test.h"
#include "token.h"

TEST(a_token_is_recognised_without_a_look_up)
{
    char text[TOKEN_SIZE + 1], other[TOKEN_SIZE + 1];
    struct slice token = {text, TOKEN_SIZE};

    CHECK_EQ(token_make(text), OK);
    CHECK_EQ(token_make(other), OK);
    CHECK(memcmp(text, other, TOKEN_SIZE) != 0);
    CHECK(token_is_whole(token));
    CHECK(token_has_prefix(token));
    CHECK_EQ(token_id(token).len, 8);
    CHECK(!token_is_whole((struct slice){text, TOKEN_SIZE - 1}));
    CHECK(!token_is_whole(SLICE("cbt_")));
    CHECK(!token_is_whole(SLICE("")));
}

TEST(any_changed_bit_of_a_token_is_noticed)
{
    char text[TOKEN_SIZE + 1];

    CHECK_EQ(token_make(text), OK);
    for (int bit = 0; bit < TOKEN_SIZE * 8; bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        CHECK(!token_is_whole((struct slice){text, TOKEN_SIZE}));
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
    }
    CHECK(token_is_whole((struct slice){text, TOKEN_SIZE}));
}

static bool password_is(const char *basic, const char *expected)
{
    char password[32];
    size_t len = sizeof(password);

    return token_of_basic(slice_of(basic), password, &len) &&
           slice_equal((struct slice){password, len}, slice_of(expected));
}

TEST(the_password_of_basic)
{
    CHECK(password_is("dXNlcjpwYXNz", "pass"));      /* user:pass */
    CHECK(password_is("OnBhc3M=", "pass"));          /* :pass */
    CHECK(password_is("OnBhc3M", "pass"));           /* without padding */
    CHECK(password_is("dTphOmI=", "a:b"));           /* u:a:b */
    CHECK(password_is("dTo/Pz8+Pj4=", "\?\?\?>>>")); /* both alphabets */
    CHECK(password_is("dTo=", ""));
    CHECK(!password_is("dXNlcg==", "")); /* no colon */
    CHECK(!password_is("dXN!", ""));
    CHECK(!password_is("=", ""));
    CHECK(!password_is("", ""));
    /* longer than the caller has room for */
    CHECK(
        !password_is("dTphYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh"
                     "YWFh",
                     ""));
}
