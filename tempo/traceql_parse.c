/*
 * Sets of spans, how they are combined, and the stages behind |.
 */
#include <stdarg.h>
#include <stdio.h>

#include "array.h"
#include "traceql_parser.h"

/* ---- errors ---- */

bool traceql_failed(const struct traceql_parser *p)
{
    return p->error[0] != '\0';
}

void *traceql_fail(struct traceql_parser *p, size_t place, const char *format,
                   ...)
{
    va_list args;
    size_t line = 1, column = 1;
    int len;

    if (traceql_failed(p))
        return NULL;
    for (size_t i = 0; i < place && i < p->lex.text.len; i++) {
        unsigned char c = (unsigned char)p->lex.text.ptr[i];

        line += c == '\n';
        column = c == '\n' ? 1 : column + ((c & 0xc0) != 0x80);
    }
    len = snprintf(p->error, TRACEQL_ERROR,
                   "invalid TraceQL query: at line %zu, column %zu: ", line,
                   column);
    va_start(args, format);
    vsnprintf(p->error + len, TRACEQL_ERROR - (size_t)len, format, args);
    va_end(args);
    return NULL;
}

void *traceql_expected(struct traceql_parser *p, const char *what)
{
    if (p->lex.kind == LEX_ERROR)
        return traceql_fail(p, p->lex.place, "%s", p->lex.why);
    if (p->lex.kind == LEX_END)
        return traceql_fail(p, p->lex.place, "expected %s, found the end",
                            what);
    return traceql_fail(p, p->lex.place, "expected %s, found %.*s", what,
                        SLICE_ARGS(slice_truncate(p->lex.token, 40)));
}

static void *not_supported(struct traceql_parser *p, const char *what)
{
    return traceql_fail(p, p->lex.place, "%s not supported", what);
}

bool traceql_take(struct traceql_parser *p, const char *mark)
{
    if (!lex_is(&p->lex, mark))
        return false;
    lex_next(&p->lex);
    return true;
}

bool traceql_need(struct traceql_parser *p, const char *mark)
{
    if (traceql_take(p, mark))
        return true;
    traceql_expected(p, mark);
    return false;
}

bool traceql_enter(struct traceql_parser *p)
{
    if (p->depth++ < TRACEQL_MAX_DEPTH)
        return true;
    traceql_fail(p, p->lex.place, "the query is nested too deeply");
    return false;
}

/* ---- sets ---- */

static struct traceql_set *new_set(struct traceql_parser *p)
{
    struct traceql_set *set;

    if (p->nodes++ >= TRACEQL_MAX_NODES)
        return traceql_fail(p, p->lex.place, "the query is too long");
    set = arena_zero(p->lex.arena, 1, sizeof(*set));
    return set ? set
               : traceql_fail(p, p->lex.place, "it needs too much memory");
}

/* After { */
static struct traceql_set *filter(struct traceql_parser *p)
{
    struct traceql_set *set = new_set(p);
    size_t place = p->lex.place;

    if (!set || traceql_take(p, "}"))
        return set;
    set->filter = traceql_expression(p);
    if (!set->filter)
        return NULL;
    if (!traceql_is_condition(set->filter))
        return traceql_fail(p, place, "{ } needs a condition");
    return traceql_need(p, "}") ? set : NULL;
}

static const struct relation {
    const char *mark;
    enum traceql_relation relation;
    bool negated, with_left, strong;
} relations[] = {{"&&", TRACEQL_BOTH, false, false, false},
                 {"||", TRACEQL_EITHER, false, false, false},
                 {">", TRACEQL_CHILD, false, false, true},
                 {">>", TRACEQL_DESCENDANT, false, false, true},
                 {"<", TRACEQL_PARENT, false, false, true},
                 {"<<", TRACEQL_ANCESTOR, false, false, true},
                 {"~", TRACEQL_SIBLING, false, false, true},
                 {"!>", TRACEQL_CHILD, true, false, true},
                 {"!>>", TRACEQL_DESCENDANT, true, false, true},
                 {"!<", TRACEQL_PARENT, true, false, true},
                 {"!<<", TRACEQL_ANCESTOR, true, false, true},
                 {"!~", TRACEQL_SIBLING, true, false, true},
                 {"&>", TRACEQL_CHILD, false, true, true},
                 {"&>>", TRACEQL_DESCENDANT, false, true, true},
                 {"&<", TRACEQL_PARENT, false, true, true},
                 {"&<<", TRACEQL_ANCESTOR, false, true, true},
                 {"&~", TRACEQL_SIBLING, false, true, true}};

static const struct relation *relation_at(const struct traceql_parser *p)
{
    for (size_t i = 0; i < sizeof(relations) / sizeof(relations[0]); i++)
        if (lex_is(&p->lex, relations[i].mark))
            return &relations[i];
    return NULL;
}

static struct traceql_set *sets(struct traceql_parser *p, bool strong);

static struct traceql_set *one_set(struct traceql_parser *p)
{
    struct traceql_set *set = NULL;

    if (traceql_take(p, "{"))
        return filter(p);
    if (!traceql_take(p, "("))
        return traceql_expected(p, "{");
    if (traceql_enter(p))
        set = sets(p, false);
    p->depth--;
    if (set && lex_is(&p->lex, "|"))
        return not_supported(p, "a pipeline in parentheses is");
    return set && traceql_need(p, ")") ? set : NULL;
}

/* Sets joined by relations; strong: not by && and ||. */
static struct traceql_set *sets(struct traceql_parser *p, bool strong)
{
    struct traceql_set *left = strong ? one_set(p) : sets(p, true), *all;
    const struct relation *relation;

    while (left && (relation = relation_at(p)) && relation->strong == strong) {
        lex_next(&p->lex);
        all = new_set(p);
        if (!all)
            return NULL;
        all->relation = relation->relation;
        all->negated = relation->negated;
        all->with_left = relation->with_left;
        all->left = left;
        all->right = strong ? one_set(p) : sets(p, true);
        left = all->right ? all : NULL;
    }
    return left;
}

/* ---- stages ---- */

static struct traceql_stage *new_stage(struct traceql_parser *p,
                                       enum traceql_stage_kind kind)
{
    struct traceql *query = p->query;
    struct traceql_stage *stage;

    if (query->stage_count == TRACEQL_MAX_STAGES)
        return traceql_fail(p, p->lex.place, "too many stages");
    stage = &query->stages[query->stage_count++];
    stage->kind = kind;
    return stage;
}

static struct slice text_from(const struct traceql_parser *p, size_t begin,
                              size_t end)
{
    if (end > p->lex.text.len)
        end = p->lex.text.len;
    return slice_trim((struct slice){p->lex.text.ptr + begin, end - begin},
                      " \t\r\n");
}

/* After select. */
static bool read_select(struct traceql_parser *p)
{
    struct traceql_field field;

    if (!traceql_need(p, "("))
        return false;
    do {
        if ((p->lex.kind != LEX_FIELD && p->lex.kind != LEX_WORD) ||
            !traceql_field_parse(p->lex.token, p->lex.arena, &field)) {
            traceql_expected(p, "an attribute");
            return false;
        }
        traceql_show(p, &field);
        lex_next(&p->lex);
    } while (traceql_take(p, ","));
    return traceql_need(p, ")");
}

/* After by. */
static bool read_by(struct traceql_parser *p, size_t begin)
{
    struct traceql_stage *stage = new_stage(p, TRACEQL_STAGE_BY);

    if (!stage || !traceql_need(p, "("))
        return false;
    stage->expr = traceql_expression(p);
    stage->text = text_from(p, begin, p->lex.place + 1);
    return stage->expr && traceql_need(p, ")");
}

/* After the name of an aggregate. */
static bool read_aggregate(struct traceql_parser *p,
                           enum traceql_aggregate aggregate, size_t begin)
{
    struct traceql_stage *stage = new_stage(p, TRACEQL_STAGE_AGGREGATE);
    size_t place;

    if (!stage || !traceql_need(p, "("))
        return false;
    stage->aggregate = aggregate;
    place = p->lex.place;
    if (aggregate != TRACEQL_COUNT) {
        stage->expr = traceql_expression(p);
        if (stage->expr && !traceql_is_numeric(stage->expr))
            traceql_fail(p, place, "an aggregate needs a number");
        if (traceql_failed(p))
            return false;
    }
    stage->text = text_from(p, begin, p->lex.place + 1);
    if (!traceql_need(p, ")"))
        return false;
    if (!traceql_comparison(p, &stage->op)) {
        traceql_expected(p, "a comparison, as in count() > 2");
        return false;
    }
    return traceql_literal(p, &stage->value);
}

static bool read_coalesce(struct traceql_parser *p)
{
    return new_stage(p, TRACEQL_STAGE_COALESCE) && traceql_need(p, "(") &&
           traceql_need(p, ")");
}

static bool is_metric(const struct traceql_parser *p)
{
    static const char *const names[] = {"rate",
                                        "count_over_time",
                                        "min_over_time",
                                        "max_over_time",
                                        "avg_over_time",
                                        "sum_over_time",
                                        "quantile_over_time",
                                        "histogram_over_time",
                                        "compare",
                                        "topk",
                                        "bottomk"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (lex_is(&p->lex, names[i]))
            return true;
    return false;
}

/* After | */
static bool read_stage(struct traceql_parser *p)
{
    static const char *const aggregates[] = {"count", "min", "max", "avg",
                                             "sum"};
    size_t begin = p->lex.place;
    struct traceql_stage *stage;

    if (lex_is(&p->lex, "{") || lex_is(&p->lex, "(")) {
        stage = new_stage(p, TRACEQL_STAGE_SET);
        return stage && (stage->set = sets(p, false));
    }
    if (is_metric(p)) {
        not_supported(p, "metrics of traces are served by the Prometheus data "
                         "source (callboard_requests_total); this function is");
        return false;
    }
    for (int i = 0; i < 5; i++)
        if (traceql_take(p, aggregates[i]))
            return read_aggregate(p, (enum traceql_aggregate)i, begin);
    if (traceql_take(p, "select"))
        return read_select(p);
    if (traceql_take(p, "by"))
        return read_by(p, begin);
    if (traceql_take(p, "coalesce"))
        return read_coalesce(p);
    traceql_expected(p, "{, select, by, coalesce, count, min, max, avg or sum");
    return false;
}

/* with(most_recent=true): hints, which change nothing here. */
static void skip_hints(struct traceql_parser *p)
{
    if (!traceql_take(p, "with") || !traceql_need(p, "("))
        return;
    do {
        if (p->lex.kind != LEX_WORD) {
            traceql_expected(p, "the name of a hint");
            return;
        }
        lex_next(&p->lex);
        if (!traceql_need(p, "="))
            return;
        if (p->lex.kind != LEX_WORD && p->lex.kind != LEX_LITERAL) {
            traceql_expected(p, "the value of a hint");
            return;
        }
        lex_next(&p->lex);
    } while (traceql_take(p, ","));
    traceql_need(p, ")");
}

enum status traceql_parse(struct slice text, struct arena *arena,
                          struct traceql *query, char error[TRACEQL_ERROR])
{
    struct traceql_parser p = {
        .lex = {.text = text, .arena = arena}, .query = query, .error = error};

    *query = (struct traceql){0};
    error[0] = '\0';
    query->stages =
        arena_zero(arena, TRACEQL_MAX_STAGES, sizeof(*query->stages));
    if (!query->stages)
        return arena_status(arena);
    lex_next(&p.lex);
    query->first = sets(&p, false);
    while (query->first && traceql_take(&p, "|") && read_stage(&p))
        ;
    if (!traceql_failed(&p))
        skip_hints(&p);
    if (!traceql_failed(&p) && p.lex.kind != LEX_END)
        traceql_expected(&p, "| or the end");
    return traceql_failed(&p) ? ERR_INVALID : arena_status(arena);
}

void traceql_release(struct traceql *query)
{
    for (struct traceql_expr *e = query->regexes; e; e = e->next_regex) {
        regex_free(e->regex);
        e->regex = NULL;
    }
    query->regexes = NULL;
}
