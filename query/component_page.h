/*
 * component_page - what component_page_read.c gathers in one pass over the
 * derived series, and component_page_reply.c writes.
 */
#ifndef COMPONENT_PAGE_H
#define COMPONENT_PAGE_H

#include "component_extras.h"
#include "log_templates.h"
#include "map.h"

enum {
    PAGE_TEMPLATES = 50,
    PAGE_TRACES = 10,
    PAGE_CHANGES = 50,
    PAGE_PODS = 100
};

/* Parts of the page that need an action of their own. */
enum page_part { PAGE_LOG_TEMPLATES, PAGE_EXAMPLES, PAGE_EVENTS, PAGE_PARTS };

/* What the tables of the page are grouped by. */
enum { BY_ENDPOINT, BY_OPERATION, BY_KIND };

struct call_peer { /* a caller or a callee, with all calls */
    struct slice kind, name, system, host;
    struct slice endpoint;      /* of this component, in most calls */
    struct slice peer_endpoint; /* of the peer, in most calls */
    struct slice protocol;      /* of most calls */
    struct identity identity;   /* kind component */
    bool hidden;                /* what it is may not be seen */
    const char *via;            /* "queue", kind component; or NULL */
    struct metric_group *calls; /* by all labels; a list */
    struct figures figures, previous;
    struct reply_list endpoints; /* struct peer_endpoint */
};

/* Calls between an endpoint of the component and one of a peer. */
struct peer_endpoint {
    struct slice endpoint, peer_endpoint, protocol;
    const char *via;
    struct figures figures;
};

struct trace_example {
    uint8_t trace_id[16], span_id[8];
    struct slice endpoint, operation;
    double seconds;
    uint64_t time_ns;
    bool did_fail;
};

struct trace_examples {
    struct trace_example list[PAGE_TRACES]; /* longest first */
    uint32_t count;
};

struct pod_usage {
    struct slice name, namespace, ip, version;
    double cpu, memory;
    uint64_t cpu_ns, memory_ns; /* 0: none */
    /* Of the answer. */
    const double *known_cpu, *known_memory;
    uint64_t seen_ns;
};

struct component_page {
    struct query_request *request;
    struct scope_filter scope;
    struct window window;
    const struct bitmap *resources;
    struct grid grid; /* of the charts */

    struct identity identity;
    struct component_info *info;              /* NULL: never seen */
    const struct catalog_component *declared; /* NULL: not declared */
    struct slice withheld[PAGE_PARTS];        /* names of members */
    uint32_t withheld_count;
    bool shows[PAGE_PARTS];

    struct red served, out, in;                               /* expressions */
    struct metric_table operations, endpoints, total, before; /* of served */
    struct red charted; /* served, or, without spans, other metrics */
    struct metric_table chart;
    struct metric_table callers, callees; /* items: struct call_peer */
    struct log_templates templates;
    struct trace_examples slowest, failed;
    struct pod_usage *pods;
    struct map pod_index; /* by name */
    uint32_t pod_count, pod_room;
    struct log_record *changes;
    /* Items of lists of the answer. */
    struct catalog_dependency dependency;
    struct change_item *change;
};

/* component_page_read.c */
MUST_CHECK enum status page_read_series(struct component_page *page);
MUST_CHECK enum status page_read_pods(struct component_page *page);

/* component_page_reply.c */
MUST_CHECK enum status page_reply(struct component_page *page);

#endif
