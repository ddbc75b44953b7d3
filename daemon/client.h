/*
 * client - the verbs of the command line that query a running server.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "buf.h"

/* True if the first argument is such a verb. */
bool client_is_verb(const char *verb);

/* callboard cause PROJECT[/COMPONENT] [--since 30m] [--namespace NS]
 * [--environment ENV] [--server HOST:PORT] [--json]; the exit status. */
int client_run(int argc, char **argv);

/* ---- client_http.c ---- */

enum { CLIENT_ERROR = 256, CLIENT_MAX_URL = 1 << 16 };

/* GET of a path of the server (HOST:PORT, or a URL without a path). The HTTP
 * status, its body appended; 0 and a message if there is no answer. */
long client_get(const char *server, struct slice path, struct buf *body,
                char error[CLIENT_ERROR]);

/* ---- client_print.c ---- */

/* The text of a member; "" if it has none. */
const char *client_text(const json_t *object, const char *key);
/* Prints text from a sender; control bytes become spaces. */
void client_put(FILE *to, const char *text);
/* Prints the answer of a cause query as text. */
void client_print_cause(const json_t *answer);

#endif
