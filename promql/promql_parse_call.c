/* What begins with a name: a selector, a function or an aggregation. */
#include "arena.h"
#include "array.h"
#include "promql_functions.h"
#include "promql_parser.h"

static struct slice word_of(const struct promql_parser *p,
                            const struct promql_token *token)
{
    return (struct slice){p->lexer.text.ptr + token->start,
                          token->end - token->start};
}

struct node_list {
    struct promql_node **at;
    uint32_t count, room;
};

/* `(a, b)` */
static bool parse_args(struct promql_parser *p, struct node_list *list)
{
    promql_next(p);
    while (p->token.kind != PROMQL_TOKEN_RIGHT_PAREN) {
        struct promql_token comma;
        struct promql_node **arg =
            arena_append(p->arena, &list->at, list->count, &list->room);

        if (!arg)
            return p->status = arena_status(p->arena), false;
        *arg = promql_parse_expression(p, 0);
        if (!*arg)
            return false;
        list->count++;
        comma = p->token;
        if (comma.kind == PROMQL_TOKEN_RIGHT_PAREN)
            break;
        if (!promql_accept(p, PROMQL_TOKEN_COMMA))
            return promql_stray(p), false;
        if (p->token.kind == PROMQL_TOKEN_RIGHT_PAREN)
            return promql_refuse(
                p, comma.start,
                "trailing commas not allowed in function call args");
    }
    promql_next(p);
    return p->status == OK;
}

static bool raise_all(struct promql_parser *p, struct promql_node *node,
                      const struct node_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (!promql_raise(p, node, list->at[i]))
            return false;
    return true;
}

static struct promql_node *call(struct promql_parser *p,
                                const struct promql_token *name)
{
    struct slice word = word_of(p, name);
    const struct promql_function *function = promql_function_find(word);
    struct node_list args = {0};
    struct promql_node *node;

    if (!parse_args(p, &args))
        return NULL;
    if (!function) {
        (void)promql_refuse(p, name->start,
                            promql_function_is_known(word)
                                ? "function \"%.*s\" is not enabled"
                                : "unknown function with name \"%.*s\"",
                            SLICE_ARGS(word));
        return NULL;
    }
    node = promql_new_node(p, PROMQL_CALL, function->returns, name->start);
    if (!node || !raise_all(p, node, &args))
        return NULL;
    node->u.call.function = function;
    node->u.call.args = (const struct promql_node *const *)args.at;
    node->u.call.arg_count = args.count;
    return node;
}

/* ---- aggregations ---- */

static bool parse_grouping(struct promql_parser *p, struct promql_aggregate *to)
{
    if (p->token.kind != PROMQL_TOKEN_BY &&
        p->token.kind != PROMQL_TOKEN_WITHOUT)
        return true;
    to->without = p->token.kind == PROMQL_TOKEN_WITHOUT;
    promql_next(p);
    return promql_parse_labels(p, &to->labels, &to->label_count);
}

/* Where the errors of arguments that are missing or too many are shown. */
static bool set_args(struct promql_parser *p, struct promql_node *node,
                     const struct node_list *args)
{
    struct promql_aggregate *to = &node->u.aggregate;
    uint32_t wanted = promql_aggregate_has_param(to->op) ? 2 : 1;

    if (args->count == 0)
        return promql_refuse(p, node->start,
                             "no arguments for aggregate expression provided");
    if (args->count != wanted)
        return promql_refuse(p, node->start,
                             "wrong number of arguments for aggregate "
                             "expression provided, expected %u, got %u",
                             wanted, args->count);
    to->param = wanted == 2 ? args->at[0] : NULL;
    to->of = args->at[wanted - 1];
    return true;
}

static struct promql_node *aggregate(struct promql_parser *p,
                                     const struct promql_token *op)
{
    struct promql_node *node =
        promql_new_node(p, PROMQL_AGGREGATE, PROMQL_VECTOR, op->start);
    struct node_list args = {0};
    bool grouped;

    if (!node)
        return NULL;
    node->u.aggregate.op = op->op;
    p->aggregates++;
    grouped = p->token.kind != PROMQL_TOKEN_LEFT_PAREN;
    if (grouped && !parse_grouping(p, &node->u.aggregate))
        return NULL;
    if (p->token.kind != PROMQL_TOKEN_LEFT_PAREN)
        return promql_stray(p);
    if (!parse_args(p, &args))
        return NULL;
    if (!grouped && !parse_grouping(p, &node->u.aggregate))
        return NULL;
    p->aggregates--;
    node->end = p->last_end;
    if (!set_args(p, node, &args) || !raise_all(p, node, &args))
        return NULL;
    return node;
}

/* ---- names ---- */

/* Most keywords are names of metrics, too. */
bool promql_is_metric_name(const struct promql_token *token)
{
    switch (token->kind) {
    case PROMQL_TOKEN_IDENTIFIER:
    case PROMQL_TOKEN_METRIC:
    case PROMQL_TOKEN_AGGREGATE:
    case PROMQL_TOKEN_START:
    case PROMQL_TOKEN_ATEND:
    case PROMQL_TOKEN_BY:
    case PROMQL_TOKEN_OFFSET:
    case PROMQL_TOKEN_WITHOUT:
        return true;
    case PROMQL_TOKEN_OPERATOR:
        return promql_is_set_op(token->op);
    default:
        return false;
    }
}

struct promql_node *promql_parse_named(struct promql_parser *p)
{
    struct promql_token name = p->token;
    bool opens;

    promql_next(p);
    opens = p->token.kind == PROMQL_TOKEN_LEFT_PAREN;
    if (name.kind == PROMQL_TOKEN_AGGREGATE &&
        (opens || p->token.kind == PROMQL_TOKEN_BY ||
         p->token.kind == PROMQL_TOKEN_WITHOUT))
        return aggregate(p, &name);
    if (name.kind == PROMQL_TOKEN_IDENTIFIER && opens)
        return call(p, &name);
    return promql_parse_selector(p, &name);
}
