/*
 * What a component used and served in each cell of time. A first reading has
 * cells of five minutes or more; where that gives few cells, for there is less
 * data than was asked for, a second one has minutes.
 */
#include <math.h>

#include "array.h"
#include "capacity.h"
#include "clock.h"
#include "cost_read.h"
#include "reply_metrics.h"
#include "usage.h"

enum { FEW_CELLS = 100, PODS_MAX = 2000 };

enum {
    CPU_USED,
    CPU_REQUESTED,
    CPU_LIMITED,
    MEMORY_USED,
    MEMORY_REQUESTED,
    MEMORY_LIMITED,
    USED_LEAVES
};

/* One reading. */
struct capacity_tables {
    struct query_request *request;
    struct grid grid;
    struct red red;
    struct metric_table served, used, pods;
    struct metric_expr rows[USED_LEAVES];
};

static const char *const pod_labels[] = {"pod", "pod_name", "k8s.pod.name",
                                         NULL};

static void init_tables(struct capacity_tables *t)
{
    static const enum metric_meaning meanings[USED_LEAVES] = {
        METRIC_CPU_USAGE,    METRIC_CPU_REQUEST,    METRIC_CPU_LIMIT,
        METRIC_MEMORY_USAGE, METRIC_MEMORY_REQUEST, METRIC_MEMORY_LIMIT};
    struct arena *arena = t->request->arena;

    red_init(&t->red, RED_SERVED);
    red_table_init(&t->served, arena, &t->grid, NULL, &t->red);
    metric_table_init(&t->used, arena, &t->grid, NULL);
    metric_table_init(&t->pods, arena, &t->grid, pod_labels);
    t->pods.by_resource = true;
    for (int i = 0; i < USED_LEAVES; i++) {
        t->rows[i] =
            (struct metric_expr){EXPR_AVERAGE, .select = {.first = meanings[i],
                                                          .last = meanings[i],
                                                          .pod_labels = true}};
        (void)metric_table_add(&t->used, &t->rows[i]); /* six fit */
    }
    (void)metric_table_add(&t->pods, &t->rows[CPU_USED]);
    (void)metric_table_add(&t->pods, &t->rows[MEMORY_USED]);
}

static enum status read_tables(struct capacity_tables *t,
                               const struct bitmap *resources)
{
    struct metric_table *served[] = {&t->served};
    struct metric_table *used[] = {&t->used, &t->pods};
    enum status s;

    init_tables(t);
    s = read_metrics(t->request, resources, NULL, served, 1);
    if (s == OK && !metric_seen(&t->served, &t->red.latency))
        s = red_query_sdk(t->request, resources, &t->grid, &t->red, &t->served);
    return s == OK ? read_metrics(t->request, resources, usage_pod, used, 2)
                   : s;
}

/* ---- pods of each cell ---- */

struct pod_cells {
    uint64_t key;
    bool *there; /* by cell */
};

static uint64_t pod_key(struct capacity_tables *t,
                        const struct metric_group *group)
{
    for (uint32_t i = 0; pod_labels[i]; i++)
        if (metric_label(group, i).len > 0)
            return key_text(1, metric_label(group, i));
    return usage_pod(t->request, group->resource_id);
}

static struct pod_cells *pod_of(struct capacity_tables *t,
                                struct pod_cells **pods, uint32_t *count,
                                uint32_t *room, uint64_t key)
{
    struct arena *arena = t->request->arena;
    struct pod_cells *pod;

    for (uint32_t i = 0; i < *count; i++)
        if ((*pods)[i].key == key)
            return &(*pods)[i];
    pod = *count < PODS_MAX ? arena_append(arena, pods, *count, room) : NULL;
    if (!pod)
        return NULL;
    *pod = (struct pod_cells){key, arena_zero(arena, t->grid.count, 1)};
    return pod->there ? &(*pods)[(*count)++] : NULL;
}

/* How many pods had usage, by cell. */
static uint32_t *count_pods(struct capacity_tables *t)
{
    uint32_t *sums =
        arena_zero(t->request->arena, t->grid.count + 1, sizeof(*sums));
    struct pod_cells *pods = NULL;
    uint32_t count = 0, room = 0;

    for (uint32_t i = 0; sums && i < t->pods.count; i++) {
        const struct metric_group *group = t->pods.groups[i];
        struct pod_cells *pod =
            pod_of(t, &pods, &count, &room, pod_key(t, group));

        for (uint32_t c = 0; pod && c < t->grid.count; c++)
            pod->there[c] |= isfinite(metric_value(&t->pods, group,
                                                   &t->rows[CPU_USED], c)) ||
                             isfinite(metric_value(&t->pods, group,
                                                   &t->rows[MEMORY_USED], c));
    }
    for (uint32_t i = 0; sums && i < count; i++)
        for (uint32_t c = 0; c < t->grid.count; c++)
            sums[c] += pods[i].there[c];
    return sums;
}

/* ---- cells ---- */

static double last_known(const struct capacity_tables *t,
                         const struct metric_group *total, int row)
{
    for (uint32_t c = t->grid.count; c-- > 0;) {
        double value = metric_value(&t->used, total, &t->rows[row], c);

        if (isfinite(value) && value > 0)
            return value;
    }
    return NAN;
}

static void read_limits(struct capacity_tables *t,
                        const struct metric_group *used,
                        struct capacity_cells *cells)
{
    cells->limits[0] = last_known(t, used, CPU_LIMITED);
    cells->limits[1] = last_known(t, used, MEMORY_LIMITED);
    cells->requests[0] = last_known(t, used, CPU_REQUESTED);
    cells->requests[1] = last_known(t, used, MEMORY_REQUESTED);
    cells->has_usage[0] = metric_seen(&t->used, &t->rows[CPU_USED]);
    cells->has_usage[1] = metric_seen(&t->used, &t->rows[MEMORY_USED]);
}

static bool fill_cell(struct capacity_tables *t, uint32_t c,
                      const struct metric_group *served,
                      const struct metric_group *used,
                      struct capacity_cell *cell)
{
    const struct red *red = &t->red;
    double requests = metric_value(&t->served, served, red->requests, c);
    double errors = metric_value(&t->served, served, &red->errors, c);
    double seconds = grid_seconds(&t->grid, c);

    cell->hours = (double)c * (double)t->grid.step_ns / (double)NS_PER_HOUR;
    cell->rate = requests / seconds;
    cell->values[CAPACITY_CPU] =
        cost_amount(&t->used, used, &t->rows[CPU_USED], c);
    cell->values[CAPACITY_MEMORY] =
        cost_amount(&t->used, used, &t->rows[MEMORY_USED], c);
    cell->values[CAPACITY_LATENCY] =
        metric_value(&t->served, served, &red->rows[RED_P99], c);
    cell->values[CAPACITY_ERRORS] =
        requests > 0 ? (isfinite(errors) ? errors / requests : 0) : NAN;
    /* The last cell may be incomplete. */
    return requests > 0 &&
           seconds * (double)NS_PER_S >= (double)t->grid.step_ns;
}

/* As if all cells had as many pods as the last one. */
static void scale(struct capacity_cells *cells)
{
    for (uint32_t i = cells->count; i-- > 0 && cells->pods == 0;)
        cells->pods = cells->at[i].pods;
    for (uint32_t i = 0; i < cells->count; i++) {
        struct capacity_cell *cell = &cells->at[i];

        if (cell->pods == 0 || cell->pods == cells->pods)
            continue;
        double factor = (double)cells->pods / cell->pods;
        cell->rate *= factor;
        cell->values[CAPACITY_CPU] *= factor;
        cell->values[CAPACITY_MEMORY] *= factor;
    }
}

static enum status fill(struct capacity_tables *t, struct capacity_cells *cells)
{
    struct metric_group *served = metric_total(&t->served);
    struct metric_group *used = metric_total(&t->used);
    uint32_t *pods = count_pods(t);

    *cells = (struct capacity_cells){.step_seconds = (double)t->grid.step_ns /
                                                     (double)NS_PER_S};
    cells->at =
        arena_zero(t->request->arena, t->grid.count + 1, sizeof(*cells->at));
    if (!served || !used || !pods || !cells->at)
        return arena_status(t->request->arena);
    for (uint32_t c = 0; c < t->grid.count; c++) {
        struct capacity_cell *cell = &cells->at[cells->count];

        *cell = (struct capacity_cell){.pods = pods[c]};
        cells->count += fill_cell(t, c, served, used, cell);
    }
    read_limits(t, used, cells);
    scale(cells);
    return OK;
}

static enum status read_with(struct query_request *request,
                             const struct bitmap *resources, uint64_t start_ns,
                             uint64_t end_ns, uint64_t step_ns,
                             struct capacity_cells *cells)
{
    struct capacity_tables *t = arena_zero(request->arena, 1, sizeof(*t));
    enum status s;

    if (!t)
        return arena_status(request->arena);
    t->request = request;
    t->grid = grid_make(start_ns, end_ns, step_ns, request->now_ns);
    s = read_tables(t, resources);
    return s == OK ? fill(t, cells) : s;
}

enum status capacity_read(struct query_request *request,
                          const struct scope_filter *scope, uint64_t start_ns,
                          uint64_t end_ns, struct capacity_cells *cells)
{
    uint64_t step_ns =
        end_ns - start_ns > 7 * NS_PER_DAY ? 15 * NS_PER_MIN : 5 * NS_PER_MIN;
    const struct bitmap *resources;
    enum status s = params_select(request, scope, &resources);

    if (s == OK)
        s = read_with(request, resources, start_ns, end_ns, step_ns, cells);
    if (s != OK || cells->count == 0 || cells->count >= FEW_CELLS)
        return s;
    /* From the first cell to the one after the last. */
    const uint64_t first = start_ns / step_ns * step_ns;
    uint64_t from =
        first + (uint64_t)(cells->at[0].hours * (double)NS_PER_HOUR);
    uint64_t to =
        first + 2 * step_ns +
        (uint64_t)(cells->at[cells->count - 1].hours * (double)NS_PER_HOUR);

    return read_with(request, resources, from > start_ns ? from : start_ns,
                     to < end_ns ? to : end_ns, NS_PER_MIN, cells);
}
