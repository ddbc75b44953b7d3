/*
 * The tables of a cause report. No time of answering is in it: the same data
 * and query give the same bytes. Numbers are rounded: more digits are noise,
 * and make answers hard to compare.
 *
 * Lists in lists are written one item at a time, from the views in struct
 * cause_writer.
 */
#include "cause_reply.h"

#include <math.h>

/* ---- evidence ---- */

static const struct reply_table counts_table =
    REPLY_TABLE(struct cause_numbers,
                REPLY_ROUNDED(struct cause_numbers, "beforeOf", before_of),
                REPLY_ROUNDED(struct cause_numbers, "afterOf", after_of));

struct numbers_view {
    const struct cause_numbers *numbers;
    const struct cause_numbers *counts; /* NULL: they are not k of n */
};
static const struct reply_table number_table = REPLY_TABLE(
    struct cause_numbers, REPLY_ROUNDED(struct cause_numbers, "before", before),
    REPLY_ROUNDED(struct cause_numbers, "after", after),
    REPLY(struct cause_numbers, "unit", unit));
static const struct reply_table numbers_table = REPLY_TABLE(
    struct numbers_view,
    REPLY_INLINE(struct numbers_view, numbers, REPLY_POINTER, &number_table),
    REPLY_INLINE(struct numbers_view, counts, REPLY_POINTER, &counts_table));

/* Pairs, as charts take them. */
static const struct reply_table point_table =
    REPLY_TABLE(struct cause_chart_point,
                REPLY_TIME(struct cause_chart_point, NULL, time_ns),
                REPLY_ROUNDED(struct cause_chart_point, NULL, value));

struct series_view {
    const char *title, *unit;
    struct reply_list points;
};
static const struct reply_table series_table =
    REPLY_TABLE(struct series_view, REPLY(struct series_view, "title", title),
                REPLY(struct series_view, "unit", unit),
                REPLY_LIST(struct series_view, "points", points, &point_table));

static const struct reply_table finding_table = REPLY_TABLE(
    struct cause_evidence, REPLY(struct cause_evidence, "class", class),
    REPLY_ROUNDED(struct cause_evidence, "score", score),
    REPLY(struct cause_evidence, "text", text),
    REPLY_OPTIONAL(struct cause_evidence, "operation", operation),
    REPLY_OPTIONAL(struct cause_evidence, "metric", metric),
    REPLY_OPTIONAL(struct cause_evidence, "template", template),
    REPLY_OPTIONAL(struct cause_evidence, "line", line),
    REPLY_OPTIONAL_TIME(struct cause_evidence, "onset", onset_ns));

struct evidence_view {
    const char *kind;
    const struct cause_evidence *finding;
    struct slice peer;
    struct numbers_view numbers;
    const struct numbers_view *has_numbers; /* or NULL */
    struct reply_list traces;
    struct series_view series;
    const struct series_view *has_series; /* or NULL */
};
static const struct reply_table evidence_table = REPLY_TABLE(
    struct evidence_view, REPLY(struct evidence_view, "kind", kind),
    REPLY_INLINE(struct evidence_view, finding, REPLY_POINTER, &finding_table),
    REPLY_OPTIONAL(struct evidence_view, "peer", peer),
    REPLY_OBJECT(struct evidence_view, "numbers", has_numbers, REPLY_POINTER,
                 &numbers_table),
    REPLY_LIST(struct evidence_view, "traceIds", traces, &reply_trace_ids),
    REPLY_OBJECT(struct evidence_view, "series", has_series, REPLY_POINTER,
                 &series_table));

/* ---- suspects ---- */

struct suspect_view {
    uint32_t rank;
    struct slice namespace, project, component, environment, explained_by;
    const char *kind;
    double score;
    uint64_t onset_ns;
    struct reply_list affected, evidence;
};
static const struct reply_table suspect_table = REPLY_TABLE(
    struct suspect_view, REPLY(struct suspect_view, "rank", rank),
    REPLY_OPTIONAL(struct suspect_view, "namespace", namespace),
    REPLY_OPTIONAL(struct suspect_view, "project", project),
    REPLY(struct suspect_view, "component", component),
    REPLY_OPTIONAL(struct suspect_view, "environment", environment),
    REPLY(struct suspect_view, "kind", kind),
    REPLY(struct suspect_view, "score", score),
    REPLY_OPTIONAL_TIME(struct suspect_view, "onset", onset_ns),
    REPLY_OPTIONAL(struct suspect_view, "explainedBy", explained_by),
    REPLY_LIST(struct suspect_view, "affected", affected, &reply_texts),
    REPLY_LIST(struct suspect_view, "evidence", evidence, &evidence_table));

struct cause_writer {
    const struct cause_report *report;
    const struct cause_suspect *suspect; /* of the list that is written */
    struct suspect_view suspect_view;
    struct evidence_view evidence_view;
    struct slice affected;
};

static struct slice name_of(const struct cause_report *report, uint32_t c)
{
    return c == UINT32_MAX ? SLICE("") : report->components[c].component;
}

static const void *affected_item(void *arg, uint32_t i)
{
    struct cause_writer *writer = arg;

    writer->affected = name_of(writer->report, writer->suspect->affected[i]);
    return &writer->affected;
}

static const void *evidence_item(void *arg, uint32_t i)
{
    struct cause_writer *writer = arg;
    const struct cause_evidence *e = &writer->suspect->evidence[i];
    const struct cause_numbers *n = &e->numbers;
    struct evidence_view *view = &writer->evidence_view;

    *view = (struct evidence_view){
        .kind = evidence_kind_name(e->kind),
        .finding = e,
        .peer = name_of(writer->report, e->peer),
        .numbers = {n, n->before_of > 0 || n->after_of > 0 ? n : NULL},
        .has_numbers = n->unit ? &view->numbers : NULL,
        .traces = {e->trace_count, e->traces, NULL, NULL},
        .series = {e->chart.title,
                   e->chart.unit,
                   {e->chart.count, e->chart.points, NULL, NULL}},
        .has_series = e->chart.title ? &view->series : NULL};
    return view;
}

static const void *suspect_item(void *arg, uint32_t i)
{
    struct cause_writer *writer = arg;
    const struct cause_report *report = writer->report;
    const struct cause_suspect *s = &report->suspects[i];
    const struct identity *identity = &report->components[s->component];

    writer->suspect = s;
    writer->suspect_view = (struct suspect_view){
        .rank = i + 1,
        .namespace = identity->namespace,
        .project = identity->project,
        .component = identity->component,
        .environment = identity->environment,
        .explained_by = name_of(report, s->explained_by),
        .kind = candidate_kind_names[report->component_kinds[s->component]],
        .score = round(s->score * 10000) / 10000,
        .onset_ns = s->onset_ns,
        .affected = {s->affected_count, NULL, affected_item, writer},
        .evidence = {s->evidence_count, NULL, evidence_item, writer}};
    return &writer->suspect_view;
}

/* ---- lists of things that a component has ---- */

/* Of a peer only the name. */
static const struct reply_table names_table = REPLY_TABLE(
    struct identity, REPLY_OPTIONAL(struct identity, "namespace", namespace),
    REPLY_OPTIONAL(struct identity, "project", project),
    REPLY(struct identity, "component", component));

struct component_item {
    const struct identity *names;
    const void *item;
};

#define COMPONENT_TABLE(fields)                                   \
    REPLY_TABLE(                                                  \
        struct component_item,                                    \
        REPLY_INLINE(struct component_item, names, REPLY_POINTER, \
                     &names_table),                               \
        REPLY_INLINE(struct component_item, item, REPLY_POINTER, fields))

static const struct reply_table step_fields_table =
    REPLY_TABLE(struct cause_path_step,
                REPLY_OPTIONAL(struct cause_path_step, "symptom", symptom));
static const struct reply_table step_table =
    COMPONENT_TABLE(&step_fields_table);

static const struct reply_table change_fields_table = REPLY_TABLE(
    struct cause_change, REPLY_TIME(struct cause_change, "timestamp", time_ns),
    REPLY_OPTIONAL(struct cause_change, "kind", kind),
    REPLY(struct cause_change, "text", text));
static const struct reply_table change_table =
    COMPONENT_TABLE(&change_fields_table);

static const struct reply_table excluded_fields_table = REPLY_TABLE(
    struct cause_excluded, REPLY(struct cause_excluded, "reason", reason));
static const struct reply_table excluded_table =
    COMPONENT_TABLE(&excluded_fields_table);

static const struct reply_table incident_fields_table =
    REPLY_TABLE(struct cause_incident,
                REPLY_TIME(struct cause_incident, "startTime", start_ns),
                REPLY_TIME(struct cause_incident, "endTime", end_ns),
                REPLY(struct cause_incident, "text", text));
static const struct reply_table incident_table =
    COMPONENT_TABLE(&incident_fields_table);

struct impact_view {
    const struct identity *names;
    const struct cause_impact *impact;
    double slow_from_ms;
    struct slice through;
};
static const struct reply_table impact_fields_table = REPLY_TABLE(
    struct cause_impact, REPLY(struct cause_impact, "operation", operation),
    REPLY(struct cause_impact, "requests", requests),
    REPLY(struct cause_impact, "failed", failed),
    REPLY(struct cause_impact, "requestsBefore", requests_before),
    REPLY(struct cause_impact, "failedBefore", failed_before),
    REPLY(struct cause_impact, "slow", slow),
    REPLY(struct cause_impact, "isSample", is_sample));
static const struct reply_table impact_table = REPLY_TABLE(
    struct impact_view,
    REPLY_INLINE(struct impact_view, names, REPLY_POINTER, &names_table),
    REPLY_INLINE(struct impact_view, impact, REPLY_POINTER,
                 &impact_fields_table),
    REPLY_OPTIONAL_ROUNDED(struct impact_view, "slowFromMs", slow_from_ms),
    REPLY_OPTIONAL(struct impact_view, "through", through));

/* A list of the report whose items have the number of a component. */
struct numbered_items {
    const struct cause_report *report;
    const void *items;
    size_t size, component_offset;
    struct component_item view; /* of the item that is written */
};

static const void *component_item(void *arg, uint32_t i)
{
    struct numbered_items *list = arg;
    const char *item = (const char *)list->items + i * list->size;
    uint32_t component;

    memcpy(&component, item + list->component_offset, sizeof(component));
    list->view =
        (struct component_item){&list->report->components[component], item};
    return &list->view;
}

struct impact_items {
    const struct cause_report *report;
    struct impact_view view;
};

static const void *impact_item(void *arg, uint32_t i)
{
    struct impact_items *list = arg;
    const struct cause_impact *impact = &list->report->impacts[i];

    list->view =
        (struct impact_view){&list->report->components[impact->component],
                             impact, (double)impact->slow_limit_ns / 1e6,
                             name_of(list->report, impact->through)};
    return &list->view;
}

/* ---- logs, attributes ---- */

struct cause_log_view {
    const struct cause_log *log;
    const char *level;
};
static const struct reply_table log_fields_table = REPLY_TABLE(
    struct cause_log, REPLY_TIME(struct cause_log, "timestamp", time_ns),
    REPLY(struct cause_log, "log", text),
    REPLY(struct cause_log, "count", count),
    REPLY(struct cause_log, "countBefore", before));
static const struct reply_table log_table = REPLY_TABLE(
    struct cause_log_view,
    REPLY_INLINE(struct cause_log_view, log, REPLY_POINTER, &log_fields_table),
    REPLY(struct cause_log_view, "level", level));

struct log_items {
    const struct cause_report *report;
    struct cause_log_view view;
};

static const void *log_item(void *arg, uint32_t i)
{
    struct log_items *list = arg;
    const struct cause_log *log = &list->report->logs[i];

    list->view = (struct cause_log_view){
        log, log->level >= LEVEL_ERROR ? "ERROR" : "WARN"};
    return &list->view;
}

static const struct reply_table attribute_table = REPLY_TABLE(
    struct cause_correlation, REPLY(struct cause_correlation, "key", key),
    REPLY(struct cause_correlation, "value", value),
    REPLY_ROUNDED(struct cause_correlation, "score", score),
    REPLY(struct cause_correlation, "failing", failing),
    REPLY(struct cause_correlation, "failingOf", failing_of),
    REPLY(struct cause_correlation, "others", others),
    REPLY(struct cause_correlation, "othersOf", others_of));

struct attributes_view {
    const char *of;
    struct reply_list attributes;
};
static const struct reply_table attributes_table =
    REPLY_TABLE(struct attributes_view, REPLY(struct attributes_view, "of", of),
                REPLY_LIST(struct attributes_view, "attributes", attributes,
                           &attribute_table));

/* ---- the answer ---- */

static const struct reply_table window_table = REPLY_TABLE(
    struct cause_window, REPLY_TIME(struct cause_window, "startTime", start_ns),
    REPLY_TIME(struct cause_window, "endTime", end_ns));

static const struct reply_table summary_table = REPLY_TABLE(
    struct cause_report, REPLY(struct cause_report, "cause", cause),
    REPLY_OPTIONAL(struct cause_report, "firstFailure", first_failure),
    REPLY_OPTIONAL(struct cause_report, "impact", impact));

static const struct reply_table read_table = REPLY_TABLE(
    struct cause_report, REPLY(struct cause_report, "spans", spans_read),
    REPLY(struct cause_report, "logs", logs_read),
    REPLY(struct cause_report, "tracesBefore", traces_before),
    REPLY(struct cause_report, "tracesDuring", traces_during));

static const struct reply_table head_table = REPLY_TABLE(
    struct cause_report,
    REPLY_OBJECT(struct cause_report, "window", window, 0, &window_table),
    REPLY_OBJECT(struct cause_report, "baseline", baseline, 0, &window_table),
    REPLY(struct cause_report, "found", found),
    REPLY_ROUNDED(struct cause_report, "confidence", confidence));

static const struct reply_table remark_table = REPLY_TABLE(
    struct cause_remark, REPLY_TIME(struct cause_remark, "startTime", time_ns),
    REPLY(struct cause_remark, "text", text));

struct cause_view {
    const struct cause_report *report;
    struct reply_list suspects, path, impact, changes, logs, incidents,
        excluded, remarks;
    struct attributes_view correlation;
};
const struct reply_table cause_table = REPLY_TABLE(
    struct cause_view,
    REPLY_INLINE(struct cause_view, report, REPLY_POINTER, &head_table),
    REPLY_OBJECT(struct cause_view, "summary", report, REPLY_POINTER,
                 &summary_table),
    REPLY_LIST(struct cause_view, "suspects", suspects, &suspect_table),
    REPLY_LIST(struct cause_view, "path", path, &step_table),
    REPLY_LIST(struct cause_view, "impact", impact, &impact_table),
    REPLY_LIST(struct cause_view, "changes", changes, &change_table),
    REPLY_LIST(struct cause_view, "logs", logs, &log_table),
    REPLY_LIST(struct cause_view, "otherIncidents", incidents, &incident_table),
    REPLY_LIST(struct cause_view, "excluded", excluded, &excluded_table),
    REPLY_LIST(struct cause_view, "remarks", remarks, &remark_table),
    REPLY_OBJECT(struct cause_view, "attributeCorrelation", correlation, 0,
                 &attributes_table),
    REPLY_OBJECT(struct cause_view, "read", report, REPLY_POINTER,
                 &read_table));

/* The views that its lists are written from. */
struct cause_views {
    struct cause_view view;
    struct cause_writer suspects;
    struct impact_items impacts;
    struct log_items logs;
    struct numbered_items path, changes, incidents, excluded;
};

#define NUMBERED(report, items, type)                                     \
    {                                                                     \
        report, (report)->items, sizeof(type), offsetof(type, component), \
        {                                                                 \
            0                                                             \
        }                                                                 \
    }

const struct cause_view *cause_view_make(const struct cause_report *report,
                                         struct arena *arena)
{
    struct cause_views *a = arena_zero(arena, 1, sizeof(*a));

    if (!a)
        return NULL;
    *a = (struct cause_views){
        .suspects = {.report = report},
        .impacts = {.report = report},
        .logs = {.report = report},
        .path = NUMBERED(report, path, struct cause_path_step),
        .changes = NUMBERED(report, changes, struct cause_change),
        .incidents = NUMBERED(report, incidents, struct cause_incident),
        .excluded = NUMBERED(report, excluded, struct cause_excluded)};
    a->view = (struct cause_view){
        .report = report,
        .suspects = {report->listed_count, NULL, suspect_item, &a->suspects},
        .path = {report->path_count, NULL, component_item, &a->path},
        .impact = {report->impact_count, NULL, impact_item, &a->impacts},
        .changes = {report->change_count, NULL, component_item, &a->changes},
        .logs = {report->log_count, NULL, log_item, &a->logs},
        .incidents = {report->incident_count, NULL, component_item,
                      &a->incidents},
        .excluded = {report->excluded_count, NULL, component_item,
                     &a->excluded},
        .remarks = {report->remark_count, report->remarks, NULL, NULL},
        .correlation = {
            report->slowest_compared ? "slowest" : "failed",
            {report->correlation_count, report->correlations, NULL, NULL}}};
    return &a->view;
}
