#include "component_flows.h"

#include <math.h>

#include "evidence.h"
#include "latency_mean.h"
#include "name_words.h"
#include "quantile.h"
#include "quantity.h"

/* More than that is more load: whether others became slower by it shows. */
static const double MORE_LOAD = 1.2;
/* So many components show how load slows. */
enum { MIN_LOADED = 3 };
/* A single component may be slowed by more than the others: it is the first to
 * have no room left. */
static const double LEAST_SLOWED = 0.5;

struct flow_meter {
    struct flow_list *flows;
    const struct timeseries_list *list;
    const struct rca_times *times;
    double *room;
};

bool name_is_of_proxy(struct slice name)
{
    char word[NAME_WORD];

    while (name_next_word(&name, word))
        if (name_word_is_in(
                " lb elb alb nlb balancer loadbalancer loadbalancing gateway "
                "gw apigw apigateway proxy ingress envoy nginx haproxy traefik "
                "sidecar ",
                word))
            return true;
    return false;
}

static struct deviation deviation_of(const struct flow_meter *m,
                                     const struct timeseries *t)
{
    static const struct component_load usual = {.ratio = 1};

    return history_deviation(t, m->times, 1, &usual, m->room);
}

/* ---- requests ---- */

/* The metric that counts most is the one. */
static void measure_requests(const struct flow_meter *m,
                             struct component_flows *f, uint32_t first,
                             uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        const struct timeseries *t = &m->list->at[i];
        double sum = 0;

        if (t->class != CLASS_TRAFFIC || t->before < 3)
            continue;
        for (uint32_t k = first; k < end; k++)
            if (m->list->at[k].class == CLASS_TRAFFIC &&
                m->list->at[k].before >= 3 && !m->list->at[k].is_new_pod &&
                m->list->at[k].sort == t->sort)
                sum += m->list->at[k].median;
        if (sum > f->requests) {
            f->requests = sum;
            f->sort = t->sort;
            f->is_rate = t->is_rate;
        }
    }
}

/* How much more than usual the series of a class count. */
static uint32_t find_ratios(const struct flow_meter *m,
                            struct component_flows *f, uint32_t first,
                            uint32_t end, enum metric_class class,
                            double *ratios)
{
    uint32_t n = 0;

    for (uint32_t i = first; i < end; i++) {
        const struct timeseries *t = &m->list->at[i];

        if (t->class != class || t->before < 3 || t->median <= 0)
            continue;
        double now = deviation_of(m, t).now;
        if (now > 0)
            ratios[n++] = now / t->median;
        if (class == CLASS_TRAFFIC)
            f->requests_now = fmax(f->requests_now, now);
    }
    return n;
}

/* A component without requests is judged by its bytes; one without either has
 * the median load of the others. */
static bool find_loads(const struct flow_meter *m, struct arena *arena)
{
    size_t size = (m->list->count + 1) * sizeof(double);
    double *ratios = arena_alloc(arena, size), *all = arena_alloc(arena, size);
    uint32_t known = 0;

    if (!ratios || !all)
        return false;
    for (uint32_t i = 0, end; i < m->list->count; i = end) {
        struct component_flows *f = &m->flows->at[m->list->at[i].component];
        uint32_t n;

        end = timeseries_end(m->list, i);
        measure_requests(m, f, i, end);
        n = find_ratios(m, f, i, end, CLASS_TRAFFIC, ratios);
        if (n == 0)
            n = find_ratios(m, f, i, end, CLASS_BYTES, ratios);
        if (n > 0)
            all[known++] = f->ratio = fmax(1, quantile(ratios, n, 0.5));
    }
    double usual = known > 0 ? quantile(all, known, 0.5) : 1;
    for (uint32_t c = 0; c < m->flows->count; c++)
        if (!(m->flows->at[c].ratio > 0))
            m->flows->at[c].ratio = usual;
    return true;
}

/* Requests that the known callers did not send are no load that they had to
 * expect. Who has no callers is called from outside. */
static void find_sent(struct flow_list *flows, const struct call_graph *graph)
{
    for (uint32_t c = 0; c < flows->count; c++) {
        double most = 0;

        for (uint32_t from = 0; from < flows->count; from++)
            if (from != c && call_graph_calls(graph, from, c))
                most = fmax(most, flows->at[from].ratio);
        flows->at[c].sent_ratio =
            most > 0 ? fmin(flows->at[c].ratio, most) : flows->at[c].ratio;
    }
}

/* ---- latency and failures ---- */

/* In what a flow is measured: as values, per request, or 0: not at all. */
static double factor_of(const struct timeseries *t, enum flow_kind kind,
                        const struct component_flows *f)
{
    if (t->before < 3 || t->waits != WAITS_AT_CALLEE)
        return 0;
    if (kind == FLOW_LATENCY)
        return t->class == CLASS_LATENCY && !t->less_is_worse
                   ? quantity_seconds(t)
                   : 0;
    if (t->class != CLASS_ERRORS && t->class != CLASS_SUCCESS)
        return 0;
    if (t->is_share)
        return 1;
    return t->class == CLASS_ERRORS && f->requests > 0 &&
                   t->is_rate == f->is_rate
               ? 1 / f->requests
               : 0;
}

/* One metric of all pods: latencies and shares are means, counts add up. */
static struct flow measure_group(const struct flow_meter *m,
                                 const struct component_flows *f,
                                 enum flow_kind kind, uint32_t at, uint32_t end)
{
    const struct timeseries *first = &m->list->at[at];
    double usual = 0, now = 0, count = 0, score = 0;
    struct flow flow = {.known = true};

    for (uint32_t i = at; i < end; i++) {
        const struct timeseries *t = &m->list->at[i];
        double factor = factor_of(t, kind, f);

        if (!(factor > 0) || t->sort != first->sort)
            continue;
        struct deviation d = deviation_of(m, t);
        if (d.end == d.first)
            continue;
        usual += factor * t->median;
        now += factor * d.now;
        count++;
        if (d.score > score) {
            score = d.score;
            flow.onset_ns = d.onset_ns;
        }
    }
    if (!(count > 0))
        return (struct flow){0};
    if (kind == FLOW_FAILURES && !first->is_share) {
        /* of more requests than usual */
        now /= f->ratio;
        count = 1;
    }
    flow.usual = usual / count;
    flow.rise = fmax(0, (now - usual) / count);
    flow.certainty = fmin(1, score / CONFIDENT_SCORE);
    return flow;
}

/* The series at i is not of a metric that was met before. */
static bool is_new_metric(const struct flow_meter *m, uint32_t first,
                          uint32_t i)
{
    for (uint32_t k = first; k < i; k++)
        if (m->list->at[k].sort == m->list->at[i].sort)
            return false;
    return true;
}

static void take_larger(struct flow *to, struct flow flow)
{
    if (flow.known && (!to->known || flow.rise > to->rise))
        *to = flow;
}

static void measure_failures(const struct flow_meter *m,
                             struct component_flows *f, uint32_t first,
                             uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        if (factor_of(&m->list->at[i], FLOW_FAILURES, f) > 0 &&
            is_new_metric(m, first, i))
            take_larger(&f->of[FLOW_FAILURES],
                        measure_group(m, f, FLOW_FAILURES, i, end));
}

static void measure_latency(const struct flow_meter *m,
                            struct component_flows *f, uint32_t first,
                            uint32_t end)
{
    struct latency_parts parts = {0};

    for (uint32_t i = first; i < end; i++)
        if (factor_of(&m->list->at[i], FLOW_LATENCY, f) > 0 &&
            is_new_metric(m, first, i))
            take_larger(latency_part(&parts, m->list->at[i].name),
                        measure_group(m, f, FLOW_LATENCY, i, end));
    f->of[FLOW_LATENCY] = latency_mean(&parts);
}

/* The median of how much slower twice the requests make. */
static double slowed_by_load(const struct flow_list *flows, double *room)
{
    uint32_t n = 0;

    for (uint32_t c = 0; c < flows->count; c++) {
        const struct component_flows *f = &flows->at[c];
        const struct flow *latency = &f->of[FLOW_LATENCY];

        if (latency->known && latency->usual > 0 && f->sent_ratio > MORE_LOAD)
            room[n++] =
                fmin(1, latency->rise / latency->usual / (f->sent_ratio - 1));
    }
    return n < MIN_LOADED ? 1 : fmax(LEAST_SLOWED, quantile(room, n, 0.5));
}

bool flows_measure(struct flow_list *flows, const struct timeseries_list *list,
                   const struct candidates *candidates,
                   const struct call_graph *graph,
                   const struct rca_times *times, struct arena *arena,
                   double *room)
{
    struct flow_meter m = {flows, list, times, room};
    double *slowed;

    *flows = (struct flow_list){.count = candidates->count};
    flows->at = arena_zero(arena, flows->count + 1, sizeof(*flows->at));
    slowed = arena_zero(arena, flows->count + 1, sizeof(*slowed));
    if (!flows->at || !slowed || !find_loads(&m, arena))
        return false;
    find_sent(flows, graph);
    for (uint32_t c = 0; c < flows->count; c++)
        flows->at[c].is_proxy = name_is_of_proxy(candidate_name(candidates, c));
    for (uint32_t i = 0, end; i < list->count; i = end) {
        struct component_flows *f = &flows->at[list->at[i].component];

        end = timeseries_end(list, i);
        measure_latency(&m, f, i, end);
        measure_failures(&m, f, i, end);
    }
    flows->slowed_by_load = slowed_by_load(flows, slowed);
    return true;
}
