/* Log errors, pods and the newest change of many components: log errors from
 * derived series, pods from metrics of CPU and memory, changes from events. */
#include "component_details.h"

#include <math.h>

#include "array.h"
#include "clock.h"
#include "derived.h"
#include "event_reply.h"
#include "metric_names.h"
#include "reply_metrics.h"

/* The newest of all components together; a rollout of a thousand makes two or
 * three each. */
enum { CHANGES_MAX = 4000 };

/* Changes of a component that are no further apart are one rollout. */
#define ROLLOUT_NS (10 * NS_PER_MIN)

static const struct reply_table last_change_table = REPLY_TABLE(
    struct last_change, REPLY_TIME(struct last_change, "timestamp", time_ns),
    REPLY(struct last_change, "kind", kind),
    REPLY_OPTIONAL(struct last_change, "to", to));

const struct reply_table details_table = REPLY_TABLE(
    struct details_view,
    REPLY_ROW_OF(struct details_view, "logErrors", log_errors, const double *,
                 REPLY_TYPE_DOUBLE, REPLY_POINTER, NULL),
    REPLY_ROW_OF(struct details_view, "pods", pods, const uint32_t *,
                 REPLY_TYPE_UINT32, REPLY_POINTER, NULL),
    REPLY_OBJECT(struct details_view, "lastChange", change, REPLY_POINTER,
                 &last_change_table));

enum status details_params(struct query_request *request,
                           const struct scope_filter *scope,
                           struct component_details *details)
{
    if (params_query_bool(request, "details", &details->wanted) != OK ||
        !details->wanted)
        return request->failed;
    details->logs = part_access(request, ACTION_LOGS_VIEW, scope);
    details->events = part_access(request, ACTION_EVENTS_VIEW, scope);
    return request->failed; /* a decision may be awaited */
}

static const struct component_detail *find_detail(
    const struct component_details *details, uint64_t key)
{
    map_each(&details->index, map_hash_number(key), at)
        if (details->list[at].key == key)
            return &details->list[at];
    return NULL;
}

/* The entry with this key, made if there is none. NULL: the arena is full. */
static struct component_detail *detail_at(struct component_details *details,
                                          uint64_t key)
{
    struct component_detail *last;

    map_each(&details->index, map_hash_number(key), at)
        if (details->list[at].key == key)
            return &details->list[at];
    last = arena_append(details->index.arena, &details->list, details->count,
                        &details->room);
    if (!last ||
        !map_add(&details->index, map_hash_number(key), details->count))
        return NULL;
    *last = (struct component_detail){.key = key};
    details->count++;
    return last;
}

/* ---- log errors ---- */

static struct metric_expr logged(const struct slice *name, struct slice level)
{
    return (struct metric_expr){EXPR_INCREASE,
                                .select = {.names = name,
                                           .name_count = 1,
                                           .label = SLICE(DERIVED_LEVEL),
                                           .value = level}};
}

static enum status read_log_errors(struct component_details *details,
                                   struct query_request *request,
                                   const struct bitmap *resources,
                                   const struct window *window, uint64_t steps)
{
    static const struct slice logs = SLICE_INIT(DERIVED_LOGS);
    struct metric_table *shown[] = {&details->now, &details->before,
                                    &details->spark};
    const struct grid grids[] = {
        window->now, window->before,
        spark_grid(window, steps ? steps : 1, request->now_ns)};
    struct component_sums sums[3];
    struct metric_table *tables[3];
    uint32_t count = steps > 0 && grids[2].count > 0 ? 3 : 2;

    details->error = logged(&logs, SLICE("ERROR"));
    details->fatal = logged(&logs, SLICE("FATAL"));
    details->errors = (struct metric_expr){
        EXPR_ADD, .args = {&details->error, &details->fatal}};
    details->error_rate =
        (struct metric_expr){EXPR_PER_SECOND, .args = {&details->errors}};
    for (uint32_t i = 0; i < 3; i++) {
        metric_table_init(shown[i], request->arena, &grids[i], NULL);
        (void)metric_table_add(shown[i], &details->errors); /* two leaves */
        component_sums_init(&sums[i], request, shown[i]);
        tables[i] = &sums[i].resources;
    }
    return read_metrics(request, resources, NULL, tables, count);
}

/* ---- pods ---- */

struct pod_reading {
    struct component_details *details;
    struct query_request *request;
    uint64_t start_ns, end_ns;
    bool counted;   /* the pod of this series */
    uint64_t *seen; /* hashes of components and their pods */
    struct map index;
    uint32_t count, room;
};

static void next_series(void *arg)
{
    ((struct pod_reading *)arg)->counted = false;
}

static bool is_new_pod(struct pod_reading *r, uint64_t pod)
{
    uint64_t *last;

    map_each(&r->index, map_hash_number(pod), at)
        if (r->seen[at] == pod)
            return false;
    last = arena_append(r->request->arena, &r->seen, r->count, &r->room);
    if (!last || !map_add(&r->index, map_hash_number(pod), r->count))
        return false;
    *last = pod;
    r->count++;
    return true;
}

static void visit_pod(void *arg, const struct point *point)
{
    struct pod_reading *r = arg;
    const struct resource_info *resource;
    struct component_detail *detail;
    struct slice pod;
    uint64_t key;

    if (r->counted || point->time_ns < r->start_ns ||
        point->time_ns >= r->end_ns)
        return;
    r->counted = true;
    resource = reply_resource(r->request, point->resource_id);
    if (!resource || resource->identity.component.len == 0)
        return;
    pod = metric_labelled_pod(&point->attrs).name;
    if (pod.len == 0)
        pod = attrs_text(&resource->resource.attrs, SLICE("k8s.pod.name"));
    key = key_identity(1, &resource->identity);
    if (!is_new_pod(r, pod.len > 0 ? key_text(key, pod)
                                   : hash_mix(key, point->resource_id)))
        return;
    detail = detail_at(r->details, key);
    if (detail && pod.len > 0)
        detail->pods++;
    else if (detail)
        detail->instances++;
}

static enum status read_pods(struct component_details *details,
                             struct query_request *request,
                             const struct bitmap *resources,
                             const struct window *window)
{
    struct pod_reading reading = {.details = details,
                                  .request = request,
                                  .start_ns = window->start_ns,
                                  .end_ns = window->end_ns,
                                  .index = {.arena = request->arena}};
    struct series_query query = {.start_ns = window->start_ns,
                                 .end_ns = window->end_ns,
                                 .resources = resources,
                                 .series = next_series};
    enum metric_meaning meanings[] = {METRIC_CPU_USAGE, METRIC_MEMORY_USAGE};

    for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++) {
        enum status s;

        query.names = metric_names_of(meanings[i], meanings[i], request->arena,
                                      &query.name_count);
        if (!query.names)
            return arena_status(request->arena);
        s = reader_query_series(request->reader, &query, visit_pod, &reading);
        if (s != OK)
            return query_fail_read(request, s);
    }
    return OK;
}

/* ---- changes ---- */

/* What says most about a rollout, which brings several. */
static int change_rank(struct slice kind)
{
    static const struct slice kinds[] = {
        SLICE_INIT("version"), SLICE_INIT("image"), SLICE_INIT("release")};
    int rank = 0;

    while (rank < 3 && !slice_equal(kind, kinds[rank]))
        rank++;
    return rank;
}

/* Changes come newest first. */
static void keep_change(struct component_details *details,
                        struct query_request *request,
                        const struct log_record *log)
{
    const struct resource_info *resource =
        reply_resource(request, log->resource_id);
    struct component_detail *detail =
        resource && resource->identity.component.len > 0
            ? detail_at(details, key_identity(1, &resource->identity))
            : NULL;
    struct change_item change;

    if (!detail || (detail->newest_ns > 0 &&
                    detail->newest_ns - log->time_ns > ROLLOUT_NS))
        return;
    change_item_fill(&change, request, log);
    if (detail->newest_ns == 0)
        detail->newest_ns = change.time_ns;
    else if (change_rank(change.kind) >= change_rank(detail->change.kind))
        return;
    detail->change =
        (struct last_change){change.time_ns, change.kind,
                             change.to.len > 0 ? change.to : change.release};
}

static enum status read_changes(struct component_details *details,
                                struct query_request *request,
                                const struct bitmap *resources,
                                const struct window *window)
{
    static const struct attr_match kinds[] = {
        {SLICE_INIT(DERIVED_CHANGE_KIND), SLICE_INIT("version")},
        {SLICE_INIT(DERIVED_CHANGE_KIND), SLICE_INIT("image")},
        {SLICE_INIT(DERIVED_CHANGE_KIND), SLICE_INIT("pod-template")},
        {SLICE_INIT(DERIVED_CHANGE_KIND), SLICE_INIT("release")}};
    const struct log_query query = {.start_ns = window->start_ns,
                                    .end_ns = window->end_ns,
                                    .resources = resources,
                                    .events = true,
                                    .any = kinds,
                                    .any_count = sizeof(kinds) / sizeof(*kinds),
                                    .limit = CHANGES_MAX};
    struct log_record *changes;
    uint64_t total;
    uint32_t count;
    enum status s = reader_query_logs(request->reader, &query, request->arena,
                                      &changes, &count, &total);

    if (s != OK)
        return query_fail_read(request, s);
    for (uint32_t i = 0; i < count; i++)
        keep_change(details, request, &changes[i]);
    return OK;
}

enum status details_read(struct component_details *details,
                         struct query_request *request,
                         const struct bitmap *resources,
                         const struct window *window, uint64_t steps)
{
    enum status s;

    details->index.arena = request->arena;
    s = read_log_errors(details, request, resources, window, steps);
    if (s == OK)
        s = read_pods(details, request, resources, window);
    if (s == OK)
        s = read_changes(details, request, resources, window);
    return s == OK ? arena_status(request->arena) : s;
}

/* ---- answering ---- */

void details_view(const struct component_details *details,
                  const struct identity *identity, uint64_t key,
                  struct details_view *view)
{
    const struct component_detail *detail = find_detail(details, key);

    *view = (struct details_view){
        .of_log_errors =
            metric_first(&details->now, metric_group_find(&details->now, key),
                         &details->errors),
        .of_log_errors_before = metric_first(
            &details->before, metric_group_find(&details->before, key),
            &details->errors)};
    if (part_is_seen(&details->logs, identity)) {
        view->log_errors = &view->of_log_errors;
        view->log_errors_before = &view->of_log_errors_before;
    }
    view->pods = &view->of_pods;
    if (!detail)
        return;
    view->of_pods = detail->pods ? detail->pods : detail->instances;
    view->of_change = detail->change;
    if (detail->change.time_ns > 0 && part_is_seen(&details->events, identity))
        view->change = &view->of_change;
}

/* No records are no errors. */
void details_spark(const struct component_details *details, uint64_t key,
                   struct spark_row *row)
{
    const struct metric_table *table = &details->spark;

    spark_row_fill(row, table, metric_group_find(table, key),
                   &details->error_rate);
    for (uint32_t i = 0; i < row->list.count; i++)
        if (isnan(row->values[i]))
            row->values[i] = 0;
}
