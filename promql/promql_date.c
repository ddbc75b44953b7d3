/* Parts of a date in UTC, of seconds since 1970. The Gregorian calendar repeats
 * every 400 years; years are counted from March, so that the leap day is their
 * last one. */
#include "promql_handlers.h"

#include <math.h>

enum { DAYS_400 = 146097, MARCH_1_0000 = -719468 };

struct date {
    int64_t year;
    int month, day; /* from 1 */
    int64_t days;   /* since 1970 */
    int64_t second; /* of the day */
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static struct date date_of(int64_t seconds)
{
    struct date date = {.days = floor_div(seconds, 86400)};
    int64_t since = date.days - MARCH_1_0000;
    int64_t era = floor_div(since, DAYS_400);
    int64_t day = since - era * DAYS_400; /* of the 400 years */
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t of_year = day - (365 * year + year / 4 - year / 100);
    int month = (int)((5 * of_year + 2) / 153); /* from March */

    date.second = seconds - date.days * 86400;
    date.day = (int)(of_year - (153 * month + 2) / 5 + 1);
    date.month = month < 10 ? month + 3 : month - 9;
    date.year = year + era * 400 + (date.month <= 2);
    return date;
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_before(const struct date *date)
{
    static const int before[] = {0,   31,  59,  90,  120, 151,
                                 181, 212, 243, 273, 304, 334};

    return before[date->month - 1] + (date->month > 2 && is_leap(date->year));
}

static int days_in(const struct date *date)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[date->month - 1] + (date->month == 2 && is_leap(date->year));
}

/* NaN for what is no time. */
#define DATE(name, value)                                                  \
    double promql_##name(double v, const double *args, uint32_t arg_count) \
    {                                                                      \
        struct date date;                                                  \
                                                                           \
        (void)args;                                                        \
        (void)arg_count;                                                   \
        if (!(fabs(v) < 9e15))                                             \
            return NAN;                                                    \
        date = date_of((int64_t)v);                                        \
        return (double)(value);                                            \
    }

DATE(minute, date.second / 60 % 60)
DATE(hour, date.second / 3600)
DATE(day_of_week, ((date.days + 4) % 7 + 7) % 7)
DATE(day_of_month, date.day)
DATE(day_of_year, days_before(&date) + date.day)
DATE(days_in_month, days_in(&date))
DATE(month, date.month)
DATE(year, date.year)
