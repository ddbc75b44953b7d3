/* CPU and memory of components, against their limits. */
#include <math.h>

#include "array.h"
#include "compare.h"
#include "significance.h"
#include "usage.h"

static const double LEAST_TIMES = 1.3, LEAST_OF_LIMIT = 0.1;
static const double NEAR_LIMIT = 0.85;
static const double LEAST_CORES = 0.02, LEAST_BYTES = 16 * 1024 * 1024;

/* The sum over the pods of a component, cell by cell. */
struct component_usage {
    const struct identity *identity;
    double sum[SIDES][USAGE_ROWS][COMPARE_CELLS];
    bool known[SIDES][USAGE_ROWS][COMPARE_CELLS];
};

struct usage_list {
    struct component_usage *at;
    uint32_t count, room;
    struct map index;
};

static struct component_usage *usage_of(struct comparison *c,
                                        struct usage_list *list,
                                        const struct identity *identity)
{
    uint32_t hash = map_hash(key_identity(1, identity));
    struct component_usage *usage;

    map_each(&list->index, hash, at)
        if (identity_compare(list->at[at].identity, identity) == 0)
            return &list->at[at];
    usage =
        arena_append(c->request->arena, &list->at, list->count, &list->room);
    if (!usage || !map_add(&list->index, hash, list->count))
        return NULL;
    *usage = (struct component_usage){.identity = identity};
    list->count++;
    return usage;
}

static bool add_group(struct comparison *c, struct usage_list *list,
                      struct usage *usage, const struct metric_group *group,
                      enum side side)
{
    const struct identity *identity =
        reply_resource_identity(c->request, group->resource_id);
    struct component_usage *to;

    if (!identity || identity->component.len == 0)
        return identity;
    to = usage_of(c, list, identity);
    for (int row = 0; to && row <= METRIC_MEMORY_LIMIT; row++)
        for (uint32_t i = 0; i < c->cells[side].count; i++) {
            double value =
                metric_value(&usage->table, group, &usage->rows[row], i);

            if (!isfinite(value))
                continue;
            to->sum[side][row][i] += value;
            to->known[side][row][i] = true;
        }
    return to;
}

/* The cells that are known. */
static uint32_t known_cells(const struct component_usage *u, enum side side,
                            int row, uint32_t cells, double out[COMPARE_CELLS])
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < cells; i++)
        if (u->known[side][row][i])
            out[n++] = u->sum[side][row][i];
    return n;
}

static double mean(const double *at, uint32_t n)
{
    double sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum += at[i];
    return n > 0 ? sum / n : NAN;
}

static bool compare_row(struct comparison *c, const struct component_usage *u,
                        int row, int limit_row)
{
    double cells[SIDES][COMPARE_CELLS], limits[COMPARE_CELLS];
    uint32_t n[SIDES];
    bool cpu = row == METRIC_CPU_USAGE;
    double from, to, limit, z, least = cpu ? LEAST_CORES : LEAST_BYTES;
    struct difference *d;

    for (int side = BEFORE; side < SIDES; side++)
        n[side] = known_cells(u, (enum side)side, row, c->cells[side].count,
                              cells[side]);
    z = means_differ(cells[BEFORE], n[BEFORE], cells[NOW], n[NOW]);
    from = mean(cells[BEFORE], n[BEFORE]);
    to = mean(cells[NOW], n[NOW]);
    limit = mean(limits,
                 known_cells(u, NOW, limit_row, c->cells[NOW].count, limits));
    if (fabs(z) < SIGNIFICANT_Z || fabs(to - from) < least ||
        fmax(from, to) < LEAST_TIMES * fmin(from, to) ||
        (limit > 0 && fabs(to - from) < LEAST_OF_LIMIT * limit))
        return true;
    d = difference_add(c, cpu ? "cpu" : "memory",
                       cpu ? "cpuUsage" : "memoryUsage", u->identity);
    if (!d)
        return false;
    difference_set(d, from, to, z);
    d->limit = limit > 0 ? limit : NAN;
    d->score = 0.4 * fmin(log(fmax(from, to) / fmax(fmin(from, to), 1e-9)), 3);
    if (limit > 0 && to > NEAR_LIMIT * limit)
        d->score += 2.5;
    d->score /= z > 0 ? 1 : 4;
    return true;
}

enum status compare_usage(struct comparison *c)
{
    struct usage_list list = {.index.arena = c->request->arena};
    struct usage *usage = arena_zero(c->request->arena, SIDES, sizeof(*usage));
    enum status s = usage ? OK : arena_status(c->request->arena);

    for (int side = BEFORE; s == OK && side < SIDES; side++) {
        s = usage_query_by(c->request, c->resources, &c->cells[side], NULL,
                           true, &usage[side]);
        for (uint32_t i = 0; s == OK && i < usage[side].table.count; i++)
            if (!add_group(c, &list, &usage[side], usage[side].table.groups[i],
                           (enum side)side))
                s = arena_status(c->request->arena);
    }
    for (uint32_t i = 0; s == OK && i < list.count; i++)
        if (!compare_row(c, &list.at[i], METRIC_CPU_USAGE, METRIC_CPU_LIMIT) ||
            !compare_row(c, &list.at[i], METRIC_MEMORY_USAGE,
                         METRIC_MEMORY_LIMIT))
            s = arena_status(c->request->arena);
    return s;
}
