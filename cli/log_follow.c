/*
 * `callboard logs`, and with -f the records as they arrive.
 *
 * The server numbers records by arrival, and a cursor of /api/v1/logs/tail says
 * up to which one this program has printed. It moves only after the lines of an
 * answer were written. So what is asked for again, after a connection that
 * broke or a server that was restarted, is exactly what is missing.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli_list.h"
#include "clock.h"
#include "log_line.h"

enum {
    WAIT_S = 20,
    FIRST_PAUSE_MS = 200,
    SHORT_PAUSE_MS = 500,
    LONGEST_PAUSE_MS = 5000
};
#define SHORT_NS (200 * NS_PER_MS)

struct log_follow {
    struct cli_call *call;
    struct term_look look;
    char *cursor; /* of the last answer; NULL: none yet */
    bool printed; /* the heads of CSV */
    uint64_t answered_ns;
    uint64_t lost_ns; /* wall clock; 0: the server answers */
    long pause_ms;
    uint64_t asked_ns; /* monotonic */
};

/* ---- the request ---- */

/* --limit all: the usual time of `logs`. */
static bool is_every(const char *limit)
{
    return limit && strcmp(limit, "all") == 0;
}

static void add_start(const struct log_follow *f, struct buf *path)
{
    const struct cli_call *call = f->call;
    const char *lines = call->given.of[OPT_LIMIT];

    if (f->cursor)
        url_add_param(path, "cursor", slice_of(f->cursor));
    else if (f->answered_ns) /* the server has other data now */
        url_add_time(path, "startTime", f->answered_ns);
    else if (call->given.of[OPT_SINCE] || is_every(lines))
        url_add_time(path, "startTime", call->start_ns);
    if (!f->cursor && !f->answered_ns && lines && !is_every(lines))
        url_add_param(path, "lines", slice_of(lines));
}

static void make_path(const struct log_follow *f, struct buf *path)
{
    const struct cli_call *call = f->call;
    long wait = call->server.timeout_ms / 2000;
    char text[32];

    buf_add(path, SLICE("/api/v1/logs/tail"));
    url_add_param(path, "namespace", slice_of(call->scope.namespace));
    url_add_param(path, "project", slice_of(call->scope.project));
    url_add_param(path, "component", slice_of(call->scope.component));
    url_add_param(path, "environment", slice_of(call->scope.environment));
    cli_add_filters(call, path);
    add_start(f, path);
    if (wait == 0 || wait > WAIT_S)
        wait = call->server.timeout_ms ? (wait ? WAIT_S : 1) : WAIT_S;
    (void)snprintf(text, sizeof(text), "%ld", wait);
    url_add_param(path, "wait", slice_of(text));
}

/* ---- the lines ---- */

static void print_lines(struct log_follow *f, const json_t *logs)
{
    const struct cli_call *call = f->call;
    unsigned flags = call->scope.component[0] ? 0 : LOG_LINE_COMPONENT;
    struct buf out;

    if (call->output == OUTPUT_WIDE)
        flags |= LOG_LINE_POD;
    if (call->output == OUTPUT_JSONL || call->output == OUTPUT_CSV) {
        cli_print_rows(call, cli_view_logs.columns, logs, !f->printed);
        f->printed = true;
        return;
    }
    buf_init(&out, CLI_MAX_ANSWER);
    for (size_t i = 0; i < json_array_size(logs); i++)
        log_line(&out, &f->look, json_array_get(logs, i), flags);
    cli_print_buf(&out);
    buf_release(&out);
}

static void sleep_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000 * 1000};

    (void)nanosleep(&time, NULL);
}

/* False if the answer is not one of this route, or its lines cannot be
 * written. */
static bool take_answer(struct log_follow *f, const json_t *answer)
{
    const json_t *logs = json_object_get(answer, "logs");
    const char *cursor = cli_text(answer, "nextCursor");

    if (!json_is_array(logs) || !cursor[0])
        return false;
    print_lines(f, logs);
    if (fflush(stdout) != 0)
        return false;
    /* A server that cannot hold the answer back is not asked without end. */
    if (json_array_size(logs) == 0 && f->cursor &&
        f->asked_ns + SHORT_NS > clock_monotonic_ns())
        sleep_ms(SHORT_PAUSE_MS);
    free(f->cursor);
    f->cursor = strdup(cursor);
    f->answered_ns = clock_wall_ns();
    return true;
}

/* ---- a server that is away ---- */

/* Said once when it goes, once when it is back. */
static void say_lost(struct log_follow *f, long status, const char *error)
{
    if (f->lost_ns)
        return;
    f->lost_ns = clock_wall_ns();
    if (status)
        fprintf(stderr, "callboard: the server answers %ld; trying again\n",
                status);
    else
        fprintf(stderr, "callboard: no answer: %.*s; trying again\n",
                (int)strcspn(error, "."), error);
}

static void say_back(struct log_follow *f)
{
    if (f->lost_ns)
        fprintf(stderr,
                "callboard: the server answers again after %.0f s; the lines "
                "go on where they ended\n",
                (double)(clock_wall_ns() - f->lost_ns) / 1e9);
    f->lost_ns = 0;
    f->pause_ms = 0;
}

static void pause_longer(struct log_follow *f)
{
    f->pause_ms = f->pause_ms ? 2 * f->pause_ms : FIRST_PAUSE_MS;
    if (f->pause_ms > LONGEST_PAUSE_MS)
        f->pause_ms = LONGEST_PAUSE_MS;
    sleep_ms(f->pause_ms);
}

static bool is_passing(long status)
{
    return status == 0 || status == 429 || status >= 500;
}

/* One request; false: the program ends with *code. */
static bool follow_once(struct log_follow *f, int *code)
{
    char error[CLI_ERROR] = "";
    json_t *answer = NULL;
    struct buf path, body;
    bool goes_on = true;
    long status;

    buf_init(&path, CLI_MAX_URL);
    buf_init(&body, CLI_MAX_ANSWER);
    make_path(f, &path);
    f->asked_ns = clock_monotonic_ns();
    status = cli_send(&f->call->server, "GET", buf_slice(&path), SLICE(""),
                      &body, error);
    if (status == 200) {
        answer = json_loadb(body.ptr, body.len, 0, NULL);
        say_back(f);
        goes_on = take_answer(f, answer);
        *code = CLI_FAILED;
        if (!goes_on && !ferror(stdout))
            fputs("callboard: the answer is not one of log records\n", stderr);
    } else if (status == 400 && f->cursor) {
        fputs("callboard: the server has other data than before; lines may be "
              "missing or come again\n",
              stderr);
        free(f->cursor);
        f->cursor = NULL;
    } else if (f->answered_ns && is_passing(status)) {
        say_lost(f, status, error);
        pause_longer(f);
    } else {
        *code = cli_fail(&f->call->server, status, buf_slice(&body), error);
        goes_on = false;
    }
    json_decref(answer);
    buf_release(&path);
    buf_release(&body);
    return goes_on;
}

static int misused(const char *why)
{
    fprintf(stderr, "callboard logs: %s\n", why);
    return CLI_MISUSED;
}

static int follow(struct cli_call *call)
{
    struct log_follow f = {.call = call, .look = cli_look(call)};
    int code = CLI_ANSWERED;

    if (call->output == OUTPUT_JSON)
        return misused("-f has no end, -o json is one document: -o jsonl");
    if (call->given.of[OPT_UNTIL])
        return misused("-f has no --until");
    if (call->given.count > 0 && !cli_target(call, call->given.words[0]))
        return CLI_MISUSED;
    cli_warn_unknown(call);
    f.look.columns = 0; /* the terminal wraps; nothing is cut */
    while (follow_once(&f, &code))
        ;
    free(f.cursor);
    return code;
}

int cli_logs(struct cli_call *call)
{
    if (call->given.of[OPT_FOLLOW])
        return follow(call);
    return call->given.of[OPT_PATTERNS]
               ? cli_list_view(call, &cli_view_patterns)
               : cli_list(call);
}
