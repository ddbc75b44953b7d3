/*
 * traceql - TraceQL, the query language of Tempo, for searches.
 *
 *   { span.http.status_code >= 500 && resource.service.name = "cart" }
 *       | count() > 2 | select(span.http.route)
 *
 * Purpose:   traceql_parse() makes a tree of a text; traceql_run() applies it
 *            to the spans of one trace; traceql_test() says of one span, or of
 *            a resource alone, whether it may match, where what is not known
 *            yet is neither true nor false. Metrics (rate() and others) are
 *            not part of it.
 * Ownership: trees and results are in the arena and borrow the text; regular
 *            expressions are freed by traceql_release().
 * Threads:   one at a time per tree.
 * Errors:    of the parser: what is wrong and where, as a text.
 */
#ifndef TRACEQL_H
#define TRACEQL_H

#include "arena.h"
#include "identity.h"
#include "record.h"
#include "regex_match.h"
#include "status.h"

enum {
    TRACEQL_MAX_DEPTH = 64, /* of parentheses and negations */
    TRACEQL_MAX_NODES = 1024,
    TRACEQL_MAX_STAGES = 16,
    TRACEQL_MAX_FIELDS = 64, /* whose values are part of the answer */
    TRACEQL_ERROR = 320
};

/* ---- values ---- */

enum traceql_type {
    TRACEQL_NIL,
    TRACEQL_UNKNOWN, /* not known yet */
    TRACEQL_STRING,
    TRACEQL_INT,
    TRACEQL_FLOAT,
    TRACEQL_BOOL,
    TRACEQL_DURATION, /* nanoseconds in i */
    TRACEQL_STATUS,   /* enum span_status in i */
    TRACEQL_KIND,     /* enum span_kind in i */
    TRACEQL_OTHER     /* is there, and equals nothing: maps, bytes */
};

struct traceql_value {
    enum traceql_type type;
    union {
        int64_t i;
        double d;
        bool b;
        struct slice text;
    };
    char hex[32]; /* of an id, which text points to */
};

/* ---- fields ---- */

enum traceql_scope {
    TRACEQL_ANY, /* `.x`: of the span, else of its resource */
    TRACEQL_SPAN,
    TRACEQL_RESOURCE,
    TRACEQL_EVENT,
    TRACEQL_LINK,
    TRACEQL_INSTRUMENTATION,
    TRACEQL_INTRINSIC
};

enum traceql_intrinsic {
    TRACEQL_NONE,
    TRACEQL_SPAN_NAME,
    TRACEQL_SPAN_STATUS,
    TRACEQL_SPAN_STATUS_MESSAGE,
    TRACEQL_SPAN_KIND,
    TRACEQL_SPAN_DURATION,
    TRACEQL_SPAN_ID,
    TRACEQL_SPAN_PARENT_ID,
    TRACEQL_SPAN_CHILD_COUNT,
    TRACEQL_TRACE_ID,
    TRACEQL_TRACE_DURATION,
    TRACEQL_ROOT_NAME,
    TRACEQL_ROOT_SERVICE,
    TRACEQL_EVENT_NAME,
    TRACEQL_EVENT_TIME, /* since the start of the span */
    TRACEQL_LINK_TRACE_ID,
    TRACEQL_LINK_SPAN_ID,
    TRACEQL_SCOPE_NAME,
    TRACEQL_SCOPE_VERSION,
    TRACEQL_NESTED_PARENT /* -1: of a root; else above 0 */
};

struct traceql_field {
    enum traceql_scope scope;
    enum traceql_intrinsic intrinsic;
    bool of_parent;    /* `parent.x` */
    struct slice name; /* of the attribute, or of the intrinsic as it was
                          written */
};

/* The type that an intrinsic always has; TRACEQL_NIL: any. */
enum traceql_type traceql_field_type(const struct traceql_field *field);

/* Whether it is of the trace, not of the span alone. */
bool traceql_is_of_trace(const struct traceql_field *field);

/* Names for lists, one after another from 0; NULL at the end. */
const char *traceql_intrinsic_name(uint32_t number);

/* A field of a text such as `resource.service.name`, `.x`, `name`,
 * `span:kind`; false: it is none. */
bool traceql_field_parse(struct slice text, struct arena *arena,
                         struct traceql_field *field);

/* ---- trees ---- */

enum traceql_op {
    TRACEQL_OR,
    TRACEQL_AND,
    TRACEQL_EQUAL,
    TRACEQL_NOT_EQUAL,
    TRACEQL_LESS,
    TRACEQL_LESS_EQUAL,
    TRACEQL_GREATER,
    TRACEQL_GREATER_EQUAL,
    TRACEQL_MATCH,
    TRACEQL_NOT_MATCH,
    TRACEQL_ADD,
    TRACEQL_SUBTRACT,
    TRACEQL_MULTIPLY,
    TRACEQL_DIVIDE,
    TRACEQL_MODULO,
    TRACEQL_POWER,
    TRACEQL_NOT,    /* of one */
    TRACEQL_MINUS,  /* of one */
    TRACEQL_AS_TEXT /* equal as texts, whatever the type: of `tags` */
};

enum traceql_node {
    TRACEQL_LITERAL,
    TRACEQL_FIELD,
    TRACEQL_UNARY,
    TRACEQL_BINARY
};

struct traceql_expr {
    enum traceql_node node;
    enum traceql_op op;
    struct traceql_expr *left, *right; /* UNARY: left */
    struct traceql_value value;
    struct traceql_field field;
    struct regex *regex; /* of =~ and !~ */
    struct traceql_expr *next_regex;
};

/* How two sets of spans of a trace are combined. */
enum traceql_relation {
    TRACEQL_FILTER, /* no set: a filter */
    TRACEQL_BOTH,   /* && */
    TRACEQL_EITHER, /* || */
    TRACEQL_CHILD,  /* >, spans of the right whose parent is in the left */
    TRACEQL_DESCENDANT,
    TRACEQL_PARENT,
    TRACEQL_ANCESTOR,
    TRACEQL_SIBLING
};

struct traceql_set {
    enum traceql_relation relation;
    bool negated, with_left;          /* !>, &> */
    struct traceql_set *left, *right; /* not of FILTER */
    struct traceql_expr *filter;      /* NULL: all spans */
};

enum traceql_stage_kind {
    TRACEQL_STAGE_SET,
    TRACEQL_STAGE_AGGREGATE,
    TRACEQL_STAGE_BY,
    TRACEQL_STAGE_COALESCE
};

enum traceql_aggregate {
    TRACEQL_COUNT,
    TRACEQL_MIN,
    TRACEQL_MAX,
    TRACEQL_AVG,
    TRACEQL_SUM
};

struct traceql_stage {
    enum traceql_stage_kind kind;
    struct traceql_set *set;
    enum traceql_aggregate aggregate;
    struct traceql_expr *expr; /* of an aggregate, of by() */
    enum traceql_op op;
    struct traceql_value value; /* compared with an aggregate */
    struct slice text;          /* "by(kind)", "avg(duration)" */
};

struct traceql {
    struct traceql_set *first;
    struct traceql_stage *stages;
    uint32_t stage_count;
    struct traceql_field *fields; /* of filters and of select() */
    uint32_t field_count;
    struct traceql_expr *regexes;
};

/* ERR_INVALID: error says what and where. */
MUST_CHECK enum status traceql_parse(struct slice text, struct arena *arena,
                                     struct traceql *query,
                                     char error[TRACEQL_ERROR]);
/* The tree of Tempo's older parameter: a=b c="d e". */
MUST_CHECK enum status traceql_parse_tags(struct slice text,
                                          struct arena *arena,
                                          struct traceql *query,
                                          char error[TRACEQL_ERROR]);
void traceql_release(struct traceql *query);

/* ---- evaluation ---- */

/* A span with what belongs to it, or less: what is NULL is not known. */
struct traceql_subject {
    const struct span *span;
    bool whole; /* the span has events, links, a scope and its texts */
    bool attrs; /* the span has its attributes */
    const struct resource *resource;
    const struct identity *identity;
    const struct traceql_trace *trace;
    uint32_t at; /* in the trace */
};

/* All visible spans of a trace, by start. */
struct traceql_trace {
    const struct span *spans;
    const struct resource *const *resources;  /* of each span */
    const struct identity *const *identities; /* likewise */
    uint32_t *parents, *children; /* place of the parent, MAP_NONE; number */
    uint32_t count, root;
    uint64_t start_ns, end_ns;
    bool summary; /* only the root and the times are known */
};

/* Fills parents, children, root and times; false: the arena is full. */
bool traceql_trace_index(struct traceql_trace *trace, struct arena *arena);

/* The subject of a span of a whole trace. */
struct traceql_subject traceql_subject_at(const struct traceql_trace *trace,
                                          uint32_t at);

/* service.name, or what the identity calls the component. */
struct slice traceql_service(const struct resource *resource,
                             const struct identity *identity);

enum traceql_truth { TRACEQL_NO, TRACEQL_YES, TRACEQL_MAYBE };

/* NULL: YES. */
enum traceql_truth traceql_test(const struct traceql_expr *filter,
                                const struct traceql_subject *subject);

/* The value of an expression, the first of several. */
void traceql_value(const struct traceql_expr *expr,
                   const struct traceql_subject *subject,
                   struct traceql_value *value);

/* The n-th value of a field; false: there are not so many, or it is not known
 * (*known). */
bool traceql_field_value(const struct traceql_field *field,
                         const struct traceql_subject *subject, uint32_t n,
                         struct traceql_value *value, bool *known);

enum traceql_truth traceql_compare(enum traceql_op op,
                                   const struct traceql_value *a,
                                   const struct traceql_value *b,
                                   const struct regex *regex);

/* Spans of a trace that stay together. */
struct traceql_spanset {
    uint32_t *spans; /* places in the trace */
    uint32_t count;
    struct attr *attrs; /* of by() and aggregates */
    uint32_t attr_count;
};

struct traceql_result {
    struct traceql_spanset *sets;
    uint32_t count;
};

/* False: the arena is full. */
bool traceql_run(const struct traceql *query, const struct traceql_trace *trace,
                 struct arena *arena, struct traceql_result *result);

/* As an attribute, with its text in the arena; the key is the caller's. */
struct attr traceql_attr(const struct traceql_value *value,
                         struct arena *arena);

#endif
