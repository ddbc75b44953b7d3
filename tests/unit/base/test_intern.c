#include "intern.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

static struct slice print(char out[16], uint32_t number)
{
    int len = snprintf(out, 16, "t%u", number);

    return (struct slice){out, (size_t)len};
}

TEST(numbers_are_dense_and_stable)
{
    struct intern table;
    char text[16];

    intern_init(&table, 1 << 20, 255);
    for (uint32_t i = 1; i <= 3000; i++)
        CHECK_EQ(intern_add(&table, print(text, i)), i);
    for (uint32_t i = 1; i <= 3000; i++) {
        CHECK_EQ(intern_add(&table, print(text, i)), i);
        CHECK_EQ(intern_find(&table, print(text, i)), i);
        CHECK(slice_equal(intern_text(&table, i), print(text, i)));
    }
    CHECK_EQ(intern_find(&table, SLICE("t")), 0);
    intern_release(&table);
    CHECK_EQ(intern_find(&table, SLICE("t1")), 0);
    CHECK_EQ(intern_add(&table, SLICE("again")), 1);
    intern_release(&table);
}

TEST(the_text_is_copied)
{
    struct intern table;
    char text[] = "cart";
    uint32_t number;

    intern_init(&table, 100, 255);
    number = intern_add(&table, (struct slice){text, 4});
    memset(text, 'x', 4);
    CHECK_TEXT(intern_text(&table, number), "cart");
    intern_release(&table);
}

TEST(the_empty_text_is_0)
{
    struct intern table;

    intern_init(&table, 100, 255);
    CHECK_EQ(intern_find(&table, SLICE("")), 0);
    CHECK_EQ(intern_add(&table, (struct slice){NULL, 0}), 0);
    CHECK_EQ(intern_text(&table, 0).len, 0);
    CHECK_EQ(intern_add(&table, SLICE("a\0b")), 1);
    CHECK_EQ(intern_add(&table, SLICE("a\0c")), 2);
    intern_release(&table);
}

TEST(a_full_table_refuses_new_texts_only)
{
    struct intern table;

    intern_init(&table, 8, 255);
    CHECK_EQ(intern_add(&table, SLICE("abcd")), 1);
    CHECK_EQ(intern_add_within(&table, SLICE("efg"), 6), INTERN_FULL);
    CHECK_EQ(intern_add_within(&table, SLICE("ef"), 6), 2);
    CHECK_EQ(intern_add(&table, SLICE("hij")), INTERN_FULL);
    CHECK_EQ(intern_add(&table, SLICE("hi")), 3);
    CHECK_EQ(intern_add(&table, SLICE("j")), INTERN_FULL);
    CHECK_EQ(intern_add_within(&table, SLICE("abcd"), 6), 1);
    CHECK_EQ(intern_bytes(&table), 8);
    CHECK_TEXT(intern_text(&table, 3), "hi");
    intern_release(&table);
}

TEST(long_texts_are_truncated_at_a_character)
{
    struct intern table;

    intern_init(&table, 100, 4);
    CHECK_EQ(intern_add(&table, SLICE("abcdef")), 1);
    CHECK_TEXT(intern_text(&table, 1), "abcd");
    CHECK_EQ(intern_find(&table, SLICE("abcdxx")), 1);
    CHECK_EQ(intern_add(&table, SLICE("abc\xc3\xa9")), 2);
    CHECK_TEXT(intern_text(&table, 2), "abc");
    intern_release(&table);
}
