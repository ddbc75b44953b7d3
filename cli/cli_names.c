/* Names that the server knows: the only namespace, project or environment, and
 * the most similar component where nothing is known of a name. */
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

/* What is only declared is in no environment. */
bool cli_is_known(const struct cli_call *call)
{
    json_t *answer = get_components(call, true);
    const json_t *list = json_object_get(answer, "components");
    bool known = !json_is_array(list);

    for (size_t i = 0; i < json_array_size(list); i++)
        known |= !call->scope.environment[0] ||
                 cli_text(json_array_get(list, i), "environment")[0];
    json_decref(answer);
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

/* How far a component is from a scope; a wrong namespace is more likely than
 * a wrong project. */
static uint32_t distance_of(const struct cli_scope *s, const json_t *component)
{
    return 4 * distance(s->project, component, "project") +
           4 * distance(s->component, component, "component") +
           distance(s->namespace, component, "namespace") +
           distance(s->environment, component, "environment");
}

/* What a name alone may be as well: a component if it was taken for a project,
 * a project if it was taken for a component of the usual one. */
static struct cli_scope other_reading(const struct cli_scope *s)
{
    struct cli_scope other = *s;

    other.project = s->component;
    other.component = s->component[0] ? "" : s->project;
    return other;
}

/* The most similar component; what it is near to is in *meant. NULL: none. */
static const json_t *find_similar(const struct cli_call *call,
                                  const json_t *list, struct cli_scope *meant)
{
    const struct cli_scope taken = call->scope, other = other_reading(&taken);
    bool alone = call->given.count > 0 && !strchr(call->given.words[0], '/');
    const json_t *best = NULL;
    uint32_t least = UINT32_MAX, far;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *c = json_array_get(list, i);

        if ((far = distance_of(&taken, c)) < least) {
            best = c;
            least = far;
            *meant = taken;
        }
        if (alone && (far = distance_of(&other, c)) < least) {
            best = c;
            least = far;
            *meant = other;
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

/* A project is named by its option where a name alone is a component of the
 * usual project. */
static void put_similar(const struct cli_call *call, const json_t *other,
                        const struct cli_scope *meant)
{
    bool option = call->scope.component[0] && !meant->component[0];

    put_name(option ? "; did you mean --project " : "; did you mean ", other,
             "project");
    if (meant->component[0])
        put_name("/", other, "component");
    put_name(" --namespace ", other, "namespace");
    if (meant->environment[0] && cli_text(other, "environment")[0])
        put_name(" --environment ", other, "environment");
    fputc('?', stderr);
}

static void say_unknown(const struct cli_call *call)
{
    struct cli_scope meant = call->scope;
    json_t *names = get_components(call, false);
    const json_t *list = json_object_get(names, "components");
    const json_t *other = find_similar(call, list, &meant);

    fputs("callboard: there is no", stderr);
    put_scope(&call->scope);
    if (other)
        put_similar(call, other, &meant);
    else if (list)
        fputs("; the server has no component that you may see: nothing was "
              "sent yet, or the token is for others",
              stderr);
    fputc('\n', stderr);
    json_decref(names);
}

void cli_warn_unknown(const struct cli_call *call)
{
    const struct cli_scope *s = &call->scope;

    if ((s->namespace[0] || s->project[0] || s->environment[0]) &&
        !cli_is_known(call)) {
        say_unknown(call);
        fputs("callboard: waiting for it; Ctrl-C ends\n", stderr);
    }
}

int cli_say_nothing(const struct cli_call *call, const char *nothing)
{
    if (cli_is_known(call))
        fprintf(stderr, "callboard: %s\n", nothing);
    else
        say_unknown(call);
    return CLI_NOTHING;
}

/* ---- what is not given, where only one fits ---- */

static const char *const needs[] = {"namespace", "project", "environment"};

enum { NEEDS = sizeof(needs) / sizeof(needs[0]) };

static const char **place_of(struct cli_scope *s, size_t need)
{
    return need == 0   ? &s->namespace
           : need == 1 ? &s->project
                       : &s->environment;
}

static bool is_of_scope(struct cli_scope *s, const json_t *row)
{
    for (size_t i = 0; i < NEEDS; i++) {
        const char *wanted = *place_of(s, i), *name = cli_text(row, needs[i]);

        /* what is only declared is in no environment */
        if (wanted[0] && name[0] && strcmp(name, wanted) != 0)
            return false;
    }
    return !s->component[0] ||
           strcmp(cli_text(row, "component"), s->component) == 0;
}

/* Names that several rows have, each once: rows are in order of names, but of
 * environments. */
static void say_several(struct cli_call *call, const json_t *list, size_t need)
{
    fprintf(stderr, "callboard %s: --%s is needed, one of:", call->verb->name,
            needs[need]);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        const char *name = cli_text(row, needs[need]);
        bool said = !name[0] || !is_of_scope(&call->scope, row);

        for (size_t k = 0; k < i && !said; k++) {
            const json_t *before = json_array_get(list, k);

            said = is_of_scope(&call->scope, before) &&
                   strcmp(cli_text(before, needs[need]), name) == 0;
        }
        if (!said) {
            fputc(' ', stderr);
            cli_put(stderr, name);
        }
    }
    fputc('\n', stderr);
}

static int choose_only(struct cli_call *call, const json_t *list, size_t need)
{
    const char *found = NULL;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        const char *name = cli_text(row, needs[need]);

        if (!name[0] || !is_of_scope(&call->scope, row))
            continue;
        if (found && strcmp(found, name) != 0) {
            say_several(call, list, need);
            return CLI_MISUSED;
        }
        found = name;
    }
    if (!found) {
        say_unknown(call);
        return CLI_NOTHING;
    }
    call->held[CLI_HELD_NEEDED + need] = mem_copy(found, strlen(found));
    *place_of(&call->scope, need) = call->held[CLI_HELD_NEEDED + need];
    return CLI_ANSWERED;
}

int cli_need(struct cli_call *call, unsigned needed)
{
    struct buf path;
    json_t *answer;
    unsigned missing = 0;
    int code = CLI_ANSWERED;

    for (size_t i = 0; i < NEEDS; i++)
        if ((needed >> i & 1) && !(*place_of(&call->scope, i))[0])
            missing |= 1U << i;
    if (!missing)
        return code;
    buf_init(&path, CLI_MAX_URL);
    buf_add(&path, SLICE("/api/v1/components?limit=1000"));
    url_add_param(&path, "namespace", slice_of(call->scope.namespace));
    url_add_param(&path, "project", slice_of(call->scope.project));
    if (call->scope.project[0])
        url_add_param(&path, "component", slice_of(call->scope.component));
    url_add_param(&path, "environment", slice_of(call->scope.environment));
    answer = cli_request(call, buf_slice(&path), NULL, NULL, &code);
    for (size_t i = 0; i < NEEDS && code == CLI_ANSWERED; i++)
        if (missing >> i & 1)
            code = choose_only(call, json_object_get(answer, "components"), i);
    json_decref(answer);
    buf_release(&path);
    return code;
}
