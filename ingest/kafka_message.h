/*
 * kafka_message - from one Kafka message to a batch, without a broker.
 *
 * Ownership  the message is borrowed; the batch has a copy of its bytes.
 * Threads    any.
 */
#ifndef KAFKA_MESSAGE_H
#define KAFKA_MESSAGE_H

#include "batch.h"
#include "budget.h"
#include "request_hash.h"
#include "status.h"

enum kafka_encoding { KAFKA_AUTO, KAFKA_PROTOBUF, KAFKA_JSON };

struct kafka_message {
    struct slice value;
    enum signal signal; /* of its topic */
    enum kafka_encoding encoding;
    size_t max_bytes;
    uint64_t received_ns, oldest_ns;
    const struct request_key *key; /* NULL: duplicates are not recognized */
    struct budget *budget;
    struct writer *writer; /* of its topic, or in its signature; borrowed */
    bool is_signed;        /* by us: its records were counted at the receiver */
    struct request_hash id; /* of a signed one, in place of `key` */
};

/*
 * Always makes a batch that takes its place in the journal: with records,
 * without (the message had none, or none that is accepted), or a dead letter.
 * ERR_BUSY: no memory for it now.
 */
MUST_CHECK enum status kafka_message_batch(const struct kafka_message *message,
                                           struct batch **batch);

/* A dead letter, for `reason` unless the message looks like another format. */
MUST_CHECK enum status kafka_message_dead_letter(
    const struct kafka_message *message, const char *reason,
    struct batch **batch);

#endif
