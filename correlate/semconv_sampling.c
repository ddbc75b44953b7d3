#include "semconv.h"

#include <stdint.h>

enum { THRESHOLD_DIGITS = 14, MAX_P = 62 };

/* The value of the first part that begins with the prefix; ptr NULL: none. */
static struct slice find_part(struct slice list, char separator,
                              struct slice prefix)
{
    while (list.len > 0) {
        struct slice part = slice_split(&list, separator);

        if (separator == ',') /* space is allowed around members only */
            part = slice_trim(part, " \t");
        if (slice_starts(part, prefix))
            return slice_from(part, prefix.len);
    }
    return (struct slice){NULL, 0};
}

static double of_threshold(struct slice text)
{
    const uint64_t all = UINT64_C(1) << 4 * THRESHOLD_DIGITS;
    uint64_t threshold = 0;

    if (text.len == 0 || text.len > THRESHOLD_DIGITS)
        return 1;
    for (size_t i = 0; i < THRESHOLD_DIGITS; i++) {
        char c = i < text.len ? text.ptr[i] : '0';

        if (c >= '0' && c <= '9')
            threshold = threshold << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            threshold = threshold << 4 | (uint64_t)(c - 'a' + 10);
        else
            return 1;
    }
    return (double)all / (double)(all - threshold);
}

static double of_exponent(struct slice text)
{
    uint32_t p = 0;

    if (text.len == 0 || text.len > 2)
        return 1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return 1;
        p = p * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    return p <= MAX_P ? (double)(UINT64_C(1) << p) : 1;
}

static double bounded(double weight)
{
    return weight < SAMPLING_MAX_WEIGHT ? weight : SAMPLING_MAX_WEIGHT;
}

double sampling_weight(struct slice trace_state)
{
    struct slice ot = find_part(trace_state, ',', SLICE("ot="));
    struct slice threshold, exponent;
    double weight = 1;

    if (!ot.ptr)
        return 1;
    threshold = find_part(ot, ';', SLICE("th:"));
    exponent = find_part(ot, ';', SLICE("p:"));
    if (threshold.ptr)
        weight = of_threshold(threshold);
    else if (exponent.ptr)
        weight = of_exponent(exponent);
    return bounded(weight);
}

double sampling_log_weight(const struct attrs *attrs)
{
    for (uint32_t i = 0; i < attrs->count; i++) {
        struct slice key = attr_key(&attrs->at[i]);

        if (slice_equal(key, SLICE("sampling.threshold")))
            return bounded(of_threshold(attr_text(&attrs->at[i])));
        if (slice_equal(key, SLICE("tracestate")))
            return sampling_weight(attr_text(&attrs->at[i]));
    }
    return 1;
}
