/*
 * call_labels - what the labels of a metric say about calls: who calls whom.
 *
 * Client libraries name the callee (server.address, peer.service, rpc.service),
 * meshes and service graphs both ends (source_workload, destination_workload),
 * gateways and proxies their target. The labels are read once per series.
 */
#ifndef CALL_LABELS_H
#define CALL_LABELS_H

#include "metric_class.h"

enum { CALL_LABELS_MAX_NAMES = 8 };

/* A name of the callee: of a host, service or workload. */
struct call_name {
    struct slice text;
    bool is_vague; /* names the callee only if it is known as a component */
};

/* Of each the first label that has it. */
enum call_text {
    CALL_CALLEE_NAMESPACE, /* of Kubernetes */
    CALL_RPC_SERVICE,
    CALL_DATABASE,
    CALL_DB_SYSTEM, /* a database is called, even if it has no name */
    CALL_QUEUE,
    CALL_CALLER,
    CALL_CALLER_NAMESPACE,
    CALL_TEXTS
};

struct call_labels {
    enum metric_side side; /* who measured it */
    bool is_third;         /* neither of the ends did: a collector, a proxy */
    bool is_neither;       /* it is about no call: an internal span */
    struct call_name callee[CALL_LABELS_MAX_NAMES]; /* the best first */
    uint32_t callee_count;
    struct slice text[CALL_TEXTS]; /* empty: not named */
};

/* Texts point into the labels. side: by the name of the metric. */
struct call_labels call_labels_read(const struct attrs *labels,
                                    struct slice metric_name,
                                    enum metric_side side);

#endif
