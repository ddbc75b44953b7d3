/* Texts of the head and the trailers. */
#include "grpc_text.h"

#include <string.h>

#include "clock.h"
#include "test.h"

static enum grpc_type type_of(const char *text)
{
    return grpc_type_of(slice_of(text));
}

TEST(content_types)
{
    CHECK_EQ(type_of("application/grpc"), GRPC_TYPE_PROTO);
    CHECK_EQ(type_of("Application/GRPC+Proto"), GRPC_TYPE_PROTO);
    CHECK_EQ(type_of("application/grpc;charset=utf-8"), GRPC_TYPE_PROTO);
    CHECK_EQ(type_of("application/grpc+json"), GRPC_TYPE_CODEC);
    CHECK_EQ(type_of("application/grpc-web"), GRPC_TYPE_OTHER);
    CHECK_EQ(type_of("application/grpcx"), GRPC_TYPE_OTHER);
    CHECK_EQ(type_of("application/x-protobuf"), GRPC_TYPE_OTHER);
    CHECK_EQ(type_of(""), GRPC_TYPE_OTHER);
}

TEST(timeouts)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } good[] = {{"1H", NS_PER_HOUR},     {"2M", 2 * NS_PER_MIN},
                {"3S", 3 * NS_PER_S},    {"9974m", 9974 * NS_PER_MS},
                {"5u", 5 * NS_PER_US},   {"0n", 0},
                {"99999999n", 99999999}, {"99999999H", UINT64_MAX}};
    static const char *const bad[] = {"",    "S",    "1",          "1s",
                                      "-1S", "1.5S", "123456789S", "1 S"};
    uint64_t ns;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CHECK(grpc_parse_timeout(slice_of(good[i].text), &ns));
        CHECK_EQ(ns, good[i].ns);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(!grpc_parse_timeout(slice_of(bad[i]), &ns));
}

static struct slice encode(const char *text, size_t room)
{
    static char out[64];

    return (struct slice){out, grpc_percent_encode(out, room, slice_of(text))};
}

TEST(percent_encoding)
{
    CHECK_TEXT(encode("plain text", 64), "plain text");
    CHECK_TEXT(encode("100%\n", 64), "100%25%0A");
    CHECK_TEXT(encode("\xc3\xa9!", 64), "%C3%A9!");
    CHECK_TEXT(encode("\xff\xf0", 64), "%FF%F0"); /* not UTF-8 */
    CHECK_TEXT(encode("ab\xc3\xa9", 7), "ab");    /* no half character */
    CHECK_TEXT(encode("ab\xc3\xa9", 8), "ab%C3%A9");
    CHECK_TEXT(encode("", 8), "");
}

TEST(base64_without_padding)
{
    static const char *const pairs[][2] = {
        {"", ""},        {"f", "Zg"},        {"fo", "Zm8"},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"\xfb\xff", "+/8"}};
    char out[16];

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct slice text = {out, grpc_base64(out, slice_of(pairs[i][0]))};

        CHECK_TEXT(text, pairs[i][1]);
    }
}
