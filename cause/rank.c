/*
 * A fault is blamed on the deepest component that shows it: what callers show
 * of the same kind is discounted by what is seen below them in the call graph.
 */
#include <math.h>
#include <stdlib.h>

#include "excess.h"
#include "report.h"

/* Of calls: a longer chain is cut. */
enum { MAX_DEPTH = 32 };

struct ranking {
    const struct candidates *candidates;
    const struct call_graph *graph;
    const struct evidence_set *evidence;
    const struct red_counts *red;
    double *passed[FLOW_KINDS]; /* by candidate: see pass_scores() */
    struct slice asked; /* this component and what it calls are suspects; empty:
                           all are */
};

/* What callers see of a peer is all that there is to see. */
static double weight_of(const struct ranking *r, uint32_t c, int kind)
{
    return candidate_is_peer(r->candidates, c) ? 1
                                               : evidence_kinds[kind].weight;
}

/* ---- scores ---- */

/* What cannot have come from something that the candidate calls. */
static double own_score(const struct ranking *r, uint32_t c)
{
    const double *best = r->evidence->of[c].best;
    double sum = 0;

    for (int kind = 0; kind < EVIDENCE_KINDS; kind++)
        if (evidence_kinds[kind].reach == REACH_OWN ||
            evidence_kinds[kind].reach == REACH_DOWN)
            sum += best[kind];
    /* A peer has no callees that are known. */
    if (candidate_is_peer(r->candidates, c))
        sum += best[EVIDENCE_ERRORS] + best[EVIDENCE_LATENCY];
    return sum;
}

/* The flow that a kind of evidence is about; FLOW_KINDS: none. */
static enum flow_kind flow_of(int kind)
{
    return kind == EVIDENCE_LATENCY  ? FLOW_LATENCY
           : kind == EVIDENCE_ERRORS ? FLOW_FAILURES
                                     : FLOW_KINDS;
}

/* Is a kind of evidence of a candidate accounted for by excess.h? Where there
 * are spans, they show own time exactly. */
static bool is_measured(const struct ranking *r, uint32_t c, int kind)
{
    enum flow_kind flow = flow_of(kind);

    return flow < FLOW_KINDS && r->evidence->flows->at[c].of[flow].known &&
           !red_any_served(r->red, c);
}

static bool is_accounted(const struct ranking *r, uint32_t c, int kind)
{
    return is_measured(r, c, kind) &&
           r->evidence->flows->at[c].of[flow_of(kind)].certainty >= 1;
}

/* A score of a candidate counts for a callee by the share of the rise that it
 * explains, and for its callees likewise. */
static void pass_scores(const struct ranking *r, enum flow_kind flow, int kind)
{
    const struct excess *e = r->evidence->excess;
    double *passed = r->passed[flow];
    bool more = true;

    for (uint32_t round = 0; more && round < MAX_DEPTH; round++) {
        more = false;
        for (uint32_t i = 0; i < e->share_count; i++) {
            const struct excess_share *s = &e->shares[i];
            double of_caller =
                fmax(r->evidence->of[s->caller].best[kind], passed[s->caller]);

            if (s->kind != flow || !is_accounted(r, s->caller, kind) ||
                red_any_served(r->red, s->callee) ||
                s->share * of_caller <= passed[s->callee])
                continue;
            passed[s->callee] = s->share * of_caller;
            more = true;
        }
    }
}

/* The strongest evidence of a kind, or of a kind that does not propagate, below
 * a candidate, and the candidate that has it. */
static double score_below(const struct ranking *r, uint32_t c, int kind,
                          uint32_t *below)
{
    double most = 0;

    for (uint32_t d = 0; d < r->candidates->count; d++) {
        const double *best = r->evidence->of[d].best;

        if (d == c || !call_graph_reaches(r->graph, c, d) ||
            (is_accounted(r, c, kind) && is_measured(r, d, kind)))
            continue;
        double score = fmax(best[kind], own_score(r, d));

        /* Requests fail because of whatever is wrong below. */
        if (kind == EVIDENCE_ERRORS)
            score = fmax(
                score, fmax(best[EVIDENCE_BEHAVIOUR], best[EVIDENCE_LATENCY]));
        if (score > most) {
            most = score;
            *below = d;
        }
    }
    return most;
}

/* What is wrong with a callee itself explains its caller as far as its rise
 * does; *below: the one that explains most. */
static double lost_to_callees(const struct ranking *r, uint32_t c,
                              enum flow_kind flow, uint32_t *below)
{
    const struct excess *e = r->evidence->excess;
    double most = 0, lost = 0;

    for (uint32_t i = 0; i < e->share_count; i++) {
        const struct excess_share *s = &e->shares[i];

        if (s->caller != c || s->kind != flow)
            continue;
        lost = fmax(lost, s->share * own_score(r, s->callee));
        if (s->share > most) {
            most = s->share;
            *below = s->callee;
        }
    }
    return lost;
}

/* Who waits for slow callees may fail, and who calls failing ones again is
 * slow. */
static double lost_to_other_flow(const struct ranking *r, uint32_t c, int kind,
                                 uint32_t *below)
{
    const struct excess *e = r->evidence->excess;
    uint32_t failing = e->failing_callee[c];

    if (kind == EVIDENCE_ERRORS)
        return is_accounted(r, c, EVIDENCE_LATENCY)
                   ? r->evidence->of[c].best[EVIDENCE_LATENCY] *
                         (1 - e->own[FLOW_LATENCY][c])
                   : 0;
    if (failing == NO_INDEX)
        return 0;
    if (*below == NO_INDEX)
        *below = failing;
    return r->evidence->of[failing].best[EVIDENCE_ERRORS];
}

/* What of a score is the candidate's own. */
static double own_part(const struct ranking *r, uint32_t c, int kind,
                       double score, uint32_t *below)
{
    enum flow_kind flow = flow_of(kind);
    double lost = 0;

    if (is_accounted(r, c, kind)) {
        score =
            fmax(score, r->passed[flow][c]) * r->evidence->excess->own[flow][c];
        lost = fmax(lost_to_callees(r, c, flow, below),
                    lost_to_other_flow(r, c, kind, below));
    }
    lost = fmax(lost, score_below(r, c, kind, below));
    return score > 0 ? score * score / (score + lost) : 0;
}

/* What supports others is counted after them. */
_Static_assert(EVIDENCE_CHANGE == EVIDENCE_KINDS - 1,
               "a new kind of evidence stands before EVIDENCE_CHANGE");

static struct cause_suspect suspect_of(const struct ranking *r, uint32_t c)
{
    struct cause_suspect s = {.component = c, .explained_by = NO_INDEX};
    double most_lost = 0;

    for (int kind = 0; kind < EVIDENCE_KINDS; kind++) {
        double score = r->evidence->of[c].best[kind], kept = score;
        double weight = weight_of(r, c, kind);
        enum evidence_reach reach = evidence_kinds[kind].reach;
        uint32_t below = NO_INDEX;

        if (score > 0 && (reach == REACH_CALLERS || reach == REACH_DOWN)) {
            kept = own_part(r, c, kind, score, &below);
            if (weight * (score - kept) > most_lost) {
                most_lost = weight * (score - kept);
                s.explained_by = below;
            }
        }
        if (reach == REACH_SUPPORT)
            kept = score * fmin(1, s.score / MIN_NAMED_SCORE);
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

/* A pod at its limit, or one that does not run, answers late and makes others
 * wait; the reverse is not so. */
static bool explains_others(const struct cause_evidence *e)
{
    return (e->kind == EVIDENCE_RESOURCE || e->kind == EVIDENCE_AVAILABILITY) &&
           e->score >= CONFIDENT_SCORE;
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

static void attach_evidence(const struct ranking *r, struct cause_suspect *s)
{
    struct evidence_list *list = &r->evidence->of[s->component];

    qsort(list->at, list->count, sizeof(*list->at), by_weight);
    evidence_join_pods(list, r->evidence->arena);
    s->evidence = list->at;
    s->evidence_count =
        list->count < CAUSE_MAX_EVIDENCE ? list->count : CAUSE_MAX_EVIDENCE;
    for (uint32_t i = 0; i < s->evidence_count; i++) {
        uint64_t onset = s->evidence[i].onset_ns;

        if (onset && (s->onset_ns == 0 || onset < s->onset_ns))
            s->onset_ns = onset;
    }
}

static bool is_candidate(const struct ranking *r, uint32_t c)
{
    if (r->asked.len == 0)
        return true;
    for (uint32_t i = 0; i < r->candidates->component_count; i++) {
        const struct identity *id = &r->candidates->identities[i];

        if ((slice_equal(id->component, r->asked) ||
             slice_equal(id->component_uid, r->asked)) &&
            (i == c || call_graph_reaches(r->graph, i, c)))
            return true;
    }
    return false;
}

/* A component that shows nothing may still be to blame: the more likely, the
 * more requests it serves. CAUSE_MAX_LISTED are listed in all. */
static void list_others(const struct ranking *r, struct cause_report *report)
{
    struct cause_suspect *list = report->suspects;
    uint32_t kept = report->suspect_count, n = kept;
    uint32_t components = r->candidates->component_count;
    double all = 1, least = kept > 0 ? list[kept - 1].score : 1;

    for (uint32_t c = 0; c < components; c++)
        all += red_served(r->red, c);
    for (uint32_t c = 0; c < components; c++) {
        double share = red_served(r->red, c) / all;

        if (r->evidence->of[c].count > 0 || red_served(r->red, c) <= 0 ||
            !is_candidate(r, c))
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

bool rank_suspects(const struct rca_context *c,
                   const struct evidence_set *evidence,
                   struct cause_report *report)
{
    struct ranking ranking = {.candidates = &c->candidates,
                              .graph = &c->graph,
                              .evidence = evidence,
                              .red = &c->red,
                              .asked = c->query->scope.component};
    const struct ranking *r = &ranking;
    uint32_t n = r->candidates->count, kept = 0;

    report->suspects = arena_zero(c->arena, n + 1, sizeof(*report->suspects));
    if (!report->suspects)
        return false;
    for (int kind = 0; kind < EVIDENCE_KINDS; kind++) {
        enum flow_kind flow = flow_of(kind);

        if (flow == FLOW_KINDS)
            continue;
        ranking.passed[flow] = arena_zero(c->arena, n + 1, sizeof(double));
        if (!ranking.passed[flow])
            return false;
        pass_scores(r, flow, kind);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!is_candidate(r, i))
            continue;
        struct cause_suspect s = suspect_of(r, i);

        if (s.score > 0)
            report->suspects[kept++] = s;
    }
    report->suspect_count = kept;
    if (kept > 0)
        qsort(report->suspects, kept, sizeof(*report->suspects), by_score);
    for (uint32_t i = 0; i < kept; i++)
        attach_evidence(r, &report->suspects[i]);
    list_others(r, report);
    return true;
}
