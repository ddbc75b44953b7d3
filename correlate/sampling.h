/*
 * sampling - how many spans one that was sampled stands for.
 *
 * Threads  any.
 */
#ifndef SAMPLING_H
#define SAMPLING_H

#include "record.h"

enum { SAMPLING_MAX_WEIGHT = 1 << 20 };

/*
 * The adjusted count that a W3C tracestate carries in OpenTelemetry's member,
 * at least 1: 2^56 / (2^56 - T) for the rejection threshold T of "ot=th:T", 1
 * to 14 lower case hex digits of which trailing zeros are left out; 2^p for
 * "ot=p:P" of the samplers before it. 1 if it has neither, or one that is
 * malformed; at most SAMPLING_MAX_WEIGHT.
 */
double sampling_weight(struct slice trace_state);

/* The same of a log record, which has no tracestate: the attribute
 * sampling.threshold, in which the Collector's probabilistic sampler leaves T,
 * or a tracestate that was put among the attributes. */
double sampling_log_weight(const struct attrs *attrs);

#endif
