/*
 * saved_tokens - where the API tokens of the database are saved: as one value,
 * or, where instances share the metadata, as an entry each. Then only what
 * differs from what was loaded is saved, so instances that change tokens at
 * once do not undo each other's changes.
 *
 * Threads: one at a time (tokens.h holds its lock).
 */
#ifndef SAVED_TOKENS_H
#define SAVED_TOKENS_H

#include "arena.h"
#include "metadata.h"

enum { SAVED_TOKENS_MAX = 64 << 20 };

struct saved_tokens;

struct saved_tokens *saved_tokens_new(struct metadata *metadata);
void saved_tokens_free(struct saved_tokens *saved); /* NULL is fine */

/* arg: the saved tokens. The document is a list of tokens; empty: none. */
MUST_CHECK enum status saved_tokens_save(void *arg, struct slice document);
MUST_CHECK enum status saved_tokens_load(void *arg, struct arena *arena,
                                         struct slice *document);

#endif
