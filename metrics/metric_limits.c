#include "metric_limits.h"

/* clang-format off */
static const struct metric_limit limits[] = {
    {"k8s.pod.cpu_limit_utilization", "cpu", "CPU", LIMIT_SHARE, 0},
    {"k8s.pod.memory_limit_utilization", "memory", "memory", LIMIT_SHARE, 0},
    {"k8s.container.cpu_limit_utilization", "cpu", "CPU", LIMIT_SHARE, 0},
    {"k8s.container.memory_limit_utilization", "memory", "memory", LIMIT_SHARE, 0},
    {"container.cpu.usage", "cpu", "CPU", LIMIT_USED, 1},
    {"k8s.container.cpu_limit", "cpu", "CPU", LIMIT_TOTAL, 1},
    {"container.memory.working_set", "memory", "memory", LIMIT_USED, 2},
    {"k8s.container.memory_limit", "memory", "memory", LIMIT_TOTAL, 2},
    {"jvm.memory.used", "memory", "heap", LIMIT_USED, 3},
    {"jvm.memory.limit", "memory", "heap", LIMIT_TOTAL, 3},
    {"container.filesystem.usage", "disk", "disk", LIMIT_USED, 4},
    {"container.filesystem.capacity", "disk", "disk", LIMIT_TOTAL, 4},
    {"k8s.pod.filesystem.usage", "disk", "disk", LIMIT_USED, 5},
    {"k8s.pod.filesystem.capacity", "disk", "disk", LIMIT_TOTAL, 5},
    {"system.filesystem.utilization", "disk", "disk", LIMIT_SHARE, 0},
    {"db.client.connection.count", "pool", "connections", LIMIT_USED, 6},
    {"db.client.connection.max", "pool", "connections", LIMIT_TOTAL, 6},
    {"db.client.connections.usage", "pool", "connections", LIMIT_USED, 7},
    {"db.client.connections.max", "pool", "connections", LIMIT_TOTAL, 7},
};
/* clang-format on */

enum { LIMITS = sizeof(limits) / sizeof(*limits) };

const struct metric_limit *metric_limit_find(struct slice name)
{
    for (size_t i = 0; i < LIMITS; i++)
        if (slice_equal(name, slice_of(limits[i].name)))
            return &limits[i];
    return NULL;
}

const struct slice *metric_limit_names(struct arena *arena, uint32_t *count)
{
    struct slice *names = arena_alloc(arena, LIMITS * sizeof(*names));

    *count = LIMITS;
    for (size_t i = 0; names && i < LIMITS; i++)
        names[i] = slice_of(limits[i].name);
    return names;
}
