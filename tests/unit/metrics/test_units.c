#include "units.h"

#include <math.h>
#include <stdio.h>

#include "metric_names.h"
#include "test.h"

static bool is(const char *text, enum quantity quantity, double want)
{
    double factor;
    enum quantity got = unit_quantity(slice_of(text), &factor);
    bool good = got == quantity && fabs(factor - want) <= 1e-12 * want;

    if (!good)
        printf("# '%s': quantity %d, factor %g\n", text, (int)got, factor);
    return good;
}

TEST(units_of_time)
{
    static const char *const ms[] = {"ms",     "milliseconds", "millisecond",
                                     "Millis", "MILLISECONDS", "msec",
                                     " ms ",   "ms{request}"};

    for (size_t i = 0; i < sizeof(ms) / sizeof(*ms); i++)
        CHECK(is(ms[i], QUANTITY_TIME, 1e-3));
    CHECK(is("s", QUANTITY_TIME, 1));
    CHECK(is("seconds", QUANTITY_TIME, 1));
    CHECK(is("Second", QUANTITY_TIME, 1));
    CHECK(is("us", QUANTITY_TIME, 1e-6));
    CHECK(is("\xc2\xb5s", QUANTITY_TIME, 1e-6));
    CHECK(is("microseconds", QUANTITY_TIME, 1e-6));
    CHECK(is("ns", QUANTITY_TIME, 1e-9));
    CHECK(is("nanoseconds", QUANTITY_TIME, 1e-9));
    CHECK(is("min", QUANTITY_TIME, 60));
    CHECK(is("Hours", QUANTITY_TIME, 3600));
}

TEST(units_of_bytes)
{
    CHECK(is("By", QUANTITY_BYTES, 1));
    CHECK(is("bytes", QUANTITY_BYTES, 1));
    CHECK(is("By{sent}", QUANTITY_BYTES, 1));
    CHECK(is("KiBy", QUANTITY_BYTES, 1024));
    CHECK(is("MiBy", QUANTITY_BYTES, 1048576));
    CHECK(is("MiB", QUANTITY_BYTES, 1048576));
    CHECK(is("mebibytes", QUANTITY_BYTES, 1048576));
    CHECK(is("GiBy", QUANTITY_BYTES, 1073741824));
    CHECK(is("kBy", QUANTITY_BYTES, 1e3));
    CHECK(is("megabytes", QUANTITY_BYTES, 1e6));
}

TEST(units_of_cores_and_shares)
{
    CHECK(is("{cpu}", QUANTITY_CORES, 1));
    CHECK(is("cores", QUANTITY_CORES, 1));
    CHECK(is("millicores", QUANTITY_CORES, 1e-3));
    CHECK(is("1", QUANTITY_RATIO, 1));
    CHECK(is("%", QUANTITY_RATIO, 0.01));
    CHECK(is("percent", QUANTITY_RATIO, 0.01));
}

/* Case tells symbols apart, and what is not known is not guessed. */
TEST(no_units)
{
    CHECK(is("", QUANTITY_OTHER, 1));
    CHECK(is("Ms", QUANTITY_OTHER, 1));
    CHECK(is("{requests}", QUANTITY_OTHER, 1));
    CHECK(is("s/op", QUANTITY_OTHER, 1));
    CHECK(is("{", QUANTITY_OTHER, 1));
    CHECK(is("}", QUANTITY_OTHER, 1));
    CHECK(is("a unit that is longer than all words", QUANTITY_OTHER, 1));
}

static double factor(const char *name, const char *unit)
{
    struct metric metric = {.unit = slice_of(unit)};
    const struct metric_name *row = metric_name_find(slice_of(name));

    return CHECK(row) ? metric_factor(row, &metric) : 0;
}

/* The unit decides; where it says nothing the name does. */
TEST(factors_of_names)
{
    CHECK(fabs(factor("http.server.request.duration", "s") - 1) < 1e-12);
    CHECK(fabs(factor("http.server.request.duration", "") - 1) < 1e-12);
    CHECK(fabs(factor("http.server.request.duration", "ms") - 1e-3) < 1e-12);
    CHECK(fabs(factor("http.server.duration", "") - 1e-3) < 1e-12);
    CHECK(fabs(factor("http.server.duration", "seconds") - 1) < 1e-12);
    CHECK(fabs(factor("http.server.requests", "") - 1e-3) < 1e-12);
    CHECK(fabs(factor("http_server_requests_seconds", "") - 1) < 1e-12);
    CHECK(fabs(factor("http_server_requests_seconds_sum", "") - 1) < 1e-12);
    CHECK(fabs(factor("http_server_requests_seconds_count", "ms") - 1) < 1e-12);
    CHECK(fabs(factor("container.cpu.usage", "{cpu}") - 1) < 1e-12);
    CHECK(fabs(factor("k8s.pod.cpu.utilization", "1") - 1) < 1e-12);
    CHECK(fabs(factor("container.cpu.usage", "%") - 0.01) < 1e-12);
    CHECK(fabs(factor("container.cpu.usage.total", "ns") - 1e-9) < 1e-20);
    CHECK(fabs(factor("process_cpu_time_ns_total", "") - 1e-9) < 1e-20);
    CHECK(fabs(factor("jvm_cpu_time_seconds_total", "") - 1) < 1e-12);
    CHECK(fabs(factor("container.memory.usage", "MiBy") - 1048576) < 1e-6);
}

/* Rows of one name stand together, or a look-up would miss some. */
TEST(the_table_is_in_order)
{
    for (uint32_t i = 0; i < metric_name_count; i++) {
        const struct metric_name *row = metric_name_find(metric_names[i].name);

        while (row && row != &metric_names[i])
            row = metric_name_next(row);
        if (!CHECK(row))
            printf("# %.*s\n", (int)metric_names[i].name.len,
                   metric_names[i].name.ptr);
    }
    CHECK(!metric_name_find(SLICE("no.such.metric")));
}

/* Two names of one rank would be added up. */
TEST(names_of_usage_have_ranks_of_their_own)
{
    for (uint32_t i = 0; i < metric_name_count; i++)
        for (uint32_t k = 0; k < i; k++) {
            const struct metric_name *a = &metric_names[i];
            const struct metric_name *b = &metric_names[k];

            if (a->meaning < METRIC_USAGE_MEANINGS &&
                a->meaning == b->meaning && a->rank == b->rank)
                if (!CHECK(slice_starts(a->name, SLICE("container_network_")) ||
                           slice_starts(a->name, SLICE("container.network."))))
                    printf("# %.*s\n", (int)a->name.len, a->name.ptr);
        }
}

static struct attr one;

static const struct attrs *with(const char *key, const char *value)
{
    static struct attrs attrs;

    one = (struct attr){.key = key,
                        .key_len = (uint16_t)strlen(key),
                        .type = VALUE_STRING,
                        .str = value,
                        .len = (uint32_t)strlen(value)};
    attrs = (struct attrs){&one, 1, 0};
    return &attrs;
}

static const struct attrs *with_number(const char *key, int64_t value)
{
    const struct attrs *attrs = with(key, "");

    one.type = VALUE_INT;
    one.i = value;
    return attrs;
}

TEST(outcomes)
{
    CHECK_EQ(metric_outcome(with("status", "200")), OUTCOME_GOOD);
    CHECK_EQ(metric_outcome(with("status", "503")), OUTCOME_FAILED);
    CHECK_EQ(metric_outcome(with("status", "5xx")), OUTCOME_FAILED);
    CHECK_EQ(metric_outcome(with("code", "404")), OUTCOME_CLIENT_ERROR);
    CHECK_EQ(metric_outcome(with("status", "UNKNOWN")), OUTCOME_GOOD);
    CHECK_EQ(metric_outcome(with_number("http.response.status_code", 500)),
             OUTCOME_FAILED);
    CHECK_EQ(metric_outcome(with_number("http.status_code", 499)),
             OUTCOME_CLIENT_ERROR);
    CHECK_EQ(metric_outcome(with_number("http.status_code", 70000)),
             OUTCOME_GOOD);
    CHECK_EQ(metric_outcome(with("outcome", "SERVER_ERROR")), OUTCOME_FAILED);
    CHECK_EQ(metric_outcome(with("error.type", "timeout")), OUTCOME_FAILED);
    CHECK_EQ(metric_outcome(with("error.type", "")), OUTCOME_GOOD);
    CHECK_EQ(metric_outcome(with("grpc_code", "Unavailable")), OUTCOME_FAILED);
    CHECK_EQ(metric_outcome(with("grpc_code", "NotFound")), OUTCOME_GOOD);
    CHECK_EQ(metric_outcome(with_number("rpc.grpc.status_code", 14)),
             OUTCOME_FAILED);
    CHECK_EQ(metric_outcome(with_number("rpc.grpc.status_code", 0)),
             OUTCOME_GOOD);
}

/* As client libraries, meshes and collectors say it. */
TEST(outcomes_in_words)
{
    CHECK_EQ(metric_outcome(with("status", "IO_ERROR")), OUTCOME_FAILED);
    CHECK_EQ(metric_outcome(with("status_code", "STATUS_CODE_ERROR")),
             OUTCOME_FAILED);
    CHECK_EQ(metric_outcome(with("status_code", "STATUS_CODE_UNSET")),
             OUTCOME_GOOD);
    CHECK_EQ(metric_outcome(with("classification", "failure")), OUTCOME_FAILED);
    CHECK_EQ(metric_outcome(with("classification", "success")), OUTCOME_GOOD);
    CHECK_EQ(metric_outcome(with("success", "false")), OUTCOME_FAILED);
    CHECK_EQ(metric_outcome(with("result", "error")), OUTCOME_FAILED);
    CHECK_EQ(metric_outcome(with("error_type", "timeout")), OUTCOME_FAILED);
    CHECK_EQ(metric_outcome(with("envoy_response_code", "503")),
             OUTCOME_FAILED);
    CHECK_EQ(metric_outcome(with("grpc_status", "14")), OUTCOME_FAILED);
    CHECK_EQ(metric_outcome(with("grpc.status", "UNAVAILABLE")),
             OUTCOME_FAILED);
    CHECK_EQ(metric_outcome(with("grpc.status", "OK")), OUTCOME_GOOD);
}

TEST(bucket_bounds)
{
    CHECK(fabs(metric_bucket_bound(with("le", "0.25")) - 0.25) < 1e-12);
    CHECK(isinf(metric_bucket_bound(with("le", "+Inf"))));
    CHECK(isnan(metric_bucket_bound(with("le", "x"))));
    CHECK(isnan(metric_bucket_bound(with("le", ""))));
    CHECK(isnan(metric_bucket_bound(with("x", "1"))));
}
