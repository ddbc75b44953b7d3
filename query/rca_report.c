/*
 * Every member follows from the ranking: root causes are the suspects that
 * stand out, findings their evidence, the timeline what has a time, excluded
 * causes those that another explains.
 */
#include "rca_report.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"

enum { MAX_CAUSES = 3, MAX_TIMELINE = 20, MAX_ACTIONS = 3 };
/* A second suspect with less than this part of the first is no cause beside
 * it. */
static const double BESIDE = 0.5;

static const char *const advice[CAUSE_KINDS] = {
    [CAUSE_RESOURCE] = "Raise the limit of <comp:%.*s>, add replicas, or find "
                       "what uses so much",
    [CAUSE_NETWORK] = "Look at the network and the node of <comp:%.*s>: calls "
                      "wait before they reach it",
    [CAUSE_BEHAVIOUR] = "Look at the code of <comp:%.*s> at the statement "
                        "named, and at its latest changes",
    [CAUSE_LATENCY] = "Profile <comp:%.*s>, and look at what it waits for",
    [CAUSE_ERRORS] = "Look at the failed requests of <comp:%.*s>",
    [CAUSE_SILENCE] = "Look whether the pods of <comp:%.*s> run and are ready",
    [CAUSE_CHANGE] = "Consider to roll back the change of <comp:%.*s>"};

static struct slice name_of(const struct cause_report *report, uint32_t c)
{
    return report->components[c].component;
}

static void text_member(struct jsonw *w, const char *key, const char *text)
{
    jsonw_member_text(w, key, slice_of(text));
}

struct slice rca_report_summary(struct call *call,
                                const struct cause_report *report)
{
    struct slice name;

    if (!report->found)
        return SLICE("Nothing stands out in the window.");
    name = name_of(report, report->suspects[0].component);
    char text[600];
    int len = snprintf(text, sizeof(text),
                       "<comp:%.*s> is the likely cause. "
                       "%.*s",
                       (int)(name.len < 100 ? name.len : 100), name.ptr,
                       (int)(report->cause.len < 400 ? report->cause.len : 400),
                       report->cause.ptr);
    return arena_copy(call->arena, (struct slice){text, (size_t)len});
}

/* ---- findings ---- */

static void write_log(struct jsonw *w, const struct cause_evidence *e,
                      uint64_t time_ns)
{
    text_member(w, "type", "log");
    jsonw_key(w, "log_lines");
    jsonw_open(w, '[');
    jsonw_open(w, '{');
    jsonw_member_time(w, "timestamp", e->onset_ns ? e->onset_ns : time_ns);
    text_member(w, "level", "UNDEFINED");
    jsonw_member_text(w, "log", e->line);
    jsonw_close(w, '}');
    jsonw_close(w, ']');
}

static void write_evidence(struct jsonw *w, const struct cause_evidence *e,
                           uint64_t time_ns)
{
    jsonw_key(w, "evidence");
    jsonw_open(w, '{');
    if (e->kind == CAUSE_BEHAVIOUR && e->line.len > 0) {
        write_log(w, e, time_ns);
    } else if (e->trace_count > 0) {
        text_member(w, "type", "trace");
        jsonw_key(w, "trace_id");
        jsonw_hex(w, e->traces[0], 16);
        jsonw_member_text(w, "summary", e->text);
        jsonw_member_bool(w, "is_error", e->kind == CAUSE_ERRORS);
    } else {
        text_member(w, "type", "metric");
        jsonw_member_text(w, "summary", e->text);
    }
    jsonw_close(w, '}');
}

static void write_cause(struct jsonw *w, const struct cause_report *report,
                        const struct cause_suspect *s)
{
    struct slice name = name_of(report, s->component);
    double share = report->confidence * s->score / report->suspects[0].score;

    jsonw_open(w, '{');
    jsonw_member_text(w, "summary", s->evidence[0].text);
    text_member(w, "confidence",
                share > 0.6 && s->score >= 3 ? "high"
                : share > 0.35               ? "medium"
                                             : "low");
    jsonw_member_text(w, "analysis",
                      s == report->suspects ? report->impact
                                            : s->evidence[0].text);
    jsonw_key(w, "supporting_findings");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < s->evidence_count; i++) {
        const struct cause_evidence *e = &s->evidence[i];

        jsonw_open(w, '{');
        jsonw_member_text(w, "observation", e->text);
        jsonw_member_text(w, "component", name);
        jsonw_key(w, "time_range");
        jsonw_open(w, '{');
        jsonw_member_time(w, "start",
                          e->onset_ns ? e->onset_ns : report->window.start_ns);
        jsonw_member_time(w, "end", report->window.end_ns);
        jsonw_close(w, '}');
        write_evidence(w, e, report->window.start_ns);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
    jsonw_close(w, '}');
}

/* ---- timeline ---- */

struct moment {
    uint64_t time_ns;
    struct slice component, event;
};

static int by_time(const void *left, const void *right)
{
    const struct moment *a = left, *b = right;

    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    int o = slice_compare(a->component, b->component);
    return o ? o : slice_compare(a->event, b->event);
}

static void write_timeline(struct jsonw *w, const struct rca_alert *alert,
                           const struct cause_report *report)
{
    struct moment moments[MAX_TIMELINE];
    uint32_t n = 0;

    moments[n++] =
        (struct moment){alert->time_ns, alert->component, SLICE("the alert")};
    for (uint32_t i = 0; i < report->suspect_count; i++)
        for (uint32_t k = 0; k < report->suspects[i].evidence_count; k++) {
            const struct cause_evidence *e = &report->suspects[i].evidence[k];

            if (e->onset_ns && n < MAX_TIMELINE)
                moments[n++] = (struct moment){
                    e->onset_ns, name_of(report, report->suspects[i].component),
                    e->text};
        }
    qsort(moments, n, sizeof(moments[0]), by_time);
    jsonw_key(w, "timeline");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < n; i++) {
        jsonw_open(w, '{');
        jsonw_member_time(w, "timestamp", moments[i].time_ns);
        jsonw_member_text(w, "component", moments[i].component);
        jsonw_member_text(w, "event", moments[i].event);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

/* ---- the rest of the result ---- */

static bool is_cause(const struct cause_report *report, uint32_t i)
{
    return i < MAX_CAUSES && i < report->suspect_count &&
           report->suspects[i].score >= BESIDE * report->suspects[0].score;
}

static void write_actions(struct jsonw *w, const struct cause_report *report)
{
    jsonw_key(w, "recommendations");
    jsonw_open(w, '{');
    jsonw_key(w, "recommended_actions");
    jsonw_open(w, '[');
    for (uint32_t i = 0; report->found && i < MAX_ACTIONS; i++) {
        char text[400];
        struct slice name;

        if (!is_cause(report, i))
            break;
        const struct cause_suspect *s = &report->suspects[i];
        name = name_of(report, s->component);
        /* The formats are the constants above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(text, sizeof(text), advice[s->evidence[0].kind],
                       (int)(name.len < 200 ? name.len : 200), name.ptr);
#pragma GCC diagnostic pop
        jsonw_open(w, '{');
        text_member(w, "description", text);
        jsonw_member_text(w, "rationale", s->evidence[0].text);
        text_member(w, "status", "suggested");
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
    jsonw_key(w, "observability_recommendations");
    jsonw_open(w, '[');
    if (report->spans_read == 0) {
        jsonw_open(w, '{');
        text_member(w, "description",
                    "Send traces: without them nothing can be followed from "
                    "one component to the next");
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
    jsonw_close(w, '}');
}

static void write_found(struct jsonw *w, const struct rca_alert *alert,
                        const struct cause_report *report)
{
    text_member(w, "type", "root_cause_identified");
    jsonw_key(w, "root_causes");
    jsonw_open(w, '[');
    for (uint32_t i = 0; is_cause(report, i); i++)
        write_cause(w, report, &report->suspects[i]);
    jsonw_close(w, ']');
    write_timeline(w, alert, report);
    jsonw_key(w, "excluded_causes");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < report->excluded_count; i++) {
        jsonw_open(w, '{');
        jsonw_member_text(w, "description",
                          name_of(report, report->excluded[i].component));
        jsonw_member_text(w, "rationale", report->excluded[i].why);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

static void write_result(struct jsonw *w, const struct rca_alert *alert,
                         const struct cause_report *report)
{
    jsonw_key(w, "result");
    jsonw_open(w, '{');
    if (report->found) {
        write_found(w, alert, report);
    } else {
        bool empty = report->spans_read == 0 && report->suspect_count == 0;

        text_member(w, "type", "no_root_cause_identified");
        text_member(w, "outcome",
                    empty ? "insufficient_data" : "no_anomaly_detected");
        text_member(w, "explanation",
                    empty ? "There are no traces in the window, and no metric "
                            "rose."
                          : "Nothing differs from before by more than chance.");
    }
    write_actions(w, report);
    jsonw_close(w, '}');
}

/* ---- the alert ---- */

static const json_t *member(const json_t *object, const char *name)
{
    return json_object_get(object, name);
}

static void copy_text(struct jsonw *w, const char *key, const json_t *value)
{
    if (json_is_string(value))
        jsonw_member_text(w, key,
                          (struct slice){json_string_value(value),
                                         json_string_length(value)});
}

static void write_alert(struct jsonw *w, const struct rca_alert *alert)
{
    const json_t *a = member(alert->body, "alert"), *rule = member(a, "rule");
    const json_t *source = member(rule, "source");
    const json_t *condition = member(rule, "condition");

    jsonw_key(w, "alert_context");
    jsonw_open(w, '{');
    jsonw_member_text(w, "alert_id", alert->id);
    if (json_is_string(member(rule, "name")))
        copy_text(w, "alert_name", member(rule, "name"));
    else
        text_member(w, "alert_name", "analysis on request");
    copy_text(w, "alert_description", member(rule, "description"));
    copy_text(w, "severity", member(rule, "severity"));
    jsonw_member_time(w, "triggered_at", alert->time_ns);
    jsonw_member_double(w, "trigger_value",
                        json_number_value(member(a, "value")));
    copy_text(w, "source_type", member(source, "type"));
    copy_text(w, "source_query", member(source, "query"));
    copy_text(w, "source_metric", member(source, "metric"));
    if (json_is_object(condition)) {
        jsonw_key(w, "condition");
        jsonw_open(w, '{');
        copy_text(w, "window", member(condition, "window"));
        copy_text(w, "interval", member(condition, "interval"));
        copy_text(w, "operator", member(condition, "operator"));
        jsonw_member_int(
            w, "threshold",
            (int64_t)json_number_value(member(condition, "threshold")));
        jsonw_close(w, '}');
    }
    jsonw_member_text(w, "component", alert->component);
    jsonw_member_text(w, "project", alert->project);
    jsonw_member_text(w, "environment", alert->environment);
    jsonw_close(w, '}');
}

static void write_step(struct jsonw *w, const char *action, const char *outcome)
{
    jsonw_open(w, '{');
    text_member(w, "action", action);
    text_member(w, "outcome", outcome);
    jsonw_close(w, '}');
}

static void write_path(struct jsonw *w, const struct cause_report *report)
{
    char text[200];

    jsonw_key(w, "investigation_path");
    jsonw_open(w, '[');
    (void)snprintf(text, sizeof(text),
                   "%llu spans and %llu log records of %llu traces before and "
                   "%llu during",
                   (unsigned long long)report->spans_read,
                   (unsigned long long)report->logs_read,
                   (unsigned long long)report->traces_before,
                   (unsigned long long)report->traces_during);
    write_step(w, "Compared traces and logs of the window with those before",
               text);
    (void)snprintf(text, sizeof(text), "%u of %u candidates show something",
                   (unsigned)report->suspect_count,
                   (unsigned)report->component_count);
    write_step(w, "Compared requests, calls and usage against limits", text);
    (void)snprintf(text, sizeof(text), "%u are explained by what they call",
                   (unsigned)report->excluded_count);
    write_step(w, "Followed the calls to the deepest that shows it", text);
    jsonw_close(w, ']');
}

void rca_report_write(struct call *call, const struct rca_alert *alert,
                      const struct cause_report *report)
{
    struct jsonw *w = &call->json;

    jsonw_open(w, '{');
    write_alert(w, alert);
    jsonw_member_text(w, "summary", rca_report_summary(call, report));
    write_result(w, alert, report);
    write_path(w, report);
    jsonw_close(w, '}');
}
