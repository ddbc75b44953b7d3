/*
 * Radix sort from the lowest digit of eleven bits to the highest. All digits
 * are counted in one pass; a digit that is the same in every key costs
 * nothing more.
 */
#include "radix_sort.h"

#include <string.h>

enum { BITS = 11, DIGITS = 6, BUCKETS = 1 << BITS };

static void count_digits(const struct sort_row *rows, uint32_t count,
                         uint32_t counts[DIGITS][BUCKETS])
{
    memset(counts, 0, sizeof(counts[0]) * DIGITS);
    for (uint32_t i = 0; i < count; i++)
        for (unsigned d = 0; d < DIGITS; d++)
            counts[d][rows[i].key >> BITS * d & (BUCKETS - 1)]++;
}

struct sort_row *sort_rows(struct sort_row *rows, struct sort_row *spare,
                           uint32_t count)
{
    uint32_t counts[DIGITS][BUCKETS];

    if (count < 2)
        return rows;
    count_digits(rows, count, counts);
    for (unsigned d = 0; d < DIGITS; d++) {
        uint32_t *next = counts[d], at = 0;
        struct sort_row *swap = spare;

        if (next[rows[0].key >> BITS * d & (BUCKETS - 1)] == count)
            continue;
        for (uint32_t i = 0; i < BUCKETS; i++) {
            uint32_t n = next[i];

            next[i] = at;
            at += n;
        }
        for (uint32_t i = 0; i < count; i++)
            spare[next[rows[i].key >> BITS * d & (BUCKETS - 1)]++] = rows[i];
        spare = rows;
        rows = swap;
    }
    return rows;
}
