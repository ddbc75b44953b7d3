/* The table of thresholds of health, and the text of --health. */
#include "health_thresholds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "slice.h"

static const struct health_thresholds usual = {
    .error_ratio_bad = 0.05,
    .error_ratio_warning = 0.01,
    .latency_factor_bad = 3,
    .latency_factor_warning = 2,
    .latency_excess_bad = 0.05,
    .latency_excess_warning = 0.02,
    .minimum_requests = 20,
};

#define ROW(name, field) REPLY(struct health_thresholds, name, field)

/* All are of type double: health_thresholds_read() sets them by this table. */
const struct reply_table health_thresholds_table =
    REPLY_TABLE(struct health_thresholds, ROW("errorRatioBad", error_ratio_bad),
                ROW("errorRatioWarning", error_ratio_warning),
                ROW("latencyFactorBad", latency_factor_bad),
                ROW("latencyFactorWarning", latency_factor_warning),
                ROW("latencyExcessBadSeconds", latency_excess_bad),
                ROW("latencyExcessWarningSeconds", latency_excess_warning),
                ROW("minimumRequests", minimum_requests));

static double *find(struct health_thresholds *thresholds, struct slice name)
{
    for (uint32_t i = 0; i < health_thresholds_table.count; i++) {
        const struct reply_member *m = &health_thresholds_table.members[i];

        if (slice_equal(name, slice_of(m->name)))
            return (double *)(void *)((char *)thresholds + m->offset);
    }
    return NULL;
}

/* A number from 0 on. */
static bool read_number(struct slice text, double *value)
{
    char copy[32], *end;

    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    snprintf(copy, sizeof(copy), "%.*s", SLICE_ARGS(text));
    *value = strtod(copy, &end);
    return *end == '\0' && isfinite(*value) && *value >= 0;
}

bool health_thresholds_read(struct health_thresholds *thresholds,
                            const char *text,
                            char error[HEALTH_THRESHOLDS_ERROR])
{
    struct slice rest = slice_of(text);

    *thresholds = usual;
    while (rest.len > 0) {
        struct slice value = slice_trim(slice_split(&rest, ','), " ");
        struct slice name = slice_split(&value, '=');
        double *to = find(thresholds, name);

        if (!to) {
            snprintf(error, HEALTH_THRESHOLDS_ERROR,
                     "%.*s is no threshold; see docs/operations.md",
                     (int)(name.len < 64 ? name.len : 64), name.ptr);
            return false;
        }
        if (!read_number(value, to)) {
            snprintf(error, HEALTH_THRESHOLDS_ERROR,
                     "%.*s must be a number from 0 on", SLICE_ARGS(name));
            return false;
        }
    }
    if (thresholds->error_ratio_bad > 1) {
        snprintf(error, HEALTH_THRESHOLDS_ERROR,
                 "errorRatioBad must be at most 1");
        return false;
    }
    if (thresholds->error_ratio_warning <= thresholds->error_ratio_bad &&
        thresholds->latency_factor_warning <= thresholds->latency_factor_bad)
        return true;
    snprintf(error, HEALTH_THRESHOLDS_ERROR,
             "a threshold of warning is above that of bad");
    return false;
}
