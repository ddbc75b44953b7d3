/* How a time falls into the cells of a grid. */
#include "grid.h"

#include <math.h>

#include "clock.h"
#include "test.h"

#define MIN NS_PER_MIN
#define T0  (UINT64_C(1700000100) * NS_PER_S) /* a multiple of 300 s */

/* The sum of the shares that lie in each cell. */
static double share_in(const struct grid *grid, uint64_t from_ns,
                       uint64_t to_ns, uint32_t cell)
{
    struct grid_part part = grid_parts(grid, from_ns, to_ns);
    double sum = 0;

    while (grid_next(grid, &part))
        if (part.cell == cell)
            sum += part.share;
    return sum;
}

static bool near(double got, double want)
{
    return fabs(got - want) < 1e-12;
}

TEST(a_time_is_shared_out_by_length)
{
    struct grid grid = grid_make(T0, T0 + 10 * MIN, 5 * MIN, T0 + NS_PER_DAY);

    CHECK_EQ(grid.count, 2);
    CHECK(near(share_in(&grid, T0 + 4 * MIN, T0 + 8 * MIN, 0), .25));
    CHECK(near(share_in(&grid, T0 + 4 * MIN, T0 + 8 * MIN, 1), .75));
    CHECK(near(share_in(&grid, T0 + MIN, T0 + MIN, 0), 1));
}

/* A minute that is still running counts as far as it has passed; one that
 * begins after now is in no cell, though the last cell reaches beyond now. */
TEST(what_has_not_begun_is_in_no_cell)
{
    struct grid grid = grid_make(T0, T0 + 10 * MIN, 5 * MIN, T0 + 7 * MIN);

    CHECK_EQ(grid.count, 2);
    CHECK(near(grid_seconds(&grid, 1), 120));
    CHECK(near(share_in(&grid, T0 + 6 * MIN, T0 + 7 * MIN, 1), 1));
    CHECK(near(share_in(&grid, T0 + 6 * MIN + MIN / 2, T0 + 8 * MIN, 1), 1));
    CHECK(near(share_in(&grid, T0 + 7 * MIN, T0 + 8 * MIN, 1), 0));
    CHECK(near(share_in(&grid, T0 + 8 * MIN, T0 + 9 * MIN, 1), 0));
}
