#include "loglevel.h"

#include "correlate_kit.h"

static enum level of_body(const char *body)
{
    struct log_record log = {.body = {.str = body,
                                      .len = (uint32_t)strlen(body),
                                      .type = VALUE_STRING}};

    return loglevel_of(&log);
}

TEST(the_number_counts_first)
{
    struct log_record log = {.severity_text = SLICE("ERROR")};

    for (uint8_t n = 1; n <= 24; n++) {
        log.severity = n;
        CHECK_EQ(loglevel_of(&log), (n - 1) / 4 + 1);
    }
    log.severity = 0;
    CHECK_EQ(loglevel_of(&log), LEVEL_ERROR);
    log.severity = 25;
    CHECK_EQ(loglevel_of(&log), LEVEL_ERROR);
}

TEST(severity_texts)
{
    static const struct {
        const char *text;
        enum level level;
    } rows[] = {
        {"trace", LEVEL_TRACE},      {"Debug", LEVEL_DEBUG},
        {"VERBOSE", LEVEL_DEBUG},    {"info", LEVEL_INFO},
        {"Information", LEVEL_INFO}, {"notice", LEVEL_INFO},
        {"WARN", LEVEL_WARN},        {"warning", LEVEL_WARN},
        {"err", LEVEL_ERROR},        {"Error", LEVEL_ERROR},
        {"critical", LEVEL_ERROR},   {"alert", LEVEL_ERROR},
        {"fatal", LEVEL_FATAL},      {"panic", LEVEL_FATAL},
        {"emerg", LEVEL_FATAL},      {"INFO2", LEVEL_INFO},
        {"E", LEVEL_ERROR},          {"banana", LEVEL_UNSET},
        {"", LEVEL_UNSET},           {"42", LEVEL_UNSET},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        CHECK_EQ(loglevel_of_word(slice_of(rows[i].text)), rows[i].level);
}

TEST(declared_in_the_line)
{
    CHECK_EQ(of_body("ts=1 level=error msg=\"info\""), LEVEL_ERROR);
    CHECK_EQ(of_body("INFO starting, level=warn"), LEVEL_WARN);
    CHECK_EQ(of_body("{\"level\":\"warn\",\"msg\":\"error\"}"), LEVEL_WARN);
    CHECK_EQ(of_body("{\"severity\": \"DEBUG\"}"), LEVEL_DEBUG);
    CHECK_EQ(of_body("{\\\"level\\\":\\\"fatal\\\"}"), LEVEL_FATAL);
    CHECK_EQ(of_body("{\"level\":50,\"msg\":\"x\"}"), LEVEL_ERROR);
    CHECK_EQ(of_body("level=7 error"), LEVEL_ERROR);
    CHECK_EQ(of_body("lvl=eror"), LEVEL_INFO);
    CHECK_EQ(of_body("level"), LEVEL_INFO);
    CHECK_EQ(of_body("level="), LEVEL_INFO);
}

TEST(klog_lines)
{
    CHECK_EQ(of_body("E0821 08:12:03.1 1 x.go:1] info"), LEVEL_ERROR);
    CHECK_EQ(of_body("W0821 x"), LEVEL_WARN);
    CHECK_EQ(of_body("F0821 x"), LEVEL_FATAL);
    CHECK_EQ(of_body("E082 error"), LEVEL_ERROR);
    CHECK_EQ(of_body("E082 x"), LEVEL_INFO);
}

TEST(bare_keywords)
{
    CHECK_EQ(of_body("2026-01-01 ERROR something"), LEVEL_ERROR);
    CHECK_EQ(of_body("[warn] something ERROR"), LEVEL_WARN);
    CHECK_EQ(of_body("SEVERE: x"), LEVEL_FATAL);
    CHECK_EQ(of_body("the informant had no terrors"), LEVEL_INFO);
    CHECK_EQ(of_body("no trace of it"), LEVEL_INFO);
    CHECK_EQ(of_body("TRACE of it"), LEVEL_TRACE);
    CHECK_EQ(of_body(""), LEVEL_INFO);
}

TEST(only_the_beginning_is_looked_at)
{
    char line[1000];

    memset(line, '.', sizeof(line));
    memcpy(line + 900, " ERROR ", 8);
    CHECK_EQ(of_body(line), LEVEL_INFO);
}

TEST(maps)
{
    struct arena arena;
    struct log_record log = {.body = {.type = VALUE_MAP}};

    arena_init(&arena, NULL, SIZE_MAX);
    struct attrs members = kit_attrs(&arena, "msg=ERROR,level=warn");
    log.body.items = members.at;
    log.body.len = members.count;
    CHECK_EQ(loglevel_of(&log), LEVEL_WARN);
    members = kit_attrs(&arena, "level=#50");
    log.body.items = members.at;
    log.body.len = members.count;
    CHECK_EQ(loglevel_of(&log), LEVEL_ERROR);
    arena_release(&arena);
}
