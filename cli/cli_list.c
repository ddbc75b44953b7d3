/* Lists: all pages of them; see cli_list.h. */
#include "cli_list.h"

#include <stdlib.h>
#include <string.h>

enum { EVERY = -1, MAX_ROWS = 1000000 };

/* False after a message. *limit: EVERY, or the most rows; 0: not given. */
static bool parse_limit(const struct cli_call *call, long *limit)
{
    const char *text = call->given.of[OPT_LIMIT];
    char *end = NULL;

    *limit = call->given.of[OPT_ALL] ? EVERY : 0;
    if (!text)
        return true;
    if (strcmp(text, "all") == 0 || strcmp(text, "0") == 0) {
        *limit = EVERY;
        return true;
    }
    *limit = strtol(text, &end, 10);
    if (*limit > 0 && *limit <= 1000000000 && !*end)
        return true;
    fprintf(stderr,
            "callboard %s: --limit: must be a number from 1 on, or all, not "
            "\"%s\"\n",
            call->verb->name, text);
    return false;
}

/* One page of an answer that may have several. */
struct list_pages {
    struct cli_call *call;
    const struct cli_view *view;
    long left;          /* EVERY, or how many rows are still wanted */
    const char *cursor; /* of the last answer */
    json_t *answer;     /* the first page, with the rows of all of them */
    struct buf raw;     /* the bytes of the first page */
    size_t pages, rows;
};

static void add_number(struct buf *path, const char *name, long n)
{
    char text[32];

    url_add_param(
        path, name,
        (struct slice){text, (size_t)snprintf(text, sizeof(text), "%ld", n)});
}

static json_t *ask_page(struct list_pages *p, long limit, int *code)
{
    json_t *body = p->view->post ? cli_make_body(p->call) : NULL;
    struct buf path;
    json_t *answer;

    buf_init(&path, CLI_MAX_URL);
    if (body) {
        buf_add(&path, slice_of(p->view->route));
        if (limit)
            json_object_set_new(body, "limit", json_integer(limit));
        if (p->cursor)
            json_object_set_new(body, "cursor", json_string(p->cursor));
    } else {
        cli_add_path(p->call, &path, p->view->route);
        if (limit)
            add_number(&path, "limit", limit);
        if (p->cursor)
            url_add_param(&path, "cursor", slice_of(p->cursor));
    }
    answer = cli_request(p->call, buf_slice(&path), body,
                         p->pages == 0 ? &p->raw : NULL, code);
    json_decref(body);
    buf_release(&path);
    return answer;
}

/* Whether rows can be printed before the last page is there. */
static bool is_streamed(const struct cli_call *call)
{
    return call->output == OUTPUT_JSONL || call->output == OUTPUT_CSV;
}

static json_t *rows_of(const struct list_pages *p, json_t *answer)
{
    const json_t *found = cli_at(answer, p->view->rows);

    /* The answer is ours to change. */
    return (json_t *)(uintptr_t)found;
}

/* The rows join those of the first page, unless they are printed at once. */
static void take_page(struct list_pages *p, json_t *answer)
{
    json_t *rows = rows_of(p, answer);
    json_t *cursor = json_object_get(answer, "nextCursor");

    p->rows += json_array_size(rows);
    if (p->left != EVERY)
        p->left -= (long)json_array_size(rows);
    if (is_streamed(p->call))
        cli_print_rows(p->call, p->view->columns, rows, p->pages == 0);
    if (p->pages++ == 0) {
        p->answer = answer;
        p->cursor = json_string_value(cursor);
        return;
    }
    if (is_streamed(p->call))
        json_array_clear(rows);
    json_array_extend(rows_of(p, p->answer), rows);
    if (cursor)
        json_object_set(p->answer, "nextCursor", cursor);
    else
        json_object_del(p->answer, "nextCursor");
    p->cursor = json_string_value(json_object_get(p->answer, "nextCursor"));
    json_decref(answer);
}

static int read_pages(struct list_pages *p, long limit)
{
    int code;

    p->left = limit ? limit : EVERY;
    do {
        long page = p->view->page;
        json_t *answer;

        if (page && p->left != EVERY && p->left < page)
            page = p->left;
        answer = ask_page(p, limit ? page : 0, &code);
        if (!answer)
            return code;
        take_page(p, answer);
        if (!is_streamed(p->call) && p->rows > MAX_ROWS) {
            fprintf(stderr,
                    "callboard %s: more than %d rows: -o jsonl and -o csv "
                    "print any number, page by page\n",
                    p->call->verb->name, MAX_ROWS);
            return CLI_FAILED;
        }
    } while (limit && p->view->page && p->cursor && p->left != 0);
    return CLI_ANSWERED;
}

/* Why there are no rows: the server's own words, if it has any. */
static int say_empty(const struct list_pages *p)
{
    const char *message =
        cli_text(json_object_get(p->answer, "empty"), "message");

    if (!message[0])
        return cli_say_nothing(p->call, p->view->nothing);
    fputs("callboard: ", stderr);
    cli_put(stderr, message);
    fputc('\n', stderr);
    return CLI_NOTHING;
}

static void print_text(const struct list_pages *p)
{
    struct term_look look = cli_look(p->call);
    struct buf out;

    buf_init(&out, CLI_MAX_ANSWER);
    p->view->text(&out, &look, p->call, p->answer);
    cli_print_buf(&out);
    buf_release(&out);
}

/* Whether the answer tells anything. */
static bool is_known(const struct list_pages *p)
{
    return p->view->is_known ? p->view->is_known(p->answer) : p->rows > 0;
}

bool cli_is_not_empty(const json_t *answer)
{
    return !json_object_get(answer, "empty");
}

/* The summary, the rows, and the sections that have rows. */
static void print_tables(const struct list_pages *p)
{
    const char *summary =
        p->view->summary
            ? json_string_value(cli_at(p->answer, p->view->summary))
            : NULL;
    const json_t *rows = cli_at(p->answer, p->view->rows);
    const struct cli_section *s = p->view->sections;

    if (summary && summary[0] && !p->call->given.of[OPT_NO_HEADERS]) {
        fputs(p->view->summary_head ? p->view->summary_head : "", stdout);
        cli_put(stdout, summary);
        putchar('\n');
    }
    if (json_array_size(rows) > 0)
        cli_print_rows(p->call, p->view->columns, rows, true);
    for (; s && s->title; s++) {
        rows = cli_at(p->answer, s->rows);
        if (json_array_size(rows) == 0)
            continue;
        printf("\n%s\n", s->title);
        cli_print_rows(p->call, s->columns, rows, true);
    }
}

static void print(const struct list_pages *p)
{
    char *text;

    if (p->call->output == OUTPUT_JSON && p->pages == 1) {
        cli_print_raw(&p->call->screen, buf_slice(&p->raw));
    } else if (p->call->output == OUTPUT_JSON) {
        text = json_dumps(p->answer, JSON_COMPACT | JSON_REAL_PRECISION(15));
        cli_print_raw(&p->call->screen, slice_of(text ? text : ""));
        free(text);
    } else if (!is_streamed(p->call) && p->view->text && is_known(p)) {
        print_text(p);
    } else if (!is_streamed(p->call) && is_known(p)) {
        print_tables(p);
    }
}

static int check_scope(struct cli_call *call, const struct cli_view *view)
{
    unsigned needed = 0;

    if (view->needs_namespace)
        needed |= NEED_NAMESPACE;
    if (view->needs_environment)
        needed |= NEED_ENVIRONMENT;
    return cli_scope(call, needed, view->needs_component);
}

int cli_list(struct cli_call *call)
{
    return cli_list_view(call, call->verb->view);
}

int cli_components(struct cli_call *call)
{
    return call->given.of[OPT_DETAILS] ? cli_list_view(call, &cli_view_details)
                                       : cli_list(call);
}

int cli_traces(struct cli_call *call)
{
    if (call->given.of[OPT_SUMMARY])
        return cli_list_view(call, &cli_view_found);
    return call->given.of[OPT_SORT] ? cli_list_view(call, &cli_view_sorted)
                                    : cli_list(call);
}

int cli_list_view(struct cli_call *call, const struct cli_view *view)
{
    struct list_pages p = {.call = call, .view = view};
    long limit;
    int code;

    if (!parse_limit(call, &limit))
        return CLI_MISUSED;
    code = check_scope(call, p.view);
    if (code != CLI_ANSWERED)
        return code;
    buf_init(&p.raw, CLI_MAX_ANSWER);
    code = read_pages(&p, limit);
    if (p.answer && code == CLI_ANSWERED)
        print(&p);
    if (p.answer && code == CLI_ANSWERED && !is_known(&p))
        code = say_empty(&p);
    json_decref(p.answer);
    buf_release(&p.raw);
    return code;
}
