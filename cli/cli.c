/* The verbs of the command line: which one, its options, and its exit status.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#include "cli_complete.h"
#include "cli_verbs.h"
#include "similar.h"

static const struct cli_verb *find_verb(const char *name)
{
    for (size_t i = 0; i < cli_verb_count; i++)
        if (strcmp(cli_verbs[i].name, name) == 0)
            return &cli_verbs[i];
    return NULL;
}

bool cli_is_verb(const char *verb)
{
    return find_verb(verb) || strcmp(verb, CLI_COMPLETE_VERB) == 0;
}

/* A beginning, or a slip of the keys. */
static bool is_like(const char *name, const char *word)
{
    size_t len = strlen(word);

    return len > 0 &&
           (strncmp(name, word, len) == 0 ||
            similar_distance(slice_of(word), slice_of(name)) <= (len + 2) / 3);
}

void cli_unknown(const char *word)
{
    static const char *const others[] = {"serve", "help", "version"};
    enum { OTHERS = sizeof(others) / sizeof(others[0]) };
    const char *before = "; did you mean ";

    fprintf(stderr, "callboard: %s: no such command", word);
    for (size_t i = 0; i < cli_verb_count + OTHERS; i++) {
        const char *name =
            i < cli_verb_count ? cli_verbs[i].name : others[i - cli_verb_count];

        if (!is_like(name, word))
            continue;
        fprintf(stderr, "%s%s", before, name);
        before = ", ";
    }
    fprintf(stderr, "%s callboard -h lists all\n",
            before[0] == ',' ? "?" : ";");
}

static int misused(const struct cli_verb *verb, const char *why)
{
    fprintf(stderr, "callboard %s%s%s\nUsage: callboard %s%s%s\n", verb->name,
            why[0] ? ": " : "", why, verb->name, verb->arguments[0] ? " " : "",
            verb->arguments);
    fprintf(stderr, "See callboard %s --help\n", verb->name);
    return CLI_MISUSED;
}

static int run_call(struct cli_call *call)
{
    const struct cli_verb *verb = call->verb;
    int code;

    if (call->given.of[OPT_HELP]) {
        cli_print_help(stdout, verb);
        return CLI_ANSWERED;
    }
    if (call->given.count < verb->least || !verb->run)
        return misused(verb, "something is missing");
    if (call->given.count > verb->most)
        return misused(verb, "too many arguments");
    code = cli_settings(call);
    return code == CLI_ANSWERED ? verb->run(call) : code;
}

/* What could not be written is not an answer. */
static int finish(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    perror("callboard: standard output");
    return CLI_FAILED;
}

int cli_run(int argc, char **argv)
{
    struct cli_call call = {.verb = find_verb(argv[1])};
    char name[64]; /* in getopt_long()'s messages */
    int code = CLI_MISUSED;

    if (!call.verb)
        return finish(cli_complete(argc - 2, argv + 2));
    (void)snprintf(name, sizeof(name), "callboard %s", call.verb->name);
    argv[1] = name;
    cli_signals_init();
    if (cli_options_parse(&call.given, call.verb->options, argc - 1, argv + 1))
        code = run_call(&call);
    else
        fprintf(stderr, "See callboard %s --help\n", call.verb->name);
    cli_call_release(&call);
    return finish(code);
}
