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

/* Runs the verb argv[1]; the exit status. */
int client_run(int argc, char **argv);

/* callboard token, tenants, tenant: in the file of that name. */
int client_token(int argc, char **argv);
int client_tenants(int argc, char **argv);
int client_tenant(int argc, char **argv);

/* ---- client_http.c ---- */

enum { CLIENT_ERROR = 256, CLIENT_MAX_URL = 1 << 16 };

/* Exit status of the program. */
enum {
    CLIENT_ANSWERED,
    CLIENT_FAILED,
    CLIENT_MISUSED,
    CLIENT_DENIED, /* no credential, or not enough */
    CLIENT_LATER   /* the server is busy */
};

/* One of the two is NULL. */
struct client_server {
    const char *address;  /* HOST:PORT, or a URL without a path */
    const char *data_dir; /* of a server on this machine: its socket */
};

/* A request; text: its body, of POST. The HTTP status, the answer appended to
 * body; 0 and a message if there is none. */
long client_send(const struct client_server *server, const char *method,
                 struct slice path, struct slice text, struct buf *body,
                 char error[CLIENT_ERROR]);
/* Says why there is no answer, or what a status other than 200 means; the exit
 * status. */
int client_fail(const struct client_server *server, long status,
                struct slice body, const char *error);

/* ---- client_print.c ---- */

/* The text of a member; "" if it has none. */
const char *client_text(const json_t *object, const char *key);
/* Prints text from a sender; control bytes become spaces. */
void client_put(FILE *to, const char *text);
/* Prints the answer of a cause query as text. */
void client_print_cause(const json_t *answer);

#endif
