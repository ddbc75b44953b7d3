/*
 * Tables of answers: every type, what is left out, lists, members in line.
 */
#include <math.h>

#include "reply_table.h"
#include "test.h"

struct inner {
    struct slice name;
    uint32_t count;
};
static const struct reply_table inner_table =
    REPLY_TABLE(struct inner, REPLY(struct inner, "name", name),
                REPLY_OPTIONAL(struct inner, "count", count));

struct pair {
    uint64_t time_ns;
    double value;
};
static const struct reply_table pair_table =
    REPLY_TABLE(struct pair, REPLY_TIME(struct pair, NULL, time_ns),
                REPLY_ROUNDED(struct pair, NULL, value));

struct outer {
    struct slice text, uid, bytes;
    const char *word;
    bool yes;
    uint32_t u32;
    uint64_t u64, time_ns;
    int64_t i64;
    double number, missing;
    struct list_time place;
    uint8_t id[4];
    struct attrs attrs;
    const struct attrs *more_attrs;
    struct inner inner;
    const struct inner *pointer, *in_line;
    struct reply_list texts, pairs;
};

static const struct reply_table outer_table = REPLY_TABLE(
    struct outer, REPLY(struct outer, "text", text),
    REPLY_UID(struct outer, "uid", uid),
    REPLY_BASE64(struct outer, "bytes", bytes),
    REPLY(struct outer, "word", word), REPLY(struct outer, "yes", yes),
    REPLY(struct outer, "u32", u32), REPLY(struct outer, "u64", u64),
    REPLY_TIME(struct outer, "time", time_ns), REPLY(struct outer, "i64", i64),
    REPLY(struct outer, "number", number),
    REPLY_NULLABLE(struct outer, "missing", missing),
    REPLY(struct outer, "place", place), REPLY(struct outer, "id", id),
    REPLY(struct outer, "attrs", attrs),
    REPLY_ATTRS(struct outer, "moreAttrs", more_attrs),
    REPLY_OBJECT(struct outer, "inner", inner, 0, &inner_table),
    REPLY_OBJECT(struct outer, "pointer", pointer, REPLY_POINTER | REPLY_NULL,
                 &inner_table),
    REPLY_INLINE(struct outer, in_line, REPLY_POINTER, &inner_table),
    REPLY_LIST(struct outer, "texts", texts, &reply_texts),
    REPLY_LIST(struct outer, "pairs", pairs, &pair_table));

static const struct reply_table optional_table = REPLY_TABLE(
    struct outer, REPLY_OPTIONAL(struct outer, "text", text),
    REPLY_UID(struct outer, "uid", uid),
    REPLY_OPTIONAL(struct outer, "word", word),
    REPLY_OPTIONAL(struct outer, "yes", yes),
    REPLY_OPTIONAL(struct outer, "u32", u32),
    REPLY_OPTIONAL(struct outer, "u64", u64),
    REPLY_OPTIONAL_TIME(struct outer, "time", time_ns),
    REPLY_OPTIONAL(struct outer, "i64", i64),
    REPLY_OPTIONAL(struct outer, "number", number),
    REPLY_OPTIONAL_ROUNDED(struct outer, "missing", missing),
    REPLY_OPTIONAL(struct outer, "place", place),
    REPLY_OPTIONAL(struct outer, "id", id),
    REPLY_OPTIONAL(struct outer, "attrs", attrs),
    REPLY_ATTRS(struct outer, "moreAttrs", more_attrs),
    REPLY_OBJECT(struct outer, "pointer", pointer, REPLY_POINTER, &inner_table),
    REPLY_INLINE(struct outer, in_line, REPLY_POINTER, &inner_table),
    REPLY_OPTIONAL_LIST(struct outer, "texts", texts, &reply_texts));

static void check_written(const struct reply_table *table, const void *fields,
                          const char *want)
{
    struct buf out;
    struct jsonw w;

    buf_init(&out, 4096);
    jsonw_init(&w, &out);
    reply_write(&w, table, fields);
    CHECK_TEXT(buf_slice(&out), want);
    buf_release(&out);
}

/* Every second word. */
static const void *word_item(void *arg, uint32_t i)
{
    static struct slice word;

    word = ((const struct slice *)arg)[i];
    return i % 2 ? NULL : &word;
}

TEST(every_type)
{
    const struct attr attr = {
        .key = "k", .key_len = 1, .type = VALUE_INT, .i = 7};
    const struct attrs attrs = {&attr, 1, 0};
    const struct slice words[] = {SLICE("a"), SLICE("left out"), SLICE("c")};
    const struct pair pairs[] = {{0, 1.006}, {1000000000, NAN}};
    const struct inner inner = {SLICE("in line"), 3};
    const struct outer outer = {
        .text = SLICE("a \"text\""),
        .uid = SLICE("9c1e0000-0000-4000-8000-000000000001"),
        .bytes = SLICE("ab"),
        .word = "word",
        .yes = true,
        .u32 = UINT32_MAX,
        .u64 = UINT64_MAX,
        .time_ns = 1500000000,
        .i64 = -5,
        .number = 0.25,
        .missing = NAN,
        .place = {.ns = 1, .number = 5, .exact = true},
        .id = {0xde, 0xad, 0xbe, 0xef},
        .attrs = attrs,
        .more_attrs = &attrs,
        .inner = {SLICE("n"), 0},
        .in_line = &inner,
        .texts = {3, NULL, word_item, (void *)(uintptr_t)words},
        .pairs = {2, pairs, NULL, NULL}};

    check_written(
        &outer_table, &outer,
        "{\"text\":\"a \\\"text\\\"\","
        "\"uid\":\"9c1e0000-0000-4000-8000-000000000001\",\"bytes\":\"YWI=\","
        "\"word\":\"word\",\"yes\":true,\"u32\":4294967295,"
        "\"u64\":18446744073709551615,\"time\":\"1970-01-01T00:00:01.5Z\","
        "\"i64\":-5,\"number\":0.25,\"missing\":null,"
        "\"place\":\"1970-01-01T00:00:00.0000000011005Z\","
        "\"id\":\"deadbeef\",\"attrs\":{\"k\":7},\"moreAttrs\":{\"k\":7},"
        "\"inner\":{\"name\":\"n\"},\"pointer\":null,\"name\":\"in line\","
        "\"count\":3,\"texts\":[\"a\",\"c\"],"
        "\"pairs\":[[\"1970-01-01T00:00:00Z\",1.01],"
        "[\"1970-01-01T00:00:01Z\",null]]}");
}

TEST(optional_members_are_left_out)
{
    const struct outer empty = {.word = NULL};
    const struct outer not_a_uid = {.uid = SLICE("uid"), .missing = NAN};

    check_written(&optional_table, &empty, "{}");
    check_written(&optional_table, &not_a_uid, "{}");
}

TEST(optional_members_are_shown)
{
    const struct outer outer = {.text = SLICE("t"),
                                .word = "w",
                                .yes = true,
                                .u32 = 1,
                                .u64 = 1,
                                .time_ns = 1000000000,
                                .i64 = -1,
                                .number = -1,
                                .missing = 2,
                                .place = {.ns = 1000000000},
                                .id = {0, 0, 0, 1}};

    check_written(&optional_table, &outer,
                  "{\"text\":\"t\",\"word\":\"w\",\"yes\":true,\"u32\":1,"
                  "\"u64\":1,\"time\":\"1970-01-01T00:00:01Z\",\"i64\":-1,"
                  "\"number\":-1,\"missing\":2,"
                  "\"place\":\"1970-01-01T00:00:01Z\",\"id\":\"00000001\"}");
}
