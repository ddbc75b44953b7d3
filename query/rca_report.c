/*
 * The report but for its root causes (rca_findings.c). In: the ranking of
 * cause.h. Every member follows from it: root causes are the suspects that
 * stand out, the timeline is what has a time, excluded causes are those that
 * another explains.
 */
#include "cause_reply.h"
#include "rca_findings.h"

#include <stdlib.h>

enum { MAX_CAUSES = 3, MAX_TIMELINE = 20, MAX_ACTIONS = 3 };
/* A second suspect is a cause, too, from this share of the first one's score.
 */
static const double MIN_SHARE = 0.5;

struct slice rca_report_summary(struct query_request *request,
                                const struct cause_report *report)
{
    if (!report->found)
        return arena_format(request->arena, "No cause was found: %.*s.",
                            (int)report->cause.len, report->cause.ptr);
    struct slice name =
        rca_linked_name(request, report, report->suspects[0].component);
    return arena_format(request->arena, "%.*s is the likely cause. %.*s",
                        (int)name.len, name.ptr, (int)report->cause.len,
                        report->cause.ptr);
}

/* ---- timeline ---- */

struct moment {
    uint64_t time_ns;
    struct slice component, event;
};
static const struct reply_table moment_table =
    REPLY_TABLE(struct moment, REPLY_TIME(struct moment, "timestamp", time_ns),
                REPLY_OPTIONAL(struct moment, "component", component),
                REPLY(struct moment, "event", event));

static int by_time(const void *left, const void *right)
{
    const struct moment *a = left, *b = right;

    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    int o = slice_compare(a->component, b->component);
    return o ? o : slice_compare(a->event, b->event);
}

struct timeline {
    struct moment moments[MAX_TIMELINE];
    uint32_t count;
};

static void add_moment(struct timeline *line, uint64_t time_ns,
                       struct slice component, struct slice event)
{
    if (time_ns && line->count < MAX_TIMELINE)
        line->moments[line->count++] =
            (struct moment){time_ns, component, event};
}

static void make_timeline(struct timeline *line, const struct rca_alert *alert,
                          const struct cause_report *report)
{
    add_moment(line, alert->time_ns, alert->component,
               alert->asked ? SLICE("the end of the window")
                            : SLICE("the alert"));
    for (uint32_t i = 0; i < report->change_count; i++)
        add_moment(line, report->changes[i].time_ns,
                   rca_name(report, report->changes[i].component),
                   report->changes[i].text);
    for (uint32_t i = 0; i < report->incident_count; i++)
        add_moment(line, report->incidents[i].start_ns,
                   rca_name(report, report->incidents[i].component),
                   report->incidents[i].text);
    for (uint32_t i = 0; i < report->suspect_count; i++)
        for (uint32_t k = 0; k < report->suspects[i].evidence_count; k++) {
            const struct cause_evidence *e = &report->suspects[i].evidence[k];

            if (e->kind != EVIDENCE_CHANGE) /* listed already */
                add_moment(line, e->onset_ns,
                           rca_name(report, report->suspects[i].component),
                           e->text);
        }
    qsort(line->moments, line->count, sizeof(line->moments[0]), by_time);
}

/* ---- the result ---- */

/* Also a step of the investigation: action and outcome. */
struct rca_statement {
    struct slice description, rationale;
    const char *status; /* of an action */
};
static const struct reply_table excluded_table =
    REPLY_TABLE(struct rca_statement,
                REPLY(struct rca_statement, "description", description),
                REPLY(struct rca_statement, "rationale", rationale));
static const struct reply_table action_table =
    REPLY_TABLE(struct rca_statement,
                REPLY(struct rca_statement, "description", description),
                REPLY(struct rca_statement, "rationale", rationale),
                REPLY(struct rca_statement, "status", status));
static const struct reply_table advice_table =
    REPLY_TABLE(struct rca_statement,
                REPLY(struct rca_statement, "description", description));
static const struct reply_table step_table = REPLY_TABLE(
    struct rca_statement, REPLY(struct rca_statement, "action", description),
    REPLY(struct rca_statement, "outcome", rationale));

struct recommendations {
    struct reply_list actions, advice;
};
static const struct reply_table recommendations_table = REPLY_TABLE(
    struct recommendations,
    REPLY_LIST(struct recommendations, "recommended_actions", actions,
               &action_table),
    REPLY_LIST(struct recommendations, "observability_recommendations", advice,
               &advice_table));

struct rca_found {
    struct reply_list causes, timeline, excluded;
};
static const struct reply_table found_table = REPLY_TABLE(
    struct rca_found,
    REPLY_LIST(struct rca_found, "root_causes", causes, &root_cause_table),
    REPLY_LIST(struct rca_found, "timeline", timeline, &moment_table),
    REPLY_LIST(struct rca_found, "excluded_causes", excluded, &excluded_table));

struct rca_result {
    const char *type;
    const struct rca_found *found;     /* NULL: no cause was found, and */
    const char *outcome, *explanation; /* this says why */
    struct recommendations recommendations;
};
static const struct reply_table result_table = REPLY_TABLE(
    struct rca_result, REPLY(struct rca_result, "type", type),
    REPLY_INLINE(struct rca_result, found, REPLY_POINTER, &found_table),
    REPLY_OPTIONAL(struct rca_result, "outcome", outcome),
    REPLY_OPTIONAL(struct rca_result, "explanation", explanation),
    REPLY_OBJECT(struct rca_result, "recommendations", recommendations, 0,
                 &recommendations_table));

enum { STEPS = 3 };

struct rca_report {
    struct alert_context alert;
    struct slice summary;
    struct rca_result result;
    struct reply_list path;
    const struct cause_view *cause; /* NULL: it is stored as it was written */

    struct root_cause causes[MAX_CAUSES];
    struct timeline timeline;
    struct rca_found found;
    struct rca_statement actions[MAX_ACTIONS], steps[STEPS];
};
const struct reply_table rca_report_table = REPLY_TABLE(
    struct rca_report,
    REPLY_OBJECT(struct rca_report, "alert_context", alert, 0,
                 &alert_context_table),
    REPLY(struct rca_report, "summary", summary),
    REPLY_OBJECT(struct rca_report, "result", result, 0, &result_table),
    REPLY_LIST(struct rca_report, "investigation_path", path, &step_table),
    REPLY_OBJECT(struct rca_report, "cause", cause, REPLY_POINTER,
                 &cause_table));

static bool is_cause(const struct cause_report *report, uint32_t i)
{
    return i < MAX_CAUSES && i < report->suspect_count &&
           report->suspects[i].score >= MIN_SHARE * report->suspects[0].score;
}

static struct reply_list excluded_causes(struct query_request *request,
                                         const struct cause_report *report)
{
    struct rca_statement *excluded = arena_zero(
        request->arena, report->excluded_count + 1, sizeof(*excluded));

    for (uint32_t i = 0; excluded && i < report->excluded_count; i++)
        excluded[i] = (struct rca_statement){
            rca_name(report, report->excluded[i].component),
            report->excluded[i].reason, NULL};
    return (struct reply_list){excluded ? report->excluded_count : 0, excluded,
                               NULL, NULL};
}

static struct recommendations recommend(struct query_request *request,
                                        const struct cause_report *report,
                                        struct rca_statement *actions)
{
    static const struct rca_statement send_traces = {
        .description = SLICE_INIT("Send traces: without them a fault cannot be "
                                  "followed from one component to the next")};
    uint32_t count = 0;

    for (; report->found && count < MAX_ACTIONS && is_cause(report, count);
         count++) {
        const struct cause_suspect *s = &report->suspects[count];
        struct evidence_advice words =
            evidence_kind_advice(s->evidence[0].kind);
        struct slice name = rca_linked_name(request, report, s->component);

        actions[count] = (struct rca_statement){
            arena_format(request->arena, "%s%.*s%s", words.before,
                         (int)name.len, name.ptr, words.after),
            s->evidence[0].text, "suggested"};
    }
    return (struct recommendations){
        .actions = {count, actions, NULL, NULL},
        .advice = {report->spans_read == 0, &send_traces, NULL, NULL}};
}

static struct rca_result result_of(struct query_request *request,
                                   const struct rca_alert *alert,
                                   const struct cause_report *report,
                                   struct rca_report *r)
{
    bool empty = report->traces_during == 0 && report->suspect_count == 0;
    uint32_t count = 0;

    if (!report->found)
        return (struct rca_result){
            .type = "no_root_cause_identified",
            .outcome = empty ? "insufficient_data" : "no_anomaly_detected",
            .explanation =
                empty ? "There are no traces in the window, and no metric rose."
                      : "No difference from the time before is large enough to "
                        "name a cause."};
    for (; is_cause(report, count); count++)
        r->causes[count] =
            rca_root_cause(request, report, &report->suspects[count]);
    make_timeline(&r->timeline, alert, report);
    r->found = (struct rca_found){
        .causes = {count, r->causes, NULL, NULL},
        .timeline = {r->timeline.count, r->timeline.moments, NULL, NULL},
        .excluded = excluded_causes(request, report)};
    return (struct rca_result){.type = "root_cause_identified",
                               .found = &r->found};
}

static uint32_t count_explained(const struct cause_report *report)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < report->suspect_count; i++)
        count += report->suspects[i].explained_by != UINT32_MAX;
    return count;
}

/* How it was found. */
static struct reply_list investigation(struct query_request *request,
                                       const struct cause_report *report,
                                       struct rca_statement steps[STEPS])
{
    steps[0] = (struct rca_statement){
        SLICE("Compared traces and logs of the window with those before"),
        arena_format(
            request->arena,
            "%llu spans and %llu log records, of %llu traces before and "
            "%llu in the window",
            (unsigned long long)report->spans_read,
            (unsigned long long)report->logs_read,
            (unsigned long long)report->traces_before,
            (unsigned long long)report->traces_during),
        NULL};
    steps[1] = (struct rca_statement){
        SLICE("Compared requests, calls and usage with their limits"),
        arena_format(request->arena, "%u of %u candidates have evidence",
                     (unsigned)report->suspect_count,
                     (unsigned)report->component_count),
        NULL};
    steps[2] = (struct rca_statement){
        SLICE("Followed the calls to the deepest component with evidence"),
        arena_format(request->arena,
                     "%u of these are explained by what they call",
                     (unsigned)count_explained(report)),
        NULL};
    return (struct reply_list){STEPS, steps, NULL, NULL};
}

const struct rca_report *rca_report_make(struct query_request *request,
                                         const struct rca_alert *alert,
                                         const struct cause_report *report)
{
    struct rca_report *r = arena_zero(request->arena, 1, sizeof(*r));

    if (!r)
        return NULL;
    r->alert = rca_alert_context(alert);
    r->summary = rca_report_summary(request, report);
    r->result = result_of(request, alert, report, r);
    r->result.recommendations = recommend(request, report, r->actions);
    r->path = investigation(request, report, r->steps);
    return r;
}
