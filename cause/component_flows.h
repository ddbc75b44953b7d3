/*
 * component_flows - what the metrics of each component say about the requests
 * that it serves: how many, how long they take, which share of them fails,
 * usually and in the judged part of the window.
 */
#ifndef COMPONENT_FLOWS_H
#define COMPONENT_FLOWS_H

#include "call_graph.h"
#include "metric_history.h"

enum flow_kind { FLOW_LATENCY, FLOW_FAILURES, FLOW_KINDS };

struct flow {
    bool known;
    double usual, rise; /* latency: s; failures: share of the requests */
    double certainty;   /* 0 to 1: that the rise is none by chance */
    uint64_t onset_ns;
};

struct component_flows {
    double requests;     /* usually; 0: not known */
    double requests_now; /* the largest series, as history_deviation() has it */
    double ratio;        /* of requests, to the usual ones; at least 1 */
    double sent_ratio;   /* what of it the callers sent; at most ratio */
    uint64_t sort;       /* of the metric that counts the requests */
    bool is_rate;        /* it is per second */
    bool is_proxy;       /* by the words of its name */
    struct flow of[FLOW_KINDS];
};

struct flow_list {
    struct component_flows *at; /* by candidate */
    uint32_t count;
    /* How much longer requests take if there are twice as many, as most
     * components show; 1 if few have more requests. */
    double slowed_by_load;
};

/* room: twice as many numbers as any series has points. False: the arena is
 * full. */
MUST_CHECK bool flows_measure(struct flow_list *flows,
                              const struct timeseries_list *list,
                              const struct candidates *candidates,
                              const struct call_graph *graph,
                              const struct rca_times *times,
                              struct arena *arena, double *room);

/* Does a name have the word of a load balancer, gateway or proxy? */
bool name_is_of_proxy(struct slice name);

#endif
