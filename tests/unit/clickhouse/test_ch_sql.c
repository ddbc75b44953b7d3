/* Values in SQL: whatever they contain, they stay one literal. */
#include "ch_sql.h"

#include <math.h>

#include "test.h"

static struct ch_sql sql;

/* What one value makes of "?". */
#define CHECK_VALUE(value, want)             \
    do {                                     \
        ch_sql_init(&sql);                   \
        CH_SQL_WITH(&sql, "?", value);       \
        CHECK_TEXT(ch_sql_text(&sql), want); \
        CHECK_EQ(ch_sql_status(&sql), OK);   \
        ch_sql_release(&sql);                \
    } while (0)

TEST(strings_are_escaped)
{
    CHECK_VALUE(CH_STR(SLICE("")), "''");
    CHECK_VALUE(CH_STR(((struct slice){NULL, 0})), "''");
    CHECK_VALUE(CH_STR(SLICE("cart")), "'cart'");
    CHECK_VALUE(CH_STR(SLICE("' OR 1 = 1 --")), "'\\' OR 1 = 1 --'");
    CHECK_VALUE(CH_STR(SLICE("\\' OR")), "'\\\\\\' OR'");
    CHECK_VALUE(CH_STR(SLICE("a\0b\n\xc3\xa9\xff")), "'a\\0b\n\xc3\xa9\\xff'");
    CHECK_VALUE(CH_STR(SLICE("a?b")), "'a?b'");
}

TEST(patterns_contain_the_text_only)
{
    CHECK_VALUE(CH_LIKE(SLICE("50%")), "'%50\\\\%%'");
    CHECK_VALUE(CH_LIKE(SLICE("a_b")), "'%a\\\\_b%'");
    CHECK_VALUE(CH_LIKE(SLICE("\\")), "'%\\\\\\\\%'");
    CHECK_VALUE(CH_LIKE(SLICE("'")), "'%\\'%'");
}

TEST(names_are_escaped)
{
    CHECK_VALUE(CH_NAME(SLICE("Events.Name")), "`Events.Name`");
    CHECK_VALUE(CH_NAME(SLICE("a`; DROP TABLE b")), "`a\\`; DROP TABLE b`");
    CHECK_VALUE(CH_NAME(SLICE("\\`")), "`\\\\\\``");
}

TEST(numbers_and_times)
{
    CHECK_VALUE(CH_UINT(UINT64_MAX), "18446744073709551615");
    CHECK_VALUE(CH_INT(INT64_MIN), "(-9223372036854775808)");
    CHECK_VALUE(CH_INT(7), "7");
    CHECK_VALUE(CH_FLOAT(0.1), "0.10000000000000001");
    CHECK_VALUE(CH_FLOAT(-1.5), "(-1.5)");
    CHECK_VALUE(CH_FLOAT((double)NAN), "nan");
    CHECK_VALUE(CH_FLOAT((double)-INFINITY), "(-inf)");
    CHECK_VALUE(CH_NS(UINT64_C(1700000000123456789)),
                "fromUnixTimestamp64Nano(toInt64(1700000000123456789))");
    CHECK_VALUE(CH_NS(UINT64_MAX),
                "fromUnixTimestamp64Nano(toInt64(9223372036854775807))");
    CHECK_VALUE(CH_SECOND(UINT64_C(1700000000123456789)),
                "toDateTime(1700000000)");
    CHECK_VALUE(CH_SECOND(UINT64_MAX), "toDateTime(4294967295)");
}

TEST(ids_and_lists)
{
    static const uint8_t id[4] = {0x0a, 0xf7, 0x00, 0xff};
    static const uint64_t numbers[] = {1, UINT64_MAX};
    static const struct slice texts[] = {SLICE_INIT("a"), SLICE_INIT("b'")};

    CHECK_VALUE(CH_HEX(id, 4), "'0af700ff'");
    CHECK_VALUE(CH_U64S(numbers, 2), "(1,18446744073709551615)");
    CHECK_VALUE(CH_U64S(numbers, 0), "(NULL)");
    CHECK_VALUE(CH_STRS(texts, 2), "('a','b\\'')");
    CHECK_VALUE(CH_STRS(texts, 0), "(NULL)");
    CHECK_VALUE(CH_HEXES(id, 2, 2), "('0af7','00ff')");
}

TEST(a_text_of_parts)
{
    struct ch_sql part;

    ch_sql_init(&part);
    ch_sql_init(&sql);
    CH_SQL_WITH(&part, "a = ? AND b = ?", CH_UINT(1), CH_STR(SLICE("?")));
    CH_SQL_WITH(&sql, "SELECT ? FROM t WHERE (?) OR c = ?", CH_NAME(SLICE("x")),
                CH_PART(&part), CH_INT(-1));
    CH_SQL(&sql, " LIMIT 1,");
    ch_sql_cut(&sql);
    CHECK_TEXT(ch_sql_text(&sql), "SELECT `x` FROM t WHERE (a = 1 AND b = '?') "
                                  "OR c = (-1) LIMIT 1");
    ch_sql_release(&part);
    ch_sql_release(&sql);
}

TEST(too_much_fails_and_sticks)
{
    static char large[1 << 20];
    struct slice text = {large, sizeof(large)};
    struct ch_sql part;

    memset(large, '\'', sizeof(large));
    ch_sql_init(&part);
    for (int i = 0; i < 5; i++)
        CH_SQL_WITH(&part, "?", CH_STR(text));
    CHECK_EQ(ch_sql_status(&part), ERR_TOO_BIG);
    ch_sql_init(&sql);
    CH_SQL_WITH(&sql, "a ?", CH_PART(&part));
    CHECK_EQ(ch_sql_status(&sql), ERR_TOO_BIG);
    ch_sql_release(&part);
    ch_sql_release(&sql);
}

/* A reader of literals as simple as can be: the text is one literal. */
static bool is_one_literal(struct slice text, char quote)
{
    if (text.len < 2 || text.ptr[0] != quote || text.ptr[text.len - 1] != quote)
        return false;
    for (size_t i = 1; i < text.len - 1; i++)
        if (text.ptr[i] == '\\')
            i++;
        else if (text.ptr[i] == quote || text.ptr[i] == '\0')
            return false;
    return true;
}

TEST(no_bytes_end_a_literal)
{
    static const char special[] = "'`\\%_\0\n?-a";

    for (int round = 0; round < 20000; round++) {
        char bytes[12];
        struct slice text = {bytes, test_random(sizeof(bytes))};

        for (size_t i = 0; i < text.len; i++)
            bytes[i] = special[test_random(sizeof(special))];
        ch_sql_init(&sql);
        CH_SQL_WITH(&sql, "?", CH_STR(text));
        CHECK(is_one_literal(ch_sql_text(&sql), '\''));
        ch_sql_reset(&sql);
        CH_SQL_WITH(&sql, "?", CH_LIKE(text));
        CHECK(is_one_literal(ch_sql_text(&sql), '\''));
        ch_sql_reset(&sql);
        CH_SQL_WITH(&sql, "?", CH_NAME(text));
        CHECK(is_one_literal(ch_sql_text(&sql), '`'));
        ch_sql_release(&sql);
    }
}
