/*
 * ch_arrival - the number of a record that orders those of equal times.
 *
 *   bits 24 ... 63   offset of the Kafka message
 *   bits 10 ... 23   place in the message; later records share the last one
 *   bits  0 ...  9   partition, modulo 1,024
 *
 * It is made of where the record came from, so a block that is written again
 * has the same ones. Records of one partition are in the order of its messages;
 * two partitions never share a number, below 1,024 of them.
 *
 * It is no order of arrival over all partitions: that is (InsertedAt, Arrival),
 * where InsertedAt is the database's time at the INSERT, the same for all rows
 * of it. They are seen when it has ended, so who follows what arrives (struct
 * log_tail: serial = InsertedAt in nanoseconds, arrival = Arrival) reads rows
 * behind its position up to InsertedAt <= now64(9) - CH_ARRIVAL_HORIZON_NS, and
 * goes on from there. Rows of an INSERT that takes longer than the horizon are
 * found by every other query, but not by who has passed their time.
 */
#ifndef CH_ARRIVAL_H
#define CH_ARRIVAL_H

#include <stdint.h>

#define CH_ARRIVAL_HORIZON_NS (UINT64_C(3) * 1000000000)

enum { CH_ARRIVAL_PLACES = 1 << 14, CH_ARRIVAL_PARTITIONS = 1 << 10 };

static inline uint64_t ch_arrival(uint64_t offset, uint64_t place,
                                  uint32_t partition)
{
    if (place >= CH_ARRIVAL_PLACES)
        place = CH_ARRIVAL_PLACES - 1;
    return offset << 24 | place << 10 | partition % CH_ARRIVAL_PARTITIONS;
}

#endif
