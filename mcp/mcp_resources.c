/* Lists resources and templates, and reads a resource through its tool. */
#include "mcp_resources.h"

#include <string.h>

#include "mcp_server.h"
#include "mcp_tool.h"

#define JSON_TYPE "application/json"

static bool is_template(const struct mcp_resource *row)
{
    return strchr(row->uri, '{') != NULL;
}

static bool is_visible(const struct mcp_resource *row,
                       const struct query_request *request)
{
    const struct mcp_tool *tool = mcp_tool_find(slice_of(row->tool));

    return tool && mcp_tool_is_visible(tool, request);
}

static void write_row(struct jsonw *w, const struct mcp_resource *row)
{
    jsonw_open(w, '{');
    jsonw_member_text(w, is_template(row) ? "uriTemplate" : "uri",
                      slice_of(row->uri));
    jsonw_member_text(w, "name", slice_of(row->name));
    jsonw_member_text(w, "title", slice_of(row->title));
    jsonw_member_text(w, "description", slice_of(row->description));
    jsonw_member_text(w, "mimeType", SLICE(JSON_TYPE));
    jsonw_close(w, '}');
}

static void write_rows(struct mcp_message *message, const char *name,
                       bool templates)
{
    struct query_request *request = message->request;
    struct jsonw *w = &request->json;

    if (mcp_has_cursor(message))
        return;
    mcp_result_begin(message);
    jsonw_name(w, name);
    jsonw_open(w, '[');
    for (const struct mcp_resource *row = mcp_resource_rows; row->uri; row++)
        if (is_template(row) == templates && is_visible(row, request))
            write_row(w, row);
    jsonw_close(w, ']');
    mcp_result_end(message, mcp_cache_of_asker);
}

void mcp_list_resources(struct mcp_message *message)
{
    write_rows(message, "resources", false);
}

void mcp_list_templates(struct mcp_message *message)
{
    write_rows(message, "resourceTemplates", true);
}

/* ---- addresses ---- */

/* One segment of an address, up to `end`, as a text; NULL: it is empty or too
 * long. */
static json_t *segment_text(struct slice segment)
{
    char text[512];

    if (segment.len == 0 || segment.len >= sizeof(text))
        return NULL;
    slice_copy(text, segment);
    return json_stringn(text, http_unescape(text, segment.len, false));
}

/* Takes {name} and its segment; false: no match. */
static bool match_name(struct slice *pattern, struct slice *uri, json_t *names)
{
    struct slice name = slice_from(*pattern, 1), segment;
    const char *slash;
    json_t *text;

    *pattern = name;
    name = slice_split(pattern, '}');
    slash = uri->len > 0 ? memchr(uri->ptr, '/', uri->len) : NULL;
    segment =
        (struct slice){uri->ptr, slash ? (size_t)(slash - uri->ptr) : uri->len};
    *uri = slice_from(*uri, segment.len);
    text = segment_text(segment);
    return text && json_object_setn_new(names, name.ptr, name.len, text) == 0;
}

json_t *mcp_uri_match(const char *pattern, struct slice uri)
{
    struct slice rest = slice_of(pattern);
    json_t *names = json_object();
    bool same = true;

    while (same && rest.len > 0) {
        if (rest.ptr[0] == '{') {
            same = match_name(&rest, &uri, names);
            continue;
        }
        same = uri.len > 0 && uri.ptr[0] == rest.ptr[0];
        rest = slice_from(rest, 1);
        uri = slice_from(uri, same);
    }
    if (same && uri.len == 0)
        return names;
    json_decref(names);
    return NULL;
}

/* ---- reading ---- */

static void fail(struct mcp_message *message, struct slice uri,
                 const char *text)
{
    struct buf data;
    struct jsonw w;

    buf_init(&data, 4096);
    jsonw_init(&w, &data);
    jsonw_open(&w, '{');
    jsonw_member_text(&w, "uri", slice_truncate(uri, 512));
    jsonw_close(&w, '}');
    buf_byte(&data, '\0');
    mcp_error(message, 200, MCP_INVALID_PARAMS, data.ptr, "%s", text);
    buf_release(&data);
}

static void write_contents(struct mcp_message *message, struct slice uri,
                           const struct mcp_call *call)
{
    struct jsonw *w = &message->request->json;

    mcp_result_begin(message);
    jsonw_name(w, "contents");
    jsonw_open(w, '[');
    jsonw_open(w, '{');
    jsonw_member_text(w, "uri", uri);
    jsonw_member_text(w, "mimeType", SLICE(JSON_TYPE));
    jsonw_name(w, "text");
    mcp_call_write_text(w, call);
    jsonw_close(w, '}');
    jsonw_close(w, ']');
    mcp_result_end(message, (struct mcp_cache){0, "private"});
}

static void read_row(struct mcp_message *message, struct slice uri,
                     const struct mcp_resource *row, json_t *names)
{
    struct mcp_call call = {.request = message->request,
                            .tool = mcp_tool_find(slice_of(row->tool))};
    json_t *further =
        row->arguments ? json_loads(row->arguments, 0, NULL) : NULL;

    json_object_update(names, further);
    json_decref(further);
    mcp_call_begin(&call, names);
    mcp_call_run(&call);
    if (call.failed && !call.waits)
        fail(message, uri, call.message);
    else if (!call.waits)
        write_contents(message, uri, &call);
    mcp_call_release(&call);
}

void mcp_read_resource(struct mcp_message *message)
{
    struct slice uri = json_text_of(json_object_get(message->params, "uri"));

    for (const struct mcp_resource *row = mcp_resource_rows; row->uri; row++) {
        json_t *names = mcp_uri_match(row->uri, uri);
        bool found = names && is_visible(row, message->request);

        if (found)
            read_row(message, uri, row, names);
        json_decref(names);
        if (found)
            return;
    }
    fail(message, uri,
         "unknown resource; resources/list and resources/templates/list have "
         "those there are");
}
