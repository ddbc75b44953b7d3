/*
 * Pods of one component show the same thing: of each metric the pod is listed
 * that shows it most, or the other evidence would not be seen.
 */
#include "evidence.h"
#include "timeseries.h"

/* Of logs and of the sums of counts there is one series each. */
static bool is_of_pod(const struct cause_evidence *e)
{
    return e->timeseries && e->timeseries->family != 0;
}

static bool is_same_metric(const struct cause_evidence *a,
                           const struct cause_evidence *b)
{
    return is_of_pod(a) && is_of_pod(b) && a->is_anomaly == b->is_anomaly &&
           a->timeseries->family == b->timeseries->family;
}

static void tell_new_pods(struct arena *arena, struct cause_evidence *e,
                          uint32_t pods)
{
    if (is_of_pod(e) && e->timeseries->is_new_pod &&
        e->timeseries->caller == NO_INDEX)
        e->text = arena_format(arena, "%.*s, in %s", SLICE_ARGS(e->text),
                               pods > 1 ? "new pods" : "a new pod");
}

/* More metrics of one component are not listed. */
enum { MAX_METRICS = 4 * CAUSE_MAX_EVIDENCE };

void evidence_join_pods(struct evidence_list *list, struct arena *arena)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < list->count && kept < MAX_METRICS; i++) {
        bool known = false;
        uint32_t pods = 0;

        for (uint32_t k = 0; k < kept && !known; k++)
            known = is_same_metric(&list->at[k], &list->at[i]);
        if (known)
            continue;
        for (uint32_t k = i; k < list->count; k++)
            pods += is_same_metric(&list->at[i], &list->at[k]) &&
                    list->at[k].timeseries->is_new_pod;
        list->at[kept] = list->at[i];
        tell_new_pods(arena, &list->at[kept++], pods);
    }
    list->count = kept;
}
