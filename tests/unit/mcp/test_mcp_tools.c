/* The tables of tools, what is listed for whom, arguments, and results. */
#include "mcp_kit.h"
#include "mcp_tool.h"

static struct bed bed;

#define RANGE                                  \
    "\"start_time\":\"2023-11-14T00:00:00Z\"," \
    "\"end_time\":\"2023-11-15T00:00:00Z\""

static unsigned parts_of(const char *path)
{
    unsigned count = 0;

    for (; *path; path++)
        count += path[0] == '{' && path[1] == '}';
    return count;
}

static void check_params(const struct mcp_tool *tool)
{
    unsigned parts = 0;

    for (const struct mcp_param *p = tool->params; p && p->name; p++) {
        const struct mcp_param *needed = tool->params;

        CHECK(p->description && p->description[0]);
        CHECK(strspn(p->name, "abcdefghijklmnopqrstuvwxyz_") ==
              strlen(p->name));
        if (p->place == MCP_PART) {
            CHECK((unsigned)p->part < parts_of(tool->path));
            parts++;
        }
        while (p->needs && needed->name && strcmp(needed->name, p->needs) != 0)
            needed++;
        CHECK(!p->needs || needed->name);
        if (p->preset) {
            json_t *preset = json_loads(p->preset, JSON_DECODE_ANY, NULL);

            CHECK(preset);
            json_decref(preset);
        }
    }
    if (!tool->run && !CHECK_EQ(parts, parts_of(tool->path)))
        printf("# %s\n", tool->name);
}

TEST(rows_are_complete_and_their_routes_exist)
{
    const struct mcp_tool *tool;
    size_t count;

    (void)route_list(&count);
    for (size_t i = 0; (tool = mcp_tool_at(i)); i++) {
        if (!CHECK(mcp_tool_route(tool)))
            printf("# %s %s\n", tool->method, tool->path);
        CHECK(strspn(tool->name, "abcdefghijklmnopqrstuvwxyz_") ==
              strlen(tool->name));
        CHECK(mcp_tool_find(slice_of(tool->name)) == tool);
        CHECK(tool->title && tool->description && tool->description[0]);
        check_params(tool);
    }
}

static json_t *tool_of(const json_t *answer, const char *name)
{
    json_t *tools = json_object_get(json_object_get(answer, "result"), "tools"),
           *tool;
    size_t i;

    json_array_foreach(tools, i, tool)
    {
        if (slice_equal(bed_at(tool, "name"), slice_of(name)))
            return tool;
    }
    return NULL;
}

TEST(schemas_say_what_is_checked)
{
    json_t *answer, *tool;

    bed_init(&bed);
    bed.max_reply = sizeof(bed.text) - 1;
    answer = mcp_legacy(&bed, "tools/list", "{}");
    tool = tool_of(answer, "query_component_logs");
    CHECK_TEXT(bed_at(tool, "inputSchema.type"), "object");
    CHECK_TEXT(bed_at(tool, "inputSchema.additionalProperties"), "false");
    CHECK_TEXT(bed_at(tool, "inputSchema.required"), "[3]");
    CHECK_TEXT(bed_at(tool, "inputSchema.dependentRequired.component.0"),
               "project");
    CHECK_TEXT(bed_at(tool, "inputSchema.properties.limit.maximum"), "1000");
    CHECK_TEXT(bed_at(tool, "inputSchema.properties.limit.default"), "100");
    CHECK_TEXT(bed_at(tool, "inputSchema.properties.log_levels.items.enum"),
               "[4]");
    CHECK_TEXT(bed_at(tool, "outputSchema.properties.logs.items.required"),
               "[2]");
    CHECK_TEXT(bed_at(tool, "annotations.readOnlyHint"), "true");
    tool = tool_of(answer, "get_span_details");
    CHECK_EQ(json_object_size(json_object_get(
                 json_object_get(tool, "inputSchema"), "properties")),
             2);
    json_decref(answer);
    bed_release(&bed);
}

TEST(what_the_subject_can_never_use_is_not_listed)
{
    json_t *answer;

    bed_init(&bed);
    bed.max_reply = sizeof(bed.text) - 1;
    answer = mcp_legacy(&bed, "tools/list", "{}");
    CHECK(!tool_of(answer, "query_alerts")); /* its route is not served */
    json_decref(answer);
    bed_allow(&bed, ACTION_BIT(ACTION_LOGS_VIEW), "acme", "*", "*");
    answer = mcp_legacy(&bed, "tools/list", "{}");
    CHECK(tool_of(answer, "query_component_logs"));
    CHECK(!tool_of(answer, "query_traces"));
    CHECK(!tool_of(answer, "query_http_metrics"));
    json_decref(answer);
    answer = mcp_tool_call(&bed, "query_traces", "{}");
    CHECK_TEXT(bed_at(answer, "error.code"), "-32602");
    json_decref(answer);
    bed_release(&bed);
}

static void expect_error(const char *tool, const char *arguments,
                         const char *text)
{
    json_t *answer = mcp_tool_call(&bed, tool, arguments);

    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "result.isError"), "true");
    if (!CHECK(strstr(bed.text, text)))
        printf("# %s\n", bed.text);
    json_decref(answer);
}

TEST(errors_of_arguments_say_what_is_allowed)
{
    static const char logs[] = "query_component_logs";

    bed_init(&bed);
    expect_error(logs, "{}", "namespace is required");
    expect_error(logs, "{\"namespace\":\"\"," RANGE "}",
                 "namespace is required");
    expect_error(logs, "{\"namespace\":7," RANGE "}",
                 "namespace must be a string");
    expect_error(logs, "{\"namespace\":\"a\",\"component\":\"c\"," RANGE "}",
                 "project is required when component is given");
    expect_error(logs, "{\"namespace\":\"a\",\"limit\":0," RANGE "}",
                 "limit must be an integer from 1 to 1000");
    expect_error(logs, "{\"namespace\":\"a\",\"limit\":1001," RANGE "}",
                 "limit must be an integer from 1 to 1000");
    expect_error(logs, "{\"namespace\":\"a\",\"limit\":1.5," RANGE "}",
                 "limit must be an integer from 1 to 1000");
    expect_error(logs, "{\"namespace\":\"a\",\"limit\":\"5\"," RANGE "}",
                 "limit must be an integer from 1 to 1000");
    expect_error(logs,
                 "{\"namespace\":\"a\",\"limit\":"
                 "99999999999999999999999999," RANGE "}",
                 "limit must be an integer from 1 to 1000");
    expect_error(logs, "{\"namespace\":\"a\",\"sort_order\":\"up\"," RANGE "}",
                 "sort_order must be one of: asc desc");
    expect_error(logs,
                 "{\"namespace\":\"a\",\"log_levels\":\"ERROR\"," RANGE "}",
                 "log_levels must be an array");
    expect_error(logs,
                 "{\"namespace\":\"a\",\"log_levels\":[\"FATAL\"]," RANGE "}",
                 "log_levels must be one of: DEBUG INFO WARN ERROR");
    expect_error(logs,
                 "{\"namespace\":\"a\",\"start_time\":\"soon\","
                 "\"end_time\":\"now\"}",
                 "start_time must be an RFC 3339 time");
    expect_error(logs, "{\"namespace\":\"a\",\"componet\":\"x\"," RANGE "}",
                 "unknown argument \\\"componet\\\"");
    expect_error(logs, "[]", "arguments must be an object");
    expect_error(logs,
                 "{\"namespace\":\"a\",\"start_time\":\"now\","
                 "\"end_time\":\"now-1h\"}",
                 "endTime must not be before startTime");
    expect_error("query_http_metrics",
                 "{\"namespace\":\"a\",\"step\":\"often\"," RANGE "}",
                 "step must be a duration");
    expect_error("get_span_details", "{\"trace_id\":\"x\",\"span_id\":\"y\"}",
                 "16 hexadecimal digits");
    bed_release(&bed);
}

TEST(null_counts_as_left_out_and_1e1_is_an_integer)
{
    json_t *answer;

    bed_init(&bed);
    answer = mcp_tool_call(&bed, "query_component_logs",
                           "{\"namespace\":\"acme\",\"project\":null,"
                           "\"search_phrase\":\"\",\"limit\":1e1," RANGE "}");
    CHECK_TEXT(bed_at(answer, "result.isError"), "false");
    json_decref(answer);
    bed_release(&bed);
}

TEST(a_result_is_the_answer_of_the_route_twice)
{
    json_t *answer, *text, *route;

    bed_init(&bed);
    answer = mcp_tool_call(&bed, "query_traces",
                           "{\"namespace\":\"acme\"," RANGE "}");
    text = json_loads(
        json_string_value(json_object_get(
            json_array_get(
                json_object_get(json_object_get(answer, "result"), "content"),
                0),
            "text")),
        0, NULL);
    CHECK(json_equal(text, json_object_get(json_object_get(answer, "result"),
                                           "structuredContent")));
    route = bed_ask(&bed, "POST", "/api/v1alpha1/traces/query",
                    "{\"startTime\":\"2023-11-14T00:00:00Z\","
                    "\"endTime\":\"2023-11-15T00:00:00Z\","
                    "\"searchScope\":{\"namespace\":\"acme\"}}");
    json_object_del(route, "tookMs");
    json_object_del(text, "tookMs");
    CHECK(json_equal(text, route));
    json_decref(route);
    json_decref(text);
    json_decref(answer);
    bed_release(&bed);
}

TEST(trouble_is_an_error_that_a_model_can_read)
{
    static const char logs[] = "query_component_logs";
    static const char good[] = "{\"namespace\":\"acme\"," RANGE "}";

    bed_init(&bed);
    bed.store->read_status = ERR_IO;
    expect_error(logs, good, "read failed: storage failed");
    bed.store->read_status = OK;
    bed.max_memory = 1;
    expect_error(logs, good, "more memory than one query may use");
    bed.max_memory = SIZE_MAX;
    bed.max_reply = 400;
    expect_error("query_resource_metrics", good, "larger than 400 bytes");
    bed.max_reply = 64 * 1024;
    bed_allow(&bed, ACTION_BIT(ACTION_LOGS_VIEW), "other", "*", "*");
    expect_error(logs, good, "alice may not do logs:view in namespace acme");
    CHECK(mcp_head.denied); /* for the audit */
    bed_release(&bed);
}
