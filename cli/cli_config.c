/* `callboard config`: the contexts of the configuration file. */
#define _GNU_SOURCE /* explicit_bzero */
#include <stdlib.h>
#include <string.h>

#include "cli_table.h"
#include "mem.h"
#include "utf8.h"

enum { MAX_TOKEN = 16 * 1024 };

/* clang-format off */
static const struct cli_column columns[] = {
    {"CURRENT", "current", FORMAT_YES, 0},
    {"NAME", "name", FORMAT_TEXT, 0},
    {"SERVER", "server", FORMAT_TEXT, COLUMN_LONG},
    {"NAMESPACE", "namespace", FORMAT_TEXT, 0},
    {"PROJECT", "project", FORMAT_TEXT, 0},
    {"ENVIRONMENT", "environment", FORMAT_TEXT, 0},
    {.head = NULL}};
/* clang-format on */

static int fail(const char *text, const char *name)
{
    fprintf(stderr, "callboard config: %s%s\n", text, name);
    return CLI_MISUSED;
}

static int save(const struct cli_call *call, const char *done)
{
    char why[CLI_WHY];

    if (!cli_contexts_save(&call->contexts, why)) {
        fprintf(stderr, "callboard config: %s\n", why);
        return CLI_FAILED;
    }
    printf("Context \"%s\" %s.\n", call->given.words[1], done);
    return CLI_ANSWERED;
}

static bool is_current(const struct cli_contexts *contexts, const char *name)
{
    return contexts->current && strcmp(contexts->current, name) == 0;
}

static json_t *rows_of(const struct cli_contexts *contexts)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < contexts->count; i++) {
        const struct cli_context *context = &contexts->list[i];
        json_t *row = json_object();

        json_object_set_new(row, "name", json_string(context->name));
        json_object_set_new(row, "current",
                            json_boolean(is_current(contexts, context->name)));
        for (int k = 0; k < CLI_FIELDS; k++)
            if (context->fields[k] && k != FIELD_TOKEN)
                json_object_set_new(row, cli_field_names[k],
                                    json_string(context->fields[k]));
        json_array_append_new(rows, row);
    }
    return rows;
}

static int get_contexts(struct cli_call *call)
{
    json_t *rows = rows_of(&call->contexts);
    char *text;

    if (call->output == OUTPUT_JSON) {
        text = json_dumps(rows, JSON_INDENT(2));
        cli_print_raw(&call->screen, slice_of(text ? text : ""));
        free(text);
    } else {
        cli_print_rows(call, columns, rows, true);
    }
    json_decref(rows);
    return CLI_ANSWERED;
}

static int current_context(struct cli_call *call)
{
    if (!call->contexts.current) {
        fail("no context is in use", "");
        return CLI_NOTHING;
    }
    puts(call->contexts.current);
    return CLI_ANSWERED;
}

static int view(struct cli_call *call)
{
    cli_contexts_print(stdout, &call->contexts, false);
    return CLI_ANSWERED;
}

static int use_context(struct cli_call *call)
{
    const char *name = call->given.words[1];

    if (!cli_context_find(&call->contexts, name))
        return fail("there is no context ", name);
    free(call->contexts.current);
    call->contexts.current = mem_copy(name, strlen(name));
    return save(call, "is in use");
}

static int delete_context(struct cli_call *call)
{
    struct cli_contexts *contexts = &call->contexts;
    struct cli_context *found =
        cli_context_find(contexts, call->given.words[1]);
    struct cli_context last;

    if (!found)
        return fail("there is no context ", call->given.words[1]);
    if (is_current(contexts, found->name)) {
        free(contexts->current);
        contexts->current = NULL;
    }
    free(found->name);
    for (int k = 0; k < CLI_FIELDS; k++)
        cli_context_set(found, (enum cli_field)k, NULL);
    last = contexts->list[--contexts->count];
    if (found != &contexts->list[contexts->count])
        *found = last;
    return save(call, "is deleted");
}

/* What YAML cannot hold, or would not show. */
static bool is_plain(const char *text)
{
    const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text);

    while (at < end) {
        uint32_t c;
        size_t len = utf8_decode(at, end, &c);

        if (len == 0 || term_is_control(c))
            return false;
        at += len;
    }
    return true;
}

static bool read_token(struct cli_context *context)
{
    char text[MAX_TOKEN] = "";
    struct slice token;

    if (!fgets(text, sizeof(text), stdin))
        text[0] = '\0';
    token = slice_trim(slice_of(text), " \t\r\n");
    text[token.ptr - text + (ptrdiff_t)token.len] = '\0';
    if (token.len > 0)
        cli_context_set(context, FIELD_TOKEN, token.ptr);
    explicit_bzero(text, sizeof(text));
    return token.len > 0;
}

static int set_context(struct cli_call *call)
{
    static const struct {
        enum cli_option_id option;
        enum cli_field field;
    } members[] = {
        {OPT_SERVER, FIELD_SERVER},     {OPT_TOKEN_FILE, FIELD_TOKEN_FILE},
        {OPT_CA_FILE, FIELD_CA_FILE},   {OPT_CERT_FILE, FIELD_CERT_FILE},
        {OPT_KEY_FILE, FIELD_KEY_FILE}, {OPT_NAMESPACE, FIELD_NAMESPACE},
        {OPT_PROJECT, FIELD_PROJECT},   {OPT_ENVIRONMENT, FIELD_ENVIRONMENT}};
    const char *name = call->given.words[1];
    struct cli_context *context;

    if (!is_plain(name))
        return fail("control characters are not allowed in a name", "");
    context = cli_context_add(&call->contexts, name);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const char *value = call->given.of[members[i].option];

        if (value && !is_plain(value))
            return fail("control characters are not allowed: --",
                        cli_options[members[i].option].name);
        if (value)
            cli_context_set(context, members[i].field, value);
    }
    if (call->given.of[OPT_TOKEN_STDIN] && !read_token(context))
        return fail("there is no token on standard input", "");
    return save(call, "is set");
}

int cli_config(struct cli_call *call)
{
    static const struct {
        const char *word;
        int words;
        int (*run)(struct cli_call *call);
    } verbs[] = {{"get-contexts", 1, get_contexts},
                 {"current-context", 1, current_context},
                 {"view", 1, view},
                 {"use-context", 2, use_context},
                 {"set-context", 2, set_context},
                 {"delete-context", 2, delete_context}};
    char **words = call->given.words;
    char why[CLI_WHY];

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].word, words[0]) != 0)
            continue;
        if (call->given.count != verbs[i].words ||
            (verbs[i].words == 2 && !words[1][0]))
            return fail(verbs[i].words == 2 ? "the name of a context is needed"
                                            : "no name is needed",
                        "");
        if (!cli_contexts_load(&call->contexts, why))
            return fail(why, "");
        return verbs[i].run(call);
    }
    return fail("see callboard config --help; there is no ", words[0]);
}
