/*
 * otlp_split - an export request as several of at most a size, each with the
 * records of one partition.
 *
 *   spans    by trace id
 *   logs     by trace id if all log records of a resource have one, else by
 *            resource
 *   metrics  by resource
 *
 * The partition is the one that Kafka's default partitioner chooses for the
 * key: of a trace the 32 hex digits of its id, as the Collector's exporter
 * writes it, of a resource 16 bytes that depend on its attributes in any order.
 *
 * The same request is split in the same way, so it makes the same messages when
 * it is sent again.
 *
 * Purpose:   messages are copied from the received bytes, field by field, also
 *            those that we do not know; nothing is decoded.
 * Ownership: a message (malloc'ed) is the callee's, and so is what was charged
 *            to the budget for it.
 * Threads:   any.
 * Errors:    ERR_MALFORMED: no protobuf; ERR_BUSY: the budget has no room;
 *            ERR_TOO_BIG: copies of resources and scopes in all messages take
 *            more than max_total. Messages may have been emitted by then.
 */
#ifndef OTLP_SPLIT_H
#define OTLP_SPLIT_H

#include "budget.h"
#include "record.h"
#include "status.h"

struct otlp_part {
    uint32_t partition;
    char *bytes;
    size_t len, charged;
    uint32_t records;
};

struct otlp_split {
    enum signal signal;
    struct slice body;   /* an Export*ServiceRequest in protobuf */
    const uint8_t *skip; /* a bit for each record, in the order of the body;
                            NULL: none is left out */
    uint32_t partitions; /* at least 1 */
    size_t max_bytes;    /* of a message */
    size_t max_total;    /* of all */
    struct budget *budget;
    void (*emit)(void *arg, const struct otlp_part *part);
    void *arg;

    uint32_t too_big; /* records that do not fit into a message, by then */
};

MUST_CHECK enum status otlp_split(struct otlp_split *split);

/* The partition of a key. */
uint32_t otlp_partition(struct slice key, uint32_t partitions);

#endif
