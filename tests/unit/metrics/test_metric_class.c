/*
 * Classes of metrics by the words of their names, as the monitoring of clouds,
 * their exporters and people write them.
 */
#include "metric_class.h"

#include <stdio.h>

#include "name_words.h"
#include "test.h"

static bool is(const char *name, const char *unit, enum metric_class want,
               bool want_less)
{
    bool less;
    struct metric metric = {
        .name = slice_of(name), .unit = slice_of(unit), .type = METRIC_GAUGE};
    enum metric_class got = metric_class_of(&metric, metric.name, &less);

    if (got != want || less != want_less)
        printf("# %s: class %d, less %d\n", name, (int)got, less);
    return got == want && less == want_less;
}

static bool splits(const char *name, const char *want)
{
    char got[256] = "", word[NAME_WORD];
    struct slice rest = slice_of(name);

    while (name_next_word(&rest, word))
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ", word);
    if (strcmp(got, want) != 0)
        printf("# %s: %s\n", name, got);
    return strcmp(got, want) == 0;
}

TEST(words_end_at_marks_and_capitals)
{
    CHECK(splits("", ""));
    CHECK(splits("--", ""));
    CHECK(splits("cards-lb", "cards lb "));
    CHECK(splits("cpuUsage", "cpu usage "));
    CHECK(splits("CPUUtilization", "cpu utilization "));
    CHECK(splits("HTTPCode_ELB_5XX_Count", "http code elb 5xx count "));
    CHECK(splits("5XXError", "5xx error "));
    CHECK(splits("p99Latency", "p99 latency "));
    CHECK(splits("DynamoDB", "dynamo db "));
    CHECK(splits("aVeryVeryVeryLongWordOfABC", "a very very very long word of "
                                               "abc "));
    CHECK(splits("averyveryveryverylongword", "averyveryveryver "));
}

TEST(names_of_cloud_monitoring)
{
    static const struct {
        const char *name;
        enum metric_class class;
        bool less_is_worse;
    } rows[] = {
        {"Latency", CLASS_LATENCY, false},
        {"IntegrationLatency", CLASS_LATENCY, false},
        {"SuccessfulRequestLatency", CLASS_LATENCY, false},
        {"TargetResponseTime", CLASS_LATENCY, false},
        {"Duration", CLASS_LATENCY, false},
        {"ReadLatency", CLASS_LATENCY, false},
        {"latency.p90", CLASS_LATENCY, false},
        {"Latency_Maximum", CLASS_LATENCY, false},
        {"4XXError", CLASS_ERRORS, false},
        {"5XXError", CLASS_ERRORS, false},
        {"HTTPCode_Target_5XX_Count", CLASS_ERRORS, false},
        {"HTTPCode_ELB_5XX_Count", CLASS_ERRORS, false},
        {"aws_applicationelb_httpcode_target_5_xx_count_sum", CLASS_ERRORS,
         false},
        {"aws_applicationelb_httpcode_target_2_xx_count_sum", CLASS_TRAFFIC,
         false},
        {"Faults", CLASS_ERRORS, false},
        {"Errors", CLASS_ERRORS, false},
        {"SystemErrors", CLASS_ERRORS, false},
        {"UserErrors", CLASS_ERRORS, false},
        {"Throttles", CLASS_ERRORS, false},
        {"ThrottledRequests", CLASS_ERRORS, false},
        {"ReadThrottleEvents", CLASS_ERRORS, false},
        {"ExecutionsTimedOut", CLASS_ERRORS, false},
        {"NumberOfMessagesSentToDLQ", CLASS_ERRORS, false},
        {"availability", CLASS_SUCCESS, true},
        {"HealthyHostCount", CLASS_SUCCESS, true},
        {"UnHealthyHostCount", CLASS_SUCCESS, false},
        {"Invocations", CLASS_TRAFFIC, false},
        {"RequestCount", CLASS_TRAFFIC, false},
        {"Count", CLASS_TRAFFIC, false},
        {"ConsumedReadCapacityUnits", CLASS_TRAFFIC, false},
        {"ProvisionedReadCapacityUnits", CLASS_LIMIT, false},
        {"ConcurrentExecutions", CLASS_POOL, false},
        {"DatabaseConnections", CLASS_POOL, false},
        {"IteratorAge", CLASS_QUEUE, false},
        {"ApproximateAgeOfOldestMessage", CLASS_QUEUE, false},
        {"ApproximateNumberOfMessagesVisible", CLASS_QUEUE, false},
        {"DiskQueueDepth", CLASS_QUEUE, false},
        {"CPUUtilization", CLASS_CPU, false},
        {"CPUCreditBalance", CLASS_CPU, true},
        {"MemoryUtilization", CLASS_MEMORY, false},
        {"FreeableMemory", CLASS_MEMORY, true},
        {"FreeStorageSpace", CLASS_DISK, true},
        {"container_cpu_cfs_throttled_periods_total", CLASS_CPU, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        CHECK(is(rows[i].name, "", rows[i].class, rows[i].less_is_worse));
}

TEST(parts_of_a_histogram_are_no_latency)
{
    CHECK(is("request_duration_seconds_count", "", CLASS_TRAFFIC, false));
    CHECK(is("latency.samplecount", "", CLASS_TRAFFIC, false));
    CHECK(is("request_duration_seconds_sum", "", CLASS_IGNORED, false));
    CHECK(is("request_duration_seconds_bucket", "", CLASS_IGNORED, false));
    CHECK(is("request_duration_seconds", "", CLASS_LATENCY, false));
}
