/*
 * cli - the verbs of the command line that query a running server.
 *
 * Purpose:   callboard VERB: one table of them (cli/cli_verbs.c), from which
 *            help, manual page and completion are made.
 * Ownership: arguments are the caller's.
 * Threads:   one.
 * Errors:    a message on stderr and the exit status.
 */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stdio.h>

/* True if the first argument is such a verb. */
bool cli_is_verb(const char *verb);

/* Runs the verb argv[1]; the exit status. */
int cli_run(int argc, char **argv);

/* Says on stderr that the word is no command, and which ones are like it. */
void cli_unknown(const char *word);

/* A line per verb, for the help of the program. */
void cli_print_verbs(FILE *out);
/* Sections of the manual page. */
void cli_print_man(FILE *out);

#endif
