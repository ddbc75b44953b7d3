/*
 * Whether an expression is one selector, which match[] of a list must be.
 */
#include "promql_ast.h"

bool promql_is_selector(const struct promql_query *query)
{
    const struct promql_node *root = query->root;

    return root->kind == PROMQL_SELECTOR &&
           root->u.selector.shift.at == PROMQL_AT_NONE &&
           root->u.selector.shift.offset_ms == 0;
}
