/* The parser of PromQL: what it takes, what it says of the rest, and the tree
 * that it makes. */
#include "promql_texts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "arena.h"
#include "buf.h"
#include "promql_functions.h"
#include "promql_parser.h"
#include "test.h"

/* ---- a tree as text ---- */

static void show(struct buf *out, const struct promql_node *node);

static void show_shift(struct buf *out, const struct promql_shift *shift)
{
    if (shift->offset_ms != 0)
        buf_format(out, " offset %lld", (long long)shift->offset_ms);
    if (shift->at == PROMQL_AT_TIME)
        buf_format(out, " @ %lld", (long long)shift->at_ms);
    if (shift->at == PROMQL_AT_START || shift->at == PROMQL_AT_END)
        buf_format(out, " @ %s()",
                   shift->at == PROMQL_AT_START ? "start" : "end");
}

static void show_selector(struct buf *out, const struct promql_selector *s)
{
    static const char *const ops[] = {"=", "!=", "=~", "!~"};

    buf_byte(out, '{');
    for (uint32_t i = 0; i < s->matcher_count; i++)
        buf_format(out, "%s%.*s%s%.*s", i > 0 ? "," : "",
                   SLICE_ARGS(s->matchers[i].name), ops[s->matchers[i].op],
                   SLICE_ARGS(s->matchers[i].value));
    buf_byte(out, '}');
    show_shift(out, &s->shift);
}

static void show_labels(struct buf *out, const char *word,
                        const struct slice *labels, uint32_t count)
{
    buf_format(out, " %s(", word);
    for (uint32_t i = 0; i < count; i++)
        buf_format(out, "%s%.*s", i > 0 ? "," : "", SLICE_ARGS(labels[i]));
    buf_byte(out, ')');
}

static void show_aggregate(struct buf *out, const struct promql_aggregate *a)
{
    buf_format(out, "(%s", promql_aggregate_text(a->op));
    if (a->without || a->label_count > 0)
        show_labels(out, a->without ? "without" : "by", a->labels,
                    a->label_count);
    if (a->param) {
        buf_byte(out, ' ');
        show(out, a->param);
    }
    buf_byte(out, ' ');
    show(out, a->of);
    buf_byte(out, ')');
}

static void show_binary(struct buf *out, const struct promql_binary *b)
{
    buf_byte(out, '(');
    show(out, b->left);
    buf_format(out, " %s%s", promql_binary_text(b->op),
               b->returns_bool ? " bool" : "");
    if (b->on || b->label_count > 0)
        show_labels(out, b->on ? "on" : "ignoring", b->labels, b->label_count);
    if (b->cardinality == PROMQL_MANY_TO_ONE)
        show_labels(out, "group_left", b->include, b->include_count);
    if (b->cardinality == PROMQL_ONE_TO_MANY)
        show_labels(out, "group_right", b->include, b->include_count);
    buf_byte(out, ' ');
    show(out, b->right);
    buf_byte(out, ')');
}

static void show_call(struct buf *out, const struct promql_call *call)
{
    buf_format(out, "(%s", call->function->name);
    for (uint32_t i = 0; i < call->arg_count; i++) {
        buf_byte(out, ' ');
        show(out, call->args[i]);
    }
    buf_byte(out, ')');
}

static void show(struct buf *out, const struct promql_node *node)
{
    switch (node->kind) {
    case PROMQL_NUMBER:
        buf_format(out, "%.17g", node->u.number);
        break;
    case PROMQL_TEXT:
        buf_format(out, "'%.*s'", SLICE_ARGS(node->u.text));
        break;
    case PROMQL_SELECTOR:
        show_selector(out, &node->u.selector);
        break;
    case PROMQL_RANGE:
        show(out, node->u.range.selector);
        buf_format(out, "[%lld]", (long long)node->u.range.range_ms);
        break;
    case PROMQL_SUBQUERY:
        show(out, node->u.subquery.of);
        buf_format(out, "[%lld:%lld]", (long long)node->u.subquery.range_ms,
                   (long long)node->u.subquery.step_ms);
        show_shift(out, &node->u.subquery.shift);
        break;
    case PROMQL_CALL:
        show_call(out, &node->u.call);
        break;
    case PROMQL_AGGREGATE:
        show_aggregate(out, &node->u.aggregate);
        break;
    case PROMQL_BINARY:
        show_binary(out, &node->u.binary);
        break;
    case PROMQL_MINUS:
    case PROMQL_PAREN:
        buf_add(out, node->kind == PROMQL_MINUS ? SLICE("(- ") : SLICE("<"));
        show(out, node->u.inner);
        buf_byte(out, node->kind == PROMQL_MINUS ? ')' : '>');
        break;
    }
}

/* The tree, or the error without "parse error: ". */
static void parse(const char *text, struct buf *out)
{
    struct arena arena;
    const struct promql_query *query;
    struct promql_error error;
    enum status status;
    char *cut;

    arena_init(&arena, NULL, 16 << 20);
    status = promql_parse(&arena, slice_of(text), &query, &error);
    cut = strstr(error.text, "parse error: ");
    if (status == OK)
        show(out, query->root);
    else if (cut)
        buf_format(out, "%.*s%s", (int)(cut - error.text), error.text,
                   cut + strlen("parse error: "));
    else
        buf_format(out, "%s", status_text(status));
    arena_release(&arena);
}

static void check(const char *text, const char *want)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    parse(text, &out);
    if (!CHECK_TEXT(buf_slice(&out), want))
        printf("# of %s\n", text);
    buf_release(&out);
}

/* ---- */

TEST(valid_texts_are_taken)
{
    for (size_t i = 0; i < sizeof(valid) / sizeof(*valid); i++) {
        struct arena arena;
        const struct promql_query *query;
        struct promql_error error;

        arena_init(&arena, NULL, 16 << 20);
        if (!CHECK(promql_parse(&arena, slice_of(valid[i]), &query, &error) ==
                   OK))
            printf("# %s: %s\n", valid[i], error.text);
        arena_release(&arena);
    }
}

TEST(errors_are_told_in_the_words_of_prometheus)
{
    for (size_t i = 0; i < sizeof(invalid) / sizeof(*invalid); i++)
        check(invalid[i].text, invalid[i].error);
}

TEST(precedence)
{
    check("1 + 2 * 3 ^ 2", "(1 + (2 * (3 ^ 2)))");
    check("a or b and c == d + e * f ^ g",
          "({__name__=a} or ({__name__=b} and ({__name__=c} == ({__name__=d} "
          "+ ({__name__=e} * ({__name__=f} ^ {__name__=g}))))))");
    check("1 - 2 - 3", "((1 - 2) - 3)");
    check("2 ^ 3 ^ 2", "(2 ^ (3 ^ 2))");
    check("-2 ^ 2", "(- (2 ^ 2))");
    check("-2", "-2");
    check("--2", "2");
    check("2 ^ -1 * 3", "((2 ^ -1) * 3)");
    check("-a * b", "((- {__name__=a}) * {__name__=b})");
    check("+a", "{__name__=a}");
    check("8 % 3 atan2 2", "((8 % 3) atan2 2)");
    check("a unless b and c or d",
          "((({__name__=a} unless {__name__=b}) and {__name__=c}) or "
          "{__name__=d})");
    check("(1 + 2) * 3", "(<(1 + 2)> * 3)");
}

TEST(matching)
{
    check("a == bool on(x, y) group_left(z) b",
          "({__name__=a} == bool on(x,y) group_left(z) {__name__=b})");
    check("a / ignoring(x) group_right b",
          "({__name__=a} / ignoring(x) group_right() {__name__=b})");
    check("a * on() b", "({__name__=a} * on() {__name__=b})");
    check("sum by (x) (a)", "(sum by(x) {__name__=a})");
    check("sum(a) by (x)", "(sum by(x) {__name__=a})");
    check("sum(a) without ()", "(sum without() {__name__=a})");
    check("topk(3, a) without (x,)", "(topk without(x) 3 {__name__=a})");
    check("count_values(\"v\", a)", "(count_values 'v' {__name__=a})");
}

TEST(selectors_and_what_follows)
{
    check("a{b=\"c\",d!=\"e\",f=~\"g\",h!~\"i\"}",
          "{b=c,d!=e,f=~g,h!~i,__name__=a}");
    check("{\"http.requests\", \"service.name\"=\"x\"}",
          "{__name__=http.requests,service.name=x}");
    check("a[5m] offset 1h @ 10", "{__name__=a} offset 3600000 @ 10000"
                                  "[300000]");
    check("a offset -1m", "{__name__=a} offset -60000");
    check("a @ end() offset 90", "{__name__=a} offset 90000 @ end()");
    check("a @ -1.5", "{__name__=a} @ -1500");
    check("sum(a)[1h:] @ start() offset 1s",
          "(sum {__name__=a})[3600000:0] offset 1000 @ start()");
    check("rate(a[1h30m])[1d:5m]", "(rate {__name__=a}[5400000])"
                                   "[86400000:300000]");
    check("sum", "{__name__=sum}");
    check("sum{by=\"x\"} offset 5m", "{by=x,__name__=sum} offset 300000");
}

TEST(literals)
{
    check("0x1F", "31");
    check("012", "10");
    check("1_000.5", "1000.5");
    check(".5e1", "5");
    check("1e-3", "0.001");
    check("18446744073709551616", "1.8446744073709552e+19");
    check("1h30m", "5400");
    check("250ms", "0.25");
    check("-Inf", "-inf");
    check("\"a\\n\\x41\\u00e4\\101\\\"'\"", "'a\nA\xc3\xa4"
                                            "A\"''");
    check("'a\\'\"'", "'a'\"'");
    check("`a\\n`", "'a\\n'");
}

TEST(deep_expressions_are_refused)
{
    struct buf text, out;

    buf_init(&text, 1 << 20);
    buf_init(&out, 1 << 20);
    for (int i = 0; i < 100000; i++)
        buf_byte(&text, '(');
    buf_byte(&text, '\0');
    parse(text.ptr, &out);
    CHECK_TEXT(buf_slice(&out), "1:251: expression nests deeper than 250");
    buf_reset(&text);
    buf_reset(&out);
    for (int i = 0; i < 300; i++)
        buf_add(&text, SLICE("a+"));
    buf_add(&text, SLICE("a\0"));
    parse(text.ptr, &out);
    CHECK_TEXT(buf_slice(&out), "1:1: expression nests deeper than 250");
    buf_reset(&text);
    buf_reset(&out);
    for (int i = 0; i < 50000; i++)
        buf_add(&text, SLICE("-{}-1"));
    buf_byte(&text, '\0');
    parse(text.ptr, &out);
    CHECK(out.len > 0);
    buf_release(&text);
    buf_release(&out);
}

/* Whatever is cut, a message is UTF-8. */
TEST(messages_end_at_a_character)
{
    for (int shift = 0; shift < 3; shift++) {
        char text[1200] = "", message[1400] = "";
        struct arena arena;
        const struct promql_query *query;
        struct promql_error error;
        size_t len;

        memset(text, 'a', (size_t)shift);
        snprintf(message, sizeof(message), "a{b=~\"(%s", text);
        for (int i = 0; i < 300; i++)
            strcat(message, "\xc3\xa4");
        strcat(message, "\"}{");
        arena_init(&arena, NULL, 1 << 20);
        CHECK(promql_parse(&arena, slice_of(message), &query, &error) ==
              ERR_INVALID);
        len = strlen(error.text);
        CHECK(len > 0 && (signed char)error.text[len - 1] > 0);
        arena_release(&arena);
    }
    check("a{b=~\"\\\\\xc3\xa4\"}", "1:3: error parsing regexp: invalid escape "
                                    "sequence: `\\\xc3\xa4`");
}

TEST(long_texts_and_full_arenas_are_refused)
{
    struct arena arena;
    const struct promql_query *query;
    struct promql_error error;
    char *text = calloc(1, PROMQL_MAX_TEXT + 1);

    memset(text, 'a', PROMQL_MAX_TEXT + 1);
    arena_init(&arena, NULL, 1 << 20);
    CHECK(promql_parse(&arena, (struct slice){text, PROMQL_MAX_TEXT + 1},
                       &query, &error) == ERR_INVALID);
    arena_release(&arena);
    free(text);
    arena_init(&arena, NULL, 300);
    CHECK(promql_parse(&arena, SLICE("a{b=~\"c[d]\"} + sum(e)"), &query,
                       &error) == ERR_TOO_BIG);
    CHECK(!error.text[0]);
    arena_release(&arena);
}

static enum status count_matchers(void *arg,
                                  const struct promql_matcher *matchers,
                                  uint32_t count)
{
    struct buf *out = arg;

    buf_format(out, "%.*s/%u ", SLICE_ARGS(matchers[count - 1].value), count);
    return OK;
}

TEST(selectors_are_visited_in_order)
{
    struct arena arena;
    const struct promql_query *query;
    struct promql_error error;
    struct buf out;

    buf_init(&out, 1000);
    arena_init(&arena, NULL, 1 << 20);
    if (CHECK(promql_parse(&arena,
                           SLICE("sum(rate(a{x=\"y\"}[5m])) / (b - "
                                 "max_over_time((-c)[5m:1m]))"),
                           &query, &error) == OK)) {
        CHECK(promql_selectors(query, count_matchers, &out) == OK);
        CHECK_TEXT(buf_slice(&out), "a/2 b/1 c/1 ");
        CHECK_EQ(promql_type(query), PROMQL_VECTOR);
    }
    arena_release(&arena);
    buf_release(&out);
}
