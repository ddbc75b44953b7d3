/*
 * ch_retention - deletes what is too old, or too much. One instance at a time
 * does it, every few minutes; it does no harm if two do.
 *
 * Age: ClickHouse does it by the TTL of the tables; here the TTL follows the
 * options. Size: above it the oldest days are dropped, one table after another,
 * but never the newest day. Of the checkpoints the last ones of each partition
 * stay.
 */
#ifndef CH_RETENTION_H
#define CH_RETENTION_H

#include "ch_reader.h"
#include "ch_schema.h"

struct ch_retention {
    struct ch_schema_options schema; /* with the ages */
    uint64_t max_bytes;              /* of all tables; 0: no limit */
};

struct ch_retention_done {
    uint32_t ttls;       /* tables whose TTL was changed */
    uint32_t partitions; /* dropped: a day of a table */
    uint64_t bytes;      /* of them */
    bool too_much;       /* above max_bytes with one day */
};

/* The reader's error is that of the status. */
MUST_CHECK enum status ch_retention_run(struct ch_reader *reader,
                                        const struct ch_retention *retention,
                                        struct ch_retention_done *done);

#endif
