/* What right-sizing needs of a slice; see cost_sizes.h. */
#include "cost_sizes.h"

#include <math.h>

#include "clock.h"

#define MEANING(op, meaning)    \
    {                           \
        op, .select = {         \
            .first = (meaning), \
            .last = (meaning),  \
            .pod_labels = true  \
        }                       \
    }
#define NAMED(op, text, ...)                                   \
    {                                                          \
        op, .select = {                                        \
            .names = (const struct slice[]){SLICE_INIT(text)}, \
            .name_count = 1,                                   \
            .pod_labels = true,                                \
            __VA_ARGS__                                        \
        }                                                      \
    }

static const struct metric_expr usages[PRICE_KINDS] = {
    MEANING(EXPR_AVERAGE, METRIC_CPU_USAGE),
    MEANING(EXPR_AVERAGE, METRIC_MEMORY_USAGE)};
static const struct metric_expr requests[PRICE_KINDS] = {
    MEANING(EXPR_AVERAGE, METRIC_CPU_REQUEST),
    MEANING(EXPR_AVERAGE, METRIC_MEMORY_REQUEST)};
static const struct metric_expr limits[PRICE_KINDS] = {
    MEANING(EXPR_AVERAGE, METRIC_CPU_LIMIT),
    MEANING(EXPR_AVERAGE, METRIC_MEMORY_LIMIT)};
static const struct metric_expr restarts =
    MEANING(EXPR_INCREASE, METRIC_RESTARTS);

static const struct metric_expr periods =
    NAMED(EXPR_INCREASE, "container_cpu_cfs_periods_total", .label = {0});
static const struct metric_expr throttled = NAMED(
    EXPR_INCREASE, "container_cpu_cfs_throttled_periods_total", .label = {0});
static const struct metric_expr oom_events =
    NAMED(EXPR_INCREASE, "container_oom_events_total", .label = {0});
static const struct metric_expr terminated =
    NAMED(EXPR_AVERAGE, "kube_pod_container_status_last_terminated_reason",
          .label = SLICE_INIT("reason"), .value = SLICE_INIT("OOMKilled"));

enum { USAGE, SETTINGS, FAULTS };

static const struct metric_expr *const leaves[COST_SIZE_TABLES][5] = {
    [USAGE] = {&usages[PRICE_CPU], &usages[PRICE_MEMORY]},
    [SETTINGS] = {&requests[PRICE_CPU], &requests[PRICE_MEMORY],
                  &limits[PRICE_CPU], &limits[PRICE_MEMORY], &restarts},
    [FAULTS] = {&periods, &throttled, &oom_events, &terminated}};

void cost_sizes_init(struct cost_sizes *sizes, struct cost_report *report,
                     struct arena *scratch, const struct grid *grid,
                     const char *const *by, struct metric_table **tables)
{
    *sizes = (struct cost_sizes){.report = report, .fine = *grid};
    sizes->fine.step_ns = 5 * NS_PER_MIN;
    sizes->fine.count = grid->count * 12;
    for (int i = 0; i < COST_SIZE_TABLES; i++) {
        const struct grid *of = i == USAGE ? &sizes->fine : grid;
        struct metric_table *raw = &sizes->raw[i], *to = &sizes->to[i];

        metric_table_init(raw, scratch, of, by);
        metric_table_init(to, scratch, of, NULL);
        for (int leaf = 0; leaf < 5 && leaves[i][leaf]; leaf++)
            (void)(metric_table_add(raw, leaves[i][leaf]) && /* five fit */
                   metric_table_add(to, leaves[i][leaf]));
        sizes->reading[i] = (struct cost_tables){report, scratch, to};
        raw->by_resource = true;
        raw->sums = to;
        raw->target = cost_pod_of;
        raw->target_arg = &sizes->reading[i];
        tables[i] = raw;
    }
}

static void add_usage(struct sizing *sizing, const struct metric_table *table,
                      const struct metric_group *group)
{
    double limit = sizing->current.limit[PRICE_MEMORY];

    for (int kind = 0; kind < PRICE_KINDS; kind++)
        for (uint32_t cell = 0; cell < table->grid.count; cell++) {
            double value = cost_amount(table, group, &usages[kind], cell);

            usage_sizes_add(&sizing->usage[kind], (enum price_of)kind, value);
            if (kind == PRICE_MEMORY && limit > 0 && value > 0.9 * limit)
                sizing->above_limit++;
        }
}

/* The newest counts. */
static void take_setting(const struct metric_table *table,
                         const struct metric_group *group,
                         const struct metric_expr *expr, double *value,
                         uint64_t *seen_ns)
{
    for (uint32_t cell = table->grid.count; cell-- > 0;) {
        double found = cost_amount(table, group, expr, cell);
        uint64_t time = grid_time(&table->grid, cell) + 1;

        if (isnan(found) || time < *seen_ns)
            continue;
        if (time > *seen_ns || found > *value) /* of several: the largest */
            *value = found;
        *seen_ns = time;
        return;
    }
}

static double sum_of(const struct metric_table *table,
                     const struct metric_group *group,
                     const struct metric_expr *expr)
{
    double sum = 0;

    for (uint32_t cell = 0; cell < table->grid.count; cell++) {
        double value = metric_value(table, group, expr, cell);

        sum += isnan(value) ? 0 : value;
    }
    return sum;
}

static void add_settings(struct sizing *sizing, const struct metric_table *t,
                         const struct metric_group *group)
{
    for (int kind = 0; kind < PRICE_KINDS; kind++) {
        take_setting(t, group, &requests[kind], &sizing->current.request[kind],
                     &sizing->request_ns[kind]);
        take_setting(t, group, &limits[kind], &sizing->current.limit[kind],
                     &sizing->limit_ns[kind]);
    }
    sizing->restarts += sum_of(t, group, &restarts);
}

/* A kill that is told of as the last one may have been before the window. */
static void add_faults(struct sizing *sizing, const struct metric_table *t,
                       const struct metric_group *group)
{
    double kills = sum_of(t, group, &oom_events);

    sizing->periods += sum_of(t, group, &periods);
    sizing->throttled += sum_of(t, group, &throttled);
    if (kills <= 0 && sum_of(t, group, &terminated) > 0)
        kills = 1;
    sizing->oom_kills += kills;
}

void cost_sizes_add(struct cost_sizes *sizes)
{
    static void (*const add[])(struct sizing *, const struct metric_table *,
                               const struct metric_group *) = {
        [USAGE] = add_usage, [SETTINGS] = add_settings, [FAULTS] = add_faults};
    static const int order[] = {SETTINGS, USAGE, FAULTS};

    for (int i = 0; i < COST_SIZE_TABLES; i++) {
        const struct metric_table *table = &sizes->to[order[i]];

        for (uint32_t g = 0; g < table->count; g++) {
            const struct cost_pod *pod = table->groups[g]->item;

            add[order[i]](sizes->report->components[pod->component].sizing,
                          table, table->groups[g]);
        }
    }
}
