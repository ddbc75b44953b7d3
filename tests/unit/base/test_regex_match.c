/* Regular expressions of users: what matches, what is refused and how, and that
 * no pattern takes long. */
#include "arena.h"
#include "clock.h"
#include "regex_match.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static bool matches(const char *pattern, const char *text)
{
    struct regex *regex;
    char error[REGEX_ERROR] = "";
    bool found;

    if (!CHECK(regex_compile(&regex, slice_of(pattern), error) == OK)) {
        printf("# %s: %s\n", pattern, error);
        return false;
    }
    found = regex_matches(regex, slice_of(text));
    CHECK(!regex_gave_up(regex));
    regex_free(regex);
    return found;
}

static void refused(const char *pattern, const char *want)
{
    struct regex *regex = NULL;
    char error[REGEX_ERROR] = "";

    if (!CHECK(regex_compile(&regex, slice_of(pattern), error) ==
               ERR_INVALID)) {
        printf("# %s is not refused\n", pattern);
        regex_free(regex);
        return;
    }
    CHECK(!regex);
    CHECK_TEXT(slice_of(error), want);
}

TEST(a_pattern_must_match_all_of_the_text)
{
    CHECK(matches("a.c", "abc"));
    CHECK(!matches("a.c", "xabc"));
    CHECK(!matches("a.c", "abcx"));
    CHECK(!matches("a.c|x", "abcx"));
    CHECK(matches("a|ab", "ab"));
    CHECK(matches("(a|ab)(c|bcd)?", "abcd"));
    CHECK(matches("a.c", "a\nc"));
    CHECK(!matches("(?-s)a.c", "a\nc"));
    CHECK(!matches("abc$", "abc\n"));
    CHECK(!matches("ab[c]$", "abc\n"));
    CHECK(matches("", ""));
    CHECK(!matches("", "a"));
    CHECK(matches("(?i)ABC", "abc"));
    CHECK(matches("a{2,3}", "aaa"));
    CHECK(!matches("a{2,3}", "a"));
}

TEST(plain_patterns_are_compared)
{
    CHECK(matches("cart|checkout", "cart"));
    CHECK(matches("cart|checkout", "checkout"));
    CHECK(!matches("cart|checkout", "cartcheckout"));
    CHECK(!matches("cart|checkout", ""));
    CHECK(matches("cart|", ""));
    CHECK(matches("(cart|check\\.out)", "check.out"));
    CHECK(!matches("(cart|check\\.out)", "checkxout"));
    CHECK(matches("^(?:a|b)$", "b"));
    CHECK(!matches("^(?:a|b)$", "ab"));
    CHECK(matches("(a)|(b)", "b"));
    CHECK(!matches("(a)|(b)", "a)|(b"));
    CHECK(matches("a\\$", "a$"));
    CHECK(matches("a\\\\$", "a\\"));
    CHECK(matches("(a\\))", "a)"));
}

TEST(affixes_are_compared)
{
    CHECK(matches(".*", ""));
    CHECK(matches(".*", "a\nb"));
    CHECK(!matches(".+", ""));
    CHECK(matches(".+", "a"));
    CHECK(matches("api-.*", "api-"));
    CHECK(!matches("api-.+", "api-"));
    CHECK(matches("api-.+", "api-1"));
    CHECK(!matches("api-.*", "xapi-1"));
    CHECK(matches(".*-api", "x-api"));
    CHECK(!matches(".+-api", "-api"));
    CHECK(matches(".*mid.*", "mid"));
    CHECK(matches(".*mid.*", "a mid b"));
    CHECK(!matches(".+mid.*", "mid"));
    CHECK(matches(".+mid.*", "midmid"));
    CHECK(!matches(".*mid.+", "a mid"));
    CHECK(matches(".*mid.+", "a mid b"));
    CHECK(!matches(".*mid.*", "a mi d"));
    CHECK(matches(".+.+", "ab"));
    CHECK(!matches(".+.+", "a"));
    CHECK(matches("a\\..*", "a.b"));
    CHECK(!matches("a\\..*", "ab"));
    CHECK(matches("a\\.*", "a..."));
    CHECK(!matches("a\\.*", "ab"));
    CHECK(matches("a\\\\.*", "a\\b"));
}

/* Everything that both have, but not alike. */
TEST(syntax_is_that_of_re2)
{
    CHECK(matches("\\101\\x42\\x{43}\\v", "ABC\v"));
    CHECK(!matches("\\v.?", "\n"));
    CHECK(matches("\\0", "") == false);
    CHECK(matches("[a[b]+", "a[b"));
    CHECK(matches("[]a]+", "]a"));
    CHECK(matches("[^]a]+", "bc"));
    CHECK(matches("[[:alpha:]_]+", "a_b"));
    CHECK(matches("[[:^digit:]]+", "ab"));
    CHECK(matches("[\\d-z]+", "1-z"));
    CHECK(!matches("[\\d-z]+", "y"));
    CHECK(matches("a{,2}", "a{,2}"));
    CHECK(matches("{x}", "{x}"));
    CHECK(matches("\\Qa.b*\\E+", "a.b**"));
    CHECK(matches("\\Qa.b", "a.b"));
    CHECK(matches("\\pL+\\p{Greek}?", "a\xce\xb1"));
    CHECK(matches("(?P<x>a)(?<y>b)", "ab"));
    CHECK(matches("(?i:a)b", "Ab"));
    CHECK(!matches("(?i:a)b", "AB"));
    CHECK(matches("(?i)\xc3\x84", "\xc3\xa4"));
    CHECK(matches(".", "\xc3\xa4"));
    CHECK(!matches("\\w", "\xc3\xa4"));
    CHECK(matches("a+?b*?c??", "abc"));
    CHECK(matches("\\_\\-\\/", "_-/"));
    CHECK(matches("#[ ]# x", "# # x"));
    CHECK(matches("(?m)^a$.^b$", "a\nb"));
    CHECK(matches("^*a$+", "a"));
    CHECK(matches("(?i)^a[b]$", "aB"));
    CHECK(matches("\\bfoo\\b.*\\z", "foo bar"));
}

TEST(what_re2_does_not_have_is_refused)
{
    refused("(?=a)b",
            "error parsing regexp: invalid or unsupported Perl syntax: `(?=`");
    refused("(?!a)b",
            "error parsing regexp: invalid or unsupported Perl syntax: `(?!`");
    refused("(?<=a)b",
            "error parsing regexp: invalid or unsupported Perl syntax: `(?<=`");
    refused("(?<!a)b",
            "error parsing regexp: invalid or unsupported Perl syntax: `(?<!`");
    refused("(?>a)b",
            "error parsing regexp: invalid or unsupported Perl syntax: `(?>`");
    refused("(?P=x)b",
            "error parsing regexp: invalid or unsupported Perl syntax: `(?P=`");
    refused("(?#a)",
            "error parsing regexp: invalid or unsupported Perl syntax: `(?#`");
    refused("(?R)",
            "error parsing regexp: invalid or unsupported Perl syntax: `(?R`");
    refused("(a)(?1)",
            "error parsing regexp: invalid or unsupported Perl syntax: `(?1`");
    refused("(?x)a b",
            "error parsing regexp: invalid or unsupported Perl syntax: `(?x`");
    refused("(?", "error parsing regexp: invalid or unsupported Perl syntax: "
                  "`(?`");
    refused("(a)\\1", "error parsing regexp: invalid escape sequence: `\\1`");
    refused("(a)\\k<x>",
            "error parsing regexp: invalid escape sequence: `\\k`");
    refused("(a)\\g1", "error parsing regexp: invalid escape sequence: `\\g`");
    refused("a\\K", "error parsing regexp: invalid escape sequence: `\\K`");
    refused("\\R", "error parsing regexp: invalid escape sequence: `\\R`");
    refused("\\8", "error parsing regexp: invalid escape sequence: `\\8`");
    refused("\\xg", "error parsing regexp: invalid escape sequence: `\\x`");
    refused("[\\b]", "error parsing regexp: invalid escape sequence: `\\b`");
    refused("a++", "error parsing regexp: invalid nested repetition operator: "
                   "`++`");
    refused("a{2}*", "error parsing regexp: invalid nested repetition "
                     "operator: `{2}*`");
    refused("(*UTF)a", "error parsing regexp: missing argument to repetition "
                       "operator: `*`");
    refused("(*MARK:x)", "error parsing regexp: missing argument to "
                         "repetition operator: `*`");
}

TEST(mistakes_are_named)
{
    refused("\\\xc3\xa4", "error parsing regexp: invalid escape sequence: "
                          "`\\\xc3\xa4`");
    refused("*a",
            "error parsing regexp: missing argument to repetition operator: "
            "`*`");
    refused("a|+",
            "error parsing regexp: missing argument to repetition operator: "
            "`+`");
    refused("(a", "error parsing regexp: missing closing ): `(a`");
    refused("a)", "error parsing regexp: unexpected ): `a)`");
    refused("[a", "error parsing regexp: missing closing ]: `[a`");
    refused("[a\\", "error parsing regexp: trailing backslash at end of "
                    "expression: ``");
    refused("a\\", "error parsing regexp: trailing backslash at end of "
                   "expression: ``");
    refused("a{1001}", "error parsing regexp: invalid repeat count: `{1001}`");
    refused("a{3,2}", "error parsing regexp: invalid repeat count: `{3,2}`");
    refused("a{99999999999999999999}",
            "error parsing regexp: invalid repeat count: "
            "`{99999999999999999999}`");
}

/* Any of these would take PCRE2 minutes without limits. */
TEST(no_pattern_takes_long)
{
    static const char *const patterns[] = {"(a*)*b", "(a|aa)+[b]", "(.*)*x",
                                           "(a+)+[b]c", "(x+x+)+y"};
    char text[4097];
    uint64_t start;

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
        struct regex *regex;
        char error[REGEX_ERROR];

        if (!CHECK(regex_compile(&regex, slice_of(patterns[i]), error) == OK))
            continue;
        start = clock_monotonic_ns();
        for (int n = 0; n < 100; n++)
            CHECK(!regex_matches(regex, slice_of(text)));
        CHECK(clock_monotonic_ns() - start < 3000 * 1000000ULL);
        regex_free(regex);
    }
}

TEST(a_text_that_took_too_long_is_told)
{
    struct regex *regex;
    char error[REGEX_ERROR], text[64];

    memset(text, 'a', sizeof(text));
    if (!CHECK(regex_compile(&regex, SLICE("(a|a)*[b]"), error) == OK))
        return;
    CHECK(regex_matches(regex, SLICE("aab")));
    CHECK(!regex_gave_up(regex));
    CHECK(!regex_matches(regex, (struct slice){text, sizeof(text)}) ||
          regex_gave_up(regex));
    CHECK(regex_matches(regex, SLICE("aab")));
    regex_free(regex);
}

TEST(nested_repetitions_are_bounded)
{
    char pattern[3000] = "";
    struct regex *regex = NULL;
    char error[REGEX_ERROR] = "";

    CHECK(regex_compile(&regex, SLICE("((a{900}){900}){900}"), error) ==
          ERR_INVALID);
    memset(pattern, '(', 1000);
    memcpy(pattern + 1000, "[a]", 3);
    memset(pattern + 1003, ')', 1000);
    CHECK(regex_compile(&regex, slice_of(pattern), error) == ERR_INVALID);
    memset(pattern, 'a', sizeof(pattern));
    CHECK(regex_compile(&regex, (struct slice){pattern, sizeof(pattern)},
                        error) == OK);
    regex_free(regex);
}

static void check_groups(const char *pattern, const char *text,
                         const char *want)
{
    struct regex *regex;
    struct slice groups[REGEX_MAX_GROUPS];
    uint32_t count = 0;
    char error[REGEX_ERROR], got[256] = "";

    if (!CHECK(regex_compile(&regex, slice_of(pattern), error) == OK))
        return;
    if (!regex_groups(regex, slice_of(text), groups, &count))
        snprintf(got, sizeof(got), "none");
    for (uint32_t i = 0; i < count; i++)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "<%.*s>",
                 SLICE_ARGS(groups[i]));
    CHECK_TEXT(slice_of(got), want);
    regex_free(regex);
}

TEST(groups_of_label_replace)
{
    check_groups("(.*)", "abc", "<abc><abc>");
    check_groups("abc", "abc", "<abc>");
    check_groups("(a|b)", "b", "<b><b>");
    check_groups("((a|b))", "b", "<b><b><b>");
    check_groups("(a)|(b)", "b", "<b><><b>");
    check_groups("(.*):(.*)", "host:80", "<host:80><host><80>");
    check_groups("(?P<h>[^:]+)(:[0-9]+)?", "host", "<host><host>");
    check_groups("b", "abc", "none");
    check_groups("()()()()()()()()()()()()()()()()()()(x)?x", "x",
                 "<x><><><><><><><><><><><><><><><>");
}

TEST(groups_have_numbers)
{
    struct regex *regex;
    char error[REGEX_ERROR];

    if (!CHECK(regex_compile(&regex, SLICE("(?P<host>.*):(?<port>\\d+)"),
                             error) == OK))
        return;
    CHECK_EQ(regex_group_number(regex, SLICE("host")), 1);
    CHECK_EQ(regex_group_number(regex, SLICE("port")), 2);
    CHECK_EQ(regex_group_number(regex, SLICE("other")), -1);
    regex_free(regex);
}

TEST(a_pattern_in_an_arena)
{
    struct arena arena;
    struct regex *regex;
    char error[REGEX_ERROR];

    arena_init(&arena, NULL, 1 << 20);
    CHECK(regex_compile_arena(&regex, &arena, SLICE("a[bc]+"), error) == OK);
    CHECK(regex_matches(regex, SLICE("abc")));
    regex_free(regex); /* harmless */
    arena_release(&arena);
    arena_init(&arena, NULL, 256);
    CHECK(regex_compile_arena(&regex, &arena, SLICE("a[bc]+"), error) ==
          ERR_TOO_BIG);
    arena_release(&arena);
}

static void check_alternatives(const char *pattern, const char *want)
{
    struct arena arena;
    struct slice texts[4];
    uint32_t count;
    char got[256] = "";

    arena_init(&arena, NULL, 1 << 20);
    count = regex_alternatives(slice_of(pattern), &arena, texts, 4);
    for (uint32_t i = 0; i < count; i++)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "<%.*s>",
                 SLICE_ARGS(texts[i]));
    CHECK_TEXT(slice_of(got), want);
    arena_release(&arena);
}

TEST(alternatives)
{
    check_alternatives("a", "<a>");
    check_alternatives("a|b", "<a><b>");
    check_alternatives("(cart|check\\.out|x-y)", "<cart><check.out><x-y>");
    check_alternatives("^(?:a|b)$", "<a><b>");
    check_alternatives("a|", "<a><>");
    check_alternatives("a.*|b", "");
    check_alternatives("a|b|c|d|e", "");
    check_alternatives("a\\d|b", "");
    check_alternatives("(a|b", "");
}
