/*
 * cli_request - a request made from the command line: scope, times and every
 * option that the route takes, as a query string or as a body of JSON.
 */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include "cli_verbs.h"
#include "url_write.h"

/* The component that an argument names: NAMESPACE/PROJECT/COMPONENT,
 * PROJECT/COMPONENT, or COMPONENT of the project that is known otherwise; if
 * none is, a name alone is a project. False after a message. */
bool cli_target(struct cli_call *call, const char *word);
/* Without a namespace: the only one that can be seen, with the project and the
 * component if they are given. An exit status, CLI_ANSWERED if there is one;
 * otherwise after a message. */
int cli_need_namespace(struct cli_call *call);

/* route: "{namespace}" and the like, and "{word}" (the first argument), are
 * replaced; scope, times and filters follow as parameters. */
void cli_add_path(const struct cli_call *call, struct buf *path,
                  const char *route);
/* The same as members of a body, with searchScope. NULL: no memory. */
json_t *cli_make_body(const struct cli_call *call);

/* One request and its answer, or NULL after a message; *code is the exit
 * status. raw (may be NULL): the bytes of the answer. body: NULL for GET. */
json_t *cli_request(const struct cli_call *call, struct slice path,
                    const json_t *body, struct buf *raw, int *code);

enum { CLI_MAX_ANSWER = 256 << 20 };

/* ---- cli_names.c ---- */

/* Says that there is nothing at the scope of the call: names the most similar
 * component if no component is known there, otherwise `nothing`. The exit
 * status, CLI_NOTHING if the server answers. */
int cli_say_nothing(const struct cli_call *call, const char *nothing);
/* False if the server knows no component of the scope. */
bool cli_is_known(const struct cli_call *call);
/* Of the server's components the one whose names are most similar to the
 * scope; names: to be released. NULL: none. */
const json_t *cli_most_similar(const struct cli_call *call, json_t **names);

#endif
