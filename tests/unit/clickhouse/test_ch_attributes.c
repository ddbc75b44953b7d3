/*
 * Attributes as maps of strings and back: texts as the Collector's exporter
 * has them, and random attributes of every type that come back as they went.
 */
#include "ch_attributes.h"

#include <math.h>

#include "test.h"

enum { CAP = 1 << 24 };

/* ---- one value ---- */

static struct attr string_of(struct slice text)
{
    return attr_string("", text);
}

static struct attr int_of(int64_t i)
{
    return (struct attr){.key = "", .type = VALUE_INT, .i = i};
}

static struct attr double_of(double d)
{
    return (struct attr){.key = "", .type = VALUE_DOUBLE, .d = d};
}

static struct attr bool_of(bool b)
{
    return (struct attr){.key = "", .type = VALUE_BOOL, .b = b};
}

static struct attr bytes_of(struct slice bytes)
{
    struct attr a = string_of(bytes);

    a.type = VALUE_BYTES;
    return a;
}

static struct attr list_of(enum value_type type, const struct attr *items,
                           uint32_t count)
{
    return (struct attr){
        .key = "", .type = (uint8_t)type, .items = items, .len = count};
}

static struct attr keyed(struct slice key, struct attr value)
{
    value.key = key.ptr;
    value.key_len = (uint16_t)key.len;
    return value;
}

static bool same_double(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof(a)) == 0;
}

static bool same_value(const struct attr *a, const struct attr *b)
{
    if (a->type != b->type || !slice_equal(attr_key(a), attr_key(b)))
        return false;
    switch ((enum value_type)a->type) {
    case VALUE_EMPTY:
        return true;
    case VALUE_BOOL:
        return a->b == b->b;
    case VALUE_INT:
        return a->i == b->i;
    case VALUE_DOUBLE:
        return same_double(a->d, b->d);
    case VALUE_STRING:
    case VALUE_BYTES:
        return slice_equal((struct slice){a->str, a->len},
                           (struct slice){b->str, b->len});
    case VALUE_ARRAY:
    case VALUE_MAP:
        for (uint32_t i = 0; i < a->len && a->len == b->len; i++)
            if (!same_value(&a->items[i], &b->items[i]))
                return false;
        return a->len == b->len;
    }
    return false;
}

/* The value has this text and these types, and is read back from them. */
static void check_value(struct attr value, const char *text, const char *types)
{
    struct buf scratch, letters;
    struct arena arena;
    struct attr back = {.key = value.key, .key_len = value.key_len};

    buf_init(&scratch, CAP);
    buf_init(&letters, CAP);
    arena_init(&arena, NULL, CAP);
    CHECK_TEXT(ch_value_text(&value, &scratch), text);
    ch_value_types(&letters, &value);
    CHECK_TEXT(buf_slice(&letters), types);
    CHECK(ch_value_read(ch_value_text(&value, &scratch), buf_slice(&letters),
                        &arena, &back));
    CHECK(same_value(&value, &back));
    arena_release(&arena);
    buf_release(&letters);
    buf_release(&scratch);
}

TEST(scalars_have_the_exporters_texts)
{
    check_value(string_of(SLICE("GET /")), "GET /", "");
    check_value(string_of(SLICE("")), "", "");
    check_value(string_of(SLICE("\xff<\"")), "\xff<\"", "");
    check_value(int_of(42), "42", "i");
    check_value(int_of(INT64_MIN), "-9223372036854775808", "i");
    check_value(int_of(INT64_MAX), "9223372036854775807", "i");
    check_value(bool_of(true), "true", "b");
    check_value(bool_of(false), "false", "b");
    check_value(bytes_of(SLICE("\x01\xff")), "Af8=", "y");
    check_value(bytes_of(SLICE("")), "", "y");
    check_value((struct attr){.key = "", .type = VALUE_EMPTY}, "", "e");
}

TEST(doubles_have_the_exporters_texts)
{
    check_value(double_of(0.5), "0.5", "d");
    check_value(double_of(5), "5", "d");
    check_value(double_of(-0.0), "-0", "d");
    check_value(double_of(1e-7), "1e-7", "d");
    check_value(double_of(-1.5e-7), "-1.5e-7", "d");
    check_value(double_of(1e-12), "1e-12", "d");
    check_value(double_of(0.000001), "0.000001", "d");
    check_value(double_of(1e20), "100000000000000000000", "d");
    check_value(double_of(1e21), "1e+21", "d");
    check_value(double_of(1.7976931348623157e308), "1.7976931348623157e+308",
                "d");
    check_value(double_of(5e-324), "5e-324", "d");
    check_value(double_of((double)NAN), "json: unsupported value: NaN", "d");
    check_value(double_of((double)INFINITY), "json: unsupported value: +Inf",
                "d");
    check_value(double_of(-(double)INFINITY), "json: unsupported value: -Inf",
                "d");
}

TEST(nested_values_are_json)
{
    struct attr inner[] = {int_of(1),
                           string_of(SLICE("a\"\n\x01z")),
                           double_of((double)NAN),
                           double_of(2),
                           bytes_of(SLICE("\xff")),
                           string_of(SLICE("\xff")),
                           {.type = VALUE_EMPTY}};
    struct attr entries[] = {
        keyed(SLICE("k"), list_of(VALUE_ARRAY, inner, 7)),
        keyed(SLICE("\xfe"), bool_of(true)),
        keyed(SLICE("b"), list_of(VALUE_MAP, NULL, 0)),
        keyed(SLICE("b"), string_of(SLICE("twice"))),
    };

    check_value(list_of(VALUE_ARRAY, NULL, 0), "[]", "a0;");
    check_value(list_of(VALUE_ARRAY, inner, 2), "[1,\"a\\\"\\n\\u0001z\"]",
                "a2;i");
    check_value(list_of(VALUE_MAP, entries, 4),
                "{\"k\":[1,\"a\\\"\\n\\u0001z\",\"NaN\",2,\"/w==\",\"/w==\","
                "null],\"/g==\":true,\"b\":{},\"b\":\"twice\"}",
                "m4;a7;isddyrekbm0;");
}

/* ---- all attributes of a record ---- */

static void put(struct buf *out, const struct attrs *attrs)
{
    struct buf scratch;

    buf_init(&scratch, CAP);
    buf_varint(out, attrs->count);
    for (uint32_t i = 0; i < attrs->count; i++) {
        buf_sized(out, attr_key(&attrs->at[i]));
        buf_sized(out, ch_value_text(&attrs->at[i], &scratch));
    }
    buf_release(&scratch);
}

static void check_attrs(const struct attrs *attrs)
{
    struct buf map, types;
    struct arena arena;
    struct attrs back;
    struct byte_reader in;

    buf_init(&map, CAP);
    buf_init(&types, CAP);
    arena_init(&arena, NULL, CAP);
    put(&map, attrs);
    ch_attributes_types(&types, attrs);
    in = byte_reader_over(buf_slice(&map));
    ch_attributes_read(&in, buf_slice(&types), &arena, &back);
    CHECK(!in.bad && byte_reader_left(&in) == 0);
    CHECK_EQ(back.dropped, attrs->dropped);
    if (CHECK_EQ(back.count, attrs->count))
        for (uint32_t i = 0; i < back.count; i++)
            CHECK(same_value(&attrs->at[i], &back.at[i]));
    arena_release(&arena);
    buf_release(&types);
    buf_release(&map);
}

static struct slice random_text(struct arena *arena, uint32_t max)
{
    uint32_t len = test_random(max + 1);
    char *text = arena_alloc(arena, len + 1);
    bool plain = test_random(2);

    for (uint32_t i = 0; i < len; i++)
        text[i] = (char)(plain ? 'a' + test_random(26) : test_random(256));
    return (struct slice){text, len};
}

static double random_double(void)
{
    uint64_t bits = test_random64();
    double d;

    if (test_random(2))
        return (double)test_random(1000) / 8;
    memcpy(&d, &bits, sizeof(d));
    return d;
}

static struct attr random_value(struct arena *arena, unsigned depth)
{
    enum value_type type = (enum value_type)test_random(depth ? 8 : 6);
    struct attr *items;
    uint32_t count;

    switch (type) {
    case VALUE_EMPTY:
        return (struct attr){.key = "", .type = VALUE_EMPTY};
    case VALUE_STRING:
        return string_of(random_text(arena, 40));
    case VALUE_BYTES:
        return bytes_of(random_text(arena, 40));
    case VALUE_BOOL:
        return bool_of(test_random(2));
    case VALUE_INT:
        return int_of((int64_t)(test_random64() >> test_random(64)) *
                      (test_random(2) ? -1 : 1));
    case VALUE_DOUBLE:
        return double_of(random_double());
    case VALUE_ARRAY:
    case VALUE_MAP:
        break;
    }
    count = test_random(6);
    items = arena_alloc(arena, (count + 1) * sizeof(*items));
    for (uint32_t i = 0; i < count; i++) {
        items[i] = random_value(arena, depth - 1);
        if (type == VALUE_MAP)
            items[i] = keyed(random_text(arena, 12), items[i]);
    }
    return list_of(type, items, count);
}

TEST(random_attributes_come_back)
{
    struct arena arena;

    arena_init(&arena, NULL, CAP);
    for (int round = 0; round < 2000; round++) {
        uint32_t count = test_random(round % 100 ? 12 : ATTR_MAX_COUNT + 1);
        struct attr at[ATTR_MAX_COUNT];
        struct attrs attrs = {at, count, test_random(3) ? 0 : UINT32_MAX};

        for (uint32_t i = 0; i < count; i++)
            at[i] = keyed(random_text(&arena, 30),
                          test_random(2)
                              ? string_of(random_text(&arena, 30))
                              : random_value(&arena, ATTR_MAX_DEPTH / 2));
        check_attrs(&attrs);
        arena_reset(&arena);
    }
    arena_release(&arena);
}

TEST(deepest_and_largest)
{
    static char text[ATTR_MAX_VALUE], key[ATTR_MAX_KEY];
    struct attr at[ATTR_MAX_COUNT], deep[ATTR_MAX_DEPTH];
    struct attrs attrs = {at, ATTR_MAX_COUNT, 7};

    memset(text, '\\', sizeof(text));
    memset(key, 'k', sizeof(key));
    deep[0] = string_of((struct slice){text, sizeof(text)});
    for (int i = 1; i < ATTR_MAX_DEPTH; i++)
        deep[i] = list_of(VALUE_ARRAY, &deep[i - 1], 1);
    for (int i = 0; i < ATTR_MAX_COUNT; i++)
        at[i] = keyed((struct slice){key, sizeof(key)},
                      string_of((struct slice){text, 1000}));
    at[3] = keyed(SLICE("deep"),
                  list_of(VALUE_ARRAY, &deep[ATTR_MAX_DEPTH - 1], 1));
    at[4] = keyed(SLICE("long"), deep[0]);
    check_attrs(&attrs);
}

/* What does not fit is a string, and nothing else is lost. */
static void check_stays_text(const char *text, const char *types)
{
    struct arena arena;
    struct attr value = {0};

    arena_init(&arena, NULL, CAP);
    CHECK(ch_value_read(slice_of(text), slice_of(types), &arena, &value));
    CHECK_EQ(value.type, VALUE_STRING);
    CHECK_TEXT(attr_text(&value), text);
    arena_release(&arena);
}

TEST(what_does_not_fit_stays_text)
{
    static const char *const rows[][2] = {
        {"12x", "i"},
        {"9223372036854775808", "i"},
        {"", "i"},
        {"-", "i"},
        {"1e999", "d"},
        {"0x10", "d"},
        {"inf", "d"},
        {"yes", "b"},
        {"Af8", "Y"},
        {"A", "y"},
        {"x", "e"},
        {"[1,2]", "a3;iii"},
        {"[1,2]", "a1;i"},
        {"[1,2]", "a2;is"},
        {"[1", "a1;i"},
        {"{}", "a0;"},
        {"[]", "a"},
        {"[]", "a99999999999;"},
        {"[\"\\x\"]", "a1;"},
        {"{\"a\":1}", "m1;s"},
        {"[[[[[[[[[1]]]]]]]]]", "a1;a1;a1;a1;a1;a1;a1;a1;a1;i"},
        {"x", "?"},
        {"[\"\\u0100\"]", "a1;s"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        check_stays_text(rows[i][0], rows[i][1]);
}

TEST(maps_that_are_none)
{
    static const struct slice rows[] = {
        SLICE_INIT(""), SLICE_INIT("\x01"), SLICE_INIT("\x01\x01"),
        SLICE_INIT("\x01\x01k\x05v"),
        SLICE_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\x7f")};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct byte_reader in = byte_reader_over(rows[i]);
        struct arena arena;
        struct attrs attrs;

        arena_init(&arena, NULL, CAP);
        ch_attributes_read(&in, SLICE("is"), &arena, &attrs);
        CHECK(in.bad);
        CHECK_EQ(attrs.count, 0);
        arena_release(&arena);
    }
}
