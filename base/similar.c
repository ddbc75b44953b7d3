/* One row of the table of distances at a time. */
#include "similar.h"

uint32_t similar_distance(struct slice a, struct slice b)
{
    uint32_t row[SIMILAR_COMPARED + 1];

    b = slice_truncate(b, SIMILAR_COMPARED);
    for (uint32_t k = 0; k <= b.len; k++)
        row[k] = k;
    for (uint32_t i = 1; i <= a.len; i++) {
        uint32_t corner = row[0];

        row[0] = i;
        for (uint32_t k = 1; k <= b.len; k++) {
            uint32_t change = corner + (a.ptr[i - 1] != b.ptr[k - 1]);

            corner = row[k];
            row[k] = row[k] + 1 < change ? row[k] + 1 : change;
            row[k] = row[k - 1] + 1 < row[k] ? row[k - 1] + 1 : row[k];
        }
    }
    return row[b.len];
}
