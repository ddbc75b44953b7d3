/*
 * client - verbs of the command line that ask a running server.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Is the first argument such a verb? */
bool client_is_verb(const char *verb);

/* callboard cause PROJECT[/COMPONENT] [--since 30m] [--namespace NS]
 * [--environment ENV] [--server HOST:PORT] [--json]; the exit status. */
int client_run(int argc, char **argv);

/* ---- client_print.c ---- */

/* A member's text, "" if it has none. */
const char *client_text(const json_t *object, const char *key);
/* What a sender named may hold anything: a terminal gets no control bytes. */
void client_put(FILE *to, const char *text);
/* The answer to a cause question, for people. */
void client_print_cause(const json_t *answer);

#endif
