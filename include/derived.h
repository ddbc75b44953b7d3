/*
 * derived - vocabulary: the series that the correlator derives at ingest.
 *
 * All are delta points of one minute: time_ns is the end of the minute (a
 * multiple of 60 s), start_ns its beginning, by the start time of the span or
 * the time of the log record. Points of one series and minute may come in
 * several parts that add up. They belong to the derived resource of an identity
 * (registry.h). They count all records received, weighted by the sampling of
 * the sender (correlate/semconv_sampling.c).
 *
 * Purpose:   names of metrics and attributes. The correlator writes them,
 *            queries read them; they are stored like any other metric.
 * Ownership: constants.
 * Threads:   any.
 * Errors:    none.
 */
#ifndef DERIVED_H
#define DERIVED_H

#include "slice.h"

/*
 * Requests that a component served: SERVER and CONSUMER spans.
 *   DURATION  exponential histogram, seconds; exemplars: up to 2 slowest and 2
 *             failed ones of the minute (trace id, span id, value; failed ones
 *             have DERIVED_ERROR = true)
 *   ERRORS    sum, monotonic, delta, int; only if there are any
 *
 * Both with DERIVED_ENDPOINT, DERIVED_OPERATION, DERIVED_KIND ("server" or
 * "consumer"). correlate/semconv_outcome.c decides which spans failed.
 * CLIENT_ERRORS counts HTTP 4xx: neither success nor failure of the component,
 * but unsuccessful in OpenChoreo's terms.
 */
#define DERIVED_DURATION      "callboard.endpoint.duration"
#define DERIVED_ERRORS        "callboard.endpoint.errors"
#define DERIVED_CLIENT_ERRORS "callboard.endpoint.client_errors"

/*
 * Retractions, to be subtracted from these in the same minute and with the same
 * attributes: a SERVER span that was counted as a request and turned out to be
 * part of another one of the same component (a SERVER below a SERVER). The
 * names are stored, so they must not change ("back": a retraction).
 */
#define DERIVED_RETRACTED_DURATION      "callboard.endpoint.back.duration"
#define DERIVED_RETRACTED_ERRORS        "callboard.endpoint.back.errors"
#define DERIVED_RETRACTED_CLIENT_ERRORS "callboard.endpoint.back.client_errors"

/*
 * Calls between a component and a peer. OUT belongs to the caller, IN to the
 * callee; a call between two known components makes one of each. With
 * DERIVED_ENDPOINT (of the component it belongs to: the endpoint that is served
 * while calling, or called; may be ""), DERIVED_PEER_KIND and, by kind:
 *   component  DERIVED_PEER_ID (int, identity id), DERIVED_PEER_ENDPOINT
 *   database   DERIVED_PEER_NAME (db.namespace; if that is missing or a number,
 *              the host, else the system),
 *              DERIVED_PEER_SYSTEM, DERIVED_PEER_HOST
 *   queue      DERIVED_PEER_NAME (destination), DERIVED_PEER_SYSTEM
 *   external   DERIVED_PEER_NAME (host)
 *   gateway    DERIVED_PEER_NAME ("internet" or "intranet"); IN only
 *
 * and DERIVED_PROTOCOL ("http", "grpc", "db", "messaging", "").
 * Durations are the caller's for OUT, the callee's for IN. ERRORS and
 * CLIENT_ERRORS as above, by the same span as the duration.
 */
#define DERIVED_OUT_DURATION      "callboard.edge.out.duration"
#define DERIVED_OUT_ERRORS        "callboard.edge.out.errors"
#define DERIVED_OUT_CLIENT_ERRORS "callboard.edge.out.client_errors"
#define DERIVED_IN_DURATION       "callboard.edge.in.duration"
#define DERIVED_IN_ERRORS         "callboard.edge.in.errors"
#define DERIVED_IN_CLIENT_ERRORS  "callboard.edge.in.client_errors"

/*
 * Retractions, to be subtracted from these: a CLIENT span that was counted as a
 * call of what its host name resolves to, because its callee did not arrive in
 * time, and was paired with its callee later.
 */
#define DERIVED_OUT_RETRACTED_DURATION "callboard.edge.back.out.duration"
#define DERIVED_OUT_RETRACTED_ERRORS   "callboard.edge.back.out.errors"
#define DERIVED_OUT_RETRACTED_CLIENT_ERRORS \
    "callboard.edge.back.out.client_errors"
#define DERIVED_IN_RETRACTED_DURATION "callboard.edge.back.in.duration"
#define DERIVED_IN_RETRACTED_ERRORS   "callboard.edge.back.in.errors"
#define DERIVED_IN_RETRACTED_CLIENT_ERRORS \
    "callboard.edge.back.in.client_errors"

/* Log records: sum, delta, int, with DERIVED_TEMPLATE (text for people),
 * DERIVED_TEMPLATE_ID (16 hex digits) and DERIVED_LEVEL ("ERROR", ...). */
#define DERIVED_LOGS "callboard.log.records"

/* Records by signal: sum, delta, int, with DERIVED_SIGNAL ("traces", "logs",
 * "metrics"). Those without a component belong to the resource that sent
 * them. */
#define DERIVED_RECORDS "callboard.records"

/*
 * Change events are log records of the events stream with event_name
 * DERIVED_CHANGE and attributes DERIVED_CHANGE_KIND ("version", "image",
 * "pod-template"), DERIVED_CHANGE_FROM and DERIVED_CHANGE_TO; the body is a
 * sentence. The control plane's reports of releases ("release"), which arrive
 * as Kubernetes events, become change events, too (proto/log_release.c).
 */
#define DERIVED_CHANGE      "callboard.change"
#define DERIVED_CHANGE_KIND "change.kind"
#define DERIVED_CHANGE_FROM "change.from"
#define DERIVED_CHANGE_TO   "change.to"
/* Of kind "release". */
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

/* -1 for a retraction, else 1. */
static inline int derived_sign(struct slice name)
{
    return slice_starts(name, SLICE("callboard.endpoint.back.")) ||
                   slice_starts(name, SLICE("callboard.edge.back."))
               ? -1
               : 1;
}

/* The name that replaces names above a limit. */
#define DERIVED_OTHER "{other}"

enum { DERIVED_MINUTE_S = 60 };

#endif
