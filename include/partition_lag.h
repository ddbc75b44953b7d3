/*
 * partition_lag - how far behind a partition of Kafka is.
 *
 * Purpose:   what the receiver tells and GET /api/v1/status shows.
 * Ownership: the topic belongs to the receiver.
 * Threads:   plain values.
 * Errors:    none.
 */
#ifndef PARTITION_LAG_H
#define PARTITION_LAG_H

#include "record.h"

struct partition_lag {
    const char *topic;
    uint32_t partition;
    enum signal signal;
    int64_t messages; /* that are not stored yet; negative: not known */
};

#endif
