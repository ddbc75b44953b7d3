/*
 * ingest_decode - from the bytes of a request to records, and the counters of
 * what became of them, for every receiver alike.
 *
 * Threads  any.
 */
#ifndef INGEST_DECODE_H
#define INGEST_DECODE_H

#include "access.h"
#include "batch.h"

/* Decodes batch->body, counts what was truncated, corrected or rejected, and
 * sets the hash by which a duplicate request is recognized (key NULL: none).
 * Errors and *detail are those of otlp_decode(). */
MUST_CHECK enum status ingest_decode(struct batch *batch, uint64_t oldest_ns,
                                     const struct request_key *key,
                                     struct slice *detail);

/* Counts the records of a request that is done. */
void ingest_count_records(enum signal signal, uint32_t accepted,
                          uint32_t rejected);
/* The records of a batch that is done, and that its sender may not write, if
 * there are any. From Kafka: no subject, no address (16 bytes). */
void ingest_audit_foreign(const struct batch *batch,
                          const struct subject *subject,
                          const uint8_t *address);

#endif
