/*
 * GET /api/v1/incidents: the times in which components of a scope failed or
 * were slow. In: a scope and a window. Out: what incident_history.h finds.
 */
#include <math.h>

#include "clock.h"
#include "component.h"
#include "empty_reply.h"
#include "incident_history.h"
#include "routes.h"

enum { LIMIT = 100, LISTED = 20 };

static const char *const symptoms[] = {"errors", "latency", "metrics", NULL};

/* ---- the answer ---- */

struct size_view {
    double requests, failed, error_ratio, mean_latency; /* NAN: unknown */
};
static const struct reply_table size_table =
    REPLY_TABLE(struct size_view, REPLY(struct size_view, "requests", requests),
                REPLY(struct size_view, "failed", failed),
                REPLY_NULLABLE(struct size_view, "errorRatio", error_ratio),
                REPLY_NULLABLE(struct size_view, "meanLatency", mean_latency));

struct part_view {
    const struct identity *identity;
    const char *symptom;
    uint64_t start_ns, end_ns;
    struct size_view during, usual;
    const struct size_view *has_during, *has_usual; /* NULL: no requests */
};
static const struct reply_table names_table =
    REPLY_TABLE(struct identity, REPLY(struct identity, "namespace", namespace),
                REPLY(struct identity, "project", project),
                REPLY(struct identity, "component", component),
                REPLY(struct identity, "environment", environment));
static const struct reply_table part_table = REPLY_TABLE(
    struct part_view,
    REPLY_INLINE(struct part_view, identity, REPLY_POINTER, &names_table),
    REPLY(struct part_view, "symptom", symptom),
    REPLY_TIME(struct part_view, "startTime", start_ns),
    REPLY_OPTIONAL_TIME(struct part_view, "endTime", end_ns),
    REPLY_OBJECT(struct part_view, "during", has_during, REPLY_POINTER,
                 &size_table),
    REPLY_OBJECT(struct part_view, "usual", has_usual, REPLY_POINTER,
                 &size_table));

struct incident_view {
    struct part_view lead;
    struct slice text;
    uint32_t component_count;
    struct reply_list components;
};
static const struct reply_table incident_table = REPLY_TABLE(
    struct incident_view,
    REPLY_INLINE(struct incident_view, lead, 0, &part_table),
    REPLY(struct incident_view, "text", text),
    REPLY(struct incident_view, "componentCount", component_count),
    REPLY_LIST(struct incident_view, "components", components, &part_table));

struct judged_view {
    uint32_t components;
    uint64_t start_ns, end_ns;
};
static const struct reply_table judged_table = REPLY_TABLE(
    struct judged_view, REPLY(struct judged_view, "components", components),
    REPLY_TIME(struct judged_view, "startTime", start_ns),
    REPLY_TIME(struct judged_view, "endTime", end_ns));
static const struct reply_table window_times = REPLY_TABLE(
    struct cause_window, REPLY_TIME(struct cause_window, "startTime", start_ns),
    REPLY_TIME(struct cause_window, "endTime", end_ns));

struct incidents_view {
    struct reply_list incidents;
    uint32_t total;
    struct judged_view judged;
    struct cause_window window;
    const struct empty_reply *empty;
    int64_t took_ms;
};
static const struct reply_table incidents_table = REPLY_TABLE(
    struct incidents_view,
    REPLY_LIST(struct incidents_view, "incidents", incidents, &incident_table),
    REPLY(struct incidents_view, "total", total),
    REPLY_OBJECT(struct incidents_view, "judged", judged, 0, &judged_table),
    REPLY_OBJECT(struct incidents_view, "window", window, 0, &window_times),
    REPLY_OBJECT(struct incidents_view, "empty", empty, REPLY_POINTER,
                 &empty_table),
    REPLY(struct incidents_view, "tookMs", took_ms));

/* ---- filling it ---- */

struct incident_writer {
    const struct found_incident **shown;
    const struct found_incident *incident; /* whose components are written */
    struct incident_view view;
    struct part_view part;
};

static struct size_view size_of(const struct incident_figures *f)
{
    return (struct size_view){
        f->requests, f->failed,
        f->requests > 0 ? fmin(f->failed / f->requests, 1) : (double)NAN,
        f->requests > 0 ? f->seconds / f->requests : (double)NAN};
}

static void fill_part(struct part_view *view,
                      const struct component_incident *c)
{
    bool counted = c->symptom != INCIDENT_METRICS;

    *view = (struct part_view){.identity = c->identity,
                               .symptom = symptoms[c->symptom],
                               .start_ns = c->start_ns,
                               .end_ns = c->end_ns,
                               .during = size_of(&c->during),
                               .usual = size_of(&c->usual)};
    view->has_during = counted ? &view->during : NULL;
    view->has_usual = counted ? &view->usual : NULL;
}

static const void *part_item(void *arg, uint32_t i)
{
    struct incident_writer *writer = arg;

    fill_part(&writer->part, &writer->incident->components[i]);
    return &writer->part;
}

static const void *incident_item(void *arg, uint32_t i)
{
    struct incident_writer *writer = arg;
    const struct found_incident *found = writer->shown[i];
    struct incident_view *view = &writer->view;

    writer->incident = found;
    fill_part(&view->lead, &found->lead);
    view->text = found->text;
    view->component_count = found->component_count;
    view->components = (struct reply_list){
        found->component_count < LISTED ? found->component_count : LISTED, NULL,
        part_item, writer};
    return view;
}

/* ---- the request ---- */

static enum status read_request(struct query_request *request,
                                struct incident_query *query, int *symptom,
                                uint64_t *limit)
{
    params_query_scope(request, &query->scope);
    params_query_range(request, NS_PER_HOUR, &query->window.start_ns,
                       &query->window.end_ns);
    *symptom = params_query_word(request, "symptom", symptoms);
    params_query_number(request, "limit", 1, PARAMS_MAX_PAGE, limit);
    if (request->failed == OK && query->window.end_ns <= query->window.start_ns)
        query_invalid(request, "endTime must be after startTime");
    query->viewer = &request->viewer;
    query->registry = request->services->registry;
    query->catalog = request->services->catalog;
    query->reader = request->reader;
    return request->failed;
}

static enum status read_incidents(struct query_request *request,
                                  const struct incident_query *query,
                                  struct incident_history *history)
{
    enum status s = incident_history_find(query, request->arena, history);

    if (s == ERR_INVALID)
        return query_invalid(request, "startTime is too early");
    return s == OK ? OK : query_fail_read(request, s);
}

static enum status list_incidents(struct query_request *request)
{
    struct incident_query query = {.scope = {.unassigned = false}};
    struct incident_history history;
    struct incident_writer writer = {.shown = NULL};
    uint64_t limit = LIMIT;
    uint32_t total = 0;
    int symptom;
    enum status s = read_request(request, &query, &symptom, &limit);

    if (s == OK)
        s = read_incidents(request, &query, &history);
    if (s != OK)
        return s;
    writer.shown = arena_alloc(request->arena,
                               (history.count + 1) * sizeof(*writer.shown));
    if (!writer.shown)
        return arena_status(request->arena);
    for (uint32_t i = 0; i < history.count; i++)
        if (symptom < 0 || (int)history.at[i].lead.symptom == symptom)
            writer.shown[total++] = &history.at[i];
    struct incidents_view view = {
        .incidents = {total < limit ? total : (uint32_t)limit, NULL,
                      incident_item, &writer},
        .total = total,
        .judged = {history.components, history.judged.start_ns,
                   history.judged.end_ns},
        .window = query.window,
        .took_ms = query_took_ms(request)};
    const struct empty_of nothing = {.scope = query.scope,
                                     .start_ns = query.window.start_ns,
                                     .end_ns = query.window.end_ns,
                                     .what = "requests or metrics",
                                     .signal = SIGNAL_COUNT};

    if (history.components == 0)
        view.empty = empty_reply_of(request, &nothing);
    reply_write(&request->json, &incidents_table, &view);
    return OK;
}

const struct route routes_incidents[] = {
    {"GET", "/api/v1/incidents", ACTION_INCIDENTS_VIEW, SCOPE_NARROWED,
     list_incidents, NULL, 0, 0, &incidents_table},
    {0},
};
