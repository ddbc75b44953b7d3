/*
 * OpenChoreo's RCA agent (contracts/openchoreo.md 5): an alert is analysed at
 * once, the report is kept, and a chat about it is answered from what it found.
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "rca_report.h"
#include "rca_store.h"

enum { LIST_DEFAULT = 100, LIST_MAX = 10000 };

enum status rca_not_kept(struct query_request *request)
{
    return query_fail(request, ERR_NOT_SERVED, NULL,
                      "reports are not kept here");
}

enum status rca_none(struct query_request *request)
{
    return query_fail(request, ERR_NOT_FOUND, NULL, "RCA report not found");
}

/* ---- analyse ---- */

/* Of the alert's time, so that an alert that comes twice has one report. If
 * another namespace has a report of this id, the namespace behind it. */
static struct slice report_id(struct query_request *request,
                              const struct rca_alert *alert)
{
    struct slice space = alert->namespace, id;
    char text[200];
    int len = snprintf(text, sizeof(text), "%.*s_%llu", (int)alert->id.len,
                       alert->id.ptr,
                       (unsigned long long)(alert->time_ns / NS_PER_S));
    struct buf buf;

    buf_init(&buf, sizeof(text) + 2 + space.len);
    buf_add(&buf, (struct slice){text, (size_t)len});
    if (rca_store_id_taken(request->services->rca, buf_slice(&buf), space)) {
        buf_byte(&buf, '_');
        buf_add(&buf, space);
    }
    id = arena_copy(request->arena, buf_slice(&buf));
    buf_release(&buf);
    return id;
}

/* The document goes through the answer's buffer, which has a cap. Without a
 * report it is that of an analysis that failed. */
static enum status keep(struct query_request *request,
                        const struct rca_alert *alert,
                        const struct cause_report *report, struct slice id)
{
    struct jsonw *w = &request->json;

    jsonw_open(w, '{');
    jsonw_member_text(w, "reportId", id);
    jsonw_member_text(w, "alertId", alert->id);
    jsonw_member_time(w, "timestamp", alert->time_ns);
    jsonw_member_text(w, "status",
                      report ? SLICE("completed") : SLICE("failed"));
    jsonw_member_text(w, "summary",
                      report ? rca_report_summary(request, report)
                             : SLICE("The analysis failed."));
    jsonw_member_text(w, "namespace", alert->namespace);
    jsonw_member_text(w, "project", alert->project);
    jsonw_member_text(w, "environment", alert->environment);
    jsonw_key(w, "report");
    if (report)
        rca_report_write(request, alert, report);
    else
        jsonw_null(w);
    jsonw_close(w, '}');
    enum status s =
        rca_store_put(request->services->rca, buf_slice(&request->out));
    buf_reset(&request->out);
    jsonw_init(w, &request->out);
    return s;
}

/* The alerted component and what it calls; if nothing stands out there, all of
 * the project: callers, too, can be too much for it. */
static enum status find(struct query_request *request,
                        const struct rca_alert *alert,
                        struct cause_report **report)
{
    struct cause_question question = {
        .scope = {.namespace = alert->namespace,
                  .project = alert->project,
                  .component = alert->component,
                  .environment = alert->environment},
        .window = {alert->time_ns - alert->length_ns, alert->time_ns},
        .registry = request->services->registry,
        .catalog = request->services->catalog,
        .reader = request->reader};
    struct arena attempt;
    enum status s;

    if (alert->component.len > 0) {
        arena_begin(&attempt, request->arena);
        s = cause_find(&question, &attempt, report);
        if (s == OK && (*report)->found) {
            arena_adopt(request->arena, &attempt);
            return OK;
        }
        arena_release(&attempt);
        question.scope.component = (struct slice){NULL, 0};
        question.has_baseline = false;
    }
    return cause_find(&question, request->arena, report);
}

/* "pending" is all that the contract's clients expect here; they ask for the
 * report then, and it is there. */
static enum status analyze(struct query_request *request)
{
    struct rca_alert alert = {0};
    struct cause_report *report = NULL;
    enum status s, kept;

    if (!request->services->rca)
        return rca_not_kept(request);
    s = rca_alert_read(request, &alert);
    if (s != OK)
        return s;
    s = find(request, &alert, &report);
    struct slice id = report_id(request, &alert);
    kept = keep(request, &alert, s == OK ? report : NULL, id);
    /* Memory that is never enough: the report says that it failed; the same
     * request again would not help. */
    if (s != OK && s != ERR_TOO_BIG)
        return query_fail_read(request, s);
    if (kept != OK)
        return query_fail(request, kept, NULL, "the report could not be kept");
    jsonw_open(&request->json, '{');
    jsonw_member_text(&request->json, "report_id", id);
    jsonw_member_text(&request->json, "status", SLICE("pending"));
    jsonw_close(&request->json, '}');
    return OK;
}

/* ---- list, one, change ---- */

static enum status need_param(struct query_request *request, const char *name,
                              struct slice *text)
{
    *text = query_param(request, name);
    return text->len > 0
               ? OK
               : query_fail(request, ERR_INVALID, NULL, "%s is required", name);
}

static bool is_status(struct slice text)
{
    return slice_equal(text, SLICE("pending")) ||
           slice_equal(text, SLICE("completed")) ||
           slice_equal(text, SLICE("failed"));
}

static enum status list_filter(struct query_request *request,
                               struct rca_filter *filter)
{
    struct slice limit = query_param(request, "limit"), ignored;
    struct slice sort = query_param(request, "sort");
    enum status s = need_param(request, "namespace", &filter->namespace);

    if (s == OK)
        s = need_param(request, "project", &filter->project);
    if (s == OK)
        s = need_param(request, "environment", &filter->environment);
    if (s == OK)
        s = need_param(request, "startTime", &ignored);
    if (s == OK)
        s = need_param(request, "endTime", &ignored);
    if (s == OK)
        s = params_query_range(request, 0, &filter->start_ns, &filter->end_ns);
    if (s != OK)
        return s;
    filter->status = query_param(request, "status");
    if (filter->status.len > 0 && !is_status(filter->status))
        return query_fail(request, ERR_INVALID, NULL,
                          "status must be pending, completed or failed");
    filter->limit = LIST_DEFAULT;
    if (limit.len > 0) {
        uint64_t n = 0;

        for (size_t i = 0; i < limit.len && n <= LIST_MAX; i++)
            n = limit.ptr[i] >= '0' && limit.ptr[i] <= '9'
                    ? n * 10 + (uint64_t)(limit.ptr[i] - '0')
                    : LIST_MAX + 1;
        if (n < 1 || n > LIST_MAX)
            return query_fail(request, ERR_INVALID, NULL,
                              "limit must be 1 to %d", LIST_MAX);
        filter->limit = (uint32_t)n;
    }
    filter->ascending = slice_equal(sort, SLICE("asc"));
    if (sort.len > 0 && !filter->ascending && !slice_equal(sort, SLICE("desc")))
        return query_fail(request, ERR_INVALID, NULL,
                          "sort must be asc or desc");
    return OK;
}

static enum status list_reports(struct query_request *request)
{
    struct rca_filter filter = {0};
    struct jsonw *w = &request->json;
    uint32_t count;
    uint64_t total;
    enum status s;

    if (!request->services->rca)
        return rca_not_kept(request);
    s = list_filter(request, &filter);
    if (s != OK)
        return s;
    const struct rca_summary *rows = rca_store_list(
        request->services->rca, &filter, request->arena, &count, &total);
    if (!rows)
        return arena_status(request->arena);
    jsonw_open(w, '{');
    jsonw_key(w, "reports");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < count; i++) {
        jsonw_open(w, '{');
        jsonw_member_text(w, "alertId", rows[i].alert_id);
        jsonw_member_text(w, "reportId", rows[i].id);
        jsonw_member_text(w, "timestamp", rows[i].timestamp);
        jsonw_member_text(w, "summary", rows[i].summary);
        jsonw_member_text(w, "status", rows[i].status);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
    jsonw_member_uint(w, "totalCount", total);
    jsonw_close(w, '}');
    return OK;
}

json_t *rca_load_report(struct query_request *request, struct slice id,
                        const struct rca_scope *scope)
{
    struct slice text =
        rca_store_get(request->services->rca, id, scope, request->arena);

    return text.len > 0 ? json_loadb(text.ptr, text.len, 0, NULL) : NULL;
}

/* In the query string or, of PUT, in the body. */
static enum status scope_text(struct query_request *request, const char *name,
                              struct slice *text)
{
    *text = query_param(request, name);
    return text->len > 0 || !request->body ? OK
                                           : params_text(request, name, text);
}

/* The report named in the path, in the scope that is given. */
static enum status load_by_path(struct query_request *request,
                                json_t **document)
{
    struct rca_scope scope = {0};
    enum status s = scope_text(request, "namespace", &scope.namespace);

    if (s == OK)
        s = scope_text(request, "project", &scope.project);
    if (s == OK)
        s = scope_text(request, "environment", &scope.environment);
    if (s == OK)
        *document = rca_load_report(request, request->parts[0], &scope);
    return s;
}

static void dump(struct query_request *request, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);

    if (text)
        buf_add(&request->out, slice_of(text));
    free(text);
}

static enum status get_report(struct query_request *request)
{
    static const char *const hidden[] = {"summary", "namespace", "project",
                                         "environment"};
    json_t *document = NULL;
    enum status s;

    if (!request->services->rca)
        return rca_not_kept(request);
    s = load_by_path(request, &document);
    if (s != OK)
        return s;
    if (!document)
        return rca_none(request);
    for (size_t i = 0; i < 4; i++)
        (void)json_object_del(document, hidden[i]);
    dump(request, document);
    json_decref(document);
    return OK;
}

static enum status mark(struct query_request *request, json_t *actions,
                        const char *member, const char *status)
{
    const json_t *list = json_object_get(request->body, member);

    if (!list || json_is_null(list))
        return OK;
    if (!json_is_array(list))
        return query_fail(request, ERR_INVALID, NULL, "%s must be an array",
                          member);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *index = json_array_get(list, i);
        json_int_t n = json_integer_value(index);
        json_t *action = n >= 0 ? json_array_get(actions, (size_t)n) : NULL;

        if (!json_is_integer(index))
            return query_fail(request, ERR_INVALID, NULL,
                              "%s must be an array of integers", member);
        if (action) /* the reference ignores an index that there is not */
            (void)json_object_set_new(action, "status", json_string(status));
    }
    return OK;
}

static enum status save(struct query_request *request, const json_t *document)
{
    char *text = json_dumps(document, JSON_COMPACT);
    enum status s =
        text ? rca_store_put(request->services->rca, slice_of(text)) : ERR_BUSY;

    free(text);
    return s == OK ? OK : query_fail(request, s, NULL, "could not be kept");
}

static enum status put_report(struct query_request *request)
{
    json_t *document = NULL, *actions;
    enum status s;

    if (!request->services->rca)
        return rca_not_kept(request);
    s = load_by_path(request, &document);
    if (s != OK)
        return s;
    if (!document)
        return rca_none(request);
    actions = json_object_get(
        json_object_get(
            json_object_get(json_object_get(document, "report"), "result"),
            "recommendations"),
        "recommended_actions");
    s = mark(request, actions, "appliedIndices", "applied");
    if (s == OK)
        s = mark(request, actions, "dismissedIndices", "dismissed");
    if (s == OK)
        s = save(request, document);
    json_decref(document);
    if (s != OK)
        return s;
    jsonw_open(&request->json, '{');
    jsonw_member_text(&request->json, "status", SLICE("ok"));
    jsonw_close(&request->json, '}');
    return OK;
}

const struct route routes_rca[] = {
    {"POST", "/api/v1alpha1/rca-agent/analyze", analyze, NULL,
     TAKES_JSON | RCA_ERRORS, 0, NULL},
    {"GET", "/api/v1/rca-agent/reports", list_reports, NULL,
     NO_READER | RCA_ERRORS, 0, NULL},
    {"GET", "/api/v1/rca-agent/reports/{}", get_report, NULL,
     NO_READER | RCA_ERRORS, 0, NULL},
    {"PUT", "/api/v1/rca-agent/reports/{}", put_report, NULL,
     TAKES_JSON | NO_READER | RCA_ERRORS, 0, NULL},
    {"POST", "/api/v1alpha1/rca-agent/chat", rca_chat, NULL,
     TAKES_JSON | NO_READER | RCA_ERRORS, 0, NULL},
    {0},
};
