/* Traces as text: golden texts written by hand, and trees at random. */
#include "waterfall.h"

#include <string.h>

#include "test.h"

static struct buf out;

static const char *draw(const char *json, const struct term_look *look,
                        bool all)
{
    json_error_t error;
    json_t *answer = json_loads(json, 0, &error);

    CHECK(answer != NULL);
    buf_release(&out);
    buf_init(&out, 64 << 20);
    waterfall_text(&out, look, answer, all);
    buf_byte(&out, '\0');
    json_decref(answer);
    return out.ptr;
}

#define SPAN(depth, component, name, offset, duration, self, more) \
    "{\"depth\":" #depth ",\"component\":\"" component             \
    "\",\"spanName\":\"" name "\",\"offsetNs\":" #offset           \
    ",\"durationNs\":" #duration ",\"selfTimeNs\":" #self more "}"
#define CRITICAL ",\"onCriticalPath\":true"
#define FAILED   ",\"status\":{\"code\":\"error\"}"
#define TRACE(spans)                                                       \
    "{\"traceId\":\"0af7651916cd43dd8448eb211c80319c\",\"summary\":"       \
    "{\"root\":{\"component\":\"web\",\"spanName\":\"POST /checkout\"},"   \
    "\"startTime\":\"2026-11-21T08:05:58.412Z\",\"durationNs\":20000000,"  \
    "\"spanCount\":4,\"componentCount\":3,\"errorCount\":1},"              \
    "\"criticalPath\":[{\"component\":\"checkout\",\"spanName\":\"POST "   \
    "/orders\",\"durationNs\":11000000,\"percent\":55}],\"spans\":[" spans \
    "]}"

/* 100 columns: 35 of them are the bar, so 20 ms are 35 columns; checkout starts
 * after 2 ms, in the fourth. */
TEST(a_tree_with_bars_and_a_log_line_in_its_place)
{
    static const struct term_look look = {.columns = 100, .ascii = true};
    const char *text = draw(
        TRACE(SPAN(
            0, "web", "POST /checkout", 0, 20000000, 4000000,
            CRITICAL) "," SPAN(1, "checkout", "POST /orders", 2000000, 16000000,
                               11000000,
                               CRITICAL) "," SPAN(2, "inventory", "Stock",
                                                  4000000, 1000000, 1000000,
                                                  FAILED
                                                  ",\"logs\":[{\"timestamp\":"
                                                  "\"2026-11-21T08:05:58."
                                                  "420Z\",\"offsetNs\":4500000,"
                                                  "\"level\":\"ERROR\","
                                                  "\"log\":\"stock\\u001b[2J "
                                                  "unknown\"}]") "," SPAN(1,
                                                                          "web",
                                                                          "rend"
                                                                          "er",
                                                                          19000000,
                                                                          500000,
                                                                          500000,
                                                                          "")),
        &look, false);

    CHECK_TEXT(
        slice_of(text),
        "web POST /checkout  20ms  4 spans, 3 components, 1 failed\n"
        "Trace 0af7651916cd43dd8448eb211c80319c  2026-11-21 08:05:58.412 UTC\n"
        "Time went to  checkout POST /orders 11ms (55%)\n"
        "\n"
        "SPAN                                           DURATION     SELF 0   "
        "                           20ms\n"
        "web POST /checkout                                 20ms      4ms "
        "###################################\n"
        "|-checkout POST /orders                            16ms     11ms    "
        "#############################\n"
        "| `-inventory Stock                         E       1ms      1ms     "
        "   --\n"
        "|     08:05:58.420 ERROR stock [2J unknown\n"
        "`-web render                                      500us    500us     "
        "                             --\n"
        "\n"
        "# on the critical path  - beside it  E failed\n");
}

/* Three equal calls with their own children are one line, whose time is the
 * sum; the failed one is a line of its own. */
TEST(equal_calls_are_folded)
{
    static const struct term_look look = {.columns = 90};
    static const char spans[] = TRACE(
        SPAN(0, "web", "GET /", 0, 20000000, 4000000, "") "," SPAN(1, "web", "SELECT", 0, 1000000, 1000000, "") "," SPAN(
            2, "db",
            "query",
            0, 1000000, 1000000,
            "") "," SPAN(1, "web", "SELECT", 2000000, 1000000, 1000000,
                         "") "," SPAN(2, "db", "query", 2000000, 1000000,
                                      1000000,
                                      "") "," SPAN(1, "web", "SELECT", 4000000,
                                                   3000000,
                                                   1000000,
                                                   "") "," SPAN(2, "db",
                                                                "query",
                                                                4000000,
                                                                3000000,
                                                                1000000,
                                                                "") "," SPAN(1,
                                                                             "w"
                                                                             "e"
                                                                             "b",
                                                                             "S"
                                                                             "E"
                                                                             "L"
                                                                             "E"
                                                                             "C"
                                                                             "T",
                                                                             8000000,
                                                                             1000000,
                                                                             1000000,
                                                                             FAILED) "," SPAN(2,
                                                                                              "db",
                                                                                              "query",
                                                                                              8000000,
                                                                                              1000000,
                                                                                              1000000,
                                                                                              ""));
    const char *text = draw(spans, &look, false);

    CHECK(strstr(text, "├─3 x web SELECT (2 spans each)") != NULL);
    CHECK(strstr(text, "  5ms      3ms ") != NULL);
    CHECK(strstr(text, "└─web SELECT ") != NULL);
    text = draw(spans, &look, true);
    CHECK(strstr(text, " x ") == NULL);
}

/* The clock of cart is an hour ahead: its bar is where it was called, and its
 * log line before the child that began after it. */
TEST(a_clock_that_differs)
{
    static const struct term_look look = {.columns = 100, .ascii = true};
    const char *text = draw(
        "{\"summary\":{\"durationNs\":3600000010000000},\"clockSkew\":["
        "{\"component\":\"cart\",\"podName\":\"cart-1\",\"parentComponent\":"
        "\"web\",\"offsetNs\":3600000000000}],\"spans\":[" SPAN(
            0, "web", "GET /", 0, 10000000, 0,
            "") "," SPAN(1, "cart", "GET", 3600005000000, 5000000, 0,
                         ",\"clockOffsetNs\":3600000000000,"
                         "\"logs\":[{\"timestamp\":"
                         "\"2026-11-21T09:05:58.420Z\","
                         "\"offsetNs\":3600006000000,"
                         "\"level\":\"INFO\",\"log\":\"read\"}"
                         "]") "," SPAN(2, "cart", "HGETALL", 3600007000000,
                                       1000000, 0,
                                       ",\"clockOffsetNs\":"
                                       "3600000000000") "]}",
        &look, false);

    CHECK(strstr(text, "Clock   cart cart-1 is 1h ahead of that of web\n"));
    CHECK(strstr(text,
                 "web GET /                                          10ms      "
                 "  0 -----------------------------------\n"
                 "`-cart GET                                  S       5ms      "
                 "  0                  ------------------\n"
                 "    09:05:58.420 INFO read\n"
                 "  `-cart HGETALL                            S       1ms      "
                 "  0                         ----\n"));
    CHECK(strstr(text, "S its clock differs, drawn by that of the root"));
}

/* The longest line, in columns; checks that there are no control bytes. */
static uint32_t widest(const char *text)
{
    struct slice rest = slice_of(text);
    uint32_t most = 0;

    while (rest.len > 0) {
        struct slice line = slice_split(&rest, '\n');
        uint32_t width = term_columns(line);

        most = width > most ? width : most;
        for (size_t i = 0; i < line.len; i++)
            if (!CHECK((unsigned char)line.ptr[i] >= 0x20))
                return UINT32_MAX;
    }
    return most;
}

static json_t *random_span(uint32_t depth)
{
    static const char *const names[] = {"web", "日本語", "a\033[31mb", "",
                                        "x\ny"};
    json_t *span = json_object();

    json_object_set_new(span, "depth", json_integer(depth));
    json_object_set_new(span, "component", json_string(names[test_random(5)]));
    json_object_set_new(span, "spanName", json_string(names[test_random(5)]));
    json_object_set_new(span, "offsetNs",
                        json_integer((json_int_t)test_random(40) - 10));
    json_object_set_new(span, "durationNs", json_integer(test_random(60)));
    json_object_set_new(span, "selfTimeNs", json_integer(test_random(9)));
    if (test_random(3) == 0)
        json_object_set_new(span, "onCriticalPath", json_true());
    if (test_random(5) == 0)
        json_object_set_new(span, "clockOffsetNs", json_integer(-3));
    if (test_random(5) == 0)
        json_object_set_new(span, "logs",
                            json_pack("[{s:i,s:s,s:s}]", "offsetNs",
                                      test_random(40), "level", "ERROR", "log",
                                      names[test_random(5)]));
    return span;
}

TEST(random_trees_are_never_wider_than_the_terminal)
{
    for (int round = 0; round < 300; round++) {
        struct term_look look = {.columns = 40 + test_random(200),
                                 .ascii = test_random(2) == 1};
        json_t *spans = json_array();
        uint32_t count = test_random(60), depth = 0;

        for (uint32_t i = 0; i < count; i++) {
            json_array_append_new(spans, random_span(depth));
            depth = test_random(depth + 2);
        }
        json_t *answer = json_pack("{s:o,s:{s:i}}", "spans", spans, "summary",
                                   "durationNs", test_random(60));
        buf_release(&out);
        buf_init(&out, 64 << 20);
        waterfall_text(&out, &look, answer, test_random(2) == 1);
        buf_byte(&out, '\0');
        CHECK(widest(out.ptr) <= look.columns);
        json_decref(answer);
    }
}

/* 50,000 spans, each below the one before: nothing recurses, and the depth is a
 * number where no more guides fit. */
TEST(fifty_thousand_deep)
{
    static const struct term_look look = {.columns = 60};
    json_t *spans = json_array();

    for (int i = 0; i < 50000; i++)
        json_array_append_new(spans, json_pack("{s:i,s:s,s:i,s:i}", "depth", i,
                                               "spanName", "f", "offsetNs", i,
                                               "durationNs", 50000 - i));
    json_t *answer = json_pack("{s:o,s:{s:i}}", "spans", spans, "summary",
                               "durationNs", 50000);
    buf_release(&out);
    buf_init(&out, 64 << 20);
    waterfall_text(&out, &look, answer, true);
    buf_byte(&out, '\0');
    CHECK(strstr(out.ptr, " 49999└f ") != NULL);
    CHECK(widest(out.ptr) <= 60);
    json_decref(answer);
}
