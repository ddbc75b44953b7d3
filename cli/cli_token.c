/*
 * `callboard token`: API tokens of a server. `hash` needs none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli_access.h"
#include "tokens.h"

enum { NAMES = 8, NAME_WIDTH = 20 };

/* Members of the request, in the order of the options. */
static const char *const members[NAMES] = {
    "role",        "namespace", "project", "component",
    "environment", "expires",   "stamp",   "overlap"};

/* NULL: not given. */
struct token_options {
    const struct cli_call *call;
    const char *values[NAMES];
    const char *verb, *subject;
};

/* ---- requests ---- */

static struct slice wish(const struct token_options *o, json_t *object,
                         struct buf *out)
{
    char *text;

    for (int i = 0; i < NAMES; i++)
        if (o->values[i])
            json_object_set_new(object, members[i], json_string(o->values[i]));
    text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    buf_add(out, slice_of(text ? text : "{}"));
    free(text);
    return buf_slice(out);
}

/* The answer, or NULL after a message; *code is the exit status. */
static json_t *ask(const struct token_options *o, const char *method,
                   const char *path, json_t *object, int *code)
{
    struct buf request;
    json_t *answer;

    buf_init(&request, 1 << 16);
    answer = cli_ask(o->call, method, slice_of(path),
                     object ? wish(o, object, &request) : SLICE(""), code);
    buf_release(&request);
    return answer;
}

/* The token alone on standard output, so that it can be redirected. */
static int print_token(const struct token_options *o, json_t *answer, int code)
{
    if (!answer)
        return code;
    if (cli_wants_json(o->call)) {
        cli_print_json(o->call, answer);
    } else {
        fprintf(stderr, "Token %s; it is shown only once:\n",
                cli_text(answer, "id"));
        puts(cli_text(answer, "token"));
    }
    json_decref(answer);
    return code;
}

static int create(const struct token_options *o)
{
    json_t *object = json_object();
    json_t *answer;
    int code;

    json_object_set_new(object, "name", json_string(o->subject));
    answer = ask(o, "POST", "/api/v1/access/tokens", object, &code);
    return print_token(o, answer, code);
}

/* An id is letters and digits: anything else is none. */
static bool path_of(const struct token_options *o, const char *after,
                    char path[128])
{
    size_t len = strspn(o->subject, "abcdefghijklmnopqrstuvwxyz0123456789");

    if (len == 0 || len > 64 || o->subject[len])
        return false;
    (void)snprintf(path, 128, "/api/v1/access/tokens/%s%s", o->subject, after);
    return true;
}

static int no_id(const char *text)
{
    fprintf(stderr,
            "callboard: \"%s\" is not the id of a token; callboard "
            "token list shows them\n",
            text);
    return CLI_FAILED;
}

static int rotate(const struct token_options *o)
{
    char path[128];
    json_t *answer;
    int code;

    if (!path_of(o, "/rotate", path))
        return no_id(o->subject);
    answer = ask(o, "POST", path, json_object(), &code);
    return print_token(o, answer, code);
}

static int revoke(const struct token_options *o)
{
    char path[128];
    json_t *answer;
    int code;

    if (!path_of(o, "", path))
        return no_id(o->subject);
    answer = ask(o, "DELETE", path, NULL, &code);
    if (answer)
        printf("Token %s is revoked.\n", o->subject);
    json_decref(answer);
    return code;
}

/* "ingest acme/shop": what the token was made with. */
static void print_grant(const json_t *grant)
{
    static const char *const sets[] = {"role", "roles", "actions"};

    for (size_t i = 0; i < 3; i++) {
        const json_t *set = json_object_get(grant, sets[i]);

        cli_put(stdout, cli_text(grant, sets[i]));
        for (size_t k = 0; k < json_array_size(set); k++) {
            fputs(k ? "," : "", stdout);
            cli_put(stdout, json_string_value(json_array_get(set, k)));
        }
    }
    for (int i = 1; i < 5; i++)
        if (cli_text(grant, members[i])[0]) {
            fputs(i == 1 ? " " : "/", stdout);
            cli_put(stdout, cli_text(grant, members[i]));
        }
}

/* A time to the second. */
static void print_time(const json_t *token, const char *member)
{
    const char *text = cli_text(token, member);

    if (strlen(text) > 20)
        printf("  %.19sZ", text);
    else
        printf("  %-20s", text[0] ? text : "never");
}

static void print_row(const json_t *token)
{
    const json_t *grants = json_object_get(token, "grants");
    const char *name = cli_text(token, "name");

    printf("%s  ", cli_text(token, "id"));
    cli_put(stdout, name);
    printf("%*s",
           strlen(name) < NAME_WIDTH ? NAME_WIDTH - (int)strlen(name) : 0, "");
    print_time(token, "expires");
    print_time(token, "lastUsed");
    printf("  %-8s  ", cli_text(token, "source"));
    for (size_t i = 0; i < json_array_size(grants); i++) {
        fputs(i ? "; " : "", stdout);
        print_grant(json_array_get(grants, i));
    }
    if (!grants)
        print_grant(token);
    putchar('\n');
}

static void print_table(const json_t *tokens)
{
    printf("%-8s  %-*s  %-20s  %-20s  %-8s  %s\n", "ID", NAME_WIDTH, "NAME",
           "EXPIRES", "LAST USED", "FROM", "GRANTS");
    for (size_t i = 0; i < json_array_size(tokens); i++)
        print_row(json_array_get(tokens, i));
}

static int list(const struct token_options *o)
{
    int code;
    json_t *answer = ask(o, "GET", "/api/v1/access/tokens", NULL, &code);
    const json_t *tokens = json_object_get(answer, "tokens");

    if (answer && cli_wants_json(o->call))
        cli_print_json(o->call, tokens);
    else if (answer)
        print_table(tokens);
    json_decref(answer);
    return code;
}

/* The token of standard input, as a line of YAML. */
static int hash(const struct token_options *o)
{
    char text[128] = "", hex[TOKENS_HEX];
    struct slice token;

    if (!fgets(text, sizeof(text), stdin))
        text[0] = '\0';
    token = slice_trim(slice_of(text), " \t\r\n");
    if (!tokens_hash(token, hex)) {
        fputs("callboard: standard input is not an API token, or not a whole "
              "one\n",
              stderr);
        return CLI_FAILED;
    }
    printf("  - {name: \"%s\", sha256: %s", o->subject[0] ? o->subject : "NAME",
           hex);
    printf(", role: \"%s\"", o->values[0] ? o->values[0] : "ROLE");
    printf(", namespace: \"%s\"", o->values[1] ? o->values[1] : "NAMESPACE");
    for (int i = 2; i < NAMES - 1; i++)
        if (o->values[i])
            printf(", %s: \"%s\"", members[i], o->values[i]);
    puts("}");
    explicit_bzero(text, sizeof(text));
    return CLI_ANSWERED;
}

int cli_token(struct cli_call *call)
{
    static const enum cli_option_id ids[NAMES] = {
        OPT_ROLE,        OPT_NAMESPACE, OPT_PROJECT, OPT_COMPONENT,
        OPT_ENVIRONMENT, OPT_EXPIRES,   OPT_STAMP,   OPT_OVERLAP};
    static const struct {
        const char *verb;
        int (*run)(const struct token_options *o);
        int subject; /* 1: needed, 0: none, -1: may be */
        const char *takes;
    } verbs[] = {{"create", create, 1, "a name for the token"},
                 {"list", list, 0, "no name"},
                 {"revoke", revoke, 1, "the id of a token"},
                 {"rotate", rotate, 1, "the id of a token"},
                 {"hash", hash, -1, ""}};
    struct token_options o = {.call = call, .subject = ""};

    for (int i = 0; i < NAMES; i++)
        o.values[i] = call->given.of[ids[i]];
    o.verb = call->given.words[0];
    if (call->given.count > 1)
        o.subject = call->given.words[1];
    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
        if (strcmp(o.verb, verbs[i].verb) == 0) {
            if (verbs[i].subject >= 0 && verbs[i].subject != !!o.subject[0]) {
                fprintf(stderr,
                        "callboard: token %s takes %s; see callboard "
                        "token --help\n",
                        o.verb, verbs[i].takes);
                return CLI_MISUSED;
            }
            return verbs[i].run(&o);
        }
    fprintf(stderr,
            "callboard: there is no token %s; see callboard token --help\n",
            o.verb);
    return CLI_MISUSED;
}
