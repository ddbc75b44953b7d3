/* Envelopes, headers, ids and errors of both eras. */
#include "mcp_kit.h"

static struct bed bed;

/* An error, and its HTTP status. */
static void expect_error(json_t *answer, int status, int code)
{
    CHECK_EQ(bed.status, status);
    CHECK_EQ(json_number_value(
                 json_object_get(json_object_get(answer, "error"), "code")),
             code);
    CHECK(bed_at(answer, "error.message").len > 0);
    CHECK_TEXT(bed_at(answer, "jsonrpc"), "2.0");
    json_decref(answer);
}

static void expect_result(json_t *answer)
{
    CHECK_EQ(bed.status, 200);
    CHECK(json_object_get(answer, "result"));
    json_decref(answer);
}

TEST(initialize_takes_the_version_that_both_know)
{
    static const char *const versions[][2] = {
        {"2025-03-26", "2025-03-26"}, {"2025-06-18", "2025-06-18"},
        {"2025-11-25", "2025-11-25"}, {"2024-11-05", "2025-11-25"},
        {"2026-07-28", "2025-11-25"}, {"x", "2025-11-25"}};
    char params[200];
    json_t *answer;

    bed_init(&bed);
    bed.max_reply = sizeof(bed.text) - 1; /* of tools/list */
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        snprintf(params, sizeof(params),
                 "{\"protocolVersion\":\"%s\",\"capabilities\":{},"
                 "\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}",
                 versions[i][0]);
        answer = mcp_legacy(&bed, "initialize", params);
        CHECK_TEXT(bed_at(answer, "result.protocolVersion"), versions[i][1]);
        CHECK_TEXT(bed_at(answer, "result.serverInfo.name"), "callboard");
        CHECK_TEXT(bed_at(answer, "result.capabilities.tools"), "{}");
        CHECK(bed_at(answer, "result.instructions").len > 0);
        CHECK_EQ(bed_at(answer, "result.resultType").len, 0);
        json_decref(answer);
    }
    bed_release(&bed);
}

TEST(discover_is_modern_and_initialize_is_not)
{
    json_t *answer;

    bed_init(&bed);
    bed.max_reply = sizeof(bed.text) - 1; /* of tools/list */
    answer = mcp_modern(&bed, "server/discover", NULL, "");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "id"), "m");
    CHECK_TEXT(bed_at(answer, "result.resultType"), "complete");
    CHECK_TEXT(bed_at(answer, "result.supportedVersions"), "[1]");
    CHECK_TEXT(bed_at(answer, "result.supportedVersions.0"), "2026-07-28");
    CHECK_TEXT(bed_at(answer, "result.cacheScope"), "public");
    CHECK(bed_at(answer, "result.ttlMs").len > 0);
    CHECK_TEXT(
        bed_at(json_object_get(
                   json_object_get(json_object_get(answer, "result"), "_meta"),
                   "io.modelcontextprotocol/serverInfo"),
               "name"),
        "callboard");
    json_decref(answer);
    expect_error(mcp_modern(&bed, "initialize", NULL, ""), 404, -32601);
    expect_error(mcp_modern(&bed, "ping", NULL, ""), 404, -32601);
    expect_error(mcp_modern(&bed, "subscriptions/listen", NULL, ""), 404,
                 -32601);
    expect_error(mcp_legacy(&bed, "server/discover", "{}"), 200, -32601);
    expect_error(mcp_legacy(&bed, "logging/setLevel", "{}"), 200, -32601);
    expect_result(mcp_legacy(&bed, "ping", "{}"));
    bed_release(&bed);
}

TEST(ids_are_given_back_as_they_came)
{
    static const char *const ids[] = {
        "0",     "-1",    "12345678901234567890123", "1.50", "1e3", "\"\"",
        "\"a\"", "\"1\"", "\"\\u00e9\\n\"",          "2.0",
    };
    char body[400], wanted[200];

    bed_init(&bed);
    bed.max_reply = sizeof(bed.text) - 1; /* of tools/list */
    mcp_head = (struct http_request){.len = 0};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        snprintf(body, sizeof(body),
                 "{\"params\":{\"id\":99,\"_meta\":{\"id\":3}},\"id\" : %s ,"
                 "\"method\":\"ping\",\"jsonrpc\":\"2.0\"}",
                 ids[i]);
        json_decref(mcp_post(&bed, body));
        snprintf(wanted, sizeof(wanted),
                 "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{}}", ids[i]);
        CHECK_TEXT(slice_of(bed.text), wanted);
    }
    bed_release(&bed);
}

TEST(what_is_no_message)
{
    static const struct {
        const char *body;
        int code;
    } rows[] = {
        {"", -32700},
        {"{", -32700},
        {"nul", -32700},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}", -32700},
        {"\xff", -32700},
        {"[]", -32600},
        {"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32600},
        {"1", -32600},
        {"null", -32600},
        {"{}", -32600},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", -32600},
        {"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"ping\"}", -32600},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", -32600},
        {"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"ping\"}", -32600},
        {"{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"ping\"}", -32600},
        {"{\"jsonrpc\":\"2.0\",\"\\u0069d\":1,\"method\":\"ping\"}", -32600},
    };

    bed_init(&bed);
    bed.max_reply = sizeof(bed.text) - 1; /* of tools/list */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mcp_head = (struct http_request){.len = 0};
        json_t *answer = mcp_post(&bed, rows[i].body);

        if (bed.status != 200)
            expect_error(answer, 400, rows[i].code);
        else /* what has an id is answered with 200 in the legacy era */
            expect_error(answer, 200, rows[i].code);
    }
    bed_release(&bed);
}

TEST(notifications_have_no_answer)
{
    static const char *const bodies[] = {
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"unknown\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1}}",
    };

    bed_init(&bed);
    bed.max_reply = sizeof(bed.text) - 1; /* of tools/list */
    mcp_head = (struct http_request){.len = 0};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        json_decref(mcp_post(&bed, bodies[i]));
        CHECK_EQ(bed.status, 202);
        CHECK_EQ(bed.len, 0);
    }
    bed_release(&bed);
}

TEST(headers_are_the_body_or_it_is_refused)
{
    static const char body[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"
        "{\"name\":\"caf\xc3\xa9\"," MCP_KIT_META "}}";
    static const struct {
        struct slice version, method, name;
        int status, code;
    } rows[] = {
        {SLICE_INIT("2026-07-28"), SLICE_INIT("tools/call"),
         SLICE_INIT("=?base64?Y2Fmw6k=?="), 200, -32602},
        {SLICE_INIT("2026-07-28"), SLICE_INIT("tools/call"),
         SLICE_INIT("=?base64?Y2Fmw6k?="), 200, -32602},
        {SLICE_INIT("2026-07-28"), SLICE_INIT("tools/call"),
         SLICE_INIT("=?base64?Y2Fm?="), 400, -32020},
        {SLICE_INIT("2026-07-28"), SLICE_INIT("tools/call"),
         SLICE_INIT("=?base64?"
                    "?="),
         400, -32020},
        {SLICE_INIT("2026-07-28"), SLICE_INIT("tools/call"), SLICE_INIT("cafe"),
         400, -32020},
        {SLICE_INIT("2026-07-28"),
         SLICE_INIT("tools/call"),
         {NULL, 0},
         400,
         -32020},
        {SLICE_INIT("2026-07-28"), SLICE_INIT("Tools/call"),
         SLICE_INIT("=?base64?Y2Fmw6k=?="), 400, -32020},
        {SLICE_INIT("2026-07-28"),
         {NULL, 0},
         SLICE_INIT("=?base64?Y2Fmw6k=?="),
         400,
         -32020},
        {{NULL, 0},
         SLICE_INIT("tools/call"),
         SLICE_INIT("=?base64?Y2Fmw6k=?="),
         400,
         -32020},
        {SLICE_INIT("2025-11-25"), SLICE_INIT("tools/call"),
         SLICE_INIT("=?base64?Y2Fmw6k=?="), 400, -32020},
        {SLICE_INIT("2027-01-01"), SLICE_INIT("tools/call"),
         SLICE_INIT("=?base64?Y2Fmw6k=?="), 400, -32020},
    };

    bed_init(&bed);
    bed.max_reply = sizeof(bed.text) - 1; /* of tools/list */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mcp_head = (struct http_request){.mcp_version = rows[i].version,
                                         .mcp_method = rows[i].method,
                                         .mcp_name = rows[i].name};
        expect_error(mcp_post(&bed, body), rows[i].status, rows[i].code);
    }
    bed_release(&bed);
}

TEST(what_a_modern_request_must_carry)
{
    static const char bare[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
                               "\"tools/list\",\"params\":%s}";
    static const struct {
        const char *params, *header;
        int code;
    } rows[] = {
        {"{}", "2026-07-28", -32602},
        {"{\"_meta\":{}}", "2026-07-28", -32602},
        {"{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":"
         "\"2026-07-28\"}}",
         "2026-07-28", -32602},
        {"{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":"
         "\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":1}}",
         "2026-07-28", -32602},
        {"{}", "2099-01-01", -32022},
        {"{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":"
         "\"2099-01-01\",\"io.modelcontextprotocol/clientCapabilities\":{}}}",
         "2099-01-01", -32022},
        {"{}", "2025-01-01", -32022}, /* legacy, and unknown */
        {"{}", "latest", -32022},
    };
    char body[600];

    bed_init(&bed);
    bed.max_reply = sizeof(bed.text) - 1; /* of tools/list */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mcp_head =
            (struct http_request){.mcp_version = slice_of(rows[i].header),
                                  .mcp_method = SLICE("tools/list")};
        snprintf(body, sizeof(body), bare, rows[i].params);
        expect_error(mcp_post(&bed, body), 400, rows[i].code);
    }
    CHECK(strstr(bed.text, "\"supported\":[\"2026-07-28\"]"));
    CHECK(strstr(bed.text, "\"requested\":\"latest\""));
    bed.max_reply = sizeof(bed.text) - 1;
    for (size_t i = 0; i < 3; i++) { /* legacy clients say theirs later */
        static const char *const known[] = {"2025-03-26", "2025-06-18",
                                            "2025-11-25"};

        mcp_head = (struct http_request){.mcp_version = slice_of(known[i])};
        snprintf(body, sizeof(body), bare, "{}");
        expect_result(mcp_post(&bed, body));
    }
    bed_release(&bed);
}

TEST(errors_of_the_server_are_json_rpc)
{
    json_t *answer;

    bed_init(&bed);
    bed.max_reply = sizeof(bed.text) - 1; /* of tools/list */
    mcp_head = (struct http_request){.len = 0};
    bed.content_type = "text/plain";
    answer = mcp_post(&bed, "{\"jsonrpc\":\"2.0\",\"id\":\"x\","
                            "\"method\":\"ping\"}");
    CHECK_TEXT(bed_at(answer, "id"), "x");
    expect_error(answer, 400, -32600);
    bed.content_type = "application/json; charset=utf-8";
    expect_error(bed_ask(&bed, "GET", "/mcp", NULL), 405, -32600);
    expect_error(bed_ask(&bed, "DELETE", "/mcp", NULL), 405, -32600);
    expect_error(bed_ask(&bed, "GET", "/mcp/x", NULL), 404, -32601);
    bed_release(&bed);
}
