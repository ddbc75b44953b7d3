/* Selectors: a name, matchers in braces, or both. */
#include "arena.h"
#include "array.h"
#include "promql_parser.h"
#include "regex_match.h"

static const struct slice metric_name = SLICE_INIT("__name__");

static struct slice word_of(const struct promql_parser *p)
{
    return (struct slice){p->lexer.text.ptr + p->token.start,
                          p->token.end - p->token.start};
}

static bool unquote(struct promql_parser *p, struct slice *text)
{
    if (promql_unquote(p->arena, word_of(p), text))
        return true;
    p->status = arena_status(p->arena);
    return false;
}

/* ---- matchers ---- */

static bool match_op(const struct promql_token *token, enum promql_match *op)
{
    if (token->kind == PROMQL_TOKEN_ASSIGN)
        *op = PROMQL_EQUAL;
    else if (token->kind == PROMQL_TOKEN_OPERATOR && token->op == PROMQL_NE)
        *op = PROMQL_NOT_EQUAL;
    else if (token->kind == PROMQL_TOKEN_MATCH)
        *op = token->op;
    else
        return false;
    return true;
}

static bool compile(struct promql_parser *p, struct promql_matcher *matcher,
                    uint32_t at)
{
    struct regex *regex = NULL;
    char error[REGEX_ERROR];
    enum status status;

    if (matcher->op != PROMQL_REGEX && matcher->op != PROMQL_NOT_REGEX)
        return true;
    status = regex_compile_arena(&regex, p->arena, matcher->value, error);
    matcher->regex = regex;
    if (status == ERR_INVALID)
        return promql_refuse(p, at, "%s", error);
    if (status != OK && p->status == OK)
        p->status = status;
    return status == OK;
}

/* name="x", "quoted name"=~"x", or "the metric's name". */
static bool parse_matcher(struct promql_parser *p,
                          struct promql_matcher *matcher)
{
    bool quoted = p->token.kind == PROMQL_TOKEN_STRING;
    uint32_t at = p->token.start;

    if (!quoted && p->token.kind != PROMQL_TOKEN_IDENTIFIER)
        return promql_unexpected(p, "label matching", "identifier or \"}\"");
    matcher->name = word_of(p);
    if (quoted && !unquote(p, &matcher->name))
        return false;
    promql_next(p);
    if (!match_op(&p->token, &matcher->op)) {
        if (!quoted)
            return promql_unexpected(p, "label matching",
                                     "label matching operator");
        matcher->value = matcher->name;
        matcher->name = metric_name;
        matcher->op = PROMQL_EQUAL;
        return p->status == OK;
    }
    promql_next(p);
    if (p->token.kind != PROMQL_TOKEN_STRING)
        return promql_unexpected(p, "label matching", "string");
    if (!unquote(p, &matcher->value))
        return false;
    promql_next(p);
    return compile(p, matcher, at);
}

struct matcher_list {
    struct promql_matcher *at;
    uint32_t count, room;
};

static struct promql_matcher *add(struct promql_parser *p,
                                  struct matcher_list *list)
{
    struct promql_matcher *matcher =
        arena_append(p->arena, &list->at, list->count, &list->room);

    if (!matcher) {
        p->status = arena_status(p->arena);
        return NULL;
    }
    *matcher = (struct promql_matcher){0};
    list->count++;
    return matcher;
}

static bool parse_braces(struct promql_parser *p, struct matcher_list *list)
{
    promql_next(p);
    while (p->token.kind != PROMQL_TOKEN_RIGHT_BRACE) {
        struct promql_matcher *matcher = add(p, list);

        if (!matcher || !parse_matcher(p, matcher))
            return false;
        if (!promql_accept(p, PROMQL_TOKEN_COMMA) &&
            p->token.kind != PROMQL_TOKEN_RIGHT_BRACE)
            return promql_unexpected(p, "label matching", "\",\" or \"}\"");
    }
    promql_next(p);
    return p->status == OK;
}

struct promql_node *promql_parse_selector(struct promql_parser *p,
                                          const struct promql_token *name)
{
    uint32_t start = name ? name->start : p->token.start;
    struct matcher_list list = {0};
    struct promql_node *node;

    if (p->token.kind == PROMQL_TOKEN_LEFT_BRACE) {
        if (!parse_braces(p, &list))
            return NULL;
    } else if (name) {
        p->last_end = name->end;
    }
    node = promql_new_node(p, PROMQL_SELECTOR, PROMQL_VECTOR, start);
    if (!node)
        return NULL;
    if (name) {
        struct promql_matcher *matcher = add(p, &list);

        if (!matcher)
            return NULL;
        matcher->name = metric_name;
        matcher->value = node->u.selector.name = (struct slice){
            p->lexer.text.ptr + name->start, name->end - name->start};
    }
    node->u.selector.matchers = list.at;
    node->u.selector.matcher_count = list.count;
    return node;
}
