/* The verbs of the command line that query a running server. */
#include "cli.h"

#include <string.h>

#include "cli_int.h"

/* name: in getopt_long()'s messages, which takes it as char *. */
static struct {
    const char *verb;
    char name[20];
    int (*run)(int argc, char **argv);
} verbs[] = {{"cause", "callboard cause", cli_cause},
             {"token", "callboard token", cli_token},
             {"tenants", "callboard tenants", cli_tenants},
             {"tenant", "callboard tenant", cli_tenant}};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static size_t find_verb(const char *verb)
{
    size_t i = 0;

    while (i < VERBS && strcmp(verbs[i].verb, verb) != 0)
        i++;
    return i;
}

bool cli_is_verb(const char *verb)
{
    return find_verb(verb) < VERBS;
}

int cli_run(int argc, char **argv)
{
    size_t i = find_verb(argv[1]);

    argv[1] = verbs[i].name;
    return verbs[i].run(argc - 1, argv + 1);
}
