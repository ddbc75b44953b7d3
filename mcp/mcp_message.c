/*
 * Reads a message, and tells its era. In: the body and the headers. Out: struct
 * mcp_message, or a JSON-RPC error.
 */
#include "mcp_message.h"

#include <string.h>

#include "json_scan.h"

#define META "io.modelcontextprotocol/"

/* ---- the id ---- */

/* The text of the member as it was sent; ptr NULL: there is none, or it is not
 * a string or number. */
static struct slice raw_id(struct slice body)
{
    struct json_scan scan;
    struct json_member member;

    if (!json_scan_open(&scan, body, '{'))
        return (struct slice){NULL, 0};
    while (json_scan_next(&scan, &member)) {
        if (!slice_equal(member.key, SLICE("id")))
            continue;
        if (member.kind == '"')
            return (struct slice){member.value.ptr - 1, member.value.len + 2};
        if (member.kind == '0')
            return member.value;
    }
    return (struct slice){NULL, 0};
}

struct slice mcp_message_id(struct slice body)
{
    struct slice id = raw_id(body);
    json_t *value = id.ptr
                        ? json_loadb(id.ptr, id.len,
                                     JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL |
                                         JSON_ALLOW_NUL,
                                     NULL)
                        : NULL;
    bool valid = json_is_string(value) || json_is_number(value);

    json_decref(value);
    return valid ? id : (struct slice){NULL, 0};
}

/* ---- the envelope ---- */

static bool read_document(struct mcp_message *message)
{
    struct query_request *request = message->request;
    struct slice body = request->raw_body;
    json_error_t error;

    if (query_count_values(body) > QUERY_MAX_VALUES)
        return !mcp_error(message, 413, MCP_INVALID_REQUEST, NULL,
                          "the body has more than %d values", QUERY_MAX_VALUES);
    if (body.len > 0)
        message->document =
            json_loadb(body.ptr, body.len,
                       JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL |
                           JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES,
                       &error);
    if (!message->document)
        return !mcp_error(message, 400, MCP_PARSE_ERROR, NULL,
                          "the body is no JSON: %s",
                          body.len ? error.text : "it is empty");
    if (json_is_array(message->document))
        return !mcp_error(message, 400, MCP_INVALID_REQUEST, NULL,
                          "batches are not supported; send one message a "
                          "request");
    if (!json_is_object(message->document))
        return !mcp_error(message, 400, MCP_INVALID_REQUEST, NULL,
                          "the body must be a JSON-RPC message, an object");
    return true;
}

static bool read_envelope(struct mcp_message *message)
{
    const json_t *document = message->document;
    const json_t *id = json_object_get(document, "id");
    const json_t *method = json_object_get(document, "method");
    const json_t *params = json_object_get(document, "params");

    if (!slice_equal(json_text_of(json_object_get(document, "jsonrpc")),
                     SLICE("2.0")))
        return !mcp_error(message, 400, MCP_INVALID_REQUEST, NULL,
                          "jsonrpc must be \"2.0\"");
    if (id)
        message->id = mcp_message_id(message->request->raw_body);
    if (id && !message->id.ptr)
        return !mcp_error(message, 400, MCP_INVALID_REQUEST, NULL,
                          "id must be a string or a number");
    message->is_response = !method && (json_object_get(document, "result") ||
                                       json_object_get(document, "error"));
    if (!json_is_string(method) && !message->is_response)
        return !mcp_error(message, 400, MCP_INVALID_REQUEST, NULL,
                          "method must be a string");
    message->method = json_text_of(method);
    if (params && !json_is_object(params))
        return !mcp_error(message, 400, MCP_INVALID_PARAMS, NULL,
                          "params must be an object");
    message->params = params;
    message->meta = json_object_get(params, "_meta");
    return true;
}

/* ---- the era, and the headers of the modern one ---- */

/* 2026-07-28: versions are dates, so they compare as texts. */
static bool is_date(struct slice text)
{
    static const char form[] = "dddd-dd-dd";

    if (text.len != sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (form[i] == 'd' ? text.ptr[i] < '0' || text.ptr[i] > '9'
                           : text.ptr[i] != form[i])
            return false;
    return true;
}

static bool is_legacy_version(struct slice version)
{
    static const char *const known[] = {"2024-11-05", "2025-03-26",
                                        "2025-06-18", MCP_LEGACY};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (slice_equal(version, slice_of(known[i])))
            return true;
    return false;
}

static bool fail_version(struct mcp_message *message, struct slice version)
{
    struct buf data;

    buf_init(&data, 1024);
    buf_format(&data, "{\"supported\":[\"" MCP_MODERN "\"],\"requested\":");
    struct jsonw w;

    jsonw_init(&w, &data);
    jsonw_text(&w, slice_truncate(version, 64));
    buf_format(&data, "}");
    buf_byte(&data, '\0');
    mcp_error(message, 400, MCP_VERSION, data.status == OK ? data.ptr : NULL,
              "the protocol version is not supported; supported: " MCP_MODERN
              ", and by initialize 2025-03-26 to " MCP_LEGACY);
    buf_release(&data);
    return false;
}

/* What is no visible ASCII is sent as "=?base64?...?=". Compared in that form:
 * so a text has one spelling, but for the padding. */
static bool header_is(struct slice header, struct slice text)
{
    struct buf coded;
    struct jsonw w;
    bool equal;

    if (!slice_starts(header, SLICE("=?base64?")) ||
        !slice_ends(header, SLICE("?=")) || header.len < 11)
        return slice_equal(header, text);
    header = slice_from(header, 9);
    header.len -= 2;
    while (header.len > 0 && header.ptr[header.len - 1] == '=')
        header.len--;
    buf_init(&coded, 2 * text.len + 16);
    jsonw_init(&w, &coded);
    jsonw_base64(&w, text);
    equal =
        coded.len >= header.len + 2 &&
        slice_equal((struct slice){coded.ptr + 1, header.len}, header) &&
        (coded.ptr[header.len + 1] == '=' || coded.ptr[header.len + 1] == '"');
    buf_release(&coded);
    return equal;
}

/* The member of params that Mcp-Name repeats; NULL: none does. */
static const char *name_member(struct slice method)
{
    if (slice_equal(method, SLICE("tools/call")) ||
        slice_equal(method, SLICE("prompts/get")))
        return "name";
    return slice_equal(method, SLICE("resources/read")) ? "uri" : NULL;
}

static bool check_name(struct mcp_message *message)
{
    const struct http_request *http = message->request->http;
    const char *member = name_member(message->method);
    struct slice name = http->mcp_name;

    if (!member)
        return true;
    if (!name.ptr)
        return !mcp_error(message, 400, MCP_HEADER_MISMATCH, NULL,
                          "the header Mcp-Name is missing");
    if (!header_is(name,
                   json_text_of(json_object_get(message->params, member))))
        return !mcp_error(message, 400, MCP_HEADER_MISMATCH, NULL,
                          "the header Mcp-Name is not params.%s", member);
    return true;
}

static bool check_modern(struct mcp_message *message)
{
    const struct http_request *http = message->request->http;
    const json_t *sent = json_object_get(message->meta, META "protocolVersion");
    struct slice version = json_text_of(sent);

    if (!http->mcp_method.ptr || !http->mcp_version.ptr)
        return !mcp_error(
            message, 400, MCP_HEADER_MISMATCH, NULL, "the header %s is missing",
            http->mcp_version.ptr ? "Mcp-Method" : "MCP-Protocol-Version");
    if (!slice_equal(http->mcp_method, message->method))
        return !mcp_error(message, 400, MCP_HEADER_MISMATCH, NULL,
                          "the header Mcp-Method is not the method");
    if (sent && !slice_equal(http->mcp_version, version))
        return !mcp_error(message, 400, MCP_HEADER_MISMATCH, NULL,
                          "the header MCP-Protocol-Version is not "
                          "params._meta[\"" META "protocolVersion\"]");
    if (!check_name(message))
        return false;
    if (!slice_equal(http->mcp_version, SLICE(MCP_MODERN)))
        return fail_version(message, http->mcp_version);
    if (!message->id.ptr)
        return true;
    if (!sent || !json_is_object(
                     json_object_get(message->meta, META "clientCapabilities")))
        return !mcp_error(message, 400, MCP_INVALID_PARAMS, NULL,
                          "params._meta[\"" META "%s\"] is missing",
                          sent ? "clientCapabilities" : "protocolVersion");
    return true;
}

static bool check_era(struct mcp_message *message)
{
    struct slice header = message->request->http->mcp_version;

    message->modern =
        json_object_get(message->meta, META "protocolVersion") ||
        (is_date(header) && slice_compare(header, SLICE(MCP_MODERN)) >= 0);
    if (message->is_response)
        return true;
    if (message->modern)
        return check_modern(message);
    if (header.ptr && !is_legacy_version(header))
        return fail_version(message, header);
    return true;
}

bool mcp_message_read(struct mcp_message *message,
                      struct query_request *request)
{
    *message = (struct mcp_message){.request = request};
    return read_document(message) && read_envelope(message) &&
           check_era(message);
}

void mcp_message_release(struct mcp_message *message)
{
    json_decref(message->document);
    message->document = NULL;
}
