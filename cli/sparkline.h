/*
 * sparkline - a series in one line of text: a bar of eight heights for each
 * column.
 */
#ifndef SPARKLINE_H
#define SPARKLINE_H

#include <stddef.h>

#include "term_line.h"

enum sparkline_scale {
    SPARKLINE_FROM_ZERO, /* 0 to the most: rates */
    SPARKLINE_FROM_LEAST /* the least to the most: shows small changes */
};

/* Values, oldest first, in `width` columns; NaN is a gap. More values than
 * columns: each column is the mean of its values. Fewer: the newest is at the
 * right end. */
void sparkline_put(struct term_line *line, const double *values, size_t count,
                   uint32_t width, enum sparkline_scale scale);

#endif
