/*
 * ingest - the receivers: bytes in, batches out.
 *
 * Each receiver only frames bytes and answers; what happens in between is the
 * same for all: refuse early if the sink is not ready, inflate with a bound,
 * decode, submit, answer when the batch is done.
 */
#ifndef INGEST_H
#define INGEST_H

#include "batch.h"
#include "budget.h"
#include "status.h"

struct ingest;

struct ingest_options {
    const char *otlp_http;     /* HOST:PORT; port 0 picks one */
    size_t max_body;           /* also after inflating; beyond it 413 */
    uint32_t max_connections;  /* fewer if there are too few files for them */
    uint64_t idle_timeout_ns;  /* for connections that are idle or slow */
    const char *cors_origins;  /* comma list; NULL or "": none */
    const char *allowed_hosts; /* comma list; NULL or "": see http_server.h */
    /* What is too old in a batch that came at this time; NULL or 0: nothing.
     * The same again when the journal is read back, and so the same records. */
    uint64_t (*oldest_ns)(void *arg, enum signal signal, uint64_t received_ns);
    void *oldest_arg;
    const struct request_key *key; /* to know what comes again; NULL: do not */
    struct budget *budget;
    struct sink sink;
};

/* ERR_IO: cannot listen (logged, with the address). */
MUST_CHECK enum status ingest_start(struct ingest **ingest,
                                    const struct ingest_options *options);

uint16_t ingest_port(const struct ingest *ingest);

/* Takes no more requests; those under way are answered. NULL is fine. */
void ingest_stop(struct ingest *ingest);

#endif
