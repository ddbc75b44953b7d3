/*
 * Type, help and unit of families: of what was sent in the last day, and of
 * derived series.
 */
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "prom_names.h"
#include "selection.h"

/* clang-format off */
static const struct prometheus_metadata derived[] = {
    {SLICE_INIT("callboard_requests_total"), "counter",
     SLICE_INIT("Requests that a component served."), SLICE_INIT("")},
    {SLICE_INIT("callboard_request_errors_total"), "counter",
     SLICE_INIT("Requests that failed."), SLICE_INIT("")},
    {SLICE_INIT("callboard_request_client_errors_total"), "counter",
     SLICE_INIT("Requests that were answered with HTTP 4xx."), SLICE_INIT("")},
    {SLICE_INIT("callboard_request_duration_seconds"), "histogram",
     SLICE_INIT("Durations of requests that a component served."),
     SLICE_INIT("seconds")},
    {SLICE_INIT("callboard_call_requests_total"), "counter",
     SLICE_INIT("Calls between a component and a peer."), SLICE_INIT("")},
    {SLICE_INIT("callboard_call_errors_total"), "counter",
     SLICE_INIT("Calls that failed."), SLICE_INIT("")},
    {SLICE_INIT("callboard_call_client_errors_total"), "counter",
     SLICE_INIT("Calls that were answered with HTTP 4xx."), SLICE_INIT("")},
    {SLICE_INIT("callboard_call_duration_seconds"), "histogram",
     SLICE_INIT("Durations of calls between a component and a peer."),
     SLICE_INIT("seconds")},
    {SLICE_INIT("callboard_log_records_total"), "counter",
     SLICE_INIT("Log records, by level and template."), SLICE_INIT("")},
    {SLICE_INIT("callboard_records_total"), "counter",
     SLICE_INIT("Records received, by signal."), SLICE_INIT("")},
    {SLICE_INIT("traces_service_graph_request_total"), "counter",
     SLICE_INIT("Calls between two nodes of the service graph."),
     SLICE_INIT("")},
    {SLICE_INIT("traces_service_graph_request_failed_total"), "counter",
     SLICE_INIT("Calls between two nodes that failed."), SLICE_INIT("")},
    {SLICE_INIT("traces_service_graph_request_client_seconds"), "histogram",
     SLICE_INIT("Durations of calls as the client saw them."),
     SLICE_INIT("seconds")},
    {SLICE_INIT("traces_service_graph_request_server_seconds"), "histogram",
     SLICE_INIT("Durations of calls as the server saw them."),
     SLICE_INIT("seconds")},
    {SLICE_INIT("target_info"), "gauge",
     SLICE_INIT("Attributes of a resource."), SLICE_INIT("")},
};
/* clang-format on */
enum { DERIVED = sizeof(derived) / sizeof(*derived) };

struct metadata_list {
    struct arena *arena;
    struct slice wanted;
    struct prometheus_metadata *at;
    uint32_t count, room;
    struct map index, seen; /* by name; by metric as it is sent */
    uint64_t *keys;
    uint32_t key_count, key_room;
};

static void add(struct metadata_list *list,
                const struct prometheus_metadata *metadata)
{
    uint32_t hash = map_hash_slice(metadata->name);
    struct prometheus_metadata *slot;

    if (list->wanted.len > 0 && !slice_equal(list->wanted, metadata->name))
        return;
    map_each(&list->index, hash, at)
        if (slice_equal(list->at[at].name, metadata->name))
            return;
    list->index.arena = list->arena;
    slot = arena_append(list->arena, &list->at, list->count, &list->room);
    if (!slot || !map_add(&list->index, hash, list->count))
        return;
    *slot = (struct prometheus_metadata){
        arena_copy(list->arena, metadata->name), metadata->type,
        arena_copy(list->arena, metadata->help),
        arena_copy(list->arena, metadata->unit)};
    list->count++;
}

static bool is_new(struct metadata_list *list, const struct metric *metric)
{
    uint64_t key = hash_bytes(metric->name.ptr, metric->name.len, metric->type);
    uint64_t *slot;

    key = hash_bytes(metric->unit.ptr, metric->unit.len, key);
    map_each(&list->seen, map_hash(key), at)
        if (list->keys[at] == key)
            return false;
    list->seen.arena = list->arena;
    slot = arena_append(list->arena, &list->keys, list->key_count,
                        &list->key_room);
    if (!slot || !map_add(&list->seen, map_hash(key), list->key_count))
        return false;
    *slot = key;
    list->key_count++;
    return true;
}

static const char *type_of(const struct metric *metric)
{
    switch (metric->type) {
    case METRIC_GAUGE:
        return "gauge";
    case METRIC_SUM:
        return metric->monotonic ? "counter" : "gauge";
    case METRIC_SUMMARY:
        return "summary";
    default:
        return "histogram";
    }
}

/* Looks at a metric; none of its series is read. */
static bool look(void *arg, const struct metric *metric)
{
    struct metadata_list *list = arg;

    if (is_new(list, metric)) {
        const struct prometheus_metadata metadata = {
            prom_metric_name(metric, list->arena), type_of(metric),
            metric->description, prom_unit(metric->unit, list->arena)};

        add(list, &metadata);
    }
    return false;
}

static void no_point(void *arg, const struct point *point)
{
    (void)arg;
    (void)point;
}

static int by_name(const void *left, const void *right)
{
    const struct prometheus_metadata *a = left, *b = right;

    return slice_compare(a->name, b->name);
}

enum status prometheus_metadata(struct prometheus_source *source,
                                struct slice metric, uint32_t limit,
                                const struct prometheus_metadata **metadata,
                                uint32_t *count)
{
    static const struct scope_filter all = {.unassigned = false};
    struct query_request *request = source->request;
    struct metadata_list list = {.arena = request->arena, .wanted = metric};
    struct series_query query = {
        .start_ns =
            request->now_ns > NS_PER_DAY ? request->now_ns - NS_PER_DAY : 0,
        .end_ns = request->now_ns + NS_PER_HOUR,
        .resources = registry_select(request->services->registry, &all,
                                     &request->viewer, request->arena),
        .sent = true,
        .wants_metric = look,
    };
    enum status status;

    if (!query.resources)
        return arena_status(request->arena);
    for (int i = 0; i < DERIVED; i++)
        add(&list, &derived[i]);
    status = reader_query_series(request->reader, &query, no_point, &list);
    if (list.count > 1)
        qsort(list.at, list.count, sizeof(*list.at), by_name);
    *metadata = list.at;
    *count = limit > 0 && list.count > limit ? limit : list.count;
    return status != OK ? status : arena_status(request->arena);
}
