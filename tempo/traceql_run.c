/*
 * A query over one trace: the first set makes one spanset of it, and each stage
 * keeps, splits or merges the spansets.
 */
#include <math.h>
#include <stdio.h>

#include "traceql_sets.h"

enum { MAX_GROUPS = 1000 }; /* of by(); what comes after joins the last one */

struct run {
    const struct traceql_trace *trace;
    struct arena *arena;
    struct traceql_result *result;
};

static bool new_set(struct run *run, const bool *marks)
{
    struct traceql_spanset *set = run->result->sets;

    set->spans = arena_zero(run->arena, run->trace->count, sizeof(uint32_t));
    for (uint32_t i = 0; set->spans && i < run->trace->count; i++)
        if (marks[i])
            set->spans[set->count++] = i;
    run->result->count = set->count > 0;
    return set->spans;
}

static void keep_marked(struct traceql_spanset *set, const bool *marks)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < set->count; i++)
        if (marks[set->spans[i]])
            set->spans[count++] = set->spans[i];
    set->count = count;
}

static void drop_empty(struct traceql_result *result)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < result->count; i++)
        if (result->sets[i].count > 0)
            result->sets[count++] = result->sets[i];
    result->count = count;
}

static bool filter_stage(struct run *run, const struct traceql_stage *stage)
{
    bool *marks = traceql_marks(stage->set, run->trace, run->arena);

    for (uint32_t i = 0; marks && i < run->result->count; i++)
        keep_marked(&run->result->sets[i], marks);
    drop_empty(run->result);
    return marks;
}

/* ---- attributes of a spanset ---- */

static struct slice print(struct arena *arena, const char *format, double d)
{
    char text[48];
    int len;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    len = snprintf(text, sizeof(text), format, d);
#pragma GCC diagnostic pop
    return arena_copy(arena, (struct slice){text, (size_t)len});
}

/* As Go writes durations, roughly: 1.5s, 20ms. */
static struct slice print_duration(struct arena *arena, double ns)
{
    double size = fabs(ns);

    return size >= 1e9   ? print(arena, "%.9gs", ns / 1e9)
           : size >= 1e6 ? print(arena, "%.6gms", ns / 1e6)
           : size >= 1e3 ? print(arena, "%.6gus", ns / 1e3)
                         : print(arena, "%.0fns", ns);
}

static struct slice word_of(const struct traceql_value *value)
{
    static const char *const status[] = {"unset", "ok", "error"};
    static const char *const kinds[] = {"unspecified", "internal", "server",
                                        "client",      "producer", "consumer"};

    if (value->type == TRACEQL_STATUS && value->i >= 0 && value->i < 3)
        return slice_of(status[value->i]);
    if (value->type == TRACEQL_KIND && value->i >= 0 && value->i < 6)
        return slice_of(kinds[value->i]);
    return SLICE("nil");
}

struct attr traceql_attr(const struct traceql_value *value, struct arena *arena)
{
    struct attr attr = {.type = VALUE_STRING};
    struct slice text;

    switch (value->type) {
    case TRACEQL_INT:
        return (struct attr){.type = VALUE_INT, .i = value->i};
    case TRACEQL_FLOAT:
        return (struct attr){.type = VALUE_DOUBLE, .d = value->d};
    case TRACEQL_BOOL:
        return (struct attr){.type = VALUE_BOOL, .b = value->b};
    case TRACEQL_STRING:
        text = arena_copy(arena, value->text);
        break;
    case TRACEQL_DURATION:
        text = print_duration(arena, (double)value->i);
        break;
    default:
        text = word_of(value);
        break;
    }
    attr.str = text.ptr;
    attr.len = (uint32_t)text.len;
    return attr;
}

static bool add_attr(struct run *run, struct traceql_spanset *set,
                     const struct traceql_stage *stage,
                     const struct traceql_value *value)
{
    struct attr *attrs =
        arena_zero(run->arena, set->attr_count + 1, sizeof(*attrs));

    if (!attrs)
        return false;
    if (set->attr_count > 0)
        memcpy(attrs, set->attrs, set->attr_count * sizeof(*attrs));
    attrs[set->attr_count] = traceql_attr(value, run->arena);
    attrs[set->attr_count].key = stage->text.ptr;
    attrs[set->attr_count].key_len = (uint16_t)stage->text.len;
    set->attrs = attrs;
    set->attr_count++;
    return true;
}

/* ---- aggregates ---- */

struct sum {
    double sum, min, max;
    uint64_t count;
    bool durations;
};

static void add_number(struct sum *sum, const struct traceql_value *value)
{
    double d = value->type == TRACEQL_FLOAT ? value->d : (double)value->i;

    if (value->type != TRACEQL_INT && value->type != TRACEQL_FLOAT &&
        value->type != TRACEQL_DURATION)
        return;
    sum->durations |= value->type == TRACEQL_DURATION;
    sum->sum += d;
    if (sum->count == 0 || d < sum->min)
        sum->min = d;
    if (sum->count++ == 0 || d > sum->max)
        sum->max = d;
}

/* NIL if there is nothing to aggregate. */
static struct traceql_value aggregate(const struct run *run,
                                      const struct traceql_stage *stage,
                                      const struct traceql_spanset *set)
{
    struct traceql_value value = {.type = TRACEQL_INT, .i = set->count};
    struct sum sum = {0};
    double d;

    if (stage->aggregate == TRACEQL_COUNT)
        return value;
    for (uint32_t i = 0; i < set->count; i++) {
        struct traceql_subject subject =
            traceql_subject_at(run->trace, set->spans[i]);

        traceql_value(stage->expr, &subject, &value);
        add_number(&sum, &value);
    }
    d = stage->aggregate == TRACEQL_MIN   ? sum.min
        : stage->aggregate == TRACEQL_MAX ? sum.max
        : stage->aggregate == TRACEQL_SUM ? sum.sum
                                          : sum.sum / (double)sum.count;
    if (sum.count == 0)
        return (struct traceql_value){.type = TRACEQL_NIL};
    if (sum.durations)
        return (struct traceql_value){.type = TRACEQL_DURATION,
                                      .i = fabs(d) < 9e18 ? (int64_t)d
                                                          : INT64_MAX};
    return (struct traceql_value){.type = TRACEQL_FLOAT, .d = d};
}

static bool aggregate_stage(struct run *run, const struct traceql_stage *stage)
{
    for (uint32_t i = 0; i < run->result->count; i++) {
        struct traceql_spanset *set = &run->result->sets[i];
        struct traceql_value value = aggregate(run, stage, set);

        if (value.type == TRACEQL_NIL ||
            traceql_compare(stage->op, &value, &stage->value, NULL) !=
                TRACEQL_YES)
            set->count = 0;
        else if (!add_attr(run, set, stage, &value))
            return false;
    }
    drop_empty(run->result);
    return true;
}

/* ---- groups ---- */

struct group {
    struct attr key;
    struct traceql_spanset set;
};

static bool same_key(const struct attr *a, const struct attr *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == VALUE_STRING)
        return slice_equal(attr_text(a), attr_text(b));
    return a->type == VALUE_BOOL ? a->b == b->b : a->i == b->i;
}

/* Splits a spanset; false: the arena is full. */
static bool split(struct run *run, const struct traceql_stage *stage,
                  const struct traceql_spanset *from, struct group *groups,
                  uint32_t *count)
{
    for (uint32_t i = 0; i < from->count; i++) {
        struct traceql_subject subject =
            traceql_subject_at(run->trace, from->spans[i]);
        struct traceql_value value;
        struct attr key;
        uint32_t at = 0;

        traceql_value(stage->expr, &subject, &value);
        key = traceql_attr(&value, run->arena);
        while (at < *count && !same_key(&groups[at].key, &key))
            at++;
        if (at == MAX_GROUPS)
            at--;
        if (at == *count) {
            groups[at] = (struct group){.key = key, .set = *from};
            groups[at].set.count = 0;
            groups[at].set.spans =
                arena_zero(run->arena, from->count, sizeof(uint32_t));
            if (!groups[at].set.spans ||
                !add_attr(run, &groups[at].set, stage, &value))
                return false;
            (*count)++;
        }
        groups[at].set.spans[groups[at].set.count++] = from->spans[i];
    }
    return true;
}

static bool by_stage(struct run *run, const struct traceql_stage *stage)
{
    struct traceql_result *result = run->result;
    struct group *groups = arena_zero(run->arena, MAX_GROUPS, sizeof(*groups));
    struct traceql_spanset *sets =
        arena_zero(run->arena, run->trace->count, sizeof(*sets));
    uint32_t made = 0;

    if (!groups || !sets)
        return false;
    for (uint32_t i = 0; i < result->count; i++) {
        uint32_t count = 0;

        if (!split(run, stage, &result->sets[i], groups, &count))
            return false;
        for (uint32_t k = 0; k < count; k++)
            sets[made++] = groups[k].set; /* none is empty, so they fit */
    }
    result->sets = sets;
    result->count = made;
    return true;
}

static bool coalesce(struct run *run)
{
    bool *marks = arena_zero(run->arena, run->trace->count, sizeof(*marks));
    struct traceql_result *result = run->result;

    if (!marks || result->count == 0)
        return marks;
    for (uint32_t i = 0; i < result->count; i++)
        for (uint32_t k = 0; k < result->sets[i].count; k++)
            marks[result->sets[i].spans[k]] = true;
    result->sets[0] = (struct traceql_spanset){0};
    return new_set(run, marks);
}

static bool run_stage(struct run *run, const struct traceql_stage *stage)
{
    switch (stage->kind) {
    case TRACEQL_STAGE_SET:
        return filter_stage(run, stage);
    case TRACEQL_STAGE_AGGREGATE:
        return aggregate_stage(run, stage);
    case TRACEQL_STAGE_BY:
        return by_stage(run, stage);
    default:
        return coalesce(run);
    }
}

bool traceql_run(const struct traceql *query, const struct traceql_trace *trace,
                 struct arena *arena, struct traceql_result *result)
{
    struct run run = {trace, arena, result};
    bool *marks = traceql_marks(query->first, trace, arena);
    bool fits;

    *result = (struct traceql_result){0};
    result->sets = arena_zero(arena, 1, sizeof(*result->sets));
    fits = marks && result->sets && new_set(&run, marks);
    for (uint32_t i = 0; fits && i < query->stage_count; i++)
        fits = run_stage(&run, &query->stages[i]);
    return fits;
}
