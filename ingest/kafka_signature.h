/*
 * kafka_signature - what our own receivers write into the header of a message
 * (--ingest-to kafka), and consumers trust if the key that they share signed
 * it.
 *
 *   OFFSET  SIZE  MEANING
 *   0       1     version: 1
 *   1       1     signal
 *   2       1     flags: 1 there is an id; 2 there is a writer
 *   3       16    id of the message: the same when its request is sent again
 *   19      n     what its sender may write (writer.h)
 *   19 + n  32    HMAC-SHA256 of all before it and a hash of the message
 *
 * The hash has a secret key of its own and is not shown (request_hash.h): two
 * messages share it with a probability of 2^-64, and it takes a tenth of the
 * time of SHA-256.
 *
 * Without it, or with another one's signature, a message is that of any
 * producer: --kafka-namespace says whose its records are.
 *
 * Purpose:   no other producer can claim to be a tenant.
 * Ownership: a writer that is read is the caller's.
 * Threads:   any.
 * Errors:    bytes from outside are checked.
 */
#ifndef KAFKA_SIGNATURE_H
#define KAFKA_SIGNATURE_H

#include "buf.h"
#include "kafka.h"
#include "record.h"
#include "request_hash.h"
#include "writer.h"

#define KAFKA_SIGNATURE_HEADER "callboard"

enum { KAFKA_SIGNATURE_MAX = 19 + WRITER_MAX_BYTES + 32 };

struct kafka_signature {
    enum signal signal;
    struct request_hash id; /* none: the request cannot be recognized */
    struct writer *writer;  /* NULL: it may write anything */
};

/* Appends the header of the message. False: no memory. */
MUST_CHECK bool kafka_sign(const struct kafka_key *key,
                           const struct kafka_signature *signature,
                           struct slice message, struct buf *header);

/* False: this key did not sign the message. */
MUST_CHECK bool kafka_signature_read(const struct kafka_key *key,
                                     enum signal signal, struct slice header,
                                     struct slice message,
                                     struct kafka_signature *signature);

/* An id for a hash that must not be shown. */
struct request_hash kafka_message_id(const struct kafka_key *key,
                                     struct request_hash hash);

#endif
