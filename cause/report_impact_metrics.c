#include <math.h>

#include "metric_history.h"
#include "metric_sentence.h"
#include "report_impact.h"

/* A metric that hardly differs is nothing that users see. */
static const double FELT_RISE = 0.1;

struct entry_metrics {
    struct rca_context *rca;
    double *room;
    uint32_t judged;
    double least; /* score: more than the best of so many has by chance */
    const struct timeseries *worst;
    struct deviation deviation;
    bool is_failing;
};

static bool is_users_metric(const struct timeseries *t)
{
    return t->before >= 3 &&
           (t->class == CLASS_ERRORS || t->class == CLASS_SUCCESS ||
            t->class == CLASS_LATENCY);
}

/* Failures before latency, and the larger deviation. */
static void judge(struct entry_metrics *m, const struct timeseries *t)
{
    static const struct component_load usual = {.ratio = 1};
    struct deviation d = history_deviation(
        t, &m->rca->times, t->less_is_worse ? -1 : 1, &usual, m->room);
    bool is_failing = t->class != CLASS_LATENCY;

    /* Counts of failures are what users saw, usual or not. */
    d.score = t->is_share && isfinite(history_count_score(t, &d))
                  ? history_count_score(t, &d)
                  : d.score;
    if (d.score < m->least ||
        fabs(d.now - t->median) <= FELT_RISE * fabs(t->median) ||
        (m->worst && m->is_failing && !is_failing) ||
        (m->worst && m->is_failing == is_failing &&
         d.score <= m->deviation.score))
        return;
    m->worst = t;
    m->deviation = d;
    m->is_failing = is_failing;
}

static struct slice name_of(const struct rca_context *rca, uint32_t c)
{
    return candidate_name(&rca->candidates, c);
}

/* Nobody calls anybody, as far as is known. */
static bool has_no_calls(const struct rca_context *rca)
{
    uint32_t n = rca->candidates.component_count;

    for (uint32_t c = 0; c < n && n > 1; c++)
        for (uint32_t d = 0; d < n; d++)
            if (c != d && call_graph_calls(&rca->graph, c, d))
                return false;
    return n > 1;
}

/* The entries, as far as they fit into a sentence. */
static struct slice list_entries(const struct rca_context *rca,
                                 const bool *is_entry, uint32_t *count)
{
    struct slice text = SLICE("");

    *count = 0;
    for (uint32_t c = 0; c < rca->candidates.component_count; c++)
        if (is_entry[c] && (*count)++ < 3) {
            struct slice name = name_of(rca, c);

            text = arena_format(rca->arena, "%.*s%s%.*s", SLICE_ARGS(text),
                                text.len ? ", " : "", SLICE_ARGS(name));
        }
    return text;
}

static void describe(struct rca_context *rca, const struct entry_metrics *m,
                     const bool *is_entry, bool unconnected,
                     struct cause_report *report)
{
    uint32_t entries;
    struct slice names = list_entries(rca, is_entry, &entries);
    struct cause_evidence e = {0};

    report->impact_known = m->judged > 0 && !unconnected;
    if (m->worst) {
        report->impact_at = m->worst->component;
        metric_describe(rca->arena, m->worst, m->worst->median,
                        m->deviation.now, &e);
        struct slice name = name_of(rca, report->impact_at);
        report->impact =
            arena_format(rca->arena, "%s%.*s: %.*s",
                         unconnected ? "which component users call is not "
                                       "known; the worst is "
                                     : "",
                         SLICE_ARGS(name), SLICE_ARGS(e.text));
    } else if (entries == 0 || unconnected) {
        report->impact = SLICE("impact on users is not known: no calls of "
                               "users are known");
    } else if (m->judged == 0) {
        report->impact = arena_format(
            rca->arena,
            "impact on users is not known: %.*s send%s no requests, errors or "
            "latency",
            SLICE_ARGS(names), entries == 1 ? "s" : "");
    }
}

void impact_of_metrics(struct rca_context *rca, struct cause_report *report,
                       const bool *is_caller)
{
    const struct timeseries_list *list = &rca->timeseries;
    uint32_t n = rca->candidates.component_count;
    bool unconnected = has_no_calls(rca);
    bool *is_entry =
        arena_zero(rca->arena, rca->candidates.count + 1, sizeof(*is_entry));
    struct entry_metrics m = {
        .rca = rca,
        .room = arena_alloc(rca->arena, 2 * (timeseries_longest(list) + 1) *
                                            sizeof(*m.room))};

    if (!is_entry || !m.room)
        return;
    for (uint32_t c = 0; c < n; c++)
        is_entry[c] = unconnected ||
                      (is_caller[c] &&
                       call_graph_is_entry(&rca->graph, &rca->candidates, c));
    for (uint32_t i = 0; i < list->count; i++)
        m.judged +=
            is_entry[list->at[i].component] && is_users_metric(&list->at[i]);
    m.least = CONFIDENT_SCORE + log(fmax(1, m.judged));
    for (uint32_t i = 0; i < list->count; i++)
        if (is_entry[list->at[i].component] && is_users_metric(&list->at[i]))
            judge(&m, &list->at[i]);
    describe(rca, &m, is_entry, unconnected, report);
}
