/*
 * regex_match - regular expressions of users: PromQL, TraceQL, Grafana filters.
 *
 * The syntax is that of RE2 as far as PCRE2 has it too; a pattern must match
 * the whole text, a dot matches a newline. Work per text is bounded: what would
 * take longer does not match, and regex_gave_up() says so.
 *
 * Purpose:   One wrapper of PCRE2.
 * Ownership: A compiled pattern is freed by its maker, or is in an arena.
 * Threads:   One at a time per pattern.
 * Errors:    regex_compile(): ERR_INVALID with the reason and the place.
 */
#ifndef REGEX_MATCH_H
#define REGEX_MATCH_H

#include <stdbool.h>

#include "slice.h"
#include "status.h"

struct regex;

enum { REGEX_MAX = 16 * 1024, REGEX_ERROR = 160 };

MUST_CHECK enum status regex_compile(struct regex **regex, struct slice pattern,
                                     char error[REGEX_ERROR]);
void regex_free(struct regex *regex); /* NULL is fine */

/* The same in an arena, for as long as that lives; never freed. ERR_BUSY or
 * ERR_TOO_BIG: the arena is full. */
struct arena;
MUST_CHECK enum status regex_compile_arena(struct regex **regex,
                                           struct arena *arena,
                                           struct slice pattern,
                                           char error[REGEX_ERROR]);

bool regex_matches(const struct regex *regex, struct slice text);

/* A text took too long since regex_compile(). */
bool regex_gave_up(const struct regex *regex);

/* The first match anywhere in the text, for label_replace: the whole text must
 * match; groups[0] is all of it. Groups that took no part are empty. False: no
 * match. */
enum { REGEX_MAX_GROUPS = 16 };
bool regex_groups(const struct regex *regex, struct slice text,
                  struct slice groups[REGEX_MAX_GROUPS], uint32_t *count);

/* The number of the group of this name; -1: there is none. */
int regex_group_number(const struct regex *regex, struct slice name);

/* A pattern that is plain texts between bars, `a|b|c`, perhaps in parentheses:
 * those texts, unescaped, in the arena. Such a matcher can be looked up instead
 * of tried. 0: it is not, or there are more than `max`. */
uint32_t regex_alternatives(struct slice pattern, struct arena *arena,
                            struct slice *texts, uint32_t max);

#endif
