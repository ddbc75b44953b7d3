/*
 * The alert of a report. In: the request. Out: the alert's context in the
 * report, with all members that OpenChoreo's model requires, whichever of them
 * were sent.
 */
#include <math.h>
#include <stdio.h>

#include "clock.h"
#include "rca_report.h"

enum {
    WINDOW_MIN = 5, /* an alert is about these minutes, or its own window */
    MAX_WINDOW_MIN = 24 * 60,
    MAX_ID = 128,
    MAX_TEXT = 2000, /* of a text of the alert: reports have a bound */
};

static struct slice text_of(const json_t *value)
{
    struct slice text = json_text_of(value);

    if (text.len > MAX_TEXT)
        text.len = MAX_TEXT;
    return text;
}

/* ---- from the request ---- */

enum status rca_need(struct query_request *request, const char *name,
                     struct slice *text)
{
    params_text(request, name, text);
    if (text->len == 0)
        query_invalid(request, "%s is required", name);
    return request->failed;
}

/* A text of the alert; null is none. */
static struct slice alert_text(struct query_request *request,
                               const json_t *alert, const char *name)
{
    const json_t *value = json_object_get(alert, name);

    if (value && !json_is_null(value) && !json_is_string(value))
        query_invalid(request, "alert.%s must be a string", name);
    return json_text_of(value);
}

/* Of the component that is alerted, and of its project. */
static enum status check_scope(struct query_request *request,
                               struct rca_alert *alert)
{
    const struct scope_filter scope = {.namespace = alert->namespace,
                                       .project = alert->project,
                                       .component = alert->component,
                                       .environment = alert->environment};
    struct scope_filter project = scope;

    if (params_may_ask(request, &scope) != OK)
        return request->failed;
    project.component = (struct slice){NULL, 0};
    alert->sees_project =
        params_may_see(request, request->viewer.action, &project) == OK;
    return request->failed;
}

/* The alert's own window if it is longer than what a ranking needs. */
static uint64_t length_of(const json_t *alert)
{
    struct slice window = text_of(json_object_get(
        json_object_get(json_object_get(alert, "rule"), "condition"),
        "window"));
    uint64_t length = WINDOW_MIN * NS_PER_MIN, asked;

    if (window.len > 0 && clock_parse_duration(window, &asked) &&
        asked > length && asked < MAX_WINDOW_MIN * NS_PER_MIN)
        length = asked;
    return length;
}

enum status rca_alert_read(struct query_request *request,
                           struct rca_alert *alert)
{
    const json_t *a = json_object_get(request->body, "alert");
    struct slice time;

    rca_need(request, "namespace", &alert->namespace);
    rca_need(request, "project", &alert->project);
    rca_need(request, "environment", &alert->environment);
    params_text(request, "component", &alert->component);
    if (!json_is_object(a))
        query_invalid(request, "alert must be an object");
    alert->body = request->body;
    alert->id = alert_text(request, a, "id");
    if (alert->id.len == 0 || alert->id.len > MAX_ID)
        query_invalid(request, "alert.id must be a string of 1 to %d bytes",
                      MAX_ID);
    time = alert_text(request, a, "timestamp");
    alert->time_ns = request->now_ns;
    if (time.len > 0 && !clock_parse_rfc3339(time, &alert->time_ns))
        query_invalid(request, "alert.timestamp must be an RFC 3339 time");
    alert->length_ns = length_of(a);
    if (alert->time_ns < 2 * alert->length_ns)
        query_invalid(request, "alert.timestamp is too old");
    return check_scope(request, alert);
}

/* ---- for the report ---- */

static const struct reply_table condition_table = REPLY_TABLE(
    struct alert_condition, REPLY(struct alert_condition, "window", window),
    REPLY(struct alert_condition, "interval", interval),
    REPLY(struct alert_condition, "operator", operator),
    REPLY(struct alert_condition, "threshold", threshold));

const struct reply_table alert_context_table = REPLY_TABLE(
    struct alert_context, REPLY(struct alert_context, "alert_id", id),
    REPLY(struct alert_context, "alert_name", name),
    REPLY_OPTIONAL(struct alert_context, "alert_description", description),
    REPLY_OPTIONAL(struct alert_context, "severity", severity),
    REPLY_TIME(struct alert_context, "triggered_at", time_ns),
    REPLY(struct alert_context, "trigger_value", value),
    REPLY_OPTIONAL(struct alert_context, "source_type", source_type),
    REPLY_OPTIONAL(struct alert_context, "source_query", source_query),
    REPLY_OPTIONAL(struct alert_context, "source_metric", source_metric),
    REPLY_OBJECT(struct alert_context, "condition", condition, 0,
                 &condition_table),
    REPLY(struct alert_context, "component", component),
    REPLY(struct alert_context, "project", project),
    REPLY(struct alert_context, "environment", environment));

static struct slice text_or(const json_t *value, struct slice otherwise)
{
    return json_is_string(value) ? text_of(value) : otherwise;
}

/* OpenChoreo's alerts carry it as a number or as a text. */
static double number_of(const json_t *value)
{
    double number = 0;
    char text[40];

    if (!json_is_string(value))
        return json_number_value(value);
    (void)snprintf(text, sizeof(text), "%s", json_string_value(value));
    if (sscanf(text, "%lf", &number) != 1 || !isfinite(number))
        number = 0;
    return number;
}

struct alert_context rca_alert_context(const struct rca_alert *alert)
{
    const json_t *a = json_object_get(alert->body, "alert"),
                 *rule = json_object_get(a, "rule");
    const json_t *source = json_object_get(rule, "source");
    const json_t *condition = json_object_get(rule, "condition");

    return (struct alert_context){
        .id = alert->id,
        .name = text_or(json_object_get(rule, "name"),
                        SLICE("analysis on request")),
        .description = text_of(json_object_get(rule, "description")),
        .severity = text_of(json_object_get(rule, "severity")),
        .time_ns = alert->time_ns,
        .value = number_of(json_object_get(a, "value")),
        .source_type = text_of(json_object_get(source, "type")),
        .source_query = text_of(json_object_get(source, "query")),
        .source_metric = text_of(json_object_get(source, "metric")),
        .condition =
            {text_or(json_object_get(condition, "window"), SLICE("5m")),
             text_or(json_object_get(condition, "interval"), SLICE("1m")),
             text_or(json_object_get(condition, "operator"), SLICE("gt")),
             number_of(json_object_get(condition, "threshold"))},
        .component = alert->component,
        .project = alert->project,
        .environment = alert->environment};
}
