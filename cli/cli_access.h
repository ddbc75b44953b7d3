/*
 * cli_access - the verbs of the command line about access: what they share.
 */
#ifndef CLI_ACCESS_H
#define CLI_ACCESS_H

#include "cli_verbs.h"

/* The answer, or NULL after a message; *code is the exit status. */
json_t *cli_ask(const struct cli_call *call, const char *method,
                struct slice path, struct slice text, int *code);

/* Whether the answer is wanted as it is. */
bool cli_wants_json(const struct cli_call *call);
void cli_print_json(const struct cli_call *call, const json_t *answer);

#endif
