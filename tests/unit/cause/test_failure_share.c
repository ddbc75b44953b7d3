/*
 * Which series are shares of failed requests, as senders name them.
 */
#include "failure_share.h"

#include <math.h>
#include <stdio.h>

#include "test.h"

/* What two values become; false: they are no share. */
static bool takes(const char *name, const char *unit, enum metric_class class,
                  double first, double second, double *result)
{
    struct timeseries_point points[] = {{.value = first}, {.value = second}};
    struct timeseries t = {.name = slice_of(name),
                           .unit = slice_of(unit),
                           .class = (uint8_t) class,
                           .less_is_worse = class == CLASS_SUCCESS,
                           .at = points,
                           .count = 2};

    failure_share_take(&t);
    *result = points[1].value;
    return t.is_share;
}

static bool becomes(const char *name, const char *unit, enum metric_class class,
                    double first, double second, double want)
{
    double got;
    bool is_share = takes(name, unit, class, first, second, &got);

    if (!is_share || fabs(got - want) > 1e-9)
        printf("# %s: %d %g\n", name, is_share, got);
    return is_share && fabs(got - want) <= 1e-9;
}

TEST(shares_of_success_become_those_that_fail)
{
    CHECK(becomes("availability", "%", CLASS_SUCCESS, 100, 98, .02));
    CHECK(becomes("availability", "", CLASS_SUCCESS, 99.9, 98, .02));
    CHECK(becomes("success_rate", "1", CLASS_SUCCESS, 1, .9, .1));
    CHECK(becomes("up", "", CLASS_SUCCESS, 1, 0, 1));
}

TEST(shares_that_fail_are_shares)
{
    CHECK(becomes("error_rate", "1", CLASS_ERRORS, 0, .5, .5));
    CHECK(becomes("error_rate", "%", CLASS_ERRORS, 0, 50, .5));
    CHECK(becomes("error_rate", "", CLASS_ERRORS, 0, .5, .5));
    CHECK(becomes("error.percentage", "", CLASS_ERRORS, .1, 2, .02));
    CHECK(becomes("ErrorRatio", "", CLASS_ERRORS, 0, .25, .25));
    CHECK(becomes("5XXError", "Percent", CLASS_ERRORS, 0, 30, .3));
}

TEST(numbers_of_failures_are_no_shares)
{
    double value;

    CHECK(!takes("error_rate", "", CLASS_ERRORS, .5, 12, &value));
    CHECK(!takes("errors", "1", CLASS_ERRORS, 0, .5, &value));
    CHECK(!takes("error.rate", "{error}/s", CLASS_ERRORS, 0, .5, &value));
    CHECK(!takes("HealthyHostCount", "Count", CLASS_SUCCESS, 2, 1, &value));
    CHECK(!takes("healthy_host_count", "", CLASS_SUCCESS, 2, 1, &value));
    CHECK(!takes("requests.success", "", CLASS_SUCCESS, 500, 100, &value));
    CHECK_EQ((long)value, 100);
}
