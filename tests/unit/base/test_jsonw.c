#include "jsonw.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

static struct buf out;
static struct jsonw w;

static void begin(void)
{
    buf_release(&out);
    buf_init(&out, 1 << 20);
    jsonw_init(&w, &out);
}

#define CHECK_OUT(want) CHECK_TEXT(buf_slice(&out), want)

TEST(commas_and_brackets)
{
    begin();
    jsonw_open(&w, '{');
    jsonw_member_int(&w, "a", -1);
    jsonw_name(&w, "b");
    jsonw_uint(&w, UINT64_MAX);
    jsonw_name(&w, "c");
    jsonw_open(&w, '[');
    jsonw_open(&w, '[');
    jsonw_close(&w, ']');
    jsonw_null(&w);
    jsonw_bool(&w, true);
    jsonw_open(&w, '{');
    jsonw_close(&w, '}');
    jsonw_close(&w, ']');
    jsonw_name(&w, "d");
    jsonw_bool(&w, false);
    jsonw_member_text(&w, "e", SLICE("x"));
    jsonw_name(&w, "f");
    jsonw_double(&w, 0.5);
    jsonw_name(&w, "g");
    jsonw_time(&w, 1);
    jsonw_name(&w, "h");
    jsonw_hex(&w, (const uint8_t *)"\x01\xab", 2);
    jsonw_close(&w, '}');
    CHECK_OUT("{\"a\":-1,\"b\":18446744073709551615,\"c\":[[],null,true,{}],"
              "\"d\":false,\"e\":\"x\",\"f\":0.5,"
              "\"g\":\"1970-01-01T00:00:00.000000001Z\",\"h\":\"01ab\"}");
}

TEST(text_is_escaped)
{
    begin();
    jsonw_text(&w, SLICE("a\"b\\c\n\r\t\x01\x1f\x7f/"));
    CHECK_OUT("\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\x7f/\"");
    begin();
    jsonw_text(&w, (struct slice){NULL, 0});
    CHECK_OUT("\"\"");
    begin();
    jsonw_text(&w, SLICE("a\0b"));
    CHECK_OUT("\"a\\u0000b\"");
}

#define BAD "\xef\xbf\xbd"

TEST(utf8_passes_and_the_rest_is_replaced)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"\xc3\xa9", "\xc3\xa9"},
        {"\xe2\x82\xac", "\xe2\x82\xac"},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
        {"\xef\xbf\xbf", "\xef\xbf\xbf"},
        {"\x80", BAD},
        {"\xff\xfe", BAD BAD},
        {"\xc3", BAD},
        {"\xc3(", BAD "("},
        {"\xc0\xaf", BAD BAD},         /* overlong */
        {"\xe0\x80\xaf", BAD BAD BAD}, /* overlong */
        {"\xf0\x80\x80\xaf", BAD BAD BAD BAD},
        {"\xed\xa0\x80", BAD BAD BAD},         /* a surrogate */
        {"\xf4\x90\x80\x80", BAD BAD BAD BAD}, /* above U+10FFFF */
        {"\xe2\x82", BAD BAD},
        {"abcdefg\xe2\x82\xachijklmnop\xf0\x9f",
         "abcdefg\xe2\x82\xachijklmnop" BAD BAD},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct slice got;

        begin();
        jsonw_text(&w, slice_of(cases[i].text));
        got = buf_slice(&out);
        CHECK_TEXT(((struct slice){got.ptr + 1, got.len - 2}), cases[i].want);
    }
}

/* A parser that is not ours takes whatever we write, and reads the same. */
TEST(random_bytes_are_valid_json)
{
    for (int round = 0; round < 20000; round++) {
        char text[64];
        size_t len = test_random(sizeof(text));
        bool ascii = round % 2;
        json_t *json;

        for (size_t i = 0; i < len; i++)
            text[i] = (char)test_random(ascii ? 128 : 256);
        begin();
        jsonw_open(&w, '[');
        jsonw_text(&w, (struct slice){text, len});
        jsonw_close(&w, ']');
        json = json_loadb(out.ptr, out.len, JSON_ALLOW_NUL, NULL);
        if (!CHECK(json))
            return;
        if (ascii) {
            const json_t *string = json_array_get(json, 0);

            CHECK_EQ(json_string_length(string), len);
            CHECK(memcmp(json_string_value(string), text, len) == 0);
        }
        json_decref(json);
    }
}

/* One byte of each kind at each place of a run. */
TEST(every_byte_at_every_place)
{
    for (int byte = 0; byte < 256; byte++)
        for (size_t at = 0; at < 24; at++) {
            char text[24];
            bool plain =
                byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';

            memset(text, 'x', sizeof(text));
            text[at] = (char)byte;
            begin();
            jsonw_text(&w, (struct slice){text, sizeof(text)});
            CHECK_EQ(out.len == sizeof(text) + 2, plain);
        }
}

static const char *number(double v)
{
    static char text[64];

    begin();
    jsonw_double(&w, v);
    slice_copy(text, buf_slice(&out));
    text[out.len] = '\0';
    return text;
}

TEST(doubles_are_short_and_read_back)
{
    CHECK_TEXT(slice_of(number(0)), "0");
    CHECK_TEXT(slice_of(number(-0.0)), "-0");
    CHECK_TEXT(slice_of(number(3)), "3");
    CHECK_TEXT(slice_of(number(-17)), "-17");
    CHECK_TEXT(slice_of(number(0.1)), "0.1");
    CHECK_TEXT(slice_of(number(0.1 + 0.2)), "0.30000000000000004");
    CHECK_TEXT(slice_of(number(1e300)), "1e+300");
    CHECK_TEXT(slice_of(number(9007199254740991.0)), "9007199254740991");
    CHECK_TEXT(slice_of(number((double)NAN)), "null");
    CHECK_TEXT(slice_of(number((double)INFINITY)), "null");
    CHECK_TEXT(slice_of(number(-(double)INFINITY)), "null");
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = test_random64();
        double v;

        memcpy(&v, &bits, sizeof(v));
        if (isfinite(v))
            CHECK(strtod(number(v), NULL) == v);
    }
}

/* Against printf(), byte by byte. */
TEST(decimals_are_as_printf_writes_them)
{
    static const char *const some[] = {
        "0.000001", "-0.000001", "0.000123", "999999999.999999",
        "-0.5",     "1.000001",  "100.25",   "123456789.123456"};

    for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++)
        CHECK_TEXT(slice_of(number(strtod(some[i], NULL))), some[i]);
    for (int i = 0; i < 50000; i++) {
        double scale = pow(10, test_random(9));
        double v =
            (double)(int64_t)(test_random64() >> (16 + test_random(40))) /
            scale;
        const char *got = number(v);
        char want[64];

        for (int precision = 1; precision <= 17; precision++) {
            snprintf(want, sizeof(want), "%.*g", precision, v);
            if (strtod(want, NULL) == v)
                break;
        }
        CHECK(strtod(got, NULL) == v);
        if (!strchr(want, 'e'))
            CHECK_TEXT(slice_of(got), want);
    }
}

TEST(integers_at_the_ends)
{
    begin();
    jsonw_open(&w, '[');
    jsonw_int(&w, INT64_MIN);
    jsonw_int(&w, INT64_MAX);
    jsonw_int(&w, 0);
    jsonw_close(&w, ']');
    CHECK_OUT("[-9223372036854775808,9223372036854775807,0]");
}

static struct attr text_attr(const char *key, const char *text)
{
    return (struct attr){.key = key,
                         .key_len = (uint16_t)strlen(key),
                         .str = text,
                         .len = (uint32_t)strlen(text),
                         .type = VALUE_STRING};
}

TEST(attributes_in_their_own_types)
{
    struct attr list[] = {{.type = VALUE_INT, .i = 1},
                          {.type = VALUE_BOOL, .b = true},
                          {.type = VALUE_EMPTY}};
    struct attr map[] = {text_attr("k", "v")};
    struct attr at[] = {
        text_attr("s", "x"),
        {.key = "d", .key_len = 1, .type = VALUE_DOUBLE, .d = 1.5},
        {.key = "l",
         .key_len = 1,
         .type = VALUE_ARRAY,
         .items = list,
         .len = 3},
        {.key = "m", .key_len = 1, .type = VALUE_MAP, .items = map, .len = 1},
        text_attr("s", "second of its name"),
        {.key = "b",
         .key_len = 1,
         .type = VALUE_BYTES,
         .str = "\xff\x01",
         .len = 2},
    };
    struct attrs attrs = {at, sizeof(at) / sizeof(*at), 0};

    begin();
    jsonw_attrs(&w, &attrs);
    CHECK_OUT("{\"s\":\"x\",\"d\":1.5,\"l\":[1,true,null],\"m\":{\"k\":\"v\"},"
              "\"b\":\"/wE=\"}");
}

/* The examples of RFC 4648. */
TEST(bytes_as_base64)
{
    static const struct {
        const char *bytes, *want;
    } cases[] = {{"", "\"\""},
                 {"f", "\"Zg==\""},
                 {"fo", "\"Zm8=\""},
                 {"foo", "\"Zm9v\""},
                 {"foob", "\"Zm9vYg==\""},
                 {"fooba", "\"Zm9vYmE=\""},
                 {"foobar", "\"Zm9vYmFy\""}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct attr value = text_attr("", cases[i].bytes);

        value.type = VALUE_BYTES;
        begin();
        jsonw_value(&w, &value);
        CHECK_OUT(cases[i].want);
    }
}

TEST(a_full_buffer_is_sticky_and_harmless)
{
    for (size_t cap = 0; cap < 37; cap++) {
        buf_release(&out);
        buf_init(&out, cap);
        jsonw_init(&w, &out);
        jsonw_open(&w, '{');
        jsonw_member_text(&w, "key", SLICE("some\ntext"));
        jsonw_name(&w, "d");
        jsonw_double(&w, 0.25);
        jsonw_name(&w, "h");
        jsonw_hex(&w, (const uint8_t *)"\x01", 1);
        jsonw_close(&w, '}');
        CHECK(out.len <= cap);
        CHECK_EQ(out.status, ERR_TOO_BIG);
    }
    buf_release(&out);
}
