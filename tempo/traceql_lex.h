/*
 * traceql_lex - the tokens of TraceQL.
 *
 * Purpose:   one token at a time; an attribute with its scope is one.
 * Ownership: tokens borrow the text, or are in the arena.
 * Threads:   one at a time.
 * Errors:    the token LEX_ERROR, with the reason in `why`.
 */
#ifndef TRACEQL_LEX_H
#define TRACEQL_LEX_H

#include "traceql.h"

enum lex_kind {
    LEX_END,
    LEX_ERROR,
    LEX_MARK,   /* an operator or bracket */
    LEX_WORD,   /* a name: rate, error, span:name */
    LEX_FIELD,  /* an attribute: .x, resource.x, parent.span.x */
    LEX_LITERAL /* a string, number or duration */
};

struct lex {
    struct slice text;
    size_t at; /* after the token */
    struct arena *arena;

    enum lex_kind kind;
    size_t place; /* of the token */
    struct slice token;
    struct traceql_field field;
    struct traceql_value value;
    const char *why;
};

void lex_next(struct lex *lex);
bool lex_is(const struct lex *lex, const char *mark_or_word);

#endif
