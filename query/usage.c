/*
 * Many metrics measure the same (metric_names.h). The usage of a pod is taken
 * from its best source only: sources are ranked, containers before the whole
 * pod, gauges before counters. The pod of a series is named by the point
 * (Prometheus labels) or by the resource (k8s.pod.name); without either, the
 * resource counts as a pod.
 */
#include "usage.h"

#include "reply_metrics.h"

uint64_t usage_pod(void *arg, uint32_t resource_id)
{
    struct query_request *request = arg;
    struct resource resource;
    struct slice pod;

    if (reader_resource(request->reader, resource_id, request->arena,
                        &resource) != OK)
        return (uint64_t)resource_id << 1;
    pod = attrs_text(&resource.attrs, SLICE("k8s.pod.name"));
    if (pod.len)
        return metric_pod_entity(
            attrs_text(&resource.attrs, SLICE("k8s.namespace.name")), pod);
    pod = attrs_text(&resource.attrs, SLICE("k8s.pod.uid"));
    return pod.len ? metric_pod_entity((struct slice){NULL, 0}, pod)
                   : (uint64_t)resource_id << 1;
}

static void init(struct usage *usage, struct arena *arena,
                 const struct grid *grid, const char *const *by)
{
    struct metric_table *table = &usage->table;

    metric_table_init(table, arena, grid, by);
    for (uint32_t i = 0; i < USAGE_ROWS; i++) {
        usage->rows[i] = (struct metric_expr){
            EXPR_AVERAGE, .select = {.first = (enum metric_meaning)i,
                                     .last = (enum metric_meaning)i,
                                     .pod_labels = true}};
        (void)metric_table_add(table, &usage->rows[i]); /* ten fit */
    }
}

enum status usage_query_by(struct query_request *request,
                           const struct bitmap *resources,
                           const struct grid *grid, const char *const *by,
                           bool by_resource, struct usage *usage)
{
    struct metric_table *table = &usage->table;

    init(usage, request->arena, grid, by);
    table->by_resource = by_resource;
    return read_metrics(request, resources, usage_pod, &table, 1);
}

enum status usage_query_points(struct query_request *request,
                               const struct bitmap *resources,
                               const struct grid *grid, struct usage *usage,
                               point_visit *also, void *arg)
{
    struct metric_table *table = &usage->table;
    struct metric_source source = stored_metrics(request, resources, usage_pod);

    init(usage, request->arena, grid, NULL);
    source.also = also;
    source.also_arg = arg;
    return metric_read(&table, 1, &source);
}

enum status usage_query(struct query_request *request,
                        const struct bitmap *resources, const struct grid *grid,
                        struct usage *usage)
{
    return usage_query_by(request, resources, grid, NULL, false, usage);
}
