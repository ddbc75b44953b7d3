/*
 * A fault is blamed on the deepest component that shows it: what callers show
 * of the same kind is discounted by what is seen below them in the graph of
 * calls. Resources and networks do not travel along calls, so they are not.
 */
#include <math.h>
#include <stdlib.h>

#include "rca_context.h"

/* Own time and failed requests are weaker signs: whoever shares a node or waits
 * for a lock shows the one, and all callers of a fault show the other. */
static const double WEIGHT[EVIDENCE_KINDS] = {
    [EVIDENCE_RESOURCE] = 1,  [EVIDENCE_NETWORK] = 1,  [EVIDENCE_BEHAVIOUR] = 1,
    [EVIDENCE_LATENCY] = 0.5, [EVIDENCE_ERRORS] = 0.5, [EVIDENCE_SILENCE] = 1,
    [EVIDENCE_METRIC] = 0.5,  [EVIDENCE_CHANGE] = 1};

/* What callers see of a peer is all that there is to see. */
static double weight(const struct rca_context *facts, uint32_t c, int kind)
{
    return facts->component_kinds[c] == CANDIDATE_COMPONENT ? WEIGHT[kind] : 1;
}

static bool travels(int kind)
{
    return kind != EVIDENCE_RESOURCE && kind != EVIDENCE_NETWORK &&
           kind != EVIDENCE_SILENCE && kind != EVIDENCE_CHANGE;
}

/* ---- who calls whom ---- */

struct call_graph {
    uint64_t *calls, *below; /* bits: row calls, reaches column */
    uint32_t n, words;
};

static bool has(const struct call_graph *g, const uint64_t *rows, uint32_t from,
                uint32_t to)
{
    return rows[(size_t)from * g->words + to / 64] >> (to & 63) & 1;
}

static void set(const struct call_graph *g, uint64_t *rows, uint32_t from,
                uint32_t to)
{
    rows[(size_t)from * g->words + to / 64] |= UINT64_C(1) << (to & 63);
}

static void reach(struct call_graph *g)
{
    bool more = true;

    memcpy(g->below, g->calls, (size_t)g->n * g->words * 8);
    while (more) { /* as often as the graph is deep */
        more = false;
        for (uint32_t a = 0; a < g->n; a++)
            for (uint32_t b = 0; b < g->n; b++) {
                if (!has(g, g->calls, a, b))
                    continue;
                for (uint32_t w = 0; w < g->words; w++) {
                    uint64_t *to = &g->below[(size_t)a * g->words + w];
                    uint64_t bits = g->below[(size_t)b * g->words + w];

                    more = more || (bits & ~*to);
                    *to |= bits;
                }
            }
    }
}

static bool graph_of(struct rca_context *facts, struct call_graph *g)
{
    g->n = facts->component_count;
    g->words = (g->n + 63) / 64;
    g->calls = arena_zero(facts->arena, (size_t)g->n * g->words, 8);
    g->below = arena_zero(facts->arena, (size_t)g->n * g->words, 8);
    if (!g->calls || !g->below)
        return false;
    for (int h = 0; h < HALVES; h++) {
        const struct trace_sample *s = &facts->halves[h];

        for (uint32_t i = 0; i < s->part_count; i++) {
            const struct rca_span *p = &s->parts[i];

            if ((p->kind == SPAN_SERVER || p->kind == SPAN_CONSUMER) &&
                p->up != NOBODY && p->component != NOBODY &&
                s->parts[p->up].component != NOBODY &&
                s->parts[p->up].component != p->component)
                set(g, g->calls, s->parts[p->up].component, p->component);
        }
    }
    for (uint32_t i = 0; i < facts->link_count; i++)
        if (facts->links[i].from != facts->links[i].to)
            set(g, g->calls, facts->links[i].from, facts->links[i].to);
    reach(g);
    facts->calls = g->calls;
    return true;
}

bool facts_calls(const struct rca_context *facts, uint32_t from, uint32_t to)
{
    uint32_t words = (facts->component_count + 63) / 64;

    return facts->calls[(size_t)from * words + to / 64] >> (to & 63) & 1;
}

/* ---- scores ---- */

static double own(const struct rca_context *facts, uint32_t c)
{
    const double *best = facts->evidence[c].best;
    double sum = best[EVIDENCE_RESOURCE] + best[EVIDENCE_NETWORK] +
                 best[EVIDENCE_SILENCE];

    /* Of a peer nobody can look deeper. */
    if (facts->component_kinds[c] != CANDIDATE_COMPONENT)
        sum += best[EVIDENCE_ERRORS] + best[EVIDENCE_LATENCY];
    return sum;
}

/* The strongest of a kind below a component, or what cannot have travelled. */
static double under(const struct rca_context *facts, const struct call_graph *g,
                    uint32_t c, int kind, uint32_t *who)
{
    double most = 0;

    for (uint32_t d = 0; d < g->n; d++) {
        if (d == c || !has(g, g->below, c, d))
            continue;
        const double *best = facts->evidence[d].best;
        double v = fmax(best[kind], own(facts, d));

        /* Requests fail because of whatever is wrong below. */
        if (kind == EVIDENCE_ERRORS)
            v = fmax(v, fmax(best[EVIDENCE_BEHAVIOUR], best[EVIDENCE_LATENCY]));
        if (v > most) {
            most = v;
            *who = d;
        }
    }
    return most;
}

static void score(const struct rca_context *facts, const struct call_graph *g,
                  uint32_t c, struct cause_suspect *s)
{
    const double *best = facts->evidence[c].best;
    double lost = 0;

    *s = (struct cause_suspect){.component = c, .because = NOBODY};
    for (int kind = 0; kind < EVIDENCE_KINDS; kind++) {
        double v = best[kind], keep = v;
        uint32_t who = NOBODY;

        if (v > 0 && travels(kind)) {
            double u = under(facts, g, c, kind, &who);

            keep = v * v / (v + u);
            if (weight(facts, c, kind) * (v - keep) > lost) {
                lost = weight(facts, c, kind) * (v - keep);
                s->because = who;
            }
        }
        if (kind == EVIDENCE_CHANGE) /* the last kind: only beside others */
            keep = fmin(v, s->score);
        s->raw += weight(facts, c, kind) * v;
        s->score += weight(facts, c, kind) * keep;
    }
    if (lost < s->score)
        s->because = NOBODY;
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
 * so. Odds of twenty to one suffice to say which it is. */
static bool explains(const struct cause_evidence *e)
{
    return e->kind == EVIDENCE_RESOURCE && e->nats >= 3;
}

static int by_weight(const void *left, const void *right)
{
    const struct cause_evidence *a = left, *b = right;
    double x = a->nats * WEIGHT[a->kind], y = b->nats * WEIGHT[b->kind];
    bool p = explains(a), q = explains(b);

    if (p != q)
        return p ? -1 : 1;

    if (x < y || x > y)
        return x > y ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return slice_compare(a->text, b->text);
}

static void describe(const struct rca_context *facts, struct cause_suspect *s)
{
    const struct evidence_list *list = &facts->evidence[s->component];

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

/* Asked about one component, it and what it calls, directly or not, are
 * candidates; asked about a project, all are. */
static bool is_candidate(const struct rca_context *facts,
                         const struct call_graph *g, uint32_t c)
{
    struct slice asked = facts->question->scope.component;

    if (asked.len == 0)
        return true;
    for (uint32_t i = 0; i < facts->served_components; i++) {
        const struct identity *of = &facts->components[i];

        if ((slice_equal(of->component, asked) ||
             slice_equal(of->component_uid, asked)) &&
            (i == c || has(g, g->below, i, c)))
            return true;
    }
    return false;
}

/* What only metrics tell has to be more than the best of so many metrics is by
 * chance, and somebody has to suffer. */
static bool is_named(const struct rca_context *facts,
                     const struct cause_suspect *s)
{
    const struct evidence_list *list = &facts->evidence[s->component];

    if (s->score < ENOUGH_NATS)
        return false;
    return list->other >= ENOUGH_NATS ||
           (facts->suffers && list->drift >= ENOUGH_NATS + facts->chance);
}

/* Who shows nothing may still be to blame: rather one of whom much is asked. At
 * most this many are listed in all. */
static void list_others(const struct rca_context *facts,
                        const struct call_graph *g, struct cause_report *report)
{
    struct cause_suspect *list = report->suspects;
    uint32_t kept = report->suspect_count, n = kept;
    double all = 1, least = kept > 0 ? list[kept - 1].score : 1;

    for (uint32_t c = 0; c < facts->served_components; c++)
        all += facts->requests[c];
    for (uint32_t c = 0; c < facts->served_components; c++) {
        double share = facts->requests[c] / all;

        if (facts->evidence[c].count > 0 || facts->requests[c] <= 0 ||
            !is_candidate(facts, g, c))
            continue;
        list[n++] =
            (struct cause_suspect){.component = c,
                                   .because = NOBODY,
                                   .score = share * fmin(least, LEAST_NATS)};
    }
    qsort(list + kept, n - kept, sizeof(*list), by_score);
    report->listed_count = kept >= CAUSE_MAX_LISTED ? kept
                           : n < CAUSE_MAX_LISTED   ? n
                                                    : CAUSE_MAX_LISTED;
}

bool rank(struct rca_context *facts, struct cause_report *report)
{
    uint32_t n = facts->component_count, kept = 0;
    struct call_graph g;
    double all = 0;

    report->suspects =
        arena_zero(facts->arena, n + 1, sizeof(*report->suspects));
    if (!report->suspects || !graph_of(facts, &g))
        return false;
    for (uint32_t c = 0; c < n; c++) {
        struct cause_suspect *s = &report->suspects[kept];

        if (!is_candidate(facts, &g, c))
            continue;
        score(facts, &g, c, s);
        all += s->score;
        kept += s->score > 0;
    }
    report->suspect_count = kept;
    if (kept > 0)
        qsort(report->suspects, kept, sizeof(*report->suspects), by_score);
    for (uint32_t i = 0; i < kept; i++)
        describe(facts, &report->suspects[i]);
    report->found = kept > 0 && is_named(facts, &report->suspects[0]);
    list_others(facts, &g, report);
    report->confidence = kept > 0 ? report->suspects[0].score / all : 0;
    return true;
}
