/*
 * From the arguments of a call to the request to a route, by the places that
 * the parameters name. In: call->arguments. Out: struct inner_request, in the
 * arena of the request.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mcp_tool.h"

/* A value as the text of a parameter; lists with commas. */
static struct slice value_text(struct arena *arena, const json_t *value)
{
    struct slice text = SLICE("");
    json_t *item;
    size_t i;

    if (json_is_string(value))
        return json_text_of(value);
    if (json_is_boolean(value))
        return json_is_true(value) ? SLICE("true") : SLICE("false");
    if (json_is_integer(value))
        return arena_format(arena, "%" JSON_INTEGER_FORMAT,
                            json_integer_value(value));
    if (json_is_real(value))
        return arena_format(arena, "%.17g", json_real_value(value));
    json_array_foreach(value, i, item) text =
        arena_format(arena, "%.*s%s%.*s", SLICE_ARGS(text), i ? "," : "",
                     SLICE_ARGS(json_text_of(item)));
    return text;
}

static void set_body(struct mcp_call *call, struct inner_request *asked,
                     json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);

    asked->body = arena_copy(call->request->arena, slice_of(text ? text : ""));
    free(text);
    json_decref(body);
}

static json_t *new_body(const struct mcp_call *call)
{
    const char *fixed = call->tool->body;

    return fixed ? json_loads(fixed, 0, NULL) : json_object();
}

/* A request that is being put together. */
struct mcp_parts {
    struct inner_request *asked;
    struct http_param *params;
    json_t *body, *scope;
};

static void place(struct mcp_call *call, const struct mcp_param *param,
                  json_t *value, const struct mcp_parts *to)
{
    const char *name = param->to ? param->to : param->name;
    struct arena *arena = call->request->arena;
    struct inner_request *asked = to->asked;

    switch (param->place) {
    case MCP_QUERY:
        to->params[asked->param_count++] =
            (struct http_param){slice_of(name), value_text(arena, value)};
        break;
    case MCP_BODY:
        json_object_set(to->body, name, value);
        break;
    case MCP_SCOPE:
        json_object_set(to->scope, name, value);
        break;
    case MCP_PART:
        asked->parts[param->part] = value_text(arena, value);
        break;
    case MCP_NOWHERE:
        break;
    }
}

static void place_all(struct mcp_call *call, const struct mcp_parts *to)
{
    const struct mcp_param *param = call->tool->params;

    for (; param && param->name; param++) {
        json_t *value = json_object_get(call->arguments, param->name);

        if (value)
            place(call, param, value, to);
    }
    if (json_object_size(to->scope) > 0)
        json_object_set(to->body, "searchScope", to->scope);
    to->asked->params = to->params;
}

bool mcp_request(struct mcp_call *call, struct inner_request *asked)
{
    const struct mcp_param *params = call->tool->params;
    struct mcp_parts parts = {.asked = asked};
    size_t count = 0;

    *asked = (struct inner_request){.method = call->tool->method,
                                    .path = call->tool->path};
    while (params && params[count].name)
        count++;
    parts.params =
        arena_zero(call->request->arena, count + 1, sizeof(*parts.params));
    if (!parts.params)
        return false; /* the arena is full: answered after the call */
    parts.body = new_body(call);
    parts.scope = json_object();
    place_all(call, &parts);
    json_decref(parts.scope);
    if (strcmp(asked->method, "GET") == 0)
        json_decref(parts.body);
    else
        set_body(call, asked, parts.body);
    return arena_status(call->request->arena) == OK;
}
