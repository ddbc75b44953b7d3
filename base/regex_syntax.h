/*
 * regex_syntax - patterns as RE2 has them, rewritten for PCRE2.
 */
#ifndef REGEX_SYNTAX_H
#define REGEX_SYNTAX_H

#include "buf.h"
#include "regex_match.h"

/* Appends the pattern for PCRE2. ERR_INVALID, with the error in the words of
 * Go's regexp, for what RE2 does not have, above all lookaround and
 * backreferences. */
MUST_CHECK enum status regex_translate(struct slice pattern, struct buf *out,
                                       char error[REGEX_ERROR]);

/* What can be decided without PCRE2. */
enum regex_plain {
    REGEX_NOT_PLAIN,
    REGEX_TEXTS,   /* one of `texts` */
    REGEX_AFFIXED, /* texts[0], with anything before or after it */
};
enum { REGEX_MAX_TEXTS = 256 };

struct regex_plan {
    enum regex_plain plain;
    struct slice *texts; /* in the bytes that were handed in */
    uint32_t text_count;
    uint32_t groups;      /* capturing parentheses around all of it */
    bool before, after;   /* REGEX_AFFIXED: .* or .+ at this end */
    uint8_t least_before; /* 1: .+ */
    uint8_t least_after;
};

/* Takes apart `pattern`, whose unescaped texts go to `bytes` (pattern.len of
 * them) and `texts` (`max` of them). */
void regex_plan(struct regex_plan *plan, struct slice pattern, char *bytes,
                struct slice *texts, uint32_t max);

#endif
