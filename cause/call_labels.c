#include "call_labels.h"

/* What a label says; below CALL_TEXTS a text. */
enum label_role {
    ROLE_CALLEE = CALL_TEXTS, /* a host, service or workload that is called */
    ROLE_CALLEE_VAGUE,        /* the same, or something else */
    ROLE_CLUSTER,    /* of Envoy: "outbound|80||pay.shop.svc.cluster.local" */
    ROLE_GRAPH_NODE, /* what kind of node of a service graph the callee is */
    ROLE_REPORTER,   /* from here on: who measured it */
    ROLE_DIRECTION,
    ROLE_SPAN_KIND,
    ROLE_MESSAGING_OPERATION
};

/* of_client: it names the callee only in what a client measured; elsewhere it
 * is the name of the server itself. */
struct label_row {
    struct slice key; /* '.' and '_' are the same */
    uint8_t role;     /* enum call_text or label_role */
    bool of_client;
    const char *metric; /* only of metrics with this prefix; NULL: any */
};

/* A callee's names: the more precise first. */
/* clang-format off */
static const struct label_row rows[] = {
    {SLICE_INIT("service.peer.name"), ROLE_CALLEE, false, NULL},
    {SLICE_INIT("peer.service"), ROLE_CALLEE, false, NULL},
    {SLICE_INIT("destination_workload"), ROLE_CALLEE, false, NULL},
    {SLICE_INIT("destination_canonical_service"), ROLE_CALLEE, false, NULL},
    {SLICE_INIT("destination_app"), ROLE_CALLEE, false, NULL},
    {SLICE_INIT("destination_service_name"), ROLE_CALLEE, false, NULL},
    {SLICE_INIT("destination_service"), ROLE_CALLEE, false, NULL},
    {SLICE_INIT("dst_deployment"), ROLE_CALLEE, false, NULL},
    {SLICE_INIT("dst_statefulset"), ROLE_CALLEE, false, NULL},
    {SLICE_INIT("dst_daemonset"), ROLE_CALLEE, false, NULL},
    {SLICE_INIT("dst_service"), ROLE_CALLEE, false, NULL},
    {SLICE_INIT("backend_name"), ROLE_CALLEE_VAGUE, false, "outbound_"},
    {SLICE_INIT("consul_destination_service"), ROLE_CALLEE, false, NULL},
    {SLICE_INIT("consul_upstream_service"), ROLE_CALLEE, false, NULL},
    {SLICE_INIT("server"), ROLE_CALLEE, false, "traces_service_graph_"},
    {SLICE_INIT("service"), ROLE_CALLEE, false, "nginx_ingress_controller_"},
    {SLICE_INIT("exported_service"), ROLE_CALLEE, false, "nginx_ingress_controller_"},
    {SLICE_INIT("service"), ROLE_CALLEE_VAGUE, false, "kong_"},
    {SLICE_INIT("service"), ROLE_CALLEE_VAGUE, false, "traefik_service_"},
    {SLICE_INIT("proxy"), ROLE_CALLEE_VAGUE, false, "haproxy_backend_"},
    {SLICE_INIT("target_service"), ROLE_CALLEE, false, NULL},
    {SLICE_INIT("remote_service"), ROLE_CALLEE, false, NULL},
    {SLICE_INIT("upstream_service"), ROLE_CALLEE, false, NULL},
    {SLICE_INIT("server.address"), ROLE_CALLEE, true, NULL},
    {SLICE_INIT("net.peer.name"), ROLE_CALLEE, true, NULL},
    {SLICE_INIT("http.host"), ROLE_CALLEE, true, NULL},
    {SLICE_INIT("grpc.target"), ROLE_CALLEE, true, NULL},
    {SLICE_INIT("client.name"), ROLE_CALLEE, true, "http.client"}, /* Micrometer */
    {SLICE_INIT("client.name"), ROLE_CALLEE, true, "http_client"},
    {SLICE_INIT("clientName"), ROLE_CALLEE, true, "http"},
    {SLICE_INIT("authority"), ROLE_CALLEE, true, NULL},
    {SLICE_INIT("envoy_cluster_name"), ROLE_CLUSTER, false, NULL},
    {SLICE_INIT("cluster_name"), ROLE_CLUSTER, true, "envoy"},
    {SLICE_INIT("upstream"), ROLE_CALLEE_VAGUE, false, NULL},
    {SLICE_INIT("upstream_cluster"), ROLE_CLUSTER, false, NULL},
    {SLICE_INIT("host"), ROLE_CALLEE_VAGUE, true, NULL},
    {SLICE_INIT("target"), ROLE_CALLEE_VAGUE, true, NULL},
    {SLICE_INIT("destination"), ROLE_CALLEE_VAGUE, false, "hubble_"},
    {SLICE_INIT("network.peer.address"), ROLE_CALLEE_VAGUE, true, NULL},
    {SLICE_INIT("destination_workload_namespace"), CALL_CALLEE_NAMESPACE, false, NULL},
    {SLICE_INIT("destination_namespace"), CALL_CALLEE_NAMESPACE, false, NULL},
    {SLICE_INIT("destination_service_namespace"), CALL_CALLEE_NAMESPACE, false, NULL},
    {SLICE_INIT("dst_namespace"), CALL_CALLEE_NAMESPACE, false, NULL},
    {SLICE_INIT("exported_namespace"), CALL_CALLEE_NAMESPACE, false, "nginx_ingress_controller_"},
    {SLICE_INIT("rpc.service"), CALL_RPC_SERVICE, true, NULL},
    {SLICE_INIT("grpc_service"), CALL_RPC_SERVICE, true, NULL},
    {SLICE_INIT("grpc.method"), CALL_RPC_SERVICE, true, NULL},
    {SLICE_INIT("rpc.method"), CALL_RPC_SERVICE, true, NULL},
    {SLICE_INIT("db.namespace"), CALL_DATABASE, false, NULL},
    {SLICE_INIT("db.name"), CALL_DATABASE, false, NULL},
    {SLICE_INIT("db.system.name"), CALL_DB_SYSTEM, false, NULL},
    {SLICE_INIT("db.system"), CALL_DB_SYSTEM, false, NULL},
    {SLICE_INIT("messaging.destination.name"), CALL_QUEUE, true, NULL},
    {SLICE_INIT("messaging.destination"), CALL_QUEUE, true, NULL},
    {SLICE_INIT("source_workload"), CALL_CALLER, false, NULL},
    {SLICE_INIT("source_canonical_service"), CALL_CALLER, false, NULL},
    {SLICE_INIT("source_app"), CALL_CALLER, false, NULL},
    {SLICE_INIT("consul_source_service"), CALL_CALLER, false, NULL},
    {SLICE_INIT("source"), CALL_CALLER, false, "hubble_"},
    {SLICE_INIT("client"), CALL_CALLER, false, "traces_service_graph_"},
    {SLICE_INIT("source_workload_namespace"), CALL_CALLER_NAMESPACE, false, NULL},
    {SLICE_INIT("source_namespace"), CALL_CALLER_NAMESPACE, false, NULL},
    {SLICE_INIT("reporter"), ROLE_REPORTER, false, NULL},
    {SLICE_INIT("direction"), ROLE_DIRECTION, false, NULL},
    {SLICE_INIT("traffic_direction"), ROLE_DIRECTION, false, NULL},
    {SLICE_INIT("span.kind"), ROLE_SPAN_KIND, false, NULL},
    {SLICE_INIT("messaging.operation.type"), ROLE_MESSAGING_OPERATION, false, NULL},
    {SLICE_INIT("messaging.operation"), ROLE_MESSAGING_OPERATION, false, NULL},
    {SLICE_INIT("messaging.operation.name"), ROLE_MESSAGING_OPERATION, false, NULL},
    {SLICE_INIT("connection_type"), ROLE_GRAPH_NODE, false, "traces_service_graph_"},
};

/* Who measured it, where the words of the name do not say so. */
static const struct {
    struct slice prefix;
    uint8_t side; /* enum metric_side */
    bool is_third;
} metrics[] = {
    {SLICE_INIT("traces_service_graph_"), METRIC_SIDE_UNKNOWN, true},
    {SLICE_INIT("messaging.publish."), METRIC_SIDE_CLIENT, false},
    {SLICE_INIT("messaging_publish_"), METRIC_SIDE_CLIENT, false},
};

/* Values that say who measured it. */
static const struct {
    uint8_t role, side;
    bool is_neither, is_third;
    const char *value;
} sides[] = {
    {ROLE_REPORTER, METRIC_SIDE_CLIENT, false, false, "source"},
    {ROLE_REPORTER, METRIC_SIDE_CLIENT, false, false, "client"},
    {ROLE_REPORTER, METRIC_SIDE_SERVER, false, false, "destination"},
    {ROLE_REPORTER, METRIC_SIDE_SERVER, false, false, "server"},
    {ROLE_REPORTER, METRIC_SIDE_UNKNOWN, false, true, "waypoint"},
    {ROLE_DIRECTION, METRIC_SIDE_CLIENT, false, false, "outbound"},
    {ROLE_DIRECTION, METRIC_SIDE_CLIENT, false, false, "egress"},
    {ROLE_DIRECTION, METRIC_SIDE_SERVER, false, false, "inbound"},
    {ROLE_DIRECTION, METRIC_SIDE_SERVER, false, false, "ingress"},
    {ROLE_SPAN_KIND, METRIC_SIDE_CLIENT, false, false, "SPAN_KIND_CLIENT"},
    {ROLE_SPAN_KIND, METRIC_SIDE_CLIENT, false, false, "SPAN_KIND_PRODUCER"},
    {ROLE_SPAN_KIND, METRIC_SIDE_SERVER, false, false, "SPAN_KIND_SERVER"},
    {ROLE_SPAN_KIND, METRIC_SIDE_SERVER, false, false, "SPAN_KIND_CONSUMER"},
    {ROLE_SPAN_KIND, METRIC_SIDE_UNKNOWN, true, false, "SPAN_KIND_INTERNAL"},
    {ROLE_SPAN_KIND, METRIC_SIDE_CLIENT, false, false, "client"},
    {ROLE_SPAN_KIND, METRIC_SIDE_SERVER, false, false, "server"},
    {ROLE_MESSAGING_OPERATION, METRIC_SIDE_CLIENT, false, false, "send"},
    {ROLE_MESSAGING_OPERATION, METRIC_SIDE_CLIENT, false, false, "publish"},
    {ROLE_MESSAGING_OPERATION, METRIC_SIDE_CLIENT, false, false, "create"},
    {ROLE_MESSAGING_OPERATION, METRIC_SIDE_SERVER, false, false, "process"},
    /* It waits for a message: the longer, the less there is to do. */
    {ROLE_MESSAGING_OPERATION, METRIC_SIDE_UNKNOWN, true, false, "receive"},
    {ROLE_MESSAGING_OPERATION, METRIC_SIDE_UNKNOWN, true, false, "poll"},
};
/* clang-format on */

enum {
    LABEL_ROWS = sizeof(rows) / sizeof(*rows),
    SIDES = sizeof(sides) / sizeof(*sides),
    METRICS = sizeof(metrics) / sizeof(*metrics)
};

/* Names that senders give to what they do not know, and clusters for what is
 * not routed. */
static bool is_nobody(struct slice text)
{
    static const char *const names[] = {
        "unknown",         "-", "none", "None", "null", "PassthroughCluster",
        "BlackHoleCluster"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (slice_equal(text, slice_of(names[i])))
            return true;
    return text.len == 0;
}

static bool is_same_key(struct slice key, struct slice label)
{
    if (key.len != label.len)
        return false;
    for (size_t i = 0; i < key.len; i++)
        if (key.ptr[i] != label.ptr[i] &&
            !((key.ptr[i] == '.' || key.ptr[i] == '_') &&
              (label.ptr[i] == '.' || label.ptr[i] == '_')))
            return false;
    return true;
}

static bool is_of_metric(const struct label_row *row, struct slice metric)
{
    return !row->metric || slice_starts(metric, slice_of(row->metric));
}

/* Of Envoy's clusters with four fields the last is the host. */
static struct slice cluster_host(struct slice cluster)
{
    for (size_t i = cluster.len; i > 0; i--)
        if (cluster.ptr[i - 1] == '|') {
            cluster = slice_from(cluster, i);
            break;
        }
    if (cluster.len > 0 && cluster.ptr[cluster.len - 1] == ';')
        cluster.len--;
    return cluster;
}

static void take_side(struct call_labels *l, const struct label_row *row,
                      struct slice text)
{
    for (int i = 0; i < SIDES; i++)
        if (sides[i].role == row->role &&
            slice_equal(text, slice_of(sides[i].value))) {
            l->side = (enum metric_side)sides[i].side;
            l->is_neither = sides[i].is_neither;
            l->is_third = sides[i].is_third;
        }
}

static void take_callee(struct call_labels *l, struct slice text, bool is_vague)
{
    if (l->callee_count < CALL_LABELS_MAX_NAMES && text.len > 0)
        l->callee[l->callee_count++] = (struct call_name){text, is_vague};
}

static void take_first(struct slice *to, struct slice text)
{
    if (to->len == 0)
        *to = text;
}

static void take_cluster(struct call_labels *l, struct slice text)
{
    if (slice_starts(text, SLICE("inbound|")))
        l->side = METRIC_SIDE_SERVER;
    else
        take_callee(l, cluster_host(text),
                    !slice_starts(text, SLICE("outbound|")));
}

static void take_node(struct call_labels *l, struct slice text)
{
    struct slice name = l->callee_count > 0 ? l->callee[0].text : text;

    if (slice_equal(text, SLICE("database")))
        l->text[CALL_DATABASE] = name;
    else if (slice_equal(text, SLICE("messaging_system")))
        l->text[CALL_QUEUE] = name;
}

static void take_label(struct call_labels *l, const struct label_row *row,
                       struct slice text)
{
    if (row->role < CALL_TEXTS)
        take_first(&l->text[row->role], text);
    else if (row->role == ROLE_CLUSTER)
        take_cluster(l, text);
    else if (row->role == ROLE_GRAPH_NODE)
        take_node(l, text);
    else if (row->role < ROLE_REPORTER)
        take_callee(l, text, row->role == ROLE_CALLEE_VAGUE);
}

static struct slice label_of(const struct attrs *labels,
                             const struct label_row *row)
{
    for (uint32_t i = 0; i < labels->count; i++)
        if (is_same_key(row->key, attr_key(&labels->at[i])))
            return attr_text(&labels->at[i]);
    return (struct slice){NULL, 0};
}

/* Who measured it, before what the other labels mean. */
static void read_side(struct call_labels *l, const struct attrs *labels,
                      struct slice metric)
{
    for (int i = 0; i < METRICS; i++)
        if (slice_starts(metric, metrics[i].prefix)) {
            l->side = (enum metric_side)metrics[i].side;
            l->is_third = metrics[i].is_third;
        }
    for (int i = 0; i < LABEL_ROWS; i++) {
        if (rows[i].role < ROLE_REPORTER && rows[i].role != CALL_DB_SYSTEM)
            continue;
        struct slice text = label_of(labels, &rows[i]);

        if (rows[i].role >= ROLE_REPORTER)
            take_side(l, &rows[i], text);
        else if (text.len > 0 && l->side == METRIC_SIDE_UNKNOWN)
            l->side = METRIC_SIDE_CLIENT; /* db.query.duration */
    }
}

struct call_labels call_labels_read(const struct attrs *labels,
                                    struct slice metric, enum metric_side side)
{
    struct call_labels l = {.side = side};

    read_side(&l, labels, metric);
    if (l.is_neither)
        return l;
    for (int i = 0; i < LABEL_ROWS; i++) {
        const struct label_row *row = &rows[i];

        if ((row->of_client && l.side != METRIC_SIDE_CLIENT) ||
            !is_of_metric(row, metric))
            continue;
        struct slice text = label_of(labels, row);
        if (!is_nobody(text))
            take_label(&l, row, text);
    }
    return l;
}
