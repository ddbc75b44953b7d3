#include "promql_ast.h"

#include <stdio.h>

#include "utf8.h"

const char *promql_type_text(enum promql_type type)
{
    static const char *const texts[] = {
        [PROMQL_SCALAR] = "scalar",
        [PROMQL_STRING] = "string",
        [PROMQL_VECTOR] = "instant vector",
        [PROMQL_MATRIX] = "range vector",
    };

    return texts[type];
}

#define TEXT(name, text, last) text,

const char *promql_aggregate_text(enum promql_aggregate_op op)
{
    static const char *const texts[] = {PROMQL_AGGREGATE_TABLE(TEXT)};

    return texts[op];
}

const char *promql_binary_text(enum promql_binary_op op)
{
    static const char *const texts[] = {PROMQL_BINARY_TABLE(TEXT)};

    return texts[op];
}

#define LAST(name, text, last) last,

bool promql_aggregate_has_param(enum promql_aggregate_op op)
{
    static const bool params[] = {PROMQL_AGGREGATE_TABLE(LAST)};

    return params[op];
}

int promql_precedence(enum promql_binary_op op)
{
    static const uint8_t precedences[] = {PROMQL_BINARY_TABLE(LAST)};

    return precedences[op];
}

/* Lines from 1, columns in bytes from 1, as Prometheus counts. */
void promql_place(struct slice text, uint32_t at, char place[PROMQL_PLACE])
{
    uint32_t line = 1, column = 1;

    for (uint32_t i = 0; i < at && i < text.len; i++) {
        column++;
        if (text.ptr[i] == '\n') {
            line++;
            column = 1;
        }
    }
    snprintf(place, PROMQL_PLACE, "%u:%u", line, column);
}

enum promql_type promql_type(const struct promql_query *query)
{
    return query->root->type;
}

/* ---- selectors ---- */

bool promql_is_selector(const struct promql_query *query)
{
    const struct promql_node *root = query->root;

    return root->kind == PROMQL_SELECTOR &&
           root->u.selector.shift.at == PROMQL_AT_NONE &&
           root->u.selector.shift.offset_ms == 0;
}

/* A walk in order of the text. */
static enum status visit_node(const struct promql_node *node,
                              promql_selector_visit *visit, void *arg)
{
    enum status status = OK;

    switch (node->kind) {
    case PROMQL_NUMBER:
    case PROMQL_TEXT:
        return OK;
    case PROMQL_SELECTOR:
        return visit(arg, node->u.selector.matchers,
                     node->u.selector.matcher_count);
    case PROMQL_RANGE:
        return visit_node(node->u.range.selector, visit, arg);
    case PROMQL_SUBQUERY:
        return visit_node(node->u.subquery.of, visit, arg);
    case PROMQL_CALL:
        for (uint32_t i = 0; status == OK && i < node->u.call.arg_count; i++)
            status = visit_node(node->u.call.args[i], visit, arg);
        return status;
    case PROMQL_AGGREGATE:
        if (node->u.aggregate.param)
            status = visit_node(node->u.aggregate.param, visit, arg);
        return status == OK ? visit_node(node->u.aggregate.of, visit, arg)
                            : status;
    case PROMQL_BINARY:
        status = visit_node(node->u.binary.left, visit, arg);
        return status == OK ? visit_node(node->u.binary.right, visit, arg)
                            : status;
    case PROMQL_MINUS:
    case PROMQL_PAREN:
        return visit_node(node->u.inner, visit, arg);
    }
    return OK;
}

enum status promql_selectors(const struct promql_query *query,
                             promql_selector_visit *visit, void *arg)
{
    return visit_node(query->root, visit, arg);
}
