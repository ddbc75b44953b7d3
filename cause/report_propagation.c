/*
 * How a fault reaches users: from a suspect along the calls to its callers, and
 * from these to theirs.
 */
#include "report.h"

/* Of each candidate the strongest symptom of a fault elsewhere: its own limits
 * are none, and calls that it finds slow are one. */
struct symptoms {
    const struct cause_evidence **of;
};

static void take_symptom(struct symptoms *s, uint32_t c,
                         const struct cause_evidence *e)
{
    if (evidence_is_symptom(e) && e->kind != EVIDENCE_RESOURCE &&
        (!s->of[c] || e->score > s->of[c]->score))
        s->of[c] = e;
}

static bool find_symptoms(struct symptoms *s, const struct rca_context *rca,
                          const struct evidence_set *set)
{
    uint32_t candidates = rca->candidates.count;

    s->of = arena_zero(rca->arena, candidates + 1,
                       sizeof(const struct cause_evidence *));
    for (uint32_t c = 0; s->of && c < candidates; c++)
        for (uint32_t i = 0; i < set->of[c].count; i++)
            take_symptom(s, c, &set->of[c].at[i]);
    for (uint32_t c = 0; s->of && c < candidates; c++)
        for (uint32_t i = 0; i < set->of[c].count; i++) {
            const struct cause_evidence *e = &set->of[c].at[i];

            if (e->timeseries && e->timeseries->caller < candidates &&
                !s->of[e->timeseries->caller])
                take_symptom(s, e->timeseries->caller, e);
        }
    return s->of;
}

/* Callers of a candidate, and theirs, nearest first. */
struct caller_walk {
    struct rca_context *rca;
    struct symptoms symptoms;
    uint32_t *order, *callee, count; /* callee: NO_INDEX if not visited */
};

static void visit_callers(struct caller_walk *w, uint32_t at, bool with_symptom)
{
    for (uint32_t c = 0; c < w->rca->candidates.count; c++) {
        if (w->callee[c] != NO_INDEX ||
            !call_graph_calls(&w->rca->graph, c, at) ||
            (w->symptoms.of[c] != NULL) != with_symptom)
            continue;
        w->callee[c] = at;
        w->order[w->count++] = c;
    }
}

static bool walk_callers(struct caller_walk *w, uint32_t start)
{
    size_t size = (w->rca->candidates.count + 1) * sizeof(uint32_t);

    w->order = arena_alloc(w->rca->arena, size);
    w->callee = arena_alloc(w->rca->arena, size);
    if (!w->order || !w->callee)
        return false;
    memset(w->callee, 0xff, size); /* NO_INDEX */
    w->callee[start] = start;
    w->order[0] = start;
    w->count = 1;
    for (uint32_t i = 0; i < w->count; i++) {
        visit_callers(w, w->order[i], true);
        visit_callers(w, w->order[i], false);
    }
    return true;
}

static bool find_affected(const struct caller_walk *w, struct cause_suspect *s)
{
    s->affected = arena_alloc(w->rca->arena, w->count * sizeof(*s->affected));
    for (uint32_t i = 1; s->affected && i < w->count; i++)
        if (w->symptoms.of[w->order[i]])
            s->affected[s->affected_count++] = w->order[i];
    return s->affected;
}

/* Where users suffer most; if they do not, the last affected caller. */
static uint32_t path_end(const struct caller_walk *w,
                         const struct cause_report *report)
{
    const struct cause_suspect *s = &report->suspects[0];

    if (report->impact_at != NO_INDEX &&
        w->callee[report->impact_at] != NO_INDEX)
        return report->impact_at;
    return s->affected_count > 0 ? s->affected[s->affected_count - 1]
                                 : s->component;
}

static bool find_path(const struct caller_walk *w, struct cause_report *report)
{
    const struct cause_suspect *s = &report->suspects[0];
    uint32_t n = 1, at = path_end(w, report);

    for (uint32_t c = at; c != s->component; c = w->callee[c])
        n++;
    report->path = arena_zero(w->rca->arena, n, sizeof(*report->path));
    if (!report->path)
        return false;
    report->path_count = n;
    for (; n > 0; at = w->callee[at]) {
        const struct cause_evidence *e =
            at == s->component ? &s->evidence[0] : w->symptoms.of[at];

        report->path[--n].component = at;
        if (e)
            report->path[n].symptom = e->text;
    }
    return true;
}

/* At the callers of the first suspect; at all components if none is named. */
static enum status find_impact(struct rca_context *rca,
                               const struct caller_walk *w,
                               struct cause_report *report)
{
    bool *is_caller =
        arena_zero(rca->arena, rca->candidates.count + 1, sizeof(*is_caller));

    if (!is_caller)
        return arena_status(rca->arena);
    for (uint32_t c = 0; c < rca->candidates.count; c++)
        is_caller[c] = !report->found || w->callee[c] != NO_INDEX;
    return report_impact(rca, report, is_caller);
}

enum status report_propagation(struct rca_context *rca,
                               const struct evidence_set *evidence,
                               struct cause_report *report)
{
    struct caller_walk w = {.rca = rca};

    if (!find_symptoms(&w.symptoms, rca, evidence))
        return arena_status(rca->arena);
    if (!report->found) {
        enum status s = find_impact(rca, &w, report);

        if (s != OK)
            return s;
    }
    for (uint32_t i = 0; i < report->suspect_count && i < CAUSE_MAX_LISTED;
         i++) {
        struct cause_suspect *s = &report->suspects[i];

        if (!walk_callers(&w, s->component) || !find_affected(&w, s))
            return arena_status(rca->arena);
        if (i > 0 || !report->found)
            continue;
        enum status status = find_impact(rca, &w, report);
        if (status != OK)
            return status;
        if (!find_path(&w, report))
            return arena_status(rca->arena);
    }
    return OK;
}
