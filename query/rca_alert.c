/*
 * The alert that a report is about: read from the request, and written into
 * the report with all members that OpenChoreo's model requires, whatever of
 * them came.
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

static const json_t *member(const json_t *object, const char *name)
{
    return json_object_get(object, name);
}

static struct slice text_of(const json_t *value)
{
    struct slice text = {json_string_value(value), json_string_length(value)};

    if (text.len > MAX_TEXT)
        text.len = MAX_TEXT;
    return text;
}

/* ---- as it comes ---- */

enum status rca_need(struct query_request *request, const char *name,
                     struct slice *text)
{
    enum status s = params_text(request, name, text);

    if (s == OK && text->len == 0)
        s = query_fail(request, ERR_INVALID, NULL, "%s is required", name);
    return s;
}

/* A text of the alert; null is none. */
static enum status alert_text(struct query_request *request,
                              const json_t *alert, const char *name,
                              struct slice *text)
{
    const json_t *value = json_object_get(alert, name);

    *text = (struct slice){json_string_value(value), json_string_length(value)};
    return !value || json_is_null(value) || text->ptr
               ? OK
               : query_fail(request, ERR_INVALID, NULL,
                            "alert.%s must be a text", name);
}

/* The alert's own window if it is longer than what a ranking needs. */
static uint64_t length_of(const json_t *alert)
{
    struct slice window =
        text_of(member(member(member(alert, "rule"), "condition"), "window"));
    uint64_t length = WINDOW_MIN * NS_PER_MIN, asked;

    if (window.len > 0 && clock_parse_duration(window, &asked) &&
        asked > length && asked < MAX_WINDOW_MIN * NS_PER_MIN)
        length = asked;
    return length;
}

static enum status read_alert(struct query_request *request,
                              struct rca_alert *alert)
{
    const json_t *a = member(request->body, "alert");
    struct slice time;
    enum status s = OK;

    if (!json_is_object(a))
        return query_fail(request, ERR_INVALID, NULL,
                          "alert must be an object");
    s = alert_text(request, a, "id", &alert->id);
    if (s == OK && (alert->id.len == 0 || alert->id.len > MAX_ID))
        s = query_fail(request, ERR_INVALID, NULL,
                       "alert.id must be a text of 1 to %d bytes", MAX_ID);
    if (s == OK)
        s = alert_text(request, a, "timestamp", &time);
    if (s != OK)
        return s;
    alert->time_ns = request->now_ns;
    if (time.len > 0 && !clock_parse_rfc3339(time, &alert->time_ns))
        return query_fail(request, ERR_INVALID, NULL,
                          "alert.timestamp must be an RFC 3339 time");
    alert->length_ns = length_of(a);
    if (alert->time_ns < 2 * alert->length_ns)
        return query_fail(request, ERR_INVALID, NULL,
                          "alert.timestamp is too old");
    return OK;
}

enum status rca_alert_read(struct query_request *request,
                           struct rca_alert *alert)
{
    enum status s = rca_need(request, "namespace", &alert->namespace);

    if (s == OK)
        s = rca_need(request, "project", &alert->project);
    if (s == OK)
        s = rca_need(request, "environment", &alert->environment);
    if (s == OK)
        s = params_text(request, "component", &alert->component);
    alert->body = request->body;
    return s == OK ? read_alert(request, alert) : s;
}

/* ---- as the report has it ---- */

static void copy_text(struct jsonw *w, const char *key, const json_t *value)
{
    if (json_is_string(value))
        jsonw_member_text(w, key, text_of(value));
}

/* A member that every report has. */
static void need_text(struct jsonw *w, const char *key, const json_t *value,
                      struct slice otherwise)
{
    jsonw_member_text(w, key,
                      json_is_string(value) ? text_of(value) : otherwise);
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

static void write_condition(struct jsonw *w, const json_t *condition)
{
    jsonw_key(w, "condition");
    jsonw_open(w, '{');
    need_text(w, "window", member(condition, "window"), SLICE("5m"));
    need_text(w, "interval", member(condition, "interval"), SLICE("1m"));
    need_text(w, "operator", member(condition, "operator"), SLICE("gt"));
    jsonw_member_double(w, "threshold",
                        number_of(member(condition, "threshold")));
    jsonw_close(w, '}');
}

void rca_alert_write(struct jsonw *w, const struct rca_alert *alert)
{
    const json_t *a = member(alert->body, "alert"), *rule = member(a, "rule");
    const json_t *source = member(rule, "source");

    jsonw_key(w, "alert_context");
    jsonw_open(w, '{');
    jsonw_member_text(w, "alert_id", alert->id);
    need_text(w, "alert_name", member(rule, "name"),
              SLICE("analysis on request"));
    copy_text(w, "alert_description", member(rule, "description"));
    copy_text(w, "severity", member(rule, "severity"));
    jsonw_member_time(w, "triggered_at", alert->time_ns);
    jsonw_member_double(w, "trigger_value", number_of(member(a, "value")));
    copy_text(w, "source_type", member(source, "type"));
    copy_text(w, "source_query", member(source, "query"));
    copy_text(w, "source_metric", member(source, "metric"));
    write_condition(w, member(rule, "condition"));
    jsonw_member_text(w, "component", alert->component);
    jsonw_member_text(w, "project", alert->project);
    jsonw_member_text(w, "environment", alert->environment);
    jsonw_close(w, '}');
}
