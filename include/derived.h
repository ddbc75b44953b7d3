/*
 * derived - the series that the correlator makes at ingest, and their
 * attributes.
 *
 * All are delta points of one minute: time_ns is the end of the minute (a
 * multiple of 60 s), start_ns its beginning, by the start time of the span or
 * the time of the log record. Points of one series and minute may come in
 * several parts that add up. They belong to the derived resource of an identity
 * (registry.h). They are made before any sampling of ours.
 *
 * Purpose:   vocabulary: the correlator writes these series, queries read them;
 *            they are stored like any other metric.
 * Ownership: constants.
 * Threads:   any.
 * Errors:    none.
 */
#ifndef DERIVED_H
#define DERIVED_H

#include "slice.h"

/*
 * What a component served: SERVER and CONSUMER spans.
 *   DURATION  exponential histogram, seconds; exemplars: up to 2 slowest and 2
 *             failed ones of the minute (trace id, span id, value; the failed
 *             carry DERIVED_ERROR = true)
 *   ERRORS    sum, monotonic, delta, int; only if there were any
 * Both with DERIVED_ENDPOINT, DERIVED_OPERATION, DERIVED_KIND ("server" or
 * "consumer"). What failed is decided in correlate/outcome.h. CLIENT_ERRORS
 * counts HTTP 4xx: neither success nor failure of the component, but
 * unsuccessful in OpenChoreo's words. All are weighed by the sender's sampling
 * (correlate/sampling.h), as are the edges.
 */
#define DERIVED_DURATION      "callboard.endpoint.duration"
#define DERIVED_ERRORS        "callboard.endpoint.errors"
#define DERIVED_CLIENT_ERRORS "callboard.endpoint.client_errors"

/*
 * What has to be taken off these, of the same minute and attributes: a SERVER
 * span that was counted as a request and turned out to be part of one that the
 * component was serving already (a SERVER below a SERVER).
 */
#define DERIVED_RETRACTED_DURATION "callboard.endpoint.retracted.duration"
#define DERIVED_RETRACTED_ERRORS   "callboard.endpoint.retracted.errors"
#define DERIVED_RETRACTED_CLIENT_ERRORS \
    "callboard.endpoint.retracted.client_errors"

/*
 * Calls between a component and a peer. OUT hangs on the caller, IN on the
 * callee; a call between two known components makes one of each. With
 * DERIVED_ENDPOINT (of the component it hangs on: the endpoint being served
 * while calling, or being called; may be ""), DERIVED_PEER_KIND and, by kind:
 *   component  DERIVED_PEER_ID (int, identity id), DERIVED_PEER_ENDPOINT
 *   database   DERIVED_PEER_NAME (db.namespace; if that is missing or a mere
 *              number, the host, else the system),
 *              DERIVED_PEER_SYSTEM, DERIVED_PEER_HOST
 *   queue      DERIVED_PEER_NAME (destination), DERIVED_PEER_SYSTEM
 *   external   DERIVED_PEER_NAME (host)
 *   gateway    DERIVED_PEER_NAME ("internet" or "intranet"); IN only
 * and DERIVED_PROTOCOL ("http", "grpc", "db", "messaging", "").
 * Durations are the caller's for OUT, the callee's for IN. ERRORS and
 * CLIENT_ERRORS as above, by the span the duration is of.
 */
#define DERIVED_OUT_DURATION      "callboard.edge.out.duration"
#define DERIVED_OUT_ERRORS        "callboard.edge.out.errors"
#define DERIVED_OUT_CLIENT_ERRORS "callboard.edge.out.client_errors"
#define DERIVED_IN_DURATION       "callboard.edge.in.duration"
#define DERIVED_IN_ERRORS         "callboard.edge.in.errors"
#define DERIVED_IN_CLIENT_ERRORS  "callboard.edge.in.client_errors"

/*
 * What has to be taken off the series above, of the same minute and
 * attributes: a CLIENT span that was counted as a call of what its host name
 * means, because no other end came in time, and met its callee after all.
 */
#define DERIVED_OUT_RETRACTED_DURATION "callboard.edge.retracted.out.duration"
#define DERIVED_OUT_RETRACTED_ERRORS   "callboard.edge.retracted.out.errors"
#define DERIVED_OUT_RETRACTED_CLIENT_ERRORS \
    "callboard.edge.retracted.out.client_errors"
#define DERIVED_IN_RETRACTED_DURATION "callboard.edge.retracted.in.duration"
#define DERIVED_IN_RETRACTED_ERRORS   "callboard.edge.retracted.in.errors"
#define DERIVED_IN_RETRACTED_CLIENT_ERRORS \
    "callboard.edge.retracted.in.client_errors"

/* Log records: sum, delta, int, with DERIVED_TEMPLATE (text as people read
 * it), DERIVED_TEMPLATE_ID (16 hex digits) and DERIVED_LEVEL ("ERROR", ...). */
#define DERIVED_LOGS "callboard.log.records"

/* Records by signal: sum, delta, int, with DERIVED_SIGNAL ("traces", "logs",
 * "metrics"). */
#define DERIVED_RECORDS "callboard.records"

/*
 * Change events are log records of the events stream with event_name
 * DERIVED_CHANGE and attributes DERIVED_CHANGE_KIND ("version", "image",
 * "pod-template"), DERIVED_CHANGE_FROM and DERIVED_CHANGE_TO; the body is a
 * sentence. So are the control plane's reports of releases ("release"), which
 * are Kubernetes events as well (proto/log_release.c). Kubernetes events stand
 * beside them in the same stream.
 */
#define DERIVED_CHANGE      "callboard.change"
#define DERIVED_CHANGE_KIND "change.kind"
#define DERIVED_CHANGE_FROM "change.from"
#define DERIVED_CHANGE_TO   "change.to"
/* Of releases, kind "release": what the control plane reported. */
#define DERIVED_CHANGE_COMMIT      "change.commit"
#define DERIVED_CHANGE_COMMIT_TIME "change.commit_time"
#define DERIVED_CHANGE_PHASE       "change.phase"
#define DERIVED_CHANGE_RELEASE     "change.release"
#define DERIVED_CHANGE_FAILURE     "change.failure_reason"

#define DERIVED_ENDPOINT      "endpoint"
#define DERIVED_OPERATION     "operation"
#define DERIVED_KIND          "kind"
#define DERIVED_ERROR         "error"
#define DERIVED_PEER_KIND     "peer.kind"
#define DERIVED_PEER_ID       "peer.identity"
#define DERIVED_PEER_ENDPOINT "peer.endpoint"
#define DERIVED_PEER_NAME     "peer.name"
#define DERIVED_PEER_SYSTEM   "peer.system"
#define DERIVED_PEER_HOST     "peer.host"
#define DERIVED_PROTOCOL      "protocol"
#define DERIVED_TEMPLATE      "template"
#define DERIVED_TEMPLATE_ID   "template.id"
#define DERIVED_LEVEL         "level"
#define DERIVED_SIGNAL        "signal"

/* -1 for a series whose points are to be taken off, else 1. */
static inline int derived_sign(struct slice name)
{
    return slice_starts(name, SLICE("callboard.endpoint.retracted.")) ||
                   slice_starts(name, SLICE("callboard.edge.retracted."))
               ? -1
               : 1;
}

/* The operation that takes what an endpoint has too many of. */
#define DERIVED_OTHER "{other}"

enum { DERIVED_MINUTE_S = 60 };

#endif
