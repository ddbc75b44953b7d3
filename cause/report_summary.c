/*
 * What a person reads first: cause, first failure, impact; what changed just
 * before; what was looked at and is not the cause, and why not.
 */
#include <stdio.h>

#include "clock.h"
#include "report_impact.h"

enum { MAX_EXCLUDED = 12 };
/* Percent of a limit. */
static const double NEARLY_ALL = 80;

static struct slice name_of(const struct rca_context *rca, uint32_t c)
{
    return candidate_name(&rca->candidates, c);
}

/* With the date if it is not the day on which the window ends. */
static struct slice time_text(const struct rca_context *rca, uint64_t ns)
{
    uint64_t day_ns = NS_PER_HOUR * 24, s = ns / NS_PER_S % 86400;
    char text[CLOCK_TEXT];
    int date = 0;

    if (ns / day_ns != (rca->times.period[WINDOW].end_ns - 1) / day_ns) {
        (void)clock_format_rfc3339(text, ns);
        date = 10;
    }
    return arena_format(rca->arena, "%.*s%s%02u:%02u UTC", date, text,
                        date ? " " : "", (unsigned)(s / 3600),
                        (unsigned)(s / 60 % 60));
}

/* ---- cause ---- */

/* Does it show that a resource is used up, or far more of it than before? */
static bool is_exhausted(const struct cause_evidence *e)
{
    const struct cause_numbers *n = &e->numbers;
    bool share = n->unit && (strcmp(n->unit, "%") == 0);

    if (e->kind != EVIDENCE_RESOURCE)
        return false;
    if (e->limit_share > 0)
        return 100 * e->limit_share >= NEARLY_ALL;
    return e->score >= MIN_NAMED_SCORE ||
           (share && n->after >= NEARLY_ALL && n->after > 1.2 * n->before);
}

/* A resource explains why requests wait or fail, so it is named first. */
static const struct cause_evidence *first_sentence(
    const struct cause_suspect *s)
{
    for (uint32_t i = 0; i < s->evidence_count; i++)
        if (is_exhausted(&s->evidence[i]))
            return &s->evidence[i];
    for (uint32_t i = 0; i < s->evidence_count; i++)
        if (evidence_is_symptom(&s->evidence[i]))
            return &s->evidence[i];
    return &s->evidence[0];
}

/* What it makes of it: requests that wait or fail. */
static const struct cause_evidence *second_sentence(
    const struct cause_suspect *s, const struct cause_evidence *first)
{
    for (uint32_t i = 0; i < s->evidence_count; i++) {
        const struct cause_evidence *e = &s->evidence[i];

        if (e != first && evidence_is_symptom(e) &&
            e->kind != EVIDENCE_RESOURCE && first->kind == EVIDENCE_RESOURCE)
            return e;
    }
    return NULL;
}

/* What changed before it, or an event of Kubernetes. */
static const struct cause_evidence *change_of(
    const struct cause_suspect *s, const struct cause_evidence *first)
{
    for (uint32_t i = 0; i < s->evidence_count; i++) {
        const struct cause_evidence *e = &s->evidence[i];

        if (e->kind == EVIDENCE_CHANGE && e != first)
            return e;
    }
    return NULL;
}

static struct slice describe_cause(struct rca_context *rca,
                                   const struct cause_suspect *s)
{
    struct arena *arena = rca->arena;
    const struct cause_evidence *first = first_sentence(s);
    const struct cause_evidence *second = second_sentence(s, first);
    const struct cause_evidence *change = change_of(s, first);
    struct slice text = candidate_name(&rca->candidates, s->component);
    text = arena_format(arena, "%.*s: %.*s", SLICE_ARGS(text),
                        SLICE_ARGS(first->text));
    if (s->onset_ns) {
        struct slice at = time_text(rca, s->onset_ns);

        text = arena_format(arena, "%.*s, since %.*s", SLICE_ARGS(text),
                            SLICE_ARGS(at));
    }
    if (second)
        text = arena_format(arena, "%.*s; %.*s", SLICE_ARGS(text),
                            SLICE_ARGS(second->text));
    if (change && change->onset_ns) {
        struct slice at = time_text(rca, change->onset_ns);

        text = arena_format(arena, "%.*s; at %.*s %.*s", SLICE_ARGS(text),
                            SLICE_ARGS(at), SLICE_ARGS(change->text));
    }
    return text;
}

/* Nobody is blamed: what is most unusual, and whether users suffer. */
static struct slice describe_nothing(struct rca_context *rca,
                                     const struct cause_report *report)
{
    const struct cause_suspect *s = report->suspects;
    bool quiet = report->impact_at == NO_INDEX;
    struct slice text = !quiet                 ? SLICE("no cause stands out")
                        : report->impact_known ? SLICE("nobody seems to suffer")
                                               : SLICE("nothing stands out");

    if (report->suspect_count == 0 || s->evidence_count == 0)
        return quiet ? SLICE("nothing stands out") : text;
    struct slice name = candidate_name(&rca->candidates, s->component);
    return arena_format(rca->arena, "%.*s; most unusual: %.*s: %.*s",
                        SLICE_ARGS(text), SLICE_ARGS(name),
                        SLICE_ARGS(s->evidence[0].text));
}

/* ---- first failure ---- */

/* The earliest of its symptoms, by the minute. */
static const struct cause_evidence *earliest(const struct cause_suspect *s)
{
    const struct cause_evidence *first = NULL;

    for (uint32_t i = 0; i < s->evidence_count; i++) {
        const struct cause_evidence *e = &s->evidence[i];

        if (e->onset_ns && evidence_is_symptom(e) &&
            (!first || e->onset_ns / NS_PER_MIN < first->onset_ns / NS_PER_MIN))
            first = e;
    }
    return first;
}

/* The earliest thing that the suspect or one of its callers showed; a caller's
 * request begins before the one that it waits for, so a minute has to lie
 * between them. */
static struct slice describe_first_failure(struct rca_context *rca,
                                           const struct cause_report *report)
{
    const struct cause_suspect *cause = &report->suspects[0], *at = cause;
    const struct cause_evidence *first = earliest(cause);

    for (uint32_t i = 1;
         first && i < report->suspect_count && i < CAUSE_CHARTED_SUSPECTS;
         i++) {
        const struct cause_suspect *s = &report->suspects[i];
        const struct cause_evidence *e = earliest(s);

        if (!e || e->onset_ns / NS_PER_MIN >= first->onset_ns / NS_PER_MIN ||
            !call_graph_reaches(&rca->graph, s->component, cause->component))
            continue;
        first = e;
        at = s;
    }
    if (!first)
        return (struct slice){NULL, 0};
    struct slice name = candidate_name(&rca->candidates, at->component);
    struct slice time = time_text(rca, first->onset_ns);
    struct slice text =
        arena_format(rca->arena, "%.*s, %.*s: %.*s", SLICE_ARGS(time),
                     SLICE_ARGS(name), SLICE_ARGS(first->text));
    if (at == cause)
        return text;
    name = candidate_name(&rca->candidates, cause->component);
    return arena_format(
        rca->arena, "%.*s (it showed it first, as a caller: it %s %.*s)",
        SLICE_ARGS(text),
        call_graph_calls(&rca->graph, at->component, cause->component)
            ? "calls"
            : "depends on",
        SLICE_ARGS(name));
}

/* ---- what it is not ---- */

static struct slice exclusion_reason(struct rca_context *rca,
                                     const struct cause_report *report,
                                     const struct cause_suspect *s)
{
    struct slice text = s->evidence[0].text;

    if (s->explained_by != NO_INDEX) {
        struct slice by = name_of(rca, s->explained_by);

        return arena_format(
            rca->arena, "%.*s; explained by %.*s, %s", SLICE_ARGS(text),
            SLICE_ARGS(by),
            call_graph_calls(&rca->graph, s->component, s->explained_by)
                ? "which it calls"
                : "on which it depends");
    }
    if (s->evidence[0].kind == EVIDENCE_CHANGE)
        return arena_format(rca->arena, "%.*s; no other evidence",
                            SLICE_ARGS(text));
    return arena_format(rca->arena, "%.*s; weaker: score %.1f of %.1f",
                        SLICE_ARGS(text), s->score, report->suspects[0].score);
}

static bool has_only_changed(const struct evidence_list *list)
{
    for (int kind = 0; kind < EVIDENCE_KINDS; kind++)
        if ((list->best[kind] > 0) != (kind == EVIDENCE_CHANGE))
            return false;
    return true;
}

/* Those that show something. A component that changed and shows nothing is
 * listed as well, although its score is 0. */
static bool list_excluded(struct rca_context *rca,
                          const struct evidence_set *evidence,
                          struct cause_report *report)
{
    uint32_t n = 0;

    report->excluded =
        arena_zero(rca->arena, MAX_EXCLUDED, sizeof(*report->excluded));
    if (!report->excluded)
        return false;
    for (uint32_t i = 1; i < report->suspect_count && n < MAX_EXCLUDED; i++) {
        const struct cause_suspect *s = &report->suspects[i];

        if (s->evidence_count > 0 && (s->explained_by != NO_INDEX ||
                                      evidence_is_symptom(&s->evidence[0])))
            report->excluded[n++] = (struct cause_excluded){
                s->component, exclusion_reason(rca, report, s)};
    }
    for (uint32_t c = 0; c < rca->candidates.count && n < MAX_EXCLUDED; c++)
        if (has_only_changed(&evidence->of[c]))
            report->excluded[n++] =
                (struct cause_excluded){c, SLICE("changed; no other evidence")};
    report->excluded_count = n;
    return true;
}

/* The newest; they are by time. */
static void list_changes(const struct rca_changes *changes,
                         struct cause_report *report)
{
    uint32_t n = changes->count;

    report->change_count = n < CAUSE_MAX_CHANGES ? n : CAUSE_MAX_CHANGES;
    report->changes = changes->at + (n - report->change_count);
}

enum status report_summary(struct rca_context *rca,
                           const struct evidence_set *evidence,
                           struct cause_report *report)
{
    list_changes(&rca->changes, report);
    if (!list_excluded(rca, evidence, report))
        return arena_status(rca->arena);
    if (!report->found) {
        report->cause = describe_nothing(rca, report);
        report->impact = report->impact_at != NO_INDEX
                             ? report_impact_text(rca, report)
                             : SLICE("");
        return arena_status(rca->arena);
    }
    report->cause = describe_cause(rca, &report->suspects[0]);
    report->first_failure = describe_first_failure(rca, report);
    report->impact = report_impact_text(rca, report);
    return arena_status(rca->arena);
}
