/* Copies of answers: what is left out, that they fit, that they are valid. */
#include "mcp_shape.h"
#include "mcp_tool.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "params.h"
#include "test.h"
#include "utf8.h"

static const struct shape_plan plain = {"items", NULL, NULL};
static const uint64_t now = 1796040000 * NS_PER_S; /* 2026-11-30T12:00:00Z */

static json_t *shaped_by(json_t *answer, const struct shape_plan *shape,
                         bool full, struct shape_made *made)
{
    json_t *copy = shape_answer(answer, shape, full, now, made);

    json_decref(answer);
    return copy;
}

static json_t *shaped(json_t *answer)
{
    struct shape_made made;

    return shaped_by(answer, &plain, false, &made);
}

static const char *text_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static bool is_text(const json_t *object, const char *name, const char *want)
{
    return CHECK_TEXT(slice_of(text_at(object, name)), want);
}

TEST(what_is_empty_is_left_out)
{
    json_t *copy = shaped(json_pack(
        "{s:n, s:[], s:{}, s:s, s:i, s:b, s:[], s:i, s:s}", "a", "b", "c", "d",
        "", "zero", 0, "no", 0, "items", "tookMs", 7, "componentUid", "x"));

    CHECK_EQ(json_object_size(copy), 6);
    CHECK(json_is_integer(json_object_get(copy, "zero")));
    CHECK(json_is_false(json_object_get(copy, "no")));
    CHECK(json_is_array(json_object_get(copy, "items")));
    CHECK(json_is_false(json_object_get(copy, "truncated")));
    CHECK_EQ(json_integer_value(json_object_get(copy, "returned")), 0);
    CHECK_EQ(json_integer_value(json_object_get(copy, "total")), 0);
    json_decref(copy);
}

TEST(numbers_have_four_digits)
{
    static const struct {
        double value, want;
        bool integer;
    } rows[] = {
        {0.107812345, 0.1078, false},
        {176452694.0, 176500000, true},
        {1234.5678, 1235, true},
        {-0.000043756, -4.376e-05, false},
        {0, 0, true},
        {1e300, 1e300, false},
        {99999.9, 100000, true},
        {5e-324, 5e-324, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        json_t *got = shape_number(rows[i].value);

        CHECK(fabs(json_number_value(got) - rows[i].want) <=
              fabs(rows[i].want) * 1e-3);
        CHECK_EQ(json_is_integer(got), rows[i].integer);
        json_decref(got);
    }
    CHECK(json_is_null(shape_number(NAN)));
    CHECK(json_is_null(shape_number(INFINITY)));
}

TEST(texts_end_at_a_character_and_say_how_many_follow)
{
    bool shortened = false;
    char text[4000];
    json_t *got;

    memset(text, 'x', sizeof(text));
    got = shape_text(text, 2000, 100, &shortened);
    CHECK(shortened);
    CHECK_TEXT(slice_from(json_text_of(got), 100), "…+1900 chars");
    json_decref(got);
    for (size_t i = 0; i + 2 < sizeof(text); i += 3)
        memcpy(text + i, "€", 3);
    got = shape_text(text, 3000, 100, &shortened);
    CHECK_TEXT(slice_from(json_text_of(got), 99), "…+967 chars");
    json_decref(got);
    shortened = false;
    got = shape_text(text, 120, 100, &shortened);
    CHECK(!shortened);
    CHECK_EQ(json_string_length(got), 120);
    json_decref(got);
}

TEST(names_and_cursors_stay_whole)
{
    char name[256], cursor[3000], log[3000];
    json_t *copy;

    memset(name, 'n', 255);
    name[255] = '\0';
    memset(cursor, 'c', 2999);
    cursor[2999] = '\0';
    memset(log, 'l', 2999);
    log[2999] = '\0';
    copy = shaped(json_pack("{s:s, s:s, s:s}", "component", name, "nextCursor",
                            cursor, "log", log));
    is_text(copy, "component", name);
    is_text(copy, "nextCursor", cursor);
    CHECK(strstr(text_at(copy, "log"), "…+2759 chars") != NULL);
    CHECK_TEXT(
        json_text_of(json_array_get(json_object_get(copy, "leftOut"), 0)),
        "texts shortened: 1");
    json_decref(copy);
}

TEST(times_have_three_digits_and_ages)
{
    json_t *copy = shaped(json_pack("{s:s, s:s}", "lastSeen",
                                    "2026-11-30T11:56:40.123456789Z", "onset",
                                    "2026-11-30T12:56:40Z"));

    is_text(copy, "lastSeen", "2026-11-30T11:56:40.123Z");
    is_text(copy, "lastSeenAgo", "3m19s ago");
    is_text(copy, "onset", "2026-11-30T12:56:40Z");
    CHECK(!json_object_get(copy, "onsetAgo")); /* it is to come */
    json_decref(copy);
}

TEST(lists_are_cut_and_it_is_said)
{
    static const struct shape_rule rules[] = {
        {"items[].evidence", 2, 5, 0, SHAPE_FIRST},
        {"items", 3, 6, 2, SHAPE_FIRST},
        {"series", 0, 3, 0, SHAPE_SPREAD},
        {NULL, 0, 0, 0, 0},
    };
    static const struct shape_plan shape = {"items", rules, NULL};
    struct shape_made made;
    json_t *answer = json_pack("{s:[], s:[]}", "items", "series"), *copy;

    for (int i = 0; i < 10; i++) {
        json_array_append_new(
            json_object_get(answer, "items"),
            json_pack("{s:i, s:[i,i,i,i]}", "n", i, "evidence", 1, 2, 3, 4));
        json_array_append_new(json_object_get(answer, "series"),
                              json_integer(i));
    }
    copy = shape_answer(answer, &shape, false, now, &made);
    CHECK_EQ(made.returned, 3);
    CHECK(made.main_cut && made.truncated);
    CHECK_EQ(json_integer_value(json_object_get(copy, "total")), 10);
    CHECK_TEXT(
        json_text_of(json_array_get(json_object_get(copy, "leftOut"), 0)),
        "items[].evidence: 6 of 12");
    CHECK_TEXT(
        json_text_of(json_array_get(json_object_get(copy, "leftOut"), 1)),
        "items: 3 of 10");
    CHECK_TEXT(
        json_text_of(json_array_get(json_object_get(copy, "leftOut"), 2)),
        "series: left out");
    json_decref(copy);
    copy = shaped_by(answer, &shape, true, &made);
    CHECK_EQ(made.returned, 6);
    CHECK_EQ(json_array_size(json_object_get(copy, "series")), 3);
    CHECK_EQ(
        json_integer_value(json_array_get(json_object_get(copy, "series"), 2)),
        9);
    json_decref(copy);
}

TEST(members_without_room_in_the_text_are_counted)
{
    enum { MEMBERS = 12 };
    struct shape_rule rules[MEMBERS + 1] = {{0}};
    char paths[MEMBERS][64], wanted[32];
    json_t *item = json_object(), *copy, *left;
    struct shape_made made;
    int said = 0, others = 0;

    for (int i = 0; i < MEMBERS; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]),
                       "items[].member_with_a_long_name_of_number_%02d", i);
        json_object_set_new(item, paths[i] + sizeof("items[].") - 1,
                            json_integer(i));
        rules[i].path = paths[i];
    }
    copy = shaped_by(json_pack("{s:[o]}", "items", item),
                     &(struct shape_plan){"items", rules, NULL}, false, &made);
    left = json_object_get(copy, "leftOut");
    CHECK_EQ(json_array_size(left), 2);
    for (const char *at = json_string_value(json_array_get(left, 0));
         at && (at = strstr(at, "items[].")); at++)
        said++;
    others = MEMBERS - said;
    CHECK(said > 0 && others > 0);
    (void)snprintf(wanted, sizeof(wanted), "other members: %d", others);
    CHECK_TEXT(json_text_of(json_array_get(left, 1)), wanted);
    json_decref(copy);
}

TEST(pairs_stay_whole_and_rules_are_of_whole_paths)
{
    static const struct shape_rule rules[] = {
        {"series.rate", 0, 3, 0, SHAPE_SPREAD},
        {"points", 40, 40, 0, SHAPE_SPREAD},
        {NULL, 0, 0, 0, 0},
    };
    static const struct shape_plan plan = {"items", rules, NULL};
    struct shape_made made;
    json_t *items = json_array(), *copy, *point;

    for (int i = 0; i < 300; i++) {
        json_t *points = json_array();

        for (int k = 0; k < 40; k++)
            json_array_append_new(
                points, json_pack("[s,f]", "2026-11-30T12:00:00Z", k / 7.0));
        json_array_append_new(items, json_pack("{s:o}", "points", points));
    }
    copy = shaped_by(json_pack("{s:{s:f}, s:{s:[i]}, s:o}", "summary", "rate",
                               0.041, "series", "rate", 1, "items", items),
                     &plan, false, &made);
    CHECK(json_object_get(json_object_get(copy, "summary"), "rate"));
    CHECK(!json_object_get(copy, "series"));
    CHECK(made.returned > 0 && made.returned < 300);
    point = json_array_get(
        json_object_get(json_array_get(json_object_get(copy, "items"), 0),
                        "points"),
        0);
    CHECK_EQ(json_array_size(point), 2);
    json_decref(copy);
}

TEST(like_lines_are_one_with_a_count)
{
    static const struct shape_rule rules[] = {
        {"logs", 5, 20, 0, SHAPE_LINES},
        {NULL, 0, 0, 0, 0},
    };
    static const struct shape_plan shape = {NULL, rules, NULL};
    struct shape_made made;
    json_t *logs = json_array(), *copy, *list;

    for (int i = 0; i < 40; i++) {
        char line[64];

        (void)snprintf(line, sizeof(line),
                       i % 4 ? "stock of product %d unknown" : "retry", i);
        json_array_append_new(logs, json_pack("{s:s}", "log", line));
    }
    copy = shaped_by(json_pack("{s:o}", "logs", logs), &shape, false, &made);
    list = json_object_get(copy, "logs");
    CHECK_EQ(json_array_size(list), 2);
    CHECK_EQ(
        json_integer_value(json_object_get(json_array_get(list, 0), "count")),
        10);
    CHECK_EQ(
        json_integer_value(json_object_get(json_array_get(list, 1), "count")),
        30);
    CHECK(!made.truncated);
    json_decref(copy);
}

/* ---- whatever the answer is ---- */

static json_t *random_text(void)
{
    size_t len = test_random(20) == 0 ? test_random(20000) : test_random(60);
    uint8_t *text = malloc(len + 4);
    size_t at = 0;
    json_t *made;

    while (at < len) {
        static const uint32_t some[] = {'a',  '"',    '\\',    1,
                                        0xe9, 0x20ac, 0x1f600, 'x'};

        at += utf8_encode(some[test_random(8)], text + at);
    }
    made = json_stringn((const char *)text, at);
    free(text);
    return made;
}

static int values_left; /* of one answer */

static json_t *random_value(int depth)
{
    uint32_t kind = test_random(depth > 6 || --values_left < 0 ? 6 : 9);
    json_t *made;

    switch (kind) {
    case 0:
        return json_null();
    case 1:
        return json_integer((json_int_t)test_random64());
    case 2:
        return json_real(test_random(1000000) / 77.0);
    case 3:
        return json_boolean(test_random(2));
    case 4:
    case 5:
        return random_text();
    case 6:
        made = json_array();
        for (uint32_t n = test_random(test_random(9) == 0 ? 300 : 12); n > 0;
             n--)
            json_array_append_new(made, random_value(depth + 2));
        return made;
    default:
        made = json_object();
        for (uint32_t n = test_random(test_random(9) == 0 ? 200 : 9); n > 0;
             n--) {
            json_t *name = random_text();

            if (!memchr(json_string_value(name), 0, json_string_length(name)))
                json_object_set_new(made, json_string_value(name),
                                    random_value(depth + 1));
            json_decref(name);
        }
        return made;
    }
}

/* It fits, is valid, is the same again, and says that it is not all. */
static void check_copy(json_t *answer, bool full)
{
    struct shape_made made, again;
    json_t *copy = shape_answer(answer, &plain, full, now, &made);
    json_t *second = shape_answer(answer, &plain, full, now, &again);
    char *text = json_dumps(copy, MCP_DUMP);
    char *other = json_dumps(second, MCP_DUMP);
    char *whole = json_dumps(answer, MCP_DUMP);
    json_t *read = json_loads(text, JSON_ALLOW_NUL, NULL);
    size_t len, quoted;

    shape_measure(copy, &len, &quoted);
    CHECK_EQ(len, strlen(text));
    CHECK(len <= (full ? SHAPE_FULL : SHAPE_CONCISE));
    CHECK(len + quoted <= SHAPE_WHOLE);
    CHECK(json_is_object(read));
    CHECK(strcmp(text, other) == 0);
    CHECK(made.truncated || strlen(whole) <= SHAPE_FULL);
    CHECK_EQ(made.truncated,
             json_array_size(json_object_get(copy, "leftOut")) > 0);
    json_decref(copy);
    json_decref(second);
    json_decref(read);
    free(text);
    free(other);
    free(whole);
}

TEST(any_answer_fits)
{
    for (int i = 0; i < 40; i++) {
        json_t *answer = json_object();

        values_left = 1000;
        for (uint32_t n = 1 + test_random(20); n > 0; n--) {
            char name[16];

            (void)snprintf(name, sizeof(name), n == 1 ? "items" : "m%u", n);
            json_object_set_new(answer, name, random_value(0));
        }
        check_copy(answer, i % 2);
        json_decref(answer);
    }
}

/* A thousand components with the longest names; a trace nested deeply. */
TEST(hostile_answers_fit)
{
    json_t *answer = json_object(), *list = json_array(), *tree, *at;
    char name[256];

    memset(name, '"', 255);
    name[255] = '\0';
    for (int i = 0; i < 1000; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:{s:f}}", "namespace", name,
                            "project", name, "component", name, "environment",
                            name, "latency", "p99", 0.123));
    json_object_set_new(answer, "items", list);
    check_copy(answer, false);
    check_copy(answer, true);
    json_decref(answer);

    tree = at = json_object();
    for (int i = 0; i < 1500; i++) {
        json_t *child =
            json_pack("{s:s, s:s}", "name", name, "spanId", "b7ad6b7169203331");

        json_object_set_new(at, "children", json_pack("[o]", child));
        at = child;
    }
    check_copy(tree, false);
    check_copy(tree, true);
    json_decref(tree);

    answer = json_object();
    list = json_object();
    for (int i = 0; i < 3000; i++) {
        char key[600];

        memset(key, 'k', sizeof(key));
        (void)snprintf(key + 580, 20, "%d", i);
        json_object_set_new(list, key, json_string(name));
    }
    json_object_set_new(answer, "attributes", list);
    check_copy(answer, false);
    check_copy(answer, true);
    json_decref(answer);
}
