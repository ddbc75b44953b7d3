/*
 * promql_ast - the tree of a PromQL expression.
 *
 * The parser makes it, checked: argument counts and types are right, so
 * the evaluator needs no check. Everything is in the arena of the query, texts
 * point into the text of the query or into the arena.
 */
#ifndef PROMQL_AST_H
#define PROMQL_AST_H

#include "promql.h"

enum promql_node_kind {
    PROMQL_NUMBER,
    PROMQL_TEXT,
    PROMQL_SELECTOR,
    PROMQL_RANGE,    /* selector[5m] */
    PROMQL_SUBQUERY, /* expression[5m:1m] */
    PROMQL_CALL,
    PROMQL_AGGREGATE,
    PROMQL_BINARY,
    PROMQL_MINUS, /* of what is not a number; a unary plus makes no node */
    PROMQL_PAREN
};

/* `offset` and `@` of a selector or a subquery. Those of a range are in its
 * selector. */
enum promql_at {
    PROMQL_AT_NONE,
    PROMQL_AT_TIME,
    PROMQL_AT_START,
    PROMQL_AT_END
};
struct promql_shift {
    int64_t offset_ms; /* back in time; negative: ahead */
    int64_t at_ms;     /* of PROMQL_AT_TIME */
    enum promql_at at;
};

struct promql_selector {
    struct slice name; /* empty if it was not given as `name` or `{"name"}` */
    /* That of the name included, last one if `name` stands before braces. */
    const struct promql_matcher *matchers;
    uint32_t matcher_count;
    struct promql_shift shift;
};

struct promql_range {
    struct promql_node *selector; /* PROMQL_SELECTOR */
    int64_t range_ms;             /* > 0 */
};

struct promql_subquery {
    const struct promql_node *of;
    int64_t range_ms; /* > 0 */
    int64_t step_ms;  /* 0: the default, the evaluation interval (1m) */
    struct promql_shift shift;
};

struct promql_call {
    const struct promql_function *function;
    const struct promql_node *const *args;
    uint32_t arg_count;
};

/* clang-format off */
/*    enumerator               text            parameter */
#define PROMQL_AGGREGATE_TABLE(X)                           \
    X(PROMQL_SUM,              "sum",          false) \
    X(PROMQL_AVG,              "avg",          false) \
    X(PROMQL_COUNT,            "count",        false) \
    X(PROMQL_MIN,              "min",          false) \
    X(PROMQL_MAX,              "max",          false) \
    X(PROMQL_GROUP,            "group",        false) \
    X(PROMQL_STDDEV,           "stddev",       false) \
    X(PROMQL_STDVAR,           "stdvar",       false) \
    X(PROMQL_TOPK,             "topk",         true) \
    X(PROMQL_BOTTOMK,          "bottomk",      true) \
    X(PROMQL_COUNT_VALUES,     "count_values", true) \
    X(PROMQL_QUANTILE,         "quantile",     true) \
    X(PROMQL_LIMITK,           "limitk",       true) \
    X(PROMQL_LIMIT_RATIO,      "limit_ratio",  true)
/* clang-format on */

enum promql_aggregate_op {
#define PROMQL_AGGREGATE_NAME(name, text, parameter) name,
    PROMQL_AGGREGATE_TABLE(PROMQL_AGGREGATE_NAME)
#undef PROMQL_AGGREGATE_NAME
};

struct promql_aggregate {
    enum promql_aggregate_op op;
    bool without;                    /* else by; by nothing: one group */
    const struct promql_node *of;    /* PROMQL_VECTOR */
    const struct promql_node *param; /* NULL, or scalar; string: count_values */
    const struct slice *labels;      /* as written */
    uint32_t label_count;
};

/* clang-format off */
/*    enumerator       text      precedence */
#define PROMQL_BINARY_TABLE(X)             \
    X(PROMQL_OR,       "or",     1) \
    X(PROMQL_AND,      "and",    2) \
    X(PROMQL_UNLESS,   "unless", 2) \
    X(PROMQL_EQ,       "==",     3) \
    X(PROMQL_NE,       "!=",     3) \
    X(PROMQL_LE,       "<=",     3) \
    X(PROMQL_LT,       "<",      3) \
    X(PROMQL_GE,       ">=",     3) \
    X(PROMQL_GT,       ">",      3) \
    X(PROMQL_ADD,      "+",      4) \
    X(PROMQL_SUB,      "-",      4) \
    X(PROMQL_MUL,      "*",      5) \
    X(PROMQL_DIV,      "/",      5) \
    X(PROMQL_MOD,      "%",      5) \
    X(PROMQL_ATAN2,    "atan2",  5) \
    X(PROMQL_POW,      "^",      6)
/* clang-format on */

enum promql_binary_op {
#define PROMQL_BINARY_NAME(name, text, precedence) name,
    PROMQL_BINARY_TABLE(PROMQL_BINARY_NAME)
#undef PROMQL_BINARY_NAME
};

static inline bool promql_is_set_op(enum promql_binary_op op)
{
    return op <= PROMQL_UNLESS;
}
static inline bool promql_is_comparison(enum promql_binary_op op)
{
    return op >= PROMQL_EQ && op <= PROMQL_GT;
}

enum promql_cardinality {
    PROMQL_ONE_TO_ONE,
    PROMQL_MANY_TO_ONE, /* group_left */
    PROMQL_ONE_TO_MANY, /* group_right */
    PROMQL_MANY_TO_MANY /* set operators */
};

struct promql_binary {
    enum promql_binary_op op;
    bool returns_bool;
    const struct promql_node *left, *right;
    /* Of two vectors only. */
    enum promql_cardinality cardinality;
    bool on;                    /* else ignoring, of no label if not given */
    const struct slice *labels; /* of `on` or `ignoring` */
    uint32_t label_count;
    const struct slice *include; /* of `group_left` or `group_right` */
    uint32_t include_count;
};

struct promql_node {
    enum promql_node_kind kind;
    enum promql_type type;
    uint16_t height;     /* of the tree below, itself included */
    uint32_t start, end; /* bytes of the text */
    union {
        double number;
        struct slice text;
        struct promql_selector selector;
        struct promql_range range;
        struct promql_subquery subquery;
        struct promql_call call;
        struct promql_aggregate aggregate;
        struct promql_binary binary;
        const struct promql_node *inner; /* PROMQL_MINUS, PROMQL_PAREN */
    } u;
};

/* What promql_parse() hands out. */
struct promql_query {
    struct slice text;
    const struct promql_node *root;
};

/* What is in parentheses, however many. */
static inline const struct promql_node *promql_unparen(
    const struct promql_node *node)
{
    while (node->kind == PROMQL_PAREN)
        node = node->u.inner;
    return node;
}

/* "scalar", "string", "instant vector", "range vector". */
const char *promql_type_text(enum promql_type type);

const char *promql_aggregate_text(enum promql_aggregate_op op);
bool promql_aggregate_has_param(enum promql_aggregate_op op);
const char *promql_binary_text(enum promql_binary_op op);
int promql_precedence(enum promql_binary_op op); /* higher binds tighter */

/* "LINE:COLUMN" of a byte of the text, as Prometheus counts them. */
enum { PROMQL_PLACE = 24 };
void promql_place(struct slice text, uint32_t at, char place[PROMQL_PLACE]);

#endif
