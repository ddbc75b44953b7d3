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
/* What is needed and not given: the only one that can be seen with the names
 * that are given. An exit status, CLI_ANSWERED if there is one; otherwise
 * after a message. */
enum { NEED_NAMESPACE = 1, NEED_PROJECT = 2, NEED_ENVIRONMENT = 4 };
int cli_need(struct cli_call *call, unsigned needed);
/* The scope of the first argument, if there is one: cli_target(); for what
 * needs a component a name alone is one, too. */
int cli_scope(struct cli_call *call, unsigned needed, bool needs_component);

/* route: "{namespace}" and the like, and "{word}" (the first argument), are
 * replaced; scope, times and filters follow as parameters. */
void cli_add_path(const struct cli_call *call, struct buf *path,
                  const char *route);
/* The filters among the options, as parameters. */
void cli_add_filters(const struct cli_call *call, struct buf *path);
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
/* Before waiting for what a scope sends: says if nothing is known of it. */
void cli_warn_unknown(const struct cli_call *call);
/* False if the server knows no component of the scope. */
bool cli_is_known(const struct cli_call *call);
#endif
