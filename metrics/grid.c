#include "grid.h"

#include "clock.h"

struct grid grid_make(uint64_t start_ns, uint64_t end_ns, uint64_t step_ns,
                      uint64_t now_ns)
{
    struct grid grid = {start_ns - start_ns % step_ns, step_ns, now_ns, 0};

    end_ns = min_u64(end_ns, now_ns);
    if (end_ns > start_ns)
        grid.count = (uint32_t)((end_ns - grid.start_ns - 1) / step_ns + 1);
    return grid;
}

uint64_t grid_time(const struct grid *grid, uint32_t cell)
{
    return grid->start_ns + cell * grid->step_ns;
}

uint64_t grid_end(const struct grid *grid)
{
    return grid_time(grid, grid->count);
}

double grid_seconds(const struct grid *grid, uint32_t cell)
{
    uint64_t start = grid_time(grid, cell);
    uint64_t end = min_u64(start + grid->step_ns, grid->now_ns);

    return end > start ? (double)(end - start) / (double)NS_PER_S : 0;
}

struct grid_part grid_parts(const struct grid *grid, uint64_t from_ns,
                            uint64_t to_ns)
{
    struct grid_part part = {.from_ns = from_ns,
                             .to_ns = min_u64(to_ns, grid->now_ns)};

    /* An empty time is the moment before its end, so that it lies in a cell
     * and the walk below needs no second case. */
    if (part.to_ns < to_ns && part.to_ns <= from_ns) {
        part.to_ns = 0; /* it has not begun: no cell */
    } else if (part.to_ns <= from_ns) {
        part.to_ns = to_ns;
        part.from_ns = to_ns ? to_ns - 1 : 0;
    }
    part.at_ns = part.from_ns > grid->start_ns ? part.from_ns : grid->start_ns;
    return part;
}

bool grid_next(const struct grid *grid, struct grid_part *part)
{
    uint64_t end = min_u64(part->to_ns, grid_end(grid)), next;

    if (part->at_ns >= end)
        return false;
    part->cell = (uint32_t)((part->at_ns - grid->start_ns) / grid->step_ns);
    next = min_u64(grid_time(grid, part->cell + 1), end);
    part->share =
        (double)(next - part->at_ns) / (double)(part->to_ns - part->from_ns);
    part->begin_ns = part->at_ns;
    part->at_ns = next;
    return true;
}

bool grid_row_init(struct grid_row *row, const struct grid *grid,
                   struct arena *arena)
{
    row->values = arena_zero(arena, grid->count + 1, sizeof(*row->values));
    row->known = arena_zero(arena, grid->count + 1, sizeof(*row->known));
    return row->values && row->known;
}

void grid_row_add(struct grid_row *row, uint32_t cell, double amount)
{
    row->values[cell] += amount;
    row->known[cell] = true;
}

void grid_row_fill_gaps(struct grid_row *row, const struct grid *grid)
{
    uint32_t first = 0, end = grid->count;

    while (first < end && !row->known[first])
        first++;
    while (end > first && !row->known[end - 1])
        end--;
    for (uint32_t i = first; i < end; i++)
        row->known[i] = true;
}
