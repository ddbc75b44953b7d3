/* Lines for terminals, and series drawn in them. */
#include "term_line.h"

#include <math.h>
#include <string.h>

#include "sparkline.h"
#include "test.h"

static struct buf out;

static struct term_line start(const struct term_look *look)
{
    buf_release(&out);
    buf_init(&out, 1 << 20);
    return term_begin(&out, look);
}

static const struct term_look utf8_10 = {.columns = 10};
static const struct term_look ascii_10 = {.ascii = true, .columns = 10};

TEST(text_is_cut_at_the_width_and_says_so)
{
    struct term_line line = start(&utf8_10);

    term_puts(&line, "0123456789");
    CHECK_TEXT(buf_slice(&out), "0123456789");
    line = start(&utf8_10);
    term_puts(&line, "0123456789a");
    CHECK_TEXT(buf_slice(&out), "012345678…");
    line = start(&ascii_10);
    term_puts(&line, "0123456789a");
    term_puts(&line, "more");
    CHECK_TEXT(buf_slice(&out), "012345678~");
}

/* Cut before the second half of a wide character: the column stays empty. */
TEST(wide_characters_take_two_columns)
{
    struct term_line line = start(&utf8_10);

    CHECK_EQ(term_columns(SLICE("日本")), 4);
    CHECK_EQ(term_columns(SLICE("e\xcc\x81")), 1);
    term_cell(&line, SLICE("日本語"), 5, TERM_LEFT);
    term_puts(&line, "|");
    CHECK_TEXT(buf_slice(&out), "日本…|");
    line = start(&utf8_10);
    term_cell(&line, SLICE("日本語"), 4, TERM_LEFT);
    term_puts(&line, "|");
    CHECK_TEXT(buf_slice(&out), "日… |");
}

TEST(cells_are_aligned_and_exactly_wide)
{
    struct term_line line = start(&utf8_10);

    term_cell(&line, SLICE("ab"), 4, TERM_RIGHT);
    term_cell(&line, SLICE("cd"), 4, TERM_LEFT);
    term_cell(&line, SLICE("efgh"), 4, TERM_LEFT);
    CHECK_TEXT(buf_slice(&out), "  abcd  e…");
}

TEST(control_characters_of_senders_become_spaces)
{
    struct term_look look = {.columns = 0};
    struct term_line line = start(&look);

    /* ESC ] 0 ; sets the title; U+009B is CSI; U+202E turns text around. */
    term_puts(&line, "a\033]0;x\007b\r\nc\xc2\x9bm\xe2\x80\xae"
                     "d\x7f");
    CHECK_TEXT(buf_slice(&out), "a ]0;x b  c m d ");
    line = start(&look);
    term_puts(&line, "\xff\xc3(");
    CHECK_TEXT(buf_slice(&out), "\xef\xbf\xbd\xef\xbf\xbd(");
    look.ascii = true;
    line = start(&look);
    term_puts(&line, "caf\xc3\xa9 \xe6\x97\xa5");
    CHECK_TEXT(buf_slice(&out), "caf? ??");
}

TEST(a_letter_has_few_marks)
{
    struct term_look look = {.columns = 0};
    struct term_line line = start(&look);
    char text[201] = "a";

    for (int i = 0; i < 99; i++)
        strcat(text, "\xcc\x81");
    term_puts(&line, text);
    CHECK_EQ(out.len, 1 + 3 * 2);
}

TEST(colours_only_where_wanted_and_always_ended)
{
    struct term_look look = {.columns = 10, .color = true};
    struct term_line line = start(&look);

    term_paint(&line, TERM_PLAIN);
    term_paint(&line, TERM_RED);
    term_puts(&line, "a");
    term_end(&line);
    CHECK_TEXT(buf_slice(&out), "\033[31ma\033[0m\n");
    line = start(&utf8_10);
    term_paint(&line, TERM_RED);
    term_end(&line);
    CHECK_TEXT(buf_slice(&out), "\n");
}

/* Any bytes, any widths: no control byte, and never wider than the line. */
TEST(random_bytes_stay_inside_the_line)
{
    for (int round = 0; round < 20000; round++) {
        struct term_look look = {.columns = 1 + test_random(30),
                                 .ascii = test_random(2) == 1};
        struct term_line line = start(&look);
        char text[40];
        size_t len = test_random(sizeof(text));

        for (size_t i = 0; i < len; i++)
            text[i] = (char)test_random(256);
        for (int part = 0; part < 3; part++) {
            struct slice piece = {text, len};

            if (test_random(2))
                term_put(&line, piece);
            else
                term_cell(&line, piece, test_random(20), TERM_RIGHT);
        }
        CHECK(line.column <= look.columns);
        CHECK_EQ(term_columns(buf_slice(&out)), line.column);
        for (size_t i = 0; i < out.len; i++)
            CHECK((unsigned char)out.ptr[i] >= 0x20 && out.ptr[i] != 0x7f);
    }
}

/* ---- sparklines ---- */

static void check_spark(const struct term_look *look, const double *values,
                        size_t count, uint32_t width,
                        enum sparkline_scale scale, const char *want)
{
    struct term_line line = start(look);

    sparkline_put(&line, values, count, width, scale);
    CHECK_TEXT(buf_slice(&out), want);
}

TEST(a_sparkline_has_eight_heights_and_gaps)
{
    static const double rise[] = {0, 1, 2, 3, 4, 5, 6, 7};
    static const double gaps[] = {7, NAN, 0, 7};

    check_spark(&utf8_10, rise, 8, 8, SPARKLINE_FROM_ZERO, "▁▂▃▄▅▆▇█");
    check_spark(&ascii_10, rise, 8, 8, SPARKLINE_FROM_ZERO, "_.-=+*%#");
    check_spark(&utf8_10, gaps, 4, 4, SPARKLINE_FROM_ZERO, "█ ▁█");
}

/* From zero 90 to 100 is nearly flat; from the least it fills the range. */
TEST(the_scale_of_a_sparkline)
{
    static const double high[] = {90, 95, 100}, flat[] = {5, 5},
                        zero[] = {0, 0};
    static const double none[] = {NAN, NAN}, huge[] = {-1e308, 1e308};

    check_spark(&utf8_10, high, 3, 3, SPARKLINE_FROM_ZERO, "▇██");
    check_spark(&utf8_10, high, 3, 3, SPARKLINE_FROM_LEAST, "▁▅█");
    check_spark(&utf8_10, flat, 2, 2, SPARKLINE_FROM_ZERO, "██");
    check_spark(&utf8_10, flat, 2, 2, SPARKLINE_FROM_LEAST, "▁▁");
    check_spark(&utf8_10, zero, 2, 2, SPARKLINE_FROM_ZERO, "▁▁");
    check_spark(&utf8_10, none, 2, 2, SPARKLINE_FROM_ZERO, "  ");
    check_spark(&utf8_10, huge, 2, 2, SPARKLINE_FROM_LEAST, "▁█");
}

/* Six values in three columns: means of pairs; the newest on the right. */
TEST(a_sparkline_fits_its_width)
{
    static const double six[] = {0, 0, 3, 4, 7, 7};

    check_spark(&utf8_10, six, 6, 3, SPARKLINE_FROM_ZERO, "▁▅█");
    check_spark(&utf8_10, six + 4, 2, 4, SPARKLINE_FROM_ZERO, "  ██");
    check_spark(&utf8_10, six, 0, 4, SPARKLINE_FROM_ZERO, "    ");
    check_spark(&utf8_10, six, 6, 0, SPARKLINE_FROM_ZERO, "");
}
