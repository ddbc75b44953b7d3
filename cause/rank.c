/*
 * A fault is blamed on the deepest component that shows it: what callers show
 * of the same kind is discounted by what is seen below them in the call graph.
 */
#include "rank.h"

#include <math.h>
#include <stdlib.h>

/* What callers see of a peer is all that there is to see. */
static double weight_of(const struct rank_input *in, uint32_t c, int kind)
{
    return candidate_is_peer(in->candidates, c) ? 1
                                                : evidence_kinds[kind].weight;
}

/* ---- scores ---- */

/* What cannot have come from something that the candidate calls. */
static double own_score(const struct rank_input *in, uint32_t c)
{
    const double *best = in->evidence->of[c].best;
    double sum = best[EVIDENCE_RESOURCE] + best[EVIDENCE_NETWORK] +
                 best[EVIDENCE_SILENCE];

    /* Of a peer nobody can look deeper. */
    if (candidate_is_peer(in->candidates, c))
        sum += best[EVIDENCE_ERRORS] + best[EVIDENCE_LATENCY];
    return sum;
}

/* The strongest of a kind, or what cannot have propagated, below a candidate,
 * and who shows it. */
static double score_below(const struct rank_input *in, uint32_t c, int kind,
                          uint32_t *who)
{
    double most = 0;

    for (uint32_t d = 0; d < in->candidates->count; d++) {
        const double *best = in->evidence->of[d].best;

        if (d == c || !call_graph_reaches(in->graph, c, d))
            continue;
        double score = fmax(best[kind], own_score(in, d));

        /* Requests fail because of whatever is wrong below. */
        if (kind == EVIDENCE_ERRORS)
            score = fmax(
                score, fmax(best[EVIDENCE_BEHAVIOUR], best[EVIDENCE_LATENCY]));
        if (score > most) {
            most = score;
            *who = d;
        }
    }
    return most;
}

static struct cause_suspect suspect_of(const struct rank_input *in, uint32_t c)
{
    struct cause_suspect s = {.component = c, .explained_by = NO_INDEX};
    double most_lost = 0;

    for (int kind = 0; kind < EVIDENCE_KINDS; kind++) {
        double score = in->evidence->of[c].best[kind], kept = score;
        double weight = weight_of(in, c, kind);
        uint32_t who = NO_INDEX;

        if (score > 0 && evidence_kinds[kind].propagates) {
            kept = score * score / (score + score_below(in, c, kind, &who));
            if (weight * (score - kept) > most_lost) {
                most_lost = weight * (score - kept);
                s.explained_by = who;
            }
        }
        if (kind == EVIDENCE_CHANGE) /* the last kind: only beside others */
            kept = fmin(score, s.score);
        s.score += weight * kept;
    }
    if (most_lost < s.score)
        s.explained_by = NO_INDEX;
    return s;
}

/* ---- the order ---- */

static int by_score(const void *left, const void *right)
{
    const struct cause_suspect *a = left, *b = right;

    if (a->score < b->score || a->score > b->score)
        return a->score > b->score ? -1 : 1;
    return a->component < b->component ? -1 : 1;
}

/* A pod at its limit answers late and makes others wait; the reverse is not
 * so. */
static bool explains_others(const struct cause_evidence *e)
{
    return e->kind == EVIDENCE_RESOURCE && e->score >= CONFIDENT_SCORE;
}

static int by_weight(const void *left, const void *right)
{
    const struct cause_evidence *a = left, *b = right;
    double x = a->score * evidence_kinds[a->kind].weight;
    double y = b->score * evidence_kinds[b->kind].weight;

    if (explains_others(a) != explains_others(b))
        return explains_others(a) ? -1 : 1;
    if (x < y || x > y)
        return x > y ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return slice_compare(a->text, b->text);
}

static void attach_evidence(const struct rank_input *in,
                            struct cause_suspect *s)
{
    struct evidence_list *list = &in->evidence->of[s->component];

    qsort(list->at, list->count, sizeof(*list->at), by_weight);
    s->evidence = list->at;
    s->evidence_count =
        list->count < CAUSE_MAX_EVIDENCE ? list->count : CAUSE_MAX_EVIDENCE;
    for (uint32_t i = 0; i < s->evidence_count; i++) {
        uint64_t onset = s->evidence[i].onset_ns;

        if (onset && (s->onset_ns == 0 || onset < s->onset_ns))
            s->onset_ns = onset;
    }
}

static bool is_candidate(const struct rank_input *in, uint32_t c)
{
    if (in->asked.len == 0)
        return true;
    for (uint32_t i = 0; i < in->candidates->component_count; i++) {
        const struct identity *id = &in->candidates->identities[i];

        if ((slice_equal(id->component, in->asked) ||
             slice_equal(id->component_uid, in->asked)) &&
            (i == c || call_graph_reaches(in->graph, i, c)))
            return true;
    }
    return false;
}

/* What only metrics show has to be more than the best of so many metrics
 * reaches by chance, and somebody has to suffer. */
static bool is_named(const struct rank_input *in, const struct cause_suspect *s)
{
    const struct evidence_list *list = &in->evidence->of[s->component];

    if (s->score < MIN_NAMED_SCORE)
        return false;
    return list->other >= MIN_NAMED_SCORE ||
           (in->evidence->suffering &&
            list->anomaly >= MIN_NAMED_SCORE + in->evidence->chance);
}

/* A component that shows nothing may still be to blame: the more likely, the
 * more requests it serves. CAUSE_MAX_LISTED are listed in all. */
static void list_others(const struct rank_input *in,
                        struct cause_report *report)
{
    struct cause_suspect *list = report->suspects;
    uint32_t kept = report->suspect_count, n = kept;
    uint32_t components = in->candidates->component_count;
    double all = 1, least = kept > 0 ? list[kept - 1].score : 1;

    for (uint32_t c = 0; c < components; c++)
        all += red_served(in->red, c);
    for (uint32_t c = 0; c < components; c++) {
        double share = red_served(in->red, c) / all;

        if (in->evidence->of[c].count > 0 || red_served(in->red, c) <= 0 ||
            !is_candidate(in, c))
            continue;
        list[n++] =
            (struct cause_suspect){.component = c,
                                   .explained_by = NO_INDEX,
                                   .score = share * fmin(least, MIN_SCORE)};
    }
    qsort(list + kept, n - kept, sizeof(*list), by_score);
    report->listed_count = kept >= CAUSE_MAX_LISTED ? kept
                           : n < CAUSE_MAX_LISTED   ? n
                                                    : CAUSE_MAX_LISTED;
}

bool rank_suspects(const struct rank_input *in, struct cause_report *report)
{
    uint32_t n = in->candidates->count, kept = 0;
    double all = 0;

    report->suspects = arena_zero(in->arena, n + 1, sizeof(*report->suspects));
    if (!report->suspects)
        return false;
    for (uint32_t c = 0; c < n; c++) {
        if (!is_candidate(in, c))
            continue;
        struct cause_suspect s = suspect_of(in, c);

        all += s.score;
        if (s.score > 0)
            report->suspects[kept++] = s;
    }
    report->suspect_count = kept;
    if (kept > 0)
        qsort(report->suspects, kept, sizeof(*report->suspects), by_score);
    for (uint32_t i = 0; i < kept; i++)
        attach_evidence(in, &report->suspects[i]);
    report->found = kept > 0 && is_named(in, &report->suspects[0]);
    report->confidence = kept > 0 ? report->suspects[0].score / all : 0;
    list_others(in, report);
    return true;
}
