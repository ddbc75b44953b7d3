/*
 * shop - the traffic of a small shop, made up but believable, as OTLP.
 *
 * model.c   what the shop consists of: components, operations, calls
 * world.c   one customer's request as spans + logs
 * pods.c    pods and their versions
 * faults.c  what can go wrong
 * events.c  what Kubernetes and the control plane tell of pods and releases
 * wild.c    attributes of which each span has its own, hosts without spans
 * gauges.c  what agents and SDKs report: CPU, memory, limits, pools, requests
 * emit.c    records to OTLP protobuf, one buffer per pod and signal
 * send.c    buffers to a server, over a few connections
 * play.c    simulated time
 * main.c    options
 *
 * Everything that is drawn comes from one seeded generator, so that the same
 * options give the same bytes (but for --start now).
 */
#ifndef SHOP_H
#define SHOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

enum { MAX_CALLS = 6, MAX_PODS = 64, SHOP_COMPONENTS = 12, SHOP_CHECKOUT = 3 };

/* ---- model.c ---- */

enum call_kind {
    CALL_NONE,
    CALL_HTTP,
    CALL_GRPC,
    CALL_SQL,
    CALL_REDIS,
    CALL_PUBLISH,
    CALL_EXTERNAL
};

struct call_spec {
    enum call_kind kind;
    int op;             /* HTTP, GRPC, and the consumer of PUBLISH */
    const char *target; /* database, topic or host */
    const char *text;   /* SQL text, redis command, external path */
    double ms;          /* median, of calls that leave the shop */
    int share;          /* in how many of 100 requests */
};

struct op_spec {
    int component;
    bool grpc, consumer;
    const char *method, *route; /* gRPC: service, method */
    double own_ms;              /* median of its own work */
    int error_permille;
    int weight;            /* > 0: customers ask for it, so often */
    const char *log;       /* what it writes; %d are drawn */
    const char *error_log; /* what it writes when it fails */
    struct call_spec calls[MAX_CALLS];
};

struct component_spec {
    const char *name;
    const char *language;
    const char *image_version;
    int port;
    bool external; /* reachable from the internet */
};

extern const struct component_spec shop_components[SHOP_COMPONENTS];
extern const struct op_spec shop_ops[];
extern const int shop_op_count;

/* ---- world.c ---- */

struct pod {
    char name[80], uid[40], ip[20], version[16], hash[12];
    struct buf spans, logs; /* encoded records, not wrapped yet */
    uint32_t span_count, log_count;
    /* cumulative, for gauges.c */
    double cpu_seconds;
    uint64_t buckets[16], count;
    double sum, periods, throttled, retransmits;
    uint32_t restarts;
    uint64_t full_from_ns; /* its memory fills up since then; 0: it does not */
    uint64_t told_ns;      /* what keeps it from working was told of */
    uint32_t told;         /* so often */
    bool was_killed;       /* for its memory */
};

struct component {
    const struct component_spec *spec;
    char project[40], uid[40], project_uid[40];
    struct pod pods[MAX_PODS];
    int pod_count;
};

/* ---- faults.c ---- */

struct fault_spec {
    const char *name;
    const char *component; /* its own work takes `own` times as long, and */
    double own;            /* `errors` of 1000 requests fail, with `log` */
    int errors;            /* -1: as usual */
    const char *log;
    bool one_pod, dead;     /* only its first pod; it answers nothing */
    const char *version;    /* comes with this one */
    double cpu, throttled;  /* share of the CPU limit used, of periods */
    double memory;          /* 1: memory fills up until it is killed */
    double retransmits;     /* TCP segments a second */
    bool pool, lag;         /* all connections in use; messages wait; its own
                               work is waiting, too */
    const char *target_log; /* what those write whose call to it fails */
    double wire_ms;         /* calls to it take so long on the way */
    int retries;            /* of those who call it */
    const char *target;     /* database or host: */
    double target_times;    /* so many times as slow */
    bool target_fails;
    double timeout_ms;     /* callers wait no longer */
    const char *neighbour; /* a component on the same node */
    double rate;           /* so many times the traffic; 0: as before */
    bool outlier;          /* one request takes ten seconds */
    bool always;           /* from the start on */
};
extern const struct fault_spec shop_faults[]; /* ends with a NULL name */
const struct fault_spec *fault_named(const char *name);

struct shop_options {
    const struct fault_spec *kind;
    const char *otlp;
    uint64_t seed;
    int shops; /* copies of the shop, one project each */
    int pods;  /* per component */
    int batch; /* records per request */
    int connections;
    double rate;  /* customers' requests per simulated second, all shops */
    double swing; /* of the rate within an hour: 0.5 is from half to 1.5 */
    uint64_t start_ns, end_ns;                   /* simulated; end 0: goes on */
    uint64_t requests;                           /* 0: no bound */
    uint64_t rollout_ns, fault_ns, fault_end_ns; /* after start; 0: none */
    uint64_t scrape_ns; /* between two reports of a pod */
    bool spans, logs, metrics, pace, quiet;
    bool wild;    /* attributes as in wild.c */
    int encoding; /* 0 identity, 1 gzip, 2 zstd */
};

struct world {
    const struct shop_options *options;
    uint64_t random;
    struct component *components; /* shops * SHOP_COMPONENTS */
    struct sender *sender;
    struct buf points; /* reports not sent yet, encoded */
    uint32_t point_count;
    uint64_t spans_made, logs_made, points_made;
    bool rolled_out, fault, was_fault, had_outlier;
    uint64_t fault_since_ns, states_ns;
    uint64_t succeeds_ns; /* the release that is going on; 0: none */
    char release[24];
    uint64_t commit[3];
};

/* The fault, NULL while there is none. */
const struct fault_spec *fault_now(const struct world *w);
bool fault_is_at(const struct fault_spec *f, const struct component *c,
                 const struct pod *pod);
bool fault_hits(const struct fault_spec *f, const char *target);
double fault_times(const struct fault_spec *f, const struct component *c,
                   const struct pod *pod);
int fault_errors(const struct fault_spec *f, const struct component *c,
                 const struct pod *pod, int usual);

void world_init(struct world *w, const struct shop_options *options,
                struct sender *sender);
void world_free(struct world *w);
uint64_t world_random(struct world *w);
double world_uniform(struct world *w); /* [0, 1) */

/* One customer's request at this time. */
void world_request(struct world *w, uint64_t now_ns);
/* Sends what is buffered, however little. */
void world_flush(struct world *w);
void world_flush_points(struct world *w);

void world_flush_pod(struct world *w, struct component *c, struct pod *pod);

/* ---- pods.c ---- */

/* A new version of checkout, of all pods or the first. */
void world_rollout(struct world *w, uint64_t now_ns, bool one_pod);

/* ---- events.c ---- */

/* About a pod, or with NULL about the component's deployment. */
void event_send(struct world *w, struct component *c, struct pod *pod,
                uint64_t now_ns, const char *reason, const char *message);
/* The phases of a release: "Started", "Succeeded". */
void event_release(struct world *w, struct component *c, uint64_t now_ns,
                   const char *phase);
/* How a new pod starts, which replaces another one. */
void events_of_start(struct world *w, struct component *c, struct pod *pod,
                     uint64_t now_ns);
/* What is told of a pod at intervals while there is a fault. */
void events_of_fault(struct world *w, struct component *c, struct pod *pod,
                     uint64_t now_ns);
/* It was killed for its memory. */
void events_of_kill(struct world *w, struct component *c, struct pod *pod,
                    uint64_t now_ns);

/* ---- play.c ---- */
extern const struct shop_options shop_defaults;
/* Until options->requests or end_ns, or until *stop. */
void world_play(struct world *w, const volatile sig_atomic_t *stop);

/* ---- gauges.c ---- */
void gauges_report(struct world *w, struct component *c, struct pod *pod,
                   uint64_t now_ns);
void gauges_observe(struct pod *pod, double seconds);
/* Of nodes and databases, which belong to no component. */
void gauges_report_cluster(struct world *w, uint64_t now_ns);
bool gauges_tell_states(struct world *w, uint64_t now_ns);

/* ---- emit.c ---- */

enum emit_type { EMIT_TEXT, EMIT_INT, EMIT_DOUBLE, EMIT_BOOL };
struct emit_attr {
    const char *key;
    enum emit_type type;
    const char *text;
    int64_t i;
    double d;
};

struct emit_span {
    uint64_t trace[2], id, parent;
    const char *name;
    int kind, status;
    const char *status_message;
    uint64_t start_ns, end_ns;
    struct emit_attr attrs[20];
    int attr_count;
    uint64_t link_trace[2], link_span; /* link_span 0: no link */
    const char *exception;             /* an event, or NULL */
};

/* ---- wild.c ---- */

enum { WILD_SERVER = 2, WILD_CLIENT = 3 }; /* OTLP's kinds */

/* What a described span points to. */
struct wild_texts {
    char path[128], query[256], address[20], agent[160];
};
/* Does this call go to a host that sends no spans? Its name. */
bool wild_lonely(struct world *w);
void wild_host(struct world *w, char host[64]);
/* Other attributes for the span. */
void wild_describe(struct world *w, struct emit_span *s, struct wild_texts *t);

struct emit_log {
    uint64_t time_ns, trace[2], span;
    int severity;
    const char *body, *severity_text, *event_name;
    struct emit_attr attrs[8];
    int attr_count;
};

void emit_attr(struct buf *out, uint32_t field, const struct emit_attr *a);
void emit_span(struct buf *out, const struct emit_span *s);
void emit_log(struct buf *out, const struct emit_log *l);
void emit_text(struct buf *out, const char *key, const char *value);
void emit_resource(struct buf *out, const struct component *c,
                   const struct pod *pod);
/* Its node: a component's pods are on three nodes that it shares with a third
 * of the others. */
void emit_node_name(const struct component *c, const struct pod *pod,
                    char name[16]);
/* Export request around records that are encoded already. */
void emit_request(struct buf *out, struct slice resource, struct slice records);

/* ---- protobuf ---- */
void pb_tag(struct buf *out, uint32_t field, uint32_t wire);
void pb_bytes(struct buf *out, uint32_t field, struct slice s);
void pb_uint(struct buf *out, uint32_t field, uint64_t v);
void pb_fixed64(struct buf *out, uint32_t field, uint64_t v);
void pb_double(struct buf *out, uint32_t field, double v);

/* ---- send.c ---- */
struct sender;
enum send_path { SEND_TRACES, SEND_LOGS, SEND_METRICS };
struct sender *sender_open(const char *host_port, int connections,
                           int encoding);
/* Copies the body; waits while too many wait already. */
void sender_send(struct sender *s, enum send_path path, struct slice body);
void sender_drain(struct sender *s);
void sender_close(struct sender *s);
uint64_t sender_bytes(const struct sender *s);
/* CPU time spent compressing, of the target zstd:LEVEL. */
double sender_zstd_seconds(const struct sender *s);
uint64_t sender_failed(const struct sender *s);

#endif
