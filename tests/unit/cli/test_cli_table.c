/* Tables, CSV and formats of the command line. */
#include "cli_table.h"

#include <string.h>

#include "test.h"

/* clang-format off */
static const struct cli_column columns[] = {
    {"NAMESPACE", "namespace", FORMAT_TEXT, COLUMN_SAME},
    {"NAME", "name", FORMAT_TEXT, COLUMN_LONG},
    {"RATE", "rate", FORMAT_RATE, 0},
    {"P99", "latency.p99", FORMAT_SECONDS, 0},
    {"MORE", "more", FORMAT_TEXT, COLUMN_WIDE},
    {.head = NULL}};
/* clang-format on */

static void check_table(struct cli_screen screen, bool wide, const char *rows,
                        const char *want)
{
    json_t *list = json_loads(rows, 0, NULL);
    struct buf out;

    buf_init(&out, 1 << 20);
    CHECK(list != NULL);
    cli_table(&out, &screen, wide, columns, list, true);
    CHECK_TEXT(buf_slice(&out), want);
    json_decref(list);
    buf_release(&out);
}

TEST(texts_stand_left_and_numbers_right)
{
    struct cli_screen pipe = {.tty = false};

    check_table(
        pipe, false,
        "[{\"namespace\": \"acme\", \"name\": \"cart\", \"rate\": 1.5,"
        "  \"latency\": {\"p99\": 0.0123}, \"more\": \"x\"},"
        " {\"namespace\": \"acme\", \"name\": \"日本\", \"rate\": null}]",
        "NAMESPACE  NAME    RATE     P99\n"
        "acme       cart  1.50/s  12.3ms\n"
        "acme       日本       -       -\n");
    check_table(pipe, true, "[{\"name\": \"a\", \"more\": [\"x\", \"y\"]}]",
                "NAMESPACE  NAME  RATE  P99  MORE\n"
                "-          a        -    -  x, y\n");
}

TEST(a_table_fits_the_terminal)
{
    struct cli_screen screen = {.tty = true, .look = {.columns = 30}};

    /* what all rows share goes first, then long texts are cut */
    check_table(screen, false,
                "[{\"namespace\": \"acme\", \"name\": "
                "\"a-very-long-name-of-a-component\", \"rate\": 1}]",
                "NAME                      RATE\n"
                "a-very-long-name-of-a-c…   1/s\n");
    screen.look.columns = 3;
    check_table(screen, false, "[{\"name\": \"abcdefgh\"}]", "NA…\nab…\n");
}

/* clang-format off */
static const struct cli_column found[] = {
    {"TRACE", "id", FORMAT_TEXT, COLUMN_ID},
    {"START", "at", FORMAT_TIME, 0},
    {"SPANS", "spans", FORMAT_COUNT, COLUMN_LESS},
    {"LIMIT", "limit", FORMAT_COUNT, 0},
    {"NAME", "name", FORMAT_TEXT, COLUMN_LONG},
    {.head = NULL}};
/* clang-format on */

static void check_found(uint32_t width, const char *days, const char *want)
{
    struct cli_screen screen = {.tty = true, .look = {.columns = width}};
    json_t *rows = json_array();
    struct buf out;

    for (size_t i = 0; i < 2; i++)
        json_array_append_new(
            rows, json_pack("{s:s, s:s+, s:i, s:s}", "id",
                            "0af7651916cd43dd8448eb211c80319c", "at",
                            (char[]){'2', '0', '2', '5', '-', '0', '1', '-',
                                     '1', days[i], '\0'},
                            "T08:19:49Z", "spans", 12, "name",
                            "POST /a-path-of-some-length"));
    buf_init(&out, 4096);
    cli_table(&out, &screen, false, found, rows, true);
    CHECK_TEXT(buf_slice(&out), want);
    buf_release(&out);
    json_decref(rows);
}

/* What is copied, and times, are whole at any width. */
TEST(ids_and_times_are_not_cut)
{
    check_found(
        90, "55",
        "TRACE                             START                SPANS  NAME\n"
        "0af7651916cd43dd8448eb211c80319c  2025-01-15 08:19:49     12  POST "
        "/a-path-of-some-length\n"
        "0af7651916cd43dd8448eb211c80319c  2025-01-15 08:19:49     12  POST "
        "/a-path-of-some-length\n");
    check_found(70, "55",
                "TRACE                             START     SPANS  NAME\n"
                "0af7651916cd43dd8448eb211c80319c  08:19:49     12  POST "
                "/a-path-of-so…\n"
                "0af7651916cd43dd8448eb211c80319c  08:19:49     12  POST "
                "/a-path-of-so…\n");
    check_found(
        60, "55",
        "TRACE                             START     NAME\n"
        "0af7651916cd43dd8448eb211c80319c  08:19:49  POST /a-path-of…\n"
        "0af7651916cd43dd8448eb211c80319c  08:19:49  POST /a-path-of…\n");
    check_found(70, "56", /* days that differ stay */
                "TRACE                             START                NAME\n"
                "0af7651916cd43dd8448eb211c80319c  2025-01-15 08:19:49  POST "
                "/a-path-o…\n"
                "0af7651916cd43dd8448eb211c80319c  2025-01-16 08:19:49  POST "
                "/a-path-o…\n");
}

TEST(names_of_senders_are_harmless)
{
    struct cli_screen pipe = {.tty = false};

    check_table(pipe, false,
                "[{\"name\": \"a\\u001b[31mb\\nc\\u009b2J\\u202ed\"}]",
                "NAMESPACE  NAME            RATE  P99\n"
                "-          a [31mb c 2J d     -    -\n");
}

static void check_csv(const char *json, const char *want)
{
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    struct buf out;

    buf_init(&out, 1 << 16);
    cli_csv_value(&out, value);
    if (!CHECK_TEXT(buf_slice(&out), want))
        printf("# %s\n", json);
    json_decref(value);
    buf_release(&out);
}

TEST(csv_is_rfc_4180_and_runs_no_formula)
{
    check_csv("\"plain\"", "plain");
    check_csv("\"a,b\"", "\"a,b\"");
    check_csv("\"a \\\"b\\\"\"", "\"a \"\"b\"\"\"");
    check_csv("\"two\\nlines\"", "\"two\nlines\"");
    check_csv("\"=HYPERLINK(1)\"", "\"'=HYPERLINK(1)\"");
    check_csv("\"+1\"", "\"'+1\"");
    check_csv("\"-1\"", "\"'-1\"");
    check_csv("\"@x\"", "\"'@x\"");
    check_csv("-1.5", "-1.5");
    check_csv("0.1", "0.1");
    check_csv("12345678901", "12345678901");
    check_csv("true", "true");
    check_csv("null", "");
    check_csv("[\"a\", \"b\"]", "\"[\"\"a\"\",\"\"b\"\"]\"");
}

static void check_number(double value, enum cli_format format, const char *want)
{
    struct buf out;

    buf_init(&out, 1 << 10);
    cli_format_number(&out, value, format);
    if (!CHECK_TEXT(buf_slice(&out), want))
        printf("# %g\n", value);
    buf_release(&out);
}

TEST(numbers_have_units_that_people_read)
{
    check_number(640, FORMAT_COUNT, "640");
    check_number(12345, FORMAT_COUNT, "12.3k");
    check_number(9999, FORMAT_COUNT, "9999");
    check_number(9999.6, FORMAT_COUNT, "10.0k");
    check_number(53.9, FORMAT_COUNT, "54");
    check_number(0.44, FORMAT_COUNT, "<1");
    check_number(0.1078, FORMAT_RATIO, "10.8%");
    check_number(0, FORMAT_RATIO, "0%");
    check_number(0.00001, FORMAT_RATIO, "<.01%");
    check_number(1, FORMAT_RATIO, "100%");
    check_number(0.0123, FORMAT_SECONDS, "12.3ms");
    check_number(59.99, FORMAT_SECONDS, "1m");
    check_number(125, FORMAT_SECONDS, "2m05s");
    check_number(3599.7, FORMAT_SECONDS, "1h");
    check_number(7265, FORMAT_SECONDS, "2h01m");
    check_number(20837077, FORMAT_NANOS, "20.8ms");
    check_number(999.9e-6, FORMAT_SECONDS, "1.00ms");
    check_number(176452694, FORMAT_BYTES, "168Mi");
    check_number(0.028, FORMAT_CORES, "28m");
    check_number(1.25, FORMAT_CORES, "1250m");
}

TEST(a_path_has_alternatives)
{
    json_t *row =
        json_loads("{\"a\": {\"b\": null}, \"c\": {\"d\": 1}}", 0, NULL);

    CHECK(cli_at(row, "a.b") == NULL);
    CHECK(cli_at(row, "c.d.e") == NULL);
    CHECK_EQ(json_integer_value(cli_at(row, "a.b|x|c.d")), 1);
    json_decref(row);
}
