/*
 * component_page - what component_page_read.c gathers in one pass over the
 * derived series, component_page_pods.c in one over the metrics of pods, and
 * component_page_reply.c writes. Calls are grouped by component_page_peers.c,
 * and what is shown on demand is in component_page_steps.c.
 */
#ifndef COMPONENT_PAGE_H
#define COMPONENT_PAGE_H

#include "component.h"
#include "log_templates.h"
#include "map.h"
#include "spark.h"
#include "usage.h"

enum {
    PAGE_TEMPLATES = 50,
    PAGE_TRACES = 10,
    PAGE_CHANGES = 50,
    PAGE_PODS = 100,
    PAGE_PEER_ENDPOINTS = 50
};

/* Parts of the page that need an action of their own. */
enum page_part { PAGE_LOG_TEMPLATES, PAGE_EXAMPLES, PAGE_EVENTS, PAGE_PARTS };

/* What the tables of the page are grouped by. */
enum { BY_ENDPOINT, BY_OPERATION, BY_KIND };

/* Calls between an endpoint of the component and one of a peer. */
struct peer_endpoint {
    struct slice endpoint, peer_endpoint, protocol;
    const char *via; /* "queue": the peer is a component behind one; or NULL */
    struct call_peer *peer;
    struct figures figures;
};

struct call_peer { /* a caller or a callee, with all calls */
    struct slice kind, name, system, host;
    struct slice endpoint;      /* of this component, in most calls */
    struct slice peer_endpoint; /* of the peer, in most calls */
    struct slice protocol;      /* of most calls */
    struct identity identity;   /* kind component */
    bool hidden;                /* what it is may not be seen */
    bool direct;                /* not all calls go through a queue */
    const char *via;            /* of all calls */
    struct metric_group *calls; /* by all labels; a list */
    /* The items are struct peer_endpoint; most calls first. */
    struct metric_group **by_endpoint;
    uint32_t endpoint_count, endpoint_room;
    struct figures figures, previous;
    struct reply_list endpoints;
};

/* Callers, or callees. */
struct page_peers {
    struct red red;
    struct metric_table calls, calls_before; /* by red_call_labels */
    struct metric_table now;                 /* items: struct call_peer */
    struct metric_table before, by_endpoint;
};

/* Requests of one endpoint or operation only; an empty one is any. */
struct page_filter {
    struct slice endpoint, operation;
};

struct trace_example {
    uint8_t trace_id[16], span_id[8];
    struct slice endpoint, operation;
    double seconds;
    uint64_t time_ns;
    bool has_failed;
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

struct pod_list {
    struct pod_usage *at;
    struct map by_name;
    uint32_t count, room;
};

struct component_page {
    struct query_request *request;
    struct scope_filter scope;
    struct window window;
    const struct bitmap *resources;
    struct grid grid; /* of the charts */
    struct page_filter filter;
    uint64_t steps; /* of sparks; 0: none */
    bool with_heat, with_exemplars;

    struct identity identity;
    struct component_info *info;              /* NULL: never seen */
    const struct catalog_component *declared; /* NULL: not declared */
    struct slice withheld[PAGE_PARTS];        /* names of members */
    uint32_t withheld_count;
    bool shows[PAGE_PARTS];

    struct red served;                                /* expressions */
    struct metric_table operations, endpoints, total; /* of served */
    struct metric_table operations_before, endpoints_before, before;
    struct red charted; /* served, or, without spans, other metrics */
    struct metric_table chart;
    struct page_peers callers, callees;
    struct spark spark; /* by operation */
    struct metric_table spark_endpoints;
    struct log_templates templates;
    struct trace_examples slowest, failed;
    struct trace_example *exemplars; /* two for each step; NULL: none */
    struct usage usage;
    struct pod_list pods, whole_pods; /* of their containers, as a whole */
    struct log_record *changes;
    /* Items of lists of the answer. */
    struct catalog_dependency dependency;
    struct change_item *change;
};

/* component_page_read.c */
MUST_CHECK enum status page_read_series(struct component_page *page);

/* Whether the group, by endpoint and operation, is asked for. */
bool page_is_wanted(const struct component_page *page,
                    const struct metric_group *group);
/* The key of its group in `endpoints`. */
uint64_t page_endpoint_key(struct slice endpoint);

/* component_page_pods.c */
MUST_CHECK enum status page_read_usage(struct component_page *page);

/* component_page_peers.c */
void page_peers_init(struct component_page *page, struct page_peers *peers,
                     enum red_source source);
/* After the pass. False: the arena is full. */
bool page_peers_group(struct component_page *page, struct page_peers *peers);
/* The members `callers` and `callees`. */
extern const struct reply_table page_peer_table;
struct reply_list page_peers_list(struct page_peers *peers);

/* component_page_steps.c */
struct page_buckets { /* requests by latency */
    struct reply_list times, bounds, counts, failed;
};
extern const struct reply_table page_buckets_table;
void page_buckets_fill(struct component_page *page,
                       struct page_buckets *buckets);
/* The slowest that did not fail, and the slowest that did, of each step. */
void page_add_exemplar(struct component_page *page,
                       const struct trace_example *example);
extern const struct reply_table page_example_table, page_exemplar_table;
struct reply_list page_exemplars_list(struct component_page *page);

/* component_page_reply.c */
MUST_CHECK enum status page_reply(struct component_page *page);

#endif
