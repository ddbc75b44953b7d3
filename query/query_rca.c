/*
 * OpenChoreo's RCA agent: an alert is analysed at once, the report is stored,
 * and a chat about it is answered from its findings.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cause_reply.h"
#include "clock.h"
#include "rca_report.h"
#include "rca_reports.h"

enum { LIST_DEFAULT = 100, LIST_MAX = 10000 };

static enum status report_not_found(struct query_request *request)
{
    return query_fail(request, ERR_NOT_FOUND, NULL, "RCA report not found");
}

/* ---- analyse ---- */

struct slice rca_report_id(struct query_request *request,
                           const struct rca_alert *alert)
{
    char text[200];
    int len = snprintf(text, sizeof(text), "%.*s_%llu", (int)alert->id.len,
                       alert->id.ptr,
                       (unsigned long long)(alert->time_ns / NS_PER_S));

    return arena_copy(request->arena, (struct slice){text, (size_t)len});
}

/* What GET shows of a document. */
struct shown_report {
    struct slice id, alert_id;
    uint64_t time_ns;
    const char *status;
    const struct rca_report *report; /* NULL: the analysis failed */
};
static const struct reply_table shown_table =
    REPLY_TABLE(struct shown_report, REPLY(struct shown_report, "reportId", id),
                REPLY(struct shown_report, "alertId", alert_id),
                REPLY_TIME(struct shown_report, "timestamp", time_ns),
                REPLY(struct shown_report, "status", status),
                REPLY_OBJECT(struct shown_report, "report", report,
                             REPLY_POINTER | REPLY_NULL, &rca_report_table));

/* The document that is stored. */
struct rca_document {
    struct shown_report shown;
    struct slice summary, namespace, project, environment;
    struct slice component; /* empty: it is about the project */
};
static const struct reply_table document_table =
    REPLY_TABLE(struct rca_document,
                REPLY_INLINE(struct rca_document, shown, 0, &shown_table),
                REPLY(struct rca_document, "summary", summary),
                REPLY(struct rca_document, "namespace", namespace),
                REPLY(struct rca_document, "project", project),
                REPLY(struct rca_document, "environment", environment),
                REPLY_OPTIONAL(struct rca_document, "component", component));

static void reset_answer(struct query_request *request)
{
    buf_reset(&request->out);
    jsonw_init(&request->json, &request->out);
}

/* What is stored of it is written in the answer's buffer: that has a limit.
 * with_cause: the answer of the report, too. */
static enum status put_document(struct query_request *request,
                                const struct rca_document *document,
                                const struct cause_report *report,
                                bool with_cause)
{
    enum status s = OK;

    reply_write(&request->json, &document_table, document);
    if (with_cause) {
        const struct cause_view *view = cause_view_make(report, request->arena);

        buf_byte(&request->out, '\n');
        jsonw_init(&request->json, &request->out);
        if (view)
            reply_write(&request->json, &cause_table, view);
        s = request->out.status;
    }
    if (s == OK)
        s = rca_reports_put(request->services->rca, buf_slice(&request->out));
    reset_answer(request);
    return s;
}

enum status rca_store_report(struct query_request *request,
                             const struct rca_alert *alert,
                             const struct cause_report *report, struct slice id)
{
    struct rca_document document = {
        .shown = {id, alert->id, alert->time_ns, "failed", NULL},
        .summary = SLICE("The analysis failed."),
        .namespace = alert->namespace,
        .project = alert->project,
        .environment = alert->environment,
        .component = alert->sees_project ? SLICE("") : alert->component};
    enum status s;

    if (report) {
        document.shown.status = "completed";
        document.shown.report = rca_report_make(request, alert, report);
        document.summary = rca_report_summary(request, report);
    }
    if (arena_status(request->arena) != OK)
        return arena_status(request->arena);
    s = put_document(request, &document, report, report != NULL);
    if (s == ERR_TOO_BIG && report)
        s = put_document(request, &document, report, false);
    return s;
}

/* The alerted component and what it calls; if nothing stands out there, all of
 * the project: callers, too, can be too much for it. */
static enum status find_report(struct query_request *request,
                               const struct rca_alert *alert,
                               struct cause_report **report)
{
    const struct grant of_component = {
        ACTION_BIT(request->viewer.action),
        {{alert->namespace, alert->project, alert->component,
          alert->environment}}};
    const struct viewer own = {{&of_component, 1}, request->viewer.action};
    struct cause_query query = {
        .scope = {.namespace = alert->namespace,
                  .project = alert->project,
                  .component = alert->component,
                  .environment = alert->environment},
        .viewer = alert->sees_project ? &request->viewer : &own,
        .window = {alert->time_ns - alert->length_ns, alert->time_ns},
        .registry = request->services->registry,
        .catalog = request->services->catalog,
        .reader = request->reader};
    struct arena attempt;
    enum status s;

    if (alert->component.len > 0) {
        arena_begin(&attempt, request->arena);
        s = cause_find(&query, &attempt, report);
        if (s == OK && (*report)->found) {
            arena_adopt(request->arena, &attempt);
            return OK;
        }
        arena_release(&attempt);
        query.scope.component = (struct slice){NULL, 0};
        query.has_baseline = false;
    }
    return cause_find(&query, request->arena, report);
}

struct analyze_reply {
    struct slice id;
    const char *status;
};
static const struct reply_table analyze_table = REPLY_TABLE(
    struct analyze_reply, REPLY(struct analyze_reply, "report_id", id),
    REPLY(struct analyze_reply, "status", status));

/* "pending" is all that the contract's clients expect here; they ask for the
 * report then, and it is there. */
static enum status analyze(struct query_request *request)
{
    struct rca_alert alert = {0};
    struct cause_report *report = NULL;
    enum status kept, s = rca_alert_read(request, &alert);

    if (s != OK)
        return s;
    s = find_report(request, &alert, &report);
    struct slice id = rca_report_id(request, &alert);
    kept = rca_store_report(request, &alert, s == OK ? report : NULL, id);
    /* Memory that is never enough: the report says that it failed; the same
     * request again would not help. */
    if (s != OK && s != ERR_TOO_BIG)
        return query_fail_read(request, s);
    if (kept != OK)
        return query_fail(request, kept, NULL,
                          "the report could not be stored");
    const union scope_names scope = {
        {alert.namespace, alert.project, alert.component, alert.environment}};
    const struct analyze_reply reply = {id, "pending"};

    query_request_about(request, &scope, id);
    reply_write(&request->json, &analyze_table, &reply);
    return OK;
}

/* ---- list, one, change ---- */

static struct slice need_param(struct query_request *request, const char *name)
{
    struct slice text = query_param(request, name);

    if (text.len == 0)
        query_invalid(request, "%s is required", name);
    return text;
}

static enum status list_filter(struct query_request *request,
                               struct rca_filter *filter)
{
    static const char *const statuses[] = {"pending", "completed", "failed",
                                           NULL};
    static const char *const orders[] = {"asc", "desc", NULL};
    uint64_t limit = LIST_DEFAULT;

    filter->scope.namespace = need_param(request, "namespace");
    filter->scope.project = need_param(request, "project");
    filter->scope.environment = need_param(request, "environment");
    filter->scope.seen = rca_report_is_seen;
    filter->scope.arg = request;
    (void)need_param(request, "startTime");
    (void)need_param(request, "endTime");
    params_query_range(request, 0, &filter->start_ns, &filter->end_ns);
    if (params_query_word(request, "status", statuses) >= 0)
        filter->status = query_param(request, "status");
    if (query_param(request, "limit").len > 0)
        params_query_number(request, "limit", 1, LIST_MAX, &limit);
    filter->limit = (uint32_t)limit;
    filter->ascending = params_query_word(request, "sort", orders) == 0;
    return request->failed;
}

static const struct reply_table summary_table = REPLY_TABLE(
    struct rca_summary, REPLY(struct rca_summary, "alertId", alert_id),
    REPLY(struct rca_summary, "reportId", id),
    REPLY_TIME(struct rca_summary, "timestamp", time_ns),
    REPLY(struct rca_summary, "summary", summary),
    REPLY(struct rca_summary, "status", status));

struct reports_reply {
    struct reply_list reports;
    uint64_t total;
};
static const struct reply_table reports_table = REPLY_TABLE(
    struct reports_reply,
    REPLY_LIST(struct reports_reply, "reports", reports, &summary_table),
    REPLY(struct reports_reply, "totalCount", total));

static enum status list_reports(struct query_request *request)
{
    struct rca_filter filter = {0};
    uint32_t count;
    uint64_t total;
    enum status s = list_filter(request, &filter);

    if (s != OK)
        return s;
    const struct rca_summary *rows = rca_reports_list(
        request->services->rca, &filter, request->arena, &count, &total);
    if (!rows)
        return arena_status(request->arena);
    const struct reports_reply reply = {{count, rows, NULL, NULL}, total};
    reply_write(&request->json, &reports_table, &reply);
    return OK;
}

/* A text of it may be a uid. */
bool rca_report_is_seen(void *arg, const union scope_names *names)
{
    struct query_request *request = arg;
    const struct scope_filter scope = {.namespace = names->namespace,
                                       .project = names->project,
                                       .component = names->component,
                                       .environment = names->environment};

    return params_may_see(request, ACTION_RCA_VIEW, &scope) == OK;
}

json_t *rca_load_report(struct query_request *request, struct slice id,
                        const struct rca_scope *scope, struct slice *cause)
{
    struct slice text =
        rca_reports_get(request->services->rca, id, scope, request->arena);
    const char *end = text.len > 0 ? memchr(text.ptr, '\n', text.len) : NULL;
    size_t len = end ? (size_t)(end - text.ptr) : text.len;
    json_t *document = NULL;

    if (request->failed == OK && text.len > 0)
        document = json_loadb(text.ptr, len, 0, NULL);
    if (request->failed == OK && !document)
        report_not_found(request);
    if (cause)
        *cause = end ? slice_from(text, len + 1) : (struct slice){NULL, 0};
    return document;
}

/* In the query string or, of PUT, in the body. */
static struct slice scope_text(struct query_request *request, const char *name)
{
    struct slice text = query_param(request, name);

    if (text.len == 0 && request->body)
        params_text(request, name, &text);
    return text;
}

/* The report named in the path, in the scope that is given. */
static enum status load_by_path(struct query_request *request,
                                json_t **document, struct slice *cause)
{
    struct rca_scope scope = {.namespace = scope_text(request, "namespace"),
                              .project = scope_text(request, "project"),
                              .environment = scope_text(request, "environment"),
                              .seen = rca_report_is_seen,
                              .arg = request};

    if (request->failed != OK)
        return request->failed;
    *document = rca_load_report(request, request->parts[0], &scope, cause);
    return request->failed;
}

/* The answer that the report is made of is its last member; as it was written:
 * to parse it takes many times its size. */
static void dump(struct query_request *request, const json_t *document,
                 struct slice cause)
{
    char *text = json_dumps(document, JSON_COMPACT);
    struct slice all = slice_of(text ? text : "");

    /* The report is the last member. */
    if (cause.len > 0 && all.len > 2 &&
        json_object_size(json_object_get(document, "report")) > 0) {
        buf_add(&request->out, (struct slice){all.ptr, all.len - 2});
        buf_add(&request->out, SLICE(",\"cause\":"));
        buf_add(&request->out, cause);
        all = SLICE("}}");
    }
    buf_add(&request->out, all);
    free(text);
}

static enum status get_report(struct query_request *request)
{
    static const char *const hidden[] = {"summary", "namespace", "project",
                                         "environment", "component"};
    json_t *document = NULL;
    struct slice cause;
    enum status s = load_by_path(request, &document, &cause);

    if (s != OK)
        return s;
    for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
        (void)json_object_del(document, hidden[i]);
    dump(request, document, cause);
    json_decref(document);
    return OK;
}

/* Sets the status of the actions whose numbers a member of the body lists. */
static void mark(struct query_request *request, json_t *actions,
                 const char *member, const char *status)
{
    const json_t *list = json_object_get(request->body, member);

    if (list && !json_is_null(list) && !json_is_array(list))
        query_invalid(request, "%s must be an array", member);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *index = json_array_get(list, i);
        json_int_t n = json_integer_value(index);
        json_t *action = n >= 0 ? json_array_get(actions, (size_t)n) : NULL;

        if (!json_is_integer(index))
            query_invalid(request, "%s must be an array of integers", member);
        else if (action) /* the reference ignores numbers that do not exist */
            (void)json_object_set_new(action, "status", json_string(status));
    }
}

static enum status save(struct query_request *request, const json_t *document,
                        struct slice cause)
{
    char *text = json_dumps(document, JSON_COMPACT);
    enum status s = text ? OK : ERR_BUSY;

    if (text)
        buf_add(&request->out, slice_of(text));
    free(text);
    if (cause.len > 0) {
        buf_byte(&request->out, '\n');
        buf_add(&request->out, cause);
    }
    if (s == OK)
        s = request->out.status;
    if (s == OK)
        s = rca_reports_put(request->services->rca, buf_slice(&request->out));
    reset_answer(request);
    return s == OK
               ? OK
               : query_fail(request, s, NULL, "the report could not be stored");
}

struct put_reply {
    const char *status;
};
static const struct reply_table put_table =
    REPLY_TABLE(struct put_reply, REPLY(struct put_reply, "status", status));

/* It may be seen, so the answer is 403 and not 404. */
static enum status may_change(struct query_request *request,
                              const json_t *document)
{
    const struct scope_filter scope = {
        .namespace = json_text_of(json_object_get(document, "namespace")),
        .project = json_text_of(json_object_get(document, "project")),
        .component = json_text_of(json_object_get(document, "component")),
        .environment = json_text_of(json_object_get(document, "environment"))};

    return params_may_ask(request, &scope);
}

static enum status put_report(struct query_request *request)
{
    json_t *document = NULL, *actions;
    struct slice cause;
    enum status s = load_by_path(request, &document, &cause);

    if (s == OK)
        s = may_change(request, document);
    if (s != OK) {
        json_decref(document);
        return s;
    }
    actions = json_object_get(
        json_object_get(
            json_object_get(json_object_get(document, "report"), "result"),
            "recommendations"),
        "recommended_actions");
    mark(request, actions, "appliedIndices", "applied");
    mark(request, actions, "dismissedIndices", "dismissed");
    s = request->failed == OK ? save(request, document, cause)
                              : request->failed;
    json_decref(document);
    if (s != OK)
        return s;
    static const struct put_reply reply = {"ok"};
    reply_write(&request->json, &put_table, &reply);
    return OK;
}

const struct route routes_rca[] = {
    {"POST", "/api/v1alpha1/rca-agent/analyze", ACTION_RCA_UPDATE, SCOPE_BODY,
     analyze, NULL, TAKES_JSON | RCA_REPORTS, 0, &analyze_table},
    {"GET", "/api/v1/rca-agent/reports", ACTION_RCA_VIEW, SCOPE_QUERY,
     list_reports, NULL, NO_READER | RCA_REPORTS, 0, &reports_table},
    {"POST", "/api/v1/rca-agent/reports", ACTION_RCA_UPDATE, SCOPE_BODY,
     rca_keep_report, NULL, TAKES_JSON | RCA_REPORTS, 0, &rca_kept_table},
    {"GET", "/api/v1/rca-agent/reports/{}", ACTION_RCA_VIEW, SCOPE_OBJECT,
     get_report, NULL, NO_READER | RCA_REPORTS, 0, &shown_table},
    {"PUT", "/api/v1/rca-agent/reports/{}", ACTION_RCA_UPDATE, SCOPE_OBJECT,
     put_report, NULL, TAKES_JSON | NO_READER | RCA_REPORTS, 0, &put_table},
    {"POST", "/api/v1alpha1/rca-agent/chat", ACTION_RCA_VIEW, SCOPE_OBJECT,
     rca_chat, NULL, TAKES_JSON | NO_READER | RCA_REPORTS, 0, NULL},
    {0},
};
