/* The same set in any order is one, different sets are two. */
#include "attr_hash.h"

#include <math.h>
#include <stdio.h>

#include "arena.h"
#include "test.h"

static struct attr text(const char *key, const char *value)
{
    return (struct attr){.key = key,
                         .key_len = (uint16_t)strlen(key),
                         .type = VALUE_STRING,
                         .str = value,
                         .len = (uint32_t)strlen(value)};
}

static struct attr number(const char *key, int64_t i)
{
    return (struct attr){.key = key,
                         .key_len = (uint16_t)strlen(key),
                         .type = VALUE_INT,
                         .i = i};
}

static struct attr real(const char *key, double d)
{
    struct attr a = number(key, 0);

    a.type = VALUE_DOUBLE;
    a.d = d;
    return a;
}

static struct attr list(enum value_type type, const struct attr *items,
                        uint32_t count)
{
    return (struct attr){.key = "k",
                         .key_len = 1,
                         .type = (uint8_t)type,
                         .items = items,
                         .len = count};
}

/* Are both the same set? The key and the comparison must agree. */
static bool same(const struct attr *a, uint32_t a_count, const struct attr *b,
                 uint32_t b_count)
{
    struct attrs x = {a, a_count, 0}, y = {b, b_count, 0};
    bool equal = attrs_equal(&x, &y);

    CHECK_EQ(attrs_equal(&y, &x), equal);
    CHECK_EQ(attrs_hash(&x) == attrs_hash(&y), equal);
    return equal;
}

static bool same_one(struct attr a, struct attr b)
{
    return same(&a, 1, &b, 1);
}

TEST(order_does_not_count)
{
    struct attr a[] = {text("x", "1"), number("y", 2), real("z", 3)};
    struct attr b[] = {a[2], a[0], a[1]};

    CHECK(same(a, 3, b, 3));
    CHECK(!same(a, 3, b, 2));
    CHECK(!same(a, 2, b, 2));
    CHECK(same(a, 0, b, 0));
}

TEST(values_change_places)
{
    struct attr a[] = {text("x", "1"), text("y", "2")};
    struct attr b[] = {text("x", "2"), text("y", "1")};

    CHECK(!same(a, 2, b, 2));
}

TEST(the_last_of_equal_keys_wins)
{
    struct attr a[] = {text("x", "old"), text("y", "2"), text("x", "new")};
    struct attr b[] = {text("x", "new"), text("y", "2")};
    struct attr c[] = {text("x", "new"), text("y", "2"), text("x", "old")};

    CHECK(same(a, 3, b, 2));
    CHECK(!same(a, 3, c, 3));
    CHECK(!same(b, 2, c, 3));
}

TEST(types_differ)
{
    struct attr items[1] = {number("", 1)};
    struct attr values[] = {
        number("k", 1),
        real("k", 1),
        text("k", "1"),
        {.key = "k", .key_len = 1, .type = VALUE_BOOL, .b = true},
        {.key = "k", .key_len = 1, .type = VALUE_BYTES, .str = "1", .len = 1},
        {.key = "k", .key_len = 1, .type = VALUE_EMPTY},
        text("k", ""),
        number("k", 0),
        list(VALUE_ARRAY, NULL, 0),
        list(VALUE_MAP, NULL, 0),
        list(VALUE_ARRAY, items, 1),
    };
    size_t count = sizeof(values) / sizeof(*values);

    for (size_t i = 0; i < count; i++) {
        CHECK(!same(&values[i], 1, NULL, 0)); /* empty is not missing */
        for (size_t k = 0; k < count; k++)
            CHECK_EQ(same_one(values[i], values[k]), i == k);
    }
}

TEST(doubles_are_compared_by_bits)
{
    CHECK(!same_one(real("k", 0.0), real("k", -0.0)));
    CHECK(same_one(real("k", NAN), real("k", -NAN)));
    CHECK(!same_one(real("k", NAN), real("k", INFINITY)));
    CHECK(!same_one(number("k", INT64_MAX), real("k", 9223372036854775807.0)));
}

TEST(arrays_have_an_order_and_maps_have_none)
{
    struct attr a[] = {text("", "1"), text("", "2")};
    struct attr b[] = {text("", "2"), text("", "1")};
    struct attr m[] = {text("p", "1"), text("q", "2")};
    struct attr n[] = {text("q", "2"), text("p", "1")};
    struct attr twice[] = {text("p", "0"), text("q", "2"), text("p", "1")};

    CHECK(!same_one(list(VALUE_ARRAY, a, 2), list(VALUE_ARRAY, b, 2)));
    CHECK(same_one(list(VALUE_MAP, m, 2), list(VALUE_MAP, n, 2)));
    CHECK(same_one(list(VALUE_MAP, m, 2), list(VALUE_MAP, twice, 3)));
    CHECK(!same_one(list(VALUE_MAP, m, 2), list(VALUE_MAP, m, 1)));

    struct attr deep[] = {list(VALUE_MAP, m, 2)};
    struct attr other[] = {list(VALUE_MAP, n, 2)};
    CHECK(same_one(list(VALUE_ARRAY, deep, 1), list(VALUE_ARRAY, other, 1)));
}

/* Random sets: shuffled the same, with one value changed another. */
TEST(any_order_of_any_set)
{
    static char keys[64][16];

    for (int i = 0; i < 64; i++)
        snprintf(keys[i], sizeof(keys[i]), "k%d", i);
    for (int round = 0; round < 3000; round++) {
        struct attr a[64], b[64];
        uint32_t count = 1 + test_random(64);

        for (uint32_t i = 0; i < count; i++)
            a[i] = number(keys[i], test_random(3));
        memcpy(b, a, sizeof(a));
        for (uint32_t i = count - 1; i > 0; i--) {
            uint32_t k = test_random(i + 1);
            struct attr keep = b[i];

            b[i] = b[k];
            b[k] = keep;
        }
        CHECK(same(a, count, b, count));
        b[test_random(count)].i += 7;
        CHECK(!same(a, count, b, count));
    }
}

/* Maps in maps cost what they hold, in whatever order. */
TEST(nested_maps_in_another_order_are_compared_once)
{
    enum { DEPTH = 40 };
    struct attr a[DEPTH][3], b[DEPTH][3];

    for (int i = 0; i < DEPTH; i++) {
        a[i][0] = b[i][0] =
            i > 0 ? list(VALUE_MAP, a[i - 1], 3) : number("k", 1);
        if (i > 0)
            b[i][0].items = b[i - 1];
        a[i][1] = b[i][2] = number("x", i);
        a[i][2] = b[i][1] = number("y", i);
    }
    CHECK(same(a[DEPTH - 1], 3, b[DEPTH - 1], 3));
    b[0][1].i++;
    CHECK(!same(a[DEPTH - 1], 3, b[DEPTH - 1], 3));
}

/* The last one of a key wins, also if the other set has it once. */
TEST(overridden_values_do_not_count)
{
    struct attr a[] = {number("x", 1), number("y", 3), number("x", 2)};
    struct attr b[] = {number("x", 7), number("y", 3), number("x", 2)};
    struct attr c[] = {number("x", 2), number("y", 3)};
    struct attr d[] = {number("x", 1), number("y", 3)};

    CHECK(same(a, 3, b, 3));
    CHECK(same(a, 3, c, 2));
    CHECK(!same(a, 3, d, 2));
}
