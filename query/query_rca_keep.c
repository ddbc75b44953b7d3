/*
 * POST /api/v1/rca-agent/reports: keeps the answer of /api/v1/cause. In: what
 * that takes. Out: the id of the report, which follows from the question, so
 * that the same one has one report.
 */
#include "cause_reply.h"
#include "clock.h"
#include "hash.h"
#include "rca_report.h"

struct kept_reply {
    struct slice id;
    bool created;
    struct slice status;
};
const struct reply_table rca_kept_table =
    REPLY_TABLE(struct kept_reply, REPLY(struct kept_reply, "reportId", id),
                REPLY(struct kept_reply, "created", created),
                REPLY(struct kept_reply, "status", status));

/* In place of the id of an alert. */
static struct slice question_id(struct query_request *request,
                                const struct cause_query *query)
{
    const struct slice names[] = {query->scope.namespace, query->scope.project,
                                  query->scope.component,
                                  query->scope.environment};
    uint64_t h = 0;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        h = hash_bytes(names[i].ptr, names[i].len, h + names[i].len);
    h = hash_mix(hash_mix(h, query->window.start_ns), query->window.end_ns);
    h = hash_mix(hash_mix(h, query->baseline.start_ns), query->baseline.end_ns);
    return arena_format(request->arena, "cause-%016llx", (unsigned long long)h);
}

/* What is kept already. False: nothing. */
static bool find_kept(struct query_request *request,
                      const struct rca_alert *alert, struct slice id,
                      struct kept_reply *reply)
{
    const struct rca_scope scope = {alert->namespace, alert->project,
                                    alert->environment, rca_report_is_seen,
                                    request};
    json_t *document;

    if (rca_reports_get(request->services->rca, id, &scope, request->arena)
            .len == 0)
        return false;
    document = rca_load_report(request, id, &scope, NULL);
    *reply = (struct kept_reply){
        id, false,
        arena_copy(request->arena,
                   json_text_of(json_object_get(document, "status")))};
    json_decref(document);
    return true;
}

/* The names in a report are those of the project, if who asks may see it; else
 * it is about the component. */
static bool sees_project(struct query_request *request,
                         const struct cause_query *query)
{
    struct scope_filter project = query->scope;

    project.component = (struct slice){NULL, 0};
    return params_may_see(request, request->viewer.action, &project) == OK;
}

static enum status keep(struct query_request *request,
                        struct cause_query *query,
                        const struct rca_alert *alert, struct slice id)
{
    const struct grant of_component = {
        ACTION_BIT(request->viewer.action),
        {{alert->namespace, alert->project, alert->component,
          alert->environment}}};
    const struct viewer own = {{&of_component, 1}, request->viewer.action};
    struct cause_report *report = NULL;
    enum status s;

    query->viewer = alert->sees_project ? &request->viewer : &own;
    s = cause_run(request, query, &report);
    if (s != OK)
        return s;
    s = rca_store_report(request, alert, report, id);
    return s == OK
               ? OK
               : query_fail(request, s, NULL, "the report could not be stored");
}

enum status rca_keep_report(struct query_request *request)
{
    struct cause_query query = {0};
    struct kept_reply reply;
    enum status s = cause_read(request, SCOPE_NEEDS_ENV, &query);

    if (s != OK)
        return s;
    struct rca_alert alert = {.body = request->body,
                              .id = question_id(request, &query),
                              .namespace = query.scope.namespace,
                              .project = query.scope.project,
                              .component = query.scope.component,
                              .environment = query.scope.environment,
                              .time_ns = query.window.end_ns,
                              .length_ns =
                                  query.window.end_ns - query.window.start_ns,
                              .asked = true,
                              .sees_project = sees_project(request, &query)};
    struct slice id = rca_report_id(request, &alert);

    if (request->failed != OK)
        return request->failed;
    if (!find_kept(request, &alert, id, &reply)) {
        s = keep(request, &query, &alert, id);
        reply = (struct kept_reply){id, true, SLICE("completed")};
    }
    if (s != OK || request->failed != OK)
        return request->failed != OK ? request->failed : s;
    const union scope_names scope = {
        {alert.namespace, alert.project, alert.component, alert.environment}};

    query_request_about(request, &scope, id);
    reply_write(&request->json, &rca_kept_table, &reply);
    return OK;
}
