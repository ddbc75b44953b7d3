/*
 * page - what component_page.c gathers in one pass over the derived series,
 * and component_page_reply.c writes.
 */
#ifndef COMPONENT_PAGE_H
#define COMPONENT_PAGE_H

#include "component.h"
#include "red.h"

enum {
    PAGE_TEMPLATES = 50,
    PAGE_TRACES = 10,
    PAGE_CHANGES = 50,
    PAGE_PODS = 100
};

struct served_operation { /* an endpoint, or an operation of one */
    struct slice endpoint, operation, kind;
};

struct call_peer { /* a caller or a callee: all calls between the two */
    struct slice kind, name, system, host;
    struct slice endpoint;      /* of this component, of most calls */
    struct slice peer_endpoint; /* of the other one, of most calls */
    struct slice protocol;      /* of most calls */
    struct identity identity;   /* kind component */
    bool queue;                 /* kind component, through a queue */
};

struct seen_template {
    struct slice text, id, level;
    double count, before;
    uint64_t first_ns, last_ns;
};

struct trace_example { /* a trace worth a look */
    uint8_t trace_id[16], span_id[8];
    struct slice endpoint, operation;
    double seconds;
    uint64_t time_ns;
};

struct trace_examples {
    struct trace_example list[PAGE_TRACES]; /* longest first */
    uint32_t count;
};

struct pod_usage {
    struct slice name, namespace, ip, version;
    double cpu, memory;
    uint64_t cpu_ns, memory_ns; /* 0: none */
};

struct component_page {
    struct query_request *request;
    struct scope_filter scope;
    struct window window;
    uint64_t step_ns;
    struct bitmap *resources;
    struct grid grid;

    struct identity identity;
    struct component_info *info;              /* NULL: never seen */
    const struct catalog_component *declared; /* NULL: not declared */

    struct tally_map totals; /* key 0: now, 1: before */
    struct red red;
    struct tally_map endpoints, operations; /* items: struct served_operation */
    struct tally_map callers, callees;      /* items: struct call_peer */
    struct tally_map peers;                 /* by id; struct identity */
    struct tally_map names;                 /* of peers: tally_name() */
    struct tally_map templates;             /* items: struct seen_template */
    struct tally_map pods; /* by name; items: struct pod_usage */
    struct trace_examples slowest, failed;
    bool full;
};

/* component_page_read.c: the pass; the pods. */
MUST_CHECK enum status page_read_series(struct component_page *page);
MUST_CHECK enum status page_read_pods(struct component_page *page);

/* component_page_reply.c: everything behind "component" and "window". */
MUST_CHECK enum status page_reply(struct component_page *page);

#endif
