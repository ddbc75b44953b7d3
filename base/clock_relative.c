/*
 * Times as people and models write them: relative to now, numbers of seconds,
 * dates without a zone; and ages as they read them.
 */
#include "clock.h"

#include <stdio.h>

static uint64_t unit_ns(char unit)
{
    switch (unit) {
    case 's':
        return NS_PER_S;
    case 'm':
        return NS_PER_MIN;
    case 'h':
        return NS_PER_HOUR;
    case 'd':
        return NS_PER_DAY;
    case 'w':
        return 7 * NS_PER_DAY;
    case 'M':
        return 30 * NS_PER_DAY;
    case 'y':
        return 365 * NS_PER_DAY;
    default:
        return 0;
    }
}

/* At most 18; false: there is none. */
static bool read_digits(struct slice *text, uint64_t *number)
{
    size_t i = 0;

    for (*number = 0;
         i < text->len && i < 18 && text->ptr[i] >= '0' && text->ptr[i] <= '9';
         i++)
        *number = *number * 10 + (uint64_t)(text->ptr[i] - '0');
    *text = slice_from(*text, i);
    return i > 0;
}

/* "-6h", "+90s" or "/d": one step from a time to another. */
static bool apply_step(struct slice *text, uint64_t *at)
{
    char sign = text->ptr[0];
    uint64_t number = 0, unit;

    *text = slice_from(*text, 1);
    if (sign != '/' && ((sign != '-' && sign != '+') ||
                        !read_digits(text, &number) || number > 100000))
        return false;
    unit = text->len > 0 ? unit_ns(text->ptr[0]) : 0;
    if (unit == 0)
        return false;
    *text = slice_from(*text, 1);
    if (sign == '/')
        *at -= *at % unit;
    else if (sign == '+')
        *at += number * unit;
    else
        *at = *at > number * unit ? *at - number * unit : 0;
    return true;
}

bool clock_parse_relative(struct slice text, uint64_t now_ns, uint64_t *ns)
{
    uint64_t at = now_ns;

    if (!slice_starts(text, SLICE("now")))
        return false;
    text = slice_from(text, 3);
    while (text.len > 0)
        if (!apply_step(&text, &at))
            return false;
    *ns = at;
    return true;
}

/* Since 1970, in seconds, or as clients of JavaScript count in milliseconds,
 * others in micro- and nanoseconds: told apart by how large it is. */
static bool parse_epoch(struct slice text, uint64_t *ns)
{
    uint64_t number, unit = NS_PER_S;

    if (!read_digits(&text, &number))
        return false;
    if (text.len == 1 && text.ptr[0] >= '0' && text.ptr[0] <= '9' &&
        number <= UINT64_MAX / 10 - 1) { /* the nineteenth of nanoseconds */
        number = number * 10 + (uint64_t)(text.ptr[0] - '0');
        text = slice_from(text, 1);
    }
    for (uint64_t limit = 100 * 1000000000ULL; number >= limit && unit > 1;
         limit *= 1000)
        unit /= 1000;
    if (number > UINT64_MAX / unit)
        return false;
    number *= unit;
    if (text.len > 1 && text.ptr[0] == '.') { /* of the unit */
        text = slice_from(text, 1);
        for (; text.len > 0 && text.ptr[0] >= '0' && text.ptr[0] <= '9';
             text = slice_from(text, 1)) {
            unit /= 10;
            number += unit * (uint64_t)(text.ptr[0] - '0');
        }
    }
    if (text.len > 0)
        return false;
    *ns = number;
    return true;
}

/* RFC 3339, also without the zone, which is then UTC, or a date alone. */
static bool parse_date(struct slice text, uint64_t *ns)
{
    enum { LONGEST = 40 };
    char copy[LONGEST + sizeof("T00:00:00Z")];
    int len;

    if (clock_parse_rfc3339(text, ns))
        return true;
    if (text.len < 10 || text.len > LONGEST)
        return false;
    len = snprintf(copy, sizeof(copy), "%.*s%s", SLICE_ARGS(text),
                   text.len == 10 ? "T00:00:00Z" : "Z");
    if (len <= 0)
        return false;
    if (copy[10] == ' ')
        copy[10] = 'T';
    if (clock_parse_rfc3339((struct slice){copy, (size_t)len}, ns))
        return true;
    return clock_parse_rfc3339((struct slice){copy, text.len}, ns);
}

bool clock_parse_time(struct slice text, uint64_t now_ns, uint64_t *ns)
{
    uint64_t ago;

    if (text.len > 1 && text.ptr[0] == '-')
        text = slice_from(text, 1); /* -30m */
    else if (clock_parse_relative(text, now_ns, ns) || parse_epoch(text, ns) ||
             parse_date(text, ns))
        return true;
    if (slice_ends(text, SLICE(" ago")))
        text.len -= 4;
    if (!clock_parse_duration_years(text, &ago))
        return false;
    *ns = now_ns > ago ? now_ns - ago : 0;
    return true;
}

size_t clock_format_age(char text[CLOCK_TEXT], uint64_t ns)
{
    static const struct {
        char unit;
        uint64_t ns;
    } units[] = {{'d', NS_PER_DAY},
                 {'h', NS_PER_HOUR},
                 {'m', NS_PER_MIN},
                 {'s', NS_PER_S}};
    uint64_t whole, part;
    size_t i = 0;

    while (i < 3 && ns < units[i].ns)
        i++;
    whole = ns / units[i].ns;
    part = i < 3 && whole < 10 ? ns % units[i].ns / units[i + 1].ns : 0;
    return (size_t)(part ? snprintf(text, CLOCK_TEXT, "%llu%c%llu%c",
                                    (unsigned long long)whole, units[i].unit,
                                    (unsigned long long)part, units[i + 1].unit)
                         : snprintf(text, CLOCK_TEXT, "%llu%c",
                                    (unsigned long long)whole, units[i].unit));
}
