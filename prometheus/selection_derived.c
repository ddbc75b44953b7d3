/*
 * Derived series (derived.h) as Prometheus has them: callboard_..., and those
 * that Grafana's service graph reads.
 */
#include "component.h"
#include "derived.h"
#include "selection.h"

#define METRIC(name, side, list, sign)     \
    {                                      \
        SLICE_INIT(name), side, list, sign \
    }
#define FAMILY(side, what)                                    \
    METRIC(DERIVED_##what##DURATION, side, LIST_MAIN, 1),     \
        METRIC(DERIVED_##what##ERRORS, side, LIST_ERRORS, 1), \
        METRIC(DERIVED_##what##CLIENT_ERRORS, side, LIST_CLIENT_ERRORS, 1)
#define RETRACTED(side, what)                                  \
    METRIC(DERIVED_##what##DURATION, side, LIST_MAIN, -1),     \
        METRIC(DERIVED_##what##ERRORS, side, LIST_ERRORS, -1), \
        METRIC(DERIVED_##what##CLIENT_ERRORS, side, LIST_CLIENT_ERRORS, -1)

static const struct derived_metric metrics[] = {
    FAMILY(SIDE_REQUESTS, ),
    RETRACTED(SIDE_REQUESTS, RETRACTED_),
    FAMILY(SIDE_OUT, OUT_),
    RETRACTED(SIDE_OUT, OUT_RETRACTED_),
    FAMILY(SIDE_IN, IN_),
    RETRACTED(SIDE_IN, IN_RETRACTED_),
    METRIC(DERIVED_LOGS, SIDE_LOGS, LIST_MAIN, 1),
    METRIC(DERIVED_RECORDS, SIDE_RECORDS, LIST_MAIN, 1),
};
enum { METRICS = sizeof(metrics) / sizeof(*metrics) };

/* The series of each view. */
struct derived_output {
    enum derived_view view;
    enum output_kind kind;
    const char *name;
};
#define DURATIONS(view, name)                                      \
    {view, OUT_NATIVE, name}, {view, OUT_BUCKETS, name "_bucket"}, \
        {view, OUT_SUM, name "_sum"},                              \
    {                                                              \
        view, OUT_COUNT, name "_count"                             \
    }
#define CALLS(view)                                                      \
    {view, OUT_COUNT, "callboard_call_requests_total"},                  \
        {view, OUT_ERRORS, "callboard_call_errors_total"},               \
        {view, OUT_CLIENT_ERRORS, "callboard_call_client_errors_total"}, \
        DURATIONS(view, "callboard_call_duration_seconds")
#define GRAPH "traces_service_graph_request_"

static const struct derived_output outputs[] = {
    {VIEW_REQUESTS, OUT_COUNT, "callboard_requests_total"},
    {VIEW_REQUESTS, OUT_ERRORS, "callboard_request_errors_total"},
    {VIEW_REQUESTS, OUT_CLIENT_ERRORS, "callboard_request_client_errors_total"},
    DURATIONS(VIEW_REQUESTS, "callboard_request_duration_seconds"),
    CALLS(VIEW_OUT),
    CALLS(VIEW_IN),
    {VIEW_LOGS, OUT_VALUE, "callboard_log_records_total"},
    {VIEW_RECORDS, OUT_VALUE, "callboard_records_total"},
    {VIEW_GRAPH_CLIENT, OUT_COUNT, GRAPH "total"},
    {VIEW_GRAPH_CLIENT, OUT_ERRORS, GRAPH "failed_total"},
    DURATIONS(VIEW_GRAPH_CLIENT, GRAPH "client_seconds"),
    DURATIONS(VIEW_GRAPH_SERVER, GRAPH "server_seconds"),
    {VIEW_GRAPH_OUTSIDE, OUT_COUNT, GRAPH "total"},
    {VIEW_GRAPH_OUTSIDE, OUT_ERRORS, GRAPH "failed_total"},
};
enum { OUTPUTS = sizeof(outputs) / sizeof(*outputs) };

static const enum derived_side side_of[DERIVED_VIEWS] = {
    SIDE_REQUESTS, SIDE_OUT, SIDE_IN, SIDE_LOGS,
    SIDE_RECORDS,  SIDE_OUT, SIDE_IN, SIDE_IN};

bool derived_has_name(struct slice name)
{
    for (int i = 0; i < OUTPUTS; i++)
        if (slice_equal(name, slice_of(outputs[i].name)))
            return true;
    return false;
}

/* ---- what is read ---- */

/* The lists of a side that some view needs, as bits. */
static uint32_t lists_of(const struct selection *s, enum derived_side side)
{
    uint32_t lists = 0;

    for (int v = 0; v < DERIVED_VIEWS; v++)
        for (uint32_t i = 0;
             side_of[v] == side && i < s->derived_views[v].output_count; i++) {
            enum output_kind kind = s->derived_views[v].outputs[i].kind;

            lists |= 1U << LIST_MAIN;
            if (kind == OUT_ERRORS)
                lists |= 1U << LIST_ERRORS;
            else if (kind == OUT_CLIENT_ERRORS)
                lists |= 1U << LIST_CLIENT_ERRORS;
        }
    return lists;
}

static void make_views(struct selection *s)
{
    for (int v = 0; v < DERIVED_VIEWS; v++) {
        struct metric_view *view = &s->derived_views[v];

        *view = (struct metric_view){
            .type = side_of[v] >= SIDE_LOGS ? METRIC_SUM : METRIC_EXP_HISTOGRAM,
            .delta = true,
            .derived = true};
        for (int i = 0; i < OUTPUTS; i++)
            if ((int)outputs[i].view == v) {
                if (view->base.len == 0)
                    view->base = slice_of(outputs[i].name);
                view_add(s, view, outputs[i].kind, slice_of(outputs[i].name),
                         "");
            }
        view_finish(s, view);
    }
}

bool derived_prepare(struct selection *s, struct series_query *query)
{
    struct slice *names =
        arena_zero(s->source->request->arena, METRICS, sizeof(*names));

    make_views(s);
    query->names = names;
    query->name_count = 0;
    for (int i = 0; names && i < METRICS; i++)
        if (lists_of(s, metrics[i].side) >> metrics[i].list & 1)
            names[query->name_count++] = metrics[i].name;
    return query->name_count > 0;
}

bool derived_counts_only(const struct selection *s)
{
    for (int v = 0; v < DERIVED_VIEWS; v++)
        if (s->derived_views[v].type == METRIC_EXP_HISTOGRAM &&
            s->derived_views[v].output_count > 0 && !s->derived_views[v].counts)
            return false;
    return true;
}

bool derived_wants_metric(void *selection, const struct metric *metric)
{
    struct selection *s = selection;

    for (int i = 0; i < METRICS; i++)
        if (slice_equal(metrics[i].name, metric->name)) {
            s->metric = &metrics[i];
            s->metric_key = (uint64_t)i + 1;
            return true;
        }
    return false;
}

/* ---- labels ---- */

static void put(struct selection *s, const char *name, struct slice value)
{
    labels_put(&s->labels, slice_of(name), value, LABEL_REPLACE, &s->group);
}

static void put_attr(struct selection *s, const struct attrs *attrs,
                     const char *key, const char *name)
{
    put(s, name, attrs_text(attrs, slice_of(key)));
}

/* The other end of a call. */
struct peer {
    struct slice kind, name, system;
    const struct identity *identity; /* NULL: no component */
    bool hidden;
};

static struct peer peer_of(struct selection *s, const struct attrs *attrs)
{
    const struct attr *id = attrs_find(attrs, SLICE(DERIVED_PEER_ID));
    struct peer peer = {
        .kind = attrs_text(attrs, SLICE(DERIVED_PEER_KIND)),
        .name = attrs_text(attrs, SLICE(DERIVED_PEER_NAME)),
        .system = attrs_text(attrs, SLICE(DERIVED_PEER_SYSTEM)),
    };

    if (!slice_equal(peer.kind, SLICE("component")) || !id)
        return peer;
    peer.identity = reply_peer_identity(s->source->request, id);
    if (peer.identity == &identity_hidden) {
        peer = (struct peer){.kind = SLICE("external"),
                             .name = SLICE(PEER_HIDDEN),
                             .hidden = true};
    } else if (peer.identity) {
        peer.name = peer.identity->component;
    }
    return peer;
}

static void put_peer(struct selection *s, const struct attrs *attrs,
                     const struct peer *peer)
{
    put(s, "peer_kind", peer->kind);
    put(s, "peer_name", peer->name);
    put(s, "peer_system", peer->system);
    put_attr(s, attrs, DERIVED_PROTOCOL, "protocol");
    if (!peer->identity)
        return;
    put(s, "peer_namespace", peer->identity->namespace);
    put(s, "peer_project", peer->identity->project);
    put(s, "peer_environment", peer->identity->environment);
    put(s, "peer_component", peer->identity->component);
    put_attr(s, attrs, DERIVED_PEER_ENDPOINT, "peer_endpoint");
}

static struct slice own_component(const struct selection *s)
{
    const struct promql_labels labels = labels_of(&s->resource);

    return promql_label_value(&labels, SLICE("component"));
}

/* As Tempo names them. */
static struct slice connection_type(const struct peer *peer)
{
    if (slice_equal(peer->kind, SLICE("database")))
        return SLICE("database");
    if (slice_equal(peer->kind, SLICE("queue")))
        return SLICE("messaging_system");
    return peer->identity ? SLICE("") : SLICE("virtual_node");
}

static void put_view_labels(struct selection *s, enum derived_view view,
                            const struct attrs *attrs, const struct peer *peer)
{
    memcpy(s->labels.at, s->resource.at,
           s->resource.count * sizeof(*s->labels.at));
    s->labels.count = s->resource.count;
    switch (view) {
    case VIEW_REQUESTS:
        put_attr(s, attrs, DERIVED_ENDPOINT, "endpoint");
        put_attr(s, attrs, DERIVED_OPERATION, "operation");
        put_attr(s, attrs, DERIVED_KIND, "kind");
        break;
    case VIEW_OUT:
    case VIEW_IN:
        put(s, "direction", view == VIEW_OUT ? SLICE("out") : SLICE("in"));
        put_attr(s, attrs, DERIVED_ENDPOINT, "endpoint");
        put_peer(s, attrs, peer);
        break;
    case VIEW_LOGS:
        put_attr(s, attrs, DERIVED_LEVEL, "level");
        put_attr(s, attrs, DERIVED_TEMPLATE_ID, "template_id");
        put_attr(s, attrs, DERIVED_TEMPLATE, "template");
        break;
    case VIEW_RECORDS:
        put_attr(s, attrs, DERIVED_SIGNAL, "signal");
        break;
    default:
        put(s, view == VIEW_GRAPH_CLIENT ? "client" : "server",
            own_component(s));
        put(s, view == VIEW_GRAPH_CLIENT ? "server" : "client", peer->name);
        put(s, "connection_type", connection_type(peer));
    }
}

void derived_targets(struct selection *s, const struct point *head,
                     struct known_series *known)
{
    bool calls = s->metric->side == SIDE_OUT || s->metric->side == SIDE_IN;
    struct peer peer = calls ? peer_of(s, &head->attrs) : (struct peer){0};

    for (int v = 0; v < DERIVED_VIEWS; v++) {
        const struct metric_view *view = &s->derived_views[v];
        struct raw *raw;

        if (side_of[v] != s->metric->side || view->output_count == 0 ||
            (v == VIEW_GRAPH_OUTSIDE && peer.identity))
            continue;
        put_view_labels(s, (enum derived_view)v, &head->attrs, &peer);
        raw = selection_matches(s) ? selection_raw(s, view) : NULL;
        if (raw)
            known->targets[known->count++] =
                (struct target){raw, s->metric->list, s->metric->sign};
    }
}
