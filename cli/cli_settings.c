/*
 * What a verb works with: an option comes before the environment, which comes
 * before the context, which comes before the default.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli_verbs.h"
#include "clock.h"
#include "mem.h"

#define DEFAULT_SERVER "127.0.0.1:9097"
#define DEFAULT_DATA   "./callboard-data"

enum { DEFAULT_TIMEOUT_S = 60 };

static int misuse(const struct cli_call *call, const char *option,
                  const char *value, const char *wanted)
{
    fprintf(stderr, "callboard %s: --%s: must be %s, not \"%s\"\n",
            call->verb->name, option, wanted, value);
    return CLI_MISUSED;
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

/* ---- the context ---- */

static int fail_context(const struct cli_call *call, const char *name)
{
    fprintf(stderr, "callboard: there is no context \"%s\"", name);
    for (size_t i = 0; i < call->contexts.count; i++)
        fprintf(stderr, "%s%s", i ? ", " : "; there are ",
                call->contexts.list[i].name);
    fputs("\n", stderr);
    return CLI_MISUSED;
}

/* *context: NULL if none is to be used. */
static int find_context(struct cli_call *call,
                        const struct cli_context **context)
{
    const char *name = call->given.of[OPT_CONTEXT];
    char why[CLI_WHY];

    *context = NULL;
    if (!(call->verb->options & OPT(CONTEXT)))
        return CLI_ANSWERED;
    if (!cli_contexts_load(&call->contexts, why)) {
        fprintf(stderr, "callboard: %s\n", why);
        return CLI_MISUSED;
    }
    if (!name)
        name = environment("CALLBOARD_CONTEXT");
    if (!name)
        name = call->contexts.current;
    if (!name)
        return CLI_ANSWERED;
    *context = cli_context_find(&call->contexts, name);
    return *context ? CLI_ANSWERED : fail_context(call, name);
}

/* Files are named from the folder of the configuration file. */
static const char *file_of(struct cli_call *call,
                           const struct cli_context *context,
                           enum cli_field field, int hold)
{
    const char *name = context ? context->fields[field] : NULL;
    char path[PATH_MAX], *slash;
    struct buf whole;
    size_t len;

    if (!name || name[0] == '/' || !cli_contexts_path(path, sizeof(path)))
        return name;
    slash = strrchr(path, '/');
    buf_init(&whole, 2 * PATH_MAX);
    buf_format(&whole, "%.*s%s", slash ? (int)(slash - path) + 1 : 0, path,
               name);
    buf_byte(&whole, '\0');
    call->held[hold] = buf_detach(&whole, &len);
    return call->held[hold];
}

/* ---- the server and the credential ---- */

static const char *choose(const struct cli_call *call, enum cli_option_id id,
                          const char *name, const char *context)
{
    if (call->given.of[id])
        return call->given.of[id];
    return environment(name) ? environment(name) : context;
}

static void choose_server(struct cli_call *call, const char *context)
{
    struct cli_server *s = &call->server;
    bool local = call->verb->options & OPT(DATA_DIR);

    if (call->given.of[OPT_SERVER])
        s->address = call->given.of[OPT_SERVER];
    else if (call->given.of[OPT_DATA_DIR])
        s->data_dir = call->given.of[OPT_DATA_DIR];
    else if (environment("CALLBOARD_SERVER"))
        s->address = environment("CALLBOARD_SERVER");
    else if (local && environment("CALLBOARD_DATA_DIR"))
        s->data_dir = environment("CALLBOARD_DATA_DIR");
    else if (context)
        s->address = context;
    else if (local)
        s->data_dir = DEFAULT_DATA;
    else
        s->address = DEFAULT_SERVER;
}

static void choose_credential(struct cli_call *call,
                              const struct cli_context *context)
{
    struct cli_server *s = &call->server;
    const char *file =
        choose(call, OPT_TOKEN_FILE, "CALLBOARD_TOKEN_FILE", NULL);

    s->token_file = file;
    s->token_from = call->given.of[OPT_TOKEN_FILE] ? "--token-file"
                                                   : "CALLBOARD_TOKEN_FILE";
    if (!file && context) {
        s->token_file = file_of(call, context, FIELD_TOKEN_FILE, 0);
        s->token = context->fields[FIELD_TOKEN];
        s->token_from = "the context";
    }
    s->ca_file = choose(call, OPT_CA_FILE, "CALLBOARD_CA_FILE",
                        file_of(call, context, FIELD_CA_FILE, 1));
    s->cert_file = choose(call, OPT_CERT_FILE, "CALLBOARD_CERT_FILE",
                          file_of(call, context, FIELD_CERT_FILE, 2));
    s->key_file = choose(call, OPT_KEY_FILE, "CALLBOARD_KEY_FILE",
                         file_of(call, context, FIELD_KEY_FILE, 3));
}

static int choose_timeout(struct cli_call *call)
{
    const char *text = call->given.of[OPT_TIMEOUT];
    uint64_t ns = DEFAULT_TIMEOUT_S * NS_PER_S;

    if (text && (!clock_parse_duration_days(slice_of(text), &ns) ||
                 ns < NS_PER_MS || ns > NS_PER_DAY))
        return misuse(call, "timeout", text, "a duration such as 5s or 2m");
    call->server.timeout_ms = (long)(ns / NS_PER_MS);
    return CLI_ANSWERED;
}

static const char *field(const struct cli_context *context, enum cli_field id)
{
    return context && context->fields[id] ? context->fields[id] : "";
}

static int choose_from_context(struct cli_call *call)
{
    const struct cli_context *context;
    int code = find_context(call, &context);
    const char *server;

    if (code != CLI_ANSWERED)
        return code;
    call->scope = (struct cli_scope){
        choose(call, OPT_NAMESPACE, "CALLBOARD_NAMESPACE",
               field(context, FIELD_NAMESPACE)),
        choose(call, OPT_PROJECT, "CALLBOARD_PROJECT",
               field(context, FIELD_PROJECT)),
        call->given.of[OPT_COMPONENT] ? call->given.of[OPT_COMPONENT] : "",
        choose(call, OPT_ENVIRONMENT, "CALLBOARD_ENVIRONMENT",
               field(context, FIELD_ENVIRONMENT))};
    server = context ? context->fields[FIELD_SERVER] : NULL;
    choose_server(call, server);
    /* a token is for the server of its context only */
    if (server &&
        (!call->server.address || strcmp(call->server.address, server) != 0))
        context = NULL;
    choose_credential(call, context);
    /* not into a screen or between lines that go on */
    call->server.progress =
        !(call->verb->options & OPT(INTERVAL)) && !call->given.of[OPT_FOLLOW];
    return choose_timeout(call);
}

/* ---- output ---- */

static int choose_output(struct cli_call *call)
{
    static const char *const names[] = {"table", "wide", "json", "jsonl",
                                        "csv"};
    const char *name = call->given.of[OPT_OUTPUT];
    const char *color = call->given.of[OPT_COLOR];

    if (color && strcmp(color, "auto") != 0 && strcmp(color, "always") != 0 &&
        strcmp(color, "never") != 0)
        return misuse(call, "color", color, "auto, always or never");
    cli_screen_init(&call->screen, color);
    call->output = call->given.of[OPT_JSON] ? OUTPUT_JSON : OUTPUT_TABLE;
    if (!name)
        return CLI_ANSWERED;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0) {
            call->output = (enum cli_output)i;
            return CLI_ANSWERED;
        }
    return misuse(call, "output", name, "table, wide, json, jsonl or csv");
}

/* ---- times ---- */

/* One of the two is enough: the base is then as long as the window. */
static int choose_base(struct cli_call *call, uint64_t now)
{
    const char *since = call->given.of[OPT_BASE_SINCE];
    const char *until = call->given.of[OPT_BASE_UNTIL];
    uint64_t length = call->end_ns - call->start_ns;

    if (!since && !until)
        return CLI_ANSWERED;
    if (since && !clock_parse_time(slice_of(since), now, &call->base_start_ns))
        return misuse(call, "base-since", since, "a time");
    if (until && !clock_parse_time(slice_of(until), now, &call->base_end_ns))
        return misuse(call, "base-until", until, "a time");
    if (!since)
        call->base_start_ns =
            call->base_end_ns > length ? call->base_end_ns - length : 0;
    if (!until)
        call->base_end_ns = call->base_start_ns + length;
    if (call->base_start_ns < call->base_end_ns)
        return CLI_ANSWERED;
    fprintf(stderr, "callboard %s: --base-since must be before --base-until\n",
            call->verb->name);
    return CLI_MISUSED;
}

static int choose_times(struct cli_call *call)
{
    const char *since = call->given.of[OPT_SINCE];
    const char *until = call->given.of[OPT_UNTIL];
    uint64_t now = clock_wall_ns();

    if (!call->verb->since)
        return CLI_ANSWERED;
    if (!clock_parse_time(slice_of(until ? until : "now"), now, &call->end_ns))
        return misuse(call, "until", until,
                      "a time, or a duration before now such as 30m");
    if (!since) /* as long as usual, before the end */
        (void)clock_parse_time(slice_of(call->verb->since), call->end_ns,
                               &call->start_ns);
    else if (!clock_parse_time(slice_of(since), now, &call->start_ns))
        return misuse(call, "since", since,
                      "a duration such as 90s, 30m, 6h or 2d, or a time such "
                      "as 2026-08-21T08:00:00Z");
    if (call->start_ns < call->end_ns)
        return choose_base(call, now);
    fprintf(stderr, "callboard %s: --since must be before --until\n",
            call->verb->name);
    return CLI_MISUSED;
}

int cli_settings(struct cli_call *call)
{
    int code = choose_output(call);

    if (code == CLI_ANSWERED)
        code = choose_from_context(call);
    return code == CLI_ANSWERED ? choose_times(call) : code;
}

void cli_call_release(struct cli_call *call)
{
    for (size_t i = 0; i < sizeof(call->held) / sizeof(call->held[0]); i++)
        free(call->held[i]);
    cli_contexts_release(&call->contexts);
    cli_options_release(&call->given);
}
