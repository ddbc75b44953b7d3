/* Operators by precedence, and what all parts of the parser use. */
#include "promql_parser.h"

#include <stdarg.h>
#include <stdio.h>

#include "arena.h"
#include "array.h"
#include "utf8.h"

/* ---- tokens and failures ---- */

/* Removes a last character that was cut. */
static void end_at_character(char *text)
{
    size_t len = strlen(text), at = len;
    uint32_t c;

    while (at > 0 && ((unsigned char)text[at - 1] & 0xc0) == 0x80)
        at--;
    if (at > 0 && utf8_decode((const uint8_t *)text + at - 1,
                              (const uint8_t *)text + len, &c) == 0)
        text[at - 1] = '\0';
}

bool promql_refuse(struct promql_parser *p, uint32_t at, const char *format,
                   ...)
{
    char place[PROMQL_PLACE];
    va_list args;
    int len;

    if (p->status != OK)
        return false;
    p->status = ERR_INVALID;
    promql_place(p->lexer.text, at, place);
    len = snprintf(p->error->text, sizeof(p->error->text),
                   "%s: parse error: ", place);
    va_start(args, format);
    vsnprintf(p->error->text + len, sizeof(p->error->text) - (size_t)len,
              format, args);
    va_end(args);
    end_at_character(p->error->text);
    return false;
}

void promql_next(struct promql_parser *p)
{
    switch (p->token.kind) {
    case PROMQL_TOKEN_RIGHT_PAREN:
    case PROMQL_TOKEN_RIGHT_BRACE:
    case PROMQL_TOKEN_RIGHT_BRACKET:
    case PROMQL_TOKEN_NUMBER:
    case PROMQL_TOKEN_DURATION:
        p->last_end = p->token.end;
        break;
    default:
        break;
    }
    p->token = promql_lex(&p->lexer);
    if (p->token.kind == PROMQL_TOKEN_ERROR)
        (void)promql_refuse(p, p->lexer.start, "%s", p->lexer.error);
}

bool promql_accept(struct promql_parser *p, enum promql_token_kind kind)
{
    if (p->token.kind != kind)
        return false;
    promql_next(p);
    return true;
}

/* Modifiers of Prometheus' experiments: names, unless one stands where only a
 * modifier can. */
static bool is_experiment(struct slice word)
{
    static const char *const names[] = {"anchored", "smoothed", "fill",
                                        "fill_left", "fill_right"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (slice_equal(word, slice_of(names[i])))
            return true;
    return false;
}

bool promql_unexpected(struct promql_parser *p, const char *context,
                       const char *expected)
{
    char token[PROMQL_TOKEN_TEXT];
    struct slice word = {p->lexer.text.ptr + p->token.start,
                         p->token.end - p->token.start};

    if (p->status != OK) /* the token is none */
        return false;
    if (p->token.kind == PROMQL_TOKEN_IDENTIFIER && is_experiment(word))
        return promql_refuse(p, p->token.start,
                             "%.*s modifier is experimental and not enabled",
                             SLICE_ARGS(word));
    promql_token_text(p->lexer.text, &p->token, token);
    return promql_refuse(p, p->token.start, "unexpected %s%s%s%s%s", token,
                         context ? " in " : "", context ? context : "",
                         expected ? ", expected " : "",
                         expected ? expected : "");
}

struct promql_node *promql_stray(struct promql_parser *p)
{
    (void)promql_unexpected(p, p->aggregates > 0 ? "aggregation" : NULL, NULL);
    return NULL;
}

/* ---- nodes ---- */

void *promql_take(struct promql_parser *p, size_t count, size_t size)
{
    void *memory = arena_zero(p->arena, count, size);

    if (!memory && p->status == OK)
        p->status = arena_status(p->arena);
    return memory;
}

struct promql_node *promql_new_node(struct promql_parser *p,
                                    enum promql_node_kind kind,
                                    enum promql_type type, uint32_t start)
{
    struct promql_node *node;

    if (++p->nodes > PROMQL_MAX_NODES) {
        (void)promql_refuse(p, start, "expression has more than %d nodes",
                            PROMQL_MAX_NODES);
        return NULL;
    }
    node = promql_take(p, 1, sizeof(*node));
    if (!node)
        return NULL;
    node->kind = kind;
    node->type = type;
    node->start = start;
    node->end = p->last_end;
    node->height = 1;
    return node;
}

bool promql_raise(struct promql_parser *p, struct promql_node *node,
                  const struct promql_node *child)
{
    if (child->height + 1 > node->height)
        node->height = (uint16_t)(child->height + 1);
    return node->height <= PROMQL_MAX_HEIGHT ||
           promql_refuse(p, node->start, "expression nests deeper than %d",
                         PROMQL_MAX_HEIGHT);
}

/* ---- operands ---- */

static struct promql_node *number(struct promql_parser *p)
{
    struct slice word = {p->lexer.text.ptr + p->token.start,
                         p->token.end - p->token.start};
    uint32_t start = p->token.start;
    struct promql_node *node;
    char error[160];
    double value = 0;
    int64_t ms = 0;
    bool good = p->token.kind == PROMQL_TOKEN_NUMBER
                    ? promql_number(word, &value, error)
                    : promql_duration(word, &ms, error);

    if (!good) {
        (void)promql_refuse(p, start, "%s", error);
        return NULL;
    }
    if (p->token.kind == PROMQL_TOKEN_DURATION)
        value = (double)ms / 1000;
    promql_next(p);
    node = promql_new_node(p, PROMQL_NUMBER, PROMQL_SCALAR, start);
    if (node)
        node->u.number = value;
    return node;
}

static struct promql_node *text(struct promql_parser *p)
{
    struct promql_token token = p->token;
    struct promql_node *node =
        promql_new_node(p, PROMQL_TEXT, PROMQL_STRING, token.start);
    struct slice word = {p->lexer.text.ptr + token.start,
                         token.end - token.start};

    if (!node)
        return NULL;
    node->end = token.end;
    if (!promql_unquote(p->arena, word, &node->u.text)) {
        p->status = arena_status(p->arena);
        return NULL;
    }
    promql_next(p);
    return node;
}

static struct promql_node *paren(struct promql_parser *p)
{
    uint32_t start = p->token.start;
    struct promql_node *inner, *node;

    promql_next(p);
    inner = promql_parse_expression(p, 0);
    if (!inner)
        return NULL;
    if (!promql_accept(p, PROMQL_TOKEN_RIGHT_PAREN))
        return promql_stray(p);
    node = promql_new_node(p, PROMQL_PAREN, inner->type, start);
    if (!node || !promql_raise(p, node, inner))
        return NULL;
    node->u.inner = inner;
    return node;
}

static struct promql_node *operand(struct promql_parser *p)
{
    struct promql_token token = p->token;

    switch (token.kind) {
    case PROMQL_TOKEN_NUMBER:
    case PROMQL_TOKEN_DURATION:
        return number(p);
    case PROMQL_TOKEN_STRING:
        return text(p);
    case PROMQL_TOKEN_LEFT_PAREN:
        return paren(p);
    case PROMQL_TOKEN_LEFT_BRACE:
        return promql_parse_selector(p, NULL);
    default:
        break;
    }
    return promql_is_metric_name(&token) ? promql_parse_named(p)
                                         : promql_stray(p);
}

/* ---- operators ---- */

/* A number takes its sign, a plus is nothing; both bind weaker than ^. */
static struct promql_node *sign(struct promql_parser *p)
{
    struct promql_token op = p->token;
    struct promql_node *inner, *node;

    promql_next(p);
    inner = promql_parse_expression(p, promql_precedence(PROMQL_MUL) + 1);
    if (!inner)
        return NULL;
    if (inner->kind == PROMQL_NUMBER) {
        inner->start = op.start;
        if (op.op == PROMQL_SUB)
            inner->u.number = -inner->u.number;
        return inner;
    }
    if (!promql_check_sign(p, inner, op.start))
        return NULL;
    if (op.op == PROMQL_ADD) {
        inner->start = op.start;
        return inner;
    }
    node = promql_new_node(p, PROMQL_MINUS, inner->type, op.start);
    if (!node || !promql_raise(p, node, inner))
        return NULL;
    node->end = inner->end;
    node->u.inner = inner;
    return node;
}

static struct promql_node *unary(struct promql_parser *p)
{
    struct promql_node *node;

    if (p->token.kind == PROMQL_TOKEN_OPERATOR &&
        (p->token.op == PROMQL_ADD || p->token.op == PROMQL_SUB))
        return sign(p);
    node = operand(p);
    while (node && promql_is_suffix(&p->token))
        node = promql_parse_suffix(p, node);
    return node;
}

/* Keywords are names of labels, `without` excepted. */
static bool is_label_name(const struct promql_token *token)
{
    if (token->kind == PROMQL_TOKEN_OPERATOR)
        return token->op <= PROMQL_UNLESS || token->op == PROMQL_ATAN2;
    return token->kind == PROMQL_TOKEN_IDENTIFIER ||
           token->kind == PROMQL_TOKEN_STRING ||
           (token->kind >= PROMQL_TOKEN_AGGREGATE &&
            token->kind < PROMQL_TOKEN_WITHOUT);
}

bool promql_parse_labels(struct promql_parser *p, const struct slice **labels,
                         uint32_t *count)
{
    struct slice *list = NULL;
    uint32_t room = 0;

    if (!promql_accept(p, PROMQL_TOKEN_LEFT_PAREN))
        return promql_unexpected(p, "grouping opts", "\"(\"");
    while (p->token.kind != PROMQL_TOKEN_RIGHT_PAREN) {
        struct slice word = {p->lexer.text.ptr + p->token.start,
                             p->token.end - p->token.start};
        struct slice *label = arena_append(p->arena, &list, *count, &room);

        if (!label)
            return p->status = arena_status(p->arena), false;
        if (!is_label_name(&p->token))
            return promql_unexpected(p, "grouping opts", "label");
        *label = word;
        if (p->token.kind == PROMQL_TOKEN_STRING &&
            !promql_unquote(p->arena, word, label))
            return p->status = arena_status(p->arena), false;
        ++*count;
        promql_next(p);
        if (!promql_accept(p, PROMQL_TOKEN_COMMA) &&
            p->token.kind != PROMQL_TOKEN_RIGHT_PAREN)
            return promql_unexpected(p, "grouping opts", "\",\" or \")\"");
    }
    promql_next(p);
    *labels = list;
    return p->status == OK;
}

/* bool, on or ignoring, group_left or group_right. */
static bool modifiers(struct promql_parser *p, struct promql_binary *binary)
{
    enum promql_token_kind kind;

    binary->returns_bool = promql_accept(p, PROMQL_TOKEN_BOOL);
    kind = p->token.kind;
    if (kind != PROMQL_TOKEN_ON && kind != PROMQL_TOKEN_IGNORING)
        return p->status == OK;
    binary->on = kind == PROMQL_TOKEN_ON;
    promql_next(p);
    if (!promql_parse_labels(p, &binary->labels, &binary->label_count))
        return false;
    kind = p->token.kind;
    if (kind != PROMQL_TOKEN_GROUP_LEFT && kind != PROMQL_TOKEN_GROUP_RIGHT)
        return true;
    binary->cardinality = kind == PROMQL_TOKEN_GROUP_LEFT ? PROMQL_MANY_TO_ONE
                                                          : PROMQL_ONE_TO_MANY;
    promql_next(p);
    return p->token.kind != PROMQL_TOKEN_LEFT_PAREN ||
           promql_parse_labels(p, &binary->include, &binary->include_count);
}

static struct promql_node *binary(struct promql_parser *p,
                                  struct promql_node *left)
{
    enum promql_binary_op op = p->token.op;
    struct promql_node *right,
        *node = promql_new_node(p, PROMQL_BINARY, PROMQL_VECTOR, left->start);

    promql_next(p);
    if (!node || !modifiers(p, &node->u.binary))
        return NULL;
    right = promql_parse_expression(p, promql_precedence(op) +
                                           (op == PROMQL_POW ? 0 : 1));
    if (!right || !promql_raise(p, node, left) || !promql_raise(p, node, right))
        return NULL;
    node->end = right->end;
    node->u.binary.op = op;
    node->u.binary.left = left;
    node->u.binary.right = right;
    if (left->type == PROMQL_SCALAR && right->type == PROMQL_SCALAR)
        node->type = PROMQL_SCALAR;
    return node;
}

struct promql_node *promql_parse_expression(struct promql_parser *p,
                                            int precedence)
{
    struct promql_node *node;

    if (++p->depth > PROMQL_MAX_HEIGHT) {
        (void)promql_refuse(p, p->token.start,
                            "expression nests deeper than %d",
                            PROMQL_MAX_HEIGHT);
        return NULL;
    }
    node = unary(p);
    while (node && p->status == OK && p->token.kind == PROMQL_TOKEN_OPERATOR &&
           promql_precedence(p->token.op) >= precedence)
        node = binary(p, node);
    p->depth--;
    return p->status == OK ? node : NULL;
}

static const struct promql_node *whole(struct promql_parser *p)
{
    struct promql_node *root;

    promql_next(p);
    if (p->token.kind == PROMQL_TOKEN_END && p->status == OK) {
        (void)promql_refuse(p, 0, "no expression found in input");
        return NULL;
    }
    root = promql_parse_expression(p, 0);
    if (root && p->token.kind != PROMQL_TOKEN_END)
        root = promql_stray(p);
    return root && promql_check(p, root) ? root : NULL;
}

enum status promql_parse(struct arena *arena, struct slice text,
                         const struct promql_query **query,
                         struct promql_error *error)
{
    struct promql_parser p = {.arena = arena, .error = error};
    struct promql_query *made;

    *error = (struct promql_error){0};
    p.lexer.text = text;
    if (text.len > PROMQL_MAX_TEXT) {
        (void)promql_refuse(&p, 0, "expression is longer than %d bytes",
                            PROMQL_MAX_TEXT);
        return p.status;
    }
    made = promql_take(&p, 1, sizeof(*made));
    if (!made)
        return p.status;
    made->text = text;
    made->root = whole(&p);
    if (p.status == OK)
        *query = made;
    return p.status;
}
