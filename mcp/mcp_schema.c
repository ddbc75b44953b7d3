/*
 * JSON Schema (2020-12) of a tool. In: its parameters, and the reply table of
 * its route. Out: inputSchema and outputSchema.
 */
#include <string.h>

#include "mcp_tool.h"

/* ---- arguments ---- */

static const char *type_name(enum mcp_type type)
{
    switch (type) {
    case MCP_INTEGER:
        return "integer";
    case MCP_NUMBER:
        return "number";
    case MCP_BOOL:
        return "boolean";
    case MCP_TEXTS:
        return "array";
    default:
        return "string";
    }
}

static void write_values(struct jsonw *w, const char *values)
{
    struct slice rest = slice_of(values);

    jsonw_name(w, "enum");
    jsonw_open(w, '[');
    while (rest.len > 0)
        jsonw_text(w, slice_split(&rest, ' '));
    jsonw_close(w, ']');
}

/* What a text may be: of the argument, or of an item of it. */
static void write_text_type(struct jsonw *w, const struct mcp_param *param)
{
    jsonw_member_text(w, "type", SLICE("string"));
    if (param->values)
        write_values(w, param->values);
}

static void write_param(struct jsonw *w, const struct mcp_param *param)
{
    jsonw_name(w, param->name);
    jsonw_open(w, '{');
    if (param->type == MCP_TEXTS) {
        jsonw_member_text(w, "type", SLICE("array"));
        jsonw_name(w, "items");
        jsonw_open(w, '{');
        write_text_type(w, param);
        jsonw_close(w, '}');
    } else if (param->type == MCP_TEXT) {
        write_text_type(w, param);
    } else {
        jsonw_member_text(w, "type", slice_of(type_name(param->type)));
    }
    jsonw_member_text(w, "description", slice_of(param->description));
    if (param->min != 0 || param->max != 0) {
        jsonw_name(w, "minimum");
        jsonw_double(w, param->min);
        jsonw_name(w, "maximum");
        jsonw_double(w, param->max);
    }
    if (param->preset) {
        jsonw_name(w, "default");
        jsonw_raw(w, slice_of(param->preset));
    }
    jsonw_close(w, '}');
}

static void write_required(struct jsonw *w, const struct mcp_param *params)
{
    bool any = false;

    for (const struct mcp_param *p = params; p->name; p++)
        any = any || p->flags & MCP_REQUIRED;
    if (!any)
        return;
    jsonw_name(w, "required");
    jsonw_open(w, '[');
    for (const struct mcp_param *p = params; p->name; p++)
        if (p->flags & MCP_REQUIRED)
            jsonw_cstr(w, p->name);
    jsonw_close(w, ']');
}

/* An argument that needs another one. */
static void write_needs(struct jsonw *w, const struct mcp_param *params)
{
    bool any = false;

    for (const struct mcp_param *p = params; p->name; p++)
        any = any || p->needs;
    if (!any)
        return;
    jsonw_name(w, "dependentRequired");
    jsonw_open(w, '{');
    for (const struct mcp_param *p = params; p->name; p++)
        if (p->needs) {
            jsonw_name(w, p->name);
            jsonw_open(w, '[');
            jsonw_cstr(w, p->needs);
            jsonw_close(w, ']');
        }
    jsonw_close(w, '}');
}

void mcp_write_input_schema(struct jsonw *w, const struct mcp_tool *tool)
{
    const struct mcp_param *params = tool->params;

    jsonw_open(w, '{');
    jsonw_member_text(w, "type", SLICE("object"));
    if (params && params->name) {
        jsonw_name(w, "properties");
        jsonw_open(w, '{');
        for (const struct mcp_param *p = params; p->name; p++)
            write_param(w, p);
        jsonw_close(w, '}');
        write_required(w, params);
        write_needs(w, params);
    }
    jsonw_name(w, "additionalProperties");
    jsonw_bool(w, false);
    jsonw_close(w, '}');
}

/* ---- the answer of a route ---- */

enum { MAX_DEPTH = 12, SHAPED_DEPTH = 1 };

/* Deeper, or a table within itself: any value. An answer that is shaped has no
 * nulls, and any member may be missing; its schema is short, since it takes
 * room in the context of a model. */
struct schema_at {
    int depth, max;
    bool shaped;
};
static struct schema_at below(struct schema_at at)
{
    at.depth++;
    return at;
}

static void write_table(struct jsonw *w, const struct reply_table *table,
                        struct schema_at at);

static const char *simple_type(uint8_t type)
{
    switch (type) {
    case REPLY_TYPE_BOOL:
        return "boolean";
    case REPLY_TYPE_UINT32:
    case REPLY_TYPE_UINT64:
    case REPLY_TYPE_INT64:
        return "integer";
    case REPLY_TYPE_DOUBLE:
    case REPLY_TYPE_ROUNDED:
        return "number";
    case REPLY_TYPE_ATTRS:
        return "object";
    default:
        return "string";
    }
}

/* NaN is null, whether the row says so or not. */
static bool may_be_null(const struct reply_member *member)
{
    return member->flags & REPLY_NULL || member->type == REPLY_TYPE_DOUBLE ||
           member->type == REPLY_TYPE_ROUNDED;
}

static void write_type(struct jsonw *w, const char *type, bool null)
{
    jsonw_name(w, "type");
    if (!null) {
        jsonw_cstr(w, type);
        return;
    }
    jsonw_open(w, '[');
    jsonw_cstr(w, type);
    jsonw_cstr(w, "null");
    jsonw_close(w, ']');
}

static void write_value(struct jsonw *w, const struct reply_member *member,
                        struct schema_at at)
{
    bool null = !at.shaped && may_be_null(member);

    if (member->type == REPLY_TYPE_OBJECT && !null) {
        write_table(w, member->table, at);
        return;
    }
    jsonw_open(w, '{');
    if (member->type == REPLY_TYPE_LIST) {
        write_type(w, "array", null);
        jsonw_name(w, "items");
        write_table(w, member->table, at);
    } else if (member->type == REPLY_TYPE_OBJECT) {
        jsonw_name(w, "anyOf");
        jsonw_open(w, '[');
        write_table(w, member->table, at);
        jsonw_raw(w, SLICE("{\"type\":\"null\"}"));
        jsonw_close(w, ']');
    } else {
        write_type(w, simple_type(member->type), null);
    }
    jsonw_close(w, '}');
}

static void write_members(struct jsonw *w, const struct reply_table *table,
                          struct schema_at at)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const struct reply_member *member = &table->members[i];

        if (member->type == REPLY_TYPE_INLINE) {
            write_members(w, member->table, at);
            continue;
        }
        jsonw_name(w, member->name);
        write_value(w, member, below(at));
    }
}

static bool is_required(const struct reply_member *member)
{
    return !(member->flags & REPLY_OMIT_EMPTY) &&
           (!(member->flags & REPLY_POINTER) || member->flags & REPLY_NULL);
}

static void write_required_members(struct jsonw *w,
                                   const struct reply_table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const struct reply_member *member = &table->members[i];

        if (!is_required(member))
            continue;
        if (member->type == REPLY_TYPE_INLINE)
            write_required_members(w, member->table);
        else
            jsonw_cstr(w, member->name);
    }
}

/* Without names: one member is the value itself, several are an array. */
static void write_unnamed(struct jsonw *w, const struct reply_table *table,
                          struct schema_at at)
{
    if (table->count == 1)
        write_value(w, &table->members[0], below(at));
    else
        jsonw_raw(w, SLICE("{\"type\":\"array\"}"));
}

static bool has_member(const struct reply_table *table, const char *name)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const struct reply_member *member = &table->members[i];

        if (member->type == REPLY_TYPE_INLINE ? has_member(member->table, name)
                                              : strcmp(member->name, name) == 0)
            return true;
    }
    return false;
}

/* Of mcp_task_run(). */
static void write_added_members(struct jsonw *w,
                                const struct reply_table *table)
{
    static const struct {
        const char *name, *schema;
    } rows[] = {
        {"window", "{\"type\":\"object\"}"},
        {"empty", "{\"type\":\"object\"}"},
        {"returned", "{\"type\":\"integer\"}"},
        {"total", "{\"type\":\"integer\"}"},
        {"truncated", "{\"type\":\"boolean\"}"},
        {"leftOut", "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"},
        {"url", "{\"type\":\"string\"}"},
        {"next", "{\"type\":\"string\"}"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (!has_member(table, rows[i].name)) {
            jsonw_name(w, rows[i].name);
            jsonw_raw(w, slice_of(rows[i].schema));
        }
}

static void write_table(struct jsonw *w, const struct reply_table *table,
                        struct schema_at at)
{
    if (!table || at.depth > at.max) {
        jsonw_raw(w, SLICE("{}"));
        return;
    }
    if (!table->members[0].name &&
        table->members[0].type != REPLY_TYPE_INLINE) {
        write_unnamed(w, table, at);
        return;
    }
    jsonw_open(w, '{');
    jsonw_member_text(w, "type", SLICE("object"));
    jsonw_name(w, "properties");
    jsonw_open(w, '{');
    write_members(w, table, at);
    if (at.shaped && at.depth == 0)
        write_added_members(w, table);
    jsonw_close(w, '}');
    if (!at.shaped) {
        jsonw_name(w, "required");
        jsonw_open(w, '[');
        write_required_members(w, table);
        jsonw_close(w, ']');
    }
    jsonw_close(w, '}');
}

bool mcp_write_output_schema(struct jsonw *w, const struct mcp_tool *tool)
{
    const struct route *route = mcp_tool_route(tool);
    const char *own = tool->output_schema;

    if (!own &&
        (tool->shape || (tool->run && !tool->task) || !route || !route->reply))
        return false;
    jsonw_name(w, "outputSchema");
    if (own)
        jsonw_raw(w, slice_of(own));
    else
        write_table(w, route->reply,
                    (struct schema_at){0, tool->task ? SHAPED_DEPTH : MAX_DEPTH,
                                       tool->task != NULL});
    return true;
}
