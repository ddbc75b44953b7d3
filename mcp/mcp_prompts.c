/* Lists prompts, and fills in their texts. */
#include "mcp_prompts.h"

#include <string.h>

#include "mcp_server.h"

enum { MAX_TEXT = 64 * 1024 };

static const struct mcp_prompt_argument no_arguments[] = {{0}};

static const struct mcp_prompt_argument *arguments_of(
    const struct mcp_prompt *prompt)
{
    return prompt->arguments ? prompt->arguments : no_arguments;
}

static void write_argument(struct jsonw *w,
                           const struct mcp_prompt_argument *argument)
{
    jsonw_open(w, '{');
    jsonw_member_text(w, "name", slice_of(argument->name));
    jsonw_member_text(w, "description", slice_of(argument->description));
    jsonw_name(w, "required");
    jsonw_bool(w, !argument->preset);
    jsonw_close(w, '}');
}

static void write_prompt(struct jsonw *w, const struct mcp_prompt *prompt)
{
    const struct mcp_prompt_argument *argument = arguments_of(prompt);

    jsonw_open(w, '{');
    jsonw_member_text(w, "name", slice_of(prompt->name));
    jsonw_member_text(w, "title", slice_of(prompt->title));
    jsonw_member_text(w, "description", slice_of(prompt->description));
    jsonw_name(w, "arguments");
    jsonw_open(w, '[');
    for (; argument->name; argument++)
        write_argument(w, argument);
    jsonw_close(w, ']');
    jsonw_close(w, '}');
}

void mcp_list_prompts(struct mcp_message *message)
{
    struct jsonw *w = &message->request->json;

    if (mcp_has_cursor(message))
        return;
    mcp_result_begin(message);
    jsonw_name(w, "prompts");
    jsonw_open(w, '[');
    for (const struct mcp_prompt *p = mcp_prompt_rows; p->name; p++)
        write_prompt(w, p);
    jsonw_close(w, ']');
    mcp_result_end(message, (struct mcp_cache){3600000, "public"});
}

/* ---- one prompt ---- */

static struct slice value_of(const struct mcp_prompt_argument *argument,
                             const json_t *given)
{
    struct slice text = slice_trim(
        json_text_of(json_object_get(given, argument->name)), PARAMS_BLANKS);

    if (text.len > 0)
        return text;
    return slice_of(argument->preset ? argument->preset : "");
}

static void add_named(struct buf *text, const struct mcp_prompt *prompt,
                      struct slice name, const json_t *given)
{
    const struct mcp_prompt_argument *argument = arguments_of(prompt);

    for (; argument->name; argument++)
        if (slice_equal(slice_of(argument->name), name))
            buf_add(text, value_of(argument, given));
}

static void fill_in(struct buf *text, const struct mcp_prompt *prompt,
                    const json_t *given)
{
    struct slice rest = slice_of(prompt->text);

    while (rest.len > 0) {
        bool more = memchr(rest.ptr, '{', rest.len) != NULL;

        buf_add(text, slice_split(&rest, '{'));
        if (more)
            add_named(text, prompt, slice_split(&rest, '}'), given);
    }
}

/* True: one is missing or no text, and an error was written. */
static bool lacks_argument(struct mcp_message *message,
                           const struct mcp_prompt *prompt, const json_t *given)
{
    const struct mcp_prompt_argument *argument = arguments_of(prompt);

    for (; argument->name; argument++) {
        const json_t *value = json_object_get(given, argument->name);

        if (value && !json_is_null(value) && !json_is_string(value))
            return mcp_error(message, 400, MCP_INVALID_PARAMS, NULL,
                             "%s must be a string", argument->name);
        if (!argument->preset && value_of(argument, given).len == 0)
            return mcp_error(message, 400, MCP_INVALID_PARAMS, NULL,
                             "%s is required: %s", argument->name,
                             argument->description);
    }
    return false;
}

static void write_message(struct jsonw *w, struct slice text)
{
    jsonw_name(w, "messages");
    jsonw_open(w, '[');
    jsonw_open(w, '{');
    jsonw_member_text(w, "role", SLICE("user"));
    jsonw_name(w, "content");
    jsonw_open(w, '{');
    jsonw_member_text(w, "type", SLICE("text"));
    jsonw_member_text(w, "text", text);
    jsonw_close(w, '}');
    jsonw_close(w, '}');
    jsonw_close(w, ']');
}

void mcp_get_prompt(struct mcp_message *message)
{
    struct slice name = json_text_of(json_object_get(message->params, "name"));
    const json_t *given = json_object_get(message->params, "arguments");
    const struct mcp_prompt *prompt = mcp_prompt_rows;
    struct jsonw *w = &message->request->json;
    struct buf text;

    while (prompt->name && !slice_equal(slice_of(prompt->name), name))
        prompt++;
    if (!prompt->name) {
        mcp_error(message, 200, MCP_INVALID_PARAMS, NULL,
                  "unknown prompt: %.*s; prompts/list has those there are",
                  SLICE_ARGS(slice_truncate(name, 128)));
        return;
    }
    if (lacks_argument(message, prompt, given))
        return;
    buf_init(&text, MAX_TEXT);
    fill_in(&text, prompt, given);
    mcp_result_begin(message);
    jsonw_member_text(w, "description", slice_of(prompt->description));
    write_message(w, buf_slice(&text));
    mcp_result_end(message, mcp_not_kept);
    buf_release(&text);
}
