/*
 * What users see of it. Users come in at the components that no other calls;
 * of these, the operations that fail or take longer than they used to since
 * the first suspect shows something.
 */
#include <math.h>
#include <stdlib.h>

#include "clock.h"
#include "derived.h"
#include "rca_context.h"

enum { MAX_OPERATIONS = 256 };
/* Odds of twenty to one that a number did change. */
static const double SURE_NATS = 3;
static const uint64_t FLOOR_NS = 5000000; /* as in evidence_latency.c */

struct entry_point {
    struct rca_context *facts;
    uint32_t component;
    uint64_t since_ns;
    struct cause_impact *at;
    uint32_t count;
};

static struct cause_impact *impact_at(struct entry_point *entry,
                                      struct slice operation)
{
    for (uint32_t i = 0; i < entry->count; i++)
        if (slice_equal(entry->at[i].operation, operation))
            return &entry->at[i];
    if (entry->count == MAX_OPERATIONS)
        return NULL;
    entry->at[entry->count] = (struct cause_impact){
        .component = entry->component,
        .operation = arena_copy(entry->facts->arena, operation)};
    return &entry->at[entry->count++];
}

static void count_point(void *arg, const struct point *point)
{
    struct entry_point *entry = arg;
    const struct cause_window *w = entry->facts->times;
    const struct attr *a = attrs_find(&point->attrs, SLICE(DERIVED_OPERATION));
    bool errors =
        slice_equal(point->metric->name, SLICE(DERIVED_ERRORS)) ||
        slice_equal(point->metric->name, SLICE(DERIVED_RETRACTED_ERRORS));
    uint64_t sign = (uint64_t)(int64_t)derived_sign(point->metric->name);
    bool before = point->start_ns >= w[BEFORE].start_ns &&
                  point->start_ns < w[BEFORE].end_ns;
    struct cause_impact *impact;

    if (point->metric->type !=
        (errors ? METRIC_SUM : METRIC_EXP_HISTOGRAM)) /* somebody else's */
        return;
    if (!before && (point->start_ns < entry->since_ns ||
                    point->start_ns >= w[DURING].end_ns))
        return;
    impact = impact_at(entry, a ? attr_text(a) : SLICE(""));
    if (!impact)
        return;
    if (errors)
        *(before ? &impact->failed_before : &impact->failed) +=
            sign * (uint64_t)point->i;
    else
        *(before ? &impact->requests_before : &impact->requests) +=
            sign * point->histogram->count;
}

static enum status read_counts(struct entry_point *entry)
{
    static const struct slice names[] = {
        {DERIVED_DURATION, sizeof(DERIVED_DURATION) - 1},
        {DERIVED_ERRORS, sizeof(DERIVED_ERRORS) - 1},
        {DERIVED_RETRACTED_DURATION, sizeof(DERIVED_RETRACTED_DURATION) - 1},
        {DERIVED_RETRACTED_ERRORS, sizeof(DERIVED_RETRACTED_ERRORS) - 1}};
    struct rca_context *facts = entry->facts;
    struct series_query query = {
        .start_ns = facts->times[BEFORE].start_ns,
        .end_ns = facts->times[DURING].end_ns + NS_PER_MIN,
        .resources = facts_resources(facts, entry->component),
        .names = names,
        .name_count = sizeof(names) / sizeof(*names)};

    return query.resources ? reader_query_series(facts->question->reader,
                                                 &query, count_point, entry)
                           : arena_status(facts->arena);
}

/* ---- how long they take ---- */

static int by_number(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

/* Durations of an operation's requests in a half; how many. */
static uint32_t durations(const struct entry_point *entry, enum rca_period half,
                          struct slice operation, uint64_t *took)
{
    const struct trace_sample *s = &entry->facts->halves[half];
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->part_count; i++) {
        const struct rca_span *p = &s->parts[i];

        if (p->owner == i && p->component == entry->component &&
            (half == BEFORE || p->start_ns >= entry->since_ns) &&
            slice_equal(entry->facts->terms.at[p->name].text, operation))
            took[n++] = p->end_ns - p->start_ns;
    }
    return n;
}

/* Of the requests looked at a share is slow; so it is of all. */
static void judge_time(const struct entry_point *entry,
                       struct cause_impact *impact, uint64_t *took)
{
    uint32_t n1 = durations(entry, BEFORE, impact->operation, took), n2;
    double slow1 = 0, slow2 = 0;
    uint64_t limit;

    if (n1 == 0)
        return;
    qsort(took, n1, sizeof(*took), by_number);
    limit = took[(uint32_t)(0.95 * (n1 - 1))] + FLOOR_NS;
    for (uint32_t i = 0; i < n1; i++)
        slow1 += took[i] > limit;
    n2 = durations(entry, DURING, impact->operation, took);
    for (uint32_t i = 0; i < n2; i++)
        slow2 += took[i] > limit;
    if (slow2 * n1 <= slow1 * n2 || nats_of(slow1, n1, slow2, n2) < SURE_NATS)
        return;
    impact->limit_ns = limit;
    impact->slow = (uint64_t)round(slow2 / n2 * (double)impact->requests);
}

static bool fails(const struct cause_impact *i)
{
    double k1 = (double)i->failed_before, n1 = (double)i->requests_before;
    double k2 = (double)i->failed, n2 = (double)i->requests;

    return k2 * n1 > k1 * n2 && nats_of(k1, n1, k2, n2) >= SURE_NATS;
}

static int worst_first(const void *left, const void *right)
{
    const struct cause_impact *a = left, *b = right;
    uint64_t x = a->failed + a->slow, y = b->failed + b->slow;

    if (x != y)
        return x > y ? -1 : 1;
    if (a->component != b->component)
        return a->component < b->component ? -1 : 1;
    return slice_compare(a->operation, b->operation);
}

static void keep(struct entry_point *entry, struct cause_report *report,
                 uint64_t *took)
{
    struct cause_impact all[CAUSE_MAX_IMPACT + MAX_OPERATIONS];
    uint32_t n = report->impact_count;

    memcpy(all, report->impacts, n * sizeof(*all));
    for (uint32_t i = 0; i < entry->count; i++) {
        judge_time(entry, &entry->at[i], took);
        if (fails(&entry->at[i]) || entry->at[i].limit_ns > 0)
            all[n++] = entry->at[i];
    }
    if (n > 0)
        qsort(all, n, sizeof(*all), worst_first);
    report->impact_count = n < CAUSE_MAX_IMPACT ? n : CAUSE_MAX_IMPACT;
    memcpy(report->impacts, all, report->impact_count * sizeof(*all));
}

/* ---- where users come in ---- */

bool facts_is_entry(const struct rca_context *facts, uint32_t c)
{
    if (c >= facts->served_components)
        return false;
    for (uint32_t other = 0; other < facts->served_components; other++)
        if (other != c && facts_calls(facts, other, c))
            return false;
    return true;
}

static enum status look_at(struct rca_context *facts,
                           struct cause_report *report, uint32_t component,
                           uint64_t *took)
{
    uint64_t onset = report->suspects[0].onset_ns / NS_PER_MIN * NS_PER_MIN;
    struct entry_point entry = {.facts = facts,
                                .component = component,
                                .since_ns = facts->times[DURING].start_ns};
    enum status s;

    if (onset > entry.since_ns && onset < facts->times[DURING].end_ns)
        entry.since_ns = onset;
    entry.at = arena_zero(facts->arena, MAX_OPERATIONS, sizeof(*entry.at));
    if (!entry.at)
        return arena_status(facts->arena);
    s = read_counts(&entry);
    if (s == OK)
        keep(&entry, report, took);
    return s;
}

enum status impact_find(struct rca_context *facts, struct cause_report *report,
                        const uint32_t *who, uint32_t count)
{
    uint32_t room =
        1 + facts->halves[BEFORE].part_count + facts->halves[DURING].part_count;
    uint64_t *took = arena_alloc(facts->arena, room * sizeof(*took));
    enum status s = OK;

    if (!took)
        return arena_status(facts->arena);
    for (uint32_t i = 0; i < count && s == OK; i++)
        if (facts_is_entry(facts, who[i]))
            s = look_at(facts, report, who[i], took);
    return s;
}
