/*
 * otlp_grpc - the OTLP/gRPC receiver: export requests in, batches out.
 *
 * Purpose:    the Export methods of the trace, logs and metrics services, and
 *             grpc.health.v1.Health/Check.
 * Ownership:  as otlp_http.h.
 * Threads:    start, port and stop from one thread. Decoding runs on the I/O
 *             thread of the gRPC server; sink.submit is called there.
 * Errors:     a failed start is logged. Every request gets an answer: a status
 *             of gRPC, and the same counters by reason as over HTTP.
 */
#ifndef OTLP_GRPC_H
#define OTLP_GRPC_H

#include "access.h"
#include "receiver.h"
#include "status.h"

struct otlp_grpc;

struct otlp_grpc_options {
    struct access *access;     /* NULL: no credential is required */
    struct tls *tls;           /* NULL: plain */
    const char *listen;        /* HOST:PORT; port 0 picks one */
    uint32_t max_connections;  /* fewer if the limit of open files is lower */
    uint64_t idle_timeout_ns;  /* for connections without requests */
    uint64_t max_age_ns;       /* of a connection; 0: any */
    const char *allowed_hosts; /* comma list; NULL or "": see http_server.h */
    struct receiver_options receiver;
};

/* ERR_IO, ERR_IN_USE, ERR_INVALID: cannot listen (logged, with the address). */
MUST_CHECK enum status otlp_grpc_start(struct otlp_grpc **receiver,
                                       const struct otlp_grpc_options *options);

uint16_t otlp_grpc_port(const struct otlp_grpc *receiver);

/* Sends peers to other connections, and waits until the pending requests are
 * answered. The sink must still run. NULL is fine. */
void otlp_grpc_stop(struct otlp_grpc *receiver);

#endif
