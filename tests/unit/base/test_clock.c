#include "clock.h"

#include <stdio.h>
#include <time.h>

#include "test.h"

static uint64_t parsed(const char *text)
{
    uint64_t ns = 42;

    if (!test_check(clock_parse_rfc3339(slice_of(text), &ns), text, __FILE__,
                    __LINE__))
        return 0;
    return ns;
}

TEST(times_known_by_heart)
{
    CHECK_EQ(parsed("1970-01-01T00:00:00Z"), 0);
    CHECK_EQ(parsed("2001-09-09T01:46:40Z"), 1000000000 * NS_PER_S);
    CHECK_EQ(parsed("2001-09-09T01:46:40.5Z"), 10000000005 * NS_PER_S / 10);
    CHECK_EQ(parsed("2001-09-09T01:46:40.000000001z"),
             1000000000 * NS_PER_S + 1);
    CHECK_EQ(parsed("2001-09-09t03:46:40+02:00"), 1000000000 * NS_PER_S);
    CHECK_EQ(parsed("2001-09-08T20:16:40-05:30"), 1000000000 * NS_PER_S);
    CHECK_EQ(parsed("2024-02-29T00:00:00Z"), 1709164800 * NS_PER_S);
    CHECK_EQ(parsed("2000-02-29T12:00:00Z"), 951825600 * NS_PER_S);
    CHECK_EQ(parsed("1969-12-31T23:00:00-01:00"), 0);
    CHECK(parsed("2554-07-21T23:34:33.709551615Z") == UINT64_MAX);
}

TEST(digits_behind_the_ninth_are_given_apart)
{
    struct slice further;
    uint64_t ns;

    CHECK(clock_parse_digits(slice_of("1970-01-01T00:00:00.12345678901230Z"),
                             &ns, &further));
    CHECK_EQ(ns, 123456789);
    CHECK(slice_equal(further, SLICE("01230")));
    CHECK(clock_parse_digits(slice_of("1970-01-01T00:00:00.123456789Z"), &ns,
                             &further));
    CHECK_EQ(further.len, 0);
    CHECK_EQ(parsed("1970-01-01T01:00:00.0000000019999999999999999+01:00"), 1);
}

TEST(anything_else_is_refused)
{
    static const char *const bad[] = {
        "",
        "now",
        "2024-01-01",
        "2024-01-01T00:00:00",
        "2024-01-01 00:00:00Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00,5Z",
        "2024-01-01T00:00:00Zx",
        " 2024-01-01T00:00:00Z",
        "2024-01-01T00:00:00Z ",
        "2024-01-01T00:00Z",
        "2024-1-01T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z",
        "2024-01-00T00:00:00Z",
        "2024-01-32T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2024-04-31T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:60Z",
        "2024-01-01T00:00:00+0100",
        "2024-01-01T00:00:00+01",
        "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00+01:60",
        "2024-01-01T00:00:00+01:00Z",
        "+024-01-01T00:00:00Z",
        "2024-01-01T0 :00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "2554-07-21T23:34:33.709551616Z",
        "2554-07-21T23:34:34Z",
        "9999-12-31T23:59:59Z",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        uint64_t ns = 42;

        test_check(!clock_parse_rfc3339(slice_of(bad[i]), &ns), bad[i],
                   __FILE__, __LINE__);
        CHECK_EQ(ns, 42);
    }
}

/* Against the C library, over all of the range. */
TEST(agrees_with_libc)
{
    for (int i = 0; i < 50000; i++) {
        uint64_t ns = test_random64();
        time_t seconds = (time_t)(ns / NS_PER_S);
        char want[CLOCK_TEXT], got[CLOCK_TEXT];
        struct tm tm;

        ns -= ns % NS_PER_S;
        gmtime_r(&seconds, &tm);
        strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm);
        CHECK_EQ(clock_format_rfc3339(got, ns), strlen(want));
        CHECK_TEXT(slice_of(got), want);
        CHECK_EQ(parsed(want), ns);
    }
}

TEST(every_day_of_three_leap_cycles)
{
    char text[CLOCK_TEXT];

    for (uint64_t day = 0; day < 365 * 500; day++) {
        clock_format_rfc3339(text, day * NS_PER_DAY);
        if (!CHECK_EQ(parsed(text), day * NS_PER_DAY))
            return;
    }
}

TEST(fractions_have_no_zeros_at_the_end)
{
    char text[CLOCK_TEXT];
    uint64_t base = 1700000000 * NS_PER_S;

    clock_format_rfc3339(text, base);
    CHECK_TEXT(slice_of(text), "2023-11-14T22:13:20Z");
    clock_format_rfc3339(text, base + 120 * NS_PER_MS);
    CHECK_TEXT(slice_of(text), "2023-11-14T22:13:20.12Z");
    clock_format_rfc3339(text, base + 1);
    CHECK_TEXT(slice_of(text), "2023-11-14T22:13:20.000000001Z");
    for (int i = 0; i < 10000; i++) {
        uint64_t ns = test_random64();

        clock_format_rfc3339(text, ns);
        CHECK_EQ(parsed(text), ns);
    }
}

static uint64_t duration(const char *text)
{
    uint64_t ns = 42;

    test_check(clock_parse_duration(slice_of(text), &ns), text, __FILE__,
               __LINE__);
    return ns;
}

TEST(durations)
{
    CHECK_EQ(duration("0"), 0);
    CHECK_EQ(duration("0s"), 0);
    CHECK_EQ(duration("15s"), 15 * NS_PER_S);
    CHECK_EQ(duration("1m30s"), 90 * NS_PER_S);
    CHECK_EQ(duration("250ms"), 250 * NS_PER_MS);
    CHECK_EQ(duration("1h2m3s4ms5us6ns"), 3723004005006);
    CHECK_EQ(duration("1.5h"), 90 * NS_PER_MIN);
    CHECK_EQ(duration(".5s"), 500 * NS_PER_MS);
    CHECK_EQ(duration("1.s"), NS_PER_S);
    CHECK_EQ(duration("0.0000000001h"), 0);
    CHECK_EQ(duration("7\xc2\xb5s"), 7 * NS_PER_US);
    CHECK_EQ(duration("7\xce\xbcs"), 7 * NS_PER_US);
    CHECK_EQ(duration("168h"), 7 * NS_PER_DAY);
    CHECK_EQ(duration("1s1s"), 2 * NS_PER_S);
}

TEST(durations_of_options_have_days)
{
    uint64_t ns = 42;

    CHECK(clock_parse_duration_days(SLICE("7d"), &ns) && ns == 7 * NS_PER_DAY);
    CHECK(clock_parse_duration_days(SLICE("1d1.5h"), &ns) &&
          ns == NS_PER_DAY + 90 * NS_PER_MIN);
    CHECK(!clock_parse_duration_days(SLICE("1w"), &ns));
    CHECK(clock_parse_duration_years(SLICE("1y2w3d4h"), &ns) &&
          ns == 382 * NS_PER_DAY + 4 * NS_PER_HOUR);
    CHECK(!clock_parse_duration_years(SLICE("600y"), &ns));
    CHECK(!clock_parse_duration_days(SLICE("d"), &ns));
}

TEST(durations_that_are_none)
{
    static const char *const bad[] = {"",
                                      "s",
                                      "15",
                                      ".",
                                      ".s",
                                      "1.5",
                                      "-1s",
                                      "1 s",
                                      "1sec",
                                      "1d",
                                      "1s ",
                                      "s1",
                                      "1..5s",
                                      "1m2",
                                      "0x1s",
                                      "1S",
                                      "1s 2s",
                                      "99999999999999999999s",
                                      "9999999999h",
                                      "5124094h5124094h",
                                      "18446744073709551617s",
                                      "+"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        uint64_t ns = 42;

        test_check(!clock_parse_duration(slice_of(bad[i]), &ns), bad[i],
                   __FILE__, __LINE__);
        CHECK_EQ(ns, 42);
    }
}

TEST(clocks_go_forward)
{
    uint64_t before = clock_monotonic_ns();

    CHECK(clock_monotonic_ns() >= before);
    CHECK(clock_wall_ns() > parsed("2024-01-01T00:00:00Z"));
}

static const uint64_t noon = 1796040000 * NS_PER_S; /* 2026-11-30T12:00:00Z */

TEST(times_as_people_write_them)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } rows[] = {
        {"now", noon},
        {"now-30m", noon - 30 * NS_PER_MIN},
        {"now-1h-30m", noon - 90 * NS_PER_MIN},
        {"now+5m", noon + 5 * NS_PER_MIN},
        {"now/d", noon - 12 * NS_PER_HOUR},
        {"now-1d/d", noon - 36 * NS_PER_HOUR},
        {"30m", noon - 30 * NS_PER_MIN},
        {"-30m", noon - 30 * NS_PER_MIN},
        {"1h30m", noon - 90 * NS_PER_MIN},
        {"2d", noon - 2 * NS_PER_DAY},
        {"3h ago", noon - 3 * NS_PER_HOUR},
        {"2026-11-30T12:00:00Z", noon},
        {"2026-11-30T14:00:00+02:00", noon},
        {"2026-11-30T12:00:00", noon},
        {"2026-11-30 12:00:00", noon},
        {"2026-11-30 12:00:00.5Z", noon + NS_PER_S / 2},
        {"2026-11-30", noon - 12 * NS_PER_HOUR},
        {"1796040000", noon},
        {"1796040000.25", noon + NS_PER_S / 4},
        {"1796040000123", noon + 123 * NS_PER_MS},
        {"1796040000123456", noon + 123456 * NS_PER_US},
        {"1796040000123456789", noon + 123456789},
        {"0", 0},
    };
    static const char *bad[] = {
        "",
        "-",
        "yesterday",
        "now-",
        "now-3",
        "now-3x",
        "now/",
        "now/x",
        "nowish",
        "3h agoo",
        "1.2.3",
        "2026-13-01",
        "2026-11-30T25:00:00Z",
        "999999999999999999999",
        "now-999999999d",
        "ago",
        "2026-11-30T12:00:00ZZ",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint64_t ns = 42;

        CHECK(clock_parse_time(slice_of(rows[i].text), noon, &ns));
        test_check(ns == rows[i].ns, rows[i].text, __FILE__, __LINE__);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        uint64_t ns = 42;

        test_check(!clock_parse_time(slice_of(bad[i]), noon, &ns) && ns == 42,
                   bad[i], __FILE__, __LINE__);
    }
}

TEST(ages_have_their_largest_units)
{
    static const struct {
        uint64_t ns;
        const char *text;
    } rows[] = {
        {0, "0s"},
        {NS_PER_S - 1, "0s"},
        {45 * NS_PER_S, "45s"},
        {200 * NS_PER_S, "3m20s"},
        {3 * NS_PER_MIN, "3m"},
        {59 * NS_PER_MIN + 59 * NS_PER_S, "59m"},
        {90 * NS_PER_MIN, "1h30m"},
        {26 * NS_PER_HOUR, "1d2h"},
        {400 * NS_PER_DAY, "400d"},
        {UINT64_MAX, "213503d"},
    };
    char text[CLOCK_TEXT];

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        size_t len = clock_format_age(text, rows[i].ns);

        CHECK_TEXT(((struct slice){text, len}), rows[i].text);
    }
}

/* 1732900000.781 s are 1732900000780.9999 ms as a double. */
TEST(seconds_are_rounded_to_milliseconds)
{
    char text[CLOCK_TEXT];

    for (uint64_t ms = 0; ms < 1000; ms++) {
        uint64_t ns = 0, at = UINT64_C(1732900000000) + ms;
        size_t len = clock_format_seconds(text, (double)at / 1000);

        CHECK(clock_parse_rfc3339((struct slice){text, len}, &ns));
        CHECK_EQ(ns, at * NS_PER_MS);
    }
    CHECK_EQ(clock_format_seconds(text, -1), 0);
    CHECK_EQ(clock_format_seconds(text, 1e10), 0);
    CHECK_EQ(clock_format_seconds(text, 0.0 / 0.0), 0);
    CHECK_EQ(clock_format_seconds(text, 0), 20);
}
