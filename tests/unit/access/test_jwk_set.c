#include "jwk_set.h"

#include "jwt_kit.h"

/* The keys of a set with one key that has these members added. */
static uint32_t count_with(enum jwt_kit_key key, const char *members)
{
    struct buf text;
    struct jwk_set *set;
    const char *why;
    uint32_t count;
    enum status status;

    buf_init(&text, 65536);
    buf_format(&text, "{\"keys\":[");
    jwt_kit_jwk(&text, key);
    buf_format(&text, "%s}]}", members);
    status = jwk_set_parse(buf_slice(&text), &set, &why);
    count = set ? set->count : 0;
    CHECK_EQ(status, count ? OK : ERR_NOT_FOUND);
    jwk_set_free(set);
    buf_release(&text);
    return count;
}

TEST(keys_that_count)
{
    static const struct {
        enum jwt_kit_key key;
        const char *members;
        uint32_t count;
    } table[] = {
        {KIT_RSA, ",\"kid\":\"a\"", 1},
        {KIT_RSA, ",\"kid\":\"a\",\"use\":\"sig\",\"alg\":\"RS256\"", 1},
        {KIT_RSA, ",\"kid\":\"a\",\"alg\":\"PS512\"", 1},
        {KIT_RSA, ",\"kid\":\"a\",\"x5c\":[\"MII\"],\"x5t\":\"b\"", 1},
        {KIT_RSA, ",\"kid\":\"a\",\"key_ops\":[\"verify\"]", 1},
        {KIT_P256, ",\"kid\":\"a\",\"alg\":\"ES256\"", 1},
        {KIT_ED25519, ",\"kid\":\"a\",\"alg\":\"EdDSA\"", 1},
        {KIT_RSA, "", 0},
        {KIT_RSA, ",\"kid\":\"\"", 0},
        {KIT_RSA, ",\"kid\":7", 0},
        {KIT_RSA, ",\"kid\":\"a\",\"use\":\"enc\"", 0},
        {KIT_RSA, ",\"kid\":\"a\",\"use\":7", 0},
        {KIT_RSA, ",\"kid\":\"a\",\"alg\":\"RSA-OAEP\"", 0},
        {KIT_RSA, ",\"kid\":\"a\",\"alg\":\"HS256\"", 0},
        {KIT_RSA, ",\"kid\":\"a\",\"alg\":\"none\"", 0},
        {KIT_RSA, ",\"kid\":\"a\",\"alg\":\"ES256\"", 0},
        {KIT_RSA, ",\"kid\":\"a\",\"key_ops\":[\"encrypt\"]", 0},
        {KIT_RSA, ",\"kid\":\"a\",\"key_ops\":[]", 0},
        {KIT_RSA, ",\"kid\":\"a\",\"d\":\"AQAB\"", 0},
        {KIT_P256, ",\"kid\":\"a\",\"alg\":\"ES384\"", 0},
        {KIT_SMALL_RSA, ",\"kid\":\"a\"", 0},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        if (!CHECK_EQ(count_with(table[i].key, table[i].members),
                      table[i].count))
            printf("# %d %s\n", table[i].key, table[i].members);
}

static enum status parse(const char *text)
{
    struct jwk_set *set;
    const char *why = NULL;
    enum status status = jwk_set_parse(slice_of(text), &set, &why);

    CHECK((status == OK) == (set != NULL));
    CHECK(why);
    jwk_set_free(set);
    return status;
}

TEST(what_is_no_set)
{
    CHECK_EQ(parse(""), ERR_MALFORMED);
    CHECK_EQ(parse("<!DOCTYPE html><html></html>"), ERR_MALFORMED);
    CHECK_EQ(parse("[]"), ERR_MALFORMED);
    CHECK_EQ(parse("{}"), ERR_MALFORMED);
    CHECK_EQ(parse("{\"keys\":{}}"), ERR_MALFORMED);
    CHECK_EQ(parse("{\"keys\":[],\"keys\":[]}"), ERR_MALFORMED);
    CHECK_EQ(parse("{\"keys\":[]} x"), ERR_MALFORMED);
    CHECK_EQ(parse("{\"keys\":[]"), ERR_MALFORMED);
    CHECK_EQ(parse("{\"keys\":[]}"), ERR_NOT_FOUND);
    CHECK_EQ(parse("{\"keys\":[7,null,\"a\",[],{}]}"), ERR_NOT_FOUND);
}

/* Keys made by hand: numbers out of range, and of other types. */
TEST(broken_keys)
{
#define ONE(members) "{\"keys\":[{\"kid\":\"a\"," members "}]}"
    static const char *const table[] = {
        ONE("\"kty\":\"oct\",\"k\":\"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0\""),
        ONE("\"kty\":\"RSA\""),
        ONE("\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\""),
        ONE("\"kty\":\"RSA\",\"n\":\"\",\"e\":\"\""),
        ONE("\"kty\":\"RSA\",\"n\":7,\"e\":7"),
        ONE("\"kty\":\"EC\""),
        ONE("\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\""),
        ONE("\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AAAA\","
            "\"y\":\"AAAA\""),
        ONE("\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":"
            "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""),
        ONE("\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\""),
        ONE("\"kty\":\"OKP\",\"crv\":\"P-256\",\"x\":\"AAAA\""),
        ONE("\"kty\":[\"RSA\"]"),
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        CHECK_EQ(parse(table[i]), ERR_NOT_FOUND);
#undef ONE
}

/* An RSA key with this exponent, and the last byte of its modulus changed. */
static enum status parse_rsa(size_t size, size_t zeros, uint8_t last,
                             const char *exponent)
{
    char *modulus = malloc(zeros + size);
    struct buf text;
    enum status status;

    memset(modulus, 0, zeros);
    memset(modulus + zeros, 0xc5, size);
    modulus[zeros + size - 1] = (char)last;
    buf_init(&text, 65536);
    buf_format(&text,
               "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"e\":\"%s\","
               "\"n\":\"",
               exponent);
    jwt_kit_encode(&text, (struct slice){modulus, zeros + size});
    buf_format(&text, "\"}]}%c", 0);
    status = parse(text.ptr);
    buf_release(&text);
    free(modulus);
    return status;
}

TEST(rsa_bounds)
{
    CHECK_EQ(parse_rsa(256, 0, 0xc5, "AQAB"), OK);
    CHECK_EQ(parse_rsa(256, 1, 0xc5, "AQAB"), OK); /* as Java writes it */
    CHECK_EQ(parse_rsa(256, 0, 0xc5, "Aw"), OK);   /* 3 */
    CHECK_EQ(parse_rsa(1024, 1, 0xc5, "AQAB"), OK);
    CHECK_EQ(parse_rsa(255, 1, 0xc5, "AQAB"), ERR_NOT_FOUND);
    CHECK_EQ(parse_rsa(1025, 0, 0xc5, "AQAB"), ERR_NOT_FOUND);
    CHECK_EQ(parse_rsa(256, 0, 0xc4, "AQAB"), ERR_NOT_FOUND); /* even */
    CHECK_EQ(parse_rsa(256, 0, 0xc5, "AQ"), ERR_NOT_FOUND);   /* 1 */
    CHECK_EQ(parse_rsa(256, 0, 0xc5, "AAAB"), ERR_NOT_FOUND); /* 1 */
    CHECK_EQ(parse_rsa(256, 0, 0xc5, "AA"), ERR_NOT_FOUND);
    CHECK_EQ(parse_rsa(256, 0, 0xc5, "BA"), ERR_NOT_FOUND); /* 4 */
    CHECK_EQ(parse_rsa(256, 0, 0xc5, "AQAAAAAAAAAB"), ERR_NOT_FOUND);
}

/* GnuTLS imports a point that is not on the curve; it verifies nothing, and
 * does not crash: test_jwt_verify.c checks signatures against such sets. */
TEST(point_not_on_the_curve)
{
    struct buf text;

    buf_init(&text, 4096);
    buf_format(&text, "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
                      "\"kid\":\"a\",\"x\":\"");
    for (int i = 0; i < 2; i++) {
        char one[32] = {[31] = 1};

        jwt_kit_encode(&text, (struct slice){one, sizeof(one)});
        buf_format(&text, i == 0 ? "\",\"y\":\"" : "\"}]}");
    }
    buf_byte(&text, '\0');
    (void)parse(text.ptr);
    buf_release(&text);
}

TEST(at_most_64_keys)
{
    struct buf text;

    for (int count = 64; count <= 65; count++) {
        buf_init(&text, JWK_MAX_BYTES);
        buf_format(&text, "{\"keys\":[");
        for (int i = 0; i < count; i++) {
            if (i > 0)
                buf_byte(&text, ',');
            jwt_kit_jwk(&text, KIT_P256);
            buf_format(&text, ",\"kid\":\"%d\"}", i);
        }
        buf_format(&text, "]}%c", 0);
        CHECK_EQ(parse(text.ptr), count == 64 ? OK : ERR_TOO_BIG);
        buf_release(&text);
    }
    buf_init(&text, 2 * JWK_MAX_BYTES);
    buf_format(&text, "{\"keys\":[");
    while (text.len <= JWK_MAX_BYTES)
        buf_byte(&text, ' ');
    buf_format(&text, "]}%c", 0);
    CHECK_EQ(parse(text.ptr), ERR_TOO_BIG);
    buf_release(&text);
}
