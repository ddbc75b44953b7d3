/* A series in one line of text; see sparkline.h. */
#include "sparkline.h"

#include <math.h>

enum { HEIGHTS = 8 };

struct spark_range {
    double least, most;
};

/* The mean of the known values of column i; NaN if there are none. */
static double column_of(const double *values, size_t count, uint32_t columns,
                        uint32_t i)
{
    size_t first = count * i / columns, last = count * (i + 1) / columns;
    double sum = 0;
    size_t known = 0;

    for (size_t k = first; k < last; k++)
        if (isfinite(values[k])) {
            sum += values[k];
            known++;
        }
    return known ? sum / (double)known : NAN;
}

static struct spark_range range_of(const double *values, size_t count,
                                   uint32_t columns, enum sparkline_scale scale)
{
    struct spark_range range = {INFINITY, -INFINITY};

    for (uint32_t i = 0; i < columns; i++) {
        double value = column_of(values, count, columns, i);

        if (isfinite(value)) {
            range.least = fmin(range.least, value);
            range.most = fmax(range.most, value);
        }
    }
    if (scale == SPARKLINE_FROM_ZERO && range.least <= range.most) {
        range.least = fmin(range.least, 0);
        range.most = fmax(range.most, 0);
    }
    return range;
}

void sparkline_put(struct term_line *line, const double *values, size_t count,
                   uint32_t width, enum sparkline_scale scale)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const signs[] = {"_", ".", "-", "=", "+", "*", "%", "#"};
    uint32_t columns = count < width ? (uint32_t)count : width;
    struct spark_range range = range_of(values, count, columns, scale);
    uint32_t end = line->column + width;

    term_to(line, end - columns);
    for (uint32_t i = 0; i < columns; i++) {
        double value = column_of(values, count, columns, i);
        /* Halves: the difference of the largest numbers is none. */
        double half = range.most / 2 - range.least / 2;
        double part = half > 0 ? (value / 2 - range.least / 2) / half : 0;
        int height = isfinite(part) ? (int)(part * (HEIGHTS - 1) + 0.5) : 0;

        if (isfinite(value))
            term_draw(line, bars[height], signs[height], 1);
        else
            term_to(line, line->column + 1);
    }
}
