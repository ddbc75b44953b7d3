/*
 * Root causes of a report, and the findings that support them: one for each
 * piece of evidence of a suspect.
 */
#include "rca_findings.h"

/* ---- sentences ---- */

struct slice rca_name(const struct cause_report *report, uint32_t c)
{
    return report->components[c].component;
}

/* The portal makes links of these; databases and hosts have no page. */
struct slice rca_linked_name(struct query_request *request,
                             const struct cause_report *report, uint32_t c)
{
    struct slice name = rca_name(report, c);

    return report->component_kinds[c] == CANDIDATE_COMPONENT
               ? arena_format(request->arena, "<comp:%.*s>", (int)name.len,
                              name.ptr)
               : name;
}

/* ---- findings ---- */

struct finding_log {
    uint64_t time_ns;
    const char *level;
    struct slice text;
};
static const struct reply_table finding_log_table = REPLY_TABLE(
    struct finding_log, REPLY_TIME(struct finding_log, "timestamp", time_ns),
    REPLY(struct finding_log, "level", level),
    REPLY(struct finding_log, "log", text));

struct trace_evidence {
    uint8_t id[16];
    bool is_error;
};
static const struct reply_table trace_evidence_table = REPLY_TABLE(
    struct trace_evidence, REPLY(struct trace_evidence, "trace_id", id),
    REPLY(struct trace_evidence, "is_error", is_error));

/* Of one of three types: log, trace, metric. */
struct finding_evidence {
    const char *type;
    struct reply_list log_lines;
    const struct trace_evidence *trace;
    struct slice summary; /* of a trace or metric */
};
static const struct reply_table evidence_table = REPLY_TABLE(
    struct finding_evidence, REPLY(struct finding_evidence, "type", type),
    REPLY_OPTIONAL_LIST(struct finding_evidence, "log_lines", log_lines,
                        &finding_log_table),
    REPLY_INLINE(struct finding_evidence, trace, REPLY_POINTER,
                 &trace_evidence_table),
    REPLY_OPTIONAL(struct finding_evidence, "summary", summary));

struct time_range {
    uint64_t start_ns, end_ns;
};
static const struct reply_table range_table = REPLY_TABLE(
    struct time_range, REPLY_TIME(struct time_range, "start", start_ns),
    REPLY_TIME(struct time_range, "end", end_ns));

struct finding {
    struct slice observation, component;
    struct time_range range;
    struct finding_evidence evidence;
};
static const struct reply_table finding_table = REPLY_TABLE(
    struct finding, REPLY(struct finding, "observation", observation),
    REPLY(struct finding, "component", component),
    REPLY_OBJECT(struct finding, "time_range", range, 0, &range_table),
    REPLY_OBJECT(struct finding, "evidence", evidence, 0, &evidence_table));

/* A line that is new; one that is gone has no time. */
static bool has_new_line(const struct cause_evidence *e)
{
    const struct cause_numbers *n = &e->numbers;

    return e->kind == EVIDENCE_BEHAVIOUR && e->line.len > 0 &&
           e->onset_ns > 0 && n->after * n->before_of > n->before * n->after_of;
}

static struct finding_evidence log_evidence(struct query_request *request,
                                            uint32_t count,
                                            struct finding_log **lines)
{
    *lines = arena_zero(request->arena, count, sizeof(**lines));
    return (struct finding_evidence){
        .type = "log", .log_lines = {*lines ? count : 0, *lines, NULL, NULL}};
}

static struct finding_evidence evidence_of(struct query_request *request,
                                           const struct cause_evidence *e)
{
    struct finding_evidence evidence = {.type = "metric", .summary = e->text};
    struct finding_log *line;

    if (has_new_line(e)) { /* of lines only errors count as new */
        evidence = log_evidence(request, 1, &line);
        if (line)
            *line = (struct finding_log){e->onset_ns, "ERROR", e->line};
    } else if (e->trace_count > 0) {
        struct trace_evidence *trace =
            arena_zero(request->arena, 1, sizeof(*trace));

        evidence.type = "trace";
        evidence.trace = trace;
        if (!trace)
            return evidence;
        memcpy(trace->id, e->traces[0], sizeof(trace->id));
        trace->is_error =
            e->kind == EVIDENCE_ERRORS || e->kind == EVIDENCE_BEHAVIOUR;
    }
    return evidence;
}

/* Warnings and errors that the first suspect logs more often. */
static struct finding more_errors(struct query_request *request,
                                  const struct cause_report *report)
{
    struct finding finding = {
        .observation =
            SLICE("It logs more warnings and errors than in the baseline"),
        .component = rca_name(report, report->suspects[0].component),
        .range = {report->logs[0].time_ns, report->window.end_ns}};
    struct finding_log *lines;

    finding.evidence = log_evidence(request, report->log_count, &lines);
    for (uint32_t i = 0; lines && i < report->log_count; i++)
        lines[i] = (struct finding_log){
            report->logs[i].time_ns,
            report->logs[i].level >= LEVEL_ERROR ? "ERROR" : "WARN",
            report->logs[i].text};
    return finding;
}

/* ---- root causes ---- */

const struct reply_table root_cause_table =
    REPLY_TABLE(struct root_cause, REPLY(struct root_cause, "summary", summary),
                REPLY(struct root_cause, "confidence", confidence),
                REPLY(struct root_cause, "analysis", analysis),
                REPLY_LIST(struct root_cause, "supporting_findings", findings,
                           &finding_table));

/* How it reaches users, and how much. */
static struct slice analysis(struct query_request *request,
                             const struct cause_report *report)
{
    struct slice text = SLICE("");

    for (uint32_t i = 0; i < report->path_count && report->path_count > 1;
         i++) {
        struct slice name =
            rca_linked_name(request, report, report->path[i].component);

        text =
            arena_format(request->arena, "%.*s%s%.*s", (int)text.len, text.ptr,
                         i == 0 ? "It affects users through " : ", ",
                         (int)name.len, name.ptr);
    }
    return arena_format(request->arena, "%.*s%sImpact: %.*s", (int)text.len,
                        text.ptr, text.len ? ". " : "", (int)report->impact.len,
                        report->impact.ptr);
}

/* Right in four of five answers; in two of five. */
static const char *confidence_of(const struct cause_report *report,
                                 const struct cause_suspect *s)
{
    double right = report->confidence * s->score / report->suspects[0].score;

    return right > 0.8 ? "high" : right > 0.4 ? "medium" : "low";
}

struct root_cause rca_root_cause(struct query_request *request,
                                 const struct cause_report *report,
                                 const struct cause_suspect *s)
{
    bool first = s == report->suspects;
    struct root_cause cause = {.summary = s->evidence[0].text,
                               .analysis = first ? analysis(request, report)
                                                 : s->evidence[0].text,
                               .confidence = confidence_of(report, s)};
    struct finding *findings =
        arena_zero(request->arena, s->evidence_count + 1, sizeof(*findings));
    uint32_t count = 0;

    if (!findings)
        return cause;
    for (; count < s->evidence_count; count++) {
        const struct cause_evidence *e = &s->evidence[count];

        findings[count] = (struct finding){
            e->text,
            rca_name(report, s->component),
            {e->onset_ns ? e->onset_ns : report->window.start_ns,
             report->window.end_ns},
            evidence_of(request, e)};
    }
    if (first && report->log_count > 0)
        findings[count++] = more_errors(request, report);
    cause.findings = (struct reply_list){count, findings, NULL, NULL};
    return cause;
}
