#include "template.h"

#include <stdlib.h>

#include "mem.h"
#include "test.h"

/* The line that was split: the variables in place of the holes. */
static void join(struct buf *out, struct slice text, const struct slice *vars,
                 uint32_t var_count)
{
    uint32_t used = 0;

    while (text.len > 0) {
        const char *hole = memchr(text.ptr, TEMPLATE_HOLE, text.len);
        size_t len = hole ? (size_t)(hole - text.ptr) : text.len;

        buf_add(out, (struct slice){text.ptr, len});
        if (!hole)
            return;
        if (used < var_count)
            buf_add(out, vars[used++]);
        text = slice_from(text, len + 1);
    }
}

static struct template_split split;

/* The template with holes as '#', and the variables, each in brackets. */
static const char *show(const char *line)
{
    static char text[TEMPLATE_MAX_LINE * 3];
    size_t len = 0;

    template_split(slice_of(line), &split);
    for (uint32_t i = 0; i < split.len; i++)
        text[len++] = split.text[i] == TEMPLATE_HOLE ? '#' : split.text[i];
    for (uint32_t i = 0; i < split.var_count; i++) {
        text[len++] = '<';
        slice_copy(text + len, split.vars[i]);
        len += split.vars[i].len;
        text[len++] = '>';
    }
    text[len] = '\0';
    return text;
}

#define CHECK_SPLIT(line, want) CHECK_TEXT(slice_of(show(line)), want)

TEST(words_with_digits_are_variables)
{
    CHECK_SPLIT("", "");
    CHECK_SPLIT("started", "started");
    CHECK_SPLIT("took 17 ms", "took # ms<17>");
    CHECK_SPLIT("17", "#<17>");
    CHECK_SPLIT("order=ab12cd", "order=#<ab12cd>");
    CHECK_SPLIT("from 10.0.0.1:8080 to 10.0.0.2",
                "from #:# to #<10.0.0.1><8080><10.0.0.2>");
    CHECK_SPLIT("GET /users/17/cart?x=1 200",
                "GET /users/#/cart?x=# #<17><1><200>");
    CHECK_SPLIT("{\"id\":9,\"a\":\"b\"}", "{\"id\":#,\"a\":\"b\"}<9>");
    CHECK_SPLIT("a1 b2\tc3\nd4;e5(f6)[g7]<h8>|'i9'",
                "# #\t#\n#;#(#)[#]<#>|'#'<a1><b2><c3><d4><e5><f6><g7><h8><i9>");
    CHECK_SPLIT("x1|y2'z3/w4", "#|#'#/#<x1><y2><z3><w4>");
    CHECK_SPLIT("  spaces  stay  ", "  spaces  stay  ");
    CHECK_SPLIT("\xc3\xa9t\xc3\xa9 x\xc3\xa9"
                "1",
                "\xc3\xa9t\xc3\xa9 #<x\xc3\xa9"
                "1>");
}

TEST(what_breaks_a_bound_is_one_variable)
{
    char line[TEMPLATE_MAX_LINE + 2];
    size_t len = 0;

    memset(line, 'x', sizeof(line));
    template_split((struct slice){line, TEMPLATE_MAX_LINE}, &split);
    CHECK_EQ(split.len, TEMPLATE_MAX_LINE);
    CHECK_EQ(split.var_count, 0);
    template_split((struct slice){line, TEMPLATE_MAX_LINE + 1}, &split);
    CHECK_EQ(split.len, 1);
    CHECK_EQ(split.var_count, 1);
    CHECK_EQ(split.vars[0].len, TEMPLATE_MAX_LINE + 1);

    for (int i = 0; i < TEMPLATE_MAX_VARS; i++) {
        line[len++] = '7';
        line[len++] = ' ';
    }
    template_split((struct slice){line, len}, &split);
    CHECK_EQ(split.var_count, TEMPLATE_MAX_VARS);
    line[len++] = '7';
    template_split((struct slice){line, len}, &split);
    CHECK_EQ(split.len, 1);
    CHECK_EQ(split.var_count, 1);

    template_split(SLICE("a 1 \x11 b"), &split);
    CHECK_EQ(split.len, 1);
    CHECK_EQ(split.vars[0].len, 7);
    template_split(SLICE("\x11"), &split);
    CHECK_EQ(split.var_count, 1);
    CHECK_EQ(split.vars[0].len, 1);
}

/* Lines from an alphabet in which everything that matters is frequent. */
static size_t random_line(char *line, size_t max)
{
    static const char alphabet[] = "abcxyz0123456789 \t=:,;\"'()[]{}<>|/.-_"
                                   "   eeee\xc3\xa9\n";
    size_t len = test_random((uint32_t)max);

    for (size_t i = 0; i < len; i++)
        line[i] = alphabet[test_random(sizeof(alphabet) - 1)];
    if (len > 0 && test_random(20) == 0)
        line[test_random((uint32_t)len)] = TEMPLATE_HOLE;
    return len;
}

TEST(join_gives_the_line_again)
{
    static char line[TEMPLATE_MAX_LINE + 100];
    struct buf out;

    buf_init(&out, SIZE_MAX);
    for (int round = 0; round < 20000; round++) {
        size_t max = round % 100 ? 200 : sizeof(line);
        size_t len = random_line(line, max);
        uint32_t holes = 0;

        template_split((struct slice){line, len}, &split);
        for (uint32_t i = 0; i < split.len; i++)
            holes += split.text[i] == TEMPLATE_HOLE;
        CHECK_EQ(holes, split.var_count);
        buf_reset(&out);
        join(&out, (struct slice){split.text, split.len}, split.vars,
             split.var_count);
        if (!CHECK(slice_equal(buf_slice(&out), (struct slice){line, len})))
            return;
    }
    buf_release(&out);
}

/* The simplest thing that can be right: word by word, byte by byte. */
static void split_slowly(struct slice line, struct template_split *want)
{
    static const char cuts[] = " \t\n\r\v\f=:,;\"'()[]{}<>|/";
    size_t at = 0;

    want->len = want->var_count = 0;
    while (at < line.len) {
        size_t start = at;
        bool digit = false;

        for (; at < line.len &&
               (line.ptr[at] == '\0' || !strchr(cuts, line.ptr[at]));
             at++)
            digit |= line.ptr[at] >= '0' && line.ptr[at] <= '9';
        if (digit) {
            if (want->var_count < TEMPLATE_MAX_VARS)
                want->vars[want->var_count] =
                    (struct slice){line.ptr + start, at - start};
            want->var_count++;
            want->text[want->len++] = TEMPLATE_HOLE;
        } else {
            memcpy(want->text + want->len, line.ptr + start, at - start);
            want->len += (uint32_t)(at - start);
        }
        if (at < line.len)
            want->text[want->len++] = line.ptr[at++];
    }
}

/* In memory of the exact size, for ASan to watch. */
static void check_line(const char *bytes, size_t len)
{
    static struct template_split want;
    char *exact = mem_alloc(len);
    struct slice line = {exact, len};

    slice_copy(exact, (struct slice){bytes, len});
    split_slowly(line, &want);
    template_split(line, &split);
    if (want.var_count <= TEMPLATE_MAX_VARS) {
        CHECK_EQ(split.len, want.len);
        CHECK(memcmp(split.text, want.text, want.len) == 0);
        CHECK_EQ(split.var_count, want.var_count);
        for (uint32_t i = 0; i < want.var_count; i++)
            CHECK(slice_equal(split.vars[i], want.vars[i]) &&
                  split.vars[i].ptr == want.vars[i].ptr);
    }
    free(exact);
}

static void check_random_line(bool any_byte)
{
    char line[400];
    size_t len = random_line(line, any_byte ? 120 : sizeof(line));

    for (size_t i = 0; i < len; i++) {
        if (any_byte)
            line[i] = (char)test_random(256);
        else if (test_random(3) || line[i] == TEMPLATE_HOLE)
            line[i] = 'x'; /* long words, few variables */
        if (line[i] == TEMPLATE_HOLE)
            line[i] = ' ';
    }
    check_line(line, len);
}

TEST(agrees_with_a_slow_splitter)
{
    for (int round = 0; round < 20000; round++)
        check_random_line(round % 2);
}

/* No digit is left in a template, unless the line was constant by a bound. */
TEST(no_digit_stays)
{
    char line[300];

    for (int round = 0; round < 5000; round++) {
        size_t len = random_line(line, sizeof(line));

        template_split((struct slice){line, len}, &split);
        for (uint32_t i = 0; i < split.len; i++)
            CHECK(split.text[i] < '0' || split.text[i] > '9');
    }
}

/* Damaged data has more holes than variables, or fewer. */
TEST(join_with_a_wrong_count)
{
    struct slice vars[] = {SLICE("1"), SLICE("2"), SLICE("3")};
    struct buf out;

    buf_init(&out, 100);
    join(&out, SLICE("a \x11 b \x11"), vars, 1);
    CHECK_TEXT(buf_slice(&out), "a 1 b ");
    buf_reset(&out);
    join(&out, SLICE("a \x11 b"), vars, 3);
    CHECK_TEXT(buf_slice(&out), "a 1 b");
    buf_release(&out);
}

static const char *shown(const char *text)
{
    static char result[200];
    struct buf out;

    buf_init(&out, sizeof(result) - 1);
    template_show(&out, slice_of(text));
    slice_copy(result, buf_slice(&out));
    result[out.len] = '\0';
    buf_release(&out);
    return result;
}

/* The template with hexadecimal words masked; "" if there are none. */
static const char *masked(const char *line)
{
    static char text[TEMPLATE_MAX_LINE + 1];

    template_split(slice_of(line), &split);
    if (!template_mask_hex(&split))
        return "";
    for (uint32_t i = 0; i < split.len; i++)
        text[i] = split.text[i] == TEMPLATE_HOLE ? '#' : split.text[i];
    text[split.len] = '\0';
    return text;
}

TEST(hexadecimal_words_without_digits)
{
    static const char *const rows[][2] = {
        {"session beef", "session #"},
        {"beef", "#"},
        {"id=DeadBeef, user 7", "id=#, user #"},
        {"a1 abcd/abcdefabcdef/bad", "# #/#/bad"},
        {"abcd abcd", "# #"},
        {"[abcd]", "[#]"},
        {"abc", ""},
        {"abcd-xyz", ""},
        {"", ""},
        {"a read of the cafes", ""},
        {"4711", ""}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        CHECK_TEXT(slice_of(masked(rows[i][0])), rows[i][1]);
}

static const char *as_text(struct template_split *of)
{
    of->text[of->len] = '\0';
    return of->text;
}

/* The same as the template of the line with a digit put into each such word. */
TEST(masked_is_what_a_line_with_digits_is)
{
    for (int round = 0; round < 3000; round++) {
        char plain[64], digits[64];
        size_t len = 0;

        for (uint32_t word = 0; word < 6; word++) {
            uint32_t n = 4 + test_random(4);
            bool hex = test_random(2);

            for (uint32_t i = 0; i < n; i++, len++) {
                plain[len] = (char)((hex ? 'a' : 'g') + test_random(6));
                digits[len] = hex && i == n - 1 ? '0' : plain[len];
            }
            plain[len] = digits[len] = " =/"[test_random(3)];
            len++;
        }
        plain[len - 1] = digits[len - 1] = '\0';
        template_split(slice_of(digits), &split);
        struct template_split wanted = split;
        template_split(slice_of(plain), &split);
        template_mask_hex(&split);
        CHECK_TEXT(((struct slice){split.text, split.len}), as_text(&wanted));
    }
}

TEST(shown_to_people)
{
    CHECK_TEXT(slice_of(shown("")), "");
    CHECK_TEXT(slice_of(shown("started")), "started");
    CHECK_TEXT(slice_of(shown("took \x11 ms")), "took <*> ms");
    CHECK_TEXT(slice_of(shown("\x11:\x11:\x11 x")), "<*> x");
    CHECK_TEXT(slice_of(shown("\x11\x11 \x11")), "<*>");
    CHECK_TEXT(slice_of(shown("\x11, \x11")), "<*>, <*>");
    CHECK_TEXT(slice_of(shown("(\x11) \x11=")), "(<*>) <*>=");
}
