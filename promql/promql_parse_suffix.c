/* What may stand behind a node: a range, a subquery, offset, @. */
#include <math.h>

#include "promql_parser.h"

static struct slice word_of(const struct promql_parser *p)
{
    return (struct slice){p->lexer.text.ptr + p->token.start,
                          p->token.end - p->token.start};
}

/* ---- durations ---- */

static bool is_duration(const struct promql_token *token)
{
    return token->kind == PROMQL_TOKEN_NUMBER ||
           token->kind == PROMQL_TOKEN_DURATION;
}

/* Of a number (seconds) or a duration that comes next. */
static bool take_duration(struct promql_parser *p, double *seconds)
{
    char error[160];
    int64_t ms;
    bool good = true;

    if (p->token.kind == PROMQL_TOKEN_NUMBER) {
        good = promql_number(word_of(p), seconds, error);
    } else {
        good = promql_duration(word_of(p), &ms, error);
        *seconds = good ? (double)ms / 1000 : 0;
    }
    if (!good)
        return promql_refuse(p, p->token.start, "%s", error);
    promql_next(p);
    return p->status == OK;
}

/* ---- arithmetic of durations: (5m + 1m) * 2 ---- */

static bool is_sign(const struct promql_token *token)
{
    return token->kind == PROMQL_TOKEN_OPERATOR &&
           (token->op == PROMQL_SUB || token->op == PROMQL_ADD);
}

static bool starts_duration(const struct promql_token *token)
{
    return is_duration(token) || is_sign(token) ||
           token->kind == PROMQL_TOKEN_LEFT_PAREN;
}

static bool duration_terms(struct promql_parser *p, int precedence,
                           double *seconds);

static bool duration_operand(struct promql_parser *p, double *seconds)
{
    bool sign = is_sign(&p->token);
    bool minus = sign && p->token.op == PROMQL_SUB;

    if (is_duration(&p->token))
        return take_duration(p, seconds);
    if (!sign && p->token.kind != PROMQL_TOKEN_LEFT_PAREN)
        return promql_unexpected(p, "duration expression",
                                 "number or duration");
    promql_next(p);
    if (!duration_terms(p, sign ? promql_precedence(PROMQL_POW) : 0, seconds))
        return false;
    if (minus)
        *seconds = -*seconds;
    return sign || promql_accept(p, PROMQL_TOKEN_RIGHT_PAREN) ||
           promql_unexpected(p, "duration expression", "\")\"");
}

static bool apply(struct promql_parser *p, const struct promql_token *op,
                  double right, double *left)
{
    switch (op->op) {
    case PROMQL_ADD:
        *left += right;
        return true;
    case PROMQL_SUB:
        *left -= right;
        return true;
    case PROMQL_MUL:
        *left *= right;
        return true;
    case PROMQL_POW:
        *left = pow(*left, right);
        return true;
    default:
        if (right == 0)
            return promql_refuse(p, op->start,
                                 op->op == PROMQL_DIV ? "division by zero"
                                                      : "modulo by zero");
        *left = op->op == PROMQL_DIV ? *left / right : fmod(*left, right);
        return true;
    }
}

/* Operands and what binds at least as tight between them. */
static bool duration_terms(struct promql_parser *p, int precedence,
                           double *seconds)
{
    bool good;

    if (++p->depth > PROMQL_MAX_HEIGHT)
        return promql_refuse(p, p->token.start,
                             "expression nests deeper than %d",
                             PROMQL_MAX_HEIGHT);
    good = duration_operand(p, seconds);
    while (good && p->token.kind == PROMQL_TOKEN_OPERATOR &&
           p->token.op >= PROMQL_ADD && p->token.op != PROMQL_ATAN2 &&
           promql_precedence(p->token.op) >= precedence) {
        struct promql_token op = p->token;
        double right = 0;

        promql_next(p);
        good =
            duration_terms(p, promql_precedence(op.op) + (op.op != PROMQL_POW),
                           &right) &&
            apply(p, &op, right, seconds);
    }
    p->depth--;
    return good && p->status == OK;
}

/* The same in milliseconds; 292 years are the most that Prometheus has. In
 * brackets it is arithmetic, an offset only in parentheses. */
static bool take_ms(struct promql_parser *p, bool positive, int64_t *ms)
{
    uint32_t at = p->token.start;
    double seconds = 0;

    if (!(positive ? duration_terms(p, 0, &seconds)
                   : duration_operand(p, &seconds)))
        return false;
    if (!(fabs(seconds) < 9.2e9))
        return promql_refuse(p, at, "duration out of range");
    *ms = llround(seconds * 1000);
    if (positive && *ms <= 0)
        return promql_refuse(p, at, "duration must be greater than 0");
    return true;
}

/* ---- [5m] and [5m:1m] ---- */

static struct promql_node *range(struct promql_parser *p,
                                 struct promql_node *of, uint32_t bracket,
                                 int64_t ms)
{
    struct promql_node *node;
    const char *error = NULL;

    if (of->kind != PROMQL_SELECTOR)
        error = "ranges only allowed for vector selectors";
    else if (of->u.selector.shift.offset_ms != 0)
        error = "no offset modifiers allowed before range";
    else if (of->u.selector.shift.at != PROMQL_AT_NONE)
        error = "no @ modifiers allowed before range";
    if (error) {
        (void)promql_refuse(p, bracket, "%s", error);
        return NULL;
    }
    promql_next(p); /* ] */
    node = promql_new_node(p, PROMQL_RANGE, PROMQL_MATRIX, of->start);
    if (!node || !promql_raise(p, node, of))
        return NULL;
    node->u.range.selector = of;
    node->u.range.range_ms = ms;
    return node;
}

static struct promql_node *subquery(struct promql_parser *p,
                                    struct promql_node *of, int64_t ms)
{
    struct promql_node *node;
    int64_t step = 0;

    promql_next(p); /* : */
    if (starts_duration(&p->token)) {
        if (!take_ms(p, true, &step))
            return NULL;
        if (p->token.kind != PROMQL_TOKEN_RIGHT_BRACKET) {
            (void)promql_unexpected(p, "subquery selector", "\"]\"");
            return NULL;
        }
    } else if (p->token.kind != PROMQL_TOKEN_RIGHT_BRACKET) {
        (void)promql_unexpected(p, "subquery selector",
                                "number or duration or \"]\"");
        return NULL;
    }
    promql_next(p); /* ] */
    node = promql_new_node(p, PROMQL_SUBQUERY, PROMQL_MATRIX, of->start);
    if (!node || !promql_raise(p, node, of))
        return NULL;
    node->u.subquery.of = of;
    node->u.subquery.range_ms = ms;
    node->u.subquery.step_ms = step;
    return node;
}

static struct promql_node *brackets(struct promql_parser *p,
                                    struct promql_node *of)
{
    uint32_t bracket = p->token.start;
    int64_t ms;

    promql_next(p); /* [ */
    if (!starts_duration(&p->token)) {
        (void)promql_unexpected(p, "subquery or range selector",
                                "number or duration");
        return NULL;
    }
    if (!take_ms(p, true, &ms))
        return NULL;
    if (p->token.kind == PROMQL_TOKEN_RIGHT_BRACKET)
        return range(p, of, bracket, ms);
    if (p->token.kind == PROMQL_TOKEN_COLON)
        return subquery(p, of, ms);
    (void)promql_unexpected(p, "subquery or range", "\":\" or \"]\"");
    return NULL;
}

/* ---- offset and @ ---- */

/* That of a selector, a range's selector or a subquery; NULL: it has none. */
static struct promql_shift *shift_of(struct promql_node *node)
{
    switch (node->kind) {
    case PROMQL_SELECTOR:
        return &node->u.selector.shift;
    case PROMQL_RANGE:
        return &node->u.range.selector->u.selector.shift;
    case PROMQL_SUBQUERY:
        return &node->u.subquery.shift;
    default:
        return NULL;
    }
}

static struct promql_node *offset(struct promql_parser *p,
                                  struct promql_node *node)
{
    struct promql_shift *shift = shift_of(node);
    bool negative;
    int64_t ms;

    promql_next(p); /* offset */
    negative =
        p->token.kind == PROMQL_TOKEN_OPERATOR && p->token.op == PROMQL_SUB;
    if (negative)
        promql_next(p);
    if (!is_duration(&p->token) && p->token.kind != PROMQL_TOKEN_LEFT_PAREN) {
        (void)promql_unexpected(p, "offset", "number or duration");
        return NULL;
    }
    if (!take_ms(p, false, &ms))
        return NULL;
    if (!shift) {
        (void)promql_refuse(p, node->start,
                            "offset modifier must be preceded by an instant "
                            "vector selector or range vector selector or a "
                            "subquery");
        return NULL;
    }
    if (shift->offset_ms != 0) {
        (void)promql_refuse(p, node->start,
                            "offset may not be set multiple times");
        return NULL;
    }
    shift->offset_ms = negative ? -ms : ms;
    node->end = p->last_end;
    return node;
}

/* @ start() and @ end(). */
static bool at_bound(struct promql_parser *p, struct promql_shift *at)
{
    at->at =
        p->token.kind == PROMQL_TOKEN_START ? PROMQL_AT_START : PROMQL_AT_END;
    promql_next(p);
    if (!promql_accept(p, PROMQL_TOKEN_LEFT_PAREN) ||
        p->token.kind != PROMQL_TOKEN_RIGHT_PAREN)
        return promql_unexpected(p, "@", "timestamp");
    promql_next(p);
    return p->status == OK;
}

static bool at_number(struct promql_parser *p, const struct promql_node *node,
                      struct promql_shift *at)
{
    double sign = 1, seconds;

    if (p->token.kind == PROMQL_TOKEN_OPERATOR &&
        (p->token.op == PROMQL_SUB || p->token.op == PROMQL_ADD)) {
        sign = p->token.op == PROMQL_SUB ? -1 : 1;
        promql_next(p);
    }
    if (!is_duration(&p->token))
        return promql_unexpected(p, "@", "timestamp");
    if (!take_duration(p, &seconds))
        return false;
    seconds *= sign;
    if (isinf(seconds) || isnan(seconds))
        return promql_refuse(p, node->start,
                             "timestamp out of bounds for @ modifier: %s",
                             isnan(seconds) ? "NaN"
                             : seconds > 0  ? "+Inf"
                                            : "-Inf");
    if (fabs(seconds) >= 9.2e15) /* milliseconds must fit, too */
        return promql_refuse(p, node->start,
                             "timestamp out of bounds for @ modifier: %f",
                             seconds);
    at->at = PROMQL_AT_TIME;
    at->at_ms = llround(seconds * 1000);
    return true;
}

static struct promql_node *at_time(struct promql_parser *p,
                                   struct promql_node *node)
{
    struct promql_shift *shift = shift_of(node), at = {0};

    promql_next(p); /* @ */
    if (p->token.kind == PROMQL_TOKEN_START ||
        p->token.kind == PROMQL_TOKEN_ATEND) {
        if (!at_bound(p, &at))
            return NULL;
    } else if (!at_number(p, node, &at)) {
        return NULL;
    }
    if (!shift) {
        (void)promql_refuse(p, node->start,
                            "@ modifier must be preceded by an instant vector "
                            "selector or range vector selector or a subquery");
        return NULL;
    }
    if (shift->at != PROMQL_AT_NONE) {
        (void)promql_refuse(p, node->start,
                            "@ <timestamp> may not be set multiple times");
        return NULL;
    }
    shift->at = at.at;
    shift->at_ms = at.at_ms;
    node->end = p->last_end;
    return node;
}

bool promql_is_suffix(const struct promql_token *token)
{
    return token->kind == PROMQL_TOKEN_LEFT_BRACKET ||
           token->kind == PROMQL_TOKEN_OFFSET || token->kind == PROMQL_TOKEN_AT;
}

struct promql_node *promql_parse_suffix(struct promql_parser *p,
                                        struct promql_node *node)
{
    switch (p->token.kind) {
    case PROMQL_TOKEN_LEFT_BRACKET:
        return brackets(p, node);
    case PROMQL_TOKEN_OFFSET:
        return offset(p, node);
    default:
        return at_time(p, node);
    }
}
