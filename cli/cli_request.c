/* Requests made from the command line; see cli_request.h. */
#include "cli_request.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mem.h"

/* ---- the target ---- */

bool cli_target(struct cli_call *call, const char *word)
{
    char *parts[3] = {NULL}, *text = mem_copy(word, strlen(word));
    int n = 0;
    bool full = true;

    free(call->held[CLI_HELD_TARGET]);
    call->held[CLI_HELD_TARGET] = text;
    for (char *at = text; at && n < 3; n++) {
        parts[n] = at;
        at = strchr(at, '/');
        if (at)
            *at++ = '\0';
        full = full && parts[n][0];
        if (n == 2 && at)
            full = false;
    }
    if (!full) {
        fprintf(stderr,
                "callboard %s: \"%s\" is not NAMESPACE/PROJECT/COMPONENT, "
                "PROJECT/COMPONENT or COMPONENT; --component takes a name with "
                "a slash\n",
                call->verb->name, word);
        return false;
    }
    if (n == 3)
        call->scope.namespace = parts[0];
    if (n > 1)
        call->scope.project = parts[n - 2];
    if (n > 1 || call->scope.project[0])
        call->scope.component = parts[n - 1];
    else
        call->scope.project = parts[0];
    return true;
}

static int fail_missing(const struct cli_call *call)
{
    fprintf(stderr,
            "callboard %s: a component is needed: PROJECT/COMPONENT; callboard "
            "components lists them\n",
            call->verb->name);
    return CLI_MISUSED;
}

int cli_scope(struct cli_call *call, unsigned needed, bool needs_component)
{
    struct cli_scope *s = &call->scope;
    bool word = call->verb->complete == COMPLETE_TARGET && call->given.count;

    if (word && !cli_target(call, call->given.words[0]))
        return CLI_MISUSED;
    if (needs_component && word && !s->component[0]) {
        s->component = s->project;
        s->project = "";
    }
    if (needs_component && !s->component[0])
        return fail_missing(call);
    if (s->component[0])
        needed |= NEED_PROJECT;
    if (s->project[0] || s->component[0])
        needed |= NEED_NAMESPACE;
    return cli_need(call, needed);
}

/* ---- the query string ---- */

/* Where a route or a body gets its names from. */
static const struct {
    const char *name;
    size_t offset;
    uint64_t option;
} places[] = {
    {"namespace", offsetof(struct cli_scope, namespace), OPT(NAMESPACE)},
    {"project", offsetof(struct cli_scope, project), OPT(PROJECT)},
    {"component", offsetof(struct cli_scope, component), OPT(COMPONENT)},
    {"environment", offsetof(struct cli_scope, environment), OPT(ENVIRONMENT)}};

enum { PLACES = sizeof(places) / sizeof(places[0]) };

static const char *place(const struct cli_call *call, size_t i)
{
    const char *value;

    memcpy(&value, (const char *)&call->scope + places[i].offset,
           sizeof(value));
    return value;
}

static const char *replacement(const struct cli_call *call, const char *name,
                               size_t len)
{
    for (size_t i = 0; i < PLACES; i++)
        if (strlen(places[i].name) == len &&
            strncmp(places[i].name, name, len) == 0)
            return place(call, i);
    return call->given.count > 0 ? call->given.words[0] : "";
}

static void add_route(const struct cli_call *call, struct buf *path,
                      const char *route)
{
    while (*route) {
        size_t plain = strcspn(route, "{");

        buf_add(path, (struct slice){route, plain});
        route += plain;
        if (*route) {
            size_t len = strcspn(route, "}");

            url_add_escaped(path,
                            slice_of(replacement(call, route + 1, len - 1)));
            route += len + 1;
        }
    }
}

static bool is_in_route(const char *route, const char *name)
{
    const char *brace = route;
    size_t len = strlen(name);

    while ((brace = strchr(brace, '{')) != NULL)
        if (strncmp(++brace, name, len) == 0 && brace[len] == '}')
            return true;
    return false;
}

/* The routes of GET take each pair as a parameter of its own. */
static void add_pairs(struct buf *path, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");

        url_add_param(path, "attr", (struct slice){text, len});
        text += len + (text[len] != '\0');
    }
}

/* Between the values of a list; each option that is given again is a line. */
static const char separators[] = ", \t\n";

static void add_list(struct buf *path, const char *name, const char *text)
{
    struct buf list;

    buf_init(&list, CLI_MAX_URL);
    while (*(text += strspn(text, separators))) {
        size_t len = strcspn(text, separators);

        buf_add(&list, list.len ? SLICE(",") : SLICE(""));
        buf_add(&list, (struct slice){text, len});
        text += len;
    }
    url_add_param(path, name, buf_slice(&list));
    buf_release(&list);
}

/* What is no duration is refused by the server, in its words. */
static void add_seconds(struct buf *path, const char *name, const char *text)
{
    char seconds[64];
    uint64_t ns;

    if (clock_parse_duration_days(slice_of(text), &ns)) {
        (void)snprintf(seconds, sizeof(seconds), "%.9g", (double)ns / 1e9);
        text = seconds;
    }
    url_add_param(path, name, slice_of(text));
}

static void add_filter(const struct cli_call *call, struct buf *path, int i)
{
    const struct cli_option *o = &cli_options[i];
    const char *name = o->param ? o->param : o->name;

    switch (o->kind) {
    case PARAM_TRUE:
        url_add_param(path, name, SLICE("true"));
        break;
    case PARAM_FAILED:
        url_add_param(path, "status", SLICE("error"));
        break;
    case PARAM_ASCENDING:
        url_add_param(path, name, SLICE("asc"));
        break;
    case PARAM_PAIRS:
        add_pairs(path, call->given.of[i]);
        break;
    case PARAM_SECONDS:
        add_seconds(path, name, call->given.of[i]);
        break;
    case PARAM_LIST:
        add_list(path, name, call->given.of[i]);
        break;
    default:
        url_add_param(path, name, slice_of(call->given.of[i]));
    }
}

void cli_add_filters(const struct cli_call *call, struct buf *path)
{
    for (int i = 0; i < CLI_OPTIONS; i++)
        if (call->given.of[i] && cli_options[i].kind != PARAM_NONE)
            add_filter(call, path, i);
}

void cli_add_path(const struct cli_call *call, struct buf *path,
                  const char *route)
{
    add_route(call, path, route);
    for (size_t i = 0; i < PLACES; i++)
        if (!is_in_route(route, places[i].name) &&
            call->verb->options & places[i].option)
            url_add_param(path, places[i].name, slice_of(place(call, i)));
    if (call->verb->since) {
        url_add_time(path, "startTime", call->start_ns);
        url_add_time(path, "endTime", call->end_ns);
    }
    if (call->base_end_ns) {
        url_add_time(path, "baseStartTime", call->base_start_ns);
        url_add_time(path, "baseEndTime", call->base_end_ns);
    }
    cli_add_filters(call, path);
}

/* ---- the body ---- */

static json_t *list_of(const char *text)
{
    json_t *list = json_array();

    while (*(text += strspn(text, separators))) {
        size_t len = strcspn(text, separators);

        json_array_append_new(list, json_stringn(text, len));
        text += len;
    }
    return list;
}

static json_t *pairs_of(const char *text)
{
    json_t *pairs = json_object();
    char name[512];

    while (*text) {
        size_t len = strcspn(text, "\n"), key = strcspn(text, "=\n");
        size_t value = key < len ? key + 1 : len;

        if (key < sizeof(name)) {
            memcpy(name, text, key);
            name[key] = '\0';
            json_object_set_new(pairs, name,
                                json_stringn(text + value, len - value));
        }
        text += len + (text[len] != '\0');
    }
    return pairs;
}

static json_t *value_of(enum cli_param kind, const char *text)
{
    switch (kind) {
    case PARAM_NUMBER:
        return json_integer(strtoll(text, NULL, 10));
    case PARAM_LIST:
        return list_of(text);
    case PARAM_PAIRS:
        return pairs_of(text);
    case PARAM_TRUE:
    case PARAM_FAILED:
        return json_true();
    case PARAM_ASCENDING:
        return json_string("asc");
    default:
        return json_string(text);
    }
}

static void set_time(json_t *body, const char *name, uint64_t ns)
{
    char text[CLOCK_TEXT];
    size_t len = clock_format_rfc3339(text, ns);

    json_object_set_new(body, name, json_stringn(text, len));
}

json_t *cli_make_body(const struct cli_call *call)
{
    json_t *body = json_object(), *scope = json_object();

    for (size_t i = 0; i < PLACES; i++)
        if (place(call, i)[0])
            json_object_set_new(scope, places[i].name,
                                json_string(place(call, i)));
    json_object_set_new(body, "searchScope", scope);
    if (call->verb->since) {
        set_time(body, "startTime", call->start_ns);
        set_time(body, "endTime", call->end_ns);
    }
    for (int i = 0; i < CLI_OPTIONS; i++) {
        const struct cli_option *o = &cli_options[i];

        if (call->given.of[i] && o->kind != PARAM_NONE)
            json_object_set_new(body, o->param ? o->param : o->name,
                                value_of(o->kind, call->given.of[i]));
    }
    return body;
}

/* ---- the answer ---- */

static json_t *parse_answer(const struct cli_call *call, struct slice text,
                            int *code)
{
    json_error_t error;
    json_t *answer = json_loadb(text.ptr, text.len, 0, &error);

    if (answer)
        return answer;
    fprintf(stderr, "callboard: the answer of %s is not JSON\n",
            call->server.address ? call->server.address
                                 : call->server.data_dir);
    *code = CLI_FAILED;
    return NULL;
}

json_t *cli_request(const struct cli_call *call, struct slice path,
                    const json_t *body, struct buf *raw, int *code)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    char error[CLI_ERROR] = "";
    json_t *answer = NULL;
    struct buf own;
    long status;

    if (!raw)
        buf_init(&own, CLI_MAX_ANSWER);
    struct buf *to = raw ? raw : &own;

    status = cli_send(&call->server, body ? "POST" : "GET", path,
                      slice_of(text ? text : ""), to, error);
    *code = CLI_ANSWERED;
    if (status == 200)
        answer = parse_answer(call, buf_slice(to), code);
    else
        *code = cli_fail(&call->server, status, buf_slice(to), error);
    if (status == 400)
        *code = CLI_MISUSED;
    if (status == 404)
        *code = CLI_NOTHING;
    if (!raw)
        buf_release(&own);
    free(text);
    return answer;
}
