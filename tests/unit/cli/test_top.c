/* callboard top without a terminal and without a server: keys, rows, frames. */
#include "top_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "mem.h"
#include "term_key.h"
#include "test.h"

static struct top_rows rows;
static struct top_state state;
static struct buf out;
static struct term_look look;
static struct top_facts facts;

static void start(uint32_t columns, uint32_t lines)
{
    top_rows_release(&rows);
    state = (struct top_state){.choice = {.sort = TOP_RATE}};
    look = (struct term_look){.columns = columns, .rows = lines, .ascii = true};
    facts = (struct top_facts){.server = "127.0.0.1:9097",
                               .error = "",
                               .answered_ns = UINT64_C(1787299200) * 1000000000,
                               .now_ns = UINT64_C(1787299212) * 1000000000,
                               .window_s = 300,
                               .interval_s = 2};
}

/* rate < 0: no requests. */
static json_t *component(const char *project, const char *name,
                         const char *environment, double rate, double errors)
{
    json_t *c =
        json_pack("{s:s,s:s,s:s,s:s}", "namespace", "acme", "project", project,
                  "component", name, "environment", environment);

    json_object_set_new(c, "requestCount", json_real(rate * 300));
    json_object_set_new(c, "requestRate", json_real(rate));
    json_object_set_new(c, "errorRatio", json_real(errors));
    json_object_set_new(c, "latency",
                        json_pack("{s:f,s:f}", "p50", 0.002, "p99", 0.0123));
    json_object_set_new(c, "usage",
                        json_pack("{s:f,s:f,s:f,s:f,s:f}", "cpuUsage", 0.989,
                                  "cpuLimits", 1.0, "memoryUsage", 201664547.0,
                                  "memoryLimits", 536870912.0, "restarts",
                                  0.0));
    json_object_set_new(
        c, "spark", json_pack("{s:[f,f,f,n]}", "requestRate", 0.0, 1.0, 2.0));
    return c;
}

static void add(json_t *list)
{
    top_rows_add(&rows, json_pack("{s:o}", "components", list));
}

static void add_shop(void)
{
    json_t *list = json_array();

    json_array_append_new(list,
                          component("shop", "cart", "production", 1.5, 0));
    json_array_append_new(
        list, component("shop", "inventory", "production", 0.5, 0.107));
    json_array_append_new(list,
                          component("shop", "web", "production", 5, 0.02));
    add(list);
}

static const char *frame(void)
{
    buf_release(&out);
    buf_init(&out, 16 << 20);
    top_view(&out, &look, &state, &rows, &facts);
    buf_byte(&out, '\0');
    return out.ptr;
}

static enum top_action press(uint32_t key)
{
    return top_state_key(&state, &rows, key);
}

static void type(const char *text)
{
    for (; *text; text++)
        press((unsigned char)*text);
}

/* The names of the rows in their order. */
static const char *order(void)
{
    static char text[256];
    uint32_t count, *chosen = top_state_choose(&state, &rows, &count);

    text[0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        strcat(text, rows.at[chosen[i]].component);
        strcat(text, " ");
    }
    free(chosen);
    return text;
}

/* All figures at 80 columns; a letter for health besides the colour. */
TEST(the_list_on_80_columns)
{
    start(80, 8);
    add_shop();
    CHECK_TEXT(
        slice_of(frame()),
        "callboard top  3 components  ! 1 bad  ~ 1 to watch  by requests, most "
        "first\n"
        "08:00:00Z  figures of the last 5m  every 2s  127.0.0.1:9097\n"
        "  COMPONENT RATE/S  ERR%    P50    P99    CPU  %LIM MEMORY  %LIM RST "
        "TREND      \n"
        "~>web            5    2%    2ms 12.3ms   989m 98.9%  192Mi 37.6%   0 "
        "       _+# \n"
        "  cart        1.50    0%    2ms 12.3ms   989m 98.9%  192Mi 37.6%   0 "
        "       _+# \n"
        "! inventory    0.5 10.7%    2ms 12.3ms   989m 98.9%  192Mi 37.6%   0 "
        "       _+# \n"
        "\n"
        "Enter open  l logs  / filter  < > sort  r reverse  e environment  p "
        "project  ? ~\n");
}

TEST(keys_sort_reverse_and_filter)
{
    start(80, 24);
    add_shop();
    frame();
    CHECK_TEXT(slice_of(order()), "web cart inventory ");
    CHECK_EQ(press('E'), TOP_DRAW);
    CHECK_TEXT(slice_of(order()), "inventory web cart ");
    press('E');
    CHECK_TEXT(slice_of(order()), "cart web inventory ");
    press('N');
    CHECK_TEXT(slice_of(order()), "cart inventory web ");
    press(KEY_RIGHT);
    CHECK_EQ(state.choice.sort, TOP_RATE);
    press(KEY_LEFT);
    press(KEY_LEFT);
    CHECK_EQ(state.choice.sort, TOP_RESTARTS);
    type("/ENT");
    CHECK_TEXT(slice_of(order()), "inventory ");
    CHECK(strstr(frame(), "filter: ENT_") != NULL);
    press(KEY_BACKSPACE);
    press(KEY_ENTER);
    CHECK(!state.typing);
    type("/q"); /* a letter while typing is no key */
    CHECK_TEXT(slice_of(state.choice.filter), "ENq");
    press(KEY_ESCAPE);
    CHECK_TEXT(slice_of(state.choice.filter), "EN");
    press(KEY_ESCAPE);
    CHECK_TEXT(slice_of(state.choice.filter), "");
    CHECK_EQ(press('q'), TOP_QUIT);
}

TEST(environments_and_projects_are_switched)
{
    json_t *list = json_array();

    start(100, 24);
    json_array_append_new(list, component("shop", "web", "production", 5, 0));
    json_array_append_new(list, component("shop", "web", "staging", 2, 0));
    json_array_append_new(list, component("bank", "teller", "staging", 1, 0));
    add(list);
    CHECK(strstr(frame(), "shop/web production") != NULL);
    press('e');
    CHECK_TEXT(slice_of(state.choice.environment), "production");
    CHECK_TEXT(slice_of(order()), "web ");
    press('e');
    CHECK_TEXT(slice_of(order()), "web teller ");
    CHECK(strstr(frame(), "environment staging") != NULL);
    press('p');
    CHECK_TEXT(slice_of(order()), "teller ");
    press('e');
    press('p');
    press('p');
    CHECK_TEXT(slice_of(order()), "web web teller ");
}

/* The component under the cursor stays there while the order changes. */
TEST(the_cursor_stays_on_its_component)
{
    start(80, 24);
    add_shop();
    frame();
    press(KEY_DOWN);
    CHECK_EQ(state.cursor, 1);
    press(KEY_ENTER);
    CHECK_EQ(state.page, TOP_COMPONENT);
    CHECK_TEXT(slice_of(state.selected[2]), "cart");
    CHECK_EQ(press(KEY_ESCAPE), TOP_ASK);
    CHECK_EQ(state.page, TOP_LIST);
    rows.at[0].values[TOP_RATE] = 50; /* cart */
    frame();
    CHECK_EQ(state.cursor, 0);
    CHECK(strstr(out.ptr, " >cart") != NULL);
}

/* Thousands of components: only the rows that fit are written, the cursor is
 * always among them. */
TEST(a_long_list_scrolls)
{
    json_t *list = json_array();

    start(80, 24);
    for (int i = 0; i < 3000; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "c%04d", i);
        json_array_append_new(
            list, component("shop", name, "production", 3000 - i, 0));
    }
    add(list);
    CHECK(strstr(frame(), ">c0000") != NULL);
    press(KEY_END);
    CHECK(strstr(frame(), ">c2999") != NULL);
    CHECK(strstr(out.ptr, "c2980") != NULL);
    CHECK(strstr(out.ptr, "c2979") == NULL);
    press(KEY_PAGE_UP);
    CHECK(strstr(frame(), ">c2979") != NULL);
    press(KEY_HOME);
    CHECK(strstr(frame(), ">c0000") != NULL);
    CHECK(out.len < 80 * 24 * 2);
}

TEST(the_banner_says_why_and_how_old)
{
    start(80, 24);
    add_shop();
    facts.error = "Couldn't connect to server";
    CHECK(strstr(frame(), "NO ANSWER: shown is 08:00:00Z, 12s old. Couldn't "
                          "connect to server\n") != NULL);
    facts.error = "";
    press(' ');
    CHECK(strstr(frame(), "PAUSED (space goes on)  08:00:00Z") != NULL);
    CHECK_EQ(press(' '), TOP_ASK);
    press('?');
    CHECK(strstr(frame(), "any key: back") != NULL);
    CHECK_EQ(press('q'), TOP_DRAW);
    CHECK(!state.help);
}

/* Any keys, any size: the frame has the lines of the terminal, never more
 * columns. */
TEST(random_keys_and_sizes)
{
    static const uint32_t keys[] = {
        KEY_UP,        KEY_DOWN, KEY_LEFT, KEY_RIGHT,   KEY_ENTER,
        KEY_ESCAPE,    KEY_END,  KEY_HOME, KEY_PAGE_UP, KEY_PAGE_DOWN,
        KEY_BACKSPACE, '/',      'e',      'p',         'l',
        ' ',           '?',      'N',      'x',         0x65e5,
        'r',           'E'};

    start(80, 24);
    add_shop();
    for (int i = 0; i < 5000; i++) {
        uint32_t lines = 0;

        press(keys[test_random(sizeof(keys) / sizeof(*keys))]);
        look.columns = 1 + test_random(120);
        look.rows = 1 + test_random(30);
        struct slice rest = slice_of(frame());
        for (; rest.len > 0; lines++)
            CHECK(term_columns(slice_split(&rest, '\n')) <= look.columns);
        if (look.rows >= 5)
            CHECK(lines <= look.rows);
    }
}

/* ---- keys and numbers ---- */

static uint32_t key_of(const char *bytes, size_t len, bool last, size_t want)
{
    uint32_t key;

    CHECK_EQ(term_key_read((const uint8_t *)bytes, len, last, &key), want);
    return key;
}

TEST(bytes_become_keys)
{
    CHECK_EQ(key_of("\033[A", 3, false, 3), KEY_UP);
    CHECK_EQ(key_of("\033OB", 3, false, 3), KEY_DOWN);
    CHECK_EQ(key_of("\033[5~x", 5, false, 4), KEY_PAGE_UP);
    CHECK_EQ(key_of("\033[1;5C", 6, false, 6), KEY_RIGHT);
    CHECK_EQ(key_of("\033[", 2, false, 0), KEY_NONE);
    CHECK_EQ(key_of("\033", 1, false, 0), KEY_NONE);
    CHECK_EQ(key_of("\033", 1, true, 1), KEY_ESCAPE);
    CHECK_EQ(key_of("\033q", 2, false, 1), KEY_ESCAPE);
    CHECK_EQ(key_of("\r", 1, false, 1), KEY_ENTER);
    CHECK_EQ(key_of("\n", 1, false, 1), KEY_ENTER);
    CHECK_EQ(key_of("\xc3\xa9", 2, false, 2), 0xe9);
    CHECK_EQ(key_of("\xc3", 1, false, 0), KEY_NONE);
    CHECK_EQ(key_of("\xff", 1, false, 1), KEY_NONE);
}

TEST(any_bytes_are_used_up)
{
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[8];
        size_t len = 1 + test_random(8), at = 0;
        uint32_t key;

        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)test_random(test_random(2) ? 256 : 96);
        while (at < len) {
            size_t taken = term_key_read(bytes + at, len - at, true, &key);

            if (!CHECK(taken > 0 && taken <= len - at))
                return;
            at += taken;
        }
    }
}

TEST(numbers_have_three_digits_and_a_unit)
{
    char t[HUMAN_TEXT];

    CHECK_TEXT(slice_of(human_number(t, 0)), "0");
    CHECK_TEXT(slice_of(human_number(t, 1.778)), "1.78");
    CHECK_TEXT(slice_of(human_number(t, 12345)), "12.3k");
    CHECK_TEXT(slice_of(human_number(t, 999.6)), "1.00k");
    CHECK_TEXT(slice_of(human_number(t, NAN)), "-");
    CHECK_TEXT(slice_of(human_number(t, 0.001)), "0.001");
    CHECK_TEXT(slice_of(human_share(t, 0.1078)), "10.8%");
    CHECK_TEXT(slice_of(human_share(t, 0.0004)), "0.04%");
    CHECK_TEXT(slice_of(human_seconds(t, 0.0123)), "12.3ms");
    CHECK_TEXT(slice_of(human_seconds(t, 0.9999)), "1.00s");
    CHECK_TEXT(slice_of(human_seconds(t, 0.000437)), "437us");
    CHECK_TEXT(slice_of(human_seconds(t, 300)), "5m");
    CHECK_TEXT(slice_of(human_seconds(t, 86400)), "24h");
    CHECK_TEXT(slice_of(human_bytes(t, 201664547)), "192Mi");
    CHECK_TEXT(slice_of(human_bytes(t, 1023)), "1023");
    CHECK_TEXT(slice_of(human_bytes(t, 100)), "100");
    CHECK_TEXT(slice_of(human_cores(t, 0.25)), "250m");
    CHECK_TEXT(slice_of(human_cores(t, 12.5)), "12.5");
    CHECK_TEXT(slice_of(human_cores(t, NAN)), "-");
    CHECK_TEXT(slice_of(human_seconds(t, 1e308)), ">1e6");
    CHECK_TEXT(slice_of(human_bytes(t, -1e308)), "<-1e6");
}
