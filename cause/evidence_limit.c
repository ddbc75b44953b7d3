/*
 * Resources against their limits: CPU, memory, disk, pools, from metrics that
 * are a share already and from usage and limit side by side. Usage and limit
 * may come from different senders, which identify the pod by different
 * attributes.
 *
 * How far a resource usually reaches is no evidence.
 */
#include <math.h>

#include "evidence_finders.h"
#include "metric_history.h"
#include "quantile.h"

/* What a value is divided by to be a share: the limit of the same pod and
 * labels, else the largest there is; 0: there is none. The time series from
 * first to end are of one component. */
static double total_of(const struct timeseries *used,
                       const struct timeseries *first,
                       const struct timeseries *end)
{
    int best = -1;
    double total = 0;

    if (!used->limit || used->limit->role == LIMIT_TOTAL)
        return 0;
    if (used->limit->role == LIMIT_SHARE)
        return 1;
    for (const struct timeseries *t = first; t < end; t++) {
        if (!t->limit || t->limit->role != LIMIT_TOTAL || t->count == 0 ||
            t->limit->group != used->limit->group)
            continue;
        int fit =
            2 * (t->resource == used->resource) + (t->labels == used->labels);
        double value = t->at[t->count - 1].value;
        if (fit > best || (fit == best && value > total)) {
            best = fit;
            total = value;
        }
    }
    return total;
}

/* Shares of the limit. */
struct limit_usage {
    double median, spread; /* before */
    double reach;          /* how far above the median it usually goes */
    double top;            /* in the judged part of the window */
};

/* Gauges that hardly move still move by 2 % of the limit and a tenth of their
 * value: scrapes fall on busy and idle moments. */
static double spread_of(const struct timeseries *t, double total, double *room)
{
    for (uint32_t i = 0; i < t->before; i++)
        room[i] = fabs(t->at[i].value - t->median) / total;
    /* 1.4826 makes it the deviation of a normal distribution. */
    return fmax(fmax(1.4826 * quantile(room, t->before, 0.5), 0.02),
                0.1 * t->median / total);
}

static bool take_usage(const struct evidence_set *evidence,
                       const struct timeseries *t, double total,
                       struct limit_usage *u)
{
    const struct rca_times *times = evidence->times;
    double *room =
        arena_alloc(evidence->arena, (2 * t->count + 1) * sizeof(*room));
    uint32_t first = t->before, end;

    if (!room || t->before < 3)
        return false;
    while (first < t->count && t->at[first].time_ns <= times->from_ns)
        first++;
    end = first;
    while (end < t->count && t->at[end].time_ns <= times->period[WINDOW].end_ns)
        end++;
    if (end == first)
        return false;
    *u = (struct limit_usage){
        .median = t->median / total,
        .spread = spread_of(t, total, room),
        .top = history_level(t, first, end - first, 1, history_second_largest,
                             room) /
               total,
        .reach = history_usual_reach(t, end - first, 1, history_second_largest,
                                     room) /
                 total};
    return !isnan(u->top);
}

/* From here on it is at its limit: what matters is that, not the rise. */
static const double AT_LIMIT = 0.9;

/* Whole percent, unless both would read the same. */
static struct slice limit_percent(struct arena *arena, double share,
                                  double before, double now)
{
    int digits = now - before < 0.015 ? 2 : before < 0.01 ? 1 : 0;

    return arena_format(arena, "%.*f%%", digits, 100 * share);
}

static struct slice describe(struct arena *arena,
                             const struct metric_limit *limit, double before,
                             double now)
{
    struct slice was = limit_percent(arena, before, before, now);
    struct slice is = limit_percent(arena, now, before, now);
    const char *of = limit->of ? limit->of : "its limit";

    if (now >= AT_LIMIT && before < AT_LIMIT)
        return arena_format(arena, "%s at %.*s of %s, %.*s before",
                            limit->title, SLICE_ARGS(is), of, SLICE_ARGS(was));
    return arena_format(arena, "%s rose from %.*s to %.*s of %s", limit->title,
                        SLICE_ARGS(was), SLICE_ARGS(is), of);
}

static void judge(struct evidence_set *evidence, const struct timeseries *t,
                  double total)
{
    uint64_t baseline_end = evidence->times->period[BASELINE].end_ns;
    struct limit_usage u;

    if (!take_usage(evidence, t, total, &u))
        return;
    double rise = u.top - u.median;
    /* Near its limit is where a resource hurts: little below 30 %, all from
     * 70 %. */
    double near = fmin(1, fmax(0.05, (u.top - 0.3) / 0.4));
    if (rise <= u.reach)
        return;
    double z = fmin((rise - u.reach) / u.spread, 9);
    struct cause_evidence e = {
        /* A component that waits for others holds connections longer. */
        .kind = t->class == CLASS_POOL ? EVIDENCE_METRIC : EVIDENCE_RESOURCE,
        .class = t->limit->class,
        .score = z * z / 2 * near * fmin(1, rise / 0.3),
        .metric = slice_of(t->limit->name),
        .peer = NO_INDEX,
        .limit_share = u.top,
        .numbers = {100 * u.median, 100 * u.top, 0, 0, "%"},
        .timeseries = t,
        .chart_scale = 100 / total,
        .text = describe(evidence->arena, t->limit, u.median, u.top)};
    for (uint32_t i = 0; i < t->count && e.onset_ns == 0; i++)
        if (t->at[i].time_ns > baseline_end &&
            t->at[i].time_ns <= evidence->times->period[WINDOW].end_ns &&
            t->at[i].value / total > u.median + u.reach + 2 * u.spread)
            e.onset_ns = t->at[i].time_ns;
    evidence_add(evidence, t->component, &e);
}

void limits_invert(struct timeseries_list *list)
{
    for (uint32_t i = 0, end; i < list->count; i = end) {
        end = timeseries_end(list, i);
        for (uint32_t n = i; n < end; n++) {
            struct timeseries *t = &list->at[n];

            if (!t->limit || t->limit->role != LIMIT_LEFT)
                continue;
            double total = total_of(t, &list->at[i], &list->at[end]);

            if (!(total > 0)) {
                t->limit = NULL; /* it is not known */
                continue;
            }
            t->less_is_worse = false;
            for (uint32_t k = 0; k < t->count; k++)
                t->at[k].value = total - t->at[k].value;
        }
    }
}

/* Is a series of the same component judged by its share of this limit? How
 * often a container is throttled says nothing about the metrics of its CPU. */
static bool is_judged_by(const struct timeseries *other,
                         const struct timeseries *t)
{
    if (other->resource != t->resource)
        return false;
    if (other->limit && other->limit->group == t->limit->group &&
        t->limit->group > 0)
        return true;
    return other->class == t->class && !t->limit->of;
}

void find_limits(struct evidence_set *evidence, struct timeseries_list *list)
{
    for (uint32_t i = 0, end; i < list->count; i = end) {
        end = timeseries_end(list, i);
        for (uint32_t n = i; n < end; n++) {
            const struct timeseries *t = &list->at[n];
            double total = total_of(t, &list->at[i], &list->at[end]);

            if (!(total > 0))
                continue;
            judge(evidence, t, total);
            for (uint32_t k = i; k < end; k++)
                list->at[k].has_limit |= is_judged_by(&list->at[k], t);
        }
    }
}
