/*
 * radix_sort - puts rows in order by 64-bit keys, stably, in time that does not
 * depend on what the keys are.
 */
#ifndef RADIX_SORT_H
#define RADIX_SORT_H

#include <stdint.h>

struct sort_row {
    uint64_t key;
    uint32_t row;
};

/* By key, rows of equal keys as they were. spare has room for count too; the
 * result is the one of both that holds the sorted rows. */
struct sort_row *sort_rows(struct sort_row *rows, struct sort_row *spare,
                           uint32_t count);

#endif
