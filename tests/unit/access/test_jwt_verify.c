/*
 * Tokens of every kind, good and bad: algorithms, confusion of algorithms,
 * tampering, form, claims, times, keys. All are made here.
 */
#include "jwt_verify.h"

#include "jwt_kit.h"

enum { NOW = 1500 };

/* Good claims, with the rest of the row added or in place of a member. */
#define CLAIMS(iss, aud, sub, exp, rest) \
    "{\"iss\":" iss ",\"aud\":" aud ",\"sub\":" sub ",\"exp\":" exp rest "}"
#define GOOD CLAIMS("\"https://idp\"", "\"callboard\"", "\"alice\"", "2000", "")
#define WITH(rest) \
    CLAIMS("\"https://idp\"", "\"callboard\"", "\"alice\"", "2000", "," rest)
#define ISS(iss) CLAIMS(iss, "\"callboard\"", "\"alice\"", "2000", "")
#define AUD(aud) CLAIMS("\"https://idp\"", aud, "\"alice\"", "2000", "")
#define SUB(sub) CLAIMS("\"https://idp\"", "\"callboard\"", sub, "2000", "")
#define EXP(exp) \
    CLAIMS("\"https://idp\"", "\"callboard\"", "\"alice\"", exp, "")
#define HEAD(alg, kid) "{\"alg\":\"" alg "\",\"kid\":\"" kid "\"}"
#define MORE(rest)     "{\"alg\":\"RS256\",\"kid\":\"rsa\"," rest "}"
#define RS256          HEAD("RS256", "rsa")
#define SIGN(name)     GNUTLS_SIGN_##name

struct vector {
    const char *header, *claims;
    enum jwt_kit_key key;
    gnutls_sign_algorithm_t sign;
    enum jwt_outcome expect;
};

static struct jwk_set *parse_set(const char *text, size_t len)
{
    struct jwk_set *set;
    const char *why;

    if (!CHECK_EQ(jwk_set_parse((struct slice){text, len}, &set, &why), OK))
        abort();
    return set;
}

static struct jwk_set *published(void)
{
    static struct jwk_set *set;
    struct buf text;

    if (set)
        return set;
    buf_init(&text, 64 * 1024);
    jwt_kit_set(&text);
    set = parse_set(text.ptr, text.len);
    buf_release(&text);
    CHECK_EQ(set->count, 5);
    return set;
}

static enum jwt_outcome verify_with(struct slice token,
                                    const struct jwk_set *keys)
{
    const struct jwt_trust trusts[] = {
        {SLICE("https://other"), SLICE("callboard"), NULL},
        {SLICE("https://idp"), SLICE("callboard"), keys},
    };
    struct jwt_verified out;
    const char *why = NULL;
    enum jwt_outcome outcome = jwt_verify(token, trusts, 2, NOW, &out, &why);

    CHECK((outcome == JWT_GOOD) == (out.claims != NULL));
    CHECK(outcome == JWT_GOOD || why);
    json_decref(out.claims);
    return outcome;
}

static enum jwt_outcome verify(struct slice token)
{
    return verify_with(token, published());
}

static void check_vector(const struct vector *v)
{
    struct buf token;
    enum jwt_outcome outcome;

    buf_init(&token, 128 * 1024);
    jwt_kit_sign(&token, slice_of(v->header), slice_of(v->claims), v->key,
                 v->sign);
    outcome = verify(buf_slice(&token));
    if (!CHECK_EQ(outcome, v->expect))
        printf("# %s . %s\n", v->header, v->claims);
    buf_release(&token);
}

#define CHECK_VECTORS(table)                                        \
    for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++) \
    check_vector(&(table)[i])

/* clang-format off */
TEST(algorithms)
{
    static const struct vector table[] = {
        {HEAD("RS256", "rsa"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_GOOD},
        {HEAD("RS384", "rsa"), GOOD, KIT_RSA, SIGN(RSA_SHA384), JWT_GOOD},
        {HEAD("RS512", "rsa"), GOOD, KIT_RSA, SIGN(RSA_SHA512), JWT_GOOD},
        {HEAD("PS256", "rsa"), GOOD, KIT_RSA, SIGN(RSA_PSS_RSAE_SHA256), JWT_GOOD},
        {HEAD("PS384", "rsa"), GOOD, KIT_RSA, SIGN(RSA_PSS_RSAE_SHA384), JWT_GOOD},
        {HEAD("PS512", "rsa"), GOOD, KIT_RSA, SIGN(RSA_PSS_RSAE_SHA512), JWT_GOOD},
        {HEAD("ES256", "p256"), GOOD, KIT_P256, SIGN(ECDSA_SHA256), JWT_GOOD},
        {HEAD("ES384", "p384"), GOOD, KIT_P384, SIGN(ECDSA_SHA384), JWT_GOOD},
        {HEAD("ES512", "p521"), GOOD, KIT_P521, SIGN(ECDSA_SHA512), JWT_GOOD},
        {HEAD("EdDSA", "ed25519"), GOOD, KIT_ED25519, SIGN(EDDSA_ED25519), JWT_GOOD},
    };
    CHECK_VECTORS(table);
}

TEST(algorithm_confusion)
{
    static const struct vector table[] = {
        {HEAD("none", "rsa"), GOOD, KIT_RSA, SIGN(UNKNOWN), JWT_MALFORMED},
        {HEAD("None", "rsa"), GOOD, KIT_RSA, SIGN(UNKNOWN), JWT_MALFORMED},
        {HEAD("NONE", "rsa"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {HEAD("", "rsa"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {HEAD("rs256", "rsa"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {HEAD("RS256 ", "rsa"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {HEAD("RS1", "rsa"), GOOD, KIT_RSA, SIGN(RSA_SHA1), JWT_MALFORMED},
        {HEAD("ES256K", "p256"), GOOD, KIT_P256, SIGN(ECDSA_SHA256), JWT_MALFORMED},
        {HEAD("A256KW", "rsa"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {"{\"kid\":\"rsa\"}", GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {"{\"alg\":null,\"kid\":\"rsa\"}", GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {"{\"alg\":[\"RS256\"],\"kid\":\"rsa\"}", GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {"{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"rsa\"}", GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {HEAD("RS384", "rsa"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_SIGNATURE},
        {HEAD("PS256", "rsa"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_SIGNATURE},
        {HEAD("RS256", "rsa"), GOOD, KIT_RSA, SIGN(RSA_PSS_RSAE_SHA256), JWT_BAD_SIGNATURE},
        {HEAD("PS384", "rsa"), GOOD, KIT_RSA, SIGN(RSA_PSS_RSAE_SHA256), JWT_BAD_SIGNATURE},
        {HEAD("RS256", "rsa"), GOOD, KIT_RSA, SIGN(RSA_SHA1), JWT_BAD_SIGNATURE},
        {HEAD("ES256", "rsa"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_SIGNATURE},
        {HEAD("EdDSA", "rsa"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_SIGNATURE},
        {HEAD("RS256", "p256"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_SIGNATURE},
        {HEAD("ES384", "p256"), GOOD, KIT_P256, SIGN(ECDSA_SHA384), JWT_BAD_SIGNATURE},
        {HEAD("ES256", "p384"), GOOD, KIT_P384, SIGN(ECDSA_SHA256), JWT_BAD_SIGNATURE},
        {HEAD("ES256", "ed25519"), GOOD, KIT_ED25519, SIGN(EDDSA_ED25519), JWT_BAD_SIGNATURE},
        {HEAD("ES512", "p256"), GOOD, KIT_P521, SIGN(ECDSA_SHA512), JWT_BAD_SIGNATURE},
    };
    CHECK_VECTORS(table);
}

TEST(keys)
{
    static const struct vector table[] = {
        {"{\"alg\":\"RS256\"}", GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {HEAD("RS256", ""), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {"{\"alg\":\"RS256\",\"kid\":7}", GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {"{\"alg\":\"RS256\",\"kid\":null}", GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {"{\"alg\":\"RS256\",\"kid\":\"other\",\"kid\":\"rsa\"}", GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {HEAD("RS256", "rsa\\u0000"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {HEAD("RS256", "RSA"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_UNKNOWN_KEY},
        {HEAD("RS256", "../../etc/passwd"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_UNKNOWN_KEY},
        {HEAD("RS256", "' or 1=1 --"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_UNKNOWN_KEY},
        {RS256, GOOD, KIT_OTHER_RSA, SIGN(RSA_SHA256), JWT_BAD_SIGNATURE},
        {RS256, GOOD, KIT_SMALL_RSA, SIGN(RSA_SHA256), JWT_BAD_SIGNATURE},
        {MORE("\"jku\":\"http://evil/keys\""), GOOD, KIT_OTHER_RSA, SIGN(RSA_SHA256), JWT_BAD_SIGNATURE},
        {MORE("\"x5u\":\"http://evil/cert\""), GOOD, KIT_OTHER_RSA, SIGN(RSA_SHA256), JWT_BAD_SIGNATURE},
        {MORE("\"x5c\":[\"MIIB\"]"), GOOD, KIT_OTHER_RSA, SIGN(RSA_SHA256), JWT_BAD_SIGNATURE},
        {MORE("\"jku\":\"http://evil/keys\""), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_GOOD},
        {MORE("\"x5t\":\"abc\""), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_GOOD},
    };
    CHECK_VECTORS(table);
}

TEST(headers)
{
    static const struct vector table[] = {
        {MORE("\"typ\":\"JWT\""), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_GOOD},
        {MORE("\"typ\":\"at+jwt\""), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_GOOD},
        {MORE("\"crit\":[]"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {MORE("\"crit\":null"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {MORE("\"crit\":[\"exp\"],\"exp\":2000"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {MORE("\"crit\":[\"b64\"],\"b64\":false"), GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {"[\"RS256\",\"rsa\"]", GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {"\"RS256\"", GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {"{}", GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {"{\"alg\":\"RS256\",\"kid\":\"rsa\"", GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {RS256 "x", GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {RS256 RS256, GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {"\xef\xbb\xbf" RS256, GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {"{\"alg\":\"RS256\",\"kid\":\"rsa\",\"x\":\"\xff\"}", GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
    };
    CHECK_VECTORS(table);
}

TEST(claims)
{
    static const struct vector table[] = {
        {RS256, WITH("\"groups\":[\"devs\"]"), KIT_RSA, SIGN(RSA_SHA256), JWT_GOOD},
        {RS256, ISS("\"https://idp/\""), KIT_RSA, SIGN(RSA_SHA256), JWT_FOREIGN},
        {RS256, ISS("\"https://IDP\""), KIT_RSA, SIGN(RSA_SHA256), JWT_FOREIGN},
        {RS256, ISS("\"https://idp.evil\""), KIT_RSA, SIGN(RSA_SHA256), JWT_FOREIGN},
        {RS256, ISS("\"\""), KIT_RSA, SIGN(RSA_SHA256), JWT_FOREIGN},
        {RS256, ISS("null"), KIT_RSA, SIGN(RSA_SHA256), JWT_FOREIGN},
        {RS256, ISS("[\"https://idp\"]"), KIT_RSA, SIGN(RSA_SHA256), JWT_FOREIGN},
        {RS256, ISS("\"https://idp\\u0000\""), KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {RS256, ISS("\"https://other\""), KIT_RSA, SIGN(RSA_SHA256), JWT_NO_KEYS},
        {RS256, "{\"aud\":\"callboard\",\"sub\":\"a\",\"exp\":2000}", KIT_RSA, SIGN(RSA_SHA256), JWT_FOREIGN},
        {RS256, AUD("[\"callboard\"]"), KIT_RSA, SIGN(RSA_SHA256), JWT_GOOD},
        {RS256, AUD("[\"account\",\"callboard\"]"), KIT_RSA, SIGN(RSA_SHA256), JWT_GOOD},
        {RS256, AUD("\"account\""), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, AUD("[\"account\"]"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, AUD("[]"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, AUD("\"\""), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, AUD("null"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, AUD("{\"callboard\":true}"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, AUD("[\"callboard\",7]"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, AUD("[[\"callboard\"]]"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, AUD("\"callboard2\""), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, AUD("\"Callboard\""), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, "{\"iss\":\"https://idp\",\"sub\":\"a\",\"exp\":2000}", KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, SUB("\"\""), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, SUB("7"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, SUB("null"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, SUB("\"ali\\u0000ce\""), KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {RS256, "{\"iss\":\"https://idp\",\"aud\":\"callboard\",\"exp\":2000}", KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, WITH("\"sub\":\"bob\""), KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {RS256, WITH("\"a\":{\"b\":1,\"b\":2}"), KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {RS256, WITH("\"x\\u0000\":1"), KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {RS256, "[" GOOD "]", KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {RS256, "\"text\"", KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {RS256, "{}", KIT_RSA, SIGN(RSA_SHA256), JWT_FOREIGN},
        {RS256, GOOD GOOD, KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
    };
    CHECK_VECTORS(table);
}

/* The leeway is 30 s; it is 1500. */
TEST(times)
{
    static const struct vector table[] = {
        {RS256, EXP("1501"), KIT_RSA, SIGN(RSA_SHA256), JWT_GOOD},
        {RS256, EXP("1501.5"), KIT_RSA, SIGN(RSA_SHA256), JWT_GOOD},
        {RS256, EXP("1.501e3"), KIT_RSA, SIGN(RSA_SHA256), JWT_GOOD},
        {RS256, EXP("1471"), KIT_RSA, SIGN(RSA_SHA256), JWT_GOOD},
        {RS256, EXP("1470"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, EXP("0"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, EXP("-1"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, EXP("\"2000\""), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, EXP("null"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, EXP("true"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, EXP("[2000]"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, EXP("99999999999"), KIT_RSA, SIGN(RSA_SHA256), JWT_GOOD},
        {RS256, EXP("100000000000"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, EXP("9223372036854775807"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, EXP("9223372036854775808"), KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {RS256, EXP("1e400"), KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {RS256, EXP("NaN"), KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {RS256, EXP("Infinity"), KIT_RSA, SIGN(RSA_SHA256), JWT_MALFORMED},
        {RS256, "{\"iss\":\"https://idp\",\"aud\":\"callboard\",\"sub\":\"a\"}", KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, WITH("\"nbf\":1530"), KIT_RSA, SIGN(RSA_SHA256), JWT_GOOD},
        {RS256, WITH("\"nbf\":1531"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, WITH("\"nbf\":\"0\""), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, WITH("\"nbf\":null"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, WITH("\"nbf\":-5"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, WITH("\"iat\":1530"), KIT_RSA, SIGN(RSA_SHA256), JWT_GOOD},
        {RS256, WITH("\"iat\":1531"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, WITH("\"iat\":\"yesterday\""), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
        {RS256, WITH("\"iat\":1e99"), KIT_RSA, SIGN(RSA_SHA256), JWT_BAD_CLAIMS},
    };
    CHECK_VECTORS(table);
}
/* clang-format on */

/* The public key as the secret of an HMAC, in the forms that libraries took. */
TEST(public_key_as_hmac_secret)
{
    gnutls_pubkey_t key;
    gnutls_datum_t pem, der;
    struct buf text, token;
    uint8_t mac[32];

    gnutls_pubkey_init(&key);
    gnutls_pubkey_import_privkey(key, jwt_kit_private(KIT_RSA), 0, 0);
    gnutls_pubkey_export2(key, GNUTLS_X509_FMT_PEM, &pem);
    gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der);
    for (int i = 0; i < 3; i++) {
        const gnutls_datum_t *secret = i == 0 ? &pem : &der;

        buf_init(&text, 4096);
        buf_init(&token, 4096);
        jwt_kit_encode(&text, slice_of(i < 2 ? HEAD("HS256", "rsa") : RS256));
        buf_byte(&text, '.');
        jwt_kit_encode(&text, slice_of(GOOD));
        gnutls_hmac_fast(GNUTLS_MAC_SHA256, secret->data, secret->size,
                         text.ptr, text.len, mac);
        buf_add(&token, buf_slice(&text));
        buf_byte(&token, '.');
        jwt_kit_encode(&token, (struct slice){(char *)mac, sizeof(mac)});
        CHECK_EQ(verify(buf_slice(&token)),
                 i < 2 ? JWT_MALFORMED : JWT_BAD_SIGNATURE);
        buf_release(&token);
        buf_release(&text);
    }
    gnutls_free(pem.data);
    gnutls_free(der.data);
    gnutls_pubkey_deinit(key);
}

/* The key that made the signature, in the token itself. */
TEST(key_in_the_header)
{
    struct buf header, token;

    buf_init(&header, 8192);
    buf_init(&token, 16384);
    buf_format(&header, "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"jwk\":");
    jwt_kit_jwk(&header, KIT_OTHER_RSA);
    buf_format(&header, ",\"kid\":\"rsa\"}}");
    jwt_kit_sign(&token, buf_slice(&header), slice_of(GOOD), KIT_OTHER_RSA,
                 GNUTLS_SIGN_RSA_SHA256);
    CHECK_EQ(verify(buf_slice(&token)), JWT_BAD_SIGNATURE);
    buf_release(&token);
    buf_release(&header);
}

static void make_good(struct buf *token, enum jwt_kit_key key)
{
    static const struct {
        const char *header;
        gnutls_sign_algorithm_t sign;
    } by_key[] = {
        [KIT_RSA] = {RS256, GNUTLS_SIGN_RSA_SHA256},
        [KIT_P256] = {HEAD("ES256", "p256"), GNUTLS_SIGN_ECDSA_SHA256},
        [KIT_P384] = {HEAD("ES384", "p384"), GNUTLS_SIGN_ECDSA_SHA384},
        [KIT_P521] = {HEAD("ES512", "p521"), GNUTLS_SIGN_ECDSA_SHA512},
        [KIT_ED25519] = {HEAD("EdDSA", "ed25519"), GNUTLS_SIGN_EDDSA_ED25519},
    };

    buf_init(token, 16384);
    jwt_kit_sign(token, slice_of(by_key[key].header), slice_of(GOOD), key,
                 by_key[key].sign);
}

/* Property: a good token with any one bit changed is refused. */
TEST(every_bit_counts)
{
    for (int key = KIT_RSA; key <= KIT_ED25519; key++) {
        struct buf token;
        uint32_t taken = 0;

        make_good(&token, (enum jwt_kit_key)key);
        CHECK_EQ(verify(buf_slice(&token)), JWT_GOOD);
        for (size_t bit = 0; bit < 8 * token.len; bit++) {
            token.ptr[bit / 8] ^= (char)(1 << bit % 8);
            taken += verify(buf_slice(&token)) == JWT_GOOD;
            token.ptr[bit / 8] ^= (char)(1 << bit % 8);
        }
        CHECK_EQ(taken, 0);
        buf_release(&token);
    }
}

/* Property: cut anywhere, with a byte added anywhere, or twice, it is refused.
 */
TEST(every_length_counts)
{
    for (int key = KIT_RSA; key <= KIT_ED25519; key++) {
        static const char added[] = "A=. \n\t\r%+/";
        struct buf token, other;
        uint32_t taken = 0;

        make_good(&token, (enum jwt_kit_key)key);
        for (size_t at = 0; at < token.len; at++) {
            taken += verify((struct slice){token.ptr, at}) == JWT_GOOD;
            taken += verify(slice_from(buf_slice(&token), at + 1)) == JWT_GOOD;
        }
        for (size_t at = 0; at <= token.len; at++) {
            buf_init(&other, 16384);
            buf_add(&other, (struct slice){token.ptr, at});
            buf_byte(&other, added[at % sizeof(added)]); /* NUL, too */
            buf_add(&other, slice_from(buf_slice(&token), at));
            taken += verify(buf_slice(&other)) == JWT_GOOD;
            buf_release(&other);
        }
        CHECK_EQ(taken, 0);
        buf_release(&token);
    }
}

TEST(form)
{
    static const char *const table[] = {
        "",
        ".",
        "..",
        "...",
        "a.b",
        "e30.e30.",
        ".e30.e30",
        "e30..e30",
        "e30.e30.e30",
        "e30.e30.e30.e30",
        "e30.e30.e30.e30.e30",
        "e30=.e30.e30",
        "!.!.!",
    };
    struct buf token, big;

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        CHECK_EQ(verify(slice_of(table[i])), JWT_MALFORMED);
    make_good(&token, KIT_RSA);
    buf_add(&token, SLICE("=="));
    CHECK_EQ(verify(buf_slice(&token)), JWT_MALFORMED);
    buf_release(&token);

    /* More than 16 KiB, and nested as deeply as fits. */
    buf_init(&big, 65536);
    buf_init(&token, 65536);
    buf_format(&big, "{\"iss\":\"https://idp\",\"x\":");
    for (int i = 0; i < 5000; i++)
        buf_byte(&big, '[');
    for (int i = 0; i < 5000; i++)
        buf_byte(&big, ']');
    buf_byte(&big, '}');
    jwt_kit_sign(&token, slice_of(RS256), buf_slice(&big), KIT_RSA,
                 GNUTLS_SIGN_RSA_SHA256);
    CHECK(token.len < 16384);
    CHECK_EQ(verify(buf_slice(&token)), JWT_MALFORMED);
    buf_reset(&token);
    for (int i = 0; i < 3000; i++)
        buf_byte(&big, ' ');
    jwt_kit_sign(&token, slice_of(RS256), buf_slice(&big), KIT_RSA,
                 GNUTLS_SIGN_RSA_SHA256);
    CHECK(token.len > 16384);
    CHECK_EQ(verify(buf_slice(&token)), JWT_MALFORMED);
    buf_release(&token);
    buf_release(&big);
}

/* r and s are exactly as long as the curve's order, and not in DER. */
TEST(ecdsa_signature_form)
{
    struct buf text, token;
    gnutls_datum_t data, der;
    char zeros[64] = {0};

    buf_init(&text, 4096);
    jwt_kit_encode(&text, slice_of(HEAD("ES256", "p256")));
    buf_byte(&text, '.');
    jwt_kit_encode(&text, slice_of(GOOD));
    data = (gnutls_datum_t){(unsigned char *)text.ptr, (unsigned)text.len};
    if (!CHECK_EQ(gnutls_privkey_sign_data2(jwt_kit_private(KIT_P256),
                                            GNUTLS_SIGN_ECDSA_SHA256, 0, &data,
                                            &der),
                  0))
        return;
    for (int i = 0; i < 3; i++) {
        struct slice signature = {(char *)der.data, der.size};

        if (i > 0) /* r = s = 0; or half of it */
            signature = (struct slice){zeros, i == 1 ? 64 : 32};
        buf_init(&token, 4096);
        buf_add(&token, buf_slice(&text));
        buf_byte(&token, '.');
        jwt_kit_encode(&token, signature);
        CHECK_EQ(verify(buf_slice(&token)), JWT_BAD_SIGNATURE);
        buf_release(&token);
    }
    gnutls_free(der.data);
    buf_release(&text);
}

/* Two keys with one kid: the one that fits counts, and of two the one that
 * signed. */
TEST(keys_with_one_kid)
{
    static const enum jwt_kit_key order[] = {KIT_P256, KIT_OTHER_RSA, KIT_RSA};
    struct buf text, token;
    struct jwk_set *set;

    buf_init(&text, 65536);
    buf_init(&token, 16384);
    buf_format(&text, "{\"keys\":[");
    for (int i = 0; i < 3; i++) {
        if (i > 0)
            buf_byte(&text, ',');
        jwt_kit_jwk(&text, order[i]);
        buf_format(&text, ",\"kid\":\"rsa\"}");
    }
    buf_format(&text, "]}");
    set = parse_set(text.ptr, text.len);
    jwt_kit_sign(&token, slice_of(RS256), slice_of(GOOD), KIT_RSA,
                 GNUTLS_SIGN_RSA_SHA256);
    CHECK_EQ(verify_with(buf_slice(&token), set), JWT_GOOD);
    jwk_set_free(set);
    buf_release(&token);
    buf_release(&text);
}

/* No audience asked for: a token without one is good. */
TEST(any_audience)
{
    const struct jwt_trust trust = {
        SLICE("https://idp"), {NULL, 0}, published()};
    struct jwt_verified out;
    struct buf token;
    const char *why;

    buf_init(&token, 16384);
    jwt_kit_sign(
        &token, slice_of(RS256),
        SLICE("{\"iss\":\"https://idp\",\"sub\":\"a\",\"exp\":1600.9}"),
        KIT_RSA, GNUTLS_SIGN_RSA_SHA256);
    CHECK_EQ(jwt_verify(buf_slice(&token), &trust, 1, NOW, &out, &why),
             JWT_GOOD);
    CHECK_EQ(out.expires_s, 1600);
    json_decref(out.claims);
    buf_release(&token);
}
