/*
 * Dates of the proleptic Gregorian calendar, counted in years that begin in
 * March: the leap day is then the last one of a year, and the first day
 * of month m (0: March) is (153 m + 2) / 5. No time zone data, no locale, no
 * libc calendar: parsing is a few dozen instructions.
 *
 * A leap second (":60") is rejected, as in Go; Unix time, which OTLP uses, has
 * none.
 */
#include "clock.h"

#include <time.h>

#include "ascii.h"

static uint64_t now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t clock_wall_ns(void)
{
    return now(CLOCK_REALTIME);
}

uint64_t clock_monotonic_ns(void)
{
    return now(CLOCK_MONOTONIC);
}

/* Days from 1 March of year 0 to 1 January 1970. */
enum { EPOCH_DAYS = 719468, DAYS_400Y = 146097 };

static int64_t days_from_date(unsigned year, unsigned month, unsigned day)
{
    unsigned y = month > 2 ? year : year - 1;
    unsigned m = month > 2 ? month - 3 : month + 9;

    return (int64_t)y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 +
           day - 1 - EPOCH_DAYS;
}

static void date_from_days(uint64_t days, unsigned *year, unsigned *month,
                           unsigned *day)
{
    uint64_t z = days + EPOCH_DAYS;
    unsigned of_era = (unsigned)(z % DAYS_400Y);
    unsigned y =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / (DAYS_400Y - 1)) /
        365;
    unsigned of_year = of_era - (365 * y + y / 4 - y / 100);
    unsigned m = (5 * of_year + 2) / 153;

    *day = of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = y + (unsigned)(z / DAYS_400Y) * 400 + (*month <= 2);
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30,
                                         31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* Exactly count digits at p; false if one is not. */
static bool digits(const char *p, unsigned count, unsigned *value)
{
    unsigned v = 0;

    for (unsigned i = 0; i < count; i++) {
        if (!is_digit(p[i]))
            return false;
        v = v * 10 + (unsigned)(p[i] - '0');
    }
    *value = v;
    return true;
}

/* Takes ".123" off the start of text, if it is there: its nanoseconds, and the
 * digits after the ninth. */
static bool parse_fraction(struct slice *text, uint64_t *ns,
                           struct slice *further)
{
    uint64_t value = 0;
    size_t len = 1;

    *ns = 0;
    *further = (struct slice){NULL, 0};
    if (text->len == 0 || text->ptr[0] != '.')
        return true;
    while (len < text->len && is_digit(text->ptr[len])) {
        if (len <= 9)
            value = value * 10 + (uint64_t)(text->ptr[len] - '0');
        len++;
    }
    if (len > 10)
        *further = (struct slice){text->ptr + 10, len - 10};
    if (len == 1)
        return false;
    for (size_t i = len; i <= 9; i++)
        value *= 10;
    *text = slice_from(*text, len);
    *ns = value;
    return true;
}

/* Text is "Z" or "+hh:mm": seconds east of UTC. */
static bool parse_zone(struct slice text, int64_t *seconds)
{
    unsigned hour, minute;

    *seconds = 0;
    if (text.len == 1)
        return text.ptr[0] == 'Z' || text.ptr[0] == 'z';
    if (text.len != 6 || (text.ptr[0] != '+' && text.ptr[0] != '-') ||
        text.ptr[3] != ':' || !digits(text.ptr + 1, 2, &hour) ||
        !digits(text.ptr + 4, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *seconds = (int64_t)hour * 3600 + (int64_t)minute * 60;
    if (text.ptr[0] == '-')
        *seconds = -*seconds;
    return true;
}

bool clock_parse_rfc3339(struct slice text, uint64_t *ns)
{
    struct slice further;

    return clock_parse_digits(text, ns, &further);
}

/* "2006-01-02T15:04:05" as numbers, each within its range. */
static bool parse_date_time(const char *p, unsigned number[6])
{
    static const struct {
        unsigned char at, digits, separator;
        unsigned short least, most;
    } parts[6] = {{0, 4, '-', 1969, 2554}, {5, 2, '-', 1, 12},
                  {8, 2, 'T', 1, 31},      {11, 2, ':', 0, 23},
                  {14, 2, ':', 0, 59},     {17, 2, 0, 0, 59}};

    for (int i = 0; i < 6; i++) {
        char behind = i < 5 ? p[parts[i].at + parts[i].digits] : 0;

        if (!digits(p + parts[i].at, parts[i].digits, &number[i]) ||
            number[i] < parts[i].least || number[i] > parts[i].most ||
            (behind != parts[i].separator && !(i == 2 && behind == 't')))
            return false;
    }
    return number[2] <= days_in_month(number[0], number[1]);
}

bool clock_parse_digits(struct slice text, uint64_t *ns, struct slice *further)
{
    enum { DATE_TIME = 19, YEAR = 0, MONTH, DAY, HOUR, MINUTE, SECOND };
    unsigned number[6];
    uint64_t fraction;
    int64_t zone, at;

    if (text.len <= DATE_TIME || !parse_date_time(text.ptr, number))
        return false;
    text = slice_from(text, DATE_TIME);
    if (!parse_fraction(&text, &fraction, further) || !parse_zone(text, &zone))
        return false;
    at = days_from_date(number[YEAR], number[MONTH], number[DAY]) * 86400 +
         (int64_t)number[HOUR] * 3600 + (int64_t)number[MINUTE] * 60 +
         number[SECOND] - zone;
    if (at < 0 || (uint64_t)at > (UINT64_MAX - fraction) / NS_PER_S)
        return false;
    *ns = (uint64_t)at * NS_PER_S + fraction;
    return true;
}

static char *put_digits(char *to, unsigned value, unsigned count)
{
    for (unsigned i = count; i-- > 0; value /= 10)
        to[i] = (char)('0' + value % 10);
    return to + count;
}

size_t clock_format_rfc3339(char text[CLOCK_TEXT], uint64_t ns)
{
    uint64_t seconds = ns / NS_PER_S;
    unsigned fraction = (unsigned)(ns % NS_PER_S);
    unsigned of_day = (unsigned)(seconds % 86400);
    unsigned year, month, day;
    char *to = text;

    date_from_days(seconds / 86400, &year, &month, &day);
    to = put_digits(to, year, 4);
    *to++ = '-';
    to = put_digits(to, month, 2);
    *to++ = '-';
    to = put_digits(to, day, 2);
    *to++ = 'T';
    to = put_digits(to, of_day / 3600, 2);
    *to++ = ':';
    to = put_digits(to, of_day / 60 % 60, 2);
    *to++ = ':';
    to = put_digits(to, of_day % 60, 2);
    if (fraction) {
        *to++ = '.';
        to = put_digits(to, fraction, 9);
        while (to[-1] == '0')
            to--;
    }
    *to++ = 'Z';
    *to = '\0';
    return (size_t)(to - text);
}

size_t clock_format_seconds(char text[CLOCK_TEXT], double seconds)
{
    if (!(seconds >= 0 && seconds < 1e10))
        return 0;
    return clock_format_rfc3339(text,
                                (uint64_t)(seconds * 1000 + 0.5) * NS_PER_MS);
}

/* Days are last. */
static const struct {
    struct slice name;
    uint64_t ns;
} units[] = {
    {SLICE_INIT("ns"), 1},
    {SLICE_INIT("us"), NS_PER_US},
    {SLICE_INIT("\xc2\xb5s"), NS_PER_US}, /* micro sign */
    {SLICE_INIT("\xce\xbcs"), NS_PER_US}, /* Greek mu */
    {SLICE_INIT("ms"), NS_PER_MS},
    {SLICE_INIT("s"), NS_PER_S},
    {SLICE_INIT("m"), NS_PER_MIN},
    {SLICE_INIT("h"), NS_PER_HOUR},
    {SLICE_INIT("d"), NS_PER_DAY},
    {SLICE_INIT("w"), 7 * NS_PER_DAY},
    {SLICE_INIT("y"), 365 * NS_PER_DAY},
};
enum {
    UNITS_TO_YEARS = sizeof(units) / sizeof(*units),
    UNITS_TO_DAYS = UNITS_TO_YEARS - 2,
    UNITS_TO_HOURS = UNITS_TO_DAYS - 1
};

/* Takes a unit off the start of text; 0 if there is none. It ends where the
 * next number begins, so "m" does not match "ms". */
static uint64_t parse_unit(struct slice *text, size_t count)
{
    struct slice name = {text->ptr, 0};

    while (name.len < text->len && !is_digit(name.ptr[name.len]) &&
           name.ptr[name.len] != '.')
        name.len++;
    for (size_t i = 0; i < count; i++)
        if (slice_equal(units[i].name, name)) {
            *text = slice_from(*text, name.len);
            return units[i].ns;
        }
    return 0;
}

/* Takes a term such as "1.5h" off the start of text. Decimals after the sixth
 * are ignored. */
static bool parse_term(struct slice *text, size_t unit_count, uint64_t *ns)
{
    uint64_t whole = 0, numerator = 0, denominator = 1, unit;
    size_t i = 0, first;

    for (; i < text->len && is_digit(text->ptr[i]); i++) {
        if (whole > (UINT64_MAX - 9) / 10)
            return false;
        whole = whole * 10 + (uint64_t)(text->ptr[i] - '0');
    }
    first = i;
    if (i < text->len && text->ptr[i] == '.') {
        for (i++; i < text->len && is_digit(text->ptr[i]); i++)
            if (denominator < UINT64_C(1000000)) {
                numerator = numerator * 10 + (uint64_t)(text->ptr[i] - '0');
                denominator *= 10;
            }
        if (first == 0 && i == 1)
            return false; /* a dot alone */
    }
    if (i == 0)
        return false;
    *text = slice_from(*text, i);
    unit = parse_unit(text, unit_count);
    if (unit == 0 || whole > (UINT64_MAX - unit) / unit)
        return false;
    *ns = whole * unit + numerator * unit / denominator;
    return true;
}

static bool parse_sum(struct slice text, size_t unit_count, uint64_t *ns)
{
    uint64_t sum = 0, term = 0;

    if (slice_equal(text, SLICE("0"))) {
        *ns = 0;
        return true;
    }
    if (text.len == 0)
        return false;
    while (text.len > 0) {
        if (!parse_term(&text, unit_count, &term) || term > UINT64_MAX - sum)
            return false;
        sum += term;
    }
    *ns = sum;
    return true;
}

bool clock_parse_duration(struct slice text, uint64_t *ns)
{
    return parse_sum(text, UNITS_TO_HOURS, ns);
}

bool clock_parse_duration_days(struct slice text, uint64_t *ns)
{
    return parse_sum(text, UNITS_TO_DAYS, ns);
}

bool clock_parse_duration_years(struct slice text, uint64_t *ns)
{
    return parse_sum(text, UNITS_TO_YEARS, ns);
}
