/*
 * cli_int - what the verbs of the command line share.
 */
#ifndef CLI_INT_H
#define CLI_INT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "buf.h"

/* ---- cli_http.c ---- */

enum { CLI_ERROR = 256, CLI_MAX_URL = 1 << 16 };

/* Exit status of the program. */
enum {
    CLI_ANSWERED,
    CLI_FAILED, /* no answer, or an error of the server */
    CLI_MISUSED,
    CLI_DENIED, /* no credential, or not enough */
    CLI_LATER,  /* the server is busy */
    CLI_NOTHING /* nothing was found */
};

/* One of the first two is NULL; any of the others may be. */
struct cli_server {
    const char *address;  /* HOST:PORT, or a URL without a path */
    const char *data_dir; /* of a server on this machine: its socket */
    const char *token_file, *token;
    const char *token_from; /* who named them */
    const char *ca_file, *cert_file, *key_file;
    long timeout_ms; /* 0: none */
    bool progress;   /* of long answers is shown, if there is a terminal */
};

/* A request; text: its body, of POST. The HTTP status, the answer appended to
 * body; 0 and a message if there is none. The connection is kept for the next
 * request. */
long cli_send(const struct cli_server *server, const char *method,
              struct slice path, struct slice text, struct buf *body,
              char error[CLI_ERROR]);
/* Says why there is no answer, or what a status other than 200 means; the exit
 * status. */
int cli_fail(const struct cli_server *server, long status, struct slice body,
             const char *error);

/* ---- cli_json.c: members of an answer ---- */

/* "" if it is no text. */
const char *cli_text(const json_t *object, const char *member);
/* NAN if it is no number. */
double cli_number(const json_t *object, const char *member);
double cli_number_or_0(const json_t *object, const char *member);

/* ---- cli_print.c ---- */

/* Prints text from a sender, made harmless (term_line.h). */
void cli_put(FILE *to, const char *text);
/* Prints the answer of a cause query as text. */
void cli_print_cause(const json_t *answer);

#endif
