/*
 * cli - the verbs of the command line that query a running server.
 *
 * Purpose:   callboard VERB: one file per verb, one table of them (cli/cli.c).
 * Ownership: arguments are the caller's.
 * Threads:   one.
 * Errors:    a message on stderr and the exit status.
 */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>

/* True if the first argument is such a verb. */
bool cli_is_verb(const char *verb);

/* Runs the verb argv[1]; the exit status. */
int cli_run(int argc, char **argv);

#endif
