/*
 * client - verbs of the command line that ask a running server.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>

/* Is the first argument such a verb? */
bool client_is_verb(const char *verb);

/* callboard cause PROJECT[/COMPONENT] [--since 30m] [--namespace NS]
 * [--environment ENV] [--server HOST:PORT] [--json]; the exit status. */
int client_run(int argc, char **argv);

#endif
