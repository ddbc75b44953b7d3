/*
 * log_flow - which part of the log records that components write inside
 * requests still arrives: an agent that is down, one node of several without
 * logs, a higher level or sampling takes all statements of a component at once.
 * One statement that is gone while the others go on is a finding.
 */
#ifndef LOG_FLOW_H
#define LOG_FLOW_H

#include "trace_events.h"

struct log_flow;

/* NULL: the arena is full. */
const struct log_flow *log_flow_measure(const struct trace_events *baseline,
                                        const struct trace_events *window,
                                        struct arena *arena);

/* 0 to 1, as the other statements of its component and level show it. */
double log_flow_of(const struct log_flow *flow,
                   const struct trace_event *event);

#endif
