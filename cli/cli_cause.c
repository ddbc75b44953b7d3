/*
 * `callboard cause`: one GET of /api/v1/cause, and its JSON as text
 * (cli_print.c) or as it is. If nothing is known about the names that were
 * given, the most similar ones are suggested.
 */
#include <string.h>

#include "cli_request.h"
#include "cli_table.h"
#include "clock.h"
#include "mem.h"

#define DEFAULT_SINCE "30m"

/* clang-format off */
static const struct cli_column suspects[] = {
    {"RANK", "rank", FORMAT_COUNT, 0},
    {"KIND", "kind", FORMAT_TEXT, 0},
    {"COMPONENT", "component", FORMAT_TEXT, 0},
    {"SCORE", "score", FORMAT_NUMBER, 0},
    {"ONSET", "onset", FORMAT_TIME, 0},
    {"EVIDENCE", "evidence", FORMAT_TEXT, 0},
    {.head = NULL}};
/* clang-format on */

static int fail(const char *option, const char *wanted, const char *value)
{
    fprintf(stderr, "callboard: --%s: must be %s, not %s\n", option, wanted,
            value);
    return CLI_FAILED;
}

/* PROJECT[/COMPONENT], in the namespace that is given, else "default". */
static void set_scope(struct cli_call *call)
{
    const char *word = call->given.words[0];
    char *text = mem_copy(word, strlen(word)), *slash = strchr(text, '/');

    call->held[CLI_HELD_TARGET] = text;
    call->scope.project = text;
    call->scope.component = slash ? slash + 1 : "";
    if (slash)
        *slash = '\0';
    if (!call->scope.namespace[0])
        call->scope.namespace = "default";
}

static int make_path(const struct cli_call *call, struct buf *path)
{
    static const char times[] = "a duration such as 90s, 30m, 6h or 2d, or a "
                                "time";
    const char *since = call->given.of[OPT_SINCE];
    const char *until = call->given.of[OPT_UNTIL];
    uint64_t start, end, now = clock_wall_ns();

    if (!clock_parse_time(slice_of(until ? until : "now"), now, &end))
        return fail("until", times, until);
    if (!clock_parse_time(slice_of(since ? since : DEFAULT_SINCE),
                          since ? now : end, &start) ||
        start >= end)
        return fail("since", times, since);
    cli_add_path(call, path, "/api/v1/cause");
    url_add_time(path, "startTime", start);
    url_add_time(path, "endTime", end);
    return CLI_ANSWERED;
}

static int fail_unknown(const struct cli_call *call)
{
    const struct cli_scope *s = &call->scope;
    json_t *names;
    const json_t *other = cli_most_similar(call, &names);
    bool one = s->component[0], place = s->environment[0];

    fprintf(stderr, "callboard: there is no %s in namespace %s%s%s",
            call->given.words[0], s->namespace, place ? ", environment " : "",
            s->environment);
    if (other) {
        fputs("; did you mean ", stderr);
        cli_put(stderr, cli_text(other, "project"));
        fputs(one ? "/" : "", stderr);
        cli_put(stderr, one ? cli_text(other, "component") : "");
        fputs(" --namespace ", stderr);
        cli_put(stderr, cli_text(other, "namespace"));
        if (place && cli_text(other, "environment")[0]) {
            fputs(" --environment ", stderr);
            cli_put(stderr, cli_text(other, "environment"));
        }
        fputc('?', stderr);
    }
    fputc('\n', stderr);
    json_decref(names);
    return CLI_FAILED;
}

static int print_answer(const struct cli_call *call, const json_t *answer,
                        struct slice raw)
{
    if (!json_is_true(json_object_get(answer, "found")) && !cli_is_known(call))
        return fail_unknown(call);
    if (call->output == OUTPUT_JSON)
        cli_print_raw(&call->screen, raw);
    else if (call->output == OUTPUT_CSV || call->output == OUTPUT_JSONL)
        cli_print_rows(call, suspects, json_object_get(answer, "suspects"),
                       true);
    else
        cli_print_cause(answer);
    return CLI_ANSWERED;
}

int cli_cause(struct cli_call *call)
{
    struct buf path, raw;
    json_t *answer = NULL;
    int code;

    set_scope(call);
    buf_init(&path, CLI_MAX_URL);
    buf_init(&raw, CLI_MAX_ANSWER);
    code = make_path(call, &path);
    if (code == CLI_ANSWERED)
        answer = cli_request(call, buf_slice(&path), NULL, &raw, &code);
    if (answer)
        code = print_answer(call, answer, buf_slice(&raw));
    json_decref(answer);
    buf_release(&path);
    buf_release(&raw);
    return code;
}
