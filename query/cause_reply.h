/*
 * cause_reply - a cause report as JSON.
 *
 * Purpose: the answer of /api/v1/cause.
 * Ownership: the report stays the caller's.
 * Threads: pure.
 * Errors: none; the buffer remembers that it was too small.
 */
#ifndef CAUSE_REPLY_H
#define CAUSE_REPLY_H

#include "cause.h"
#include "reply_table.h"

extern const struct reply_table cause_table;

/* Writes the answer. */
void cause_reply(struct jsonw *w, const struct cause_report *report);

#endif
