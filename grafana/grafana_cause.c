/*
 * Root cause: the ranking, the series behind the evidence, and the sentence.
 * All three are one report (cause.h) of the range, compared with the time
 * before it.
 */
#include "cause.h"

#include <math.h>

#include "clock.h"
#include "grafana_columns.h"
#include "grafana_handlers.h"
#include "grafana_query.h"
#include "grafana_records.h"
#include "hex.h"

enum { RANGE_MAX_DAYS = 30 };

/* ---- the report ---- */

/* A name that all components of the scope share; empty: they do not. */
static struct slice only_name(struct grafana_query *q, enum identity_text name)
{
    const struct component_info *all;
    struct slice only = {NULL, 0};
    uint32_t count;

    all = registry_components(q->request->services->registry, &q->scope,
                              &q->request->viewer, q->request->arena, &count);
    for (uint32_t i = 0; i < count; i++) {
        const struct identity *identity = &all[i].identity;

        if (identity->component.len == 0 || !query_fits_identity(q, identity))
            continue;
        if (only.len > 0 && !slice_equal(only, identity->text[name]))
            return (struct slice){NULL, 0};
        only = identity->text[name];
    }
    return only;
}

struct cause_answer {
    struct cause_report *report; /* NULL: there is none */
    const char *reason;          /* why */
};

static enum status read_report(struct grafana_query *q,
                               struct cause_answer *answer)
{
    struct query_request *request = q->request;
    enum status s;
    struct cause_query query = {.scope = q->scope,
                                .viewer = &request->viewer,
                                .window = {q->start_ns, q->end_ns},
                                .registry = request->services->registry,
                                .catalog = request->services->catalog,
                                .reader = request->reader};

    *answer = (struct cause_answer){NULL, NULL};
    if (query.scope.namespace.len == 0)
        query.scope.namespace = only_name(q, IDENTITY_NAMESPACE);
    if (query.scope.project.len == 0)
        query.scope.project = only_name(q, IDENTITY_PROJECT);
    if (query.scope.namespace.len == 0 || query.scope.project.len == 0)
        answer->reason = "choose one namespace and one project: a cause is "
                         "looked for among the components of a project";
    else if (q->end_ns - q->start_ns > RANGE_MAX_DAYS * NS_PER_DAY)
        answer->reason = "choose a time range of at most 30 days";
    if (answer->reason)
        return OK;
    s = cause_find(&query, request->arena, &answer->report);
    if (s == ERR_INVALID) { /* or it begins in 1970 */
        *answer = (struct cause_answer){NULL, "the time range is empty"};
        return OK;
    }
    return s == OK ? OK : query_fail_read(request, s);
}

static void notices(const struct cause_answer *answer,
                    struct grafana_frame *frame)
{
    const struct cause_report *report = answer->report;

    if (answer->reason)
        frame_notice(frame, NOTICE_WARNING, "%s", answer->reason);
    if (!report)
        return;
    if (!report->found)
        frame_notice(frame, NOTICE_INFO,
                     "%.*s: compared with the time from %llu minutes before "
                     "the range, no component fails or is slower than usual",
                     (int)report->cause.len, report->cause.ptr,
                     (unsigned long long)((report->window.start_ns -
                                           report->baseline.start_ns) /
                                          NS_PER_MIN));
    for (uint32_t i = 0; i < report->remark_count; i++)
        frame_notice(frame, NOTICE_INFO, "%.*s",
                     (int)report->remarks[i].text.len,
                     report->remarks[i].text.ptr);
}

static struct slice name_of(const struct cause_report *report, uint32_t c)
{
    return c == UINT32_MAX ? SLICE("") : report->components[c].component;
}

/* ---- incidents, for changes ---- */

static void visit_incidents(const struct cause_report *report,
                            incident_visit *visit, void *arg)
{
    const struct cause_suspect *first = report->suspects;
    struct incident_region now = {.end_ns = report->window.end_ns,
                                  .text = report->cause};

    for (uint32_t i = 0; i < report->incident_count; i++) {
        const struct cause_incident *i_was = &report->incidents[i];
        const struct incident_region before = {
            i_was->start_ns, i_was->end_ns,
            &report->components[i_was->component], i_was->text};

        visit(arg, &before);
    }
    if (!report->found || report->suspect_count == 0)
        return;
    now.start_ns =
        first->onset_ns > 0 ? first->onset_ns : report->judged_from_ns;
    now.identity = &report->components[first->component];
    visit(arg, &now);
}

enum status cause_incidents(struct grafana_query *q,
                            struct grafana_frame *frame, incident_visit *visit,
                            void *arg)
{
    const struct viewer viewer = q->request->viewer;
    struct cause_answer answer;
    enum status s;

    if (!grants_have(viewer.grants, ACTION_RCA_VIEW)) {
        frame_notice(frame, NOTICE_INFO, "incidents are left out: they need %s",
                     action_text(ACTION_RCA_VIEW));
        return OK;
    }
    q->request->viewer.action = ACTION_RCA_VIEW;
    s = read_report(q, &answer);
    q->request->viewer = viewer;
    if (s != OK)
        return s;
    if (answer.report)
        visit_incidents(answer.report, visit, arg);
    notices(&answer, frame);
    return OK;
}

/* ---- cause ---- */

enum {
    CAUSE_RANK,
    CAUSE_COMPONENT,
    CAUSE_SCORE,
    CAUSE_KIND,
    CAUSE_SINCE,
    CAUSE_WHY,
    CAUSE_OPERATION,
    CAUSE_AFFECTED,
    CAUSE_EXPLAINED,
    CAUSE_TYPE,
    CAUSE_ENVIRONMENT,
    CAUSE_PROJECT,
    CAUSE_NAMESPACE,
    CAUSE_TRACE,
    CAUSE_COLUMNS
};
static const struct column cause_columns[CAUSE_COLUMNS] = {
    {"rank", FIELD_NUMBER, "none", "Rank", NULL, NULL},
    {"component", FIELD_STRING, NULL, "Component", NULL, NULL},
    {"score", FIELD_NUMBER, "none", "Score", NULL,
     "How much more likely the evidence is if this is the cause: a "
     "log-likelihood ratio"},
    {"kind", FIELD_STRING, NULL, "Kind", NULL,
     "Of the strongest evidence: resource, errors, latency, change ..."},
    {"since", FIELD_TIME, NULL, "Since", NULL, NULL},
    {"why", FIELD_STRING, NULL, "Why", NULL, NULL},
    {"operation", FIELD_STRING, NULL, "Operation", NULL, NULL},
    {"affected", FIELD_STRING, NULL, "Affected callers", NULL, NULL},
    {"explainedBy", FIELD_STRING, NULL, "Explained by", NULL,
     "Its symptoms follow from those of this callee"},
    {"type", FIELD_STRING, NULL, "Type", NULL,
     "component, database, queue or external"},
    {"environment", FIELD_STRING, NULL, "Environment", NULL, NULL},
    {"project", FIELD_STRING, NULL, "Project", NULL, NULL},
    {"namespace", FIELD_STRING, NULL, "Namespace", NULL, NULL},
    {"traceID", FIELD_STRING, NULL, "Trace", NULL, "An example"},
};

static struct slice affected_of(struct grafana_query *q,
                                const struct cause_report *report,
                                const struct cause_suspect *suspect)
{
    struct slice text;
    struct buf buf;

    buf_init(&buf, 4096);
    for (uint32_t i = 0; i < suspect->affected_count; i++) {
        if (i > 0)
            buf_add(&buf, SLICE(", "));
        buf_add(&buf, name_of(report, suspect->affected[i]));
    }
    text = arena_copy(q->request->arena, buf_slice(&buf));
    buf_release(&buf);
    return text;
}

static void add_evidence(struct grafana_query *q, struct grafana_field **f,
                         const struct cause_evidence *e)
{
    field_text(f[CAUSE_KIND], slice_of(evidence_kind_name(e->kind)));
    field_text(f[CAUSE_WHY], e->text);
    field_text(f[CAUSE_OPERATION], e->operation);
    if (e->trace_count > 0)
        field_text(f[CAUSE_TRACE], hex_text(q->request->arena, e->traces[0],
                                            sizeof(e->traces[0])));
}

static void add_suspect(struct grafana_query *q, struct grafana_field **f,
                        const struct cause_report *report, uint32_t i)
{
    const struct cause_suspect *suspect = &report->suspects[i];
    const struct identity *identity = &report->components[suspect->component];

    field_number(f[CAUSE_RANK], i + 1);
    field_text(f[CAUSE_COMPONENT], identity->component);
    field_number(f[CAUSE_SCORE], round(suspect->score * 100) / 100);
    field_time(f[CAUSE_SINCE], suspect->onset_ns);
    field_text(f[CAUSE_AFFECTED], affected_of(q, report, suspect));
    field_text(f[CAUSE_EXPLAINED], name_of(report, suspect->explained_by));
    field_text(
        f[CAUSE_TYPE],
        slice_of(
            candidate_kind_names[report->component_kinds[suspect->component]]));
    field_text(f[CAUSE_ENVIRONMENT], identity->environment);
    field_text(f[CAUSE_PROJECT], identity->project);
    field_text(f[CAUSE_NAMESPACE], identity->namespace);
    if (suspect->evidence_count > 0)
        add_evidence(q, f, &suspect->evidence[0]);
}

enum status grafana_cause(struct grafana_query *q)
{
    struct grafana_field *f[CAUSE_COLUMNS];
    struct grafana_frame *frame = FRAME_COLUMNS(q, "cause", cause_columns, f);
    struct cause_answer answer;
    enum status s = read_report(q, &answer);

    if (s != OK)
        return s;
    link_row_component(f[CAUSE_COMPONENT]);
    link_row_trace(f[CAUSE_TRACE]);
    for (uint32_t i = 0; answer.report && i < answer.report->suspect_count;
         i++) {
        frame_row(frame);
        add_suspect(q, f, answer.report, i);
    }
    notices(&answer, frame);
    return OK;
}

/* ---- cause_evidence ---- */

/* Grafana's name of a unit. */
static const char *grafana_unit(struct grafana_query *q, const char *unit)
{
    static const struct {
        const char *unit, *name;
    } units[] = {{"%", "percent"}, {"ms", "ms"},       {"s", "s"},
                 {"By", "bytes"},  {"bytes", "bytes"}, {"1", "short"},
                 {"By/s", "Bps"},  {"ns", "ns"},       {"us", "\xc2\xb5s"},
                 {"1/s", "ops"},   {"", "short"}};
    struct slice text = slice_of(unit ? unit : "");

    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (slice_equal(text, slice_of(units[i].unit)))
            return units[i].name;
    return grafana_cstr(q->request->arena,
                        arena_format(q->request->arena, "suffix: %.*s",
                                     (int)min_u64(text.len, 40), text.ptr));
}

/* What was usual, where it is measured in the unit of the chart. NAN: it is
 * not. */
static double usual(const struct cause_evidence *e)
{
    const struct cause_numbers *n = &e->numbers;

    return n->unit && e->chart.unit && n->before_of <= 0 && n->after_of <= 0 &&
                   slice_equal(slice_of(n->unit), slice_of(e->chart.unit))
               ? n->before
               : (double)NAN;
}

static void set_threshold(struct grafana_query *q, struct grafana_field *value,
                          double threshold)
{
    static const char format[] =
        "\"thresholds\":{\"mode\":\"absolute\",\"steps\":[{\"value\":null,"
        "\"color\":\"green\"},{\"value\":%.6g,\"color\":\"orange\"}]}";

    if (value && isfinite(threshold))
        value->raw = arena_format(q->request->arena, format, threshold);
}

static void add_points(struct grafana_frame *frame,
                       const struct cause_chart *chart, double threshold)
{
    struct grafana_field *time = frame->fields, *value = time->next;

    for (uint32_t i = 0; i < chart->count; i++) {
        frame_row(frame);
        field_time(time, chart->points[i].time_ns);
        field_number(value, chart->points[i].value);
        field_number(value->next, threshold);
    }
}

/* A frame of the series, and what was usual as a dashed line. */
static struct grafana_frame *add_chart(struct grafana_query *q,
                                       struct slice component,
                                       const struct cause_evidence *e)
{
    static const struct slice dashed =
        SLICE_INIT("{\"lineStyle\":{\"fill\":\"dash\",\"dash\":[8,8]}}");
    struct slice about = e->operation.len > 0 ? e->operation : e->metric;
    struct grafana_frame *frame = query_frame(q, e->text);
    struct grafana_field *time = frame_field(frame, "time", FIELD_TIME);
    struct grafana_field *value = frame_field(frame, "value", FIELD_NUMBER);
    struct grafana_field *line = frame_field(frame, "usual", FIELD_NUMBER);
    double threshold = usual(e);

    if (!time || !value || !line)
        return NULL; /* the arena is full */
    frame->type = "timeseries-wide";
    frame->visual = "graph";
    value->unit = line->unit = grafana_unit(q, e->chart.unit);
    value->display_name =
        arena_format(q->request->arena, "%.*s: %s%s%.*s", (int)component.len,
                     component.ptr, e->chart.title, about.len > 0 ? ", " : "",
                     (int)min_u64(about.len, 200), about.ptr);
    line->display_name = arena_format(q->request->arena, "%.*s: usual",
                                      (int)component.len, component.ptr);
    line->color = "gray";
    line->custom = dashed;
    field_label(value, "component", component);
    field_label(value, "kind", slice_of(evidence_kind_name(e->kind)));
    set_threshold(q, value, threshold);
    add_points(frame, &e->chart, threshold);
    return frame;
}

/* Two findings may rest on one series: failed requests, and their code. */
static bool is_shown(const struct cause_suspect *suspect, uint32_t k)
{
    const struct cause_evidence *e = &suspect->evidence[k];

    for (uint32_t i = 0; i < k; i++) {
        const struct cause_evidence *other = &suspect->evidence[i];

        if (other->chart.title &&
            strcmp(other->chart.title, e->chart.title) == 0 &&
            slice_equal(other->operation, e->operation) &&
            slice_equal(other->metric, e->metric))
            return true;
    }
    return false;
}

/* Those of the report; the first one, or NULL. */
static struct grafana_frame *add_charts(struct grafana_query *q,
                                        const struct cause_report *report)
{
    struct grafana_frame *first = NULL;

    for (uint32_t i = 0; i < report->suspect_count; i++) {
        const struct cause_suspect *suspect = &report->suspects[i];

        for (uint32_t k = 0; k < suspect->evidence_count; k++) {
            struct grafana_frame *frame =
                suspect->evidence[k].chart.title && !is_shown(suspect, k)
                    ? add_chart(q, name_of(report, suspect->component),
                                &suspect->evidence[k])
                    : NULL;

            if (!first)
                first = frame;
        }
    }
    return first;
}

enum status grafana_cause_evidence(struct grafana_query *q)
{
    struct grafana_frame *frame = NULL;
    struct cause_answer answer;
    enum status s = read_report(q, &answer);

    if (s != OK)
        return s;
    if (answer.report)
        frame = add_charts(q, answer.report);
    if (!frame) {
        frame = query_frame(q, SLICE("evidence"));
        (void)frame_field(frame, "time", FIELD_TIME);
        (void)frame_field(frame, "value", FIELD_NUMBER);
        if (answer.report && answer.report->found)
            frame_notice(frame, NOTICE_INFO,
                         "the evidence is not of a kind that has a series: "
                         "see the ranking");
    }
    notices(&answer, frame);
    return OK;
}

/* ---- cause_summary ---- */

enum {
    SUMMARY_TEXT,
    SUMMARY_COMPONENT,
    SUMMARY_CONFIDENCE,
    SUMMARY_SINCE,
    SUMMARY_FIRST,
    SUMMARY_IMPACT,
    SUMMARY_COLUMNS
};
static const struct column summary_columns[SUMMARY_COLUMNS] = {
    {"summary", FIELD_STRING, NULL, "Cause", NULL, NULL},
    {"component", FIELD_STRING, NULL, "Component", NULL, NULL},
    {"confidence", FIELD_NUMBER, "percentunit", "Confidence", NULL, NULL},
    {"since", FIELD_TIME, NULL, "Since", NULL, NULL},
    {"firstFailure", FIELD_STRING, NULL, "First failure", NULL, NULL},
    {"impact", FIELD_STRING, NULL, "Impact", NULL, NULL},
};

enum status grafana_cause_summary(struct grafana_query *q)
{
    struct grafana_field *f[SUMMARY_COLUMNS];
    struct grafana_frame *frame =
        FRAME_COLUMNS(q, "cause summary", summary_columns, f);
    const struct cause_report *report;
    struct cause_answer answer;
    enum status s = read_report(q, &answer);

    if (s != OK)
        return s;
    notices(&answer, frame);
    report = answer.report;
    if (!report)
        return OK;
    frame_row(frame);
    field_text(f[SUMMARY_TEXT], report->cause);
    field_text(f[SUMMARY_FIRST], report->first_failure);
    field_text(f[SUMMARY_IMPACT], report->impact);
    if (report->found && report->suspect_count > 0) {
        field_text(f[SUMMARY_COMPONENT],
                   name_of(report, report->suspects[0].component));
        field_number(f[SUMMARY_CONFIDENCE], report->confidence);
        field_time(f[SUMMARY_SINCE], report->suspects[0].onset_ns);
    }
    return OK;
}
