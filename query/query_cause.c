/*
 * POST and GET /api/v1/cause: what cause.h found, as JSON. The same data and
 * question give the same bytes, so no time of answering is in it.
 */
#include "cause.h"

#include <math.h>

#include "clock.h"
#include "query_request.h"

/* Three times the longest window: what it is without one. */
enum { MAX_BASELINE_DAYS = 90 };

/* Two digits: the rest is not known, and makes answers hard to compare. */
static double rounded(double value)
{
    return round(value * 100) / 100;
}

static void reply_numbers(struct query_request *request,
                          const struct cause_numbers *n)
{
    struct jsonw *w = &request->json;

    if (!n->unit)
        return;
    jsonw_key(w, "numbers");
    jsonw_open(w, '{');
    jsonw_member_double(w, "before", rounded(n->before));
    jsonw_member_double(w, "after", rounded(n->after));
    if (n->before_of > 0 || n->after_of > 0) {
        jsonw_member_double(w, "beforeOf", rounded(n->before_of));
        jsonw_member_double(w, "afterOf", rounded(n->after_of));
    }
    jsonw_member_text(w, "unit", slice_of(n->unit));
    jsonw_close(w, '}');
}

/* Pairs, as charts take them. */
static void reply_series(struct query_request *request,
                         const struct cause_chart *s)
{
    struct jsonw *w = &request->json;

    if (!s->shows)
        return;
    jsonw_key(w, "series");
    jsonw_open(w, '{');
    jsonw_member_text(w, "shows", slice_of(s->shows));
    jsonw_member_text(w, "unit", slice_of(s->unit));
    jsonw_key(w, "points");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < s->count; i++) {
        jsonw_open(w, '[');
        jsonw_time(w, s->points[i].time_ns);
        jsonw_double(w, rounded(s->points[i].value));
        jsonw_close(w, ']');
    }
    jsonw_close(w, ']');
    jsonw_close(w, '}');
}

static void reply_evidence(struct query_request *request,
                           const struct cause_report *report,
                           const struct cause_evidence *e)
{
    struct jsonw *w = &request->json;

    jsonw_open(w, '{');
    jsonw_member_text(w, "kind", slice_of(evidence_kind_names[e->kind]));
    jsonw_member_text(w, "class", slice_of(e->class));
    jsonw_member_double(w, "nats", rounded(e->nats));
    jsonw_member_text(w, "text", e->text);
    reply_text(request, "operation", e->operation);
    reply_text(request, "metric", e->metric);
    reply_text(request, "template", e->template);
    reply_text(request, "line", e->line);
    if (e->peer != UINT32_MAX)
        jsonw_member_text(w, "peer", report->components[e->peer].component);
    reply_numbers(request, &e->numbers);
    if (e->onset_ns)
        jsonw_member_time(w, "onset", e->onset_ns);
    jsonw_key(w, "traceIds");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < e->trace_count; i++)
        jsonw_hex(w, e->traces[i], 16);
    jsonw_close(w, ']');
    reply_series(request, &e->series);
    jsonw_close(w, '}');
}

static void reply_suspect(struct query_request *request,
                          const struct cause_report *report, uint32_t rank)
{
    const struct cause_suspect *s = &report->suspects[rank];
    const struct identity *identity = &report->components[s->component];
    struct jsonw *w = &request->json;

    jsonw_open(w, '{');
    jsonw_member_uint(w, "rank", rank + 1);
    jsonw_member_text(w, "component", identity->component);
    reply_text(request, "environment", identity->environment);
    jsonw_member_text(
        w, "party",
        slice_of(candidate_kind_names[report->parties[s->component]]));
    jsonw_member_double(w, "score", round(s->score * 10000) / 10000);
    if (s->onset_ns)
        jsonw_member_time(w, "onset", s->onset_ns);
    if (s->because != UINT32_MAX)
        jsonw_member_text(w, "explainedBy",
                          report->components[s->because].component);
    jsonw_key(w, "victims");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < s->victim_count; i++)
        jsonw_text(w, report->components[s->victims[i]].component);
    jsonw_close(w, ']');
    jsonw_key(w, "evidence");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < s->evidence_count; i++)
        reply_evidence(request, report, &s->evidence[i]);
    jsonw_close(w, ']');
    jsonw_close(w, '}');
}

static void reply_times(struct query_request *request, const char *key,
                        const struct cause_window *window)
{
    struct jsonw *w = &request->json;

    jsonw_key(w, key);
    jsonw_open(w, '{');
    jsonw_member_time(w, "startTime", window->start_ns);
    jsonw_member_time(w, "endTime", window->end_ns);
    jsonw_close(w, '}');
}

static void reply_summary(struct query_request *request,
                          const struct cause_report *report)
{
    struct jsonw *w = &request->json;

    jsonw_key(w, "summary");
    jsonw_open(w, '{');
    jsonw_member_text(w, "cause", report->cause);
    reply_text(request, "firstFailure", report->first_failure);
    reply_text(request, "impact", report->impact);
    jsonw_close(w, '}');
}

static void reply_component(struct query_request *request,
                            const struct cause_report *report, uint32_t c)
{
    jsonw_member_text(&request->json, "component",
                      report->components[c].component);
}

static void reply_path(struct query_request *request,
                       const struct cause_report *report)
{
    struct jsonw *w = &request->json;

    jsonw_key(w, "path");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < report->path_count; i++) {
        jsonw_open(w, '{');
        reply_component(request, report, report->path[i].component);
        reply_text(request, "shows", report->path[i].shows);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

static void reply_impact(struct query_request *request,
                         const struct cause_report *report)
{
    struct jsonw *w = &request->json;

    jsonw_key(w, "impact");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < report->impact_count; i++) {
        const struct cause_impact *m = &report->impacts[i];

        jsonw_open(w, '{');
        reply_component(request, report, m->component);
        jsonw_member_text(w, "operation", m->operation);
        jsonw_member_uint(w, "requests", m->requests);
        jsonw_member_uint(w, "failed", m->failed);
        jsonw_member_uint(w, "requestsBefore", m->requests_before);
        jsonw_member_uint(w, "failedBefore", m->failed_before);
        jsonw_member_uint(w, "slow", m->slow);
        if (m->limit_ns > 0)
            jsonw_member_double(w, "slowFromMs",
                                rounded((double)m->limit_ns / 1e6));
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

static void reply_changes(struct query_request *request,
                          const struct cause_report *report)
{
    struct jsonw *w = &request->json;

    jsonw_key(w, "changes");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < report->change_count; i++) {
        const struct cause_change *c = &report->changes[i];

        jsonw_open(w, '{');
        jsonw_member_time(w, "timestamp", c->time_ns);
        reply_component(request, report, c->component);
        reply_text(request, "kind", c->kind);
        jsonw_member_text(w, "text", c->text);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

static void reply_lines(struct query_request *request,
                        const struct cause_report *report)
{
    struct jsonw *w = &request->json;

    jsonw_key(w, "logs");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < report->line_count; i++) {
        const struct cause_log *l = &report->lines[i];

        jsonw_open(w, '{');
        jsonw_member_time(w, "timestamp", l->time_ns);
        jsonw_member_text(w, "level",
                          l->level >= LEVEL_ERROR ? SLICE("ERROR")
                                                  : SLICE("WARN"));
        jsonw_member_text(w, "log", l->text);
        jsonw_member_uint(w, "count", l->count);
        jsonw_member_uint(w, "countBefore", l->before);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

static void reply_excluded(struct query_request *request,
                           const struct cause_report *report)
{
    struct jsonw *w = &request->json;

    jsonw_key(w, "excluded");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < report->excluded_count; i++) {
        const struct cause_excluded *e = &report->excluded[i];

        jsonw_open(w, '{');
        reply_component(request, report, e->component);
        jsonw_member_text(w, "why", e->why);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

static void reply_special(struct query_request *request,
                          const struct cause_report *report)
{
    struct jsonw *w = &request->json;

    jsonw_key(w, "special");
    jsonw_open(w, '{');
    jsonw_member_text(
        w, "of", report->special_slow ? SLICE("slowest") : SLICE("failed"));
    jsonw_key(w, "attributes");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < report->special_count; i++) {
        const struct cause_correlation *s = &report->special[i];

        jsonw_open(w, '{');
        jsonw_member_text(w, "key", s->key);
        jsonw_member_text(w, "value", s->value);
        jsonw_member_double(w, "nats", rounded(s->nats));
        jsonw_member_uint(w, "failing", s->failing);
        jsonw_member_uint(w, "failingOf", s->failing_of);
        jsonw_member_uint(w, "others", s->others);
        jsonw_member_uint(w, "othersOf", s->others_of);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
    jsonw_close(w, '}');
}

static enum status answer(struct query_request *request,
                          struct cause_question *question)
{
    struct cause_report *report;
    struct jsonw *w = &request->json;
    enum status s;

    question->registry = request->services->registry;
    question->catalog = request->services->catalog;
    question->reader = request->reader;
    if (question->scope.namespace.len == 0)
        question->scope.namespace = SLICE("default");
    s = cause_find(question, request->arena, &report);
    if (s == ERR_INVALID) /* what is left: no time, or that of 1970 */
        return query_fail(request, s, NULL, "endTime must be after startTime");
    if (s != OK)
        return query_fail_read(request, s);
    jsonw_open(w, '{');
    reply_times(request, "window", &report->window);
    reply_times(request, "baseline", &report->baseline);
    jsonw_member_bool(w, "found", report->found);
    jsonw_member_double(w, "confidence", rounded(report->confidence));
    reply_summary(request, report);
    jsonw_key(w, "suspects");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < report->listed_count; i++)
        reply_suspect(request, report, i);
    jsonw_close(w, ']');
    reply_path(request, report);
    reply_impact(request, report);
    reply_changes(request, report);
    reply_lines(request, report);
    reply_excluded(request, report);
    reply_special(request, report);
    jsonw_key(w, "read");
    jsonw_open(w, '{');
    jsonw_member_uint(w, "spans", report->spans_read);
    jsonw_member_uint(w, "logs", report->logs_read);
    jsonw_member_uint(w, "tracesBefore", report->traces_before);
    jsonw_member_uint(w, "tracesDuring", report->traces_during);
    jsonw_close(w, '}');
    jsonw_close(w, '}');
    return OK;
}

static enum status baseline_time(struct query_request *request,
                                 const json_t *object, const char *name,
                                 uint64_t *ns)
{
    const json_t *value = json_object_get(object, name);
    struct slice text = {json_string_value(value), json_string_length(value)};

    if (!text.ptr || !clock_parse_rfc3339(text, ns))
        return query_fail(request, ERR_INVALID, NULL,
                          "baseline.%s must be an RFC 3339 time", name);
    return OK;
}

static enum status read_baseline(struct query_request *request,
                                 struct cause_question *question)
{
    const json_t *object = json_object_get(request->body, "baseline");
    struct cause_window *b = &question->baseline;
    enum status s;

    if (!object || json_is_null(object))
        return OK;
    if (!json_is_object(object))
        return query_fail(request, ERR_INVALID, NULL,
                          "baseline must be an object");
    question->has_baseline = true;
    s = baseline_time(request, object, "startTime", &b->start_ns);
    if (s == OK)
        s = baseline_time(request, object, "endTime", &b->end_ns);
    if (s != OK)
        return s;
    if (b->end_ns <= b->start_ns)
        return query_fail(request, ERR_INVALID, NULL,
                          "baseline.endTime must be after baseline.startTime");
    if (b->end_ns - b->start_ns > MAX_BASELINE_DAYS * 24 * NS_PER_HOUR)
        return query_fail(request, ERR_INVALID, NULL,
                          "baseline must be at most %d days long",
                          MAX_BASELINE_DAYS);
    if (b->end_ns > question->window.start_ns)
        return query_fail(request, ERR_INVALID, NULL,
                          "baseline must end before the window starts");
    return OK;
}

static enum status cause_post(struct query_request *request)
{
    struct cause_question question = {0};
    enum status s = params_scope(request, SCOPE_NEEDS_PROJECT, &question.scope);

    if (s == OK)
        s = params_range(request, &question.window.start_ns,
                         &question.window.end_ns);
    if (s == OK)
        s = read_baseline(request, &question);
    return s == OK ? answer(request, &question) : s;
}

static enum status cause_get(struct query_request *request)
{
    struct cause_question question = {0};
    enum status s = params_query_scope(request, &question.scope);

    if (s == OK)
        s = params_query_range(request, 30 * NS_PER_MIN,
                               &question.window.start_ns,
                               &question.window.end_ns);
    if (s == OK && question.scope.project.len == 0)
        s = query_fail(request, ERR_INVALID, NULL, "project is required");
    return s == OK ? answer(request, &question) : s;
}

const struct route routes_cause[] = {
    {"POST", "/api/v1/cause", cause_post, NULL, TAKES_JSON, 0},
    {"GET", "/api/v1/cause", cause_get, NULL, 0, 0},
    {0},
};
