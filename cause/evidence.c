#include "evidence.h"

#include <math.h>

#include "array.h"

/* Own time, failed requests and metrics are weaker signs: whoever shares a node
 * or waits for a lock shows the first, and all callers of a fault show the
 * second. Resources and networks do not propagate along calls. */
const struct evidence_rule evidence_kinds[EVIDENCE_KINDS] = {
    [EVIDENCE_RESOURCE] = {"resource",
                           1,
                           REACH_OWN,
                           "usage of the limit",
                           "%",
                           {"Raise the limit of ",
                            ", add replicas, or find what uses so much"}},
    [EVIDENCE_NETWORK] = {"network",
                          1,
                          REACH_OWN,
                          "time in transit, median",
                          "ms",
                          {"Check the network and the node of ",
                           ": calls are delayed in transit"}},
    [EVIDENCE_BEHAVIOUR] = {"behaviour",
                            1,
                            REACH_CALLERS,
                            "requests with this event",
                            "%",
                            {"Check the code of ",
                             " in the named operation, and its latest "
                             "changes"}},
    [EVIDENCE_LATENCY] = {"latency",
                          0.5,
                          REACH_CALLERS,
                          "own time, median",
                          "ms",
                          {"Profile ", ", and check what it waits for"}},
    [EVIDENCE_ERRORS] = {"errors",
                         0.5,
                         REACH_CALLERS,
                         "requests that fail",
                         "%",
                         {"Check the failed requests of ", ""}},
    [EVIDENCE_SILENCE] = {"silence",
                          1,
                          REACH_OWN,
                          "calls without an answer",
                          "%",
                          {"Check whether the pods of ",
                           " are running and ready"}},
    [EVIDENCE_AVAILABILITY] = {"availability",
                               1,
                               REACH_DOWN,
                               NULL,
                               NULL,
                               {"Check why the pods of ",
                                " do not run or are not ready"}},
    [EVIDENCE_METRIC] = {"metric",
                         0.5,
                         REACH_CALLERS,
                         "usage of the limit",
                         "%",
                         {"Check what ", " waits for, and what waits for it"}},
    [EVIDENCE_CHANGE] = {"change",
                         1,
                         REACH_SUPPORT,
                         NULL,
                         NULL,
                         {"Consider rolling back the change of ", ""}},
};

/* Beyond this more of the same is no more certain: 40 are odds of 10^17, and a
 * busy component must not win by its number of requests alone. */
static const double MAX_SCORE = 40;

static double log_likelihood(double k, double n, double share)
{
    return k * log(share) + (n - k) * log(1 - share);
}

double proportion_score(double k1, double n1, double k2, double n2)
{
    double share = (k1 + k2 + 0.5) / (n1 + n2 + 1);

    k1 += 0.5;
    n1 += 1;
    k2 += 0.5;
    n2 += 1;
    double two =
        log_likelihood(k1, n1, k1 / n1) + log_likelihood(k2, n2, k2 / n2);
    return fmax(0, two - log_likelihood(k1 + k2 - 0.5, n1 + n2 - 1, share));
}

double certain_score(double score)
{
    return MAX_SCORE * (1 - exp(-score / MAX_SCORE));
}

void evidence_add(struct evidence_set *set, uint32_t candidate,
                  const struct cause_evidence *evidence)
{
    struct evidence_list *list;
    struct cause_evidence *at;

    if (candidate == NO_INDEX || !(evidence->score > MIN_SCORE))
        return;
    list = &set->of[candidate];
    at = arena_append(set->arena, &list->at, list->count, &list->room);
    if (!at)
        return;
    *at = *evidence;
    at->score = certain_score(evidence->score);
    if (at->score > list->best[evidence->kind])
        list->best[evidence->kind] = at->score;
    list->count++;
}

const char *evidence_kind_name(enum evidence_kind kind)
{
    return evidence_kinds[kind].name;
}

struct evidence_advice evidence_kind_advice(enum evidence_kind kind)
{
    return evidence_kinds[kind].advice;
}
