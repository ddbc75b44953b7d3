/*
 * otlp_http - the OTLP/HTTP receiver: export requests in, batches out.
 *
 * A request is refused early if the sink is not ready, decompressed within a
 * bound, decoded and submitted; it is answered when its batch is done.
 *
 * Purpose:    POST /v1/traces, /v1/logs and /v1/metrics, protobuf and JSON.
 * Ownership:  the caller owns the receiver; the options' texts, budget and sink
 *             must outlive it.
 * Threads:    start, port and stop from one thread. Decoding runs on the I/O
 *             thread of the HTTP server; sink.submit is called there.
 * Errors:     a failed start is logged. Every request gets an answer: a status
 *             of OTLP and HTTP, and a counter by reason.
 */
#ifndef OTLP_HTTP_H
#define OTLP_HTTP_H

#include "access.h"
#include "receiver.h"
#include "status.h"

struct otlp_http;

struct otlp_http_options {
    const char *listen;        /* HOST:PORT; port 0 picks one */
    uint32_t max_connections;  /* fewer if the limit of open files is lower */
    uint64_t idle_timeout_ns;  /* for connections that are idle or slow */
    const char *cors_origins;  /* comma list; NULL or "": none */
    const char *allowed_hosts; /* comma list; NULL or "": see http_server.h */
    struct tls *tls;           /* NULL: plain HTTP */
    struct access *access;     /* who may send; NULL: everyone */
    struct receiver_options receiver;
};

/* ERR_IO, ERR_IN_USE, ERR_INVALID: cannot listen (logged, with the address). */
MUST_CHECK enum status otlp_http_start(struct otlp_http **receiver,
                                       const struct otlp_http_options *options);

uint16_t otlp_http_port(const struct otlp_http *receiver);

/* Takes no more requests, and waits until the pending ones are answered. The
 * sink must still run. NULL is fine. */
void otlp_http_stop(struct otlp_http *receiver);

#endif
