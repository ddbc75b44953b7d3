/*
 * `callboard cause`: one GET of /api/v1/cause, and its JSON as text
 * (cli_print.c) or as it is.
 */
#include "cli_request.h"
#include "cli_table.h"
#include "clock.h"

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

/* Older than the exit statuses of the other verbs. */
static int unknown(int code)
{
    return code == CLI_NOTHING ? CLI_FAILED : code;
}

static int print_answer(const struct cli_call *call, const json_t *answer,
                        struct slice raw)
{
    if (!json_is_true(json_object_get(answer, "found")) && !cli_is_known(call))
        return unknown(cli_say_nothing(call, ""));
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
    int code = unknown(cli_scope(call, NEED_NAMESPACE | NEED_PROJECT, false));

    if (code != CLI_ANSWERED)
        return code;
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
