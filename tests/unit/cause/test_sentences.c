/*
 * Sentences of the answer: values as people write them, without exponents,
 * rounded to nothing, or without their units.
 */
#include "metric_sentence.h"

#include <stdio.h>

#include "test.h"

static struct arena arena;

static struct timeseries metric(const char *name, const char *unit,
                                enum metric_class class)
{
    return (struct timeseries){.name = slice_of(name),
                               .unit = slice_of(unit),
                               .class = (uint8_t) class};
}

/* What the sentence says; valid until the next one. */
static struct cause_evidence told(struct timeseries t, double before,
                                  double now)
{
    struct cause_evidence e = {0};

    arena_release(&arena);
    arena_init(&arena, NULL, 1 << 20);
    metric_describe(&arena, &t, before, now, &e);
    return e;
}

static bool says(struct timeseries t, double before, double now,
                 const char *text)
{
    struct cause_evidence e = told(t, before, now);

    if (slice_equal(e.text, slice_of(text)))
        return true;
    printf("# '%.*s'\n", SLICE_ARGS(e.text));
    return false;
}

TEST(values_have_the_units_that_people_use)
{
    struct timeseries cpu = metric("container.cpu.time", "s", CLASS_CPU);

    cpu.is_rate = true;
    CHECK(says(cpu, 0.0133, 0.8031,
               "CPU rose from 0.0133 to 0.803 cores "
               "(container.cpu.time)"));
    CHECK(says(metric("container.memory.usage", "By", CLASS_MEMORY),
               148193140.61, 376381126.33,
               "memory rose from 148 to 376 MB (container.memory.usage)"));
    CHECK(says(metric("http.server.request.duration", "s", CLASS_LATENCY),
               0.004498, 0.009186,
               "takes 9.19 ms, 4.5 ms before (http.server.request.duration)"));
    CHECK(says(metric("http_request_duration_seconds", "", CLASS_LATENCY),
               0.0595, 192,
               "takes 3.2 min, 59.5 ms before "
               "(http_request_duration_seconds)"));
    CHECK(says(metric("http.client.request.duration", "s", CLASS_CALLS), 0.002,
               0.0332,
               "its calls take 33.2 ms, 2 ms before "
               "(http.client.request.duration)"));
    CHECK(says(metric("cpu.utilization", "1", CLASS_CPU), 0.35, 1,
               "CPU rose from 35% to 100% (cpu.utilization)"));
    CHECK(says(metric("k8s.pod.disk.io", "By/s", CLASS_DISK), 10500, 26.5e6,
               "k8s.pod.disk.io rose from 10.5 kB/s to 26.5 MB/s"));
}

TEST(numbers_have_no_exponent_and_are_told_apart)
{
    CHECK(says(metric("items", "", CLASS_UNKNOWN), 1.2e7, 3.45e9,
               "items rose from 12 million to 3.45 billion"));
    CHECK(says(metric("items", "", CLASS_UNKNOWN), 0.000012, 0.00045,
               "items rose from 0.000012 to 0.00045"));
    CHECK(says(metric("queue.size", "1", CLASS_QUEUE), 0, 818,
               "queue.size rose from 0 to 818"));
    CHECK(says(metric("items", "{item}", CLASS_UNKNOWN), 100.01, 100.04,
               "items rose from 100.01 to 100.04 items"));
    struct timeseries available =
        metric("memory.available", "By", CLASS_MEMORY);
    available.less_is_worse = true;
    CHECK(says(available, 3e8, 1e7, "memory.available fell from 300 to 10 MB"));
}

TEST(shares_are_percent)
{
    struct timeseries up = metric("availability", "", CLASS_SUCCESS);
    struct timeseries failures = metric("failures in x", "%", CLASS_ERRORS);

    failures.is_share = true;
    CHECK(says(failures, 0.001, 0.07,
               "fails in 7% of requests, 0.1% before (x)"));
    CHECK(says(failures, 0, 0.07, "fails in 7% of requests, 0% before (x)"));
    up.is_share = true;
    up.complement = 100; /* its values are what is missing */
    CHECK(says(up, 0.001, 0.358, "availability fell from 99.9% to 64.2%"));
}

TEST(numbers_and_chart_agree_with_the_text)
{
    struct cause_evidence e =
        told(metric("http.server.request.duration", "s", CLASS_LATENCY), 0.0045,
             0.0092);

    CHECK_TEXT(slice_of(e.numbers.unit), "ms");
    CHECK(e.numbers.before > 4.49 && e.numbers.before < 4.51);
    CHECK(e.numbers.after > 9.19 && e.numbers.after < 9.21);
    CHECK(e.chart_scale > 999 && e.chart_scale < 1001);
}

TEST(lines_are_counted_as_times)
{
    CHECK(says(metric("card declined", "lines/min", CLASS_ERROR_LOGS), 0, 1,
               "logs \"card declined\" 1 time a minute, 0 before"));
    CHECK(says(metric("card declined", "lines/min", CLASS_ERROR_LOGS), 1, 12,
               "logs \"card declined\" 12 times a minute, 1 before"));
}
