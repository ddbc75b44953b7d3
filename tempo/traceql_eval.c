/*
 * Expressions over one span. Logic has three values: what is not known makes a
 * comparison neither true nor false, so that a span can be tested before its
 * trace was read, and a resource before any span.
 */
#include "traceql.h"

#include <math.h>
#include <stdio.h>

static bool is_number(const struct traceql_value *v)
{
    return v->type == TRACEQL_INT || v->type == TRACEQL_FLOAT ||
           v->type == TRACEQL_DURATION;
}

static double number_of(const struct traceql_value *v)
{
    return v->type == TRACEQL_FLOAT ? v->d : (double)v->i;
}

static enum traceql_truth truth(bool yes)
{
    return yes ? TRACEQL_YES : TRACEQL_NO;
}

/* ---- comparisons ---- */

enum { UNORDERED = 2 }; /* with NaN */

/* -1, 0, 1 or UNORDERED. */
static int order(const struct traceql_value *a, const struct traceql_value *b)
{
    if (a->type == TRACEQL_STRING) {
        int by = slice_compare(a->text, b->text);

        return (by > 0) - (by < 0);
    }
    if (a->type == TRACEQL_BOOL)
        return a->b - b->b;
    if (a->type != TRACEQL_FLOAT && b->type != TRACEQL_FLOAT)
        return (a->i > b->i) - (a->i < b->i);
    double x = number_of(a), y = number_of(b);
    return isnan(x) || isnan(y) ? UNORDERED : (x > y) - (x < y);
}

static bool holds(enum traceql_op op, int by)
{
    switch (op) {
    case TRACEQL_EQUAL:
        return by == 0;
    case TRACEQL_NOT_EQUAL:
        return by != 0;
    case TRACEQL_LESS:
        return by < 0;
    case TRACEQL_LESS_EQUAL:
        return by <= 0;
    case TRACEQL_GREATER:
        return by == 1;
    default:
        return by == 0 || by == 1;
    }
}

/* A value as `tags` and lists of values write it. */
static bool same_text(const struct traceql_value *v, struct slice wanted)
{
    struct slice text = v->text;
    char number[40];
    int len;

    if (v->type == TRACEQL_BOOL)
        text = v->b ? SLICE("true") : SLICE("false");
    if (v->type == TRACEQL_INT || v->type == TRACEQL_FLOAT) {
        len = v->type == TRACEQL_INT
                  ? snprintf(number, sizeof(number), "%lld", (long long)v->i)
                  : snprintf(number, sizeof(number), "%.15g", v->d);
        text = (struct slice){number, (size_t)len};
    } else if (v->type != TRACEQL_STRING && v->type != TRACEQL_BOOL) {
        return false;
    }
    return slice_equal(text, wanted);
}

enum traceql_truth traceql_compare(enum traceql_op op,
                                   const struct traceql_value *a,
                                   const struct traceql_value *b,
                                   const struct regex *regex)
{
    if (a->type == TRACEQL_UNKNOWN || b->type == TRACEQL_UNKNOWN)
        return TRACEQL_MAYBE;
    if (a->type == TRACEQL_NIL || b->type == TRACEQL_NIL) {
        bool both = a->type == b->type;

        return truth(op == TRACEQL_EQUAL       ? both
                     : op == TRACEQL_NOT_EQUAL ? !both
                                               : false);
    }
    if (op == TRACEQL_AS_TEXT)
        return truth(same_text(a, b->text));
    if (op == TRACEQL_MATCH || op == TRACEQL_NOT_MATCH)
        return truth(a->type == TRACEQL_STRING &&
                     regex_matches(regex, a->text) == (op == TRACEQL_MATCH));
    if (a->type == TRACEQL_OTHER ||
        (a->type != b->type && !(is_number(a) && is_number(b))))
        return TRACEQL_NO;
    return truth(holds(op, order(a, b)));
}

static bool is_negative(enum traceql_op op)
{
    return op == TRACEQL_NOT_EQUAL || op == TRACEQL_NOT_MATCH;
}

static bool is_nil(const struct traceql_expr *e)
{
    return e->node == TRACEQL_LITERAL && e->value.type == TRACEQL_NIL;
}

/* A field with several values: one must compare; with != and !~ all. An absent
 * field compares with nil only. */
static enum traceql_truth compare_field(const struct traceql_expr *e,
                                        const struct traceql_subject *subject)
{
    struct traceql_value value, other;
    enum traceql_truth result;
    bool known = true;
    uint32_t n = 0;

    traceql_value(e->right, subject, &other);
    for (; traceql_field_value(&e->left->field, subject, n, &value, &known);
         n++) {
        if (other.type == TRACEQL_NIL)
            return truth(is_nil(e->right) && e->op == TRACEQL_NOT_EQUAL);
        result = traceql_compare(e->op, &value, &other, e->regex);
        if (result != (is_negative(e->op) ? TRACEQL_YES : TRACEQL_NO))
            return result;
    }
    if (!known)
        return TRACEQL_MAYBE;
    if (n == 0)
        return truth(is_nil(e->right) && e->op == TRACEQL_EQUAL);
    return truth(is_negative(e->op));
}

static enum traceql_truth compare(const struct traceql_expr *e,
                                  const struct traceql_subject *subject)
{
    struct traceql_value a, b;

    if (e->left->node == TRACEQL_FIELD)
        return compare_field(e, subject);
    traceql_value(e->left, subject, &a);
    traceql_value(e->right, subject, &b);
    if (a.type == TRACEQL_NIL && !is_nil(e->left))
        return truth(is_nil(e->right) && e->op == TRACEQL_EQUAL);
    if (b.type == TRACEQL_NIL && !is_nil(e->right))
        return truth(is_nil(e->left) && e->op == TRACEQL_EQUAL);
    return traceql_compare(e->op, &a, &b, e->regex);
}

/* ---- logic ---- */

static enum traceql_truth both(enum traceql_truth a, enum traceql_truth b)
{
    if (a == TRACEQL_NO || b == TRACEQL_NO)
        return TRACEQL_NO;
    return a == TRACEQL_YES && b == TRACEQL_YES ? TRACEQL_YES : TRACEQL_MAYBE;
}

static enum traceql_truth opposite(enum traceql_truth a)
{
    return a == TRACEQL_MAYBE ? a : truth(a == TRACEQL_NO);
}

static enum traceql_truth test_value(const struct traceql_expr *e,
                                     const struct traceql_subject *subject)
{
    struct traceql_value value;

    traceql_value(e, subject, &value);
    if (value.type == TRACEQL_UNKNOWN)
        return TRACEQL_MAYBE;
    return truth(value.type == TRACEQL_BOOL && value.b);
}

enum traceql_truth traceql_test(const struct traceql_expr *e,
                                const struct traceql_subject *subject)
{
    enum traceql_truth left;

    if (!e)
        return TRACEQL_YES;
    if (e->node == TRACEQL_UNARY && e->op == TRACEQL_NOT)
        return opposite(traceql_test(e->left, subject));
    if (e->node != TRACEQL_BINARY ||
        (e->op >= TRACEQL_ADD && e->op <= TRACEQL_POWER))
        return test_value(e, subject);
    if (e->op != TRACEQL_AND && e->op != TRACEQL_OR)
        return compare(e, subject);
    left = traceql_test(e->left, subject);
    if (e->op == TRACEQL_AND)
        return left == TRACEQL_NO ? left
                                  : both(left, traceql_test(e->right, subject));
    if (left == TRACEQL_YES)
        return left;
    return opposite(
        both(opposite(left), opposite(traceql_test(e->right, subject))));
}

/* ---- values ---- */

static void calculate(enum traceql_op op, const struct traceql_value *a,
                      const struct traceql_value *b,
                      struct traceql_value *value)
{
    double x = number_of(a), y = number_of(b), d = 0;

    switch (op) {
    case TRACEQL_ADD:
        d = x + y;
        break;
    case TRACEQL_SUBTRACT:
        d = x - y;
        break;
    case TRACEQL_MULTIPLY:
        d = x * y;
        break;
    case TRACEQL_DIVIDE:
        d = x / y;
        break;
    case TRACEQL_MODULO:
        d = fmod(x, y);
        break;
    default:
        d = pow(x, y);
        break;
    }
    value->type = TRACEQL_FLOAT;
    value->d = d;
}

static void binary_value(const struct traceql_expr *e,
                         const struct traceql_subject *subject,
                         struct traceql_value *value)
{
    struct traceql_value a, b;

    traceql_value(e->left, subject, &a);
    traceql_value(e->right, subject, &b);
    if (a.type == TRACEQL_UNKNOWN || b.type == TRACEQL_UNKNOWN)
        value->type = TRACEQL_UNKNOWN;
    else if (is_number(&a) && is_number(&b))
        calculate(e->op, &a, &b, value);
    else
        value->type = TRACEQL_NIL;
}

static void minus(const struct traceql_expr *e,
                  const struct traceql_subject *subject,
                  struct traceql_value *value)
{
    traceql_value(e->left, subject, value);
    if (value->type == TRACEQL_FLOAT)
        value->d = -value->d;
    else if (is_number(value))
        value->i = (int64_t)(0 - (uint64_t)value->i);
    else if (value->type != TRACEQL_UNKNOWN)
        value->type = TRACEQL_NIL;
}

static void truth_value(enum traceql_truth is, struct traceql_value *value)
{
    value->type = is == TRACEQL_MAYBE ? TRACEQL_UNKNOWN : TRACEQL_BOOL;
    value->b = is == TRACEQL_YES;
}

void traceql_value(const struct traceql_expr *e,
                   const struct traceql_subject *subject,
                   struct traceql_value *value)
{
    bool known;

    switch (e->node) {
    case TRACEQL_LITERAL:
        *value = e->value;
        break;
    case TRACEQL_FIELD:
        if (!traceql_field_value(&e->field, subject, 0, value, &known))
            value->type = known ? TRACEQL_NIL : TRACEQL_UNKNOWN;
        break;
    case TRACEQL_UNARY:
        if (e->op == TRACEQL_MINUS)
            minus(e, subject, value);
        else
            truth_value(traceql_test(e, subject), value);
        break;
    case TRACEQL_BINARY:
        if (e->op >= TRACEQL_ADD && e->op <= TRACEQL_POWER)
            binary_value(e, subject, value);
        else
            truth_value(traceql_test(e, subject), value);
        break;
    }
}
