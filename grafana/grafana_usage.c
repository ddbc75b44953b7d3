/*
 * CPU, memory, network and disk against requests and limits, and restarts. In:
 * a query. Out: a wide frame, a field for each measure and group.
 */
#include <math.h>
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "component.h"
#include "grafana_handlers.h"
#include "grafana_query.h"
#include "reply_metrics.h"
#include "usage.h"

/* Of usage.h, by what people call them. */
static const struct usage_row {
    enum metric_meaning row;
    const char *resource, *name, *unit;
    enum metric_meaning request, limit; /* of itself: none */
} usage_rows[] = {
    {METRIC_CPU_USAGE, "cpu", "CPU usage", "cores", METRIC_CPU_REQUEST,
     METRIC_CPU_LIMIT},
    {METRIC_CPU_REQUEST, "cpu", "CPU request", "cores", METRIC_CPU_REQUEST,
     METRIC_CPU_REQUEST},
    {METRIC_CPU_LIMIT, "cpu", "CPU limit", "cores", METRIC_CPU_LIMIT,
     METRIC_CPU_LIMIT},
    {METRIC_MEMORY_USAGE, "memory", "Memory usage", "bytes",
     METRIC_MEMORY_REQUEST, METRIC_MEMORY_LIMIT},
    {METRIC_MEMORY_REQUEST, "memory", "Memory request", "bytes",
     METRIC_MEMORY_REQUEST, METRIC_MEMORY_REQUEST},
    {METRIC_MEMORY_LIMIT, "memory", "Memory limit", "bytes",
     METRIC_MEMORY_LIMIT, METRIC_MEMORY_LIMIT},
    {METRIC_NETWORK_RECEIVE, "network", "Network received", "Bps",
     METRIC_NETWORK_RECEIVE, METRIC_NETWORK_RECEIVE},
    {METRIC_NETWORK_TRANSMIT, "network", "Network sent", "Bps",
     METRIC_NETWORK_TRANSMIT, METRIC_NETWORK_TRANSMIT},
    {METRIC_DISK_READ, "disk", "Disk read", "Bps", METRIC_DISK_READ,
     METRIC_DISK_READ},
    {METRIC_DISK_WRITE, "disk", "Disk written", "Bps", METRIC_DISK_WRITE,
     METRIC_DISK_WRITE},
};
enum { ROWS = sizeof(usage_rows) / sizeof(usage_rows[0]), GROUPS_MAX = 100 };

enum usage_by { USAGE_TOTAL, USAGE_COMPONENT, USAGE_POD };

/* Of a group. */
struct usage_names {
    struct identity identity;
    struct slice pod;
};

struct usage_query {
    struct grafana_query *q;
    enum usage_by by;
    struct grid grid;
    struct metric_table grouped;
    struct grafana_frame *frame;
    uint32_t shown;
};

static enum status read_by(struct usage_query *u)
{
    struct slice by = payload_text(u->q, "by");

    if (slice_equal(by, SLICE("component")))
        u->by = USAGE_COMPONENT;
    else if (slice_equal(by, SLICE("pod")))
        u->by = USAGE_POD;
    else if (by.len > 0 && !slice_equal(by, SLICE("none")))
        return query_refuse(u->q, "by must be none, component or pod");
    return OK;
}

/* ---- groups ---- */

static struct slice pod_of(struct usage_query *u,
                           const struct metric_group *group)
{
    struct slice pod = metric_label(group, 0); /* of Prometheus */
    const struct resource_info *resource =
        pod.len > 0 ? NULL : reply_resource(u->q->request, group->resource_id);

    return resource
               ? attrs_text(&resource->resource.attrs, SLICE("k8s.pod.name"))
               : pod;
}

static enum status group_all(struct usage_query *u,
                             const struct metric_table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const struct metric_group *from = table->groups[i];
        const struct identity *identity =
            reply_resource_identity(u->q->request, from->resource_id);
        struct usage_names names = {.identity = {.id = IDENTITY_NONE}}, *item;
        uint64_t key = METRIC_TOTAL_KEY;
        struct metric_group *to;

        if (u->by != USAGE_TOTAL && identity) {
            names.identity = *identity;
            key = key_identity(key, identity);
        }
        if (u->by == USAGE_POD) {
            names.pod = pod_of(u, from);
            key = key_text(key, names.pod);
        }
        to = metric_group_with(&u->grouped, key, sizeof(*item));
        if (!to || !metric_group_add(&u->grouped, to, from))
            return arena_status(u->q->request->arena);
        item = to->item;
        *item = names;
    }
    return OK;
}

/* ---- fields ---- */

static bool has_values(const struct usage_query *u,
                       const struct metric_group *group,
                       const struct metric_expr *expr)
{
    for (uint32_t i = 0; i < u->grid.count; i++)
        if (!isnan(metric_value(&u->grouped, group, expr, i)))
            return true;
    return false;
}

static struct slice title_of(struct usage_query *u,
                             const struct usage_names *names, const char *what)
{
    struct slice name =
        u->by == USAGE_POD ? names->pod : names->identity.component;

    if (u->by == USAGE_TOTAL)
        return slice_of(what);
    if (name.len == 0)
        name = SLICE("(unassigned)");
    return arena_format(u->q->request->arena, "%.*s %s", SLICE_ARGS(name),
                        what);
}

static void label_group(struct usage_query *u, struct grafana_field *field,
                        const struct usage_names *names)
{
    static const char *const keys[] = {"namespace", "project", "component",
                                       "environment"};

    for (int i = 0; u->by != USAGE_TOTAL && i < IDENTITY_NAMES; i++)
        if (names->identity.text[i].len > 0)
            field_label(field, keys[i], names->identity.text[i]);
    if (u->by == USAGE_POD)
        field_label(field, "pod", names->pod);
    if (u->by != USAGE_TOTAL && names->identity.component.len > 0)
        field_link(field, "Show the component",
                   link_component(u->q, &names->identity), false);
}

static void add_field(struct usage_query *u, const struct metric_group *group,
                      const struct metric_expr *expr, const char *what,
                      const char *unit)
{
    struct grafana_field *field;

    if (!has_values(u, group, expr))
        return;
    field = frame_field(u->frame, what, FIELD_NUMBER);
    if (!field)
        return;
    field->unit = unit;
    field->display_name = title_of(u, group->item, what);
    label_group(u, field, group->item);
    for (uint32_t i = 0; i < u->grid.count; i++)
        field_number_at(field, i, metric_value(&u->grouped, group, expr, i));
    u->shown++;
}

static void open_frame(struct usage_query *u)
{
    struct grafana_field *time;

    u->frame = query_frame(u->q, slice_of(u->q->family->target));
    time = frame_field(u->frame, "time", FIELD_TIME);
    if (!u->frame)
        return;
    u->frame->type = "timeseries-wide";
    u->frame->visual = "graph";
    frame_rows(u->frame, u->grid.count);
    for (uint32_t i = 0; i < u->grid.count; i++)
        field_time_at(time, i, grid_time(&u->grid, i));
}

/* No series: no rows, and why. */
static void close_frame(struct usage_query *u, const char *name,
                        const char *unit, const char *what)
{
    struct grafana_field *field;

    static const char *const none[] = {NULL};

    query_tell_unapplied(u->q, u->frame, none);
    if (u->shown > 0 || !u->frame)
        return;
    u->frame->rows = 0;
    field = frame_field(u->frame, name, FIELD_NUMBER);
    if (field)
        field->unit = unit;
    query_empty(u->q, u->frame, what, SIGNAL_METRICS);
}

/* ---- usage ---- */

static bool is_asked(const struct usage_row *row, const struct slice *asked,
                     uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (slice_equal(asked[i], slice_of(row->resource)))
            return true;
    return count == 0;
}

/* relative_to: request or limit; the rows that have none are left out. */
static void add_row(struct usage_query *u, const struct usage *usage,
                    const struct usage_row *row, struct slice relative)
{
    bool to_limit = slice_equal(relative, SLICE("limit"));
    enum metric_meaning base = to_limit ? row->limit : row->request;
    const struct metric_expr share = {
        EXPR_DIVIDE, .args = {&usage->rows[row->row], &usage->rows[base]}};
    bool absolute = relative.len == 0 || slice_equal(relative, SLICE("none"));

    if (!absolute && (base == row->row || row->request == row->limit))
        return;
    for (uint32_t i = 0; i < u->grouped.count && u->shown < GROUPS_MAX; i++)
        add_field(u, u->grouped.groups[i],
                  absolute ? &usage->rows[row->row] : &share, row->name,
                  absolute ? row->unit : "percentunit");
}

static enum status check_resources(struct grafana_query *q,
                                   const struct slice *asked, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t k = 0;

        while (k < ROWS && !is_asked(&usage_rows[k], &asked[i], 1))
            k++;
        if (k == ROWS)
            return query_refuse(q,
                                "resource must be cpu, memory, network or "
                                "disk; it is %.*s",
                                SLICE_ARGS(slice_truncate(asked[i], 80)));
    }
    return OK;
}

enum status grafana_usage(struct grafana_query *q)
{
    static const char *const pod[] = {"pod", NULL};
    struct usage_query u = {.q = q, .grid = query_grid(q, NS_PER_MIN)};
    struct slice relative = payload_text(q, "relative_to");
    struct usage usage;
    uint32_t count;
    const struct slice *asked = payload_texts(q, "resource", &count);
    enum status s = read_by(&u);

    if (s == OK)
        s = check_resources(q, asked, count);
    if (s == OK)
        s = usage_query_by(q->request, q->sent, &u.grid,
                           u.by == USAGE_POD ? pod : NULL, u.by != USAGE_TOTAL,
                           &usage);
    if (s != OK)
        return s;
    metric_table_init(&u.grouped, q->request->arena, &u.grid, NULL);
    for (int i = 0; i < USAGE_ROWS; i++)
        (void)metric_table_add(&u.grouped, &usage.rows[i]);
    s = group_all(&u, &usage.table);
    if (s != OK)
        return s;
    open_frame(&u);
    for (size_t i = 0; i < ROWS; i++)
        if (is_asked(&usage_rows[i], asked, count))
            add_row(&u, &usage, &usage_rows[i], relative);
    close_frame(&u, "usage", "short",
                "metrics of CPU, memory, network or disk");
    if (u.shown == GROUPS_MAX)
        frame_notice(u.frame, NOTICE_INFO, "only %d series are shown",
                     GROUPS_MAX);
    return OK;
}

/* ---- restarts ---- */

/* Counts since a container was created, of each pod that is there. */
enum status grafana_restarts(struct grafana_query *q)
{
    static const char *const pod[] = {"pod", NULL};
    const struct metric_expr restarts = {EXPR_INCREASE,
                                         .select = {.first = METRIC_RESTARTS,
                                                    .last = METRIC_RESTARTS,
                                                    .pod_labels = true}};
    struct usage_query u = {.q = q, .grid = query_grid(q, NS_PER_MIN)};
    struct metric_table table, *tables[] = {&table};
    enum status s = read_by(&u);

    if (s != OK)
        return s;
    metric_table_init(&table, q->request->arena, &u.grid, pod);
    metric_table_init(&u.grouped, q->request->arena, &u.grid, pod);
    table.by_resource = true;
    (void)metric_table_add(&table, &restarts);
    (void)metric_table_add(&u.grouped, &restarts);
    if (u.grid.count > 0)
        s = read_metrics(q->request, q->sent, NULL, tables, 1);
    if (s == OK)
        s = group_all(&u, &table);
    if (s != OK)
        return s;
    open_frame(&u);
    for (uint32_t i = 0; i < u.grouped.count && u.shown < GROUPS_MAX; i++)
        add_field(&u, u.grouped.groups[i], &restarts, "Restarts", "short");
    close_frame(&u, "Restarts", "short", "counts of restarts");
    return OK;
}
