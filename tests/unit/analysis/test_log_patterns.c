/* Log records by pattern: from the series, and from the lines of a search. */
#include "derived.h"
#include "fake_query.h"
#include "hex.h"
#include "template.h"

#define T0 (UINT64_C(1787299200) * NS_PER_S) /* 2026-08-21T08:00:00Z */
#define PATH                                                               \
    "/api/v1/logs/patterns?namespace=acme&startTime=2026-08-21T09:00:00Z&" \
    "endTime=2026-08-21T10:00:00Z"

static struct bed bed;
static struct point points[64];
static struct log_record logs[64];
static const struct metric records = {
    .name = {DERIVED_LOGS, sizeof(DERIVED_LOGS) - 1},
    .type = METRIC_SUM,
    .temporality = DELTA};

static const char *id_of(const char *line)
{
    struct template_split split;
    uint8_t bytes[8];
    char *text = arena_zero(&bed.arena, 1, 17);

    template_split(slice_of(line), &split);
    list_number(bytes, hash_bytes(split.text, split.len, 0));
    hex_write(text, bytes, 8);
    return text;
}

/* `count` records of the pattern of this line in a minute. */
static void count_line(uint32_t resource, const char *line, const char *shown,
                       const char *level, uint32_t minute, int64_t count)
{
    struct attr *at = arena_zero(&bed.arena, 3, sizeof(*at));

    at[0] = bed_attr(DERIVED_TEMPLATE, shown);
    at[1] = bed_attr(DERIVED_TEMPLATE_ID, id_of(line));
    at[2] = bed_attr(DERIVED_LEVEL, level);
    points[bed.store->point_count++] =
        (struct point){.metric = &records,
                       .start_ns = T0 + minute * NS_PER_MIN,
                       .time_ns = T0 + (minute + 1) * NS_PER_MIN,
                       .resource_id = resource,
                       .attrs = {at, 3, 0},
                       .is_int = true,
                       .i = count};
    bed.store->points = points;
}

static void add_line(uint32_t resource, uint32_t minute, uint8_t level,
                     const char *line)
{
    logs[bed.store->log_count++] =
        (struct log_record){.time_ns = T0 + minute * NS_PER_MIN,
                            .resource_id = resource,
                            .level = level,
                            .trace_id = {1, 2, 3},
                            .body = bed_attr("", line)};
    bed.store->logs = logs;
}

TEST(without_a_search_the_series_count)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t cart = bed_resource(&bed, "shop", "cart"),
             web = bed_resource(&bed, "shop", "web");
    count_line(cart, "user 1 came", "user <*> came", "INFO", 70, 30);
    count_line(web, "user 1 came", "user <*> came", "INFO", 75, 5);
    count_line(cart, "user 1 came", "user <*> came", "INFO", 30, 7);
    count_line(cart, "it failed", "it failed", "ERROR", 80, 15);
    add_line(cart, 80, LEVEL_ERROR, "it failed");
    add_line(cart, 75, LEVEL_INFO, "user 17 came");
    answer = bed_ask(&bed, "GET", PATH, NULL);
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "total"), "50");
    CHECK_TEXT(bed_at(answer, "truncated"), "false");
    CHECK_TEXT(bed_at(answer, "levels.INFO"), "35");
    CHECK_TEXT(bed_at(answer, "levels.ERROR"), "15");
    CHECK_TEXT(bed_at(answer, "patternCount"), "2");
    CHECK_TEXT(bed_at(answer, "patterns.0.template"), "user <*> came");
    CHECK_TEXT(bed_at(answer, "patterns.0.count"), "35");
    CHECK_TEXT(bed_at(answer, "patterns.0.share"), "0.7");
    CHECK_TEXT(bed_at(answer, "patterns.0.countBefore"), "7");
    CHECK_TEXT(bed_at(answer, "patterns.0.new"), "false");
    CHECK_TEXT(bed_at(answer, "patterns.0.componentCount"), "2");
    CHECK_TEXT(bed_at(answer, "patterns.0.example.log"), "user 17 came");
    CHECK_TEXT(bed_at(answer, "patterns.1.new"), "true");
    CHECK_TEXT(bed_at(answer, "patterns.1.firstSeen"), "2026-08-21T09:20:00Z");
    CHECK_TEXT(bed_at(answer, "histogram.bars.2.ERROR"), "15");
    json_decref(answer);
    answer = bed_ask(&bed, "GET", PATH "&logLevels=ERROR", NULL);
    CHECK_TEXT(bed_at(answer, "total"), "15");
    CHECK_TEXT(bed_at(answer, "patternCount"), "1");
    json_decref(answer);
    bed_release(&bed);
}

TEST(a_search_counts_the_lines_that_match)
{
    json_t *answer;

    bed_init(&bed);
    uint32_t cart = bed_resource(&bed, "shop", "cart");
    count_line(cart, "order 1 of bob", "order <*> of bob", "INFO", 70, 900);
    count_line(cart, "order 1 of bob", "order <*> of bob", "INFO", 30, 9);
    for (uint32_t i = 0; i < 6; i++) {
        char *text = arena_zero(&bed.arena, 1, 32);

        snprintf(text, 32, "order %u of %s", i, i < 4 ? "bob" : "eve");
        add_line(cart, 70 + i, i < 5 ? LEVEL_INFO : LEVEL_TRACE, text);
    }
    answer = bed_ask(&bed, "GET", PATH "&searchPhrase=order", NULL);
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "total"), "6");
    CHECK_TEXT(bed_at(answer, "examined"), "6");
    CHECK_TEXT(bed_at(answer, "patternCount"), "3"); /* eve in two levels */
    CHECK_TEXT(bed_at(answer, "patterns.0.template"), "order <*> of bob");
    CHECK_TEXT(bed_at(answer, "patterns.0.templateId"),
               id_of("order 1 of bob"));
    CHECK_TEXT(bed_at(answer, "patterns.0.count"), "4");
    CHECK_TEXT(bed_at(answer, "patterns.0.countBefore"), "9");
    CHECK_TEXT(bed_at(answer, "levels.DEBUG"), "1");
    CHECK_TEXT(bed_at(answer, "patterns.0.example.traceId"),
               "01020300000000000000000000000000");
    json_decref(answer);
    bed_release(&bed);
}

TEST(ids_without_digits_join_those_with)
{
    static const char *const lines[] = {
        "session beef opened", "session 4be1 opened", "session cafe opened",
        "session data opened"};
    json_t *answer;

    bed_init(&bed);
    uint32_t cart = bed_resource(&bed, "shop", "cart");
    for (uint32_t i = 0; i < 4; i++)
        add_line(cart, 80 - i, LEVEL_INFO, lines[i]);
    answer = bed_ask(&bed, "GET", PATH "&searchPhrase=session", NULL);
    CHECK_TEXT(bed_at(answer, "total"), "4");
    CHECK_TEXT(bed_at(answer, "patternCount"), "2");
    CHECK_TEXT(bed_at(answer, "patterns.0.template"), "session <*> opened");
    CHECK_TEXT(bed_at(answer, "patterns.0.count"), "3");
    CHECK_TEXT(bed_at(answer, "patterns.0.lastSeen"), "2026-08-21T09:20:00Z");
    CHECK_TEXT(bed_at(answer, "patterns.0.firstSeen"), "2026-08-21T09:18:00Z");
    json_decref(answer);
    bed_release(&bed);
}

TEST(what_is_wrong_is_said)
{
    json_t *answer;

    bed_init(&bed);
    bed_resource(&bed, "shop", "cart");
    for (int i = 0; i < 4; i++) {
        static const char *const paths[] = {PATH "&logLevels=LOUD",
                                            PATH "&traceId=12", PATH "&limit=0",
                                            PATH "&examples=101"};

        json_decref(bed_ask(&bed, "GET", paths[i], NULL));
        CHECK_EQ(bed.status, 400);
    }
    answer = bed_ask(&bed, "GET", PATH "&project=shop&component=cat", NULL);
    CHECK_TEXT(bed_at(answer, "empty.reason"), "unknown");
    CHECK_TEXT(bed_at(answer, "empty.similar.0"), "cart");
    json_decref(answer);
    bed_release(&bed);
}
