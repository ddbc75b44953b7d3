/*
 * What a person reads first: cause, first failure, impact; what changed just
 * before; what was looked at and is not the cause, and why not.
 */
#include <stdio.h>

#include "clock.h"
#include "report.h"

enum { MAX_EXCLUDED = 12, MAX_NAMED = 3 };

static struct slice name_of(const struct rca_context *rca, uint32_t c)
{
    return candidate_name(&rca->candidates, c);
}

/* The date is left out: most queries are about today. */
static const char *time_of_day(uint64_t ns, char text[16])
{
    uint64_t s = ns / NS_PER_S % 86400;

    (void)snprintf(text, 16, "%02u:%02u", (unsigned)(s / 3600),
                   (unsigned)(s / 60 % 60));
    return text;
}

/* ---- cause and first failure ---- */

static struct slice describe_cause(struct rca_context *rca,
                                   const struct cause_suspect *s)
{
    struct slice name = name_of(rca, s->component);
    struct slice text = text_format(rca->arena, "%.*s: %.*s", SLICE_ARGS(name),
                                    SLICE_ARGS(s->evidence[0].text));
    char at[16];

    if (!s->onset_ns)
        return text;
    return text_format(rca->arena, "%.*s, since %s UTC", SLICE_ARGS(text),
                       time_of_day(s->onset_ns, at));
}

/* The earliest thing that a suspect showed, by the minute: a caller's request
 * begins before the one that it waits for. Within a minute it is the most
 * likely suspect's. */
static struct slice describe_first_failure(struct rca_context *rca,
                                           const struct cause_report *report)
{
    const struct cause_evidence *first = NULL;
    uint32_t component = 0;
    char at[16];

    for (uint32_t i = 0;
         i < report->suspect_count && i < CAUSE_CHARTED_SUSPECTS; i++)
        for (uint32_t k = 0; k < report->suspects[i].evidence_count; k++) {
            const struct cause_evidence *e = &report->suspects[i].evidence[k];

            if (e->onset_ns == 0 || !evidence_is_symptom(e) ||
                (first &&
                 e->onset_ns / NS_PER_MIN >= first->onset_ns / NS_PER_MIN))
                continue;
            first = e;
            component = report->suspects[i].component;
        }
    if (!first)
        return (struct slice){NULL, 0};
    struct slice name = name_of(rca, component);
    return text_format(rca->arena, "%s UTC, %.*s: %.*s",
                       time_of_day(first->onset_ns, at), SLICE_ARGS(name),
                       SLICE_ARGS(first->text));
}

/* ---- impact ---- */

static struct slice list_affected(struct rca_context *rca,
                                  const struct cause_suspect *s)
{
    struct slice text = {NULL, 0};

    for (uint32_t i = 0; i < s->affected_count && i < MAX_NAMED; i++) {
        struct slice name = name_of(rca, s->affected[i]);

        text = text_format(rca->arena, "%.*s%s%.*s", SLICE_ARGS(text),
                           i == 0 ? "" : ", ", SLICE_ARGS(name));
    }
    if (s->affected_count > MAX_NAMED)
        text = text_format(rca->arena, "%.*s and %u more", SLICE_ARGS(text),
                           s->affected_count - MAX_NAMED);
    return text;
}

/* "web: POST /checkout fails in 92 of 99 requests (3 of 146 before), and takes
 * longer than 340 ms in 12 of 99 requests" */
static struct slice describe_operation(struct rca_context *rca,
                                       const struct cause_impact *i)
{
    struct slice name = name_of(rca, i->component), text = SLICE("");
    bool slow = i->slow_limit_ns > 0, fails = !slow || i->failed > i->slow / 10;

    if (fails)
        text = text_format(
            rca->arena,
            "fails in %llu of %llu requests (%llu of %llu before)%s",
            (unsigned long long)i->failed, (unsigned long long)i->requests,
            (unsigned long long)i->failed_before,
            (unsigned long long)i->requests_before, slow ? ", " : "");
    if (slow)
        text = text_format(
            rca->arena,
            "%.*s%stakes longer than %llu ms in %llu of %llu requests",
            SLICE_ARGS(text), fails ? "and " : "",
            (unsigned long long)(i->slow_limit_ns / 1000000),
            (unsigned long long)i->slow, (unsigned long long)i->requests);
    return text_format(rca->arena, "%.*s: %.*s %.*s", SLICE_ARGS(name),
                       SLICE_ARGS(i->operation), SLICE_ARGS(text));
}

static struct slice describe_impact(struct rca_context *rca,
                                    const struct cause_report *report)
{
    struct slice affected = list_affected(rca, &report->suspects[0]);
    struct slice worst;

    if (report->impact_count > 0) {
        worst = describe_operation(rca, &report->impacts[0]);
        if (report->impact_count == 1)
            return worst;
        return text_format(rca->arena, "%.*s; %u more operation%s",
                           SLICE_ARGS(worst), report->impact_count - 1,
                           report->impact_count == 2 ? " suffers" : "s suffer");
    }
    if (affected.len > 0)
        return text_format(rca->arena,
                           "seen by %.*s; requests of users are not affected",
                           SLICE_ARGS(affected));
    return SLICE("no effect on users or callers was found");
}

/* ---- what it is not ---- */

static struct slice exclusion_reason(struct rca_context *rca,
                                     const struct cause_report *report,
                                     const struct cause_suspect *s)
{
    struct slice text = s->evidence[0].text;
    double ratio = report->suspects[0].score / s->score;

    if (s->explained_by != NO_INDEX) {
        struct slice by = name_of(rca, s->explained_by);

        return text_format(rca->arena,
                           "%.*s; explained by %.*s, which it calls",
                           SLICE_ARGS(text), SLICE_ARGS(by));
    }
    if (s->evidence[0].kind == EVIDENCE_CHANGE)
        return text_format(rca->arena, "%.*s; no other evidence",
                           SLICE_ARGS(text));
    return text_format(rca->arena, "%.*s; score %.*fx lower", SLICE_ARGS(text),
                       ratio < 9.95, ratio);
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
        if (evidence->of[c].count == 1 &&
            evidence->of[c].best[EVIDENCE_CHANGE] > 0)
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
        report->cause = SLICE("nothing stands out");
        return OK;
    }
    report->cause = describe_cause(rca, &report->suspects[0]);
    report->first_failure = describe_first_failure(rca, report);
    report->impact = describe_impact(rca, report);
    return arena_status(rca->arena);
}
