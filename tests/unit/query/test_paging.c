/* Timestamps that identify a record, cursors, and how clients return them. */
#include "fake_query.h"

#define LOGS  "/api/v1/logs/query"
#define SCOPE "\"searchScope\":{\"namespace\":\"acme\"}"
#define START "\"startTime\":\"2026-08-21T08:00:00Z\""
#define END   "\"endTime\":\"2026-08-21T09:00:00Z\""
#define T0    (UINT64_C(1787299200) * NS_PER_S) /* 2026-08-21T08:00:00Z */

static struct bed bed;
static struct log_record logs[8];

/* Records as the store hands them out, one a time and number. */
static void put(uint64_t time_ns, uint64_t arrival)
{
    static const struct attr body = {
        .key = "", .type = VALUE_STRING, .str = "x", .len = 1};

    bed.store->logs = logs;
    logs[bed.store->log_count++] =
        (struct log_record){.time_ns = time_ns,
                            .arrival = arrival,
                            .body = body,
                            .resource_id = bed_resource(&bed, "shop", "cart")};
}

static json_t *ask(const char *members)
{
    char body[1024];

    snprintf(body, sizeof(body), "{" SCOPE ",%s}", members);
    return bed_ask(&bed, "POST", LOGS, body);
}

static uint64_t number_of(const struct list_position *place)
{
    uint64_t number = 0;

    for (int i = 0; i < POSITION_NUMBER; i++)
        number = number << 8 | place->key[i];
    return number;
}

TEST(times_have_more_digits_only_where_they_are_needed)
{
    json_t *answer;

    bed_init(&bed);
    put(T0 + 5, 7);
    put(T0 + 4, 1234567);
    put(T0 + 4, 999);
    put(T0 + 3, UINT64_MAX);
    put(T0 + 2, 0);
    answer = ask(START "," END ",\"limit\":5");
    CHECK_TEXT(bed_at(answer, "logs.0.timestamp"),
               "2026-08-21T08:00:00.000000005Z");
    CHECK_TEXT(bed_at(answer, "logs.1.timestamp"),
               "2026-08-21T08:00:00.0000000043001234567Z");
    CHECK_TEXT(bed_at(answer, "logs.2.timestamp"),
               "2026-08-21T08:00:00.0000000041999Z");
    CHECK_TEXT(bed_at(answer, "logs.3.timestamp"),
               "2026-08-21T08:00:00.000000003Z");
    CHECK_TEXT(bed_at(answer, "logs.4.timestamp"),
               "2026-08-21T08:00:00.000000002Z");
    CHECK_TEXT(bed_at(answer, "nextCursor"), "");
    json_decref(answer);
    /* The last one shares its time with one on the next page. */
    answer = ask(START "," END ",\"limit\":2");
    CHECK_TEXT(bed_at(answer, "logs.1.timestamp"),
               "2026-08-21T08:00:00.0000000043001234567Z");
    CHECK_TEXT(bed_at(answer, "logs.2.timestamp"), "");
    json_decref(answer);
    /* Oldest first, the last one comes back as a startTime. */
    answer = ask(START "," END ",\"limit\":4,\"sortOrder\":\"asc\"");
    CHECK_TEXT(bed_at(answer, "logs.3.timestamp"),
               "2026-08-21T08:00:00.0000000037018446744073709551615Z");
    json_decref(answer);
    bed_release(&bed);
}

TEST(a_time_comes_back_as_the_place_of_its_record)
{
    bed_init(&bed);
    json_decref(
        ask("\"startTime\":\"2026-08-21T08:00:00.0000000041999Z\"," END));
    CHECK_EQ(bed.status, 200);
    CHECK(bed.store->log_query.start_ns == T0 + 4);
    CHECK(bed.store->after.time_ns == T0 + 4 &&
          number_of(&bed.store->after) == 999);
    CHECK_EQ(bed.store->before.key_len, 0);
    json_decref(
        ask(START ",\"endTime\":\"2026-08-21T08:00:00.0000000043001234567Z\""));
    CHECK(bed.store->log_query.end_ns == T0 + 5);
    CHECK(bed.store->before.time_ns == T0 + 4 &&
          number_of(&bed.store->before) == 1234567);
    CHECK_EQ(bed.store->after.key_len, 0);
    bed_release(&bed);
}

/* Somebody else's picoseconds: between two nanoseconds. */
TEST(other_digits_are_a_time_like_any_other)
{
    static const char *const other[] = {
        "5", "12", "199", "0001", "12345", "7018446744073709551616"};

    bed_init(&bed);
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        char members[256];

        snprintf(members, sizeof(members),
                 "\"startTime\":\"2026-08-21T08:00:00.000000004%sZ\","
                 "\"endTime\":\"2026-08-21T08:00:00.000000009%sZ\"",
                 other[i], other[i]);
        json_decref(ask(members));
        CHECK_EQ(bed.status, 200);
        CHECK(bed.store->log_query.start_ns == T0 + 5);
        CHECK(bed.store->log_query.end_ns == T0 + 10);
        CHECK(bed.store->after.key_len == 0 && bed.store->before.key_len == 0);
    }
    json_decref(
        ask("\"startTime\":\"2026-08-21T08:00:00.000000004000Z\"," END));
    CHECK(bed.store->log_query.start_ns == T0 + 4);
    bed_release(&bed);
}

static void copy_text(char to[80], struct slice text)
{
    CHECK(text.len < 80);
    memcpy(to, text.len ? text.ptr : "", text.len);
    to[text.len] = '\0';
}

TEST(a_cursor_goes_on_behind_the_last_record)
{
    char cursor[80], members[256];
    json_t *answer;

    bed_init(&bed);
    put(T0 + 5, 7);
    put(T0 + 4, 77);
    put(T0 + 3, 6);
    for (int asc = 0; asc < 2; asc++) {
        const char *order = asc ? "asc" : "desc";

        snprintf(members, sizeof(members),
                 START "," END ",\"limit\":2,\"sortOrder\":\"%s\"", order);
        answer = ask(members);
        copy_text(cursor, bed_at(answer, "nextCursor"));
        json_decref(answer);
        CHECK_EQ(strlen(cursor), 62);
        snprintf(members, sizeof(members),
                 START "," END ",\"sortOrder\":\"%s\",\"cursor\":\"%s\"", order,
                 cursor);
        json_decref(ask(members));
        CHECK_EQ(bed.status, 200);
        const struct list_position *there =
            asc ? &bed.store->after : &bed.store->before;
        CHECK(there->time_ns == T0 + 4 && number_of(there) == 77);
        CHECK_EQ((asc ? bed.store->before : bed.store->after).key_len, 0);
    }
    bed_release(&bed);
}

static void refuses(const char *members, const char *message)
{
    json_t *answer = ask(members);

    CHECK_EQ(bed.status, 400);
    CHECK_TEXT(bed_at(answer, "message"), message);
    json_decref(answer);
}

TEST(a_cursor_from_elsewhere_is_refused)
{
    static const char wrong[] =
        "cursor must be the nextCursor of an answer from"
        " this path; leave it out for the first page";
    char cursor[80], members[256];
    json_t *answer;

    bed_init(&bed);
    put(T0 + 5, 7);
    put(T0 + 4, 77);
    answer = ask(START "," END ",\"limit\":1");
    copy_text(cursor, bed_at(answer, "nextCursor"));
    json_decref(answer);
    refuses(START "," END ",\"cursor\":\"zz\"", wrong);
    refuses(START "," END ",\"cursor\":7", "cursor must be a string");
    for (size_t i = 0; i < strlen(cursor); i++) { /* any digit changed */
        char was = cursor[i];

        cursor[i] = was == '0' ? '1' : '0';
        snprintf(members, sizeof(members), START "," END ",\"cursor\":\"%s\"",
                 cursor);
        refuses(members, wrong);
        cursor[i] = was;
    }
    snprintf(members, sizeof(members),
             START "," END ",\"sortOrder\":\"asc\",\"cursor\":\"%s\"", cursor);
    refuses(members, "cursor belongs to sortOrder desc; use that, or leave "
                     "the cursor out for the first page");
    snprintf(members, sizeof(members),
             "{" SCOPE "," START "," END ",\"cursor\":\"%s\"}", cursor);
    json_decref(bed_ask(&bed, "POST", "/api/v1/events/query", members));
    CHECK_EQ(bed.status, 400);
    bed_release(&bed);
}
