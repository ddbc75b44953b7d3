/*
 * server_text - the answer of /api/v1/status as lines of text.
 */
#ifndef SERVER_TEXT_H
#define SERVER_TEXT_H

#include "cli_verbs.h"

void server_text(struct buf *out, const struct term_look *look,
                 const struct cli_call *call, const json_t *answer);

#endif
