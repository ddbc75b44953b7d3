#include "metric_limits.h"

/* clang-format off */
static const struct metric_limit limits[] = {
    {"k8s.pod.cpu_limit_utilization", "cpu", "CPU", LIMIT_SHARE, 0, NULL},
    {"k8s.pod.memory_limit_utilization", "memory", "memory", LIMIT_SHARE, 0, NULL},
    {"k8s.container.cpu_limit_utilization", "cpu", "CPU", LIMIT_SHARE, 0, NULL},
    {"k8s.container.memory_limit_utilization", "memory", "memory", LIMIT_SHARE, 0, NULL},
    {"container.cpu.usage", "cpu", "CPU", LIMIT_USED, 1, NULL},
    {"k8s.container.cpu_limit", "cpu", "CPU", LIMIT_TOTAL, 1, NULL},
    {"container.memory.working_set", "memory", "memory", LIMIT_USED, 2, NULL},
    {"k8s.container.memory_limit", "memory", "memory", LIMIT_TOTAL, 2, NULL},
    {"jvm.memory.used", "memory", "heap", LIMIT_USED, 3, NULL},
    {"jvm.memory.limit", "memory", "heap", LIMIT_TOTAL, 3, NULL},
    {"container.filesystem.usage", "disk", "disk", LIMIT_USED, 4, NULL},
    {"container.filesystem.capacity", "disk", "disk", LIMIT_TOTAL, 4, NULL},
    {"k8s.pod.filesystem.usage", "disk", "disk", LIMIT_USED, 5, NULL},
    {"k8s.pod.filesystem.capacity", "disk", "disk", LIMIT_TOTAL, 5, NULL},
    {"system.filesystem.utilization", "disk", "disk", LIMIT_SHARE, 0, NULL},
    {"db.client.connection.count", "pool", "connections", LIMIT_USED, 6, NULL},
    {"db.client.connection.max", "pool", "connections", LIMIT_TOTAL, 6, NULL},
    {"db.client.connections.usage", "pool", "connections", LIMIT_USED, 7, NULL},
    {"db.client.connections.max", "pool", "connections", LIMIT_TOTAL, 7, NULL},
    {"jvm.memory.max", "memory", "heap", LIMIT_TOTAL, 3, NULL},
    {"container_cpu_cfs_throttled_periods_total", "cpu", "CPU throttling", LIMIT_USED, 8, "its periods"},
    {"container_cpu_cfs_periods_total", "cpu", "CPU throttling", LIMIT_TOTAL, 8, "its periods"},
    {"container.cpu.throttling_data.throttled_periods", "cpu", "CPU throttling", LIMIT_USED, 9, "its periods"},
    {"container.cpu.throttling_data.periods", "cpu", "CPU throttling", LIMIT_TOTAL, 9, "its periods"},
    {"k8s.volume.available", "disk", "the volume", LIMIT_LEFT, 10, "its capacity"},
    {"k8s.volume.capacity", "disk", "the volume", LIMIT_TOTAL, 10, "its capacity"},
    {"kubelet_volume_stats_available_bytes", "disk", "the volume", LIMIT_LEFT, 11, "its capacity"},
    {"kubelet_volume_stats_capacity_bytes", "disk", "the volume", LIMIT_TOTAL, 11, "its capacity"},
    {"container_memory_working_set_bytes", "memory", "memory", LIMIT_USED, 12, NULL},
    {"container_spec_memory_limit_bytes", "memory", "memory", LIMIT_TOTAL, 12, NULL},
    {"container_fs_usage_bytes", "disk", "disk", LIMIT_USED, 13, NULL},
    {"container_fs_limit_bytes", "disk", "disk", LIMIT_TOTAL, 13, NULL},
    {"hikaricp.connections.active", "pool", "connections", LIMIT_USED, 14, NULL},
    {"hikaricp.connections.max", "pool", "connections", LIMIT_TOTAL, 14, NULL},
    {"hikaricp_connections_active", "pool", "connections", LIMIT_USED, 15, NULL},
    {"hikaricp_connections_max", "pool", "connections", LIMIT_TOTAL, 15, NULL},
    {"jvm_memory_used_bytes", "memory", "heap", LIMIT_USED, 16, NULL},
    {"jvm_memory_max_bytes", "memory", "heap", LIMIT_TOTAL, 16, NULL},
    {"tomcat.threads.busy", "pool", "busy threads", LIMIT_USED, 17, NULL},
    {"tomcat.threads.config.max", "pool", "busy threads", LIMIT_TOTAL, 17, NULL},
    {"tomcat_threads_busy_threads", "pool", "busy threads", LIMIT_USED, 18, NULL},
    {"tomcat_threads_config_max_threads", "pool", "busy threads", LIMIT_TOTAL, 18, NULL},
    {"jetty.threads.busy", "pool", "busy threads", LIMIT_USED, 19, NULL},
    {"jetty.threads.config.max", "pool", "busy threads", LIMIT_TOTAL, 19, NULL},
    {"executor.active", "pool", "busy threads", LIMIT_USED, 20, NULL},
    {"executor.pool.max", "pool", "busy threads", LIMIT_TOTAL, 20, NULL},
    {"process_open_fds", "files", "open files", LIMIT_USED, 21, NULL},
    {"process_max_fds", "files", "open files", LIMIT_TOTAL, 21, NULL},
    {"process_files_open_files", "files", "open files", LIMIT_USED, 22, NULL},
    {"process_files_max_files", "files", "open files", LIMIT_TOTAL, 22, NULL},
    {"postgresql.backends", "pool", "connections", LIMIT_USED, 23, NULL},
    {"postgresql.connection.max", "pool", "connections", LIMIT_TOTAL, 23, NULL},
    {"mysql_global_status_threads_connected", "pool", "connections", LIMIT_USED, 24, NULL},
    {"mysql_global_variables_max_connections", "pool", "connections", LIMIT_TOTAL, 24, NULL},
    {"redis_connected_clients", "pool", "connections", LIMIT_USED, 25, NULL},
    {"redis_config_maxclients", "pool", "connections", LIMIT_TOTAL, 25, NULL},
    {"redis.memory.used", "memory", "memory", LIMIT_USED, 26, NULL},
    {"redis.maxmemory", "memory", "memory", LIMIT_TOTAL, 26, NULL},
    {"redis_memory_used_bytes", "memory", "memory", LIMIT_USED, 27, NULL},
    {"redis_memory_max_bytes", "memory", "memory", LIMIT_TOTAL, 27, NULL},
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
