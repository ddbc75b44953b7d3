/*
 * kafka_message - one Kafka message to a batch: pure, knows no broker.
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
    const struct request_key *key; /* NULL: repeated ones are not known */
    struct budget *budget;
};

/*
 * Always a batch with a place in the journal: with records, without any (the
 * message held none, or none that is kept), or a dead letter. ERR_BUSY: no
 * memory for it now.
 */
MUST_CHECK enum status kafka_message_batch(const struct kafka_message *message,
                                           struct batch **batch);

/* A dead letter, because of `why` unless its bytes say more. */
MUST_CHECK enum status kafka_message_dead_letter(
    const struct kafka_message *message, const char *why, struct batch **batch);

#endif
