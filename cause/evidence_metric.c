/*
 * Metric anomalies: metrics that are far from their history. They count where
 * there is no better evidence; without traces there is no other.
 *
 * The resources that a component uses (CPU, memory, disk) are its own; the
 * symptoms that its callers see (latency, errors) may come from its callees. So
 * a resource counts if there are symptoms, and load alone is no cause: more
 * requests may cost more in proportion.
 */
#include <math.h>

#include "evidence_finders.h"
#include "metric_history.h"
#include "metric_sentence.h"
#include "quantile.h"

/* Of metrics of which a rise may be good or bad, or due to others. */
static const double UNKNOWN_WEIGHT = 0.25;
/* A score that chance explains still orders suspects, at this weight. */
static const double BELOW_CHANCE = 0.1;
/* Requests to other components are counted, and none to this one. */
static const double UNUSED_WEIGHT = 0.1;
static const double HALF_WEIGHT = 0.5;

/* Classes without a row are not judged. */
/* clang-format off */
static const struct {
    const char *class;
    uint8_t kind;
    bool is_symptom; /* callers notice it */
    double weight;
} rules[METRIC_CLASSES] = {
    [CLASS_UNKNOWN]    = {"metric", EVIDENCE_METRIC, false, UNKNOWN_WEIGHT},
    [CLASS_CPU]        = {"cpu", EVIDENCE_RESOURCE, false, 1},
    [CLASS_MEMORY]     = {"memory", EVIDENCE_RESOURCE, false, 1},
    [CLASS_DISK]       = {"disk", EVIDENCE_RESOURCE, false, 1},
    [CLASS_RESTART]    = {"restart", EVIDENCE_RESOURCE, false, 1},
    [CLASS_DROPS]      = {"network", EVIDENCE_NETWORK, false, 1},
    [CLASS_POOL]       = {"pool", EVIDENCE_METRIC, false, 1},
    [CLASS_QUEUE]      = {"queue", EVIDENCE_METRIC, false, 1},
    [CLASS_CALLS]      = {"calls", EVIDENCE_METRIC, false, UNKNOWN_WEIGHT},
    [CLASS_LATENCY]    = {"latency", EVIDENCE_LATENCY, true, 1},
    [CLASS_ERRORS]     = {"errors", EVIDENCE_ERRORS, true, 1},
    [CLASS_SUCCESS]    = {"errors", EVIDENCE_ERRORS, true, 1},
    [CLASS_ERROR_LOGS] = {"errors", EVIDENCE_ERRORS, true, 1},
};
/* clang-format on */

struct component_state {
    double symptom_score; /* the strongest that others notice */
    bool has_symptoms;    /* something that others would notice is measured */
};

struct metric_judge {
    struct evidence_set *evidence;
    const struct timeseries_list *list;
    const struct red_counts *red;
    const struct flow_list *flows;
    struct component_state *components;
    uint32_t candidates;
    bool requests_seen; /* of any component */
    double *room;
};

static bool is_resource(const struct timeseries *t)
{
    return rules[t->class].kind == EVIDENCE_RESOURCE;
}

/* The candidate that a series tells something about. */
static uint32_t about(const struct timeseries *t)
{
    return t->waits == WAITS_AT_CALLER ? t->caller : t->component;
}

/* Of calls. */
static uint32_t other_end(const struct timeseries *t)
{
    return t->waits == WAITS_AT_CALLER ? t->component : t->caller;
}

/* What of the load excuses the values of a metric: twice the failures of twice
 * the requests are none the more, wherever the requests come from; more time or
 * CPU is excused for requests that had to be expected, and time by as much as
 * requests slow the components. */
static struct component_load load_of(const struct metric_judge *j,
                                     const struct timeseries *t)
{
    const struct component_flows *f = &j->flows->at[about(t)];
    struct component_load load = {f->sent_ratio, f->requests_now};

    if (t->class == CLASS_ERRORS || t->class == CLASS_ERROR_LOGS)
        load.ratio = f->ratio;
    if (t->class == CLASS_LATENCY)
        load.ratio = 1 + j->flows->slowed_by_load * (f->sent_ratio - 1);
    return load;
}

/* ---- evidence ---- */

static void add_evidence(const struct metric_judge *j,
                         const struct timeseries *t, const struct deviation *d,
                         double score)
{
    struct arena *arena = j->evidence->arena;
    struct evidence_list *list = &j->evidence->of[about(t)];
    bool is_log = t->class == CLASS_ERROR_LOGS;
    bool between = t->waits == WAITS_BETWEEN;
    struct cause_evidence e = {
        .kind = between ? EVIDENCE_NETWORK : rules[t->class].kind,
        .class = between ? "network" : rules[t->class].class,
        .score = score,
        .metric = is_log ? SLICE("") : t->name,
        .template = is_log ? t->name : SLICE(""),
        .peer = other_end(t),
        .timeseries = t,
        .is_anomaly = true,
        .onset_ns = d->onset_ns};

    metric_describe(arena, t, t->median, d->now, &e);
    evidence_add(j->evidence, about(t), &e);
    list->anomaly = fmax(list->anomaly, d->score);
}

/* Of failures: what part of all requests they are, by the part that counts
 * whole. */
static double felt_part(const struct timeseries *t, const struct deviation *d,
                        const struct component_load *load)
{
    double rise = fabs(d->now - t->median);

    if (t->is_share)
        return fmin(1, rise / FELT_SHARE);
    if (t->class != CLASS_ERRORS || !(load->requests > 0))
        return 1;
    return fmin(1, rise / load->requests / FELT_SHARE);
}

static double weight_of(const struct metric_judge *j,
                        const struct timeseries *t)
{
    const struct component_state *c = &j->components[about(t)];
    double suffering = fmin(1, c->symptom_score / CONFIDENT_SCORE);
    /* A network counts twice as much as a latency. */
    double weight =
        t->waits == WAITS_BETWEEN ? HALF_WEIGHT : rules[t->class].weight;

    if (!is_resource(t))
        return weight * (j->requests_seen ? UNUSED_WEIGHT : 1);
    if (j->requests_seen)
        return red_any_served(j->red, t->component) ? suffering : UNUSED_WEIGHT;
    return c->has_symptoms ? (1 + suffering) / 2 : 1;
}

static void judge(struct metric_judge *j, const struct timeseries *t)
{
    struct component_state *c = &j->components[about(t)];
    struct component_load load = load_of(j, t);
    struct deviation d = history_deviation(
        t, j->evidence->times, t->less_is_worse ? -1 : 1, &load, j->room);

    if (t->class == CLASS_UNKNOWN) {
        struct deviation less =
            history_deviation(t, j->evidence->times, -1, &load, j->room);

        if (less.score > d.score)
            d = less;
    }
    if (t->class == CLASS_ERROR_LOGS)
        d.score = history_log_score(t, &d, load.ratio, j->room);
    else
        d.score =
            fmin(d.score, history_count_score(t, &d)) * felt_part(t, &d, &load);
    double score = fmax(BELOW_CHANCE * d.score, d.score - j->evidence->chance);
    if (d.score > 0)
        add_evidence(j, t, &d, score * weight_of(j, t));
    if (rules[t->class].is_symptom) {
        c->has_symptoms = true;
        c->symptom_score = fmax(c->symptom_score, d.score);
    }
}

/* Where there are requests, they show latency and errors exactly, and limits
 * how much of a resource is too much. */
static bool is_judged(const struct metric_judge *j, const struct timeseries *t)
{
    if (t->before < 3 || !rules[t->class].class)
        return false;
    return !red_any_served(j->red, about(t)) ||
           (is_resource(t) && !t->has_limit);
}

static bool find_states(struct metric_judge *j)
{
    j->components = arena_zero(j->evidence->arena, j->candidates + 1,
                               sizeof(*j->components));
    if (!j->components)
        return false;
    for (uint32_t c = 0; c < j->candidates; c++) {
        struct evidence_list *list = &j->evidence->of[c];
        double *symptom = &j->components[c].symptom_score;

        j->requests_seen = j->requests_seen || red_any_served(j->red, c);
        for (int kind = 0; kind < EVIDENCE_KINDS; kind++)
            if (kind != EVIDENCE_RESOURCE)
                *symptom = fmax(*symptom, list->best[kind]);
    }
    return true;
}

/* True, too, if nothing is measured that callers would notice. */
static bool is_anybody_suffering(const struct metric_judge *j)
{
    bool has_symptoms = j->requests_seen, suffering = false;

    for (uint32_t c = 0; c < j->candidates; c++) {
        has_symptoms = has_symptoms || j->components[c].has_symptoms;
        suffering = suffering || j->components[c].symptom_score >=
                                     CONFIDENT_SCORE + j->evidence->chance;
    }
    return suffering || !has_symptoms;
}

void find_metric_anomalies(struct evidence_set *evidence,
                           const struct timeseries_list *list,
                           const struct flow_list *flows,
                           const struct red_counts *red, double *room)
{
    struct metric_judge j = {.evidence = evidence,
                             .list = list,
                             .flows = flows,
                             .red = red,
                             .candidates = flows->count,
                             .room = room};
    uint32_t judged = 0;

    for (uint32_t i = 0; i < list->count; i++)
        judged += is_judged(&j, &list->at[i]);
    /* Of so many numbers one is as far off by chance. */
    evidence->chance = log(fmax(1, judged));
    if (!find_states(&j))
        return;
    for (int resources = 0; resources <= 1; resources++) /* symptoms first */
        for (uint32_t i = 0; i < list->count; i++)
            if (is_resource(&list->at[i]) == resources &&
                is_judged(&j, &list->at[i]))
                judge(&j, &list->at[i]);
    evidence->suffering = is_anybody_suffering(&j);
}
