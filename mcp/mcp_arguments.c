/*
 * Checks the arguments of a call against the parameters of its tool. In: what
 * the client sent. Out: an object whose members have the types of the rows, or
 * a message that says what is allowed.
 */
#include <math.h>
#include <string.h>

#include "clock.h"
#include "mcp_tool.h"

static const struct mcp_param no_params[] = {{0}};

static const struct mcp_param *params_of(const struct mcp_tool *tool)
{
    return tool->params ? tool->params : no_params;
}

/* null and "" count as absent: models send them for what they leave out. */
static bool is_absent(const json_t *value)
{
    return !value || json_is_null(value) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

/* ---- one value; each returns false after mcp_fail() ---- */

static bool is_listed(const char *values, struct slice text)
{
    struct slice rest = slice_of(values);

    while (rest.len > 0)
        if (slice_equal(slice_split(&rest, ' '), text))
            return true;
    return false;
}

static json_t *read_text(struct mcp_call *call, const struct mcp_param *param,
                         const json_t *value)
{
    struct slice text = json_text_of(value);

    if (!json_is_string(value))
        mcp_fail(call, "%s must be a string", param->name);
    else if (param->values && !is_listed(param->values, text))
        mcp_fail(call, "%s must be one of: %s", param->name, param->values);
    else
        return json_stringn(text.ptr, text.len);
    return NULL;
}

static json_t *read_time(struct mcp_call *call, const struct mcp_param *param,
                         const json_t *value)
{
    struct slice text = slice_trim(json_text_of(value), PARAMS_BLANKS);
    char rfc3339[CLOCK_TEXT];
    uint64_t ns;

    if (clock_parse_rfc3339(text, &ns))
        return json_stringn(text.ptr, text.len);
    if (clock_parse_time(text, call->request->now_ns, &ns))
        return json_stringn(rfc3339, clock_format_rfc3339(rfc3339, ns));
    mcp_fail(call,
             "%s must be an RFC 3339 time such as 2026-08-21T08:00:00Z, or "
             "relative to now such as now-1h",
             param->name);
    return NULL;
}

static json_t *read_duration(struct mcp_call *call,
                             const struct mcp_param *param, const json_t *value)
{
    struct slice text = slice_trim(json_text_of(value), PARAMS_BLANKS);
    uint64_t ns;

    if (clock_parse_duration(text, &ns) && ns > 0)
        return json_stringn(text.ptr, text.len);
    mcp_fail(call, "%s must be a duration above zero such as 15s, 1m or 1h",
             param->name);
    return NULL;
}

/* All numbers of the body are reals (mcp_message.c). */
static json_t *read_number(struct mcp_call *call, const struct mcp_param *param,
                           const json_t *value)
{
    const char *kind = param->type == MCP_INTEGER ? "an integer" : "a number";
    bool bounded = param->min != 0 || param->max != 0;
    double number = json_number_value(value);
    bool right = json_is_number(value) &&
                 (param->type == MCP_NUMBER || number == floor(number)) &&
                 fabs(number) <= 9007199254740992.0;

    if (right && (!bounded || (number >= param->min && number <= param->max)))
        return param->type == MCP_INTEGER ? json_integer((json_int_t)number)
                                          : json_real(number);
    if (bounded)
        mcp_fail(call, "%s must be %s from %.10g to %.10g", param->name, kind,
                 param->min, param->max);
    else
        mcp_fail(call, "%s must be %s", param->name, kind);
    return NULL;
}

static json_t *read_texts(struct mcp_call *call, const struct mcp_param *param,
                          const json_t *value)
{
    json_t *list, *item;
    size_t i;

    if (!json_is_array(value) || json_array_size(value) > PARAMS_MAX_LIST) {
        mcp_fail(call, "%s must be an array of at most %d strings", param->name,
                 PARAMS_MAX_LIST);
        return NULL;
    }
    list = json_array();
    json_array_foreach(value, i, item)
    {
        json_t *text = read_text(call, param, item);

        if (!text) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, text);
    }
    return list;
}

static json_t *read_value(struct mcp_call *call, const struct mcp_param *param,
                          const json_t *value)
{
    switch (param->type) {
    case MCP_TEXT:
        return read_text(call, param, value);
    case MCP_TIME:
        return read_time(call, param, value);
    case MCP_DURATION:
        return read_duration(call, param, value);
    case MCP_INTEGER:
    case MCP_NUMBER:
        return read_number(call, param, value);
    case MCP_TEXTS:
        return read_texts(call, param, value);
    case MCP_BOOL:
        break;
    }
    if (json_is_boolean(value))
        return json_boolean(json_is_true(value));
    mcp_fail(call, "%s must be true or false", param->name);
    return NULL;
}

/* ---- all of them ---- */

static const struct mcp_param *param_named(const struct mcp_tool *tool,
                                           const char *name)
{
    for (const struct mcp_param *p = params_of(tool); p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    return NULL;
}

static void fail_unknown(struct mcp_call *call, const char *name)
{
    char names[MCP_MESSAGE / 2] = "";
    size_t len = 0;

    for (const struct mcp_param *p = params_of(call->tool); p->name; p++)
        if (len + strlen(p->name) + 3 < sizeof(names))
            len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
                                    len ? ", " : "", p->name);
    mcp_fail(call, "unknown argument \"%.80s\"; %s takes: %s", name,
             call->tool->name, len ? names : "no arguments");
}

static void check_known(struct mcp_call *call, json_t *sent)
{
    const char *name;
    json_t *value;

    json_object_foreach(sent, name, value)
    {
        if (!param_named(call->tool, name))
            fail_unknown(call, name);
    }
}

static void read_param(struct mcp_call *call, const struct mcp_param *param,
                       const json_t *sent)
{
    const json_t *value = json_object_get(sent, param->name);
    json_t *preset = NULL, *read;

    if (is_absent(value) && param->flags & MCP_REQUIRED) {
        mcp_fail(call, "%s is required: %s", param->name, param->description);
        return;
    }
    if (is_absent(value) && param->preset)
        value = preset = json_loads(param->preset, JSON_DECODE_ANY, NULL);
    read = is_absent(value) ? NULL : read_value(call, param, value);
    if (read)
        json_object_set_new(call->arguments, param->name, read);
    json_decref(preset);
}

void mcp_check_arguments(struct mcp_call *call, json_t *sent)
{
    const struct mcp_param *params = params_of(call->tool);

    call->arguments = json_object();
    if (sent && !json_is_null(sent) && !json_is_object(sent)) {
        mcp_fail(call, "arguments must be an object");
        return;
    }
    check_known(call, sent);
    for (const struct mcp_param *p = params; p->name; p++)
        read_param(call, p, sent);
    for (const struct mcp_param *p = params; p->name; p++)
        if (p->needs && json_object_get(call->arguments, p->name) &&
            !json_object_get(call->arguments, p->needs))
            mcp_fail(call, "%s is required when %s is given", p->needs,
                     p->name);
}

/* ---- for tools ---- */

struct slice mcp_text(const struct mcp_call *call, const char *name)
{
    return json_text_of(json_object_get(call->arguments, name));
}

double mcp_number(const struct mcp_call *call, const char *name,
                  double fallback)
{
    const json_t *value = json_object_get(call->arguments, name);

    return value ? json_number_value(value) : fallback;
}

bool mcp_bool(const struct mcp_call *call, const char *name)
{
    return json_is_true(json_object_get(call->arguments, name));
}

uint64_t mcp_time(const struct mcp_call *call, const char *name)
{
    uint64_t ns = 0;

    return clock_parse_rfc3339(mcp_text(call, name), &ns) ? ns : 0;
}
