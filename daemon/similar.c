/*
 * Levenshtein distance, one row at a time.
 */
#include "similar.h"

#include <stddef.h>
#include <string.h>

int similar_distance(const char *a, const char *b)
{
    int row[64];
    size_t n = strlen(b);

    if (n >= sizeof(row) / sizeof(*row))
        return SIMILAR_MAX;
    for (size_t k = 0; k <= n; k++)
        row[k] = (int)k;
    for (size_t i = 1; a[i - 1]; i++) {
        int corner = row[0];

        row[0] = (int)i;
        for (size_t k = 1; k <= n; k++) {
            int change = corner + (a[i - 1] != b[k - 1]);

            corner = row[k];
            row[k] = row[k] + 1 < change ? row[k] + 1 : change;
            row[k] = row[k - 1] + 1 < row[k] ? row[k - 1] + 1 : row[k];
        }
    }
    return row[n];
}
