/*
 * Expressions. As in Tempo, && and || have one precedence and are read from the
 * left; above them are comparisons, + and -, the products, and ^.
 */
#include "array.h"
#include "ascii.h"
#include "traceql_parser.h"

struct traceql_expr *traceql_new(struct traceql_parser *p,
                                 enum traceql_node node)
{
    struct traceql_expr *e;

    if (p->nodes++ >= TRACEQL_MAX_NODES)
        return traceql_fail(p, p->lex.place, "the query is too long");
    e = arena_zero(p->lex.arena, 1, sizeof(*e));
    if (!e)
        return traceql_fail(p, p->lex.place, "it needs too much memory");
    e->node = node;
    return e;
}

void traceql_show(struct traceql_parser *p, const struct traceql_field *field)
{
    struct traceql *query = p->query;
    struct traceql_field *more;

    for (uint32_t i = 0; i < query->field_count; i++)
        if (query->fields[i].scope == field->scope &&
            query->fields[i].intrinsic == field->intrinsic &&
            slice_equal(query->fields[i].name, field->name))
            return;
    if (query->field_count == TRACEQL_MAX_FIELDS)
        return;
    more = arena_append(p->lex.arena, &query->fields, query->field_count,
                        &p->field_room);
    if (more) {
        *more = *field;
        query->field_count++;
    }
}

/* ---- types ---- */

/* The type that an expression always has; TRACEQL_NIL: it depends, or nil. */
static enum traceql_type type_of(const struct traceql_expr *e)
{
    switch (e->node) {
    case TRACEQL_LITERAL:
        return e->value.type;
    case TRACEQL_FIELD:
        return traceql_field_type(&e->field);
    case TRACEQL_UNARY:
        return e->op == TRACEQL_NOT ? TRACEQL_BOOL : type_of(e->left);
    default:
        return e->op >= TRACEQL_ADD && e->op <= TRACEQL_POWER ? TRACEQL_FLOAT
                                                              : TRACEQL_BOOL;
    }
}

static bool is_number_type(enum traceql_type type)
{
    return type == TRACEQL_INT || type == TRACEQL_FLOAT ||
           type == TRACEQL_DURATION;
}

bool traceql_is_condition(const struct traceql_expr *e)
{
    enum traceql_type type = type_of(e);

    return type == TRACEQL_BOOL ||
           (type == TRACEQL_NIL && e->node == TRACEQL_FIELD);
}

bool traceql_is_numeric(const struct traceql_expr *e)
{
    enum traceql_type type = type_of(e);

    return is_number_type(type) ||
           (type == TRACEQL_NIL && e->node == TRACEQL_FIELD);
}

static const char *type_name(enum traceql_type type)
{
    static const char *const names[] = {
        "nil",     "unknown",  "string", "integer", "number",
        "boolean", "duration", "status", "kind",    "other"};

    return names[type];
}

static bool types_agree(enum traceql_type a, enum traceql_type b)
{
    return a == b || a == TRACEQL_NIL || b == TRACEQL_NIL ||
           (is_number_type(a) && is_number_type(b));
}

/* ---- what operators need ---- */

static bool check_regex(struct traceql_parser *p, struct traceql_expr *e,
                        size_t place)
{
    char why[REGEX_ERROR];
    enum traceql_type left = type_of(e->left);

    if (e->right->node != TRACEQL_LITERAL ||
        e->right->value.type != TRACEQL_STRING) {
        traceql_fail(p, place, "a regular expression must be a string");
        return false;
    }
    if (left != TRACEQL_STRING && left != TRACEQL_NIL) {
        traceql_fail(p, place, "=~ and !~ compare strings, not a %s",
                     type_name(left));
        return false;
    }
    if (regex_compile(&e->regex, e->right->value.text, why) != OK) {
        traceql_fail(p, place, "invalid regular expression: %s", why);
        return false;
    }
    e->next_regex = p->query->regexes;
    p->query->regexes = e;
    return true;
}

/* An id is compared in lower case, with the zeros that may be left out. */
static void pad_id(struct traceql_parser *p, const struct traceql_expr *field,
                   struct traceql_value *value)
{
    enum traceql_intrinsic id = field->field.intrinsic;
    size_t len =
        id == TRACEQL_TRACE_ID || id == TRACEQL_LINK_TRACE_ID ? 32 : 16;
    char *text;

    if (field->node != TRACEQL_FIELD || value->type != TRACEQL_STRING ||
        (len == 16 && id != TRACEQL_SPAN_ID && id != TRACEQL_SPAN_PARENT_ID &&
         id != TRACEQL_LINK_SPAN_ID) ||
        value->text.len > len)
        return;
    text = arena_alloc(p->lex.arena, len);
    if (!text)
        return;
    memset(text, '0', len);
    for (size_t i = 0; i < value->text.len; i++) {
        char c = value->text.ptr[i];

        text[len - value->text.len + i] =
            c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    value->text = (struct slice){text, len};
}

static bool is_order(enum traceql_op op)
{
    return op >= TRACEQL_LESS && op <= TRACEQL_GREATER_EQUAL;
}

static bool check_types(struct traceql_parser *p, const struct traceql_expr *e,
                        size_t place)
{
    enum traceql_type a = type_of(e->left), b = type_of(e->right);

    if (e->op == TRACEQL_AND || e->op == TRACEQL_OR) {
        if (traceql_is_condition(e->left) && traceql_is_condition(e->right))
            return true;
        traceql_fail(p, place, "&& and || combine conditions");
    } else if (e->op >= TRACEQL_ADD && e->op <= TRACEQL_POWER) {
        if (traceql_is_numeric(e->left) && traceql_is_numeric(e->right))
            return true;
        traceql_fail(p, place, "arithmetic needs numbers");
    } else if (!types_agree(a, b)) {
        traceql_fail(p, place, "a %s is compared with a %s", type_name(a),
                     type_name(b));
    } else if (is_order(e->op) && (a == TRACEQL_STATUS || a == TRACEQL_KIND ||
                                   b == TRACEQL_STATUS || b == TRACEQL_KIND)) {
        traceql_fail(p, place, "status and kind have no order");
    } else {
        return true;
    }
    return false;
}

static enum traceql_op turned(enum traceql_op op)
{
    return op == TRACEQL_LESS            ? TRACEQL_GREATER
           : op == TRACEQL_LESS_EQUAL    ? TRACEQL_GREATER_EQUAL
           : op == TRACEQL_GREATER       ? TRACEQL_LESS
           : op == TRACEQL_GREATER_EQUAL ? TRACEQL_LESS_EQUAL
                                         : op;
}

/* After a look at the types of both. */
static struct traceql_expr *checked(struct traceql_parser *p,
                                    enum traceql_op op,
                                    struct traceql_expr *left,
                                    struct traceql_expr *right, size_t place)
{
    struct traceql_expr *e =
        left && right ? traceql_new(p, TRACEQL_BINARY) : NULL;
    bool regex = op == TRACEQL_MATCH || op == TRACEQL_NOT_MATCH;

    if (!e)
        return NULL;
    /* 500 < span.x is span.x > 500. */
    if (!regex && op >= TRACEQL_EQUAL && op <= TRACEQL_GREATER_EQUAL &&
        left->node == TRACEQL_LITERAL && right->node == TRACEQL_FIELD) {
        struct traceql_expr *swap = left;

        left = right;
        right = swap;
        op = turned(op);
    }
    e->op = op;
    e->left = left;
    e->right = right;
    if (regex ? !check_regex(p, e, place) : !check_types(p, e, place))
        return NULL;
    pad_id(p, left, &right->value);
    return e;
}

/* ---- parsing ---- */

static struct traceql_expr *word(struct traceql_parser *p)
{
    static const struct {
        const char *name;
        enum traceql_type type;
        int64_t i;
    } words[] = {{"nil", TRACEQL_NIL, 0},
                 {"true", TRACEQL_BOOL, 1},
                 {"false", TRACEQL_BOOL, 0},
                 {"unset", TRACEQL_STATUS, SPAN_UNSET},
                 {"ok", TRACEQL_STATUS, SPAN_OK},
                 {"error", TRACEQL_STATUS, SPAN_ERROR},
                 {"unspecified", TRACEQL_KIND, SPAN_UNSPECIFIED},
                 {"internal", TRACEQL_KIND, SPAN_INTERNAL},
                 {"server", TRACEQL_KIND, SPAN_SERVER},
                 {"client", TRACEQL_KIND, SPAN_CLIENT},
                 {"producer", TRACEQL_KIND, SPAN_PRODUCER},
                 {"consumer", TRACEQL_KIND, SPAN_CONSUMER}};
    struct traceql_expr *e;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!lex_is(&p->lex, words[i].name))
            continue;
        e = traceql_new(p, TRACEQL_LITERAL);
        if (e && words[i].type == TRACEQL_BOOL)
            e->value = (struct traceql_value){.type = TRACEQL_BOOL,
                                              .b = words[i].i != 0};
        else if (e)
            e->value =
                (struct traceql_value){.type = words[i].type, .i = words[i].i};
        lex_next(&p->lex);
        return e;
    }
    e = traceql_new(p, TRACEQL_FIELD);
    if (!e)
        return NULL;
    if (!traceql_field_parse(p->lex.token, p->lex.arena, &e->field))
        return traceql_fail(
            p, p->lex.place,
            "%.*s is not known here; an attribute is written .%.*s, span.%.*s "
            "or resource.%.*s, a string in double quotes",
            SLICE_ARGS(slice_truncate(p->lex.token, 30)),
            SLICE_ARGS(slice_truncate(p->lex.token, 30)),
            SLICE_ARGS(slice_truncate(p->lex.token, 30)),
            SLICE_ARGS(slice_truncate(p->lex.token, 30)));
    traceql_show(p, &e->field);
    lex_next(&p->lex);
    return e;
}

static struct traceql_expr *operand(struct traceql_parser *p)
{
    struct traceql_expr *e;

    if (traceql_take(p, "(")) {
        e = traceql_expression(p);
        return e && traceql_need(p, ")") ? e : NULL;
    }
    if (p->lex.kind == LEX_LITERAL) {
        e = traceql_new(p, TRACEQL_LITERAL);
        if (e)
            e->value = p->lex.value;
        lex_next(&p->lex);
        return e;
    }
    if (p->lex.kind == LEX_FIELD) {
        e = traceql_new(p, TRACEQL_FIELD);
        if (e) {
            e->field = p->lex.field;
            traceql_show(p, &e->field);
        }
        lex_next(&p->lex);
        return e;
    }
    if (p->lex.kind == LEX_WORD)
        return word(p);
    return traceql_expected(p, "an attribute, a value or (");
}

/* Operators in words of the table, by precedence: higher binds first. */
static const struct binary {
    const char *mark;
    enum traceql_op op;
    int precedence;
} binaries[] = {{"||", TRACEQL_OR, 1},
                {"&&", TRACEQL_AND, 1},
                {"=", TRACEQL_EQUAL, 2},
                {"!=", TRACEQL_NOT_EQUAL, 2},
                {"<=", TRACEQL_LESS_EQUAL, 2},
                {"<", TRACEQL_LESS, 2},
                {">=", TRACEQL_GREATER_EQUAL, 2},
                {">", TRACEQL_GREATER, 2},
                {"=~", TRACEQL_MATCH, 2},
                {"!~", TRACEQL_NOT_MATCH, 2},
                {"+", TRACEQL_ADD, 3},
                {"-", TRACEQL_SUBTRACT, 3},
                {"*", TRACEQL_MULTIPLY, 5},
                {"/", TRACEQL_DIVIDE, 5},
                {"%", TRACEQL_MODULO, 5},
                {"^", TRACEQL_POWER, 6}};

enum { PRECEDENCE_NOT = 4 };

static const struct binary *binary_at(const struct traceql_parser *p)
{
    for (size_t i = 0; i < sizeof(binaries) / sizeof(binaries[0]); i++)
        if (lex_is(&p->lex, binaries[i].mark))
            return &binaries[i];
    return NULL;
}

bool traceql_comparison(struct traceql_parser *p, enum traceql_op *op)
{
    const struct binary *found = binary_at(p);

    if (!found || found->precedence != 2 || found->op >= TRACEQL_MATCH)
        return false;
    *op = found->op;
    lex_next(&p->lex);
    return true;
}

static struct traceql_expr *above(struct traceql_parser *p, int least);

static struct traceql_expr *prefixed(struct traceql_parser *p)
{
    size_t place = p->lex.place;
    bool not = lex_is(&p->lex, "!");
    struct traceql_expr *e, *inner;

    if (!not &&!lex_is(&p->lex, "-"))
        return operand(p);
    lex_next(&p->lex);
    inner = above(p, PRECEDENCE_NOT);
    if (!inner)
        return NULL;
    if (not ? !traceql_is_condition(inner) : !traceql_is_numeric(inner))
        return traceql_fail(p, place,
                            not ? "! needs a condition" : "- needs a number");
    e = traceql_new(p, TRACEQL_UNARY);
    if (e) {
        e->op = not ? TRACEQL_NOT : TRACEQL_MINUS;
        e->left = inner;
    }
    return e;
}

/* Operands joined by operators of at least this precedence. */
static struct traceql_expr *above(struct traceql_parser *p, int least)
{
    struct traceql_expr *left = traceql_enter(p) ? prefixed(p) : NULL;
    const struct binary *binary;

    while (left && (binary = binary_at(p)) && binary->precedence >= least) {
        size_t place = p->lex.place;
        bool right_first = binary->op == TRACEQL_POWER;

        lex_next(&p->lex);
        left = checked(p, binary->op, left,
                       above(p, binary->precedence + (right_first ? 0 : 1)),
                       place);
    }
    p->depth--;
    return left;
}

struct traceql_expr *traceql_expression(struct traceql_parser *p)
{
    return above(p, 1);
}

bool traceql_literal(struct traceql_parser *p, struct traceql_value *value)
{
    bool negative = traceql_take(p, "-");

    if (p->lex.kind != LEX_LITERAL || p->lex.value.type == TRACEQL_STRING) {
        traceql_expected(p, "a number or a duration");
        return false;
    }
    *value = p->lex.value;
    if (negative && value->type == TRACEQL_FLOAT)
        value->d = -value->d;
    else if (negative)
        value->i = -value->i;
    lex_next(&p->lex);
    return true;
}
