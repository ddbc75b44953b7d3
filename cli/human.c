#include "human.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

/* Always in the caller's memory: some measure it there. */
static const char *say(char text[HUMAN_TEXT], const char *words)
{
    (void)snprintf(text, HUMAN_TEXT, "%s", words);
    return text;
}

static bool is_whole(double value)
{
    return fabs(value - round(value)) < 1e-9;
}

/* Three digits: 0.178, 1.78, 17.8, 178; a whole number as it is: 2. */
static const char *write_digits(char text[HUMAN_TEXT], double value,
                                const char *unit)
{
    double size = fabs(value);

    if (size >= 999999.5) /* no unit is large enough */
        return say(text, value < 0 ? "<-1e6" : ">1e6");
    (void)snprintf(text, HUMAN_TEXT,
                   size >= 99.95 || is_whole(value) ? "%.0f%s"
                   : size >= 9.995                  ? "%.1f%s"
                   : size >= 0.9995                 ? "%.2f%s"
                   : size >= 0.00995                ? "%.3g%s"
                                                    : "%.1g%s",
                   value, unit);
    return text;
}

/* units: from the smallest on; NULL at the end. */
static const char *scale(char text[HUMAN_TEXT], double value, double factor,
                         const char *const *units)
{
    if (!isfinite(value))
        return say(text, "-");
    while (fabs(value) >= factor * 0.9995 && units[1]) {
        value /= factor;
        units++;
    }
    return write_digits(text, value, *units);
}

const char *human_number(char text[HUMAN_TEXT], double value)
{
    static const char *const units[] = {"", "k", "M", "G", "T", "P", NULL};

    return scale(text, value, 1000, units);
}

const char *human_count(char text[HUMAN_TEXT], double count)
{
    if (count > 0 && count < 0.5)
        return say(text, "<1");
    if (isfinite(count) && fabs(count) < 9999.5) {
        (void)snprintf(text, HUMAN_TEXT, "%.0f", count);
        return text;
    }
    return human_number(text, count);
}

const char *human_share(char text[HUMAN_TEXT], double ratio)
{
    double percent = fmin(ratio, 1e6) * 100;

    if (!isfinite(ratio))
        return say(text, "-");
    if (percent > 0 && percent < 0.01)
        return say(text, "<.01%");
    (void)snprintf(text, HUMAN_TEXT,
                   is_whole(percent)       ? "%.0f%%"
                   : fabs(percent) < 9.995 ? "%.2f%%"
                   : fabs(percent) < 99.95 ? "%.1f%%"
                                           : "%.0f%%",
                   percent);
    return text;
}

/* 5m, 59m59s, 47h59m: the two largest units; from 100 hours on days. */
static const char *write_long(char text[HUMAN_TEXT], double seconds)
{
    double whole = floor(fabs(seconds) + 0.5);
    bool hours = whole >= 3600;
    double large = floor(whole / (hours ? 3600 : 60));
    double small = hours ? floor(fmod(whole, 3600) / 60) : fmod(whole, 60);
    int len;

    if (whole >= 100 * 3600)
        return write_digits(text, seconds / 86400, "d");
    len = snprintf(text, HUMAN_TEXT, "%s%.0f%c", seconds < 0 ? "-" : "", large,
                   hours ? 'h' : 'm');
    if (small > 0)
        (void)snprintf(text + len, (size_t)(HUMAN_TEXT - len), "%02.0f%c",
                       small, hours ? 'm' : 's');
    return text;
}

const char *human_seconds(char text[HUMAN_TEXT], double seconds)
{
    static const char *const units[] = {"ns", "us", "ms", "s", NULL};

    if (seconds == 0)
        return say(text, "0");
    if (isfinite(seconds) && fabs(seconds) >= 59.95)
        return write_long(text, seconds);
    return scale(text, seconds * 1e9, 1000, units);
}

const char *human_bytes(char text[HUMAN_TEXT], double bytes)
{
    static const char *const units[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", NULL};

    return scale(text, bytes, 1024, units);
}

const char *human_cores(char text[HUMAN_TEXT], double cores)
{
    double milli = cores * 1000, size = fabs(milli);

    if (!isfinite(cores))
        return say(text, "-");
    if (size >= 9995)
        return write_digits(text, cores, "");
    (void)snprintf(text, HUMAN_TEXT,
                   size == 0 || size >= 9.95 ? "%.0fm" : "%.1fm", milli);
    return text;
}
