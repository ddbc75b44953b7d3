/*
 * Resources against their limits: a pod's CPU, memory, disk, pool, from
 * metrics that are a share already and from usage and limit side by side.
 */
#include <math.h>
#include <stdlib.h>

#include "clock.h"
#include "facts.h"
#include "hash.h"

/* Metrics of half an hour before tell what is usual better than those of a
 * short baseline, and cost a point a minute. */
enum { HISTORY_MIN = 30 };
#define MAX_STEP_NS (2 * NS_PER_MIN) /* of scrapes */

enum role { SHARE, USED, LIMIT, FREE };

struct source {
    const char *name, *class, *shown;
    uint8_t role, group; /* USED and LIMIT of one group belong together */
};

static const struct source sources[] = {
    {"k8s.pod.cpu_limit_utilization", "cpu", "CPU", SHARE, 0},
    {"k8s.pod.memory_limit_utilization", "memory", "memory", SHARE, 1},
    {"k8s.container.cpu_limit_utilization", "cpu", "CPU", SHARE, 0},
    {"k8s.container.memory_limit_utilization", "memory", "memory", SHARE, 1},
    {"container.cpu.usage", "cpu", "CPU", USED, 2},
    {"k8s.container.cpu_limit", "cpu", "CPU", LIMIT, 2},
    {"container.memory.working_set", "memory", "memory", USED, 3},
    {"k8s.container.memory_limit", "memory", "memory", LIMIT, 3},
};
enum { SOURCES = sizeof(sources) / sizeof(sources[0]) };

static int find_source(struct slice name)
{
    for (int i = 0; i < SOURCES; i++)
        if (slice_equal(name, slice_of(sources[i].name)))
            return i;
    return -1;
}

static uint64_t gauge_key(uint32_t component, uint32_t metric,
                          uint64_t instance)
{
    return hash_mix(instance, (uint64_t)component << 32 | metric);
}

static const struct gauge *find_gauge(const struct facts *facts,
                                      uint32_t component, uint32_t metric,
                                      uint64_t instance)
{
    uint32_t number =
        terms_find(&facts->gauge_keys, gauge_key(component, metric, instance));

    return number == NOBODY ? NULL : &facts->gauges[number];
}

static struct gauge *gauge_at(struct facts *facts, uint32_t component,
                              uint32_t metric, uint64_t instance)
{
    uint64_t key = gauge_key(component, metric, instance);
    struct gauge *gauges;
    uint32_t number = terms_add(&facts->gauge_keys, key, (struct slice){0},
                                (struct slice){0}, false);

    if (number == NOBODY)
        facts->full = true;
    if (number < facts->gauge_count)
        return &facts->gauges[number];
    if (number == NOBODY)
        return NULL;
    gauges = facts_more(facts, facts->gauges, facts->gauge_count,
                        &facts->gauge_room, sizeof(*gauges));
    if (!gauges)
        return NULL;
    facts->gauges = gauges;
    gauges[facts->gauge_count] = (struct gauge){
        .component = component, .metric = metric, .instance = instance};
    return &gauges[facts->gauge_count++];
}

static void read_point(void *arg, const struct point *point)
{
    struct facts *facts = arg;
    int metric = find_source(point->metric->name);
    uint32_t component = facts_component(facts, point->resource_id);
    struct gauge *gauge;

    if (metric < 0 || component == NOBODY || point->flags & POINT_NO_VALUE ||
        point->metric->type > METRIC_SUM)
        return;
    gauge = gauge_at(facts, component, (uint32_t)metric, point->resource_id);
    if (!gauge)
        return;
    struct reading *at =
        facts_more(facts, gauge->at, gauge->count, &gauge->room, sizeof(*at));
    if (!at)
        return;
    gauge->at = at;
    at[gauge->count++] = (struct reading){
        point->time_ns, point->is_int ? (double)point->i : point->d};
}

static enum status read_gauges(struct facts *facts)
{
    struct slice names[SOURCES];
    struct series_query query = {.start_ns = facts->times[BEFORE].start_ns,
                                 .end_ns =
                                     facts->times[DURING].end_ns + MAX_STEP_NS,
                                 .resources = facts->resources,
                                 .names = names,
                                 .name_count = SOURCES};
    uint64_t history = HISTORY_MIN * NS_PER_MIN;
    uint64_t end = facts->times[BEFORE].end_ns;

    for (int i = 0; i < SOURCES; i++)
        names[i] = slice_of(sources[i].name);
    if (end > history && end - history < query.start_ns)
        query.start_ns = end - history;
    return reader_query_series(facts->question->reader, &query, read_point,
                               facts);
}

static int by_time(const void *left, const void *right)
{
    const struct reading *a = left, *b = right;

    return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

/* A reading tells of the time since the one before: it is put in the middle of
 * that. */
static void to_middle(struct gauge *gauge)
{
    uint64_t step = UINT64_MAX;

    for (uint32_t i = 1; i < gauge->count; i++)
        if (gauge->at[i].time_ns - gauge->at[i - 1].time_ns < step)
            step = gauge->at[i].time_ns - gauge->at[i - 1].time_ns;
    if (step > MAX_STEP_NS)
        step = MAX_STEP_NS;
    for (uint32_t i = 0; i < gauge->count && gauge->count > 1; i++)
        gauge->at[i].time_ns -= step / 2;
}

/* USED becomes a share of the LIMIT of the same pod; what has none stays out.
 */
static bool as_share(struct facts *facts, struct gauge *gauge)
{
    const struct source *source = &sources[gauge->metric];
    const struct gauge *limit = NULL;

    if (source->role == SHARE)
        return true;
    if (source->role != USED)
        return false;
    for (uint32_t m = 0; m < SOURCES && !limit; m++)
        if (sources[m].role == LIMIT && sources[m].group == source->group)
            limit = find_gauge(facts, gauge->component, m, gauge->instance);
    if (!limit || !(limit->at[limit->count - 1].value > 0))
        return false;
    for (uint32_t i = 0; i < gauge->count; i++)
        gauge->at[i].value /= limit->at[limit->count - 1].value;
    return true;
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static double median(double *values, uint32_t count)
{
    qsort(values, count, sizeof(*values), by_value);
    return count % 2 ? values[count / 2]
                     : (values[count / 2 - 1] + values[count / 2]) / 2;
}

struct usual {
    double mid, spread;
};

static struct usual usual_of(double *values, uint32_t count)
{
    struct usual u = {.mid = median(values, count)};

    for (uint32_t i = 0; i < count; i++)
        values[i] = fabs(values[i] - u.mid);
    /* 1.4826: what makes it the deviation of a normal distribution. Gauges
     * that hardly move still move by 2 % of the limit and a tenth of their
     * value: scrapes fall on busy and idle moments. */
    u.spread = fmax(fmax(1.4826 * median(values, count), 0.02), 0.1 * u.mid);
    return u;
}

static void judge(struct facts *facts, const struct gauge *g)
{
    double *before = arena_alloc(facts->arena, (g->count + 1) * sizeof(double));
    double *during = arena_alloc(facts->arena, (g->count + 1) * sizeof(double));
    uint32_t n = 0, m = 0;
    const struct source *source = &sources[g->metric];

    if (!before || !during) {
        facts->full = true;
        return;
    }
    for (uint32_t i = 0; i < g->count; i++) {
        uint64_t t = g->at[i].time_ns;

        if (t <= facts->times[BEFORE].end_ns)
            before[n++] = g->at[i].value;
        else if (t > facts->from_ns && t <= facts->times[DURING].end_ns)
            during[m++] = g->at[i].value;
    }
    if (n < 3 || m == 0)
        return;
    struct usual usual = usual_of(before, n);
    qsort(during, m, sizeof(*during), by_value);
    double top = m >= 3 ? during[m - 2] : during[m - 1]; /* one spike is none */
    double rise = top - usual.mid;
    /* Near its limit is where a resource hurts: little below 30 %, all from
     * 70 %. */
    double near = fmin(1, fmax(0.05, (top - 0.3) / 0.4));
    if (rise <= 0)
        return;
    double z = fmin(rise / usual.spread, 9);
    struct cause_evidence e = {
        .kind = CAUSE_RESOURCE,
        .class = source->class,
        .nats = z * z / 2 * near * fmin(1, rise / 0.3),
        .metric = slice_of(source->name),
        .peer = NOBODY,
        .numbers = {usual.mid, top, 0, 0, "1"},
        .text = facts_text(facts, "%s rose from %.0f%% to %.0f%% of its limit",
                           source->shown, 100 * usual.mid, 100 * top)};
    for (uint32_t i = 0; i < g->count && e.onset_ns == 0; i++)
        if (g->at[i].time_ns > facts->times[BEFORE].end_ns &&
            g->at[i].value > usual.mid + 2 * usual.spread)
            e.onset_ns = g->at[i].time_ns;
    evidence_add(facts, g->component, &e);
}

enum status limits_read(struct facts *facts)
{
    enum status s = read_gauges(facts);

    if (s != OK)
        return s;
    for (uint32_t i = 0; i < facts->gauge_count; i++)
        qsort(facts->gauges[i].at, facts->gauges[i].count,
              sizeof(struct reading), by_time);
    for (uint32_t i = 0; i < facts->gauge_count; i++)
        to_middle(&facts->gauges[i]);
    for (uint32_t i = 0; i < facts->gauge_count; i++)
        facts->gauges[i].is_share = as_share(facts, &facts->gauges[i]);
    return arena_status(facts->arena);
}

bool limits_find(struct facts *facts)
{
    for (uint32_t i = 0; i < facts->gauge_count; i++)
        if (facts->gauges[i].is_share)
            judge(facts, &facts->gauges[i]);
    return !facts->full;
}
