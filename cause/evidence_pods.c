/*
 * Pods that were replaced, and processes that began again: a version, a
 * configuration or a crash, also where no event says so. As any change it
 * counts only for a component that has other evidence. Pods that come because
 * there is more to do are no change.
 */
#include "clock.h"
#include "evidence_finders.h"

/* A pod that sends nothing for so long is gone. */
static const uint64_t SILENT_NS = 120 * NS_PER_S;
/* Odds of seven to one: nodes are drained, and processes that suffer are
 * restarted, so it says less than a new version. */
static const double REPLACED_SCORE = 2;
/* After the component's own symptoms it is rather their consequence. */
static const double AFTER_WEIGHT = 0.2;
static const double HALF_AFTER_NS = 10.0 * NS_PER_MIN;

struct turnover {
    uint32_t fresh, gone, old; /* series of pods */
    uint64_t born_ns, restarted_ns;
};

static uint64_t last_ns(const struct timeseries *t)
{
    return t->count > 0 ? t->at[t->count - 1].time_ns : 0;
}

static void keep_earlier(uint64_t *first, uint64_t ns, uint64_t from_ns,
                         uint64_t end_ns)
{
    if (ns > from_ns && ns <= end_ns && (*first == 0 || ns < *first))
        *first = ns;
}

/* Of the series of a component. */
static struct turnover find_turnover(const struct timeseries *first,
                                     const struct timeseries *end,
                                     const struct rca_times *times)
{
    const struct cause_window *w = &times->period[WINDOW];
    uint64_t from = rca_changes_from(times), latest = 0;
    struct turnover found = {0, 0, 0, 0, 0};

    for (const struct timeseries *t = first; t < end; t++)
        if (last_ns(t) > latest)
            latest = last_ns(t);
    for (const struct timeseries *t = first; t < end; t++) {
        bool silent = last_ns(t) + SILENT_NS < latest;

        if (timeseries_is_occasional(t) || t->caller != NO_INDEX)
            continue;
        if (t->is_new_pod) {
            found.fresh++;
            keep_earlier(&found.born_ns, t->at[t->before].time_ns, from,
                         w->end_ns);
        } else if (t->before > 0) {
            found.gone += silent && last_ns(t) > from;
            found.old += !silent;
            keep_earlier(&found.restarted_ns, t->restarted_ns, from, w->end_ns);
        }
    }
    return found;
}

/* By the time from a change to the first symptom of the component. */
static double nearness(const struct evidence_list *list, uint64_t changed_ns)
{
    uint64_t onset = 0;

    for (uint32_t i = 0; i < list->count; i++)
        if (list->at[i].onset_ns > 0 && evidence_is_symptom(&list->at[i]) &&
            (onset == 0 || list->at[i].onset_ns < onset))
            onset = list->at[i].onset_ns;
    double gap = (double)onset - (double)changed_ns;
    if (onset > 0 && gap < -(double)NS_PER_MIN)
        return AFTER_WEIGHT;
    return onset > 0 && gap > 0 ? HALF_AFTER_NS / (HALF_AFTER_NS + gap) : 1;
}

void find_replaced_pods(struct evidence_set *evidence,
                        const struct timeseries_list *list)
{
    for (uint32_t i = 0, end; i < list->count; i = end) {
        end = timeseries_end(list, i);
        struct turnover found =
            find_turnover(&list->at[i], &list->at[end], evidence->times);
        bool replaced = found.fresh > 0 && found.gone > 0 && found.born_ns > 0;
        struct cause_evidence e = {
            .kind = EVIDENCE_CHANGE,
            .class = "change",
            .score = REPLACED_SCORE,
            .peer = NO_INDEX,
            .onset_ns = replaced ? found.born_ns : found.restarted_ns,
            .text = !replaced        ? SLICE("the process restarted")
                    : found.old == 0 ? SLICE("all pods were replaced")
                                     : SLICE("pods were replaced")};

        if (e.onset_ns == 0)
            continue;
        e.score *= nearness(&evidence->of[list->at[i].component], e.onset_ns);
        evidence_add(evidence, list->at[i].component, &e);
    }
}
