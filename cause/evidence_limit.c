/*
 * Resources against their limits: CPU, memory, disk, pools, from metrics that
 * are a share already and from usage and limit side by side. Usage and limit
 * may come from different senders, who know the pod by different attributes.
 */
#include <math.h>
#include <stdlib.h>

#include "timeseries.h"

enum tells { SHARE, USED, LIMIT };

struct limit_metric {
    const char *name, *class, *shown;
    uint8_t role, group; /* USED and LIMIT of one group belong together */
};

/* clang-format off */
static const struct limit_metric sources[] = {
    {"k8s.pod.cpu_limit_utilization", "cpu", "CPU", SHARE, 0},
    {"k8s.pod.memory_limit_utilization", "memory", "memory", SHARE, 0},
    {"k8s.container.cpu_limit_utilization", "cpu", "CPU", SHARE, 0},
    {"k8s.container.memory_limit_utilization", "memory", "memory", SHARE, 0},
    {"container.cpu.usage", "cpu", "CPU", USED, 1},
    {"k8s.container.cpu_limit", "cpu", "CPU", LIMIT, 1},
    {"container.memory.working_set", "memory", "memory", USED, 2},
    {"k8s.container.memory_limit", "memory", "memory", LIMIT, 2},
    {"jvm.memory.used", "memory", "heap", USED, 3},
    {"jvm.memory.limit", "memory", "heap", LIMIT, 3},
    {"container.filesystem.usage", "disk", "disk", USED, 4},
    {"container.filesystem.capacity", "disk", "disk", LIMIT, 4},
    {"k8s.pod.filesystem.usage", "disk", "disk", USED, 5},
    {"k8s.pod.filesystem.capacity", "disk", "disk", LIMIT, 5},
    {"system.filesystem.utilization", "disk", "disk", SHARE, 0},
    {"db.client.connection.count", "pool", "connections", USED, 6},
    {"db.client.connection.max", "pool", "connections", LIMIT, 6},
    {"db.client.connections.usage", "pool", "connections", USED, 7},
    {"db.client.connections.max", "pool", "connections", LIMIT, 7},
};
/* clang-format on */

enum { SOURCES = sizeof(sources) / sizeof(*sources) };

static const struct limit_metric *source_of(struct slice name)
{
    for (size_t i = 0; i < SOURCES; i++)
        if (slice_equal(name, slice_of(sources[i].name)))
            return &sources[i];
    return NULL;
}

bool limits_knows(struct slice name)
{
    return source_of(name);
}

const struct slice *limits_names(struct arena *arena, uint32_t *count)
{
    struct slice *names = arena_alloc(arena, SOURCES * sizeof(*names));

    *count = SOURCES;
    for (size_t i = 0; names && i < SOURCES; i++)
        names[i] = slice_of(sources[i].name);
    return names;
}

/* The meters of one component. */
struct component_series {
    struct timeseries *at;
    uint32_t count;
};

/* What a reading is divided by to be a share: the limit of the same pod and
 * labels, else the largest there is; 0: there is none. */
static double whole_of(const struct component_series *run,
                       const struct timeseries *meter)
{
    int best = -1;
    double whole = 0;

    if (meter->source->role != USED)
        return meter->source->role == SHARE;
    for (uint32_t i = 0; i < run->count; i++) {
        const struct timeseries *m = &run->at[i];

        if (!m->source || m->source->role != LIMIT || m->count == 0 ||
            m->source->group != meter->source->group)
            continue;
        int fits =
            2 * (m->resource == meter->resource) + (m->labels == meter->labels);
        double value = m->at[m->count - 1].value;
        if (fits > best || (fits == best && value > whole)) {
            best = fits;
            whole = value;
        }
    }
    return whole;
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

static void judge(struct rca_context *facts, const struct timeseries *g,
                  double whole)
{
    const struct limit_metric *source = g->source;
    double *before = arena_alloc(facts->arena, (g->count + 1) * sizeof(double));
    double *during = arena_alloc(facts->arena, (g->count + 1) * sizeof(double));
    uint32_t n = 0, m = 0;
    if (!before || !during) {
        facts->full = true;
        return;
    }
    for (uint32_t i = 0; i < g->count; i++) {
        uint64_t t = g->at[i].time_ns;

        if (t <= facts->times[BEFORE].end_ns)
            before[n++] = g->at[i].value / whole;
        else if (t > facts->from_ns && t <= facts->times[DURING].end_ns)
            during[m++] = g->at[i].value / whole;
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
        /* Who waits for others holds connections for longer. */
        .kind = g->meaning == MEANS_POOL ? EVIDENCE_METRIC : EVIDENCE_RESOURCE,
        .class = source->class,
        .nats = z * z / 2 * near * fmin(1, rise / 0.3),
        .metric = slice_of(source->name),
        .peer = NOBODY,
        .numbers = {usual.mid, top, 0, 0, "1"},
        .meter = g,
        .scale = 100 / whole,
        .text = facts_text(facts, "%s rose from %.0f%% to %.0f%% of its limit",
                           source->shown, 100 * usual.mid, 100 * top)};
    for (uint32_t i = 0; i < g->count && e.onset_ns == 0; i++)
        if (g->at[i].time_ns > facts->times[BEFORE].end_ns &&
            g->at[i].value / whole > usual.mid + 2 * usual.spread)
            e.onset_ns = g->at[i].time_ns;
    evidence_add(facts, g->component, &e);
}

static void judge_component(struct rca_context *facts,
                            const struct component_series *run)
{
    for (uint32_t i = 0; i < run->count; i++)
        run->at[i].source = source_of(run->at[i].name);
    for (uint32_t i = 0; i < run->count; i++) {
        const struct timeseries *m = &run->at[i];
        double whole = m->source ? whole_of(run, m) : 0;

        if (!(whole > 0))
            continue;
        judge(facts, m, whole);
        for (uint32_t k = 0; k < run->count; k++)
            run->at[k].limited |= run->at[k].meaning == m->meaning &&
                                  run->at[k].resource == m->resource;
    }
}

bool limits_find(struct rca_context *facts)
{
    for (uint32_t i = 0; i < facts->meter_count;) {
        struct component_series run = {&facts->meters[i], 0};

        while (i < facts->meter_count &&
               facts->meters[i].component == run.at->component) {
            run.count++;
            i++;
        }
        judge_component(facts, &run);
    }
    return !facts->full;
}
