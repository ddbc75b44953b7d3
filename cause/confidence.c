/*
 * Is the first suspect named, and how often such an answer is right.
 *
 * A resource that nobody feels is a remark, not a cause, unless its limit is
 * near: a database may use what it has. It is felt if the component, or one
 * that calls it, is slow or fails.
 */
#include <math.h>

#include "report.h"

/* From this share of its limit on a resource is a cause though nobody feels it
 * yet: what comes next is a kill, a full disk or throttling. */
static const double NEAR_LIMIT = 0.9;

struct judged_answer {
    const struct candidates *candidates;
    const struct call_graph *graph;
    const struct evidence_set *evidence;
};

static bool is_slow_or_fails(const struct evidence_list *list)
{
    for (int kind = 0; kind < EVIDENCE_KINDS; kind++)
        if (kind != EVIDENCE_RESOURCE && kind != EVIDENCE_METRIC &&
            kind != EVIDENCE_CHANGE && list->best[kind] >= CONFIDENT_SCORE)
            return true;
    return false;
}

/* By itself or by those who call it, directly or not. */
static bool is_felt(const struct judged_answer *a, uint32_t c)
{
    for (uint32_t i = 0; i < a->candidates->count; i++)
        if ((i == c || call_graph_reaches(a->graph, i, c)) &&
            is_slow_or_fails(&a->evidence->of[i]))
            return true;
    return false;
}

/* The sum of the best of each kind, without metrics against their history and
 * without usage that is a remark. */
static double known_score(const struct judged_answer *a, uint32_t c)
{
    const struct evidence_list *list = &a->evidence->of[c];
    double best[EVIDENCE_KINDS] = {0}, sum = 0;
    bool felt = is_felt(a, c);

    for (uint32_t i = 0; i < list->count; i++) {
        const struct cause_evidence *e = &list->at[i];

        if (!e->is_anomaly && e->kind != EVIDENCE_CHANGE &&
            (felt || e->limit_share <= 0 || e->limit_share >= NEAR_LIMIT) &&
            e->score > best[e->kind])
            best[e->kind] = e->score;
    }
    for (int kind = 0; kind < EVIDENCE_KINDS; kind++)
        sum += best[kind];
    return sum;
}

/* Evidence from metrics alone must exceed what the best of so many metrics
 * reaches by chance, and there must be symptoms. */
static bool is_named(const struct judged_answer *a,
                     const struct cause_suspect *s)
{
    const struct evidence_list *list = &a->evidence->of[s->component];

    if (s->score < MIN_NAMED_SCORE)
        return false;
    return known_score(a, s->component) >= CONFIDENT_SCORE ||
           (a->evidence->suffering &&
            list->anomaly >= MIN_NAMED_SCORE + a->evidence->chance);
}

/* ---- how often ---- */

/* A logistic function of the score and of the lead over the second suspect,
 * fitted to the answers of all kinds of worlds of the bench; each kind was left
 * out once, to see that the others predict it (docs/root-cause.md). */
static const struct {
    double constant, score, lead;
} model = {-1.0, 1.3, 1.2};
/* Beyond this more is no surer. A lead over less than the other is none: a
 * single weak clue has no rival either. */
static const double MAX_STRENGTH = 20, MIN_RIVAL = 1;

static double confidence_of(double first, double second)
{
    double strength = fmin(first, MAX_STRENGTH);
    double lead = fmax(1, strength / fmax(second, MIN_RIVAL));

    return 1 / (1 + exp(-model.constant - model.score * log(strength) -
                        model.lead * log(lead)));
}

void confidence_judge(const struct rca_context *rca,
                      const struct evidence_set *evidence,
                      struct cause_report *report)
{
    const struct judged_answer a = {&rca->candidates, &rca->graph, evidence};
    const struct cause_suspect *first = report->suspects;

    report->found = report->suspect_count > 0 && is_named(&a, first);
    report->confidence =
        report->found
            ? confidence_of(first->score,
                            report->suspect_count > 1 ? first[1].score : 0)
            : 0;
}
