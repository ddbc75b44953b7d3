/*
 * promql_lex - the words of a PromQL text, one at a time.
 *
 * What a word is depends on where it stands: in braces every name is a label's,
 * in brackets there are durations and a colon.
 */
#ifndef PROMQL_LEX_H
#define PROMQL_LEX_H

#include "promql_ast.h"

enum promql_token_kind {
    PROMQL_TOKEN_END,
    PROMQL_TOKEN_ERROR, /* lexer.error says which, lexer.start where */
    PROMQL_TOKEN_IDENTIFIER,
    PROMQL_TOKEN_METRIC, /* an identifier with a colon */
    PROMQL_TOKEN_STRING, /* in its quotes */
    PROMQL_TOKEN_NUMBER,
    PROMQL_TOKEN_DURATION,
    PROMQL_TOKEN_COMMA,
    PROMQL_TOKEN_COLON,
    PROMQL_TOKEN_LEFT_PAREN,
    PROMQL_TOKEN_RIGHT_PAREN,
    PROMQL_TOKEN_LEFT_BRACE,
    PROMQL_TOKEN_RIGHT_BRACE,
    PROMQL_TOKEN_LEFT_BRACKET,
    PROMQL_TOKEN_RIGHT_BRACKET,
    PROMQL_TOKEN_ASSIGN, /* = */
    PROMQL_TOKEN_MATCH,  /* =~ !~, op: enum promql_match */
    PROMQL_TOKEN_AT,
    PROMQL_TOKEN_OPERATOR,  /* op: enum promql_binary_op */
    PROMQL_TOKEN_AGGREGATE, /* op: enum promql_aggregate_op */
    PROMQL_TOKEN_START,
    PROMQL_TOKEN_ATEND, /* end, of @ end() */
    PROMQL_TOKEN_BOOL,  /* from here on: "keywords" in messages */
    PROMQL_TOKEN_BY,
    PROMQL_TOKEN_GROUP_LEFT,
    PROMQL_TOKEN_GROUP_RIGHT,
    PROMQL_TOKEN_IGNORING,
    PROMQL_TOKEN_OFFSET,
    PROMQL_TOKEN_ON,
    PROMQL_TOKEN_WITHOUT
};

struct promql_token {
    enum promql_token_kind kind;
    uint8_t op;
    uint32_t start, end;
};

struct promql_lexer {
    struct slice text;
    uint32_t at, start; /* of the current token */
    uint32_t parens;
    bool in_braces, in_brackets, got_colon;
    char error[160];
};

struct promql_token promql_lex(struct promql_lexer *lexer);

/* "identifier \"foo\"", "<op:+>", "end of input". */
enum { PROMQL_TOKEN_TEXT = 200 };
void promql_token_text(struct slice text, const struct promql_token *token,
                       char out[PROMQL_TOKEN_TEXT]);

/* ---- literals ---- */

/* Of a number token; an error in Go's words. */
bool promql_number(struct slice token, double *value, char error[160]);

/* Without quotes and escapes; from the text itself if it has none. False: the
 * arena is full. */
bool promql_unquote(struct arena *arena, struct slice token,
                    struct slice *value);

/* Quotes s as Go's %q does, cut to `size` bytes. */
void promql_quote(struct slice s, char *out, size_t size);

#endif
