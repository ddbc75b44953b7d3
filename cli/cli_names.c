/* Names that the server knows: the only namespace, and the most similar
 * component where nothing is known of a name. */
#include <string.h>

#include "cli_request.h"
#include "mem.h"
#include "similar.h"

/* The answer of the list of components, quietly: NULL if there is none. */
static json_t *get_components(const struct cli_call *call, bool scoped)
{
    struct buf path, body;
    char error[CLI_ERROR];
    json_t *list = NULL;

    buf_init(&path, CLI_MAX_URL);
    buf_init(&body, CLI_MAX_ANSWER);
    buf_add(&path, SLICE("/api/v1/components"));
    if (scoped) {
        url_add_param(&path, "namespace", slice_of(call->scope.namespace));
        url_add_param(&path, "project", slice_of(call->scope.project));
        url_add_param(&path, "component", slice_of(call->scope.component));
        url_add_param(&path, "environment", slice_of(call->scope.environment));
    }
    if (cli_send(&call->server, "GET", buf_slice(&path), SLICE(""), &body,
                 error) == 200)
        list = json_loadb(body.ptr, body.len, 0, NULL);
    buf_release(&body);
    buf_release(&path);
    return list;
}

bool cli_is_known(const struct cli_call *call)
{
    json_t *list = get_components(call, true);
    bool known =
        !list || json_integer_value(json_object_get(list, "total")) > 0;

    json_decref(list);
    return known;
}

static uint32_t distance(const char *wanted, const json_t *component,
                         const char *member)
{
    if (!wanted[0])
        return 0;
    return similar_distance(slice_of(wanted),
                            slice_of(cli_text(component, member)));
}

/* A wrong namespace is more likely than a wrong project. */
const json_t *cli_most_similar(const struct cli_call *call, json_t **names)
{
    const struct cli_scope *s = &call->scope;
    const json_t *best = NULL, *list;
    uint32_t least = UINT32_MAX;

    *names = get_components(call, false);
    list = json_object_get(*names, "components");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *c = json_array_get(list, i);
        uint32_t far = 4 * distance(s->project, c, "project") +
                       4 * distance(s->component, c, "component") +
                       distance(s->namespace, c, "namespace") +
                       distance(s->environment, c, "environment");

        if (far < least) {
            best = c;
            least = far;
        }
    }
    return best;
}

static void put_scope(const struct cli_scope *s)
{
    if (s->component[0])
        fprintf(stderr, " component %s%s%s", s->project,
                s->project[0] ? "/" : "", s->component);
    else if (s->project[0])
        fprintf(stderr, " project %s", s->project);
    else
        fputs(" component", stderr);
    if (s->namespace[0])
        fprintf(stderr, " in namespace %s", s->namespace);
    if (s->environment[0])
        fprintf(stderr, "%s environment %s", s->namespace[0] ? "," : " in",
                s->environment);
}

static void put_name(const char *before, const json_t *component,
                     const char *member)
{
    fputs(before, stderr);
    cli_put(stderr, cli_text(component, member));
}

static void say_unknown(const struct cli_call *call)
{
    const struct cli_scope *s = &call->scope;
    json_t *names;
    const json_t *other = cli_most_similar(call, &names);

    fputs("callboard: there is no", stderr);
    put_scope(s);
    if (other) {
        put_name("; did you mean ", other, "project");
        if (s->component[0])
            put_name("/", other, "component");
        put_name(" --namespace ", other, "namespace");
        if (s->environment[0] && cli_text(other, "environment")[0])
            put_name(" --environment ", other, "environment");
        fputc('?', stderr);
    }
    fputc('\n', stderr);
    json_decref(names);
}

int cli_say_nothing(const struct cli_call *call, const char *nothing)
{
    if (cli_is_known(call))
        fprintf(stderr, "callboard: %s\n", nothing);
    else
        say_unknown(call);
    return CLI_NOTHING;
}

/* ---- the only namespace ---- */

static void say_namespaces(const struct cli_call *call, const json_t *list)
{
    const char *last = "";

    fprintf(stderr,
            "callboard %s: --namespace is needed, one of:", call->verb->name);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = cli_text(json_array_get(list, i), "namespace");

        if (strcmp(name, last) != 0) {
            fputc(' ', stderr);
            cli_put(stderr, name);
        }
        last = name;
    }
    fputc('\n', stderr);
}

/* NULL if rows differ, or if there are none. */
static const char *only_namespace(const json_t *list, const char *component)
{
    const char *found = NULL;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        const char *name = cli_text(row, "namespace");

        if (component[0] && strcmp(cli_text(row, "component"), component) != 0)
            continue;
        if (found && strcmp(found, name) != 0)
            return NULL;
        found = name;
    }
    return found;
}

int cli_need_namespace(struct cli_call *call)
{
    struct buf path;
    json_t *answer;
    const json_t *list;
    const char *found;
    int code;

    if (call->scope.namespace[0])
        return CLI_ANSWERED;
    buf_init(&path, CLI_MAX_URL);
    buf_add(&path, SLICE("/api/v1/components"));
    url_add_param(&path, "project", slice_of(call->scope.project));
    answer = cli_request(call, buf_slice(&path), NULL, NULL, &code);
    list = json_object_get(answer, "components");
    found = only_namespace(list, call->scope.component);
    if (found) {
        call->held[CLI_HELD_NAMESPACE] = mem_copy(found, strlen(found));
        call->scope.namespace = call->held[CLI_HELD_NAMESPACE];
    } else if (answer && json_array_size(list) > 0) {
        bool known = !call->scope.component[0] || cli_is_known(call);

        code = known ? CLI_MISUSED : CLI_NOTHING;
        if (known)
            say_namespaces(call, list);
        else
            say_unknown(call);
    } else if (answer) {
        code = CLI_NOTHING;
        say_unknown(call);
    }
    json_decref(answer);
    buf_release(&path);
    return code;
}
