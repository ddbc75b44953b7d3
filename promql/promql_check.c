/* What a tree must be besides well-formed, in the order in which Prometheus
 * finds it, since only the first error is shown. */
#include <stdio.h>

#include "promql_functions.h"
#include "promql_parser.h"
#include "regex_match.h"

/* Prometheus' short names, which some messages have. */
static const char *short_type(enum promql_type type)
{
    static const char *const names[] = {
        [PROMQL_SCALAR] = "scalar",
        [PROMQL_STRING] = "string",
        [PROMQL_VECTOR] = "vector",
        [PROMQL_MATRIX] = "matrix",
    };

    return names[type];
}

static bool expect(struct promql_parser *p, const struct promql_node *node,
                   enum promql_type want, const char *context)
{
    if (!promql_check(p, node))
        return false;
    return node->type == want ||
           promql_refuse(p, node->start, "expected type %s in %s, got %s",
                         promql_type_text(want), context,
                         promql_type_text(node->type));
}

bool promql_check_sign(struct promql_parser *p, const struct promql_node *inner,
                       uint32_t at)
{
    return inner->type == PROMQL_SCALAR || inner->type == PROMQL_VECTOR ||
           promql_refuse(p, at,
                         "unary expression only allowed on expressions of "
                         "type scalar or instant vector, got \"%s\"",
                         promql_type_text(inner->type));
}

/* ---- calls and aggregations ---- */

static bool check_count(struct promql_parser *p, const struct promql_node *node)
{
    const struct promql_function *f = node->u.call.function;
    int count = (int)node->u.call.arg_count;
    int least = f->variadic == 0 ? f->type_count : f->type_count - 1;
    int most = f->variadic == 0 ? least : least + f->variadic;

    if (f->variadic == 0 && count != least)
        return promql_refuse(p, node->start,
                             "expected %d argument(s) in call to \"%s\", got "
                             "%d",
                             least, f->name, count);
    if (count < least)
        return promql_refuse(p, node->start,
                             "expected at least %d argument(s) in call to "
                             "\"%s\", got %d",
                             least, f->name, count);
    if (f->variadic != PROMQL_ANY_NUMBER && count > most)
        return promql_refuse(p, node->start,
                             "expected at most %d argument(s) in call to "
                             "\"%s\", got %d",
                             most, f->name, count);
    return true;
}

static bool check_call(struct promql_parser *p, const struct promql_node *node)
{
    const struct promql_function *f = node->u.call.function;
    char context[100];

    if (!check_count(p, node))
        return false;
    snprintf(context, sizeof(context), "call to function \"%s\"", f->name);
    for (uint32_t i = 0; i < node->u.call.arg_count; i++) {
        uint32_t type = i < f->type_count ? i : f->type_count - 1u;

        if (!expect(p, node->u.call.args[i], f->types[type], context))
            return false;
    }
    return true;
}

static bool check_aggregate(struct promql_parser *p,
                            const struct promql_node *node)
{
    const struct promql_aggregate *a = &node->u.aggregate;

    if (!expect(p, a->of, PROMQL_VECTOR, "aggregation expression"))
        return false;
    return !a->param ||
           expect(p, a->param,
                  a->op == PROMQL_COUNT_VALUES ? PROMQL_STRING : PROMQL_SCALAR,
                  "aggregation parameter");
}

/* ---- binary operators ---- */

static uint32_t operator_at(const struct promql_parser *p,
                            const struct promql_binary *b)
{
    uint32_t at = b->left->end;

    while (at < p->lexer.text.len && strchr(" \t\r\n", p->lexer.text.ptr[at]))
        at++;
    return at;
}

static bool check_labels(struct promql_parser *p, const struct promql_binary *b)
{
    for (uint32_t i = 0; b->on && i < b->label_count; i++)
        for (uint32_t j = 0; j < b->include_count; j++)
            if (slice_equal(b->labels[i], b->include[j]))
                return promql_refuse(p, operator_at(p, b),
                                     "label \"%.*s\" must not occur in ON and "
                                     "GROUP clause at once",
                                     SLICE_ARGS(b->labels[i]));
    return true;
}

static bool check_operands(struct promql_parser *p,
                           const struct promql_binary *b)
{
    const struct promql_node *sides[] = {b->left, b->right};

    for (int i = 0; i < 2; i++)
        if (sides[i]->type != PROMQL_SCALAR && sides[i]->type != PROMQL_VECTOR)
            return promql_refuse(p, sides[i]->start,
                                 "binary expression must contain only scalar "
                                 "and instant vector types");
    return true;
}

static bool check_matching(struct promql_parser *p,
                           const struct promql_node *node)
{
    const struct promql_binary *b = &node->u.binary;
    bool vectors =
        b->left->type == PROMQL_VECTOR && b->right->type == PROMQL_VECTOR;
    bool set = promql_is_set_op(b->op);

    if (!vectors && b->label_count > 0)
        return promql_refuse(
            p, node->start,
            "vector matching only allowed between instant vectors");
    if (vectors && set &&
        (b->cardinality == PROMQL_MANY_TO_ONE ||
         b->cardinality == PROMQL_ONE_TO_MANY))
        return promql_refuse(p, node->start,
                             "no grouping allowed for \"%s\" operation",
                             promql_binary_text(b->op));
    if (!vectors && set)
        return promql_refuse(p, node->start,
                             "set operator \"%s\" not allowed in binary "
                             "scalar expression",
                             promql_binary_text(b->op));
    return true;
}

static bool check_binary(struct promql_parser *p,
                         const struct promql_node *node)
{
    const struct promql_binary *b = &node->u.binary;

    if (!promql_check(p, b->left) || !promql_check(p, b->right))
        return false;
    if (b->returns_bool && !promql_is_comparison(b->op))
        return promql_refuse(
            p, operator_at(p, b),
            "bool modifier can only be used on comparison operators");
    if (promql_is_comparison(b->op) && !b->returns_bool &&
        b->left->type == PROMQL_SCALAR && b->right->type == PROMQL_SCALAR)
        return promql_refuse(
            p, operator_at(p, b),
            "comparisons between scalars must use BOOL modifier");
    return check_labels(p, b) && check_operands(p, b) &&
           check_matching(p, node);
}

/* ---- selectors ---- */

static bool matches_nothing(const struct promql_matcher *matcher)
{
    switch (matcher->op) {
    case PROMQL_EQUAL:
        return matcher->value.len == 0;
    case PROMQL_NOT_EQUAL:
        return matcher->value.len > 0;
    case PROMQL_REGEX:
        return regex_matches(matcher->regex, (struct slice){0});
    case PROMQL_NOT_REGEX:
        return !regex_matches(matcher->regex, (struct slice){0});
    }
    return true;
}

static bool check_selector(struct promql_parser *p,
                           const struct promql_node *node)
{
    const struct promql_selector *s = &node->u.selector;

    for (uint32_t i = 0; s->name.len > 0 && i + 1 < s->matcher_count; i++)
        if (slice_equal(s->matchers[i].name, SLICE("__name__"))) {
            char a[100], b[100];

            promql_quote(s->name, a, sizeof(a));
            promql_quote(s->matchers[i].value, b, sizeof(b));
            return promql_refuse(p, node->start,
                                 "metric name must not be set twice: %s or %s",
                                 a, b);
        }
    for (uint32_t i = 0; i < s->matcher_count; i++)
        if (!matches_nothing(&s->matchers[i]))
            return true;
    return promql_refuse(
        p, node->start,
        "vector selector must contain at least one non-empty matcher");
}

static bool check_subquery(struct promql_parser *p,
                           const struct promql_node *node)
{
    const struct promql_node *of = node->u.subquery.of;

    if (!promql_check(p, of))
        return false;
    return of->type == PROMQL_VECTOR ||
           promql_refuse(p, node->start,
                         "subquery is only allowed on instant vector, got %s "
                         "instead",
                         short_type(of->type));
}

bool promql_check(struct promql_parser *p, const struct promql_node *node)
{
    switch (node->kind) {
    case PROMQL_NUMBER:
    case PROMQL_TEXT:
        return true;
    case PROMQL_SELECTOR:
        return check_selector(p, node);
    case PROMQL_RANGE:
        return check_selector(p, node->u.range.selector);
    case PROMQL_SUBQUERY:
        return check_subquery(p, node);
    case PROMQL_CALL:
        return check_call(p, node);
    case PROMQL_AGGREGATE:
        return check_aggregate(p, node);
    case PROMQL_BINARY:
        return check_binary(p, node);
    case PROMQL_MINUS:
    case PROMQL_PAREN:
        return promql_check(p, node->u.inner);
    }
    return true;
}
