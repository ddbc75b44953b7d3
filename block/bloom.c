/*
 * Bit i of a filter of 2^n bits is set for a hash whose low n bits are i. So
 * the OR of its two halves is the filter of half the size, and the right size
 * can be chosen after all members are known.
 *
 * Stored: 0 for no filter, else 1 + n (one byte), then 2^n bits, low first; n
 * is 6 at least.
 */
#include "bloom.h"

#include <string.h>

enum { LOG2_MIN = 6, LOG2_MAX = 20 };

void bloom_init(struct bloom_filter *filter, struct scratch *scratch,
                unsigned log2, unsigned probes)
{
    filter->log2 = log2;
    filter->probes = probes;
    filter->bits =
        scratch_zero(scratch, (size_t)1 << (log2 - 6), sizeof(*filter->bits));
}

/* The bits set if it were half as large. */
static uint64_t count_folded(const struct bloom_filter *filter)
{
    size_t half = (size_t)1 << (filter->log2 - 7);
    uint64_t count = 0;

    for (size_t i = 0; i < half; i++)
        count += (uint64_t)__builtin_popcountll(filter->bits[i] |
                                                filter->bits[half + i]);
    return count;
}

static uint64_t set_bits(const struct bloom_filter *filter)
{
    uint64_t count = 0;

    for (size_t i = 0; i < (size_t)1 << (filter->log2 - 6); i++)
        count += (uint64_t)__builtin_popcountll(filter->bits[i]);
    return count;
}

void bloom_write(struct bloom_filter *filter, unsigned permille,
                 struct buf *out)
{
    while (filter->log2 > LOG2_MIN &&
           count_folded(filter) * 1000 <=
               (UINT64_C(1) << (filter->log2 - 1)) * permille) {
        size_t half = (size_t)1 << (filter->log2 - 7);

        for (size_t i = 0; i < half; i++)
            filter->bits[i] |= filter->bits[half + i];
        filter->log2--;
    }
    if (set_bits(filter) * 10 > (UINT64_C(6) << filter->log2)) {
        buf_byte(out, 0); /* too full to exclude anything */
        return;
    }
    buf_byte(out, (char)(filter->log2 + 1));
    for (size_t i = 0; i < (size_t)1 << (filter->log2 - 6); i++)
        buf_fixed(out, filter->bits[i], 8);
}

struct slice bloom_read(struct byte_reader *in)
{
    uint64_t log2 = byte_reader_varint(in);

    if (log2 == 0)
        return (struct slice){NULL, 0};
    if (log2 - 1 < LOG2_MIN || log2 - 1 > LOG2_MAX) {
        byte_reader_fail(in);
        return (struct slice){NULL, 0};
    }
    return byte_reader_bytes(in, (size_t)1 << (log2 - 1 - 3));
}

bool bloom_may_contain(struct slice filter, unsigned probes, uint64_t hash)
{
    uint64_t mask = 8 * (uint64_t)filter.len - 1;

    if (filter.len == 0)
        return true;
    for (unsigned i = 0; i < probes; i++, hash = hash >> 20 | hash << 44) {
        uint64_t bit = hash & mask;

        if (!((uint8_t)filter.ptr[bit / 8] >> (bit & 7) & 1))
            return false;
    }
    return true;
}
