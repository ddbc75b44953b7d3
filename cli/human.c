#include "human.h"

#include <math.h>
#include <stdio.h>

/* Always in the caller's memory: some measure it there. */
static const char *say(char text[HUMAN_TEXT], const char *words)
{
    (void)snprintf(text, HUMAN_TEXT, "%s", words);
    return text;
}

/* Three digits: 1.23, 12.3, 123; no zeros behind the point. */
static const char *write_digits(char text[HUMAN_TEXT], double value,
                                const char *unit)
{
    double size = fabs(value);
    int decimals = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
    int len;

    if (size >= 1e6) /* no unit is large enough */
        return say(text, value < 0 ? "<-1e6" : ">1e6");
    len = snprintf(text, HUMAN_TEXT - 4, "%.*f", decimals, value);
    while (decimals > 0 && (text[len - 1] == '0' || text[len - 1] == '.'))
        if (text[--len] == '.')
            break;
    (void)snprintf(text + len, (size_t)(HUMAN_TEXT - len), "%s", unit);
    return text;
}

/* units: from the smallest on; NULL at the end. */
static const char *scale(char text[HUMAN_TEXT], double value, double factor,
                         const char *const *units)
{
    if (!isfinite(value))
        return say(text, "-");
    while (fabs(value) >= (factor == 1000 ? 999.5 : 1023.5) && units[1]) {
        value /= factor;
        units++;
    }
    return write_digits(text, value, *units);
}

const char *human_rate(char text[HUMAN_TEXT], double per_second)
{
    static const char *const units[] = {"", "k", "M", "G", NULL};

    if (per_second > 0 && per_second < 0.005)
        return say(text, "<0.01");
    return scale(text, per_second, 1000, units);
}

const char *human_count(char text[HUMAN_TEXT], double count)
{
    static const char *const units[] = {"", "k", "M", "G", NULL};

    if (isfinite(count) && fabs(count) < 999.5)
        count = round(count);
    return scale(text, count, 1000, units);
}

const char *human_share(char text[HUMAN_TEXT], double ratio)
{
    if (!isfinite(ratio))
        return say(text, "-");
    if (ratio > 0 && ratio < 0.0005)
        return say(text, "<0.1%");
    (void)snprintf(text, HUMAN_TEXT, ratio == 0 ? "0%%" : "%.*f%%",
                   ratio < 0.0995 ? 1 : 0, fmin(ratio, 1e6) * 100);
    return text;
}

const char *human_seconds(char text[HUMAN_TEXT], double seconds)
{
    if (!isfinite(seconds))
        return say(text, "-");
    if (seconds != 0 && seconds < 0.0009995)
        return write_digits(text, seconds * 1e6, "us");
    if (seconds < 0.9995)
        return seconds == 0 ? say(text, "0")
                            : write_digits(text, seconds * 1e3, "ms");
    if (seconds < 99.95)
        return write_digits(text, seconds, "s");
    if (seconds < 99.95 * 60)
        return write_digits(text, seconds / 60, "m");
    return seconds < 999.5 * 3600 ? write_digits(text, seconds / 3600, "h")
                                  : write_digits(text, seconds / 86400, "d");
}

const char *human_bytes(char text[HUMAN_TEXT], double bytes)
{
    static const char *const units[] = {"", "Ki", "Mi", "Gi", "Ti", NULL};

    return scale(text, bytes, 1024, units);
}

const char *human_cores(char text[HUMAN_TEXT], double cores)
{
    if (!isfinite(cores))
        return say(text, "-");
    if (cores < 9.995) {
        (void)snprintf(text, HUMAN_TEXT, "%.0fm", ceil(cores * 1000 - 0.5));
        return text;
    }
    return write_digits(text, cores, "");
}
