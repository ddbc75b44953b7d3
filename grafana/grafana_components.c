/*
 * The table of components: the list of the query API, with figures of the
 * range.
 */
#include <stdlib.h>

#include "clock.h"
#include "component_list.h"
#include "grafana_columns.h"
#include "grafana_handlers.h"
#include "grafana_records.h"

enum {
    COMPONENTS = 200, /* unless the payload says */
    COMPONENTS_READ = 5000,
    RESOURCES_READ = 2000 /* for their versions */
};

enum {
    ROW_NAMESPACE,
    ROW_PROJECT,
    ROW_ENVIRONMENT,
    ROW_COMPONENT,
    ROW_RATE,
    ROW_ERRORS,
    ROW_CLIENT_ERRORS,
    ROW_P50,
    ROW_P95,
    ROW_P99,
    ROW_RATE_BEFORE,
    ROW_ERRORS_BEFORE,
    ROW_VERSION,
    ROW_SEEN,
    ROW_DECLARED,
    ROW_COLUMNS
};
static const struct column row_columns[ROW_COLUMNS] = {
    {"namespace", FIELD_STRING, NULL, "Namespace", NULL, NULL},
    {"project", FIELD_STRING, NULL, "Project", NULL, NULL},
    {"environment", FIELD_STRING, NULL, "Environment", NULL, NULL},
    {"component", FIELD_STRING, NULL, "Component", NULL, NULL},
    {"requests", FIELD_NUMBER, "reqps", "Requests", NULL, NULL},
    {"errors", FIELD_NUMBER, "percentunit", "Errors", NULL, NULL},
    {"clientErrors", FIELD_NUMBER, "percentunit", "Client errors", NULL,
     "HTTP 4xx and the like"},
    {"p50", FIELD_NUMBER, "s", "p50", NULL, NULL},
    {"p95", FIELD_NUMBER, "s", "p95", NULL, NULL},
    {"p99", FIELD_NUMBER, "s", "p99", NULL, NULL},
    {"requestsBefore", FIELD_NUMBER, "reqps", "Requests before", NULL,
     "In the time of equal length before the range"},
    {"errorsBefore", FIELD_NUMBER, "percentunit", "Errors before", NULL, NULL},
    {"version", FIELD_STRING, NULL, "Version", NULL,
     "service.version of its newest resource"},
    {"lastSeen", FIELD_TIME, NULL, "Last seen", NULL, NULL},
    {"declared", FIELD_BOOL, NULL, "Declared", NULL,
     "In the catalogue of the control plane"},
};

static void add_names(struct grafana_field **f, const struct identity *id)
{
    field_text(f[ROW_NAMESPACE], id->namespace);
    field_text(f[ROW_PROJECT], id->project);
    field_text(f[ROW_ENVIRONMENT], id->environment);
    field_text(f[ROW_COMPONENT], id->component);
}

static void add_row(struct component_list *list, struct grafana_field **f,
                    uint32_t i)
{
    const struct metric_expr p95 = {EXPR_QUANTILE, .number = 0.95,
                                    .args = {&list->red.latency}};
    const struct list_entry *entry = &list->page[i];
    const struct metric_group *group =
        metric_group_at(&list->now, key_identity(1, &entry->id));
    struct list_item item;

    component_list_item(list, i, &item);
    add_names(f, &entry->id);
    field_number(f[ROW_RATE], item.now.rate);
    field_number(f[ROW_ERRORS], item.now.error_ratio);
    field_number(f[ROW_CLIENT_ERRORS], item.now.client_error_ratio);
    field_number(f[ROW_RATE_BEFORE], item.previous.figures.rate);
    field_number(f[ROW_ERRORS_BEFORE], item.previous.figures.error_ratio);
    field_time(f[ROW_SEEN], entry->info
                                ? component_last_seen(entry->info, SIGNAL_COUNT)
                                : 0);
    field_bool(f[ROW_DECLARED], entry->declared != NULL);
    if (!item.now.latency || !group)
        return;
    field_number(f[ROW_P50], item.now.latency->p50);
    field_number(f[ROW_P95], metric_value(&list->now, group, &p95, 0));
    field_number(f[ROW_P99], item.now.latency->p99);
}

/* ---- versions ---- */

struct versions {
    const struct component_list *list;
    const uint32_t *shown; /* entries of the list */
    uint32_t count, left;
    struct map rows; /* by key_identity() */
    struct grafana_field *field;
    bool *known;
};

static void add_version(struct versions *v, struct query_request *request,
                        uint32_t resource_id, const struct identity *identity)
{
    uint32_t hash = map_hash(key_identity(1, identity));

    map_each(&v->rows, hash, row) {
        const struct resource_info *resource =
            v->known[row] ||
                    identity_compare(&v->list->page[v->shown[row]].id, identity)
                ? NULL
                : reply_resource(request, resource_id);
        struct slice version = resource ? attrs_text(&resource->resource.attrs,
                                                     SLICE("service.version"))
                                        : (struct slice){NULL, 0};

        if (version.len == 0)
            continue;
        field_text_at(v->field, row, version);
        v->known[row] = true;
        v->left--;
    }
}

/* Of the newest resource of a component that has one: ids grow. */
static void add_versions(struct grafana_query *q, struct versions *v)
{
    const struct bitmap *resources = q->sent;
    uint32_t looked_at = 0;

    v->rows.arena = q->request->arena;
    v->known = arena_zero(q->request->arena, v->count + 1, sizeof(*v->known));
    for (uint32_t row = 0; v->known && row < v->count; row++)
        if (!map_add(
                &v->rows,
                map_hash(key_identity(1, &v->list->page[v->shown[row]].id)),
                row))
            return;
    v->left = v->known ? v->count : 0;
    for (uint32_t id = resources->limit;
         id-- > 0 && v->left > 0 && looked_at < RESOURCES_READ;) {
        const struct identity *identity =
            bitmap_has(resources, id) ? reply_resource_identity(q->request, id)
                                      : NULL;

        if (!identity || identity->component.len == 0)
            continue;
        add_version(v, q->request, id, identity);
        looked_at++;
    }
}

/* ---- the table ---- */

/* A list is of one scope; filters may name several. */
static bool is_wanted(const struct grafana_query *q, const struct identity *id)
{
    return query_fits(q, "namespace", id->namespace) &&
           query_fits(q, "project", id->project) &&
           query_fits(q, "component", id->component) &&
           (id->environment.len == 0 ||
            query_fits(q, "environment", id->environment));
}

struct ranked_component {
    double requests;
    uint32_t entry;
};

/* Most requests first, then by name. */
static int by_requests(const void *left, const void *right)
{
    const struct ranked_component *a = left, *b = right;

    if (a->requests != b->requests)
        return a->requests > b->requests ? -1 : 1;
    return a->entry < b->entry ? -1 : 1;
}

static uint32_t *rank(struct grafana_query *q, struct component_list *list,
                      uint32_t *count)
{
    struct arena *arena = q->request->arena;
    struct ranked_component *all =
        arena_zero(arena, list->count + 1, sizeof(*all));
    uint32_t *order = arena_zero(arena, list->count + 1, sizeof(*order));

    *count = 0;
    for (uint32_t i = 0; all && order && i < list->count; i++) {
        uint64_t key = key_identity(1, &list->page[i].id);

        if (is_wanted(q, &list->page[i].id))
            all[(*count)++] = (struct ranked_component){
                metric_first(&list->now, metric_group_at(&list->now, key),
                             list->red.requests),
                i};
    }
    if (*count > 0)
        qsort(all, *count, sizeof(*all), by_requests);
    for (uint32_t i = 0; i < *count; i++)
        order[i] = all[i].entry;
    return order;
}

static void add_rows(struct grafana_query *q, struct component_list *list)
{
    uint32_t limit = payload_number(q, "limit", COMPONENTS, COMPONENT_LIST_MAX);
    struct grafana_field *f[ROW_COLUMNS];
    struct grafana_frame *frame =
        FRAME_COLUMNS(q, "components", row_columns, f);
    struct versions versions = {.list = list, .field = f[ROW_VERSION]};
    uint32_t count;
    const uint32_t *order = rank(q, list, &count);

    link_row_component(f[ROW_COMPONENT]);
    versions.shown = order;
    versions.count = count < limit ? count : limit;
    for (uint32_t i = 0; i < versions.count; i++) {
        frame_row(frame);
        add_row(list, f, order[i]);
    }
    add_versions(q, &versions);
    if (count == 0)
        query_empty(q, frame, "components", SIGNAL_SPANS);
    note_narrowed(q, frame);
    if (count > limit || list->more)
        frame_notice(frame, NOTICE_INFO,
                     "the %u components with most requests of %s%u; raise "
                     "limit or choose a project",
                     limit, list->more ? "more than " : "", count);
}

enum status grafana_components(struct grafana_query *q)
{
    struct component_list *list =
        arena_zero(q->request->arena, 1, sizeof(*list));
    struct catalog_snapshot *snapshot;
    enum status s;

    if (!list)
        return OK; /* the arena is full */
    list->request = q->request;
    list->scope = q->scope;
    list->window =
        (struct window){.start_ns = q->start_ns, .end_ns = q->end_ns};
    list->limit = COMPONENTS_READ;
    snapshot = catalog_get(q->request->services->catalog);
    s = component_list_read(list, snapshot);
    if (s == OK)
        add_rows(q, list);
    catalog_release(snapshot);
    return s;
}
