/*
 * GET /api/v1/capacity: at which request rate a limit of a component or an
 * objective breaks, from what it used at the rates that were seen, and which of
 * its callees break first.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "capacity.h"
#include "clock.h"
#include "cost_routes.h"
#include "empty_reply.h"
#include "page_link.h"
#include "topology.h"

enum { CALLEES_MAX = 8 };
#define OBJECTIVE_LATENCY 1.0  /* seconds, p99 */
#define OBJECTIVE_ERRORS  0.01 /* ratio */

/* A component that is called, by its own measurements. */
struct capacity_callee {
    const struct identity *identity;
    double calls;
    double calls_per_request;
    struct capacity capacity;
    const char *kind; /* of its limit that breaks first; NULL: none */
    const struct estimate *breaks, *at; /* its own rate; that of the caller */
    struct estimate of_breaks, of_at;
    double headroom;
    const char *not_enough;
};

struct capacity_first {
    const char *kind;
    const struct identity *callee; /* NULL: it is the component itself */
    struct estimate at;
    double headroom, extrapolation;
    bool guess;
};

struct capacity_answer {
    struct query_request *request;
    struct scope_filter scope;
    struct window window;
    struct capacity capacity;
    struct capacity_callee *callees;
    uint32_t callee_count, callee_room, callees_left_out;
    const struct capacity_first *first;
    struct capacity_first of_first;
};

/* ---- the answer ---- */

static const struct reply_table estimate_table = REPLY_TABLE(
    struct estimate, REPLY_NULLABLE(struct estimate, "value", value),
    REPLY_NULLABLE(struct estimate, "low", low),
    REPLY_NULLABLE(struct estimate, "high", high));

static const struct reply_table knee_table =
    REPLY_TABLE(struct line_knee, REPLY(struct line_knee, "rate", x),
                REPLY(struct line_knee, "flat", flat));

static const struct reply_table trend_table = REPLY_TABLE(
    struct capacity_trend,
    REPLY_OBJECT(struct capacity_trend, "perHour", per_hour, 0,
                 &estimate_table),
    REPLY_NULLABLE(struct capacity_trend, "hoursToLimit", hours_to_limit));

static const struct reply_table limit_table = REPLY_TABLE(
    struct capacity_limit, REPLY(struct capacity_limit, "kind", kind),
    REPLY(struct capacity_limit, "unit", unit),
    REPLY_NULLABLE(struct capacity_limit, "present", present),
    REPLY_NULLABLE(struct capacity_limit, "limit", limit),
    REPLY(struct capacity_limit, "limitSource", limit_source),
    REPLY_NULLABLE(struct capacity_limit, "request", request),
    REPLY(struct capacity_limit, "cells", cells),
    REPLY(struct capacity_limit, "outliers", outliers),
    REPLY_OBJECT(struct capacity_limit, "idle", idle, REPLY_POINTER,
                 &estimate_table),
    REPLY_OBJECT(struct capacity_limit, "perRequestRate", per_request,
                 REPLY_POINTER, &estimate_table),
    REPLY_NULLABLE(struct capacity_limit, "r2", r2),
    REPLY_OBJECT(struct capacity_limit, "breaksAt", breaks, REPLY_POINTER,
                 &estimate_table),
    REPLY_NULLABLE(struct capacity_limit, "headroom", headroom),
    REPLY_NULLABLE(struct capacity_limit, "extrapolation", extrapolation),
    REPLY_OPTIONAL(struct capacity_limit, "guess", guess),
    REPLY_OBJECT(struct capacity_limit, "knee", knee, REPLY_POINTER,
                 &knee_table),
    REPLY_OBJECT(struct capacity_limit, "trend", trend, REPLY_POINTER,
                 &trend_table),
    REPLY_OPTIONAL(struct capacity_limit, "notEnough", not_enough));

static const struct reply_table capacity_names_table =
    REPLY_TABLE(struct identity, REPLY(struct identity, "namespace", namespace),
                REPLY(struct identity, "project", project),
                REPLY(struct identity, "component", component),
                REPLY_OPTIONAL(struct identity, "environment", environment));

static const struct reply_table callee_table = REPLY_TABLE(
    struct capacity_callee,
    REPLY_INLINE(struct capacity_callee, identity, REPLY_POINTER,
                 &capacity_names_table),
    REPLY_NULLABLE(struct capacity_callee, "callsPerRequest",
                   calls_per_request),
    REPLY_OPTIONAL(struct capacity_callee, "kind", kind),
    REPLY_OBJECT(struct capacity_callee, "breaksAt", breaks, REPLY_POINTER,
                 &estimate_table),
    REPLY_OBJECT(struct capacity_callee, "callerRate", at, REPLY_POINTER,
                 &estimate_table),
    REPLY_NULLABLE(struct capacity_callee, "headroom", headroom),
    REPLY_OPTIONAL(struct capacity_callee, "notEnough", not_enough));

static const struct reply_table first_table = REPLY_TABLE(
    struct capacity_first, REPLY(struct capacity_first, "kind", kind),
    REPLY_OBJECT(struct capacity_first, "callee", callee, REPLY_POINTER,
                 &capacity_names_table),
    REPLY_OBJECT(struct capacity_first, "breaksAt", at, 0, &estimate_table),
    REPLY_NULLABLE(struct capacity_first, "headroom", headroom),
    REPLY_NULLABLE(struct capacity_first, "extrapolation", extrapolation),
    REPLY_OPTIONAL(struct capacity_first, "guess", guess));

struct capacity_rates {
    double present, least, most;
    uint32_t cells, pods;
    double step_seconds;
};
static const struct reply_table rates_table =
    REPLY_TABLE(struct capacity_rates,
                REPLY_NULLABLE(struct capacity_rates, "present", present),
                REPLY_NULLABLE(struct capacity_rates, "least", least),
                REPLY_NULLABLE(struct capacity_rates, "most", most),
                REPLY(struct capacity_rates, "cells", cells),
                REPLY(struct capacity_rates, "stepSeconds", step_seconds),
                REPLY_OPTIONAL(struct capacity_rates, "pods", pods));

struct capacity_view {
    struct identity component;
    struct capacity_rates rates;
    const struct capacity_first *first;
    struct reply_list limits, callees;
    uint32_t callees_left_out;
    const char *not_enough;
    struct window window;
    const struct empty_reply *empty;
    struct slice link;
    int64_t took_ms;
};
static const struct reply_table capacity_table = REPLY_TABLE(
    struct capacity_view,
    REPLY_OBJECT(struct capacity_view, "component", component, 0,
                 &capacity_names_table),
    REPLY_OBJECT(struct capacity_view, "rates", rates, 0, &rates_table),
    REPLY_OBJECT(struct capacity_view, "first", first, REPLY_POINTER,
                 &first_table),
    REPLY_LIST(struct capacity_view, "limits", limits, &limit_table),
    REPLY_LIST(struct capacity_view, "callees", callees, &callee_table),
    REPLY(struct capacity_view, "calleesLeftOut", callees_left_out),
    REPLY_OPTIONAL(struct capacity_view, "notEnough", not_enough),
    REPLY_OBJECT(struct capacity_view, "window", window, 0, &window_table),
    REPLY_OBJECT(struct capacity_view, "empty", empty, REPLY_POINTER,
                 &empty_table),
    REPLY_OPTIONAL(struct capacity_view, "link", link),
    REPLY(struct capacity_view, "tookMs", took_ms));

/* What came a moment ago is in a cell that does not count until it is over. */
static const struct empty_reply *why_empty(const struct capacity_answer *a)
{
    struct query_request *request = a->request;
    struct empty_reply *late = arena_zero(request->arena, 1, sizeof(*late));
    const struct empty_reply *empty = empty_reply_of(
        request, &(struct empty_of){.scope = a->scope,
                                    .start_ns = a->window.start_ns,
                                    .end_ns = a->window.end_ns,
                                    .what = "requests",
                                    .signal = SIGNAL_SPANS});

    if (!empty || !late || strcmp(empty->reason, "window") != 0)
        return empty;
    *late = *empty;
    late->message = SLICE("no requests in the window, or only in its last "
                          "cell of some minutes, which is not over");
    return late;
}

static void reply(struct capacity_answer *a)
{
    const struct capacity *c = &a->capacity;
    struct query_request *request = a->request;
    struct capacity_view view = {
        .component = {.namespace = a->scope.namespace,
                      .project = a->scope.project,
                      .component = a->scope.component,
                      .environment = a->scope.environment},
        .rates = {c->present_rate, c->least_rate, c->most_rate, c->cells.count,
                  c->cells.pods, c->cells.step_seconds},
        .first = a->first,
        .limits = {.count = CAPACITY_KINDS, .items = c->limits},
        .callees = {.count = a->callee_count, .items = a->callees},
        .callees_left_out = a->callees_left_out,
        .not_enough = c->not_enough,
        .window = a->window,
        .link = page_link_text(
            request, &(struct page_link){.page = "component",
                                         .scope = a->scope,
                                         .start_ns = a->window.start_ns,
                                         .end_ns = a->window.end_ns}),
        .took_ms = query_took_ms(request)};

    if (c->cells.count == 0)
        view.empty = why_empty(a);
    reply_write(&request->json, &capacity_table, &view);
}

/* ---- callees ---- */

static enum status measure(struct capacity_answer *a,
                           const struct scope_filter *scope,
                           struct capacity *capacity)
{
    enum status s = capacity_read(a->request, scope, a->window.start_ns,
                                  a->window.end_ns, &capacity->cells);

    return s == OK ? capacity_fit(capacity, a->request->arena) : s;
}

static enum status measure_callee(struct capacity_answer *a,
                                  struct capacity_callee *callee)
{
    const struct identity *id = callee->identity;
    const struct scope_filter scope = {.namespace = id->namespace,
                                       .project = id->project,
                                       .component = id->component,
                                       .environment = id->environment};
    struct capacity *c = &callee->capacity;
    enum status s;

    memcpy(c->objectives, a->capacity.objectives, sizeof(c->objectives));
    s = measure(a, &scope, c);
    if (s != OK)
        return s;
    callee->headroom = NAN;
    callee->not_enough = c->not_enough;
    if (!c->first) {
        if (!callee->not_enough)
            callee->not_enough = "no limit of it can be told";
        return OK;
    }
    const struct estimate *own = &c->first->of_breaks;
    double per = callee->calls_per_request, now = c->present_rate;
    callee->kind = c->first->kind;
    callee->of_breaks = *own;
    callee->breaks = &callee->of_breaks;
    callee->headroom = own->value / now;
    if (!(per > 0))
        return OK;
    callee->of_at = (struct estimate){
        fmax(0, a->capacity.present_rate + (own->value - now) / per),
        fmax(0, a->capacity.present_rate + (own->low - now) / per),
        fmax(0, a->capacity.present_rate + (own->high - now) / per)};
    callee->at = &callee->of_at;
    return OK;
}

static int by_calls(const void *left, const void *right)
{
    const struct capacity_callee *a = left, *b = right;

    if (a->calls != b->calls)
        return a->calls > b->calls ? -1 : 1;
    return identity_compare(a->identity, b->identity);
}

static int by_break(const void *left, const void *right)
{
    const struct capacity_callee *a = left, *b = right;
    double of_a = a->at ? a->at->value : INFINITY;
    double of_b = b->at ? b->at->value : INFINITY;

    if (of_a != of_b)
        return of_a < of_b ? -1 : 1;
    return by_calls(left, right);
}

static enum status add_callee(struct capacity_answer *a,
                              const struct topology *t,
                              const struct metric_group *group, double served)
{
    const struct edge *edge = group->item;
    struct capacity_callee *callee;

    if (!edge->source.shown || !edge->observed || edge->queue ||
        edge->target.kind != NODE_COMPONENT || edge->from == edge->to ||
        !is_named(a->scope.component, edge->source.identity.component,
                  edge->source.identity.component_uid))
        return OK;
    callee = arena_append(a->request->arena, &a->callees, a->callee_count,
                          &a->callee_room);
    if (!callee)
        return arena_status(a->request->arena);
    *callee = (struct capacity_callee){
        .identity = &edge->target.identity,
        .calls = metric_first(&t->edges, group, t->out.requests)};
    callee->calls_per_request = served > 0 ? callee->calls / served : NAN;
    a->callee_count++;
    return OK;
}

static enum status find_callees(struct capacity_answer *a,
                                const struct catalog_snapshot *snapshot)
{
    struct topology *t = arena_zero(a->request->arena, 1, sizeof(*t));
    double served = 0;
    enum status s;

    if (!t)
        return arena_status(a->request->arena);
    *t = (struct topology){.request = a->request,
                           .scope = a->scope,
                           .component = a->scope.component,
                           .start_ns = a->window.start_ns,
                           .end_ns = a->window.end_ns};
    t->scope.component = (struct slice){NULL, 0};
    s = params_select(a->request, &a->scope, &t->resources);
    if (s == OK)
        s = topology_read(t, snapshot);
    for (uint32_t i = 0; s == OK && i < t->requests.count; i++)
        served += metric_first(&t->requests, t->requests.groups[i],
                               t->served.requests);
    for (uint32_t i = 0; s == OK && i < t->edges.count; i++)
        s = add_callee(a, t, t->edges.groups[i], served);
    return s;
}

static enum status measure_callees(struct capacity_answer *a)
{
    enum status s = OK;

    if (a->callee_count == 0)
        return OK;
    qsort(a->callees, a->callee_count, sizeof(*a->callees), by_calls);
    if (a->callee_count > CALLEES_MAX) {
        a->callees_left_out = a->callee_count - CALLEES_MAX;
        a->callee_count = CALLEES_MAX;
    }
    for (uint32_t i = 0; s == OK && i < a->callee_count; i++)
        s = measure_callee(a, &a->callees[i]);
    return s;
}

/* Sorting moves callees, which point into themselves. */
static void sort_callees(struct capacity_answer *a)
{
    if (a->callee_count == 0)
        return;
    qsort(a->callees, a->callee_count, sizeof(*a->callees), by_break);
    for (uint32_t i = 0; i < a->callee_count; i++) {
        struct capacity_callee *callee = &a->callees[i];

        if (callee->at)
            callee->at = &callee->of_at;
        if (callee->breaks)
            callee->breaks = &callee->of_breaks;
    }
}

static void find_first(struct capacity_answer *a)
{
    const struct capacity_limit *own = a->capacity.first;
    const struct capacity_callee *callee = a->callees;
    struct capacity_first *first = &a->of_first;

    if (own) {
        *first = (struct capacity_first){own->kind,          NULL,
                                         own->of_breaks,     own->headroom,
                                         own->extrapolation, own->guess};
        a->first = first;
    }
    if (a->callee_count == 0 || !callee->at ||
        (own && own->of_breaks.value <= callee->at->value))
        return;
    *first = (struct capacity_first){
        callee->kind,
        callee->identity,
        *callee->at,
        callee->at->value / a->capacity.present_rate,
        callee->at->value / a->capacity.most_rate,
        callee->at->value > CAPACITY_GUESS * a->capacity.most_rate};
    a->first = first;
}

/* ---- the request ---- */

/* One environment; of several, the one to choose is asked for. */
static enum status find_environment(struct capacity_answer *a)
{
    uint32_t count = 0;
    const struct component_info *infos =
        registry_components(a->request->services->registry, &a->scope,
                            &a->request->viewer, a->request->arena, &count);
    const struct slice second =
        count > 1 ? infos[1].identity.environment : SLICE("");

    if (count > 1)
        return query_invalid(
            a->request,
            "environment is required: the component is in %.*s and %.*s",
            SLICE_ARGS(infos[0].identity.environment), SLICE_ARGS(second));
    if (count == 1)
        a->scope =
            (struct scope_filter){.namespace = infos->identity.namespace,
                                  .project = infos->identity.project,
                                  .component = infos->identity.component,
                                  .environment = infos->identity.environment};
    return OK;
}

static enum status read_request(struct capacity_answer *a)
{
    struct query_request *request = a->request;
    double *objectives = a->capacity.objectives;

    params_query_scope(request, &a->scope);
    params_query_range(request, 7 * NS_PER_DAY, &a->window.start_ns,
                       &a->window.end_ns);
    objectives[CAPACITY_LATENCY] = OBJECTIVE_LATENCY;
    objectives[CAPACITY_ERRORS] = OBJECTIVE_ERRORS;
    params_query_decimal(request, "objectiveLatency", 3600,
                         &objectives[CAPACITY_LATENCY]);
    params_query_decimal(request, "objectiveErrorRatio", 1,
                         &objectives[CAPACITY_ERRORS]);
    if (request->failed == OK &&
        (a->scope.namespace.len == 0 || a->scope.component.len == 0))
        query_invalid(request, "namespace, project and component are required");
    return request->failed == OK ? find_environment(a) : request->failed;
}

static enum status answer(struct capacity_answer *a,
                          const struct catalog_snapshot *snapshot)
{
    enum status s = measure(a, &a->scope, &a->capacity);

    if (s == OK)
        s = find_callees(a, snapshot);
    if (s == OK)
        s = measure_callees(a);
    if (s != OK)
        return s;
    sort_callees(a);
    find_first(a);
    reply(a);
    return OK;
}

static enum status capacity(struct query_request *request)
{
    struct capacity_answer *a = arena_zero(request->arena, 1, sizeof(*a));
    struct catalog_snapshot *snapshot;
    enum status s;

    if (!a)
        return arena_status(request->arena);
    a->request = request;
    s = read_request(a);
    if (s != OK)
        return s;
    snapshot = catalog_get(request->services->catalog);
    s = answer(a, snapshot);
    catalog_release(snapshot);
    return s;
}

const struct route routes_capacity[] = {
    {"GET", "/api/v1/capacity", ACTION_METRICS_VIEW, SCOPE_NARROWED, capacity,
     NULL, 0, 0, &capacity_table},
    {0},
};
