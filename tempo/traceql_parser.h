/*
 * traceql_parser - a parse of TraceQL while it runs: traceql_parse.c reads sets
 * and stages, traceql_expr.c the expressions inside.
 *
 * Purpose:   the state of one parse.
 * Ownership: as traceql.h.
 * Threads:   one at a time.
 * Errors:    the first one is kept; functions return NULL then.
 */
#ifndef TRACEQL_PARSER_H
#define TRACEQL_PARSER_H

#include "traceql_lex.h"

struct traceql_parser {
    struct lex lex;
    struct traceql *query;
    char *error; /* of TRACEQL_ERROR bytes; "": none */
    uint32_t nodes, depth, field_room;
};

/* At a place of the text; NULL. */
void *traceql_fail(struct traceql_parser *p, size_t place, const char *format,
                   ...) __attribute__((format(printf, 3, 4)));
/* At the present token: "expected X, found Y". */
void *traceql_expected(struct traceql_parser *p, const char *what);
bool traceql_failed(const struct traceql_parser *p);
/* Takes the token if it is this mark or word. */
bool traceql_take(struct traceql_parser *p, const char *mark);
bool traceql_need(struct traceql_parser *p, const char *mark);
/* false: too deep. Every enter has its leave. */
bool traceql_enter(struct traceql_parser *p);

/* An expression; NULL after an error. */
struct traceql_expr *traceql_expression(struct traceql_parser *p);
struct traceql_expr *traceql_new(struct traceql_parser *p,
                                 enum traceql_node node);
/* Whether it can be true or false. */
bool traceql_is_condition(const struct traceql_expr *e);
bool traceql_is_numeric(const struct traceql_expr *e);
/* Its value is part of the answer. */
void traceql_show(struct traceql_parser *p, const struct traceql_field *field);
/* The operator of a comparison at the present token. */
bool traceql_comparison(struct traceql_parser *p, enum traceql_op *op);
/* A literal, perhaps with a sign. */
bool traceql_literal(struct traceql_parser *p, struct traceql_value *value);

#endif
