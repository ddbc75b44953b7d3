/*
 * `callboard top`: the components of a server, live. This file has the loop:
 * events of the terminal (term_screen.c), keys (top_state.c), requests
 * (top_fetch.c) and frames (top_view.c). Without a terminal, or with --once, it
 * prints one table and ends.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli_list.h"
#include "clock.h"
#include "term_screen.h"
#include "top_fetch.h"
#include "top_view.h"

enum { SPARK = 30, LOG_LINES = 500 };

struct top {
    struct cli_call *call;
    struct term_look look;
    struct top_state state;
    struct top_rows rows;
    struct top_facts facts;
    struct top_fetch *fetch;
    enum top_page asked; /* what the request on its way is for */
    char asked_of[4][256];
    json_t *component; /* the page */
    json_t *log_page;
    json_t *logs[LOG_LINES]; /* of log_page, oldest first */
    uint64_t window_ns, interval_ns, next_ns;
    char error[CLI_ERROR];
};

/* ---- requests ---- */

static void add_window(struct buf *path, uint64_t window_ns)
{
    uint64_t now = clock_wall_ns();

    url_add_time(path, "startTime", now - window_ns);
    url_add_time(path, "endTime", now);
}

static void add_list_path(const struct top *top, struct buf *path)
{
    const struct cli_scope *scope = &top->call->scope;

    buf_format(path, "/api/v1/components?usage=true&spark=%d", SPARK);
    url_add_param(path, "namespace", slice_of(scope->namespace));
    url_add_param(path, "project", slice_of(scope->project));
    url_add_param(path, "component", slice_of(scope->component));
    url_add_param(path, "environment", slice_of(scope->environment));
    add_window(path, top->window_ns);
}

/* The page has charts: at least half an hour of them. */
static void add_page_path(const struct top *top, struct buf *path)
{
    buf_add(path, SLICE("/api/v1/components"));
    for (int i = 0; i < 3; i++) {
        buf_byte(path, '/');
        url_add_escaped(path, slice_of(top->state.selected[i]));
    }
    url_add_param(path, "environment", slice_of(top->state.selected[3]));
    add_window(path, top->window_ns > 30 * NS_PER_MIN ? top->window_ns
                                                      : 30 * NS_PER_MIN);
}

static void set_time(json_t *body, const char *name, uint64_t ns)
{
    char text[CLOCK_TEXT];

    json_object_set_new(body, name,
                        json_stringn(text, clock_format_rfc3339(text, ns)));
}

static void add_logs_body(const struct top *top, struct buf *text)
{
    static const char *const members[] = {"namespace", "project", "component",
                                          "environment"};
    json_t *body = json_object(), *scope = json_object();
    uint64_t now = clock_wall_ns();
    char *bytes;

    for (int i = 0; i < 4; i++)
        if (top->state.selected[i][0])
            json_object_set_new(scope, members[i],
                                json_string(top->state.selected[i]));
    json_object_set_new(body, "searchScope", scope);
    json_object_set_new(body, "limit", json_integer(LOG_LINES));
    set_time(body, "startTime", now - NS_PER_HOUR);
    set_time(body, "endTime", now + NS_PER_HOUR); /* clocks of senders */
    bytes = json_dumps(body, JSON_COMPACT);
    buf_add(text, slice_of(bytes ? bytes : "{}"));
    free(bytes);
    json_decref(body);
}

static void make_request(const struct top *top, struct buf *path,
                         struct buf *text)
{
    buf_init(path, CLI_MAX_URL);
    buf_init(text, CLI_MAX_URL);
    if (top->state.page == TOP_LIST)
        add_list_path(top, path);
    else if (top->state.page == TOP_COMPONENT)
        add_page_path(top, path);
    else {
        buf_add(path, SLICE("/api/v1/logs/query"));
        add_logs_body(top, text);
    }
}

static void ask(struct top *top)
{
    struct buf path, text;

    make_request(top, &path, &text);
    top->asked = top->state.page;
    memcpy(top->asked_of, top->state.selected, sizeof(top->asked_of));
    top_fetch_ask(top->fetch, buf_slice(&path), buf_slice(&text));
    buf_release(&path);
    buf_release(&text);
}

/* ---- answers ---- */

static void take_logs(struct top *top, json_t *answer)
{
    const json_t *list = json_object_get(answer, "logs");
    size_t n = json_array_size(list);

    json_decref(top->log_page);
    top->log_page = answer;
    n = n < LOG_LINES ? n : LOG_LINES;
    for (size_t i = 0; i < n; i++) /* they came newest first */
        top->logs[n - 1 - i] = json_array_get(list, i);
    top->facts.log_count = (uint32_t)n;
}

/* A page that was left meanwhile is of no use. */
static bool is_wanted(const struct top *top)
{
    return top->asked == top->state.page &&
           (top->asked == TOP_LIST || memcmp(top->asked_of, top->state.selected,
                                             sizeof(top->asked_of)) == 0);
}

static void take_pages(struct top *top, json_t **pages, uint32_t count)
{
    if (top->asked == TOP_LIST) {
        top_rows_release(&top->rows);
        for (uint32_t i = 0; i < count; i++)
            top_rows_add(&top->rows, pages[i]);
    } else if (top->asked == TOP_COMPONENT) {
        json_decref(top->component);
        top->facts.component = top->component = pages[0];
    } else {
        take_logs(top, pages[0]);
    }
    for (uint32_t i = 1; i < count && top->asked != TOP_LIST; i++)
        json_decref(pages[i]);
}

static void take_answer(struct top *top)
{
    json_t *pages[TOP_PAGES_MAX];
    char error[CLI_ERROR];
    uint32_t count;

    if (!top_fetch_take(top->fetch, pages, &count, error))
        return;
    if (!is_wanted(top)) {
        while (count > 0)
            json_decref(pages[--count]);
        top->next_ns = 0;
        return;
    }
    memcpy(top->error, error, sizeof(error));
    if (count > 0) {
        take_pages(top, pages, count);
        top->facts.answered_ns = clock_wall_ns();
    }
    top->next_ns = clock_monotonic_ns() + top->interval_ns;
}

/* Another page: nothing of the last one is shown on it. */
static void forget_page(struct top *top)
{
    json_decref(top->component);
    json_decref(top->log_page);
    top->component = top->log_page = NULL;
    top->facts.component = NULL;
    top->facts.log_count = 0;
    if (top->state.page != TOP_LIST || top->rows.count == 0)
        top->facts.answered_ns = 0;
    top->next_ns = 0;
}

/* ---- the loop ---- */

static void draw(struct top *top)
{
    struct term_look look = term_look_of(stdout);
    struct buf frame;

    top->look.columns = look.columns;
    top->look.rows = look.rows;
    top->facts.now_ns = clock_wall_ns();
    buf_init(&frame, 16 << 20);
    top_view(&frame, &top->look, &top->state, &top->rows, &top->facts);
    term_screen_show(buf_slice(&frame), top->look.rows);
    buf_release(&frame);
}

/* Until the next request, at most a second: the age in the banner grows. */
static int wait_ms(const struct top *top)
{
    uint64_t now = clock_monotonic_ns();
    uint64_t left = top->next_ns > now ? top->next_ns - now : 0;

    return left < NS_PER_S ? (int)(left / NS_PER_MS) + 1 : 1000;
}

static bool handle(struct top *top, enum term_event event, uint32_t key)
{
    enum top_page page = top->state.page;

    if (event == TERM_END)
        return false;
    if (event == TERM_OTHER)
        take_answer(top);
    if (event != TERM_KEY)
        return true;
    switch (top_state_key(&top->state, &top->rows, key)) {
    case TOP_QUIT:
        return false;
    case TOP_ASK:
        if (page != top->state.page)
            forget_page(top);
        top->next_ns = 0;
        return true;
    default:
        return true;
    }
}

static void run(struct top *top)
{
    enum term_event event;
    uint32_t key = 0;

    do {
        if (!top->state.paused && !top_state_is_scrolled(&top->state) &&
            clock_monotonic_ns() >= top->next_ns &&
            !top_fetch_is_busy(top->fetch)) {
            ask(top);
            top->next_ns = clock_monotonic_ns() + top->interval_ns;
        }
        draw(top);
        event = term_screen_wait(top_fetch_descriptor(top->fetch), wait_ms(top),
                                 &key);
    } while (handle(top, event, key));
}

static void release(struct top *top)
{
    top_rows_release(&top->rows);
    json_decref(top->component);
    json_decref(top->log_page);
}

/* Ends by the signal that ended it, as a shell expects. */
static int run_live(struct top *top)
{
    int number;

    top->fetch = top_fetch_start(&top->call->server);
    if (!top->fetch)
        return CLI_FAILED;
    if (!term_screen_open()) {
        top_fetch_stop(top->fetch);
        fputs("callboard: the terminal cannot be used; --once prints one "
              "table\n",
              stderr);
        return CLI_FAILED;
    }
    run(top);
    number = term_screen_signal();
    term_screen_close();
    top_fetch_stop(top->fetch);
    release(top);
    if (number) {
        (void)signal(number, SIG_DFL);
        (void)raise(number);
    }
    return CLI_ANSWERED;
}

static int run_once(struct top *top)
{
    struct buf path, text, out;
    json_t *answer;
    int code = CLI_ANSWERED;

    make_request(top, &path, &text);
    answer = cli_request(top->call, buf_slice(&path), NULL, NULL, &code);
    buf_release(&path);
    buf_release(&text);
    if (!answer)
        return code;
    top_rows_add(&top->rows, answer);
    buf_init(&out, 64 << 20);
    if (top->rows.count > 0)
        top_view_table(&out, &top->look, &top->state, &top->rows);
    cli_print_buf(&out);
    buf_release(&out);
    if (top->rows.count == 0)
        code = cli_say_nothing(top->call, "there are no components here");
    release(top);
    return code;
}

/* One that understands sequences, and has keys. */
static bool is_terminal(void)
{
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) && term && term[0] &&
           strcmp(term, "dumb") != 0;
}

/* "2s", or "2" as other programs of that name take it. */
static bool parse_interval(const char *text, uint64_t *ns)
{
    char seconds[32];

    *ns = 2 * NS_PER_S;
    if (!text)
        return true;
    (void)snprintf(seconds, sizeof(seconds), "%.24s%s", text,
                   text[strspn(text, "0123456789.")] ? "" : "s");
    return clock_parse_duration(slice_of(seconds), ns) &&
           *ns >= 100 * NS_PER_MS;
}

int cli_top(struct cli_call *call)
{
    struct top top = {.call = call,
                      .look = cli_look(call),
                      .state = {.choice = {.sort = TOP_RATE}}};

    if (call->given.count > 0 && !cli_target(call, call->given.words[0]))
        return CLI_MISUSED;
    top.window_ns = call->end_ns - call->start_ns;
    if (!parse_interval(call->given.of[OPT_INTERVAL], &top.interval_ns)) {
        fputs(
            "callboard top: --interval is a time such as 2s, at least 100ms\n",
            stderr);
        return CLI_MISUSED;
    }
    top.facts = (struct top_facts){
        .server =
            call->server.address ? call->server.address : call->server.data_dir,
        .error = top.error,
        .logs = top.logs,
        .window_s = (double)top.window_ns / (double)NS_PER_S,
        .interval_s = (double)top.interval_ns / (double)NS_PER_S};
    if (call->given.of[OPT_ONCE] || !is_terminal())
        return run_once(&top);
    return run_live(&top);
}
