/*
 * log_shown - a log line as an answer shows it: without values that are
 * nobody's business, and short.
 */
#ifndef LOG_SHOWN_H
#define LOG_SHOWN_H

#include "arena.h"

/* Ids, addresses and secrets become <id>, <address>, <secret> ..., short
 * numbers stay; cut at the end of a word. The text is in the arena. */
struct slice log_shown(struct arena *arena, struct slice line);

/* At most so many bytes, with "…" in place of what was cut off; whole words,
 * and whole characters of UTF-8. */
struct slice text_cut(struct arena *arena, struct slice text, size_t most);

#endif
