/* Times and durations as Prometheus reads them; its own answers to these texts
 * were looked at. */
#include "api.h"

#include "test.h"

#define YEAR_MS (INT64_C(365) * 86400 * 1000)

static int64_t time_of(const char *text)
{
    int64_t ms = -12345;

    return api_parse_time(slice_of(text), &ms) ? ms : -12345;
}

TEST(times)
{
    CHECK_EQ(time_of("0"), 0);
    CHECK_EQ(time_of("1795253952"), INT64_C(1795253952000));
    CHECK_EQ(time_of("1795253952.1"), INT64_C(1795253952100));
    CHECK_EQ(time_of("1435781451.781"), INT64_C(1435781451781));
    CHECK_EQ(time_of("1.23456"), 1235);
    CHECK_EQ(time_of("-1.5"), -1500);
    CHECK_EQ(time_of("+1"), 1000);
    CHECK_EQ(time_of("1e3"), 1000000);
    CHECK_EQ(time_of(".5"), 500);
    CHECK_EQ(time_of("2015-07-01T20:10:51.781Z"), INT64_C(1435781451781));
    CHECK_EQ(time_of("2020-01-01T00:00:00+02:00"), INT64_C(1577829600000));
    CHECK_EQ(time_of("1970-01-01T00:00:00Z"), 0);
    CHECK_EQ(time_of("1969-12-31T23:59:59Z"), -1000);
    CHECK_EQ(time_of("1969-12-31T23:59:59.25Z"), -750);
    CHECK_EQ(time_of("2201-01-01T00:00:00Z") - time_of("2200-01-01T00:00:00Z"),
             YEAR_MS);
    CHECK_EQ(time_of("1701-01-01T00:00:00Z") - time_of("1700-01-01T00:00:00Z"),
             YEAR_MS);
}

/* Beyond what int64_t holds in nanoseconds there is nothing. */
TEST(far_times)
{
    int64_t last = INT64_MAX / 1000000;

    CHECK_EQ(time_of("1e300"), last);
    CHECK_EQ(time_of("-1e300"), -last);
    CHECK_EQ(time_of("Inf"), last);
    CHECK_EQ(time_of("-inf"), -last);
    CHECK_EQ(time_of("-292273086-05-16T16:47:06Z"), -last);
    CHECK_EQ(time_of("292277025-08-18T07:12:54.999999999Z"), last);
    CHECK_EQ(time_of("0001-01-01T00:00:00Z"), -last);
    CHECK_EQ(time_of("9999-12-31T23:59:59Z"), last);
}

TEST(no_times)
{
    static const char *const texts[] = {"",
                                        " 1",
                                        "1 ",
                                        "abc",
                                        "0x10",
                                        "1,5",
                                        "--1",
                                        "1e",
                                        "NaN",
                                        "nan",
                                        "1s",
                                        "now",
                                        "2015-07-01",
                                        "2015-07-01T20:10:51",
                                        "2015-07-01 20:10:51Z",
                                        "2015-07-01t20:10:51z",
                                        "2015-13-01T00:00:00Z",
                                        "201x-01-01T00:00:00Z",
                                        "nan(1)",
                                        "infinit",
                                        "i",
                                        "-"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (!CHECK_EQ(time_of(texts[i]), -12345))
            test_check(false, texts[i], __FILE__, __LINE__);
}

static int64_t duration_of(const char *text)
{
    int64_t ms = -12345;

    return api_parse_duration(slice_of(text), &ms) ? -12345 : ms;
}

TEST(durations)
{
    CHECK_EQ(duration_of("15"), 15000);
    CHECK_EQ(duration_of("1.5"), 1500);
    CHECK_EQ(duration_of("0.001"), 1);
    CHECK_EQ(duration_of("-1"), -1000);
    CHECK_EQ(duration_of("0"), 0);
    CHECK_EQ(duration_of("15s"), 15000);
    CHECK_EQ(duration_of("5ms"), 5);
    CHECK_EQ(duration_of("1m30s"), 90000);
    CHECK_EQ(duration_of("1m5ms"), 60005);
    CHECK_EQ(duration_of("1y2w3d4h5m6s7ms"),
             INT64_C(31536000000) + 14 * 86400000 + 3 * 86400000 + 4 * 3600000 +
                 5 * 60000 + 6007);
    CHECK_EQ(duration_of("0s"), 0);
}

TEST(no_durations)
{
    static const char *const texts[] = {
        "",     "abc", "s",    "1h1d",
        "1s1s", "-1m", "1.5s", "1 m",
        "1m ",  "1mm", "NaN",  "1e20",
        "Inf",  "0x1", "1x",   "99999999999999999y"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (!CHECK_EQ(duration_of(texts[i]), -12345))
            test_check(false, texts[i], __FILE__, __LINE__);
    CHECK_TEXT(slice_of(api_parse_duration(SLICE("1e20"), &(int64_t){0})),
               "to a valid duration. It overflows int64");
}
