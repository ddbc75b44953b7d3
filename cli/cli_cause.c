/*
 * `callboard cause`: options, one GET of /api/v1/cause, and its JSON as text
 * (cli_print.c) or as it is. If nothing is known about the names that were
 * given, the most similar ones are suggested.
 */
#include "cli_int.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "similar.h"

enum { MAX_ANSWER = 64 << 20 };

struct cli_options {
    const char *server, *namespace, *environment, *since, *target;
    bool json, help;
};

static int usage(FILE *out)
{
    fputs(
        "Usage: callboard cause PROJECT[/COMPONENT] [OPTION]...\n"
        "\n"
        "Asks a running server for the likely causes of the failures in a\n"
        "time window, most likely first, compared with the time before.\n"
        "\n"
        "  --since DURATION    length of the window, which ends now, such as\n"
        "                      90s, 30m, 6h or 2d (default 30m)\n"
        "  --namespace NAME    namespace of the project (default \"default\")\n"
        "  --environment NAME  environment (default all)\n"
        "  --server HOST:PORT  query API of the server, or its URL\n"
        "                      (default 127.0.0.1:9097)\n"
        "  --json              print the answer as JSON\n"
        "\n"
        "CALLBOARD_CA_FILE, CALLBOARD_CERT_FILE and CALLBOARD_KEY_FILE name "
        "the\n"
        "CA that signed the certificate of an https:// server, a client\n"
        "certificate and its key.\n"
        "CALLBOARD_TOKEN_FILE names the file with the token for a server that\n"
        "asks for one.\n"
        "\n"
        "Exit status: 0 after an answer, 1 if there is none, 2 if the command\n"
        "line is wrong, 3 if the credential is missing or not enough, 4 if "
        "the\n"
        "server says to try again later.\n",
        out);
    return out == stdout ? CLI_ANSWERED : CLI_MISUSED;
}

static int fail(const char *what, const char *which)
{
    fprintf(stderr, "callboard: %s%s\n", what, which);
    return CLI_FAILED;
}

/* False after getopt_long() has printed what is wrong, or without a target. */
static bool parse(struct cli_options *o, int argc, char **argv)
{
    enum { VALUE, JSON, HELP };
    static const struct option options[] = {
        {"since", required_argument, NULL, VALUE},
        {"namespace", required_argument, NULL, VALUE},
        {"environment", required_argument, NULL, VALUE},
        {"server", required_argument, NULL, VALUE},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0}};
    const char **values[] = {&o->since, &o->namespace, &o->environment,
                             &o->server};
    int option, index;

    *o = (struct cli_options){.server = "127.0.0.1:9097",
                              .namespace = "default",
                              .environment = "",
                              .since = "30m"};
    while ((option = getopt_long(argc, argv, "", options, &index)) != -1) {
        if (option == '?')
            return false;
        if (option == VALUE)
            *values[index] = optarg;
        o->json |= option == JSON;
        o->help |= option == HELP;
    }
    o->target = optind + 1 == argc ? argv[optind] : "";
    return o->help || o->target[0] != '\0';
}

/* ---- paths ---- */

static void add_param(struct buf *path, const char *name, struct slice value)
{
    if (value.len == 0)
        return;
    buf_format(path, "&%s=", name);
    for (size_t i = 0; i < value.len; i++)
        buf_format(path, "%%%02X", (unsigned char)value.ptr[i]);
}

static void add_time(struct buf *path, const char *name, uint64_t ns)
{
    char text[CLOCK_TEXT];

    add_param(path, name, (struct slice){text, clock_format_rfc3339(text, ns)});
}

static struct slice project_of(const struct cli_options *o)
{
    return (struct slice){o->target, strcspn(o->target, "/")};
}

/* "" for the whole project. */
static const char *component_of(const struct cli_options *o)
{
    const char *slash = strchr(o->target, '/');

    return slash ? slash + 1 : "";
}

static void add_scope(struct buf *path, const struct cli_options *o)
{
    add_param(path, "namespace", slice_of(o->namespace));
    add_param(path, "project", project_of(o));
    add_param(path, "component", slice_of(component_of(o)));
    add_param(path, "environment", slice_of(o->environment));
}

static bool make_path(const struct cli_options *o, struct buf *path)
{
    uint64_t since, now = clock_wall_ns();

    if (!clock_parse_duration_days(slice_of(o->since), &since) || since == 0 ||
        since >= now)
        return false;
    buf_add(path, SLICE("/api/v1/cause?"));
    add_scope(path, o);
    add_time(path, "startTime", now - since);
    add_time(path, "endTime", now);
    return true;
}

/* ---- similar names ---- */

/* The components of a path, or NULL if there is no answer. */
static json_t *get_components(const struct cli_options *o, struct slice path)
{
    struct cli_server server = {.address = o->server};
    char error[CLI_ERROR];
    struct buf body;
    json_t *list = NULL;

    buf_init(&body, MAX_ANSWER);
    if (cli_send(&server, "GET", path, SLICE(""), &body, error) == 200)
        list = json_loadb(body.ptr, body.len, 0, NULL);
    buf_release(&body);
    return list;
}

/* False if the server knows no component of this scope. */
static bool is_known(const struct cli_options *o)
{
    struct buf path;

    buf_init(&path, CLI_MAX_URL);
    buf_add(&path, SLICE("/api/v1/components?"));
    add_scope(&path, o);
    json_t *list = get_components(o, buf_slice(&path));
    bool known =
        !list || json_integer_value(json_object_get(list, "total")) > 0;
    json_decref(list);
    buf_release(&path);
    return known;
}

static uint32_t distance(struct slice wanted, const json_t *component,
                         const char *member)
{
    return similar_distance(wanted, slice_of(cli_text(component, member)));
}

/* The component with the most similar names. A wrong namespace is more likely
 * than a wrong project. */
static const json_t *most_similar(const struct cli_options *o,
                                  const json_t *list)
{
    const json_t *best = NULL;
    uint32_t least = UINT32_MAX;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *c = json_array_get(list, i);
        uint32_t far = 4 * distance(project_of(o), c, "project") +
                       distance(slice_of(o->namespace), c, "namespace");

        if (o->environment[0])
            far += distance(slice_of(o->environment), c, "environment");
        if (component_of(o)[0])
            far += 4 * distance(slice_of(component_of(o)), c, "component");
        if (far < least) {
            best = c;
            least = far;
        }
    }
    return best;
}

static int fail_unknown(const struct cli_options *o)
{
    json_t *list = get_components(o, SLICE("/api/v1/components"));
    const json_t *other = most_similar(o, json_object_get(list, "components"));
    bool one = component_of(o)[0];

    fprintf(stderr, "callboard: there is no %s in namespace %s%s%s", o->target,
            o->namespace, o->environment[0] ? ", environment " : "",
            o->environment);
    if (other) {
        fputs("; did you mean ", stderr);
        cli_put(stderr, cli_text(other, "project"));
        fputs(one ? "/" : "", stderr);
        cli_put(stderr, one ? cli_text(other, "component") : "");
        fputs(" --namespace ", stderr);
        cli_put(stderr, cli_text(other, "namespace"));
        if (o->environment[0] && cli_text(other, "environment")[0]) {
            fputs(" --environment ", stderr);
            cli_put(stderr, cli_text(other, "environment"));
        }
        fputc('?', stderr);
    }
    fputc('\n', stderr);
    json_decref(list);
    return CLI_FAILED;
}

/* ---- the answer ---- */

static int print_answer(const struct cli_options *o, struct slice body)
{
    json_t *answer = json_loadb(body.ptr, body.len, 0, NULL);
    int code = CLI_ANSWERED;

    if (!answer)
        return fail("the answer is not JSON, from ", o->server);
    if (!json_is_true(json_object_get(answer, "found")) && !is_known(o))
        code = fail_unknown(o);
    else if (o->json)
        printf("%.*s\n", (int)body.len, body.ptr);
    else
        cli_print_cause(answer);
    json_decref(answer);
    return code;
}

static int run(const struct cli_options *o)
{
    struct cli_server server = {.address = o->server};
    char error[CLI_ERROR];
    struct buf path, body;
    long status;
    int code;

    buf_init(&path, CLI_MAX_URL);
    buf_init(&body, MAX_ANSWER);
    if (!make_path(o, &path)) {
        code =
            fail("--since: must be a duration such as 90s, 30m, 6h or 2d, not ",
                 o->since);
    } else {
        status =
            cli_send(&server, "GET", buf_slice(&path), SLICE(""), &body, error);
        code = status == 200
                   ? print_answer(o, buf_slice(&body))
                   : cli_fail(&server, status, buf_slice(&body), error);
    }
    buf_release(&path);
    buf_release(&body);
    return code;
}

int cli_cause(int argc, char **argv)
{
    struct cli_options o;

    if (!parse(&o, argc, argv))
        return usage(stderr);
    return o.help ? usage(stdout) : run(&o);
}
