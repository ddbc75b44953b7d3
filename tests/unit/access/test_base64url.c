#include "base64url.h"

#include "jwt_kit.h"

static bool decodes(const char *text, const char *want)
{
    uint8_t out[64];
    size_t len;

    return base64url_decode(slice_of(text), out, &len) &&
           slice_equal((struct slice){(char *)out, len}, slice_of(want));
}

TEST(vectors_of_rfc_4648)
{
    CHECK(decodes("", ""));
    CHECK(decodes("Zg", "f"));
    CHECK(decodes("Zm8", "fo"));
    CHECK(decodes("Zm9v", "foo"));
    CHECK(decodes("Zm9vYg", "foob"));
    CHECK(decodes("Zm9vYmE", "fooba"));
    CHECK(decodes("Zm9vYmFy", "foobar"));
    CHECK(decodes("-_-_", "\xfb\xff\xbf"));
}

TEST(one_spelling_only)
{
    static const char *const wrong[] = {
        "Z",
        "Zm9vY",
        "Zg==",
        "Zg=",
        "Zh", /* stray bits */
        "Zm9",
        "+/+/",
        "Zm 9",
        "Zm9v\n",
        "Zm9v ",
        "\xc3\xa9"
        "AB",
        "Zm9v=",
    };
    uint8_t out[64];
    size_t len;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        CHECK(!base64url_decode(slice_of(wrong[i]), out, &len));
    CHECK(!base64url_decode((struct slice){"AA\0A", 4}, out, &len));
}

/* Property: what is encoded reads back, in the room that is promised. */
TEST(reads_back)
{
    for (uint32_t len = 0; len < 300; len++) {
        char bytes[300];
        uint8_t *out;
        size_t got;
        struct buf text;

        for (uint32_t i = 0; i < len; i++)
            bytes[i] = (char)test_random(256);
        buf_init(&text, 1024);
        jwt_kit_encode(&text, (struct slice){bytes, len});
        out = malloc(base64url_room(text.len));
        CHECK(base64url_decode(buf_slice(&text), out, &got));
        CHECK(slice_equal((struct slice){(char *)out, got},
                          (struct slice){bytes, len}));
        free(out);
        buf_release(&text);
    }
}
