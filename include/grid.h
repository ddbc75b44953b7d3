/*
 * grid - the cells that the points of many series are laid on.
 *
 * A grid is cells of one step each, aligned to the step in UTC; cell i is
 * [start + i * step, start + (i + 1) * step) and is shown at its start. What
 * happened during a time (a minute of derived counts, the increase of a counter
 * between two points) is spread over the cells it overlaps. The last cell may
 * lie partly in the future; rates are over the part of it that has passed.
 *
 *   struct grid grid = grid_make(start_ns, end_ns, step_ns, now_ns);
 *   struct grid_part part = grid_parts(&grid, from_ns, to_ns);
 *   while (grid_next(&grid, &part))
 *       grid_row_add(&row, part.cell, amount * part.share);
 *
 * Purpose:   One rule for how a time falls into cells.
 * Ownership: A grid and a part are plain values; the arrays of a row are the
 *            arena's.
 * Threads:   Any, for different rows.
 * Errors:    grid_row_init() returns false if the arena is full.
 */
#ifndef GRID_H
#define GRID_H

#include "arena.h"
#include "record.h"

struct grid {
    uint64_t start_ns, step_ns, now_ns;
    uint32_t count;
};

/* One number per cell, and whether it is known. */
struct grid_row {
    double *values;
    bool *known;
};

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The cells that [start_ns, end_ns) touches and that have begun by now. */
struct grid grid_make(uint64_t start_ns, uint64_t end_ns, uint64_t step_ns,
                      uint64_t now_ns);
uint64_t grid_end(const struct grid *grid);
uint64_t grid_time(const struct grid *grid, uint32_t cell); /* its start */
/* How much of the cell has passed, in seconds. */
double grid_seconds(const struct grid *grid, uint32_t cell);

/* The part of a time that lies in one cell after the other:
 *   struct grid_part part = grid_parts(&grid, from_ns, to_ns);
 *   while (grid_next(&grid, &part)) ... part.cell, part.share (0 to 1) */
struct grid_part {
    uint64_t from_ns, to_ns;
    uint64_t begin_ns, at_ns; /* of the part: its begin and its end */
    uint32_t cell;
    double share;
};
struct grid_part grid_parts(const struct grid *grid, uint64_t from_ns,
                            uint64_t to_ns);
bool grid_next(const struct grid *grid, struct grid_part *part);

/* All unknown, 0. False if the arena is full. */
bool grid_row_init(struct grid_row *row, const struct grid *grid,
                   struct arena *arena);
void grid_row_add(struct grid_row *row, uint32_t cell, double amount);
/* Makes the cells between the first and the last known one known, 0 if they
 * were not: for counts of events, where no point means none. */
void grid_row_fill_gaps(struct grid_row *row, const struct grid *grid);

#endif
