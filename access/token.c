#include "token.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <unistd.h>

#include "base64url.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                              "uvwxyz0123456789-_";
static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

enum { PREFIX = 4, SECRET_AT = 13, SECRET = 32, CHECK_AT = 56, CHECK = 4 };

/* The bytes in base64url, without padding; no NUL. */
static void encode(const uint8_t *bytes, size_t len, char *out)
{
    for (size_t i = 0; i < len; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;

        group |= i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= i + 2 < len ? bytes[i + 2] : 0;
        *out++ = letters[group >> 18];
        *out++ = letters[group >> 12 & 63];
        if (i + 1 < len)
            *out++ = letters[group >> 6 & 63];
        if (i + 2 < len)
            *out++ = letters[group & 63];
    }
}

void token_hash(struct slice text, uint8_t hash[TOKEN_HASH])
{
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, text.ptr, text.len, hash) != 0)
        memset(hash, 0, TOKEN_HASH); /* of no token */
}

static void make_check(const char *text, char check[CHECK])
{
    uint8_t hash[TOKEN_HASH];

    token_hash((struct slice){text, CHECK_AT}, hash);
    encode(hash, 3, check);
}

enum status token_make(char text[TOKEN_SIZE + 1])
{
    uint8_t random[TOKEN_ID + SECRET];

    if (getentropy(random, sizeof(random)) != 0)
        return ERR_IO;
    memcpy(text, "cbt_", PREFIX);
    for (int i = 0; i < TOKEN_ID; i++)
        text[PREFIX + i] = base32[random[i] & 31];
    text[SECRET_AT - 1] = '_';
    encode(random + TOKEN_ID, SECRET, text + SECRET_AT);
    make_check(text, text + CHECK_AT);
    text[TOKEN_SIZE] = '\0';
    explicit_bzero(random, sizeof(random));
    return OK;
}

bool token_has_prefix(struct slice text)
{
    return slice_starts(text, SLICE("cbt_"));
}

bool token_is_whole(struct slice text)
{
    char check[CHECK];

    if (text.len != TOKEN_SIZE || !token_has_prefix(text) ||
        text.ptr[SECRET_AT - 1] != '_')
        return false;
    for (int i = 0; i < TOKEN_ID; i++)
        if (!memchr(base32, text.ptr[PREFIX + i], sizeof(base32) - 1))
            return false;
    for (int i = SECRET_AT; i < TOKEN_SIZE; i++)
        if (!memchr(letters, text.ptr[i], sizeof(letters) - 1))
            return false;
    make_check(text.ptr, check);
    return memcmp(check, text.ptr + CHECK_AT, CHECK) == 0;
}

struct slice token_id(struct slice text)
{
    return (struct slice){text.ptr + PREFIX, TOKEN_ID};
}

bool token_of_basic(struct slice text, char *password, size_t *len)
{
    char plain[1024];
    uint8_t bytes[1024];
    size_t count;
    const char *colon;

    if (text.len > 0 && text.len % 4 == 0 && text.ptr[text.len - 1] == '=')
        text.len--;
    if (text.len > 0 && text.len % 4 == 3 && text.ptr[text.len - 1] == '=')
        text.len--;
    if (text.len > sizeof(plain) || base64url_room(text.len) > sizeof(bytes))
        return false;
    for (size_t i = 0; i < text.len; i++) /* base64 to base64url */
        plain[i] = text.ptr[i] == '+'   ? '-'
                   : text.ptr[i] == '/' ? '_'
                                        : text.ptr[i];
    if (!base64url_decode((struct slice){plain, text.len}, bytes, &count))
        return false;
    colon = memchr(bytes, ':', count);
    if (!colon || count - (size_t)(colon + 1 - (char *)bytes) > *len)
        return false;
    *len = count - (size_t)(colon + 1 - (char *)bytes);
    memcpy(password, colon + 1, *len);
    explicit_bzero(bytes, sizeof(bytes));
    explicit_bzero(plain, sizeof(plain));
    return true;
}
