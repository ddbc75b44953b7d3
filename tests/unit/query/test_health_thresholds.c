/* The text of --health. */
#include "health_thresholds.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

static char error[HEALTH_THRESHOLDS_ERROR];

static bool is_read(const char *text)
{
    struct health_thresholds t;

    return health_thresholds_read(&t, text, error);
}

TEST(what_is_not_named_is_as_usual)
{
    struct health_thresholds t;

    CHECK(health_thresholds_read(&t, "", error));
    CHECK(t.error_ratio_bad == 0.05 && t.minimum_requests == 20);
    CHECK(health_thresholds_read(
        &t, "errorRatioBad=0.2, latencyExcessWarningSeconds=1", error));
    CHECK(t.error_ratio_bad == 0.2 && t.latency_excess_warning == 1);
    CHECK(t.error_ratio_warning == 0.01 && t.latency_factor_bad == 3);
}

TEST(what_is_wrong_is_named)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"nothing=1", "nothing is no threshold"},
        {",", "is no threshold"},
        {"errorRatioBad", "errorRatioBad must be a number from 0 on"},
        {"errorRatioBad=", "errorRatioBad must be a number from 0 on"},
        {"errorRatioBad=-1", "errorRatioBad must be a number from 0 on"},
        {"errorRatioBad=nan", "errorRatioBad must be a number from 0 on"},
        {"errorRatioBad=1e999", "errorRatioBad must be a number from 0 on"},
        {"errorRatioBad=5%", "errorRatioBad must be a number from 0 on"},
        {"errorRatioBad=2", "errorRatioBad must be at most 1"},
        {"errorRatioWarning=0.06", "a threshold of warning is above"},
        {"latencyFactorBad=1", "a threshold of warning is above"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(!is_read(rows[i].text));
        if (!CHECK(strstr(error, rows[i].message)))
            printf("# %s: %s\n", rows[i].text, error);
    }
}
