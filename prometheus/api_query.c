/*
 * query and query_range: a PromQL text, evaluated at one time or at several.
 */
#include "api.h"
#include "clock.h"
#include "store.h"

struct asked {
    struct slice text;
    struct promql_time time;
    uint32_t limit; /* of series; 0: none */
    struct api_stats stats;
};

/* What both have in common. */
static enum status read_common(struct query_request *request,
                               struct asked *asked)
{
    asked->text = api_param(request, "query");
    asked->stats.wanted = api_param(request, "stats").len > 0;
    api_limit(request, "limit", &asked->limit);
    api_duration(request, "lookback_delta", &asked->time.lookback_ms);
    if (asked->time.lookback_ms < 0)
        asked->time.lookback_ms = 0;
    return api_timeout(request);
}

static enum status refuse_type(struct query_request *request,
                               enum promql_type type)
{
    return api_invalid(request, "query",
                       "invalid expression type \"%s\" for range query, must "
                       "be Scalar or instant Vector",
                       type == PROMQL_MATRIX ? "range vector" : "string");
}

static enum status fail(struct query_request *request, enum status status,
                        const struct promql_error *error,
                        const struct prometheus_source *source)
{
    if (status == ERR_DEADLINE)
        return query_fail(request, status, NULL,
                          "query timed out in expression evaluation");
    if (source->error[0])
        return query_fail(request, status, NULL, "%s", source->error);
    if (status == ERR_INVALID)
        return query_fail(request, ERR_EXECUTION, NULL, "%s", error->text);
    return query_fail_read(request, status);
}

/* A warning says so if there were more. */
static enum status cut_series(struct query_request *request, uint32_t limit,
                              struct promql_result *result)
{
    const char **notes;

    if (limit == 0 || result->count <= limit ||
        (result->type != PROMQL_VECTOR && result->type != PROMQL_MATRIX))
        return OK;
    notes =
        arena_zero(request->arena, result->warning_count + 1, sizeof(*notes));
    if (!notes)
        return arena_status(request->arena);
    for (uint32_t i = 0; i < result->warning_count; i++)
        notes[i] = result->warnings[i];
    notes[result->warning_count++] = API_CUT;
    result->warnings = notes;
    result->count = limit;
    return OK;
}

static enum status run(struct query_request *request, struct asked *asked)
{
    struct prometheus_source source;
    struct promql_error error = {.text = ""};
    struct promql_result result;
    const struct promql_query *query;
    uint64_t begin = clock_monotonic_ns(), parsed;
    enum status s = api_parse(request, "query", asked->text, &query);

    if (s != OK)
        return s;
    if (asked->time.step_ms > 0 && (promql_type(query) == PROMQL_MATRIX ||
                                    promql_type(query) == PROMQL_STRING))
        return refuse_type(request, promql_type(query));
    parsed = clock_monotonic_ns();
    prometheus_source_init(&source, request);
    s = promql_evaluate(query, &asked->time, &source.promql, request->arena,
                        &result, &error);
    if (s == OK)
        s = reader_cancelled(request->reader);
    if (request->failed != OK)
        return request->failed;
    if (s != OK)
        return fail(request, s, &error, &source);
    asked->stats.parsed_ns = parsed - begin;
    asked->stats.evaluated_ns = clock_monotonic_ns() - parsed;
    asked->stats.samples = source.samples;
    s = cut_series(request, asked->limit, &result);
    return s == OK ? api_answer_result(request, &result, &asked->time,
                                       &asked->stats)
                   : s;
}

enum status api_query(struct query_request *request)
{
    struct asked asked = {.limit = 0};
    int64_t ms = (int64_t)(request->now_ns / NS_PER_MS);

    read_common(request, &asked);
    if (api_time(request, "time", &ms) != OK)
        return request->failed;
    asked.time.start_ms = asked.time.end_ms = ms;
    return run(request, &asked);
}

enum status api_query_range(struct query_request *request)
{
    struct asked asked = {.limit = 0};

    read_common(request, &asked);
    if (request->failed != OK || api_range(request, &asked.time) != OK)
        return request->failed;
    return run(request, &asked);
}
