/*
 * promql_parser - what the files of the parser share.
 *
 * Recursive descent, one token ahead. The first error ends it, since that is
 * the one Prometheus shows: functions return NULL or false, and nobody looks
 * at the rest.
 */
#ifndef PROMQL_PARSER_H
#define PROMQL_PARSER_H

#include "promql_lex.h"

/* What a query may have. The height of the tree bounds the stack of all that
 * walk it. */
enum {
    PROMQL_MAX_TEXT = 256 * 1024,
    PROMQL_MAX_HEIGHT = 250,
    PROMQL_MAX_NODES = 20000
};

struct promql_parser {
    struct promql_lexer lexer;
    struct promql_token token; /* the next one */
    uint32_t last_end;         /* of the last closing bracket or number */
    struct arena *arena;
    struct promql_error *error;
    enum status status;  /* of the first failure */
    uint32_t aggregates; /* that are open: messages say so */
    uint32_t depth, nodes;
};

void promql_next(struct promql_parser *p);
bool promql_accept(struct promql_parser *p, enum promql_token_kind kind);

/* Both return false. `at`: a byte of the text. */
bool promql_refuse(struct promql_parser *p, uint32_t at, const char *format,
                   ...) __attribute__((format(printf, 3, 4)));
/* "unexpected TOKEN in CONTEXT, expected EXPECTED"; either may be NULL. */
bool promql_unexpected(struct promql_parser *p, const char *context,
                       const char *expected);

/* Zeroed memory; NULL, and the failure is noted. */
void *promql_take(struct promql_parser *p, size_t count, size_t size);
struct promql_node *promql_new_node(struct promql_parser *p,
                                    enum promql_node_kind kind,
                                    enum promql_type type, uint32_t start);
/* The height is one more than that of the highest child. */
bool promql_raise(struct promql_parser *p, struct promql_node *node,
                  const struct promql_node *child);

/* promql_parse.c */
struct promql_node *promql_parse_expression(struct promql_parser *p,
                                            int precedence);
/* `(a, b)`: a list of label names. */
bool promql_parse_labels(struct promql_parser *p, const struct slice **labels,
                         uint32_t *count);

/* Syntax error where no part of the grammar says more. NULL. */
struct promql_node *promql_stray(struct promql_parser *p);

/* promql_parse_selector.c: `name`, which was read, and braces, which come
 * next; either may be missing. */
struct promql_node *promql_parse_selector(struct promql_parser *p,
                                          const struct promql_token *name);

/* promql_parse_suffix.c: [5m], [5m:1m], offset or @ behind a node. */
bool promql_is_suffix(const struct promql_token *token);
struct promql_node *promql_parse_suffix(struct promql_parser *p,
                                        struct promql_node *node);

/* promql_parse_call.c: what begins with a name. */
bool promql_is_metric_name(const struct promql_token *token);
struct promql_node *promql_parse_named(struct promql_parser *p);

/* promql_check.c: types. */
bool promql_check(struct promql_parser *p, const struct promql_node *node);
/* What a plus or minus at `at` may stand before. */
bool promql_check_sign(struct promql_parser *p, const struct promql_node *inner,
                       uint32_t at);

#endif
